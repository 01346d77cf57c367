"""The SMTP service beside its peers: ../shared/bench's message benchmarks with exim4, postfix, opensmtpd and the bare floor in one run.

Used by test/bench/run. Each script runs in a mount name space of its own, in which /etc is a copy on write: remex gets its site file
there, and nothing of the machine changes. Ratios are of medians of interleaved runs.
"""
import os
import subprocess

RUN_FOLDER = '/tmp/mta-bench/run-service'
SITE = 'user = Debian-exim\n'
LAYER = '''set -e
mkdir -p "$1"
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay none -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
mkdir -p /etc/remex
printf %s "$2" >/etc/remex/site
shift 2
exec "$@"'''

# script, kinds besides remex, arguments in full and for a rough figure
SCRIPTS = {
    'discard': ('smtp_in_discard.py', ['exim', 'postfix', 'opensmtpd', 'floor'], ['-n', '600', '-r', '3'], ['-n', '300', '-r', '1']),
    'maildir': ('smtp_in_maildir.py', ['exim', 'postfix', 'opensmtpd'], ['-n', '400', '-r', '3'], ['-n', '300', '-r', '1']),
    'idle': ('idle_conns.py', ['exim'], [], ['--counts', '500']),
    'relay': ('smtp_relay.py', ['exim', 'postfix'], ['-n', '1000', '-r', '3'], ['-n', '300', '-r', '1']),
    'sizes': ('sizes.py', ['exim', 'postfix'], ['-n', '100', '-r', '2'], ['-n', '40', '-r', '1']),
}

CPU = dict(stat='cpu_ms_msg')
COUNT = dict(run='count')
# title, fields that select a line, field with the figure, goals: absolute, share of exim4, share of postfix
ROWS = [
    ('discard, CPU ms a message', dict(bench='smtp_in_discard', **CPU), 'median', None, 1 / 20, 1 / 3),
    ('discard, syncs a message', dict(bench='smtp_in_discard', **COUNT), 'syncs', 0.5, None, None),
    ('discard, exec a message', dict(bench='smtp_in_discard', **COUNT), 'execs_msg', 0.0, None, None),
    ('discard, processes and threads started a message', dict(bench='smtp_in_discard', **COUNT), 'forks_msg', 0.02, None, None),
    ('discard, system calls a message', dict(bench='smtp_in_discard', **COUNT), 'syscalls_msg', None, None, None),
    ('discard, switches a message', dict(bench='smtp_in_discard', **COUNT), 'switches_msg', None, None, None),
    ('Maildir, CPU ms a message', dict(bench='smtp_in_maildir', **CPU), 'median', None, 1 / 15, 1 / 2.5),
    ('Maildir, syncs a message', dict(bench='smtp_in_maildir', **COUNT), 'syncs', None, None, None),
    ('Maildir, processes and threads started a message', dict(bench='smtp_in_maildir', **COUNT), 'forks_msg', None, None, None),
    ('Maildir, system calls a message', dict(bench='smtp_in_maildir', **COUNT), 'syscalls_msg', None, None, None),
    ('500 idle sessions, KB each, user and kernel', dict(bench='idle_conns', n='500'), 'memory', None, None, None),
    ('2,000 idle sessions, KB each, user and kernel', dict(bench='idle_conns', n='2000'), 'memory', 22, None, None),
    ('relay, CPU ms a message', dict(bench='smtp_relay', **CPU), 'median', None, 1 / 15, 1 / 3),
    ('relay, system calls a message', dict(bench='smtp_relay', **COUNT), 'syscalls_msg', None, None, None),
    ('relay of 1 MB, CPU ms a MB', dict(bench='sizes', stat='cpu_ms_mb'), 'median', None, 1 / 4, 2 / 3),
]
KINDS = ['exim', 'postfix', 'opensmtpd', 'floor', 'remex']


def fetch_peers(shared, folder):
    """False: they are not there and cannot be got."""
    if os.path.exists(os.path.join(folder, 'postfix/usr/sbin/smtp-source')):
        return True
    p = subprocess.run([os.path.join(shared, 'peers.sh')], env=dict(os.environ, BENCH_PEERS=folder))
    return p.returncode == 0


def measure(shared, name, quick, env):
    script, kinds, full, rough = SCRIPTS[name]
    env = dict(env, BENCH_RUN=os.environ.get('BENCH_RUN', RUN_FOLDER))
    argv = ['unshare', '-m', 'sh', '-c', LAYER, 'sh', env['BENCH_RUN'] + '-etc', SITE,
            os.path.join(shared, script), *kinds, 'remex', *(rough if quick else full)]
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    text = p.stdout.decode('utf-8', 'replace')
    if p.returncode != 0:
        print('%s: status %d\n%s' % (script, p.returncode, p.stderr.decode('utf-8', 'replace')[-1500:]))
    lines = [dict(w.split('=', 1) for w in line.split() if '=' in w) for line in text.splitlines()]
    for line in lines:
        if 'error' in line:
            print('%s, %s: %s' % (script, line.get('mta'), line['error']))
        derive(line)
    return lines, text


def derive(line):
    """Figures that are sums of others."""
    if 'fsyncs_msg' in line:
        line['syncs'] = float(line['fsyncs_msg']) + float(line['fdatasyncs_msg'])
    if 'pss_kb_conn' in line:
        line['memory'] = float(line['pss_kb_conn']) + float(line.get('kmem_kb_conn', 0))


def figure(lines, mta, want, field):
    for line in lines:
        if line.get('mta') == mta and field in line and all(line.get(k) == v for k, v in want.items()):
            return float(line[field])
    return None


def number(x):
    return '-' if x is None else '%.0f' % x if x >= 100 else '%.3g' % x


def share(remex, peer):
    return None if not peer or remex is None else remex / peer


def verdict(found, most, ratio_exim, ratio_postfix):
    goals, met = [], True
    if most is not None:
        goals.append('at most %g' % most)
        met = met and found['remex'] is not None and found['remex'] <= most
    for peer, ratio in (('exim', ratio_exim), ('postfix', ratio_postfix)):
        if ratio is not None:
            goals.append('%.3g of %s' % (ratio, peer))
            got = share(found['remex'], found[peer])
            met = met and got is not None and got <= ratio
    return ', '.join(goals) + (', met' if met else ', MISSED') if goals else ''


def show(lines):
    shown = [r for r in ROWS if figure(lines, 'remex', r[1], r[2]) is not None]
    if not shown:
        return
    print('\n%-50s' % '' + ''.join('%10s' % k for k in KINDS) + '%9s %9s  goal' % ('/exim', '/postfix'))
    for title, want, field, most, ratio_exim, ratio_postfix in shown:
        found = {k: figure(lines, k, want, field) for k in KINDS}
        ratios = [share(found['remex'], found[k]) for k in ('exim', 'postfix')]
        print('%-50s' % title + ''.join('%10s' % number(found[k]) for k in KINDS)
              + ''.join('%9s ' % ('-' if r is None else '%.3f' % r) for r in ratios)
              + ' ' + verdict(found, most, ratio_exim, ratio_postfix))
