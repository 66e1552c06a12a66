#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Loadable modules: refused by default; with module.sig_enforce=0 what tests/command/modules.c does to one, on one CPU and on four; busybox's insmod, lsmod and rmmod;
kernel.modules_disabled cannot be undone.
usage: modules.py [--debug]"""
import os
import subprocess
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import build, rootfs, setup  # noqa: E402

DEBUG = sys.argv[1:]
REFUSED = "insmod /hello.ko 2>&1; cat /proc/modules; dmesg | grep -c 'unsigned module is rejected'; cat /proc/sys/kernel/tainted"
TOOLS = """insmod /hello.ko who=me times=2 && lsmod | grep -c '^hello' && rmmod hello && lsmod | grep -c '^hello'
dmesg | grep -o 'hello: .*'
echo 0 > /proc/sys/kernel/modules_disabled; cat /proc/sys/kernel/modules_disabled; echo 1 > /proc/sys/kernel/modules_disabled
insmod /hello.ko 2>&1; echo 0 2>/dev/null > /proc/sys/kernel/modules_disabled; cat /proc/sys/kernel/modules_disabled"""


def run(root, script, *words):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *DEBUG, "--accel", "tcg", "--timeout", "500", "--rootfs", root, *words, "--", "sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout, r.stderr


def main():
    tools = setup.load() or setup.ensure()
    build.build(tools, "x86_64", bool(DEBUG), quiet=True)
    module = os.path.join(build.outdir("x86_64", bool(DEBUG)), "modules/hello.ko")
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "modules", out=os.path.join(d, "modules"), sources=[os.path.join(ROOT, "tests/command/modules.c")])
        root = rootfs.busybox_root(tools, extra={"bin/modules": (rootfs.read(program), 0o755), "hello.ko": (rootfs.read(module), 0o644)})
        status, said, console = run(root, REFUSED)     # insmod tries both calls
        check(status == 0 and said.splitlines()[-2:] == ["2", "0"] and "insmod" in said, said + console[-3000:])
        for cpus in "1", "4":
            status, said, console = run(root, "modules", "--cpus", cpus, "--append", "module.sig_enforce=0")
            check(status == 0, said + console[-6000:])
            no_report(console)
        status, said, console = run(root, TOOLS, "--append", "module.sig_enforce=0")
        want = ["1", "0", "hello: hello 10, me", "hello: hello 10, me", "hello: bye", "0", "1"]
        check([x for x in said.splitlines() if "insmod" not in x] == want, said + console[-3000:])
    print("ok")


main()
