"""Certificates for one test: an authority and what it signs."""
import os
import subprocess


def openssl(*args):
    subprocess.run(['openssl'] + list(args), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(site, name='ca'):
    site.mkdir('certs-' + name)
    pem, key = site.path('certs-%s/ca.pem' % name), site.path('certs-%s/ca.key' % name)
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650',
            '-subj', '/O=test/CN=authority %s' % name, '-keyout', key, '-out', pem)
    site.own(key)
    return pem, key


def certificate(site, ca, subject, names=(), rsa=False):
    """(certificate, key) for CN=subject and the DNS names; files of the mail user."""
    folder, stem = os.path.dirname(ca[0]), subject.replace('*', 'any')
    pem, key, csr, ext = ('%s/%s.%s' % (folder, stem, e) for e in ('pem', 'key', 'csr', 'ext'))
    kind = ['rsa:2048'] if rsa else ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    openssl('req', '-newkey', *kind, '-nodes', '-subj', '/CN=' + subject, '-keyout', key, '-out', csr)
    with open(ext, 'w') as f:
        f.write('subjectAltName=%s\n' % ','.join('DNS:' + n for n in (list(names) or [subject])))
    openssl('x509', '-req', '-in', csr, '-CA', ca[0], '-CAkey', ca[1], '-CAcreateserial', '-days', '3650',
            '-extfile', ext, '-out', pem)
    site.own(pem)
    site.own(key)
    return pem, key
