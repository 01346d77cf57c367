"""Servers of test lookups: each runs privately in a folder of its own, on loopback and UNIX sockets only.

The programs come from scripts/fetch-servers. A server is a child of the test and is ended by its process id;
`with` does both. Ready means: it accepted a connection.
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SERVERS = os.environ.get('REMEX_SERVERS') or os.path.join(ROOT, 'build/servers')
READY_S = 30


def program(name):
    return os.path.join(SERVERS, 'bin', name)


def tree(path):
    return os.path.join(SERVERS, 'root', path)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def accepts(where):
    family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        try:
            s.connect(where)
            return True
        except OSError:
            return False


def certificate(folder):
    """Writes server.key and server.pem, for 127.0.0.1, signed by itself."""
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-keyout', 'server.key', '-out', 'server.pem', '-days', '2', '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=IP:127.0.0.1'], cwd=folder, check=True, stderr=subprocess.DEVNULL)


class Server:
    """A program in the foreground; `prepare` writes its files, `argv` starts it."""

    stop_signal = signal.SIGTERM
    own_session = False     # it signals its process group

    def __init__(self, folder):
        self.dir = os.path.join(folder, type(self).__name__.lower())
        self.port = free_port()
        self.child = None

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        return self.path(name)

    def env(self):
        return dict(os.environ, LD_LIBRARY_PATH=tree('usr/lib/x86_64-linux-gnu'))

    def run(self, argv, text=''):
        p = subprocess.run(argv, input=text, env=self.env(), text=True, cwd=self.dir,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if p.returncode != 0:
            raise RuntimeError('%s: status %d\n%s' % (argv[0], p.returncode, p.stdout))

    def __enter__(self):
        os.mkdir(self.dir)
        self.prepare()
        self.start()
        return self

    def start(self):
        with open(self.path('log'), 'w', encoding='utf-8') as log:
            self.child = subprocess.Popen(self.argv(), env=self.env(), cwd=self.dir, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=self.own_session)
        end = time.monotonic() + READY_S
        while not self.ready():
            if self.child.poll() is not None or time.monotonic() > end:
                self.stop()
                with open(self.path('log'), encoding='utf-8', errors='replace') as log:
                    raise RuntimeError('%s does not start\n%s' % (type(self).__name__, log.read()))
            time.sleep(0.02)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(self.stop_signal)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ready(self):
        return accepts(self.socket) and accepts(('127.0.0.1', self.port))


class Slapd(Server):
    """OpenLDAP's server with the entries of ldap.ldif below o=test; cn=admin,o=test has the password secret."""

    def prepare(self):
        self.socket = self.path('ldap.sock')
        self.tls_port = free_port()
        os.mkdir(self.path('db'))
        certificate(self.dir)
        schemas = ''.join('include %s\n' % tree('etc/ldap/schema/%s.schema' % s)
                          for s in ('core', 'cosine', 'inetorgperson'))
        self.conf = self.write('slapd.conf', schemas + '''
modulepath {modules}
moduleload back_mdb
TLSCertificateFile {dir}/server.pem
TLSCertificateKeyFile {dir}/server.key
sizelimit 4
database mdb
maxsize 10485760
suffix o=test
rootdn cn=admin,o=test
rootpw secret
directory {dir}/db
'''.format(modules=tree('usr/lib/ldap'), dir=self.dir))
        with open(os.path.join(HERE, 'ldap.ldif'), encoding='utf-8') as f:
            self.run([tree('usr/sbin/slapadd'), '-f', self.conf, '-q'], f.read())

    def argv(self):
        return [program('slapd'), '-d', '0', '-f', self.conf,
                '-h', 'ldap://127.0.0.1:%d ldaps://127.0.0.1:%d ldapi://%s' % (
                    self.port, self.tls_port, self.socket.replace('/', '%2F'))]


class Redis(Server):
    """redis-server with the password secret."""

    def prepare(self):
        self.socket = self.path('redis.sock')

    def argv(self):
        return [program('redis-server'), '--port', str(self.port), '--bind', '127.0.0.1', '--unixsocket',
                self.socket, '--requirepass', 'secret', '--save', '', '--appendonly', 'no', '--daemonize', 'no']


class Mariadb(Server):
    """MariaDB with the database test, the user u and the password secret."""

    def prepare(self):
        self.socket = self.path('mysql.sock')
        os.mkdir(self.path('data'))
        os.mkdir(self.path('data/mysql'))
        share = tree('usr/share/mysql')
        sql = ['create database if not exists mysql;', 'use mysql;']
        for name in ('mysql_system_tables.sql', 'mysql_system_tables_data.sql'):
            with open(os.path.join(share, name), encoding='utf-8') as f:
                sql.append(f.read())
        self.options = ['--no-defaults', '--datadir=' + self.path('data'), '--lc-messages-dir=' + share,
                        '--character-sets-dir=' + os.path.join(share, 'charsets'), '--skip-log-bin',
                        '--plugin-dir=' + tree('usr/lib/mysql/plugin'), '--innodb-buffer-pool-size=8M',
                        '--innodb-log-file-size=4M', '--innodb-flush-log-at-trx-commit=0', '--tmpdir=' + self.dir]
        if os.geteuid() == 0:
            self.options.append('--user=root')
        self.run([program('mariadbd')] + self.options + ['--bootstrap'], '\n'.join(sql))
        self.init = self.write('init.sql', "create database test;\ncreate user u@'%' identified by 'secret';\n"
                               "grant all on test.* to u@'%';\n")  # a statement a line

    def argv(self):
        return [program('mariadbd')] + self.options + [
            '--socket=' + self.socket, '--port=%d' % self.port, '--bind-address=127.0.0.1',
            '--init-file=' + self.init, '--skip-name-resolve', '--performance-schema=off']


class Postgres(Server):
    """PostgreSQL with the database test, the user u and the password secret. It refuses to run as root."""

    stop_signal = signal.SIGINT     # not to wait for its clients

    def prepare(self):
        self.socket = self.path('.s.PGSQL.%d' % self.port)
        self.as_user = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam('nobody')
            self.as_user = ['setpriv', '--reuid=%d' % nobody.pw_uid, '--regid=%d' % nobody.pw_gid, '--clear-groups']
            os.chown(self.dir, nobody.pw_uid, nobody.pw_gid)
        bin_dir = os.path.dirname(os.path.realpath(program('postgres')))
        password = self.write('password', 'secret\n')
        os.chmod(password, 0o644)
        self.run(self.as_user + [os.path.join(bin_dir, 'initdb'), '-D', self.path('data'), '-U', 'u', '-A', 'md5',
                                 '--pwfile=' + password, '--no-locale', '-E', 'UTF8', '--no-sync', '--no-instructions'])
        self.run(self.as_user + [os.path.join(bin_dir, 'postgres'), '--single', '-D', self.path('data'), 'postgres'],
                 'create database test\n')

    def argv(self):
        return self.as_user + [
            os.path.realpath(program('postgres')), '-D', self.path('data'), '-p', str(self.port), '-k', self.dir,
            '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-c', 'jit=off', '-c', 'shared_buffers=1MB']

    def ready(self):
        """It listens before it answers."""
        with open(self.path('log'), encoding='utf-8', errors='replace') as log:
            return 'ready to accept connections' in log.read() and super().ready()
