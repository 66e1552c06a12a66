# SPDX-License-Identifier: MIT
"""QEMU's command line for each of our machines."""
import os
import shlex

from . import arches, setup
from .util import Fail, HOST, size_arg


# UEFI: the package, its suite, and the file in it that QEMU takes as -bios.
UEFI = {"x86_64": ("ovmf", "trixie", "usr/share/ovmf/OVMF.fd"), "aarch64": ("qemu-efi-aarch64", "trixie", "usr/share/qemu-efi-aarch64/QEMU_EFI.fd"),
        "loongarch64": ("qemu-efi-loongarch64", "sid", "usr/share/qemu-efi-loongarch64/QEMU_EFI.fd")}


def uefi(arch):
    """The packaged UEFI firmware of a CPU that UEFI names, unpacked when first asked for."""
    package, suite, path = UEFI[arch]
    dest = os.path.join(HOST, "uefi-" + arch)
    if not os.path.exists(os.path.join(dest, path)):
        setup.PrivateApt(setup.codename(), [suite], "apt-" + suite).unpack([package], suite, dest)
    return os.path.join(dest, path)


LOONGARCH64_LOW, LOONGARCH64_HIGH = 256 << 20, 0x80000000      # so much memory lies at 0, the rest here
HIGH_INITRD = LOONGARCH64_HIGH + (256 << 20)


def is_high(arch, initrd):
    """QEMU puts every archive into loongarch64's low memory, a large one over the devices behind it: such a one is loaded apart, and told of by a
    word of the command line that Linux has, too."""
    return arch == "loongarch64" and initrd and os.path.exists(initrd) and os.path.getsize(initrd) > LOONGARCH64_LOW * 3 // 4


def fitting(arch, memory, initrd):
    """MEMORY in bytes, or the least above it that there is room for INITRD in. riscv64's QEMU takes the address of the archive for a size, and the
    archive for too large where the memory is more than that address and less than both together."""
    if arch == "riscv64" and initrd and os.path.exists(initrd):
        at, size = 0x80200000 + min(memory // 2, 512 << 20), os.path.getsize(initrd)
        if at < memory < at + size:
            return (at + size + (2 << 20)) >> 20 << 20
    if is_high(arch, initrd):
        return max(memory, LOONGARCH64_LOW + HIGH_INITRD - LOONGARCH64_HIGH + (os.path.getsize(initrd) + (2 << 20) >> 20 << 20))
    return memory


# Without UEFI, loongarch64's Linux dies of the search for a keyboard, which the machine lacks.
NO_KEYBOARD = "initcall_blacklist=i8042_init"


CPUS = {"pc": 255}        # of machines that take fewer than the CPU's others


class Vm:
    """What is to be booted; argv() gives the command line. Serial ports are numbered sockets that this process holds."""

    def __init__(self, tools, arch="x86_64", machine=None, cpus=1, memory="512M", kernel=None, initrd=None, append="",
                 disks=(), gdb=False, extra=(), cpu=None, firmware=None, disk_bus="virtio"):
        self.tools, self.arch = tools, arch
        self.row = arches.ALL[arch]
        self.machine = machine or self.row.machines[0]
        if self.machine not in self.row.machines:
            raise Fail("--machine %s: %s has %s" % (self.machine, arch, ", ".join(self.row.machines)))
        try:
            self.cpus = int(cpus)
        except ValueError:
            self.cpus = 0
        most = CPUS.get(self.machine, self.row.cpus)
        if not 1 <= self.cpus <= most:
            raise Fail("--cpus takes a number from 1 to %d for %s's %s, not '%s'" % (most, arch, self.machine, cpus) if most > 1 else
                       "--cpus %s: QEMU's %s has one CPU" % (cpus, self.machine))
        self.memory = size_arg(memory) if isinstance(memory, str) else memory
        self.kernel, self.initrd, self.append = kernel, initrd, append
        self.accel = "tcg"      # tests and measurements mean the same on every host; ./ochre run asks for more
        self.disks, self.gdb, self.extra, self.cpu = disks, gdb, list(extra), cpu or self.row.cpu
        if firmware and self.machine == "microvm":
            raise Fail("--firmware uefi: the packaged one is not for the microvm")
        if firmware == "uefi" and arch not in UEFI:
            raise Fail("--firmware uefi: there is none for %s yet (%s)" % (arch, ", ".join(UEFI)))
        self.firmware = firmware
        # Parallel translation may show a CPU the breakpoint that another has just patched away; Linux dies of it, ours retries.
        self.ours = True
        self.snapshot = False   # what is written to disks is forgotten
        self.disk_bus = disk_bus
        for d in disks:
            if not os.path.exists(d):
                raise Fail("--disk %s: no such file" % d)

    def console(self):
        return self.row.console

    def parallel(self):
        """Whether each CPU is emulated by a thread of its own: not where instructions are counted."""
        return self.ours and self.row.cpus > 1 and "-icount" not in self.extra

    def argv(self, serials=("stdio",), monitor=None):
        """serials: for each port a file descriptor, or 'stdio', or 'null'. monitor: a file descriptor."""
        if fitting(self.arch, self.memory, self.initrd) != self.memory:
            raise Fail("--memory %dM: no room for an initrd of %d MiB there; %d MiB have it" % (
                self.memory >> 20, os.path.getsize(self.initrd) >> 20, fitting(self.arch, self.memory, self.initrd) >> 20))
        a = list(self.tools["qemu"][self.arch])
        micro = self.machine == "microvm"
        machine = self.machine
        if self.arch == "aarch64":
            machine += ",gic-version=2"
            # Addresses signed by QEMU's own algorithm: the architecture's, in software, takes a quarter of a program's time.
            self.cpu = "max,pauth-impdef=on" if self.cpu == "max" else self.cpu
        a += ["-M", machine]
        if "-accel" not in self.extra:
            a += ["-accel", "kvm" if self.accel == "kvm" else "tcg,thread=" + ("multi" if self.parallel() else "single")]
        a += ["-cpu", self.cpu, "-smp", str(self.cpus), "-m", "%dk" % (self.memory >> 10),
              "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        if micro or self.row.blk == "virtio-blk-device":
            a += ["-global", "virtio-mmio.force-legacy=false"]
        for i, s in enumerate(serials):
            ident = "s%d" % i
            if s == "stdio":
                a += ["-chardev", "stdio,id=%s,signal=off" % ident]
            elif s == "null":
                a += ["-chardev", "null,id=" + ident]
            else:
                a += ["-chardev", "socket,id=%s,fd=%d" % (ident, s)]
            if i and self.row.control.startswith("/dev/hvc"):
                # Debian's Linux has the driver of virtio over PCI in itself, that of virtio over MMIO as a module.
                bus = self.row.blk[len("virtio-blk"):] if self.ours else "-pci"
                a += ["-device", "virtio-serial" + bus, "-device", "virtconsole,chardev=" + ident]
            elif micro and i:
                a += ["-device", "isa-serial,chardev=%s,index=%d" % (ident, i)]
            else:
                a += ["-serial", "chardev:" + ident]
        if monitor is not None:
            a += ["-chardev", "socket,id=monitor,fd=%d" % monitor, "-mon", "chardev=monitor,mode=readline"]
        if self.firmware == "uefi":
            a += ["-bios", uefi(self.arch)]
        if self.kernel:
            a += ["-kernel", self.kernel]
        words = self.append
        if self.arch == "loongarch64" and not self.ours:
            words = (NO_KEYBOARD + " " + (words or "")).strip()
        if is_high(self.arch, self.initrd):
            a += ["-device", "loader,force-raw=on,addr=%#x,file=%s" % (HIGH_INITRD, self.initrd.replace(",", ",,"))]
            words += " initrdmem=%#x,%#x" % (HIGH_INITRD, os.path.getsize(self.initrd))
        elif self.initrd:
            a += ["-initrd", self.initrd]
        if words:
            a += ["-append", words]
        dev = "virtio-blk-device" if micro else self.row.blk
        if self.disk_bus == "scsi" and self.disks:
            a += ["-device", dev.replace("-blk-", "-scsi-") + ",id=scsi"]
            dev = "scsi-hd,bus=scsi.0"
        for i, d in enumerate(self.disks):
            with open(d, "rb") as f:
                fmt = "qcow2" if f.read(4) == b"QFI\xfb" else "raw"
            a += ["-drive", "if=none,id=d%d,format=%s%s,file=%s" % (i, fmt, ",snapshot=on" if self.snapshot else "", d.replace(",", ",,")),
                  "-device", "%s,drive=d%d,serial=disk%d%s" % (dev, i, i, ",scsi-id=%d,lun=%d" % (i % 256, i // 256) if self.disk_bus == "scsi" else "")]
        if self.gdb:
            a += ["-S", "-gdb", "tcp:127.0.0.1:1234"]
        return a + self.extra

    def shown(self, serials=("stdio",)):
        return " ".join(shlex.quote(x) for x in self.argv(serials))
