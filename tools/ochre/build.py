# SPDX-License-Identifier: MIT
"""Builds the kernel: make does the work, here it is called with the tools that set-up found."""
import os
import shutil
import subprocess
import sys

from . import arches, setup
from .util import BUILD, Fail, HOST, Progress, ROOT, locked, rel, tail


def outdir(arch="x86_64", debug=False, gcc=False):
    return os.path.join(BUILD, arch + ("-debug" if debug else "") + ("-gcc" if gcc else ""))


def image(arch="x86_64", debug=False, bzimage=False, firmware=None):
    """The file that QEMU boots."""
    return os.path.join(outdir(arch, debug), "bzImage" if bzimage else arches.ALL[arch].efi if firmware else arches.ALL[arch].image)


def make_argv(tools, arch, debug, gcc, verbose, targets):
    argv = [tools["make"], "-C", ROOT, "--no-print-directory", "-j%d" % (os.cpu_count() or 2), "ARCH=" + arch,
            "O=" + os.path.relpath(outdir(arch, debug, gcc), ROOT)]
    if debug:
        argv.append("DEBUG=1")
    if gcc:
        argv += ["CC=" + tools["gcc"], "LD=" + tools["lld"]]
    if verbose:
        argv.append("V=1")
    return argv + list(targets)


def build(tools, arch="x86_64", debug=False, gcc=False, verbose=False, targets=(), quiet=False):
    """Builds; fails with the compiler's words. quiet: shows progress alone."""
    argv = make_argv(tools, arch, debug, gcc, verbose, targets)
    log = outdir(arch, debug, gcc) + ".log"
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "CC", "LD")}
    what = "Building the %skernel for %s" % ("debug " if debug else "", arch)
    os.makedirs(BUILD, exist_ok=True)
    with locked("make-" + os.path.basename(outdir(arch, debug, gcc)), "waiting for another build..."):
        if not quiet:
            rc = subprocess.run(argv, env=env).returncode
        else:
            with open(log, "w") as f, Progress(what, log):
                rc = subprocess.run(argv, env=env, stdout=f, stderr=f, stdin=subprocess.DEVNULL).returncode
            if rc:
                sys.stderr.write(tail(log, 40))
    if rc:
        raise Fail("the build failed" + (": the whole output is in " + rel(log) if quiet else ""), 1)


def ir(tools):
    """LLVM's code of x86_64's release kernel, under build/x86_64/ir, for what follows its calls."""
    with locked("make-x86_64", "waiting for another build..."):
        subprocess.run(make_argv(tools, "x86_64", False, False, False, ["ir"]), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def cmd_build(args):
    tools = setup.ensure([args.arch])
    build(tools, args.arch, args.debug, args.gcc, args.verbose, args.target)
    if not args.target and not args.gcc:
        from . import modules       # it knows this module
        modules.install(args.arch, args.debug)
    return 0


def cmd_clean(args):
    for name in sorted(os.listdir(BUILD)) if os.path.isdir(BUILD) else []:
        path = os.path.join(BUILD, name)
        # Disks hold what users did in their machines.
        if path in (HOST, os.path.join(BUILD, "disks")) and not args.all:
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    return 0
