# SPDX-License-Identifier: MIT
"""Programs on the host that change images through the kernel's own code (fs/xfs/tx/test/memtx.h), and the judges of what comes of it."""
import glob
import os
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tools")
from ochre import image, setup  # noqa: E402
import recovery  # noqa: E402

ROOMS = ("format", "tx", "btree", "ag", "bmap", "da", "dirent", "xattr")


def build(source, out):
    """Compiles SOURCE, a path in the tree, with all pure rooms of fs/xfs that write and with memtx; OUT."""
    sources = [source, "lib/crc32c.c"] + sorted(glob.glob("fs/xfs/tx/test/memtx*.c", root_dir=TOP))
    for room in ROOMS:
        sources += sorted(glob.glob("fs/xfs/%s/*.c" % room, root_dir=TOP))
    cc = (setup.load() or {}).get("clang") or "cc"
    rooms = sorted(d for d in os.listdir(TOP) if os.path.isdir(os.path.join(TOP, d, "include")))
    argv = [cc, "-std=gnu11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-Wall", "-Wno-unused-function",
            "-I."] + ["-I%s/include" % r for r in rooms] + ["-include", "lib/include/lib/compiler.h", "-o", out]
    r = subprocess.run(argv + sources, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=TOP)
    assert r.returncode == 0, r.stdout[-6000:]
    return out


def run(*argv):
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert r.returncode == 0, (argv, r.returncode, r.stdout[-6000:])
    return r.stdout


def judge(path, suites=("trixie", "sid")):
    """./ochre image check and xfs_repair -n find nothing."""
    r = subprocess.run([image.program(), "check", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert r.returncode == 0 and r.stdout.endswith("nothing is wrong\n"), (path, r.stdout[-4000:])
    for suite in suites:
        left, status, said = recovery.found(path, suite)
        assert not status and not left, (path, suite, status, said[-4000:])


def ochre(*argv):
    """./ochre ARGV: its status, all that it said. APPEND in the environment is more for the kernel's command line, such as folio_orders=random."""
    more = os.environ.get("APPEND")
    if more and argv[0] == "run" and "--append" not in argv:
        argv = ("run", "--append", more, *argv[1:])
    r = subprocess.run([os.path.join(TOP, "ochre"), *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout
