"""LDAP: the cases of ldap.cases against slapd, and what needs a server that fails, TLS or two connections."""
import socket
import threading
import time

import private


def ber(tag, body):
    return bytes([tag, len(body)]) + body


def message(number, op):
    return ber(0x30, ber(2, bytes([number])) + op)


def result(tag, code, text=b''):
    return ber(tag, ber(10, bytes([code])) + ber(4, b'') + ber(4, text))


def entry(dn, name, values):
    return ber(0x64, ber(4, dn) + ber(0x30, ber(0x30, ber(4, name) + ber(0x31, b''.join(ber(4, v) for v in values)))))


SEARCH, BIND = 0x65, 0x61
# What a faulty server does: its answers to a bind and to a search; None: nothing, and the connection stays open.
FAULTS = {
    'silent bind': (None, None),
    'silent search': ([result(BIND, 0)], None),
    'closes': ([result(BIND, 0)], []),
    'refuses': ([result(BIND, 0)], [result(SEARCH, 50, b'go away')]),
    'time limit': ([result(BIND, 0)], [entry(b'cn=x', b'cn', [b'x']), result(SEARCH, 3)]),
    'empty value': ([result(BIND, 0)], [entry(b'cn=x', b'cn', [b'']), result(SEARCH, 0)]),
    'no value': ([result(BIND, 0)], [entry(b'cn=x', b'cn', []), result(SEARCH, 0)]),
    'garbage': ([result(BIND, 0)], [b'\x7f' * 100]),
}


class Faulty:
    """An LDAP server with one of the FAULTS."""

    def __init__(self, fault):
        self.bind, self.search = FAULTS[fault]
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        with c:
            for answers in (self.bind, self.search):
                got = c.recv(4096)
                if len(got) < 5:
                    return
                if answers is None:
                    time.sleep(5)
                    return
                for a in answers:
                    c.sendall(message(got[4], a))
            if answers:
                c.recv(4096)

    def close(self):
        self.listener.close()


FRED = '${lookup ldap{%s?cn?sub?(uid=fred)}{yes <$value>}{no <$value>}}'
DEFER = 'Failed: lookup of "%s?cn?sub?(uid=fred)" gave DEFER: "%s"'


class LdapSuite:
    def __init__(self, tester):
        self.t = tester

    def run(self):
        with private.Slapd(self.t.folder) as s:
            self.port = s.port
            self.base = 'ldap_default_servers = 127.0.0.1::%d\n' % s.port
            macros = 'B = ldap:///o=test\nLP = %d\nLS = %s\nSOCK = %s\n' % (
                s.port, s.socket, s.socket.replace('/', '%2F'))
            self.t.file('ldap.cases', self.base + macros, {'PORT': str(s.port), 'LDAPSOCK': s.socket})
            self.tls(s)
            self.faults()
            self.reconnects(s)

    def tls(self, s):
        ca = 'ldap_ca_cert_file = %s\n' % s.path('server.pem')
        failed = DEFER % ('ldap:///o=test', 'failed to initiate TLS processing on an LDAP session to server '
                          '127.0.0.1:%d - ldap_start_tls_s() returned -11: Connect error' % s.port)
        fred = 'yes <Fred Flint>'
        for setting, expected in ((ca, fred), (ca + 'ldap_require_cert = hard\n', fred), ('', failed),
                                  (ca + 'ldap_require_cert = demand\n', fred), ('ldap_require_cert = never\n', fred),
                                  ('ldap_require_cert = unheard of\n', fred), ('ldap_require_cert = demand\n', failed),
                                  ('ldap_require_cert = never\nldap_cipher_suite = FOO\n', failed),
                                  ('ldap_ca_cert_file = /nonexistent\n', failed)):
            self.t.same('starttls ' + setting, self.base + 'ldap_start_tls\n' + setting,
                        FRED % 'ldap:///o=test', expected, leaky='cipher' in setting)
        url = 'ldaps://127.0.0.1:%d/o=test' % s.tls_port
        self.t.same('ldaps', ca, FRED % url, fred)
        self.t.same('ldaps', '', FRED % url, DEFER % (
            url, 'failed to bind the LDAP connection to server 127.0.0.1:%d - ldap_bind() returned -1' % s.tls_port))
        self.t.same('ldapi ignores TLS', 'ldap_start_tls\n', FRED % (
            'ldapi://' + s.socket.replace('/', '%2F') + '/o=test'), fred)
        for version, expected in (('3', fred), ('2', DEFER % ('ldap:///o=test', 'failed to bind the LDAP connection '
                                  'to server 127.0.0.1:%d - LDAP error 2: Protocol error' % s.port))):
            self.t.same('version', self.base + 'ldap_version = %s\n' % version, FRED % 'ldap:///o=test', expected)

    def faults(self):
        closed = 'ldap_result failed: -1, Can\'t contact LDAP server'
        texts = {
            'silent bind': 'failed to bind the LDAP connection to server 127.0.0.1:%d - LDAP error: timeout',
            'silent search': 'ldap_result timed out',
            'closes': closed,
            'refuses': 'LDAP search failed - error 50: Insufficient access/go away',
            'time limit': 'LDAP search failed - error 3: Time limit exceeded',
            'garbage': 'ldap_result failed: -1, Decoding error',
        }
        servers, cases = [Faulty(fault) for fault in FAULTS], []
        for fault, f in zip(FAULTS, servers):
            url = 'nettime=1 ldap://127.0.0.1:%d/o=test' % f.port
            text = texts.get(fault)
            if text is None:
                expected = 'yes <>' if fault == 'empty value' else 'no <>'
            else:
                expected = DEFER % (url, text % f.port if '%d' in text else text)
                # The next server of the list is asked.
                two = 'nettime=1 servers=127.0.0.1::%d:127.0.0.1::%d ldap:///o=test' % (f.port, self.port)
                cases.append((fault, '', FRED % two, 'yes <Fred Flint>', fault == 'garbage'))
            cases.append((fault, '', FRED % url, expected, fault == 'garbage'))
        self.t.all_same(cases)
        for f in servers:
            f.close()

    def reconnects(self, s):
        """A connection that the server closed meanwhile is opened again; a password is asked about each time."""
        auth = '${if ldapauth{user="uid=fred,o=test" pass=%s ldap:///}{yes}{no}}'
        with self.t.session(self.base) as ask:
            self.t.check('first', ask(FRED % 'ldap:///o=test'), 'yes <Fred Flint>')
            self.t.check('auth', ask(auth % 'pebbles'), 'yes')
            self.t.check('wrong', ask(auth % 'wrong'), 'no')
            self.t.check('auth', ask(auth % 'pebbles'), 'yes')
            s.stop()
            self.t.check('cached', ask(FRED % 'ldap:///o=test'), 'yes <Fred Flint>')
            self.t.check('stopped', ask(FRED % 'ldap:///uid=fred,o=test')[:6], 'Failed')
            self.t.check('auth stopped', ask(auth % 'pebbles')[:6], 'Failed')
            s.start()
            self.t.check('started', ask(FRED % 'ldap:///uid=fred,o=test'), 'yes <Fred Flint>')
            self.t.check('dn', ask('$ldap_dn'), 'uid=fred,o=test')
            s.stop()
            s.start()
            self.t.check('restarted', ask('${lookup ldap{ldap:///o=test?sn?sub?(uid=fred)}}'), 'Flint')
            self.t.check('auth', ask(auth % 'pebbles'), 'yes')
