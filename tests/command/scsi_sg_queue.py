#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Commands that programs give generic SCSI devices by write(2) and get back by read(2): both versions of the header, several in flight, ids, poll and signals, who may, orphans,
close and a unit that goes with commands in flight. The disk takes half a second for each read. It also runs on Debian's Linux, which must say the same.
usage: scsi_sg_queue.py [release | debug | linux]..."""
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
for w in one old many who wait orphan leave; do sg_queue /dev/sg0 $w; done
sg_queue /dev/sg0 gone /sys/class/scsi_generic/sg0/device/delete; ls /dev/sg*
echo "== the end"
"""
OURS = r"""
rmmod virtio_scsi; ls /dev | grep -c '^sg'
mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/dma/quarantine
if [ -e /sys/kernel/debug/kmemleak ]; then echo scan=off >/sys/kernel/debug/kmemleak; echo min_age=0 >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; echo scan >/sys/kernel/debug/kmemleak; cat /sys/kernel/debug/kmemleak; fi
"""
LEFT = ["0", "0 ranges, 0 pages"]
DRIVE = ("-device virtio-scsi-pci,id=h -blockdev driver=null-co,node-name=x0,size=67108864,read-zeroes=on,latency-ns=500000000 "
         "-device scsi-hd,bus=h.0,drive=x0")


def said(kind, tools, d):
    program = rootfs.build_user(tools, "sg_queue", "x86_64", out=d + "/sg_queue", sources=[ROOT + "/tests/scsi/sg_queue.c"])
    files = {"bin/sg_queue": (rootfs.read(program), 0o755)}
    argv = [os.path.join(ROOT, "ochre"), "run", "--timeout", "200", "--cpus", "2", "--net", "none", "--qemu", DRIVE]
    script = SCRIPT
    if kind == "linux":
        argv += ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"]
        files, script = {**disk.modules("x86_64", (*disk.OF_DISKS, "sg")), **files}, linux.LOAD + script
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
    with open(os.path.join(ROOT, "tests/scsi/sg_queue.expected")) as f:
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
