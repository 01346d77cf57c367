"""TLS in the daemon: STARTTLS and TLS from the start, certificates, names, what a hostile peer may try."""
import ctypes
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'mainjob'))
import certs  # noqa: E402
from daemon import Daemon, free_port  # noqa: E402


SYS_PIDFD_GETFD = 438   # the same on every architecture


def context(ca=None, version=None, client=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ca:
        c.load_verify_locations(ca)
    if version:
        c.minimum_version = c.maximum_version = version
    if client:
        c.load_cert_chain(*client)
    return c


class Peer:
    """A connection that is spoken to line by line."""

    def __init__(self, port, tls=None, name=None):
        self.socket = socket.create_connection(('127.0.0.1', port), 20)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=name)
        self.file = self.socket.makefile('rb')
        self.greeting = self.reply()

    def reply(self):
        lines = []
        while True:
            line = self.file.readline().decode()
            lines.append(line.rstrip('\r\n'))
            if line[3:4] != '-':
                return lines

    def say(self, text):
        self.socket.sendall(text.encode() + b'\r\n')
        return self.reply()

    def starttls(self, tls, name=None, session=None):
        assert self.say('STARTTLS') == ['220 TLS go ahead']
        self.socket = tls.wrap_socket(self.socket, server_hostname=name, session=session)
        self.file = self.socket.makefile('rb')

    def send(self, to='joe@example.org', sender='a@client.example', body='body'):
        assert self.say('EHLO client.example')[0][:3] == '250'
        assert self.say('MAIL FROM:<%s>' % sender)[0][:3] == '250'
        assert self.say('RCPT TO:<%s>' % to)[0][:3] == '250'
        assert self.say('DATA')[0][:3] == '354'
        answer = self.say('Subject: x\r\n\r\n%s\r\n.' % body)
        assert answer[0][:3] == '250', answer

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def prepare(site, main='', **sections):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    site.configure('tls_certificate = %s\ntls_privatekey = %s\n%s' % (pem, key, main), **sections)
    return ca


def arrivals(site):
    return [l for l in site.log() if ' <= ' in l]


def test_starttls_delivers(site):
    for mode in ('', 'smtp_sessions_per_process = 1'):
        ca = prepare(site, mode)
        with Daemon(site) as d:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                with Peer(d.port) as p:
                    assert '250-STARTTLS' in p.say('EHLO client.example')
                    p.starttls(context(ca[0], version), 'mx.example.org')
                    assert '250-STARTTLS' not in p.say('EHLO client.example')
                    p.send(body='long line\r\n' * 5000)
                    assert p.say('STARTTLS') == ['554 Already in TLS']
                    assert p.say('QUIT')[0][:3] == '221'
            site.wait_for(lambda: site.completed(2))
        log = arrivals(site)
        assert ' P=esmtps X=TLS1.2:ECDHE_' in log[0] and ' P=esmtps X=TLS1.3:ECDHE_' in log[1], log
        assert site.mail('anybody').count('long line') == 10000
        assert 'with esmtps  (TLS1.3) tls TLS_' in site.mail('anybody')
        shutil.rmtree(site.path('certs-ca'))
        for name in ('mail/anybody', 'log/mainlog'):
            os.unlink(site.path(name))


def test_what_was_said_in_the_clear_counts_no_more(site):
    ca = prepare(site, 'smtp_enforce_sync = false')
    with Daemon(site) as d, Peer(d.port) as p:
        p.say('EHLO client.example')
        p.say('MAIL FROM:<evil@client.example>')
        p.socket.sendall(b'STARTTLS\r\nRCPT TO:<joe@example.org>\r\nNOOP\r\n')
        assert p.reply() == ['220 TLS go ahead']
        p.socket = context(ca[0]).wrap_socket(p.socket)
        p.file = p.socket.makefile('rb')
        assert p.say('RCPT TO:<joe@example.org>')[0].startswith('503'), 'no sender, and no answer to what was injected'
        p.send()


def test_pipelining_of_starttls_is_an_error(site):
    prepare(site)
    with Daemon(site) as d, Peer(d.port) as p:
        p.say('EHLO client.example')
        p.socket.sendall(b'STARTTLS\r\nNOOP\r\n')
        assert p.reply() == ['554 SMTP synchronization error']


def test_records_that_come_together(site):
    """Commands in records of their own but one packet: what was read with the first is not waited for."""
    ca = prepare(site)
    with Daemon(site) as d, Peer(d.port) as p:
        p.say('EHLO client.example')
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context(ca[0]).wrap_bio(into, out)
        assert p.say('STARTTLS') == ['220 TLS go ahead']
        p.socket.settimeout(10)

        def pump(call):
            while True:
                try:
                    return call()
                except ssl.SSLWantReadError:
                    p.socket.sendall(out.read())
                    into.write(p.socket.recv(65536))

        pump(tls.do_handshake)
        tls.write(b'EHLO client.example\r\n')
        assert b'PIPELINING' in pump(lambda: tls.read(65536))
        for n in range(40):
            tls.write(b'MAIL FROM:<a%d@client.example>\r\n' % n)
            tls.write(b'RSET\r\n')
        got, started = b'', time.monotonic()
        while got.count(b'\n') < 80:
            got += pump(lambda: tls.read(65536))
        assert got == b'250 OK\r\n250 Reset OK\r\n' * 40, got
        assert time.monotonic() - started < 5


def no_delay(d):
    """TCP_NODELAY of the sockets that the master listens on."""
    get = ctypes.CDLL(None, use_errno=True).syscall
    pidfd, found = os.pidfd_open(d.process.pid), []
    for name in os.listdir('/proc/%d/fd' % d.process.pid):
        fd = get(SYS_PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            continue
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.close(fd)
            continue
        with socket.socket(fileno=fd) as s:
            if s.family == socket.AF_INET and s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.append(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
    os.close(pidfd)
    return found


def test_small_packets_go_at_once(site):
    """Without it each handshake waits 40 ms for an acknowledgement."""
    for main, on in (('', True), ('tcp_nodelay = false', False)):
        site.configure(main)
        with Daemon(site) as d:
            assert no_delay(d) == [on], main
            site.configure('tcp_nodelay = %s' % ('false' if on else 'true'))
            d.reload()
            assert no_delay(d) == [not on], 'a socket that stays open'


def test_tls_from_the_start(site):
    port = free_port()
    ca = prepare(site, 'tls_on_connect_ports = %d' % port)
    with Daemon(site, '-oX', '127.0.0.1.%d' % port, listen=False) as d:
        assert d.process.poll() is None
        with Peer(port, context(ca[0]), 'mx.example.org') as p:
            assert p.greeting[0].startswith('220 ')
            p.send()
        with socket.create_connection(('127.0.0.1', port), 20) as s:
            s.sendall(b'EHLO plain.example\r\n')
            assert b'220' not in s.recv(1000)
        site.wait_for(lambda: site.completed(1))
    assert ' P=esmtps X=TLS1.3' in arrivals(site)[0]
    assert any('TLS error on connection from' in l for l in site.log())


def greeting_before_finished(port, version=None):
    """What the server says while the end of our handshake is kept back; the same connection then sends a message."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context(version=version).wrap_bio(incoming, outgoing, server_hostname='mx.example.org')

    def call(f, *args):
        try:
            return f(*args)
        except ssl.SSLWantReadError:
            return b''
    with socket.create_connection(('127.0.0.1', port), 20) as s:
        call(tls.do_handshake)
        s.sendall(outgoing.read())
        s.settimeout(1)
        said = b''
        try:
            while not said:
                incoming.write(s.recv(65536))
                call(tls.do_handshake)
                if version is None:
                    said = call(tls.read, 4096)
        except TimeoutError:
            pass
        s.settimeout(20)

        def exchange(text):
            if text:
                tls.write(text)
            s.sendall(outgoing.read())
            answer = b''
            while not answer.endswith(b'\r\n') or answer.split(b'\r\n')[-2][3:4] == b'-':
                more = call(tls.read, 4096)
                answer += more
                if not more:
                    incoming.write(s.recv(65536))
                    call(tls.do_handshake)
                    s.sendall(outgoing.read())
            return answer
        if not said:
            assert exchange(b'').startswith(b'220 ')
        for text, code in ((b'EHLO client.example', b'250'), (b'MAIL FROM:<a@client.example>', b'250'),
                           (b'RCPT TO:<joe@example.org>', b'250'), (b'DATA', b'354'), (b'Subject: x\r\n\r\nbody\r\n.', b'250')):
            assert exchange(text + b'\r\n').startswith(code), (text, said)
    return said


def test_the_greeting_may_come_with_the_handshake(site):
    port = free_port()
    n = 0
    files = 'tls_certificate = %s\ntls_privatekey = %s\n' % certs.certificate(site, certs.authority(site), 'mx.example.org')
    for option, version, early in (('tls_early_banner_hosts = 127.0.0.1', None, True), ('', None, False),
                                   ('tls_early_banner_hosts = 127.0.0.2', None, False),
                                   ('tls_early_banner_hosts = *', ssl.TLSVersion.TLSv1_2, False),
                                   ('tls_early_banner_hosts = *\ntls_try_verify_hosts = *', None, False)):
        site.configure(files + 'tls_on_connect_ports = %d\n%s' % (port, option))
        with Daemon(site, '-oX', '127.0.0.1.%d' % port, listen=False):
            assert greeting_before_finished(port, version).startswith(b'220 ') == early, (option, site.log())
            n += 1
            site.wait_for(lambda: site.completed(n))
    shown = [l.split(' X=')[1].split(' ')[0] for l in arrivals(site) if ' P=esmtps X=' in l]
    assert len(shown) == n and shown[0] == shown[1] and shown[0].startswith('TLS1.3:'), site.log()


def test_input_that_is_no_tls_ends_the_connection(site):
    ca = prepare(site)
    with Daemon(site) as d:
        with Peer(d.port) as p:
            p.say('EHLO client.example')
            assert p.say('STARTTLS') == ['220 TLS go ahead']
            p.socket.sendall(b'EHLO plain.example\r\n' * 10)
            rest = b''
            try:
                while True:
                    more = p.socket.recv(1000)
                    if not more:
                        break
                    rest += more
            except ConnectionError:
                pass
            assert b'250' not in rest, rest
        # within TLS, bytes of the connection itself that are no record
        with Peer(d.port) as p:
            p.say('EHLO client.example')
            raw = socket.socket(fileno=os.dup(p.socket.fileno()))
            p.starttls(context(ca[0]))
            p.say('EHLO client.example')
            raw.sendall(b'NOOP\r\nNOOP\r\nNOOP\r\n')
            try:
                assert p.file.readline()[:3] != b'250'
            except (ConnectionError, ssl.SSLError):
                pass
            raw.close()
        site.wait_for(lambda: any('(recv)' in l for l in site.log()))


def test_handshakes_that_stall_hold_up_nobody(site):
    ca = prepare(site, 'smtp_accept_max = 100')
    with Daemon(site) as d:
        stuck = []
        for _ in range(20):
            p = Peer(d.port)
            p.say('EHLO client.example')
            assert p.say('STARTTLS') == ['220 TLS go ahead']
            stuck.append(p)
        with Peer(d.port) as p:
            p.say('EHLO client.example')
            p.starttls(context(ca[0]))
            p.send()
        for p in stuck:
            p.close()


def test_sessions_at_rest_hold_no_thread(site):
    ca = prepare(site, 'smtp_accept_max = 200\nsmtp_processes = 1')
    with Daemon(site) as d:
        peers = []
        for _ in range(60):
            p = Peer(d.port)
            p.say('EHLO client.example')
            p.starttls(context(ca[0]))
            p.say('EHLO client.example')
            peers.append(p)
        threads = lambda: sum(int(d.status(pid, 'Threads')[0]) for pid in d.roles('smtp'))
        site.wait_for(lambda: threads() < 40)
        for p in peers:
            assert p.say('NOOP') == ['250 OK']
        for p in peers:
            p.close()


def served(port, ca=None):
    with Peer(port) as p:
        p.say('EHLO client.example')
        p.starttls(context(ca), 'mx.example.org')
        return p.socket.getpeercert(True)


def test_certificates_that_change(site):
    ca = prepare(site, 'smtp_processes = 1')
    pem, key = (site.path('certs-ca/mx.example.org.' + e) for e in ('pem', 'key'))
    with Daemon(site) as d:
        first = served(d.port)
        other = certs.certificate(site, ca, 'second.example.org')
        os.rename(other[1], key)
        os.rename(other[0], pem)
        second = served(d.port)
        assert first != second
        site.write('certs-ca/junk', 'no certificate\n')
        os.rename(site.path('certs-ca/junk'), pem)
        assert served(d.port) == second, 'the old one stays'
        assert served(d.port) == second
        told = [l for l in site.log() if 'TLS files have changed and cannot be used' in l]
        assert len(told) == 1, told


def test_without_a_certificate_one_is_made(site):
    site.configure('smtp_processes = 1')
    with Daemon(site) as d:
        assert served(d.port) == served(d.port)
        with Peer(d.port) as p:
            p.say('EHLO client.example')
            p.starttls(context())
            p.send()
    assert 'Warning: No server certificate defined; will use a selfsigned one.' in site.log()


def test_certificate_by_name(site):
    ca = certs.authority(site)
    for name in ('a.example.org', 'b.example.org', 'none'):
        certs.certificate(site, ca, name)
    name = '${if inlist{$tls_in_sni}{a.example.org:b.example.org}{$tls_in_sni}{none}}'
    site.configure(''.join('%s = ${lookup{%s.%s}dsearch,ret=full{%s}}\n' % (option, name, end, site.path('certs-ca'))
                           for option, end in (('tls_certificate', 'pem'), ('tls_privatekey', 'key'))) +
                   'log_selector = +tls_sni')
    with Daemon(site) as d:
        for asked, got in (('a.example.org', 'a.example.org'), ('b.example.org', 'b.example.org'),
                           ('c.example.org', 'none'), (None, 'none')):
            with Peer(d.port) as p:
                p.say('EHLO client.example')
                p.starttls(context(ca[0]), asked)
                subject = p.socket.getpeercert()['subject'][0][0]
                assert subject == ('commonName', got), (asked, subject)
                if asked == 'a.example.org':
                    p.send()
    assert ' SNI="a.example.org"' in arrivals(site)[0], arrivals(site)


def test_client_certificates(site):
    ca, other = certs.authority(site), certs.authority(site, 'other')
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    good, bad = certs.certificate(site, ca, 'good.example'), certs.certificate(site, other, 'bad.example')
    main = 'tls_certificate = %s\ntls_privatekey = %s\ntls_verify_certificates = %s\n' % (pem, key, ca[0])
    site.configure(main + 'tls_try_verify_hosts = *\nlog_selector = +tls_peerdn\n')
    with Daemon(site) as d:
        for client in (good, bad, None):
            with Peer(d.port) as p:
                p.say('EHLO client.example')
                p.starttls(context(ca[0], client=client))
                p.send()
    log = arrivals(site)
    assert ' CV=yes DN="CN=good.example"' in log[0] and ' CV=no DN="CN=bad.example"' in log[1], log
    assert 'CV=' not in log[2]
    site.configure(main + 'tls_verify_hosts = *\n')
    with Daemon(site) as d:
        for client, well in ((good, True), (bad, False), (None, False)):
            with Peer(d.port) as p:
                p.say('EHLO client.example')
                try:
                    p.starttls(context(ca[0], client=client))
                    p.send()
                    assert well, client
                except (OSError, AssertionError):
                    assert not well, client


def test_resumption(site):
    ca = prepare(site, 'tls_resumption_hosts = *\nlog_selector = +tls_resumption\nsmtp_processes = 1')
    with Daemon(site) as d:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            c, session = context(ca[0], version), None
            for again in (False, True):
                with Peer(d.port) as p:
                    p.say('EHLO client.example')
                    p.starttls(c, 'mx.example.org', session)
                    assert p.socket.session_reused == again
                    p.send()
                    session = p.socket.session
                    p.say('QUIT')
    log = arrivals(site)
    assert [':256* ' in l or ':128* ' in l for l in log] == [False, True, False, True], log


def by_process(d, serving, ask):
    """What ask() gets from the smtp process `serving`: the others stand still meanwhile."""
    others = [pid for pid in d.roles('smtp') if pid != serving]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
        d.site.wait_for(lambda: d.status(pid, 'State')[0] == 'T')
    try:
        return ask()
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def resumed(port, tls, session, name='mx.example.org'):
    """Whether the session was resumed; and the one that may be resumed next."""
    with Peer(port) as p:
        p.say('EHLO client.example')
        p.starttls(tls, name, session)
        assert p.say('NOOP') == ['250 OK']
        return p.socket.session_reused, p.socket.session


def test_resumption_by_other_processes(site):
    for mode in ('', 'smtp_sessions_per_process = 1'):
        ca = prepare(site, 'tls_resumption_hosts = *\nsmtp_processes = 2\n' + mode)
        with Daemon(site) as d:
            one, two = d.roles('smtp')
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                c = context(ca[0], version)
                again, session = by_process(d, one, lambda: resumed(d.port, c, None))
                assert not again
                again, session = by_process(d, two, lambda: resumed(d.port, c, session))
                assert again, 'by the other process'
                d.reload()
                site.wait_for(lambda: len(d.roles('smtp')) == 2)
                again, session = resumed(d.port, c, session)
                assert again, 'by another generation'
                one, two = d.roles('smtp')
        with Daemon(site) as d:
            assert not resumed(d.port, c, session)[0], 'another daemon has another key'
        shutil.rmtree(site.path('certs-ca'))


def test_one_certificate_of_its_own(site):
    site.configure('smtp_processes = 2')
    with Daemon(site) as d:
        one, two = d.roles('smtp')
        first = by_process(d, one, lambda: served(d.port))
        assert by_process(d, two, lambda: served(d.port)) == first
        os.kill(one, signal.SIGKILL)
        site.wait_for(lambda: len(d.roles('smtp')) == 2 and one not in d.roles('smtp'))
        new = next(pid for pid in d.roles('smtp') if pid != two)
        assert by_process(d, new, lambda: served(d.port)) == first
        d.reload()
        assert served(d.port) == first
        with open(site.conf) as f:
            text = f.read()
        with open(site.conf, 'w') as f:
            f.write(re.sub('(?m)^primary_hostname = .*', 'primary_hostname = other.example', text))
        d.reload()
        assert served(d.port) != first, 'of another name'


def test_who_may_know_what_is_shared(site):
    """The descriptor is with the master and the smtp processes, and with nobody else."""
    site.configure('smtp_processes = 2\nsmtp_sessions_per_process = 1')
    with Daemon(site) as d:
        def has(pid):
            fds = '/proc/%d/fd' % pid
            return any(os.readlink(os.path.join(fds, f)).startswith('/memfd:tls ') for f in os.listdir(fds))
        assert has(d.process.pid)
        found = {role: {has(pid) for pid in d.roles(role)} for role in ('smtp', 'queue', 'deliver', 'agent')}
        assert found.pop('smtp') == {True} and True not in set().union(*found.values()), found


def test_alpn(site):
    ca = prepare(site)
    with Daemon(site) as d:
        for names, well in ((['smtp'], True), (['http/1.1', 'h2'], False), ([], True)):
            c = context(ca[0])
            if names:
                c.set_alpn_protocols(names)
            with Peer(d.port) as p:
                p.say('EHLO client.example')
                try:
                    p.starttls(c)
                    p.send()
                    assert well, names
                    assert p.socket.selected_alpn_protocol() == (names[0] if names else None)
                except ssl.SSLError:
                    assert not well, names


def test_many_at_once(site):
    ca = prepare(site, 'smtp_accept_max = 0')
    faults = []

    def one(port):
        try:
            with Peer(port) as p:
                p.say('EHLO client.example')
                p.starttls(context(ca[0]))
                for _ in range(3):
                    p.send()
        except Exception as e:
            faults.append(e)

    with Daemon(site) as d:
        threads = [threading.Thread(target=one, args=(d.port,)) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        site.wait_for(lambda: site.completed(60))
    assert not faults, faults


CLIENT = '''
remote:
  driver = manualroute
  domains = far.example
  route_data = 127.0.0.1
  self = send
  transport = out
local:
  driver = accept
  transport = mbox
'''

OUT = '''
out:
  driver = smtp
  port = %d
  hosts_require_tls = *
%s
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''


def test_client_resumes_sessions(site):
    ca = prepare(site, 'tls_resumption_hosts = *\nlog_selector = +tls_resumption\nsmtp_processes = 1')
    with Daemon(site) as d:
        for version in ('1.2', '1.3'):
            site.configure('log_selector = +tls_resumption', routers=CLIENT, transports=OUT % (
                d.port, '  tls_resumption_hosts = *\n  tls_verify_hosts = *\n  tls_verify_certificates = %s\n'
                '  tls_verify_cert_hostnames = :\n  tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS%s\n' % (ca[0], version)))
            for _ in range(2):
                site.send('a@far.example')
    sent = [l.split(' X=')[1].split(' ')[0].endswith('*') for l in site.log() if ' => a@far.example' in l]
    assert sent == [False, True, True, True] or sent == [False, True, False, True], site.log()
    assert all(' CV=yes ' in l for l in site.log() if ' => a@far.example' in l), site.log()


def test_client_tells_servers_behind_an_address_apart(site):
    prepare(site, 'tls_resumption_hosts = *\nacl_smtp_mail = mail\nsmtp_processes = 1',
            more='begin acl\nmail:\n  accept logwrite = resumption in $tls_in_resumption\n')
    with Daemon(site) as d:
        site.configure(routers=CLIENT, transports=OUT % (
            d.port, '  tls_resumption_hosts = *\n  tls_try_verify_hosts = :\n'
            '  host_name_extract = ${if match{$item}{\\N^250-([\\w.]+)\\s\\N}{$1-${readfile{%s}{}}}}\n' % site.path('which')))
        for which in 'aabba':
            site.write('which', which)
            site.send('a@far.example')
    got = [int(l.split()[-1]) for l in site.log() if 'resumption in' in l]
    full, used = 1 | 2 | 8, 1 | 2 | 4 | 8 | 16
    assert got == [full, used, full, used, used], (got, site.log())
    keys = subprocess.run([os.path.join(os.path.dirname(site.binary), 'remex-hints'), 'dump', site.path('spool'), 'tls'],
                          capture_output=True, text=True).stdout
    assert '/mx.example.org-a' in keys and '/mx.example.org-b' in keys, keys


def test_client_verifies(site):
    ca, other = certs.authority(site), certs.authority(site, 'other')
    pem, key = certs.certificate(site, ca, 'localhost')
    site.configure('tls_certificate = %s\ntls_privatekey = %s' % (pem, key))
    with Daemon(site) as d:
        for options, expected in (
                ('tls_verify_certificates = %s\n  tls_verify_hosts = *' % ca[0], 'certificate verification failed'),
                ('tls_verify_certificates = %s\n  tls_verify_hosts = *\n  tls_verify_cert_hostnames = :' % ca[0],
                 ' CV=yes '),
                ('tls_verify_certificates = %s\n  tls_verify_cert_hostnames = :' % other[0], ' CV=no '),
                ('tls_verify_certificates = %s\n  tls_verify_hosts = *\n  tls_verify_cert_hostnames = :' % other[0],
                 'certificate invalid')):
            site.configure(routers=CLIENT, transports=OUT % (d.port, '  ' + options), retry='')
            n = len(site.log())
            site.send('a@far.example')
            assert any(expected in l for l in site.log()[n:]), (options, site.log()[n:])
