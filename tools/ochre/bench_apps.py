# SPDX-License-Identifier: MIT
"""Times whole programs in a Debian root, in pairs with another kernel: bench/apps.sh, boot by boot in turn.

Wall time is the guest's own, of an emulated CPU; the median of the pairs' ratios is what counts, so that a busy host harms little. One more
boot of each, in a machine that counts instructions, gives the kernel's instructions apart from the programs'."""
import json
import os
import re
import statistics
import tempfile

from . import bench, bench_show, debian, qemu, rootfs, run
from .util import Fail, Progress, ROOT, digest, rel

LIMIT = 3000
COMPUTE = ("python", "gzip_text", "xz_text")      # the kernel has little part in these


def root(tools):
    """The Debian of the tests, with the script in it: the archive."""
    base = debian.archive(",".join(rootfs.read(ROOT + "/tests/debian/packages").decode().split()))
    mark = rootfs.build_user(tools, "mark", out=os.path.join(bench.OUT, "mark"), sources=[ROOT + "/bench/mark.c"])
    files = {"bench/apps.sh": (rootfs.read(ROOT + "/bench/apps.sh"), 0o755), "bench/mark": (rootfs.read(mark), 0o755)}
    return rootfs.with_init(base, rootfs.read(rootfs.build_user(tools, "init")), files)


def programs(script):
    """The names that the script runs when it is given none."""
    return re.search(r"\$\{@:-([^}]+)\}", script)[1].split()


def read(text):
    """{program: seconds}; what failed is said."""
    found = {}
    for m in re.finditer(r"^app (\w+) (\d+) (\d+)$", text, re.M):
        if m[3] != "0":
            raise Fail("%s failed with status %s:\n%s" % (m[1], m[3], text[m.end():m.end() + 1000]), 1)
        found[m[1]] = int(m[2]) / 1e6
    return found


def boot(tools, what, kernel, initrd, words, names, extra=()):
    """Boots and runs the programs: {program: seconds}."""
    vm = qemu.Vm(tools, "x86_64", None, 1, run.memory_for(initrd, False) + (1 << 30), extra=extra)
    vm.kernel, vm.initrd, vm.ours = kernel, initrd, False
    vm.append = "console=ttyS0 panic=-1 quiet mitigations=off OCHRE=host:/dev/ttyS1 rdinit=/%s %s" % (rootfs.INIT_AT, words)
    with tempfile.TemporaryFile() as out, Progress(what):
        s = run.Session(vm, ["/bin/bash", "/bench/apps.sh"] + names, timeout=LIMIT, stdin=None, stdout=out.fileno(), stderr=out.fileno())
        status = s.command()
        out.seek(0)
        text = out.read().decode("utf-8", "replace").replace("\r", "")
    found = read(text)
    if status or len(found) < 2:
        raise Fail("%s: ended with status %d:\n%s" % (what, status, text[-2000:]), 1)
    return found


def counts(tools, what, kernel, initrd, words, names):
    """{program: {"kernel": instructions, "user": ...}}, of a machine that counts them."""
    so = bench.plugin(tools)
    if not so:
        return {}
    key = digest(rootfs.read(kernel), os.path.basename(initrd), rootfs.read(ROOT + "/bench/apps.sh"), so, words, *names)
    path = os.path.join(bench.OUT, "apps-%s.json" % key)
    if not os.path.exists(path):
        found = boot(tools, what, kernel, initrd, words, names,
                     ["-icount", "shift=0,sleep=off", "-seed", "1", "-plugin", "%s,out=%s.rows" % (so, path)])
        rows = bench.read_rows(rootfs.read(path + ".rows").decode())[0]
        if len(rows) != len(found):
            raise Fail("the plugin saw %d programs of %d" % (len(rows), len(found)), 1)
        kept = {name: {k: a - b for k, a, b in zip(bench.COUNTERS, row, rows[0])} for name, row in zip(found, rows)}
        with open(path + ".new", "w") as f:
            json.dump(kept, f)
        os.rename(path + ".new", path)
    with open(path) as f:
        return json.load(f)


def ratio(a, b):
    return a / b if b else float("nan")


def table(times, seen, peer):
    """times: {kernel: [{program: seconds} of a boot]}, seen: {kernel: {program: counts}}."""
    mine, theirs = times["ochre"], times.get("peer")
    lines = ["%-12s %10s %10s %8s %26s %26s" % ("seconds", "Ochre", peer[:10] if peer else "", "ratio" if peer else "",
                                                "kernel, 10^6 instructions", "user, 10^6 instructions")]
    ratios = {}
    for name in [n for n in mine[0] if n != "nothing"]:
        row = "%-12s %10.2f" % (name, statistics.median(t[name] for t in mine))
        if theirs:
            ratios[name] = statistics.median(ratio(a[name], b[name]) for a, b in zip(mine, theirs))
            row += " %10.2f %8.2f" % (statistics.median(t[name] for t in theirs), ratios[name])
        for kind in ("kernel", "user") if name in seen.get("ochre", {}) else ():
            n = [seen[k][name][kind] / 1e6 for k in ("ochre", "peer") if k in seen]
            row += "%27s" % (" / ".join("%.1f" % x for x in n) + (" = %.2f" % ratio(*n) if len(n) == 2 else ""))
        lines.append(row)
    for what, part in (("the kernel's work", [r for n, r in ratios.items() if n not in COMPUTE]),
                       ("the programs' own", [r for n, r in ratios.items() if n in COMPUTE])):
        if part:
            lines.append("%s: geometric mean %.3f, worst %.2f" % (what, bench_show.mean(part), max(part)))
    return lines, ratios


def apps(tools, args, other):
    """What --apps does."""
    if args.pairs < 1:
        raise Fail("--pairs takes a number from 1 on")
    known = programs(rootfs.read(ROOT + "/bench/apps.sh").decode())
    for name in args.filter:
        if name not in known:
            raise Fail("no program of --apps is called '%s': there are %s" % (name, ", ".join(known)))
    kernels = [("ochre", "Ochre", bench.vmlinux(), "")]
    if other:
        kernels.append(("peer",) + other)
    initrd = root(tools)
    times = {k[0]: [] for k in kernels}
    for i in range(args.pairs):
        for key, name, kernel, words in kernels if i % 2 == 0 else kernels[::-1]:
            times[key].append(boot(tools, "Programs under %s, %d of %d" % (name, i + 1, args.pairs), kernel, initrd, words, args.filter))
    seen = {key: counts(tools, "Counting under " + name, kernel, initrd, words, args.filter) for key, name, kernel, words in kernels}
    lines, ratios = table(times, seen, kernels[-1][1] if other else None)
    print("\n".join(lines))
    path = os.path.join(bench.OUT, "apps.json")
    with open(path, "w") as f:
        json.dump({"unit": "seconds", "peer": args.against, "times": times, "ratios": ratios, "counts": seen}, f, indent=1)
        f.write("\n")
    print("written: " + rel(path))
    return 0
