#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parent pointers (fs/xfs/xattr/parent.c): names at random (fs/xfs/xattr/test/parents.c) on images with them, which xfs_repair compares with the
directories; and changes of attributes that recovery finds begun (fs/xfs/xattr/redo.c, fs/xfs/xattr/test/redo.c)."""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import memtx  # noqa: E402
from ochre import setup  # noqa: E402

CASES = (((), 1, 500), ((), 2, 4000), (("-b", "size=1024"), 3, 4000), (("-b", "size=2048", "-n", "size=8192,parent=1", "-i", "size=1024"), 4, 3000))

# Options, seed, parent pointers.
REDO = (((), 1, True), ((), 2, False), (("-b", "size=1024"), 3, True), (("-b", "size=1024"), 4, False))


def redo(d):
    program, path = memtx.build("fs/xfs/xattr/test/redo.c", os.path.join(d, "redo")), os.path.join(d, "image")
    for options, seed, parents in REDO:
        subprocess.run([setup.find_xfsprogs("sid") + "/mkfs.xfs", "-q", "-f", *options, "-n", "parent=%d" % parents, "-d", "file=1,name=%s,size=400m" % path], check=True,
                       stdout=subprocess.DEVNULL)
        said = memtx.run(program, path, str(seed), "1500")
        print(said)
        m = re.search(r"torn (\d+), in trees (\d+), redone (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", said)
        assert int(m[1]) > 100 and all(int(n) > 100 for n in m.groups()[5 if parents else 2:8 if parents else 5]), said
        memtx.judge(path)
        os.unlink(path)


def main():
    with tempfile.TemporaryDirectory() as d:
        redo(d)
        program, path = memtx.build("fs/xfs/xattr/test/parents.c", os.path.join(d, "parents")), os.path.join(d, "image")
        for options, seed, ops in CASES:
            parent = () if any("parent" in o for o in options) else ("-n", "parent=1")
            subprocess.run([setup.find_xfsprogs("sid") + "/mkfs.xfs", "-q", "-f", *options, *parent, "-d", "file=1,name=%s,size=400m" % path], check=True,
                           stdout=subprocess.DEVNULL)
            said = memtx.run(program, path, str(seed), str(ops))
            print(" ".join(options) or "default", said, sep="\n")
            m = re.search(r"links (\d+), renames (\d+), removed (\d+), most names (\d+), in trees (\d+)", said)
            assert int(m[4]) > (60 if ops > 1000 else 10) and int(m[2]) > 10 and (int(m[5]) or ops < 1000), said
            memtx.judge(path)
            os.unlink(path)
    print("ok")


main()
