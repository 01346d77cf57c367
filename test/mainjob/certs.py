"""Certificates for one test: an authority and what it signs."""
import base64
import os
import subprocess


def openssl(*args, env=None):
    subprocess.run(['openssl'] + list(args), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)


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


PAST = '''#include <sys/time.h>
#include <time.h>
time_t time(time_t *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= 30 * 86400;
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}
'''


def in_the_past(folder):
    """An environment in which openssl believes that it is 30 days ago."""
    path = os.path.join(folder, 'past.so')
    if not os.path.exists(path):
        subprocess.run(['cc', '-shared', '-fPIC', '-x', 'c', '-o', path, '-'], input=PAST.encode(), check=True)
    return dict(os.environ, LD_PRELOAD=path)


def ocsp_answer(site, ca, pem, status='V', stale=False, form='DER', days=7):
    """A file with what the authority's responder says about a certificate: status V (good) or R (revoked)."""
    folder, stem = os.path.dirname(ca[0]), os.path.basename(pem)[:-len('.pem')]
    index, question, answer = (os.path.join(folder, '%s.%s' % (stem, e)) for e in ('index', 'question', 'ocsp'))
    serial = subprocess.run(['openssl', 'x509', '-in', pem, '-noout', '-serial'], capture_output=True, text=True,
                            check=True).stdout.strip().split('=')[1]
    with open(index, 'w') as f:
        f.write('%s\t491231235959Z\t%s\t%s\tunknown\t/CN=%s\n' % (status, '200101000000Z' if status == 'R' else '', serial, stem))
    openssl('ocsp', '-issuer', ca[0], '-cert', pem, '-reqout', question, '-no_nonce')
    openssl('ocsp', '-index', index, '-CA', ca[0], '-rsigner', ca[0], '-rkey', ca[1], '-reqin', question,
            '-respout', answer, '-ndays', str(days), env=in_the_past(folder) if stale else None)
    if form == 'PEM':
        with open(answer, 'rb') as f:
            text = base64.encodebytes(f.read()).decode()
        with open(answer, 'w') as f:
            f.write('-----BEGIN OCSP RESPONSE-----\n%s-----END OCSP RESPONSE-----\n' % text)
    site.own(answer)
    return answer


def revocations(site, ca, revoked):
    """A file with the authority's list of these certificates."""
    folder = os.path.dirname(ca[0])
    stem = os.path.join(folder, 'crl%d' % len(os.listdir(folder)))
    index, conf, crl = (stem + e for e in ('.index', '.conf', '.pem'))
    open(index, 'w').close()
    with open(conf, 'w') as f:
        f.write('[ca]\ndefault_ca = x\n[x]\ndatabase = %s\ndefault_md = sha256\ndefault_crl_days = 30\n' % index)
    for pem in revoked:
        openssl('ca', '-config', conf, '-revoke', pem, '-cert', ca[0], '-keyfile', ca[1])
    openssl('ca', '-config', conf, '-gencrl', '-out', crl, '-cert', ca[0], '-keyfile', ca[1])
    site.own(crl)
    return crl
