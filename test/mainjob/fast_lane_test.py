"""The fast lane: what comes in by SMTP goes through a journal segment, and nobody can tell from mailboxes, logs or queue."""
import os
import re
import signal
import time

ROUTERS = '''
gone:
  driver = redirect
  local_parts = gone
  allow_fail
  data = :fail: nobody of that name
hole:
  driver = redirect
  local_parts = hole
  data = :blackhole:
later:
  driver = redirect
  local_parts = later
  allow_defer
  data = :defer: not now
both:
  driver = redirect
  local_parts = both
  data = one@example.org, two@example.org
local:
  driver = accept
  transport = mbox
'''
TRANSPORTS = '''
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''
LANE = 'fast_lane_everywhere\nlog_selector = +all_parents\n'


def configure(site, lane=True, main='', routers=ROUTERS, transports=TRANSPORTS, more=''):
    site.configure(main=(LANE if lane else 'log_selector = +all_parents\n') + main, routers=routers, transports=transports,
                   more=more)


def talk(site, to, text='Subject: x\r\n\r\nline\r\n..dot\r\n', options=('-bs', '-odi')):
    lines = ['EHLO client', 'MAIL FROM:<s@example.org>'] + ['RCPT TO:<%s@example.org>' % t for t in to] + ['DATA', '']
    r = site.run(*options, stdin='\r\n'.join(lines) + text + '.\r\nQUIT\r\n')
    assert r.status == 0, (r.status, r.out, r.err)
    return r.out


def lane(site, prefix='seg-'):
    path = site.path('spool/lane')
    return [n for n in os.listdir(path) if n.startswith(prefix)] if os.path.isdir(path) else []


def files(site):
    path = site.path('spool/input')
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def settle(site):
    """A queue run passes over the lane: what has ended goes."""
    site.run('-q')
    site.run('-q')
    assert lane(site) == [], lane(site)


def test_delivered(site):
    configure(site)
    assert '250 OK id=' in talk(site, ['user'])
    assert site.completed()
    box = site.mail('box')
    assert box.count('From s@example.org ') == 1 and box.endswith('\n\nline\n.dot\n\n'), box
    assert len(lane(site)) == 2 and files(site) == [], (lane(site), files(site))
    assert site.run('-bpc').out == '0\n'
    settle(site)
    assert not site.read('log/paniclog')


def both_ways(site, to, **kw):
    """Log, mailbox and -bp with the lane and without."""
    seen = []
    for use in (True, False):
        configure(site, use, **kw)
        for name in ('log/mainlog', 'mail/box'):
            if os.path.exists(site.path(name)):
                os.unlink(site.path(name))
        talk(site, to)
        site.wait_for(lambda: bool(site.queue()) if 'later' in to else
                      site.raw_log().count(' <= ') == site.raw_log().count(' Completed') and not site.queue())
        listing = re.sub(r'^ *\d+[smhd]', '', re.sub(r'\S{23}|S=\d+', '', site.run('-bp').out), flags=re.M)
        box = re.sub(r'.*id \S+.*\n|.*[0-9]{2}:[0-9]{2}:[0-9]{2}.*\n|.*\S{6}-\S{11}-\S{4}.*\n|.*eximdsn-.*\n|.*\+\d{4}.*\n', '', site.mail('box'))
        logs = [re.sub(r'\S{23}', 'ID', line) for line in site.log()]
        for ident in site.queue():
            site.run('-Mrm', ident)
        seen.append((sorted(logs), listing, box))
    assert seen[0] == seen[1], seen
    assert not site.read('log/paniclog')
    settle(site)
    return seen[0]


def test_same_as_without(site):
    logs, _, _ = both_ways(site, ['user', 'hole', 'both'])
    assert sum('=>' in line for line in logs) == 4, logs


def test_bounce(site):
    logs, _, box = both_ways(site, ['gone', 'user'])
    assert sum('**' in line for line in logs) == 1 and 'X-Failed-Recipients: gone@example.org' in box


def test_deferred(site):
    _, listing, _ = both_ways(site, ['later', 'user'])
    assert 'D user@example.org' in listing and '  later@example.org' in listing, listing


def test_deferred_keeps_its_log(site):
    configure(site)
    talk(site, ['later', 'user'])
    ident = site.queue()[0]
    log = site.run('-Mvl', ident).out
    assert 'Received from s@example.org' in log.splitlines()[0] and 'mbox transport succeeded' in log, log
    assert 'user@example.org' in site.read('spool/input/%s-H' % ident).split('\n\n')[0]
    settle(site)
    assert site.run('-Mvb', ident).out.endswith('line\n.dot\n')


def test_frozen_and_queue_only_have_files(site):
    configure(site, main='acl_smtp_data = check\n', more='begin acl\ncheck:\n  accept control = freeze\n')
    talk(site, ['user'])
    assert len(site.queue()) == 1 and '-frozen' in site.read('spool/input/%s-H' % site.queue()[0])
    assert lane(site) == []


def test_large_has_files(site):
    configure(site)
    for size, in_lane in ((256 * 1024 - 100, True), (256 * 1024 + 100, False), (1 << 20, False)):
        before = site.mail('box').count('END')
        talk(site, ['user'], 'Subject: big\r\n\r\n' + 'x' * 60 + '\r\n' + ('y' * 62 + '\r\n') * (size // 63) + 'END\r\n')
        assert site.mail('box').count('END') == before + 1
        assert bool(lane(site)) == in_lane, (size, lane(site))
        settle(site)


def test_acl_sees_the_body(site):
    configure(site, main='acl_smtp_data = check\n',
              more='begin acl\ncheck:\n  deny condition = ${if match{$message_body}{evil}}\n  deny regex = worse\n  accept\n')
    for word, code in (('evil', '550'), ('worse', '550'), ('good', '250')):
        out = talk(site, ['user'], 'Subject: x\r\n\r\n%s\r\n' % word)
        assert '\n%s' % code in out.split('354 ')[1], out
    assert site.mail('box').count('From ') == 1 and files(site) == []
    settle(site)


def test_pipe_gets_only_this_message(site):
    configure(site, routers='p:\n  driver = accept\n  transport = p\n',
              transports='p:\n  driver = pipe\n  command = /bin/sh -c "cat > {top}/mail/out"\n  user = {uid}\n  group = {gid}\n'
                         '  message_prefix =\n  message_suffix =\n')
    for text in ('first', 'second'):
        talk(site, ['user'], 'Subject: x\r\n\r\n%s\r\n' % text)
        assert site.mail('out').endswith('\n\n%s\n' % text), site.mail('out')


def test_to_be_queued_has_files(site):
    configure(site)
    talk(site, ['user'], options=('-bs', '-odq'))
    assert len(site.queue()) == 1 and 'Received from' in site.run('-Mvl', site.queue()[0]).out
    assert site.run('-bpc').out == '1\n'
    site.run('-q')
    assert site.mail('box').count('From ') == 1
    settle(site)


def leave_in_lane(site):
    """A message that nobody has come for."""
    configure(site, routers='slow:\n  driver = accept\n  condition = ${if exists{{top}/stop}{${run{/bin/sleep 60}{yes}{yes}}}{yes}}\n'
                            '  transport = mbox\n')
    site.write('stop', '')
    talk(site, ['user'], options=('-bs', '-odb'))
    site.wait_for(lambda: site.run('-bpc').out == '1\n')
    for pid in os.listdir('/proc'):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                words = f.read().split(b'\0')
        except OSError:
            continue
        if site.conf.encode() in words:
            os.kill(int(pid), signal.SIGKILL)
    os.unlink(site.path('stop'))


def test_waiting_is_listed_and_moves(site):
    leave_in_lane(site)
    assert site.run('-bpc').out == '1\n'
    listing = site.run('-bp').out
    assert '<s@example.org>' in listing and 'user@example.org' in listing, listing
    site.run('-q')
    assert site.mail('box') == ''        # too young: somebody may be about to take it
    time.sleep(11)
    site.run('-q')
    assert site.mail('box').count('From ') == 1 and site.run('-bpc').out == '0\n'
    settle(site)


def test_damaged_segment_is_kept_and_said(site):
    leave_in_lane(site)
    name = max(lane(site), key=lambda n: os.path.getsize(site.path('spool/lane/' + n)))
    path = site.path('spool/lane/' + name)
    with open(path, 'r+b') as f:
        data = f.read()
        f.seek(data.index(b'\n.dot'))
        f.write(b'#')
    time.sleep(11)
    site.run('-q')
    assert site.mail('box') == ''
    assert 'cannot be read' in site.read('log/paniclog')
    assert lane(site, 'bad-') == ['bad-' + name]
