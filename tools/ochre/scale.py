# SPDX-License-Identifier: MIT
"""How the cost of an object grows with how many there are: tests/scale/grow.c is the first program, in the machine that counts instructions as nanoseconds
(bench.py). `./ochre test scale` runs all kinds, `scale/KIND` those so called, each in a machine of its own; with --kernel linux under Linux."""
import os
import re
import subprocess
import time

from . import bench, build, cpio, rootfs
from .util import BUILD, ROOT

RATIO, SECTION, SECOND = 1.5, 100000, 10**9
# A wake-up of the watcher itself, from the interrupt to its reading of the clock.
WAKE = 2000
LIMIT = 560
SOURCE = ROOT + "/tests/scale/grow.c"
ROW = re.compile(r"^scale (\w+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\S+)\r?$", re.M)
HEAD = "%-14s %8s %9s %9s %9s %6s %12s %12s %8s" % ("object", "count", "at 100", "at 10000", "at count", "ratio", "section", "at its end", "SIGKILL")


def kinds():
    return re.findall(r'^\t\{ "(\w+)", \w+, \w+ \},$', rootfs.read(SOURCE).decode(), re.M)


def archive(tools):
    out = os.path.join(BUILD, "test")
    os.makedirs(out, exist_ok=True)
    exe = rootfs.build_user(tools, "grow", out=os.path.join(out, "grow"), sources=[SOURCE], flags=("-Wno-format-truncation",))
    path = os.path.join(out, "grow.cpio")
    with open(path, "wb") as f:
        w = cpio.Writer(f)
        w.dir("dev")
        w.node("dev/console", 0o020000, 5, 1, 0o600)
        w.node("dev/null", 0o020000, 1, 3, 0o666)
        w.file("init", rootfs.read(exe), 0o755)
        w.end()
    return path


def measure(tools, kernel, initrd, words):
    argv = bench.machine(tools, "x86_64", kernel, initrd, words)
    argv[argv.index("-m") + 1] = "4096"
    try:
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT)
        return r.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b"").decode("utf-8", "replace")


def judge(text):
    """(a line of the table, what is wrong with it)."""
    m = ROW.search(text)
    if not m:
        return "", "did not come to an end"
    count, few, some, many, growing, killed, dying = (int(n) for n in m.groups()[1:8])
    many = many or some or few
    ratio = many / max(few, 1)
    wrong = ["it could not begin: " + m[9]] * (not few) + ["%.1f times as dear" % ratio] * (ratio > RATIO)
    wrong += ["%d instructions in a section" % n for n in (growing, dying) if n > SECTION + WAKE]
    wrong += ["%.1f s to die" % (killed / SECOND)] * (killed > SECOND)
    return "%-14s %8d %9d %9d %9d %6.2f %12d %12d %6.0f ms" % (m[1], count, few, some, many, ratio, growing, dying, killed / 1e6), ", ".join(wrong)


def run(runner, result):
    """Adds a result (RESULT makes it) for each kind that is wanted."""
    if not runner.linux and not runner.kernel("x86_64"):
        return
    initrd, kernel = archive(runner.tools), runner.linux or build.image("x86_64")
    print(HEAD)
    for kind in kinds():
        if runner.filters != ["scale"] and not any(f in "scale/" + kind for f in runner.filters):
            continue
        start = time.monotonic()
        text = measure(runner.tools, kernel, initrd, "mitigations=off kinds=" + kind)
        line, wrong = judge(text)
        print(line or "%-14s %s" % (kind, wrong), flush=True)
        runner.add(result("scale/" + kind, "failed" if wrong else "passed", wrong, text[-2000:], time.monotonic() - start, "x86_64"))
