"""The MIME ACL: parts, their variables, decoded files, what hostile structures come to. Answers are compared with Debian's exim4 where it
is there, and with what it said when it is not."""
import base64
import os
import re
import shutil
import subprocess
import time

ID = r'[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{11}-[0-9A-Za-z]{4}|[0-9A-Za-z]{6}-[0-9A-Za-z]{2})'
PEER = os.path.join(os.environ.get('REMEX_PEERS', 'build/peers'), 'exim4')

MAIN = '''
queue_only
tls_advertise_hosts =
acl_smtp_mime = check
acl_not_smtp_mime = check
acl_smtp_data = whole
acl_not_smtp = whole
'''

ACLS = '''
begin acl
whole:
  accept logwrite = whole: $mime_part_count <$mime_content_type>
check:
  %s
  accept logwrite = $mime_part_count: ${escape:%s}
'''

USUAL = '$mime_content_type <$mime_filename>'
HEAD = 'Subject: x\nMIME-Version: 1.0\n'


def configure(site, acl='', show=USUAL, main=''):
    site.configure(MAIN + main, more=ACLS % (site.fill(acl), show))


def smtp(text):
    text = re.sub('(?m)^\\.', '..', text).replace('\n', '\r\n')
    return ('EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n%s\r\n.\r\nQUIT\r\n' % text)


def offer(site, text, timeout=60):
    """-> (the answer to the message, lines that the ACLs wrote, other lines of the main log)"""
    answer = site.run('-odq', '-bs', stdin=smtp(text).encode('latin-1'), timeout=timeout).out.splitlines()[-2]
    return (answer,) + lines(site)


def lines(site):
    log = [l for l in site.log()]
    shown = [l.split(' ', 1)[1] for l in log if re.match(r'ID1 (\d+|whole): ', l)]
    return shown, [l for l in log if not re.match(r'ID1 (\d+|whole): |ID1 <= |ID1 DKIM: ', l)]


def mixed(*parts, kind='mixed', boundary='AA', end=True):
    """A multipart with these parts, each with its header and a newline at its end."""
    text = 'Content-Type: multipart/%s; boundary="%s"\n\n' % (kind, boundary)
    text += ''.join('--%s\n%s' % (boundary, p) for p in parts)
    return text + ('--%s--\n' % boundary if end else '')


def left(site):
    """Files beneath the scan directory."""
    return sorted(os.path.relpath(os.path.join(d, f), site.path('spool/scan'))
                  for d, dirs, files in os.walk(site.path('spool/scan')) for f in files + dirs)


def by_exim4(site, text):
    """The lines that Debian's exim4 writes for the same message, or None where it cannot run."""
    if not site.root or not os.path.exists(PEER):
        return None
    top = site.path('peer')
    for d in ('', '/spool', '/log', '/out'):
        os.mkdir(top + d)
        site.own(top + d)
    conf = open(site.conf).read().replace(site.top + '/spool', top + '/spool').replace(site.top + '/log', top + '/log')
    with open(top + '/conf', 'w') as f:
        f.write(conf.replace(site.top + '/out', top + '/out'))
    os.chmod(top + '/conf', 0o644)
    p = subprocess.run([PEER, '-C', top + '/conf', '-odq', '-bs'], input=smtp(text).encode('latin-1'), stdout=subprocess.PIPE)
    log = site.log
    site.log = lambda: [l.replace('/peer/', '/') for l in log_of(site, log)]
    try:
        return (p.stdout.decode('latin-1').splitlines()[-2],) + lines(site)
    finally:
        site.log = log
        shutil.rmtree(top)


def log_of(site, log):
    read = site.read
    site.read = lambda name: read('peer/' + name)
    try:
        return log()
    finally:
        site.read = read


def same(site, text):
    """What both say, which must be the same but for ids."""
    ours = offer(site, text)
    theirs = by_exim4(site, text)
    if theirs is not None:
        clean = [re.sub(ID, 'ID', repr(x)) for x in (ours, theirs)]
        assert clean[0] == clean[1], '\n%s\n%s' % tuple(clean)
    return ours


# --- order and variables ---

INNER = 'Content-Type: message/rfc822\n\nSubject: inner\n' + mixed('Content-Type: text/html\n\nb\n', kind='alternative', boundary='BB')


def test_order(site):
    configure(site, show=USUAL + ' $mime_is_multipart$mime_is_coverletter$mime_is_rfc822')
    text = HEAD + mixed('Content-Type: text/plain\n\na\n', INNER, 'Content-Type: application/x; name=y\n\nz\n')
    answer, shown, other = same(site, text)
    assert answer.startswith('250 OK')
    assert shown == ['0: multipart/mixed <> 110', '1: text/plain <> 010', '2: message/rfc822 <> 000', '3: application/x <y> 000',
                     '0: multipart/alternative <> 111', '1: text/html <> 011', 'whole: 3 <>'], shown
    assert other == [] and left(site) == []


def test_only_with_content_type(site):
    configure(site)
    assert same(site, 'MIME-Version: 1.0\n\nhello\n')[1] == ['whole: -1 <>']
    os.remove(site.path('log/mainlog'))
    assert same(site, 'Content-Type: text/plain\n\nhello\n')[1] == ['0: text/plain <>', 'whole: 0 <>']


def test_count_is_new_with_each_message(site):
    configure(site)
    text = smtp(HEAD + mixed('\nx\n', '\ny\n')).replace('QUIT\r\n', '')
    text += text.split('\r\n', 1)[1].replace('MIME-Version', 'X').replace('Content-Type', 'Y') + 'QUIT\r\n'
    assert site.run('-odq', '-bs', stdin=text).out.count('250 OK id=') == 2
    assert [l.split(' ', 1)[1] for l in site.log() if 'whole:' in l] == ['whole: 2 <>', 'whole: -1 <>']


def test_fields(site):
    configure(site, show='$mime_charset <$mime_boundary> <$mime_content_disposition> <$mime_content_transfer_encoding> '
              '<$mime_content_id> <$mime_content_description>')
    shown = same(site, HEAD + mixed('Content-Type: TEXT/Plain (x); Charset="UTF-8"\nContent-Disposition: Inline; size=3\n'
                                    'Content-Transfer-Encoding: BASE64\nContent-ID: <A@b>\nContent-Description: A  "B C" (d); e\n\nx\n'))[1]
    assert shown[1] == '1: UTF-8 <> <inline> <base64> <<a@b>> <a"bc">', shown


def test_names(site):
    names = ['"a b.txt"', 'a b;', "=?iso-8859-1?q?=E4?=", '"open', 'x"y z"']
    configure(site, show='$mime_filename')
    shown = same(site, HEAD + mixed(*['Content-Type: text/x; name=%s\n\nx\n' % n for n in names]))[1]
    assert shown[1:6] == ['1: a b.txt', '2: a b', '3: \\344', '4: open;', '5: xy z'], shown


def test_rfc2231_names(site):
    """Where exim4 4.96 does not follow the RFC (language tags, order of sections, both forms at once)."""
    names = ["*0*=utf-8'en'%C3%A4; filename*1=%41; filename*2*=%41.exe", '*1=b; filename*0=a', "=x.txt; filename*=utf-8''x.exe",
             '*0*="example3"; filename*1*=".exe"', '="a\\"b.exe"']
    configure(site, show='$mime_filename')
    shown = offer(site, HEAD + mixed(*['Content-Disposition: attachment; filename%s\n\nx\n' % n for n in names]))[1]
    assert shown[1:6] == ['1: \\303\\244%41A.exe', '2: ab', '3: x.exe', '4: example3.exe', '5: a"b.exe'], shown


# --- decode ---

CODED = HEAD + mixed('Content-Type: text/plain; name=foo\n\nhello\n', 'Content-Transfer-Encoding: base64\n\nQUJD\n')
SHOW_FILE = '$mime_decoded_filename $mime_content_size'


def test_decode_default(site):
    configure(site, 'warn decode = default\n logwrite = ${readfile{$mime_decoded_filename}{/}}', SHOW_FILE)
    shown, other = same(site, CODED)[1:]
    assert [re.sub('.*/', '', s) for s in shown] == ['ID1-00000 1', 'ID1-00001 1', 'ID1-00002 1', 'whole: 2 <>'], shown
    assert [l for l in other if l in ('ID1 hello/', 'ID1 ABC')] == ['ID1 hello/', 'ID1 ABC'], other
    assert left(site) == []


def test_decode_elsewhere(site):
    site.mkdir('out')
    configure(site, 'warn decode = {top}/out\n decode = {top}/out/one\n decode = named', SHOW_FILE)
    shown = offer(site, CODED)[1]
    assert shown[1].endswith('/named 1') and shown[3] == 'whole: 2 <>', shown
    files = {re.sub(ID, 'ID', f): site.read('out/' + f) for f in os.listdir(site.path('out'))}
    assert files == {'ID-00000': CODED.split('\n\n', 1)[1] + '\n', 'ID-00001': 'hello\n', 'ID-00002': 'ABC', 'one': 'ABC'}, files
    assert left(site) == []


def test_decode_refused(site):
    """No name leads out of the scan directory; no link is followed; no file name comes from a message."""
    site.mkdir('out')
    site.write('precious', 'precious')
    os.symlink(site.path('precious'), site.path('out/link'))
    for where, why in (('../x', 'is no name of a file'), ('sub/x', 'is no name of a file'), ('{top}/none/x', 'No such file or directory'),
                       ('{top}/out/link', 'Too many levels of symbolic links'), ('{top}/out/$mime_filename', 'Tainted filename')):
        configure(site, 'deny decode = %s' % where)
        shutil.rmtree(site.path('log'))
        site.mkdir('log')
        answer, shown, other = offer(site, HEAD.replace('MIME', 'Content-Type: text/x; name=foo\nMIME') + '\nx\n')
        assert answer == '451 Temporary local problem - please try later', answer
        assert any(why in l and 'temporarily rejected during MIME ACL checks' in l for l in other), other
        assert why in site.raw_log('panic')
    assert left(site) == [] and site.read('precious') == 'precious' and os.listdir(site.path('out')) == ['link']
    for where in ('0', 'false'):
        configure(site, 'deny decode = %s' % where)
        assert offer(site, CODED)[0].startswith('250 OK')


def test_broken_encodings(site):
    configure(site, 'warn decode = default', '$mime_anomaly_level $mime_anomaly_text')
    shown = same(site, HEAD + mixed('Content-Transfer-Encoding: base64\n\nQU*JD\n', 'Content-Transfer-Encoding: quoted-printable\n\na=ZZ\n',
                                    'Content-Transfer-Encoding: base64\n\nQUJD\n'))[1]
    assert shown[1:] == ['1: 2 Broken BASE64 encoding detected', '2: 1 Broken Quoted-Printable encoding detected', '3: 0 ',
                         'whole: 3 <>'], shown


def test_no_mbox_unspool(site):
    configure(site, 'warn control = no_mbox_unspool\n decode = default')
    offer(site, CODED)
    assert re.sub(ID, 'ID', ' '.join(left(site))) == 'ID ID/ID-00000 ID/ID-00001 ID/ID-00002 ID/ID.eml'


def test_attached_and_encoded(site):
    inner = base64.b64encode(b'Content-Type: text/x; name=inside\n\nx\n').decode()
    configure(site, 'warn decode = default')
    text = HEAD + mixed('Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n%s\n' % inner)
    assert same(site, text)[1][2] == '0: text/x <inside>'
    assert left(site) == []


# --- patterns ---

def test_patterns(site):
    configure(site, 'warn regex = ^hel(l)o : never\n logwrite = raw <$regex_match_string> <$regex1>\n'
              '  warn mime_regex = (?s)^hel(.*) : ^A(B)C\n logwrite = decoded <$regex_match_string> <$regex1> $mime_content_size')
    other = same(site, CODED)[2]
    assert other == ['ID1 raw <^hel(l)o> <l>', 'ID1 raw <^hel(l)o> <l>', 'ID1 decoded <(?s)^hel(.*)> <lo\\n> 1',
                     'ID1 decoded <^A(B)C> <B> 1'], other
    assert left(site) == []


def test_a_match_is_forgotten(site):
    configure(site, 'warn regex = ^hel(l)o', '<$regex_match_string> <$regex1>')
    assert same(site, CODED)[1] == ['0: <^hel(l)o> <l>', '1: <^hel(l)o> <l>', '2: <> <>', 'whole: 2 <>']


def test_mime_regex_sees_the_beginning(site):
    for at in (32 * 1024 - 1, 32 * 1024):
        configure(site, 'deny mime_regex = Y')
        answer = offer(site, HEAD + 'Content-Type: text/plain\n\n' + 'x' * 31 * 1024 + 'x' * (at - 31 * 1024) + 'Y\n')[0]
        assert answer.startswith('550' if at < 32 * 1024 else '250'), answer


# --- what the ACL decides ---

SECOND = 'condition = ${if ={$mime_part_count}{1}}\n message = no\n log_message = because'


def test_verdicts(site):
    for verb, want, log in (('deny', '550 no', 'ID1 U={login} F=<a@b.example> rejected during MIME ACL checks: because'),
                            ('defer', '451 no', 'ID1 U={login} F=<a@b.example> temporarily rejected during MIME ACL checks: because'),
                            ('discard', '250 OK id=', 'ID1 => blackhole (MIME ACL discarded recipients)'),
                            ('accept', '250 OK id=', None)):
        if os.path.exists(site.path('log/mainlog')):
            os.remove(site.path('log/mainlog'))
        configure(site, '%s %s' % (verb, SECOND))
        answer, shown, other = same(site, CODED)
        assert answer.startswith(want), (verb, answer)
        whole = ['whole: 2 <>'] if verb == 'accept' else []
        assert shown == ['0: multipart/mixed <>'] + (['2:  <>'] if verb == 'accept' else []) + whole, shown
        assert other[:1] == ([] if log is None else [log.replace('{login}', site.login)]), other
        assert left(site) == []


def test_refusal_without_smtp(site):
    configure(site, 'deny message = no\n condition = ${if eq{$mime_content_type}{text/x}}')
    r = site.run('-odq', '-oep', '-i', 'c@example.org', stdin='Content-Type: text/x\n\nx\n')
    assert r.status == 1 and site.queue() == [], (r.status, r.out, r.err)
    assert any('rejected during MIME ACL checks: no' in l for l in site.log())


def test_malware_and_spam_have_no_place(site):
    for condition in ('malware = *', 'spam = nobody'):
        configure(site, 'deny ' + condition)
        answer, shown, other = offer(site, CODED)
        assert answer.startswith('451') and 'condition in MIME ACL' in other[-1], (answer, other)
        os.remove(site.path('log/mainlog'))


# --- broken and hostile structures ---

def test_broken_structures(site):
    """An outer delimiter ends what is inside; what has no end ends with the message."""
    configure(site)
    inner = mixed('Content-Type: text/a\n\na\n', boundary='BB', end=False)
    text = HEAD + 'Content-Type: multipart/mixed; boundary=AA\n\npreamble\n--AA\n%s--AA\nContent-Type: text/c\n\nc\n' % inner
    assert offer(site, text)[1] == ['0: multipart/mixed <>', '1: multipart/mixed <>', '2: text/a <>', '3: text/c <>', 'whole: 3 <>']
    os.remove(site.path('log/mainlog'))
    assert offer(site, HEAD + 'Content-Type: multipart/mixed\n\n--AA\n\nx\n--AA--\n')[1] == ['0: multipart/mixed <>', 'whole: 0 <>']


def nested(n):
    text = HEAD + 'Content-Type: multipart/mixed; boundary=B0\n\n'
    text += ''.join('--B%d\nContent-Type: multipart/mixed; boundary=B%d\n\n' % (i, i + 1) for i in range(n))
    return text + '--B%d\n\nx\n' % n + ''.join('--B%d--\n' % i for i in range(n, -1, -1))


def hostile(site, text, *log, acl='warn decode = default', seconds=20):
    """Accepted, told once, in time, with nothing left. -> the lines that the ACL wrote"""
    configure(site, acl, '$mime_anomaly_level $mime_anomaly_text')
    begin = time.monotonic()
    answer, shown, other = offer(site, text, timeout=120)
    assert answer.startswith('250 OK'), answer
    assert other == ['ID1 MIME: more than %s: the rest is not looked at' % l for l in log], other[:3]
    assert time.monotonic() - begin < seconds and left(site) == []
    os.remove(site.path('log/mainlog'))
    return shown


def test_nested_10000(site):
    shown = hostile(site, nested(10000), '100 multiparts in each other', acl='')
    assert len(shown) == 102 and shown[-2:] == ['100: 3 MIME parts nested too deeply', 'whole: 100 <>'], shown[-2:]
    shown = hostile(site, nested(98))
    assert shown[-3:] == ['98: 0 ', '99: 0 ', 'whole: 99 <>'], shown[-3:]


def test_flat_100000(site):
    shown = hostile(site, HEAD + mixed(*['\nx\n'] * 100000), '10000 parts')
    assert len(shown) == 10001 and shown[0] == '0: 3 Too many MIME parts' and shown[-1] == 'whole: 9999 <>'


def test_long_boundary_in_part(site):
    boundary = 'b' * (1 << 20)
    part = 'Content-Type: multipart/mixed; boundary=%s\n\n--%s\n\nx\n' % (boundary, boundary)
    shown = hostile(site, HEAD + mixed(part), '8192 bytes in a header field', '998 bytes in a boundary')
    assert shown[1] == '1: 3 MIME boundary too long', shown
    part = part.replace(boundary, 'b' * 999)
    assert hostile(site, HEAD + mixed(part), '998 bytes in a boundary')[1] == '1: 3 MIME boundary too long'
    assert len(hostile(site, HEAD + mixed(part.replace('b' * 999, 'b' * 998)))) == 4


def test_long_boundary_of_message(site):
    configure(site)
    boundary = 'b' * (1 << 20)
    answer = offer(site, HEAD + 'Content-Type: multipart/mixed; boundary=%s\n\n--%s\n\nx\n' % (boundary, boundary))[0]
    assert answer.startswith('552 '), answer


def test_long_names(site):
    long = 'n' * (1 << 20)
    part = 'X-%s: y\nContent-%s: y\nContent-Type: text/x; name="%s"\n\nx\n' % (long, long, long)
    shown = hostile(site, HEAD + mixed(part, '\nx\n'), '8192 bytes in a header field')
    assert shown == ['0: 0 ', '1: 3 MIME header field too long', '2: 0 ', 'whole: 2 <>'], shown
    shown = hostile(site, HEAD + mixed('X: y\n' * 100000 + 'Content-Type: text/x\n\nx\n'))
    assert shown == ['0: 0 ', '1: 0 ', 'whole: 1 <>'], shown


def test_a_line_without_a_colon(site):
    """It stands among the fields of a part, and is none."""
    part = 'Content-Type: text/x\n%s\nContent-Disposition: attachment; filename=y\n\nx\n' % ('n' * 1000000)
    configure(site, 'deny condition = ${if eq{$mime_filename}{y}}\n       message = it is $mime_filename', '$mime_anomaly_level')
    answer, shown, other = offer(site, HEAD + mixed(part, '\nx\n'))
    assert answer == '550 it is y' and shown == ['0: 0'], (answer, shown)
    assert other[-1] == 'ID1 U=root F=<a@b.example> rejected during MIME ACL checks: it is y', other


def test_messages_in_messages(site):
    head = 'Content-Type: message/rfc822\n'
    shown = hostile(site, HEAD + (head + '\n') * 1000 + 'x\n', '20 messages in each other', acl='')
    assert shown == ['0: 0 '] * 20 + ['0: 3 Messages nested too deeply', 'whole: 0 <>'], shown
    shown = hostile(site, HEAD + mixed(*[head + '\n' + mixed('\nx\n', '\ny\n', boundary='BB')] * 4000), '10000 parts', acl='')
    assert [s for s in shown if ': 0 ' not in s] == ['0: 3 Too many MIME parts'] * 2 + ['whole: 4000 <>'], shown[-5:]
    assert len(shown) == 10002      # one that is cut, and one more that says so
    coded = b'Content-Type: text/plain\n\nx\n'
    for i in range(15):
        coded = (head + 'Content-Transfer-Encoding: base64\n\n').encode() + base64.encodebytes(coded)
    assert len(hostile(site, HEAD + coded.decode(), acl='')) == 17


def test_what_is_decoded_is_limited(site):
    """Each of nested multiparts holds all that is inside: together they may be ten times the message and a megabyte."""
    body = 'x' * 70 + '\n'
    text = nested(90).replace('\nx\n', '\n' + body * (1 << 14))
    configure(site, 'warn decode = default')
    answer, shown, other = offer(site, text)
    assert answer.startswith('250 OK') and len(shown) == 93, answer
    assert len(site.raw_log('panic').splitlines()) == 1 and 'too much is decoded of one message' in site.raw_log('panic')
    assert left(site) == []
