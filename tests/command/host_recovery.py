#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./ochre image replay: the kernel's recovery code upon images whose logs Linux left dirty. What it makes of them is sound, for our check and for xfs_repair; cut off after
any write, with the last one torn, and begun again, it makes the same; torn records end the log, and what is refused is left as it was."""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tools")
sys.path.insert(0, TOP + "/tests/xfs")
from ochre import image  # noqa: E402
import recovery  # noqa: E402

CASES = ("names", "names-1k", "names-old", "extents", "wrapped", "sunit", "little", "quota")


def run(*argv, status=0):
    r = subprocess.run([image.program(), *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert r.returncode == status, (argv, r.returncode, r.stdout[-2000:])
    return r.stdout


def copy(source, path):
    subprocess.run(["cp", "--sparse=always", source, path], check=True)
    return path


def replayed(folder, name):
    """The image that replaying makes, judged."""
    path = recovery.unpack(name, os.path.join(folder, name))
    assert "blocks, dirty" in run("info", path)
    said = run("replay", path)
    m = re.fullmatch(r"(\d+ transactions from block \d+ to \d+: )\d+ sectors written(; it stays dirty)?\n", said)
    left = name in recovery.LEFT
    assert m and bool(m[2]) == left, said
    after, again = recovery.digest(path), run("replay", path)
    assert again.startswith(m[1]) if left else again == "the log is clean\n", again
    assert recovery.digest(path) == after
    text = run("check", path, status=int(left))
    assert text == "the log is dirty: what is in it is not looked at\n1 things are wrong\n" if left else text.endswith("nothing is wrong\n"), text
    recovery.repair(path, left=left)
    return path, after


def cut(folder, name, after, every):
    """Recovery that ends after N writes leaves a log that is replayed again, to the same bytes."""
    dirty, path, n = recovery.unpack(name, os.path.join(folder, "dirty")), os.path.join(folder, "cut"), 1
    while True:
        copy(dirty, path)
        r = subprocess.run([image.program(), "replay", path, str(n)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if r.returncode == 0:
            break
        run("replay", path)
        assert recovery.digest(path) == after, (name, n)
        n += every
    assert n > 3 * every, n
    return n // every


def torn(folder):
    """A torn record ends the log: less is replayed, and what comes of it is sound."""
    for name in ("names", "wrapped"):
        path = recovery.unpack(name, os.path.join(folder, "torn"))
        whole = int(run("replay", path).split()[0])
        recovery.unpack(name, path)
        recovery.patch(path, recovery.torn)
        said = run("replay", path)
        assert 0 < int(said.split()[0]) < whole, (said, whole)
        recovery.repair(path)
        assert run("replay", path) == "the log is clean\n"


def stale(folder):
    """Blocks of this cycle ahead of the head, which a power cut left there, are not met again."""
    path = recovery.unpack("names", os.path.join(folder, "stale"))
    recovery.patch(path, recovery.stale)
    run("replay", path)
    assert run("replay", path) == "the log is clean\n"
    recovery.repair(path)


def refused(folder):
    for change, words in ((recovery.unknown_item, "items of an unknown type (0x1239)"), (recovery.unfinished, "work that was begun and must be finished"),
                          (recovery.damaged, "is wrong"), (recovery.foreign, "other byte order"), (recovery.elsewhere, "inode number is wrong")):
        path = recovery.unpack("names", os.path.join(folder, "refused"))
        recovery.patch(path, change)
        before = recovery.digest(path)
        said = run("replay", path, status=1)
        assert words in said and recovery.digest(path) == before, (change, said)


def main():
    with tempfile.TemporaryDirectory() as d:
        after = {n: replayed(d, n) for n in CASES}
        cuts = sum(cut(d, n, after[n][1], every) for n, every in (("names", 5), ("wrapped", 3), ("extents", 11), ("little", 1), ("quota", 4)))
        torn(d)
        stale(d)
        refused(d)
    print("ok: %d cuts" % cuts)


main()
