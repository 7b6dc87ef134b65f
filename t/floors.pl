#!/usr/bin/perl
# floors.pl TREE: prints what breaks the house's rules of structure, a finding a line as "file:line: what", and fails on any.
# Reads the table of floors in ARCHITECTURE.md. Refuses to judge anything that a compiler or linter judges already.
use strict;
use warnings;

chdir $ARGV[0] or die "$ARGV[0]: $!\n";
my $found = 0;

# The only files that may include a foreign library's header.
my @doors = (
	[ qr{^git2/sys/},             qr{^lib/repo(_\w+)?\.[ch]$} ],
	[ qr{^git2(/|\.h$)},          qr{^lib/repo_git\.h$} ],
	[ qr{^sqlite3(ext)?\.h$},     qr{^lib/db(_\w+)?\.c$} ],
	[ qr{^curl/},                 qr{^lib/http\.c$} ],
	[ qr{^jansson(_config)?\.h$}, qr{^lib/json(_\w+)?\.c$} ],
	[ qr{^(mbedtls|psa)/},        qr{^lib/(tls(_\w+)?\.[ch]|hash\.c)$} ],
	[ qr{^n?cursesw?(\.h$|/)|^(term|panel|menu|form)\.h$}, qr{^lib/tui\.c$} ],
	[ qr{^(zlib|zconf)\.h$},      qr{^lib/\w+\.c$}, 'one file alone' ],
	[ qr{^(google/)?protobuf},    qr{^lib/pb\.h$} ],
);

# What the C library brings is nobody's door.
my %libc = map { $_ => 1 } qw(
	assert ctype dirent elf endian errno fcntl float fnmatch ftw getopt glob grp ifaddrs inttypes langinfo libgen limits locale malloc math
	netdb poll pty pwd regex sched search semaphore setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio
	stdio_ext stdlib stdnoreturn string strings syslog termios time unistd wchar wctype wordexp);
my $libc_dirs = qr{^(sys|arpa|net|netinet|linux|asm)/};

# What stands behind a door is for that door's files: libgit2's types, and SQL.
my @private = (
	[ qr{^lib/repo_(git|fetch)\.h$}, qr{^lib/repo(_\w+)?\.[ch]$} ],
	[ qr{^lib/schema(_\d+)?\.sql$}, qr{^lib/db(_\w+)?\.c$} ],
	[ qr{^lib/tls_(mbed|sign)\.h$}, qr{^lib/tls(_\w+)?\.[ch]$} ],
);

my $conditionals_allowed = qr{^lib/(base\.h|tls(_\w+)?\.[ch]|repo(_\w+)?\.[ch])$};
my $sql_allowed = qr{^lib/db(_\w+)?\.c$};
my $sql = qr{\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA)\b};
my $lines_most = 800;

sub finding {
	print "$_[0]: $_[1]\n";
	$found++;
}

sub slurp {
	open my $f, '<:raw', $_[0] or die "$_[0]: $!\n";
	local $/;
	return scalar <$f>;
}

# Each file that the table names, with its floor.
sub read_table {
	my %floor;
	for (split /\n/, slurp('ARCHITECTURE.md')) {
		my ($number, $files) = /^\| *(\d) *\| *([^|]+?) *\|/ or next;
		for my $file (split ' ', $files) {
			finding('ARCHITECTURE.md', "$file stands on two floors") if exists $floor{$file};
			finding('ARCHITECTURE.md', "$file stands in the table and not in the tree") if !-e $file;
			$floor{$file} = $number;
		}
	}
	return \%floor;
}

# One pass over C text: what is code and what is a literal. Comments and the inside of literals become blanks, lines stay.
sub take_apart {
	my ($text) = @_;
	my ($code, @literals) = ('');
	my $line = 1;
	while ($text =~ m{\G(/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[^/"']+|.)}gs) {
		my $piece = $1;
		push @literals, [ $line, substr $piece, 1, -1 ] if $piece =~ /^"./s && substr($code, -300) !~ /^[ \t]*#[ \t]*include[ \t]*\z/m;
		if ($piece =~ m{^(/[*/]|["'].)}s) {
			my $blank = $piece;
			$blank =~ s/[^\n]/ /g;
			$code .= $blank;
		} else {
			$code .= $piece;
		}
		$line += $piece =~ tr/\n//;
	}
	return ($code, \@literals);
}

# A family is one door in several files: lib/db.c, lib/db_cve.c, lib/db_open.h.
sub family {
	return $_[0] =~ m{^(\w+/[a-z0-9]+)(_\w+)?\.[ch]$} ? $1 : $_[0];
}

# Where the name in an #include leads: generated files stand for what they are made from.
sub source_of {
	my ($name) = @_;
	return 'proto/tuxtape.proto' if $name eq 'proto/tuxtape.pb-c.h';
	return "lib/$1.sql" if $name =~ m{^lib/(schema(_\d+)?)\.inc$};
	return $name;
}

sub check_own_include {
	my ($floor, $file, $place, $name) = @_;
	return if $name eq 'version.h';
	my $to = source_of($name);
	return finding($place, "includes $to, which the table does not name") if !exists $floor->{$to};
	for my $private (@private) {
		finding($place, "$to is for the files behind its door") if $to =~ $private->[0] && $file !~ $private->[1];
	}
	my ($from, $below) = ($floor->{$file}, $floor->{$to});
	return if $below < $from || family($to) eq family($file) || $to =~ m{^lib/schema};
	return if $below == $from && $from =~ /^[014]$/;
	finding($place, $below == $from ? "includes its neighbour $to on floor $below" : "includes upward: $to, from floor $from to $below");
}

my %doors_used;

sub check_foreign_include {
	my ($file, $place, $name) = @_;
	return if $name =~ $libc_dirs || ($name =~ /^(\w+)\.h$/ && $libc{$1});
	for my $door (@doors) {
		next if $name !~ $door->[0];
		finding($place, "$name is not included here but by its door") if $file !~ $door->[1];
		$doors_used{$door}{$file} = 1;
		finding($place, "$name is included by " . join(' and ', sort keys %{ $doors_used{$door} }) . ': one is its door')
			if $door->[2] && keys %{ $doors_used{$door} } > 1;
		return;
	}
	finding($place, "$name belongs to no library that has a door");
}

sub check_includes {
	my ($floor, $file, $text) = @_;
	my $line = 0;
	for (split /\n/, $text) {
		$line++;
		if (/^\s*#\s*include\s*"([^"]+)"/) {
			check_own_include($floor, $file, "$file:$line", $1);
		} elsif (/^\s*#\s*include\s*<([^>]+)>/) {
			check_foreign_include($file, "$file:$line", $1);
		}
	}
}

# The guard of a header is the one conditional that is no decision.
sub check_conditionals {
	my ($file, $code) = @_;
	return if $file =~ $conditionals_allowed;
	my $guarded = $file =~ /\.h$/ && $code =~ /^\s*#\s*ifndef\s+(\w+)\s*\n\s*#\s*define\s+\g1\s*\n/ ? $1 : '';
	my $line = 0;
	for (split /\n/, $code) {
		$line++;
		next if !/^\s*#\s*(if|ifdef|ifndef|elif)\b\s*(.*?)\s*$/;
		next if $guarded && $1 eq 'ifndef' && $2 eq $guarded;
		finding("$file:$line", "#$1 outside lib/base.h, lib/tls* and lib/repo*");
	}
}

sub check_code {
	my ($file, $code, $literals) = @_;
	my $line = 0;
	for (split /\n/, $code) {
		$line++;
		finding("$file:$line", "$1(): programs are run from an argv") if /\b(system|popen)\s*\(/;
	}
	while ($file =~ /^lib/ && $code =~ /(?|\b(printf|puts|putchar|perror|exit)\s*\(|\b(stdout|stderr)\b)/g) {
		finding("$file:" . (1 + (substr($code, 0, $-[0]) =~ tr/\n//)), "$1: lib/ never prints and never exits");
	}
	return if $file =~ $sql_allowed;
	for my $literal (@$literals) {
		finding("$file:$literal->[0]", "SQL ($1) outside lib/db*.c and lib/schema.sql") if $literal->[1] =~ $sql;
	}
}

sub check_shape {
	my ($file, $text) = @_;
	my $lines = $text =~ tr/\n//;
	finding("$file:1", 'opens without a comment that says what it owns') if $text !~ m{^/\*\s*\w};
	finding($file, "$lines lines, $lines_most are the most") if $lines > $lines_most;
}

my $floor = read_table();
for my $file (sort grep { -f } 'tuxtape.c', glob('applets/* lib/* proto/*')) {
	finding($file, 'is not in the table of ARCHITECTURE.md') if !exists $floor->{$file};
	next if $file !~ /\.[ch]$/;
	my $text = slurp($file);
	my ($code, $literals) = take_apart($text);
	check_includes($floor, $file, $text) if exists $floor->{$file};
	check_conditionals($file, $code);
	check_code($file, $code, $literals);
	check_shape($file, $text);
}
check_shape($_, slurp($_)) for glob('t/*.[ch] t/unit/*.[ch] t/fuzz/*.[ch]');
exit($found ? 1 : 0);
