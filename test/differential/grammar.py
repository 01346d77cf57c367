"""Random expansions and lists from tables: name, arguments by kind of value.

Left out on purpose: what depends on time, chance, host or process, what runs programs or asks a network, files
outside the world. Everything is made of one random.Random, so a seed names a case for ever.
"""
import re

WORDS = ['', 'a', 'abc', 'ABC', 'Hello World', 'x', 'key', 'KEY', 'root', 'anna', 'ben', 'a.b-c_d', 'a b', 'a=b', '%41',
         'tab\\there', 'line\\nbreak', 'caf\\xe9', 'caf\\xc3\\xa9', '\\xe2\\x82\\xac', 'a"b', "it's", 'a\\\\b', 'a,b', 'a;b', '#', '*', '+', '!',
         'yes', 'no', 'true', 'false', '  padded  ', '\\x01', 'A very long line of words that goes on and on until it is rather long',
         '(', ')', '[x]', '<', '>', '|', '~', '^a', 'a$', '..', '/', ':', '::', 'fail', 'value', '$']
NUMBERS = ['0', '1', '2', '3', '7', '10', '42', '-1', '-7', '007', '010', '0x1F', '1K', '2M', '1G', '100', '255', '65536', '2147483647',
           '2147483648', '-2147483649', '9223372036854775807', '9223372036854775808', ' 5', '5 ', '+3', '1x', 'x', '', '1.5', '08', '--2']
SMALL = ['0', '1', '2', '3', '4', '5', '8', '16', '26', '62', '64', '100', '-1', '-2', '-3', '-10']
IPS = ['10.1.2.3', '192.0.2.1', '192.0.2.70', '192.0.2.200', '127.0.0.1', '0.0.0.0', '255.255.255.255', '2001:db8::1', '::1', '::', '::ffff:10.1.2.3',
       '2001:0DB8:0:0:0:0:0:1', 'fe80::1', '1:2:3:4:5:6:7:8', '1.2.3', '1.2.3.256', '1.2.3.4.5', 'x', '', '1:2:3', '::g', '10.1.2.3/8', '2001:db8::/32',
       '010.1.2.3', '1::2::3', '[192.0.2.1]', '192.0.2.1%lo', '1:2:3:4:5:6:1.2.3.4']
NETS = ['10.0.0.0/8', '10.1.2.3/28', '10.1.2.3/0', '10.1.2.3/32', '10.1.2.3/33', '10.1.2.3/', '10.1.2.3/x', '2001:db8::5/64', '2001:db8::5/127',
        '2001:db8::5/128', '2001:db8::5/129', '1.2.3.4', 'x/8', '192.0.2.130/26', '::1/0', '/8', '']
DOMAINS = ['world.example', 'sub.world.example', 'WORLD.Example', 'two.example', 'a.two.example', 'three.example', 'x.three.example', 'not.three.example',
           '12.example', 'nested.example', 'listed.example', 'x.listed.example', 're5.example', 'no.file.example', 'one.example', 'a.one.example',
           'a.b.one.example', 'other.test', 'localhost', '', 'example', 'mx.world.example', '.', 'x.ends.example', 'a..b', '[192.0.2.1]', 'x-y.z']
PARTS = ['anna', 'Anna', 'ben', 'BEN', 'carl', 'x1', 'x', 'list-owner', 'root', 'admin', 'a.b', '', 'user+tag', 'a b', 'Upper', 'upper']
ADDRESSES = ['anna@world.example', 'ANNA@world.example', 'anna@WORLD.example', 'ben@x.example', 'Ben@x.example', 'x@two.example', 'user@world.example',
             'listed@file.example', 'a@all.example', 'not@all.example', 'anna@parts.example', 'carl@parts.example', 'anna@more.example', 'zx@more.example',
             'q@star.example', '', 'nodomain', '@nolocal.example', 'a@b@c', '<a@b.example>', 'Name <a@b.example>', '"quoted part"@b.example',
             'a@b.example (comment)', '(c) a@b.example', 'a @ b.example', 'a@[192.0.2.1]', '<>', 'a@b.', 'a..b@c.example', '.a@c.example',
             '"a\\\\"b"@c.example', 'Group: a@b.example, c@d.example;', 'a@b.example, c@d.example', 'a@b.example c@d.example', '@x:a@b.example',
             'First Last <f@l.example>, "Q, P" <q@p.example>, plain@z.example', 'undisclosed:;', 'caf\\xe9@x.example', '<a@b.example', 'a@b.example>', ',,',
             'a%b@c.example', 'a!b', '"unclosed@x.example', 'a\\\\@b.example', 'x <y> z']
TEXTLISTS = ['a:b:c', 'a:bb:ccc:dddd', '<, a,b,c', '<; x;y;z', '1:2:3', '<, 3,1,2', '', ':', '::', 'a::b', 'a: :b', ' a : b ', '<\\n a\\nb', 'one', '<,', '<-a-b-a',
             'c:b:a:b', '<, 10,9,8,10', 'A:a:B:b', '<| x|y', ':a', 'a:', '<, ,a', '$h_x-list:', '<, a,,b', 'a::::b', '< a b', '<+ a+b', '2001::db8::::1:10.0.0.1']
LONGLISTS = ['a:b:c', '<, 3,1,2', 'a:bb:ccc:dddd', '<; x;y;z', 'a::b:c:d', '<|x|y|z|', ' a : : c ']    # three items at least
FIELDS = ['a=1 b=2', 'name="two words" id=7', 'A=x a=y', 'k = v', 'k= v', 'a="q\\\\"q"', 'a=', '=b', 'a', 'a=1 a=2', 'uid=1984 gid=2001 homedir=/x', ' lead=1', 'a="', 'a=b=c',
          'a=1\\tb=2', '"x y"=z', 'a=1,b=2', '']
COLONED = ['a:b:c', '1:2::4', ':x', 'x:', '', 'no separators', 'exim:x:42:99:& Mailer::/bin/bash', 'a,b;c', '  :  ', ':::']
JSONS = ['\\{"a":1,"b":"text"\\}', '\\{"a":\\{"b":[1,2,3]\\}\\}', '["x","y","z"]', '[1, 2, 3]', '[]', '\\{\\}', '\\{ "a" : "b" , "c" : [ "d" ] \\}', '["a,b","c\\\\"d"]', '"string"',
         '12', 'not json', '', '[1,[2,3],\\{"x":4\\}]', '\\{"A":1\\}', '[true,false,null]', '\\{"a":"\\\\u00e9"\\}', '[1,2']
JSONKEYS = ['a', 'b', 'c', 'A', '1', '2', '3', '-1', '0', 'zz', '', 'a:b', '1:2']
REGEXES = ['a', '^a', 'b$', '.', '(.)(.)', '^(\\\\w+)@(.*)\\$', '\\N^(\\w+)\\N', '[abc]+', '(?i)ABC', '', '(', '[', 'a{2}', '\\\\d+', '\\N\\d{2,}\\N', 'x*', '(?<n>a)', '(a)|(b)', '^\\$', '\\N\\s\\N',
           '\\\\.example\\$', '\\N(?=b)\\N', '*', 'a++', '\\N(\\N', '(?#c)a', '^.{3}']
REPLACEMENTS = ['', 'x', '\\$1', '[\\$0]', '\\$2-\\$1', '\\\\\\\\', '${uc:\\$1}', '\\$\\{1\\}', '-', '\\$9', 'a\\nb']
B64 = ['YWJj', 'YWI=', 'YQ==', '', 'YWJjZGVm', 'YWJ', '!', 'YW Jj', 'YWJj=', '====', 'YQ', 'zzzz']
HEX = ['616263', '6162', '61', '', '616', 'zz', 'AbCdEf', '0', '00', '61 62']
TIMES = ['1w2d3h4m5s', '5m', '0s', '1h', '90s', '3d', '1s1m', '5', '', 'x', '5x', '1h2h', '-1s', '1000000w', '1m 1s', '4w', '1d1d']
EVALS = ['1+2', '2*3+4', '(1+2)*3', '7/2', '-7/2', '7%3', '1<<4', '256>>2', '6&3', '6|1', '5^1', '~5', '-5', '1--1', '010+1', '0x10', '1/0', '5%0', '1+', '(1', '1)', '', 'a', '1 + 1', ' 1',
         '9223372036854775807', '9223372036854775807+1', '1K*2', '3M', '1G+1G', '2**3', '1<2', '-9223372036854775808', '9223372036854775807*2', '- 5', '~~1', '1+2*3-4/2%3', '((((1))))',
         '1<<63', '1<<64', '1>>1-1', '6&3|8^1', '+5', '-9223372036854775807-2', '08', '1k', '0x', '0b1', '1 2', '2-3-4']
FOLDERS = ['Foo/Bar', 'INBOX', 'a&b', 'caf\\xc3\\xa9', '', 'x.y', '/', 'a//b', '\\xe2\\x82\\xac']
QP = ['=?iso-8859-1?Q?caf=e9?=', '=?utf-8?B?Y2Fmw6k=?=', '=?utf-8?Q?a_b?= =?utf-8?Q?c?=', '=?x?Q?a?=', '=?utf-8?X?a?=', '=?utf-8?Q?', 'plain', '=?UTF-8?q?=41?=x', '', 'a =?utf-8?Q?b?= c',
      '=?us-ascii?Q?a=3Db?=']
PATHS = ['@DIR@/text', '@DIR@/emptyfile', '@DIR@/absent', '@DIR@', '@DIR@/dir/present', '@DIR@/aliases']
EXPANDABLE = ['\\$primary_hostname', '\\${lc:ABC\\}', 'plain', '\\$nosuch', '\\${if eq\\{a\\}\\{a\\}\\{y\\}\\{n\\}\\}', '', '\\$', 'a\\\\nb']
HASHED = ['\\{md5\\}900150983cd24fb0d6963f7d28e17f72', '\\{md5\\}kAFQmDzST7DWlj99KOF/cg==', '\\{sha1\\}a9993e364706816aba3e25717850c26c9cd0d89d',
          '\\{sha1\\}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=', '\\{crypt\\}abgOeLfPimXQo', '\\{crypt16\\}x', '\\{nosuch\\}x', '', 'abgOeLfPimXQo', '\\{md5\\}short', 'plain', '\\{MD5\\}900150983cd24fb0d6963f7d28e17f72']
VARIABLES = ['primary_hostname', 'qualify_domain', 'qualify_recipient', 'h_subject:', 'h_from:', 'h_to:', 'h_cc:', 'bh_subject:', 'rh_subject:', 'rh_to:', 'lh_cc:', 'lh_received:', 'h_absent:', 'h_x-empty:',
             'h_x-folded:', 'rh_x-folded:', 'header_X-List:', 'h_x-8bit:', 'h_date:', 'h_message-id:', 'rheader_cc:', 'bheader_x-8bit:', 'lheader_x-list:', 'message_body', 'message_body_end',
             '1', '0', 'message_headers_raw', 'message_linecount', 'body_linecount', 'sender_host_address', 'local_part', 'domain', 'nosuchvar', 'acl_c0', 'acl_m_x', 'authenticated_id', 'runrc', 'lookup_dnssec_authenticated',
             'reply_address', 'address_data', 'received_count', 'host', 'tls_in_cipher', 'spam_score', 'h_to', 'rh_from', 'interface_address', 'callout_address', 'recipients_count', 'message_body_size', 'config_dir']

K = dict(word=WORDS, num=NUMBERS, small=SMALL, ip=IPS, net=NETS, domain=DOMAINS, part=PARTS, addr=ADDRESSES, list=TEXTLISTS, fields=FIELDS, coloned=COLONED, json=JSONS, jsonkey=JSONKEYS,
         regex=REGEXES, repl=REPLACEMENTS, b64=B64, hex=HEX, time=TIMES, eval=EVALS, folder=FOLDERS, qp=QP, path=PATHS, expandable=EXPANDABLE, hashed=HASHED)

OPERATORS = {
    'address': 'addr', 'addresses': 'addr', 'base32': 'num', 'base32d': 'word', 'base62': 'num', 'base62d': 'word', 'base64': 'word', 'base64d': 'b64', 'domain': 'addr', 'escape': 'word', 'escape8bit': 'word',
    'eval': 'eval', 'eval10': 'eval', 'expand': 'expandable', 'from_utf8': 'word', 'hex2b64': 'hex', 'hexquote': 'word', 'ipv6denorm': 'ip', 'ipv6norm': 'ip', 'lc': 'word', 'listcount': 'list',
    'local_part': 'addr', 'mask': 'net', 'md5': 'word', 'quote': 'word', 'quote_local_part': 'part', 'quote_lsearch': 'word', 'quote_sqlite': 'word', 'quote_nosuch': 'word', 'reverse_ip': 'ip', 'rfc2047': 'word',
    'rfc2047d': 'qp', 'rxquote': 'word', 'sha1': 'word', 'sha2': 'word', 'sha2_384': 'word', 'sha256': 'word', 'sha3': 'word', 'sha3_224': 'word', 'str2b64': 'word', 'strlen': 'word', 'time_eval': 'time', 'time_interval': 'num',
    'uc': 'word', 'utf8_domain_from_alabel': 'domain', 'utf8_domain_to_alabel': 'domain', 'utf8_localpart_from_alabel': 'part', 'utf8_localpart_to_alabel': 'part', 'utf8clean': 'word', 'listnamed': 'named', 'listnamed_d': 'named',
    'nosuch': 'word',
}
NUMBERED = ['length', 'l', 'substr', 's', 'hash', 'h', 'nhash', 'nh']   # ${name_N_M:...}
NAMED = ['local_domains', 'nets', 'people', 'users', 'nested', 'nosuch', '+local_domains', '+nets']

# Conditions: name -> kinds of the arguments.
CONDITIONS = {
    '=': ('num', 'num'), '==': ('num', 'num'), '<': ('num', 'num'), '<=': ('num', 'num'), '>': ('num', 'num'), '>=': ('num', 'num'),
    'eq': ('word', 'word'), 'eqi': ('word', 'word'), 'lt': ('word', 'word'), 'lti': ('word', 'word'), 'gt': ('word', 'word'), 'gti': ('word', 'word'), 'le': ('word', 'word'), 'lei': ('word', 'word'),
    'ge': ('word', 'word'), 'gei': ('word', 'word'), 'bool': ('num',), 'bool_lax': ('num',), 'exists': ('path',), 'isip': ('ip',), 'isip4': ('ip',), 'isip6': ('ip',), 'match': ('word', 'regex'),
    'crypteq': ('word', 'hashed'), 'inlist': ('word', 'list'), 'inlisti': ('word', 'list'), 'nosuch': ('word', 'word'),
}
LISTCONDITIONS = {'match_domain': 'd', 'match_address': 'a', 'match_local_part': 'l', 'match_ip': 'h'}

# Items without forms of their own.
ITEMS = {
    'hash': ('small', 'small', 'word'), 'nhash': ('small', 'small', 'word'), 'length': ('small', 'word'), 'substr': ('small', 'small', 'word'), 'hmac': ('hashname', 'word', 'word'), 'sg': ('word', 'regex', 'repl'),
    'tr': ('word', 'word', 'word'), 'listquote': ('sep', 'list'), 'imapfolder': ('folder',), 'readfile': ('path',),
}
K['hashname'] = ['md5', 'sha1', 'MD5', 'sha999', '']
K['sep'] = [':', ',', ';', '', '::', 'x']
K['named'] = NAMED
LOOKUPS = ['lsearch', 'lsearch*', 'lsearch*@', 'partial-lsearch', 'partial1-lsearch', 'partial0-lsearch', 'partial3-lsearch*', 'partial(.)lsearch', 'partial2()lsearch*@', 'wildlsearch', 'nwildlsearch', 'iplsearch', 'cdb',
           'cdb*', 'partial-cdb', 'partial1-cdb*@', 'dsearch', 'nosuch', 'lsearch,ret=key', 'dsearch,ret=full', 'dsearch,filter=file', 'partial-', 'partial-wildlsearch*', 'dsearch*', 'iplsearch*']
LOOKUPFILES = {'lsearch': ['aliases', 'domains', 'plain'], 'wildlsearch': ['wild'], 'nwildlsearch': ['nwild'], 'iplsearch': ['ips'], 'cdb': ['table.cdb'], 'dsearch': ['dir']}
KEYS = ['root', 'ROOT', 'admin', 'with space', 'upper', 'empty', 'nocolon', 'absent', 'key', 'KEY', 'key2', 'user@world.example', 'a@three.example', 'b@three.example', 'x@four.example', '*', 'present', 'Another.file',
        '.', '..', 'dir/x', 'exact', '42', 'axb', 'quo ted', 'x' * 300] + DOMAINS + IPS[:12]

# Functions of fn.def that nothing here generates, and why.
LEFT_OUT = {
    'randint': 'chance', 'stat': 'times of files', 'headerwrap': 'newer than the peer', 'xtextd': 'newer than the peer', 'prvs': 'the day', 'prvscheck': 'the day', 'prvscheck_check': 'the day',
    'prvscheck_decode': 'the day', 'srs_encode': 'the day', 'inbound_srs': 'the day', 'acl': 'needs ACLs in the world', 'authresults': 'state of a session', 'dlfunc': 'loads code', 'perl': 'runs code',
    'readsocket': 'network', 'run': 'runs a program', 'certextract': 'texts of the TLS library', 'ldapauth': 'network', 'pam': 'host', 'radius': 'network', 'saslauthd': 'network',
    'first_delivery': 'state of a delivery', 'queue_running': 'state of a delivery',
}
OWN_FORM = {'if', 'extract', 'listextract', 'lookup', 'map', 'filter', 'reduce', 'sort', 'and', 'or', '!', 'def', 'forany', 'forall', 'forany_json', 'forall_json', 'forany_jsons', 'forall_jsons', 'env'}


def unknown_functions(path):
    """Names in the row file that are neither generated nor left out."""
    with open(path, encoding='utf-8') as f:
        names = re.findall(r'^FN(?:_FORM)?\(FN_\w+, "([^"]+)"', f.read(), re.M)
    known = set(OPERATORS) | set(NUMBERED) | set(CONDITIONS) | set(LISTCONDITIONS) | set(ITEMS) | set(LEFT_OUT) | OWN_FORM
    return sorted(n for n in set(names) if n not in known)


class Generator:
    def __init__(self, random):
        self.r = random

    def pick(self, seq):
        return self.r.choice(seq)

    def chance(self, p):
        return self.r.random() < p

    # --- values ---------------------------------------------------------------------------------
    def value(self, kind, depth):
        """Text of an argument: a constant of that kind, another constant, or an expansion."""
        x = self.r.random()
        if depth > 0 and x < 0.30:
            return self.expansion(depth - 1)
        if x < 0.34:
            return self.pick(WORDS) + self.pick(K[kind])
        if x < 0.42:
            return self.pick(K[self.pick(sorted(K))])
        if x < 0.46:
            return self.variable()
        return self.pick(K[kind])

    def variable(self):
        name = self.pick(VARIABLES)
        return '${%s}' % name if self.chance(0.2) and ':' not in name else '$' + name

    # --- expansions -----------------------------------------------------------------------------
    def expansion(self, depth):
        forms = [self.operator] * 8 + [self.if_item] * 7 + [self.item] * 5 + [self.extract] * 4 + [self.lookup] * 5 + [self.loop] * 4 + [self.variable_at] * 2 + [self.json] * 2 + [self.env] + [self.numbered] * 3
        return self.pick(forms)(depth)

    def variable_at(self, depth):
        return self.variable()

    def operator(self, depth):
        name = self.pick(sorted(OPERATORS))
        return '${%s:%s}' % (name, self.value(OPERATORS[name], depth))

    def numbered(self, depth):
        name = self.pick(NUMBERED)
        tail = ''.join('_' + self.pick(SMALL) for _ in range(self.r.randint(1, 2)))
        return '${%s%s:%s}' % (name, tail, self.value('word', depth))

    def item(self, depth):
        name = self.pick(sorted(ITEMS))
        kinds = list(ITEMS[name])
        if name in ('hash', 'nhash', 'substr') and self.chance(0.5):
            del kinds[1]
        if name == 'readfile' and self.chance(0.5):
            kinds.append('sep')
        if name == 'imapfolder' and self.chance(0.5):
            kinds.append('sep')
        return '${%s%s}' % (name, ''.join('{%s}' % self.value(k, depth) for k in kinds))

    def branches(self, depth, inner='$value'):
        x = self.r.random()
        yes = self.pick(['yes', inner, '<%s>' % inner, self.value('word', depth)])
        no = self.pick(['no', '', self.value('word', depth)])
        if x < 0.2:
            return ''
        if x < 0.35:
            return '{%s}' % yes
        if x < 0.5:
            return '{%s}fail' % yes
        space = self.pick(['', '', ' '])
        return space + '{%s}' % yes + space + '{%s}' % no + space

    def if_item(self, depth):
        return '${if %s%s}' % (self.condition(depth), self.branches(depth, self.pick(['$1', '$0', '$2', 'true'])))

    def condition(self, depth):
        x = self.r.random()
        if depth > 0 and x < 0.12:
            subs = ''.join('{%s}' % self.condition(depth - 1) for _ in range(self.r.randint(0, 3)))
            return '%s{%s}' % (self.pick(['and', 'or']), subs)
        if depth > 0 and x < 0.20:
            return self.pick(['!', '! ', '!!']) + self.condition(depth - 1)
        if depth > 0 and x < 0.28:
            return '%s{%s}{%s}' % (self.pick(['forany', 'forall']), self.value('list', depth - 1), self.item_condition(depth - 1))
        if x < 0.34:
            return 'def:' + self.pick(VARIABLES)
        if x < 0.50:
            return self.list_condition(depth)
        if x < 0.53:
            return '%s{%s}{%s}' % (self.pick(['forany_json', 'forall_json', 'forany_jsons', 'forall_jsons']), self.pick(JSONS), self.item_condition(0))
        name = self.pick(sorted(CONDITIONS))
        space = self.pick(['', '', ' '])
        return name + space + space.join('{%s}' % self.value(k, depth) for k in CONDITIONS[name])

    def item_condition(self, depth):
        return self.pick(['eq{$item}{b}', 'eq{$item}{%s}' % self.pick(WORDS), '>{$item}{1}', 'match{$item}{%s}' % self.pick(REGEXES), 'eqi{$item}{A}', '!eq{$item}{}', '>{${strlen:$item}}{1}',
                          self.condition(max(depth - 1, 0))])

    def extract(self, depth):
        x = self.r.random()
        if x < 0.4:
            return '${extract{%s}{%s}%s}' % (self.pick(['a', 'b', 'A', 'name', 'id', 'k', 'zz', '', 'uid', 'a b']), self.value('fields', depth), self.branches(depth))
        if x < 0.8:
            return '${extract{%s}{%s}{%s}%s}' % (self.pick(SMALL), self.pick([':', ',', ':,', '', ' ', ';:']), self.value('coloned', depth), self.branches(depth))
        # With a negative number beyond the start of the list Exim 4.96 gives the first item, against its manual.
        if self.chance(0.2):
            return '${listextract{%s}{%s}%s}' % (self.pick(['-2', '-3']), self.pick(LONGLISTS), self.branches(depth))
        number = self.pick([n for n in SMALL if n[0] != '-'] + ['-1', '-1', 'x', ''])
        return '${listextract{%s}{%s}%s}' % (number, self.value('list', depth), self.branches(depth))

    def json(self, depth):
        return '${extract %s{%s}{%s}%s}' % (self.pick(['json', 'jsons']), self.pick(JSONKEYS), self.pick(JSONS), self.branches(depth))

    def env(self, depth):
        return '${env{%s}%s}' % (self.pick(['DIFF_ENV', 'PATH', 'NOT_SET', '', 'diff_env']), self.branches(depth))

    def loop(self, depth):
        body = self.pick(['$item', '<$item>', '${uc:$item}', '${strlen:$item}', '$item$item', '', 'x', '${if eq{$item}{a}{1}{2}}', '${if match{$item}{(.)}{$1}}', '$item:$item', ' $item ', '${quote:$item}'])
        ls = self.value('list', depth)
        form = self.r.randint(0, 3)
        if form == 0:
            return '${map{%s}{%s}}' % (ls, body)
        if form == 1:
            return '${filter{%s}{%s}}' % (ls, self.item_condition(depth))
        if form == 2:
            return '${reduce{%s}{%s}{%s}}' % (ls, self.pick(['0', '', 'x']), self.pick(['$value$item', '${eval:$value+$item}', '${eval:$value+1}', '$item', '$value', '${if >{$item}{$value}{$item}{$value}}']))
        return '${sort{%s}{%s}{%s}}' % (ls, self.pick(['<', '>', 'lt', 'gt', '<=', 'ge', 'lti', 'gei', 'le', '>=']), self.pick(['$item', '${strlen:$item}', '${lc:$item}', '${length_1:$item}']))

    def lookup_type(self):
        t = self.pick(LOOKUPS)
        for base in ('nwildlsearch', 'wildlsearch', 'iplsearch', 'lsearch', 'cdb', 'dsearch'):
            if base in t:
                return t, self.pick(LOOKUPFILES[base] * 6 + ['absent', 'dir'])
        return t, 'plain'

    def lookup(self, depth):
        t, name = self.lookup_type()
        key = self.pick(KEYS) if self.chance(0.8) else self.value('word', depth)
        space = self.pick(['', '', ' '])
        return '${lookup%s{%s}%s%s%s{@DIR@/%s}%s}' % (space, key, space, t, space, name, self.branches(depth, self.pick(['$value', '$value/$1/$2', '$value'])))

    # --- lists ----------------------------------------------------------------------------------
    def list_condition(self, depth):
        name = self.pick(sorted(LISTCONDITIONS))
        kind = LISTCONDITIONS[name]
        subject = {'d': DOMAINS, 'a': ADDRESSES, 'l': PARTS, 'h': IPS}[kind]
        s = self.pick(subject) if depth <= 0 or self.chance(0.9) else self.value('word', depth - 1)
        return '%s{%s}{%s}' % (name, s, self.list_of(kind))

    def list_of(self, kind):
        n = self.r.choice([0, 1, 1, 1, 2, 2, 3, 5])
        items = [self.list_item(kind) for _ in range(n)]
        sep, head = self.pick([(':', '')] * 5 + [(';', '<; '), (',', '<,'), ('|', '<| ')])
        if sep == ':':
            items = [i.replace(':', '::') if kind == 'h' else i for i in items]
        joint = self.pick([sep, ' %s ' % sep, sep])
        return head + joint.join(items)

    def list_item(self, kind):
        text = {'d': self.domain_item, 'a': self.address_item, 'l': self.part_item, 'h': self.host_item}[kind]()
        return self.pick(['!', '! ']) + text if self.chance(0.12) else text

    def named(self, kind):
        return '+' + self.pick({'d': ['local_domains', 'regex_domains', 'nested', 'file_domains', 'cached', 'nosuch'], 'a': ['people', 'file_people', 'nosuch', 'local_domains'], 'l': ['users', 'file_users', 'nosuch'],
                                'h': ['nets', 'net_lookup', 'nosuch', 'include_unknown', 'ignore_unknown', 'include_defer']}[kind])

    def lookup_item(self):
        t, name = self.lookup_type()
        return '%s;@DIR@/%s' % (t, name)

    def domain_item(self):
        return self.pick([lambda: self.pick(DOMAINS)] * 5 + [lambda: '*' + self.pick(['.example', '.world.example', 'example', '', '.', 'x']), lambda: '^' + self.pick(REGEXES), lambda: self.named('d'), lambda: self.named('d'),
                          lambda: '@DIR@/list', self.lookup_item, self.lookup_item, lambda: '@', lambda: '', lambda: self.pick(DOMAINS).upper(), lambda: '@DIR@/absent', lambda: '^\\\\w+\\\\.example\\$', lambda: '+caseful'])()

    def address_item(self):
        return self.pick([lambda: self.pick(ADDRESSES[:16])] * 4 + [lambda: '*@' + self.pick(DOMAINS), lambda: self.pick(PARTS) + '@*.example', lambda: self.pick(DOMAINS), lambda: '*', lambda: '^' + self.pick(REGEXES),
                          lambda: self.named('a'), lambda: '@@lsearch;@DIR@/byparts', lambda: '@DIR@/addresses', self.lookup_item, lambda: '+caseful', lambda: '*@+local_domains', lambda: 'anna@+local_domains', lambda: '',
                          lambda: '*.example', lambda: 'lsearch*@;@DIR@/domains', lambda: '*a@world.example', lambda: '^\\\\w+@world', lambda: '@@', lambda: 'x@y@z'])()

    def part_item(self):
        return self.pick([lambda: self.pick(PARTS)] * 4 + [lambda: '*' + self.pick(['-owner', 'a', '']), lambda: '^' + self.pick(REGEXES), lambda: self.named('l'), self.lookup_item, lambda: '+caseful', lambda: '',
                          lambda: self.pick(PARTS).upper(), lambda: '@DIR@/list', lambda: '^x\\\\d'])()

    def host_item(self):
        return self.pick([lambda: self.pick(IPS)] * 4 + [lambda: self.pick(NETS)] * 3 + [lambda: self.named('h'), lambda: '*', lambda: '', lambda: 'net-iplsearch;@DIR@/ips', lambda: 'net24-lsearch;@DIR@/masks',
                          lambda: 'net-lsearch;@DIR@/masks', lambda: 'net32-lsearch;@DIR@/masks', lambda: 'iplsearch;@DIR@/ips', lambda: 'netx-lsearch;@DIR@/masks', lambda: 'net64-lsearch;@DIR@/masks', lambda: '10.1.2'])()

    def list_line(self):
        condition = self.list_condition(0) if self.chance(0.85) else \
            '%s{%s}{%s}' % (self.pick(['inlist', 'inlisti']), self.pick(WORDS + DOMAINS), self.value('list', 0))
        # $value is of inlist only; elsewhere it would be what an earlier line left.
        return '${if %s{y}{n}}' % condition

    # --- whole lines ----------------------------------------------------------------------------
    def mutate(self, text):
        """One small accident."""
        if not text:
            return text
        i = self.r.randrange(len(text))
        kind = self.r.randint(0, 4)
        if kind == 0:
            return text[:i] + text[i + 1:]
        if kind == 1:
            return text[:i] + text[i] + text[i:]
        if kind == 2:
            return text[:i] + self.pick('{}$\\:,"_ ;<') + text[i:]
        if kind == 3:
            return text[:i]
        j = self.r.randrange(len(text))
        return text[:i] + text[j] + text[i + 1:]

    def line(self, lists):
        """A line for -be: with a guard at both ends, since a backslash there would join lines."""
        if lists:
            text = self.list_line()
        else:
            n = 1 if self.chance(0.85) else 2
            text = self.pick(['', '', ' ', 'x']).join(self.expansion(self.r.choice([0, 1, 1, 2, 2, 3])) for _ in range(n))
        # Of broken JSON texts the JSONS are enough: Exim finds their faults in another order.
        if 'json' not in text and self.chance(0.08):
            text = self.mutate(text)
        return '~' + text[:2000] + '~'
