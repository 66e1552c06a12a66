# SPDX-License-Identifier: MIT
"""XFS images for tests: mkfs.xfs makes them from a prototype file, xfs_db adds attributes, all without mounting anything.

A tree is described once, as rows; from these come the prototype file and what a listing must say."""
import os
import random
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import setup  # noqa: E402

os.environ.update(TEST_DIR="x", TEST_DEV="x", QA_CHECK_FS="x")      # mkfs.xfs makes small ones where its own tests ask for it


class Tree:
    """What goes into an image: {path: (mode, uid, gid, content)}; content: bytes, a target, (major, minor), None; a file may be sparse: [(offset, bytes), ...]."""

    def __init__(self, seed=1):
        self.random, self.rows, self.attrs = random.Random(seed), {"": (0o40755, 0, 0, None)}, {}

    def add(self, path, mode, content=None, uid=0, gid=0):
        self.rows[path] = (mode, uid, gid, content)

    def dir(self, path, mode=0o755, **kw):
        self.add(path, stat.S_IFDIR | mode, **kw)

    def file(self, path, content=b"", mode=0o644, **kw):
        self.add(path, stat.S_IFREG | mode, content, **kw)

    def link(self, path, target):
        self.add(path, stat.S_IFLNK | 0o777, target)

    def bytes(self, n):
        return self.random.randbytes(n)

    def attr(self, path, space, name, value):
        """space: user, trusted or security."""
        self.attrs.setdefault(path, {})[(space, name)] = value

    def content(self, path):
        """A file's bytes."""
        c = self.rows[path][3]
        if isinstance(c, bytes):
            return c
        out = bytearray(max(at + len(b) for at, b in c))
        for at, b in c:
            out[at:at + len(b)] = b
        return bytes(out)

    def names(self, path):
        """The entries of a directory."""
        pre = path + "/" if path else ""
        return sorted(p[len(pre):] for p in self.rows if p and p.startswith(pre) and "/" not in p[len(pre):])


def write_source(path, content):
    with open(path, "wb") as f:
        if isinstance(content, bytes):
            f.write(content)
            return
        for at, b in content:
            f.seek(at)
            f.write(b)


def proto(tree, folder):
    lines = ["x", "0 0"]
    types = {stat.S_IFREG: "-", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFIFO: "p"}

    def row(path, name):
        mode, uid, gid, content = tree.rows[path]
        bits = types[stat.S_IFMT(mode)] + ("u" if mode & 0o4000 else "-") + ("g" if mode & 0o2000 else "-") + "%03o" % (mode & 0o777)
        text = "%s %s %d %d" % (name, bits, uid, gid)
        kind = stat.S_IFMT(mode)
        if kind == stat.S_IFREG:
            source = os.path.join(folder, "f%d" % len(lines))
            write_source(source, content)
            text += " " + source
        elif kind == stat.S_IFLNK:
            text += " " + content
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            text += " %d %d" % content
        lines.append(text.strip())
        if kind == stat.S_IFDIR:
            for n in tree.names(path):
                row(path + "/" + n if path else n, n)
            lines.append("$")

    row("", "")
    path = os.path.join(folder, "proto")
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    return path


def make(image, tree, folder, size="320m", options=(), suite="trixie"):
    """Makes IMAGE; FOLDER: for scratch files. That damage is to be repaired by itself is asked for by options alone."""
    tools = setup.find_xfsprogs(suite)
    if suite == "sid" and not any("autofsck" in o for o in options):
        options = (*options, "-m", "autofsck=none")
    run([tools + "/mkfs.xfs", "-q", "-f", "-p", proto(tree, folder), *options, "-d", "file=1,name=%s,size=%s" % (image, size)])
    flags = {"user": "-u", "trusted": "-r", "security": "-s"}
    commands = []
    for path, attrs in tree.attrs.items():
        commands += ["-c", "path /" + path]
        for (space, name), value in attrs.items():
            source = os.path.join(folder, "value%d" % len(commands))
            with open(source, "wb") as f:
                f.write(value)
            commands += ["-c", "attr_set %s -V %s %s" % (flags[space], source, name)]
    if commands:
        out = run([tools + "/xfs_db", "-x", *commands, image])
        if "fail" in out.lower() or "error" in out.lower():
            raise SystemExit("xfs_db: " + out)


def run(argv):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if r.returncode:
        raise SystemExit("%s: status %d\n%s" % (" ".join(argv[:3]), r.returncode, r.stdout))
    return r.stdout
