"""docs/first-hour.md as somebody follows it: each line is typed on the fresh system, and what the machine says is compared."""
import os
import re
import smtplib
import time

import wizard
from fresh import PACKAGES
from clamd import Clamd, EICAR

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'docs/first-hour.md')
WAIT_S = 20     # for what is on its way


def steps():
    """(mark, command, lines that it shows) of the document."""
    found = []
    with open(PATH, encoding='utf-8') as f:
        for line in f:
            typed = re.match('    ([#$]) (.*)\n', line)
            if typed:
                found.append((typed.group(1), typed.group(2), []))
            elif line.startswith('    '):
                found[-1][2].append(line[4:].rstrip('\n'))
    return found


def pattern(lines):
    """Of a line, "..." stands for any text; alone, for any lines."""
    made = []
    for line in lines:
        made.append(r'(?:.*\n)*?' if line == '...' else '.*'.join(re.escape(p) for p in line.split('...')) + r' *\n')
    return re.compile(''.join(made))


def shows(lines, text):
    return pattern(lines).match(text) is not None


def install_clamav(m):
    """Its signatures are not to be had here: a program that knows one virus stands in for it."""
    m.sh('adduser --system --group --no-create-home --home /var/lib/clamav --quiet clamav; install -d -o clamav -g clamav /run/clamav')
    Clamd(m)


def from_outside(text):
    """The reply to a message that another host sends to anna."""
    with smtplib.SMTP('127.0.0.1', 25, 'far.example', 20) as s:
        s.ehlo('far.example')
        s.mail('a@far.example')
        s.rcpt('anna@mail.home.example')
        return s.data('From: a@far.example\r\nSubject: from outside\r\n\r\n' + text)


def try_viruses():
    code, words = from_outside(EICAR)
    assert code == 550 and b'this message holds malware (Eicar-Test-Signature)' in words, (code, words)
    code, words = from_outside('harmless')
    assert code == 250, (code, words)


def typed(m, mark, command, may_fail):
    """What the machine says. Where there is no systemd, the service is started by hand."""
    if command.startswith('systemctl '):
        m.daemon()
        return ''
    if command.startswith('dpkg-reconfigure '):
        wizard.reconfigure(m, 'C.UTF-8', 'internet', {'mailname': []})
        m.daemon()
        return ''
    if command == 'apt-get install clamav-daemon':
        install_clamav(m)
        return ''
    if command.startswith('cat ') and command.endswith('rejectlog') and not m.read('/var/log/remex/rejectlog'):
        try_viruses()
    if command.startswith('apt-get install '):
        m.sh('cd /root; ' + command)
        return ''
    return m.sh(command + (' || true' if may_fail else ''), user='anna' if mark == '$' else None)


def follow(m, sink):
    m.stop()
    m.sh('apt-get purge -y %s; rm -f /etc/mailname /etc/aliases /var/mail/*; echo PURGE | debconf-communicate remex-config' % ' '.join(PACKAGES))
    assert len(steps()) > 20
    for mark, command, lines in steps():
        end = time.monotonic() + WAIT_S
        said = typed(m, mark, command, bool(lines))
        while lines and not shows(lines, said):
            assert time.monotonic() < end, '"%s" is to show\n%s\nand shows\n%s' % (command, '\n'.join(lines), said)
            time.sleep(0.2)
            said = typed(m, mark, command, bool(lines))
        assert lines or said == '' or command.startswith('adduser '), (command, said)
    assert [to for to, _ in sink.taken] == [['someone@far.example']] * 2, sink.taken
    os.unlink(m.path('/etc/remex/remex.conf.localmacros'))      # of the administrator, so purging would leave it
