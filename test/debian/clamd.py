"""Stands in for clamd, where its signatures are not to be had: it is asked at its socket to scan files, and knows the EICAR test file."""
import os
import socket
import subprocess
import threading

EICAR = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'


class Clamd:
    """Of a machine (fresh.Machine) that has the user clamav: what that user may not read is not scanned."""

    def __init__(self, m):
        self.root, path = m.root, m.path('/run/clamav/clamd.ctl')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            with connection, connection.makefile('rwb') as f:
                command = b''
                while command[-1:] not in (b'\0', b'\n'):
                    command += f.read(1)
                f.write(self.answer(command[:-1].decode()) + command[-1:])

    def answer(self, command):
        verb, _, path = command.partition(' ')
        if verb not in ('SCAN', 'zSCAN', 'nSCAN'):
            return b'UNKNOWN COMMAND'
        p = subprocess.run(['chroot', self.root, 'runuser', '-u', 'clamav', '--', 'find', path, '-type', 'f', '-exec', 'cat', '{}', '+'],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        end = b'lstat() failed: Permission denied. ERROR' if p.returncode else b'Eicar-Test-Signature FOUND' if EICAR.encode() in p.stdout else b'OK'
        return path.encode() + b': ' + end
