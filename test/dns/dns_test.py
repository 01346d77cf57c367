"""What the program makes of real answers, and of wrong ones."""
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'daemon'))
import ask
from daemon import Daemon

ROUTER = '''
dns:
  driver = dnslookup
  transport = out
  self = send
%s
'''
OUT = '''
out:
  driver = smtp
  port = 2525
  allow_localhost
  connect_timeout = 2s
'''


def configure(site, router='', main='', more=''):
    site.configure(main=main, routers=ROUTER % router, transports=OUT, more=more)


def routed(site, address, *options):
    """The lines about hosts that -bt shows, or what it says instead."""
    r = site.run('-bt', address)
    hosts = re.findall(r'^  host (\S+) +\[(\S+)\] *(.*)$', r.out, re.M)
    return hosts if hosts else r.out.strip()


def expand(site, text, resolver=None):
    argv = ['-be', text]
    if resolver is None:
        r = site.run(*argv)
        return r.out.rstrip('\n') if r.status == 0 else r.err
    return with_resolver(site, resolver, *argv)


def with_resolver(site, address, *args, stdin=''):
    """The program with another name server, and little patience."""
    conf = site.write('resolv.conf', 'nameserver %s\noptions timeout:1 attempts:1\n' % address)
    inner = site.write('inner', '#!/bin/sh\nmount --bind %s "$(readlink -f /etc/resolv.conf)" && exec %s "$@"\n' %
                       (conf, site.binary), 0o755)
    p = subprocess.run(['unshare', '-m', inner, '-C', site.conf] + list(args), stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60, cwd=site.top, input=stdin.encode())
    return p.stdout.decode('latin-1').rstrip('\n')


# --- routing ---

def test_mx_records_are_sorted(site):
    configure(site)
    assert routed(site, 'x@sorted.plain.example') == [('one.plain.example', '127.0.1.1', 'MX=10'),
                                                      ('two.plain.example', '127.0.1.2', 'MX=20'),
                                                      ('three.plain.example', '127.0.1.3', 'MX=30')]


def test_equal_mx_records_come_in_any_order(site):
    configure(site)
    first = {routed(site, 'x@equal.plain.example')[0][0] for _ in range(40)}
    assert first == {'one.plain.example', 'two.plain.example'}, first


def test_a_domain_without_mx_is_its_own_host(site):
    configure(site)
    assert routed(site, 'x@one.plain.example') == [('one.plain.example', '127.0.1.1', '')]
    assert [a for _, a, _ in routed(site, 'x@both.plain.example')] == ['fd00::1', '127.0.1.1']
    configure(site, '  ipv4_prefer = yes\n')
    assert [a for _, a, _ in routed(site, 'x@both.plain.example')] == ['127.0.1.1', 'fd00::1']
    configure(site, '  ipv4_only = yes\n')
    assert [a for _, a, _ in routed(site, 'x@both.plain.example')] == ['127.0.1.1']
    configure(site, '  mx_domains = *\n')
    assert 'Unrouteable address' in routed(site, 'x@one.plain.example')


def test_domains_that_take_no_mail(site):
    configure(site)
    assert 'indicated no SMTP service' in routed(site, 'x@null.plain.example')
    assert 'point to non-existent hosts' in routed(site, 'x@gone-mx.plain.example')
    assert '(invalidly) to IP addresses' in routed(site, 'x@literal.plain.example')
    assert 'Unrouteable address' in routed(site, 'x@nowhere.plain.example')
    assert 'mail domain "x-.plain.example" is syntactically invalid' in routed(site, 'x@x-.plain.example')
    assert 'cannot be resolved' in routed(site, 'x@loop.plain.example')
    configure(site, main='allow_mx_to_ip')
    assert routed(site, 'x@literal.plain.example') == [('127.0.1.1', '127.0.1.1', 'MX=10')]
    configure(site, '  fail_defer_domains = *\n')
    assert 'defer requested' in routed(site, 'x@nowhere.plain.example')


def test_srv_records_come_first_when_they_are_wanted(site):
    configure(site, '  check_srv = smtp\n')
    assert routed(site, 'x@service.plain.example') == [('one.plain.example', '127.0.1.1', 'MX=10 port=2525'),
                                                       ('two.plain.example', '127.0.1.2', 'MX=20 port=2525')]
    assert 'indicated no SMTP service' in routed(site, 'x@no-service.plain.example')
    assert routed(site, 'x@sorted.plain.example')[0][0] == 'one.plain.example'
    configure(site)
    assert routed(site, 'x@service.plain.example') == [('three.plain.example', '127.0.1.3', 'MX=10')]


def test_short_names_are_completed(site):
    configure(site)
    r = site.run('-bt', 'x@sorted')
    assert 'x@sorted.plain.example\n    <-- x@sorted\n' in r.out, r.out
    configure(site, '  qualify_single = false\n')
    assert 'Unrouteable address' in routed(site, 'x@sorted')
    configure(site, '  qualify_single = false\n  widen_domains = nowhere.plain.example : plain.example\n')
    assert routed(site, 'x@sorted')[0] == ('one.plain.example', '127.0.1.1', 'MX=10')


def test_wildcards_and_aliases(site):
    configure(site)
    assert routed(site, 'x@any.wild.plain.example') == [('one.plain.example', '127.0.1.1', 'MX=10')]
    assert routed(site, 'x@to-alias.plain.example') == [('one.plain.example', '127.0.1.1', 'MX=10')]


def test_better_hosts_than_a_local_one_are_kept(site):
    configure(site, main='hosts_treat_as_local = two.plain.example')
    assert routed(site, 'x@sorted.plain.example') == [('one.plain.example', '127.0.1.1', 'MX=10')]
    configure(site, '  check_secondary_mx\n', main='hosts_treat_as_local = two.plain.example')
    assert routed(site, 'x@sorted.plain.example') == [('one.plain.example', '127.0.1.1', 'MX=10')]
    assert 'Unrouteable address' in routed(site, 'x@one.plain.example')


def test_addresses_of_a_domain_share_their_routing(site):
    """The router takes one local part only; with the option the other goes the same way."""
    for option, both in (('  same_domain_copy_routing\n', True), ('', False)):
        for first in 'ab':
            configure(site, '  local_parts = %s\n%s' % (first, option))
            site.send('a@one.plain.example', 'b@one.plain.example', options=('-odf', '-N'))
        sent = [line for line in site.log() if ' *> ' in line or ' -> ' in line]
        assert len(sent) == (3 if both else 2), site.log()
        site.write('log/mainlog', '')


# --- deliveries ---

def serve(address):
    """A server that takes everything; returns the list of senders and recipients."""
    taken = []
    listener = socket.create_server((address, 2525))

    def run():
        connection, _ = listener.accept()
        with connection, connection.makefile('rwb') as f:
            def say(text):
                f.write(text.encode() + b'\r\n')
                f.flush()
            say('220 ready')
            for line in f:
                word = line[:4].upper()
                if word in (b'MAIL', b'RCPT'):
                    taken.append(line.decode().strip())
                if word == b'DATA':
                    say('354 go on')
                    while f.readline() != b'.\r\n':
                        pass
                say('221 bye' if word == b'QUIT' else '250 OK')
                if word == b'QUIT':
                    break
        listener.close()
    threading.Thread(target=run, daemon=True).start()
    return taken


def test_a_dead_mx_is_passed_over(site):
    configure(site)
    taken = serve('127.0.1.1')
    site.send('x@failing.plain.example')
    assert any('x@failing.plain.example' in t for t in taken), taken
    log = site.log()
    assert any('H=dead.plain.example [127.0.1.4] Connection refused' in line for line in log), log
    assert any('=> x@failing.plain.example R=dns T=out H=one.plain.example [127.0.1.1]' in line for line in log), log
    assert site.queue() == []


def test_processes_of_the_daemon_can_ask(site):
    """The jail of those that speak SMTP and of those that deliver lets them."""
    configure(site, main='acl_smtp_connect = first\nacl_smtp_mail = check\nhost_lookup = *', more='''
begin acl
first:
  warn set acl_c_mx = ${lookup dnsdb{mxh=to-alias.plain.example}}
  accept
check:
  deny !verify = sender
  deny dnslists = list.plain.example/127.0.1.1
    message = $dnslist_text $acl_c_mx $sender_host_name
    senders = listed@*
  accept
''')
    taken = serve('127.0.1.1')
    with Daemon(site) as d, d.client() as c:
        c.ehlo()
        for sender, answer in (('a@nowhere.plain.example', 'Sender verify failed'),
                               ('listed@one.plain.example',
                                'listed, see elsewhere alias.plain.example localhost')):
            code, text = c.mail(sender)
            assert code == 550 and answer in text.decode(), (code, text)
        c.sendmail('a@sorted.plain.example', ['x@failing.plain.example'], 'Subject: test\r\n\r\nbody\r\n')
        site.wait_for(lambda: site.completed())
    assert any('x@failing.plain.example' in t for t in taken), taken


# --- DNSSEC ---

def test_signed_answers_are_told_from_others(site):
    configure(site)
    assert routed(site, 'x@signed.example') == [('host.signed.example', '127.0.1.1', 'MX=10 AD')]
    assert routed(site, 'x@outside.signed.example') == [('one.plain.example', '127.0.1.1', 'MX=10')]
    assert routed(site, 'x@one.plain.example') == [('one.plain.example', '127.0.1.1', '')]
    assert 'cannot be resolved' in routed(site, 'x@bogus.example')
    configure(site, '  dnssec_require_domains = *\n')
    assert routed(site, 'x@signed.example') == [('host.signed.example', '127.0.1.1', 'MX=10 AD')]
    assert 'host lookup done insecurely' in routed(site, 'x@outside.signed.example')
    assert 'host lookup done insecurely' in routed(site, 'x@one.plain.example')


def test_log_lines_tell_of_signed_hosts(site):
    configure(site, main='log_selector = +dnssec')
    taken = serve('127.0.1.1')
    site.send('x@signed.example', options=('-odf',))
    site.send('x@signed.example', 'x@one.plain.example', options=('-odf', '-N'))
    log = '\n'.join(site.log())
    assert len(taken) == 2 and log.count('H=host.signed.example DS [127.0.1.1]') == 2, log
    assert 'H=one.plain.example [127.0.1.1]' in log, log


def serve_secure(address, offers=True, pem=None):
    """A server with the certificate of dane.signed.example, for one connection; returns what it was told in the clear and within TLS."""
    told = []
    listener = socket.create_server((address, 2525))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem or os.environ['REMEX_DANE'])
    context.sni_callback = lambda _, name, __: told.append('name %s' % name)

    def talk(connection, prefix):
        with connection.makefile('rwb') as f:
            def say(text):
                f.write(text.encode() + b'\r\n')
                f.flush()
            if not prefix:
                say('220 ready')
            for line in f:
                word = line[:4].upper()
                told.append(prefix + line.decode().strip())
                if word == b'STAR':
                    say('220 go on')
                    return True
                if word == b'DATA':
                    say('354 go on')
                    while f.readline() != b'.\r\n':
                        pass
                say('250-here\r\n250 STARTTLS' if word == b'EHLO' and offers and not prefix else
                    '221 bye' if word == b'QUIT' else '250 OK')
                if word == b'QUIT':
                    return False
        return False

    def run():
        connection, _ = listener.accept()
        listener.close()
        try:
            with connection:
                if talk(connection, ''):
                    with context.wrap_socket(connection, server_side=True) as inner:
                        talk(inner, 'secure ')
        except OSError:
            told.append('broken')
    threading.Thread(target=run, daemon=True).start()
    return told


DANE = '''
  event_action = ${acl{event}{$event_name}}
  tls_verify_hosts = %s
  hosts_require_dane = %s
'''
DANE_EVENT = '''
begin acl
event:
  accept condition = ${if eq{$acl_arg1}{dane:fail}}
    logwrite = $event_name $event_data
  accept
'''


def dane(site, address, to, offers=True, require=':', verify=':', pem=None, options=''):
    """Delivers to one host; what its server was told, and the log as a text."""
    site.configure(main='', routers=ROUTER % '', transports=OUT + DANE % (verify, require) + options, more=DANE_EVENT)
    site.write('log/mainlog', '')
    told = serve_secure(address, offers, pem) if address else []
    site.send(*to.split(), options=('-odf',))
    return told, '\n'.join(site.log())


def test_tlsa_records_that_fit_stand_for_authorities(site):
    for to in ('x@dane.signed.example', 'x@dane-alias.signed.example', 'x@dane-mx.signed.example'):
        told, log = dane(site, '127.0.1.5', to, require='*', verify='*')
        assert 'CV=dane' in log and 'H=dane.signed.example [127.0.1.5]' in log and 'dane:fail' not in log, (to, log)
        assert 'name dane.signed.example' in told and any('secure RCPT' in t for t in told), told


def test_ciphers_of_secured_hosts(site):
    old, new = 'NORMAL:-VERS-TLS1.3', 'NORMAL'
    for dane_ciphers, ciphers, to, shown in (
            (old, new, 'x@dane.signed.example', 'X=TLS1.2:'),
            (new, old, 'x@dane.signed.example', 'X=TLS1.3:'),
            ('', old, 'x@dane.signed.example', 'X=TLS1.2:'),
            ('${if eq{a}{b}{x}fail}', old, 'x@dane.signed.example', 'X=TLS1.2:'),
            (old, new, 'x@bare.signed.example', 'X=TLS1.3:')):
        told, log = dane(site, '127.0.1.5', to,
                         options='  dane_require_tls_ciphers = %s\n  tls_require_ciphers = %s\n' % (dane_ciphers, ciphers))
        assert shown in log, (dane_ciphers, ciphers, to, log)
        assert ('CV=dane' in log) == to.startswith('x@dane'), log


def under_authority(site, host, to):
    pem = '%s/%s.pem' % (os.environ['REMEX_DANE_TA'], host)
    shutil.rmtree(site.path('spool/db'), ignore_errors=True)    # no host has to wait for what an earlier one did
    return dane(site, '127.0.1.10', to, pem=pem)


def test_tlsa_records_of_every_kind(site):
    for usage in (2, 3):
        for selector in (0, 1):
            for matching in (0, 1, 2):
                host = 'k%d-%d-%d.signed.example' % (usage, selector, matching)
                told, log = under_authority(site, 'kinds', 'x@' + host)
                assert '=> x@' + host in log and 'CV=dane' in log, (host, log)
                assert 'name ' + host in told, told
                told, log = under_authority(site, 'kinds', 'x@bad-' + host)
                assert 'dane:fail validation-failure' in log and '=>' not in log, (host, log)


def test_names_under_an_authority(site):
    """That of the host, or of the domain whose MX it is (RFC 7672 section 3.2.2)."""
    for host, to in (('ta-host', 'x@ta-host.signed.example'), ('ta-domain', 'x@ta-mail.signed.example'), ('ta-alias', 'x@alias.signed.example')):
        told, log = under_authority(site, host, to)
        assert '=> ' + to in log and 'CV=dane' in log, (to, log)
        assert 'name %s.signed.example' % host in told, told
    for host, to in (('ta-other', 'x@ta-none.signed.example'), ('ta-domain', 'x@ta-mail2.signed.example'),
                     ('ta-domain', 'x@ta-domain.signed.example')):
        told, log = under_authority(site, host, to)
        assert 'dane:fail validation-failure' in log and '=>' not in log, (to, log)


def test_a_certificate_of_one_domain_is_for_no_other(site):
    told, log = under_authority(site, 'ta-domain', 'x@ta-mail.signed.example x@ta-mail2.signed.example')
    rcpt = [t for t in told if 'RCPT' in t]
    assert not any('ta-mail2' in t for t in rcpt), told
    assert '=> x@ta-mail2' not in log, log


def test_a_dead_secure_host_and_false_records_keep_the_message(site):
    told, log = dane(site, None, 'x@k3-0-1.signed.example')
    assert ' == x@k3-0-1' in log and 'Connection refused' in log, log
    told, log = dane(site, None, 'x@bogus.example')
    assert ' == x@bogus.example' in log and '=>' not in log, log


def test_a_tlsa_record_that_does_not_fit_keeps_the_message(site):
    told, log = dane(site, '127.0.1.6', 'x@wrong.signed.example')
    assert 'DANE attempt failed; TLS connection to wrong.signed.example [127.0.1.6]: ' in log, log
    assert 'dane:fail validation-failure' in log and ' == x@wrong.signed.example' in log and '=>' not in log, log
    assert not any('MAIL' in t for t in told), told
    assert len(site.queue()) == 1


def test_with_tlsa_records_nothing_goes_in_the_clear(site):
    for host, address in (('dane', '127.0.1.5'), ('useless', '127.0.1.7')):
        told, log = dane(site, address, 'x@%s.signed.example' % host, offers=False)
        assert 'dane:fail starttls-not-supported' in log and 'defer (-38)' in log and '=>' not in log, log
        assert not any('MAIL' in t for t in told), told


def test_tlsa_records_without_use_ask_for_tls_alone(site):
    told, log = dane(site, '127.0.1.7', 'x@useless.signed.example')
    assert '=> x@useless.signed.example' in log and 'CV=no' in log, log
    assert any('secure RCPT' in t for t in told), told
    told, log = dane(site, None, 'y@useless.signed.example', require='*')
    assert 'dane:fail tlsa-invalid' in log and 'DANE error: no usable TLSA records' in log, log


def test_hosts_without_tlsa_records(site):
    told, log = dane(site, '127.0.1.8', 'x@without.signed.example', offers=False)
    assert '=> x@without.signed.example' in log and 'X=' not in log, log
    told, log = dane(site, None, 'x@without.signed.example', require='*')
    assert 'dane:fail dane-required' in log and '** x@without.signed.example' in log, log
    told, log = dane(site, None, 'x@one.plain.example', require='*')
    assert '** x@one.plain.example' in log and 'DANE error: one.plain.example lookup not DNSSEC' in log, log


def test_tlsa_records_that_cannot_be_had_keep_the_message(site):
    told, log = dane(site, None, 'x@broken.signed.example')
    assert 'dane:fail dnssec-invalid' in log and 'defer (-36): DANE error: tlsa lookup DEFER' in log, log


def test_lookups_say_whether_an_answer_was_authenticated(site):
    configure(site)
    show = '${lookup dnsdb{%s}{$value}{none}} $lookup_dnssec_authenticated'
    assert expand(site, show % 'a=host.signed.example') == '127.0.1.1 yes'
    assert expand(site, show % 'a=one.plain.example') == '127.0.1.1 no'
    assert expand(site, show % 'dnssec_never,a=host.signed.example') == '127.0.1.1 '
    assert expand(site, show % 'dnssec_strict,a=host.signed.example') == '127.0.1.1 yes'
    assert 'gave DEFER' in expand(site, show % 'dnssec_strict,a=one.plain.example')
    assert 'gave DEFER' in expand(site, show % 'a=host.bogus.example')
    # a resolver that nobody has said to trust
    assert with_resolver(site, '127.0.0.1', '-be', show % 'a=host.signed.example') == '127.0.1.1 no'


# --- lookups ---

def test_records_of_every_type(site):
    configure(site)
    for query, value in (('a=one.plain.example', '127.0.1.1'), ('aaaa=both.plain.example', 'fd00::1'),
                         ('>:a+=both.plain.example', 'fd00::1:127.0.1.1'),
                         ('cname=alias.plain.example', 'one.plain.example'),
                         ('a=alias.plain.example', '127.0.1.1'),
                         ('mx=to-alias.plain.example', '10 alias.plain.example'),
                         ('mxh=to-alias.plain.example', 'alias.plain.example'),
                         ('ns=plain.example', 'ns.plain.example'), ('zns=x.y.plain.example', 'ns.plain.example'),
                         ('ptr=127.0.1.5', 'liar.plain.example'), ('soa=x.plain.example', 'ns.plain.example'),
                         ('>:, soa=plain.example', 'ns.plain.example root.plain.example 1 3600 600 86400 60'),
                         ('srv=_smtp._tcp.no-service.plain.example', '0 0 0 '),
                         ('txt=text.plain.example', 'first'), ('>|;text.plain.example', 'firstsecond'),
                         ('>|,+txt=text.plain.example', 'first+second'),
                         ('tlsa=_25._tcp.one.plain.example', '3 1 1 ' + '0123456789abcdef' * 4),
                         ('csa=client.plain.example', 'Y client.plain.example'),
                         ('a=nowhere.plain.example', 'none'), ('a=text.plain.example', 'none')):
        got = expand(site, '${lookup dnsdb{%s}{$value}{none}}' % query)
        assert got == value, (query, got)


def test_an_answer_that_was_cut_comes_over_tcp(site):
    configure(site)
    assert expand(site, '${reduce {${lookup dnsdb{>:a=many.plain.example}}}{0}{${eval:$value+1}}}') == '200'
    assert with_resolver(site, '127.0.0.2', '-be',
                         '${reduce {${lookup dnsdb{>:a=many.plain.example}}}{0}{${eval:$value+1}}}') == '200'


def test_wrong_answers_are_no_answers(site):
    configure(site)
    with ask.Rogue('127.0.0.7') as rogue:
        for kind in ('pointer', 'pair', 'beyond', 'long', 'cut', 'many', 'empty', 'noise', 'loop', 'refused'):
            got = expand(site, '${lookup dnsdb{a=%s.rogue}{$value}{none}}' % kind, '127.0.0.7')
            assert 'gave DEFER' in got, (kind, got)
        assert expand(site, '${lookup dnsdb{a=size.rogue}{$value}{none}}', '127.0.0.7') == '127.0.0.2'
        assert rogue.asked.count('loop.rogue') == 1 and rogue.asked.count('other.rogue') == 1, rogue.asked


def test_answers_are_remembered_for_as_long_as_they_are_good(site):
    configure(site)
    twice = '${lookup dnsdb{a=%s.rogue}{$value}{none}} ${lookup dnsdb{a=%s.rogue}{$value}{none}}'
    with ask.Rogue('127.0.0.8') as rogue:
        assert expand(site, twice % ('good', 'good'), '127.0.0.8') == '127.0.0.2 127.0.0.2'
        assert expand(site, twice % ('none', 'none'), '127.0.0.8') == 'none none'
        assert expand(site, twice % ('brief', 'brief'), '127.0.0.8') == '127.0.0.2 127.0.0.2'
        counts = [rogue.asked.count(n + '.rogue') for n in ('good', 'none', 'brief')]
        assert counts == [1, 1, 2], counts


def test_failures_of_some_domains_count_as_absence(site):
    configure(site, main='dns_again_means_nonexist = *.rogue')
    with ask.Rogue('127.0.0.9'):
        assert expand(site, '${lookup dnsdb{a=noise.rogue}{$value}{none}}', '127.0.0.9') == 'none'


def test_what_took_long_is_logged(site):
    configure(site, main='slow_lookup_log = 5')
    with ask.Rogue('127.0.0.10'):
        got = expand(site, '${lookup dnsdb{a=late.rogue}}', '127.0.0.10')
    assert "Long A lookup for 'late.rogue': " in got and got.endswith('127.0.0.2'), got


# --- clients ---

ACL = '''
begin acl
check:
%s
'''


def dialogue(site, address, acl, helo='client.plain.example'):
    configure(site, main='acl_smtp_mail = check\nhost_lookup = *', more=ACL % acl)
    r = site.run('-bh', address, stdin='HELO %s\r\nMAIL FROM:<>\r\nQUIT\r\n' % helo)
    return [line for line in r.out.splitlines() if line[:3].isdigit()][2], r.err


FAILED = '''
begin acl
event:
  accept condition = ${if eq{$event_name}{dns:fail}}
    logwrite = $acl_arg1 $event_data${lookup dnsdb{a=other.plain.example}{}{}}
  accept
'''


def test_failures_are_events(site):
    main = 'event_action = ${acl{event}{main}}'
    configure(site, main=main, more=FAILED)
    for name, detail in (('gone.plain.example', 'NXDOMAIN'), ('text.plain.example', 'NODATA'), ('loop.plain.example', 'AGAIN')):
        site.write('log/mainlog', '')
        site.send('x@' + name, options=('-odf',))
        assert any(l.endswith('main %s:%s:MX' % (detail, name)) for l in site.log()), (name, site.log())
        assert not any('other.plain.example' in l for l in site.log()), site.log()    # what the action asks is no event
    text = OUT.replace('port = 2525', 'port = 2525\n  hosts = gone.plain.example\n  event_action = ${acl{event}{out}}')
    site.configure(main=main, routers='r:\n  driver = accept\n  transport = out\n', transports=text, more=FAILED)
    site.write('log/mainlog', '')
    site.send('x@other.example', options=('-odf',))
    assert any(l.endswith('out NXDOMAIN:gone.plain.example:A') for l in site.log()), site.log()
    assert not any('main NX' in l for l in site.log()), site.log()


def test_the_name_of_a_client_leads_back_to_it(site):
    says = '  deny message = $sender_host_name/$host_lookup_failed'
    # of two names one belongs to another host
    assert dialogue(site, '127.0.1.1', says)[0] == '550 client.plain.example/0'
    assert dialogue(site, '127.0.1.5', says)[0] == '550 /1'
    assert dialogue(site, '127.0.1.6', says)[0] == '550 /1'
    assert dialogue(site, '127.0.1.1', '  accept verify = reverse_host_lookup')[0] == '250 OK'
    assert dialogue(site, '127.0.1.5', '  accept verify = reverse_host_lookup')[0][:3] == '550'
    assert dialogue(site, '127.0.1.1', '  accept hosts = *.plain.example')[0] == '250 OK'


def test_a_client_is_what_it_says(site):
    assert dialogue(site, '127.0.1.2', '  accept verify = helo', 'two.plain.example')[0] == '250 OK'
    assert dialogue(site, '127.0.1.2', '  accept verify = helo', 'three.plain.example')[0][:3] == '550'
    says = '  deny !verify = csa\n  deny message = $csa_status'
    assert dialogue(site, '127.0.1.1', says)[0] == '550 ok'
    assert dialogue(site, '127.0.1.2', says)[0] == '550 client SMTP authorization failed (client address mismatch)'
    assert dialogue(site, '127.0.1.2', says, 'two.plain.example')[0] == '550 unknown'


def test_dns_lists(site):
    says = ('  deny dnslists = %s\n    message = $dnslist_domain|$dnslist_matched|$dnslist_value|$dnslist_text\n'
            '  accept')
    for item, answer in (('list.plain.example', ('127.0.1.1', '127.0.0.2, 127.0.0.4', 'listed, see elsewhere')),
                         ('none.plain.example : list.plain.example=127.0.0.4',
                          ('127.0.1.1', '127.0.0.2, 127.0.0.4', 'listed, see elsewhere')),
                         ('list.plain.example==127.0.0.4', None), ('list.plain.example!=127.0.0.4', None),
                         ('list.plain.example!==127.0.0.4',
                          ('127.0.1.1', '127.0.0.2, 127.0.0.4', 'listed, see elsewhere')),
                         ('names.plain.example/<;good;bad', ('bad', '127.0.0.3', '')),
                         ('names.plain.example/good', None)):
        got = dialogue(site, '127.0.1.1', says % item)[0]
        if answer is None:
            assert got == '250 OK', (item, got)
        else:
            values = set(got.split('|')[2].split(', '))
            assert got.split('|')[1] == answer[0] and values == set(answer[1].split(', ')), (item, got)
            assert got.split('|')[3] == answer[2], (item, got)
