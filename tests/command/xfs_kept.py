#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What xfs_ag_kept_of() (fs/xfs/ag/kept.c) says that AGs keep is what xfs_db's agresv says, on images of many geometries."""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import memtx  # noqa: E402
from ochre import setup  # noqa: E402

# options of mkfs.xfs, size, suite
CASES = (
    ((), "320m", "trixie"),
    ((), "3g", "sid"),
    ((), "6g", "trixie"),
    (("-d", "agcount=7"), "2g", "trixie"),
    (("-b", "size=1024"), "1g", "trixie"),
    (("-b", "size=2048", "-i", "size=1024"), "1g", "sid"),
    (("-m", "rmapbt=1,reflink=0"), "1g", "trixie"),
    (("-m", "rmapbt=0,reflink=1"), "1g", "bookworm"),
    (("-m", "rmapbt=0,reflink=0,finobt=1"), "1g", "trixie"),
    (("-m", "rmapbt=0,reflink=0,finobt=0,inobtcount=0"), "1g", "bookworm"),
)


def main():
    with tempfile.TemporaryDirectory() as d:
        program, path = memtx.build("fs/xfs/ag/test/kept.c", os.path.join(d, "kept")), os.path.join(d, "image")
        for options, size, suite in CASES:
            subprocess.run([setup.find_xfsprogs(suite) + "/mkfs.xfs", "-q", "-f", *options, "-d", "file=1,name=%s,size=%s" % (path, size)], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            ours = {int(a): int(b) + int(c) for a, b, c in (line.split() for line in memtx.run(program, path).splitlines())}
            said = memtx.run(setup.find_xfsprogs("sid") + "/xfs_db", "-r", "-f", "-c", "agresv", path)
            theirs = {int(a): int(b) for a, b in re.findall(r"AG (\d+): .*reserved: (\d+)", said)}
            print(" ".join(options) or "default", size, ours)
            assert theirs and ours == theirs, (options, size, ours, said)
            os.unlink(path)
    print("ok")


main()
