# SPDX-License-Identifier: BSD-3-Clause
# A Perl heap made of real things: which words are in which lines of the system's headers. Says when it is ready, stays
# until its input ends.
use strict;
use warnings;

my %lines;
my $left = 60_000;
FILE: for my $name (sort glob '/usr/include/*.h') {
    open my $file, '<', $name or next;
    while (my $line = <$file>) {
        push @{ $lines{$_} }, "$name:$.: $line" for $line =~ /[A-Za-z_]\w+/g;
        last FILE if --$left == 0;
    }
}
$| = 1;
print "ready\n";
() = <STDIN>;
