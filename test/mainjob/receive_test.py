"""What becomes of a message on the standard input: framing, header lines, limits, errors, ACLs, files in the spool."""
import os
import pwd
import re
import stat
import subprocess
import time

ID = r'[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}'


class Message:
    """A message in the spool: envelope items, recipients, header lines (type, text), body."""

    def __init__(self, site, ident):
        for folder in ('', ident[5] + '/'):
            base = 'spool/input/%s%s' % (folder, ident)
            if os.path.exists(site.path(base + '-H')):
                break
        head, self.body = site.read(base + '-H'), site.read(base + '-D')
        assert self.body.startswith(ident + '-D\n'), self.body[:40]
        self.body = self.body[len(ident) + 3:]
        envelope, rest = head.split('\n\n', 1)
        lines = envelope.split('\n')
        assert lines[0] == ident + '-H', lines[0]
        self.owner, self.sender = lines[1], lines[2]
        self.items = [l.lstrip('-') for l in lines if l.startswith('-')]
        self.recipients = lines[len(lines) - int(next(l for l in reversed(lines) if l.isdigit())):]
        self.headers = []
        while rest:
            m = re.match(r'(\d+)(.) ', rest)
            n = int(m.group(1))
            self.headers.append((m.group(2), rest[m.end():m.end() + n]))
            rest = rest[m.end() + n:]

    def lines(self, types=None):
        """Visible lines (or those of the types) but the Received: line, without their newlines."""
        return [t[:-1] for k, t in self.headers
                if (k != '*' if types is None else k in types) and not t.startswith('Received:')]

    def given(self):
        """The same without lines that are added to every message."""
        return [l for l in self.lines() if not re.match('(Message-Id|From|Date):', l)]


def queued(site, text, *args, expect=0, options=('-odq',)):
    """The one message that this leaves in the queue."""
    before = set(site.queue())
    r = site.run(*options, *args, stdin=text)
    assert r.status == expect, (r.status, r.out, r.err)
    new = sorted(set(site.queue()) - before)
    assert len(new) == 1, (new, r.err)
    return Message(site, new[0])


def refused(site, text, *args, expect=1, options=('-odq',)):
    r = site.run(*options, *args, stdin=text)
    assert r.status == expect, (r.status, r.out, r.err)
    return r


def stranger(site):
    """Makes every further call one of a user who is neither trusted nor the mail user."""
    who = pwd.getpwnam('daemon') if site.root else pwd.getpwuid(os.getuid())
    site.login = 'nobody'
    site.configure()
    site.write('conf2', site.read('conf'))
    if site.root:
        for d, names, files in os.walk(site.top):
            for n in ['.'] + files:
                os.chown(os.path.join(d, n), who.pw_uid, who.pw_gid)
    mail_user = 1 if who.pw_uid == 65534 else 65534
    text = re.sub(r'exim_user = .*', 'exim_user = %d' % mail_user, site.read('conf'))
    text = re.sub(r'trusted_users = .*', 'trusted_users = %d' % mail_user, text)

    def run(*args, stdin=b'', main=''):
        with open(site.conf, 'w') as f:
            f.write(text.replace('begin routers', main + '\nbegin routers', 1))
        argv = [site.binary, '-C', site.conf] + list(args)
        ids = {'user': who.pw_uid, 'group': who.pw_gid, 'extra_groups': []} if site.root else {}
        p = subprocess.run(argv, input=stdin.encode(), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, cwd=site.top, timeout=60, **ids)
        assert p.returncode == 0, (p.returncode, p.stderr)
        ident = sorted(site.queue())[-1]
        return Message(site, ident)
    return who, run


# --- files ---

def test_files_of_a_message(site):
    site.configure()
    m = queued(site, 'Subject: hi\nTo: someone\n\nbody\n', 'a@b.example', 'c')
    assert m.recipients == ['a@b.example', 'c@example.org'], m.recipients
    assert m.sender == '<%s@example.org>' % site.login
    assert m.body == 'body\n'
    assert 'received_protocol local' in m.items and 'local' in m.items, m.items
    assert 'body_linecount 1' in m.items and 'max_received_linelength 11' in m.items
    assert site.log() == ['ID1 <= %s@example.org U=%s P=local S=N' % (site.login, site.login)]
    ident = site.queue()[0]
    for suffix in 'HD':
        st = os.stat(site.path('spool/input/%s-%s' % (ident, suffix)))
        assert stat.S_IMODE(st.st_mode) == 0o640, oct(st.st_mode)
        assert st.st_uid == site.uid
    assert sorted(os.listdir(site.path('spool/input'))) == [ident + '-D', ident + '-H']
    assert site.read('spool/msglog/' + ident).endswith(
        ' Received from %s@example.org U=%s P=local S=%s\n' % (
            site.login, site.login, re.search(r'S=(\d+)', site.raw_log()).group(1)))
    size = sum(len(t) for k, t in m.headers if k != '*') + 1 + len(m.body)
    assert ' S=%d\n' % size in site.raw_log()


def test_split_spool(site):
    site.configure('split_spool_directory')
    m = queued(site, 'Subject: hi\n\n', 'a@b.example')
    ident = site.queue()[0]
    assert os.path.exists(site.path('spool/input/%s/%s-H' % (ident[5], ident)))
    assert os.path.exists(site.path('spool/msglog/%s/%s' % (ident[5], ident)))
    assert m.recipients == ['a@b.example']


def test_ids_differ(site):
    site.configure()
    for _ in range(5):
        queued(site, '\n', 'a@b.example')
    assert len(set(site.queue())) == 5


def test_message_logs_off(site):
    site.configure('message_logs = false')
    queued(site, '\n', 'a@b.example')
    assert not os.path.exists(site.path('spool/msglog'))


# --- text ---

def test_dot_ends_the_message(site):
    site.configure()
    assert queued(site, 'A: b\n\none\n.\ntwo\n', 'x').body == 'one\n'
    assert queued(site, 'A: b\n\none\n.\ntwo\n', '-i', 'x').body == 'one\n.\ntwo\n'
    assert queued(site, 'A: b\n\none\n.\ntwo\n', '-oi', 'x').body == 'one\n.\ntwo\n'


def test_line_ends(site):
    site.configure()
    m = queued(site, 'A: b\rc\r\nD: e\n\r\none\rtwo\r\nthree\n.\r.\nfour', 'x')
    assert m.given() == ['A: b\n c', 'D: e'], m.given()
    assert m.body == 'one\ntwo\nthree\n.\n.\nfour\n', m.body


def test_nul_bytes(site):
    site.configure()
    m = queued(site, b'A: b\0c\n\none\0two\n', 'x')
    assert m.given() == ['A: b?c']
    assert m.body == 'one\0two\n'
    assert 'body_zerocount 1' in m.items, m.items


def test_no_header_at_all(site):
    site.configure()
    assert queued(site, 'just text\n', 'x').body == 'just text\n'
    assert queued(site, '', 'x').body == ''


def test_very_long_lines(site):
    site.configure()
    m = queued(site, 'A: %s\n\n%s\n' % ('h' * 500000, 'b' * 3000000), 'x')
    assert m.given()[0] == 'A: ' + 'h' * 500000
    assert m.body == 'b' * 3000000 + '\n'
    assert 'max_received_linelength 3000000' in m.items, m.items


# --- header lines ---

def test_lines_that_are_added(site):
    site.configure()
    m = queued(site, 'Subject: s\n\n', 'x')
    ident = site.queue()[0]
    names = [l.split(':')[0] for l in m.lines()]
    assert names == ['Subject', 'Message-Id', 'From', 'Date'], names
    assert m.lines()[1] == 'Message-Id: <E%s@mx.example.org>' % ident
    received = m.headers[0][1]
    assert re.fullmatch(
        r'Received: from %s by mx\.example\.org with local \(Exim [\d.]+\)\n'
        r'\t\(envelope-from <%s@example\.org>\)\n\tid %s\n\tfor x@example\.org;\n\t.*\n'
        % (site.login, site.login, ident), received), received


def test_lines_that_are_there_stay(site):
    site.configure('received_header_text =')
    given = ['Message-ID: <a@b>', 'From: a@b', 'Date: never', 'Sender: c@d', 'Bcc: e@f']
    m = queued(site, '\n'.join(given) + '\n\n', 'x')
    assert m.lines() == given, m.lines()
    assert not any(t.startswith('Received') for k, t in m.headers)
    assert ' id=a@b' in site.raw_log()


def test_lines_that_go(site):
    text = 'Return-path: <a>\nEnvelope-to: b\nDelivery-date: c\n\n'
    site.configure()
    assert queued(site, text, 'x').given() == []
    site.configure('no_return_path_remove\nno_envelope_to_remove\nno_delivery_date_remove')
    assert len(queued(site, text, 'x').given()) == 3


def test_resent(site):
    site.configure()
    m = queued(site, 'From: a@b\nResent-To: c\n\n', 'x')
    assert [l.split(':')[0] for l in m.lines()] == [
        'Resent-Date', 'Resent-Message-Id', 'From', 'Resent-To', 'Resent-From'], m.lines()


def test_qualification_and_folding(site):
    site.configure()
    long = 'a' * 40
    m = queued(site, 'To: joe, g: %s, "x y" <z>;, f@g\n\n' % long, 'x')
    assert m.given() == [
        'To: joe@example.org, g: %s@example.org, \n\t"x y" <z@example.org>;, f@g' % long], m.given()
    assert 'To: joe, g: %s, "x y" <z>;, f@g' % long in m.lines('*')
    m = queued(site, 'To: joe\n\n', '-bnq', 'x@y.example')
    assert m.given() == ['To: joe']


def test_rewriting(site):
    site.configure(more='begin rewrite\n*@old.example $1@new.example\n')
    m = queued(site, 'From: Me <me@old.example>\nTo: you@old.example\n\n', '-f', 'me@old.example',
               'you@old.example')
    assert m.sender == '<me@new.example>' and m.recipients == ['you@new.example']
    assert m.lines('FT') == ['From: Me <me@new.example>', 'To: you@new.example']
    assert 'X-rewrote-original-recipient: you@old.example' in m.lines('*')
    assert 'X-rewrote-sender: me@old.example' in m.lines('*')


def test_message_id_text(site):
    site.configure('message_id_header_text = a@b c\nmessage_id_header_domain = x_y.example')
    m = queued(site, '\n', 'x')
    assert m.lines('I')[0].endswith('.a-b-c@x-y.example>'), m.lines('I')


def test_full_name_is_quoted(site):
    site.configure('headers_charset = UTF-8')
    for name, shown in (('J. Q. Public', '"J. Q. Public"'), ('Plain Name', 'Plain Name'),
                        ('With (comment)', 'With (comment)'), ('"Quoted"', '"Quoted"'),
                        ('Jos\u00e9', '=?UTF-8?Q?Jos=C3=A9?=')):
        m = queued(site, '\n', '-F', name, 'x')
        assert m.lines('F') == ['From: %s <%s@example.org>' % (shown, site.login)], m.lines('F')


# --- who sends ---

def test_trusted_sender(site):
    site.configure()
    m = queued(site, '\n', '-f', 'other@else.example', 'x')
    assert m.sender == '<other@else.example>' and 'local' not in m.items
    assert m.lines('F') == ['From: other@else.example']
    assert queued(site, '\n', '-f', '<>', 'x').sender == '<>'
    assert queued(site, 'From old@line.example Fri Jan  5 12:35 GMT 1996\nA: b\n\n', 'x').sender == \
        '<old@line.example>'
    r = refused(site, '\n', '-f', 'no good', 'x')
    assert 'bad -f address' in r.err and site.queue()[3:] == []


def test_untrusted_sender(site):
    who, run = stranger(site)
    own = '%s@example.org' % who.pw_name
    m = run('-odq', '-f', 'other@else.example', 'x', stdin='From: a@b\nSender: c@d\n\n')
    assert m.sender == '<%s>' % own, m.sender
    assert m.lines('F') == ['From: a@b'] and len(m.lines('S')) == 1
    assert m.lines('S')[0].endswith('%s>' % own), m.lines('S')
    m = run('-odq', '-f', '<>', 'x', stdin='\n')
    assert m.sender == '<>' and 'sender_set_untrusted' in m.items
    m = run('-odq', '-f', 'other@else.example', 'x', stdin='From: a@b\nSender: c@d\n\n',
            main='untrusted_set_sender = *@else.example\nno_local_from_check\nlocal_sender_retain')
    assert m.sender == '<other@else.example>' and m.lines('S') == ['Sender: c@d']
    m = run('-odq', 'x', stdin='From: v-%s+tag@example.org\n\n' % who.pw_name,
            main='local_from_prefix = v-\nlocal_from_suffix = +*')
    assert m.lines('S') == []
    m = run('-odq', 'x', stdin='From: %s\n\n' % who.pw_name)
    assert m.lines('F')[0].endswith('<%s>' % own), m.lines('F')


def test_claimed_origin(site):
    site.configure('log_selector = +incoming_interface')
    m = queued(site, 'From: a@b\n\n', '-oMa', '192.0.2.1.99', '-oMs', 'far.example', '-oMt', 'who',
               '-oMr', 'proto', '-oMi', '192.0.2.2.25', 'x')
    assert 'host_address [192.0.2.1]:99' in m.items and 'host_name far.example' in m.items
    assert site.log()[0] == ('ID1 <= %s@example.org H=far.example [192.0.2.1] I=[192.0.2.2]:25 U=who '
                             'P=proto S=N' % site.login), site.log()
    assert m.lines() == ['From: a@b'], m.lines()


# --- recipients ---

def test_recipients_of_the_header(site):
    site.configure('log_selector = +received_recipients')
    m = queued(site, 'To: a@b, (x) c\nCc: g: d@e;\nBcc: f@g\n\n', '-t')
    assert m.recipients == ['a@b', 'c@example.org', 'd@e', 'f@g'], m.recipients
    assert not any(l.startswith('Bcc') for l in m.lines())
    assert site.log()[0].endswith(' for a@b c d@e f@g'), site.log()
    m = queued(site, 'To: a@b, c@d\n\n', '-t', 'A@b')
    assert m.recipients == ['c@d'], m.recipients
    m = queued(site, 'To: a@b\nResent-To: c@d\nResent-Bcc: e@f\n\n', '-t')
    assert m.recipients == ['c@d', 'e@f'], m.recipients


def test_bad_addresses_by_mail(site):
    site.configure('queue_only')
    r = site.run('-oee', '-t', stdin='To: a@b, c d\n\nbody\n')
    assert r.status == 0, (r.status, r.err)
    report, message = [Message(site, i) for i in sorted(site.queue(), key=lambda i: Message(site, i).sender)]
    assert message.recipients == ['a@b']
    assert report.sender == '<>' and report.recipients == ['%s@example.org' % site.login]
    assert report.body.startswith(
        'A message that you sent contained one or more recipient addresses that were\n'
        'incorrectly constructed:\n\n  c d: missing or malformed local part'), report.body
    assert 'have been passed on for an attempt at delivery' in report.body
    assert report.body.endswith('\n\nbody\n'), report.body


def test_bad_addresses_on_stderr(site):
    site.configure()
    r = refused(site, 'To: a@b, c d\n\nbody\n', '-oep', '-t')
    assert 'invalid address: ' in r.err and site.queue() == [], r.err
    r = refused(site, '\n', '-oep', 'a b')
    assert 'bad recipient address "a b"' in r.err, r.err
    r = refused(site, 'Subject: x\n\n', '-oep', '-t')
    assert 'no recipients in message' in r.err, r.err


def test_exit_status_of_errors(site):
    site.configure('queue_only')
    text = 'Subject: x\n\nbody\n'
    for options, status in ((('-oee',), 0), (('-oem',), 1), (('-oew',), 1), (('-oep',), 1),
                            (('-oee', '-f', '<>'), 2)):
        assert site.run(*options, '-t', stdin=text).status == status, options
    assert len(site.queue()) == 3
    for ident in site.queue():
        body = Message(site, ident).body
        assert body.startswith('A message that you sent contained no recipient addresses'), body
    assert 'Error while reading message with no usable sender address: no recipient addresses' in \
        site.raw_log()


# --- limits ---

def test_limits(site):
    text = 'Subject: noo\n\nbody\n'  # 13 + 1 + 5 bytes; the empty line does not count as header
    for option, good, words in (
            ('header_line_maxsize', 13, 'message header line longer than 12 characters'),
            ('header_maxsize', 13, 'message header longer than 12 characters'),
            ('message_size_limit', 19, 'message too big (max=18)')):
        for limit in (good, good + 1):
            site.configure('%s = %d' % (option, limit))
            queued(site, text, '-oep', 'x')
        site.configure('%s = %d' % (option, good - 1))
        before = site.queue()
        r = refused(site, text, '-oep', 'x')
        assert words in r.err, r.err
        assert site.queue() == before
    names = os.listdir(site.path('spool/input'))
    assert all(n.endswith(('-H', '-D')) for n in names) and len(names) == 2 * len(site.queue()), names


def test_recipients_max(site):
    site.configure('recipients_max = 2')
    queued(site, '\n', '-oep', 'a', 'b')
    r = refused(site, '\n', '-oep', 'a', 'b', 'c')
    assert r.err == '%s: too many recipients\n' % os.path.basename(site.binary), r.err
    queued(site, 'To: a, b\n\n', '-oep', '-t')
    refused(site, 'To: a, b, c\n\n', '-oep', '-t')


def test_huge_header(site):
    site.configure()
    with open(site.path('big'), 'wb') as f:
        for _ in range(50):
            f.write(b'X: ' + b'x' * (1 << 20) + b'\n')
    with open(site.path('big'), 'rb') as f:
        p = subprocess.run([site.binary, '-C', site.conf, '-oep', 'x'], stdin=f, stderr=subprocess.PIPE,
                           timeout=60)
    assert p.returncode == 1 and b'message header longer than 1048576 characters' in p.stderr
    assert site.queue() == []


def test_many_recipients(site):
    site.configure('recipients_max = 0')
    n = 20000
    text = 'To: ' + ',\n '.join('user%d@far.example' % i for i in range(n)) + '\n\nbody\n'
    start = time.monotonic()
    m = queued(site, text, '-t')
    assert len(m.recipients) == n
    assert time.monotonic() - start < 20


def test_no_room(site):
    site.configure('check_spool_space = 900000G')
    r = refused(site, '\n', 'x')
    assert 'insufficient disk space' in r.err and site.queue() == []
    assert 'spool directory space check failed' in site.raw_log()


def test_time_limit(site):
    site.configure()
    p = subprocess.Popen([site.binary, '-C', site.conf, '-odq', '-or', '1s', 'x'], stdin=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    p.stdin.write(b'Subject: slow\n\nbody\n')
    p.stdin.flush()
    assert p.wait(20) == 1
    assert b'timed out' in p.stderr.read()
    p.stdin.close()
    assert site.queue() == [] and os.listdir(site.path('spool/input')) == []


# --- when it is delivered ---

def test_when_it_is_delivered(site):
    site.configure()
    site.run('-odf', 'x', stdin='\n')
    assert site.completed(1)
    site.run('-odq', 'x', stdin='\n')
    assert len(site.queue()) == 1
    site.run('x', stdin='\n')
    site.wait_for(lambda: site.completed(2))
    site.configure('queue_only')
    site.run('x', stdin='\n')
    assert len(site.queue()) == 2
    site.run('-odf', 'x', stdin='\n')
    assert site.completed(3)
    site.configure('queue_only\nno_queue_only_override')
    site.run('-odf', 'x', stdin='\n')
    assert len(site.queue()) == 3
    site.configure('queue_only_file = {top}/hold')
    site.write('hold', '')
    site.run('-odf', 'x', stdin='\n')
    assert len(site.queue()) == 4
    os.unlink(site.path('hold'))
    site.run('-odf', 'x', stdin='\n')
    assert site.completed(4)


def test_output_is_let_go(site):
    """A caller that waits for the end of our output does not wait for a delivery in the background."""
    site.configure(transports='mbox:\n  driver = pipe\n  command = /bin/sleep 3\n  user = {uid}\n  group = {gid}\n')
    start = time.monotonic()
    site.run('x', stdin='\n')
    assert time.monotonic() - start < 2
    site.wait_for(lambda: site.completed(1))


# --- ACLs ---

def acl(site, text, more=''):
    site.configure('acl_not_smtp = check\n' + more, more='begin acl\ncheck:\n' + text)


def test_acl_refuses(site):
    acl(site, '  deny condition = ${if eq{$h_subject:}{bad}}\n    message = go away\n  accept\n')
    queued(site, 'Subject: good\n\n', 'x')
    r = refused(site, 'Subject: bad\n\n', '-oep', 'x')
    assert 'message rejected by non-SMTP ACL: go away' in r.err, r.err
    assert len(site.queue()) == 1
    assert site.log()[-1] == 'ID2 F=<%s@example.org> rejected by non-SMTP ACL: go away' % site.login
    reject = site.raw_log('reject')
    assert '\n  Subject: bad\n' in reject and 'Envelope-to: <x@example.org>\n' in reject, reject


def test_acl_refusal_by_mail(site):
    acl(site, '  deny !senders = :\n    message = go away\n  accept\n', more='queue_only')
    assert site.run('-oee', 'x', stdin='Subject: bad\n\nbody\n').status == 0
    report = Message(site, site.queue()[0])
    assert 'go away' in report.body and report.body.endswith('\nbody\n'), report.body


def test_acl_discards(site):
    acl(site, '  discard log_message = why\n')
    assert site.run('-odq', 'x', stdin='\n').status == 1
    assert site.queue() == [] and os.listdir(site.path('spool/input')) == []
    assert site.log()[1:] == ['ID1 => blackhole (non-SMTP ACL discarded recipients): why', 'ID1 Completed'], \
        site.log()


def test_acl_freezes_and_queues(site):
    acl(site, '  accept control = freeze\n')
    m = queued(site, '\n', 'x', options=('-odf',))
    assert any(i.startswith('frozen ') for i in m.items), m.items
    assert site.log()[-1] == 'ID1 frozen by ACL'
    acl(site, '  accept control = queue_only\n')
    queued(site, '\n', 'x', options=('-odf',))
    assert site.log()[-1] == 'ID2 no immediate delivery: queued by ACL'


def test_acl_changes_the_header(site):
    acl(site, '  accept add_header = X-end: 1\n    add_header = :at_start:X-start: 2\n'
              '    remove_header = subject\n    set acl_m_var = kept\n')
    m = queued(site, 'Subject: s\nA: b\n\n', 'x')
    assert m.lines()[0] == 'X-start: 2' and m.lines()[-1] == 'X-end: 1', m.lines()
    assert 'Subject: s' in m.lines('*')
    assert sum(t.startswith('Received:') for k, t in m.headers) == 1
    assert 'aclm _var 4' in m.items, m.items


def test_acl_sees_the_message(site):
    acl(site, '  accept logwrite = $message_size $body_linecount $recipients $received_count $message_body\n')
    queued(site, 'From: a@b\nTo: c\nSubject: s\n\nbody\n', 'x')
    assert site.log()[0] == 'ID1 33 1 x@example.org 1 body ', site.log()


def test_acl_at_start(site):
    site.configure('acl_not_smtp_start = start',
                   more='begin acl\nstart:\n  accept control = suppress_local_fixups\n')
    assert queued(site, 'Subject: s\n\n', 'x').lines() == ['Subject: s']
