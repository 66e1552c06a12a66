#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: thousands of changes, each image judged
"""fs/xfs/bmap/reflink.c, shift.c and exchange.c: files that share blocks, are written by copy, shifted and exchanged, beside a model (fs/xfs/xattr/test/share.c). ./ochre image check and xfs_repair find
nothing at several points, with the files there, and when all are removed. After a power cut in the middle of an exchange recovery finishes it: each file has the blocks that it shall have."""
import os
import re
import shutil
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import images  # noqa: E402
import memtx  # noqa: E402

CASES = (
    ((), "320m", "trixie", (400, 6000, 6000)),
    (("-b", "size=1024", "-m", "rmapbt=1", "-d", "agcount=4"), "64m", "trixie", (400, 8000, 8000)),
    (("-m", "rmapbt=0,reflink=1"), "320m", "bookworm", (400, 6000)),
    (("-s", "size=4096", "-d", "agcount=8", "-i", "size=1024"), "128m", "sid", (1000, 6000)),
)


def cuts(program, d):
    """Power cuts between a transaction that logged intents and the end of its work: recovery finishes it, and files are whole."""
    path, cut, intents, types, staged = os.path.join(d, "image"), os.path.join(d, "cut"), 0, set(), 0
    for seed in range(30):
        options, size = ((), "320m") if seed % 2 else (("-b", "size=1024", "-m", "rmapbt=1"), "64m")
        images.make(path, images.Tree(), d, size=size, options=options, suite="sid")
        said = memtx.run(program, path, str(seed + 1), "1500", "go", cut, str(1 + seed * 17))
        if "\ncut" in "\n" + said:
            with open(cut + ".intents", "rb") as f:
                data = f.read()
            while data:
                n = int.from_bytes(data[:4], "little")
                types.add(int.from_bytes(data[4:6], "little"))
                data = data[4 + n:]
            said = memtx.run(program, cut, "1", "0", "recover")
            m = re.search(r"recovered: intents (\d+), files (\d+), staged (\d+)", said)
            intents += int(m[1])
            staged += int(m[3])
            memtx.judge(cut, ("sid",))
            os.unlink(cut)
        os.unlink(path)
    print("recovered: intents %d, of types %s, staged %d" % (intents, ["%x" % t for t in sorted(types)], staged))
    assert intents > 30 and types >= {0x1236, 0x1240, 0x1242, 0x1244, 0x1248}, (intents, types)


def exchange_cuts(program, d):
    """Power cuts in the middle of an exchange: all files have, after recovery, what they have after the exchange; and go on."""
    path, cut, intents, late = os.path.join(d, "image"), os.path.join(d, "cut"), 0, 0
    for seed in range(16):
        options, size = (("-i", "exchange=1"), "320m") if seed % 2 else (("-b", "size=1024", "-m", "rmapbt=1", "-i", "exchange=1"), "64m")
        images.make(path, images.Tree(), d, size=size, options=options, suite="sid")
        said = memtx.run(program, path, str(seed + 1), "500", "exchange", cut, str(1 + seed * seed * 7))
        m = re.search(r"^cut in exchange (\d+)$", said, re.M)
        assert m and re.search("^cut$", said, re.M), said
        late += int(m[1]) > 1
        copy = shutil.copy(cut, cut + ".copy")
        for end in (".intents", ".model"):
            shutil.copy(cut + end, copy + end)
        said = memtx.run(program, cut, "1", "0", "exchanged")
        intents += int(re.search(r"recovered: intents (\d+)", said)[1])
        memtx.judge(cut, ("sid",))
        memtx.run(program, copy, str(seed + 1), "300", "exchanged")
        memtx.judge(copy, ("sid",))
        for p in (path, cut, copy):
            os.unlink(p)
    print("recovered exchanges: 16, intents %d, cut in a later exchange %d" % (intents, late))
    assert intents > 20, intents


def main():
    with tempfile.TemporaryDirectory() as d:
        program = memtx.build("fs/xfs/xattr/test/share.c", os.path.join(d, "share"))
        for i, (options, size, suite, ops) in enumerate(CASES):
            path = os.path.join(d, "image")
            images.make(path, images.Tree(), d, size=size, options=options, suite=suite)
            for n in ops + (50, 100):
                said = memtx.run(program, path, str(i + 1), str(n), *{50: ["begun"], 100: ["empty"]}.get(n, []))
                memtx.judge(path)
                print(" ".join(options) or "default", said, sep="\n")
                if n == ops[-1]:
                    m = re.search(r"shares (\d+), copies (\d+), cancels (\d+), in place (\d+), full \d+, most extents (\d+), collapses (\d+), inserts (\d+), exchanges (\d+)", said)
                    assert all(int(m[k]) > 10 for k in range(1, 5)) and int(m[5]) > 50 and int(m[6]) > 5 and int(m[7]) > 5 and (suite != "sid" or int(m[8]) > 20), said
            os.unlink(path)
        path = os.path.join(d, "image")
        images.make(path, images.Tree(), d, size="40m", options=("-b", "size=1024", "-m", "rmapbt=1", "-d", "agcount=2"))
        print(memtx.run(program, path, "1", "0", "tight"))
        memtx.judge(path, ("sid",))
        os.unlink(path)
        cuts(program, d)
        exchange_cuts(program, d)
    print("ok")


main()
