"""${readsocket with tls=yes: servers that speak TLS, and that do not."""
import os
import socket
import ssl
import threading
import time

import private


class TlsSuite:
    def __init__(self, tester):
        self.t = tester

    def run(self):
        folder = os.path.join(self.t.folder, 'tls')
        os.mkdir(folder)
        private.certificate(folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(folder, 'server.pem'), os.path.join(folder, 'server.key'))
        self.context.sni_callback = self.note_sni
        answer, cut, late, plain, silent = [self.listen(f) for f in (
            self.answer, self.cut, self.late, self.plain, self.silent)]
        ask = '${readsocket{inet:127.0.0.1:%d}{req}{1s:tls=yes%s}%s}'
        self.t.all_same([
            ('answer', '', ask % (answer, '', ''), 'got req for None\nend'),
            ('newlines', '', ask % (answer, '', '{+}'), 'got req for None+end+'),
            ('name', '', ask % (answer, ':sni=a.example', '{ }'), 'got req for a.example end '),
            ('no shutdown', '', ask % (answer, ',shutdown=yes', '{ }'), 'got req for None end '),
            ('large', '', '${strlen:${readsocket{inet:127.0.0.1:%d}{big}{5s:tls=yes}}}' % answer, '1000000'),
            ('cut', '', ask % (cut, '', ''), 'cut off'),
            ('late', '', ask % (late, '', ''), 'Failed: socket read timed out'),
            ('plain', '', ask % (plain, '', ''),
             'Failed: TLS negotiation failed: An unexpected TLS packet was received.'),
            ('silent', '', ask % (silent, '', ''), 'Failed: TLS negotiation failed: Connection timed out'),
            ('fallback', '', ask % (plain, '', '{}{other}'), 'other'),
            ('off', '', '${readsocket{inet:127.0.0.1:%d}{req}{1s:tls=no}}' % plain, 'hello'),
        ])

    def listen(self, talk):
        listener = socket.create_server(('127.0.0.1', 0))

        def serve():
            while True:
                c, _ = listener.accept()
                threading.Thread(target=self.quietly, args=(talk, c), daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    @staticmethod
    def quietly(talk, c):
        try:
            talk(c)
        except OSError:     # the other side has gone, as it should
            pass
        finally:
            c.close()

    def note_sni(self, s, name, _):
        s.remex_name = name

    def accept(self, c):
        s = self.context.wrap_socket(c, server_side=True)
        return s, s.recv(100)

    def answer(self, c):
        s, got = self.accept(c)
        s.sendall(b'x' * 1000000 if got == b'big' else b'got %s for %s\nend\n' % (
            got, str(getattr(s, 'remex_name', None)).encode()))
        s.unwrap()

    def cut(self, c):
        """Goes without a word."""
        s, _ = self.accept(c)
        s.sendall(b'cut off')
        os.close(s.detach())

    def late(self, c):
        _kept = self.accept(c)
        time.sleep(3)

    @staticmethod
    def plain(c):
        c.recv(1000)
        c.sendall(b'hello\n')

    @staticmethod
    def silent(c):
        time.sleep(3)
