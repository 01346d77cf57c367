"""A server that goes wrong at one stage of the dialogue, as often as it is told, and does well afterwards."""
import socket
import struct
import threading

from listening import Listening

STAGES = ('connect', 'banner', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'dot', 'QUIT')
USUAL = {'banner': '220 scripted ESMTP', 'EHLO': '250', 'HELO': '250 scripted', 'MAIL': '250 sender', 'RCPT': '250 recipient',
         'DATA': '354 go on', 'chunk': '250 chunk', 'dot': '250 taken', 'RSET': '250 reset', 'QUIT': '221 bye'}


class Gone(Exception):
    """The server has dropped the connection."""


class Host(Listening):
    """trouble: what happens at the stage instead of the usual answer: a reply (text), 'stall' (no word, until the client goes), 'cut' (the
    connection is closed), 'half' (closed in the middle of the reply), 'reset' (closed by a reset); at 'connect' it is 'stall' or 'refuse'.

    address: with a port, or the path of a UNIX socket. With LHLO it speaks LMTP, for one recipient.

    What was taken is in `taken`: texts whose end had come, and which were not refused. connections: how many there were."""

    def __init__(self, stage=None, trouble=None, times=1, extensions=(), address='127.0.0.1', port=0):
        self.stage, self.trouble, self.left, self.extensions = stage, trouble, times, extensions
        self.taken, self.connections = [], 0
        self.lock = threading.Lock()
        self.held = []
        self.bind(address if address.startswith('/') else (address, port))
        self.address = self.listener.getsockname()
        self.port = self.address[1]
        if stage == 'connect' and trouble == 'stall':
            self.fill()
        elif stage != 'connect':
            self.open()

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)    # else who waits in accept() keeps it
        except OSError:
            pass
        for s in self.held + [self.listener]:
            s.close()

    # --- connections ---

    def bind(self, where):
        self.listener = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(where)

    def open(self):
        """Ends the trouble of the stage 'connect'."""
        if self.held:
            self.close()
            self.bind(self.address)
        self.listener.listen(20)
        self.start_serving()

    def fill(self):
        """Nobody accepts, and no further connection has room to wait."""
        self.listener.listen(0)
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(self.address)
            self.held.append(s)

    def talk(self, connection):
        with connection, connection.makefile('rb') as stream:
            try:
                self.say(connection, stream, 'banner')
                self.dialogue(connection, stream)
            except (Gone, OSError):
                pass

    # --- the dialogue ---

    def fails(self, stage):
        with self.lock:
            if stage != self.stage or self.left == 0:
                return False
            self.left -= 1
            return True

    def say(self, connection, stream, stage, reply=None):
        """Answers; True if the answer is the usual one."""
        usual = reply or USUAL[stage]
        if not self.fails(stage):
            connection.sendall(usual.encode() + b'\r\n')
            return True
        if self.trouble == 'stall':
            while stream.read(4096):
                pass
            raise Gone
        if self.trouble == 'half':
            connection.sendall(usual.encode()[:2])
        if self.trouble == 'reset':
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        if self.trouble in ('cut', 'half', 'reset'):
            if self.trouble != 'reset':
                connection.shutdown(socket.SHUT_WR)
                while stream.read(4096):    # what is unread at the end would make it a reset
                    pass
            raise Gone
        connection.sendall(self.trouble.encode() + b'\r\n')
        if self.trouble.startswith('421'):
            raise Gone
        return False

    def end(self, connection, stream, text):
        """The end of a text has come: it is taken, unless the answer says that it is not."""
        if self.stage != 'dot' or self.left == 0 or not self.trouble[0].isdigit():
            self.taken.append(text)
        self.say(connection, stream, 'dot')

    def dialogue(self, connection, stream):
        greeting = '\r\n'.join('250%s%s' % (' ' if i == len(self.extensions) else '-', word)
                               for i, word in enumerate(('scripted',) + tuple(self.extensions)))
        sender, to, text = False, 0, b''
        for line in stream:
            verb = line[:4].decode('latin-1').upper().replace('LHLO', 'EHLO')
            if verb == 'DATA':
                if not to:
                    connection.sendall(b'503 no recipients\r\n')
                elif self.say(connection, stream, 'DATA'):
                    text = b''.join(iter(stream.readline, b'.\r\n'))
                    self.end(connection, stream, text)
                    to = 0
            elif verb == 'BDAT':
                text += stream.read(int(line.split()[1]))
                if not to:
                    connection.sendall(b'503 no recipients\r\n')
                elif line.split()[-1] != b'LAST':
                    self.say(connection, stream, 'chunk')
                else:
                    self.end(connection, stream, text)
                    to, text = 0, b''
            elif verb == 'RCPT':
                if sender:
                    to += self.say(connection, stream, 'RCPT')
                else:
                    connection.sendall(b'503 no sender\r\n')
            elif verb in USUAL:
                if verb in ('EHLO', 'MAIL', 'RSET'):
                    to, text = 0, b''
                good = self.say(connection, stream, verb, greeting if verb == 'EHLO' else None)
                sender = verb == 'MAIL' and good
                if verb == 'QUIT':
                    return
            else:
                connection.sendall(b'500 what\r\n')
