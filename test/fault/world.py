"""A daemon that is made to suffer under load, and what has come of the messages: for soak and powercut."""
import glob
import os
import re
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'test/daemon'))
import load                                     # noqa: E402
from daemon import Daemon, free_port            # noqa: E402

Site = load.site_class()
LANES = {'fast lane': '', 'standing lane': 'fast_lane = false\n'}
# All processes keep away from the limits that are for strangers; queue runs come soon.
MAIN = '''smtp_accept_max = 0
queue_run_max = 3
deliver_processes = 4
log_selector = +pid
daemon_startup_retries = 60
daemon_startup_sleep = 1s
'''
RETRY = '* * F,1d,1s'
END_S = 90
TEXT_MAX = 3000      # of what went wrong


class Failed(Exception):
    pass


class World:
    """A site and its daemon, which may have to be started again."""

    def __init__(self, tools, main):
        self.tools, self.main = tools, main
        self.site = Site(tools.binary)
        self.port = free_port()
        self.daemon = None
        self.orphans = set()        # of masters that were killed
        self.configure()

    def configure(self, more=''):
        self.site.configure(MAIN + self.main + more, routers=load.ROUTERS, transports=load.TRANSPORTS, retry=RETRY)

    def start(self):
        end = time.monotonic() + END_S
        while True:
            try:
                self.daemon = Daemon(self.site, '-q1s', port=self.port)
                return
            except AssertionError:
                if time.monotonic() > end:
                    raise
            except TimeoutError:
                pass

    def everyone(self):
        """All processes of the daemon but the master."""
        return descendants(self.daemon.process.pid)

    def victims(self, kind):
        d = self.daemon
        if kind == 'master':
            return [d.process.pid]
        if kind == 'worker':
            return [p for r in d.roles('deliver') for p in d.children_or_none(r)]
        return d.roles(kind)

    def stop(self):
        leave = self.everyone()
        try:
            self.daemon.stop()
        except subprocess.TimeoutExpired:
            pass
        wait_gone(leave | self.orphans)
        self.daemon = None

    def close(self):
        if self.daemon is not None:
            self.stop()
        if self.tools.keep:
            print('# kept: ' + self.site.top)
        else:
            self.site.close()


def descendants(pid):
    found, todo = set(), [pid]
    while todo:
        one = todo.pop()
        try:
            with open('/proc/%d/task/%d/children' % (one, one)) as f:
                more = [int(w) for w in f.read().split()]
        except OSError:
            continue
        found.update(more)
        todo.extend(more)
    return found


def those_in(top):
    """Processes whose working directory is below top."""
    found = set()
    for pid in os.listdir('/proc'):
        try:
            if pid.isdigit() and os.readlink('/proc/%s/cwd' % pid).startswith(top):
                found.add(int(pid))
        except OSError:
            pass
    return found


def is_alive(pid):
    """Not one that has ended and whom nobody has asked for its status."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def wait_gone(pids, seconds=20):
    """They end by themselves; who does not is made to."""
    end = time.monotonic() + seconds
    while pids and time.monotonic() < end:
        pids = {p for p in pids if is_alive(p)}
        time.sleep(0.05)
    for p in pids:
        kill(p)
    return pids


def kill_all(world, pids):
    """Them, and who was started by one of them meanwhile: all of them work in the spool."""
    while pids:
        for pid in pids:
            kill(pid)
        wait_gone(pids)
        pids = those_in(world.site.top)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


# --- what has come of it ---

def settle(world, sent):
    """Until all that was acknowledged is there and nothing is left to do."""
    site, end = world.site, time.monotonic() + END_S
    while True:
        left = load.missing(site, sent)
        queue = site.run('-bpc').out.strip()
        if not left and queue == '0':
            return
        if time.monotonic() > end:
            raise Failed('%s\n%d of %d not delivered: %r; %s in the queue\n%s' % (
                tail(site, 10), len(left), len(sent), left[:5], queue, at_work(site.top)))
        time.sleep(0.2)


def tail(site, n):
    return '\n'.join(site.raw_log().splitlines()[-n:])


def at_work(top):
    """Processes that have something of the site open: what they are, what they wait for."""
    lines = []
    for pid in (p for p in os.listdir('/proc') if p.isdigit()):
        try:
            files = [os.readlink(f) for f in glob.glob('/proc/%s/fd/*' % pid)]
            files = [f[len(top):] for f in files if f.startswith(top)]
            with open('/proc/%s/cmdline' % pid) as f, open('/proc/%s/wchan' % pid) as w, open('/proc/%s/stat' % pid) as s:
                if files:
                    lines.append('%s of %s: %s, waits in %s: %s' % (
                        pid, s.read().rsplit(')', 1)[1].split()[1], f.read().replace('\0', ' '), w.read(), files[:6]))
        except OSError:
            pass
    return '\n'.join(lines)


def traces(site, bad):
    """The lines of the log about the first message that is wrong."""
    tag = bad[0].split(': ')[1]
    ids = set()
    for box in ('mail/mb',):
        text = site.read(box)
        at = text.find('Subject: %s\n' % tag)
        while at >= 0:
            ids.update(w for w in text[max(0, at - 600):at].split() if len(w) in (16, 23) and w.count('-') == 2)
            at = text.find('Subject: %s\n' % tag, at + 1)
    log = site.raw_log()
    where = [(m.start(), m.group(1)) for m in re.finditer(r'(?m)^Subject: (\S+)$', site.read('mail/mb'))]
    try:
        notes = os.getxattr(site.path('mail/mb'), 'user.remex.appended').decode()
    except OSError as e:
        notes = str(e)
    twice = [n for n, (_, t) in enumerate(where) if t == tag]
    around = [where[max(0, n - 2):n + 3] for n in twice]
    return 'around: %r\nremembered:\n%s\n' % (around, notes) + '\n'.join(l for l in log.splitlines() if any(i in l for i in ids))


def judge(world, sent):
    """All that was acknowledged is there once."""
    settle(world, sent)
    bad = load.wrong(world.site)
    if bad:
        raise Failed('in a mailbox twice or torn: %r\n%s' % (bad[:10], traces(world.site, bad)))


def run_all(runs):
    """TAP for pairs of a name and what does it and says what was done -> exit status."""
    passed = failed = 0
    for name, do in runs:
        began = time.monotonic()
        try:
            said = do()
            passed += 1
            print('ok %d - %s: %s, %.0f s' % (passed + failed, name, said, time.monotonic() - began), flush=True)
        except (Failed, AssertionError, OSError, subprocess.SubprocessError) as e:
            failed += 1
            print('not ok %d - %s\n#   %s' % (passed + failed, name, str(e)[-TEXT_MAX:].replace('\n', '\n#   ')), flush=True)
    print('%d passed, %d failed' % (passed, failed))
    return 0 if failed == 0 else 1
