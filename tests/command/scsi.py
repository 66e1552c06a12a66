#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SCSI disks behind a virtio SCSI host: two disks, one with blocks of 4 KiB, beside a virtio disk: names, numbers, /sys, what is written is read and
is in the image, partitions, flushes, discards; a disk that cannot be written; a disk whose size changes; a machine whose root is on such a disk.
usage: scsi.py [./ochre run options]"""
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import zlib

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import disk, rootfs, setup  # noqa: E402

OCHRE = os.path.join(ROOT, "ochre")
BLOCKS = 64 << 8        # of 4 KiB
PART = (256, 8191)      # of them
SCRIPT = r"""
set -e
cd /dev
stat -c '%n %t %T' vda sda sda1 sdb
for d in sda sdb; do (cd /sys/block/$d; cat size queue/logical_block_size queue/physical_block_size queue/write_cache queue/fua ro) | tr '\n' ' '; echo; done
(cd /sys/block/sda/device; cat vendor model type; for l in driver subsystem; do readlink $l | sed 's,.*/,,'; done; ls /sys/bus/scsi/devices | grep '^[0-9]')
head -1 sda1
dd if=/dev/urandom of=/tmp/r bs=1024 count=12000 2>/dev/null; md5sum </tmp/r
dd if=/tmp/r of=sda bs=1024 seek=40000 conv=fsync 2>/dev/null
dd if=/tmp/r of=sdb bs=64k 2>/dev/null & dd if=/tmp/r of=vda bs=64k 2>/dev/null & wait; sync
printf 'a few bytes' | dd of=sda1 bs=1 seek=5000 conv=notrunc,fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
for d in sda:40000 sdb:0 vda:0; do dd if=${d%:*} bs=1024 skip=${d#*:} count=12000 2>/dev/null | md5sum; done
dd if=sdb of=/dev/null bs=1M count=8 iflag=direct 2>&1 | head -1
blkdiscard -o 1048576 -l 2097152 sdb && dd if=sdb bs=1M skip=1 count=2 2>/dev/null | tr -d '\0' | wc -c
dd if=/dev/zero of=sdc bs=512 count=1 2>/dev/null || echo read-only
dd if=sdb of=/dev/null bs=512 skip=131072 count=1 2>&1 | head -1
dmesg | grep -c 'I/O error' || true
"""
# The host changes the size when it hears "size".
SIZE = "s=/sys/block/sda/size; old=$(cat $s); echo size; while [ $(cat $s) = $old ]; do :; done; echo $(cat $s) $(blockdev --getsize64 /dev/sda)"


def gpt(f):
    """A table with one partition, of a disk with blocks of 4 KiB."""
    entries = (bytes.fromhex("af3dc60f838472478e793d69d8477de4") + b"\1" * 16 + struct.pack("<QQQ", *PART, 0)).ljust(128 * 128, b"\0")

    def header(mine, other, table):
        h = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, mine, other, 6, BLOCKS - 6, b"\2" * 16, table, 128, 128, zlib.crc32(entries))
        return h[:16] + struct.pack("<I", zlib.crc32(h)) + h[20:]
    mbr = b"\0" * 446 + struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0xee, 255, 255, 255, 1, BLOCKS - 1) + b"\0" * 48 + b"\x55\xaa"
    for at, data in ((0, mbr), (1, header(1, BLOCKS - 1, 2)), (2, entries), (BLOCKS - 5, entries), (BLOCKS - 1, header(BLOCKS - 1, 1, BLOCKS - 5)),
                     (PART[0], b"of the partition\n")):
        f.seek(at * 4096)
        f.write(data)


def run(argv, **kw):
    r = subprocess.run([OCHRE, "run", "--timeout", "300", *sys.argv[1:], *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
    check(r.returncode == 0, "%s: status %d\n%s%s" % (argv[:4], r.returncode, r.stdout, r.stderr[-3000:]))
    return r.stdout.splitlines()


def disks(d, title, options, host):
    paths = [os.path.join(d, n) for n in ("v", "a", "b", "c")]
    for p in paths:
        with open(p, "wb") as f:
            f.truncate(BLOCKS << 12)
            if p == paths[1]:
                gpt(f)
    drives = "-device %s,id=h" % host
    for i, (p, more, at) in enumerate(zip(paths[1:], ("logical_block_size=4096,physical_block_size=4096,dpofua=on", "physical_block_size=4096", "share-rw=on"), ("scsi-id=0,lun=0", "scsi-id=9,lun=4", "scsi-id=200,lun=300"))):
        drives += " -drive if=none,id=x%d,format=raw,discard=unmap,file=%s%s -device scsi-hd,bus=h.0,drive=x%d,%s,%s" % (i, p, ",readonly=on" if i == 2 else "", i, at, more)
    out = run([*options, "--disk", paths[0], "--qemu", drives, "--", "sh", "-c", SCRIPT])
    sectors = BLOCKS << 3
    check(out[:4] == ["vda fe 0", "sda 8 0", "sda1 8 1", "sdb 8 10"], "%s: names and numbers: %s" % (title, out))
    check(out[4:6] == ["%d 4096 4096 write back 1 0 " % sectors, "%d 512 4096 write back 0 0 " % sectors], "%s: what they are like: %s" % (title, out))
    check(out[6:14] == ["QEMU    ", "QEMU HARDDISK   ", "0", "sd", "scsi", "0:0:0:0", "0:0:200:300", "0:0:9:4"], "%s: /sys: %s" % (title, out))
    check(out[14] == "of the partition", "%s: the partition: %s" % (title, out))
    check(out[15:19] == [out[15]] * 4, "%s: what was written is read: %s" % (title, out))
    check(out[19:] == ["8+0 records in", "0", "read-only", "0+0 records in", "0"], "%s: the rest: %s" % (title, out))
    with open(paths[1], "rb") as f:
        f.seek(40000 << 10)
        check(hashlib.md5(f.read(12000 << 10)).hexdigest() == out[15][:32], "%s: it is in the image" % title)
        f.seek((PART[0] << 12) + 5000)
        check(f.read(11) == b"a few bytes", "%s: a few bytes are in the image" % title)


def resize(path, size):
    """QEMU's monitor is at a socket: it greets, and answers each line."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        with s.makefile("rw") as f:
            f.readline()
            for command in ({"execute": "qmp_capabilities"}, {"execute": "block_resize", "arguments": {"device": "changing", "size": size}}):
                f.write(json.dumps(command) + "\n")
                f.flush()
                while "event" in (answer := json.loads(f.readline())):
                    pass
                check("return" in answer, str(answer))


def size(d):
    image, path = os.path.join(d, "size"), os.path.join(d, "qmp")
    with open(image, "wb") as f:
        f.truncate(64 << 20)
    argv = [OCHRE, "run", "--timeout", "280", "--net", "none", "--qemu", "-qmp unix:%s,server=on,wait=off -device virtio-scsi-pci,id=h -drive file=%s,format=raw,if=none,id=changing "
            "-device scsi-hd,bus=h.0,drive=changing" % (path, image), "--", "sh", "-c", SIZE]
    out = []
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        for line in p.stdout:
            out.append(line.strip())
            if out[-1] == "size":
                resize(path, 160 << 20)
        err = p.stderr.read()
    check(out == ["size", "%d %d" % (160 << 11, 160 << 20)], "%s\n%s" % (out, err[-3000:]))


def root(d):
    image = os.path.join(d, "image")
    disk.make(rootfs.busybox_root(setup.load() or setup.ensure()), image, size=512 << 20)
    os.chmod(image, 0o644)
    for bus, name in disk.BUSES.items():
        options = ["--disk-bus", bus, "--cpus", "2", "--rootfs", image, "--"]
        out = run([*options, "sh", "-c", "mount | head -1 | cut -d' ' -f1-5; head -c 3000000 /dev/urandom >/%s; md5sum /%s >/sum-%s" % (bus, bus, bus)])
        check(out == ["/dev/%sa on / type xfs" % name], out)
        out = run([*options, "sh", "-c", "md5sum -c /sum-* | grep -c OK"])
        check(out == ["1" if bus == "virtio" else "2"], out)


def main():
    with tempfile.TemporaryDirectory() as d:
        disks(d, "q35, PCI", ["--cpus", "2"], "virtio-scsi-pci")
        disks(d, "packed ring, one queue", [], "virtio-scsi-pci,packed=on,num_queues=1")
        disks(d, "no indirect descriptors, short queue", ["--machine", "pc"], "virtio-scsi-pci,indirect_desc=off,event_idx=off,virtqueue_size=64")
        disks(d, "microvm, memory-mapped", ["--machine", "microvm"], "virtio-scsi-device")
        size(d)
        root(d)
    print("ok")


main()
