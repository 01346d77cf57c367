"""What can be done to a process of the daemon from outside, with root's power: calls in its place, messages through its sockets."""
import atexit
import ctypes
import errno
import os
import platform
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
PIDFD_GETFD = 438

# Numbers of x86-64, which is the only processor that intrude.c knows.
CALLS = dict(open=2, dup=32, socket=41, fork=57, execve=59, kill=62, ptrace=101, setuid=105, setgid=106, setresuid=117, capset=126, mount=165,
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


def _peers():
    """{inode of a UNIX socket: inode of the one at the other end}; netlink, sock_diag(7)."""
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as s:
        body = struct.pack('=BBHIIIII', socket.AF_UNIX, 0, 0, 0xffffffff, 0, 4, 0, 0)
        s.send(struct.pack('=IHHII', 16 + len(body), 20, 0x301, 1, 0) + body)
        while True:
            part = s.recv(1 << 16)
            while part:
                length, kind = struct.unpack_from('=IH', part)
                if kind in (2, 3):
                    assert kind == 3, 'the kernel tells nothing of UNIX sockets'
                    return found
                inode = struct.unpack_from('=I', part, 20)[0]
                at = 32
                while at < length:
                    n, what = struct.unpack_from('=HH', part, at)
                    if what == 2:
                        found[inode] = struct.unpack_from('=I', part, at + 4)[0]
                    at += (n + 3) & ~3
                part = part[(length + 3) & ~3:]


def inodes(pid):
    found = {}
    for name in os.listdir('/proc/%d/fd' % pid):
        try:
            target = os.readlink('/proc/%d/fd/%s' % (pid, name))
        except FileNotFoundError:
            continue
        if target.startswith('socket:['):
            found[int(target[8:-1])] = int(name)
    return found


def between(pid, other):
    """A copy of the end that pid has of a socket pair between the two; None: there is none."""
    peers, theirs = _peers(), inodes(other)
    for inode, fd in sorted(inodes(pid).items(), key=lambda x: x[1]):
        if peers.get(inode) in theirs:
            return socket.socket(fileno=take_fd(pid, fd))
    return None


def memory_has(pid, text):
    """True if the text is anywhere in what the process can write or has read-only and private; False if it has ended."""
    try:
        return searched(pid, text)
    except (FileNotFoundError, ProcessLookupError):
        return False


def searched(pid, text):
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
