#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fs/xfs/bmap and the inodes of fs/xfs/ag: files with extents at random, beside a model (fs/xfs/bmap/test/files.c), on images of several geometries. When all
are removed, ./ochre image check and xfs_repair find nothing."""
import os
import re
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import images  # noqa: E402
import memtx  # noqa: E402

CASES = (
    ((), "320m", "trixie", 4000),
    (("-b", "size=1024", "-d", "agcount=4"), "100m", "trixie", 6000),
    (("-m", "rmapbt=0,reflink=0,finobt=0", "-i", "sparse=0"), "320m", "bookworm", 3000),
    (("-s", "size=4096", "-d", "agcount=8", "-i", "size=1024"), "128m", "sid", 4000),
    (("-b", "size=2048", "-m", "rmapbt=1"), "64m", "trixie", 6000),
)


def main():
    with tempfile.TemporaryDirectory() as d:
        program = memtx.build("fs/xfs/bmap/test/files.c", os.path.join(d, "files"))
        for i, (options, size, suite, ops) in enumerate(CASES):
            path = os.path.join(d, "image")
            images.make(path, images.Tree(), d, size=size, options=options, suite=suite)
            said = memtx.run(program, path, str(i + 1), str(ops))
            print(" ".join(options) or "default", said, sep="\n")
            m = re.search(r"full (\d+), most extents (\d+), seen as trees (\d+), as lists (\d+), chunks given back (\d+)", said)
            assert int(m[2]) > 150 and int(m[3]) > 10 and int(m[4]) > 10 and int(m[5]) > 0, said
            memtx.judge(path)
            os.unlink(path)
    print("ok")


main()
