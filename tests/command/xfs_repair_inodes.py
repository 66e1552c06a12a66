#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XFS_IOC_SCRUB_METADATA with REPAIR of INODE, BMBTD and BMBTA (tests/xfs/repair_ino.c): records, extents and their trees that are damaged are made anew while the file system is mounted; xfs_repair finds nothing afterwards."""
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
        root = rootfs.busybox_root(tools, extra=linux.programs(tools, d, ["repair_ino"]))
        image = os.path.join(d, "image")
        images.make(image, images.Tree(), d, size="64m", options=("-b", "size=1024", "-d", "agcount=2"), suite="sid")
        script = "mkdir -p /m; repair_ino /dev/vda /m || { dmesg | tail -40; exit 1; }; %s; sync" % WARNED
        status, said = memtx.ochre("run", "--debug", "--timeout", "300", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", script)
        check(status == 0 and "repair_ino: ok" in said, "status %d\n%s" % (status, said[-9000:]))
        memtx.judge(image)
    print("ok")


main()
