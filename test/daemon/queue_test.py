"""The queue process: what it recovers, what becomes of the message of a worker that dies, how many queue runs there are."""
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, kill_everyone  # noqa: E402

# While the file is there every delivery is held up.
HELD = ('r:\n  driver = accept\n  condition = ${if exists{{top}/stop}{${run{/bin/sleep 30}{yes}{yes}}}{yes}}\n  transport = mbox\n')
MANY = 300


def test_recovers_without_a_queue_run(site):
    """What the fast lane holds waits for a worker again, by itself: no queue is looked through for it, and nobody waits for that."""
    site.configure('smtp_accept_max = 0\nsmtp_accept_queue_per_connection = 0\n', routers=HELD)
    site.write('stop', '')
    d = Daemon(site)
    with d.client() as c:
        for i in range(MANY):
            c.sendmail('a@client.example', ['joe@example.org'], 'Subject: n%03d\r\n\r\nbody\r\n' % i)
    assert site.queue() == []
    kill_everyone(d)
    os.unlink(site.path('stop'))
    with Daemon(site) as d:
        d.send('joe@example.org', text='Subject: new\r\n\r\nbody\r\n')
        site.wait_for(lambda: site.completed(MANY + 1), 60)
    found = sorted(re.findall(r'Subject: (\w+)', site.mail('anybody')))
    assert found == ['n%03d' % i for i in range(MANY)] + ['new']
    assert 'Start queue run' not in site.raw_log()


def lose_worker(site, d, before=lambda: None):
    """Kills whoever is at a message."""
    site.wait_for(lambda: any(d.children_or_none(w) for r in d.roles('deliver') for w in d.children_or_none(r)))
    for r in d.roles('deliver'):
        for w in d.children_or_none(r):
            if d.children_or_none(w):
                before()
                os.kill(w, signal.SIGKILL)
                return
    raise AssertionError('nobody is at it')


def loses_a_worker(site, main):
    site.configure('smtp_accept_max = 0\n' + main, routers=HELD)
    site.write('stop', '')
    with Daemon(site) as d:
        d.send('joe@example.org')
        lose_worker(site, d, lambda: os.unlink(site.path('stop')))
        site.wait_for(lambda: 'ended in the middle of its work' in site.raw_log())
        site.wait_for(lambda: site.completed(1))
        assert 'Start queue run' not in site.raw_log()


def test_a_worker_dies_fast_lane(site):
    loses_a_worker(site, '')


def test_a_worker_dies_standing_lane(site):
    loses_a_worker(site, 'fast_lane = false\n')


def test_a_message_that_kills_workers(site):
    """Not at once again and again."""
    site.configure('smtp_accept_max = 0\n', routers=HELD)
    site.write('stop', '')
    with Daemon(site) as d:
        d.send('joe@example.org')
        lose_worker(site, d)
        site.wait_for(lambda: site.raw_log().count('ended in the middle of its work') == 1)
        lose_worker(site, d, lambda: os.unlink(site.path('stop')))
        site.wait_for(lambda: site.raw_log().count('ended in the middle of its work') == 2)
        site.wait_for(lambda: site.completed(1))
        assert site.raw_log().count('Start queue run') == 1


def runs_at_once(site, name):
    """How many queue runs there were at the same time, at most."""
    now = most = 0
    for word in re.findall(r'(Start|End) %squeue run' % name, site.raw_log()):
        now += 1 if word == 'Start' else -1
        most = max(most, now)
    return most


def test_as_many_runs_as_the_queue_may_have(site):
    """queue_run_max is expanded for each queue, and counts the runs of that queue."""
    site.configure('queue_run_max = ${if eq{$queue_name}{slow}{1}{2}}\nqueue_only\n', routers=HELD)
    site.write('stop', '')
    for _ in range(5):
        site.run('-odq', 'joe@example.org', stdin='Subject: s\n\n')
    site.run('-MG', 'slow', *site.queue()[:2])
    with Daemon(site, '-q1s', '-qGslow/1s', listen=False) as d:
        site.wait_for(lambda: runs_at_once(site, '') == 2 and runs_at_once(site, "'slow' ") == 1)
        time.sleep(2.5)
        assert runs_at_once(site, '') == 2 and runs_at_once(site, "'slow' ") == 1
        kill_everyone(d)
