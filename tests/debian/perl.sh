#!/bin/bash
# SPDX-License-Identifier: MIT
# perl: processes, signals, threads, sockets, select, sorting, regular expressions, files.
cd /tmp; perl - <<'P'
use strict; use warnings; use threads; use threads::shared; use Thread::Queue; use IO::Socket::UNIX; use IO::Select; use POSIX qw(:sys_wait_h dup2 strftime); use Time::HiRes qw(sleep ualarm); use Fcntl qw(:flock :mode); use File::Temp;
my $sum :shared = 0; my @t = map { my $i = $_; threads->create(sub { for (1..1000) { lock $sum; $sum++ } $i * 2 }) } 1..4; my $r = 0; $r += $_->join for @t; print "threads $sum $r\n";
pipe(my $rd, my $wr); my $pid = fork; if (!$pid) { close $rd; print $wr "from child\n"; close $wr; exit 3 } close $wr; print "got ", <$rd>; waitpid $pid, 0; print "status ", $? >> 8, "\n";
my $n = 0; $SIG{ALRM} = sub { $n++ }; ualarm(10_000); sleep 1 until $n; print "alarm\n"; $SIG{CHLD} = sub { $n += 10 }; my $p2 = fork // die; exit 0 unless $p2; sleep 0.01 while $n < 11; waitpid $p2, 0; print "chld\n"; $SIG{CHLD} = 'DEFAULT';
my $path = "/tmp/perl.sock"; my $s = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die; if (!fork) { my $c = IO::Socket::UNIX->new(Peer => $path); print $c "line $_\n" for 1..3; exit } my $c = $s->accept; my $sel = IO::Select->new($c); $sel->can_read(10); print "sock $_" while <$c>; wait;
open my $f, '+>', "/tmp/pf"; flock $f, LOCK_EX or die; print $f "x" x 100000; seek $f, 0, 0; my $len = length(<$f>); print "file $len\n"; my $mode = (stat "/tmp/pf")[2]; printf "mode %o\n", S_IMODE($mode); truncate $f, 10; print -s "/tmp/pf", "\n";
my %h = map { $_ => $_ ** 2 } 1..100; print join(",", (sort { $h{$b} <=> $h{$a} } keys %h)[0..4]), "\n"; my $text = "the quick brown fox " x 1000; my $count = () = $text =~ /\b(\w+o\w+)\b/g; print "matches $count\n";
print `echo backtick`, system("sh", "-c", "exit 5") >> 8, "\n"; kill 0, $$ or die; eval { local $SIG{__DIE__}; die "oops\n" }; print "died $@"; my $q = Thread::Queue->new(1..5); my $th = threads->create(sub { my $s = 0; while (defined(my $x = $q->dequeue_nb)) { $s += $x } $s }); print "queue ", $th->join, "\n";
opendir my $d, "/proc/self/fd"; my @fds = grep { /^\d/ } readdir $d; print "fds\n" if @fds >= 3; print "pid\n" if $$ == POSIX::getpid(); printf "%s\n", strftime("%Y-%m-%d", gmtime 86400 * 365); 
P
echo status $?
