#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XFS_IOC_SCRUB_METADATA with REPAIR (tests/xfs/repair.c): headers and trees of AGs that are damaged are made anew while the file system is mounted; xfs_repair finds nothing afterwards. With the word "linux" the same runs on Debian's Linux, where it repairs."""
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
    on_linux = sys.argv[1:] == ["linux"]
    run = ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"] if on_linux else ["--debug"]
    with tempfile.TemporaryDirectory() as d:
        root = linux.root(tools, d, ["repair"]) if on_linux else rootfs.busybox_root(tools, extra=linux.programs(tools, d, ["repair"]))
        image = os.path.join(d, "image")
        images.make(image, images.Tree(), d, size="64m", options=("-b", "size=1024", "-d", "agcount=2"), suite="sid")
        script = "mkdir -p /m; repair /dev/vda /m %s || { dmesg | tail -40; exit 1; }; %s; sync" % (("linux", "true") if on_linux else ("", WARNED))
        status, said = memtx.ochre("run", *run, "--timeout", "400", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", linux.LOAD * on_linux + script)
        check(status == 0 and "repair: ok" in said, "status %d\n%s" % (status, said[-9000:]))
        if on_linux:
            print(said)
        memtx.judge(image)
    print("ok")


main()
