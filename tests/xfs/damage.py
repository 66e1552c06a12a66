# SPDX-License-Identifier: MIT
"""Damages XFS images: a named field, or anything by seed. With the checksum made right afterwards only what the structures say can give it away."""
import os
import random
import struct

TABLE = []
for _i in range(256):
    _c = _i
    for _ in range(8):
        _c = _c >> 1 ^ (0x82f63b78 if _c & 1 else 0)
    TABLE.append(_c)


def crc32c(data):
    c = 0xffffffff
    for b in data:
        c = c >> 8 ^ TABLE[(c ^ b) & 255]
    return c ^ 0xffffffff


class Image:
    def __init__(self, path):
        self.f = open(path, "r+b")
        sb = self.read(0, 512)
        self.blocksize, = struct.unpack_from(">I", sb, 4)
        self.agblocks, self.agcount = struct.unpack_from(">II", sb, 84)
        self.sectsize, self.inodesize = struct.unpack_from(">HH", sb, 102)
        self.rootino, = struct.unpack_from(">Q", sb, 56)
        self.inopblog, self.agblklog, self.dirblklog = sb[123], sb[124], sb[192]
        self.logstart, = struct.unpack_from(">Q", sb, 48)
        self.logblocks, = struct.unpack_from(">I", sb, 96)

    def read(self, at, n):
        self.f.seek(at)
        return self.f.read(n)

    def write(self, at, data):
        self.f.seek(at)
        self.f.write(data)

    def sectors(self):
        """Byte offsets of the 512-byte units that are not holes, but for the log's."""
        log = ((self.logstart >> self.agblklog) * self.agblocks + (self.logstart & (1 << self.agblklog) - 1)) * self.blocksize
        pos, end = 0, os.fstat(self.f.fileno()).st_size
        while pos < end:
            try:
                pos = os.lseek(self.f.fileno(), pos, os.SEEK_DATA)
            except OSError:
                return
            stop = os.lseek(self.f.fileno(), pos, os.SEEK_HOLE)
            pos &= ~511
            while pos < stop:
                if pos == log:
                    pos += self.logblocks * self.blocksize
                    continue
                yield pos
                pos += 512

    def structures(self):
        """[(kind, offset, length, where its checksum lies)] of all metadata."""
        block, directory = self.blocksize, self.blocksize << self.dirblklog
        magic4 = {b"XFSB": ("sb", self.sectsize, 224), b"XAGF": ("agf", self.sectsize, 216), b"XAGI": ("agi", self.sectsize, 312),
                  b"XAFL": ("agfl", self.sectsize, 32), b"AB3B": ("bnobt", block, 52), b"AB3C": ("cntbt", block, 52), b"IAB3": ("inobt", block, 52),
                  b"FIB3": ("finobt", block, 52), b"RMB3": ("rmapbt", block, 52), b"R3FC": ("refcbt", block, 52), b"BMA3": ("bmbt", block, 64),
                  b"XDB3": ("dir", directory, 4), b"XDD3": ("dirdata", directory, 4), b"XDF3": ("dirfree", directory, 4),
                  b"XARM": ("attrvalue", block, 12), b"XSLM": ("symlink", block, 12)}
        magic2 = {b"\x3d\xf1": ("dirleaf", directory, 4 + 8), b"\x3d\xff": ("dirleafn", directory, 12), b"\x3e\xbe": ("danode", block, 12),
                  b"\x3b\xee": ("attrleaf", block, 12)}
        out = []
        for at in self.sectors():
            head = self.read(at, 16)
            if head[:4] in magic4:
                kind, n, crc = magic4[head[:4]]
                out.append((kind, at, n, crc))
            elif head[:2] == b"IN" and head[4] == 3:
                out += [("inode", at + i, self.inodesize, 100) for i in range(0, max(512, self.inodesize), self.inodesize) if self.read(at + i + 2, 2) != b"\0\0"]
            elif head[8:10] in magic2 and at % block == 0:
                kind, n, crc = magic2[head[8:10]]
                out.append((kind, at, n, crc))
        return out

    def fix_crc(self, at, n, crc):
        data = bytearray(self.read(at, n))
        data[crc:crc + 4] = bytes(4)
        self.write(at + crc, struct.pack("<I", crc32c(data)))


# structure -> field -> (offset, width), and which bits change (1)
FIELDS = {"sb": {"ifree": (136, 8)}, "agf": {"freeblks": (52, 4), "btreeblks": (60, 4, 1 << 26), "rmapblocks": (80, 4, 1 << 26), "refcntblocks": (84, 4, 1 << 26)}, "agi": {"count": (16, 4)}, "inode": {"nlink": (16, 4), "size": (56, 8), "nextents": (24, 8)}}


def change(path, kind, nth, field, fix_crc=True):
    """Changes a field of the NTH structure of a kind (None: the first that suits)."""
    im = Image(path)
    found = [s for s in im.structures() if s[0] == kind]
    if kind == "inode":     # a regular file with extents that a name leads to
        found = [s for s in found if im.read(s[1] + 2, 1)[0] >> 4 == 8 and im.read(s[1] + 5, 1) == b"\2" and struct.unpack(">I", im.read(s[1] + 16, 4))[0]
                 and struct.unpack(">Q", im.read(s[1] + 56, 8))[0]]
    _, at, n, crc = found[nth or 0]
    if kind == "dir":
        count, = struct.unpack(">I", im.read(at + n - 8, 4))
        place, width, bits = (n - 8 - 8 * count, 4, 1) if field == "hash" else (64, 8, 1)
    else:
        place, width, bits = (*FIELDS[kind][field], 1)[:3]
    v = int.from_bytes(im.read(at + place, width), "big")
    im.write(at + place, (v - 1 if kind == "dir" else v ^ bits).to_bytes(width, "big"))
    if fix_crc:
        im.fix_crc(at, n, crc)


def fuzz(path, seed):
    """Changes some of the metadata, the checksum made right in half of it. What was done, as text."""
    r, im, said = random.Random(seed), Image(path), []
    found = im.structures()
    kinds = sorted({s[0] for s in found})
    for _ in range(r.randrange(1, 6)):
        which = r.choice(kinds)
        kind, at, n, crc = r.choice([s for s in found if s[0] == which])
        for _ in range(r.randrange(1, 4)):
            place = r.randrange(min(n, 200)) if r.randrange(3) else r.randrange(n)
            width = r.choice((1, 2, 4, 8))
            new = r.choice((r.randbytes(width), bytes(width), b"\xff" * width, r.randrange(16).to_bytes(width, "big"),
                            bytes([im.read(at + place, 1)[0] ^ 1 << r.randrange(8)])))[:n - place]
            if place < crc + 4 and place + len(new) > crc:
                continue
            im.write(at + place, new)
            said.append("%s at %d+%d: %s" % (kind, at, place, new.hex()))
        if r.randrange(2):
            im.fix_crc(at, n, crc)
            said.append("checksum of %s at %d" % (kind, at))
    return "; ".join(said)
