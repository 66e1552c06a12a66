#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: xfs_scrub looks at everything in every second round
"""Damages of a mounted XFS by the number. tools/damage, in the guest, changes one field of one structure (14 kinds) behind the back of a file system with 300 files, frozen
and with its buffers dropped. In half of the rounds a program reads it (tests/xfs/heal_many.c), and the kernel's own thread repairs it; in the others unmodified xfs_scrub of sid
finds and repairs it. What xfs_repair -n does not see on a copy does not count. Afterwards xfs_repair -n finds nothing on a copy and all files have the bytes that they had
("repaired"; "over": nobody met it, and it was written over); or the damage was named, of data that nothing else says ("named"); or it was met in a dirty transaction, and
the file system is shut down, as Linux does ("shut"). "lost": neither. Nothing may be lost, hang or die.

    xfs_heal_many.py [COUNT [SEED]] [--arch CPU] [--debug]: rounds that count; without xfs_scrub on CPUs that are not x86_64"""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import damage, rootfs, setup  # noqa: E402
from ochre.heal_demo import Guest  # noqa: E402
from ochre.util import Fail  # noqa: E402
import admin  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import recovery  # noqa: E402

OF_AGS = ["sb", "agf", "agfl", "agi", "bnobt", "cntbt", "inobt", "finobt", "rmapbt", "refcountbt"]
OF_FILES = ["inode", "bmapbtd", "bmapbta"]
TYPES = OF_AGS + OF_FILES + ["fscounters"]
VERDICTS = ["repaired", "named", "shut", "over", "lost"]
PER_BOOT, SHORT = 20, 8
PATIENCE = 10           # seconds for one repair
OPTIONS = (("-b", "size=1024"), ())
EVENT = re.compile(r"XFS \(\w+\): (found|repaired|not repaired|given up|cannot be repaired yet): (.*)")
OF_LOG = ("ALERT: ", "ignored because the -n", "which may be resolved")      # it is mounted
NAMES = re.compile(r"(?i)corrupt|repair|unfixable|inconsisten|errors? ")
START = "exec 2>&1; export PATH=$PATH:/usr/sbin TERM=dumb; dmesg -n 1; mkdir -p /m /tmp; mount -t xfs /dev/vda /m; exec sh"
WAIT = """set -- $(cat /sys/fs/xfs/vda/heal_stats); n=0; %s
until { set -- $(cat /sys/fs/xfs/vda/heal_stats 2>/dev/null); [ "${2:-0}" -gt %d ] && [ "$2" -eq $(($4 + $6)) ]; } || dmesg | grep -q 'xfs.*shut' || [ $n -ge %d ]; do sleep 0.05; n=$((n + 1)); done
cat /sys/fs/xfs/vda/heal_stats"""


class Round:
    """One damage, and what became of it."""

    def __init__(self, kind, by, line):
        self.kind, self.by, self.line, self.verdict, self.said = kind, by, line, None, []


class Boot:
    def __init__(self, folder, arch, debug, seed, number):
        self.folder, self.arch, self.seed = folder, arch, seed
        self.image, self.copy = (os.path.join(folder, n) for n in ("image", "copy"))
        self.random = random.Random(seed * 1000003 + number)
        self.debug, self.log = debug, open(folder + "/log", "w+b")
        self.options = OPTIONS[number % len(OPTIONS)]
        images.make(self.image, images.Tree(), folder, size="64m", options=("-n", "parent=1", "-d", "agcount=4", *self.options), suite="sid")

    def start(self, root):
        argv = [ROOT + "/ochre", "run", "--arch", self.arch, *["--debug"] * self.debug, "--cpus", "2", "--memory", "512M", "--timeout", "1500", "--rootfs", root, "--disk", self.image]
        self.guest = Guest(argv + ["--", "sh", "-c", START], self.log)
        self.events = 0
        rows = [r.split() for r in self.guest.do("heal_many fill /m", 120)]
        check(len(rows) == 4, rows)
        self.dirs = {int(agno): path for agno, path in rows}
        self.sums = self.read_sums()
        check(len(self.sums) > 300 and not any(s.startswith("-") for s, _ in self.sums.values()), list(self.sums.items())[:5])
        left = self.findings(self.frozen())
        check(not left, "of a new file system xfs_repair says %s" % left[:6])

    # --- looks ---

    def read_sums(self):
        """{path: (sum, inode)}."""
        rows = [r.split(" ", 2) for r in self.guest.do("heal_many sums /m", 60)]
        return {path: (s, ino) for s, ino, path in rows}

    def frozen(self):
        """A copy of the disk, with nothing in its log."""
        self.guest.do("heal_many freeze /m")
        shutil.copyfile(self.image, self.copy)
        self.guest.do("heal_many thaw /m")
        return self.copy

    def findings(self, path):
        left, status, said = recovery.found(path, "sid")
        left = [l for l in left if not l.startswith(OF_LOG)]
        return left or (["status %d" % status] if status and "ALERT: " not in said else [])

    def is_down(self):
        return bool(self.guest.do("dmesg | grep -i 'xfs.*shut'", ok=False))

    def seen(self):
        """What the thread has said since the last time: [(word, text)]."""
        said = self.guest.do("dmesg | grep -E 'XFS .*: (found|repaired|not repaired|given up|cannot be repaired yet): '", ok=False)
        new, self.events = said[self.events:], len(said)
        return [(m[1], m[2]) for m in map(EVENT.search, new) if m]

    # --- a round ---

    def aim(self, kind):
        """(path, options of damage)."""
        agno = self.random.choice(sorted(self.dirs)[kind == "sb":])
        options = "--type %s" % kind
        if self.random.random() < 0.75:
            options += " --curable" * (kind != "rmapbt")
        if kind in OF_AGS:
            return self.dirs[agno], options + " --ag %d" % agno
        if kind == "fscounters":
            return "/m", options
        path = self.dirs[agno] + {"bmapbtd": "/extents", "bmapbta": "/attrs"}.get(kind, "")
        if kind == "inode":
            path = self.random.choice([p for p in self.sums if p.startswith(path + "/file")])
        return path, options + " --inode $(stat -c %%i %s)" % path

    def damage(self, kind, by):
        """A Round, or None: it does not count."""
        g = self.guest
        path, options = self.aim(kind)
        g.do("mount -o remount,%s /m" % ("heal" if by == "thread" else "noheal"))
        seed = self.random.getrandbits(32)
        said = g.do("damage --live /m --undo /tmp/undo --seed %d %s%s /dev/vda" % (seed, " --met" * (by == "thread" and kind != "fscounters"), " " + options), ok=False)
        if g.status:
            check("nothing of that" in said[-1], said)
            return None, path
        shutil.copyfile(self.image, self.copy)
        at, old = g.do("cat /tmp/undo")[0], g.do("cat /tmp/undo")[1]
        self.undo = (int(at.split()[0]), bytes.fromhex(old))
        r = Round(kind, by, said[-1])
        if not self.findings(self.copy):
            self.restore()
            return None, path
        with open(self.copy, "r+b") as f:
            f.seek(self.undo[0])
            f.write(self.undo[1])
        os.replace(self.copy, self.copy + ".before")
        return r, path

    def restore(self):
        """The disk as it was before the damage."""
        g = self.guest
        g.do("cd /; umount /m; sync; echo 3 > /proc/sys/vm/drop_caches; dmesg -c > /dev/null")
        self.events = 0
        if os.path.exists(self.copy + ".before"):
            with open(self.copy + ".before", "rb") as f, open(self.image, "r+b") as to:
                shutil.copyfileobj(f, to)
        else:
            with open(self.image, "r+b") as f:
                f.seek(self.undo[0])
                f.write(self.undo[1])
        g.do("echo 3 > /proc/sys/vm/drop_caches; mount -t xfs /dev/vda /m")

    def by_thread(self, r, path):
        g, before = self.guest, int(self.guest.do("cat /sys/fs/xfs/vda/heal_stats")[0].split()[1])
        r.said += g.do(WAIT % ("heal_many meet %s %s" % (r.kind, path), before, PATIENCE * 20 if r.kind not in ("sb", "fscounters", "agfl", "cntbt") else 20), 120, ok=False)
        if not self.is_down() and int(g.do("cat /sys/fs/xfs/vda/heal_stats")[0].split()[1]) == before:
            r.said += ["(stirred)"] + g.do(WAIT % ("heal_many stir %s" % self.dirs[0 if path == "/m" else self.ag_of(path)], before, 20), 120, ok=False)
        events = self.seen()
        r.said += ["%s: %s" % e for e in events]
        return bool(events)

    def ag_of(self, path):
        return next(a for a, d in self.dirs.items() if path.startswith(d + "/") or path == d)

    def by_scrub(self, r):
        program = "xfs_scrub /m" if self.arch == "x86_64" else "heal_many repair /m"
        said = self.guest.do(program, 300, ok=False)
        r.said += [program.split()[0], *(l for l in said if not l.startswith("Info: ")), "status %d" % self.guest.status]
        return any(NAMES.search(l) or l.startswith("left:") for l in said)

    def one(self, kind, by):
        r, path = self.damage(kind, by)
        if not r:
            return None
        named = self.by_thread(r, path) if by == "thread" else self.by_scrub(r)
        if by == "thread" and not named and not self.is_down():
            r.by = "unmet"
            named = self.by_scrub(r)
        if self.is_down():
            r.verdict = "shut"
            r.said += self.guest.do("dmesg | grep -i xfs | tail -n 8")
        else:
            self.judge(r, path, named)
        if r.verdict != "repaired":
            self.restore()
        os.unlink(self.copy + ".before")
        if r.verdict != "repaired":
            sums = self.read_sums()
            check(sums == self.sums, "%s: put back, the files are others: %s" % (r.line, self.differences(sums)))
        return r

    def differences(self, sums):
        return ["%s: %s, was %s" % (p, sums.get(p), self.sums.get(p)) for p in sorted(set(sums) | set(self.sums)) if sums.get(p) != self.sums.get(p)][:6]

    def judge(self, r, path, named):
        found = self.findings(self.frozen())
        for _ in range(4):
            self.guest.do("echo 3 > /proc/sys/vm/drop_caches")
        changed = self.differences(self.read_sums())
        r.said += ["xfs_repair: " + l for l in found[:6]] + ["changed: " + l for l in changed]
        others = [c for c in changed if not c.startswith(path + ":")]
        if not found and not changed:
            r.verdict = "repaired" if named else "over"
        elif named and not others:
            r.verdict = "named"
        elif named and found:           # what lies below cannot be read, and says so
            r.verdict = "named" if all(": None" in c or "('-" in c for c in others) else "lost"
        else:
            r.verdict = "lost"


def boot(folder, root, arch, debug, seed, number, count, out):
    b = Boot(folder, arch, debug, seed, number)
    try:
        b.start(root)
        tries = 0
        while len(out) < count and tries < 6 * PER_BOOT:
            kind, by = TYPES[b.random.randrange(len(TYPES))], ("thread", "scrub")[tries % 2]
            tries += 1
            begin = time.monotonic()
            try:
                r = b.one(kind, by)
            except Fail as e:
                sys.exit("%s seed %d boot %d: %s\n%s" % ("died" if "ended" in str(e) else "hung", seed, number, kind, e))
            if not r:
                continue
            out.append(r)
            if "VERBOSE" in os.environ or r.verdict == "lost":
                print("%s %s %4.1f s: %s\n      %s" % (r.verdict, r.by, time.monotonic() - begin, r.line, "\n      ".join(r.said)), flush=True)
            check(r.verdict != "lost" or "GO_ON" in os.environ, "lost: seed %d boot %d" % (seed, number))
        text = "\n".join(b.guest.do("dmesg", ok=False))
        check(not re.search(r"(?i)warning|bug:|lockdep:|blocked for", text), text[-4000:])
        status = b.guest.end()
        b.log.seek(0)
        no_report(b.log.read().decode(errors="replace"))
        check(status == 0, "the machine ended with status %d" % status)
        left = b.findings(b.image)
        check(not left, "in the end xfs_repair finds %s" % left[:6])
    finally:
        b.guest.kill()
        b.log.close()


def table(rounds):
    lines = ["%-11s %-7s" % ("", "by") + "".join("%10s" % v for v in VERDICTS)]
    for kind in TYPES + ["all"]:
        for by in ("thread", "scrub", "unmet"):
            mine = [r for r in rounds if r.by == by and kind in (r.kind, "all")]
            if mine:
                lines.append("%-11s %-7s" % (kind, by) + "".join("%10d" % sum(r.verdict == v for r in mine) for v in VERDICTS))
    return "\n".join(lines)


def main():
    words = sys.argv[1:]
    arch = words[words.index("--arch") + 1] if "--arch" in words else "x86_64"
    numbers = [int(w) for w in words if w.isdigit()]
    count, seed = (numbers + [SHORT, 1][len(numbers):])[:2]
    debug = "--debug" in words
    tools = (setup.load() if arch == "x86_64" else None) or setup.ensure((arch,))
    rounds = []
    with tempfile.TemporaryDirectory() as d:
        extra = linux.programs(tools, d, ["heal_many"], arch)
        extra["bin/damage"] = (rootfs.read(damage.for_guests(tools, arch)["damage"]), 0o755)
        root = admin.root(tools, extra, admin.PROGRAMS + ("xfs_scrub",)) if arch == "x86_64" else rootfs.busybox_root(tools, extra, arch)
        number = 0
        while len(rounds) < count:
            mine = []
            folder = os.path.join(d, "boot%d" % number)
            os.mkdir(folder)
            boot(folder, root, arch, debug, seed, number, min(PER_BOOT, count - len(rounds)), mine)
            rounds += mine
            shutil.rmtree(folder)
            number += 1
            if number % 4 == 0:
                print("%d damages" % len(rounds), flush=True)
    print(table(rounds))
    check(not any(r.verdict == "lost" for r in rounds), "lost")
    print("ok")


main()
