#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: two kernels, and xfs_repair after each step
"""Unmodified xfs_io, xfs_bmap and fstrim on a mounted XFS: the label, where blocks are, counters, AGs, discards. The images are sound afterwards."""
import os
import re
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import setup  # noqa: E402
import admin  # noqa: E402
import images  # noqa: E402
import memtx  # noqa: E402

# %s: what the step is called; each prints its own lines behind "== NAME"
SCRIPT = r"""
exec 2>&1; export PATH=$PATH:/usr/sbin
mkdir -p /m /n /tmp; mount -t tmpfs none /tmp; mount -t xfs /dev/vda /m || exit 1
step() { echo "== $1"; }
step threads; sleep 1; cut -d' ' -f2,3 /proc/[0-9]*/stat | grep xfs
step label; xfs_io -c label /m; xfs_io -c 'label -s twelve_chars' /m; xfs_io -c label /m; xfs_io -c 'label -s thirteen_char' /m
step refused; chmod 777 /m; su nobody -s /bin/sh -c '/usr/sbin/xfs_io -r -c "label -s no" /m; fstrim /m'
step bmap; cd /m; xfs_io -f -c 'pwrite -q 0 8k' -c 'pwrite -q 64k 4k' -c 'falloc 128k 16k' -c fsync f; xfs_bmap -v f; xfs_bmap -vp f; xfs_bmap f; touch e; xfs_bmap e; xfs_bmap -a f
step delayed; xfs_io -f -c 'pwrite -q 0 64k' -c 'bmap -e' g
step shared; xfs_io -f -c 'reflink f' h; xfs_bmap -v h
step counts; xfs_io -r -c statfs . | grep counts.; xfs_io -x -c resblks -c 'resblks 100' -c 'resblks 99999999' -c 'resblks 819' . ; xfs_spaceman -c 'info' . | head -3; xfs_spaceman -c 'health' . >/dev/null
step ags; for i in 0 3 4; do xfs_io -r -c "aginfo -a $i" . 2>&1; done
step bulk; mkdir many; for i in $(seq 150); do : > many/$i; done; head -c 12345 /dev/zero > many/7; mknod many/pipe p; ln many/3 many/link; chown 77:88 many/5; rm many/6 many/90; sync
find . -xdev | xargs stat -c '%i %h %f' | sort -u -n > /tmp/seen; wc -l < /tmp/seen
for n in 1 9 5000; do xfs_io -r -c "bulkstat -n $n" . | awk '/bs_ino/ { i = $3 } /bs_nlink/ { l = $3 } /bs_mode/ { print i, l, $3 }' > /tmp/told; wc -l < /tmp/told; done
head -3 /tmp/told; xfs_io -r -c "bulkstat -s $(stat -c %i many/7) -n 1 -e $(stat -c %i many/7)" . | grep -E 'bs_(ino|size|mode|uid)'; stat -c 'ino %i' many/7
cut -d' ' -f1 /tmp/told > /tmp/a; cut -d' ' -f1 /tmp/seen > /tmp/b; cmp /tmp/a /tmp/b && echo same; xfs_io -r -c 'bulkstat -a 3' . | grep -c bs_ino
step inumbers; xfs_io -r -c inumbers . | grep -E 'count|version' | head -2; xfs_io -r -c 'inumbers -n 1' . | awk '/alloccount/ { n += $3 } END { print n }'
step nobody; su nobody -s /bin/sh -c 'xfs_io -r -c bulkstat .; xfs_io -r -c inumbers .'
step damage; i=$(stat -c %i many/7); cd /; umount /m; printf XX | dd of=/dev/vda bs=1 seek=$((i * 512)) conv=notrunc status=none; mount -t xfs /dev/vda /m || exit 1
xfs_io -r -c 'bulkstat -v 5 -n 5000' /m > /tmp/told 2> /tmp/why; cat /tmp/why; i2=$(awk '/bs_ino/ { i = $3 } END { print i }' /tmp/told); [ "$i2" -lt "$i" ] && echo before
umount /m; printf IN | dd of=/dev/vda bs=1 seek=$((i * 512)) conv=notrunc status=none
step remount; a=$((2 * 4096 * 4096 + 512)); printf XX | dd of=/dev/vda bs=1 seek=$a conv=notrunc status=none; mount -t xfs -o ro /dev/vda /m || exit 1
for n in 1 2; do mount -o remount,rw /m 2>&1 | head -1; xfs_io -r -c statfs /m | grep allocino; done; umount /m
printf XA | dd of=/dev/vda bs=1 seek=$a conv=notrunc status=none; mount -t xfs /dev/vda /m && wc -c < /m/many/7; umount /m
step trim; cat /dev/vda > /tmp/img; losetup -f /tmp/img || ls /dev /tmp; mount -t xfs /dev/loop0 /n || exit 1
cat /dev/urandom | head -c 3000000 > /n/kept; sum=$(md5sum < /n/kept)
cat /dev/urandom | head -c 20000000 > /n/gone; sync; du -k /tmp/img; rm /n/gone; sync; fstrim -v /n; du -k /tmp/img
fstrim -v -m 1g /n; fstrim -v -o 1g /n; fstrim -v -l 20m /n
[ "$sum" = "$(md5sum < /n/kept)" ] && echo kept; umount /n; mount -t xfs /dev/loop0 /n; [ "$sum" = "$(md5sum < /n/kept)" ] && echo kept again
umount /n
step discard; fill() { head -c 20000000 /dev/urandom > /n/gone; sync; }; room() { sync; du -k /tmp/img | cut -f1; }
mount -t xfs -o discard /dev/loop0 /n; grep -o ',discard,inode64' /proc/mounts; fill; room; rm /n/gone; sync; umount /n; room; mount -t xfs -o discard /dev/loop0 /n
fill; truncate -s 10000000 /n/gone; xfs_io -c 'fpunch 1m 4m' /n/gone; sync; mount -o remount,nodiscard /n; grep -c ',discard,' /proc/mounts; rm /n/gone; umount /n; room
mount -t xfs /dev/loop0 /n; mount -o remount,discard /n; fill; rm /n/gone; fill; rm /n/gone; umount /n; room; mount -t xfs /dev/loop0 /n; [ "$sum" = "$(md5sum < /n/kept)" ] && echo kept
umount /n; step wsync; mount -t xfs -o wsync /dev/loop0 /n; grep -o ',wsync,' /proc/mounts; head -c 1000000 /dev/urandom > /n/src; : > /n/copy; sync
xfs_io -c 'reflink -q /n/src' /n/copy; mkdir /n/dir; ln /n/src /n/dir/name; xfs_io -x -c shutdown /n; umount /n; mount -t xfs /dev/loop0 /n
cmp /n/src /n/copy && cmp /n/src /n/dir/name && echo durable; umount /n
cat /tmp/img > /dev/vdb; sync; dmesg | grep -iE 'warning|bug:|lockdep:|xfs.*wrong' | grep -vE "inode $i: magic|AGF 65537: magic"; step end
"""


def steps(said):
    parts = re.split(r"^== (\w+)\n", said, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


MAPS = (r"0: \[0\.\.15\]: (\d+)\.\.\d+\n\t1: \[16\.\.127\]: hole\n\t2: \[128\.\.135\]: \d+\.\.\d+\n\t3: \[136\.\.255\]: hole\n\t4: \[256\.\.287\]: \d+\.\.\d+\n"
        r"e: no extents\nf: no extents")


def judge(s):
    check(s["threads"].splitlines() and all(line.endswith(") I") for line in s["threads"].splitlines()), s["threads"])
    check(s["label"].splitlines() == ['label = "first"', 'label = "twelve_chars"', 'label = "twelve_chars"', "label: Invalid argument"], s["label"])
    check(sorted(s["refused"].splitlines()) == ["fstrim: FITRIM: Operation not permitted", "label: Operation not permitted"], s["refused"])
    check(re.search(MAPS, s["bmap"]) and re.search(r"4: \[256\.\.287\]: .* 010000\n", s["bmap"]), s["bmap"])
    check("0: [0..127]: delalloc" in s["delayed"], s["delayed"])
    check(len(re.findall(r" 100000$", s["shared"], flags=re.M)) == 2 and "3: [136..287]:      hole" in s["shared"], s["shared"])
    check("counts.allocino = 64\nreserved blocks = 819\navailable reserved blocks = 819\nreserved blocks = 100\navailable reserved blocks = 100\nreserved blocks = 99999999\navailable reserved blocks = 1" in s["counts"] and "agcount=4, agsize=4096" in s["counts"], s["counts"])
    check(re.search(r"^AG: 0\nBlocks: 4096\nFree Blocks: 3\d+\nInodes: 64\n(.*\n)+AG: 3\nBlocks: 4096\n(.*\n)+aginfo: Invalid argument$", s["ags"], flags=re.M), s["ags"])
    lines = s["bulk"].splitlines()
    check(lines[:4] == ["155"] * 4 and lines[-2:] == ["same", "0"], s["bulk"])
    ino, size, uid, mode, stat = (n.split()[-1] for n in lines[-7:-2])
    check((ino, size, uid, mode) == (stat, "12345", "0", "0100644"), s["bulk"])
    check("xi_version = 5" in s["inumbers"] and s["inumbers"].endswith("\n157\n"), s["inumbers"])        # two are the realtime device's
    check("bs_ino" not in s["nobody"] and "xi_" not in s["nobody"], s["nobody"])
    check(re.search(r"^.*: Structure needs cleaning\nbefore$", s["damage"], flags=re.M), s["damage"])
    check([w for w in ("cleaning\n", "error\n", "12345\n") if w in s["remount"]] == ["cleaning\n", "error\n", "12345\n"], s["remount"])
    was, trimmed, now, *rest = s["trim"].splitlines()
    check(int(was.split()[0]) == 65536 and int(now.split()[0]) < 16000 and int(trimmed.split()[1]) > 40 << 20, s["trim"])
    shown, full, gone, hidden, half, last, kept = s["discard"].splitlines()
    full, gone, half, last = int(full), int(gone), int(half), int(last)
    check((shown, hidden, kept) == (",discard,inode64", "0", "kept") and full > gone + 19000 and gone + 5000 < half < gone + 8000 and last < half - 4000, s["discard"])
    check(s["wsync"] == ",wsync,\ndurable\n", s["wsync"])
    check(rest[:2] == ["fstrim: FITRIM: Invalid argument"] * 2 and 1 << 20 < int(rest[2].split()[1]) <= 20 << 20 and rest[3:] == ["kept", "kept again"], s["trim"])


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = admin.root(tools)
        disk, other = d + "/disk", d + "/other"
        images.make(disk, images.Tree(3), d, size="64m", options=("-m", "rmapbt=1,reflink=1", "-L", "first"), suite="sid")
        with open(other, "wb") as f:
            f.truncate(64 << 20)
        status, said = memtx.ochre("run", *sys.argv[1:] or ["--debug"], "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", disk, "--disk", other, "--", "sh", "-c", SCRIPT)
        s = steps(said.replace("\r", ""))
        check(status == 0 and "end" in s and not s["end"].strip(), "status %d\n%s" % (status, said[-6000:]))
        judge(s)
        memtx.judge(disk)
        memtx.judge(other)
    print("ok")


main()
