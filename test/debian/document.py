"""Runs what a document shows: files are written, commands are given, and what they say must be what the document says.

In the Markdown source a fenced block belongs to one of these:

    ```console            what is typed, and the answer: "$ " stands before a command of anna, "# " before one of root
    ```console user=ben   likewise, "$ " is ben
    ```text file=PATH     a file with that content, root's; with user=anna hers. append puts it at the end; mode=640 says who may read it
    any other             is only shown

In an answer a line "..." stands for any lines, and ... for any text within a line. Message ids, dates, times, sizes and numbers of processes need
not be the same. REMEX_RECORD=1 in the environment puts what was answered into the document, where it differs.
"""
import os
import re
import subprocess
import time

import machine

PATIENT = re.compile(r'(tail|cat|grep|ls|mailq|remex -bp|remex -Mvl|head|exinext|wc|find|ps|sed)\b')   # may be asked again
LATE_S = 10

ID = r'[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}'
PLAIN = ((ID, 'ID'), (r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( [+-]\d{4})?', 'DATE'), (r'\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d', 'DATE'),
         (r'(\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d( [+-]\d{4})?|\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}', 'DATE'),
         (r'\b(S|QT|DT|RT|size)=\d+(\.\d+)?[KMsm]?', r'\1=N'), (r'\bpid[= ]\d+', 'pid N'), (r'\[\d+\]', '[N]'),
         (r'^ *\d+[smhd] +\d+(\.\d+)?[KM]? ', 'AGE '), (r'\d+ bytes', 'N bytes'), (r'\b(in|within|lasts) \d+(\.\d+)?s\b', r'\1 Ns'),
         (r'remex version \S+', 'remex version N'), (r'C="250 OK id=\S+"', 'C="OK"'), (r'[ \t]+$', ''))


def plain(line):
    for pattern, text in PLAIN:
        line = re.sub(pattern, text, line)
    return line


def fits(shown, said):
    """True if the lines of the document stand for those that came."""
    if not shown or not said:
        return shown == said or shown == ['...']
    if shown[0] == '...':
        return any(fits(shown[1:], said[i:]) for i in range(len(said) + 1))
    pattern = '.*'.join(re.escape(p) for p in plain(shown[0]).split('...'))
    return re.fullmatch(pattern, plain(said[0])) is not None and fits(shown[1:], said[1:])


class Document:
    def __init__(self, site, path):
        self.site, self.path = site, path
        with open(path, encoding='utf-8') as f:
            self.lines = f.read().split('\n')
        self.faults, self.commands = [], 0
        self.bin = self.programs()

    def programs(self):
        """A folder with all programs under the names that packages give them, and systemctl."""
        folder = self.site.path('bin')
        os.mkdir(folder)
        build = os.path.dirname(os.path.abspath(self.site.binary))
        for name in ('remex-setup', 'remex-verify', 'update-remex.conf'):       # they ask the remex of /usr/sbin otherwise
            machine.write('%s/%s' % (folder, name), '#!/bin/sh\nexec %s/scripts/%s --program %s "$@"\n'
                          % (machine.ROOT, name, os.path.abspath(self.site.binary)), 0o755)
        for where in (build, machine.ROOT + '/scripts', machine.PEER_ROOT + '/usr/sbin'):
            for name in os.listdir(where) if os.path.isdir(where) else ():
                path, to = os.path.join(where, name), os.path.join(folder, name)
                if os.access(path, os.X_OK) and os.path.isfile(path) and not os.path.exists(to):
                    os.symlink(path, to)
        os.symlink(machine.ROOT + '/scripts/remex-makemap', folder + '/makemap')
        machine.write(folder + '/systemctl', SYSTEMCTL % {'remex': os.path.abspath(self.site.binary)}, 0o755)
        os.chmod(folder, 0o755)
        return folder

    # --- what blocks ask for ---
    def write(self, words, text):
        path, user = words['file'], words.get('user')
        home = '/home/%s' % user if user else '/root'
        path = os.path.normpath(re.sub('^~', home, path))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'a' if 'append' in words else 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(path, int(words.get('mode', '644'), 8))
        if user:
            os.chown(path, machine.USERS[user], machine.USERS[user])
        elif words.get('mode') == '640':
            os.chown(path, 0, 106)

    def give(self, command, user):
        uid = 0 if user == 'root' else machine.USERS[user]
        command = command.replace('/usr/share/doc/remex-doc/examples', machine.ROOT + '/configs')
        home = '/root' if uid == 0 else '/home/' + user
        env = {'PATH': self.bin + ':/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': home, 'USER': user, 'LOGNAME': user, 'LANG': 'C.UTF-8', 'TZ': 'UTC'}
        p = subprocess.run(['sh', '-c', command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                           cwd=home if os.path.isdir(home) else '/', user=uid, group=uid, extra_groups=[], timeout=60)
        return p.stdout.decode('utf-8', 'replace').replace('\r', '').rstrip('\n').replace(self.bin + '/', '').replace(
            os.path.abspath(self.site.binary), '/usr/sbin/remex').split('\n')

    def ask(self, command, user, shown):
        """What it says; again for a while when it is not that and may still come."""
        end = time.monotonic() + LATE_S
        while True:
            said = self.give(command, user)
            said = [] if said == [''] else said
            if fits(shown, said) or not PATIENT.match(command) or time.monotonic() > end:
                return said
            time.sleep(0.2)

    def console(self, start, lines, user):
        """Runs a block; its lines with what came instead of what was shown, where that differs."""
        out, i = [], 0
        while i < len(lines):
            at, command = start + i, lines[i]
            assert command[:2] in ('$ ', '# '), '%s:%d: no command: %s' % (self.path, at, command)
            out.append(command)
            i += 1
            while command.endswith('\\') and i < len(lines):
                out.append(lines[i])
                command = command[:-1] + lines[i]
                i += 1
            shown = []
            while i < len(lines) and lines[i][:2] not in ('$ ', '# '):
                shown.append(lines[i])
                i += 1
            said = self.ask(command[2:], user if command[0] == '$' else 'root', shown)
            self.commands += 1
            if not fits(shown, said):
                self.faults.append('%s:%d: %s\n--- shown\n%s\n--- said\n%s' % (self.path, at, command, '\n'.join(shown), '\n'.join(said)))
                shown = said
            out += shown
        return out

    def run(self):
        out, i = [], 0
        while i < len(self.lines):
            line = self.lines[i]
            out.append(line)
            i += 1
            if not line.startswith('```'):
                continue
            block, start = [], i + 1
            while self.lines[i] != '```':
                block.append(self.lines[i])
                i += 1
            words = dict((w.split('=', 1) + [''])[:2] for w in line[3:].split())
            if 'console' in words:
                block = self.console(start, block, words.get('user', 'anna'))
            elif 'file' in words:
                self.write(words, '\n'.join(block) + '\n')
            out += block + ['```']
            i += 1
        if self.faults and os.environ.get('REMEX_RECORD'):
            with open(self.path, 'w', encoding='utf-8') as f:
                f.write('\n'.join(out))
        return self.faults


SYSTEMCTL = '''#!/bin/sh
# What the documents ask of systemd, done by hand.
pid=/var/spool/remex/exim-daemon.pid
stop() {
  [ -s $pid ] || return 0
  old=$(cat $pid)
  kill "$old"
  while kill -0 "$old" 2>/dev/null; do sleep 0.1; done
}
started() { grep -c 'daemon started' /var/log/remex/mainlog 2>/dev/null; }
n=$(started)
case "$1" in
stop) stop; exit ;;
start|restart) stop; %(remex)s -bd -q30m ;;
reload) kill -HUP "$(cat $pid)" ;;
*) exit 2 ;;
esac
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  [ "$(started)" != "$n" ] && exit
  sleep 0.1
done
'''
