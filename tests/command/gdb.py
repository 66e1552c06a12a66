#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernel under gdb: symbols and lines, a breakpoint in it, and the helper that lists processes."""
import os
import shutil
import subprocess
import sys
import time

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")

if not shutil.which("gdb"):
    print("skipped: gdb is not installed")
    sys.exit(77)
vm = subprocess.Popen([ROOT + "/ochre", "run", "--gdb", "--timeout", "90", "--", "sh", "-c", "exit 4"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True)
time.sleep(2)
out = subprocess.run(["gdb", "-nx", "-batch", "-x", ROOT + "/tools/gdb/ochre.py", ROOT + "/build/x86_64/vmlinux", "-ex", "set pagination off",
                      "-ex", "target remote 127.0.0.1:1234", "-ex", "hbreak sys_exit_group", "-ex", "continue", "-ex", "backtrace", "-ex", "ochre-tasks",
                      "-ex", "delete", "-ex", "detach"],
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=80).stdout
vm.wait()
check("sys_exit_group" in out and "syscall/" in out, "stops at a function, with its file:\n" + out)
check("kthreadd" in out and "init" in out and "sleeping" in out, "lists processes:\n" + out)
check(vm.returncode == 4, "and goes on: status %s" % vm.returncode)
print("ok")
