# SPDX-License-Identifier: MIT
"""Memory order: tests/litmus says in C's atomics what a primitive of the kernel does on two or three CPUs, and herd7 tries every way in
which C's memory model lets it come out."""
import glob
import os
import re
import subprocess

from . import setup
from .util import HOST, ROOT, Fail

# C11 with the weakest order of what is sequentially consistent; unlike RC11 it lets a store come before an earlier load, as aarch64 and alpha do.
MODEL = "c11_partialSC.cat"
HERD_MIN = (7, 58)


def tests():
    return sorted(glob.glob(os.path.join(ROOT, "tests/litmus/*.litmus")))


def name_of(path):
    return "litmus/" + os.path.basename(path)[:-len(".litmus")]


def herd():
    """[program, options...]: herd7 with its own C library, unpacked when first asked for."""
    dest = os.path.join(HOST, "herd7")
    program = dest + "/herd7"
    if not os.path.exists(program):
        apt = setup.PrivateApt(setup.codename(), ["sid"], "apt-sid")
        apt.unpack(["herdtools7", "libc6", "libgmp10"], "sid", dest, HERD_MIN)
        for path in glob.glob(dest + "/usr/bin/*"):     # 250 MB of relatives
            if os.path.basename(path) != "herd7":
                os.unlink(path)
        setup.with_own_library(program, dest, ["herd7", "-set-libdir", dest + "/usr/share/herdtools7/herd"])
    return [program, "-model", MODEL]


def judge(argv, path):
    """(what is wrong or None, what herd7 said)"""
    with open(path) as f:
        expected = re.search(r"^ \* Expected: (Never|Sometimes)$", f.read(), re.M)
    if not expected:
        return "it does not say what is expected: Never or Sometimes", ""
    try:
        r = subprocess.run(argv + [path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120)
    except OSError as e:
        raise Fail("cannot run herd7: %s" % e.strerror)
    except subprocess.TimeoutExpired:
        return "out of time", ""
    got = re.search(r"^Observation \S+ (\w+)", r.stdout, re.M)
    if r.returncode or not got:
        return "herd7 ends with status %d" % r.returncode, r.stdout
    return None if got[1] == expected[1] else "%s, and %s is expected" % (got[1], expected[1]), r.stdout
