#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A loadable module in Rust (tests/modules/hello_rust.rs): parameters, a device, what refuses it and what keeps it for ever, load and unload in a loop on one CPU and
on four (modules_rust.c); insmod, modinfo and rmmod; a panic in its init is an oops that names it.
usage: modules_rust.py [--debug] [--arch CPU [--short]]"""
import os
import subprocess
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import build, rootfs, setup  # noqa: E402

DEBUG = [x for x in sys.argv[1:] if x == "--debug"]
SHORT = "--short" in sys.argv         # what depends on the CPU
ARCH = sys.argv[sys.argv.index("--arch") + 1] if "--arch" in sys.argv else "x86_64"
TOOLS = """insmod /hello_rust.ko who=me times=2 && lsmod | grep -c '^hello_rust' && rmmod hello_rust; dmesg | grep -o 'hello_rust: .*'; cat /proc/sys/kernel/tainted"""
INFO = ["license:MIT", "author:Ochre", "description:says hello, in Rust", "alias:greeter-rust", "parm:who:whom it greets", "parmtype:who:charp", "name:hello_rust"]
PROGRAM = "modules_rust; s=$?; dmesg | grep hello_rust; exit $s"
LINES = ["hello_rust: made with another kernel crate: it has ", "hello_rust: unknown symbol cust_kmalloc", "hello_rust: the kernel still holds it: it stays for ever"]
CRASH = "insmod /hello_rust.ko crash=1; cut -d' ' -f1,5 /proc/modules; cat /sys/module/hello_rust/initstate; rmmod hello_rust 2>&1; dmesg"


def run(root, script, *words):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *DEBUG, "--arch", ARCH, "--accel", "tcg", "--timeout", "500", "--rootfs", root, *words, "--", "sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout, r.stderr


def main():
    tools = setup.load() or setup.ensure((ARCH,))
    build.build(tools, ARCH, bool(DEBUG), quiet=True)
    module = os.path.join(build.outdir(ARCH, bool(DEBUG)), "modules/hello_rust.ko")
    info = rootfs.read(module).split(b"\0")
    check(all(x.replace(":", "=", 1).encode() in info for x in INFO), repr(info)[:3000])
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "modules_rust", ARCH, out=os.path.join(d, "modules_rust"), sources=[os.path.join(ROOT, "tests/command/modules_rust.c")])
        root = rootfs.busybox_root(tools, arch=ARCH, extra={"bin/modules_rust": (rootfs.read(program), 0o755), "hello_rust.ko": (rootfs.read(module), 0o644),
                                                 "rust.ko": (rootfs.read(module[:-len(".ko")] + ".stripped"), 0o644)})
        for cpus in ["4"] if SHORT else ["1", "4"]:
            status, said, console = run(root, "export SHORT=1; " * SHORT + PROGRAM, "--cpus", cpus, "--append", "module.sig_enforce=0")
            check(status == 0, "status %d\n" % status + said + console[-6000:])
            no_report(console)
            check(LINES == [x for x in LINES if x in said], said + console[-3000:])
        if SHORT:
            return
        status, said, console = run(root, TOOLS)
        check(said.splitlines() == ["1"] + ["hello_rust: hello 10, me"] * 2 + ["hello_rust: bye after 2", "0"], said + console[-3000:])
        status, said, console = run(root, CRASH)
        check(said.startswith("hello_rust Loading\ncoming\n") and "index out of bounds" in said and "hello_rust" in said.split("index out of bounds")[1], said + console[-3000:])


main()
print("ok")
