# SPDX-License-Identifier: MIT
"""Makes a Debian root: debootstrap's minimal system and packages that the user names, packed once as an archive.

It is made under build/ in a mount namespace of its own, from the mirror that this machine's own apt uses; nothing of the machine
changes but that debootstrap is installed where it is missing. Another CPU's packages are unpacked here and configured in a machine of
that CPU, by the kernel of this tree, which writes the finished tree to a disk as a tar archive."""
import glob
import json
import os
import shutil
import tarfile
import tempfile

from . import arches, build, cpio, qemu, setup
from .util import BUILD, Fail, Progress, digest, locked, logged, output, rel

CACHE = os.path.join(BUILD, "rootfs")
LOG = os.path.join(CACHE, "debian.log")
REVISION = 1        # raise when what is made changes
PACKAGES = ("procps", "less", "kmod")       # beside what debootstrap calls minimal; the kernel asks kmod for modules

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


def archive(packages="", arch="x86_64", tools=None):
    """The path of the packed tree, made where it is not there yet (a minute and more, from the mirror; minutes for another CPU)."""
    wanted = names(packages)
    suite = arches.ALL[arch].suite
    if not arches.ALL[arch].debian:
        raise Fail("there is no Debian for %s" % arch)
    path = os.path.join(CACHE, "debian-%s%s.cpio" % ("" if arch == "x86_64" else arch + "-", digest(REVISION, suite, *wanted)))
    if os.path.exists(path):
        return path
    with locked("debian", "Waiting for another debootstrap"):
        if not os.path.exists(path):
            make(path, wanted, arch, suite, tools)
    return path


def make(path, wanted, arch, suite, tools):
    if os.geteuid():
        raise Fail("a Debian root is made once, by root: sudo ./ochre run%s --rootfs debian --packages %s -- true" % (
            "" if arch == "x86_64" else " --arch " + arch, ",".join(wanted)))
    os.makedirs(CACHE, exist_ok=True)
    setup.need(["debootstrap"], LOG)
    mirror = (setup.mirrors(setup.codename()) or [setup.ARCHIVE])[0]
    top = path + ".tree"
    try:
        shutil.rmtree(top, ignore_errors=True)
        debs = os.path.join(CACHE, "debs")
        os.makedirs(debs, exist_ok=True)
        command = ["unshare", "-m", "debootstrap", "--variant=minbase", "--cache-dir=" + debs]
        if arch == "x86_64":
            logged("Making a Debian %s" % suite, command + [suite, top, mirror], LOG)
            logged("Installing %s" % (", ".join(wanted[:4]) + (" ..." if len(wanted) > 4 else "")),
                   ["unshare", "-m", "sh", "-c", INSTALL, "sh", top] + wanted, LOG)
        else:
            script = [] if os.path.exists("/usr/share/debootstrap/scripts/" + suite) else ["/usr/share/debootstrap/scripts/sid"]
            logged("Unpacking a Debian %s for %s" % (suite, arches.ALL[arch].debian),
                   command + ["--foreign", "--arch=" + arches.ALL[arch].debian, "--include=" + ",".join(wanted), suite, top, mirror] + script, LOG)
            shorten_lists(top)
            configure(top, path, arch, tools)
        finish(top)
        with Progress("Packing the root filesystem"), open(path + ".new", "wb") as f:
            w = cpio.Writer(f)
            w.tree(top, keep_owner=True)
            w.end()
        with open(path + ".xattrs", "w") as f:
            json.dump(read_attributes(top), f)
        os.rename(path + ".new", path)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def read_attributes(top):
    """{path: {name: value in hexadecimal}} of the extended attributes below TOP, which an archive has no place for (file capabilities, most of all)."""
    found = {}
    for d, dirs, files in os.walk(top):
        for path in (os.path.join(d, n) for n in files + dirs):
            row = {n: os.getxattr(path, n, follow_symlinks=False).hex() for n in os.listxattr(path, follow_symlinks=False) if n != "security.selinux"}
            if row:
                found[os.path.relpath(path, top)] = row
    return found


def attributes(archive):
    """Those of a packed tree."""
    try:
        with open(archive + ".xattrs") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}       # it was packed before they were kept


def shorten_lists(top):
    """Leaves in the lists of packages those that are installed. For each Pre-Depends debootstrap reads them all several times."""
    wanted = set()
    for name in ("required", "base"):
        with open(os.path.join(top, "debootstrap", name), "rb") as f:
            wanted.update(f.read().split())
    for path in glob.glob(top + "/var/lib/apt/lists/*_Packages"):
        with open(path, "rb") as f:
            stanzas = f.read().split(b"\n\n")
        with open(path, "wb") as f:
            f.writelines(s.strip(b"\n") + b"\n\n" for s in stanzas if package(s) in wanted)


def package(stanza):
    return next((l.split(b":", 1)[1].strip() for l in stanza.splitlines() if l.startswith(b"Package:")), b"")


# What runs in a machine of the tree's own CPU; the tree is its root.
SECOND_STAGE = r"""
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C HOME=/root
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
/debootstrap/debootstrap --second-stage </dev/null || { tail -n 30 /debootstrap/debootstrap.log; exit 1; }
rm -rf /usr/sbin/policy-rc.d /var/cache/apt/archives/*.deb /debootstrap
[ -b /dev/vda ] || { echo "the machine shows no disk"; exit 1; }
tar -c --xattrs --xattrs-include='*' --one-file-system --exclude=./.ochre --exclude=./init -f /dev/vda -C / . && sync
"""


def configure(top, path, arch, tools):
    """The second half of debootstrap, in a machine of that CPU."""
    from . import rootfs, run       # they know this module
    build.build(tools, arch, quiet=True)
    size = int(output(["du", "-sm", "--apparent-size", top]).split()[0])
    with tempfile.TemporaryDirectory(dir=CACHE) as d:
        initrd, disk = d + "/tree.cpio", d + "/disk"
        with open(initrd, "wb") as f:
            w = cpio.Writer(f)
            w.tree(top, keep_owner=True)
            rootfs.overlay(w, rootfs.read(rootfs.build_user(tools, "init", arch)))
            w.end()
        with open(disk, "wb") as f:
            f.truncate((4 * size + 1024) << 20)
        shutil.rmtree(top)
        vm = qemu.Vm(tools, arch, None, min(4, os.cpu_count() or 1), qemu.fitting(arch, (6 * size + 1024) << 20, initrd), disks=[disk])
        vm.kernel, vm.initrd = build.image(arch), initrd
        vm.append = run.command_line(vm, False, "rdinit=/" + rootfs.INIT_AT, True)
        with open(LOG, "a") as log, Progress("Configuring it on this kernel", LOG):
            status = run.Session(vm, ["/bin/sh", "-c", SECOND_STAGE], vmlinux=os.path.join(build.outdir(arch), "vmlinux"), stdin=None,
                                 stdout=log.fileno(), stderr=log.fileno()).run()
        if status:
            raise Fail("the packages could not be configured (status %d); the whole output is in %s" % (status, rel(LOG)))
        os.makedirs(top)
        with tarfile.open(disk, "r:") as t:
            t.extractall(top, numeric_owner=True)
            for m in t:
                for name in m.pax_headers:
                    if name.startswith("SCHILY.xattr.") and not m.issym():
                        os.setxattr(os.path.join(top, m.name), name[len("SCHILY.xattr."):], m.pax_headers[name].encode("utf-8", "surrogateescape"))
        if not os.path.isdir(top + "/etc"):
            raise Fail("the machine wrote no tree; its output is in %s" % rel(LOG))


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
