# SPDX-License-Identifier: MIT
"""tools/damage, which damages an XFS by seed: the program of this machine, and the same source as a static program of guests."""
import glob
import os
import subprocess

from . import image, rootfs, setup
from .util import BUILD, Fail, ROOT, digest, locked

PROGRAM = os.path.join(BUILD, "damage", "damage")
# Beside our own user programs' flags: the kernel's headers, and what the kernel's pure code is compiled without.
FLAGS = ["-I.", "-Ilib/include", "-Iabi/include", "-include", "lib/include/lib/compiler.h", "-Wno-unused-parameter", "-Wno-sign-compare", "-Wno-maybe-uninitialized"]


def sources():
    """The files to compile, and those that they include."""
    files = sorted(glob.glob(ROOT + "/tools/damage/*.c") + glob.glob(ROOT + "/fs/xfs/format/*.c")) + [ROOT + "/tools/image/vol.c", ROOT + "/lib/crc32c.c"]
    headers = [h for d in ("tools/damage", "tools/image", "fs/xfs/format", "lib/include/lib") for h in sorted(glob.glob("%s/%s/*.h" % (ROOT, d)))]
    return files, headers


def program(flags=("-O2",), out=PROGRAM):
    """The path of the program of this machine."""
    files, headers = sources()
    cc = (setup.load() or {}).get("clang") or "cc"
    want = digest(cc, *flags, *[image.read(p) for p in files + headers])
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with locked("damage", "another ./ochre compiles tools/damage"):
        if not os.path.exists(out) or image.read(out + ".of") != want:
            argv = [cc, "-std=gnu11", "-g", "-Wall", *flags, *FLAGS, "-o", out + ".new"]
            r = subprocess.run(argv + files, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
            if r.returncode:
                raise Fail("tools/damage does not compile:\n" + r.stdout, 1)
            os.rename(out + ".new", out)
            with open(out + ".of", "w") as f:
                f.write(want)
    return out


def for_guests(tools, arch="x86_64"):
    """{name: path} of the static programs of guests of that CPU: damage, and guest, what else heal-demo does there."""
    files, headers = sources()
    folder = os.path.join(BUILD, arch, "user")
    for out in (folder + "/damage",):       # build_user() knows no headers
        if os.path.exists(out) and os.path.getmtime(out) <= max(os.path.getmtime(h) for h in headers):
            os.unlink(out)
    return {"damage": rootfs.build_user(tools, "damage", arch, sources=files, flags=FLAGS),
            "guest": rootfs.build_user(tools, "heal-guest", arch, sources=[ROOT + "/tools/damage/guest/guest.c"])}
