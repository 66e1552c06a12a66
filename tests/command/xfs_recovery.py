#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XFS logs that Linux left dirty (tests/xfs/dirty/, made by tests/xfs/dirty.py): mounting replays them, and every name, attribute and byte is what Linux finds
after its own recovery; a second mount finds a clean log. Changes of names and of their parent pointers that were half done are finished, by the debug kernel. A
read-only device, damage, unknown and unfinished work: refused, nothing is written."""
import os
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import recovery  # noqa: E402

# A disk that was replayed once and once more: the second time there is nothing to do.
SCRIPT = r"""
mkdir -p /m
for t in $DISKS; do
echo "disk $t"
mount -t xfs -o ro,nouuid /dev/$t /m || exit 1
cd /m
LIST
cd /; umount /m
mount -t xfs -o ro,nouuid /dev/$t /m && umount /m
done
echo "log"; dmesg | grep 'xfs: '
"""
REFUSED = r"""
mkdir -p /m
try() { mount -t xfs -o "$@" /m 2>&1 | sed 's/.*failed: //'; mount | grep -c ' /m '; umount /m 2>/dev/null; }
for t in vda vdb vdc; do try ro,nouuid /dev/$t; try ro,norecovery,nouuid /dev/$t; done
blockdev --setro /dev/vdd; try ro,nouuid /dev/vdd; blockdev --setrw /dev/vdd
mount -t xfs -o ro,norecovery /dev/vdd /m; mkdir /n; mount -t xfs -o ro /dev/vde /n 2>&1 | sed 's/.*failed: //'; umount /m
mount -t xfs /dev/vdd /m 2>&1 > /dev/null; mount | grep -c ' /m '
dmesg | grep 'xfs: '
"""


FINISHED = r"""
mkdir -p /m
for t in vda vdb; do
echo "disk $t"
mount -t xfs -o ro,nouuid /dev/$t /m || exit 1
cd /m
LIST
cd /; umount /m
done
echo "disk that is refused"
for t in vdc vdd vde; do mount -t xfs -o ro,nouuid /dev/$t /m 2>&1 | sed 's/.*failed: //'; umount /m 2>/dev/null; done
echo "log"; dmesg | grep 'xfs: '
"""


def boot(root, disks, script, *more):
    argv = [os.path.join(ROOT, "ochre"), "run", "--timeout", "300", "--cpus", "2", "--rootfs", root, *more]
    for d in disks:
        argv += ["--disk", d]
    r = subprocess.run(argv + ["--", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    check(r.returncode == 0, "status %d\n%s%s" % (r.returncode, r.stdout[-3000:], r.stderr[-3000:]))
    return r.stdout.splitlines()


def contents(root, names, folder):
    disks = [recovery.unpack(n, os.path.join(folder, n)) for n in names]
    out = boot(root, disks, SCRIPT.replace("LIST", recovery.LIST).replace("$DISKS", " ".join("vd" + c for c in "abcdefgh"[:len(names)])))
    for i, n in enumerate(names):
        disk = "vd" + "abcdefgh"[i]
        log = same(n, disk, out)
        # By a mount for reading too, what is left to be freed is freed: the next one finds a clean log.
        check(sum("%s: the log was dirty" % disk in l for l in log) == 1, log)
        recovery.repair(disks[i])


def same(name, disk, out):
    """What the guest said of a disk is the listing of Linux; the guest's log."""
    begin = out.index("disk " + disk)
    got = out[begin + 1:next(j for j in range(begin + 1, len(out)) if out[j].startswith("disk ") or out[j] == "log")]
    want = recovery.listing(name)
    bad = [(a, b) for a, b in zip(got, want) if a != b]
    check(got == want, "%s: %d lines, not %d: %s" % (name, len(got), len(want), bad[:3]))
    return out[out.index("log"):]


def finished(root, folder):
    names = ["inflight", "inflight-1k"]
    disks = [recovery.unpack(n, os.path.join(folder, n)) for n in names] + [recovery.unpack("inflight", os.path.join(folder, "bad%d" % i)) for i in range(3)]
    for disk, change in zip(disks[2:], (recovery.exchange_of_wrong_length, recovery.attribute_of_unknown_kind, recovery.attribute_without_value)):
        recovery.patch(disk, change)
    before = [recovery.digest(p) for p in disks[2:]]
    out = boot(root, disks, FINISHED.replace("LIST", recovery.LIST), "--debug")
    for n, disk, path in zip(names, ("vda", "vdb"), disks):
        log = "\n".join(same(n, disk, out))
        check("%s: the log was dirty" % disk in log and "%s: recovery finished" % disk in log, log)
        recovery.repair(path)
    for words in ("vdc: the log cannot be replayed: log item", "length is wrong (208)", "vdd: the log cannot be replayed: log item",
                  "alfi_op_flags is wrong (9)", "vde: the log cannot be replayed: log item"):
        check(words in log, words + ": not in\n" + log)
    check([recovery.digest(p) for p in disks[2:]] == before, "a disk that was refused has changed")


def refused(root, folder):
    made = [recovery.unpack("names", os.path.join(folder, "refused%d" % i)) for i in range(5)]
    recovery.patch(made[0], recovery.unknown_item)
    recovery.patch(made[1], recovery.unfinished)
    recovery.patch(made[2], recovery.damaged)
    before = [recovery.digest(p) for p in made]
    out = boot(root, made, REFUSED)
    check(out[:13] == ["Invalid argument", "0", "1"] + ["Structure needs cleaning", "0", "1"] * 2 + ["Read-only file system", "0", "Invalid argument", "1"], out)
    log = "\n".join(out[13:])
    for words in ("vda: the log is dirty and cannot be replayed: it has items of an unknown type (0x1239)", "vdb: the log cannot be replayed: log item",
                  "vdc: the log cannot be replayed: log", "vdd: the log is dirty and cannot be replayed: the device is read-only", "vdd: the log was dirty"):
        check(words in log, words + ": not in\n" + log)
    # vdd was replayed in the end
    check([recovery.digest(p) for i, p in enumerate(made) if i != 3] == [b for i, b in enumerate(before) if i != 3], "a disk that was refused has changed")


def main():
    tools = setup.load() or setup.ensure()
    root = rootfs.busybox_root(tools)
    with tempfile.TemporaryDirectory() as d:
        contents(root, ["names", "names-1k", "names-old", "extents", "wrapped", "sunit", "little", "quota"], d)
        refused(root, d)
        finished(root, d)
    print("ok")


main()
