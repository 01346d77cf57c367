"""Debian's own tools, unmodified, on our logs and our queue; its exim4's queue taken over; mail programs that submit."""
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.environ.get('REMEX_PEERS') or os.path.join(ROOT, 'build/peers')
SBIN = os.path.join(PEERS, 'root/usr/sbin')

DEFERS = '''
later:
  driver = redirect
  local_parts = later
  allow_defer
  data = :defer: not yet
local:
  driver = accept
  local_parts = ^u
  transport = mbox
'''

MBOX = '''
mbox:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
'''


def tool(site, name, *args, stdin=''):
    p = subprocess.run([os.path.join(SBIN, name)] + list(args), input=stdin, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=60, cwd=site.top)
    assert p.stderr == '', p.stderr
    return p.stdout


def remex_with_conf(site):
    """A program of one word, for tools that call the MTA without our -C."""
    return site.write('mta', '#!/bin/sh\nexec %s -C %s "$@"\n' % (site.binary, site.conf), 0o755)


def prepared(site):
    site.configure(main='log_selector = +received_recipients\nshort_message_ids', routers=DEFERS, transports=MBOX)
    site.send('u1', text='Subject: one\n\nx\n', options=('-odf', '-f', 'u8@example.org'))
    site.send('later', text='Subject: two\n\nx\n', options=('-odf', '-f', 'u9@example.org'))
    site.send('later', text='Subject: three\n\nx\n', options=('-odf', '-f', '<>'))
    return site.queue()


def test_exigrep(site):
    first, second = prepared(site)
    out = tool(site, 'exigrep', 'u8@example', 'log/mainlog')
    assert '<= u8@example.org' in out and '=> u1 <u1@example.org>' in out and 'Completed' in out, out
    assert first not in out and second not in out, out
    out = tool(site, 'exigrep', 'not yet', 'log/mainlog')
    assert first in out and second in out and '<= u9@example.org' in out, out


def test_eximstats(site):
    prepared(site)
    out = tool(site, 'eximstats', 'log/mainlog')
    words = [' '.join(l.split()) for l in out.splitlines()]
    assert any(w.startswith('Received ') and ' 3 ' in w for w in words), out
    assert any(w.startswith('Delivered ') and ' 1 ' in w for w in words), out


def test_exiqgrep(site):
    first, second = prepared(site)
    mta = remex_with_conf(site)
    assert tool(site, 'exiqgrep', '-E', mta, '-i', '-f', 'u9@example.org').split() == [first]
    assert tool(site, 'exiqgrep', '-E', mta, '-c').startswith('2 matches out of 2 messages')
    site.run('-Mf', second)
    assert tool(site, 'exiqgrep', '-E', mta, '-z', '-i').split() == [second]
    assert tool(site, 'exiqgrep', '-E', mta, '-x', '-i').split() == [first]
    out = tool(site, 'exiqgrep', '-E', mta, '-l', '-r', 'later@')
    assert out.count('later@example.org') == 2, out


def test_exipick(site):
    first, second = prepared(site)
    site.run('-Mf', second)
    spool = ('-spool', site.path('spool'))
    assert tool(site, 'exipick', *spool, '-i').split() == [first, second]
    assert tool(site, 'exipick', *spool, '-i', '-z').split() == [second]
    assert tool(site, 'exipick', *spool, '-i', '$sender_address = u9@example.org').split() == [first]
    assert tool(site, 'exipick', *spool, '-i', '$h_subject: =~ /three/').split() == [second]
    out = tool(site, 'exipick', *spool)
    assert out == site.run('-bp').out, (out, site.run('-bp').out)


def test_exiqsumm(site):
    prepared(site)
    out = tool(site, 'exiqsumm', stdin=site.run('-bp').out)
    assert any(l.split()[:1] == ['2'] and l.endswith('example.org') for l in out.splitlines()), out


def exim4_queues(site, n):
    """The same site, used by Debian's exim4: n messages in its queue. None where it cannot run (only root may)."""
    exim = os.path.join(SBIN, 'exim4')
    if not site.root or not os.path.exists(exim):
        return None
    # It is called with our configuration, under the name of its own mail user.
    text = open(site.conf).read()
    conf = site.write('exim4.conf', text.replace('exim_user = %d' % site.uid, 'exim_user = Debian-exim')
                      .replace('exim_group = %d' % site.gid, 'exim_group = Debian-exim'))
    os.chown(conf, 0, 0)
    for d in ('spool', 'log'):
        shutil.chown(site.path(d), 'Debian-exim', 'Debian-exim')
    for i in range(n):
        p = subprocess.run([exim, '-C', conf, '-odq', '-f', 'u9@example.org', 'u%d@example.org' % i,
                            '"odd name"@example.org'],
                           input='Subject: number %d\nX-Long: a\n b\n\nBody %d.\n.dot\n' % (i, i), text=True)
        assert p.returncode == 0
    for d, dirs, files in os.walk(site.top):
        for name in dirs + files:
            site.own(os.path.join(d, name))
    site.own(site.path('spool'))
    site.own(site.path('log'))
    os.chown(site.conf, 0, 0)
    return True


def test_take_over_a_queue_of_exim4(site):
    site.configure(routers='''
all:
  driver = accept
  transport = mbox
''', transports=MBOX)
    if exim4_queues(site, 3) is None:
        return
    before = site.queue()
    assert len(before) == 3 and all(len(i) == 16 for i in before), before
    out = site.run('-bp').out
    assert out.count('<u9@example.org>') == 3 and out.count('"odd name"@example.org') == 3, out
    assert 'Subject: number 0\n' in site.run('-Mvc', before[0]).out
    site.run('-Mf', before[1])
    site.run('-q')
    assert site.queue() == [before[1]]
    site.run('-M', before[1])
    assert site.queue() == []
    text = site.mail('box')
    for i in range(3):
        assert text.count('\nBody %d.\n' % i) == 2, text
    assert text.count('\n.dot\n') == 6, text


def test_exim4_reads_what_we_queue_with_old_ids(site):
    """The format of our files, line by line, as 4.96 writes it; names apart (it does not know the longer ids)."""
    site.configure(routers='''
all:
  driver = accept
  transport = mbox
''', transports=MBOX)
    site.send('u1', options=('-odq', '-f', 'u9@example.org'))
    mid = site.queue()[0]
    lines = site.read('spool/input/%s-H' % mid).splitlines()
    assert lines[0] == mid + '-H', lines
    assert lines[2] == '<u9@example.org>', lines
    at = lines.index('XX')
    assert lines[at + 1:at + 4] == ['1', 'u1@example.org', ''], lines
    assert site.read('spool/input/%s-D' % mid) == mid + '-D\nbody\n'


def as_sendmail(site):
    return site.write('sendmail', '#!/bin/sh\nexec %s -C %s -odf "$@"\n' % (
        os.path.join(os.path.dirname(site.binary), 'sendmail'), site.conf), 0o755)


def test_mutt_submits(site):
    if shutil.which('mutt') is None:
        raise AssertionError('mutt is not installed: scripts/bootstrap installs it')
    site.configure(routers=DEFERS, transports=MBOX)
    sendmail = as_sendmail(site)
    p = subprocess.run(['mutt', '-n', '-F', '/dev/null', '-x', '-e', 'set sendmail="%s -oem -oi"' % sendmail,
                        '-e', 'unset copy', '-e', 'set from=u9@example.org', '-s', 'Gr\u00fc\u00dfe', '-a', site.conf, '--',
                        'u1@example.org'], input='Text.\n.\nMore.\n', text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, env=dict(os.environ, HOME=site.top, LC_ALL='C.UTF-8'), timeout=60)
    assert p.returncode == 0, p.stdout
    text = site.mail('box')
    assert 'Text.\n.\nMore.\n' in text and 'To: u1@example.org\n' in text, text
    assert '=?' in text and 'primary_hostname' in text, text


def test_mail_submits(site):
    mail = shutil.which('mail.mailutils') or shutil.which('bsd-mailx') or shutil.which('mail')
    if mail is None:
        raise AssertionError('no mail program is installed: scripts/bootstrap installs one')
    site.configure(routers=DEFERS, transports=MBOX)
    sendmail = as_sendmail(site)
    rc = site.write('mailrc', 'set sendmail="%s"\n' % sendmail)
    p = subprocess.run([mail, '-s', 'a subject', 'u1@example.org'], input='Some text.\n', text=True,
                       env=dict(os.environ, HOME=site.top, MAILRC=rc, sendmail=sendmail), stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60)
    assert p.returncode == 0, p.stdout
    site.wait_for(lambda: 'Some text.' in site.mail('box'))
    assert 'Subject: a subject\n' in site.mail('box')


def test_swaks_through_bs(site):
    if shutil.which('swaks') is None:
        raise AssertionError('swaks is not installed: scripts/bootstrap installs it')
    site.configure(routers=DEFERS, transports=MBOX)
    p = subprocess.run(['swaks', '--pipe', '%s -C %s -bs -odf' % (site.binary, site.conf), '--from', 'u9@example.org',
                        '--to', 'u1@example.org', '--h-Subject', 'by swaks', '--body', 'Swaks body', '--helo', 'me.example'],
                       text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert p.returncode == 0, p.stdout
    site.wait_for(lambda: 'Swaks body' in site.mail('box'))
