# SPDX-License-Identifier: MIT
"""Attacks with two parties: programs of user 1000 against what root has, on the debug kernel; a referee compares (fuzz/parties.h)."""
import os
import sys
import time

from . import fuzz_corpus, fuzz_vm, oops
from .util import BUILD, ROOT, awake, rel

OUT = os.path.join(BUILD, "fuzz", "parties")
PLANTED = os.path.join(ROOT, "fuzz", "planted.txt")      # what root does to what is staged: the referee sees each
ATTACKS = os.path.join(ROOT, "fuzz", "corpus", "parties.txt")
SLOT = 300          # numbers of these machines' folders begin here
TURN = 20000        # programs of a machine: then the next one boots
JOBS = 2            # of a machine of one processor: one works while the other's call blocks
BATCH = 1000        # as in fuzz/parties.c
HUNG = 600          # seconds without a word of a job, which says one after each batch
RUNS = 1000         # of ./ochre test: the attacks in both roles and others made of them, the same each time
SEED = 1


class Machine:
    """Programs FIRST to FIRST + COUNT of a seed, each with the word ONLY, or those of a file."""

    def __init__(self, tools, built, number, seed, first, count, append="", programs=None, planted=False, only=None):
        vmlinux, binary, _ = built
        os.makedirs(OUT, exist_ok=True)
        path = os.path.join(OUT, "vm%d.cpio" % number)
        with open(os.path.join(os.path.dirname(binary), "setuid"), "rb") as f:
            files = [("setuid", f.read())]
        files += [("attacks", b"".join(fuzz_corpus.committed(built[2], ATTACKS))), ("seeds", b"".join(fuzz_corpus.committed(built[2])))]
        files += ([("programs", programs)] if programs else [])
        args = ["parties", "/programs"] + ["planted"] * planted if programs else ["parties", str(seed), str(first), str(count), str(JOBS)]
        args = (["only=" + only] if only else []) + args
        fuzz_vm.initrd(path, binary, args, files=files)
        self.vm = fuzz_vm.Machine(tools, SLOT + number, vmlinux, path, cpus=1, append=append)
        self.seed, self.first, self.count, self.scan = seed, first, count, oops.Scan()
        self.figures, self.said, self.heard = {}, [], awake()

    def total(self, k):
        return sum(f[k] for f in self.figures.values())

    def step(self):
        """None while it plays; "" at its end, or what it died of."""
        for kind, what in self.vm.step(0.2):
            self.heard = awake()
            if kind == "S" and len(what) == 6:
                self.figures[what[0]] = what
            elif kind == "D":
                self.said.append(what)
                print("    " + what, flush=True)
        if self.scan.found(self.vm.console):
            return "a report"
        if self.vm.ended is not None:
            return "" if self.vm.ended == "status 0" else "the referee ended: " + self.vm.ended
        if self.vm.dead():
            return "the machine is gone"
        if awake() - self.heard > HUNG:
            return "hang: no word for %d s" % HUNG
        return None


class Play:
    def __init__(self, tools, built, seed, runs, jobs, limit, append, first, only, keep):
        self.tools, self.built, self.seed, self.runs, self.limit, self.append, self.only_first, self.only, self.keep = tools, built, seed, runs, limit, append, first, only, keep
        self.slots, self.next, self.done, self.reports = [None] * jobs, 0, [], 0
        self.started = time.monotonic()

    def total(self, k):
        return sum(m.total(k) for m in self.done + [m for m in self.slots if m])

    def line(self):
        took = max(time.monotonic() - self.started, 1)
        return "seed %d: %d programs, %.0f/s, %d calls, %d ended for taking long, %d killed, %d differences, %d reports" % (
            self.seed, self.total(1), self.total(1) / took, self.total(2), self.total(3), self.total(4), self.total(5), self.reports)

    def boot(self, i):
        left = self.runs - self.next if self.runs else TURN
        count = min(TURN, left, -(-left // len(self.slots) // BATCH) * BATCH if self.runs else TURN)
        if count > 0:
            self.slots[i] = Machine(self.tools, self.built, i, self.seed, self.next, count, self.append, only=self.only)
            self.next += count

    def close(self, i):
        self.slots[i].vm.stop()
        self.done.append(self.slots[i])
        self.slots[i] = None

    def go(self):
        shown = time.monotonic()
        try:
            while not (self.limit and time.monotonic() - self.started > self.limit) and not (self.only_first and (self.total(5) or self.reports)):
                for i in range(len(self.slots)):
                    if not self.slots[i]:
                        self.boot(i)
                        continue
                    how = self.slots[i].step()
                    if how is None:
                        continue
                    if how:
                        self.reports += 1
                        self.keep(self.slots[i].vm, how, {"seed": self.seed, "first": self.slots[i].first})
                    self.close(i)
                if not any(self.slots) and self.runs and self.next >= self.runs:
                    break
                if time.monotonic() - shown > 30:
                    shown = time.monotonic()
                    sys.stderr.write(self.line() + "\n")
        except KeyboardInterrupt:
            sys.stderr.write("\nstopped\n")
        finally:
            for i in range(len(self.slots)):
                if self.slots[i]:
                    self.close(i)
        print(self.line())
        return 1 if self.total(5) or self.reports else 0


def replay(tools, built, paths, keep):
    """Programs of files, each file a batch on a stage of its own."""
    worst = 0
    for path in paths:
        with open(path, "rb") as f:
            m = Machine(tools, built, 90, 0, 0, 0, programs=f.read(), planted=os.path.realpath(path) == PLANTED)
        try:
            how = None
            while how is None:
                how = m.step()
            if how:
                keep(m.vm, how, {"seed": None})
        finally:
            m.vm.stop()
        print("%s: %d programs, %s" % (rel(path), m.total(1), how or ("%d differences" % m.total(5) if m.total(5) else "nothing changed" if os.path.realpath(path) != PLANTED else "all seen")))
        worst |= bool(how) or bool(m.total(5)) or not m.total(1)
    return int(worst)
