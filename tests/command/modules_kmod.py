#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian 13's kmod, unmodified, with the modules that ./ochre run puts into a root: modprobe with parameters, a configuration, a blacklist and -r, insmod, rmmod, lsmod,
modinfo, depmod; the same place where /lib is no link.
usage: modules_kmod.py [--debug]"""
import os
import shutil
import subprocess
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import modules, setup  # noqa: E402
from ochre.util import HOST  # noqa: E402

DEBUG = sys.argv[1:]
SCRIPT = """cd /lib/modules/$(uname -r) || exit 1
ls | sort | tr '\\n' ' '; cat modules.dep
/sbin/modprobe -n --show-depends hello device=0
/sbin/modprobe hello who=kmod times=1 && /sbin/lsmod && /sbin/modprobe -r hello && /sbin/lsmod
mkdir -p /etc/modprobe.d; echo 'options hello limit=77 device=0' > /etc/modprobe.d/a.conf
/sbin/modprobe hello && cat /sys/module/hello/parameters/limit && /sbin/rmmod hello
echo 'blacklist hello' > /etc/modprobe.d/b.conf; /sbin/modprobe -b hello; /sbin/lsmod
/sbin/modprobe nothing 2>&1
/sbin/modprobe greeter-rust who=alias && /sbin/modprobe -r hello_rust && /sbin/modinfo -p hello_rust | grep who
/sbin/insmod kernel/hello.ko.zst times=0 device=0 && /sbin/rmmod hello
/sbin/modinfo -F signer hello; /sbin/modinfo -F license hello; /sbin/modinfo -F filename hello
/sbin/modprobe --dump-modversions kernel/hello.ko.zst | grep -c printk
/sbin/depmod && cat modules.dep; /sbin/rmmod hello 2>&1
dmesg | grep -o 'hello.*: hello.*'
"""
TABLES = {"modules." + n for n in ("alias", "alias.bin", "builtin", "builtin.bin", "dep", "dep.bin", "order", "softdep", "symbols", "symbols.bin")}
HEAD = "Module                  Size  Used by"
WANT = ["kernel/hello_rust.ko.zst:", "insmod /lib/modules/RELEASE/kernel/hello.ko.zst device=0", HEAD, "hello                  12288  0", HEAD, "77", HEAD,
        "modprobe: FATAL: Module nothing not found in directory /lib/modules/RELEASE", "who:whom it greets (charp)", "Build time module signing key", "MIT",
        "/lib/modules/RELEASE/kernel/hello.ko.zst", "1", "kernel/hello.ko.zst:", "kernel/hello_rust.ko.zst:", "rmmod: ERROR: Module hello is not currently loaded",
        "hello: hello 10, kmod", "hello: hello 77, world",
        "hello_rust: hello 10, alias"]


def kmod():
    """Debian 13's, with all that it needs; fetched when first asked for."""
    dest = os.path.join(HOST, "kmod-trixie")
    if not os.path.exists(dest + "/usr/bin/kmod"):
        apt = setup.PrivateApt(setup.codename(), ["trixie"], "apt-trixie")
        apt.unpack(apt.closure("kmod"), "trixie", dest)
    return dest


def run(root, script):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *DEBUG, "--accel", "tcg", "--timeout", "500", "--rootfs", root, "--", "/bin/sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    no_report(r.stderr)
    return r.stdout, r.stderr


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = d + "/root"
        shutil.copytree(kmod() + "/usr", root + "/usr", symlinks=True)
        for n in "bin", "sbin", "lib", "lib64":
            os.makedirs(root + "/usr/" + n, exist_ok=True)
            os.symlink("usr/" + n, root + "/" + n)
        for n in "proc", "sys", "dev", "etc":
            os.mkdir(root + "/" + n)
        shutil.copy(tools["busybox"], root + "/bin/busybox")
        for n in "sh", "ls", "sort", "tr", "cat", "uname", "mkdir", "dmesg", "grep":
            if not os.path.lexists(root + "/bin/" + n):
                os.symlink("busybox", root + "/bin/" + n)
        said, console = run(root, SCRIPT)
        lines = said.replace(modules.release(), "RELEASE").splitlines()
        check(lines and lines[0].endswith(" kernel/hello.ko.zst:") and TABLES <= set(lines[0].split()), said + console[-3000:])
        check(lines[1:] == WANT and "holders" not in console, said + console[-3000:])
    said, console = run("busybox", "cd /lib/modules/$(uname -r) && cat modules.dep modules.order && ls -l kernel | grep -c 'hello.ko.zst$'")
    check(said.splitlines() == ["kernel/hello.ko.zst:", "kernel/hello_rust.ko.zst:", "kernel/hello.ko", "kernel/hello_rust.ko", "1"], said + console[-3000:])
    print("ok")


main()
