#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On a host that has ten runnable threads a processor, four of four CPUs come up."""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import setup  # noqa: E402

argv = (setup.load() or setup.ensure())["qemu"]["x86_64"] + [
    "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "4", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
    "-kernel", ROOT + "/build/x86_64/vmlinux", "-append", "console=ttyS0 loglevel=7 panic=-1 ktest=arch_pte"]
crowd = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(10 * (os.cpu_count() or 2))]
try:
    out = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900).stdout
finally:
    for p in crowd:
        p.kill()
        p.wait()
print(out)
sys.exit(0 if "smp: 4 CPUs" in out and "1 passed, 0 failed" in out else 1)
