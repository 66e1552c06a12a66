#!/bin/bash
# SPDX-License-Identifier: MIT
# gdb stops a program at a system call, steps from there, and lets it end.
if [ "$(uname -m)" = riscv64 ]; then echo "skipped: gdb 16 catches no system calls on riscv64"; exit 77; fi
cd /tmp; export LC_ALL=C HOME=/tmp; gcc -g -O0 -o calls -x c - <<< '#include <stdio.h>
int main(void) { printf("18\n"); return 0; }'
g() { timeout 90 gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set style enabled off' "$@" 2>&1 | sed 's/0x[0-9a-f]\+/ADDR/g; s/LWP [0-9]*/LWP/; s/process [0-9]*/process N/; s/Hardware watchpoint/Watchpoint/' | grep -v '^\[New Thread\|^\[Thread\|^Using host\|^\[Switching\|^warning\|exited\]$\|^$'; }
g -ex 'catch syscall write' -ex run -ex 'print $_exitcode' -ex continue -ex 'stepi' -ex 'print $pc != 0' -ex delete -ex continue ./calls | grep -E '^(Catchpoint|.*Catchpoint|\$|12|17|18)' | sed 's/, ADDR.*//; s/ \[[0-9]*\])/)/'
