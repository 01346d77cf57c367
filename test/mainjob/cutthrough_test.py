"""Cutthrough delivery: the next hop decides before the client is answered, and nothing is lost in between."""
import os

from callout_test import site_with
from remote_test import Server

CONTROL = ' accept control = cutthrough_delivery%s\n'


def send(site, recipients=('r@near.example',), before=(), mail='', rcpt=''):
    """The answers behind MAIL: those to each RCPT, to DATA and to its end."""
    lines = ['EHLO client'] + list(before) + ['MAIL FROM:<s@far.example>' + mail]
    lines += ['RCPT TO:<%s>%s' % (r, rcpt) for r in recipients]
    lines += ['DATA', 'Subject: x', '', '.. dots', '.', 'QUIT']
    r = site.run('-odq', '-bs', stdin='\r\n'.join(lines) + '\r\n')
    out = [line for line in r.out.replace('\r', '').split('\n') if line]
    at = next(i for i, line in enumerate(out) if line.startswith('250 HELP')) + 1
    return out[at + 1:-1]


def spooled(site):
    return [n for n in os.listdir(site.path('spool/input')) if n.endswith('-H')] if os.path.isdir(site.path('spool/input')) else []


def with_data_acl(site, server, verb, control=''):
    site_with(site, server, CONTROL % control + 'data:\n %s' % verb, main='acl_smtp_data = data')


def test_taken(site):
    with Server(extensions=['SIZE']) as server:
        site_with(site, server, CONTROL % '', options='  headers_add = X-Out: $return_path')
        got = send(site, ['r@near.example', 'q@near.example'])
        assert got[:2] == ['250 Accepted'] * 2 and got[3].startswith('250 OK id='), got
        assert server.connections == 1 and not spooled(site)
        (sender, recipients, data), = server.messages
        assert sender == 'MAIL FROM:<s@far.example>', sender     # its client has not said how long it is
        assert recipients == ['r@near.example', 'q@near.example']
        assert b'X-Out: s@far.example\r\n' in data and data.endswith(b'\r\n\r\n. dots\r\n'), data
        log = site.log()
        assert ['>> q@near.example' in log[0], '>> r@near.example' in log[1], ' <= ' in log[2],
                log[3].endswith('Completed')] == [True] * 4, log
        assert not os.path.isdir(site.path('spool/msglog')) or not os.listdir(site.path('spool/msglog'))


def test_refused(site):
    with Server(answers=lambda c: '550-no\r\n550 never' if c == 'END' else None) as server:
        site_with(site, server, CONTROL % '')
        assert send(site)[-2:] == ['550-no', '550 never'] and not spooled(site)
        assert ' rejected after DATA: R=remote T=out H=127.0.0.1 [127.0.0.1] C="550-no' in site.log()[0], site.log()


def test_later(site):
    with Server(answers=lambda c: '459 later' if c == 'END' else None) as server:
        site_with(site, server, CONTROL % '/defer=spool')
        assert send(site)[-1].startswith('250 OK id=') and len(spooled(site)) == 1
        assert ' tmp-reject from cutthrough after DATA: ' in site.log()[0], site.log()
        site_with(site, server, CONTROL % '/defer=pass')
        assert send(site)[-1] == '459 later' and len(spooled(site)) == 1


def test_lost_after_data(site):
    with Server(answers=lambda c: Server.CUT if c == 'END' else None) as server:
        site_with(site, server, CONTROL % '/defer=pass')
        assert send(site)[-1] == '450 Onward transmission not accepted' and not spooled(site)
        site_with(site, server, CONTROL % '')
        assert send(site)[-1].startswith('250 OK id=') and len(spooled(site)) == 1


def test_refused_recipients(site):
    with Server(answers=lambda c: '450 not now' if c.startswith('RCPT TO:<r@') else
                '550 no' if c.startswith('RCPT TO:<n@') else None) as server:
        site_with(site, server, CONTROL % '/defer=pass')
        assert send(site)[0] == '450 not now'
        assert send(site, ['n@near.example'])[0] == '550 Administrative prohibition'
        site_with(site, server, CONTROL % '')
        assert send(site, ['g@near.example', 'r@near.example'])[:2] == ['250 Accepted'] * 2
        assert len(spooled(site)) == 1 and not server.messages, 'one that is not taken makes all wait in the spool'
        assert send(site, ['g@near.example', 'n@near.example'])[:2] == ['250 Accepted', '550 Administrative prohibition']
        assert len(spooled(site)) == 2 and not server.messages


def test_acl_of_data(site):
    with Server() as server:
        with_data_acl(site, server, 'deny')
        assert send(site)[-1] == '550 Administrative prohibition'
        assert not server.messages and not spooled(site)
        with_data_acl(site, server, 'accept add_header = X-Late: yes')
        assert send(site)[-1].startswith('250 OK id=') and not spooled(site)
        assert b'X-Late' not in server.messages[0][2]
        with_data_acl(site, server, 'accept control = queue_only')
        assert send(site)[-1].startswith('250 OK id=')
        assert len(server.messages) == 1 and len(spooled(site)) == 1


def test_denied_after_callout(site):
    """The next hop was told of a recipient that is refused afterwards: it must not get the message."""
    acl = ' warn control = cutthrough_delivery\n require verify = recipient/callout=use_sender,no_cache\n' \
          ' deny local_parts = bad\n accept'
    with Server() as server:
        site_with(site, server, acl)
        got = send(site, ['r@near.example', 'bad@near.example'])
        assert got[0] == '250 Accepted' and got[1].startswith('550') and got[-1].startswith('250 OK id='), got
        assert not server.messages and len(spooled(site)) == 1
        assert send(site)[-1].startswith('250 OK id=')
        assert [m[1] for m in server.messages] == [['r@near.example']] and len(spooled(site)) == 1
        assert server.connections == 2, 'the connection of the callout is the one of the delivery'


def test_what_is_spooled(site):
    with Server() as server:
        site_with(site, server, CONTROL % '', main='dsn_advertise_hosts = *')
        assert send(site, rcpt=' NOTIFY=SUCCESS')[-1].startswith('250 OK id=')
        assert not server.messages and len(spooled(site)) == 1
        site_with(site, server, CONTROL % '', options='  transport_filter = /bin/cat')
        assert send(site)[-1].startswith('250 OK id=')
        assert (server.commands[4:], server.messages, len(spooled(site))) == ([], [], 2), os.listdir(site.path('spool/input'))
        site_with(site, server, ' accept condition = ${if eq{$local_part}{q}}\n control = cutthrough_delivery\n accept')
        assert send(site, ['r@near.example', 'q@near.example'])[-1].startswith('250 OK id=')
        assert not server.messages and len(spooled(site)) == 3, 'only the first recipient can ask for it'


def test_in_chunks(site):
    with Server() as server:
        site_with(site, server, CONTROL % '', main='chunking_advertise_hosts = *')
        text = 'EHLO c\r\nMAIL FROM:<s@far.example>\r\nRCPT TO:<r@near.example>\r\nBDAT 14 LAST\r\nSubject: x\r\n\r\nQUIT\r\n'
        r = site.run('-odq', '-bs', stdin=text)
        assert '250 OK id=' in r.out and not server.messages and len(spooled(site)) == 1, r.out
