"""Deliveries of the daemon to one destination share connections, within a limit."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mainjob'))
from daemon import Daemon  # noqa: E402
from remote_test import OUT, ROUTER, Server  # noqa: E402

MAIN = 'smtp_accept_max = 0\nsmtp_accept_queue_per_connection = 0\n'
ONE = 'deliver_processes = 1\n'     # which worker has which message is certain


def configure(site, server, main='', options='', **more):
    port = server if isinstance(server, int) else server.port
    site.configure(MAIN + main, routers=ROUTER % '127.0.0.1', transports=OUT % (port, options), retry='* * F,1h,1h', **more)


def send(site, daemon, n, first=0):
    """One message after the other is delivered."""
    for i in range(first, first + n):
        daemon.send('joe@example.org', text='Subject: n%d\r\n\r\nbody\r\n' % i)
        site.wait_for(lambda: site.completed(i + 1))


def quits(server):
    return server.commands.count('QUIT')


def subjects(server):
    return sorted(m[2].split(b'Subject: ')[1].split(b'\r\n')[0].decode() for m in server.messages)


def names(n, first=0):
    return sorted('n%d' % i for i in range(first, first + n))


def hosts(site):
    """The end of H=... in delivery lines: a star where the connection was used before."""
    return [line.split(' H=')[1].split(']')[1][:1] for line in site.log() if ' => ' in line]


def test_messages_share_a_connection(site):
    """The first has its own, and leaves none open; from the second on one is kept, and closed with QUIT when nothing comes."""
    with Server(extensions=['PIPELINING', 'CHUNKING']) as server:
        configure(site, server, ONE)
        with Daemon(site) as d:
            send(site, d, 1)
            site.wait_for(lambda: quits(server) == 1)
            send(site, d, 5, first=1)
            assert hosts(site)[:2] == [' ', ' '] and '*' in hosts(site)[2:]
            site.wait_for(lambda: quits(server) == server.connections)
        assert server.connections < 6 and subjects(server) == names(6)
        assert not site.raw_log('panic')


def test_a_burst_is_delivered_once(site):
    with Server(extensions=['PIPELINING']) as server:
        configure(site, server)
        with Daemon(site) as d:
            for i in range(40):
                d.send('joe@example.org', text='Subject: n%d\r\n\r\nbody\r\n' % i)
            site.wait_for(lambda: site.completed(40))
        assert subjects(server) == names(40) and server.connections < 40
        site.wait_for(lambda: quits(server) == server.connections)


def test_most_messages_of_a_connection(site):
    with Server() as server:
        configure(site, server, ONE, 'connection_max_messages = 2')
        with Daemon(site) as d:
            send(site, d, 9)
            site.wait_for(lambda: quits(server) == server.connections)
        assert subjects(server) == names(9) and server.connections >= 5


class Few(Server):
    """Two messages a connection, and the answer to a third."""
    def mails(self):
        return sum(c.startswith('MAIL') for c in self.commands)

    def dialogue(self, stream):
        self.limit = self.mails() + 2
        self.answers = lambda command: self.answer if command.startswith('MAIL') and self.mails() > self.limit else None
        Server.dialogue(self, stream)


def test_a_server_that_has_enough(site):
    """421, or the end of the connection, where another message begins: it goes over a new connection at once."""
    for k, answer in enumerate(('421 enough', Server.CUT)):
        with Few(extensions=['PIPELINING']) as server:
            server.answer = answer
            configure(site, server, ONE)
            with Daemon(site) as d:
                send(site, d, 8, first=8 * k)
            assert subjects(server) == names(8, 8 * k), server.messages
            assert ' == ' not in site.raw_log() and 'closed connection' not in site.raw_log(), site.raw_log()
            assert '*' in hosts(site)


def test_a_server_that_went_meanwhile(site):
    """The connection is dropped by the other side while nobody uses it; what it says then is no answer."""
    class Short(Server):
        def take(self, stream, *rest):
            Server.take(self, stream, *rest)
            stream.write(b'421 idle too long\r\n')
            stream.flush()
            raise ConnectionError

    with Short() as server:
        configure(site, server, ONE)
        with Daemon(site) as d:
            send(site, d, 5)
        assert server.connections == 5 and subjects(server) == names(5)
        assert ' == ' not in site.raw_log()


def test_what_depends_on_a_message_is_not_shared(site):
    for k, options in enumerate(('helo_data = $sender_address_domain', 'event_action = ${if eq{$event_name}{tcp:close}{}}',
                    'hosts_try_auth = *', 'serialize_hosts = *', 'interface = ${if def:sender_address{127.0.0.1}}')):
        with Server() as server:
            configure(site, server, ONE, options)
            with Daemon(site) as d:
                send(site, d, 4, first=4 * k)
            assert server.connections == 4, options
            assert '*' not in hosts(site)


def test_limit_of_a_destination(site):
    """One connection at a time: who finds it taken leaves the message, and whoever has it takes it along."""
    go = threading.Event()

    def answers(command):
        if command.startswith('END'):
            go.wait(30)

    with Server(answers=answers) as server:
        configure(site, server, 'deliver_host_connections = 1\ndeliver_processes = 4\n')
        with Daemon(site) as d:
            for i in range(4):
                d.send('joe@example.org', text='Subject: n%d\r\n\r\nbody\r\n' % i)
            site.wait_for(lambda: site.raw_log().count('connection limit reached for all hosts') == 3)
            assert server.connections == 1
            go.set()
            site.wait_for(lambda: site.completed(4))
        assert subjects(server) == names(4) and server.connections == 1, server.connections
        assert not site.raw_log('panic')
