#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A lock of apt's that somebody holds is waited for, and said; a changing mirror is waited for twice; other failures are failures at once."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile

TOOLS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools")
sys.path.insert(0, TOOLS)
sys.dont_write_bytecode = True
from ochre import apt  # noqa: E402
from ochre.util import Fail  # noqa: E402

# Holds a lock as apt does until its input ends, and some more.
HOLDER = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
LISTS = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)\nE: Unable to lock directory /var/lib/apt/lists/"
FRONTEND = "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
SUM = "E: Failed to fetch http://m.example/debian/dists/x/Packages.xz  Hash Sum mismatch"
GONE = "E: Failed to fetch http://m.example/debian/pool/x.deb  404  Not Found [IP: 192.0.2.1 80]"


def called(folder, words, again=None):
    """Runs an apt-get that fails once with each of WORDS: (what was said, its calls, the failure or None)."""
    script = os.path.join(folder, "apt-get")
    with open(script, "w") as f:
        f.write("#!/bin/sh\necho \"$@\" >> %s/calls\nn=$(wc -l < %s/calls)\nif [ -e %s/words.$n ]; then cat %s/words.$n; exit 100; fi\n" % ((folder,) * 4))
    os.chmod(script, 0o755)
    for n, w in enumerate(words, 1):
        with open("%s/words.%d" % (folder, n), "w") as f:
            f.write(w + "\n")
    said, failure = io.StringIO(), None
    with contextlib.redirect_stderr(said):
        try:
            apt.run("Testing", [script, "update"], folder + "/log", again=again)
        except Fail as e:
            failure = str(e)
    with open(folder + "/calls") as f:
        return said.getvalue(), f.read().splitlines(), failure


def cases():
    apt.STEP, apt.WAITS = 0.0, (0, 0)
    for words, calls, fails, says in [
            ([], 1, False, ""), ([LISTS], 2, False, "holds /var/lib/apt/lists/lock: waiting"), ([FRONTEND] * 3, 4, False, "holds /var/lib/dpkg/lock-frontend: waiting"),
            ([SUM], 2, False, "middle of an update (Hash Sum mismatch)"), ([GONE, SUM], 3, False, "404"), ([SUM] * 3, 3, True, "middle of an update"),
            (["E: Unable to locate package x"], 1, True, "Unable to locate"), ([SUM, LISTS, SUM, LISTS], 5, False, "waiting")]:
        with tempfile.TemporaryDirectory() as d:
            said, made, failure = called(d, words)
            assert len(made) == calls and bool(failure) == fails and says in said, (words, made, failure, said)
            assert all("DPkg::Lock::Timeout=" in c and c.endswith("update") for c in made), made
            assert not failure or "status 100" in failure
    with tempfile.TemporaryDirectory() as d:        # other packages are asked for when the lists have changed
        said, made, failure = called(d, [GONE], lambda: [d + "/apt-get", "download", "newer"])
        assert made[0].endswith("update") and made[1].endswith("download newer") and not failure, made


def the_real_one():
    """apt-get itself, in folders of its own, while another holds the lock of its lists."""
    apt.STEP = 0.2
    with tempfile.TemporaryDirectory() as d:
        os.makedirs(d + "/lists/partial")
        for name in ("sources", "status"):
            open(d + "/" + name, "w").close()
        opts = [o for k, v in (("Dir::Etc::sourcelist", "sources"), ("Dir::Etc::sourceparts", "none"), ("Dir::State::lists", "lists"), ("Dir::State::status", "status"),
                               ("Dir::Cache", "cache")) for o in ("-o", "%s=%s/%s" % (k, d, v))] + ["-o", "APT::Sandbox::User=root"]
        with subprocess.Popen([sys.executable, "-c", HOLDER, d + "/lists/lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
            p.stdout.readline()
            assert apt.holder(d + "/lists/lock") == p.pid
            real = apt.say

            def say(text):
                said.append(text)
                p.stdin.close()         # let go once we have said that we wait
            said, apt.say = [], say
            try:
                apt.run("Testing", ["apt-get"] + opts + ["-q", "update"], d + "/log")
            finally:
                apt.say = real
        assert len(said) >= 1 and "process %d" % p.pid in said[0] and d + "/lists/lock" in said[0], said
        assert apt.holder(d + "/lists/lock") == 0


def two_set_ups():
    """The second waits, and says so; one that holds the lock may take it again."""
    code = "import sys; sys.path.insert(0, %r); sys.dont_write_bytecode = True\nfrom ochre import apt\nimport os\napt.HOST = sys.argv[1]\nwith apt.one_at_a_time():\n" \
        " with apt.one_at_a_time():\n  print('mine', flush=True); sys.stdin.read()\n" % TOOLS
    with tempfile.TemporaryDirectory() as d:
        a, b = (subprocess.Popen([sys.executable, "-c", code, d], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2))
        # Whoever comes second says that it waits, and has the lock when the first has ended.
        import select
        ready, _, _ = select.select([a.stderr, b.stderr], [], [], 60)
        second, first = (a, b) if a.stderr in ready else (b, a)
        assert second.stderr.readline() == "waiting for another set-up...\n"
        assert first.stdout.readline() == "mine\n"
        first.stdin.close()
        assert second.stdout.readline() == "mine\n"
        second.stdin.close()
        assert first.wait() == 0 and second.wait() == 0
        for p in (a, b):
            p.stdout.close()
            p.stderr.close()


cases()
the_real_one()
two_set_ups()
print("ok")
