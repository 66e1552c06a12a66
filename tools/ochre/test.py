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

from . import accel, again, arches, budget, build, catalogue, cpio, debian, disk, fuzz_host, fuzz_parties, lanes, litmus, lockorder, machines, modules, oops, plan, qemu, rootfs, run, sample, scale, setup, starved
from .again import Result
from .plan import ALONE, Config
from .util import ARCHES, BUILD, Fail, Progress, ROOT, digest, locked, rel

GUEST_SKIP = 77
# Seconds, for hangs alone: several times what all takes on a host that is free. user/testrun.c gives a run of a test 1000, and says when the next begins.
KTEST_LIMIT, BATCH_LIMIT, STALL, PROGRAM_LIMIT, LONG_LIMIT = 900, 5400, 1045, 1800, 3600


BOOTS_OF_A_PART = 12
BOOT_SLICES = 3         # of the debug build's boots that the release build has too


class Part:
    """A part of a run: FN(*ARGS). FIRST: the part of which it is the second try."""

    def __init__(self, title, fn, args, first=None):
        self.title, self.fn, self.args, self.first, self.results, self.took = title, fn, args, first, [], 0.0
        self.share = 1.0        # of the machine


class Runner:
    def __init__(self, args, tools):
        self.args, self.tools, self.results = args, tools, []
        self.filters = args.filter
        self.only = None        # in a second try: the names that it is for
        self.broken = {}        # (arch, debug) -> why there is no kernel
        self.linux = None
        self.parts = []
        whole = not (self.filters or args.full or args.quick or args.arch or args.kernel or args.fail_nth)
        self.sample = sample.Sample(sample.seed_of(args.seed) if whole else None)
        os.environ[starved.PATIENT] = "1"
        os.environ.setdefault(accel.VARIABLE, "tcg")
        if args.seed or args.full:      # a test that is named takes its own share as that run did
            os.environ[sample.OF_RUN] = sample.ALL if args.full else sample.seed_of(args.seed)
        self.lanes = lanes.Lanes(args.jobs or os.cpu_count() or 1, self.take, self.group)

    def wanted(self, name):
        if self.only is not None:
            return again.selects(self.only, name)
        return not self.filters or any(f in name for f in self.filters)

    def part(self, title, cores, fn, *args):
        """FN(*ARGS) is a part of the run that keeps so many CORES busy; it is done by lanes.finish(), beside others."""
        self.parts.append(Part(title, fn, args))
        self.parts[-1].share = min(cores, self.lanes.cores) / self.lanes.cores
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
        for r in failed:
            r.second = again.NOT_AGAIN
            again.keep(r, "first")
        todo = [(p, again.to_retry(p.results)) for p in self.parts]
        todo = [(p, names) for p, names in todo if names]
        if not todo:
            return
        if len(failed) > again.MOST:
            print("%d tests failed: none is run again" % len(failed))
            for r in failed:
                r.second = "not run again: too many failed"
            return
        print("once more, alone: " + ", ".join(sorted(set().union(*(names for _, names in todo)))))
        tries = [Part("once more, alone: " + p.title, p.fn, p.args, p) for p, _ in todo]
        for p, (_, names) in zip(tries, todo):
            self.lanes.add(p, ALONE, self.timed, p.title, self.one_more, names, p.fn, *p.args)
        self.lanes.finish()
        for p in tries:
            for r in p.first.results + p.results:
                if r in p.results and r.name in again.to_retry(p.first.results):
                    again.keep(r, "second")
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

    def simple(self, name, argv, where="", timeout=PROGRAM_LIMIT, env=None):
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

    def rules(self, left_out=()):
        """The tree's rules, and those tests of the command that start no kernel of ours, but for LEFT_OUT."""
        self.simple("layers", [ROOT + "/tools/check-layers"])
        self.simple("form", [ROOT + "/tools/check-form"])
        self.simple("abi/numbers", [ROOT + "/tools/abi-gen.py", "--check", self.tools["uapi"]])
        for cpu in ("x86_64", "aarch64", "riscv64", "loongarch64", "sparc64", "alpha"):
            self.simple("abi/generate_" + cpu, [ROOT + "/tools/abi-gen.py", "--arch", cpu, "--out", "%s/test/abi-%s" % (BUILD, cpu)])
        for src in sorted(set(glob.glob(ROOT + "/tests/command/host_*.py")) - set(left_out)):
            self.simple("command/" + os.path.basename(src)[5:-3], [sys.executable, "-B", src])

    def host_tests(self, sources):
        for src in sources:
            self.host_test(catalogue.host_name(src), src)

    def analyses(self, names):
        for name in names:
            self.simple("analyze/" + name, [ROOT + "/ochre", "analyze", "--tool", name], timeout=LONG_LIMIT)

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
        argv += ["-o", out, src] + [os.path.join(ROOT, s) for s in " ".join(more).split()]
        try:
            argv += [fuzz_host.rust_library(self.tools, c, "%s_%d" % (out, i)) for i, c in enumerate(fuzz_host.rust_of(text))]
        except Fail as e:
            self.add(Result(name, "failed", "does not compile", str(e)))
            return
        argv += ["-lpthread", "-lm"]
        if "/* judge: zydis */" in text:
            try:
                judge = setup.find_zydis()
            except Fail as e:
                self.add(Result(name, "skipped", "there is no libzydis: " + str(e).splitlines()[0]))
                return
            libraries = judge + "/usr/lib/x86_64-linux-gnu"
            argv += ["-I%s/usr/include" % judge, "-L" + libraries, "-lZydis", "-lZycore", "-Wl,-rpath," + libraries]
        r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            self.add(Result(name, "failed", "does not compile", r.stdout))
            return
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1")
        if self.args.full:
            env["OCHRE_FULL"] = "1"
        target = os.path.basename(src)[len("host_fuzz_"):-2]
        if target in fuzz_host.sources():
            env["OCHRE_FUZZ_INPUTS"] = fuzz_host.unpack_committed(target, out + ".inputs")
        self.simple(name, [out], env=env)

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

    def kernels(self, arch, debugs):
        for debug in debugs:
            self.kernel(arch, debug)

    def other_builds(self, kinds):
        make = build.make_argv(self.tools, "x86_64", False, False, False, [])
        if glob.glob(ROOT + "/rust/lib.rs"):
            self.simple("build/clippy", make + ["clippy"])
        if "clippy_aarch64" in kinds and glob.glob(ROOT + "/rust/lib.rs"):
            self.simple("build/clippy_aarch64", build.make_argv(self.tools, "aarch64", False, False, False, []) + ["clippy"])
        if "gcc" in kinds:
            self.gcc()
        if "reproducible" in kinds and self.wanted("build/reproducible") and self.kernel():
            self.reproducible()

    def gcc(self):
        self.simple("build/gcc", build.make_argv(self.tools, "x86_64", False, True, False, []), timeout=LONG_LIMIT)
        if self.wanted("build/gcc") and os.path.exists(build.outdir("x86_64", False, True) + "/vmlinux"):
            self.simple("build/gcc_boots", [ROOT + "/ochre", "run", "--timeout", "300", "--cpus", "2", "--kernel",
                                            build.outdir("x86_64", False, True) + "/vmlinux", "--", "true"])

    def bench_gate(self):
        """No operation takes over 2 % more instructions than when bench/history.json was last recorded."""
        self.simple("bench/gate", [ROOT + "/ochre", "bench", "--gate"], timeout=LONG_LIMIT)

    def replay(self, what):
        self.on_debug("fuzz/" + what, [ROOT + "/ochre", "fuzz", "--replay", what])

    def two_parties(self):
        """One after the other: a stage's machines belong to one hunt or replay at a time."""
        argv = [ROOT + "/ochre", "fuzz", "--target", "parties"]
        if self.wanted("fuzz/parties"):
            self.on_debug("fuzz/parties", [*argv, "--seed", str(fuzz_parties.SEED), "--runs", str(fuzz_parties.RUNS)])
        if self.wanted("fuzz/planted"):
            self.on_debug("fuzz/planted", [*argv, "--replay", fuzz_parties.PLANTED])

    def on_debug(self, name, argv):
        if self.kernel(debug=True):
            self.simple(name, argv)

    def rust_fails(self):
        """tests/rust: each fail_* must not compile, with exactly the errors that its lines say; pass_* must."""
        files = [f for f in sorted(glob.glob(ROOT + "/tests/rust/*.rs")) if self.wanted(catalogue.rust_name(f))]
        if not files:
            return
        make = build.make_argv(self.tools, "x86_64", False, False, False, [])
        with Progress("drivers that must not compile"):
            r = subprocess.run(make + ["-s", "rust-command"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            command = shlex.split(r.stdout.strip().splitlines()[-1]) if r.returncode == 0 else []
            for src in files:
                start = time.monotonic()
                bad, text = (rust_errors(command, src) if command else (["the kernel crate does not build"], r.stdout))
                self.add(Result(catalogue.rust_name(src), "failed" if bad else "passed", "; ".join(bad), text, time.monotonic() - start))

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
        start, now, died, why = time.monotonic(), starved.Clock(), False, ""
        with run.Machine(vm) as m:
            m.explain, now.host = True, m.host
            while not m.ended() and now() < limit:
                m.wait([], 0.5)
                if not died and oops.PANIC.search(bytes(m.text[-4096:]).decode("utf-8", "replace")):
                    died, limit = True, min(limit, now() + 20)
            ended = m.ended()
            if not ended and not died:
                why = "\n" + m.autopsy(tasks=False)
        if m.proc.returncode not in (0, -signal.SIGKILL):
            why += "\nQEMU ended with status %s: %s\n" % (m.proc.returncode, m.words.decode("utf-8", "replace").strip())
        text = bytes(m.text).decode("utf-8", "replace").replace("\r", "")
        return text + why + ("\n" + m.host.line(text)).rstrip("\n"), time.monotonic() - start, ended

    def ktests(self, cfg):
        if not self.kernel(cfg.arch, cfg.debug):
            return
        vm, vmlinux = self.vm(cfg, "console=%s panic=-1 loglevel=7 preempt=%s ktest" % (
            arches.ALL[cfg.arch].console, cfg.preempt))
        vm.initrd = rootfs.busybox_root(self.tools, arch=cfg.arch)
        vm.extra += ["-device", "edu"] if cfg.arch == "x86_64" else []      # drivers/pci/test/edu.rs
        with Progress("kernel tests, %s" % cfg):
            text, took, ended = self.console(vm, KTEST_LIMIT)
        seen, before, busy = {}, "", "".join(l + "\n" for l in text.splitlines() if l.startswith(starved.SAYS))
        for line in text.splitlines():
            m = re.search(r"ktest: (\w+): (ok|FAILED|skipped)(?:: (.*))?$", line)
            if not m:
                before += line + "\n"
                continue
            name, word = "kernel/" + m[1], m[2]
            seen[m[1]] = True
            if self.wanted(name):
                self.add(Result(name, {"ok": "passed", "FAILED": "failed"}.get(word, "skipped"), m[3] or "", before + busy, where=str(cfg)))
            before = ""
        said = oops.symbolize(oops.death(text), vmlinux, self.tools)
        first = oops.REPORT.search(text)        # what comes later may be its consequence
        first = oops.symbolize("\n".join(text[first.start():].splitlines()[:30]), vmlinux, self.tools) + "...\n" if first else ""
        if not re.search(r"ktest: \d+ passed", text):
            self.add(Result("kernel/(all)", "failed", "the kernel %s after %d of them" % ("died" if said else "ended" if ended else "hangs", len(seen)),
                            (said or first + "\n".join(text.splitlines()[-40:]) + "\n") + busy, took, str(cfg)))

    # --- in the guest ---

    def guests_compile(self, arch):
        """Every guest test compiles for a CPU with its C library, also those that no part runs there."""
        gen, bad, start = guest_headers(arch), [], time.monotonic()
        for name in sorted(os.path.basename(p)[:-2] for p in glob.glob(ROOT + "/tests/guest/*.c")):
            error = guest_program(self.tools, name, arch, gen)[1]
            if error:
                bad.append(error)
        self.add(Result("build/guests_" + arch, "failed" if bad else "passed", "%d do not compile" % len(bad) if bad else "", "\n".join(bad), time.monotonic() - start))

    def guest_files(self, arch="x86_64"):
        """{path in the archive: (data, mode)} of every guest test, and their names in order."""
        files, names = {}, []
        all_of_them = any(f in ("guest/lock_order", "guest/no_leaks", "guest/no_reports", "guest/sections") for f in self.filters)
        gen = guest_headers(arch)
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
        if self.args.kernel == "linux":
            files = {**files, **disk.modules(cfg.arch, disk.OF_TESTS, "tests/modules")}
        else:
            modules.install(cfg.arch, cfg.debug)
            files = {**files, **rootfs.below("lib/modules", modules.plain(cfg.arch, cfg.debug))}
        self.batches(cfg, names, rootfs.busybox_root(self.tools, extra=files, arch=cfg.arch), "guest")

    def debian_tests(self, cfg, names):
        """tests/debian/NAME.sh under bash in a Debian that has the packages of tests/debian/packages."""
        names = [n for n in names if self.wanted("debian/" + n)]
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
        left, graph, sections, reports, leaks, slower = ordered(names, self.args.order), [], [], [], [], 4 if self.args.fail_nth else 1
        while left:
            vm, vmlinux = self.vm(cfg, "console=%s panic=-1 quiet preempt=%s OCHRE=host:%s%s" % (
                arches.ALL[cfg.arch].console, cfg.preempt, arches.ALL[cfg.arch].control, append), memory=memory)
            vm.initrd = initrd
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Progress("%s tests, %s" % (kind, cfg)):
                s = run.Session(vm, ["/tests/testrun"] + (["-1"] if kind == "debian" or cfg.cpus > 8 else ["-f"] if self.args.fail_nth else []) + ["/tests/run"] + left, timeout=BATCH_LIMIT * slower, vmlinux=vmlinux, stdin=None,
                                stdout=out.fileno(), stderr=err.fileno())
                s.stall = STALL * slower
                said = ""
                try:
                    status = s.command()
                except Fail as e:
                    status, said = 2, str(e)
                out.seek(0)
                err.seek(0)
                text, errors = (f.read().decode("utf-8", "replace") for f in (out, err))
            errors += said
            reports += oops.reports(s.text, vmlinux, self.tools) + [s.host] * bool(s.host)
            graph += [l[6:] for l in text.splitlines() if l.startswith("lock: ")]
            sections += [l[9:] for l in text.splitlines() if l.startswith("section: ")]
            leaks.append([l[8:] for l in text.splitlines() if l.startswith("leaked: ")])
            done = self.guest_results(cfg, kind, text, errors, status)
            rest = [n for n in left if n not in done]
            if len(rest) == len(left):
                self.add(Result(kind + "/(all)", "failed", "no test could be started (status %d)" % status, errors + s.text[-3000:], where=str(cfg)))
                return
            left = rest
        if self.linux:
            return
        self.add(Result(kind + "/no_reports", "failed" if reports else "passed", "%d reports" % sum(not l.startswith(starved.SAYS) for l in reports) if reports else "",
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
                                skip or (m[3] if m[2] == "FAILED" else ""), "\n".join(lines), seconds_of(m[3]), str(cfg)))
                current, lines = None, []
        if current:
            done.add(current)
            self.add(Result(shown(kind, current), "failed", "the time was over" if status == run.TIMED_OUT else "the kernel died" if status == run.DIED
                            else "the run ended with status %d" % status, "\n".join(lines[-40:]) + "\n" + errors, where=str(cfg)))
        return done

    # --- whole boots ---

    def boot_tests(self, debugs, arch="x86_64", every=True):
        """Parts for the boots of a CPU, with EVERY also those that are the same on several: those of one processor each beside others, a few to a part."""
        todo, specs = {}, {}
        for path in sorted(glob.glob(ROOT + "/tests/boot/*.txt")):
            name = "boot/" + os.path.basename(path)[:-4]
            spec = boot_spec(path) if self.wanted(name) else None
            if spec and boots_on(spec, arch, every):
                specs[name] = spec
        both = [n for n, s in specs.items() if "release" in s["build"] and "debug" in s["build"]]
        left_out = set(both) - set(self.sample.share("boots of the debug build", both, BOOT_SLICES))
        for name, spec in specs.items():
            for debug in [d for d in debugs if ("debug" if d else "release") in spec["build"] and not (d and name in left_out)]:
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


def ordered(names, order):
    """NAMES as --order wants them: backwards, or shuffled by its word. One test leaves nothing behind that another would see."""
    if not order:
        return list(names)
    return list(names)[::-1] if order == "reverse" else sorted(names, key=lambda n: digest(order, n))


def seconds_of(said):
    """How long a test took, by the rest of its line: "1234 ms, ..."."""
    m = re.match(r"(\d+) ms", said or "")
    return int(m[1]) / 1000 if m else 0.0


def shown(kind, name):
    """The name that a test of /tests/run has here."""
    return "%s/%s" % ("sh" if kind == "guest" else kind, name[:-3]) if name.endswith(".sh") else "%s/%s" % (kind, name)


def guest_headers(arch):
    """The folder with what tests/guest includes that is made from the tables of the ABI."""
    gen = "%s/test/abi-%s" % (BUILD, arch)
    subprocess.run([ROOT + "/tools/abi-gen.py", "--arch", arch, "--out", gen], stdout=subprocess.DEVNULL)
    return gen


def guest_program(tools, name, arch, generated):
    """(path, error): tests/guest/NAME.c compiled."""
    try:
        return rootfs.build_user(tools, name, arch, out=os.path.join(BUILD, arch, "guest", name), sources=[ROOT + "/tests/guest/%s.c" % name],
                                 flags=["-O1", "-I" + ROOT + "/tests/guest", "-I" + generated, "-Wno-maybe-uninitialized",
                                        "-Wno-stringop-overflow", "-Wno-stringop-overread", "-Wno-infinite-recursion", "-Wno-nonnull", "-Wno-array-bounds",
                                        "-Wno-unused-but-set-variable", "-Wno-unused-function"]), ""
    except Fail as e:
        return None, "\n".join(str(e).splitlines()[:20])


def boot_spec(path):
    """tests/boot/NAME.txt: lines 'key: value'; expect and refuse (regular expressions) may stand more than once.
    arch: CPUs, or 'every' that runs other people's programs."""
    spec = {"build": "release debug", "arch": "x86_64", "cpus": "1", "machine": "", "memory": "256M", "append": "", "initrd": "busybox", "image": "vmlinux", "firmware": "", "disk": "", "qemu": "",
            "command": "", "status": "", "limit": "360", "expect": [], "refuse": []}
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


# --- the command ---

def list_tests(r):
    for n in sorted(catalogue.known_tests()):
        if r.wanted(n):
            print(n)
    return 0


def cmd_test(args):
    if args.jobs is not None and args.jobs < 1:
        raise Fail("-j takes a number from 1 on")
    if args.turn:
        check_turn(args)
    if args.list:
        return list_tests(Runner(args, None))
    if args.kernel:
        check_kernel(args.kernel, args.arch or "x86_64")
    with locked("test", None):
        wanted = [args.arch] if args.arch else ["x86_64"] if args.quick else ARCHES
        tools = setup.ensure(wanted)
        r = Runner(args, tools)
        status = run_all(args, r)
        return turned(args.seed, status) if args.turn else status


def check_turn(args):
    """--turn is a whole run, of the word after that in tests/seed."""
    other = [o for o, given in (("--seed", args.seed), ("--arch", args.arch), ("--quick", args.quick), ("--full", args.full), ("--debug", args.debug), ("--release", args.release),
                                ("--kernel", args.kernel), ("--fail-nth", args.fail_nth), ("--list", args.list), ("a filter", args.filter)) if given]
    if other:
        raise Fail("--turn takes the next sample of a whole run: not with " + other[0])
    os.environ.pop(sample.OF_RUN, None)
    args.seed = sample.after(sample.seed_of(None))


def turned(seed, status):
    """What a run of --turn ends with: the tree has the new word if nothing failed."""
    if status:
        print("tests/seed keeps its word: the run of %s is not green; --turn takes it again" % seed)
    else:
        sample.keep(seed)
        print("tests/seed: %s now; commit it" % seed)
    return status


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
        plan.other_kernel(args, r, args.arch or "x86_64")
    else:
        p = plan.Plan(args, r)
        if r.sample.seed:
            print(p.says())
        p.add()
    r.lanes.finish()
    r.second_try()
    if not args.kernel and args.arch in (None, "x86_64"):
        report_features(r)
    return verdict(args, r, begin)


def verdict(args, r, begin):
    n = {o: sum(x.outcome == o for x in r.results) for o in ("passed", "unstable", "failed", "skipped")}
    status = again.say(r.results, args.strict, lambda x: plan.repeat(x, args, r.sample.seed))
    say_budget(args, r, time.monotonic() - begin)
    print("%d passed, " % n["passed"] + "%d unstable, " % n["unstable"] * bool(n["unstable"]) + "%d failed, %d skipped" % (n["failed"], n["skipped"])
          + " (%.0f s)" % (time.monotonic() - begin) * bool(args.verbose))
    return status or int(not (n["passed"] or n["unstable"] or r.filters))


def say_budget(args, r, seconds):
    """The parts of a whole run that exceeded their minutes."""
    if args.quick and not r.filters and seconds > budget.QUICK * budget.OVER * 60:
        print("a quick run took %.1f minutes, not %d (%s)" % (seconds / 60, budget.QUICK, budget.TABLE))
    if r.sample.seed:
        for line in budget.lines([(p.title, p.took, p.share) for p in r.parts], args.verbose):
            print(line)


def fault_tests(args, r):
    begin = time.monotonic()
    plan.fault_parts(args, r)
    r.lanes.finish()
    return verdict(args, r, begin)


def report_features(r):
    if r.filters and not any(f in "docs/features" for f in r.filters):
        return
    bare, unknown = catalogue.untested_features()
    if unknown:
        r.add(Result("docs/features", "failed", "names tests that do not exist: " + ", ".join(unknown)))
    elif catalogue.features():
        r.add(Result("docs/features", "passed"))
    if bare:
        print("features without a test (docs/features.md):")
        for f in bare:
            print("  - " + f)
