#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Commands that programs give SCSI devices: SG_IO of a disk and of its partition, by root, by a user, by the root of a user namespace; each field that may be
wrong; what is answered, sense data, memory in pieces. It also runs on Debian's Linux, which must say the same. usage: scsi_generic.py [release | debug | linux]..."""
import os
import struct
import subprocess
import sys
import tempfile

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import disk, rootfs, setup  # noqa: E402
import linux  # noqa: E402

MIB = 1 << 20
# What lsscsi and lsblk -S read.
SYS = r"""
ls /sys/bus/scsi/devices /sys/class/scsi_host /sys/class/scsi_disk /sys/class/scsi_device | sed 's/^$/-/'
D=$(readlink -f /sys/block/sda/device); H=$(readlink -f $D/../..); basename $(dirname $H)
cd $D; for f in vendor model rev type state scsi_level queue_type uevent ../uevent ../../uevent; do echo "$f: $(cat $f)"; done
for f in inquiry vpd_pg0 vpd_pg80 vpd_pg83 vpd_pgb0 vpd_pgb1 vpd_pgb2; do echo "$f $(stat -c %a $f) $(od -An -tx1 -v $f | tr -d ' \n' | cut -c1-40) $(wc -c <$f)"; done
cd $H/scsi_host/host0; cat state; for f in proc_name unique_id active_mode supported_mode prot_capabilities prot_guard_type sg_prot_tablesize uevent; do echo "$f $(stat -c %a $f): $(cat $f)"; done
for l in device subsystem; do for x in $H/scsi_host/host0 $D/scsi_disk/0:0:0:0 $D/scsi_device/0:0:0:0; do echo "$(readlink $x/$l)"; done; done
for x in $H $D/.. $D; do basename $(readlink $x/subsystem); done; readlink /sys/class/scsi_disk/0:0:0:0 | sed 's,.*/virtio,virtio,'
cat /sys/bus/scsi/devices/0:0:3:0/type /sys/bus/scsi/devices/0:0:3:0/vendor; ls -d /sys/bus/scsi/devices/0:0:3:0/driver 2>&1 | sed 's/.*: //'
"""
SCRIPT = """echo == sys
""" + SYS.strip() + """
echo == sgio
sgio /dev/sda /dev/sda1
echo == memory; mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/dma/quarantine
if [ -e /sys/kernel/debug/kmemleak ]; then echo scan=off >/sys/kernel/debug/kmemleak; echo min_age=0 >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; cat /sys/kernel/debug/kmemleak; fi
"""


def images(d):
    """A disk of 64 MiB with one partition of 32, and a CD: QEMU's options."""
    with open(d + "/disk", "wb") as f:
        f.truncate(64 * MIB)
        f.seek(446)
        f.write(struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0x83, 0, 0, 0, 2048, 32 * 2048))
        f.seek(510)
        f.write(b"\x55\xaa")
    with open(d + "/cd", "wb") as f:
        f.truncate(MIB)
    return ("-device virtio-scsi-pci,id=h -drive if=none,id=x0,format=raw,file=%s/disk -device scsi-hd,bus=h.0,drive=x0,serial=one "
            "-drive if=none,id=x1,format=raw,file=%s/cd,readonly=on -device scsi-cd,bus=h.0,drive=x1,scsi-id=3" % (d, d))


def said(kind, tools, d, files):
    argv = [os.path.join(ROOT, "ochre"), "run", "--timeout", "100", "--cpus", "2", "--net", "none", "--qemu", images(d)]
    script = SCRIPT
    if kind == "linux":
        argv += ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check", "--rootfs", rootfs.busybox_root(tools, {**disk.modules("x86_64", (*disk.OF_DISKS, "sr_mod")), **files})]
        script = linux.LOAD + script
    else:
        argv += [*["--debug"] * (kind == "debug"), *appended(), "--rootfs", rootfs.busybox_root(tools, files)]
    r = subprocess.run(argv + ["--", "sh", "-c", "exec 2>&1\n" + script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if kind != "linux":
        no_report(r.stderr)
    out, _, memory = r.stdout.replace("\r", "").partition("== memory\n")
    check(kind == "linux" or memory == "0 ranges, 0 pages\n", "%s: %s\n%s" % (kind, memory, r.stderr[-4000:]))
    return [line for line in out.splitlines() if not line.startswith("[")]


def main():
    tools = setup.load() or setup.ensure()
    with open(os.path.join(ROOT, "tests/scsi/generic.expected")) as f:
        expected = f.read().splitlines()
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "sgio", "x86_64", out=d + "/sgio", sources=[ROOT + "/tests/scsi/sgio.c"])
        files = {"bin/sgio": (rootfs.read(program), 0o755)}
        for kind in sys.argv[1:] or ("release", "debug"):
            lines = [line for line in said(kind, tools, d, files) if line]
            for i, want in enumerate(expected):
                check(lines[i:i + 1] == [want], "%s, line %d: not %s, but\n%s" % (kind, i + 1, want, "\n".join(lines[i:i + 5])))
            check(len(lines) == len(expected), lines[len(expected):])
    print("ok")


main()
