# SPDX-License-Identifier: MIT
"""Whether a machine had the processors that it wanted: one that others kept from them is slow, and what measures time in it, a soft lockup or a task
blocked for long, may say so without anything being wrong.

Linux counts for each thread how long it ran and how long it waited for a processor (/proc/PID/task/TID/schedstat). A machine is starved where, in one
SPAN of its life, a thread that wanted to run for half of it or more ran less than a third of that; or where the host itself lacked a third of its
processors, which those above it used (steal in /proc/stat). Two machines of four busy CPUs each on two processors are about there."""
import os
import re
import time

from .util import Awake

SPAN = 10.0             # seconds
WANTED = 0.5            # of a span: who wanted less was not waited for
LEAST = 1 / 3           # of what a thread wanted; of the processors, what others may not take
TIMED = re.compile(r"^.*(?:soft lockup - CPU#|blocked for more than).*$", re.M)       # reports that measure time
SAYS = "the host was busy: "
PATIENT = "OCHRE_PATIENT"       # in the environment of tests: limits are of the machine's time, not of the host's


def threads(pid):
    """{TID: (nanoseconds run, nanoseconds waited)}; {} of a process that is gone."""
    found = {}
    try:
        for tid in os.listdir("/proc/%d/task" % pid):
            try:
                with open("/proc/%d/task/%s/schedstat" % (pid, tid)) as f:
                    ran, waited = f.read().split()[:2]
            except OSError:
                continue        # it has just ended
            found[tid] = int(ran), int(waited)
    except OSError:
        pass
    return found


def stolen():
    """(ticks that the processors counted, those that were stolen)."""
    try:
        with open("/proc/stat") as f:
            ticks = [int(w) for w in f.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    return sum(ticks), ticks[7] if len(ticks) > 7 else 0


def judge(before, after, span, ticks, steal):
    """(share, words): the least that a CPU had of what it wanted in a span of so many seconds, and what was wrong, or "". BEFORE and AFTER as
    threads() says, TICKS and STEAL: of the whole host meanwhile."""
    share, said = 1.0, ""
    for tid, (ran, waited) in after.items():
        ran, waited = ((now - was) / 1e9 for now, was in zip((ran, waited), before.get(tid, (0, 0))))
        wanted = ran + waited
        if wanted >= WANTED * span and ran < share * wanted:
            share = ran / wanted
            said = "a CPU had a processor for %.1f of %.1f s that it wanted one" % (ran, wanted)
    said = said if share < LEAST else ""
    if ticks and steal > LEAST * ticks:
        said = said or "others had %.0f %% of this machine's processors for %.1f s" % (100 * steal / ticks, span)
    return share * (1 - steal / ticks if ticks else 1), said


class Watch:
    """Over the threads of a process. look() wants to be called once a second or so; said is "" until it was starved; share: see judge(), of the
    last span."""

    def __init__(self, pid):
        self.pid, self.said, self.share = pid, "", 1.0
        self.at, self.threads, self.ticks = time.monotonic(), threads(pid), stolen()

    def look(self, span=SPAN):
        now = time.monotonic()
        if now - self.at < span:
            return
        after, ticks = threads(self.pid), stolen()
        self.share, said = judge(self.threads, after, now - self.at, *(n - was for n, was in zip(ticks, self.ticks)))
        self.said = self.said or said
        self.at, self.threads, self.ticks = now, after, ticks

    def line(self, text):
        """A line for the output of a machine whose TEXT has a report that measures time, "" where there is none or it was not starved."""
        return SAYS + self.said + "\n" if self.said and TIMED.search(text) else ""


class Clock(Awake):
    """Awake, for limits of a machine: the seconds that its busiest CPU had where the tests ask for patience (SLOWEST of them at least, so that it goes on)."""

    SLOWEST = 0.1

    def __init__(self):
        super().__init__()
        self.host = None        # the machine's Watch, once there is one
        self.patient = bool(os.environ.get(PATIENT))

    def __call__(self):
        before = self.sum
        super().__call__()
        if self.patient and self.host:
            self.sum = before + (self.sum - before) * max(self.host.share, self.SLOWEST)
        return self.sum


def excused(text):
    """TEXT less its reports of time, where it says that the machine was starved."""
    return TIMED.sub("", text) if SAYS in text else text
