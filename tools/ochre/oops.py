# SPDX-License-Identifier: MIT
"""Reads kernel messages as people want them: the addresses of a backtrace get function, file and line."""
import os
import re
import subprocess
import sys

from . import build, setup
from .util import Fail

DEATH = re.compile(r"Kernel panic|kernel panic|\bOops\b|\boops:|\bBUG: |kernel BUG at|double fault|general protection fault|"
                   r"KASAN: |UBSAN: |lockdep: |triple fault")
PANIC = re.compile(r"Kernel panic|kernel panic|\bpanic: ")
ADDRESS = re.compile(r"(?<![0-9a-fA-F])(?:0x)?(ffffffff[89a-f][0-9a-f]{7})(?![0-9a-f])")
OFFSET = re.compile(r"(?:Kernel Offset|KASLR offset|kaslr offset)\s*[:=]\s*(?:0x)?([0-9a-f]+)", re.I)


def symbolize(text, vmlinux, tools):
    """The text with ' <function file:line>' lines below each line that has kernel addresses."""
    if not vmlinux or not os.path.exists(vmlinux):
        return text
    m = OFFSET.search(text)
    slide = int(m[1], 16) if m else 0
    lines = text.splitlines()
    wanted = []     # (line number, address)
    for i, line in enumerate(lines):
        for m in ADDRESS.finditer(line):
            at = int(m[1], 16) - slide
            # A return address lies behind its call; where the fault was, and what registers hold, is meant as it is.
            wanted.append((i, at if re.search(r"\b(RIP|PC|pc|rip)\b", line) else at - 1, len(ADDRESS.findall(line))))
    wanted = [(i, a) for i, a, n in wanted if n <= 2][:400]
    if not wanted:
        return text
    r = subprocess.run([tools["symbolizer"], "--obj=" + vmlinux, "--functions=short", "--relativenames", "--output-style=GNU",
                        "--inlines", "--pretty-print"], input="".join("0x%x\n\n" % a for _, a in wanted),
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    blocks, cur = [], []
    for l in r.stdout.splitlines():
        if l.strip().startswith("??") and not cur or l.strip():
            cur.append(l.strip())
        elif cur:
            blocks.append(cur)
            cur = []
    if cur:
        blocks.append(cur)
    notes = {}
    it = iter(blocks)
    for i, _ in wanted:
        for l in next(it, []):
            if "??" not in l:
                notes.setdefault(i, []).append("        " + l.replace("(inlined by)", "inlined by"))
    out = []
    for i, line in enumerate(lines):
        out.append(line)
        out += notes.get(i, [])
    return "\n".join(out) + "\n"


def death(text, lines=80):
    """The part of the console's text that says how the kernel died; '' where it does not say."""
    m = DEATH.search(text)
    if not m:
        return ""
    start = text.rfind("\n", 0, m.start()) + 1
    return "\n".join(text[start:].replace("\r", "").splitlines()[:lines]) + "\n"


def cmd_symbolize(args):
    tools = setup.load()
    if not tools:
        raise Fail("run ./ochre setup first")
    vmlinux = os.path.join(build.outdir(args.arch, args.debug), "vmlinux")
    if not os.path.exists(vmlinux):
        raise Fail("there is no %s: build it first" % os.path.relpath(vmlinux))
    sys.stdout.write(symbolize(sys.stdin.read(), vmlinux, tools))
    return 0
