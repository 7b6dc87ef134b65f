"""hostile_builder.py ADDRESS KIND [COMMIT]: registers as a builder, takes a job, and reports what no build could: parent (a path that leads out of
the tree), absolute, latin1 (a path that is not UTF-8: allowed), many (a million files and more), nothing (complete, without a profile),
log (far more log than anybody reads), twice (a result for a job that it does not have). COMMIT is the tree that it is said to be
of. Prints what became of the connection.
hostile_builder.py ADDRESS hold JOB: says that it holds the first attempt of a job, as mallory, and prints the answer in hexadecimal."""
import socket
import struct
import sys


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


class Connection:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)))
        self.sock.settimeout(20)

    def send(self, id, method, status, message=b""):
        self.sock.sendall(struct.pack(">IIHH", len(message), id, method, status) + message)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        return data

    def receive(self):
        length, id, method, status = struct.unpack(">IIHH", self.exactly(12))
        return id, method, status, self.exactly(length)


def profile(*files):
    head = field(1, sys.argv[3].encode() if len(sys.argv) > 3 else b"2" * 40) + field(3, 1)
    return head + b"".join(field(10, field(1, f) + field(2, 1)) for f in files) + b"".join(field(11, f) for f in files)


def events(kind):
    paths = {"parent": b"../../etc/passwd", "absolute": b"/etc/passwd", "latin1": b"net/caf\xe9.c"}
    if kind in paths:
        yield field(3, profile(b"init/main.c", paths[kind]))
    elif kind == "many":
        for i in range(260):
            yield field(3, profile(*(b"dir%d/file%d.c" % (i, k) for k in range(4000))))
    elif kind == "log":
        for _ in range(100):
            yield b"".join(field(2, b"x" * 4000) for _ in range(500))


c = Connection(sys.argv[1])
c.send(1, 0, 0, field(1, b"hostile") + field(2, 1))
c.receive()
held = field(4, int(sys.argv[3])) + field(5, 1) if sys.argv[2] == "hold" else b""
c.send(3, 10, 0, field(1, b"mallory") + held)
if held:
    print(c.receive()[3].hex())
    sys.exit(0)
c.receive()
try:
    id, method, status, _ = c.receive()
    for event in events(sys.argv[2]):
        c.send(id, method, 1, event)
    c.send(id, method, 2, field(1, 1))
    if sys.argv[2] == "twice":
        c.send(id, method, 2, field(1, 1))
    # Only who breaks the protocol is sure to hear of it.
    c.sock.settimeout(60 if sys.argv[2] == "twice" else 3)
    print("heard", c.receive()[2])
except (ConnectionError, BrokenPipeError) as error:
    print("closed")
except socket.timeout:
    print("still there")
