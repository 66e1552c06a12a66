# SPDX-License-Identifier: MIT
"""Runs the tests, as many parts of a run side by side as there are cores (lanes.py). Where they lie, and what each kind is:

  layers, abi/*        rules of the tree (tools/check-layers), the system call table against the kernel's headers
  host/ROOM_NAME       */test/host_NAME.c and */test/host_NAME.rs-free C: pure code on this machine, with ASan and UBSan
  analyze/TOOL         ./ochre analyze --tool TOOL: nothing new (docs/static-analysis.md)
  litmus/NAME          tests/litmus/NAME.litmus: how a primitive comes out in C's memory model (herd7)
  command/NAME         tests/command/NAME.py: the command itself and what it makes
  fuzz/corpus          nothing comes of the programs that the fuzzer begins with, on the debug kernel with 1 and 4 CPUs
  fuzz/little-memory   nor of programs that use up a machine of little memory
  fuzz/reproducers     nor of those that once broke it (fuzz/reproducers)
  fuzz/parties         nothing of root's changes by an attacker's programs, plain and in a user namespace (fuzz/parties.h)
  fuzz/planted         the referee of these sees what root does (fuzz/planted.txt)
  bench/gate           operations take no more instructions than recorded (bench/README.md)
  build/*              other compilers and CPUs, equal bits, clippy's word
  build/rust_NAME      tests/rust/NAME.rs: drivers that must not compile, with the errors that their lines say
  kernel/NAME          KTEST(NAME) in */test/k_*.c, ktest!(NAME, ...) in Rust, inside the kernel
  kernel/rustdoc_*     the examples of the Rust documentation (tools/rustdoc.py), inside the kernel
  guest/NAME           tests/guest/NAME.c, a static program in the guest
  sh/NAME              tests/sh/NAME.sh in the guest, its output compared with NAME.out
  debian/NAME          tests/debian/NAME.sh by bash in a Debian root, its output compared with NAME.out, which Linux printed
  machines/NAME        a CPU model or a machine of QEMU's, or Bochs (tools/ochre/machines.py): a few in a whole run, all by the filter 'machines'
  scale/KIND           objects of a kind, up to 100,000 (tools/ochre/scale.py): all by the filter 'scale', none in a whole run
  boot/NAME            tests/boot/NAME.txt: a whole boot, its console compared with patterns (planted bugs among them)

The last four run in each row of the matrix (CONTRIBUTING.md)."""
import concurrent.futures
import functools
import glob
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback

from . import again, analyze, arches, build, cpio, debian, fuzz_corpus, fuzz_host, fuzz_parties, lanes, litmus, lockorder, machines, oops, qemu, rootfs, run, scale, setup
from .again import Result
from .util import ARCHES, Awake, BUILD, Fail, Progress, ROOT, locked, rel

GUEST_SKIP = 77
# Not under failnth: what traces by itself, or sets faults; what counts on the kernel's memory being all there is.
NOT_WITH_FAULTS = {"ptrace", "seccomp", "fault", "kcov", "exhaust", "mm_limits", "mm_stress", "mm_races"}
KTEST_LIMIT, BATCH_LIMIT, STALL = 300, 1800, 115   # seconds; user/testrun.c gives a run of a test 100, and says when the next begins


class Config:
    """A row of the matrix."""

    def __init__(self, debug, cpus, preempt, arch="x86_64", cpu=None):
        self.debug, self.cpus, self.preempt, self.arch, self.cpu = debug, cpus, preempt, arch, cpu

    def __str__(self):
        return "%s%s, %d %s%s, %s" % ("" if self.arch == "x86_64" else self.arch + ", ", "debug" if self.debug else "release",
                                      self.cpus, self.cpu or "CPU", "s" if self.cpus > 1 and not self.cpu else "", self.preempt)


QUICK = [Config(False, 4, "full"), Config(True, 4, "lazy")]      # of the debug build in-kernel tests alone: five minutes are soon over
FULL = [Config(d, c, p) for d in (False, True) for c in (1, 4) for p in ("lazy", "full")]


# Of another CPU: (debug, CPUs, preemption, user programs too).
OTHER = [(d, c, p, True) for d in (False, True) for c, p in ((1, "lazy"), (4, "full"))]
OTHER_QUICK = [(False, 1, "lazy", False), (False, 4, "full", True)]
PLANTED = ("aarch64", "riscv64", "loongarch64")        # whose detectors are proved beside x86_64's: with --arch all of them
GUESTS_QUICK = ("aarch64",)     # whose user programs are in a whole run; of the others with --arch


# An old CPU, which saves registers by FXSAVE: the programs that look at them.
OLD_CPU = [Config(False, 2, "full", cpu="qemu64"), Config(True, 1, "lazy", cpu="qemu64")]
OF_REGISTERS = ("cpu_x86", "fpu", "ptrace", "signal", "exec")

# More CPUs than one word of a mask has bits: the programs that count them.
# Memory is not counted: each idle CPU may keep the tables of a space that is gone.
MANY_CPUS, OF_CPUS = Config(False, 70, "full"), ("cpus",)

DEBIAN = [Config(False, 4, "lazy"), Config(True, 4, "full")]


BOOTS_OF_A_PART = 12
ALONE = 1 << 10     # cores of a part that has the whole machine
CROWD = ("crowded",)    # commands' tests that load the whole machine


class Part:
    """A part of a run: FN(*ARGS). FIRST: the part of which it is the second try."""

    def __init__(self, title, fn, args, first=None):
        self.title, self.fn, self.args, self.first, self.results, self.took = title, fn, args, first, [], 0.0


class Runner:
    def __init__(self, args, tools):
        self.args, self.tools, self.results = args, tools, []
        self.filters = args.filter
        self.only = None        # in a second try: the names that it is for
        self.broken = {}        # (arch, debug) -> why there is no kernel
        self.linux = None
        self.parts = []
        self.lanes = lanes.Lanes(args.jobs or os.cpu_count() or 1, self.take, self.group)

    def wanted(self, name):
        if self.only is not None:
            return again.selects(self.only, name)
        return not self.filters or any(f in name for f in self.filters)

    def part(self, title, cores, fn, *args):
        """FN(*ARGS) is a part of the run that keeps so many CORES busy; it is done by lanes.finish(), beside others."""
        self.parts.append(Part(title, fn, args))
        self.lanes.add(self.parts[-1], cores, self.timed, title, fn, *args)

    def timed(self, title, fn, *args):
        start = time.monotonic()
        try:
            fn(*args)
        except Fail:
            raise       # somebody has to do something
        except Exception as e:
            self.add(Result("%s: %s" % (title, again.EVERYTHING), "failed", "the test runner: %s" % e, traceback.format_exc()))
        self.lanes.tell(("took", time.monotonic() - start))

    def second_try(self):
        """Runs once more, one part after the other, the tests that failed and may pass now (again.py)."""
        failed = [r for r in self.results if r.outcome == "failed"]
        todo = [(p, again.to_retry(p.results)) for p in self.parts]
        todo = [(p, names) for p, names in todo if names]
        if not todo:
            return
        if len(failed) > again.MOST:
            print("%d tests failed: none is run again" % len(failed))
            return
        print("once more, alone: " + ", ".join(sorted(set().union(*(names for _, names in todo)))))
        tries = [Part("once more, alone: " + p.title, p.fn, p.args, p) for p, _ in todo]
        for p, (_, names) in zip(tries, todo):
            self.lanes.add(p, ALONE, self.timed, p.title, self.one_more, names, p.fn, *p.args)
        self.lanes.finish()
        for p in tries:
            for r in p.first.results + p.results:
                if r.name in again.to_retry(p.first.results):
                    again.keep(r, "second" if r in p.results else "first")
            self.results += again.judge(p.first.results, p.results)

    def one_more(self, names, fn, *args):
        self.only = names
        fn(*args)

    def take(self, part, what):
        """What a part tells the first process: ("result", Result), ("kernel", its key, why there is none or ""), ("took", seconds)."""
        if what[0] == "kernel":
            self.broken[what[1]] = what[2]
        elif what[0] == "took":
            part.took = what[1]
        elif part.first:
            part.results.append(what[1])
            self.say(what[1])
        elif not (what[1].name.startswith("build/") and what[1].name in {r.name for r in self.results}):    # several parts may want one kernel
            part.results.append(what[1])
            self.add(what[1])

    def group(self, part):
        if part.results:
            n = {o: sum(r.outcome == o for r in part.results) for o in ("passed", "failed", "skipped")}
            print("%-60s %4d passed %3d failed %3d skipped  %5.0f s" % (part.title, n["passed"], n["failed"], n["skipped"], part.took))
            sys.stdout.flush()

    def add(self, r):
        if self.lanes.line:
            self.lanes.tell(("result", r))
            return
        self.results.append(r)
        self.say(r)

    def say(self, r):
        if r.outcome == "failed" or self.args.verbose or r.outcome == "skipped":
            lines = r.text.rstrip().splitlines() if r.outcome == "failed" or self.args.verbose else []
            if len(lines) > 120:
                lines = lines[:60] + ["... (%d lines more)" % (len(lines) - 120)] + lines[-60:]
            r.show(lines)
        sys.stdout.flush()

    def simple(self, name, argv, where="", timeout=600, env=None, skip=None):
        """A test that is a program: status 0 is ok, 77 is skipped."""
        if not self.wanted(name):
            return
        start = time.monotonic()
        with Progress(name):
            try:
                r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                   errors="replace", timeout=timeout, cwd=ROOT, env=env)
                rc, text = r.returncode, r.stdout
            except subprocess.TimeoutExpired as e:
                rc, text = -1, (e.stdout or b"").decode("utf-8", "replace") if isinstance(e.stdout, bytes) else (e.stdout or "")
        last = (text.strip().splitlines() or [""])[-1]
        outcome = "passed" if rc == 0 else "skipped" if rc == GUEST_SKIP else "failed"
        why = last if outcome == "skipped" else "" if rc == 0 else "out of time" if rc == -1 else "status %d" % rc
        self.add(Result(name, outcome, why, text, time.monotonic() - start, where))

    # --- on this machine ---

    def rules(self):
        self.simple("layers", [ROOT + "/tools/check-layers"])
        self.simple("abi/numbers", [ROOT + "/tools/abi-gen.py", "--check", self.tools["uapi"]])
        for cpu in ("x86_64", "aarch64", "riscv64", "loongarch64", "sparc64", "alpha"):
            self.simple("abi/generate_" + cpu, [ROOT + "/tools/abi-gen.py", "--arch", cpu, "--out", "%s/test/abi-%s" % (BUILD, cpu)])
        for src in sorted(glob.glob(ROOT + "/tests/command/host_*.py")):
            self.simple("command/" + os.path.basename(src)[5:-3], [sys.executable, "-B", src])

    def host_tests(self, sources):
        for src in sources:
            self.host_test(host_name(src), src)

    def analyses(self):
        for name in analyze.GATE:
            self.simple("analyze/" + name, [ROOT + "/ochre", "analyze", "--tool", name], timeout=1200)

    def litmus_tests(self):
        """tests/litmus: each comes out as it says."""
        paths = [p for p in litmus.tests() if self.wanted(litmus.name_of(p))]
        try:
            argv = litmus.herd() if paths else []
        except Fail as e:
            for p in paths:
                self.add(Result(litmus.name_of(p), "skipped", "there is no herd7: " + str(e).splitlines()[0]))
            return
        for p in paths:
            start = time.monotonic()
            wrong, text = litmus.judge(argv, p)
            self.add(Result(litmus.name_of(p), "failed" if wrong else "passed", wrong or "", text, time.monotonic() - start))

    def host_test(self, name, src):
        if not self.wanted(name):
            return
        out = os.path.join(BUILD, "test", name)
        os.makedirs(os.path.dirname(out), exist_ok=True)
        with open(src) as f:
            text = f.read()
        more = re.findall(r"sources: ([\w./ -]+)", text)
        rooms = [d for d in sorted(os.listdir(ROOT)) if os.path.isdir(os.path.join(ROOT, d, "include"))]
        argv = [self.tools["clang"], "-std=gnu11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                "-fno-omit-frame-pointer", "-Wall", "-Wno-unused-function", "-I" + ROOT]
        argv += ["-I%s/%s/include" % (ROOT, r) for r in rooms] + ["-include", ROOT + "/lib/include/lib/compiler.h"]
        argv += ["-o", out, src] + [os.path.join(ROOT, s) for s in " ".join(more).split()] + ["-lpthread", "-lm"]
        r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            self.add(Result(name, "failed", "does not compile", r.stdout))
            return
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1")
        target = os.path.basename(src)[len("host_fuzz_"):-2]
        if target in fuzz_host.sources():
            env["OCHRE_FUZZ_INPUTS"] = fuzz_host.unpack_committed(target, out + ".inputs")
        self.simple(name, [out], timeout=300, env=env)

    # --- builds ---

    def kernel(self, arch="x86_64", debug=False):
        """True when that kernel is built; the first failure is a failed test."""
        key = arch, debug
        if key not in self.broken:
            start = time.monotonic()
            name = "build/%s%s" % (arch, "-debug" if debug else "")
            try:
                build.build(self.tools, arch, debug, quiet=True)
                if os.path.getsize(build.image(arch, debug)) == 0:
                    raise Fail("the image is empty")
                self.broken[key] = ""
                self.add(Result(name, "passed", took=time.monotonic() - start))
            except (Fail, OSError) as e:
                self.broken[key] = str(e)
                self.add(Result(name, "failed", str(e)))
            if self.lanes.line:
                self.lanes.tell(("kernel", key, self.broken[key]))
        return not self.broken[key]

    def other_builds(self):
        make = build.make_argv(self.tools, "x86_64", False, False, False, [])
        if glob.glob(ROOT + "/rust/lib.rs"):
            self.simple("build/clippy", make + ["clippy"])
            self.simple("build/clippy_aarch64", build.make_argv(self.tools, "aarch64", False, False, False, []) + ["clippy"])
        self.simple("build/gcc", build.make_argv(self.tools, "x86_64", False, True, False, []), timeout=1200)
        if self.wanted("build/gcc") and os.path.exists(build.outdir("x86_64", False, True) + "/vmlinux"):
            self.simple("build/gcc_boots", [ROOT + "/ochre", "run", "--timeout", "60", "--cpus", "2", "--kernel",
                                            build.outdir("x86_64", False, True) + "/vmlinux", "--", "true"])
        if self.wanted("build/reproducible") and self.kernel():
            self.reproducible()

    def bench_gate(self):
        """No operation takes over 2 % more instructions than when bench/history.json was last recorded."""
        self.simple("bench/gate", [ROOT + "/ochre", "bench", "--gate"], timeout=1200)

    def fuzz_replays(self):
        """Parts for the committed programs of the fuzzer on the debug kernel."""
        for what in [w for w in fuzz_corpus.REPLAYS if self.wanted("fuzz/" + w)]:
            self.part("programs of the fuzzer: " + what, 2, self.on_debug, "fuzz/" + what, [ROOT + "/ochre", "fuzz", "--replay", what])
        if self.wanted("fuzz/parties") or self.wanted("fuzz/planted"):
            self.part("programs of the fuzzer: parties", 1, self.two_parties)

    def two_parties(self):
        """One after the other: a stage's machines belong to one hunt or replay at a time."""
        argv = [ROOT + "/ochre", "fuzz", "--target", "parties"]
        if self.wanted("fuzz/parties"):
            self.on_debug("fuzz/parties", [*argv, "--seed", str(fuzz_parties.SEED), "--runs", str(fuzz_parties.RUNS)])
        if self.wanted("fuzz/planted"):
            self.on_debug("fuzz/planted", [*argv, "--replay", fuzz_parties.PLANTED])

    def on_debug(self, name, argv):
        if self.kernel(debug=True):
            self.simple(name, argv, timeout=600)

    def rust_fails(self):
        """tests/rust: each fail_* must not compile, with exactly the errors that its lines say; pass_* must."""
        files = [f for f in sorted(glob.glob(ROOT + "/tests/rust/*.rs")) if self.wanted(rust_name(f))]
        if not files:
            return
        make = build.make_argv(self.tools, "x86_64", False, False, False, [])
        with Progress("drivers that must not compile"):
            r = subprocess.run(make + ["-s", "rust-command"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            command = shlex.split(r.stdout.strip().splitlines()[-1]) if r.returncode == 0 else []
            for src in files:
                start = time.monotonic()
                bad, text = (rust_errors(command, src) if command else (["the kernel crate does not build"], r.stdout))
                self.add(Result(rust_name(src), "failed" if bad else "passed", "; ".join(bad), text, time.monotonic() - start))

    def reproducible(self):
        """The tree, copied elsewhere and built again, gives the same kernel."""
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as d, Progress("build/reproducible"):
            files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, stdout=subprocess.PIPE).stdout
            tar = subprocess.Popen(["tar", "c", "--null", "-T", "-"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            untar = subprocess.Popen(["tar", "x", "-C", d], stdin=tar.stdout)
            tar.stdin.write(files)
            tar.stdin.close()
            untar.wait()
            tar.wait()
            os.makedirs(d + "/build")
            os.symlink(BUILD + "/host", d + "/build/host")
            r = subprocess.run([self.tools["make"], "-C", d, "-j%d" % (os.cpu_count() or 2)], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
            bad = [] if r.returncode == 0 else ["the build failed"]
            for name in ("vmlinux", "bzImage"):
                mine, other = build.outdir() + "/" + name, d + "/build/x86_64/" + name
                if not bad and os.path.exists(mine) and rootfs.read(mine) != rootfs.read(other):
                    bad.append(name + " differs")
        self.add(Result("build/reproducible", "failed" if bad else "passed", ", ".join(bad), r.stdout if bad else "", time.monotonic() - start))

    # --- in the kernel ---

    def vm(self, cfg, append, **kw):
        out = build.outdir(cfg.arch, cfg.debug)
        kernel = self.linux or build.image(cfg.arch, cfg.debug, firmware=kw.get("firmware"))
        kw.setdefault("memory", "512M")
        vm = qemu.Vm(self.tools, cfg.arch, kw.pop("machine", None), kw.pop("cpus", None) or cfg.cpus, kw.pop("memory"), cpu=cfg.cpu, **kw)
        vm.kernel, vm.ours = kernel, not self.linux
        vm.append = append
        return vm, os.path.join(out, "vmlinux")

    def console(self, vm, limit):
        """Boots, returns (console text, seconds, did it end by itself)."""
        start, now, died, why = time.monotonic(), Awake(), False, ""
        with run.Machine(vm) as m:
            while not m.ended() and now() < limit:
                m.wait([], 0.5)
                if not died and oops.PANIC.search(bytes(m.text[-4096:]).decode("utf-8", "replace")):
                    died, limit = True, min(limit, now() + 5)
            ended = m.ended()
            if not ended and not died:
                why = "\n" + m.autopsy(tasks=False)
        if m.proc.returncode not in (0, -signal.SIGKILL):
            why += "\nQEMU ended with status %s: %s\n" % (m.proc.returncode, m.words.decode("utf-8", "replace").strip())
        return bytes(m.text).decode("utf-8", "replace").replace("\r", "") + why, time.monotonic() - start, ended

    def ktests(self, cfg):
        if not self.kernel(cfg.arch, cfg.debug):
            return
        vm, vmlinux = self.vm(cfg, "console=%s panic=-1 loglevel=7 preempt=%s ktest" % (
            arches.ALL[cfg.arch].console, cfg.preempt))
        vm.initrd = rootfs.busybox_root(self.tools, arch=cfg.arch)
        with Progress("kernel tests, %s" % cfg):
            text, took, ended = self.console(vm, KTEST_LIMIT)
        seen, before = {}, ""
        for line in text.splitlines():
            m = re.search(r"ktest: (\w+): (ok|FAILED|skipped)(?:: (.*))?$", line)
            if not m:
                before += line + "\n"
                continue
            name, word = "kernel/" + m[1], m[2]
            seen[m[1]] = True
            if self.wanted(name):
                self.add(Result(name, {"ok": "passed", "FAILED": "failed"}.get(word, "skipped"), m[3] or "", before, where=str(cfg)))
            before = ""
        said = oops.symbolize(oops.death(text), vmlinux, self.tools)
        first = oops.REPORT.search(text)        # what comes later may be its consequence
        first = oops.symbolize("\n".join(text[first.start():].splitlines()[:30]), vmlinux, self.tools) + "...\n" if first else ""
        if not re.search(r"ktest: \d+ passed", text):
            self.add(Result("kernel/(all)", "failed", "the kernel %s after %d of them" % ("died" if said else "ended" if ended else "hangs", len(seen)),
                            said or first + "\n".join(text.splitlines()[-40:]), took, str(cfg)))

    # --- in the guest ---

    def guest_files(self, arch="x86_64"):
        """{path in the archive: (data, mode)} of every guest test, and their names in order."""
        files, names = {}, []
        all_of_them = any(f in ("guest/lock_order", "guest/no_reports", "guest/sections") for f in self.filters)
        gen = "%s/test/abi-%s" % (BUILD, arch)
        subprocess.run([ROOT + "/tools/abi-gen.py", "--arch", arch, "--out", gen], stdout=subprocess.DEVNULL)
        files["tests/testrun"] = (rootfs.read(rootfs.build_user(self.tools, "testrun", arch)), 0o755)
        if self.args.fail_nth:
            files["tests/failnth"] = (rootfs.read(rootfs.build_user(self.tools, "failnth", arch)), 0o755)
        sources = [n for n in sorted(os.path.basename(p)[:-2] for p in glob.glob(ROOT + "/tests/guest/*.c")) if self.wanted("guest/" + n) or all_of_them]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            made = pool.map(lambda n: guest_program(self.tools, n, arch, gen), sources)
            for name, (path, error) in zip(sources, made):
                if error:
                    self.add(Result("guest/" + name, "failed", "does not compile", error))
                    continue
                files["tests/run/" + name] = (rootfs.read(path), 0o755)
                names.append(name)
        for src in sorted(glob.glob(ROOT + "/tests/sh/*.sh")):
            name = os.path.basename(src)
            if self.wanted("sh/" + name[:-3]) or all_of_them:
                files["tests/run/" + name] = (rootfs.read(src), 0o644)
                if os.path.exists(src[:-3] + ".out"):
                    files["tests/run/" + name[:-3] + ".out"] = (rootfs.read(src[:-3] + ".out"), 0o644)
                names.append(name)
        return files, names

    def guest_tests(self, cfg, files, names):
        names = [n for n in names if self.only is None or self.wanted(shown("guest", n)) or again.selects(self.only, "guest/" + n)]
        if not names or not (self.linux or self.kernel(cfg.arch, cfg.debug)):
            return
        self.batches(cfg, names, rootfs.busybox_root(self.tools, extra=files, arch=cfg.arch), "guest")

    def debian_tests(self, cfg):
        """tests/debian/NAME.sh under bash in a Debian that has the packages of tests/debian/packages."""
        names = [n for n in debian_names() if self.wanted("debian/" + n)]
        if not names or not (self.linux or self.kernel(cfg.arch, cfg.debug)):
            return
        files = {"tests/testrun": (rootfs.read(rootfs.build_user(self.tools, "testrun", cfg.arch)), 0o755)}
        for n in names:
            for end in (".sh", ".out"):
                path = "%s/tests/debian/%s%s" % (ROOT, n, end)
                if os.path.exists(path):
                    files["tests/run/" + n + end] = (rootfs.read(path), 0o755 if end == ".sh" else 0o644)
        try:
            root = debian.archive(",".join(rootfs.read(ROOT + "/tests/debian/packages").decode().split()), cfg.arch, self.tools)
            initrd = rootfs.with_init(root, rootfs.read(rootfs.build_user(self.tools, "init", cfg.arch)), files)
        except Fail as e:
            self.add(Result("debian/(all)", "failed", "there is no root to run them in", str(e), where=str(cfg)))
            return
        self.batches(cfg, [n + ".sh" for n in names], initrd, "debian", " rdinit=/" + rootfs.INIT_AT,
                     qemu.fitting(cfg.arch, run.memory_for(initrd, not self.linux), initrd))

    def batches(self, cfg, names, initrd, kind, append="", memory="512M"):
        """Boots and runs the tests called names, found in /tests/run, of a kind (guest, debian); after the kernel's death the rest in a new boot."""
        left, graph, sections, reports, leaks, slower = list(names), [], [], [], [], 4 if self.args.fail_nth else 1
        while left:
            vm, vmlinux = self.vm(cfg, "console=%s panic=-1 quiet preempt=%s OCHRE=host:%s%s" % (
                arches.ALL[cfg.arch].console, cfg.preempt, arches.ALL[cfg.arch].control, append), memory=memory)
            vm.initrd = initrd
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Progress("%s tests, %s" % (kind, cfg)):
                s = run.Session(vm, ["/tests/testrun"] + (["-1"] if kind == "debian" or cfg.cpus > 8 else ["-f"] if self.args.fail_nth else []) + ["/tests/run"] + left, timeout=BATCH_LIMIT * slower, vmlinux=vmlinux, stdin=None,
                                stdout=out.fileno(), stderr=err.fileno())
                s.stall = STALL * slower
                try:
                    status = s.command()
                except Fail as e:
                    status, s.text = 2, str(e)
                out.seek(0)
                err.seek(0)
                text, errors = (f.read().decode("utf-8", "replace") for f in (out, err))
            reports += oops.reports(s.text, vmlinux, self.tools)
            graph += [l[6:] for l in text.splitlines() if l.startswith("lock: ")]
            sections += [l[9:] for l in text.splitlines() if l.startswith("section: ")]
            leaks.append([l[8:] for l in text.splitlines() if l.startswith("leaked: ")])
            done = self.guest_results(cfg, kind, text, errors, status)
            rest = [n for n in left if n not in done]
            if len(rest) == len(left):
                self.add(Result(kind + "/(all)", "failed", "no test could be started (status %d)" % status, errors or s.text[-3000:], where=str(cfg)))
                return
            left = rest
        if self.linux:
            return
        self.add(Result(kind + "/no_reports", "failed" if reports else "passed", "%d reports" % len(reports) if reports else "",
                        "\n".join(reports), where=str(cfg)))
        if cfg.debug:
            self.lock_order(kind, cfg, graph, vmlinux)
            self.no_leaks(kind, cfg, leaks, vmlinux)
            self.sections(kind, cfg, sections, vmlinux)

    def sections(self, kind, cfg, lines, vmlinux):
        """The longest sections with preemption or interrupts off that the debug kernel counted: none is longer than its limit."""
        limit = next((int(l.split()[1]) for l in lines if l.startswith("limit ")), 0)
        with open(os.path.join(ROOT, "tools/analyze/sections.toml"), "rb") as f:
            known = {(r["lock"], r["function"]) for r in tomllib.load(f).get("long", ())}
        found = sorted((l for l in lines if re.match(r"\d+ branches, ", l)), key=lambda l: -int(l.split()[0]))
        bad = [l for l in found if int(l.split()[0]) >= limit and known.isdisjoint(re.findall(r", ([^,]+), since \[<\w+>\] (\w+)", l))]
        self.add(Result(kind + "/sections", "passed" if limit and not bad else "failed", "%d too long" % len(bad) if bad else "" if limit else "the kernel was not asked",
                        oops.symbolize("\n".join((bad or found)[:8]), vmlinux, self.tools), where=str(cfg)))

    def no_leaks(self, kind, cfg, leaks, vmlinux):
        """What the debug kernel's leak scanner found at the end of each boot; the last that is there says that it was asked."""
        found = [l for boot in leaks for l in boot if l != "end"]
        n = sum(l.startswith("unreferenced object") for l in found)
        asked = leaks and "end" in leaks[-1]
        self.add(Result(kind + "/no_leaks", "passed" if asked and not found else "failed", "%d leaks" % n if found else "" if asked else "the kernel was not asked",
                        oops.symbolize("\n".join(found), vmlinux, self.tools), where=str(cfg)))

    def lock_order(self, kind, cfg, graph, vmlinux):
        """What the debug kernel saw of locks, against docs/lock-order.md."""
        if not graph:
            self.add(Result(kind + "/lock_order", "failed", "the kernel showed no graph of locks", where=str(cfg)))
            return
        bad, size = lockorder.check(graph, vmlinux)
        self.add(Result(kind + "/lock_order", "failed" if bad else "passed", "%d contradictions" % len(bad) if bad else "",
                        "\n".join([size] + bad), where=str(cfg)))

    def guest_results(self, cfg, kind, text, errors, status):
        """Reads what testrun said; returns the names that are done with."""
        done, current, lines = set(), None, []
        for line in text.splitlines():
            if line.startswith(("lock: ", "section: ", "leaked: ")):
                continue
            m = re.match(r"test (\S+) (start|again|ok|skipped|FAILED)(?: (.*))?$", line)
            if m and m[2] == "again":
                continue
            if not m:
                lines.append(line)
            elif m[2] == "start":
                current, lines = m[1], []
            else:
                done.add(m[1])
                skip = next((l for l in lines if "skipped:" in l), "") if m[2] == "skipped" else ""
                self.add(Result(shown(kind, m[1]), {"ok": "passed", "FAILED": "failed"}.get(m[2], "skipped"),
                                skip or (m[3] if m[2] == "FAILED" else ""), "\n".join(lines), where=str(cfg)))
                current, lines = None, []
        if current:
            done.add(current)
            self.add(Result(shown(kind, current), "failed", "the time was over" if status == run.TIMED_OUT else "the kernel died" if status == run.DIED
                            else "the run ended with status %d" % status, "\n".join(lines[-40:]) + "\n" + errors, where=str(cfg)))
        return done

    # --- whole boots ---

    def boot_tests(self, debugs, arch="x86_64", every=True):
        """Parts for the boots of a CPU, with EVERY also those that are the same on several: those of one processor each beside others, a few to a part."""
        todo = {}
        for path in sorted(glob.glob(ROOT + "/tests/boot/*.txt")):
            name = "boot/" + os.path.basename(path)[:-4]
            spec = boot_spec(path) if self.wanted(name) else None
            if spec and boots_on(spec, arch, every):
                for debug in [d for d in debugs if ("debug" if d else "release") in spec["build"]]:
                    todo.setdefault(min(int(spec["cpus"]), 2), []).append((name, spec, Config(debug, int(spec["cpus"]), "lazy", arch)))
        for cores, boots in todo.items():
            for i in range(0, len(boots), BOOTS_OF_A_PART):
                self.part("boots" + ("" if arch == "x86_64" else ", " + arch), cores, self.boots, boots[i:i + BOOTS_OF_A_PART])

    def boots(self, todo):
        os.makedirs(os.path.join(BUILD, "test"), exist_ok=True)
        for name, spec, cfg in todo:
            if self.wanted(name) and self.kernel(cfg.arch, cfg.debug):
                with tempfile.TemporaryDirectory(prefix="boot-", dir=os.path.join(BUILD, "test")) as folder:
                    self.boot_test(name, spec, cfg, folder)

    def boot_test(self, name, spec, cfg, folder):
        vm, vmlinux = self.vm(cfg, "console=%s panic=-1 " % arches.ALL[cfg.arch].console + ("OCHRE=host:%s " % arches.ALL[cfg.arch].control if spec["command"] else "") + spec["append"], memory=spec["memory"], machine=spec["machine"] or None, disks=blank_disk(spec["disk"], folder),
                              extra=shlex.split(spec["qemu"]), firmware=spec["firmware"] or None)
        if spec["image"] == "bzImage":
            vm.kernel = build.image("x86_64", cfg.debug, bzimage=True)
        start = time.monotonic()
        try:
            vm.initrd = make_initrd(spec["initrd"], self.tools, folder, cfg.arch)
            if spec["image"] == "efi disk":
                boot_from_disk(vm, folder)
            if spec["command"]:
                with tempfile.TemporaryFile() as out, Progress(name):
                    s = run.Session(vm, shlex.split(spec["command"]), timeout=float(spec["limit"]), vmlinux=vmlinux, stdin=None,
                                    stdout=out.fileno(), stderr=out.fileno())
                    status = s.command()
                    out.seek(0)
                    text = s.text + out.read().decode("utf-8", "replace")
            else:
                status = None
                with Progress(name):
                    text, _, ended = self.console(vm, float(spec["limit"]))
        except Fail as e:
            self.add(Result(name, "failed", str(e), where=str(cfg)))
            return
        reports = any(oops.DEATH.search(e) or oops.REPORT.search(e) for e in spec["expect"])
        text = oops.symbolize(text, vmlinux, self.tools)
        bad = ["does not say /%s/" % e for e in spec["expect"] if not re.search(e, text, re.M)]
        bad += ["says /%s/" % e for e in spec["refuse"] if re.search(e, text, re.M)]
        if spec["status"] and status is not None and str(status) != spec["status"]:
            bad.append("status %s, not %s" % (status, spec["status"]))
        self.add(Result(name, "failed" if bad else "passed", "; ".join(bad), text, time.monotonic() - start, str(cfg), reports))


def rust_name(src):
    return "build/rust_" + os.path.basename(src)[:-3]


def rust_errors(command, src):
    """What is wrong with how SRC (does not) compile, and what the compiler said. A line of it says '// error: CODE' where one must be."""
    with open(src) as f:
        want = {(n, m[1]) for n, line in enumerate(f, 1) for m in [re.search(r"// error: (\w+)", line)] if m}
    env = dict(os.environ)
    while command and "=" in command[0] and not command[0].startswith("-"):
        key, _, value = command[0].partition("=")
        env[key], command = value, command[1:]
    with tempfile.TemporaryDirectory() as d:
        r = subprocess.run(command + ["--crate-type=rlib", "--crate-name=driver", "--emit=metadata", "--out-dir", d, "--error-format=json",
                                      "-Zcrate-attr=no_std", rel(src)], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen, text = set(), []
    for line in r.stderr.splitlines():
        try:
            m = json.loads(line)
        except ValueError:
            text.append(line)
            continue
        text.append(m.get("rendered") or "")
        at = [s["line_start"] for s in m.get("spans", []) if s["is_primary"]]
        if m.get("level") == "error" and (m.get("code") or at):
            seen.add((at[0] if at else 0, m["code"]["code"] if m.get("code") else "uncoded"))  # what macros and lifetimes say has none
    bad = ["line %d: no %s" % e for e in sorted(want - seen)] + ["line %d: %s" % e for e in sorted(seen - want)]
    if os.path.basename(src).startswith("pass_") != (r.returncode == 0):
        bad.append("it compiles" if r.returncode == 0 else "it does not compile")
    if not os.path.basename(src).startswith("pass_") and not want:
        bad.append("no line says which error")
    return bad, "\n".join(text)


def shown(kind, name):
    """The name that a test of /tests/run has here."""
    return "%s/%s" % ("sh" if kind == "guest" else kind, name[:-3]) if name.endswith(".sh") else "%s/%s" % (kind, name)


def guest_program(tools, name, arch, generated):
    """(path, error): tests/guest/NAME.c compiled."""
    try:
        return rootfs.build_user(tools, name, arch, out=os.path.join(BUILD, arch, "guest", name), sources=[ROOT + "/tests/guest/%s.c" % name],
                                 flags=["-O1", "-I" + ROOT + "/tests/guest", "-I" + generated, "-Wno-maybe-uninitialized",
                                        "-Wno-stringop-overflow", "-Wno-stringop-overread", "-Wno-infinite-recursion", "-Wno-nonnull", "-Wno-array-bounds",
                                        "-Wno-unused-but-set-variable", "-Wno-unused-function"]), ""
    except Fail as e:
        return None, "\n".join(str(e).splitlines()[:20])


def host_sources():
    return sorted(glob.glob(ROOT + "/*/test/host_*.c") + glob.glob(ROOT + "/*/*/test/host_*.c"))


def host_name(src):
    room = os.path.relpath(src, ROOT).split("/test/")[0].replace("/", "_")
    return "host/%s_%s" % (room, os.path.basename(src)[5:-2])


@functools.cache
def ktest_names():
    names = []
    for d in glob.glob(ROOT + "/*/test/k_*.c") + glob.glob(ROOT + "/*/*/test/k_*.c"):
        with open(d, errors="replace") as f:
            names += re.findall(r"^KTEST\((\w+)\)", f.read(), re.M)
    for path in glob.glob(ROOT + "/drivers/**/*.rs", recursive=True) + glob.glob(ROOT + "/rust/**/*.rs", recursive=True):
        with open(path, errors="replace") as f:
            names += re.findall(r"^(?:kernel::|crate::)?ktest!\((\w+),", f.read(), re.M)
    if os.path.exists(ROOT + "/tools/rustdoc.py"):
        names += subprocess.run([sys.executable, "-B", ROOT + "/tools/rustdoc.py", "--list"], stdout=subprocess.PIPE, text=True).stdout.split()
    return sorted(set(names))


def boot_spec(path):
    """tests/boot/NAME.txt: lines 'key: value'; expect and refuse (regular expressions) may stand more than once.
    arch: CPUs, or 'every' that runs other people's programs."""
    spec = {"build": "release debug", "arch": "x86_64", "cpus": "1", "machine": "", "memory": "256M", "append": "", "initrd": "busybox", "image": "vmlinux", "firmware": "", "disk": "", "qemu": "",
            "command": "", "status": "", "limit": "120", "expect": [], "refuse": []}
    with open(path) as f:
        for line in f:
            if not line.strip() or line.startswith("#"):
                continue
            key, _, value = line.rstrip("\n").partition(": ")
            if key not in spec:
                raise Fail("%s: unknown '%s'" % (rel(path), key))
            if isinstance(spec[key], list):
                spec[key].append(value)
            else:
                spec[key] = value
    return spec


def boots_on(spec, arch, every):
    """Whether a boot is one of ARCH; those of several CPUs are with EVERY."""
    several = spec["arch"] == "every" or " " in spec["arch"]
    return (every or not several) and (arches.ALL[arch].debian if spec["arch"] == "every" else arch in spec["arch"].split())


def blank_disk(size, folder):
    """A disk image of zeros, '8M' large; nothing for ''."""
    if not size:
        return ()
    path = os.path.join(folder, "blank")
    with open(path, "wb") as f:
        f.truncate(int(size[:-1]) << 20)
    return (path,)


def boot_from_disk(vm, folder):
    """The firmware's shell starts the kernel from a FAT disk, with its command line and initrd=, instead of QEMU handing them over. Without an
    initrd the name is that of no file. A kernel that comes back ends the machine."""
    esp = os.path.join(folder, "esp")
    os.makedirs(esp)
    for name, path in (("ochre.efi", vm.kernel), ("root.cpio", vm.initrd)):
        if path:
            shutil.copyfile(path, os.path.join(esp, name))
    with open(os.path.join(esp, "startup.nsh"), "w") as f:
        f.write("fs0:\r\nochre.efi %s initrd=\\root.cpio\r\nreset -s\r\n" % vm.append)
    vm.kernel = vm.initrd = None
    vm.append = ""
    vm.extra += ["-drive", "if=none,id=esp,format=raw,readonly=on,file=fat:" + esp.replace(",", ",,"), "-device", "virtio-blk-pci,drive=esp"]


def make_initrd(kind, tools, folder, arch="x86_64"):
    """An initramfs for a boot test: 'busybox', 'none', or one that is wrong in a known way."""
    if kind == "none":
        return None
    good = rootfs.busybox_root(tools, arch=arch)
    if kind == "busybox":
        return good
    path = os.path.join(folder, "initrd")
    data = rootfs.read(good)
    if kind == "truncated":
        data = data[:len(data) // 2]
    elif kind == "garbage":
        data = bytes((i * 73 + 41) & 255 for i in range(100000))
    elif kind == "gzip":
        import gzip
        data = gzip.compress(data, 6, mtime=0)
    elif kind == "zstd":
        data = subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE).stdout
    elif kind == "badgzip":
        import gzip
        z = bytearray(gzip.compress(data, 6, mtime=0))
        z[len(z) // 2] ^= 0xff
        data = bytes(z)
    elif kind == "noinit":
        with open(path, "wb") as f:
            w = cpio.Writer(f)
            w.dir("dev")
            w.end()
        return path
    elif kind == "foreign":     # every init is a program of aarch64, but for one that no CPU has
        elf = b"\x7fELF\2\1\1" + bytes(9) + b"\2\0" + (183).to_bytes(2, "little") + bytes(44)
        with open(path, "wb") as f:
            w = cpio.Writer(f)
            w.dir("sbin")
            w.dir("bin")
            w.file("init", elf, 0o755)
            w.file("sbin/init", elf[:18] + b"\xfe\xca" + elf[20:], 0o755)
            w.file("bin/init", elf[:5] + b"\2" + elf[6:18] + b"\0\x16" + elf[20:], 0o755)
            w.file("bin/sh", "no program", 0o755)
            w.end()
        return path
    elif kind == "dotdot":
        with open(path, "wb") as f:
            w = cpio.Writer(f)
            w.dir("a")
            w.file("a/../../escaped", "x")
            w.file("../escaped", "x")
            w.end()
            f.write(data)
        return path
    elif kind in ("bomb", "tight"):         # busybox, then 100 MiB in 100 KiB, or 20 MiB in as much
        import gzip
        import io
        f = io.BytesIO()
        w = cpio.Writer(f)
        w.file(kind, bytes(100 << 20) if kind == "bomb" else bytes(i * 73 >> 7 & 255 for i in range(1 << 20)) * 20)
        w.end()
        data += gzip.compress(f.getvalue(), 6 if kind == "bomb" else 0, mtime=0)
    elif kind == "longmegs":                # busybox, then 10 MiB in a tenth of that
        import gzip
        import io
        f = io.BytesIO()
        w = cpio.Writer(f)
        lines = b"".join(b"%d %d\n" % (i, i * i % 10007) for i in range(300000))
        w.file(kind, (lines * (1 + (10 << 20) // len(lines)))[:10 << 20])
        w.end()
        data += gzip.compress(f.getvalue(), 1, mtime=0)
    elif kind == "hugesize":
        data = data.replace(b"070701", b"070701", 1)
        data = data[:54] + b"FFFFFFF0" + data[62:]
    elif kind == "hugename":
        data = data[:94] + b"FFFFFFF0" + data[102:]
    else:
        raise Fail("no initramfs of the kind '%s'" % kind)
    with open(path, "wb") as f:
        f.write(data)
    return path


# --- docs/features.md ---

def debian_names():
    return sorted(os.path.basename(s)[:-3] for s in glob.glob(ROOT + "/tests/debian/*.sh"))


def known_tests():
    """The names of all tests, for the table of features."""
    names = {"layers", "abi/numbers", "bench/gate", *("fuzz/" + r for r in fuzz_corpus.REPLAYS), "fuzz/parties", "fuzz/planted", "build/gcc", "build/gcc_boots", "build/clippy", "build/clippy_aarch64", "build/atomics_aarch64", "build/reproducible", *("build/" + a for a in ARCHES), *("build/order_" + a for a in ARCHES), "build/x86_64-debug", "guest/lock_order", "guest/no_reports", "guest/no_leaks", "guest/sections", "debian/sections", "debian/lock_order", "debian/no_reports", "debian/no_leaks"}
    names |= {"analyze/" + n for n in analyze.GATE}
    names |= {host_name(s) for s in host_sources()} | {litmus.name_of(p) for p in litmus.tests()}
    names |= {"kernel/" + n for n in ktest_names()}
    names |= {"machines/" + n for n in machines.GATE}
    names |= {"scale/" + n for n in scale.kinds()}
    names |= {rust_name(f) for f in glob.glob(ROOT + "/tests/rust/*.rs")}
    names |= {"guest/" + os.path.basename(s)[:-2] for s in glob.glob(ROOT + "/tests/guest/*.c")}
    names |= {"sh/" + os.path.basename(s)[:-3] for s in glob.glob(ROOT + "/tests/sh/*.sh")}
    names |= {"debian/" + n for n in debian_names()}
    names |= {"boot/" + os.path.basename(s)[:-4] for s in glob.glob(ROOT + "/tests/boot/*.txt")}
    names |= {"command/" + re.sub("^host_", "", os.path.basename(s)[:-3]) for s in glob.glob(ROOT + "/tests/command/*.py")}
    return names


def features():
    """Rows (feature, [tests]) of docs/features.md."""
    rows = []
    try:
        with open(ROOT + "/docs/features.md") as f:
            for line in f:
                cells = [c.strip() for c in line.strip().strip("|").split("|")]
                if line.startswith("|") and len(cells) >= 2 and not re.fullmatch(r"[-: ]+", cells[0]) and cells[0] != "What" \
                        and not cells[0].startswith("**"):
                    rows.append((cells[0], re.findall(r"[\w-]+/[\w*()-]+|\blayers\b", cells[1])))
    except OSError:
        pass
    return rows


def untested_features():
    """(rows without a test, names in rows that no test has)."""
    known = known_tests()

    def there(t):
        return t in known or t.endswith("*") and any(k.startswith(t[:-1]) for k in known)
    rows = features()
    return [f for f, tests in rows if not [t for t in tests if there(t)]], sorted({t for _, ts in rows for t in ts if not there(t)})


# --- the command ---

def list_tests(r):
    for n in sorted(known_tests()):
        if r.wanted(n):
            print(n)
    return 0


def cmd_test(args):
    if args.jobs is not None and args.jobs < 1:
        raise Fail("-j takes a number from 1 on")
    if args.list:
        return list_tests(Runner(args, None))
    if args.kernel:
        check_kernel(args.kernel, args.arch or "x86_64")
    with locked("test", None):
        wanted = [args.arch] if args.arch else ["x86_64"] if args.quick else ARCHES
        tools = setup.ensure(wanted)
        r = Runner(args, tools)
        return run_all(args, r)


def check_kernel(kernel, arch):
    if kernel == "linux":
        setup.check_linux(arch)
    elif not os.path.isfile(kernel):
        raise Fail("--kernel %s: no such file" % kernel)
    elif not arches.ALL[arch].debian:
        raise Fail("%s has no programs whose tests another kernel could run" % arch)


def run_all(args, r):
    begin = time.monotonic()
    again.forget()
    if r.filters and all(f.startswith("machines") for f in r.filters):
        for arch in [args.arch] if args.arch else ARCHES:
            machines.run(r, arch, Result)
        return verdict(args, r, begin)
    if r.filters and all(f.startswith("scale") for f in r.filters):
        r.linux = setup.reference_linux("x86_64") if args.kernel == "linux" else args.kernel
        scale.run(r, Result)
        return verdict(args, r, begin)
    if args.kernel:
        r.linux = setup.reference_linux(args.arch or "x86_64") if args.kernel == "linux" else args.kernel
    if args.fail_nth:
        return fault_tests(args, r)
    if args.kernel:
        other_kernel(args, r, args.arch or "x86_64")
    else:
        whole_run(args, r)
    r.lanes.finish()
    r.second_try()
    if not args.kernel and args.arch in (None, "x86_64"):
        report_features(r)
    return verdict(args, r, begin)


def whole_run(args, r):
    """The parts of a run, the long ones first."""
    quick = args.quick and not r.filters        # what is named is run
    builds = {d for d in (False, True) if not (args.release if d else args.debug)}
    others = [a for a in ([args.arch] if args.arch else [] if args.quick else ARCHES) if a != "x86_64"]
    if args.arch in (None, "x86_64"):
        x86_64(args, r, quick, builds)
    for arch in others:
        other_cpu(args, r, arch)
    if args.arch in (None, "x86_64"):
        this_machine(args, r, quick, builds)
        if not args.quick and not args.debug:
            r.part("instructions of operations", 1, r.bench_gate)
            r.part("other builds", ALONE, r.other_builds)


def x86_64(args, r, quick, builds):
    """The kernel of the CPU that most is tested on, in each configuration."""
    configs = [c for c in (QUICK if args.quick else FULL) if c.debug in builds]
    files, names = r.guest_files() if wants_guests(r) else ({}, [])
    if False in builds:
        r.part("memory order, x86_64", 1, order_test, r, "x86_64")
    for cfg in configs:
        if not (quick and cfg.debug and not args.debug):
            guest_part(r, cfg, files, names, args.quick)
    for cfg in [c for c in OLD_CPU if not args.quick and c.debug in builds]:
        guest_part(r, cfg, files, [n for n in names if n.startswith(OF_REGISTERS)])
    if False in builds and not args.quick:
        guest_part(r, MANY_CPUS, files, [n for n in names if n in OF_CPUS])
    for cfg in [c for c in DEBIAN if not args.quick and c.debug in builds]:
        r.part("Debian's programs, %s" % cfg, 1, r.debian_tests, cfg)
    for cfg in configs + [Config(False, n, "lazy") for n in (2, 8) if not args.quick and not args.debug]:
        kernel_part(r, cfg)
    if True in builds and not quick:
        r.fuzz_replays()
    if not quick:
        r.boot_tests(sorted(builds) if args.debug or not args.quick else [False])


def this_machine(args, r, quick, builds):
    """What needs no kernel, and what the command does with one."""
    if args.debug:
        return
    if not quick:
        command_tests(r)
        r.part("drivers that must not compile", 1, r.rust_fails)
        r.part("machines", 1, machines.run, r, "x86_64", Result)
    r.part("rules, and the command's own parts", 1, r.rules)
    sources = [s for s in host_sources() if r.wanted(host_name(s))]
    for i in range(2):
        r.part("on this machine", 1, r.host_tests, sources[i::2])
    if not quick:      # it would take a third of the five minutes
        r.part("memory order", 1, r.litmus_tests)
        r.part("analyses", ALONE, r.analyses)


def wants_guests(r):
    return not r.filters or any(r.wanted(n) for n in known_tests() if n.startswith(("guest/", "sh/")))


def kernel_part(r, cfg):
    if any(r.wanted("kernel/" + n) for n in ktest_names()):
        r.part("kernel tests, %s" % cfg, cfg.cpus, r.ktests, cfg)


def guest_part(r, cfg, files, names, halves=False):
    """Programs of a configuration. Most wait for one processor: two release kernels with several go side by side, but not two of the debug build,
    whose races are long. HALVES: as two parts, each in a machine of its own, so that a run of one configuration has both cores."""
    cores = cfg.cpus if cfg.debug else 1
    for part in [names[0::2], names[1::2]] if halves and len(names) > 1 else [names]:
        r.part("guest tests, %s" % cfg, cores, r.guest_tests, cfg, files, part)


def other_kernel(args, r, arch):
    """The programs' tests of a CPU under the kernel of --kernel."""
    files, names = r.guest_files(arch)
    for cfg in [Config(False, c, "lazy", arch) for c in ((1,) if args.quick else (1, 4))]:
        guest_part(r, cfg, files, names)
        if arch == "x86_64" or not args.quick:
            r.part("Debian's programs, %s" % cfg, 1, r.debian_tests, cfg)


def other_cpu(args, r, arch):
    """The tests of a CPU that is not the one most is tested on: all where it is asked for, else what is quick."""
    configs = OTHER if args.arch and not args.quick else OTHER_QUICK
    configs = [(Config(d, min(c, arches.ALL[arch].cpus), p, arch), g) for d, c, p, g in configs if not (args.release if d else args.debug)]
    programs = bool(arches.ALL[arch].debian)        # of others than us
    guests = programs and (args.arch or arch in GUESTS_QUICK)
    files, names = r.guest_files(arch) if guests and wants_guests(r) else ({}, [])
    for cfg, with_guests in configs:
        if guests and with_guests:
            guest_part(r, cfg, files, names)
        kernel_part(r, cfg)
    if not args.debug:
        r.part("code, " + arch, 1, what_became, r, arch)
    if args.arch and not (args.quick or args.debug):
        for cfg in [Config(False, c, "lazy", arch) for c in (2, 8) if c <= arches.ALL[arch].cpus]:
            kernel_part(r, cfg)
        for cfg in [Config(False, c, "lazy", arch) for c in (1, 4) if programs]:
            r.part("Debian's programs, %s" % cfg, 1, r.debian_tests, cfg)
    if arch in PLANTED and not args.release and not (args.quick and not r.filters):
        r.part("planted bugs, %s" % arch, 1, planted_bugs, r, arch, not args.arch)
    if not programs and not args.debug:
        r.part("first program, %s" % arch, 1, first_program, r, arch)
    if args.arch and programs and not (args.debug or args.quick and not r.filters):
        r.part("gdb, %s" % arch, ALONE, under_gdb, r, arch)
    r.boot_tests(sorted({c.debug for c, _ in configs}), arch, bool(args.arch and not args.quick))


def what_became(r, arch):
    """What memory order and atomic operations became in the kernel's code."""
    order_test(r, arch)
    if arch == "aarch64" and r.wanted("build/atomics_" + arch) and r.kernel(arch):
        r.simple("build/atomics_" + arch, [ROOT + "/tools/check-atomics", build.outdir(arch, False) + "/vmlinux"])


def order_test(r, arch):
    """What memory order becomes there."""
    if r.wanted("build/order_" + arch) and r.kernel(arch):
        r.simple("build/order_" + arch, [ROOT + "/tools/check-order", arch, build.outdir(arch, False) + "/flags"])


def verdict(args, r, begin):
    n = {o: sum(x.outcome == o for x in r.results) for o in ("passed", "unstable", "failed", "skipped")}
    status = again.say(r.results, args.strict)
    print("%d passed, " % n["passed"] + "%d unstable, " % n["unstable"] * bool(n["unstable"]) + "%d failed, %d skipped" % (n["failed"], n["skipped"])
          + " (%.0f s)" % (time.monotonic() - begin) * bool(args.verbose))
    return status or int(not (n["passed"] or n["unstable"] or r.filters))


def fault_tests(args, r):
    """The guest tests of the debug build with each system call failing at each place where it can (user/failnth.c)."""
    begin = time.monotonic()
    files, names = r.guest_files()
    for cfg in [Config(True, 1, "lazy")] if args.quick else [Config(True, 1, "lazy"), Config(True, 4, "full")]:
        guest_part(r, cfg, files, [n for n in names if n not in NOT_WITH_FAULTS and not n.endswith(".sh")])
    r.lanes.finish()
    return verdict(args, r, begin)


def command_tests(r):
    """Parts for what ./ochre run does, with our kernel."""
    for src in sorted(glob.glob(ROOT + "/tests/command/*.py")):
        name = os.path.basename(src)[:-3]
        if name not in ("expect", "first") and not name.startswith("host_") and r.wanted("command/" + name):
            r.part("the command: " + name, ALONE if name in CROWD else 1, command_test, r, name, src)


def command_test(r, name, src):
    with open(src) as f:
        debug = "x86_64-debug" in f.read()      # it boots that kernel
    if r.kernel(debug=debug):
        r.simple("command/" + name, [sys.executable, "-B", src], timeout=600)


def first_program(r, arch):
    if r.wanted("command/first") and r.kernel(arch):
        r.simple("command/first", [sys.executable, "-B", ROOT + "/tests/command/first.py", "--arch", arch], arch, timeout=300)


def under_gdb(r, arch):
    if r.wanted("command/gdb") and r.kernel(arch):
        r.simple("command/gdb", [sys.executable, "-B", ROOT + "/tests/command/gdb.py", "--arch", arch], arch, timeout=900)


def planted_bugs(r, arch, short):
    """Another CPU's debug build says what was planted."""
    if r.wanted("command/planted") and r.kernel(arch, True):
        r.simple("command/planted", [sys.executable, "-B", ROOT + "/tests/command/planted.py", "--arch", arch] + ["--short"] * short, arch, timeout=900)


def report_features(r):
    if r.filters:
        return
    bare, unknown = untested_features()
    if unknown:
        r.add(Result("docs/features", "failed", "names tests that do not exist: " + ", ".join(unknown)))
    elif features():
        r.add(Result("docs/features", "passed"))
    if bare:
        print("features without a test (docs/features.md):")
        for f in bare:
            print("  - " + f)
