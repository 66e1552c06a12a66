#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Repairs by the kernel's own thread (tests/xfs/heal.c): with `-o heal`, or the attribute of the root directory, damage that programs meet is repaired by itself, each once, and the log says so; what cannot be repaired is given up; ends of all kinds. xfs_repair finds nothing afterwards."""
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

WARNED = "dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1"


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = rootfs.busybox_root(tools, extra=linux.programs(tools, d, ["heal"]))
        image = os.path.join(d, "image")
        images.make(image, images.Tree(), d, size="64m", options=("-b", "size=1024", "-n", "parent=1", "-d", "agcount=2"), suite="sid")
        script = "mkdir -p /m; dmesg -n 1; heal /dev/vda /m || { dmesg | tail -40; cat /sys/fs/xfs/vda/*; exit 1; }; %s; sync" % WARNED
        status, said = memtx.ochre("run", "--debug", "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", script)
        check(status == 0 and "heal: ok" in said, "status %d\n%s" % (status, said[-9000:]))
        memtx.judge(image)
    print("ok")


main()
