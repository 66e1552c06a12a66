# SPDX-License-Identifier: MIT
"""Static analysis: ./ochre analyze, docs/static-analysis.md.

A tool looks at one file at a time, as the build compiles it, or at the tree as a whole. What it says becomes findings; one that is not in
tools/analyze/accepted.toml is new, and a new one of a gating tool is a failure. What a tool said of a file is kept under build/analyze by
the hash of the preprocessed source, the tool's version and its arguments."""
import collections
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
import tomllib

from . import arches, build, capabilities, setup, soundness
from .util import ARCHES, BUILD, Fail, HOST, Progress, ROOT, digest, locked, output, rel, write_if_changed

CPUS = [a for a in ARCHES if not arches.ALL[a].gcc]     # the tools are LLVM's, or read what its compiler takes
ACCEPTED = os.path.join(ROOT, "tools/analyze/accepted.toml")
OUT = os.path.join(BUILD, "analyze")
REVISION = 1        # raise when what a tool is asked, or how its words are read, changes
UNIT_LIMIT = 600    # seconds for one file

Finding = collections.namedtuple("Finding", "tool check file line function message text")
GCC_STYLE = re.compile(r"^([^\s:][^:\n]*):(\d+):(?:(\d+):)? (error|warning): (.*)$")


def key(f):
    """What stays the same of a finding when lines move: no line numbers, no numbers in the words."""
    return f.tool, f.check, f.file, f.function, re.sub(r"\b(0x[0-9a-f]+|\d+)\b", "N", f.message)


# --- the files, and how they are compiled ---

class Unit:
    """A C file and the compiler's arguments for it."""

    def __init__(self, arch, file, argv):
        self.arch, self.file = arch, file
        skip = {"-MMD", "-MP", "-Werror", "-c", file}
        out = argv.index("-o")
        self.flags = [a for i, a in enumerate(argv[1:], 1) if a not in skip and i not in (out, out + 1)]
        self.cc = argv[0]

    def gcc_flags(self, keep=lambda f: False):
        """Those that only say what the source is: for tools that are no clang."""
        flags, r = iter(self.flags), []
        for f in flags:
            if f == "-Xclang":
                next(flags)
            elif f in ("-isystem", "-include"):
                r += [f, next(flags)]
            elif f.startswith(("-I", "-D", "-std", "-nostdinc")) or f == "-ffreestanding" or keep(f):
                r.append(f)
        return r


def units(tools, arch):
    argv = build.make_argv(tools, arch, False, False, False, [])
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "CC", "LD")}
    gen = os.path.relpath(build.outdir(arch), ROOT) + "/gen/abi.stamp"
    r = subprocess.run(argv + ["-s", gen], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    if r.returncode:
        raise Fail("the build's generated headers cannot be made: %s" % (r.stdout.strip().splitlines() or ["?"])[-1])
    text = subprocess.run(argv + ["-s", "commands"], stdout=subprocess.PIPE, text=True, env=env).stdout
    found = []
    for line in text.splitlines():
        if " -c " in line:
            a = shlex.split(line)
            src = a[a.index("-c") + 1]
            if src.endswith(".c") and not src.startswith("build/") and "/vdso/" not in src and (arch == "x86_64" or src.startswith("arch/%s/" % arch)):
                found.append(Unit(arch, src, a))
    return found


class Sources:
    """Contents of files as hashes, each read once; a file's preprocessed text as one, asked for only where what it includes has changed."""

    def __init__(self, base=ROOT):
        self.base, self.hashes, self.lock = base, {}, threading.Lock()
        self.dir = OUT + "/pre"

    def content(self, path):
        h = self.hashes.get(path)
        if h is None:
            try:
                with open(os.path.join(self.base, path), "rb") as f:
                    h = digest(f.read())
            except OSError:
                h = "-"
            self.hashes[path] = h
        return h

    def preprocessed(self, run, unit, dialect):
        """(hash of the preprocessed text, the files that it came from)."""
        argv = dialect(unit) + [unit.file]
        memo = os.path.join(self.dir, digest(self.base, *argv) + ".json")
        m = read_json(memo)
        if m and all(self.content(p) == h for p, h in m["deps"].items()):
            return m["hash"], m["deps"]
        rc, text = run(argv)
        deps = {unit.file} | {p for p in re.findall(r'^# \d+ "([^"<]+)"', text, re.M)}
        m = {"hash": digest(text, rc), "deps": {p: self.content(p) for p in sorted(deps) if not p.endswith("/")}}
        write_json(memo, m)
        return m["hash"], m["deps"]


def read_json(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def write_json(path, data):
    write_if_changed(path, json.dumps(data, separators=(",", ":")) + "\n")


_functions = {}


def function_at(base, path, line):
    """The function around a line, '' outside of all: in this tree a body's braces are in the first column."""
    k = base, path
    if k not in _functions:
        spans, head = [], ""
        try:
            with open(os.path.join(base, path), errors="replace") as f:
                for n, text in enumerate(f, 1):
                    if text[:1] == "{":
                        m = re.search(r"([\w]+)\s*\(", head)
                        name = m[1] if m else ""
                        if name.isupper() or name == "__attribute__":
                            name = re.sub(r"\s+", " ", head.strip())
                        spans.append([n - head.count("\n"), n, name])
                    elif text[:1] == "}" and spans:
                        spans[-1][1] = n
                        head = ""
                    elif re.match(r"[A-Za-z_]", text):
                        head = text if not text.rstrip().endswith((";", ":")) else ""
                        m = re.match(r"static (?:__always_inline |inline )?[^=;(]*?(\w+)\(.*\{.*\}", text)
                        if m:
                            spans.append([n, n, m[1]])
                    elif head:
                        head += text
        except OSError:
            pass
        _functions[k] = spans
    return next((name for a, b, name in _functions[k] if a <= line <= b), "")


def start_of(base, path, function):
    function_at(base, path, 0)
    return next((a for a, _, name in _functions[base, path] if name == function), 0)


# --- tools ---

class Tool:
    """name, gates (does it fail the gate), packages; run_unit() for one file or run_tree() for all."""
    gates, tree, packages, dialect = True, False, (), staticmethod(lambda u: [u.cc, "-E"] + u.flags)
    same_as = None      # the tool whose accepted findings are accepted of this one too

    def __init__(self, ctx):
        self.ctx = ctx

    def wants(self, unit):
        return True

    def version(self):
        return ""

    def settings(self):
        return ""

    def finding(self, check, path, line, message, function=None):
        if path.startswith(self.ctx.base + "/"):
            path = path[len(self.ctx.base) + 1:]
        path = os.path.normpath(path) if path else ""
        if function is None:
            function = function_at(self.ctx.base, path, line)
        return Finding(self.name, check, path, line, function, message, "")

    def failed(self, unit, rc, text):
        """A tool that could not look at a file has not found nothing."""
        return [self.finding("failed", unit.file, 0, (text.strip().splitlines() or ["status %d" % rc])[-1], "")] if rc else []

    def gcc_style(self, text, check_in_brackets=True):
        """Findings of lines FILE:LINE:COL: warning: WORDS [CHECK], with the notes that follow each."""
        found = []
        for line in text.splitlines():
            m = GCC_STYLE.match(line)
            if not m:
                if found and line.strip():
                    found[-1] = found[-1]._replace(text=found[-1].text + line + "\n")
                continue
            words, check = m[5], m[4]
            b = re.search(r" \[([\w.,=+-]+)\]$", words) if check_in_brackets else None
            if b:
                words, check = words[:b.start()], b[1]
            found.append(self.finding(check, m[1], int(m[2]), words))
        return found


class Sparse(Tool):
    """Address spaces, RCU pointers, lock contexts."""
    name, packages = "sparse", ("sparse",)

    @staticmethod
    def dialect(u):
        return [u.cc, "-E", "-D__CHECKER__"] + u.flags

    def version(self):
        return output(["sparse", "--version"]).strip()

    def argv(self, u):
        # gcc's own headers (stddef.h and so on): those of clang ask __has_feature(), which sparse does not know. The byte orders of ours are
        # structures, that every compiler tells apart; 'bitwise' would be the types of Linux's headers, which its programs see as plain.
        cpu = {"x86_64": ["-D__x86_64__"], "aarch64": ["-D__aarch64__"], "riscv64": ["-D__riscv", "-D__riscv_xlen=64"],
               "loongarch64": ["-D__loongarch__", "-D__loongarch64", "-D__loongarch_grlen=64"]}[u.arch] + ["-m64"]
        flags = [self.ctx.gcc_include if f.endswith("/include") and "/clang/" in f else f for f in u.gcc_flags()]
        return ["sparse"] + cpu + flags + ["-D__VERSION__=\"\"", "-Wno-bitwise", "-Wno-cast-truncate", "-Wcontext", "-Wno-decl", u.file]

    def run_unit(self, run, u):
        rc, text = run(self.argv(u))
        found = []
        for f in self.gcc_style(text, False):
            m = re.match(r"context imbalance in '(\w+)'", f.message)
            check = "context" if m else "address-space" if "address space" in f.message or "noderef" in f.message else f.check
            if m:       # what is inlined is said to be in its header
                f = f._replace(function=m[1], file=u.file, line=f.line if f.file == u.file else start_of(self.ctx.base, u.file, m[1]))
            found.append(f._replace(check=check))
        return found or self.failed(u, rc, text)


class Clang(Tool):
    """The paths through each function: null pointers, values that nobody set, memory that is lost or used after its end."""
    name, nodes = "clang", 20000        # of a function's paths so much is followed: a second a file
    # Our memory lies at addresses that are known; what is stored and not read is the compilers' business; and who takes memory has
    # one name here, of which it makes two.
    off = ("core.FixedAddressDereference", "deadcode.DeadStores", "unix.MismatchedDeallocator")

    @staticmethod
    def dialect(u):
        return [u.cc, "-E", "-D__clang_analyzer__"] + u.flags

    def version(self):
        return output([self.ctx.tools["clang"], "--version"]).split("\n")[0]

    def argv(self, u):
        config = ["unix.DynamicMemoryModeling:Optimistic=true", "support-symbolic-integer-casts=true"] + ["max-nodes=%d" % self.nodes] * bool(self.nodes)
        return [u.cc, "--analyze", "-w", "-Xclang", "-analyzer-output=text", "-fno-color-diagnostics", "-fno-caret-diagnostics",
                "-Xclang", "-analyzer-disable-checker=" + ",".join(self.off), "-Xclang", "-analyzer-config", "-Xclang", ",".join(config), "-o", "/dev/null"] + u.flags + [u.file]

    def run_unit(self, run, u):
        rc, text = run(self.argv(u))
        found = self.gcc_style(re.sub(r"(?m)^\d+ warnings? generated\.\n", "", text))
        return found or self.failed(u, rc, text)


class ClangDeep(Clang):
    """The same with four to fifteen seconds a file."""
    name, gates, nodes, same_as = "clang-deep", False, 0, "clang"


class Tidy(Clang):
    """clang-tidy with the checks of tools/analyze/clang-tidy.yml, ours for user addresses among them."""
    name, packages, dialect = "tidy", ("clang-tidy-%(llvm)d",), staticmethod(Tool.dialect)

    def program(self):
        return "/usr/lib/llvm-%d/bin/clang-tidy" % self.ctx.tools["llvm"]

    def version(self):
        return output([self.program(), "--version"]).strip()

    def settings(self):
        return self.ctx.sources.content("tools/analyze/clang-tidy.yml")

    def argv(self, u):
        own = ["--experimental-custom-checks"] if self.ctx.tools["llvm"] >= 22 else []       # the older ones leave ours out
        return [self.program(), "--quiet", "--config-file=tools/analyze/clang-tidy.yml"] + own + [u.file, "--", "-fno-caret-diagnostics"] + u.flags

    def run_unit(self, run, u):
        rc, text = run(self.argv(u))
        text = re.sub(r"(?m)^(\d+ warnings? (generated|treated as errors?).*|Suppressed .*|Use -.*)\n|^ +\d* \|.*\n", "", text)
        found = self.gcc_style(text)
        return found or self.failed(u, rc, text)


class Gcc(Tool):
    """gcc's analyzer."""
    name, gates = "gcc", False

    def version(self):
        return output([self.ctx.tools["gcc"], "--version"]).split("\n")[0]

    @staticmethod
    def dialect(u):
        return [u.cc, "-E"] + u.flags

    def wants(self, unit):
        return unit.arch == "x86_64"

    def argv(self, u):
        flags = [self.ctx.gcc_include if f.endswith("/include") and "/clang/" in f else f for f in u.gcc_flags()]
        return [self.ctx.tools["gcc"], "-fanalyzer", "-fdiagnostics-plain-output", "-O1", "-mgeneral-regs-only", "-mno-red-zone", "-mcmodel=kernel", "-fno-pic",
                "-fno-strict-aliasing", "-fno-delete-null-pointer-checks", "-Wno-analyzer-too-complex"] + flags + ["-S", "-o", "/dev/null", u.file]

    def run_unit(self, run, u):
        rc, text = run(self.argv(u))
        # '-w' would silence the analyzer too; what the compiler itself says is the build's business.
        found = [f._replace(check=f.check.replace("-Wanalyzer-", "").lstrip("=")) for f in self.gcc_style(text) if "-Wanalyzer-" in f.check]
        return found or self.failed(u, rc, text)


class Cppcheck(Tool):
    """What it says without the values of others' functions: bounds, overflow, lifetimes."""
    name, gates, packages = "cppcheck", False, ("cppcheck",)
    # What it does not find or cannot read ('a ?: b' ends its look at a file); ends of sections are two objects to it and one to the linker;
    # signed numbers wrap here, and shift as the CPU does (-fwrapv); whether a function returns and a statement does something is the compilers' business.
    off = ("missingInclude", "missingIncludeSystem", "unknownMacro", "syntaxError", "internalAstError",
           "comparePointers", "shiftNegativeLHS", "invalidTestForOverflow", "missingReturn", "constStatement")

    def version(self):
        return output(["cppcheck", "--version"]).strip()

    def wants(self, unit):
        return "/test/" not in unit.file

    def argv(self, u):
        flags = [f for f in u.gcc_flags() if f.startswith(("-I", "-D")) and "/gen" not in f]
        return ["cppcheck", "--quiet", "--enable=warning,portability", "--inconclusive", "--std=c11", "--platform=unix64", "--max-configs=1",
                "-D__cppcheck__", "--include=lib/include/lib/compiler.h"] + ["--suppress=" + s for s in self.off] + [
                "--template={file}:{line}: warning: {message} [{id}]", "--template-location="] + flags + [u.file]

    def run_unit(self, run, u):
        rc, text = run(self.argv(u))
        return self.gcc_style(text) or self.failed(u, rc, text)


class Cocci(Tool):
    """Rules of our own, tools/analyze/ochre.cocci: they look at a function's text and its ways, without headers."""
    name, gates, packages = "cocci", False, ("coccinelle",)

    def version(self):
        return (output(["spatch", "--version"]).splitlines() or [""])[0]

    def settings(self):
        return digest(*[self.ctx.sources.content("tools/analyze/" + p) for p in ("ochre.cocci", "cocci-macros.h")])

    def argv(self, u):
        return ["spatch", "--very-quiet", "--no-includes", "-D", "report", "--macro-file", "tools/analyze/cocci-macros.h",
                "--sp-file", "tools/analyze/ochre.cocci", u.file]

    def run_unit(self, run, u):
        rc, text = run(self.argv(u))
        return self.gcc_style(text) or self.failed(u, rc, text)


class Layers(Tool):
    """The rules of the house (tools/check-layers)."""
    name, tree = "layers", True

    def tree_hash(self):
        return digest(*[self.ctx.sources.content(p) for p in self.ctx.listed], self.ctx.sources.content("tools/check-layers"))

    def run_tree(self, run):
        rc, text = run([self.ctx.base + "/tools/check-layers"])
        found = [self.finding("layers", m[1], int(m[2]), m[3]) for m in re.finditer(r"^([^\s:]+):(\d+): (.*)$", text, re.M)]
        return found or ([self.finding("failed", "", 0, text.strip() or "status %d" % rc)] if rc else [])


class Capabilities(Tool):
    """Each check of a capability asks the namespace that owns the object (tools/analyze/capabilities.toml)."""
    name, tree = "capabilities", True

    def tree_hash(self):
        return digest(*[p + self.ctx.sources.content(p) for p in self.ctx.listed
                        if p.endswith((".c", ".h", ".rs")) or p in (capabilities.TABLE, capabilities.DOCUMENT, "tools/ochre/capabilities.py")])

    def run_tree(self, run):
        return [self.finding(p.check, p.file, p.line, p.message, p.function) for p in capabilities.verify(self.ctx.base, self.ctx.listed)]


class Soundness(Tool):
    """Each public safe function of rust/ is reviewed (docs/rust-soundness.md)."""
    name, tree = "soundness", True

    def tree_hash(self):
        return digest(*[p + self.ctx.sources.content(p) for p in self.ctx.listed
                        if p.endswith(".rs") or p.startswith(("tests/boot/", "tests/command/", "tools/check-")) or "/test/k_" in p
                        or p in (soundness.DOCUMENT, "tools/ochre/soundness.py")])

    def run_tree(self, run):
        return [self.finding(p.check, p.file, p.line, p.message, "") for p in soundness.verify(self.ctx.base)]


class Clippy(Tool):
    """Rust's linter with the list of config/rust.mk."""
    name, tree = "clippy", True

    def version(self):
        return output([self.ctx.tools["clippy"], "--version"]).strip()

    def tree_hash(self):
        # The bindings come of the headers.
        return digest(*[self.ctx.sources.content(p) for p in self.ctx.listed if p.endswith((".rs", ".h", ".mk")) or p == "Makefile"])

    def run_tree(self, run):
        found = []
        for arch in CPUS:
            rc, text = run(build.make_argv(self.ctx.tools, arch, False, False, False, ["clippy"]))
            one = []
            for m in re.finditer(r"^(?:error|warning)(?:\[(\w+)\])?: (.+)\n +--> ([^:\n]+):(\d+):\d+((?:\n(?!\n)[^\n]*)*)", text, re.M):
                lint = re.search(r"clippy::(\w+)|index\.html#(\w+)", m[5])
                one.append(self.finding(lint and (lint[1] or lint[2]) or m[1] or "rustc", m[3], int(m[4]), m[2], ""))
            if rc and not one:
                one = [self.finding("failed", "", 0, (text.strip().splitlines() or ["status %d" % rc])[-1], "")]
            found += one
        return sorted(set(found))


class Graph(Tool):
    """What a script of ours says of the whole kernel's call graph."""
    tree, script, shape = True, None, None
    building = threading.Lock()     # they want the same files: two makes at once would write them over each other

    def tree_hash(self):
        return digest(self.ctx.tools["clang"] if "clang" in self.ctx.tools else "", *[p + self.ctx.sources.content(p) for p in self.ctx.listed if p.endswith((".c", ".h", ".S", ".rs", ".mk", ".toml", ".py"))
                                                                                      or p in ("Makefile", self.script)])

    def run_tree(self, run):
        with self.building:
            with locked("make-x86_64", "waiting for another build..."):
                rc, text = run(build.make_argv(self.ctx.tools, "x86_64", False, False, False, []))
            if not rc:
                rc, text = run([self.ctx.base + "/" + self.script])
        found = [self.finding(m[3], "", 0, m[2], m[1]) for m in re.finditer(r"^(.+?): (.*) \[%s (\w+)\]$" % self.name, text, re.M)]
        return found or ([self.finding("failed", "", 0, (text.strip().splitlines() or ["status %d" % rc])[-1])] if rc else [])


class Atomic(Graph):
    """No sleep in atomic context (tools/analyze/atomic.toml)."""
    name, script = "atomic", "tools/check-atomic"


class Stack(Graph):
    """No recursion without a bound, no entry point that needs more than its stack (tools/analyze/stack.toml)."""
    name, script = "stack", "tools/check-stack"


TOOLS = [Clang, ClangDeep, Gcc, Cocci, Cppcheck, Tidy, Sparse, Capabilities, Layers, Soundness, Atomic, Stack, Clippy]
GATE = [t.name for t in TOOLS if t.gates and t.name not in ("layers", "clippy")]      # those two are tests of their own


# --- running them ---

class Context:
    def __init__(self, base=ROOT):
        self.base, self.sources = base, Sources(base)
        self.tools = self.gcc_include = None
        self.listed = []
        self.children, self.lock, self.stop = set(), threading.Lock(), False

    def run(self, argv, ok=None, **kw):
        """(status, output of both) of a program; it ends with us."""
        with self.lock:
            if self.stop:
                raise KeyboardInterrupt
            try:
                p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                     errors="replace", cwd=self.base, start_new_session=True, **kw)
            except OSError as e:
                raise Fail("cannot run %s: %s" % (argv[0], e.strerror))
            self.children.add(p)
        try:
            text, _ = p.communicate(timeout=UNIT_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, 9)
            p.communicate()
            return 124, ""
        finally:
            with self.lock:
                self.children.discard(p)
        if self.stop:
            raise KeyboardInterrupt
        return p.returncode, text

    def end(self):
        with self.lock:
            self.stop = True
            for p in self.children:
                try:
                    os.killpg(p.pid, 15)
                except OSError:
                    pass


def cached(ctx, tool, part, hashed, fn):
    """What a tool says of a part, from the cache where it has been asked before: (findings, was it kept)."""
    path = os.path.join(OUT, "cache", tool.name, digest(REVISION, tool.version_text, tool.settings(), part, hashed) + ".json")
    kept = read_json(path)
    if kept is not None:
        return [Finding(*f) for f in kept], True
    found = fn()
    write_json(path, found)
    return found, False


def run_tools(ctx, chosen, todo, jobs, progress):
    """All findings; todo: the units. Files that take long should begin first, so the tools stand from the slowest on."""
    results, counts = {t.name: [] for t in chosen}, {t.name: [0, 0] for t in chosen}

    def one(tool, unit):
        if unit is None:
            return cached(ctx, tool, "tree", tool.tree_hash(), lambda: tool.run_tree(ctx.run))
        h, _ = ctx.sources.preprocessed(ctx.run, unit, tool.dialect)
        return cached(ctx, tool, unit.arch + " " + " ".join(tool.argv(unit)), h, lambda: tool.run_unit(ctx.run, unit))

    work = [(t, None) for t in chosen if t.tree] + [(t, u) for t in chosen if not t.tree for u in todo if t.wants(u)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(one, t, u): (t, u) for t, u in work}
        try:
            for n, f in enumerate(concurrent.futures.as_completed(futures), 1):
                t, u = futures[f]
                found, kept = f.result()
                results[t.name] += found
                counts[t.name][kept] += 1
                progress.note("%d of %d: %s" % (n, len(work), " ".join(filter(None, [t.name, u and u.file]))))
        except BaseException:
            for f in futures:
                f.cancel()
            ctx.end()
            raise
    return {n: sorted(set(r)) for n, r in results.items()}, counts


# --- accepted ones ---

FIELDS = {"tool", "check", "file", "function", "message", "reason"}


def load_accepted(path=ACCEPTED):
    """{key: how many}, after a look at each row."""
    try:
        with open(path, "rb") as f:
            rows = tomllib.load(f).get("finding", [])
    except FileNotFoundError:
        rows = []
    except (OSError, tomllib.TOMLDecodeError) as e:
        raise Fail("%s: %s" % (rel(path), e))
    r = collections.Counter()
    for row in rows:
        lost = FIELDS - set(row)
        if lost or set(row) - FIELDS - {"count"} or not str(row["reason"]).strip():
            raise Fail("%s: a row %s has no %s" % (rel(path), row.get("message", "?"), ", ".join(sorted(lost)) or "reason, or too much"))
        r[tuple(row[k] for k in ("tool", "check", "file", "function", "message"))] += row.get("count", 1)
    return r


def row_text(k, count, reason):
    """A row of the file, to be copied into it."""
    names = ("tool", "check", "file", "function", "message")
    return "[[finding]]\n" + "".join("%s = %s\n" % (n, json.dumps(v)) for n, v in zip(names, k)) + \
        ("count = %d\n" % count if count > 1 else "") + "reason = %s\n" % json.dumps(reason)


# --- the command ---

def changed_files(ref):
    r = subprocess.run(["git", "diff", "--name-only", "--no-renames", "-z", ref, "--"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if r.returncode:
        raise Fail("--changed: git knows no '%s'" % ref)
    new = subprocess.run(["git", "ls-files", "-o", "--exclude-standard", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    return {p for p in (r.stdout + new).split("\0") if p}


def paths_of_tree():
    for at, dirs, files in os.walk(ROOT):
        if at == ROOT:
            dirs[:] = [d for d in dirs if d not in (".git", "build")]
        for f in files:
            yield os.path.relpath(os.path.join(at, f), ROOT)


def cmd_analyze(args):
    names = {t.name: t for t in TOOLS}
    for n in args.tool:
        if n not in names:
            raise Fail("--tool: there is no '%s'; there are %s" % (n, ", ".join(names)))
    if args.jobs is not None and args.jobs < 1:
        raise Fail("-j takes a number from 1 on")
    changed = changed_files(args.changed) if args.changed is not None else None
    accepted = load_accepted()
    with locked("analyze", "waiting for another analysis..."):
        return analyze(args, [names[n] for n in dict.fromkeys(args.tool)] or [t for t in TOOLS if t.gates or not args.gate], changed, accepted)


def analyze(args, classes, changed, accepted):
    if args.filter and not any(f in p for f in args.filter for p in paths_of_tree()):
        raise Fail("no file's path contains %s" % " or ".join(args.filter))         # before tools are fetched for it
    begin = time.monotonic()
    ctx = Context()
    ctx.tools = setup.ensure(CPUS)
    os.makedirs(OUT, exist_ok=True)
    chosen = [c(ctx) for c in classes]
    setup.need(sorted({p % {"llvm": ctx.tools["llvm"]} for t in chosen for p in t.packages}), OUT + "/setup.log")
    for t in chosen:
        t.version_text = t.version()
    ctx.gcc_include = output([ctx.tools["gcc"], "-print-file-name=include"]).strip()
    ctx.listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.split("\0")[:-1]
    todo = [u for a in CPUS for u in units(ctx.tools, a)] if any(not t.tree for t in chosen) else []
    with Progress("Analysing") as progress:
        if changed is not None:
            with concurrent.futures.ThreadPoolExecutor(args.jobs or os.cpu_count()) as pool:
                deps = list(pool.map(lambda u: ctx.sources.preprocessed(ctx.run, u, Tool.dialect)[1], todo))
            todo = [u for u, d in zip(todo, deps) if changed & set(d)]
        if args.filter:
            known = [u.file for u in todo] if changed is None else None
            todo = [u for u in todo if any(f in u.file for f in args.filter)]
            if known is not None and not todo and not any(f in p for f in args.filter for p in ctx.listed):
                raise Fail("no file's path contains %s" % " or ".join(args.filter))
        results, counts = run_tools(ctx, chosen, todo, args.jobs or os.cpu_count() or 2, progress)
    whole = changed is None and not args.filter
    return report(args, chosen, results, counts, accepted, whole, {u.file for u in todo}, time.monotonic() - begin)


def report(args, chosen, results, counts, accepted, whole, files, took):
    rows, stale, failed = [], [], 0
    for t in chosen:
        new, taken, left = [], 0, collections.Counter({k: n for k, n in accepted.items() if k[0] in (t.name, t.same_as)})
        for f in results[t.name]:
            if not whole and args.filter and not any(p in f.file for p in args.filter):
                continue
            k = key(f)
            if not left[k] and t.same_as:
                k = (t.same_as,) + k[1:]
            old = left[k] > 0
            if old:
                left[k] -= 1
                taken += 1
            else:
                new.append(f)
            rows.append(dict(f._asdict(), accepted=old, gates=t.gates))
        for f in new:
            print("%s:%d: %s [%s %s]%s" % (f.file, f.line, f.message, f.tool, f.check, " in %s" % f.function if f.function else ""))
            if args.verbose and f.text:
                print(re.sub("(?m)^", "    ", f.text.rstrip()))
            if args.rows:
                print(row_text(key(f), 1, ""))
        failed += len(new) if t.gates else 0
        stale += sorted(k for k, n in left.items() if n > 0 and k[0] == t.name and (whole or k[2] in files))
        print("%-9s %4d new %4d accepted   %s%s" % (t.name, len(new), taken, "%d looked at, %d as before" % tuple(counts[t.name]),
                                                   "" if t.gates else "   (does not gate)"))
    for k in stale:
        print("stale: %s accepts what is not found any more: %s %s in %s %s: %s" % ((rel(ACCEPTED),) + k))
    write_json(OUT + "/findings.json", {"tools": {t.name: {"version": t.version_text, "gates": t.gates} for t in chosen},
                                        "findings": rows, "stale": stale})
    print("%s%s in %.0f s; all of it in %s" % ("%d new" % failed if failed else "nothing new", ", %d stale" % len(stale) if stale else "", took,
                                              rel(OUT + "/findings.json")))
    return 1 if failed else 0
