# What remex-setup and remex-verify say, in the language of the user: the texts of the package's questions and their own
# sentences, translated by .po files. Installed in /usr/share/remex; in the sources they lie where translators look for them.
package RemexTexts;
use strict;
use warnings;
use Exporter 'import';
use FindBin;

our @EXPORT_OK = qw(path_of phrase read_translations text_of translated);

my $INSTALLED = '/usr/share/remex';
my %translation;

# A file, or undef when it cannot be read.
sub text_of {
    my ($path) = @_;
    open my $f, '<', $path or return undef;
    local $/;
    return scalar <$f>;
}

# Where a text is: beside the sources' script, or installed. Undef: nowhere.
sub path_of {
    my ($installed, $ours) = @_;
    my ($found) = grep { -r } "$FindBin::RealBin/../$ours", "$INSTALLED/$installed";
    return $found;
}

sub read_file {
    my ($path) = @_;
    my $text = text_of($path) // return;
    my $string = qr/((?:"(?:[^"\\]|\\.)*"\s*)+)/;
    my $plain = sub { join('', $_[0] =~ /"((?:[^"\\]|\\.)*)"/g) =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ger };
    while ($text =~ /^msgid $string^msgstr $string/mg) {
        my ($from, $to) = ($plain->($1), $plain->($2));
        $translation{$from} = $to if $to ne '';
    }
}

# For the language of the environment, where its letters are UTF-8; those that are not there stay English.
sub read_translations {
    my $locale = $ENV{LC_ALL} || $ENV{LC_MESSAGES} || $ENV{LANG} || '';
    return if $locale !~ /\.UTF-?8\b/i;
    my ($language) = ($ENV{LANGUAGE} || $locale) =~ /^([a-z]{2,3})(?![a-z])/ or return;
    read_file($_) for grep { defined } path_of("setup.$language.po", "debian/po/$language.po"),
        path_of("scripts.$language.po", "scripts/po/$language.po");
}

sub translated {
    my ($text) = @_;
    return $translation{$text} // $text;
}

# A sentence, with what its %s stand for.
sub phrase {
    my ($text, @values) = @_;
    return sprintf translated($text), @values;
}

1;
