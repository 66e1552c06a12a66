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
LIMIT, BOCHS_LIMIT = 60, 150            # seconds
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
A64 = {
    "gic-%s%s" % (v, x): "-M virt,gic-version=%s%s -smp 4 -cpu max" % (v, o) for v in "234" for x, o in (("", ""), ("-secure-off", ",secure=off"), ("-el2", ",virtualization=on"))}
A64.update({
    "no-its": "-M virt,gic-version=3,its=off -cpu max", "no-highmem": "-M virt,highmem=off -cpu max", "no-acpi": "-M virt,acpi=off -cpu max", "memory-3G": "-M virt -m 3G -cpu max",
    "smmu": "-M virt,iommu=smmuv3 -cpu max", "cpus-8": "-M virt,gic-version=3 -smp 8 -cpu max", "cpus-123": "-M virt,gic-version=3 -smp 123 -cpu max",
    "sockets": "-M virt -smp 8,sockets=2,clusters=2,cores=2 -cpu max", "mte": "-M virt,mte=on -cpu max", "ras": "-M virt,ras=on -cpu max",
    "pci-bridge": "-M virt -cpu max -device pcie-root-port,id=r,chassis=1 -device virtio-rng-pci,bus=r", "memory-96M": "-M virt -m 96 -cpu max",
})
RV = {"aia-%s" % a: "-M virt,aia=%s -smp 4" % a for a in ("none", "aplic", "aplic-imsic")}
RV.update({"aclint": "-M virt,aclint=on -smp 2", "imsic-guests": "-M virt,aia=aplic-imsic,aia-guests=3 -smp 2", "cpus-8": "-M virt -smp 8", "memory-3G": "-M virt -m 3G",
           "no-acpi": "-M virt,acpi=off", "pci-bridge": "-M virt -device pcie-root-port,id=r,chassis=1 -device virtio-rng-pci,bus=r",
           "numa": "-M virt -smp 2 -m 512 -object memory-backend-ram,id=a,size=256M -object memory-backend-ram,id=b,size=256M -numa node,cpus=0,memdev=a -numa node,cpus=1,memdev=b"})
LA = {"cpus-1": "-M virt", "cpus-4": "-M virt -smp 4", "memory-2G": "-M virt -m 2G", "sockets": "-M virt -smp 4,sockets=2,cores=2",
      "pci-bridge": "-M virt -device pcie-root-port,id=r,chassis=1 -device virtio-rng-pci,bus=r"}
VARIANTS = {"x86_64": X86, "aarch64": A64, "riscv64": RV, "loongarch64": LA}
MACHINE = {"x86_64": "q35", "aarch64": "virt", "riscv64": "virt", "loongarch64": "virt"}
# Those of a whole run: what has no XSAVE, from both makers; what wants VERW before user mode; the newest.
GATE = ("x86_64_cpu_qemu64", "x86_64_cpu_kvm64", "x86_64_cpu_Nehalem", "x86_64_cpu_phenom", "x86_64_cpu_Opteron_G1",
        "x86_64_bochs_athlon64_clawhammer", "x86_64_bochs_tigerlake", "x86_64_bochs_ryzen")


def cpu_models(arch, qemu):
    """QEMU's, without those of 32 bits that refuse a 64-bit kernel, and without names for what the host has."""
    skip = {"x86_64": r"486|pentium|athlon|coreduo|n270|kvm32|qemu32|host", "riscv64": r"rv32|lowrisc|sifive-[eu]3|host"}.get(arch, r"host|cortex-a(7|8|9|15)\b|cortex-[mr]|arm|sa1|pxa|ti925")
    names = re.findall(r"^\s+([\w.-]+)(?=\s|$)", output([*qemu, "-M", MACHINE[arch], "-cpu", "help"]).partition("Recognized")[0], re.M)
    return [n for n in names if not re.match(skip, n) and not n.endswith("-v1") or n == "athlon64"]


def rows(arch, tools):
    """(name, QEMU's words) of a CPU's machines; Bochs's have its model's name for them."""
    qemu = tools["qemu"][arch]
    found = [("%s_cpu_%s" % (arch, n), "-M %s -smp 2 -cpu %s" % (MACHINE[arch], n)) for n in cpu_models(arch, qemu)]
    found += [("%s_%s" % (arch, n), w if "-cpu" in w or arch != "x86_64" else w + " -cpu max") for n, w in VARIANTS[arch].items()]
    if arch == "x86_64":
        listed = output([*qemu, "-M", "help"])
        found += [("x86_64_" + m, "-M %s -cpu max" % m) for m in re.findall(r"^(pc-(?:i440fx|q35)-[\d.]+)", listed, re.M)]
    return found


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
        cpus = int((re.findall(r"-smp (?:cpus=)?(\d+)", words) or ["1"])[-1])
        end = time.monotonic() + LIMIT * max(1, cpus // 8)      # all of them on this machine's few
        path = os.path.join(self.folder, "console")
        with open(path, "wb") as out, subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT) as p:
            while p.poll() is None and time.monotonic() < end:
                time.sleep(0.2)
                if b"machine: fine" in rootfs.read(path):
                    end = min(end, time.monotonic() + GRACE)
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
            tests = self.bochs(words[6:], image, self.words + " ktest=arch_") if fine(text) else ""
            return fine(text) and bool(re.search(r"ktest: \d+ passed, 0 failed", tests)), text + tests
        text = self.qemu(words, build.image(self.arch))
        return fine(text), text

    def linux(self, words):
        kernel = setup.reference_linux(self.arch)
        return fine(self.bochs(words[6:], kernel, self.words) if words.startswith("bochs ") else self.qemu(words, kernel))


def fine(text):
    return "machine: fine" in text and "machine: differs" not in text and "Kernel panic" not in text


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
            if not good and not lab.linux(words):
                outcome, why = "skipped", "Linux fails too: " + words
        except Fail as e:
            why += " (no Linux to compare with: %s)" % e
        runner.add(result(name, outcome, why, text[-4000:], time.monotonic() - start, arch))
        print("%-52s %s" % (name, {"skipped": "Linux fails too"}.get(outcome, outcome)), flush=True)
