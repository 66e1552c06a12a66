# SPDX-License-Identifier: MIT
"""Many machines: each CPU model of QEMU, variants of each architecture's machine, and Bochs. A boot each, to a busybox script; under Bochs the in-kernel tests
too. Where we fail Linux is tried, and what it cannot either is no failure of ours. `./ochre test machines` runs all, `machines/NAME` those so called; a whole run
those of GATE."""
import os
import re
import subprocess
import tempfile
import time

from . import arches, bochs, build, rootfs, setup
from .util import BUILD, Fail, output

SCRIPT = b"""#!/bin/sh
mount -t proc proc /proc
n=$(cat /bin/busybox | md5sum)
for i in 1 2 3 4; do [ "$(cat /bin/busybox | md5sum)" = "$n" ] || echo "machine: differs"; done
[ "$((6 * 7))" = 42 ] && sh -c 'kill -USR1 $$' ; [ $? = 138 ] && echo "machine: fine on $(nproc)"
poweroff -f
sleep 1000
"""
LIMIT, BOCHS_LIMIT = 60, 400            # seconds, of the processor and of the clock
SLOWEST = 10                            # the clock's to the processor's, where others want it as well, or the machine waits for nothing
GRACE = 5                               # to power off in: some machines cannot

X86 = {
    "cpus-1": "-M q35", "cpus-8": "-M q35 -smp 8", "cpus-64": "-M q35 -smp 64", "cpus-255": "-M q35 -smp 255 -m 2048", "cpus-288": "-M q35 -smp 288 -m 2048",
    "sockets": "-M q35 -smp 8,sockets=2,cores=2,threads=2", "sockets-odd": "-M q35 -smp 6,sockets=2,cores=3,threads=1", "hotplug-places": "-M q35 -smp 2,maxcpus=8",
    "numa": "-M q35 -smp 4 -m 1024 -object memory-backend-ram,id=a,size=512M -object memory-backend-ram,id=b,size=512M -numa node,cpus=0-1,memdev=a -numa node,cpus=2-3,memdev=b",
    "numa-memory-only": "-M q35 -smp 2 -m 1024 -object memory-backend-ram,id=a,size=768M -object memory-backend-ram,id=b,size=256M -numa node,cpus=0-1,memdev=a -numa node,memdev=b",
    "memory-64M": "-M q35 -m 64", "memory-5G": "-M q35 -m 5G", "memory-hole": "-M pc,max-ram-below-4g=1G -m 3G", "memory-slots": "-M q35 -m 512,slots=4,maxmem=4G",
    "no-hpet": "-M q35,hpet=off", "no-pic": "-M q35,pic=off", "no-pit": "-M q35,pit=off", "no-smm": "-M q35,smm=off", "no-acpi": "-M pc,acpi=off", "no-hpet-pit": "-M q35,hpet=off,pit=off",
    "no-apic": "-M pc -cpu max,-apic", "no-x2apic": "-M q35 -cpu max,-x2apic", "no-nx": "-M q35 -cpu max,-nx", "no-pge": "-M q35 -cpu max,-pge", "no-pat": "-M q35 -cpu max,-pat",
    "no-rdtscp": "-M q35 -cpu max,-rdtscp", "no-tsc-deadline": "-M q35 -cpu max,-tsc-deadline", "no-1g-pages": "-M q35 -cpu max,-pdpe1gb", "five-levels": "-M q35 -cpu max,+la57",
    "no-hypervisor": "-M q35 -cpu max,-hypervisor", "iommu": "-M q35,kernel-irqchip=split -device intel-iommu", "amd-iommu": "-M q35 -device amd-iommu",
    "pci-bridge": "-M q35 -device pcie-root-port,id=r,chassis=1 -device pcie-pci-bridge,id=b,bus=r -device virtio-rng-pci,bus=b",
    "pci-deep": "-M q35 -device pcie-root-port,id=r,chassis=1 -device x3130-upstream,id=u,bus=r -device xio3130-downstream,id=d,bus=u,chassis=2 -device virtio-rng-pci,bus=d",
    "pci-extra-root": "-M q35 -device pxb-pcie,id=x,bus_nr=32,bus=pcie.0 -device pcie-root-port,id=r,bus=x,chassis=1", "pci-edu": "-M q35 -device edu",
    "unknown-devices": "-M q35 -device e1000 -device nvme,serial=1 -device qemu-xhci -device usb-kbd -device sdhci-pci -device ich9-ahci",
    "unknown-vga": "-M q35 -vga std", "pc": "-M pc", "pc-nvdimm": "-M pc,nvdimm=on -m 512,slots=2,maxmem=1G", "microvm": "-M microvm", "microvm-bare": "-M microvm,acpi=off,pit=off,pic=off,rtc=off",
}
TWO_NODES = "-object memory-backend-ram,id=a,size=256M -object memory-backend-ram,id=b,size=256M "
PLUGGED = {                             # into any machine that has PCI Express
    "pci-bridge": "-device pcie-root-port,id=r,chassis=1 -device virtio-rng-pci,bus=r",
    "pci-legacy-bridge": "-device pcie-root-port,id=r,chassis=1 -device pcie-pci-bridge,id=b,bus=r -device virtio-rng-pci,bus=b,addr=1",
    "pci-deep": "-device pcie-root-port,id=r,chassis=1 -device x3130-upstream,id=u,bus=r -device xio3130-downstream,id=d,bus=u,chassis=2 -device virtio-rng-pci,bus=d",
    "unknown-devices": "-device e1000 -device nvme,serial=1 -device qemu-xhci -device usb-kbd -device sdhci-pci -device ich9-ahci",
    "unknown-vga": "-device bochs-display", "unknown-network": "-device e1000e -device igb -device rtl8139 -device vmxnet3", "virtio-iommu": "-device virtio-iommu-pci",
    "virtio-old": "-device virtio-rng-pci,disable-modern=on,disable-legacy=off", "virtio-many": "-device virtio-rng-pci -device virtio-balloon-pci -device virtio-serial-pci -device virtio-scsi-pci -device virtio-net-pci",
    "shared-memory": "-device ivshmem-plain,memdev=s -object memory-backend-ram,id=s,size=1M,share=on", "watchdog": "-device i6300esb", "panic-device": "-device pvpanic-pci",
}
A64 = {
    "gic-2": "-M virt,gic-version=2 -smp 8", "gic-2-el2": "-M virt,gic-version=2,virtualization=on -smp 4", "gic-2-secure": "-M virt,gic-version=2,secure=on -smp 4",
    "gic-2-el2-secure": "-M virt,gic-version=2,virtualization=on,secure=on -smp 2",
    "gic-3": "-M virt,gic-version=3 -smp 4", "gic-3-el2": "-M virt,gic-version=3,virtualization=on -smp 4", "gic-3-secure": "-M virt,gic-version=3,secure=on -smp 4",
    "gic-3-el2-secure": "-M virt,gic-version=3,virtualization=on,secure=on -smp 2", "gic-3-no-its": "-M virt,gic-version=3,its=off -smp 4",
    "gic-4": "-M virt,gic-version=4,virtualization=on -smp 4", "gic-4-secure": "-M virt,gic-version=4,virtualization=on,secure=on -smp 4",
    "no-highmem": "-M virt,highmem=off", "no-highmem-ecam": "-M virt,highmem-ecam=off", "no-highmem-mmio": "-M virt,highmem-mmio=off",
    "no-highmem-redists": "-M virt,gic-version=3,highmem-redists=off -smp 8", "no-compact-highmem": "-M virt,compact-highmem=off",
    "cpus-1": "-M virt", "cpus-8": "-M virt,gic-version=3 -smp 8", "cpus-64": "-M virt,gic-version=3 -smp 64",
    "cpus-123": "-M virt,gic-version=3 -smp 123 -m 1024", "cpus-255": "-M virt,gic-version=3 -smp 255 -m 2048",
    "sockets": "-M virt -smp 8,sockets=2,clusters=2,cores=2", "threads": "-M virt -smp 8,sockets=1,clusters=2,cores=2,threads=2", "sockets-odd": "-M virt -smp 6,sockets=2,cores=3",
    "numa": "-M virt -smp 2 -m 512 " + TWO_NODES + "-numa node,cpus=0,memdev=a -numa node,cpus=1,memdev=b",
    "numa-memory-only": "-M virt -smp 2 -m 512 " + TWO_NODES + "-numa node,cpus=0-1,memdev=a -numa node,memdev=b",
    "memory-96M": "-M virt -m 96", "memory-3G": "-M virt -m 3G", "memory-5G": "-M virt -m 5G", "memory-slots": "-M virt -m 512,slots=4,maxmem=4G",
    "no-acpi": "-M virt,acpi=off", "no-random": "-M virt,dtb-randomness=off", "mte": "-M virt,mte=on", "smmu": "-M virt,iommu=smmuv3",
    "no-pauth": "-M virt -cpu max,pauth=off", "no-sve": "-M virt -cpu max,sve=off", "no-sme": "-M virt -cpu max,sme=off", "no-sve-sme": "-M virt -cpu max,sve=off,sme=off",
    "no-lpa2": "-M virt -cpu max,lpa2=off", "no-pmu": "-M virt -cpu max,pmu=off", "pauth-impdef": "-M virt -cpu max,pauth-impdef=on", "sve-128": "-M virt -cpu max,sve128=on,sve256=off",
    "no-lse": "-M virt -smp 4 -cpu cortex-a53", "no-lse-el2": "-M virt,virtualization=on -smp 2 -cpu cortex-a72",
    "pci-edu": "-M virt -device edu", "pci-extra-root": "-M virt -device pxb-pcie,id=x,bus_nr=32,bus=pcie.0 -device pcie-root-port,id=r,bus=x,chassis=1", "pci-smmu": "-M virt,iommu=smmuv3 -device virtio-rng-pci,disable-legacy=on,iommu_platform=on",
}
A64.update((n, "-M virt " + w) for n, w in PLUGGED.items())
RV = {
    "aia-none": "-M virt,aia=none -smp 4", "aia-aplic": "-M virt,aia=aplic -smp 4", "aia-imsic": "-M virt,aia=aplic-imsic -smp 4",
    "imsic-guests": "-M virt,aia=aplic-imsic,aia-guests=3 -smp 2", "imsic-guests-7": "-M virt,aia=aplic-imsic,aia-guests=7 -smp 4",
    "aclint": "-M virt,aclint=on -smp 2", "aclint-aplic": "-M virt,aclint=on,aia=aplic -smp 2", "aclint-imsic": "-M virt,aclint=on,aia=aplic-imsic -smp 2",
    "no-v": "-M virt -cpu max,v=off", "no-zbb": "-M virt -cpu rv64,zbb=off", "no-zba-zbb-zbs": "-M virt -cpu rv64,zba=off,zbb=off,zbs=off", "no-sstc": "-M virt -smp 2 -cpu rv64,sstc=off",
    "no-svpbmt": "-M virt -cpu max,svpbmt=off", "no-svnapot": "-M virt -cpu max,svnapot=off", "svnapot": "-M virt -cpu rv64,svnapot=on", "no-svinval": "-M virt -cpu max,svinval=off",
    "sv39": "-M virt -cpu rv64,sv48=off,sv57=off", "sv48": "-M virt -cpu rv64,sv57=off", "sv57": "-M virt -cpu rv64,sv57=on", "svadu": "-M virt -cpu rv64,svadu=on", "svade": "-M virt -cpu max,svade=on",
    "no-zicbom": "-M virt -cpu max,zicbom=off,zicboz=off", "no-h": "-M virt -cpu rv64,h=off", "no-c": "-M virt -cpu rv64,c=off", "vlen-1024": "-M virt -cpu max,vlen=1024",
    "no-zkr": "-M virt -cpu max,zkr=off", "no-zacas": "-M virt -cpu max,zacas=off,zabha=off", "no-shadow-stack": "-M virt -cpu max,zicfiss=off,zicfilp=off",
    "cpus-1": "-M virt", "cpus-8": "-M virt -smp 8", "cpus-8-imsic": "-M virt,aia=aplic-imsic -smp 8", "cpus-64": "-M virt -smp 64 -m 1024", "sockets": "-M virt -smp 8,sockets=2,cores=4",
    "sockets-odd": "-M virt -smp 6,sockets=3,cores=2",
    "numa": "-M virt -smp 2 -m 512 " + TWO_NODES + "-numa node,cpus=0,memdev=a -numa node,cpus=1,memdev=b",
    "memory-96M": "-M virt -m 96", "memory-3G": "-M virt -m 3G", "memory-5G": "-M virt -m 5G", "no-acpi": "-M virt,acpi=off", "iommu": "-M virt,iommu-sys=on", "iommu-pci": "-M virt -device riscv-iommu-pci", "pci-edu": "-M virt -device edu",
}
RV.update((n, "-M virt " + w) for n, w in PLUGGED.items())
LA = {
    "cpus-1": "-M virt", "cpus-4": "-M virt -smp 4", "cpus-8": "-M virt -smp 8", "cpus-64": "-M virt -smp 64 -m 1024", "cpus-255": "-M virt -smp 255 -m 2048",
    "sockets": "-M virt -smp 4,sockets=2,cores=2", "sockets-odd": "-M virt -smp 6,sockets=2,cores=3", "threads": "-M virt -smp 8,sockets=1,cores=4,threads=2", "hotplug-places": "-M virt -smp 2,maxcpus=8",
    "numa": "-M virt -smp 2 -m 512 " + TWO_NODES + "-numa node,cpus=0,memdev=a -numa node,cpus=1,memdev=b",
    "numa-memory-only": "-M virt -smp 2 -m 512 " + TWO_NODES + "-numa node,cpus=0-1,memdev=a -numa node,memdev=b",
    "memory-128M": "-M virt -m 128", "memory-256M": "-M virt -m 256", "memory-1G": "-M virt -m 1G", "memory-2G": "-M virt -m 2G", "memory-5G": "-M virt -m 5G", "memory-slots": "-M virt -m 512,slots=4,maxmem=4G",
    "no-lasx": "-M virt -cpu la464,lasx=off", "no-lsx": "-M virt -cpu la464,lasx=off,lsx=off", "max-no-lsx": "-M virt -cpu max,lasx=off,lsx=off", "max": "-M virt -smp 4 -cpu max",
    "no-acpi": "-M virt,acpi=off", "v-eiointc": "-M virt,v-eiointc=on -smp 4", "no-v-eiointc": "-M virt,v-eiointc=off -smp 4", "v-eiointc-8": "-M virt,v-eiointc=on -smp 8", "usb": "-M virt,usb=on",
}
LA.update((n, "-M virt " + w) for n, w in PLUGGED.items())
VARIANTS = {"x86_64": X86, "aarch64": A64, "riscv64": RV, "loongarch64": LA}
WHOLE_CPU = ("riscv64", "loongarch64")  # the CPU that QEMU takes by itself is one of 64 bits with all that matters
MACHINE = {"x86_64": "q35", "aarch64": "virt", "riscv64": "virt", "loongarch64": "virt"}
# Those of a whole run: what has no XSAVE, from both makers; what wants VERW before user mode; the newest.
GATE = ("x86_64_cpu_qemu64", "x86_64_cpu_kvm64", "x86_64_cpu_Nehalem", "x86_64_cpu_phenom", "x86_64_cpu_Opteron_G1",
        "x86_64_bochs_athlon64_clawhammer", "x86_64_bochs_tigerlake", "x86_64_bochs_ryzen")


def cpu_models(arch, qemu):
    """QEMU's, without those of 32 bits that refuse a 64-bit kernel, those without an MMU, and names for what the host has."""
    skip = {"x86_64": r"486|pentium|athlon|coreduo|n270|kvm32|qemu32|host", "riscv64": r"rv32|max32|x-rv128|rv64[ei]|rva\d+u64|lowrisc|sifive-e|sifive-u3|host",
            "loongarch64": r"la132|host"}.get(arch, r"host|cortex-a(7|8|9|15)\b|cortex-[mr]|arm|sa1|pxa|ti925")
    names = re.findall(r"^\s+([\w.-]+)(?=\s|$)", output([*qemu, "-M", MACHINE[arch], "-cpu", "help"]).partition("Recognized")[0], re.M)
    return [n for n in names if not re.match(skip, n) and (arch != "x86_64" or not n.endswith("-v1"))]


def rows(arch, tools):
    """(name, QEMU's words) of a CPU's machines; Bochs's have its model's name for them."""
    qemu = tools["qemu"][arch]
    found = [("%s_cpu_%s" % (arch, n), "-M %s -smp 2 -cpu %s" % (MACHINE[arch], n)) for n in cpu_models(arch, qemu)]
    usual = "" if arch in WHOLE_CPU else " -cpu max"
    found += [("%s_%s" % (arch, n), w if "-cpu" in w else w + usual) for n, w in VARIANTS[arch].items()]
    listed = re.findall(r"^((?:pc-(?:i440fx|q35)|virt)-[\d.]+) ", output([*qemu, "-M", "help"]), re.M)
    return found + [("%s_%s" % (arch, m), "-M %s%s" % (m, usual)) for m in listed]


class Lab:
    def __init__(self, tools, arch):
        self.tools, self.arch, self.console = tools, arch, arches.ALL[arch].console
        os.makedirs(os.path.join(BUILD, "test"), exist_ok=True)
        self.kept = tempfile.TemporaryDirectory(prefix="machines-", dir=os.path.join(BUILD, "test"))
        self.folder = self.kept.name
        self.initrd = rootfs.busybox_root(tools, extra={"machine": (SCRIPT, 0o755)}, arch=arch)
        self.words = "console=%s,115200 panic=-1 rdinit=/machine" % self.console
        self.cds = {}

    def qemu(self, words, kernel):
        argv = [*self.tools["qemu"][self.arch], "-m", "512", *words.split(), "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", "-monitor", "none",
                "-kernel", kernel, "-initrd", self.initrd, "-append", self.words]
        limit, said = LIMIT * max(1, cpus_of(words) // 8), False          # all of them on this machine's few
        end = time.monotonic() + SLOWEST * limit
        path = os.path.join(self.folder, "console")
        with open(path, "wb") as out, subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT) as p:
            try:
                while p.poll() is None and time.monotonic() < end and used(p.pid) < limit:
                    time.sleep(0.2)
                    if not said and b"machine: fine" in rootfs.read(path):
                        said, end = True, min(end, time.monotonic() + GRACE)
            finally:
                p.kill()
        return rootfs.read(path).decode("utf-8", "replace").replace("\r", "")

    def bochs(self, model, kernel, words):
        key = kernel, words
        if key not in self.cds:
            self.cds[key] = os.path.join(self.folder, "cd%d.iso" % len(self.cds))
            bochs.make_cd(self.cds[key], kernel, self.initrd, words)
        return bochs.boot(model, self.cds[key], BOCHS_LIMIT)

    def ours(self, words):
        if words.startswith("bochs "):
            image = build.image("x86_64", bzimage=True)
            text = self.bochs(words[6:], image, self.words)
            tests = self.bochs(words[6:], image, self.words + " ktest=") if fine(text) else ""
            # Its serial line takes time: what was on its way when the first program opened it still comes.
            whole = "initialisation code and data given back\n" in text
            return fine(text) and whole and bool(re.search(r"ktest: \d+ passed, 0 failed", tests)), text + tests
        text = self.qemu(words, build.image(self.arch, bzimage=self.arch == "x86_64"))
        return fine(text, cpus_of(words)), text

    def linux(self, words, cpus=1):
        """Is it fine there, on so many CPUs?"""
        kernel = setup.reference_linux(self.arch)
        return fine(self.bochs(words[6:], kernel, self.words) if words.startswith("bochs ") else self.qemu(words, kernel), cpus)


def used(pid):
    """Seconds of processor time of a process."""
    words = rootfs.read("/proc/%d/stat" % pid).decode("ascii", "replace").rpartition(") ")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") if words else 0


def cpus_of(words):
    return int((re.findall(r"-smp (?:cpus=)?(\d+)", words) or ["1"])[-1])


def fine(text, cpus=1):
    """Did all go well, on so many CPUs at least?"""
    on = re.search(r"machine: fine on (\d+)", text)
    return bool(on) and int(on.group(1)) >= cpus and "machine: differs" not in text and "Kernel panic" not in text


def run(runner, arch, result):
    """Adds a result (RESULT makes it) for each machine that is wanted."""
    everything = any(f.startswith("machines") for f in runner.filters)
    lab, found = None, [(n, w) for n, w in rows(arch, runner.tools) if everything or n in GATE] if arch in VARIANTS else []
    if arch == "x86_64":
        bochs.ready()
        found += [("x86_64_bochs_" + m, "bochs " + m) for m in bochs.models() if everything or "x86_64_bochs_" + m in GATE]
    for name, words in found:
        name = "machines/" + name
        if not runner.wanted(name) or not runner.kernel(arch):
            continue
        lab = lab or Lab(runner.tools, arch)
        start = time.monotonic()
        good, text = lab.ours(words)
        outcome, why = ("passed", "") if good else ("failed", words)
        try:
            if not good and fine(text):
                if not lab.linux(words, int(re.search(r"fine on (\d+)", text).group(1)) + 1):
                    outcome, why = "passed", ""            # Linux has no more of its CPUs
                else:
                    why += " (some CPUs are off)"
            elif not good and not lab.linux(words):
                outcome, why = "skipped", "Linux fails too: " + words
        except Fail as e:
            why += " (no Linux to compare with: %s)" % e
        runner.add(result(name, outcome, why, text[-4000:], time.monotonic() - start, arch))
        print("%-52s %s" % (name, {"skipped": "Linux fails too"}.get(outcome, outcome)), flush=True)
