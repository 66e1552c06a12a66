#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's QEMU with -accel kvm inside this kernel: its firmware to where it finds nothing to boot; this kernel in this kernel, with one CPU and two, on pc, q35 and microvm, with interrupt
controllers in the kernel and without (and so without APICs: QEMU has none of its own for KVM), with a virtio disk and network whose interrupts and doorbells are eventfds; Debian's Linux.
usage: kvm_qemu.py [--debug] [NAME ...]"""
import os
import re
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import build, cpio, disk, rootfs, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402

PACKAGES = "qemu-system-x86"
SECTORS, ECHOES = 2048, 20
# microvm's own choice is "split", which is absent. Without an APIC in the kernel QEMU's CPUs have none.
ON, OFF = "-accel kvm,kernel-irqchip=on -cpu host", "-accel kvm,kernel-irqchip=off -cpu host,-x2apic,-apic"
PCI = "-drive file=disk,format=raw,if=none,id=d -device virtio-blk-pci,drive=d -netdev user,id=n,restrict=on -device virtio-net-pci,netdev=n,romfile="
FIRMWARE = "-m 64 -net none -nographic -boot reboot-timeout=1"
OCHRE = "-m 96 -nodefaults -display none -serial stdio -kernel bzImage -initrd initrd -append 'console=ttyS0 panic=-1 quiet'"
LINUX = OCHRE.replace("bzImage", "linux").replace("initrd initrd", "initrd initrd.linux").replace("-m 96", "-m 160")
# name: (QEMU's words, how many CPUs its guest sees, whether it has a disk and a network)
RUNS = {
    "firmware": ("%s -M pc %s" % (ON, FIRMWARE), 0, False),
    "firmware, no irqchip": ("%s -M pc %s" % (OFF, FIRMWARE), 0, False),
    **{"%s, %d CPUs" % (m, n): ("%s -M %s -smp %d %s" % (ON, m, n, OCHRE), n, False) for m in ("pc", "q35", "microvm") for n in (1, 2)},
    **{"%s, no irqchip" % m: ("%s -M %s %s" % (OFF, m, OCHRE), 1, False) for m in ("pc", "q35", "microvm")},
    "pc, virtio": ("%s -M pc -smp 2 %s %s" % (ON, OCHRE, PCI), 2, True),
    "q35, virtio": ("%s -M q35 -smp 2 %s %s" % (ON, OCHRE, PCI), 2, True),
    "pc, virtio, no irqchip": ("%s -M pc %s %s" % (OFF, OCHRE, PCI), 1, True),
    "linux, q35, virtio": ("%s -M q35 %s %s" % (ON, LINUX, PCI), 1, True),
}
SCRIPT = r"""
cd /root; tar xf /dev/vda
run() { echo "== $1"; cp first disk; eval "qemu-system-x86_64 $2 -no-reboot" </dev/null 2>&1; r=$?; echo; echo "-- $r $(cut -d' ' -f1 /proc/uptime)"; }
"""


def initrd(path, init, modules):
    with open(path, "wb") as f:
        w = cpio.Writer(f)
        w.dir(".")
        w.dir("dev")
        w.node("dev/console", stat.S_IFCHR, 5, 1, 0o600)
        w.file("init", init, 0o755)
        rootfs.add_files(w, modules)
        w.end()


def pack(tools, names, d, debug):
    """The archive, as a disk's contents, of what the guest gives to its guests."""
    init = rootfs.read(rootfs.build_user(tools, "kvm_qemu", out=d + "/init", sources=[ROOT + "/tests/command/kvm_qemu.c"]))
    initrd(d + "/initrd", init, {})
    files = {"bzImage": build.outdir("x86_64", debug) + "/bzImage", "initrd": d + "/initrd", "first": d + "/first"}
    with open(files["first"], "wb") as f:
        f.write(b"".join(struct.pack("<Q504x", i) for i in range(SECTORS)))
    if any("linux" in n for n in names):
        files["linux"], files["initrd.linux"] = setup.reference_linux("x86_64"), d + "/initrd.linux"
        initrd(files["initrd.linux"], init, disk.modules("x86_64", ("virtio_pci", "virtio_blk", "virtio_net")))
    with tarfile.open(d + "/files", "w") as t:
        for n in files:
            t.add(files[n], n)
    return d + "/files"


def wanted(cpus, virtio):
    return (["inner: disk of %d sectors" % SECTORS, "inner: %d echoes" % ECHOES] if virtio else []) + ["inner: %d CPUs" % cpus]


def judge(name, lines):
    """What one QEMU said, the last line with its status."""
    _, cpus, virtio = RUNS[name]
    text = "%s:\n%s" % (name, "\n".join(lines)[-6000:])
    check(lines[-1].startswith("-- 0 "), text)
    if cpus:
        # The kernel's words, of another CPU, may come in between.
        check(re.findall(r"inner: .*", "\n".join(lines)) == wanted(cpus, virtio), text)
        no_report("\n".join(lines))
    else:
        check([l for l in lines if l.startswith("No bootable device.")], text)


def main():
    debug = "--debug" in sys.argv[1:]
    asked = [a for a in sys.argv[1:] if a != "--debug"]
    names = [n for n in RUNS if not asked or any(a in n for a in asked)]
    tools = setup.load() or setup.ensure()
    try:
        disk.base(PACKAGES, "x86_64", tools)
    except Fail as e:
        print("there is no Debian to put on a disk: %s" % str(e).splitlines()[0])
        return 77
    build.build(tools, "x86_64", debug, quiet=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as d:
        script = SCRIPT + "".join("run '%s' \"%s\"\n" % (n, RUNS[n][0]) for n in names) + "dmesg | grep -E 'WARN|BUG|Oops|Out of memory'; echo ends"
        r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *(["--debug"] if debug else []), "--accel", "tcg", "--cpus", "2", "--memory", "1G", "--net", "none", "--timeout", "280",
                            *appended(), "--rootfs", "debian", "--packages", PACKAGES, "--snapshot", "--disk", pack(tools, names, d, debug), "--", "bash", "-c", script],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    out = r.stdout.replace("\r", "")
    parts = re.findall(r"^== (.*)\n((?:.*\n)*?-- .*)$", out, re.M)
    check(r.returncode == 0 and [n for n, _ in parts] == names and out.splitlines()[-2:-1] == parts[-1][1].splitlines()[-1:] and out.endswith("ends\n"),
          "status %d\n%s%s" % (r.returncode, out[-6000:], r.stderr[-3000:]))
    for name, said in parts:
        judge(name, said.splitlines())
        print("  %-24s by %s s" % (name, said.split()[-1]))
    print("ok, %.0f s" % (time.monotonic() - begin))
    return 0


sys.exit(main())
