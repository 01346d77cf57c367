"""remex-gencert: a pair that fits, that the daemon can read, and that is all there or as it was."""
import os
import re
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
from terminal import Terminal

GENCERT = machine.ROOT + '/scripts/remex-gencert'
KEY, CERT = '/etc/remex/exim.key', '/etc/remex/exim.crt'
PAIR = (KEY, CERT)


def gencert(*argv):
    return machine.program([GENCERT] + list(argv))


def pair():
    """What is there, by name."""
    return {n: open('/etc/remex/' + n, encoding='utf-8').read() for n in os.listdir('/etc/remex') if n.startswith('exim.')}


def about(*options):
    return machine.program(['openssl', 'x509', '-in', CERT, '-noout'] + list(options))[1]


def fits():
    of_key = machine.program(['openssl', 'pkey', '-in', KEY, '-pubout'])[1]
    return about('-pubkey') == of_key and of_key.startswith('-----BEGIN PUBLIC KEY')


def test_a_server_with_them_does_starttls(site):
    machine.restore_remex()
    assert gencert('mail.home.example') == (0, '%s, %s: for mail.home.example, good for 1095 days\n' % (CERT, KEY)) and fits()
    for path in PAIR:
        s = os.stat(path)
        assert (stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid) == (0o640, 0, 106), path
    machine.made(site, 'internet', 'MAIN_TLS_ENABLE = 1\n', dc_local_interfaces='127.0.0.1')
    daemon = subprocess.Popen([site.binary, '-bdf', '-oX', '127.0.0.1.2525'])
    try:
        def said():
            return machine.program(['openssl', 's_client', '-connect', '127.0.0.1:2525', '-starttls', 'smtp', '-CAfile', CERT,
                                    '-verify_hostname', 'mail.home.example'], 'QUIT\n')[1]
        site.wait_for(lambda: 'Verify return code: 0 (ok)' in said())
        assert 'subject=CN = mail.home.example' in said(), said()
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0


def test_names(site):
    machine.restore_remex()
    assert gencert('--days', '30', 'mail.home.example', '*.home.example', '192.0.2.1', '2001:db8::1')[0] == 0
    said = about('-subject', '-ext', 'subjectAltName,basicConstraints,extendedKeyUsage')
    for word in ('CN = mail.home.example', 'DNS:mail.home.example, DNS:*.home.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
                 'CA:FALSE', 'TLS Web Server Authentication'):
        assert word in said, (word, said)
    assert machine.program(['openssl', 'x509', '-in', CERT, '-noout', '-checkend', str(29 * 86400)])[0] == 0
    assert machine.program(['openssl', 'x509', '-in', CERT, '-noout', '-checkend', str(31 * 86400)])[0] == 1
    for n, named in ((64, True), (65, False)):
        name = 'a' * 32 + '.' + 'b' * (n - 33)
        assert gencert('--force', name)[0] == 0
        assert ('CN = ' + name in about('-subject')) == named and 'DNS:' + name in about('-ext', 'subjectAltName'), n
    # Without a name it is the one of the configuration.
    machine.made(site, 'local', 'MAIN_HARDCODE_PRIMARY_HOSTNAME = other.home.example\n')
    assert gencert('--force', '--program', site.binary)[0] == 0 and 'CN = other.home.example' in about('-subject')


def test_what_is_there_stays(site):
    machine.restore_remex()
    assert gencert('a.example')[0] == 0
    before = pair()
    status, said = gencert('b.example')
    assert status == 0 and 'there already; --force' in said and pair() == before, said
    assert gencert('--force', 'b.example')[0] == 0 and fits() and 'b.example' in about('-subject')
    os.unlink(KEY)
    before = pair()
    status, said = gencert('c.example')
    assert status == 1 and CERT + ': there already' in said and pair() == before, said
    assert gencert('--force', 'c.example')[0] == 0 and fits() and sorted(pair()) == ['exim.crt', 'exim.key']


def test_what_it_refuses(site):
    machine.restore_remex()
    long = '.'.join(['a' * 63] * 4)
    for argv, says in ((['a b'], '"a b": is neither'), (['a\nb'], 'is neither'), (['-x.example'], 'usage'), (['a..b'], 'is neither'),
                       (['a' * 64], 'is neither'), ([long[:254]], 'is neither'), (['300.1.1.1'], 'openssl makes no certificate'),
                       (['--days', '0', 'a'], 'is from 1'), (['--days', '36501', 'a'], 'is from 1'), (['--days', 'x', 'a'], 'usage'),
                       (['a'] * 101, 'more than 100'), (['-d', '/nowhere', 'a'], '/nowhere: No such file')):
        status, said = gencert(*argv)
        assert status in (1, 2) and says in said and pair() == {}, (argv, said)
    assert gencert(long[:253])[0] == 0
    assert gencert('--force', *['a'] * 100)[0] == 0
    assert gencert('--force', '--days', '36500', 'a')[0] == 0
    before = pair()
    p = subprocess.run([sys.executable, '-c', 'import os,sys; os.environ["PATH"]="/nowhere"; os.execv("/usr/bin/perl", ["perl"] + sys.argv[1:])',
                        GENCERT, '--force', 'a.example'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert p.returncode == 1 and 'openssl: No such file' in p.stdout and pair() == before, p.stdout


def test_never_half_a_pair(site):
    """The disk is full, or one of the two cannot take its place: nothing of the new pair is left, and the old one is whole."""
    script = site.write('full', '''#!/bin/sh
mount -t tmpfs -o size=16k none /etc/remex && echo old >%s && echo old >%s && (cat /dev/zero >/etc/remex/full 2>/dev/null; :) || exit 9
truncate -s -4096 /etc/remex/full
%s --force a.example
echo "status $?"; cat %s %s; ls /etc/remex
''' % (KEY, CERT, GENCERT, KEY, CERT), 0o755)
    said = machine.program(['unshare', '-m', script])[1]
    assert 'exim.crt: No space left on device; nothing is changed' in said and said.endswith(
        'status 1\nold\nold\nexim.crt\nexim.key\nfull\n'), said
    machine.restore_remex()
    os.mkdir(CERT)              # a folder: a file cannot take its place
    machine.write(KEY, 'old\n')
    status, said = gencert('--force', 'a.example')
    assert status == 1 and 'exim.crt: ' in said and 'nothing is changed' in said, said
    os.rmdir(CERT)
    assert pair() == {'exim.key': 'old\n'}
    os.unlink(KEY)
    os.mkdir(CERT)
    assert gencert('--force', 'a.example')[0] == 1
    os.rmdir(CERT)
    assert pair() == {}


def test_the_second_of_the_two_cannot_take_its_place(site):
    module = site.write('Second.pm', 'BEGIN { my $n = 0; *CORE::GLOBAL::rename = sub ($$) { return CORE::rename($_[0], $_[1]) if ++$n != 2; '
                        '$! = 5; 0 } }\n1;\n')
    machine.restore_remex()
    for before in ({}, {'exim.key': 'old\n', 'exim.crt': 'old\n'}, {'exim.key': 'old\n'}):
        for path in PAIR:
            if os.path.exists(path):
                os.unlink(path)
        for name, text in before.items():
            machine.write('/etc/remex/' + name, text)
        status, said = machine.program(['perl', '-I', os.path.dirname(module), '-MSecond', GENCERT, '--force', 'a.example'])
        assert status == 1 and 'exim.crt: Input/output error; nothing is changed' in said and pair() == before, (said, pair())


def test_at_a_terminal_the_name_is_asked_for(site):
    machine.restore_remex()
    for typed, names in (('=x.example y.example', 'DNS:x.example, DNS:y.example'), (None, 'DNS:mail.home.example')):
        machine.made(site, 'local', 'MAIN_HARDCODE_PRIMARY_HOSTNAME = mail.home.example\n')
        with Terminal([GENCERT, '--force', '--program', site.binary]) as t:
            t.wait_for('Names of this host')
            assert '[mail.home.example]' in t.screen(), t.screen()
            t.type(*([typed] if typed else []), 'Enter')
            site.wait_for(lambda: t.ended() is not None)
            assert t.ended() == 0, t.screen()
        assert re.search(names + r'$', about('-ext', 'subjectAltName'), re.M), about('-text')
