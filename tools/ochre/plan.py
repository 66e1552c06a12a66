# SPDX-License-Identifier: MIT
"""Which parts a run of the tests has.

A run without words takes half an hour at most (budget.py): what is fast or breaks often in full, of the rest a share that tests/seed names
(sample.py). One stop of the wheel is visited each time, and one CPU beside x86_64; twenty turns in a row visit all that --full has. --quick is what
comes before a commit.
What is named by a filter runs in the configurations of a whole run, unsampled, on x86_64; with --full in all, with --arch on another CPU."""
import glob
import os
import re
import sys

from . import analyze, arches, build, catalogue, fuzz_corpus, machines, rootfs
from .again import EVERYTHING, Result
from .util import ARCHES, ROOT, digest


class Config:
    """A row of the matrix."""

    def __init__(self, debug, cpus, preempt, arch="x86_64", cpu=None):
        self.debug, self.cpus, self.preempt, self.arch, self.cpu = debug, cpus, preempt, arch, cpu

    def __str__(self):
        return "%s%s, %d %s%s, %s" % ("" if self.arch == "x86_64" else self.arch + ", ", "debug" if self.debug else "release",
                                      self.cpus, self.cpu or "CPU", "s" if self.cpus > 1 and not self.cpu else "", self.preempt)


RELEASE, LONE, CROWD = Config(False, 4, "lazy"), Config(True, 1, "lazy"), Config(True, 4, "full")
QUICK = [Config(False, 4, "full"), Config(True, 4, "lazy")]      # of the debug build in-kernel tests alone: five minutes are soon over
FULL = [Config(d, c, p) for d in (False, True) for c in (1, 4) for p in ("lazy", "full")]
# A whole run's, with the number of slices that the programs are dealt into, of which one runs.
USUAL = [(RELEASE, 1), (LONE, 2), (CROWD, 4)]
SLOW_SLICES = 3         # of the programs that say "slow:"
# The rest of FULL is a stop of the wheel, each with one slice of so many.
REST, REST_SLICES = [c for c in FULL if str(c) not in {str(u) for u, _ in USUAL}], 10
CONFIGURATIONS = "configurations"
# In-kernel tests: in these each time, and one of the others.
KERNEL = [Config(False, 4, "full"), Config(True, 4, "lazy"), LONE]
KERNEL_OTHER = [c for c in FULL if str(c) not in {str(k) for k in KERNEL}] + [Config(False, n, "lazy") for n in (2, 8)]

# Of another CPU: (debug, CPUs, preemption, user programs too).
OTHER = [(d, c, p, True) for d in (False, True) for c, p in ((1, "lazy"), (4, "full"))]
OTHER_QUICK = [(False, 1, "lazy", False), (False, 4, "full", True)]
PLANTED = ("aarch64", "riscv64", "loongarch64")        # whose detectors are proved beside x86_64's: with --arch all of them
MODULES, MODULES_ALWAYS = ("aarch64", "riscv64", "loongarch64"), ("aarch64",)      # that modules are loaded on; the latter in each run, the others when their turn comes
GUESTS = "aarch64"      # whose user programs are in a full run; of the others with --arch
GUEST_SLICES, DEBIAN_SLICES, COMMAND_SLICES, PLANT_SLICES = 3, 2, 3, 3
SLOW_COMMANDS = 4       # each test of the command that says "slow:" is in one of so many turns

# An old CPU, which saves registers by FXSAVE: the programs that look at them.
OLD_CPU = [Config(False, 2, "full", cpu="qemu64"), Config(True, 1, "lazy", cpu="qemu64")]
OF_REGISTERS = ("cpu_x86", "fpu", "ptrace", "signal", "exec")

# More CPUs than one word of a mask has bits: the programs that count them.
# Memory is not counted: each idle CPU may keep the tables of a space that is gone.
MANY_CPUS, OF_CPUS = Config(False, 70, "full"), ("cpus",)

DEBIAN = [RELEASE, CROWD]
ALONE = 1 << 10     # cores of a part that has the whole machine
CROWDED = ("crowded",)  # commands' tests that load the whole machine
KEPT = ("planted", "xfs_crash")     # those that are in each run: XFS is proved by power cuts as each commit leaves it
HEAVY = ("clang", "tidy", "sparse")    # analyses that look at each file of each CPU: one of them
OTHER_BUILDS = ["gcc", "reproducible", "clippy_aarch64"]

# Not under failnth: what traces by itself, or sets faults; what counts on the kernel's memory being all there is.
NOT_WITH_FAULTS = {"ptrace", "seccomp", "fault", "uring_lost", "kcov", "exhaust", "mm_limits", "mm_stress", "mm_races", "kvm_many"}
# What a run takes one of, in this order: (stop, slice). With the configurations in between, so that what is slow is not in two turns in a row.
_SLOW = [("planted bugs, aarch64", 0), ("guest tests, " + GUESTS, 0), ("Debian and machines", 0), ("planted bugs, riscv64", 0), ("guest tests, " + GUESTS, 1),
         ("replays", 0), ("planted bugs, loongarch64", 0), ("guest tests, " + GUESTS, 2), ("Debian and machines", 1), ("parties", 0)]
WHEEL = [stop for i, slow in enumerate(_SLOW) for stop in (slow, (CONFIGURATIONS, i))]


class Plan:
    """What a run does, of its ARGS and its sample."""

    def __init__(self, args, r):
        self.args, self.r, self.sample = args, r, r.sample
        self.named = bool(r.filters)
        self.quick = args.quick and not self.named     # what is named is run
        self.usual = not (args.quick or args.full)
        self.builds = {d for d in (False, True) if not (args.release if d else args.debug)}
        self.x86 = args.arch in (None, "x86_64")
        others = [a for a in ([args.arch] if args.arch else [] if args.quick else ARCHES) if a != "x86_64"]
        self.wheel = {}         # stop -> the slice of it, None for all
        for stop, part in self.sample.one("wheel", WHEEL):
            self.wheel[stop] = part if self.sample.seed else None
        self.cpus = set(self.sample.one("CPU", others)) if others else set()
        self.others = others

    def says(self):
        """One line of what was drawn."""
        stops = ["%s%s" % (stop, " %d" % (part + 1) if sum(s == stop for s, _ in WHEEL) > 1 else "") for stop, part in self.wheel.items()]
        return "sample %s: %s; %s (--seed %s repeats it, --full leaves nothing out)" % (
            self.sample.seed, ", ".join(stops), ", ".join(sorted(self.cpus)), self.sample.seed)

    def of_stop(self, stop, kind, items, of):
        """Of ITEMS the slice that the wheel has come to: all where it has no slices now."""
        part = self.wheel.get(stop)
        return list(items) if part is None else [i for i in items if int(digest(kind, i), 16) % of == part]

    def add(self):
        """The parts of the run, the long ones first."""
        if not self.named:
            self.kernels()
        if self.x86:
            self.x86_64()
        for arch in self.others:
            self.other_cpu(arch)
        if self.x86:
            self.this_machine()
            if not self.args.quick and not self.args.debug:
                self.r.part("instructions of operations", 1, self.r.bench_gate)
                self.r.part("other builds", ALONE, self.r.other_builds, self.sample.one("other builds", OTHER_BUILDS))

    def kernels(self):
        """The kernels that the parts want: make keeps all cores busy."""
        wanted = {"x86_64": set(self.builds)} if self.x86 else {}
        for arch in self.others:
            debug = arch in PLANTED and "planted bugs, " + arch in self.wheel
            wanted[arch] = {False} & self.builds if arch in self.cpus or arch == GUESTS and "guest tests, " + GUESTS in self.wheel else set()
            wanted[arch] |= {True} & self.builds if debug else set()
        for arch, debugs in wanted.items():
            if debugs:
                self.r.part("builds, " + arch, ALONE, self.r.kernels, arch, sorted(debugs))

    # --- x86_64 ---

    def x86_64(self):
        """The kernel of the CPU that most is tested on, in each configuration."""
        r = self.r
        if False in self.builds:
            r.part("memory order, x86_64", 1, order_test, r, "x86_64")
        self.programs()
        names = catalogue.debian_names()
        for cfg in (c for c in DEBIAN if not self.args.quick and c.debug in self.builds):
            if cfg is DEBIAN[0]:
                r.part("Debian's programs, %s" % cfg, 1, r.debian_tests, cfg, self.sample.share("Debian %s" % cfg, names, DEBIAN_SLICES))
            elif self.args.full or self.args.debug or not self.named and "Debian and machines" in self.wheel:
                r.part("Debian's programs, %s" % cfg, 1, r.debian_tests, cfg, self.of_stop("Debian and machines", "Debian %s" % cfg, names, DEBIAN_SLICES))
        if not self.usual:
            kernels = QUICK if self.args.quick else FULL + [Config(False, n, "lazy") for n in (2, 8)]
        else:
            kernels = KERNEL if self.named else KERNEL + self.sample.one("kernel tests", KERNEL_OTHER)
        for cfg in [c for c in kernels if c.debug in self.builds]:
            kernel_part(r, cfg)
        if True in self.builds and not self.quick:
            self.replays()
        if not self.quick:
            r.boot_tests(sorted(self.builds) if self.args.debug or not self.args.quick else [False])

    def programs(self):
        """Guest tests."""
        r = self.r
        files, names = r.guest_files() if wants_guests(r) else ({}, [])
        slow = set() if self.named else slow_programs(names)
        kept = set() if self.quick else set(self.sample.share("slow programs", sorted(slow), SLOW_SLICES))
        everyone, names = names, [n for n in names if n not in slow or n in kept]
        if self.args.quick:
            guest_part(r, QUICK[0], files, names, True)
            return
        configs = USUAL if self.usual else [(c, 1) for c in FULL]
        for cfg, of in [(c, of) for c, of in configs if c.debug in self.builds]:
            guest_part(r, cfg, files, self.sample.share("guest tests, %s" % cfg, names, of))
        for cfg in [c for c in REST if self.usual and not self.named and CONFIGURATIONS in self.wheel and c.debug in self.builds]:
            guest_part(r, cfg, files, self.of_stop(CONFIGURATIONS, "guest tests, %s" % cfg, everyone, REST_SLICES))
        if self.args.full or self.named or CONFIGURATIONS in self.wheel:
            for cfg in [c for c in OLD_CPU if c.debug in self.builds]:
                guest_part(r, cfg, files, [n for n in names if n.startswith(OF_REGISTERS)])
            if False in self.builds:
                guest_part(r, MANY_CPUS, files, [n for n in names if n in OF_CPUS])

    def replays(self):
        r = self.r
        everything = self.named or self.args.full
        for what in [w for w in fuzz_corpus.REPLAYS if r.wanted("fuzz/" + w) and (everything or "replays" in self.wheel)]:
            r.part("programs of the fuzzer: " + what, 2, r.replay, what)
        if (r.wanted("fuzz/parties") or r.wanted("fuzz/planted")) and (everything or "parties" in self.wheel):
            r.part("programs of the fuzzer: parties", 1, r.two_parties)

    # --- this machine ---

    def this_machine(self):
        """What needs no kernel, and what the command does with one."""
        r = self.r
        if self.args.debug:
            return
        if not self.quick:
            self.commands()
            r.part("drivers that must not compile", 1, r.rust_fails)
            if self.named or self.args.full or "Debian and machines" in self.wheel:
                r.part("machines", 1, machines.run, r, "x86_64", Result)
        r.part("rules, and the command's own parts", 1, r.rules, self.left_out(glob.glob(ROOT + "/tests/command/host_*.py")))
        sources = [s for s in catalogue.host_sources() if r.wanted(catalogue.host_name(s))]
        for i in range(2):
            r.part("on this machine", 1, r.host_tests, sources[i::2])
        if not self.quick:      # it would take a third of the five minutes
            r.part("memory order", 1, r.litmus_tests)
            heavy = self.sample.one("analyses", HEAVY)
            r.part("analyses", ALONE, r.analyses, [n for n in analyze.GATE if n not in HEAVY or n in heavy])

    def left_out(self, paths):
        """Of tests of the command those that are slow and not in this run."""
        slow = [p for p in paths if says_slow(p)]
        kept = [] if self.quick else self.sample.share("slow commands", [os.path.basename(p) for p in slow], SLOW_COMMANDS)
        return {p for p in slow if os.path.basename(p) not in kept}

    def commands(self):
        """Parts for what ./ochre run does, with our kernel."""
        r = self.r
        sources = {os.path.basename(s)[:-3]: s for s in sorted(glob.glob(ROOT + "/tests/command/*.py"))}
        names = [n for n in sources if n not in ("expect", "first", "arch_disk") and not n.startswith("host_") and r.wanted("command/" + n)]
        slow = {n for n in names if says_slow(sources[n])}
        out = {os.path.basename(p)[:-3] for p in self.left_out(sources[n] for n in slow)}
        kept = set(self.sample.share("commands", [n for n in names if n not in KEPT and n not in slow], COMMAND_SLICES)) | set(KEPT)
        for name in [n for n in names if n in kept or n in slow - out]:
            more = ["--slice", "%d/%d" % (self.sample.number("plants", PLANT_SLICES), PLANT_SLICES)] if name == "planted" and self.sample.seed else []
            r.part("the command: " + name, ALONE if name in CROWDED else 1, command_test, r, name, sources[name], more)

    # --- another CPU ---

    def other_cpu(self, arch):
        """The tests of a CPU that is not the one most is tested on: all where it is asked for, else what is quick."""
        args, r = self.args, self.r
        asked = bool(args.arch)
        drawn = asked or args.full or arch in self.cpus
        configs = OTHER if asked and not args.quick else OTHER_QUICK
        configs = [(Config(d, min(c, arches.ALL[arch].cpus), p, arch), g) for d, c, p, g in configs if not (args.release if d else args.debug)]
        in_kernel = [c for c, _ in configs]     # a whole run takes one of them, the other when it comes to this CPU again
        in_kernel = in_kernel if asked or self.named else self.sample.one("kernel tests, " + arch, in_kernel, len(self.others)) if in_kernel else []
        programs = bool(arches.ALL[arch].debian)        # of others than us
        here = not self.named or asked or args.full     # what has a name on x86_64, too
        guests = programs and here and (asked or arch == GUESTS and "guest tests, " + GUESTS in self.wheel)
        files, names = r.guest_files(arch) if guests and wants_guests(r) else ({}, [])
        for cfg, with_guests in configs:
            if guests and with_guests:
                guest_part(r, cfg, files, self.of_stop("guest tests, " + GUESTS, "guest tests, %s" % cfg, names, GUEST_SLICES))
            if here and drawn and cfg in in_kernel:
                kernel_part(r, cfg)
        if arch in PLANTED and not args.release and not self.quick and here and (asked or "planted bugs, " + arch in self.wheel):
            r.part("planted bugs, %s" % arch, 1, planted_bugs, r, arch, not asked)
        if programs and not args.debug and not self.quick and r.wanted("build/guests_" + arch):
            r.part("programs that compile, " + arch, 1, r.guests_compile, arch)
        if arch in MODULES and (drawn or arch in MODULES_ALWAYS) and here and not (args.debug or self.quick):
            r.part("modules, %s" % arch, 1, modules_load, r, arch, not (asked or args.full))
        if not drawn:
            return
        if not args.debug:
            r.part("code, " + arch, 1, what_became, r, arch)
        if asked and not (args.quick or args.debug):
            for cfg in [Config(False, c, "lazy", arch) for c in (2, 8) if c <= arches.ALL[arch].cpus]:
                kernel_part(r, cfg)
            for cfg in [Config(False, c, "lazy", arch) for c in (1, 4) if programs]:
                r.part("Debian's programs, %s" % cfg, 1, r.debian_tests, cfg, catalogue.debian_names())
        if programs and not args.debug:
            r.part("disk root, %s" % arch, 1, disk_root, r, arch)
        if not programs and not args.debug and here:
            r.part("first program, %s" % arch, 1, first_program, r, arch)
        if asked and programs and not (args.debug or args.quick and not r.filters):
            r.part("gdb, %s" % arch, ALONE, under_gdb, r, arch)
        r.boot_tests(sorted({c.debug for c, _ in configs}), arch, bool(asked and not args.quick))


def repeat(result, args, seed):
    """The command that runs the test of a RESULT again, as it was run: on its CPU, its build and its configuration, with the share that it takes itself."""
    name, where, words = result.name, result.where, ["./ochre", "test"]
    arch = next((a for a in ARCHES if a != "x86_64" and where.split(",")[0] == a), args.arch if args.kernel else None)
    rooms = ("guest/", "sh/", "debian/", "kernel/")
    known = [str(c) for c, _ in USUAL] + [str(c) for c in [*KERNEL, *OLD_CPU, MANY_CPUS, *DEBIAN]]
    if args.full or name.startswith(rooms) and where and not arch and not args.kernel and where not in known:
        words.append("--full")
    elif seed:
        words += ["--seed", seed]
    words += ["--arch", arch] if arch else []
    words += ["--kernel", args.kernel] if args.kernel else []
    words += ["--fail-nth"] if args.fail_nth else []
    words += ["--order", args.order] if args.order and name.startswith(rooms) else []
    words += ["--debug" if "debug" in where.split(", ") else "--release"] if name.startswith((*rooms, "boot/")) and where and not args.kernel and not args.fail_nth else []
    if name.endswith(EVERYTHING):
        name = name[:-len(EVERYTHING)] if "/" in name else ""
    return " ".join(words + [name] * bool(name and name != "docs/features"))


def says_slow(path):
    """Whether a test says in a comment "slow: why": a whole run has a slice of those, a quick one none."""
    return bool(re.search(rb"^(?:[ /]\*|//|#) slow: ", rootfs.read(path), re.M))


def slow_programs(names):
    """The slow ones of the guest tests."""
    return {n for n in names if says_slow(ROOT + ("/tests/sh/" + n if n.endswith(".sh") else "/tests/guest/%s.c" % n))}


def wants_guests(r):
    return not r.filters or any(r.wanted(n) for n in catalogue.known_tests() if n.startswith(("guest/", "sh/")))


def kernel_part(r, cfg):
    if any(r.wanted("kernel/" + n) for n in catalogue.ktest_names()):
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
            r.part("Debian's programs, %s" % cfg, 1, r.debian_tests, cfg, catalogue.debian_names())


def fault_parts(args, r):
    """The guest tests of the debug build with each system call failing at each place where it can (user/failnth.c)."""
    files, names = r.guest_files()
    for cfg in [Config(True, 1, "lazy")] if args.quick else [Config(True, 1, "lazy"), Config(True, 4, "full")]:
        guest_part(r, cfg, files, [n for n in names if n not in NOT_WITH_FAULTS and not n.endswith(".sh")])


def what_became(r, arch):
    """What memory order and atomic operations became in the kernel's code."""
    order_test(r, arch)
    if arch == "aarch64" and r.wanted("build/atomics_" + arch) and r.kernel(arch):
        r.simple("build/atomics_" + arch, [ROOT + "/tools/check-atomics", build.outdir(arch, False) + "/vmlinux"])


def order_test(r, arch):
    """What memory order becomes there."""
    if r.wanted("build/order_" + arch) and r.kernel(arch):
        r.simple("build/order_" + arch, [ROOT + "/tools/check-order", arch, build.outdir(arch, False) + "/flags"])


def command_test(r, name, src, more):
    with open(src) as f:
        debug = "x86_64-debug" in f.read()      # it boots that kernel
    if r.kernel(debug=debug):
        r.simple("command/" + name, [sys.executable, "-B", src, *more])


def first_program(r, arch):
    if r.wanted("command/first") and r.kernel(arch):
        r.simple("command/first", [sys.executable, "-B", ROOT + "/tests/command/first.py", "--arch", arch], arch)


def under_gdb(r, arch):
    if r.wanted("command/gdb") and r.kernel(arch):
        r.simple("command/gdb", [sys.executable, "-B", ROOT + "/tests/command/gdb.py", "--arch", arch], arch)


def disk_root(r, arch):
    if r.wanted("command/arch_disk") and r.kernel(arch):
        r.simple("command/arch_disk", [sys.executable, "-B", ROOT + "/tests/command/arch_disk.py", "--arch", arch], arch)


def modules_load(r, arch, short):
    """Modules of another CPU, in C and in Rust."""
    for name in "modules", "modules_rust", "modules_binder", "modules_scsi", "modules_net", "modules_bridge", "outside":
        if r.wanted("command/" + name) and r.kernel(arch):
            r.simple("command/" + name, [sys.executable, "-B", "%s/tests/command/%s.py" % (ROOT, name), "--arch", arch] + ["--short"] * short, arch)


def planted_bugs(r, arch, short):
    """Another CPU's debug build says what was planted."""
    if r.wanted("command/planted") and r.kernel(arch, True):
        r.simple("command/planted", [sys.executable, "-B", ROOT + "/tests/command/planted.py", "--arch", arch] + ["--short"] * short, arch)
