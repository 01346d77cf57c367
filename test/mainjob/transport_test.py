"""Local transports through the program: pipe, autoreply, lmtp, queuefile, filters, shadows, batches; programs that people use."""
import os
import shutil
import socket
import threading

ONE = '''
all:
  driver = accept
  senders = ! :
  transport = t
bounces:
  driver = accept
  transport = box
'''

BOX = '''
box:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''

AS = '  user = {uid}\n  group = {gid}\n'


def with_transport(site, text, main='', routers=ONE):
    site.configure(main=main, routers=routers, transports='t:\n' + text + AS + BOX)


def log_of(site, mark):
    return [line for line in site.log() if mark in line]


def last_line(site, mark):
    lines = log_of(site, mark)
    assert lines, site.log()
    return lines[-1]


# --- programs that people use ---

def test_procmail(site):
    assert shutil.which('procmail'), 'procmail is missing: scripts/bootstrap'
    site.write('rc', 'LOGFILE=%s/log/pm\n:0\n* ^Subject:.*spam\n%s/mail/spam\n:0\n%s/mail/ham\n'
               % (site.top, site.top, site.top))
    with_transport(site, '''
  driver = pipe
  command = /usr/bin/procmail -m {top}/rc
  message_prefix =
  message_suffix =
  home_directory = {top}/home
  return_path_add
''')
    site.send('a@example.org', text='Subject: this is spam\n\nbuy\n')
    site.send('a@example.org', text='Subject: hello\n\nfriend\n')
    assert 'buy' in site.mail('spam') and 'friend' in site.mail('ham'), os.listdir(site.path('mail'))
    assert 'Return-path: <' in site.mail('ham')
    assert site.queue() == []


def test_maildrop(site):
    assert shutil.which('maildrop'), 'maildrop is missing: scripts/bootstrap'
    site.write('filter', 'if (/^Subject:.*lists/)\n  to "%s/mail/lists"\nto "%s/mail/rest"\n'
               % (site.top, site.top), 0o600)
    with_transport(site, '''
  driver = pipe
  command = /usr/bin/maildrop {top}/filter
  message_prefix =
  message_suffix =
  home_directory = {top}/home
  return_output
''')
    site.send('a@example.org', text='Subject: for lists\n\none\n')
    site.send('a@example.org', text='Subject: other\n\ntwo\n')
    assert 'one' in site.mail('lists') and 'two' in site.mail('rest'), site.log()
    assert site.queue() == []


def test_bogofilter(site):
    assert shutil.which('bogofilter'), 'bogofilter is missing: scripts/bootstrap'
    site.mkdir('bogo')
    words = ' '.join('viagra%d cheap%d' % (i, i) for i in range(40))
    routers = '''
spam:
  driver = accept
  local_parts = spam
  transport = train
all:
  driver = accept
  transport = t
'''
    site.configure(routers=routers, transports='''
train:
  driver = pipe
  command = /usr/bin/bogofilter -s -d {top}/bogo
''' + AS + '''
t:
  driver = appendfile
  file = {top}/mail/box
  transport_filter = /usr/bin/bogofilter -p -e -d {top}/bogo
''' + AS)
    for i in range(3):
        site.send('spam@example.org', text='Subject: offer %d\n\n%s\n' % (i, words))
    site.send('user@example.org', text='Subject: again\n\n%s\n' % words)
    assert '\nX-Bogosity: ' in site.mail('box'), site.mail('box') + str(site.log())
    assert site.queue() == []


# --- pipe ---

def test_pipe_output_is_returned(site):
    with_transport(site, '  driver = pipe\n  command = /bin/sh -c "echo out; echo err >&2; exit 3"\n'
                         '  return_fail_output\n  log_fail_output\n')
    site.send('a@example.org')
    assert '<a@example.org>: t transport output: out' in last_line(site, 'transport output'), site.log()
    assert last_line(site, '** ').endswith(
        '** a@example.org R=all T=t : Child process of t transport returned 3 from command: /bin/sh')
    site.wait_for(lambda: site.completed(2))    # the bounce is delivered in the background
    text = site.mail('box')
    assert 'local delivery failed' in text and '\nout\nerr\n' in text, text


def test_pipe_deferral_keeps_the_message(site):
    with_transport(site, '  driver = pipe\n  command = /bin/sh -c "exit 75"\n')
    site.send('a@example.org')
    assert last_line(site, '== ').endswith(
        '== a@example.org R=all T=t defer (0): Child process of t transport returned 75 '
        '(could mean temporary error) from command: /bin/sh'), site.log()
    assert len(site.queue()) == 1


def test_pipe_runs_as_the_user(site):
    with_transport(site, '  driver = pipe\n  command = /bin/sh -c "id -u; pwd; umask; ls /proc/self/fd | wc -l"\n'
                         '  return_output\n  current_directory = {top}/home\n  umask = 027\n')
    site.send('a@example.org')
    site.wait_for(lambda: site.completed(2))
    # 0, 1, 2 and the folder that ls reads
    assert '\n%d\n%s/home\n0027\n4\n' % (site.uid, site.top) in site.mail('box'), site.mail('box')


def test_crash_of_the_transport_defers(site):
    # The parent of the command is the process that delivers.
    with_transport(site, '  driver = pipe\n  command = /bin/sh -c "kill -9 \\\\$PPID"\n')
    site.send('a@example.org')
    assert 't transport process ended by signal 9 (Killed)' in last_line(site, '== '), site.log()
    assert len(site.queue()) == 1
    with_transport(site, '  driver = pipe\n  command = /bin/true\n')
    site.run('-qf')
    assert log_of(site, '=> a '), site.log()
    assert site.queue() == []


def test_max_parallel(site):
    with_transport(site, '  driver = pipe\n  command = /bin/sh -c "echo >>{top}/mail/started; sleep 2"\n'
                         '  max_parallel = 1\n')
    site.send('a@example.org', options=('-odb',))
    site.wait_for(lambda: site.read('mail/started'))
    site.send('b@example.org', options=('-odi',))
    assert '== b@example.org R=all T=t defer (-57): concurrency limit reached for transport' \
        in last_line(site, '== '), site.log()
    site.wait_for(lambda: log_of(site, '=> a '))
    site.run('-qf')
    assert log_of(site, '=> b '), site.log()


# --- what goes round every delivery ---

def test_size_limit(site):
    with_transport(site, '  driver = pipe\n  command = /bin/cat\n  message_size_limit = 100\n')
    site.send('a@example.org', text='Subject: x\n\n' + 'x' * 200 + '\n')
    assert last_line(site, '** ').endswith('message is too big (transport limit = 100)'), site.log()


def test_headers(site):
    with_transport(site, '''
  driver = pipe
  command = /bin/sh -c "cat >{top}/mail/out"
  message_prefix =
  message_suffix =
  headers_remove = x-gone : X-All-*
  headers_add = X-New: $local_part_data\\nX-Second: 2
  headers_rewrite = *@old.example $1@new.example f
  envelope_to_add
  delivery_date_add
''')
    site.send('a@example.org', text='From: Me <me@old.example>\nX-Gone: 1\nX-All-1: 1\nX-Stays: 1\n'
                                    'Subject: s\n\nb\n')
    text = site.read('mail/out')
    assert text.startswith('Envelope-to: a@example.org\nDelivery-date: '), text
    assert 'From: Me <me@new.example>\n' in text, text
    assert 'X-Gone' not in text and 'X-All' not in text and 'X-Stays: 1\n' in text, text
    assert text.endswith('X-New: \nX-Second: 2\n\nb\n') or 'X-Second: 2\n\nb\n' in text, text


def test_shadow(site):
    site.configure(routers=ONE, transports='''
t:
  driver = pipe
  command = /bin/true
  shadow_transport = s
''' + AS + '''
s:
  driver = pipe
  command = /bin/sh -c "cat >>{top}/mail/shadow; exit 3"
''' + AS + BOX)
    site.send('a@example.org')
    assert last_line(site, '=> ').endswith(
        'ST=s (Child process of s transport returned 3 from command: /bin/sh)'), site.log()
    assert 'body' in site.read('mail/shadow')
    assert site.queue() == []


def test_batches(site):
    with_transport(site, '  driver = pipe\n  command = /bin/sh -c "echo \\\\$# >>{top}/mail/counts" x $pipe_addresses\n'
                         '  batch_max = 3\n')
    site.send('a@example.org', 'b@example.org', 'c@example.org', 'd@example.org')
    assert sorted(site.read('mail/counts').split()) == ['1', '3'], site.read('mail/counts')
    assert len(log_of(site, '-> ')) == 2, site.log()


def test_transport_filter_failure_defers(site):
    site.configure(routers=ONE, transports='''
t:
  driver = appendfile
  file = {top}/mail/filtered
  transport_filter = /bin/sh -c "cat; exit 9"
''' + AS + BOX)
    site.send('a@example.org')
    assert 'transport filter process failed (9)' in last_line(site, '== '), site.log()
    assert site.read('mail/filtered') == ''
    assert len(site.queue()) == 1


# --- autoreply ---

def test_autoreply_once(site):
    with_transport(site, '''
  driver = autoreply
  to = $sender_address
  subject = Away
  text = Not here
  once = {top}/mail/once
''')
    site.send('a@example.org')
    site.send('a@example.org')
    text = site.mail('box')
    assert text.count('\nNot here\n') == 1, text
    assert 'From MAILER-DAEMON' in text and 'Auto-Submitted: auto-replied\n' in text, text
    assert len(log_of(site, '=> a ')) == 2, site.log()
    assert site.queue() == []


# --- lmtp ---

class LmtpServer(threading.Thread):
    """Answers RCPT and the end of the data as it is told."""

    def __init__(self, path, replies):
        super().__init__(daemon=True)
        self.replies, self.lines = replies, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(1)

    def run(self):
        peer, _ = self.listener.accept()
        f = peer.makefile('rwb')

        def say(text):
            f.write(text.encode() + b'\r\n')
            f.flush()
        say('220 ready')
        accepted, data = [], False
        for line in f:
            line = line.decode().rstrip('\r\n')
            self.lines.append(line)
            word = line.split(' ')[0].upper()
            if data:
                if line == '.':
                    data = False
                    for reply in accepted:
                        say(reply)
            elif word == 'LHLO':
                say('250-hi\r\n250 IGNOREQUOTA')
            elif word == 'RCPT':
                reply = self.replies[line.split('<')[1].split('@')[0]]
                if reply[0] == '5' and reply.endswith('rcpt'):
                    say(reply)
                else:
                    accepted.append(reply)
                    say('250 rcpt')
            elif word == 'DATA':
                data = True
                say('354 go on')
            else:
                say('250 ok')
            if word == 'QUIT':
                break
        peer.close()


def test_lmtp_socket(site):
    server = LmtpServer(site.path('sock'), {'a': '250 stored a', 'b': '550 no rcpt', 'c': '452 full', 'd': '250 stored d'})
    server.start()
    with_transport(site, '  driver = lmtp\n  socket = {top}/sock\n  batch_max = 10\n  ignore_quota\n  timeout = 20s\n')
    site.send('a@example.org', 'b@example.org', 'c@example.org', 'd@example.org', text='Subject: s\n\n.dot\n')
    server.join(10)
    assert '=> a <a@example.org> R=all T=t C="250 stored a"' in last_line(site, '=> a'), site.log()
    assert 'LMTP error after RCPT TO:<b@example.org> IGNOREQUOTA: 550 no rcpt' in last_line(site, '** b'), site.log()
    assert 'defer (-46): LMTP error after end of data: 452 full' in last_line(site, '== c'), site.log()
    assert '-> d <d@example.org> R=all T=t C="250 stored d"' in last_line(site, '-> d'), site.log()
    assert '..dot' in server.lines and server.lines[-1] == 'QUIT', server.lines
    assert [q for q in site.queue()], site.queue()


# --- queuefile ---

def test_queuefile(site):
    site.mkdir('scan')
    routers = '''
some:
  driver = accept
  local_parts = a
  transport = t
rest:
  driver = accept
  transport = box
'''
    with_transport(site, '  driver = queuefile\n  directory = {top}/scan\n', routers=routers)
    site.send('a@example.org', 'b@example.org', text='Subject: s\n\nbody\n')
    assert site.mail('box').count('\nbody\n') == 1, site.log()
    names = sorted(os.listdir(site.path('scan')))
    assert [n[-2:] for n in names] == ['-D', '-H'], names
    assert site.read('scan/' + names[0]).endswith('-D\nbody\n')
    envelope = site.read('scan/' + names[1])
    assert '\n1\na@example.org\n' in envelope and 'b@example.org' not in envelope, envelope
    for n in names:
        os.rename(site.path('scan/' + n), site.path('spool/input/' + n))
    site.configure()
    site.run('-q')
    assert 'body' in site.mail('anybody'), site.log()


def test_delivery_size_of_a_mailbox(site):
    """S= counts the bytes that came to the mailbox, with a shadow transport or without."""
    site.configure(main='log_selector = +delivery_size', transports='''
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
  shadow_transport = s
s:
  driver = appendfile
  file = /dev/null
  user = {uid}
  group = {gid}
''')
    site.send('ann')
    size = os.path.getsize(site.path('mail/box'))
    site.send('ann')
    assert os.path.getsize(site.path('mail/box')) == 2 * size
    assert site.raw_log().count(' T=mbox S=%d ST=s\n' % size) == 2, (size, site.raw_log())
