"""Peers that mean no good, at the daemon: they are slow on purpose, come in crowds, send without end, do not read. See also
test/mainjob/smtp_hostile_test.py; `make soak` has the same in large."""
import os
import selectors
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon  # noqa: E402

ENVELOPE = b'EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<joe@example.org>\r\n'
# What is sent at once, and what then comes byte by byte or not at all. All words of the protocol, with room to go on.
SLOW = {
    'nothing': (b'', b''), 'HELO': (b'', b'HELO cccccccccccccccccccccccccccccccc'), 'EHLO': (b'', b'EHLO cccccccccccccccccccccccccccc'),
    'MAIL': (b'EHLO x\r\n', b'MAIL FROM:<aaaaaaaaaaaaaaaaaaaaaaaaaaaa'), 'RCPT': (ENVELOPE, b'RCPT TO:<aaaaaaaaaaaaaaaaaaaaaaaaaaaa'),
    'DATA': (ENVELOPE, b'DATA                             '), 'header': (ENVELOPE + b'DATA\r\n', b'Subject: xxxxxxxxxxxxxxxxxxxxxxxxxx'),
    'body': (ENVELOPE + b'DATA\r\nSubject: x\r\n\r\nline\r\n', b'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'),
    'end': (ENVELOPE + b'DATA\r\nSubject: x\r\n\r\nline\r\n', b'.'), 'BDAT': (ENVELOPE, b'BDAT 100000000000000000000000000000000'),
    'chunk': (ENVELOPE + b'BDAT 5000 LAST\r\n', b'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 'VRFY': (b'', b'VRFY xxxxxxxxxxxxxxxxxxxxxxxxxxxx'),
    'EXPN': (b'', b'EXPN xxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 'ETRN': (b'', b'ETRN #xxxxxxxxxxxxxxxxxxxxxxxxxxxx'),
    'NOOP': (b'', b'NOOP xxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 'HELP': (b'', b'HELP xxxxxxxxxxxxxxxxxxxxxxxxxxxx'),
    'RSET': (b'EHLO x\r\n', b'RSET                             '), 'QUIT': (b'EHLO x\r\n', b'QUIT                             '),
    'AUTH': (b'EHLO x\r\n', b'AUTH LOGIN xxxxxxxxxxxxxxxxxxxxxxxxxxxxx'),
    'name': (b'EHLO x\r\nAUTH LOGIN\r\n', b'eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4'),
    'STARTTLS': (b'EHLO x\r\n', b'STARTTLS                             '),
    'XCLIENT': (b'EHLO x\r\n', b'XCLIENT NAME=xxxxxxxxxxxxxxxxxxxxxxx'), 'nonsense': (b'', b'\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'),
}
# TLS begins, and its first record has a length that never comes.
SHAKING = (b'EHLO x\r\nSTARTTLS\r\n', b'\x16\x03\x01\x10\x00\x01\x00' + b'\0' * 30)
AUTH = '''begin authenticators
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User : Password
  server_condition = false
'''
PROXIED = {'PROXY 1': (b'', b'PROXY TCP4 192.0.2.1 192.0.2.2 1'), 'PROXY 2': (b'', b'\r\n\r\n\0\r\nQUIT\n\x21\x11\x01\x00'), 'PROXY': (b'', b'')}


class Slow:
    """A client that sends the second part one byte at a time, or never."""

    def __init__(self, d, name, parts, drips, address):
        self.name, self.drips = (name, drips), drips
        self.left = parts[1] * 20 if drips else b''
        self.s = socket.socket()
        self.s.bind((address, 0))
        self.s.connect(('127.0.0.1', d.port))
        self.s.sendall(parts[0])
        self.heard, self.over = b'', False
        if not drips and parts[1]:
            self.s.sendall(parts[1])

    def drip(self):
        try:
            self.s.send(self.left[:1])
            self.left = self.left[1:]
        except OSError:
            pass

    def hear(self):
        try:
            got = self.s.recv(65536)
        except OSError:
            got = b''
        self.heard += got
        self.over = not got


def serve(clients, seconds=30):
    """Lets them go on until all are cut off."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as sel:
        for c in clients:
            sel.register(c.s, selectors.EVENT_READ, c)
        while not all(c.over for c in clients) and time.monotonic() < end:
            for key, _ in sel.select(0.05):
                key.data.hear()
                if key.data.over:
                    sel.unregister(key.data.s)
            for c in clients:
                if not c.over:
                    c.drip()
    for c in clients:
        c.s.close()
    assert all(c.over for c in clients), [c.name for c in clients if not c.over]


def assert_unharmed(site, d):
    d.send('joe@example.org')
    site.wait_for(lambda: site.completed(1))
    assert not site.raw_log('panic')


def test_slow_on_every_word(site):
    """A line that does not come within smtp_receive_timeout ends the connection, though something comes all the time."""
    site.configure('smtp_receive_timeout = 1s\nproxy_protocol_timeout = 1s\nhosts_proxy = 127.0.0.2\nhosts_xclient = *\n'
                   'smtp_accept_max = 0\nacl_smtp_vrfy = accept\nacl_smtp_expn = accept\nacl_smtp_etrn = accept\nsmtp_enforce_sync = false\ntls_advertise_hosts = *', more=AUTH)
    with Daemon(site) as d:
        clients = [Slow(d, n, p, drips, '127.0.0.1') for n, p in SLOW.items() for drips in (False, True)]
        proxied = [Slow(d, n, p, drips, '127.0.0.2') for n, p in PROXIED.items() for drips in (False, True)]
        s, f = d.connect()
        s.sendall(ENVELOPE + b'DATA\r\n')
        shaking = [Slow(d, 'TLS', SHAKING, drips, '127.0.0.1') for drips in (False, True)]
        serve(clients + proxied + shaking)
        for c in clients:     # who still sends when the end comes may not hear of it
            assert c.name[1] or b'421 ' in c.heard and b'imeout' in c.heard, (c.name, c.heard)
        log = site.raw_log()
        data = sum(c.name[0] in ('header', 'body', 'end', 'chunk') for c in clients)
        assert log.count('SMTP data timeout (message abandoned) on connection from') >= data, log
        assert log.count('SMTP command timeout on connection from') >= len(clients) - data, log
        assert log.count('TLS error on connection from') >= len(shaking), log
        assert log.count('proxy negotiation with') >= len(proxied), log
        f.close()
        s.close()
        assert_unharmed(site, d)


def test_answers_that_are_not_read(site):
    site.configure('smtp_receive_timeout = 1s\nsmtp_accept_max_nonmail = 100000000\nsmtp_enforce_sync = false\nsmtp_processes = 1')
    with Daemon(site) as d:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(('127.0.0.1', d.port))
        s.settimeout(20)
        try:
            for _ in range(20000):
                s.sendall(b'HELP\r\n' * 1000)
        except OSError:
            pass
        site.wait_for(lambda: 'SMTP timeout while answers are not read by' in site.raw_log())
        s.close()
        assert_unharmed(site, d)


def test_a_crowd(site):
    """More connections than may be: the limit holds over all processes, each one too many has an answer, and all leave."""
    site.configure('smtp_accept_max = 300\nsmtp_processes = 2\nsmtp_connect_backlog = 1000')
    with Daemon(site) as d:
        crowd = [d.connect() for _ in range(700)]
        first = [f.readline()[:4] for _, f in crowd]
        assert first.count(b'220 ') == 300 and first.count(b'421 ') == 400, (first.count(b'220 '), first.count(b'421 '))
        assert site.raw_log().count('refused: too many connections') == 400
        for s, f in crowd:
            f.close()
            s.close()

        site.wait_for(d.is_welcoming)
        assert_unharmed(site, d)


def test_without_end(site):
    """A line, a header, recipients, commands that say nothing, and faults: each has its limit, and its line in the log."""
    site.configure('header_maxsize = 100K\nheader_line_maxsize = 50K\nrecipients_max = 100\nrecipients_max_reject\nsmtp_accept_max_nonmail = 10\n'
                   'smtp_max_synprot_errors = 3\nsmtp_max_unknown_commands = 3\nmessage_size_limit = 200K\nsmtp_enforce_sync = false\n'
                   'smtp_processes = 1\nsmtp_accept_max = 0')
    cases = [
        (b'x' * 2000000 + b'\r\n' + b'QUIT\r\n', b'500 command line too long', None),
        (ENVELOPE + b'DATA\r\nX: ' + b'y' * 400000 + b'\r\n\r\n.\r\nQUIT\r\n', b'552 A message header line is too long', 'header'),
        (ENVELOPE + b'DATA\r\n' + b'X: y\r\n' * 50000 + b'\r\n.\r\nQUIT\r\n', b'552 Message header is ridiculously long', 'header'),
        (ENVELOPE + b'DATA\r\nX: y\r\n\r\n' + b'z' * 70 * 10000 + b'\r\n.\r\nQUIT\r\n', b'552 Message size exceeds maximum permitted', 'message too big'),
        (ENVELOPE + b'RCPT TO:<joe@example.org>\r\n' * 3000 + b'QUIT\r\n', b'552 too many recipients', None),
        (b'EHLO x\r\n' + b'NOOP\r\n' * 1000, b'554 Too many nonmail commands', 'too many nonmail commands'),
        (b'EHLO x\r\n' + b'FOO\r\n' * 1000, b'500 Too many unrecognized commands', 'too many unrecognized commands'),
        (b'EHLO x\r\n' + b'MAIL FROM:<\r\n' * 1000, b'Too many syntax or protocol errors', 'too many syntax or protocol errors'),
    ]
    with Daemon(site) as d:
        (smtp,) = d.roles('smtp')
        for data, answer, line in cases:
            s, f = d.connect()
            s.settimeout(20)
            heard = b''
            try:
                s.sendall(data)
            except OSError:
                pass
            try:
                for part in iter(lambda: f.read1(65536), b''):
                    heard += part
            except OSError:
                pass
            assert answer in heard, (answer, data[:60], heard[-300:])
            if line is not None:
                site.wait_for(lambda: line in site.raw_log())
            f.close()
            s.close()
        assert int(d.status(smtp, 'VmHWM')[0]) < 200 * 1024      # kilobytes
        assert d.roles('smtp') == [smtp]
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        assert site.raw_log().count('<=') == 1


def test_only_one_end_of_data(site):
    """What looks like the end of a message and is not, on a connection, whole and byte by byte."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../mainjob'))
    from smtp_hostile_test import LOOKALIKES, SMUGGLED
    site.configure('smtp_accept_max_per_connection = 0\nsmtp_accept_queue_per_connection = 0\ndeliver_processes = 1\nsmtp_processes = 1')
    heads = (b'Subject: x\r\n', b'Subject: x\r\n\r\nline', b'Subject: x\r\n\r\nline\r\nline')
    with Daemon(site) as d:
        s, f = d.connect()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert f.readline().startswith(b'220 ')
        n = 0

        def say(data, answer):
            s.sendall(data)
            got = f.readline()
            assert got.startswith(answer), (data, got)
        say(b'HELO x\r\n', b'250 ')
        for look in LOOKALIKES:
            for k, head in enumerate(heads):
                say(b'MAIL FROM:<a@x.example>\r\n', b'250 ')
                say(b'RCPT TO:<joe@example.org>\r\n', b'250 ')
                say(b'DATA\r\n', b'354 ')
                pieces = [bytes([b]) for b in look] if k > 0 else [look]
                for piece in [head] + pieces + [SMUGGLED] + ([look] if k == 2 else []):
                    s.sendall(piece)
                say(b'\r\n.\r\n', b'250 OK id=')
                n += 1
        say(b'QUIT\r\n', b'221 ')
        f.close()
        s.close()
        site.wait_for(lambda: site.raw_log().count('Completed') >= n)
        assert site.raw_log().count('<= a@x.example') == n == 42
        assert '<= evil' not in site.raw_log()
        assert site.mail('anybody').count('\nSubject: x') == n
