# SPDX-License-Identifier: MIT
"""The system calls: which are there, what they lack, which test proves them."""
import importlib.util
import os

from .util import Fail, ROOT


def table():
    spec = importlib.util.spec_from_file_location("abi_gen", os.path.join(ROOT, "tools/abi-gen.py"))
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    return m


def cmd_coverage(args):
    gen = table()
    try:
        t = gen.Table(os.path.join(ROOT, "abi/syscalls.tbl"))
        t.scan(ROOT, args.arch)
    except gen.TableError as e:
        raise Fail(str(e), 1)
    calls = [(n, c) for n, c in sorted(t.numbers(args.arch).items())]
    count = {}
    bare = []
    for n, c in calls:
        s = c.status()
        count[s] = count.get(s, 0) + 1
        tests = sorted(set(c.tests))
        if s in ("done", "partial") and not tests:
            bare.append(c.name)
        if args.untested and (s not in ("done", "partial") or tests) or args.absent and s not in ("absent", "partial"):
            continue
        note = {"done": "", "partial": "lacks " + (c.partial or ""), "absent": "ENOSYS, counted", "gone": "ENOSYS in Linux too"}[s]
        print("%4d  %-24s %-8s %s" % (n, c.name, {"done": "yes", "gone": "-"}.get(s, s), "; ".join(x for x in (note, " ".join(tests)) if x)))
    if bare and not args.absent:
        print("\nimplemented without a test of its own (%d): %s" % (len(bare), " ".join(bare)))
    print("\n%s: %d calls: %d implemented, %d partial, %d absent, %d gone from Linux too" % (
        args.arch, len(calls), count.get("done", 0), count.get("partial", 0), count.get("absent", 0), count.get("gone", 0)))
    return 0
