#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: four kernels and file systems
"""Files of a mounted XFS by handle (tests/xfs/handles.c): after another mount and with empty caches a deep directory is in its place, what is gone is stale, and
numbers of nothing are; while files are made and removed their handles, and any numbers, are opened; calls of libhandle (tests/xfs/handle_calls.c), xfs_io's parent and older bulkstat. Filesystems with pointers to parents and without."""
import os
import re
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import admin  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

os.environ.update(TEST_DIR="x", TEST_DEV="x", QA_CHECK_FS="x")      # mkfs.xfs makes small ones
CASES = (("trixie", ("-n", "parent=0"), 1, ""), ("sid", ("-n", "parent=1"), 2, "parents"))
SCRIPT = r"""
exec 2>&1; export PATH=$PATH:/usr/sbin
mkdir -p /m /tmp; mount -t xfs /dev/vda /m || exit 1
handles make /m > /handles || { cat /handles; exit 1; }
handles check /m < /handles || exit 1
echo 3 > /proc/sys/vm/drop_caches; handles check /m < /handles || exit 1
umount /m; mount -t xfs /dev/vda /m; handles check /m < /handles || exit 1
umount /m; mount -t xfs -o ro /dev/vda /m; handles check /m < /handles || exit 1
umount /m; mount -t xfs /dev/vda /m; mkdir /m/calls; handle_calls /m/calls PARENTS || exit 1
cd /m/calls; xfs_io -r -c 'parent -p' d; xfs_io -r -c 'bulkstat -v1 -n 3' . | grep -c bs_ino; xfs_io -r -c "bulkstat_single -v1 $(stat -c %i f)" . | grep -c "bs_ino = $(stat -c %i f)"
xfs_io -r -c 'inumbers -v1' . | grep -c xi_alloccount; cd /; mkdir /m/race; handles race /m/race 1200 || { dmesg | tail -40; exit 1; }
handles check /m < /handles || exit 1
cd /; umount /m; dmesg | grep -iE 'warning|bug:|lockdep:|xfs.*wrong'; echo end
"""


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        programs = {}
        for p in ("handles", "handle_calls"):
            path = rootfs.build_user(tools, p, out=os.path.join(d, p), sources=[os.path.join(ROOT, "tests/xfs", p + ".c")])
            programs["bin/" + p] = (rootfs.read(path), 0o755)
        root = admin.root(tools, programs)
        for suite, options, seed, parents in CASES:
            disk = os.path.join(d, "disk%d" % seed)
            images.make(disk, images.Tree(seed), d, size="64m", options=options, suite=suite)
            status, said = memtx.ochre("run", *sys.argv[1:] or ["--debug"], "--timeout", "200", "--cpus", "4", "--rootfs", root, "--disk", disk, "--", "sh", "-c", SCRIPT.replace("PARENTS", parents))
            said = said.replace("\r", "")
            check(status == 0 and said.count("handles: ok") == 6 and "calls: ok" in said and said.rstrip().endswith("end"), "%s: status %d\n%s" % (suite, status, said[-6000:]))
            check(("/m/calls/d\n" if parents else "Operation not supported\n") in said and re.search(r"^[1-9]\d*\n1\n[1-9]", said, flags=re.M), said[-3000:])
            memtx.judge(disk)
    print("ok")


main()
