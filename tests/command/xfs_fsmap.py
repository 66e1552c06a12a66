#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What each block of an XFS belongs to (tests/xfs/fsmap.c, xfs_io's fsmap), with owners and without; xfs_repair -n finds nothing afterwards. With the word "linux" the same
runs on Debian's Linux; with "both" the two tell the same of one image."""
import os
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import setup  # noqa: E402
import admin  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import memtx  # noqa: E402

SCRIPT = "mkdir -p /m; mount -t xfs /dev/vda /m && FSMAP_SIZE=%d fsmap check /m || { dmesg | tail -20; exit 1; }; /usr/sbin/xfs_io -c 'fsmap -v' /m | grep -c 'per-AG metadata'; umount /m; dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1; sync"
DUMP = "mkdir -p /m; mount -t xfs /dev/vda /m && fsmap dump /m; umount /m"
SIZE = 64 << 20


def run(on_linux, root, image, script):
    where = ["--kernel", "linux", "--memory", "1G"] if on_linux else ["--debug"]
    return memtx.ochre("run", *where, "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", linux.LOAD * on_linux + script)


def main():
    tools = setup.load() or setup.ensure()
    on_linux, both = sys.argv[1:] == ["linux"], sys.argv[1:] == ["both"]
    with tempfile.TemporaryDirectory() as d:
        root = admin.root(tools, linux.files(tools, d, ["fsmap"]) if on_linux or both else linux.programs(tools, d, ["fsmap"]))
        for size in ("4096", "1024") if both else ("4096",):
            image = os.path.join(d, "image")
            images.make(image, images.Tree(5), d, size="64m", suite="sid", options=("-m", "rmapbt=1,reflink=1", "-b", "size=" + size))
            if size == "4096":
                status, said = run(on_linux, root, image, SCRIPT % SIZE)
                lines = said.replace("\r", "").split()
                check(status == 0 and "fsmap: ok" in said and int(lines[-1]) >= 4, "status %d\n%s" % (status, said[-6000:]))
            memtx.judge(image)
            if both:
                ours, theirs = ([line for line in run(x, root, image, DUMP)[1].replace("\r", "").splitlines() if " owner " in line] for x in (False, True))
                check(ours == theirs and len(ours) > 30, "\n".join(ours + ["---"] + theirs))
    print("ok")


main()
