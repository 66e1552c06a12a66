#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A disk, an entropy source and a network device lose their drivers and get them back by /sys/bus/virtio (bind, unbind, drivers_probe, drivers_autoprobe), and the function that
carries the disk by /sys/bus/pci (also driver_override, new_id, remove_id); each errno, mode and event is what Debian's Linux says in the same run. usage: sysfs_bus.py [release | debug | linux]..."""
import os
import re
import subprocess
import sys
import tempfile

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import linux  # noqa: E402

KINDS = {"release": 1, "debug": 4, "linux": 2}      # and how many CPUs
SCRIPT = r"""
B=/sys/bus/virtio; D=$B/drivers/virtio_blk; V=$(basename $(readlink -f /sys/class/block/vda/device)); N=$B/devices/$V
w() { { echo "$1" >$2 && echo taken; } 2>&1 | sed 's/.*: //'; }
bound() { [ -e $D/$V ] && [ -e $N/driver ] && grep -qx DRIVER=virtio_blk $N/uevent && echo bound; [ -e $D/$V ] || [ -e $N/driver ] || grep -q DRIVER $N/uevent || echo free; }
disk() { ls /dev/vda 2>&1 | sed 's/.*: //'; }
echo "== modes"; stat -c '%a' $D/bind $D/unbind $D/uevent $B/uevent $B/drivers_probe $B/drivers_autoprobe $N/uevent $N/modalias; ls $N/driver_override 2>&1 | sed 's/.*: //'
echo "== bound"; bound; w $V $D/bind; w virtio99 $D/bind; w virtio99 $D/unbind; w "" $D/unbind; w "$V
" $D/unbind; bound
echo "== free"; w $V $D/unbind; bound; disk; w $V $D/unbind
echo "== again"; w $V $D/bind; bound; disk; cmp /dev/vda /ex && echo equal; w $V $D/bind
echo "== no newline"; printf %s $V >$D/unbind; bound; printf %s $V >$D/bind; bound
echo "== probe"; cat $B/drivers_autoprobe; w 0 $B/drivers_autoprobe; cat $B/drivers_autoprobe; w $V $D/unbind; w virtio99 $B/drivers_probe; bound; w $V $B/drivers_probe; bound; w $V $B/drivers_probe; w y $B/drivers_autoprobe; cat $B/drivers_autoprobe
echo "== uevent"; w add $D/uevent; w added $D/uevent; w change $B/uevent; w '?' $B/uevent; w change $N/uevent; w '' $N/uevent
echo "== open"; exec 3</dev/vda; w $V $D/unbind; bound; head -c 512 <&3 2>&1 | wc -c; exec 3<&-; w $V $D/bind; bound; disk
echo "== events"; gone hear >/heard & while ! grep -q ready /heard 2>/dev/null; do usleep 10000; done
echo $V >$D/unbind; echo $V >$D/bind; echo change >/sys/class/net/lo/uevent; wait
grep -E '^[a-z]+@/devices/pci' /heard | grep -v wakeup | sed 's,/devices/pci0000:00/[^/]*/virtio[0-9]*,DEVICE,'
P=/sys/bus/pci; Q=$P/drivers/virtio-pci; O=$P/drivers/pcieport; A=$(basename $(dirname $(readlink -f $N))); C=$P/devices/$A; H=$P/devices/0000:00:00.0
pbound() { [ -e $Q/$A ] && [ -e $C/driver ] && [ $(basename $(readlink $C/driver)) = virtio-pci ] && grep -qx DRIVER=virtio-pci $C/uevent && echo bound; [ -e $Q/$A ] || [ -e $C/driver ] || grep -q DRIVER $C/uevent || echo free; }
ids() { echo "$(cut -c3- $1/vendor) $(cut -c3- $1/device)"; }
echo "== pci modes"; stat -c '%a' $Q/bind $Q/unbind $Q/new_id $Q/remove_id $Q/uevent $P/uevent $P/drivers_probe $P/drivers_autoprobe $C/driver_override $C/uevent $O/bind $O/new_id
echo "== pci bound"; pbound; w $A $Q/bind; w 0000:7f:1f.7 $Q/bind; w 0000:00:00.0 $Q/bind; w $A $O/bind; w $A $O/unbind; w "" $Q/unbind; w ${A#0000:} $Q/unbind; pbound
echo "== pci free"; w $A $Q/unbind; pbound; disk; w $A $Q/unbind; w $A $Q/bind; pbound; cmp /dev/vda /ex && echo equal
echo "== override"; cat $C/driver_override; w pcieport $C/driver_override; cat $C/driver_override; pbound; w $A $Q/bind; w $A $Q/unbind; w $A $Q/bind; w $A $P/drivers_probe; pbound; w $A $O/bind; pbound
w nobody $C/driver_override; w $A $O/bind; w $A $P/drivers_probe; pbound; w virtio-pci $C/driver_override; w $A $P/drivers_probe; pbound; w "" $C/driver_override; cat $C/driver_override; pbound
w virtio-pci $H/driver_override; w 0000:00:00.0 $Q/bind; w 0000:00:00.0 $P/drivers_probe; ls $H/driver 2>&1 | sed 's/.*: //'; w "" $H/driver_override
echo "== override's text"; X=$(head -c 4094 /dev/zero | tr '\0' x); wn() { { printf "$1" | cat >$2 && echo taken; } 2>&1 | sed 's/.*: //'; }
wn ${X}x $C/driver_override; wn $X $C/driver_override; wc -c <$C/driver_override; wn 'a\nb' $C/driver_override; cat $C/driver_override; wn 'a b' $C/driver_override; cat $C/driver_override; wn '\na' $C/driver_override; cat $C/driver_override
echo "== ids"; for i in "" 1af4 "x 1" "1af4,1042" "1af4 1042" "$(ids $C)" "0x1AF4 0x$(cut -c3- $C/device) 1 2 3 4"; do w "$i" $Q/new_id; done; F=$(ids $H); w "$F" $Q/remove_id; w "$F" $Q/new_id; ls $H/driver 2>&1 | sed 's/.*: //'; w "$F" $Q/new_id
w "$F ffffffff ffffffff 0 0 1" $Q/new_id; w "$F ffffffff ffffffff 0 0 0" $Q/new_id; w "$F 1" $Q/remove_id; for i in 1 2 3; do w "$F" $Q/remove_id; done; w 1af4 $Q/remove_id; w "" $Q/remove_id; w "$(ids $C)" $Q/remove_id
w "$F" $O/new_id; w "$F" $O/new_id; w "1 2 3 4 60400 0" $O/new_id; w "$F" $O/remove_id; ls $H/driver 2>&1 | sed 's/.*: //'
echo "== an id brings the driver"; w $A $Q/unbind; w "$(ids $C) ffffffff ffffffff 0 0 0" $Q/new_id; pbound; disk; w "$(ids $C)" $Q/remove_id; pbound; w $A $Q/unbind; w 0 $P/drivers_autoprobe; w "$(ids $C) ffffffff ffffffff 0 0 0" $Q/new_id; pbound; w 1 $P/drivers_autoprobe; w "$(ids $C)" $Q/remove_id
echo "== pci probe"; cat $P/drivers_autoprobe; w 0 $P/drivers_autoprobe; cat $P/drivers_autoprobe; w $A $Q/unbind; w 0000:7f:1f.7 $P/drivers_probe; pbound; w $A $P/drivers_probe; pbound; w y $P/drivers_autoprobe; cat $P/drivers_autoprobe
echo "== one that comes without autoprobe"; w 0 $P/drivers_autoprobe; echo 1 >$C/remove; ls $C 2>&1 | sed 's/.*: //'; echo 1 >$P/rescan; pbound; w 1 $P/drivers_autoprobe; echo $A >$Q/bind 2>/dev/null; pbound
echo "== pci events"; gone hear >/heard & while ! grep -q ready /heard 2>/dev/null; do usleep 10000; done
echo $A >$Q/unbind; echo $A >$Q/bind; echo pcieport >$C/driver_override; echo $A >$Q/unbind; echo $A >$P/drivers_probe; echo >$C/driver_override; echo $A >$P/drivers_probe; echo change >/sys/class/net/lo/uevent; while ! grep -q /net/lo /heard; do usleep 10000; done; kill $! 2>/dev/null; wait
grep -E '^[a-z]+@/devices/pci' /heard | grep -v wakeup | sed 's,/devices/pci0000:00/[^/]*,FUNCTION,;s,virtio[0-9]*,virtioN,'
V=$(basename $C/virtio*); N=$B/devices/$V
echo "== the end"
"""
# Entropy and network, which the other kernel here has no modules for.
MORE = r"""
R=$B/drivers/virtio_rng; E=$(basename $R/virtio*); T=$B/drivers/virtio_net; I=$(basename $T/virtio*)
echo "== entropy"; for i in 1 2 3 4 5 6 7 8; do echo $E >$R/unbind; [ -e $R/$E ] && echo still; echo $E >$R/bind; [ -e $R/$E ] || echo free; done; w $E $D/bind; w $E $D/unbind
echo "== network"; for i in 1 2 3; do echo $I >$T/unbind; ls /sys/class/net; echo $I >$T/bind; ls /sys/class/net; done
readlink $B/devices/$I/driver; readlink /sys/class/net/eth0/device/driver; ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ping -c 1 -w 10 10.0.2.2 | grep -c 'bytes from'
echo "== function goes while the device has no driver"; P=$(basename $(dirname $(readlink -f $N))); echo $V >$D/unbind; echo $P >/sys/bus/pci/drivers/virtio-pci/unbind; ls -d $N 2>&1 | sed 's/.*: //'; echo $P >/sys/bus/pci/drivers/virtio-pci/bind; V=$(basename /sys/bus/pci/devices/$P/virtio*); N=$B/devices/$V; bound; disk
echo "== two at once"; for j in 1 2 3; do (for i in 1 2 3 4 5 6 7 8; do echo $V >$D/unbind; echo $V >$D/bind; done 2>/dev/null) & done; wait; echo $V >$D/bind 2>/dev/null; bound; disk
echo "== pci, three at once"; P=/sys/bus/pci; for j in 1 2 3; do (for i in 1 2 3 4 5 6 7 8; do echo $A >$Q/unbind; echo $A >$Q/bind; done 2>/dev/null) & done; (for i in 1 2 3 4 5 6 7 8; do echo 1 >$C/remove; echo 1 >$P/rescan; done 2>/dev/null) & (for i in 1 2 3 4 5 6 7 8; do echo pcieport >$C/driver_override; echo $A >$P/drivers_probe; echo >$C/driver_override; done 2>/dev/null) &
wait; echo 1 >$P/rescan; echo >$C/driver_override; echo $A >$P/drivers_probe; pbound; disk; V=$(basename $C/virtio*); N=$B/devices/$V; bound
echo "== user"; chmod 755 /; su -s /bin/sh nobody -c "echo $V >$D/unbind" 2>&1 | sed 's/.*: //'; bound
if [ -e /sys/kernel/debug/kmemleak ]; then echo scan=off >/sys/kernel/debug/kmemleak; echo min_age=0 >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; cat /sys/kernel/debug/kmemleak; fi
echo "== all"
"""
NO_FILE, NO_DEVICE, BUSY, INVALID, EXISTS = "No such file or directory", "No such device", "Device or resource busy", "Invalid argument", "File exists"
SAME = {
    "modes": ["200"] * 5 + ["644", "644", "444", NO_FILE],
    "bound": ["bound", BUSY, NO_DEVICE, NO_DEVICE, NO_DEVICE, NO_DEVICE, "bound"],
    "free": ["taken", "free", NO_FILE, NO_DEVICE],
    "again": ["taken", "bound", "/dev/vda", "equal", BUSY],
    "no newline": ["free", "bound"],
    "probe": ["1", "taken", "0", "taken", NO_DEVICE, "free", "taken", "bound", "taken", "taken", "1"],
    "uevent": ["taken", INVALID, "taken", INVALID, "taken", INVALID],
    "open": ["taken", "free", "0", "taken", "bound", "/dev/vda"],
    "pci modes": ["200"] * 7 + ["644"] * 3 + ["200"] * 2,
    "pci bound": ["bound", BUSY, NO_DEVICE, NO_DEVICE, NO_DEVICE, NO_DEVICE, NO_DEVICE, NO_DEVICE, "bound"],
    "pci free": ["taken", "free", NO_FILE, NO_DEVICE, "taken", "bound", "equal"],
    "override": ["(null)", "taken", "pcieport", "bound", NO_DEVICE, "taken", NO_DEVICE, "taken", "free", NO_DEVICE, "free",
                 "taken", NO_DEVICE, "taken", "free", "taken", "taken", "bound", "taken", "(null)", "bound",
                 "taken", NO_DEVICE, "taken", NO_FILE, "taken"],
    "override's text": [INVALID, "taken", "4095", "taken", "a", "taken", "a b", "taken", "(null)"],
    "ids": [INVALID] * 4 + [EXISTS] * 3 + [NO_DEVICE, "taken", NO_FILE, EXISTS, INVALID, "taken", NO_DEVICE, "taken", "taken", NO_DEVICE, INVALID, INVALID, NO_DEVICE,
            "taken", EXISTS, EXISTS, "taken", NO_FILE],
    "an id brings the driver": ["taken", "taken", "bound", "/dev/vda", "taken", "bound", "taken", "taken", "taken", "bound", "taken", "taken"],
    "pci probe": ["1", "taken", "0", "taken", NO_DEVICE, "free", "taken", "bound", "taken", "1"],
    "one that comes without autoprobe": ["taken", NO_FILE, "free", "taken", "bound"],
    "pci events": [*(GOES := ["remove@FUNCTION/virtioN/block/vda", "unbind@FUNCTION/virtioN", "remove@FUNCTION/virtioN", "unbind@FUNCTION"]),
                   *(COMES := ["add@FUNCTION/virtioN", "add@FUNCTION/virtioN/block/vda", "bind@FUNCTION/virtioN", "bind@FUNCTION"]), *GOES, *COMES],
    "events": ["remove@DEVICE/block/vda", "unbind@DEVICE", "add@DEVICE/block/vda", "bind@DEVICE"],
}
OURS = {
    "entropy": [NO_DEVICE, NO_DEVICE],
    "network": ["lo", "eth0", "lo"] * 3,
    "function goes while the device has no driver": [NO_FILE, "bound", "/dev/vda"],
    "two at once": ["bound", "/dev/vda"],
    "pci, three at once": ["bound", "/dev/vda", "bound"],
    "user": ["Permission denied", "bound"],
}


def section(said, name):
    m = re.search(r"^== %s\n(.*?)(?=^== )" % re.escape(name), said, re.M | re.S)
    check(m, "no part %s: %s" % (name, said[-4000:]))
    return m[1].strip().splitlines()


def run(kind, root, disk):
    argv = [os.path.join(ROOT, "ochre"), "run", *["--debug"] * (kind == "debug"), *appended(), "-v", "--timeout", "90", "--cpus", str(KINDS[kind]), "--rootfs", root,
            "--disk", disk, "--qemu", "-device virtio-rng-pci", "--", "sh", "-c", "exec 2>&1\nmount -t debugfs d /sys/kernel/debug\n" + SCRIPT + MORE]
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    no_report(r.stderr)
    return r.stdout + ("" if r.returncode == 0 else "\n== status\n%d\n%s" % (r.returncode, r.stderr[-6000:]))


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "gone", "x86_64", out=d + "/gone", sources=[ROOT + "/tests/pci/gone.c"])
        content = os.urandom(1 << 20)
        files = {"bin/gone": (rootfs.read(program), 0o755), "ex": (content, 0o644)}
        for kind in sys.argv[1:] or ("release", "debug"):
            with open(d + "/disk", "wb") as f:
                f.write(content)
            if kind == "linux":
                said = linux.run(rootfs.busybox_root(tools, {**linux.files(tools, d), **files}), [d + "/disk"], "exec 2>&1\n" + SCRIPT, cpus=KINDS[kind]).replace("\r", "")
            else:
                said = run(kind, rootfs.busybox_root(tools, files), d + "/disk")
            for name, want in {**SAME, **(OURS if kind != "linux" else {})}.items():
                got = section(said, name)
                if name == "network":
                    check(got[-1] == "1" and got[-2].endswith("/drivers/virtio_net") and got[-3].endswith("/drivers/virtio_net"), "%s: %s" % (kind, got))
                    got = got[:-3]
                check(got == want, "%s: %s: %s" % (kind, name, got))
    print("ok")


main()
