"""Remote deliveries through the program: a server in this process that says what the test wants, and real ones."""
import os
import re
import socket
import subprocess
import threading
import time

from listening import Listening

ROUTER = '''
bounces:
  driver = accept
  senders = :
  no_verify
  transport = box
remote:
  driver = manualroute
  route_data = %s
  self = send
  transport = out
'''

OUT = '''
out:
  driver = smtp
  port = %d
  connect_timeout = 2s
  final_timeout = 5s
%s
box:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''


class Server(Listening):
    """Speaks SMTP as `extensions` and `answers` say: a function from a command (or GREETING, END) to a reply, None for the usual one, or
    CUT. What was taken is in messages: (sender, recipients, data)."""
    CUT = object()

    def __init__(self, extensions=(), answers=None, lmtp=False):
        self.extensions, self.answers, self.lmtp = extensions, answers or (lambda command: None), lmtp
        self.messages, self.commands = [], []
        self.begin()

    def say(self, stream, command, usual):
        text = self.answers(command)
        if text is self.CUT:
            raise ConnectionError
        text = usual if text is None else text
        stream.write(text.encode() + b'\r\n')
        stream.flush()
        return text

    def talk(self, connection):
        with connection:
            stream = connection.makefile('rwb')
            try:
                self.say(stream, 'GREETING', '220 server ESMTP')
                self.dialogue(stream)
                stream.close()
            except (ConnectionError, ValueError, OSError):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                    stream.close()
                except OSError:
                    pass

    def take(self, stream, sender, recipients, data):
        ends = recipients if self.lmtp else ['']
        texts = [self.say(stream, 'END' + who, '250 taken') for who in ends]
        good = [r for r, t in zip(recipients, texts if self.lmtp else texts * len(recipients)) if t[:1] == '2']
        if good:
            self.messages.append((sender, good, data))

    def dialogue(self, stream):
        sender, recipients, chunks = None, [], b''
        while True:
            line = stream.readline().decode('latin-1').rstrip('\r\n')
            if not line:
                return
            self.commands.append(line)
            verb = line.split(' ')[0].upper()
            if verb in ('EHLO', 'LHLO'):
                lines = ['server'] + list(self.extensions)
                self.say(stream, line, '\r\n'.join('250%s%s' % (' ' if i == len(lines) - 1 else '-', text)
                                                   for i, text in enumerate(lines)))
            elif verb == 'MAIL':
                if self.say(stream, line, '250 sender')[:1] == '2':
                    sender, recipients, chunks = line, [], b''
            elif verb == 'RCPT':
                if self.say(stream, line, '250 recipient')[:1] == '2':
                    recipients.append(line[line.index('<') + 1:line.index('>')])
            elif verb == 'DATA':
                if self.say(stream, line, '354 go' if recipients else '503 no recipients')[:1] != '3':
                    continue
                data = b''
                for text in iter(stream.readline, b'.\r\n'):
                    if not text:
                        return
                    data += text[1:] if text.startswith(b'..') else text
                self.take(stream, sender, recipients, data)
                sender, recipients = None, []
            elif verb == 'BDAT':
                chunks += stream.read(int(line.split(' ')[1]))
                if not recipients:
                    self.say(stream, line, '503 no recipients')
                elif line.endswith(' LAST'):
                    self.take(stream, sender, recipients, chunks)
                    sender, recipients, chunks = None, [], b''
                else:
                    self.say(stream, line, '250 chunk')
            elif verb == 'QUIT':
                self.say(stream, line, '221 bye')
                return
            elif verb == 'RSET':
                sender, recipients, chunks = None, [], b''
                self.say(stream, line, '250 reset')
            else:
                self.say(stream, line, '250 ok')


def remote(site, server, options='', hosts='127.0.0.1', **more):
    port = server if isinstance(server, int) else server.port
    site.configure(routers=ROUTER % hosts, transports=OUT % (port, options), retry=more.pop('retry', '* * F,1h,1h'), **more)


def give(site, *to, sender='s@here.example', body='body\n', options=('-odf',)):
    r = site.run(*options, '-f', sender, *to, stdin='Subject: test\n\n' + body)
    assert r.status == 0, (r.status, r.out, r.err)


def clear_hints(site):
    for name in os.listdir(site.path('spool/db')):
        os.unlink(site.path('spool/db/' + name))


def dead_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def lines_of(site, mark):
    return [line for line in site.log() if mark in line]


def test_one_message(site):
    with Server() as server:
        remote(site, server)
        give(site, 'a@far.example', body='one\n.two\n')
        sender, to, data = server.messages[0]
        assert sender == 'MAIL FROM:<s@here.example>' and to == ['a@far.example'], server.messages
        assert data.endswith(b'\r\n\r\none\r\n.two\r\n'), data
        assert server.commands[0] == 'EHLO mx.example.org' and server.commands[-1] == 'QUIT', server.commands
    assert site.log()[1:] == [
        'ID1 => a@far.example R=remote T=out H=127.0.0.1 [127.0.0.1] C="250 taken"', 'ID1 Completed'], site.log()
    assert site.queue() == []


def test_extensions(site):
    with Server(['SIZE 1000000', 'PIPELINING', 'DSN', '8BITMIME', 'LIMITS RCPTMAX=2', 'HELP']) as server:
        remote(site, server)
        give(site, 'a@far.example', 'b@far.example', 'c@far.example')
        mails = [c for c in server.commands if c.startswith('MAIL')]
        assert len(mails) == 2 and all(' SIZE=' in c for c in mails), server.commands
        assert [len(m[1]) for m in server.messages] == [2, 1] and server.connections == 1, server.messages
    assert len(lines_of(site, '=> ')) == 2 and len(lines_of(site, '-> ')) == 1, site.log()


def test_success_is_reported_by_the_last_hop(site):
    """The next host speaks DSN: it is asked to report the success. With dsn_lasthop it is not, and remex reports itself."""
    session = 'EHLO c.example\nMAIL FROM:<s@here.example> RET=HDRS\nRCPT TO:<a@far.example> NOTIFY=SUCCESS ORCPT=rfc822;o@far.example\n' \
              'DATA\nSubject: t\n\nb\n.\nQUIT\n'
    here = '\nhere:\n  driver = accept\n  domains = here.example\n  transport = box\n'
    for last in (False, True):
        with Server(['DSN']) as server:
            site.configure('dsn_advertise_hosts = *', retry='* * F,1h,1h', transports=OUT % (server.port, ''),
                           routers=here + ROUTER % '127.0.0.1' + ('  dsn_lasthop\n' if last else ''))
            r = site.run('-odf', '-bs', stdin=session.replace('\n', '\r\n'))
            assert '250 OK id=' in r.out, r.out
            site.wait_for(lambda: site.completed(2 if last else 1) and site.queue() == [], 60)
            rcpt = next(c for c in server.commands if c.startswith('RCPT'))
            assert (rcpt == 'RCPT TO:<a@far.example>') == last, rcpt
            assert last or rcpt == 'RCPT TO:<a@far.example> NOTIFY=SUCCESS ORCPT=rfc822;o@far.example', rcpt
        report = site.mail('box')
        assert ('<a@far.example> (relayed to non DSN-aware mailer)' in report) == last, report
        site.write('log/mainlog', '')


def test_many_recipients_in_windows(site):
    to = ['u%d@far.example' % i for i in range(260)]
    with Server(['PIPELINING'], lambda c: '550 no' if 'u7@' in c else None) as server:
        remote(site, server, '  max_rcpt = 0')
        give(site, *to)
        assert sorted(server.messages[0][1]) == sorted(r for r in to if r != 'u7@far.example')
    assert len(lines_of(site, ' ** u7@far.example')) == 1, lines_of(site, '**')


def test_a_server_that_takes_few_recipients(site):
    """452 behind accepted recipients: the rest goes in further transactions."""
    taken = []

    def answers(command):
        if command.startswith('MAIL'):
            taken.clear()
        if command.startswith('RCPT'):
            if len(taken) == 3:
                return '452 too many'
            taken.append(command)
        return None
    with Server(['PIPELINING'], answers) as server:
        remote(site, server)
        give(site, *['u%d@far.example' % i for i in range(8)])
        assert [len(m[1]) for m in server.messages] == [3, 3, 2] and server.connections == 1, server.messages
    assert site.queue() == [], site.log()


def test_chunks(site):
    body = ''.join('line %d of a message that is too long for one chunk\n' % i for i in range(20000))
    for extensions in (['CHUNKING'], ['CHUNKING', 'PIPELINING']):
        with Server(extensions) as server:
            remote(site, server, '  size_addition = -1')
            give(site, 'a@far.example', body=body)
            assert server.messages[0][2].endswith(body.replace('\n', '\r\n').encode()), len(server.messages[0][2])
            assert len([c for c in server.commands if c.startswith('BDAT')]) > 2, server.commands
    assert len(lines_of(site, '] K C="250 taken"')) == 2, site.log()


def test_chunks_to_nobody(site):
    with Server(['CHUNKING', 'PIPELINING'], lambda c: '550 no' if c.startswith('RCPT') else None) as server:
        remote(site, server)
        give(site, 'a@far.example', body='x\n' * 400000)
        assert server.messages == [] and server.commands[-1] == 'QUIT', server.commands
    assert lines_of(site, ' ** a@far.example'), site.log()


def test_each_place_where_the_connection_is_cut(site):
    """Before the end of the data nothing was taken; after it a repeat is all that can be done."""
    for extensions in ([], ['PIPELINING'], ['CHUNKING', 'PIPELINING']):
        for place in ('GREETING', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'END'):
            if place == 'DATA' and 'CHUNKING' in extensions:
                continue
            cut = [True]

            def answers(command):
                if cut[0] and command.startswith(place):
                    cut[0] = False
                    return Server.CUT
                return None
            with Server(extensions, answers) as server:
                remote(site, server, retry='* * F,1h,1s')
                give(site, 'a@far.example')
                assert len(site.queue()) == 1 and server.messages == [], (extensions, place, server.messages)
                assert 'Remote host closed connection in response to' in site.log()[-1], site.log()[-1]
                site.run('-qf')
                assert site.queue() == [] and len(server.messages) == 1, (extensions, place, site.log())


def test_a_server_that_goes_while_it_is_written_to(site):
    """No signal ends the delivery: it is deferred and explained."""
    class Rude(Server):
        def dialogue(self, stream):
            stream.readline()
            self.say(stream, 'EHLO', '250 server')
            for answer in ('250 ok', '250 ok', '354 go'):
                stream.readline()
                self.say(stream, '', answer)
            raise ConnectionError
    with Rude() as server:
        remote(site, server)
        give(site, 'a@far.example', body=('x' * 70 + '\n') * 200000)
    assert len(site.queue()) == 1 and ' == a@far.example ' in site.log()[-1], site.log()


def test_a_recipient_that_was_taken_is_noted_at_once(site):
    """The others may take their time with further hosts; if the process dies then, nobody gets it twice."""
    with Server(answers=lambda c: '450 later' if c.startswith('RCPT') and 'b@' in c else None) as one:
        def slow(command):
            if command == 'GREETING':
                time.sleep(30)
            return None
        with Server(answers=slow) as other:
            remote(site, one, hosts='127.0.0.1:127.0.0.1::%d' % other.port)
            p = subprocess.Popen([site.binary, '-C', site.conf, '-odf', '-f', 's@here.example', 'a@far.example', 'b@far.example'],
                                 stdin=subprocess.PIPE, start_new_session=True)
            p.stdin.write(b'Subject: x\n\nbody\n')
            p.stdin.close()
            site.wait_for(lambda: one.messages and other.connections)
            site.wait_for(lambda: any(f.endswith('-J') for _, _, files in os.walk(site.path('spool')) for f in files))
            os.killpg(p.pid, 9)
            p.wait()
        remote(site, one, retry='* * F,1h,1s')
        clear_hints(site)
        one.answers = lambda c: None
        site.wait_for(lambda: site.run('-qf') and len(one.messages) == 2)      # children may hold the message a little longer
        assert [m[1] for m in one.messages] == [['a@far.example'], ['b@far.example']], one.messages


def test_each_place_where_it_is_put_off(site):
    for place, number in (('GREETING', '0'), ('EHLO', '0'), ('MAIL', '-45'), ('RCPT', '-44'), ('DATA', '-46'), ('END', '-46')):
        with Server([], lambda c: '451 later' if c.startswith(place) else None) as server:
            remote(site, server)
            give(site, 'a@far.example')
            last = site.log()[-1]
            assert 'defer (%s) H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after' % number in last, last
            assert last.endswith(': 451 later') and server.commands[-1:] in ([], ['QUIT']), (last, server.commands)
        site.run('-Mrm', site.queue()[0])
        clear_hints(site)


def test_each_place_where_it_is_refused(site):
    for place in ('GREETING', 'MAIL', 'RCPT', 'DATA', 'END'):
        with Server([], lambda c: '554 5.7.1 never' if c.startswith(place) else None) as server:
            remote(site, server)
            give(site, 'a@far.example')
            site.wait_for(lambda: site.queue() == [])  # the bounce is delivered in the background
            assert server.messages == [], (place, site.log())
    text = site.mail('box')
    assert text.count('554 5.7.1 never\n') >= 5 and 'Diagnostic-Code: smtp; 554 5.7.1 never' in text, text


def test_a_server_that_says_nothing(site):
    def answers(command):
        if command.startswith('MAIL'):
            time.sleep(4)
        return None
    with Server([], answers) as server:
        remote(site, server, '  command_timeout = 1s')
        give(site, 'a@far.example')
    assert ': SMTP timeout after MAIL FROM:<s@here.example>' in site.log()[-1], site.log()


def test_malformed_replies(site):
    for text in ('', 'hello', '25', '250-half\r\n999', '2' * 5000):
        with Server([], lambda c: text if c.startswith('MAIL') else None) as server:
            remote(site, server)
            give(site, 'a@far.example')
            assert 'Malformed SMTP reply' in site.log()[-1], site.log()[-1]
        site.run('-Mrm', site.queue()[0])
        clear_hints(site)


def test_hosts_in_order_and_fallback(site):
    with Server() as server:
        remote(site, dead_port(), '  fallback_hosts = <; [127.0.0.1]:%d\n  allow_localhost' % server.port)
        give(site, 'a@far.example')
        assert len(server.messages) == 1, site.log()
    assert site.log()[1].endswith('H=127.0.0.1 [127.0.0.1] Connection refused'), site.log()


def test_retry_times_of_a_host(site):
    port = dead_port()
    remote(site, port)
    give(site, 'a@far.example')
    give(site, 'b@far.example')
    assert site.log()[-1].endswith("defer (-54): retry time not reached for any host for 'far.example'"), site.log()
    with Server() as server:
        remote(site, server)
        site.run('-qf')
        assert sorted(m[1] for m in server.messages) == [['a@far.example'], ['b@far.example']], server.messages
        assert server.connections == 1, 'the second message goes over the first one\'s connection'
    assert site.queue() == []


def test_a_message_waits_for_its_recipient(site):
    with Server([], lambda c: '450 full' if c.startswith('RCPT') else None) as server:
        remote(site, server)
        give(site, 'a@far.example')
        site.run('-q')
        assert server.connections == 1 and 'routing defer (-52): retry time not reached' in '\n'.join(site.log()), site.log()
        give(site, 'a@far.example', sender='other@here.example')
        assert server.connections == 2, 'the recipient is put off for that sender only'


def test_messages_share_a_connection(site):
    with Server(['PIPELINING']) as server:
        remote(site, server)
        for i in range(4):
            give(site, 'u%d@far.example' % i, options=['-odqs'])
        site.wait_for(lambda: len(lines_of(site, 'SMTP delivery explicitly queued')) == 4)
        site.run('-q')
        assert len(server.messages) == 4 and server.connections == 1, (server.connections, site.log())
    assert len(lines_of(site, '[127.0.0.1]* C=')) == 3, site.log()
    with Server() as server:
        remote(site, server, '  connection_max_messages = 2')
        for i in range(4):
            give(site, 'u%d@far.example' % i, options=['-odqs'])
        site.wait_for(lambda: len(lines_of(site, 'SMTP delivery explicitly queued')) == 8)
        site.run('-q')
        assert len(server.messages) == 4 and server.connections == 2, server.connections


def test_hosts_at_once(site):
    """A host that hangs does not keep the others waiting."""
    def slow(command):
        if command == 'GREETING':
            time.sleep(3)
        return None
    with Server(answers=slow) as one, Server() as other:
        remote(site, one, hosts='127.0.0.1::${if eq{$domain}{slow.example}{%d}{%d}}' % (one.port, other.port))
        start = time.time()
        sending = threading.Thread(target=lambda: give(site, 'a@slow.example', 'b@fast.example'))
        sending.start()
        while not other.messages and time.time() - start < 10:
            time.sleep(0.05)
        assert time.time() - start < 3, 'the fast host had to wait'
        sending.join()
        assert len(one.messages) == 1 and site.queue() == [], site.log()


def test_what_is_required_and_cannot_be_had(site):
    for option, words in (('hosts_require_tls', 'a TLS session is required'),
                          ('hosts_require_auth', 'authentication required')):
        with Server() as server:
            remote(site, server, '  %s = *' % option)
            give(site, 'a@far.example')
            assert server.messages == [] and words in site.log()[-1], site.log()
            assert not any(c.startswith('MAIL') for c in server.commands), server.commands
        site.run('-Mrm', site.queue()[0])
        clear_hints(site)


def test_lmtp(site):
    with Server(answers=lambda c: '550 full' if c == 'ENDb@far.example' else None, lmtp=True) as server:
        remote(site, server, '  protocol = lmtp')
        give(site, 'a@far.example', 'b@far.example')
        assert server.commands[0].startswith('LHLO') and server.messages[0][1] == ['a@far.example'], server.messages
    assert lines_of(site, '=> a@far.example') and lines_of(site, ' ** b@far.example'), site.log()


EXIM = '''
primary_hostname = peer.example
spool_directory = {top}/peer
log_file_path = {top}/peer/%slog
exim_user = {uid}
exim_group = {gid}
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
acl_smtp_rcpt = accept
chunking_advertise_hosts = {chunking}
prdr_enable
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  file = {top}/mail/peer
  create_file = anywhere
  user = {uid}
  group = {gid}
'''


def test_exim_takes_what_is_sent(site):
    program = os.path.join(os.environ.get('REMEX_PEERS', 'build/peers'), 'exim4')
    if not site.root or not os.path.exists(program):
        return
    site.mkdir('peer')
    body = ''.join('%d .\n..%s\n' % (i, 'x' * (i % 70)) for i in range(3000))
    for chunking in ('', '*'):
        port = dead_port()
        text = EXIM.format(top=site.top, uid=site.uid, gid=site.gid, port=port, chunking=chunking)
        os.chown(site.write('peer.conf', text), 0, 0)
        peer = subprocess.Popen([program, '-bdf', '-C', site.path('peer.conf')], stderr=subprocess.PIPE)
        try:
            for _ in range(400):
                try:
                    socket.create_connection(('127.0.0.1', port)).close()
                    break
                except OSError:
                    assert peer.poll() is None, peer.stderr.read()
                    time.sleep(0.05)
            remote(site, port)
            give(site, 'a@far.example', 'b@far.example', body=body)
            assert len(lines_of(site, 'C="250')) == 2, (site.log(), chunking)
            assert not chunking or lines_of(site, ' K C="250'), site.log()
            for _ in range(100):
                if os.path.exists(site.path('mail/peer')) and site.mail('peer').count('\n2999 .\n') == 2:
                    break
                time.sleep(0.05)
            assert site.mail('peer').count(body) == 2, 'the body is as it was'
        finally:
            peer.terminate()
            peer.wait(10)
            peer.stderr.close()
        os.unlink(site.path('mail/peer'))
        os.unlink(site.path('log/mainlog'))


def utf8(text):
    """As bytes stand in what is read as Latin 1."""
    return text.encode().decode('latin-1')


def internationalised(site, control=''):
    """Over SMTP from a client that says SMTPUTF8."""
    text = 'EHLO c\r\nMAIL FROM:<m\xfc@s\xfcd.example> SMTPUTF8\r\nRCPT TO:<j\xf6rg@far.example>\r\nDATA\r\n' \
           'From: m\xfc@s\xfcd.example\r\n\r\n.\r\nQUIT\r\n'
    r = site.run('-bs', '-odf', stdin=text.encode())
    assert '250 OK id=' in r.out, r.out


def test_internationalised_envelope_is_sent_as_it_is(site):
    with Server(extensions=['SMTPUTF8']) as server:
        remote(site, server, main='log_selector = +sender_on_delivery')
        internationalised(site)
        sender, to, _ = server.messages[0]
        assert sender == utf8('MAIL FROM:<m\xfc@s\xfcd.example> SMTPUTF8') and to == [utf8('j\xf6rg@far.example')]
        log = site.log()
        assert log[0] == utf8('ID1 <= m\xfc@s\xfcd.example U=%s P=utf8local-esmtp S=N' % site.login), log
        assert log[1].startswith(utf8('ID1 => j\xf6rg@far.example F=<m\xfc@s\xfcd.example> ')), log


def test_internationalised_envelope_is_converted(site):
    for options, extensions in (('', ()), ('  utf8_downconvert = 1', ('SMTPUTF8',))):
        with Server(extensions=extensions) as server:
            remote(site, server, options, main='log_selector = +sender_on_delivery')
            internationalised(site)
            sender, to, _ = server.messages[0]
            assert sender == 'MAIL FROM:<xn--m-eha@xn--sd-xka.example>' and to == ['xn--jrg-sna@far.example'], (sender, to)
            assert 'ID1 => xn--jrg-sna@far.example <%s> F=<xn--m-eha@xn--sd-xka.example> ' % utf8('j\xf6rg@far.example') \
                in site.log()[1], site.log()
            open(site.path('log/mainlog'), 'w').close()


def test_internationalised_envelope_is_refused(site):
    with Server() as server:
        remote(site, server, '  utf8_downconvert = 0')
        internationalised(site)
        assert server.messages == []
        assert site.log()[1] == 'ID1 H=127.0.0.1 [127.0.0.1]: utf8 support required but not offered for forwarding'


def test_control_converts(site):
    for value, sent in (('', 'MAIL FROM:<xn--m-eha@xn--sd-xka.example>'), ('/0', None), ('/-1', 'MAIL FROM:<xn--m-eha@')):
        with Server() as server:
            remote(site, server, '  utf8_downconvert =',
                   main='acl_smtp_mail = accept', more='begin acl\nrcpt:\n accept control = utf8_downconvert' + value)
            with open(site.conf) as f:
                text = f.read()
            with open(site.conf, 'w') as f:
                f.write(text.replace('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = rcpt'))
            internationalised(site)
            assert (server.messages[0][0].startswith(sent) if sent else server.messages == []), (value, server.commands)


def test_connections_of_parallel_deliveries_are_kept(site):
    """A message for two hosts at once: what waits for one of them goes over its connection, while the message is done with."""
    with Server() as one, Server() as other:
        site.configure(routers='''
a:
  driver = manualroute
  domains = a.example
  route_data = 127.0.0.1::%d
  self = send
  transport = out
b:
  driver = manualroute
  route_data = localhost::%d byname
  self = send
  transport = out
''' % (one.port, other.port), transports=OUT % (one.port, ''), retry='* * F,1h,1h', main='remote_max_parallel = 2')
        for i in range(3):
            give(site, 'w%d@a.example' % i, options=('-odqs',))
        give(site, 'x@a.example', 'y@127.example')
        site.wait_for(lambda: len(one.messages) == 4)
        assert one.connections == 1 and len(one.messages) == 4, (one.connections, site.log())
        assert other.connections == 1 and [m[1] for m in other.messages] == [['y@127.example']], site.log()
        assert [line.split(' => ')[1][:1] for line in lines_of(site, '127.0.0.1]* C=')] == ['w'] * 3, site.log()
        assert site.queue() == [] and not site.raw_log('panic'), site.log()


# Which rule a failure chooses: each has an interval of its own.
ERRORS = ('auth_failed', 'mail_452', 'mail_4xx', 'rcpt_452', 'rcpt_45x', 'rcpt_4xx', 'data_451', 'data_4xx', 'lost_connection',
          'refused_MX', 'refused_A', 'timeout_connect', 'timeout_A', 'tls_required', '*')
TLS = '  hosts_require_tls = *\n'
# What the server does where, options, the rule, the record's key behind "T:..." (or all of it), error and further number.
CHOICES = (
    ({'GREETING': Server.CUT}, '', 'lost_connection', '', '-18 65'),
    ({'RCPT': Server.CUT}, '', 'lost_connection', '', '-18 65'),
    ({'END': Server.CUT}, '', 'lost_connection', ':ID', '-18 65'),
    ({'MAIL': '452 full'}, '', 'mail_452', ':ID', '-45 13377'),
    ({'MAIL': '421 going'}, '', 'mail_4xx', ':ID', '-45 5441'),
    ({'RCPT': '452 full'}, '', 'rcpt_452', 'R:a@far.example:<s@here.example>', '-44 13377'),
    ({'RCPT': '450 busy'}, '', 'rcpt_45x', 'R:a@far.example:<s@here.example>', '-44 12865'),
    ({'RCPT': '421 going'}, '', 'rcpt_4xx', 'R:a@far.example:<s@here.example>', '-44 5441'),
    ({'RCPT': '450 busy'}, '  address_retry_include_sender = false\n', 'rcpt_45x', 'R:a@far.example', '-44 12865'),
    ({'DATA': '451 no'}, '', 'data_451', ':ID', '-46 13121'),
    ({'END': '452 full'}, '', 'data_4xx', ':ID', '-46 13377'),
    ({'GREETING': '421 going'}, '', '*', '', '0 65'),
    ({'EHLO': '421 going', 'HELO': '421 going'}, '', '*', '', '0 65'),
    ({'GREETING': None}, '', 'timeout_A', '', '110 65'),
    ({'MAIL': None}, '', 'timeout_A', ':ID', '110 65'),
    ({'RCPT': None}, '', 'timeout_A', 'R:a@far.example', '110 65'),
    ({}, TLS, 'tls_required', '', '-38 65'),
    (None, '', 'refused_A', '', '111 65'),
)


def answers_of(where):
    def answer(command):
        word = command.split(' ')[0]
        if word not in where:
            return None
        if where[word] is None:
            time.sleep(2)
        return where[word]
    return answer


def tool_text(site, kind):
    """What exim_dumpdb shows of a kind of hints."""
    tool = site.binary.rsplit('/', 1)[0] + '/exim_dumpdb'
    return subprocess.run([tool, '-z', site.path('spool'), kind], stdout=subprocess.PIPE, text=True).stdout


def retry_records(site):
    """-> {key: ('error number', minutes to the next try)}"""
    records, lines = {}, tool_text(site, 'retry').splitlines()
    for first, times in zip(lines[::2], lines[1::2]):
        words = first.split()
        tried, later = (time.mktime(time.strptime(t, '%d-%b-%Y %H:%M:%S')) for t in re.findall(r'\d\d-\w{3}-\d{4} [\d:]{8}', times)[1:])
        records[words[0]] = (' '.join(words[1:3]), (later - tried) / 60)
    return records


def test_which_retry_rule_a_failure_chooses(site):
    rules = '\n'.join('* %s F,2h,%dm' % (e, 3 + i) for i, e in enumerate(ERRORS))
    for where, options, rule, key, numbers in CHOICES:
        with Server(answers=answers_of(where or {})) as server:
            port = server.port if where is not None else dead_port()
            remote(site, port, options + '  command_timeout = 1s\n', retry=rules)
            give(site, 'a@far.example')
        ident = site.queue()[0]
        whole = key if key[:1] == 'R' else 'T:[127.0.0.1]:127.0.0.1:%d%s' % (port, key.replace('ID', ident))
        assert retry_records(site) == {whole: (numbers, 3 + ERRORS.index(rule))}, (where, rule, retry_records(site))
        site.run('-Mrm', ident)
        clear_hints(site)


def test_the_address_that_was_given_is_shown_unless_its_domain_alone_differs_in_case(site):
    with Server() as server:
        site.configure(routers=ROUTER % '127.0.0.1', transports=OUT % (server.port, ''))
        site.send('userQ@dest.example', 'other@DEST.example')
    log = site.raw_log()
    assert '> userq@dest.example <userQ@dest.example> R=remote' in log, log
    assert '> other@dest.example R=remote' in log, log


def test_a_long_reply_does_not_make_a_bounce_that_cannot_be_sent(site):
    long = '550-' + 'x' * 251
    answers = lambda command: ('550-no\r\n%s\r\n%sy\r\n550 %s' % (long, long, 'z' * 1000)
                               if command.startswith('RCPT TO:<bad@') else None)
    with Server(answers=answers) as server:
        site.configure(routers='remote:\n  driver = manualroute\n  route_data = 127.0.0.1\n  self = send\n  transport = out\n',
                       transports=OUT % (server.port, ''))
        site.send('bad@dest.example', options=('-odf', '-f', 'sender@dest.example'))
        site.wait_for(lambda: server.messages)
        site.wait_for(lambda: site.queue() == [])
        lines = server.messages[0][2].decode().split('\r\n')
    assert '    550-no' in lines and '    ' + long in lines and '    ' + long + '[truncated]' in lines, lines
    last = [l for l in lines if 'zzz' in l]
    assert len(last) == 2 and last[0] == '    550 ' + 'z' * 251 + '[truncated]', last
    assert last[1].endswith('z[truncated]'), last
    at = lines.index('Diagnostic-Code: smtp; 550-no')
    report = '\n'.join(lines[at:lines.index('', at)])
    assert len(report) == len('Diagnostic-Code: smtp; ') + 928 + len('[truncated]'), report
    assert max(map(len, lines)) < 998, lines


def test_prdr(site):
    """An answer for each recipient, unless the message as a whole is refused."""
    def answers(command):
        return '\r\n'.join(('353 each',) + own + (whole,)) if command == 'END' else None

    cases = ((('451 z', '250 y'), '250 all', ('== z@', '=> y@')), (('550 z', '250 y'), '451 all', ('** z@', '== y@')),
             (('451 z', '250 y'), '550 all', ('** z@', '** y@')), (('550 z', '451 y'), '550 all', ('** z@', '** y@')))
    for own, whole, ends in cases:
        with Server(['PRDR'], answers=answers) as server:
            remote(site, server)
            give(site, 'z@far.example', 'y@far.example')
            assert server.commands[1].endswith(' PRDR') and server.commands[-1] == 'QUIT', server.commands
        log = site.log()
        for end in ends:
            lines = [line for line in log if ' %s' % end in line]
            assert lines and (whole[0] != '5' or lines[0].endswith('550 all')), (own, whole, end, log)
        os.unlink(site.path('log/mainlog'))
        clear_hints(site)


def test_options_that_cannot_be_used(site):
    """Faults of the configuration put the message off, and are in the panic log."""
    cases = (('multi_domain = ${if eq{1}{2}}', '"" is not a valid value for the "multi_domain" option in the out transport', True),
             ('multi_domain = $nosuch', 'failed to expand "multi_domain" in out transport: unknown variable', True),
             ('max_parallel = ${if eq{1}{2}{x}fail}', '"if" failed and "fail" requested', True),
             ('max_parallel = -1', 'non-negative integer expected but "-1" found', True),
             ('max_parallel = ${if eq{1}{2}}', 'integer expected but "" found', True),
             ('interface = nonsense', '"nonsense" is not a valid IP address for the "interface" option for out transport', True),
             ('message_size_limit = x', 'invalid message_size_limit in out transport: integer expected but "x" found', False),
             ('helo_data = ${if eq{1}{2}{x}fail}', 'defer (-27): failed to expand helo_data: "if" failed and "fail" requested', False),
             ('transport_filter = /bin/${nosuch}', 'defer (0): Expansion of "/bin/${nosuch}" from command "/bin/${nosuch}" in out transport '
              'filter failed: ', False))
    for option, text, panic in cases:
        with Server() as server:
            remote(site, server, '  %s\n' % option)
            give(site, 'a@far.example')
            assert not server.messages
        lines = lines_of(site, ' == a@far.example')
        assert len(lines) == 1 and text in lines[0], (option, site.log())
        assert (text in site.read('log/paniclog')) == panic, option
        assert any(line.startswith('ID1 Failed to expand max_parallel option in out transport (a@far.example): ') for line in
                   site.log()) == option.startswith('max_par'), site.log()
        for name in ('log/mainlog', 'log/paniclog'):
            if os.path.exists(site.path(name)):
                os.unlink(site.path(name))
        clear_hints(site)


def test_multi_domain_that_is_forced_to_fail(site):
    with Server() as server:
        remote(site, server, '  multi_domain = ${if eq{1}{2}{x}fail}\n')
        give(site, 'a@far.example', 'b@other.example')
        assert len(server.messages) == 1
