"""Content scanning with the real scanners: the daemon of the site asks ClamAV, SpamAssassin and rspamd."""
import email.message
import email.policy
import gzip
import io
import os
import re
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mailers import Remex
from scanners import EICAR, MARK, Clamd, Rspamd, Spamd

DOMAIN = 'remex.mail.example'
VIRUS = '''begin acl
data:
  deny malware = *
       message = This message contains malware ($malware_name)
  accept logwrite = clean by $callout_address
'''


def zipped(name, content):
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, content)
    return b.getvalue()


def letter(attachment=None, name='x.bin', text='hello\n', headers=(), within=0):
    """A message, in so many others."""
    m = email.message.EmailMessage()
    m['Subject'] = 'scan'
    m['From'], m['To'] = 's@client.mail.example', 'box@' + DOMAIN
    for h, v in headers:
        m[h] = v
    m.set_content(text)
    if attachment is not None:
        m.add_attachment(attachment, maintype='application', subtype='octet-stream', filename=name)
    for _ in range(within):
        outer = email.message.EmailMessage()
        outer['Subject'] = 'within'
        outer.set_content('see below\n')
        outer.add_attachment(m)
        m = outer
    return m.as_bytes(policy=email.policy.SMTP)


def offer(remex, text, sender='s@client.mail.example', rcpt='box@' + DOMAIN):
    with remex.client() as c:
        assert c.mail(sender)[0] == 250 and c.rcpt(rcpt)[0] == 250
        code, answer = c.data(text)
        return code, answer.decode()


def site_with(site, address, main, acl):
    return Remex(site, address, DOMAIN, more='acl_smtp_data = data\n%s\n' % main, sections=acl)


def left(site):
    top = site.path('spool/scan')
    return os.listdir(top) if os.path.isdir(top) else []


LONG = b'N' * 1000000


def nests(n, text):
    """A text in so many multiparts."""
    return (b'MIME-Version: 1.0\r\n' + b''.join(b'Content-Type: multipart/mixed; boundary=B%d\r\n\r\n--B%d\r\n' % (i, i) for i in range(n)) +
            b'\r\n' + text + b'\r\n' + b''.join(b'--B%d--\r\n' % i for i in range(n - 1, -1, -1)))


INFECTED = [
    ('plain', letter(EICAR), 'Test.Eicar'),
    ('in zip', letter(zipped('a.com', EICAR), 'x.zip'), 'Test.Eicar'),
    ('in zip in zip', letter(zipped('b.zip', zipped('a.com', EICAR)), 'x.zip'), 'Test.Eicar'),
    ('in gzip', letter(gzip.compress(EICAR), 'x.gz'), 'Test.Eicar'),
    ('nested', letter(EICAR, within=3), 'Test.Eicar'),
    ('by pattern', letter(b'%PDF ' + MARK + b' x'), 'Test.Mark'),
    ('as text', letter(text='x %s y\n' % MARK.decode()), 'Test.Mark'),
    ('headers of a megabyte', letter(EICAR, headers=[('X-' + 'a' * 900 + str(i), 'b') for i in range(900)]), 'Test.Eicar'),
    ('a name of a megabyte', LONG + b': v\r\n' + letter(EICAR), 'Test.Eicar'),
    ('a line of a megabyte', LONG + b'\r\n' + letter(EICAR), 'Test.Eicar'),
    ('a name of a megabyte in a part', letter(EICAR).replace(b'Content-Disposition', LONG + b': v\r\nContent-Disposition'), 'Test.Eicar'),
    ('ten thousand parts in each other', nests(10000, MARK), 'Test.Mark'),
]


def check_clamd(site, address, av_scanner, more=''):
    with Clamd(site.top, more) as clamd:
        av = av_scanner.replace('SOCKET', clamd.socket).replace('PORT', str(clamd.port))
        main = 'av_scanner = clamd:%s\nheader_maxsize = 4M\n' % av
        with site_with(site, address, main, VIRUS) as remex:
            for what, text, name in INFECTED:
                code, answer = offer(remex, text)
                said = 'This message contains malware (%s.UNOFFICIAL)' % name
                assert code == 550 and said in answer, (what, code, answer)
                assert site.raw_log().splitlines()[-1].endswith(' rejected after DATA: ' + said), (what, site.raw_log())
            for text in (letter(b'nothing'), letter(zipped('a', b'nothing'), 'x.zip'), nests(10000, b'x')):
                assert offer(remex, text)[0] == 250
            remex.lines(3, 'clean by ' + (clamd.socket if av.startswith('/') else '[127.0.0.1]:%d' % clamd.port))
            assert left(site) == [], left(site)
            assert site.raw_log('panic') == ''


def test_clamd_by_its_socket(site):
    check_clamd(site, '127.0.2.21', 'SOCKET')


def test_clamd_by_tcp(site):
    check_clamd(site, '127.0.2.22', '127.0.0.1 PORT')


def test_clamd_by_tcp_with_our_files(site):
    check_clamd(site, '127.0.2.23', '127.0.0.1 PORT retry=1s:local')


def test_one_of_several_is_there(site):
    """The first server chosen may be the one that is not there: that is logged, and the other one answers."""
    with Clamd(site.top) as clamd:
        main = 'av_scanner = clamd:127.0.0.1 9 : 127.0.0.1 %d : 127.0.0.1 10\n' % clamd.port
        with site_with(site, '127.0.2.24', main, VIRUS) as remex:
            for _ in range(6):
                assert offer(remex, letter(EICAR))[0] == 550
                assert offer(remex, letter())[0] == 250
            panic = site.raw_log('panic')
            assert not re.search(r'^(?!.*malware acl condition: clamd \[127.0.0.1\]:(9|10) : failed to connect to any address '
                                 r'for 127.0.0.1: Connection refused$).+', panic, re.M), panic


def test_limits_of_clamd(site):
    """A bomb, and a message that is larger than clamd takes: neither is taken for clean."""
    bomb = zipped('zeros', b'\0' * (40 << 20))
    limits = 'AlertExceedsMax yes\nMaxScanSize 1M\nStreamMaxLength 1M\n'
    with Clamd(site.top, limits) as clamd:
        main = 'av_scanner = clamd:127.0.0.1 %d\n' % clamd.port
        with site_with(site, '127.0.2.25', main, VIRUS) as remex:
            code, answer = offer(remex, letter(bomb, 'x.zip'))
            assert code == 550 and 'Heuristics.Limits.Exceeded' in answer, (code, answer)
            remex.lines(1, 'rejected after DATA: This message contains malware (Heuristics.Limits.Exceeded')
            code, answer = offer(remex, letter(os.urandom(2 << 20)))
            assert code == 451, (code, answer)
            remex.lines(2, 'malware acl condition: clamd [127.0.0.1]:%d : ' % clamd.port)     # in both logs
            remex.lines(1, 'temporarily rejected after DATA')


SPAM = '''begin acl
data:
  warn spam = nobody
       add_header = X-Spam: yes
  warn spam = nobody:true
       add_header = X-Score: $spam_score ($spam_bar) $spam_score_int $spam_action\\nX-Report: $spam_report
  accept
'''


def score(remex, text, word):
    """The lines that the ACL added."""
    code, answer = offer(remex, text)
    assert code == 250, answer
    kept = remex.arrived(word).decode().split('\n\n')[0]
    return re.findall(r'^(X-Spam|X-Score): (.*)$', kept, re.M), kept


def check_spam(remex, bad, good):
    lines, kept = score(remex, letter(headers=[('X-Word', 'bad')] + bad[0], text=bad[1]), b'X-Word: bad')
    assert lines == bad[2], lines
    assert bad[3] in kept, kept
    lines, kept = score(remex, letter(headers=[('X-Word', 'good')] + good[0], text=good[1]), b'X-Word: good')
    assert lines == good[2], lines


SPAMD_BAD = ([], 'remex-test-spam\n', [('X-Spam', 'yes'), ('X-Score', '6.3 (++++++) 63 reject')], 'REMEX_SPAM')
SPAMD_GOOD = ([('X-Remex-Ham', '1')], 'hello\n', [('X-Score', '-2.2 (--) -22 no action')])


def test_spamd(site):
    with Spamd(site.top) as spamd:
        for n, where in enumerate(('127.0.0.1 %d' % spamd.port, spamd.socket,
                                   '127.0.0.1 9 pri=5 : %s tmo=20s weight=3 retry=1s' % spamd.socket)):
            with site_with(site, '127.0.2.%d' % (31 + n), 'spamd_address = ' + where, SPAM) as remex:
                check_spam(remex, SPAMD_BAD, SPAMD_GOOD)


def test_rspamd(site):
    bad = ([('X-Remex-Spam', '1')], 'x\n', [('X-Spam', 'yes'), ('X-Score', '16.5 (++++++++++++++++) 165 reject')], 'X_REMEX_SPAM')
    good = ([('X-Remex-Some', '1')], 'x\n', [('X-Score', '6.5 (++++++) 65 add header')])
    with Rspamd(site.top) as rspamd:
        for n, where in enumerate(('127.0.0.1 %d' % rspamd.port, rspamd.socket)):
            main = 'spamd_address = %s variant=rspamd' % where
            with site_with(site, '127.0.2.%d' % (36 + n), main, SPAM) as remex:
                check_spam(remex, bad, good)
