"""late_server.py PORTFILE LEASE: plays a server for one builder. It grants a lease of so many ms, hears the builder for that long without
answering anything, and then sends it a job, as if that had been long on its way. Prints the status of the first frame about the job."""
import os
import socket
import struct
import sys
import time

VERSION, REGISTER, BUILD = 0, 10, 11


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def send(conn, id, method, status, message):
    conn.sendall(struct.pack(">IIHH", len(message), id, method, status) + message)


def receive(stream):
    length, id, method, status = struct.unpack(">IIHH", stream.read(12))
    stream.read(length)
    return id, method, status


lease = int(sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(listener.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
conn, _ = listener.accept()
stream = conn.makefile("rb")
answers = {VERSION: field(1, b"late") + field(2, 1), REGISTER: field(1, lease) + field(2, 0)}
method = VERSION
while method != REGISTER:
    id, method, _ = receive(stream)
    send(conn, id, method, 2, answers[method])
time.sleep(lease / 1000)
version = field(1, 6) + field(2, 1) + field(4, 9)
config = field(1, b"web") + field(2, version) + field(4, 1) + field(5, b"CONFIG_NET=y\n")
send(conn, 2, BUILD, 0, field(1, 7) + field(2, 1) + field(3, config))
while method != BUILD:
    _, method, status = receive(stream)
print("status", status)
