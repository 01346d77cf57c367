"""A host on port 25 that takes all mail; it may demand that clients log in, within TLS."""
import base64
import re
import socket
import ssl
import threading


class Sink:
    """taken: (recipients, text) of each message; logins: (user, password) of each that was good."""

    def __init__(self, address, certificate=None):
        """certificate: (file, file of the key) for STARTTLS."""
        self.taken, self.logins, self.password, self.mechanism = [], [], None, 'PLAIN'
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.socket = socket.create_server((address, 25))
        threading.Thread(target=self.serve, daemon=True).start()

    def forget(self):
        self.taken.clear()
        self.logins.clear()
        self.password = None

    def serve(self):
        while True:
            threading.Thread(target=self.converse, args=(self.socket.accept()[0],), daemon=True).start()

    def converse(self, connection):
        try:
            Session(self, connection).run()
        except (OSError, ValueError) as e:
            print('the host that takes all mail: %r' % e)
        finally:
            connection.close()


class Session:
    def __init__(self, sink, connection):
        self.sink, self.connection, self.file = sink, connection, connection.makefile('rwb')
        self.secure, self.known, self.to = False, False, []

    def say(self, *lines):
        self.file.write(b''.join(l.encode() + b'\r\n' for l in lines))
        self.file.flush()

    def run(self):
        self.say('220 sink.example ESMTP')
        while True:
            line = self.file.readline().decode('latin-1').rstrip('\r\n')
            if not line:
                return
            verb = line.split(' ')[0].lower()
            if verb == 'quit':
                return self.say('221 bye')
            getattr(self, 'on_' + verb, self.on_other)(line)

    def on_ehlo(self, line):
        offers = ['STARTTLS'] if self.sink.tls and not self.secure else []
        if self.sink.password and self.secure:
            offers.append('AUTH ' + self.sink.mechanism)
        self.say(*['250-' + w for w in ['sink.example'] + offers], '250 HELP')

    def on_starttls(self, line):
        self.say('220 go on')
        self.connection = self.sink.tls.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile('rwb')
        self.secure = True

    def on_auth(self, line):
        self.known = tuple(self.words(line)) == self.sink.password
        if self.known:
            self.sink.logins.append(self.sink.password)
        self.say('235 known' if self.known else '535 not known')

    def words(self, line):
        """User and password, as PLAIN has them in one line or LOGIN in two."""
        mechanism, *first = line.split(' ')[1:]
        if mechanism.upper() == 'PLAIN':
            return base64.b64decode(first[0]).decode().split('\0')[1:]
        found = []
        for prompt in ('VXNlcm5hbWU6', 'UGFzc3dvcmQ6'):
            self.say('334 ' + prompt)
            found.append(base64.b64decode(self.file.readline()).decode())
        return found

    def on_mail(self, line):
        self.to = []
        self.say('530 Authentication required' if self.sink.password and not self.known else '250 OK')

    def on_rcpt(self, line):
        self.to.append(re.search(r'<(.*)>', line).group(1))
        self.say('250 OK')

    def on_data(self, line):
        if not self.to:
            return self.say('503 no recipients')
        self.say('354 go on')
        text = b''.join(iter(self.file.readline, b'.\r\n'))
        self.sink.taken.append((self.to, text.decode('utf-8', 'replace')))
        self.say('250 taken')

    def on_other(self, line):
        self.say('250 OK')
