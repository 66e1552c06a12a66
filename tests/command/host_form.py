#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/check-form: what it refuses, what --fix makes of it, and that made once it stays."""
import importlib.machinery
import importlib.util
import os
import shutil
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("check_form", ROOT + "/tools/check-form")
form = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_form", loader))
loader.exec_module(form)

LONG = "a comment of many words, each of which says something, so that all of them need more than a line of the hundred columns there are"
BAD_C = """#include <lib/types.h>
int answer(void) { return 42; }
int other(int a) {
    if (a) return 1;
\tlist_for_each_entry(a, b, c) { a(); b(); }
\tint x = a ? first_of_many(a, a, a, a, a) : second_of_many(a, a, a, a, a, a); int y = x, zzzzzzzzzzzzzzzz = y;
\treturn y; /* %s */
}
INITCALL(core, other);
""" % LONG
GOOD_C = """/* SPDX-License-Identifier: MIT */
struct pair {
\tint a;\t\t\t/* the author's space */
\tint longer_name;\t/* is kept */
};

#define FIRST 1\t\t\t/* one */

static int first(struct pair *p)
{
\tfor_each_online_cpu(cpu)
\t\tp->a++;
\treturn p->a;
}
INITCALL(core, first);
"""


def counts():
    body = "\n".join("\tx();" for _ in range(61))
    c = "int f(void)\n{\n%s\n}\n\nstatic const int t[] = {\n%s\n};\n" % (body, body)
    assert list(form.functions("a.c", c)) == [(2, "f", 61)], list(form.functions("a.c", c))
    rs = "impl X {\n    pub fn f(&self) {\n%s\n    }\n\n    fn g();\n}\n" % body
    assert list(form.functions("a.rs", rs)) == [(2, "f", 61)]
    py = "def f():\n%s\n" % "\n".join("    x()" for _ in range(61))
    assert list(form.functions("a.py", py)) == [(1, "f", 61)]
    bad, _ = form.judge("a.py", py + "\n" * 700, {})
    assert len(bad) == 2 and "61 lines in f()" in bad[1] and "lines in a file" in bad[0], bad
    assert form.judge("a.py", "def f():\n    x()\n", {}) == ([], "def f():\n    x()\n")


def lists():
    there, most = form.listed(), form.MOST
    assert form.list_breaches(there) == [], form.list_breaches(there)[:3]
    assert "no/such.c, which is gone" in form.list_breaches(there[1:] + ["no/such.c"])[0]
    assert "it only shrinks" in form.list_breaches(there + ["ochre"] * (most + 1 - len(there)))[0]


def text_alone():
    with tempfile.NamedTemporaryFile() as f:
        f.write(b"\x7fELF\0")
        f.flush()
        assert form.binaries(["tools/check-form"]) == []
        assert "not text" in form.binaries([f.name])[0]


def comments():
    up = form.comments_up("\tx = 1;\t/* %s */\n" % LONG)
    assert up.startswith("\t/*\n\t * a comment") and up.endswith("\t */\n\tx = 1;\n"), up
    assert form.comments_up("#define A \"/* %s */\"\n" % LONG) == "#define A \"/* %s */\"\n" % LONG        # no comment
    macro = "#define A(x) \\\n\tf(x)\t/* %s */\n" % LONG
    assert form.comments_up(macro) == macro
    assert max(form.width(l) for l in form.comments_up("/* %s */" % LONG).split("\n")) <= form.COLUMNS
    assert list(form.torn_comments("a.h", "/*\n * a\n *\n * b\n */\nint *p; /* x */\n*p = 1;\n")) == []
    torn = list(form.torn_comments("a.h", "/*\n * a table\n *of two\n */\n"))
    assert len(torn) == 1 and torn[0].startswith("a.h:3: "), torn
    assert form.own_spaces("int a; /* x */", "int a;\t\t/* x */") == "int a;\t\t/* x */"


def programs():
    if not shutil.which(form.CLANG_FORMAT):
        print("no %s: the rest is left out" % form.CLANG_FORMAT)
        return
    p = form.find_programs(["a.c", "a.rs"] if os.path.exists("/usr/bin/rustfmt") else ["a.c"])
    assert form.judge("lib/a.c", GOOD_C, p) == ([], GOOD_C), form.judge("lib/a.c", GOOD_C, p)[0]
    bad, good = form.judge("lib/a.c", BAD_C, p)
    assert len(bad) == 1 and "--fix lib/a.c" in bad[0], bad
    assert form.judge("lib/a.c", good, p) == ([], good), form.judge("lib/a.c", good, p)
    for line in ("int answer(void)\n{\n\treturn 42;\n}\n\nint other", "\tif (a)\n\t\treturn 1;\n", "\tlist_for_each_entry(a, b, c) {\n\t\ta();\n\t\tb();\n", "}\nINITCALL(core, other);\n"):
        assert line in good, (line, good)
    assert max(form.width(l) for l in good.split("\n")) <= form.COLUMNS, good
    if "rs" in p:
        bad, good = form.judge("rust/a.rs", "fn f( )->u32{1}\n", p)
        assert bad and good == "fn f() -> u32 {\n    1\n}\n", good


counts()
lists()
text_alone()
comments()
programs()
print("ok")
