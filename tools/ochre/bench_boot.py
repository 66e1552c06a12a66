# SPDX-License-Identifier: MIT
"""What a boot costs beside Linux: instructions from reset to the first program, firmware included, memory that is left, the least memory for
a shell, the size of the image. bench/boot.c is the first program; the machine counts instructions as bench.py's does."""
import os
import re
import struct
import subprocess

from . import bench, build, rootfs
from .util import Fail, Progress, ROOT

RAM = 256                                                                       # MiB
SMALL = [6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 96, 112, 128]


def boot(tools, arch, name, kernel, words, cpus):
    """{"clock": ns that the machine's clock shows, "executed": instructions of all CPUs or None, "free": kB}"""
    argv = bench.machine(tools, arch, kernel, bench.program(tools, arch, "boot", ()), words, cpus)
    argv[argv.index("-m") + 1] = str(RAM)
    so, counts = bench.plugin(tools, arch), os.path.join(bench.OUT, "boot.rows")
    if so:
        argv += ["-plugin", "%s,out=%s" % (so, counts)]
    with Progress("Booting %s with %d CPU%s" % (name, cpus, "s" if cpus > 1 else "")):
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=bench.LIMIT)
    text = r.stdout.decode("utf-8", "replace")
    clock, free, total = (re.search(p, text, re.M) for p in (r"^clock (\d+)", r"^MemFree: +(\d+)", r"^MemTotal: +(\d+)"))
    if not (clock and free and total):
        raise Fail("%s did not come to its first program:\n%s" % (name, "\n".join(text.splitlines()[-15:])), 1)
    rows = bench.read_rows(rootfs.read(counts).decode())[0] if so else []
    return {"clock": int(clock[1]), "executed": rows[0][0] + rows[0][1] if rows else None, "free": int(free[1]), "total": int(total[1])}


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
