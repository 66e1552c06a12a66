#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Loadable modules: what tests/command/modules.c does to one that is not signed, on one CPU and on four; signatures, with and without
module.sig_enforce=0, types that differ, and the line for each refusal; busybox's insmod, lsmod and rmmod; kernel.modules_disabled cannot be undone.
usage: modules.py [--debug] [--arch CPU [--short]]"""
import os
import struct
import subprocess
import sys
import tempfile

from expect import check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import modkey  # noqa: E402
import signmodule  # noqa: E402
from ochre import build, rootfs, setup  # noqa: E402

DEBUG = [x for x in sys.argv[1:] if x == "--debug"]
SHORT = "--short" in sys.argv         # what depends on the CPU
ARCH = sys.argv[sys.argv.index("--arch") + 1] if "--arch" in sys.argv else "x86_64"
VERSIONS = """insmod /other.ko 2>/dev/null; dmesg | grep -o 'hello: disagrees .*' | uniq"""
REFUSED = """for m in plain foreign changed garbage; do insmod /$m.ko 2>/dev/null; done
cat /proc/modules; dmesg | grep -o 'loading is rejected: .*' | uniq; cat /proc/sys/kernel/tainted"""
LINES = ["loading is rejected: " + x for x in ("no signature", "signed by a key that is not known", "it was changed after it was signed",
                                               "signature is not PKCS#7 signed data")]
TOOLS = """insmod /hello.ko who=me times=2 && lsmod | grep -c '^hello' && rmmod hello && lsmod | grep -c '^hello'
dmesg | grep -o 'hello: .*'
echo 0 > /proc/sys/kernel/modules_disabled; cat /proc/sys/kernel/modules_disabled; echo 1 > /proc/sys/kernel/modules_disabled
insmod /hello.ko 2>&1; echo 0 2>/dev/null > /proc/sys/kernel/modules_disabled; cat /proc/sys/kernel/modules_disabled"""


def run(root, script, *words):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *DEBUG, "--arch", ARCH, "--accel", "tcg", "--timeout", "500", "--rootfs", root, *words, "--", "sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout, r.stderr


def symvers(module):
    with open(os.path.join(os.path.dirname(module), "../gen/Module.symvers")) as f:
        return {row[1]: int(row[0], 16) for row in (line.split("\t") for line in f)}


def files(module, d):
    """{name: bytes}: the module as it is, without its signature, signed in other ways, and damaged."""
    plain, key = module[:-len(".ko")] + ".stripped", os.path.join(ROOT, "build/host/module-key")
    data, signed = rootfs.read(plain), rootfs.read(module)
    modkey.make(os.path.join(d, "key"))
    changed, garbage = bytearray(signed), bytearray(signed)
    changed[100] ^= 1
    garbage[len(data)] ^= 1
    other = bytearray(data)
    other[other.index(b"printk\0", other.index(struct.pack("<Q", symvers(module)["printk"]))) - 8] ^= 1      # the lowest byte
    return {"hello": signed, "plain": data, "foreign": signmodule.sign(os.path.join(d, "key"), data), "short": signmodule.sign(key, data, "sha256"),
            "by_id": signmodule.sign(key, data, "sha512", "-keyid"), "changed": bytes(changed), "garbage": bytes(garbage), "other": signmodule.sign(key, bytes(other))}


def machine(root, program, *words):
    status, said, console = run(root, program, *words)
    check(status == 0, said + console[-6000:])
    no_report(console)


def main():
    tools = setup.load() or setup.ensure((ARCH,))
    build.build(tools, ARCH, bool(DEBUG), quiet=True)
    module = os.path.join(build.outdir(ARCH, bool(DEBUG)), "modules/hello.ko")
    with tempfile.TemporaryDirectory() as d:
        program = rootfs.build_user(tools, "modules", ARCH, out=os.path.join(d, "modules"), sources=[os.path.join(ROOT, "tests/command/modules.c")])
        signed = rootfs.build_user(tools, "modules_signed", ARCH, out=os.path.join(d, "modules_signed"), sources=[os.path.join(ROOT, "tests/command/modules_signed.c")])
        extra = {"bin/modules": (rootfs.read(program), 0o755), "bin/modules_signed": (rootfs.read(signed), 0o755)}
        extra.update(("%s.ko" % name, (data, 0o644)) for name, data in files(module, d).items())
        root = rootfs.busybox_root(tools, extra=extra, arch=ARCH)
        if SHORT:
            machine(root, "SHORT=1 modules", "--cpus", "4", "--append", "module.sig_enforce=0")
            machine(root, "modules_signed")
            return
        status, said, console = run(root, REFUSED)     # insmod tries both calls
        check(status == 0 and said.splitlines() == LINES + ["0"], said + console[-3000:])
        status, said, console = run(root, VERSIONS)
        have = symvers(module)["printk"]
        check(said == "hello: disagrees about version of symbol printk: it has 0x%016x, the kernel 0x%016x\n" % (have ^ 1, have), said + console[-3000:])
        for words in (), ("--append", "module.sig_enforce=0"):
            machine(root, "modules_signed", *words)
        for cpus in "1", "4":
            machine(root, "modules", "--cpus", cpus, "--append", "module.sig_enforce=0")
        status, said, console = run(root, TOOLS)
        want = ["1", "0", "hello: hello 10, me", "hello: hello 10, me", "hello: bye", "0", "1"]
        check([x for x in said.splitlines() if "insmod" not in x] == want, said + console[-3000:])


main()
print("ok")
