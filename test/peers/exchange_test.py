"""Messages both ways between remex and Postfix, OpenSMTPD, Debian's exim4: each hands over to the other what a client gave it."""
import contextlib
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import certs
from mailers import Exim, OpenSMTPD, Postfix, Remex

TRICKY = b'.\r\n..\r\n.begins with a dot\r\n...\r\n' + b'x' * 998 + b'\r\n.' + b'y' * 997 + b'\r\n' \
    b'From the beginning\r\n>From\r\n\r\n \r\nends with blanks  \r\ntab\tand \x7f and \x01\r\n' \
    b'\xc3\xa4\xc3\xb6\xc3\xbc, and \xe4\xf6\xfc\xff of another set\r\n.\r\n\r\n\r\n'
LARGE = b''.join(b'%07d %s\r\n' % (i, b'.' * (i % 90)) for i in range(20000))
assert len(LARGE) > 1 << 20
BODIES = [('tricky', TRICKY, ()), ('large', LARGE, ()), ('empty', b'', ()), ('declared', TRICKY, ('BODY=8BITMIME',))]

PEERS = {  # class, its address and domain; address and domain of the remex that talks to it
    'postfix': (Postfix, '127.0.1.11', 'postfix.mail.example', '127.0.2.11', 'to-postfix.mail.example'),
    'opensmtpd': (OpenSMTPD, '127.0.1.12', 'opensmtpd.mail.example', '127.0.2.12', 'to-opensmtpd.mail.example'),
    'exim': (Exim, '127.0.1.13', 'exim.mail.example', '127.0.2.13', 'to-exim.mail.example'),
}
LOCKS = {name: threading.Lock() for name in PEERS}     # an address has one server at a time


@contextlib.contextmanager
def pair(site, name, secure=False, out=''):
    """(remex, peer), running."""
    kind, address, domain, own_address, own_domain = PEERS[name]
    tls = [None, None]
    if secure:
        ca = certs.authority(site)
        tls = [certs.certificate(site, ca, 'mx.' + d) for d in (own_domain, domain)]
    with LOCKS[name]:
        with kind(site, address, domain, tls[1]) as peer, Remex(site, own_address, own_domain, tls[0], out=out) as remex:
            try:
                yield remex, peer
            except Exception as e:
                raise AssertionError('%s\n--- log of %s\n%s' % (e, name, peer.log_text())) from e


def message(subject, body, sender='s@client.mail.example'):
    return b'From: %s\r\nTo: box\r\nSubject: %s\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <%s@x>\r\n\r\n%s' % (
        sender.encode(), subject.encode(), subject.encode(), body)


def bodies_pass(via, to, where):
    """Each text arrives as it was, after both."""
    for name, body, options in BODIES:
        subject = '%s-%s' % (where, name)
        via.take('s@client.mail.example', 'box@' + to.domain, message(subject, body), options)
    for name, body, _ in BODIES:
        text = to.arrived(b'\nSubject: %s-%s\n' % (where.encode(), name.encode()))
        got = text.split(b'\n\n', 1)[1] if b'\n\n' in text else b''
        want = body.replace(b'\r\n', b'\n')
        assert got == want, (where, name, len(got), len(want), difference(got, want))
        assert text.count(b'\nReceived: ') + text.startswith(b'Received: ') == 2, text[:2000]


def difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return at, a[max(0, at - 40):at + 40], b[max(0, at - 40):at + 40]


def bodies_go_both_ways(site, name, secure, chunks):
    with pair(site, name, secure, '' if chunks else 'hosts_try_chunking =') as (remex, peer):
        bodies_pass(remex, peer, 'there')
        bodies_pass(peer, remex, 'back')
        sent = remex.lines(len(BODIES), ' => box@%s ' % peer.domain, 'H=mx.%s [%s]' % (peer.domain, peer.address))
        taken = remex.lines(len(BODIES), ' <= s@client.mail.example ', '(mx.%s)' % peer.domain)
        for line in sent + taken:
            assert (' X=TLS1.3:' in line) == (secure and (line in taken or name != 'opensmtpd')), line
        if secure and name == 'opensmtpd':  # with this version of OpenSSL its server begins TLS and cannot do it
            remex.lines(len(BODIES), ': delivering unencrypted to H=mx.%s ' % peer.domain)
        for line in sent:       # OpenSMTPD knows no BDAT
            assert (' K ' in line) == (chunks and name != 'opensmtpd'), line
        for line in taken:      # nor does the client of Postfix
            assert (' K ' in line) == (name == 'exim'), line
        text = remex.arrived(b'Subject: back-tricky')
        protocol = (b'with esmtps  (TLS1.3) tls ' if secure else b'with esmtp ')
        assert protocol in text, text[:1000]


def utf8_goes_both_ways(site, name):
    """A sender, a recipient and a header that only SMTPUTF8 can carry."""
    to, sender = 'j\u00f6rg', 'm\u00fcller@client.mail.example'
    with pair(site, name) as (remex, peer):
        for via, end, subject in ((remex, peer, 'gr\u00fc\u00dfe-there'), (peer, remex, 'gr\u00fc\u00dfe-back')):
            text = 'From: %s\r\nSubject: %s\r\n\r\n\u00e4\r\n' % (sender, subject)
            via.take(sender, '%s@%s' % (to, end.domain), text.encode(), ('SMTPUTF8', 'BODY=8BITMIME'))
            got = end.arrived(('\nSubject: %s\n' % subject).encode())
            assert got.endswith('\n\n\u00e4\n'.encode()) and ('From: %s\n' % sender).encode() in got, got
        log = remex.log_text().encode('latin-1').decode()
        assert '=> %s@%s ' % (to, peer.domain) in log and '<= %s ' % sender in log and 'P=utf8esmtp' in log, log


NOTIFY = ('NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;first+2Bword@elsewhere.example')
# Exim, and remex with it, write them as they came; Postfix undoes xtext; OpenSMTPD forgets them.
ENCODED = (b'original-envelope-id: number+3d1\n', b'original-recipient: rfc822;first+2bword@elsewhere.example\n')
DECODED = (b'original-envelope-id: number=1\n', b'original-recipient: rfc822;first+word@elsewhere.example\n')
ASKED_FOR = {Remex: ENCODED, Exim: ENCODED, Postfix: DECODED, OpenSMTPD: ()}


def success_is_reported(site, name):
    """What the client asks of reports reaches the last host, which reports that it delivered."""
    with pair(site, name) as (remex, peer):
        for via, end in ((remex, peer), (peer, remex)):
            sender = 's@' + via.domain
            via.take(sender, 'box@' + end.domain, message('reported', b'the text\r\n', sender),
                     ('RET=HDRS', 'ENVID=number+3D1'), NOTIFY)
            report = via.arrived(b'Action: delivered\n', b'Subject: reported\n')
            assert b'\nthe text\n' not in report, report
            fields = report.lower().replace(b'rfc822; ', b'rfc822;')
            assert b'\nfinal-recipient: rfc822;box@%s\n' % end.domain.encode() in fields, report
            for field in ASKED_FOR[type(end)]:
                assert field in fields, (field, report)
            # whoever asks for nothing gets nothing
            via.take(sender, 'box@' + end.domain, message('silent', b'', sender), (), ('NOTIFY=NEVER',))
            end.arrived(b'Subject: silent')
        assert len(remex.mail()) == 3 and len(peer.mail()) == 3, (remex.mail(), peer.mail())


FEATURES = {
    'in_the_clear': lambda site, name: bodies_go_both_ways(site, name, False, False),
    'in_chunks': lambda site, name: bodies_go_both_ways(site, name, False, True),
    'with_tls': lambda site, name: bodies_go_both_ways(site, name, True, True),
    'with_utf8': utf8_goes_both_ways,
    'with_reports': success_is_reported,
}
NOT_KNOWN = {('opensmtpd', 'in_chunks'), ('opensmtpd', 'with_utf8')}


def add(name, feature):
    globals()['test_%s_%s' % (name, feature)] = lambda site: FEATURES[feature](site, name)


for each in PEERS:
    for feature_name in FEATURES:
        if (each, feature_name) not in NOT_KNOWN:
            add(each, feature_name)
