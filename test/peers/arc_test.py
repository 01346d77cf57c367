"""ARC with another program's: python3-dkim makes chains that remex checks, and checks the sets that remex makes."""
import os
import re
import smtplib
import sys

sys.path.append('/usr/lib/python3/dist-packages')       # of Debian's packages, whichever Python runs this
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'daemon')]
import dkim
from daemon import Daemon
from scripted import Host

ACL = '''
begin acl
check:
  warn !verify = arc
       logwrite = not sound
  warn logwrite = state=$arc_state reason=$arc_state_reason domains=$arc_domains oldest=$arc_oldest_pass
  accept add_header = :at_start:${authresults{mail.example}}
'''
ROUTERS = '''
out:
  driver = manualroute
  route_list = * 127.0.0.1 byname
  transport = out
  self = send
'''
TRANSPORTS = '''
out:
  driver = smtp
  port = %d
  allow_localhost
  message_linelength_limit = 100000
  hosts_try_chunking = %s
  arc_sign = %s
'''
SPEC = 'mail.example : %s : %s'
TEXT = (b'Authentication-Results: mail.example; spf=pass smtp.mailfrom=a.example;\r\n\tarc=none\r\nReceived: from x by y; now\r\n'
        b'From: A <a@a.example>\r\nTo: b@b.example\r\nSubject: a folded\r\n  subject\r\nMessage-ID: <1@a.example>\r\n\r\n'
        b'text \r\n\r\nmore   text\r\n\r\n\r\n')


def key(selector='sel'):
    return os.environ['REMEX_ARC'] + '/%s.pem' % selector


def saying(text, result):
    """The message with another result of ARC in its Authentication-Results line."""
    return re.sub(rb'(?m)^(Authentication-Results: .*\r\n\tarc=)\w+', rb'\g<1>' + result, text)


def with_set(text, result=b'none', selector='sel', **more):
    """The message with another set by python3-dkim."""
    text = saying(text, result)
    with open(key(selector), 'rb') as f:
        lines = dkim.arc_sign(text, selector.encode(), b'mail.example', f.read(), b'mail.example', linesep=b'\r\n', **more)
    assert lines, 'was not signed'
    return b''.join(lines) + text


def chain(n):
    text = TEXT
    for i in range(n):
        text = with_set(text, b'pass' if i else b'none')
    return text


def configure(site, port=25, spec='', chunks='', main='acl_smtp_data = check\nqueue_only\n', more=ACL, transports=''):
    site.configure(main=main, routers=ROUTERS, transports=TRANSPORTS % (port, chunks, spec) + transports, more=more)


def checked(site, text):
    """What the log says of a message: (state, reason, domains, oldest)."""
    dialogue = b'EHLO client.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n' + text + b'.\r\nQUIT\r\n'
    r = site.run('-bs', '-oMa', '192.0.2.1', stdin=dialogue)
    found = re.findall(r'state=(\S*) reason=(.*) domains=(\S*) oldest=(\d+)$', site.raw_log(), re.M)
    assert found, (r.out, site.raw_log(), site.raw_log('panic'))
    return found[-1]


# --- chains of the other ---

def test_good_chains(site):
    configure(site)
    assert checked(site, TEXT) == ('none', '', '', '0')
    for n in (1, 2, 3):
        assert checked(site, chain(n)) == ('pass', '', ':'.join(['mail.example'] * n), '1')
    assert 'not sound' not in site.raw_log()
    assert len(re.findall(r' <= .* ARC ', site.raw_log())) == 3
    text = site.run('-Mvh', site.queue()[1]).out
    assert 'arc=pass (i=1) header.s=sel arc.oldest-pass=1 smtp.remote-ip=192.0.2.1' in text, text


def test_what_was_changed(site):
    configure(site)
    text = chain(2)
    for old, new, reason in ((b'more', b'less', '(i=2; ARC-Message-Signature: body hash mismatch; body probably modified in transit)'),
                             (b'From: A', b'From: B', '(i=2; ARC-Message-Signature: signature did not verify; headers probably modified in transit)'),
                             (b'arc=none', b'arc=fail', '(i=2; ARC-Seal: signature did not verify; headers probably modified in transit)'),
                             (b'i=1; a=', b'i=3; a=', None), (b'cv=pass', b'cv=none', '(i=2; wrong cv)')):
        assert old in text
        state = checked(site, text.replace(old, new))
        assert state[0] == 'fail' and reason in (None, state[1]), (old, state)
    assert site.raw_log().count('not sound') == 5


def test_lines_that_are_rewritten(site):
    """What is checked is what came."""
    configure(site, more=ACL.replace('check:\n', 'check:\n  warn remove_header = Subject\n') +
              'begin rewrite\n*@a.example $1@changed.example Ffrs\n')
    assert checked(site, with_set(TEXT))[0] == 'pass'
    assert 'From: A <a@changed.example>' in site.run('-Mvh', site.queue()[0]).out


def test_the_oldest_set_that_still_holds(site):
    configure(site)
    one = with_set(TEXT)
    two = with_set(one.replace(b'more', b'other'), b'pass')
    assert checked(site, two) == ('pass', '', 'mail.example:mail.example', '2')
    assert checked(site, with_set(two, b'pass'))[3] == '2'


def test_other_keys(site):
    configure(site)
    assert checked(site, with_set(TEXT, selector='weak'))[1] == '(i=1; ARC-Message-Signature: public key too short)'
    for old, new, reason in ((b's=sel', b's=gone', 'pubkey unavailable'), (b's=sel', b's=revoked', 'public key record import'),
                             (b's=sel', b's=odd', 'public key record import'),
                             (b's=sel', b's=for-sha1', 'hash not allowed by the key'), (b'a=rsa-sha256', b'a=rsa-sha1', 'body hash mismatch')):
        state = checked(site, with_set(TEXT).replace(old, new))
        assert state[0] == 'fail' and reason in state[1], (new, state)


def test_many_sets(site):
    """Nothing is looked up for a chain that is none."""
    configure(site)
    fake = (b'ARC-Seal: i=%d; cv=%s; a=rsa-sha256; d=mail.example; s=sel; b=QUJD\r\n'
            b'ARC-Message-Signature: i=%d; a=rsa-sha256; d=mail.example; s=sel; h=From; bh=QUJD; b=QUJD\r\n'
            b'ARC-Authentication-Results: i=%d; mail.example; none\r\n')
    for n, reason in ((50, '(i=50; ARC-Message-Signature: body hash mismatch; body probably modified in transit)'), (51, '(ARC-Seal without a usable i=)')):
        sets = b''.join(fake % (i, b'pass' if i > 1 else b'none', i, i) for i in range(n, 0, -1))
        assert checked(site, sets + TEXT)[:2] == ('fail', reason)


def test_large_headers(site):
    configure(site)
    line = b'ARC-Seal: i=1; cv=none; a=rsa-sha256; d=mail.example; s=sel;\r\n b=' + b'QUJD\r\n ' * 120000 + b'\r\n'
    assert checked(site, line + TEXT)[0] == 'fail'
    assert checked(site, b'X: ' + b'y\r\n ' * 200000 + b'\r\n' + chain(1))[0] == 'pass'
    many = b''.join(b'ARC-Seal: i=1; b=QUJD\r\n' for _ in range(20000))
    assert checked(site, many + TEXT)[:2] == ('fail', '(i=1; several ARC-Seal)')


def test_a_daemon_checks(site):
    configure(site)
    for main in ('', 'smtp_sessions_per_process = 1\n'):
        configure(site, main='acl_smtp_data = check\nqueue_only\n' + main)
        with Daemon(site) as d:
            d.send('x@example.org', text=chain(2).decode())
        assert re.findall(r'state=(\w+)', site.raw_log())[-1] == 'pass', site.raw_log()
    assert site.raw_log('panic') == '', site.raw_log('panic')


# --- sets of ours ---

def sent(site, text, spec=None, chunks='', **more):
    """What arrives of a message that is submitted and signed."""
    with Host(extensions=('CHUNKING',) if chunks else ()) as host:
        configure(site, host.port, SPEC % ('sel', key()) if spec is None else spec, chunks, main='', more='', **more)
        site.send('x@y.example', text=text.replace(b'\r\n', b'\n'), options=('-odf', '-oi', '-f', 'a@a.example'))
        assert len(host.taken) == 1, (site.raw_log(), site.raw_log('panic'))
        got = host.taken[0]
        return got if isinstance(got, bytes) else got.encode('latin-1')


def key_record(name, timeout=5):
    """What stands at selector._domainkey.mail.example."""
    del timeout
    with open(key(name.split(b'.')[0].decode()).replace('.pem', '.txt'), 'rb') as f:
        return f.read()


def verdict(text):
    cv, _, reason = dkim.arc_verify(text, dnsfunc=key_record)
    return cv, reason


def assert_good(text, n):
    assert text.startswith(b'ARC-Seal: i=%d;' % n), text[:200]
    assert verdict(text) == (b'pass', 'success'), (verdict(text), text)


def test_a_first_set(site):
    text = sent(site, TEXT)
    assert_good(text, 1)
    names = [line.split(b':')[0] for line in text.split(b'\r\n') if line[:1] not in (b' ', b'\t')][:3]
    assert names == [b'ARC-Seal', b'ARC-Authentication-Results', b'ARC-Message-Signature'], names
    assert b' t=' not in text and b' x=' not in text and b'cv=none' in text


def test_in_chunks(site):
    assert_good(sent(site, TEXT, chunks='*'), 1)


def test_a_set_upon_others(site):
    for n in (1, 2):
        assert_good(sent(site, saying(chain(n), b'pass')), n + 1)
    # and both agree about what comes of it
    last = sent(site, saying(chain(2), b'pass'))
    configure(site)
    assert checked(site, last)[0] == 'pass'


def test_times(site):
    text = sent(site, TEXT, spec=SPEC % ('sel', key()) + ' : timestamps, expire=+100')
    assert_good(text, 1)
    created = re.findall(rb' t=(\d+)', text)
    assert len(created) == 2 and int(re.search(rb' x=(\d+)', text).group(1)) == int(created[0]) + 100, text
    text = sent(site, TEXT, spec=SPEC % ('sel', key()) + ' : expire=1700000000')
    assert b' x=1700000000;' in text and b' t=' not in text
    assert b' x=' in sent(site, TEXT, spec=SPEC % ('sel', key()) + ' : expire')
    sent(site, TEXT, spec=SPEC % ('sel', key()) + ' : perhaps')
    assert "ARC: unknown option 'perhaps' of arc_sign" in site.raw_log()


def test_behind_a_filter(site):
    filter_program = site.write('filter', '#!/bin/sh\nsed s/more/other/\n', 0o755)
    text = sent(site, TEXT, transports='  transport_filter = %s\n' % filter_program)
    assert b'other   text' in text
    assert_good(text, 1)


def test_a_broken_chain_is_sealed_alone(site):
    broken = saying(chain(1).replace(b'more', b'other'), b'fail')
    text = sent(site, broken)
    assert text.startswith(b'ARC-Seal: i=2; cv=fail;'), text[:100]
    assert verdict(text) == (None, 'ARC-Seal[2] reported failure, the chain is terminated'), verdict(text)
    sent(site, text)        # and nothing is put on it
    assert 'ARC: the message is not signed: somebody has found its sets broken already' in site.raw_log()


def test_what_is_not_signed(site):
    good = SPEC % ('sel', key())
    for text, spec, why in (
            (TEXT, '', None), (TEXT, '${if eq{a}{b}{x}fail}', None), (TEXT, '${if eq{a}{a}{}}', None),
            (TEXT, ' : sel : ' + key(), 'ARC: bad signing-specification (identity)'),
            (TEXT, 'mail.example : : ' + key(), 'ARC: bad signing-specification (selector)'),
            (TEXT, 'mail.example : sel', 'ARC: bad signing-specification (private-key)'),
            (TEXT, 'mail.example : sel;x=1 : ' + key(), 'ARC: bad signing-specification (selector)'),
            (TEXT, 'mail.example : sel : nonsense', 'ARC: AMS signing: privkey PEM-block import: '),
            (TEXT, 'mail.example : sel : /nothing/here', 'ARC: unable to open file for reading: /nothing/here'),
            (TEXT, 'mail.example : sel : ${extract', 'ARC: failed to expand arc_sign: '),
            (TEXT, 'other.example : sel : ' + key(), 'ARC: no Authentication-Results header for signing'),
            (chain(1), good, 'ARC: the message is not signed: Authentication-Results does not say what became of its sets'),
            (TEXT.replace(b'more', b'y' * 20000), good, 'ARC: bad message body-hash')):
        got = sent(site, text, spec=spec)
        assert not got.startswith(b'ARC-Seal') and b'From: A <a@a.example>' in got, got[:300]
        assert why is None or why in site.raw_log(), (why, site.raw_log())


def test_a_key_in_the_option_and_ed25519(site):
    with open(key()) as f:
        assert_good(sent(site, TEXT, spec='mail.example : sel : ' + f.read().strip().replace('\n', '\\n')), 1)
    text = sent(site, TEXT, spec=SPEC % ('ed', key('ed')))
    assert b'a=ed25519-sha256;' in text, text[:400]
    configure(site)
    assert checked(site, text)[0] == 'pass'


def test_a_daemon_signs(site):
    with Host() as host:
        configure(site, host.port, SPEC % ('sel', key()), main='acl_smtp_data = check\n')
        with Daemon(site) as d:
            for n, text in ((1, TEXT), (2, saying(chain(1), b'pass'))):
                with smtplib.SMTP('127.0.0.1', d.port, local_hostname='client.example', timeout=60) as c:
                    c.sendmail('a@a.example', ['x@y.example'], text)
                site.wait_for(lambda n=n: len(host.taken) == n)
                got = host.taken[-1]
                assert_good(got if isinstance(got, bytes) else got.encode('latin-1'), n)
                assert b'; smtp.remote-ip=127.0.0.1;' in (got if isinstance(got, bytes) else got.encode('latin-1'))
    assert site.raw_log('panic') == '', site.raw_log('panic')
