"""Private keys that only root may read: made right, and made wrong in every way that is refused."""
import os
import subprocess

REFUSED = 'key %s of the out transport is not used: %s'


class Keys:
    """A folder of root's with a key `good`; options of a transport that signs with one of them."""

    def __init__(self, site, folder='keys'):
        self.site, self.folder = site, site.path(folder)
        os.mkdir(self.folder, 0o755)
        self.make('good')

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, mode=0o600, size=1024):
        made = subprocess.run(('openssl', 'genrsa', '-traditional', str(size)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout
        self.write(name, made, mode)

    def write(self, name, data, mode=0o600):
        path = self.path(name)
        with open(path + '.new', 'wb') as f:
            f.write(data)
        os.chmod(path + '.new', mode)
        os.rename(path + '.new', path)

    def options(self, selector, key=None, more=''):
        key = self.path('$dkim_selector') if key is None else key
        return ('  dkim_domain = here.example\n  dkim_selector = %s\n  dkim_private_key = %s\n  dkim_strict = true\n%s' %
                (selector, key, more))

    def spoil(self):
        """[(selector, file, why it is refused)]; what begins with .. is outside the folder. One that is good is among them."""
        for name in ('mode', 'owner', 'group', 'twice', 'large', 'exact', 'large-file'):
            self.make(name)
        for name, mode in (('mode', 0o602), ('group', 0o620)):
            os.chmod(self.path(name), mode)
        os.chown(self.path('owner'), self.site.uid, self.site.gid)
        os.chmod(self.path('owner'), 0o200)         # its owner cannot read it either
        os.link(self.path('twice'), self.path('again'))
        os.symlink('good', self.path('link'))
        os.mkfifo(self.path('fifo'), 0o600)
        with open(self.path('good'), 'rb') as f:
            good = f.read()
        for name, size in (('exact', 65536), ('large', 65537)):
            self.write(name, good + b'\n' * (size - len(good)))
        for name, mode, owner in (('shared', 0o777, 0), ('theirs', 0o755, self.site.uid)):
            os.mkdir(self.path(name))
            self.make(name + '/x')
            os.chmod(self.path(name), mode)
            os.chown(self.path(name), owner, 0)
        os.symlink('shared', self.path('linked'))
        os.mkdir(self.path('closed'), 0o700)
        self.make('../outside')
        f, words = self.path, ('others than root can write it', 'others than root can change a folder of its path',
                               'a part of its path is a symbolic link')
        return [('mode', f('mode'), words[0]), ('group', f('group'), words[0]), ('owner', f('owner'), 'its owner is not root'),
                ('twice', f('twice'), 'it has more than one name'), ('fifo', f('fifo'), 'it is not a regular file'),
                ('large', f('large'), 'it is too large'), ('exact', f('exact'), None), ('shared/x', f('shared/x'), words[1]),
                ('theirs/x', f('theirs/x'), words[1]), ('linked/x', f('linked/x'), words[2]), ('closed', f('closed'), 'it is not a regular file'),
                ('closed/x', f('closed/x'), 'No such file or directory'), ('../outside', f('../outside'), 'its path is not a plain one')]
