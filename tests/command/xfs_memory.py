#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An XFS and little memory. What is written to a slow disk waits for it: nobody is killed, and a shell beside it answers. A walk over more inodes than fit into memory: they and their
blocks are given back, nobody is killed. Debian's shell runs from its disk in 32 MiB. usage: xfs_memory.py [large]: the sizes of docs/suites.md, which take long."""
import os
import re
import subprocess
import sys
import tempfile
import time

from expect import appended, check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import disk, rootfs, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

LARGE = sys.argv[1:] == ["large"]
# The shell beside it answers while the disk is busy, and has memory of its own.
SLOW = r"""
mkdir -p /m; mount -t xfs /dev/vda /m || exit 1
(x=$(dd if=/dev/zero bs=1M count=6 2>/dev/null | tr '\0' y); while [ ! -e /tmp/stop ]; do sleep 1; done; echo bystander ${#x}) & by=$!
(dd if=/dev/zero bs=64k count=%d 2>/dev/null | tr '\0' z >/m/file; echo written; sync /m/file; echo synced; : >/tmp/written) & w=$!
n=0; while [ ! -e /tmp/written ]; do ls /proc /m >/dev/null; n=$((n + 1)); sleep 1; done; [ $n -gt 3 ] && echo answers
wait $w; wc -c </m/file; umount /m && echo unmounted; touch /tmp/stop; wait $by; echo answered $n times; dmesg | grep -c 'Out of memory'
"""
WALK = r"""
mkdir -p /m; mount -t xfs /dev/vda /m || exit 1
for i in 1 2; do find /m -type f -size -1 | wc -l; done
grep -E '^(MemTotal|MemFree|SReclaimable|KReclaimable|Slab)' /proc/meminfo; awk '/^xfs_(inode|lino)/ { print "cache", $1, $2 }' /proc/slabinfo; awk '/^(pgscan_direct|pgsteal|slabs_scanned|oom_kill) / { print "vm", $0 }' /proc/vmstat
umount /m && echo unmounted; dmesg | grep -c 'Out of memory'
"""


def guest(root, memory, drive, script):
    begin = time.monotonic()
    r = subprocess.run([ROOT + "/ochre", "run", "--memory", memory, "--cpus", "2", "--net", "none", "--timeout", "900" if LARGE else "280", *appended(), "--rootfs", root, *drive, "--", "sh", "-c", script],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    print("  %.0f s" % (time.monotonic() - begin))
    return r.returncode, r.stdout.splitlines(), r.stderr[-3000:]


def slow(root, d):
    megabytes, rate = (256, 1 << 20) if LARGE else (24, 2 << 20)
    image = os.path.join(d, "slow")
    images.make(image, images.Tree(), d, size="400m")
    drive = ("--qemu", "-drive file=%s,format=raw,if=none,id=slow,throttling.bps-write=%d -device virtio-blk-pci,drive=slow" % (image, rate))
    status, out, err = guest(root, "64M" if LARGE else "48M", drive, SLOW % (megabytes * 16))
    print("  %d MiB at %d KiB/s: %s" % (megabytes, rate >> 10, " ".join(out)))
    want = ["written", "synced", "answers", str(megabytes << 20), "unmounted", "bystander 6291456"]
    check(out[:6] == want and out[7:] == ["0"], "%d %s\n%s" % (status, out, err))
    memtx.judge(image, ("sid",))
    os.unlink(image)


def walk(root, d):
    dirs, files, memory = (300, 1000, "128M") if LARGE else (60, 500, "48M")
    image, t = os.path.join(d, "walk"), images.Tree()
    for i in range(dirs):
        t.dir("d%d" % i)
    source = images.proto(t, d)
    with open(source) as f:
        lines = f.read().splitlines()
    empty = os.path.join(d, "empty")
    open(empty, "w").close()
    with open(source, "w") as f:
        for line in lines:
            f.write(line + "\n")
            if re.match(r"d\d", line):
                f.writelines("file%d ---644 0 0 %s\n" % (k, empty) for k in range(files))
    images.run([setup.find_xfsprogs("trixie") + "/mkfs.xfs", "-q", "-f", "-p", source, "-d", "file=1,name=%s,size=1g" % image])
    status, out, err = guest(root, memory, ("--disk", image), WALK)
    print("  %d files in %s: %s" % (dirs * files, memory, " ".join(out)))
    check(out[:2] == [str(dirs * files)] * 2 and out[-2:] == ["unmounted", "0"], "%d %s\n%s" % (status, out, err))
    kept = sum(int(line.split()[2]) for line in out if line.startswith("cache xfs_inode"))
    check(0 < kept < dirs * files, "none of the inodes was given back: %s" % out)
    os.unlink(image)


def shell():
    try:
        base = disk.base(",".join(rootfs.read(ROOT + "/tests/debian/packages").decode().split()), "x86_64", setup.load() or setup.ensure())
    except Fail as e:
        print("there is no Debian to put on a disk: %s" % str(e).splitlines()[0])
        return
    script = "mount | sed -n '1s/ (.*//p'; ls / | wc -l; date >/root/now; sync; grep MemTotal /proc/meminfo; dmesg | grep -c 'Out of memory'; echo small is enough"
    r = subprocess.run([ROOT + "/ochre", "run", "--memory", "32M", "--net", "none", "--timeout", "280", *appended(), "--rootfs", base, "--snapshot", "--", "bash", "-c", script], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    out = r.stdout.splitlines()
    print("  Debian's shell: %s" % " | ".join(out))
    check(r.returncode == 0 and out[:1] == ["/dev/vda on / type xfs"] and out[-2:] == ["0", "small is enough"], "%d %s\n%s" % (r.returncode, out, r.stderr[-3000:]))


def main():
    root = rootfs.busybox_root(setup.load() or setup.ensure())
    with tempfile.TemporaryDirectory() as d:
        slow(root, d)
        walk(root, d)
        shell()
    print("ok")


main()
