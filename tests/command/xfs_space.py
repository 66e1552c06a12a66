#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fs/xfs/btree and fs/xfs/ag: allocations and frees at random on images of several geometries, beside a model (fs/xfs/ag/test/space.c): until AGs are full and
trees have three levels, and everything is given back. Then ./ochre image check and xfs_repair find nothing."""
import os
import re
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import images  # noqa: E402
import memtx  # noqa: E402

# options, size, suite, operations, levels that the trees must have had (bno, cnt, rmap)
CASES = (
    ((), "320m", "trixie", 1000, (2, 2, 2)),
    (("-b", "size=1024", "-d", "agcount=4"), "100m", "trixie", 1000, (3, 3, 3)),
    (("-m", "rmapbt=0,reflink=0,finobt=0"), "320m", "bookworm", 1000, (2, 2, 0)),
    (("-s", "size=4096", "-d", "agcount=8"), "128m", "sid", 1000, (2, 2, 2)),
)


def damaged(d, program):
    """Trees and headers with wrong numbers, whose checksums fit: an error, and no crash or endless loop."""
    path = os.path.join(d, "image")
    images.make(path, images.Tree(), d, size="64m", options=("-b", "size=1024"))
    said = [memtx.run(program, path, str(seed + 1), "1000", "damage") for seed in range(40)]
    found = sum(int(s.split()[-1]) > 0 for s in said)
    print("damage found in %d of %d" % (found, len(said)))
    assert found > 30, said
    os.unlink(path)


def inode_roots(d):
    """Trees with the root in an inode."""
    tree = images.Tree()
    tree.file("f")
    program, path = memtx.build("fs/xfs/btree/test/bmbt.c", os.path.join(d, "bmbt")), os.path.join(d, "image")
    for options, records, levels in ((("-b", "size=1024"), 3000, 3), ((), 6000, 3)):
        images.make(path, tree, d, size="64m", options=options)
        said = memtx.run(program, path, "7", str(records))
        print(" ".join(options) or "default", said, sep="\n")
        assert int(said.split()[-1]) >= levels, said
        memtx.judge(path)
        os.unlink(path)


def owners(d):
    """Records of many owners of one block, which overlap."""
    program, path = memtx.build("fs/xfs/ag/test/owners.c", os.path.join(d, "owners")), os.path.join(d, "image")
    for options, seed, levels in ((("-b", "size=1024", "-m", "rmapbt=1"), 1, 3), (("-m", "rmapbt=1"), 2, 2)):
        images.make(path, images.Tree(), d, size="100m", options=options)
        said = memtx.run(program, path, str(seed), "12000")
        print(" ".join(options), said, sep="\n")
        assert int(said.split()[-1]) >= levels, said
        memtx.judge(path)
        os.unlink(path)


def main():
    with tempfile.TemporaryDirectory() as d:
        program = memtx.build("fs/xfs/ag/test/space.c", os.path.join(d, "space"))
        for i, (options, size, suite, ops, least) in enumerate(CASES):
            path = os.path.join(d, "image")
            images.make(path, images.Tree(), d, size=size, options=options, suite=suite)
            said = memtx.run(program, path, str(i + 1), str(ops))
            print(" ".join(options) or "default", said, sep="\n")
            levels = re.search(r"levels: bno (\d+) cnt (\d+) rmap (\d+)", said)
            assert all(int(levels[k + 1]) >= least[k] for k in range(3)), said
            memtx.judge(path)
            os.unlink(path)
        inode_roots(d)
        owners(d)
        damaged(d, program)
    print("ok")


main()
