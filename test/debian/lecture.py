"""docs/first-hour.md as somebody follows it: each line is typed on the fresh system, and what the machine says is compared."""
import os
import re
import smtplib
import subprocess
import time

import wizard
from fresh import PACKAGES, wait_for

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'docs/first-hour.md')
WAIT_S = 20     # for what is on its way
EICAR = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'


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


class Clamd:
    """Debian's, as its package is set up; its package is there already, since there is no mirror here, and so is not what freshclam
    would bring: it gets one signature. Where there is no systemd it is started by hand."""

    def __init__(self, m):
        self.m, self.process = m, None
        m.write('/var/lib/clamav/test.ndb', 'Eicar-Signature:0:*:%s\n' % EICAR.encode().hex())
        m.sh('install -d -o clamav -g clamav /run/clamav')
        self.start()

    def start(self):
        """Anew: the groups of a user are those of when a program starts."""
        self.stop()
        self.process = subprocess.Popen(['chroot', self.m.root, 'clamd', '--foreground'], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for(lambda: self.process.poll() is not None or os.path.exists(self.m.path('/run/clamav/clamd.ctl')), 'clamd listens', 60)
        assert self.process.poll() is None, self.m.read('/var/log/clamav/clamav.log')

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            os.unlink(self.m.path('/run/clamav/clamd.ctl'))
        self.process = None


def from_outside(text):
    """The reply to a message that another host sends to anna."""
    with smtplib.SMTP('127.0.0.1', 25, 'far.example', 20) as s:
        s.ehlo('far.example')
        s.mail('a@far.example')
        s.rcpt('anna@mail.home.example')
        return s.data('From: a@far.example\r\nSubject: from outside\r\n\r\n' + text)


def try_viruses():
    code, words = from_outside(EICAR)
    assert code == 550 and b'this message holds malware (Eicar-Signature' in words, (code, words)
    code, words = from_outside('harmless')
    assert code == 250, (code, words)


def typed(m, mark, command, may_fail, clamd):
    """What the machine says. Where there is no systemd, services are started by hand."""
    if command == 'systemctl restart clamav-daemon':
        clamd.start()
        return ''
    if command.startswith('systemctl '):
        m.daemon()
        return ''
    if command.startswith('dpkg-reconfigure '):
        wizard.reconfigure(m, 'C.UTF-8', 'internet', {'mailname': []})
        m.daemon()
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
    clamd = Clamd(m)
    try:
        for mark, command, lines in steps():
            take_step(m, mark, command, lines, clamd)
    finally:
        clamd.stop()
    assert [to for to, _ in sink.taken] == [['someone@far.example']] * 2, sink.taken
    os.unlink(m.path('/etc/remex/remex.conf.localmacros'))      # of the administrator, so purging would leave it
    os.unlink(m.path('/var/lib/clamav/test.ndb'))


def take_step(m, mark, command, lines, clamd):
    end = time.monotonic() + WAIT_S
    said = typed(m, mark, command, bool(lines), clamd)
    while lines and not shows(lines, said):
        assert time.monotonic() < end, '"%s" is to show\n%s\nand shows\n%s' % (command, '\n'.join(lines), said)
        time.sleep(0.2)
        said = typed(m, mark, command, bool(lines), clamd)
    assert lines or said == '' or command.startswith('adduser '), (command, said)
