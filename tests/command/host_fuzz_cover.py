#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""From places to lines: a small program that is instrumented like the kernel tells where it was, and exactly the lines that it ran are
those that come out of it. Damaged files of places, and of reasons, are refused or left out."""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import fuzz_cover, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402

TOOLS = setup.load()
# Lines with + are run, lines with - are not.
SOURCE = r"""
#define DO(what) __asm__ volatile("nop # " #what ::: "memory")	/* not to be joined with another */
volatile int one = 1, two = 2, sink;
static inline int clamp(int n)
{
	if (n > 1000)
		DO(clamp);		//-
	DO(pass);			//+
	return n;
}
__attribute__((noinline)) int either(int n)
{
	if (n == 1)
		DO(one);		//+
	else
		DO(other);		//-
	if (n == 7)
		DO(seven);		//-
	sink = clamp(n);
	DO(both);			//+
	return sink;
}
__attribute__((noinline)) int chosen(int n)
{
	switch (n) {
	case 0: DO(zero); break;	//-
	case 1: DO(one); break;		//-
	case 2: DO(two); break;		//+
	case 3: DO(three); break;	//-
	case 4: DO(four); break;	//-
	case 5: DO(five); break;	//-
	case 6: DO(six); break;		//-
	}
	DO(after);			//+
	return sink;
}
__attribute__((noinline)) int loops(int n)
{
	for (int i = 0; i < n; i++)
		if (i % 2 && sink == 12345)
			DO(odd);	//-
		else
			DO(even);	//+
	while (sink > 100)
		DO(again);		//-
	DO(over);			//+
	return n;
}
__attribute__((noinline)) int early(int n)
{
	if (n < 5)
		return -1;
	DO(late);			//-
	return either(n);		//-
}
__attribute__((noinline)) int never(void)
{
	DO(never);			//-
	return sink + 40;		//-
}
int instrumented(int n)
{
	if (n > 90)
		never();		//-
	return either(one) + chosen(two) + loops(4) + early(one);	//+
}
"""
TRACER = r"""
#include <stdio.h>
int instrumented(int n);
void __sanitizer_cov_trace_pc(void)
{
	printf("%p\n", __builtin_return_address(0));
}
int main(void)
{
	instrumented(3);
	return 0;
}
"""


def check(ok, what):
    if not ok:
        print("wrong: " + what)
        sys.exit(1)


def lines(top, flags):
    os.makedirs(os.path.join(top, "room"), exist_ok=True)
    for name, text in (("room/what.c", SOURCE), ("room/tracer.c", TRACER)):
        with open(os.path.join(top, name), "w") as f:
            f.write(text)
    base = [TOOLS["clang"], "-g1", "-fno-pie", "-fno-omit-frame-pointer", "-ffile-prefix-map=%s=." % top]
    for extra, name in ((flags + ["-fsanitize-coverage=trace-pc"], "what"), (["-O1"], "tracer")):
        subprocess.run(base + extra + ["-c", "room/%s.c" % name, "-o", name + ".o"], check=True, cwd=top)
    subprocess.run([TOOLS["clang"], "-static", "what.o", "tracer.o", "-o", "program"], check=True, cwd=top)
    program = os.path.join(top, "program")
    told = set(int(w, 16) for w in subprocess.run([program], capture_output=True, text=True, check=True).stdout.split())
    m = json.loads(json.dumps(fuzz_cover.make_model(program, TOOLS)))
    c = fuzz_cover.Coverage(m, told | {0x10})
    check(c.unknown == 1 and c.places == len(told), "places of the program and one that is not its own: %d, %d of %d" % (c.unknown, c.places, len(told)))
    check(not any(p.endswith("tracer.c") for p, _ in c.lines), "what is not instrumented does not count")
    for n, text in enumerate(SOURCE.splitlines(), 1):
        want = re.search(r"//([+-])$", text)
        if want:
            got = c.lines.get(("room/what.c", n))
            check(got is (want[1] == "+"), "%s: line %d is %s: %s" % (" ".join(flags), n, {True: "reached", False: "missed", None: "not there"}[got], text.strip()))
    missed = {name: (gone, n) for _, name, n, gone in c.missed()}
    check("never" in missed and len(missed["never"][0]) == missed["never"][1], "a function that was never reached: %s" % missed)
    check("clamp" in missed and "early" in missed and "either" in missed and "never reached" in fuzz_cover.listing(c, {}, "room"), "reached in part: %s" % missed)
    s = dict(c.rooms())["room/"]
    check(0 < s["reached"] < s["lines"] and s["never"] == 1, "sums: %s" % s)
    nothing, everything = fuzz_cover.Coverage(m, set()), fuzz_cover.Coverage(m, set(p for b in m["blocks"] for p in b[0]))
    check(not any(nothing.lines.values()) and all(everything.lines.values()), "nothing, and everything")
    page = fuzz_cover.page(c, {}, "abc")
    check("| never |" not in page and "of 0 lines" in page, "the page is of the core alone")


def files(top):
    path = os.path.join(top, "places.txt")
    some = {0xffffffff80100005, 0xffffffff80100010}
    fuzz_cover.write_places(path, "mark", some)
    check(fuzz_cover.read_places(path, "mark") == some and fuzz_cover.read_places(path, "other") == set(), "places, and another kernel's")
    with open(path, "ab") as f:
        f.write(b"\xff\x00 zz ffffffff8010\n12\n")
    check(fuzz_cover.read_places(path, "mark") == some and fuzz_cover.read_places(path + "x", "mark") == set(), "damaged places, and none")
    path = os.path.join(top, "missed.toml")
    for text, ok in (('[[missed]]\nfile = "a/b.c"\nfunction = "f"\nreason = "r"\n', True), ('[[missed]]\nfile = "a/b.c"\nfunctions = ["f", "g"]\nreason = "r"\n', True),
                     ('[[missed]]\nfile = "a/b.c"\nfunction = "f"\n', False), ('[[missed]]\nfile = "a/b.c"\nfunction = "f"\nreason = " "\n', False),
                     ('[[missed]\n', False), ('missed = 3\n', False), ('[[missed]]\nfile = "a"\nfunction = "f"\nreason = "r"\nwhy = "x"\n', False)):
        with open(path, "w") as f:
            f.write(text)
        try:
            got = fuzz_cover.read_reasons(path)
            check(ok and got["a/b.c", "f"] == "r", "reasons that are accepted: " + text)
        except Fail:
            check(not ok, "reasons that are refused: " + text)
    fuzz_cover.read_reasons()
    check(fuzz_cover.short("<a::B<C> as d::E>::call::<u8>") == "call" and fuzz_cover.short("f.cold") == "f" and fuzz_cover.short("a::{closure#0}") == "{closure#0}", "names")


with tempfile.TemporaryDirectory() as top_dir:
    for level in (["-O2"], ["-O1"], ["-O2", "-fno-jump-tables"]):
        lines(top_dir, level)
    files(top_dir)
