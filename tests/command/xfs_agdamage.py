#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: hundreds of damaged images
"""Changes of files on images whose allocation groups, trees of extents and inodes have wrong numbers with checksums that fit (fs/xfs/bmap/test/damage.c): errors, no
crash and no endless loop. usage: xfs_agdamage.py [SEEDS [FIRST]]"""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import images  # noqa: E402
import memtx  # noqa: E402

CASES = (((), "320m", "sid"), (("-b", "size=1024", "-d", "agcount=4"), "100m", "trixie"), (("-m", "rmapbt=0,reflink=0,finobt=0", "-i", "sparse=0"), "320m", "bookworm"))
FILL = (60, 600, 3000)      # changes before the damage


def main():
    seeds, first = int(sys.argv[1]) if len(sys.argv) > 1 else 36, int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as d:
        program, path, found = memtx.build("fs/xfs/bmap/test/damage.c", os.path.join(d, "damage")), os.path.join(d, "image"), 0
        bases = [os.path.join(d, "base%d" % i) for i in range(len(CASES))]
        for base, (options, size, suite) in zip(bases, CASES):
            images.make(base, images.Tree(), d, size=size, options=options, suite=suite)
            memtx.run(program, base, "1", "counts")
        for seed in range(first, first + seeds):
            subprocess.run(["cp", "--sparse=always", bases[seed % 3], path], check=True)
            r = subprocess.run((program, path, str(seed * 7 + 1), str(FILL[seed // 3 % 3])), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", timeout=300)
            assert r.returncode == 0, (seed, r.returncode, r.stdout[-5000:])
            found += int(re.search(r"faults (\d+)", r.stdout)[1]) > 0
        print("damage found in %d of %d" % (found, seeds))
        assert found > seeds // 3
    print("ok")


main()
