"""The tools for hints: what waits is shown, what is old goes."""
import re
import subprocess

ROUTERS = '''
remote:
  driver = manualroute
  route_data = 127.0.0.1
  self = send
  transport = out
'''
TRANSPORTS = '''
out:
  driver = smtp
  port = 1
  connect_timeout = 2s
'''


def tool(site, name, *args):
    folder = site.binary.rsplit('/', 1)[0]
    p = subprocess.run(['%s/%s' % (folder, name), *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return p.returncode, p.stdout


def test_records_are_shown_and_tidied(site):
    site.configure(routers=ROUTERS, transports=TRANSPORTS)
    spool = site.path('spool')
    site.send('x@remote.example')
    status, text = tool(site, 'exim_dumpdb', spool, 'retry')
    when = r'\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d'
    assert status == 0 and re.fullmatch(r'  T:\[127\.0\.0\.1\]:127\.0\.0\.1:1 111 65 Connection refused\n%s  %s  %s\n' %
                                        (when, when, when), text), text
    assert tool(site, 'remex-hints', 'dump', '-k', spool, 'retry') == (0, 'T:[127.0.0.1]:127.0.0.1:1\n')
    assert tool(site, 'exim_dumpdb', spool, 'wait-out') == (0, '127.0.0.1 %s\n' % site.queue()[0])
    assert tool(site, 'exim_tidydb', spool, 'retry') == (0, '0 removed\n')
    assert tool(site, 'exim_tidydb', spool, 'wait-out') == (0, '0 removed\n')
    site.run('-Mrm', site.queue()[0])
    assert '1 removed\n' in tool(site, 'exim_tidydb', spool, 'wait-out')[1]
    assert tool(site, 'exim_dumpdb', spool, 'wait-out') == (0, '')


def test_wrong_calls_are_told(site):
    site.configure()
    for args in ((), ('dump',), ('dump', site.path('spool')), ('show', site.path('spool'), 'retry'),
                 ('tidy', '-t', 'x', site.path('spool'), 'retry')):
        assert tool(site, 'remex-hints', *args)[0] == 1, args
    assert 'unknown kind' in tool(site, 'exim_dumpdb', site.path('spool'), 'nothing')[1]
    assert 'there is no' in tool(site, 'exim_dumpdb', site.path('nowhere'), 'retry')[1]
