#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of stack layouts in the release kernel says of each instruction what binutils' reading of the debug information says."""
import os
import re
import struct
import subprocess
import sys

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.dont_write_bytecode = True
import mkunwind  # noqa: E402

KERNEL = os.path.join(ROOT, "build/x86_64/vmlinux")


class Table:
    """Read as arch/x86_64/sched_unwind.c reads it."""

    def __init__(self, elf):
        at = elf.symbol("unwind_data")
        (s,) = [s for s in elf.sections.values() if s[3] and s[3] <= at < s[3] + s[5]]
        data = elf.data[s[4] + at - s[3]:s[4] + s[5]]
        n, states, size = struct.unpack_from("<III", data)
        self.base = elf.symbol("_text")
        self.group = list(struct.iter_unpack("<II", data[12:12 + 8 * (n + 1)]))
        at = 12 + 8 * (n + 1)
        self.state = list(struct.iter_unpack("<HH", data[at:at + 4 * states]))
        self.bytes = data[at + 4 * states:at + 4 * states + size]

    def next(self, limit):
        n = self.bytes[self.at]
        self.at += 1
        if n < limit:
            return n
        n = (n - limit) << 8 | self.bytes[self.at]
        self.at += 1
        return n + limit

    def every(self):
        """[(first address, state)] of all rows."""
        for (start, self.at), (_, stop) in zip(self.group, self.group[1:]):
            while True:
                size = self.next(0x80)
                yield from self.of_function(start, self.at + size)
                if self.at == stop:
                    break
                start += self.next(0x80)

    def of_function(self, pc, end):
        if self.at == end:
            yield self.base + pc, None
            return
        yield self.base + pc, self.state[self.next(0xC0)]
        while self.at < end:
            pc += self.next(0x80)
            yield self.base + pc, self.state[self.next(0xC0)]


def wanted():
    """[(first address, last + 1, state)] by readelf."""
    text = subprocess.run(["readelf", "--debug-dump=frames-interp", KERNEL], capture_output=True, text=True, check=True).stdout
    for part in re.split(r"\n(?=[0-9a-f]{8} )", text):
        m = re.match(r"\S+ \S+ \S+ FDE \S+ pc=([0-9a-f]+)\.\.([0-9a-f]+)\n", part)
        if not m or m[1] == m[2] or not int(m[1], 16) >> 63:
            continue
        lines = [l.split() for l in part.splitlines()[1:] if l.strip()]
        rows = [(int(m[1], 16), (8, 0))] if len(lines) < 2 else []
        for cells in lines[1:]:
            rbp = cells[lines[0].index("rbp")] if "rbp" in lines[0] else "u"
            reg, off = re.match(r"(\w+)\+(\d+)", cells[1]).groups()
            rows.append((int(cells[0], 16), (int(off) | (reg == "rbp"), int(rbp[2:]) if rbp.startswith("c-") else 0)))
        for i, (pc, s) in enumerate(rows):
            yield pc, rows[i + 1][0] if i + 1 < len(rows) else int(m[2], 16), s


def main():
    elf = mkunwind.Elf(KERNEL)
    mine = sorted(Table(elf).every())
    theirs = sorted(wanted())
    check(len(mine) > 10000 and len(theirs) > 10000, "there is a table: %d, %d rows" % (len(mine), len(theirs)))
    i = 0
    for pc, end, s in theirs:
        if pc == end:
            continue
        while i + 1 < len(mine) and mine[i + 1][0] <= pc:
            i += 1
        check(mine[i][1] == s, "%#x: %s instead of %s" % (pc, mine[i][1], s))
        check(i + 1 == len(mine) or mine[i + 1][0] >= end or mine[i + 1][1] == s, "%#x: one layout up to %#x" % (pc, end))
    code = subprocess.run(["nm", KERNEL], capture_output=True, text=True, check=True).stdout
    known = {pc for pc, _, _ in theirs}
    lost = [l for l in code.splitlines() if " t rust_" in l and int(l.split()[0], 16) not in known]
    check(not lost, "functions of Rust have layouts too: %s" % lost[:3])


main()
