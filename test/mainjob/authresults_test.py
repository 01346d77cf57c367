"""${authresults{…}}: what is known of who sent a message, and that a client adds nothing to it."""
import base64

ACL = '''
begin acl
text:
  accept logwrite = <${authresults{me}}>
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = yes
  server_set_id = $auth2
  server_advertise_condition = yes
'''


def configure(site):
    site.configure(main='acl_smtp_data = text\nacl_not_smtp = text\nqueue_only\nacl_smtp_mail = accept\n', more=ACL)


def result(site):
    """The last one in the log."""
    lines = [line[line.index(' <') + 2:-1] for line in site.raw_log().splitlines() if ' <Authentication-Results: ' in line]
    return lines[-1].replace('\\n\t', ' ').replace('Authentication-Results: ', '')


def session(site, *options, login=None, sender='a@b.example'):
    lines, auth = ['EHLO client.example'], ''
    if login is not None:
        lines.append('AUTH PLAIN ' + base64.b64encode(b'\0%s\0x' % login.encode()).decode())
        auth = ' AUTH=other+40b.example'
    lines += ['MAIL FROM:<%s>%s' % (sender, auth), 'RCPT TO:<x@example.org>', 'DATA', 'From: a@b.example', '', 'x', '.', 'QUIT', '']
    r = site.run('-bs', *options, stdin='\r\n'.join(lines))
    assert '250 OK id=' in r.out, (r.out, site.raw_log('panic'))
    return result(site)


def test_nothing_is_known(site):
    configure(site)
    assert site.run('-be', '${authresults{me}}').out == 'Authentication-Results: me\n'
    assert session(site) == 'me'
    assert session(site, '-oMa', '192.0.2.1') == 'me'


def test_a_local_user(site):
    configure(site)
    site.send('x@example.org', options=())
    assert result(site) == 'me; local=pass (non-smtp, me) u=' + site.login


def test_a_client_with_a_name(site):
    configure(site)
    assert session(site, '-oMa', '192.0.2.1', '-oMs', 'some.host') == 'me; iprev=pass (some.host) smtp.remote-ip=192.0.2.1'


def test_a_client_that_authenticates(site):
    configure(site)
    assert session(site, login='joe') == 'me; auth=pass (PLAIN) smtp.auth=joe smtp.mailfrom=other@b.example'
    assert session(site, '-oMa', '192.0.2.1', '-oMs', 'some.host', login='joe@b.example') == (
        'me; iprev=pass (some.host) smtp.remote-ip=192.0.2.1; auth=pass (PLAIN) smtp.auth=joe@b.example smtp.mailfrom=other@b.example')


def test_a_name_adds_no_result(site):
    configure(site)
    assert session(site, login='joe; dkim=pass "x" (y) \\') == (
        'me; auth=pass (PLAIN) smtp.auth="joe; dkim=pass \\"x\\" (y) \\\\" smtp.mailfrom=other@b.example')
