# SPDX-License-Identifier: MIT
"""Counts what operations on a disk with XFS take, bench/disk.c: instructions, requests, flushes and bytes, beside a peer.

A task that waits for the disk leaves its processor idle, so the clock says nothing: the plugin counts the instructions. When the disk answers
is chance: of three runs of an operation the one of the middle stands in the table. The disk is a file that the newest mkfs.xfs formats with
its defaults, a new one for each kernel; flushes go no further than QEMU."""
import json
import os
import re
import subprocess
import tempfile

from . import bench, bench_profile, bench_show, build, disk, rootfs, setup
from .util import Fail, Progress, digest, rel

SIZE = "2g"
LIMIT = 1500
HEADS = ("reads", "KiB", "writes", "KiB", "flushes", "devices")


def image(folder):
    path = os.path.join(folder, "disk")
    tools = setup.find_xfsprogs("sid")
    subprocess.run([tools + "/mkfs.xfs", "-q", "-d", "file=1,name=%s,size=%s" % (path, SIZE)], check=True)
    return path


DEVICES = {"virtio": ["-device", "virtio-blk-pci,drive=d"], "scsi": ["-device", "virtio-scsi-pci,id=scsi", "-device", "scsi-hd,bus=scsi.0,drive=d"]}


def modules(kernel, bus):
    """{name: (data, mode)}: what a kernel loads before it sees the disk."""
    if kernel == setup.reference_linux():
        return disk.modules("x86_64", disk.OF_DISKS)
    if kernel == bench.vmlinux():
        return {"modules/%s.ko" % n: (rootfs.read("%s/modules/%s.ko" % (build.outdir("x86_64"), n)), 0o644) for n in disk.DRIVERS.get(bus, ())}
    return None


def kept(tools, what, kernel, words, args):
    """What a run said: (the guest's words, the plugin's). Run where it is not kept."""
    filters, blocks = args.filter, args.profile
    words += " ops=" + ",".join(filters).replace(" ", "_") if filters else ""
    extra = modules(kernel, args.disk_bus)
    program, so = bench.program(tools, "x86_64", "disk", extra=extra), bench.plugin(tools)
    if not so:
        raise Fail("this QEMU takes no plugins, which --disk needs")
    argv = bench.machine(tools, "x86_64", kernel, program, words)
    argv[argv.index("shift=0,sleep=off")] = "shift=0,sleep=on"
    key = digest(rootfs.read(kernel), rootfs.read(program), rootfs.read(so), argv, DEVICES[args.disk_bus], SIZE, "%d" % blocks)
    path = os.path.join(bench.OUT, "run-%s.json" % key)
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory(dir=bench.OUT) as folder:
            argv += ["-drive", "if=none,id=d,format=raw,cache=unsafe,file=" + image(folder), *DEVICES[args.disk_bus],
                     "-plugin", "%s,out=%s/rows%s" % (so, folder, ",blocks=on" if blocks else "")]
            run(argv, what, path, folder + "/rows")
    with open(path) as f:
        said = json.load(f)
    return said["text"], said["counts"]


def run(argv, what, path, counts):
    with Progress("Measuring " + what):
        try:
            text = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT).stdout
        except subprocess.TimeoutExpired as e:
            text = e.stdout or b""
    text = text.decode("utf-8", "replace")
    if not re.search(r"^end\r?$", text, re.M):
        raise Fail("%s did not come to the end of it:\n%s" % (what, "\n".join(text.splitlines()[-15:])), 1)
    with open(path + ".new", "w") as f:
        json.dump({"text": text, "counts": rootfs.read(counts).decode()}, f)
    os.rename(path + ".new", path)


def read(text, counts):
    """{operation: {"instructions", "devices", "requests": [reads, sectors, writes, sectors, flushes]}}, each for one."""
    rows, idle, runs = bench.read_rows(counts)[0], None, {}
    for m in re.finditer(r"^(?:idle 0\t(\d+)|op (.*)\t(\d+)\t0\t0\t(\d+)|disk (.*)\t(\d+)((?:\t-?\d+){5}))\r?$", text, re.M):
        if m[1]:
            idle = dict(zip(bench.COUNTERS, rows[int(m[1])]))
        elif m[2]:
            now = dict(zip(bench.COUNTERS, rows[int(m[4])]))
            one = {"instructions": sum(now[k] - idle[k] for k in ("kernel", "user")) / int(m[3]),
                   "devices": (now["device accesses"] - idle["device accesses"]) / int(m[3])}
            runs.setdefault(m[2], []).append(one)
        else:
            runs[m[5]][-1]["requests"] = [int(v) / int(m[6]) for v in m[7].split()]
    return {op: sorted(r, key=lambda one: one["instructions"])[len(r) // 2] for op, r in runs.items()}


def cells(op):
    reads, read_sectors, writes, written, flushes = op["requests"]
    return [reads, read_sectors / 2, writes, written / 2, flushes, op["devices"]]


def show(mine, theirs, name):
    lines = ["%-34s %10s%s" % ("instructions for one", "Ochre", " %12s %6s" % (name, "ratio") if name else "") + "".join("%16s" % h for h in HEADS)]
    ratios = {}
    for op, one in mine.items():
        line, other = "%-34s %10.0f" % (op, one["instructions"]), theirs.get(op)
        if other:
            ratios[op] = one["instructions"] / other["instructions"]
            line += " %12.0f %6.2f" % (other["instructions"], ratios[op])
        lines.append(line + "".join("%16s" % ("%.3g" % a + ("/%.3g" % b if other else "")) for a, b in zip(cells(one), cells(other or one))))
    if ratios:
        lines.append("%d operations, geometric mean %.3f, above 1: %d" % (len(ratios), bench_show.mean(ratios.values()), sum(r > 1 for r in ratios.values())))
    return lines, ratios


def measure(tools, args, other):
    """What --disk does."""
    sides = [("Ochre", bench.vmlinux(), os.path.join(build.outdir("x86_64"), "vmlinux"), "mitigations=off")]
    if other:
        sides.append((other[0], other[1], other[1], "mitigations=off " + other[2]))
    said = [kept(tools, what, kernel, words, args) for what, kernel, _, words in sides]
    if args.profile:
        tables = [bench_profile.read(text, counts, bench_profile.symbols(tools, elf)) for (text, counts), (_, _, elf, _) in zip(said, sides)]
        print("\n".join(bench_profile.show(tables[0], tables[1] if other else {}, other[0] if other else "")))
        return 0
    found = [read(text, counts) for text, counts in said]
    lines, ratios = show(found[0], found[1] if other else {}, other[0] if other else None)
    print("\n".join(lines))
    with open(os.path.join(bench.OUT, "disk.json"), "w") as f:
        json.dump({side[0]: table for side, table in zip(sides, found)}, f, indent=1)
        f.write("\n")
    if ratios:
        with open(os.path.join(bench.OUT, "disk.svg"), "w") as f:
            f.write(bench_show.chart(ratios, other[0]))
    print("written: %s/disk.json%s" % (rel(bench.OUT), ", disk.svg" if ratios else ""))
    return 0
