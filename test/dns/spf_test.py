"""SPF: records of all kinds, and what becomes of a check whose process is killed."""
import os
import re
import signal
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'daemon'))
import ask
from daemon import Daemon
from dns_test import with_resolver

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
    'full': 'fail', 'heavy': 'permerror', 'vast': 'permerror',
    'of63': 'fail', 'of64': 'neutral',      # libspf2 takes 512 bytes of what it makes of a record, and drops the rest
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


def test_programs_without_a_daemon_start_their_own(site):
    configure(site)
    script = 'EHLO client.example\r\nMAIL FROM:<joe@fail.spf.example>\r\nMAIL FROM:<joe@pass.spf.example>\r\nQUIT\r\n'
    for options in (('-bs', '-oMa', '192.0.2.1'), ('-bh', '192.0.2.1')):
        r = site.run(*options, stdin=script)
        answers = [line for line in r.out.splitlines() if re.match('[45]5|250 OK', line)]
        assert answers == ['550 Please see http://www.open-spf.org/Why : Reason: mechanism', '250 OK'], (options, r.out, r.err)
    # of an ordinary user, who cannot write the spool
    p = subprocess.run(['setpriv', '--reuid', 'daemon', '--clear-groups', site.binary, '-C', site.conf, '-be',
                        '${lookup {joe@fail.spf.example} spf {192.0.2.1}}'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert p.stdout == 'fail\n', p.stdout


def test_names_of_results_and_the_guess(site):
    lines = ''.join('  warn %s = %s\n       logwrite = %s\n' % w for w in [
        ('spf', 'PASS : fail', 'one'), ('spf', '!fail', 'two'), ('spf', '!softfail', 'three'), ('spf', 'nonsense', 'four'),
        ('spf', '', 'five'), ('spf_guess', 'pass', 'six'), ('spf', 'none', 'seven')])
    for sender, wanted in (('fail', 'one three'), ('none', 'two three six seven'), ('soft', 'two')):
        configure(site, main='spf_guess = v=spf1 ip4:192.0.2.0/24 -all\n', more='begin acl\ncheck:\n%s  accept\n' % lines)
        r = site.run('-bh', '192.0.2.1', stdin='EHLO x.example\r\nMAIL FROM:<joe@%s.spf.example>\r\nQUIT\r\n' % sender)
        assert re.findall('LOG: (\\w+)$', r.err, re.M) == wanted.split(), (sender, r.err)


VARIABLES = CHECK[:CHECK.index('  warn')] + '''  warn %s = *
       logwrite = 1 $spf_result/$spf_result_guessed/$spf_header_comment/$spf_smtp_comment/$spf_used_domain
       logwrite = 2 $spf_received
       logwrite = 3 ${authresults{me}}
  accept
'''
PERMITTED, NEITHER = 'designates 192.0.2.1 as permitted sender', '192.0.2.1 is neither permitted nor denied by domain of '


def test_variables(site):
    """What Debian's exim4 (4.96) says, save permerror, which is (invalid) there without a text."""
    guess, template = 'spf_guess = v=spf1 ip4:192.0.2.0/24 -all\n', 'spf_smtp_comment_template = T %{s} %{i}\n'
    why = 'Please see http://www.open-spf.org/Why : Reason: '
    for cond, main, domain, result, guessed, comment, smtp in (
            ('spf', '', 'pass', 'pass', 'no', 'domain of %s ' + PERMITTED, ''),
            ('spf', '', 'fail', 'fail', 'no', 'domain of %s does not designate 192.0.2.1 as permitted sender', why + 'mechanism'),
            ('spf', '', 'soft', 'softfail', 'no', 'transitioning domain of %s does not designate 192.0.2.1 as permitted sender', why + 'mechanism'),
            ('spf', '', 'neutral', 'neutral', 'no', NEITHER + '%s', why + 'mechanism'),
            ('spf', '', 'empty', 'neutral', 'no', NEITHER + '%s', why + 'default'),
            ('spf', '', 'none', 'none', 'no', 'domain of %s does not provide an SPF record', ''),
            ('spf', '', 'two', 'permerror', 'no', 'error in processing during lookup of domain of %s: Multiple SPF or TXT records for domain.', ''),
            ('spf', '', 'unknown', 'permerror', 'no', 'error in processing during lookup of domain of %s: Could not find a valid SPF record', ''),
            ('spf', template, 'fail', 'fail', 'no', 'domain of %s does not designate 192.0.2.1 as permitted sender', 'T%{s}%{i} : Reason: mechanism'),
            ('spf_guess', guess, 'none', 'pass', 'yes', 'domain of %s ' + PERMITTED, ''),
            ('spf_guess', guess, 'fail', 'fail', 'no', 'domain of %s does not designate 192.0.2.1 as permitted sender', why + 'mechanism')):
        configure(site, main=main, more=VARIABLES % cond)
        name = domain + '.spf.example'
        site.run('-bs', '-oMa', '192.0.2.1', stdin='EHLO client.example\r\nMAIL FROM:<joe@%s>\r\nQUIT\r\n' % name)
        lines = [x.split(' ', 1)[1] for x in site.log()[-3:]]
        comment = 'mx.example.org: ' + comment % name
        assert lines[0] == '%s/%s/%s/%s/%s' % (result, guessed, comment, smtp, name), (domain, lines)
        assert lines[1] == ('Received-SPF: %s (%s) client-ip=192.0.2.1; envelope-from=joe@%s; helo=client.example;'
                            % (result, comment, name)), (domain, lines)
        by = ' (best guess record for domain)' if guessed == 'yes' else ''
        assert lines[2] == 'Authentication-Results: me;\\n\tspf=%s%s smtp.mailfrom=%s' % (result, by, name), lines


def test_log_line(site):
    script = 'EHLO client.example\r\nMAIL FROM:<joe@%s.spf.example>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nMessage-Id: <1@x>\r\n\r\n.\r\nQUIT\r\n'
    for selector, marks in (('', {'pass': ''}), ('+spf', {'pass': ' SPF', 'none': '', 'soft': ''}),
                            ('+spf_verbose', {'pass': ' SPF=pass', 'soft': ' SPF=softfail', 'none': ' SPF=none'})):
        for asked in (True, False):
            main = 'log_selector = %s\nqueue_only\n' % selector
            if asked:
                configure(site, main)
            else:
                site.configure(main)
            for domain, mark in marks.items():
                site.run('-bs', '-oMa', '192.0.2.1', stdin=script % domain)
                line = site.raw_log().splitlines()[-1]
                assert re.search(r' S=\d+%s id=1@x$' % (mark if asked else ''), line), (selector, asked, domain, line)


# answers that cannot be read, those that hold something else, and CNAME records that lead nowhere
WRONG = {'noise': 'temperror', 'cut': 'temperror', 'beyond': 'temperror', 'pointer': 'temperror', 'many': 'temperror',
         'empty': 'temperror', 'loop': 'temperror', 'late': 'none', 'none': 'none'}


def test_a_name_server_that_says_nonsense_or_comes_late(site):
    configure(site, more='begin acl\ncheck:\n  accept\n')
    with ask.Rogue('127.0.0.3'):
        got = {k: with_resolver(site, '127.0.0.3', '-be', '${lookup {joe@%s.spf.example} spf {192.0.2.1}}' % k).splitlines()[-1]
               for k in WRONG}
        assert got == WRONG, got
    with ask.Silent('127.0.0.4'):
        start = time.monotonic()
        assert with_resolver(site, '127.0.0.4', '-be', '${lookup {joe@x.spf.example} spf {192.0.2.1}}') == 'temperror'
        assert time.monotonic() - start < 20
