#!/usr/bin/perl
# SPDX-License-Identifier: BSD-3-Clause
# well_formed.pl FILE - whether a page is well-formed as XML is, and self-contained: nothing in it is fetched or run.
use strict;
use warnings;

sub wrong { print "$_[0]\n"; exit 1 }

local $/;
open(my $in, '<', $ARGV[0]) or die "$ARGV[0]: $!";
my $text = <$in>;
my $all = $text;
my (@open, %ids, $elements);
$text =~ s/^<!DOCTYPE html>\s*// or wrong('no doctype');
while ($text ne '') {
	if ($text =~ s/^([^<]+)//) {
		my $plain = $1;
		wrong("text outside of all elements: $plain") if !@open && $plain =~ /\S/;
		wrong("a bare & in: $plain") if $plain =~ /&(?!(amp|lt|gt|quot|#\d+);)/;
	} elsif ($text =~ s/^<\/([a-zA-Z0-9]+)>//) {
		my $last = pop(@open) // 'nothing';
		wrong("</$1> ends $last") if $last ne $1;
	} elsif ($text =~ s/^<([a-zA-Z0-9]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*)(\/?)>//) {
		my ($name, $attributes, $empty) = ($1, $2, $3);
		my %seen;
		$elements++;
		while ($attributes =~ /([a-zA-Z:-]+)="([^"]*)"/g) {
			wrong("<$name> has two $1") if $seen{$1}++;
			wrong("id $2 twice") if $1 eq 'id' && $ids{$2}++;
			wrong("<$name $1=...> fetches or runs something") if $1 =~ /^(src|href|xlink:href|data|on.*)$/;
			wrong("not a number in $name $1=\"$2\"") if $2 =~ /\b(nan|inf)\b/i;
		}
		wrong("<$name>") if $name =~ /^(script|link|iframe|object|img|embed|base)$/;
		push(@open, $name) if !$empty;
	} else {
		wrong('no element: ' . substr($text, 0, 60));
	}
}
wrong("never ended: @open") if @open;
wrong('hardly anything in it') if ($elements // 0) < 30;
wrong('fetches by style') if $all =~ /url\(|\@import/;
$all =~ s/xmlns="[^"]*"//g;
wrong("an address: $1") if $all =~ /(https?:\/\/\S*)/;
