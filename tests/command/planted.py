#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each detector of the debug build reports the bug that was planted for it: what, and in which function or line."""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import setup  # noqa: E402

KERNEL = os.path.join(ROOT, "build/x86_64-debug/vmlinux")
PLANTS = {
    "heap_overflow": ["KASAN: slab-out-of-bounds in plant_heap_overflow", "Write of size 1"],
    "use_after_free": ["KASAN: use-after-free in plant_use_after_free"],
    "page_after_free": ["KASAN: use-after-free (page) in plant_page_after_free"],
    "global_overflow": ["KASAN: global-out-of-bounds in plant_global_overflow"],
    "vmalloc_after_free": ["plant_vmalloc_after_free"],
    "shift": ["UBSAN: shift-out-of-bounds in sched/plant.c:", "1 shifted by 40"],
    "index": ["UBSAN: array-index-out-of-bounds in sched/plant.c:", "index 40"],
    "lock_order": ["LOCKDEP: possible circular locking dependency", "lock_a", "lock_b", "plant_lock_order"],
    "lock_recursion": ["LOCKDEP: possible recursive locking", "plant_lock_recursion"],
    "lock_irq": ["LOCKDEP: lock used in interrupts is held with them on", "lock_irq"],
    "sleeping_lock": ["LOCKDEP: sleeping lock taken under a spinning one", "mutex_a", "plant_sleeping_lock"],
    "atomic_sleep": ["WARNING: sched/plant.c:", "sleeping function called"],
    "list": ["list_del corruption", "plant_list"],
    "refcount": ["refcount", "plant_refcount"],
    "null": ["null pointer: kernel", "plant_null"],
}


def boot(qemu, name, expect):
    argv = qemu + ["-M", "q35", "-cpu", "max", "-smp", "2", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot", "-serial",
                   "stdio", "-monitor", "none", "-kernel", KERNEL, "-append", "console=ttyS0 panic=-1 plant=" + name]
    try:
        out = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90).stdout
    except subprocess.TimeoutExpired as e:
        out = e.stdout or b""
    out = out.decode("utf-8", "replace")
    missing = [e for e in expect if e not in out]
    print("%-20s %s" % (name, "ok" if not missing else "FAILED: no " + " / ".join(missing)))
    if missing:
        print(out[-3000:])
    return not missing


def main():
    tools = setup.load() or setup.ensure()
    if not os.path.exists(KERNEL):
        subprocess.run([os.path.join(ROOT, "ochre"), "build", "--debug"], check=True)
    wanted = sys.argv[1:] or PLANTS
    sys.exit(0 if all([boot(tools["qemu"]["x86_64"], n, PLANTS[n]) for n in wanted]) else 1)


main()
