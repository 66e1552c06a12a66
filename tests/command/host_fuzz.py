#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs of the fuzzer survive text, and damaged text is refused; reports are read, told apart, judged and checked; corpora merge; what a
decoder's target never reaches is said."""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import fuzz, fuzz_corpus, fuzz_host, fuzz_parties, fuzz_replay, fuzz_vm, oops, report, setup, triage  # noqa: E402
from ochre.util import Fail  # noqa: E402

TOOLS = setup.load()
PROGRAM = '@user\nr0 = openat(-100, &("f0\\00"), 0x42, 0x1b6)\nt1 write(r0, &("a", 7:2, _3, 65*20, &("b")), 5)\n~ r2 = pipe2(&(_8), 0) fail=3\nclose(r2.4)\n'
LOG = """[    3.018841] UBSAN: shift-out-of-bounds in proc/signal.h:8:53
[    3.018965] Call trace:
[    3.019564]   [<ffffffff801a235c>] dump_stack+0x7c/0xa0
[    3.019654]   [<ffffffff80265035>] prepare_signal+0x5e5/0x780
[    3.019662]   [<ffffffff8026385a>] send_locked+0x7a/0xa30
[    3.019670]   [<ffffffff80266483>] do_send_sig_info+0xe3/0x1a0
"""


def check(ok, what):
    if not ok:
        print("wrong: " + what)
        sys.exit(1)


def build_tool(top):
    """The tool under the sanitizers."""
    desc = os.path.join(top, "desc.c")
    subprocess.run([sys.executable, ROOT + "/tools/mkfuzzdesc.py", "x86_64", desc], check=True)
    uapi = TOOLS["uapi"]
    base = [TOOLS["clang"], "-std=gnu11", "-g", "-O1", "-I" + ROOT]
    subprocess.run(base + ["-nostdlibinc", "-isystem", uapi + "/x86_64-linux-gnu", "-isystem", uapi, "-c", desc, "-o", desc[:-1] + "o"], check=True)
    tool = os.path.join(top, "tool")
    subprocess.run(base + ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", tool, desc[:-1] + "o"]
                   + [ROOT + "/fuzz/%s.c" % n for n in ("tool", "toc", "mutate", "prog")], check=True)
    return tool


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, errors="replace")


def programs(tool, top):
    made = run(tool, "make", "1", "3000")
    check(made.returncode == 0 and made.stdout == run(tool, "make", "1", "3000").stdout, "the same seed makes the same programs: " + made.stderr[:300])
    check(made.stdout != run(tool, "make", "2", "3000").stdout, "another seed makes others")
    path = os.path.join(top, "made")
    with open(path, "w") as f:
        f.write(made.stdout)
    again = run(tool, "split", path)
    check(again.returncode == 0 and again.stdout == made.stdout, "text to tree and back")
    calls = set(w.split("(")[0].split()[-1] for w in made.stdout.splitlines() if "(" in w)
    check(len(calls) > 200, "all kinds of calls are made: %d" % len(calls))
    check(made.stdout.count("(r") > 1000, "results flow into later calls")
    with open(path, "w") as f:
        f.write(PROGRAM)
    check(run(tool, "split", path).stdout == PROGRAM, "a program by hand: " + run(tool, "split", path).stdout)
    c = run(tool, "c", "a */ title", "2", path)
    source = os.path.join(top, "p.c")
    with open(source, "w") as f:
        f.write(c.stdout)
    r = run(TOOLS["gcc"], "-Wall", "-Werror", "-pthread", source, "-o", source[:-2])
    check(r.returncode == 0, "its C compiles: " + r.stderr[:500])
    for bad, what in (('@user\nnope(1)\n', "no such call"), ('@user\nread(1\n', "a call without )"), ('@user\nread(1) more\n', "more on the line"),
                      ('@who\n', "@user or @root"), ('@user\nread(&("a)\n', "a string without its end"), ('@user\nread(&(_99999999999))\n', "more memory"),
                      ('@user\nread(' + '&(' * 40 + ')' * 41 + '\n', "pointers too deep"), ('@user\n' + 'getpid()\n' * 65, "too many calls"),
                      ('@user\nread(1, 2, 3, 4, 5, 6, 7)\n', "more than six"), ('@user\nr999999 = getpid()\n', "too large"), ('@user\nread(-)\n', "a number is missing"),
                      ('@user\nread(&(1:3))\n', "a size is 1, 2, 4 or 8")):
        with open(path, "w") as f:
            f.write(bad)
        r = run(tool, "check", path)
        check(r.returncode == 1 and what in r.stderr and "ERROR" not in r.stderr, "refused with '%s': %r" % (what, r.stderr[:300]))
    data = bytearray(made.stdout[:20000].encode())
    for i in range(300):    # cut and changed anywhere: an answer, never a crash
        with open(path, "wb") as f:
            broken = bytearray(data)
            for k in range(20):
                broken[(i * 7919 + k * 104729) % len(broken)] = (i * 31 + k * 17) % 256
            f.write(broken[:(i * 997) % len(broken)])
        r = run(tool, "split", path)
        check(r.returncode in (0, 1), "damaged text: status %d, %s" % (r.returncode, r.stderr[-300:]))


def reports():
    r = report.read(LOG)
    check(len(r) == 1 and r[0].title == "UBSAN: shift-out-of-bounds in prepare_signal" and r[0].where[1][0] == "send_locked", "what and where: " + r[0].title)
    moved = LOG.replace("ffffffff80", "ffffffff93").replace("0x5e5/0x780", "0x5e9/0x790").replace(" 3.0", " 9.1")
    check(report.read(moved)[0].fingerprint == r[0].fingerprint, "the same bug in another build")
    check(report.read(LOG.replace("send_locked", "send_other"))[0].fingerprint != r[0].fingerprint, "another way there is another bug")
    check(report.read(LOG[:150])[0].kind == "UBSAN: shift-out-of-bounds", "a log that is cut in the middle")
    check(len(report.read(LOG + LOG)) == 2 and not report.read("all is well\n") and not report.read(""), "two, and none")
    hostile = report.read(LOG.replace("send_locked", "\x1b]0;title\x07\x1b[2Jsend_locked"))[0]
    check("\x1b" not in hostile.text and "\x07" not in hostile.text, "nothing that a terminal would obey")
    check(report.read("[1.0] BUG: KASAN: use-after-free in f+0x1/0x2\n")[0].kind == "KASAN: use-after-free", "KASAN")
    check(triage.judge(r[0], PROGRAM)["security"] is True and triage.judge(r[0], None)["security"] is None, "who brings it about decides")
    small = triage.smaller(PROGRAM)
    check(PROGRAM.rsplit("close", 1)[0] in small and PROGRAM.replace("~ ", "") in small and any("fail=" not in p and "pipe2" in p for p in small)
          and len(set(small)) == len(small) and all(len(p) < len(PROGRAM) for p in small), "smaller programs")


def hostile(top):
    """What strangers send: nothing that a terminal obeys, nothing that takes for ever, nothing outside of what was sent."""
    for n in range(0, len(LOG), 7):
        report.read(LOG[:n])
    for bad in ("\x1b[2J\x9b31mBUG: x\u202e\n", "\x1b]0;title\x07BUG: x\n", "BUG: \ud800x\n", "B\0UG: x\nBUG: x\n"):
        text = "".join(r.text for r in report.read(bad))
        check("x" in text and text.encode() and not any(c < " " and c != "\n" or "\x7f" <= c <= "\x9f" or c == "\u202e" for c in text), "printed as it is: %r" % text)
    check(len(report.read("BUG: " + "fault: a" * 200000 + "\n" + LOG)[0].text) < 2 * report.LINE + len(LOG), "a line without an end")
    panic = LOG + "[    3.1] Kernel panic - not syncing: panic_on_warn set\n"
    check([r.kind for r in report.read(panic)] == ["UBSAN: shift-out-of-bounds"], "the end that a report brings about is no other one")
    check(triage.as_json("[" * 100000) is None and triage.as_json('{"a": ' * 100000) is None and triage.as_json("[1]") is None, "JSON that is too deep, and no object")
    check(checked("\n" * 300000 + "why" + " " * 300000 + "reproducer " * 30000)[0] == 1, "blanks without an end")
    sent = os.path.join(top, "sent")
    os.mkdir(sent)
    os.mkfifo(os.path.join(sent, "console1.log"))
    os.symlink("/etc/passwd", os.path.join(sent, "console2.log"))
    try:
        triage.Input(sent)
        check(False, "a folder of a pipe and a link")
    except Fail:
        pass
    with open(os.path.join(sent, "program1-0.txt"), "w") as f:
        f.write('@user\nopen(&("\x1b[2J\x9bm"), 0)\n')
    with open(os.path.join(sent, "info.json"), "w") as f:
        f.write("[" * 50000)
    i = triage.Input(sent)
    check(i.programs == ['@user\nopen(&("m"), 0)\n'] and i.facts == {} and not i.texts, "a program that would be obeyed: %r" % i.programs)
    path = os.path.join(top, "sent.json")
    with open(path, "w") as f:
        json.dump({"program": '@user\nopen(&("\x1b[2J"), 0)\n', "console": "\x1b[2J" + LOG}, f)
    i = triage.Input(path)
    check("\x1b" not in "".join(i.programs) and len(i.programs) == 1, "in JSON")


def another_kernel(top):
    """The addresses of a log are given lines of the kernel here only where the names are its own."""
    source, kernel = os.path.join(top, "k.c"), os.path.join(top, "k")
    with open(source, "w") as f:
        f.write("int x;\nvoid prepare_signal(void) { x = 1; }\nvoid send_locked(void) { x = 2; }\nvoid _start(void) { prepare_signal(); send_locked(); }\n")
    subprocess.run([TOOLS["clang"], "-g1", "-O0", "-fno-pie", "-mcmodel=kernel", "-ffreestanding", "-nostdlib", "-static", "-fuse-ld=lld", "-Wl,-Ttext=0xffffffff80100000",
                    "-Wl,--image-base=0xffffffff80000000", source, "-o", kernel], check=True)
    at = {w[2]: int(w[0], 16) for w in (line.split() for line in subprocess.run([TOOLS["nm"], kernel], capture_output=True, text=True).stdout.splitlines()) if len(w) == 3}
    lines = ["[ 1.0]   [<%016x>] %s+0x8/0x20" % (at[n] + 8, n) for n in ("prepare_signal", "send_locked")]
    check(triage.names_fit("\n".join(lines), kernel, TOOLS), "a log of this kernel")
    check(not triage.names_fit("\n".join(line.replace("prepare_signal", "f").replace("send_locked", "g") for line in lines), kernel, TOOLS), "a log of another")
    once = oops.symbolize("UBSAN: x\n" + "\n".join(lines), kernel, TOOLS)
    check(once.count(" at ") == 2 and oops.symbolize(once, kernel, TOOLS) == once, "read twice it is the same: " + once)
    check(not triage.names_fit("", kernel, TOOLS) and not triage.names_fit(LOG, kernel, TOOLS), "none, and addresses that are not there")


def hanging(top):
    """A program that stops the machine is reported as that, and the machine is ended."""
    class Stuck:
        ended, console, stopped = None, bytearray(b"booting\n"), 0

        def __init__(self, *args, **kw):
            pass

        def step(self, timeout=0.2):
            return []

        def dead(self):
            return False

        def last_programs(self):
            return [(1, PROGRAM)]

        def stop(self):
            Stuck.stopped += 1
    lab = triage.Lab.__new__(triage.Lab)
    lab.memory = triage.memory_of({"memory": fuzz_vm.LITTLE})
    check(lab.memory == fuzz_vm.LITTLE and triage.memory_of({"memory": "1G,x=y"}) == triage.memory_of({}) == fuzz_vm.MEMORY, "what memory a machine gets")
    lab.tools, lab.append, lab.vmlinux, lab.binary, lab.tool, lab.dir = TOOLS, "", os.path.join(top, "none"), __file__, None, top
    real, fuzz_vm.Machine = fuzz_vm.Machine, Stuck
    try:
        found, last, _ = lab.boot(["run"], [], deadline=0)
        check(found[0].kind == "report" and found[0].text.startswith("hang") and last == [PROGRAM] and Stuck.stopped == 1, "a hang: %s" % found[0].text)
        with open(os.path.join(top, "lab.cpio"), "rb") as f:
            check(b"free=%d\nrun" % fuzz_vm.FREE in f.read(), "a machine of little memory fills it")
        with open(os.path.join(top, "fuzz"), "w"):
            pass
        fuzz_replay.OUT = top
        o = fuzz_replay.run(TOOLS, (lab.vmlinux, __file__, None), [PROGRAM], 1, limit=0)
        check(o.reports[0].text.startswith("hang") and o.last == [PROGRAM] and Stuck.stopped == 2, "and in a replay: %s" % o.reports[0].text)
    finally:
        fuzz_vm.Machine = real


def parties(tool, top):
    """Machines for attacks with two parties, also of one kind of call."""
    for name in ("fuzz", "setuid"):
        with open(os.path.join(top, name), "w"):
            pass
    fuzz_parties.OUT = top
    real, fuzz_vm.Machine = fuzz_vm.Machine, lambda *a, **k: None
    try:
        for number, only in (1, None), (2, "uring"):
            fuzz_parties.Machine(TOOLS, ("", os.path.join(top, "fuzz"), tool), number, 1, 0, 10, only=only)
            with open("%s/vm%d.cpio" % (top, number), "rb") as f:
                check((b"only=uring\nparties\n1\n0\n10\n" in f.read()) == bool(only), "what a machine for %s is told" % only)
    finally:
        fuzz_vm.Machine = real


def committed(tool, top):
    """Corpora with something damaged in them; what is committed is whole; the fewest programs."""
    path = os.path.join(top, "corpus.txt")
    with open(path, "wb") as f:
        f.write(b"# a comment\n@user\ngetpid()\n@root\nnope(1)\n@user\n\xff\x00(\n@root\ngettid()\n")
    some, bad = fuzz_corpus.checked(tool, path)
    check(some == ["@user\ngetpid()\n", "@root\ngettid()\n"] and len(bad) == 2 and "program 2" in bad[0] and "no such call" in bad[0], "left out with a line: %s %s" % (some, bad))
    corpus = fuzz_corpus.Corpus(os.path.join(top, "checked"))
    for name, data in (("good", b"@user\ngetpid()\n"), ("cut", b"@user\ngetpid("), ("empty", b""), ("raw", bytes(range(256)))):
        with open(os.path.join(corpus.dir, name), "wb") as f:
            f.write(data)
    corpus = fuzz_corpus.Corpus(os.path.join(top, "checked"))
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        corpus.check(tool)
    check(corpus.names == {"good", "empty"} and err.getvalue().count("left out: ") == 2, "a folder: %s %s" % (corpus.names, err.getvalue()))
    if os.path.exists(fuzz_corpus.COMMITTED):
        some, bad = fuzz_corpus.checked(tool, fuzz_corpus.COMMITTED)
        check(some and not bad and len(some) <= fuzz_replay.MOST_PROGRAMS and os.path.getsize(fuzz_corpus.COMMITTED) < fuzz_replay.MOST_BYTES + 4096, "the committed corpus: %s" % bad)
    for by_hand in (fuzz_corpus.BY_HAND, fuzz_corpus.LITTLE_MEMORY):
        some, bad = fuzz_corpus.checked(tool, by_hand)
        check(some and not bad, "%s: %s" % (by_hand, bad))
    check(set(fuzz_corpus.committed(tool)) == {p.encode() for f in fuzz_corpus.REPLAYS["corpus"] for p in fuzz_corpus.checked(tool, f)[0]}, "what hunts begin with is replayed")
    known, bad = fuzz_replay.reproducers(tool)
    check(len(known) >= 2 and not bad and all(programs and ";" in said for _, said, programs in known), "the committed reproducers: %s" % bad)
    with open(path, "w") as f:
        f.write("@user\ngetpid()\n")
    os.rename(path, os.path.join(top, "no_comment.txt"))
    check("its comment" in fuzz_replay.reproducers(tool, top)[1][0], "a reproducer that does not say what it is of")
    turns = [[fuzz.kind_of(slot, turn) for slot in range(4)] for turn in range(4)]
    check(all(sum(k[0] for k in kinds if k) == 4 for kinds in turns), "machines have as many processors as there are slots: %s" % turns)
    both = {k[:2] for kinds in turns for k in kinds[:2] if k}
    check(both == {(1, fuzz_vm.MEMORY), (2, fuzz_vm.MEMORY), (1, fuzz_vm.LITTLE)}, "two slots see every kind of machine in four turns: %s" % both)
    check(fuzz_replay.cover({0: {1, 2, 3}, 1: {1}, 2: {4}, 3: {1, 2, 3, 4, 5}, 4: set()}, [10, 10, 10, 1000, 1]) == [0, 2, 3], "the fewest programs, cheap ones first")
    many = {n: set(range(n, n + 40)) for n in range(0, 400, 7)}
    few = fuzz_replay.cover(many, {n: 100 for n in many})
    check(set().union(*(many[n] for n in few)) == set().union(*many.values()) and len(few) < len(many) // 2, "%d programs for what all reach" % len(few))
    check(fuzz_replay.limited(["x" * 1000] * 1000) == ["x" * 1000] * min(fuzz_replay.MOST_PROGRAMS, fuzz_replay.MOST_BYTES // 1000), "no more than is to be committed")


def scanning():
    """A console is looked through once, in whatever pieces it comes."""
    text = ("quiet\n" * 500 + LOG + "quiet\n" * 500).encode()
    for size in (1, 7, 63, 1000):
        scan, console, found = oops.Scan(), bytearray(), []
        for at in range(0, len(text), size):
            console += text[at:at + size]
            if scan.found(console):
                found.append(len(console))
        check(found and found[0] - text.index(b"UBSAN: ") - 7 < size, "found in pieces of %d as soon as it is there: %s" % (size, found[:3]))
        check(found[-1] - found[0] <= scan.KEEP + size and not scan.found(console), "and looked at no more: %s" % found)
    del console[:len(console) // 2]
    check(not scan.found(console), "its front is cut off")


def checked(text):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write(text)
        f.flush()
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = triage.cmd_check(type("Args", (), {"check": f.name}))
    return status, out.getvalue()


def checking():
    head = run("git", "-C", ROOT, "rev-parse", "HEAD").stdout.strip()
    if not head:
        return      # not a clone: versions cannot be looked up
    full = {"title": "t", "fingerprint": "f", "seen": 1, "version": head[:12] + " (debug build)", "where": None, "room": None, "conditions": "2 CPUs", "why": "it must not",
            "security": True, "class": "c", "harm": "h", "report": LOG, "program": PROGRAM, "c_reproduces": True, "reproduced": "3 of 3 boots"}
    check(checked(triage.as_text(full)) == (0, checked(json.dumps(full))[1]) and checked(json.dumps(full))[0] == 0, "a complete one, as text and as JSON: "
          + checked(triage.as_text(full))[1])
    status, text = checked("It crashes.\n")
    check(status == 1 and all(w in text for w in ("Version", "Reproducer", "Conditions", "Why", "Report")), "everything is missing: " + text)
    check("no commit" in checked(json.dumps({**full, "version": "1234567"}))[1], "a version that is none")
    check("behind main" in checked(json.dumps({**full, "version": run("git", "-C", ROOT, "rev-parse", "HEAD~1").stdout.strip() or "0"}))[1]
          or not run("git", "-C", ROOT, "rev-parse", "-q", "--verify", "HEAD~1").stdout, "an old version")
    check(checked(json.dumps({**full, "program": ""}))[1].count("\n  ") == 1, "one thing is missing")


def corpora(tool, top):
    ours, theirs = fuzz_corpus.Corpus(os.path.join(top, "ours")), fuzz_corpus.Corpus(os.path.join(top, "theirs"))
    one, two = b"@user\ngetpid()\n", b"@root\ngetppid()\n"
    check(ours.add(one) and not ours.add(one) and theirs.add(one) and theirs.add(two), "adding")
    with open(os.path.join(theirs.dir, "broken"), "wb") as f:
        f.write(b"@user\n\xff\x00garbage")
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        got = fuzz_corpus.merge(tool, [os.path.join(top, "theirs")], ours)
    check(got == (1, 1, 1) and "left out" in err.getvalue(), "merging: %s %s" % (got, err.getvalue()))
    check(sorted(fuzz_corpus.Corpus(os.path.join(top, "ours")).some(9, None)) == sorted([(fuzz_corpus.name_of(p), p) for p in (one, two)]), "what is there after it")
    try:
        fuzz_corpus.merge(tool, [os.path.join(top, "nowhere")], ours)
        check(False, "a folder that is not there")
    except Fail:
        pass
    ledger = os.path.join(top, "ledger.csv")
    fuzz_corpus.record([["abc", "syscalls", 1, 100, 0]], ledger)
    fuzz_corpus.record([["abc", "syscalls", 2, 50, 1], ["abc", "elf", 2, 7, 0]], ledger)
    check(fuzz_corpus.programs_in(ledger) == 150, "the ledger's sum")
    check(fuzz.seconds("90") == 90 and fuzz.seconds("30m") == 1800 and fuzz.seconds("2d") == 172800, "times")
    for bad in ("", "0", "x", "-1", "5y"):
        try:
            fuzz.seconds(bad)
            check(False, "time " + bad)
        except Fail:
            pass


def refused(work):
    try:
        work()
    except Fail:
        return True
    return False


def decoders(top):
    path = os.path.join(top, "inputs.txt")
    inputs = [b"", b"\0" * 5000, bytes(range(256))]
    fuzz_host.write_committed(path, inputs)
    check(sorted(fuzz_host.read_committed(path)) == sorted(inputs), "committed inputs come back")
    check(refused(lambda: fuzz_host.write_committed(path, [os.urandom(fuzz_host.MOST)])), "too many of them")
    rows = os.path.join(top, "rows.toml")
    row = '[[branch]]\ntarget = "script"\nfile = "lib/script.c"\ncode = "*p"\nnever = "%s"\n'
    with open(rows, "w") as f:
        f.write((row + 'reason = "because"\n') % "true" + (row + 'count = 2\nreason = "because"\n') % "true")
    check(fuzz_host.accepted("script", rows) == {("lib/script.c", "*p", "true"): 3} and not fuzz_host.accepted("elf", rows), "accepted branches")
    for bad in (row % "true", (row + 'reason = "because"\n') % "maybe"):
        with open(rows, "w") as f:
            f.write(bad)
        check(refused(lambda: fuzz_host.accepted("script", rows)), "a row without a reason, or of no known kind")
    known = fuzz_host.sources()
    for name in known:      # what is accepted stands in the source that it is about
        for file, code, _ in fuzz_host.accepted(name):
            with open(os.path.join(ROOT, file)) as f:
                check(code in f.read(), "%s has no '%s'" % (file, code))
    with open(ROOT + "/docs/fuzzing.md") as f:
        text = f.read()
    check(all(name in text for name in known), "docs/fuzzing.md names every target")
    t = fuzz_host.Target(TOOLS, "script")
    check(t.decoders == ["lib/script.c"] and fuzz_host.Target(TOOLS, "options").helpers == ["lib/numbers.c", "lib/string.c"], "what a target is made of")
    inputs = []
    for i, line in enumerate((b"#!/bin/sh x\n", b"#!")):
        inputs.append(os.path.join(top, "input%d" % i))
        with open(inputs[-1], "wb") as f:
            f.write(line)
    missed, total = fuzz_host.branches(TOOLS, t, inputs)
    check(total == 54 and ("lib/script.c", "n < 2", "true") in missed and ("lib/script.c", "!end", "true") not in missed, "what two inputs never reach of %d: %s" % (total, missed))


with tempfile.TemporaryDirectory() as top_dir:
    decoders(top_dir)
    built = build_tool(top_dir)
    programs(built, top_dir)
    corpora(built, top_dir)
    os.mkdir(os.path.join(top_dir, "more"))
    committed(built, os.path.join(top_dir, "more"))
    hostile(top_dir)
    parties(built, top_dir)
    another_kernel(top_dir)
    hanging(top_dir)
reports()
scanning()
checking()
