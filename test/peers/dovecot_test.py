"""Dovecot as the one who knows the passwords, and as the one who keeps the mail."""
import contextlib
import imaplib
import os
import poplib
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from exchange_test import BODIES, message
from mailers import Dovecot, Remex

ADDRESS, OWN_ADDRESS, DOMAIN = '127.0.1.15', '127.0.2.15', 'dovecot.mail.example'
LOCK = threading.Lock()
MECHANISMS = ('PLAIN', 'LOGIN', 'CRAM-MD5')


@contextlib.contextmanager
def pair(site, **more):
    """(remex, Dovecot), running. more: of the configuration, with {top} for the folder of Dovecot."""
    with LOCK, Dovecot(site, ADDRESS, DOMAIN) as dovecot:
        more = {k: v.replace('DOVECOT', dovecot.dir) for k, v in more.items()}
        with Remex(site, OWN_ADDRESS, DOMAIN, **more) as remex:
            try:
                yield remex, dovecot
            except Exception as e:
                raise AssertionError('%s\n--- log of Dovecot\n%s' % (e, dovecot.log_text())) from e


# --- passwords ---

AUTH = 'auth_advertise_hosts = *\nacl_smtp_mail = mail\n'
ACL = '''begin acl
mail:
  require authenticated = *
  accept
'''
AUTHENTICATORS = ACL + 'begin authenticators\n' + ''.join('''
dovecot_%s:
  driver = dovecot
  public_name = %s
  server_socket = DOVECOT/run/auth-client
  server_set_id = $auth1
''' % (name.lower().replace('-', '_'), name) for name in MECHANISMS)


def swaks(remex, mechanism, user, password):
    p = subprocess.run(['swaks', '--server', remex.address, '--ehlo', 'client.mail.example', '--from', 's@client.mail.example',
                        '--to', 'box@' + DOMAIN, '--auth', mechanism, '--auth-user', user, '--auth-password', password],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return p.returncode, p.stdout


def test_passwords_are_checked_by_dovecot(site):
    with pair(site, more=AUTH, sections=AUTHENTICATORS) as (remex, _):
        for mechanism in MECHANISMS:
            for user, password in Dovecot.USERS.items():
                status, talk = swaks(remex, mechanism, user, password)
                assert status == 0 and ' 235 Authentication succeeded' in talk, talk
                remex.lines(1, ' P=esmtpa A=dovecot_%s:%s ' % (mechanism.lower().replace('-', '_'), user))
            for user, password in (('joe', 'wrong'), ('nobody', 'other'), ('ann', 'se cret\u00e4'))[:3 if mechanism == 'PLAIN' else 1]:
                status, talk = swaks(remex, mechanism, user, password)
                assert status != 0 and '535 Incorrect authentication data' in talk, (user, password, talk)
        assert len(remex.mail()) == 2 * len(MECHANISMS), remex.mail()


def test_without_dovecot_nobody_is_let_in_nor_sent_away(site):
    with pair(site, more=AUTH, sections=AUTHENTICATORS) as (remex, dovecot):
        dovecot.stop()
        status, talk = swaks(remex, 'PLAIN', 'joe', Dovecot.USERS['joe'])
        assert status != 0 and '435 Unable to authenticate at present' in talk, talk
        dovecot.start()     # no word of it is needed
        status, talk = swaks(remex, 'PLAIN', 'joe', Dovecot.USERS['joe'])
        assert status == 0, talk


# --- mail ---

SOCKET = '''
box:
  driver = lmtp
  socket = DOVECOT/run/lmtp
  batch_max = 10
  user = {uid}
  group = {gid}
'''
TCP = '''
box:
  driver = smtp
  protocol = lmtp
  port = 24
  hosts = %s
  allow_localhost
  hosts_override
''' % ADDRESS


def imap_texts(user):
    with imaplib.IMAP4(ADDRESS, 143) as c:
        c.authenticate('PLAIN', lambda _: ('\0%s\0%s' % (user, Dovecot.USERS[user])).encode())
        count = int(c.select('INBOX', readonly=True)[1][0])
        return [c.fetch(str(i), '(BODY.PEEK[])')[1][0][1] for i in range(1, count + 1)]


def pop3_texts(user):
    c = poplib.POP3(ADDRESS, 110)
    c.user(user)
    c.pass_(Dovecot.USERS[user])
    texts = [b''.join(line + b'\r\n' for line in c.retr(i)[1]) for i in range(1, c.stat()[0] + 1)]
    c.quit()
    return texts


def lmtp(site, transport):
    """Texts of all kinds for one user are fetched as they were; of three recipients two get theirs."""
    with pair(site, box=transport) as (remex, dovecot):
        for name, body, options in BODIES:
            remex.take('s@client.mail.example', 'joe@' + DOMAIN, message(name, body), options)
        with remex.client() as c:
            failed = c.sendmail('s@' + DOMAIN, ['joe@' + DOMAIN, 'zed@' + DOMAIN, 'ann@' + DOMAIN], message('three', b'x\r\n'))
            assert not failed, failed
        remex.lines(len(BODIES) + 1, ' Completed')
        remex.lines(1, ' ** zed@%s ' % DOMAIN, 'R=here T=box', ": 550 5.1.1 <zed@%s> User doesn't exist" % DOMAIN)
        for fetch in (imap_texts, pop3_texts):
            got = fetch('joe')
            assert len(got) == len(BODIES) + 1 and len(fetch('ann')) == 1, (len(got), remex.log_text())
            for name, body, _ in BODIES:
                text = [t for t in got if b'\r\nSubject: %s\r\n' % name.encode() in t][0]
                assert text.split(b'\r\n\r\n', 1)[1] == body, (fetch, name, text[-3000:])
                assert text.startswith(b'Return-Path: <s@client.mail.example>\r\nDelivered-To: joe@%s\r\n' % DOMAIN.encode()), text[:500]


def test_lmtp_over_a_socket(site):
    lmtp(site, SOCKET)


def test_lmtp_over_tcp(site):
    lmtp(site, TCP)
