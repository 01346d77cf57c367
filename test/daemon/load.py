"""Clients that send without a pause and know what was acknowledged to them, and what came of it."""
import glob
import importlib.util
import os
import re
import threading
import time


def site_class():
    """Site of test/mainjob/site.py, whose name another module has."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../mainjob/site.py')
    spec = importlib.util.spec_from_file_location('remex_site', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Site


MBOX, MAILDIR = 'mb', 'md'
TRANSPORTS = '''
mbox:
  driver = appendfile
  file = {top}/mail/mb
  user = {uid}
  group = {gid}
  use_lockfile = false
  lock_fcntl_timeout = 20s
maildir:
  driver = appendfile
  directory = {top}/mail/md
  maildir_format
  user = {uid}
  group = {gid}
'''
ROUTERS = '''
maildir:
  driver = accept
  local_parts = md
  transport = maildir
mbox:
  driver = accept
  transport = mbox
'''
BODY = ''.join('line %d of the body\r\n' % i for i in range(40)) + 'END\r\n'


class Client(threading.Thread):
    """Sends until it is told to stop. What it sent is in `sent` (tag -> recipients) once it was acknowledged."""

    def __init__(self, connect, name, each=3, pause_s=0.0):
        super().__init__(daemon=True)
        self.connect, self.name_of, self.each, self.pause_s = connect, name, each, pause_s
        self.stop = False
        self.n = 0
        self.sent = {}
        self.lost = []      # sessions that broke off: own port, what was said of it
        self.refused = 0    # connections that did not come about

    def one(self, c):
        self.n += 1
        tag = '%s-%d' % (self.name_of, self.n)
        to = ((MBOX,), (MAILDIR,), (MBOX, MAILDIR))[self.n % 3]
        c.sendmail('s@client.example', [t + '@example.org' for t in to], 'Subject: %s\r\n\r\n%s' % (tag, BODY))
        self.sent[tag] = to

    def session(self):
        try:
            c = self.connect().client(timeout=30)
        except (OSError, EOFError):
            self.refused += 1
            time.sleep(0.05)
            return
        except Exception as e:      # smtplib: it was accepted and then dropped
            self.lost.append((0, repr(e)))
            return
        port = c.sock.getsockname()[1]
        try:
            for _ in range(self.each):
                self.one(c)
            c.quit()
        except Exception as e:
            self.lost.append((port, repr(e)))
            c.close()

    def run(self):
        while not self.stop:
            self.session()
            time.sleep(self.pause_s)


class Load:
    """Several clients; used with `with`. connect gives the daemon to talk to."""

    def __init__(self, connect, clients=4, prefix='c', **how):
        self.clients = [Client(connect, '%s%d' % (prefix, i), **how) for i in range(clients)]

    def __enter__(self):
        for c in self.clients:
            c.start()
        return self

    def stop(self):
        for c in self.clients:
            c.stop = True

    def __exit__(self, *_):
        self.stop()
        for c in self.clients:
            c.join(60)

    def sent(self):
        return {tag: to for c in self.clients for tag, to in list(c.sent.items())}

    def lost(self):
        return [x for c in self.clients for x in c.lost]

    def refused(self):
        return sum(c.refused for c in self.clients)


def in_mbox(site):
    """Tags in the order of the file. A message that is torn is named as such."""
    parts = re.split(r'(?m)^(?=From \S+ \w{3} \w{3} [ \d]\d )', site.read('mail/mb'))
    return [tag_of(p, 'END\n\n') for p in parts if p != '']


def in_maildir(site):
    return [tag_of(site.read('mail/md/%s/%s' % (folder, name)), 'END\n') for folder in ('new', 'cur')
            for name in (os.listdir(site.path('mail/md/' + folder)) if os.path.isdir(site.path('mail/md/' + folder)) else [])]


def tag_of(text, end):
    m = re.search(r'(?m)^Subject: (\S+)$', text)
    return (m.group(1) if m else '?') if text.endswith(end) else 'torn: %r ... %r' % (text[:60], text[-60:])


def missing(site, sent):
    """Pairs of tag and mailbox that are not there."""
    have = {MBOX: set(in_mbox(site)), MAILDIR: set(in_maildir(site))}
    return [(tag, to) for tag, tos in sent.items() for to in tos if tag not in have[to]]


def wrong(site):
    """What is in a mailbox twice, or torn."""
    bad = []
    for box, tags in ((MBOX, in_mbox(site)), (MAILDIR, in_maildir(site))):
        seen = set()
        for t in tags:
            if t in seen or t.startswith('torn'):
                bad.append('%s: %s' % (box, t))
            seen.add(t)
    return bad


def ports_of(pid, port):
    """The clients' ports of the sessions on our port that the process holds."""
    inodes = set()
    for link in glob.glob('/proc/%d/fd/*' % pid):
        try:
            inodes.add(os.readlink(link))
        except OSError:
            pass
    found = set()
    with open('/proc/net/tcp') as f:
        for line in f.readlines()[1:]:
            w = line.split()
            if int(w[1].split(':')[1], 16) == port and 'socket:[%s]' % w[9] in inodes:
                found.add(int(w[2].split(':')[1], 16))
    return found
