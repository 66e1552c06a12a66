#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A whole run fits in its minutes by CONTRIBUTING.md's table, each of its parts has a row there, and what a run leaves out comes in others."""
import argparse
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
sys.dont_write_bytecode = True
from ochre import analyze, budget, plan, sample, test  # noqa: E402

class Recorder(test.Runner):
    """Names its parts and runs none."""

    def __init__(self, **kw):
        args = {"filter": [], "jobs": 2, "verbose": False, "strict": False, "fail_nth": False, "arch": None, "quick": False, "full": False, "seed": None, "debug": False,
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


def parts():
    """Each part of any sample has a row, and a sample is repeated by its seed."""
    seen, slices = set(), {}
    seeds = ["s%d" % i for i in range(60)]
    for seed in seeds:
        r, again = Recorder(seed=seed), Recorder(seed=seed)
        assert r.titles() == again.titles() and r.guests() == again.guests()
        for t in r.titles():
            assert budget.row_of(t), t
        seen |= set(r.titles())
        for t, names in r.guests().items():
            slices.setdefault(t, []).append(set(names))
    full = Recorder(full=True)
    fixed = {t for t in full.titles() if not t.startswith(("boots", "builds"))}
    missed = {t for t in fixed if t not in seen and not re.match(r"kernel tests, \w+, release, 1 CPU", t)}
    assert not missed, missed                   # whatever a full run has comes up in some commit
    everyone = set(Recorder().guest_files()[1])
    for t in ("guest tests, release, 4 CPUs, lazy", "guest tests, debug, 1 CPU, lazy", "guest tests, debug, 4 CPUs, full"):
        assert set().union(*slices[t]) == everyone, t
        assert set(full.guests()[t]) == everyone, t
    # Each analysis that gates comes up, one of the heavy ones at a time.
    drawn = [next(p.args[0] for p in r.parts if p.title == "analyses") for r in (Recorder(seed=s) for s in seeds)]
    assert set().union(*drawn) == set(analyze.GATE) and all(sum(n in plan.HEAVY for n in d) == 1 for d in drawn), drawn
    # A slow test of the command comes up now and then, the others more often.
    runs = [Recorder(seed=s) for s in seeds]
    left = [next(p.args[0] for p in r.parts if p.title.startswith("rules")) for r in runs]
    assert 0 < sum(not names for names in left) < len(seeds) / 2 and not full.parts[[p.title.startswith('rules') for p in full.parts].index(True)].args[0]
    often = {t: sum(t in r.titles() for r in runs) for t in full.titles() if t.startswith("the command: ")}
    slow = {"the command: " + os.path.basename(p)[:-3] for p in glob.glob(test.ROOT + "/tests/command/*.py") if plan.says_slow(p)} & set(often)
    assert len(slow) > 8 and all(0 < often[t] < len(seeds) / 2 for t in slow), often
    # No more than a share at a time.
    assert max(len(s) for s in slices["guest tests, debug, 1 CPU, lazy"]) <= len(everyone) / plan.USUAL[1][1] + 1
    for r in (Recorder(seed=s) for s in seeds):
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
    s = sample.Sample("x")
    dealt = [set(sorted(items, key=lambda i: sample.digest("k", i))[n::7]) for n in range(7)]
    assert set(s.share("k", items, 7)) in dealt and s.share("k", items, 1) == items
    assert sample.Sample(None).share("k", items, 7) == items and len(s.one("k", items)) == 1
    assert len({tuple(sample.Sample(str(n)).share("k", items, 7)) for n in range(99)}) == 7


table()
parts()
quick_and_named()
shares()
print("ok")
