# SPDX-License-Identifier: MIT
"""Reads kernel messages as people want them: the addresses of a backtrace get function, file and line."""
import collections
import json
import os
import re
import subprocess
import sys

from . import build, setup
from .util import Fail, ROOT

DEATH = re.compile(r"Kernel panic|kernel panic|\bOops\b|\boops:|\bBUG: |kernel BUG at|double fault|general protection fault|"
                   r"KASAN: |UBSAN: |lockdep: |triple fault")
PANIC = re.compile(r"Kernel panic|kernel panic|\bpanic: ")
# A return address in a backtrace, or where the CPU was; sparc64's kernel lies low.
PLACE = re.compile(r"\[<((?:ffff|0000)[0-9a-f]{12})>\]|\b(?:RIP|PC|pc|ELR)\s*:\s*(?:[0-9a-f]{4}:)?((?:ffff|0000)[0-9a-f]{12})\b")
NOTE = re.compile(r"^ {8}(?:[^ ]+ )?at [\w./+-]+:\d+$")
OFFSET = re.compile(r"(?:Kernel Offset|KASLR offset|kaslr offset)\s*[:=]\s*(?:0x)?([0-9a-f]+)", re.I)
# A place with its function's name, which says how far the kernel moved where no line does (a report that is no oops).
NAMED = re.compile(r"\[<([0-9a-f]{16})>\] ([\w.$]+)\+0x([0-9a-f]+)/0x")


def slide_of(text, vmlinux, tools):
    """How far from where it was linked the kernel ran."""
    m = OFFSET.search(text)
    if m:
        return int(m[1], 16)
    begins = {(name, int(a, 16) - int(off, 16)) for a, name, off in NAMED.findall(text)}
    if not begins:
        return 0
    r = subprocess.run([tools["nm"], vmlinux], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    linked = collections.defaultdict(set)
    for l in r.stdout.splitlines():
        cells = l.split()
        if len(cells) == 3:
            linked[cells[2]].add(int(cells[0], 16))
    # Functions of one name: all of them, but a kernel moves by whole pages, and mostly not at all where nothing says that it did.
    votes = collections.Counter(a - b for name, a in begins for b in linked[name] if not (a - b) % 4096)
    return max(votes, key=lambda slide: (votes[slide], slide == 0), default=0)


def symbolize(text, vmlinux, tools):
    """The text with ' <function file:line>' lines below each line that has kernel addresses."""
    if not vmlinux or not os.path.exists(vmlinux):
        return text
    slide = slide_of(text, vmlinux, tools)
    lines = [line for line in text.splitlines() if not NOTE.match(line)]      # a text that was read before is not read twice
    wanted = []     # (line number, address)
    for i, line in enumerate(lines):
        m = PLACE.search(line)
        if m and len(wanted) < 500:
            # A return address lies behind its call; where the fault was is meant as it is.
            wanted.append((i, int(m[1] or m[2], 16) - slide - (1 if m[1] else 0)))
    if not wanted:
        return text
    r = subprocess.run([tools["symbolizer"], "--obj=" + vmlinux, "--functions=short", "--inlines", "--output-style=JSON"],
                       input="".join("0x%x\n" % a for _, a in wanted), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    notes = {}
    for (i, _), answer in zip(wanted, r.stdout.splitlines()):
        try:
            frames = json.loads(answer).get("Symbol", [])
        except ValueError:
            continue
        for f in frames:
            if f.get("FileName"):
                name = f["FileName"]
                name = os.path.relpath(name, ROOT) if name.startswith(ROOT + "/") else name.lstrip("./")
                notes.setdefault(i, []).append("        %sat %s:%d" % (f["FunctionName"] + " " if f.get("FunctionName") else "", name, f.get("Line", 0)))
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
    if start and "fault:" in text[text.rfind("\n", 0, start - 1) + 1:start]:
        start = text.rfind("\n", 0, start - 1) + 1      # the line before says what kind of fault it was
    end = text.find("end trace", start)
    if end >= 0:        # the first one tells; what follows are its consequences
        after = PANIC.search(text, end)
        text = text[:text.find("\n", end) + 1] + ((after and text[text.rfind("\n", 0, after.start()) + 1:].split("\n")[0] + "\n") or "")
    return "\n".join(text[start:].replace("\r", "").splitlines()[:lines]) + "\n"


REPORT = re.compile(r"WARNING: |BUG: |kernel BUG at|KASAN: |UBSAN: |LOCKDEP: |\bOops: |blocked for more than|Kernel panic")


class Scan:
    """Looks for reports in a console that grows, each byte once: only what came since, with the end of what was there before."""

    KEEP = 400          # more than what a pattern spans

    def __init__(self, pattern=REPORT):
        self.pattern, self.seen = pattern, 0

    def found(self, console):
        """CONSOLE: all of it, bytes. Where a part was cut out, all that is left is looked at again."""
        if len(console) == self.seen:
            return False
        start = max(self.seen - self.KEEP, 0) if len(console) > self.seen else 0
        self.seen = len(console)
        return bool(self.pattern.search(console[start:].decode(errors="replace")))


def reports(text, vmlinux, tools):
    """What detectors said, each with the lines of its backtrace."""
    out, last = [], None
    for line in symbolize(text.replace("\r", ""), vmlinux, tools).splitlines():
        if REPORT.search(line):
            last = [line]
            out.append(last)
        elif last is not None and len(last) < 40:
            last.append(line)
        if "end trace" in line or "=====" in line and last and len(last) > 2:
            last = None
    return ["\n".join(r) for r in out]


def cmd_symbolize(args):
    tools = setup.load()
    if not tools:
        raise Fail("run ./ochre setup first")
    vmlinux = os.path.join(build.outdir(args.arch, args.debug), "vmlinux")
    if not os.path.exists(vmlinux):
        raise Fail("there is no %s: build it first" % os.path.relpath(vmlinux))
    sys.stdout.write(symbolize(sys.stdin.read(), vmlinux, tools))
    return 0
