"""The MIME ACL in a daemon: what is decoded is written by a process in a jail, where the configuration says."""
import base64
import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon  # noqa: E402

MAIN = '''
acl_smtp_mime = check
smtp_accept_max = 100
'''
ACL = '''
begin acl
check:
  deny message = file type not accepted
       condition = ${if match{$mime_filename}{\\N\\.exe$\\N}}
  warn decode = %s
       mime_regex = ^secret
       logwrite = $mime_part_count: $mime_decoded_filename
  accept
'''
TEXT = '''Subject: x\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=AA\r
\r
--AA\r
\r
hello\r
--AA\r
Content-Disposition: attachment; filename*0=%s; filename*1=%s\r
Content-Transfer-Encoding: base64\r
\r
%s\r
--AA--\r
'''


def text(name='a.txt', content=b'secret'):
    return TEXT % (name[:3], name[3:], base64.b64encode(content).decode())


def offered(d, message):
    with d.client() as c:
        c.ehlo()
        c.mail('a@client.example')
        c.rcpt('joe@example.org')
        return c.data(message)


def test_decode(site):
    site.mkdir('out')
    for where, place in (('default', '/spool/scan/'), ('{top}/out', '/out/')):
        site.configure(MAIN, more=ACL % where)
        with Daemon(site) as d:
            code, answer = offered(d, text())
            assert code == 250, answer
            line = next(l for l in site.log() if ' 2: ' in l)
            assert place in line and line.endswith('-00002'), line
        assert os.listdir(site.path('spool/scan')) == []
        os.remove(site.path('log/mainlog'))
    assert len(os.listdir(site.path('out'))) == 3 and 'secret' in [site.read('out/' + f) for f in os.listdir(site.path('out'))]


def test_refusal(site):
    site.configure(MAIN, more=ACL % 'default')
    with Daemon(site) as d:
        assert offered(d, text('virus.exe')) == (550, b'file type not accepted')
        assert offered(d, text('virus.txt'))[0] == 250
    assert any('rejected during MIME ACL checks: file type not accepted' in l for l in site.log())
    assert os.listdir(site.path('spool/scan')) == []


def test_many_at_once(site):
    """Sessions of one process do not mix up their parts."""
    site.configure(MAIN, more=ACL % 'default')
    with Daemon(site) as d, concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda i: offered(d, text(content=b'secret' if i % 2 else b'open'))[0], range(60)))
    assert answers == [250] * 60
    assert sum(' 2: ' in l for l in site.log()) == 30 and os.listdir(site.path('spool/scan')) == []
