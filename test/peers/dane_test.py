"""DANE between remex and Postfix, each as the client of the other, with TLSA records from a signed zone."""
import contextlib
import os
import shutil
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from exchange_test import message
from mailers import Postfix, Remex

LOCK = threading.Lock()
REMEX_DOMAINS = 'remex.safe.example : wrong-remex.safe.example : open-remex.mail.example'


class DanePostfix(Postfix):
    level = 'dane'
    other_domains = 'wrong-postfix.safe.example head-postfix.safe.example tail-postfix.safe.example'


@contextlib.contextmanager
def pair(site, secure=True, out=''):
    """(remex, Postfix). secure: remex has the certificate that its TLSA record speaks of, else it offers no TLS."""
    pems = [site.path(name) for name in ('postfix.pem', 'remex.pem')]
    for pem in pems:
        shutil.copy(os.environ['REMEX_DANE'], pem)
    site.own(pems[1])
    with LOCK, DanePostfix(site, '127.0.1.16', 'postfix.safe.example', (pems[0], pems[0]),
                           'smtp_dns_support_level = dnssec') as postfix, \
            Remex(site, '127.0.2.16', REMEX_DOMAINS, (pems[1], pems[1]) if secure else None, out=out) as remex:
        try:
            yield remex, postfix
        except Exception as e:
            raise AssertionError('%s\n--- log of Postfix\n%s' % (e, postfix.log_text())) from e


def give(via, to, subject='secured'):
    via.take('s@client.mail.example', 'box@' + to, message(subject, b'text\r\n'))


def says(site, postfix, *words):
    """Once Postfix has logged a line with all the words."""
    site.wait_for(lambda: any(all(w in line for w in words) for line in postfix.log_text().splitlines()))


def test_postfix_finds_our_key(site):
    with pair(site) as (remex, postfix):
        give(postfix, 'remex.safe.example')
        remex.arrived(b'Subject: secured')
        says(site, postfix, 'Verified TLS connection established to mx.remex.safe.example[127.0.2.16]:25: TLSv1.3')
        assert ' X=TLS1.3:' in remex.lines(1, ' <= s@client.mail.example ')[0]


def test_postfix_sends_nothing_to_another_key(site):
    with pair(site) as (remex, postfix):
        give(postfix, 'wrong-remex.safe.example')
        says(site, postfix, 'to=<box@wrong-remex.safe.example>', 'status=deferred', 'Server certificate not verified')
        give(postfix, 'open-remex.mail.example', 'unsigned')       # no record, no demand
        remex.arrived(b'Subject: unsigned')
        says(site, postfix, 'Untrusted TLS connection established to mx.open-remex.mail.example[127.0.2.16]:25')
        assert len(remex.mail()) == 1


def test_postfix_sends_nothing_in_the_clear(site):
    with pair(site, secure=False) as (remex, postfix):
        give(postfix, 'remex.safe.example')
        says(site, postfix, 'to=<box@remex.safe.example>', 'status=deferred', 'TLS is required, but was not offered')
        assert ' <= ' not in remex.log_text()


def test_we_find_the_key_of_postfix(site):
    with pair(site, out='hosts_require_dane = *') as (remex, postfix):
        give(remex, 'postfix.safe.example')
        postfix.arrived(b'Subject: secured')
        line = remex.lines(1, ' => box@postfix.safe.example ')[0]
        assert ' H=mx.postfix.safe.example [127.0.1.16] X=TLS1.3:' in line and ' CV=dane ' in line, line


def test_we_send_nothing_to_another_key(site):
    with pair(site) as (remex, postfix):
        give(remex, 'wrong-postfix.safe.example')
        remex.lines(1, ' == box@wrong-postfix.safe.example ')
        assert 'DANE attempt failed; TLS connection to mx.wrong-postfix.safe.example [127.0.1.16]: ' in remex.log_text()
        assert postfix.mail() == [] and 'from=<s@client' not in postfix.log_text()


def test_we_find_the_key_of_an_alias(site):
    with pair(site, out='hosts_require_dane = *') as (remex, postfix):
        give(remex, 'head-postfix.safe.example')
        postfix.arrived(b'Subject: secured')
        line = remex.lines(1, ' => box@head-postfix.safe.example ')[0]
        assert ' H=bare.postfix.safe.example [127.0.1.16] X=TLS1.3:' in line and ' CV=dane ' in line, line


def test_the_name_behind_an_alias_comes_first(site):
    with pair(site) as (remex, postfix):
        give(remex, 'tail-postfix.safe.example')
        remex.lines(1, ' == box@tail-postfix.safe.example ')
        assert 'DANE attempt failed; TLS connection to mx.wrong-postfix.safe.example [127.0.1.16]: ' in remex.log_text()
        assert postfix.mail() == []
