"""Domains with several hosts, of which some do not do: the message is delivered once, by the next one, and the log tells why."""
import contextlib
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from exchange_test import message
from mailers import Remex
from scripted import Host

ADDRESSES = {'dead': '127.0.3.1', 'dead2': '127.0.3.2', 'silent': '127.0.3.3', 'odd': '127.0.3.4', 'live': '127.0.3.5',
             'live2': '127.0.3.6'}
LOCK = threading.Lock()
LIMITS = 'connect_timeout = 2s\n  command_timeout = 2s\n  final_timeout = 2s'


def host(name, *trouble, **more):
    return Host(*trouble, address=ADDRESSES[name], port=25, **more)


@contextlib.contextmanager
def sender(site):
    with LOCK, Remex(site, '127.0.2.20', 'sender.mail.example', out=LIMITS) as remex:
        yield remex


def give(remex, domain, subject='x', sender_of_it='s@sender.mail.example'):
    remex.take(sender_of_it, 'x@%s.mail.example' % domain, message(subject, b'text\r\n'))


def delivered(remex, domain, by, n=1):
    """The lines of the log about one message, once it was delivered by a host."""
    lines = remex.lines(n, ' => x@%s.mail.example ' % domain)
    assert all(' H=%s.mail.example [%s]' % (by, ADDRESSES[by]) in line for line in lines), remex.log_text()
    return remex.log_text()


def test_a_primary_that_refuses_connections(site):
    with sender(site) as remex, host('live') as live:
        give(remex, 'refused')
        log = delivered(remex, 'refused', 'live')
        assert 'H=dead.mail.example [127.0.3.1] Connection refused' in log and len(live.taken) == 1, log
        give(remex, 'refused')      # it is known by now, and left alone
        log = delivered(remex, 'refused', 'live', 2)
        assert log.count('Connection refused') == 1 and len(live.taken) == 2, log


def test_a_primary_that_does_not_answer(site):
    with sender(site) as remex, host('silent', 'connect', 'stall'), host('live') as live:
        give(remex, 'silenced')
        log = delivered(remex, 'silenced', 'live')
        assert 'H=silent.mail.example [127.0.3.3] Connection timed out' in log and len(live.taken) == 1, log


def test_several_hosts_that_do_not_do(site):
    with sender(site) as remex, host('odd', 'banner', '421 busy') as odd, host('live') as live:
        give(remex, 'several')
        log = delivered(remex, 'several', 'live')
        assert 'H=odd.mail.example [127.0.3.4]: SMTP error from remote mail server after initial connection: 421 busy' in log, log
        assert log.index('421 busy') < log.index('H=dead'), log
        assert 'H=dead.mail.example [127.0.3.1] Connection refused' in log, log
        assert 'H=dead2.mail.example [127.0.3.2] Connection refused' in log, log
        assert (len(odd.taken), len(live.taken), site.queue()) == (0, 1, []), log


def test_hosts_of_equal_weight_share(site):
    with sender(site) as remex, host('live') as one, host('live2') as two:
        for i in range(30):
            give(remex, 'equal', 'number%d' % i)
        remex.lines(30, ' => x@equal.mail.example ')
        texts = one.taken + two.taken
        assert len(texts) == 30 and len(set(texts)) == 30 and one.taken and two.taken, (len(one.taken), len(two.taken))


def test_hosts_of_equal_weight_of_which_one_is_dead(site):
    with sender(site) as remex, host('live') as live:
        for i in range(20):
            give(remex, 'half', 'number%d' % i)
        log = delivered(remex, 'half', 'live', 20)
        assert len(set(live.taken)) == len(live.taken) == 20 and '[127.0.3.1] Connection refused' in log, log


def test_all_hosts_are_dead_and_one_comes_back(site):
    with sender(site) as remex:
        give(remex, 'alldead')
        line = remex.lines(1, ' == x@alldead.mail.example ')[0]
        log = remex.log_text()
        assert 'defer (111): Connection refused' in line, log
        assert all('[%s] Connection refused' % ADDRESSES[name] in log for name in ('dead', 'dead2')), log
        with host('dead') as back:
            run_until(site, '-q', 'retry time not reached for any host')
            assert back.connections == 0
            run_until(site, '-qf', ' => x@alldead.mail.example ')
            delivered(remex, 'alldead', 'dead')
            assert len(back.taken) == 1 and site.queue() == []


def run_until(site, option, word):
    """Queue runs until the log has the word: the process of an earlier attempt may still hold the message."""
    def has_it():
        assert site.run(option).status == 0
        return word in site.raw_log()
    site.wait_for(has_it)


def test_a_primary_that_breaks_off_within_a_message(site):
    for stage in ('MAIL', 'RCPT', 'DATA'):
        with sender(site) as remex, host('odd', stage, 'cut') as odd, host('live') as live:
            give(remex, 'broken')
            log = delivered(remex, 'broken', 'live')
            assert 'H=odd.mail.example [127.0.3.4]: Remote host closed connection in response to ' + stage in log, log
            assert (len(odd.taken), len(live.taken)) == (0, 1) and 'get it again' not in log, log
        remex_forgets(site)


def test_a_primary_that_keeps_its_last_answer(site):
    """Nobody can know that it took the message, so the other host gets it as well; the log tells."""
    with sender(site) as remex, host('odd', 'dot', 'cut') as odd, host('live') as live:
        give(remex, 'broken')
        log = delivered(remex, 'broken', 'live')
        assert 'H=odd.mail.example [127.0.3.4]: Remote host closed connection in response to end of data' in log, log
        assert 'H=odd.mail.example [127.0.3.4]: the message was sent whole and got no answer' in log, log
        assert len(odd.taken) == len(live.taken) == 1, log


def test_a_refusal_by_the_primary_is_the_last_word(site):
    with sender(site) as remex, host('odd', 'RCPT', '550 unknown') as odd, host('live') as live:
        give(remex, 'broken')
        remex.lines(1, ' ** x@broken.mail.example ', 'H=odd.mail.example [127.0.3.4]', ': 550 unknown')
        assert b'550 unknown' in remex.arrived(b'X-Failed-Recipients: x@broken.mail.example')
        assert (len(odd.taken), live.connections) == (0, 0)


def remex_forgets(site):
    """Between two daemons on one site."""
    for name in ('spool/db/hints.lmdb', 'log/mainlog'):
        os.unlink(site.path(name))
