"""A syntax error anywhere: a whole configuration, of which one line after the other is broken at random.

The seed is fixed, so a failure comes back. The file is read with -bV and with -bP; it may be good still, and if it is not,
an error must name file, line and column.
"""
import random
import re

from harness import Bad, case

SEED = 4099
VARIANTS = 500
INSERTED = ['{', '}', '$', '"', '\\', ':', '=', ' ', '\t', '#', '+', '!', '<', '/', '.', '\0', '\r', '\xff', '${', '$h_',
            '(', '*', '.include ', '.ifdef X', 'begin ', '%s', '==', '::', '\\N', '9999999999999999999']

CONFIG = r'''
MAILDOMAIN = example.org
ALIASES = /etc/aliases
primary_hostname = mx.MAILDOMAIN
domainlist local_domains = @ : MAILDOMAIN : lsearch;/etc/domains
domainlist relay_to_domains = ! +local_domains : *.relay.example
hostlist relay_from_hosts = <; 127.0.0.1 ; ::1 ; 192.168.0.0/16
addresslist postmasters = postmaster@MAILDOMAIN : ^abuse-.*@
localpartlist_cache staff = root : admin
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = ${if eq{$received_protocol}{local}{acl_local}{acl_check_data}}
.ifdef _HAVE_TLS
tls_advertise_hosts = *
.else
hide qualify_domain = MAILDOMAIN
.endif
never_users = root
host_lookup = *
rfc1413_hosts =
rfc1413_query_timeout = 0s
ignore_bounce_errors_after = 2d
message_size_limit = ${if match_domain{$sender_address_domain}{+local_domains}{100M}{50M}}
log_selector = +all_parents -host_lookup_failed \
    +smtp_protocol_error
smtp_banner = "$smtp_active_hostname ESMTP \"remex\" $tod_full\n"
local_from_check = false
no_split_spool_directory
smtp_accept_max = 100
smtp_load_reserve = 1.5
begin acl
acl_local:
  accept
acl_check_rcpt:
  deny  message = Restricted characters in address
        domains = +local_domains
        local_parts = ^[.] : ^.*[@%!/|]
  require verify = sender
  accept hosts = +relay_from_hosts
         control = submission/sender_retain
  warn  set acl_m_score = ${eval:$acl_m_score + 1}
        condition = ${if >{$acl_m_score}{10}}
        logwrite = score of $sender_host_address is $acl_m_score
  deny  !verify = recipient/callout=10s,defer_ok
        dnslists = zen.example.net=127.0.0.2 : black.example.net
        ratelimit = 10 / 1h / strict
  accept
acl_check_data:
  deny  condition = ${if !def:h_Message-ID: {yes}{no}}
        message = ${lookup{$sender_address}lsearch{/etc/texts}{$value}{No id}}
  accept
begin routers
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = 0.0.0.0 : 127.0.0.0/8
  no_more
system_aliases:
  driver = redirect
  allow_fail
  data = ${lookup{$local_part}lsearch*{ALIASES}}
  file_transport = address_file
  pipe_transport = address_pipe
userforward:
  driver = redirect
  check_local_user
  file = $home/.forward
  headers_add = "X-Forwarded: yes\nX-By: $primary_hostname"
  local_part_suffix = +* : -*
  local_part_suffix_optional
localuser:
  driver = accept
  check_local_user
  transport = local_delivery
begin transports
remote_smtp:
  driver = smtp
  hosts_try_prdr = *
  helo_data = ${if eq{$sender_address_domain}{}{$primary_hostname}{$sender_address_domain}}
local_delivery:
  driver = appendfile
  file = /var/mail/$local_part_data
  mode = 0660
  delivery_date_add
address_pipe:
  driver = pipe
  path = /bin:/usr/bin
  timeout = 30m
address_file:
  driver = appendfile
begin retry
*  rcpt_4xx senders=:  F,1h,10m
*@example.com  quota_7d  G,16h,1h,1.5; F,4d,6h
begin rewrite
*@*.example.org  "${lookup{$1}lsearch{/etc/names}{$value}fail}"  Tbcfs
^(?i)a\.b@(.*)$  b@$1  h
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = "${if and{{eq{$auth2}{a}}{eq{$auth3}{b}}}{yes}{no}}"
  server_set_id = $auth2
'''


def breaks(rnd, line):
    """One damage to a line, or a few."""
    for _ in range(rnd.choice((1, 1, 1, 2, 5))):
        at = rnd.randint(0, len(line))
        kind = rnd.randint(0, 3)
        if kind == 0:
            line = line[:at] + line[at + rnd.randint(1, 6):]
        elif kind == 1:
            line = line[:at] + rnd.choice(INSERTED) + line[at:]
        elif kind == 2:
            line = line[:at]
        else:
            line = line[:at] + chr(rnd.randint(0, 255)) + line[at + 1:]
    return line


def variants():
    rnd = random.Random(SEED)
    lines = CONFIG.split('\n')[1:-1]
    for i in range(VARIANTS):
        n = i % len(lines)
        yield i, '\n'.join(lines[:n] + [breaks(rnd, lines[n])] + lines[n + 1:]) + '\n'


def read(t, i, text, *mode):
    path = t.write('v%d' % i, text.encode('latin-1'))
    try:
        r = t.run('-C', path, *mode)
    except Bad as e:
        raise Bad('variant %d: %s\n%s' % (i, e, text))
    if r.status == 1 and not re.search(r'^%s:\d+:\d+: error: \S' % path, r.err, re.M):
        raise Bad('variant %d: no place in %s\n%s' % (i, r.err, text))
    return r.status


@case('syntax: the whole configuration')
def _(t):
    path = t.write('good', CONFIG)
    t.config(path, 0)


def group(k, groups):
    def one(t):
        bad = 0
        for i, text in variants():
            if i % groups != k:
                continue
            v, p = read(t, i, text, '-bV'), read(t, i, text, '-bP', 'primary_hostname')
            if v != p:
                raise Bad('variant %d: -bV ends with %d, -bP with %d\n%s' % (i, v, p, text))
            bad += v
        if bad < 3:
            raise Bad('only %d variants were refused: the test does not test' % bad)
    return one


for k in range(25):
    case('syntax: broken lines, part %d of 25' % (k + 1), cheap=k % 5 == 0)(group(k, 25))


@case('syntax: the file cut off at every hundredth byte')
def _(t):
    for i, n in enumerate(range(0, len(CONFIG), 100)):
        read(t, i, CONFIG[:n], '-bV')
