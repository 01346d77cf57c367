"""The tools for hints: what waits is shown, what is old goes."""
import os
import re
import subprocess

ROUTERS = '''
remote:
  driver = manualroute
  route_data = 127.0.0.1
  self = send
  transport = out
'''
TRANSPORTS = '''
out:
  driver = smtp
  port = 1
  connect_timeout = 2s
'''


def tool(site, name, *args):
    folder = site.binary.rsplit('/', 1)[0]
    p = subprocess.run(['%s/%s' % (folder, name), *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return p.returncode, p.stdout


def test_records_are_shown_and_tidied(site):
    site.configure(routers=ROUTERS, transports=TRANSPORTS)
    spool = site.path('spool')
    site.send('x@remote.example')
    status, text = tool(site, 'exim_dumpdb', spool, 'retry')
    when = r'\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d'
    assert status == 0 and re.fullmatch(r'  T:\[127\.0\.0\.1\]:127\.0\.0\.1:1 111 65 Connection refused\n%s  %s  %s\n' %
                                        (when, when, when), text), text
    assert tool(site, 'remex-hints', 'dump', '-k', spool, 'retry') == (0, 'T:[127.0.0.1]:127.0.0.1:1\n')
    assert tool(site, 'exim_dumpdb', spool, 'wait-out') == (0, '127.0.0.1 %s\n' % site.queue()[0])
    assert tool(site, 'exim_tidydb', spool, 'retry') == (0, '0 removed\n')
    assert tool(site, 'exim_tidydb', spool, 'wait-out') == (0, '0 removed\n')
    site.run('-Mrm', site.queue()[0])
    assert '1 removed\n' in tool(site, 'exim_tidydb', spool, 'wait-out')[1]
    assert tool(site, 'exim_dumpdb', spool, 'wait-out') == (0, '')


def test_wrong_calls_are_told(site):
    site.configure()
    for args in ((), ('dump',), ('dump', site.path('spool')), ('show', site.path('spool'), 'retry'),
                 ('tidy', '-t', 'x', site.path('spool'), 'retry')):
        assert tool(site, 'remex-hints', *args)[0] == 1, args
    assert 'unknown kind' in tool(site, 'exim_dumpdb', site.path('spool'), 'nothing')[1]
    assert 'there is no' in tool(site, 'exim_dumpdb', site.path('nowhere'), 'retry')[1]


ACL = '''
begin acl
check:
  warn ratelimit = 5 / 1h / leaky / key
  warn ratelimit = 5 / 1h / per_addr / other
  warn seen = -1s / key=thing
  accept
'''


def test_every_kind_is_shown_in_its_layout(site):
    site.configure(main='acl_not_smtp = check', more=ACL.replace('per_addr', 'per_mail / unique=$message_id'))
    spool = site.path('spool')
    site.send('x@remote.example')
    when = r'\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d'
    status, text = tool(site, 'exim_dumpdb', spool, 'ratelimit')
    lines = sorted(text.splitlines(), key=len)
    assert re.fullmatch(when + r'\.\d{6} rate:      1\.000 key: 1h/per_mail/key', lines[0]), text
    assert re.fullmatch(when + r'\.\d{6} rate:      1\.000 epoch: ' + when + r' size: 1 key: 1h/per_mail/unique/other',
                        lines[1]), text
    status, text = tool(site, 'exim_dumpdb', spool, 'seen')
    assert re.fullmatch('thing\t%s\n' % when, text), text
    for kind in ('ratelimit', 'seen'):
        assert tool(site, 'exim_tidydb', spool, kind) == (0, '0 removed\n')
        site.wait_for(lambda: ' removed' in tool(site, 'exim_tidydb', '-t', '0s', spool, kind)[1] and
                      tool(site, 'exim_dumpdb', spool, kind) == (0, ''))       # when the second is over


def fix(site, kind, *lines):
    p = subprocess.run([site.binary.rsplit('/', 1)[0] + '/exim_fixdb', '-z', site.path('spool'), kind],
                       input='\n'.join(lines) + '\n', stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       env={'TZ': 'UTC'})
    assert p.returncode == 0, p.stdout
    return p.stdout


def test_records_are_changed_by_hand(site):
    site.configure(routers=ROUTERS, transports=TRANSPORTS)
    site.send('x@remote.example')
    key = 'T:[127.0.0.1]:127.0.0.1:1'
    text = fix(site, 'retry', key)
    assert '> 0 error number: 111 Connection refused\n1 extra data:   65\n2 first failed: ' in text, text
    assert '5 expired:      no\n> \n' in text, text
    text = fix(site, 'retry', key, '4 301102:1000', '0 7', '5 yes')
    assert '4 next try:     02-Nov-2030 10:00:00\n' in text and '0 error number: 7 ' in text, text
    assert re.search(r'02-Nov-2030 10:00:00 \*\n$', tool(site, 'exim_dumpdb', '-z', site.path('spool'), 'retry')[1])
    for line, answer in (('4 301302:1000', 'not a time'), ('4 3011021000', '02-Nov-2030 10:00'),
                         ('4 30110210001', 'not a time'), ('9 1', 'unknown field'), ('0 99999999999', 'bad number'),
                         ('5 maybe', 'yes or no'), ('2 401102:1000', 'later than the last try')):
        assert answer in fix(site, 'retry', key, line), (line, fix(site, 'retry', key, line))
    assert 'name a record first' in fix(site, 'retry', 'd')
    assert 'record other not found' in fix(site, 'retry', 'other')
    for n, answer in ((1023, 'not found'), (1024, 'not found'), (1025, 'line too long'), (3000, 'line too long')):
        assert answer in fix(site, 'retry', 'k' * n), n
    assert '> deleted\n' in fix(site, 'retry', key, 'd')
    assert tool(site, 'exim_dumpdb', site.path('spool'), 'retry') == (0, '')


def test_the_group_of_the_spool_may_look(site):
    site.configure(routers=ROUTERS, transports=TRANSPORTS)
    site.send('x@remote.example')
    db = site.path('spool/db')
    kept = os.stat(db + '/hints.lmdb')
    for group, shown in ((kept.st_gid, True), (65533, False)):
        p = subprocess.run([site.binary.rsplit('/', 1)[0] + '/exim_dumpdb', '-k', site.path('spool'), 'retry'],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, user=65533, group=group,
                           extra_groups=[])
        assert (p.stdout == 'T:[127.0.0.1]:127.0.0.1:1\n') == shown, p.stdout
    now = os.stat(db + '/hints.lmdb')
    assert (now.st_mtime_ns, now.st_uid) == (kept.st_mtime_ns, kept.st_uid)


def test_who_removes_the_file_of_a_kind_removes_its_records(site):
    site.configure(routers=ROUTERS, transports=TRANSPORTS)
    site.send('x@remote.example')
    spool = site.path('spool')
    os.unlink(spool + '/db/retry')
    assert tool(site, 'exim_dumpdb', spool, 'retry') == (0, '')
    assert tool(site, 'exim_dumpdb', spool, 'wait-out') == (0, '127.0.0.1 %s\n' % site.queue()[0])
    assert not os.path.exists(spool + '/db/retry')              # who only looks makes nothing
    site.run('-q')                                              # not before its time, if it were known
    assert site.raw_log().count('[127.0.0.1] Connection refused') == 2, site.log()
    assert tool(site, 'exim_dumpdb', '-k', spool, 'retry') == (0, 'T:[127.0.0.1]:127.0.0.1:1\n')
    os.unlink(spool + '/db/wait-out')
    assert tool(site, 'exim_tidydb', spool, 'wait-out') == (0, '0 removed\n')
    assert tool(site, 'exim_dumpdb', spool, 'wait-out') == (0, '') and os.path.exists(spool + '/db/wait-out')


COUNTED = '''
begin acl
count:
  accept logwrite = calls $event_data
'''


def test_the_two_lines_of_a_dead_host_stand_together(site):
    """They are written at once where the host is not called again; the envelopes may even be ones that can only be read."""
    site.configure(main='queue_only\nqueue_run_in_order', routers=ROUTERS, transports=TRANSPORTS)
    for i in range(4):
        site.send('x%d@remote.example' % i, options=('-odq',))
    ids = site.queue()
    if site.root:
        for i in ids[:2]:
            os.chown(site.path('spool/input/%s-H' % i), 0, 0)
            os.chmod(site.path('spool/input/%s-H' % i), 0o644)
    site.run('-qf')
    lines = [l.split(' ', 2)[2] for l in site.raw_log().splitlines() if 'Connection refused' in l]
    assert lines == [i + text % n for n, i in enumerate(ids) for text in (
        ' H=127.0.0.1 [127.0.0.1] Connection refused%.0s',
        ' == x%d@remote.example R=remote T=out defer (111): Connection refused')], lines
    assert site.queue() == ids
    for i in ids:
        assert '-deliver_firsttime\n' not in site.read('spool/input/%s-H' % i)
    assert not site.raw_log('panic')


def test_a_forced_run_calls_a_dead_host_once(site):
    """What a queue run found out about a host holds for the messages that follow: none connects again, each is logged and waits."""
    event = '  event_action = ${if eq {tcp:connect}{$event_name} {${acl{count}}}}\n'
    site.configure(main='queue_only', routers=ROUTERS, transports=TRANSPORTS + event, more=COUNTED)
    spool = site.path('spool')
    for i in range(3):
        site.send('x%d@remote.example' % i, options=('-odq',))
    ids = site.queue()
    before = {i: site.read('spool/input/%s-H' % i) for i in ids}
    site.run('-qf')
    lines = site.raw_log().splitlines()
    assert len([l for l in lines if 'calls ' in l]) == 1, lines
    for i in ids:
        told = [l for l in lines if i in l and 'Connection refused' in l]
        assert [' == ' in l for l in told] == [False, True], lines
        assert site.read('spool/msglog/' + i).count('defer (111): Connection refused') == 1
        after = site.read('spool/input/%s-H' % i)
        assert after == before[i].replace('-deliver_firsttime\n', '-deliver_firsttim_\n') != before[i], after
    waiting = tool(site, 'exim_dumpdb', spool, 'wait-out')[1]
    assert all(i in waiting for i in ids), waiting
    site.run('-qf')      # another run calls it again
    assert site.raw_log().count('calls ') == 2
    site.run('-qi')      # nothing is new
    assert site.raw_log().count('calls ') == 2 and site.raw_log().count(' == ') == 6


def test_a_remembered_failure_ends_what_is_too_old(site):
    """The answer of another message counts as a try: who has waited for too long is told."""
    site.configure(main='queue_only', routers=ROUTERS, transports=TRANSPORTS, retry='* * F,1s,1s')
    for i in range(3):
        site.send('x%d@remote.example' % i, options=('-odq', '-f', '<>'))
    site.run('-qf')
    assert site.raw_log().count(' == ') == 3, site.raw_log()
    site.wait_for(lambda: not site.run('-qf') or site.raw_log().count('retry timeout exceeded') == 3)


def next_try(site, *what):
    return tool(site, 'exinext', '-C', site.conf, *what)


def test_the_next_try_is_told(site):
    site.configure(routers=ROUTERS, transports=TRANSPORTS)
    site.send('x@remote.example')
    when = r'\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d'
    told = (r'\[127\.0\.0\.1\]:127\.0\.0\.1:1 error 111: Connection refused\n  first failed: %s\n'
            r'  last tried:   %s\n  next try at:  %s\n' % (when, when, when))
    for what in ('remote.example', 'x@remote.example', 'x'):
        status, text = next_try(site, what)
        assert status == 0 and re.fullmatch(told, text), (what, text)
    nothing = site.queue()[0]      # the host is to blame, not the message
    assert next_try(site, nothing) == (0, 'No retry data found for %s\n' % nothing)
    assert next_try(site)[0] == 1 and next_try(site, '-x', 'y.example')[0] == 1


def test_the_next_try_of_a_message_and_of_a_domain(site):
    """Records are told apart by what they are about; what is over says so."""
    site.configure(routers='''
fails:
  driver = redirect
  domains = bad.example
  allow_defer
  data = :defer: not now
''' + ROUTERS, transports=TRANSPORTS, retry='* * F,1s,1h')
    site.send('x@bad.example', 'y@remote.example')
    status, text = next_try(site, 'bad.example')
    assert status == 0 and text.startswith('bad.example error ') and 'not now' in text and 'remote' not in text, text
    subprocess.run([site.binary.rsplit('/', 1)[0] + '/exim_fixdb', site.path('spool'), 'retry'],
                   input='R:bad.example\n5 yes\n', stdout=subprocess.PIPE, text=True)
    text = next_try(site, 'bad.example', 'other.bad.example')[1]
    assert '\n  past final cutoff time\n' in text and '127.0.0.1' in text, text


LOST = '''
lost:
  driver = manualroute
  domains = lost.example
  route_list = * nohost.invalid byname
  host_find_failed = defer
  transport = out
'''


def seconds_to_wait(site, key):
    """From the last try to the next one, by the record of that key."""
    import datetime
    lines = tool(site, 'exim_dumpdb', site.path('spool'), 'retry')[1].splitlines()
    times = [lines[i + 1].split('  ') for i, l in enumerate(lines) if l.split()[0] == key]
    assert len(times) == 1, lines
    last, later = (datetime.datetime.strptime(t.rstrip(' *'), '%d-%b-%Y %H:%M:%S') for t in times[0][1:3])
    return (later - last).total_seconds()


def test_a_rule_for_lookups(site):
    """A host that is not known is an error of its own among the retry rules."""
    site.configure(routers=LOST + ROUTERS, transports=TRANSPORTS, retry='* lookup F,2h,7m\n* * F,2h,15m')
    site.send('x@lost.example', 'y@remote.example')
    assert 'defer (-32): lookup of host "nohost.invalid" failed' in site.raw_log() or \
        'did not complete' in site.raw_log(), site.raw_log()
    if 'defer (-32)' in site.raw_log():     # without a name server the answer is another one
        assert seconds_to_wait(site, 'R:lost.example') == 7 * 60
    assert seconds_to_wait(site, 'T:[127.0.0.1]:127.0.0.1:1') == 15 * 60


def test_a_host_that_is_never_found_ends_the_waiting(site):
    site.configure(routers='\nall:\n  driver = accept\n  transport = out\n', retry='* * F,1s,1s',
                   transports=TRANSPORTS.replace('port = 1', 'hosts = nohost.invalid\n  gethostbyname'))
    site.send('x@remote.example', options=('-odf', '-f', '<>'))
    assert ' == x@remote.example' in site.raw_log(), site.raw_log()
    site.wait_for(lambda: not site.run('-qf') or 'retry timeout exceeded' in site.raw_log())
