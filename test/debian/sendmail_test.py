"""Sendmail's files and habits: sendmail-migration.conf, remex-makemap, newaliases, mailq, aliases, .forward; and the other samples."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine

MAKEMAP = machine.ROOT + '/scripts/remex-makemap'
CONF = machine.ROOT + '/configs/sendmail-migration.conf'

TABLES = {
    'access': '''# comment
Connect:192.0.2.66\tREJECT
Connect:192.0.2.67\tOK
Connect:198.51\tRELAY
Connect:203.0.113.9\tDISCARD
10.9\tERROR:4.7.1:"451 come back later"
Connect:listed-name.example REJECT
From:junk@far.example\tERROR:5.7.1:"550 no junk here"
From:bad.example\tREJECT
From:nobody@\tREJECT
To:closed@home.example\tERROR:"553 mailbox closed"
To:open.example\tRELAY
''',
    'virtusertable': '''info@virtual.example\tanna
@virtual.example\t%1@home.example
@moved.example\tben
gone@home.example\terror:nouser 550 has left
''',
    'mailertable': '''hub.example\tsmtp:[192.0.2.9]
.hub.example\tesmtp:far.example
stop.example\terror:nohost no such host here
port.example\tsmtp:[192.0.2.9]:2525
two-hosts.example\trelay:[192.0.2.9]:far.example
here.example\tlocal:ben
''',
    'genericstable': 'anna\tanna.example@provider.example\nben@home.example\tb@provider.example\n',
}
LISTS = {'local-host-names': '# ours\nhome.example\nvirtual.example\nmoved.example\n', 'relay-domains': 'far.example\n'}


def mail_folder():
    shutil.rmtree('/etc/mail', ignore_errors=True)
    os.mkdir('/etc/mail')
    for name, text in LISTS.items():
        machine.write('/etc/mail/' + name, text)
    for name, text in TABLES.items():
        machine.write('/etc/mail/' + name, text)
        status, said = machine.program([MAKEMAP, 'hash', '/etc/mail/' + name], text)
        assert status == 0 and said == '', said


def routed(site, address, conf=CONF):
    return machine.program([site.binary, '-C', conf, '-bt', address])[1]


def talk(site, client, sender='user@far.example', to='anna@home.example', conf=CONF):
    """The answers to the greeting, MAIL and RCPT."""
    text = 'EHLO x.example\nMAIL FROM:<%s>\nRCPT TO:<%s>\nQUIT\n' % (sender, to)
    said = machine.program([site.binary, '-C', conf, '-bh', client], text)[1]
    return [l for l in said.splitlines() if l[:3].isdigit() and l[:4] not in ('250-', '221 ')]


def test_access_of_clients(site):
    mail_folder()
    assert talk(site, '192.0.2.66')[0] in ('554 Access denied', '550 Access denied'), talk(site, '192.0.2.66')
    assert talk(site, '192.0.2.67', to='user@two.example')[-1] == '550 relaying denied'
    assert talk(site, '198.51.100.7', to='user@two.example')[-1] == '250 Accepted'
    assert talk(site, '192.0.2.67')[-1] == '250 Accepted'
    assert talk(site, '10.9.1.1')[0].startswith('451'), talk(site, '10.9.1.1')
    assert talk(site, '10.8.1.1')[-1] == '250 Accepted'


def test_access_of_senders_and_recipients(site):
    mail_folder()
    assert talk(site, '192.0.2.67', 'junk@far.example')[-2] == '550 no junk here'
    assert talk(site, '192.0.2.67', 'x@sub.bad.example')[-2] == '550 Access denied'
    assert talk(site, '192.0.2.67', 'nobody@any.example')[-2] == '550 Access denied'
    assert talk(site, '192.0.2.67', to='closed@home.example')[-1].startswith('553 mailbox closed')
    assert talk(site, '192.0.2.67', to='x@sub.open.example')[-1] == '250 Accepted'
    assert talk(site, '192.0.2.67', to='x@mx1.far.example')[-1] == '250 Accepted'
    assert talk(site, '192.0.2.67', to='x@two.example')[-1] == '550 relaying denied'


def test_virtusertable(site):
    mail_folder()
    assert 'anna@' in routed(site, 'info@virtual.example').split('<--')[0]
    assert 'dora@two.example' in routed(site, 'dora@virtual.example')
    assert 'ben@' in routed(site, 'whoever@moved.example')
    assert '550 has left' in routed(site, 'gone@home.example')


def test_mailertable(site):
    mail_folder()
    assert 'host 192.0.2.9' in routed(site, 'x@hub.example')
    assert 'host mx1.far.example' in routed(site, 'x@sub.hub.example')
    assert 'no such host here' in routed(site, 'x@stop.example')
    assert re.search(r'host 192\.0\.2\.9 +\[192\.0\.2\.9\] port=2525', routed(site, 'x@port.example')), routed(site, 'x@port.example')
    both = re.findall(r'^ +host (\S+)', routed(site, 'x@two-hosts.example'), re.M)
    assert both == ['192.0.2.9', 'mx1.far.example', 'mx2.far.example'], both
    assert 'ben@' in routed(site, 'x@here.example').split('<--')[0]


def test_genericstable(site):
    mail_folder()
    out = machine.program([site.binary, '-C', CONF, '-brw', 'anna@home.example'])[1]
    assert 'anna.example@provider.example' in out
    out = machine.program([site.binary, '-C', CONF, '-brw', 'ben@home.example'])[1]
    assert 'b@provider.example' in out


def test_without_any_table(site):
    shutil.rmtree('/etc/mail', ignore_errors=True)
    assert 'router = localuser' in routed(site, 'anna@localhost')
    assert 'router = dnslookup' in routed(site, 'x@far.example')
    assert talk(site, '192.0.2.66', to='anna@localhost')[-1] == '250 Accepted'


# --- remex-makemap ---

def looked_up(site, key, map_='/var/tmp/map.db'):
    return machine.program([site.binary, '-be', '${lookup{%s}dbm{%s}{<$value>}{none}}' % (key, map_)])[1].strip()


def test_makemap(site):
    for kind in ('hash', 'btree', 'dbm', 'implicit'):
        status, said = machine.program([MAKEMAP, kind, '/var/tmp/map.db'],
                                       '# no\nKey\tsome  value\n"q\\uoted" x\nConnect:1.2\tOK\n\n')
        assert status == 0, said
        assert looked_up(site, 'key') == '<some  value>' and looked_up(site, 'connect:1.2') == '<OK>'
        assert looked_up(site, '"q\\\\uoted"') == '<x>'
    assert machine.program([MAKEMAP, '-f', 'hash', '/var/tmp/map'], 'Key x\n')[0] == 0
    assert looked_up(site, 'Key') == '<x>' and looked_up(site, 'key') == 'none'
    assert machine.program([MAKEMAP, '-t', ';', 'hash', '/var/tmp/map'], 'a b;c d\n')[0] == 0
    assert looked_up(site, 'a b') == '<c d>'


def dumped(map_='/var/tmp/map'):
    status, said = machine.program([MAKEMAP, '-u', 'hash', map_])
    assert status == 0, said
    return said


def test_makemap_shows_a_file_and_adds_to_it(site):
    assert machine.program([MAKEMAP, 'hash', '/var/tmp/map'], 'b:c\ttwo words\n"a" one\n')[0] == 0
    assert dumped() == '"a"\tone\nb:c\ttwo words\n', dumped()
    assert machine.program([MAKEMAP, '-o', 'hash', '/var/tmp/map'], 'c three\n')[0] == 0
    assert dumped() == '"a"\tone\nb:c\ttwo words\nc\tthree\n', dumped()
    assert machine.program([MAKEMAP, '-o', 'hash', '/var/tmp/map'], 'c four\n')[0] != 0 and looked_up(site, 'c') == '<three>'
    assert machine.program([MAKEMAP, '-o', '-r', 'hash', '/var/tmp/map'], 'c four\n')[0] == 0 and looked_up(site, 'c') == '<four>'
    assert machine.program([MAKEMAP, '-o', 'hash', '/var/tmp/new'], '# first\nx y\n')[0] == 0 and dumped('/var/tmp/new') == 'x\ty\n'
    machine.write('/var/tmp/broken.db', 'no map\n')
    for path in ('/var/tmp/none', '/var/tmp/broken'):
        status, said = machine.program([MAKEMAP, '-u', 'hash', path])
        assert status != 0 and path + '.db' in said, said
    assert machine.program([MAKEMAP, '-o', 'hash', '/var/tmp/broken'], 'x y\n')[0] != 0
    assert open('/var/tmp/broken.db', encoding='utf-8').read() == 'no map\n'


def test_makemap_takes_what_sendmails_takes(site):
    assert machine.program([MAKEMAP, 'hash', '/var/tmp/map'], 'key old\n')[0] == 0
    assert machine.program([MAKEMAP, 'hash', '/var/tmp/map'], 'key\n')[0] == 65
    assert machine.program([MAKEMAP, '-e', 'hash', '/var/tmp/map'], 'key\nother x\n')[0] == 0
    assert looked_up(site, 'key') == '<>' and looked_up(site, 'other') == '<x>'
    assert machine.program([MAKEMAP, '-d', 'btree', '/var/tmp/map'], 'key one\nkey two\n')[0] == 0 and looked_up(site, 'key') == '<one>'
    assert machine.program([MAKEMAP, 'hash', '/var/tmp/map'], 'key one\nkey two\n')[0] != 0
    assert machine.program([MAKEMAP, '-N', '-s', '-c', '100', '-C', '/etc/mail/sendmail.cf', 'hash', '/var/tmp/map'], 'a b\n')[0] == 0
    status, said = machine.program([MAKEMAP, '-l'])
    assert (status, said) == (0, 'hash\nbtree\ndbm\nimplicit\n')
    status, said = machine.program([MAKEMAP, '-v', 'hash', '/var/tmp/map'], 'a b\nc d\n')
    assert status == 0 and said == '2 entries written\n', said


def test_makemap_keeps_the_old_file(site):
    assert machine.program([MAKEMAP, 'hash', '/var/tmp/map'], 'key old\n')[0] == 0
    status, said = machine.program([MAKEMAP, 'hash', '/var/tmp/map'], 'key new\nno-value\n')
    assert status == 65 and 'line 2' in said and looked_up(site, 'key') == '<old>', said
    assert machine.program([MAKEMAP, 'hash', '/nowhere/map'], 'a b\n')[0] != 0
    assert machine.program([MAKEMAP, 'cdb', '/var/tmp/map'], 'a b\n')[0] == 64
    assert machine.program([MAKEMAP, 'hash'], '')[0] == 64
    assert machine.program([MAKEMAP, '-r', 'hash', '/var/tmp/map'], 'key one\nkey two\n')[0] == 0
    assert looked_up(site, 'key') == '<two>'


# --- programs under sendmail's names ---

def named(site, name, *args):
    p = subprocess.run([os.path.join(os.path.dirname(site.binary), name)] + list(args), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return p.returncode, p.stdout


def test_newaliases_and_mailq(site):
    machine.restore_remex()
    machine.made(site, 'local')
    shutil.copy(machine.MADE, '/etc/remex/remex.conf')
    for call in (('newaliases',), ('sendmail', '-bi'), ('sendmail', '-I')):
        assert named(site, *call)[0] == 0, named(site, *call)
    for call in (('mailq',), ('mailq', '-v'), ('mailq', '-Ac'), ('sendmail', '-bp'), ('sendmail', '-Am', '-bp')):
        assert named(site, *call) == (0, ''), (call, named(site, *call))


# --- aliases, .forward ---

def test_aliases_of_hundreds(site):
    machine.restore_remex()
    conf = machine.made(site, 'internet')
    kept = open('/etc/aliases', encoding='utf-8').read()
    machine.write('/etc/lists/all', ':include:/etc/lists/one\n:include:/etc/lists/two\n# end\n')
    for i, name in enumerate(('one', 'two')):
        machine.write('/etc/lists/' + name, ''.join('user%d@far.example,\n' % n for n in range(i * 300, i * 300 + 400)))
    machine.write('/etc/aliases', kept + 'everybody: :include:/etc/lists/all\n')
    try:
        out = routed(site, 'everybody@home.example', conf)
    finally:
        machine.write('/etc/aliases', kept)
    got = [l.split()[0] for l in out.splitlines() if l.startswith('user')]
    assert len(set(got)) == 700, len(set(got))


def test_bounces_of_a_list_go_to_its_owner(site):
    kept = open('/etc/aliases', encoding='utf-8').read()
    machine.write('/etc/aliases', kept + 'friends: :include:/etc/lists/friends\nowner-friends: anna\n')
    machine.write('/etc/lists/friends', 'gone@localhost\n')
    box = '/var/mail/anna'
    try:
        status, said = machine.program([site.binary, '-C', CONF, '-odi', '-f', 'emil@localhost', 'friends@localhost'], 'Subject: x\n\nbody\n')
        assert status == 0, said
        site.wait_for(lambda: os.path.exists(box) and 'has left' in open(box, encoding='utf-8').read())
        assert 'for owner-friends@' in open(box, encoding='utf-8').read()
    finally:
        machine.write('/etc/aliases', kept)
        os.path.exists(box) and os.unlink(box)


def test_modes_of_forward(site):
    machine.restore_remex()
    conf = machine.made(site, 'internet')
    path = '/home/anna/.forward'
    machine.write(path, 'anna@far.example\n')
    os.chown(path, 1000, 1000)
    try:
        for mode, taken in ((0o644, True), (0o600, True), (0o664, False), (0o646, False)):
            os.chmod(path, mode)
            out = routed(site, 'anna@home.example', conf)
            assert ('router = dnslookup' in out) == taken, (oct(mode), out)
    finally:
        os.unlink(path)


# --- the other samples ---

def test_gateway(site):
    conf = machine.ROOT + '/configs/gateway.conf'
    out = routed(site, 'x@example.net', conf)
    assert 'router = inside' in out and '192.0.2.20' in out and '192.0.2.21' in out, out
    assert '10.0.0.25' in routed(site, 'x@sub.example.org', conf)
    assert 'router = outside' in routed(site, 'x@far.example', conf)
    assert talk(site, '192.0.2.67', to='x@two.example', conf=conf)[-1] == '550 relay not permitted'
    assert talk(site, '10.1.2.3', to='x@two.example', conf=conf)[-1] == '250 Accepted'


SCHEMA = '''
INSERT INTO domains VALUES ('virtual.example');
INSERT INTO users (local, domain, password) VALUES ('vera', 'virtual.example', '%s');
INSERT INTO aliases VALUES ('sales', 'virtual.example', 'vera@virtual.example, anna@far.example'), ('*', 'all.example', 'vera@virtual.example');
INSERT INTO domains VALUES ('all.example');
'''


def test_virtual_domains(site):
    conf = machine.ROOT + '/configs/virtual-domains.conf'
    text = open(conf, encoding='utf-8').read()
    create = '\n'.join(l.lstrip('# ') for l in text.splitlines() if 'CREATE TABLE' in l)
    assert machine.program(['sqlite3', '/var/lib/remex/virtual.db'], create + SCHEMA % 'x')[0] == 0
    try:
        assert 'router = virtual_user, transport = virtual_mailbox' in routed(site, 'vera@virtual.example', conf)
        assert 'router = virtual_user' in routed(site, 'vera+tag@virtual.example', conf)
        out = routed(site, 'sales@virtual.example', conf)
        assert 'vera@virtual.example' in out and 'router = remote' in out, out
        assert 'vera@virtual.example' in routed(site, 'whoever@all.example', conf)
        assert 'Unknown user' in routed(site, "x'y@virtual.example", conf)
        assert talk(site, '192.0.2.67', to='vera@virtual.example', conf=conf)[-1] == '250 Accepted'
        assert talk(site, '192.0.2.67', to='x@far.example', conf=conf)[-1] == '550 relay not permitted'
    finally:
        os.unlink('/var/lib/remex/virtual.db')
