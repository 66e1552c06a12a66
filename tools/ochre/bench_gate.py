# SPDX-License-Identifier: MIT
"""The history of what operations cost, bench/history.json, and the gate that compares with its last row.

A row holds the instructions for one of each operation, made by one version of the tools: a row of other compilers says nothing about the
source. What costs more on purpose says so in the commit's message: 'Bench-regression: OPERATION: why', until the next row is recorded."""
import json
import os
import re
import sys
import time

from .util import Fail, ROOT, output, write_if_changed

HISTORY = os.path.join(ROOT, "bench/history.json")
ALLOWED = 0.02
NOTHING_TO_COMPARE = 77     # the test is skipped


def git(*argv):
    return output(["git", "-C", ROOT] + list(argv)).strip()


def makers(tools):
    """The compilers of the kernel and of the operations, as far as they decide on the code."""
    def version(path, pattern=r"(\d+\.\d+[\d.]*)"):
        m = re.search(pattern, output([path, "--version"]))
        return m[1] if m else "?"
    return "clang %s, rustc %s, gcc %s" % (version(tools["clang"]), version(tools["rustc"]), version(tools["gcc"], r"\) (\d+\.\d+[\d.]*)"))


def load(path=HISTORY):
    try:
        with open(path) as f:
            return json.load(f)
    except OSError:
        return []
    except ValueError as e:
        raise Fail("%s is no JSON: %s" % (path, e))


def save(rows):
    """A line an operation, so that changes can be read."""
    write_if_changed(HISTORY, json.dumps(rows, indent=1) + "\n")


def record(tools, found):
    rows = load()
    rows.append({"version": git("describe", "--always", "--dirty") or "unknown", "date": time.strftime("%Y-%m-%d", time.gmtime()),
                 "tools": makers(tools), "operations": {op: round(c["instructions"], 1) for op, c in found.items()}})
    save(rows)
    print("recorded: row %d of bench/history.json, %d operations, version %s" % (len(rows), len(found), rows[-1]["version"]))
    return 0


def excuses():
    """{operation: why} of the commits since the last row was."""
    since = git("log", "-1", "--format=%H", "--", "bench/history.json")
    text = git("log", "--format=%B", since + "..HEAD") if since else ""
    return {m[1].strip(): m[2].strip() for m in re.finditer(r"^Bench-regression: (.+?): (.+)$", text, re.M)}


def regressions(row, found):
    """[(operation, was, is)]: more than is allowed, or not measured any more. Where chance has a part the lowest reading counts."""
    bad = []
    for op, was in row["operations"].items():
        now = found.get(op)
        if now is None or min(now["least"], now["instructions"]) > was * (1 + ALLOWED):
            bad.append((op, was, now and now["least"]))
    return bad


def judge(row, found, excused):
    """(lines to print, did it pass)"""
    lines, passed = [], True
    for op, was, now in regressions(row, found):
        what = "%s: %.1f instructions, was %.1f (%+.1f %%)" % (op, now, was, 100 * (now / was - 1)) if now is not None else op + ": not measured any more"
        if op in excused:
            lines.append("excused  %s: %s" % (what, excused[op]))
        else:
            lines.append("FAILED   " + what)
            passed = False
    return lines, passed


def gate(tools, found):
    mine = makers(tools)
    rows = [r for r in load() if r["tools"] == mine]
    if not rows:
        print("no row of bench/history.json was made with %s: ./ochre bench --record makes one" % mine)
        return NOTHING_TO_COMPARE
    lines, passed = judge(rows[-1], found, excuses())
    print("\n".join(lines + ["%d operations against version %s: %s" % (len(rows[-1]["operations"]), rows[-1]["version"], "passed" if passed else "failed")]))
    if not passed:
        sys.stderr.write("ochre: what costs more on purpose is said in the commit's message: 'Bench-regression: OPERATION: why'\n")
    return 0 if passed else 1
