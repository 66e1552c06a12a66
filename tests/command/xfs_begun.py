#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: many logs, each recovered
"""Mappings and exchanges that another system began (BUI, XMI): a log asks for the blocks of two files to be exchanged, as Linux's does in the middle of that (tests/xfs/begun.py).
Mounting does it, and ./ochre image check and xfs_repair -n find nothing. Logs that ask for what makes no sense: the mount is refused, nothing else happens; an exchange of
attributes is refused before anything is written."""
import os
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import begun  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

CASES = (("sid", ()), ("trixie", ("-b", "size=1024", "-m", "rmapbt=1")), ("bookworm", ()))
A, B = 40000, 39950
FREE = 127              # the number of an inode in the first chunk's place that there is not


def tree():
    t = images.Tree()
    t.file("a", b"a" * A)
    t.file("b", b"b" * B)
    t.link("link", "target")
    return t


def exchange(image):
    found = begun.files(image)
    (a, (x,)), (b, (y,)) = found[A], found[B]
    assert x[2] == y[2]
    begun.append(image, [begun.bui(1, a, begun.UNMAP, *x), begun.bui(2, b, begun.UNMAP, *y), begun.bui(3, a, begun.MAP, *y), begun.bui(4, b, begun.MAP, *x)])


def nonsense(image):
    """Items of which each is the only one of a log."""
    found = begun.files(image)
    (a, ((off, fsb, n),)), root = found[A], 128
    return [begun.bui(1, a, 9, off, fsb, n), begun.bui(1, a, begun.UNMAP, off, fsb, 0), begun.bui(1, a, begun.UNMAP, off, 1 << 40, n), begun.bui(1, FREE, begun.UNMAP, off, fsb, n),
            begun.bui(1, a, begun.MAP, off, fsb, n), begun.bui(1, a, begun.MAP | begun.ATTR, off, fsb, n), begun.bui(1, root, begun.MAP, off, fsb, n),
            begun.bui(1, a, begun.MAP, off + 100, fsb, (1 << 21) + 1)]


EXCHANGES = (("-b", "size=4096"), ("-b", "size=1024", "-m", "rmapbt=1"), ("-i", "nrext64=0"))


def begin_exchange(image, flags, sizes=(-1, -1), **other):
    """An XMI of all that files a and b have."""
    found = begun.files(image)
    (a, ((_, _, n),)), (b, _) = found[A], found[B]
    items = dict(inodes=(a, b), generations=[begun.generation(image, i) for i in (a, b)], offsets=(0, 0), count=n, flags=flags, sizes=sizes)
    items.update(other)
    begun.append(image, [begun.xmi(1, **items)])


def exchanges(root, d):
    disks = [os.path.join(d, "exchange%d" % i) for i in range(len(EXCHANGES))]
    for image, options in zip(disks, EXCHANGES):
        images.make(image, tree(), d, size="64m", options=options, suite="sid")
        begin_exchange(image, begun.SIZES | begun.WRITTEN, (B, A))
    script = "for d in vda vdb vdc; do mount -t xfs /dev/$d /m && tr -d b </m/a | wc -c; wc -c </m/a; tr -d a </m/b | wc -c; wc -c </m/b; umount /m; done"
    said = boot(root, disks, script)[1]
    lines = [line for line in said.splitlines() if line.strip().isdigit()]
    check([int(n) for n in lines] == [0, B, 0, A] * 3, said[-6000:])
    check(said.count("recovery finished 1 pieces of work") == 3, said[-6000:])
    for image in disks:
        memtx.judge(image, ("sid",))
        os.unlink(image)


# What makes no sense: another generation, a free inode, one whose names lie in it, a range behind all files, no such flag, one file and ranges that overlap.
NO_EXCHANGES = (dict(generations=(1, 2)), dict(inodes=(FREE, FREE + 1)), dict(inodes=(128, 128), offsets=(0, 50)), dict(offsets=(0, 1 << 54)), dict(flags=32), dict(inodes=(131, 131)))


def refused(root, d):
    disks = []
    for i, other in enumerate(NO_EXCHANGES + (dict(flags=begun.ATTR_FORK),)):
        disks.append(os.path.join(d, "refused%d" % i))
        images.make(disks[-1], tree(), d, size="64m", options=(), suite="sid")
        if "inodes" in other and other["inodes"][0] == 128:
            other = dict(other, generations=[begun.generation(disks[-1], 128)] * 2)
        begin_exchange(disks[-1], **{"flags": 0, **other})
    with open(disks[-1], "rb") as f:
        was = f.read()
    script = "for d in vda vdb vdc vdd vde vdf vdg; do mount -t xfs /dev/$d /m 2>&1 | sed 's/.*failed: //'; umount /m 2>/dev/null && echo it is there; done"
    said = boot(root, disks, script)[1]
    check(said.count("Structure needs cleaning") == len(NO_EXCHANGES) and "it is there" not in said, said[-6000:])
    check(said.count("cannot be replayed: it has begun to exchange attributes of two files") == 1, said[-6000:])
    with open(disks[-1], "rb") as f:
        check(f.read() == was, "a refused log's disk was written")
    for image in disks:
        os.unlink(image)


def boot(root, disks, script):
    argv = [a for d in disks for a in ("--disk", d)]
    status, said = memtx.ochre("run", "--debug", "-v", "--timeout", "200", "--cpus", "2", "--rootfs", root, *argv, "--", "sh", "-c", "mkdir -p /m; " + script)
    no_report(said)
    return status, said


def main():
    tools = setup.load() or setup.ensure()
    root = rootfs.busybox_root(tools)
    with tempfile.TemporaryDirectory() as d:
        disks = [os.path.join(d, "image%d" % i) for i in range(len(CASES))]
        for image, (suite, options) in zip(disks, CASES):
            images.make(image, tree(), d, size="64m", options=options, suite=suite)
            exchange(image)
        script = "for d in vda vdb vdc; do mount -t xfs /dev/$d /m && tr -d b </m/a | tr -d '\\0' | wc -c; wc -c </m/a; tr -d a </m/b | wc -c; wc -c </m/b; umount /m; done"
        said = boot(root, disks, script)[1]
        lines = [line for line in said.splitlines() if line.strip().isdigit()]
        check([int(n) for n in lines] == [0, A, 0, B] * 3, said[-6000:])
        check(said.count("recovery finished 4 pieces of work") == 3, said[-6000:])
        for image in disks:
            memtx.judge(image, ("sid",))
            os.unlink(image)
        disks = []
        for i in range(8):
            disks.append(os.path.join(d, "bad%d" % i))
            images.make(disks[-1], tree(), d, size="64m")
            begun.append(disks[-1], [nonsense(disks[-1])[i]])
        script = "for d in vda vdb vdc vdd vde vdf vdg vdh; do mount -t xfs /dev/$d /m 2>&1 | sed 's/.*failed: //'; umount /m 2>/dev/null && echo it is there; done"
        said = boot(root, disks, script)[1]
        check(said.count("Structure needs cleaning") == 8 and "it is there" not in said, said[-6000:])
        exchanges(root, d)
        refused(root, d)
    print("ok")


main()
