#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the list of places that change when the image runs at another address (KASLR).

Absolute references to the image, 8 bytes wide or 4 bytes sign-extended, as the link with --emit-relocs recorded them;
references by physical address are left out. And relative references to what does not move (a weak symbol that is not there is
at 0), which change the other way. What the linker put into the global offset table has no relocations: all of it that lies in the image is one. Format: three u32 counts (8-byte places, 4-byte places, relative places), then for each kind
the distances between ascending places (first from _text) in base 128, low part first. Usage: mkrelocs.py VMLINUX OUT.S
"""
import struct
import sys

# By e_machine: where the image is linked, the kinds of references by absolute address (8 bytes, 4 bytes), the relative ones, and those
# that cannot be moved: none may lead into the image.
CPUS = {
    62: (0xFFFFFFFF80000000, 1, 11, (2, 4), ()),
    183: (0xFFFF800080000000, 257, None, (), (258, *range(263, 273))),
    243: (0xFFFFFFFF80000000, 2, None, (), (1, 26, 27, 28)),
    258: (0xFFFF800080000000, 2, None, (), (1, *range(67, 71))),
}


def got(data, sections, symtab, base):
    """The table's words that are addresses in the image: between __start_got and __stop_got."""
    strings = sections[symtab[6]][4]
    ends = {}
    for name, _, _, _, value, _ in struct.iter_unpack("<IBBHQQ", data[symtab[4]:symtab[4] + symtab[5]]):
        for n in (b"__start_got\0", b"__stop_got\0"):
            if data[strings + name:strings + name + len(n)] == n:
                ends[n] = value
    start, stop = ends[b"__start_got\0"], ends[b"__stop_got\0"]
    for s in sections:
        if s[2] & 2 and s[1] == 1 and s[3] <= start < s[3] + s[5]:
            for at in range(start, stop, 8):
                if struct.unpack_from("<Q", data, s[4] + at - s[3])[0] >= base:
                    yield at


def collect(path):
    data = open(path, "rb").read()
    base, wide, narrow, relative, fixed = CPUS[struct.unpack_from("<H", data, 18)[0]]
    (shoff,) = struct.unpack_from("<Q", data, 0x28)
    shentsize, shnum, _ = struct.unpack_from("<HHH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
    places = {"wide": set(), "narrow": set(), "relative": set()}
    text = None
    for s in sections:
        if s[1] != 4 or not sections[s[7]][2] & 2:
            continue
        symtab = sections[s[6]]
        symbols = [(v[4], v[3]) for v in struct.iter_unpack("<IBBHQQ", data[symtab[4]:symtab[4] + symtab[5]])]
        if text is None:
            text = min(x[3] for x in sections if x[2] & 2 and x[3] >= base)
        for off, info, addend in struct.iter_unpack("<QQq", data[s[4]:s[4] + s[5]]):
            kind = info & 0xFFFFFFFF
            value, shndx = symbols[info >> 32]
            inside = (value + addend) & 0xFFFFFFFFFFFFFFFF >= base and shndx
            if kind in relative:
                if shndx in (0, 0xFFF1) and value < base:
                    places["relative"].add(off - text)
            elif kind in (wide, narrow) and inside:
                places["wide" if kind == wide else "narrow"].add(off - text)
            elif kind in fixed and inside:
                sys.exit("mkrelocs: a reference at %#x (kind %d) cannot be moved" % (off, kind))
    places["wide"].update(at - text for s in sections if s[1] == 2 for at in got(data, sections, s, base))
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
kinds = ("wide", "narrow", "relative")
blob = struct.pack("<III", *(len(p[k]) for k in kinds)) + b"".join(bytes(encode(p[k])) for k in kinds)
lines = ['\t.section .relocs, "a"', "\t.balign 4"]
for i in range(0, len(blob), 32):
    lines.append("\t.byte " + ",".join(str(b) for b in blob[i:i + 32]))
lines += ['\t.section .note.GNU-stack, "", @progbits', ""]
open(sys.argv[2], "w").write("\n".join(lines))
