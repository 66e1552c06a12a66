#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files of a mounted XFS share blocks by the calls of Linux (tests/xfs/remap.c), which answer as Linux does; ./ochre image check and xfs_repair -n find nothing afterwards. With
the word "linux" the same runs on Debian's Linux."""
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

CASES = (("sid", ()), ("trixie", ("-b", "size=1024", "-m", "rmapbt=1")))


def main():
    tools = setup.load() or setup.ensure()
    on_linux = sys.argv[1:] == ["linux"]
    run = ["--kernel", "linux", "--memory", "1G"] if on_linux else ["--debug"]
    with tempfile.TemporaryDirectory() as d:
        root = linux.root(tools, d, ["remap"]) if on_linux else rootfs.busybox_root(tools, extra=linux.programs(tools, d, ["remap"]))
        for i, (suite, options) in enumerate(CASES):
            image = os.path.join(d, "image%d" % i)
            images.make(image, images.Tree(i), d, size="64m", options=options, suite=suite)
            script = "mkdir -p /m /tmp; mount -t xfs /dev/vda /m && mkdir /m/d && remap /m/d && umount /m && mount /dev/vda /m && remap /m/d down && umount /m && mount /dev/vda /m && umount /m || { dmesg | tail -40; exit 1; }; dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1; sync"
            status, said = memtx.ochre("run", *run, "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", linux.LOAD * on_linux + script)
            check(status == 0 and "remap: ok" in said and "remap: down" in said, "%s %s: status %d\n%s" % (suite, options, status, said[-6000:]))
            memtx.judge(image)
    print("ok")


main()
