"""Configurations that are endless, too large, too deep, or no text."""
import os

from harness import MB, case, find, same


@case('config: a file that includes itself')
def _(t):
    me = t.write('self', '.include @ME@\n'.replace('@ME@', t.path('self')))
    t.config(me, 1, r'^%s:1:1: error: cannot read included file %s: included files are nested too deeply' % (me, me),
             r'^%s:1: note: included from here' % me)


@case('config: two files that include each other')
def _(t):
    a = t.write('a', '.include %s\n' % t.path('b'))
    b = t.write('b', '# b\n.include %s\n' % a)
    t.config(a, 1, r'^%s:2:1: error: cannot read included file %s: included files are nested' % (b, a))


@case('config: a chain of includes without end')
def _(t):
    for i in range(150):
        t.write('c%d' % i, '.include %s\n' % t.path('c%d' % (i + 1)))
    t.config(t.path('c0'), 1, r'c99:1:1: error: cannot read included file .*/c100: included files are nested too deeply')


@case('config: a chain of 99 includes is read')
def _(t):
    for i in range(99):
        t.write('c%d' % i, '.include %s\n' % t.path('c%d' % (i + 1)))
    t.write('c99', 'primary_hostname = end.example\n')
    same(t.config(t.path('c0'), 0).out, 'primary_hostname = end.example\n')


@case('config: one file included 20,000 times')
def _(t):
    leaf = t.write('leaf', '# nothing\n')
    main = t.write('main', ('.include %s\n' % leaf) * 20000)
    t.config(main, 1, r'^%s:10000:1: error: cannot read included file %s: .*too many' % (main, leaf))


@case('config: an include of a FIFO that nobody writes to')
def _(t):
    os.mkfifo(t.path('fifo'))
    main = t.write('main', '.include %s\n' % t.path('fifo'))
    t.config(main, 1, r'^%s:1:1: error: cannot read included file %s: nobody writes to this FIFO' % (main, t.path('fifo')))


@case('config: a main file that is a FIFO that nobody writes to')
def _(t):
    os.mkfifo(t.path('fifo'))
    t.config(t.path('fifo'), 1, r'configuration file %s: nobody writes to this FIFO' % t.path('fifo'))


@case('config: a directory')
def _(t):
    t.config(t.folder, 1, r'failed to open configuration file %s: is a directory' % t.folder)


@case('config: an include of a directory is warned of, and read as nothing')
def _(t):
    main = t.write('main', '.include %s\nprimary_hostname = a.example\n' % t.folder)
    r = t.run('-C', main, '-bV')
    find(r'^%s:1:1: warning: included file %s is a directory' % (main, t.folder), r.err)
    same(t.config(main, 0).out, 'primary_hostname = a.example\n')


@case('config: an include of /dev/zero')
def _(t):
    main = t.write('main', '.include /dev/zero\n')
    t.config(main, 1, r'^%s:1:1: error: cannot read included file /dev/zero: the configuration is larger' % main)


@case('config: an include of what is not there, and of a link to itself')
def _(t):
    os.symlink(t.path('loop'), t.path('loop'))
    main = t.write('main', '.include %s\n.include %s\n.include_if_exists /no/such\n' % (t.path('none'), t.path('loop')))
    t.config(main, 1, r'^%s:1:1: error: cannot read included file %s: no such file' % (main, t.path('none')),
             r'^%s:2:1: error: cannot read included file %s: .*symbolic links' % (main, t.path('loop')))


@case('config: a line of 1 GB')
def _(t):
    main = t.write('main', 'primary_hostname = ')
    with open(main, 'ab') as f:
        f.truncate(1 << 30)     # no disk is used
    t.memory = 64 * MB
    t.config(main, 1, r'configuration file %s is larger than 67108864 bytes' % main)


@case('config: a line of 1 GB in an included file')
def _(t):
    big = t.write('big', 'primary_hostname = ')
    with open(big, 'ab') as f:
        f.truncate(1 << 30)
    main = t.write('main', '.include %s\n' % big)
    t.memory = 64 * MB
    t.config(main, 1, r'^%s:1:1: error: cannot read included file %s: the configuration is larger' % (main, big))


@case('config: a line of 16 MB is a line', cheap=False)
def _(t):
    main = t.write('main', 'primary_hostname = ' + 'a' * (16 * MB) + '\n')
    same(len(t.config(main, 0).out), 16 * MB + 20)


@case('config: a file of the largest size, and one byte more', cheap=False)
def _(t):
    line = b'#' * 1023 + b'\n'
    last = b'primary_hostname = a.example\n'
    text = line * (65536 - 1) + b'#' * (1023 - len(last)) + b'\n' + last
    same(len(text), 64 * MB)
    main = t.write('main', text)
    same(t.config(main, 0).out, 'primary_hostname = a.example\n')
    main = t.write('main', b'#' + text)
    t.config(main, 1, r'configuration file %s is larger than 67108864 bytes' % main)


@case('config: a bomb of macros')
def _(t):
    main = t.write('main', 'A0 = x\n' + ''.join('A%d = %s\n' % (i, ('A%d' % (i - 1)) * 10) for i in range(1, 10)) +
                   'primary_hostname = A9\n')
    t.config(main, 1, r'^%s:8:1: error: line is longer than 1048576 bytes after its macros are replaced' % main)


@case('config: a bomb of macros that are defined first and meant later')
def _(t):
    main = t.write('main', ''.join('M%02dX = %s\n' % (i, ('M%02dX' % (i + 1)) * 10) for i in range(40)) +
                   'primary_hostname = M00X\n')
    t.config(main, 1, r'^%s:41:1: error: line is longer than 1048576 bytes' % main)


@case('config: a bomb of macros over many lines')
def _(t):
    main = t.write('main', 'AA = ' + 'x' * 1000000 + '\nbegin retry\n' + '*@AA * F,1h,1m\n' * 100)
    t.config(main, 1, r'error: replacing macros makes more text than a configuration may have')


@case('config: a macro redefined by itself')
def _(t):
    main = t.write('main', 'AA = x\n' + 'AA == AAAA\n' * 60 + 'primary_hostname = AA\n')
    t.config(main, 1, r'^%s:22:1: error: line is longer than 1048576 bytes' % main)


@case('config: macros that name each other in a ring')
def _(t):
    main = t.write('main', 'AA = BB\nBB = CC\nCC = AA\nAA == BB\nprimary_hostname = AA\n')
    same(t.config(main, 0).out, 'primary_hostname = CC\n')


@case('config: a macro that is an include of its own file')
def _(t):
    main = t.write('main', 'INC = .include %s\nINC\n' % t.path('sub'))
    t.write('sub', 'INC\n')
    t.config(main, 1, r'sub:1:1: error: cannot read included file .*/sub: included files are nested too deeply')


@case('config: NUL bytes')
def _(t):
    main = t.write('main', b'primary_hostname = a\0b\n\0\nquali\0fy_domain = x\n')
    t.config(main, 1, r'^%s:1:21: error: NUL byte in the configuration file' % main,
             r'^%s:2:1: error: NUL byte' % main, r'^%s:3:6: error: NUL byte' % main)


@case('config: no newline at the end')
def _(t):
    same(t.config(t.write('main', b'primary_hostname = a.example'), 0).out, 'primary_hostname = a.example\n')
    main = t.write('main', b'primary_hostname = a.\\')
    t.config(main, 0)
    main = t.write('main', b'.ifdef')
    t.config(main, 1, r'^%s:1:1: error: ' % main)


@case('config: a byte order mark')
def _(t):
    main = t.write('main', b'\xef\xbb\xbfprimary_hostname = a.example\n')
    t.config(main, 1, r'^%s:1:1: error: found unexpected BOM' % main)
    main = t.write('main', 'primary_hostname = a.example\n'.encode('utf-16'))
    t.config(main, 1, r'^%s:1:\d+: error: ' % main)


@case('config: CRLF line ends')
def _(t):
    main = t.write('main', b'primary_hostname = a.example\r\n\r\nbegin acl\r\nx:\r\n  accept\r\n')
    same(t.config(main, 0).out, 'primary_hostname = a.example\n')


@case('config: bytes of every value')
def _(t):
    main = t.write('main', b''.join(b'primary_hostname = a%cb\n' % i for i in range(1, 256)))
    t.config(main, 1, r'^%s:2:1: error: option "primary_hostname" set for the second time|'
             r'^%s:2:1: error: .*primary_hostname' % (main, main))
    main = t.write('main', bytes(range(1, 256)) * 400)
    t.config(main, 1, r'^%s:\d+:\d+: error: ' % main)


@case('config: 100,000 tiny lines')
def _(t):
    main = t.write('main', '#\n\nA=b\n.ifdef A\n.endif\n'.replace('A=b\n', '') * 25000 + 'primary_hostname = a.example\n')
    same(t.config(main, 0).out, 'primary_hostname = a.example\n')


@case('config: 100,000 faults, of which 20 are shown')
def _(t):
    main = t.write('main', ''.join('nonsense%d\n' % i for i in range(100000)))
    r = t.config(main, 1, r'^%s:1:1: error: main option "nonsense0" unknown' % main)
    same(r.err.count(': error: '), 20)


@case('config: 10,000 macros')
def _(t):
    main = t.write('main', ''.join('X%06dX = y\n' % i for i in range(10000)) + 'primary_hostname = X009999X.example\n')
    same(t.config(main, 0).out, 'primary_hostname = y.example\n')


@case('config: macros without end', cheap=False)
def _(t):
    main = t.write('main', ''.join('X%07dX = y\n' % i for i in range(1000000)))
    t.config(main, 1, r'^%s:\d+:1: error: replacing macros makes more text' % main)


@case('config: 10,000 drivers')
def _(t):
    main = t.write('main', 'begin routers\n' +
                   ''.join('r%d:\n driver = accept\n transport = t%d\n' % (i, i) for i in range(10000)) +
                   'begin transports\n' +
                   ''.join('t%d:\n driver = pipe\n command = /bin/true\n' % i for i in range(10000)))
    t.config(main, 0)
    find(r'^command = /bin/true$', t.run('-C', main, '-bP', 'transport', 't9999').out)


@case('config: a driver defined twice')
def _(t):
    main = t.write('main', 'begin routers\n' + 'r:\n driver = accept\n' * 2)
    t.config(main, 1, r'^%s:4:1: error: .*"r"' % main)


@case('config: 100,000 named lists and one of 1,000,000 members')
def _(t):
    main = t.write('main', ''.join('domainlist d%d = a.example : b.example\n' % i for i in range(100000)) +
                   'hostlist big = ' + ' : '.join('h%d.example' % i for i in range(1000000)) + '\n')
    t.config(main, 0)


@case('config: 1,000 conditionals in each other, and one more')
def _(t):
    main = t.write('main', '.ifndef NONE\n' * 1000 + 'primary_hostname = a.example\n' + '.endif\n' * 1000)
    same(t.config(main, 0).out, 'primary_hostname = a.example\n')
    main = t.write('main', '.ifndef NONE\n' * 1001 + '.endif\n' * 1001)
    t.config(main, 1, r'^%s:1001:1: error: conditionals are nested more than 1000 deep' % main)
    main = t.write('main', '.ifdef NONE\n' * 100000)
    t.config(main, 1, r'^%s:1001:1: error: conditionals are nested more than 1000 deep' % main)


@case('config: conditionals that do not fit')
def _(t):
    main = t.write('main', '.endif\n.else\n.elifdef X\n.ifdef X\n')
    t.config(main, 1, r'^%s:1:1: error: ' % main, r'^%s:2:1: error: ' % main, r'^%s:4:1: error: ' % main)


@case('config: a logical line of 2,000,000 physical ones')
def _(t):
    main = t.write('main', 'primary_hostname = a\\\n' + 'b\\\n' * 2000000 + 'c\n')
    same(len(t.config(main, 0).out), 2000000 + 22)


@case('config: a file that ends in a continuation of itself')
def _(t):
    main = t.write('main', 'primary_hostname = a.\\\n\\\n\\\n')
    t.config(main, 0)


@case('config: values of every type at their ends')
def _(t):
    lines = ['smtp_accept_max = 99999999999999999999', 'smtp_accept_max = 2147483648', 'smtp_accept_max = 1e9',
             'retry_interval_max = 99999999999999w', 'retry_interval_max = 1q', 'local_from_check = perhaps',
             'check_spool_space = 99999999999999G', 'syslog_timestamp = %s%n', 'never_users = no-such-user-here',
             'primary_hostname = "a', 'primary_hostname = "\\x"b', 'message_size_limit', 'split_spool_directory = = yes',
             'smtp_load_reserve = 1.2.3', 'smtp_load_reserve = 99999999999999', 'rfc1413_query_timeout = -1s']
    for line in lines:
        main = t.write('main', '\n' + line + '\n')
        r = t.run('-C', main, '-bV')
        if line.split(' ')[0] in ('message_size_limit', 'primary_hostname') and r.status == 0:
            continue
        if r.status != 1:
            raise Bad('%s: taken' % line)
        find(r'^%s:2:\d+: error: ' % main, r.err)


@case('config: names that are very long')
def _(t):
    name = 'v' * 1000000
    main = t.write('main', '%s = x\n' % name)
    t.config(main, 1, r'^%s:1:1: error: main option "v+' % main)
    main = t.write('main', 'M%s = x\n' % name)
    t.config(main, 1, r'^%s:1:1: error: ' % main)
    main = t.write('main', 'domainlist %s = x\n' % name)
    t.run('-C', main, '-bV')
    main = t.write('main', 'begin %s\n' % name)
    t.config(main, 1, r'^%s:1:\d+: error: ' % main)
    main = t.write('main', 'begin routers\n%s:\n driver = %s\n' % (name, name))
    t.config(main, 1, r'^%s:[23]:\d+: error: ' % main)


@case('config: format characters are text')
def _(t):
    main = t.write('main', '%s%n%s%n = x\nbegin routers\n%n%s:\n driver = %s%n%d\n')
    t.config(main, 1, r'^%s:1:1: error: .*%%s%%n' % main)
    main = t.write('main', '.include /no/%s%n%d\n')
    t.config(main, 1, r'^%s:1:1: error: cannot read included file /no/%%s%%n%%d: no such file' % main)


@case('config: the command line')
def _(t):
    r = t.run('-C', ':'.join(['/no/such'] * 1000), '-bV')
    same(r.status, 1)
    r = t.run('-D' + 'X' * 100000 + '=y', '-C', t.write('main', ''), '-bV')
    for argv in (['-' + 'z' * 100000], ['-b' + 'z' * 100000], ['-d+' + 'x' * 100000], ['-bP', 'y' * 100000],
                 ['-bI:' + 'x' * 100000], ['-brt', 'a' * 100000], ['-brw', '<' * 100000]):
        t.run('-C', t.path('main'), *argv)


@case('config: an environment that is large, and lists of it that are wrong')
def _(t):
    """keep_environment is a list of patterns; one that is in error keeps nothing."""
    names = ['FOO', 'FOO1', 'XFOO', 'BAR_A', 'BAR_B', 'HOMEX', 'a%s%n']
    env = dict.fromkeys(names, 'v' * 10000)
    env.update(('N%d' % i, '') for i in range(2000))
    for keep, left in ((r'^FOO\d : BAR_A', ['BAR_A', 'FOO1']), ('!BAR_A : ^BAR', ['BAR_B']), ('<; XFOO ; *X', ['HOMEX', 'XFOO']),
                       ('^(((', []), ('+no_such', []), ('^(N+)+$', []), ('', [])):
        conf = t.write('conf', 'keep_environment = %s\n' % keep)
        r = t.run('-C', conf, '-bP', 'environment', more_env=env)
        same(r.status, 0)
        same(sorted(x.split('=')[0] for x in r.out.split('\n') if x), left)
