"""Options of TLS, one by one: each has its effect, in the role that it is of."""
import os
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'mainjob'))
import certs  # noqa: E402
from daemon import Daemon  # noqa: E402
from tls_test import CLIENT, OUT, Peer, arrivals, context, prepare  # noqa: E402


def refused(call):
    try:
        call()
    except (OSError, AssertionError):
        return True
    return False


def give(site, port, options, main=''):
    """Sends a message to the server at that port; the line about it."""
    site.configure(main, routers=CLIENT, transports=OUT.replace('  hosts_require_tls = *\n', '') % (port, options), retry='')
    n = len(site.log())
    site.send('a@far.example')
    return next(l for l in site.log()[n:] if ' a@far.example' in l and (' => ' in l or ' == ' in l))


class Plain:
    """A server that says STARTTLS and then what it likes; it notes what it hears."""
    def __init__(self, starttls='454 not now', after=None):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.starttls, self.after, self.heard = starttls, after, []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            with s, s.makefile('rb') as f:
                try:
                    self.talk(s, f)
                except OSError:
                    pass

    def talk(self, s, f):
        s.sendall(b'220 server.example\r\n')
        data = False
        for line in f:
            word = line.strip().upper().decode('latin-1')
            if data and word != '.':
                continue
            self.heard.append(word.split(' ')[0])
            data = word == 'DATA'
            if word == 'STARTTLS':
                s.sendall(self.starttls.encode() + b'\r\n')
                if self.starttls[0] == '2':
                    s.sendall(b'no TLS at all\r\n' * 20)
                    return
            else:
                s.sendall(b'250-server.example\r\n250 STARTTLS\r\n' if word[:4] == 'EHLO' else b'354 go\r\n' if data else b'250 OK\r\n')
            if word == 'QUIT':
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def test_tls_remember_esmtp(site):
    for main, answer in (('', '503 EHLO or HELO required'), ('tls_remember_esmtp\n', '250 OK')):
        site.configure('acl_smtp_mail = mail\n' + main, more='begin acl\nmail:\n  accept encrypted = *\n')
        with Daemon(site) as d, Peer(d.port) as p:
            p.say('EHLO client.example')
            p.starttls(context())
            said = p.say('MAIL FROM:<a@client.example> BODY=8BITMIME SIZE=1')
            assert (said == ['250 OK']) == bool(main), (main, said)


def test_tls_tempfail_tryclear(site):
    for starttls, options, goes in (('454 not now', '', True), ('454 not now', '  tls_tempfail_tryclear = false', False),
                                    ('220 go', '', True), ('220 go', '  tls_tempfail_tryclear = false', False),
                                    ('220 go', '  hosts_require_tls = *', False), ('454 not now', '  hosts_require_tls = *', False),
                                    ('554 never', '  tls_tempfail_tryclear = false', True)):
        with Plain(starttls) as server:
            line = give(site, server.port, options)
        assert (' => ' in line) == goes, (starttls, options, line)
        assert ('DATA' in server.heard) == goes, server.heard


def test_hosts_avoid_tls(site):
    ca = prepare(site)
    with Daemon(site) as d:
        for options, secure in (('', True), ('  hosts_avoid_tls = 127.0.0.1', False), ('  hosts_avoid_tls = 192.0.2.1', True)):
            assert (' X=TLS' in give(site, d.port, options)) == secure, options


def test_hosts_verify_avoid_tls(site):
    ca = prepare(site)
    for options, secure in (('', True), ('  hosts_verify_avoid_tls = *', False)):
        with Plain() as server:
            site.configure('acl_smtp_mail = mail', routers=CLIENT, transports=OUT.replace('  hosts_require_tls = *\n', '') % (server.port, options),
                           more='begin acl\nmail:\n  require verify = sender/callout=5s\n  accept\n')
            with Daemon(site) as d, Peer(d.port) as p:
                p.say('EHLO client.example')
                assert p.say('MAIL FROM:<%s@far.example>' % ('a' if secure else 'b')) == ['250 OK'], site.log()
        assert ('STARTTLS' in server.heard) == secure, server.heard


def test_tls_crl(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    none, all_of_them = certs.revocations(site, ca, []), certs.revocations(site, ca, [pem])
    verify = '  hosts_require_tls = *\n  tls_verify_hosts = *\n  tls_verify_cert_hostnames = :\n  tls_verify_certificates = %s\n' % ca[0]
    site.configure('tls_certificate = %s\ntls_privatekey = %s' % (pem, key))
    with Daemon(site) as d:
        for crl, ok in (('', True), (none, True), (all_of_them, False)):
            line = give(site, d.port, verify + ('  tls_crl = %s\n' % crl if crl else ''))
            assert (' => ' in line) == ok and ok == ('certificate revoked' not in line), (crl, line)
    client = certs.certificate(site, ca, 'client.example')
    for crl, ok in ((none, True), (certs.revocations(site, ca, [client[0]]), False)):
        site.configure('tls_certificate = %s\ntls_privatekey = %s\ntls_verify_certificates = %s\ntls_crl = %s\n'
                       'tls_try_verify_hosts = *\n' % (pem, key, ca[0], crl))
        with Daemon(site) as d, Peer(d.port) as p:
            p.say('EHLO client.example')
            p.starttls(context(ca[0], client=client))
            p.send()
            assert (' CV=yes ' if ok else ' CV=no ') in arrivals(site)[-1], (crl, arrivals(site))


def test_alpn_of_a_client(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    for server, client, options, ok in (
            ('', 'smtp', '', True), ('', 'h2', '', False), ('tls_alpn = h2 : smtp', 'h2', '', True), ('tls_alpn =', 'h2', '', True),
            ('', 'smtp', '  hosts_require_alpn = *', True), ('tls_alpn =', 'smtp', '  hosts_require_alpn = *', False),
            ('', '', '  hosts_require_alpn = *', False)):
        site.configure('tls_certificate = %s\ntls_privatekey = %s\n%s' % (pem, key, server))
        with Daemon(site) as d:
            line = give(site, d.port, '  hosts_require_tls = *\n%s%s' % ('  tls_alpn = %s\n' % client if client else '', options))
            assert (' => ' in line) == ok, (server, client, options, line)


def test_hosts_require_alpn_of_a_server(site):
    ca = prepare(site, 'hosts_require_alpn = *')
    with Daemon(site) as d:
        for names, ok in ((['smtp'], True), ([], False)):
            c = context(ca[0])
            if names:
                c.set_alpn_protocols(names)
            with Peer(d.port) as p:
                p.say('EHLO client.example')

                def whole():
                    p.starttls(c)
                    p.send()

                assert refused(whole) == (not ok), names


def test_tls_dhparam(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org', rsa=True)
    certs.openssl('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:modp_3072', '-out', site.path('dh.pem'))
    os.chmod(site.path('dh.pem'), 0o644)
    for value, bits in (('', '2048'), ('ffdhe3072', '3072'), ('ike18', '8192'), ('default', '2048'), (site.path('dh.pem'), '3072'),
                        ('none', None), ('ike99', None)):
        site.configure('tls_certificate = %s\ntls_privatekey = %s\n%s' % (pem, key, 'tls_dhparam = %s\n' % value if value else ''))
        with Daemon(site) as d:
            text = subprocess.run(['openssl', 's_client', '-starttls', 'smtp', '-connect', '127.0.0.1:%d' % d.port, '-tls1_2', '-cipher',
                                   'DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0'], input='QUIT\r\n', capture_output=True, text=True, timeout=60).stdout
        key_line = [l for l in text.splitlines() if l.startswith('Server Temp Key: DH')]
        assert key_line == (['Server Temp Key: DH, %s bits' % bits] if bits else []), (value, key_line, site.log())
    assert any('tls_dhparam: no group has the name "ike99"' in l for l in site.log()), site.log()


def test_tls_dh_min_bits(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org', rsa=True)
    site.configure('tls_certificate = %s\ntls_privatekey = %s\ntls_require_ciphers = NORMAL:-KX-ALL:+DHE-RSA:-VERS-ALL:+VERS-TLS1.2:'
                   '-GROUP-DH-ALL\ntls_dhparam = default' % (pem, key))
    with Daemon(site) as d:
        for bits, ok in ((2048, True), (3072, False)):
            line = give(site, d.port, '  hosts_require_tls = *\n  tls_require_ciphers = NORMAL:-GROUP-DH-ALL\n  tls_dh_min_bits = %d\n' % bits)
            assert (' => ' in line) == ok, (bits, line)


def test_tls_require_ciphers_of_a_server(site):
    ca = prepare(site, 'tls_require_ciphers = ${if eq{$sender_host_address}{127.0.0.1}{NORMAL:-VERS-ALL:+VERS-TLS1.2}{NORMAL}}')
    with Daemon(site) as d:
        for version, ok in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, False)):
            with Peer(d.port) as p:
                p.say('EHLO client.example')
                assert refused(lambda: p.starttls(context(ca[0], version))) == (not ok), version
    site.configure('tls_require_ciphers = NONSENSE')
    with Daemon(site) as d, Peer(d.port) as p:
        p.say('EHLO client.example')
        assert p.say('STARTTLS')[0][:3] == '454'
        assert any('gnutls_priority_init(NONSENSE) failed' in l for l in site.log()), site.log()


def test_gnutls_compat_mode(site):
    ca = prepare(site, 'gnutls_compat_mode\ngnutls_allow_auto_pkcs11\n')
    with Daemon(site) as d:
        line = give(site, d.port, '  hosts_require_tls = *\n  gnutls_compat_mode\n')
        assert ' => ' in line and ' X=TLS' in line, line
