#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: many logs, recovered by two kernels
"""Logs that Ochre left dirty, recovered by Linux: files, names and attributes are made, changed and removed on XFS with and without parent pointers, and the file
system is shut down in the middle of several tasks' operations. Linux mounts it, complains of nothing, and finds what Ochre finds after its own recovery of a
copy; xfs_repair finds nothing."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from expect import appended, check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import recovery  # noqa: E402

CASES = (("sid", ("-n", "parent=1")), ("trixie", ("-b", "size=1024")))
WORK = r"""
mkdir -p /m; mount -t proc proc /proc 2>/dev/null
for t in vda vdb; do
mount -t xfs /dev/$t /m || exit 1
cd /m; mkdir w; i=0; while [ $i -lt 60 ]; do echo $i > w/file$i; i=$((i+1)); done
i=0; while [ $i -lt 50 ]; do mv w/file$i w/renamed_to_something_longer_$i; rm w/renamed_to_something_longer_$((i-3)) 2>/dev/null; i=$((i+1)); done
sync; tr '\0' 'y' < /dev/zero | head -c 300000 > grown; dd if=/dev/null of=grown bs=1 seek=100001 conv=fsync 2>/dev/null
echo open > unlinked; exec 5<unlinked; rm unlinked
cd /; inflight make /m && inflight work /m 20 || exit 1; exec 5<&-; umount /m
done
echo the end
"""
LINUX = r"""
for t in vda vdb; do
mount -t xfs /dev/$t /m || exit 1
echo "disk $t"; cd /m
LIST
cd /; umount /m
done
echo "disk none"; dmesg | grep -i xfs | sed 's/^/kernel: /'; echo the end
"""
OURS = "mkdir -p /m" + LINUX
# What Linux says of a disk that was recovered: nothing else.
USUAL = r"SGI XFS with|Mounting V5 Filesystem|Starting recovery|Ending recovery|Unmounting Filesystem|Ending clean mount|EXPERIMENTAL|module"


def ours(root, disks, script):
    argv = [os.path.join(ROOT, "ochre"), "run", "--debug", *appended(), "--timeout", "300", "--cpus", "2", "--memory", "512M", "--rootfs", root]
    for d in disks:
        argv += ["--disk", d]
    r = subprocess.run(argv + ["--", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    check("the end" in r.stdout, r.stdout[-3000:])
    return r.stdout


def part(said, disk):
    lines = [l.rstrip("\r") for l in said.splitlines() if not l.startswith("[")]
    begin = lines.index("disk " + disk)
    return lines[begin + 1:next(i for i in range(begin + 1, len(lines)) if lines[i].startswith("disk "))]


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = linux.root(tools, d, ["inflight"])
        disks = [os.path.join(d, "disk%d" % i) for i in range(len(CASES))]
        for disk, (suite, options) in zip(disks, CASES):
            images.make(disk, images.Tree(), d, options=options, suite=suite)
        ours(root, disks, WORK)
        copies = [shutil.copy(p, p + ".copy") for p in disks]
        for p in disks:
            said = subprocess.run([os.path.join(ROOT, "ochre"), "image", "info", p], stdout=subprocess.PIPE, text=True).stdout
            check("dirty" in said, said)
        theirs = linux.run(root, disks, LINUX.replace("LIST", recovery.LIST), cpus=2)
        check("the end" in theirs, theirs[-3000:])
        log = re.findall(r"^kernel: (.*)", theirs, re.M)
        odd = [l for l in log if not re.search(USUAL, l)]
        check(sum("Ending recovery" in l for l in log) == len(disks) and not odd, (odd, log))
        found = ours(root, copies, OURS.replace("LIST", recovery.LIST))
        for disk, path in zip(("vda", "vdb"), disks):
            a, b = part(theirs, disk), part(found, disk)
            check(a == b and len(a) > 1000, (disk, len(a), len(b), [x for x in zip(a, b) if x[0] != x[1]][:3]))
            recovery.repair(path)
            recovery.repair(path + ".copy")
    print("ok")


main()
