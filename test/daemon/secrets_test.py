"""Each process knows the secrets that it needs, and no others: its memory is searched for them."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import outside  # noqa: E402
from daemon import Daemon  # noqa: E402

# Who may know it; what stands in the configuration is made of two parts, so that this file's own words are not found.
SECRETS = {'server': {'smtp'}, 'client': {'deliver', 'worker'}, 'database': {'smtp', 'deliver', 'worker', 'agent'},
           'hidden': {'smtp', 'deliver', 'worker', 'agent'}, 'macro': {'smtp'}, 'option': {'deliver', 'worker'},
           'comment': set(), 'unused': set(), 'environment': set()}


def secret(name):
    return 'hush-%s-%s' % (name, 'x7q2'[::-1])


CONF = '''
# the password was {comment} once
MACRO = {macro}
UNUSED = \\
  {unused}
CLIENTPASS = overridden
hide mysql_servers = localhost/db/user/{database}
hide smtp_banner = {hidden}
smtp_processes = 1
'''

AUTHS = '''
begin authenticators
one:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{{server}}}}}
  server_set_id = MACRO
  client_send = ^name^{client}
two:
  driver = cram_md5
  public_name = CRAM-MD5
  client_name = me
  client_secret = CLIENTPASS
'''


def test_memory_of_each_kind(site):
    if not site.root:
        return
    words = {n: secret(n) for n in SECRETS}
    site.configure(CONF.format(**words), more=AUTHS.format(**words))
    env = dict(os.environ, REMEX_TEST_SECRET=words['environment'])
    path = site.path('ready')
    with Daemon(site, '-DCLIENTPASS=' + words['option'], env=dict(env, NOTIFY_SOCKET=path)) as d:
        site.wait_for(lambda: 'daemon started' in site.raw_log() and d.roles('deliver') and d.roles('smtp'))
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        (deliver,) = d.roles('deliver')
        kinds = {'smtp': d.roles('smtp'), 'queue': d.roles('queue'), 'deliver': [deliver], 'worker': d.children(deliver),
                 'agent': d.roles('agent')}
        wrong = []
        for kind, pids in kinds.items():
            assert pids, kind
            for name, text in words.items():
                found = any(outside.memory_has(p, text.encode()) for p in pids)
                if found != (kind in SECRETS[name]):
                    wrong.append((kind, name, found))
            for p in (p for p in pids if os.path.exists('/proc/%d/environ' % p)):
                for what in ('cmdline', 'environ'):
                    with open('/proc/%d/%s' % (p, what), 'rb') as f:
                        text = f.read()
                    assert b'hush' not in text and b'REMEX_TEST' not in text, (kind, what)
        assert wrong == [], wrong


def test_a_key_that_signs_is_one_processs_alone(site):
    """Where the key of DKIM and ARC lies is told to those who deliver, and to the agent that opens it for them; to others the folder is closed."""
    if not outside.can_intrude():
        return
    site.mkdir('signing')
    key = site.write('signing/dkim.pem', 'the key', 0o640)
    site.configure(transports='''
mbox:
  driver = appendfile
  file = %s/mail/joe
  user = %d
  group = %d
out:
  driver = smtp
  dkim_domain = example.org
  dkim_selector = x
  dkim_private_key = %s
  arc_sign = example.org : x : \\
    %s
''' % (site.top, site.uid, site.gid, key, key))
    with Daemon(site) as d:
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        assert isinstance(outside.make(d.roles('deliver')[0], 'open', '@' + key, os.O_RDONLY), int)
        for pid in d.roles('queue') + d.roles('smtp'):
            assert not outside.memory_has(pid, b'dkim.pem')
        for pid in d.roles('queue') + d.roles('smtp'):
            assert outside.make(pid, 'open', '@' + key, os.O_RDONLY) == 'EACCES'


def test_a_key_is_one_processs_alone(site):
    """Where the key lies is told to those who speak TLS with clients; to others the folder is closed."""
    if not outside.can_intrude():
        return
    site.mkdir('keys')
    key = site.write('keys/key.pem', 'the key', 0o640)
    site.configure('tls_privatekey = %s\ntls_certificate = %s' % (key, key))
    with Daemon(site) as d:
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
        assert isinstance(outside.make(d.roles('smtp')[0], 'open', '@' + key, os.O_RDONLY), int)
        for pid in d.roles('queue') + d.roles('deliver') + d.children(d.roles('deliver')[0]):
            assert not outside.memory_has(pid, b'key.pem')
            assert outside.make(pid, 'open', '@' + key, os.O_RDONLY) == 'EACCES'


def test_macros_of_the_command_line_still_count(site):
    """A macro without its text is defined all the same, and conditions see it."""
    site.configure('.ifdef SECRET\nsmtp_banner = defined\n.endif')
    with Daemon(site, '-DSECRET=word') as d:
        s, f = d.connect()
        assert f.readline() == b'220 defined\r\n'
        f.close()
        s.close()
        d.send('joe@example.org')
        site.wait_for(lambda: site.completed(1))
