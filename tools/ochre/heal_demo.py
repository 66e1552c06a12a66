# SPDX-License-Identifier: MIT
"""./ochre heal-demo: a Debian on an XFS whose live disk is damaged by seed and repaired while programs use it.

The machine boots the base image of ./ochre run --rootfs debian through an overlay of its own, which is thrown away. The programs that act in it (tools/damage,
static, and busybox) come as a tar archive on a disk of their own and lie in memory, so that none of them depends on what is damaged. A round: the file system is
frozen, one field of one structure is changed on the disk behind its back, what is in memory of it is dropped, it is thawed, and a reader meets the damage. The
kernel's log says what was found and repaired; scrub says afterwards whether the structure is whole. In the end sums of files are those of before, and xfs_repair,
on this machine, finds nothing.

A round aims at what other metadata say again, since nothing else can be restored, and at what a reader notices. Structures of the AG in which the workload makes
its files are left alone: a change that meets damage when it has changed something else already shuts an XFS down, Linux's too."""
import os
import random
import re
import select
import subprocess
import sys
import tarfile
import tempfile
import time

from . import damage, disk, image, rootfs, setup
from .util import Fail, Progress, ROOT

OF_AGS = ["agf", "agi", "bnobt", "cntbt", "inobt", "finobt", "refcountbt"]
OF_FILES = ["inode", "bmapbtd", "bmapbta"]
TYPES = OF_AGS + OF_FILES
# What xfs_healer calls what differs.
CALLED = {"inode": "core", "bmapbtd": "datafork", "bmapbta": "attrfork"}
AT = "/run/heal"            # the guest's: in memory
WORK = "/var/heal-demo"
MOST_FILES = 3000           # whose sums are compared
PATIENCE = 15               # seconds for one repair
EVENT = re.compile(r"XFS \(\w+\): (found|repaired|not repaired|given up): (.*)")
# What the machine's first command is. Linux numbers disks as we do: that with the archive is the first.
START = r"""
mkdir -p /run; mount -t tmpfs tmpfs /run && mkdir %s && cd %s && tar -xf /dev/vda && exec ./busybox sh -c '
for n in $(./busybox --list); do [ -e $n ] || ./busybox ln -s busybox $n; done; PATH=%s; exec sh'
""" % (AT, AT, AT)


# --- the machine ---

class Guest:
    """A shell in the machine, that answers."""

    def __init__(self, argv, log):
        self.log = log
        self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.buf, self.n = b"", 0

    def do(self, script, timeout=120, ok=True):
        """What SCRIPT says, lines; with OK a status that is not 0 ends the demonstration."""
        self.n += 1
        mark = b"\n@@%d " % self.n
        self.proc.stdin.write(("{ %s\n} 2>&1 </dev/null; s=$?; echo; echo @@%d $s\n" % (script, self.n)).encode())
        self.proc.stdin.flush()
        end = time.monotonic() + timeout
        while not re.search(re.escape(mark) + rb"\d+\n", self.buf):
            if not select.select([self.proc.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise Fail("the machine did not answer in %d seconds: %s" % (timeout, script.splitlines()[0]), 1)
            data = os.read(self.proc.stdout.fileno(), 65536)
            if not data:
                raise Fail("the machine ended%s" % self.why(), 1)
            self.buf += data.replace(b"\r\n", b"\n")
        text, _, rest = self.buf.partition(mark)
        status, _, self.buf = rest.partition(b"\n")
        text = text.decode(errors="replace").strip("\n")
        if ok and status != b"0":
            raise Fail("in the machine, status %s: %s\n%s" % (status.decode(), script.strip().splitlines()[0], text), 1)
        self.status = int(status)
        return text.split("\n") if text else []

    def why(self):
        self.proc.wait()
        self.log.seek(0)
        words = self.log.read().decode(errors="replace").strip().splitlines()
        return ":\n" + "\n".join(words[-30:]) if words else ""

    def end(self):
        """Leaves the shell: the machine goes down in order."""
        self.proc.stdin.write(b"exit 0\n")
        self.proc.stdin.close()
        self.proc.stdout.read()
        return self.proc.wait()

    def kill(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()


def archive(path, tools, healer):
    """A disk that is a tar archive of what runs in the guest."""
    files = {"busybox": rootfs.busybox(tools, "x86_64")[0], **damage.for_guests(tools)}
    if healer == "xfs_healer":
        files.update(healer_files())
    with tarfile.open(path, "w") as t:
        for name, source in sorted(files.items()):
            t.add(os.path.realpath(source), name)
    os.truncate(path, (os.path.getsize(path) + (1 << 20)) & ~0xffff)


def healer_files():
    """xfs_healer of sid, as it is, with its loader and libraries."""
    top = setup.find_xfsprogs("sid") + "/usr/"
    folder = top + "lib/x86_64-linux-gnu"
    loader, program = folder + "/ld-linux-x86-64.so.2", top + "libexec/xfsprogs/xfs_healer"
    if not os.path.exists(program):
        raise Fail("the xfsprogs of sid here have no xfs_healer")
    files = {"lib/loader": loader, "xfs_healer": program}
    said = subprocess.run([loader, "--library-path", folder, "--list", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in said.splitlines():
        if "=>" in line and folder in line.split("=>")[1]:
            where = line.split("=>")[1].split()[0]
            files["lib/" + os.path.basename(where)] = where
    return files


# --- what is shown ---

class Screen:
    COLOURS = {"damaged": "33", "met": "36", "found": "36", "repaired": "32", "whole": "32", "sound": "32", "FAILED": "31"}

    def __init__(self):
        self.colours = sys.stdout.isatty()
        self.start = time.monotonic()

    def line(self, word, text, lead=""):
        padded = "%-9s" % word
        if self.colours and word in self.COLOURS:
            padded = "\x1b[%sm%s\x1b[m" % (self.COLOURS[word], padded)
        print("%6.1f  %5s  %s %s" % (time.monotonic() - self.start, lead, padded, text), flush=True)


# --- the rounds ---

class Demo:
    def __init__(self, args, guest, screen):
        self.args, self.guest, self.screen = args, guest, screen
        self.random = random.Random(args.seed)
        self.failed, self.repairs, self.spared, self.events, self.shown = [], 0, 0, 0, set()

    def prepare(self):
        g = self.guest
        g.do("set -- $(grep ' / xfs ' /proc/mounts); echo $1 > device; dmesg -n 1; true")
        self.device = g.do("cat device")[0]
        if self.args.healer == "kernel":
            said = g.do("guest remount heal", ok=False)
            if g.status:
                raise Fail("this kernel has no thread that repairs (-o heal; %s): --healer xfs_healer is there" % said[-1], 1)
        self.dirs = {}
        for row in g.do("guest prepare %s" % WORK):
            agno, path = row.split()
            self.dirs[int(agno)] = path
        self.ags = sorted(self.dirs)
        if len(self.ags) < 2:
            raise Fail("the disk has one AG alone that directories come to")
        g.do("{ find /usr/bin /usr/lib /etc -xdev -type f | grep -v '^/usr/lib/modules/' | sort | head -n %d; find %s/dir* -type f | grep -v /touched; } > files; "
             "tr '\\n' '\\0' < files | xargs -0 sha256sum > before" % (MOST_FILES, WORK))
        self.files = [f for f in g.do("cat files") if not f.startswith(WORK)]
        g.do("guest work %s > work.log 2>&1 & echo $! > work.pid" % self.dirs[self.ags[0]])
        if self.args.healer == "xfs_healer":
            g.do("lib/loader --library-path %s/lib ./xfs_healer --repair --foreground --everything / > healer.log 2>&1 & pid=$!; echo $pid > healer.pid; "
                 "n=0; until ls -l /proc/$pid/fd 2>/dev/null | grep -q xfs_healthmon; do sleep 0.1; n=$((n + 1)); [ $n -lt 100 ] || { cat healer.log; exit 1; }; done" % AT)
        self.seen()
        return len(self.files)

    def seen(self):
        """What the healer has said since the last time: [(word, text)]."""
        if self.args.healer == "kernel":
            said = self.guest.do("dmesg | grep -E 'XFS .*: (found|repaired|not repaired|given up): ' | tail -n +%d" % (self.events + 1), ok=False)
            self.events += len(said)
            return [(m[1], m[2]) for m in map(EVENT.search, said) if m]
        said = self.guest.do("grep -av -e 'No modification' healer.log | tail -n +%d" % (self.events + 1), ok=False)
        self.events += len(said)
        out = []
        for line in said:
            word = "repaired" if "Repairs successful" in line else "unsure" if "Seems correct" in line else "found" if line.endswith(": sick") else "not repaired" if re.search("epair unsuccessful|not repair|Repair failed|offline repair|unfixed", line, re.I) else None
            out += [(word, line)] if word else []
        return out

    def aim(self):
        """(type, path, the options of damage) of the next round."""
        kind = self.random.choice(self.args.types)
        agno = self.random.choice(self.ags[1:])
        options = "--type %s --curable --met" % kind
        if kind in OF_AGS:
            return kind, self.dirs[agno], options + " --ag %d" % agno
        path = self.random.choice(self.files) if kind == "inode" else self.dirs[agno] + {"bmapbtd": "/extents", "bmapbta": "/attrs"}[kind]
        return kind, path, options + " --inode $(stat -c %%i %s)" % quoted(path)

    def meet(self, kind, path):
        if kind in OF_AGS:
            return self.guest.do("guest meet %s %s" % (kind, quoted(path)), ok=False)
        reader = {"inode": "stat -c %%s %s", "bmapbtd": "cat %s > /dev/null", "bmapbta": "guest attrs %s"}[kind] % quoted(path)
        return [l for l in self.guest.do(reader, ok=False) if ": " in l]

    def alive(self):
        """An XFS that was shut down repairs nothing any more."""
        said = self.guest.do("dmesg | grep -i 'xfs.*shut'", ok=False)
        if said:
            raise Fail("the file system was shut down:\n%s" % "\n".join(self.guest.do("dmesg | grep -i xfs | tail -n 12", ok=False)), 1)

    def round(self, number):
        g, s = self.guest, self.screen
        kind, path, options = self.aim()
        lead, seed = "%d/%d" % (number, self.args.count), self.random.getrandbits(32)
        if kind == "inode" and self.args.spare_inodes:
            self.spared += 1
            s.line("left out", "the core of %s: Linux knows no generation of an inode that it cannot load, and xfs_healer repairs none without" % path, lead)
            return
        said = g.do("damage --live / --seed %d %s %s" % (seed, options, self.device))
        s.line("damaged", said[-1].split(", met by")[0], lead)
        self.alive()
        start, done, met, tries = time.monotonic(), False, False, 0
        self.shown, name = set(), kind if self.args.healer == "kernel" else CALLED.get(kind, kind)
        while not done and time.monotonic() - start < PATIENCE:
            words = self.meet(kind, path) if tries % 10 == 0 else []
            if words and not met:
                s.line("met", words[0])
                met = True
            tries += 1
            for word, text in self.seen():
                if (word, text) not in self.shown:
                    s.line(word, text)
                self.shown.add((word, text))
                done |= word == "repaired" and name in text.split() + text.replace(":", " ").split()
                if word in ("given up", "not repaired"):
                    start = min(start, time.monotonic() - PATIENCE + 5)
            if not done:
                g.do("sleep 0.1")
        self.alive()
        words = g.do("guest check %s %s" % (kind, quoted(path)), ok=False)
        whole = g.status == 0
        if done and whole:
            self.repairs += 1
            return
        self.failed.append(kind)
        s.line("FAILED", "%s of %s: %s" % (kind, path, "; ".join(words) if not whole else "scrub finds it whole, and nobody said that it was repaired"))

    def finish(self):
        """The sums again, from the disk; the workload's end."""
        g = self.guest
        g.do("kill $(cat work.pid); n=0; while kill -0 $(cat work.pid) 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done")
        work = g.do("cat work.log")
        g.do("sync; for i in 1 2 3 4; do echo 3 > /proc/sys/vm/drop_caches; done")
        g.do("tr '\\n' '\\0' < files | xargs -0 sha256sum > after 2>&1; true")
        changed = g.do("diff before after | grep '^[-+<>]'", ok=False)
        changed = [l for l in changed if not l.startswith(("---", "+++"))]
        for line in changed[:10]:
            self.screen.line("FAILED", "sum: " + line)
        if not changed:
            self.screen.line("sound", "%s files have the bytes they had; the workload: %s" % (g.do("wc -l < before")[0], work[-1] if work else "said nothing"))
        if self.args.healer == "xfs_healer":
            g.do("kill $(cat healer.pid); true")
        return not changed and bool(work) and work[-1].endswith(" 0 errors")


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def judge(overlay, folder, screen):
    """What xfs_repair -n finds on the disk."""
    flat = os.path.join(folder, "flat")
    subprocess.run([setup.find_qemu_img(), "convert", "-O", "raw", overlay, flat], check=True)
    r = subprocess.run([setup.find_xfsprogs("sid") + "/xfs_repair", "-n", "-f", flat], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    usual = (" ", "Phase", "No modify", "Cannot get host", "Repair may fail", "the image and")
    left = [line for line in r.stdout.splitlines() if line and not line.startswith(usual)]
    for line in left[:10]:
        screen.line("FAILED", "xfs_repair -n: " + line)
    if not left and not r.returncode:
        screen.line("sound", "xfs_repair -n finds nothing")
    return not left and not r.returncode


def types_of(text):
    found = text.split(",") if text else TYPES
    for t in found:
        if t not in TYPES:
            raise Fail("--type %s: the types are %s" % (t, ", ".join(TYPES)))
    return found


def whole(text, name, least, most):
    if not re.fullmatch(r"\d{1,10}", text) or not least <= int(text) <= most:
        raise Fail("%s takes a number from %d to %d: '%s' is none" % (name, least, most, text))
    return int(text)


def cmd_heal_demo(args):
    args.seed, args.count = whole(args.seed, "--seed", 0, 4294967295), whole(args.count, "--count", 1, 1000)
    args.spare_inodes = bool(args.kernel) and not args.type     # the other rounds are those of the same seed here
    args.types = types_of(args.type)
    args.healer = args.healer or ("xfs_healer" if args.kernel else "kernel")
    if args.kernel and args.healer == "kernel":
        raise Fail("--healer kernel: Linux has no such thread")
    if args.kernel:
        setup.check_linux("x86_64")
    tools = setup.ensure(["x86_64"])
    base = disk.base("", "x86_64", tools)
    screen = Screen()
    with tempfile.TemporaryDirectory(dir=disk.DISKS) as folder, open(folder + "/log", "w+b") as log:
        archive(folder + "/programs", tools, args.healer)
        argv = [ROOT + "/ochre", "run", "--rootfs", base, "--save", folder + "/overlay", "--disk", folder + "/programs", "--cpus", "2", "--memory", "1G", "--timeout", "3600", "--net", "none"]
        argv += ["--debug"] * args.debug + ["--kernel", "linux", "--append", "no_timer_check"] * bool(args.kernel)
        guest = Guest(argv + ["--", "/bin/sh", "-c", START], log)
        try:
            good = demonstrate(args, guest, screen, base)
            status = guest.end()
            if status:
                raise Fail("the machine ended with status %d%s" % (status, guest.why()), 1)
        finally:
            guest.kill()
        good &= judge(folder + "/overlay", folder, screen)
    return 0 if good else 1


def demonstrate(args, guest, screen, base):
    demo = Demo(args, guest, screen)
    with Progress("Booting a Debian from a disk"):
        guest.do("true", 600)
    screen.line("booted", "%s, root on XFS; seed %d, repairs by %s" % (" ".join(guest.do("uname -sr")), args.seed,
                                                                     "the kernel's thread" if args.healer == "kernel" else args.healer))
    n = demo.prepare()
    screen.line("working", "files are made, renamed and removed; the sums of %d others are kept" % n)
    for i in range(args.count):
        demo.round(i + 1)
    good = demo.finish()
    done = args.count - demo.spared
    screen.line("FAILED" if demo.failed else "sound", "%d of %d damages were repaired%s" % (demo.repairs, done, "; not: " + ", ".join(demo.failed) if demo.failed else ""))
    return good and not demo.failed
