# SPDX-License-Identifier: MIT
"""Disks as a power cut may leave them. QEMU's blklogwrites records the writes, flushes and FUA of a guest's disk; from the record comes the disk at any point:
what was flushed is there, of what was written or discarded since each unit may be there or not, in any order. A unit is 4 KiB, in the file system's log a sector."""
import random
import struct

FLUSH, FUA, DISCARD = 1, 2, 4
MAGIC = 0x6a736677736872
UNIT = 4096


class Record:
    """A blklogwrites log. entries: [(flags, byte address, length, where the data are in the record)]."""

    def __init__(self, path):
        self.path, self.entries = path, []
        with open(path, "rb") as f:
            magic, version, count, sector = struct.unpack("<QQQI", f.read(28))
            if magic != MAGIC or version != 1:
                raise SystemExit("%s is no record of writes" % path)
            at = sector
            f.seek(0, 2)
            end = f.tell()
            while at + 32 <= end and len(self.entries) < (count or 1 << 62):
                f.seek(at)
                where, sectors, flags, _ = struct.unpack("<QQQQ", f.read(32))
                at += sector
                data = 0 if flags & DISCARD else sectors * sector
                self.entries.append((flags, where * sector, sectors * sector, at))
                at += data

    def writes(self):
        return [i for i, (flags, _, n, _) in enumerate(self.entries) if n and not flags & DISCARD]


def durable(entries, cut, deaf=None):
    """For each entry before CUT: is it certain to be there? DEAF: a random.Random, by which nine of ten flushes are ignored."""
    sure = [False] * cut
    last = -1
    for i in range(cut):
        flags = entries[i][0]
        if deaf and flags & (FLUSH | FUA) and deaf.random() < 0.9:
            continue
        if flags & FLUSH:       # what came before it
            last = i
        if flags & FUA:
            sure[i] = True
    for i in range(last):
        sure[i] = True
    if last >= 0 and not entries[last][2]:
        sure[last] = True
    return sure


def image(record, base, path, cut, seed, torn=(), keep_all=False, deaf=False, gone=b"\xdd" * 16):
    """Makes the disk at CUT of BASE's copy PATH. torn: (from, to) in bytes: where units are sectors. Where it was discarded it has GONE, of 16 bytes, again and again."""
    rng = random.Random(seed)
    share = rng.choice((0.0, 0.3, 0.7, 0.95))
    sure = durable(record.entries, cut, random.Random(seed) if deaf else None)
    lost = 0
    with open(record.path, "rb") as src, open(path, "r+b") as dst:
        for i in range(cut):
            flags, at, n, data = record.entries[i]
            if not n:
                continue
            src.seek(data)
            bytes_ = gone * (n // 16) if flags & DISCARD else src.read(n)
            if sure[i] or keep_all:
                dst.seek(at)
                dst.write(bytes_)
                continue
            done = 0
            while done < n:
                pos = at + done
                unit = 512 if any(a <= pos < b for a, b in torn) else UNIT
                step = min(n - done, unit - pos % unit)
                if rng.random() < share:
                    dst.seek(pos)
                    dst.write(bytes_[done:done + step])
                else:
                    lost += 1
                done += step
    return lost


def recorder(name, disk, log):
    """Words for QEMU: a disk whose writes are recorded."""
    return ("-blockdev driver=blklogwrites,node-name=%s,discard=unmap,file.driver=file,file.filename=%s,log.driver=file,log.filename=%s,log-sector-size=512,"
            "log-super-update-interval=64 -device virtio-blk-pci,drive=%s") % (name, disk, log, name)
