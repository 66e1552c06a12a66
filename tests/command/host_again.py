#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A test that failed gets a second try, alone, and is unstable where it passes then; what a detector said is final; --strict makes unstable red."""
import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
sys.dont_write_bytecode = True
from ochre import again, plan, starved, test  # noqa: E402
from ochre.again import Result  # noqa: E402

ABORTED = "QEMU ended with status -6: qemu-system-x86_64: iotlb_to_section: Assertion `section_index < d->map.sections_nb' failed."


def finals():
    """Which failures a second try cannot mend."""
    final = [("guest/no_reports", "1 reports", "", "x"), ("debian/no_leaks", "2 leaks", "", "x"), ("guest/sections", "1 too long", "", "x"), ("guest/lock_order", "", "", ""),
             ("guest/pipe", "leak: inodes 3", "", ""), ("guest/pipe", "the kernel died", "", ""), ("kernel/(all)", "the kernel died after 3 of them", "", ""),
             ("command/disks", "status 1", "ochre: the kernel died", ""), ("command/disks", "status 1", "Oops: 0002", ""), ("boot/mem", "", "Kernel panic - not syncing", ""),
             ("fuzz/corpus", "status 1", "KASAN: use-after-free in x", ""), ("host/lib_elf", "status 1", "==1==ERROR: AddressSanitizer: heap", ""),
             ("host/lib_elf", "status 1", "a.c:3:4: runtime error: shift", ""), ("boot/initrd_long", "", "SECTION: 30000 branches", ""), ("build/x86_64-debug", "", "", "")]
    for name, why, text, where in final:
        assert again.is_final(Result(name, "failed", why, text, where=where)), (name, why, text)
    for name, why, text in [("command/disks", "status 1", ABORTED), ("guest/pipe", "1 of 3 checks", "pipe.c:3: no"), ("guest/(all)", "no test could be started (status 2)", ABORTED),
                            ("guest/pipe", "the run ended with status 2", ABORTED), ("kernel/sync_mutex", "", "ktest: k_sync.c:3: x is 1, not 0"), ("build/gcc", "status 2", "a.c:3: error: x"),
                            ("machines/x86_64_cpu_kvm64", "-M q35", ""), ("boot/mem", "says /x/", "all is well"), ("command/planted", "status 1", "KASAN: use-after-free in plant_x"),
                            ("debian/git", "the time was over", "CPU 0: PC: ffffffff80001000"), ("fuzz/parties", "out of time", ""), ("analyze/sparse", "out of time", "")]:
        assert not again.is_final(Result(name, "failed", why, text)), (name, why, text)
    assert not again.is_final(Result("kernel/tcp_probe_tail", "failed", "", "SECTION: 23072 branches, RCU read section, since f+0x1"))     # its own device's
    assert not again.is_final(Result("boot/panic", "failed", "does not say /x/", "Kernel panic - not syncing: y", reports=True))     # it provokes that


LOCKED = "[   20.1] watchdog: BUG: soft lockup - CPU#3 stuck for 20s! [x:7]\n  [<ffffffff80001000>] f+0x10/0x20\n"
BUSY = starved.SAYS + "a CPU had a processor for 1.0 of 10.0 s that it wanted one\n"


def of_time():
    """A report that measures time is final where the machine had its processors; a starved one runs again, all programs of its part."""
    for name, text in [("guest/no_reports", LOCKED), ("command/disks", LOCKED), ("kernel/sync_mutex", LOCKED), ("debian/no_reports", "INFO: task a:1 blocked for more than 121 seconds.")]:
        assert again.is_final(Result(name, "failed", "1 reports", text)) and not again.is_final(Result(name, "failed", "1 reports", text + BUSY)), name
    assert again.is_final(Result("guest/no_reports", "failed", "2 reports", LOCKED + "KASAN: use-after-free in f\n" + BUSY))
    assert again.is_final(Result("guest/no_leaks", "failed", "1 leaks", LOCKED + BUSY))
    assert again.to_retry([Result("guest/no_reports", "failed", "", LOCKED + BUSY), Result("guest/a", "passed")]) == {"guest/no_reports", "guest/(all)"}
    first = [Result("guest/a", "passed", where="here"), Result("guest/no_reports", "failed", "1 reports", LOCKED + BUSY, where="here")]
    extra = again.judge(first, [Result("guest/a", "passed", where="here"), Result("guest/no_reports", "passed", where="here")])
    assert [r.outcome for r in first] == ["passed", "unstable"] and not extra
    first[1].outcome = "failed"
    again.judge(first, [Result("guest/a", "passed", where="here"), Result("guest/no_reports", "failed", "1 reports", LOCKED, where="here")])
    assert first[1].outcome == "failed" and first[1].second == "the second time a report"


def watches():
    """Who is kept from its processor is starved, who does not want one or has it is not."""
    s = 10 ** 9
    assert starved.judge({"1": (0, 0)}, {"1": (1 * s, 9 * s)}, 10.0, 0, 0) == (0.1, "a CPU had a processor for 1.0 of 10.0 s that it wanted one")
    assert starved.judge({"1": (0, 0)}, {"1": (5 * s, 5 * s)}, 10.0, 0, 0) == (0.5, "")       # four busy CPUs on two processors
    assert starved.judge({"1": (5 * s, 0)}, {"1": (5 * s, 3 * s)}, 10.0, 0, 0) == (1.0, "")   # too little to tell
    assert starved.judge({}, {"1": (1 * s, 9 * s), "2": (2 * s, 8 * s)}, 10.0, 2000, 1000) == (0.05, "a CPU had a processor for 1.0 of 10.0 s that it wanted one")
    share, said = starved.judge({}, {}, 10.0, 2000, 1000)
    assert share == 0.5 and "others had 50 %" in said
    clock, at, real = starved.Clock(), [0.0], time.monotonic
    time.monotonic = lambda: at[0]
    try:
        clock = starved.Clock()
        clock.patient, clock.host = True, argparse.Namespace(share=1.0)
        for share, step, want in ((1.0, 2.0, 2.0), (0.5, 2.0, 3.0), (0.01, 2.0, 3.2), (1.0, 1.0, 4.2)):
            clock.host.share = share
            at[0] += step
            assert abs(clock() - want) < 1e-6, (share, clock.sum)
        clock.patient = False
        at[0] += 2.0
        clock.host.share = 0.1
        assert abs(clock() - 6.2) < 1e-6
    finally:
        time.monotonic = real
    assert not starved.threads(2 ** 22 + 1)
    cpu = min(os.sched_getaffinity(0))
    spin = "import os\nos.sched_setaffinity(0, {%d})\nos.nice(%d)\nprint(flush=True)\nwhile True: pass\n"
    with contextlib.ExitStack() as stack:
        def start(text):
            p = subprocess.Popen([sys.executable, "-S", "-c", text], stdout=subprocess.PIPE)
            stack.callback(lambda: (p.kill(), p.wait(), p.stdout.close()))
            p.stdout.readline()
            return starved.Watch(p.pid)
        low, idle = start(spin % (cpu, 19)), start("import time\nprint(flush=True)\ntime.sleep(1000)\n")
        start(spin % (cpu, 0))
        for _ in range(100):        # until it was seen, whatever else this machine does
            time.sleep(0.3)
            low.look(0.2)
            idle.look(0.2)
            if low.said:
                break
        assert low.said and low.line(LOCKED) == starved.SAYS + low.said + "\n" and not low.line("all is well\n")
        assert not idle.said or idle.said.startswith("others had"), idle.said


def judged(first, second):
    """Outcomes of FIRST, and the extra names, for results given as (name, outcome, why)."""
    a, b = ([Result(n, o, w, where="here") for n, o, w in some] for some in (first, second))
    extra = again.judge(a, b)
    return [r.outcome for r in a], [(r.name, r.outcome) for r in extra]


def judgements():
    flaky, good = ("guest/a", "failed", "no"), ("guest/b", "passed", "")
    assert judged([flaky, good], [("guest/a", "passed", "")]) == (["unstable", "passed"], [])
    assert judged([flaky, good], [flaky]) == (["failed", "passed"], [])
    assert judged([flaky], []) == (["failed"], [])                                       # it never came to its end
    assert judged([flaky], [("guest/a", "skipped", "")]) == (["failed"], [])
    assert judged([flaky, ("guest/no_reports", "passed", "")], [("guest/a", "passed", ""), ("guest/no_reports", "failed", "1 reports")]) == (
        ["unstable", "passed"], [("guest/no_reports", "failed")])                        # what the second try adds to the red is not lost
    assert judged([flaky], [("guest/a", "passed", ""), ("guest/(all)", "failed", "x")]) == (["unstable"], [("guest/(all)", "failed")])
    assert judged([("guest/(all)", "failed", "no test could be started (status 2)")], [("guest/a", "passed", ""), ("guest/b", "passed", "")]) == (
        ["unstable"], [("guest/a", "passed"), ("guest/b", "passed")])
    assert judged([("guest/(all)", "failed", "x")], [("guest/a", "passed", ""), ("guest/b", "failed", "")]) == (["failed"], [("guest/a", "passed"), ("guest/b", "failed")])
    assert judged([("guest/a", "failed", "leak: inodes 1")], [("guest/a", "passed", "")]) == (["failed"], [])
    assert again.selects({"guest/(all)"}, "guest/a") and again.selects({"boots: (all)"}, "boot/mem") and not again.selects({"guest/a"}, "guest/ab")


class Fake:
    """A run of parts whose tests fail so often as STATE/NAME has bytes: each try takes one."""

    def __init__(self, folder, strict=False, filters=()):
        self.folder = folder
        self.args = argparse.Namespace(filter=list(filters) or ["/"], jobs=2, verbose=False, strict=strict, full=False, quick=False, arch=None, kernel=None,
                                       fail_nth=False, seed=None, order=None)
        self.r = test.Runner(self.args, None)

    def fails(self, name, times):
        with open(os.path.join(self.folder, name.replace("/", "_")), "w") as f:
            f.write("x" * times)

    def tests(self, *names):
        """A part's function."""
        for name in names:
            if not self.r.wanted(name):
                continue
            path = os.path.join(self.folder, name.replace("/", "_"))
            left = os.path.getsize(path) if os.path.exists(path) else 0
            if left:
                os.truncate(path, left - 1)
            self.r.add(Result(name, "failed" if left else "passed", "status 1" * bool(left), "try with %d to go" % left, where="cfg"))

    def breaks(self, name):
        """A part whose runner itself fails the first time."""
        path = os.path.join(self.folder, "broke")
        if not os.path.exists(path):
            open(path, "w").close()
            raise BrokenPipeError("QEMU is gone")
        self.tests(name)

    def run(self):
        """(exit status, what was printed)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.r.lanes.finish()
            self.r.second_try()
            status = test.verdict(self.args, self.r, 0.0)
        return status, out.getvalue()


def runs():
    for strict in (False, True):
        with tempfile.TemporaryDirectory() as d:
            again.FOLDER = os.path.join(d, "again")
            f = Fake(d, strict)
            f.fails("command/disks", 1)
            f.r.part("one", 1, f.tests, "command/disks", "command/rtc")
            f.r.part("two", 1, f.tests, "guest/a", "guest/b")
            status, said = f.run()
            assert status == (1 if strict else 0), said
            assert "3 passed, 1 unstable, 0 failed, 0 skipped" in said and "unstable, that is failed and then passed alone" in said, said
            kept = {n: open(os.path.join(again.FOLDER, n)).read() for n in os.listdir(again.FOLDER)}
            assert sorted(kept) == ["command_disks-cfg.first", "command_disks-cfg.second"], kept
            assert "with 1 to go" in kept["command_disks-cfg.first"] and "with 0 to go" in kept["command_disks-cfg.second"], kept
    with tempfile.TemporaryDirectory() as d:
        again.FOLDER = os.path.join(d, "again")
        f = Fake(d)
        f.fails("guest/a", 2)
        f.fails("guest/b", 1)
        f.r.part("one", 1, f.tests, "guest/a", "guest/b", "guest/c")
        status, said = f.run()
        assert status == 1 and "1 passed, 1 unstable, 1 failed, 0 skipped" in said and "failed: guest/a\n" in said, said
        end = said[said.rindex("failed   guest/a [cfg]: status 1\n"):]         # all that is needed to go on
        assert end.startswith("failed   guest/a [cfg]: status 1\n        try with 2 to go\n    second: failed the second time too\n    output: "), end
        assert "again: ./ochre test" in end and "guest/a" in end[end.index("again: "):], end
        assert again.short("\n".join("%d" % i for i in range(100)))[11:14] == ["11", "... (60 lines more)", "72"] and len(again.short("x\n" * 41)) == 41
    with tempfile.TemporaryDirectory() as d:    # so many are no bad luck
        again.FOLDER = os.path.join(d, "again")
        f = Fake(d)
        names = ["guest/%d" % i for i in range(again.MOST + 1)]
        for n in names:
            f.fails(n, 1)
        f.r.part("one", 1, f.tests, *names)
        status, said = f.run()
        assert status == 1 and "none is run again" in said and "%d failed" % len(names) in said, said
    with tempfile.TemporaryDirectory() as d:
        again.FOLDER = os.path.join(d, "again")
        f = Fake(d)
        f.r.part("one", 1, f.breaks, "guest/a")
        f.r.part("two", 1, f.tests, "guest/b")
        status, said = f.run()
        assert status == 0 and "2 passed, 1 unstable, 0 failed" in said and "QEMU is gone" in said, said


def repeats():
    """The command that runs a failed test again."""
    for name, where, seed, words in [
            ("guest/pipe", "debug, 4 CPUs, full", "t7", "--seed t7 --debug guest/pipe"), ("sh/ash", "release, 4 CPUs, lazy", "t7", "--seed t7 --release sh/ash"),
            ("guest/pipe", "debug, 1 CPU, full", "t7", "--full --debug guest/pipe"), ("guest/pipe", "aarch64, release, 4 CPUs, full", "t7", "--seed t7 --arch aarch64 --release guest/pipe"),
            ("kernel/(all)", "debug, 4 CPUs, lazy", "t7", "--seed t7 --debug kernel/"), ("command/first", "sparc64", "t7", "--seed t7 --arch sparc64 command/first"),
            ("command/xfs_names", "", "t7", "--seed t7 command/xfs_names"), ("boots: (all)", "", "t7", "--seed t7"), ("docs/features", "", None, ""), ("guest/pipe", "release, 4 CPUs, lazy", None, "--release guest/pipe")]:
        args = argparse.Namespace(full=False, arch=None, kernel=None, fail_nth=False, order=None)
        said = plan.repeat(Result(name, "failed", where=where), args, seed)
        assert said == ("./ochre test " + words).rstrip(), (said, words)
    args.kernel, args.order, args.arch = "linux", "reverse", "aarch64"
    assert plan.repeat(Result("debian/git", "failed", where="aarch64, release, 1 CPU, lazy"), args, None) == "./ochre test --arch aarch64 --kernel linux --order reverse debian/git"


finals()
of_time()
watches()
repeats()
judgements()
runs()
print("ok")
