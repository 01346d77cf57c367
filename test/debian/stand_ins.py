"""Servers that stand in for those of other packages on the machine of the tests: clamd and spamd, as far as they are asked."""
import os
import re
import socket
import socketserver
import threading


class Clamd(socketserver.StreamRequestHandler):
    """Finds the test file in what it is sent (INSTREAM) or shown (SCAN and its kind)."""

    def handle(self):
        command = b''
        while not command.endswith((b'\0', b'\n')):
            c = self.rfile.read(1)
            if not c:
                return
            command += c
        word = command.strip(b'\0\n').lstrip(b'nz')
        name, text = 'stream', b''
        if word == b'INSTREAM':
            while (n := int.from_bytes(self.rfile.read(4), 'big')) > 0:
                text += self.rfile.read(n)
        else:
            name = word.split(b' ', 1)[1].decode()
            text = whole(name)
        found = b'EICAR-STANDARD-ANTIVIRUS-TEST-FILE' in text
        self.wfile.write(('%s: %s' % (name, 'Eicar-Signature FOUND' if found else 'OK')).encode() + command[-1:])


def whole(path):
    """The file, or all files beneath."""
    if not os.path.isdir(path):
        with open(path, 'rb') as f:
            return f.read()
    return b''.join(whole(os.path.join(path, name)) for name in os.listdir(path))


class Spamd(socketserver.StreamRequestHandler):
    """A prize is worth twelve points."""

    def handle(self):
        size = 0
        while (line := self.rfile.readline().strip()):
            size = int(line.split(b':')[1]) if line.lower().startswith(b'content-length:') else size
        text = self.rfile.read(size) if size else self.rfile.read()
        score = 12.3 if re.search(b'(?i)prize', text) else 0.7
        self.wfile.write(b'SPAMD/1.1 0 EX_OK\r\nSpam: %s ; %.1f / 5.0\r\n\r\npts rule\n%.1f PRIZE\n'
                         % (b'True' if score > 5 else b'False', score, score))


class Local(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Remote(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


def start(clamd='/run/clamav/clamd.ctl'):
    for server in (Local(clamd, Clamd), Remote(('127.0.0.1', 783), Spamd)):
        if server.address_family == socket.AF_UNIX:
            os.chmod(clamd, 0o666)
        threading.Thread(target=server.serve_forever, daemon=True).start()
