# SPDX-License-Identifier: MIT
"""From what a kernel said when it broke to a report that is complete: what, where, how to make it happen, how bad, since when."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

from . import build, fuzz, fuzz_corpus, fuzz_vm, oops, report, setup
from .util import BUILD, Fail, Progress, ROOT, awake, output, rel

OUT = os.path.join(BUILD, "triage")
MOST = 64 << 20         # of an input
BOOT = 90               # seconds that a machine has to say anything, in all for one try

# By docs/threat-model.md: what a kind of report means where an unprivileged program brings it about.
HARM = [
    (re.compile(r"KASAN: (use-after-free|.*out-of-bounds|double-free|invalid-free|wild)"), "memory corruption", "may give its program the kernel's rights"),
    (re.compile(r"KASAN"), "memory corruption", "reads or writes memory that it should not"),
    (re.compile(r"memory leak"), "denial of service", "uses up memory that never comes back"),
    (re.compile(r"hang|hung|lockup|lock order|deadlock"), "denial of service", "stops the machine or part of it"),
    (re.compile(r"UBSAN: (shift|array|index|out)"), "undefined behaviour", "is undefined: read as memory corruption until what the release build does is shown"),
    (re.compile(r"UBSAN"), "undefined behaviour", "is undefined: what the release build does then is not known"),
    (re.compile(r"fault|oops|BUG|panic"), "denial of service", "kills the task with its locks held, or the machine"),
]


# --- reading ---

class Input:
    """What was handed in: the console's text, programs, and what else was said."""

    def __init__(self, path):
        self.path, self.programs, self.facts, texts = path, [], {}, []
        def plain(pattern):
            """Files of a folder that somebody sent: no links out of it, nothing that does not end."""
            return [p for p in sorted(glob.glob(os.path.join(glob.escape(path), pattern))) if os.path.isfile(p) and not os.path.islink(p)]
        if path == "-":
            texts.append(sys.stdin.buffer.read(MOST).decode(errors="replace"))
        elif os.path.isdir(path):
            for p in plain("console*.log"):
                texts.append(read_file(p))
            for p in plain("program*.txt"):
                self.programs += fuzz_corpus.split(report.clean(read_file(p)))
            for p in plain("info.json"):
                self.facts = as_json(read_file(p)) or {}
            if not texts and not self.programs:
                raise Fail("%s: neither console*.log nor program*.txt in this folder" % rel(path))
        else:
            texts.append(read_file(path))
        parsed = as_json(texts[0]) if texts and texts[0].lstrip().startswith("{") else None
        if parsed:
            texts = [str(parsed.get("console", ""))]
            self.programs += fuzz_corpus.split(report.clean(str(parsed.get("program", ""))))
            self.facts = {k: v for k, v in parsed.items() if isinstance(v, (str, int)) and k not in ("console", "program")}
        self.texts = texts
        if not self.programs and texts and re.match(r"@(user|root)\n", texts[0]):
            self.programs, self.texts = fuzz_corpus.split(report.clean(texts[0])), []


def read_file(path):
    try:
        with open(path, "rb") as f:
            return f.read(MOST).decode(errors="replace")
    except OSError as e:
        raise Fail("%s: %s" % (path, e.strerror))


def as_json(text):
    try:
        d = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return d if isinstance(d, dict) else None


def names_fit(text, vmlinux, tools):
    """Whether a log is of this kernel: its addresses have the names that it says they have."""
    pairs = re.findall(r"\[<(ffff[0-9a-f]{12})>\] ([A-Za-z_]\w*)[\w.]*\+0x", text)[:20]
    if not pairs or not os.path.exists(vmlinux) or re.search(r"(?:Kernel Offset|KASLR offset|kaslr offset)", text, re.I):
        return bool(pairs)
    r = subprocess.run([tools["symbolizer"], "--obj=" + vmlinux, "--functions=linkage", "--no-inlines", "--output-style=JSON"],
                       input="".join("0x%x\n" % (int(a, 16) - 1) for a, _ in pairs), capture_output=True, text=True)
    good = 0
    for (_, name), line in zip(pairs, r.stdout.splitlines()):
        d = as_json(line) or {}
        good += any(name in (f.get("FunctionName") or "") for f in d.get("Symbol", []))
    return good * 2 > len(pairs)


# --- running ---

def memory_of(facts):
    """What the machine had that found it; nothing else that a stranger's file says."""
    return fuzz_vm.LITTLE if facts.get("memory") == fuzz_vm.LITTLE else fuzz_vm.MEMORY


def memory_said(memory):
    return memory + (" of memory, of which %d KiB are free" % fuzz_vm.FREE if memory == fuzz_vm.LITTLE else " of memory")


class Lab:
    """Runs programs on the debug kernel and says what reports come."""

    def __init__(self, tools, append="", memory=fuzz_vm.MEMORY):
        self.tools, self.append, self.memory = tools, append, memory
        self.vmlinux, self.binary, self.tool = fuzz.binaries(tools)
        self.dir = OUT
        os.makedirs(self.dir, exist_ok=True)

    def boot(self, args, files, deadline=BOOT):
        """(reports, what was running, the console's text); a hang is a report of its own."""
        path = os.path.join(self.dir, "lab.cpio")
        fuzz_vm.initrd(path, self.binary, args, files=files, memory=self.memory)
        m = fuzz_vm.Machine(self.tools, 90, self.vmlinux, path, cpus=2, memory=self.memory, append=self.append)
        hung, scan = False, oops.Scan(report.START)
        try:
            end = awake() + deadline
            settle = None
            while not m.dead():
                m.step()
                now = awake()
                if m.ended is not None or (settle and now > settle):
                    break
                if not settle and scan.found(m.console):
                    settle = now + 2
                if now > end:
                    hung = True
                    break
            m.step(0)
            text = report.clean(m.console.decode(errors="replace"))
            found = report.read(text, self.vmlinux, self.tools)
            if not found and hung:
                found = [report.Report(["hang: the kernel says nothing, its program does not end"])]
            return found, [p for _, p in m.last_programs()], text
        finally:
            m.stop()

    def run(self, programs, times=1):
        """Runs programs one after another in one machine. (reports, the program that it was)"""
        data = "".join(programs).encode()
        found, last, text = self.boot(["run", "-n", str(times), "/programs"], [("programs", data)], BOOT + len(programs) * times // 10)
        return found, last[0] if found and last else None, text


def same(found, wanted):
    return any(r.fingerprint == wanted for r in found) if wanted else bool(found)


def reproduce(lab, programs, wanted, times):
    """The program (or all of them in a row) that brings WANTED about, with how often of TIMES; None."""
    for candidate in [[p] for p in programs] + ([programs] if len(programs) > 1 else []):
        found, _, text = lab.run(candidate, 20)
        if same(found, wanted):
            often = 1
            for _ in range(times - 1):
                often += same(lab.run(candidate, 20)[0], wanted)
            return candidate, often, [r for r in found if not wanted or r.fingerprint == wanted][0], text
    return None


def smaller(program):
    """Programs with a little less in them: fewer calls first, then fewer threads and injected failures."""
    head, *lines = program.splitlines()
    out = []
    size = len(lines) // 2
    while size >= 1:
        for at in range(0, len(lines), size):
            rest = lines[:at] + lines[at + size:]
            if rest:
                out.append("\n".join([head] + rest) + "\n")
        size //= 2
    for i, line in enumerate(lines):
        for simpler in (re.sub(r" fail=\d+$", "", line), re.sub(r"^~ ", "", line), re.sub(r"^(~ )?t\d ", r"\1", line)):
            if simpler != line:
                out.append("\n".join([head] + lines[:i] + [simpler] + lines[i + 1:]) + "\n")
    if head == "@root":
        out.append("\n".join(["@user"] + lines) + "\n")
    seen = set()
    return [p for p in out if not (p in seen or seen.add(p))]


def minimise(lab, program, wanted, until):
    """One machine tries many: what ran last when the kernel broke is the next to be made smaller."""
    while awake() < until:
        candidates = smaller(program)
        next_one = None
        while candidates and awake() < until and not next_one:
            found, last, _ = lab.run(candidates, 3)
            if not found:
                break
            at = next((i for i, c in enumerate(candidates) if last and c.strip() == last.strip()), None)
            if same(found, wanted) and at is not None and same(lab.run([candidates[at]], 20)[0], wanted):
                next_one = candidates[at]
            candidates = candidates[(at if at is not None else 0) + 1:]
        if not next_one:
            break
        program = next_one
    return normal(lab, program)


def normal(lab, program):
    """As the tool prints it: results are numbered by their calls."""
    path = os.path.join(lab.dir, "one.txt")
    with open(path, "w") as f:
        f.write(program)
    r = subprocess.run([lab.tool, "split", path], capture_output=True, text=True)
    return r.stdout


def c_program(lab, program, title, wanted):
    """(C source, whether it compiles and brings it about too)"""
    path = os.path.join(lab.dir, "program.txt")
    with open(path, "w") as f:
        f.write(program)
    text = subprocess.run([lab.tool, "c", title, "200", path], capture_output=True, text=True).stdout
    source, binary = os.path.join(lab.dir, "repro.c"), os.path.join(lab.dir, "repro")
    with open(source, "w") as f:
        f.write(text)
    r = subprocess.run([lab.tools["musl_gcc"], "-static", "-O1", "-w", "-pthread", source, "-o", binary], capture_output=True)
    if r.returncode:
        return text, False
    with open(binary, "rb") as f:
        found, _, _ = lab.boot(["exec", "/repro"], [("repro", f.read())])
    return text, same(found, wanted)


# --- judging ---

def judge(r, program):
    who = None
    if program:
        who = "any user" if program.startswith("@user") else "root of a user namespace, which any user can be"
    for pattern, kind, harm in HARM:
        if pattern.search(r.kind):
            if who:
                return {"security": kind != "undefined behaviour" or "memory corruption" in harm, "class": kind,
                        "why": "%s brings it about, and it %s (docs/threat-model.md)" % (who, harm)}
            return {"security": None, "class": kind, "why": "it %s; who can bring it about is not known without a reproducer" % harm}
    return {"security": False, "class": "warning", "why": "a check of the kernel failed and it went on"}


def bisect(good, program, wanted, tools, append, memory):
    """The first commit since GOOD that breaks: each is built and tried in a worktree of its own."""
    tree = os.path.join(OUT, "tree")
    git = ["git", "-C", ROOT]
    if subprocess.run(git + ["rev-parse", "-q", "--verify", good + "^{commit}"], capture_output=True).returncode:
        raise Fail("--bisect %s: no such commit" % good)
    subprocess.run(git + ["worktree", "remove", "--force", tree], capture_output=True)
    commits = output(git + ["rev-list", "--reverse", "--first-parent", good + "..HEAD"]).split()
    if not commits:
        raise Fail("--bisect %s: no commits between it and this tree" % good)
    subprocess.run(git + ["worktree", "add", "-q", "--detach", tree, "HEAD"], check=True)
    try:
        os.makedirs(os.path.join(tree, "build"), exist_ok=True)
        os.symlink(os.path.join(BUILD, "host"), os.path.join(tree, "build", "host"))
        lab = Lab(tools, append, memory)
        lo, hi = 0, len(commits) - 1       # commits[hi] is bad
        while lo < hi:
            mid = (lo + hi) // 2
            subprocess.run(["git", "-C", tree, "checkout", "-q", "--detach", commits[mid]], check=True)
            r = subprocess.run([tools["make"], "-C", tree, "-j%d" % (os.cpu_count() or 2), "--no-print-directory", "O=build/x86_64-debug", "DEBUG=1"],
                               capture_output=True, text=True)
            if r.returncode:
                raise Fail("%s does not build: bisection ends between it and %s" % (commits[mid][:12], commits[hi][:12]), 1)
            lab.vmlinux = os.path.join(tree, "build", "x86_64-debug", "vmlinux")
            if same(lab.run(program, 20)[0], wanted):
                hi = mid
            else:
                lo = mid + 1
        return output(git + ["log", "-1", "--format=%h %s", commits[hi]]).strip()
    finally:
        subprocess.run(git + ["worktree", "remove", "--force", tree], capture_output=True)


# --- writing ---

def as_text(d):
    o = [d["title"], "=" * len(d["title"]), "", "Fingerprint: " + d["fingerprint"], "Version: " + d["version"],
         "Seen: %d times in what was handed in" % d["seen"]]
    if d.get("reproduced"):
        o.append("Reproduces: %s on this version" % d["reproduced"])
    if d.get("first_bad"):
        o.append("First bad commit: " + d["first_bad"])
    o += ["Where: " + (d["where"] or "not known"), "Room: " + (d["room"] or "not known"), "",
          "Conditions", "----------", d["conditions"], "",
          "Why it is the kernel's fault", "----------------------------", d["why"], "",
          "Security", "--------", {True: "A security bug", False: "Not a security bug by itself", None: "Not known"}[d["security"]] + ": " + d["class"] + ". " + d["harm"] + ".", "",
          "Report", "------", d["report"].rstrip(), ""]
    if d.get("program"):
        o += ["Reproducer", "----------", d["program"].rstrip(), ""]
        o += ["As C: repro.c%s" % ("" if d.get("c_reproduces") else " (the C program was not seen to bring it about; the text above was)"), ""]
    else:
        o += ["Reproducer", "----------", "None: nothing that was handed in brings it about here.", ""]
    return "\n".join(o)


def write(path, d, c_source):
    os.makedirs(path, exist_ok=True)
    for name, text in (("report.txt", as_text(d)), ("report.json", json.dumps(d, indent=1) + "\n"), ("repro.c", c_source), ("repro.txt", d.get("program"))):
        if text:
            with open(os.path.join(path, name + ".new"), "w") as f:
                f.write(text)
            os.rename(os.path.join(path, name + ".new"), os.path.join(path, name))


WHY = {"KASAN": "The address sanitizer saw the kernel touch memory that is not its to touch.",
       "UBSAN": "The kernel computed something that C does not define.",
       "lock": "The lock checker saw an order of locks that can deadlock.",
       "hang": "A program of system calls must not keep the kernel from answering.",
       "hung": "A task waits for ever in the kernel."}


def cmd_triage(args):
    if args.check:
        return cmd_check(args)
    if not args.input:
        raise Fail("nothing to triage: name a console's log, a crash folder of ./ochre fuzz, a report, or - (see ./ochre triage --help)")
    inputs = [Input(p) for p in args.input]
    tools = setup.ensure(["x86_64"])
    if not args.no_run:
        setup.need(["g++"], os.path.join(BUILD, "fuzz", "setup.log"))
    lab = None if args.no_run else Lab(tools, args.append)
    vmlinux = os.path.join(build.outdir("x86_64", True), "vmlinux")
    kinds = {}          # fingerprint -> [report, times, input]
    for i in inputs:
        for text in i.texts:
            fits = names_fit(text, vmlinux, tools)
            found = report.read(text, vmlinux if fits else None, tools if fits else None)
            for r in found[:1] if os.path.isdir(i.path) else found:
                kinds.setdefault(r.fingerprint, [r, 0, i])[1] += 1
        if not i.texts and i.programs:
            kinds.setdefault(None, [None, 1, i])
    if not kinds:
        raise Fail("no report of a detector in %s: nothing to triage" % ", ".join(rel(p) if p != "-" else "the input" for p in args.input), 1)
    for mark, (r, seen, i) in kinds.items():
        until = awake() + args.minutes * 60
        program = c_source = None
        d = {"reproduced": None, "program": None, "c_reproduces": False, "first_bad": None}
        if lab and i.programs:
            lab.memory = memory_of(i.facts)
            with Progress("Reproducing"):
                hit = reproduce(lab, i.programs, mark, args.times)
            if hit:
                programs, often, r, _ = hit
                mark = r.fingerprint
                d["reproduced"] = "%d of %d boots" % (often, args.times)
                if len(programs) == 1:
                    with Progress("Minimising"):
                        program = minimise(lab, programs[0], mark, until)
                else:
                    program = "".join(programs)
                with Progress("Writing C"):
                    c_source, d["c_reproduces"] = c_program(lab, program, r.title, mark)
                if args.bisect:
                    with Progress("Bisecting"):
                        d["first_bad"] = bisect(args.bisect, [program], mark, tools, args.append, lab.memory)
        if r is None:
            print("%s: none of its programs brings anything about here" % rel(i.path))
            continue
        verdict = judge(r, program)
        where = r.where[0] if r.where else None
        d.update(title=r.title, fingerprint=r.fingerprint, seen=seen, version=fuzz_corpus.commit_of_tree() + " (debug build, x86_64)",
                 where="%s (%s:%d)" % where if where and where[1] else where[0] if where else None, room=r.room(),
                 conditions=("The program below, by %s; 2 CPUs, %s." % ("an ordinary user" if program and program.startswith("@user") else "root of a user namespace",
                                                                                 memory_said(memory_of(i.facts))))
                 if program else "Not known: no program brought it about.",
                 why=next((t for k, t in WHY.items() if r.kind.startswith(k)), "The kernel's own check failed: no program may bring that about."),
                 security=verdict["security"], harm=verdict["why"], report=r.text, program=program, **{"class": verdict["class"]})
        path = os.path.join(args.out or OUT, r.fingerprint)
        write(path, d, c_source)
        print(as_text(d) if len(kinds) == 1 else d["title"])
        print("written: " + rel(path))
    return 0


# --- checking a report that somebody sends ---

REQUIRED = [
    ("version", re.compile(r"^\s*version:\s*\S+", re.I | re.M), "Version: the commit that you checked it on, which must be today's main"),
    ("reproducer", re.compile(r"^@(user|root)$|#include\s*<|^\s*reproducer\s*:?\s*\S+.{10,}", re.M | re.I), "Reproducer: a C program, or a program of ./ochre fuzz"),
    ("conditions", re.compile(r"^\s*conditions:?\s*(\n\s*[-=]*\s*)?\n?\s*\S+", re.I | re.M), "Conditions: CPUs, memory, options, rights of who runs it"),
    ("why", re.compile(r"^\s*why it is the kernel's fault:?", re.I | re.M), "Why it is the kernel's fault: which rule of the ABI or of docs/threat-model.md is broken"),
    ("report", re.compile(r"Call trace:|" + report.START.pattern), "Report: what the kernel said, with its backtrace"),
]


def cmd_check(args):
    text = report.clean(read_file(args.check))
    d = as_json(text)
    text = "\n".join(" ".join(line[:report.LINE].split()) for line in text.splitlines() if line.strip())
    missing = []
    if d is not None:
        for key, _, what in REQUIRED:
            named = {"reproducer": "program"}.get(key, key)
            if not d.get(named):
                missing.append(what)
        version = str(d.get("version", ""))
    else:
        missing = [what for _, pattern, what in REQUIRED if not pattern.search(text)]
        m = re.search(r"^\s*version:\s*(\S+)", text, re.I | re.M)
        version = m[1] if m else ""
    m = re.match(r"[0-9a-f]{7,40}", version)
    if version:
        head = output(["git", "-C", ROOT, "rev-parse", "HEAD"]).strip()
        full = output(["git", "-C", ROOT, "rev-parse", "-q", "--verify", m[0] + "^{commit}"]).strip() if m else ""
        if not full:
            missing.append("Version: '%s' is no commit of this repository" % version[:40])
        elif full != head:
            behind = output(["git", "-C", ROOT, "rev-list", "--count", full + ".." + head]).strip()
            missing.append("Version: %s is %s commits behind main: check it on %s" % (full[:12], behind or "?", head[:12]))
    if not missing:
        print("complete: everything that docs/security-bugs.md asks for is there")
        return 0
    print("incomplete:")
    for m in missing:
        print("  " + m)
    return 1
