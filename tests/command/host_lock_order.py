#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The lock checker's graph against a page of rows: contradictions, missing rows, and orders that an interrupt would make."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
sys.dont_write_bytecode = True
from ochre import lockorder  # noqa: E402

ROWS = """
| Lock | Where | Protects |
|---|---|---|
| `outer` | a.c | one |
| `&x->lock` `other` | a.c, b.c | two |
| `handler` | a.c | three |
| `&y->lock` | * | four |
"""


def check(*lines):
    return lockorder.check(lines)[0]


def judge():
    size = "3 classes, 2 orders, 0 reports"
    assert check(size, "class outer (a.c)", "class &x->lock (b.c)", "outer (a.c) -> &x->lock (b.c)") == []
    assert check("outer (a.c) -> outer (a.c)") == []      # several classes of one name
    assert check("handler (a.c) -> outer (a.c)") == ["seen against the page: handler (a.c) -> outer (a.c)"]
    assert check("&x->lock (a.c) -> other (b.c)") == ["seen against the page: &x->lock (a.c) -> other (b.c)"]
    assert check("class new (a.c)") == ["no row for new (a.c)"] and check("class outer (b.c)") == ["no row for outer (b.c)"]
    assert check("1 classes, 0 orders, 2 reports") == ["the lock checker: 1 classes, 0 orders, 2 reports"]
    # An interrupt that comes while a lock is held makes an order; whether it came does not matter.
    assert check("in interrupts: handler (a.c)", "with interrupts on: outer (a.c)", "with interrupts on: other (b.c)", "class &y->lock (c.c)") == []
    assert check("in interrupts: handler (a.c)", "with interrupts on: &y->lock (c.c)") == \
        ["held with interrupts on, below handler (a.c), which handlers take: &y->lock (c.c)"]
    assert check("in interrupts: handler (a.c)", "in interrupts: other (a.c)", "with interrupts on: handler (a.c)", "with interrupts on: outer (a.c)") == \
        ["held with interrupts on, below other (a.c), which handlers take: handler (a.c)"]
    assert check("in interrupts: new (a.c)") == ["no row for new (a.c)"]


with tempfile.NamedTemporaryFile("w", suffix=".md") as page:
    page.write(ROWS)
    page.flush()
    lockorder.PAGE = page.name
    judge()
print("ok")
