"""A private site for one test: configuration, spool, logs, mailboxes."""
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time

MESSAGE_ID = r'[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{11}-[0-9A-Za-z]{4}|[0-9A-Za-z]{6}-[0-9A-Za-z]{2})(?![0-9A-Za-z])'
STAMP = r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d '

MAIN = '''primary_hostname = mx.example.org
qualify_domain = example.org
spool_directory = {top}/spool
log_file_path = {top}/log/%slog
keep_environment =
never_users =
exim_user = {uid}
exim_group = {gid}
trusted_users = {caller}
acl_smtp_rcpt = accept
{main}
begin routers
{routers}
begin transports
{transports}
begin retry
{retry}
{more}
'''

ROUTERS = '''
local:
  driver = accept
  transport = mbox
'''

TRANSPORTS = '''
mbox:
  driver = appendfile
  file = {top}/mail/${{if def:local_part_data{{$local_part_data}}{{${{lookup{{$local_part}}dsearch,filter=file{{{top}/names}}{{$value}}{{anybody}}}}}}}}
  user = {uid}
  group = {gid}
'''


class Result:
    def __init__(self, p):
        self.status, self.out, self.err = p.returncode, p.stdout, p.stderr


class Site:
    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.root = os.geteuid() == 0
        nobody = pwd.getpwnam('nobody')
        self.uid = nobody.pw_uid if self.root else os.getuid()
        self.gid = nobody.pw_gid if self.root else os.getgid()
        self.login = pwd.getpwuid(os.getuid()).pw_name
        self.user = pwd.getpwuid(self.uid).pw_name
        self.top = tempfile.mkdtemp(prefix='remex-test-')
        os.chmod(self.top, 0o755)
        for d in ('spool', 'log', 'mail', 'names', 'home'):
            self.mkdir(d)
        self.conf = self.top + '/conf'

    # --- files ---
    def path(self, name):
        return os.path.join(self.top, name)

    def own(self, path):
        if self.root:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def mkdir(self, name, mode=0o755):
        os.mkdir(self.path(name), mode)
        self.own(self.path(name))

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        self.own(path)
        return path

    def read(self, name):
        try:
            with open(self.path(name), 'rb') as f:
                return f.read().decode('latin-1')
        except FileNotFoundError:
            return ''

    # --- configuration ---
    def fill(self, text):
        """{top}, {uid}, {gid}, {user}, {login} stand for this site's."""
        for word in ('top', 'uid', 'gid', 'user', 'login'):
            text = text.replace('{%s}' % word, str(getattr(self, word)))
        return text

    def configure(self, main='', routers=None, transports=None, retry='* * F,1d,10m', more=''):
        text = MAIN.format(
            top=self.top, uid=self.uid, gid=self.gid, caller=self.login, main=self.fill(main),
            routers=self.fill(ROUTERS if routers is None else routers),
            transports=TRANSPORTS.format(top=self.top, uid=self.uid, gid=self.gid)
            if transports is None else self.fill(transports),
            retry=retry, more=self.fill(more))
        with open(self.conf, 'w') as f:
            f.write(text)
        os.chmod(self.conf, 0o644)

    # --- running ---
    def run(self, *args, stdin=b'', timeout=60, name=None, env=None):
        argv = [self.binary if name is None else os.path.join(os.path.dirname(self.binary), name),
                '-C', self.conf] + list(args)
        if isinstance(stdin, str):
            stdin = stdin.encode()
        p = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                           cwd=self.top, env=env)
        p.stdout, p.stderr = p.stdout.decode('latin-1'), p.stderr.decode('latin-1')
        return Result(p)

    def send(self, *recipients, text='Subject: test\n\nbody\n', options=('-odf',), expect=0):
        r = self.run(*options, *recipients, stdin=text)
        assert r.status == expect, (r.status, r.out, r.err)
        return r

    def wait_for(self, what, seconds=90):
        """Until what() is true: deliveries in the background. The bound is for what never comes, not for what is slow."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return
            time.sleep(0.02)
        raise AssertionError('nothing happened: ' + self.read('log/mainlog') + self.read('log/paniclog'))

    # --- what came of it ---
    def raw_log(self, which='main'):
        return self.read('log/%slog' % which)

    def log(self, which='main'):
        """Lines without stamps; message ids in order of appearance; sizes and pids as N."""
        ids = {}

        def name(m):
            return ids.setdefault(m.group(0), 'ID%d' % (len(ids) + 1))
        lines = []
        for line in self.raw_log(which).splitlines():
            line = re.sub(STAMP, '', line)
            line = re.sub(MESSAGE_ID, name, line)
            line = re.sub(r' S=\d+', ' S=N', line)
            line = re.sub(r'pid=\d+', 'pid=N', line)
            lines.append(line.replace(self.top, 'TOP'))
        return lines

    def mail(self, name):
        return self.read('mail/' + name)

    def maildir(self, name):
        """The texts of the messages in new/."""
        new = self.path(name + '/new')
        names = sorted(os.listdir(new)) if os.path.isdir(new) else []
        return [self.read('%s/new/%s' % (name, n)) for n in names]

    def queue(self):
        """Ids of the messages in the queue, in order."""
        found = set()
        for d, _, files in os.walk(self.path('spool')):
            if os.path.basename(d) == 'input' or os.path.basename(os.path.dirname(d)) == 'input':
                found |= {f[:-2] for f in files if f.endswith('-H')}
        return sorted(found)

    def completed(self, n=1):
        return self.raw_log().count(' Completed') >= n

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)
