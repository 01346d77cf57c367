"""Callouts: what servers are asked, what of it is remembered, what the client and the logs are told."""
import socket

from remote_test import ROUTER, Server

ACL = '''
begin acl
check:
%s
'''

OUT = '''
out:
  driver = smtp
  port = %d
%s
'''


def site_with(site, server, acl, main='', options='', hosts='127.0.0.1'):
    port = server if isinstance(server, int) else server.port
    site.configure(main=main + '\n', routers=ROUTER % hosts, transports=OUT % (port, options) + 'box:\n  driver = pipe\n',
                   more=ACL % acl)
    with open(site.conf) as f:
        text = f.read()
    with open(site.conf, 'w') as f:
        f.write(text.replace('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = check'))


def ask(site, sender='s@far.example', rcpt='r@near.example', before=()):
    """The answers to RCPT."""
    lines = ['HELO client'] + list(before) + ['MAIL FROM:<%s>' % sender, 'RCPT TO:<%s>' % rcpt, 'QUIT']
    r = site.run('-bs', stdin='\r\n'.join(lines) + '\r\n')
    out = [line for line in r.out.replace('\r', '').split('\n') if line]
    return out[3:-1]


def envelopes(server):
    return [c for c in server.commands if c[:4] in ('MAIL', 'RCPT')]


def refusing(*commands, text='550 no'):
    return lambda command: text if command in commands else None


def closed_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def test_sender(site):
    with Server() as server:
        site_with(site, server, ' accept verify = sender/callout')
        assert ask(site) == ['250 Accepted']
        assert envelopes(server) == ['MAIL FROM:<>', 'RCPT TO:<s@far.example>']
        assert ask(site) == ['250 Accepted'] and server.connections == 1, 'the cache knows it'
        assert ask(site, 'other@far.example') == ['250 Accepted'] and server.connections == 2


def test_refused_sender(site):
    with Server(answers=refusing('RCPT TO:<s@far.example>', text='550 who is s?')) as server:
        site_with(site, server, ' deny !verify = sender/callout\n log_message = $sender_verify_failure\n accept')
        assert ask(site) == ['550-Verification failed for <s@far.example>', '550-Called:   127.0.0.1',
                             '550-Sent:     RCPT TO:<s@far.example>', '550-Response: 550 who is s?',
                             '550 Sender verify failed']
        assert ask(site) == ['550-Verification failed for <s@far.example>',
                             '550-Previous (cached) callout verification failure', '550 Sender verify failed']
        assert server.connections == 1
        log = site.log()
        assert log[0].endswith('sender verify fail for <s@far.example>: 127.0.0.1 [127.0.0.1] : SMTP error from remote '
                               'mail server after RCPT TO:<s@far.example>: 550 who is s?'), log
        assert log[1].endswith('rejected RCPT <r@near.example>: recipient: Sender verify failed'), log
        assert log[2].endswith('sender verify fail for <s@far.example>'), log


def test_no_details(site):
    with Server(answers=refusing('RCPT TO:<s@far.example>')) as server:
        site_with(site, server, ' accept verify = sender/callout/no_details')
        assert ask(site) == ['550 Sender verify failed']


def test_domain_that_refuses_bounces(site):
    with Server(answers=refusing('MAIL FROM:<>', text='550 no bounces')) as server:
        site_with(site, server, ' deny !verify = sender/callout\n accept verify = recipient/callout=use_sender')
        first = ask(site)
        assert first[0] == '550-Callback setup failed while verifying <s@far.example>', first
        assert first[2:4] == ['550-Sent:     MAIL FROM:<>', '550-Response: 550 no bounces'], first
        assert ask(site, 'other@far.example')[1] == '550-(result of an earlier callout reused).'
        assert server.connections == 1
        assert '"MAIL FROM:<>" was: 550 no bounces' in site.log()[0]


def test_sender_named_to_a_domain_that_refuses_bounces(site):
    with Server(answers=refusing('MAIL FROM:<>')) as server:
        site_with(site, server, ' deny senders = a@near.example\n !verify = sender/callout\n'
                  ' accept verify = recipient/callout=use_sender')
        assert ask(site, 'a@near.example')[-1] == '550 Sender verify failed'
        assert ask(site, 'b@far.example', 'r@near.example') == ['250 Accepted'], 'MAIL names a sender there'
        assert ask(site, 'a@near.example')[1] == '550-(result of an earlier callout reused).', 'still known'


def test_recipient(site):
    with Server(answers=refusing('RCPT TO:<bad@near.example>', text='550-no\r\n550 such')) as server:
        site_with(site, server, ' accept verify = recipient/callout')
        assert ask(site) == ['250 Accepted']
        assert ask(site, rcpt='bad@near.example') == ['550-Callout verification failed:', '550-550-no', '550 550 such']
        assert ask(site, rcpt='bad@near.example') == ['550 Previous (cached) callout verification failure']
        assert site.log()[-1].endswith(': Previous (cached) callout verification failure')


def test_whom_mail_names(site):
    for option, sender in (('use_sender', 's@far.example'), ('use_postmaster', 'postmaster@example.org'), ('', ''),
                           ('use_tptsender', 'tpt@example.org')):
        with Server() as server:
            site_with(site, server, ' accept verify = recipient/callout=no_cache,' + option,
                      options='  return_path = tpt@example.org')
            assert ask(site) == ['250 Accepted']
            assert envelopes(server)[0] == 'MAIL FROM:<%s>' % sender, (option, server.commands)


def test_options_for_others_are_errors(site):
    for acl, text in (('sender/callout=use_sender', 'use_sender or use_postmaster cannot be used for a sender verify'),
                      ('recipient/callout=mailfrom=a@b', '"mailfrom" is allowed as a callout option only for'),
                      ('recipient/callout=use_sender,use_postmaster', 'only one of use_sender and use_postmaster can be set for a recip'),
                      ('recipient/callout= , random', 'bad time value in ACL condition "verify recipient/callout= , random"'),
                      ('recipient/callout=connect=x', 'bad time value in ACL condition "verify recipient/callout='),
                      ('recipient/callout=sideways', 'bad time value in ACL condition "verify recipient/callout=')):
        site_with(site, closed_port(), ' accept verify = ' + acl)
        assert ask(site) == ['451 Temporary local problem - please try later']
        assert text in site.log()[-1], site.log()


def test_random(site):
    with Server() as server:
        site_with(site, server, ' warn !verify = sender/callout=random\n accept logwrite = <$sender_verify_failure>',
                  main='callout_random_local_part = nobody-$tod_epoch')
        assert ask(site) == ['250 Accepted']
        rcpt = envelopes(server)[1]
        assert rcpt.startswith('RCPT TO:<nobody-') and rcpt.endswith('@far.example>'), rcpt
        assert ask(site, 'other@far.example') == ['250 Accepted'] and server.connections == 1
        assert site.log() == ['<random>'] * 2, site.log()


def test_random_is_refused(site):
    with Server(answers=lambda c: '550 who?' if 'nobody' in c else None) as server:
        site_with(site, server, ' accept verify = sender/callout=random', main='callout_random_local_part = nobody')
        assert ask(site) == ['250 Accepted']
        assert server.commands[1:-1] == ['MAIL FROM:<>', 'RCPT TO:<nobody@far.example>', 'RSET', 'MAIL FROM:<>',
                                         'RCPT TO:<s@far.example>'], server.commands
        assert ask(site, 'other@far.example') == ['250 Accepted']
        assert server.commands.count('RCPT TO:<nobody@far.example>') == 1, 'it is known to refuse'


def test_connection_lost_after_random(site):
    with Server(answers=lambda c: '550 who?' if 'nobody' in c else Server.CUT if c == 'RSET' else None) as server:
        site_with(site, server, ' accept verify = sender/callout=random', main='callout_random_local_part = nobody')
        assert ask(site) == ['250 Accepted'] and server.connections == 2


def test_postmaster(site):
    with Server(answers=refusing('RCPT TO:<postmaster@far.example>', text='550 none here')) as server:
        site_with(site, server, ' deny senders = s@far.example\n !verify = sender/callout=postmaster\n'
                  ' deny !verify = sender/callout=fullpostmaster,no_cache\n accept')
        out = ask(site)
        assert out[0] == '550-Postmaster verification failed while checking <s@far.example>', out
        assert out[2] == '550-Sent:     RCPT TO:<postmaster@far.example>', out
        assert ask(site)[1] == '550-(result of earlier verification reused).' and server.connections == 1
        assert ask(site, 'other@far.example') == ['250 Accepted']
        assert server.commands[-2] == 'RCPT TO:<postmaster>', server.commands


def test_sender_of_the_postmaster_check(site):
    with Server() as server:
        site_with(site, server, ' accept verify = sender/callout=postmaster_mailfrom=p@m.example')
        assert ask(site) == ['250 Accepted']
        assert server.commands[4:6] == ['MAIL FROM:<p@m.example>', 'RCPT TO:<postmaster@far.example>'], server.commands
        assert ask(site, 'other@far.example') == ['250 Accepted']
        assert 'MAIL FROM:<p@m.example>' not in server.commands[7:], 'the postmaster is known'


def test_deferrals(site):
    dull = '451 Could not complete recipient verify callout'
    for acl, expected in (('callout', [dull]), ('callout=defer_ok', ['250 Accepted']), ('callout/defer_ok', ['250 Accepted']),
                          ('callout_defer_ok', ['250 Accepted'])):
        site_with(site, closed_port(), ' accept verify = recipient/' + acl)
        assert ask(site) == expected, acl
    assert site.log()[0].endswith(': Could not complete recipient verify callout: 127.0.0.1 [127.0.0.1] : Connection refused')
    with Server(answers=refusing('RCPT TO:<r@near.example>', text='450 later')) as server:
        site_with(site, server, ' accept verify = recipient/callout', main='smtp_return_error_details')
        out = ask(site)
        assert out[0] == '451-Could not complete recipient verify callout for <r@near.example>.' and len(out) == 4, out
        assert ask(site) == out and server.connections == 2, 'what is not known is asked again'


def test_next_host(site):
    with Server() as server:
        site_with(site, server, ' accept verify = recipient/callout=5s,maxwait=20s,connect=2s',
                  hosts='<;[127.0.0.1]:%d;127.0.0.1' % closed_port())
        assert ask(site) == ['250 Accepted'] and server.connections == 1


def test_pipelining(site):
    with Server(extensions=['PIPELINING', 'SIZE'], answers=refusing('RCPT TO:<bad@near.example>')) as server:
        site_with(site, server, ' accept verify = recipient/callout')
        assert ask(site) == ['250 Accepted']
        assert envelopes(server)[0] == 'MAIL FROM:<>', server.commands
        assert ask(site, rcpt='bad@near.example')[-1] == '550 550 no'


def test_tls_is_avoided_in_callouts_alone(site):
    for options, asked in (('', True), ('  hosts_verify_avoid_tls = 127.0.0.1', False), ('  hosts_verify_avoid_tls = 192.0.2.1', True)):
        with Server(extensions=['STARTTLS'], answers=lambda c: '454 not now' if c == 'STARTTLS' else None) as server:
            site_with(site, server, ' accept verify = recipient/callout=no_cache', options=options)
            assert ask(site) == ['250 Accepted'] and ('STARTTLS' in server.commands) == asked, (options, server.commands)
            server.commands.clear()
            site.send('r@near.example')
            assert 'STARTTLS' in server.commands, (options, server.commands)


def test_header_sender(site):
    with Server(answers=refusing('RCPT TO:<bad@far.example>')) as server:
        site_with(site, server, ' accept\ndata:\n accept verify = header_sender/callout=mailfrom=m@here.example',
                  main='acl_smtp_data = data')
        for local_part, end in (('good', '250 OK id='), ('bad', '550 ')):
            r = site.run('-bs', '-odq', stdin='HELO c\r\nMAIL FROM:<s@x.example>\r\nRCPT TO:<r@y.example>\r\nDATA\r\n'
                         'From: %s@far.example\r\n\r\n.\r\nQUIT\r\n' % local_part)
            assert r.out.replace('\r', '').split('\n')[-3].startswith(end), r.out
        assert envelopes(server)[0] == 'MAIL FROM:<m@here.example>', server.commands


def test_lmtp(site):
    with Server(lmtp=True) as server:
        site_with(site, server, ' accept verify = recipient/callout', options='  protocol = lmtp')
        assert ask(site) == ['250 Accepted'] and server.commands[0].startswith('LHLO ')


def test_without_hosts_there_is_nothing_to_call(site):
    site.configure(routers='local:\n  driver = accept\n  transport = box\n',
                   transports='box:\n  driver = appendfile\n  file = /dev/null\n', more=ACL % ' accept verify = recipient/callout')
    with open(site.conf) as f:
        text = f.read()
    with open(site.conf, 'w') as f:
        f.write(text.replace('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = check'))
    assert ask(site) == ['250 Accepted']


def test_session_test_makes_callouts_when_asked(site):
    lines = 'HELO c\r\nMAIL FROM:<s@far.example>\r\nRCPT TO:<r@near.example>\r\nQUIT\r\n'
    with Server() as server:
        site_with(site, server, ' accept verify = sender/callout')
        assert '250 Accepted' in site.run('-bh', '192.0.2.1', stdin=lines).out and server.connections == 0
        assert '250 Accepted' in site.run('-bhc', '192.0.2.1', stdin=lines).out and server.connections == 1


def test_internationalised_sender(site):
    mail = 'MAIL FROM:<m\xfcller@far.example> SMTPUTF8'.encode().decode('latin-1')
    for extensions, option, answer, sent in (
            (['SMTPUTF8'], '', '250 Accepted', 'MAIL FROM:<> SMTPUTF8'), ([], '', '250 Accepted', 'MAIL FROM:<>'),
            ([], '  utf8_downconvert = 0', '550 Sender verify failed', None)):
        with Server(extensions=extensions) as server:
            site_with(site, server, ' accept verify = sender/callout=no_cache', options=option)
            r = site.run('-bs', stdin=('EHLO c\r\n%s\r\nRCPT TO:<r@near.example>\r\nQUIT\r\n' % mail).encode('latin-1'))
            out = r.out.replace('\r', '').split('\n')
            assert out[-3] == answer, out
            assert sent is None or envelopes(server)[0] == sent, server.commands
            if sent is None:
                assert out[-4] == '550-533 no support for internationalised mailbox name', out
            elif not extensions:
                assert envelopes(server)[1] == 'RCPT TO:<xn--mller-kva@far.example>', server.commands


def test_a_sender_is_verified_without_a_sender(site):
    """Routers see none, be it of the envelope or of a header line; for a recipient they see the envelope's."""
    routers = '''
none:
  driver = accept
  senders = :
  transport = box
some:
  driver = redirect
  allow_fail
  data = :fail: from <$sender_address>
'''
    def told(check, acl):
        site.configure(main='acl_smtp_%s = check' % acl if acl != 'rcpt' else '', routers=routers,
                       transports='box:\n  driver = pipe\n', more=ACL % (' require verify = %s\n deny message = good\n' % check))
        if acl == 'rcpt':
            with open(site.conf) as f:
                text = f.read()
            with open(site.conf, 'w') as f:
                f.write(text.replace('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = check'))
        talk = 'HELO c\r\nMAIL FROM:<s@far.example>\r\nRCPT TO:<r@near.example>\r\nDATA\r\nFrom: h@far.example\r\n\r\n.\r\nQUIT\r\n'
        return [line for line in site.run('-bs', stdin=talk).out.split('\r\n') if line.startswith('550')][0]

    assert told('sender', 'rcpt') == '550 good'
    assert told('sender=q@far.example', 'rcpt') == '550 good'
    assert told('recipient', 'rcpt') == '550 from <s@far.example>'
    assert told('header_sender', 'data') == '550 good'


def test_size(site):
    """SIZE goes along where the envelope is the message's, and its sender has said how long it is."""
    for option, said, size in (('', ' SIZE=500', ''), ('=use_sender,no_cache', ' SIZE=500', ' SIZE=1524'), ('=use_sender,no_cache', '', ''),
                               ('=use_sender,no_cache', ' SIZE=0', ''), ('=use_sender,hold,no_cache', '', '')):
        with Server(['SIZE']) as server:
            site_with(site, server, ' accept verify = recipient/callout' + option)
            talk = 'EHLO c\r\nMAIL FROM:<s@far.example>%s\r\nRCPT TO:<r@near.example>\r\nQUIT\r\n' % said
            assert '250 Accepted' in site.run('-bs', stdin=talk).out
            sender = 's@far.example' if option else ''
            assert envelopes(server)[0] == 'MAIL FROM:<%s>%s' % (sender, size), (option, said, server.commands)
