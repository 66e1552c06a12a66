#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What ./ochre run makes of KVM: the guest that probes runs (by emulation here), a QEMU that cannot is told from one that can, and options win."""
import os
import stat
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import accel, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402

bad = []
os.environ.pop(accel.VARIABLE, None)


def expect(what, got, want):
    if got != want:
        bad.append("%s: %r, not %r" % (what, got, want))


def refused(what, *a):
    try:
        bad.append("%s: %r" % (what, accel.choose(*a)))
    except Fail:
        pass


def script(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, stat.S_IRWXU)
    return path


qemu = (setup.load() or setup.ensure())["qemu"]["x86_64"]
expect("the guest by emulation", accel.probe(tuple(qemu), "tcg"), (True, "a guest ran"))
with tempfile.TemporaryDirectory() as d:
    accel.DEVICE = os.path.join(d, "none")
    expect("no node", accel.probe((script(d, "a", "exit %d" % accel.RAN),))[0], False)
    accel.DEVICE = script(d, "node", "")
    works, broken = script(d, "b", "exit %d" % accel.RAN), script(d, "c", "echo 'qemu: failed to initialize kvm: not permitted'; exit 1")
    stuck = script(d, "e", "exec sleep 100")
    expect("a node that works", accel.choose("auto", "x86_64", [works])[0], "kvm")
    expect("a node that does not", accel.choose("auto", "x86_64", [broken])[0], "tcg")
    expect("why", "failed to initialize kvm: not permitted" in accel.probe((broken,))[1], True)
    accel.LIMIT = 1
    expect("one that hangs", accel.probe((stuck,))[0], False)
    accel.TRIAL, notes = 1, os.path.join(d, "folder", "notes")
    panics = script(d, "f", "echo 'Kernel panic - not syncing: no root'; echo x >> " + d + "/runs")
    expect("a kernel that KVM runs", [accel.boots([panics], works, notes) for _ in range(3)], [(True, "a guest ran")] * 3)
    expect("tried once", open(d + "/runs").read(), "x\n")
    expect("another kernel", accel.boots([panics], broken, notes)[0], True)
    expect("tried too", open(d + "/runs").read(), "x\nx\n")
    expect("one that stands still", accel.boots([stuck], works, notes), (False, accel.DEVICE + " does not run this kernel"))
    expect("one that ends", accel.boots([broken], works, notes)[0], False)
    expect("--accel tcg", accel.choose("tcg", "x86_64", [works])[0], "tcg")
    expect("-icount", accel.choose("auto", "x86_64", [works], True)[0], "tcg")
    expect("another CPU", accel.choose("auto", "aarch64", [works])[0], "tcg")
    os.environ[accel.VARIABLE] = "tcg"
    expect("the environment", accel.choose("auto", "x86_64", [works]), ("tcg", "OCHRE_ACCEL=tcg"))
    expect("an option wins", accel.choose("kvm", "x86_64", [works])[0], "kvm")
    os.environ[accel.VARIABLE] = "kvm"
    refused("another word", "auto", "x86_64", [works])
    os.environ[accel.VARIABLE] = "auto"
    expect("auto", accel.choose("auto", "x86_64", [works])[0], "kvm")
    refused("--accel kvm that does not work", "kvm", "x86_64", [broken])
    refused("--accel kvm that counts", "kvm", "x86_64", [works], True)
print("\n".join(bad))
sys.exit(1 if bad else 0)
