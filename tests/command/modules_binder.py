#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Binder as a module: a mount, an open device, a mapping and a file of fsopen(2) keep it loaded (EWOULDBLOCK); after the last of them it goes, behind servers and callers that
were killed too, and comes back; a hundred rounds of load, calls and unload leave nothing; mounts beside loading and unloading (modules_binder.c), on one CPU and on four.
usage: modules_binder.py [--debug] [--arch CPU [--short]]"""
import os
import subprocess
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import build, rootfs, setup, test  # noqa: E402

DEBUG = [x for x in sys.argv[1:] if x == "--debug"]
SHORT = "--short" in sys.argv         # what depends on the CPU
ARCH = sys.argv[sys.argv.index("--arch") + 1] if "--arch" in sys.argv else "x86_64"
INFO = [b"license=MIT", b"author=Ochre", b"alias=fs-binder", b"name=binder", b"intree=Y"]


def run(root, *words):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *DEBUG, "--arch", ARCH, "--accel", "tcg", "--timeout", "500", "--rootfs", root, *words, "--", *["env", "SHORT=1"] * SHORT, "modules_binder"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout, r.stderr


def main():
    tools = setup.load() or setup.ensure((ARCH,))
    build.build(tools, ARCH, bool(DEBUG), quiet=True)
    module = os.path.join(build.outdir(ARCH, bool(DEBUG)), "modules/binder.ko")
    info = rootfs.read(module).split(b"\0")
    check(all(x in info for x in INFO), repr(info)[:3000])
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "modules_binder", ARCH, out=os.path.join(d, "modules_binder"), sources=[os.path.join(ROOT, "tests/command/modules_binder.c")],
                                    flags=["-O1", "-Wno-unused-function", "-I" + os.path.join(ROOT, "tests/guest"), "-I" + test.guest_headers(ARCH)])
        root = rootfs.busybox_root(tools, arch=ARCH, extra={"bin/modules_binder": (rootfs.read(program), 0o755), "binder.ko": (rootfs.read(module), 0o644)})
        for cpus in ["4"] if SHORT else ["1", "4"]:
            status, said, console = run(root, "--cpus", cpus)
            check(status == 0, "status %d\n" % status + said + console[-6000:])
            no_report(console)


main()
print("ok")
