"""Where its sockets come from, whom it tells how it is, and who asks: service manager, inetd, options, exiwhat."""
import os
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, free_port, service_manager  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.environ.get('REMEX_PEERS') or os.path.join(ROOT, 'build/peers')


def listening(family=socket.AF_INET, address='127.0.0.1'):
    s = socket.socket(family)
    s.bind((address, 0))
    s.listen()
    return s


def greeting(port, address='127.0.0.1'):
    with socket.create_connection((address, port), 20) as s:
        return s.makefile('rb').readline()


def has_ipv6():
    try:
        listening(socket.AF_INET6, '::1').close()
        return True
    except OSError:
        return False


def hand_over(site, sockets, *options, pid='$$', env=None):
    """The daemon with sockets from descriptor 3 on, as a service manager starts it."""
    fds = [s.fileno() for s in sockets]

    def place():
        kept = [os.dup(fd) for fd in fds]
        high = [os.dup2(fd, 200 + i) for i, fd in enumerate(kept)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i, inheritable=True)
    return subprocess.Popen(['/bin/sh', '-c', 'LISTEN_PID=%s LISTEN_FDS=%d LISTEN_FDNAMES=%s; export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES\n'
                             'exec "$@"' % (pid, len(sockets), ':'.join('smtp' for _ in sockets)), 'sh', site.binary, '-C', site.conf, '-bdf',
                             '-oP', site.path('pid')] + list(options),
                            preexec_fn=place, close_fds=False, cwd=site.top, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env=dict(os.environ, **(env or {})))


def environments_of_children(pid):
    """Of those that are still there: the old generation ends meanwhile."""
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        children = f.read().split()
    found = []
    for child in children:
        try:
            with open('/proc/%s/environ' % child, 'rb') as e:
                found.append(e.read())
        except OSError:
            pass
    return found


def end(p):
    p.terminate()
    assert p.wait(20) == 0


def test_sockets_of_the_service_manager(site):
    site.configure('local_interfaces = 192.0.2.1')     # where it could not listen
    sockets = [listening(), listening()] + ([listening(socket.AF_INET6, '::1')] if has_ipv6() else [])
    p = hand_over(site, sockets)
    try:
        for s in sockets:
            host, port = s.getsockname()[:2]
            assert greeting(port, host).startswith(b'220 mx.example.org')
        site.wait_for(lambda: 'daemon started' in site.raw_log())
        for s in sockets:
            assert str(s.getsockname()[1]) in site.raw_log()
        # They stay over a reload, and no process of it has the variables.
        n = site.raw_log().count('daemon started')
        p.send_signal(signal.SIGHUP)
        site.wait_for(lambda: site.raw_log().count('daemon started') > n)
        assert greeting(sockets[1].getsockname()[1]).startswith(b'220 ')
        environments = environments_of_children(p.pid)
        assert environments and not any(b'LISTEN_' in e for e in environments)
    finally:
        end(p)
        for s in sockets:
            s.close()


def test_sockets_that_are_not_for_us(site):
    """Another process's, by LISTEN_PID; or the command line says where to listen."""
    site.configure()
    other = listening()
    port = free_port()
    for pid, options in (('1', ()), ('$$', ('-oX', '127.0.0.1.%d' % port))):
        site.configure('local_interfaces = 127.0.0.1\ndaemon_smtp_ports = %d' % port)
        p = hand_over(site, [other], *options, pid=pid)
        try:
            site.wait_for(lambda: os.path.exists(site.path('pid')) and 'daemon started' in site.raw_log())
            assert greeting(port).startswith(b'220 ')
            assert str(other.getsockname()[1]) not in site.raw_log().replace(str(p.pid), '')
        finally:
            end(p)
    other.close()


def test_what_the_service_manager_is_told(site):
    """READY, RELOADING with the time, READY again, also when the new configuration is no good; STOPPING."""
    site.configure()
    with service_manager(site, 20) as (s, env):
        with Daemon(site, env=env) as d:
            assert s.recv(100) == b'READY=1'
            for text in ('smtp_banner = x', 'no_such_option = 1'):
                site.configure(text)
                d.signal(signal.SIGHUP)
                assert re.fullmatch(rb'RELOADING=1\nMONOTONIC_USEC=\d+', s.recv(100))
                assert s.recv(100) == b'READY=1'
        assert s.recv(100) == b'STOPPING=1'


def test_an_abstract_name(site):
    name = 'remex-test-%d' % os.getpid()
    site.configure()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind('\0' + name)
        s.settimeout(20)
        with Daemon(site, env=dict(os.environ, NOTIFY_SOCKET='@' + name)):
            assert s.recv(100) == b'READY=1'


def test_several_addresses_of_an_option(site):
    site.configure('local_interfaces = 192.0.2.1\nextra_local_interfaces = 192.0.2.7')
    ports = [free_port(), free_port(), free_port()]
    text = '127.0.0.1.%d : [127.0.0.2]:%d' % (ports[0], ports[1])
    if has_ipv6():
        text = '<; ::1.%d ; 127.0.0.1.%d ; [127.0.0.2]:%d' % (ports[2], ports[0], ports[1])
    with Daemon(site, '-oX', text, listen=False):
        assert greeting(ports[0]).startswith(b'220 ')
        assert greeting(ports[1], '127.0.0.2').startswith(b'220 ')
        if has_ipv6():
            assert greeting(ports[2], '::1').startswith(b'220 ')
    assert os.path.exists(site.path('log/mainlog'))


def test_interfaces_of_the_configuration(site):
    """local_interfaces with and without ports; daemon_smtp_ports with several; of extra_local_interfaces none is listened on."""
    one, two, three = free_port(), free_port(), free_port()
    site.configure('local_interfaces = <; 127.0.0.1 ; 127.0.0.2.%d%s\ndaemon_smtp_ports = %d : %d\nextra_local_interfaces = 127.0.0.3'
                   % (three, ' ; ::1' if has_ipv6() else '', one, two))
    with Daemon(site, listen=False):
        for address, port in [('127.0.0.1', one), ('127.0.0.1', two), ('127.0.0.2', three)] + \
                ([('::1', one), ('::1', two)] if has_ipv6() else []):
            assert greeting(port, address).startswith(b'220 '), (address, port)
        for address, port in (('127.0.0.2', one), ('127.0.0.1', three), ('127.0.0.3', one)):
            try:
                greeting(port, address)
                raise AssertionError('%s port %d answers' % (address, port))
            except ConnectionRefusedError:
                pass


def test_pid_file_of_an_option(site):
    site.configure()
    with Daemon(site) as d:
        assert site.read('pid') == '%d\n' % d.process.pid
        site.wait_for(lambda: d.roles('smtp'))
        r = site.run('-bd', '-oP', site.path('other'), '-oX', '127.0.0.1.%d' % free_port())
        assert r.status == 0, r.err
        other = int(site.read('other'))
        os.kill(other, signal.SIGTERM)
        site.wait_for(lambda: not os.path.exists(site.path('other')))
        assert site.read('pid') == '%d\n' % d.process.pid
    assert not os.path.exists(site.path('pid'))


def test_one_session_under_inetd(site):
    """-bs with a connection as standard input: who is there, and where, is the socket's."""
    site.configure('log_selector = +incoming_interface')
    with listening() as s:
        with socket.create_connection(s.getsockname()) as client:
            conn, peer = s.accept()
            p = subprocess.Popen([site.binary, '-C', site.conf, '-bs', '-odf'], stdin=conn, stdout=conn, stderr=subprocess.DEVNULL,
                                 cwd=site.top)
            conn.close()
            f = client.makefile('rb')
            for line, want in ((None, b'220 '), (b'HELO x', b'250 '), (b'MAIL FROM:<a@x.example>', b'250 '),
                               (b'RCPT TO:<joe@example.org>', b'250 '), (b'DATA', b'354 '), (b'Subject: x\r\n\r\ny\r\n.', b'250 OK id='),
                               (b'QUIT', b'221 ')):
                if line is not None:
                    client.sendall(line + b'\r\n')
                assert f.readline().startswith(want), line
            f.close()
            assert p.wait(20) == 0
        assert ' H=(x) [%s] I=[127.0.0.1]:%d P=smtp ' % (peer[0], s.getsockname()[1]) in site.raw_log(), site.raw_log()


def wait_daemon(site, s, option):
    return subprocess.Popen([site.binary, '-C', site.conf, option, '-oP', site.path('pid')], stdin=s, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, cwd=site.top)


def test_daemon_under_inetd(site):
    """-bw with a listening socket as standard input, over a reload; it ends when nobody has come for so long."""
    site.configure()
    with listening() as s:
        p = wait_daemon(site, s, '-bw')
        port = s.getsockname()[1]
        assert greeting(port).startswith(b'220 ')
        assert 'launched with listening socket, with no wait timeout' in site.raw_log()
        for _ in range(2):
            n = site.raw_log().count('daemon started')
            p.send_signal(signal.SIGHUP)
            site.wait_for(lambda: site.raw_log().count('daemon started') > n)
            assert greeting(port).startswith(b'220 ')
        # One that dies is started again with the same socket.
        with open('/proc/%d/task/%d/children' % (p.pid, p.pid)) as f:
            for child in f.read().split():
                os.kill(int(child), signal.SIGKILL)
        assert greeting(port).startswith(b'220 ')
        end(p)
        p = wait_daemon(site, s, '-bw2s')
        with socket.create_connection(('127.0.0.1', port), 20) as c:
            assert c.makefile('rb').readline().startswith(b'220 ')
            assert p.wait(20) == 0          # the session goes on
            c.sendall(b'NOOP\r\n')
            assert c.makefile('rb').readline().startswith(b'250 ')
        assert 'launched with listening socket, terminating after 2 seconds' in site.raw_log()
        assert 'daemon terminating, inetd wait timeout reached.' in site.raw_log()


def test_what_is_no_listening_socket(site):
    site.configure()
    r = site.run('-bw')
    assert r.status == 1
    assert 'the standard input is no socket that listens (-bw)' in site.raw_log()


def test_exiwhat(site):
    """Debian's script, made to look for the processes of this site alone."""
    script = os.path.join(PEERS, 'root/usr/sbin/exiwhat')
    if not site.root or not os.path.exists(script):
        return
    os.symlink(site.binary, site.path('exim4'))
    site.configure('exim_path = {top}/wrapper\nsmtp_processes = 1')
    site.write('wrapper', '#!/bin/sh\nexec %s -C %s "$@"\n' % (site.path('exim4'), site.conf), 0o755)
    with open(script) as f:
        text = f.read()
    for old, new in (('/etc/exim4/exim4.conf:/var/lib/exim4/config.autogenerated', site.conf), ('multikill_cmd=killall', 'multikill_cmd='),
                     ("egrep_arg='/exim4( |$)'", "egrep_arg='%s/exim4( |$)'" % site.top)):
        assert old in text, old
        text = text.replace(old, new)
    site.write('exiwhat', text, 0o755)
    binary, site.binary = site.binary, site.path('exim4')
    with Daemon(site) as d:
        s, f = d.connect()
        assert f.readline().startswith(b'220 ')
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        out = subprocess.run(['/bin/sh', site.path('exiwhat')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd='/').stdout.decode()
        for pid, words in [(d.process.pid, 'daemon('), (d.roles('smtp')[0], 'smtp: 1 sessions'), (d.roles('queue')[0], 'queue: '),
                           (d.roles('deliver')[0], 'starting deliveries'), (d.roles('agent')[0], 'the agent: ')]:
            assert re.search(r'^ *%d %s' % (pid, re.escape(words)), out, re.M), (words, out)
        f.close()
        s.close()
    site.binary = binary
