#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TCP over a bad road (tests/guest/tcp_relay.c) where the clock counts instructions: how many segments go again, and what a recovery that was not needed leaves, are exact there, whatever the
host does beside it."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import rootfs, setup  # noqa: E402
from ochre.test import guest_headers, guest_program  # noqa: E402

TESTS = ["late_by_timestamps", "late_by_copies", "disorder_is_known", "window_grows", "lost_near_end"]


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        program, error = guest_program(tools, "tcp_relay", "x86_64", guest_headers("x86_64"))
        assert program, error
        root = rootfs.busybox_root(tools, extra={"bin/tcp_relay": (rootfs.read(program), 0o755)})
        script = "export RELAY_EXACT=1; for t in %s; do tcp_relay $t || exit 1; done" % " ".join(TESTS)
        r = subprocess.run([os.path.join(ROOT, "ochre"), "run", "--timeout", "300", "--net", "none", "--accel", "tcg", "--qemu", "-icount shift=0,sleep=off", "--rootfs", root, *sys.argv[1:],
                            "--", "sh", "-c", script], cwd=d, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        assert r.returncode == 0, (r.returncode, r.stdout[-3000:])
    print("ok")


main()
