"""Where addresses go: remex on our configuration and on Debian's, beside Debian's exim4 on Debian's."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine

LOCAL = ['anna', 'ben', 'carl', 'dora', 'emil', 'root', 'mail', 'www-data', 'nobody', 'postmaster', 'abuse', 'team', 'boss',
         'outside', 'loop-a', 'gone', 'busy', 'hole', 'piped', 'filed', 'quoted', 'nosuch', 'real-anna', 'real-ben',
         'real-nosuch', 'Anna', 'anna+tag', 'mailer-daemon']
DOMAINS = ['home.example', 'other.example', 'localhost', 'mail.home.example', 'HOME.example']
REMOTE = ['far.example', 'two.example', 'private.example', 'relay.example', 'backup.example', 'nomail.example',
          'broken.example', 'six.example', 'sixinside.example', 'text.example', 'alone.example', 'inside.example',
          'listed.example', 'nowhere.example', 'fails.example', 'hub.example', 'smart.example', 'sub.far.example',
          'hubbed.example', 'sub.hubbed.example', '[192.0.2.5]', '[IPv6:2001:db8::5]']
PARTS = ['user', 'a.b', 'x+y', '"quoted part"', 'postmaster']
ODD = ['anna', 'nosuch', 'a@b@c', '@', 'user@', '"unfinished@far.example', 'user@-bad-.example', 'user@far..example',
       'x' * 70 + '@home.example', 'anna@home.example.', 'user@x-.far.example', 'user@a_.far.example', 'user@a_b.far.example', 'user@a/b.example']
ADDRESSES = (['%s@%s' % (l, d) for d in DOMAINS[:3] for l in LOCAL] + ['%s@%s' % (l, d) for d in DOMAINS[3:] for l in LOCAL[:8]] +
             ['%s@%s' % (p, d) for d in REMOTE for p in PARTS] + ODD)
SENDERS = ['anna@home.example', 'someone@far.example', '<>', 'root']

# Why an answer differs; patterns of the two answers.
DIFFERENCES = []


def test_there_are_enough_addresses(site):
    assert len(set(ADDRESSES)) >= 200, len(set(ADDRESSES))




def normal(text):
    """The routers tried, in order, then the answers sorted: in which order exim4 shows several is not told."""
    text = re.sub(r'^LOG: MAIN\n +', 'LOG: ', text, flags=re.M).replace('/etc/exim4/', '/etc/remex/')
    tried = [line for line in text.splitlines() if re.match('R: |LOG: ', line)]
    # An answer begins at the margin, its further lines are indented.
    answers = re.findall(r'^(?!R: |LOG: |\s)[^\n]*(?:\n[ \t][^\n]*)*', text, re.M)
    return '\n'.join(tried + [' '.join(line.split()) for line in '\n'.join(sorted(answers)).splitlines()])


def routed(program, conf, sender):
    """[what -bt says of each address]"""
    status, said = machine.program([program, '-C', conf, '-f', sender, '-bt'], '\n'.join(ADDRESSES) + '\n', timeout=120)
    parts = re.split(r'^> ', said, flags=re.M)[1:]
    assert len(parts) == len(ADDRESSES) + 1, (status, len(parts), said[-500:])
    return [normal(p) for p in parts[:-1]]


def explained(mine, theirs):
    return any(re.search(a, mine, re.S) and re.search(b, theirs, re.S) for a, b in DIFFERENCES)


def compare(mine, theirs, what):
    bad = ['%s, %s\n--- remex\n%s\n--- exim4\n%s' % (what, a, m, t)
           for a, m, t in zip(ADDRESSES, mine, theirs) if m != t and not explained(m, t)]
    assert not bad, '%d differ:\n%s' % (len(bad), '\n'.join(bad[:MOST]))


MOST = 40


def same_routes(site, kind, remex_conf, debian_conf):
    for sender in SENDERS if kind != 'none' else SENDERS[:1]:
        compare(routed(site.binary, remex_conf, sender), routed(machine.peer(), debian_conf, sender),
                '%s, sender %s' % (kind, sender))


def check_ours(site, kind, **more):
    if machine.peer() is None:
        print("Debian's exim4 is not unpacked here (scripts/fetch-peers does it): routes are not compared")
        return
    machine.restore_remex()
    machine.write('/etc/remex/hubbed_hosts', HUBBED)
    machine.write('/etc/exim4/hubbed_hosts', HUBBED)
    same_routes(site, kind, machine.made(site, kind, **more), machine.made_by_debian(kind, **more))


HUBBED = 'hubbed.example: inside.example:hub.example\n*.hubbed.example: 192.0.2.77 byname\n'


def test_internet(site):
    check_ours(site, 'internet')


def test_smarthost(site):
    check_ours(site, 'smarthost')


def test_satellite(site):
    check_ours(site, 'satellite')


def test_local(site):
    check_ours(site, 'local')


def test_none(site):
    check_ours(site, 'none')


def test_single_file(site):
    check_ours(site, 'internet', dc_use_split_config='false', dc_localdelivery='maildir_home', dc_minimaldns='true')


def check_debians(site, kind, split):
    """Debian's own files, as its own script joins them, in both programs."""
    if machine.peer() is None:
        return
    machine.write('/etc/exim4/hubbed_hosts', HUBBED)
    conf = machine.made_by_debian(kind, dc_use_split_config=split)
    same_routes(site, kind, conf, conf)
    assert machine.program([site.binary, '-C', conf, '-bV'])[0] == 0


def test_debians_own_files(site):
    for kind in machine.TYPES:
        check_debians(site, kind, 'true')


def test_debians_own_template(site):
    for kind in machine.TYPES:
        check_debians(site, kind, 'false')
