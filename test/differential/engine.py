"""Runs one of the two programs on many lines or on one configuration, and survives what it does.

Nothing here judges an answer, but for taking out what differs by nature (names of folders, version, product).
"""
import concurrent.futures
import os
import re
import subprocess

MARK = '=-=%d=-='
# Exim leaves $0, $1 … and $value set after an expansion that fails within a branch. This one fails with them empty.
RESET = '${if and{{match{}{^}}{inlist{}{ : x}}}{${nosuch}}}'
BATCH = 250
TIMEOUT_S = 60


def no_sanitizer_noise(env):
    env = dict(env)
    env.setdefault('ASAN_OPTIONS', 'detect_leaks=0')
    return env


ENV = no_sanitizer_noise({'PATH': '/usr/bin:/bin', 'LC_ALL': 'C', 'TZ': 'UTC', 'DIFF_ENV': 'from the environment',
                          **{k: v for k, v in os.environ.items() if k.startswith(('ASAN_', 'UBSAN_', 'LD_LIBRARY'))}})


class Engine:
    """One program over one world (world.py)."""

    def __init__(self, binary, world):
        self.binary = os.path.abspath(binary)
        beside = os.path.join(os.path.dirname(self.binary), 'exim')
        # Under Exim's name remex words errors as Exim does.
        self.as_exim = beside if os.path.basename(self.binary) == 'remex' and os.path.exists(beside) else self.binary
        self.world = world
        self.together = []      # lines that it survives one by one but not in one process, and how it ended

    def call(self, argv, text=b'', program=None):
        """-> (status, output, errors); the status is a word when it did not run to its end"""
        try:
            p = subprocess.run([program or self.binary] + argv, input=text, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=ENV, cwd='/', timeout=TIMEOUT_S)
            status, out, err = p.returncode, p.stdout, p.stderr
        except subprocess.TimeoutExpired as e:
            status, out, err = 'hangs', e.stdout or b'', e.stderr or b''
        return status, out.decode('latin-1'), err.decode('latin-1')

    def expand_some(self, lines):
        """Answers to lines, as far as they came; and how the process ended."""
        text = ''.join('%s\n%s\n%s\n' % (line, RESET, MARK % i) for i, line in enumerate(lines))
        status, out, err = self.call(['-C', self.world.conf, '-bem', self.world.message],
                                     text.encode('latin-1'), self.as_exim)
        answers = []
        for i in range(len(lines)):
            end = '\n> %s\n' % (MARK % i)
            at = out.find(end)
            if at < 0 or not out.startswith('> '):
                break
            before_reset = out.rfind('\n> ', 0, at)
            answers.append(self.normal(out[2:before_reset]))
            out = out[at + len(end):]
        return answers, status, err

    def expand(self, lines):
        """One answer for each line; `dies: …` or `crash: …` where the program did not survive it.

        Output may be lost in a crash, so the line that did it is found by halving.
        """
        if not lines:
            return []
        answers, status, err = self.expand_some(lines)
        rest = lines[len(answers):]
        if not rest:
            return answers
        if len(lines) == 1:
            return [self.end_note(status, err)]
        alone = self.expand(rest[:1])
        if len(rest) == 1 or alone[0].startswith(('crash', 'dies')):
            return answers + alone + self.expand(rest[1:])
        half = len(rest) // 2
        halves = self.expand(rest[:half]) + self.expand(rest[half:])
        if not any(a.startswith(('crash', 'dies')) for a in halves):
            self.together.append((rest, self.end_note(status, err)))
        return answers + halves

    def smallest_together(self, lines):
        """Of lines that the program does not survive together, as few as show it."""
        def falls(some):
            return len(self.expand_some(some)[0]) < len(some)
        n = len(lines) // 2
        while n:
            i = 0
            while i < len(lines):
                fewer = lines[:i] + lines[i + n:]
                if fewer and falls(fewer):
                    lines = fewer
                else:
                    i += n
            n //= 2
        return lines

    def end_note(self, status, err):
        """A program may give up on purpose (Exim does where a list names a file that is not there)."""
        if isinstance(status, int) and 0 < status < 99:
            last = [x for x in err.splitlines() if x.strip()][-1:] or ['']
            return self.normal('dies: ' + re.sub(r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ', '', last[0]))
        return 'crash: status %s %s' % (status, crash_note(err))

    def expand_all(self, lines, jobs=2):
        parts = [lines[i:i + BATCH] for i in range(0, len(lines), BATCH)]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            return [a for part in pool.map(self.expand, parts) for a in part]

    def configure(self, case):
        """What the program says of a configuration: the first error, or what the queries print."""
        path = os.path.join(self.world.folder, 'case-%d-%s.conf' % (id(case), os.path.basename(self.binary)))
        with open(path, 'w', encoding='latin-1') as f:
            f.write(case.text)
        try:
            parts = []
            for query in case.queries:
                status, out, err = self.call(['-C', path] + query, b'', self.as_exim)
                parts.append(self.config_answer(status, out, err, path))
                if parts[-1].startswith('error'):
                    break
            return '\n'.join(parts)
        finally:
            os.unlink(path)

    def configure_all(self, cases, jobs=2):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(self.configure, cases))

    def config_answer(self, status, out, err, path):
        if not isinstance(status, int) or status < 0 or status == 99:
            return 'crash: status %s %s' % (status, crash_note(err))
        m = re.search(r'Exim configuration error(?: in line (\d+) of \S+)?:?\n?(.*?)(?=\n\d{4}-\d\d-\d\d |\nexim: |\Z)',
                      (err + out).replace(path, '@CONF@'), re.S)
        if m:
            return 'error %s: %s' % (m.group(1) or '-', self.normal(' '.join(m.group(2).split())))
        return self.normal('status %s: %s' % (status, out.strip().replace(path, '@CONF@')))

    def normal(self, text):
        text = text.replace(self.world.folder, '@DIR@')
        text = re.sub(r'\b4\.9\d\b', '@VERSION@', text)
        text = re.sub(r'\(euid=\d+ egid=\d+\)', '(euid=@ID@ egid=@ID@)', text)
        return text


def crash_note(err):
    m = re.search(r'(ERROR: AddressSanitizer.*|runtime error.*|.*Assertion.*|.*\bbug\b.*)', err)
    return m.group(1)[:200] if m else err.strip()[-200:].replace('\n', ' ')
