"""What the generic options of routers mean for a delivery."""

TRANSPORTS = '''
box:
  driver = appendfile
  file = {top}/mail/${lookup{$local_part}dsearch,filter=file{{top}/names}{$value}{box}}
  user = {uid}
  group = {gid}
  return_path_add
  envelope_to_add
  headers_add = X-Vars: $address_data|$original_local_part|$parent_local_part|$local_part_suffix|$r_x
'''


def header(text, name):
    return [l[len(name) + 2:] for l in text.splitlines() if l.startswith(name + ': ')]


def test_errors_to_and_headers(site):
    site.configure(routers='''
list:
  driver = redirect
  local_parts = list
  errors_to = owner@example.org
  headers_add = X-List: $local_part
  headers_remove = subject
  data = member
bad:
  driver = redirect
  local_parts = bad
  errors_to = nobody@nowhere.example
  data = member
last:
  driver = accept
  domains = example.org
  transport = box
''', transports=TRANSPORTS)
    site.send('list', 'bad', options=('-odf', '-f', 's@example.org'))
    first, second = site.mail('box').split('\nFrom ', 1) if '\nFrom ' in site.mail('box') else (site.mail('box'), '')
    # The second `member` is the same address: one delivery, by way of the list.
    assert second == '', second
    assert header(first, 'Return-path') == ['<owner@example.org>'], first
    assert header(first, 'X-List') == ['list'], first
    assert header(first, 'Subject') == [], first
    site.send('bad', options=('-odf', '-f', 's@example.org'))
    assert '<s@example.org>' in header(site.mail('box'), 'Return-path'), site.mail('box')


def test_data_reaches_transport(site):
    site.configure(routers='''
tagged:
  driver = redirect
  local_parts = top
  address_data = from-top
  set = r_x = ${uc:$local_part}
  data = user+tag
user:
  driver = accept
  local_part_suffix = +*
  transport = box
''', transports=TRANSPORTS)
    site.send('top')
    assert header(site.mail('box'), 'X-Vars') == ['from-top|top|top|+tag|TOP'], site.mail('box')


def test_unseen_delivers_twice_and_remembers(site):
    site.configure(routers='''
copy:
  driver = accept
  unseen
  headers_add = X-Copy: yes
  transport = ${if exists{{top}/broken}{broken}{box}}
real:
  driver = accept
  transport = box
''', transports=TRANSPORTS + '''
broken:
  driver = appendfile
  file = /proc/no/such/place
  user = {uid}
  group = {gid}
''')
    site.write('broken', '')
    site.send('someone')
    assert site.mail('box').count('\nbody\n') == 1
    assert header(site.mail('box'), 'X-Copy') == []
    assert len(site.queue()) == 1
    import os
    os.unlink(site.path('broken'))
    site.run('-qff')
    assert site.mail('box').count('\nbody\n') == 2, site.mail('box')
    assert header(site.mail('box'), 'X-Copy') == ['yes']
    assert site.queue() == []


def test_redirect_to_itself_goes_on(site):
    site.configure(routers='''
forward:
  driver = redirect
  data = ${if eq{$local_part}{me}{me, other}}
last:
  driver = accept
  transport = box
''', transports=TRANSPORTS)
    site.send('me')
    assert site.mail('box').count('\nbody\n') == 2
    assert sorted(header(site.mail('box'), 'X-Vars')) == ['|me|me||', '|me|me||']
    assert site.queue() == []


def test_same_pipe_of_two_parents(site):
    site.configure(routers='''
al:
  driver = redirect
  local_parts = one : two
  pipe_transport = pipe
  data = |/usr/bin/tee -a {top}/mail/piped
''', transports='''
pipe:
  driver = pipe
  user = {uid}
  group = {gid}
''')
    site.send('one', 'two')
    assert site.mail('piped').count('body') == 2, site.raw_log()


def test_reroute_rewrites_headers(site):
    site.configure(routers='''
here:
  driver = manualroute
  route_list = old.example 127.0.0.1
  self = reroute: rewrite: new.example
last:
  driver = accept
  domains = new.example
  transport = box
''', transports=TRANSPORTS, main='local_interfaces = <; 127.0.0.1')
    site.send('a@old.example', text='To: A <a@old.example>, b@other.example\nCc: a@OLD.example\nSubject: old.example\n\nbody\n')
    text = site.mail('box')
    assert header(text, 'To') == ['A <a@new.example>, b@other.example'], text
    assert header(text, 'Cc') == ['a@new.example'], text
    assert header(text, 'Subject') == ['old.example'], text


def test_queryprogram_freezes(site):
    site.write('answer', '#!/bin/sh\necho FREEZE no idea\n', mode=0o755)
    site.configure(routers='''
ask:
  driver = queryprogram
  command = {top}/answer
  command_user = {user}
''')
    site.send('someone')
    assert any('R=ask defer (-1): no idea' in l for l in site.log()), site.log()
    assert any(l.endswith('Frozen') or ' Frozen ' in l for l in site.log()), site.log()
    assert len(site.queue()) == 1


def test_local_parts_of_homonyms_are_done_once(site):
    """A child with its parent's name is not taken for the parent when the queue is run again."""
    site.configure(routers='''
forward:
  driver = redirect
  local_parts = me
  data = me, later
wait:
  driver = redirect
  local_parts = later
  allow_defer
  condition = ${if exists{{top}/go}{no}{yes}}
  data = :defer: not yet
last:
  driver = accept
  transport = box
''', transports=TRANSPORTS)
    site.send('me')
    assert site.mail('box').count('\nbody\n') == 1
    site.write('go', '')
    for _ in range(2):
        site.run('-qff')
    assert site.mail('box').count('\nbody\n') == 2, site.mail('box')
    assert site.queue() == []


def test_what_is_said_of_hosts(site):
    """This host under self = freeze, in a delivery and in a test; hosts that are unknown and left out; data that cannot be expanded."""
    router = 'r:\n  driver = manualroute\n  %s\n  transport = out\n'
    out = 'out:\n  driver = smtp\n'
    site.configure(transports=out, routers=router % 'route_data = 127.0.0.1')
    site.send('u@far.example', options=('-odi',))
    log = site.log()
    assert 'ID1 remote host address is the local host: far.example' in log, log
    r = site.run('-bt', 'u@far.example')
    assert 'remote host address is the local host: far.example (while routing <u@far.example>)' in r.out + r.err, (r.out, r.err)
    site.configure(transports=out, routers=router % 'route_data = nosuch.invalid byname\n  host_find_failed = ignore')
    site.send('u@far.example', options=('-odi',))
    assert any('R=r defer (-1): lookup failed for all hosts in r router: host_find_failed=ignore host_all_ignored=defer' in line
               for line in site.log()), site.log()
    for option, text in (('route_data = $nosuch', ' defer (-1): failed to expand "$nosuch"'),
                         ('route_list = * $nosuch', ' defer (-1): r router: failed to expand "$nosuch"')):
        site.configure(transports=out, routers=router % option)
        site.send('u@far.example', options=('-odi',))
        assert text in site.log()[-1], site.log()
