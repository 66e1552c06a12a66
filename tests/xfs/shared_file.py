# SPDX-License-Identifier: MIT
"""Runs a program of tests/xfs that works on one file of a slow XFS from many sides. Then ./ochre image check and xfs_repair -n find nothing, the lock checker finds nothing in
XFS, and nothing is left in memory."""
import os
import re
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
from ochre import lockorder, plan, rootfs, sample, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import memtx  # noqa: E402

# Debian's release whose mkfs.xfs makes the file system, its options, the program's seed.
CASES = (("sid", (), 1), ("trixie", ("-b", "size=1024"), 2), ("bookworm", ("-m", "reflink=0"), 3))
# Requests are in flight for so long that others meet them.
SLOW = "-drive if=none,id=slow,format=raw,file=%s,throttling.iops-total=%d -device virtio-blk-pci,drive=slow"
OURS = """mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/lockdep/graph; cd /sys/kernel/debug; echo scan >kmemleak; echo scan >kmemleak; cat kmemleak; cd /
dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1; sync"""


def one(tools, d, name, binary, words, iops, case, kernel, also):
    suite, options, seed = case
    image = os.path.join(d, "image")
    images.make(image, images.Tree(), d, size="300m", options=options, suite=suite)
    extra, script = {"bin/" + name: (rootfs.read(binary), 0o755)}, OURS
    argv = ["run", "--debug"]
    if kernel == "linux":
        extra, script = {**extra, **linux.files(tools, d)}, "true"
        argv = ["run", "--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"]
    root = rootfs.busybox_root(tools, extra=extra)
    line = " ".join([name, "/dev/vda", "/m", "nouuid", str(seed), *words])
    script = (linux.LOAD if kernel == "linux" else "") + "mkdir -p /m; %s || { dmesg | tail -40; exit 1; }; %s" % (line, script)
    status, said = memtx.ochre(*argv, "--timeout", "280", "--cpus", "2", "--rootfs", root, "--qemu", SLOW % (image, iops), "--", "sh", "-c", script)
    check(status == 0 and name + ": ok" in said, "%s %s: status %d\n%s" % (suite, options, status, said[-6000:]))
    if kernel != "linux":
        bad = lockorder.check(lockorder.graph_of(said))[0]
        bad = [b for b in bad if re.search("|".join(("fs/xfs/", "extent/", "block/") + tuple(a[0] for a in also)), b) or b.startswith("the lock checker")]
        check(not bad, "\n".join(bad))
        names = "|".join(("_*xfs", "extent", "filemap", "direct") + tuple(a[1] for a in also))
        leaks = [leak for leak in said.split("unreferenced object")[1:] if re.search(r"\b(%s)_" % names, leak)]
        check(not leaks, "\n".join(leaks))
    memtx.judge(image)
    os.unlink(image)


def main(name, iops, words=(), also=()):
    """tests/xfs/NAME.c is called with `/dev/vda /m nouuid SEED` and WORDS, on a device of IOPS requests a second. ALSO: (path, prefix of functions) of more code, regular
    expressions, in which the lock checker and kmemleak may find nothing. The command's arguments: [linux] [SEED...]; without seeds, those of the sample."""
    tools = setup.load() or setup.ensure()
    kernel = "linux" if "linux" in sys.argv[1:] else "ochre"
    only = [int(a) for a in sys.argv[1:] if a.isdigit()] or [c[2] for c in sample.of_run().dealt("xfs_" + name, list(CASES), 1, plan.COMMAND_SLICES)]
    with tempfile.TemporaryDirectory() as d:
        binary = rootfs.build_user(tools, name, out=os.path.join(d, name), sources=[os.path.join(ROOT, "tests/xfs/%s.c" % name)])
        for case in CASES:
            if case[2] in only:
                one(tools, d, name, binary, words, iops, case, kernel, also)
    print("ok")
