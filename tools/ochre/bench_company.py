# SPDX-License-Identifier: MIT
"""Shows what operations share that need not: each runs on several CPUs at the same time, on files and memory of its own.

What counts is a line of kernel memory (64 bytes) that more than one of the CPUs touched and at least one access in fifty wrote. Whether two CPUs really meet
there depends on timing; that they could does not, and that is what is counted."""
import json
import os
import re

from . import bench, bench_show
from .util import Fail, output, rel

SHOWN = 0.2     # of an operation: below that a line is the noise of ticks and of preparing


def read(text, counts):
    """{operation: {"accesses": for one, "atomics": ..., "lines": [(accesses for one, address, instruction)]}}"""
    found, shared = {}, bench.read_rows(counts)[1]
    for m in re.finditer(r"^op (.*)\t(\d+)\t0\t0\t(\d+)\r?$", text, re.M):
        n, (accesses, atomics, lines) = int(m[2]), shared[int(m[3])]
        found[m[1]] = {"accesses": accesses / n, "atomics": atomics / n, "lines": [(a / n, at, by) for a, at, by in lines]}
    return found


def measure(tools, what, kernel, words, filters, cpus):
    text, counts = bench.kept(tools, what, kernel, words + " company=%d" % cpus, filters, cpus)
    return bench.some(read(text, counts), filters)


def names(tools, addresses):
    """{address: function} of our kernel."""
    vmlinux = bench.vmlinux()
    said = output([tools["symbolizer"], "--obj=" + vmlinux, "--no-inlines", "--functions=linkage", "--output-style=GNU"] + ["0x%x" % a for a in addresses])
    rows = said.splitlines()
    return {a: rows[2 * i] if 2 * i < len(rows) else "?" for i, a in enumerate(addresses)}


def table(tools, mine, theirs, name):
    lines = ["%-36s %12s%s" % ("shared accesses, atomics of one", "Ochre", " %16s" % name if name else "")]
    sites = names(tools, sorted({by for op in mine.values() for n, _, by in op["lines"] if n >= SHOWN}))
    for op, c in mine.items():
        row = "%-36s %12s" % (op, "%s, %s" % (bench_show.short(c["accesses"]), bench_show.short(c["atomics"])))
        if name:
            other = theirs.get(op)
            row += " %16s" % ("%s, %s" % (bench_show.short(other["accesses"]), bench_show.short(other["atomics"])) if other else "-")
        culprits = []
        for n, _, by in c["lines"]:
            if n >= SHOWN and sites[by] not in culprits:
                culprits.append(sites[by])
        lines.append(row + ("  " + " ".join(culprits) if culprits else ""))
    lines.append("%d of %d operations touch no shared line" % (sum(c["accesses"] < SHOWN for c in mine.values()), len(mine)))
    return lines


def company(tools, args, other):
    """What --company does."""
    if not bench.plugin(tools):
        raise Fail("this QEMU takes no plugins, which --company needs")
    cpus = max(2, args.cpus)
    mine, theirs, name = measure(tools, "Ochre in company", bench.vmlinux(), "mitigations=off", args.filter, cpus), {}, None
    if other:
        name, image, more = other
        theirs = measure(tools, name + " in company", image, "mitigations=off %s settle=20" % more, args.filter, cpus)
    print("\n".join(table(tools, mine, theirs, name)))
    path = os.path.join(bench.OUT, "company.json")
    with open(path, "w") as f:
        json.dump({"unit": "for one operation", "cpus": cpus, "ochre": mine, "peer": args.against, "theirs": theirs}, f, indent=1)
        f.write("\n")
    print("written: " + rel(path))
    return 0
