#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sorts the kernel's table of instructions that may fault (arch/shared/sched_trap.h) by their addresses, in place, so that it can be searched by halves.

An entry is two distances, from themselves to the instruction and to where it goes on, and a type, of 32 bits each. Usage: sortextable.py VMLINUX
"""
import struct
import sys


def main(path):
    with open(path, "r+b") as f:
        data = f.read()
        order = "<" if data[5] == 1 else ">"
        (shoff,) = struct.unpack_from(order + "Q", data, 0x28)
        size, count = struct.unpack_from(order + "HH", data, 0x3A)
        sections = [struct.unpack_from(order + "IIQQQQIIQQ", data, shoff + i * size) for i in range(count)]
        symtab = next(s for s in sections if s[1] == 2)
        strings = sections[symtab[6]][4]
        ends = {}
        for name, _, _, _, value, _ in struct.iter_unpack(order + "IBBHQQ", data[symtab[4]:symtab[4] + symtab[5]]):
            for n in (b"__start_extable\0", b"__stop_extable\0"):
                if data.startswith(n, strings + name):
                    ends[n] = value
        start, stop = ends[b"__start_extable\0"], ends[b"__stop_extable\0"]
        if start == stop:
            return
        at = next(s[4] + start - s[3] for s in sections if s[1] == 1 and s[2] & 2 and s[3] <= start < s[3] + s[5])
        entries = []
        for i, (insn, fixup, kind) in enumerate(struct.iter_unpack(order + "iiI", data[at:at + stop - start])):
            entries.append((start + 12 * i + insn, start + 12 * i + 4 + fixup, kind))
        entries.sort()
        f.seek(at)
        for i, (insn, fixup, kind) in enumerate(entries):
            f.write(struct.pack(order + "iiI", insn - (start + 12 * i), fixup - (start + 12 * i + 4), kind))


main(sys.argv[1])
