#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a build makes of modules, for each CPU, release and debug: a CPU that has them has their three calls in its table, one that has none has none of them; what is a
module no more lies with the modules no more.
usage: host_module_calls.py"""
import glob
import os
import re
import subprocess
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
CALLS = ["init_module", "finit_module", "delete_module"]
HAVE = {"x86_64", "aarch64", "riscv64", "loongarch64"}        # in the release build; docs/features.md says so


def make(out, *words):
    r = subprocess.run(["make", "-s", "-C", ROOT, "O=" + out, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    check(r.returncode == 0, " ".join(words) + "\n" + r.stdout[-2000:] + r.stderr[-2000:])
    return r.stdout


def said(out, *words):
    """What the build says of modules."""
    return re.search(r"^\[(.*)\]$", make(out, "--eval=said: ; @echo '[$(modules_supported)]'", "said", *words), re.M)[1]


def calls(out):
    """Those of the calls that the table of the build there leads to."""
    with open(out + "/gen/abi/dispatch.c") as f:
        table = f.read()
    return [c for c in CALLS if re.search(r"^\t\[\d+\] = call_%s,$" % c, table, re.M)]


def main():
    arches = sorted(os.path.basename(f)[:-3] for f in glob.glob(ROOT + "/config/*.mk") if os.path.isdir(ROOT + "/arch/" + os.path.basename(f)[:-3]))
    check(set(arches) >= HAVE, arches)
    with tempfile.TemporaryDirectory() as d:
        for arch in arches:
            for debug in ((), ("DEBUG=1",)):
                out = "%s/%s%s" % (d, arch, "-debug" if debug else "")
                has = said(out, "ARCH=" + arch, *debug)
                make(out, "ARCH=" + arch, *debug, out + "/gen/abi.stamp")
                check(calls(out) == (CALLS if has else []), "%s %s: modules_supported is '%s', the table has %s" % (arch, debug, has, calls(out)))
                check(debug or bool(has) == (arch in HAVE), "%s: modules_supported is '%s'" % (arch, has))
        out = d + "/stale"
        os.makedirs(out + "/modules")
        for builtin, left in (("", ["binder.ko", "hello.ko"]), ("binder", ["hello.ko"])):
            for name in ("hello.ko", "binder.ko", "gone.ko"):
                open("%s/modules/%s" % (out, name), "w").close()
            make(out, "ARCH=x86_64", "BUILTIN=" + builtin, "stale_modules")
            check(sorted(os.listdir(out + "/modules")) == left, "BUILTIN=%s: %s" % (builtin, os.listdir(out + "/modules")))


main()
print("ok")
