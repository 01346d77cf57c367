"""Random small configurations and the questions asked of them.

Options come from options.tsv (where, name, type); values are made by type, some of them bad.
"""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))

# Defaults of the environment or of the version show in their output, or their setting changes what the
# program may read; and what may only be set with libraries that one side lacks.
AVOID = {'config', 'configure_file', 'exim_path', 'exim_user', 'exim_group', 'spool_directory', 'log_file_path', 'pid_file_path', 'never_users',
         'local_interfaces', 'perl_startup', 'perl_at_start', 'timezone', 'syslog_facility', 'syslog_processname', 'primary_hostname', 'headers_charset',
         'keep_environment', 'add_environment', 'openssl_options', 'gnutls_compat_mode', 'process_log_path', 'localhost_number', 'host_lookup_order',
         'tls_require_ciphers', 'log_selector', 'allow_utf8_localparts', 'disable_ipv6', 'dns_use_edns0', 'sqlite_dbfile', 'lookup_open_max', 'chunking_advertise_hosts', 'message_id_header_text', 'tls_eccurve',
         # another type or default since 4.96, or not compiled into Debian's
         'recipients_max', 'max_rcpt', 'queue_fast_ramp', 'sqlite_lock_timeout', 'remote_max_parallel', 'use_classresources', 'arc_sign', 'sieve_inbox', 'translate_ip_address'}

VALUES = {
    'bool': ['true', 'false', 'yes', 'no', 'TRUE', 'Yes', '', 'maybe', '1', 'yess', 'y', '"true"'],
    'int': ['0', '1', '10', '-1', '1K', '2M', '3G', '010', '0x1f', '', 'x', '1x', '99999999999', '2147483647', '2147483648', '-5', '1 2', '1.5', '1k', '"7"', '4096', '0xfffff', '1m', '-1K', '08', '2047M', '2048M'],
    'octal': ['0', '022', '644', '0755', '9', '', 'x', '-1', '0x1f', '1777'],
    'fixed': ['0', '1', '1.5', '2.75', '0.001', '10.1234', '1.', '.5', '', 'x', '-1', '1.5x', '99999999', '3.14159', '-0.5', '1.0'],
    'time': ['0s', '5s', '1m', '90s', '1h30m', '1w2d3h4m5s', '5', '', 'x', '5x', '1d1d', '100w', '-1s', '1m 1s', '0', '3600s', '61m'],
    'timelist': ['1h', '1h:2h', '24h:48h', '1h:x', '', '0s', '1h : 2h', '<; 1h;2h', '2h:1h'],
    'string': ['plain', 'two words', '"quoted"', '"quoted \\"inner\\" \\x41\\n\\101"', '"unfinished', '', 'a # not a comment', 'back\\slash', '"back\\\\slash"', 'trailing   ', '"x" y', "'single'", '$primary_hostname', '${lc:X}',
               '\\', '"a\\', '{', '}', 'a:b : c', '"tab\\there"', 'é', '""', '"'],
    'xstring': ['${if eq{a}{a}{x}{y}}', '$qualify_domain', '${lc:ABC}', '${bad', 'plain'],
    'list': ['a:b', 'a : b', '<; a;b', ':', '', '*', '!a : b', '+local', '@', '@[]', '10.0.0.0/8', 'lsearch;/x', '^a.*', '"a : b"', '*.example'],
    'user': ['root', 'daemon', '0', '1000', 'nosuchuser', '', '$local_part', '-1', 'ROOT'],
    'group': ['root', 'daemon', '0', '1000', 'nosuchgroup', '', '$local_part'],
}


def kind_of(option_type):
    t = option_type.replace('-expanded', '')
    if t in ('bool', 'int', 'octal', 'fixed', 'time', 'user', 'group'):
        return t
    if t == 'size':
        return 'int'
    if t == 'time-list':
        return 'timelist'
    if t.endswith('list'):
        return 'list'
    return 'string'


def load():
    rows = []
    with open(os.path.join(HERE, 'options.tsv'), encoding='utf-8') as f:
        for line in f:
            if not line.startswith('#'):
                rows.append(line.rstrip('\n').split('\t'))
    return rows


class Case:
    def __init__(self, text, queries):
        self.text = text
        self.queries = queries

    def with_lines(self, lines):
        return Case('\n'.join(lines) + '\n', self.queries)


def only_set_options(case, answer):
    """-bP of a driver prints all its options, which differ by version: keep those that the file sets."""
    if not case.queries[0][:2] in (['-bP', 'router'], ['-bP', 'transport']) or not answer.startswith('status'):
        return answer
    names = set(re.findall(r'^\s*(?:hide )?(?:no_|not_)?(\w+)', case.text, re.M))
    keep = [x for x in answer.split('\n') if re.sub(r'^(no_|not_)', '', (x.split() or [''])[0]) in names]
    return '\n'.join([answer.split(':')[0]] + keep)


HEAD = ['keep_environment =', 'primary_hostname = mx.world.example']


class ConfGenerator:
    def __init__(self, random):
        self.r = random
        rows = [x for x in load() if x[1] not in AVOID and not x[1].startswith(('dkim', 'spf', 'dmarc', 'av_', 'dcc', 'ldap', 'mysql', 'pgsql', 'socks', 'proxy'))]
        self.main = [x for x in rows if x[0] == 'main']
        self.drivers = {}
        for where, name, kind in rows:
            if ':' in where:
                self.drivers.setdefault(where, []).append((where, name, kind))

    def pick(self, seq):
        return self.r.choice(seq)

    def chance(self, p):
        return self.r.random() < p

    def setting(self, row, macro=None):
        """Lines that set the option, perhaps badly."""
        _, name, option_type = row
        kind = kind_of(option_type)
        values = VALUES[kind if self.chance(0.92) else self.pick(sorted(VALUES))]
        if kind == 'string' and self.chance(0.3):
            values = VALUES['xstring']
        value = self.pick(values)
        prefix = self.pick(['', '', '', '', 'hide '])
        if kind == 'bool' and self.chance(0.5):
            form = self.pick([name, 'no_' + name, 'not_' + name, name + ' ' + value, '%s=%s' % (name, value)])
            return [prefix + form]
        if macro and self.chance(0.3):
            value = value[:len(value) // 2] + macro + value[len(value) // 2:]
        text = '%s%s%s=%s%s' % (prefix, name, self.pick([' ', '', '  ']), self.pick([' ', '', '\t']), value)
        if len(text) > 12 and self.chance(0.1):
            cut = self.r.randrange(len(prefix + name) + 2, len(text)) if len(prefix + name) + 2 < len(text) else len(text)
            return [text[:cut] + '\\', self.pick(['', '   ', '\t']) + text[cut:]]
        if self.chance(0.03):
            text = self.pick([name, name + ' value', name + 'x = 1', name.upper() + ' = 1', name + ' == 1', '= ' + value])
        return [text]

    def wrap(self, lines):
        """Round some lines, conditions and macros."""
        x = self.r.random()
        macro = self.pick(['MACRO', 'SET', 'A_1', '_HAVE_IPV6', 'UNSET'])
        if x < 0.70:
            return lines
        if x < 0.80:
            return ['.ifdef ' + macro] + lines + self.pick([[], ['.else'] + ['# other']]) + ['.endif']
        if x < 0.86:
            return ['.ifndef ' + macro] + lines + ['.else', '# other', '.endif']
        if x < 0.90:
            return ['.ifdef UNSET', '# no', self.pick(['.elifdef ', '.elifndef ']) + macro] + lines + ['.endif']
        if x < 0.94:
            return ['# comment', '', '   '] + lines
        if x < 0.96:
            return lines + [self.pick(['.endif', '.else', '.ifdef', '.nosuch', '.include_if_exists /nonexistent', '.include relative', '.ifdef SET', '. endif'])]
        return [self.pick(['SET = other', 'SET == again', 'NEW == x', 'A_1', 'MACRO2 = x', 'lower = x', 'SET=', 'XSETX = 1', 'UNSET = defined'])] + lines

    def main_case(self):
        body = list(HEAD)
        macro = None
        if self.chance(0.5):
            macro = 'SET'
            body += ['SET = ' + self.pick(['text', '5', 'true', '1h', 'a : b', '', 'A_1', '"q"'])]
        names = []
        for _ in range(self.r.randint(1, 4)):
            row = self.pick(self.main)
            body += self.wrap(self.setting(row, macro))
            names.append(row[1])
        return Case('\n'.join(body) + '\n', [['-bP'] + names])

    def list_case(self):
        kind = self.pick(['domainlist', 'hostlist', 'addresslist', 'localpartlist'])
        value = self.pick(VALUES['list'])
        line = self.pick(['%s mine = %s', '%s mine=%s', '%s_cache mine = %s', 'hide %s mine = %s', '%s  mine  =  %s', '%s = %s', '%s mine %s', '%s mine : x = %s']) % (kind, value)
        lines = HEAD + self.wrap([line])
        if self.chance(0.2):
            lines.append('%s mine = again' % kind)
        return Case('\n'.join(lines) + '\n', [['-bP', kind, 'mine'], ['-bP', '+mine'] if self.chance(0.3) else ['-bP', 'primary_hostname']])

    def driver_case(self):
        cls = self.pick(['router', 'transport'])
        driver = self.pick({'router': ['accept', 'dnslookup', 'manualroute', 'redirect', 'redirect', 'ipliteral', 'nosuch'],
                            'transport': ['appendfile', 'autoreply', 'lmtp', 'pipe', 'smtp', 'smtp', 'nosuch']}[cls])
        generic = self.drivers[cls + ':generic']
        own = self.drivers.get('%s:%s' % (cls, driver), [])
        rows = [self.pick(own if own and self.chance(0.6) else generic) for _ in range(self.r.randint(1, 3))]
        body = list(HEAD) + ['begin ' + cls + 's', self.pick(['mine:', 'mine:', ' mine :', 'mine'])]
        driver_line = '  driver = ' + driver
        settings = [x for row in rows for x in ['  ' + y for y in self.setting(row)]]
        if self.chance(0.9):
            body.append(driver_line)
            body += settings
        else:
            body += settings + [driver_line]
        if self.chance(0.1):
            body += self.pick([['mine:', driver_line], ['second:'], ['begin ' + cls + 's'], ['begin nowhere'], ['begin acl', 'x:', '  accept'], ['end']])
        return Case('\n'.join(body) + '\n', [['-bP', cls, 'mine']])

    def rewrite_case(self):
        patterns = ['*@a.example', 'x@a.example', '*@*.a.example', '^(.*)@b\\\\.example$', '*@+local', '"quoted one"@a.example', 'lsearch;/nonexistent', '*', 'a.example']
        results = ['$1@c.example', 'y@d.example', '"Name" <z@e.example>', '${lc:$1}@f.example', '*', '$0', '${bad', 'fail', '${if eq{$1}{x}{p@q.example}fail}']
        flags = ['', 'F', 'E', 'Eh', 'S', 'Ttrcbs', 'Q', 'w', 'wE', 'q', 'R', 'X', 'h', 'FQ', 'z']
        lines = HEAD + ['domainlist local = l.example', 'begin rewrite'] + ['%s  %s  %s' % (self.pick(patterns), self.pick(results), self.pick(flags)) for _ in range(self.r.randint(1, 3))]
        addresses = ['x@a.example', 'y@s.a.example', 'Foo@b.example', 'n@other.example', 'q@l.example', 'X@A.Example']
        return Case('\n'.join(lines) + '\n', [['-brw', self.pick(addresses)]])

    def retry_case(self):
        patterns = ['*', 'a.example', '*.a.example', 'x@a.example', '^b\\\\.example$', 'lsearch;/nonexistent', '+local', '"a b"']
        errors = ['*', 'quota', 'quota_7d', 'refused', 'refused_A', 'refused_MX', 'timeout', 'timeout_connect', 'timeout_connect_A', 'timeout_DNS', 'mail_4xx', 'rcpt_45x', 'data_451', 'rcpt_5xx', 'auth_failed', 'tls_required', 'lost_connection', 'nosuch', 'quota_x', 'rcpt_4x']
        rules = ['F,2h,15m', 'G,16h,1h,1.5', 'H,2d,1h,1.5', 'F,4d,6h', 'F,2h', 'Q,1h,1m', 'G,1h,1m', 'F,x,1m', '', 'F,2h,15m;', 'F,0s,1m', 'f,1h,1m']
        lines = HEAD + ['begin retry']
        for _ in range(self.r.randint(1, 3)):
            lines.append('%s  %s  %s%s' % (self.pick(patterns), self.pick(errors), self.pick(['', 'senders=: ', 'senders=*@x.example ']) if self.chance(0.2) else '', self.pick(['; ', ';', ' ; ']).join(self.pick(rules) for _ in range(self.r.randint(1, 3)))))
        args = [self.pick(['a.example', 's.a.example', 'x@a.example', 'b.example', 'other.example'])]
        if self.chance(0.5):
            args.append(self.pick(errors))
        return Case('\n'.join(lines) + '\n', [['-brt'] + args])

    def acl_case(self):
        verbs = ['accept', 'deny', 'defer', 'discard', 'drop', 'require', 'warn', 'allow', 'Accept']
        words = ['domains = a : b', 'hosts = *', '!hosts = 10.0.0.1', 'condition = ${if eq{a}{b}}', 'message = text', 'log_message = x', 'set acl_m0 = 1', 'set acl_m_x = 1', 'set acl_x = 1', 'set nosuch = 1', 'verify = sender', 'verify = nosuch',
                 'delay = 5s', 'control = submission', 'control = nosuch', 'nosuch = x', 'endpass', 'endpass = x', 'ratelimit = 5 / 1h', 'add_header = X: y', 'logwrite = x', 'dnslists = a.b', 'local_parts =', 'acl = other', 'encrypted = *', 'log_reject_target =', 'continue = x', '! condition = x', 'message', 'senders = : a@b']
        lines = HEAD + ['begin acl', self.pick(['check:', 'check:', 'check', '1check:', 'a b:'])]
        for _ in range(self.r.randint(1, 3)):
            lines.append('  ' + self.pick(verbs) + ' ' + (self.pick(words) if self.chance(0.6) else ''))
            lines += ['    ' + self.pick(words) for _ in range(self.r.randint(0, 2))]
        if self.chance(0.1):
            lines += ['check:', '  accept']
        return Case('\n'.join(lines) + '\n', [['-bP', 'acl_smtp_rcpt']])

    def case(self):
        return self.pick([self.main_case] * 8 + [self.list_case] * 2 + [self.driver_case] * 5 + [self.rewrite_case, self.retry_case, self.acl_case, self.acl_case])()
