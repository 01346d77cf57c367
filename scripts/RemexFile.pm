# Files of the configuration that our programs change: each is complete or stays as it was, and two programs at a time do not
# undo each other's work. Installed in /usr/share/remex.
package RemexFile;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(:DEFAULT :flock);
use FindBin;
use IO::Handle;

our @EXPORT_OK = qw(lines locked_folder put put_all stop);

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

# The new file beside the old one, complete and on the disk. Root gives it to the group, where there is such a group.
sub write_beside {
    my ($path, $mode, $group, @lines) = @_;
    my $new = "$path.new";
    unlink $new;
    sysopen(my $f, $new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600) or return 0;
    if ($> == 0 && defined(my $gid = getgrnam $group)) {
        chown 0, $gid, $f or return 0;
    }
    return print($f map { "$_\n" } @lines) && $f->flush && chmod($mode, $f) && $f->sync && close $f;
}

# What was there comes back, and what was not there goes.
sub take_back {
    my @paths = @_;
    for my $path (@paths) {
        -e "$path.old" ? rename "$path.old", $path : unlink $path;
    }
}

# Puts files in the place of the old ones: all of them or none. files: [path, line, ...] each, in the folder.
sub put_all {
    my ($folder, $mode, $group, @files) = @_;
    my @paths = map { $_->[0] } @files;
    my @done;
    my $give_up = sub {
        my ($path, $why) = ($_[0], "$!");
        take_back(@done);
        unlink map { ("$_.new", "$_.old") } @paths;
        stop("$path: $why; " . (@paths > 1 ? 'nothing is changed' : 'it stays as it was'));
    };
    local $SIG{INT} = local $SIG{TERM} = local $SIG{HUP} = 'IGNORE';
    write_beside($_->[0], $mode, $group, @{$_}[1 .. $#$_]) or $give_up->($_->[0]) for @files;
    if (@paths > 1) {
        unlink map { "$_.old" } @paths;
        link $_, "$_.old" or $!{ENOENT} or $give_up->($_) for @paths;
    }
    for my $path (@paths) {
        rename "$path.new", $path or $give_up->($path);
        push @done, $path;
    }
    unlink map { "$_.old" } @paths;
    $folder->sync or stop("$paths[0]: $!");
}

# Puts a file of these lines in the place of the old one.
sub put {
    my ($folder, $path, $mode, $group, @lines) = @_;
    put_all($folder, $mode, $group, [$path, @lines]);
}

1;
