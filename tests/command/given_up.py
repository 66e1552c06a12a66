#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A machine that is given up says where its CPUs and its tasks are, and so does a silent one that is ended from outside; a host that stood still is nobody's hang."""
import contextlib
import io
import os
import re
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.dont_write_bytecode = True
from ochre import arches, build, qemu, rootfs, run, setup, util  # noqa: E402


def check(ok, what):
    if not ok:
        print("wrong: " + what)
        sys.exit(1)


def clock():
    real, at = time.monotonic, [1000.0]
    time.monotonic = lambda: at[0]
    try:
        now = util.Awake()
        for step in (0.5, 1.0, 200.0, 0.25):
            at[0] += step
            now()
        check(now() == 1.75 + util.Awake.STEP and now.lost == 200.0 - util.Awake.STEP, "200 seconds without a look: %s, %s" % (now(), now.lost))
    finally:
        time.monotonic = real


def given_up(tools):
    vm = qemu.Vm(tools, cpus=2, memory="256M", kernel=build.image("x86_64", False), initrd=rootfs.busybox_root(tools, arch="x86_64"),
                 append="console=ttyS0 panic=-1 quiet OCHRE=host:" + arches.ALL["x86_64"].control)
    vmlinux = os.path.join(build.outdir("x86_64", False), "vmlinux")
    with tempfile.TemporaryFile() as err, tempfile.TemporaryDirectory() as cores:
        os.environ["OCHRE_CORE"] = cores
        s = run.Session(vm, ["sleep", "100000"], vmlinux=vmlinux, stdin=None, stderr=err.fileno())
        s.stall = 5
        status = s.command()
        err.seek(0)
        said = err.read().decode()
        del os.environ["OCHRE_CORE"]
        left = [os.path.join(cores, f) for f in os.listdir(cores)]
        check(len(left) == 1 and os.path.getsize(left[0]) > 256 << 20, "its memory: %s" % left)
        with open(left[0], "rb") as f:
            check(f.read(4) == b"\x7fELF", "a core for gdb")
    check(status == run.TIMED_OUT and "the time was over" in said, "it is given up: %d: %s" % (status, said))
    check(re.search(r"QEMU used \d+\.\d s of the last \d+\.\d; init answers", said), "what QEMU did: " + said)
    check(len(re.findall(r"^CPU [01]: PC: [0-9a-f]{16}$", said, re.M)) == 2, "where its CPUs are: " + said)
    check(re.search(r"^\d+ \(sleep\) S .*\n.*\n(\[<0>\].*\n)*?\[<0>\] sys_clock_nanosleep", said, re.M), "where the command is: " + said)


def ended(tools):
    """A run of the tests that is told to end says where a machine stands that had been silent for long, and only of such a one."""
    for silent in (True, False):
        vm = qemu.Vm(tools, cpus=2, memory="256M", kernel=build.image("x86_64", False), initrd=rootfs.busybox_root(tools, arch="x86_64"),
                     append="console=ttyS0 panic=-1 OCHRE=host:" + arches.ALL["x86_64"].control)
        said, run.SILENT = io.StringIO(), -1.0 if silent else 1e9
        with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit), run.Machine(vm) as m:
            m.explain = True
            while b"initialisation code and data given back" not in m.text:
                check(not m.ended(), "it boots: " + bytes(m.text).decode("utf-8", "replace"))
                m.wait([], 1.0)
            sys.exit(143)
        said = said.getvalue()
        if silent:
            check("ended a machine that had said nothing for" in said and "given back" in said, "its console: " + said)
            check(len(re.findall(r"^CPU [01]: PC: [0-9a-f]{16}$", said, re.M)) == 2, "where its CPUs are: " + said)
        else:
            check(not said, "nothing: " + said)


clock()
given_up(setup.ensure(["x86_64"]))
ended(setup.load())
print("its CPUs, its tasks")
