"""The fresh system started by its own systemd (in systemd-nspawn): the unit as it is, with all that it allows and forbids."""
import os
import shutil
import subprocess

from fresh import Unable

LIMIT_S = 180
# nspawn's own filter lacks what remex's processes close themselves off with.
CALLS = 'landlock_create_ruleset landlock_add_rule landlock_restrict_self'

TRY = r'''#!/bin/sh
exec >/root/said 2>&1
within() {
    name=$1
    shift
    for i in $(seq 150); do
        if "$@" >/dev/null 2>&1; then
            echo "$name: yes"
            return
        fi
        sleep 0.2
    done
    echo "$name: no"
}
send() {
    runuser -u anna -- sh -c "printf 'Subject: $1\n\nbody\n' | sendmail -oi ben"
}
rm -f /usr/sbin/policy-rc.d /home/ben/.forward
within 'the service starts' systemctl is-active remex
send first
within 'a mailbox' grep -q 'Subject: first' /var/mail/ben
systemctl reload remex
echo "reload: $?"
send second
within 'after reload' grep -q 'Subject: second' /var/mail/ben
update-remex.conf --no-update --set dc_localdelivery=maildir_home
dpkg-reconfigure -f noninteractive remex-config >/dev/null 2>&1
echo "reconfigure: $?"
send third
within 'a Maildir' grep -qr 'Subject: third' /home/ben/Maildir/new
runuser -u ben -- sh -c 'echo "|/usr/bin/tee /home/ben/piped, /home/ben/filed" >/home/ben/.forward'
send fourth
within 'a program of .forward' grep -q 'Subject: fourth' /home/ben/piped
within 'a file of .forward' grep -q 'Subject: fourth' /home/ben/filed
systemctl restart remex
echo "restart: $?"
within 'the service starts again' systemctl is-active remex
for kind in queueonly nodaemon separate; do
    update-remex-defaults --queuerunner $kind --qflags f --force
    systemctl restart remex
    echo "$kind: $? $(systemctl is-active remex), last started: $(sed -n 's/.*daemon started: pid=[0-9]*, //p' /var/log/remex/mainlog | tail -n 1)"
done
systemd-analyze --man=no verify remex.service
echo "verify: $?"
systemd-analyze --no-pager security remex.service | grep -o 'exposure level for remex.service: [0-9.]*'
systemctl stop remex
echo "stop: $?"
systemctl show -p Result,NRestarts remex
test -s /var/log/remex/paniclog && cat /var/log/remex/paniclog
echo ---
journalctl --no-pager -u remex | tail -30
systemctl poweroff
'''
UNIT = '''[Unit]
After=remex.service
[Service]
Type=oneshot
ExecStart=/root/try
'''
WANTED = '''the service starts: yes
a mailbox: yes
reload: 0
after reload: yes
reconfigure: 0
a Maildir: yes
a program of .forward: yes
a file of .forward: yes
restart: 0
the service starts again: yes
queueonly: 0 active, last started: -qf30m, not listening for SMTP
nodaemon: 0 inactive, last started: -qf30m, not listening for SMTP
separate: 0 active, last started: -qf30m, listening for SMTP on [127.0.0.1]:25
verify: 0
exposure level for remex.service: 2.5
stop: 0
Result=success
NRestarts=0
'''


def boot(m):
    """What the machine says after it was started and has stopped itself."""
    m.write('/root/try', TRY, 0o755)
    m.write('/etc/systemd/system/try.service', UNIT)
    m.sh('mkdir -p /etc/systemd/system/multi-user.target.wants; ln -sf ../try.service /etc/systemd/system/multi-user.target.wants/try.service')
    argv = ['systemd-nspawn', '--quiet', '--private-network', '--register=no', '--keep-unit', '--resolv-conf=off', '--hostname=mail',
            '--machine=remex-%d' % os.getpid(), '--system-call-filter=' + CALLS, '-D', m.root, '--boot']
    try:
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S)
        console = p.stdout.decode('utf-8', 'replace')
    except subprocess.TimeoutExpired as e:
        console = (e.stdout or b'').decode('utf-8', 'replace')
    finally:
        m.sh('rm -f /etc/systemd/system/try.service /etc/systemd/system/multi-user.target.wants/try.service')
        m.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)
    said = m.read('/root/said')
    assert said, 'systemd did not come so far:\n' + console[-3000:]
    return said


def try_the_service(m):
    if shutil.which('systemd-nspawn') is None:
        raise Unable('systemd-container is missing')
    m.stop()
    m.configure({})
    before = m.files()
    said = boot(m)
    m.fresh |= {f for f in m.files() - before if 'remex' not in f}      # of systemd
    assert said.split('---\n')[0] == WANTED, said
