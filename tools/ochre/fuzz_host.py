# SPDX-License-Identifier: MIT
"""The decoders' targets on this machine: */test/host_fuzz_NAME.c under libFuzzer or AFL++, what of a decoder they reach, their corpora.

A target's corpus is build/fuzz/NAME/corpus, a file an input, which both engines share. The committed one is fuzz/corpus/NAME.txt, a line
an input (zlib, base64): it reaches every branch that fuzz/missed-branches.toml does not name."""
import base64
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zlib

from . import fuzz_corpus, setup
from .util import BUILD, Fail, HOST, ROOT, rel

OUT = os.path.join(BUILD, "fuzz")
MISSED = os.path.join(ROOT, "fuzz", "missed-branches.toml")
MOST = 100 << 10        # bytes of a committed corpus
ASAN = "detect_leaks=1:quarantine_size_mb=16:allocator_may_return_null=1"
FLAGS = {
    "seeds": ["-fsanitize=address,undefined"],
    "fuzz": ["-O2", "-DOCHRE_LIBFUZZER", "-fsanitize=fuzzer,address,undefined"],
    "coverage": ["-O0", "-fprofile-instr-generate", "-fcoverage-mapping"],
    "afl": ["-O2", "-DOCHRE_LIBFUZZER", "-fsanitize=address,undefined", "-fsanitize-coverage=trace-pc-guard"],
}
_COVERED = ["-Cpasses=sancov-module", "-Cllvm-args=-sanitizer-coverage-level=3", "-Cllvm-args=-sanitizer-coverage-trace-compares"]
# What coverage of branches sees is the decoders' C alone.
RUST_FLAGS = {
    "seeds": [], "coverage": [],
    "fuzz": _COVERED + ["-Cllvm-args=-sanitizer-coverage-inline-8bit-counters", "-Cllvm-args=-sanitizer-coverage-pc-table"],
    "afl": _COVERED + ["-Cllvm-args=-sanitizer-coverage-trace-pc-guard"],
}


def host_tests():
    """The tests of pure code: of a room, of a part of one, of a part of that."""
    return [p for depth in ("*", "*/*", "*/*/*") for p in glob.glob("%s/%s/test/host_*.c" % (ROOT, depth))]


def sources():
    """{target: its source}"""
    return {re.search(r"host_fuzz_(\w+)\.c$", p)[1]: p for p in sorted(p for p in host_tests() if "/host_fuzz_" in p)}


def rust_of(text):
    """The roots of crates in Rust that the source of a host test names."""
    return " ".join(re.findall(r"with rust: ([\w./ -]+)", text)).split()


def rust_library(tools, root, out, kind="seeds"):
    """Builds the crate at ROOT, which has `core` alone, as a library for this machine, without tests of the kernel: OUT.a, its path. Sums and shifts that are out of range panic."""
    argv = ["env", "-u", "MAKEFLAGS", "-u", "MFLAGS", "RUSTC_BOOTSTRAP=1", tools["rustc"], "--edition=2024", "--crate-type=staticlib", "--crate-name=" + os.path.basename(out), "--cfg=module"]
    argv += ["-Cpanic=abort", "-Cdebug-assertions=on", "-Coverflow-checks=on", "-Copt-level=1", "-Cdebuginfo=1", "-Dwarnings", "-Ccodegen-units=1"] + RUST_FLAGS[kind]
    argv += ["-o", out + ".a", root]
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    if r.returncode:
        raise Fail("%s does not compile:\n%s" % (root, r.stdout), 1)
    return out + ".a"


class Target:
    def __init__(self, tools, name):
        self.tools, self.name, self.source = tools, name, sources()[name]
        self.dir = os.path.join(OUT, name)
        self.corpus = os.path.join(self.dir, "corpus")
        os.makedirs(self.corpus, exist_ok=True)
        with open(self.source) as f:
            text = f.read()
        self.decoders = " ".join(re.findall(r"(?<!with )sources: ([\w./ -]+)", text)).split()
        self.helpers = " ".join(re.findall(r"with sources: ([\w./ -]+)", text)).split()
        self.crates = rust_of(text)
        self.options = " ".join(re.findall(r"fuzz: (-[^*\n]+)", text)).split()
        self.dict = os.path.join(ROOT, "fuzz", "dict", name + ".dict")
        self.committed = os.path.join(ROOT, "fuzz", "corpus", name + ".txt")

    def build(self, kind, more=()):
        out = os.path.join(self.dir, kind)
        rooms = [d for d in sorted(os.listdir(ROOT)) if os.path.isdir(os.path.join(ROOT, d, "include"))]
        argv = [self.tools["clang"], "-std=gnu11", "-g", "-O1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all", "-I."]
        argv += ["-I%s/include" % r for r in rooms] + ["-include", "lib/include/lib/compiler.h"] + FLAGS[kind]
        crates = [rust_library(self.tools, c, os.path.join(self.dir, "rust_%s_%d" % (kind, i)), kind) for i, c in enumerate(self.crates)]
        argv += ["-o", out, os.path.relpath(self.source, ROOT)] + self.decoders + self.helpers + crates + list(more)
        r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        if r.returncode:
            raise Fail("%s does not compile:\n%s" % (rel(self.source), r.stdout), 1)
        return out

    def fill(self):
        """The corpus has the target's own seeds and what is committed."""
        subprocess.run([self.build("seeds"), "--seeds", self.corpus], check=True)
        for data in read_committed(self.committed):
            path = os.path.join(self.corpus, fuzz_corpus.name_of(data))
            if not os.path.exists(path):
                with open(path, "wb") as f:
                    f.write(data)

    def inputs(self):
        return sorted(os.path.join(self.corpus, n) for n in os.listdir(self.corpus) if not n.startswith("."))

    def findings(self):
        """Inputs that broke something: {path: when}."""
        found = glob.glob(self.dir + "/crash-*") + glob.glob(self.dir + "/leak-*") + glob.glob(self.dir + "/oom-*") + glob.glob(self.dir + "/timeout-*")
        found += glob.glob(self.dir + "/afl-out/*/crashes/id*") + glob.glob(self.dir + "/afl-out/*/hangs/id*")
        return {p: os.stat(p).st_mtime_ns for p in found}


def read_committed(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [zlib.decompress(base64.b64decode(line)) for line in f if line.strip() and not line.startswith("#")]


def unpack_committed(name, folder):
    """A folder of the committed inputs of a target, and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for data in read_committed(os.path.join(ROOT, "fuzz", "corpus", name + ".txt")):
        with open(os.path.join(folder, fuzz_corpus.name_of(data)), "wb") as f:
            f.write(data)
    return folder


def write_committed(path, inputs):
    lines = sorted(base64.b64encode(zlib.compress(d, 9)).decode() for d in inputs)
    text = "# SPDX-License-Identifier: MIT\n# Inputs, zlib and base64: ./ochre fuzz --coverage --record wrote them.\n" + "\n".join(lines) + "\n"
    if len(text) > MOST:
        raise Fail("%s would have %d bytes, more than %d: a shorter -max_len in the target's 'fuzz:' line makes smaller inputs" % (rel(path), len(text), MOST), 1)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


# --- engines ---

class LibFuzzer:
    def __init__(self, t, i, seed, runs, seconds):
        self.log = os.path.join(t.dir, "job%d.log" % i)
        argv = [t.build("fuzz") if not i else os.path.join(t.dir, "fuzz"), "-seed=%d" % (seed or 1), "-artifact_prefix=%s/" % t.dir, "-print_final_stats=1",
                "-timeout=20", "-reload=5"]
        argv += ["-runs=%d" % runs] if runs else []
        argv += ["-max_total_time=%d" % seconds] if seconds else []
        argv += ["-dict=" + t.dict] if os.path.exists(t.dict) else []
        with open(self.log, "wb") as log:
            self.run = subprocess.Popen(argv + t.options + [t.corpus], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, ASAN_OPTIONS=ASAN))

    def figures(self):
        """(executions, places reached) so far"""
        with open(self.log, "rb") as f:
            text = f.read().decode(errors="replace")
        n = [int(x) for x in re.findall(r"^#(\d+)\s", text, re.M)] + [int(x) for x in re.findall(r"stat::number_of_executed_units:\s*(\d+)", text)]
        cov = re.findall(r"\bcov: (\d+)", text)
        return max(n, default=0), int(cov[-1]) if cov else 0

    def stop(self):
        if self.run.poll() is None:
            self.run.send_signal(signal.SIGINT)     # it says its figures
            try:
                self.run.wait(30)
            except subprocess.TimeoutExpired:
                self.run.kill()
                self.run.wait()


class Afl:
    """AFL++: its program and runtime are unpacked from Debian's package; the target is built by our own clang with trace-pc-guard."""

    def __init__(self, t, i, seed, runs, seconds):
        top = afl_home()
        self.t, self.top = t, os.path.join(t.dir, "afl-out")
        self.name = "job%d" % i
        binary = os.path.join(t.dir, "afl")
        if not i:
            t.build("afl", [top + "/usr/lib/afl/libAFLDriver.a", top + "/usr/lib/afl/afl-compiler-rt.o", "-lm", "-ldl", "-lrt", "-lpthread"])
            shutil.rmtree(self.top, ignore_errors=True)
        argv = [top + "/usr/bin/afl-fuzz", "-i", t.corpus, "-o", self.top, "-S" if i else "-M", self.name, "-s", str(seed or 1), "-m", "none", "-t", "2000+"]
        argv += ["-V", str(seconds)] if seconds else []
        argv += ["-E", str(runs)] if runs else []
        argv += ["-x", t.dict] if os.path.exists(t.dict) else []
        most = [o for o in t.options if o.startswith("-max_len=")]
        argv += ["-G", most[0][9:]] if most else []
        self.log = os.path.join(t.dir, "afl-job%d.log" % i)
        env = dict(os.environ, AFL_PATH=top + "/usr/lib/afl", AFL_SKIP_CPUFREQ="1", AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1", AFL_NO_UI="1", AFL_NO_AFFINITY="1",
                   ASAN_OPTIONS=ASAN.replace("detect_leaks=1", "detect_leaks=0") + ":abort_on_error=1:symbolize=0", UBSAN_OPTIONS="abort_on_error=1:symbolize=0")
        with open(self.log, "wb") as log:
            self.run = subprocess.Popen(argv + ["--", binary], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def figures(self):
        try:
            with open(os.path.join(self.top, self.name, "fuzzer_stats")) as f:
                text = f.read()
        except OSError:
            return 0, 0
        n, cov = re.search(r"execs_done\s*: (\d+)", text), re.search(r"edges_found\s*: (\d+)", text)
        return int(n[1]) if n else 0, int(cov[1]) if cov else 0

    def stop(self):
        if self.run.poll() is None:
            self.run.send_signal(signal.SIGINT)
            try:
                self.run.wait(30)
            except subprocess.TimeoutExpired:
                self.run.kill()
                self.run.wait()
        for path in glob.glob(os.path.join(self.top, self.name, "queue", "id*")):      # libFuzzer goes on with them
            with open(path, "rb") as f:
                data = f.read()
            to = os.path.join(self.t.corpus, fuzz_corpus.name_of(data))
            if not os.path.exists(to):
                with open(to, "wb") as f:
                    f.write(data)


def afl_home():
    top = os.path.join(HOST, "afl")
    if not os.path.exists(top + "/usr/bin/afl-fuzz"):
        setup.unpack_beside("afl++", top)
    return top


ENGINES = {"libfuzzer": LibFuzzer, "afl": Afl}


def hunt(tools, name, seed, runs, seconds, jobs, engine, record):
    """Runs a target; 1 where it found something."""
    t = Target(tools, name)
    t.fill()
    before, started, shown, stopped = t.findings(), time.monotonic(), 0, False
    commit = fuzz_corpus.commit_of_tree()       # what is there now is what runs
    per = -(-runs // jobs)
    work = []

    def line():
        took = max(time.monotonic() - started, 0.1)
        n = sum(w.figures()[0] for w in work)
        return "%s: %d executions, %.0f/s, %d places, corpus %d" % (name, n, n / took, max([w.figures()[1] for w in work] or [0]), len(t.inputs()))
    try:
        for i in range(jobs):
            work.append(ENGINES[engine](t, i, seed + i, per, seconds))
        while any(w.run.poll() is None for w in work):
            time.sleep(0.2)
            if sys.stderr.isatty() or time.monotonic() - shown > 60:
                sys.stderr.write(("\r\x1b[K%s" if sys.stderr.isatty() else "%s\n") % line())
                sys.stderr.flush()
                shown = time.monotonic()
    except KeyboardInterrupt:
        stopped = True
    for w in work:
        w.stop()
    sys.stderr.write("\r\x1b[K" if sys.stderr.isatty() else "")
    print(line())
    new = [p for p, when in t.findings().items() if before.get(p) != when]
    broken = [w for w in work if w.run.returncode not in (0, 72) and not stopped and not new]      # 72: libFuzzer was told to end
    for w in broken:
        print("  it ended with status %d: see %s" % (w.run.returncode, rel(w.log)))
    for p in new:
        print("  found: %s; once more: %s %s" % (rel(p), rel(os.path.join(t.dir, "seeds")), rel(p)))
    if record:
        rows = [[commit, name, seed + i, w.figures()[0], 0] for i, w in enumerate(work)]
        rows[0][4] = len(new)
        fuzz_corpus.record(rows, fuzz_corpus.LEDGER)
        print("  the ledger counts %d executions of it" % fuzz_corpus.programs_in(target=name))
    return 130 if stopped else 1 if new or broken else 0


# --- branches ---

def branches(tools, t, inputs):
    """What was never taken of the decoders' branches: {(file, code, outcome): [line, ...]}, and how many outcomes there are."""
    binary, raw = t.build("coverage"), os.path.join(t.dir, "coverage.profraw")
    llvm = os.path.dirname(os.path.realpath(tools["symbolizer"]))
    raws = []
    for i in range(0, len(inputs), 1000):
        raws.append("%s.%d" % (raw, i))
        r = subprocess.run([binary] + inputs[i:i + 1000], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=dict(os.environ, LLVM_PROFILE_FILE=raws[-1]))
        if r.returncode:
            raise Fail("%s: an input breaks it: %s" % (t.name, r.stderr[-1000:]), 1)
    subprocess.run([llvm + "/llvm-profdata", "merge", "-sparse", "-o", raw + ".data"] + raws, check=True)
    for p in raws:
        os.unlink(p)
    r = subprocess.run([llvm + "/llvm-cov", "export", "-instr-profile=" + raw + ".data", binary] + [os.path.join(ROOT, s) for s in t.decoders],
                       stdout=subprocess.PIPE, check=True, cwd=ROOT)
    files = {s: {} for s in t.decoders}
    for f in json.loads(r.stdout)["data"][0]["functions"]:      # functions that are there more than once are added up
        name = os.path.relpath(f["filenames"][0], ROOT) if os.path.isabs(f["filenames"][0]) else f["filenames"][0]
        if name not in files:
            continue
        expanded = {x[6]: x for x in f["regions"] if x[7] == 1 and x[5] == 0}      # of what file (a macro is one) which place is
        for b in f["branches"]:
            if b[6] == 0:
                at, inner = tuple(b[:4]), ()
            else:
                place = expanded.get(b[6])
                if not place:
                    continue
                at, inner = tuple(place[:4]), tuple(b[:4])
            old = files[name].get((at, inner), (0, 0))
            files[name][(at, inner)] = (old[0] + b[4], old[1] + b[5])
    missed, total = {}, 0
    for name, found in files.items():
        with open(os.path.join(ROOT, name)) as f:
            lines = f.read().split("\n")
        for (at, inner), (yes, no) in sorted(found.items()):
            code = (lines[at[0] - 1][at[1] - 1:at[3] - 1] if at[0] == at[2] else "") or lines[at[0] - 1].strip()
            total += 2
            if not yes and not no:
                missed.setdefault((name, code, "reached"), []).append(at[0])
            elif not yes or not no:
                missed.setdefault((name, code, "false" if yes else "true"), []).append(at[0])
    return missed, total


def accepted(name, path=MISSED):
    """{(file, code, outcome): how many}, those of one target."""
    if not os.path.exists(path):
        return {}
    with open(path, "rb") as f:
        rows = tomllib.load(f).get("branch", [])
    out = {}
    for r in rows:
        lost = [k for k in ("target", "file", "code", "never", "reason") if not r.get(k)]
        if lost or r["never"] not in ("true", "false", "reached"):
            raise Fail("%s: a row lacks %s: %s" % (rel(path), ", ".join(lost) or "a 'never' of true, false or reached", r))
        if r["target"] == name:
            key = r["file"], r["code"], r["never"]
            out[key] = out.get(key, 0) + r.get("count", 1)
    return out


def minimised(t):
    """The smallest set of inputs that reaches what the whole corpus does."""
    small = os.path.join(t.dir, "small")
    shutil.rmtree(small, ignore_errors=True)
    os.makedirs(small)
    r = subprocess.run([t.build("fuzz"), "-set_cover_merge=1", "-artifact_prefix=%s/" % t.dir] + t.options + [small, t.corpus], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", env=dict(os.environ, ASAN_OPTIONS=ASAN))
    if r.returncode:
        raise Fail("%s: cannot make the corpus small: %s" % (t.name, r.stdout[-1000:]), 1)
    return small


def coverage(tools, name, record):
    """Says what of a decoder was never taken by its corpus; 1 where that is not accepted."""
    t = Target(tools, name)
    t.fill()
    if record:
        small = minimised(t)
        inputs = []
        for n in sorted(os.listdir(small)):
            with open(os.path.join(small, n), "rb") as f:
                inputs.append(f.read())
        write_committed(t.committed, inputs)
    missed, total = branches(tools, t, t.inputs())
    known = accepted(name)
    lost, fine, odd = 0, 0, []
    for key, lines in sorted(missed.items()):
        file, code, outcome = key
        outcomes = len(lines) * (2 if outcome == "reached" else 1)
        lost += outcomes
        if len(lines) <= known.pop(key, 0):
            fine += outcomes
        else:
            odd += ["  %s:%d: never %s: %s" % (file, n, outcome, code) for n in lines]
    print("%s: %d of %d outcomes of branches taken, %d accepted as never taken, %d inputs" % (name, total - lost, total, fine, len(t.inputs())))
    for l in odd:
        print(l)
    for file, code, outcome in known:
        print("  %s: accepted in %s, but taken now: never %s: %s" % (file, rel(MISSED), outcome, code))
    return 1 if odd or known else 0
