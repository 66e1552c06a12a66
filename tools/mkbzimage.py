#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Joins the real-mode part and the flat kernel to a bzImage. Usage: mkbzimage.py SETUP.BIN VMLINUX.BIN VMLINUX OUT"""
import struct
import sys


def memory_size(path):
    """Bytes from the first loaded address to the end of bss."""
    data = open(path, "rb").read()
    (phoff,) = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    lo, hi = 1 << 64, 0
    for i in range(phnum):
        kind, _, _, _, paddr, _, memsz, _ = struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize)
        if kind == 1 and memsz:
            lo, hi = min(lo, paddr), max(hi, paddr + memsz)
    return hi - lo


setup = bytearray(open(sys.argv[1], "rb").read())
kernel = open(sys.argv[2], "rb").read()
kernel += bytes(-len(kernel) % 16)
if len(setup) != (setup[0x1F1] + 1) * 512:
    sys.exit("mkbzimage: the real-mode part is %d bytes, not %d sectors" % (len(setup), setup[0x1F1] + 1))
struct.pack_into("<I", setup, 0x1F4, len(kernel) // 16)
struct.pack_into("<I", setup, 0x260, (memory_size(sys.argv[3]) + 0xFFF) & ~0xFFF)
open(sys.argv[4], "wb").write(bytes(setup) + kernel)
