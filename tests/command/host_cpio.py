#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The archives that runs boot: what the cpio program reads is what went in, and large data lie on pages."""
import io
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import cpio  # noqa: E402


def build(top):
    f = io.BytesIO()
    w = cpio.Writer(f)
    w.dir(".")
    w.tree(top, keep_owner=False)
    w.end()
    return f.getvalue()


def main():
    rnd = random.Random(7)
    with tempfile.TemporaryDirectory() as d:
        os.makedirs(d + "/in/deep/er")
        for i in range(60):
            with open("%s/in/f%d%s" % (d, i, "n" * rnd.randrange(150)), "wb") as f:
                f.write(rnd.randbytes(rnd.choice([0, 1, 3, 4095, 4096, 16384, 16385, 70000])))
        with open(d + "/in/deep/er/exec", "w") as f:
            f.write("x")
        os.chmod(d + "/in/deep/er/exec", 0o4755)
        os.symlink("../f0", d + "/in/deep/link")
        os.link(d + "/in/deep/er/exec", d + "/in/deep/hard")
        with open(d + "/outside", "w") as f:
            f.write("other name outside")
        os.link(d + "/outside", d + "/in/inside")
        data = build(d + "/in")
        inside = [data[at:at + size] for name, _, at, size in cpio.members(data) if name == "inside"]
        assert inside == [b"other name outside"], inside
        found = {}
        for name, mode, at, size in cpio.members(data):
            assert not (stat.S_ISREG(mode) and size >= cpio.LARGE) or at % cpio.PAGE == 0, "%s at %d" % (name, at)
            found[name] = (mode, data[at:at + size])
        for p, dirs, files in os.walk(d + "/in"):
            for n in files + dirs:
                path = os.path.join(p, n)
                name = os.path.relpath(path, d + "/in")
                mode, body = found.pop(name)
                st = os.lstat(path)
                assert mode == st.st_mode, name
                if stat.S_ISREG(mode) and st.st_nlink == 1:
                    with open(path, "rb") as f:
                        assert f.read() == body, name
                elif stat.S_ISLNK(mode):
                    assert os.readlink(path).encode() == body, name
        assert set(found) <= {"."}, found
        if shutil.which("cpio") or os.path.exists("/bin/busybox"):
            os.mkdir(d + "/out")
            tool = ["cpio"] if shutil.which("cpio") else ["/bin/busybox", "cpio"]
            subprocess.run(tool + ["-idm"], input=data, cwd=d + "/out", check=True, stderr=subprocess.DEVNULL)
            subprocess.run(["diff", "-r", "--no-dereference", d + "/in", d + "/out"], check=True)
        assert data == build(d + "/in"), "the same twice"
    print("ok")


main()
