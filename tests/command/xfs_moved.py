#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Data written over blocks that another file, or another place, had a moment ago: a clone was punched, two files were exchanged, a file was collapsed, and nothing was synced but
the data. Where the power goes right after the data came to the disk (tests/xfs/cuts.py), recovery must not bring the other file back with them. Nor a removed file whose blocks were
discarded."""
import os
import shutil
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import setup  # noqa: E402
import admin  # noqa: E402
import cuts  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

# Each pair: the bytes that are written, and the file, with its first byte, that must have none of them.
CASES = (("B", "b 1"), ("C", "e 1"), ("D", "d 4097"), ("E", "g 1"), ("G", "h 1"))
WRITE = """exec 2>&1; export PATH=$PATH:/usr/sbin; mkdir -p /m; mount -t xfs -o discard /dev/vda /m || exit 1; cd /m
over() { xfs_io -c "pwrite -q -S 0x$2 0 $3" -c "sync_range -a -b -w 0 $3" $1; }
for f in a c d e f h; do xfs_io -f -c 'pwrite -q -S 0x61 0 64k' $f; done
xfs_io -f -c 'reflink a' b; xfs_io -f -c 'reflink f' g; sync
xfs_io -c 'fpunch 0 64k' b; over a 42 64k
xfs_io -c 'exchangerange e' c || xfs_io -c help; over c 43 64k
xfs_io -c 'fcollapse 0 4k' d; over d 44 4k
rm h; xfs_io -c fsync a
xfs_io -c 'truncate 0' g; xfs_io -d -c 'pwrite -q -S 0x45 0 64k' f; echo written"""
JUDGE = """mkdir -p /m; judge() { mount -t xfs -o nouuid /dev/$1 /m || return; echo "$1 $(tail -c +$4 /m/$3 | tr -dc $2 | wc -c) $(cat /m/[a-g] | wc -c)"; umount /m; }
"""


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = admin.root(tools)
        base, disk, log = d + "/base", d + "/disk", d + "/log"
        images.make(base, images.Tree(), d, size="64m", options=("-i", "exchange=1"), suite="sid")
        shutil.copy(base, disk)
        open(log, "w").close()
        status, said = memtx.ochre("run", *sys.argv[1:] or ["--debug"], "--timeout", "200", "--rootfs", root, "--qemu", cuts.recorder("rec", disk, log), "--", "sh", "-c", WRITE)
        check(status == 0 and "written" in said, "status %d\n%s" % (status, said[-4000:]))
        rec, made, script = cuts.Record(log), [], JUDGE
        with open(log, "rb") as f:
            for byte, where in CASES:
                for i, (flags, _, n, data) in enumerate(rec.entries):
                    f.seek(data)
                    if n >= 65536 and flags & cuts.DISCARD if byte == "G" else n >= 4096 and f.read(4096) == byte.encode() * 4096:
                        made.append(d + "/cut" + byte)
                        shutil.copy(base, made[-1])
                        cuts.image(rec, base, made[-1], i + 1, 1, keep_all=True, gone=b"G" * 16)
                        script += "judge vd%s %s %s\n" % ("abcde"[len(made) - 1], byte, where)
                        break
        check(len(made) == len(CASES), "%d of %d writes are in the record" % (len(made), len(CASES)))
        status, said = memtx.ochre("run", "--timeout", "200", "--rootfs", root, *(x for path in made for x in ("--disk", path)), "--", "sh", "-c", script)
        found = [line.split() for line in said.replace("\r", "").splitlines() if line.startswith("vd")]
        check([f[1] for f in found] == ["0"] * len(CASES) and all(int(f[2]) > 4 << 16 for f in found), "%s\n%s" % (found, said[-3000:]))
        for path in made:
            memtx.judge(path)
    print("ok")


main()
