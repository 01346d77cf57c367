"""Stapled answers about certificates (OCSP), in both roles, with answers that openssl's responder made."""
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'mainjob'))
import certs  # noqa: E402
from daemon import Daemon, free_port  # noqa: E402
from tls_test import CLIENT  # noqa: E402

OUT = '''
out:
  driver = smtp
  port = %d
  protocol = smtps
  hosts_require_tls = *
  event_action = ${if eq{$event_name}{msg:delivery}{${if !eq{}{${run{/bin/sh -c "echo $tls_out_ocsp >{top}/mail/out"}}}{}}}}
  tls_verify_certificates = %s
  tls_verify_cert_hostnames = :
%s
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''


def openssl_client(port, ca, *options, say='QUIT\r\n'):
    p = subprocess.run(['openssl', 's_client', '-starttls', 'smtp', '-connect', '127.0.0.1:%d' % port, '-ign_eof',
                        '-CAfile', ca[0]] + list(options), input=say, capture_output=True, text=True, timeout=30)
    assert 'Cipher is (NONE)' not in p.stdout, p.stdout + p.stderr
    return p.stdout


def shown(port, ca, *options):
    """The answer that was stapled, as openssl prints it."""
    text = openssl_client(port, ca, '-status', *options)
    if 'OCSP response: no response sent' in text:
        return ''
    return text[text.index('OCSP Response Data:'):text.index('Signature Algorithm')]


def stapled(port, ca, *options):
    """'' (no answer), or the status of the certificate in it."""
    return next((l.split(':')[1].strip() for l in shown(port, ca, *options).splitlines() if l.strip().startswith('Cert Status:')), '')


def serve(site, pem, key, ocsp, main='', **sections):
    site.configure('tls_certificate = %s\ntls_privatekey = %s\n%s%s'
                   % (pem, key, 'tls_ocsp_file = %s\n' % ocsp if ocsp else '', main), **sections)


def answers(site, ca, pem):
    """Files: a good answer, one that says revoked, a stale one, one about another certificate."""
    other = certs.certificate(site, ca, 'other.example.org')[0]
    made = {}
    for name, of, options in (('good', pem, {}), ('revoked', pem, {'status': 'R'}), ('stale', pem, {'stale': True}), ('other', other, {})):
        made[name] = site.path('answer-' + name)
        os.rename(certs.ocsp_answer(site, ca, of, **options), made[name])
    return made


def test_server_staples(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    for form, prefix in (('DER', ''), ('DER', 'DER '), ('PEM', 'PEM ')):
        serve(site, pem, key, prefix + certs.ocsp_answer(site, ca, pem, form=form))
        with Daemon(site) as d:
            for version in ('-tls1_2', '-tls1_3'):
                assert stapled(d.port, ca, version) == 'good', (form, version, site.log())
    serve(site, pem, key, '')
    with Daemon(site) as d:
        assert stapled(d.port, ca) == ''


def test_an_answer_for_each_certificate(site):
    ca = certs.authority(site)
    rsa, ec = certs.certificate(site, ca, 'rsa.example.org', rsa=True), certs.certificate(site, ca, 'ec.example.org')
    first, second = certs.ocsp_answer(site, ca, rsa[0]), certs.ocsp_answer(site, ca, ec[0], form='PEM')
    for ocsp, expected in (('%s : PEM %s' % (first, second), ('good', 'good')), (': PEM %s' % second, ('', 'good')),
                           (first, ('good', ''))):
        site.configure('tls_certificate = %s : %s\ntls_privatekey = %s : %s\ntls_ocsp_file = %s\n'
                       % (rsa[0], ec[0], rsa[1], ec[1], ocsp))
        with Daemon(site) as d:
            got = tuple(stapled(d.port, ca, '-sigalgs', a) for a in ('RSA-PSS+SHA256', 'ECDSA+SHA256'))
            assert got == expected, (ocsp, got, site.log())


def test_a_new_answer_is_taken(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    made = answers(site, ca, pem)
    serve(site, pem, key, site.path('answer'), 'smtp_processes = 1\n')
    shutil.copy(made['good'], site.path('answer'))
    with Daemon(site) as d:
        first = shown(d.port, ca)
        again = certs.ocsp_answer(site, ca, pem, days=3)
        os.rename(again, site.path('answer'))
        second = shown(d.port, ca)
        assert 'good' in second and second != first
        for bad in 'revoked', 'stale', 'other':
            os.rename(made[bad], site.path('answer'))
            now = shown(d.port, ca)
            assert now == second, ('the one before stays', bad, now, second)
        assert sum('TLS files have changed and cannot be used' in l for l in site.log()) == 3, site.log()


def test_answers_that_are_no_good(site):
    """From the start: there is no TLS, as in Exim, and the log says why."""
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    made = answers(site, ca, pem)
    site.write('junk', 'no answer')
    for ocsp, why in ((made['other'], "doesn't match the available certificates"), (made['stale'], 'has expired'),
                      (made['revoked'], 'has expired'), (site.path('junk'), 'ASN1 parser'),
                      (site.path('missing'), 'Error while reading file')):
        serve(site, pem, key, ocsp)
        with Daemon(site) as d, d.client() as c:
            c.ehlo()
            assert c.docmd('STARTTLS')[0] == 454, ocsp
            last = [l for l in site.log() if 'gnutls_certificate_set_ocsp_status_request_file2' in l][-1]
            assert why in last, (ocsp, last)


def test_what_the_client_asked_for(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    serve(site, pem, key, certs.ocsp_answer(site, ca, pem), 'acl_smtp_helo = helo\nsmtp_enforce_sync = false\n',
          more='begin acl\nhelo:\n  accept logwrite = tls <$tls_in_cipher> ocsp $tls_in_ocsp\n')
    with Daemon(site) as d:
        for options in (['-status'], []):
            openssl_client(d.port, ca, *options, say='EHLO client.example\r\nQUIT\r\n')
    got = [l.split()[-1] for l in site.log() if 'ocsp' in l and '<>' not in l]
    assert got == ['1', '0'], site.log()


class Stapler:
    """A server with TLS from the start that sends any answer: openssl has the TLS, we say what it says."""
    def __init__(self, pem, key, answer):
        self.port = free_port()
        argv = ['openssl', 's_server', '-quiet', '-accept', '127.0.0.1:%d' % self.port, '-cert', pem, '-key', key]
        self.process = subprocess.Popen(argv + (['-status_file', answer] if answer else []), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def put(self, text):
        self.process.stdin.write(text.encode() + b'\r\n')
        self.process.stdin.flush()

    def serve(self):
        self.put('220 server.example')      # waits in the pipe for a client
        data = False
        for line in self.process.stdout:
            word = line.strip().upper()
            if not data or word == b'.':
                data = word[:4] == b'DATA'
                self.put('354 go on' if data else '250 OK')

    def __enter__(self):
        wait_for_port(self.process.pid, self.port)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdin.close()
        self.process.stdout.close()


def wait_for_port(pid, port):
    """Until the process listens; a connection would be taken for the client's."""
    for _ in range(500):
        with open('/proc/%d/net/tcp' % pid) as f:
            if any(l.split()[1].endswith(':%04X' % port) and l.split()[3] == '0A' for l in f.readlines()[1:]):
                return
        time.sleep(0.02)
    raise AssertionError('openssl does not listen')


def test_client_checks(site):
    ca = certs.authority(site)
    pem, key = certs.certificate(site, ca, 'mx.example.org')
    made = dict(answers(site, ca, pem), none='')
    refused = 'certificate status check failed'
    required, verified = '  hosts_require_ocsp = *', '  tls_verify_hosts = *'
    # options, answer; $tls_out_ocsp and CV, or what is said of a delivery that is put off
    table = (
        ('', 'good', ('4', 'yes')), ('', 'none', ('1', 'yes')), ('', 'revoked', ('3', 'no')), ('', 'stale', ('3', 'no')),
        ('', 'other', ('3', 'no')),
        (required, 'good', ('4', 'yes')), (required, 'none', refused), (required, 'revoked', refused),
        (required, 'stale', refused), (required, 'other', refused),
        (required + '\n  tls_try_verify_hosts = :', 'good', ('4', 'yes')), (required + '\n  tls_try_verify_hosts = :', 'none', refused),
        ('  hosts_request_ocsp = :', 'good', ('0', 'yes')),
        (verified, 'revoked', 'certificate revoked'), (verified, 'stale', 'certificate invalid'),
        (verified, 'none', ('1', 'yes')), (verified + '\n' + required, 'none', refused),
    )
    for options, name, expected in table:
        with Stapler(pem, key, made[name]) as server:
            site.configure(routers=CLIENT, transports=OUT % (server.port, ca[0], options), retry='')
            n = len(site.log())
            site.send('a@far.example')
        line = next(l for l in site.log()[n:] if 'a@far.example' in l and (' => ' in l or ' == ' in l))
        if isinstance(expected, str):
            assert ' == ' in line and expected in line, (options, name, line)
        else:
            assert ' => ' in line and ' CV=%s ' % expected[1] in line, (options, name, line)
            with open(site.path('mail/out')) as f:
                assert f.read().strip() == expected[0], (options, name)
