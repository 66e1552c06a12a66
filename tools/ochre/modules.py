# SPDX-License-Identifier: MIT
"""The modules that a build made, as a running system finds them: /lib/modules/RELEASE, compressed, with depmod's tables."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

from . import build, setup
from .util import Fail, HOST, ROOT, digest, locked


def read(path):
    with open(path, "rb") as f:
        return f.read()


def release():
    """What uname -r says."""
    with open(os.path.join(ROOT, "abi/include/abi/version.h")) as f:
        return re.search(r'#define OCHRE_RELEASE "([^"]+)"', f.read())[1]


def folder(arch="x86_64", debug=False):
    return os.path.join(build.outdir(arch, debug), "modules", "installed")


def depmod():
    """The machine's own; installed when first asked for."""
    found = next((p for p in ("/usr/sbin/depmod", "/sbin/depmod") if os.path.exists(p)), None)
    if not found:
        setup.need(["kmod"], os.path.join(HOST, "kmod.log"))
    return found or "/sbin/depmod"


def fill(top, paths):
    """lib/modules/RELEASE below TOP."""
    name = release()
    at = os.path.join(top, "lib/modules", name)
    os.makedirs(at + "/kernel")
    for p in paths:
        with open("%s/kernel/%s.zst" % (at, os.path.basename(p)), "wb") as f:
            subprocess.run(["zstd", "-q", "-19", "-c", p], stdout=f, check=True)
    with open(at + "/modules.order", "w") as f:
        f.write("".join("kernel/%s\n" % os.path.basename(p) for p in paths))
    for n in "modules.builtin", "modules.builtin.modinfo":
        open(at + "/" + n, "w").close()
    r = subprocess.run([depmod(), "-b", top, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if r.returncode or r.stdout:
        raise Fail("depmod: " + r.stdout, 1)


def install(arch="x86_64", debug=False):
    """Makes folder() anew where the modules are others than those in it. A CPU without modules has none."""
    paths = sorted(glob.glob(os.path.join(build.outdir(arch, debug), "modules", "*.ko")))
    if not paths:
        return
    top = folder(arch, debug)
    with locked("modules-" + os.path.basename(build.outdir(arch, debug)), "waiting for another build..."):
        key = digest(release(), *[x for p in paths for x in (os.path.basename(p), read(p))])
        if os.path.exists(top + "/key") and read(top + "/key").decode() == key:
            return
        with tempfile.TemporaryDirectory(dir=os.path.dirname(top)) as d:
            os.mkdir(d + "/new")
            fill(d + "/new", paths)
            with open(d + "/new/key", "w") as f:
                f.write(key)
            os.chmod(d + "/new", 0o755)
            shutil.rmtree(top, ignore_errors=True)
            os.rename(d + "/new", top)


def files(arch, debug):
    """{name below /lib/modules: (data, mode)} of what is installed."""
    out, top = {}, folder(arch, debug) + "/lib/modules"
    for d, _, names in os.walk(top):
        for n in names:
            path = os.path.join(d, n)
            out[os.path.relpath(path, top)] = (read(path), 0o644)
    return out


def plain(arch, debug):
    """The same for busybox's modprobe, which neither decompresses zstd nor reads the binary tables."""
    out = {}
    for n, (data, mode) in files(arch, debug).items():
        if n.endswith(".ko.zst"):
            name = os.path.basename(n)[:-len(".zst")]
            out[n[:-len(".zst")]] = read(os.path.join(build.outdir(arch, debug), "modules", name)), mode
        elif n.endswith("/modules.dep"):
            out[n] = data.replace(b".ko.zst", b".ko"), mode
        elif not n.endswith(".bin"):
            out[n] = data, mode
    return out
