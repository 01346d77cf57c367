"""Expansions that recurse, loop, grow or nest without end, and names, numbers and bytes that are out of range."""
from harness import case, find, same

MEMORY_FAULT = r'^Failed: the expansion needs more than 67108864 bytes of memory'
DEEP = r'^Failed: expansions are nested too deeply'

CONFIG = r'''
keep_environment =
LOOP_A = ${expand:$primary_hostname}
primary_hostname = h.example
begin acl
ring:
  accept condition = ${acl{ring}}
'''


def fails(name, text, want, cheap=True):
    """want: a pattern that the answer must begin with."""
    def one(t):
        find(want, t.expand(text() if callable(text) else text))
    case('expansion: ' + name, cheap)(one)


def gives(name, text, want, cheap=True):
    def one(t):
        same(t.expand(text() if callable(text) else text), want)
    case('expansion: ' + name, cheap)(one)


def items(n, item='1'):
    return '<, ' + ','.join([item] * n)


# --- growth ---

fails('${reduce doubling 32 times, to 4 GB', '${strlen:${reduce{%s}{x}{$value$value}}}' % items(32), MEMORY_FAULT)
gives('${reduce doubling 20 times', '${strlen:${reduce{%s}{x}{$value$value}}}' % items(20), str(1 << 20))
fails('${reduce without end in each other', '${reduce{%s}{x}{${reduce{%s}{$value}{$value$value}}}}' %
      (items(100), items(10)), MEMORY_FAULT)
fails('${sg blowing up', '${sg{${sg{${sg{%s}{a}{%s}}}{b}{%s}}}{c}{%s}}' % ('a' * 2000, 'b' * 2000, 'c' * 200, 'd' * 200),
      MEMORY_FAULT)
gives('${sg that matches nothing many times', '${strlen:${sg{%s}{x*}{-}}}' % ('a' * 5000), '10001')
fails('${map in ${map in ${map', '${map{%s}{${map{%s}{${map{%s}{x}}}}}}' % (items(1000), items(1000), items(1000)),
      MEMORY_FAULT)
fails('${filter in ${filter in ${filter in ${filter', '${filter{%s}{forany{%s}{forany{%s}{forany{%s}{eq{a}{b}}}}}}' %
      ((items(1000),) * 4), r'^Failed: .*(takes too many steps|more than \d+ steps|memory)', cheap=False)
fails('${tr, ${quote and ${rxquote of what grows', '${strlen:${rxquote:${rxquote:${rxquote:${rxquote:${rxquote:'
      '${rxquote:${rxquote:${rxquote:${rxquote:${rxquote:%s}}}}}}}}}}}' % ('.' * 100000), MEMORY_FAULT)
fails('${hexquote, ${base64 and ${str2b64 in a row', '${strlen:' + '${base64:' * 38 + 'a' * 10000 + '}' * 39,
      r'^Failed: (expansions are nested too deeply|the expansion needs more)|^\d+$')

# --- depth ---

fails('${expand: 5,000 times', '${expand:' * 5000 + 'a' + '}' * 5000, DEEP)
fails('${uc: 100,000 times', '${uc:' * 100000 + 'a' + '}' * 100000, DEEP)
fails('${uc: 100,000 times without an end', '${uc:' * 100000, DEEP)
fails('100,000 braces in an item', '${uc:' + '{' * 100000 + '}' * 100000 + '}', r'^\{+\}+$|^Failed: ')
gives('100,000 braces', '{' * 100000, '{' * 100000)
gives('100,000 closing braces', '}' * 100000, '}' * 100000)
fails('100,000 conditions', '${if ' + 'and{{' * 100000, DEEP)
fails('100,000 conditions that are complete', '${if ' + 'or{{' * 100000 + 'eq{a}{a}' + '}}' * 100000 + '{y}{n}}', DEEP)
gives('100,000 negations', '${if ' + '!' * 100000 + 'eq{a}{a}{y}{n}}', 'y')
fails('100,000 ${if', '${if bool{' + '${if bool{' * 100000, DEEP)
fails('100,000 opening parentheses in ${eval', '${eval:' + '(' * 100000 + '1' + ')' * 100000 + '}',
      r'^Failed: error in expression evaluation: expression nested too deeply')
fails('100,000 signs in ${eval', '${eval:' + '-' * 100000 + '1}', r'^Failed: error in expression evaluation: ')
gives('100,000 terms in ${eval', '${eval:' + '+'.join(['1'] * 100000) + '}', '100000')


@case('expansion: an evaluation that evaluates itself')
def _(t):
    conf = t.write('conf', 'keep_environment =\n')
    t.write('me', 'me: ${expand:${lookup{me}lsearch{%s}}}\n' % t.path('me'))
    find(r'^Failed: .*(nested too deeply|too deep)', t.expand('${expand:${lookup{me}lsearch{%s}}}' % t.path('me'), conf))


@case('expansion: an option that is expanded when it is asked for')
def _(t):
    conf = t.write('conf', CONFIG)
    same(t.expand('LOOP_A', conf), 'h.example')
    find(r'^Failed: ', t.expand('${acl{ring}}', conf))


# --- lists ---

gives('a list of 1,000,000 items', lambda: '${listcount:' + ':'.join(['a'] * 1000000) + '}', '1000000')
gives('${map over 1,000,000 items', lambda: '${strlen:${map{' + ':'.join(['a'] * 1000000) + '}{$item}}}', '1999999',
      cheap=False)
gives('1,000,000 separators', lambda: '${listcount:' + ': ' * 1000000 + '}', '1000000')
gives('${extract of item 1,000,000', lambda: '${listextract{1000000}{' + ':'.join(['a'] * 999999 + ['b']) + '}}', 'b')
gives('${listextract far beyond the end', '${listextract{2147483647}{a:b}}${listextract{-2147483648}{a:b}{y}{n}}', 'n')
fails('${sort of 1,000,000 items', lambda: '${strlen:${sort{' + ':'.join(str(i) for i in range(1000000)) + '}{>}{$item}}}',
      MEMORY_FAULT, cheap=False)
gives('${sort of 2,000 equal items', '${strlen:${sort{' + ':'.join(['a'] * 2000) + '}{lt}{$item}}}', '3999')

# --- patterns ---

fails('a pattern that goes back without end', '${if match{%sb}{^(a+)+\\$}{y}{n}}' % ('a' * 40),
      r'^Failed: a regular expression hit its limit')
fails('another one', '${if match{%s}{^(([a-z])+.)+[A-Z]([a-z])+\\$}{y}{n}}' % ('a' * 3000),
      r'^Failed: a regular expression hit its limit|^n$')
fails('one in ${sg', '${sg{%sb}{(a|aa)+\\$}{x}}' % ('a' * 100), r'^Failed: a regular expression hit its limit|^a+b$')
fails('100,000 groups', '${if match{x}{' + '(' * 100000 + '}{y}{n}}', r'^Failed: regular expression error in "\(+')
fails('repetitions of repetitions', '${if match{x}{\\N(?:(?:(?:x{1,500}){1,500}){1,500}){1,500}\\N}{y}{n}}',
      r'^Failed: regular expression error in .*too large')
fails('a group that calls itself', '${if match{%s}{\\N^(a(?1)?b?)+c$\\N}{y}{n}}' % ('a' * 2000),
      r'^Failed: a regular expression hit its limit|^n$')
gives('200 groups', '${if match{%s}{%s}{$1$99}{n}}' % ('a' * 200, '(.)' * 200), 'aa')
gives('a pattern of 20,000 bytes', '${if match{b}{' + 'a' * 20000 + '|b}{y}{n}}', 'y')
fails('a pattern of 1,000,000 bytes', '${if match{b}{' + 'a' * 1000000 + '|b}{y}{n}}',
      r'^Failed: regular expression error in "a{100}')

# --- numbers ---

NUMBERS = ['${substr{99999999999999999999}{1}{a}}', '${eval:1/0}', '${eval:1%0}', '${eval10:99999999999999999999999}',
           '${eval:1<<64}', '${eval:1<<-1}', '${eval:-9223372036854775808/-1}', '${eval:(0-9223372036854775807-1)%(-1)}',
           '${eval:9223372036854775807*9223372036854775807}', '${eval:08}', '${eval:0x}', '${eval:9999999999999T}',
           '${substr_-2147483648_2147483647:abc}', '${substr{-9223372036854775808}{9223372036854775807}{a}}',
           '${length{2147483648}{a}}', '${length_99999999999:a}', '${hash{2147483647}{2147483647}{a}}', '${hash_0_0:a}',
           '${nhash{99999999999}{3}{abc}}', '${nhash{4294967296}{4294967296}{abc}}', '${randint:0}', '${randint:-5}',
           '${randint:99999999999999999999}', '${base62:18446744073709551616}', '${base62d:zzzzzzzzzzzzzzzzzzzz}',
           '${base32:18446744073709551616}', '${base32d:77777777777777777777777}', '${base32d:!}',
           '${time_interval:99999999999999999999}', '${time_eval:99999999999999999w}', '${time_interval:-1}',
           '${mask:1.2.3.4/99999999999}', '${mask:1.2.3.4/-1}', '${reverse_ip:1.2.3.4.5}', '${ipv6norm:1:2}',
           '${if >{99999999999999999999}{1}{y}{n}}', '${if <{9999999999999999K}{1}{y}{n}}', '${if isip{1.2.3.4/33}{y}{n}}',
           '${listextract{99999999999999999999}{a}}', '${extract{99999999999999999999}{:}{a}}', '${extract{-1}{:}{a:b}}',
           '${extract{0}{:}{a:b}}', '${stat:/dev/null/x}', '${sha256_7:a}', '${sha3_999999999:a}', '$99999999999999999999',
           '${99999999999999999999}', '${rheader_', '$-', '$0$1$9', '${length_:a}', '${substr_1_2_3:a}', '${l_1:a}', '${s_:a}',
           '${h_1_:a}', '${prvs{a}{b}{999}}', '${prvs{a@b}{k}{99999999999}}', '${srs_encode{}{}{}}', '${srs_encode{a}{@}{b}}',
           '${if inbound_srs{SRS0=}{}{y}{n}}', '${if inbound_srs{SRS0=AAAA=99=x=y@z}{k}{y}{n}}']


@case('expansion: numbers out of range, and operators that are wrong')
def _(t):
    conf = t.write('conf', 'keep_environment =\n')
    r = t.run('-C', conf, '-be', text=('\n'.join(NUMBERS) + '\n').encode())
    answers = r.out.split('\n> ')
    same(len(answers), len(NUMBERS) + 1)
    find(r'divide by zero', answers[NUMBERS.index('${eval:1/0}')])
    find(r'modulo by zero', answers[NUMBERS.index('${eval:1%0}')])
    find(r'^Failed: .*overflow', answers[NUMBERS.index('${randint:99999999999999999999}')])
    find(r'^Failed: .*too large|too big|overflow', answers[NUMBERS.index('${if >{99999999999999999999}{1}{y}{n}}')])


# --- bytes ---

gives('NUL is a byte', r'${strlen:a\0b}${if match{a\0b}{\\x00b}{y}{n}}${if eq{a\0b}{a\0c}{y}{n}}${length_3:a\0bc}', '3yna\0b')
gives('format characters are text', '%s%n%d${quote:%s%n}${map{%s:%n}{<%d$item>}}', '%s%n%d"%s%n"<%d%s>:<%d%n>')
fails('format characters in the name of an operator', '${%s%n%d%n:x}', r'^Failed: ')
fails('format characters in a name', '${lookup{%n}x%s%n{%s}}', r'^Failed: unknown lookup type "x%s%n"|^Failed: ')
fails('format characters in a file', '${readfile{/no/%s%n%d}}', r'^Failed: failed to open /no/%s%n%d: No such file')

OPERATORS = ('addresses base64 base64d bless domain escape escape8bit from_utf8 headerwrap hex2b64 hexquote ipv6denorm ipv6norm '
             'lc length_3 listcount listnamed local_part md5 quote quote_local_part reverse_ip rfc2047 rfc2047d rxquote sha1 '
             'sha256 str2b64 strlen substr_1_2 time_eval time_interval uc utf8clean utf8_domain_from_alabel '
             'utf8_domain_to_alabel utf8_localpart_from_alabel utf8_localpart_to_alabel xtextd address base32 base32d base62 '
             'base62d expand eval eval10 hash_3_4 nhash_3_4 mask stat h_1 l_2 s_1_1').split()
BYTES = [b'\xff', b'\xc0\x80', b'\xed\xa0\x80', b'\xf8\x88\x80\x80\x80', b'\xe2\x82', b'\x80\x80', b'\\x00', b'\\x00\xff\\x00',
         b'=?utf-8?q?=ff=?=', b'=?utf-8?b?////?=', b'=?x?x?x?=', b'"' * 50, b'<' * 50, b'(' * 200, b'@' * 50, b'@[' * 30,
         b'xn--', b'xn--a.xn--', b'a' * 70000, b'\xff' * 70000, b'.' * 1000, b':' * 1000, b'%' * 100]


@case('expansion: every operator on bytes that are no text')
def _(t):
    conf = t.write('conf', 'keep_environment =\n')
    lines = [b'${%s:%s}' % (o.encode(), b) for o in OPERATORS for b in BYTES]
    r = t.run('-C', conf, '-be', text=b'\n'.join(lines) + b'\n')
    same(r.out.count('\n> ') >= len(lines), True)
    same(t.expand(b'${utf8clean:a\xffb\xc0\x80c}', conf), 'a?b??c')


@case('expansion: header lines of a message that are wrong')
def _(t):
    conf = t.write('conf', 'keep_environment =\n')
    text = b'From: a@b\nSubject: =?utf-8?q?=00=ff?= \xff\xfe\0x\nX-' + b'n' * 100000 + b': v\nX-Long: ' + b'v' * 1000000 + \
           b'\n' + b'X-Many: m\n' * 20000 + b'X-Fold: a\n\tb\n c\n: nothing\nno header\n\nbody\0\xff' + b'x' * 100000
    message = t.write('message', text)
    asks = ['$h_subject:', '$rh_subject:', '$lh_subject:', '${strlen:$h_x-long:}', '${listcount:$lh_x-many:}',
            '$h_x-fold:', '${strlen:$message_headers}', '${strlen:$message_body}', '$h_' + 'n' * 100000 + ':', '$message_linecount']
    r = t.run('-C', conf, '-bem', message, text=('\n'.join(asks) + '\n').encode())
    same(r.status, 0)
    answers = r.out[2:].split('\n> ')
    find('^6553[67]$', answers[3])
    same(answers[4], '20000')


# --- names ---

LONG = 'v' * 200000
fails('the name of a variable of 200,000 bytes', '$' + LONG, r'^Failed: unknown variable name "v{100,}')
gives('the name of a header line of 200,000 bytes', '<$h_' + LONG + ':>', '<>')
fails('the name of an operator of 200,000 bytes', '${' + LONG + ':a}', r'^Failed: unknown expansion operator "v{100,}')
fails('the name of a condition of 200,000 bytes', '${if ' + LONG + '{a}}', r'^Failed: unknown condition "v{100,}')
fails('the name of a lookup of 200,000 bytes', '${lookup{a}' + LONG + '{x}}', r'^Failed: unknown lookup type "v{100,}')
fails('the name of an ACL of 200,000 bytes', '${acl{' + LONG + '}}', r'^Failed: ')
fails('the name of a file of 200,000 bytes', '${readfile{/' + LONG + '}}', r'^Failed: failed to open /v{100,}')
fails('a file that does not end', '${strlen:${readfile{/dev/zero}}}', r'^Failed: ')
fails('a FIFO that nobody writes to', '${readfile{/dev/null/x}}', r'^Failed: failed to open /dev/null/x: Not a directory')
fails('a command that writes without end', '${strlen:${run{/usr/bin/yes}}}', r'^Failed: the command wrote more than 16777216 bytes')
fails('a command with 100,000 arguments', '${run{/bin/true ' + 'a ' * 100000 + '}{y}{n}}', r'^y$|^Failed: |^n$')
fails('a command that is not there', '${run{/no/such/%s}{y}{n}}', r'^Failed: |^n$')
