"""EHLO ahead of the greeting: what a server said is remembered, used, and let go of when it is no longer true."""
import select
import time

from remote_test import Server, give, lines_of, remote
from smtp_test import over_a_socket

OFFER = ['PIPELINING', 'SIZE 1000000', 'PIPECONNECT', 'HELP']
OPTIONS = '  hosts_pipe_connect = *\n  hosts_try_fastopen =\n'
MAIN = 'log_selector = +pipelining\n'


class Patient(Server):
    """Notes for each connection whether the client spoke before it was greeted."""
    def __init__(self, *args, **more):
        self.ahead = []
        super().__init__(*args, **more)

    def talk(self, connection):
        self.ahead.append(bool(select.select([connection], [], [], 0.5)[0]))
        super().talk(connection)


def deliver(site, name):
    give(site, name + '@far.example')
    assert site.queue() == [], site.log()
    return [line for line in site.log() if '=> ' + name in line][0]


def test_it_is_remembered(site):
    with Patient(OFFER) as server:
        remote(site, server, OPTIONS, main=MAIN)
        assert ' L C=' in deliver(site, 'a') and ' L* C=' in deliver(site, 'b'), site.log()
        assert server.ahead == [False, True], server.ahead
        assert server.commands.count('EHLO mx.example.org') == 2 and len(server.messages) == 2, server.commands


def test_it_is_not_asked_of_others(site):
    for i, (offer, options) in enumerate([(OFFER, ''), (['PIPELINING', 'HELP'], OPTIONS),
                                          (OFFER, OPTIONS + '  hosts_avoid_pipelining = *\n')]):
        with Patient(offer) as server:
            remote(site, server, options, main=MAIN)
            deliver(site, 'a%d' % i)
            deliver(site, 'b%d' % i)
            assert server.ahead == [False, False], (offer, options, server.ahead)


def test_records_are_no_older_than_allowed(site):
    with Patient(OFFER) as server:
        remote(site, server, OPTIONS, main=MAIN + 'retry_data_expire = 0s\n')
        deliver(site, 'a')
        time.sleep(2.1)
        deliver(site, 'b')
        assert server.ahead == [False, False], server.ahead


def test_what_is_no_longer_true(site):
    """A server that offers less, refuses EHLO, wants to be waited for, or hangs up gets the message all the same, once."""
    def less(server):
        server.extensions = ['PIPELINING', 'PIPECONNECT']

    def refuses(server):
        answers = iter(['554 no'])
        server.answers = lambda c: next(answers, None) if c.startswith('EHLO') else None

    def waits(server):
        answers = iter(['554 synchronization error'])
        server.answers = lambda c: next(answers, None) if c == 'GREETING' else None

    def hangs_up(server):
        answers = iter([Server.CUT])
        server.answers = lambda c: next(answers, None) if c == 'GREETING' else None
    for change in (less, refuses, waits, hangs_up):
        with Patient(OFFER) as server:
            remote(site, server, OPTIONS, main=MAIN)
            deliver(site, change.__name__ + '1')
            change(server)
            assert ' L C=' in deliver(site, change.__name__ + '2'), (change, site.log())
            assert server.ahead == [False, True, False], (change, server.ahead)
            assert len(server.messages) == 2, (change, server.messages)


def test_more_than_was_offered(site):
    """What is new is used the next time; the text of a message never goes to who has not shown what it can do."""
    with Patient(OFFER) as server:
        remote(site, server, OPTIONS, main=MAIN)
        deliver(site, 'a')
        server.extensions = OFFER + ['CHUNKING']
        assert ' L* C=' in deliver(site, 'b') and ' L* K C=' in deliver(site, 'c'), site.log()
        assert server.ahead == [False, True, True], server.ahead


def test_a_busy_server_is_not_asked_twice(site):
    with Patient(OFFER) as server:
        remote(site, server, OPTIONS, main=MAIN)
        deliver(site, 'a')
        server.answers = lambda c: '421 busy' if c == 'GREETING' else None
        give(site, 'b@far.example')
        assert server.ahead == [False, True] and len(site.queue()) == 1, site.log()
    assert any('initial connection: 421 busy' in line for line in lines_of(site, ' == ')), site.log()


def test_the_server_says_whether_it_was_used(site):
    site.configure(MAIN + 'pipelining_connect_advertise_hosts = *\n')
    mail = b'MAIL FROM:<a@b.c>\r\nRCPT TO:<user@example.org>\r\nDATA\r\n'
    end = (None, b'x\r\n.\r\n', None, b'QUIT\r\n', None)
    for how, steps in (('L*', (b'EHLO x\r\n' + mail,)), ('L.', (None, b'EHLO x\r\n', None, mail)),
                       ('L.-', (None, b'EHLO x\r\n', None) + tuple(s for line in mail.splitlines(True) for s in (line, None))[:-1])):
        out = over_a_socket(site, *steps, *end)
        assert '250-PIPECONNECT' in out and '250 OK id=' in out, out
        assert ' P=esmtp %s S=' % how in [line for line in site.log() if '<=' in line][-1], (how, site.log())
