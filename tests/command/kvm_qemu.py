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
LEAST_REQUESTS = 16      # the disk is written in so many parts
# microvm's own choice is "split", which is absent. Without an APIC in the kernel QEMU's CPUs have none.
ON, OFF = "-accel kvm,kernel-irqchip=on -cpu host", "-accel kvm,kernel-irqchip=off -cpu host,-x2apic,-apic"
PCI = "-drive file=disk,format=raw,if=none,id=d -device virtio-blk-pci,drive=d -netdev user,id=n,restrict=on -device virtio-net-pci,netdev=n,romfile="
# QEMU says what of the disk's doorbells and interrupts it did itself, and what it left to eventfds; a thread of the disk's own signals those.
TRACED = PCI.replace("drive=d ", "drive=d,%s ") + " -object iothread,id=t -D trace " + " ".join(
    "-trace " + e for e in ("memory_region_ops_write", "virtio_notify", "virtio_notify_irqfd", "virtio_blk_req_complete"))
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
    "pc, virtio, no irqchip": ("%s -M pc %s %s" % (OFF, OCHRE, PCI), 1, True),
    "q35, eventfds": ("%s -M q35 -smp 2 %s %s" % (ON, OCHRE, TRACED % "iothread=t"), 2, True),
    "q35, no ioeventfd": ("%s -M q35 -smp 2 %s %s" % (ON, OCHRE, TRACED % "ioeventfd=off"), 2, True),
    "q35, statistics": ("%s -M q35 -smp 2 %s" % (ON, OCHRE.replace("-serial stdio", "-serial file:line -monitor stdio -no-shutdown")), 2, False),
    "linux, q35, virtio": ("%s -M q35 -smp 2 %s %s" % (ON, LINUX, PCI), 2, True),
}
SCRIPT = r"""
cd /root; tar xf /dev/vda
mkfifo line
# After the guest's last word, by its serial line, what QEMU knows of its first CPU.
ask() { sed -u '/inner: [0-9]* CPUs/q' <line >&2; echo 'info stats vcpu'; echo 'info stats vm'; echo quit; }
how() { grep -c "$1 vdev $blk" trace; }
traffic() {
	blk=$(sed -n 's/.*virtio_blk_req_complete vdev \(0x[0-9a-f]*\).*/\1/p' trace | head -1)
	echo "traffic: $(how virtio_blk_req_complete) requests, interrupts: $(how virtio_notify_irqfd) by eventfd, $(how virtio_notify) by ioctl, doorbells by QEMU: $(grep -c 'memory_region_ops_write.*notify-virtio-blk' trace)"
}
# QEMU may lose what a guest on its first CPU has in its registers (docs/kvm.md).
run() {
	echo "== $1"; cp first disk; rm -f trace
	case $2 in *file:line*) ask 2>&3 ;; esac | eval "taskset -c 1,2 qemu-system-x86_64 $2 -no-reboot" 2>&1; r=$?; echo
	[ -e trace ] && traffic
	echo "-- $r $(cut -d' ' -f1 /proc/uptime)"
}
exec 3>&1
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


def traffic(name, text):
    """A disk's interrupts all come by eventfd, and its doorbells too; both do not where QEMU was told to take them itself."""
    m = re.search(r"^traffic: (\d+) requests, interrupts: (\d+) by eventfd, (\d+) by ioctl, doorbells by QEMU: (\d+)$", text, re.M)
    check(m, text)
    requests, eventfds, ioctls, doorbells = map(int, m.groups())
    by_hand = (ioctls, doorbells)
    check(requests >= LEAST_REQUESTS, m[0])
    check(not eventfds and min(by_hand) >= LEAST_REQUESTS if "no ioeventfd" in name else eventfds >= LEAST_REQUESTS and not any(by_hand), m[0])
    print("  %s" % m[0])


def statistics(text):
    """QEMU reads the counts of its first CPU and of the VM (KVM_GET_STATS_FD)."""
    parts = re.split(r"^provider: kvm$", text, flags=re.M)[1:]
    counts = [{n: int(v) for n, v in re.findall(r"^\s+(\w+)(?: \([^)]*\))?: (\d+)", p, re.M)} for p in parts]
    check(len(counts) == 2, text)
    cpu, vm = counts
    check(all(cpu.get(n, 0) > 0 for n in ("exits", "halt_exits", "irq_injections", "io_exits", "mmio_exits", "pf_fixed")), "%s\n%s" % (cpu, text))
    check(cpu["exits"] > sum(cpu[n] for n in ("io_exits", "halt_exits", "irq_exits", "irq_window_exits")), text)
    check(vm.get("remote_tlb_flush_requests", -1) >= vm.get("remote_tlb_flush", 0), text)
    print("  %s" % ", ".join("%d %s" % (cpu[n], n) for n in ("exits", "io_exits", "mmio_exits", "halt_exits", "irq_injections")))


def judge(name, lines):
    """What one QEMU said, the last line with its status."""
    _, cpus, virtio = RUNS[name]
    text = "%s:\n%s" % (name, "\n".join(lines)[-6000:])
    check(lines[-1].startswith("-- 0 "), text)
    if cpus:
        # The kernel's words, of another CPU, may come in between.
        check(re.findall(r"inner: .*", "\n".join(lines)) == wanted(cpus, virtio), text)
        no_report("\n".join(lines))
        if "eventfd" in name:
            traffic(name, text)
        if "statistics" in name:
            statistics(text)
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
        r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *(["--debug"] if debug else []), "--accel", "tcg", "--cpus", "3", "--memory", "1G", "--net", "none", "--timeout", "280",
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
