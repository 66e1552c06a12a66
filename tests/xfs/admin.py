# SPDX-License-Identifier: MIT
"""A root with programs of sid's xfsprogs, unmodified, with their libraries."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import rootfs, setup  # noqa: E402

PROGRAMS = ("xfs_io", "xfs_growfs", "xfs_spaceman", "xfs_bmap")


def root(tools, more=None, programs=PROGRAMS):
    top = setup.find_xfsprogs("sid") + "/usr/"
    folder = top + "lib/x86_64-linux-gnu"
    loader = folder + "/ld-linux-x86-64.so.2"
    extra = {"lib64/ld-linux-x86-64.so.2": (rootfs.read(loader), 0o755), **(more or {})}
    for p in programs:
        program = top + "sbin/" + p
        extra["usr/sbin/" + os.path.basename(p)] = (rootfs.read(program), 0o755)
        if rootfs.read(program)[:2] == b"#!":
            continue
        said = subprocess.run([loader, "--library-path", folder, "--list", program], stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in said.splitlines():
            if "=>" in line and folder in line.split("=>")[1]:
                path = line.split("=>")[1].split()[0]
                extra["lib/x86_64-linux-gnu/" + os.path.basename(path)] = (rootfs.read(path), 0o755)
    return rootfs.busybox_root(tools, extra=extra)
