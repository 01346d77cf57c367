"""Each variable, macro and file of the configuration as on Debian, with what shows its effect.

A row: what is set, how it is looked at, and a pattern that is in the answer with it and not without it (`gone`: the other
way round).
"""
import collections

Row = collections.namedtuple('Row', 'name macros argv pattern gone kind base answers stdin files common')


def row(name, macros, argv, pattern, gone=False, kind='internet', base=None, answers=(), stdin='', files=(), common=''):
    """`common` macros and, in `files`, names that begin with "=", are there in both looks."""
    return Row(name, macros, argv if isinstance(argv, list) else argv.split(), pattern, gone, kind, base or kind,
               dict(answers), stdin, dict(files), common)


def main(name, option, value='one.example', shown=None):
    return row(name, '%s = %s' % (name, value), '-bP ' + option, r'^%s = %s$' % (option, shown or value))


def transport(name, where, option, value, kind='internet', shown=None):
    return row(name, '%s = %s' % (name, value), '-bP transport ' + where, r'^%s = %s$' % (option, shown or value), kind=kind)


def session(*lines):
    return 'EHLO client.example\n' + '\n'.join(lines) + '\nQUIT\n'


def rcpt(to='anna@home.example', sender='user@far.example', *more):
    return session('MAIL FROM:<%s>' % sender, 'RCPT TO:<%s>' % to, *more)


def message(*lines):
    return rcpt('anna@home.example', 'user@far.example', 'DATA', *lines, '.')


def smtp(name, macros, pattern, stdin, client='192.0.2.66', **more):
    return row(name, macros, ['-bh', client], pattern, stdin=stdin, **more)


ACL = '/etc/remex/local_acl'
SHOW = {'=/etc/remex/show': '  warn logwrite = ADDED $h_X-Warning:$h_X-Host-Lookup-Failed:\n'}
SHOWN = 'CHECK_DATA_LOCAL_ACL_FILE = /etc/remex/show'
BLACK = {'=/etc/remex/local_host_blacklist': '192.0.2.66\n'}
BLACKLISTED = r'^550.*locally blacklisted'
LONG = 'x' * 1100
SMART = {'kind': 'smarthost'}
MANY = rcpt('nosuch0@home.example', 'user@far.example', *['RCPT TO:<nosuch%d@home.example>' % i for i in range(1, 14)])
GOOD = ['From: user@far.example', 'Subject: x', '', 'text']
SIGNATURE = 'DKIM-Signature: v=1; a=rsa-sha256; d=far.example; s=one; c=relaxed/relaxed; h=from; bh=AAAA; b=AAAA'
PASSWD = {'=/etc/remex/passwd': 'anna:x\n'}

ROWS = [
    # --- who we are ---
    row('MAIN_LOCAL_DOMAINS', 'MAIN_LOCAL_DOMAINS = one.example', '-bP +local_domains', '= one.example$'),
    row('MAIN_RELAY_TO_DOMAINS', 'MAIN_RELAY_TO_DOMAINS = one.example', '-bP +relay_to_domains', '= one.example$'),
    row('MAIN_RELAY_NETS', 'MAIN_RELAY_NETS = 192.0.2.0/24', ['-bh', '192.0.2.66'], r'^250 Accepted',
        stdin=rcpt('user@two.example')),
    main('MAIN_QUALIFY_DOMAIN', 'qualify_domain'),
    main('ETC_MAILNAME', 'qualify_domain'),
    row('MAIN_PRIMARY_HOSTNAME_AS_QUALIFY_DOMAIN', 'MAIN_PRIMARY_HOSTNAME_AS_QUALIFY_DOMAIN = 1', '-bP qualify_domain',
        '^qualify_domain = mail.home.example$'),
    main('MAIN_LOCAL_INTERFACES', 'local_interfaces', '192.0.2.25'),
    main('MAIN_HARDCODE_PRIMARY_HOSTNAME', 'primary_hostname'),
    main('MAIN_LOG_SELECTOR', 'log_selector', '\\+all', '\\+all')._replace(macros='MAIN_LOG_SELECTOR = +all'),
    row('LOCAL_DELIVERY', 'LOCAL_DELIVERY = maildir_home', '-bt anna@home.example', 'transport = maildir_home'),
    row('CONFDIR', 'CONFDIR = /etc/other', '-bt user@hubbed.example', 'router = hubbed_hosts',
        files={'=/etc/other/hubbed_hosts': 'hubbed.example: 192.0.2.9\n'}),
    row('MAIN_PACKAGE_VERSION', '', ['-be', 'MAIN_PACKAGE_VERSION'], r'^\d[\w.]*$', base='none'),
    # --- options ---
    main('MAIN_ACL_CHECK_MAIL', 'acl_smtp_mail', 'acl_check_data'),
    main('MAIN_ACL_CHECK_RCPT', 'acl_smtp_rcpt', 'acl_check_data'),
    main('MAIN_ACL_CHECK_DATA', 'acl_smtp_data', 'acl_check_mail'),
    main('MESSAGE_SIZE_LIMIT', 'message_size_limit', '3M'),
    row('MAIN_ALLOW_DOMAIN_LITERALS', 'MAIN_ALLOW_DOMAIN_LITERALS = 1', '-bt user@[192.0.2.5]', 'router = domain_literal'),
    main('MAIN_HOST_LOOKUP', 'host_lookup', '192.0.2.1'),
    row('DC_minimaldns', 'DC_minimaldns = 1', '-bP host_lookup', r'= \*', gone=True),
    main('MAIN_SMTP_ACCEPT_MAX_NOMAIL_HOSTS', 'smtp_accept_max_nonmail_hosts', '192.0.2.1'),
    row('MAIN_FORCE_SENDER', 'MAIN_FORCE_SENDER = 1', '-bP local_from_check', '^local_from_check$'),
    main('MAIN_IGNORE_BOUNCE_ERRORS_AFTER', 'ignore_bounce_errors_after', '3h'),
    main('MAIN_TIMEOUT_FROZEN_AFTER', 'timeout_frozen_after', '3h'),
    main('MAIN_FREEZE_TELL', 'freeze_tell', 'anna'),
    main('SPOOLDIR', 'spool_directory', '/var/spool/other'),
    main('MAIN_TRUSTED_USERS', 'trusted_users', 'anna'),
    main('MAIN_TRUSTED_GROUPS', 'trusted_groups', 'anna'),
    main('MAIN_KEEP_ENVIRONMENT', 'keep_environment', 'LANG'),
    main('MAIN_ADD_ENVIRONMENT', 'add_environment', 'A=b'),
    main('MAIN_SMTPUTF8_ADVERTISE_HOSTS', 'smtputf8_advertise_hosts', '192.0.2.1'),
    # --- TLS of the server ---
    row('MAIN_TLS_ENABLE', 'MAIN_TLS_ENABLE = 1', '-bP tls_certificate', '= /etc/remex/exim.crt$'),
    row('exim.crt', 'MAIN_TLS_ENABLE = 1', '-bP tls_certificate', '= /etc/remex/exim.crt$'),
    row('exim.key', 'MAIN_TLS_ENABLE = 1', '-bP tls_privatekey', '= /etc/remex/exim.key$'),
    row('MAIN_TLS_ADVERTISE_HOSTS', 'MAIN_TLS_ADVERTISE_HOSTS = 192.0.2.1', '-bP tls_advertise_hosts', '= 192.0.2.1$',
        common='MAIN_TLS_ENABLE = 1'),
] + [row(name, '%s = /etc/x' % name, '-bP ' + option, '= /etc/x$', common='MAIN_TLS_ENABLE = 1') for name, option in [
    ('MAIN_TLS_CERTKEY', 'tls_certificate'), ('MAIN_TLS_CERTIFICATE', 'tls_certificate'),
    ('MAIN_TLS_PRIVATEKEY', 'tls_privatekey'), ('MAIN_TLS_VERIFY_CERTIFICATES', 'tls_verify_certificates'),
    ('MAIN_TLS_VERIFY_HOSTS', 'tls_verify_hosts'), ('MAIN_TLS_TRY_VERIFY_HOSTS', 'tls_try_verify_hosts')]] + [
    # --- RCPT ---
    smtp('CHECK_RCPT_LOCAL_LOCALPARTS', 'CHECK_RCPT_LOCAL_LOCALPARTS = anna', '^550 restricted characters', rcpt()),
    smtp('CHECK_RCPT_REMOTE_LOCALPARTS', 'CHECK_RCPT_REMOTE_LOCALPARTS = user', '^550 restricted characters',
         rcpt('user@relay.example')),
    smtp('CHECK_RCPT_POSTMASTER', 'CHECK_RCPT_POSTMASTER = abuse', '^250 Accepted', rcpt('abuse@home.example'), files=BLACK),
    smtp('CHECK_RCPT_VERIFY_SENDER', 'CHECK_RCPT_VERIFY_SENDER = 1', '^550.*Sender verif', rcpt(sender='x@nowhere.example')),
    smtp('CHECK_RCPT_NO_FAIL_TOO_MANY_BAD_RCPT', 'CHECK_RCPT_NO_FAIL_TOO_MANY_BAD_RCPT = 1', '^550 Rejected for too many',
         MANY, gone=True),
    smtp('CHECK_RCPT_SPF', 'CHECK_RCPT_SPF = 1', r'^550 .*\[SPF\] 192.0.2.66 may not send mail for spf.example', rcpt(sender='user@spf.example')),
    smtp('DISABLE_DKIM_VERIFY', 'DISABLE_DKIM_VERIFY = 1', 'DKIM: d=far.example', message(SIGNATURE, *GOOD), gone=True,
         common='MAIN_LOG_SELECTOR = +dkim_verbose'),
    smtp('CHECK_RCPT_REVERSE_DNS', 'CHECK_RCPT_REVERSE_DNS = 1', 'ADDED no name found for 203.0.113.9', message(*GOOD),
         client='203.0.113.9', common=SHOWN, files=SHOW),
    smtp('CHECK_RCPT_IP_DNSBLS', 'CHECK_RCPT_IP_DNSBLS = ip.list.example',
         r'ADDED 192.0.2.66 is listed at ip.list.example \(127.0.0.2: known sender', message(*GOOD),
         common=SHOWN, files=SHOW),
    smtp('CHECK_RCPT_DOMAIN_DNSBLS', 'CHECK_RCPT_DOMAIN_DNSBLS = domain.list.example/$sender_address_domain',
         r'ADDED far.example is listed at domain.list.example \(127.0.0.3: known domain', message(*GOOD),
         common=SHOWN, files=SHOW),
    smtp('CHECK_RCPT_LOCAL_ACL_FILE', 'CHECK_RCPT_LOCAL_ACL_FILE = ' + ACL, '^550 by my file', rcpt(),
         files={'=' + ACL: '  deny message = by my file\n'}),
    smtp('LOCAL_DENY_EXCEPTIONS_LOCAL_ACL_FILE', 'LOCAL_DENY_EXCEPTIONS_LOCAL_ACL_FILE = ' + ACL, BLACKLISTED, rcpt(),
         gone=True, files=dict(BLACK, **{'=' + ACL: '  accept hosts = 192.0.2.66\n'})),
    smtp('WHITELIST_LOCAL_DENY_LOCAL_ACL_FILE', 'WHITELIST_LOCAL_DENY_LOCAL_ACL_FILE = ' + ACL, BLACKLISTED, rcpt(),
         gone=True, files=dict(BLACK, **{'=' + ACL: '  accept hosts = 192.0.2.66\n'})),
    # --- DATA ---
    smtp('CHECK_DATA_LOCAL_ACL_FILE', 'CHECK_DATA_LOCAL_ACL_FILE = ' + ACL, '^550 by my file', message(*GOOD),
         files={'=' + ACL: '  deny message = by my file\n'}),
    smtp('CHECK_DATA_VERIFY_HEADER_SENDER', 'CHECK_DATA_VERIFY_HEADER_SENDER = 1', '^550 No verifiable sender',
         message('From: x@nowhere.example', '', 'text')),
    smtp('NO_CHECK_DATA_VERIFY_HEADER_SYNTAX', 'NO_CHECK_DATA_VERIFY_HEADER_SYNTAX = 1', '^550 header syntax',
         message('From: <<', '', 'text'), gone=True),
    smtp('IGNORE_SMTP_LINE_LENGTH_LIMIT', 'IGNORE_SMTP_LINE_LENGTH_LIMIT = 1', '^550 lines may have 998',
         message(*GOOD, LONG), gone=True),
    row('MAIN_AV_SCANNER', 'MAIN_AV_SCANNER = clamd:/var/run/clamav/clamd.ctl', '-bP av_scanner',
        '^av_scanner = clamd:/var/run/clamav/clamd.ctl$'),
    smtp('MAIN_AV_SCANNER, asked', 'MAIN_AV_SCANNER = clamd:/var/run/clamav/clamd.ctl',
         r'malware acl condition: clamd /var/run/clamav/clamd.ctl : unable to connect', message(*GOOD)),
    row('MAIN_SPAMD_ADDRESS', 'MAIN_SPAMD_ADDRESS = 127.0.0.1 784', '-bP spamd_address', '^spamd_address = 127.0.0.1 784$'),
    smtp('CHECK_DATA_SPAM', 'CHECK_DATA_SPAM = 1', r'spam acl condition: all spamd servers failed', message(*GOOD),
         common='MAIN_SPAMD_ADDRESS = 127.0.0.1 9'),  # at its usual place another test may have a server
    # --- routers ---
    row('DCconfig_internet', '', '-bt user@far.example', 'router = dnslookup', base='local'),
    row('DCconfig_local', '', '-bt user@far.example', 'Mailing to remote domains not supported', kind='local', base='internet'),
    row('DCconfig_smarthost', '', '-bt user@far.example', 'router = smarthost', kind='smarthost', base='internet'),
    row('DCconfig_satellite', '', '-bt anna@home.example', '^anna@hub.example', kind='satellite', base='smarthost'),
    row('DCsmarthost', 'DCsmarthost = 192.0.2.9', '-bt user@far.example', r'host 192.0.2.9 +\[192.0.2.9\]', **SMART),
    row('DCreadhost', 'DCreadhost = two.example', '-bt anna@home.example', '^anna@two.example', kind='satellite'),
    row('ROUTER_DNSLOOKUP_IGNORE_TARGET_HOSTS', 'ROUTER_DNSLOOKUP_IGNORE_TARGET_HOSTS = 192.0.2.9', '-bt user@private.example',
        r'host inside.example +\[192.168.7.1\]'),
    row('COND_LOCAL_SUBMITTER', 'COND_LOCAL_SUBMITTER = false', '-bt real-anna@home.example', 'router = real_local', gone=True),
    smtp('FIRST_USER_ACCOUNT_UID', 'FIRST_USER_ACCOUNT_UID = 500', '^550', rcpt('www-data@home.example')),
    smtp('DEFAULT_SYSTEM_ACCOUNT_ALIAS', 'DEFAULT_SYSTEM_ACCOUNT_ALIAS = anna', '^250 Accepted', rcpt('www-data@home.example'),
         common='FIRST_USER_ACCOUNT_UID = 500'),
    row('COND_SYSTEM_USER_AND_REMOTE_SUBMITTER', 'COND_SYSTEM_USER_AND_REMOTE_SUBMITTER = true', '-bt www-data@home.example',
        'no mail to system accounts'),
    row('SYSTEM_ALIASES_PIPE_TRANSPORT', 'SYSTEM_ALIASES_PIPE_TRANSPORT = address_pipe', '-bt piped@home.example',
        'transport = address_pipe', common='SYSTEM_ALIASES_USER = mail'),
    row('SYSTEM_ALIASES_FILE_TRANSPORT', 'SYSTEM_ALIASES_FILE_TRANSPORT = address_file', '-bt filed@home.example',
        'transport = address_file', common='SYSTEM_ALIASES_USER = mail'),
] + [row(name, '%s = %s' % (name, value), '-bP router system_aliases', '^%s = %s$' % (option, value))
     for name, option, value in [('SYSTEM_ALIASES_DIRECTORY_TRANSPORT', 'directory_transport', 'address_directory'),
                                 ('SYSTEM_ALIASES_USER', 'user', 'mail'), ('SYSTEM_ALIASES_GROUP', 'group', 'mail')]] + [
    # --- transports ---
    row('HIDE_MAILNAME', 'HIDE_MAILNAME = 1', '-bP transport remote_smtp_smarthost', r'^return_path = .*@home.example',
        answers={'dc_hide_mailname': 'false'}, **SMART),
    row('REMOTE_SMTP_HELO_FROM_DNS', 'REMOTE_SMTP_HELO_FROM_DNS = 1', '-bP transport remote_smtp', '^helo_data = .*ptr='),
    row('MAILDIR_HOME_CREATE_DIRECTORY', 'MAILDIR_HOME_CREATE_DIRECTORY = 1', '-bP config', r'^ *create_directory$'),
    row('REMOTE_SMTP_TRANSPORTS_HEADERS_REMOVE', 'REMOTE_SMTP_TRANSPORTS_HEADERS_REMOVE = X-A',
        '-bP transport remote_smtp_smarthost', '^headers_remove = X-A$', **SMART),
    row('NO_EAA_REWRITE_REWRITE', 'NO_EAA_REWRITE_REWRITE = 1', '-brw anna@home.example', 'anna@provider.example', gone=True),
    row('AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS', 'AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1', '-bP authenticator plain',
        'tls_out_cipher', gone=True),
] + [transport(name, 'maildir_home', option, value, shown=shown) for name, option, value, shown in [
    ('MAILDIR_HOME_CREATE_FILE', 'create_file', 'belowhome', None), ('MAILDIR_HOME_MODE', 'mode', '0640', None),
    ('MAILDIR_HOME_DIRECTORY_MODE', 'directory_mode', '0750', '0?750'),
    ('MAILDIR_HOME_MAILDIR_LOCATION', 'directory', '/var/tmp/x', None)]] + [
    transport(name, 'remote_smtp', option, value) for name, option, value in [
        ('REMOTE_SMTP_HOSTS_AVOID_TLS', 'hosts_avoid_tls', '192.0.2.1'), ('REMOTE_SMTP_HOSTS_REQUIRE_TLS', 'hosts_require_tls', '192.0.2.1'),
        ('REMOTE_SMTP_INTERFACE', 'interface', '127.0.0.1'), ('REMOTE_SMTP_PRIVATEKEY', 'tls_privatekey', '/etc/x'),
        ('REMOTE_SMTP_TLS_CERTIFICATE', 'tls_certificate', '/etc/x'), ('REMOTE_SMTP_RETURN_PATH', 'return_path', 'a@b.example'),
        ('REMOTE_SMTP_HELO_DATA', 'helo_data', 'x.example'), ('TLS_DH_MIN_BITS', 'tls_dh_min_bits', '2000')]] + [
    row('REMOTE_SMTP_HEADERS_REWRITE', 'REMOTE_SMTP_HEADERS_REWRITE = *@a.example b@c.example f', '-bP config',
        r'^ *headers_rewrite = \*@a.example')] + [
    transport('REMOTE_SMTP_SMARTHOST_' + name, 'remote_smtp_smarthost', option, value, 'smarthost') for name, option, value in [
        ('HOSTS_AVOID_TLS', 'hosts_avoid_tls', '192.0.2.1'), ('HOSTS_REQUIRE_TLS', 'hosts_require_tls', '192.0.2.1'),
        ('PRIVATEKEY', 'tls_privatekey', '/etc/x'), ('TLS_CERTIFICATE', 'tls_certificate', '/etc/x'),
        ('TLS_VERIFY_CERTIFICATES', 'tls_verify_certificates', '/etc/x'), ('TLS_VERIFY_HOSTS', 'tls_verify_hosts', '192.0.2.1'),
        ('PROTOCOL', 'protocol', 'smtps')]] + [
    transport('DKIM_' + name, 'remote_smtp', 'dkim_' + name.lower(), value)
    for name, value in [('CANON', 'relaxed'), ('DOMAIN', 'a.example'), ('IDENTITY', 'a@b.example'), ('PRIVATE_KEY', '/etc/x'),
                        ('SELECTOR', 'one'), ('SIGN_HEADERS', 'From'), ('STRICT', 'true'), ('TIMESTAMPS', '3600')]] + [
    # --- answers ---
    row('dc_eximconfig_configtype', '', '-be DC_eximconfig_configtype', '^local$', kind='local', base='internet'),
    row('dc_hide_mailname', '', '-bP transport remote_smtp_smarthost', '^return_path = .*@home.example',
        answers={'dc_hide_mailname': 'true'}, base='smarthost:dc_hide_mailname=false', **SMART),
    row('dc_local_interfaces', '', '-bP local_interfaces', '= <; 192.0.2.1 ; ::1$', answers={'dc_local_interfaces': '192.0.2.1 ; ::1'}),
    row('dc_localdelivery', '', '-bt anna@home.example', 'maildir_home', answers={'dc_localdelivery': 'maildir_home'}),
    row('dc_minimaldns', '', '-bP host_lookup', r'= \*', gone=True, answers={'dc_minimaldns': 'true'}),
    row('dc_other_hostnames', '', '-bt anna@third.example', 'router = local_user', answers={'dc_other_hostnames': 'third.example'}),
    row('dc_readhost', '', '-bt anna@home.example', '^anna@two.example', kind='satellite', answers={'dc_readhost': 'two.example'}),
    smtp('dc_relay_domains', '', '^250 Accepted', rcpt('user@two.example'), answers={'dc_relay_domains': 'two.example'}),
    smtp('dc_relay_nets', '', '^250 Accepted', rcpt('user@two.example'), answers={'dc_relay_nets': '192.0.2.0/24'}),
    row('dc_smarthost', '', '-bt user@far.example', r'host 192.0.2.9 +\[192.0.2.9\] +port=26',
        answers={'dc_smarthost': '192.0.2.9::26'}, **SMART),
    row('dc_use_split_config', '', '-bP recipients_max', '= 7$', answers={'dc_use_split_config': 'false'},
        files={'=/etc/remex/remex.conf.localmacros': 'recipients_max = 7\n'}),
    # --- files ---
    row('/etc/aliases', '', '-bt newteam@home.example', '^anna@home.example', files={'/etc/aliases': 'newteam: anna\n'}),
    row('/etc/email-addresses', '', '-brw anna@home.example', 'new@provider.example',
        files={'/etc/email-addresses': 'anna: new@provider.example\n'}),
    row('/etc/mailname', '', '-bP qualify_domain', '= new.example$', files={'/etc/mailname': 'new.example\n'}),
    row('hubbed_hosts', '', '-bt user@hubbed.example', 'router = hubbed_hosts',
        files={'/etc/remex/hubbed_hosts': 'hubbed.example: 192.0.2.9\n'}),
    smtp('local_host_blacklist', '', BLACKLISTED, rcpt(), files={'/etc/remex/local_host_blacklist': '192.0.2.66\n'}),
    smtp('local_sender_blacklist', '', BLACKLISTED, rcpt(), files={'/etc/remex/local_sender_blacklist': 'user@far.example\n'}),
    smtp('host_local_deny_exceptions', '', BLACKLISTED, rcpt(), gone=True,
         files=dict(BLACK, **{'/etc/remex/host_local_deny_exceptions': '192.0.2.0/24\n'})),
    smtp('local_host_whitelist', '', BLACKLISTED, rcpt(), gone=True,
         files=dict(BLACK, **{'/etc/remex/local_host_whitelist': '192.0.2.0/24\n'})),
    smtp('sender_local_deny_exceptions', '', BLACKLISTED, rcpt(), gone=True,
         files=dict(BLACK, **{'/etc/remex/sender_local_deny_exceptions': '*@far.example\n'})),
    smtp('local_sender_whitelist', '', BLACKLISTED, rcpt(), gone=True,
         files=dict(BLACK, **{'/etc/remex/local_sender_whitelist': '*@far.example\n'})),
    smtp('local_sender_callout', '', '^550|^451', rcpt(sender='x@broken.example'),
         files={'/etc/remex/local_sender_callout': '*@broken.example\n'}),
    row('local_rcpt_callout', '', '-bhc 192.0.2.66', '^(550|451)', stdin=rcpt('user@relay.example'),
        answers={'dc_relay_domains': 'relay.example'}, base='internet:dc_relay_domains=relay.example',
         files={'/etc/remex/local_rcpt_callout': '*@relay.example\n'}),
    smtp('local_domain_dnsbl_whitelist', '', 'ADDED far.example', message(*GOOD), gone=True,
         common=SHOWN + '\nCHECK_RCPT_DOMAIN_DNSBLS = domain.list.example/$sender_address_domain',
         files=dict(SHOW, **{'/etc/remex/local_domain_dnsbl_whitelist': '*@far.example\n'})),
    smtp('lowuid-aliases', '', '^250 Accepted', rcpt('www-data@home.example'), common='FIRST_USER_ACCOUNT_UID = 500',
         files={'/etc/remex/lowuid-aliases': 'www-data: anna\n'}),
    row('passwd', '', ['-bh', '192.0.2.66'], '^250-AUTH PLAIN LOGIN', stdin=session(), common='AUTH_SERVER_ALLOW_NOTLS_PASSWORDS = 1',
        files={'/etc/remex/passwd': 'anna:x\n'}),
    row('AUTH_SERVER_ALLOW_NOTLS_PASSWORDS', 'AUTH_SERVER_ALLOW_NOTLS_PASSWORDS = 1', ['-bh', '192.0.2.66'], '^250-AUTH PLAIN LOGIN',
        stdin=session(), files=PASSWD),
    row('passwd.client', '', ['-be', '${if exists{/etc/remex/passwd.client}{${lookup{smart.example}nwildlsearch'
                              '{/etc/remex/passwd.client}}}}'], '^user:word$',
        files={'/etc/remex/passwd.client': '*.example:user:word\n'}),
    row('conf.d/main/000_localmacros', 'MAIN_FREEZE_TELL = anna', '-bP freeze_tell', '= anna$'),
]

# Shown by a test of another file.
ELSEWHERE = {
    'CFILEMODE': 'update_test.test_modes_and_owner',
    '<Capitalised line>': 'update_test.test_lines_with_a_capital_become_macros',
    'UPEX4CmacrosUPEX4C': 'update_test.test_no_place_for_the_answers',
    'exim4.conf': 'update_test.test_a_configuration_by_hand_is_left_alone',
    'exim4.conf.localmacros': 'update_test.test_macros_of_ones_own_win',
    'exim4.conf.template': 'update_test.test_template_script',
    'update-exim4.conf.conf': 'update_test.test_settings_of_exim4_are_taken_over',
    '/var/lib/exim4/config.autogenerated': 'update_test.test_modes_and_owner',
}

# Why a row of the table has no test.
UNTESTED = {
    'dc_mailname_in_oh': "a mark of the package's scripts; it changes nothing in the configuration",
    'MAIN_SMTP_BANNER': 'only mentioned in a comment of Debian\'s files',
    'FIXED_NEVER_USERS': 'likewise',
}
# Names under which Debian has what is elsewhere here, or belongs to the package.
OF_THE_PACKAGE = ('/etc/cron.daily/', '/etc/default/', '/etc/init.d/', '/etc/logrotate.d/', '/etc/ppp/')
