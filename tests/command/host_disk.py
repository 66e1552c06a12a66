#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disks made of archives, without root and without mounting: what mkfs.xfs put into the image is what the archive has (owners, modes, links, devices, times, attributes), and
xfs_repair finds nothing; overlays; what is refused."""
import os
import stat
import struct
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import cpio, disk, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402

CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0).hex()     # CAP_NET_RAW
LARGE = os.urandom((1 << 20) + 77)


def archive(path):
    with open(path, "wb") as f:
        w = cpio.Writer(f)
        w.add("etc", stat.S_IFDIR | 0o755, mtime=1000000000, nlink=2)
        w.add("etc/shadow", stat.S_IFREG | 0o640, b"root:*\n", gid=42, mtime=1234567890)
        w.add("etc/closed", stat.S_IFREG, b"nobody reads it", mtime=1)
        w.add("tmp", stat.S_IFDIR | 0o1777, nlink=2)
        w.add("bin", stat.S_IFDIR | 0o755, nlink=2)
        w.add("bin/su", stat.S_IFREG | 0o4755, LARGE, mtime=1700000000)
        w.add("bin/ping", stat.S_IFREG | 0o755, b"ping", uid=1000, gid=2000000)
        w.add("bin/a", stat.S_IFREG | 0o755, b"", nlink=2, ino=9000)
        w.add("bin/b", stat.S_IFREG | 0o755, b"both", nlink=2, ino=9000)
        w.link("bin/sh", "su")
        w.add("name with spaces", stat.S_IFREG | 0o644, b"1")
        w.add("null", stat.S_IFCHR | 0o666, rdev=os.makedev(1, 3))
        w.add("vda", stat.S_IFBLK | 0o660, gid=6, rdev=os.makedev(254, 300))
        w.add("pipe", stat.S_IFIFO | 0o600, uid=7)
        w.end()


def contents(image):
    ochre = os.path.join(ROOT, "ochre")

    def say(what, path=""):
        return subprocess.run([ochre, "image", what, image] + ([path] if path else []), stdout=subprocess.PIPE, check=True).stdout

    def row(path):
        words = {l.split()[-1] if " -> " not in l else l.split(" -> ")[0].split()[-1]: l for l in say("ls", os.path.dirname(path)).decode().splitlines()}
        return words[os.path.basename(path)].split()
    # mode links owner group size date time name
    check(row("etc/shadow")[:5] == ["-rw-r-----", "1", "0", "42", "7"] and row("etc/shadow")[5:7] == ["2009-02-13", "23:31:30"], row("etc/shadow"))
    check(row("etc")[0] == "drwxr-xr-x" and row("etc")[5:7] == ["2001-09-09", "01:46:40"], row("etc"))
    check(row("etc/closed")[0] == "----------" and say("cat", "etc/closed") == b"nobody reads it", row("etc/closed"))
    check(row("tmp")[0] == "drwxrwxrwt", row("tmp"))
    check(row("bin/su")[0] == "-rwsr-xr-x" and say("cat", "bin/su") == LARGE, row("bin/su"))
    check(row("bin/ping")[2:4] == ["1000", "2000000"], row("bin/ping"))
    check(row("bin/a")[1] == row("bin/b")[1] == "2" and say("cat", "bin/a") == b"both", row("bin/a"))
    check(row("bin/sh")[0][0] == "l" and row("bin/sh")[-1] == "su", row("bin/sh"))
    check(say("cat", "name with spaces") == b"1", "a name with spaces")
    check(row("null")[0] == "crw-rw-rw-" and row("vda")[0] == "brw-rw----" and row("vda")[3] == "6" and row("pipe")[0] == "prw-------", row("vda"))
    info = say("info", "bin/ping").decode() + say("info", "vda").decode() + say("info").decode()
    check("capability" in info and "label: mine" in info and "rmapbt" in info and "exchange parent" in info, info)
    tools = setup.find_xfsprogs("sid")
    r = subprocess.run([tools + "/xfs_db", "-r", "-c", "path /vda", "-c", "p u3.dev", "-c", "path /bin/ping", "-c", "attr_get -s capability", image], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace")
    check("u3.dev = %#x" % (254 << 18 | 300) in r.stdout and "(254" not in r.stdout, r.stdout)
    r = subprocess.run([tools + "/xfs_repair", "-n", "-f", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    check(r.returncode == 0, r.stdout[-2000:])
    check(stat.S_IMODE(os.stat(image).st_mode) == 0o444, "a base image that could be written")


def make_as_a_user(d, packed, image):
    """Where this is root, by one who is not, unless the tree lies where only root goes."""
    tools, drop = os.path.realpath(setup.find_xfsprogs("sid")), os.geteuid() == 0
    for path in (tools, os.path.realpath(d)):
        while drop and path != "/":
            path = os.path.dirname(path)
            drop = path == os.path.realpath(d) or os.stat(path).st_mode & 5 == 5
    library, disk.DISKS, disk.LOG = disk.library(), d + "/disks", d + "/disks/log"
    os.makedirs(disk.DISKS)
    disk.library = lambda: library
    if drop:
        for p in (d, disk.DISKS, packed):
            os.chown(p, 65534, 65534)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if drop:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            disk.make(packed, image, size=400 << 20, attributes={"bin/ping": {"security.capability": CAPABILITY}}, label="mine")
            status = 0
        finally:
            os._exit(status)
    check(os.waitpid(child, 0)[1] == 0, "the image could not be made")


def refused(fn, *args):
    try:
        fn(*args)
    except Fail as e:
        return str(e)
    return "it was not refused"


def overlays(d, image):
    top = os.path.join(d, "sub", "x:y.qcow2")
    check(disk.overlay(top, image) == top and disk.probe(top) == ("qcow2", os.path.getsize(image)), disk.probe(top))
    with open(top, "rb") as f:
        head = f.read(4096)
    at, n = struct.unpack_from(">QI", head, 8)
    check(os.path.samefile(os.path.join(d, "sub", head[at:at + n].decode()), image), head[at:at + n])
    check(disk.is_image(top) and disk.is_image(image) and not disk.is_image(os.path.join(d, "archive")), "which files are disks")
    os.utime(image, (os.stat(top).st_mtime + 10,) * 2)
    check("made anew since" in refused(disk.overlay, top, image), "an overlay of another image")
    check("no qcow2" in refused(disk.overlay, os.path.join(d, "archive"), image), "an archive as an overlay")
    disk.lock(top, False)
    check("in use by another run" in refused(disk.lock, top, False) and "in use" in refused(disk.lock, top, True), "a lock")
    disk.lock(image, True)
    disk.lock(image, True)
    check("in use" in refused(disk.lock, image, False), "a lock of two readers")
    check([disk.name_of(i) for i in (0, 25, 26, 701, 702)] == ["/dev/vda", "/dev/vdz", "/dev/vdaa", "/dev/vdzz", "/dev/vdaaa"], disk.name_of(702))


def main():
    with tempfile.TemporaryDirectory() as d:
        image, packed = os.path.join(d, "image"), os.path.join(d, "archive")
        archive(packed)
        make_as_a_user(d, packed, image)
        contents(image)
        overlays(d, image)
        with open(packed, "wb") as f:
            w = cpio.Writer(f)
            w.file("a/../../out", b"x")
            w.end()
        check("leads out" in refused(disk.make, packed, image), "a name that leads out")
        with open(packed, "wb") as f:
            f.write(b"x" * 1000)
        check("cannot be unpacked" in refused(disk.make, packed, image), "no archive")
    print("ok")


main()
