#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the second link pass moved no code. Usage: checksyms.py PASS1 PASS2"""
import struct
import sys


def marks(path):
    data = open(path, "rb").read()
    e = "<" if data[5] == 1 else ">"
    (shoff,) = struct.unpack_from(e + "Q", data, 0x28)
    shentsize, shnum, shstr = struct.unpack_from(e + "HHH", data, 0x3A)
    sec = [struct.unpack_from(e + "IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
    names = data[sec[shstr][4]:sec[shstr][4] + sec[shstr][5]]
    out = {}
    for s in sec:
        n = names[s[0]:names.index(b"\0", s[0])].decode()
        if n in (".text", ".init.text", ".rodata", ".data"):
            out[n] = (s[3], s[5])
    return out


a, b = marks(sys.argv[1]), marks(sys.argv[2])
if a != b:
    sys.exit("checksyms: the symbol table no longer fits: %r %r" % (a, b))
