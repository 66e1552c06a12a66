#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fs/xfs/dirent and fs/xfs/xattr over images by mkfs.xfs, against models: random changes by seed in all forms and in both directions between them."""
import os
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import images  # noqa: E402
import memtx  # noqa: E402
from ochre import setup  # noqa: E402

SMALL, LARGE, BOTH = ("-b", "size=1024"), ("-n", "size=16384"), ("-b", "size=1024", "-n", "size=4096")
# options of mkfs.xfs, seed, names, operations, kind of names (short, medium, long, of one hash), 0
DIRS = [((), 1, 30, 2000, "m", 0), ((), 2, 2000, 8000, "m", 0), (SMALL, 3, 2000, 8000, "m", 1), (LARGE, 4, 3000, 8000, "l", 1), (BOTH, 5, 1500, 6000, "l", 1),
        (SMALL, 6, 250, 2500, "c", 0), ((), 5, 100000, 150000, "s", 0)]
# the same with the longest value
ATTRS = [((), 1, 10, 2000, 100, 0), ((), 2, 300, 3000, 3000, 0), (SMALL, 3, 600, 3000, 700, 1), ((), 4, 60, 2000, 65536, 0), (SMALL, 5, 40, 2000, 65536, 0), (SMALL, 6, 12, 400, 65536, 2),
         ((), 7, 12, 400, 65536, 2)]


def drive(program, image, runs):
    """How often each form became each other, over all runs."""
    ways = [0] * 16
    for options, *args in runs:
        subprocess.run([setup.find_xfsprogs("trixie") + "/mkfs.xfs", "-q", "-f", *options, "-d", "file=1,name=%s,size=1500m,agcount=4" % image], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        said = memtx.run(program, image, *map(str, args))
        ways = [a + int(b) for a, b in zip(ways, said.split("\n")[0].split())]
        os.unlink(image)
    return ways


# What xfs_repair says of an inode that is not in the tree of inodes, and of its names for others: the models make such.
MEANT = ("imap", "disconnected", "reset inode", "nlinks", "Phase", "No modify", "host filesystem", "sector size mismatch")


def repair(program, image, *args):
    """xfs_repair -n has nothing to say of a directory or attributes in some state."""
    tree = images.Tree()
    for i in range(20):
        tree.file("f%d" % i, b"x")
    images.make(image, tree, os.path.dirname(image))
    memtx.run(program, image, *map(str, args), "sync")
    for suite in ("trixie", "sid"):
        r = subprocess.run([setup.find_xfsprogs(suite) + "/xfs_repair", "-n", "-f", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        left = [l for l in r.stdout.split("\n") if l.strip() and not l.startswith((" ", "\t")) and not any(m in l for m in MEANT)]
        assert not left, (args, suite, left[:20])
    os.unlink(image)


def main():
    with tempfile.TemporaryDirectory() as d:
        image = os.path.join(d, "image")
        for source, runs in (("fs/xfs/dirent/test/model.c", DIRS), ("fs/xfs/xattr/test/model.c", ATTRS)):
            program = memtx.build(source, os.path.join(d, "program"))
            for names, ops, last in ((20, 300, "m"), (90, 400, "m"), (400, 700, "l"), (3000, 4000, "m")):
                repair(program, image, names, names, ops, last if "dirent" in source else names * 3, 0)
            ways = drive(program, image, runs)
            for form in range(3):
                up, down = ways[form * 4 + form + 1], sum(ways[(form + 1) * 4 + k] for k in range(form + 1))
                assert up and down, (source, form, ways)
    print("ok")


main()
