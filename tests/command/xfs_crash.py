#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts while XFS is written. Several tasks in a guest make, rename and remove files, directories, symlinks and attributes (tests/xfs/crash.c) and write files
in every way (tests/xfs/crash_data.c), on a disk whose writes are recorded (tests/xfs/cuts.py). At points of the record chosen by seed the disk is made as the cut may
have left it; another guest mounts it, which recovers it. Each directory must be what it was after some operation, none before the last that was promised by fsync, and
each word of a file what it was since its fsync, also where files share blocks: the free space held other bytes before, and has others where it was discarded. Unmounted, xfs_repair finds nothing. Some disks are cut once more while they
are recovered. And where the disk ignores nine of ten flushes the test must notice.

The debug kernel writes, and recovers the disks that are cut once more; the release kernel recovers all of them, a tenth of the time each. With a SEED that 3 divides
the debug kernel does that too.

	xfs_crash.py [CUTS [SEED [FOLDER]]]: FOLDER keeps disks that were found to be wrong."""
import os
import random
import re
import shutil
import string
import struct
import subprocess
import sys
import tempfile

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import cuts  # noqa: E402
import damage  # noqa: E402
import images  # noqa: E402
import recovery  # noqa: E402

TASKS, OPS = 4, 600
FILES = 3               # whose data each task writes: DATA_FILES of crash.h
SIZE = 64 << 20         # the file system's; behind it each task says what it was promised, in 4 KiB for its directory and for each of its files
STALE = bytes(range(0x81, 0x91)) * 16
CASES = (("trixie", ()), ("trixie", ("-b", "size=1024")), ("sid", ()))
DISCARDS = 2            # of CASES: it is mounted with discard, where SEED is even
ROUND, AGAIN = 15, 5    # cuts that are judged together, and those of them, each fifth, that are cut again
DEAF = 6
AT_ONCE = 6             # disks of a guest: tables of the firmware for many would overwrite the end of its root
WORK = """work() { mkdir -p /m/$1 && mount -t xfs -o $2 /dev/$1 /m/$1 && crash work /m/$1 /dev/$1 %d %d %d || : >/failed; }
%s wait
dmesg | grep 'xfs: '; [ -e /failed ] || echo the end"""
JUDGE = """mkdir -p /m
judge() { echo "disk $1"; mount -t xfs -o nouuid /dev/$1 /m || return; shift
for t in 0 1 2 3; do [ "$1" = - ] || crash check /m $t %d $1 $2 $3 $4; shift 4; done
umount /m && echo unmounted; }
""" % OPS


def guest(root, script, *more, debug=True):
    argv = [os.path.join(ROOT, "ochre"), "run", *["--debug"] * debug, *appended("oops=panic"), "-v", "--timeout", "900", "--cpus", "2", "--memory", "512M", "--rootfs", root, *more, "--", "sh", "-c", script]
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    no_report(r.stdout)
    return r.stdout


def name_of(i):
    return "vd" + string.ascii_lowercase[i]


def log_bytes(path):
    im = damage.Image(path)
    log = recovery.Log(im)
    im.f.close()
    return log.at, log.at + len(log.data)


def fill_free(path):
    """The free space has bytes that no file may show."""
    im = damage.Image(path)
    said = images.run([setup.find_xfsprogs("sid") + "/xfs_db", "-r", "-c", "freesp -d", path])
    spans = [[int(x) for x in line.split()] for line in said.splitlines() if re.fullmatch(r"\s*\d+\s+\d+\s+\d+", line)]
    check(sum(n for _, _, n in spans) * im.blocksize > SIZE // 4, said[-2000:])
    with open(path, "r+b") as f:
        for ag, block, n in spans:
            f.seek((ag * im.agblocks + block) * im.blocksize)
            f.write(STALE * (n * im.blocksize // len(STALE)))
    im.f.close()


def discarded(case, seed):
    return case.case == DISCARDS and seed % 2 == 0


def record(root, cases, seed):
    """Runs the tasks on the disks of all CASES, [Recording], at once."""
    disks = " ".join(cuts.recorder("rec%d" % i, c.disk, c.log) for i, c in enumerate(cases))
    begin = "".join("work %s %s & " % (name_of(i), "discard" if discarded(c, seed) else "nodiscard") for i, c in enumerate(cases))
    said = guest(root, WORK % (SIZE // 4096, TASKS, OPS, begin), "--qemu", disks)
    check("the end" in said, said[-4000:])
    for c in cases:
        c.rec = cuts.Record(c.log)
        discards = sum(flags & cuts.DISCARD and n > 0 for flags, _, n, _ in c.rec.entries)
        check((discards > 50) == discarded(c, seed), "case %d: %d discards" % (c.case, discards))


def promises(rec, cut):
    """What each task was promised before CUT of its directory and its files: the last number, '-' before the first."""
    out = ["-"] * (TASKS * (1 + FILES))
    with open(rec.path, "rb") as f:
        for flags, at, n, data in rec.entries[:cut]:
            if n == 4096 and SIZE <= at < SIZE + len(out) * 4096:
                f.seek(data)
                block = f.read(12)
                check(block[:8] == b"promised", block)
                out[(at - SIZE) // 4096] = str(struct.unpack("<I", block[8:])[0])
    return out


def judge(root, made, debug, keep=None):
    """made: [(path, promises, name)], AT_ONCE at most. (What the guest said, {name: what is wrong})."""
    script = JUDGE + "".join("judge %s %s\n" % (name_of(i), " ".join(p)) for i, (_, p, _) in enumerate(made)) + "dmesg | grep 'xfs: '; echo the end"
    said = guest(root, script, *(x for path, _, _ in made for x in ("--disk", path)), debug=debug)
    bad = {}
    for i, (path, promised, name) in enumerate(made):
        mine = said.split("disk " + name_of(i))[-1].split("disk vd")[0]
        found, status, _ = recovery.found(path)
        tasks = mine.count(": as after ") - mine.count("as after no operation")
        begun = TASKS - promised[::1 + FILES].count("-")
        if "unmounted" not in mine or tasks != begun or mine.count("data as promised") != begun or status or found:
            bad[name] = "%s: promised %s\n%s\n%s" % (name, promised, "\n".join(mine.splitlines()[:12]), "\n".join(found[:12]))
            if keep:
                shutil.copy(path, os.path.join(keep, name))
    check("the end" in said, said[-4000:])
    return said, bad


def judge_all(root, made, debug, keep=None):
    """judge() of any number."""
    said, bad = "", {}
    for first in range(0, len(made), AT_ONCE):
        more, wrong = judge(root, made[first:first + AT_ONCE], debug, keep)
        said += more
        bad.update(wrong)
    return said, bad


def must_be_right(root, made, debug, keep):
    said, bad = judge_all(root, made, debug, keep)
    check(not bad, "\n".join(bad.values()) + said[-3000:])
    log = {l for l in said.splitlines() if "xfs: " in l}    # on the console, and from dmesg
    print("  %d disks: %d tasks are as promised, %d logs replayed, work finished %s" % (
        len(made), said.count(": as after "), sum("the log was dirty" in l for l in log), sum(int(l.split("finished ")[1].split()[0]) for l in log if "recovery finished" in l)))


def cut_again(root, made, seed):
    """MADE, of disks that were cut and not yet mounted: cut again while they are recovered."""
    disks, out = [], []
    script = "mkdir -p /m\n"
    for i, (path, _, _) in enumerate(made):
        shutil.copy(path, path + ".again")
        open(path + ".log", "w").close()
        disks.append(cuts.recorder("rec%d" % i, path + ".again", path + ".log"))
        script += "mount -t xfs -o nouuid /dev/%s /m && umount /m || exit 1\n" % name_of(i)
    said = guest(root, script + "echo the end", "--qemu", " ".join(disks))
    check("the end" in said, said[-4000:])
    for path, promised, name in made:
        rec = cuts.Record(path + ".log")
        cut = random.Random(seed + len(out)).randrange(1, len(rec.entries))
        shutil.copy(path, path + ".twice")
        cuts.image(rec, path, path + ".twice", cut, seed + cut, (log_bytes(path),))
        out.append((path + ".twice", promised, name + "-again%d" % cut))
        print("  %s: %d writes and flushes of its recovery, cut at %d" % (name, len(rec.entries), cut))
    return out


class Recording:
    """The disk of a case as it began, and the record of what was written to it. rec: once record() ran."""

    def __init__(self, folder, case, seed):
        self.folder, self.case, self.seed, self.rec = folder, case, seed, None
        suite, options = CASES[case]
        self.base, self.disk, self.log = (os.path.join(folder, "%s%d" % (n, case)) for n in ("base", "disk", "log"))
        images.make(self.base, images.Tree(), folder, size=str(SIZE), options=options, suite=suite)
        fill_free(self.base)
        os.truncate(self.base, SIZE + TASKS * (1 + FILES) * 4096)
        shutil.copy(self.base, self.disk)
        open(self.log, "w").close()
        self.torn = (log_bytes(self.base),)

    def points(self, rng, count):
        return sorted(rng.sample(range(len(self.rec.entries) // 20, len(self.rec.entries)), count))

    def promised(self):
        """Cuts right after a promise."""
        return [i + 1 for i, (_, at, n, _) in enumerate(self.rec.entries) if n and at >= SIZE]

    def cut(self, name, cut, deaf=False):
        path = os.path.join(self.folder, name)
        shutil.copy(self.base, path)
        cuts.image(self.rec, self.base, path, cut, self.seed * 1000003 + cut, self.torn, deaf=deaf, gone=STALE[:16])
        return path, promises(self.rec, cut), "case%d-cut%d%s" % (self.case, cut, "-deaf" * deaf)


def main():
    count, seed = int(sys.argv[1]) if len(sys.argv) > 1 else 15, int(sys.argv[2]) if len(sys.argv) > 2 else 1
    keep = sys.argv[3] if len(sys.argv) > 3 else None
    tools = setup.load() or setup.ensure()
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as d:
        crash = rootfs.build_user(tools, "crash", out=os.path.join(d, "crash"), sources=[os.path.join(ROOT, "tests/xfs", n) for n in ("crash.c", "crash_data.c")])
        root = rootfs.busybox_root(tools, extra={"bin/crash": (rootfs.read(crash), 0o755)})
        shares = [count // len(CASES) + (c < count % len(CASES)) for c in range(len(CASES))]
        cases = [Recording(d, c, seed) for c, share in enumerate(shares) if share]
        record(root, cases, seed)
        todo = []
        for r in cases:
            points = r.points(rng, shares[r.case])
            print("%s %s: %d writes and flushes recorded, cut at %s" % (CASES[r.case][0], " ".join(CASES[r.case][1]), len(r.rec.entries), points))
            todo += [(r, cut) for cut in points]
        for first in range(0, count, ROUND):
            made = [r.cut("cut%d" % i, cut) for i, (r, cut) in enumerate(todo[first:first + ROUND])]
            again = cut_again(root, made[::AGAIN], seed + first)
            must_be_right(root, made + again, seed % 3 == 0, keep)
        promised = [(r, cut) for r in cases for cut in r.promised()]
        control = [r.cut("deaf%d" % i, cut, deaf=True) for i, (r, cut) in enumerate(rng.sample(promised, DEAF))]
        said, bad = judge_all(root, control, seed % 3 == 0)
        print("  %d disks of %d that ignored nine of ten flushes are wrong" % (len(bad), len(control)))
        check(bad, "no disk that ignores flushes is noticed: " + said[-3000:])
    print("ok")


main()
