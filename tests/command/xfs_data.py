#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files' data are changed on a mounted XFS at random, by several processes beside a model (tests/xfs/data.c), and read again, mounted read-only. Then ./ochre image check
and xfs_repair -n of two releases find nothing."""
import os
import re
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import lockorder, plan, rootfs, sample, setup  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

CASES = (("trixie", (), "300m", 1, "-"), ("sid", ("-b", "size=1024"), "320m", 2, "-"), ("trixie", ("-d", "agcount=2"), "34m", 3, "f"), ("sid", ("-d", "agcount=2", "-b", "size=1024"), "34m", 4, "f"),
         ("trixie", (), "320m", 5, "s"), ("sid", ("-b", "size=1024"), "320m", 6, "s"), ("trixie", ("-d", "agcount=2", "-b", "size=1024"), "40m", 7, "sf"))
COUNT, OTHER = int(os.environ.get("COUNT", 700)), int(os.environ.get("SEED", 0))


def main():
    tools = setup.load() or setup.ensure()
    share = None
    only = [int(x) for x in sys.argv[1:]] or [c[3] for c in sample.of_run().dealt("xfs_data", list(CASES), 2, plan.COMMAND_SLICES)]
    with tempfile.TemporaryDirectory() as d:
        data = rootfs.build_user(tools, "data", out=os.path.join(d, "data"), sources=[os.path.join(ROOT, "tests/xfs/data.c")])
        root = rootfs.busybox_root(tools, extra={"bin/data": (rootfs.read(data), 0o755)})
        for suite, options, size, seed, what in CASES:
            if only and seed not in only:
                continue
            image = os.path.join(d, "image%d" % seed)
            images.make(image, images.Tree(seed), d, size=size, options=options, suite=suite)
            if "s" in what:
                share = share or memtx.build("fs/xfs/xattr/test/share.c", os.path.join(d, "share"))
                memtx.run(share, image, str(seed), "3000", "clones")
            script = "mkdir -p /m; data /dev/vda /m nouuid %d %d %s || { dmesg | tail -40; exit 1; }; mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/lockdep/graph; cd /sys/kernel/debug; echo scan >kmemleak; echo scan >kmemleak; cat kmemleak; cd /; dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1; sync" % (seed + OTHER, COUNT, what)
            status, said = memtx.ochre("run", "--debug", "--timeout", "280", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", script)
            if "KEEP" in os.environ:
                subprocess.run(["cp", "--sparse=always", image, os.environ["KEEP"]])
            check(status == 0 and "data: ok" in said, "%s %s: status %d\n%s" % (suite, options, status, said[-6000:]))
            lines = [line.strip() for line in said.splitlines()]
            bad, size = lockorder.check(lockorder.graph_of(said))
            bad = [b for b in bad if "fs/xfs/" in b or "extent/" in b or b.startswith("the lock checker")]
            check(not bad, "\n".join(bad))
            leaks = [leak for leak in "\n".join(lines).split("unreferenced object")[1:] if re.search(r"\b(_*xfs|extent|filemap)_", leak)]
            check(not leaks, "\n".join(leaks))
            said = "\n".join(line for line in lines if "data: " in line) + "\n" + size
            if only:
                print(said[-600:])
            memtx.judge(image)
            os.unlink(image)
    print("ok")


main()
