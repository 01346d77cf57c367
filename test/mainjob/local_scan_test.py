"""local_scan: a plugin that is built here from local_scan.c, and what comes of its answers."""
import os
import shutil
import subprocess

from receive_test import Message, queued

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'src/engine')


def scanned(site, main='', more=''):
    """The program with the plugin beside it."""
    site.mkdir('bin')
    os.mkdir(site.path('bin/plugins'))
    os.chmod(site.path('bin'), 0o755)
    if site.root:
        os.chown(site.path('bin'), 0, 0)
    shutil.copy(site.binary, site.path('bin/remex'))
    subprocess.run(['cc', '-shared', '-fPIC', '-Wall', '-Wextra', '-Werror', '-I', INCLUDE, '-o',
                    site.path('bin/plugins/local_scan.so'), os.path.join(HERE, 'local_scan.c')],
                   check=True)
    site.binary = site.path('bin/remex')
    site.configure(main, more=more)


def say(site, what, body='body\n', *options):
    return queued(site, 'Subject: %s\nX-Gone: yes\n\n%s' % (what, body), *options, 'x', 'y@far.example')


def test_nothing_to_say(site):
    scanned(site)
    m = say(site, 'nothing')
    assert m.recipients == ['x@example.org', 'y@far.example']
    assert m.given() == ['Subject: nothing', 'X-Gone: yes'], m.given()
    assert 'local_scan' not in site.raw_log()


def test_text_is_kept(site):
    scanned(site)
    m = say(site, 'body', 'one\n')
    kept = [i for i in m.items if i.startswith('local_scan ')]
    assert kept == ['local_scan one  lines 1 from %s@example.org' % site.login], m.items


def test_headers_and_options(site):
    scanned(site, more='begin local_scan\nmy_integer = 99\nmy_string = a text\nmy_bool\n')
    m = say(site, 'headers')
    assert m.lines()[0] == 'X-Second: abc' and m.lines()[-1] == 'X-Added: 99 a text 1', m.lines()
    assert 'X-Gone: yes' in m.lines('*')
    assert m.headers[0][1].startswith('Received:')


def test_recipients(site):
    scanned(site)
    m = say(site, 'recipients')
    assert m.recipients[0] == 'y@far.example' and m.recipients[1].startswith('new@example.org '), m.recipients
    assert 'errors@else.example' in m.recipients[1]


def test_nobody_left(site):
    scanned(site)
    site.run('-odq', 'x', stdin='Subject: nobody\n\n')
    assert site.queue() == []
    assert site.log()[-2:] == ['ID1 => blackhole (local_scan() discarded recipients)', 'ID1 Completed'], \
        site.log()


def test_freeze_and_queue(site):
    scanned(site)
    m = queued(site, 'Subject: freeze\n\n', 'x', options=('-odf',))
    assert any(i.startswith('frozen ') for i in m.items)
    assert site.log()[-1] == 'ID1 frozen by local_scan()'
    queued(site, 'Subject: queue\n\n', 'x', options=('-odf',))
    assert site.log()[-1] == 'ID2 no immediate delivery: queued by local_scan()'


def test_refusals(site):
    scanned(site)
    r = site.run('-oep', 'x', stdin='Subject: reject\n\n')
    assert r.status == 1 and 'not wanted' in r.err, r.err
    assert 'rejected by local_scan(): not wanted' in site.log()[0]
    assert '\n  Subject: reject\n' in site.raw_log('reject')
    r = site.run('-oep', 'x', stdin='Subject: later\n\n')
    assert r.status == 1 and 'Temporary local problem' in r.err, r.err
    assert 'Subject: later' not in site.raw_log('reject')
    assert site.queue() == [] and os.listdir(site.path('spool/input')) == []


def test_crashes_and_time(site):
    scanned(site, 'local_scan_timeout = 1s')
    # Sanitizers leave the crash to the system, and look for no leaks.
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get('ASAN_OPTIONS', '') + ':handle_segv=0:detect_leaks=0')
    for what, words in (('crash', 'crashed with signal 11'), ('hang', 'timed out'), ('exit', 'gave no answer')):
        r = site.run('-oep', 'x', stdin='Subject: %s\n\n' % what, env=env)
        assert r.status == 1, (what, r.err)
        assert 'local_scan() function %s - message temporarily rejected' % words in site.raw_log(), \
            site.raw_log()
    assert site.queue() == []


def test_functions(site):
    scanned(site)
    assert 'local_scan 0 2 0 0' in say(site, 'lists').items
    assert 'local_scan through cat 0' in say(site, 'program').items
    say(site, 'log')
    assert any(' seen ' in l for l in site.log()), site.log()
