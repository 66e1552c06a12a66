#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finishes the kernel's table of what modules may use (kernel/export.h), in place: each entry gets the hash of its name, and they are sorted by it.

An entry is a hash of 64 bits and two distances of 32, from themselves to the thing and to its name. Usage: sortexports.py VMLINUX
"""
import struct
import sys


def fnv(name):
    h = 0xCBF29CE484222325
    for c in name:
        h = ((h ^ c) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def main(path):
    with open(path, "r+b") as f:
        data = f.read()
        (shoff,) = struct.unpack_from("<Q", data, 0x28)
        size, count = struct.unpack_from("<HH", data, 0x3A)
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * size) for i in range(count)]
        symtab = next(s for s in sections if s[1] == 2)
        strings = sections[symtab[6]][4]
        ends = {}
        for name, _, _, _, value, _ in struct.iter_unpack("<IBBHQQ", data[symtab[4]:symtab[4] + symtab[5]]):
            for n in (b"__start_export\0", b"__stop_export\0"):
                if data.startswith(n, strings + name):
                    ends[n] = value
        start, stop = ends[b"__start_export\0"], ends[b"__stop_export\0"]
        s = next(s for s in sections if s[1] == 1 and s[2] & 2 and s[3] <= start < s[3] + s[5])
        at = s[4] + start - s[3]
        entries = []
        for i, (_, place, name) in enumerate(struct.iter_unpack("<Qii", data[at:at + stop - start])):
            where = start + 16 * i + 12 + name
            offset = s[4] + where - s[3]
            entries.append((fnv(data[offset:data.index(b"\0", offset)]), start + 16 * i + 8 + place, where))
        entries.sort()
        if len({e[0] for e in entries}) != len(entries):
            sys.exit("sortexports: a name is exported twice, or two names have the same hash")
        f.seek(at)
        for i, (h, place, name) in enumerate(entries):
            f.write(struct.pack("<Qii", h, place - (start + 16 * i + 8), name - (start + 16 * i + 12)))


main(sys.argv[1])
