"""What the cases of bad input share: a folder of their own, and a program run under limits.

No case may end by a signal, and none by a limit: address space and processor time are bounded for every run, so
an unbounded allocation or loop shows as a failure. Nothing here looks at the clock on the wall, save the
last resort against a program that waits for ever.
"""
import os
import re
import resource
import subprocess

MB = 1 << 20
MEMORY = 256 * MB       # address space; a start takes some 10 MB of it, an evaluation has a budget of 64
CPU_S = 10
HANG_S = 60
SANITIZER_STATUS = 99   # exitcode= of ASAN_OPTIONS below

CASES = []


def case(name, cheap=True):
    """Registers a case; those that are not cheap are left out under sanitizers."""
    def add(fn):
        CASES.append((name, fn, cheap))
        return fn
    return add


class Bad(Exception):
    """What a case found."""


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err


def short(text):
    return text if len(text) < 1500 else text[:1000] + ' ... ' + text[-400:]


class Ground:
    """Where a case stands: its folder and the program."""

    def __init__(self, program, folder, sanitized):
        self.program = program
        self.folder = folder
        self.sanitized = sanitized
        self.memory = MEMORY
        self.cpu = CPU_S

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode('utf-8'))
        os.chmod(path, 0o644)
        return path

    def limit(self):
        cpu = self.cpu * (20 if self.sanitized else 1)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not self.sanitized:      # the shadow of a sanitizer is address space as well
            resource.setrlimit(resource.RLIMIT_AS, (self.memory, self.memory))

    def run(self, *argv, text=b'', more_env=()):
        env = {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C',
               'ASAN_OPTIONS': 'exitcode=%d:detect_leaks=0' % SANITIZER_STATUS,
               'UBSAN_OPTIONS': 'halt_on_error=1:exitcode=%d' % SANITIZER_STATUS}
        env.update(more_env)
        try:
            p = subprocess.run([self.program] + list(argv), input=text, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=env, preexec_fn=self.limit, timeout=HANG_S)
        except subprocess.TimeoutExpired:
            raise Bad('waits for ever: %s' % short(' '.join(argv)))
        r = Result(p.returncode, p.stdout.decode('latin-1'), p.stderr.decode('latin-1'))
        if r.status < 0 or r.status == SANITIZER_STATUS or r.status not in (0, 1):
            raise Bad('ended with %d: %s\n%s' % (r.status, short(' '.join(argv)), short(r.err)))
        return r

    def config(self, name, status, *patterns, option='primary_hostname'):
        """Reads the file both ways; each pattern must be found in what -bP says on the standard error."""
        for mode in (['-bV'], ['-bP', option]):
            r = self.run('-C', name, *mode)
            if r.status != status:
                raise Bad('%s: want status %d, got %d\n%s' % (mode[0], status, r.status, short(r.err)))
            for p in patterns:
                find(p, r.err)
        return r

    def expand(self, text, config=None, args=()):
        """One line through -be; the answer without its prompt."""
        if config is None:
            config = self.write('conf', 'keep_environment =\n')
        line = text if isinstance(text, bytes) else text.encode('utf-8', 'surrogateescape')
        r = self.run('-C', config, *args, '-be', text=line + b'\n')
        if r.status != 0 or not r.out.startswith('> ') or not r.out.endswith('\n> \n'):
            raise Bad('-be: status %d, %s %s' % (r.status, short(r.out), short(r.err)))
        return r.out[2:-4]


def find(pattern, text):
    if not re.search(pattern, text, re.M):
        raise Bad('want /%s/ in\n%s' % (short(pattern), short(text)))


def same(got, want):
    if got != want:
        raise Bad('want %s\ngot  %s' % (short(repr(want)), short(repr(got))))
