#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each detector of the debug build reports the bug that was planted for it: what, and in which line of sched/plant.c or sched/test/k_plant.c. Bugs of a task
that lives in user mode are planted from there, and the system goes on.

    planted.py [--arch CPU] [--short | --slice I/N | NAME ...]"""
import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import arches, build, oops, qemu, setup  # noqa: E402

# Of another CPU than the one that all is tested on each time (build/x86_64-debug): what may go wrong there alone.
SHORT = ["heap_overflow", "use_after_free", "atomic_after_free", "stack_overflow_by_one", "global_overflow", "vmalloc_after_free", "null"]
# What is said; '@' stands for a place in the plant's own function.
PLANTS = {
    "heap_overflow": ["KASAN: slab-out-of-bounds in plant_heap_overflow", "Write of size 1", "@"],
    "fill_overflow": ["KASAN: slab-out-of-bounds in plant_fill_overflow", "Write of size 100", "@"],
    "use_after_free": ["KASAN: use-after-free in plant_use_after_free", "@"],
    "atomic_after_free": ["KASAN: use-after-free in plant_atomic_after_free", "Write of size 4", "@"],
    "page_after_free": ["KASAN: use-after-free (page) in plant_page_after_free", "@"],
    "global_overflow": ["KASAN: global-out-of-bounds in plant_global_overflow", "@"],
    "vmalloc_after_free": ["plant_vmalloc_after_free", "@"],
    "stack_overflow_by_one": ["KASAN: stack-out-of-bounds in fill", "@"],
    "use_after_scope": ["KASAN: stack-use-after-scope in plant_use_after_scope", "@"],
    "poisoned": ["KASAN: use-after-free in plant_poisoned", "Oops: ", "6b6b6b6b", "@"],
    "stack_end": ["kernel stack overflow", "Oops: double fault", "at sched/plant.c:"],
    "write_code": ["fault: kernel write of", "(not allowed)", "@"],
    "run_data": ["fault: kernel execution of", "(not allowed)", "@"],
    "shift": ["UBSAN: shift-out-of-bounds in sched/plant.c:", "1 shifted by 40", "@"],
    "index": ["UBSAN: array-index-out-of-bounds in sched/plant.c:", "index 40", "@"],
    "lock_order": ["LOCKDEP: possible circular locking dependency", "lock_a", "lock_b", "@"],
    "lock_recursion": ["LOCKDEP: possible recursive locking", "@"],
    "lock_irq": ["LOCKDEP: lock used in interrupts is held with them on", "lock_irq", "@"],
    "lock_irq_way": ["LOCKDEP: a lock that interrupts take waits for one that is held with them on", "lock_irq", "lock_b", "@"],
    "long_lock": ["SECTION: ", "preemption off, lock_a (sched/plant.c), since", "passed the limit at", "long_loop", "@"],
    "long_rcu": ["SECTION: ", "RCU read section, since", "passed the limit at", "long_loop", "@"],
    "lock_freed": ["LOCKDEP: freeing memory with a held lock in it", "@"],
    "lock_uninitialised": ["LOCKDEP: taking a lock that was never initialised", "@"],
    "unlock": ["LOCKDEP: releasing a lock that is not held", "lock_a", "@"],
    "sleeping_lock": ["LOCKDEP: sleeping lock taken under a spinning one", "mutex_a", "@"],
    "atomic_sleep": ["WARNING: sched/plant.c:", "sleeping function called", "@"],
    "nowait_sleep": ["WARNING: sched/core.c:", "sleep in a call that does not wait", "@"],
    "irq_sleep": ["sleeping function called", "kernel BUG at sched/core.c:", "scheduling while atomic", "@"],
    "rcu_pointer": ["WARNING: sched/plant.c:", "RCU: published is read outside a read section", "@"],
    "rcu_unlock": ["LOCKDEP: rcu_read_unlock() without rcu_read_lock()", "@"],
    "list": ["list_del corruption", "@"],
    "refcount": ["refcount", "@"],
    "null": ["null pointer: kernel", "@"],
    "oops_in_oops": ["null pointer: kernel", "Oops: ", "while another was reported", "Kernel panic - not syncing: an oops could not be reported", "@"],
}
# Where a CPU sees it in another way.
STACK_END = {"stack_end": ["kernel stack overflow", "Oops: kernel stack overflow", "at sched/plant.c:"]}
ON = {"aarch64": STACK_END, "riscv64": STACK_END, "loongarch64": STACK_END}
# What the CPU has no right against, and what QEMU's does not come back from: see that CPU's README.
NOT_ON = {"loongarch64": ["run_data", "user_read", "user_call"]}
# From user mode: what is done there, what must be printed there, what the kernel says.
FROM_USER = {
    "rcu_sleep": ("(echo rcu_sleep > $P); echo status $?; echo went on", "status 139\nwent on",
                  ["sleeping function called", "in an RCU read section begun at plant_rcu_sleep", "kernel BUG at sched/core.c:",
                   "scheduling while atomic", "@"]),
    "lock_kept": ("echo lock_kept > $P; echo went on", "went on",
                  ["LOCKDEP: going back to user mode with locks held", "mutex_a (sched/plant.c), taken at", "@"]),
    "null_locked": ("(echo null_locked > $P); echo status $?; (echo shift > $P); echo went on", "status 139\nwent on",
                    ["Oops: ", "null pointer: kernel", "1 lock held by", "mutex_a (sched/plant.c), taken at", "plant_null_locked", "@"]),
    "user_read": ("(echo user_read > $P); echo status $?", "status 139", ["fault: kernel read of 0x", "(not allowed)", "Oops: ", "@"]),
    "user_call": ("(echo user_call > $P); echo status $?", "status 139", ["fault: kernel execution of 0x", "(not allowed)", "Oops: ", "@"]),
    "hang": ("echo 1 > /proc/sys/kernel/hung_task_timeout_secs; echo hang > $P; echo went on", "went on",
             ["INFO: task sh:", "blocked for more than", "@"]),
    "leak": ("echo leak > $P; K=/sys/kernel/debug/kmemleak; echo min_age=0 > $K; echo scan > $K; echo scan > $K; cat $K >&2; "
             "test $(grep -c unreferenced $K) -ge 24 && echo most of 32", "most of 32",
             ["kmemleak: ", "new suspected memory leaks (see /sys/kernel/debug/kmemleak)", "(size 72):", "(size 40):", "(size 3 pages):",
              "(size 2 pages):", 'comm "sh", pid', "hex dump (first 32 bytes):", "backtrace (crc ", "leak_one_set+", "@"]),
    "soft_lockup": ("echo 1 > /proc/sys/kernel/watchdog_thresh; echo soft_lockup > $P; echo went on", "went on",
                    ["watchdog: BUG: soft lockup", "@"]),
}
# Bugs that only a failure brings about: the kind of failure, what is to be there first, what is printed, what the kernel says of the bug.
FAILURES = {
    "fail_slab": ("failslab", "", "status 139", ["null pointer: kernel", "@"]),
    "fail_page": ("fail_page_alloc", "", "status 0", ["KASAN: use-after-free (page) in plant_fail_page", "@"]),
    "fail_copy": ("fail_usercopy", "", "status 0",
                  ["LOCKDEP: going back to user mode with locks held", "kept (sched/test/k_plant.c), taken at", "@"]),
    "fail_request": ("fail_make_request", "dd if=/dev/zero of=/tmp/disk bs=4096 count=4 2>/dev/null; losetup $(losetup -f) /tmp/disk; "
                     "echo 1 > /sys/block/loop0/make-it-fail; ", "status 0", ["UBSAN: array-index-out-of-bounds in sched/test/k_plant.c:", "index -50", "@"]),
}
# The bug is there without a failure, and nothing comes of it; then the next chance of a marked task is taken, with these two lines first.
FAIL = "(echo %s > $P); echo status $?; D=/sys/kernel/debug/%s; echo Y > $D/task-filter; echo 1 > $D/times; echo 100 > $D/probability; " \
       "echo planted; (echo %s > $P); echo status $?"
INJECTED = ["FAULT_INJECTION: forcing a failure.", "name %s, interval 1, probability 100, space 0, times 1"]


def lines_of(name):
    """The file of plant_NAME, its first and last line."""
    path = "sched/test/k_plant.c" if name in FAILURES else "sched/plant.c"
    with open(os.path.join(ROOT, path)) as f:
        lines = f.read().splitlines()
    first = next(i for i, l in enumerate(lines, 1) if re.match(r"static .*\bplant_%s\(" % name, l))
    return path, first, next(i for i, l in enumerate(lines, 1) if i > first and l == "}")


def missing(name, text, expect):
    """What of EXPECT is not there, and the place that was."""
    path, first, last = lines_of(name)
    places = [int(n) for n in re.findall(re.escape(path) + r":(\d+)", text)]
    here = [n for n in places if first <= n <= last]
    return [e for e in expect if not (here if e == "@" else e in text)], here[0] if here else 0


def show(name, text, bad, line, first=""):
    said = first or next((l for l in text.splitlines() if re.search(r"LOCKDEP:|SECTION:|KASAN:|UBSAN:|WARNING:|BUG:|fault:|INFO:|kernel BUG|corruption|kmemleak: ", l)), "")
    print("%-22s %s" % (name, "FAILED: no " + " / ".join(bad) if bad else "%s:%-4d %s" % (lines_of(name)[0], line, re.sub(r"^\[.*?\] ", "", said))))
    if bad:
        print(text[-6000:])
    sys.stdout.flush()
    return not bad


def vmlinux(arch):
    return os.path.join(build.outdir(arch, True), "vmlinux")


def boot(tools, arch, name):
    if arch == "x86_64":
        argv = tools["qemu"]["x86_64"] + ["-M", "q35", "-cpu", "max", "-smp", "2", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot",
                                          "-serial", "stdio", "-monitor", "none", "-kernel", vmlinux(arch),
                                          "-append", "console=ttyS0 panic=-1 plant=" + name]
    else:
        argv = qemu.Vm(tools, arch, cpus=min(2, arches.ALL[arch].cpus), memory="256M", kernel=build.image(arch, True),
                       append="console=%s panic=-1 plant=%s" % (arches.ALL[arch].console, name)).argv()
    try:
        out = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300).stdout
    except subprocess.TimeoutExpired as e:
        out = e.stdout or b""
    text = oops.symbolize(out.decode("utf-8", "replace"), vmlinux(arch), tools)
    return show(name, text, *missing(name, text, ON.get(arch, {}).get(name) or PLANTS[name]))


def run_shell(arch, script):
    return subprocess.run([ROOT + "/ochre", "run", "--arch", arch, "--debug", "--cpus", "2", "--timeout", "300", "-v", "--", "sh", "-c",
                           "mount -t debugfs d /sys/kernel/debug; P=/sys/kernel/debug/plant; " + script],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")


def from_user(tools, arch, name):
    script, printed, expect = FROM_USER[name]
    page = 16384 if arch == "loongarch64" else 4096
    expect = [re.sub(r"(\d) pages", lambda m: str(int(m[1]) * page), e) for e in expect]
    r = run_shell(arch, script)
    text = oops.symbolize(r.stderr, vmlinux(arch), tools)
    bad, line = missing(name, text, expect)
    if r.returncode or r.stdout.strip() != printed:
        bad.append("going on (status %d, output %r)" % (r.returncode, r.stdout))
    return show(name, text, bad, line)


def failure(tools, arch, name):
    kind, before, printed, expect = FAILURES[name]
    r = run_shell(arch, before + FAIL % (name, kind, name))
    console = re.sub(r"(?m)^\[.*?\] ", "", r.stderr)
    clean, sep, text = console.partition(INJECTED[0] + "\n")
    text = oops.symbolize(sep + text if sep else clean, vmlinux(arch), tools)
    bad, line = missing(name, text, [INJECTED[0] + "\n" + INJECTED[1] % kind + "\n"] + expect)
    if "plant: done" not in clean or re.search(r"KASAN|UBSAN|LOCKDEP|Oops", clean):
        bad.append("silence without a failure")
    if r.stdout != "status 0\nplanted\n%s\n" % printed:
        bad.append("going on (status %d, output %r)" % (r.returncode, r.stdout))
    return show(name, text, bad, line, " | ".join(text.splitlines()[:2]))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--arch", default="x86_64", choices=["x86_64", *ON])
    p.add_argument("--short", action="store_true")
    p.add_argument("--slice", default="0/1", help="I/N: each Nth of them, from the Ith on")
    p.add_argument("name", nargs="*")
    args = p.parse_args()
    tools = setup.load() if args.arch == "x86_64" else None
    tools = tools or setup.ensure([args.arch])
    if not os.path.exists(build.image(args.arch, True)):
        subprocess.run([os.path.join(ROOT, "ochre"), "build", "--arch", args.arch, "--debug"], check=True)
    wanted = SHORT if args.short else args.name or [n for n in [*PLANTS, *FROM_USER, *FAILURES] if n not in NOT_ON.get(args.arch, ())]
    at, of = (int(n) for n in args.slice.split("/"))
    wanted = wanted[at::of]
    sys.exit(0 if all([(boot if n in PLANTS else from_user if n in FROM_USER else failure)(tools, args.arch, n) for n in wanted]) else 1)


main()
