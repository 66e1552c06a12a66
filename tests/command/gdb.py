#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernel under gdb: symbols and lines, breakpoints in a Rust driver and in C, and the helper that lists processes.

    gdb.py [--arch CPU]"""
import os
import re
import subprocess
import sys

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import setup  # noqa: E402

ARCH = sys.argv[2] if sys.argv[1:2] == ["--arch"] else "x86_64"
# The function that an interrupt of the kernel begins with.
TRAP = {"x86_64": "x86_trap_kernel", "aarch64": "a64_kernel_irq", "riscv64": "rv_kernel_trap", "loongarch64": "la64_kernel_irq"}[ARCH]
os.chdir(ROOT)
GDB = setup.find_gdb(ARCH)
if not GDB:
    print("skipped: gdb is not installed")
    sys.exit(77)
DRIVER = "drivers/tty/pl011.rs" if ARCH == "aarch64" else "drivers/tty/ns16550.rs"
with open(ROOT + "/" + DRIVER) as f:
    lines = f.read().splitlines()
first = next(i for i, l in enumerate(lines, 1) if re.match(r"\s+fn open\(", l))
last = next(i for i, l in enumerate(lines, 1) if i > first and re.match(r"    }$", l))
vm = subprocess.Popen([ROOT + "/ochre", "run", "--arch", ARCH, "--gdb", "--timeout", "300", "--", "sh", "-c", "exit 4"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True)
out = subprocess.run([GDB, "-nx", "-batch", "-x", ROOT + "/tools/gdb/ochre.py", ROOT + "/build/%s/vmlinux" % ARCH, "-ex", "set pagination off",
                      "-ex", "set tcp connect-timeout 250", "-ex", "target remote 127.0.0.1:1234",     # it tries until somebody listens
                      "-ex", "hbreak %s:%d" % (DRIVER, first + 1), "-ex", "continue", "-ex", "backtrace", "-ex", "delete", "-ex", "hbreak " + TRAP, "-ex", "continue", "-ex", "backtrace", "-ex", "delete",
                      "-ex", "hbreak sys_exit_group", "-ex", "continue", "-ex", "backtrace", "-ex", "list", "-ex", "ochre-tasks", "-ex", "delete", "-ex", "detach"],
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, cwd=ROOT).stdout
vm.wait()
stops = [int(n) for n in re.findall(r"Breakpoint 1(?:\.\d+)?,.*\n?.*%s:(\d+)" % re.escape(os.path.basename(DRIVER)), out)]
check(stops and first <= stops[0] <= last, "stops in a driver, at its line (%d to %d):\n%s" % (first, last, out))
at = re.search(r"Breakpoint 3,.*sys_exit_group \(.*\n?.* at (\S*syscall/\w+\.c):(\d+)", out)
check(at, "stops at a function, with its file and line:\n" + out)
with open(os.path.join(ROOT, "syscall", os.path.basename(at[1]))) as f:
    source = f.read().splitlines()
check("\n%s\t%s\n" % (at[2], source[int(at[2]) - 1]) in out, "shows the source:\n" + out)
# How far gdb sees: of loongarch64's memory QEMU shows what its TLB holds at the time; the others' ways in have no unwind entries, but frame records.
into = {"x86_64": r"^#\d+ +0x\w+ in entry_syscall \(.*\n#\d+ +0x", "loongarch64": r"^#0  sys_exit_group"}.get(
    ARCH, r"^#\d+ .*\bsyscall_dispatch \(.*\n(#\d+ .*\n)*#\d+ .* at \./arch/%s/entry\.S:\d+\n" % ARCH)
check(re.search(into, out, re.M), "goes on to the program that made the call:\n" + out)
check("\nBreakpoint 2, %s" % TRAP in out, "stops in an interrupt:\n" + out)
through = {"x86_64": r"^#1 +<signal handler called>\n(#\d+ +.* \(.*\) at .*\n)*#\d+ .*\b(entry_syscall|cpu_idle_loop|kthread_main|ret_from_fork) \(",
           "loongarch64": r"^#1 .* at \./arch/loongarch64/entry\.S:\d+$|^Backtrace stopped: Cannot access memory"}.get(
    ARCH, r"^#1 .* at \./arch/%s/entry\.S:\d+$" % ARCH)
check(re.search(through, out[out.index("\nBreakpoint 2, "):], re.M), "and goes on through what it interrupted:\n" + out)
tasks = dict(re.findall(r"^0x[0-9a-f]+ +(\d+) \w+ +\d+ (\S+)$", out, re.M))
check(tasks.get("0") and tasks.get("1") == "init" and tasks.get("2") == "kthreadd" and "sh" in tasks.values(), "lists processes, %r:\n%s" % (tasks, out))
check("sleeping" in out, "and how they are")
check(vm.returncode == 4, "and goes on: status %s" % vm.returncode)
print("ok")
