# SPDX-License-Identifier: MIT
"""The kernel's call graph, read from the linked kernel of x86_64: functions that may call themselves, directly or by way of others, and how much of the
stack is used below each function that nobody calls directly (an entry point, or what is called through a pointer).

Calls through pointers are not followed: where they close a circle the code must have its own bound, and a depth is that of direct calls. Each circle is
in tools/analyze/stack.toml with what bounds it ([[cycle]]: one of its functions), or has a call that is declared not to close it ([[call]]: from,
to); a row that stands for nothing any more is a finding, too."""
import collections
import os
import re
import subprocess
import tomllib

TABLE = "tools/analyze/stack.toml"
HEAD = re.compile(r"([0-9a-f]{16}) <(.+)>:$")
CALL = re.compile(r"\t(call|jmp|j[a-z]+)q?\t(?:0x)?([0-9a-f]+) <")
LESS = re.compile(r"\tsubq\t\$(0x[0-9a-f]+|\d+), %rsp")
SKIP = ("int3", "nop")
ROW = {"cycle": {"function", "bound"}, "call": {"from", "to", "bound"}}

Problem = collections.namedtuple("Problem", "check function message")


class Graph:
    """name, frame (bytes with the return address) and callees by address."""

    def __init__(self):
        self.name, self.frame, self.calls = {}, {}, {}


def read(lines):
    g, at, end = Graph(), None, None
    jumps = []
    for line in lines:
        m = HEAD.match(line)
        if m:
            at = int(m[1], 16)
            g.name[at], g.frame[at], g.calls[at] = m[2], 8, set()
            continue
        if at is None:
            continue
        m = CALL.search(line)
        if m:
            jumps.append((at, int(m[2], 16), m[1] == "call"))
        elif "\tpushq" in line:
            g.frame[at] += 8
        else:
            m = LESS.search(line)
            if m:
                g.frame[at] += int(m[1], 0)
    for at, to, call in jumps:      # a jump to another function's first byte is a call at its end
        if to in g.name and (call or to != at):
            g.calls[at].add(to)
    return g


def read_kernel(llvm, vmlinux):
    p = subprocess.Popen(["/usr/lib/llvm-%d/bin/llvm-objdump" % llvm, "-d", "--no-show-raw-insn", "--demangle", vmlinux], stdout=subprocess.PIPE, text=True,
                         errors="replace")
    g = read(p.stdout)
    if p.wait():
        raise OSError("llvm-objdump cannot read " + vmlinux)
    return g


def components(calls):
    """Strongly connected ones (Tarjan), callees before callers: lists of nodes."""
    index, low, stack, on, found = {}, {}, [], set(), []
    for root in calls:
        if root in index:
            continue
        work = [(root, iter(calls[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            v, callees = work[-1]
            for w in callees:
                if w not in index:
                    index[w] = low[w] = len(index)
                    stack.append(w)
                    on.add(w)
                    work.append((w, iter(calls[w])))
                    break
                if w in on:
                    low[v] = min(low[v], index[w])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[v])
                if low[v] == index[v]:
                    one = []
                    while not one or one[-1] != v:
                        one.append(stack.pop())
                        on.discard(one[-1])
                    found.append(one)
    return found


def load(path):
    with open(path, "rb") as f:
        table = tomllib.load(f)
    for kind, rows in table.items():
        for row in rows:
            if kind not in ROW or set(row) != ROW[kind] or not all(str(v).strip() for v in row.values()):
                raise ValueError("%s: a row of '%s' is not whole: %s" % (path, kind, row))
    return table


def verify(g, table):
    """(problems, depths by function's address): circles that no row bounds, rows that bound nothing."""
    problems, calls = [], {at: set(to) for at, to in g.calls.items()}
    for row in table.get("call", []):
        hit = [(a, b) for a in calls if g.name[a] == row["from"] for b in calls[a] if g.name[b] == row["to"]]
        for a, b in hit:
            calls[a].discard(b)
        if not hit:
            problems.append(Problem("stale", row["from"], "does not call %s" % row["to"]))
    bounds, used, depth = {row["function"] for row in table.get("cycle", [])}, set(), {}
    for one in components(calls):
        names = sorted({g.name[a].split("::<")[0] for a in one})      # of a generic function without its types
        if len(one) > 1 or one[0] in calls[one[0]]:
            known = bounds & set(names)
            used |= known
            if not known:
                problems.append(Problem("recursion", names[0], "may call itself, and %s has no bound: %s" % (TABLE, ", ".join(names[:12]))))
        below = max((depth[b] for a in one for b in calls[a] if b not in one), default=0)
        for a in one:       # each function of a circle once
            depth[a] = sum(g.frame[x] for x in one) + below
    problems += [Problem("stale", f, "calls itself no more") for f in sorted(bounds - used)]
    return problems, depth


def entries(g, depth):
    """(depth, name) of what nobody calls directly, the deepest first."""
    called = set().union(*g.calls.values()) if g.calls else set()
    return sorted(((d, g.name[a]) for a, d in depth.items() if a not in called), reverse=True)
