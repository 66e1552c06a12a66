#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Devices that go away, on the debug kernel (going_away.c): from the n-th access of a probe on, and of a hundred requests, all registers are ones; memory fails at
each place of a probe and of a removal; drivers come and go (these with 4 CPUs). For virtio's disk, SCSI host, network and entropy source, and a PCI Express port. Nothing is reported, nothing is
lost, and the device that comes back works. usage: going_away.py [--all] [--rounds N] [--only DRIVER] [TEST]: --all tries each place, not some."""
import argparse
import os
import subprocess
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import rootfs, setup, test  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--all", action="store_true")
parser.add_argument("--rounds", default="10")
parser.add_argument("--only", default="")
parser.add_argument("test", nargs="?", default="")
ARGS = parser.parse_args()
# Nothing of the host's disks: what vanishes has answered all that it took.
DEVICES = " ".join(["-device pcie-root-port,id=p,chassis=1 -device virtio-rng-pci",
                    *("-blockdev driver=null-co,node-name=%s,size=1048576,read-zeroes=on" % n for n in ("a", "b")),
                    "-device virtio-blk-pci,drive=a -device virtio-scsi-pci,id=h -device scsi-hd,bus=h.0,drive=b"])
SCRIPT = """mount -t debugfs d /sys/kernel/debug; modprobe virtio_scsi; echo 4 >/proc/sys/kernel/printk
%s; S=$?; [ $S = 0 ] || dmesg | tail -n 20
cd /sys/kernel/debug; echo quarantine; cat dma/quarantine; echo leaks; echo scan=off >kmemleak; echo min_age=0 >kmemleak; echo scan >kmemleak; echo scan >kmemleak; cat kmemleak; echo end; exit $S"""


# A function that comes back is sized again, which changes the map of memory: QEMU 10 ends where another CPU uses registers meanwhile (iotlb_to_section).
PARTS = [("1", ["all_ones_in_a_probe", "all_ones_in_requests"]), ("4", ["no_memory", "rounds"])]


def run(root, cpus, tests):
    r = subprocess.run([ROOT + "/ochre", "run", "--debug", "-v", "--accel", "tcg", "--cpus", cpus, "--timeout", "3600" if ARGS.all or int(ARGS.rounds) > 50 else "300", "--rootfs", root,
                        "--qemu", DEVICES, "--", "env", "POINTS=" + ("0" if ARGS.all else "4"), "ROUNDS=" + ARGS.rounds, *["ONLY=" + ARGS.only] * bool(ARGS.only), "sh", "-c",
                        SCRIPT % " && ".join("going_away " + t for t in tests)],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    said = r.stdout.replace("\r", "")
    check(r.returncode == 0, "status %d\n%s\n%s" % (r.returncode, said[-4000:], r.stderr[-8000:]))
    no_report(r.stderr)
    check(said.endswith("leaks\nend\n"), said[-4000:])
    print(said)


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "going_away", "x86_64", out=d + "/going_away", sources=[ROOT + "/tests/command/going_away.c"],
                                    flags=["-O1", "-Wno-unused-function", "-I" + ROOT + "/tests/guest", "-I" + test.guest_headers("x86_64")])
        root = rootfs.busybox_root(tools, {"bin/going_away": (rootfs.read(program), 0o755)})
        for cpus, tests in PARTS:
            if ARGS.test not in ("", *tests):
                continue
            run(root, cpus, [ARGS.test] if ARGS.test else tests)


main()
print("ok")
