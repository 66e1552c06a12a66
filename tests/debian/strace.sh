#!/bin/bash
# SPDX-License-Identifier: MIT
# strace: children followed, decoded arguments, signals, counts, filters, attaching and detaching.
mkdir /tmp/strace; cd /tmp/strace; export LC_ALL=C
strace -ff -qq -e trace=write,exit_group -e signal=none -o out sh -c 'echo hello | cat; exit 3'; echo status $?; cat out.* | sort
strace -e trace=openat -y cat /etc/hostname 2>&1 | grep hostname | sed 's/[0-9]*<\/etc/N<\/etc/'
strace -e trace=none -e signal=all sh -c 'kill -TERM $$' 2>&1 | sed 's/si_pid=[0-9]*/si_pid=N/'; strace -e trace=/^nothing cat /dev/null 2>&1 | tail -1
strace -c -e trace=?mkdir,?rmdir sh -c 'mkdir d; rmdir d' 2>&1 | awk '$NF == "total" { print $4 }'; strace -f -c -e trace=?mkdir,?rmdir -o counts sh -c 'mkdir d; rmdir d; mkdir /proc/x 2> /dev/null'; awk '$NF ~ /dir$/ { print $NF, $4, NF > 5 ? $5 : 0 }' counts | sort
strace -e 'inject=?rmdir,?unlinkat:error=EBUSY' rmdir d 2>&1 | sed 's/^unlinkat(AT_FDCWD, "d", AT_REMOVEDIR)/rmdir("d")/; s/  *= / = /' | grep -E '^(rmdir|rmdir:)'; strace -e trace=nanosleep,clock_nanosleep -e status=successful sleep 0.01 2>&1 | grep -c sleep
sleep 1000 & p=$!; strace -p $p -o attached 2> said & s=$!; until grep -q '^TracerPid:.[1-9]' /proc/$p/status; do sleep 0.02; done; kill -INT $s; wait $s; sed 's/[0-9]*//g' said; grep TracerPid /proc/$p/status; kill $p; wait $p 2>/dev/null; echo sleeper $?
strace -f -e trace=execve -e quiet=all -o st bash -c 'exec -a other true'; grep -c '"/usr/bin/true", \["other"\]' st; strace -D -o bg true; until grep -q '^+++ exited' bg 2> /dev/null; do sleep 0.02; done; tail -1 bg; strace -ttt -T -e trace=getpid,exit_group true 2>&1 | grep -c exit_group
