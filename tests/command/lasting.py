#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A user without rights fills a small memory with what stays after him: nobody is killed for it, and root starts programs and writes files afterwards.
usage: lasting.py [NAME ...]"""
import os
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import rootfs, setup  # noqa: E402

WAYS = ["shm", "files", "names", "messages", "semaphores", "mounts", "flying"]
# Twice: the second one meets what the first one left.
AFTER = "mount -t tmpfs t /mnt && dd if=/dev/zero of=/mnt/root bs=1M count=4 2>/dev/null && ls -l /mnt/root | wc -l; dmesg | grep -c 'Out of memory'; echo lives"


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "lasting", out=os.path.join(d, "lasting"), sources=[os.path.join(ROOT, "tests/command/lasting.c")])
        root = rootfs.busybox_root(tools, extra={"bin/lasting": (rootfs.read(program), 0o755)})
        for ways in [[w] for w in WAYS] + [WAYS]:
            if sys.argv[1:] and ways[0] not in sys.argv[1:]:
                continue
            r = subprocess.run([os.path.join(ROOT, "ochre"), "run", "--timeout", "300", "--memory", "96M", "--rootfs", root, "--", "sh", "-c",
                                "mkdir -p /dev/shm; mount -t tmpfs t /dev/shm; lasting %s; " % " ".join(ways + ways) + AFTER],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
            said = "%s: status %d\n%s%s" % (" ".join(ways), r.returncode, r.stdout, r.stderr[-3000:])
            check(r.returncode == 0, said)
            check(r.stdout.splitlines() == ["%s: ended" % w for w in ways + ways] + ["1", "0", "lives"], said)
    print("ok")


main()
