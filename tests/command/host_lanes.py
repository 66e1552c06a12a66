#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parts side by side: never more than there are cores for, all of them, in each part's own order; and what ends the run ends the parts."""
import multiprocessing
import os
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import lanes  # noqa: E402
from ochre.util import Fail  # noqa: E402


def run(parts, cores):
    """PARTS: (cores, what to say). Returns what was heard and who ended, in order."""
    heard = []
    r = lanes.Lanes(cores, lambda key, what: heard.append((key, *what)), lambda key: heard.append((key, "ended")))
    for i, (n, fn) in enumerate(parts):
        r.add(i, n, fn, r, i)
    try:
        r.finish()
    except Fail as e:
        heard.append(("fail", str(e)))
    assert not r.running and not r.waiting
    return heard


def meets(barrier):
    def part(r, i):
        barrier.wait()
        r.tell(("met",))
    return part


def says(r, i):
    for word in ("a", "b", "c"):
        r.tell((word, i))


def alone(path):
    """Says whether it has been alone in PATH."""
    def part(r, i):
        mine = os.path.join(path, str(i))
        open(mine, "w").close()
        r.tell(("others", len(os.listdir(path)) - 1))
        os.unlink(mine)
    return part


heard = run([(1, says)] * 5, 2)
for i in range(5):
    assert [h for h in heard if h[0] == i] == [(i, "a", i), (i, "b", i), (i, "c", i), (i, "ended")], heard

two = multiprocessing.get_context("fork").Barrier(2)
assert [h[1] for h in run([(1, meets(two))] * 2, 2)].count("met") == 2       # two cores: two at once
with tempfile.TemporaryDirectory() as d:        # what takes all, or more than there are, has nobody beside it
    heard = run([(n, alone(d)) for n in (2, 9, 2, 100)], 2)
    assert [h[2] for h in heard if h[1] == "others"] == [0] * 4, heard
with tempfile.TemporaryDirectory() as d:        # one core: one after the other
    assert [h[2] for h in run([(1, alone(d))] * 4, 1) if h[1] == "others"] == [0] * 4


def fails(r, i):
    raise Fail("no such thing")


def hangs(r, i):
    r.tell(("pid", os.getpid()))
    signal.pause()


def dies(r, i):
    os.kill(os.getpid(), signal.SIGKILL)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


heard = run([(1, hangs), (1, fails)], 2)        # the one that hangs is not left behind
assert heard[-1] == ("fail", "no such thing"), heard
assert all(gone(h[2]) for h in heard if h[1] == "pid"), heard
assert run([(1, dies)], 2)[-1] == ("fail", "a part of the run was killed")

read, write = os.pipe()
pid = os.fork()
if not pid:                                     # a run that is killed outright takes its parts along
    os.close(read)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def holds(r, i):
        os.write(write, b"x")
        signal.pause()
    run([(1, holds), (1, holds)], 2)
    os._exit(0)
os.close(write)
assert os.read(read, 1) and os.read(read, 1)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
assert os.read(read, 1) == b"", "a part still holds the pipe"
print("ok")
