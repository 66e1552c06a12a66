# SPDX-License-Identifier: MIT
"""Bochs, an x86 by other people than QEMU's, with tables, a TLB and checks of its own. It and what makes a CD that GRUB starts from are the machine's own
packages, unpacked under build/host when first asked for, and nothing of them is installed."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

from . import setup
from .util import Fail, HOST, logged, output

PACKAGES = ("bochs", "bochs-term", "bochsbios", "vgabios", "grub-pc-bin", "grub-common", "xorriso", "mtools")
DEST = os.path.join(HOST, "bochs")
DONE = os.path.join(DEST, "done")
MULTIARCH = "usr/lib/x86_64-linux-gnu"
GRUB_MODULES = "linux iso9660 normal biosdisk"


def ready():
    """Unpacks what is not there yet: the packages, and those of their libraries that the machine lacks. What is installed stays where it is."""
    if os.path.exists(DONE):
        return
    env = dict(os.environ, LC_ALL="C")
    listed = output(["apt-get", "-s", "--no-install-recommends", "install", *PACKAGES], env=env)
    wanted = set(re.findall(r"^Inst (\S+)", listed, re.M)) | set(PACKAGES)
    if not listed:
        raise Fail("apt offers no bochs: are the lists of its packages there (apt-get update)?")
    with tempfile.TemporaryDirectory(dir=HOST) as debs:
        logged("Fetching Bochs, GRUB and %d packages that they need" % (len(wanted) - 2), ["apt-get", "-o", "APT::Sandbox::User=root", "-q", "download", *sorted(wanted)],
               setup.LOG, cwd=debs, env=env)
        for deb in sorted(glob.glob(debs + "/*.deb")):
            logged("Unpacking " + os.path.basename(deb), ["dpkg-deb", "-x", deb, DEST], setup.LOG)
    open(DONE, "w").close()


def environment():
    lib = os.path.join(DEST, MULTIARCH)
    return dict(os.environ, LD_LIBRARY_PATH=lib, LTDL_LIBRARY_PATH=lib + "/bochs/plugins", PATH="%s/usr/bin:%s" % (DEST, os.environ.get("PATH", "")), TERM="linux")


def models():
    """Those of its CPUs that have 64-bit mode: not the ones before it, by name."""
    old = {"bx_generic", "pentium", "pentium_mmx", "amd_k6_2_chomper", "p2_klamath", "p3_katmai", "p4_willamette", "core_duo_t2400_yonah", "atom_n270"}
    text = subprocess.run(["bochs-bin", "--help", "cpu"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return [l.strip() for l in text.partition("Supported CPU models:")[2].splitlines() if re.fullmatch(r"[a-z]\w+", l.strip()) and l.strip() not in old]


def make_cd(path, kernel, initrd, words):
    """A CD that GRUB starts KERNEL from."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as d:
        os.makedirs(d + "/boot/grub")
        shutil.copyfile(kernel, d + "/boot/kernel")
        lines = ["set timeout=0", "terminal_input console", "terminal_output console", "menuentry kernel {", "linux /boot/kernel " + words]
        if initrd:
            shutil.copyfile(initrd, d + "/boot/initrd")
            lines.append("initrd /boot/initrd")
        with open(d + "/boot/grub/grub.cfg", "w") as f:
            f.write("\n".join(lines + ["}", ""]))
        r = subprocess.run(["grub-mkrescue", "-d", DEST + "/usr/lib/grub/i386-pc", "--fonts=", "--themes=", "--locales=", "--install-modules=" + GRUB_MODULES,
                            "-o", path, d], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if r.returncode:
        raise Fail("grub-mkrescue: " + r.stdout.strip())


def boot(model, cd, limit):
    """What the machine said on its serial line. Debian's build starts in its debugger, and wants a terminal."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(cd)) as d:
        with open(d + "/rc", "w") as f:
            f.write("\n".join([
                "display_library: term", "megs: 256", "romimage: file=%s/usr/share/bochs/BIOS-bochs-latest" % DEST,
                "vgaromimage: file=%s/usr/share/vgabios/vgabios.bin" % DEST, "cpu: model=%s, count=1, ips=50000000, reset_on_triple_fault=0" % model,
                "ata0-master: type=cdrom, path=%s, status=inserted" % cd, "boot: cdrom", "com1: enabled=1, mode=file, dev=%s/serial" % d, "clock: sync=none",
                "log: %s/log" % d, "panic: action=fatal", ""]))
        with open(d + "/go", "w") as f:
            f.write("c\n")
        try:
            subprocess.run(["script", "-qc", "bochs-bin -q -f %s/rc -rc %s/go" % (d, d), "/dev/null"], env=environment(), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit)
        except subprocess.TimeoutExpired:
            pass
        with open(d + "/serial", errors="replace") as f:
            return f.read().replace("\r", "")
