#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Joins the real-mode part and the flat kernel to a bzImage, which is an EFI application too. Usage: mkbzimage.py SETUP.BIN VMLINUX.BIN VMLINUX OUT"""
import struct
import sys

PAGE = 4096
ROOM = 0x1E8        # what the real-mode part clears of its first page, less what the header of Linux's protocol has there


def memory_size(data):
    """Bytes from the first loaded address to the end of bss."""
    (phoff,) = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    lo, hi = 1 << 64, 0
    for i in range(phnum):
        kind, _, _, _, paddr, _, memsz, _ = struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize)
        if kind == 1 and memsz:
            lo, hi = min(lo, paddr), max(hi, paddr + memsz)
    return hi - lo


def symbols(data, names):
    """The values of those symbols."""
    (shoff,) = struct.unpack_from("<Q", data, 0x28)
    size, count, _ = struct.unpack_from("<HHH", data, 0x3A)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * size) for i in range(count)]
    found = {}
    for table in rows:
        if table[1] != 2:
            continue
        strings = rows[table[6]][4]
        for name, _, _, _, value, _ in struct.iter_unpack("<IBBHQQ", data[table[4]:table[4] + table[5]]):
            text = data[strings + name:data.index(b"\0", strings + name)].decode()
            if text in names:
                found[text] = value
    return [found[n] for n in names]


def pe_header(setup, kernel, text, entry):
    """Microsoft PE format: the real-mode part is header; of the kernel text and constants are executed, the rest is data. The stub needs no bss."""
    data = kernel - text
    data_pages = (data + PAGE - 1) & -PAGE
    coff = struct.pack("<HHIIIHH", 0x8664, 2, 0, 0, 0, 112 + 6 * 8, 0x206)          # executable, no line numbers, no debug
    optional = struct.pack("<HBBIIIII", 0x20B, 2, 20, text, data_pages, 0, setup + entry, setup)
    optional += struct.pack("<QIIHHHHHHIIIIHH", 0, PAGE, 512, 0, 0, 0, 0, 0, 0, 0, setup + text + data_pages, setup, 0,
                            10, 0x100)                                              # EFI application; data is not executed
    optional += struct.pack("<QQQQII", 0, 0, 0, 0, 0, 6) + bytes(6 * 8)
    sections = b"".join(struct.pack("<8sIIIIIIHHI", name, size, at, raw, at, 0, 0, 0, 0, rights) for name, size, at, raw, rights in (
        (b".text", text, setup, text, 0x60000020), (b".data", data_pages, setup + text, data, 0xC0000040)))
    return b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40) + b"PE\0\0" + coff + optional + sections


def main():
    setup, kernel, vmlinux = (bytearray(open(a, "rb").read()) for a in sys.argv[1:4])
    kernel += bytes(-len(kernel) % 512)
    if len(setup) != (setup[0x1F1] + 1) * 512 or len(setup) % PAGE:
        sys.exit("mkbzimage: the real-mode part is %d bytes, not %d sectors of whole pages" % (len(setup), setup[0x1F1] + 1))
    struct.pack_into("<I", setup, 0x1F4, len(kernel) // 16)
    struct.pack_into("<I", setup, 0x260, (memory_size(vmlinux) + 0xFFF) & ~0xFFF)
    start, data, entry = symbols(vmlinux, ["_text", "_data", "efi_stub"])
    header = pe_header(len(setup), len(kernel), data - start, entry - start)
    if len(header) > ROOM or any(setup[:len(header)]):
        sys.exit("mkbzimage: no room for the PE header")
    setup[:len(header)] = header
    open(sys.argv[4], "wb").write(bytes(setup + kernel))


main()
