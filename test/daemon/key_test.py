"""Private keys that only root may read sign in the daemon: the agent opens them, and nobody can who talks to strangers that send mail."""
import base64
import os
import re
import signal
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'mainjob'))
import outside  # noqa: E402
from daemon import Daemon  # noqa: E402
from remote_test import OUT, ROUTER, Server  # noqa: E402
from signing_keys import REFUSED, Keys  # noqa: E402

ACL = '''begin acl
mail:
  deny senders = spy@client.example
       condition = ${readfile{%s}}
  accept
'''


def configure(site, server, options, main='', more=''):
    site.configure(main, ROUTER % '127.0.0.1', OUT % (server.port, options), retry='* * F,1d,1s', more=more)


def is_signed(server, n=-1):
    return server.messages[n][2].startswith(b'DKIM-Signature: ')


def signature(server, n):
    field = re.sub(rb'\s', b'', server.messages[n][2].split(b'\r\nReceived: ')[0])
    return base64.b64decode(field[field.rindex(b';b=') + 3:].rstrip(b';'))


def test_signs_in_the_fast_lane_and_in_queue_runs(site):
    if not site.root:
        return
    with Server() as server:
        keys = Keys(site)
        configure(site, server, keys.options('good', more='  arc_sign = here.example : s : %s\n' % keys.path('good')))
        text = 'Authentication-Results: here.example; none\r\nFrom: me@here.example\r\nSubject: t\r\n\r\nbody\r\n'
        with Daemon(site, '-q1s') as d:
            d.send('you@far.example', text=text)
            site.wait_for(lambda: site.completed(1))
            assert server.messages[0][2].startswith(b'ARC-Seal: ') and b'\nDKIM-Signature: ' in server.messages[0][2]
            server.answers = lambda command: '451 later' if command.startswith('RCPT') else None
            d.send('you@far.example')
            site.wait_for(lambda: ' == ' in site.raw_log() and len(site.queue()) == 1)
            server.answers = lambda command: None
            site.wait_for(lambda: site.completed(2))
            assert is_signed(server) and site.queue() == []
    assert not site.raw_log('panic')


def test_a_new_key_after_a_reload(site):
    """What waited for want of a key is signed when another one is named; a new file counts at once, also when the agent has died."""
    if not site.root:
        return
    with Server() as server:
        keys = Keys(site)
        keys.make('bad')
        os.chmod(keys.path('bad'), 0o602)
        configure(site, server, keys.options('bad'))
        with Daemon(site) as d:
            d.send('you@far.example')
            line = REFUSED % (keys.path('bad'), 'others than root can write it')
            site.wait_for(lambda: line in site.raw_log() and ' == you@far.example ' in site.raw_log())
            assert server.messages == []
            configure(site, server, keys.options('good'))
            d.reload()
            assert site.run('-qff').status == 0
            site.wait_for(lambda: site.completed(1))
            assert b's=good;' in server.messages[0][2]
            d.send('you@far.example')
            site.wait_for(lambda: site.completed(2))
            before = signature(server, -1)
            os.unlink(keys.path('good'))
            d.send('you@far.example')
            site.wait_for(lambda: 'unable to open file for reading: ' + keys.path('good') in site.raw_log())
            keys.make('good', size=2048)
            for p in d.roles('agent'):
                os.kill(p, signal.SIGKILL)
            d.send('you@far.example')
            site.wait_for(lambda: site.completed(3))
            assert (len(before), len(signature(server, -1))) == (128, 256)


def test_what_is_no_key_of_roots_is_refused(site):
    if not site.root:
        return
    with Server() as server:
        keys = Keys(site)
        faults = keys.spoil()
        names = ' '.join('k%d=%s' % (i, f[0]) for i, f in enumerate(faults))
        configure(site, server, keys.options('x', '%s/${extract{$local_part}{%s}}' % (keys.folder, names)))
        with Daemon(site) as d:
            for i, (selector, path, why) in enumerate(faults):
                to, taken = 'k%d@far.example' % i, len(server.messages)
                d.send(to)
                site.wait_for(lambda: re.search(' (==|=>) ' + to, site.raw_log()))
                assert (len(server.messages) > taken) == (why is None), selector
                assert why is None or REFUSED % (path, why) in site.raw_log(), selector
    assert len(server.messages) == 1


def test_nobody_else_can_open_it(site):
    """By the file's own mode: neither who talks to clients, nor the queue process, nor who delivers; only the agent has root's power, and
    no socket to it is there but those of who delivers."""
    if not outside.can_intrude():
        return
    with Server() as server:
        keys = Keys(site)
        key = keys.path('good')
        configure(site, server, keys.options('good'), main='acl_smtp_mail = mail', more=ACL % key)
        with Daemon(site) as d:
            with d.client() as c:
                c.ehlo()
                assert c.mail('spy@client.example')[0] == 451
            assert 'failed to open %s: Permission denied' % key in site.raw_log(), site.raw_log()
            d.send('you@far.example')
            site.wait_for(lambda: site.completed(1))
            assert is_signed(server)
            (agent,), (deliver,) = d.roles('agent'), d.roles('deliver')
            delivers = [deliver] + d.children(deliver)
            for pid in d.roles('smtp') + d.roles('queue') + delivers:
                assert outside.make(pid, 'open', '@' + key, os.O_RDONLY) == 'EACCES', pid
                assert (outside.between(pid, agent) is not None) == (pid not in d.roles('smtp') + d.roles('queue')), pid


WARNING = 'Warning: the private key %s can be read by the mail user, and so by processes that talk to strangers: root:root and mode 0600 are enough'


def test_a_key_that_too_many_can_read_is_told(site):
    """At the start and at a reload, once for all keys, of those that lie where every process may read; a folder that is closed to the mail user is enough, and so is its group for root."""
    if not site.root:
        return
    with Server() as server, tempfile.TemporaryDirectory(dir='/run') as top:
        os.chmod(top, 0o755)
        keys, others = Keys(site, top + '/keys'), Keys(site)
        keys.make('other')
        good, other = keys.path('good'), keys.path('other')
        configure(site, server, keys.options('x', good, '  arc_sign = $primary_hostname : s : %s\n' % good))

        def told(d):
            had = len(site.raw_log())
            d.reload()
            return re.findall('Warning: the private.*', site.raw_log()[had:])

        os.chmod(good, 0o604)
        with Daemon(site) as d:
            assert site.raw_log().count(WARNING % good) == 1, site.raw_log()
            for mode, gid, expected in ((0o600, 0, []), (0o640, 0, []), (0o640, site.gid, [WARNING % good]), (0o604, site.gid, [])):
                os.chmod(good, mode)
                os.chown(good, 0, gid)
                assert told(d) == expected, (mode, gid)
            os.chmod(good, 0o644)
            assert told(d) == [WARNING % good]
            os.chmod(keys.folder, 0o700)
            assert told(d) == []
            os.chmod(keys.folder, 0o755)
            os.chmod(other, 0o644)
            configure(site, server, keys.options('x', good, '  arc_sign = $primary_hostname : s : %s\n' % other))
            assert told(d) == [WARNING % (good + ' (and 1 more)')]
            configure(site, server, keys.options('x', '${lookup{x}lsearch{%s}}' % good))
            assert told(d) == []
            os.chmod(others.path('good'), 0o644)
            configure(site, server, keys.options('x', others.path('good')))
            assert told(d) == []
            configure(site, server, keys.options('x', good), main='deliver_drop_privilege')
            assert told(d) == []
