"""A place where syslog(3) of programs ends up: a name space whose /dev is nothing but the usual and /dev/log."""
import os
import socket
import subprocess
import threading

# $1 has the socket; the rest is run.
OWN_DEV = '''mkdir -p "$0" && for n in null zero full random urandom tty; do : >>"$0/$n" && mount --bind /dev/$n "$0/$n" || exit 9; done
mount --rbind "$0" /dev && exec "$@"'''

END = 'no more'


class Syslog:
    """with Syslog(folder) as log: log.run(argv); log.lines()"""

    def __init__(self, top):
        self.dev = os.path.join(top, 'dev')
        os.makedirs(self.dev, exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.dev + '/log')
        self.found = []
        self.reader = threading.Thread(target=self.read)       # the kernel keeps few for a reader that is late
        self.reader.start()
        os.chmod(self.dev, 0o755)
        os.chmod(self.dev + '/log', 0o666)

    def read(self):
        while True:
            line = self.socket.recv(8192).decode('utf-8', 'replace').rstrip('\0\n')
            if line == END:
                return
            self.found.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.reader.is_alive():
            self.lines()
        self.socket.close()
        os.unlink(self.dev + '/log')

    def run(self, argv, stdin=''):
        p = subprocess.run(['unshare', '-m', 'sh', '-c', OWN_DEV, self.dev] + argv, input=stdin, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, errors='replace', timeout=60)
        return p.returncode, p.stdout

    def lines(self):
        """All that came, as "<priority>Mon dd hh:mm:ss name[pid]: text"; nothing is heard any more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(END.encode(), self.dev + '/log')
        self.reader.join()
        return self.found
