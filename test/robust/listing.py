"""Lists that name themselves, that are very long, or whose parts are no list."""
import os

from harness import Bad, case, find, same

KINDS = ['domain', 'host', 'address', 'localpart']


@case('list: a named list that names itself')
def _(t):
    for kind in KINDS:
        conf = t.write('conf', 'keep_environment =\n%slist a = x.example : +a\n' % kind)
        condition = {'domain': 'match_domain{q}', 'host': 'match_ip{1.2.3.4}', 'address': 'match_address{a@q}',
                     'localpart': 'match_local_part{q}'}[kind]
        find(r'^Failed: .*"?a"?|^n$', t.expand('${if %s{+a}{y}{n}}' % condition, conf))


@case('list: named lists in a ring')
def _(t):
    conf = t.write('conf', 'keep_environment =\n' + ''.join('domainlist a%d = +a%d\n' % (i, (i + 1) % 50) for i in range(50)))
    r = t.run('-C', conf, '-be', text=b'${if match_domain{q}{+a7}{y}{n}}\n${listnamed:a7}\n')
    same(r.status, 0)
    find(r'^> Failed: unable to complete match against "\+a7": too many lists within lists', r.out)


@case('list: a chain of 10,000 named lists')
def _(t):
    conf = t.write('conf', 'keep_environment =\ndomainlist a0 = x.example\n' +
                   ''.join('domainlist a%d = +a%d\n' % (i, i - 1) for i in range(1, 10000)))
    find(r'^Failed: unable to complete match against "\+a9999": too many lists within lists', t.expand('${if match_domain{x.example}{+a9999}{y}{n}}', conf))
    same(t.expand('${if match_domain{x.example}{+a10}{y}{n}}', conf), 'y')


@case('list: 1,000,000 members')
def _(t):
    conf = t.write('conf', 'keep_environment =\ndomainlist big = ' + ' : '.join('h%d.example' % i for i in range(1000000)) + '\n')
    same(t.expand('${if match_domain{h999999.example}{+big}{y}{n}}', conf), 'y')
    same(t.expand('${if match_domain{h1000000.example}{+big}{y}{n}}', conf), 'n')


@case('list: 200,000 members that are patterns', cheap=False)
def _(t):
    conf = t.write('conf', 'keep_environment =\ndomainlist big = ' + ' : '.join('*.h%d' % i for i in range(200000)) + '\n')
    same(t.expand('${if match_domain{a.h199999}{+big}{y}{n}}', conf), 'y')
    conf = t.write('conf', 'keep_environment =\nhostlist big = ' + ' : '.join('10.%d.%d.0/24' % (i // 256 % 256, i % 256)
                                                                          for i in range(60000)) + '\n')
    same(t.expand('${if match_ip{10.200.7.9}{+big}{y}{n}}', conf), 'y')


@case('list: 20,000 regular expressions', cheap=False)
def _(t):
    conf = t.write('conf', 'keep_environment =\naddresslist big = ' + ' : '.join('^h%d@.*' % i for i in range(20000)) + '\n')
    find(r'^y$|^Failed: .*(memory|many)', t.expand('${if match_address{h19999@x}{+big}{y}{n}}', conf))


@case('list: a regular expression that goes back without end')
def _(t):
    find(r'^Failed: .*limit|^n$', t.expand('${if match_domain{%s}{\\N^(a+)+b$\\N}{y}{n}}' % ('a' * 60)))


@case('list: files that are no files')
def _(t):
    os.mkfifo(t.path('fifo'))
    os.symlink(t.path('loop'), t.path('loop'))
    big = t.write('big', '')
    os.truncate(big, 1 << 30)
    conf = t.write('conf', 'keep_environment =\nlog_file_path = %s/log-%%s\n' % t.folder)
    for name, why in (('loop', r'Too many levels of symbolic links'), ('none', r'No such file or directory'),
                      ('big', r'(File too large|longer than|larger than).*')):
        path = t.path(name)
        r = t.run('-C', conf, '-be', text=b'${if match_domain{q}{%s}{y}{n}}\n' % path.encode())
        same(r.status, 1)       # as with Exim: what a list means is not guessed
        with open(t.path('log-panic')) as f:
            find(r'failed to open %s when checking "%s": %s$' % (path, path, why), f.read())
    for name in ('fifo', '.'):
        same(t.expand('${if match_domain{q}{%s}{y}{n}}' % t.path(name), conf), 'n')


@case('list: a file of 1,000,000 lines')
def _(t):
    path = t.write('lines', ''.join('h%d.example # text\n' % i for i in range(1000000)))
    same(t.expand('${if match_domain{h999999.example}{%s}{y}{n}}' % path), 'y')


@case('list: a file with a line of 10 MB, NUL bytes and no newline at its end')
def _(t):
    path = t.write('lines', b'a' * (10 << 20) + b'\n\0\0\nb\0.example\nq.example')
    same(t.expand('${if match_domain{q.example}{%s}{y}{n}}' % path), 'y')


@case('list: a file that names itself')
def _(t):
    path = t.path('me')
    t.write('me', '%s\n%s\nlsearch;%s\n' % (path, path, path))
    find(r'^n$|^Failed: ', t.expand('${if match_domain{q}{%s}{y}{n}}' % path))


ITEMS = ['!', '!!', '! !', '+', '+no_such', '!+', '*', '**', '^', '^(', '@', '@[', '@[]', '@@', '@mx_any', '/', '/no', '@@lsearch;/no',
         'lsearch', 'lsearch;', 'nosuch;/x', 'partial-', 'partial-lsearch', 'partial99999999999-lsearch;/x', 'partial(((-lsearch;/x',
         'net-lsearch;/no', 'net99999-lsearch;/x', 'net-1-lsearch;/x', '1.2.3.4/99', '1.2.3.4/', '::/129', '1.2.3', '[', '[]', '%s%n',
         '<', '<;', '\\', '"', '${', '\\N', '+include_unknown', '+caseful', '*@', '@*', '*@*@', 'a@b@c', '*@+', '*@^', ':::', '\xff',
         'lsearch*@', 'lsearch*@;/x', 'sqlite;', 'sqlite;/x', 'x' * 70000, '.' * 70000, '*.' * 30000]


@case('list: items that are none')
def _(t):
    """An item that makes no sense ends the program, as with Exim, and the panic log says which one it is."""
    log = t.path('log-panic')
    conf = t.write('conf', 'keep_environment =\nlog_file_path = %s/log-%%s\n' % t.folder)
    for condition in ('match_domain{q}', 'match_ip{1.2.3.4}', 'match_address{a@q}', 'match_local_part{q}', 'inlist{q}'):
        for item in ITEMS:
            if os.path.exists(log):
                os.unlink(log)
            ask = '${if %s{%s}{y}{n}}\n' % (condition, item)
            r = t.run('-C', conf, '-be', text=ask.encode('latin-1'))
            if r.status == 0:
                same(r.out.endswith('\n> \n'), True)
                continue
            with open(log) as f:
                text = f.read()
            if not any(x and x[-7:] in text for x in item.lstrip('@').split(';')) and not item.endswith(';'):
                raise Bad('%s: the log does not name it: %s' % (ask.strip(), text))


@case('list: the same items in the configuration')
def _(t):
    for kind in KINDS:
        for i, item in enumerate(ITEMS):
            if i % 5 or '\\' in item:
                continue
            conf = t.write('conf', ('keep_environment =\n%slist a = %s\n' % (kind, item)).encode('latin-1'))
            t.run('-C', conf, '-bV')
