# SPDX-License-Identifier: MIT
"""The kernel's call graph, read from the linked kernel of x86_64: functions that may call themselves, directly or by way of others, and how much of the
stack is used below each function that nobody calls directly (an entry point, or what is called through a pointer).

A second graph, of LLVM's code, has calls through pointers too, as tools/ochre/atomic.py finds them, but of no test; it is looked at for circles alone: a
depth is that of direct calls. Each circle is in tools/analyze/stack.toml with what bounds it ([[cycle]]: a function of it), or has a call that is
declared not to close it ([[call]]: from, to); a row that stands for nothing any more, in neither graph, is a finding, too."""
import collections
import os
import re
import subprocess
import tomllib

from . import atomic

TABLE = "tools/analyze/stack.toml"
HEAD = re.compile(r"([0-9a-f]{16}) <(.+)>:$")
CALL = re.compile(r"\t(call|jmp|j[a-z]+)q?\t(?:0x)?([0-9a-f]+) <")
LESS = re.compile(r"\tsubq\t\$(0x[0-9a-f]+|\d+), %rsp")
SKIP = ("int3", "nop")
TEST = re.compile(r"(^|::)(tests?|doctests|_)::")       # Rust's
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


def read_pointers(llvm, program, known):
    """The graph of an atomic.Program, whose pointers' table is KNOWN, without tests; and how many calls through pointers it has."""
    check = atomic.Check(program, known)
    names = list(program.functions)
    plain = subprocess.run(["/usr/lib/llvm-%d/bin/llvm-cxxfilt" % llvm], input="\n".join(n.split(":")[-1] for n in names), stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split("\n")
    g, pointers = Graph(), 0
    for name, as_read in zip(names, plain):
        if "/test/" not in program.functions[name].module and not TEST.search(as_read):
            g.name[name], g.frame[name] = as_read, 0
    for name in g.name:
        calls = [c for block in program.functions[name].blocks.values() for c in block]
        pointers += sum(not isinstance(c.targets, str) for c in calls)
        g.calls[name] = {t for c in calls for t in check.targets(c) if t in g.name}
    return g, pointers


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


def bound(g, table, used):
    """(problems, depths by function) of one graph: circles that no row bounds. The rows that it needs come into USED."""
    problems, calls, depth = [], {at: set(to) for at, to in g.calls.items()}, {}
    for n, row in enumerate(table.get("call", [])):
        for a in calls:
            if g.name[a] == row["from"]:
                for b in [b for b in calls[a] if g.name[b] == row["to"]]:
                    calls[a].discard(b)
                    used.add(("call", n))
    bounds = {row["function"]: n for n, row in enumerate(table.get("cycle", []))}
    for one in components(calls):
        bounding = {a: bounds[f] for a in one for f in [g.name[a].split("::<")[0]] if f in bounds}      # of a generic function without its types
        if len(one) > 1 or one[0] in calls[one[0]]:
            used.update(("cycle", n) for n in bounding.values())
            rest = {a: {b for b in calls[a] if b in one and b not in bounding} for a in one if a not in bounding}
            for left in components(rest):       # circles that no bounding function is part of
                if len(left) > 1 or left[0] in rest[left[0]]:
                    names = sorted({g.name[a].split("::<")[0] for a in left})
                    problems.append(Problem("recursion", names[0], "may call itself, and %s has no bound: %s" % (TABLE, ", ".join(names[:12]))))
        below = max((depth[b] for a in one for b in calls[a] if b not in one), default=0)
        for a in one:       # each function of a circle once
            depth[a] = sum(g.frame[x] for x in one) + below
    return problems, depth


def verify(g, table, pointers=None):
    """(problems, depths by function's address), of the kernel and of its graph with POINTERS: circles that no row bounds, rows that bound nothing."""
    used = set()
    problems, depth = bound(g, table, used)
    if pointers:
        more = [p for p in bound(pointers, table, used)[0] if p.function not in {q.function for q in problems}]
        problems += [p._replace(message=p.message.replace("itself,", "itself, by pointers,", 1)) for p in more]
    for n, row in enumerate(table.get("call", [])):
        if ("call", n) not in used:
            problems.append(Problem("stale", row["from"], "does not call %s" % row["to"]))
    problems += [Problem("stale", row["function"], "calls itself no more") for n, row in enumerate(table.get("cycle", [])) if ("cycle", n) not in used]
    return problems, depth


def entries(g, depth):
    """(depth, name) of what nobody calls directly, the deepest first."""
    called = set().union(*g.calls.values()) if g.calls else set()
    return sorted(((d, g.name[a]) for a, d in depth.items() if a not in called), reverse=True)
