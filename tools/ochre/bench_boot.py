# SPDX-License-Identifier: MIT
"""What a boot costs beside Linux: instructions from reset to the first program, with and without the firmware's, memory that is left, the least memory for
a shell, the size of the image. bench/boot.c is the first program; the machine counts instructions as bench.py's does."""
import os
import re
import struct
import subprocess

from . import bench, build, rootfs
from .util import Fail, Progress, ROOT

RAM = 256                                                                       # MiB
SMALL = [6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 96, 112, 128]


def elf_entry(data):
    """Where an ELF file begins: by its PVH note (Xen, 18) on x86, else by its header."""
    off, size, n = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for i in range(n):
        kind, _, at, _, _, length = struct.unpack_from("<IIQQQQ", data, off + i * size)
        end = at + length
        while kind == 4 and at + 12 <= end:
            names, descs, what = struct.unpack_from("<III", data, at)
            desc = at + 12 + (names + 3 & ~3)
            if what == 18 and data[at + 12:at + 12 + names] == b"Xen\0":
                return int.from_bytes(data[desc:desc + descs], "little")
            at = desc + (descs + 3 & ~3)
    return struct.unpack_from("<Q", data, 24)[0]


def first_instruction(data):
    """The physical address of the first instruction of a kernel as QEMU puts it into memory; None: not known for this kind of file."""
    if data[:4] == b"\x7fELF":
        return elf_entry(data)
    if data[0x202:0x206] == b"HdrS":
        return 0x10200                                                          # the setup's, in real mode
    offset = int.from_bytes(data[8:16], "little")
    if data[56:60] == b"ARM\x64":
        return 0x40000000 + (offset if offset >= 4096 else offset + 0x200000)
    if data[56:60] == b"RSC\x05":
        return 0x80000000 + offset
    if data[56:60] == b"\xcd\x23\x82\x81":
        return offset                                                           # LoongArch's header has the address
    return None


def boot(tools, arch, name, kernel, words, cpus):
    """{"clock": ns that the machine's clock shows, "before": instructions before the kernel's first or None, "executed": instructions of all
    CPUs or None, "free": kB}"""
    argv = bench.machine(tools, arch, kernel, bench.program(tools, arch, "boot", ()), words, cpus)
    argv[argv.index("-m") + 1] = str(RAM)
    so, counts = bench.plugin(tools, arch), os.path.join(bench.OUT, "boot.rows")
    entry = first_instruction(rootfs.read(kernel))
    if so:
        argv += ["-plugin", "%s,out=%s%s" % (so, counts, ",entry=%x" % entry if entry is not None else "")]
    with Progress("Booting %s with %d CPU%s" % (name, cpus, "s" if cpus > 1 else "")):
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=bench.LIMIT)
    text = r.stdout.decode("utf-8", "replace")
    clock, free, total = (re.search(p, text, re.M) for p in (r"^clock (\d+)", r"^MemFree: +(\d+)", r"^MemTotal: +(\d+)"))
    if not (clock and free and total):
        raise Fail("%s did not come to its first program:\n%s" % (name, "\n".join(text.splitlines()[-15:])), 1)
    said = rootfs.read(counts).decode() if so else ""
    rows, before = bench.read_rows(said)[0], re.search(r"^entry (\d+)$", said, re.M)
    return {"clock": int(clock[1]), "before": int(before[1]) if before else None, "executed": rows[0][0] + rows[0][1] if rows else None, "free": int(free[1]), "total": int(total[1])}


def loaded(path):
    """MiB that an ELF's segments take in memory, or None: an image with its own loader."""
    data = rootfs.read(path)
    if data[:4] != b"\x7fELF":
        return None
    off, size, n = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    return sum(struct.unpack_from("<Q", data, off + i * size + 40)[0] for i in range(n)
               if struct.unpack_from("<I", data, off + i * size)[0] == 1) / 1048576


def shell_in(arch, name, kernel):
    """The least MiB in which busybox's shell runs a command."""
    with Progress("Looking for the least memory of %s" % name):
        for m in SMALL:
            r = subprocess.run([ROOT + "/ochre", "run", "--arch", arch, "--kernel", kernel, "--memory", "%dM" % m, "--timeout", "30", "--", "sh", "-c", "echo works"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if r.returncode == 0 and r.stdout == b"works\n":
                return m
    return None


def kernels(arch, other):
    """[(name, file, more words)]"""
    found = [("Ochre", bench.vmlinux(arch), "")]
    if arch == "x86_64":
        found = [("Ochre, PVH", bench.vmlinux(), ""), ("Ochre, bzImage", os.path.join(build.outdir(), "bzImage"), "")]
    return found + ([other] if other else [])


def measure(tools, arch, other):
    """Prints the table; other: what bench_peer.find() gave, or None."""
    rows = []
    for name, kernel, words in kernels(arch, other):
        one = boot(tools, arch, name, kernel, "mitigations=off " + words, 1)
        rows.append((name, {
            "million instructions to init, 1 CPU": "%.2f" % (one["clock"] / 1e6),
            "of them from the kernel's first on": "%.2f" % ((one["clock"] - one["before"]) / 1e6) if one["before"] is not None else "-",
            **{"the same, executed by %d CPUs" % n: "%.2f" % (r / 1e6) if r else "-" for n, r in (
                (n, boot(tools, arch, name, kernel, "mitigations=off " + words, n)["executed"]) for n in (2, 4, 8))},
            "MiB used of %d: all but MemFree" % RAM: "%.1f" % (RAM - one["free"] / 1024),
            "MiB used: MemTotal - MemFree": "%.1f" % ((one["total"] - one["free"]) / 1024),
            "MiB that a shell needs": str(shell_in(arch, name, kernel) or "more than %d" % SMALL[-1]),
            "MiB of the file": "%.2f" % (os.path.getsize(kernel) / 1048576),
            "MiB loaded": "%.2f" % loaded(kernel) if loaded(kernel) else "-",
        }))
    print("%-38s" % "" + "".join("%16s" % n for n, _ in rows))
    for what in rows[0][1]:
        print("%-38s" % what + "".join("%16s" % r[what] for _, r in rows))
    return 0
