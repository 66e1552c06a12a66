#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fs/xfs/tx/test/memtx.c over images by mkfs.xfs: inodes that are encoded are the bytes that they were, deferred work is done in its order, what is committed is written."""
import os
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import images  # noqa: E402
import memtx  # noqa: E402


def tree():
    t = images.Tree()
    t.dir("d", mode=0o711, uid=70000, gid=9)
    for i in range(200):
        t.file("d/%s%d" % ("n" * (i % 60), i), b"x" * (i * 37))
    t.add("chr", 0o20600, (5, 1))
    t.link("link", "t" * 200)
    t.attr("d", "user", "a", b"v" * 300)
    return t


def main():
    with tempfile.TemporaryDirectory() as d:
        program = memtx.build("fs/xfs/tx/test/basic.c", os.path.join(d, "basic"))
        for suite, options in (("trixie", ()), ("sid", ()), ("bookworm", ("-m", "bigtime=0", "-i", "nrext64=0")), ("trixie", ("-b", "size=1024"))):
            path = os.path.join(d, "image")
            images.make(path, tree(), d, options=options, suite=suite)
            said = memtx.run(program, path)
            assert int(said.split()[0]) >= 204, said
            memtx.judge(path)
            os.unlink(path)
    print("ok")


main()
