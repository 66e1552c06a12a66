# SPDX-License-Identifier: MIT
"""Gets the kernels that Ochre is measured beside: Debian's Linux, and the same cut down for a virtual machine, built once from Debian's source."""
import glob
import os
import shutil

from . import rootfs, setup
from .util import BUILD, Fail, ROOT, locked, logged

MICRO = os.path.join(BUILD, "host/linux-micro")
MICRO_PACKAGES = ["bc", "bison", "flex", "libelf-dev", "libssl-dev", "xz-utils", "gcc", "make"]
SOURCE = "linux-source-7.2"
# Its pages are not cleared twice, and its locks are those of a machine with several CPUs: what they cost is counted.
SAME_TERMS = "init_on_alloc=0 noreplace-smp"


def fragment():
    return rootfs.read(ROOT + "/bench/linux-micro.config")


def made(path, stamp):
    return os.path.exists(path) and os.path.exists(stamp) and rootfs.read(stamp) == fragment()


def linux_micro():
    """The path of its vmlinux, built where it is not there or the fragment has changed."""
    path, stamp = os.path.join(MICRO, "vmlinux"), os.path.join(MICRO, "made-of")
    if not made(path, stamp):
        with locked("linux-micro", "Waiting for another build of Linux"):
            if not made(path, stamp):
                build(path, os.path.join(MICRO, "build.log"))
                shutil.copy(ROOT + "/bench/linux-micro.config", stamp)
    return path


def source(tree, log):
    """Debian's source of the Linux that Ochre is like, unpacked."""
    apt = setup.PrivateApt(setup.codename())
    if not apt.newest(SOURCE, "trixie-backports"):
        raise Fail("trixie-backports has no %s" % SOURCE)
    apt.unpack([SOURCE], "trixie-backports", MICRO + "/package")
    tar = glob.glob(MICRO + "/package/usr/src/linux-source-*.tar.xz")
    if not tar:
        raise Fail("%s holds no archive of the source" % SOURCE)
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    logged("Unpacking Linux", ["tar", "xJf", tar[0], "--strip-components=1"], log, cwd=tree)


def lost(config, wanted):
    """Lines of the fragment that the configuration does not have: a name has changed, or what it needs is missing."""
    have = set(config.splitlines())
    return [l for l in wanted.splitlines() if l.startswith("CONFIG_") and l not in have
            and not (l.endswith("=n") and l[:-2] + "=y" not in have)]


def build(path, log):
    os.makedirs(MICRO, exist_ok=True)
    setup.need(MICRO_PACKAGES, log)
    tree = os.path.join(MICRO, "tree")
    source(tree, log)
    make = ["make", "-C", tree, "ARCH=x86_64", "-j%d" % (os.cpu_count() or 2)]
    logged("Configuring Linux", make + ["tinyconfig"], log)
    with open(tree + "/.config", "ab") as f:
        f.write(fragment())
    logged("Configuring Linux", make + ["olddefconfig"], log)
    missing = lost(rootfs.read(tree + "/.config").decode(), fragment().decode())
    if missing:
        raise Fail("Linux refuses lines of bench/linux-micro.config: " + ", ".join(missing))
    logged("Building Linux (once; ten minutes on two cores)", make + ["vmlinux"], log)
    logged("Stripping Linux", ["strip", "-g", "-o", path + ".new", tree + "/vmlinux"], log)
    os.rename(path + ".new", path)
    shutil.copy(tree + "/.config", os.path.join(MICRO, "config"))
    shutil.rmtree(tree)


def find(name, arch="x86_64"):
    """(what it is called, kernel, more for its command line) for --against NAME."""
    if name == "linux":
        return "Linux", setup.reference_linux(arch), SAME_TERMS if arch == "x86_64" else "init_on_alloc=0"
    if name == "linux-micro" and arch != "x86_64":
        raise Fail("--against linux-micro: of x86_64 alone")
    if name == "linux-micro":
        return "linux-micro", linux_micro(), SAME_TERMS
    if not os.path.exists(name):
        raise Fail("--against %s: no such file (or linux, linux-micro)" % name)
    return name, name, SAME_TERMS
