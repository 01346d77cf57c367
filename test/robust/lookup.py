"""Lookups in files that are wrong, that change, or that are no files; queries that are no queries."""
import os
import random
import struct
import subprocess
import time

from harness import Bad, case, find, same

FILE_TYPES = ['lsearch', 'wildlsearch', 'nwildlsearch', 'iplsearch', 'cdb', 'dbm', 'dbmjz', 'dbmnz', 'lmdb', 'json', 'dsearch', 'passwd']


def ask(t, kind, path, key='1.2.3.4'):
    return t.expand('${lookup{%s}%s{%s}{<$value>}{none}}' % (key, kind, path))


def refuses(t, what, path, **more):
    """Each type says which file it cannot use."""
    for kind in FILE_TYPES:
        if kind in ('passwd',) or kind in more.get('but', ()):
            continue
        got = ask(t, kind, path)
        if not got.startswith('Failed: ') or path not in got:
            raise Bad('%s of %s: %s' % (kind, what, got))


@case('lookup: a file that is not there')
def _(t):
    refuses(t, 'nothing', t.path('none'))


@case('lookup: a directory')
def _(t):
    refuses(t, 'a directory', t.folder, but=('dsearch', 'lmdb'))


@case('lookup: a FIFO')
def _(t):
    os.mkfifo(t.path('fifo'))
    refuses(t, 'a FIFO', t.path('fifo'))


@case('lookup: a link to itself')
def _(t):
    os.symlink(t.path('loop'), t.path('loop'))
    refuses(t, 'a loop', t.path('loop'))


@case('lookup: /dev/zero')
def _(t):
    refuses(t, '/dev/zero', '/dev/zero')


@case('lookup: a file that may not be read')
def _(t):
    if os.geteuid() != 0:
        path = t.write('shut', 'a: b\n')
        os.chmod(path, 0)
        find(r'^Failed: .*%s.*Permission denied' % path, ask(t, 'lsearch', path))
    find(r'^Failed: .*/proc/self/mem|^none$', ask(t, 'lsearch', '/proc/self/mem'))


@case('lookup: an empty file')
def _(t):
    path = t.write('empty', '')
    for kind in ('lsearch', 'wildlsearch', 'nwildlsearch', 'iplsearch'):
        same(ask(t, kind, path), 'none')
    for kind in ('cdb', 'dbm', 'json'):
        got = ask(t, kind, path)
        if got != 'none' and not (got.startswith('Failed: ') and path in got):
            raise Bad('%s: %s' % (kind, got))


@case('lookup: bytes of chance in a file of every type')
def _(t):
    rnd = random.Random(7)
    for size in (1, 16, 2047, 2048, 2049, 8192, 70000):
        path = t.write('noise', bytes(rnd.randrange(256) for _ in range(size)))
        for kind in FILE_TYPES:
            if kind not in ('dsearch', 'passwd'):
                ask(t, kind, path, 'key')


@case('lookup: a cdb whose tables point anywhere')
def _(t):
    rnd = random.Random(8)
    for i in range(30):
        words = [rnd.choice((0, 1, 2048, 4096, 0xffffffff, 0x7fffffff, rnd.randrange(1 << 32))) for _ in range(1024)]
        path = t.write('cdb', struct.pack('<1024I', *words))
        ask(t, 'cdb', path, 'key%d' % i)


@case('lookup: a cdb cut off at every hundredth byte')
def _(t):
    def cdb_hash(key):
        h = 5381
        for c in key:
            h = ((h << 5) + h ^ c) & 0xffffffff
        return h
    data, slots = b'', [[] for _ in range(256)]
    for i in range(50):
        key, value = b'k%d' % i, b'v%d' % i
        h = cdb_hash(key)
        slots[h & 255].append((h, 2048 + len(data)))
        data += struct.pack('<II', len(key), len(value)) + key + value
    head, tables, at = b'', b'', 2048 + len(data)
    for s in slots:
        n = len(s) * 2
        table = [(0, 0)] * n
        for h, p in s:
            k = (h >> 8) % n
            while table[k][1]:
                k = (k + 1) % n
            table[k] = (h, p)
        head += struct.pack('<II', at, n)
        tables += b''.join(struct.pack('<II', *x) for x in table)
        at += 8 * n
    whole = head + data + tables
    same(ask(t, 'cdb', t.write('cdb', whole), 'k7'), '<v7>')
    for n in range(0, len(whole), 100):
        got = ask(t, 'cdb', t.write('cdb', whole[:n]), 'k7')
        if got not in ('<v7>', 'none') and not got.startswith('Failed: '):
            raise Bad('cut at %d: %s' % (n, got))


@case('lookup: JSON that is deep, long, or no JSON')
def _(t):
    for text in ('[' * 100000, '{"a":' * 100000, '{"a": 1' + '0' * 100000 + '}', '{"a": "' + 'x' * 1000000 + '"}', '{"a": "\\u0000"}',
                 '{"a": "\\ud800"}', '{"a": }', '{"a": "\xff"}', 'null', '', '{"a": [1, 2, {"b": []}]}', '{' + '"a":1,' * 100000 + '"a":2}'):
        path = t.write('x.json', text.encode('latin-1'))
        got = ask(t, 'json', path, 'a')
        if got.startswith('Failed: ') and path not in got and 'json' not in got.lower():
            raise Bad('no name in: %s' % got)
    for op in ('${extract json{a}{%s}}', '${extract jsons{a}{%s}}', '${listextract{1}{%s}}', '${if forany_json{%s}{eq{$item}{a}}{y}{n}}',
               '${reduce{<, 1,2}{}{${extract json{a}{%s}}}}'):
        for text in ('[' * 50000, '{"a":' * 50000, '{"a":"\\u0000"}', '[1,' * 20000, '{', '"', '[\\"', '{"a"'):
            t.expand(op % text.replace('{', '\\{').replace('}', '\\}'))


@case('lookup: lsearch with a line of 20 MB, NUL bytes, and no newline at its end')
def _(t):
    path = t.write('file', b'long: ' + b'x' * (20 << 20) + b'\nnul\0key: v\0w\n\0\n"open: x\nlast: end')
    same(ask(t, 'lsearch', path, 'last'), '<end>')
    got = ask(t, 'lsearch', path, 'long')
    if len(got) != (20 << 20) + 2 and not got.startswith('Failed: '):
        raise Bad('long: %d bytes' % len(got))


@case('lookup: lsearch in a file of 1 GB')
def _(t):
    path = t.write('file', 'a: b\n')
    os.truncate(path, 1 << 30)
    find(r'^Failed: .*%s|^<b>$' % path, ask(t, 'lsearch', path, 'a'))


@case('lookup: lsearch in 1,000,000 lines, and one entry of 300,000')
def _(t):
    path = t.write('file', ''.join('k%d: v\n' % i for i in range(1000000)) + 'cont: a\n' + ' b\n' * 300000)
    same(ask(t, 'lsearch', path, 'k999999'), '<v>')
    same(len(ask(t, 'lsearch', path, 'cont')), 2 + 1 + 600000)


@case('lookup: wildlsearch with patterns that go back without end, or are none')
def _(t):
    path = t.write('file', '^(a+)+$: x\n^(((: y\n*: z\n')
    got = ask(t, 'wildlsearch', path, 'a' * 60 + 'b')
    find(r'^Failed: |^<z>$', got)
    find(r'^Failed: |^<z>$', ask(t, 'nwildlsearch', path, 'q'))


@case('lookup: keys that are long, empty or wrong')
def _(t):
    path = t.write('file', 'a: b\n1.2.3.0/24: net\n')
    for kind in ('lsearch', 'lsearch*', 'lsearch*@', 'partial-lsearch', 'partial0-lsearch*', 'wildlsearch', 'iplsearch', 'cdb', 'dbm',
                 'lmdb', 'net-iplsearch', 'partial-9(x)lsearch'):
        for key in ('', '.' * 5000, '@' * 5000, 'a' * 200000, '\\xff', '1.2.3.4/', ':::', '%s%n', '..', '../../etc/passwd'):
            t.expand('${lookup{%s}%s{%s}{<$value>}{none}}' % (key, kind, path))


@case('lookup: dsearch is kept in its directory')
def _(t):
    t.write('d/file', '')
    for key in ('..', '../d/file', '/etc/passwd', '.', '', 'file/', 'file\\0x', 'a' * 5000):
        got = t.expand('${lookup{%s}dsearch{%s}{<$value>}{none}}' % (key, t.path('d')))
        if '<' in got and got not in ('<.>', '<..>'):     # names of entries, as with Exim
            raise Bad('%s: %s' % (key, got))
    same(t.expand('${lookup{file}dsearch{%s}}' % t.path('d')), 'file')


@case('lookup: options that are none')
def _(t):
    path = t.write('file', 'a: b\n')
    for option in ('ret=', 'ret=what', 'x', 'ret=full,' * 5000, '=', ',,,', 'filter=', 'key=' + 'x' * 70000):
        t.expand('${lookup{a}lsearch,%s{%s}{<$value>}{none}}' % (option, path))


@case('lookup: a file that changes, shrinks and vanishes while it is in use')
def _(t):
    path = t.write('file', 'a: one\n')
    conf = t.write('conf', 'keep_environment =\n')
    p = subprocess.Popen([t.program, '-C', conf, '-be'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         preexec_fn=t.limit, bufsize=0)

    def answer():
        text = b''
        while not text.endswith(b'\n'):
            byte = p.stdout.read(1)
            if not byte:
                raise Bad('the program has ended: %s' % p.stderr.read())
            text += byte
        return text.decode().rstrip('\n').replace('> ', '', 1)

    def get(key):
        time.sleep(0.05)    # a file is looked at again after a while
        p.stdin.write(b'${lookup{%s}lsearch{%s}{<$value>}{none}}\n' % (key.encode(), path.encode()))
        return answer()
    same(get('a'), '<one>')
    for i in range(20):
        with open(path, 'w') as f:      # the same inode, growing
            f.write('b%d: x\n' % i * (i * 100) + 'a: %d\n' % i)
        same(get('a'), '<%d>' % i)
    with open(path, 'r+') as f:
        f.truncate(4)                   # in the middle of a line
    same(get('a'), 'none')
    os.rename(t.write('other', 'a: new\n'), path)
    same(get('a'), '<new>')
    os.unlink(path)
    find(r'^Failed: .*No such file|^<new>$', get('a'))
    os.mkdir(path)
    find(r'^Failed: ', get('a'))
    os.rmdir(path)
    t.write('file', 'a: back\n')
    same(get('a'), '<back>')
    p.stdin.close()
    p.stdout.read()
    same(p.wait(), 0)


@case('lookup: 2,000 files, more than may be open at once')
def _(t):
    asks = []
    for i in range(2000):
        asks.append('${lookup{a}lsearch{%s}}' % t.write('f%d' % i, 'a: %d\n' % i))
    r = t.run('-C', t.write('conf', 'keep_environment =\n'), '-be', text=('\n'.join(asks) + '\n').encode())
    same(r.out, ''.join('> %d\n' % i for i in range(2000)) + '> \n')


@case('lookup: SQL that does not end, or is none')
def _(t):
    conf = t.write('conf', 'keep_environment =\n')
    db = t.path('db')
    same(t.expand('${lookup sqlite,file=%s{select 1+1}}' % db, conf), '2')
    for query in ('select', "select '", ';', '', 'select 1; select 2', "attach '/etc/x' as y", 'select zeroblob(2000000000)',
                  'select %s%n', 'x' * 2000000, 'select ' + '(' * 5000 + '1' + ')' * 5000):
        t.expand('${lookup sqlite,file=%s{%s}{<$value>}{none}}' % (db, query), conf)
    noise = t.write('noise', os.urandom(8192))
    same(t.expand('${lookup sqlite,file=%s{select 1 from x}{y}{none}}' % noise, conf), 'none')
