"""Callouts with the option hold: their connection becomes the delivery's, whichever processes that takes."""
import os
import sys

from daemon import Daemon

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mainjob'))
from callout_test import site_with
from remote_test import Server

RCPT = (' accept local_parts = plain\n'
        ' require verify = recipient/callout=use_sender,hold,no_cache\n'
        ' accept\n')
KINDS = ('', 'fast_lane = false', 'smtp_sessions_per_process = 1')


def words(server):
    return [c.split(':')[0].split(' ')[0] for c in server.commands]


def deliver(site, d, n, *to):
    with d.client() as c:
        c.sendmail('s@far.example', list(to), 'Subject: x\r\n\r\nbody\r\n')
    site.wait_for(lambda: sum(line.endswith('Completed') for line in site.log()) == n)


def test_connection_goes_along(site):
    for n, kind in enumerate(KINDS, 1):
        with Server(['SIZE', 'PIPELINING', '8BITMIME']) as server:
            site_with(site, server, RCPT, main=kind)
            with Daemon(site) as d:
                deliver(site, d, n, 'r@near.example', 'q@near.example')
            assert server.connections == 1, (kind, server.commands)
            assert words(server) == ['EHLO', 'MAIL', 'RCPT', 'RCPT', 'DATA', 'QUIT'], (kind, server.commands)
            (sender, recipients, data), = server.messages
            assert sender.startswith('MAIL FROM:<s@far.example>') and recipients == ['r@near.example', 'q@near.example']
            assert data.endswith(b'\r\n\r\nbody\r\n'), data
    log = [line for line in site.log() if '=> ' in line or '-> ' in line]
    assert len(log) == 2 * len(KINDS) and not any('*' in line for line in log), log


def test_another_recipient(site):
    """One that the connection was not told of: a delivery makes its own, and this one ends with QUIT."""
    with Server() as server:
        site_with(site, server, RCPT)
        with Daemon(site) as d:
            deliver(site, d, 1, 'r@near.example', 'plain@near.example')
        assert server.connections == 2 and words(server) == [
            'EHLO', 'MAIL', 'RCPT', 'QUIT', 'EHLO', 'MAIL', 'RCPT', 'RCPT', 'DATA', 'QUIT'], server.commands
        assert len(server.messages) == 1


def test_lost(site):
    """The server has gone, or goes when it hears of the message, or says that it takes no more: another connection does it."""
    def gone(command):
        first = server.commands.count('DATA') < 2
        return {'cut': Server.CUT, 'closes': '421 going'}[how] if command == 'DATA' and first else None

    for n, how in enumerate(('cut', 'closes'), 1):
        with Server(answers=gone) as server:
            site_with(site, server, RCPT)
            with Daemon(site) as d:
                if how == 'cut':
                    deliver(site, d, n, 'r@near.example')
                    assert server.connections == 2 and len(server.messages) == 1, server.commands
                else:                   # an answer to the message as any other
                    with d.client() as c:
                        c.sendmail('s@far.example', ['r@near.example'], 'Subject: x\r\n\r\nbody\r\n')
                    site.wait_for(lambda: any(' == r@near.example' in line for line in site.log()))
                    assert not server.messages


def test_refused_after_the_message(site):
    with Server(answers=lambda c: '550 not that' if c == 'END' else None) as server:
        site_with(site, server, RCPT)
        with Daemon(site) as d:
            with d.client() as c:
                c.sendmail('s@far.example', ['r@near.example'], 'Subject: x\r\n\r\nbody\r\n')
            site.wait_for(lambda: any(' ** r@near.example' in line for line in site.log()))
        assert server.connections == 1 and any('550 not that' in line for line in site.log()), site.log()


def test_what_waits_is_closed(site):
    """A message that is not delivered at once keeps no server waiting."""
    with Server() as server:
        site_with(site, server, RCPT, main='queue_only')
        with Daemon(site) as d:
            with d.client() as c:
                c.sendmail('s@far.example', ['r@near.example'], 'Subject: x\r\n\r\nbody\r\n')
            site.wait_for(lambda: server.commands[-1:] == ['QUIT'])
        assert words(server) == ['EHLO', 'MAIL', 'RCPT', 'QUIT'] and len(site.queue()) == 1


def test_without_a_daemon(site):
    """-bs; and the callout names the sender with which the message will go, not what an untrusted caller says."""
    with Server() as server:
        site_with(site, server, RCPT)
        talk = 'EHLO c\r\nMAIL FROM:<s@far.example>\r\nRCPT TO:<r@near.example>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n'
        r = site.run('-odi', '-bs', stdin=talk)
        assert '250 OK id=' in r.out, r.out
        assert server.connections == 1 and words(server) == ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'], server.commands
        assert [m[1] for m in server.messages] == [['r@near.example']]


AUTH = '''
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^%s^secret
  client_set_id = %s
'''


def auth(name):
    return RCPT + AUTH % (name, name)


def test_authenticated(site):
    """Who has authenticated speaks on, as long as the delivery would be the same user."""
    with Server(['AUTH PLAIN', 'SIZE']) as server:
        site_with(site, server, auth('$sender_address_local_part'), options='  hosts_require_auth = *\n')
        with Daemon(site) as d:
            deliver(site, d, 1, 'r@near.example', 'q@near.example')
        assert words(server) == ['EHLO', 'AUTH', 'MAIL', 'RCPT', 'RCPT', 'DATA', 'QUIT'], server.commands
    log = [line for line in site.log() if '=> ' in line or '-> ' in line]
    assert len(log) == 2 and all(' A=plain:s ' in line for line in log), log


def test_authenticated_as_another(site):
    """Another user by the time of the delivery, another secret, or nobody: it makes its own connection."""
    later = '${if eq{$message_exim_id}{}{one}{two}}'
    cases = ((auth(later), '  hosts_require_auth = *\n'),
             (RCPT + AUTH.replace('secret', later) % ('me', 'me'), '  hosts_require_auth = *\n'),
             (auth('me'), '  hosts_try_auth = ${if eq{$message_exim_id}{}{*}{}}\n'),
             (auth('me'), '  hosts_try_auth = *\n  authenticated_sender = ${if eq{$message_exim_id}{}{one}{two}}@x.example\n'))
    for n, (acl, options) in enumerate(cases, 1):
        with Server(['AUTH PLAIN']) as server:
            site_with(site, server, acl.replace('accept local_parts = plain\n', ''), options=options)
            with Daemon(site) as d:
                deliver(site, d, n, 'r@near.example')
            again = ['AUTH'] if n != 3 else []
            assert words(server) == ['EHLO', 'AUTH', 'MAIL', 'RCPT', 'QUIT', 'EHLO'] + again + ['MAIL', 'RCPT', 'DATA', 'QUIT'], (
                n, server.commands)


def test_refused_authentication(site):
    """Nobody has authenticated, although it was tried: the next one tries anew."""
    with Server(['AUTH PLAIN'], answers=lambda c: '535 no' if c.startswith('AUTH') else None) as server:
        site_with(site, server, auth('me'), options='  hosts_try_auth = *\n')
        with Daemon(site) as d:
            deliver(site, d, 1, 'r@near.example')
        assert server.connections == 2 and words(server).count('AUTH') == 2, server.commands
