"""mua_wrapper: one transaction for all recipients or a failure that the caller is told, and nothing left behind."""
import os
import socket
import subprocess

from remote_test import Server

REDIRECT = '''
aliases:
  driver = redirect
  data = ${lookup{$local_part}lsearch{{top}/aliases}}
  file_transport = mbox
  allow_fail
  allow_defer
'''

ROUTERS = REDIRECT + '''
elsewhere:
  driver = manualroute
  local_parts = elsewhere
  route_data = 127.0.0.2 byname
  self = send
  transport = out
smarthost:
  driver = manualroute
  route_data = %s
  hosts_randomize
  self = send
  transport = out
'''

TRANSPORTS = '''
out:
  driver = smtp
  port = %s
  max_rcpt = 1
  command_timeout = 1s
  hosts_try_fastopen = :
  fallback_hosts = 127.0.0.1
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def configure(site, port, hosts='127.0.0.1', main=''):
    site.write('aliases', 'file: /some/file\nfail: :fail: no\ndefer: :defer: later\ntwo: a@b.example,fail@b.example\n')
    site.configure(main='mua_wrapper\n' + main, routers=ROUTERS % hosts, transports=TRANSPORTS % port)


def fails(site, *recipients, told, options=()):
    r = site.send(*recipients, options=options, expect=1)
    assert r.err == told + '\n', (r.err, told)
    assert not os.listdir(site.path('spool/input')), os.listdir(site.path('spool/input'))
    assert site.raw_log().endswith(' Completed\n'), site.raw_log()


def test_all_go_in_one_transaction(site):
    # No option for queues counts, nor do max_rcpt, controls of ACLs, and -odq.
    with Server(extensions=('PIPELINING',)) as server:
        configure(site, server.port, main='queue_only\nqueue_only_file = {top}/aliases\nqueue_smtp_domains = *\n'
                  'remote_max_parallel = 5\nacl_not_smtp = hold\nbegin acl\nhold:\n  accept control = queue\n'
                  '         control = freeze\n')
        r = site.send('a@x.example', 'b@y.example', options=('-odq',))
        assert r.err == ''
        assert [m[1] for m in server.messages] == [['a@x.example', 'b@y.example']], server.messages
    log = site.raw_log()
    assert '=> a@x.example' in log and '-> b@y.example' in log, log
    assert 'frozen' not in log and 'no immediate' not in log, log


def test_a_refused_recipient_fails_all(site):
    answers = lambda command: '450 not now' if command.startswith('RCPT TO:<b@') else None
    for extensions in ((), ('PIPELINING',), ('PIPELINING', 'CHUNKING')):
        with Server(extensions=extensions, answers=answers) as server:
            configure(site, server.port)
            why = 'SMTP error from remote mail server after RCPT TO:<b@x.example>: 450 not now'
            fails(site, 'a@x.example', 'b@x.example', told='Delivery failed: H=127.0.0.1 [127.0.0.1]: ' + why)
            assert not server.messages and not any(c.startswith(('DATA', 'BDAT')) for c in server.commands), \
                server.commands
    log = site.raw_log()
    for address in 'a@x.example', 'b@x.example':
        assert '** %s R=smarthost T=out H=127.0.0.1 [127.0.0.1] : %s' % (address, why) in log, log


def test_no_host_can_be_reached(site):
    configure(site, free_port())
    fails(site, 'a@x.example', told='Delivery failed: Connection refused')
    assert '** a@x.example R=smarthost T=out : Connection refused' in site.raw_log(), site.raw_log()
    # Nothing is remembered: there is a host to try the next time too.
    fails(site, 'a@x.example', told='Delivery failed: Connection refused')
    assert site.raw_log().count('[127.0.0.1] Connection refused') == 2, site.raw_log()


def test_routing_must_lead_to_the_smart_host(site):
    configure(site, free_port())
    fails(site, 'a@x.example', 'fail@x.example', 'file@x.example', told='routing file@x.example yielded a local delivery')
    fails(site, 'defer@x.example', 'fail@x.example', told='routing defer@x.example yielded a deferred delivery: later')
    fails(site, 'fail@x.example', told='routing fail@x.example yielded a failed delivery: no')
    fails(site, 'two@x.example', told='routing two@x.example yielded a failed delivery')
    fails(site, 'a@x.example', 'elsewhere@x.example', told='delivery to smarthost failed (configuration problem)')
    log = site.raw_log()
    for line in ('** file@x.example routing yielded a local delivery', '** defer@x.example routing yielded a deferred delivery',
                 '** two@x.example routing yielded a failed delivery',
                 '** mua_wrapper is set but recipients cannot all be delivered in one transaction'):
        assert line in log, log
    assert '** fail@x.example routing' not in log and 'Connection' not in log, log


def test_the_order_of_hosts_does_not_part_recipients(site):
    with Server() as server:
        configure(site, server.port, hosts='127.0.0.1:127.0.0.1 byname')
        for _ in range(4):
            site.send('a@x.example', 'b@y.example', 'c@z.example', options=())
        assert all(len(m[1]) == 3 for m in server.messages), server.messages


def test_faults_of_the_setup_and_messages_without_a_sender(site):
    configure(site, 'nonexistent')
    text = 'TCP port "nonexistent" is not defined for out transport'
    fails(site, 'a@x.example', told='Delivery failed: ' + text)
    assert text in site.raw_log('panic'), site.raw_log('panic')
    configure(site, free_port())
    fails(site, 'a@x.example', told='Delivery failed: Connection refused', options=('-f', '<>'))
    assert site.raw_log().count('** a@x.example mua_wrapper forced failure for deferred delivery') == 2, site.raw_log()


def test_a_session_ends_with_the_failure(site):
    with Server() as server:
        configure(site, server.port)
        one = 'MAIL FROM:<s@x.example>\nRCPT TO:<a@x.example>\nDATA\nSubject: x\n\nbody\n.\n'
        r = site.run('-bs', stdin='HELO x\n' + one + one + 'QUIT\n')
        assert r.status == 0 and len(server.messages) == 2 and '\n221 ' in r.out, (r.status, r.out)
    configure(site, free_port())
    r = site.run('-bs', stdin='HELO x\n' + one + 'QUIT\n')
    assert r.status == 1 and r.err == 'Delivery failed: Connection refused\n', (r.status, r.err)
    assert '221' not in r.out, r.out


def test_errors_of_the_call_are_told_and_not_mailed(site):
    configure(site, free_port())
    r = site.run('a@b@c', stdin='Subject: x\n\nbody\n')
    assert r.status == 1 and 'bad recipient address "a@b@c"' in r.err, (r.status, r.err)
    assert not site.raw_log(), site.raw_log()


def test_no_daemon_and_no_inetd(site):
    configure(site, free_port())
    r = site.run('-bd', '-oX', '127.0.0.1.%d' % free_port())
    assert r.status == 1 and r.err == 'Daemon cannot be run when mua_wrapper is set\n', (r.status, r.err)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            p = subprocess.run([site.binary, '-C', site.conf, '-bs'], stdin=server, stdout=server, stderr=subprocess.PIPE,
                               timeout=20)
            server.close()
            assert p.returncode == 1 and client.recv(100) == b'', p
    assert 'Input from inetd is not supported when mua_wrapper is set' in site.raw_log('panic'), site.raw_log('panic')
