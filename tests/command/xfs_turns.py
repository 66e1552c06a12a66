#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ochre and Linux write one image in turns: xfs_turns.py [--arch CPU] [ROUNDS [SEED [KERNEL MODULES SUITE]]]; CPU: where both run; KERNEL, with its folder
of modules: another Linux than Debian's newest; SUITE: whose mkfs.xfs makes the image. Each turn lists names, kinds, owners, sizes, times, links, attributes and sums of what it finds
(tests/xfs/tell.c), changes it at random (tests/xfs/mess.c) and lists it again. In every second round the machine loses its power while it writes: the other kernel recovers the log, and finds what the writer finds in a copy of the image, and at least
what was synced. xfs_repair -n finds nothing after each turn that ends well, and after each recovery."""
import os
import shutil
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import recovery  # noqa: E402

KERNELS = {"ochre": [], "linux": ["--kernel", "linux", "--memory", "1G"]}
MOUNT = "mkdir -p /m; mount -t proc proc /proc 2>/dev/null; mount -t xfs /dev/vda /m || exit 1; cd /m\n"
LIST = "echo '== list'; echo $(cat last 2>/dev/null || echo 0); tell . || exit 1; echo '== end'\n"
END = "cd /; umount /m && echo '== unmounted'\n"
CLEAN = "rm -f last; mess /m/d SEED0 300 > /dev/null; mess /m/d SEED1 300 > /dev/null\n" + LIST + END
# Says what is on the disk for certain; the power goes while the next changes are made.
CUT = "s=SEED0; n=0; while [ $n -lt 500 ]; do n=$((n+1)); mess /m/d $((s+n)) 100 > /dev/null; echo $n > last; sync; echo == synced $n; done\n"


def start(kernel, root, image, script):
    load = linux.LOAD if kernel == "linux" else ""
    return subprocess.Popen([os.path.join(ROOT, "ochre"), "run", "--timeout", "600", "--cpus", "2", *KERNELS[kernel], "--rootfs", root, "--disk", image, "--", "sh", "-c", load + script],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def lists(said):
    """The lists in what a machine said."""
    out, now = [], None
    for line in (l.rstrip("\r") for l in said.splitlines()):
        if line == "== list":
            now = []
        elif line == "== end" and now is not None:
            out.append(now)
            now = None
        elif now is not None and not line.startswith("["):
            now.append(line)
    return out


def whole(kernel, root, image, script, n):
    """Runs SCRIPT to its end: its N lists."""
    with start(kernel, root, image, script) as p:
        said = p.stdout.read()
    check("== unmounted" in said and len(lists(said)) == n, "%s: %s" % (kernel, said[-3000:]))
    recovery.repair(image)
    return lists(said)


def cut(kernel, root, image, seed, rounds):
    """A turn that ends without power, after it synced that often: (the list that it began with, the last number synced)."""
    with start(kernel, root, image, MOUNT + LIST + CUT.replace("SEED", str(seed))) as p:
        said, last = "", 0
        for line in p.stdout:
            said += line
            if line.startswith("== synced"):
                last = int(line.split()[2])
            if last == rounds:
                break
        p.kill()
        p.stdout.read()
    check(last == rounds and len(lists(said)) == 1, "%s: %s" % (kernel, said[-3000:]))
    return lists(said)[0], last


def differ(a, b):
    return sorted(set(a) ^ set(b))[:6] or "another order"


def turns(roots, image, rounds, seed):
    """Lines that were compared, logs that the other recovered dirty."""
    want, synced, compared, dirty = None, 0, 0, 0
    for i in range(2 * rounds):
        kernel, other = ("ochre", "linux")[::1 if i % 2 == 0 else -1]
        without_power = i // 2 % 2 == 1
        copy = shutil.copy(image, image + ".copy") if synced else None
        if without_power:
            found, now = cut(kernel, roots[kernel], image, seed + 1000 * i, 1 + (seed + i) % 4)
        else:
            found, after = whole(kernel, roots[kernel], image, MOUNT + LIST + CLEAN.replace("SEED", str(seed + 1000 * i)), 2)
            now = 0
        if copy:
            said = subprocess.run([os.path.join(ROOT, "ochre"), "image", "info", copy], stdout=subprocess.PIPE, text=True).stdout
            dirty += "dirty" in said
            want, = whole(other, roots[other], copy, MOUNT + LIST + END, 1)
            check(int(found[0]) >= synced, "turn %d: %s synced %d, %s finds %s" % (i, other, synced, kernel, found[0]))
        check(want is None or found == want, "turn %d: %s finds other than %s left: %s" % (i, kernel, other, want and differ(found, want)))
        compared += len(found) * (want is not None)
        want, synced = None if without_power else after, now
        print("turn %d, of %s: %d lines compared, %d dirty logs recovered by the other" % (i, kernel, compared, dirty), flush=True)
    if synced:      # the last turn had no power
        a, = whole("ochre", roots["ochre"], shutil.copy(image, image + ".copy"), MOUNT + LIST + END, 1)
        b, = whole("linux", roots["linux"], image, MOUNT + LIST + END, 1)
        check(a == b, "at the end: %s" % differ(a, b))
        compared += len(a)
        dirty += 1
    return compared, dirty


def main():
    arch = "x86_64"
    if sys.argv[1:2] == ["--arch"]:
        arch = sys.argv[2]
        del sys.argv[1:3]
    # The timer of a machine that waits for its host need not work when Linux looks at it; loongarch64's Linux finds no disk without UEFI.
    KERNELS["linux"] += {"x86_64": ["--append", "no_timer_check"], "loongarch64": ["--firmware", "uefi"]}.get(arch, [])
    for options in KERNELS.values():
        options += ["--arch", arch]
    tools = setup.ensure((arch,))
    rounds = int(sys.argv[1]) if sys.argv[1:] else 2
    seed = int(sys.argv[2]) if sys.argv[2:] else 1
    suite = "sid"
    if sys.argv[3:]:
        KERNELS["linux"][1], folder, suite = sys.argv[3:]
        setup.linux_modules = lambda arch: folder
    with tempfile.TemporaryDirectory() as d:
        roots = {"ochre": rootfs.busybox_root(tools, linux.programs(tools, d, ["mess", "tell"], arch), arch), "linux": linux.root(tools, d, ["mess", "tell"], arch)}
        image = os.path.join(d, "image")
        tree = images.Tree(seed)
        tree.dir("d")
        for i in range(8):
            tree.dir("d/dir%d" % i)
            for j in range(12):
                tree.file("d/dir%d/file%d" % (i, j), tree.bytes(100 + 3000 * j))
        images.make(image, tree, d, size="320m", suite=suite)
        compared, dirty = turns(roots, image, rounds, seed)
    print("%d rounds, %d lines compared, %d dirty logs recovered by the other\nok" % (rounds, compared, dirty))


main()
