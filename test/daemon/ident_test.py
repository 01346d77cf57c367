"""Ident queries (RFC 1413) about clients of the daemon."""
import socket
import time

from daemon import Daemon
from listening import Listening


class Ident(Listening):
    """A server that answers every query with `answer`, a text with the two ports filled in; None: with nothing."""

    def __init__(self, answer):
        self.answer, self.queries, self.open = answer, [], []
        self.begin()

    def talk(self, connection):
        line = connection.makefile('rb').readline().decode()
        self.queries.append(line)
        if self.answer is None:
            self.open.append(connection)
            return
        ports = line.replace(' ', '').strip()
        connection.sendall((self.answer % ports).encode())
        connection.close()


def configure(site, port, more='', timeout='5s', hosts='127.0.0.1'):
    site.configure('rfc1413_query_timeout = %s\nrfc1413_hosts = %s\nrfc1413_port = %d\n'
                   'acl_smtp_connect = check\n%s\n' % (timeout, hosts, port, more),
                   more='begin acl\ncheck:\n accept logwrite = ident <$sender_ident>')


def test_ident(site):
    with Ident('%s : USERID : UNIX : joe P=forged\r\n') as ident:
        configure(site, ident.port)
        site.write('names/u', '')
        with Daemon(site) as d:
            with d.client() as c:
                own = c.sock.getsockname()[1]
                c.helo()
                assert b' Hello joe at client.example' in c.docmd('HELO client.example')[1]
                c.sendmail('a@b.example', ['u@example.org'], 'Subject: x\r\n\r\n')
            assert ident.queries == ['%d , %d\r\n' % (own, d.port)], ident.queries
            site.wait_for(lambda: site.completed(1))
    log = site.raw_log()
    assert 'ident <joe>' in log, log
    assert '<= a@b.example H=(client.example) [127.0.0.1] U=joe P=smtp ' in log, log
    assert 'helo=client.example ident=joe)' in site.mail('u').replace('\n\t', ' '), site.mail('u')


def test_no_ident(site):
    """Errors, hosts that are not asked, time limit 0."""
    with Ident('%s : ERROR : NO-USER\r\n') as ident:
        for kw, queries in (({}, 1), ({'timeout': '0s'}, 1), ({'hosts': '10.0.0.0/8'}, 1)):
            configure(site, ident.port, **kw)
            with Daemon(site) as d:
                with d.client() as c:
                    assert c.helo()[0] == 250
            assert len(ident.queries) == queries, kw
    assert 'ident <>' in site.raw_log() and 'U=' not in site.raw_log()


def test_query_holds_up_nobody_else(site):
    """A host that is slow to answer has its time; others are served meanwhile."""
    with Ident(None) as ident:
        configure(site, ident.port, timeout='2s', hosts='127.0.0.1',
                  more='smtp_sessions_per_process = 1000\nsmtp_accept_max = 100')
        with Daemon(site) as d:
            began = time.monotonic()
            pairs = [d.connect() for _ in range(40)]
            with socket.create_connection(('127.0.0.1', d.port), 20, source_address=('127.0.0.2', 0)) as other:
                assert other.makefile('rb').readline().startswith(b'220')
            assert time.monotonic() - began < 1.5
            assert all(f.readline().startswith(b'220') for _, f in pairs)
            assert 1.9 < time.monotonic() - began < 8
            for s, f in pairs:
                f.close()
                s.close()


def test_ident_connection_times_out(site):
    """Its queue of connections is full."""
    for selector in '', 'log_selector = +ident_timeout':
        with socket.socket() as full:
            full.bind(('127.0.0.1', 0))
            full.listen(0)
            filling = []
            for _ in range(4):
                s = socket.socket()
                s.setblocking(False)
                s.connect_ex(full.getsockname())
                filling.append(s)
            configure(site, full.getsockname()[1], timeout='1s', more=selector)
            with Daemon(site) as d:
                with d.client() as c:
                    assert c.helo()[0] == 250
            for s in filling:
                s.close()
        assert ('ident connection to 127.0.0.1 timed out' in site.raw_log()) == bool(selector)
