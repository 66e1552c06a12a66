#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The health monitor of a mounted XFS (tests/xfs/monitor.c): events of damage, shutdowns and the unmount, merged and lost ones, who may have it. With the word "linux" the same runs on Debian's Linux."""
import os
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import memtx  # noqa: E402


def main():
    tools = setup.load() or setup.ensure()
    on_linux = sys.argv[1:] == ["linux"]
    run = ["--kernel", "linux", "--memory", "1G"] if on_linux else ["--debug"]
    with tempfile.TemporaryDirectory() as d:
        root = linux.root(tools, d, ["monitor"]) if on_linux else rootfs.busybox_root(tools, extra=linux.programs(tools, d, ["monitor"]))
        image = os.path.join(d, "image")
        images.make(image, images.Tree(), d, size="64m", options=("-d", "agcount=2"), suite="sid")
        script = "mkdir -p /m; dmesg -n 1; monitor /dev/vda /m || { dmesg | tail -20; exit 1; }; dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1; sync"
        status, said = memtx.ochre("run", *run, "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", linux.LOAD * on_linux + script)
        check(status == 0 and "monitor: ok" in said, "status %d\n%s" % (status, said[-6000:]))
        memtx.judge(image)
    print("ok")


main()
