"""Private keys that only root may read, where root delivers without a daemon: they are opened with root's power for who signs without it."""
import os

from remote_test import OUT, ROUTER, Server
from signing_keys import REFUSED, Keys


def configure(site, server, options, more='', main=''):
    site.configure(main, ROUTER % '127.0.0.1', OUT % (server.port, options) + more, retry='* * F,1d,1s')


def is_signed(server, n=-1):
    return server.messages[n][2].startswith(b'DKIM-Signature: ')


def test_a_key_of_roots_alone_signs(site):
    """At once, in a queue run, when forced, and with several deliveries at a time."""
    if not site.root:
        return
    with Server() as server:
        keys = Keys(site)
        configure(site, server, keys.options('good'))
        site.send('you@far.example')
        assert is_signed(server) and site.queue() == []
        for options in (('-qff',), ('-M',)):
            site.send('you@far.example', options=('-odq',))
            assert len(site.queue()) == 1
            before = len(server.messages)
            site.run(*options, *(site.queue() if options == ('-M',) else ()))
            assert len(server.messages) == before + 1 and is_signed(server) and site.queue() == []
        configure(site, server, keys.options('good') + '  max_rcpt = 1\n')
        before = len(server.messages)
        site.send('a@far.example', 'b@far.example', 'c@far.example')
        assert len(server.messages) == before + 3 and all(is_signed(server, n) for n in range(before, before + 3))
        for key in (keys.path('good'), '${if exists{%s}{%s}{0}}' % (keys.path('$dkim_selector'), keys.path('$dkim_selector')),
                    keys.folder + '/go${lc:O}d'):
            configure(site, server, keys.options('good', key))
            site.send('you@far.example')
            assert is_signed(server), key
    assert site.queue() == [] and site.raw_log('panic') == ''


def test_what_is_no_key_of_roots_is_refused(site):
    """The message waits, and the log says why; where the mail user can read the file nobody is asked."""
    if not site.root:
        return
    with Server() as server:
        keys = Keys(site)
        faults = keys.spoil()
        for name, mode in (('theirs', 0o700), ('owner', 0o200)):
            os.chmod(keys.path(name), mode)
        for selector, path, why in faults:
            configure(site, server, keys.options('x', keys.folder + '/${extract{1}{:}{%s}}' % selector))
            before, had = len(server.messages), len(site.raw_log())
            site.send('you@far.example')
            log = site.raw_log()[had:]
            taken = len(server.messages) > before
            assert taken == (why is None) and (taken or REFUSED % (path, why) in log), (selector, log)
            assert taken or ' == you@far.example ' in log, log
    assert len(site.queue()) == len(faults) - 1


def test_nothing_but_what_is_named(site):
    """A folder that is named as a file, the folder of another transport, and one whose name begins like the right one."""
    if not site.root:
        return
    with Server() as server:
        keys, other = Keys(site), Keys(site, 'keys2')
        more = 'other:\n  driver = smtp\n  dkim_private_key = %s\n' % other.path('$dkim_selector')
        hidden = '${sg{NO/good}{NO}{%s}}'
        for key, path in ((hidden % keys.folder, keys.path('good')), (hidden % other.folder, other.path('good')),
                          ('${if eq{a}{b}{%s}{%s}}' % (keys.path('$dkim_selector'), hidden % other.folder), other.path('good'))):
            had = len(site.raw_log())
            configure(site, server, keys.options('good', key), more)
            site.send('you@far.example')
            log = site.raw_log()[had:]
            assert REFUSED % (path, 'the configuration names no such place') in log, (key, log)
    assert server.messages == [] and len(site.queue()) == 3


def test_without_root_nobody_is_asked(site):
    """deliver_drop_privilege: the process that delivers can have nothing of root's."""
    if not site.root:
        return
    with Server() as server:
        keys = Keys(site)
        configure(site, server, keys.options('good'), main='deliver_drop_privilege')
        site.send('you@far.example')
        log = site.raw_log()
        assert server.messages == [] and 'unable to open file for reading: ' + keys.path('good') in log and 'is not used' not in log, log


def test_arc(site):
    """arc_sign names its key likewise; what cannot be had leaves the message without a set."""
    if not site.root:
        return
    text = 'Authentication-Results: here.example; none\nFrom: me@here.example\nSubject: t\n\nbody\n'
    with Server() as server:
        keys = Keys(site)
        keys.make('wrong')
        os.chmod(keys.path('wrong'), 0o602)
        for name in ('good', 'wrong'):
            configure(site, server, '  arc_sign = here.example : sel : %s\n' % keys.path(name))
            site.send('you@far.example', text=text)
    assert [m[2].startswith(b'ARC-Seal: ') for m in server.messages] == [True, False]
    assert REFUSED % (keys.path('wrong'), 'others than root can write it') in site.raw_log(), site.raw_log()
