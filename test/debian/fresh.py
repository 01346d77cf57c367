"""A fresh Debian 12 with the packages of this working copy: made once by debootstrap and kept; each run works on a layer over it."""
import fcntl
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import namespaces

MIRROR = os.environ.get('REMEX_MIRROR') or 'http://deb.debian.org/debian'
SUITE = 'bookworm'
PROGRAMS = {'debootstrap': 'debootstrap', 'dpkg-buildpackage': 'dpkg-dev', 'dh': 'debhelper', 'po2debconf': 'po-debconf', 'tmux': 'tmux',
            'openssl': 'openssl', 'ip': 'iproute2', 'lintian': 'lintian'}
PACKAGES = ('remex', 'remex-config', 'remex-exim-compat', 'remex-doc')
# What a lecture has besides, and what debconf shows questions with.
TOOLS = ('adduser', 'clamav-daemon', 'debconf', 'debconf-i18n', 'debconf-utils', 'iproute2', 'locales', 'logrotate', 'mutt', 'perl', 'systemd', 'systemd-sysv', 'whiptail')
LOCALE = 'ko_KR'
SINK = '192.0.2.1'


class Unable(Exception):
    """There can be no fresh Debian here, and why."""


def run(argv, **more):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', **more)
    assert p.returncode == 0, '%s ended with %d:\n%s' % (argv, p.returncode, p.stdout[-4000:])
    return p.stdout


def wait_for(holds, what, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, 'not within %d s: %s' % (seconds, what)
        time.sleep(0.05)


def need_programs():
    missing = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    if missing:
        raise Unable('packages are missing: ' + ' '.join(missing))
    if os.geteuid() != 0:
        raise Unable('a fresh Debian is made as root')


# --- the packages ---

def built_packages(work, prebuilt=None):
    """Builds the packages in a copy of the working copy; from the programs of the folder `prebuilt`, when there is one."""
    source = work + '/packages/remex'
    shutil.rmtree(work + '/packages', ignore_errors=True)
    os.makedirs(source)
    names = run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT)
    archive = work + '/packages/remex.tar'
    run(['tar', '--null', '-T', '-', '-cf', archive], cwd=ROOT, input=names)
    run(['tar', '-xf', archive, '-C', source])
    more = {'REMEX_PREBUILT': os.path.abspath(prebuilt), 'DEB_BUILD_OPTIONS': 'noautodbgsym'} if prebuilt else {}
    run(['dpkg-buildpackage', '-b', '-us', '-uc', '-d'], cwd=source, env=dict(os.environ, **more))
    return work + '/packages'


def package_file(folder, package):
    found = glob.glob('%s/%s_*.deb' % (folder, package))
    if len(found) != 1:
        raise Unable('%s: one %s_*.deb expected: %s' % (folder, package, found))
    return found[0]


def needs(folder):
    """The names of what the packages depend on, of each choice the first."""
    found = set()
    for package in PACKAGES:
        for word in run(['dpkg-deb', '-f', package_file(folder, package), 'Depends']).split(','):
            name = word.split('|')[0].split('(')[0].strip()
            if name and not name.startswith('remex'):
                found.add(name)
    return found


# --- the fresh system ---

def bootstrapped(base):
    """debootstrap's system at `base`, which is whole or not there."""
    if os.path.isdir(base):
        return
    new = base + '.new'
    shutil.rmtree(new, ignore_errors=True)
    try:
        run(['debootstrap', '--variant=minbase', SUITE, new, MIRROR])
    except AssertionError as e:
        raise Unable('debootstrap from %s: %s' % (MIRROR, e))
    os.rename(new, base)


def fresh_debian(cache, packages):
    """The folder of a system with these packages. It is made where it is not there; others wait meanwhile."""
    os.makedirs(cache, exist_ok=True)
    base, stamp = '%s/%s' % (cache, SUITE), '%s/%s.packages' % (cache, SUITE)
    wanted = ' '.join(sorted(set(packages) | set(TOOLS)))
    with open(cache + '/lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(stamp) and open(stamp).read() == wanted:
            return base
        bootstrapped(base)
        m = Machine(base)
        m.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)
        shutil.copy('/etc/resolv.conf', m.path('/etc/resolv.conf'))
        try:
            m.sh('apt-get -q update; apt-get install -q -y --no-install-recommends %s; apt-get clean' % wanted)
        except AssertionError as e:
            raise Unable('the packages from %s: %s' % (MIRROR, e))
        m.sh('localedef -i %s -f UTF-8 %s.UTF-8' % (LOCALE, LOCALE))
        m.sh('for u in anna ben; do id $u >/dev/null 2>&1 || useradd -m -s /bin/bash $u; done')
        with open(stamp, 'w') as f:
            f.write(wanted)
    return base


class Machine:
    ENVIRONMENT = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'DEBIAN_FRONTEND': 'noninteractive', 'LANG': 'C.UTF-8', 'HOME': '/root'}

    def __init__(self, root):
        self.root = root

    def sh(self, command, text='', user=None):
        """What a command says; one that fails is an error."""
        argv = ['runuser', '-l', user, '-c', command] if user else ['sh', '-ec', command]
        return run(['chroot', self.root] + argv, input=text, env=self.ENVIRONMENT)

    def path(self, name):
        return self.root + name

    def read(self, name):
        try:
            with open(self.path(name), encoding='utf-8', errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def write(self, name, text, mode=0o644):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def files(self):
        """All that is not of apt and dpkg, or made by programs that list others."""
        left = ('/proc', '/sys', '/dev', '/tmp', '/run', '/var/lib/dpkg', '/var/lib/apt', '/var/cache', '/var/log', '/root', '/var/mail')
        found = set()
        for folder, folders, names in os.walk(self.root):
            here = folder[len(self.root):]
            folders[:] = [d for d in folders if here + '/' + d not in left]
            found.update(here + '/' + n for n in names + folders)
        return found

    def answer(self, values):
        """Preseeds the answers; a file of answers would win over them."""
        if os.path.exists(self.path('/etc/remex/update-remex.conf.conf')):
            os.unlink(self.path('/etc/remex/update-remex.conf.conf'))
        self.sh('debconf-set-selections', preseed(values))

    def configure(self, values):
        self.answer(values)
        self.sh('dpkg-reconfigure -f noninteractive remex-config')

    def log(self):
        return self.read('/var/log/remex/mainlog')

    def daemon(self):
        """Starts it, or lets it read its configuration anew."""
        self.stop()
        before = self.log().count('End queue run')
        self.sh('install -d /run/remex; remex -bd -q1m')
        wait_for(lambda: self.log().count('End queue run') > before, 'the daemon starts')

    def stop(self):
        pid = self.read('/var/spool/remex/exim-daemon.pid').strip()
        if pid:
            os.kill(int(pid), signal.SIGTERM)
            wait_for(lambda: not os.path.exists('/proc/' + pid), 'the daemon ends')

    def send(self, to, user='anna'):
        self.sh("runuser -u %s -- sendmail -oi '%s'" % (user, to), 'Subject: to %s\n\nbody\n' % to)


DEFAULTS = {'dc_eximconfig_configtype': 'local', 'mailname': 'home.example', 'dc_other_hostnames': 'home.example', 'dc_local_interfaces': '127.0.0.1',
            'dc_relay_domains': '', 'dc_relay_nets': '', 'dc_smarthost': '', 'hide_mailname': 'false', 'dc_readhost': '', 'dc_minimaldns': 'false',
            'dc_localdelivery': 'mail_spool', 'use_split_config': 'false', 'dc_postmaster': 'anna'}
KINDS = {'dc_eximconfig_configtype': 'select', 'dc_localdelivery': 'select', 'hide_mailname': 'boolean', 'dc_minimaldns': 'boolean',
         'use_split_config': 'boolean'}


def preseed(values):
    return ''.join('remex-config remex/%s %s %s\n' % (n, KINDS.get(n, 'string'), v) for n, v in dict(DEFAULTS, **values).items())


def own_network():
    """From here on this process has a network, mounts and a host name of its own; the host of the tests' mail has an address."""
    namespaces.enter(namespaces.NEWUTS)
    socket.sethostname('mail')
    run(['ip', 'address', 'add', SINK + '/32', 'dev', 'lo'])


def layered(base, layer):
    """A machine whose changes to `base` go to the folder `layer`; for this process and its children."""
    shutil.rmtree(layer, ignore_errors=True)
    for name in ('upper', 'work', 'root'):
        os.makedirs('%s/%s' % (layer, name))
    root = layer + '/root'
    run(['mount', '-t', 'overlay', 'remex-debian', '-o', 'lowerdir=%s,upperdir=%s/upper,workdir=%s/work' % (base, layer, layer), root])
    run(['mount', '-t', 'proc', 'proc', root + '/proc'])
    m = Machine(root)
    m.write('/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
    m.write('/etc/hosts', '127.0.0.1 localhost\n127.0.1.1 mail.home.example mail\n')
    m.write('/etc/hostname', 'mail\n')
    for name in ('null', 'zero', 'urandom', 'random', 'tty'):
        if not os.path.exists(root + '/dev/' + name):
            run(['cp', '-a', '/dev/' + name, root + '/dev/' + name])
    return m


def install(m, packages):
    """m.fresh is what was there before."""
    m.fresh = m.files()
    for package in PACKAGES:
        shutil.copy(package_file(packages, package), m.path('/root'))
    m.answer({})
    m.sh('apt-get install -q -y --no-install-recommends /root/*.deb')
