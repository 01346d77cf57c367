"""Name spaces of one's own for a test that runs as root: network, mounts, the name of the machine."""
import ctypes
import os
import subprocess

NEWNS, NEWUTS, NEWNET = 0x00020000, 0x04000000, 0x40000000
REC, PRIVATE, BIND = 0x4000, 0x40000, 0x1000
libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result:
        raise OSError(ctypes.get_errno(), '%s: %s' % (what, os.strerror(ctypes.get_errno())))


def enter(more=0):
    """From here on this process and its children have their own network (loopback alone, up) and mounts."""
    checked(libc.unshare(NEWNS | NEWNET | more), 'unshare')
    checked(libc.mount(b'none', b'/', None, REC | PRIVATE, None), '/')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


def bind(source, path):
    """The file or folder `source` is seen at `path`, which must be there."""
    checked(libc.mount(source.encode(), os.path.realpath(path).encode(), None, BIND, None), path)
