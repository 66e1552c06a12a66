# SPDX-License-Identifier: MIT
"""Results of tests, and the second try of those that failed.

A test that failed is run once more, alone, when the rest of the run has ended. If it passes then it is unstable: listed at the end, its two outputs kept
under build/again, and the run is green unless --strict is given. What a detector reported, an oops, a leak or the death of a kernel is final: the kernel
was seen to be wrong, whatever it does the next time. So are kernels that do not build, and a run in which more than MOST tests failed: that is broken.
Not final is what measures time in a machine that was starved (starved.py): all programs of its part run once more, and must report nothing then."""
import os
import re
import shutil

from . import oops, starved
from .util import BUILD, Fail, rel

MOST = 20
FIRST, LAST = 12, 28    # lines of a failure that the end of a run repeats
FOLDER = os.path.join(BUILD, "again")
NOT_AGAIN = "not run again: this is final"
EVERYTHING = "(all)"    # a result ROOM/(all) stands for all tests of its part that did not come to run
FINAL_NAME = re.compile(r"^build/(x86_64|aarch64|riscv64|loongarch64|sparc64|alpha)(-debug)?$|/(no_reports|no_leaks|sections|lock_order)$")
SECTION = re.compile(r"\bSECTION: ")
NO_REPORTS = "/no_reports"
FINAL_WHY = re.compile(r"^leak|the kernel died")
FINAL_TEXT = re.compile(r"ochre: the kernel died|(Address|Leak|Thread|UndefinedBehavior)Sanitizer|: runtime error: |\bSECTION: |unreferenced object")
# Tests that plant what detectors report: their output says nothing of the kernel's health.
PLANT = {"command/planted", "command/rust_planted", "command/commands", "command/fuzz_vm", "command/fuzz", "command/triage", "fuzz/planted"}


class Result:
    """What came of a test. REPORTS: it provokes reports of the kernel, so that those in its text are no news."""

    def __init__(self, name, outcome, why="", text="", took=0.0, where="", reports=False):
        self.name, self.outcome, self.why, self.text, self.took, self.where = name, outcome, why, text, took, where
        self.reports = reports or name in PLANT
        self.second = ""        # what became of the second try of a failure

    def key(self):
        return self.name, self.where

    def show(self, lines):
        print("%-8s %s%s%s" % (self.outcome, self.name, " [%s]" % self.where if self.where else "", ": " + self.why if self.why else " (%.1f s)" % self.took if self.outcome == "passed" and self.took >= 0.05 else ""))
        for l in lines:
            print("        " + l)


def is_final(r):
    """Whether a failure stays one whatever a second try says."""
    text = starved.excused(r.text)
    if r.name.startswith("kernel/"):        # in-kernel tests open long sections of their own: a batch of programs is what judges those
        text = SECTION.sub("", text)
    said = bool(FINAL_TEXT.search(text) or oops.DEATH.search(text) or oops.REPORT.search(text))
    if starved.SAYS in r.text and r.name.endswith(NO_REPORTS):
        return said
    if FINAL_NAME.search(r.name) or FINAL_WHY.search(r.why):
        return True
    return not r.reports and said


def to_retry(results):
    """The names of a part's results that get a second try. Where a whole batch reports, all of its programs do."""
    names = {r.name for r in results if r.outcome == "failed" and not is_final(r)}
    return names | {n.removesuffix(NO_REPORTS) + "/" + EVERYTHING for n in names if n.endswith(NO_REPORTS)}


def selects(only, name):
    """Whether a second try of the names ONLY runs NAME."""
    return name in only or name.split("/")[0] + "/" + EVERYTHING in only or any(n.endswith(": " + EVERYTHING) for n in only)


def judge(first, second):
    """FIRST: a part's results, SECOND: those of its second try. Makes what passed now unstable; returns the results of SECOND that count besides: new
    failures, and those of tests that had not come to run."""
    before = {r.key(): r.outcome for r in first}
    retried = to_retry(first)
    whole = any(n.endswith(EVERYTHING) for n in retried)
    extra = [r for r in second if r.key() not in before and (whole or r.outcome == "failed")]
    extra += [r for r in second if before.get(r.key()) == "passed" and r.outcome == "failed" and is_final(r)]    # a detector that had been silent
    for r in first:
        if r.outcome != "failed":
            continue
        if r.name not in retried:
            continue
        now = second if r.name.endswith(EVERYTHING) else [s for s in second if s.key() == r.key()]
        if now and any(s.outcome == "passed" for s in now) and all(s.outcome != "failed" for s in now):
            r.outcome, r.second = "unstable", "passed"
        elif any(s.outcome == "failed" and is_final(s) for s in now):
            r.second = "the second time a report"
        else:
            r.second = "failed the second time too" if any(s.outcome == "failed" for s in now) else "did not come to its end the second time"
    return extra


def forget():
    """A run begins: the outputs of the last one go."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def kept_at(r, which):
    return os.path.join(FOLDER, re.sub(r"[^\w.-]+", "_", r.name + ("-" + r.where if r.where else "")) + "." + which)


def keep(r, which):
    """Keeps the output of a result as its first or second; the file's path."""
    path = kept_at(r, which)
    try:
        os.makedirs(FOLDER, exist_ok=True)
        with open(path, "w") as f:
            f.write("%s %s%s\n%s\n" % (r.outcome, r.name, ": " + r.why if r.why else "", r.text))
    except OSError as e:
        raise Fail("cannot keep the output of %s: %s" % (r.name, e.strerror))
    return path


def short(text):
    """The lines of an output, without the middle of a long one."""
    lines = [l[:200] for l in text.rstrip().splitlines()]
    left_out = len(lines) - FIRST - LAST
    return lines if left_out <= 1 else lines[:FIRST] + ["... (%d lines more)" % left_out] + lines[-LAST:]


def say(results, strict, repeat=lambda r: ""):
    """Prints the end of a run; its exit status but for what a run without a test means. REPEAT gives the command that runs a result's test again."""
    failed, unstable = ([r for r in results if r.outcome == o] for o in ("failed", "unstable"))
    for r in failed:        # once more, in short: of a long run often only the end is at hand
        r.show(short(r.text))
        kept = kept_at(r, "first")
        for word, what in (("second", r.second), ("output", rel(kept) if os.path.exists(kept) else ""), ("again", repeat(r))):
            if what:
                print("    %s: %s" % (word, what))
    for r in unstable:
        r.show([])
        if repeat(r):
            print("    again: " + repeat(r))
    if unstable:
        print("unstable, that is failed and then passed alone%s: %s; outputs in %s" % (
            ", which --strict takes for failed" * strict, ", ".join(sorted({r.name for r in unstable})), rel(FOLDER)))
    if failed:
        print("failed: " + ", ".join(sorted({r.name for r in failed})))
    return 1 if failed or strict and unstable else 0
