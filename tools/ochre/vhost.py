# SPDX-License-Identifier: MIT
"""Virtio devices that break the rules: back ends of QEMU's vhost-user devices, which reach the guest's memory and write into its rings
what they like (vhost-user protocol: docs/interop/vhost-user.rst of QEMU; rings: virtio 1.2, 2.7 and 2.8).

A device writes only into what the driver has lent it: rings, and buffers of chains that are under way. Without an IOMMU nothing
could hold one that writes elsewhere."""
import array
import heapq
import mmap
import os
import random
import selectors
import socket
import struct
import time

BLK, RNG = 2, 4
F_VERSION_1, F_PACKED, F_INDIRECT, F_EVENT_IDX, F_PROTOCOL = 1 << 32, 1 << 34, 1 << 28, 1 << 29, 1 << 30
BLK_RO, BLK_SIZE, BLK_FLUSH, BLK_MQ, BLK_DISCARD, BLK_ZEROES = 1 << 5, 1 << 6, 1 << 9, 1 << 12, 1 << 13, 1 << 14
PROTOCOL = 1 << 0 | 1 << 3 | 1 << 5 | 1 << 9        # MQ, REPLY_ACK, BACKEND_REQ, CONFIG
(GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL,
 SET_VRING_ERR, GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE, SET_BACKEND_REQ_FD, GET_CONFIG,
 SET_CONFIG) = 1, 2, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 24, 25
NEXT, WRITE, INDIRECT = 1, 2, 4
AVAIL, USED = 1 << 7, 1 << 15
DISK = 1 << 20          # bytes behind each disk; addresses beyond begin anew
NUMBERS = [0, 1, 2, 3, 7, 8, 63, 64, 127, 128, 255, 256, 257, 511, 512, 4095, 4096, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff]

# How much of what a device does is wrong, by its character: {action: weight}, beside 'right'.
CHARACTERS = {
    "honest": {},
    "breaker": {"twice": 5, "id": 5, "index": 5, "nothing": 5},
    "liar": {"length": 8, "status": 8, "data": 8},
    "late": {"hold": 30, "shuffle": 10},
    "silent": {"hold": 10, "never": 4},
    "twice": {"twice": 4, "length": 4},
    "ids": {"id": 3, "data": 4},
    "index": {"index": 3, "hold": 10},
    "ring": {"flags": 10, "descriptors": 6, "avail": 6},
    "restless": {"config": 8, "storm": 8},
    "early": {"nothing": 3, "hold": 10},
    "gone": {"close": 1},
    "all": {"length": 2, "status": 2, "data": 2, "hold": 4, "shuffle": 2, "never": 1, "twice": 1, "id": 1, "index": 1, "flags": 2, "descriptors": 2, "avail": 2,
            "config": 2, "storm": 2, "nothing": 1},
}


class Chain:
    def __init__(self, ident, descs, pieces):
        self.id, self.descs, self.pieces = ident, descs, pieces


class Ring:
    """One queue as the device sees it."""

    def __init__(self, dev, index):
        self.dev, self.index = dev, index
        self.num = self.base = 0
        self.kick = self.call = None
        self.addr = None
        self.enabled = False
        self.reset()

    def reset(self):
        self.taken = self.given = self.base & 0x7fff if self.dev.packed else self.base
        self.wrap = self.used_wrap = bool(self.base >> 15 & 1) if self.dev.packed else True
        if self.dev.packed:
            self.given = self.base >> 16 & 0x7fff
            self.used_wrap = bool(self.base >> 31 & 1)
        self.under_way = []

    def ready(self):
        return self.addr is not None and self.num and self.call is not None

    def at(self, area, off, n):
        return self.dev.by_uva(self.addr[area] + off, n)

    def read(self, area, off, fmt):
        m, o = self.at(area, off, struct.calcsize(fmt))
        return struct.unpack_from(fmt, m, o)

    def write(self, area, off, fmt, *v):
        m, o = self.at(area, off, struct.calcsize(fmt))
        struct.pack_into(fmt, m, o, *v)

    def desc(self, i):
        return self.read(0, 16 * (i % self.num), "<QIHH")

    def take(self):
        """The next chain that the driver made available, or None."""
        if self.dev.packed:
            return self.take_packed()
        if self.read(1, 2, "<H")[0] == self.taken & 0xffff:
            return None
        head = self.read(1, 4 + 2 * (self.taken % self.num), "<H")[0]
        self.taken = self.taken + 1 & 0xffff
        pieces, i = [], head
        while len(pieces) < self.num:
            addr, size, flags, nxt = self.desc(i)
            pieces.append((addr, size, bool(flags & WRITE)))
            if not flags & NEXT:
                break
            i = nxt
        return Chain(head, len(pieces), pieces)

    def take_packed(self):
        flags = self.desc(self.taken)[3]
        if bool(flags & AVAIL) != self.wrap or bool(flags & USED) == self.wrap:
            return None
        pieces = []
        while len(pieces) < self.num:
            addr, size, ident, flags = self.desc(self.taken)
            pieces.append((addr, size, bool(flags & WRITE)))
            self.taken += 1
            if self.taken >= self.num:
                self.taken, self.wrap = 0, not self.wrap
            if not flags & NEXT:
                break
        return Chain(ident, len(pieces), pieces)

    def put(self, ident, length, descs):
        """Says that a chain is done with; anything will do."""
        if self.dev.packed:
            at = 16 * (self.given % self.num)
            self.write(0, at + 8, "<I", length & 0xffffffff)
            self.write(0, at + 12, "<H", ident & 0xffff)
            self.write(0, at + 14, "<H", AVAIL | USED if self.used_wrap else 0)
            self.given += descs
            if self.given >= self.num:
                self.given, self.used_wrap = self.given - self.num, not self.used_wrap
            return
        self.write(2, 4 + 8 * (self.given % self.num), "<II", ident & 0xffffffff, length & 0xffffffff)
        self.given = self.given + 1 & 0xffff
        self.write(2, 2, "<H", self.given)

    def tell(self):
        try:
            os.write(self.call, struct.pack("<Q", 1))
        except (OSError, TypeError):
            pass


class Device:
    """One device. KIND: BLK, RNG (QEMU has no vhost-user console). Decisions depend on SEED and the requests that come."""

    def __init__(self, loop, path, kind, character, seed, packed=False, patience=0):
        self.loop, self.path, self.kind, self.character, self.packed = loop, path, kind, character, packed
        self.r = random.Random(seed)
        self.weights = CHARACTERS[character]
        self.patience = patience        # so many requests are answered as they should be
        self.conn = self.back = None
        self.regions, self.rings, self.counts = [], {}, {}
        self.disk = bytearray(self.r.randbytes(4096) * (DISK // 4096))
        self.partitions()
        self.config = self.make_config()
        self.offered = self.features()
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(path)
        self.server.listen(1)
        loop.add(self.server, self.accept)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # --- what it says of itself ---

    def partitions(self):
        """A table of partitions, sound or not."""
        if self.kind != BLK or not self.r.randrange(4):
            return
        self.disk[510:512] = b"\x55\xaa"
        for i in range(4):
            e = struct.pack("<B3sB3sII", 0, b"", self.r.choice([0x83, 0x83, 5, 0xee, 0]), b"", self.r.choice([1, 8, 63, self.r.choice(NUMBERS)]), self.r.choice([8, 100, self.r.choice(NUMBERS)]))
            self.disk[446 + 16 * i:462 + 16 * i] = e

    def make_config(self):
        if self.kind != BLK:
            return bytearray(self.r.randbytes(60))
        r, wrong = self.r, self.character not in ("honest",) and self.r.randrange(4) == 0
        size = r.choice([512, 512, 1024, 4096]) if not wrong else r.choice(NUMBERS)
        sectors = r.choice([DISK >> 9, DISK >> 9, 64]) if not wrong else r.choice(NUMBERS + [1 << 55, (1 << 64) - 1, 1 << 63])
        c = bytearray(60)
        struct.pack_into("<QII", c, 0, sectors, r.choice([0, 4096, 0xffffffff]), r.choice([0, 1, 33, 128, 0xffffffff]))
        struct.pack_into("<I", c, 20, size)
        c[32] = r.randrange(3)
        struct.pack_into("<H", c, 34, r.choice([1, 1, 2, 0, 9, 65535]) if wrong else 1)
        struct.pack_into("<III", c, 36, r.choice([0, 1, 8, 2048, 0xffffffff]), r.choice([0, 1, 0xffffffff]), r.choice([0, 1, 8]))
        struct.pack_into("<II", c, 48, r.choice([0, 8, 2048, 0xffffffff]), r.choice([0, 1]))
        return c

    def features(self):
        f = F_VERSION_1 | F_PROTOCOL | (F_PACKED if self.packed else 0)
        if self.kind == BLK:
            f |= BLK_FLUSH | BLK_SIZE | BLK_DISCARD | BLK_ZEROES
            f |= BLK_MQ if struct.unpack_from("<H", self.config, 34)[0] != 1 else 0
        if self.character != "honest" and self.r.randrange(3) == 0:     # bits of its own, or not those that it should have
            f ^= sum(1 << b for b in self.r.sample(range(24), 3)) | self.r.choice([0, 1 << 35, 1 << 38, F_INDIRECT, F_EVENT_IDX])
        return f

    # --- the protocol ---

    def accept(self):
        self.conn, _ = self.server.accept()
        self.conn.setblocking(True)
        self.loop.add(self.conn, self.message)

    def gone(self):
        for ring in self.rings.values():
            self.stop(ring)
            if ring.kick is not None:
                self.loop.remove(ring.kick)
        self.rings = {}
        if self.conn:
            self.loop.remove(self.conn)
            self.conn.close()
            self.conn = None

    def message(self):
        try:
            head, anc, _, _ = self.conn.recvmsg(12, socket.CMSG_SPACE(64 * 4))
            fds = array.array("i")
            for level, kind, data in anc:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    fds.frombytes(data[:len(data) - len(data) % 4])
            while head and len(head) < 12:
                head += self.conn.recv(12 - len(head))
            if not head:
                return self.gone()
            req, flags, size = struct.unpack("<III", head)
            body = b""
            while len(body) < size:
                more = self.conn.recv(size - len(body))
                if not more:
                    return self.gone()
                body += more
            answer = self.handle(req, body, list(fds))
            if answer is None and flags & 8:
                answer = struct.pack("<Q", 0)
            if answer is not None:
                self.conn.sendall(struct.pack("<III", req, 1 | 4, len(answer)) + answer)
        except OSError:
            self.gone()

    def ring(self, i):
        if i not in self.rings:
            self.rings[i] = Ring(self, i)
        return self.rings[i]

    def handle(self, req, body, fds):
        u64 = struct.unpack_from("<Q", body)[0] if len(body) >= 8 else 0
        index, value = struct.unpack_from("<II", body) if len(body) >= 8 else (0, 0)
        if req == GET_FEATURES:
            return struct.pack("<Q", self.offered)
        if req == GET_PROTOCOL_FEATURES:
            return struct.pack("<Q", PROTOCOL)
        if req == GET_QUEUE_NUM:
            return struct.pack("<Q", 64)
        if req == SET_FEATURES:
            self.packed = bool(u64 & F_PACKED)
        elif req == SET_MEM_TABLE:
            self.map(body, fds)
            fds = []
        elif req == SET_VRING_NUM:
            self.ring(index).num = value
        elif req == SET_VRING_BASE:
            self.ring(index).base = value
        elif req == SET_VRING_ADDR:
            index, _, desc, used, avail = struct.unpack_from("<IIQQQ", body)
            self.ring(index).addr = (desc, avail, used)
        elif req == GET_VRING_BASE:
            return self.stop_and_tell(index)
        elif req in (SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR):
            self.set_fd(req, self.ring(u64 & 0xff), fds.pop(0) if fds and not u64 & 0x100 else None)
        elif req == SET_VRING_ENABLE:
            self.ring(index).enabled = bool(value)
        elif req == SET_BACKEND_REQ_FD and fds:
            self.back = socket.socket(fileno=fds.pop(0))
        elif req == GET_CONFIG:
            off, n, fl = struct.unpack_from("<III", body)
            return struct.pack("<III", off, n, fl) + bytes(self.config[off:off + n]).ljust(n, b"\xff")
        for fd in fds:
            os.close(fd)
        return None

    def map(self, body, fds):
        n = struct.unpack_from("<I", body)[0]
        self.regions = []
        for i, fd in zip(range(n), fds):
            gpa, size, uva, off = struct.unpack_from("<QQQQ", body, 8 + 32 * i)
            self.regions.append((gpa, size, uva, mmap.mmap(fd, size, offset=off) if off % mmap.PAGESIZE == 0 else mmap.mmap(fd, size + off), 0 if off % mmap.PAGESIZE == 0 else off))
            os.close(fd)

    def find(self, which, addr, n):
        for region in self.regions:
            start, size = region[which], region[1]
            if start <= addr and addr + n <= start + size:
                return region[3], addr - start + region[4]
        raise LookupError("%#x" % addr)

    def by_uva(self, addr, n):
        return self.find(2, addr, n)

    def by_gpa(self, addr, n):
        return self.find(0, addr, n)

    def set_fd(self, req, ring, fd):
        if req == SET_VRING_KICK:
            if ring.kick is not None:
                self.loop.remove(ring.kick)
                os.close(ring.kick)
            ring.kick = fd
            ring.reset()
            if fd is not None:
                os.set_blocking(fd, False)
                self.loop.add(fd, lambda: self.kicked(ring))
                self.loop.later(0, lambda: self.work(ring))
        elif req == SET_VRING_CALL:
            if ring.call is not None:
                os.close(ring.call)
            ring.call = fd
        elif fd is not None:
            os.close(fd)

    def stop(self, ring):
        ring.addr = None
        ring.under_way = []

    def stop_and_tell(self, index):
        ring = self.ring(index)
        at = ring.taken | ring.wrap << 15 | ring.given << 16 | ring.used_wrap << 31 if self.packed else ring.taken
        self.stop(ring)
        return struct.pack("<II", index, at & 0xffffffff)

    # --- what it does ---

    def kicked(self, ring):
        try:
            os.read(ring.kick, 8)
        except OSError:
            pass
        self.work(ring)

    def work(self, ring):
        try:
            while ring.ready():
                c = ring.take()
                if c is None:
                    return
                self.count("requests")
                ring.under_way.append(c)
                self.answer(ring, c)
        except (LookupError, struct.error):
            pass        # the ring was taken away meanwhile

    def choose(self):
        if self.counts.get("requests", 0) <= self.patience:
            return "right"
        total = sum(self.weights.values())
        n = self.r.randrange(max(100, total))
        for action, w in self.weights.items():
            if n < w:
                return action
            n -= w
        return "right"

    def answer(self, ring, c):
        action = self.choose()
        self.count(action)
        getattr(self, "do_" + action)(ring, c)

    def finish(self, ring, c, length=None, ident=None):
        """The chain is given back, if the ring is still there."""
        if not ring.ready() or c not in ring.under_way:
            return
        ring.under_way.remove(c)
        n = self.serve(ring, c)
        ring.put(c.id if ident is None else ident, n if length is None else length, c.descs)
        ring.tell()

    def soon(self, ms, ring, work):
        def run():
            try:
                if ring.ready():
                    work()
            except (LookupError, struct.error):
                pass
        self.loop.later(ms / 1000, run)

    def do_right(self, ring, c):
        if self.kind == RNG:
            self.soon(self.r.randrange(1, 30), ring, lambda: self.finish(ring, c))      # else they never end
        else:
            self.finish(ring, c)

    def do_length(self, ring, c):
        self.finish(ring, c, length=self.r.choice(NUMBERS))

    def do_status(self, ring, c):
        self.bad_status = self.r.choice([1, 2, 3, 0xff, None])
        self.finish(ring, c)
        del self.bad_status

    def do_data(self, ring, c):
        for addr, size, w in c.pieces:
            if w and size:
                m, o = self.by_gpa(addr, size)
                n = self.r.randrange(size) + 1
                m[o:o + n] = self.r.randbytes(n)
        ring.under_way.remove(c)
        ring.put(c.id, sum(p[1] for p in c.pieces if p[2]), c.descs)
        ring.tell()

    def do_hold(self, ring, c):
        self.soon(self.r.choice([1, 5, 50, 400]), ring, lambda: self.finish(ring, c))

    def do_shuffle(self, ring, c):
        def all_of_them():
            todo = list(ring.under_way)
            self.r.shuffle(todo)
            for x in todo:
                self.finish(ring, x)
        self.soon(20, ring, all_of_them)

    def do_never(self, ring, c):
        pass

    def do_twice(self, ring, c):
        self.finish(ring, c)
        ring.put(c.id, self.r.choice(NUMBERS), self.r.choice([1, c.descs]))
        ring.tell()

    def do_id(self, ring, c):
        self.finish(ring, c, ident=self.r.choice([c.id + 1, c.id ^ 1 << self.r.randrange(16), self.r.choice(NUMBERS), self.r.randrange(ring.num)]))

    def do_index(self, ring, c):
        self.finish(ring, c)
        if self.packed:
            at = self.r.randrange(ring.num)
            ring.write(0, 16 * at + 14, "<H", self.r.choice([AVAIL | USED, 0, USED, AVAIL, self.r.randrange(65536)]))
        else:
            ring.write(2, 2, "<H", ring.given + self.r.choice([1, 2, ring.num, ring.num + 1, -1, 0x8000, self.r.randrange(65536)]) & 0xffff)
        ring.tell()

    def do_flags(self, ring, c):
        area = 2 if not self.packed else self.r.choice([1, 2])
        ring.write(area, self.r.choice([0, 0, 2]) if self.packed else 0, "<H", self.r.choice([0, 1, 2, 3, 0xffff]))
        self.do_right(ring, c)

    def do_descriptors(self, ring, c):
        """The driver must not read back what it wrote for the device."""
        self.finish(ring, c)
        if not self.packed:
            ring.write(0, 16 * self.r.randrange(ring.num), "<QIHH", self.r.getrandbits(64), self.r.getrandbits(32), self.r.getrandbits(16), self.r.getrandbits(16))
        else:
            at = 16 * self.r.randrange(ring.num)
            ring.write(0, at, "<QI", self.r.getrandbits(64), self.r.getrandbits(32))

    def do_avail(self, ring, c):
        self.finish(ring, c)
        if not self.packed:
            ring.write(1, self.r.choice([0, 4 + 2 * self.r.randrange(ring.num)]), "<H", self.r.getrandbits(16))

    def do_config(self, ring, c):
        self.config = self.make_config() if self.r.randrange(2) else bytearray(self.r.randbytes(60))
        if self.back:
            try:
                self.back.send(struct.pack("<III", 2, 1, 0), socket.MSG_DONTWAIT)
            except OSError:
                pass
        self.do_right(ring, c)

    def do_storm(self, ring, c):
        for _ in range(500):
            ring.tell()
        self.do_right(ring, c)

    def do_nothing(self, ring, c):
        """An entry for a chain that was never given, now and later."""
        ring.put(self.r.choice(NUMBERS), self.r.choice(NUMBERS), 1)
        ring.tell()
        self.do_hold(ring, c)

    def do_close(self, ring, c):
        self.soon(self.r.choice([1, 200]), ring, self.gone)

    def serve(self, ring, c):
        """What an honest device does with the chain; how many bytes it wrote."""
        if self.kind == BLK:
            return self.serve_disk(c)
        written = 0
        for addr, size, w in c.pieces:
            if not w:
                continue
            m, o = self.by_gpa(addr, size)
            n = min(size, self.r.choice([1, 3, 40, size]))
            m[o:o + n] = self.r.randbytes(n)
            written += n
        return written

    def serve_disk(self, c):
        m, o = self.by_gpa(c.pieces[0][0], 16)
        kind, _, sector = struct.unpack_from("<IIQ", m, o)
        at, written = sector * 512 % DISK, 0
        for addr, size, w in c.pieces[1:-1]:
            m, o = self.by_gpa(addr, size)
            for k in range(0, size, DISK):      # a piece may be longer than the disk
                n = min(size - k, DISK)
                both = self.disk[at:] + self.disk[:at] if at + n > DISK else self.disk[at:at + n]
                if kind == 0 and w:
                    m[o + k:o + k + n] = bytes(both[:n])
                    written += n
                elif kind == 1 and not w and at + n <= DISK:
                    self.disk[at:at + n] = m[o + k:o + k + n]
                at = (at + n) % DISK
        status = getattr(self, "bad_status", 0)
        if status is not None:
            addr, size, _ = c.pieces[-1]
            m, o = self.by_gpa(addr, size)
            m[o] = status
        return written + 1


class Loop:
    """Waits for sockets, descriptors and times."""

    def __init__(self):
        self.poll, self.times, self.n = selectors.DefaultSelector(), [], 0

    def add(self, what, work):
        self.poll.register(what, selectors.EVENT_READ, work)

    def remove(self, what):
        try:
            self.poll.unregister(what)
        except (KeyError, ValueError):
            pass

    def later(self, seconds, work):
        self.n += 1
        heapq.heappush(self.times, (time.monotonic() + seconds, self.n, work))

    def step(self, timeout):
        if self.times:
            timeout = max(min(timeout, self.times[0][0] - time.monotonic()), 0)
        for key, _ in self.poll.select(timeout):
            if key.fd in self.poll.get_map():      # another's work may have taken it away
                key.data()
        now = time.monotonic()
        while self.times and self.times[0][0] <= now:
            heapq.heappop(self.times)[2]()
