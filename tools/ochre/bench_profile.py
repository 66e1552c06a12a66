# SPDX-License-Identifier: MIT
"""Shows in which functions the instructions of an operation are: of our kernel, and beside it of the peer, if its ELF file has symbols."""
import bisect
import os
import re

from . import bench, build
from .util import Fail, output

SHOWN = 0.5     # instructions of one operation: what is below is the rest


def symbols(tools, elf):
    """The functions of an ELF file, ([address], [name]), both in the order of addresses; none, if it has no symbols."""
    rows = [l.split() for l in output([tools["nm"], "-n", elf]).splitlines()]
    rows = [(int(r[0], 16), r[2]) for r in rows if len(r) == 3 and r[1] in "tTwW" and r[2][0] not in ".$"]     # labels of riscv64 and loongarch64
    return [a for a, _ in rows], [n for _, n in rows]


def function(table, address):
    i = bisect.bisect_right(table[0], address) - 1
    return table[1][i] if i >= 0 else "?"


def read(text, counts, table):
    """{operation: {function: instructions of one}}, without what an idle machine does meanwhile."""
    _, _, ran = bench.read_rows(counts)
    found, idle = {}, {}

    def sums(blocks):
        by = {}
        for address, instructions, times in blocks:
            name = function(table, address)
            by[name] = by.get(name, 0) + instructions * times
        return by

    for m in re.finditer(r"^(?:idle (\d+)\t(\d+)|op (.*)\t(\d+)\t(-?\d+)\t(-?\d+)\t(\d+))\r?$", text, re.M):
        if m[1]:
            idle = sums(ran[int(m[2])])
        else:
            by = sums(ran[int(m[7])])
            found[m[3]] = {f: (n - idle.get(f, 0)) / int(m[4]) for f, n in by.items()}
    return found


def rows(by):
    """[(instructions, function)], the most first, with the rest and the sum at the end."""
    shown = sorted(((n, f) for f, n in by.items() if n >= SHOWN), reverse=True)
    total = sum(by.values())
    return shown + [(total - sum(n for n, _ in shown), "the rest"), (total, "kernel, all")]


def show(mine, theirs, name):
    lines = []
    for op, by in mine.items():
        left, right = rows(by), rows(theirs[op]) if op in theirs else []
        lines.append("%s%s" % (op, " " * max(1, 48 - len(op)) + name if right else ""))
        for i in range(max(len(left), len(right))):
            cells = ["%9.1f  %-36s" % side[i] if i < len(side) else " " * 47 for side in (left, right)]
            lines.append("".join(cells).rstrip())
        lines.append("")
    return lines


def profile(tools, args, other):
    """What --profile does."""
    if not bench.plugin(tools, args.arch):
        raise Fail("this QEMU takes no plugins, which --profile needs")

    def measure(what, kernel, elf, words):
        text, counts = bench.kept(tools, what, kernel, words, args.filter, args.cpus, blocks=True, arch=args.arch)
        return bench.some(read(text, counts, symbols(tools, elf)), args.filter)

    elf = os.path.join(build.outdir(args.arch), "vmlinux")
    mine, theirs, name = measure("Ochre", bench.vmlinux(args.arch), elf, "mitigations=off"), {}, ""
    if other:
        name, image, more = other
        theirs = measure(name, image, image, "mitigations=off %s settle=20" % more)
    print("\n".join(show(mine, theirs, name)))
    return 0
