#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian 13's kmod, unmodified, with the modules that ./ochre run puts into a root: modprobe with parameters, a configuration, a blacklist and -r, insmod, rmmod, lsmod,
modinfo, depmod; a module that another one uses; parameters and a blacklist on the kernel's command line; the same place where /lib is no link.
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
USERS = """cd /sys/module
/sbin/insmod /lib/modules/$(uname -r)/kernel/hello_user.ko.zst 2>&1
/sbin/modprobe hello_user who=kmod && /sbin/lsmod; cut -d' ' -f1,3-5 /proc/modules
ls -l hello_base/holders | grep -o 'hello_user -> .*'; cat hello_base/refcnt hello_base/version hello_base/srcversion; ls hello_user/holders
/sbin/rmmod hello_base 2>&1; grep -c '^0xffffffff' hello_base/sections/.text
ls -A hello_base/sections | grep -c '^[._]'; ls -ld hello_base/sections/.text | cut -c1-10
/sbin/modprobe -r hello_user && cat /proc/modules
/sbin/modprobe hello_base && /sbin/modprobe hello_user fail=1 2>/dev/null; ls hello_base/holders; cat hello_base/refcnt
i=0; while [ $i -lt 20 ]; do /sbin/modprobe hello_user && /sbin/rmmod hello_user || echo failed; i=$((i+1)); done; cat hello_base/refcnt
/sbin/rmmod hello_base && cat /proc/modules; dmesg | grep -o 'hello_base: .*' | head -3; dmesg | grep -o 'hello_user: .*' | head -1
"""
USED = ["insmod: ERROR: could not insert module /lib/modules/RELEASE/kernel/hello_user.ko.zst: Unknown symbol in module", HEAD := "Module                  Size  Used by",
        "hello_user             12288  0", "hello_base             12288  1 hello_user", "hello_user 0 - Live", "hello_base 1 hello_user, Live",
        "hello_user -> ../../hello_user", "1", "1.5", "0123456789ABCDEF0123456", "rmmod: ERROR: Module hello_base is in use by: hello_user", "1", "6",
        "-r--------", "0", "0", "hello_base: good day, kmod", "hello_base: good day, and good bye", "hello_base: said 2", "hello_user: unknown symbol hello_words"]
CMDLINE = "/sbin/modprobe hello && cat /sys/module/hello/parameters/limit; /sbin/modprobe -b greeter-rust; /sbin/lsmod | grep -c rust"
TABLES = {"modules." + n for n in ("alias", "alias.bin", "builtin", "builtin.bin", "dep", "dep.bin", "order", "softdep", "symbols", "symbols.bin")}
DEP = ["kernel/hello_base.ko.zst:", "kernel/hello_rust.ko.zst:", "kernel/hello_user.ko.zst: kernel/hello_base.ko.zst", "kernel/virtio_scsi.ko.zst:"]
WANT = [*DEP, "insmod /lib/modules/RELEASE/kernel/hello.ko.zst device=0", HEAD, "hello                  12288  0", HEAD, "77", HEAD,
        "modprobe: FATAL: Module nothing not found in directory /lib/modules/RELEASE", "who:whom it greets (charp)", "Build time module signing key", "MIT",
        "/lib/modules/RELEASE/kernel/hello.ko.zst", "1", "kernel/binder.ko.zst:", "kernel/bridge.ko.zst:", "kernel/dummy.ko.zst:", "kernel/hello.ko.zst:", *DEP, "rmmod: ERROR: Module hello is not currently loaded",
        "hello: hello 10, kmod", "hello: hello 77, world",
        "hello_rust: hello 10, alias"]


def kmod():
    """Debian 13's, with all that it needs; fetched when first asked for."""
    dest = os.path.join(HOST, "kmod-trixie")
    if not os.path.exists(dest + "/usr/bin/kmod"):
        apt = setup.PrivateApt(setup.codename(), ["trixie"], "apt-trixie")
        apt.unpack(apt.closure("kmod"), "trixie", dest)
    return dest


def kmod_root(tools, root, *more):
    """A directory to boot: kmod, and busybox with the applets MORE besides the usual ones."""
    shutil.copytree(kmod() + "/usr", root + "/usr", symlinks=True)
    for n in "bin", "sbin", "lib", "lib64":
        os.makedirs(root + "/usr/" + n, exist_ok=True)
        os.symlink("usr/" + n, root + "/" + n)
    for n in "proc", "sys", "dev", "etc":
        os.mkdir(root + "/" + n)
    shutil.copy(tools["busybox"], root + "/bin/busybox")
    for n in ("sh", "ls", "sort", "tr", "cat", "uname", "mkdir", "dmesg", "grep", "cut", "head", *more):
        if not os.path.lexists(root + "/bin/" + n):
            os.symlink("busybox", root + "/bin/" + n)
    return root


def run(root, script, *words):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *DEBUG, "--accel", "tcg", "--timeout", "500", "--rootfs", root, *words, "--", "/bin/sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    no_report(r.stderr)
    return r.stdout, r.stderr


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = kmod_root(tools, d + "/root")
        said, console = run(root, SCRIPT)
        lines = said.replace(modules.release(), "RELEASE").splitlines()
        check(lines and lines[0].endswith(" kernel/binder.ko.zst:") and TABLES <= set(lines[0].split()), said + console[-3000:])
        check(lines[1:] == ["kernel/bridge.ko.zst:", "kernel/dummy.ko.zst:", "kernel/hello.ko.zst:", *WANT] and "holders" not in console, said + console[-3000:])
        said, console = run(root, USERS)
        check(said.replace(modules.release(), "RELEASE").splitlines() == USED, said + console[-3000:])
        said, console = run(root, CMDLINE, "--append", "hello.limit=55 modprobe.blacklist=hello_rust")
        check(said.splitlines() == ["55", "0"], said + console[-3000:])
    said, console = run("busybox", "cd /lib/modules/$(uname -r) && cat modules.dep modules.order && ls -l kernel | grep -c 'hello.ko$'; modprobe hello who=box && rmmod hello; dmesg | grep -o 'hello: .*'")
    check(said.splitlines() == ["kernel/binder.ko:", "kernel/bridge.ko:", "kernel/dummy.ko:", "kernel/hello.ko:", *(x.replace(".zst", "") for x in DEP), *("kernel/%s.ko" % n for n in ("binder", "bridge", "dummy", "hello", "hello_base", "hello_rust", "hello_user", "virtio_scsi")), "1",
                                 "hello: hello 10, box", "hello: bye"], said + console[-3000:])
    print("ok")


if __name__ == "__main__":
    main()
