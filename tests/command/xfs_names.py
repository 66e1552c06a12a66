#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names, inodes and attributes are changed on a mounted XFS at random, beside a model (tests/xfs/names.c); files that mkfs.xfs put there, with extents and
attributes in all forms, are removed. Then ./ochre image check and xfs_repair -n find nothing."""
import os
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import plan, rootfs, sample, setup  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

SMALL = ("-d", "agcount=2")
CASES = (("trixie", (), "300m", 1, "k"), ("sid", ("-b", "size=1024"), "320m", 2, "k"), ("sid", (), "320m", 3, "w"), ("bookworm", ("-m", "rmapbt=0,reflink=0,finobt=0"), "300m", 4, "k"),
         ("trixie", SMALL, "36m", 5, "kf"), ("sid", (*SMALL, "-b", "size=1024"), "34m", 6, "wf"),
         ("sid", ("-m", "uuid=11111111-2222-3333-4444-555555555555"), "320m", 7, "wp"), ("trixie", ("-n", "size=16384", "-d", "agcount=8"), "400m", 8, "p"))
COUNT = 4000


def filled():
    t = images.Tree(9)
    t.file("large", t.bytes((3 << 20) + 77))
    t.file("sparse", [(i * 12288, t.bytes(4096)) for i in range(300)])
    t.link("long", "x/" * 300 + "y")
    t.dir("d")
    for i in range(300):
        t.file("d/%s%d" % ("n" * (i % 23), i), b"x" * (i % 3))
    for i in range(40):
        t.attr("large", "user", "a%d" % i, bytes([65 + i]) * (i * 7 + 1))
    for i in range(300):
        t.attr("sparse", ("user", "trusted")[i & 1], "name%d" % i, t.bytes(60))
    t.attr("d", "user", "big", t.bytes(20000))
    return t


def full(megabytes):
    t = images.Tree(8)
    t.file("ballast", t.bytes(megabytes << 20))
    return t


def ochre(*argv):
    r = subprocess.run([os.path.join(ROOT, "ochre"), *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout


def main():
    tools = setup.load() or setup.ensure()
    only = [int(x) for x in sys.argv[1:]] or [c[3] for c in sample.of_run().dealt("xfs_names", CASES, 3, plan.COMMAND_SLICES)]
    with tempfile.TemporaryDirectory() as d:
        names = rootfs.build_user(tools, "names", out=os.path.join(d, "names"), sources=[os.path.join(ROOT, "tests/xfs/names.c")])
        rights = rootfs.build_user(tools, "rights", out=os.path.join(d, "rights"), sources=[os.path.join(ROOT, "tests/xfs/rights.c")])
        root = rootfs.busybox_root(tools, extra={"bin/names": (rootfs.read(names), 0o755), "bin/rights": (rootfs.read(rights), 0o755)})
        for suite, options, size, seed, what in CASES:
            if only and seed not in only:
                continue
            image = os.path.join(d, "image%d" % seed)
            images.make(image, filled() if "f" not in what else full(int(size[:-1]) - 14 + 6 * ("1024" in str(options))), d, size=size, options=options, suite=suite)
            rest = "" if "f" in what else ("mkdir /m/r; rights /m/r write && umount /m && mount -t xfs -o ro /dev/vda /m && rights /m/r read && umount /m && "
                                           "mount -t xfs -o rw /dev/vda /m && rights /m/r clean; rm -rf /m/r; ")
            script = ("mkdir -p /m; mount -t xfs -o rw /dev/vda /m && { [ -e /m/ballast ] || rm -rf /m/*; }; " + rest + "ls -A /m; umount /m; "
                      "names /dev/vda /m nouuid %d %d %s || { dmesg | tail -20; exit 1; }; sync" % (seed, 9000 if "f" in what else 2500 if "p" in what else COUNT, what))
            status, said = ochre("run", "--debug", "--timeout", "280", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", script)
            check(status == 0 and "names: ok" in said and said.count("rights: ok") == (0 if "f" in what else 2), "%s %s: status %d\n%s" % (suite, options, status, said[-4000:]))
            memtx.judge(image, ("sid",))
            os.unlink(image)
    print("ok")


main()
