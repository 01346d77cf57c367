"""What the options of the main section ask of clients: greetings, unqualified addresses, hosts that are refused, lines that are too long."""
from smtp_test import over_a_socket, talk


def pretend(site, lines, host='192.0.2.1', option='-bh'):
    """The answers of a pretended session after the greeting, and what would have been logged."""
    r = site.run(option, host, stdin='\r\n'.join(lines) + '\r\n')
    assert r.status == 0, (r.status, r.out, r.err)
    answers = [a for a in r.out.replace('\r', '').split('\n') if a and not a.startswith('****')]
    return answers[1:] if answers[0].startswith('220 ') else answers, [
        a[5:] for a in r.err.split('\n') if a.startswith('LOG: ')]


END = '221 mx.example.org closing connection'


def test_unqualified_addresses_of_some_hosts(site):
    site.configure('sender_unqualified_hosts = 192.0.2.1\nrecipient_unqualified_hosts = 192.0.2.1')
    lines = ['HELO x', 'MAIL FROM:<a>', 'RCPT TO:<user>', 'QUIT']
    assert pretend(site, lines)[0][1:] == ['250 OK', '250 Accepted', END]
    out, log = pretend(site, ['HELO x', 'MAIL FROM:<a>', 'MAIL FROM:<a@b.c>', 'RCPT TO:<user>', 'RCPT TO:<postmaster>',
                              'QUIT'], '192.0.2.2')
    assert out[1:] == ['501 <a>: sender address must contain a domain', '250 OK',
                       '501 <user>: recipient address must contain a domain', '250 Accepted', END], out


def test_names_that_must_be_the_hosts_own(site):
    site.configure('helo_verify_hosts = 192.0.2.0/24\nhelo_allow_chars = _')
    out, log = pretend(site, ['HELO x_y', 'MAIL FROM:<a@b.c>', 'HELO [192.0.2.1]', 'MAIL FROM:<a@b.c>', 'QUIT'])
    assert out == ['550 HELO argument does not match calling host', '503 HELO or EHLO required',
                   '250 mx.example.org Hello [192.0.2.1] [192.0.2.1]', '250 OK', END], out
    assert log[-2:] == ['rejected "HELO x_y" from (x_y) [192.0.2.1]',
                        'rejected MAIL from (x_y) [192.0.2.1]: no HELO/EHLO given'], log


def test_names_that_are_tried(site):
    site.configure('helo_try_verify_hosts = *\nacl_smtp_mail = ${acl{named}}', more='''
begin acl
named:
  accept verify = helo
         message = known
  deny message = $sender_helo_name is not yours
''')
    with open(site.conf) as f:
        text = f.read().replace('${acl{named}}', 'named')
    with open(site.conf, 'w') as f:
        f.write(text)
    out, _ = pretend(site, ['EHLO other.example', 'MAIL FROM:<a@b.c>', 'HELO [192.0.2.1]', 'MAIL FROM:<a@b.c>', 'QUIT'])
    assert out[-4:] == ['550 other.example is not yours', '250 mx.example.org Hello [192.0.2.1] [192.0.2.1]', '250 known',
                        END], out


def test_form_of_names(site):
    lines = ['HELO x_y', 'HELO', 'EHLO', 'HELO [1.2.3]', 'HELO x.y', 'QUIT']
    bad = '501 Syntactically invalid %s argument(s)'
    good = '250 mx.example.org Hello %s [192.0.2.1]'
    site.configure('smtp_max_synprot_errors = 10')
    assert pretend(site, lines)[0] == [bad % 'HELO'] * 2 + [bad % 'EHLO', bad % 'HELO', good % 'x.y', END]
    site.configure('helo_allow_chars = _\nsmtp_max_synprot_errors = 10')
    assert pretend(site, lines)[0][0] == good % 'x_y'
    site.configure('helo_accept_junk_hosts = 192.0.2.0/24')
    assert pretend(site, ['HELO', 'HELO !', 'QUIT'])[0] == [good % '', good % '!', END]


def test_callouts_of_a_pretended_session(site):
    """-bhc is -bh that makes callouts; without one in the ACL it is the same session."""
    site.configure()
    lines = ['HELO x', 'MAIL FROM:<a@b.c>', 'RCPT TO:<user@example.org>', 'QUIT']
    assert pretend(site, lines, option='-bhc') == pretend(site, lines)


def test_long_lines_of_a_message(site):
    """message_linelength_limit is of the smtp transport: what comes in may have longer lines."""
    site.configure()
    talk(site, ['HELO x', 'MAIL FROM:<a@b.c>', 'RCPT TO:<user@example.org>', 'DATA', 'Subject: x', '', 'y' * 2000, '.', 'QUIT'])
    assert len(site.queue()) == 1


def test_names_of_a_host_with_several(site):
    site.configure('smtp_active_hostname = for.$interface_address.example')
    r = site.run('-bh', '192.0.2.1', '-oMi', '10.0.0.1.25', stdin='HELO x\r\nQUIT\r\n')
    assert '\n250 for.10.0.0.1.example Hello x [192.0.2.1]' in r.out.replace('\r', ''), r.out


def test_parameters_of_notifications(site):
    site.configure('dsn_advertise_hosts = *\nsmtp_max_synprot_errors = 10')
    mail, to = 'MAIL FROM:<a@b.c>', 'RCPT TO:<user@example.org>'
    out, _ = pretend(site, ['EHLO x', mail + ' RET=HDRS RET=FULL', mail + ' RET=SOME', mail + ' RET=HDRS ENVID=q+2B',
                            to + ' NOTIFY=NEVER,DELAY', to + ' NOTIFY=FAILURE,DELAY ORCPT=rfc822;x@y', 'QUIT'])
    assert [a[:3] for a in out[-6:]] == ['501', '501', '250', '501', '250', '221'], out


def test_queue_domains(site):
    site.configure('queue_domains = later.example')
    site.send('user@example.org', 'user@later.example', options=('-odi',))
    assert site.mail('anybody').count('Subject: test') == 1
    assert len(site.queue()) == 1
    site.run('-qf')
    assert site.mail('anybody').count('Subject: test') == 2
