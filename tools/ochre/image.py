# SPDX-License-Identifier: MIT
"""./ochre image: disk images, read on this machine by the kernel's own decoders (fs/xfs/format). The program is tools/image/, compiled when it is first used
and whenever a source of it changed."""
import glob
import os
import subprocess

from . import setup
from .util import BUILD, Fail, ROOT, digest, locked

PROGRAM = os.path.join(BUILD, "image", "image")


def program():
    """The path of the compiled program."""
    sources = sorted(glob.glob(ROOT + "/tools/image/*.c") + glob.glob(ROOT + "/fs/xfs/format/*.c") + glob.glob(ROOT + "/fs/xfs/log/*.c")) + [ROOT + "/lib/crc32c.c"]
    headers = glob.glob(ROOT + "/tools/image/*.h") + glob.glob(ROOT + "/fs/xfs/format/*.h") + glob.glob(ROOT + "/fs/xfs/log/*.h") + glob.glob(ROOT + "/lib/include/lib/*.h")
    cc = (setup.load() or {}).get("clang") or "cc"
    want = digest(cc, *[read(p) for p in sources + sorted(headers)])
    os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
    with locked("image", "another ./ochre compiles tools/image"):
        if not os.path.exists(PROGRAM) or read(PROGRAM + ".of") != want:
            argv = [cc, "-std=gnu11", "-O2", "-g", "-Wall", "-I.", "-Ilib/include", "-Iabi/include", "-include", "lib/include/lib/compiler.h", "-o", PROGRAM + ".new"]
            r = subprocess.run(argv + sources, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
            if r.returncode:
                raise Fail("tools/image does not compile:\n" + r.stdout, 1)
            os.rename(PROGRAM + ".new", PROGRAM)
            with open(PROGRAM + ".of", "w") as f:
                f.write(want)
    return PROGRAM


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def cmd_image(args):
    if not os.path.isfile(args.image):
        raise Fail("%s: no such image" % args.image)
    if args.what == "cat" and not args.path:
        raise Fail("image cat needs the path of a file in the image")
    if args.what == "replay" and args.path and not args.path.isdigit():
        raise Fail("image replay takes the whole image, or how many writes a test lets it make: '%s' is neither" % args.path)
    if args.what == "check" and args.path:
        raise Fail("image check looks at the whole image: '%s' is too much" % args.path)
    return subprocess.run([program(), args.what, args.image] + ([args.path] if args.path else [])).returncode
