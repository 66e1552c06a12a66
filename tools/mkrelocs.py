#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the list of places that change when the image runs at another address (KASLR).

Absolute references to the image, 8 bytes wide or 4 bytes sign-extended, as the link with --emit-relocs recorded them;
references by physical address are left out. Format: u32 count of 8-byte places, u32 count of 4-byte places, then for each
kind the distances between ascending places (first from _text) in base 128, low part first. Usage: mkrelocs.py VMLINUX OUT.S
"""
import struct
import sys

R_64, R_32S = 1, 11
BASE = 0xFFFFFFFF80000000


def collect(path):
    data = open(path, "rb").read()
    (shoff,) = struct.unpack_from("<Q", data, 0x28)
    shentsize, shnum, _ = struct.unpack_from("<HHH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
    places = {R_64: set(), R_32S: set()}
    text = None
    for s in sections:
        if s[1] != 4 or not sections[s[7]][2] & 2:
            continue
        symtab = sections[s[6]]
        values = [v[4] for v in struct.iter_unpack("<IBBHQQ", data[symtab[4]:symtab[4] + symtab[5]])]
        if text is None:
            text = min(x[3] for x in sections if x[2] & 2 and x[3] >= BASE)
        for off, info, addend in struct.iter_unpack("<QQq", data[s[4]:s[4] + s[5]]):
            kind = info & 0xFFFFFFFF
            if kind in places and (values[info >> 32] + addend) & 0xFFFFFFFFFFFFFFFF >= BASE:
                places[kind].add(off - text)
    return places


def encode(offsets):
    out, last = bytearray(), 0
    for o in sorted(offsets):
        d, last = o - last, o
        while d >= 128:
            out.append(d & 127 | 128)
            d >>= 7
        out.append(d)
    return out


p = collect(sys.argv[1])
blob = struct.pack("<II", len(p[R_64]), len(p[R_32S])) + encode(p[R_64]) + encode(p[R_32S])
lines = ['\t.section .relocs, "a"', "\t.balign 4"]
for i in range(0, len(blob), 32):
    lines.append("\t.byte " + ",".join(str(b) for b in blob[i:i + 32]))
lines += ['\t.section .note.GNU-stack, "", @progbits', ""]
open(sys.argv[2], "w").write("\n".join(lines))
