#!/usr/bin/env python3
"""A client of a tuxtape server, written from tuxtape-protocol(7) alone: it shows that the page is enough.

protocol_client.py [--ca FILE --cert FILE --key FILE] HOST:PORT version | health | cves VERSION | patch TITLE | cancel VERSION
"""
import argparse, io, re, socket, ssl, struct, sys

VERSION, HEALTH, FETCH_CVES, FETCH_PATCH = 0, 1, 2, 4
REQUEST, MORE, OK, CANCEL = range(4)
KINDS = dict(enumerate('usage,system,input,not found,network,protocol,database,git,denied'.split(','), 17))
USAGE, NOT_FOUND, PROTOCOL = 17, 20, 22
VERDICTS = {1: 'affected', 2: 'not-compiled', 4: 'not-affected'}
VERSION_INFO = 'program protocol you role'.split()
HEALTH_INFO = ('program uptime_seconds clients max_clients idle_workers cves vulns_commit vulns_time last_run nvd_newest '
               'queued_jobs builders').split()

class Failure(Exception):
    def __init__(self, status, text):
        super().__init__('%s: %s' % (KINDS.get(status, 'unknown'), text))

def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)

def field(number, value):
    if isinstance(value, int):
        return varint(number * 8) + varint(value)
    return varint(number * 8 + 2) + varint(len(value)) + value

def read(stream, length):
    data = stream.read(length)
    if len(data) < length:
        raise Failure(PROTOCOL, 'what the server sent ends too early')
    return data

def read_varint(stream):
    number = 0
    for shift in range(0, 70, 7):
        byte = read(stream, 1)[0]
        number |= (byte & 127) << shift
        if byte < 128:
            return number
    raise Failure(PROTOCOL, 'a number does not end')

def decode(data):
    """A message as {number: [values]}; a value is a number or bytes."""
    fields, stream = {}, io.BytesIO(data)
    while stream.tell() < len(data):
        key = read_varint(stream)
        if key & 7 == 0:
            value = read_varint(stream)
        elif key & 7 == 1:
            value = struct.unpack('<d', read(stream, 8))[0]
        elif key & 7 == 2:
            value = read(stream, read_varint(stream))
        elif key & 7 == 5:
            value = read(stream, 4)
        else:
            raise Failure(PROTOCOL, 'a field is written in no known way')
        fields.setdefault(key >> 3, []).append(value)
    return fields

def printable(data):
    return ''.join(c if c.isprintable() else '?' for c in data.decode('utf-8', 'replace'))

def kernel_version(text):
    old = re.fullmatch(r'(2)\.([46])\.(\d+)(?:\.(\d+))?(?:-rc(\d+))?', text, re.ASCII)
    new = re.fullmatch(r'(\d+)\.(\d+)()(?:\.(\d+))?(?:-rc(\d+))?', text, re.ASCII)
    if not old and not new:
        raise Failure(USAGE, '%s is not the version of a kernel' % printable(text.encode()))
    return b''.join(field(number, int(value)) for number, value in enumerate((old or new).groups(), 1) if value)

class Connection:
    def __init__(self, address, ca, cert, key):
        host, port = address.rsplit(':', 1)
        self.socket = socket.create_connection((host.strip('[]'), int(port)))
        if ca:
            context = ssl.create_default_context(cafile=ca)
            context.load_cert_chain(cert, key)
            self.socket = context.wrap_socket(self.socket, server_hostname=host.strip('[]'))
        self.stream, self.id = self.socket.makefile('rb'), -1
        self.me = self.call(VERSION, field(1, b'protocol_client 1') + field(2, 1))[-1]
        if decode(self.me).get(2) != [1]:
            raise Failure(PROTOCOL, 'the server speaks another protocol')

    def send(self, id, method, status, message=b''):
        self.socket.sendall(struct.pack('>IIHH', len(message), id, method, status) + message)

    def frames(self, method, request=b''):
        """Calls; yields status and message of each frame until one closes the call."""
        self.id += 2
        self.send(self.id, method, REQUEST, request)
        status = MORE
        while status in (REQUEST, MORE, CANCEL):
            length, id, asked, status = struct.unpack('>IIHH', read(self.stream, 12))
            if length > (16 << 20 if status < 16 else 4096):
                raise Failure(PROTOCOL, 'a message is too long')
            message = read(self.stream, length)
            if status == REQUEST:
                self.send(id, asked, USAGE, b'this client serves nothing')
            elif status != CANCEL:
                yield status, message

    def call(self, method, request=b''):
        """All records and, last, the closing message."""
        *records, (status, message) = self.frames(method, request)
        if status != OK:
            raise Failure(status, printable(message))
        return [record for _, record in records] + [message]

def show(names, message):
    for number, (value, *_) in sorted(decode(message).items()):
        if number <= len(names):
            print('%s: %s' % (names[number - 1], printable(value) if isinstance(value, bytes) else value))

def cves(connection, version):
    *records, end = connection.call(FETCH_CVES, field(2, kernel_version(version)) + field(7, True))
    for cve in map(decode, records):
        verdict = decode(cve[21][0]).get(3, [0])[0]
        print(printable(cve[1][0]), '%.1f' % cve[4][0] if 4 in cve else '-', VERDICTS.get(verdict, 'unknown'))
    summary = decode(decode(end)[1][0])
    print('affected %d unknown %d' % (summary[3][0], summary[5][0]))

def patch(connection, title):
    *chunks, _ = map(decode, connection.call(FETCH_PATCH, field(1, title.encode())))
    raw = b''.join(part for chunk in chunks for part in chunk.get(7, []))
    if 5 not in chunks[0] or len(raw) != chunks[0][5][0]:
        raise Failure(NOT_FOUND, 'there is no raw patch, or not all of it')
    sys.stdout.buffer.write(raw)

def cancel(connection, version):
    for count, (status, _) in enumerate(connection.frames(FETCH_CVES, field(2, kernel_version(version)) + field(7, True))):
        if count == 0 and status == MORE:
            connection.send(connection.id, FETCH_CVES, CANCEL)
    print(status)

def main():
    parser = argparse.ArgumentParser()
    for name in '--ca', '--cert', '--key', 'address', 'command':
        parser.add_argument(name)
    parser.add_argument('argument', nargs='?')
    a = parser.parse_args()
    commands = {'version': lambda c, _: show(VERSION_INFO, c.me), 'health': lambda c, _: show(HEALTH_INFO, c.call(HEALTH)[-1]),
                'cves': cves, 'patch': patch, 'cancel': cancel}
    try:
        commands[a.command](Connection(a.address, a.ca, a.cert, a.key), a.argument)
    except (Failure, OSError) as error:
        sys.exit(str(error) if isinstance(error, Failure) else 'network: %s' % error)

main()
