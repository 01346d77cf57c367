"""libclamav in the inspect process, with a few signatures of our own, and what becomes of messages whose process dies."""
import base64
import binascii
import gzip
import io
import os
import re
import signal
import smtplib
import subprocess
import sys
import threading
import time
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon

VIRUS = b'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
OTHER = b'another thing that nobody wants: 0123456789'
CHECK = '''
begin acl
look:
  deny malware = %s
       message = it has $malware_name
  accept
'''


def signatures(site, **named):
    if not os.path.isdir(site.path('sigs')):
        site.mkdir('sigs')
    site.write('sigs/new', ''.join('%s:0:*:%s\n' % (n, binascii.hexlify(t).decode()) for n, t in named.items()))
    os.rename(site.path('sigs/new'), site.path('sigs/test.ndb'))


def configure(site, condition='*', settings='workers=2', main=''):
    site.configure(main='acl_smtp_data = look\nav_scanner = libclamav:{top}/sigs:%s\nsmtp_accept_max = 0\n%s' % (settings, main),
                   more=CHECK % condition)


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('readme.com', data)
    return out.getvalue()


def attached(data, name):
    return (b'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\nhello\r\n--x\r\n'
            b'Content-Type: application/octet-stream; name="%s"\r\nContent-Transfer-Encoding: base64\r\n'
            b'Content-Disposition: attachment; filename="%s"\r\n\r\n%s\r\n--x--\r\n'
            % (name, name, base64.encodebytes(data).replace(b'\n', b'\r\n')))


def nested(message):
    return (b'Subject: y\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="y"\r\n\r\n--y\r\n'
            b'Content-Type: message/rfc822\r\n\r\n' + message + b'\r\n--y--\r\n')


def answer(d, text):
    with d.client(timeout=60) as c:
        try:
            c.sendmail('a@client.example', ['b@example.org'], text)
            return 250, ''
        except smtplib.SMTPDataError as e:
            return e.smtp_code, e.smtp_error.decode()


def descendants(d, pid):
    below = d.children_or_none(pid)
    return below + [p for c in below for p in descendants(d, c)]


def processes(d):
    """The process that has loaded the library, and those that work with it."""
    found = []
    for p in [q for r in d.roles('inspect') for q in descendants(d, r)]:
        try:
            with open('/proc/%d/comm' % p) as f:
                if f.read().strip() == 'inspect-clamav':
                    found.append(p)
        except OSError:
            pass
    loaders = [p for p in found if any(q in found for q in d.children_or_none(p))] or found[:1]
    return loaders, [p for p in found if p not in loaders]


def test_what_is_found(site):
    signatures(site, Eicar=VIRUS)
    configure(site)
    found = (550, 'it has Eicar.UNOFFICIAL')
    with Daemon(site) as d:
        assert answer(d, b'Subject: x\r\n\r\nnothing\r\n') == (250, '')
        assert answer(d, b'Subject: x\r\n\r\n' + VIRUS + b'\r\n') == found
        assert answer(d, attached(VIRUS, b'x.com')) == found
        assert answer(d, attached(zipped(VIRUS), b'x.zip')) == found
        assert answer(d, attached(gzip.compress(VIRUS), b'x.gz')) == found
        assert answer(d, nested(attached(zipped(VIRUS), b'x.zip'))) == found
        assert answer(d, attached(zipped(b'harmless ' * 1000), b'x.zip')) == (250, '')
        loaders, _ = processes(d)
        assert len(loaders) == 1
        assert os.listdir(site.path('spool/inspect')) == []
        assert os.listdir(site.path('spool/scan')) == [] if os.path.isdir(site.path('spool/scan')) else True
    assert 'inspect process: libclamav: 1 signatures loaded' in site.log(), site.log()
    assert site.raw_log('panic') == '', site.raw_log('panic')


def test_plain_text_needs_no_process_and_no_file(site):
    """4 KB: the calls that the worker makes meanwhile."""
    signatures(site, Eicar=VIRUS)
    configure(site, settings='workers=1')
    text = b'Subject: x\r\n\r\n' + b'text that is quite harmless\r\n' * 140
    with Daemon(site) as d:
        assert answer(d, text) == (250, '')         # the library reads its own things the first time
        worker = processes(d)[1][0]
        out = site.path('calls')
        p = subprocess.Popen(['strace', '-f', '-p', str(worker), '-o', out], stderr=subprocess.PIPE)
        assert b'attached' in p.stderr.readline()
        assert answer(d, text) == (250, '')
        p.terminate()
        p.wait()
        p.stderr.close()
    calls = re.findall(r'^(?:\d+ +)?(\w+)\((.*)', site.read('calls'), re.M)
    made = [(c, a) for c, a in calls if c in ('fork', 'vfork', 'clone', 'clone3', 'execve', 'creat', 'mkstemp')
            or (c in ('open', 'openat') and 'O_CREAT' in a) or c in ('unlink', 'rename')]
    assert made == [], made
    assert len(calls) > 5, calls


def test_new_signatures_are_used(site):
    signatures(site, Eicar=VIRUS)
    configure(site)
    text = b'Subject: x\r\n\r\n' + OTHER + b'\r\n'
    with Daemon(site) as d:
        assert answer(d, text) == (250, '')
        before, _ = processes(d)
        time.sleep(1.1)     # seconds count
        signatures(site, Eicar=VIRUS, Other=OTHER)
        site.wait_for(lambda: '2 signatures loaded anew' in site.raw_log(), 30)
        assert answer(d, text) == (550, 'it has Other.UNOFFICIAL')
        site.wait_for(lambda: before[0] not in processes(d)[0] + processes(d)[1])
        # a folder that cannot be loaded changes nothing
        time.sleep(1.1)
        site.write('sigs/test.ndb', 'no signature at all\n')
        site.wait_for(lambda: 'Malformed database' in site.raw_log('panic'), 30)
        assert answer(d, text) == (550, 'it has Other.UNOFFICIAL')


def test_without_signatures_messages_wait(site):
    site.mkdir('sigs')
    configure(site)
    with Daemon(site) as d:
        code, text = answer(d, b'Subject: x\r\n\r\nnothing\r\n')
        assert code == 451, (code, text)
    assert 'malware acl condition: libclamav' in site.raw_log('panic'), site.raw_log('panic')
    configure(site, '* / defer_ok')
    with Daemon(site) as d:
        assert answer(d, b'Subject: x\r\n\r\nnothing\r\n') == (250, '')
    for wrong in ('max_files=none', 'max_scansize=1', 'something', 'alert_exceeds_max=1'):
        configure(site, settings=wrong)
        with Daemon(site) as d:
            assert answer(d, b'Subject: x\r\n\r\nnothing\r\n')[0] == 451
        assert '"%s" is no setting of libclamav' % wrong in site.raw_log('panic')


def struck(site, d, sig, text=b'Subject: x\r\n\r\nnothing\r\n'):
    """The answer for a message whose worker gets a signal in the middle; another message passes meanwhile."""
    assert answer(d, text)[0] == 250        # a worker is there
    worker = processes(d)[1][0]
    os.kill(worker, signal.SIGSTOP)
    got = []
    t = threading.Thread(target=lambda: got.append(answer(d, text)))
    t.start()
    time.sleep(0.5)
    assert answer(d, text) == (250, '')
    if sig is not None:
        os.kill(worker, sig)
        os.kill(worker, signal.SIGCONT)
    t.join(60)
    return got[0]


def test_a_worker_that_crashes_is_one_deferral(site):
    signatures(site, Eicar=VIRUS)
    configure(site)
    with Daemon(site) as d:
        assert struck(site, d, signal.SIGSEGV)[0] == 451
        assert 'malware acl condition: libclamav  : inspect process ended by signal 11 (1 since the start)' in site.raw_log(), \
            site.raw_log()
        assert answer(d, b'Subject: x\r\n\r\n' + VIRUS + b'\r\n')[0] == 550
        # the process that has loaded the library
        os.kill(processes(d)[0][0], signal.SIGKILL)
        site.wait_for(lambda: 'the process of libclamav has ended' in site.raw_log('panic'))
        assert answer(d, b'Subject: x\r\n\r\n' + VIRUS + b'\r\n')[0] == 550
        # and the one above it
        os.kill(d.roles('inspect')[0], signal.SIGKILL)
        site.wait_for(lambda: 'inspect process' in site.raw_log('panic') and d.roles('inspect'))
        assert answer(d, b'Subject: x\r\n\r\n' + VIRUS + b'\r\n')[0] == 550


def test_a_worker_that_hangs_is_killed(site):
    signatures(site, Eicar=VIRUS)
    configure(site, '* / tmo=3s')
    with Daemon(site) as d:
        assert struck(site, d, None)[0] == 451
        assert 'inspect process took too long: killed (1 since the start)' in site.raw_log(), site.raw_log()
    configure(site, '* / tmo=3s / defer_ok')
    with Daemon(site) as d:
        assert struck(site, d, None) == (250, '')


KILLS = int(os.environ.get('REMEX_KILLS', 8))
PASS = '''
begin acl
look:
  accept senders = calm@client.example
  deny malware = *
  accept
'''


def test_killed_again_and_again_under_load(site):
    """REMEX_KILLS times (a few in make check): workers, who has loaded the library, the inspect process itself. What was accepted is
    delivered, what was scanned when somebody died waits, and sessions that scan nothing go on."""
    signatures(site, Eicar=VIRUS)
    site.configure(main='acl_smtp_data = look\nav_scanner = libclamav:{top}/sigs:workers=4\nsmtp_accept_max = 0\nsmtp_accept_queue_per_connection = 0\n'
                   'smtp_accept_max_per_connection = 0\n', more=PASS)
    ends, stop = {'scanned': [], 'calm': []}, threading.Event()

    def load(d, kind, sender):
        with d.client(timeout=120) as c:
            c.ehlo()
            n = 0
            while not stop.is_set():
                n += 1
                name = '%s-%d-%d' % (kind, threading.get_ident(), n)
                try:
                    c.sendmail(sender, ['b@example.org'], 'Subject: %s\r\n\r\n%s\r\n' % (name, 'text ' * 400))
                    ends[kind].append((name, 250))
                except smtplib.SMTPDataError as e:
                    ends[kind].append((name, e.smtp_code))
                time.sleep(0.005 if kind == 'scanned' else 0.05)

    with Daemon(site) as d:
        assert answer(d, 'Subject: first\r\n\r\nx\r\n') == (250, '')
        sessions = [threading.Thread(target=load, args=(d, 'scanned', 'a@client.example')) for _ in range(4)]
        sessions += [threading.Thread(target=load, args=(d, 'calm', 'calm@client.example')) for _ in range(2)]
        for t in sessions:
            t.start()
        killed = {'worker': 0, 'loader': 0, 'inspect': 0}
        try:
            while sum(killed.values()) < KILLS:
                loaders, workers = processes(d)
                who = 'inspect' if sum(killed.values()) % 10 == 9 else 'loader' if sum(killed.values()) % 5 == 4 else 'worker'
                victims = {'inspect': d.roles('inspect'), 'loader': loaders, 'worker': workers}[who]
                if victims:
                    try:
                        os.kill(victims[sum(killed.values()) % len(victims)], signal.SIGKILL)
                        killed[who] += 1
                    except ProcessLookupError:
                        pass
                time.sleep(0.1)
        finally:
            stop.set()
            for t in sessions:
                t.join(180)
        assert {code for _, code in ends['calm']} == {250}, ends['calm']
        assert {code for _, code in ends['scanned']} <= {250, 451}
        assert answer(d, b'Subject: x\r\n\r\n' + VIRUS + b'\r\n')[0] == 550
        good = [n for kind in ends.values() for n, code in kind if code == 250]
        site.wait_for(lambda: site.raw_log().count(' Completed') >= len(good) + 1, 120)
    box = site.mail('anybody')
    delivered = [line[len('Subject: '):] for line in box.splitlines() if line.startswith('Subject: ') and '-' in line]
    assert sorted(delivered) == sorted(good), (len(delivered), len(good))
    deferred = [n for n, code in ends['scanned'] if code == 451]
    told = site.raw_log().count('malware acl condition: libclamav')
    assert told == len(deferred), (told, len(deferred))
    if 'REMEX_KILLS' in os.environ:
        sys.stderr.write('%d killed (%s), %d messages accepted and delivered once, %d deferred, %d of sessions that scan nothing\n' % (
            sum(killed.values()), killed, len(good), len(deferred), len(ends['calm'])))


def test_a_reload_leaves_no_old_process(site):
    signatures(site, Eicar=VIRUS)
    configure(site)
    bad = b'Subject: x\r\n\r\n' + VIRUS + b'\r\n'
    with Daemon(site) as d, d.client(timeout=60) as old:
        old.ehlo()
        before = d.roles('inspect') + processes(d)[0]
        assert answer(d, bad)[0] == 550
        d.reload()
        assert answer(d, bad)[0] == 550
        # a session of before still has its own
        code = 250
        try:
            old.sendmail('a@client.example', ['b@example.org'], bad)
        except smtplib.SMTPDataError as e:
            code = e.smtp_code
        assert code == 550
        old.quit()
        site.wait_for(lambda: len(d.roles('inspect')) == 1 and len(processes(d)[0]) == 1 and
                      not set(before) & set(d.roles('inspect') + processes(d)[0]))
        loaders, _ = processes(d)
    site.wait_for(lambda: not os.path.exists('/proc/%d' % loaders[0]))      # nor does the end
    assert site.raw_log('panic') == '', site.raw_log('panic')


def hostile(d, text, seconds=60):
    """The answer, which comes in time."""
    begun = time.monotonic()
    got = answer(d, text)
    assert time.monotonic() - begun < seconds, time.monotonic() - begun
    return got


def bombs():
    """What is small and becomes large: zeros, archives in each other, many files."""
    yield 'zeros', zipped(b'\0' * (200 << 20))
    deep = VIRUS
    for _ in range(30):
        deep = zipped(deep)
    yield 'deep', deep
    many = io.BytesIO()
    with zipfile.ZipFile(many, 'w', zipfile.ZIP_DEFLATED) as z:
        for i in range(12000):
            z.writestr('f%d' % i, b'x')
        z.writestr('readme.com', VIRUS)
    yield 'many', many.getvalue()


def test_bombs(site):
    """What is beyond the limits of the library is not looked at; with alert_exceeds_max it is found."""
    signatures(site, Eicar=VIRUS)
    limits = 'max_scansize=50M:max_filesize=50M:max_files=10000:max_recursion=17'
    configure(site, settings=limits)
    with Daemon(site) as d:
        for name, bomb in bombs():
            assert hostile(d, attached(bomb, b'x.zip')) == (250, ''), name
    configure(site, settings=limits + ':alert_exceeds_max')
    with Daemon(site) as d:
        for name, bomb in bombs():
            code, text = hostile(d, attached(bomb, b'x.zip'))
            assert code == 550 and text.startswith('it has Heuristics.Limits.Exceeded'), (name, code, text)
            assert 'F=<a@client.example> rejected after DATA: ' + text in site.raw_log(), site.raw_log()
        assert answer(d, attached(VIRUS, b'x.com')) == (550, 'it has Eicar.UNOFFICIAL')
        assert answer(d, attached(zipped(b'harmless ' * 1000), b'x.zip')) == (250, '')
        assert os.listdir(site.path('spool/inspect')) == []
    assert site.raw_log('panic') == '', site.raw_log('panic')


def test_hostile_structures(site):
    """Ten thousand parts in each other, names of header lines of a megabyte: all is looked through."""
    signatures(site, Eicar=VIRUS)
    configure(site)
    found = (550, 'it has Eicar.UNOFFICIAL')
    nests = b''.join(b'--B%d\r\nContent-Type: multipart/mixed; boundary=B%d\r\n\r\n' % (i, i + 1) for i in range(10000))
    nests = b'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B0\r\n\r\n' + nests + b'--B10000\r\n\r\n%s\r\n'
    with Daemon(site) as d:
        assert hostile(d, nests % b'x') == (250, '')
        assert hostile(d, nests % VIRUS) == found
        for line in (b'N' * 1000000 + b': v\r\n', b'N' * 1000000 + b'\r\n'):
            assert hostile(d, line + b'\r\nx\r\n') == (250, '')
            assert hostile(d, line + b'\r\n' + VIRUS + b'\r\n') == found
            assert hostile(d, line + attached(VIRUS, b'x.com')) == found
            assert hostile(d, attached(VIRUS, b'x.com').replace(b'Content-Disp', line + b'Content-Disp')) == found
    assert site.raw_log().count('rejected after DATA: it has Eicar.UNOFFICIAL') == 7, site.raw_log()
    assert site.raw_log('panic') == '', site.raw_log('panic')
