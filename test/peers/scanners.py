"""Real scanners, each private to a test: ClamAV's daemon with signatures of our own, spamd with rules of our own, rspamd likewise.

They are started as scripts/fetch-scanners unpacked them; none asks the network for anything.
"""
import hashlib
import os
import pwd
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, 'test/servers'))
import private

TREE = os.path.join(os.environ.get('REMEX_SCANNERS') or os.path.join(ROOT, 'build/scanners'), 'root')
DAEMON = pwd.getpwnam('daemon')
NOBODY = pwd.getpwnam('nobody')

# The test file of EICAR, in two pieces so that this one is none; and a text that only our signature knows.
EICAR = b'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-' + b'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
MARK = b'REMEX-TEST-' + b'SIGNATURE-4711'


class Scanner(private.Server):
    def env(self):
        return dict(os.environ, LD_LIBRARY_PATH=':'.join(os.path.join(TREE, d) for d in (
            'usr/lib/x86_64-linux-gnu', 'usr/lib/rspamd')))

    def allow(self):
        """Everybody may read what is here, and the scanner may write."""
        os.chmod(self.dir, 0o777)


class Clamd(Scanner):
    """As another user, in the group of the mail user: so it is on Debian, where clamav is in the group Debian-exim."""

    def __init__(self, folder, more=''):
        super().__init__(folder)
        self.more = more

    def prepare(self):
        self.socket = self.path('clamd.ctl')
        os.mkdir(self.path('db'))
        self.write('db/test.hdb', '%s:%d:Test.Eicar\n' % (hashlib.md5(EICAR).hexdigest(), len(EICAR)))
        self.write('db/test.ndb', 'Test.Mark:0:*:%s\n' % MARK.hex())
        self.write('conf', 'Foreground yes\nLocalSocket %s\nTCPSocket %d\nTCPAddr 127.0.0.1\nDatabaseDirectory %s\n'
                   'TemporaryDirectory %s\n%s' % (self.socket, self.port, self.path('db'), self.dir, self.more))
        self.allow()

    def argv(self):
        return ['setpriv', '--reuid=%d' % DAEMON.pw_uid, '--regid=%d' % NOBODY.pw_gid, '--clear-groups',
                os.path.join(TREE, 'usr/sbin/clamd'), '-c', self.path('conf')]


RULES = '''required_score 5
body REMEX_SPAM /remex-test-spam/
score REMEX_SPAM 6.3
header REMEX_HAM exists:X-Remex-Ham
score REMEX_HAM -2.2
report Content analysis: _SCORE_ of _REQD_ points
report _TESTS_
'''
PLUGINS = ''.join('loadplugin Mail::SpamAssassin::Plugin::%s\n' % p for p in ('Check', 'HeaderEval', 'BodyEval'))


class Spamd(Scanner):
    stop_patience = 10

    def prepare(self):
        self.socket = self.path('spamd.sock')
        os.mkdir(self.path('rules'))
        self.write('rules/local.cf', RULES)
        self.write('rules/test.pre', PLUGINS)
        self.allow()

    def argv(self):
        """One listens to both kinds of sockets."""
        rules = self.path('rules')
        return ['perl', '-T', '-I' + os.path.join(TREE, 'usr/share/perl5'), os.path.join(TREE, 'usr/sbin/spamd'), '-x', '-L',
                '--nouser-config', '-C', rules, '--siteconfigpath=' + rules, '-m', '2', '-s', 'stderr',
                '--listen=' + self.socket, '--listen=127.0.0.1:%d' % self.port, '--socketmode=0666', '-H', self.dir,
                '-u', 'nobody']


RSPAMD = '''options {
  filters = ""; tempdir = "DIR"; rrd = ""; control_socket = "DIR/control mode=0600"; hs_cache_dir = "DIR";
  dns { nameserver = ["127.0.0.1"]; timeout = 0.1s; }
  cache_file = "DIR/cache.map"; history_file = "DIR/history"; url_tld = "DIR/tld";
}
logging { type = "console"; level = "info"; }
worker "normal" { bind_socket = "127.0.0.1:PORT"; bind_socket = "SOCKET mode=0666"; count = 1; }
actions { reject = 15; add_header = 6; greylist = 4; }
lua = "DIR/rules.lua";
'''
LUA = '''
for header, score in pairs({['X-Remex-Spam'] = 16.5, ['X-Remex-Some'] = 6.5}) do
  rspamd_config[header:upper():gsub('-', '_')] = {
    callback = function(task) return task:get_header(header) ~= nil end, score = score, description = 'test', group = 'test'}
end
'''


class Rspamd(Scanner):
    def prepare(self):
        self.socket = self.path('rspamd.sock')
        self.write('tld', 'com\n')
        self.write('rules.lua', LUA)
        self.write('conf', RSPAMD.replace('DIR', self.dir).replace('PORT', str(self.port)).replace('SOCKET', self.socket))
        self.allow()

    def argv(self):
        share = os.path.join(TREE, 'usr/share/rspamd')
        names = {'SHAREDIR': share, 'LUALIBDIR': share + '/lualib', 'RULESDIR': share + '/rules', 'DBDIR': self.dir,
                 'RUNDIR': self.dir, 'LOGDIR': self.dir}
        return ([os.path.join(TREE, 'usr/bin/rspamd'), '-f', '-i', '-c', self.path('conf')] +
                ['--var=%s=%s' % n for n in names.items()])
