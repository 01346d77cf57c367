"""malware, spam and regex with scripted scanners: what is asked, what answers mean, what goes wrong and how that is told.

What the servers hear and what is logged was compared with Debian's exim4 (4.96), where it has the scanner.
"""
import os
import re
import struct
import time

from scanner_script import Script

MAIN = '''
queue_only
tls_advertise_hosts =
acl_smtp_data = data
'''
MALWARE = '''begin acl
data:
  deny malware = %s
       message = found <$malware_name> <$av_failed>
  accept logwrite = end <$malware_name> <$callout_address> <$av_failed>
'''
ID = r'[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}'


def smtp(body='hello', n=1):
    one = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nSubject: test\r\n\r\n%s\r\n.\r\n' % body.replace('\n', '\r\n')
    return 'EHLO x\r\n' + one * n + 'QUIT\r\n'


def offer(site, body='hello', n=1, options=()):
    """The last lines of the answers to messages."""
    out = site.run(*options, '-bs', stdin=smtp(body, n)).out
    return [re.split(r'\r?\n', part)[1] for part in out.split('354 ')[1:]]


def left(site):
    top = site.path('spool/scan')
    return os.listdir(top) if os.path.isdir(top) else []


def forget(site):
    for name in ('log/mainlog', 'log/paniclog'):
        if os.path.exists(site.path(name)):
            os.unlink(site.path(name))


def ask(site, script, av_scanner, condition='*/tmo=1s', path=False):
    """-> answer, reason that was logged or None, what the server heard with ID for the message's and TOP for the site's."""
    forget(site)
    with Script(*script, path=site.path('s%d' % time.monotonic_ns()) if path else None) as server:
        site.configure(MAIN + 'av_scanner = %s\n' % av_scanner.replace('@', server.where), more=MALWARE % condition)
        answer = offer(site)[0]
    reasons = [re.split(' acl condition: ', line, maxsplit=1)[1] for line in site.raw_log('panic').splitlines()]
    heard = [re.sub(ID, 'ID', h.decode('latin-1')).replace(site.top, 'TOP') for h in server.heard]
    assert left(site) == [], left(site)
    assert all(r in site.raw_log() for r in reasons)
    name = av_scanner.split(':')[0]
    shown = [r.replace('%s %s : ' % (name, server.address), '').replace(server.where, 'HERE') for r in reasons]
    return re.sub(ID, 'ID', answer), shown[-1] if shown else None, heard


OK = '250 OK id=ID'
LATER = '451 Temporary local problem - please try later'
EML = 'TOP/spool/scan/ID/ID.eml'


def found(name):
    return '550 found <%s> <0>' % name


def check(site, rows, av_scanner, path, heard):
    """rows: (script, answer, reason)."""
    for script, answer, reason in rows:
        got = ask(site, script, av_scanner, path=path)
        assert got[:2] == (answer, reason), (script, got)
        assert got[2] == heard[:len(got[2])], (script, got[2])


# --- clamd ---

CLAMD = [(b'/x: OK\n', OK, None), (b'/x/y: Eicar-Test FOUND\n', found('Eicar-Test'), None),
         (b'/x/y: Eicar-Test FOUND\0', found('Eicar-Test'), None), (b'/x:FOUND\0', found('unknown'), None),
         (b'/x/y: lstat() failed: No such file. ERROR\n', LATER, 'ClamAV returned: /x/y: lstat() failed: No such file. ERROR'),
         (b'garbage\n', LATER, 'ClamAV returned malformed result (missing colon): garbage'),
         (b'/x: what\n', LATER, 'unparseable response from ClamAV: {/x: what}'), (b'', LATER, 'unable to read from socket (EOF)'),
         (b'/x: ' + b'A' * 100000, LATER, 'unparseable response from ClamAV: {/x: %s}' % ('A' * 1020))]
STALLS = 'unable to read from socket (Connection timed out)'


def test_clamd_by_path(site):
    rows = [(['line', said], answer, reason) for said, answer, reason in CLAMD]
    rows += [(['line', b'/x/y: Eic', 2], LATER, STALLS), (['line', 2], LATER, STALLS)]
    check(site, rows, 'clamd:@', True, ['SCAN %s\n' % EML])
    check(site, rows[:2], 'clamd:@:local', False, ['SCAN %s\n' % EML])


def test_clamd_by_stream(site):
    """The message goes in blocks: lines of the envelope, header, body."""
    end = (b'\0\0\0\0',)
    for said, answer, reason in CLAMD:
        got = ask(site, [end, said], 'clamd:@')
        assert got[:2] == (answer, reason), (said, got)
    text = got[2][0]
    size = struct.unpack('>I', text[10:14].encode('latin-1'))[0]
    assert text[:10] == 'zINSTREAM\0' and text[14:].startswith('From MAILER-DAEMON ') and text.endswith('\n\nhello\n\0\0\0\0'), text
    assert '\nX-Envelope-From: <a@b.example>\nX-Envelope-To: x@example.org\nReceived: ' in text
    # The size is that of the text before names were taken out of it.
    assert size > 300
    assert ask(site, [end, b'stream: Eic', 2], 'clamd:@')[1] == STALLS


def test_large_stream(site):
    with Script((b'hello\n\0\0\0\0',), b'stream: OK\0') as server:
        site.configure(MAIN + 'av_scanner = clamd:%s\n' % server.where, more=MALWARE % '*')
        assert offer(site, 'x' * 70 + '\n' + ('y' * 70 + '\n') * 5000 + 'hello')[0].startswith('250 ')
    data, at, text = server.heard[0], 10, b''
    while True:
        n = struct.unpack('>I', data[at:at + 4])[0]
        if n == 0:
            break
        text += data[at + 4:at + 4 + n]
        at += 4 + n
    assert at + 4 == len(data) and text.count(b'y' * 70) == 5000 and text.endswith(b'\nhello\n')


def test_clamd_servers(site):
    refused = 'failed to connect to any address for 127.0.0.1: Connection refused'
    for av_scanner, reasons in (
            ('127.0.0.1 9', ['clamd [127.0.0.1]:9 : ' + refused, 'clamd  : all servers failed']),
            ('127.0.0.1 9 : 127.0.0.1 10', ['clamd [127.0.0.1]:9 : ' + refused, 'clamd [127.0.0.1]:10 : ' + refused,
                                            'clamd  : all servers failed']),
            ('localhost 9', ['clamd [127.0.0.1]:9 : failed to connect to any address for localhost: Connection refused',
                             'clamd  : all servers failed']),
            ('127.0.0.1', ["clamd  : missing port: '127.0.0.1'",
                           'clamd  : no useable server addresses in malware configuration option.']),
            ('127.0.0.1 9 what=1', ["clamd  : bad option '127.0.0.1 9 what=1'"]),
            ('127.0.0.1 9 retry=x', ["clamd  : bad option '127.0.0.1 9 retry=x'"]),
            ('/nonexistent/s', ['clamd /nonexistent/s : unable to connect to UNIX socket (/nonexistent/s): No such file or directory'])):
        forget(site)
        site.configure(MAIN + 'av_scanner = clamd : %s\n' % av_scanner, more=MALWARE % '*')
        assert offer(site) == [LATER]
        got = [line.split(' malware acl condition: ')[1] for line in site.raw_log('panic').splitlines()]
        if 'localhost' in av_scanner:       # which may have an address of IPv6 as well
            got[0] = got[0].replace('[::1]', '[127.0.0.1]')
        assert sorted(got) == sorted(reasons), got


def test_clamd_retry(site):
    """A server that is there a moment later."""
    import socket
    import threading
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
        site.configure(MAIN + 'av_scanner = clamd : 127.0.0.1 %d retry=2s\n' % port, more=MALWARE % '*')

        def serve():
            time.sleep(1)
            s.listen()
            c, _ = s.accept()
            while b'\0\0\0\0' not in c.recv(65536)[-4:]:
                pass
            c.sendall(b'stream: OK\0')
            c.close()
        t = threading.Thread(target=serve)
        t.start()
        answer = offer(site)[0]
        t.join()
    assert answer.startswith('250 '), answer


# --- the other daemons ---

def test_sophie(site):
    silent = 'unable to read from UNIX socket (HERE)'
    check(site, [(['line', b'0\n'], OK, None), (['line', b'0 no problems'], OK, None), (['line', b'1:W32/Foo'], found('W32/Foo'), None),
                 (['line', b'1 Foo\nmore'], found('Foo'), None), (['line', b'-1 oops'], LATER, 'scanner reported error'),
                 (['line'], LATER, silent), (['line', 2], LATER, silent)],
          'sophie:@', True, ['TOP/spool/scan/ID\n'])


def test_sock(site):
    av = 'sock:@:CHECK %s now:BAD:NAME:: (.*)'
    heard = ['CHECK %s now' % EML]
    end = (b' now',)
    for path in (False, True):
        check(site, [([end, b'fine\n'], OK, None), ([end, b'BAD\nNAME: foo bar\nxx\n'], found('foo bar'), None),
                     ([end, b'BAD\n', .02, b'NAME: later\n'], found('later'), None), ([end, b'BAD\n'], found('unknown'), None),
                     ([end], LATER, 'unable to read from socket (EOF)'), ([end, 2], LATER, STALLS)], av, path, heard)
    check(site, [(['line', b'BAD\n'], found('BAD'), None)], 'sock:@: :BAD:(BAD)', False, [EML + '\n'])
    for av, reason in (('sock:@:%s %s:BAD:(BAD)', 'unsafe sock scanner call spec'), ('sock:@:%d:BAD:(BAD)', 'unsafe sock scanner call spec'),
                       ('sock:@:%s', 'missing trigger specification'), ('sock:@:%s:BAD', 'missing virus name regex specification'),
                       ('sock:@:%s:B(:x', "regular expression error in 'B(': missing closing parenthesis at offset 2")):
        got = ask(site, [], av)
        assert got[0] == LATER and got[1].endswith(reason), got


def test_avast(site):
    hello, data, ok = b'220 DAEMON\r\n', b'210 SCAN DATA\r\n', b'200 SCAN OK\r\n'
    bomb = b'/x\t[E]0.0\tError 42110 A\\ bomb\r\n'

    def row(said, answer, reason=None):
        return [hello, 'line'] + said + ['line'], answer, reason
    check(site, [row([data, b'/x\t[+]\r\n', ok], OK), row([data, b'/x\t[L]0.0\t0 EICAR\\ Test\r\n', ok], found('EICAR Test')),
                 row([data, b'/x\t[+]\r\n', bomb, b'/y\t[L]0.0\t0 Two\r\n', ok], found('A bomb')),
                 row([data, bomb, b'451 Engine error\r\n'], LATER, '451 Engine error'), row([b'501 Syntax\r\n'], LATER, '501 Syntax'),
                 row([data, b'hello\r\n'], LATER, 'hello'), row([data, b'/x\t[U]0.0\r\n'], LATER, '/x\\t[U]0.0'),
                 ([hello, 'line', data, 2], LATER, 'timeout from scanner')], 'avast:@', True, ['SCAN TOP/spool/scan/ID\n', 'QUIT\n'])
    check(site, [([b'500 no\r\n', 'line'], LATER, '500 no')], 'avast:@', True, ['QUIT\n'])
    options = [hello, 'line', b'210 FLAGS DATA\r\nFLAGS -x\r\n200 FLAGS OK\r\n', 'line', data, bomb, ok, 'line']
    got = ask(site, options, 'avast:@:FLAGS -x:pass_unscanned')
    assert got == (OK, None, ['FLAGS -x\n', 'SCAN TOP/spool/scan/ID\n', 'QUIT\n']), got
    assert 'internal scanner error (ignored): /x\t[E]0.0\tError 42110 A\\ bomb\n' in site.raw_log()


def number(*n):
    return struct.pack('>%dI' % len(n), *n)


def test_drweb(site):
    rows = [(number(0, 0), OK, None), (number(0x20, 1, 22) + b'x infected with Eicar\0', found('Eicar'), None),
            (number(0x20, 2, 4) + b'One\0' + number(3) + b'Two', found('One, Two'), None), (number(0x20, 1, 0), found('unknown'), None),
            (number(0x20, 1, 0x7fffffff), LATER, 'cannot read report size'), (number(0x20, 1, 20) + b'x', LATER, 'cannot read report string'),
            (number(1, 0), LATER, 'drweb daemon retcode 0x1 (read error)'), (number(4, 0), LATER, 'drweb daemon retcode 0x4 (no memory)'),
            (b'', LATER, 'unable to read return code'), (number(0), LATER, 'unable to read the number of viruses')]
    for said, answer, reason in rows:
        got = ask(site, [(b'.eml\0\0\0\0',), said], 'drweb:@', path=True)
        assert got[:2] == (answer, reason), (said, got)
        assert got[2][0].startswith('\0\0\0\1\0\x08\0\1\0\0') and got[2][0].endswith('%s\0\0\0\0' % EML), got
    got = ask(site, [(b'hello\n',), number(0, 0)], 'drweb:@')
    assert got[0] == OK and got[2][0].startswith('\0\0\0\1\0\x08\0\1\0\0\0\0\0\0\1') and 'From MAILER-DAEMON' in got[2][0], got


def test_f_prot(site):
    six = [('line', b'0 <clean> /x\n', OK, None), ('line', b'1 <infected: EICAR foo> /x->y\n', found('EICAR foo'), None),
           ('line', b'what\n', LATER, 'malformed answer: what'), ('line', b'', LATER, 'unable to read from socket (EOF)')]
    check(site, [([hear, said], answer, reason) for hear, said, answer, reason in six], 'f-prot6d:@', False, ['SCAN FILE %s\n' % EML])
    check(site, [(['line', 2], LATER, STALLS)], 'f-prot6d:@', False, ['SCAN FILE %s\n' % EML])
    xml = b'HTTP/1.0 200 OK\r\n\r\n<?xml version="1.0"?>\n<fprot-results>\n%s<summary code="%d">x</summary>\n</fprot-results>\n'
    end = (b'\r\n\r\n',)
    check(site, [([end, xml % (b'', 0)], OK, None), ([end, xml % (b'<detected type="virus"><name>EICAR</name></detected>', 1)], found('EICAR'), None),
                 ([end, b'HTTP/1.0 500 No\r\n\r\n'], LATER, 'answer without a summary'), ([end, 2], LATER, None)],
          'f-protd:@', False, ['GET %s HTTP/1.0\r\n\r\n' % EML])


def test_fsecure(site):
    settings = ['CONFIGURE\tARCHIVE\t1\n', 'CONFIGURE\tTIMEOUT\t0\n', 'CONFIGURE\tMAXARCH\t5\n', 'CONFIGURE\tMIME\t1\n']
    start = ['line', b'OK\n'] * 4 + ['line']
    check(site, [(start + [b'OK\tScan ok.\n'], OK, None), (start + [b'INFECTED\t/x\tEICAR\tFSE\n', b'OK\tScan ok.\n'], found('EICAR'), None),
                 (start + [b'ERROR\tno\n'], LATER, 'unable to scan: ERROR\\tno'), (start + [2], LATER, 'unable to read result (Connection timed out)'),
                 (['line', 2], LATER, 'unable to read answer 0 (Connection timed out)')],
          'fsecure:@', True, settings + ['SCAN\t%s\n' % EML])


def test_aveserver(site):
    scan, bye = 'SCAN bPQRSTUW %s\r\n' % EML, 'quit\r\n'

    def row(said, answer, reason=None):
        return [b'200 ready\r\n', 'line', said, 'line', b'200 bye\r\n'], answer, reason
    check(site, [row(b'200 done\r\n', OK), row(b'322 Eicar found\r\n200 done\r\n', found('Eicar'))], 'aveserver:@', True, [scan, bye])
    got = ask(site, row(b'5xx no\r\n', LATER)[0], 'aveserver:@', path=True)
    assert got[0] == LATER and re.fullmatch(r'unable to scan file \S+\.eml \(Responded: 5xx no\)\.', got[1]), got
    assert ask(site, [2], 'aveserver:@', path=True)[1] == 'unavailable (Responded: nothing).'


def test_kavdaemon(site):
    report = b'/x.eml infected: EICAR-Test\n'
    for said, answer, reason in ((b'\0\0', OK, None), (b'\4\2' + struct.pack('=I', len(report)) + report, found('EICAR-Test'), None),
                                 (b'\4\0', found('unknown'), None), (b'\1\0', LATER, 'scanning was not completed'),
                                 (b'\4\2' + struct.pack('=I', 1 << 30), LATER, 'unable to read the report (EOF)'),
                                 (b'', LATER, 'unable to read 2 bytes from socket (EOF)')):
        got = ask(site, [(b'.eml',), said], 'kavdaemon:@', path=True)
        assert got[0] == answer and (got[1] or '').split(' (')[0] == (reason or '').split(' (')[0], (said, got)
        assert re.fullmatch(r'<0>\d\d \w{3} [\d:]{8}:%s' % EML, got[2][0]), got


def test_cmdline(site):
    tool = site.write('tool', '#!/bin/sh\ncase $1 in\nfound) cat "$2"/*.eml; echo "Virus \'W32/x\' found in file" >&2; exit 1;;\n'
                      'fail) exit 3;;\nhang) sleep 20;;\nkill) kill -9 $$;;\nesac\n', 0o755)
    for line, answer, reason in (
            ('TOOL clean %s', OK, None), ('TOOL found "%s"', found('W32/x'), None), ('TOOL fail %s', LATER, 'scanner returned error code: 768'),
            ('TOOL hang', LATER, 'unable to read from scanner (TOOL hang): Connection timed out'),
            ('TOOL kill', LATER, 'scanner returned error code: 9'), ('/nonexistent/x %s', LATER, 'scanner returned error code: 32512'),
            ('TOOL found %s | grep -c Virus; echo "$(echo found in) file \'a  b\'"', found('a  b'), None)):
        got = ask(site, [], "cmdline:%s:found in.*file:'(.+)'" % line.replace('TOOL', tool))
        reason = reason and 'cmdline  : ' + reason.replace('TOOL', tool)
        assert got[:2] == (answer, reason), (line, got)


# --- the condition ---

def test_values(site):
    for value, hit in (('true', 1), ('*', 1), ('1', 1), ('yes', 1), ('TRUE', 1), ('Fo+', 1), ('oo', 1), ('<;F.o', 1), ('*/other', 1),
                       ('foo', 0), ('^oo', 0), ('a//b', 0)):
        answer, reason, heard = ask(site, ['line', b'1:Foo'], 'sophie:@', value, path=True)
        assert (answer == found('Foo')) == bool(hit) and reason is None and heard, (value, answer)
    for value in ('false', '0', 'no', '', '$acl_m_none'):
        assert ask(site, [], 'sophie:@', value, path=True)[::2] == (OK, []), value


def test_defer_ok(site):
    site.configure(MAIN + 'av_scanner = sophie:/nonexistent/s\n', more=MALWARE % '*/defer_ok')
    assert offer(site)[0].startswith('250 ')
    assert 'end <> </nonexistent/s> <1>' in site.raw_log() and 'sophie /nonexistent/s : unable to connect' in site.raw_log('panic')


def test_faults_of_the_setting(site):
    for av, value, reason in (('foo:bar', '*', "unknown scanner type 'foo'"), ('mksd:2', '*', "unknown scanner type 'mksd'"), ('', '*', 'av_scanner configuration variable is empty'),
                              ('${if eq{a}{b}{x}fail}', '*', 'av_scanner starts with $, but expansion failed: "if" failed and "fail" requested'),
                              ('$sender_address', '*', "attempt to use tainted av_scanner: 'a@b.example'"),
                              ('sophie', '(', "regular expression error in '(': missing closing parenthesis at offset 1")):
        forget(site)
        site.configure(MAIN + 'av_scanner = %s\n' % av, more=MALWARE % value)
        assert offer(site) == [LATER]
        assert site.raw_log('panic').endswith('malware acl condition: %s\n' % reason), site.raw_log('panic')
    site.configure(MAIN, more=MALWARE % '*/tmo=x')
    assert offer(site) == [LATER] and "temporarily rejected after DATA: bad timeout value in 'tmo=x'" in site.raw_log()


TWICE = '''begin acl
data:
  warn malware = nothing / tmo=1s / defer_ok
  warn malware = * / tmo=1s / defer_ok
       logwrite = again <$malware_name>
  accept
'''


def test_asked_once(site):
    """A second use is answered from memory, unless the setting is expanded; a failure is not remembered; nor is anything for the next message."""
    for av, again in (('sophie:@', True), ('${if eq{a}{a}{sophie:@}}', False)):
        forget(site)
        with Script('line', b'1:Foo', path=site.path('s%d' % again)) as server:
            site.configure(MAIN + 'av_scanner = %s\n' % av.replace('@', server.where), more=TWICE)
            offer(site)
        assert ('again <Foo>' in site.raw_log()) == again
        assert site.raw_log('panic').count('sophie') == (0 if again else 1)
    forget(site)
    with Script('line', b'1:Foo', path=site.path('s2')) as server:
        site.configure(MAIN + 'av_scanner = sophie:%s\n' % server.where, more=MALWARE % '*/tmo=1s')
        assert [a.split(' <')[0] for a in offer(site, n=2)] == ['550 found', LATER]


def test_copy_is_kept(site):
    acl = MALWARE.replace('data:\n', 'data:\n  warn control = no_mbox_unspool\n')
    with Script('line', b'0', path=site.path('s')) as server:
        site.configure(MAIN + 'av_scanner = sophie:%s\n' % server.where, more=acl % '*')
        assert offer(site)[0].startswith('250 ')
    name, = left(site)
    text = site.read('spool/scan/%s/%s.eml' % (name, name))
    assert text.startswith('From MAILER-DAEMON ') and text.endswith('\n\nhello\n'), text


# --- spam ---

SPAM = '''begin acl
data:
  warn spam = %s
       logwrite = spam
  accept logwrite = <$spam_score> <$spam_score_int> <$spam_bar> <$spam_action> <${escape:$spam_report}> <$callout_address>
'''
REPLY = 'SPAMD/1.1 0 EX_OK\r\nContent-length: 1\r\nSpam: True ; %s / 5.0\r\n\r\nFirst line\r\n\r\nlast\r\n\r\n'


def check_spam(site, script, value='nobody', address='@', path=False):
    """-> is it spam, the shown values, lines of the condition, what was heard"""
    forget(site)
    with Script(*script, path=site.path('s%d' % time.monotonic_ns()) if path else None) as server:
        site.configure(MAIN + 'spamd_address = %s\n' % address.replace('@', server.where), more=SPAM % value)
        assert offer(site)[0].startswith('250 ')
    lines = [re.sub(r'^\S+ \S+ \S+ ', '', line).replace(server.address, 'HERE') for line in site.raw_log().splitlines()]
    shown = next(line for line in lines if line.startswith('<'))
    told = [line.split(': ', 1)[1] for line in lines if line.startswith('spam acl condition: ')]
    return 'spam' in lines, shown, told, server.heard


def test_spam_scores(site):
    for score, values in (('12.34', '<12.3> <123> <++++++++++++> <reject>'), ('5.0', '<5.0> <50> <+++++> <reject>'),
                          ('4.99', '<5.0> <49> <++++> <no action>'), ('0.3', '<0.3> <3> </> <no action>'),
                          ('-3.4', '<-3.4> <-34> <---> <no action>'), ('123.45', '<123.5> <1234> <%s> <reject>' % ('+' * 50))):
        spam, shown, told, heard = check_spam(site, ['end', (REPLY % score).encode()])
        assert shown == values + ' <First line\\n \\n last> <HERE>' and told == [], (shown, told)
        assert spam == ('reject' in values)
    text = heard[0]
    head, body = text.split(b'\r\n\r\n', 1)
    assert head == b'REPORT SPAMC/1.2\r\nUser: nobody\r\nContent-length: %d' % len(body) and body.startswith(b'From MAILER-DAEMON '), head


def test_spam_faults(site):
    nothing = '<> <> <> <> <> <HERE>'
    for script, told in ((['end', b'hello\r\n'], 'cannot parse spamd HERE output'), (['end'], 'cannot parse spamd HERE output'),
                         (['end', b'SPAMD/1.1 76 EX_X\r\n\r\n'], 'cannot parse spamd HERE output'),
                         (['end', (REPLY % '1e30').encode()], 'cannot parse spamd HERE output'),
                         (['end', 3], 'error reading from spamd HERE, socket: Connection timed out'),
                         (['end', (REPLY % '9').encode(), 3], 'error reading from spamd HERE, socket: Connection timed out')):
        assert check_spam(site, script, address='@ tmo=1s')[:3] == (False, nothing, [told]), script
        assert told.replace('HERE', '') != '' and ' spam acl condition: ' in site.raw_log('panic')
        assert 'ACL "warn" statement skipped: condition test deferred' in site.raw_log()
    assert check_spam(site, ['end'], 'nobody/defer_ok')[2] and 'statement skipped' not in site.raw_log()


def test_spam_servers(site):
    good = ['end', (REPLY % '9').encode()]
    refused = 'spamd: failed to connect to any address for 127.0.0.1: Connection refused'
    for address, told in (('127.0.0.1 9 pri=3 : @', [refused]), ('@ foo=3 pri=x', ["warning - invalid spamd parameter: 'foo=3'",
                                                                                "warning - invalid spamd parameter: 'pri=x'"]),
                          ('@ weight=5 pri=2 time=0-24 retry=1s tmo=5s : 127.0.0.1 9', []), ('127.0.0.1 : @', ["warning - invalid spamd address: '127.0.0.1'"]),
                          ('127.0.0.1 9-11 pri=2 : @', [refused]), ('@ time=25-x', ["warning - invalid spamd time value: '25-x'"]),
                          ('<; @ ; ::1 9 pri=2', ['spamd: failed to connect to any address for ::1: Connection refused']),
                          ('${if eq{a}{a}{@}}', [])):
        spam, shown, got, _ = check_spam(site, good, address=address)
        assert spam and got == told, (address, got)
    for address, told in (('127.0.0.1 9 : 127.0.0.1 9', [refused, refused, 'all spamd servers failed']),
                          ('/nonexistent/s', ['spamd: unable to connect to UNIX socket (/nonexistent/s): No such file or directory',
                                              'all spamd servers failed']),
                          (' ', ['no useable spamd server addresses in spamd_address configuration option.'])):
        spam, _, got, _ = check_spam(site, [], address=address)
        assert not spam and got == told, (address, got)


def test_spam_users(site):
    for value, user, spam in (('joe', b'joe', False), ('joe:true', b'joe', True), ('joe/true', b'joe', True), ('joe/defer_ok/true', b'joe', True),
                              ('true', b'nobody', True), ('jo e', b'jo e', False), ('0', None, False), ('false', None, False), ('', None, False)):
        got = check_spam(site, ['end', (REPLY % '1.0').encode()], value)
        assert got[0] == spam and (b'User: %s\r\n' % user in got[3][0] if user else got[3] == []), (value, got)
    assert check_spam(site, [], '"a\\nb"')[2] == ['bad user name']


def test_spam_asked_once(site):
    acl = 'begin acl\ndata:\n  warn spam = joe\n  warn spam = joe\n       logwrite = again\n  warn spam = ann\n  accept\n'
    with Script('end', (REPLY % '9').encode()) as server:
        site.configure(MAIN + 'spamd_address = %s tmo=1s\n' % server.where, more=acl)
        assert offer(site)[0].startswith('250 ')
    assert ' again\n' in site.raw_log() and site.raw_log('panic').count('error reading from spamd') == 1


def test_rspamd(site):
    reply = (b'RSPAMD/1.3 0 EX_OK\r\nMetric: default; False; %s / 15.00 / 0.0\r\nAction: %s\r\nSymbol: A(1.0)\r\n')
    end = (b'hello\n',)
    for score, action, shown in ((b'16.50', b'reject', '<16.5> <165> <++++++++++++++++> <reject>'), (b'6.5', b'add header', '<6.5> <65> <++++++> <add header>')):
        got = check_spam(site, [end, reply % (score, action)], address='@ variant=rspamd')
        assert got[1].startswith(shown + ' <Action: ') and got[0] == (action == b'reject'), got
    head = got[3][0].split(b'\r\n\r\n')[0].decode()
    assert re.fullmatch(r'CHECK RSPAMC/1\.3\r\nContent-length: \d+\r\nQueue-Id: %s\r\nFrom: <a@b\.example>\r\nRecipient-Number: 1\r\n'
                        r'Rcpt: <x@example\.org>\r\nHelo: x' % ID, head), head
    for options, more in ((('-oMa', '192.0.2.1'), ['IP: 192.0.2.1']), (('-oMai', 'joe'), []),
                          (('-oMa', '192.0.2.1', '-oMs', 'h.example', '-oMaa', 'plain', '-oMai', 'joe'), ['Hostname: h.example', 'IP: 192.0.2.1', 'User: joe'])):
        with Script(end, reply % (b'1.0', b'reject')) as server:
            site.configure(MAIN + 'spamd_address = %s variant=rspamd\n' % server.where, more=SPAM % 'nobody')
            offer(site, options=options)
        lines = server.heard[0].split(b'\r\n\r\n')[0].decode().split('\r\n')
        assert lines[lines.index('Helo: x') + 1:] == more, (options, lines)
    for said in (b'HTTP/1.1 200 OK\r\n\r\n', b'RSPAMD/1.3 0 EX_OK\r\nMetric: default; False; nan / 15\r\n', b'RSPAMD/1.3 0 EX_OK\r\n'):
        assert check_spam(site, [end, said], address='@ variant=rspamd')[2] == ['cannot parse spamd HERE output']


# --- regex ---

def test_regex_sees_the_envelope(site):
    site.configure(MAIN, more='begin acl\ndata:\n  warn regex = none : ^X-Envelope-To:: (.)@\n       logwrite = <$regex_match_string> <$regex1>\n'
                   '  warn regex = ^(h)e(l+)o\\$\n       logwrite = <$regex1> <$regex2>\n  accept\n')
    assert offer(site)[0].startswith('250 ')
    assert '<^X-Envelope-To: (.)@> <x>' in site.raw_log() and ' <h> <ll>\n' in site.raw_log(), site.raw_log()


# --- -bmalware ---

def test_a_file_is_looked_at(site):
    path = site.write('file', 'content')
    for said, status, out in ((b'1:Foo', 1, 'Malware found: Foo\n'), (b'0', 0, 'No malware found.\n'),
                              (b'', 1, 'Malware lookup returned non-okay/fail: 1\n')):
        with Script('line', said, path=site.path('s%d' % time.monotonic_ns())) as server:
            site.configure(MAIN + 'av_scanner = sophie:%s\n' % server.where)
            r = site.run('-bmalware', path)
        assert (r.status, r.out) == (status, out), (r.status, r.out, r.err)
        assert re.fullmatch(r'%s/spool/scan/dummy-\d+\n' % site.top, server.heard[0].decode()), server.heard
        assert left(site) == []
    with Script((b'content\0\0\0\0',), b'stream: OK\0') as server:
        site.configure(MAIN + 'av_scanner = clamd:%s\n' % server.where)
        assert site.run('-bmalware', path).out == 'No malware found.\n'
    assert server.heard == [b'zINSTREAM\0\0\0\0\7content\0\0\0\0'], server.heard
    r = site.run('-bmalware', '/nonexistent/file')
    assert r.status == 1 and 'No such file' in r.err, r.err
