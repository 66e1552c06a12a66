#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""64 MiB of memory and a disk that writes 800 KB a second: what writes to it waits for it, what writes nothing is neither killed nor kept waiting, and what
was written is there after fsync. Before writers waited, the kernel killed a program that had nothing to do with it."""
import os
import subprocess
import sys
import tempfile

OCHRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../ochre")
# The bystander has 8 MiB of its own, the largest program there is, and answers all the while.
SCRIPT = r"""
dd if=/dev/zero of=/tmp/anon bs=1M count=22 2>/dev/null
(x=$(dd if=/dev/zero bs=1M count=6 2>/dev/null | tr '\0' y); while [ ! -e /tmp/stop ]; do sleep 1; done; echo bystander ${#x}) &
by=$!
dd if=/dev/zero of=/dev/vda bs=64k count=512 2>/dev/null && echo written
n=0; while [ $n -lt 20 ]; do n=$((n + 1)); ls /proc >/dev/null; done; echo answers
sync; touch /tmp/stop; wait $by
dmesg | grep -c 'Out of memory' || true
grep -c . /proc/uptime
"""


def main():
    with tempfile.TemporaryDirectory() as d:
        image = os.path.join(d, "disk")
        with open(image, "wb") as f:
            f.write(b"\xff" * (41 << 20))
        r = subprocess.run([OCHRE, "run", "--memory", "64M", "--cpus", "2", "--net", "none", "--qemu",
                            "-drive file=%s,format=raw,if=none,id=slow,throttling.bps-write=800000 -device virtio-blk-pci,drive=slow" % image, *sys.argv[1:], "--", "sh", "-c", SCRIPT],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240)
        out = r.stdout.decode().split("\n")
        assert r.returncode == 0 and out[:4] == ["written", "answers", "bystander 6291456", "0"], (r.returncode, out, r.stderr.decode()[-2000:])
        with open(image, "rb") as f:
            assert f.read(32 << 20) == bytes(32 << 20)
            assert f.read(1) == b"\xff"
    print("ok")


main()
