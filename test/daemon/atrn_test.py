"""ATRN (RFC 2645): a provider's mail goes over the connection that its customer has made; and remex as the customer."""
import base64
import os
import socket
import subprocess
import sys
import threading

from daemon import Daemon

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mainjob'))
import certs  # noqa: E402
from auth_test import Client  # noqa: E402
from listening import Listening  # noqa: E402
from remote_test import dead_port  # noqa: E402

ACL = '''
begin acl
fetch:
  defer !atrn_domains = a.example : b.example
    message = 453 You have no mail
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if eq{$auth3}{secret}}
  server_set_id = $auth2
  client_send = ^joe^secret
'''

ROUTERS = '''
to_customer:
  driver = manualroute
  condition = ${if eq{$atrn_mode}{P}}
  route_data = <;$atrn_host
  self = send
  transport = smtp
to_provider:
  driver = manualroute
  condition = ${if eq{$atrn_mode}{C}}
  route_data = <;$domain
  self = send
  transport = smtp
'''

SMTP = '''
smtp:
  driver = smtp
  allow_localhost
  port = %d
  hosts_try_auth = *
  hosts_require_tls = %s
'''


def configure(site, main='', port=1, tls=''):
    site.configure('queue_only\nacl_smtp_atrn = fetch\n' + main, routers=ROUTERS, transports=SMTP % (port, tls), more=ACL)


class Customer:
    """Says ATRN, and serves the other way round."""
    def __init__(self, port, tls=False, auth=True):
        if tls:
            c = Client(port)
            self.socket, self.file, self.offers = c.socket, c.file, c.offers
        else:
            self.socket = socket.create_connection(('127.0.0.1', port), 20)
            self.file = self.socket.makefile('rb')
            self.reply()
            self.offers = self.say('EHLO client.example')
        if auth:
            assert self.say('AUTH PLAIN ' + base64.b64encode(b'\0joe\0secret').decode())[0][:3] == '235'

    def put(self, text):
        self.socket.sendall(text.encode() + b'\r\n')

    def reply(self):
        lines = [self.file.readline().decode().rstrip()]
        while lines[-1][3:4] == '-':
            lines.append(self.file.readline().decode().rstrip())
        return lines

    def say(self, text):
        self.put(text)
        return self.reply()

    def serve(self, most=99):
        """Takes messages until the provider says QUIT, or so many; what was said, and the texts."""
        said, texts = [], []
        self.put('220 customer')
        while True:
            line = self.file.readline().decode().rstrip()
            if not line:
                return said, texts
            said.append(line)
            verb = line.split(' ')[0]
            if verb == 'EHLO':
                self.put('250-customer\r\n250-SIZE\r\n250 PIPELINING')
            elif verb == 'DATA':
                self.put('354 go')
                texts.append(b''.join(iter(self.file.readline, b'.\r\n')))
                if len(texts) > most:
                    return said, texts
                self.put('250 taken')
            elif verb == 'QUIT':
                self.put('221 bye')
                return said, texts
            else:
                self.put('250 ok')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def offered(said):
    return [line for line in said if line.startswith('RCPT')]


def test_in_the_clear(site):
    for n, kind in enumerate(('', 'smtp_sessions_per_process = 1\n')):
        configure(site, kind)
        with Daemon(site) as d:
            for to in (('x@a.example',), ('y@b.example', 'z@other.example'), ('w@other.example',)):
                d.send(*to)
            with Customer(d.port) as c:
                assert any(line[4:] == 'ATRN' for line in c.offers), c.offers
                assert c.say('ATRN')[0] == '250 ODMR provider turning line around'
                said, texts = c.serve()
            assert said[0] == 'EHLO mx.example.org' and said[-1] == 'QUIT', said
            assert sorted(offered(said)) == ['RCPT TO:<x@a.example>', 'RCPT TO:<y@b.example>'] and len(texts) == 2, said
            site.wait_for(lambda: sum('End queue run' in line for line in site.log()) == n + 1)
    log = site.log()
    assert any("ATRN '' received from (client.example) [127.0.0.1]" in line for line in log), log
    assert any('Start ODMR queue run: pid=' in line and line.endswith(' -qq -Rr @(a.example|b.example)') for line in log), log
    assert any('=> x@a.example R=to_customer T=smtp H=127.0.0.1 [127.0.0.1]' in line for line in log), log
    assert not any('@other.example' in line and ('=>' in line or '**' in line) for line in log), log


def test_within_tls(site):
    """The delivering process has no keys: the session passes on."""
    pair = certs.certificate(site, certs.authority(site), 'mx.example.org')
    for kind in ('', 'smtp_sessions_per_process = 1\n'):
        configure(site, kind + 'tls_certificate = %s\ntls_privatekey = %s\n' % pair, tls='*')
        with Daemon(site) as d:
            big = 'Subject: x\r\n\r\n' + 'some text\r\n' * 30000
            d.send('x@a.example', text=big)
            d.send('y@a.example')
            with Customer(d.port, tls=True) as c:
                assert c.say('ATRN a.example')[0][:3] == '250'
                said, texts = c.serve()
            assert len(texts) == 2 and said.count('QUIT') == 1 and max(map(len, texts)) > 300000, said
            site.wait_for(lambda: site.queue() == [])
    sent = [line for line in site.log() if '=> x@a.example' in line]
    assert len(sent) == 2 and all(' X=TLS1.3:' in line and ' CV=no' in line for line in sent), site.log()


def test_refused(site):
    configure(site)
    with Daemon(site) as d:
        d.send('x@c.example')
        with Customer(d.port, auth=False) as c:
            assert c.say('ATRN')[0] == '530 Authentication required'
        with Customer(d.port) as c:
            assert c.say('ATRN')[0] == '453 You have no mail'               # for none of its domains
            assert c.say('ATRN c.example')[0] == '453 You have no mail'     # not its domain
            assert c.say('ATRN a.example,c.example')[0] == '453 You have no mail'
            assert c.say('ATRN a b')[0][:3] == '501' and c.say('ATRN @(.*)')[0][:3] == '501'
            assert c.say('MAIL FROM:<>')[0][:3] == '250' and c.say('ATRN')[0][:3] == '503'
            assert c.say('QUIT')[0][:3] == '221'
        assert len(site.queue()) == 1
    site.configure(more=ACL)
    with Daemon(site) as d, Customer(d.port) as c:
        assert not any('ATRN' in line for line in c.offers) and c.say('ATRN')[0][:1] == '5'


class Inetd(Customer):
    """A session on standard input and output: both ends of a socket, or two pipes."""
    def __init__(self, site, pipes, *options):
        command = [site.binary, '-C', site.conf, '-bs', *options]
        if pipes:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.socket, self.file = self.process.stdin, self.process.stdout
        else:
            with socket.create_server(('127.0.0.1', 0)) as s:
                self.socket = socket.create_connection(s.getsockname())
                served, _ = s.accept()
            self.process = subprocess.Popen(command, stdin=served, stdout=served)
            served.close()
            self.file = self.socket.makefile('rb')
        self.reply()
        self.say('EHLO client.example')
        assert self.say('AUTH PLAIN ' + base64.b64encode(b'\0joe\0secret').decode())[0][:3] == '235'

    def put(self, text):
        if self.socket is not self.process.stdin:
            return super().put(text)
        self.socket.write(text.encode() + b'\r\n')
        self.socket.flush()

    def __exit__(self, *_):
        super().__exit__()
        assert self.process.wait(20) == 0


def test_without_a_daemon(site):
    for n, (pipes, options) in enumerate(((False, ()), (True, ('-oMa', '192.0.2.7'))), 1):
        configure(site)
        r = site.run('-odq', '-f', 's@far.example', 'x@a.example', 'y@b.example', stdin='Subject: x\n\n' + 'text\n' * 30000)
        assert r.status == 0, r.err
        with Inetd(site, pipes, *options) as c:
            assert c.say('ATRN')[0] == '250 ODMR provider turning line around'
            said, texts = c.serve()
        assert said[0] == 'EHLO mx.example.org' and said[-1] == 'QUIT' and len(texts) == 1, said
        assert sorted(offered(said)) == ['RCPT TO:<x@a.example>', 'RCPT TO:<y@b.example>'] and len(texts[0]) > 150000
        site.wait_for(lambda: sum('End ODMR queue run' in line or 'End queue run' in line for line in site.log()) == n)
        assert site.queue() == []
    assert any('=> x@a.example R=to_customer T=smtp H=192.0.2.7 [192.0.2.7]' in line for line in site.log()), site.log()


def test_without_an_address(site):
    """Nothing can be routed to such a client."""
    configure(site)
    assert site.run('-odq', '-f', 's@far.example', 'x@a.example', stdin='Subject: x\n\n').status == 0
    with Inetd(site, True) as c:
        assert c.say('ATRN')[0] == '451 Unable to process ATRN request now'
        assert c.say('QUIT')[0][:3] == '221'
    assert len(site.queue()) == 1


def test_customer_goes(site):
    """What it has not taken stays, and goes the next time at once."""
    configure(site)
    with Daemon(site) as d:
        for to in 'xyz':
            d.send(to + '@a.example')
        with Customer(d.port) as c:
            assert c.say('ATRN')[0][:3] == '250'
            _, texts = c.serve(most=1)
            assert len(texts) == 2      # the second was not answered
        site.wait_for(lambda: any('End queue run' in line for line in site.log()))
        assert len(site.queue()) == 2 and any(' == ' in line for line in site.log()), site.log()
        with Customer(d.port) as c:
            assert c.say('ATRN')[0][:3] == '250'
            said, texts = c.serve()
            assert len(texts) == 2, said
        site.wait_for(lambda: site.queue() == [])


class Provider(Listening):
    def __init__(self, answer):
        self.answer, self.said, self.replies = answer, [], []
        self.done = threading.Event()
        self.begin()

    def talk(self, connection):
        with connection, connection.makefile('rwb') as f:
            def put(text):
                f.write(text.encode() + b'\r\n')
                f.flush()

            def ask(text):
                put(text)
                lines = [f.readline().decode().rstrip()]
                while lines[-1][3:4] == '-':
                    lines.append(f.readline().decode().rstrip())
                self.replies.append(lines[-1])

            put('220 provider')
            for line in iter(lambda: f.readline().decode().rstrip(), ''):
                self.said.append(line)
                if line.startswith('EHLO'):
                    put('250-provider\r\n250 AUTH PLAIN')
                elif line.startswith('ATRN'):
                    put(self.answer)
                    if self.answer[:3] != '250':
                        continue
                    self.replies.append(f.readline().decode().rstrip())
                    for command in ('EHLO provider.example', 'MAIL FROM:<s@far.example>', 'RCPT TO:<joe@a.example>', 'DATA',
                                    'Subject: x\r\n\r\nfetched\r\n.', 'QUIT'):
                        ask(command)
                    break
                else:
                    put('235 ok' if line.startswith('AUTH') else '221 bye')
                    if line == 'QUIT':
                        break
        self.done.set()


def test_as_customer(site):
    with Provider('250 turning') as p:
        configure(site, port=p.port)
        r = site.run('-atrn', '127.0.0.1', 'a.example,b.example')
        assert r.status == 0 and r.out == '' and p.done.wait(10), (r.out, r.err, p.said)
        assert p.said[1].startswith('AUTH PLAIN ') and p.said[2] == 'ATRN a.example,b.example', p.said
    assert p.replies[0].startswith('220 mx.example.org') and p.replies[-1][:3] == '221', p.replies
    assert [x[:3] for x in p.replies[1:]] == ['250', '250', '250', '354', '250', '221'], p.replies
    came, = [line for line in site.log() if ' <= ' in line]
    assert '<= s@far.example H=(provider.example) [127.0.0.1] U=' in came and ' P=esmtp ' in came, came
    assert len(site.queue()) == 1


def test_as_customer_refused(site):
    with Provider('453 You have no mail') as p:
        configure(site, port=p.port)
        r = site.run('-atrn', '127.0.0.1', 'a.example')
        assert r.status == 1 and '453 You have no mail' in r.err and p.done.wait(10), (r.err, p.said)
        assert p.said[-1] == 'QUIT'
    configure(site, port=dead_port())
    r = site.run('-atrn', '127.0.0.1', 'a.example')
    assert r.status == 1 and 'Connection refused' in r.err, r.err
    assert site.run('-atrn').status == 1


def test_itself(site):
    """Provider and customer alike, within TLS: what it fetches is in its own queue then."""
    pair = certs.certificate(site, certs.authority(site), 'mx.example.org')
    configure(site, 'tls_certificate = %s\ntls_privatekey = %s\n' % pair, tls='*')
    with Daemon(site) as d:
        configure(site, 'tls_certificate = %s\ntls_privatekey = %s\n' % pair, port=d.port, tls='*')
        d.send('x@a.example')
        before = site.queue()
        r = site.run('-atrn', '127.0.0.1', 'a.example')
        assert r.status == 0, (r.err, site.log())
        site.wait_for(lambda: any('End queue run' in line for line in site.log()))
    assert len(before) == 1 and len(site.queue()) == 1 and site.queue() != before
    assert any(' <= a@client.example H=' in line and ' P=esmtpsa X=TLS1.3:' in line for line in site.log()), site.log()
