#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PCI functions that are taken away and come back by /sys (remove, rescan, unbind, bind): a disk that is open, written and mounted, a network device with a
connection, and with a stream that goes on when it is back. What was synced is there when it is back, nothing of it stays in /sys, /dev or memory, and programs hear of it as Linux tells them. The disk's part also
runs on Debian's Linux, which must say the same. usage: pci_hotplug.py [release | debug | linux]..."""
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import lockorder, rootfs, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402

MIB = 1 << 20
KINDS = {"release": 1, "debug": 4, "linux": 2}      # and how many CPUs
# vda: a disk with a partition. vdb: an XFS.
DISKS = r"""
node() { readlink -f /sys/class/block/$1/device; }
pci() { basename $(dirname $(node $1)); }
put_back() { echo 1 >/sys/bus/pci/rescan; }
A=$(pci vda); B=$(pci vdb); cd /sys/bus/pci/devices; mkdir -p /m
echo "== modes"; stat -c '%a %n' /sys/bus/pci/rescan $A/remove $A/rescan /sys/bus/pci/drivers/virtio-pci/bind /sys/bus/pci/drivers/virtio-pci/unbind
echo "== what is no number"; for w in x '' 1x -1 99999999999999999999; do echo "$w" >$A/remove && echo taken; done 2>&1 | sed 's/.*: //'
echo 0 >$A/remove; ls /dev/vda
echo "== open"; gone /dev/vda /dev/vda1 $PWD/$A/remove
echo "== gone"; ls -d /dev/vda* /sys/class/block/vda* $A /sys/bus/pci/drivers/virtio-pci/$A /sys/dev/block/254:0 2>&1 | grep -v 'No such'
echo "== back"; put_back; ls -d /dev/vda1 /sys/bus/pci/drivers/virtio-pci/$A; head -c 65536 /dev/vda1 | cmp -s - /ex && echo equal
echo "== the name of one that is open is not free"; exec 3</dev/vda; echo 1 >$A/remove; put_back; ls /dev/vdc1; exec 3<&-
echo 1 >$A/remove; put_back; ls /dev/vda1
echo "== driver"; D=/sys/bus/pci/drivers/virtio-pci
echo $A >$D/unbind; ls /dev/vda 2>&1 | sed 's/.*: //'; echo $A >$D/unbind; echo 0000:7f:1f.7 >$D/bind; echo $A >$D/bind; ls /dev/vda1
echo "== mounted"; mount -t xfs /dev/vdb /m && echo kept >/m/kept && sync /m/kept
for i in 1 2 3; do (while :; do head -c 100000 /dev/zero >/m/f$i && sync /m/f$i || break; done 2>/dev/null; echo ended) & done
for i in 1 2 3; do while ! [ -s /m/f$i ]; do usleep 10000; done; done; echo 1 >$B/remove; wait; cat /m/kept 2>&1 | sed 's/.*: //'; umount /m && echo unmounted; ls /dev/vdb 2>&1 | sed 's/.*: //'
put_back; mount -t xfs /dev/vdb /m && cat /m/kept; umount /m
echo "== events"; gone hear >/heard & while ! grep -q ready /heard 2>/dev/null; do usleep 10000; done
echo 1 >$A/remove; put_back; echo change >/sys/class/net/lo/uevent; wait
grep -E '^[a-z]+@/devices/pci' /heard | grep -v wakeup | sed 's,/devices/pci0000:00/,,'
echo "== the end"
"""
LEAKS = r"""
mount -t debugfs d /sys/kernel/debug; cycle() { for i in 1 2 3; do echo 1 >$1/remove; put_back; done; }
slabs() { awk 'NR > 2 { print $1, $2 }' /proc/slabinfo; }
cycle $A; cycle $B; sync; echo 3 >/proc/sys/vm/drop_caches; slabs >/s1; cycle $A; cycle $B; cycle $A; cycle $B; sync; echo 3 >/proc/sys/vm/drop_caches; slabs >/s2
awk 'NR == FNR { n[$1] = $2; next } $2 > n[$1] + 5 { print "more of", $1, n[$1], $2 }' /s1 /s2
cat /sys/kernel/debug/dma/quarantine
if [ -e /sys/kernel/debug/kmemleak ]; then echo scan=off >/sys/kernel/debug/kmemleak; echo min_age=0 >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; cat /sys/kernel/debug/kmemleak; fi
echo "== locks"; cat /sys/kernel/debug/lockdep/graph 2>/dev/null
echo "== leaks end"
"""
NET = r"""
E=$(basename $(readlink -f /sys/class/net/eth0/device/..)); cd /sys/bus/pci/devices; H=10.0.2.2
ask() { echo "$1" | nc -w 5 $H PORT; }
echo "== net"; ask one; (nc $H PORT </fifo >/said) & exec 4>/fifo; echo begun >&4; while ! [ -s /said ]; do usleep 10000; done
ip link add br0 type bridge; ip link set br0 up
echo 1 >$E/remove; ip link show eth0 2>&1 | grep -c "can't find"; ip route | grep -c eth0; ls /sys/class/net; exec 4>&-
echo 1 >/sys/bus/pci/rescan; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ask two
ip addr flush dev eth0; ip link set eth0 master br0; echo 1 >$E/remove; grep -c eth0 /proc/net/dev
echo 1 >/sys/bus/pci/rescan; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ask three; kill %1 2>/dev/null; wait
echo "== stream"; D=/sys/bus/virtio/drivers/virtio_net; V=$(basename $D/virtio*); ip link del br0
heard() { wc -c </heard; }; go_on() { S=$(heard); while [ $(heard) -lt $((S+200000)) ]; do usleep 10000; done; echo goes on; }
(while head -c 20000 /dev/zero; do usleep 20000; done | nc $H PORT >/heard) 2>/dev/null & while ! [ -e /heard ]; do usleep 10000; done
for i in 1 2 3; do go_on; echo $V >$D/unbind; ls /sys/class/net; echo $V >$D/bind; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; done
go_on; ask four; kill $(pidof nc); wait; echo "== net end"
"""
OPEN = """opened: 0
remove: 2
writer: EIO
the disk
read: 0
write: -1 ENOSPC
fsync: -1 EIO
size: 0
again: -1 EBUSY
the partition
read: -1 EIO
write: 4096
fsync: -1 EIO
size: 33554432
again: -1 EINVAL
open: -1 ENOENT
remove: -1 ENODEV"""
EVENTS = """remove@{0}/virtioN/block/vda/vda1
remove@{0}/virtioN/block/vda
unbind@{0}/virtioN
remove@{0}/virtioN
unbind@{0}
remove@{0}
add@{0}
add@{0}/virtioN
add@{0}/virtioN/block/vda
add@{0}/virtioN/block/vda/vda1
bind@{0}/virtioN
bind@{0}"""


def make_disk(path):
    """64 MiB with one partition of 32, which the test overwrites."""
    with open(path, "wb") as f:
        f.truncate(64 * MIB)
        f.seek(446)
        f.write(struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0x83, 0, 0, 0, 2048, 32 * 2048))
        f.seek(510)
        f.write(b"\x55\xaa")


def section(said, name):
    m = re.search(r"^== %s\n(.*?)(?=^== )" % re.escape(name), said, re.M | re.S)
    check(m, "no part %s: %s" % (name, said[-4000:]))
    return m[1].strip()


def judge(kind, said):
    check("== the end" in said, said[-5000:])
    lines = {name: section(said, name) for name in re.findall(r"^== (.*)\n", said, re.M) if "end" not in name}
    address = re.search(r"(0000:00:[0-9a-f]+\.0)/remove", lines["modes"])[1]
    check(re.sub(r" .*/", " ", lines["modes"]) == "200 rescan\n220 remove\n200 rescan\n200 bind\n200 unbind", kind + ": " + lines["modes"])
    check(lines["what is no number"] == "Invalid argument\n" * 5 + "/dev/vda", kind + ": " + lines["what is no number"])
    got = re.sub(r" $", "", lines["open"], flags=re.M)
    check(got == OPEN, "%s: %s" % (kind, got))
    check(lines["gone"] == "", "%s: %s" % (kind, lines["gone"]))
    check(lines["back"] == "/dev/vda1\n/sys/bus/pci/drivers/virtio-pci/%s\nequal" % address, "%s: %s" % (kind, lines["back"]))
    check(lines["the name of one that is open is not free"] == "/dev/vdc1\n/dev/vda1", "%s: %s" % (kind, lines["the name of one that is open is not free"]))
    check(re.sub(r"sh: ", "", lines["driver"]) == "No such file or directory\nwrite error: No such device\nwrite error: No such device\n/dev/vda1", kind + ": " + lines["driver"])
    check(lines["mounted"] == "ended\n" * 3 + "Input/output error\nunmounted\nNo such file or directory\nkept", "%s: %s" % (kind, lines["mounted"]))
    check(re.sub(r"virtio\d+", "virtioN", section(said, "events")) == EVENTS.format(address), "%s: %s" % (kind, section(said, "events")))


def answering():
    """A server that gives back what it hears; its port."""
    s = socket.create_server(("127.0.0.1", 0))

    def talk(c):
        with c:
            while data := c.recv(4096):
                c.sendall(b"heard " + data)

    def serve():
        while True:
            threading.Thread(target=talk, args=(s.accept()[0],), daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    return s.getsockname()[1]


def ours(kind, root, disks, port):
    argv = [os.path.join(ROOT, "ochre"), "run", *["--debug"] * (kind == "debug"), *appended(), "-v", "--timeout", "90", "--cpus", str(KINDS[kind]), "--rootfs", root]
    for d in disks:
        argv += ["--disk", d]
    script = DISKS + LEAKS + "mkfifo /fifo\n" + NET.replace("PORT", str(port))
    r = subprocess.run(argv + ["--", "sh", "-c", "exec 2>&1\n" + script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    no_report(r.stderr)
    return r.stdout + ("" if r.returncode == 0 else "\n== status\n%d\n%s" % (r.returncode, r.stderr[-6000:]))


def main():
    tools, port = setup.load() or setup.ensure(), answering()
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "gone", "x86_64", out=d + "/gone", sources=[ROOT + "/tests/pci/gone.c"])
        files = {"bin/gone": (rootfs.read(program), 0o755), "ex": (b"x" * 65536, 0o644)}
        images.make(d + "/xfs", images.Tree(), d)
        for kind in sys.argv[1:] or ("release", "debug"):
            disks = [d + "/disk", d + "/copy"]
            make_disk(disks[0])
            subprocess.run(["cp", d + "/xfs", disks[1]], check=True)
            if kind == "linux":
                judge(kind, linux.run(rootfs.busybox_root(tools, {**linux.files(tools, d), **files}), disks, "exec 2>&1\n" + DISKS, cpus=KINDS[kind]).replace("\r", ""))
                continue
            said = ours(kind, rootfs.busybox_root(tools, files), disks, port)
            judge(kind, said)
            check(section(said, "the end") == "0 ranges, 0 pages", "%s: %s" % (kind, section(said, "the end")))
            # Of the locks of a change of the bus; guest/lock_order has the others.
            bad = [b for b in lockorder.check(section(said, "locks").splitlines())[0] if "pci " in b or "block/" in b or "vfs/" in b or "reports" in b]
            check(not bad, bad)
            check(section(said, "net") == "heard one\n1\n0\nbr0\nlo\nheard two\n0\nheard three", "%s: %s" % (kind, said[-3000:]))
            check(section(said, "stream") == "goes on\nlo\n" * 3 + "goes on\nheard four", "%s: %s" % (kind, said[-3000:]))
    print("ok")


main()
