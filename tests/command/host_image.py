#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./ochre image: what mkfs.xfs and xfs_db put into an image is what ls, cat and info show, in every form that the format has; check finds nothing wrong with
images that are sound, and each thing that is broken on purpose."""
import os
import re
import stat
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tests/xfs")
import damage  # noqa: E402
import images  # noqa: E402


def ochre(*argv, status=0, text=True):
    r = subprocess.run([TOP + "/ochre", "image", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert r.returncode == status, (argv, r.returncode, r.stdout[-3000:])
    return r.stdout.decode(errors="replace") if text else r.stdout


def tree(blocks, suite):
    t = images.Tree()
    for p, n in (("sf", 6), ("block", 40), ("leaf", 300), ("node", 1000)):
        t.dir(p)
        for i in range(n):
            t.file("%s/%s%d" % (p, "n" * (i % 23), i), mode=0o600 + i % 64, uid=i % 7, gid=i % 5)
    t.file("small", b"hello\n")
    t.file("large", t.bytes(3 << 20), mode=0o4755)
    t.file("sparse", [(i * 3 * max(blocks, 4096), t.bytes(blocks)) for i in range(300)])
    if suite != "bookworm":     # its mkfs.xfs reads holes, too, and writes long targets without their headers
        t.file("far", [(5 << 40, b"end")])
        t.link("long", "x/" * 300 + "y")
        t.link("longest", "z" * (1023 if blocks > 1024 else 900))   # mkfs.xfs 6.13 forgets the second block of 1 KiB
    t.link("short", "small")
    t.dir("dev")
    t.add("dev/null", stat.S_IFCHR | 0o666, (1, 3))
    t.add("dev/disk", stat.S_IFBLK | 0o640, (254, 77), gid=6)
    t.add("dev/pipe", stat.S_IFIFO | 0o600)
    t.link("up", "dev/../node")
    t.attr("small", "user", "one", b"value")
    t.attr("small", "trusted", "one", b"other")
    for i in range(40):
        t.attr("large", "user", "a%d" % i, bytes([65 + i]) * (i * 7 + 1))
    for i in range(300):
        t.attr("sparse", ("user", "security")[i & 1], "name%d" % i, t.bytes(60).hex().encode())
    t.attr("dev", "user", "big", t.bytes(20000))
    t.attr("dev", "user", "biggest", t.bytes(65536))
    return t


def listing(t, path):
    """ls's lines without dates and link counts."""
    out = []
    for n in t.names(path):
        mode, uid, gid, content = t.rows[path + "/" + n if path else n]
        kind = stat.S_IFMT(mode)
        size = "%d,%d" % content if kind in (stat.S_IFCHR, stat.S_IFBLK) else str(len(content)) if kind == stat.S_IFLNK else "0" if kind == stat.S_IFIFO else \
            str(len(content) if isinstance(content, bytes) else max(a + len(b) for a, b in content)) if kind == stat.S_IFREG else None
        out.append((stat.filemode(mode), uid, gid, size, n + (" -> " + content if kind == stat.S_IFLNK else "")))
    return sorted(out, key=lambda r: r[4])


def seen(image, path):
    out = []
    for line in ochre("ls", image, "/" + path).splitlines():
        m = re.fullmatch(r"(\S{10}) \d+ (\d+) (\d+) (\S+) \d+-\d\d-\d\d \d\d:\d\d:\d\d (.*)", line)
        assert m, line
        out.append((m[1], int(m[2]), int(m[3]), None if m[1][0] == "d" else m[4], m[5]))
    return sorted(out, key=lambda r: r[4])


def compare(image, t):
    for p in ("", "sf", "block", "leaf", "node", "dev"):
        assert seen(image, p) == listing(t, p), p
    assert seen(image, "up/") == listing(t, "node")
    for p in ("small", "large", "sparse"):
        assert ochre("cat", image, p, text=False) == t.content(p), p
    for path, attrs in t.attrs.items():
        want = sorted("%s.%s: %d bytes" % (s, n, len(v)) for (s, n), v in attrs.items())
        got = re.findall(r"^  ((?:user|trusted|security)\.\S+: \d+ bytes)", ochre("info", image, path), re.M)
        assert sorted(got) == want, (path, got[:5], want[:5])
    assert "/nothing: No such file" in ochre("cat", image, "/nothing", status=1)
    if "far" in t.rows:
        assert "data: btree" in ochre("info", image, "sparse") and "size: %d\n" % ((5 << 40) + 3) in ochre("info", image, "far")


def forms(folder):
    """Each suite's mkfs, block sizes, sector sizes, directory blocks larger than a block."""
    for name, suite, blocks, options in (
            ("sid", "sid", 4096, []), ("trixie", "trixie", 1024, ["-n", "size=8192"]), ("bookworm", "bookworm", 4096, ["-s", "size=4096", "-i", "size=1024"]),
            ("large", "sid", 65536, [])):
        image = os.path.join(folder, name)
        t = tree(blocks, suite)
        t.attrs = {p: a for p, a in t.attrs.items() if suite != "bookworm"}     # its xfs_db reads no value from a file
        images.make(image, t, folder, suite=suite, options=["-b", "size=%d" % blocks, *options], size="400m")
        compare(image, t)
        text = ochre("check", image)
        assert text.endswith("nothing is wrong\n"), text
        assert "blocks, clean" in ochre("info", image)
        yield image, suite


def broken(folder, image):
    """Each field that is changed is named; where the checksum is made right, what the check compares tells."""
    for what, crc, words in ((("agf", 0, "freeblks"), False, "AGF"), (("agf", 0, "freeblks"), True, "free blocks"), (("agi", 1, "count"), True, "inodes"),
                             (("agf", 1, "btreeblks"), True, "btreeblks is wrong"), (("agf", 1, "refcntblocks"), True, "refcntblocks is wrong"), (("agf", 1, "rmapblocks"), True, "rmapblocks is wrong"),
                             (("sb", 0, "ifree"), True, "free inodes"), (("inode", None, "nlink"), True, "links"), (("inode", None, "size"), False, "crc"),
                             (("inode", None, "nextents"), True, "blocks"), (("dir", None, "hash"), True, "hash"), (("dir", None, "inumber"), True, "in")):
        copy = os.path.join(folder, "broken")
        subprocess.run(["cp", "--sparse=always", image, copy], check=True)
        damage.change(copy, *what, fix_crc=crc)
        text = ochre("check", copy, status=1)
        assert words in text, (what, crc, text)


def hostile(folder, image):
    """An image may say anything: that its log lies elsewhere, a tree whose branches meet again, a label that is a terminal's command."""
    copy = os.path.join(folder, "hostile")
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    im = damage.Image(copy)
    im.write(48, bytes(8))
    im.write(108, b"\x1b[2J\xc2\x9b1m")
    im.fix_crc(0, im.sectsize, 224)
    im.f.flush()
    assert "external log" in ochre("check", copy, status=1)
    assert rb"label: \033[2J\302" in ochre("info", copy, text=False)


def main():
    with tempfile.TemporaryDirectory() as d:
        made = list(forms(d))
        broken(d, made[0][0])
        hostile(d, made[0][0])
        with open(d + "/other", "wb") as f:
            f.write(bytes(1 << 20))
        assert "no XFS" in ochre("info", d + "/other", status=1)
    print("ok")


main()
