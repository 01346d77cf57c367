"""The daemon starts, takes messages, delivers them, is reloaded and ends."""
import os
import re
import pwd
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, free_port, pause, service_manager  # noqa: E402
from remote_test import Server  # noqa: E402


def test_takes_and_delivers(site):
    site.configure()
    with Daemon(site) as d:
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        assert 'body' in site.mail('anybody')
        log = site.log()
        assert any('daemon started: pid=N, no queue runs, listening for SMTP on [127.0.0.1]:%d' % d.port in l
                   for l in log), log
        assert any(l.startswith('ID1 <= a@client.example H=localhost (client.example) [127.0.0.1] P=esmtp S=N') or
                   l.startswith('ID1 <= a@client.example H=(client.example) [127.0.0.1] P=esmtp S=N') for l in log), log
    assert site.queue() == []


def test_many_messages(site):
    site.configure('smtp_accept_max = 0')
    with Daemon(site) as d:
        for _ in range(10):
            with d.client() as c:
                for _ in range(5):
                    c.sendmail('a@client.example', ['joe@example.org'], 'Subject: x\r\n\r\nbody\r\n')
        site.wait_for(lambda: site.completed(50))
    assert site.mail('anybody').count('Subject: x') == 50


def test_pid_file(site):
    site.configure()
    d = Daemon(site)
    assert site.read('pid') == '%d\n' % d.process.pid
    assert d.stop() == 0
    assert not os.path.exists(site.path('pid'))


def test_no_pid_file_with_other_port(site):
    site.configure()
    port = free_port()
    r = site.run('-bd', '-oX', '127.0.0.1.%d' % port)
    assert r.status == 0, r.err
    site.wait_for(lambda: re.search('daemon started: pid=.*,', site.raw_log()))
    pid = int(re.search(r'daemon started: pid=(\d+)', site.raw_log()).group(1))
    assert not os.path.exists(site.path('spool/exim-daemon.pid'))
    os.kill(pid, signal.SIGTERM)
    site.wait_for(lambda: not os.path.exists('/proc/%d' % pid))


def test_usual_pid_file(site):
    site.configure('local_interfaces = 127.0.0.1\ndaemon_smtp_ports = %d' % free_port())
    r = site.run('-bd')
    assert r.status == 0, r.err
    pid = int(site.read('spool/exim-daemon.pid'))     # it is there when the command has ended
    assert [n for n in os.listdir(site.path('spool')) if n.startswith('exim-daemon.pid')] == ['exim-daemon.pid']
    os.kill(pid, signal.SIGTERM)
    site.wait_for(lambda: not os.path.exists('/proc/%d' % pid), 60)
    assert not os.path.exists(site.path('spool/exim-daemon.pid'))


def test_address_in_use(site):
    site.configure('daemon_startup_retries = 1\ndaemon_startup_sleep = 1s')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        r = site.run('-bdf', '-oX', '127.0.0.1.%d' % port)
    assert r.status == 1
    text = 'socket bind() to port %d for address 127.0.0.1 failed: Address already in use: ' % port
    assert text + 'waiting 1s before trying again (1 more try)' in site.raw_log()
    assert text + 'daemon abandoned' in site.raw_log()
    assert text + 'daemon abandoned' in site.raw_log('panic')


def test_queue_runs(site):
    site.configure()
    site.send('joe@example.org', options=('-odq',))
    with Daemon(site, '-q1s'):
        site.wait_for(lambda: site.completed(1))
        site.wait_for(lambda: site.raw_log().count('Start queue run') >= 2)
    assert 'daemon started: pid=N, -q1s, listening for SMTP' in '\n'.join(site.log())


def test_queue_runs_alone(site):
    site.configure()
    site.send('joe@example.org', options=('-odq',))
    r = site.run('-q30m', '-oP', site.path('pid'))
    assert r.status == 0
    site.wait_for(lambda: site.completed(1))
    assert 'daemon started: pid=N, -q30m, not listening for SMTP' in '\n'.join(site.log())
    os.kill(int(site.read('pid')), signal.SIGTERM)
    site.wait_for(lambda: not os.path.exists(site.path('pid')))


def test_reload_takes_new_configuration(site):
    site.configure()
    with Daemon(site) as d:
        old = d.roles('smtp')
        s, f = d.connect()
        assert f.readline().startswith(b'220 mx.example.org')
        site.configure('smtp_banner = new words')
        d.reload()

        def greets_anew():
            t, g = d.connect()
            line = g.readline()
            g.close()
            t.close()
            return line == b'220 new words\r\n'
        site.wait_for(greets_anew)
        # The old session goes on.
        for line, want in ((b'helo x', b'250'), (b'mail from:<a@x>', b'250'), (b'rcpt to:<joe@example.org>', b'250'),
                           (b'data', b'354'), (b'Subject: old\r\n\r\n.', b'250 OK id='), (b'quit', b'221')):
            s.sendall(line + b'\r\n')
            assert f.readline().startswith(want)
        site.wait_for(lambda: site.completed(1))
        f.close()
        s.close()
        site.wait_for(lambda: not set(old) & set(d.roles('smtp')))


def test_old_generation_is_mended(site):
    """Who dies after a reload is replaced for as long as a session of the old generation needs it."""
    site.configure()
    with Daemon(site) as d:
        old = {name: d.roles(name) for name in ('agent', 'deliver', 'queue')}
        s, f = d.connect()
        assert f.readline().startswith(b'220')
        d.reload()
        for n, name in enumerate(('agent', 'deliver', 'queue', 'agent')):
            pid = old[name][0] if old[name] else None
            if pid is not None:
                before = set(d.roles(name))
                os.kill(pid, signal.SIGKILL)
                site.wait_for(lambda: '%s process %d ended by signal 9: another one is started' % (name, pid)
                              in site.raw_log())
                site.wait_for(lambda: set(d.roles(name)) - before)
                old[name] = list(set(d.roles(name)) - before)
            for line, want in ((b'helo x', b'250'), (b'mail from:<a@x>', b'250'), (b'rcpt to:<joe@example.org>', b'250'),
                               (b'data', b'354'), (b'Subject: old\r\n\r\n.', b'250 OK id=')):
                s.sendall(line + b'\r\n')
                assert f.readline().startswith(want)
            site.wait_for(lambda: site.completed(n + 1), 40)
        f.close()
        s.close()
        site.wait_for(lambda: len(d.roles('queue')) == len(d.roles('deliver')) == 1 and len(d.roles('agent')) <= 1, 40)


def test_bad_configuration_is_not_taken(site):
    site.configure()
    with Daemon(site) as d:
        d.reload()
        site.configure('no_such_option = 1')
        d.signal(signal.SIGHUP)
        # In both logs, whoever makes the file.
        for log in ('main', 'panic'):
            site.wait_for(lambda which=log: 'the new configuration is not used' in site.raw_log(which))
        site.configure()
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        d.reload()      # the sockets are still there to be handed on
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(2))


def test_service_notification(site):
    site.configure()
    with service_manager(site, 10) as (s, env):
        with Daemon(site, env=env):
            assert s.recv(100) == b'READY=1'
        assert s.recv(100) == b'STOPPING=1'


def test_one_that_only_runs_the_queue_stays_where_the_service_manager_started_it(site):
    site.configure()
    with service_manager(site, 10) as (s, env):
        argv = [site.binary, '-C', site.conf, '-q1h', '-oP', site.path('pid')]
        daemon = subprocess.Popen(argv, cwd=site.top, env=env)
        try:
            assert s.recv(100) == b'READY=1' and daemon.poll() is None
            with open(site.path('pid'), encoding='utf-8') as f:
                assert int(f.read()) == daemon.pid
        finally:
            daemon.terminate()
            assert daemon.wait(30) == 0
    # Without one it goes into the background.
    assert subprocess.run(argv, cwd=site.top, timeout=30).returncode == 0
    with open(site.path('pid'), encoding='utf-8') as f:
        os.kill(int(f.read()), signal.SIGTERM)


def test_smtp_process_dies(site):
    site.configure()
    with Daemon(site) as d:
        site.wait_for(lambda: len(d.roles('smtp')) >= 2)
        before = d.roles('smtp')
        os.kill(before[0], signal.SIGKILL)
        site.wait_for(lambda: 'smtp process %d ended by signal 9: another one is started' % before[0] in site.raw_log())
        site.wait_for(lambda: len(d.roles('smtp')) >= len(before))
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))


def test_queue_process_dies(site):
    site.configure()
    with Daemon(site) as d:
        old = d.roles('queue')
        s, f = d.connect()
        os.kill(old[0], signal.SIGSTOP)
        d.send('joe@example.org')
        pause(0.2)
        assert not site.completed(1)
        os.kill(old[0], signal.SIGKILL)
        # The one that takes its place finds the message.
        site.wait_for(lambda: site.completed(1))
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(2))
        f.close()
        s.close()


def test_deliver_process_dies(site):
    site.configure()
    with Daemon(site) as d:
        os.kill(d.roles('deliver')[0], signal.SIGKILL)
        site.wait_for(lambda: 'deliver process' in site.raw_log())
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))


def test_no_privilege_in_smtp_process(site):
    site.configure()
    with Daemon(site) as d:
        for role in ('smtp', 'queue'):
            for pid in d.roles(role):
                site.wait_for(lambda p=pid: d.status(p, 'Uid') == [str(site.uid)] * 4)
                for field in ('CapEff', 'CapPrm', 'CapInh') + (('CapBnd',) if site.root else ()):
                    site.wait_for(lambda p=pid, f=field: d.status(p, f) == ['0000000000000000'])
                assert d.status(pid, 'NoNewPrivs') == ['1']
                site.wait_for(lambda p=pid: d.status(p, 'Seccomp') == ['2'])


def test_delivery_processes_have_no_privilege(site):
    site.configure()
    with Daemon(site) as d:
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        deliver = d.roles('deliver')[0]
        for pid in [deliver] + d.children(deliver):
            assert d.status(pid, 'Uid') == [str(site.uid)] * 4
            if site.root:
                assert d.status(pid, 'CapPrm') == ['0000000000000000']
                assert d.status(pid, 'Seccomp') == ['2']
        assert len(d.roles('agent')) == (1 if site.root else 0)


def test_smtp_process_cannot_open_what_is_not_its_business(site):
    """A file that everybody may read, whose name no configuration can be seen to name."""
    path = '/var/tmp/remex-test-secret.%d' % os.getpid()
    with open(path, 'w') as f:
        f.write('the secret')
    os.chmod(path, 0o644)
    try:
        site.configure('acl_smtp_connect = check', more="""begin acl
check:
  warn logwrite = read <${readfile{${sg{%s}{!}{/}}}}>
  accept
""" % path.replace('/', '!'))
        with Daemon(site) as d:
            s, f = d.connect()
            assert f.readline().startswith(b'451')
            f.close()
            s.close()
            assert 'the secret' not in site.raw_log()
            assert 'Permission denied' in site.raw_log(), site.raw_log()
    finally:
        os.unlink(path)


def test_program_can_be_run_where_the_configuration_runs_one(site):
    site.configure('acl_smtp_connect = check', more="""begin acl
check:
  warn logwrite = ran <${run{/bin/echo hello}}>
  accept
""")
    with Daemon(site) as d:
        with d.client() as c:
            c.noop()
        site.wait_for(lambda: 'ran <hello' in site.raw_log())


def test_role_is_for_the_daemon_alone(site):
    site.configure()
    r = site.run('-bI:role')
    assert r.status == 1
    assert '-bI:role is what the daemon calls for itself' in r.err


def test_accept_max_over_all_processes(site):
    site.configure('smtp_accept_max = 3\nsmtp_processes = 3')
    with Daemon(site) as d:
        open_ones = []
        for _ in range(3):
            s, f = d.connect()
            assert f.readline().startswith(b'220 ')
            open_ones.append((s, f))
        s, f = d.connect()
        assert f.readline() == b'421 Too many concurrent SMTP connections; please try again later.\r\n'
        f.close()
        s.close()
        assert 'Connection from [127.0.0.1] refused: too many connections' in site.raw_log()
        for x, y in open_ones:
            y.close()
            x.close()
        site.wait_for(d.is_welcoming)


def test_accept_max_per_host(site):
    site.configure('smtp_accept_max_per_host = ${if eq{$sender_host_address}{127.0.0.1}{1}{5}}\nsmtp_processes = 3')
    with Daemon(site) as d:
        s, f = d.connect()
        assert f.readline().startswith(b'220 ')
        t, g = d.connect()
        assert g.readline() == (b'421 Too many concurrent SMTP connections from this IP address; '
                                b'please try again later.\r\n')
        for x in (f, s, g, t):
            x.close()


def test_reserve(site):
    site.configure('smtp_accept_max = 2\nsmtp_accept_reserve = 1\nsmtp_reserve_hosts = 127.0.0.1')
    with Daemon(site) as d:
        pairs = [d.connect() for _ in range(2)]
        assert all(f.readline().startswith(b'220 ') for _, f in pairs)
        for s, f in pairs:
            f.close()
            s.close()
    site.configure('smtp_accept_max = 2\nsmtp_accept_reserve = 1\nsmtp_reserve_hosts = 192.0.2.1')
    with Daemon(site) as d:
        pairs = [d.connect() for _ in range(2)]
        lines = sorted(f.readline() for _, f in pairs)
        assert lines[1].startswith(b'421 mx.example.org: Too many concurrent SMTP connections') or \
            lines[0].startswith(b'220 ')
        assert 'not in reserve list: connected=2 max=2 reserve=1' in site.raw_log()
        for s, f in pairs:
            f.close()
            s.close()


def test_accept_queue(site):
    site.configure('smtp_accept_queue = 1')
    with Daemon(site) as d:
        s, f = d.connect()
        f.readline()
        d.send('joe@example.org')
        site.wait_for(lambda: 'no immediate delivery: too many connections (2, max 1)' in site.raw_log())
        assert len(site.queue()) == 1
        f.close()
        s.close()


def test_process_log(site):
    site.configure('smtp_sessions_per_process = 1')
    with Daemon(site) as d:
        site.wait_for(lambda: len(d.roles('smtp')) >= 2 and d.roles('queue') and d.roles('deliver'))
        s, f = d.connect()
        assert f.readline().startswith(b'220')
        d.send('joe@example.org')
        path = 'spool/exim-process.info'
        words = ('smtp: 1 sessions', 'queue: ', 'listening', 'starting deliveries',
                 'handling incoming connection from [127.0.0.1]', '%5d daemon(' % d.process.pid)

        def missing():
            """Asks all that are there now: a process that is starting does not hear the question."""
            for pid in d.roles('smtp') + d.roles('queue') + d.roles('deliver') + [d.process.pid]:
                try:
                    os.kill(pid, signal.SIGUSR1)
                except ProcessLookupError:
                    pass
            text = site.read(path)
            return [w for w in words if w not in text]
        try:
            site.wait_for(lambda: not missing(), 60)
        except AssertionError:
            raise AssertionError('%r not in %s' % (missing(), site.read(path)))
        f.close()
        s.close()


def test_a_process_for_each_session(site):
    site.configure('smtp_sessions_per_process = 1\nsmtp_processes = 2')
    with Daemon(site) as d:
        s, f = d.connect()
        assert f.readline().startswith(b'220')
        assert sum(len(d.children(p)) for p in d.roles('smtp')) == 1
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        f.close()
        s.close()
        site.wait_for(lambda: sum(len(d.children(p)) for p in d.roles('smtp')) == 0)


def test_sessions_share_a_process(site):
    site.configure('smtp_accept_max = 0\nsmtp_processes = 1')
    with Daemon(site) as d:
        pairs = [d.connect() for _ in range(30)]
        assert all(f.readline().startswith(b'220') for _, f in pairs)
        assert d.children(d.roles('smtp')[0]) == []
        for s, f in pairs:
            f.close()
            s.close()


def test_etrn(site):
    site.configure('acl_smtp_etrn = accept')
    site.send('joe@example.org', options=('-odq',))
    with Daemon(site) as d:
        with d.client() as c:
            assert c.docmd('ETRN #example.org')[0] == 250
        site.wait_for(lambda: site.completed(1))
        assert 'Start queue run: pid=N -R example.org' in site.log()


def test_users_hand_messages_over(site):
    """A user who cannot write the spool: the daemon takes the message in that user's name."""
    if not site.root:
        return
    site.configure('submit_socket = {top}/submit')
    os.chmod(site.path('spool'), 0o700)
    user = pwd.getpwnam('daemon')

    def become():
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    def send(*options, text='Subject: x\n\nbody\n'):
        return subprocess.run([site.binary, '-C', site.conf] + list(options), input=text.encode(), cwd='/',
                              preexec_fn=become, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with Daemon(site):
        r = send('joe@example.org', '-f', 'other@example.net')
        assert r.returncode == 0, r
        site.wait_for(lambda: site.completed(1))
        assert ' U=daemon P=local ' in site.raw_log()
        assert ' <= daemon@example.org ' in site.raw_log()
        r = send('-t', text='To: joe@example.org\nSubject: y\n\nbody\n')
        assert r.returncode == 0, r
        site.wait_for(lambda: site.completed(2))
        r = send('-oep', 'joe')
        assert r.returncode == 0, r
        r = send('-oep', 'joe@')
        assert r.returncode == 1 and b'bad recipient address "joe@"' in r.stderr, r
        r = send('-oMa', '192.0.2.1', 'joe@example.org')
        assert r.returncode == 0
        assert '192.0.2.1' not in site.raw_log()
    assert not os.path.exists(site.path('submit'))
    r = send('joe@example.org')
    assert r.returncode == 1 and b'cannot hand the message over to the daemon' in r.stderr, r


def test_users_of_the_first_moment(site):
    """Whoever calls before all processes of the daemon know each other is not forgotten until a queue run."""
    site.configure('submit_socket = {top}/submit')
    for n in range(1, 6):
        with Daemon(site, started=False):
            site.wait_for(lambda: os.path.exists(site.path('submit')))
            call = subprocess.Popen([site.binary, '-C', site.conf, '-odb', 'joe@example.org'], stdin=subprocess.PIPE, cwd='/',
                                    user='daemon' if site.root else None, extra_groups=[] if site.root else None)
            call.communicate(b'Subject: x\n\nbody\n')
            assert call.returncode == 0
            site.wait_for(lambda: site.completed(n))


def test_callout(site):
    """From the process that has no privilege and little to call; what it learns is there for the next one."""
    with Server(answers=lambda c: '550 no' if c == 'RCPT TO:<bad@far.example>' else None) as server:
        site.configure('acl_smtp_mail = accept', routers='remote:\n  driver = manualroute\n  route_data = 127.0.0.1\n'
                       '  self = send\n  transport = out\n', transports='out:\n  driver = smtp\n  port = %d\n' % server.port,
                       more='begin acl\ncheck:\n accept verify = sender/callout')
        with open(site.conf) as f:
            text = f.read()
        with open(site.conf, 'w') as f:
            f.write(text.replace('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = check'))
        with Daemon(site) as d:
            for sender, code in (('good', 250), ('bad', 550), ('good', 250), ('bad', 550)):
                with d.client() as c:
                    c.helo()
                    assert c.docmd('MAIL FROM:<%s@far.example>' % sender)[0] == 250
                    assert c.docmd('RCPT TO:<r@near.example>')[0] == code, site.log()
            assert server.connections == 2, 'the cache has the rest'
            assert d.roles('smtp'), site.log()


def test_command_of_etrn(site):
    done, script = site.path('done'), site.path('command')
    with open(script, 'w') as f:
        f.write('#!/bin/sh\necho "$1" > %s\n' % done)
    os.chmod(script, 0o755)
    os.chmod(site.top, 0o777)
    site.configure('acl_smtp_etrn = accept\nsmtp_etrn_command = %s $domain' % script)
    with Daemon(site) as d:
        with d.client() as c:
            assert c.docmd('ETRN example.org')[0] == 250
        site.wait_for(lambda: os.path.exists(done) and open(done).read())
        assert open(done).read() == 'example.org\n', site.log()


def test_daemon_of_one_user(site):
    """Without any privilege, as the user whom the configuration names; another one may not."""
    if not site.root:
        return
    site.configure()
    for name, status in (('nobody', 0), ('daemon', 1)):
        user = pwd.getpwnam(name)

        def become():
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)

        port = free_port()
        r = subprocess.run([site.binary, '-C', site.conf, '-bd', '-oX', '127.0.0.1.%d' % port, '-oP', site.path('spool/pid')],
                           cwd='/', preexec_fn=become, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert r.returncode == status, (name, r.stdout)
        if status:
            assert b'permission denied' in r.stdout, r.stdout
            continue
        with open(site.path('spool/pid')) as f:
            pid = int(f.read())
        try:
            with socket.create_connection(('127.0.0.1', port), 20) as s, s.makefile('rb') as lines:
                assert lines.readline().startswith(b'220 ')
            assert os.stat('/proc/%d' % pid).st_uid == user.pw_uid
        finally:
            os.kill(pid, signal.SIGTERM)


def test_backlog_is_watched(site):
    """More connections wait than smtp_backlog_monitor allows for."""
    for most, logged in ((2, True), (0, False)):
        site.configure('smtp_backlog_monitor = %d' % most)
        site.write('log/mainlog', '')
        with Daemon(site) as d:
            smtp = d.roles('smtp')
            for pid in smtp:
                os.kill(pid, signal.SIGSTOP)
            pairs = [d.connect() for _ in range(5)]
            for pid in smtp:
                os.kill(pid, signal.SIGCONT)
            for s, f in pairs:
                assert f.readline().startswith(b'220')
                f.close()
                s.close()
        line = 'listen backlog %d on socket [127.0.0.1]:%d\n' % (5, d.port)
        assert (line in site.raw_log()) == logged, site.raw_log()
