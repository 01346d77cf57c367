"""Clients that send the text of messages slowly do not keep others from being served, although threads are few."""
import socket
import threading
import time

from daemon import Daemon

CLIENTS = 230  # more than an smtp process has threads
CONF = '''smtp_processes = 1
smtp_sessions_per_process = 1000
smtp_accept_max = 500
smtp_accept_queue = 0
smtp_enforce_sync = false
tls_advertise_hosts =
message_size_limit = 1M
acl_smtp_data = check
'''
ACL = 'begin acl\ncheck:\n accept logwrite = $smtp_command $message_body_size\n'


class Slow:
    """Many clients; each says `begin`, then a line each second."""

    def __init__(self, d, begin):
        self.sockets = [socket.create_connection(('127.0.0.1', d.port), 20) for _ in range(CLIENTS)]
        for s in self.sockets:
            s.sendall(b'EHLO slow\r\nMAIL FROM:<s@b.example>\r\nRCPT TO:<slow@example.org>\r\n' + begin)
        self.going_on = True
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def drip(self):
        while self.going_on:
            for s in self.sockets:
                try:
                    s.sendall(b'line\r\n')
                except OSError:
                    pass
            time.sleep(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.going_on = False
        self.thread.join()
        for s in self.sockets:
            s.close()


def read_answers(s, code):
    """Until an answer with that code."""
    f = s.makefile('rb')
    for line in f:
        if line.startswith(code + b' '):
            return line
    return b''


def seconds_to_serve(d, text='Subject: x\r\n\r\nbody\r\n'):
    began = time.monotonic()
    d.send('fast@example.org', text=text)
    return time.monotonic() - began


def test_short_texts_hold_no_thread(site):
    site.configure(CONF, more=ACL)
    with Daemon(site) as d:
        with Slow(d, b'DATA\r\nSubject: slow\r\n\r\n') as slow:
            time.sleep(2)
            assert seconds_to_serve(d) < 5
            slow.going_on = False
            slow.thread.join()
            for s in slow.sockets[:20]:
                s.sendall(b'.\r\n')
            for s in slow.sockets[:20]:
                assert read_answers(s, b'250').startswith(b'250')
            site.wait_for(lambda: site.raw_log().count(' P=esmtp ') >= 21)
        assert 'DATA ' in site.raw_log()


def test_long_texts_are_given_up_for_others(site):
    """Some seconds after all threads are taken; those who send fast are not concerned."""
    for begin in (b'DATA\r\nSubject: slow\r\n\r\n' + b'x' * 70 * 998 + b'\r\n', b'BDAT 1000000\r\nSubject: slow\r\n\r\n'):
        site.configure(CONF, more=ACL)
        site.write('log/mainlog', '')
        with Daemon(site) as d:
            with Slow(d, begin):
                site.wait_for(lambda: 'threads for SMTP are busy' in site.raw_log())
                took = seconds_to_serve(d, 'Subject: x\r\n\r\n' + ('y' * 78 + '\r\n') * 2000)
                assert took < 25, took
                assert ': too slow while all threads are busy\n' in site.raw_log()
