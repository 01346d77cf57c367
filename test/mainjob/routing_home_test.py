"""$home of a transport that a router gives it."""

TRANSPORTS = '''
box:
  driver = appendfile
  file = {top}/mail/box
  user = {uid}
  group = {gid}
  headers_add = X-Home: $home
'''


def homes(site):
    return [l[8:] for l in site.mail('box').splitlines() if l.startswith('X-Home: ')]


def test_transport_home_directory_wins_over_the_router(site):
    site.configure(routers='''
a:
  driver = accept
  local_parts = a
  router_home_directory = {top}/home/r
  transport_home_directory = {top}/home/$local_part_data
  transport = box
b:
  driver = accept
  local_parts = b
  router_home_directory = {top}/home/$local_part_data
  transport = box
''', transports=TRANSPORTS)
    site.mkdir('home/a')
    site.mkdir('home/b')
    site.send('a')
    site.send('b')
    assert homes(site) == [site.path('home/a'), site.path('home/b')], (homes(site), site.raw_log('main'))
