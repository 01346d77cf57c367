"""Content scanning in a daemon: what a jailed process asks, a scanner that stalls, what a killed process leaves."""
import concurrent.futures
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon  # noqa: E402
from scanner_script import Script  # noqa: E402

MAIN = '''
acl_smtp_data = data
smtp_accept_max = 100
'''
ACL = '''
begin acl
data:
  accept !malware = */tmo=%s
  deny message = found $malware_name
'''


def offer(d, text='Subject: x\r\n\r\nhello\r\n'):
    with d.client() as c:
        c.ehlo()
        c.mail('a@client.example')
        c.rcpt('joe@example.org')
        return c.data(text)


def left(site):
    top = site.path('spool/scan')
    return sorted(os.listdir(top)) if os.path.isdir(top) else []


def test_program_in_the_jail(site):
    """It may read the message and nothing else of the spool's neighbours; it is executed since the configuration names it."""
    tool = site.write('tool', '#!/bin/sh\ncat "$1"/*.eml | grep -q hello || exit 2\ncat /root/.profile /etc/shadow >/dev/null 2>&1 && exit 3\n'
                      'echo "Virus \'W32\' found"\n', 0o755)
    site.configure(MAIN + "av_scanner = cmdline:%s %%s:found:'(.+)'\n" % tool, more=ACL % '20s')
    with Daemon(site) as d:
        code, answer = offer(d)
        assert (code, answer) == (550, b'found W32'), (code, answer)
        assert left(site) == []


def test_stalled_scanner_holds_up_nobody_else(site):
    """Sessions that wait for a scanner wait alone, up to the time of the condition."""
    with Script('line', b'/x: ', 60, path=site.path('clamd')) as server:
        site.configure(MAIN + 'av_scanner = clamd:%s\n' % server.where,
                       more=ACL.replace('data:\n', 'data:\n  accept condition = ${if match{$message_headers}{Pass}}\n') % '3s')
        with Daemon(site) as d, concurrent.futures.ThreadPoolExecutor() as pool:
            began = time.monotonic()
            stalled = pool.submit(offer, d)
            site.wait_for(lambda: server.heard)
            for _ in range(20):
                assert offer(d, 'Subject: Pass\r\n\r\nx\r\n')[0] == 250
            assert time.monotonic() - began < 3, 'the others waited'
            code, _ = stalled.result()
            took = time.monotonic() - began
            assert code == 451 and 2.5 < took < 10, (code, took)
        assert 'clamd %s : unable to read from socket (Connection timed out)' % server.where in site.raw_log('panic')
    assert left(site) == []


def test_what_a_crash_left(site):
    """A process that is killed while a scanner reads leaves its copy; the next daemon removes it, and none that is to be kept."""
    os.makedirs(site.path('spool/scan/kept'))
    site.write('spool/scan/kept/kept.eml', 'x')
    for path in ('spool/scan', 'spool/scan/kept'):
        site.own(site.path(path))
    with Script('line', 60, path=site.path('clamd')) as server:
        site.configure(MAIN + 'av_scanner = clamd:%s\nsmtp_processes = 1\n' % server.where, more=ACL % '60s')
        with Daemon(site) as d, concurrent.futures.ThreadPoolExecutor() as pool:
            asked = pool.submit(lambda: _lost(d))
            site.wait_for(lambda: server.heard)
            assert len(left(site)) == 2 and left(site) != ['kept'], left(site)
            for pid in d.roles('smtp'):
                os.kill(pid, signal.SIGKILL)
            asked.result()
            assert len(left(site)) == 2
    with Daemon(site):
        site.wait_for(lambda: left(site) == ['kept'])


def _lost(d):
    try:
        return offer(d)
    except OSError:
        return None
