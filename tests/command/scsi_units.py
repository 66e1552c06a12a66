#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SCSI units that come and go: the host's device_add, device_del and block_resize, told by events and not told; scan, delete and rescan in /sys; a disk that is open,
written, mounted. It also runs on Debian's Linux, which must say the same. usage: scsi_units.py [release | debug | aarch64 | linux]..."""
import os
import re
import subprocess
import sys
import tempfile

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
for folder in ("tools", "tests/xfs", "tests/pci"):
    sys.path.insert(0, os.path.join(ROOT, folder))
from ochre import disk, lockorder, rootfs, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
from qmp import Monitor  # noqa: E402

MIB = 1 << 20
KINDS = {"release": 1, "debug": 4, "aarch64": 1, "linux": 2}    # and how many CPUs
# Host 0 tells of what happens to it, host 1 does not. sda lies behind host 0 and has a partition, sdb is an XFS behind host 1.
GUEST = r"""
H=/sys/class/scsi_host; B=/sys/bus/scsi/devices; mkdir -p /m
there() { while ! [ -e $1 ]; do usleep 10000; done; }
gone() { while [ -e $1 ]; do usleep 10000; done; }
is() { while [ "$(cat $1)" != $2 ]; do usleep 10000; done; }
# What host 1 does not tell: host 0 does, once it is done.
done_that() { echo "ask: plug 0 7 0"; there $B/0:0:7:0; echo "ask: unplug 0 7 0"; gone $B/target0:0:7; }
errors() { sed 's/.*: //'; }
echo "== modes"; stat -c '%a %n' $H/host0/scan /sys/block/sda/device/delete /sys/block/sda/device/rescan | sed 's,/sys/.*/,,'
echo "== wrong"; for w in x '' - '- -' '- - - -' '1 0 0' '0 256 0' '0 0 32769' '0 0 0y' '0 -1 0'; do echo "$w" >$H/host0/scan && echo taken; done 2>&1 | errors
cat $H/host0/scan 2>&1 | errors; for u in "0 0 0" "0x0 1 2" "- - -" "0 0 20000"; do echo "$u" >$H/host0/scan || echo refused; done; ls $B
echo "== delete"; D=$(readlink -f /sys/block/sda/device); echo 1 >$D/delete; ls -d /dev/sda* /sys/block/sda $D $D/.. $B/0:0:0:0 $B/target0:0:0 /sys/class/scsi_disk/0:0:0:0 2>&1 | grep -v 'No such'; ls $B
echo "0 1 0" >$H/host0/scan; ls /dev/sda 2>&1 | errors; echo "0 0 0" >$H/host0/scan; there /dev/sda1; head -c 8 /dev/sda; ls $B
echo "== open"; exec 3</dev/sda; echo x >/sys/block/sda/device/delete; head -c 1 <&3 2>&1 | wc -c; echo "- - -" >$H/host0/scan; there /dev/sdc1; ls /dev/sda 2>&1 | errors; exec 3<&-
echo 1 >/sys/block/sdc/device/delete; echo "- - -" >$H/host0/scan; there /dev/sda1; ls /dev/sdc 2>&1 | errors
echo "== drivers"; S=/sys/bus/scsi/drivers; U=0:0:0:0; P=/sys/bus/scsi/drivers_probe; A=/sys/bus/scsi/drivers_autoprobe; stat -c %a $S/sd/bind $S/sr/unbind $P $A
for w in '' x 0:0:0:1 0:0:0 00:0:0:0 0:0:0:0:0 9:0:0:0 host0 target0:0:0 0:0:3:0; do echo "$w" >$S/sd/unbind && echo taken; done 2>&1 | errors | uniq -c | sed 's/^ *//'
{ echo $U >$S/sd/bind; echo 0:0:3:0 >$S/sd/bind; echo $U >$S/sr/unbind; echo 0:0:0:1 >$S/sd/bind; echo 0:0:0:1 >$P; } 2>&1 | errors
echo $U >$S/sd/unbind; ls -d /dev/sda* /sys/block/sda $B/$U/driver $B/$U/scsi_disk $S/sd/$U /sys/class/scsi_disk/$U 2>&1 | grep -v 'No such'; ls $B $B/$U/scsi_device; grep DRIVER $B/$U/uevent
{ echo $U >$S/sd/unbind; echo $U >$S/sr/bind; } 2>&1 | errors; echo "- - -" >$H/host0/scan; ls /dev/sda 2>&1 | errors; dd if=/dev/sda of=/dev/null count=1 2>&1 | errors
echo $U >$S/sd/bind; there /dev/sda1; head -c 8 /dev/sda; readlink $B/$U/driver | sed 's,.*/,,'; ls -d $S/sd/$U $B/$U/scsi_disk/$U; grep DRIVER $B/$U/uevent
echo $U >$S/sd/unbind; echo $U >$P; there /dev/sda1; echo $U >$P; echo 0:0:3:0 >$P; cat $A; echo 0 >$A; cat $A; echo 1 >$B/$U/delete; echo "0 0 0" >$H/host0/scan; ls $B; ls /dev/sda 2>&1 | errors
echo 1 >$A; cat $A; echo $U >$P; there /dev/sda1; echo 0:0:3:0 >$S/sr/unbind; ls /dev/sr0 2>&1 | errors; echo 0:0:3:0 >$S/sr/bind; there /dev/sr0; ls /sys/class/block | grep s[dr]
echo "== plugged"; echo "ask: plug 0 1 0"; there /sys/block/sdc; cat /sys/block/sdc/size /sys/block/sdc/device/vendor; echo $(basename $(readlink /sys/block/sdc/device))
echo "ask: plug 0 1 5"; there /sys/block/sdd; echo $(basename $(readlink /sys/block/sdd/device)); ls $B
head -c 1048576 /dev/zero | tr '\0' w >/dev/sdc; sync; head -c 1048576 /dev/sdc | tr -d w | wc -c
echo "ask: resize 0 1 0"; is /sys/block/sdc/size 65536
echo "ask: unplug 0 1 0"; gone /sys/block/sdc; ls $B; echo "ask: unplug 0 1 5"; gone /sys/block/sdd; gone $B/target0:0:1; ls $B
echo "== silent"; echo "ask: plug 1 2 0"; done_that; ls $B; echo "- - -" >$H/host1/scan; ls $B; there /sys/block/sdc; cat /sys/block/sdc/size
echo "ask: resize 1 2 0"; done_that; cat /sys/block/sdc/size; echo 1 >/sys/block/sdc/device/rescan; cat /sys/block/sdc/size
echo "ask: unplug 1 2 0"; done_that; ls -d /sys/block/sdc; dd if=/dev/sdc of=/dev/null bs=4k count=1 skip=1000 2>&1 | grep -o 'Input/output error\|No such.*' ; echo 1 >/sys/block/sdc/device/delete; ls -d /sys/block/sdc 2>&1 | errors
echo "== mounted"; mount -t xfs /dev/sdb /m; echo kept >/m/kept; sync /m/kept
for i in 1 2 3; do (while :; do head -c 100000 /dev/zero >/m/f$i && sync /m/f$i || break; done 2>/dev/null; echo ended) & done
for i in 1 2 3; do while ! [ -s /m/f$i ]; do usleep 10000; done; done; echo 1 >/sys/block/sdb/device/delete; wait; cat /m/kept 2>&1 | errors; umount /m && echo unmounted; ls /dev/sdb 2>&1 | errors
echo "- - -" >$H/host1/scan; there /dev/sdb; mount -t xfs /dev/sdb /m; cat /m/kept; umount /m
exec 3</dev/sda; head -c 4096 <&3 >/dev/null; echo $U >$S/sd/unbind; echo 3 >/proc/sys/vm/drop_caches; head -c 1 <&3 2>&1 | wc -c; exec 3<&-; echo $U >$S/sd/bind; there /dev/sda1
echo "== rounds"; rounds() { for i in $(seq $1); do echo 1 >$B/0:0:0:0/delete; echo "0 0 0" >$H/host0/scan; until ls -d $B/0:0:0:0/block/*/*1 >/dev/null 2>&1; do usleep 10000; done; done; }
(while :; do head -c 65536 /dev/sda >/dev/null; [ -e /stop ] && break; done 2>/dev/null) & rounds 20; touch /stop; wait; rounds 1; ls /sys/block | grep sd
echo "== events"; gone_hear() { hear hear >/heard & while ! grep -q ready /heard 2>/dev/null; do usleep 10000; done; }; gone_hear
echo 1 >/sys/block/sda/device/delete; echo "0 0 0" >$H/host0/scan; while ! grep -q ^bind /heard; do usleep 10000; done
echo $U >$S/sd/unbind; echo $U >$S/sd/bind; echo change >/sys/class/net/lo/uevent; wait
grep -E '^[a-z]+@/devices' /heard | grep -v 'wakeup\|/bsg/\|scsi_generic\|/bdi/' | sed 's,@.*/host0,@,'
echo "== the end"
"""
# Linux 7.3 dies of a driver that goes below a mounted XFS (scsi_queue_rq asks the unit's driver, which is none).
OURS = r"""
echo "== below"; mount -t xfs /dev/sdb /m; echo more >>/m/kept
echo 1:0:0:0 >$S/sd/unbind; cat /m/kept 2>&1 | errors; umount /m && echo unmounted; echo 1:0:0:0 >$S/sd/bind; there /dev/sdb; mount -t xfs /dev/sdb /m; cat /m/kept; umount /m
unbound() { for i in $(seq $1); do echo $U >$S/sd/unbind; echo $U >$S/sd/bind; done; }
mount -t debugfs d /sys/kernel/debug; slabs() { awk 'NR > 2 { print $1, $2 }' /proc/slabinfo; }
rounds 10; unbound 10; sync; echo 3 >/proc/sys/vm/drop_caches; slabs >/s1; rounds 40; unbound 40; sync; echo 3 >/proc/sys/vm/drop_caches; slabs >/s2
echo "== slabs"; awk 'NR == FNR { n[$1] = $2; next } $2 > n[$1] + 12 { print "more of", $1, n[$1], $2 }' /s1 /s2
echo "== locks"; cat /sys/kernel/debug/lockdep/graph 2>/dev/null
echo "== quarantine"; cat /sys/kernel/debug/dma/quarantine
K=/sys/kernel/debug/kmemleak; echo "== leaks"
if [ -e $K ]; then echo scan=off >$K; echo min_age=0 >$K; echo scan >$K; echo scan >$K; cat $K; fi
echo "== all"
"""
FIRST = "0:0:0:0\n0:0:3:0\n1:0:0:0\nhost0\nhost1\ntarget0:0:0\ntarget0:0:3\ntarget1:0:0"
PLUGGED = "0:0:0:0\n%s0:0:3:0\n1:0:0:0\nhost0\nhost1\ntarget0:0:0\n%starget0:0:3\ntarget1:0:0"
SILENT = "0:0:0:0\n0:0:3:0\n1:0:0:0\n1:0:2:0\nhost0\nhost1\ntarget0:0:0\ntarget0:0:3\ntarget1:0:0\ntarget1:0:2"
SAID = {
    "modes": "200 scan\n200 delete\n200 rescan",
    "wrong": "Invalid argument\n" * 10 + "Permission denied\n" + FIRST,
    "delete": "0:0:3:0\n1:0:0:0\nhost0\nhost1\ntarget0:0:3\ntarget1:0:0\nNo such file or directory\nthe disk" + FIRST,
    "open": "0" + 2 * "\nNo such file or directory",
    "drivers": """200
200
200
644
10 No such device
Device or resource busy
Device or resource busy
No such device
No such device
No such device
/sys/bus/scsi/devices:
0:0:0:0
0:0:3:0
1:0:0:0
host0
host1
target0:0:0
target0:0:3
target1:0:0

/sys/bus/scsi/devices/0:0:0:0/scsi_device:
0:0:0:0
No such device
No such device
No such file or directory
No such file or directory
the disksd
/sys/bus/scsi/devices/0:0:0:0/scsi_disk/0:0:0:0
/sys/bus/scsi/drivers/sd/0:0:0:0
DRIVER=sd
1
0
0:0:0:0
0:0:3:0
1:0:0:0
host0
host1
target0:0:0
target0:0:3
target1:0:0
No such file or directory
1
No such file or directory
sda
sda1
sdb
sr0""",
    "plugged": "\n".join(["32768", "QEMU", "0:0:1:0", "0:0:1:5", PLUGGED % ("0:0:1:0\n0:0:1:5\n", "target0:0:1\n"), "0",
                          PLUGGED % ("0:0:1:5\n", "target0:0:1\n"), FIRST]),
    "silent": "\n".join([FIRST, SILENT, "32768", "32768", "65536", "/sys/block/sdc", "Input/output error", "No such file or directory"]),
    "rounds": "sda\nsdb",
    "events": """remove@/target0:0:0/0:0:0:0/scsi_device/0:0:0:0
remove@/target0:0:0/0:0:0:0/scsi_disk/0:0:0:0
remove@/target0:0:0/0:0:0:0/block/sda/sda1
remove@/target0:0:0/0:0:0:0/block/sda
unbind@/target0:0:0/0:0:0:0
remove@/target0:0:0/0:0:0:0
remove@/target0:0:0
add@/target0:0:0
add@/target0:0:0/0:0:0:0
add@/target0:0:0/0:0:0:0/scsi_device/0:0:0:0
add@/target0:0:0/0:0:0:0/scsi_disk/0:0:0:0
add@/target0:0:0/0:0:0:0/block/sda
add@/target0:0:0/0:0:0:0/block/sda/sda1
bind@/target0:0:0/0:0:0:0
remove@/target0:0:0/0:0:0:0/scsi_disk/0:0:0:0
remove@/target0:0:0/0:0:0:0/block/sda/sda1
remove@/target0:0:0/0:0:0:0/block/sda
unbind@/target0:0:0/0:0:0:0
add@/target0:0:0/0:0:0:0/scsi_disk/0:0:0:0
add@/target0:0:0/0:0:0:0/block/sda
add@/target0:0:0/0:0:0:0/block/sda/sda1
bind@/target0:0:0/0:0:0:0
change@/devices/virtual/net/lo""",
    "mounted": "ended\n" * 3 + "Input/output error\nunmounted\nNo such file or directory\nkept\n0",
}


class Host:
    """What the guest asks for."""

    def __init__(self, d):
        self.d, self.m = d, None

    def do(self, what, *at):
        self.m = self.m or Monitor(os.path.join(self.d, "qmp"))
        name = "u%s-%s-%s" % at if at else ""
        node = "b" + name[1:]
        if what == "plug":
            path = os.path.join(self.d, name)
            with open(path, "wb") as f:
                f.truncate(16 * MIB)
            self.m.ask("blockdev-add", **{"driver": "raw", "node-name": node, "file": {"driver": "file", "filename": path}})
            self.m.ask("device_add", driver="scsi-hd", bus="h%s.0" % at[0], id=name, drive=node, **{"scsi-id": int(at[1]), "lun": int(at[2])})
        elif what == "resize":
            self.m.ask("block_resize", **{"node-name": node, "size": 32 * MIB})
        elif what == "unplug":
            self.m.ask("device_del", id=name)
            self.m.deleted(name)
            self.m.ask("blockdev-del", **{"node-name": node})


def qemu(kind, d):
    """
    One thread emulates all CPUs: QEMU 10.0 ends with an assertion (iotlb_to_section) where a CPU uses a device's memory while another, in its own
    thread, changes the map of addresses.
    """
    return (f"-accel tcg,thread=single -qmp unix:{d}/qmp,server=on,wait=off -device virtio-scsi-pci,id=h0 -drive if=none,id=x0,format=raw,file={d}/disk "
            f"-device scsi-hd,bus=h0.0,drive=x0 -drive if=none,id=x1,format=raw,file={d}/cd,readonly=on -device scsi-cd,bus=h0.0,drive=x1,scsi-id=3 "
            f"-device virtio-scsi-pci,id=h1,hotplug=off,param_change=off -drive if=none,id=x2,format=raw,file={d}/xfs -device scsi-hd,bus=h1.0,drive=x2")


def run(kind, tools, d):
    arch = "aarch64" if kind == "aarch64" else "x86_64"
    script = GUEST + OURS * (kind != "linux")
    argv = [ROOT + "/ochre", "run", "--arch", arch, "--cpus", str(KINDS[kind]), "--timeout", "300", "--net", "none", "--accel", "tcg", "--qemu", qemu(kind, d)]
    program = rootfs.build_user(tools, "hear", arch, out=d + "/hear", sources=[ROOT + "/tests/pci/gone.c"])
    files = {"bin/hear": (rootfs.read(program), 0o755)}
    if kind == "linux":
        argv += ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"]
        files, script = {**disk.modules(arch, (*disk.OF_DISKS, "sr_mod")), **files}, linux.LOAD + script
    else:
        argv += ["-v", *["--debug"] * (kind == "debug"), *appended()]
    said, host = [], Host(d)
    with open(os.path.join(d, "err"), "w+", encoding="utf-8", errors="replace") as err:
        with subprocess.Popen(argv + ["--rootfs", rootfs.busybox_root(tools, files, arch), "--", "sh", "-c", "exec 2>&1\n" + script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=err, text=True, errors="replace") as p:
            try:
                for line in p.stdout:
                    said.append(line.rstrip("\r\n"))
                    if os.environ.get("SHOW"):
                        print(said[-1], flush=True)
                    if said[-1].startswith("ask: "):
                        host.do(*said[-1].split()[1:])
            except BaseException:
                p.terminate()
                print("\n".join(said[-30:]))
                raise
        err.seek(0)
        console = err.read()
    return "\n".join(said) + "\n", console


def section(said, name, console):
    m = re.search(r"^== %s\n(.*?)(?=^== )" % re.escape(name), said, re.M | re.S)
    check(m, "no part %s: %s\n%s" % (name, said[-1000:], console[-4000:]))
    kernel = re.compile(r"\[ *\d+\.\d+\]")
    return "\n".join(s.strip() for s in m[1].splitlines() if not s.startswith("ask: ") and not kernel.match(s))


def main():
    tools = setup.load() or setup.ensure()
    for kind in sys.argv[1:] or ("release", "debug"):
        with tempfile.TemporaryDirectory() as d:
            images.make(d + "/xfs", images.Tree(), d)
            with open(d + "/disk", "wb") as f:
                f.write(b"the disk")
                f.truncate(64 * MIB)
                f.seek(446)
                f.write(bytes([0, 0, 2, 0, 0x83, 0, 0, 0]) + (2048).to_bytes(4, "little") + (32 * 2048).to_bytes(4, "little"))
                f.seek(510)
                f.write(b"\x55\xaa")
            with open(d + "/cd", "wb") as f:
                f.truncate(MIB)
            said, console = run(kind, tools, d)
            for name, expected in SAID.items():
                got = section(said, name, console)
                check(got == expected, "%s: %s:\n%s\n%s" % (kind, name, got, console[-4000:]))
            check("== the end" in said, "%s: %s" % (kind, console[-4000:]))
            if kind == "linux":
                continue
            no_report(console)
            below = section(said, "below", console)
            check(below == "Input/output error\nunmounted\nkept\nmore", below)
            slabs, quarantine, leaks, locks = (section(said, n, console) for n in ("slabs", "quarantine", "leaks", "locks"))
            check(quarantine == "0 ranges, 0 pages", quarantine)
            check(slabs + leaks == "", slabs + leaks)
            bad = [b for b in lockorder.check(locks.splitlines())[0] if "scsi" in b or "reports" in b]
            check(not bad, bad)
    print("ok")


main()
