"""SMTP on the standard input: dialogues of -bs, errors of -bS, the test of a session; ACLs in them."""
import os
import socket


def talk(site, lines, *options, status=0):
    """The answers, line by line, without the greeting."""
    r = site.run(*(options or ('-bs',)), '-odq', stdin='\r\n'.join(lines) + '\r\n')
    assert r.status == status, (r.status, r.out, r.err)
    out = [line for line in r.out.replace('\r', '').split('\n') if line]
    return out[1:] if out and out[0].startswith('220 ') else out


def acls(site, rcpt, main='', **kw):
    site.configure(main=main + '\n', more='begin acl\ncheck:\n' + rcpt, **kw)
    with open(site.conf) as f:
        text = f.read()
    with open(site.conf, 'w') as f:
        f.write(text.replace('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = check'))


HEAD = ['HELO client', 'MAIL FROM:<a@b.example>']


def rcpt(site, local_part='user'):
    """The answer to one RCPT."""
    return talk(site, HEAD + ['RCPT TO:<%s@example.org>' % local_part, 'QUIT'])[2:-1]


def test_message_is_taken(site):
    site.configure()
    out = talk(site, ['EHLO client', 'MAIL FROM:<a@b.example> SIZE=100', 'RCPT TO:<user@example.org>', 'DATA',
                      'Subject: x', '', '.. dot', '.', 'QUIT'])
    assert out[-5:-2] == ['250 OK', '250 Accepted', '354 Enter message, ending with "." on a line by itself'], out
    assert out[-2].startswith('250 OK id=') and out[-1] == '221 mx.example.org closing connection', out
    assert len(site.queue()) == 1
    assert ' P=local-esmtp ' in site.log()[0], site.log()


def test_order_of_commands(site):
    site.configure(main='smtp_max_synprot_errors = 100')
    out = talk(site, ['MAIL FROM:<a@b.c>', 'HELO x', 'RCPT TO:<a@b.c>', 'DATA', 'MAIL FROM:<a@b.c>', 'MAIL FROM:<d@e.f>',
                      'MAIL FROM:', 'RSET now', 'RSET', 'FOO', 'QUIT'])
    assert out == ['503 HELO or EHLO required', '250 mx.example.org Hello %s at x' % site.login,
                   '503 sender not yet given', '503-All RCPT commands were rejected with this error:',
                   '503-503 sender not yet given', '503 valid RCPT command must precede DATA', '250 OK',
                   '503 sender already given', '503 sender already given', '501 unexpected argument data',
                   '250 Reset OK', '500 unrecognized command', '221 mx.example.org closing connection'], out


def test_who_must_say_hello_first(site):
    for option, refused in (('', True), ('hosts_require_helo = 10.0.0.0/8', True), ('hosts_require_helo = 10.9.0.0/16', False),
                            ('hosts_require_helo =', False)):
        site.configure(option)
        out = talk(site, ['MAIL FROM:<a@b.example>', 'RCPT TO:<user@example.org>', 'QUIT'], '-bs', '-oMa', '10.1.2.3')
        assert out[0] == ('503 HELO or EHLO required' if refused else '250 OK'), (option, out)
        assert out[1][:3] == ('503' if refused else '250'), (option, out)
    site.configure()
    assert talk(site, ['HELO ' + '@' * 5, 'MAIL FROM:<a@b.example>', 'QUIT'])[1] == '503 HELO or EHLO required'    # not accepted


def test_errors_are_limited(site):
    site.configure(main='smtp_max_synprot_errors = 2\nsmtp_max_unknown_commands = 2')
    out = talk(site, ['HELO x', 'MAIL FROM:<a b@c.d>'] + ['MAIL FROM:<a b@c.d>'] * 4, status=1)
    assert out[1:] == ['501 <a b@c.d>: "@" or "." expected after "a"'] * 2 + [
        '501-<a b@c.d>: "@" or "." expected after "a"', '501 Too many syntax or protocol errors'], out
    out = talk(site, ['X', 'Y', 'Z', 'NOOP'], status=1)
    assert out == ['500 unrecognized command'] * 2 + ['500 Too many unrecognized commands'], out
    assert 'too many unrecognized commands (last was "Z")' in site.log()[-1], site.log()


def test_commands_that_bring_no_mail_are_limited(site):
    site.configure(main='smtp_accept_max_nonmail = 3')
    out = talk(site, ['HELO x', 'RSET', 'NOOP', 'NOOP', 'NOOP', 'NOOP', 'QUIT'], status=1)
    assert out[-1] == '554 Too many nonmail commands' and out.count('250 OK') == 3, out


def test_recipients_max_at_its_edge(site):
    site.configure(main='recipients_max = 3')
    lines = HEAD + ['RCPT TO:<u%d@example.org>' % i for i in range(4)] + ['QUIT']
    out = talk(site, lines)
    assert out[2:-1] == ['250 Accepted'] * 3 + ['452 too many recipients'], out


def test_size_at_its_edge(site):
    site.configure(main='message_size_limit = 1000')
    for size, answer in ((999, '250 OK'), (1000, '250 OK'), (1001, '552 Message size exceeds maximum permitted')):
        out = talk(site, ['EHLO x', 'MAIL FROM:<a@b.c> SIZE=%d' % size, 'QUIT'])
        assert out[-2] == answer, (size, out)


def test_command_line_at_its_edge(site):
    site.configure()
    for n, answer in ((16382, '250 OK'), (16383, '250 OK'), (16384, '500 command line too long')):
        out = talk(site, ['NOOP ' + 'x' * (n - 6), 'QUIT'])  # with the CR
        assert out[0] == answer, (n, out)


def test_untrusted_sender_is_replaced(site):
    site.configure()
    with open(site.conf) as f:
        text = f.read().replace('trusted_users', '# trusted_users')
    with open(site.conf, 'w') as f:
        f.write(text)
    talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', '', '.', 'QUIT'])
    want = 'a@b.example' if site.login == 'root' else site.login + '@example.org'
    assert site.log()[0].startswith('ID1 <= ' + want), site.log()


def test_chunks(site):
    site.configure(main='smtp_max_synprot_errors = 100')
    out = talk(site, ['EHLO x', 'MAIL FROM:<a@b.c>', 'RCPT TO:<user@example.org>', 'BDAT 14', 'Subject: chuBDAT 9 LAST',
                      'nks\r\n\r\n', 'QUIT'])
    # the first piece is "Subject: chu" and CRLF less what the count says
    assert any(line.startswith('250 14 byte chunk received') for line in out), out


def test_lines_of_a_message_are_counted(site):
    acls(site, ' accept\ndata:\n accept logwrite = $message_linecount $body_linecount', main='acl_smtp_data = data')
    for text in (['no header', 'here'], ['Subject: x', '', 'one'], ['Subject: x', 'no blank line']):
        talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA'] + text + ['.', 'QUIT'])
    assert [line[4:] for line in site.log() if '<=' not in line] == ['3 2', '3 1', '3 1'], site.log()


def test_lines_of_what_is_kept_as_it_came(site):
    site.configure(main='spool_wireformat', routers=None, transports='mbox:\n  driver = appendfile\n'
                   '  file = {top}/mail/user\n  headers_add = X-Lines: $body_linecount\n  user = {uid}\n  group = {gid}\n'
                   'box:\n  driver = appendfile\n  file = /dev/null\n')
    text = 'Subject: x\r\n\r\none\r\ntwo\r\n'
    site.run('-bs', '-odf', stdin='EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<u1@example.org>\r\nBDAT %d LAST\r\n%s'
             'RSET\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<u1@example.org>\r\nDATA\r\n%s.\r\nQUIT\r\n' % (len(text), text, text))
    mail = site.mail('user')
    assert [line for line in mail.split('\n') if line.startswith('X-Lines')] == ['X-Lines: 0', 'X-Lines: 2'], mail


def test_chunks_that_are_given_up(site):
    site.configure(main='smtp_max_synprot_errors = 100')
    out = talk(site, ['EHLO x', 'MAIL FROM:<a@b.c>', 'RCPT TO:<user@example.org>', 'BDAT 12', 'Subject: x', 'DATA', 'NOOP',
                      'RSET', 'MAIL FROM:<a@b.c>', 'BDAT 4', 'abcdQUIT'])
    assert out[-7:] == ['250 12 byte chunk received', '503 only BDAT permissible after non-LAST BDAT',
                        '503 only RSET accepted now', '250 Reset OK', '250 OK',
                        '503 valid RCPT command must precede BDAT', '221 mx.example.org closing connection'], out
    assert site.queue() == []


def test_lost_input(site):
    site.configure()
    out = talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'Subject: x', '', 'half'], status=1)
    assert out[-1] == '421 mx.example.org lost input connection', out
    assert site.queue() == [] and 'lost while reading message data' in site.log()[-1], site.log()


def test_timeout(site):
    site.configure(main='smtp_receive_timeout = 1s')
    import subprocess
    p = subprocess.Popen([site.binary, '-C', site.conf, '-bs'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        out = p.stdout.read().decode()
        assert 'SMTP command timeout - closing connection' in out, out
        assert p.wait(10) == 1
    finally:
        p.stdin.close()
        p.stdout.close()


def test_batch(site):
    site.configure()
    r = site.run('-bS', '-odq', stdin='MAIL FROM:<a@b.c>\nRCPT TO:<user@example.org>\nDATA\n\nx\n.\n'
                                      'MAIL FROM:<a@b.c>\nRCPT TO:<user@\n')
    assert r.status == 1 and r.out.split('\n')[1:3] == ['Transaction started in line 6', 'Error detected in line 8'], r.out
    assert '1 previous message was successfully processed.' in r.err, r.err
    assert len(site.queue()) == 1
    r = site.run('-bS', stdin='MAIL FROM:<a@\n')
    assert r.status == 2, r.status


def test_session_is_pretended(site):
    site.configure()
    r = site.run('-bh', '192.0.2.1', stdin='HELO x\nMAIL FROM:<a@b.c>\nRCPT TO:<user@example.org>\nDATA\n\nx\n.\nQUIT\n')
    assert r.out.startswith('\n**** SMTP testing session as if from host 192.0.2.1\n'), r.out
    assert '**** SMTP testing: that is not a real message id!' in r.out, r.out
    assert site.queue() == [] and site.log() == [], site.log()
    assert 'LOG: ' in r.err, r.err


# --- ACLs ---

def test_messages_of_refusals(site):
    acls(site, '''
  deny local_parts = one
       message = 551 5.7.9 first\\nsecond
  deny local_parts = two
       log_message = told to the log
  defer local_parts = three
        message = later
  deny local_parts = four
       message = 250 wrong class
  accept local_parts = five
       message = 259 fine
  deny local_parts = six
       message = ${if eq
  accept
''')
    assert rcpt(site, 'one') == ['551-5.7.9 first', '551 5.7.9 second']
    assert rcpt(site, 'two') == ['550 Administrative prohibition']
    assert site.log()[-1].endswith('F=<a@b.example> rejected RCPT <two@example.org>: told to the log'), site.log()
    assert rcpt(site, 'three') == ['451 later']
    assert rcpt(site, 'four') == ['550 wrong class']
    assert rcpt(site, 'five') == ['259 fine']
    assert rcpt(site, 'six') == ['550 Administrative prohibition']
    assert 'failed to expand ACL message' in site.raw_log('panic')


def test_verbs(site):
    acls(site, '''
  accept local_parts = pass : passfoo
         endpass
         local_parts = passfoo
  require message = needs an x
          condition = ${if match{$local_part}{x}}
  discard local_parts = xdiscard
          log_message = gone
  drop local_parts = xdrop
  warn log_message = twice
  warn log_message = twice
  accept
''')
    assert rcpt(site, 'passfoo') == ['250 Accepted']
    assert rcpt(site, 'pass') == ['550 Administrative prohibition']
    assert rcpt(site, 'nothing') == ['550 needs an y'.replace('y', 'x')]
    assert rcpt(site, 'xdiscard') == ['250 Accepted']
    assert site.log()[-1].endswith('RCPT <xdiscard@example.org>: discarded by RCPT ACL: gone'), site.log()
    assert rcpt(site, 'x') == ['250 Accepted']
    assert len([line for line in site.log() if line.endswith('Warning: twice')]) == 1, site.log()
    out = talk(site, HEAD + ['RCPT TO:<xdrop@example.org>', 'NOOP'])
    assert out[2:] == ['550 Administrative prohibition'], out


def test_named_acls_have_arguments(site):
    acls(site, '''
  deny acl = sub $local_part two
  accept message = $acl_c_seen
sub:
  warn set acl_c_seen = $acl_narg/$acl_arg1/$acl_arg2/$acl_arg3
  accept condition = ${if eq{$acl_arg1}{bad}}
         message = from sub
  deny
''')
    assert rcpt(site, 'bad') == ['550 from sub'], rcpt(site, 'bad')
    assert rcpt(site, 'good') == ['250 2/good/two/'], rcpt(site, 'good')


def test_acls_do_not_loop(site):
    acls(site, '\n  accept acl = check\n')
    assert rcpt(site) == ['451 Temporary local problem - please try later']
    assert site.log()[-1].endswith('ACL nested too deep: possible loop'), site.log()


def test_acl_from_a_file(site):
    site.write('rules', '# a comment\ndeny local_parts = \\\n   one\naccept\n')
    acls(site, '\n  require acl = {top}/rules\n  accept\n'.replace('{top}', site.top))
    assert rcpt(site, 'one') == ['550 Administrative prohibition']
    assert rcpt(site, 'two') == ['250 Accepted']


def test_faults_are_temporary(site):
    acls(site, '''
  accept local_parts = one
         control = nonsense
  accept local_parts = two
         condition = rubbish
  accept local_parts = three
         verify = header_syntax
  accept local_parts = four
         malware = *
  accept local_parts = five
         control = freeze/tell
''')
    for name, why in (('one', 'syntax error in "control=nonsense"'), ('two', 'invalid "condition" value "rubbish"'),
                      ('three', 'cannot verify header_syntax in ACL for RCPT'),
                      ('four', 'cannot test malware condition in RCPT ACL'), ('five', 'syntax error in "control=freeze/tell"')):
        assert rcpt(site, name) == ['451 Temporary local problem - please try later'], name
        assert site.log()[-1].endswith(why), site.log()[-1]


def test_added_and_removed_headers(site):
    acls(site, '''
  warn add_header = X-One: 1
       add_header = X-One: 1
       add_header = :at_start:X-Start: s
       add_header = no name here
       remove_header = x-gone
  accept logwrite = added <$headers_added>
''')
    talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'X-Gone: yes', 'Subject: kept', '', '.', 'QUIT'])
    with open(site.path('spool/input/%s-H' % site.queue()[0]), 'rb') as f:
        text = f.read().decode()
    assert text.count('X-One: 1') == 1 and 'X-ACL-Warn: no name here' in text, text
    assert text.index('X-Start: s') < text.index('Received:') < text.index('Subject: kept'), text
    assert '* X-Gone' in text.replace('*  X-Gone', '* X-Gone') or 'X-Gone' not in text, text


def test_controls(site):
    acls(site, '''
  warn local_parts = frozen
       control = freeze
  warn local_parts = fake
       control = fakereject/not today
  accept
''')
    out = talk(site, HEAD + ['RCPT TO:<fake@example.org>', 'DATA', '', '.', 'QUIT'])
    assert out[-2] == '550 not today', out
    talk(site, HEAD + ['RCPT TO:<frozen@example.org>', 'DATA', '', '.', 'QUIT'])
    assert any(line.endswith('frozen by ACL') for line in site.log()), site.log()


def test_verify(site):
    acls(site, '''
  require verify = sender
  require verify = recipient
  accept
''', routers='''
local:
  driver = accept
  domains = example.org
  local_parts = user
  transport = mbox
no:
  driver = redirect
  allow_fail
  local_parts = told
  data = :fail: not here
''')
    out = talk(site, ['HELO x', 'MAIL FROM:<user@example.org>', 'RCPT TO:<user@example.org>',
                      'RCPT TO:<told@example.org>', 'RCPT TO:<else@example.org>', 'RSET', 'MAIL FROM:<told@b.c>',
                      'RCPT TO:<user@example.org>', 'RCPT TO:<user@example.org>', 'QUIT'])
    assert out[2:5] == ['250 Accepted', '550 not here', '550 Unrouteable address'], out
    assert out[7:11] == ['550-Verification failed for <told@b.c>', '550-not here', '550 Sender verify failed',
                         '550 Sender verify failed'], out


def test_rates(site):
    acls(site, '''
  defer ratelimit = 1.5 / 1h / per_cmd / strict / key
        message = $sender_rate_limit $sender_rate_period
  accept
''')
    assert [rcpt(site)[0] for _ in range(3)] == ['250 Accepted', '451 1.5 1h', '451 1.5 1h']


def test_seen(site):
    acls(site, '''
  accept seen = 1h / key=$local_part / readonly
         message = met before
  warn   seen = 1h / key=$local_part
  accept
''')
    assert rcpt(site, 'one') == ['250 Accepted']
    assert rcpt(site, 'one') == ['250 met before']
    assert rcpt(site, 'two') == ['250 Accepted']


def test_quit_and_notquit(site):
    site.configure(main='acl_smtp_quit = accept message = bye\nacl_smtp_notquit = warn logwrite = $smtp_notquit_reason')
    assert talk(site, ['QUIT']) == ['221 bye']
    talk(site, ['NOOP'], status=1)
    assert site.log() == ['connection-lost'], site.log()


def test_prdr(site):
    site.configure(main='prdr_enable\nacl_smtp_data_prdr = each', more='''
begin acl
each:
  deny local_parts = no
       message = not you
  accept
''')
    head = ['EHLO x', 'MAIL FROM:<a@b.c> PRDR', 'RCPT TO:<no@example.org>']
    out = talk(site, head + ['RCPT TO:<user@example.org>', 'DATA', '', '.', 'QUIT'])
    assert out[-5:-2] == ['353 PRDR content analysis beginning', '550 not you', '250 PRDR R=<user@example.org> acceptance'], out
    assert out[-2].endswith(' message accepted for some recipients'), out
    assert len(site.queue()) == 1
    out = talk(site, head + ['RCPT TO:<no@example.org>', 'DATA', '', '.', 'QUIT'])
    assert out[-2].startswith('550 id=') and out[-2].endswith(' message rejected for all recipients'), out
    assert len(site.queue()) == 1


def test_drop_after_data(site):
    site.configure(main='acl_smtp_data = drop message = off with you')
    out = talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', '', '.', 'NOOP'])
    assert out[-1] == '550 off with you', out


def over_a_socket(site, *steps):
    """What comes back of a session as inetd starts it; None waits for an answer."""
    import socket
    import subprocess
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(1)
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    out = b''
    with client:
        client.settimeout(20)
        if steps[0] is not None:
            client.sendall(steps[0])
            steps = steps[1:]
        p = subprocess.Popen([site.binary, '-C', site.conf, '-bs', '-odq'], stdin=server, stdout=server,
                             stderr=subprocess.DEVNULL)
        server.close()
        for step in steps:
            if step is None:
                out += client.recv(65536)
            else:
                client.sendall(step)
        while True:
            more = client.recv(65536)
            if not more:
                break
            out += more
        p.wait(20)
    return out.decode().replace('\r', '')


def test_inetd(site):
    site.configure(main='pipelining_connect_advertise_hosts =\npipelining_advertise_hosts = *')
    out = over_a_socket(site, None, b'EHLO x\r\n', None, b'MAIL FROM:<a@b.c>\r\nRCPT TO:<user@example.org>\r\nDATA\r\n',
                        None, b'\r\n.\r\nQUIT\r\n')
    assert '250-mx.example.org Hello x [127.0.0.1]\n' in out and '250 OK id=' in out, out
    assert ' H=(x) [127.0.0.1] P=esmtp ' in site.log()[0], site.log()


def test_clients_that_talk_out_of_turn(site):
    site.configure(main='pipelining_connect_advertise_hosts =')
    out = over_a_socket(site, None, b'HELO x\r\n', None, b'MAIL FROM:<a@b.c>\r\nRCPT TO:<user@example.org>\r\n')
    assert out.endswith('554 SMTP synchronization error\n'), out
    out = over_a_socket(site, b'HELO x\r\nMAIL FROM:<a@b.c>\r\n', None)
    assert out == '554 SMTP synchronization error\n', out
    assert 'input sent without waiting for greeting' in site.log()[-1], site.log()


def test_header_of_a_refused_message_is_logged(site):
    for selector, more in (('', 2), ('log_selector = -rejected_header', 0)):
        acls(site, ' accept\ndata:\n deny', main='acl_smtp_data = data\n' + selector)
        talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'Subject: x', '', '.', 'QUIT'])
        log = site.raw_log('reject').split('\n')[:-1]
        assert len([line for line in log if line.startswith('Envelope-')]) == more, log
        assert ('  Subject: x' in log) == bool(more), log
        open(site.path('log/rejectlog'), 'w').close()


def test_expanding_an_address_is_no_news(site):
    acls(site, ' accept\nexpn:\n accept', main='acl_smtp_expn = expn\nlog_selector = +address_rewrite',
         retry='* * F,1d,10m\nbegin rewrite\nold@* new@$domain')
    r = site.run('-bs', stdin='HELO x\r\nEXPN old\r\nQUIT\r\n')
    assert 'rewritten as "new@example.org"' in r.err and site.log() == [], (r.err, site.log())


def test_own_received_line_may_name_an_acl(site):
    acls(site, ' accept\ndata:\n accept', main='received_header_text = Received: by $primary_hostname\n'
         'acl_smtp_data = ${if def:h_received: {accept logwrite = <${length_8:$h_received:}>}}')
    out = talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'Subject: x', '', '.', 'QUIT'])
    assert out[-2].startswith('250 OK id='), (out, site.log())
    out = talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'Received: of another', '', '.', 'QUIT'])
    assert out[-2].startswith('451 '), 'a text of the client is no ACL'


def test_command_of_etrn(site):
    done = site.path('done')
    script = site.path('command')
    with open(script, 'w') as f:
        f.write('#!/bin/sh\nprintf "%%s|" "$@" >> %s\n' % done)
    os.chmod(script, 0o755)
    os.chmod(site.top, 0o777)
    acls(site, ' accept\netrn:\n accept', main='acl_smtp_etrn = etrn\nsmtp_etrn_command = %s "<$domain>" fixed' % script)
    out = talk(site, ['EHLO x', 'ETRN any; thing', 'QUIT'])
    assert out[-2] == '250 OK', out
    site.wait_for(lambda: os.path.exists(done) and open(done).read())
    assert open(done).read() == '<any; thing>|fixed|', open(done).read()
    assert 'ETRN any; thing received from' in site.log()[0], site.log()


def test_one_command_of_etrn_at_a_time(site):
    for serialize, second in (('', '458 Already processing #x'), ('no_smtp_etrn_serialize', '250 OK')):
        acls(site, ' accept\netrn:\n accept', main='acl_smtp_etrn = etrn\nsmtp_etrn_command = /bin/sleep 5\n' + serialize)
        out = talk(site, ['EHLO x', 'ETRN #x', 'ETRN #x', 'QUIT'])
        assert out[-3:-1] == ['250 OK', second], out


def test_command_of_etrn_that_is_not_there(site):
    acls(site, ' accept\netrn:\n accept', main='acl_smtp_etrn = etrn\nsmtp_etrn_command = /nonexistent/command $domain')
    out = talk(site, ['EHLO x', 'ETRN #x', 'QUIT'])
    assert out[-2] == '250 OK' and 'exec of process for ETRN failed' in site.log()[-1], (out, site.log())


def test_queue_run_of_etrn(site):
    """Without a daemon; the client does not wait for it."""
    site.configure()
    site.send('jim@example.org', options=('-odq',))
    site.send('joe@example.org', options=('-odq',))
    fifo = site.path('mail/anybody')  # holds the first delivery up
    os.mkfifo(fifo)
    acls(site, ' accept\netrn:\n accept message = $sender_helo_name is served\n', main='acl_smtp_etrn = etrn',
         transports='mbox:\n driver = pipe\n command = /bin/sh -c "cat %s"\n user = {uid}\n group = {gid}\n' % fifo)
    site.own(fifo)
    out = talk(site, ['EHLO x', 'ETRN jim@example.org', 'ETRN #jim@', 'ETRN #jim@', 'ETRN #nobody', 'QUIT'])
    os.close(os.open(fifo, os.O_WRONLY))
    assert out[-5:-1] == ['501 argument must begin with #', '250 x is served',
                          '458 Already processing jim@', '250 x is served'], out
    site.wait_for(lambda: site.log().count('End queue run: pid=N -R jim@') == 1)
    site.wait_for(lambda: site.log().count('End queue run: pid=N -R nobody') == 1)
    assert site.completed(1) and len(site.queue()) == 1, site.log()
    assert talk(site, ['EHLO x', 'ETRN #jim@', 'QUIT'])[-2] == '250 x is served', 'the turn is over'
    assert talk(site, ['EHLO x', 'ETRN #', 'QUIT'])[-2] == '501 something must follow the #'


def test_rules_of_etrn(site):
    site.configure()
    assert talk(site, ['EHLO x', 'ETRN #x', 'QUIT'])[-2] == '458 Administrative prohibition'
    acls(site, ' accept\netrn:\n deny message = not you\n', main='acl_smtp_etrn = etrn')
    assert talk(site, ['EHLO x', 'ETRN #x', 'QUIT'])[-2] == '458 not you'
    assert talk(site, ['EHLO x', 'MAIL FROM:<>', 'ETRN #x', 'QUIT'])[-2] == '503 ETRN is not permitted inside a transaction'


def debugged(site, control, more=''):
    """What the file of debugging output has after a session; None: there is no file."""
    acls(site, ' accept control = debug%s\n hosts = :\n%s' % (control, more))
    talk(site, HEAD + ['RCPT TO:<user@example.org>', 'RSET', 'NOOP', 'QUIT'])
    names = [name for name in os.listdir(site.path('log')) if name.startswith('debug')]
    if not names:
        return None
    with open(site.path('log/' + names[0])) as f:
        text = f.read()
    os.unlink(site.path('log/' + names[0]))
    return names[0], text


def test_control_debug(site):
    name, text = debugged(site, '/tag=.$sender_address_domain')
    assert name == 'debuglog.b.example', name
    assert 'check hosts = :\n' in text and 'accept: condition test succeeded\n' in text, text
    assert 'SMTP<< NOOP\n' in text and 'SMTP>> 250 OK\n' in text, text
    assert 'SMTP<< RCPT' not in text, 'it was not asked for yet'


def test_topics_of_control_debug(site):
    _, text = debugged(site, '/opts=-all+acl')
    assert 'check hosts' in text and 'SMTP' not in text, text


def test_triggers_of_control_debug(site):
    assert debugged(site, '/pretrigger=2000') is None
    _, text = debugged(site, '/pretrigger=2000', ' control = debug/trigger=now\n')
    assert text.startswith('check hosts = :\n'), text
    _, text = debugged(site, '/pretrigger=40', ' control = debug/trigger=now\n')
    assert 'check hosts' not in text and 'condition test succeeded' in text, 'the oldest lines go'
    assert debugged(site, '/pretrigger=2000/trigger=paniclog') is None
    _, text = debugged(site, '/pretrigger=2000/trigger=paniclog', ' logwrite = :panic: trouble\n')
    assert 'LOG: ' in text and 'trouble' in text, text


def test_end_of_control_debug(site):
    _, text = debugged(site, '', ' control = debug/stop\n')
    assert 'check hosts' in text and 'NOOP' not in text, text
    assert debugged(site, '', ' control = debug/kill\n') is None


def debug_delivery(site, control, more=''):
    """What the file of debugging output has after a delivery by a later queue run; None: there is no file."""
    acls(site, ' accept control = debug%s\n%s' % (control, more), routers="""
other:
  driver = accept
  local_parts = nobody
  transport = mbox
panic:
  driver = redirect
  local_parts = panic
  data = :blackhole:
  condition = ${acl {loud}}
local:
  driver = accept
  transport = mbox
""")
    site.write('names/user', '')
    with open(site.conf, 'a') as f:
        f.write('loud:\n accept logwrite = :panic: trouble\n')
    talk(site, HEAD + ['RCPT TO:<user@example.org>', 'RCPT TO:<panic@example.org>', 'DATA', 'Subject: x', '', '.', 'QUIT'])
    for name in os.listdir(site.path('log')):
        if name.startswith('debug'):
            os.unlink(site.path('log/' + name))  # what the reception wrote
    assert site.run('-q').status == 0 and site.log()[-2].endswith(' Completed'), site.log()
    names = [name for name in os.listdir(site.path('log')) if name.startswith('debug')]
    return (names[0], site.read('log/' + names[0])) if names else None


def test_control_debug_goes_on_in_the_delivery(site):
    name, text = debug_delivery(site, '/tag=.$sender_address_domain')
    assert name == 'debuglog.b.example', name
    assert 'router other for user@example.org\nrouter other: not for this address\n' in text, text
    assert 'router local: accepted\n' in text and '\nLOG: ' in text and '=> user' in text, text


def test_topics_of_control_debug_in_the_delivery(site):
    _, text = debug_delivery(site, '/opts=-all+deliver')
    assert 'router' not in text and text.startswith('delivering '), text
    assert debug_delivery(site, '', ' control = debug/stop\n') is None


def test_triggers_of_control_debug_in_the_delivery(site):
    assert debug_delivery(site, '/pretrigger=2000') is None
    _, text = debug_delivery(site, '/pretrigger=2000/trigger=paniclog')
    assert text.startswith('delivering ') and 'trouble' in text and 'Completed' in text, text
    _, text = debug_delivery(site, '/pretrigger=60/trigger=paniclog')
    assert text.startswith('LOG: ') and 'trouble' in text, 'the oldest lines go'


def test_debug_log_that_the_spool_names_elsewhere(site):
    acls(site, ' accept control = debug')
    talk(site, HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'Subject: x', '', '.', 'QUIT'])
    header = [n for n in os.listdir(site.path('spool/input')) if n.endswith('-H')][0]
    text = site.read('spool/input/' + header)
    name = '-debuglog_name %s\n' % site.path('log/debuglog')
    assert name in text, text
    for elsewhere in ('mainlog', 'debuglog/../mainlog', 'x', 'debuglog x'):
        site.write('spool/input/' + header, text.replace(name, '-debuglog_name %s\n' % site.path('log/' + elsewhere)), 0o640)
        before = sorted(os.listdir(site.path('log')))
        site.run('-q')
        assert sorted(os.listdir(site.path('log'))) == before and 'router' not in site.raw_log(), elsewhere


def test_bad_options_of_control_debug(site):
    for option in ('/tag=a\\/b', '/what=1', '/pretrigger=x', '/pretrigger=1048577', '/trigger=later'):
        acls(site, ' accept control = debug' + option)
        assert rcpt(site) == ['451 Temporary local problem - please try later'], option
        assert not any(name.startswith('debug') for name in os.listdir(site.path('log')))
    acls(site, ' accept control = debug/pretrigger=1048576')
    assert rcpt(site) == ['250 Accepted']


def test_other_scripts_in_logs(site):
    # addresses are shown as they are, what a configuration writes is escaped
    acls(site, ' accept logwrite = $sender_address')
    site.run('-bs', '-odq', stdin='EHLO x\r\nMAIL FROM:<m\xfc@b.example> SMTPUTF8\r\nRCPT TO:<u1@b.example>\r\nDATA\r\n.\r\n'
             'MAIL FROM:<m\xfc@b.example>\r\nQUIT\r\n'.encode())
    log = site.log()
    assert log[0] == 'm\\303\\274@b.example', log
    assert log[1].startswith('ID1 <= m\xfc@b.example '.encode().decode('latin-1')) and 'P=utf8local-esmtp' in log[1], log


def test_rejection_that_data_repeats(site):
    """The answer to DATA has what the client was told about its recipients, without codes."""
    lines = HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'QUIT']
    for acl, text in (('deny message = 550 5.7.1 go away', 'go away'), ('deny', 'Administrative prohibition'),
                      ('deny delay = x', 'Temporary local problem - please try later'),
                      ('deny message = 451 4.3.2 go away', 'go away')):
        acls(site, ' %s\n' % acl)
        out = talk(site, lines)
        assert '503-' + text in out, (acl, out)
        assert '5.7.1' not in out[3] and '550 4.3.2 go away' not in out, out


def test_single_lines_are_of_refusals(site):
    """What is offered to EHLO has as many lines as ever."""
    acls(site, ' warn control = no_multiline_responses\n deny message = one\\ntwo\nearly:\n'
         ' accept control = no_multiline_responses\n', main='acl_smtp_helo = early')
    out = talk(site, ['EHLO client'] + HEAD[1:] + ['RCPT TO:<user@example.org>', 'DATA', 'QUIT'])
    assert '250-PIPELINING' in out and '250 HELP' in out, out
    assert out[-3:-1] == ['550 one', '503 Valid RCPT command must precede DATA'], out


def test_rate_without_a_message(site):
    """A limit that says nothing of what it counts also works before there is a message; one that does is refused."""
    for how, answers in (('', ['1.0', '2.0']), ('/per_mail', [])):
        acls(site, ' accept\nfirst:\n warn ratelimit = 1 / 1h / strict%s / k\n  logwrite = rate $sender_rate\n accept\n' % how,
             main='acl_smtp_connect = first')
        for _ in range(2):
            site.run('-bs', stdin='QUIT\r\n')
        rates = [line.split()[-1] for line in site.log() if line.startswith('rate ')]
        assert rates[:2] == ['1.0', '2.0'] and len(rates) == 2, (how, site.log())
    assert 'cannot use "ratelimit" with per_mail' in site.log()[-1], site.log()


def test_reason_of_a_discarded_sender(site):
    acls(site, ' accept\nsender:\n discard log_message = of no use\n', main='acl_smtp_mail = sender')
    talk(site, HEAD + ['RCPT TO:<user@example.org>', 'QUIT'])
    assert site.log()[-1].endswith('RCPT <user@example.org>: discarded by MAIL ACL: of no use'), site.log()


def test_unknown_log_hides_no_rejection(site):
    acls(site, ' deny log_reject_target = mian\n message = no\n')
    assert rcpt(site) == ['550 no']
    assert any('unknown log name "mian"' in line for line in site.log()), site.log()
    assert any('rejected RCPT <user@example.org>: no' in line for line in site.log()), site.log()


def test_packets(site):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        s.settimeout(20)
        port = s.getsockname()[1]
        acls(site, ' accept udpsend = <; 127.0.0.1 ; %d ; $local_part;  at : $domain\n' % port)
        assert rcpt(site) == ['250 Accepted']
        assert s.recv(100) == b' user;  at : example.org'
    for bad, why in (('', 'missing destination host'), ('127.0.0.1', 'missing destination port'),
                     ('127.0.0.1:smtp:x', 'bad destination port'), ('127.0.0.1:0:x', 'bad destination port'),
                     ('127.0.0.1:65536:x', 'bad destination port'),
                     ('127.0.0.1:65535:${sg{${base64:$domain$domain$domain}}{.}{${sha3:x}${sha3:x}${sha3:x}${sha3:x}'
                      '${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}'
                      '${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}${sha3:x}}}',
                      'failed to send packet')):
        acls(site, ' accept udpsend = %s\n' % bad)
        assert rcpt(site) == ['451 Temporary local problem - please try later'], bad
        assert why in site.log()[-1] and 'udpsend' in site.log()[-1], (bad, site.log())


def test_excess_angle_brackets(site):
    for main, answers in (('', ['501 <<a@b.example>>: missing or malformed local part'] * 2),
                          ('strip_excess_angle_brackets', ['250 OK', '250 Accepted'])):
        site.configure(main=main)
        out = talk(site, ['HELO client', 'MAIL FROM:<<a@b.example>>', 'RSET', 'MAIL FROM:<a@b.example>',
                          'RCPT TO:<<<a@b.example>>>', 'QUIT'])
        assert out[1] == answers[0], out
        assert out[4].replace('<<<', '<<').replace('>>>', '>>') == answers[1], out


def test_option_does_not_override_the_load(site):
    """-odi is stronger than queue_only, but not than queue_only_load: such a machine has enough to do."""
    text = '\r\n'.join(HEAD + ['RCPT TO:<user@example.org>', 'DATA', 'Subject: x', '', 'x', '.', 'QUIT']) + '\r\n'
    for main, left in (('queue_only', 0), ('queue_only_load = 100000', 0), ('queue_only_load = 0', 1)):
        site.configure(main=main)
        site.run('-bs', '-odi', stdin=text)
        if os.getloadavg()[0] > 0.01:
            assert len(site.queue()) == left, (main, site.log())


MAILBOXES = """
box:
  driver = appendfile
  %s = ${lookup{$local_part}dsearch,ret=full,filter=%s{{top}/mail}{$value}{{top}/mail/none}}
  user = {uid}
  group = {gid}
  %s
"""


def room(site, names, size='', option='recipient/quota', kind='file', limits='quota = 2000'):
    """The answers to RCPT for several names, as digits."""
    acls(site, ' accept verify = %s\n  message = <$recipient_verify_failure>\n'
               ' deny message = <$recipient_verify_failure>\n' % option,
         transports=MAILBOXES % (kind, {'file': 'file', 'directory': 'subdir'}[kind], limits),
         routers='r:\n driver = accept\n transport = box\n')
    out = talk(site, ['EHLO x', 'MAIL FROM:<a@b.c>' + size] + ['RCPT TO:<%s@example.org>' % n for n in names] + ['QUIT'])
    return out[-1 - len(names):-1]


def test_verify_quota_of_a_file(site):
    yes, no = '250 <>', '550 <quota>'
    site.write('mail/full', 'x' * 2001)
    site.write('mail/edge', 'x' * 2000)
    site.write('mail/some', 'x' * 100)
    assert room(site, ['full', 'edge', 'none'], option='recipient/quota=no_cache') == [no, yes, yes]
    for size, answer in (1900, yes), (1901, no):
        assert room(site, ['some'], ' SIZE=%d' % size, 'recipient/quota=no_cache') == [answer], site.log()
    assert room(site, ['full'], limits='quota = 2000/no_check', option='recipient/quota=no_cache') == [yes]
    assert room(site, ['full'], limits='quota = ') == [yes]
    assert sorted(os.listdir(site.path('mail'))) == ['edge', 'full', 'some'], 'nothing was written'


def test_verify_quota_is_remembered(site):
    site.write('mail/full', 'x' * 2001)
    assert room(site, ['full', 'full']) == ['550 <quota>'] * 2
    assert room(site, ['full'], limits='quota = 1M') == ['550 <quota>'], 'for an hour'
    assert room(site, ['full'], limits='quota = 1M', option='recipient/quota=cacheneg=0s') == ['250 <>']
    assert room(site, ['full']) == ['250 <>'], 'for five minutes'
    assert room(site, ['full'], option='recipient/quota=cachepos=0s,cacheneg=1d') == ['550 <quota>']


def test_verify_quota_of_a_folder(site):
    os.makedirs(site.path('mail/many'))
    site.own(site.path('mail/many'))
    for name in 'ab':
        site.write('mail/many/' + name, 'x' * 600)
    for limits, answer in (('quota = 1200', '250 <>'), ('quota = 1199', '550 <quota>'),
                           ('quota = 1M\n quota_filecount = 3', '250 <>'), ('quota = 1M\n quota_filecount = 2', '550 <quota>')):
        out = room(site, ['many'], option='recipient/quota=no_cache', kind='directory', limits=limits)
        assert out == [answer], (limits, out, site.log())


def test_faults_of_verify_quota(site):
    for option in 'sender/quota', 'recipient/quota=cachepos=x':
        assert room(site, ['some'], option=option) == ['451 Temporary local problem - please try later'], option
    assert site.log()[-2].endswith('can only verify quota of recipient'), site.log()
    assert 'bad time value in ACL condition "verify recipient/quota=cachepos=x"' in site.log()[-1], site.log()
    site.write('mail/full', 'x' * 2001)
    acls(site, ' require verify = recipient/quota\n accept', transports=MAILBOXES % ('file', 'file', 'quota = 1'),
         routers='r:\n driver = accept\n transport = box\n')
    for why in 'Over quota', 'Previous (cached) quota verification failure':
        assert rcpt(site, 'full') == ['550 Administrative prohibition']
        assert site.log()[-1].endswith('rejected RCPT <full@example.org>: ' + why), site.log()
