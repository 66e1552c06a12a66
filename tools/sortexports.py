#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finishes the kernel's table of what modules may use (kernel/export.h), in place: each entry gets the hash of its name and that of its type, and they are sorted by the former.

An entry is two hashes of 64 bits and two distances of 32, from themselves to the thing and to its name. Usage: sortexports.py VMLINUX SYMVERS
"""
import struct
import sys


def fnv(name):
    h = 0xCBF29CE484222325
    for c in name:
        h = ((h ^ c) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def main(path, symvers):
    with open(symvers) as f:
        types = {row[1].encode(): int(row[0], 16) for row in (line.split("\t") for line in f)}
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
        for i, (_, _, place, name) in enumerate(struct.iter_unpack("<QQii", data[at:at + stop - start])):
            where = start + 24 * i + 20 + name
            offset = s[4] + where - s[3]
            text = data[offset:data.index(b"\0", offset)]
            entries.append((fnv(text), types[text], start + 24 * i + 16 + place, where))
        entries.sort()
        if len({e[0] for e in entries}) != len(entries):
            sys.exit("sortexports: a name is exported twice, or two names have the same hash")
        f.seek(at)
        for i, (h, kind, place, name) in enumerate(entries):
            f.write(struct.pack("<QQii", h, kind, place - (start + 24 * i + 16), name - (start + 24 * i + 20)))


main(*sys.argv[1:])
