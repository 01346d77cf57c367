"""Connections by way of SOCKS proxies: which are tried, in what order, and what is said when none does."""
import socket
import threading

from listening import Listening
from remote_test import Server, clear_hints, dead_port, give, lines_of, remote


class Proxy(Listening):
    """Speaks SOCKS 5. kind: '' (no names), 'name' (fred, fubar), or bytes that are all it says."""
    def __init__(self, kind='', code=0):
        self.kind, self.code, self.calls = kind, code, []
        self.begin()

    def talk(self, connection):
        try:
            with connection, connection.makefile('rwb') as stream:
                self.dialogue(connection, stream)
        except OSError:
            pass

    def dialogue(self, connection, stream):
        def say(data):
            stream.write(data)
            stream.flush()
        version, n = stream.read(2)
        methods = stream.read(n)
        if isinstance(self.kind, bytes):
            self.calls.append(None)
            say(self.kind)
            stream.read(1)
            return
        if self.kind == 'name':
            say(b'\5\2' if b'\2' in methods else b'\5\xff')
            if b'\2' not in methods:
                return
            stream.read(1)
            name, word = (stream.read(stream.read(1)[0]) for _ in range(2))
            say(b'\1' + bytes([(name, word) != (b'fred', b'fubar')]))
        else:
            say(b'\5\0')
        head = stream.read(4)
        if head != b'\5\1\0\1':
            return
        host = socket.inet_ntoa(stream.read(4))
        port = int.from_bytes(stream.read(2), 'big')
        self.calls.append((host, port))
        if self.code:
            say(b'\5' + bytes([self.code]) + b'\0\1' + bytes(6))
            return
        with socket.create_connection((host, port)) as far:
            say(b'\5\0\0\1\x7f\0\0\1\xbe\xef')
            back = threading.Thread(target=self.copy, args=(far, connection), daemon=True)
            back.start()
            self.copy(connection, far)
            back.join(10)

    @staticmethod
    def copy(source, to):
        while data := source.recv(4096):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)


def through(site, server, proxies, main='log_selector = +proxy +outgoing_port\n', options=''):
    remote(site, server, '  socks_proxy = %s\n%s' % (proxies, options), main=main)


def test_a_message_goes_through(site):
    with Server() as server, Proxy() as plain, Proxy('name') as named:
        for proxy, options in ((plain, ''), (plain, 'auth=none weight=3 tmo=9'), (named, 'auth=name name=fred pass=fubar pri=2')):
            through(site, server, '127.0.0.1 port=%d %s' % (proxy.port, options))
            give(site, 'a@far.example')
            assert site.queue() == [], site.log()
            assert proxy.calls[-1] == ('127.0.0.1', server.port), proxy.calls
            assert ' H=127.0.0.1 [127.0.0.1]:%d PRX=[127.0.0.1]:%d C=' % (server.port, proxy.port) in lines_of(site, '=>')[-1], site.log()
        assert len(server.messages) == 3
        through(site, server, '${if eq{1}{1}{}}')
        give(site, 'a@far.example')
        assert len(server.messages) == 4 and 'PRX' not in lines_of(site, '=>')[-1], site.log()


def test_variables_show_it(site):
    with Server() as server, Proxy() as proxy:
        through(site, server, '127.0.0.1 port=%d' % proxy.port,
                options='  helo_data = x$proxy_local_address-$proxy_local_port-$proxy_external_address-$proxy_external_port-$proxy_session\n')
        give(site, 'a@far.example')
        assert server.commands[0] == 'EHLO x127.0.0.1-%d-127.0.0.1-48879-yes' % proxy.port, server.commands


def test_order(site):
    """The highest priority first; what does not do is passed over; weight zero is for when there is nothing else."""
    with Server() as server, Proxy() as good, Proxy(b'\5\xff') as bad, Proxy() as last:
        through(site, server, '127.0.0.1 port=%d : 127.0.0.1 port=%d pri=3 : 127.0.0.1 port=%d pri=2 : 127.0.0.1 port=%d pri=2 weight=0'
                % (last.port, dead_port(), good.port, bad.port))
        give(site, 'a@far.example')
        assert (len(good.calls), bad.calls, last.calls, site.queue()) == (1, [], [], []), site.log()


def test_what_goes_wrong(site):
    """Each is a deferral that says why, and no byte of the message goes out; a proxy that stalls does so for its own time only."""
    with Server() as server, Proxy('name') as named, Proxy(b'') as stalls, Proxy(b'\5') as cut, Proxy(b'HTTP/1.1 400') as other, \
            Proxy(code=2) as strict, Proxy(code=5) as refuses:
        for port, options, words in ((named.port, '', 'it wants another kind of authentication'),
                                     (named.port, 'auth=name name=fred pass=no', 'authentication failed'),
                                     (stalls.port, 'tmo=1', 'no answer in time'), (cut.port, 'tmo=1', 'no answer in time'),
                                     (other.port, '', 'it does not speak SOCKS 5'), (dead_port(), '', 'cannot be connected to'),
                                     (strict.port, '', 'connection not allowed by its rules'),
                                     (refuses.port, '', 'connection refused')):
            through(site, server, '127.0.0.1 port=%d %s' % (port, options), options='  hosts_max_try = 1\n')
            give(site, 'a@far.example', options=('-odf',))
            assert 'SOCKS proxy [127.0.0.1]:%d: %s' % (port, words) in lines_of(site, ' H=127.0.0.1 [127.0.0.1]')[-1], (words, site.log())
            site.run('-Mrm', *site.queue())
            clear_hints(site)
        assert server.connections == 0 and server.messages == []
        assert 'fubar' not in ''.join(site.log())


def test_a_refusal_of_the_host_is_the_last_word(site):
    with Server() as server, Proxy(code=4) as one, Proxy(code=4) as two, Proxy(code=1) as sick:
        through(site, server, '127.0.0.1 port=%d : 127.0.0.1 port=%d : 127.0.0.1 port=%d pri=5' % (one.port, two.port, sick.port))
        give(site, 'a@far.example')
        assert len(sick.calls) == 1 and len(one.calls) + len(two.calls) == 1, (sick.calls, one.calls, two.calls)
        assert lines_of(site, ' == ')[-1].endswith('No route to host') or 'No route to host' in lines_of(site, 'H=127')[-1], site.log()


def test_a_list_that_cannot_be_read(site):
    with Server() as server:
        for text, words in (('here.example', 'no IP address "here.example" in socks_proxy'),
                            ('127.0.0.1 port=x', 'bad number "port=x" in socks_proxy'),
                            ('127.0.0.1 port=65536', 'bad number "port=65536" in socks_proxy'),
                            ('127.0.0.1 secret=word', 'unknown option "secret" in socks_proxy'),
                            ('127.0.0.1 auth=maybe', 'unknown kind of authentication "maybe" in socks_proxy'),
                            ('127.0.0.1 auth=name name=%s' % ('x' * 256), 'name or password too long for "127.0.0.1" in socks_proxy')):
            through(site, server, text)
            give(site, 'a@far.example')
            assert words in lines_of(site, ' == ')[-1], (words, site.log())
        assert server.connections == 0
