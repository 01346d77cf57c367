"""update-remex.conf: what it makes, and that nothing it meets harms the configuration that is there."""
import os
import re
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
from machine import MADE, SETTINGS, answers, update


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def prepared(site, kind='internet', **more):
    """A good configuration is in place; its text."""
    machine.restore_remex()
    status, said = update(site, answers(kind, **more))
    assert status == 0 and said == '', said
    return read(MADE)


def stays(site, before, *words, options=(), text=None):
    """The call fails, says the words, and leaves things as they were."""
    status, said = update(site, text, *options)
    assert status == 1, (status, said)
    for word in words:
        assert word in said, (word, said)
    assert read(MADE) == before
    assert os.listdir(os.path.dirname(MADE)) == [os.path.basename(MADE)], os.listdir(os.path.dirname(MADE))


# --- what it makes ---

MACRO = re.compile(r'^\.ifndef (\w+)\n\1=(.*)\n\.endif$', re.M)


def macros(text):
    return dict(MACRO.findall(text.split('\ndomainlist', 1)[0]))


CASES = [
    ('internet', {}), ('smarthost', {}), ('satellite', {}), ('local', {}), ('none', {}),
    ('internet', {'dc_other_hostnames': '', 'dc_local_interfaces': ''}),
    ('internet', {'dc_other_hostnames': 'a.example:b.example', 'dc_relay_domains': 'c.example:d.example'}),
    ('internet', {'dc_relay_nets': '192.0.2.1:192.0.2.2'}),
    ('internet', {'dc_relay_nets': '<; 192.0.2.1 ; fd00::/8'}),
    ('internet', {'dc_relay_nets': '192.0.2.1;fd00::/8'}),
    ('internet', {'dc_minimaldns': 'true'}),
    ('internet', {'dc_localdelivery': 'maildir_home'}), ('internet', {'dc_localdelivery': ''}),
    ('smarthost', {'dc_smarthost': 'a.example::587;[2001::0db8::::2]::587'}),
    ('smarthost', {'dc_hide_mailname': 'false'}), ('smarthost', {'dc_hide_mailname': 'true', 'dc_readhost': ''}),
    ('satellite', {'dc_hide_mailname': 'true'}), ('local', {'dc_hide_mailname': 'true', 'dc_readhost': 'x.example'}),
]


def test_the_macros_are_debians(site):
    if machine.peer() is None:
        print("Debian's script is not unpacked here (scripts/fetch-peers does it): macros are not compared")
        return
    for kind, more in CASES:
        prepared(site)
        update(site, answers(kind, **more))
        mine = macros(read(MADE))
        theirs = macros(read(machine.made_by_debian(kind, output='/var/tmp/theirs', **more)))
        mine.pop('MAIN_PACKAGE_VERSION', None)
        theirs.pop('MAIN_PACKAGE_VERSION', None)
        spaces = {n: re.sub(r'\s*([;:])\s*', r'\1', v) for n, v in mine.items()}
        assert spaces == {n: re.sub(r'\s*([;:])\s*', r'\1', v) for n, v in theirs.items()}, (kind, more, mine, theirs)


def test_an_address_of_ipv6_alone_is_announced_as_a_list(site):
    prepared(site, dc_local_interfaces='::1', dc_relay_nets='fd00::/8')
    m = macros(read(MADE))
    assert m['MAIN_LOCAL_INTERFACES'] == '<; ::1' and m['MAIN_RELAY_NETS'] == '<; fd00::/8 ; 127.0.0.1 ; ::1', m


def test_relay_nets_that_are_empty(site):
    prepared(site, dc_relay_nets='')
    assert macros(read(MADE))['MAIN_RELAY_NETS'] == '<; 127.0.0.1 ; ::1'


def test_lines_with_a_capital_become_macros(site):
    prepared(site)
    update(site, answers('internet') + "MESSAGE_SIZE_LIMIT=10M\nQUOTED='a b'\n")
    m = macros(read(MADE))
    assert m['MESSAGE_SIZE_LIMIT'] == '10M' and m['QUOTED'] == 'a b', m
    assert 'message_size_limit = 10M' in machine.program([site.binary, '-C', MADE, '-bP', 'message_size_limit'])[1]


def test_macros_of_ones_own_win(site):
    prepared(site)
    machine.write('/etc/remex/conf.d/main/000_localmacros', 'LOCAL_DELIVERY = maildir_home\n')
    update(site)
    assert 'maildir_home' in machine.program([site.binary, '-C', MADE, '-bt', 'anna@home.example'])[1]
    machine.restore_remex()
    machine.write('/etc/remex/remex.conf.localmacros', 'LOCAL_DELIVERY = maildir_home\n')
    update(site, answers('internet', dc_use_split_config='false'))
    assert 'maildir_home' in machine.program([site.binary, '-C', MADE, '-bt', 'anna@home.example'])[1]


def test_the_parts_are_chosen_as_by_run_parts(site):
    prepared(site)
    main = '/etc/remex/conf.d/main/'
    for name in ('50_dotted.dpkg-new', '50_backup~', '50 blank', '.50_hidden', '51_rule.rul'):
        machine.write(main + name, 'this would be an error\n')
    machine.write(main + '50_Good-one', 'recipients_max = 77\n')
    machine.write(main + '52_replaced', 'this would be an error\n')
    machine.write(main + '52_replaced.rul', 'smtp_accept_max = 78\n')
    os.mkdir(main + '53_folder')
    os.symlink(main + '50_Good-one', '/etc/remex/conf.d/main/54_link')
    os.unlink(main + '54_link')
    status, said = update(site)
    assert status == 0, said
    text = read(MADE)
    assert 'recipients_max = 77' in text and 'smtp_accept_max = 78' in text, text


def test_parts_come_in_the_order_of_their_bytes(site):
    prepared(site)
    main = '/etc/remex/conf.d/main/'
    for name in ('9_z', '10_z', '91_B', '91_a'):
        machine.write(main + name, '# mark %s\n' % name)
    update(site, None, '--keepcomments')
    assert re.findall(r'# mark (\S+)', read(MADE)) == ['10_z', '91_B', '91_a', '9_z']


def test_comments(site):
    text = prepared(site)
    assert not re.search(r'^\s*#', text.split('\n', 3)[3], re.M)
    update(site, None, '--keepcomments')
    assert '### router/200' in read(MADE)
    update(site, answers('internet') + 'ue4c_keepcomments=true\n')
    assert '### router/200' in read(MADE)
    update(site, None, '--removecomments')
    assert '### router/200' not in read(MADE)


def mode(path):
    s = os.stat(path)
    return stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid


def test_modes_and_owner(site):
    prepared(site)
    assert mode(MADE) == (0o644, 0, 106)
    prepared(site, CFILEMODE='640')
    assert mode(MADE) == (0o640, 0, 106)
    text = ''.join(l + '\n' for l in answers('internet').splitlines() if 'CFILEMODE' not in l)
    machine.write(SETTINGS, text)
    status, said = machine.program(['env', 'CFILEMODE=600', machine.UPDATE, '--program', site.binary])
    assert status == 0 and mode(MADE)[0] == 0o600, said


def test_output_elsewhere_is_not_checked(site):
    before = prepared(site)
    machine.write('/etc/remex/conf.d/main/50_wrong', 'no_such_option = 1\n')
    assert update(site, None, '-o', '/var/tmp/made')[0] == 0
    assert 'no_such_option' in read('/var/tmp/made') and read(MADE) == before


def test_check(site):
    before = prepared(site)
    machine.write('/etc/remex/conf.d/main/50_more', 'recipients_max = 5\n')
    assert update(site, None, '--check') == (0, '')
    assert read(MADE) == before and os.listdir('/var/lib/remex') == ['config.autogenerated']
    machine.write('/etc/remex/conf.d/main/50_more', 'no_such_option = 1\n')
    status, said = update(site, None, '--check')
    assert status == 1 and 'no_such_option' in read(MADE + '.check'), said
    os.unlink(MADE + '.check')


def test_confdir(site):
    prepared(site)
    os.rename('/etc/remex', '/etc/remex-other')
    machine.restore_remex()
    status, said = update(site, None, '-d', '/etc/remex-other')
    os.rename('/etc/remex-other/conf.d', '/etc/remex-other/x')
    assert status == 0, said
    status, said = update(site, None, '-d', '/etc/remex-other')
    assert status == 1 and '/etc/remex-other/conf.d' in said, said
    machine.program(['rm', '-r', '/etc/remex-other'])


def test_a_configuration_by_hand_is_left_alone(site):
    before = prepared(site)
    machine.write('/etc/remex/remex.conf', '# mine\n')
    assert update(site, answers('local')) == (0, '') and read(MADE) == before
    assert update(site, None, '-o', '/var/tmp/made')[0] == 0


def test_template_script(site):
    prepared(site)
    script = machine.ROOT + '/scripts/update-remex.conf.template'
    template = '/etc/remex/remex.conf.template'
    machine.write('/etc/remex/conf.d/main/50_more', 'recipients_max = 5\n')
    assert machine.program([script])[0] == 0 and 'recipients_max = 5' not in read(template)
    assert machine.program([script, '--run'])[0] == 0 and 'recipients_max = 5' in read(template)
    backups = [n for n in os.listdir('/etc/remex') if n.startswith('remex.conf.template.bak.')]
    assert len(backups) == 1 and read('/etc/remex/' + backups[0]) == read(machine.ROOT + '/configs/remex.conf.template')
    assert machine.program([script, '-n', '-r'])[0] == 0
    assert machine.program([script, '-r', '-n', '-o', '/var/tmp/template'])[0] == 0
    assert read('/var/tmp/template') == read(template)
    assert machine.program([script, '--no-such'])[0] == 2


def test_settings_of_exim4_are_taken_over(site):
    prepared(site)
    os.unlink(SETTINGS)
    machine.write('/etc/exim4/update-exim4.conf.conf', "# old\ndc_eximconfig_configtype='smarthost'\ndc_smarthost=s.example\n")
    before = read(MADE)
    stays(site, before, '--import', '/etc/exim4/update-exim4.conf.conf')
    status, said = update(site, None, '--import')
    assert status == 0 and macros(read(MADE))['DCsmarthost'] == 's.example', said
    assert read(SETTINGS).endswith("dc_eximconfig_configtype='smarthost'\ndc_smarthost='s.example'\n")


# --- what it refuses ---

BAD_LINES = [
    # a line, what the error says beside its number
    ("dc_other_hostnames='a.example", 'dc_other_hostnames has a quote'),
    ('dc_other_hostnames="a.example', 'dc_other_hostnames has a quote'),
    ("dc_other_hostnames='a'b'", 'dc_other_hostnames has a quote'),
    ("dc_other_hostnames='a\"b'", 'dc_other_hostnames has a quote'),
    ('dc_other_hostnames="it\'s"', 'dc_other_hostnames has a quote'),
    ("dc_other_hostnames='$(touch /var/tmp/run)'", 'dc_other_hostnames has $('),
    ('dc_other_hostnames="$(touch /var/tmp/run)"', 'dc_other_hostnames would be replaced or run'),
    ('dc_other_hostnames=$(touch /var/tmp/run)', 'dc_other_hostnames would be replaced or run'),
    ('dc_other_hostnames=`touch /var/tmp/run`', 'dc_other_hostnames would be replaced or run'),
    ("dc_other_hostnames='`touch /var/tmp/run`'", 'dc_other_hostnames has a quote'),
    ('dc_other_hostnames=$HOME', 'dc_other_hostnames would be replaced or run'),
    ("dc_other_hostnames='${run{/usr/bin/touch /var/tmp/run}}'", 'dc_other_hostnames has $('),
    ("dc_other_hostnames='a.example'; touch /var/tmp/run", 'dc_other_hostnames goes on after its end'),
    ('dc_other_hostnames=a b', 'dc_other_hostnames goes on after its end'),
    ("dc_other_hostnames='a.example\\'", 'dc_other_hostnames has a backslash at its end'),
    ("dc_other_hostnames='a\rexim_user = root'", 'dc_other_hostnames has a control character'),
    ("dc_other_hostnames='a\x1b[2J'", 'dc_other_hostnames has a control character'),
    ("dc_eximconfig_configtype='intrenet'", 'dc_eximconfig_configtype is one of internet,'),
    ("dc_minimaldns='perhaps'", 'dc_minimaldns is either true or false'),
    ("dc_use_split_config='yes'", 'dc_use_split_config is either true or false'),
    ("dc_localdelivery='mail spool'", 'dc_localdelivery is the name of a transport'),
    ("dc_smarthost='a|b'", 'dc_smarthost is a list of hosts'),
    ("dc_readhost='a b'", 'dc_readhost is the name of a domain'),
    ("CFILEMODE='9999'", 'CFILEMODE is a mode'),
    ("MY_MACRO='a\\'", 'MY_MACRO has a backslash at its end'),
    ('touch /var/tmp/run', "NAME='value' expected"),
    ('. /var/tmp/script', "NAME='value' expected"),
    ("dc_relay nets='x'", "NAME='value' expected"),
]


def test_bad_answers_name_the_variable_and_the_line(site):
    before = prepared(site)
    good = answers('internet')
    line = good.count('\n') + 1
    for bad, word in BAD_LINES:
        stays(site, before, '%s:%d: ' % (SETTINGS, line), word, text=good + bad + '\n')
        assert not os.path.exists('/var/tmp/run'), bad


def test_a_value_over_two_lines(site):
    before = prepared(site)
    stays(site, before, ':1: dc_other_hostnames has a quote', text="dc_other_hostnames='a\nexim_user = root'\n")


def test_all_faults_are_told_at_once(site):
    before = prepared(site)
    stays(site, before, ':2: dc_minimaldns', ':3: dc_readhost', ':4: NAME=',
          text="dc_eximconfig_configtype=local\ndc_minimaldns=x\ndc_readhost='?'\n???\n")


def test_what_a_type_needs(site):
    before = prepared(site)
    stays(site, before, 'dc_smarthost is empty', text=answers('smarthost', dc_smarthost=''))
    stays(site, before, 'dc_readhost is empty', text=answers('satellite', dc_readhost=''))
    stays(site, before, 'dc_eximconfig_configtype is missing', text='')


def test_names_that_are_not_known(site):
    prepared(site)
    status, said = update(site, answers('internet') + "dc_othr=1\n")
    assert status == 0 and 'dc_othr is not known' in said, said


def test_files_that_cannot_be_read(site):
    before = prepared(site)
    good = answers('internet')
    os.unlink(SETTINGS)
    os.path.exists('/etc/exim4/update-exim4.conf.conf') and os.unlink('/etc/exim4/update-exim4.conf.conf')
    stays(site, before, SETTINGS, 'No such file')
    os.mkdir(SETTINGS)
    stays(site, before, SETTINGS, 'is not an ordinary file')
    os.rmdir(SETTINGS)
    os.mkfifo(SETTINGS)
    stays(site, before, SETTINGS, 'is not an ordinary file')
    os.unlink(SETTINGS)
    stays(site, before, 'is larger than', text='#' * 70000)
    os.symlink('/nowhere', '/etc/remex/conf.d/main/50_gone')
    stays(site, before, '/etc/remex/conf.d/main/50_gone', text=good)


def test_as_an_ordinary_user(site):
    before = prepared(site)
    os.chmod(SETTINGS, 0o600)
    status, said = machine.program(['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', machine.UPDATE, '--program',
                                    '/bin/true'])
    assert status == 1 and SETTINGS + ': Permission denied' in said and read(MADE) == before, said


def test_errors_of_the_configuration_have_the_place_of_the_part(site):
    before = prepared(site)
    machine.write('/etc/remex/conf.d/router/160_mine', 'mine:\n  driver = accept\n  no_such_option = 1\n')
    stays(site, before, '/etc/remex/conf.d/router/160_mine:3', 'no_such_option', 'stays as it was')


def test_errors_in_an_answer_have_its_line(site):
    before = prepared(site)
    good = answers('internet', dc_localdelivery='no_such_transport')
    line = 1 + [l.split('=')[0] for l in good.splitlines()].index('dc_localdelivery')
    stays(site, before, '%s:%d: dc_localdelivery: there is no transport "no_such_transport"' % (SETTINGS, line), text=good)
    stays(site, before, 'MAIN_IGNORE_BOUNCE_ERRORS_AFTER (%s:15)' % SETTINGS, text=answers('internet') + 'MAIN_FREEZE_TELL=a\nMAIN_IGNORE_BOUNCE_ERRORS_AFTER=soon\n')


def test_no_place_for_the_answers(site):
    before = prepared(site)
    os.rename('/etc/remex/conf.d/main/01_remex-config_lists', '/etc/remex/conf.d/main/01_x.away')
    stays(site, before, 'UPEX4CmacrosUPEX4C')


def test_a_full_disk(site):
    before = prepared(site)
    script = site.write('full', '''#!/bin/sh
mount -t tmpfs -o size=16k none /var/lib/remex && echo old >/var/lib/remex/config.autogenerated || exit 9
%s --program %s
echo "status $?"; cat /var/lib/remex/config.autogenerated; ls /var/lib/remex
''' % (machine.UPDATE, site.binary), 0o755)
    said = machine.program(['unshare', '-m', script])[1]
    assert 'No space left' in said and said.endswith('status 1\nold\nconfig.autogenerated\n'), said
    assert read(MADE) == before


FULL_ETC = '''#!/bin/sh
mkdir /var/tmp/full && mount -t tmpfs -o size=64m none /var/tmp/full && cp -a /etc/. /var/tmp/full/ || exit 9
cat /dev/zero >/var/tmp/full/zeros 2>/dev/null
mount --rbind /var/tmp/full /etc || exit 9
%s
echo "status $?"
'''


def with_full_etc(site, command):
    """What a command says when there is no place left in /etc; then the names of the files that are new there."""
    listing = 'find /etc ! -type d'
    before = set(machine.program(['sh', '-c', listing])[1].splitlines())
    script = site.write('full-etc', FULL_ETC % command + listing + '\n', 0o755)
    said = machine.program(['unshare', '-m', script])[1]
    os.rmdir('/var/tmp/full')
    text, _, names = said.partition('status ')
    return text, names.split('\n')[0], set(names.split('\n')[1:-1]) - before


def test_a_full_etc(site):
    before = prepared(site)
    settings = read(SETTINGS)
    for options in ('--set dc_localdelivery=maildir_home', '--import /etc/remex/update-remex.conf.conf'):
        said, status, more = with_full_etc(site, '%s --program %s %s' % (machine.UPDATE, site.binary, options))
        assert status == '1' and SETTINGS in said and 'No space left' in said, (options, said)
        assert more <= {'/etc/zeros'}, more
    setup = '%s/scripts/remex-setup --non-interactive --program %s mailname=new.example dc_postmaster=anna' % (machine.ROOT, site.binary)
    said, status, more = with_full_etc(site, setup)
    assert status == '1' and 'No space left' in said and 'nothing is changed' in said and 'Warning' not in said and more <= {'/etc/zeros'}, (said, more)
    assert read(MADE) == before and read(SETTINGS) == settings


def test_a_full_etc_after_the_answers(site):
    prepared(site)
    setup = 'rm /etc/zeros; %s/scripts/remex-setup --non-interactive --program %s; cat /dev/zero >/etc/zeros 2>/dev/null; ' \
            '%s/scripts/remex-setup --non-interactive --program %s mailname=new.example; s=$?; cat /etc/mailname; (exit $s)'
    said, status, more = with_full_etc(site, setup % ((machine.ROOT, site.binary) * 2))
    assert status == '1' and 'No space left' in said and said.endswith('home.example\n') and 'Warning' not in said and more <= {'/etc/zeros'}, (said, more)


def test_no_checker(site):
    before = prepared(site)
    status, said = machine.program([machine.UPDATE, '--program', '/nowhere/remex'])
    assert status == 1 and '/nowhere/remex' in said and read(MADE) == before, said


def killed_before_the_last_step(site):
    """A checker that ends the script, as a power cut would."""
    checker = site.write('checker', '#!/bin/sh\n[ "$1" != -C ] || kill -9 $PPID\nexec %s "$@"\n' % site.binary, 0o755)
    return subprocess.run([machine.UPDATE, '--program', checker], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode


def test_a_death_between_writing_and_renaming(site):
    before = prepared(site)
    machine.write(SETTINGS, answers('local'))
    assert killed_before_the_last_step(site) == -9
    assert read(MADE) == before and os.path.exists(MADE + '.new')
    assert update(site) == (0, '') and 'DCconfig_local=1' in read(MADE) and not os.path.exists(MADE + '.new')


def test_what_is_written_is_safe_before_it_takes_the_place(site):
    prepared(site)
    trace = site.path('trace')
    status, said = machine.program(['strace', '-f', '-o', trace, '-e', 'trace=fsync,rename,renameat,renameat2,openat',
                                    machine.UPDATE, '--program', site.binary])
    assert status == 0, said
    calls = [l for l in read(trace).splitlines() if 'fsync(' in l or 'rename' in l]
    assert [re.sub(r'^\d+ +(\w+).*', r'\1', c) for c in calls if 'config.auto' in c or 'fsync' in c] == \
        ['fsync', 'rename', 'fsync'], calls


def test_two_at_a_time(site):
    prepared(site)
    slow = site.write('slow', '#!/bin/sh\n[ "$1" != -C ] || sleep 0.3\nexec %s "$@"\n' % site.binary, 0o755)
    machine.write(SETTINGS, answers('internet'))
    first = subprocess.Popen([machine.UPDATE, '--program', slow])
    time.sleep(0.1)
    machine.write(SETTINGS, answers('local'))
    second = subprocess.Popen([machine.UPDATE, '--program', slow])
    assert first.wait() == 0 and second.wait() == 0
    assert 'DCconfig_local=1' in read(MADE) and os.listdir('/var/lib/remex') == ['config.autogenerated']


# --- answers that are set ---

def test_an_answer_is_set_where_it_stands(site):
    prepared(site)
    machine.write(SETTINGS, '# mine\n' + answers('internet') + 'MESSAGE_SIZE_LIMIT=10M\n')
    before = read(SETTINGS)
    status, said = update(site, None, '--set', "dc_localdelivery=maildir_home", '--set', 'SMTP_BANNER=it\'s me')
    assert status == 0 and said == '', said
    wanted = before.replace("dc_localdelivery='mail_spool'", "dc_localdelivery='maildir_home'")
    assert read(SETTINGS) == wanted + "SMTP_BANNER='it'\\''s me'\n", read(SETTINGS)
    assert macros(read(MADE))['LOCAL_DELIVERY'] == 'maildir_home'
    assert macros(read(MADE))['SMTP_BANNER'] == "it's me"


def test_answers_are_set_in_a_file_that_was_not_there(site):
    before = prepared(site)
    os.unlink(SETTINGS)
    status, said = update(site, None, '--no-update', '--set', 'dc_eximconfig_configtype=local')
    assert status == 0, said
    assert read(SETTINGS).endswith("dc_eximconfig_configtype='local'\n")
    assert read(MADE) == before


def test_a_bad_answer_is_not_set(site):
    before = prepared(site)
    settings = read(SETTINGS)
    for pair, word in (('dc_relay_nets="x', 'has a quote'), ('dc_minimaldns=perhaps', 'either true or false'),
                       ('dc_relay_nets=1\n2', 'control character'), ('dc_smarhost=x', 'no such answer'),
                       ('dc_smarthost', 'NAME=VALUE'), ('dc_eximconfig_configtype=smarthost', 'dc_smarthost is empty')):
        stays(site, before, word, options=('--set', pair))
        assert read(SETTINGS) == settings, pair
