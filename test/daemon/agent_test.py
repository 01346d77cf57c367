"""Deliveries through the agent: who delivers has no power, users' things are done by processes that are the user."""
import os
import pwd
import signal
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, pause  # noqa: E402

USER = pwd.getpwnam('games')
OTHER = pwd.getpwnam('news')
AGENT_CAPS = (1 << 0) | (1 << 1) | (1 << 2) | (1 << 6) | (1 << 7)

ROUTERS = '''
forward:
  driver = redirect
  domains = example.org
  local_parts = games : news
  file = {top}/home/$local_part_data/.forward
  user = $local_part_data
  group = ${extract{3}{:}{${lookup passwd{$local_part_data}}}}
  allow_filter
  pipe_transport = pipe
  file_transport = file
  reply_transport = reply
box:
  driver = accept
  local_parts = games : news
  transport = box
'''
TRANSPORTS = '''
box:
  driver = appendfile
  file = {top}/boxes/$local_part_data
  user = $local_part_data
pipe:
  driver = pipe
  return_output
file:
  driver = appendfile
reply:
  driver = autoreply
'''


def configure(site, main='', never=''):
    site.configure(main, routers=ROUTERS, transports=TRANSPORTS)
    with open(site.conf) as f:
        text = f.read()
    with open(site.conf, 'w') as f:
        f.write(text.replace('never_users =\n', 'never_users = %s\n' % never))
    boxes = site.path('boxes')
    os.makedirs(boxes, exist_ok=True)
    os.chmod(boxes, 0o1777)
    for who in (USER, OTHER):
        home = site.path('home/' + who.pw_name)
        os.makedirs(home, exist_ok=True)
        os.chown(home, who.pw_uid, who.pw_gid)
        os.chmod(home, 0o700)


def forward(site, who, text):
    path = site.path('home/%s/.forward' % who.pw_name)
    with open(path, 'w') as f:
        f.write(text)
    os.chown(path, who.pw_uid, who.pw_gid)
    os.chmod(path, 0o600)


def box(site, who):
    return site.read('boxes/' + who.pw_name)


def test_no_power_but_the_agents(site):
    if not site.root:
        return
    configure(site)
    with Daemon(site) as d:
        d.send('games@example.org')
        site.wait_for(lambda: site.completed(1))
        (agent,), (deliver,) = d.roles('agent'), d.roles('deliver')
        assert int(d.status(agent, 'CapPrm')[0], 16) & ~AGENT_CAPS == 0
        assert int(d.status(agent, 'CapEff')[0], 16) != 0
        for pid in [deliver] + d.children(deliver):
            assert d.status(pid, 'Uid') == [str(site.uid)] * 4
            assert d.status(pid, 'Gid') == [str(site.gid)] * 4
            for field in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'):
                assert int(d.status(pid, field)[0], 16) == 0
            assert d.status(pid, 'NoNewPrivs') == ['1']
    st = os.stat(site.path('boxes/games'))
    assert (st.st_uid, stat.S_IMODE(st.st_mode)) == (USER.pw_uid, 0o600)
    assert 'body' in box(site, USER)


def test_lists_filters_pipes_replies(site):
    if not site.root:
        return
    configure(site)
    out = site.path('boxes/out')
    forward(site, USER, '# Exim filter\nif $h_subject: contains "pipe" then\n'
            '  pipe "/bin/sh -c \'id -un >%s\'"\n'
            'elif $h_subject: contains "save" then save %s\n'
            'elif $h_subject: contains "reply" then mail to news@example.org subject "re" text "hello"\n'
            'endif\n' % (out, site.path('boxes/saved')))
    with Daemon(site) as d:
        for n, word in enumerate(('pipe', 'save', 'reply', 'none')):
            d.send('games@example.org', text='Subject: %s\r\n\r\nbody\r\n' % word)
            site.wait_for(lambda: site.raw_log().count('Completed') >= n + 1)
        site.wait_for(lambda: site.completed(5)) # and the reply
    assert 'hello' in box(site, OTHER)
    assert site.read('boxes/out') == 'games\n'
    assert os.stat(site.path('boxes/saved')).st_uid == USER.pw_uid
    assert os.stat(site.path('boxes/news')).st_uid == OTHER.pw_uid
    assert box(site, USER).count('\nbody\n') == 2
    assert 'paniclog' not in os.listdir(site.path('log'))


def test_never_users(site):
    if not site.root:
        return
    configure(site, never='news')
    with Daemon(site) as d:
        d.send('news@example.org')
        site.wait_for(lambda: 'User %d set for box transport is on the never_users list' % OTHER.pw_uid
                      in site.raw_log())
    assert box(site, OTHER) == ''


def test_a_user_cannot_block_others(site):
    if not site.root:
        return
    configure(site)
    forward(site, USER, '"|/bin/sleep 8"\n')
    with Daemon(site) as d:
        for _ in range(5):
            d.send('games@example.org')
        os.mkfifo(site.path('home/news/.forward'))
        os.chown(site.path('home/news/.forward'), OTHER.pw_uid, OTHER.pw_gid)
        d.send('news@example.org')
        os.unlink(site.path('home/news/.forward'))
        d.send('news@example.org')
        site.wait_for(lambda: 'body' in box(site, OTHER))
        assert site.raw_log().count('|/bin/sleep 8 <games@example.org>') < 5


def test_agent_killed_under_load(site):
    """Nothing is lost and nothing delivered twice, however often the agent dies."""
    if not site.root:
        return
    configure(site, 'smtp_accept_max = 0\nqueue_run_max = 5')
    total, killed = 0, 0
    with Daemon(site) as d:
        while killed < 100 and total < 1000:
            with d.client() as c:
                for _ in range(4):
                    who = ('games', 'news')[total % 2]
                    c.sendmail('a@client.example', [who + '@example.org'],
                               'Subject: number-%d-\r\n\r\nbody\r\n' % total)
                    total += 1
                    for pid in d.roles('agent'):
                        os.kill(pid, signal.SIGKILL)
                        killed += 1
            pause(0.02)
        site.wait_for(lambda: site.raw_log().count('Completed') >= total, 120)
    assert killed >= 100, (killed, total)
    text = box(site, USER) + box(site, OTHER)
    wrong = [n for n in range(total) if text.count('Subject: number-%d-' % n) != 1]
    assert wrong == [], wrong
    assert site.queue() == []
