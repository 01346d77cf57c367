"""Messages that no process of ours would send, written into the sockets between running processes: whoever reads one closes that one peer,
says so, and goes on with all others."""
import array
import os
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import outside  # noqa: E402
from daemon import Daemon  # noqa: E402

DEF = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../src/proc/ipc.def')
with open(DEF) as _f:
    NUMBERS = {name: n for n, name in enumerate(re.findall(r'^IPC\((\w+),', _f.read(), re.M))}


def packet(name, *fields, length=None):
    body = b''
    for x in fields:
        body += struct.pack('=Q', x) if isinstance(x, int) else struct.pack('=H', len(x)) + x
    n = 4 + len(body)
    return struct.pack('=HH', NUMBERS[name] if isinstance(name, str) else name, n if length is None else length) + body


def write(s, data, fds=0):
    beside = []
    null = os.open('/dev/null', os.O_RDONLY)
    try:
        if fds:
            beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [null] * fds))]
        s.sendmsg([data], beside, socket.MSG_NOSIGNAL)
    finally:
        os.close(null)
        s.close()


def forgeries(good, fds, other):
    """(bytes, descriptors) that are all no message; good is one that may be sent there, with fds descriptors; other may not."""
    return [(good, 1 - fds),                                   # a descriptor too many or too few
            (good, fds + 5),
            (good[:-1], fds), (good[:3], fds), (good + b'x', fds),   # cut short, too long
            (good[:2] + struct.pack('=H', len(good) - 1) + good[4:], fds),
            (packet(len(NUMBERS)), 0), (packet(0xffff), 0),    # nobody's
            (other, 0),                                        # somebody else's
            (b'\0' * 3001, 0), (b'GET / HTTP/1.0\r\n\r\n', 0)]


def goes_on(site, d):
    """A message comes through, for which all kinds are needed."""
    n = site.raw_log().count('Completed')
    d.send('joe@example.org')
    site.wait_for(lambda: site.raw_log().count('Completed') > n)


class Session:
    """A connection in the middle of a message, which has to survive what happens to others."""

    def __init__(self, d):
        self.s, self.f = d.connect()
        assert self.f.readline().startswith(b'220')
        self.say(b'HELO x', b'250')
        self.say(b'MAIL FROM:<a@client.example>', b'250')

    def say(self, line, answer):
        self.s.sendall(line + b'\r\n')
        got = self.f.readline()
        assert got.startswith(answer), (line, got)

    def finish(self):
        self.say(b'RCPT TO:<joe@example.org>', b'250')
        self.say(b'DATA', b'354')
        self.say(b'Subject: survivor\r\n\r\nx\r\n.', b'250 OK id=')
        self.say(b'QUIT', b'221')
        self.f.close()
        self.s.close()


def process_of(d, session):
    """The smtp process that has the connection."""
    port = session.s.getsockname()[1]
    local = '0100007F:%04X' % d.port
    remote = '0100007F:%04X' % port
    with open('/proc/net/tcp') as f:
        inode = next(int(w[9]) for w in map(str.split, f) if w[1] == local and w[2] == remote)
    return next(p for p in d.roles('smtp') if inode in outside.inodes(p))


def start(site, d):
    """All have been introduced to each other."""
    goes_on(site, d)
    (queue,) = d.roles('queue')
    site.wait_for(lambda: all(outside.between(p, queue) for p in d.roles('smtp') + d.roles('deliver')))
    return queue


def test_to_the_master(site):
    if not outside.can_intrude():
        return
    tries = forgeries(packet('READY'), 0, packet('HELLO', 1, 1, 1))
    site.configure('smtp_accept_max = 0\nsmtp_processes = %d' % (len(tries) + 1))
    with Daemon(site) as d:
        start(site, d)
        survivor = Session(d)
        victims = [p for p in d.roles('smtp') if p != process_of(d, survivor)]
        others = d.roles('queue') + d.roles('deliver')
        for pid, (data, fds) in zip(victims, tries):
            write(outside.between(pid, d.process.pid), data, fds)
            site.wait_for(lambda: 'smtp process %d sent what is no message: it is closed' % pid in site.raw_log())
            site.wait_for(lambda: 'smtp process %d ended by signal 9: another one is started' % pid in site.raw_log())
        survivor.finish()
        assert d.roles('queue') + d.roles('deliver') == others
        goes_on(site, d)


def each(site, d, tries, sender, reader, line):
    """Forges from one running process to another; the socket between them is closed and made anew, both live on."""
    before = sorted(d.roles('smtp') + d.roles('queue') + d.roles('deliver'))
    survivor = Session(d)
    for data, fds in tries:
        n = site.raw_log().count(line)
        site.wait_for(lambda: outside.between(sender, reader))
        s = outside.between(sender, reader)
        old = os.fstat(s.fileno()).st_ino
        write(s, data, fds)
        if line:
            site.wait_for(lambda: site.raw_log().count(line) > n)
        site.wait_for(lambda: old not in outside.inodes(sender) and old not in outside.inodes(reader))
    goes_on(site, d)
    survivor.finish()
    site.wait_for(lambda: outside.between(sender, reader))
    assert sorted(d.roles('smtp') + d.roles('queue') + d.roles('deliver')) == before


def between_two(site, kinds, tries, line, options='smtp_processes = 2'):
    if not outside.can_intrude():
        return
    site.configure(options)
    with Daemon(site) as d:
        start(site, d)
        each(site, d, tries, d.roles(kinds[0])[0], d.roles(kinds[1])[0], line)


ARRIVED = packet('ARRIVED', b'1xWg3l-000000005TP-0XyK', b'', 0)


def test_from_smtp_to_queue(site):
    between_two(site, ('smtp', 'queue'), forgeries(ARRIVED, 0, packet('WORKER', 1)), 'smtp process sent what is no message: it is closed')


def test_from_queue_to_smtp(site):
    between_two(site, ('queue', 'smtp'), forgeries(packet('ETRN_ANSWER', 1, 1), 0, packet('WANTED'))[::3], '')


def test_from_deliver_to_queue(site):
    between_two(site, ('deliver', 'queue'), forgeries(packet('WORKER', 1), 1, packet('ETRN', 1, b'x'))[::2],
                'deliver process sent what is no message: it is closed')


def test_from_queue_to_deliver(site):
    between_two(site, ('queue', 'deliver'), forgeries(packet('WANTED'), 0, packet('ATTEMPT', b'x', b'', 0))[::3], '')


def test_workers(site):
    """Both directions; a worker that is closed ends, another one takes its place."""
    if not outside.can_intrude():
        return
    site.configure()
    with Daemon(site) as d:
        queue = start(site, d)
        (deliver,) = d.roles('deliver')
        for back in (False, True):
            good = packet('ATTEMPT', b'1xWg3l-000000005TP-0XyK', b'', 0) if back else packet('DONE', 0)
            for data, fds in forgeries(good, 0, packet('READY'))[::2]:
                site.wait_for(lambda: any(outside.between(w, queue) for w in d.children(deliver)))
                worker = next(w for w in d.children(deliver) if outside.between(w, queue))
                write(outside.between(queue, worker) if back else outside.between(worker, queue), data, fds)
                site.wait_for(lambda: not os.path.exists('/proc/%d' % worker) or worker not in d.children(deliver))
                if not back:
                    assert 'delivery process %d sent what is no message: it is closed' % worker in site.raw_log()
                goes_on(site, d)
        # It says "done" though it was given nothing to do.
        worker = next(w for w in d.children(deliver) if outside.between(w, queue))
        write(outside.between(worker, queue), packet('DONE', 0))
        site.wait_for(lambda: 'delivery process %d sent what is no message: it is closed' % worker in site.raw_log())
        goes_on(site, d)
        assert d.roles('queue') == [queue] and d.roles('deliver') == [deliver]


def test_a_session_to_its_process(site):
    if not outside.can_intrude():
        return
    site.configure('smtp_accept_max = 0\nsmtp_processes = 1\nsmtp_sessions_per_process = 1')
    with Daemon(site) as d:
        start(site, d)
        (smtp,) = d.roles('smtp')
        survivor = Session(d)
        for data, fds in forgeries(ARRIVED, 0, packet('DONE', 1))[::2]:
            known = set(d.children(smtp))
            victim = Session(d)
            (pid,) = set(d.children(smtp)) - known
            write(outside.between(pid, smtp), data, fds)
            site.wait_for(lambda: 'SMTP session process %d sent what is no message: it is closed' % pid in site.raw_log())
            victim.f.close()
            victim.s.close()
        goes_on(site, d)
        survivor.finish()
        assert d.roles('smtp') == [smtp]


def test_to_the_agent(site):
    """Those who deliver ask it; what is no job closes the one who sent it, and nobody becomes root by asking."""
    if not outside.can_intrude():
        return
    site.configure()
    with Daemon(site) as d:
        start(site, d)
        (deliver,), (agent,) = d.roles('deliver'), d.roles('agent')
        head = lambda kind, uid: struct.pack('=IIIIqII', kind, 0, uid, uid, 0, 0, 0) + b'\0' * (256 + 4096)  # noqa: E731
        for data, fds in ((head(1, 0), 3), (head(1, 12)[:100], 3), (head(9, 12), 3), (head(1, 12), 0), (head(1, 12), 9), (b'x', 0),
                          (head(1, 12), 3)):
            site.wait_for(lambda: any(outside.between(w, agent) for w in d.children(deliver)))
            worker = next(w for w in d.children(deliver) if outside.between(w, agent))
            s = outside.between(worker, agent)
            old = os.fstat(s.fileno()).st_ino
            n = site.raw_log().count('agent: refused')
            write(s, data, fds)
            site.wait_for(lambda: site.raw_log().count('agent: refused') > n)
            site.wait_for(lambda: old not in outside.inodes(agent))
            goes_on(site, d)
        assert d.roles('agent') == [agent] and d.roles('deliver') == [deliver]
