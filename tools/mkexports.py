#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of what a module exports to others (kernel/export.h), as assembly, and its lines of Module.symvers.

Usage: mkexports.py MODULE MODULE.o DWARFDUMP OUT.S SYMVERS. The object's debug information has the types (mktypes.py); with none exported, both files are empty.
"""
import sys

import mktypes


def fnv(name):
    h = 0xCBF29CE484222325
    for c in name.encode():
        h = ((h ^ c) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def main(module, obj, dwarfdump, out, symvers):
    types = mktypes.hashes(obj, dwarfdump)
    table = sorted((fnv(n), n, t) for n, t in types.items())
    if len({h for h, _, _ in table}) != len(table):
        sys.exit("mkexports: two names have the same hash")
    with open(out, "w") as f:
        if table:       # depmod reads the names
            f.write('\t.section __ksymtab_strings,"a"\n' + "".join('.Lname_%s: .asciz "%s"\n' % (n, n) for _, n, _ in table))
            f.write('\t.section .export,"a"\n\t.balign 8\n' + "".join("\t.quad %#x, %#x\n\t.long %s - ., .Lname_%s - .\n" % (h, t, n, n) for h, n, t in table))
        f.write('\t.section .note.GNU-stack,"",@progbits\n')
    with open(symvers, "w") as f:
        f.write("".join("0x%016x\t%s\t%s\tEXPORT_SYMBOL\t\n" % (t, n, module) for n, t in sorted(types.items())))


main(*sys.argv[1:])
