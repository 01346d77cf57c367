"""The zone dkim.example, with key records for the tests of DKIM: of keys that are made here, and of all kinds of trouble."""
import base64
import os
import subprocess

HEAD = '''$ORIGIN dkim.example.
$TTL 300
@        SOA  ns root 1 3600 600 86400 60
@        NS   ns
ns       A    127.0.0.2
; --- a name server that never answers
late     NS   ns.late
ns.late  A    127.0.0.77
; --- domains of the tests
exim     MX   10 mx.exim
mx.exim  A    127.0.1.31
remex    MX   10 mx.remex
mx.remex A    127.0.2.31
'''


def openssl(*args):
    return subprocess.run(('openssl',) + args, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def make_key(path, *kind):
    """A private key in PEM at path that the group of `nobody` may read, and nobody else."""
    with open(path, 'wb') as f:
        f.write(openssl(*kind))
    return openssl('pkey', '-in', path, '-pubout', '-outform', 'DER')


def record(name, text):
    parts = [text[i:i + 255] for i in range(0, len(text), 255)]
    return '%s._domainkey TXT %s\n' % (name, ' '.join('"%s"' % p for p in parts))


def write(top):
    """Keys into top/dkim, the zone into top/dkim.zone."""
    keys = os.path.join(top, 'dkim')
    os.makedirs(keys)
    rsa = base64.b64encode(make_key(keys + '/rsa', 'genrsa', '-traditional', '2048')).decode()
    small = base64.b64encode(make_key(keys + '/small', 'genrsa', '-traditional', '512')).decode()
    ed = base64.b64encode(make_key(keys + '/ed', 'genpkey', '-algorithm', 'ed25519')[12:]).decode()
    rows = {
        'rsa': 'v=DKIM1; k=rsa; t=y; n=for tests; p=' + rsa,
        'ed': 'v=DKIM1; k=ed25519; p=' + ed,
        'small': 'v=DKIM1; p=' + small,
        'revoked': 'v=DKIM1; p=',
        'garbage': 'v=DKIM1; p=***',
        'notmail': 'v=DKIM1; s=tlsrpt; p=' + rsa,
        'sha1': 'v=DKIM1; h=sha1; p=' + rsa,
        'other': 'v=DKIM1; k=ed25519; p=' + rsa,
        'large': 'v=DKIM1; n=' + 'x' * 3500 + '; p=' + rsa,
        'huge': 'v=DKIM1; n=' + 'x' * 64000 + '; p=' + rsa,
    }
    with open(top + '/dkim.zone', 'w') as f:
        f.write(HEAD + ''.join(record(n, t) for n, t in rows.items()))
        f.write('several._domainkey TXT "v=spf1 -all"\n' + record('several', rows['rsa']))
        f.write('alias._domainkey CNAME rsa._domainkey\n')
    return keys
