# SPDX-License-Identifier: MIT
"""Writes initramfs archives (newc). The data of a large member starts at a page boundary, so that the kernel can use it in
place: the member's name is padded with NULs up to there, which every reader takes for the end of the name."""
import os
import shutil
import stat

PAGE = 4096
LARGE = 4 * PAGE


class Writer:
    def __init__(self, f):
        self.f, self.pos, self.ino = f, 0, 1
        self.links = {}     # (dev, ino) of the host -> our inode number

    def _put(self, data):
        self.f.write(data)
        self.pos += len(data)

    def _head(self, name, mode, uid, gid, nlink, mtime, size, rdev, ino, namesize):
        raw = name + b"\0" * (namesize - len(name))
        self._put(b"070701" + b"".join(b"%08X" % (v & 0xffffffff) for v in (
            ino, mode, uid, gid, nlink, mtime, size, 0, 0, os.major(rdev), os.minor(rdev), namesize, 0)) + raw)
        self._pad()

    def _pad(self, unit=4):
        self._put(b"\0" * (-self.pos % unit))

    def archive(self, f):
        """Another archive before what follows; a reader takes them one after the other."""
        shutil.copyfileobj(f, self.f, 1 << 20)
        self.f.write(bytes(-self.f.tell() % PAGE))

    def add(self, name, mode, data=b"", uid=0, gid=0, mtime=0, rdev=0, nlink=1, ino=None):
        name = name.lstrip("/").encode("utf-8", "surrogateescape") or b"."
        if ino is None:
            self.ino += 1
            ino = self.ino
        namesize = len(name) + 1
        if stat.S_ISREG(mode) and len(data) >= LARGE:
            namesize += -(self.pos + 110 + namesize) % PAGE
            if namesize > PAGE:     # a longer name than a reader accepts: half of the way with a member for the root
                self._head(b".", stat.S_IFDIR | 0o755, 0, 0, 2, 0, 0, 0, 1, PAGE // 2)
                namesize = len(name) + 1
                namesize += -(self.pos + 110 + namesize) % PAGE
        self._head(name, mode, uid, gid, nlink, mtime, len(data), rdev, ino, namesize)
        if data:
            self._put(data)
            self._pad()

    def dir(self, name, mode=0o755):
        self.add(name, stat.S_IFDIR | mode, nlink=2)

    def file(self, name, data, mode=0o644):
        self.add(name, stat.S_IFREG | mode, data if isinstance(data, bytes) else data.encode())

    def link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, target.encode("utf-8", "surrogateescape"))

    def node(self, name, kind, major, minor, mode):
        self.add(name, kind | mode, rdev=os.makedev(major, minor))

    def tree(self, top, keep_owner):
        """Everything below a host directory; sockets are left out. Hard links stay links: the data come with the last."""
        left = {}
        entries = []
        for d, dirs, files in os.walk(top):
            dirs.sort()
            for n in sorted(files) + dirs:
                path = os.path.join(d, n)
                st = os.lstat(path)
                entries.append((path, st))
                if stat.S_ISREG(st.st_mode) and st.st_nlink > 1:
                    left[st.st_dev, st.st_ino] = left.get((st.st_dev, st.st_ino), 0) + 1
        total = dict(left)
        for path, st in entries:
            if stat.S_ISSOCK(st.st_mode):
                continue
            name = os.path.relpath(path, top)
            uid, gid = (st.st_uid, st.st_gid) if keep_owner else (0, 0)
            data, key, ino, nlink = b"", (st.st_dev, st.st_ino), None, 1
            if stat.S_ISLNK(st.st_mode):
                data = os.readlink(path).encode("utf-8", "surrogateescape")
            elif stat.S_ISREG(st.st_mode):
                if total.get(key, 1) > 1:
                    nlink = total[key]
                    if key not in self.links:
                        self.ino += 1
                        self.links[key] = self.ino
                    ino = self.links[key]
                    left[key] -= 1
                else:
                    left.pop(key, None)  # its other names lie outside the tree
                if not left.get(key):
                    with open(path, "rb") as f:
                        data = f.read()
            elif stat.S_ISDIR(st.st_mode):
                nlink = 2
            self.add(name, st.st_mode, data, uid, gid, int(st.st_mtime), st.st_rdev, nlink, ino)

    def end(self):
        self._head(b"TRAILER!!!", 0, 0, 0, 1, 0, 0, 0, 0, 11)
        self._pad(512)
        # QEMU's microvm loads the archive to the very top of RAM, where SeaBIOS then puts its tables.
        self._put(bytes(65536))


class Row:
    """A member as its header has it; its data lie at START."""

    def __init__(self, name, fields, start):
        self.name, self.start = name, start
        self.ino, self.mode, self.uid, self.gid, self.nlink, self.mtime, self.size = fields[:7]
        self.rdev = os.makedev(fields[9], fields[10])


def rows(data):
    """The members of an archive (bytes, or a mapped file) in their order. ValueError where it is none."""
    pos = 0
    while pos + 110 <= len(data):
        if data[pos:pos + 6] not in (b"070701", b"070702"):
            raise ValueError("no newc header at %d" % pos)
        v = [int(data[pos + 6 + 8 * i:pos + 14 + 8 * i], 16) for i in range(13)]
        name = data[pos + 110:pos + 110 + v[11]].split(b"\0")[0].decode("utf-8", "surrogateescape")
        start = (pos + 110 + v[11] + 3) & ~3
        if name == "TRAILER!!!":
            return
        yield Row(name, v, start)
        pos = (start + v[6] + 3) & ~3
    raise ValueError("no trailer")


def members(data):
    """(name, mode, offset of the data, size) of each member: what the tests check an archive with."""
    return ((r.name, r.mode, r.start, r.size) for r in rows(data))
