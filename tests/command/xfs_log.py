#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The log's writer on images that mkfs.xfs made: transactions run inside the kernel (KTEST xfs_trans_image), then the machine ends with the log dirty, or
clean. Replay by ./ochre image brings all of it, and ./ochre image check and xfs_repair -n find nothing. Mounts cannot write yet."""
import os
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
import images  # noqa: E402
import recovery  # noqa: E402

CASES = (("trixie", ()), ("trixie", ("-b", "size=1024")), ("sid", ("-l", "su=32k")), ("bookworm", ("-s", "size=4096")))


def tree():
    t = images.Tree()
    t.dir("d")
    t.file("d/a", b"x" * 5000)
    t.link("l", "target")
    return t


def ochre(*argv):
    r = subprocess.run([os.path.join(ROOT, "ochre"), *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout


def main():
    with tempfile.TemporaryDirectory() as d:
        for suite, options in CASES:
            image = os.path.join(d, "image")
            if os.path.exists(image):
                os.unlink(image)
            images.make(image, tree(), d, options=options, suite=suite)
            said = ochre("run", "-v", "--timeout", "100", "--cpus", "2", "--append", "ktest=xfs_trans_image", "--disk", image, "--", "true")[1]
            check("ktest: xfs_trans_image: ok" in said, "%s %s\n%s" % (suite, options, said[-3000:]))
            status, said = ochre("image", "replay", image)
            check(status == 0, said)
            check(("clean" in said) == ("size=1024" in options), said)
            status, said = ochre("image", "check", image)
            check(status == 0 and "nothing is wrong" in said, said)
            recovery.repair(image)
            said = ochre("image", "info", image)[1]
            check("dirty" not in said, said)
    print("ok")


main()
