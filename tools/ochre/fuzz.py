# SPDX-License-Identifier: MIT
"""Fuzzing: machines that run programs of system calls on the debug kernel, and the decoders' targets on this one."""
import collections
import glob
import json
import os
import random
import re
import subprocess
import sys
import time

from . import build, fuzz_corpus, fuzz_cover, fuzz_host, fuzz_parties, fuzz_replay, fuzz_virtio, fuzz_vm, oops, report, setup
from .util import BUILD, Fail, ROOT, awake, digest, locked, rel

OUT = os.path.join(BUILD, "fuzz")
TURN = 600          # seconds a machine hunts
CORPUS = 1500       # programs it begins with: it runs each of them first
OWN = 200           # numbers of machines that hunt in a folder of their own begin here
# Jobs of a machine, for each of its processors: one works while the other waits for a call to come back.
JOBS = 2


def kind_of(slot, turn):
    """What machine stands in a slot, a processor of this host's, during a turn: (processors, memory, jobs), or None beside one of two
    processors, which finds races. Little memory runs out, and it is programs that free what is not in use then, while elsewhere it is kswapd,
    which nobody traces."""
    pair, second = divmod(slot, 2)
    turn = (turn + pair) % 4
    if turn == 1:
        return None if second else (2, fuzz_vm.MEMORY, 2 * JOBS)
    if turn == 2 + second:
        return 1, fuzz_vm.LITTLE, 1
    return 1, fuzz_vm.MEMORY, JOBS


def seconds(text):
    m = re.fullmatch(r"(\d+)([smhd]?)", text or "")
    if not m or not int(m[1]):
        raise Fail("--time takes a number of seconds, or one like 30m, 8h, 2d, not '%s'" % text)
    return int(m[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[m[2]]


def number(text, what, least=1):
    try:
        n = int(text, 0)
    except ValueError:
        n = least - 1
    if n < least:
        raise Fail("%s takes a number of at least %d, not '%s'" % (what, least, text))
    return n


def binaries(tools, debug=True):
    """Builds the kernel and the fuzzer: (vmlinux, the guest's program, this machine's tool)."""
    top = build.outdir("x86_64", debug)
    build.build(tools, "x86_64", debug, quiet=True)
    build.build(tools, "x86_64", debug, quiet=True, targets=[os.path.join(os.path.relpath(top, ROOT), "fuzz", n) for n in ("fuzz", "tool", "setuid")])
    return os.path.join(top, "vmlinux"), os.path.join(top, "fuzz", "fuzz"), os.path.join(top, "fuzz", "tool")


class Crash:
    """A folder below crashes of a target's: the console, what ran, what it was."""

    @staticmethod
    def keep(machine, kind, vmlinux, tools, facts, top=None):
        text = report.clean(machine.console.decode(errors="replace"))
        found = report.read(text, vmlinux, tools)
        title = found[0].title if found else kind
        mark = found[0].fingerprint if found else digest(kind)
        path = os.path.join(top or fuzz_corpus.DIR, "crashes", mark)
        new = not os.path.isdir(path)
        os.makedirs(path, exist_ok=True)
        info = {"title": title, "fingerprint": mark, "times": 1, **facts}
        known = os.path.join(path, "info.json")
        if not new and os.path.exists(known):
            try:
                with open(known) as f:
                    info["times"] = json.load(f).get("times", 0) + 1
            except ValueError:
                pass
        n = info["times"]
        if n <= 5:          # more of the same tell nothing
            with open(os.path.join(path, "console%d.log" % n), "w") as f:
                f.write(oops.symbolize(text, vmlinux, tools))
            for i, (_, program) in enumerate(machine.last_programs()):
                with open(os.path.join(path, "program%d-%d.txt" % (n, i)), "w") as f:
                    f.write(program)
        with open(known + ".new", "w") as f:
            json.dump(info, f, indent=1)
        os.rename(known + ".new", known)
        return new, title, path


class Hunt:
    """Machines that hunt until the time is over, enough programs ran, or somebody says stop."""

    def __init__(self, tools, corpus, always, jobs, seed, icount, args):
        self.tools, self.seed, self.icount, self.append, self.first = tools, seed, icount, args.append, args.first
        self.only = args.calls
        self.limit, self.runs = seconds(args.time or "30m"), number(args.runs, "--runs") if args.runs else 0
        self.number = OWN if args.out else 0
        self.vmlinux, self.binary, self.tool = binaries(tools)
        self.corpus = corpus
        self.mark = fuzz_cover.mark_of(self.vmlinux)
        self.places = fuzz_cover.read_places(fuzz_corpus.PLACES, self.mark)
        self.slots = [None] * jobs
        self.started = time.monotonic()
        self.boots = self.new_programs = self.crashes = self.kinds = 0
        self.always = [fuzz_corpus.name_of(p) for p in always]
        self.hungry = [(fuzz_corpus.name_of(p), p) for p in fuzz_corpus.committed(self.tool, fuzz_corpus.LITTLE_MEMORY)]
        self.record, self.commit = args.record, fuzz_corpus.commit_of_tree()
        self.last_ran, self.base = 0, {"programs": 0, "calls": 0}
        self.titles = {}

    def turn(self):
        return int((time.monotonic() - self.started) // TURN)

    def boot(self, i):
        turn = self.turn()
        kind = (1, fuzz_vm.MEMORY, 1) if self.icount else kind_of(i, turn)
        if not kind:
            return
        cpus, memory, jobs = kind
        seed = self.seed + self.boots * 1000
        self.boots += 1
        path = os.path.join(OUT, "vm%d.cpio" % (self.number + i))
        os.makedirs(OUT, exist_ok=True)
        runs = "0"
        if self.runs:
            runs = str(max((self.runs - self.total("programs")) // (jobs * len(self.slots)), 1))
        begin = self.corpus.some(CORPUS, random.Random(seed), self.always) + (self.hungry if memory == fuzz_vm.LITTLE else [])
        begin = [(n, p) for n, p in begin if self.only.encode() in p]
        fuzz_vm.initrd(path, self.binary, (["only=" + self.only] if self.only else []) + ["hunt", "/corpus", str(seed), runs, str(jobs)], sorted(set(begin)), memory=memory)
        m = fuzz_vm.Machine(self.tools, self.number + i, self.vmlinux, path, cpus=cpus, memory=memory, icount=self.icount, append=self.append)
        m.seed, m.jobs, m.turn, m.scan = seed, {}, turn, oops.Scan()
        m.job_heard = [awake()] * jobs
        self.slots[i] = m

    def total(self, what):
        k = {"programs": 1, "calls": 2, "timeouts": 3, "killed": 4}[what]
        return self.base.get(what, 0) + sum(f[k] for m in self.slots if m for f in m.jobs.values())

    def close(self, i, reports=0):
        """Ends a machine; what it ran is in the ledgers from here on."""
        m = self.slots[i]
        for what, k in (("programs", 1), ("calls", 2), ("timeouts", 3), ("killed", 4)):
            self.base[what] = self.base.get(what, 0) + sum(f[k] for f in m.jobs.values())
        self.last_ran = sum(f[1] for f in m.jobs.values())
        for path in [os.path.join(fuzz_corpus.DIR, "ledger.csv")] + ([fuzz_corpus.LEDGER] if self.record else []):
            if self.last_ran:
                fuzz_corpus.record([[self.commit, "syscalls", m.seed, self.last_ran, reports]], path)
        self.slots[i] = None
        m.stop()

    def crash(self, i, kind):
        m = self.slots[i]
        end = time.monotonic() + 2      # what else it says
        while time.monotonic() < end and not m.dead():
            self.take(m)
        new, title, path = Crash.keep(m, kind, self.vmlinux, self.tools, {"commit": self.commit, "seed": m.seed, "memory": m.memory})
        self.crashes += 1
        self.kinds += new
        self.titles[title] = path
        sys.stderr.write("%s%s: %s\n" % ("\r\x1b[K" if sys.stderr.isatty() else "", "new" if new else "again", title + " (" + rel(path) + ")"))
        self.close(i, 1)

    def take(self, m):
        for kind, what in m.step():
            if kind == "S" and len(what) == 6:
                m.jobs[what[0]] = what
                if what[0] < len(m.job_heard):
                    m.job_heard[what[0]] = awake()
            elif kind == "P":
                self.places.update(what)
            elif kind == "C":
                self.new_programs += self.corpus.add(what)

    def watch(self, i):
        m = self.slots[i]
        self.take(m)
        if m.scan.found(m.console):
            self.crash(i, "a report")
        elif m.ended is not None or m.dead():
            self.take(m)
            if m.ended == "status 0":
                self.close(i)
                return False
            self.crash(i, "the fuzzer ended: " + (m.ended or "the machine is gone"))
        elif awake() - min(m.job_heard) > fuzz_vm.HUNG:
            self.crash(i, "hang: no word for %d s" % fuzz_vm.HUNG)
        elif not self.runs and m.turn != self.turn():
            self.close(i)       # the next one begins with what the others learnt
        return True

    def enough(self):
        """A machine that counts instructions is left to end by itself: when this process hears of its figures is chance."""
        return self.first and self.crashes or self.runs and not self.icount and self.total("programs") >= self.runs

    def line(self):
        took = max(time.monotonic() - self.started, 1)
        return "%d:%02d:%02d  %d programs, %.0f/s  %d calls  %d places  corpus %d (+%d)  %d crashes, %d new" % (
            took // 3600, took // 60 % 60, took % 60, self.total("programs"), self.total("programs") / took, self.total("calls"),
            len(self.places), len(self.corpus.names), self.new_programs, self.crashes, self.kinds)

    def go(self):
        shown = saved = 0
        failures = 0
        try:
            while time.monotonic() - self.started < self.limit and not self.enough():
                for i, m in enumerate(self.slots):
                    if m is None:
                        self.boot(i)
                        continue
                    before = self.crashes
                    if not self.watch(i) and self.runs:
                        return
                    if self.crashes > before and not self.last_ran:
                        failures += 1
                        if failures > 5:
                            raise Fail("machines end before they run a program: see %s" % rel(os.path.join(fuzz_corpus.DIR, "crashes")), 1)
                    elif self.crashes > before:
                        failures = 0
                if sys.stderr.isatty() or time.monotonic() - shown > 30:
                    sys.stderr.write(("\r\x1b[K%s" if sys.stderr.isatty() else "%s\n") % self.line())
                    sys.stderr.flush()
                    shown = time.monotonic()
                if time.monotonic() - saved > 60:
                    fuzz_cover.write_places(fuzz_corpus.PLACES, self.mark, self.places)
                    saved = time.monotonic()
        except KeyboardInterrupt:
            self.corpus.look()
            sys.stderr.write("\nstopped; everything is kept in %s\n" % rel(fuzz_corpus.DIR))
        finally:
            for i, m in enumerate(self.slots):
                if m:
                    self.close(i)
            fuzz_cover.write_places(fuzz_corpus.PLACES, self.mark, self.places)


def fuzz_syscalls(tools, args):
    jobs = number(args.jobs, "--jobs") if args.jobs else 1 if args.seed else os.cpu_count() or 1
    seed = number(args.seed, "--seed", 0) if args.seed else int(time.time())
    icount = bool(args.seed) and jobs == 1
    _, _, tool = binaries(tools)
    corpus = fuzz_corpus.Corpus()
    if not args.resume:
        corpus.put_aside()
    corpus.check(tool)
    always = fuzz_corpus.committed(tool)
    for p in [] if args.resume and corpus.names else always:
        corpus.add(p)
    h = Hunt(tools, corpus, always, jobs, seed, icount, args)
    h.go()
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    print(h.line())
    for title, path in sorted(h.titles.items()):
        print("  %s: %s" % (title, rel(path)))
    if args.record:
        print("the ledger counts %d programs" % fuzz_corpus.programs_in())
    return 1 if h.kinds else 0


def fuzz_virtio_devices(tools, args):
    """Machines whose devices break the rules."""
    build.build(tools, "x86_64", True, quiet=True)
    vmlinux = os.path.join(build.outdir("x86_64", True), "vmlinux")
    runs = number(args.runs, "--runs") if args.runs else 0
    commit, found = fuzz_corpus.commit_of_tree(), []

    def keep(machine, what):
        new, title, path = Crash.keep(machine, what, vmlinux, tools, {"commit": commit, "seed": machine.seed}, fuzz_virtio.TOP)
        print("  %s: %s (%s)" % ("new" if new else "again", title, rel(path)))
        found.append(new)
    done = fuzz_virtio.fuzz(tools, vmlinux, number(args.seed, "--seed", 0) if args.seed else int(time.time()),
                            seconds(args.time) if args.time else 0 if runs else 1800, runs, keep)
    if args.record:
        fuzz_corpus.record([[commit, "virtio", m.seed, m.figures[0], int(bool(wrong))] for m, wrong in done], fuzz_corpus.LEDGER)
    return 1 if any(found) else 0


def fuzz_parties_of(tools, args):
    """An attacker's programs against what root has."""
    built, commit = binaries(tools), fuzz_corpus.commit_of_tree()

    def keep(machine, what, facts):
        _, title, path = Crash.keep(machine, what, built[0], tools, {"commit": commit, **facts})
        print("  %s (%s)" % (title, rel(path)))
    if args.replay is not None:
        return fuzz_parties.replay(tools, built, args.replay, keep)
    runs = number(args.runs, "--runs") if args.runs else 0
    seed = number(args.seed, "--seed", 0) if args.seed else int(time.time())
    p = fuzz_parties.Play(tools, built, seed, runs, number(args.jobs, "--jobs") if args.jobs else 1,
                          seconds(args.time) if args.time else 0 if runs else 1800, args.append, args.first, args.calls, keep)
    status = p.go()
    if args.record:
        fuzz_corpus.record([[commit, "parties", seed, p.total(1), p.total(5) + p.reports]], fuzz_corpus.LEDGER)
    return status


def fuzz_decoder(tools, name, args):
    """A decoder's target, on this machine."""
    if args.coverage:
        return fuzz_host.coverage(tools, name, args.record)
    runs = number(args.runs, "--runs") if args.runs else 0
    return fuzz_host.hunt(tools, name, number(args.seed, "--seed", 0) if args.seed else int(time.time()), runs, seconds(args.time) if args.time else 0 if runs else 1800,
                          number(args.jobs, "--jobs") if args.jobs else 1, args.engine, args.record)


def coverage(tools, args):
    """Which lines of the kernel the places are in that were reached up to now."""
    vmlinux, _, _ = binaries(tools)
    places = fuzz_cover.read_places(fuzz_corpus.PLACES, fuzz_cover.mark_of(vmlinux))
    if not places:
        raise Fail("nothing is known to be reached in this kernel: run ./ochre fuzz first (%s)" % rel(fuzz_corpus.PLACES), 1)
    fuzz_cover.show(vmlinux, tools, places, args.missed, fuzz_corpus.commit_of_tree(), fuzz_corpus.DIR)
    return 0


def replay(tools, args):
    """What is committed, or files: nothing may come of it."""
    built, bad = binaries(tools), 0
    for what in args.replay or fuzz_corpus.REPLAYS:
        bad += fuzz_replay.replay(tools, built, what, fuzz_corpus.REPLAYS.get(what, [what]), fuzz_vm.LITTLE if what == "little-memory" else fuzz_vm.MEMORY)
    return 1 if bad else 0


def attempt(tools, path):
    """--try: a file's programs with their results."""
    built = binaries(tools)
    if not os.path.isfile(path):
        raise Fail("--try %s: there is no such file" % path)
    programs, bad = fuzz_corpus.checked(built[2], path)
    for line in bad:
        sys.stderr.write("left out: %s\n" % line)
    if not programs:
        raise Fail("--try %s: no program" % path)
    o = fuzz_replay.run(tools, built, programs, 1, show=print)
    for r in o.reports:
        print(r.title)
    if o.reports and o.ended != "status 0":
        print(o.text[-3000:])
        print("".join(o.last))
    return 1 if o.reports or bad else 0


def minimise(tools, args):
    built = binaries(tools)

    def crash(outcome, program):
        kept = collections.namedtuple("Kept", "console last_programs")(outcome.text.encode(), lambda: [(0, program)])
        return Crash.keep(kept, outcome.reports[0].kind if outcome.reports else "it ended", built[0], tools, {"commit": fuzz_corpus.commit_of_tree(), "seed": None})[1]
    return fuzz_replay.cmd_minimise(tools, built, args.record, crash)


def cmd_fuzz(args):
    hosts = sorted(fuzz_host.sources())
    known = ["syscalls", "virtio", "parties"] + hosts
    targets = hosts if args.target == "decoders" else known if args.target == "all" else [args.target]
    if targets[0] not in known:
        raise Fail("--target is one of %s, decoders, all; not '%s'" % (", ".join(known), args.target))
    if targets[0] not in hosts and args.engine != "libfuzzer":
        raise Fail("--engine is for the decoders: --target is one of %s" % ", ".join(hosts))
    if args.time:
        seconds(args.time)
    if args.out:
        fuzz_corpus.use(args.out)
    for value, what, least in ((args.runs, "--runs", 1), (args.jobs, "--jobs", 1), (args.seed, "--seed", 0)):
        if value:
            number(value, what, least)
    parties = targets == ["parties"]
    if parties and (args.coverage or args.missed is not None or args.minimise or args.merge or args.attempt or args.resume or args.out):
        raise Fail("--target parties goes with --time, --runs, --jobs, --seed, --first, --calls, --append, --record and --replay FILE alone")
    if parties and args.replay == []:
        raise Fail("--replay takes a file of programs with --target parties")
    for path in args.replay or []:
        if parties and os.path.isfile(path):
            continue
        if path not in fuzz_corpus.REPLAYS and not os.path.isfile(path):
            raise Fail("--replay %s: none of %s, and no file" % (path, ", ".join(fuzz_corpus.REPLAYS)))
    for folder in args.merge or []:
        if not os.path.exists(folder):
            raise Fail("--merge %s: there is no such folder" % folder)
    tools = setup.ensure(["x86_64"])
    if parties:
        setup.need(["g++"], os.path.join(OUT, "setup.log"))
        with locked("fuzz-parties", None):
            return fuzz_parties_of(tools, args)
    setup.need(["g++"], os.path.join(OUT, "setup.log"))      # libFuzzer is C++
    if targets[0] in hosts:     # machines and decoders do not disturb each other
        worst = 0
        for t in targets:
            with locked("fuzz-" + t, None):
                status = fuzz_decoder(tools, t, args)
            if status == 130:
                return status
            worst = max(worst, status)
        return worst
    if args.coverage or args.missed is not None:
        return max([coverage(tools, args)] + [fuzz_decoder(tools, t, args) for t in targets if t in hosts])
    if args.replay is not None:
        with locked("fuzz-replay", "another replay is running..."):
            return replay(tools, args)
    with locked("fuzz-out" if args.out else "fuzz", None):
        if args.attempt:
            return attempt(tools, args.attempt)
        if args.minimise:
            return minimise(tools, args)
        if args.merge:
            _, _, tool = binaries(tools)
            corpus = fuzz_corpus.Corpus()
            new, known, damaged = fuzz_corpus.merge(tool, args.merge, corpus)
            print("%d new programs, %d known, %d damaged files; the corpus in %s has %d" % (new, known, damaged, rel(corpus.dir), len(corpus.names)))
            return 0
        worst = 0
        for t in targets:
            worst = max(worst, fuzz_syscalls(tools, args) if t == "syscalls" else fuzz_virtio_devices(tools, args) if t == "virtio" else fuzz_parties_of(tools, args) if t == "parties" else fuzz_decoder(tools, t, args))
        return worst
