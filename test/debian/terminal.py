"""A real terminal of 80 x 24 (tmux), and whether what a dialog shows on it reads well."""
import os
import re
import shutil
import subprocess
import tempfile
import time
import unicodedata

COLUMNS, ROWS = 80, 24
BOX = '─│┌┐└┘├┤┤▒↑↓▮█■▄▀'
QUIET_S = 0.4       # a screen that has not changed for so long is whole
WAIT_S = 60


def width(text):
    """Columns: letters of the East take two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def letters(text):
    """Without blanks and lines of boxes, so that it does not matter where a line was broken."""
    return re.sub(r'[\s%s]' % BOX, '', text)


class Terminal:
    def __init__(self, argv, environment=()):
        self.folder = tempfile.mkdtemp(prefix='remex-tmux-')
        conf = self.folder + '/conf'
        with open(conf, 'w') as f:
            f.write('set -g status off\nset -g remain-on-exit on\nset -g escape-time 0\n')
        self.base = ['tmux', '-u', '-S', self.folder + '/socket', '-f', conf]
        self.environment = dict({k: v for k, v in os.environ.items() if k not in ('LC_ALL', 'LC_MESSAGES', 'LANGUAGE', 'TMUX')}, LANG='C.UTF-8')
        # tmux does not always get to know how a program ended.
        script = '"$@"; echo $? >%s/new; mv %s/new %s/status' % ((self.folder,) * 3)
        words = ['sh', '-c', script, 'sh', 'env'] + ['%s=%s' % v for v in dict(environment).items()] + list(argv)
        self.tmux('new-session', '-d', '-x', str(COLUMNS), '-y', str(ROWS), *words)

    def tmux(self, *argv):
        p = subprocess.run(self.base + list(argv), env=self.environment, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=30)
        assert p.returncode == 0, (argv, p.stdout)
        return p.stdout.decode('utf-8', 'replace')

    def screen(self):
        return self.tmux('capture-pane', '-p')

    def type(self, *keys):
        """Names of keys as tmux has them; '=TEXT' is typed letter by letter."""
        for key in keys:
            self.tmux('send-keys', *(['-l', key[1:]] if key.startswith('=') else [key]))

    def ended(self):
        """The exit status, or None while the program runs."""
        try:
            with open(self.folder + '/status') as f:
                return int(f.read())
        except FileNotFoundError:
            return None

    def settled(self, other_than=None):
        """The screen, when it is no longer `other_than` and does not change any more."""
        end, last, since = time.monotonic() + WAIT_S, None, time.monotonic()
        while True:
            now = self.screen()
            if now != last:
                last, since = now, time.monotonic()
            done = self.ended() is not None
            if now.strip() and (done or now != other_than) and time.monotonic() - since >= QUIET_S:
                return now
            assert time.monotonic() < end, 'the screen stays as it is:\n' + now
            time.sleep(0.05)

    def wait_for(self, words):
        """The screen that has the words, in whichever lines."""
        end = time.monotonic() + WAIT_S
        while True:
            now = self.screen()
            if letters(words) in letters(now):
                return self.settled()
            assert time.monotonic() < end, 'not on the screen: %s\n%s' % (words, now)
            time.sleep(0.05)

    def close(self):
        subprocess.run(self.base + ['kill-server'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def boxes(screen):
    """(left column, right column, lines between) of each frame, columns counted as they look."""
    found, open_ = [], {}
    for n, line in enumerate(screen.split('\n')):
        at = [(width(line[:i]), c) for i, c in enumerate(line) if c in '┌┐└┘']
        for (left, a), (right, b) in zip(at[::2], at[1::2]):
            if a + b == '┌┐':
                open_[left, right] = n
            elif a + b == '└┘' and (left, right) in open_:
                found.append((left, right, screen.split('\n')[open_.pop((left, right)) + 1:n]))
    assert not open_, 'a frame that does not end below its beginning:\n' + screen
    return found


def faults(screen):
    """What does not read well: frames that are broken or reach beyond the screen. None is a list without entries."""
    bad = []
    if '\ufffd' in screen:
        bad.append('letters that are broken')
    frames = boxes(screen)
    if not frames:
        bad.append('no whole frame')
    for left, right, lines in frames:
        for line in lines:
            columns = {}
            at = 0
            for c in line:
                columns[at] = c
                at += width(c)
            for edge in (left, right):
                if columns.get(edge) not in tuple('│├┤▒█▮■↑↓'):
                    bad.append('the frame is broken in the line: %s' % line)
        if right >= COLUMNS or left < 0:
            bad.append('a frame beyond the screen')
    return bad
