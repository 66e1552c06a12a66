#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every way into the kernel on every machine: PVH, bzImage, the 64-bit protocol (through a loader of ours); xAPIC and x2APIC;
with and without ACPI, KASLR, one CPU and several. Each boots to the in-kernel tests of the architecture and powers off."""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import setup  # noqa: E402

OUT = os.path.join(ROOT, "build/x86_64")
PLAIN = ["-kernel", OUT + "/vmlinux"]
BZ = ["-kernel", OUT + "/bzImage"]
STUB = ["-kernel", OUT + "/stub64", "-device", "loader,file=%s/vmlinux.bin,addr=0x100000,force-raw=on" % OUT]
BARE = "microvm,acpi=off,pit=off,pic=off,rtc=off"
WAYS = [
    ("pvh q35", "q35", 1, PLAIN, ""), ("pvh q35 4 CPUs", "q35", 4, PLAIN, ""), ("pvh q35 x2apic", "q35", 3, PLAIN, "x2apic"),
    ("pvh pc", "pc", 2, PLAIN, ""), ("pvh microvm", "microvm", 2, PLAIN, ""), ("pvh microvm bare", BARE, 1, PLAIN, ""),
    ("pvh nokaslr", "q35", 1, PLAIN, "nokaslr"), ("bzImage q35", "q35", 2, BZ, ""), ("bzImage pc", "pc", 1, BZ, ""),
    ("bzImage microvm", "microvm", 1, BZ, ""), ("64-bit q35", "q35", 2, STUB, ""), ("64-bit nokaslr", "q35", 1, STUB, "nokaslr"),
    ("8 CPUs", "q35", 8, PLAIN, ""), ("mitigations=off", "q35", 1, PLAIN, "mitigations=off"),
]
CPUS = [("oldest CPU", "qemu64", 2), ("no SMAP, no FSGSBASE", "max,-smap,-smep,-fsgsbase,-umip", 2), ("no XSAVE", "max,-xsave", 1)]


def boot(name, qemu, machine, cpus, kernel, extra, cpu="max"):
    argv = qemu + ["-M", machine, "-cpu", cpu, "-smp", str(cpus), "-m", "256", "-nodefaults", "-display", "none", "-no-reboot",
                   "-serial", "stdio", "-monitor", "none", "-append", "console=ttyS0 ktest=arch_ panic=-1 " + extra] + kernel
    try:
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        out = r.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as e:
        out = (e.stdout or b"").decode("utf-8", "replace") + "\n(did not power off)"
    good = ", 0 failed" in out and "Kernel panic" not in out and "did not power off" not in out
    print("%-24s %s" % (name, "ok" if good else "FAILED"))
    if not good:
        print(out[-3000:])
    return good


def main():
    tools = setup.load() or setup.ensure()
    subprocess.run(["make", "-s", "-C", ROOT, "O=build/x86_64", "build/x86_64/stub64"], check=True)
    qemu = tools["qemu"]["x86_64"]
    ok = [boot(n, qemu, m, c, k, x) for n, m, c, k, x in WAYS]
    ok += [boot(n, qemu, "q35", c, PLAIN, "", cpu) for n, cpu, c in CPUS]
    sys.exit(0 if all(ok) else 1)


main()
