#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""xfs_growfs of sid, unmodified: a mounted XFS becomes larger while files are written, by parts of an AG and by many AGs, also before a recovery. Its new space is used, xfs_repair
finds nothing, and what was there stays."""
import os
import re
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import setup  # noqa: E402
import admin  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

CASES = (("sid", ("-m", "rmapbt=1,reflink=1"), 4096), ("trixie", ("-b", "size=1024", "-m", "rmapbt=0,reflink=0,finobt=0"), 1024), ("sid", ("-s", "size=4096"), 4096))
SCRIPT = r"""
exec 2>&1; export PATH=$PATH:/usr/sbin
mkdir -p /m /tmp; mount -t tmpfs none /tmp; mount -t xfs /dev/vda /m || exit 1
step() { echo "== $1"; }
mkdir /m/busy; (i=0; while [ ! -e /tmp/stop ]; do i=$((i + 1)); head -c 40000 /dev/zero > /m/busy/$((i %% 50)); rm -f /m/busy/$((i * 7 %% 50)); done) & busy=$!
step first; xfs_growfs -D %(first)d /m | grep -E 'changed|failed|error'; xfs_io -x -c 'shutdown -f' /m; : > /tmp/stop; wait $busy; umount /m; mount -t xfs /dev/vda /m || exit 1
xfs_spaceman -c info /m | grep -E 'agcount|data '
step smaller; xfs_growfs -D %(small)d /m | grep -v =; xfs_growfs -D 1000000 /m | grep -v =; chmod 777 /m; chmod 666 /dev/vda; su nobody -s /bin/sh -c '/usr/sbin/xfs_growfs -d /m' | grep -v =
step percent; xfs_growfs -m 51 /m >/dev/null; xfs_spaceman -c info /m | grep -o imaxpct=51
step all; rm -f /tmp/stop; (i=0; while [ ! -e /tmp/stop ]; do i=$((i + 1)); head -c 40000 /dev/zero > /m/busy/$((i %% 50)); rm -f /m/busy/$((i * 7 %% 50)); done) & busy=$!
xfs_growfs /m | grep -E 'changed|failed|error'; : > /tmp/stop; wait $busy
for i in 1 2 3 4 5; do mkdir /m/d$i; head -c 14000000 /dev/urandom > /m/d$i/f || exit 1; for k in $(seq 100); do : > /m/d$i/$k; done; done
sum=$(cat /m/d*/f | md5sum); xfs_growfs /m | grep -E 'changed|unchanged|failed'; sync; df -m /m | tail -1 | tr -s ' ' | cut -d' ' -f2,3
umount /m; mount -t xfs /dev/vda /m || exit 1; [ "$sum" = "$(cat /m/d*/f | md5sum)" ] && echo the same
umount /m; sync; dmesg | grep -iE 'warning|bug:|lockdep:|xfs.*wrong'; step end
"""


def run(d, root, number, suite, options, block):
    disk = "%s/disk%d" % (d, number)
    images.make(disk, images.Tree(number), d, size="64m", options=options, suite=suite)
    with open(disk, "r+b") as f:
        f.truncate((141 << 20) + 12288)
    script = SCRIPT % {"first": (100 << 20) // block - 77, "small": (65 << 20) // block}
    status, said = memtx.ochre("run", *sys.argv[1:] or ["--debug"], "--timeout", "250", "--cpus", "2", "--rootfs", root, "--disk", disk, "--", "sh", "-c", script)
    said = said.replace("\r", "")
    parts = re.split(r"^== (\w+)\n", said, flags=re.M)
    s = dict(zip(parts[1::2], parts[2::2]))
    check(status == 0 and "end" in s and not s["end"].strip(), "status %d\n%s" % (status, said[-6000:]))
    first, blocks = (100 << 20) // block - 77, ((141 << 20) + 12288) // block
    check("data blocks changed from %d to %d" % ((64 << 20) // block, first) in s["first"] and "blocks=%d" % first in s["first"], s["first"])
    check("xfsctl failed: Invalid argument" in s["smaller"] and "data size 1000000 too large" in s["smaller"] and "Operation not permitted" in s["smaller"], s["smaller"])
    check("imaxpct=51" in s["percent"], s["percent"])
    to = re.search(r"data blocks changed from %d to (\d+)" % first, s["all"])
    check(to and blocks - 64 < int(to.group(1)) <= blocks and s["all"].endswith("the same\n"), s["all"])
    memtx.judge(disk)


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = admin.root(tools)
        for i, case in enumerate(CASES):
            run(d, root, i, *case)
    print("ok")


main()
