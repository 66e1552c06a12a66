# SPDX-License-Identifier: MIT
"""Makes a Debian root: debootstrap's minimal system and packages that the user names, packed once as an archive.

It is made under build/ in a mount namespace of its own, from the mirror that this machine's own apt uses; nothing of the machine
changes but that debootstrap is installed where it is missing."""
import os
import shutil

from . import cpio, setup
from .util import BUILD, Fail, Progress, digest, locked, logged

SUITE = "trixie"
CACHE = os.path.join(BUILD, "rootfs")
LOG = os.path.join(CACHE, "debian.log")
REVISION = 1        # raise when what is made changes
PACKAGES = ("procps", "less")       # beside what debootstrap calls minimal

PROFILE = "export PS1='\\u@\\h:\\w\\$ '\n"
# What runs as root in the mount namespace: $1 the tree, the rest the packages.
INSTALL = r"""
set -e
top=$1; shift
mount --make-rprivate /
mount -t proc proc "$top/proc"
mount -t tmpfs tmpfs "$top/tmp"
cp /etc/resolv.conf "$top/etc/resolv.conf" 2>/dev/null || :
cp -a /etc/hosts "$top/etc/hosts" 2>/dev/null || :
printf '#!/bin/sh\nexit 101\n' > "$top/usr/sbin/policy-rc.d"; chmod 755 "$top/usr/sbin/policy-rc.d"
chroot "$top" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    apt-get -q -y --no-install-recommends -o APT::Sandbox::User=root install "$@"
rm -f "$top/usr/sbin/policy-rc.d" "$top/etc/resolv.conf"
"""


def names(text):
    """The packages of --packages a,b,c."""
    found = [n for n in text.replace(",", " ").split() if n]
    for n in found:
        if not all(c.islower() or c.isdigit() or c in "+-." for c in n) or not n[0].isalnum():
            raise Fail("--packages: '%s' is no name of a package" % n)
    return sorted(set(found) | set(PACKAGES))


def archive(packages=""):
    """The path of the packed tree, made where it is not there yet (a minute and more, from the mirror)."""
    wanted = names(packages)
    path = os.path.join(CACHE, "debian-%s.cpio" % digest(REVISION, SUITE, *wanted))
    if os.path.exists(path):
        return path
    with locked("debian", "Waiting for another debootstrap"):
        if not os.path.exists(path):
            make(path, wanted)
    return path


def make(path, wanted):
    if os.geteuid():
        raise Fail("a Debian root is made once, by root: sudo ./ochre run --rootfs debian --packages %s -- true" % ",".join(wanted))
    os.makedirs(CACHE, exist_ok=True)
    setup.need(["debootstrap"], LOG)
    mirror = (setup.mirrors(setup.codename()) or [setup.ARCHIVE])[0]
    top = path + ".tree"
    try:
        shutil.rmtree(top, ignore_errors=True)
        debs = os.path.join(CACHE, "debs")
        os.makedirs(debs, exist_ok=True)
        logged("Making a Debian %s" % SUITE, ["unshare", "-m", "debootstrap", "--variant=minbase", "--cache-dir=" + debs, SUITE, top, mirror], LOG)
        logged("Installing %s" % (", ".join(wanted[:4]) + (" ..." if len(wanted) > 4 else "")),
               ["unshare", "-m", "sh", "-c", INSTALL, "sh", top] + wanted, LOG)
        finish(top)
        with Progress("Packing the root filesystem"), open(path + ".new", "wb") as f:
            w = cpio.Writer(f)
            w.tree(top, keep_owner=True)
            w.end()
        os.rename(path + ".new", path)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def finish(top):
    """What a machine of its own has and a chroot has not; less what only a mirror gives again."""
    for name, text in (("etc/hostname", "ochre\n"), ("etc/hosts", "127.0.0.1 localhost ochre\n"), ("etc/profile.d/ochre.sh", PROFILE)):
        with open(os.path.join(top, name), "w") as f:
            f.write(text)
    for d in ("var/cache/apt/archives", "var/lib/apt/lists", "dev"):
        for n in os.listdir(os.path.join(top, d)):
            p = os.path.join(top, d, n)
            if os.path.isdir(p) and not os.path.islink(p):
                shutil.rmtree(p)
            else:
                os.unlink(p)
    for n in ("var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin", "etc/machine-id"):
        if os.path.exists(os.path.join(top, n)):
            os.unlink(os.path.join(top, n))
