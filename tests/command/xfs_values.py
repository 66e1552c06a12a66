#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Long values of attributes are written past the log. One file's value is removed, replaced, or goes with its file, and another file gets one at once; the power goes right after
that one came to the disk (tests/xfs/cuts.py), before the log says so: the first file must still have what it had. Where the log has the second one's transaction, its value is
there too, whatever else of the unflushed writes is lost."""
import os
import shutil
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import cuts  # noqa: E402
import damage  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402
import recovery  # noqa: E402

SIZE = 60000
# All have another attribute in a block of its own: a new one where one was just freed would have the log forced.
# Each: how the first file loses its value, and the letters of its value and of the other file's.
CASES = (("value set $1 user.v - 0", "a", "A"), ("value set $1 user.v c 100", "b", "B"), ("rm $1", "c", "C"))
JUDGE = """mkdir -p /m; judge() { mount -t xfs -o nouuid /dev/$1 /m || return; echo "$1 $(value get /m/$2 user.v $2)"; umount /m; }
"""
UNFLUSHED_LOST = next(seed for seed in range(100) if cuts.random.Random(seed).choice((0.0, 0.3, 0.7, 0.95)) == 0.0)


def write(case):
    how, old, new = case
    return "set -- %s; %s; value set %s user.v %s %d || exit 1" % (old, how, new, new, SIZE)


def has_value(block, letter):
    return block[:4] == b"XARM" and block[56:64] == letter.encode() * 8


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "value", out=d + "/value", sources=[os.path.join(ROOT, "tests/xfs/value.c")])
        root = rootfs.busybox_root(tools, extra={"bin/value": (rootfs.read(program), 0o755)})
        base, disk, log = d + "/base", d + "/disk", d + "/log"
        images.make(base, images.Tree(), d, size="64m", suite="sid")
        im = damage.Image(base)
        log_at = recovery.Log(im).at
        log_end = log_at + len(recovery.Log(im).data)
        im.f.close()
        shutil.copy(base, disk)
        open(log, "w").close()
        script = "exec 2>&1; mkdir -p /m; mount -t xfs /dev/vda /m || exit 1; cd /m\nfor f in a b c A B C; do touch $f; value set $f user.other - 2000; done\n"
        script += "for f in a b c; do value set $f user.v $f %d || exit 1; done; sync\n%s\nsync; cd /; umount /m; echo written" % (SIZE, "\n".join(write(c) for c in CASES))
        status, said = memtx.ochre("run", *sys.argv[1:] or ["--debug"], "--timeout", "200", "--rootfs", root, "--qemu", cuts.recorder("rec", disk, log), "--", "sh", "-c", script)
        check(status == 0 and "written" in said, "status %d\n%s" % (status, said[-4000:]))
        rec, made, judge = cuts.Record(log), [], JUDGE

        def cut(at, letter, **how):
            made.append(d + "/cut%d" % len(made))
            shutil.copy(base, made[-1])
            cuts.image(rec, base, made[-1], at, UNFLUSHED_LOST, **how)
            return "judge vd%s %s\n" % ("abcdefgh"[len(made) - 1], letter)

        with open(log, "rb") as f:
            for _, old, new in CASES:
                last = None
                for i, (flags, _, n, data) in enumerate(rec.entries):
                    f.seek(data)
                    if n and not flags & cuts.DISCARD and any(has_value(f.read(4096), new) for _ in range(n // 4096)):
                        last = i
                check(last is not None, "no value of %s in the record" % new)
                judge += cut(last + 1, old, keep_all=True)
            # Writes of the log after the last value: what came before and was not flushed is lost. One of them has the value's transaction.
            for at in [i for i in range(last, len(rec.entries)) if log_at <= rec.entries[i][1] < log_end and rec.entries[i][2]][:3]:
                judge += cut(at, CASES[-1][2])
                f.seek(rec.entries[at][3])
                with open(made[-1], "r+b") as g:
                    g.seek(rec.entries[at][1])
                    g.write(f.read(rec.entries[at][2]))
        status, said = memtx.ochre("run", "--timeout", "200", "--rootfs", root, *(x for path in made for x in ("--disk", path)), "--", "sh", "-c", judge)
        found = [line[4:] for line in said.replace("\r", "").splitlines() if line.startswith("vd")]
        all_, more = "%d of %d" % (SIZE, SIZE), found[len(CASES):]
        check(found[:len(CASES)] == [all_] * len(CASES) and all_ in more and len(found) == len(made) and all(m in ("none", all_) for m in more), "%s\n%s" % (found, said[-3000:]))
        for path in made:
            memtx.judge(path)
    print("ok")


main()
