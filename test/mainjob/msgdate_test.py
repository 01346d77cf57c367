"""exim_msgdate: the times in message ids."""
import os

UTC = {'TZ': 'UTC', 'PATH': os.environ.get('PATH', '')}


def ask(site, *args):
    r = site.run(*args, name='exim_msgdate', env=UTC)
    return r.status, r.out.splitlines()


def test_kinds_of_ids(site):
    site.configure()
    assert ask(site, 'E1pAnS3-003fPj-Tw', '1ptUlY-00000000PfG-46ri', '1pEPHo') == (0, [
        '2022-12-29 07:35:43.928000 UTC', '2023-05-01 14:44:36.979706 UTC', '2023-01-08 06:36:04.000000 UTC'])


def test_ways_of_printing(site):
    site.configure()
    assert ask(site, '-unix', '-zulu', '-l', '-pid', '1pAnS3-003fPj-Tw') == (0, [
        '1672299343.928000\tpid 874183', '2022-12-29 07:35:43.928000\tpid 874183',
        '2022-12-29 07:35:43.928000 UTC\tpid 874183'])
    assert ask(site, '-u', '-pid', '000000') == (0, ['0.000000'])


def test_bases_and_hosts(site):
    site.configure()
    assert ask(site, '--base36', '-u', 'ZZZZZZ-005XGK-RR') == (0, ['2176782335.999000'])
    assert ask(site, '-base', '36', '-u', 'zzzzzz-005xgk-zz') == (1, [])
    assert ask(site, '-base', '32', 'ZZZZZZ')[0] == 1
    assert ask(site, '-localhost_number=9', '-u', 'EZZZZZZ-003FPJ-WF') == (0, ['32590299105.995000'])
    assert ask(site, '-localhost_number', '17', '-u', '000000')[0] == 1
    assert ask(site, '-localhost_number', '-1', '-u', '000000')[0] == 1
    site.configure(main='localhost_number = 3')
    assert ask(site, '-u', 'ZZZZZZ-005XGK-zz') == (0, ['32590299105.215000'])


def test_own_ids(site):
    site.configure()
    site.send('a', options=('-odq',))
    ident = site.queue()[0]
    stamp = float(ask(site, '-u', ident)[1][0])
    assert abs(stamp - os.stat(site.path('spool/input/%s-D' % ident)).st_mtime) < 5


def test_no_ids(site):
    site.configure()
    assert ask(site, 'zzzzzz-005xgk-z@', 'zzzzzzz', '') == (0, [])
    assert ask(site)[0] == 1
    assert ask(site, '-nonesuch', '000000')[0] == 1
