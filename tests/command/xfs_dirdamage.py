#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes of directories and attributes whose blocks have wrong numbers with checksums that fit (fs/xfs/xattr/test/damage.c): errors, no crash and no endless
loop."""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import images  # noqa: E402
import memtx  # noqa: E402

SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 30


def main():
    with tempfile.TemporaryDirectory() as d:
        program, path = memtx.build("fs/xfs/xattr/test/damage.c", os.path.join(d, "damage")), os.path.join(d, "image")
        images.make(path, images.Tree(), d, size="320m")
        found = runs = 0
        for seed in range(SEEDS):
            for names in (30, 90, 400, 1500):
                if names == 1500 and seed % 4:
                    continue
                r = subprocess.run((program, path, str(seed * 7 + 1), str(names)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace", timeout=120)
                assert r.returncode == 0, (seed, names, r.returncode, r.stdout[-5000:])
                found += int(re.search(r"faults (\d+)", r.stdout)[1]) > 0
                runs += 1
        print("damage found in %d of %d" % (found, runs))
        assert found > runs // 4
    print("ok")


main()
