#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""root= without an initramfs: the kernel finds the root file system by name, number, UUID, label and partition, mounts it as ro, rw and rootflags= say, runs its
/sbin/init, and says what is wrong where it cannot. What init wrote before the power went is there at the next boot, in a log that is clean."""
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import uuid
import zlib

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import build, qemu, rootfs, run, setup  # noqa: E402
import images  # noqa: E402

INIT = r"""#!/bin/sh
/bin/mount -t proc proc /proc
echo "root: $(/bin/grep -o '^/dev/[a-z0-9]* / xfs r[ow]' /proc/mounts)"
echo "mine: $(/bin/cat /mine) kept: $(/bin/cat /kept 2>/dev/null)"
/bin/touch /new 2>/dev/null && echo wrote
[ -e /keep ] && { /bin/mount -o remount,rw /; echo 42 > /kept; /bin/mount -o remount,ro /; }
/bin/poweroff -f
"""
UUID = "8f2c1d3e-0b5a-4c77-9e1d-5a6b7c8d9e0f"
GUID = "00112233-4455-6677-8899-aabbccddeeff"
SIGNATURE, START = 0x1badcafe, 2048


def tree(tools, name, keep):
    t = images.Tree(5)
    for d in ("bin", "sbin", "dev", "proc"):
        t.dir(d)
    t.file("bin/busybox", rootfs.read(rootfs.busybox(tools, "x86_64")[0]), mode=0o755)
    for n in ("sh", "mount", "grep", "cat", "touch", "poweroff"):
        t.link("bin/" + n, "busybox")
    t.file("sbin/init", INIT.encode(), mode=0o755)
    t.file("mine", name.encode())
    if keep:
        t.file("keep")
    return t


def partitioned(path, part):
    """A disk with an MBR whose second partition is PART."""
    size = os.path.getsize(part) // 512
    entries = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x83, 0, 0, 0, 64, 1024) + struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x83, 0, 0, 0, START, size) + bytes(32)
    with open(path, "wb") as f:
        f.truncate((START + size) * 512)
    subprocess.run(["dd", "if=" + part, "of=" + path, "bs=1M", "seek=%d" % (START * 512 >> 20), "conv=notrunc,sparse", "status=none"], check=True)
    with open(path, "r+b") as f:
        f.seek(440)
        f.write(struct.pack("<IH", SIGNATURE, 0) + entries + b"\x55\xaa")


def gpt(path, part, name):
    """A disk with a GUID partition table (UEFI 2.10, 5.3; the first copy alone) whose one partition, of this GUID, is PART."""
    size = os.path.getsize(part) // 512
    entries = (uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le + uuid.UUID(name).bytes_le + struct.pack("<QQQ", START, START + size - 1, 0)).ljust(128 * 128, b"\0")
    head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, START + size + 33, 34, START + size, bytes(16), 2, 128, 128, zlib.crc32(entries))
    mbr = bytes(446) + struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0xee, 255, 255, 255, 1, START + size + 33) + bytes(48) + b"\x55\xaa"
    partitioned(path, part)
    with open(path, "r+b") as f:
        f.truncate((START + size + 34) * 512)
        f.write(mbr + (head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]).ljust(512, b"\0") + entries)


def boot(tools, disks, words):
    vm = qemu.Vm(tools, disks=disks)
    vm.kernel, vm.append = build.image(), "console=ttyS0 panic=-1 loglevel=4 " + words
    end = time.monotonic() + 120
    with run.Machine(vm) as m:
        while not m.ended() and time.monotonic() < end:
            m.wait([], 0.5)
        check(m.ended(), "it does not end: " + bytes(m.text).decode(errors="replace"))
    return bytes(m.text).decode(errors="replace").replace("\r", "")


def main():
    tools = setup.load() or setup.ensure()
    build.build(tools, quiet=True)
    with tempfile.TemporaryDirectory() as d:
        whole, part, disk = d + "/whole", d + "/part", d + "/disk"
        images.make(whole, tree(tools, "whole", True), d, suite="sid", options=["-L", "wholedisk", "-m", "uuid=" + UUID])
        images.make(part, tree(tools, "part", False), d, suite="sid", options=["-L", "inpart"])
        partitioned(disk, part)
        gpt(d + "/gpt", part, GUID)
        disks = [whole, disk, d + "/gpt"]

        def goes(words, name, lines):
            text = boot(tools, disks, words)
            check(all(l in text for l in [*lines, "mine: " + name]), "%s: %s" % (words, text))

        goes("root=/dev/vda", "whole kept:", ["root: /dev/vda / xfs ro"])
        goes("root=UUID=" + UUID.upper() + " rw ro", "whole kept: 42", ["root: /dev/vda / xfs ro"])
        said = subprocess.run([ROOT + "/ochre", "image", "info", whole], stdout=subprocess.PIPE, text=True).stdout
        check("clean" in said.splitlines()[-1], said)
        goes("root=LABEL=inpart rw", "part", ["root: /dev/vdb2 / xfs rw", "wrote"])
        goes("root=PARTUUID=1BADCAFE-02 ro rw rootflags=noikeep rootfstype=xfs", "part", ["root: /dev/vdb2 / xfs rw", "wrote"])
        goes("root=PARTUUID=" + GUID, "part", ["root: /dev/vdc1 / xfs ro"])
        goes("root=254:18 rootwait", "part", ["root: /dev/vdb2 / xfs ro"])
        goes("root=fe12 rootwait=5 rootdelay=0", "part", ["root: /dev/vdb2 / xfs ro"])
        for words, expected in (("root=UUID=%s rootwait=1" % UUID.replace("8f", "80"), ["no disk has a file system that says so", "PARTUUID=1badcafe-02", "on \"UUID="]),
                                ("root=PARTUUID=1badcafe-03", ["there is no such device"]), ("root=LABEL=none", ["no disk has a file system"]),
                                ("root=254:1x", ["no such device"]), ("root=/dev/vdb2 rootflags=nonsense", ["could be mounted from it (tried: xfs; error -22)"])):
            text = boot(tools, disks, words)
            check(all(e in text for e in expected) and re.search("Kernel panic.*Unable to mount the root", text), "%s: %s" % (words, text))
    print("ok")


main()
