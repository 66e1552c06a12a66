#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damaged XFS images on the debug kernel (build/x86_64-debug): fields changed by seed, the checksum made right in half of them; of each third image
the log, which Linux left dirty (tests/xfs/dirty), or the log too. Each is mounted, if it can be, and all of it
is listed and read, and then mounted for writing and changed in every way (tests/xfs/mess.c); no death, hang or report may come of it, and what the kernel holds
afterwards is let go.
usage: xfs_damage.py [FIRST COUNT]; the environment: PER_BOOT=IMAGES, KERNEL=release"""
import os
import re
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
import recovery  # noqa: E402

MIB = 1 << 20
SIZE = 40       # MiB of an image
PER_BOOT = int(os.environ.get("PER_BOOT", 24))  # partitions of one disk
DIRTY = sorted(n[:-len(".img.xz")] for n in os.listdir(recovery.HERE + "/dirty") if n.endswith(".img.xz"))
KERNEL = ["--debug"] * (os.environ.get("KERNEL") != "release")

SCRIPT = r"""
mkdir -p /m
for i in $(seq 1 %d); do
mount -t xfs -o ro,norecovery,nouuid /dev/vda$i /m 2>/dev/null || { echo "$i refused"; continue; }
cd /m
find . -exec stat {} + > /dev/null 2>&1
find . -type f ! -size +8000k -exec cat {} + > /dev/null 2>&1
find . -type l -exec readlink {} + > /dev/null 2>&1
stat small sparse dev large node/0 leaf/nn1 missing > /dev/null 2>&1
probe /m small large sparse dev > /dev/null 2>&1
df /m > /dev/null 2>&1
cd /
umount /m || echo "$i is busy"
if mount -t xfs -o nouuid /dev/vda$i /m 2>/dev/null; then
mess /m $i 150
umount /m || echo "$i is busy"
fi
echo "$i done"
done
echo end
grep -E '^(xfs_inode|bio) ' /proc/slabinfo | awk '{ print $1, $2 }'
"""


def tree():
    t = images.Tree(5)
    for p, n in (("sf", 5), ("block", 30), ("leaf", 120), ("node", 330)):
        t.dir(p)
        for i in range(n):
            t.file("%s/%s%d" % (p, "n" * (i % 23) * 2, i), b"x" * (i % 3))
    t.file("small", b"hello\n")
    t.file("large", t.bytes(MIB))
    t.file("sparse", [(i * 12288, t.bytes(4096)) for i in range(300)])
    t.link("short", "small")
    t.link("long", "x/" * 300 + "y")
    t.dir("dev")
    t.add("dev/null", stat.S_IFCHR | 0o666, (1, 3))
    for i in range(40):
        t.attr("large", "user", "a%d" % i, bytes([65 + i]) * (i * 7 + 1))
    for i in range(200):
        t.attr("sparse", "user", "name%d" % i, t.bytes(60))
    t.attr("dev", "user", "big", t.bytes(20000))
    t.attr("small", "trusted", "SGI_ACL_FILE", struct.pack(">I", 3) + b"".join(struct.pack(">IIHH", x, 0xffffffff, 6, 0) for x in (1, 4, 32)))
    return t


def disk(path, sources):
    """One disk whose MBR-less GPT would cost us a table: logical partitions of a DOS table would too; a GPT it is."""
    import uuid
    import zlib
    sectors = (len(sources) * SIZE + 4) * 2048
    entries, at = b"", []
    for i in range(len(sources)):
        first = (1 + i * SIZE) * 2048
        at.append(first * 512)
        entries += uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le + uuid.uuid4().bytes_le + struct.pack("<QQQ", first, first + SIZE * 2048 - 1, 0) + b"\0" * 72
    entries = entries.ljust(128 * 128, b"\0")

    def header(mine, other, table):
        h = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, mine, other, 34, sectors - 34, uuid.uuid4().bytes_le, table, 128, 128, zlib.crc32(entries))
        return h[:16] + struct.pack("<I", zlib.crc32(h)) + h[20:]
    with open(path, "wb") as f:
        f.truncate(sectors * 512)
        mbr = b"\0" * 446 + struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0xee, 255, 255, 255, 1, sectors - 1) + b"\0" * 48 + b"\x55\xaa"
        for where, data in ((0, mbr), (1, header(1, sectors - 1, 2)), (2, entries), (sectors - 33, entries), (sectors - 1, header(sectors - 1, 1, sectors - 33))):
            f.seek(where * 512)
            f.write(data)
    for source, where in zip(sources, at):
        subprocess.run(["dd", "if=" + source, "of=" + path, "bs=1M", "seek=%d" % (where // MIB), "conv=notrunc,sparse", "status=none"], check=True)


def damaged(copy, bases, seed):
    """Makes COPY, damaged by SEED: what was done."""
    if seed % 3 < 2:
        subprocess.run(["cp", "--sparse=always", bases[seed % 3], copy], check=True)
        return damage.fuzz(copy, seed)
    recovery.unpack(DIRTY[seed // 3 % len(DIRTY)], copy)
    said = recovery.fuzz(copy, seed)
    return said if seed % 2 else said + "; " + damage.fuzz(copy, seed)


def round_of(root, folder, bases, seeds):
    said, sources = {}, []
    for i, seed in enumerate(seeds):
        copy = os.path.join(folder, "copy%d" % i)
        said[i + 1] = "seed %d: %s" % (seed, damaged(copy, bases, seed))
        sources.append(copy)
    disk(folder + "/disk", sources)
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *KERNEL, "-v", "--timeout", "1500", "--cpus", "2", "--memory", "1G", "--rootfs", root, "--disk", folder + "/disk", "--",
                        "sh", "-c", SCRIPT % len(seeds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    done = re.findall(r"^(\d+) (done|refused)", r.stdout, re.M)
    log = "\n".join(l for l in r.stderr.splitlines() if l.startswith("[") and "xfs: " not in l)
    check(r.returncode == 0 and "\nend\n" in r.stdout and len(done) == len(seeds) and "busy" not in r.stdout,
          "status %d after %s\n%s\n%s" % (r.returncode, done[-1:], said.get(len(done) + 1), r.stdout[-500:] + r.stderr[-6000:]))
    check(not re.search(r"BUG|WARN|KASAN|UBSAN|lockdep|Oops|hung|stall", log), "\n".join(said.values()) + log[-6000:])
    return [w for _, w in done].count("refused")


def main():
    first, count = (int(x) for x in sys.argv[1:3]) if len(sys.argv) > 2 else (1, PER_BOOT)
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        probe = rootfs.build_user(tools, "probe", out=os.path.join(d, "probe"), sources=[os.path.join(ROOT, "tests/xfs/probe.c")])
        mess = rootfs.build_user(tools, "mess", out=os.path.join(d, "mess"), sources=[os.path.join(ROOT, "tests/xfs/mess.c")])
        root = rootfs.busybox_root(tools, extra={"bin/probe": (rootfs.read(probe), 0o755), "bin/mess": (rootfs.read(mess), 0o755)})
        bases = []
        for name, suite, options in (("sid", "sid", []), ("small", "sid", ["-b", "size=1024"])):
            images.make(os.path.join(d, name), tree(), d, size="%dm" % SIZE, suite=suite, options=options)
            bases.append(os.path.join(d, name))
        refused = 0
        for at in range(first, first + count, PER_BOOT):
            refused += round_of(root, d, bases, range(at, min(at + PER_BOOT, first + count)))
    print("ok: %d images, %d of them were not mounted" % (count, refused))


main()
