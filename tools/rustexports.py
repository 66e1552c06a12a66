#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of what modules in Rust may use of the image (kernel/export.h), as assembly.

Usage: rustexports.py LIST NM METADATA METADATA OBJECT... OUT.S NAMES. LIST is rust/module/exports; the first two objects are those of the kernel crate and the drivers', whose metadata come first; the others have the C functions.
Names that begin with a C function's name and `__extern` are bindgen's wrappers of inline functions; those that begin with __aarch64_ are atomic operations, which its compiler calls. NAMES gets a line for each name, after one with the hash
of both crates' metadata, which cover all types: a module says the one that it was made with.
"""
import hashlib
import re
import subprocess
import sys

PANIC = re.compile(r"^_RNvC\w+?_7___rustc17rust_begin_unwind$")
# Where in a name of v0's the file stands: `6kernel` and the module behind it.
FILE = re.compile(r"6kernel(\d+)(\w+)")
# The same below drivers::virtio: a file, or what the room's own file has.
VIRTIO = re.compile(r"7drivers6virtio(\d+)(\w+)")


def fnv(name):
    h = 0xCBF29CE484222325
    for c in name.encode():
        h = ((h ^ c) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def defined(nm, obj):
    out = subprocess.run([nm, "--defined-only", "--extern-only", "--format=posix", obj], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.split()[0] for line in out.splitlines()]


def sanitizer(nm, obj):
    """What a debug build's code calls everywhere; not what registers its variables, which needs constructors."""
    out = subprocess.run([nm, "--undefined-only", "--format=posix", obj], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[0] for line in out.splitlines() if line.startswith("__asan_") and "register_globals" not in line}


def file_of(name, pattern=FILE):
    """The kernel crate's file that NAME is of: the first that it names. Instances of generic functions are not told apart: they are exported nowhere."""
    m = pattern.search(name)
    return m[2][:int(m[1])] if m and not name.startswith("_RI") else None


def read_list(path):
    files, virtio, functions = set(), set(), set()
    with open(path) as f:
        for line in f:
            words = line.split("#")[0].split()
            if words:
                {"rust": files, "virtio": virtio, "c": functions}[words[0]].update(words[1:])
    return files, virtio, functions


def main(path, nm, kernel_types, driver_types, kernel, drivers, *rest):
    *objects, out, names_out = rest
    files, virtio, functions = read_list(path)
    names = sorted(n for n in defined(nm, kernel) if PANIC.match(n) or file_of(n) in files)
    names += sorted(n for n in defined(nm, drivers) if file_of(n, VIRTIO) in virtio)
    wrappers = {n for o in objects for n in defined(nm, o)}
    names += sorted(n for n in wrappers if n.startswith("__aarch64_"))
    names += sorted(n + "__extern" if n + "__extern" in wrappers else n for n in functions | sanitizer(nm, kernel))
    table = sorted((fnv(n), n) for n in names)
    if len({h for h, _ in table}) != len(table):
        sys.exit("rustexports: two names have the same hash")
    types = hashlib.sha256()
    for metadata in kernel_types, driver_types:
        with open(metadata, "rb") as f:
            types.update(f.read())
    crate = types.hexdigest()
    with open(out, "w") as f:
        f.write('\t.section .rodata.rust_exports,"a"\n\t.balign 8\n\t.globl rust_exports, rust_exports_end, rust_kernel_hash\nrust_exports:\n')
        for h, n in table:
            f.write("\t.long %#x, %#x, %s - .\n" % (h & 0xFFFFFFFF, h >> 32, n))
        f.write('rust_exports_end:\nrust_kernel_hash:\n\t.asciz "%s"\n' % crate)
    with open(names_out, "w") as f:
        f.write("%s\n%s" % (crate, "".join(n + "\n" for n in names)))


main(*sys.argv[1:])
