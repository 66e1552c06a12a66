#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An XFS on a disk whose requests fail (tests/xfs/faults.c): the N-th of them, for many N, once or from then on, of all kinds or of some, also while a dirty log is recovered; and
operations that fail wherever they can (tests/xfs/failing.c): for lack of memory, or of blocks. Each ends with an errno or a shutdown, everybody goes on, nothing that was synced
is lost, nothing is left in memory; ./ochre image check and xfs_repair -n find nothing. usage: xfs_errors.py [CASE...] [STEP]: of all N each STEP-th, 1: all."""
import os
import re
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import plan, rootfs, sample, setup  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

PROGRAMS = {"faults": ("faults.c", "faults_work.c"), "failing": ("failing.c",)}
READS, WRITES, FLUSHES = 1, 2, 8
DEFAULT, SMALL = ("sid", ()), ("trixie", ("-b", "size=1024", "-m", "rmapbt=1"))
# Name: image, the program's words, of which {} is the first request and the step, and that step.
CASES = {
    "once": (DEFAULT, "faults once 0 {}", 40), "ever": (DEFAULT, "faults ever 0 {}", 40),
    "once-small": (SMALL, "faults once 0 {}", 50), "ever-small": (SMALL, "faults ever 0 {}", 50),
    "reads": (SMALL, "faults ever %d {}" % READS, 20), "writes": (DEFAULT, "faults ever %d {}" % WRITES, 25), "flushes": (DEFAULT, "faults ever %d {}" % FLUSHES, 9),
    "flush": (SMALL, "faults once %d {}" % FLUSHES, 9),
    "recovery": (DEFAULT, "faults recovery-once 0 {}", 90), "recovery-ever": (SMALL, "faults recovery-ever 0 {}", 90),
    "recovery-writes": (DEFAULT, "faults recovery-once %d {}" % WRITES, 40),
    "nth": (DEFAULT, "failing nth", 0), "full": (DEFAULT, "failing full", 0), "full-small": (SMALL, "failing full", 0),
}
SCRIPT = """mkdir -p /m; {program} /dev/vda /m nouuid {words} || {{ dmesg | tail -60; exit 1; }}
mount -t debugfs d /sys/kernel/debug 2>/dev/null; cd /sys/kernel/debug; echo scan >kmemleak; echo scan >kmemleak; cat kmemleak; cd /
dmesg | grep -iE 'warning|bug:|lockdep:|blocked for' && exit 1; sync"""


def one(name, root, d, step, first):
    (suite, options), words, usual = CASES[name]
    step = step or usual
    image = os.path.join(d, "image")
    images.make(image, images.Tree(), d, size="64m", options=options, suite=suite)
    program, words = words.format("%d %d" % (1 + first % step if step else 0, step)).split(" ", 1)
    status, said = memtx.ochre("run", "--debug", "--timeout", "3000", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", SCRIPT.format(program=program, words=words))
    if "KEEP" in os.environ:
        subprocess.run(["cp", "--sparse=always", image, os.environ["KEEP"]])
    check(status == 0 and program + " " in said and ": ok: " in said, "%s: status %d\n%s" % (name, status, said[-8000:]))
    leaks = [leak for leak in said.split("unreferenced object")[1:] if re.search(r"\b(_*xfs|extent|filemap|bio)_", leak)]
    check(not leaks, "\n".join(leaks))
    print("%s: %s" % (name, "".join(line for line in said.splitlines() if ": ok: " in line).split(": ok: ")[1]), flush=True)
    memtx.judge(image)
    os.unlink(image)


def main():
    step = next((int(a) for a in sys.argv[1:] if a.isdigit()), 0)
    names = [a for a in sys.argv[1:] if not a.isdigit()]
    seed = sample.of_run()
    names = names or (seed.dealt("xfs_errors", list(CASES), 5, plan.COMMAND_SLICES) if not step else list(CASES))
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        extra = {}
        for name, sources in PROGRAMS.items():
            path = rootfs.build_user(tools, name, out=os.path.join(d, name), sources=[os.path.join(ROOT, "tests/xfs", s) for s in sources])
            extra["bin/" + name] = (rootfs.read(path), 0o755)
        root = rootfs.busybox_root(tools, extra=extra)
        for name in names:
            one(name, root, d, step, seed.number("xfs_errors first", 1000))
    print("ok")


main()
