"""DKIM with others: what remex signs is good to Debian's exim4 and to python3-dkim, what these sign is good to remex; and keys, records
and name servers that are no good."""
import contextlib
import difflib
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from exchange_test import BODIES
from mailers import EXIM, Exim, Remex

TOOL = ['/usr/bin/python3', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'dkim_tool.py')]
KEYS = os.environ.get('REMEX_DKIM', '')
LOCK = threading.Lock()
SIGN = '''dkim_domain = dkim.example
  dkim_selector = %(selector)s
  dkim_private_key = %(keys)s/$dkim_selector
  %(more)s'''
VERIFY = '''acl_smtp_dkim = dkim
acl_smtp_data = data
dkim_verify_hashes = sha256 : sha512 : sha1
%s
'''
ACL = '''begin acl
dkim:
  accept logwrite = signer=$dkim_cur_signer status=$dkim_verify_status reason=$dkim_verify_reason bits=$dkim_key_length \\
                    testing=$dkim_key_testing notes=$dkim_key_notes l=$dkim_bodylength h=$dkim_headernames
data:
  accept dkim_status = pass
         logwrite = has a good one: $dkim_verify_status
  accept logwrite = has no good one: $dkim_verify_status
'''
GOOD = '[verification succeeded]'
SIGNED = {
    'rsa': ('rsa', ''),
    'simple': ('rsa', 'dkim_canon = simple'),
    'ed25519': ('ed', 'dkim_identity = me@$dkim_domain\n  dkim_timestamps = 3600'),
    'both': ('rsa : ed', 'dkim_sign_headers = _DKIM_OVERSIGN_HEADERS'),
    'filter': ('rsa', 'transport_filter = /bin/sed s/x/yz/g'),
    'no chunks': ('rsa', 'hosts_try_chunking = :'),
    'added': ('ed', 'headers_add = X-New: 1\\nX-New2: 2\n  headers_remove = X-Old\n  return_path_add\n'
                    '  dkim_sign_headers = +From:=X-New:X-Old'),
}

# Exim 4.96 takes an empty body for none also where RFC 6376 section 3.4.3 makes one line end of it.
SPECIAL = [('empty', 'simple')]


def message(subject, body=b'text\r\n', more=b''):
    return (b'From: s@dkim.example\r\nTo: box\r\nSubject: %s\r\nX-Old: 1\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n'
            b'Message-ID: <%s@x>\r\n%s\r\n%s' % (subject.encode(), subject.encode(), more, body))


def tool(*args, text):
    return subprocess.run(TOOL + list(args), input=text, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def sign(text, selector, *options, domain='dkim.example', key=None):
    return tool('sign', selector, domain, os.path.join(KEYS, key or selector), *options, text=text)


def remex(site, out='', main=''):
    """With keys as administrators have them: the group of the mail user may read them, and nobody else."""
    for name in os.listdir(KEYS):
        os.chown(os.path.join(KEYS, name), 0, site.gid)
        os.chmod(os.path.join(KEYS, name), 0o640)
    return Remex(site, '127.0.2.31', 'remex.dkim.example', more=main, out=out, sections=ACL if main else '')


@contextlib.contextmanager
def pair(site, out='', peer_out=''):
    with LOCK, Exim(site, '127.0.1.31', 'exim.dkim.example') as exim, \
            remex(site, out) as own:
        try:
            yield own, exim
        except Exception as e:
            raise AssertionError('%s\n--- log\n%s\n--- log of exim\n%s' % (e, own.log_text(), exim.log_text())) from e


def test_what_is_signed_verifies(site):
    for name, (selector, more) in SIGNED.items():
        out = SIGN % {'selector': selector, 'keys': KEYS, 'more': more}
        with pair(site, out) as (own, exim):
            for kind, body, options in BODIES:
                subject = '%s-%s' % (name.replace(' ', ''), kind)
                own.take('s@dkim.example', 'box@' + exim.domain, message(subject, body), options)
                text = exim.arrived(b'\nSubject: %s\n' % subject.encode())
                results = tool('verify', text=text.replace(b'\n', b'\r\n')).split()
                assert results == [b'pass'] * len(selector.split(':')), (subject, results, text[:2000])
            want = sum(len(selector.split(':')) for kind, _, _ in BODIES if (kind, name) not in SPECIAL)
            lines = [x for x in exim.log_text().splitlines() if ' DKIM: d=dkim.example ' in x and GOOD in x]
            assert len(lines) == want, exim.log_text()


def test_what_exim_signs_verifies(site):
    class Signer(Exim):
        def prepare(self):
            Exim.prepare(self)
            path = self.path('conf')
            with open(path) as f:
                text = f.read()
            with open(path, 'w') as f:
                f.write(text.replace('  allow_localhost\n', '  allow_localhost\n  ' + self.signs + '\n'))
    seen = 0
    for selector, more in (('rsa', ''), ('ed', 'dkim_timestamps = 100'), ('rsa : ed', '')):
        Signer.signs = SIGN % {'selector': selector, 'keys': KEYS, 'more': more}
        with LOCK, Signer(site, '127.0.1.31', 'exim.dkim.example') as exim, remex(site, main=VERIFY % '') as own:
            for kind, body, options in BODIES:
                subject = 'exim-%s-%s' % (selector.replace(' ', ''), kind)
                exim.take('s@dkim.example', 'box@' + own.domain, message(subject, body), options)
                own.arrived(b'\nSubject: %s\n' % subject.encode())
            seen += len(BODIES) * len(selector.split(':'))
            lines = [x for x in own.log_text().splitlines() if ' DKIM: d=dkim.example ' in x]
            assert len(lines) == seen and all(GOOD in x for x in lines), own.log_text()


@contextlib.contextmanager
def verifier(site, main=''):
    with LOCK, remex(site, main=VERIFY % main) as own:
        try:
            yield own
        except Exception as e:
            raise AssertionError('%s\n--- log\n%s' % (e, own.log_text())) from e


def logged(own, subject, text):
    """The lines of the log about the message."""
    before = len(own.log_text())
    own.take('s@dkim.example', 'box@' + own.domain, text)
    own.arrived(b'\nSubject: %s\n' % subject.encode())
    return own.log_text()[before:]


def test_what_python_signs_verifies(site):
    ways = [('rsa', ()), ('rsa', ('header=simple', 'body=simple')), ('rsa', ('header=simple',)), ('rsa', ('body=simple',)),
            ('ed', ('alg=ed25519-sha256',)), ('rsa', ('alg=rsa-sha1',)), ('rsa', ('length=1', 'identity=me@sub.dkim.example')),
            ('alias', ()), ('several', ()), ('large', ())]
    with verifier(site) as own:
        for i, (selector, options) in enumerate(ways):
            for kind, body, _ in BODIES[:3]:
                subject = 'way%d-%s' % (i, kind)
                key = selector if selector in ('rsa', 'ed') else 'rsa'
                log = logged(own, subject, sign(message(subject, body), selector, *options, key=key))
                assert GOOD in log and 'has a good one: pass' in log and ' DKIM=dkim.example ' in log, (subject, options, log)
        log = logged(own, 'appended', sign(message('appended', b'a\r\n'), 'rsa', 'length=1') + b'more\r\n')
        assert ' l=3 ' in log and GOOD in log and 'testing=1 notes=for tests l=3 h=from:to:subject' in log, log
        two = sign(sign(message('two'), 'rsa'), 'ed', 'alg=ed25519-sha256')
        log = logged(own, 'two', two)
        assert log.count(GOOD) == 4 and log.index(' s=ed ') < log.index(' s=rsa '), log


def test_what_was_changed_fails(site):
    with verifier(site) as own:
        signed = sign(message('changed'), 'rsa')
        log = logged(own, 'changed', signed + b'more\r\n')
        assert 'status=fail reason=bodyhash_mismatch bits=0' in log and 'has no good one: fail:fail' in log, log
        log = logged(own, 'chunged', signed.replace(b'Subject: changed', b'Subject: chunged'))
        assert 'status=fail reason=signature_incorrect bits=2048' in log, log
        log = logged(own, 'missing', sign(message('missing'), 'rsa').replace(b' s=rsa;', b''))
        assert 'status=invalid reason= ' in log and '[invalid - signature tag missing or invalid]' in log, log
        stranger = sign(message('stranger'), 'rsa').replace(b' bh=', b' i=@elsewhere.example; bh=', 1).replace(b' i=@dkim.example;', b'')
        log = logged(own, 'stranger', stranger)
        assert 'signer=@elsewhere.example status=invalid' in log, log


def test_keys_that_are_no_good(site):
    want = {
        'revoked': ('invalid', 'pubkey_der_syntax', '[failed key import]'),
        'garbage': ('invalid', 'pubkey_dns_syntax', 'syntax error in public key record'),
        'notmail': ('invalid', 'pubkey_dns_syntax', 'syntax error in public key record'),
        'other': ('invalid', 'pubkey_dns_syntax', 'syntax error in public key record'),
        'sha1': ('fail', '', '[verification failed - unspecified reason]'),
        'nothere': ('invalid', 'pubkey_unavailable', 'public key record (currently?) unavailable'),
        'huge': ('invalid', 'pubkey_dns_syntax', '[invalid - overlong public key record]'),
        'small': ('fail', 'pubkey_too_short', '[verification failed - signature invalid (key too short)]'),
        'a..b': ('invalid', 'pubkey_unavailable', 'public key record (currently?) unavailable'),
    }
    with verifier(site) as own:
        for selector, (status, reason, words) in want.items():
            key = 'small' if selector == 'small' else 'rsa'
            subject = 'no-' + selector
            log = logged(own, subject, sign(message(subject), selector, key=key))
            assert 'status=%s reason=%s bits' % (status, reason) in log and words in log, (selector, log)
            assert 'has no good one: %s:%s' % (status, status) in log and ' DKIM=' not in log, (selector, log)


def test_a_name_server_that_never_answers(site):
    with verifier(site) as own:
        text = message('late')
        for i in range(3):
            text = sign(text, 's%d' % i, domain='late.dkim.example', key='rsa')
        begun = time.monotonic()
        log = logged(own, 'late', sign(text, 'rsa'))
        assert time.monotonic() - begun < 90, time.monotonic() - begun
        assert log.count('reason=pubkey_unavailable') == 6 and log.count(GOOD) == 2, log


def test_too_many_signatures(site):
    with verifier(site) as own:
        one = sign(message('many'), 'rsa')
        line = one[:len(one) - len(message('many'))]
        for n, verified in ((18, True), (19, True), (20, False)):
            log = logged(own, 'many', line * n + message('many'))
            assert log.count(GOOD) == (2 * n if verified else 0), (n, log)
            assert ('EXCESS_SIGS' in log) != verified, (n, log)


def test_long_lines_and_names(site):
    with verifier(site) as own:
        for n, verified in ((16380, True), (16381, True), (16382, False)):
            subject = 'line%d' % n
            log = logged(own, subject, sign(message(subject, b'x' * n + b'\r\n'), 'rsa'))
            assert (GOOD in log) == verified and ('LONG_LINE' in log) != verified, (n, log)
        text = sign(message('name', more=b'N: x\r\n'), 'rsa', 'fields=from:to:' + 'x:' * 5000)
        used = len(text.split(b'\r\n\r\n')[0].replace(b'\r\n', b'\n')) + 1
        for n in (1000000, (1 << 20) - used + 1):       # and with a header of the largest size
            log = logged(own, 'name', text.replace(b'\r\nN: x', b'\r\n' + b'N' * n + b': x'))
            assert GOOD in log and 'has a good one: pass' in log, log
        log = logged(own, 'other', b'N' * 1000000 + b'\r\n' + sign(message('other'), 'rsa'))     # no header, hence no signature
        assert ' DKIM: ' not in log and 'has no good one: ' in log, log
        for n, seen in ((65535, True), (65536, True), (65537, False)):      # bytes of the line of a signature
            one = sign(message('line'), 'rsa').split(b'\r\nFrom: ')[0].replace(b'\r\n', b'\n') + b'\n'
            line = one.replace(b' v=1;', b' v=1; z=' + b'y' * (n - len(one) - 4) + b';')
            log = logged(own, 'line', line.replace(b'\n', b'\r\n') + message('line'))
            assert (' DKIM: d=dkim.example ' in log) == seen, (n, log)
            assert ('DKIM: a signature of 65537 bytes is ignored: the limit is 65536' in log) != seen, (n, log)


def test_minimal_and_hashes(site):
    with verifier(site, 'dkim_verify_minimal') as own:
        log = logged(own, 'least', sign(sign(message('least'), 'rsa'), 'ed', 'alg=ed25519-sha256'))
        assert log.count(GOOD) == 2 and ' s=rsa ' not in log and 'has a good one: pass:pass\n' in log, log
    with LOCK, remex(site, main=VERIFY.replace('dkim_verify_hashes = sha256 : sha512 : sha1', '') %
                     'dkim_verify_keytypes = rsa\ndkim_verify_min_keysizes = rsa=4096\n') as own:
        log = logged(own, 'old', sign(sign(message('old'), 'rsa', 'alg=rsa-sha1'), 'ed', 'alg=ed25519-sha256'))
        assert ' DKIM: ' not in log and 'has no good one: ' in log, log
        log = logged(own, 'short', sign(message('short'), 'rsa'))
        assert 'reason=pubkey_too_short bits=2048' in log, log


WORDS = '''begin acl
dkim:
  warn dkim_status = pass
       logwrite = passed
  warn dkim_status = none
       logwrite = none
  warn dkim_status = invalid : fail
       logwrite = bad
  warn dkim_signers = dkim.example
       logwrite = the signer
  accept logwrite = $dkim_cur_signer $dkim_verify_status $dkim_verify_reason d=$dkim_domain i=$dkim_identity s=$dkim_selector $dkim_algo \\
                    $dkim_canon_body $dkim_canon_headers z=$dkim_copiedheaders $dkim_bodylength $dkim_created $dkim_expires h=$dkim_headernames
         logwrite = $dkim_key_testing $dkim_key_nosubdomains $dkim_key_srvtype $dkim_key_granularity n=$dkim_key_notes $dkim_key_length $dkim_signers
data:
  accept logwrite = ${authresults{me}}
         logwrite = $dkim_verify_status $dkim_verify_reason $dkim_signers
'''


def said(site, binary, text, main):
    """What the log of a program says of a message."""
    site.configure(VERIFY % ('queue_only\n' + main), more=WORDS)
    for log in ('main', 'panic'):
        if os.path.exists(site.path('log/%slog' % log)):
            os.remove(site.path('log/%slog' % log))
    mail = b'EHLO x.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n%s\r\n.\r\nQUIT\r\n' % text
    subprocess.run([binary, '-C', site.conf, '-odq', '-bs', '-oMa', '192.0.2.9'], input=mail, stdout=subprocess.PIPE, check=True, timeout=90)
    lines = [re.sub(r'(<= ).* S=N| id=\S+', r'\1', x) for x in site.log() + site.log('panic')]
    return [x.replace(' 256 dkim.example', ' 253 dkim.example') for x in lines]      # bits of an Ed25519 key: 256 in 4.96, 253 since


def words():
    """Messages that are judged alike; see known-differences.md for others."""
    for s in ('rsa', 'ed', 'garbage', 'notmail', 'sha1', 'nothere', 'small', 'a..b', 'alias', 'several', 'large'):
        yield s, sign(message('x'), s, *(('alg=ed25519-sha256',) if s == 'ed' else ()), key=s if s in ('small', 'ed') else 'rsa')
    yield 'late', sign(message('x'), 'rsa', domain='late.dkim.example', key='rsa')
    yield 'unsigned', message('x')
    good = sign(message('x'), 'rsa', 'identity=me@sub.dkim.example', 'length=1')
    yield 'good', good
    yield 'body', good.replace(b'\r\ntext\r\n', b'\r\ntexu\r\n')
    yield 'header', good.replace(b'Subject: x', b'Subject: y')
    yield 'simple', sign(message('x'), 'rsa', 'header=simple', 'body=simple')
    one = sign(message('x'), 'rsa')
    for old, new in ((b' v=1;', b' v=2;'), (b' v=1;', b''), (b' a=rsa-sha256;', b' a=rsa-md5;'), (b' a=rsa-sha256;', b''), (b' s=rsa;', b''),
                     (b' d=dkim.example;', b''), (b' c=relaxed/relaxed;', b' c=relaxed;'), (b' v=1;', b' v=1; z=From:a|To:b;'),
                     (b' v=1;', b' v=1; x=6;'), (b' v=1;', b' v=1; l=99999;'), (b' v=1;', b' v=1; foo=bar;'), (b' bh=', b' bh=AAAA'), (b' h=from', b' h=fro')):
        assert old in one, (old, one)
        yield '%s for %s' % (new, old), one.replace(old, new, 1)
    yield 'two', sign(sign(message('x'), 'rsa'), 'ed', 'alg=ed25519-sha256')


def test_words(site):
    """Every variable, condition and line of the log, and the results for Authentication-Results:, are those of Debian's exim4."""
    wrong = []
    for main in ('log_selector = +dkim_verbose', 'log_selector = -dkim\ndkim_verify_signers = nobody.example : $sender_address_domain : $dkim_signers : dkim.example',
                 'dkim_verify_minimal'):
        for what, text in words():
            if main == 'dkim_verify_minimal' and what in ('two', 'late'):    # for 'two', 4.96 runs the ACL of what it did not look at, too
                continue
            ours, theirs = (said(site, b, text, main) for b in (site.binary, EXIM))
            if ours != theirs:
                wrong.append('%s, %s\n%s' % (what, main, '\n'.join(difflib.unified_diff(ours, theirs, 'remex', 'exim4', n=0, lineterm=''))))
    assert not wrong, '\n'.join(wrong)
