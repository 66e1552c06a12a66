# SPDX-License-Identifier: MIT
"""Debian's Linux with its XFS, in our machine: what it makes of images."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.join(HERE, "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import disk, rootfs  # noqa: E402

# What a script begins with.
LOAD = "for m in /modules/*; do insmod $m; done; mkdir -p /m; mount -t proc proc /proc 2>/dev/null\n"
# A disk whose reads are slow.
SLOW = "-drive if=none,id=slow,format=raw,file=%s,throttling.iops-read=400 -device virtio-blk-pci,drive=slow"


def programs(tools, folder, names, arch="x86_64"):
    """{name in a root: (data, mode)} of programs of tests/xfs, built in FOLDER."""
    built = {n: rootfs.build_user(tools, n, arch, out=os.path.join(folder, n), sources=[os.path.join(HERE, n + ".c")]) for n in names}
    return {"bin/" + n: (rootfs.read(path), 0o755) for n, path in built.items()}


def files(tools, folder, names=(), arch="x86_64"):
    """The modules that LOAD loads, and those programs."""
    return {**disk.modules(arch, disk.OF_DISKS), **programs(tools, folder, names, arch)}


def root(tools, folder, names=(), arch="x86_64"):
    """A root with those files."""
    return rootfs.busybox_root(tools, files(tools, folder, names, arch), arch)


def run(where, disks, script, slow=False, cpus=4):
    """What the script says, and the kernel. The timer of a machine that waits for its host need not work when Linux looks at it."""
    argv = [ROOT + "/ochre", "run", "--kernel", "linux", "--timeout", "400", "--memory", "1G", "--cpus", str(cpus), "--append", "no_timer_check", "--rootfs", where]
    for d in disks:
        argv += ["--qemu", SLOW % d] if slow else ["--disk", d]
    r = subprocess.run(argv + ["--", "sh", "-c", LOAD + script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    return r.stdout
