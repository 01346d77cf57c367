"""event_action: which events are raised, in which order with the log lines, and what they show."""

LOGGER = '''
event_action = ${acl {note}{main}}
'''
ACL = '''
begin acl
note:
  accept logwrite = $acl_arg1 $event_name lp=$local_part d=$domain r=$router_name t=$transport_name data=$event_data
'''
ROUTERS = '''
fails:
  driver = redirect
  local_parts = nix
  allow_fail
  data = :fail: nobody here
tries:
  driver = accept
  local_parts = cmd
  transport = cmd
hopeless:
  driver = accept
  local_parts = full
  transport = full
keeps:
  driver = accept
  transport = mbox
'''
TRANSPORTS = '''
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
  event_action = ${acl {note}{mbox}}
cmd:
  driver = pipe
  command = /bin/false
  user = {uid}
  group = {gid}
  event_action = ${acl {note}{cmd}}
full:
  driver = appendfile
  file = {top}/mail/full
  quota = 5
  user = {uid}
  group = {gid}
  event_action = ${acl {note}{full}}
'''


def configure(site, main='', more='', retry='* * F,1d,10m', mbox='${acl {note}{mbox}}'):
    # The braces of expansions are not those of the site's texts.
    transports = TRANSPORTS.replace('${acl {note}{mbox}}', mbox)
    for word in ('top', 'uid', 'gid'):
        transports = transports.replace('{%s}' % word, str(getattr(site, word)))
    site.configure(main=LOGGER + main, routers=ROUTERS, transports=transports, retry=retry, more=ACL + more)


def of(site, ident='ID1'):
    return [l[len(ident) + 1:] for l in site.log() if l.startswith(ident + ' ')]


def test_delivery_and_end(site):
    configure(site)
    site.send('someone')
    assert of(site)[1:] == [
        '=> someone <someone@example.org> R=keeps T=mbox',
        'mbox msg:delivery lp=someone d=example.org r=keeps t=mbox data=',
        'Completed',
        'main msg:complete lp= d= r= t= data='], site.log()


def test_failures(site):
    configure(site)
    site.send('nix', 'cmd', options=('-odf', '-f', 'someone@example.org'))
    site.wait_for(lambda: site.completed(2))
    log = of(site)
    at = log.index('** nix@example.org R=fails : nobody here')
    assert log[at - 1] == 'main msg:fail:internal lp=nix d=example.org r=fails t= data=nobody here', log
    at = [i for i, l in enumerate(log) if l.startswith('** cmd@')][0]
    assert log[at - 1] == 'cmd msg:fail:delivery lp=cmd d=example.org r=tries t=cmd data=', log


def test_retry_time_over(site):
    configure(site, retry='full@example.org *')
    site.send('full', options=('-odf', '-f', 'someone@example.org'))
    site.wait_for(lambda: site.completed(2))
    log = of(site)
    at = log.index('** full@example.org: retry timeout exceeded')
    assert log[at - 1].startswith('full msg:fail:delivery lp=full'), log
    assert not [l for l in log if 'msg:defer' in l], log


def test_removed_and_cancelled(site):
    configure(site)
    site.send('a', 'b', options=('-odq',))
    ident = site.queue()[0]
    assert site.run('-Mmd', ident, 'a@example.org').status == 0
    assert site.run('-Mrm', ident).status == 0
    log = of(site)
    assert log[-4:] == [
        'main msg:fail:internal lp=b d=example.org r= t= data=message removed by %s' % site.login,
        'main msg:complete lp= d= r= t= data=',
        'removed by %s' % site.login, 'Completed'], log
    site.send('c', options=('-odq', '-f', 'someone@example.org'))
    assert site.run('-Mg', site.queue()[0]).status == 0
    site.wait_for(lambda: site.completed(3))
    log = of(site, 'ID2')
    assert 'main msg:fail:internal lp=c d=example.org r= t= data=delivery cancelled by administrator' in log, log


def test_broken_action_changes_nothing(site):
    configure(site, mbox='${if eq{$event_name}{msg:delivery}{$nonesuch}}')
    site.send('someone')
    assert site.queue() == [] and '\nbody\n' in site.mail('box')
    assert [l for l in of(site) if l.startswith('failed to expand event_action msg:delivery in mbox: unknown variable')], \
        site.log()
    raw = site.raw_log()
    assert 'variable name "nonesuch"\n\n' in raw, raw     # the reference has an empty line there


def test_errors_of_clients(site):
    configure(site)
    site.run('-bs', stdin=b'EHLO a\r\nBOGUS\r\nDATA\r\nMAIL FROM:<a@b\r\nQUIT\r\n')
    assert [l for l in site.log() if ' smtp:fail:' in l] == [
        'main smtp:fail:syntax lp= d= r= t= data=unrecognized command',
        'main smtp:fail:protocol lp= d= r= t= data=valid RCPT command must precede DATA',
        "main smtp:fail:syntax lp= d= r= t= data='>' missing at end of address"], site.log()
