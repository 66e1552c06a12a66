#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disks: what the guest reads is what the host wrote, what it writes and syncs is in the image, and partitions are where the table
says. Virtio by PCI with split and packed rings and several queues, and by memory-mapped transport; entropy and console too.
usage: disks.py [./ochre run options]"""
import os
import struct
import subprocess
import sys
import tempfile
import threading
import uuid
import zlib

from expect import check

OCHRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../ochre")
SECTORS = 64 * 2048     # 64 MiB
PARTS = [(2048, 20479), (20480, 65535), (65536, 100000)]


def gpt(f):
    """A GUID partition table, as UEFI 2.10 section 5.3 wants it: protective MBR, header and entries, both copies."""
    entries = b""
    for first, last in PARTS:
        entries += uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le + uuid.uuid4().bytes_le + struct.pack("<QQQ", first, last, 0) + b"\0" * 72
    entries = entries.ljust(128 * 128, b"\0")
    crc = zlib.crc32(entries)
    disk = uuid.uuid4().bytes_le

    def header(mine, other, table):
        h = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, mine, other, 34, SECTORS - 34, disk, table, 128, 128, crc)
        return h[:16] + struct.pack("<I", zlib.crc32(h)) + h[20:]
    mbr = b"\0" * 446 + struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0xee, 255, 255, 255, 1, SECTORS - 1) + b"\0" * 48 + b"\x55\xaa"
    for at, data in ((0, mbr), (1, header(1, SECTORS - 1, 2)), (2, entries), (SECTORS - 33, entries), (SECTORS - 1, header(SECTORS - 1, 1, SECTORS - 33))):
        f.seek(at * 512)
        f.write(data)


def make(path):
    with open(path, "wb") as f:
        f.truncate(SECTORS * 512)
        gpt(f)
        for n, (first, _) in enumerate(PARTS):
            f.seek(first * 512)
            f.write(b"partition %d on the disk\n" % (n + 1))
        f.seek(80000 * 512)
        f.write(PATTERN)


PATTERN = bytes((i * 7 + (i >> 8)) & 255 for i in range(1 << 20))
SCRIPT = r"""
set -e
cd /dev
[ "$(cat /sys/block/vda/size)" = 131072 ] && echo size
at=$(readlink -f /sys/block/vda) # it stands below the device that it is a part of, and all ways lead there
[ "$(readlink -f /sys/block/vda/device)" = "${at%/block/vda}" ]
[ "$(readlink -f /sys/block/vda/device/driver)" = /sys/bus/virtio/drivers/virtio_blk ]
[ "$(readlink -f /sys/class/block/vda2)" = "$at/vda2" ]
[ "$(readlink -f /sys/dev/block/$(cat $at/vda2/dev))" = "$at/vda2" ]
grep -q '^PARTN=2$' $at/vda2/uevent
[ "$(cat $at/vda2/partition)" = 2 ]
for n in 1 2 3; do head -1 vda$n; done
grep -c 'vda[123]$' /proc/partitions
dd if=vda bs=512 skip=80000 count=2048 2>/dev/null | md5sum | cut -d' ' -f1
dd if=/dev/urandom of=/tmp/r bs=1024 count=3000 2>/dev/null
dd if=/tmp/r of=vda2 bs=1024 seek=5000 conv=fsync 2>/dev/null
printf 'written by the guest' | dd of=vda3 bs=1 seek=777 conv=notrunc,fsync 2>/dev/null
sync
md5sum < /tmp/r | cut -d' ' -f1
dd if=vda2 bs=1024 skip=5000 count=3000 2>/dev/null | md5sum | cut -d' ' -f1
dd if=vda2 of=/dev/null bs=512 skip=45056 count=1 2>&1 | head -1
! dd if=/dev/zero of=vda1 bs=512 seek=18432 count=1 2>/dev/null && echo "no room behind the end"
"""


def session(title, options):
    import hashlib
    with tempfile.TemporaryDirectory() as d:
        image = d + "/disk.img"
        make(image)
        r = subprocess.run([OCHRE, "run", "--timeout", "300"] + sys.argv[1:] + [o.replace("IMAGE", image) for o in options] + ["--", "sh", "-c", SCRIPT],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        out = r.stdout.splitlines()
        check(r.returncode == 0, "%s: status %d\n%s%s" % (title, r.returncode, r.stdout, r.stderr[-3000:]))
        check(out[:5] == ["size"] + ["partition %d on the disk" % n for n in (1, 2, 3)] + ["3"], "%s: partitions: %s" % (title, out[:5]))
        check(out[5] == hashlib.md5(PATTERN).hexdigest(), "%s: what the host wrote is read" % title)
        check(out[6] == out[7], "%s: what was written is read" % title)
        check("0+0" in out[8] and out[9] == "no room behind the end", "%s: a partition's end: %s" % (title, out[8:]))
        with open(image, "rb") as f:
            f.seek(PARTS[1][0] * 512 + 5000 * 1024)
            check(hashlib.md5(f.read(3000 * 1024)).hexdigest() == out[6], "%s: it is in the image" % title)
            f.seek(PARTS[2][0] * 512 + 777)
            check(f.read(20) == b"written by the guest", "%s: a few bytes are in the image" % title)
            f.seek(80000 * 512)
            check(f.read(len(PATTERN)) == PATTERN, "%s: nothing else was touched" % title)


DEVICE = "-drive if=none,id=x,format=raw,file=IMAGE -device "
session("q35, PCI", ["--disk", "IMAGE"])
session("pc, 4 CPUs", ["--machine", "pc", "--cpus", "4", "--disk", "IMAGE"])
session("packed ring, 4 queues", ["--cpus", "4", "--qemu", DEVICE + "virtio-blk-pci,drive=x,packed=on,num-queues=4,queue-size=64"])
session("microvm, memory-mapped", ["--machine", "microvm", "--disk", "IMAGE"])
session("small ring, no indirect descriptors", ["--qemu", DEVICE + "virtio-blk-pci,drive=x,queue-size=64,indirect_desc=off,event_idx=off"])



def console(title, options, device):
    """hvc0 as /dev/console and for the kernel's messages; both ways; the entropy source answers."""
    with tempfile.TemporaryDirectory() as d:
        for end in (".in", ".out"):
            os.mkfifo(d + "/vc" + end)
        said = []

        def host():
            with open(d + "/vc.out", "rb") as out, open(d + "/vc.in", "wb", buffering=0) as to:
                for line in out:
                    said.append(line.decode("utf-8", "replace"))
                    if "speak" in said[-1]:
                        to.write(b"from the host\n")
        t = threading.Thread(target=host, daemon=True)
        t.start()
        r = subprocess.run([OCHRE, "run", "--timeout", "300"] + sys.argv[1:] + options +
                           ["--append", "console=hvc0 loglevel=7", "--qemu", "-device virtio-rng-%s -device virtio-serial-%s,max_ports=2 -chardev pipe,id=vc,path=%s/vc "
                            "-device virtconsole,chardev=vc" % (device, device, d), "--", "sh", "-c",
                            "stty -F /dev/hvc0 -echo; echo to the console > /dev/console; exec 3<>/dev/hvc0; echo speak >&3; read line <&3; echo \"heard $line\"; "
                            "awk '/virtio-rng/ { for (i = 2; i < NF; i++) n += $i } END { if (n > 0) print \"entropy\" }' /proc/interrupts"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        t.join(120)
        out = "%s: status %d\n%s%s%s" % (title, r.returncode, r.stdout, "".join(said), r.stderr[-2000:])
        check("to the console\r\n" in said, out)
        check("heard from the host" in r.stdout.splitlines(), out)
        check("entropy" in r.stdout.splitlines(), out)
        check(any("Ochre on 1 CPU" in s for s in said), "the kernel's first message is there: " + out)


console("q35", [], "pci")
console("microvm", ["--machine", "microvm"], "device")
print("ok")
