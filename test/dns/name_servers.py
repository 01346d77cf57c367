"""Name spaces of one's own with real name servers: nsd, which has the zones, behind unbound, which validates them."""
import hashlib
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import ask
import namespaces

NSD = '''server:
  ip-address: 127.0.0.2
  username: ""
  zonesdir: "%(top)s"
  database: ""
  pidfile: "%(top)s/nsd.pid"
  xfrdfile: "%(top)s/xfrd.state"
  zonelistfile: "%(top)s/zone.list"
  logfile: "%(top)s/nsd.log"
  server-count: 1
remote-control:
  control-enable: no
'''
NSD_ZONE = '''zone:
  name: %s
  zonefile: %s
'''
UNBOUND = '''server:
  interface: 127.0.0.1
  username: ""
  chroot: ""
  directory: "%(top)s"
  pidfile: "%(top)s/unbound.pid"
  logfile: "%(top)s/unbound.log"
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  num-threads: 1
  module-config: "validator iterator"
  rrset-roundrobin: no
'''
NO_CONTROL = '''remote-control:
  control-enable: no
'''
STUB = '''stub-zone:
  name: "%s"
  stub-addr: 127.0.0.2
'''


def bind(top, name, path, text):
    with open('%s/%s' % (top, name), 'w') as f:
        f.write(text)
    namespaces.bind('%s/%s' % (top, name), path)


def resolve_by(top, search):
    """Makes unbound the resolver of this name space."""
    bind(top, 'resolv.conf', '/etc/resolv.conf',
         'nameserver 127.0.0.1\nsearch %s\noptions trust-ad timeout:2 attempts:2\n' % search)
    bind(top, 'hosts', '/etc/hosts', '127.0.0.1 localhost\n')


def sign(top, zone, name):
    """Signs the zone in the file name.zone in place; its key goes to name.key."""
    key = subprocess.run(['ldns-keygen', '-a', 'ECDSAP256SHA256', '-k', zone], cwd=top, check=True, text=True,
                         stdout=subprocess.PIPE).stdout.strip()
    subprocess.run(['ldns-signzone', '-o', zone, '-f', name + '.signed', name + '.zone', key], cwd=top, check=True)
    os.rename('%s/%s.signed' % (top, name), '%s/%s.zone' % (top, name))
    shutil.copy('%s/%s.key' % (top, key), '%s/%s.key' % (top, name))


def make_certificate(pem):
    """A certificate that no authority signed and that names nobody, with its key in the same file; returns what a TLSA record
    3 1 1 says of that key."""
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-days', '30', '-subj', '/CN=some other name', '-keyout', pem + '.key', '-out', pem], check=True,
                   stderr=subprocess.DEVNULL)
    with open(pem, 'a') as f, open(pem + '.key') as key:
        f.write(key.read())
    der = subprocess.run(['openssl', 'pkey', '-in', pem + '.key', '-pubout', '-outform', 'DER'], check=True,
                         stdout=subprocess.PIPE).stdout
    return hashlib.sha256(der).hexdigest()


def wait_until_answered(top, zone):
    end = time.monotonic() + 30
    for address in ('127.0.0.2', '127.0.0.1'):
        while not ask.answers(address, zone):
            if time.monotonic() > end:
                for log in ('nsd.log', 'unbound.log'):
                    if os.path.exists(top + '/' + log):
                        print(open(top + '/' + log).read())
                raise SystemExit('the name server at %s does not answer' % address)
            time.sleep(0.05)


def start(top, zones, signed, servers, more=''):
    """Both servers, which are added to `servers` for stop(). zones: name -> file in top; signed: stems of files with a key;
    more: further options of unbound."""
    with open(top + '/nsd.conf', 'w') as f:
        f.write(NSD % {'top': top} + ''.join(NSD_ZONE % z for z in zones.items()))
    anchors = ''.join('  trust-anchor-file: "%s/%s.key"\n' % (top, stem) for stem in signed)
    with open(top + '/unbound.conf', 'w') as f:
        f.write(UNBOUND % {'top': top} + anchors + more + NO_CONTROL + ''.join(STUB % z for z in zones))
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    servers.append(subprocess.Popen(['nsd', '-d', '-c', top + '/nsd.conf'], **quiet))
    servers.append(subprocess.Popen(['unbound', '-d', '-c', top + '/unbound.conf'], **quiet))
    wait_until_answered(top, next(iter(zones)))


def stop(servers):
    for s in servers:
        s.terminate()
        s.wait()


def run_tests(binary, folder, only, jobs):
    return subprocess.run([sys.executable, ROOT + '/test/mainjob/run', '--binary', binary, '--tests', folder,
                           '--only', only, '--jobs', str(jobs)]).returncode
