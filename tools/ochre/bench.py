# SPDX-License-Identifier: MIT
"""Measures what operations cost, in instructions, beside Linux: bench/ops.c is the first program of each kernel in the same machine.

The machine counts instructions as nanoseconds (QEMU's -icount), so two runs of one kernel are equal and nothing else on the host matters.
Results go to build/bench: a table, JSON and a chart. What is measured under the peer is kept by the kernel's and the program's content."""
import glob
import html
import json
import math
import os
import re
import shutil
import subprocess

from . import build, cpio, rootfs, setup
from .util import BUILD, Fail, Progress, ROOT, digest, locked, logged, rel

OUT = os.path.join(BUILD, "bench")
MICRO = os.path.join(BUILD, "host/linux-micro")
MICRO_PACKAGES = ["bc", "bison", "flex", "libelf-dev", "libssl-dev", "xz-utils", "gcc", "make"]
LIMIT = 900


def program(tools):
    """bench/ops.c, static, and the archive with it as /init."""
    exe = rootfs.build_user(tools, "ops", out=os.path.join(OUT, "ops"), sources=[ROOT + "/bench/ops.c"], flags=["-O2", "-Wno-clobbered"])
    data = rootfs.read(exe)
    path = os.path.join(OUT, "ops-%s.cpio" % digest(data))
    if not os.path.exists(path):
        with open(path + ".new", "wb") as f:
            w = cpio.Writer(f)
            w.dir("dev")
            w.node("dev/console", 0o020000, 5, 1, 0o600)
            w.file("init", data, 0o755)
            w.end()
        os.rename(path + ".new", path)
    return path


def machine(tools, kernel, initrd, append):
    return tools["qemu"]["x86_64"] + [
        "-M", "q35", "-m", "512", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
        "-cpu", "max,-rdrand,-rdseed,-erms,-fsrm", "-rtc", "base=2020-01-01T00:00:00,clock=vm", "-seed", "1",
        "-icount", "shift=0,sleep=off", "-kernel", kernel, "-initrd", initrd,
        "-append", "console=ttyS0 quiet tsc=reliable nokaslr panic=-1 " + append]


def read(text):
    """{operation: instructions for one}"""
    found = {}
    for m in re.finditer(r"^op (.*)\t(\d+)\t(-?\d+)\r?$", text, re.M):
        found[m[1]] = int(m[3]) / int(m[2])
    return found


def measure(tools, what, kernel, append, filters):
    """Runs the operations under a kernel: {operation: instructions}."""
    initrd = program(tools)
    words = append + (" ops=" + ",".join(filters).replace(" ", "_") if filters else "")
    key = digest(rootfs.read(kernel), rootfs.read(initrd), words, *tools["qemu"]["x86_64"])
    path = os.path.join(OUT, "run-%s.txt" % key)
    if not os.path.exists(path):
        with Progress("Measuring " + what):
            try:
                r = subprocess.run(machine(tools, kernel, initrd, words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, timeout=LIMIT)
                text = r.stdout.decode("utf-8", "replace")
            except subprocess.TimeoutExpired as e:
                text = (e.stdout or b"").decode("utf-8", "replace")
        if not re.search(r"^end\r?$", text, re.M):
            raise Fail("%s did not come to the end of it:\n%s" % (what, "\n".join(text.splitlines()[-15:])), 1)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)
    with open(path) as f:
        return read(f.read())


# --- the peer ---

def linux_micro():
    """Linux 7.2 cut for a virtual machine, built once from Debian's source package: the path of its vmlinux."""
    path = os.path.join(MICRO, "vmlinux")
    config = rootfs.read(ROOT + "/bench/linux-micro.config")
    stamp = os.path.join(MICRO, "made-of")
    if os.path.exists(path) and os.path.exists(stamp) and rootfs.read(stamp) == config:
        return path
    with locked("linux-micro", "Waiting for another build of Linux"):
        if not (os.path.exists(path) and os.path.exists(stamp) and rootfs.read(stamp) == config):
            build_micro(path, config, stamp)
    return path


def build_micro(path, config, stamp):
    log = os.path.join(MICRO, "build.log")
    os.makedirs(MICRO, exist_ok=True)
    setup.need(MICRO_PACKAGES, log)
    apt = setup.PrivateApt(setup.codename())
    names = [n for n in apt.names("linux-source-") if re.fullmatch(r"linux-source-7\.\d+", n) and apt.newest(n, "trixie-backports")]
    if not names:
        raise Fail("trixie-backports has no linux-source-7.*")
    name = max(names, key=setup.version)
    tree = os.path.join(MICRO, "tree")
    apt.unpack([name], "trixie-backports", MICRO + "/package")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    tar = glob.glob(MICRO + "/package/usr/src/linux-source-*.tar.xz")
    if not tar:
        raise Fail("%s holds no archive of the source" % name)
    logged("Unpacking Linux", ["tar", "xJf", tar[0], "--strip-components=1"], log, cwd=tree)
    make = ["make", "-C", tree, "ARCH=x86_64", "-j%d" % (os.cpu_count() or 2)]
    with open(os.path.join(MICRO, "fragment"), "wb") as f:
        f.write(config)
    logged("Configuring Linux", make + ["tinyconfig"], log)
    logged("Configuring Linux", ["sh", "-c", "cat ../fragment >> .config"], log, cwd=tree)
    logged("Configuring Linux", make + ["olddefconfig"], log)
    logged("Building Linux (once; ten minutes on two cores)", make + ["vmlinux"], log)
    logged("Stripping Linux", ["strip", "-g", "-o", path, tree + "/vmlinux"], log)
    shutil.copy(tree + "/.config", os.path.join(MICRO, "config"))
    shutil.rmtree(tree)
    with open(stamp, "wb") as f:
        f.write(config)


def peer(name):
    """(what it is called, kernel, more for its command line). Linux idles a while first: its boot goes on in the background."""
    if name == "linux":
        return "Debian's Linux", setup.reference_linux(), "init_on_alloc=0 settle=20"
    if name == "linux-micro":
        return "Linux, cut down", linux_micro(), "init_on_alloc=0 settle=20"
    if not os.path.exists(name):
        raise Fail("--against %s: no such file (or linux, linux-micro)" % name)
    return name, name, "settle=20"


# --- what comes out ---

def mean(ratios):
    return math.exp(sum(math.log(r) for r in ratios) / len(ratios)) if ratios else float("nan")


def table(ours, theirs, name):
    lines = ["%-36s %12s %12s %8s" % ("instructions", "Ochre", name[:12], "ratio")]
    ratios = {}
    for op, n in ours.items():
        other = theirs.get(op)
        if other and n > 0 and other > 0:
            ratios[op] = n / other
        lines.append("%-36s %12.0f %12s %8s" % (op, n, "%.0f" % other if other else "-", "%.2f" % ratios[op] if op in ratios else "-"))
    if ratios:
        worst = max(ratios, key=ratios.get)
        lines.append("%d operations, geometric mean %.3f, worst %.2f (%s), above 1: %d" % (
            len(ratios), mean(ratios.values()), ratios[worst], worst, sum(r > 1 for r in ratios.values())))
    return lines, ratios


def chart(ratios, name):
    """A bar an operation, sorted; 1 is the peer."""
    rows = sorted(ratios.items(), key=lambda r: r[1])
    unit, top, left, high = 300, 50, 260, 16
    wide = left + int(unit * max(1.2, min(3, max(ratios.values())))) + 80
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">' % (wide, top + high * len(rows) + 20),
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="20" font-size="14">Instructions of Ochre / %s, geometric mean %.2f</text>' % (html.escape(name), mean(ratios.values()))]
    for i, (op, r) in enumerate(rows):
        y = top + i * high
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (left - 6, y + 11, html.escape(op)))
        out.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (left, y + 1, unit * min(r, 3), high - 3, "#b8860b" if r <= 1 else "#a02020"))
        out.append('<text x="%.1f" y="%d">%.2f</text>' % (left + unit * min(r, 3) + 4, y + 11, r))
    out.append('<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="black"/>' % (left + unit, top - 8, left + unit, top + high * len(rows)))
    return "\n".join(out + ["</svg>"]) + "\n"


def cmd_bench(args):
    tools = setup.ensure()
    os.makedirs(OUT, exist_ok=True)
    other = peer(args.against) if args.against else None
    build.build(tools, quiet=True)
    kernel = os.path.join(build.outdir(), "vmlinux")
    modes = [("mitigations=off", "")] + ([("", ", mitigations on")] if args.mitigations else [])
    result = {"unit": "instructions for one operation", "runs": []}
    for words, label in modes:
        ours = measure(tools, "Ochre" + label, kernel, words, args.filter)
        if not ours:
            raise Fail("no operation has a name with %s in it" % " or ".join(args.filter))
        run = {"mitigations": not words, "ochre": ours}
        if other:
            name, image, more = other
            theirs = measure(tools, name + label, image, (words + " " + more).strip(), args.filter)
            lines, ratios = table(ours, theirs, name)
            run.update({"peer": args.against, "theirs": theirs, "mean": mean(ratios.values()) if ratios else None})
            if ratios and words:
                with open(os.path.join(OUT, "chart.svg"), "w") as f:
                    f.write(chart(ratios, name))
        else:
            lines = ["%-36s %12.0f" % r for r in ours.items()]
        if label:
            print(label[2:] + ":")
        print("\n".join(lines))
        result["runs"].append(run)
    with open(os.path.join(OUT, "result.json"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print("written: %s/result.json%s" % (rel(OUT), ", chart.svg" if args.against else ""))
    return 0
