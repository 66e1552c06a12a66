# SPDX-License-Identifier: MIT
"""The names of all tests, found where they lie, and the features that docs/features.md says they prove."""
import functools
import glob
import os
import re
import subprocess
import sys

from . import analyze, arches, fuzz_corpus, fuzz_host, litmus, machines, scale
from .util import ARCHES, ROOT


def rust_name(src):
    return "build/rust_" + os.path.basename(src)[:-3]


def host_sources():
    return sorted(fuzz_host.host_tests())


def host_name(src):
    room = os.path.relpath(src, ROOT).split("/test/")[0].replace("/", "_")
    return "host/%s_%s" % (room, os.path.basename(src)[5:-2])


@functools.cache
def ktest_names():
    names = []
    for d in glob.glob(ROOT + "/*/test/k_*.c") + glob.glob(ROOT + "/*/*/test/k_*.c") + glob.glob(ROOT + "/*/*/*/test/k_*.c"):
        with open(d, errors="replace") as f:
            names += re.findall(r"^KTEST\((\w+)\)", f.read(), re.M)
    for path in glob.glob(ROOT + "/drivers/**/*.rs", recursive=True) + glob.glob(ROOT + "/rust/**/*.rs", recursive=True):
        with open(path, errors="replace") as f:
            names += re.findall(r"^(?:kernel::|crate::)?ktest!\((\w+),", f.read(), re.M)
    if os.path.exists(ROOT + "/tools/rustdoc.py"):
        names += subprocess.run([sys.executable, "-B", ROOT + "/tools/rustdoc.py", "--list"], stdout=subprocess.PIPE, text=True).stdout.split()
    return sorted(set(names))


def debian_names():
    return sorted(os.path.basename(s)[:-3] for s in glob.glob(ROOT + "/tests/debian/*.sh"))


def known_tests():
    """The names of all tests, for the table of features."""
    names = {"layers", "form", "abi/numbers", "bench/gate", *("fuzz/" + r for r in fuzz_corpus.REPLAYS), "fuzz/parties", "fuzz/planted", "build/gcc", "build/gcc_boots", "build/clippy", "build/clippy_aarch64", "build/atomics_aarch64", "build/reproducible", *("build/" + a for a in ARCHES), *("build/order_" + a for a in ARCHES), *("build/guests_" + a for a in ARCHES if arches.ALL[a].debian and a != "x86_64"), "build/x86_64-debug", "guest/lock_order", "guest/no_reports", "guest/no_leaks", "guest/sections", "debian/sections", "debian/lock_order", "debian/no_reports", "debian/no_leaks"}
    names |= {"analyze/" + n for n in analyze.GATE}
    names |= {host_name(s) for s in host_sources()} | {litmus.name_of(p) for p in litmus.tests()}
    names |= {"kernel/" + n for n in ktest_names()}
    names |= {"machines/" + n for n in machines.GATE}
    names |= {"scale/" + n for n in scale.kinds()}
    names |= {rust_name(f) for f in glob.glob(ROOT + "/tests/rust/*.rs")}
    names |= {"guest/" + os.path.basename(s)[:-2] for s in glob.glob(ROOT + "/tests/guest/*.c")}
    names |= {"sh/" + os.path.basename(s)[:-3] for s in glob.glob(ROOT + "/tests/sh/*.sh")}
    names |= {"debian/" + n for n in debian_names()}
    names |= {"boot/" + os.path.basename(s)[:-4] for s in glob.glob(ROOT + "/tests/boot/*.txt")}
    names |= {"command/" + re.sub("^host_", "", os.path.basename(s)[:-3]) for s in glob.glob(ROOT + "/tests/command/*.py")}
    return names


def features():
    """Rows (feature, [tests]) of docs/features.md."""
    rows = []
    try:
        with open(ROOT + "/docs/features.md") as f:
            for line in f:
                cells = [c.strip() for c in line.strip().strip("|").split("|")]
                if line.startswith("|") and len(cells) >= 2 and not re.fullmatch(r"[-: ]+", cells[0]) and cells[0] != "What" \
                        and not cells[0].startswith("**"):
                    rows.append((cells[0], re.findall(r"[\w-]+/[\w*()-]+|\b(?:layers|form)\b", cells[1])))
    except OSError:
        pass
    return rows


def untested_features():
    """(rows without a test, names in rows that no test has)."""
    known = known_tests()

    def there(t):
        return t in known or t.endswith("*") and any(k.startswith(t[:-1]) for k in known)
    rows = features()
    return [f for f, tests in rows if not [t for t in tests if there(t)]], sorted({t for _, ts in rows for t in ts if not there(t)})
