# SPDX-License-Identifier: MIT
"""docs/lock-order.md against what the debug kernel's lock checker saw (kernel/lockdep.c)."""
import re

from .util import ROOT

PAGE = ROOT + "/docs/lock-order.md"


def rows():
    """Per row, outermost first: a pattern of 'NAME (FILE)', as the kernel writes it."""
    out = []
    with open(PAGE) as f:
        for line in f:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            names = re.findall(r"`([^`]+)`", cells[0]) if line.startswith("|") else []
            if names:
                where = [w.strip() for w in cells[1].split(",")]
                out.append([(glob(n), [glob(w) for w in where]) for n in names])
    return out


def glob(text):
    return ".*".join(re.escape(p) for p in text.split("*"))


def rank(table, lock):
    """The row of a lock; the one without wildcards if there is one. None: it has no row."""
    m = re.fullmatch(r"(.*) \((\S+)\)", lock)
    name, where = (m[1], m[2]) if m else (lock, "")
    best = None
    for i, row in enumerate(table):
        for n, places in row:
            if re.fullmatch(n, name) and any(re.fullmatch(p, where) for p in places):
                if ".*" not in n:
                    return i
                best = i if best is None else best
    return best


def in_kernel(vmlinux):
    """The names of all locks that a debug kernel has, used or not."""
    with open(vmlinux, "rb") as f:
        return {m.decode() for m in re.findall(rb"\0([ -~]{1,80} \([a-z0-9_]+/[a-z0-9_/]+\.[ch]\))(?=\0)", f.read())}


def graph_of(text):
    """The lines of the graph file in what a machine printed."""
    return [l.strip() for l in text.splitlines() if re.match(r"\s*(class |in interrupts: |with interrupts on: |\d+ classes, |.* -> )", l)]


def check(lines, vmlinux=None):
    """
    (what is wrong, a line about the graph's size) from lines of the graph file, or of several after each other.

    An interrupt that comes while a lock is held makes an order, if it comes: any two of which one is held with interrupts on and the
    other is taken by handlers count as one that was seen.
    """
    table, locks, orders, bad = rows(), set(), set(), []
    in_handlers, interrupted = set(), set()
    for line in lines:
        if line.startswith("class "):
            locks.add(line[6:])
        elif line.startswith("in interrupts: "):
            in_handlers.add(line[15:])
        elif line.startswith("with interrupts on: "):
            interrupted.add(line[20:])
        elif " -> " in line:
            orders.add(tuple(line.split(" -> ", 1)))
    sizes = [l for l in lines if re.match(r"\d+ classes, ", l)]
    bad += ["the lock checker: " + s for s in sizes if not s.endswith(" 0 reports")]
    size = "%d lock names, %d orders of them (%s)" % (len(locks), len(orders), "; ".join(sizes))
    if vmlinux:
        locks |= in_kernel(vmlinux)
    ranks = {l: rank(table, l) for l in sorted(locks | in_handlers | interrupted | {l for o in orders for l in o})}
    bad += ["no row for " + l for l, r in ranks.items() if r is None]
    for a, b in sorted(orders):
        if a != b and None not in (ranks[a], ranks[b]) and ranks[a] >= ranks[b]:
            bad.append("seen against the page: %s -> %s" % (a, b))
    taken = [(ranks[l], l) for l in in_handlers if ranks[l] is not None]
    if taken:
        first, handler = min(taken)
        bad += ["held with interrupts on, below %s, which handlers take: %s" % (handler, l) for l in sorted(interrupted) if ranks[l] is not None and ranks[l] >= first]
    return bad, size
