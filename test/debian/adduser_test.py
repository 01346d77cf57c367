"""remex-adduser: who may log in, the file that says so, and that nothing it meets harms that file."""
import base64
import os
import re
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
from terminal import Terminal

ADDUSER = machine.ROOT + '/scripts/remex-adduser'
FILE = '/etc/remex/passwd'
MACROS = 'AUTH_SERVER_ALLOW_NOTLS_PASSWORDS = 1\nAUTH_SERVER_CRAM_MD5 = 1\n'


def adduser(*argv, password='secret word'):
    return machine.program([ADDUSER] + list(argv), password + '\n')


def read():
    with open(FILE, encoding='utf-8') as f:
        return f.read()


def clean():
    machine.restore_remex()


def logs_in(site, conf, user, password):
    """The reply to AUTH PLAIN."""
    words = base64.b64encode(('\0%s\0%s' % (user, password)).encode()).decode()
    said = machine.program([site.binary, '-C', conf, '-bh', '192.0.2.67'], 'EHLO x.example\nAUTH PLAIN %s\nQUIT\n' % words)[1]
    return re.search(r'^(235|535) ', said, re.M).group(1)


def test_a_user_can_log_in(site):
    clean()
    conf = machine.made(site, 'internet', MACROS)
    assert adduser('anna', password='a:b ^${x}') == (0, '') and adduser('ben@home.example') == (0, '')
    assert re.fullmatch(r'anna:\$6\$[^:\n]+\nben@home\.example:\$6\$[^:\n]+\n', read()), read()
    assert logs_in(site, conf, 'anna', 'a:b ^${x}') == '235' and logs_in(site, conf, 'anna', 'a:b') == '535'
    assert logs_in(site, conf, 'ben@home.example', 'secret word') == '235' and logs_in(site, conf, 'ben', 'secret word') == '535'


def test_a_new_password_takes_the_place_of_the_old(site):
    clean()
    conf = machine.made(site, 'internet', MACROS)
    machine.write(FILE, '# ours\nanna2:x\n')
    assert adduser('anna', password='old') == (0, '') and adduser('Anna', password='new') == (0, '')
    assert logs_in(site, conf, 'anna', 'new') == '235' and logs_in(site, conf, 'anna', 'old') == '535'
    assert re.sub(r'\$6\$.*', '', read()) == '# ours\nanna2:x\nAnna:\n', read()


def test_a_user_is_removed(site):
    clean()
    conf = machine.made(site, 'internet', MACROS)
    adduser('anna')
    adduser('ben')
    assert adduser('--remove', 'anna') == (0, '')
    assert read().startswith('ben:') and read().count('\n') == 1 and logs_in(site, conf, 'anna', 'secret word') == '535'
    status, said = adduser('--remove', 'anna')
    assert status == 1 and 'has no user "anna"' in said, said


def test_mode_and_owner(site):
    clean()
    machine.write(FILE, 'old:x\n', 0o644)
    adduser('anna')
    s = os.stat(FILE)
    assert (stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid) == (0o640, 0, 106), s


def test_cram_md5_keeps_the_password_readable(site):
    clean()
    assert adduser('--cram-md5', 'anna') == (0, '') and read().endswith(':secret word\n')
    for word in ('a:b', ' a', 'a\t'):
        status, said = adduser('--cram-md5', 'anna', password=word)
        assert status == 1 and read().endswith(':secret word\n'), (word, said)


def test_what_it_refuses(site):
    clean()
    adduser('anna')
    before = read()
    for argv, word, says in ((['a:b'], 'x', 'a user is named by'), (['-x'], 'x', 'usage'), ([''], 'x', 'a user is named by'),
                             (['#a'], 'x', 'a user is named by'), (['a b'], 'x', 'a user is named by'), (['a' * 129], 'x', 'a user is named by'),
                             ([], 'x', 'usage'), (['a', 'b'], 'x', 'usage'), (['anna'], '', 'is empty'), (['anna'], 'a\x01', 'control character'),
                             (['anna'], 'x' * 257, 'longer than 256'), (['-f', '/nowhere/passwd', 'a'], 'x', '/nowhere: No such file'),
                             (['-f', '/etc', 'a'], 'x', '/etc: is no ordinary file')):
        status, said = adduser(*argv, password=word)
        assert status in (1, 2) and says in said and read() == before, (argv, said)
    assert adduser('anna', password='x' * 256)[0] == 0 and adduser('a' * 128)[0] == 0


def test_a_full_disk(site):
    clean()
    script = site.write('full', '''#!/bin/sh
mount -t tmpfs -o size=8k none /etc/remex && echo old:x >/etc/remex/passwd && (cat /dev/zero >/etc/remex/full 2>/dev/null; :) || exit 9
echo word | %s anna
echo "status $?"; cat /etc/remex/passwd; ls /etc/remex
''' % ADDUSER, 0o755)
    said = machine.program(['unshare', '-m', script])[1]
    assert 'No space left' in said and said.endswith('status 1\nold:x\nfull\npasswd\n'), said


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(site):
    clean()
    conf = machine.made(site, 'internet', MACROS)
    for again, good in (('=other', False), ('=hidden', True)):
        with Terminal([ADDUSER, 'anna']) as t:
            t.wait_for('Password:')
            t.type('=hidden', 'Enter')
            t.wait_for('Again:')
            t.type(again, 'Enter')
            site.wait_for(lambda: t.ended() is not None)
            assert (t.ended() == 0) == good and 'hidden' not in t.screen(), t.screen()
            assert good or 'the two differ' in t.screen(), t.screen()
    assert logs_in(site, conf, 'anna', 'hidden') == '235'


def test_two_at_a_time(site):
    clean()
    both = [subprocess.Popen([ADDUSER, 'user%d' % n], stdin=subprocess.PIPE) for n in range(8)]
    for p in both:
        p.communicate(b'word\n')
    assert sorted(re.findall(r'^(\w+):', read(), re.M)) == ['user%d' % n for n in range(8)]
