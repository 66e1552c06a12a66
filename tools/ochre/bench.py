# SPDX-License-Identifier: MIT
"""Measures what operations cost, in instructions, beside Linux: bench/ops.c is the first program of each kernel in the same machine.

The machine counts instructions as nanoseconds (QEMU's -icount), so two runs of one kernel are equal and nothing else on the host matters.
A plugin of QEMU's, bench/count.c, counts what costs more than an instruction on the way. Results go to build/bench: a table, JSON and
a chart. Each run is kept by the content of the kernel and of the program."""
import json
import os
import re
import subprocess

from . import arches, bench_apps, bench_boot, bench_company, bench_disk, bench_gate, bench_peer, bench_profile, bench_show, build, cpio, qemu, rootfs, setup
from .util import BUILD, Fail, Progress, ROOT, digest, output, rel

OUT = os.path.join(BUILD, "bench")
LIMIT = 900
# What count.c writes in a row; of other CPUs than x86_64 it knows the first two.
COUNTERS = ["kernel", "user", "atomics", "exchanges", "invalidations", "table loads", "IPIs", "device accesses"]


def program(tools, arch, name="ops", flags=("-O2", "-Wno-clobbered"), extra=None):
    """bench/NAME.c, static, and the archive with it as /init, and with the EXTRA files, {name: (data, mode)}."""
    exe = rootfs.build_user(tools, name, arch, out=os.path.join(OUT, "%s-%s" % (name, arch)), sources=["%s/bench/%s.c" % (ROOT, name)], flags=flags)
    data = rootfs.read(exe)
    extra = extra or {}
    path = os.path.join(OUT, "%s-%s.cpio" % (name, digest(data, *[x for n in sorted(extra) for x in (n, extra[n][0])])))
    if not os.path.exists(path):
        with open(path + ".new", "wb") as f:
            w = cpio.Writer(f)
            w.dir("dev")
            w.node("dev/console", 0o020000, 5, 1, 0o600)
            w.file("init", data, 0o755)
            rootfs.add_files(w, extra)
            w.end()
        os.rename(path + ".new", path)
    return path


def plugin(tools, arch="x86_64"):
    """bench/count.c, built, or None where this QEMU takes no plugins."""
    if "-plugin" not in output(tools["qemu"][arch] + ["--help"]):
        return None
    path = os.path.join(OUT, "count-%s.so" % digest(rootfs.read(ROOT + "/bench/count.c")))
    if not os.path.exists(path):
        argv = [tools["gcc"], "-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-pthread",
                "-o", path + ".new", ROOT + "/bench/count.c"]
        r = subprocess.run(argv, capture_output=True, text=True)
        if r.returncode:
            raise Fail("bench/count.c does not compile:\n%s" % r.stderr, 1)
        os.rename(path + ".new", path)
    return path


# Of each CPU's machine: more for -M, the CPU, words for the kernel's command line, and more for -accel.
# What is drawn at random is the same each time (-seed, no seeds for the kernel).
#
# QEMU's loongarch64 does not know that IOCSRWR, by which a CPU sends interrupts, itself one too, is an access to a device: where it is not the last
# instruction of what was translated together, the clock that counts instructions is not exact there, and QEMU ends with "Raised interrupt while not in
# I/O function". Debian's Linux meets that within a second. One instruction at a time there is no such place; both kernels run so, and what is counted
# stays the same.
MACHINES = {"x86_64": ("", "max,-rdrand,-rdseed,-erms,-fsrm", "tsc=reliable ", ""),
            "aarch64": (",gic-version=2,dtb-randomness=off", "max,pauth-impdef=on", "", ""),
            "riscv64": ("", "max", "", ""),
            "loongarch64": ("", "max", qemu.NO_KEYBOARD + " ", ",one-insn-per-tb=on")}


def archive(tools, arch, filters, ours):
    """The archive with the operations that FILTERS name: those of bench/ops.c, or of bench/binder.c where one of them begins with binder."""
    if not any(f.startswith("binder") for f in filters):
        return program(tools, arch)
    module = os.path.join(build.outdir(arch), "modules", "binder.ko")
    return program(tools, arch, "binder", ("-O2", "-Wno-clobbered", "-Wno-unused-function"), {"binder.ko": (rootfs.read(module), 0o644)} if ours else None)


def machine(tools, arch, kernel, initrd, append, cpus=1):
    # In company each CPU is a thread, and the instructions are not counted.
    row, (more, cpu, words, accel) = arches.ALL[arch], MACHINES[arch]
    clock = ["-accel", "tcg,thread=multi"] if "company=" in append else ["-accel", "tcg" + accel] * bool(accel) + ["-icount", "shift=0,sleep=off"]
    return tools["qemu"][arch] + [
        "-M", row.machines[0] + more, "-smp", str(cpus), "-m", "512", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
        "-monitor", "none", "-no-reboot", "-cpu", cpu, "-rtc", "base=2020-01-01T00:00:00,clock=vm", "-seed", "1",
        *clock, "-kernel", kernel, "-initrd", initrd,
        "-append", "console=%s quiet %snokaslr panic=-1 " % (row.console, words) + append]


# --- a run ---

def read_rows(text):
    """count.c's file: its rows, and for each what it says of shared lines, (accesses, atomics, [(accesses, address, instruction)]),
    and of blocks of instructions, [(address, instructions, times)]."""
    rows, shared, ran = [], [], []
    lines, blocks, total = [], [], (0, 0)
    for words in (l.split() for l in text.splitlines()):
        if words[0] == "line":
            lines.append((int(words[1]), int(words[2], 16), int(words[3], 16)))
        elif words[0] == "shared":
            total = int(words[1]), int(words[2])
        elif words[0] == "block":
            blocks.append((int(words[1], 16), int(words[2]), int(words[3])))
        elif words[0] != "entry":       # what a firmware did: bench_boot.py reads it
            rows.append([int(w) for w in words])
            shared.append(total + (lines,))
            ran.append(blocks)
            lines, blocks, total = [], [], (0, 0)
    return rows, shared, ran


def read(text, rows, arch="x86_64"):
    """{operation: {"instructions": for one, "least": the same of the lowest reading, and what count.c saw}}"""
    found, idle = {}, None
    for m in re.finditer(r"^(?:idle (\d+)\t(\d+)|op (.*)\t(\d+)\t(-?\d+)\t(-?\d+)\t(\d+))\r?$", text, re.M):
        if m[1]:
            idle = rows[int(m[2])] if rows else None
            continue
        n = int(m[4])
        op = found[m[3]] = {"instructions": int(m[5]) / n, "least": int(m[6]) / n}
        if rows:
            op.update({name: (a - b) / n for name, a, b in zip(COUNTERS if arch == "x86_64" else COUNTERS[:2], rows[int(m[7])], idle)})
    return found


def run(tools, arch, what, kernel, initrd, words, cpus, path, blocks):
    """Boots it and keeps its words, and the plugin's, at path."""
    counts = path + ".rows"
    argv = machine(tools, arch, kernel, initrd, words, cpus)
    so = plugin(tools, arch)
    if so:
        argv += ["-plugin", "%s,out=%s%s" % (so, counts, (",lines=on" if "company=" in words else "") + (",blocks=on" if blocks else ""))]
    with Progress("Measuring " + what):
        try:
            r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT)
            text = r.stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired as e:
            text = (e.stdout or b"").decode("utf-8", "replace")
    if not re.search(r"^end\r?$", text, re.M):
        raise Fail("%s did not come to the end of it:\n%s" % (what, "\n".join(text.splitlines()[-15:])), 1)
    with open(path + ".new", "w") as f:
        json.dump({"text": text, "counts": rootfs.read(counts).decode() if so else ""}, f)
    os.rename(path + ".new", path)


def kept(tools, what, kernel, append, filters, cpus=1, blocks=False, arch="x86_64"):
    """What a run of the operations said: (the guest's words, the plugin's). Run where it is not kept."""
    words = append + (" ops=" + ",".join(filters).replace(" ", "_") if filters else "")
    initrd = archive(tools, arch, filters, kernel == vmlinux(arch))
    key = digest(rootfs.read(kernel), rootfs.read(initrd), rootfs.read(ROOT + "/bench/count.c"), machine(tools, arch, "", "", words, cpus) + ["blocks"] * blocks)
    path = os.path.join(OUT, "run-%s.json" % key)
    if not os.path.exists(path):
        run(tools, arch, what, kernel, initrd, words, cpus, path, blocks)
    with open(path) as f:
        said = json.load(f)
    return said["text"], said["counts"]


def measure(tools, what, kernel, append, filters, cpus=1, arch="x86_64"):
    """Runs the operations under a kernel: {operation: its counts}."""
    text, counts = kept(tools, what, kernel, append, filters, cpus, arch=arch)
    return some(read(text, read_rows(counts)[0], arch), filters)


def some(found, filters):
    if not found:
        raise Fail("no operation has a name with %s in it" % " or ".join(filters))
    return found


def vmlinux(arch="x86_64"):
    return os.path.join(build.outdir(arch), arches.ALL[arch].image)


# --- the command ---

def compare(tools, args, other):
    """The table, and all of it in build/bench/result.json."""
    modes = [("mitigations=off", "")] + ([("", ", mitigations on")] if args.mitigations else [])
    result = {"unit": "instructions for one operation", "arch": args.arch, "cpus": args.cpus, "runs": []}
    for words, label in modes:
        mine, theirs, name = measure(tools, "Ochre" + label, vmlinux(args.arch), words, args.filter, args.cpus, args.arch), {}, None
        one = {"mitigations": not words, "ochre": mine}
        if other:
            name, image, more = other
            theirs = measure(tools, name + label, image, " ".join([words, more, "settle=20"]).strip(), args.filter, args.cpus, args.arch)
            one.update({"peer": args.against, "theirs": theirs})
        if label:
            print(label[2:] + ":")
        lines, ratios = bench_show.table(mine, theirs, name)
        print("\n".join(lines))
        one["mean"] = bench_show.mean(ratios.values()) if ratios else None
        if ratios and words:
            with open(os.path.join(OUT, "chart.svg"), "w") as f:
                f.write(bench_show.chart(ratios, name))
        result["runs"].append(one)
    with open(os.path.join(OUT, "result.json"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print("written: %s/result.json%s" % (rel(OUT), ", chart.svg" if other else ""))
    return 0


def cmd_bench(args):
    if (args.record or args.gate) and (args.filter or args.against or args.mitigations or args.cpus != 1):
        raise Fail("--record and --gate measure all operations of Ochre alone, on one CPU")
    if args.arch != "x86_64" and (args.record or args.gate or args.apps or args.company or args.mitigations or args.disk):
        raise Fail("--arch %s: the table, --against, --cpus, --boot and --profile; the rest is x86_64's" % args.arch)
    tools = setup.ensure([args.arch])
    os.makedirs(OUT, exist_ok=True)
    other = bench_peer.find(args.against, args.arch) if args.against else None
    build.build(tools, args.arch, quiet=True)
    if args.record or args.gate:
        return (bench_gate.record if args.record else bench_gate.gate)(tools, measure(tools, "Ochre", vmlinux(), "mitigations=off", []))
    if args.boot:
        return bench_boot.measure(tools, args.arch, other)
    if args.apps:
        return bench_apps.apps(tools, args, other)
    if args.disk:
        return bench_disk.measure(tools, args, other)
    if args.profile:
        return bench_profile.profile(tools, args, other)
    if args.company:
        return bench_company.company(tools, args, other)
    return compare(tools, args, other)
