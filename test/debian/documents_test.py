"""What the documents for users and administrators show is what happens; see document.py."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
import stand_ins
from document import Document

EMPTY = ('/run/remex', '/run/clamav', '/var/spool/remex', '/var/log/remex', '/var/mail', '/var/lib/remex')


def emptied():
    for folder in EMPTY:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    shutil.rmtree('/etc/mail', ignore_errors=True)
    for user in machine.USERS:
        shutil.rmtree('/home/' + user)


def clean():
    """The machine on the day on which the packages were installed, with nothing in anybody's home."""
    emptied()
    machine.restore_remex()
    for name in ('mailname', 'aliases', 'hosts', 'resolv.conf'):
        machine.write('/etc/' + name, machine.FILES[name])
    machine.write('/etc/email-addresses', '')
    if os.path.exists('/etc/exim4/update-exim4.conf.conf'):     # else its answers are taken
        os.unlink('/etc/exim4/update-exim4.conf.conf')
    for user, uid in machine.USERS.items():
        os.mkdir('/home/' + user)
        os.chown('/home/' + user, uid, uid)


def as_before():
    """For the tests that follow."""
    emptied()
    machine.furnish_homes('')
    machine.write('/etc/email-addresses', machine.FILES['email-addresses'])


INTERNET = ('remex-setup --plain --non-interactive --no-verify dc_eximconfig_configtype=internet dc_other_hostnames=home.example '
            'dc_use_split_config=true',
            'systemctl restart remex')


def follow(site, name, *first, servers=None):
    """Runs the commands, then the document."""
    clean()
    if servers is not None:
        servers()
    document = Document(site, '%s/docs/%s.md' % (machine.ROOT, name))
    try:
        for command in first:
            said = '\n'.join(document.give(command + ' || echo failed', 'root'))
            assert not said.endswith('failed'), said
        faults = document.run()
    finally:
        document.give('systemctl stop remex', 'root')
        as_before()
    assert document.commands > 0
    assert not faults, '\n'.join(faults)


def test_filter_tutorial(site):
    follow(site, 'filter-tutorial', *INTERNET)


def test_conditions_of_the_filter_tutorial(site):
    """Each of the table is one, and holds of a message that was made for it."""
    with open(machine.ROOT + '/docs/filter-tutorial.md', encoding='utf-8') as f:
        rows = re.findall(r'^\| (`.*) \|.*\|$', f.read().split('## Conditions')[1].split('## ')[0], re.M)
    machine.restore_remex()
    conf = machine.made(site, 'local')
    message = 'From: Ben <ben@two.example>\nTo: ben@x.example, chess@x.example\nSubject: Re: [chess] x\n\nx\n'
    answers = []
    for condition in (c for row in rows for c in re.findall('`(.*?)`', row) if '…' not in c):
        if condition.startswith('ends'):
            condition = '$h_from: ' + condition
        site.write('filter', '# Exim filter\nif %s then testprint yes else testprint no endif\n' % condition)
        status, said = machine.program([site.binary, '-C', conf, '-bf', site.path('filter')], message)
        assert status == 0 and 'error' not in said, (condition, said)
        answers.append((condition, 'Testprint: yes' in said))
    assert len(answers) == 10, answers
    false = [c.split(' ')[0] for c, yes in answers if not yes]
    assert false == ['$h_subject:', '$message_size', 'personal', 'error_message'], answers


def test_administrators_guide(site):
    follow(site, 'administrators-guide', *INTERNET, servers=stand_ins.start)



def test_moving_from_sendmail(site):
    follow(site, 'moving-from-sendmail')


def test_differences(site):
    follow(site, 'differences', *INTERNET)
