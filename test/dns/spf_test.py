"""SPF: records of all kinds, and what becomes of a check whose process is killed."""
import os
import signal
import smtplib
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'daemon'))
import ask
from daemon import Daemon

RESULTS = {
    'pass': 'pass', 'fail': 'fail', 'soft': 'softfail', 'neutral': 'neutral', 'empty': 'neutral', 'capital': 'fail',
    'none': 'none', 'other': 'none', 'two': 'permerror', 'among': 'fail', 'pieces': 'pass', 'nothing.here': 'none',
    'ip4': 'pass', 'ip6': 'fail', 'a': 'pass', 'a-other': 'pass', 'a-net': 'pass', 'mx': 'pass', 'ptr': 'pass',
    'exists': 'pass', 'local': 'pass', 'include': 'pass', 'include-none': 'permerror', 'include-fail': 'softfail',
    'redirect': 'softfail', 'redirect-none': 'permerror',
    'unknown': 'permerror', 'cidr': 'permerror', 'macro': 'permerror', 'cut': 'permerror',
    'loop': 'permerror', 'noise': 'permerror', 'long': 'permerror', 'wide': 'permerror', 'percent': 'fail',
    'deep': 'pass',     # libspf2 counts those of each record for itself
    'void': 'pass',     # and takes names that are not there as often as others
    'why': 'fail', 'grow': 'fail', 'away': 'temperror',
}


def test_the_lookup(site):
    site.configure()
    text = '\n'.join('${lookup {joe@%s.spf.example} spf {192.0.2.1}}' % d for d in RESULTS)
    r = site.run('-be', stdin=text + '\n')
    got = dict(zip(RESULTS, [line[2:] if line.startswith('> ') else line for line in r.out.splitlines()]))
    print(r.err, site.raw_log(), site.raw_log('panic'))
    wrong = {d: (got.get(d), RESULTS[d]) for d in RESULTS if got.get(d) != RESULTS[d]}
    assert not wrong, wrong

CHECK = '''
begin acl
check:
  warn spf = *
       logwrite = $sender_address: $spf_result
  defer spf = temperror
        message = SPF is not known now
  deny spf = fail : permerror
       message = $spf_smtp_comment
  accept
'''


def client(d, name='client.example'):
    """One whose address is no local one: SPF lets those pass."""
    return smtplib.SMTP('127.0.0.1', d.port, local_hostname=name, timeout=60, source_address=('192.0.2.1', 0))


def configure(site, main='', more=CHECK):
    site.configure(main='acl_smtp_mail = check\n' + main, more=more)


def descendants(d, pid):
    below = d.children_or_none(pid)
    return below + [p for c in below for p in descendants(d, c)]


def named(d, name):
    """The processes under the inspect process that have that name: who has loaded the library, and who works with it."""
    found = []
    for p in [q for r in d.roles('inspect') for q in descendants(d, r)]:
        try:
            with open('/proc/%d/comm' % p) as f:
                if f.read().strip() == name:
                    found.append(p)
        except OSError:
            pass
    return found


def mail(c, sender):
    code, text = c.mail(sender)
    c.rset()
    return code, text.decode()


def test_a_daemon_checks_senders(site):
    for main in ('', 'smtp_sessions_per_process = 1\n'):
        configure(site, main)
        with Daemon(site) as d, client(d) as c:
            c.ehlo()
            assert mail(c, 'joe@pass.spf.example')[0] == 250
            assert mail(c, 'joe@fail.spf.example') == (550, 'Please see http://www.open-spf.org/Why : Reason: mechanism')
            assert mail(c, 'joe@unknown.spf.example')[0] == 550
            assert mail(c, 'joe@soft.spf.example')[0] == 250
            assert mail(c, '')[0] in (250, 451)         # of client.example, which nobody knows here
            with client(d, 'fail.spf.example') as h:
                h.ehlo()
                assert mail(h, '')[0] == 550
        assert len(d.roles('inspect') if d.process.poll() is None else []) == 0
    assert site.raw_log('panic') == '', site.raw_log('panic')


def test_without_spf_there_is_no_inspect_process(site):
    site.configure()
    with Daemon(site) as d:
        assert d.roles('inspect') == []
    configure(site)
    with Daemon(site) as d:
        assert len(d.roles('inspect')) == 1


def test_a_check_whose_process_is_killed_is_a_temporary_error(site):
    configure(site)
    with Daemon(site) as d, client(d) as c, client(d) as other:
        c.ehlo()
        other.ehlo()
        with ask.Silent('127.0.0.66'):
            c.putcmd('MAIL', 'FROM:<joe@away.spf.example>')
            site.wait_for(lambda: len(named(d, 'inspect-spf')) == 2)
            loader, worker = named(d, 'inspect-spf')
            assert mail(other, 'joe@pass.spf.example')[0] == 250      # meanwhile
            os.kill(worker, signal.SIGSEGV)
            code, text = c.getreply()
        assert (code, text) == (451, b'SPF is not known now'), (code, text)
        assert 'SPF of <joe@away.spf.example> could not be checked: inspect process ended by signal 11 (1 since the start)' \
            in site.raw_log(), site.raw_log()
        c.rset()
        assert mail(c, 'joe@pass.spf.example')[0] == 250
        assert mail(other, 'joe@fail.spf.example')[0] == 550
        # and the process that starts them
        os.kill(d.roles('inspect')[0], signal.SIGKILL)
        site.wait_for(lambda: 'inspect process' in site.raw_log('panic'))
        assert mail(c, 'joe@pass.spf.example')[0] == 250
