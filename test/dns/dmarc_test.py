"""DMARC: records of all kinds, alignment by SPF, what is noted and who is told, in a session of one's own and in a daemon."""
import os
import re
import smtplib
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'daemon'))
from daemon import Daemon

ACL = '''
begin acl
check:
  warn spf = *
       dmarc_status = *
       logwrite = $sender_address: status=$dmarc_status text=$dmarc_status_text used=$dmarc_used_domain policy=$dmarc_domain_policy \\
                  spf=$dmarc_alignment_spf dkim=$dmarc_alignment_dkim
       logwrite = ${authresults{me}}
  deny dmarc_status = reject
       message = the policy of $dmarc_used_domain
  accept
'''
HISTORY = 'dmarc_history_file = {top}/history/dmarc\n'


def configure(site, main='', acl=ACL, mail='acl_smtp_mail = accept\n'):
    site.write('suffixes', '// two\nexample\ndmarc.example\n')
    if not os.path.isdir(site.path('history')):
        site.mkdir('history')
    site.configure(main='acl_smtp_data = check\ndmarc_tld_file = {top}/suffixes\nqueue_only\n' + mail + main, more=acl)


def give(site, sender, *lines, options=('-oMa', '192.0.2.1')):
    """The answers of a session in which a message with these header lines is given."""
    text = ['EHLO client.example', 'MAIL FROM:<%s>' % sender, 'RCPT TO:<x@example.org>', 'DATA', *lines, '', 'text', '.', 'QUIT', '']
    r = site.run('-bs', *options, stdin='\r\n'.join(text))
    return re.findall(r'^(\d{3}) (.*?)\r?$', r.out, re.M)


def checked(site, sender, *lines, **how):
    """(status, used domain, policy, SPF is aligned) that the log shows."""
    answers = give(site, sender, *lines, **how)
    m = re.findall(r'status=(\S*) text=.*? used=(\S*) policy=(\S*) spf=(\S*) dkim=\S*$', site.raw_log(), re.M)
    assert m, (answers, site.raw_log(), site.raw_log('panic'))
    return m[-1]


def test_verdicts(site):
    configure(site)
    for domain, want in (('none', ('none', 'none.dmarc.example', 'none')),
                         ('quarantine', ('quarantine', 'quarantine.dmarc.example', 'quarantine')),
                         ('reject', ('reject', 'reject.dmarc.example', 'reject')),
                         ('away.reject', ('none', 'reject.dmarc.example', 'none')),        # sp=
                         ('own.reject', ('quarantine', 'own.reject.dmarc.example', 'quarantine')),
                         ('deep.down.quarantine', ('quarantine', 'quarantine.dmarc.example', 'quarantine')),
                         ('spared', ('quarantine', 'spared.dmarc.example', 'reject')),     # pct=0
                         ('two', ('norecord', '', '')), ('bad', ('norecord', '', '')), ('nothing', ('norecord', '', '')),
                         ('among', ('reject', 'among.dmarc.example', 'reject')),
                         ('mended', ('none', 'mended.dmarc.example', 'none')),
                         ('long', ('reject', 'long.dmarc.example', 'reject')), ('longest', ('norecord', '', '')),
                         ('failing', ('temperror', '', ''))):
        got = checked(site, 'a@elsewhere.example', 'From: a@%s.dmarc.example' % domain)
        assert got == want + ('no',), (domain, got, want, site.raw_log('panic'))
    assert site.raw_log('panic') == '', site.raw_log('panic')


def test_words(site):
    """$dmarc_status, $dmarc_status_text and the result in Authentication-Results: of each verdict; none of them where nothing was checked."""
    configure(site)
    for sender, author, status, text, result in (
            ('reject', 'reject', 'accept', 'Accept', 'pass'), ('other', 'none', 'none', 'None, Accept', 'none'),
            ('other', 'quarantine', 'quarantine', 'Quarantine', 'fail'), ('other', 'reject', 'reject', 'Reject', 'fail'),
            ('other', 'nothing', 'norecord', 'No DMARC record', 'none'), ('other', 'failing', 'temperror', 'Temporary error', 'temperror'),
            ('other', None, 'nofrom', 'No From: domain found', 'temperror')):
        checked(site, 'a@%s.dmarc.example' % sender, 'From: a@%s.dmarc.example' % author if author else 'From: nobody')
        said, results = site.raw_log().splitlines()[-3:-1] if status == 'reject' else site.raw_log().splitlines()[-4:][-3:-1]
        assert ': status=%s text=%s used=' % (status, text) in said, said
        where = ' header.from=%s.dmarc.example' % author if author else ''
        assert results.endswith(';\\n\tdmarc=%s%s' % (result, where)), (status, results)
    checked(site, 'a@other.dmarc.example', 'From: a@reject.dmarc.example', options=())
    said, results = site.raw_log().splitlines()[-3:-1]
    assert ': status=off text= used= policy= spf=' in said and 'dmarc=' not in results, (said, results)


def test_alignment(site):
    configure(site)
    for sender, domain, aligned, status in (
            ('reject', 'reject', 'yes', 'accept'), ('sub.reject', 'reject', 'yes', 'accept'),
            ('reject', 'SUB.Reject', 'yes', 'accept'), ('other', 'reject', 'no', 'reject'),
            ('strict', 'strict', 'yes', 'accept'), ('sub.strict', 'strict', 'no', 'reject')):
        got = checked(site, 'a@%s.dmarc.example' % sender, 'From: A <a@%s.dmarc.example>' % domain)
        assert (got[3], got[0]) == (aligned, status), (sender, domain, got)
    assert ';\\n\tspf=pass smtp.mailfrom=reject.dmarc.example;\\n\tdmarc=pass header.from=sub.reject.dmarc.example' in site.raw_log()


def test_authors(site):
    configure(site)
    from_reject = 'From: a@reject.dmarc.example'
    for lines in (['Subject: x'], ['From: nobody'], ['From: undisclosed:;'], [from_reject, 'From: a@none.dmarc.example'],
                  ['From: a@reject.dmarc.example, b@none.dmarc.example'], ['From: a@[127.0.0.1]'], ['From: a@' + 'x.' * 200 + 'example'],
                  ['From: a@x;y.example']):
        assert checked(site, 'a@other.dmarc.example', *lines)[:2] == ('nofrom', ''), lines
    for line in ('From: a@reject.dmarc.example, b@reject.dmarc.example', 'From: "b@none.dmarc.example" <a@reject.dmarc.example>',
                 'From:\r\n (x@y.example) a@reject.dmarc.example'):
        assert checked(site, 'a@other.dmarc.example', line)[:2] == ('reject', 'reject.dmarc.example'), line
    assert checked(site, 'a@other.dmarc.example', 'Resent-From: a@none.dmarc.example', from_reject)[0] == 'reject'


def test_a_name_of_a_megabyte(site):
    """It changes nothing in what SPF and DMARC say; a line of that length without a colon ends the header."""
    configure(site)
    for domain, want in (('reject', ('reject', 'reject.dmarc.example')), ('none', ('none', 'none.dmarc.example'))):
        author, long = 'From: a@%s.dmarc.example' % domain, 'N' * 1000000
        for lines in ((long + ': v', author), (author, long + ': v'), (author, long)):
            got = checked(site, 'a@other.dmarc.example', *lines)
            assert got[:2] == want and got[3] == 'no', (domain, got)
        assert checked(site, 'a@other.dmarc.example', long, author)[:2] == ('nofrom', '')
        for line in ('From' + long + ': a@none.dmarc.example', long + 'From: a@none.dmarc.example'):
            assert checked(site, 'a@other.dmarc.example', line, author)[:2] == want
    assert site.raw_log().count('rejected after DATA: the policy of reject.dmarc.example') == 5, site.raw_log()[-3000:]
    assert site.raw_log('panic') == '', site.raw_log('panic')


def test_off(site):
    from_reject = 'From: a@reject.dmarc.example'
    configure(site)
    assert checked(site, 'a@other.dmarc.example', from_reject, options=())[0] == 'off'
    assert checked(site, 'a@other.dmarc.example', from_reject, options=('-oMa', '192.0.2.1', '-oMaa', 'somebody'))[0] == 'off'
    configure(site, main='acl_smtp_mail = quiet\n', mail='', acl=ACL + 'quiet:\n  accept control = dmarc_disable_verify\n')
    assert checked(site, 'a@other.dmarc.example', from_reject)[0] == 'off'
    assert 'dmarc=' not in site.raw_log()
    site.configure(main='acl_smtp_data = check\nqueue_only\n', more=ACL)
    assert checked(site, 'a@other.dmarc.example', from_reject)[0] == 'off'
    site.configure(main='acl_smtp_data = check\nqueue_only\ndmarc_tld_file = {top}/nothing\n', more=ACL)
    assert checked(site, 'a@other.dmarc.example', from_reject)[0] == 'temperror'
    assert 'DMARC: dmarc_tld_file: ' in site.raw_log('panic')


def test_log_line(site):
    for selector, want in (('+dmarc', ' DMARC '), ('+dmarc_verbose', ' DMARC=accept ')):
        configure(site, main='log_selector = %s\n' % selector)
        give(site, 'a@reject.dmarc.example', 'From: a@reject.dmarc.example', 'Message-Id: <1@x>')
        line = [x for x in site.raw_log().splitlines() if ' <= ' in x][-1]
        assert want + 'id=' in line, line
    configure(site, main='log_selector = +dmarc\n')
    give(site, 'a@none.dmarc.example', 'From: a@none.dmarc.example', 'Message-Id: <1@x>')
    assert 'DMARC' not in [x for x in site.raw_log().splitlines() if ' <= ' in x][-1]


def test_history(site):
    configure(site, main=HISTORY)
    give(site, 'a@other.dmarc.example', 'From: a@none.dmarc.example')
    give(site, 'a@reject.dmarc.example', 'From: a@sub.reject.dmarc.example')
    give(site, '', 'From: a@nothing.dmarc.example')
    give(site, 'a@other.dmarc.example', 'From: nobody')     # no domain to report to
    text = re.sub(r'^(job|received) \S+$', r'\1 X', site.read('history/dmarc'), flags=re.M)
    common = 'job X\nreporter mx.example.org\nreceived X\nipaddr 192.0.2.1\n'
    assert text == (
        common + 'from none.dmarc.example\nmfrom other.dmarc.example\nspf 0\npdomain none.dmarc.example\npolicy 18\n'
        'rua mailto:a@none.dmarc.example!5m\nrua mailto:b@none.dmarc.example\npct 100\nadkim 114\naspf 114\np 110\nsp 0\n'
        'align_dkim 5\nalign_spf 5\naction 2\narc 11\narc_policy 1 json[ ]\n' +
        common + 'from sub.reject.dmarc.example\nmfrom reject.dmarc.example\nspf 0\npdomain reject.dmarc.example\npolicy 15\n'
        'rua -\npct 100\nadkim 114\naspf 114\np 114\nsp 110\nalign_dkim 5\nalign_spf 4\naction 2\narc 11\narc_policy 1 json[ ]\n' +
        common + 'from nothing.dmarc.example\nmfrom \nspf 4\npdomain nothing.dmarc.example\npolicy 14\n'
        'rua -\npct 0\nadkim 0\naspf 0\np 0\nsp 0\nalign_dkim 5\nalign_spf 5\naction 2\narc 11\narc_policy 1 json[ ]\n'), text
    assert os.stat(site.path('history/dmarc')).st_mode & 0o777 == 0o640


def test_a_history_that_cannot_be_written_refuses_nothing(site):
    configure(site, main='dmarc_history_file = {top}/none/dmarc\n')
    assert ('250', 'OK') == tuple(x[:3] if x[0] == '2' else x[:2] for x in give(site, 'a@none.dmarc.example', 'From: a@none.dmarc.example')[-2])
    assert 'DMARC: cannot write to ' in site.raw_log('panic')


REPORTS = 'acl_smtp_mail = quiet\ndmarc_forensic_sender = %s\n'
ENABLE = ACL + 'quiet:\n  accept control = dmarc_enable_forensic\n'


def messages(site):
    return [site.run('-Mvc', i).out for i in site.queue()]


def test_reports_are_off_by_default(site):
    configure(site, main='dmarc_forensic_sender = reports@example.org\n')
    give(site, 'a@other.dmarc.example', 'From: a@told.dmarc.example')
    assert site.queue() == []       # it was refused


def test_reports(site):
    configure(site, main=REPORTS % 'Reports <reports@example.org>', mail='', acl=ENABLE)
    answers = give(site, 'a@other.dmarc.example', 'From: a@told.dmarc.example', 'Subject: forged')
    assert ('550', 'the policy of told.dmarc.example') in answers, answers
    reports = messages(site)
    assert len(reports) == 1, reports
    assert ' <= reports@example.org R=' in site.raw_log(), site.raw_log()
    for part in ('From: Reports <reports@example.org>\n', 'To: owner@told.dmarc.example,\n  y@agreed.dmarc.example\n',
                 'Content-Type: multipart/report; report-type=feedback-report;\n', '\nFeedback-Type: auth-failure\n',
                 '\nSource-IP: 192.0.2.1\n', '\nReported-Domain: told.dmarc.example\n', '\nIdentity-Alignment: none\n',
                 '\nAuthentication-Results: mx.example.org; dmarc=fail header.from=told.dmarc.example; spf=pass ', '\nSubject: forged\n'):
        assert part in reports[0], (part, reports[0])
    assert 'x@other.dmarc.example' not in reports[0].split('\n\n')[0]       # has not agreed to be told


def test_reports_without_a_sender(site):
    configure(site, main='acl_smtp_mail = quiet\n', mail='', acl=ENABLE)
    give(site, 'a@other.dmarc.example', 'From: a@told.dmarc.example')
    assert ' <= <> R=' in site.raw_log(), site.raw_log()
    assert 'From: Mail Delivery System <Mailer-Daemon@example.org>\n' in messages(site)[0]


def test_a_daemon(site):
    configure(site, main=HISTORY + (REPORTS % 'reports@example.org').replace('queue_only\n', ''), mail='', acl=ENABLE)
    for main in ('', 'smtp_sessions_per_process = 1\n'):
        with Daemon(site) as d, smtplib.SMTP('127.0.0.1', d.port, local_hostname='client.example', timeout=60,
                                             source_address=('192.0.2.1', 0)) as c:
            c.sendmail('a@sub.reject.dmarc.example', ['x@example.org'], 'From: a@reject.dmarc.example\r\n\r\ntext\r\n')
            try:
                c.sendmail('a@other.dmarc.example', ['x@example.org'], 'From: a@told.dmarc.example\r\n\r\ntext\r\n')
                raise AssertionError('was accepted')
            except smtplib.SMTPDataError as e:
                assert e.smtp_code == 550, e
    assert site.read('history/dmarc').count('job ') == 4
    assert site.raw_log().count(' <= reports@example.org R=') == 2, site.raw_log()
    assert site.raw_log('panic') == '', site.raw_log('panic')


def test_a_list_that_changes_is_read_again(site):
    configure(site)
    with Daemon(site) as d:
        def ask():
            with smtplib.SMTP('127.0.0.1', d.port, local_hostname='client.example', timeout=60, source_address=('192.0.2.1', 0)) as c:
                c.sendmail('a@other.dmarc.example', ['x@example.org'], 'From: a@none.dmarc.example\r\n\r\ntext\r\n')
            return re.findall(r' spf=(\S*) dkim=', site.raw_log())[-1]
        assert ask() == 'no'
        site.write('suffixes', 'example\n')     # now both are of one organisation
        assert ask() == 'yes'
