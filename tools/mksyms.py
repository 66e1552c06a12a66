#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the symbol table that the kernel carries for its backtraces.

Names are cut at underscores into words; each distinct word is stored once, a name is a string of word numbers:
  u32 groups, nwords; { u32 offset (from _text, ascending), start (in names) }[groups + 1]; u16 word_start[nwords + 1]; words (ASCII); names.
A group is up to 32 names, of symbols by address: of each but the first how far behind the one before it lies (one byte below 0x80; else two, of
what is above 0x80: 0x80 + high byte, low byte); u8 length; word numbers (below 0xc0 one byte, else two likewise). The last group is the end.
Sizes come from the next symbol. Only code is kept. Usage: mksyms.py VMLINUX OUT.S
"""
import re
import struct
import sys
from collections import Counter


def read_symbols(path):
    data = open(path, "rb").read()
    e = "<" if data[5] == 1 else ">"
    (shoff,) = struct.unpack_from(e + "Q", data, 0x28)
    shentsize, shnum, _ = struct.unpack_from(e + "HHH", data, 0x3A)
    sections = [struct.unpack_from(e + "IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
    execs = {i for i, s in enumerate(sections) if s[2] & 4}
    out = {}
    base = None
    for s in sections:
        if s[1] != 2:
            continue
        strs = sections[s[6]]
        tab = data[strs[4]:strs[4] + strs[5]]
        for name, info, _, shndx, value, _ in struct.iter_unpack(e + "IBBHQQ", data[s[4]:s[4] + s[5]]):
            n = tab[name:tab.index(b"\0", name)].decode("utf-8", "replace")
            if n == "_text":
                base = value
            kind = info & 15
            if shndx not in execs or not n or kind in (3, 4) or n.startswith((".L", "$", "__start_", "__stop_")):
                continue
            old = out.get(value)
            # A function beats a label, global beats local, then the shorter name.
            rank = (kind != 2, info >> 4 == 0, len(n), n)
            if old is None or rank < old[0]:
                out[value] = (rank, n)
    return base, sorted((v, n) for v, (_, n) in out.items() if v >= base)    # not the entry, which is a physical address


def demangle(name):
    """What is shown. Rust's v0 names are long: keep path words only."""
    if not name.startswith("_R"):
        return re.sub(r"(\.(constprop|isra|part)\.\d+)+", "", name)      # gcc's copies of a function
    words, i = [], 2
    while i < len(name):
        if name[i].isdigit() and name[i] != "0":
            j = i
            while j < len(name) and name[j].isdigit():
                j += 1
            n = int(name[i:j])
            if j < len(name) and name[j] == "_":
                j += 1
            if j + n > len(name):
                break
            words.append(name[j:j + n])
            i = j + n
        else:
            i += 1
    return "::".join(w for w in words[-4:] if w) or name


GROUP = 32


def number(n, limit):
    """One byte below the limit, or two."""
    return bytes((n,)) if n < limit else bytes((limit + (n - limit >> 8), n - limit & 255))


def main():
    base, syms = read_symbols(sys.argv[1])
    syms = [(v - base, demangle(n)[:120]) for v, n in syms]

    def split(n):
        parts = n.split("_")
        return [p + "_" for p in parts[:-1]] + ([parts[-1]] if parts[-1] else [])

    count = Counter(w for _, n in syms for w in split(n))
    words = [w for w, _ in sorted(count.items(), key=lambda x: (-x[1], x[0]))][:0xC0 + 0x3F * 256]
    index = {w: i for i, w in enumerate(words)}
    blob = bytearray()
    marks = []
    in_group, last = GROUP, 0
    for v, n in syms:
        if in_group == GROUP or v - last > 0x7FFF:
            marks += [v, len(blob)]
            in_group = 0
        else:
            blob += number(v - last, 0x80)
        in_group, last = in_group + 1, v
        enc = b"".join(number(index[w], 0xC0) for w in split(n) if w in index)
        blob.append(len(enc))
        blob += enc
    text = b"".join(w.encode("ascii", "replace") for w in words)
    starts, pos = [], 0
    for w in words:
        starts.append(pos)
        pos += len(w)
    starts.append(pos)
    if pos > 0xFFFF:
        sys.exit("mksyms: more than 64 KiB of words")

    def emit(kind, values):
        lines = []
        for i in range(0, len(values), 16):
            lines.append("\t%s %s" % (kind, ",".join(str(v) for v in values[i:i + 16])))
        return lines

    out = ['\t.section .ksyms, "a"', "\t.balign 8"]
    out += emit(".long", [len(marks) // 2, len(words)])
    out += emit(".long", [*marks, last, len(blob)])
    out += emit(".short", starts)
    out += emit(".byte", list(text))
    out += emit(".byte", list(blob))
    out += ['\t.section .note.GNU-stack, "", @progbits', ""]
    open(sys.argv[2], "w").write("\n".join(out))


main()
