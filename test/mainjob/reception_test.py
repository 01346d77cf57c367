"""What becomes of a message that is received: lines of the log, controls, small options."""
import time

MAIL = ['MAIL FROM:<a@b.example>', 'RCPT TO:<user@example.org>', 'DATA', 'Subject: x', '', 'body', '.', 'QUIT']


def talk(site, lines=MAIL, *options, hello='EHLO client'):
    r = site.run('-bs', *options, stdin='\r\n'.join([hello] + list(lines)) + '\r\n')
    return [line for line in r.out.replace('\r', '').split('\n') if line]


def acl(site, option, text, **kw):
    site.configure(main='%s = check\nqueue_only\n' % option, more='begin acl\ncheck:\n' + text, **kw)


def arrival(site):
    return [line for line in site.log() if ' <= ' in line][-1]


def test_pipelining_that_is_not_used(site):
    for more, hello, field in (('', 'EHLO x', ' P=local-esmtp L- S=N'), ('', 'HELO x', ' P=local-smtp S=N'),
                               ('pipelining_advertise_hosts =', 'EHLO x', ' P=local-esmtp S=N')):
        site.configure(main='log_selector = +pipelining\nqueue_only\n' + more)
        talk(site, hello=hello)
        assert field in arrival(site), (more, arrival(site))
    site.configure(main='queue_only')
    talk(site)
    assert ' L-' not in arrival(site), 'only when asked for'


def test_discard_has_its_own_words(site):
    acl(site, 'acl_smtp_data', ' discard message = thank you\n  log_message = not wanted\n')
    assert talk(site)[-2] == '250 thank you'
    assert 'ID1 => blackhole (DATA ACL discarded recipients): not wanted' in site.log()
    acl(site, 'acl_smtp_data', ' discard\n')
    assert talk(site)[-2].startswith('250 OK id=')


def test_quit_acl_cannot_refuse(site):
    acl(site, 'acl_smtp_quit', ' deny message = go away\n')
    assert talk(site)[-1] == '221 go away'
    assert site.log()[-1] == ("ACL for QUIT returned ERROR: QUIT or not-QUIT toplevel ACL may not fail "
                              "('deny' verb used incorrectly)")
    acl(site, 'acl_smtp_quit', ' warn acl = other\n accept message = bye $acl_c_x\nother:\n deny set acl_c_x = now\n')
    site.write('log/mainlog', '')
    assert talk(site)[-1] == '221 bye now', 'an ACL inside it may'
    assert 'ERROR' not in site.raw_log()


def test_warn_before_a_local_message(site):
    acl(site, 'acl_not_smtp_start', ' warn message = X-Start: 1\n accept\n')
    site.send('user@example.org', options=('-odq',))
    assert ('ACL "warn" with "message" setting found in a non-message (non-SMTP-start) ACL: cannot specify header lines '
            'here: message ignored') in site.log(), site.log()
    assert 'X-Start' not in site.read('spool/input/%s-H' % site.queue()[0])


def test_host_reject_connection_in_a_test(site):
    site.configure(main='host_reject_connection = 192.0.2.1')
    for host, answer in ('192.0.2.1', '554 SMTP service not available'), ('192.0.2.2', '220 mx.example.org'):
        r = site.run('-bh', host, stdin='QUIT\r\n')
        assert '\n' + answer in r.out.replace('\r', ''), r.out
        assert ('refused connection from [192.0.2.1] (host_reject_connection)' in r.err) == answer.startswith('554')


def test_smtputf8_needs_8bitmime(site):
    for value, offered in ('true', True), ('false', False):
        site.configure(main='accept_8bitmime = %s\nsmtputf8_advertise_hosts = *' % value)
        r = site.run('-bs', '-oMa', '192.0.2.1', stdin='EHLO x\r\nMAIL FROM:<a@b.example> SMTPUTF8\r\nQUIT\r\n')
        out = r.out.replace('\r', '').split('\n')
        assert ('250-SMTPUTF8' in out) == ('250-8BITMIME' in out) == offered, out
        assert ('501 SMTPUTF8 used when not advertised' in out) != offered, out


def test_load(site):
    """Any load is above 0 but for moments without any."""
    def waits(*options, more='', local=False):
        site.configure(main='queue_only_load = 0\n' + more)
        site.write('log/mainlog', '')
        if local:
            site.send('user@example.org', options=options)
        else:
            talk(site, MAIL, *options)
        return any(': load average ' in line for line in site.log())
    with open('/proc/loadavg') as f:
        if f.read().startswith('0.00'):
            return
    assert waits() and waits(local=True) and waits('-odi')
    assert len(site.queue()) == 3
    assert not waits('-odq') and not waits(more='log_selector = -delay_delivery') and not waits(more='queue_only')


def test_from_line(site):
    text = ['MAIL FROM:<a@b.example>', 'RCPT TO:<user@example.org>', 'DATA', 'From q@r Fri Nov 27 00:36:04 2026',
            'From q@r Fri Nov 27 00:36:04 2026', 'Subject: x', '', 'body', '.', 'QUIT']
    for option, host, ignored in (('ignore_fromline_local', None, True), ('ignore_fromline_local', '192.0.2.1', False),
                                  ('ignore_fromline_hosts = 192.0.2.1', '192.0.2.1', True),
                                  ('ignore_fromline_hosts = 192.0.2.1', '192.0.2.2', False),
                                  ('ignore_fromline_hosts = *', None, False)):
        site.configure(main='queue_only\n' + option)
        talk(site, text, *(['-oMa', host] if host else []))
        body = site.read('spool/input/%s-D' % site.queue()[0]).split('\n', 1)[1]
        assert (body == 'body\n') == ignored, (option, host, body)
        assert ignored or body.startswith('From q@r'), body
        assert ' <= a@b.example ' in arrival(site), 'the sender is that of MAIL'
        site.run('-Mrm', site.queue()[0])


def test_arguments(site):
    site.configure(main='queue_only\nlog_selector = +arguments')
    site.run('-odq', 'user@example.org', '-f', '', 'b c@example.org', 'd\u00e9', stdin='\n')
    assert site.log()[0].startswith('cwd=TOP 9 args: '), site.log()
    assert site.raw_log().split('\n')[0].endswith(' user@example.org -f "" "b c@example.org" d\\303\\251'), site.raw_log()


def test_unknown_in_list(site):
    text = 'begin acl\ncheck:\n accept hosts = *.b.example\n'
    for selector, logged in ('+unknown_in_list', True), ('-unknown_in_list', False):
        site.configure(main='log_selector = -host_lookup_failed %s\nhost_lookup_order = byaddr\n'
                            'acl_smtp_mail = check\n' % selector, more=text)
        site.write('log/mainlog', '')
        talk(site, MAIL, '-oMa', '192.0.2.77')
        line = 'list matching forced to fail: failed to find host name for 192.0.2.77'
        assert (line in site.log()) == logged, (selector, site.log())


def test_queue_time(site):
    """With and without the time of the reception."""
    for selector, low, high in (('', 0, 0.9), ('-queue_time_exclusive', 1, 9)):
        site.configure(main='queue_only\nlog_selector = +queue_time+millisec+queue_time_overall %s\nacl_smtp_data = slow' % selector,
                       more='begin acl\nslow:\n accept condition = ${run{/bin/sleep 1}{yes}}\n')
        site.write('names/user', '')
        site.write('log/mainlog', '')
        talk(site)
        began = time.monotonic()
        site.run('-q')
        lines = [line for line in site.raw_log().split('\n') if ' QT=' in line]
        assert len(lines) == 2, site.raw_log()
        for line in lines:
            seconds = float(line.split(' QT=')[1].split()[0].rstrip('s'))
            assert low <= seconds < high + time.monotonic() - began, (selector, line)
