#!/usr/bin/python3
"""Signs and verifies with python3-dkim, for tests whose Python has no such module.

usage: dkim_tool.py sign SELECTOR DOMAIN KEYFILE [OPTION=VALUE...] < message > message
       dkim_tool.py verify < message      prints "pass" or "fail" for each signature, the topmost first

Options of sign: alg, header and body (canonical forms), length=1, identity, fields (with colons between).
"""
import base64
import re
import subprocess
import sys

import dkim


def read_key(path):
    with open(path, 'rb') as f:
        pem = f.read()
    if b'RSA' in pem:
        return pem
    der = subprocess.run(['openssl', 'pkey', '-in', path, '-outform', 'DER'], check=True, stdout=subprocess.PIPE).stdout
    return base64.b64encode(der[-32:])      # of an Ed25519 key: its seed


def sign(message, selector, domain, path, *options):
    o = dict(x.split('=', 1) for x in options)
    line = dkim.sign(message, selector.encode(), domain.encode(), read_key(path),
                     signature_algorithm=o.get('alg', 'rsa-sha256').encode(), length=bool(o.get('length')),
                     canonicalize=(o.get('header', 'relaxed').encode(), o.get('body', 'relaxed').encode()),
                     identity=o['identity'].encode() if 'identity' in o else None,
                     include_headers=[x.encode() for x in o.get('fields', 'from:to:subject').split(':')])
    return line + message


def verify(message):
    header = re.split(rb'\r?\n\r?\n', message, maxsplit=1)[0]
    for i in range(len(re.findall(rb'(?im)^dkim-signature:', header))):
        try:
            print('pass' if dkim.DKIM(message).verify(idx=i) else 'fail')
        except dkim.DKIMException as e:
            print('fail', e)


if __name__ == '__main__':
    text = sys.stdin.buffer.read()
    if sys.argv[1] == 'sign':
        sys.stdout.buffer.write(sign(text, *sys.argv[2:]))
    else:
        verify(text)
