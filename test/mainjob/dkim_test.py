"""DKIM of one program: what each option of signing makes of a message, what cannot be signed, and what an ACL may say of a signature. No DNS
is asked; test/peers has others that verify."""
import base64
import os
import re
import subprocess

from remote_test import OUT, ROUTER, Server

MESSAGE = 'From: me@here.example\nTo: you@far.example\nX-A: 1\nX-A: 2\nSubject: t\n\nbody\n'
BASE = {'dkim_domain': 'here.example', 'dkim_selector': 'sel', 'dkim_private_key': '{top}/key'}
ROUTERS = ROUTER % '127.0.0.1'


def make_keys(site):
    for name, args in (('key', ('genrsa', '-traditional', '1024')), ('ed', ('genpkey', '-algorithm', 'ed25519'))):
        made = subprocess.run(('openssl',) + args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        site.write(name, made, 0o640)
    site.write('junk', 'no key\n')


def signed(site, server, main='log_selector = +dkim_verbose', text=MESSAGE, **options):
    """(tags of each signature, header lines behind them, lines of the log) of a message that was sent with these options."""
    given = dict(BASE, **options)
    lines = ''.join('  %s = %s\n' % (k, v) for k, v in given.items() if v is not None)
    site.configure(main, ROUTERS, OUT % (server.port, lines))
    before, had = len(server.messages), len(site.log())
    site.send('you@far.example', text=text, options=('-odf', '-f', 'me@here.example'))
    log = site.log()[had:]
    if len(server.messages) == before:
        return None, None, log
    data = server.messages[before][2].split(b'\r\n\r\n', 1)[0].decode('latin-1')
    assert all(len(x) <= 78 for x in data.split('\r\n')), data
    fields = re.sub(r'\r\n[ \t]', ' ', data).split('\r\n')
    ours = [x for x in fields if x.startswith('DKIM-Signature: ')]
    assert fields[:len(ours)] == ours, fields
    tags = [dict((k, re.sub(r'\s', '', v)) for k, v in re.findall(r'(\w+)=([^;]*);', x)) for x in ours]
    return tags, fields[len(ours):], log


def test_options(site):
    make_keys(site)
    with Server() as server:
        (one,), _, log = signed(site, server)
        assert [one[x] for x in ('v', 'a', 'q', 'c', 'd', 's')] == [
            '1', 'rsa-sha256', 'dns/txt', 'relaxed/relaxed', 'here.example', 'sel'], one
        assert one['h'].startswith('Date:Message-Id:Subject:To:From:') and one['h'].endswith(':List-Archive'), one
        assert len(base64.b64decode(one['b'])) == 128 and len(base64.b64decode(one['bh'])) == 32, one
        assert not set(one) & {'i', 't', 'x', 'l'}, one
        assert any(x.endswith(' DKIM=here.example:sel C="250 taken"') for x in log), log
        (one,), _, log = signed(site, server, main='')
        assert ' DKIM=' not in ''.join(log), log
        (one,), _, _ = signed(site, server, dkim_canon='simple', dkim_hash='sha512', dkim_identity='a@$dkim_domain')
        assert (one['c'], one['a'], one['i'], len(base64.b64decode(one['bh']))) == (
            'simple/simple', 'rsa-sha512', 'a@here.example', 64), one
        (one,), _, _ = signed(site, server, dkim_timestamps='1000')
        assert int(one['x']) - int(one['t']) == 1000, one
        (one,), _, _ = signed(site, server, dkim_timestamps='0')
        assert int(one['t']) > 1700000000 and 'x' not in one, one
        (one,), _, _ = signed(site, server, dkim_sign_headers='From:=X-A:+Subject:Nope')
        assert one['h'] == 'Subject:X-A:X-A:From:Subject:Nope', one
        (one,), _, log = signed(site, server, dkim_canon='odd')
        assert one['c'] == 'relaxed/relaxed' and "ID1 DKIM: unknown canonicalization method 'odd', defaulting to 'relaxed'." in \
            re.sub(r'ID\d+', 'ID1', '\n'.join(log)), log


def test_several(site):
    make_keys(site)
    with Server() as server:
        tags, _, log = signed(site, server, dkim_domain='Here.Example : other.example',
                              dkim_selector='${if eq{$dkim_domain}{here.example}{key : ed}{key}}',
                              dkim_private_key='{top}/$dkim_selector')
        assert [(t['d'], t['s'], t['a']) for t in tags] == [
            ('here.example', 'key', 'rsa-sha256'), ('here.example', 'ed', 'ed25519-sha256'),
            ('other.example', 'key', 'rsa-sha256')], tags
        assert any(' DKIM=here.example:key:here.example:ed:other.example:key ' in x for x in log), log


def test_not_wanted(site):
    make_keys(site)
    with Server() as server:
        for options in ({'dkim_domain': None}, {'dkim_domain': ''}, {'dkim_selector': None}, {'dkim_selector': '${if eq{a}{b}{c}}'},
                        {'dkim_private_key': '0'}, {'dkim_private_key': 'false'}, {'dkim_private_key': ''}):
            tags, fields, log = signed(site, server, dkim_strict='1', **options)
            assert tags == [] and fields[0].startswith('Received: '), (options, fields)
            assert site.raw_log('panic') == '' and any(' => ' in x for x in log), (options, log)


FAULTS = {
    'unable to open file for reading: TOP/nothere': {'dkim_private_key': '{top}/nothere'},
    'DKIM: signing failed: PRIVKEY': {'dkim_private_key': '{top}/junk'},
    "DKIM: unrecognised hashname 'md5'": {'dkim_hash': 'md5'},
    'DKIM: keys of type ed25519 do not sign with sha512': {'dkim_hash': 'sha512', 'dkim_private_key': '{top}/ed'},
    "Tainted filename '/you@far.example' for dkim_private_key": {'dkim_private_key': '/$local_part@$domain'},
    "DKIM: bad dkim_timestamps value 'soon'": {'dkim_timestamps': 'soon'},
    'DKIM: dkim_sign_headers names nothing to sign': {'dkim_sign_headers': ''},
    "DKIM: bad domain or selector 'here.example', 'a;b=c'": {'dkim_selector': 'a;b=c'},
    "DKIM: bad dkim_identity value 'a b'": {'dkim_identity': 'a b'},
    'DKIM: signing failed: LONG_LINE': {'message_linelength_limit': '20000'},
}


def test_faults(site):
    """Without dkim_strict a message goes unsigned; with it, it waits. The log says why."""
    make_keys(site)
    with Server() as server:
        for words, options in FAULTS.items():
            text = MESSAGE + ('x' * 16382 + '\n' if 'LONG' in words else '')
            tags, fields, log = signed(site, server, text=text, **options)
            assert tags == [] and fields[0].startswith('Received: ') and any(x.endswith(words) for x in log), (words, log)
            tags, _, log = signed(site, server, text=text, dkim_strict='${if eq{$dkim_domain}{here.example}{true}{no}}', **options)
            assert tags is None and any(x.endswith(words) for x in log), (words, log)
            assert any('dkim_strict is set. Deferring message delivery.' in x for x in log), log
            assert any(' == you@far.example ' in x and x.endswith(words) for x in log), (words, log)
    assert len(site.queue()) == len(FAULTS)
    assert site.raw_log('panic').count('LONG_LINE') == 2


def test_the_filter_writes_what_is_signed(site):
    make_keys(site)
    with Server() as server:
        (plain,), _, _ = signed(site, server)
        (same,), _, _ = signed(site, server, transport_filter='/bin/cat')
        (other,), fields, _ = signed(site, server, transport_filter='/bin/sed s/body/BODY/;s/^X-A/X-B/', dkim_sign_headers='X-A:X-B')
        assert plain['bh'] == same['bh'] != other['bh'] and other['h'] == 'X-B:X-A', (plain, same, other)
        assert 'X-B: 1' in fields and b'\r\n\r\nBODY\r\n' in server.messages[-1][2], fields
        tags, _, log = signed(site, server, transport_filter='/bin/false', dkim_strict='1')
        assert tags is None and any(' == ' in x for x in log), log


def test_what_was_rewritten_is_signed(site):
    make_keys(site)
    with Server() as server:
        (one,), fields, _ = signed(site, server, headers_rewrite='me@here.example you@there.example f',
                                   headers_add='X-New: 1', headers_remove='X-A', dkim_sign_headers='From:X-A:X-New')
        assert 'From: you@there.example' in fields and 'X-New: 1' in fields and one['h'] == 'X-New:From:X-A', (one, fields)


SMTP = ('EHLO c.example\r\nMAIL FROM:<me@here.example>\r\nRCPT TO:<%s@example.org>\r\nDATA\r\n'
        'DKIM-Signature: v=1; a=rsa-sha256; d=here.example; s=x; h=From; bh=YQ==; b=YQ==\r\n'
        'DKIM-Signature: v=1; a=rsa-sha1; d=old.example; s=x; h=From; bh=YQ==; b=YQ==\r\n'
        'From: me@here.example\r\nSubject: t\r\n\r\nbody\r\n.\r\nQUIT\r\n')
VERIFY = '''queue_only
acl_smtp_dkim = dkim
acl_smtp_data = data
log_selector = +dkim_verbose
dkim_verify_signers = $dkim_signers : other.example : here.example
'''
RULES = '''begin acl
rcpt:
  accept local_parts = off
         control = dkim_disable_verify
  accept set acl_m_to = $local_part
dkim:
  deny condition = ${if eq{$acl_m_to}{refused}}
       message = not like this
  discard condition = ${if eq{$acl_m_to}{dropped}}
  warn condition = ${if eq{$acl_m_to}{overruled}}
       dkim_signers = here.example
       dkim_status = fail
       set dkim_verify_status = pass
       set dkim_verify_reason = we know better
  accept logwrite = $dkim_cur_signer $dkim_verify_status $dkim_verify_reason <$dkim_domain> <$dkim_algo>
data:
  accept dkim_status = pass : none
         logwrite = good: $dkim_verify_status
  accept logwrite = bad: $dkim_verify_status $dkim_signers
'''
BAD = 'ID1 DKIM: d=here.example s=x c=simple/simple a=rsa-sha256 b=8 '


def received(site, to, main=VERIFY):
    site.configure(main, more=RULES)
    with open(site.conf) as f:
        text = f.read()
    with open(site.conf, 'w') as f:
        f.write(text.replace('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = rcpt'))
    had = len(site.raw_log())
    r = site.run('-bs', stdin=SMTP % to)
    out = r.out + r.err
    log = re.sub(r'^\S+ \S+ ', '', site.raw_log()[had:], flags=re.M)
    return out, re.sub(r'[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}', 'ID1', log).splitlines()


def test_the_acl(site):
    if not site.root:
        return
    out, log = received(site, 'joe')
    assert log[:4] == ['ID1 here.example fail bodyhash_mismatch <here.example> <rsa-sha256>',
                       BAD + '[verification failed - body hash mismatch (body probably modified in transit)]',
                       'ID1 other.example none  <here.example> <>', 'ID1 good: fail:none'], log
    out, log = received(site, 'overruled')
    assert log[:2] == ['ID1 here.example pass we know better <here.example> <rsa-sha256>', BAD + '[pass - we know better]'], log
    assert any(' <= ' in x and x.endswith(' DKIM=here.example') for x in log), log
    out, log = received(site, 'refused')
    assert '550 not like this' in out and any(x.endswith(' rejected DKIM : not like this') for x in log), (out, log)
    out, log = received(site, 'dropped')
    assert '250 OK' in out and 'ID1 => blackhole (DKIM ACL discarded recipients)' in log, (out, log)
    out, log = received(site, 'off')
    assert not any('DKIM' in x or 'here.example fail' in x for x in log) and 'ID1 bad:  ' in log, log


def test_no_signers_and_no_acl(site):
    if not site.root:
        return
    line = BAD + '[verification failed - body hash mismatch (body probably modified in transit)]'
    for main in (VERIFY.replace('acl_smtp_dkim = dkim\n', ''), re.sub('signers = .*', 'signers =', VERIFY)):
        _, log = received(site, 'joe', main)
        assert log[:2] == [line, 'ID1 bad:  here.example'], log
