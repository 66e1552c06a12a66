#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: the analysis of the whole kernel, several times
"""tools/check-stack: no function of the kernel may call itself without a bound that is written down, and no entry point needs more than its stack by
direct calls; and it finds what is planted: recursion of one, of two, by a jump at the end, by a pointer in
a structure or as an argument, and a deep frame; one bound does not stand for all circles of a knot."""
import os
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import atomic, setup, stack  # noqa: E402

PLANTED = """
__attribute__((noinline)) int leaf(int n) { volatile char b[5000]; b[n] = 1; return b[n]; }
__attribute__((noinline)) int alone(int n) { return n ? alone(n - 1) * 2 + leaf(n) : 1; }
int pong(int n);
__attribute__((noinline)) int ping(int n) { return n ? pong(n - 1) + 1 : leaf(n); }
__attribute__((noinline)) int pong(int n) { return n ? ping(n - 2) * 3 : 0; }
int tock(int n, int (*f)(int));
__attribute__((noinline)) int tick(int n, int (*f)(int)) { if (f(n)) return 0; return tock(n - 1, f); }
__attribute__((noinline)) int tock(int n, int (*f)(int)) { if (f(n)) return 1; return tick(n - 1, f); }
__attribute__((noinline)) int loop(int n) { int s = 0; for (int i = 0; i < n; i++) s += leaf(i); return s; }
int _start(void) { return alone(3) + ping(4) + tick(2, leaf) + loop(2); }
"""

POINTERS = """
struct ops { int flags; int (*go)(int); int (*stay)(int); };
struct holder { long x; const struct ops *o; };
extern struct holder *held;
__attribute__((noinline)) int leaf(int n) { return n; }
__attribute__((noinline)) int down(int n) { return n ? held->o->go(n - 1) + 1 : 0; }
__attribute__((noinline)) int beside(int n) { return held->o->stay(n) + 1; }
const struct ops mine = { 1, down, leaf };
__attribute__((noinline)) int hand(int (*f)(int), int n) { return f(n) + 2; }
__attribute__((noinline)) int taken(int n) { return n ? hand(taken, n - 1) * 2 : 1; }
int left(int n), right(int n);
__attribute__((noinline)) int middle(int n) { return left(n) + right(n) + 1; }
__attribute__((noinline)) int left(int n) { return n ? middle(n - 1) * 3 : 1; }
__attribute__((noinline)) int right(int n) { return n > 3 ? right(n - 2) * 5 + middle(n - 1) : 2; }
"""


def with_pointers(llvm):
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/p.c", "w") as f:
            f.write(POINTERS)
        subprocess.run(["/usr/lib/llvm-%d/bin/clang" % llvm, "--target=x86_64-linux-gnu", "-O2", "-ffreestanding", "-fno-inline", "-S", "-emit-llvm", d + "/p.c",
                        "-o", d + "/p.ll"], check=True)
        p = atomic.Program()
        p.read(d + "/p.ll", "p", POINTERS)
        return stack.read_pointers(llvm, p, {})


def planted(llvm):
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/p.c", "w") as f:
            f.write(PLANTED)
        subprocess.run(["/usr/lib/llvm-%d/bin/clang" % llvm, "--target=x86_64-linux-gnu", "-O2", "-ffreestanding", "-fno-stack-protector", "-fno-inline", "-fno-pic", "-mno-red-zone", "-c",
                        d + "/p.c", "-o", d + "/p.o"], check=True)
        subprocess.run(["/usr/lib/llvm-%d/bin/ld.lld" % llvm, "-o", d + "/p", d + "/p.o"], check=True)
        return stack.read_kernel(llvm, d + "/p")


llvm = (setup.load() or setup.ensure())["llvm"]
g = planted(llvm)
problems, depth = stack.verify(g, {})
found = sorted((p.check, p.function) for p in problems)
check(found == [("recursion", "alone"), ("recursion", "ping"), ("recursion", "tick")], found)
(deep, name), = stack.entries(g, depth)
check(name == "_start" and 5000 < deep < 5400, (deep, name))
table = {"cycle": [{"function": f, "bound": "x"} for f in ("alone", "pong", "loop")], "call": [{"from": "tick", "to": "tock", "bound": "x"},
                                                                                            {"from": "leaf", "to": "tock", "bound": "x"}]}
found = sorted((p.check, p.function) for p in stack.verify(g, table)[0])
check(found == [("stale", "leaf"), ("stale", "loop")], found)
pointers, many = with_pointers(llvm)
found = sorted((p.check, p.function) for p in stack.verify(stack.Graph(), {}, pointers)[0])
check(found == [("recursion", "down"), ("recursion", "hand"), ("recursion", "left")], found)
check(many == 3, many)
table = {"cycle": [{"function": f, "bound": "x"} for f in ("down", "middle")], "call": [{"from": "hand", "to": "taken", "bound": "x"}]}
found = sorted((p.check, p.function) for p in stack.verify(stack.Graph(), table, pointers)[0])
check(found == [("recursion", "right")], found)
subprocess.run([os.path.join(ROOT, "ochre"), "build"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
r = subprocess.run([os.path.join(ROOT, "tools/check-stack")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
check(r.returncode == 0, r.stdout)
print("ok")
