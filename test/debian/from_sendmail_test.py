"""remex-from-sendmail: what it makes of a sendmail.mc, and what sendmail-migration.conf does with it."""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
from sendmail_test import CONF, mail_folder, routed, talk

TOOL = machine.ROOT + '/scripts/remex-from-sendmail'
MACROS = '/etc/remex/sendmail.macros'
LECTURE = r'''divert(-1)
# Copyright (c) somebody
define(`confMAX_MESSAGE_SIZE', `thrown away, but m4 would define it')
this is thrown away
divert(0)dnl
include(`/usr/share/sendmail-cf/m4/cf.m4')dnl
VERSIONID(`setup for linux')dnl
OSTYPE(`linux')dnl
dnl # a comment: FEATURE(`nonsense')
define(`confMAX_MESSAGE_SIZE', `20000000')dnl
define(`confMAX_RCPTS_PER_MESSAGE', `50')
define(`confTO_QUEUEWARN', `4h')dnl
define(`confTO_QUEUERETURN', `3d')dnl
define(`confSERVER_CERT', `/etc/mail/tls/server.crt')dnl
define(`confSERVER_KEY', `/etc/mail/tls/server.key')dnl
TRUST_AUTH_MECH(`EXTERNAL LOGIN PLAIN')dnl
define(`confAUTH_OPTIONS', `A p')dnl
define(`SMART_HOST', `esmtp:[smart.example]')dnl
FEATURE(`access_db', `hash -T<TMPF> -o /etc/mail/access.db')dnl
FEATURE(`virtusertable', `hash -o /etc/mail/virtusertable.db')dnl
FEATURE(`mailertable')dnl
FEATURE(`genericstable')
FEATURE(use_cw_file)dnl
FEATURE(`relay_entire_domain')dnl
FEATURE(always_add_domain)dnl
FEATURE(`smrsh', `/usr/sbin/smrsh-folder')dnl
FEATURE(`dnsbl', `ip.list.example')dnl
FEATURE(`masquerade_envelope')dnl
MASQUERADE_AS(`shown.example')dnl
MASQUERADE_DOMAIN(`old.example other.example')dnl
EXPOSED_USER(`root')dnl
LOCAL_DOMAIN(`more.example')dnl
RELAY_DOMAIN(`backup.example')dnl
DAEMON_OPTIONS(`Port=smtp,Addr=127.0.0.1, Name=MTA')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`greet_pause', `1000')dnl
MAILER(smtp)dnl
MAILER(local)dnl
LOCAL_CONFIG
Kmine hash /etc/mine
'''
WANTED = r'''message_size_limit = 20000000
recipients_max = 50
delay_warning = 4h
SM_GIVE_UP_AFTER = 3d
tls_certificate = /etc/mail/tls/server.crt
tls_privatekey = /etc/mail/tls/server.key
SM_OFFER_LOGIN = yes
SM_OFFER_PLAIN = yes
SM_OUTGOING_HOST = smart.example
SM_RELAY_DOMAINS = *.${sg{$primary_hostname}{\N^[^.]*\.\N}{}} : backup.example
SM_PROGRAM_FOLDER = /usr/sbin/smrsh-folder
SM_BLOCKLISTS = ip.list.example
SM_SHOWN_IN_ENVELOPE = F
SM_SHOWN_DOMAIN = shown.example
SM_SHOWN_FOR = old.example : other.example
SM_SHOWN_AS_ARE = root
SM_MORE_DOMAINS = more.example
local_interfaces = <; 127.0.0.1.25
tls_advertise_hosts = *
# Users who log in are in /etc/remex/passwd: remex-adduser puts them there.

# line 3 is not translated: define(`confMAX_MESSAGE_SIZE', `thrown away, but m4 would define it')
# line 36 is not translated: FEATURE(`greet_pause', `1000')
# line 39 is not translated: LOCAL_CONFIG
# line 40 is not translated: Kmine hash /etc/mine
'''


def convert(text, status=0):
    """The lines after the first, and what was said besides."""
    path = machine.write('/etc/mail/sendmail.mc', text)
    p = subprocess.run([TOOL, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert p.returncode == status, (p.returncode, p.stderr)
    return p.stdout.partition('\n')[2], p.stderr


def use(site, text):
    """Puts it in its place; the configuration loads."""
    machine.restore_remex()
    made = convert('FEATURE(`no_default_msa\')\n' + text)[0]
    assert '# line' not in made, made
    machine.write(MACROS, made)
    status, said = machine.program([site.binary, '-C', CONF, '-bV'])
    assert status == 0 and 'error' not in said, said


def value(site, option):
    return machine.program([site.binary, '-C', CONF, '-bP', option])[1].strip()


def test_the_usual_file(site):
    made, said = convert(LECTURE)
    assert made == WANTED and '4 lines are not translated' in said, made
    machine.restore_remex()
    machine.write(MACROS, made)
    status, said = machine.program([site.binary, '-C', CONF, '-bV'])
    assert status == 0 and 'error' not in said, said
    assert value(site, 'message_size_limit') == 'message_size_limit = 20000000'


def test_single_calls(site):
    for call, wanted in (
            ("DAEMON_OPTIONS(`Family=inet6, Name=x, Port=587')", 'local_interfaces = <; [::0]:587'),
            ("DAEMON_OPTIONS(`Port=smtps, Name=x, M=s')", 'local_interfaces = <; 0.0.0.0.465\ntls_on_connect_ports = 465'),
            ("define(`SMART_HOST', `smart.example')", 'SM_OUTGOING_HOST = smart.example/MX'),
            ("define(`SMART_HOST', `relay:[192.0.2.1]:26')", 'SM_OUTGOING_HOST = 192.0.2.1::26'),
            ("FEATURE(`nullclient', `hub.example')", 'SM_HUB_FOR_ALL = hub.example/MX\nSM_SHOWN_DOMAIN = hub.example'),
            ("define(`ALIAS_FILE', `/etc/mail/aliases')", 'SM_ALIAS_FILE = /etc/mail/aliases'),
            ("FEATURE(`masquerade_entire_domain')\nMASQUERADE_DOMAIN(`a.example')", 'SM_SHOWN_FOR = a.example : *.a.example'),
            ("FEATURE(`limited_masquerade')\nMASQUERADE_AS(`a.example')", 'SM_SHOWN_DOMAIN = a.example\nSM_SHOWN_ONLY = yes'),
            ("FEATURE(\n  `allmasquerade')", 'SM_SHOWN_TO_ALL = bct'), ('FEATURE(smrsh)', 'SM_PROGRAM_FOLDER = /usr/lib/sm.bin'),
            ("define(`confQUEUE_LA', 8)", 'queue_only_load = 8'), ("define(`confMAX_DAEMON_CHILDREN',`40')", 'smtp_accept_max = 40'),
            ("define(`confCACERT_PATH', `/etc/ssl/certs')", 'tls_verify_certificates = /etc/ssl/certs'), ('', '')):
        assert convert("FEATURE(`no_default_msa')\n" + call + 'dnl\n')[0] == (wanted and wanted + '\n'), call
    assert convert('')[0] == 'daemon_smtp_ports = 25 : 587\n'
    assert convert("DAEMON_OPTIONS(`Addr=::1')\n")[0] == 'local_interfaces = <; [::1]:25 ; 0.0.0.0.587\n'


def test_what_it_does_not_know_is_named(site):
    calls = ("FEATURE(`access_db', `hash /etc/other')", "FEATURE(`nonsense')", "define(`confNONSENSE', `x')", "define(`confMAX_MESSAGE_SIZE', `10M')",
             "define(`SMART_HOST', `a b')", "define(`SMART_HOST', `[smart.example')", "MASQUERADE_AS(`${run{x}}')", "LOCAL_DOMAIN(`a.example $x')",
             "define(`confSERVER_CERT', `server.crt')", "DAEMON_OPTIONS(`Port=nonsense')", "DAEMON_OPTIONS(`Port=65536')", "INPUT_MAIL_FILTER(`x', `S=y')",
             'R$* $@ x', 'MAILER(`cyrusv2\')', "define(`confAUTH_MECHANISMS', `GSSAPI')", "define(`confSMTP_LOGIN_MSG', `$j hello')", "define(`')", 'define()',
             'include(`/etc/mail/more.m4\')', "EXPOSED_USER(`')")
    made = convert("FEATURE(`no_default_msa')\n" + ''.join(c + '\n' for c in calls))[0]
    assert made == '\n' + ''.join('# line %d is not translated: %s\n' % (n + 2, c) for n, c in enumerate(calls)), made
    made = convert("define(`x',\n `\ny')\nFEATURE(`dnsbl', `a.example', `no ${sg{x}}')\nTRUST_AUTH_MECH(`PLAIN CRAM-MD5')\n" + 'x' * 300 + '\n\x01\n')[0]
    assert made.endswith('''
# line 1 is not translated: define(`x', ` y')
# line 4 is translated in part: FEATURE(`dnsbl', `a.example', `no ${sg{x}}')
# line 5 is translated in part: TRUST_AUTH_MECH(`PLAIN CRAM-MD5')
# line 6 is not translated: %s...
# line 7 is not translated: ?
''' % ('x' * 200)), made


def test_what_it_refuses(site):
    deep = "define(`x', %s%s)\n"
    assert 'line 2' in convert("MAILER(`local')\ndefine(`x'\n", 1)[1]
    assert 'a call of x' in convert('x(' + ','.join('a' * 101) + ')\n', 1)[1] and 'x(a' in convert('x(' + ','.join('a' * 100) + ')\n')[0]
    assert 'a call of define' in convert(deep % ('`' * 21, "'" * 21), 1)[1] and 'line 1' in convert(deep % ('`' * 20, "'" * 20))[0]
    assert convert('#' + 'x' * ((1 << 20) - 2) + '\n')[0] and 'no ordinary file' in convert('#' + 'x' * ((1 << 20) - 1) + '\n', 1)[1]
    assert machine.program([TOOL, '/nowhere'])[0] == 1 and machine.program([TOOL, '/etc'])[0] == 1 and machine.program([TOOL, 'a', 'b'])[0] == 2


def test_nothing_makes_it_write_what_is_no_setting(site):
    """Files that are cut, changed, or noise: every line that comes out is a setting or a comment, and the end is 0 or 1."""
    chance = random.Random(7)
    for _ in range(150):
        text = LECTURE
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(text))
            text = chance.choice((text[:at], text[:at] + chance.choice("`'(),\n$\\{}\x00dnl ") + text[at:], text[:at] + text[at + 9:], text[at:] + text[:at]))
        path = machine.write('/etc/mail/sendmail.mc', text)
        p = subprocess.run([TOOL, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20)
        assert p.returncode in (0, 1) and ' at ' + TOOL not in p.stderr, (text, p.stderr)
        for line in p.stdout.splitlines():
            assert re.fullmatch(r'(#[ -~]*|[A-Za-z_]+ = [ -~]*|)', line) and '${' not in line.replace('${sg{$primary_hostname}', '').split('#')[0], (text, line)


# --- what the configuration does with it ---

def test_smart_host_and_nullclient(site):
    mail_folder()
    use(site, "define(`SMART_HOST', `[smart.example]')\n")
    assert 'router = smarthost' in routed(site, 'x@two.example') and 'host smart.example' in routed(site, 'x@two.example')
    assert 'router = mailertable' in routed(site, 'x@hub.example') and 'router = localuser' in routed(site, 'anna@localhost')
    use(site, "FEATURE(`nullclient', `[smart.example]')\n")
    for address in ('x@two.example', 'anna@localhost', 'x@hub.example'):
        assert 'router = hub' in routed(site, address) and 'host smart.example' in routed(site, address), address


def rewritten(site, address):
    return machine.program([site.binary, '-C', CONF, '-brw', address])[1]


def test_masquerading(site):
    mail_folder()
    os.unlink('/etc/mail/genericstable.db')
    use(site, "MASQUERADE_AS(`shown.example')\nMASQUERADE_DOMAIN(`old.example')\nEXPOSED_USER(`root')\n")
    for address in ('anna@home.example', 'anna@mail.home.example', 'anna@old.example'):
        said = rewritten(site, address)
        assert ' from: anna@shown.example' in said and 'env-from: ' + address in said and '  to: ' + address in said, said
    for address in ('root@home.example', 'anna@two.example'):
        assert 'shown.example' not in rewritten(site, address), address
    use(site, "MASQUERADE_AS(`shown.example')\nFEATURE(`masquerade_envelope')\nFEATURE(`allmasquerade')\n")
    said = rewritten(site, 'anna@home.example')
    assert 'env-from: anna@shown.example' in said and '  to: anna@shown.example' in said and 'env-to: anna@home.example' in said, said
    use(site, "MASQUERADE_AS(`shown.example')\nFEATURE(`limited_masquerade')\nMASQUERADE_DOMAIN(`old.example')\n")
    assert 'anna@shown.example' in rewritten(site, 'anna@old.example') and 'shown' not in rewritten(site, 'anna@home.example')


def test_domains_and_lists(site):
    mail_folder()
    use(site, "LOCAL_DOMAIN(`more.example')\nRELAY_DOMAIN(`two.example')\nFEATURE(`relay_entire_domain')\nFEATURE(`dnsbl', `ip.list.example')\n")
    assert 'router = localuser' in routed(site, 'anna@more.example')
    assert talk(site, '192.0.2.67', to='x@two.example')[-1] == '250 Accepted'
    for there in (True, False):
        for client in ('192.0.2.67', '203.0.113.200'):       # the second has no name
            assert talk(site, client, to='x@hub.example')[-1] == '550 relaying denied', client
        if there:
            os.unlink('/etc/mail/relay-domains')
    os.unlink('/etc/mail/access.db')
    assert talk(site, '192.0.2.66', to='anna@home.example')[-1] == '550 192.0.2.66 is listed at ip.list.example'


def test_programs_of_one_folder(site):
    mail_folder()
    os.unlink('/etc/mail/genericstable.db')
    os.makedirs('/var/tmp/programs', exist_ok=True)
    machine.write('/var/tmp/programs/take', '#!/bin/sh\n/bin/cat >/var/tmp/taken\n', 0o755)
    os.chmod('/var/tmp/programs', 0o755)
    use(site, "FEATURE(`smrsh', `/var/tmp/programs')\ndefine(`ALIAS_FILE', `/etc/mail/aliases')\n")
    machine.write('/etc/mail/aliases', 'take: "|take"\nother: "|/bin/cat"\n')
    for who, delivered in (('take', True), ('other', False)):
        status, said = machine.program([site.binary, '-C', CONF, '-odf', '-f', 'anna@localhost', who + '@localhost'], 'Subject: x\n\nbody\n')
        assert status == 0, said
        log = open('/var/log/remex/mainlog', encoding='utf-8').read()
        assert (re.search(r'=> .*<%s@' % who, log) is not None) == delivered, log[-1500:]
    assert 'Subject: x' in open('/var/tmp/taken', encoding='utf-8').read()
    site.wait_for(lambda: machine.program([site.binary, '-C', CONF, '-bpc'])[1] == '0\n')


def test_logging_in(site):
    mail_folder()
    use(site, "TRUST_AUTH_MECH(`LOGIN PLAIN')\n")
    machine.program([machine.ROOT + '/scripts/remex-adduser', 'anna'], 'word\n')
    said = machine.program([site.binary, '-C', CONF, '-bP', 'authenticator_list'])[1]
    assert said.split() == ['plain', 'login'], said
    assert 'AUTH' not in machine.program([site.binary, '-C', CONF, '-bh', '192.0.2.67'], 'EHLO x.example\nQUIT\n')[1]
