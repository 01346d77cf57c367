"""What a process could do whose code somebody else has taken over: calls are made in its place, from outside. See outside.py."""
import os
import re
import signal
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import outside  # noqa: E402
from daemon import Daemon  # noqa: E402

SIGSYS = 'signal %d' % signal.SIGSYS
AF_UNIX, AF_INET, AF_PACKET, AF_ALG = 1, 2, 17, 38

# What ends a process of these kinds, whatever the configuration: who it is, what it may do, where it is, what others are.
FORBIDDEN = [('setuid', 0), ('setgid', 0), ('setresuid', 0, 0, 0), ('capset', '@', '@'), ('ptrace', 16, 1), ('mount', '@a', '@b', '@c', 0, 0),
             ('unshare', 0x10000000), ('setns', 0, 0), ('bpf', 0, '@', 0), ('init_module', '@', 0, '@'), ('process_vm_readv', 1, '@', 0, '@', 0, 0),
             ('socket', AF_PACKET, 3, 0), ('socket', AF_ALG, 5, 0), ('execveat', 0, '@/bin/true', 0, 0, 0)]


def pids(d, kind):
    """Processes of a kind; 'worker': those that deliver."""
    if kind == 'worker':
        return [w for p in d.roles('deliver') for w in d.children(p)]
    return d.roles(kind)


def revive(site, d):
    """A message goes through, so all that have to be there are there."""
    n = site.raw_log().count('Completed')
    d.send('joe@example.org')
    site.wait_for(lambda: site.raw_log().count('Completed') > n)


def test_dies_of_a_forbidden_call(site):
    """All of them in smtp processes, of which there are enough; some in the others, which are started again later and later."""
    if not outside.can_intrude():
        return
    run = ('execve', '@/bin/true', 0, 0)     # nothing in this configuration runs a program
    plan = {'smtp': FORBIDDEN + [run], 'queue': [('socket', AF_INET, 1, 0), ('fork',)],
            'worker': FORBIDDEN[:4] + [run], 'deliver': [('setresuid', 0, 0, 0)]}
    site.configure('smtp_accept_max = 0\nsmtp_processes = %d' % (len(plan['smtp']) + 2))
    with Daemon(site) as d:
        for kind, calls in plan.items():
            hit = set()
            for call in calls:
                revive(site, d)
                site.wait_for(lambda: set(pids(d, kind)) - hit)
                pid = min(set(pids(d, kind)) - hit)
                hit.add(pid)
                assert outside.make(pid, *call) == SIGSYS, (kind, call)
                if kind != 'worker':
                    site.wait_for(lambda: '%s process %d ended by signal %d: another one is started' % (kind, pid, signal.SIGSYS)
                                  in site.raw_log())
        revive(site, d)


def test_opens_no_file_of_a_user(site):
    """Not even one that everybody may read; nor a mailbox, the configuration, another process."""
    if not outside.can_intrude():
        return
    folder = '/var/tmp/remex-test-home.%d' % os.getpid()
    secret = folder + '/letters'
    os.makedirs(folder, 0o755, exist_ok=True)
    with open(secret, 'w') as f:
        f.write('private')
    os.chmod(secret, 0o666)
    try:
        site.configure('smtp_processes = 2')
        with Daemon(site) as d:
            d.send('joe@example.org')
            site.wait_for(lambda: site.completed(1))
            assert site.mail('anybody')
            others = d.roles('smtp')[1]
            for kind in ('smtp', 'queue', 'deliver', 'worker'):
                pid = pids(d, kind)[0]
                for path in (secret, site.path('mail/anybody'), site.conf, '/etc/shadow', '/root', '/proc/1/environ', '/proc/1/mem',
                             '/proc/%d/mem' % others):
                    if path.startswith('/proc/') and pid == others:
                        continue
                    assert outside.make(pid, 'open', '@' + path, os.O_RDONLY) == 'EACCES', (kind, path)
                for path in (secret, site.path('mail/new'), '/var/tmp/remex-test-new', '/etc/remex-test-new'):
                    got = outside.make(pid, 'open', '@' + path, os.O_WRONLY | os.O_CREAT, 0o644)
                    assert got == 'EACCES', (kind, path, got)
                assert outside.make(pid, 'open', '@/etc/passwd', os.O_RDONLY) not in ('EACCES', SIGSYS)
                assert isinstance(outside.make(pid, 'getpid'), int)
            n = outside.make(pids(d, 'smtp')[0], 'truncate', '@' + secret, 0)
            assert n in ('EACCES', 0)     # kernels before 6.2 do not know this one
            assert n == 0 or open(secret).read() == 'private'
            # All go on as if nothing had been.
            d.send('joe@example.org')
            site.wait_for(lambda: site.completed(2))
            assert 'process' not in site.raw_log('panic')
    finally:
        os.unlink(secret)
        os.rmdir(folder)


def inspectors(d, name):
    """The process that has loaded a library, and those that work with it."""
    loaders = [c for r in d.roles('inspect') for c in d.children(r) if d.status(c, 'Name') == [name]]
    return loaders, [w for c in loaders for w in d.children_or_none(c)]


def test_inspects_and_reaches_nothing(site):
    """Who works with a library: no file at all, no socket, nobody else, nothing new."""
    if not outside.can_intrude() or landlock_version() < 1:
        return
    site.configure('acl_smtp_mail = check\nsmtp_processes = 1', more='begin acl\ncheck:\n  accept spf = pass\n  deny\n')
    with Daemon(site) as d:
        calls = [('socket', AF_UNIX, 1, 0), ('socket', AF_INET, 1, 0), ('fork',), ('execve', '@/bin/true', 0, 0),
                 ('kill', d.process.pid, 0), ('setresuid', 0, 0, 0), ('ptrace', 16, 1), ('prctl', 4, 1, 0, 0, 0)]
        for call in calls:
            d.send('joe@example.org')       # of a client that is here: nothing is asked
            loaders, workers = inspectors(d, 'inspect-spf')
            assert len(loaders) == 1 and len(workers) == 1, (loaders, workers)
            worker = workers[0]
            for path in (site.conf, '/etc/passwd', '/usr', '/dev/null', site.path('spool'), '/proc/self/maps'):
                assert outside.make(worker, 'open', '@' + path, os.O_RDONLY) == 'EACCES', path
            assert outside.make(worker, *call) == SIGSYS, call
            site.wait_for(lambda: worker not in inspectors(d, 'inspect-spf')[1])
        loader = inspectors(d, 'inspect-spf')[0][0]
        assert outside.make(loader, 'open', '@/etc/passwd', os.O_RDONLY) == 'EACCES'
        above = d.roles('inspect')[0]
        for path in (site.conf, '/etc/passwd', site.path('log/mainlog'), site.path('spool')):
            assert outside.make(above, 'open', '@' + path, os.O_RDONLY) == 'EACCES', path
        assert outside.make(above, 'socket', AF_UNIX, 1, 0) == SIGSYS
        d.send('joe@example.org')           # another one is there
        site.wait_for(lambda: site.completed(len(calls) + 1))


def landlock_version():
    import ctypes
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


def test_reaches_no_other_process(site):
    if not outside.can_intrude() or landlock_version() < 6:
        return
    site.configure()
    with Daemon(site) as d:
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        queue, worker = pids(d, 'queue')[0], pids(d, 'worker')[0]
        for kind in ('smtp', 'worker'):
            pid = pids(d, kind)[0]
            for victim in (queue, d.process.pid, pids(d, 'smtp')[1], worker):
                if victim != pid:
                    assert outside.make(pid, 'kill', victim, signal.SIGKILL) == 'EPERM', (kind, victim)
        assert pids(d, 'queue') == [queue]


def test_executes_only_what_is_on_its_list(site):
    """Of the system, or named by the configuration; never what it could have written itself."""
    if not outside.can_intrude():
        return
    named = site.write('named', '#!/bin/sh\necho named\n', 0o755)
    other = site.write('other', '#!/bin/sh\necho other\n', 0o755)
    os.chown(named, 0, 0)
    site.configure('acl_smtp_connect = check\nsmtp_processes = 1', more="""begin acl
check:
  warn logwrite = ran <${run{%s}}>
  warn logwrite = ran <${run{/bin/echo system}}>
  warn condition = ${if exists{{top}/go}}
       logwrite = ran <${run{${sg{%s}{!}{/}}}}>
  accept
""" % (named, other.replace('/', '!')))
    with Daemon(site) as d:
        d.send('joe@example.org')
        assert 'ran <named' in site.raw_log() and 'ran <system' in site.raw_log(), site.raw_log()
        smtp = d.roles('smtp')[0]
        # A program in the spool, which it may write.
        evil = site.write('spool/evil', '#!/bin/sh\ntouch %s\n' % site.path('spool/done'), 0o755)
        for path in (evil, other):
            assert outside.make(smtp, 'execve', '@' + path, 0, 0) == 'EACCES', path
        # With set-uid it gains nothing: no new privileges, no capability to gain, none to keep.
        for pid in (smtp,) + tuple(pids(d, 'worker')) + tuple(pids(d, 'deliver')):
            assert d.status(pid, 'NoNewPrivs') == ['1']
            for field in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
                assert int(d.status(pid, field)[0], 16) == 0, (pid, field)
        assert not os.path.exists(site.path('spool/done'))
    assert 'other' not in re.sub(r'\S*/other', '', site.raw_log())


def test_no_file_is_set_uid(site):
    folder = os.path.dirname(os.path.realpath(site.binary))
    for name in os.listdir(folder):
        mode = os.lstat(os.path.join(folder, name)).st_mode
        assert mode & (stat.S_ISUID | stat.S_ISGID) == 0, name


def limits(pid):
    with open('/proc/%d/limits' % pid) as f:
        return {line[:26].strip(): line[26:].split()[:2] for line in f}


def test_limits_on_resources(site):
    site.configure()
    with Daemon(site) as d:
        site.wait_for(lambda: all(d.roles(k) for k in ('smtp', 'queue', 'deliver')))
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        for kind in ('smtp', 'queue', 'deliver'):
            now = limits(d.roles(kind)[0])
            assert now['Max core file size'] == ['0', '0'], (kind, now)
            assert now['Max data size'][0] != 'unlimited' or 'san' in site.binary, (kind, now)
        most = limits(os.getpid())['Max open files'][1]
        assert limits(d.roles('queue')[0])['Max open files'] == [str(min(4096, int(most)))] * 2
        assert limits(d.roles('smtp')[0])['Max open files'][0] == str(min(65536, int(most)))


def test_descriptors_run_short(site):
    """Connections beyond what can be served are refused with an answer and a line; those that are there go on."""
    import resource
    site.configure('smtp_accept_max = 0\nsmtp_processes = 1')
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Daemon(site, limits={resource.RLIMIT_NOFILE: 80}) as d:
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
        open_ones, refused = [], 0
        while refused < 3 and len(open_ones) < 100:
            s, f = d.connect()
            line = f.readline()
            assert line[:4] in (b'220 ', b'421 '), line
            refused += line.startswith(b'421 ')
            open_ones.append((s, f))
        assert 20 < len(open_ones) < 80, len(open_ones)
        assert line == b'421 Too many concurrent SMTP connections; please try again later.\r\n'
        assert 'Connection from [127.0.0.1] refused: too many connections' in site.raw_log()
        s, f = open_ones[0]
        for command, want in ((b'helo x', b'250'), (b'mail from:<a@x>', b'250'), (b'rcpt to:<joe@example.org>', b'250'),
                              (b'data', b'354'), (b'Subject: x\r\n\r\n.', b'250 OK id='), (b'quit', b'221')):
            s.sendall(command + b'\r\n')
            assert f.readline().startswith(want), command
        for s, f in open_ones:
            f.close()
            s.close()
        site.wait_for(lambda: site.completed(1))
