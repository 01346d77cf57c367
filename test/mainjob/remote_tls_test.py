"""Remote deliveries over TLS: what becomes of a connection that is encrypted."""
import ssl

import certs
from remote_test import Server, give, lines_of, remote


class Secure(Server):
    """Takes messages within TLS, which the client has to begin."""
    def __init__(self, site):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certs.certificate(site, certs.authority(site), 'server.example'))
        super().__init__()

    def talk(self, connection):
        with connection:
            stream = connection.makefile('rwb')
            for command, answer in (('', '220 server ESMTP'), ('EHLO', '250-server\r\n250 STARTTLS'), ('STARTTLS', '220 go on')):
                if command and not stream.readline().startswith(command.encode()):
                    return
                self.say(stream, command, answer)
            try:
                with self.context.wrap_socket(connection, server_side=True) as inner, inner.makefile('rwb') as stream:
                    self.dialogue(stream)
            except OSError:
                pass


def run_of_three(site, server, options):
    """How many connections a queue run with three messages takes."""
    remote(site, server, options)
    before, log = server.connections, len(site.log())
    for i in range(3):
        give(site, 'u%d@far.example' % i, options=['-odqs'])
    site.wait_for(lambda: sum('SMTP delivery explicitly queued' in l for l in site.log()[log:]) == 3)
    site.run('-q')
    assert site.queue() == [], site.log()
    return server.connections - before


def test_an_encrypted_connection_takes_further_messages_unless_it_may_not(site):
    with Secure(site) as server:
        assert run_of_three(site, server, '') == 1
        assert run_of_three(site, server, '  hosts_nopass_tls = 127.0.0.2\n') == 1
        assert run_of_three(site, server, '  hosts_nopass_tls = <; 127.0.0.0/24\n') == 3
        assert len(lines_of(site, ' X=TLS1.3:')) == 9, site.log()
    with Server() as server:    # in the clear it is passed on
        assert run_of_three(site, server, '  hosts_nopass_tls = *\n') == 1
