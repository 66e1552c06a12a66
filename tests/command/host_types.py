#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hashes of exported types (tools/mktypes.py): what changes one, however far away, and what does not.
usage: host_types.py"""
import os
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import mktypes  # noqa: E402
from ochre import setup  # noqa: E402

HEADER = """
struct far { int a; unsigned b : 3, c : 5; union { long d; char e[8]; }; enum { ONE = 1, TWO } f; };
struct farther { struct far *next[2]; struct near *back; };
struct near { struct farther *there; int (*call)(struct near *n, const char *text); };
struct hidden;
typedef int number;
int first(struct near *n, number count, ...);
extern struct hidden *second;
void third(const char *p, unsigned long n);
"""
# (what becomes of the header, whose hashes change)
CHANGES = [
    (("int a;", "long a;"), "first"), (("int a;", "int a2;"), "first"), (("b : 3, c : 5", "b : 4, c : 4"), "first"), (("e[8]", "e[9]"), "first"),
    (("TWO }", "TWO = 3 }"), "first"), (("next[2]", "next[3]"), "first"), (("int a;", "int a; int g;"), "first"), (("const char *text", "char *text"), "first"),
    (("count, ...)", "count)"), "first"), (("typedef int number", "typedef unsigned number"), "first"), (("unsigned long n", "unsigned n"), "third"),
    (("*second", "**second"), "second"), (("struct hidden;", "struct hidden { int x; };"), "second"), (("extern struct hidden *second", "extern int second"), "second"),
    (("struct near *n, number count", "struct near *other, int many"), ""), (("typedef int number", "/* a line\n more */ typedef int number"), ""),
    (("struct hidden;", "struct hidden; struct unused { int z; };"), ""),
]


def main():
    tools = setup.load() or setup.ensure()
    dwarfdump = os.path.join(os.path.dirname(os.path.realpath(tools["objcopy"])), "llvm-dwarfdump")
    with tempfile.TemporaryDirectory() as d:
        def hashes(header, compiler):
            names = "first", "second", "third"
            os.makedirs(d + "/room/include/room", exist_ok=True)
            with open(d + "/room/include/room/h.h", "w") as f:
                f.write(header)
            with open(d + "/x.c", "w") as f:
                f.write("\n".join("EXPORT(%s);" % n for n in names))
            with open(d + "/types.c", "w") as f:
                f.write(mktypes.source(d, ["room"], [d + "/x.c"]))
            subprocess.run([*compiler, "-g2", "-O2", "-I" + d + "/room/include", "-c", d + "/types.c", "-o", d + "/types.o"], check=True)
            got = mktypes.hashes(d + "/types.o", dwarfdump)
            check(sorted(got) == sorted(names), got)
            return got
        for compiler in [tools["clang"], "-fstandalone-debug"], [tools["gcc"]]:
            was = hashes(HEADER, compiler)
            check(len(set(was.values())) == 3, was)
            for (old, new), changed in CHANGES:
                check(old in HEADER, old)
                now = hashes(HEADER.replace(old, new), compiler)
                check([n for n in sorted(was) if was[n] != now[n]] == changed.split(), "%s: %s -> %s: %s %s" % (compiler[0], old, new, was, now))
    print("ok")


main()
