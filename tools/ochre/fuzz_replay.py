# SPDX-License-Identifier: MIT
"""Programs run again, one after another, on the debug kernel: the committed corpus and reproducers, which must bring nothing about; and a
corpus made small, from what each of its programs reaches."""
import glob
import heapq
import os
import sys
import time

from . import fuzz_corpus, fuzz_cover, fuzz_vm, oops, report
from .util import BUILD, Fail, Progress, ROOT, awake, rel

OUT = os.path.join(BUILD, "fuzz", "replay")
REPRODUCERS = os.path.join(ROOT, "fuzz", "reproducers")
LIMIT = 900                     # seconds for all programs of one machine; a replay of what is committed takes one
MOST_PROGRAMS, MOST_BYTES = 1000, 400 << 10    # of what is committed
OFTEN = 10                      # times that a reproducer is run: what it shows may be a race


class Outcome:
    """What became of programs in one machine: reports, places, what each program reached and how long it took (us), what ran last, how it ended."""

    def __init__(self):
        self.reports, self.places, self.each, self.took, self.last, self.ended, self.text = [], set(), {}, {}, [], None, ""


def run(tools, built, programs, cpus, times=1, each=False, number=80, limit=LIMIT, note=None, show=None, memory=fuzz_vm.MEMORY):
    """Runs programs (texts) in one machine of so many CPUs. SHOW is given each call's result."""
    vmlinux, binary, _ = built
    os.makedirs(OUT, exist_ok=True)
    path = os.path.join(OUT, "replay%d.cpio" % number)
    args = ["run"] + (["-v"] if show else []) + (["-p"] if each else []) + ["-n", str(times), "/programs"]
    fuzz_vm.initrd(path, binary, args, files=[("programs", "".join(programs).encode())], memory=memory)
    m = fuzz_vm.Machine(tools, number, vmlinux, path, cpus=cpus, memory=memory)
    o = Outcome()
    settle = kind = None
    heard = awake()
    end, scan = heard + limit, oops.Scan()

    def take(words):
        for what, data in words:
            if what == "P":
                o.places.update(data)
            elif what == "T" and show:
                show(data)
            elif what == "A":
                o.each.setdefault(data[0], set()).update(data[2:])
                o.took[data[0]] = data[1]
                if note and data[0] % 10 == 0:
                    note("%d of %d programs" % (data[0], len(programs)))
        return bool(words)
    try:
        while True:
            now = awake()
            if take(m.step()):
                heard = now
            if not settle and (m.ended is not None or m.dead() or scan.found(m.console)):
                settle = now + 2        # what else it says
            if settle and (now > settle or m.dead()):
                break
            if now > min(end, heard + fuzz_vm.HUNG):
                kind = "hang: no word for %d s" % fuzz_vm.HUNG if now < end else "hang: not done in %d s" % limit
                break
        while take(m.step(0)):
            pass
        o.text, o.ended, o.last = report.clean(m.console.decode(errors="replace")), m.ended, [p for _, p in m.last_programs()]
    finally:
        m.stop()
    o.reports = report.read(o.text, vmlinux, tools)
    if not o.reports and o.ended != "status 0":
        o.reports = [report.Report([kind or "the fuzzer ended: " + (o.ended or "the machine is gone")])]
    return o


# --- what is committed ---

def reproducers(tool, folder=REPRODUCERS):
    """[(name, what its comment says, programs)], and complaints. The comment: what it brought about, the commit that mended it."""
    out, bad = [], []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        programs, wrong = fuzz_corpus.checked(tool, path)
        bad += wrong
        with open(path, errors="replace") as f:
            said = [line[1:].strip() for line in f if line.startswith("#")]
        if len(said) < 2:
            bad.append("%s: its comment has no line of what it brought about, and of which commit mended it" % rel(path))
        out.append((os.path.basename(path)[:-4], "; ".join(said), programs))
    return out, bad


def replay(tools, built, what, files, memory=fuzz_vm.MEMORY):
    """The committed corpus, the reproducers, or files, with one CPU and with four. The number of machines in which something came."""
    _, _, tool = built
    bad = []
    if what == "reproducers":
        known, bad = reproducers(tool)
        programs, times = [p for _, _, ps in known for p in ps], OFTEN
    else:
        programs, times = [], 1
        for path in files:
            some, wrong = fuzz_corpus.checked(tool, path)
            programs, bad = programs + some, bad + wrong
    for line in bad:
        print("left out: " + line)
    if not programs:
        raise Fail("there is no program to replay in %s" % (", ".join(map(rel, files)) or rel(REPRODUCERS)), 1)
    mark = fuzz_cover.mark_of(built[0])
    worst, places = len(bad), fuzz_cover.read_places(fuzz_corpus.PLACES, mark)
    for cpus in (1, 4):
        start = time.monotonic()
        with Progress("%s, %d CPU%s" % (what, cpus, "s" if cpus > 1 else "")):
            o = run(tools, built, programs, cpus, times, memory=memory)
        places |= o.places
        print("%s: %d programs, %d CPUs, %d places, %.0f s: %s" % (what, len(programs), cpus, len(o.places), time.monotonic() - start,
                                                                 "%d reports" % len(o.reports) if o.reports else "nothing came of it"))
        for r in o.reports[:3]:         # the rest tends to follow from the first
            print("%s (%s)\n%s" % (r.title, r.fingerprint, r.text))
        if o.reports:
            worst += 1
            for p in o.last:
                print("What ran then:\n" + p)
            with open(os.path.join(OUT, "console%d.log" % cpus), "w") as f:
                f.write(oops.symbolize(o.text, built[0], tools))
            print("the console: " + rel(f.name))
    fuzz_cover.write_places(fuzz_corpus.PLACES, mark, places)
    return worst


# --- a small corpus ---

def cover(each, cost):
    """Numbers of programs that together reach what all do, the ones that add most for their cost first."""
    left = {n: set(p) for n, p in each.items()}
    have, out = set(), []
    heap = [(-len(p) / (cost[n] + 1), n) for n, p in left.items()]
    heapq.heapify(heap)
    while heap:
        _, n = heapq.heappop(heap)
        fresh = left[n] - have
        if not fresh:
            continue
        worth = -len(fresh) / (cost[n] + 1)
        if heap and worth > heap[0][0]:         # others may add more by now
            left[n] = fresh
            heapq.heappush(heap, (worth, n))
            continue
        have |= fresh
        out.append(n)
    return out


def minimise(tools, built, corpus, keep):
    """Runs a whole corpus once. (programs that together reach what all did, how many places, programs that the kernel did not survive)"""
    programs = sorted((p.decode(errors="replace") for _, p in corpus.all()), key=lambda p: (len(p), p))
    each, took, fatal, at = {}, {}, [], 0
    with Progress("Running %d programs" % len(programs)) as progress:
        while at < len(programs):
            o = run(tools, built, programs[at:], 1, each=True, limit=6 * 3600,
                    note=lambda s, done=at: progress.note("Running %d programs, %d done: %s" % (len(programs), done, s)))
            for n, places in o.each.items():
                each[at + n], took[at + n] = places, o.took[n]
            done = at + (max(o.each) + 1 if o.each else 0)
            if o.ended == "status 0" and not o.reports:
                break
            if done < len(programs):
                keep(o, programs[done])
                fatal.append(programs[done])
            at = done + 1
    for i in [i for i, p in enumerate(programs) if p in fatal]:
        each.pop(i, None)
    order = cover(each, took)
    return [programs[n] for n in order], len(set().union(*each.values())) if each else 0, fatal


def write(path, programs, head):
    with open(path + ".new", "w") as f:
        f.write("".join("# %s\n" % line for line in head) + "".join(programs))
    os.rename(path + ".new", path)


def limited(programs):
    """The first ones that fit into what is committed."""
    out, size = [], 0
    for p in programs[:MOST_PROGRAMS]:
        size += len(p)
        if size > MOST_BYTES:
            break
        out.append(p)
    return out


def cmd_minimise(tools, built, record, crash):
    """./ochre fuzz --minimise"""
    corpus = fuzz_corpus.Corpus()
    for p in fuzz_corpus.committed(built[2]):
        corpus.add(p)
    corpus.check(built[2])
    if not corpus.names:
        raise Fail("there is no corpus yet: run ./ochre fuzz first", 1)
    titles = []

    def keep(outcome, program):
        titles.append(crash(outcome, program))
    programs, places, fatal = minimise(tools, built, corpus, keep)
    path = os.path.join(fuzz_corpus.DIR, "minimal.txt")
    write(path, programs, ["%d programs that reach %d places, those that add most first" % (len(programs), places)])
    print("%d of %d programs reach the same %d places: %s" % (len(programs), len(corpus.names), places, rel(path)))
    for t in titles:
        print("  a program broke the kernel: " + t)
    if record:
        few = limited(programs)
        os.makedirs(os.path.dirname(fuzz_corpus.COMMITTED), exist_ok=True)
        write(fuzz_corpus.COMMITTED, few, ["Programs that ./ochre fuzz begins with and ./ochre test replays; made by ./ochre fuzz --minimise --record."])
        print("%d of them are in %s" % (len(few), rel(fuzz_corpus.COMMITTED)))
        sys.stdout.flush()
    return 1 if fatal else 0
