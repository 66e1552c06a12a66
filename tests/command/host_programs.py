#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs for guests are compiled again when a source, a header or the command line changes, and only then."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import rootfs, setup  # noqa: E402


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.utime(path, (1, 1))     # older than any program, so that each case says what is new


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        out = d + "/says"
        write(d + "/number.h", "#define NUMBER 3\n")
        write(d + "/deep.h", '#include "number.h"\n')
        write(d + "/says.c", '#include "deep.h"\nint main(void) { return NUMBER + MORE; }\n')

        def build(more=0):
            rootfs.build_user(tools, "says", out=out, sources=[d + "/says.c"], flags=["-DMORE=%d" % more])
            return subprocess.run([out], check=False).returncode, os.stat(out).st_ino, os.stat(out).st_mtime_ns

        first = build()
        assert first[0] == 3, first
        assert build() == first, "nothing changed"
        write(d + "/number.h", "#define NUMBER 4\n")
        assert build() == first, "a header of the same age"
        os.utime(d + "/number.h")
        assert build()[0] == 4, "a header two includes away"
        assert build(more=5)[0] == 9, "another command line"
        os.unlink(d + "/number.h")
        write(d + "/deep.h", "#define NUMBER 7\n")
        assert build(more=5)[0] == 12, "a header that is gone"
    print("ok")


main()
