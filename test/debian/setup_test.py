"""remex-setup asks what debconf asks and writes what it is told; remex-verify says what a machine does not keep."""
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
import questions
from machine import MADE, ROOT, SETTINGS, answers, update
from questions import KOREAN
from terminal import Terminal, letters

SETUP = ROOT + '/scripts/remex-setup'
VERIFY = ROOT + '/scripts/remex-verify'
GOOD = 'Nothing was found that would keep mail from flowing.\n'
EXIMS = '/etc/exim4/update-exim4.conf.conf'


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def clean():
    machine.restore_remex()
    if os.path.exists(MADE):
        os.unlink(MADE)
    if os.path.exists(EXIMS):       # else its answers are offered
        os.unlink(EXIMS)
    for name in ('mailname', 'aliases', 'hosts', 'resolv.conf'):
        machine.write('/etc/' + name, machine.FILES[name])


def setup(site, *argv, stdin='', env=None):
    p = subprocess.run([SETUP, '--plain', '--program', site.binary] + list(argv), input=stdin, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=60,
                       env=dict({k: v for k, v in os.environ.items() if k not in ('LANG', 'LC_ALL')}, **env or {}))
    return p.returncode, p.stdout


def settings():
    return dict(re.findall(r"^(\w+)='(.*)'$", read(SETTINGS), re.M))


# --- the questions ---

def titles():
    """{title: name} of the package's templates."""
    text = read(ROOT + '/debian/remex-config.templates')
    return {t: n for n, t in re.findall(r'^Template: remex/(\S+)\n(?:.+\n)*?_Description: (.*)', text, re.M)}


def asked_by_setup(site, *values):
    """The names of what is asked when each question is answered as it is offered; nothing is written."""
    _, said = setup(site, '--no-verify', *values, stdin='\n' * 30)
    known = titles()
    return [known[line] for line in said.split('\n') if line in known]


# Says what debconf would be asked. db_get answers from the environment's file of presets.
CONFMODULE = '''
db_version() { :; }; db_capb() { :; }; db_settitle() { :; }
db_get() { RET=$(sed -n "s|^$1=||p" /run/presets | tail -n 1); }
db_set() { echo "$1=$2" >>/run/presets; }
db_input() { echo "$2" >>/run/asked; }
db_go() { :; }
'''


def asked_by_debconf(values):
    """Likewise by the package's script; values are {name: value}."""
    text = read(ROOT + '/debian/remex-config.templates')
    default = {}
    for name, part in re.findall(r'^Template: remex/(\S+)\n((?:.+\n)+)', text, re.M):
        d = re.search(r'^Default: (.*)', part, re.M)
        default[name] = d.group(1) if d else ''
    default.update(values)
    machine.write('/run/presets', ''.join('remex/%s=%s\n' % v for v in default.items()))
    machine.write('/run/asked', '')
    machine.write('/run/confmodule', CONFMODULE)
    with open(ROOT + '/debian/remex-config.config', encoding='utf-8') as f:
        script = f.read().replace('/usr/share/debconf/confmodule', '/run/confmodule')
    try:
        subprocess.run(['sh', '-c', script], check=True)
        return [line.replace('remex/', '') for line in read('/run/asked').split()]
    finally:
        for name in ('presets', 'asked', 'confmodule'):
            os.unlink('/run/' + name)


CASES = [
    {'dc_eximconfig_configtype': 'internet'},
    {'dc_eximconfig_configtype': 'smarthost', 'dc_smarthost': 'smart.example'},
    {'dc_eximconfig_configtype': 'smarthost', 'dc_smarthost': 'smart.example', 'dc_relay_domains': 'a.example',
     'hide_mailname': 'true', 'dc_readhost': 'home.example'},
    {'dc_eximconfig_configtype': 'satellite', 'dc_smarthost': 'smart.example', 'dc_readhost': 'hub.example'},
    {'dc_eximconfig_configtype': 'satellite', 'dc_smarthost': 'smart.example', 'dc_readhost': 'hub.example',
     'dc_localdelivery': 'maildir_home', 'dc_relay_nets': '10.0.0.0/8', 'dc_relay_domains': 'a.example'},
    {'dc_eximconfig_configtype': 'local'},
    {'dc_eximconfig_configtype': 'local', 'dc_local_interfaces': '10.0.0.1', 'dc_relay_nets': '10.0.0.0/8',
     'dc_relay_domains': 'a.example'},
    {'dc_eximconfig_configtype': 'none'},
]


def test_the_questions_are_debconfs(site):
    for with_root in (True, False):
        for values in CASES:
            clean()
            if with_root:
                machine.write('/etc/aliases', 'root: anna\n')
            wanted = asked_by_debconf(values)
            assert wanted[0] == 'dc_eximconfig_configtype' and len(wanted) > 1, wanted
            got = asked_by_setup(site, *('%s=%s' % v for v in values.items()))
            assert got == wanted, (values, got, wanted)
            assert ('dc_postmaster' in got) != with_root


def test_what_is_typed_is_written(site):
    clean()
    lines = ['1', 'new.example', '', 'new.example; more.example', 'perhaps.example', '<', '-', '10.1.0.0/16', 'no', '2', 'yes',
             'anna ben', '-']
    status, said = setup(site, stdin='\n'.join(lines) + '\n')
    assert status == 0, said
    s = settings()
    assert s['dc_eximconfig_configtype'] == 'internet' and s['dc_other_hostnames'] == 'new.example; more.example', s
    assert s['dc_relay_domains'] == '' and s['dc_relay_nets'] == '10.1.0.0/16', s
    assert s['dc_localdelivery'] == 'maildir_home' and s['dc_use_split_config'] == 'true', s
    assert read('/etc/mailname') == 'new.example\n' and read('/etc/aliases').endswith('\nroot: anna, ben\n')
    assert 'maildir_home' in machine.program([site.binary, '-C', MADE, '-bt', 'anna@more.example'])[1]


def test_an_end_before_the_last_question_changes_nothing(site):
    clean()
    status, said = setup(site, stdin='1\nnew.example\n')
    assert status == 1 and 'nothing is changed' in said, said
    assert not os.path.exists(SETTINGS) and read('/etc/mailname') == 'home.example\n'


def test_without_questions_values_come_from_the_environment_and_the_answers(site):
    clean()
    machine.write(SETTINGS, '# mine\n' + answers('internet', dc_relay_nets='10.0.0.0/8'))
    status, said = setup(site, '--non-interactive', 'dc_relay_domains=a.example', env={'dc_localdelivery': 'maildir_home'})
    assert status == 0, said
    s = settings()
    assert (s['dc_relay_domains'], s['dc_localdelivery'], s['dc_relay_nets']) == ('a.example', 'maildir_home', '10.0.0.0/8'), s
    assert read(SETTINGS).startswith('# mine\n')


def test_bad_values_change_nothing(site):
    clean()
    status, said = setup(site, '--non-interactive', 'dc_eximconfig_configtype=local', '--no-verify')
    assert status == 0, said
    before, made = read(SETTINGS), read(MADE)
    for values, word in ((['dc_relay_nets="'], 'has a quote'), (['dc_eximconfig_configtype=smarthost'], 'dc_smarthost is empty'),
                         (['mailname=a b', 'dc_relay_nets=10.0.0.1'], 'is not the name of a domain'), (['nonsense=1'], 'no answer')):
        status, said = setup(site, '--non-interactive', *values)
        assert status == 1 and word in said, (values, said)
        assert (read(SETTINGS), read(MADE), read('/etc/mailname')) == (before, made, 'home.example\n'), values


def test_the_questions_are_korean_where_the_user_is(site):
    clean()
    _, said = setup(site, stdin='', env={'LANG': 'ko_KR.UTF-8'})
    assert '일반적인 메일 설정 방식:' in said and '스마트호스트로 보냄; 로컬 메일 없음' in said, said


# The names of the languages of questions.py, and what makes one of them the user's on any machine.
LANGUAGES = {'C.UTF-8': {'LANG': 'C.UTF-8'}, KOREAN: {'LANG': 'C.UTF-8', 'LANGUAGE': 'ko'}}
MESSAGE = 'A test message shows the way that mail takes. Where shall it go? ("-": nowhere)'
TYPED = {'internet': {'mailname': ['C-u', '=typed.example']},
         'smarthost': {'dc_smarthost': ['C-u', '=smart.example'], 'hide_mailname': ['Left', 'Left'],
                       'dc_readhost': ['C-u', '=shown.example']},
         'none': {}}


def at_the_terminal(site, language, kind, values=()):
    """The questions in the order of their screens; each is judged."""
    last = questions.translations(ROOT + '/scripts/po/ko.po')[MESSAGE] if language == KOREAN else MESSAGE
    with Terminal([SETUP, '--program', site.binary] + list(values), LANGUAGES[language]) as t:
        asked = questions.walk(t, questions.Shown(language), kind, TYPED[kind], letters(last))
        if t.ended() is None:
            t.type('=-', 'Enter')
            site.wait_for(lambda: t.ended() is not None)
        assert t.ended() == 0, t.screen()
    return asked


def test_whiptail_asks_at_a_terminal(site):
    for language in LANGUAGES:
        for kind, order in questions.ORDER.items():
            clean()
            machine.write('/etc/aliases', 'root: anna\n')
            asked = at_the_terminal(site, language, kind)
            assert asked == ['dc_eximconfig_configtype'] + order.split(), (language, kind, asked)
            s = settings()
            assert s['dc_eximconfig_configtype'] == kind, s
            if kind == 'internet':
                assert read('/etc/mailname') == 'typed.example\n'
            if kind == 'smarthost':
                assert (s['dc_smarthost'], s['dc_hide_mailname'], s['dc_readhost']) == ('smart.example', 'true', 'shown.example'), s


def test_whiptail_asks_for_the_postmaster(site):
    for language in LANGUAGES:
        clean()
        machine.write('/etc/aliases', 'postmaster: root\n')
        assert at_the_terminal(site, language, 'none')[-1] == 'dc_postmaster'


def sentences(script):
    """What a script says by phrase() and finding()."""
    return {t.replace("\\'", "'") for t in re.findall(r"\b(?:phrase|finding)\('((?:[^'\\]|\\.)*)'", read(ROOT + '/scripts/' + script))}


def test_every_sentence_is_there_in_korean(site):
    known = questions.translations(ROOT + '/scripts/po/ko.po')
    said = sentences('remex-setup') | sentences('remex-verify')
    assert len(said) > 40 and said == set(known) - {''}, said ^ (set(known) - {''})
    for text, korean in known.items():
        assert text == '' or re.search('[가-힣]', korean) and text.count('%') == korean.count('%'), text
    clean()
    machine.made(site, 'internet', dc_local_interfaces='127.0.0.1')
    p = subprocess.run([VERIFY, '--program', site.binary], stdout=subprocess.PIPE, text=True, env=dict(os.environ, LC_ALL='ko_KR.UTF-8'))
    assert '루프백 주소에서만 받으므로' in p.stdout, p.stdout


# --- verification ---

def verify(site, *argv):
    return machine.program([VERIFY, '--program', site.binary] + list(argv))


def found(site, kind='internet', **more):
    """The findings for a configuration of this type."""
    machine.made(site, kind, **more)
    status, said = verify(site)
    assert status == 0, said
    return said


ALL_WELL = {'dc_other_hostnames': 'home.example;good.example', 'dc_local_interfaces': '192.0.2.40;2001:db8::40'}


def on_the_net(well=True):
    """The machine has an address of each family, and the names of good.example lead to it."""
    for address in ('192.0.2.40/32', '2001:db8::40/128'):
        subprocess.run(['ip', 'address', 'replace', address, 'dev', 'lo'], check=True)


def test_a_machine_where_all_is_well(site):
    clean()
    on_the_net()
    assert found(site, **ALL_WELL) == GOOD
    assert found(site, 'local') == GOOD


def test_a_mail_name_that_is_no_good(site):
    clean()
    on_the_net()
    for name, words in (('', 'There is no mail name'), ('a b', 'is not the name of a domain'), ('host', 'cannot answer to the mail name "host"'),
                        ('mail.localdomain', 'cannot answer'), ('elsewhere.example', 'does not stay on this machine')):
        machine.write('/etc/mailname', machine.FILES['mailname'])
        machine.made(site, 'internet', **ALL_WELL)
        machine.write('/etc/mailname', name + '\n')
        status, said = verify(site)
        assert status == 0 and words in said, (name, said)
    clean()


def test_names_that_nobody_knows(site):
    clean()
    said = found(site, 'smarthost', dc_smarthost='nowhere.example::587;smart.example', dc_readhost='nothing.example')
    assert 'smarthost nowhere.example has no address' in said and 'smart.example has' not in said, said
    assert 'domain nothing.example' in said, said
    machine.write('/etc/hosts', '127.0.0.1 localhost\n127.0.1.1 mail\n')
    assert 'is "mail", which is no full one' in found(site), found(site)
    clean()


def test_mx_and_ptr_of_both_families(site):
    clean()
    on_the_net()
    said = found(site, **dict(ALL_WELL, dc_other_hostnames='home.example;far.example;broken.example;void.example'))
    for words in ('Mail for far.example does not come to this machine by IPv4', 'far.example does not come to this machine by IPv6',
                  'MX host "nowhere.example" of broken.example has no address', 'No host finds where mail for void.example goes'):
        assert words in said, (words, said)
    said = found(site, **dict(ALL_WELL, dc_other_hostnames='home.example;four.example'))
    assert 'by IPv6' in said and 'by IPv4' not in said, said
    said = found(site, **dict(ALL_WELL, dc_local_interfaces='192.0.2.41;2001:db8::41;192.0.2.42'))
    assert 'address 192.0.2.41 has no name' in said and 'address 2001:db8::41 has no name' in said, said
    assert 'The name stray.good.example does not lead back to its address 192.0.2.42: give it an A record' in said, said


def test_a_name_server_that_is_silent(site):
    clean()
    on_the_net()
    machine.write('/etc/resolv.conf', 'nameserver 127.0.0.77\noptions timeout:1 attempts:1\n')
    said = found(site, **ALL_WELL)
    assert said.count('\n') == 1 and 'No name server answers' in said, said
    clean()


def test_a_port_that_is_taken(site):
    clean()
    on_the_net()
    with socket.create_server(('192.0.2.40', 25)):
        said = found(site, **ALL_WELL)
        assert re.search(r'Port 25 of 192\.0\.2\.40 belongs to python3?\S* \(process %d\): stop it' % os.getpid(), said), said
    assert found(site, **ALL_WELL) == GOOD


def test_a_certificate_that_the_mail_user_cannot_read(site):
    clean()
    on_the_net()
    macros = 'MAIN_TLS_ENABLE = yes\nMAIN_TLS_CERTIFICATE = /etc/remex/c.pem\nMAIN_TLS_PRIVATEKEY = /etc/remex/k.pem\n'
    machine.write('/etc/remex/c.pem', '')
    machine.write('/etc/remex/k.pem', '', 0o600)
    machine.made(site, 'internet', macros, **ALL_WELL)
    said = verify(site)[1]
    assert '/etc/remex/k.pem of tls_privatekey (Permission denied)' in said and 'c.pem' not in said, said
    os.unlink('/etc/remex/c.pem')
    assert '/etc/remex/c.pem of tls_certificate (No such file or directory)' in verify(site)[1]


def test_without_answers(site):
    clean()
    assert 'There are no answers to go by' in verify(site)[1]


# --- the test message ---

def test_the_way_of_a_test_message(site):
    clean()
    machine.made(site, 'local')
    status, said = verify(site, '--send', 'anna@home.example')
    assert status == 0 and re.match(r'accepted as \S+\n', said), said
    assert re.search(r'anna <anna@home\.example>: routed by local_user, delivered to this machine by mail_spool', said), said
    said = verify(site, '--send', 'user@far.example')[1]
    assert 'refused: Mailing to remote domains not supported' in said, said
