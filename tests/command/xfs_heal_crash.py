#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: disks of 64 MiB are written anew for each cut
"""Power cuts in the middle of online repairs. In a guest whose disk's writes are recorded (tests/xfs/cuts.py) each of 12 structures is damaged in turn (tools/damage) and made
anew by scrub with repair. At points between the beginning and the end of each repair the disk is made as the cut may have left it: the next mount finds the structure as it was, damaged
(a mount that reads it may refuse it, as on Linux: then the disk's bytes are the damaged ones), or the new one; a scrub with repair of everything leaves nothing, every file is what it
was, and xfs_repair -n and ./ochre image check, which knows lost blocks, find nothing.

    xfs_heal_crash.py [CUTS [SEED]]"""
import os
import random
import shutil
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import damage as tool, rootfs, setup  # noqa: E402
import cuts  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import memtx  # noqa: E402

OF_AGS = ["sb", "agf", "agfl", "agi", "bnobt", "cntbt", "inobt", "finobt", "refcountbt"]
TYPES = OF_AGS + ["inode", "bmapbtd", "bmapbta"]
NAMES = {"inode": "file0", "bmapbtd": "extents", "bmapbta": "attrs"}
REFUSED = ("agf", "agi")        # what a mount reads
SIZE = 64 << 20
AT_ONCE = 6
FILL = "mkdir -p /m; mount -t xfs /dev/vda /m && heal_many fill /m && heal_many sums /m && for t in inode:file0 bmapbtd:extents bmapbta:attrs; do echo ${t%:*} $(heal_many gen $(ls -d /m/*/${t#*:} | tail -n 1)) $(ls -d /m/*/${t#*:} | tail -n 1); done; umount /m && echo the end"
BEGIN = "dmesg -n 1; mkdir -p /m; mount -t xfs -o noheal /dev/vda /m || exit 1\n"
EACH = """damage --live /m --type %(kind)s --curable --met --seed %(seed)d --undo /tmp/undo %(where)s /dev/vda || exit 1
heal_many mark /dev/vda %(begin)d; heal_many one %(kind)s /m %(object)s || exit 1
heal_many freeze /m && heal_many thaw /m; heal_many mark /dev/vda %(end)d
"""
JUDGE = """dmesg -n 1; mkdir -p /m
judge() { echo "disk $1"; mount -t xfs -o nouuid,noheal /dev/$1 /m || { echo refused; return; }
heal_many one $2 /m $3 $4 $5 look; heal_many repair /m; heal_many sums /m; umount /m && echo unmounted; }
"""


def guest(root, script, *more, debug=False):
    status, said = memtx.ochre("run", *["--debug"] * debug, "--timeout", "400", "--cpus", "2", "--memory", "512M", "--rootfs", root, *more, "--", "sh", "-c", script)
    no_report(said)
    said = said.replace("\r", "")
    check(status == 0 and said.rstrip().endswith("the end"), "status %d\n%s" % (status, said[-5000:]))
    return said


def sums_of(text):
    return sorted(l for l in text.splitlines() if " /m" in l and len(l.split()[0]) == 16)


class Recording:
    def __init__(self, d, root, seed):
        self.d, self.base, self.disk, self.log = d, d + "/base", d + "/disk", d + "/log"
        images.make(self.base, images.Tree(), d, size="64m", options=("-n", "parent=1", "-b", "size=1024", "-d", "agcount=2"), suite="sid")
        said = guest(root, FILL, "--disk", self.base)
        self.sums = sums_of(said)
        check(len(self.sums) > 290, said[-2000:])
        self.objects = {l.split()[0]: l.split()[1:] for l in said.splitlines() if l.split()[:1] and l.split()[0] in NAMES}
        os.truncate(self.base, SIZE + 2 * len(TYPES) * 4096)
        shutil.copy(self.base, self.disk)
        open(self.log, "w").close()
        script = BEGIN
        for i, kind in enumerate(TYPES):
            where = "--ag 1" if kind in OF_AGS else "--inode " + self.objects[kind][0]
            script += EACH % {"kind": kind, "seed": seed + i, "where": where, "object": self.object(kind), "begin": SIZE + 8192 * i, "end": SIZE + 8192 * i + 4096}
        said = guest(root, script + "heal_many sums /m; umount /m; echo the end", "--qemu", cuts.recorder("rec", self.disk, self.log))
        check(sums_of(said) == self.sums and said.count("flags 0x1\n") == len(TYPES), said[-5000:])
        os.truncate(self.disk, SIZE)
        memtx.judge(self.disk, ("sid",))
        self.rec = cuts.Record(self.log)

    def object(self, kind):
        return "1 0 0" if kind in OF_AGS else "0 %s %s" % tuple(self.objects[kind][:2])

    def span(self, kind):
        """The entries between the marks of the repair of KIND."""
        at = SIZE + 8192 * TYPES.index(kind)
        marks = [[i for i, (_, where, n, _) in enumerate(self.rec.entries) if n and where == a] for a in (at, at + 4096)]
        check(len(marks[0]) == len(marks[1]) == 1, marks)
        return marks[0][0] + 1, marks[1][0]

    def cut(self, kind, at, seed):
        path = "%s/%s-%d" % (self.d, kind, at)
        shutil.copy(self.base, path)
        cuts.image(self.rec, self.base, path, at, seed)
        os.truncate(path, SIZE)
        return path


def judge(root, r, made):
    script = JUDGE + "".join("judge vd%s %s %s\n" % ("abcdef"[i], kind, r.object(kind)) for i, (kind, _) in enumerate(made)) + "echo the end"
    said = guest(root, script, *(x for _, path in made for x in ("--disk", path)))
    out = []
    for part, (kind, path) in zip(said.split("disk vd")[1:], made):
        if "\nrefused" in part:
            check(kind in REFUSED, "%s: %s" % (path, part))
            out.append((kind, "refused"))
        else:
            check("unmounted" in part and "left:" not in part and sums_of(part) == r.sums, "%s: %s" % (path, "\n".join(l for l in part.splitlines() if l not in r.sums)))
            memtx.judge(path, ("sid",))
            out.append((kind, "old" if "\nold\n" in part else "new"))
        os.unlink(path)
    return out


def main():
    count, seed = ([int(w) for w in sys.argv[1:]] + [len(TYPES), 1][len(sys.argv) - 1:])[:2]
    tools = setup.load() or setup.ensure()
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as d:
        extra = linux.programs(tools, d, ["heal_many"])
        extra["bin/damage"] = (rootfs.read(tool.for_guests(tools)["damage"]), 0o755)
        root = rootfs.busybox_root(tools, extra)
        r = Recording(d, root, seed)
        todo, out = [], []
        for i in range(count):
            kind = TYPES[i % len(TYPES)]
            first, last = r.span(kind)
            todo.append((kind, rng.randrange(first, last + 1)))
        for at in range(0, count, AT_ONCE):
            out += judge(root, r, [(kind, r.cut(kind, cut, seed + at)) for kind, cut in sorted(set(todo[at:at + AT_ONCE]))])
        for kind in TYPES:
            first, last = r.span(kind)
            mine = [how for k, how in out if k == kind]
            print("%-10s %3d writes and flushes, %d cuts: %d old, %d new, %d refused" % (kind, last - first, len(mine), mine.count("old"), mine.count("new"), mine.count("refused")))
        check({how for _, how in out} >= {"old", "new"} or count < 10, out)
    print("ok")


main()
