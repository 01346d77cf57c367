"""SPF, DKIM and DMARC when the name server answers wrongly, too late or never: what the conditions say, what the client is told, and what the log
shows. A message waits or is judged without the answer; it is never taken for one that passed."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ask
from dns_test import with_resolver

ACLS = '''
begin acl
mail:
  warn spf = *
       logwrite = spf=$spf_result <$spf_received>
  accept
dkim:
  accept logwrite = dkim=$dkim_verify_status/$dkim_verify_reason
data:
  warn dmarc_status = *
       logwrite = dmarc=$dmarc_status/$dmarc_status_text
       logwrite = ${authresults{me}}
  deny spf = pass
  deny dkim_status = pass
  deny dmarc_status = accept
  warn dkim_status = invalid
       logwrite = no key
  defer dmarc_status = temperror
        message = $dmarc_status_text
        log_message = dmarc $dmarc_status, spf $spf_result
  accept
'''
SIGNATURE = ('DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=spf.example; s=%s; h=from; '
             'bh=eDCyaw7m810RhFf0TmGWGkTYiT/1GwL4/PCOGIr3ew4=; b=AAAA')
NO_KEY = ['dkim=invalid/pubkey_unavailable',
          'DKIM: d=spf.example s=%s c=relaxed/relaxed a=rsa-sha256 b=24 [invalid - public key record (currently?) unavailable]', 'DKIM: d=spf.example s=%s [failed key import]', 'no key']


def configure(site):
    site.write('suffixes', 'example\nspf.example\n')
    site.configure(main='acl_smtp_mail = mail\nacl_smtp_dkim = dkim\nacl_smtp_data = data\ndmarc_tld_file = {top}/suffixes\nqueue_only\n'
                   'log_selector = +dkim_verbose\n',
                   more=ACLS)


def give(site, kind, address):
    """-> the answer to a message of that kind, and what the log has of it."""
    if os.path.exists(site.path('log/mainlog')):
        os.remove(site.path('log/mainlog'))
    lines = ['EHLO client.example', 'MAIL FROM:<a@%s.spf.example>' % kind, 'RCPT TO:<x@example.org>', 'DATA', SIGNATURE % kind,
             'From: a@%s.spf.example' % kind, '', 'text', '.', 'QUIT', '']
    out = with_resolver(site, address, '-bs', '-oMa', '192.0.2.1', stdin='\r\n'.join(lines))
    return out.splitlines()[-2].rstrip('\r'), site.log()


def check(site, kind, address, status, spf, dmarc):
    answer, log = give(site, kind, address)
    case = '\n'.join([kind, answer] + log)
    for line in [x % kind if '%' in x else x for x in NO_KEY] + ['spf=%s <Received-SPF: %s (mx.example.org: ' % (spf, spf), 'dmarc=' + dmarc]:
        assert sum(re.sub(r'^ID\d ', '', x).startswith(line) for x in log) == 1, (line, case)
    assert ';\\n\tspf=%s smtp.mailfrom=%s.spf.example;\\n\tdkim=tmperror (pubkey unavailable)' % (spf, kind) in case, case
    assert answer.startswith(status), case
    return case


def test_wrong_answers(site):
    configure(site)
    with ask.Rogue('127.0.0.3'):
        for kind in ('pointer', 'pair', 'beyond', 'long', 'cut', 'many', 'empty', 'noise', 'refused', 'later'):
            case = check(site, kind, '127.0.0.3', '451 Temporary error', 'temperror', 'temperror/Temporary error')
            assert ' temporarily rejected after DATA: dmarc temperror, spf temperror' in case, case
        for kind in ('none', 'size', 'good', 'late'):       # no such name; no record of the type
            check(site, kind, '127.0.0.3', '250 OK', 'none', 'norecord/No DMARC record')
    assert site.raw_log('panic') == '', site.raw_log('panic')


def test_no_answers(site):
    configure(site)
    with ask.Silent('127.0.0.4'):
        begun = time.monotonic()
        check(site, 'silent', '127.0.0.4', '451 Temporary error', 'temperror', 'temperror/Temporary error')
        assert time.monotonic() - begun < 20
    check(site, 'nobody', '127.0.0.5', '451 Temporary error', 'temperror', 'temperror/Temporary error')     # refused at once
