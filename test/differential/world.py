"""The world in which both programs answer: a configuration, a message, and the files that lookups use."""
import os
import struct

CONF = r'''
primary_hostname = mx.world.example
qualify_domain = world.example
spool_directory = @DIR@/spool
log_file_path = @DIR@/%slog
keep_environment = DIFF_ENV
host_lookup =
headers_charset = UTF-8
domainlist local_domains = world.example : *.world.example : two.example
domainlist regex_domains = ^\\d+\\.example\$ : !not.three.example : *.three.example
domainlist nested = +local_domains : nested.example
domainlist file_domains = @DIR@/list
domainlist cached = lsearch;@DIR@/domains
hostlist nets = 10.0.0.0/8 : 192.0.2.1 : !192.0.2.64/26 : 192.0.2.0/24 : 2001:db8::/32
hostlist net_lookup = net-iplsearch;@DIR@/ips : net24-lsearch;@DIR@/masks
addresslist people = anna@world.example : *@two.example : ^ben.*@
addresslist file_people = @DIR@/addresses : @@lsearch;@DIR@/byparts
localpartlist users = anna : ben : ^x\\d : *-owner
localpartlist file_users = lsearch;@DIR@/aliases
'''

MESSAGE = '''Received: from client.example ([192.0.2.1]) by mx.world.example with esmtp id 1xxx; Mon, 1 Jan 2024 00:00:00 +0000
Received: from inner.example ([10.0.0.1]) by client.example; Mon, 1 Jan 2024 00:00:00 +0000
From: "A. Sender" <sender@client.example>
To: user@world.example, Other Person <other@two.example>,
\tThird (comment) <third@three.example>
Cc: one@cc.example
Cc: two@cc.example
Subject: =?iso-8859-1?Q?caf=e9?= au =?utf-8?B?bGFpdA==?= [list] Re: 42 things
Date: Mon, 1 Jan 2024 00:00:00 +0000
Message-ID: <1234567890.abc@client.example>
X-Empty:
X-Folded: one
 two
\tthree
X-List: a:b : c
X-8bit: caf\xe9

first line of the body
second line
'''

FILES = {
    'aliases': '''# a comment
root:      admin@world.example
admin:     anna@world.example,
           ben@world.example
"with space": spaced
Upper:     case
empty:
nocolon value here
ben:       ${lc:NOT EXPANDED}
*:         star
''',
    'domains': '''*.one.example:    partial one
one.example:      exact one
two.example:      exact two
*.three.example:  partial three
*@three.example:  default local part
a@three.example:  whole address
*:                anything
''',
    'plain': 'key: value of key\nKey2: second\nuser@world.example: address\n*.part.example: part\n"quo ted": q\n',
    'wild': '^\\\\d+\\$:        digits\n*.ends.example:   ends\n^(\\\\w)x(\\\\w)\\$: swapped $2$1\nexact:            found exact\n',
    'nwild': '^\\d+$:        digits\n*.ends.example:   ends\nexact:            found exact\n',
    'ips': '192.0.2.1:        host\n10.0.0.0/8:       net\n"2001:db8::/32":  net6\n"::1": loop\n',
    'masks': '192.0.2.0/24: masked\n10.1.2.0/24: other\n10.1.2.3: full\n',
    'list': '# comment\nlisted.example\n*.listed.example # trailing\n!no.file.example\n^re\\d\\.example$\n',
    'addresses': 'listed@file.example\n*@all.example\n!not@all.example\n',
    'byparts': 'parts.example: anna : ben : !carl : *x\nmore.example: > parts.example\nstar.example: *\n',
    'dir/present': 'x\n',
    'dir/Another.file': 'x\n',
    'text': 'line one\nline two\n\nlast without newline',
    'emptyfile': '',
}

CDB = {'key': 'value of key', 'root': 'admin', 'user@world.example': 'address', '*.part.example': 'part', 'empty': '',
       'two.example': 'two', '*': 'default', 'x' * 300: 'long key'}


def cdb_hash(key):
    h = 5381
    for c in key:
        h = ((h * 33) ^ c) & 0xffffffff
    return h


def cdb_bytes(rows):
    """A constant database as described by its author: 256 pointers, records, hash tables."""
    records = b''
    tables = [[] for _ in range(256)]
    for key, value in rows.items():
        k, v = key.encode('latin-1'), value.encode('latin-1')
        h = cdb_hash(k)
        tables[h & 255].append((h, 2048 + len(records)))
        records += struct.pack('<II', len(k), len(v)) + k + v
    head = b''
    tail = b''
    at = 2048 + len(records)
    for rows_of in tables:
        n = len(rows_of) * 2
        slots = [(0, 0)] * n
        for h, pos in rows_of:
            i = (h >> 8) % n
            while slots[i][1]:
                i = (i + 1) % n
            slots[i] = (h, pos)
        head += struct.pack('<II', at + len(tail), n)
        tail += b''.join(struct.pack('<II', *s) for s in slots)
    return head + records + tail


class World:
    def __init__(self, folder):
        self.folder = folder
        os.chmod(folder, 0o755)
        self.conf = self.write('conf', CONF.replace('@DIR@', folder))
        self.message = self.write('message', MESSAGE)
        for name, text in FILES.items():
            self.write(name, text)
        with open(os.path.join(folder, 'table.cdb'), 'wb') as f:
            f.write(cdb_bytes(CDB))
        os.makedirs(os.path.join(folder, 'spool'), exist_ok=True)
        os.chmod(os.path.join(folder, 'spool'), 0o777)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='latin-1') as f:
            f.write(text)
        os.chmod(path, 0o644)
        return path
