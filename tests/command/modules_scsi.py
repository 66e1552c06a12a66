#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SCSI as a module: init loads it for a host that is there, a program by the MODALIAS of one that comes; an open disk keeps it loaded (EWOULDBLOCK), a host with idle disks does
not, and rmmod takes both away; a root on such a disk is mounted with no other step, and keeps it, too; many rounds of load and unload with readers of the disk, of /sys
and searches in flight, on the debug kernel with 4 CPUs, leave nothing.
usage: modules_scsi.py [--arch CPU [--short]] [--rounds N]"""
import os
import subprocess
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import build, disk, rootfs, setup  # noqa: E402

ARCH = sys.argv[sys.argv.index("--arch") + 1] if "--arch" in sys.argv else "x86_64"
SHORT = "--short" in sys.argv
COUNT = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 10
USED = "cut -d' ' -f1,3,5 /proc/modules | grep scsi"
WAY = USED.join(["""exec 2>&1; B=/sys/bus/virtio; D=$(for d in $B/devices/*; do grep -q d00000008 $d/modalias && echo $d; done)
""", """; ls /dev/sd*; echo $(head -c 8 /dev/sda); readlink $D/driver | sed 's,.*/,,'; readlink $B/drivers/virtio_scsi/module; ls /sys/module/virtio_scsi/drivers; readlink /sys/module/virtio_scsi/drivers/virtio:virtio_scsi
exec 3</dev/sda; """, """; rmmod virtio_scsi; echo $(head -c 4 <&3); exec 3<&-
rmmod virtio_scsi && grep -c scsi /proc/modules; ls /dev /sys/block /sys/bus/scsi/devices /sys/class/scsi_host 2>/dev/null | grep -c '^sd\\|:0:\\|^host'
ls $B/drivers | grep -c scsi; ls -d $D/driver $D/host*; ls -d /sys/bus/scsi /sys/class/scsi_* 2>/dev/null
modprobe $(cat $D/modalias); """, """; echo $(head -c 8 /dev/sda)
rmmod virtio_scsi; modprobe scsi:t-0x00; ls /dev/sda; rmmod virtio_scsi; modprobe sd_mod; rmmod virtio_scsi
P=$(readlink -f $D/..); echo 1 >$P/remove; modprobe virtio_scsi; ls /sys/bus/scsi/devices | grep -c .; ls -d /sys/bus/scsi/drivers/sd /sys/class/scsi_disk; rmmod virtio_scsi; ls /sys/bus /sys/class | grep scsi
echo 1 >/sys/bus/pci/rescan; modprobe $(cat $B/devices/*/modalias | grep d00000008); echo $(head -c 8 /dev/sda)
exec 3</dev/sda; echo $(basename $D) >$B/drivers/virtio_scsi/unbind; ls /dev/sda; rmmod virtio_scsi; exec 3<&-; rmmod virtio_scsi; grep -c scsi /proc/modules; true"""])
IN_USE = "rmmod: can't unload module 'virtio_scsi': Resource temporarily unavailable"
SAID = ["virtio_scsi 0 Live", "/dev/sda", "the disk", "virtio_scsi", "../../../../module/virtio_scsi", "virtio:virtio_scsi", "../../../bus/virtio/drivers/virtio_scsi", "virtio_scsi 1 Live", IN_USE, "the", "0", "0", "0",
        "ls: DEVICE/driver: No such file or directory", "ls: DEVICE/host*: No such file or directory", "virtio_scsi 0 Live", "the disk", "/dev/sda", "0", "/sys/bus/scsi/drivers/sd", "/sys/class/scsi_disk", "the disk",
        "ls: /dev/sda: No such file or directory", IN_USE, "0"]
ROUNDS = """exec 2>/dev/null; B=/sys/bus/virtio/drivers; slabs() { sync; echo 3 >/proc/sys/vm/drop_caches; awk 'NR > 2 { print $1, $2 }' /proc/slabinfo; }
for i in 1 2 3; do (while [ ! -e /end ]; do head -c 3000000 /dev/sda >/dev/null; done) & done
(while [ ! -e /end ]; do cat /sys/bus/scsi/devices/*/vendor /sys/bus/scsi/devices/*/uevent /sys/class/scsi_host/*/nr_hw_queues /sys/block/sda/size; done >/dev/null) &
(while [ ! -e /end ]; do for h in /sys/class/scsi_host/host*; do echo '- - -' >$h/scan; done; for d in /sys/bus/scsi/devices/*:*:*:*; do echo 1 >$d/rescan; done; done) &
(while [ ! -e /end ]; do lsmod >/dev/null; for d in $B/virtio_scsi/virtio*; do basename $d >$B/virtio_scsi/unbind; done; usleep 50000; done) &
rounds() { n=0; while [ $n -lt $1 ]; do modprobe virtio_scsi; usleep $((n % 7 * 20000)); until rmmod virtio_scsi; do :; done; n=$((n+1)); done; }
more() { slabs >/s2; awk 'NR == FNR { n[$1] = $2; next } $2 > n[$1] + 60 { print "more of", $1, n[$1], $2 }' /s1 /s2 >/more; [ -s /more ]; }
rounds 15; slabs >/s1; rounds COUNT; : >/end; wait; grep -c scsi /proc/modules
n=0; while more && [ $n -lt 40 ]; do n=$((n+1)); usleep 500000; done; cat /more; dmesg | grep 'still holds\\|stays for ever\\|given up'
K=/sys/kernel/debug; mount -t debugfs d $K; cat $K/dma/quarantine; if [ -e $K/kmemleak ]; then cd $K; echo scan=off >kmemleak; echo min_age=0 >kmemleak; echo scan >kmemleak; echo scan >kmemleak; cat kmemleak; fi
modprobe virtio_scsi; head -c 8 /dev/sda; cat /proc/interrupts | grep -c virtio-scsi"""


def run(script, *words, drive=None):
    qemu = ["--qemu", "-device virtio-scsi-pci,id=h -drive if=none,id=x,format=raw,file=%s -device scsi-hd,bus=h.0,drive=x" % drive] if drive else []
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", "--arch", ARCH, "--accel", "tcg", "--timeout", "900", "--net", "none", *qemu, *words, "--", "sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    check(r.returncode == 0, "status %d\n%s%s" % (r.returncode, r.stdout[-3000:], r.stderr[-4000:]))
    no_report(r.stderr)
    return r.stdout.splitlines(), r.stderr


def ways(tools, d):
    build.build(tools, ARCH, False, quiet=True)
    info = rootfs.read(os.path.join(build.outdir(ARCH, False), "modules/virtio_scsi.ko")).split(b"\0")
    check(all(x in info for x in (b"alias=virtio:d00000008v*", b"alias=scsi:t-0x00*", b"alias=sd_mod", b"name=virtio_scsi", b"intree=Y")), repr(info)[:3000])
    said, console = run(WAY, drive=d + "/disk")
    device = next((line.split()[1].rsplit("/", 1)[0] for line in said if line.startswith("ls: /sys")), "")
    said = [line.replace(device, "DEVICE") if device else line for line in said]
    check(said == SAID, "\n".join(said) + console[-3000:])


def root(tools, d):
    image = os.path.join(d, "image")
    disk.make(rootfs.busybox_root(tools, arch=ARCH), image, size=512 << 20)
    os.chmod(image, 0o644)
    said, console = run("mount | head -1 | cut -d' ' -f1-5; " + USED + "; rmmod virtio_scsi 2>&1; rm -f /x; echo kept >/x; cat /x", "--disk-bus", "scsi", "--rootfs", image)
    check(said[0] == "/dev/sda on / type xfs" and said[1].split()[0] == "virtio_scsi" and int(said[1].split()[1]) > 0 and said[2:] == [IN_USE, "kept"], "\n".join(said) + console[-3000:])


def main():
    tools = setup.load() or setup.ensure((ARCH,))
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/disk", "wb") as f:
            f.write(b"the disk")
            f.truncate(16 << 20)
        ways(tools, d)
        root(tools, d)
        if SHORT:
            return
        said, console = run(ROUNDS.replace("COUNT", str(COUNT)), "--debug", "--cpus", "4", drive=d + "/disk")
        check(said[0] == "0" and said[-1].startswith("the disk") and not any("more of" in x or "still holds" in x or "leak" in x for x in said), "\n".join(said) + console[-3000:])
        print("\n".join(said))


main()
print("ok")
