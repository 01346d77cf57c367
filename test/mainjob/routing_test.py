"""What -bt, -bv and -bvs say of addresses: sheets of recorded answers (routing/NAME), one test each.

A sheet has the routers, a line `$ ARGUMENTS` for each call, and below it what the program prints and, when that is not 0, `(status N)`.
The answers were recorded from Debian's exim4: `./routing_test.py --record PROGRAM [NAME...]` does it again.
"""
import glob
import importlib.util
import os
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

MAIN = '''allow_domain_literals
qualify_recipient = rcpt.example
local_interfaces = <; 127.0.0.1 ; ::1
'''

TRANSPORTS = '''
t1:
  driver = appendfile
  file = /dev/null
  user = {uid}
  group = {gid}
t2:
  driver = pipe
  command = /bin/true $host
  user = {uid}
  group = {gid}
smtp:
  driver = smtp
  port = 25
'''

ALIASES = '''two: u1, u2
one: u1
deep: two, |/bin/cat, /tmp/x, "|foo bar"
mix: three, u4, |/bin/false x, six
three: u1, u2, u3
four: U1@RCPT.Example, u1@rcpt.EXAMPLE
six: u5, u6
fail: :fail: no way
defer: :defer: not now
hole: :blackhole:
bad: a@b@c
loop: loop, u1
nowhere: nobody
'''

ANSWER = '''#!/bin/sh
# Answers of a queryprogram command, by number.
case "$1" in
%s
esac
'''


def sheets():
    return sorted(glob.glob(HERE + '/routing/*.sheet'))


def read_sheet(path):
    with open(path) as f:
        routers, _, rest = f.read().partition('\n$ ')
    calls = []
    for part in ('\n' + rest).split('\n$ ') if rest else []:
        line, _, answer = part.lstrip('\n').partition('\n')
        calls.append((line, answer))
    return routers, calls


def answers_of(routers):
    """Lines `#answer N) ...` of a sheet."""
    return '\n'.join(l[len('#answer '):] + ' ;;' for l in routers.splitlines() if l.startswith('#answer '))


def prepare(site, routers):
    main, more = MAIN, ''
    if '\nbegin rewrite' in routers:
        routers, _, rules = routers.partition('\nbegin rewrite')
        more = 'begin rewrite' + rules
    site.write('aliases', ALIASES)
    site.write('keys', ''.join('%d: %d\n' % (i, i) for i in range(1, 80)))
    site.write('answer', ANSWER % answers_of(routers), mode=0o755)
    site.configure(main=main, routers=routers, transports=TRANSPORTS, more=more)


def call(site, line):
    args = [site.fill(a) for a in shlex.split(line)]
    stdin = ''
    if args and args[-1].startswith('<<'):
        stdin = args.pop()[2:].replace('|', '\n')
    r = site.run(*args, stdin=stdin)
    out = r.out if not r.out or r.out.endswith('\n') else r.out + '\n'
    out = out.replace(site.top, '{top}')
    return out + ('(status %d)\n' % r.status if r.status else '')


def check(site, path):
    routers, calls = read_sheet(path)
    prepare(site, routers)
    assert calls, path
    for line, want in calls:
        got = call(site, line)
        assert got == want.rstrip('\n') + '\n' if want.strip() else got == '', \
            '%s: %s\n--- expected\n%s--- got\n%s' % (os.path.basename(path), line, want, got)


def make_test(path):
    return lambda site: check(site, path)


for sheet in sheets():
    globals()['test_sheet_' + os.path.basename(sheet)[:-len('.sheet')]] = make_test(sheet)


def record(program, names):
    spec = importlib.util.spec_from_file_location('remex_site', os.path.join(HERE, 'site.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path in sheets():
        if names and os.path.basename(path)[:-len('.sheet')] not in names:
            continue
        routers, calls = read_sheet(path)
        site = module.Site(program)
        try:
            prepare(site, routers)
            text = routers + ''.join('\n$ %s\n%s' % (line, call(site, line)) for line, _ in calls)
        finally:
            site.close()
        with open(path, 'w') as f:
            f.write(text.rstrip('\n') + '\n')


if __name__ == '__main__':
    if sys.argv[1:2] != ['--record']:
        sys.exit(__doc__)
    record(sys.argv[2], sys.argv[3:])
