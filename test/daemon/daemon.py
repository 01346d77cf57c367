"""A daemon on a site of its own, for one test."""
import contextlib
import os
import resource
import signal
import smtplib
import socket
import subprocess
import tempfile
import time


PRLIMIT = {resource.RLIMIT_NOFILE: 'nofile'}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def service_manager(site, seconds):
    """The socket on which it hears what a service says, and the environment of that service."""
    path = site.path('notify')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        os.chmod(path, 0o777)
        s.settimeout(seconds)
        yield s, dict(os.environ, NOTIFY_SOCKET=path)


class Daemon:
    def __init__(self, site, *options, listen=True, started=True, env=None, port=None,
                 limits=None):
        self.site = site
        self.port = port or free_port()
        argv = [site.binary, '-C', site.conf, '-bdf', '-oP', site.path('pid')]
        argv += (['-oX', '127.0.0.1.%d' % self.port] if listen else []) + list(options)
        self.process = None
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            path = tempfile.mktemp(prefix='ready.', dir=site.top)
            notices.bind(path)
            os.chmod(path, 0o777)
            env = env or dict(os.environ, NOTIFY_SOCKET=path)
            if limits:      # {resource.RLIMIT_…: number}
                argv = ['prlimit'] + ['--%s=%d' % (PRLIMIT[k], n) for k, n in limits.items()] + argv
            self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=site.top,
                                            env=env)
            if started and env['NOTIFY_SOCKET'] == path:
                notices.settimeout(60)
                try:
                    assert notices.recv(100) == b'READY=1'
                except (TimeoutError, AssertionError):
                    self.process.kill()
                    raise

    # --- processes ---
    def children(self, pid):
        with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
            return [int(w) for w in f.read().split()]

    def children_or_none(self, pid):
        try:
            return self.children(pid)
        except FileNotFoundError:       # it has just ended
            return []

    def roles(self, name):
        """Process numbers of the role, children of the master."""
        found = []
        for pid in self.children(self.process.pid):
            try:
                with open('/proc/%d/cmdline' % pid, 'rb') as f:
                    if f.read().split(b'\0')[1:3] == [b'-bI:role', name.encode()]:
                        found.append(pid)
            except OSError:
                pass
        return found

    def status(self, pid, field):
        with open('/proc/%d/status' % pid) as f:
            return next(line.split(None, 1)[1].split() for line in f if line.startswith(field + ':'))

    def signal(self, sig):
        os.kill(self.process.pid, sig)

    def reload(self):
        n = self.site.raw_log().count('daemon started')
        self.signal(signal.SIGHUP)
        self.site.wait_for(lambda: self.site.raw_log().count('daemon started') > n)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # --- SMTP ---
    def client(self, timeout=20):
        return smtplib.SMTP('127.0.0.1', self.port, local_hostname='client.example', timeout=timeout)

    def send(self, *to, sender='a@client.example', text='Subject: test\r\n\r\nbody\r\n'):
        with self.client() as c:
            c.sendmail(sender, list(to), text)

    def connect(self):
        s = socket.create_connection(('127.0.0.1', self.port), 20)
        return s, s.makefile('rb')

    def is_welcoming(self):
        """A new connection is greeted, not refused."""
        s, f = self.connect()
        ok = f.readline().startswith(b'220 ')
        f.close()
        s.close()
        return ok


def stop_all(pids):
    for p in pids:
        try:
            os.kill(p, signal.SIGKILL)
        except OSError:
            pass


def kill_everyone(d):
    """As a power cut, as far as processes are concerned: all die at once."""
    everyone = [d.process.pid] + [p for name in ('smtp', 'queue', 'deliver') for r in d.roles(name) for p in [r] + d.children(r)]
    for pid in everyone:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    d.stop()


def pause(seconds=0.1):
    time.sleep(seconds)
