#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: a Debian is made where there is none, booted from its disk, and read twice
"""./ochre heal-demo: three damages of a live disk are repaired while it is used; no file changes, xfs_repair finds nothing, and the base image stays as it was."""
import os
import re
import subprocess
import sys

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import disk, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402

LINE = re.compile(r" *[\d.]+ +(\d/\d)? +(\w+(?: out| repaired)?) +(.*)")


def main():
    tools = setup.load() or setup.ensure()
    try:
        base = disk.base("", "x86_64", tools)
    except Fail as e:
        print("there is no Debian to put on a disk: %s" % str(e).splitlines()[0])
        return 77
    before = os.stat(base)
    left = set(os.listdir(disk.DISKS))
    r = subprocess.run([ROOT + "/ochre", "heal-demo", "--count", "3", "--seed", "2", *sys.argv[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    said = [m.groups() for m in map(LINE.fullmatch, r.stdout.splitlines()) if m]
    words = [w for _, w, _ in said]
    check(r.returncode == 0, "status %d\n%s%s" % (r.returncode, r.stdout, r.stderr))
    rounds = [(lead, text.split(":")[0]) for lead, word, text in said if word == "damaged"]
    check([lead for lead, _ in rounds] == ["1/3", "2/3", "3/3"], r.stdout)
    check([t.split(" daddr")[0] for _, t in rounds] == ["agf AG 1", "finobt AG 1", "inobt AG 2"], rounds)
    check(words.count("repaired") >= 3 and words.count("found") >= 3 and "FAILED" not in words and "\x1b" not in r.stdout, r.stdout)
    sound = [text for _, word, text in said if word == "sound"]
    check(len(sound) == 3 and re.fullmatch(r"\d+ files have the bytes they had; the workload: \d+ files, 0 errors", sound[0]) and sound[1:] == ["3 of 3 damages were repaired", "xfs_repair -n finds nothing"], sound)
    check(int(sound[0].split()[0]) > 1000 and int(sound[0].split()[-4]) > 20, sound[0])
    after = os.stat(base)
    check((before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino), "the base image was written to")
    check(set(os.listdir(disk.DISKS)) == left, "it leaves %s" % (set(os.listdir(disk.DISKS)) - left))
    print("ok")
    return 0


sys.exit(main())
