"""Reloads that follow one another faster than the daemon can be ready, and what is left of those that were given up."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, pause  # noqa: E402


def processor_time(pid):
    """In hundredths of a second."""
    with open('/proc/%d/stat' % pid) as f:
        return sum(map(int, f.read().rsplit(')', 1)[1].split()[11:13]))


def everyone(d):
    return [p for name in ('smtp', 'queue', 'deliver', 'agent') for p in d.roles(name)]


def test_one_upon_the_other(site):
    """The one under way is given up for the next; ports stay open, and nobody stays behind."""
    site.configure()
    seen = set()
    with Daemon(site, '-q1s') as d:
        for _ in range(4):
            n = site.raw_log().count('daemon started')
            for _ in range(3):
                d.signal(signal.SIGHUP)
                pause(0.02)
                seen.update(everyone(d))
            site.wait_for(lambda: site.raw_log().count('daemon started') > n)
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        site.wait_for(lambda: not [p for p in seen - set(everyone(d)) if os.path.exists('/proc/%d' % p)])
        assert 'Address already in use' not in site.raw_log()
        seen.update(everyone(d))
    site.wait_for(lambda: not [p for p in seen if os.path.exists('/proc/%d' % p)])


def test_a_retiring_queue_process_rests(site):
    """It waits for the sessions of its generation, and starts no runs in the meantime: so it has nothing to do, and does nothing."""
    site.configure()
    with Daemon(site, '-q1s') as d:
        s, f = d.connect()
        assert f.readline().startswith(b'220')
        (old,) = d.roles('queue')
        d.reload()
        site.wait_for(lambda: site.raw_log().count('Start queue run') >= 3)

        before = processor_time(old)
        n = site.raw_log().count('Start queue run')
        site.wait_for(lambda: site.raw_log().count('Start queue run') >= n + 2)
        assert processor_time(old) - before < 20     # a spinning one has used some hundred
        f.close()
        s.close()
        site.wait_for(lambda: not os.path.exists('/proc/%d' % old))
