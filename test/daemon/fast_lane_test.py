"""The daemon takes messages in through the fast lane. Who dies under load: test/fault/soak."""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, kill_everyone  # noqa: E402

MAIN = 'smtp_accept_max = 0\n'


def lane(site, prefix='seg-'):
    path = site.path('spool/lane')
    return sorted(n for n in os.listdir(path) if n.startswith(prefix)) if os.path.isdir(path) else []


def test_messages_go_through_segments(site):
    site.configure(MAIN)
    with Daemon(site) as d:
        for i in range(5):
            with d.client() as c:
                for k in range(4):
                    c.sendmail('a@client.example', ['joe@example.org'], 'Subject: n%d-%d\r\n\r\nbody\r\n' % (i, k))
        site.wait_for(lambda: site.completed(20))
        assert lane(site) != []
        assert site.read('spool/input') == '' and site.queue() == []
    box = site.mail('anybody')
    assert sorted(re.findall(r'Subject: (n\d-\d)', box)) == sorted('n%d-%d' % (i, k) for i in range(5) for k in range(4))
    site.wait_for(lambda: lane(site) == [])       # a spool at rest has nothing but files
    assert not site.raw_log('panic')


def test_without(site):
    site.configure(MAIN + 'fast_lane = false')
    with Daemon(site) as d:
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
    assert not os.path.exists(site.path('spool/lane'))


def test_what_is_left_has_files(site):
    site.configure(MAIN, routers='r:\n  driver = redirect\n  allow_defer\n  data = :defer: not now\n')
    with Daemon(site) as d:
        d.send('joe@example.org')
        site.wait_for(lambda: ' == ' in site.raw_log() and len(site.queue()) == 1)
        assert 'Received from' in site.run('-Mvl', site.queue()[0]).out


def test_bodies_come_whole(site):
    """Whoever wants the body of a message in a segment has it: a mailbox, a program, a folder that wants a -D file, a variable."""
    site.mkdir('scan')
    each = ''.join('%s:\n  driver = accept\n  local_parts = %s\n  transport = %s\n' % (n, n, n) for n in ('box', 'pipe', 'scan'))
    start = 'gone:\n  driver = redirect\n  local_parts = gone\n  condition = ${if eq{$message_body_size}{15}}\n  data = :blackhole: $message_body\n'
    site.configure(MAIN, routers=start + each, transports=(
        'box:\n  driver = appendfile\n  directory = {top}/mail/dir\n  maildir_format\n  user = {uid}\n  group = {gid}\n'
        'pipe:\n  driver = pipe\n  command = /bin/cp /dev/stdin {top}/mail/piped\n  user = {uid}\n  group = {gid}\n'
        'scan:\n  driver = queuefile\n  directory = {top}/scan\n'))
    with Daemon(site) as d:
        for name in ('box', 'pipe', 'scan', 'gone'):
            d.send(name + '@example.org', text='Subject: s\r\n\r\nfirst\r\nsecond..\r\n')
        site.wait_for(lambda: site.completed(4))
    body = 'first\nsecond..\n'
    boxed = os.listdir(site.path('mail/dir/new'))
    assert len(boxed) == 1 and site.read('mail/dir/new/' + boxed[0]).endswith('\n\n' + body)
    assert '\n\n' + body in site.read('mail/piped')
    data = [n for n in os.listdir(site.path('scan')) if n.endswith('-D')]
    assert len(data) == 1 and site.read('scan/' + data[0]) == data[0] + '\n' + body
    assert site.raw_log().count('=> :blackhole:') == 1
    assert not site.raw_log('panic')


def test_starts_again_with_mail_in_segments(site):
    """A power cut, as far as processes are concerned: all of them die at once."""
    site.configure(MAIN, routers='r:\n  driver = accept\n  condition = ${if exists{{top}/stop}{${run{/bin/sleep 30}{yes}{yes}}}{yes}}\n'
                                 '  transport = mbox\n')
    site.write('stop', '')
    d = Daemon(site)
    for i in range(5):
        d.send('joe@example.org', text='Subject: n%d\r\n\r\nbody\r\n' % i)
    assert site.queue() == [] and lane(site) != []
    kill_everyone(d)
    os.unlink(site.path('stop'))
    with Daemon(site):
        site.wait_for(lambda: site.completed(5), 40)
    assert sorted(re.findall(r'Subject: (n\d)', site.mail('anybody'))) == ['n%d' % i for i in range(5)]
