#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What safe Rust does wrongly in the debug kernel ends the task and frees nothing: a wait's condition that panics leaves nobody on the queue, and a count of
owners that overflows keeps the value."""
import os
import subprocess

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
SCRIPT = """mount -t debugfs d /sys/kernel/debug; P=/sys/kernel/debug/rust/plant
(echo wait_panic > $P); echo status $?; cat $P; echo wait_wake > $P; echo woke $?
(echo arc_overflow > $P); echo status $?; cat $P"""
r = subprocess.run([ROOT + "/ochre", "run", "--arch", "x86_64", "--debug", "--cpus", "2", "--timeout", "300", "-v", "--", "sh", "-c", SCRIPT],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
check(r.stdout.split() == "status 139 0 0 woke 0 status 0 0 0".split(), r.stdout + r.stderr[-3000:])
check("rust: panic at rust/plant.rs:" in r.stderr and "asked again" in r.stderr, r.stderr[-3000:])
check("saturated, leaking memory" in r.stderr and "KASAN" not in r.stderr, r.stderr[-3000:])
print("ok")
