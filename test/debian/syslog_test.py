"""What goes to syslog, beside exim4, and that syslog2remexlog makes the main log of it, beside Debian's syslog2eximlog."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
from syslog import Syslog

OURS = machine.ROOT + '/scripts/syslog2remexlog'
THEIRS = machine.PEER_ROOT + '/usr/sbin/syslog2eximlog'
CONF = '''
exim_path = %(program)s
spool_directory = /var/spool/%(name)s
log_file_path = /var/log/%(name)s/%%slog : syslog
log_selector = +subject%(also)s
keep_environment =
primary_hostname = mail.home.example
qualify_domain = home.example
acl_smtp_rcpt = accept
acl_smtp_data = deny message = no
%(more)s
begin routers
all:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
'''
SESSION = ''.join(line + '\r\n' for line in (
    'HELO x', 'MAIL FROM:<a@b.example>', 'RCPT TO:<anna@home.example>', 'RCPT TO:<nobody', 'DATA', 'Subject: ' + 'abcdefghij ' * 80, 'X: y', '\tz', '',
    'body', '.', 'QUIT'))


def logged(site, program, name, more='', subject='x', also=''):
    """The lines of syslog after a message that is delivered and one that is refused."""
    conf = machine.write('/etc/%s.syslog' % name, CONF % {'program': program, 'name': name, 'more': more, 'also': also})
    for log in ('main', 'reject'):
        path = '/var/log/%s/%slog' % (name, log)
        if os.path.exists(path):
            os.unlink(path)
    with Syslog(site.top) as log:
        status, said = log.run([program, '-C', conf, '-odf', 'anna@home.example'], 'Subject: %s\n\nbody\n' % subject)
        assert status == 0, said
        status, said = log.run([program, '-C', conf, '-bs'], SESSION)
        assert status == 0 and '550 no' in said, said
        return log.lines()


def plain(lines):
    """Without numbers of processes, times, ids and versions."""
    what = (r'\[\d+\]|\w{3}, \d+ \w{3} \d{4} [\d:]+ [+-]\d{4}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\w{3} [ \d]\d [\d:]{8} |\bS=\d+|\w{6}-\w{6,11}-\w{2,4}'
            r'|Exim [\d.]+')
    return [re.sub(what, 'N', l) for l in lines if 'lost privilege' not in l]


def test_an_entry_goes_in_the_pieces_that_exim_makes(site):
    if machine.peer() is None:
        print("Debian's exim4 is not unpacked here (scripts/fetch-peers does it): syslog is not compared")
        return
    for more in ('', 'syslog_duplication = false\n', 'syslog_timestamp = false\n', 'syslog_facility = news\nsyslog_processname = smtp\n'):
        ours, theirs = [plain(logged(site, p, n, more)) for p, n in ((site.binary, 'remex'), (machine.peer(), 'exim4'))]
        assert any('[10/16]   Subject: ' in l for l in ours) and ours == theirs, (more, ours, theirs)


def arrival(site, room):
    """What of the line of an arrival goes to syslog, with a subject of so many bytes."""
    return [l.split(': ', 1)[1] for l in logged(site, site.binary, 'remex', subject='x' * room) if ' <= ' in l or '[2/2] ' in l]


def test_a_long_line_is_cut_at_870_bytes(site):
    room = 700
    for _ in range(3):          # the size that is logged gets longer, too
        room += 870 - len(arrival(site, room)[0])
    assert [len(l) for l in arrival(site, room)] == [870]
    first, second = arrival(site, room + 1)
    assert first.startswith('[1/2] 2') and len(first) == 6 + 870 and second == '[2/2] "', (first, second)


# --- the other way ---

def written(lines, stamp):
    """As a syslog daemon writes them to its file."""
    now = time.localtime()
    rfc, iso = time.strftime('%b %e %H:%M:%S', now), time.strftime('%Y-%m-%dT%H:%M:%S.123456+00:00', now)
    return ''.join('%s mail %s\n' % (rfc if stamp == 'rfc' else iso, re.sub(r'^<\d+>\w{3} [ \d]\d [\d:]+ ', '', l)) for l in lines)


def converted(text, *argv, program=OURS):
    status, said = machine.program([program] + list(argv), text)
    assert status == 0, said
    return said


def mainlog():
    with open('/var/log/remex/mainlog', encoding='utf-8') as f:
        return f.read()


def test_it_is_the_main_log(site):
    os.environ['TZ'] = 'UTC'
    for more in ('', 'syslog_duplication = false\n', 'syslog_pid = false\n', 'syslog_processname = remex\n'):
        for subject in ('x', 'abcdefghij ' * 300):
            lines = logged(site, site.binary, 'remex', more, subject)
            for stamp in ('rfc', 'iso'):
                assert converted(written(lines, stamp)) == mainlog(), (more, lines, mainlog())
    assert converted(written(logged(site, site.binary, 'remex', also=' +millisec'), 'iso')) == mainlog() and re.match(r'\S+ [\d:]+\.\d{3} ', mainlog())
    lines = logged(site, site.binary, 'remex', 'syslog_timestamp = false\n')
    seconds = re.compile(r':\d\d ')         # of syslog's stamps, which are those of the end here
    for stamp in ('rfc', 'iso'):
        assert seconds.sub(':N ', converted(written(lines, stamp))) == seconds.sub(':N ', mainlog()), lines
    lines = logged(site, site.binary, 'remex', 'syslog_processname = my.smtp\n')
    assert converted(written(lines, 'rfc')) == '' and converted(written(lines, 'rfc'), '--name', 'my.smtp') == mainlog()


def test_it_does_what_debians_does(site):
    if not os.path.exists(THEIRS):
        print("Debian's script is not unpacked here (scripts/fetch-peers does it): results are not compared")
        return
    lines = [l for l in logged(site, site.binary, 'remex') if '\\16]' not in l and '/16]' not in l]
    texts = [written(lines, 'rfc'), written(logged(site, site.binary, 'remex', 'syslog_timestamp = false\n')[:4], 'rfc')]
    tomorrow = time.localtime(time.time() + 86400)
    texts += ['Jan  1 00:00:01 mail exim[3]: Start queue run: pid=1\n', time.strftime('%b %e 00:00:00 mail exim[3]: y\n', tomorrow),
              time.strftime('%b %e 23:59:59 mail exim[3]: y\n'), 'Feb 29 07:57:10 m.example exim[3]: 2025-11-27 09:57:10 y\n',
              'Nov 27 07:57:10 mail postfix[3]: y\nNov 27 07:57:10 mail exim4[3]: y\nNov 27 07:57:10 mail exim[3]:y\n', 'Nov 27 07:57:10 mail exim[3]: y\r\n',
              'nonsense\n\nNov 27\n', 'Nov 27 07:57:10 mail exim[3]: 2026-11-27 07:57:10 +0100 y\n', '']
    for text in texts:
        assert converted(text) == converted(text, program=THEIRS).replace('\r', ''), (text, converted(text), converted(text, program=THEIRS))


def test_pieces(site):
    def line(pid, text):
        return 'Nov 27 07:57:10 mail exim[%d]: %s\n' % (pid, text)
    stamp = '2025-11-27 07:57:10 '
    # Of two processes at a time; one that is lost; one that never ends; numbers that are none.
    assert converted(line(1, '[1/2] %sa' % stamp) + line(2, '[1/2] %sb' % stamp) + line(2, '[2/2] B') + line(1, '[2/2] A')) == stamp + 'bB\n' + stamp + 'aA\n'
    assert converted(line(1, '[1/3] %sa' % stamp) + line(1, '[3/3] c')).endswith(stamp + 'a\n' + converted(line(1, 'c')))
    assert converted(line(1, '[1/3] %sa' % stamp) + line(1, stamp + 'next')) == stamp + 'a\n' + stamp + 'next\n'
    assert converted(line(1, '[1/3] %sa' % stamp)) == stamp + 'a\n'
    assert converted(line(1, '[1\\2] %sWarning' % stamp) + line(1, '[2/2]  Suggested action')) == stamp + 'Warning\n Suggested action\n'
    for text in ('[0/2] x', '[3/2] x', '[1/1001] x', '[a/2] x'):
        assert converted(line(1, text)).endswith(text + '\n'), text
    pieces = ''.join(line(1, '[%d/1000] %s' % (n, stamp if n == 1 else 'x')) for n in range(1, 1001))
    # Both logs, a millisecond apart.
    assert converted(line(1, stamp[:-1] + '.123 no') + line(1, '[1\\2] ' + stamp[:-1] + '.124 no') + line(1, '[2/2] Envelope-from: <a@b>')
                     ) == stamp[:-1] + '.123 no\n'
    assert converted(pieces) == stamp + 'x' * 999 + '\n'
    many = ''.join(line(pid, '[1/2] %s%d' % (stamp, pid)) for pid in range(1, 3001))
    assert sorted(converted(many).split()[2::3], key=int) == [str(n) for n in range(1, 3001)]


def test_files(site):
    one = site.write('one', 'Nov 27 07:57:10 mail exim[3]: 2025-11-27 07:57:10 one\n')
    two = site.write('two', 'Nov 27 07:57:10 mail exim[3]: 2025-11-27 07:57:10 two')
    assert machine.program([OURS, one, two]) == (0, '2025-11-27 07:57:10 one\n2025-11-27 07:57:10 two\n')
    assert machine.program([OURS, '--nonsense'])[0] == 2 and 'usage' in machine.program([OURS, '--help'])[1]
