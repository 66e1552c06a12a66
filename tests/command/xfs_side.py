#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads write directly over one file of an XFS, side by side, while other blocks of it come, go and are shared (tests/xfs/side.c). Then ./ochre image check and xfs_repair -n
find nothing, and nothing is left in memory. usage: xfs_side.py [linux] [SEED...]"""
import os
import re
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import lockorder, plan, rootfs, sample, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import memtx  # noqa: E402

CASES = (("sid", (), 1), ("trixie", ("-b", "size=1024"), 2), ("bookworm", ("-m", "reflink=0"), 3))
# Requests are under way for so long that a thread meets others.
SLOW = "-drive if=none,id=slow,format=raw,file=%s,throttling.iops-total=800 -device virtio-blk-pci,drive=slow"
OURS = """mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/lockdep/graph; cd /sys/kernel/debug; echo scan >kmemleak; echo scan >kmemleak; cat kmemleak; cd /
dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1; sync"""


def one(tools, d, program, suite, options, seed, kernel):
    image = os.path.join(d, "image")
    images.make(image, images.Tree(), d, size="300m", options=options, suite=suite)
    extra, script = {"bin/side": (rootfs.read(program), 0o755)}, OURS
    argv = ["run", "--debug"]
    if kernel == "linux":
        extra, script = {**extra, **linux.files(tools, d)}, "true"
        argv = ["run", "--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"]
    root = rootfs.busybox_root(tools, extra=extra)
    script = (linux.LOAD if kernel == "linux" else "") + "mkdir -p /m; side /dev/vda /m nouuid %d || { dmesg | tail -40; exit 1; }; %s" % (seed, script)
    status, said = memtx.ochre(*argv, "--timeout", "280", "--cpus", "2", "--rootfs", root, "--qemu", SLOW % image, "--", "sh", "-c", script)
    check(status == 0 and "side: ok" in said, "%s %s: status %d\n%s" % (suite, options, status, said[-6000:]))
    if kernel != "linux":
        lines = [line.strip() for line in said.splitlines()]
        bad = lockorder.check([line for line in lines if line.startswith("class ") or " -> " in line or " classes, " in line])[0]
        bad = [b for b in bad if re.search(r"fs/xfs/|extent/|block/", b) or b.startswith("the lock checker")]
        check(not bad, "\n".join(bad))
        leaks = [leak for leak in said.split("unreferenced object")[1:] if re.search(r"\b(_*xfs|extent|filemap|direct)_", leak)]
        check(not leaks, "\n".join(leaks))
    memtx.judge(image)
    os.unlink(image)


def main():
    tools = setup.load() or setup.ensure()
    kernel = "linux" if "linux" in sys.argv[1:] else "ochre"
    only = [int(a) for a in sys.argv[1:] if a.isdigit()] or [c[2] for c in sample.of_run().dealt("xfs_side", list(CASES), 1, plan.COMMAND_SLICES)]
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "side", out=os.path.join(d, "side"), sources=[os.path.join(ROOT, "tests/xfs/side.c")])
        for suite, options, seed in CASES:
            if seed in only:
                one(tools, d, program, suite, options, seed, kernel)
    print("ok")


main()
