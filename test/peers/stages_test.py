"""A host that goes wrong at each stage of the dialogue, once: the message is delivered in the end, when its time has come, and the log says why
it took longer. Source of what is expected: specification, section "Errors in outgoing SMTP"."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import Host

ROUTERS = '''
bounces:
  driver = accept
  senders = :
  transport = box
all:
  driver = manualroute
  route_data = 127.0.0.1
  self = send
  transport = out
'''
TRANSPORTS = '''
box:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
out:
  driver = smtp
  port = %d
  allow_localhost
  connect_timeout = 2s
  command_timeout = 2s
  data_timeout = 2s
  final_timeout = 2s
'''
SOCKET = '''
box:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
out:
  driver = lmtp
  socket = {top}/lmtp
  timeout = 2s
  user = {uid}
  group = {gid}
'''
DIALECTS = {'plain': (), 'pipelined': ('PIPELINING',), 'chunked': ('PIPELINING', 'CHUNKING')}
TO = 'x@far.example'
RETRY_S = 3

# --- what is expected ---

LATER, ONCE, BOUNCED, TWICE = range(4)
BREAKS = ('cut', 'half', 'reset')   # the connection ends without a whole answer
TIMED_OUT = r'defer \(110\): Connection timed out'
CLOSED = r'defer \(-18\).*: Remote host closed connection in response to '
REPLY = r'(defer \(-?\d+\).*|\*\* .*): SMTP error from remote mail server after '
COMMANDS = {'banner': r'initial connection', 'EHLO': r'EHLO mx\.example\.org', 'MAIL': r'MAIL FROM:<s@here\.example>',
            'RCPT': r'RCPT TO:<x@far\.example>', 'DATA': r'DATA', 'dot': r'end of data'}


def fate_of(stage, trouble):
    if stage == 'QUIT' or (stage, trouble) == ('EHLO', '550 never'):    # HELO may do
        return ONCE
    if trouble.startswith('5'):
        return BOUNCED
    return TWICE if stage == 'dot' and not trouble.startswith('4') else LATER


def explanation(dialect, stage, trouble):
    """A regular expression for the line of the address."""
    if stage == 'connect':
        return TIMED_OUT if trouble == 'stall' else r'defer \(111\): Connection refused'
    command = r'(pipelined )?' + COMMANDS[stage]
    if dialect == 'chunked' and stage == 'MAIL':    # all was sent when the answer is missed
        command = 'pipelined end of data'
    if (stage, trouble) == ('banner', 'reset'):     # it may come while the client still connects
        return CLOSED + command + r'|defer \(104\): Connection reset by peer'
    if trouble == 'reset' and dialect != 'plain' and stage != 'EHLO':   # which takes the answers before it along
        command = r'pipelined \S+.*|end of data'
    if trouble == 'stall':
        return TIMED_OUT + r'.*: SMTP timeout after ' + command
    return (CLOSED if trouble in BREAKS else REPLY) + '(%s)' % command + ('' if trouble in BREAKS else ': ' + trouble)


# --- the test ---

def deliver(site, *options):
    r = site.run(*options)
    assert r.status == 0, (r.out, r.err)


def line_of_address(site, *marks):
    return [line for line in site.log() if TO in line and any(m in line for m in marks)]


def wait_for_time(site, host, begun):
    """A queue run before the retry time leaves the host alone. begun: when the attempt that failed was begun."""
    before, failed_at = host.connections, time.time()
    deliver(site, '-q')
    if time.time() < int(begun) + RETRY_S:      # times are remembered in whole seconds
        assert host.connections == before and len(site.queue()) == 1, site.log()
        assert line_of_address(site, 'retry time not reached'), site.log()
    time.sleep(max(0, failed_at + RETRY_S + 0.1 - time.time()))


def goes_wrong_once(site, dialect, stage, trouble):
    with Host(stage, trouble, extensions=DIALECTS[dialect]) as host:
        site.configure('log_selector = +possible_repeat', ROUTERS, TRANSPORTS % host.port, retry='* * F,1h,%ds' % RETRY_S)
        fate = fate_of(stage, trouble)
        doubtful = fate == TWICE or (dialect == 'chunked' and stage in ('MAIL', 'RCPT') and trouble in BREAKS + ('stall',))
        goes_wrong_with(site, host, fate, explanation(dialect, stage, trouble) if fate != ONCE else '', doubtful,
                        by_time=dialect == 'plain')


def socket_goes_wrong_once(site, stage, trouble):
    """The same to the lmtp transport."""
    with Host(stage, trouble, address=site.path('lmtp')) as host:
        os.chmod(site.path('lmtp'), 0o777)
        site.configure('log_selector = +possible_repeat', ROUTERS, SOCKET, retry='* * F,1h,%ds' % RETRY_S)
        fate = BOUNCED if (stage, trouble) == ('EHLO', '550 never') else fate_of(stage, trouble)
        command = COMMANDS[stage].replace('EHLO', 'LHLO') if fate != ONCE else ''
        words = 'timeout' if trouble == 'stall' else 'connection closed' if trouble in BREAKS else 'error'
        goes_wrong_with(site, host, fate, r'( == | \*\* ).*: LMTP %s after %s' % (words, command) if fate != ONCE else '', fate == TWICE,
                        by_time=False)


def goes_wrong_with(site, host, fate, explained, doubtful, by_time):
    begun = time.time()
    site.send(TO, options=('-odf', '-f', 's@here.example'))
    first = line_of_address(site, ' == ', ' ** ', ' => ')
    assert len(first) == 1 and len(host.taken) == (fate in (ONCE, TWICE)), (first, host.taken)
    assert re.search(explained, first[0]), (explained, first)
    doubt = [line for line in site.log() if 'the server may have taken it, and get it again' in line]
    assert len(doubt) == doubtful, site.log()
    if fate in (LATER, TWICE):
        name, = site.queue()
        assert ('the server may have taken it' in site.read('spool/msglog/' + name)) == doubtful
        if host.stage == 'connect':
            host.open()
        if by_time:
            wait_for_time(site, host, begun)
        deliver(site, '-q' if by_time else '-qf')
    site.wait_for(lambda: site.queue() == [])   # a bounce leaves by itself
    assert len(line_of_address(site, ' => ')) == (fate != BOUNCED), site.log()
    assert len(host.taken) == {BOUNCED: 0, TWICE: 2}.get(fate, 1), (host.taken, site.log())
    assert len(set(host.taken)) <= 1 and site.mail('box').count('This is a permanent error') == (fate == BOUNCED), host.taken
    assert site.raw_log('panic') == ''


def add(dialect, stage, trouble):
    name = 'test_%s_%s_%s' % (dialect, stage, trouble.replace(' ', '_'))
    globals()[name] = lambda site: socket_goes_wrong_once(site, stage, trouble) if dialect == 'socket' else \
        goes_wrong_once(site, dialect, stage, trouble)


for each in list(DIALECTS) + ['socket']:
    for at in list(COMMANDS) + ['QUIT']:
        for what in ('stall', '421 gone', '450 later', '550 never') + BREAKS:
            # BDAT does without DATA; a UNIX socket knows no reset
            if (each, at) != ('chunked', 'DATA') and (each, what) != ('socket', 'reset'):
                add(each, at, what)
for what in ('stall', 'refuse'):
    add('plain', 'connect', what)
