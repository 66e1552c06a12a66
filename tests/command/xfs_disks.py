#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disks below an XFS: one that does not answer for a while, beside which a shell goes on, and which loses nothing; an XFS in a file of an XFS in a file of an XFS, in little memory;
one that becomes smaller: errors, a shutdown, an unmount that ends; a disk that the host makes larger and smaller while it is mounted. usage: xfs_disks.py [SECONDS]: how long it does not answer."""
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
# The host makes the disk deaf when it hears "ready", and lets it answer when it hears "a while".
DEAF = r"""
mkdir -p /m; mount -t xfs /dev/vda /m; echo one >/m/one; sync; echo ready; read x
(dd if=/dev/zero bs=64k count=40 2>/dev/null | tr '\0' z >/m/two; sync /m/two; mkdir /m/three; sync; echo "synced at $(cut -d. -f1 /proc/uptime)" >/tmp/synced) & w=$!
n=0; while [ $n -lt %d ]; do ls /m >/dev/null; echo $n >/tmp/n; n=$((n + 1)); sleep 1; done; [ -e /tmp/synced ] && echo too early; cat /m/one
echo a while; wait $w; [ -s /tmp/synced ] && echo synced; umount /m; mount -t xfs /dev/vda /m; wc -c </m/two; ls /m | wc -l; umount /m; dmesg | grep -c 'shut down'
"""
NESTED = r"""
mkdir -p /a /b /c; mount -t xfs /dev/vda /a; cat /dev/vdb >/a/outer; losetup -f /a/outer; mount -t xfs -o nouuid /dev/loop0 /b
cat /dev/vdc >/b/inner; losetup -f /b/inner; mount -t xfs -o nouuid /dev/loop1 /c || exit 1
i=0; while [ $i -lt 20 ]; do dd if=/dev/urandom of=/c/f$i bs=64k count=$((i + 1)) 2>/dev/null; mkdir /c/d$i; i=$((i + 1)); done; dd if=/dev/zero of=/c/full bs=64k 2>&1 | grep -o 'No space.*'; rm /c/full
sync /c/f19; md5sum /c/f* >/tmp/sums; umount /c; losetup -d /dev/loop1; umount /b; losetup -d /dev/loop0; umount /a
mount -t xfs /dev/vda /a; losetup -f /a/outer; mount -t xfs -o nouuid /dev/loop0 /b; losetup -f /b/inner; mount -t xfs -o nouuid /dev/loop1 /c
md5sum -c /tmp/sums | grep -c OK; umount /c; losetup -d /dev/loop1; cat /b/inner >/dev/vdc; umount /b; losetup -d /dev/loop0; cat /a/outer >/dev/vdb
echo whole; dmesg | grep -cE 'shut down|Out of memory'
losetup -f /a/outer; mount -t xfs -o nouuid /dev/loop0 /b; truncate -s 70000000 /a/outer; losetup -c /dev/loop0
i=0; while [ $i -lt 30 ]; do mkdir /b/s$i; dd if=/dev/zero of=/b/s$i/f bs=64k count=8 2>/dev/null; i=$((i + 1)); done 2>/dev/null; sync /b/s* 2>/dev/null || echo an error; umount /b && echo unmounted; losetup -d /dev/loop0
rm /a/outer; umount /a && echo ended
"""


# The host changes the size after each "size", and the guest waits until it is another one.
SIZES = r"""
mkdir -p /m; mount -t xfs /dev/vda /m; s=/sys/block/vda/size; echo one >/m/one
new() { old=$(cat $s); echo size; while [ $(cat $s) = $old ]; do :; done; echo $(cat $s) $(blockdev --getsize64 /dev/vda); }
new; dd if=/dev/zero bs=1M count=96 2>/dev/null | tr '\0' y | dd of=/dev/vda bs=1M seek=64 conv=notrunc 2>/dev/null; sync; dd if=/dev/vda bs=1M skip=159 2>/dev/null | md5sum
new; dd if=/dev/vda bs=1M skip=70 count=20 2>/dev/null | wc -c; echo two >/m/two; sync; cat /m/one /m/two; umount /m; mount -t xfs /dev/vda /m; cat /m/two; umount /m
dmesg | grep -o 'vda: .* now, .*'
"""


class Monitor:
    """QEMU's, at a socket."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)
        self.f = self.s.makefile("rw")
        self.f.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.f.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.f.flush()
        while True:
            answer = json.loads(self.f.readline())
            if "event" not in answer:
                check("return" in answer, str(answer))
                return

    def rate(self, n):
        """Bytes a second; 0: any."""
        self.ask("block_set_io_throttle", device="slow", bps=n, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)


def deaf(root, d):
    image, path = os.path.join(d, "deaf"), os.path.join(d, "qmp")
    images.make(image, images.Tree(), d, size="64m")
    argv = [ROOT + "/ochre", "run", "--cpus", "2", "--timeout", "280", "--net", "none", "--rootfs", root, "--qemu",
            "-qmp unix:%s,server=on,wait=off -drive file=%s,format=raw,if=none,id=slow,throttling.bps-total=1000000000 -device virtio-blk-pci,drive=slow" % (path, image), "--", "sh", "-c",
            DEAF % SECONDS]
    out = []
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        for line in p.stdout:
            out.append(line.strip())
            if out[-1] == "ready":
                m = Monitor(path)
                m.rate(1)
                p.stdin.write("deaf\n")
                p.stdin.flush()
            elif out[-1] == "a while":
                m.rate(0)
        err = p.stderr.read()
    check(out == ["ready", "one", "a while", "synced", str(40 << 16), "3", "0"], "%s\n%s" % (out, err[-3000:]))
    memtx.judge(image, ("sid",))
    print("a disk that did not answer for %d s: all is there" % SECONDS)


def sizes(root, d):
    image, path = os.path.join(d, "sizes"), os.path.join(d, "qmp2")
    images.make(image, images.Tree(), d, size="64m")
    argv = [ROOT + "/ochre", "run", "--cpus", "2", "--timeout", "280", "--net", "none", "--rootfs", root, "--qemu",
            "-qmp unix:%s,server=on,wait=off -drive file=%s,format=raw,if=none,id=changing -device virtio-blk-pci,drive=changing" % (path, image), "--", "sh", "-c", SIZES]
    out, steps = [], [160, 80]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        m = None
        for line in p.stdout:
            out.append(line.strip())
            if out[-1] == "size":
                m = m or Monitor(path)
                m.ask("block_resize", device="changing", size=steps.pop(0) << 20)
        err = p.stderr.read()
    check(out == ["size", "%d %d" % (160 << 11, 160 << 20), hashlib.md5(b"y" * (1 << 20)).hexdigest() + "  -", "size", "%d %d" % (80 << 11, 80 << 20), str(10 << 20),
                  "one", "two", "two", "vda: %d sectors of 512 bytes now, %d before" % (160 << 11, 64 << 11), "vda: %d sectors of 512 bytes now, %d before" % (80 << 11, 160 << 11)],
          "%s\n%s" % (out, err[-3000:]))
    memtx.judge(image, ("sid",))
    print("a disk that becomes larger and smaller: its size is known at once")


def nested(root, d):
    disks = [os.path.join(d, "nested%d" % i) for i in range(3)]
    for path, size in zip(disks, ("400m", "160m", "64m")):
        images.make(path, images.Tree(), d, size=size)
    argv = [a for path in disks for a in ("--disk", path)]
    status, said = memtx.ochre("run", "--cpus", "2", "--memory", "96M", "--timeout", "280", "--net", "none", "--rootfs", root, *argv, "--", "sh", "-c", NESTED)
    check(status == 0 and [line for line in said.splitlines() if line in ("No space left on device", "20", "whole", "0", "an error", "unmounted", "ended")] ==
          ["No space left on device", "20", "whole", "0", "an error", "unmounted", "ended"], "status %d\n%s" % (status, said[-5000:]))
    for path in disks:
        memtx.judge(path, ("sid",))
    print("an XFS in a file of an XFS in a file of an XFS: all is there; one whose disk became smaller is unmounted")


def main():
    root = rootfs.busybox_root(setup.load() or setup.ensure())
    with tempfile.TemporaryDirectory() as d:
        sizes(root, d)
        deaf(root, d)
        nested(root, d)
    print("ok")


main()
