"""What an attempt to deliver does: logs, retries, bounces, frozen messages, queue commands."""
import os
import re
import time

FAILING = '''
bad:
  driver = accept
  local_parts = bad
  transport = broken
nobody:
  driver = accept
  domains = example.org
  local_parts = ^u
  transport = mbox
'''

BROKEN = '''
broken:
  driver = appendfile
  file = /proc/no/such/place
  user = {uid}
  group = {gid}
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''


def test_one_delivery(site):
    site.configure()
    site.send('someone@example.org')
    assert site.log() == [
        'ID1 <= %s@example.org U=%s P=local S=N' % (site.login, site.login),
        'ID1 => someone <someone@example.org> R=local T=mbox',
        'ID1 Completed'], site.log()
    text = site.mail('anybody')
    assert text.startswith('From %s@example.org ' % site.login), text
    assert text.endswith('\n\nbody\n\n'), text
    assert site.queue() == []
    assert os.listdir(site.path('spool/input')) == []
    assert os.listdir(site.path('spool/msglog')) == []


def test_order_of_deliveries(site):
    site.configure()
    site.send('u1', 'u2', 'u3')
    assert [l.split()[2] for l in site.log() if '=>' in l] == ['u1', 'u2', 'u3']


def test_same_recipient_twice(site):
    site.configure()
    site.send('u1', 'u1')
    assert site.mail('anybody').count('\nbody\n') == 1
    assert site.queue() == []


def test_unknown_user_bounces(site):
    site.configure(routers=FAILING, transports=BROKEN)
    site.send('nix', 'u2', options=('-odf', '-f', 'u1@example.org'))
    site.wait_for(lambda: site.completed(2))
    log = site.log()
    assert 'ID1 ** nix@example.org : Unrouteable address' in log, log
    assert 'ID1 => u2 <u2@example.org> R=nobody T=mbox' in log, log
    assert 'ID2 <= <> R=ID1 U=%s P=local S=N' % site.user in log, log
    assert 'ID2 => u1 <u1@example.org> R=nobody T=mbox' in log, log
    text = site.mail('box')
    for line in ('X-Failed-Recipients: nix@example.org', 'Auto-Submitted: auto-replied',
                 'From: Mail Delivery System <Mailer-Daemon@example.org>', 'To: u1@example.org',
                 'Subject: Mail delivery failed: returning message to sender',
                 '  nix@example.org\n    Unrouteable address', 'Reporting-MTA: dns; mx.example.org',
                 'Action: failed\nFinal-Recipient: rfc822;nix@example.org\nStatus: 5.0.0',
                 'Content-type: message/rfc822', '\nbody\n'):
        assert line in text, (line, text)


def test_failed_bounce_freezes(site):
    site.configure(routers=FAILING, transports=BROKEN)
    site.send('nix', options=('-odf', '-f', '<>'))
    assert 'ID1 Frozen (delivery error message)' in site.log(), site.log()
    assert '*** frozen ***' in site.run('-bp').out
    site.run('-q')
    assert 'ID1 Message is frozen' in site.log()
    site.run('-qff')
    assert 'ID1 Unfrozen by forced delivery' in site.log()
    assert site.log().count('ID1 Frozen (delivery error message)') == 2


def test_old_bounce_is_discarded(site):
    site.configure(main='ignore_bounce_errors_after = 0s', routers=FAILING, transports=BROKEN)
    site.send('nix', options=('-odf', '-f', '<>'))
    assert 'ID1 nix@example.org: error ignored' in site.log(), site.log()
    assert site.queue() == []


def test_deferral_waits_for_its_time(site):
    site.configure(routers=FAILING, transports=BROKEN)
    site.send('bad', 'u1')
    log = site.log()
    assert log[1].startswith('ID1 == bad@example.org R=bad T=broken defer ('), log
    assert log[2] == 'ID1 => u1 <u1@example.org> R=nobody T=mbox', log
    site.run('-q')
    assert 'ID1 == bad@example.org R=bad T=broken defer (-53): Retry time not yet reached' in site.log(), site.log()
    site.run('-qf')
    assert len([l for l in site.log() if l.startswith(log[1][:45])]) == 3
    out = site.run('-bp').out
    assert '          bad@example.org' in out and '        D u1@example.org' in out, out


def test_given_up_without_rule(site):
    site.configure(routers=FAILING, transports=BROKEN, retry='')
    site.send('bad', options=('-odf', '-f', 'u1@example.org'))
    assert 'ID1 ** bad@example.org: retry timeout exceeded' in site.log(), site.log()
    site.wait_for(lambda: site.completed(2))
    assert 'retry timeout exceeded' in site.mail('box')


def test_bounce_after_a_list_that_cannot_be_read(site):
    site.configure(retry='', routers="""
list:
  driver = accept
  domains = example.org
  local_parts = lsearch;{top}/absent
  transport = mbox
sender:
  driver = accept
  domains = b.example
  transport = mbox
""")
    site.send('user@example.org', options=('-odf', '-f', 'a@b.example'))
    assert 'ID1 ** user@example.org: retry timeout exceeded' in site.log(), site.log()
    assert any(line.startswith('ID2 <= <> R=ID1 ') for line in site.log()), site.log()


def test_given_up_after_cutoff(site):
    site.configure(routers=FAILING, transports=BROKEN, retry='* * F,1s,1s')
    site.send('bad', options=('-odf', '-f', 'u1@example.org'))
    assert len(site.queue()) == 1
    time.sleep(2.1)
    site.run('-qf')
    site.wait_for(lambda: site.completed(2))
    assert 'ID1 ** bad@example.org: retry timeout exceeded' in site.log(), site.log()


def test_delay_warning(site):
    site.configure(main='delay_warning = 1s', routers=FAILING, transports=BROKEN)
    site.send('bad', options=('-odf', '-f', 'u1@example.org'))
    time.sleep(1.1)
    site.run('-qf')
    site.wait_for(lambda: site.completed(1))
    text = site.mail('box')
    assert re.search(r'Subject: Warning: message \S+ delayed 0 minutes', text), text
    assert 'Action: delayed\nFinal-Recipient: rfc822;bad@example.org\nStatus: 4.0.0' in text, text
    assert 'No action is required on your part.' in text


def test_message_log(site):
    site.configure(routers=FAILING, transports=BROKEN)
    site.send('bad', 'u1')
    mid = site.queue()[0]
    text = site.run('-Mvl', mid).out
    assert 'Received from %s@example.org U=%s P=local S=' % (site.login, site.login) in text, text
    assert ' bad@example.org R=bad T=broken defer (' in text, text
    assert ' u1@example.org: mbox transport succeeded' in text, text


def test_suppressed_delivery(site):
    site.configure()
    site.send('u1', options=('-odf', '-N'))
    assert 'ID1 *> u1 <u1@example.org> R=local T=mbox' in site.log(), site.log()
    assert site.mail('anybody') == ''


def test_commands(site):
    site.configure()
    site.send('u1', options=('-odq',))
    mid = site.queue()[0]

    def command(*args):
        r = site.run(*args)
        return r.status, r.out.replace(mid, 'ID')
    assert command('-Mf', mid) == (0, 'Message ID is now frozen\n')
    assert command('-Mf', mid) == (1, 'Message ID is already frozen\n')
    assert command('-Mt', mid) == (0, 'Message ID is no longer frozen\n')
    assert command('-Mt', mid) == (1, 'Message ID is not frozen\n')
    assert command('-Mar', mid, 'u2@example.org') == (0, 'Message ID has been modified\n')
    assert command('-Mes', mid, 'new@example.org') == (0, 'Message ID has been modified\n')
    assert command('-Mmd', mid, 'u1@example.org') == (0, 'Message ID has been modified\n')
    assert command('-bpc') == (0, '1\n')
    out = site.run('-bp').out
    assert ' <new@example.org>\n        D u1@example.org\n          u2@example.org\n\n' in out, out
    assert site.run('-bpu').out.count('u1@') == 0
    assert 'Subject: test\n' in site.run('-Mvc', mid).out
    assert site.run('-Mvh', mid).out.startswith(mid + '-H\n')
    assert site.run('-Mvb', mid).out == mid + '-D\nbody\n'
    assert command('-M', mid) == (0, '')
    assert 'ID1 => u2 <u2@example.org> R=local T=mbox' in site.log(), site.log()
    assert site.queue() == []
    assert command('-Mvh', mid)[0] == 1
    assert [l for l in site.log() if ' by ' in l] == [
        'ID1 %s by %s' % (what, site.login) for what in (
            'frozen', 'unfrozen', 'recipient <u2@example.org> added',
            'sender address changed to <new@example.org>', 'address <u1@example.org> marked delivered')]


def test_remove_and_mark_all(site):
    site.configure()
    for _ in range(2):
        site.send('u1', options=('-odq',))
    first, second = site.queue()
    assert site.run('-Mrm', first).out == 'Message %s has been removed\n' % first
    assert site.queue() == [second]
    assert site.run('-Mmad', second).status == 0
    site.run('-q')
    assert site.queue() == []
    assert site.mail('anybody') == ''
    assert site.run('-Mrm', first).status == 1


def test_give_up(site):
    site.configure(routers=FAILING, transports=BROKEN)
    site.send('u2', options=('-odq', '-f', 'u1@example.org'))
    site.run('-Mg', site.queue()[0])
    site.wait_for(lambda: site.completed(2))
    assert 'ID1 cancelled by %s' % site.login in site.log(), site.log()
    assert '  u2@example.org\n' in site.mail('box')


def test_named_queue(site):
    site.configure()
    site.send('u1', options=('-odq',))
    mid = site.queue()[0]
    r = site.run('-MG', 'later', mid)
    assert r.status == 0 and r.out == 'Message %s \n' % mid, r.out
    assert site.log()[-1] == 'ID1 moved from input, msglog to (later) input, msglog', site.log()
    assert site.run('-bpc').out == '0\n'
    assert site.run('-bpc', '-qGlater').out == '1\n'
    site.run('-qGlater')
    assert "Start 'later' queue run: pid=N" in site.log()
    assert 'ID1 => u1 <u1@example.org> Q=later R=local T=mbox' in site.log(), site.log()
    assert site.queue() == []


def test_queue_run_selection(site):
    site.configure()
    for who in ('u1', 'u2'):
        site.send(who, options=('-odq',))
    site.run('-R', 'U2@EX')
    assert [l.split()[2] for l in site.log() if '=>' in l] == ['u2']
    site.run('-Rr', '^u[0-9]')
    assert [l.split()[2] for l in site.log() if '=>' in l] == ['u2', 'u1']
    assert 'Start queue run: pid=N -R U2@EX' in site.log(), site.log()


def test_split_spool(site):
    site.configure(main='split_spool_directory')
    site.send('u1', options=('-odq',))
    mid = site.queue()[0]
    assert os.path.exists(site.path('spool/input/%s/%s-H' % (mid[5], mid)))
    site.run('-q')
    assert site.queue() == [] and 'ID1 Completed' in site.log()


def test_headers_only_come_back_when_too_big(site):
    site.configure(main='bounce_return_size_limit = 100', routers=FAILING, transports=BROKEN)
    site.send('nix', text='Subject: x\n\n' + 'line\n' * 2000, options=('-odf', '-f', 'u1@example.org'))
    site.wait_for(lambda: site.completed(2))
    text = site.mail('box')
    assert 'X-Exim-DSN-Information: Due to administrative limits only headers are returned' in text
    assert text.count('line\n') == 0, text


def test_customised_bounce(site):
    site.write('bounce', 'Subject: No luck with $h_subject:\n****\nSorry, $bounce_recipient.\n****\n')
    site.configure(main='bounce_message_file = {top}/bounce\nerrors_copy = u1@* u9@example.org\n'
                        'errors_reply_to = help@example.org', routers=FAILING, transports=BROKEN)
    site.send('nix', text='Subject: tea\n\nx\n', options=('-odf', '-f', 'u1@example.org'))
    site.wait_for(lambda: site.completed(2))
    text = site.mail('box')
    assert 'Subject: No luck with tea\n' in text and 'Sorry, u1@example.org.\n' in text, text
    assert 'Reply-To: help@example.org\n' in text
    assert 'ID2 => u9 <u9@example.org> R=nobody T=mbox' in site.log(), site.log()


def test_one_time(site):
    """What is left of a list is in the envelope: the list is not read again."""
    site.write('list', 'u1, bad, bad2\n')
    site.configure(routers="""
list:
  driver = redirect
  local_parts = list
  file = {top}/list
  one_time
""" + FAILING.replace('local_parts = bad', 'local_parts = ^bad'), transports=BROKEN)
    site.send('list')
    assert 'ID1 => u1 <list@example.org> R=nobody T=mbox' in site.log(), site.log()
    site.write('list', 'u1, u7\n')
    out = site.run('-bp').out
    assert '        D list@example.org\n' in out and '          bad@example.org\n' in out, out
    assert '          bad2@example.org\n' in out, out
    site.configure(routers="""
list:
  driver = redirect
  local_parts = list
  file = {top}/list
  one_time
""" + FAILING.replace('local_parts = bad', 'local_parts = none').replace('^u', '^[ub]'), transports=BROKEN)
    site.run('-qf')
    log = site.log()
    assert 'ID1 => bad <list@example.org> R=nobody T=mbox' in log and 'ID1 Completed' in log, log
    assert not any('u7' in l for l in log) and len([l for l in log if '=> u1 ' in l]) == 1, log


def test_dropped_privilege_delivers_as_nobody_else(site):
    if not site.root:
        return
    other = TRANSPORTS_OF_TWO.replace('{top}', site.top).replace('{uid}', str(site.uid)).replace('{gid}', str(site.gid))
    site.configure(main='deliver_drop_privilege', routers=ROUTERS_OF_TWO, transports=other)
    site.send('own', 'other')
    log = site.log()
    assert 'ID1 => own <own@example.org> R=own T=own' in log, log
    assert 'ID1 == other@example.org R=other T=other defer (-1)' in log and 'ID1 Frozen' in log, log
    assert any('unable to set gid=' in l and l.endswith('transport=other') for l in log), log
    assert not os.path.exists(site.path('mail/other'))


ROUTERS_OF_TWO = '''
own:
  driver = accept
  local_parts = own
  transport = own
other:
  driver = accept
  transport = other
'''

TRANSPORTS_OF_TWO = '''
own:
  driver = appendfile
  file = {top}/mail/own
  user = {uid}
  group = {gid}
other:
  driver = appendfile
  file = {top}/mail/other
  user = 12345
  group = {gid}
'''


def test_command_of_a_router_is_never_root(site):
    if not site.root:
        return
    site.configure(routers=QUERY.replace('{who}', '0'))
    site.send('someone')
    assert site.queue() and not site.read('log/ran'), site.log()
    assert any(l.startswith('ID1 == someone@example.org R=asks defer') for l in site.log()), site.log()


QUERY = '''
asks:
  driver = queryprogram
  command = /bin/sh -c "id -u >{top}/log/ran; echo FAIL no"
  command_user = {who}
  command_group = {gid}
'''


def test_percent_hack(site):
    routers = '''
keeps:
  driver = accept
  transport = mbox
'''
    site.configure(main='percent_hack_domains = here.example : there.example', routers=routers)
    for given, shown in (('a%b.example@here.example', 'a <a%b.example@here.example>'),
                         ('a%b.example%there.example@here.example', 'a <a%b.example%there.example@here.example>'),
                         ('a%b.example@other.example', 'a%b.example <a%b.example@other.example>'),
                         ('"a%b.example"@here.example', 'a%b.example <"a%b.example"@here.example>')):
        n = len(site.log())
        site.send(given)
        assert [l.split(' => ')[1] for l in site.log()[n:] if ' => ' in l] == [shown + ' R=keeps T=mbox'], site.log()
    site.configure(main='percent_hack_domains = lsearch;{top}/absent', routers=routers)
    site.send('a%b@here.example')
    assert any(' == a%b@here.example ' in l and 'percent_hack_domains lookup deferred' in l for l in site.log()), site.log()
