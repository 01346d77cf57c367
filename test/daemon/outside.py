"""What can be done to a process of the daemon from outside, with root's power: calls in its place, messages through its sockets."""
import atexit
import ctypes
import errno
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
PIDFD_GETFD = 438

# Numbers of x86-64, which is the only processor that intrude.c knows.
CALLS = dict(open=2, dup=32, socket=41, execve=59, kill=62, ptrace=101, setuid=105, setgid=106, setresuid=117, capset=126, mount=165,
             init_module=175, unshare=272, execveat=322, bpf=321, process_vm_readv=310, setns=308, getpid=39, prctl=157, truncate=76)

_lock = threading.Lock()
_program = None


def can_intrude():
    return os.geteuid() == 0 and platform.machine() == 'x86_64'


def _intrude_program():
    global _program
    with _lock:
        if _program is None:
            folder = tempfile.mkdtemp(prefix='remex-test-intrude-')
            atexit.register(shutil.rmtree, folder, True)
            subprocess.run(['cc', '-std=c17', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Werror', '-o', folder + '/intrude',
                            HERE + '/intrude.c'], check=True)
            _program = folder + '/intrude'
    return _program


def make(pid, call, *arguments):
    """What the system call returns when the process makes it: a number, or the name of an error, or 'signal N' that it died of."""
    words = [str(a) for a in arguments]
    p = subprocess.run([_intrude_program(), str(pid), str(CALLS[call])] + words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=20)
    text = p.stdout.decode().strip()
    if text.startswith('killed by signal '):
        return text[len('killed by '):]
    assert p.returncode == 0, (pid, call, arguments, text)
    n = int(text)
    return errno.errorcode[-n] if n < 0 else n


def take_fd(pid, fd):
    """A copy of a descriptor of another process."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    try:
        got = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
        if got < 0:
            raise OSError(ctypes.get_errno(), 'pidfd_getfd')
        return got
    finally:
        os.close(pidfd)


def packet_sockets(pid):
    """[(fd there, socket here)] of the SOCK_SEQPACKET sockets of a process, in order."""
    found = []
    for name in sorted(os.listdir('/proc/%d/fd' % pid), key=int):
        try:
            if not os.readlink('/proc/%d/fd/%s' % (pid, name)).startswith('socket:'):
                continue
        except FileNotFoundError:
            continue
        s = socket.socket(fileno=take_fd(pid, int(name)))
        if s.family == socket.AF_UNIX and s.type & 0xf == socket.SOCK_SEQPACKET:
            found.append((int(name), s))
        else:
            s.close()
    return found


def made_by(s):
    """The process that made the pair."""
    return int.from_bytes(s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], 'little')


def memory_has(pid, text):
    """True if the text is anywhere in what the process can write or has read-only and private."""
    with open('/proc/%d/maps' % pid) as maps, open('/proc/%d/mem' % pid, 'rb', 0) as mem:
        for line in maps:
            words = line.split()
            if 'r' not in words[1] or (len(words) > 5 and words[5].startswith(('/usr/', '/lib', '[v'))):
                continue
            low, high = (int(x, 16) for x in words[0].split('-'))
            kept = b''
            for at in range(low, high, 1 << 20):
                try:
                    block = kept + os.pread(mem.fileno(), min(1 << 20, high - at), at)
                except OSError:
                    break
                if text in block:
                    return True
                kept = block[-len(text):]
    return False
