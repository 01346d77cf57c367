"""Authentication, both roles: swaks for each mechanism that it knows, exim4, and the program against itself."""
import base64
import hashlib
import hmac
import os
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'daemon'))
import certs  # noqa: E402
from daemon import Daemon, free_port  # noqa: E402
from remote_test import OUT, ROUTER, Server, give, lines_of, remote  # noqa: E402

SERVERS = '''
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{joe}}{eq{$auth3}{se^cret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{joe}}{eq{$auth2}{se^cret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{joe}{se^cret}fail}
  server_set_id = $auth1
scram1:
  driver = gsasl
  public_name = SCRAM-SHA-1
  server_password = ${if eq{$auth1}{joe}{se^cret}fail}
  server_condition = true
  server_set_id = $auth1
scram256:
  driver = gsasl
  public_name = SCRAM-SHA-256
  server_password = ${if eq{$auth1}{joe}{se^cret}fail}
  server_condition = true
  server_set_id = $auth1
ntlm:
  driver = spa
  public_name = NTLM
  server_password = ${if eq{$auth1}{joe}{se^cret}fail}
  server_set_id = $auth1
plus:
  driver = gsasl
  public_name = SCRAM-SHA-256-PLUS
  server_channelbinding = true
  server_advertise_condition = ${if def:tls_in_cipher}
  server_password = se^cret
  server_condition = true
  server_set_id = $auth1
'''

RELAY = '''acl_smtp_rcpt = relay
begin acl
relay:
  accept authenticated = *
  deny message = authenticate
'''


def arrivals(site):
    return [l for l in site.log() if ' <= ' in l]


def swaks(port, *options):
    p = subprocess.run(['swaks', '--server', '127.0.0.1', '--port', str(port), '--from', 'a@client.example', '--to',
                        'joe@example.org', '--helo', 'client.example', '--hide-all'] + list(options),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return p.returncode


def test_swaks_by_each_mechanism(site):
    site.configure('', more=SERVERS)
    support = subprocess.run(['swaks', '--support'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    with Daemon(site) as d:
        for mechanism, name in (('PLAIN', 'plain'), ('LOGIN', 'login'), ('CRAM-MD5', 'cram')):
            for tls in ((), ('-tls',)) if b'TLS supported' in support else ((),):
                assert swaks(d.port, '-a', mechanism, '-au', 'joe', '-ap', 'se^cret', *tls) == 0
                kind = 'esmtpsa' if tls else 'esmtpa'
                assert ' P=%s ' % kind in arrivals(site)[-1] and ' A=%s:joe ' % name in arrivals(site)[-1], site.log()
            assert swaks(d.port, '-a', mechanism, '-au', 'joe', '-ap', 'wrong') != 0
            failed = [l for l in site.log() if '%s authenticator failed for' % name in l]
            assert failed and failed[-1].endswith(': 535 Incorrect authentication data (set_id=joe)'), site.log()


def client_of(name, mechanism, password='se^^cret'):
    kinds = {'PLAIN': 'driver = plaintext\n client_send = ^joe^%s' % password,
             'LOGIN': 'driver = plaintext\n client_send = : joe : %s' % password,
             'CRAM-MD5': 'driver = cram_md5\n client_name = joe\n client_secret = se^cret',
             'NTLM': 'driver = spa\n client_username = joe\n client_password = se^cret\n client_domain = FAR'}
    own = kinds.get(mechanism, 'driver = gsasl\n client_username = joe\n client_password = se^cret' +
                    ('\n client_channelbinding = true' if mechanism.endswith('PLUS') else ''))
    return 'begin authenticators\n%s:\n %s\n public_name = %s\n client_set_id = joe\n' % (name, own, mechanism)


def test_itself_by_each_mechanism(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    options = '  hosts_require_auth = *\n  tls_verify_certificates = %s\n%s'
    for mechanism, server in (('PLAIN', 'plain'), ('LOGIN', 'login'), ('CRAM-MD5', 'cram'), ('NTLM', 'ntlm'),
                              ('SCRAM-SHA-1', 'scram1'), ('SCRAM-SHA-256', 'scram256'), ('SCRAM-SHA-256-PLUS', 'plus')):
        for version in ('1.2', '1.3'):
            if version == '1.2' and mechanism[:5] != 'SCRAM':
                continue
            site.configure('tls_certificate = %s\ntls_privatekey = %s\n' % (pem, key), more=SERVERS)
            with Daemon(site) as d:
                more = '  tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS%s\n' % version
                remote(site, d.port, options % (ca[0], more), more=client_of('own', mechanism))
                give(site, 'joe@far.example')
                sent = lines_of(site, ' => joe@far.example')
                assert sent and ' A=own:joe ' in sent[-1] and 'X=TLS' + version in sent[-1], site.log()
                assert ' A=%s:joe' % server in arrivals(site)[-1], site.log()


def test_wrong_passwords_are_refused(site):
    for mechanism in ('CRAM-MD5', 'NTLM', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'PLAIN'):
        site.configure('', more=SERVERS)
        with Daemon(site) as d:
            own = client_of('own', mechanism).replace('se^cret', 'wrong').replace('se^^cret', 'wrong')
            remote(site, d.port, '  hosts_require_auth = *\n  hosts_avoid_tls = *\n', more=own, retry='* * F,1d,1s')
            give(site, 'joe@far.example')
            assert lines_of(site, 'defer (-42)'), site.log()
            assert not lines_of(site, ' => '), site.log()


EXIM = '''
keep_environment =
exim_path = {program}
primary_hostname = peer.example.org
spool_directory = {top}/peer
log_file_path = {top}/log/peer%slog
exim_user = {uid}
exim_group = {gid}
never_users =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
acl_smtp_rcpt = accept
tls_certificate = {pem}
tls_privatekey = {key}
log_selector = +tls_peerdn
hosts_treat_as_local = :
begin routers
far:
  driver = manualroute
  domains = far.example
  route_data = 127.0.0.1
  self = send
  transport = out
all:
  driver = accept
  transport = box
begin transports
out:
  driver = smtp
  port = {far}
  hosts_require_tls = *
  hosts_require_auth = *
  tls_verify_certificates = {ca}
  tls_verify_hosts = *
  tls_verify_cert_hostnames = :
  tls_sni = mx.example.org
box:
  driver = appendfile
  file = {top}/mail/peer
  user = {uid}
  group = {gid}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{se^cret}}}}
  server_set_id = $auth2
  client_condition = ${{if eq{{$local_part}}{{plain}}}}
  client_send = ^joe^se^^cret
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = se^cret
  server_set_id = $auth1
  client_name = joe
  client_secret = se^cret
  client_condition = ${{if eq{{$local_part}}{{cram}}}}
'''

EXIM_SPA = '''
spa:
  driver = spa
  public_name = NTLM
  server_password = se^cret
  server_set_id = $auth1
  client_username = joe
  client_password = se^cret
'''


class Client:
    """An SMTP client with TLS that shows a certificate if it has one."""
    def __init__(self, port, pair=None, version=None):
        self.socket = socket.create_connection(('127.0.0.1', port), 20)
        self.file = self.socket.makefile('rb')
        self.reply()
        self.say('EHLO client.example')
        assert self.say('STARTTLS')[0][:3] == '220'
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
        if pair:
            c.load_cert_chain(*pair)
        if version:
            c.minimum_version = c.maximum_version = version
        self.socket = c.wrap_socket(self.socket)
        self.file = self.socket.makefile('rb')
        self.offers = self.say('EHLO client.example')

    def reply(self):
        lines = [self.file.readline().decode().rstrip()]
        while lines[-1][3:4] == '-':
            lines.append(self.file.readline().decode().rstrip())
        return lines

    def say(self, text):
        self.socket.sendall(text.encode() + b'\r\n')
        return self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def encoded(data):
    return base64.b64encode(data).decode()


def scram(client, mechanism, password, hash_name, binding=b'', flag='n'):
    """RFC 5802 as a client; the last answer and whether the server proved that it knows the password."""
    bare = 'n=joe,r=%s' % encoded(os.urandom(12)).replace(',', '')
    answer = client.say('AUTH %s %s' % (mechanism, encoded((flag + ',,' + bare).encode())))
    if answer[0][:3] != '334':
        return answer, False
    first = base64.b64decode(answer[0][4:]).decode()
    nonce, salt, rounds = (word[2:] for word in first.split(','))
    salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), base64.b64decode(salt), int(rounds))
    last = 'c=%s,r=%s' % (encoded((flag + ',,').encode() + binding), nonce)
    whole = ','.join((bare, first, last)).encode()

    def mac(key, text):
        return hmac.new(key, text, hash_name).digest()

    key = mac(salted, b'Client Key')
    proof = bytes(x ^ y for x, y in zip(key, mac(hashlib.new(hash_name, key).digest(), whole)))
    answer = client.say(encoded(('%s,p=%s' % (last, encoded(proof))).encode()))
    if answer[0][:3] != '334':
        return answer, False
    proven = base64.b64decode(answer[0][4:]) == b'v=' + encoded(mac(mac(salted, b'Server Key'), whole)).encode()
    return client.say(''), proven


def test_scram_of_another_client(site):
    ca = certs.authority(site)
    site.configure('tls_certificate = %s\ntls_privatekey = %s\n' % certs.certificate(site, ca, 'mx.example.org'), more=SERVERS)
    with Daemon(site) as d:
        for mechanism, hash_name in (('SCRAM-SHA-1', 'sha1'), ('SCRAM-SHA-256', 'sha256')):
            for password, ok in (('se^cret', True), ('wrong', False)):
                with Client(d.port) as c:
                    assert any(mechanism in l.split() for l in c.offers), c.offers
                    answer, proven = scram(c, mechanism, password, hash_name)
                    assert (answer[0][:3] == '235') == ok and proven == ok, (mechanism, password, answer)
        for spoil, ok in ((b'', True), (b'x', False)):
            with Client(d.port, version=ssl.TLSVersion.TLSv1_2) as c:
                unique = c.socket.get_channel_binding('tls-unique') + spoil
                answer, proven = scram(c, 'SCRAM-SHA-256-PLUS', 'se^cret', 'sha256', unique, 'p=tls-unique')
                assert (answer[0][:3] == '235') == ok and proven == ok, answer


def test_passwords_outside_ascii(site):
    """SASLprep makes \u00aa an a: the proof of a client that knows that is good, and of one that does not."""
    ca = certs.authority(site)
    stored = 'caf\u00e9 \u00aa'
    site.configure('tls_certificate = %s\ntls_privatekey = %s\n' % certs.certificate(site, ca, 'mx.example.org'),
                   more=SERVERS.replace('se^cret', stored))
    with Daemon(site) as d:
        for password, ok in ((stored, True), ('caf\u00e9 a', True), ('cafe\u0301 a', False), ('cafe a', False)):
            with Client(d.port) as c:
                answer, proven = scram(c, 'SCRAM-SHA-256', password, 'sha256')
                assert (answer[0][:3] == '235') == ok and proven == ok, (password, answer)
        for mechanism in ('SCRAM-SHA-1', 'SCRAM-SHA-256', 'NTLM', 'CRAM-MD5'):
            typed = stored if mechanism in ('NTLM', 'CRAM-MD5') else 'cafe\u0301 a'     # those prepare nothing
            remote(site, d.port, '  hosts_require_auth = *\n  hosts_avoid_tls = *\n',
                   more=client_of('own', mechanism).replace('se^cret', typed))
            give(site, 'joe@far.example')
        assert len(lines_of(site, ' => joe@far.example')) == 4, site.log()
        assert swaks(d.port, '-a', 'CRAM-MD5', '-au', 'joe', '-ap', stored) == 0


EXTERNAL = '''
begin authenticators
ext:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = $tls_in_certificate_verified
  server_param2 = ${certextract{subject,CN}{$tls_in_peercert}}
  server_condition = ${if eq{$auth1}{$auth2}}
  server_set_id = $auth1
'''


def test_external_by_certificate(site):
    ca, stranger = certs.authority(site), certs.authority(site, 'stranger')
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    joe, other = certs.certificate(site, ca, 'joe'), certs.certificate(site, stranger, 'joe')
    main = ('tls_certificate = %s\ntls_privatekey = %s\ntls_verify_certificates = %s\ntls_try_verify_hosts = *\n' % (pem, key, ca[0]))
    site.configure(main, more=EXTERNAL)
    with Daemon(site) as d:
        for pair, offered in ((joe, True), (other, False), (None, False)):
            with Client(d.port, pair) as c:
                assert any('EXTERNAL' in l for l in c.offers) == offered, (pair, c.offers)
                if not offered:
                    assert c.say('AUTH EXTERNAL ' + encoded(b'joe'))[0][:3] == '503'
        with Client(d.port, joe) as c:      # the name at once, or when asked; somebody else's
            assert c.say('AUTH EXTERNAL ' + encoded(b'joe'))[0][:3] == '235'
        with Client(d.port, joe) as c:
            assert c.say('AUTH EXTERNAL')[0][:3] == '334' and c.say(encoded(b'joe'))[0][:3] == '235'
        with Client(d.port, joe) as c:
            assert c.say('AUTH EXTERNAL ' + encoded(b'root'))[0][:3] == '535'
        remote(site, d.port, '  hosts_require_auth = *\n  tls_certificate = %s\n  tls_privatekey = %s\n' % joe,
               more='begin authenticators\next:\n  driver = external\n  public_name = EXTERNAL\n  client_send = joe\n')
        give(site, 'joe@far.example')
        assert ' A=ext' in lines_of(site, ' => joe@far.example')[-1], site.log()
    assert ' A=ext:joe ' in arrivals(site)[-1], site.log()


class Exim:
    def __init__(self, site, far, ca, pair):
        self.program = os.path.join(os.environ.get('REMEX_PEERS', 'build/peers'), 'exim4')
        self.site, self.port = site, free_port()
        site.mkdir('peer')
        text = EXIM.format(program=os.path.realpath(self.program), top=site.top, uid=site.uid, gid=site.gid, port=self.port,
                           far=far, ca=ca[0], pem=pair[0], key=pair[1])
        built = subprocess.run([self.program, '-bV', '-C', '/dev/null'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        self.spa = b' spa' in built     # not in every package
        text += EXIM_SPA if self.spa else ''
        os.chown(site.write('peer.conf', text), 0, 0)
        self.process = subprocess.Popen([self.program, '-bdf', '-C', site.path('peer.conf')], stderr=subprocess.PIPE)
        site.wait_for(self.answers)

    def answers(self):
        assert self.process.poll() is None, self.process.stderr.read()
        try:
            socket.create_connection(('127.0.0.1', self.port)).close()
            return True
        except OSError:
            return False

    def send(self, *to):
        subprocess.run([self.program, '-C', self.site.path('peer.conf'), '-odf'] + list(to), input=b'Subject: x\n\nfrom exim\n',
                       check=True, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stderr.close()


def test_exim_both_ways(site):
    if not site.root or not os.path.exists(os.path.join(os.environ.get('REMEX_PEERS', 'build/peers'), 'exim4')):
        return
    ca = certs.authority(site)
    pair = certs.certificate(site, ca, 'mx.example.org')
    main = 'tls_certificate = %s\ntls_privatekey = %s\n' % pair
    site.configure(main, more=SERVERS)
    with Daemon(site) as d, Exim(site, d.port, ca, pair) as peer:
        peer.send('plain@far.example')
        peer.send('cram@far.example')
        if peer.spa:
            peer.send('spa@far.example')
        got, ours = arrivals(site), ['plain', 'cram'] + ['ntlm'] * peer.spa
        assert len(got) == len(ours) and all(' A=%s:joe ' % name in l for name, l in zip(ours, got)), (
            got, site.read('log/peermainlog'))
        assert all(' P=esmtpsa X=TLS1.3:' in l for l in got)
        for mechanism in ['PLAIN', 'CRAM-MD5'] + ['NTLM'] * peer.spa:
            remote(site, peer.port, '  hosts_require_auth = *\n  hosts_require_tls = *\n  tls_verify_hosts = *\n'
                   '  tls_verify_certificates = %s\n  tls_verify_cert_hostnames = :\n' % ca[0],
                   more=client_of('own', mechanism))
            give(site, 'joe@other.example')
        sent = lines_of(site, ' => joe@other.example')
        assert len(sent) == len(ours) and all(' CV=yes A=own:joe ' in l for l in sent), site.log()
        taken = [l for l in site.read('log/peermainlog').split('\n') if ' <= ' in l and 'esmtpsa' in l]
        cipher = sent[0].split(' X=')[1].split(' ')[0]
        assert len(taken) == len(ours) and ' X=%s ' % cipher in taken[0], (taken, sent)


def test_ntlm_of_curl(site):
    """Another client, which answers in version 2 since the server tells of itself."""
    if 'NTLM' not in subprocess.run(['curl', '-V'], stdout=subprocess.PIPE).stdout.decode():
        return
    site.configure('', more=SERVERS)
    mail = site.write('letter', 'Subject: x\r\n\r\nx\r\n')
    with Daemon(site) as d:
        for password, ok in (('se^cret', True), ('wrong', False)):
            p = subprocess.run(['curl', '-sS', '--url', 'smtp://127.0.0.1:%d/client.example' % d.port, '--mail-from',
                                'a@client.example', '--mail-rcpt', 'joe@example.org', '--upload-file', mail, '--login-options',
                                'AUTH=NTLM', '--user', 'joe:' + password], stderr=subprocess.PIPE, timeout=60)
            assert (p.returncode == 0) == ok, p.stderr
        assert ' A=ntlm:joe ' in arrivals(site)[-1] and len(arrivals(site)) == 1, site.log()
        assert lines_of(site, 'ntlm authenticator failed for')[-1].endswith('Incorrect authentication data (set_id=joe)')


def test_ntlm_server_that_is_none(site):
    """What is no challenge ends the attempt, not the connection."""
    for challenge in ('not base 64', encoded(b'NTLMSSP\0\1\0\0\0'), encoded(b'NTLMSSP\0\2\0\0\0' + 50 * b'\xff')):
        answers = {'AUTH NTLM': '334 go on', 'TlRM': '334 ' + challenge, '*': '501 cancelled'}
        with Server(['AUTH NTLM'], lambda c: next((a for k, a in answers.items() if c.startswith(k)), None)) as server:
            remote(site, server.port, '  hosts_require_auth = *\n', more=client_of('own', 'NTLM'), retry='* * F,1d,1s')
            give(site, 'joe@far.example')
            assert lines_of(site, 'own authenticator cancelled authentication H=127.0.0.1 [127.0.0.1] bad challenge'), site.log()
            assert lines_of(site, 'defer (-42)') and server.commands[-2:] == ['*', 'QUIT'], (site.log(), server.commands)
            assert not server.messages


def test_dovecot_protocol(site):
    """What Dovecot's auth server says, by a stand-in; the real one is in the tests with foreign servers."""
    path = site.path('auth-client')
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen(5)
    heard = []

    def serve():
        while True:
            try:
                c, _ = listener.accept()
            except OSError:
                return
            with c, c.makefile('rwb') as f:
                heard.append([f.readline(), f.readline()])
                f.write(b'VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\nSPID\t1\nCUID\t2\nCOOKIE\tx\nDONE\n')
                f.flush()
                request = f.readline().decode().rstrip('\n').split('\t')
                heard.append(request)
                if not any(w.startswith('resp=') for w in request):
                    f.write(b'CONT\t1\t\n')
                    f.flush()
                    data = base64.b64decode(f.readline().decode().split('\t')[2])
                else:
                    data = base64.b64decode([w for w in request if w.startswith('resp=')][0][5:])
                good = data == b'\0joe\0secret'
                f.write(b'OK\t1\tuser=joe\tx=y\n' if good else b'FAIL\t1\tuser=joe\treason=no\n')
                f.flush()

    threading.Thread(target=serve, daemon=True).start()
    site.configure('', more='begin authenticators\ndove:\n driver = dovecot\n public_name = PLAIN\n'
                   ' server_socket = %s\n server_set_id = $auth1\n' % path)
    good, bad = (base64.b64encode(b'\0joe\0' + p).decode() for p in (b'secret', b'wrong'))
    r = site.run('-bs', stdin='EHLO x\r\nAUTH PLAIN %s\r\nQUIT\r\n' % good)
    assert '235 Authentication succeeded' in r.out, r.out
    r = site.run('-bs', stdin='EHLO x\r\nAUTH PLAIN\r\n%s\r\nQUIT\r\n' % bad)
    assert '334 \n535 Incorrect' in r.out.replace('\r', ''), r.out
    assert ['AUTH', '1', 'PLAIN', 'service=smtp'] == heard[1][:4], heard
    listener.close()
    os.unlink(path)
    r = site.run('-bs', stdin='EHLO x\r\nAUTH PLAIN %s\r\nQUIT\r\n' % good)
    assert '435 Unable to authenticate at present' in r.out, r.out


def test_answers_in_the_exchange(site):
    site.configure('', more=SERVERS)
    long = 'A' * 20000
    for lines, answer in ((('AUTH CRAM-MD5 abcd',), '553 Initial data not expected'),
                          (('AUTH PLAIN ????',), '501 Invalid base64 data'),
                          (('AUTH PLAIN', '*'), '501 Authentication cancelled'),
                          (('AUTH PLAIN', long), '501 Invalid base64 data'),
                          (('AUTH SCRAM-SHA-1 bm9uc2Vuc2U=',), '535 Incorrect authentication data'),
                          (('AUTH SCRAM-SHA-1 ' + base64.b64encode(b'n,,n=joe,r=abc').decode(),
                            base64.b64encode(b'c=biws,r=other,p=AAAA').decode()), '535 Incorrect authentication data')):
        r = site.run('-bs', stdin='EHLO x\r\n' + ''.join(l + '\r\n' for l in lines) + 'NOOP\r\nQUIT\r\n')
        assert answer in r.out and '250 OK' in r.out, (lines[0], r.out)


def test_client_that_gets_odd_answers(site):
    for offer, answers, expected in (
            ('AUTH PLAIN', {'AUTH': '454 later'}, 'defer'),
            ('AUTH PLAIN', {'AUTH': Server.CUT}, 'defer (-18)'),
            ('AUTH PLAIN', {'AUTH': '334 more'}, 'defer'),
            ('AUTH SCRAM-SHA-256', {'AUTH': '334 ' + base64.b64encode(b'r=short,s=AAAA,i=1').decode()}, 'defer (-42)'),
            ('AUTH SCRAM-SHA-256', {'AUTH': '235 fine'}, 'defer (-42)')):
        def answer(command, answers=answers):
            return answers.get(command.split(' ')[0])
        with Server([offer], answer) as server:
            mechanism = offer.split(' ')[1]
            remote(site, server, '  hosts_require_auth = *\n', more=client_of('own', mechanism))
            give(site, 'joe@far.example')
            assert lines_of(site, expected) and not server.messages, (offer, answers, site.log())
        os.unlink(site.path('log/mainlog'))
        for name in os.listdir(site.path('spool/db')) if os.path.isdir(site.path('spool/db')) else ():
            os.unlink(site.path('spool/db/' + name))


def test_tls_on_the_standard_input(site):
    """STARTTLS over two pipes: -bs and -bh."""
    import ssl
    site.configure('', more=SERVERS)
    for mode in (['-bs'], ['-bh', '192.0.2.1']):
        p = subprocess.Popen([site.binary, '-C', site.conf] + mode, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, bufsize=0, cwd=site.top)
        try:
            def until(word):
                text = b''
                while word not in text:
                    more = os.read(p.stdout.fileno(), 4096)
                    assert more, text
                    text += more
                return text
            until(b'220 mx.example.org')
            p.stdin.write(b'EHLO x\r\n')
            assert b'250-STARTTLS' in until(b'250 HELP')
            p.stdin.write(b'STARTTLS\r\n')
            until(b'220 TLS go ahead\r\n')
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(into, out)

            def drive(what):
                while True:
                    try:
                        return what()
                    except ssl.SSLWantReadError:
                        p.stdin.write(out.read())
                        into.write(os.read(p.stdout.fileno(), 16384))
                    finally:
                        p.stdin.write(out.read())

            drive(tls.do_handshake)
            drive(lambda: tls.write(b'EHLO x\r\nQUIT\r\n'))
            text = b''
            while b'221 ' not in text:
                text += drive(lambda: tls.read(4096))
            assert b'250-STARTTLS' not in text and b'SCRAM-SHA-256-PLUS' in text, text
        finally:
            p.stdin.close()
            p.wait(20)
            p.stdout.close()


LOGIN = 'begin authenticators\nown:\n  driver = plaintext\n  public_name = %s\n  client_send = %s\n%s'


def test_client_condition(site):
    """The manual's example, by which nothing goes in the clear, comes to an empty text there."""
    cases = (('${if !eq{$tls_out_cipher}{}}', False), ('${if eq{$tls_out_cipher}{}}', True), ('no', False), ('0', False), ('false', False),
             ('${if eq{1}{2}{x}fail}', False), ('${if def:h_nothing: {yes}{}}', False), ('yes', True), ('${unknown}', False))
    for condition, wanted in cases:
        with Server(['AUTH PLAIN']) as server:
            remote(site, server.port, '  hosts_try_auth = *\n', more=LOGIN % ('PLAIN', '^joe^secret', '  client_condition = %s\n' % condition))
            give(site, 'joe@far.example')
            assert any(c.startswith('AUTH') for c in server.commands) == wanted and server.messages, (condition, server.commands)
    broken = 'failed to expand condition "${unknown}" for own client authenticator: '
    assert len(lines_of(site, broken)) == 1 and broken in site.read('log/paniclog'), site.log()


def test_what_is_said_of_a_client_that_fails(site):
    """No secret gets into the log; what cannot be expanded is our fault, not the server's."""
    def says(answer, at):
        """To the line of that number, from AUTH on."""
        def answers(command):
            begun = [c for c in server.commands if c.startswith('AUTH') or ' ' not in c]
            if command in ('GREETING', 'END', 'QUIT') or not any(c.startswith('AUTH') for c in server.commands):
                return None
            return answer if len(begun) == at + 1 else '334 VXNlcg=='
        return answers

    required = '  hosts_require_auth = *\n'
    plain, login = LOGIN % ('PLAIN', '^joe^secret', ''), LOGIN % ('LOGIN', ': joe : secret', '')
    cases = ((plain, '435 later', 0, 'defer (0) H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after AUTH PLAIN ' + 16 * '*' +
              ': 435 later'),
             (login, '435 later', 0, 'after AUTH LOGIN: 435 later'), (login, '435 later', 1, 'after ****: 435 later'),
             (login, Server.CUT, 2, 'defer (-18) H=127.0.0.1 [127.0.0.1]: Remote host closed connection in response to ********'),
             (LOGIN % ('PLAIN', '${unknown}', ''), None, 0, 'defer (-48): expansion of "${unknown}" failed in own authenticator: '),
             (LOGIN % ('X-OTHER', 'x', ''), None, 0, 'authentication required but no common mechanisms were found'),
             (plain + '  client_condition = no\n', None, 0, 'authentication required but no common mechanisms were found'),
             (plain, '535 no', 0, 'authentication required but authentication attempt(s) failed'))
    for more, answer, at, text in cases:
        with Server(['AUTH PLAIN LOGIN'], says(answer, at)) as server:
            remote(site, server.port, required, more=more, retry='* * F,1d,1s')
            give(site, 'joe@far.example')
            assert text in lines_of(site, ' == joe@far.example')[-1], (text, site.log(), server.commands)
        for name in os.listdir(site.path('spool/db')):
            os.unlink(site.path('spool/db/' + name))
    assert not any('c2VjcmV0' in line or 'am9l' in line for line in site.log()), site.log()


def test_list_that_cannot_be_expanded(site):
    with Server(['AUTH PLAIN']) as server:
        remote(site, server.port, '  hosts_try_auth = ${unknown}\n')
        give(site, 'joe@far.example')
        assert server.messages
    text = 'failed to expand "${unknown}" while checking a list: unknown variable'
    assert lines_of(site, text) and text in site.read('log/paniclog'), site.log()
