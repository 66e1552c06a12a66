#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the list of operands that change when an alternative is copied to where it runs: those relative to the instruction pointer, as the link with
--emit-relocs recorded them (what lies in the alternative itself has no record, and moves along). Refuses what could not be copied: a kind of reference
that it does not know, or one to init's text, which is gone when the copy still runs. Format: ascending u32 distances from _text.
Usage: mkalts.py VMLINUX OUT.S"""
import struct
import sys

RELATIVE, ABSOLUTE = (2, 4), (1, 11)       # R_X86_64_PC32, PLT32; 64, 32S, which KASLR knows of


def collect(path):
    data = open(path, "rb").read()
    (shoff,) = struct.unpack_from("<Q", data, 0x28)
    shentsize, shnum, shstr = struct.unpack_from("<HHH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]

    def string(section, at):
        at += section[4]
        return data[at:data.index(b"\0", at)].decode()
    named = {string(sections[shstr], s[0]): s for s in sections}
    init, where = named[".init.text"], named[".init.data"]
    symtab = named[".symtab"]
    strings = sections[symtab[6]]
    symbols = [(v[4], string(strings, v[0])) for v in struct.iter_unpack("<IBBHQQ", data[symtab[4]:symtab[4] + symtab[5]])]
    at = {name: value for value, name in symbols if name in ("_text", "__start_alternatives", "__stop_alternatives")}
    start, stop = at["__start_alternatives"], at["__stop_alternatives"]
    copied = []
    for entry in range(start, stop, 12):
        _, new, _, _, size = struct.unpack_from("<iiHBB", data, where[4] + entry - where[3])
        copied.append((entry + 4 + new, entry + 4 + new + size))
    places = []
    rela = named.get(".rela.init.text")
    for off, info, addend in struct.iter_unpack("<QQq", data[rela[4]:rela[4] + rela[5]] if rela else b""):
        if not any(a <= off < b for a, b in copied):
            continue
        kind, target = info & 0xFFFFFFFF, symbols[info >> 32][0] + addend
        if kind not in RELATIVE + ABSOLUTE:
            sys.exit("mkalts: the alternative at %#x has a reference of kind %d, which cannot be copied" % (off, kind))
        if init[3] <= target < init[3] + init[5]:
            sys.exit("mkalts: the alternative at %#x refers to init's text" % off)
        if kind in RELATIVE:
            places.append(off - at["_text"])
    return sorted(places)


lines = ['\t.section .alt_relative, "a"', "\t.balign 4"] + ["\t.long %d" % p for p in collect(sys.argv[1])]
open(sys.argv[2], "w").write("\n".join(lines + ['\t.section .note.GNU-stack, "", @progbits', ""]))
