"""A name server of a few records, for routers: address and MX records, names of addresses, DNS lists."""
import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'dns'))
from ask import name as wire

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA = 1, 2, 5, 6, 12, 15, 16, 28
NXDOMAIN = 3


def reversed_name(address):
    if ':' in address:
        return '.'.join(reversed(socket.inet_pton(socket.AF_INET6, address).hex())) + '.ip6.arpa'
    return '.'.join(reversed(address.split('.'))) + '.in-addr.arpa'


def content(kind, value):
    if kind == A:
        return socket.inet_aton(value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == MX:
        preference, host = value.split(' ')
        return struct.pack('!H', int(preference)) + wire(host)
    if kind == TXT:
        return bytes([len(value)]) + value.encode()
    return wire(value)


class Names:
    """records: {name: [(kind, value), ...]}, names in small letters. A name "fails.…" gets SERVFAIL."""

    def __init__(self, records):
        self.records = records
        self.sockets = [self.listen(socket.SOCK_DGRAM)]
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def listen(kind):
        s = socket.socket(socket.AF_INET, kind)
        s.bind(('127.0.0.1', 53))
        return s

    def serve(self):
        s = self.sockets[0]
        while True:
            query, peer = s.recvfrom(4096)
            s.sendto(self.answer(query), peer)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode('latin-1').lower())
            at += query[at] + 1
        kind = struct.unpack('!H', query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        if labels and labels[0] == 'fails':
            return query[:2] + struct.pack('!5H', 0x8182, 1, 0, 0, 0) + question
        name = '.'.join(labels)
        known = self.records.get(name)
        below = any(n.endswith('.' + name) for n in self.records)
        body = [b'\xc0\x0c' + struct.pack('!HHIH', k, 1, 300, len(content(k, v))) + content(k, v)
                for k, v in known or [] if k == kind]
        code = 0 if known is not None or below else NXDOMAIN
        soa = b''
        if not body:
            text = wire('ns.example') + wire('root.example') + struct.pack('!5I', 1, 2, 3, 4, 60)
            soa = b'\0' + struct.pack('!HHIH', SOA, 1, 60, len(text)) + text
        return (query[:2] + struct.pack('!5H', 0x8580 | code, 1, len(body), 1 if soa else 0, 0) + question +
                b''.join(body) + soa)
