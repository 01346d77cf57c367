"""Other mail programs, and remex, each the same to a test: a domain, SMTP at its address, and a mailbox for all recipients.

They are started privately, as scripts/fetch-mailers and scripts/fetch-peers unpacked them. What they get goes to a Maildir, which leaves
a text as it is.
"""
import glob
import grp
import os
import pwd
import smtplib
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
for folder in ('servers', 'daemon'):
    sys.path.insert(0, os.path.join(ROOT, 'test', folder))
import private
from daemon import Daemon

MAILERS = os.environ.get('REMEX_MAILERS') or os.path.join(ROOT, 'build/mailers')
EXIM = os.path.join(os.environ.get('REMEX_PEERS') or os.path.join(ROOT, 'build/peers'), 'exim4')
NOBODY = pwd.getpwnam('nobody')
PATIENCE_S = 30


class Mailbox:
    """What has arrived in one domain."""

    def mail(self):
        """Texts in the order of arrival, with LF."""
        names = glob.glob(self.box + '/new/*')
        texts = []
        for name in sorted(names, key=lambda n: os.stat(n).st_mtime_ns):
            with open(name, 'rb') as f:
                texts.append(f.read())
        return texts

    def arrived(self, *words):
        """The first message that has all these bytes in it, once it is there."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for text in self.mail():
                if all(w in text for w in words):
                    return text
            time.sleep(0.02)
        raise AssertionError('no message with %r at %s; there:\n%s\n--- log\n%s' % (
            words, self.domain, b'\n---\n'.join(t[:3000] for t in self.mail()).decode('latin-1'), self.log_text()))

    def client(self):
        c = smtplib.SMTP(self.address, 25, local_hostname='client.mail.example', timeout=20)
        c.ehlo()
        return c

    def take(self, sender, to, text, mail_options=(), rcpt_options=()):
        """A client hands in a message for one recipient; text: bytes with CRLF."""
        with self.client() as c:
            for code, answer in (c.mail(sender, mail_options), c.rcpt(to, rcpt_options), c.data(text)):
                assert code == 250, (self.domain, code, answer)


class Mailer(Mailbox, private.Server):
    """A foreign one. tls: (certificate, key), or None for the clear. more: lines for its configuration."""

    own_session = True

    def __init__(self, site, address, domain, tls=None, more=''):
        private.Server.__init__(self, site.top)
        self.address, self.domain, self.tls, self.more = address, domain, tls, more
        self.box = self.path('box')

    def __enter__(self):
        # Postfix listens at addresses of interfaces only, and OpenSMTPD resolves no names with 127.0.0.1 alone.
        subprocess.run(['ip', 'address', 'replace', self.address + '/8', 'dev', 'lo'], check=True)
        return private.Server.__enter__(self)

    def make(self, name, user='root', group=None, mode=0o755):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid)
        return path

    def fill(self, text):
        pem, key = self.tls or ('', '')
        return text.format(top=self.dir, address=self.address, domain=self.domain, pem=pem, key=key, root=MAILERS + '/root',
                           uid=NOBODY.pw_uid, gid=NOBODY.pw_gid, more=self.more)

    def env(self):
        return dict(os.environ)

    def ready(self):
        return private.accepts((self.address, 25))

    def log_text(self):
        with open(self.path('log'), encoding='latin-1') as f:
            return f.read()


POSTFIX = '''compatibility_level = 3.6
myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = {address}
inet_protocols = ipv4
queue_directory = {top}/spool
data_directory = {top}/data
meta_directory = {top}/etc
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
sendmail_path = {root}/usr/sbin/sendmail
import_environment = MAIL_CONFIG LANG=C LD_LIBRARY_PATH={root}/usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
alias_maps =
alias_database =
biff = no
maillog_file = {top}/log
maillog_file_prefixes = {top}
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = static:box/
virtual_mailbox_base = {top}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtputf8_enable = yes
'''
POSTFIX_TLS = '''smtpd_tls_security_level = may
smtpd_tls_cert_file = {pem}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
smtp_tls_security_level = {level}
smtp_tls_loglevel = 1
'''
POSTFIX_SERVICES = '''{address}:25 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
pickup unix n - n 60 1 pickup
postlog unix-dgram n - n - 1 postlogd
'''


class Postfix(Mailer):
    # Nothing is set twice: each of its processes would warn of that, and more than a few warnings at the start fill the socket of
    # its log, to which the process that empties it writes as well.
    level = 'may'   # of TLS, as a client
    other_domains = ''

    def fill(self, text):
        return Mailer.fill(self, text.replace('{level}', self.level).replace('{domains}', '{domain} ' + self.other_domains))

    def prepare(self):
        self.make('spool')
        for name in ('incoming', 'active', 'bounce', 'defer', 'deferred', 'trace', 'hold', 'corrupt', 'private'):
            self.make('spool/' + name, 'postfix', 'root', 0o700)
        self.make('spool/public', 'postfix', 'postdrop', 0o2710)
        self.make('spool/maildrop', 'postfix', 'postdrop', 0o1730)
        self.make('spool/pid')
        self.make('data', 'postfix', mode=0o700)
        self.make('box', 'nobody', 'nogroup')
        self.make('etc')
        self.write('etc/main.cf', self.fill(POSTFIX + (POSTFIX_TLS if self.tls else '') + '{more}'))
        self.write('etc/master.cf', self.fill(POSTFIX_SERVICES))
        self.write('etc/dynamicmaps.cf', '')

    def env(self):
        return dict(os.environ, LD_LIBRARY_PATH=MAILERS + '/root/usr/lib/postfix')

    def argv(self):
        return [MAILERS + '/root/usr/lib/postfix/sbin/master', '-c', self.path('etc'), '-d']


# Its folders are compiled in, so it gets a name space in which they are private; its resolver reads but few options.
OPENSMTPD_START = '''#!/bin/sh
set -e
for folder in /usr/libexec /var/spool /var/lib /run; do
    mount -t tmpfs -o mode=755 none $folder
done
cp -a {root}/usr/libexec/opensmtpd /usr/libexec/
mkdir -p /var/lib/opensmtpd/empty /run/opensmtpd
mkdir -m 711 /var/spool/smtpd
cd /var/spool/smtpd
mkdir -m 770 offline
chgrp opensmtpq offline
mkdir -m 700 purge queue corrupt incoming temporary
chown opensmtpq purge queue corrupt incoming temporary
exec {root}/usr/sbin/smtpd -d -f {top}/conf
'''
OPENSMTPD = '''{tls}table box {{ "@" = "nobody" }}
smtp max-message-size "50M"
listen on {address} port 25 {tls_use}hostname "mx.{domain}"
action "here" maildir "{top}/box" virtual <box>
action "on" relay src {address} helo "mx.{domain}"{relay_use}
match from any for domain "{domain}" action "here"
match from any for any action "on"
'''


class OpenSMTPD(Mailer):
    def prepare(self):
        self.make('box', 'nobody', 'nogroup')
        for path in self.tls or ():     # it reads none that belongs to somebody else
            os.chown(path, 0, 0)
            os.chmod(path, 0o600)
        tls = 'pki "mx.%s" cert "%s"\npki "mx.%s" key "%s"\n' % (self.domain, self.tls[0], self.domain, self.tls[1]) \
            if self.tls else ''
        text = OPENSMTPD.replace('{tls}', tls).replace('{tls_use}', 'tls pki "mx.{domain}" ' if self.tls else '')
        os.chmod(self.write('conf', self.fill(text.replace('{relay_use}', ''))), 0o600)
        os.chmod(self.write('start', self.fill(OPENSMTPD_START)), 0o755)

    def argv(self):
        return ['unshare', '-m', self.path('start')]


# Of remex and Debian's exim4: what is for the domain stays, the rest goes where the DNS says.
ROUTERS = '''
here:
  driver = accept
  domains = {domain}
  transport = box
on:
  driver = dnslookup
  self = send
  transport = out
'''
EXIM_CONF = '''primary_hostname = mx.{domain}
spool_directory = {top}/spool
log_file_path = {top}/spool/%slog
exim_user = {uid}
exim_group = {gid}
daemon_smtp_ports = 25
local_interfaces = {address}
keep_environment =
never_users =
acl_smtp_rcpt = accept
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
log_selector = +received_recipients +tls_certificate_verified +dkim_verbose
{more}
begin routers
''' + ROUTERS + '''begin transports
box:
  driver = appendfile
  directory = {top}/box
  maildir_format
  user = {uid}
  group = {gid}
out:
  driver = smtp
  interface = {address}
  allow_localhost
'''
EXIM_TLS = 'tls_advertise_hosts = *\ntls_certificate = {pem}\ntls_privatekey = {key}\n'


class Exim(Mailer):
    def prepare(self):
        for name in ('spool', 'box'):
            self.make(name, 'nobody', 'nogroup')
        self.more += self.fill(EXIM_TLS) if self.tls else 'tls_advertise_hosts =\n'
        self.write('conf', self.fill(EXIM_CONF))

    def argv(self):
        return [EXIM, '-bdf', '-C', self.path('conf')]

    def log_text(self):
        with open(self.path('spool/mainlog'), encoding='latin-1') as f:
            return f.read() + Mailer.log_text(self)


DOVECOT = '''protocols = imap pop3 lmtp
listen = {address}
base_dir = {top}/run
state_dir = {top}/run
log_path = {top}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-256
auth_failure_delay = 0
auth_username_format = %Ln
first_valid_uid = 1
mail_location = maildir:{top}/home/%n/Maildir
passdb {{
  driver = passwd-file
  args = scheme=plain {top}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={top}/home/%n
}}
service auth {{
  unix_listener auth-client {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = {address}
    port = 24
  }}
}}
'''


class Dovecot(Mailer):
    """Users joe and ann with the passwords of USERS. Not at port 25: LMTP at 24, IMAP at 143, POP3 at 110; in its folder the sockets
    run/lmtp and run/auth-client."""

    USERS = {'joe': 'se cret\u00e4', 'ann': 'other'}

    def prepare(self):
        self.make('home', 'nobody', 'nogroup')
        self.write('users', ''.join('%s:%s\n' % u for u in self.USERS.items()))
        self.write('conf', self.fill(DOVECOT))

    def argv(self):
        return ['dovecot', '-F', '-c', self.path('conf')]

    def ready(self):
        return private.accepts((self.address, 24)) and private.accepts(self.path('run/auth-client'))


REMEX_MAIN = '''local_interfaces = {address}
daemon_smtp_ports = 25
dsn_advertise_hosts = *
log_selector = +received_recipients +pid +possible_repeat +dkim_verbose
{more}
'''
REMEX_BOX = '''
box:
  driver = appendfile
  directory = {top}/mail/box
  maildir_format
  user = {uid}
  group = {gid}
'''
REMEX_OUT = '''
out:
  driver = smtp
  interface = {address}
  allow_localhost
  {out}
'''


class Remex(Mailbox):
    """The daemon of the site under test, as one of them. more, out: lines for the main section and for its smtp transport; box:
    another transport in place of its mailbox; sections: further ones."""

    def __init__(self, site, address, domain, tls=None, more='', out='', box=REMEX_BOX, sections=''):
        self.site, self.address, self.domain = site, address, domain
        self.box = site.path('mail/box')
        more += EXIM_TLS.format(pem=tls[0], key=tls[1]) if tls else 'tls_advertise_hosts =\n'
        words = {'address': address, 'domain': domain, 'more': more, 'out': out, 'top': site.top, 'uid': site.uid,
                 'gid': site.gid}
        site.configure(REMEX_MAIN.format(**words), ROUTERS.format(**words), box + REMEX_OUT.format(**words),
                       more=sections)
        checked = site.run('-bV')
        assert checked.status == 0, checked.err
        self.daemon = Daemon(site, listen=False)

    def log_text(self):
        return self.site.raw_log() + self.site.raw_log('panic')

    def lines(self, n, *words):
        """The lines of the log with all these words in them, once there are n."""
        def found():
            return [line for line in self.log_text().splitlines() if all(w in line for w in words)]
        self.site.wait_for(lambda: len(found()) >= n)
        assert len(found()) == n, found()
        return found()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.stop()
