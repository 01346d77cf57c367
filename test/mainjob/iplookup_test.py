"""The iplookup router: asks a server by UDP or TCP for another address."""
import socket
import threading

ROUTERS = '''
ask:
  driver = iplookup
  domains = ask.example
  hosts = 127.0.0.1
  port = PORT
  timeout = 2s
  OPTIONS
last:
  driver = accept
  domains = new.example : ask.example
  transport = t1
'''

TRANSPORTS = '''
t1:
  driver = appendfile
  file = /dev/null
  user = {uid}
  group = {gid}
'''


class Server:
    """Answers one query with answer(query); keeps what it was asked."""

    def __init__(self, kind, answer):
        self.kind, self.answer, self.asked = kind, answer, None
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.settimeout(20)
        self.port = self.socket.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            self.socket.listen(1)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        if self.kind == socket.SOCK_STREAM:
            peer, _ = self.socket.accept()
            self.asked = peer.recv(1000)
            peer.sendall(self.answer(self.asked))
            peer.close()
            return
        self.asked, peer = self.socket.recvfrom(1000)
        self.socket.sendto(self.answer(self.asked), peer)


def ask(site, kind, answer, options='', address='joe@ask.example'):
    server = Server(kind, answer)
    site.configure(routers=ROUTERS.replace('PORT', str(server.port)).replace('OPTIONS', options), transports=TRANSPORTS)
    r = site.run('-bt', address)
    server.socket.close()
    return server.asked, r


def test_udp(site):
    asked, r = ask(site, socket.SOCK_DGRAM, lambda q: b'new@new.example ' + q.split()[1])
    assert asked == b'joe@ask.example joe@ask.example', asked
    assert r.out == 'new@new.example\n    <-- joe@ask.example\n  router = last, transport = t1\n', r.out


def test_tcp_with_pattern(site):
    asked, r = ask(site, socket.SOCK_STREAM, lambda q: b'box-7', '''protocol = tcp
  query = who is $local_part
  response_pattern = ^box-(.*)
  reroute = $local_part-$1@new.example''')
    assert asked == b'who is joe', asked
    assert r.out.startswith('joe-7@new.example\n    <-- joe@ask.example\n'), r.out


def test_answer_to_another_question_declines(site):
    _, r = ask(site, socket.SOCK_DGRAM, lambda q: b'new@new.example other@ask.example')
    assert r.out == 'joe@ask.example\n  router = last, transport = t1\n', r.out


def test_answer_that_is_no_address_defers(site):
    _, r = ask(site, socket.SOCK_DGRAM, lambda q: b'new joe@ask.example')
    assert r.status == 1 and 'is not an address' in r.out, r.out


def test_nobody_answers(site):
    free = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    free.bind(('127.0.0.1', 0))
    text = ROUTERS.replace('PORT', str(free.getsockname()[1]))
    site.configure(routers=text.replace('OPTIONS', 'protocol = tcp'), transports=TRANSPORTS)
    r = site.run('-bt', 'joe@ask.example')
    assert r.status == 1 and 'cannot be resolved at this time' in r.out, r.out
    site.configure(routers=text.replace('OPTIONS', 'protocol = tcp\n  optional\n  no_more'), transports=TRANSPORTS)
    r = site.run('-bt', 'joe@ask.example')
    assert r.out == 'joe@ask.example\n  router = last, transport = t1\n', r.out
    free.close()
