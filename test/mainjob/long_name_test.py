"""A header line whose name has a megabyte, and one of that length without a colon, in all that looks at messages: conditions, variables,
scanners. What is answered and logged was compared with Debian's exim4 (4.96), also for the limits."""
import os
import re

from scanner_script import Script

CAP = 1 << 20       # header_maxsize
MAIN = '''
queue_only
tls_advertise_hosts =
acl_smtp_data = data
acl_not_smtp = data
'''
ACL = '''begin acl
data:
  warn regex = ^N+:: v
       logwrite = regex: ${length_4:$regex_match_string}
  warn regex = ^N+\\$
       logwrite = regex without colon
  warn !verify = header_names_ascii
       logwrite = names
  warn !verify = header_syntax
       logwrite = syntax
%s
  accept logwrite = <${length_20:$h_subject:}> <$h_%s:> <${length_3:$message_headers}> ${strlen:$message_headers_raw}
'''
LONG = 'ridiculously long message header received from root (more than 1048576 characters): message abandoned'
WITH, WITHOUT = ['regex: ^N+:'], ['regex without colon']


def text(n, colon=True, first=b''):
    """A message whose header section has n bytes, and nearly all of them are one name."""
    end = b': v\n\nbody\n' if colon else b'\n'
    return first + b'N' * (n - len(first) - (4 if colon else 1)) + end


def give(site, message, smtp):
    """-> the answer, and the lines of the log without the arrival."""
    if os.path.exists(site.path('log/mainlog')):
        os.remove(site.path('log/mainlog'))
    if smtp:
        data = b'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n' + message.replace(b'\n', b'\r\n') + b'.\r\nNOOP\r\nQUIT\r\n'
        out = site.run('-odq', '-bs', stdin=data).out.splitlines()
        assert out[-2:] == ['250 OK', '221 mx.example.org closing connection'], out
        answer = re.sub('OK id=.*', 'OK', out[-3])
    else:
        answer = site.run('-odq', '-f', 'a@b.example', 'c@example.org', stdin=message).status
    return answer, [re.sub(r'^ID\d ', '', line) for line in site.log()]


def arrived(log):
    return any(line.startswith('<= a@b.example ') for line in log)


def test_limits(site):
    site.configure(MAIN, more=ACL % ('', 'N'))
    for smtp, good, bad in ((True, '250 OK', '552 Message header is ridiculously long'), (False, 0, 1)):
        for colon, first in ((True, b''), (True, b'Subject: x\n'), (False, b''), (False, b'Subject: x\n')):
            for n in (1000000, CAP - 1, CAP, CAP + 1, 2 * CAP):
                answer, log = give(site, text(n, colon, first), smtp)
                case = (smtp, colon, first, n, answer, [line[:200] for line in log])
                if n > CAP:
                    assert answer == bad and log[0] == LONG and not arrived(log), case
                    continue
                subject = 'x' if first else ''
                assert answer == good and arrived(log), case
                assert log[0] == (WITH if colon else WITHOUT)[0], case
                assert log[1].startswith('<%s> <> <' % subject) and (log[1].endswith('> 65536') or not colon), case
    assert site.raw_log('panic') == ''


def test_a_limit_of_lines(site):
    site.configure(MAIN + 'header_line_maxsize = 1000000\n', more=ACL % ('', 'N'))
    for n in (999999, 1000000, 1000001):
        answer, log = give(site, text(n), True)
        assert (answer == '250 OK') == (n <= 1000000), (n, answer)
    assert answer == '552 A message header line is too long'
    assert log == ['overlong message header line received from root (more than 1000000 characters): message abandoned'], log


def test_the_name_in_a_variable(site):
    """What is asked for by such a name is found, by the letter."""
    name = 'N' * 1000000
    show = '  warn logwrite = <$h_%s:> <$rh_%s:> <$h_M%s:> ${if def:h_%s:{is}}\n' % ((name,) * 4)
    site.configure(MAIN, more=ACL % (show, 'N'))
    answer, log = give(site, text(1000004), True)
    assert answer == '250 OK' and '<v> < v\\n> <> is' in log, [line[:300] for line in log]


MALWARE = '  deny malware = *\n       message = found $malware_name\n'
SPAM = '  deny spam = nobody\n       message = spam $spam_score\n'
SPAMMY = b'SPAMD/1.1 0 EX_OK\r\nContent-length: 1\r\nSpam: True ; 9.0 / 5.0\r\n\r\nreport\r\n'


def test_scanners(site):
    """Each sees the whole line; what it says is the answer."""
    end = (b'\0\0\0\0',)
    for main, condition, script, path, want in (
            ('av_scanner = clamd:@\n', MALWARE, (end, b'stream: Bad FOUND\0'), None, '550 found Bad'),
            ('av_scanner = clamd:@\n', MALWARE, ('line', b'/x: Bad FOUND\n'), site.path('s'), '550 found Bad'),
            ('spamd_address = @\n', SPAM, ('end', SPAMMY), None, '550 spam 9.0')):
        for colon in (True, False):
            with Script(*script, path=path and path + str(colon)) as server:
                site.configure(MAIN + main.replace('@', server.where), more=ACL % (condition, 'N'))
                answer, log = give(site, text(CAP, colon), True)
            assert answer == want, (main, colon, answer, log)
            assert any(re.search(r'rejected after DATA: ' + want[4:], line) for line in log), log
            if path is None:
                heard = re.sub(rb'\n....NNN', b'\nNNN', re.sub(rb'N\0..[^N]N', b'NN', server.heard[0], flags=re.S))
                assert heard.count(b'N') >= CAP - 4, (main, colon, heard.count(b'N'))
    assert site.raw_log('panic') == '' and os.listdir(site.path('spool/scan')) == []
