"""Options of the main section that change one thing: what waits, who may ask, who is who."""
import os
import subprocess
import time

from remote_test import Server, remote

STRANGER = 54321        # no user of any system


def as_user(site, uid, *args, stdin=b''):
    argv = ['setpriv', '--reuid', str(uid), '--regid', str(uid), '--clear-groups', site.binary, '-C', site.conf]
    p = subprocess.run(argv + list(args), input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, cwd='/')
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def test_smtp_deliveries_of_some_domains_wait(site):
    with Server() as server:
        remote(site, server, main='queue_smtp_domains = far.example')
        site.send('b@other.example')
        site.send('a@far.example')
        assert len(server.messages) == 1 and len(site.queue()) == 1
        assert '== a@far.example ' in site.raw_log() and 'SMTP delivery explicitly queued' in site.raw_log()
        site.run('-q')
        assert len(server.messages) == 2 and site.queue() == []


def test_the_sender_of_bounces_as_others_know_it(site):
    site.configure('bounce_sender_authentication = mailer-daemon@mx.example.org\n',
                   routers='gone:\n  driver = redirect\n  local_parts = gone\n  allow_fail\n  data = :fail: moved\n'
                           'back:\n  driver = redirect\n  allow_defer\n  data = :defer: later\n')
    site.send('gone', options=('-odf', '-f', 'me@example.org'))
    [bounce] = site.queue()
    with open(site.path('spool/input/%s-H' % bounce)) as f:
        assert '-auth_sender mailer-daemon@mx.example.org' in f.read().split('\n')


def test_checks_may_be_for_administrators(site):
    if not site.root:
        return
    checks = [('-be', '1'), ('-bt', 'a@b.c'), ('-bv', 'a@b.c'), ('-brt', 'a'), ('-brw', 'a'), ('-bh', '192.0.2.1'), ('-bf', '/dev/null')]
    for setting, refused in (('', False), ('commandline_checks_require_admin\n', True)):
        site.configure(setting)
        for check in checks:
            _, _, err = as_user(site, site.uid + 1, *check)
            assert ('those command-line flags are set to require admin' in err) == refused, (setting, check, err)
        assert site.run('-be', '$primary_hostname').out == 'mx.example.org\n'


def test_somebody_whom_the_system_does_not_know(site):
    if not site.root:
        return
    site.configure('unknown_login = user$caller_uid\nunknown_username = Some Body\n')
    with open(site.conf) as f:
        text = f.read()
    for name in ('spool', 'log', 'mail'):
        os.chown(site.path(name), STRANGER, STRANGER)
    with open(site.conf, 'w') as f:
        f.write(text.replace('exim_user = %s' % site.uid, 'exim_user = %d' % STRANGER)
                .replace('exim_group = %s' % site.gid, 'exim_group = %d' % STRANGER))
    status, out, err = as_user(site, STRANGER, '-odq', 'joe@example.org', stdin=b'Subject: x\n\ny\n')
    assert status == 0, (out, err)
    assert '<= user54321@example.org U=user54321 P=local ' in site.raw_log(), site.raw_log()
    [one] = site.queue()
    with open(site.path('spool/input/%s-H' % one)) as f:
        assert 'From: Some Body <user54321@example.org>' in f.read()


def test_what_cannot_be_read_is_kept_for_a_while(site):
    for keep, gone in (('1d', False), ('0s', True)):
        site.configure('keep_malformed = %s\nqueue_only' % keep)
        site.send('x', options=())
        [name] = site.queue()
        path = site.path('spool/input/%s-H' % name)
        with open(path) as f:
            first = f.readlines()[:2]
        with open(path, 'w') as f:
            f.writelines(first)
        time.sleep(1.1)
        site.run('-q')
        left = [n for n in os.listdir(site.path('spool/input')) if n.startswith(name)]
        assert bool(left) != gone, left
        assert any(line.endswith('Message removed because older than 0s') for line in site.log()) == gone, site.log()
        for n in left:
            os.unlink(site.path('spool/input/' + n))


def test_names_of_users(site):
    """Long ones are not asked for, and others asked for again."""
    router = 'users:\n  driver = accept\n  check_local_user\n  transport = mbox\n'
    for main, found in (('', True), ('max_username_length = %d' % len(site.login), True),
                        ('max_username_length = %d' % (len(site.login) - 1), False)):
        site.configure(main, routers=router)
        r = site.run('-bt', site.login)
        assert (r.status == 0) == found, (main, r.out)
    site.configure('finduser_retries = 2', routers=router)
    began = time.monotonic()
    assert site.run('-bt', 'nobody-has-this-name').status == 2 and time.monotonic() - began > 1.9
    began = time.monotonic()
    assert site.run('-bt', site.login).status == 0 and time.monotonic() - began < 1.9


def test_without_effect(site):
    """-bV names options that change nothing, and no others."""
    site.configure('tls_eccurve = secp384r1\ndelay_warning_condition = yes\ntls_dh_max_bits = 3000\n')
    r = site.run('-bV')
    named = [line.split()[0] for line in r.out.split('without effect in this version:\n')[1].splitlines() if line.startswith('  ')]
    assert named == ['tls_eccurve', 'tls_dh_max_bits'], r.out
