# SPDX-License-Identifier: MIT
"""Reads what a kernel's detectors said on its console: of what kind, where, and whether two are the same."""
import hashlib
import re

from . import oops

# What stands in a backtrace because something is reported, not because it went wrong there.
SILENT = re.compile(
    r"^(dump_stack|show_stack|stack_trace\w*|arch_stack_walk\w*|print_\w+|vpr\w*|printk\w*|__warn\w*|warn_\w+|report_\w+|oops\w*|die\w*|panic\w*|bug_\w+"
    r"|kasan_\w+|__asan_\w+|__kasan\w*|__ubsan\w*|ubsan_\w+|handle_overflow|lockdep_\w+|lock_acquire|lock_release|might_sleep|__might_sleep"
    r"|trap_\w+|handle_(trap|fault|exception)\w*|page_fault\w*|do_page_fault|exc_\w+|asm_\w+|ret_from\w*|entry_\w+|syscall_entry\w*|syscall_call|"
    r"memcpy|memset|memmove|__memcpy|__memset|strlen|kernel_fault\w*|fault_\w+|check_region\w*|plant_\w*|__sanitizer\w*|write_comp\w*|kcov_\w+)$")
DETECTOR = re.compile(r"^(kernel/(ubsan|panic|lockdep|print\w*|bug)\.c|alloc/k(asan|memleak)\w*\.c|arch/\w+/(alloc_kasan|sched_trap|sched_stacktrace|mm_fault)\w*\.c"
                      r"|lib/string\.c)$")
KINDS = [
    (re.compile(r"KASAN: ([\w-]+)"), lambda m: "KASAN: " + m[1]),
    (re.compile(r"UBSAN: ([\w -]+?)(?: in |$)"), lambda m: "UBSAN: " + m[1].strip()),
    (re.compile(r"LOCKDEP: ([^:]+)"), lambda m: "lock order: " + m[1].strip()),
    (re.compile(r"fault: (null pointer|[\w -]+?):"), lambda m: "fault: " + m[1]),
    (re.compile(r"\bOops: ([\w -]+)"), lambda m: "oops: " + m[1].strip()),
    (re.compile(r"blocked for more than"), lambda m: "hung task"),
    (re.compile(r"soft lockup"), lambda m: "soft lockup"),
    (re.compile(r"kernel BUG at"), lambda m: "BUG"),
    (re.compile(r"BUG: ([^\n]+)"), lambda m: "BUG: " + re.sub(r"[0-9a-fx]{6,}|\d+", "N", m[1]).strip()[:60]),
    (re.compile(r"WARNING: ([^\n]*)"), lambda m: "warning"),
    (re.compile(r"Kernel panic[^:]*: ([^\n]+)"), lambda m: "panic: " + re.sub(r"\d+", "N", m[1]).strip()[:60]),
    (re.compile(r"unreferenced object"), lambda m: "memory leak"),
]
START = re.compile(r"WARNING: |BUG: |kernel BUG at|KASAN: |UBSAN: |LOCKDEP: |\bOops: |fault: \w[^\n]{0,80}kernel |blocked for more than|Kernel panic|unreferenced object")
NAMED = re.compile(r"(?:\[<[0-9a-f]+>\]|RIP: [0-9a-f:]*|pc ?:)\s*([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+")
PLACED = re.compile(r"^ {8}(?:([\w.<>:$]+) )?at ([\w./+-]+):(\d+)$")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LIMIT = 16 << 20        # of a log; more is cut, the end kept
LINE = 2000             # of a line: patterns are looked for in it


def clean(text):
    """A console's text without what a terminal would obey."""
    if len(text) > LIMIT:
        text = text[-LIMIT:]
    return ESCAPES.sub("", text.replace("\r", "")).encode(errors="replace").decode()      # half a character pair cannot be printed


class Report:
    """One report: kind, frames [(function, file or None, line)], text."""

    def __init__(self, lines):
        self.text = "\n".join(lines) + "\n"
        self.kind = next((name(m) for pattern, name in KINDS for m in [pattern.search(self.text)] if m), "report")
        self.frames = []
        pending = None
        for line in lines:
            named, placed = NAMED.search(line), PLACED.match(line)
            if placed:
                function = placed[1] or pending
                if not function:        # a register: the backtrace names the place again
                    continue
                self.frames.append((function or "?", placed[2], int(placed[3])))
                pending = None
            else:
                if pending:
                    self.frames.append((pending, None, 0))
                pending = named[1] if named else None
        if pending:
            self.frames.append((pending, None, 0))
        told = [f for f in self.frames if not SILENT.match(f[0].split(".")[0]) and not (f[1] and DETECTOR.match(f[1]))]
        self.where = told[:3] or self.frames[:3]
        self.title = self.kind + (" in " + self.where[0][0] if self.where else "")
        self.fingerprint = hashlib.sha256("\n".join([self.kind] + [f[0].split(".")[0] for f in self.where]).encode()).hexdigest()[:16]

    def room(self):
        for _, path, _ in self.where:
            if path and "/" in path:
                return path.split("/")[0]
        return None


def read(text, vmlinux=None, tools=None):
    """All reports of a console's text."""
    text = re.sub(r"(.{%d}).+" % LINE, r"\1", clean(text))
    if vmlinux and tools:
        text = oops.symbolize(text, vmlinux, tools)
    groups, last = [], None
    for line in text.splitlines():
        if START.search(line) and (last is None or len(last) > 12 or "fault:" not in last[0]):
            last = [line]
            groups.append(last)
        elif last is not None and len(last) < 120:
            last.append(line)
            if "end trace" in line:
                last = None
    # That a report ends the machine is no other one.
    return [Report(g) for i, g in enumerate(groups) if not i or not re.search(r"Kernel panic[^:]*: (panic_on_warn set|Fatal exception)", g[0])]
