"""Redirection, end to end: aliases, .forward files, filters, the system filter, and what may be wrong with them."""
import os
import threading

ROUTERS = '''
aliases:
  driver = redirect
  data = ${lookup{$local_part}lsearch{{top}/aliases}}
  allow_defer
  allow_fail
  file_transport = file
  pipe_transport = pipe
  directory_transport = folder
forward:
  driver = redirect
  local_parts = joe
  user = {uid}
  group = {gid}
  router_home_directory = {top}/home
  file = $home/.forward
  allow_filter
  check_owner
  owners = {uid}
  file_transport = file
  directory_transport = folder
  reply_transport = reply
  more = false
  OPTIONS
joe:
  driver = accept
  local_parts = joe
  transport = mailbox
others:
  driver = accept
  transport = mbox
'''

# Behind a filter that does nothing significant the address goes to the mailbox.
ROUTERS = ROUTERS.replace('  more = false\n', '')

TRANSPORTS = '''
mailbox:
  driver = appendfile
  file = {top}/mail/joe
  user = {uid}
  group = {gid}
mbox:
  driver = appendfile
  file = {top}/mail/others
  user = {uid}
  group = {gid}
file:
  driver = appendfile
  create_directory
  user = {uid}
  group = {gid}
folder:
  driver = appendfile
  maildir_format
  create_directory
  user = {uid}
  group = {gid}
pipe:
  driver = pipe
  user = {uid}
  group = {gid}
reply:
  driver = autoreply
  user = {uid}
  group = {gid}
'''

# Word for word what people have in their home folders.
SPAM = '''# Exim filter
if $reply_address contains "@spam.site.example" and
   $reply_address does not contain "postmaster@"
then
  seen finish
endif
'''

SERIES = '''# Exim filter
if $header_subject: contains "empire" or
   $header_subject: contains "foundation"
then
  save $home/mail/f+e
endif
'''


def configure(site, aliases='', options='', main=''):
    site.write('aliases', aliases)
    site.configure(main=main, routers=ROUTERS.replace('OPTIONS', options), transports=TRANSPORTS)


def forward(site, text, mode=0o644):
    return site.write('home/.forward', text, mode)


# --- aliases ---

def test_alias(site):
    configure(site, 'staff: ann, bob, |/bin/true, "/{top}/mail/box"\n'.replace('{top}', site.top[1:]))
    site.send('staff')
    log = site.log()
    for line in ('ID1 => ann <staff@example.org> R=others T=mbox', 'ID1 => bob <staff@example.org> R=others T=mbox',
                 'ID1 => |/bin/true <staff@example.org> R=aliases T=pipe',
                 'ID1 => TOP/mail/box <staff@example.org> R=aliases T=file'):
        assert line in log, log
    assert site.mail('box').count('\nbody\n') == 1


def test_one_time(site):
    """Whoever joins the list later gets no old mail; log lines still name the list."""
    routers = '''
list:
  driver = redirect
  local_parts = list
  data = ${lookup{$local_part}lsearch{{top}/aliases}}
  one_time
wait:
  driver = redirect
  local_parts = bob
  condition = ${if first_delivery}
  allow_defer
  data = :defer: not yet
others:
  driver = accept
  transport = mbox
'''
    site.write('aliases', 'list: ann, bob\n')
    site.configure(routers=routers, transports=TRANSPORTS)
    site.send('list')
    assert 'ID1 => ann <list@example.org> R=others T=mbox' in site.log(), site.log()
    out = site.run('-bp').out
    assert 'D list@example.org' in out and '  bob@example.org' in out, out
    site.write('aliases', 'list: ann, bob, new\n')
    site.run('-qf')
    log = site.log()
    assert 'ID1 => bob <list@example.org> R=others T=mbox' in log and 'ID1 Completed' in log, log
    assert not any('new' in l for l in log), log


def test_special_items(site):
    configure(site, 'gone: :fail: no longer here\nlater: :defer: try again\nnothing: :blackhole:\n'
                    'not: :unknown:\n')
    site.send('gone', 'later', 'nothing', 'not', options=('-odf', '-f', 'me@example.org'))
    log = site.log()
    for line in ('ID1 ** gone@example.org R=aliases : no longer here', 'ID1 == later@example.org R=aliases defer (-1): try again',
                 'ID1 => :blackhole: <nothing@example.org> R=aliases', 'ID1 => not <not@example.org> R=others T=mbox'):
        assert line in log, log


def test_code_in_fail_text(site):
    configure(site, 'gone: :fail: 550 5.1.6 moved away\nodd: :fail: 450 4.1.6 moved\n')
    out = site.run('-bv', 'gone').out
    assert '550 5.1.6 moved away' in out, out
    assert 'incorrect digit' in site.run('-bv', 'odd').err


def test_include(site):
    site.write('members', ''.join('m%d,\n' % i for i in range(300)))
    configure(site, 'list: x, :include:%s/members\n' % site.top)
    out = site.run('-bt', 'list').out
    assert out.count('router = others') == 301, out


def test_include_of_itself(site):
    site.write('members', 'x, :include:%s/members\n' % site.top)
    configure(site, 'list: :include:%s/members\n' % site.top)
    r = site.run('-bt', 'list')
    assert 'too many files include each other' in r.out, r.out


def test_unset_transport(site):
    routers = ROUTERS.replace('  file_transport = file\n', '').replace('OPTIONS', '')
    site.write('aliases', 'box: /x/y\n')
    site.configure(routers=routers, transports=TRANSPORTS)
    site.send('box')
    assert 'ID1 == /x/y <box@example.org> R=aliases defer (-30): file_transport unset in aliases router' in site.log()


def test_forbidden(site):
    routers = ROUTERS.replace('  pipe_transport = pipe\n', '  pipe_transport = pipe\n  forbid_pipe\n').replace('OPTIONS', '')
    site.write('aliases', 'cmd: |/bin/true\n')
    site.configure(routers=routers, transports=TRANSPORTS)
    site.send('cmd', options=('-odf', '-f', 'me@example.org'))
    assert 'ID1 ** |/bin/true <cmd@example.org> R=aliases T=pipe : delivery to pipe forbidden' in site.log(), site.log()
    assert '*** forbidden ***' in site.run('-bt', 'cmd').out


# --- .forward ---

def test_forward_list(site):
    configure(site)
    forward(site, '# my mail\njoe, ann@example.org\n')
    site.send('joe')
    assert 'ID1 => joe <joe@example.org> R=joe T=mailbox' in site.log(), site.log()
    assert 'ID1 => ann <joe@example.org> R=others T=mbox' in site.log(), site.log()


def test_no_forward(site):
    configure(site)
    site.send('joe')
    assert 'ID1 => joe <joe@example.org> R=joe T=mailbox' in site.log()


def bad_forward(site, fault):
    """The message waits, nothing is lost, and the log says why."""
    site.send('joe')
    log = site.log()
    assert any(fault in l and l.startswith('ID1 == joe@example.org R=forward defer (-1): ') for l in log), log
    assert len(site.queue()) == 1
    os.unlink(site.path('home/.forward')) if not os.path.isdir(site.path('home/.forward')) else os.rmdir(site.path('home/.forward'))
    site.run('-qf')
    assert site.mail('joe').count('\nbody\n') == 1
    assert site.queue() == []


def test_forward_is_fifo(site):
    configure(site)
    os.mkfifo(site.path('home/.forward'))
    bad_forward(site, '.forward is not a regular file')


def test_forward_is_directory(site):
    configure(site)
    site.mkdir('home/.forward')
    bad_forward(site, '.forward is not a regular file')


def test_forward_is_link_to_secret(site):
    configure(site)
    os.symlink('/etc/shadow', site.path('home/.forward'))
    if site.root:
        bad_forward(site, 'Permission denied (euid=')
        assert 'root:' not in site.raw_log()


def test_forward_is_group_writable(site):
    configure(site)
    forward(site, 'ann\n', 0o664)
    bad_forward(site, 'bad mode (0100664) for TOP/home/.forward: 020 bit(s) unexpected')


def test_forward_of_other_owner(site):
    configure(site)
    forward(site, 'ann\n')
    if site.root:
        os.chown(site.path('home/.forward'), 12345, site.gid)
        bad_forward(site, 'bad owner for TOP/home/.forward')


def test_forward_of_proc(site):
    """Links of /proc lead to descriptors, and those are ours."""
    configure(site)
    os.symlink('/proc/self/fd/0', site.path('home/.forward'))
    bad_forward(site, 'failed to open TOP/home/.forward')


def test_forward_too_big(site):
    configure(site)
    forward(site, '#' * 1024 * 1024)
    site.send('joe')
    assert 'ID1 => joe <joe@example.org> R=joe T=mailbox' in site.log(), site.log()
    forward(site, '#' * (1024 * 1024 + 1))
    site.send('joe')
    assert any('is too big (max 1048576)' in l for l in site.log()), site.log()


def test_forward_changes_while_read(site):
    """Whole old or whole new list, or the message waits: never half of one."""
    configure(site)
    old, new = 'old@example.org\n' * 20000, 'new@example.org\n' * 20000
    path = forward(site, old)
    stop = threading.Event()

    def change():
        n = 0
        while not stop.is_set():
            n += 1
            with open(path, 'r+') as f:
                f.write(new if n % 2 else old)
    t = threading.Thread(target=change)
    t.start()
    try:
        for _ in range(10):
            out = site.run('-bt', 'joe').out
            assert ('old@' in out) + ('new@' in out) + ('changes while it is read' in out) >= 1, out
    finally:
        stop.set()
        t.join()


def test_missing_home(site):
    configure(site)
    os.rmdir(site.path('home'))
    site.send('joe')
    assert any('defer (-1): failed to stat TOP/home/. (No such file or directory)' in l for l in site.log()), site.log()


# --- filters ---

def test_filter_that_drops_spam(site):
    configure(site)
    forward(site, SPAM)
    site.send('joe', text='From: shop@spam.site.example\nSubject: buy\n\nspam\n')
    assert 'ID1 => discarded <joe@example.org> R=forward' in site.log(), site.log()
    site.send('joe', text='From: postmaster@spam.site.example\nSubject: sorry\n\nham\n')
    site.send('joe', text='From: friend@example.com\nReply-To: x@spam.site.example\n\nspam\n')
    assert site.mail('joe').count('\nham\n') == 1
    assert 'spam\n\n' not in site.mail('joe')


def test_filter_that_sorts(site):
    configure(site)
    forward(site, SERIES)
    site.send('joe', text='Subject: Second Foundation\n\none\n')
    site.send('joe', text='Subject: Foundation and Empire\n\ntwo\n')
    site.send('joe', text='Subject: Dune\n\nthree\n')
    folder = site.read('home/mail/f+e')
    assert '\none\n' in folder and '\ntwo\n' in folder and 'three' not in folder, folder
    assert '\nthree\n' in site.mail('joe') and '\none\n' not in site.mail('joe')
    assert 'ID1 => TOP/home/mail/f+e <joe@example.org> R=forward T=file' in site.log(), site.log()


def test_filter_relative_save_and_folder(site):
    configure(site)
    forward(site, '# Exim filter\nunseen save box 640\nsave dir/\n')
    site.send('joe')
    assert '\nbody\n' in site.read('home/box')
    assert os.stat(site.path('home/box')).st_mode & 0o777 == 0o640
    assert len(site.maildir('home/dir')) == 1


def test_filter_runs_as_the_user(site):
    configure(site)
    forward(site, '# Exim filter\nlogfile $home/log 0644\nlogwrite "$local_part ${run{/usr/bin/id -u}{$value}}"\n')
    site.send('joe')
    assert site.read('home/log').split() == ['joe', str(site.uid)], site.read('home/log')
    assert os.stat(site.path('home/log')).st_uid == site.uid
    assert site.mail('joe').count('\nbody\n') == 1


def test_filter_mails(site):
    configure(site)
    forward(site, '# Exim filter\nmail to ann subject "Re: $h_subject:" text "away"\n')
    site.send('joe')
    site.wait_for(lambda: site.completed(2))
    assert 'Subject: Re: test' in site.mail('others'), site.mail('others')
    assert site.mail('joe').count('\nbody\n') == 1


def test_filter_fails(site):
    configure(site, options='allow_fail')
    forward(site, '# Exim filter\nunseen deliver ann\nfail "not you"\n')
    site.send('joe', options=('-odf', '-f', 'me@example.org'))
    site.wait_for(lambda: site.completed(2))
    assert 'ID1 ** joe@example.org R=forward : not you' in site.log(), site.log()
    assert 'ID1 => ann <joe@example.org> R=others T=mbox' in site.log(), site.log()


def test_filter_may_not_fail(site):
    configure(site)
    forward(site, '# Exim filter\nfail "not you"\n')
    site.send('joe')
    assert any('filtering command "fail" is disabled' in l for l in site.log()), site.log()


def test_refused_expansions(site):
    for option, text, words in (
            ('lookup', '${lookup{x}lsearch{/etc/passwd}}', 'lookup expansions are not permitted'),
            ('existstest', '${if exists{/etc/passwd}{a}{b}}', 'File existence tests are not permitted'),
            ('existstest', '${stat:/etc/passwd}', 'Use of the stat() expansion is not permitted'),
            ('readfile', '${readfile{/etc/passwd}}', 'file insertions are not permitted'),
            ('readsocket', '${readsocket{/x}{y}}', 'socket insertions are not permitted'),
            ('run', '${run{/bin/true}}', 'running a command is not permitted'),
            ('perl', '${perl{x}}', 'Perl calls are not permitted'),
            ('dlfunc', '${dlfunc{/x}{y}}', 'dynamically-loaded functions are not permitted')):
        configure(site, options='forbid_filter_' + option)
        forward(site, '# Exim filter\ndeliver "%s@example.org"\n' % text)
        out = site.run('-bt', 'joe').out
        assert 'error in filter file: failed to expand "%s@example.org" in deliver command: %s' % (text, words) in out, out


def test_forbidden_logwrite(site):
    configure(site, options='forbid_filter_logwrite')
    forward(site, '# Exim filter\nlogfile $home/log\nlogwrite "x"\n')
    assert 'logwrite command forbidden' in site.run('-bt', 'joe').out
    assert site.read('home/log') == ''


def test_broken_filter_waits(site):
    configure(site)
    forward(site, '# Exim filter\nsave\n')
    site.send('joe')
    assert 'ID1 == joe@example.org R=forward defer (-17): error in filter file: "save" requires an argument ' \
           'near line 3 of filter file' in site.log(), site.log()


def test_broken_filter_tells_the_user(site):
    configure(site, options='skip_syntax_errors\n  syntax_errors_to = ann@example.org\n'
                            '  syntax_errors_text = "Your filter is broken."')
    forward(site, '# Exim filter\nnonsense\n')
    site.send('joe')
    site.wait_for(lambda: site.completed(2))
    assert site.mail('joe').count('\nbody\n') == 1
    text = site.mail('others')
    for part in ('Subject: error(s) in forwarding or filtering', 'Your filter is broken.',
                 'The forward router encountered the following error(s):',
                 'unknown filtering command "nonsense" near line 3 of filter file',
                 'No valid addresses were generated.'):
        assert part in text, (part, text)


def test_skipped_addresses(site):
    configure(site, options='skip_syntax_errors\n  syntax_errors_to = ann@example.org')
    forward(site, 'bob\n@@x (oops)\n')
    site.send('joe')
    site.wait_for(lambda: site.completed(2))
    assert 'ID1 forward router: skipped error: domain missing or malformed in "@@x (oops)"' in site.log(), site.log()
    assert 'ID1 => bob <joe@example.org> R=others T=mbox' in site.log(), site.log()
    assert 'Other addresses were processed normally.' in site.mail('others')


# --- the system filter ---

def system(site, text, main=''):
    path = site.write('system', text)
    configure(site, main='system_filter = %s\n%s' % (path, main))


def test_system_filter_headers(site):
    system(site, '# Exim filter\nheaders remove x-bad\nheaders add "X-Good: ${lc:$h_subject:}"\nadd 7 to n1\n')
    forward(site, '# Exim filter\nlogfile $home/log\nlogwrite "$sn1 $n1 $h_x-good:"\n')
    site.send('joe', text='Subject: TEST\nX-Bad: 1\n\nbody\n')
    text = site.mail('joe')
    assert 'X-Good: test' in text and 'X-Bad' not in text, text
    assert site.read('home/log') == '7 0 test\n', site.read('home/log')


def test_system_filter_replaces(site):
    system(site, '# Exim filter\nif $recipients contains joe then deliver ann@example.org endif\n')
    site.send('joe')
    assert 'ID1 original recipients ignored (system filter)' in site.log(), site.log()
    assert 'ID1 => ann <system-filter> R=others T=mbox' in site.log(), site.log()
    assert site.mail('joe') == '' and site.queue() == []


def test_system_filter_copies(site):
    system(site, '# Exim filter\nunseen save %s/mail/copies\n' % site.top, 'system_filter_file_transport = file')
    site.send('joe')
    assert site.mail('copies').count('\nbody\n') == 1
    assert site.mail('joe').count('\nbody\n') == 1


def test_system_filter_freezes(site):
    system(site, '# Exim filter\nif $h_subject: is "test" then freeze "look at it" endif\n')
    site.send('joe')
    assert 'ID1 Frozen by the system filter: look at it' in site.log(), site.log()
    assert '*** frozen ***' in site.run('-bp').out
    site.run('-M', site.queue()[0])
    assert site.mail('joe').count('\nbody\n') == 1


def test_system_filter_fails(site):
    system(site, '# Exim filter\nif error_message then finish endif\nfail "<<tested>>Not wanted here"\n')
    site.send('joe', options=('-odf', '-f', 'me@example.org'))
    site.wait_for(lambda: site.completed(2))
    assert 'ID1 cancelled by system filter: tested' in site.log(), site.log()
    text = site.mail('others')
    assert 'Not wanted here' in text and 'tested' not in text, text


def test_system_filter_defers(site):
    system(site, '# Exim filter\nif first_delivery then defer "wait" endif\n')
    site.send('joe')
    assert 'ID1 Delivery deferred by system filter' in site.log(), site.log()
    assert len(site.queue()) == 1
    site.run('-qf')
    assert site.mail('joe').count('\nbody\n') == 1


def test_broken_system_filter(site):
    system(site, '# Exim filter\nnonsense\n')
    site.send('joe')
    assert 'ID1 Error in system filter: unknown filtering command "nonsense" near line 3 of filter file' in site.log()
    assert len(site.queue()) == 1


def test_missing_system_filter(site):
    configure(site, main='system_filter = {top}/none')
    site.send('joe')
    assert 'ID1 Error in system filter: TOP/none does not exist' in site.log(), site.log()
    assert len(site.queue()) == 1


# --- -bf ---

def test_bf_forward_file(site):
    configure(site)
    path = forward(site, 'ann@x.example, |/bin/cat, /box\n')
    r = site.run('-bf', path, stdin='Subject: x\n\n')
    assert r.out.endswith('forward file generated:\n  /box\n  |/bin/cat\n  ann@x.example\n') and r.status == 0, r.out
    path = forward(site, 'a@@b\n')
    r = site.run('-bf', path, stdin='Subject: x\n\n')
    assert r.out.endswith('error in forward file: domain missing or malformed in "a@@b"\n') and r.status == 1, r.out
    path = forward(site, ':blackhole:\n')
    r = site.run('-bf', path, stdin='Subject: x\n\n')
    assert 'forwardfile contains ":blackhole:"\n' in r.out and r.out.endswith('no addresses generated from forward file\n'), r.out


def test_bf_names_the_column(site):
    configure(site)
    path = forward(site, '# Exim filter\nif $h_subject: contens "x" then finish endif\n')
    r = site.run('-bf', path, stdin='Subject: x\n\n')
    assert 'Filter error: ' in r.out and ':2:' in r.err and '^' in r.err, (r.out, r.err)


def test_bytecode(site):
    configure(site)
    for text in (SPAM, SERIES):
        r = site.run('-bD', '-bf', forward(site, text))
        assert r.status == 0 and ' IF' in r.out and 'contains' in r.out and 'ACTION' in r.out.upper(), r.out


# --- newaliases ---

def test_newaliases(site):
    configure(site, main='bi_command = /bin/echo')
    r = site.run('-bi')
    assert r.status == 0 and r.out == '\n', r.out
    r = site.run('-bi', '-oA', '/etc/aliases')
    assert r.status == 0 and r.out == '/etc/aliases\n', r.out
    configure(site)
    assert site.run('-bi').status == 0
    configure(site, main='bi_command = /bin/no/such/thing')
    r = site.run('-bi')
    assert r.status == 1 and "exec '/bin/no/such/thing' failed: No such file or directory" in r.err, r.err
