#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A root on a disk sees the modules of the kernel that was started in /lib/modules, which may lie behind links, beside those that the disk has; modprobe loads one; the disk
stays as it was.
usage: modules_disk.py"""
import os
import shutil
import stat
import subprocess
import sys
import tempfile

from expect import check, no_report
from modules_kmod import kmod

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import cpio, disk, modules, rootfs, setup  # noqa: E402

SCRIPT = """ls /lib/modules; cat /lib/modules/1.2.3/word; /sbin/modprobe hello who=disk times=1 && /sbin/lsmod | grep -c '^hello'
/sbin/depmod && echo depmod; echo new > /lib/modules/1.2.3/mine; echo ours > /lib/modules/$(uname -r)/mine; dmesg | grep -o 'hello: hello.*'"""
COMMANDS = ("sh", "ls", "cat", "grep", "dmesg", "uname", "mkdir")


def archive(path, tools, lib):
    """Debian's kmod and busybox; with LIB there is a /lib/modules of another release."""
    with open(path, "wb") as f:
        w = cpio.Writer(f)
        shutil.copytree(kmod() + "/usr", path + ".d/usr", symlinks=True)     # files of its own: others may share those by hard links
        w.tree(path + ".d", keep_owner=False)
        for n in "bin", "sbin", "lib", "lib64":
            w.link(n, "/usr/" + n)
        w.add("usr/bin/busybox", stat.S_IFREG | 0o755, rootfs.read(tools["busybox"]))
        for n in COMMANDS:
            w.link("usr/bin/" + n, "busybox")
        if lib:
            w.add("usr/lib/modules", stat.S_IFDIR | 0o755, nlink=2)
            w.add("usr/lib/modules/1.2.3", stat.S_IFDIR | 0o755, nlink=2)
            w.add("usr/lib/modules/1.2.3/word", stat.S_IFREG | 0o644, b"other\n")
        w.end()


def run(image, script):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", "--accel", "tcg", "--timeout", "300", "--memory", "512M", "--rootfs", image, "--", "/bin/sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    no_report(r.stderr)
    return r.stdout.replace(modules.release(), "RELEASE"), r.stderr


def contents(image):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "image", "ls", image, "usr/lib/modules"], stdout=subprocess.PIPE, text=True, check=True)
    return {line.split()[-1] for line in r.stdout.splitlines()}


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        archive(d + "/a.cpio", tools, True)
        disk.make(d + "/a.cpio", d + "/a.xfs", size=512 << 20)
        os.chmod(d + "/a.xfs", 0o600)
        said, console = run(d + "/a.xfs", SCRIPT)
        check(said.splitlines() == ["1.2.3", "RELEASE", "other", "1", "depmod", "hello: hello 10, disk"], said + console[-3000:])
        check(contents(d + "/a.xfs") <= {"1.2.3", ".", ".."}, contents(d + "/a.xfs"))
        said, _ = run(d + "/a.xfs", "cat /lib/modules/1.2.3/mine; ls /lib/modules/$(uname -r) | grep -c mine")
        check(said.splitlines() == ["new", "0"], said)
    print("ok")


if __name__ == "__main__":
    main()
