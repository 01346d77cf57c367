"""The machine on which the tests of the set-up run: its users, names, folders. Made once by `run`, used by the tests."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import namespaces
from names import A, AAAA, MX, PTR, TXT, Names, reversed_name

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.environ.get('REMEX_PEERS') or os.path.join(ROOT, 'build/peers')
PEER_ROOT = os.path.join(PEERS, 'root')

PASSWD = '''root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
uucp:x:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
Debian-exim:x:102:105::/var/spool/exim4:/usr/sbin/nologin
remex:x:103:106::/var/spool/remex:/usr/sbin/nologin
anna:x:1000:1000:Anna Example,,,:/home/anna:/bin/sh
ben:x:1001:1001:Ben Example:/home/ben:/bin/sh
carl:x:1002:1002::/home/carl:/bin/sh
dora:x:1003:1003::/home/dora:/bin/sh
emil:x:1004:1004::/home/emil:/bin/sh
'''
GROUP = '''root:x:0:
daemon:x:1:
bin:x:2:
mail:x:8:
uucp:x:10:
www-data:x:33:
nogroup:x:65534:
Debian-exim:x:105:
remex:x:106:
anna:x:1000:
ben:x:1001:
carl:x:1002:
dora:x:1003:
emil:x:1004:
'''
USERS = {'anna': 1000, 'ben': 1001, 'carl': 1002, 'dora': 1003, 'emil': 1004}

FILES = {
    'hosts': '127.0.0.1 localhost\n127.0.1.1 mail.home.example mail\n::1 localhost ip6-localhost\n',
    'resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
    'mailname': 'home.example\n',
    'passwd': PASSWD,
    'group': GROUP,
    'aliases': '''# the usual, and more
mailer-daemon: postmaster
postmaster: root
nobody: root
www: root
abuse: root
team: anna, ben, someone@far.example
boss: anna
outside: user@two.example
loop-a: loop-b
loop-b: loop-a
gone: :fail: has left
busy: :defer: not now
hole: :blackhole:
piped: "|/bin/cat"
filed: /var/tmp/box
bad line
quoted: "odd name"@far.example
''',
    'email-addresses': 'anna: anna@provider.example\nben: ben.example@provider.example\n',
}

FORWARD = {
    'ben': 'ben@far.example, \\ben\n',
    'carl': '# Exim filter\nif $h_subject: contains "x" then save $home/mail/x endif\n',
    'dora': 'dora@two.example\n"|/usr/bin/vacation dora"\n/home/dora/copy\n',
    'emil': 'this is (not an address\nemil@far.example\n',
}

HOSTS = {'mx1.far.example': '192.0.2.1', 'mx2.far.example': '192.0.2.2', 'hub.example': '198.51.100.1',
         'smart.example': '198.51.100.2', 'alone.example': '192.0.2.9', 'inside.example': '192.168.7.1',
         'mx.good.example': '192.0.2.40', 'relay.example': '10.1.1.1', 'mail.home.example': '127.0.1.1', 'listed.example': '192.0.2.66'}
RECORDS = {
    'far.example': [(MX, '10 mx1.far.example'), (MX, '20 mx2.far.example')],
    'two.example': [(MX, '5 mx2.far.example')],
    'private.example': [(MX, '10 inside.example')],
    'relay.example': [(MX, '10 relay.example')],
    'backup.example': [(MX, '10 inside.example'), (MX, '20 mail.home.example')],
    'nomail.example': [(MX, '0 ')],
    'broken.example': [(MX, '10 nowhere.example')],
    'good.example': [(MX, '10 mx.good.example')],
    'home.example': [(MX, '10 mx.good.example')],
    'four.example': [(MX, '10 four.example'), (A, '192.0.2.40')],
    'mx.good.example': [(AAAA, '2001:db8::40')],
    reversed_name('2001:db8::40'): [(PTR, 'mx.good.example')],
    reversed_name('192.0.2.42'): [(PTR, 'stray.good.example')],
    'six.example': [(AAAA, '2001:db8::25')],
    'sixinside.example': [(AAAA, 'fd00::25')],
    'spf.example': [(A, '192.0.2.1'), (TXT, 'v=spf1 -all')],
    'text.example': [(TXT, 'no address here')],
    'spf.example': [(TXT, 'v=spf1 ip4:192.0.2.1 -all'), (A, '192.0.2.1')],
    # DNS lists
    '66.2.0.192.ip.list.example': [(A, '127.0.0.2'), (TXT, 'known sender of junk')],
    'far.example.domain.list.example': [(A, '127.0.0.3'), (TXT, 'known domain')],
}


def name_server():
    records = dict(RECORDS)
    for host, address in HOSTS.items():
        records[host] = records.get(host, []) + [(A, address)]
        records[reversed_name(address)] = [(PTR, host)]
    return Names(records)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def furnish_etc(top):
    etc = top + '/etc'
    shutil.copytree('/etc', etc, symlinks=True, ignore=shutil.ignore_patterns('exim*', 'remex', 'postfix', 'mail'))
    for name, text in FILES.items():
        if os.path.lexists('%s/%s' % (etc, name)):
            os.unlink('%s/%s' % (etc, name))
        write('%s/%s' % (etc, name), text)
    shutil.copytree(PEER_ROOT + '/etc/exim4', etc + '/exim4') if os.path.isdir(PEER_ROOT) else None
    os.mkdir(etc + '/remex')


def furnish_homes(top):
    for user, uid in USERS.items():
        home = '%s/home/%s' % (top, user)
        os.makedirs(home)
        if user in FORWARD:
            write(home + '/.forward', FORWARD[user])
            os.chown(home + '/.forward', uid, uid)
        os.chown(home, uid, uid)


def furnish(top, binary):
    """Makes the folders and lays them over those of this machine, for this process and its children."""
    furnish_etc(top)
    furnish_homes(top)
    for name, owner in (('lib/exim4', 102), ('lib/remex', 103), ('spool/exim4', 102), ('spool/remex', 103), ('mail', 0),
                        ('log/exim4', 102), ('log/remex', 103), ('tmp', 0)):
        os.makedirs('%s/var/%s' % (top, name))
        os.chown('%s/var/%s' % (top, name), owner, owner and owner + 3)
    os.chmod(top + '/var/tmp', 0o1777)
    os.chmod(top + '/var/mail', 0o2775)
    os.chown(top + '/var/mail', 0, 8)
    for name in ('run/remex', 'run/clamav'):
        os.makedirs('%s/%s' % (top, name))
        os.makedirs('/' + name, exist_ok=True)
        os.chown('%s/%s' % (top, name), 103, 106)
    for name in ('etc', 'home', 'var', 'run/remex', 'run/clamav'):
        namespaces.bind('%s/%s' % (top, name), '/' + name)
    restore_remex()


def restore_remex(confd=None):
    """/etc/remex as the package lays it down, without answers."""
    shutil.rmtree('/etc/remex', ignore_errors=True)
    os.mkdir('/etc/remex')
    shutil.copytree(confd or ROOT + '/conf.d', '/etc/remex/conf.d')
    shutil.copy(ROOT + '/configs/remex.conf.template', '/etc/remex/remex.conf.template')


TYPES = {
    'internet': {'dc_relay_domains': 'relay.example;backup.example'},
    'smarthost': {'dc_smarthost': 'smart.example::587;hub.example', 'dc_readhost': 'home.example',
                  'dc_hide_mailname': 'true'},
    'satellite': {'dc_smarthost': 'smart.example', 'dc_readhost': 'hub.example', 'dc_hide_mailname': 'true'},
    'local': {},
    'none': {},
}


def answers(kind, **more):
    """The text of an update-remex.conf.conf."""
    values = {'dc_eximconfig_configtype': kind, 'dc_other_hostnames': 'home.example;other.example',
              'dc_local_interfaces': '127.0.0.1 ; ::1', 'dc_readhost': '', 'dc_relay_domains': '',
              'dc_minimaldns': 'false', 'dc_relay_nets': '10.0.0.0/8', 'dc_smarthost': '', 'CFILEMODE': '644',
              'dc_use_split_config': 'true', 'dc_hide_mailname': '', 'dc_mailname_in_oh': 'true',
              'dc_localdelivery': 'mail_spool'}
    values.update(TYPES[kind])
    values.update(more)
    return ''.join("%s='%s'\n" % v for v in values.items())


def program(argv, stdin='', timeout=60):
    """(status, what it said)"""
    p = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                       timeout=timeout)
    return p.returncode, p.stdout


UPDATE = ROOT + '/scripts/update-remex.conf'
SETTINGS = '/etc/remex/update-remex.conf.conf'
MADE = '/var/lib/remex/config.autogenerated'


def update(site, text=None, *options):
    if text is not None:
        write(SETTINGS, text)
    return program([UPDATE, '--program', site.binary] + list(options))


def made(site, kind, macros='', **more):
    """The configuration of a type, with macros of one's own; its path."""
    write('/etc/remex/conf.d/main/000_localmacros', macros)
    status, said = update(site, answers(kind, **more))
    assert status == 0, said
    return MADE


def peer():
    """Debian's exim4, or None."""
    path = PEER_ROOT + '/usr/sbin/exim4'
    return path if os.path.exists(path) else None


def made_by_debian(kind, confdir='/etc/exim4', output='/var/lib/exim4/config.autogenerated', **more):
    """Likewise from Debian's own files, by its own script."""
    write(confdir + '/update-exim4.conf.conf', answers(kind, **more))
    status, said = program([PEER_ROOT + '/usr/sbin/update-exim4.conf', '-d', confdir, '-o', output + '.out'])
    assert status == 0, said
    os.replace(output + '.out', output)
    os.chown(output, 0, 0)
    return output
