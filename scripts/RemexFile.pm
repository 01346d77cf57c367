# Files of the configuration that our programs change: each is complete or stays as it was, and two programs at a time do not
# undo each other's work. Installed in /usr/share/remex.
package RemexFile;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(:DEFAULT :flock);
use FindBin;
use IO::Handle;

our @EXPORT_OK = qw(lines locked_folder put stop);

my $FILE_MAX = 1 << 20;

# Ends the program, which says why by the name that it was called by.
sub stop {
    print STDERR "$FindBin::Script: @_\n";
    exit 1;
}

# The lines of a file, without their ends; none when it is not there.
sub lines {
    my ($path) = @_;
    sysopen(my $f, $path, O_RDONLY | O_NONBLOCK) or return $!{ENOENT} ? () : stop("$path: $!");
    -f $f && -s $f <= $FILE_MAX or stop("$path: is no ordinary file of at most $FILE_MAX bytes");
    chomp(my @lines = <$f>);
    return @lines;
}

sub folder_of {
    my ($path) = @_;
    return $path =~ m{^(.*)/[^/]+$} ? ($1 eq '' ? '/' : $1) : '.';
}

# The folder of a file, which nobody else has until it is closed: the file itself is replaced.
sub locked_folder {
    my ($path) = @_;
    my $dir = folder_of($path);
    sysopen(my $d, $dir, O_RDONLY | O_DIRECTORY) or stop("$dir: $!");
    flock $d, LOCK_EX or stop("$dir: $!");
    return $d;
}

# Puts a file of these lines in the place of the old one. Root gives it to the group, where there is such a group.
sub put {
    my ($folder, $path, $mode, $group, @lines) = @_;
    my $new = "$path.new";
    my $give_up = sub { my $why = "$!"; unlink $new; stop("$path: $why; it stays as it was") };
    unlink $new;
    sysopen(my $f, $new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600) or $give_up->();
    if ($> == 0 && defined(my $gid = getgrnam $group)) {
        chown 0, $gid, $f or $give_up->();
    }
    print($f map { "$_\n" } @lines) && $f->flush && chmod($mode, $f) && $f->sync && close $f or $give_up->();
    rename $new, $path or $give_up->();
    $folder->sync or stop("$path: $!");
}

1;
