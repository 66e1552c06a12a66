#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A whole run fits in its minutes by CONTRIBUTING.md's table, each of its parts has a row there, and what a run leaves out comes in others."""
import argparse
import contextlib
import glob
import io
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
sys.dont_write_bytecode = True
from ochre import analyze, budget, plan, sample, test  # noqa: E402

class Recorder(test.Runner):
    """Names its parts and runs none."""

    def __init__(self, **kw):
        args = {"filter": [], "jobs": 2, "verbose": False, "strict": False, "fail_nth": False, "order": None, "arch": None, "quick": False, "full": False, "seed": None, "debug": False,
                "release": False, "kernel": None}
        args.update(kw)
        super().__init__(argparse.Namespace(**args), None)
        plan.Plan(self.args, self).add()

    def guest_files(self, arch="x86_64"):
        names = sorted(n[:-2] for n in os.listdir(test.ROOT + "/tests/guest") if n.endswith(".c"))
        return {}, names + sorted(n for n in os.listdir(test.ROOT + "/tests/sh") if n.endswith(".sh"))

    def titles(self):
        return [p.title for p in self.parts]

    def guests(self):
        """{title: names} of the guest tests."""
        found = {}
        for p in self.parts:
            if p.title.startswith("guest tests"):
                found.setdefault(p.title, []).extend(p.args[2])
        return found


def table():
    rows = budget.table()
    assert set(budget.ROWS) <= set(rows), set(budget.ROWS) - set(rows)
    later = {r for r in rows if r.startswith("set aside: ")}
    assert set(rows) - later == set(budget.ROWS), set(rows) - later
    assert sum(m for m, _ in rows.values()) <= budget.LIMIT, sum(m for m, _ in rows.values())
    # A row over its minutes by half is named, one below is not; a small one's noise is none.
    most = rows["boots"][0]
    assert budget.lines([("boots", 60 * most * 1.4, 1.0)]) == []
    assert budget.lines([("boots", 60 * most * 3.2, 0.5)])[0].startswith("boots "), "over"
    assert budget.lines([("boots", 60 * most * 1.6, 0.5)]) == []
    assert budget.lines([("other builds", 60 * 1.1, 1.0)]) == []
    assert len(budget.lines([("boots", 6.0, 1.0)], True)) == 1


def pairs(r):
    """What a run does, as pairs (title, name): of each part the tests in it that a sample may leave out, as far as the plan names them."""
    found = set()
    for p in r.parts:
        if p.title.startswith("guest tests"):
            found |= {(p.title, n) for n in p.args[2]}
        elif p.title.startswith("Debian's programs"):
            found |= {(p.title, n) for n in p.args[1]}
        elif p.title.startswith("boots"):
            found |= {("boots", name, str(cfg)) for name, _, cfg in p.args[0]}
        elif p.title.startswith("rules"):
            found |= {("rules", n) for n in glob.glob(test.ROOT + "/tests/command/host_*.py") if n not in p.args[0]}
        elif p.title in ("analyses", "other builds"):
            found |= {(p.title, n) for n in p.args[0]}
        elif p.title.startswith("builds"):
            found |= {(p.title, d) for d in p.args[1]}
        elif p.title == "the command: planted":
            found.add((p.title, *p.args[-1]))
        else:
            found.add((p.title,))
    return found


def parts():
    """Each part of any sample has a row, and a sample is repeated by its seed."""
    runs = [Recorder(seed="t%d" % n) for n in range(3 * sample.TURNS + 1)]
    for r in runs + [Recorder(seed="another")]:
        again = Recorder(seed=r.sample.seed)
        assert r.titles() == again.titles() and r.guests() == again.guests()
        for t in r.titles():
            assert budget.row_of(t), t
    full, done = pairs(Recorder(full=True)), [pairs(r) for r in runs]
    planted = {('the command: planted', "--slice", "%d/%d" % (n, plan.PLANT_SLICES)) for n in range(plan.PLANT_SLICES)}
    full = {p for p in full if p[0] != "the command: planted"} | planted
    for first in range(2 * sample.TURNS):       # whatever a full run has comes up in so many turns, wherever one begins
        missed = full - set().union(*done[first:first + sample.TURNS])
        assert not missed, (first, sorted(missed)[:20])
    assert set().union(*done) <= full, sorted(set().union(*done) - full)[:20]
    everyone = set(Recorder().guest_files()[1])
    assert {n for t, n in (p for p in full if p[0] == "guest tests, debug, 4 CPUs, full")} == everyone
    # One of the heavy analyses at a time; a slow test of the command now and then, the others more often.
    assert all(sum(("analyses", n) in d for n in plan.HEAVY) == 1 for d in done)
    often = {p[0]: sum(p in d for d in done) for p in full if p[0].startswith("the command: ") and len(p) == 1}
    slow = {"the command: " + os.path.basename(p)[:-3] for p in glob.glob(test.ROOT + "/tests/command/*.py") if plan.says_slow(p)} & set(often)
    assert len(slow) > 8 and all(0 < often[t] < len(done) / 2 for t in slow), often
    # No more than a share at a time.
    most = max(sum(p[0] == "guest tests, debug, 1 CPU, lazy" for p in d) for d in done)
    assert most <= len(everyone) / plan.USUAL[1][1] * 1.2, (most, len(everyone))
    for r in runs:
        assert sum(p.title.startswith("planted bugs") for p in r.parts) <= 1
        assert len({re.sub(".*, ", "", t) for t in r.titles() if t.startswith("code, ")}) == 1


def quick_and_named():
    quick = Recorder(quick=True).titles()
    assert not [t for t in quick if re.match(r"boots|the command|Debian|planted|analyses|programs of|machines|other builds", t)], quick
    slow = plan.slow_programs(Recorder().guest_files()[1])
    assert slow and not slow & set(sum(Recorder(quick=True).guests().values(), []))
    named = Recorder(filter=["guest/pipe"])
    assert named.sample.seed is None and set(named.guests()["guest tests, debug, 1 CPU, lazy"]) == set(named.guests()["guest tests, debug, 4 CPUs, full"])
    assert not [t for t in named.titles() if "aarch64" in t and t.startswith(("guest", "kernel", "builds"))], named.titles()
    assert any(t.startswith("guest tests, aarch64, debug") for t in Recorder(arch="aarch64").titles())


def shares():
    items = ["a%d" % i for i in range(100)]
    s = [sample.Sample("t%d" % n) for n in range(14)]
    slices = [x.share("k", items, 7) for x in s]
    assert sorted(sum(slices[:7], [])) == sorted(items) and slices[7:] == slices[:7] and s[0].share("k", items, 1) == items
    with_another = [x.share("k", ["b"] + items, 7) for x in s]
    assert [[i for i in w if i != "b"] for w in with_another] == slices     # a new one moves no other
    assert [x.number("k", 3, 2) for x in s[:4]].count(s[0].number("k", 3, 2)) in (2, 3) and len({x.number("k", 3, 2) for x in s[:6]}) == 3
    assert sorted(sum((x.dealt("k", items, 7) for x in s[:7]), [])) == sorted(items)
    everything = sample.Sample(None)
    assert everything.share("k", items, 7) == everything.dealt("k", items, 7) == everything.one("k", items) == items and len(s[0].one("k", items)) == 1
    assert sample.Sample("a word").share("k", items, 7) in slices


def words():
    """The seed's word: where it comes from, and what follows it."""
    was = os.environ.pop(sample.OF_RUN, None)
    with open(sample.FILE) as f:
        own = f.read().strip()
    assert sample.seed_of(None) == own and sample.seed_of("t7") == "t7" and sample.of_run().seed == own
    os.environ[sample.OF_RUN] = "t9"
    assert sample.seed_of(None) == "t9" and sample.seed_of("t7") == "t7" and sample.of_run().turn == 9
    os.environ[sample.OF_RUN] = sample.ALL
    assert sample.seed_of(None) == own and sample.of_run().seed is None
    os.environ.pop(sample.OF_RUN)
    if was is not None:
        os.environ[sample.OF_RUN] = was
    assert sample.after("t99") == "t100"
    for bad in (lambda: sample.after("word"), lambda: sample.seed_of("a b")):
        try:
            bad()
        except test.Fail:
            continue
        raise AssertionError("no complaint")
    # A green turn leaves its word, a red one does not.
    with tempfile.TemporaryDirectory() as d:
        sample.FILE, real = d + "/seed", sample.FILE
        sample.keep("t3")
        with contextlib.redirect_stdout(io.StringIO()) as said:
            assert test.turned("t4", 1) == 1 and sample.seed_of(None) == "t3" and "t4 is not green" in said.getvalue()
            assert test.turned("t4", 0) == 0 and sample.seed_of(None) == "t4"
        sample.FILE = real
    for more in (["--quick"], ["--full"], ["--seed", "t3"], ["guest/pipe"], ["--arch", "aarch64"], ["--list"]):
        r = subprocess.run([test.ROOT + "/ochre", "test", "--turn", *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert r.returncode and "--turn takes the next sample" in r.stdout, (more, r.stdout)


table()
parts()
quick_and_named()
shares()
words()
print("ok")
