"""A name server that misbehaves, and a question to one that does not."""
import socket
import struct
import threading
import time


def name(text):
    return b''.join(bytes([len(x)]) + x.encode() for x in text.split('.') if x) + b'\0'


def answers(address, domain):
    """Whether a server knows the SOA record of a domain."""
    query = struct.pack('!6H', 4711, 0x0100, 1, 0, 0, 0) + name(domain) + struct.pack('!2H', 6, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        try:
            s.connect((address, 53))
            s.send(query)
            reply = s.recv(4096)
        except OSError:
            return False
    return len(reply) > 12 and reply[3] & 15 == 0 and reply[7] > 0


class Rogue:
    """Answers at an address as the first label of the name says, behind `_dmarc` as the second; counts the questions in `asked`.
    `later` comes when nobody waits for it any more."""

    def __init__(self, address):
        self.asked = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.udp.settimeout(0.05)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """A thread that waits for a question would keep the address from the next one."""
        self.over.set()
        self.thread.join()
        self.udp.close()

    def serve(self):
        while not self.over.is_set():
            try:
                query, peer = self.udp.recvfrom(4096)
            except socket.timeout:
                continue
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode('latin-1'))
                at += query[at] + 1
            self.asked.append('.'.join(labels))
            kind = labels[labels[0] == '_dmarc']
            time.sleep({'late': 0.03, 'later': 1.2}.get(kind, 0))
            self.udp.sendto(self.answer(query, query[12:at + 5], kind), peer)

    @staticmethod
    def answer(query, question, kind):
        def message(body, answers=1, authority=0, flags=0x8180):
            return query[:2] + struct.pack('!5H', flags, 1, answers, authority, 0) + question + body

        def record(owner, kind_, content, ttl=300):
            return owner + struct.pack('!HHIH', kind_, 1, ttl, len(content)) + content
        here, address = b'\xc0\x0c', b'\x7f\0\0\x02'
        at = 12 + len(question)
        return {
            # names that never end, or end where the message does not
            'pointer': lambda: message(struct.pack('!H', 0xc000 | at) + record(b'', 1, address)),
            'pair': lambda: message(b'\1a' + struct.pack('!H', 0xc000 | at) + record(b'', 1, address)),
            'beyond': lambda: message(b'\xff\xff' + record(b'', 1, address)),
            'long': lambda: message(b'\x3f' + b'x' * 63 + b'\x3f' + b'x' * 63 + b'\x3f' + b'x' * 63 + b'\x3f' +
                                    b'x' * 63 + b'\0' + record(b'', 1, address)),
            'cut': lambda: message(record(here, 1, address)[:-2]),
            'many': lambda: message(record(here, 1, address), answers=65535),
            'empty': lambda: message(b''),
            'noise': lambda: message(bytes(range(256)) * 2, answers=7),
            # an address of the wrong size, then a good one
            'size': lambda: message(record(here, 1, b'\x7f\0\0') + record(here, 1, address), answers=2),
            'loop': lambda: message(record(here, 5, b'\5other' + question[5:-4])),
            'other': lambda: message(record(here, 5, b'\4loop' + question[6:-4])),
            'none': lambda: message(record(b'\4none\0', 6, name('a') + name('b') + struct.pack('!5I', 1, 2, 3, 4, 60)),
                                    answers=0, authority=1, flags=0x8183),
            'brief': lambda: message(record(here, 1, address, ttl=0)),
            'refused': lambda: message(b'', answers=0, flags=0x8185),
        }.get(kind, lambda: message(record(here, 1, address)))()


class Silent:
    """Takes questions at an address and answers none."""

    def __init__(self, address):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.udp.close()
