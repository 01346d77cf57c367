"""A host that does not answer does not keep the other messages of a queue run waiting; the order of a run that has one stays."""
import os
import signal
import socket
import subprocess
import time

from remote_test import OUT, Server, lines_of

ROUTERS = '''
hanging:
  driver = manualroute
  domains = ^h
  route_data = 127.0.0.1::%d
  self = send
  transport = out
remote:
  driver = manualroute
  route_data = 127.0.0.1
  self = send
  transport = out
'''


def hanging_port():
    """A listener whose queue is full: connections neither come about nor are refused."""
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(0)
    full = [socket.socket() for _ in range(4)]
    for s in full:
        s.setblocking(False)
        s.connect_ex(listener.getsockname())
    return listener, full, listener.getsockname()[1]


def queue(site, server, main, domains):
    listener, full, port = hanging_port()
    site.configure(main, routers=ROUTERS % port, transports=(OUT % (server.port, '')).replace('connect_timeout = 2s', 'connect_timeout = 20m'),
                   retry='* * F,1d,1h')
    for d in domains:
        site.send('a@' + d, options=('-odq',))
    return listener, full


def test_the_others_are_delivered(site):
    domains = ['h%d.example' % i for i in range(6)] + ['g%d.example' % i for i in range(12)]
    with Server() as server:
        keep = queue(site, server, '', domains)
        run = subprocess.Popen([site.binary, '-C', site.conf, '-q'], start_new_session=True)
        try:
            site.wait_for(lambda: len(lines_of(site, ' => ')) == 12, 300)
            assert len(site.queue()) == 6 and run.poll() is None, site.log()
            assert not any('End queue run' in line for line in site.log())
        finally:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        del keep
    assert not site.raw_log('panic')


def test_the_end_is_when_all_is_done(site):
    """What is slow is waited for."""
    with Server(answers=lambda c: time.sleep(2.5) if c == 'GREETING' else None) as server:
        keep = queue(site, server, '', ['g%d.example' % i for i in range(3)])
        site.run('-q')
        log = site.log()
        assert len(lines_of(site, ' => ')) == 3 and 'End queue run' in log[-1] and site.queue() == [], log
        assert server.connections == 3
        del keep


def test_a_run_in_order_keeps_it(site):
    with Server(answers=lambda c: time.sleep(1.5) if c.startswith('EHLO') and not server.messages else None) as server:
        keep = queue(site, server, 'queue_run_in_order', ['g%d.example' % i for i in range(3)])
        site.run('-q')
        assert [line.split('@')[1][:2] for line in lines_of(site, ' => ')] == ['g0', 'g1', 'g2'], site.log()
        del keep


def test_what_was_given_together_is_taken_back(site):
    """Quick messages are given to a process several at once; behind one that hangs they go to another."""
    listener, full, port = hanging_port()
    site.configure('', routers=ROUTERS % port + '\nhere:\n  driver = accept\n  transport = mbox\n',
                   transports=OUT % (port, '') + '\nmbox:\n  driver = appendfile\n  file = {top}/mail/all\n  user = {uid}\n  group = {gid}\n')
    with open(site.conf) as f:
        text = f.read()
    with open(site.conf, 'w') as f:     # only one domain is not local
        f.write(text.replace('  route_data = 127.0.0.1\n', '  domains = never.example\n  route_data = 127.0.0.1\n')
                .replace('connect_timeout = 2s', 'connect_timeout = 20m'))
    for i in range(60):
        site.send('a@%s.example' % ('hangs' if i == 30 else 'g%d' % i), options=('-odq',))
    run = subprocess.Popen([site.binary, '-C', site.conf, '-q'], start_new_session=True)
    try:
        site.wait_for(lambda: len(lines_of(site, ' => ')) == 59, 300)
        assert len(site.queue()) == 1 and run.poll() is None, site.log()
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    del listener, full
    assert site.mail('all').count('Subject: test') == 59
    assert not site.raw_log('panic')
