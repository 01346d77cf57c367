"""What a listing keeps for the next one shows in nothing but its speed."""
import os
import time

ROUTERS = '''
all:
  driver = accept
  transport = mbox
'''
N = 260


def listing(site, *args):
    r = site.run(*(args or ('-bp',)))
    assert r.status == 0 and r.err == '', r.err
    return r.out


def fresh(site, *args):
    if os.path.exists(site.path('spool/db/listing')):
        os.unlink(site.path('spool/db/listing'))
    return listing(site, *args)


def test_a_listing_that_was_kept_says_the_same(site):
    site.configure(routers=ROUTERS)
    batch = ''.join('MAIL FROM:<a@example.org>\nRCPT TO:<u%d@example.org>\nRCPT TO:<v%d@example.org>\nDATA\nSubject: %d\n\nx\n.\n' %
                    (i, i, i) for i in range(N))
    r = site.run('-odq', '-bS', stdin=batch)
    assert r.status == 0, (r.out, r.err)
    ids = site.queue()
    assert len(ids) == N
    time.sleep(2.5)      # files that have just changed are not kept
    first = listing(site)
    kept = site.path('spool/db/listing')
    before = os.stat(kept)
    if site.root:
        assert before.st_uid == site.uid
    assert all(i in first for i in ids)
    assert listing(site) == first and listing(site, '-bpu') == first
    assert os.stat(kept).st_ino == before.st_ino
    # Changes of a message show at once.
    site.run('-Mf', ids[3])
    site.run('-Mmd', ids[5], 'u5@example.org')
    site.run('-Mrm', ids[7])
    site.run('-Mar', ids[9], 'another@example.org')
    for args in ((), ('-bpu',), ('-bpa',)):
        assert listing(site, *args) == fresh(site, *args), args
    now = listing(site)
    assert '*** frozen ***' in now and '\n        D u5@example.org\n' in now and 'another@example.org' in now
    assert ids[7] not in now and now.count('<a@example.org>') == N - 1
    # As does what a journal says.
    time.sleep(2.5)
    fresh(site)
    with open(site.path('spool/input/%s-J' % ids[11]), 'w') as f:
        f.write('v11@example.org\n')
    site.own(site.path('spool/input/%s-J' % ids[11]))
    assert '\n        D v11@example.org\n' in listing(site)
    os.unlink(site.path('spool/input/%s-J' % ids[11]))
    # A file that makes no sense is passed over and made anew.
    good = listing(site)
    site.write('spool/db/listing', b'remex listing 1\n' + b'\xff' * 5000)
    assert listing(site) == good and os.path.getsize(kept) > 5016
    site.write('spool/db/listing', 'something else')
    assert listing(site) == good
