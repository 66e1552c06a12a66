#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: whole programs in a Debian root
"""./ochre bench counts: operations whose cost in atomics is known, the same figures from two runs, what the results file holds; in company,
a call that shares nothing is seen to share nothing, and one that must share is seen."""
import json
import os
import re
import subprocess

from expect import check

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
OUT = ROOT + "/build/bench"


def bench(*argv):
    r = subprocess.run([ROOT + "/ochre", "bench"] + list(argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout


def forget():
    """Runs are kept by content; the next is made anew."""
    for n in os.listdir(OUT) if os.path.isdir(OUT) else ():
        if n.startswith("run-"):
            os.unlink(os.path.join(OUT, n))


def table():
    status, text = bench("getppid", "fstat", "futex wake", "mprotect")
    with open(OUT + "/result.json") as f:
        return status, text, json.load(f)["runs"][0]["ochre"]


status, text, first = table()
forget()
again = table()[2]
check(status == 0 and "getppid" in text and sorted(first) == sorted(["getppid", "fstat", "futex wake, none waits", "mprotect 64 KiB"]), "the table")
check(first == again, "two runs are equal")
check(first["getppid"]["atomics"] < 0.01 and first["mprotect 64 KiB"]["invalidations"] >= 1, "getppid makes no atomic, mprotect invalidates pages")
check(all(abs(c["kernel"] + c["user"] - c["instructions"]) < 1 for c in first.values()), "kernel and user part are the whole")
status, text = bench("binder")
with open(OUT + "/result.json") as f:
    calls = json.load(f)["runs"][0]["ochre"]
check(status == 0 and sorted(calls) == ["binder call 0 B", "binder call 4 KiB"] and all(1.9 < c["table loads"] < 2.1 for c in calls.values()),
      "calls through Binder, whose module it brings: there and back: %s" % text)
status, text = bench("--disk", "--disk-bus", "scsi", "disk:_direct_read")
with open(OUT + "/disk.json") as f:
    read = json.load(f)["Ochre"]["disk: direct read 4 KiB"]
check(status == 0 and read["requests"] == [1, 8, 0, 0, 0] and read["instructions"] > 1000, "a disk behind SCSI, whose module it brings: %s" % text)
status, text = bench("nothing-is-called-this")
check(status == 2 and "no operation has a name" in text, "an unknown name is said")
status, text = bench("--gate", "getppid")
check(status == 2 and "measure all operations" in text, "the gate takes no filter")
status, text = bench("--company", "getppid", "yield_of_two")
with open(OUT + "/company.json") as f:
    shared = json.load(f)["ochre"]
check(status == 0 and shared["getppid"]["accesses"] < 1 and shared["sched_yield of two"]["accesses"] > 1,
      "in company getppid shares no line; who yields to another looks at all queues")
status, text = bench("--apps", "getppid")
check(status == 2 and "no program of --apps is called 'getppid': there are shell, " in text, "an unknown program is said: %s" % text)
status, text = bench("--apps", "--pairs", "1", "shell")
with open(OUT + "/apps.json") as f:
    apps = json.load(f)
check(status == 0 and re.search(r"^shell +\d+\.\d\d +\d+\.\d +\d+\.\d$", text, re.M), "the table of programs: %s" % text)
check(apps["times"]["ochre"][0]["shell"] > 0 and apps["counts"]["ochre"]["shell"]["kernel"] > 1e6 and apps["ratios"] == {}, "and its file: %s" % apps)
status, text = bench("--profile", "getppid")
rows = dict(reversed(l.split(None, 1)) for l in text.splitlines() if l.startswith("  "))
check(status == 0 and float(rows["kernel, all"]) > 50 and float(rows["sys_getppid"]) < float(rows["kernel, all"]),
      "the profile has the function of the call, and all of it: %s" % text)
