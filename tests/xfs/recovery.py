# SPDX-License-Identifier: MIT
"""The images of tests/xfs/dirty/ for tests of recovery: unpacked, judged by xfs_repair, their logs changed."""
import hashlib
import lzma
import os
import random
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tools"))
sys.path.insert(0, HERE)
from ochre import setup  # noqa: E402
import damage  # noqa: E402

# What is compared: the kernel's answer for every name, and the bytes of files.
LIST = r"""find . | sort | while read f; do stat -c '%n %f %h %u %g %s %t %T' "$f"; done | grep -v '^\. '
find . -type f | sort | while read f; do md5sum "$f"; done
find . -type l | sort | while read f; do readlink "$f"; done
"""


def unpack(name, path):
    with lzma.open("%s/dirty/%s.img.xz" % (HERE, name)) as f, open(path, "wb") as out:
        while True:
            data = f.read(1 << 20)
            if not data:
                break
            if data.count(0) == len(data):
                out.seek(len(data), 1)
            else:
                out.write(data)
        out.truncate()
    return path


def listing(name):
    with lzma.open("%s/dirty/%s.txt.xz" % (HERE, name)) as f:
        return f.read().decode().splitlines()


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


LEFT = ("extents", "quota")     # have a file without a name, and blocks staged for copying on write: whoever has transactions must free them


def found(path, suite="sid"):
    """What xfs_repair -n of SUITE finds: lines; its status; all that it said."""
    r = subprocess.run([setup.find_xfsprogs(suite) + "/xfs_repair", "-n", "-f", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    usual = (" ", "Phase", "No modify", "Cannot get host", "Repair may fail", "the image and")
    return [line for line in r.stdout.splitlines() if line and not line.startswith(usual)], r.returncode, r.stdout


def repair(path, left=False):
    """xfs_repair -n finds nothing; LEFT: but what is to be freed."""
    rest, status, said = found(path)
    if left:
        rest = [l for l in rest if not l.startswith(("agi unlinked bucket", "disconnected inode", "would have reset inode", "ALERT: ", "ignored because the -n", "which may be resolved", "leftover CoW extent"))]
    if rest or status > left:
        raise SystemExit("xfs_repair: status %d\n%s" % (status, said))


class Log:
    """The log's bytes, and its records: [(offset in the log, header's bytes, data's bytes)]."""

    def __init__(self, im):
        self.im = im
        self.at = ((im.logstart >> im.agblklog) * im.agblocks + (im.logstart & (1 << im.agblklog) - 1)) * im.blocksize
        self.data = bytearray(im.read(self.at, im.logblocks * im.blocksize))

    def records(self):
        for at in range(0, len(self.data), 512):
            if self.data[at:at + 4] == b"\xfe\xed\xba\xbe" and struct.unpack_from(">I", self.data, at + 12)[0]:
                size, = struct.unpack_from(">I", self.data, at + 320)
                yield at, 512 * max(1, -(-size // 32768)), struct.unpack_from(">I", self.data, at + 12)[0]

    def no_checksums(self):
        """Records without a checksum are taken as they are."""
        for at, _, _ in list(self.records()):
            self.data[at + 32:at + 36] = bytes(4)

    def item(self, kind, regions):
        """Where the first item of a type begins."""
        word, at = struct.pack("<HH", kind, regions), -1
        while True:
            at = self.data.index(word, at + 1)
            if at % 512 and at % 4 == 0:
                return at

    def write(self):
        self.im.write(self.at, bytes(self.data))


def patch(path, change):
    im = damage.Image(path)
    log = Log(im)
    change(log)
    log.write()
    im.f.close()


def unknown_item(log):
    at = log.item(0x123f, 1)
    log.data[at:at + 2] = struct.pack("<H", 0x1239)
    log.no_checksums()


def unfinished(log):
    """New inodes become extents that are to be freed, of another form: inodes follow whose place is unknown then."""
    at = log.item(0x123f, 1)
    log.data[at:at + 2] = struct.pack("<H", 0x1236)
    log.data[at + 4:at + 8] = bytes(4)
    log.no_checksums()


def begun_attribute(log):
    """Where the last change of an attribute (ATTRI) begins: none of them has ended."""
    at = max(log.data.rfind(struct.pack("<HH", 0x1246, n)) for n in (3, 5))
    assert at >= 0
    return at


def attribute_of_unknown_kind(log):
    at = begun_attribute(log)
    log.data[at + 24:at + 28] = struct.pack("<I", 9)
    log.no_checksums()


def attribute_without_value(log):
    at = begun_attribute(log)
    log.data[at + 32:at + 36] = struct.pack("<I", 13)
    log.no_checksums()


def exchange_of_wrong_length(log):
    """An attribute's change becomes an exchange of two files' extents: one region, of all its bytes, which are too many."""
    at = begun_attribute(log)
    regions, end = struct.unpack_from("<H", log.data, at + 2)[0], at + 40
    for _ in range(regions - 1):
        end += 12 + struct.unpack_from(">I", log.data, end + 4)[0]
    record = max(r for r, _, _ in log.records() if r < at)
    log.data[at:at + 4] = struct.pack("<HH", 0x1248, 1)
    log.data[at - 8:at - 4] = struct.pack(">I", end - at)
    log.data[record + 40:record + 44] = struct.pack(">I", struct.unpack_from(">I", log.data, record + 40)[0] - regions + 1)
    log.no_checksums()


def damaged(log):
    """The first record behind mkfs's: too far back to be a torn write."""
    at, headers, size = list(log.records())[1]
    log.data[at + headers + size // 2] ^= 1


def torn(log):
    """The last record but one lost half of it; the last one is whole."""
    last = sorted(log.records(), key=lambda r: log.data[r[0] + 16:r[0] + 24])
    at, headers, size = last[-2]
    half = (at + headers + size // 2) % len(log.data)
    log.data[half + 100] ^= 0xff


def stale(log):
    """Behind the head are blocks of a record whose beginning was never written."""
    last = max(log.records(), key=lambda r: log.data[r[0] + 16:r[0] + 24])
    end = last[0] + last[1] + -(-last[2] // 512) * 512
    for at in range(end + 3 * 512, end + 20 * 512, 512):
        log.data[at:at + 4] = log.data[last[0] + 4:last[0] + 8]


def foreign(log):
    for at, _, _ in list(log.records()):
        log.data[at + 300:at + 304] = struct.pack(">I", 2)


def elsewhere(log):
    """An inode's place is not where its number says."""
    at = log.item(0x123b, 3)
    log.data[at + 40:at + 48] = struct.pack("<Q", struct.unpack_from("<Q", log.data, at + 40)[0] + 32)
    log.no_checksums()


def fuzz(path, seed):
    """Changes some of the log's records, or of what they hold; in half of the logs no record has a checksum. What was done, as text."""
    r, im, said = random.Random(seed), damage.Image(path), []
    log = Log(im)
    records = list(log.records())
    for _ in range(r.randrange(1, 6)):
        at, headers, size = r.choice(records)
        width = r.choice((1, 2, 4, 8))
        items = [i for i in range(at + headers, min(at + headers + size, len(log.data) - 2), 4) if 0x1236 <= struct.unpack_from("<H", log.data, i)[0] <= 0x1249]
        aim = r.randrange(4)
        if aim == 0:        # a record's own header
            place = at + r.randrange(headers)
        elif aim == 1 or not items:
            place = at + headers + r.randrange(max(1, size))
        else:               # what says of an item what it is, and the header of its region before it
            place = r.choice(items) - 12 + r.randrange(72)
        place = (place - (place % width if r.randrange(4) else 0)) % (len(log.data) - 8)
        new = r.choice((r.randbytes(width), bytes(width), b"\xff" * width, r.randrange(16).to_bytes(width, "little"), bytes([log.data[place] ^ 1 << r.randrange(8)])))
        log.data[place:place + len(new)] = new
        said.append("log at %d: %s" % (place, new.hex()))
    if r.randrange(2):
        log.no_checksums()
        said.append("no checksums")
    log.write()
    im.f.close()
    return "; ".join(said)
