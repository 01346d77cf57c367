#!/usr/bin/env python3
"""What TLS costs the daemon beside GnuTLS alone: processor time of a connection with TLS less that of one without, of the server
processes of both, in turns. Goal: at most 1.3 times the floor (tls_floor.c).

usage: tls.py [--build DIR] [-n CONNECTIONS] [-r ROUNDS] [--profile]

DIR is a plain build: figures of one made for development say little. --profile leaves the daemon's processes to perf and shows where
the time of the RSA handshakes goes.
"""
import argparse
import importlib.util
import os
import socket
import ssl
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for folder in ('test/daemon', 'test/mainjob'):
    sys.path.insert(0, os.path.join(ROOT, folder))
import certs  # noqa: E402
from daemon import Daemon  # noqa: E402

sys.dont_write_bytecode = True
SPEC = importlib.util.spec_from_file_location('remex_site', os.path.join(ROOT, 'test/mainjob/site.py'))
remex_site = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(remex_site)

GOAL = 1.3
CASES = (('full, RSA 2048', True, False), ('full, P-256', False, False), ('resumed, RSA 2048', True, True))


class Floor:
    def __init__(self, program, cert, key, tickets):
        self.process = subprocess.Popen([program, cert, key] + ['tickets'] * tickets, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def pids(self):
        return [self.process.pid]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Server(Daemon):
    def pids(self):
        return self.roles('smtp')


def spent_ms(pids):
    """User and system time of all threads; those of the pool live on while there is work."""
    total = 0
    for pid in pids:
        for task in os.listdir('/proc/%d/task' % pid):
            with open('/proc/%d/task/%s/schedstat' % (pid, task)) as f:
                total += int(f.read().split()[0])
    return total / 1e6


def say(s, text):
    s.sendall(text)
    got = b''
    while not (got.endswith(b'\n') and got[got.rfind(b'\n', 0, -1) + 1:][3:4] == b' '):
        piece = s.recv(4096)
        assert piece, 'closed'
        got += piece
    return got


def converse(port, tls, session):
    """One connection; tls None: without. The session, for the next."""
    with socket.create_connection(('127.0.0.1', port), 20) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        say(s, b'')
        say(s, b'EHLO client.example\r\n')
        if tls is not None:
            say(s, b'STARTTLS\r\n')
            s = tls.wrap_socket(s, session=session)
        say(s, b'EHLO client.example\r\n')
        reused = tls is not None and s.session_reused
        session = s.session if tls is not None else None
        say(s, b'QUIT\r\n')
        s.close()
    return session, reused


def load(server, n, tls, resume):
    """Milliseconds a connection."""
    session, reused = None, 0
    before = spent_ms(server.pids())
    for _ in range(n):
        session, again = converse(server.port, tls, session if resume else None)
        reused += again
    assert reused == (n - 1 if resume else 0), '%d of %d resumed' % (reused, n)
    return (spent_ms(server.pids()) - before) / n


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def measure(site, o, rsa, resume):
    """(ms of the floor, ms of the daemon), medians over the rounds."""
    ca = certs.authority(site, 'bench%d%d' % (rsa, resume))
    pem, key = certs.certificate(site, ca, 'mx.example.org', rsa=rsa)
    site.configure('tls_certificate = %s\ntls_privatekey = %s\nsmtp_processes = 1\n%s'
                   % (pem, key, 'tls_resumption_hosts = *' if resume else ''))
    costs = [], []
    with Floor(os.path.join(o.build, 'test/bench/tls_floor'), pem, key, resume) as floor, Server(site) as daemon:
        for server in floor, daemon:
            load(server, 20, context(), False)
        if o.profile:
            profile(daemon, o.n)
        for _ in range(o.r):
            for server, cost in zip((floor, daemon), costs):
                plain = load(server, o.n, None, False)
                cost.append(load(server, o.n, context(), resume) - plain)
    return [statistics.median(c) for c in costs]


def profile(daemon, n):
    pids = ','.join(str(p) for p in daemon.pids())
    data = os.path.join(daemon.site.top, 'perf.data')
    perf = subprocess.Popen(['perf', 'record', '-q', '-e', 'cpu-clock', '-F', '4000', '--call-graph', 'dwarf,8192', '-o', data, '-p', pids])
    load(daemon, n, context(), False)
    perf.send_signal(2)
    perf.wait()
    subprocess.run(['perf', 'report', '-i', data, '--children', '--stdio', '-g', 'none', '--percent-limit', '1'])


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--build', default=os.path.join(ROOT, 'build'))
    p.add_argument('-n', type=int, default=100)
    p.add_argument('-r', type=int, default=15)
    p.add_argument('--profile', action='store_true')
    o = p.parse_args()
    missed = False
    print('%-20s %12s %12s %8s' % ('CPU ms a connection', 'GnuTLS alone', 'remex', 'ratio'))
    for title, rsa, resume in CASES:
        site = remex_site.Site(os.path.join(o.build, 'remex'))
        try:
            floor, remex = measure(site, o, rsa, resume)
        finally:
            site.close()
        missed |= remex > GOAL * floor
        print('%-20s %12.3f %12.3f %8.2f  at most %g, %s' % (title, floor, remex, remex / floor, GOAL,
                                                             'MISSED' if remex > GOAL * floor else 'met'), flush=True)
    sys.exit(missed)


if __name__ == '__main__':
    main()
