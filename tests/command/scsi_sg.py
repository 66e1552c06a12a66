#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generic SCSI devices, /dev/sgN of a disk and of a CD drive: nodes, /sys, ioctls by who has which file, a unit that goes while its device is open, the module that stays as long
as one is. It also runs on Debian's Linux, which must say the same. usage: scsi_sg.py [release | debug | linux]..."""
import os
import subprocess
import sys
import tempfile

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import disk, rootfs, setup  # noqa: E402
import linux  # noqa: E402

SCRIPT = r"""
echo "== nodes"; stat -c '%n %t %T' /dev/sg0 /dev/sg1; ls /dev | grep '^sg'; grep -w 21 /proc/devices; ls /sys/class/scsi_generic
for n in 0 1; do cd /sys/class/scsi_generic/sg$n; cat dev uevent; basename $(readlink device); basename $(readlink subsystem); readlink device/generic; readlink /sys/dev/char/21:$n | sed 's,.*/host,,'; done; cd /
for n in 0 1; do chmod 666 /dev/sg$n; echo "== sg$n, both"; sg /dev/sg$n ask; echo "== sg$n, reading"; sg /dev/sg$n read; echo "== sg$n, a user"; sg /dev/sg$n user; echo "== sg$n, opens"; sg /dev/sg$n open; done
echo "== one goes"; sg /dev/sg0 hold /sys/class/scsi_generic/sg0/device/delete; ls /dev/sg* /sys/class/scsi_generic
echo "== and another comes"; exec 3</dev/sg1; echo 1 >/sys/class/scsi_generic/sg1/device/delete; for t in 3 0; do echo "0 $t 0" >/sys/class/scsi_host/host0/scan; done; ls /dev/sg*; exec 3<&-
echo "== the end"
"""
OURS = r"""
exec 3</dev/sg0; rmmod virtio_scsi; exec 3<&-; rmmod virtio_scsi && ls /dev /sys/class | grep -c '^sg'; grep -w 21 /proc/devices
mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/dma/quarantine
if [ -e /sys/kernel/debug/kmemleak ]; then echo scan=off >/sys/kernel/debug/kmemleak; echo min_age=0 >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; cat /sys/kernel/debug/kmemleak; fi
"""
LEFT = ["rmmod: can't unload module 'virtio_scsi': Resource temporarily unavailable", "0", "0 ranges, 0 pages"]


def said(kind, tools, d):
    for name, size in (("disk", 64 << 20), ("cd", 1 << 20)):
        with open(os.path.join(d, name), "wb") as f:
            f.truncate(size)
    drives = ("-device virtio-scsi-pci,id=h -drive if=none,id=x0,format=raw,file=%s/disk -device scsi-hd,bus=h.0,drive=x0 "
              "-drive if=none,id=x1,format=raw,file=%s/cd,readonly=on -device scsi-cd,bus=h.0,drive=x1,scsi-id=3" % (d, d))
    program = rootfs.build_user(tools, "sg", "x86_64", out=d + "/sg", sources=[ROOT + "/tests/scsi/sg.c"])
    files = {"bin/sg": (rootfs.read(program), 0o755)}
    argv = [os.path.join(ROOT, "ochre"), "run", "--timeout", "200", "--cpus", "2", "--net", "none", "--qemu", drives]
    script = SCRIPT
    if kind == "linux":
        argv += ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"]
        files, script = {**disk.modules("x86_64", (*disk.OF_DISKS, "sr_mod", "sg")), **files}, linux.LOAD + script
    else:
        argv += [*["--debug"] * (kind == "debug"), *appended()]
        script += OURS
    r = subprocess.run(argv + ["--rootfs", rootfs.busybox_root(tools, files), "--", "sh", "-c", "exec 2>&1\n" + script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       errors="replace", stdin=subprocess.DEVNULL)
    if kind != "linux":
        no_report(r.stderr)
    return [line for line in r.stdout.replace("\r", "").splitlines() if line and not line.startswith("[")], r.stderr


def main():
    tools = setup.load() or setup.ensure()
    with open(os.path.join(ROOT, "tests/scsi/sg.expected")) as f:
        expected = f.read().splitlines()
    for kind in sys.argv[1:] or ("release", "debug"):
        with tempfile.TemporaryDirectory() as d:
            lines, console = said(kind, tools, d)
            if os.environ.get("SHOW"):
                print("\n".join(lines))
            for i, want in enumerate(expected):
                check(lines[i:i + 1] == [want], "%s, line %d: not %s, but\n%s\n%s" % (kind, i + 1, want, "\n".join(lines[i:i + 5]), console[-3000:]))
            check(lines[len(expected):] == (LEFT if kind != "linux" else []), lines[len(expected):])
    print("ok")


main()
