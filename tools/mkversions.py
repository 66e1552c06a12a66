#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a module imports, with the hashes of its types (mktypes.py), as kmod and the kernel read them: 64 bytes each, the hash and the name.

Usage: mkversions.py MODULE.o SYMVERS OUT [SYMVERS...]: writes the contents of the section __versions. mkversions.py MODULE.o NAMES, of a module in Rust, checks only that the
image exports what it imports: one hash, of the whole crate, covers all of it (rustexports.py).
"""
import struct
import sys


def undefined(data):
    """The names of the symbols that an object of 64 bits has not got itself."""
    (shoff,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * size) for i in range(count)]
    symtab = next(s for s in sections if s[1] == 2)
    strings = sections[symtab[6]][4]
    names = []
    for name, _, _, section, _, _ in struct.iter_unpack("<IBBHQQ", data[symtab[4]:symtab[4] + symtab[5]]):
        if not section and name:
            names.append(data[strings + name:data.index(b"\0", strings + name)].decode())
    return sorted(set(names))


def main(module, symvers, out=None, *more):
    known = {}
    for path in symvers, *more:
        with open(path) as f:
            known.update((row[-1], row[0]) for row in (line.rstrip("\n").split("\t")[:2] for line in f))
    with open(module, "rb") as f:
        names = undefined(f.read())
    missing = [n for n in names if n not in known]
    if missing:
        sys.exit("mkversions: %s uses what the image does not export: %s" % (module, ", ".join(missing)))
    if not out:
        return
    if any(len(n) > 55 for n in names):
        sys.exit("mkversions: a name of more than 55 bytes")
    with open(out, "wb") as f:
        f.write(b"".join(struct.pack("<Q56s", int(known[n], 16), n.encode()) for n in names))


main(*sys.argv[1:])
