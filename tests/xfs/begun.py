# SPDX-License-Identifier: MIT
"""Work that a log has and that no system finished: a record with one transaction is put behind the head of a clean log, as Linux writes it."""
import struct

import damage
import recovery

BUI, MAP, UNMAP, ATTR = 0x1244, 1, 2, 1 << 31
XMI, ATTR_FORK, SIZES, WRITTEN = 0x1248, 1, 2, 4


def bui(number, ino, op, off, fsb, length, count=1):
    """The item that begins a change of one mapping."""
    return struct.pack("<HHIQQQQII", BUI, 1, count, number, ino, fsb, off, length, op)


def xmi(number, inodes, generations, offsets, count, flags=0, sizes=(-1, -1)):
    """The item that begins an exchange of two inodes' extents."""
    return struct.pack("<HHIQ2Q2I2QQQ2q", XMI, 1, 0, number, *inodes, *generations, *offsets, count, flags, *sizes)


def op(flags, data=b""):
    return struct.pack(">IIBBH", 0x1234, len(data), 0x69, flags, 0) + data


def append(path, items):
    im = damage.Image(path)
    log = recovery.Log(im)
    at, headers, size = max(log.records(), key=lambda r: bytes(log.data[r[0] + 16:r[0] + 24]))
    head = (at + headers + -(-size // 512) * 512) // 512
    cycle, = struct.unpack_from(">I", log.data, at + 4)
    lsn = cycle << 32 | head
    data = op(1) + op(0, struct.pack("<IIiI", 0x5452414e, 42, 0x1234, len(items))) + b"".join(op(0, i) for i in items) + op(2)
    data = bytearray(data + bytes(-len(data) % 512))
    words = []
    for i in range(0, len(data), 512):
        words.append(bytes(data[i:i + 4]))
        data[i:i + 4] = struct.pack(">I", cycle)
    header = bytearray(512)
    struct.pack_into(">IIIIQQIII", header, 0, 0xfeedbabe, cycle, 2, len(data), lsn, lsn, 0, at // 512, len(items) + 3)
    header[44:44 + 4 * len(words)] = b"".join(words)
    header[300:324] = log.data[at + 300:at + 324]        # byte order, UUID, size of records
    struct.pack_into("<I", header, 32, damage.crc32c(bytes(header[:328]) + bytes(data)))
    im.write(log.at + head * 512, bytes(header) + bytes(data))
    im.f.close()


def files(path):
    """{size: (inode's number, [(offset, block, length), ...])} of regular files with extents in the inode."""
    im, out = damage.Image(path), {}
    for kind, at, _, _ in im.structures():
        raw = im.read(at, im.inodesize)
        if kind != "inode" or raw[2] >> 4 != 8 or raw[5] != 2:
            continue
        extents = []
        for i in range(struct.unpack_from(">Q", raw, 24)[0] or struct.unpack_from(">I", raw, 76)[0]):
            a, b = struct.unpack_from(">QQ", raw, 176 + 16 * i)
            extents.append((a >> 9 & (1 << 54) - 1, (a & 511) << 43 | b >> 21, b & (1 << 21) - 1))
        out[struct.unpack_from(">Q", raw, 56)[0]] = struct.unpack_from(">Q", raw, 152)[0], extents
    im.f.close()
    return out


def generation(path, ino):
    im = damage.Image(path)
    found = [struct.unpack_from(">I", im.read(at, 96), 92)[0] for kind, at, _, _ in im.structures() if kind == "inode" and struct.unpack_from(">Q", im.read(at, 160), 152)[0] == ino]
    im.f.close()
    return found[0]
