#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Another CPU boots from a disk with an XFS, writes to it, and a second boot finds that; xfs_repair -n finds nothing. A Debian that was put on a disk for that CPU is booted too.
An argument of 100,000 bytes comes through the serial port.

    arch_disk.py --arch CPU"""
import glob
import os
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import disk, rootfs, setup  # noqa: E402
import recovery  # noqa: E402

WRITE = "mount | head -1 | cut -d' ' -f1-5; mkdir /d; for i in 1 2 3; do head -c ${i}00000 /dev/urandom > /d/$i; done; ln /d/1 /d/one; ln -s one /d/soft; md5sum /d/* > /sums; wc -l < /sums"
READ = "md5sum -c /sums | grep -c OK; stat -c %h /d/1"


def run(arch, root, script, *options):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", "--arch", arch, "--timeout", "300", "--rootfs", root, *options, "--", "sh", "-c", script], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    check(r.returncode == 0, "status %d\n%s%s" % (r.returncode, r.stdout[-3000:], r.stderr[-3000:]))
    return r.stdout.splitlines()


def main():
    arch = sys.argv[2]
    tools = setup.ensure((arch,))
    with tempfile.TemporaryDirectory() as d:
        image = os.path.join(d, "image")
        disk.make(rootfs.busybox_root(tools, arch=arch), image, size=512 << 20)
        os.chmod(image, 0o644)
        out = run(arch, image, WRITE)
        check(out == ["/dev/vda on / type xfs", "5"], out)
        recovery.repair(image)
        out = run(arch, image, READ + "\n# " + "x" * 100000)
        check(out == ["5", "2"], out)
        recovery.repair(image)
    for base in glob.glob(os.path.join(disk.DISKS, "debian-%s-*.base" % arch))[:1]:
        out = run(arch, base, "dpkg --audit; . /etc/os-release; echo $ID; mount | head -1 | cut -d' ' -f1-5", "--snapshot")
        check(out == ["debian", "/dev/vda on / type xfs"], out)
    print("ok")


main()
