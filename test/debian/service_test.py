"""The service as systemd would run it, as far as that can be tried without systemd; what is installed."""
import os
import re
import shutil
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
from machine import ROOT

UNIT = ROOT + '/debian/remex.service'
EXPOSURE_MAX = 2.5


def test_how_much_the_service_may_do(site):
    assert shutil.which('systemd-analyze'), 'systemd-analyze is missing (make bootstrap-debian)'
    status, said = machine.program(['systemd-analyze', 'security', '--offline=true', '--no-pager', UNIT])
    figure = re.search(r'Overall exposure level for remex\.service: ([0-9.]+)', said)
    assert figure, said[-300:]
    assert float(figure.group(1)) <= EXPOSURE_MAX, figure.group(0)


def test_nothing_that_is_installed_has_the_rights_of_another(site):
    into = site.path('installed')
    subprocess.run([ROOT + '/scripts/install'], check=True,
                   env=dict(os.environ, DESTDIR=into, PREFIX='/usr', BUILD=os.path.dirname(os.path.abspath(site.binary))))
    files = [os.path.join(d, n) for d, _, names in os.walk(into) for n in names]
    assert any(f.endswith('/usr/sbin/remex') for f in files), files
    assert [f for f in files if os.lstat(f).st_mode & (stat.S_ISUID | stat.S_ISGID)] == []


def powers():
    """What the unit leaves of root's capabilities, as setpriv names them."""
    with open(UNIT, encoding='utf-8') as f:
        names = re.search(r'^CapabilityBoundingSet=(.*)$', f.read(), re.M).group(1).split()
    return '-all,' + ','.join('+' + n[4:].lower() for n in names)


def test_the_units_capabilities_are_enough(site):
    machine.restore_remex()
    shutil.rmtree('/var/mail/anna', ignore_errors=True)
    machine.made(site, 'local', 'MAIN_LOCAL_INTERFACES = 127.0.0.1\n')
    os.makedirs('/run/remex', exist_ok=True)
    daemon = subprocess.Popen(['setpriv', '--bounding-set', powers(), '--inh-caps', '-all', '--no-new-privs', site.binary, '-bdf', '-q1h'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        site.wait_for(lambda: os.path.exists('/run/remex/submit'))
        status, said = machine.program(['runuser', '-u', 'nobody', '--', site.binary, '-oi', 'anna', 'ben'], 'Subject: x\n\nbody\n')
        assert status == 0, said
        box = '/var/mail/anna'
        site.wait_for(lambda: os.path.exists(box) and os.path.getsize(box) > 0)
        owner = os.stat(box)
        assert (owner.st_uid, stat.S_IMODE(owner.st_mode) & 0o7) == (1000, 0), owner
        os.kill(daemon.pid, signal.SIGUSR1)
        path = '/var/spool/remex/exim-process.info'
        site.wait_for(lambda: os.path.exists(path))
        assert os.stat(path).st_uid == 103, os.stat(path)
    finally:
        daemon.terminate()
        daemon.wait(30)
