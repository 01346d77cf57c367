"""Cutthrough delivery through the processes of the daemon."""
import os
import smtplib
import sys

from daemon import Daemon

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mainjob'))
from callout_test import site_with
from remote_test import Server


def spooled(site):
    return sum(len(names) for _, _, names in os.walk(site.path('spool/input')))


def test_cutthrough(site):
    with Server(answers=lambda c: '550 never' if c == 'RCPT TO:<never@near.example>' else None) as server:
        site_with(site, server, ' accept control = cutthrough_delivery\n')
        with Daemon(site) as d:
            with d.client() as c:
                c.sendmail('s@far.example', ['r@near.example', 'q@near.example'], 'Subject: x\r\n\r\nbody\r\n')
                assert [m[1] for m in server.messages] == [['r@near.example', 'q@near.example']], 'before the answer'
                try:
                    c.sendmail('s@far.example', ['never@near.example'], 'Subject: x\r\n\r\nbody\r\n')
                    raise AssertionError('a recipient was taken that the next hop refuses')
                except smtplib.SMTPRecipientsRefused:
                    pass
            assert server.connections == 2
        log = site.log()
    assert sum('>> ' in line for line in log) == 2 and not any('=> ' in line for line in log), log
    assert any(line.endswith('Completed') for line in log), log


def test_next_hop_away(site):
    """What the next hop does not take now is in the spool when the client is told that it was accepted."""
    with Server(answers=lambda c: Server.CUT if c == 'END' else None) as server:
        site_with(site, server, ' accept control = cutthrough_delivery\n')
        with Daemon(site) as d:
            d.send('r@near.example')
            site.wait_for(lambda: any(' == r@near.example' in line for line in site.log()))
            site.wait_for(lambda: spooled(site))    # from the fast lane
        assert not server.messages
