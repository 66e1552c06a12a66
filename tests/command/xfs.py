#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XFS, mounted read-only: a guest lists and reads what mkfs.xfs and xfs_db put into images, and finds names, bytes, attributes, holes and rights as they went in.
Who holds a disk, and what is refused."""
import hashlib
import os
import stat
import struct
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import damage  # noqa: E402
import images  # noqa: E402

SCRIPT = r"""
mkdir -p /m
for t in $DISKS; do
echo "disk $t"
mount -t xfs -o ro /dev/$t /m || exit 1
cd /m
find . | sort | md5sum
find . -type f ! -name far | sort | while read f; do md5sum "$f"; done | md5sum
find . | sort | while read f; do stat -c '%n %f %u %g %s %t %T' "$f"; done | grep -v ' 4[01]' | md5sum
find . -type l | sort | while read f; do readlink "$f"; done | md5sum
dd if=far bs=4096 skip=1342177280 2>/dev/null; echo
dd if=far bs=1 skip=3000000000 count=3 2>/dev/null | od -An -c
probe /m small large sparse dev acl probe
cd /
dd if=/dev/$t of=/dev/null bs=512 count=1 2>/dev/null && echo readable
hold /dev/$t
mount -t xfs -o ro /dev/$t /mnt && mount | grep -c xfs
umount /mnt
mount -o remount,rw /m 2>/dev/null; echo "remount $?"
umount /m
hold /dev/$t
done
"""


def acl(entries):
    """The attribute as XFS stores it: [(tag, id, rights)]."""
    return struct.pack(">I", len(entries)) + b"".join(struct.pack(">IIHH", t, i & 0xffffffff, p, 0) for t, i, p in entries)


def tree(probe):
    t = images.Tree(3)
    for p, n in (("sf", 5), ("block", 40), ("leaf", 300), ("node", 1000)):
        t.dir(p)
        for i in range(n):
            t.file("%s/%s%d" % (p, "n" * (i % 23), i), b"x" * (i % 3), mode=0o600 + i % 64, uid=i % 7, gid=i % 5)
    t.file("small", b"hello\n")
    t.file("large", t.bytes((3 << 20) + 77))
    t.file("sparse", [(i * 12288, t.bytes(4096)) for i in range(300)])
    t.file("far", [(5 << 40, b"end")])
    t.link("short", "small")
    t.link("long", "x/" * 300 + "y")
    t.dir("dev")
    t.add("dev/null", stat.S_IFCHR | 0o666, (1, 3))
    t.add("dev/disk", stat.S_IFBLK | 0o640, (254, 77), gid=6)
    t.add("dev/pipe", stat.S_IFIFO | 0o600)
    t.file("acl", b"secret!", mode=0o660)
    t.file("probe", probe, mode=0o755)
    t.file("plain", probe, mode=0o755)
    t.attr("small", "user", "one", b"value")
    for i in range(40):
        t.attr("large", "user", "a%d" % i, bytes([65 + i]) * (i * 7 + 1))
    for i in range(300):
        t.attr("sparse", ("user", "trusted")[i & 1], "name%d" % i, t.bytes(60))
    t.attr("dev", "user", "big", t.bytes(20000))
    # owner, user 1001 reads, group nothing, group 77 reads, mask, others nothing
    t.attr("acl", "trusted", "SGI_ACL_FILE", acl([(1, -1, 6), (2, 1001, 4), (4, -1, 0), (8, 77, 4), (16, -1, 6), (32, -1, 0)]))
    t.attr("probe", "security", "capability", struct.pack("<IIIII", 0x02000001, 1 << 18, 0, 0, 0))     # CAP_SYS_CHROOT
    return t


def md5(lines):
    return hashlib.md5("".join(x + "\n" for x in lines).encode()).hexdigest()


def xsum(data):
    h = 5381
    for b in data:
        h = (h * 33 + b) & (1 << 64) - 1
    return h


def expected(t, blocks):
    names = sorted(["."] + ["./" + p for p in t.rows if p], key=lambda s: s.encode())
    files = [n for n in names if n != "./far" and stat.S_ISREG(t.rows[n[2:]][0])]
    links = [n for n in names if stat.S_ISLNK(t.rows[n[2:]][0])]
    out = [md5(names), md5("%s  %s" % (hashlib.md5(t.content(n[2:])).hexdigest(), n) for n in files)]
    rows = []
    for n in names:
        mode, uid, gid, content = t.rows[n[2:]]
        if stat.S_ISDIR(mode):
            continue
        size = len(content) if isinstance(content, (bytes, str)) else max(a + len(b) for a, b in content) if isinstance(content, list) else 0
        dev = "%x %x" % content if isinstance(content, tuple) else "0 0"
        rows.append("%s %x %d %d %d %s" % (n, mode, uid, gid, size, dev))
    out += [md5(rows), md5(t.rows[n[2:]][3] for n in links), "end", "  \\0  \\0  \\0"]
    return out


def attr_lines(t, path):
    full = {"%s.%s" % (s, n): v for (s, n), v in t.attrs.get(path, {}).items()}
    if path == "acl":
        raw = full["trusted.SGI_ACL_FILE"]
        e = [struct.unpack_from(">IIHH", raw, 4 + 12 * i) for i in range(6)]
        full["system.posix_acl_access"] = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", x[0], x[2], x[1]) for x in e)
    return ["xattrs %s %d" % (path, sum(len(n) + 1 for n in full))] + sorted("xattr %s %s %d %x" % (path, n, len(v), xsum(v)) for n, v in full.items())


def probed(t, lines, blocks):
    got = {}
    for l in lines:
        w = l.split()
        got.setdefault(w[0] + (" " + w[1] if w[0] in ("xattrs", "xattr", "seekdir", "fiemap", "seek", "mapped", "direct", "caps") else ""), []).append(l)
    for p in ("small", "large", "sparse", "dev", "acl", "probe"):
        check(got["xattrs " + p] + sorted(got.get("xattr " + p, [])) == attr_lines(t, p), "attributes of %s: %s" % (p, got.get("xattr " + p, [])[:4]))
    for p in ("node", "block", "sf"):
        check(got["seekdir " + p] == ["seekdir %s %d 0" % (p, len(t.names(p)) + 2)], got["seekdir " + p])
    check(got["fiemap sparse"] == ["fiemap sparse 300 1"] and got["seek sparse"] == ["seek sparse 300 %d" % (300 * 4096)], got["fiemap sparse"] + got["seek sparse"])
    check(got["fiemap small"] == ["fiemap small 1 1"] and got["seek small"] == ["seek small 1 6"], got["fiemap small"] + got["seek small"])
    for p in ("sparse", "large"):
        check(got["mapped " + p] == ["mapped %s %x" % (p, xsum(t.content(p)))], got["mapped " + p])
        check(got["direct " + p] == ["direct %s 1 %x 22" % (p, xsum(t.content(p)))], got["direct " + p])
    check(got["acl"] == ["acl 13 0 0 13"], got["acl"])
    user = sum(len("user." + n) + 1 for space, n in t.attrs["sparse"] if space == "user")
    check(got["listed"] == ["listed sparse %d" % user], got["listed"])
    check(got["caps ./probe"] == ["caps ./probe 0"] and got["caps ./plain"] == ["caps ./plain 1"], got["caps ./probe"] + got["caps ./plain"])
    check(got["geometry"][0].startswith("geometry 0 %d " % blocks), got["geometry"])
    check(got["geometry_of_dir"] == ["geometry_of_dir 0 %d" % blocks] and got["attr_fork"] == ["attr_fork 0 0x80000000 1 0 512 512 %d" % (2**31 - 512)], got["geometry_of_dir"] + got["attr_fork"])
    check(got["write"] == ["write 30"] and got["setxattr"] == ["setxattr 30"], got["write"] + got["setxattr"])


def boot(root, disks, script, status=0, options=()):
    argv = [os.path.join(ROOT, "ochre"), "run", "--timeout", "300", "--cpus", "2", "--rootfs", root, *options]
    for d in disks:
        argv += ["--disk", d]
    r = subprocess.run(argv + ["--", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    check(r.returncode == status, "status %d\n%s%s" % (r.returncode, r.stdout[-3000:], r.stderr[-3000:]))
    return r.stdout.splitlines()


def contents(root, t, made):
    out = boot(root, [m[0] for m in made], "DISKS='%s'" % " ".join("vd" + c for c in "abcdef"[:len(made)]) + SCRIPT)
    for i, (image, blocks) in enumerate(made):
        begin = out.index("disk vd" + "abcdef"[i])
        end = next((j for j in range(begin + 1, len(out)) if out[j].startswith("disk ")), len(out))
        lines = [l[:32] if l.endswith("  -") else l for l in out[begin + 1:end]]
        check(lines[:6] == expected(t, blocks), "%s: %s, not %s" % (image, lines[:6], expected(t, blocks)))
        rest = lines.index("readable")
        probed(t, lines[6:rest], blocks)
        check(lines[rest:] == ["readable", "busy", "2", "remount 0", "free"], lines[rest:])


def refused(root, t, image, folder):
    """Dirty logs, features, damage of what mounting needs: one line in the log, and an errno."""
    copies = []

    def copy(name, change):
        path = os.path.join(folder, name)
        subprocess.run(["cp", "--sparse=always", image, path], check=True)
        im = damage.Image(path)
        change(im)
        im.f.close()
        copies.append(path)

    def dirty(im):      # a record that is not the unmount's, of the next round
        at = ((im.logstart >> im.agblklog) * im.agblocks + (im.logstart & (1 << im.agblklog) - 1)) * im.blocksize
        head = bytearray(im.read(at, 512))
        head[40:44] = struct.pack(">I", 7)
        im.write(at, bytes(head))

    def incompat(im):
        im.write(216, struct.pack(">I", struct.unpack(">I", im.read(216, 4))[0] | 1 << 20))
        im.fix_crc(0, im.sectsize, 224)

    def rocompat(im):
        im.write(212, struct.pack(">I", struct.unpack(">I", im.read(212, 4))[0] | 1 << 20))
        im.fix_crc(0, im.sectsize, 224)

    def loop(im):       # the first name of a directory is another one of the root's
        at, n, crc = next(x[1:] for x in im.structures() if x[0] == "dir")
        im.write(at + 96, struct.pack(">Q", im.rootino))
        im.fix_crc(at, n, crc)
        looped.append(im.read(at + 105, im.read(at + 104, 1)[0]).decode())

    def unwritten(im):      # the extent of 'small' was never written
        at, n, crc = next(x[1:] for x in im.structures() if x[0] == "inode" and im.read(x[1] + 5, 1) == b"\2" and im.read(x[1] + 56, 8) == struct.pack(">Q", 6))
        im.write(at + 176, bytes([im.read(at + 176, 1)[0] | 0x80]))
        im.fix_crc(at, n, crc)

    looped = []
    copy("dirty", dirty)
    copy("incompat", incompat)
    copy("rocompat", rocompat)
    copy("crc", lambda im: im.write(108, b"x"))
    copy("loop", loop)
    copy("unwritten", unwritten)
    out = boot(root, [image] + copies, r"""mkdir -p /m
try() { mount -t xfs "$@" /m 2>&1 | sed 's/.*failed: //'; mount | grep -c ' /m '; umount /m 2>/dev/null; }
try -o ro /dev/vdb; try -o ro,norecovery /dev/vdb; try -o norecovery /dev/vdb; try -o ro /dev/vdc
try -o ro /dev/vdd; try -o ro /dev/vde
mount -t xfs -o ro /dev/vdf /m; ls /m/block/LOOPED 2>&1 | sed 's/.*: //'; umount /m
mount -t xfs -o ro /dev/vdg /m; probe /m small | grep -E '^(fiemap|seek) small'; od -An -c /m/small; probe /m small | grep '^seek small'; umount /m
mount -t xfs -o ro /dev/vda /m; mkdir /n; mount -t xfs -o ro /dev/vdd /n 2>&1 | sed 's/.*failed: //'; mount -t xfs -o ro,nouuid /dev/vdd /n && ls /n | wc -l
dmesg | grep 'xfs: '""".replace("LOOPED", looped[0]))
    # An unwritten page that is in memory counts as data, as on Linux.
    check(out[:17] == ["Structure needs cleaning", "0", "1", "Invalid argument", "0", "Invalid argument", "0", "1", "Structure needs cleaning", "0",
                       "Structure needs cleaning", "fiemap small 1 1", "seek small 0 0", "  \\0  \\0  \\0  \\0  \\0  \\0", "seek small 1 6", "Invalid argument", str(len(t.names("")))], out)
    log = "\n".join(out[17:])
    for words in ("vdb: the log cannot be replayed: log operation", "vdc: it has unknown incompatible features (0x1", "vdd: it has unknown features 0x100000", "superblock 0: crc is wrong", "has this UUID"):
        check(words in log, log)


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        build = rootfs.build_user
        probe = build(tools, "probe", out=os.path.join(d, "probe"), sources=[os.path.join(ROOT, "tests/xfs/probe.c")])
        hold = build(tools, "hold", out=os.path.join(d, "hold"), sources=[os.path.join(ROOT, "tests/xfs/hold.c")])
        root = rootfs.busybox_root(tools, extra={"bin/probe": (rootfs.read(probe), 0o755), "bin/hold": (rootfs.read(hold), 0o755)})
        t = tree(rootfs.read(probe))
        made = []
        for name, suite, blocks, options in (("sid", "sid", 4096, []), ("small", "trixie", 1024, []), ("two", "sid", 2048, ["-s", "size=2048", "-n", "size=16384"])):
            image = os.path.join(d, name)
            images.make(image, t, d, suite=suite, options=["-b", "size=%d" % blocks, *options])
            made.append((image, blocks))
        refused(root, t, made[0][0], d)     # before the logs begin somewhere else
        contents(root, t, made)
    print("ok")


main()
