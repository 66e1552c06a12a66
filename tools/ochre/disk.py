# SPDX-License-Identifier: MIT
"""Root file systems on disks: XFS, made from an archive without root and without mounting anything.

A base image is made once for an archive, read-only from then on: the archive is unpacked as plain files of the user's, and mkfs.xfs (Debian's newest) makes a
file system of that directory, while a preloaded library (tools/disk/stat.c) says whose each file is, which mode it has and which are devices; extended
attributes, which archives do not have, lie beside it and are set by xfs_db. What a machine writes goes to an overlay (qcow2) that is kept from run to run;
base images and overlays are in build/disks, which './ochre clean' leaves alone.

The machine boots with a small archive: init (user/init.c) mounts the disk that OCHRE_ROOT names, makes it the root directory and goes on as ever. So any XFS
image serves, nothing is put into it, and other kernels boot from it too (modules that they need are in the archive). The modules of ours are in the archive, too, and
init mounts them in front of the disk's /lib/modules (user/modules.h); the base image has an empty one.

A disk is locked (flock) while a machine of ours has it, so that a second one is refused before it starts; QEMU's own locks keep others away."""
import fcntl
import glob
import json
import lzma
import mmap
import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile

from . import arches, cpio, debian, rootfs, setup
from .util import BUILD, Fail, Progress, ROOT, digest, locked, logged, rel

DISKS = os.path.join(BUILD, "disks")
LOG = os.path.join(DISKS, "disks.log")
REVISION = 1            # raise when what is made changes
SIZE = 8 << 30          # of a base image: it takes only what is written
# What the newest mkfs.xfs makes by default, and what online repair will need, whatever the default is.
FEATURES = ["-m", "rmapbt=1", "-i", "exchange=1", "-n", "parent=1"]
SPACES = {"security": "-s", "trusted": "-r", "user": "-u"}


# --- a base image ---

def unpack(archive, top):
    """Unpacks ARCHIVE below TOP as files of the user's. The rows of the table that says what they are: [(inode, mode, uid, gid, device)]."""
    made, times, rows = {}, [], {os.lstat(top).st_ino: (stat.S_IFDIR | 0o755, 0, 0, 0)}
    with open(archive, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for r in cpio.rows(data):
            name = os.path.normpath(r.name).lstrip("/")
            if name == ".." or name.startswith("../"):
                raise Fail("%s: the name %s leads out of the archive" % (rel(archive), r.name), 1)
            path = os.path.join(top, name) if name != "." else top
            kind = stat.S_IFMT(r.mode)
            if kind == stat.S_IFDIR:
                os.makedirs(path, exist_ok=True)
            elif kind == stat.S_IFLNK:
                os.symlink(data[r.start:r.start + r.size], os.fsencode(path))
            elif kind == stat.S_IFREG and r.nlink > 1 and r.ino in made:
                os.link(made[r.ino], path)
            else:       # devices too: an empty file, which the table makes what it is
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                made[r.ino] = path
            if kind == stat.S_IFREG and r.size:
                with open(path, "r+b") as out:
                    out.write(data[r.start:r.start + r.size])
            rows[os.lstat(path).st_ino] = (r.mode, r.uid, r.gid, r.rdev)
            times.append((path, r.mtime))
    for path, mtime in reversed(times):     # what is in a directory before it
        os.utime(path, (mtime, mtime), follow_symlinks=False)
    return [(ino, *row) for ino, row in sorted(rows.items())]


def place_for_modules(top):
    """An empty /usr/lib/modules where a Debian has none, which has no kernel: init mounts our modules there. Its row."""
    path = os.path.join(top, "usr/lib/modules")
    if os.path.exists(path) or not os.path.isdir(os.path.dirname(path)):
        return []
    os.mkdir(path)
    return [(os.lstat(path).st_ino, stat.S_IFDIR | 0o755, 0, 0, 0)]


def library():
    """tools/disk/stat.c, compiled."""
    src, out = os.path.join(ROOT, "tools/disk/stat.c"), os.path.join(DISKS, "stat.so")
    want = digest(rootfs.read(src))
    if not os.path.exists(out) or not os.path.exists(out + ".of") or rootfs.read(out + ".of").decode() != want:
        logged("Compiling tools/disk/stat.c", ["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", out + ".new", src, "-ldl"], LOG)
        os.rename(out + ".new", out)
        with open(out + ".of", "w") as f:
            f.write(want)
    return out


def set_attributes(tools, image, attributes, folder):
    """ATTRIBUTES: {path: {name: value in hexadecimal}}."""
    commands = []
    for path, row in sorted(attributes.items()):
        commands += ["-c", "path /" + path]
        for name, value in sorted(row.items()):
            space, _, rest = name.partition(".")
            if space in SPACES:
                source = os.path.join(folder, "value%d" % len(commands))
                with open(source, "wb") as f:
                    f.write(bytes.fromhex(value))
                commands += ["-c", "attr_set %s -V %s %s" % (SPACES[space], source, rest)]
    if commands:
        logged("Setting attributes", [tools + "/xfs_db", "-x", *commands, image], LOG)


def make(archive, image, size=SIZE, attributes=None, options=(), label="ochre"):
    """Makes IMAGE, an XFS of SIZE bytes with what is in ARCHIVE and these extended ATTRIBUTES. mkfs.xfs also gets OPTIONS."""
    tools = setup.find_xfsprogs("sid")
    os.makedirs(DISKS, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(image)) as folder:
        top, table = folder + "/tree", folder + "/table"
        os.mkdir(top)
        try:
            with Progress("Unpacking " + os.path.basename(archive)):
                rows = unpack(archive, top)
                rows += place_for_modules(top)
        except (ValueError, OSError) as e:
            raise Fail("%s cannot be unpacked: %s" % (rel(archive), e), 1)
        with open(table, "w") as f:
            f.write("%d\n" % os.lstat(top).st_dev + "".join("%d %d %d %d %d\n" % r for r in rows))
        made = folder + "/image"
        logged("Making a disk of it", [tools + "/mkfs.xfs", "-q", "-f", "-L", label, *FEATURES, *options, "-p", "file=" + top,
                                       "-d", "file=1,name=%s,size=%d" % (made, size)], LOG,
               env=dict(os.environ, LD_PRELOAD=library(), OCHRE_STAT=table))
        set_attributes(tools, made, attributes or {}, folder)
        os.chmod(made, 0o444)
        os.rename(made, image)


def base(packages, arch, tools):
    """The base image of a Debian with these packages, made where it is not there yet."""
    archive = debian.archive(packages, arch, tools)
    path = os.path.join(DISKS, "debian-%s%s.base" % ("" if arch == "x86_64" else arch + "-", digest(REVISION, os.path.basename(archive), *FEATURES)))
    if not os.path.exists(path):
        os.makedirs(DISKS, exist_ok=True)
        with locked("disks", "Waiting for another disk that is being made"):
            if not os.path.exists(path):
                make(archive, path, attributes=debian.attributes(archive))
    return path


# --- overlays ---

def write_overlay(path, backing):
    """Makes PATH, an empty qcow2 image that reads as BACKING, a raw or qcow2 image, until it is written to."""
    path = os.path.abspath(path)
    name = os.path.join(".", os.path.relpath(backing, os.path.dirname(path)))       # with the dot no colon in it begins a protocol
    os.makedirs(os.path.dirname(path), exist_ok=True)
    logged("Making an overlay", [setup.find_qemu_img(), "create", "-q", "-f", "qcow2", "-b", name, "-F", "qcow2" if probe(backing)[0] == "qcow2" else "raw",
                                 path + ".new"], LOG)
    os.rename(path + ".new", path)


def probe(path):
    """(qcow2, xfs or raw, bytes that a machine sees)."""
    with open(path, "rb") as f:
        head = f.read(32)
        if head[:4] == b"QFI\xfb":
            return "qcow2", struct.unpack(">Q", head[24:32])[0]
        return "xfs" if head[:4] == b"XFSB" else "raw", f.seek(0, os.SEEK_END)


def is_image(what):
    """Whether --rootfs WHAT is a disk and no archive or directory."""
    return os.path.isfile(what) and probe(what)[0] != "raw"


def overlay(path, backing):
    """PATH, made where it is not there. A base image that was made anew after the overlay was written is not what the overlay knows."""
    with locked("disks", "Waiting for another disk that is being made"):     # it would replace one that a machine has by then
        if not os.path.exists(path):
            write_overlay(path, backing)
    if probe(path)[0] != "qcow2":
        raise Fail("--save %s: no qcow2 image: './ochre run' makes it itself where there is none" % path)
    if os.stat(path).st_mtime < os.stat(backing).st_mtime:
        raise Fail("%s keeps changes to a %s that was made anew since: remove it to begin anew" % (rel(path), rel(backing)))
    return path


held = []       # files whose locks last as long as this process


def lock(path, snapshot):
    """Keeps other runs from a disk; SNAPSHOT: from writing to it."""
    try:
        f = open(path, "rb")
    except OSError as e:
        raise Fail("%s cannot be opened: %s" % (path, e.strerror))
    try:
        fcntl.flock(f, (fcntl.LOCK_SH if snapshot else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        raise Fail("the disk %s is in use by another run: end that one, or give this one a disk of its own (--save FILE)" % rel(path))
    held.append(f)


# --- what boots from them ---

def wanted(args):
    """Whether the root of these arguments of ./ochre run is a disk."""
    return (args.rootfs == "debian" and not args.memory_root) or (args.rootfs not in ("busybox", "debian") and is_image(args.rootfs))


def prepare(args, tools):
    """The path of the root disk of a run: made, and no other run's."""
    if args.rootfs == "debian":
        below = base(args.packages or "", args.arch, tools)
        path = args.save or below[:-len(".base")] + ".qcow2"
        if args.snapshot and not os.path.exists(path):
            return below
    else:
        below, path = args.rootfs, args.save or args.rootfs
    if path != below:
        overlay(path, below)
    return path


def needs(path, folder):
    """The names of modules that a packed module needs, the nearest first, then itself."""
    data = module(path)
    found = re.search(rb"\0depends=([^\0]*)", b"\0" + data)
    names = []
    for n in (found[1].decode().split(",") if found and found[1] else []):
        other = next(iter(glob.glob("%s/**/%s.ko*" % (folder, n.replace("-", "_")), recursive=True) +
                          glob.glob("%s/**/%s.ko*" % (folder, n.replace("_", "-")), recursive=True)), None)
        if other:
            names += [x for x in needs(other, folder) if x not in names]
    return names + [path]


def module(path):
    if path.endswith(".xz"):
        with lzma.open(path) as f:
            return f.read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
    return rootfs.read(path)


# What Debian's Linux needs before it sees a virtio disk with XFS, and what guest tests make and ask for.
OF_DISKS = ("virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "crc32c_generic", "xfs")
OF_TESTS = ("dummy", "veth", "bridge", "tun", "tcp_diag", "udp_diag", "raw_diag", "unix_diag", "netlink_diag", "af_packet_diag", "sch_fq", "sch_fq_codel", "tcp_bbr", "kvm-amd")


def modules(arch, wanted, at="modules"):
    """{name in the archive: (data, mode)}: the wanted modules of Debian's Linux, with what they need, below AT, in the order of loading."""
    folder = setup.linux_modules(arch)
    paths = []
    for name in wanted:
        path = next(iter(glob.glob("%s/**/%s.ko*" % (folder, name), recursive=True)), None)
        if path:        # else it is built in
            paths += [p for p in needs(path, folder) if p not in paths]
    return {"%s/%02d-%s.ko" % (at, i, os.path.basename(p).split(".")[0]): (module(p), 0o644) for i, p in enumerate(paths)}


# What of ours a root disk on a bus needs before it is mounted.
DRIVERS = {"scsi": ("virtio_scsi",)}


def boot_modules(plain, bus):
    """{name in the archive: (data, mode)}, of PLAIN, the modules and tables as busybox reads them: those that init (user/coldplug.h) loads for a disk on that bus."""
    names = ["%s.ko" % n for n in DRIVERS.get(bus, ())]
    return {"boot-modules/" + n: f for n, f in plain.items() if names and os.path.basename(n) in [*names, "modules.alias", "modules.dep"]}


def starter(tools, arch, linux, own=None, boot=None):
    """The archive that a machine with a root disk boots: init alone, with OWN, what is to be seen in /lib/modules ({name below it: (data, mode)}), and BOOT (boot_modules())."""
    init = rootfs.read(rootfs.build_user(tools, "init", arch))
    extra = modules(arch, OF_DISKS) if linux else {**{"our-modules/" + n: f for n, f in (own or {}).items()}, **(boot or {})}

    def fill(w):
        w.dir("dev")
        w.node("dev/console", stat.S_IFCHR, 5, 1, 0o600)
        w.file("init", init, 0o755)
        rootfs.add_files(w, extra)
    return rootfs.store("starter-" + digest(REVISION, arch, init, *[x for n in sorted(extra) for x in (n, extra[n][0])]), fill)


# The prefix of the names of disks on each bus.
BUSES = {"virtio": "vd", "scsi": "sd"}


def name_of(index, bus="virtio"):
    """The name of a machine's INDEXth disk on that bus."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = "abcdefghijklmnopqrstuvwxyz"[letter] + name
    return "/dev/" + BUSES[bus] + name
