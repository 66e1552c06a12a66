#!/bin/bash
# SPDX-License-Identifier: MIT
# gcc's address sanitizer: a shadow of all addresses, and what it says of a wrong one.
if grep -q '^mmu.*sv[45]' /proc/cpuinfo; then echo "skipped: libasan knows riscv64's Sv39 alone"; exit 77; fi
cd /tmp; gcc -fsanitize=address -g -o asan -x c - <<< '#include <stdlib.h>
int main(int c, char **v) { char *p = malloc(10); return p[c * 10]; }' && ./asan 2>&1 | grep -o 'heap-buffer-overflow' | head -1
