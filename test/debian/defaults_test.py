"""update-remex-defaults beside Debian's update-exim4defaults, and the daemon that remex-start makes of what it writes."""
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine

DEFAULTS = machine.ROOT + '/scripts/update-remex-defaults'
START = machine.ROOT + '/scripts/remex-start'
FILE = '/etc/default/remex'
PEER, PEER_FILE = machine.PEER_ROOT + '/usr/sbin/update-exim4defaults', '/etc/default/exim4'
NAMES = ('QUEUERUNNER', 'QUEUEINTERVAL', 'COMMONOPTIONS', 'QUEUERUNNEROPTIONS', 'QFLAGS', 'SMTPLISTENEROPTIONS')
KINDS = ('combined', 'no', 'separate', 'ppp', 'nodaemon', 'queueonly')


def file_of(**values):
    values = dict(dict.fromkeys(NAMES, ''), **dict({'QUEUERUNNER': 'combined'}, **values))
    return ''.join("%s='%s'\n" % v for v in values.items())


def read(path=FILE):
    with open(path, encoding='utf-8') as f:
        return f.read()


def values(path):
    """What a shell has of them."""
    said = machine.program(['sh', '-c', '. "$0"; for n in "$@"; do eval "echo \\"$n=\\$$n\\""; done', path] + list(NAMES))
    assert said[0] == 0, said
    return said[1]


def defaults(*argv, before=None):
    if before is not None:
        machine.write(FILE, before)
    return machine.program([DEFAULTS] + list(argv))


FULL = file_of(QUEUEINTERVAL='1h', COMMONOPTIONS='-a -b -c -b', QUEUERUNNEROPTIONS='-d x', QFLAGS='q',
               SMTPLISTENEROPTIONS='-oX 25:587 -oP /run/x')
EMPTY = file_of()
CASES = [[before, '--queuerunner', kind] for before in (FULL, EMPTY) for kind in KINDS + ('queue', '')]
CASES += [[before] + more + ['--' + name, value] for before in (FULL, EMPTY) for more in ([], ['--force'], ['-f']) for name, value in (
    ('queuetime', '5m'), ('queuetime', ''), ('qflags', 'ff'), ('commonoptions', '-x  $y "z"'), ('queuerunneroptions', 'one\ntwo'),
    ('smtplisteneroptions', '--force'), ('commonoptions', '/|#*[`'))]
CASES += [[FULL] + options for options in (
    [], ['--force'], ['--help'], ['-h'], ['--init'], ['x'], ['--queuerunner', 'no', 'x'], ['--nonsense'], ['--queuer', 'no'], ['--commonoptions'],
    ['--queuerunner=no'], ['--queuetime=5m', '--force', '--queuetime=6m'], ['--queuerunner', 'nonsense', '--init'], ['--init', '--nonsense'],
    ['--queuetime', '5m', '--qflags', 'x', '--commonoptions', 'x', '--queuerunneroptions', 'x', '--smtplisteneroptions', 'x'],
    ['--queuetime', '5m', '--queuerunner', 'no'], ['--qflags', 'x', '--smtplisteneroptions', 'x'],
    ['--remove-common', '-b'], ['--remove-common', '-a'], ['--remove-common', '-z'], ['--remove-common', '-b  -c'], ['--remove-common', ''],
    ['--remove-queue', '-d'], ['--remove-queue', '-d x'], ['--remove-queue', 'z'], ['--remove-smtp', '-oX 25:587'],
    ['--remove-common', '-b', '--remove-queue', 'z'], ['--remove-common', '-z', '--queuerunner', 'no'],
    ['--remove-common', '-b', '--remove-queue', 'x', '--remove-smtp', '-oP', '--queuerunner', 'no'],
    ['--remove-smtp', '-oX', '--commonoptions', 'x'], ['--remove-smtp', '-oX', '--queuerunneroptions', 'x', '--force'])]
CASES += [['QUEUERUNNER=combined', '--queuerunner', 'no'], ['QUEUERUNNER="no" # x\nQUEUERUNNER=ppp\n', '--queuerunner', 'queueonly'],
          ['QUEUEINTERVAL=1h\n', '--queuetime', '5m'], ['QUEUEINTERVAL="1h"\n', '--queuetime', '5m', '-f']]


def test_it_does_what_debians_does(site):
    if not os.path.exists(PEER):
        print("Debian's script is not unpacked here (scripts/fetch-peers does it): results are not compared")
        return
    for before, *argv in CASES:
        first = values(machine.write(PEER_FILE, before))
        theirs = machine.program([PEER] + argv)
        ours = defaults(*argv, before=before)
        assert ours[0] == theirs[0] and values(FILE) == values(PEER_FILE), (before, argv, ours, theirs, read(), read(PEER_FILE))
        assert values(FILE) != first or read() == before.strip() + '\n', (before, argv, read())


def test_the_first_file_has_debians_values(site):
    for path, program in ((FILE, DEFAULTS), (PEER_FILE, PEER)):
        if os.path.exists(path):
            os.unlink(path)
        if os.path.exists(program):
            assert machine.program([program, '--init'])[0] == 0
    assert stat.S_IMODE(os.stat(FILE).st_mode) == 0o644
    assert not os.path.exists(PEER) or values(FILE) == values(PEER_FILE)
    first = read()
    assert defaults('--init', before='ours\n') == (0, '') and read() == 'ours\n'
    assert defaults('--init', '--force') == (0, '') and read() == first
    os.unlink(FILE)
    assert defaults('--queuetime', '5m') == (0, '') and read() == first.replace("'30m'", "'5m'"), read()


def test_other_lines_stay(site):
    before = "# a comment\nexport QFLAGS=q # why\n  COMMONOPTIONS=\"-a\"\nE4BCD_X=$(date)\nif true; then :; fi\n"
    assert defaults('--commonoptions', '-b', '--queuerunner', 'no', '-f', before=before) == (0, '')
    assert read() == before.replace('"-a"', "'-b'") + "QUEUERUNNER='no'\n", read()
    os.chmod(FILE, 0o600)
    assert defaults('--qflags', 'f', '-f') == (0, '') and "export QFLAGS='f'\n" in read()
    assert stat.S_IMODE(os.stat(FILE).st_mode) == 0o600


def test_what_it_refuses(site):
    for before, argv, says in (
            (EMPTY, ['--commonoptions', "a'b"], 'has a quote'), (EMPTY, ['--qflags', 'a\x01'], 'control character'),
            (EMPTY, ['--commonoptions', 'x' * 1025], 'longer than 1024'), (FULL, ['--remove-smtp', '-oY'], 'nothing is changed'),
            (FULL, ['--remove-common', '.*'], 'nothing is changed'), (FULL, ['--remove-smtp', '-o'], 'nothing is changed'),
            ('x=1\nQFLAGS=$(date)\n', ['--queuetime', '1m'], 'line 2: QFLAGS'), ('QFLAGS="a\nb"\n', ['--queuetime', '1m'], 'line 1: QFLAGS')):
        status, said = defaults(*argv, before=before)
        assert status in (1, 64) and says in said and read() == before, (argv, status, said)
    assert defaults('--commonoptions', 'x' * 1024, before=EMPTY) == (0, '')


def test_a_full_disk(site):
    script = site.write('full', '''#!/bin/sh
mount -t tmpfs -o size=8k none /etc/default && echo "QFLAGS='q'" >%s && (cat /dev/zero >/etc/default/full 2>/dev/null; :) || exit 9
%s --queuerunner no
echo "status $?"; cat %s; ls /etc/default
''' % (FILE, DEFAULTS, FILE), 0o755)
    said = machine.program(['unshare', '-m', script])[1]
    assert 'No space left' in said and said.endswith("status 1\nQFLAGS='q'\nfull\nremex\n"), said


def test_two_at_a_time(site):
    machine.write(FILE, EMPTY)
    options = [('--queuetime', '5m'), ('--qflags', 'f'), ('--commonoptions', '-c'), ('--queuerunneroptions', '-q'), ('--smtplisteneroptions', '-s')]
    for p in [subprocess.Popen([DEFAULTS] + list(o)) for o in options]:
        assert p.wait(30) == 0
    assert values(FILE).split('\n')[1:6] == ['QUEUEINTERVAL=5m', 'COMMONOPTIONS=-c', 'QUEUERUNNEROPTIONS=-q', 'QFLAGS=f', 'SMTPLISTENEROPTIONS=-s']


# --- remex-start ---

def started(site, *argv, **of_file):
    """(status, what the program is called with)"""
    machine.write(FILE, file_of(**of_file))
    stub = site.write('stub', '#!/bin/sh\nprintf "[%s]" "$@"\n', 0o755)
    return machine.program([START, '--program', stub] + list(argv))


WORDS = dict(QUEUEINTERVAL='7m', COMMONOPTIONS='-c1  -c*', QUEUERUNNEROPTIONS='-r', QFLAGS='qf', SMTPLISTENEROPTIONS='-l')
LISTENS, RUNS, BOTH = '[-bdf][-c1][-c*][-l]', '[-qqf7m][-c1][-c*][-r]', '[-bdf][-qqf7m][-c1][-c*][-r][-l]'


def test_each_kind_of_daemon(site):
    for kind, words in (('combined', BOTH), ('separate', BOTH), ('no', LISTENS), ('ppp', LISTENS), ('queueonly', RUNS), ('nodaemon', '')):
        assert started(site, QUEUERUNNER=kind, **WORDS) == (0, words), kind
        assert started(site, '--wanted', QUEUERUNNER=kind) == (1 if kind == 'nodaemon' else 0, ''), kind
        assert started(site, '--queue-run', QUEUERUNNER=kind, **WORDS) == (0, '' if kind == 'no' else '[-qqf][-r][-c1][-c*]'), kind
    status, said = started(site, QUEUERUNNER='both')
    assert status == 78 and "QUEUERUNNER='both'" in said, said
    assert started(site, '--nonsense')[0] == 64
    os.unlink(FILE)
    assert machine.program([START, '--program', '/bin/echo']) == (0, '-bdf -q30m\n')
    machine.write(FILE, 'if\n')
    assert machine.program([START, '--program', '/bin/echo'])[0] != 0


# What Debian's scripts call with the same file. Theirs are run in a mount name space where what they call are stand-ins that write down how.
CALL = '''mount -t tmpfs none /usr/sbin && for n in exim4 update-exim4.conf start-stop-daemon; do cp "$1" /usr/sbin/$n; done
exec "$2" "$3"'''


def debians(site, script, argument, **of_file):
    machine.write(PEER_FILE, file_of(**of_file))
    said = site.path('called')
    stub = site.write('recorder', '#!/bin/sh\n{ printf "${0##*/}"; printf " [%%s]" "$@"; echo; } >>%s\n' % said, 0o755)
    site.write('called', '')
    machine.program(['unshare', '-m', 'bash', '-c', CALL, 'call', stub, machine.PEER_ROOT + '/etc/' + script, argument])
    calls = [re.sub(r'.*\[--\] ', '', l) for l in read(said).split('\n') if l.startswith(('start-stop-daemon', 'exim4 [-q'))]
    return [re.sub('^exim4 ', '', c).replace(' ', '') for c in calls]


def ours_of(call):
    """Debian's options as ours: in the foreground, without PID files, one daemon."""
    return call.replace('[-bd]', '[-bdf]').replace('[-oY]', '') if '[-oP]' not in call else re.sub(r'\[-oP\]\[[^]]*\]|\[-oY\]', '', call)


def test_the_options_are_debians(site):
    if not os.path.exists(machine.PEER_ROOT + '/etc/init.d/exim4') or not os.path.exists('/lib/lsb/init-functions'):
        print("Debian's scripts are not unpacked here (scripts/fetch-peers does it): options of the daemon are not compared")
        return
    for kind in KINDS:
        words = dict(WORDS, COMMONOPTIONS='-c1 -c2', QUEUERUNNER=kind)
        calls = [ours_of(c) for c in debians(site, 'init.d/exim4', 'start', **words)]
        mine = started(site, **words)[1]
        if kind == 'separate':
            assert len(calls) == 2 and sorted(set(''.join(calls).split(']'))) == sorted(set(mine.split(']'))), (calls, mine)
        else:
            assert ''.join(calls) == mine, (kind, calls, mine)
        assert ''.join(debians(site, 'ppp/ip-up.d/exim4', 'ppp0', **words)) == started(site, '--queue-run', **words)[1], kind


def test_the_daemon_is_the_process_that_was_started(site):
    """Type=notify: it says READY=1, and is what the service manager started, with and without a listener."""
    machine.restore_remex()
    machine.made(site, 'local')
    path = site.path('notify')
    for kind, listens in (('combined', True), ('no', True), ('queueonly', False)):
        machine.write(FILE, file_of(QUEUERUNNER=kind, SMTPLISTENEROPTIONS='-oX 2525'))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            os.chmod(path, 0o777)
            s.settimeout(20)
            daemon = subprocess.Popen([START, '--program', site.binary], env=dict(os.environ, NOTIFY_SOCKET=path))
            try:
                assert s.recv(100) == b'READY=1' and daemon.poll() is None, kind
                words = open('/proc/%d/cmdline' % daemon.pid, 'rb').read().split(b'\0')
                assert words[0].decode() == site.binary and (b'-q30m' in words) == (kind != 'no'), words
                with socket.socket() as c:
                    assert (c.connect_ex(('127.0.0.1', 2525)) == 0) == listens, kind
            finally:
                daemon.send_signal(signal.SIGTERM)
                assert daemon.wait(30) == 0
        os.unlink(path)
