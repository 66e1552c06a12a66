#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the table by which a kernel without frame pointers finds the callers on a stack, from the ELF file's .debug_frame (DWARF 5, 6.4).

  u32 groups, states, bytes of rows; { u32 start (from _text, ascending), rows (where in them) }[groups + 1]; u16 state[states][2]; the rows: bytes.
A group is up to 16 functions in the order of addresses. Of each but the first: how far behind the one before it begins, in one byte below 0x80, else
two likewise; how many bytes its rows are, the same; its rows, in the order of addresses. Each row: how many bytes of code after the one before it begins (one byte below 0x80; else two, of what is
above 0x80: 0x80 + high byte, low byte; the first row of a function is at its start and has none), and its state's number (below 0xc0 one byte,
else two likewise).
A state: where the caller's stack pointer is, in bytes above rsp, or above rbp if bit 0 is set; and how far below that the caller's rbp is kept
(0: rbp is the caller's). State 0: nobody knows. A function without rows is assembly that keeps nothing on the stack.
Usage: mkunwind.py VMLINUX OUT.S
"""
import struct
import sys
from collections import Counter

RBP, RSP, RA = 6, 7, 16
UNKNOWN = (0, 0)
GROUP = 16


class Elf:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        (shoff,) = struct.unpack_from("<Q", self.data, 0x28)
        size, count, strings = struct.unpack_from("<HHH", self.data, 0x3A)
        rows = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * size) for i in range(count)]
        names = rows[strings][4]
        self.sections = {self.data[names + r[0]:self.data.index(b"\0", names + r[0])].decode(): r for r in rows}

    def section(self, name):
        r = self.sections.get(name)
        return self.data[r[4]:r[4] + r[5]] if r else b""

    def symbol(self, wanted):
        strings = self.section(".strtab")
        for name, _, _, _, value, _ in struct.iter_unpack("<IBBHQQ", self.section(".symtab")):
            if strings[name:strings.index(b"\0", name)].decode() == wanted:
                return value
        sys.exit("mkunwind: no symbol " + wanted)


class Reader:
    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

    def take(self, form):
        (v,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return v

    def uleb(self):
        v = shift = 0
        while True:
            b = self.take("B")
            v |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                return v

    def sleb(self):
        start = self.at
        v = self.uleb()
        bits = 7 * (self.at - start)
        return v - (1 << bits) if v >> (bits - 1) else v


class Cie:
    def __init__(self, r):
        version = r.take("B")
        end = r.data.index(b"\0", r.at)
        letters = r.data[r.at:end]
        if letters not in (b"", b"z", b"zS"):
            sys.exit("mkunwind: a CIE with augmentation %r" % letters)
        self.sized = letters[:1] == b"z"
        r.at = end + 1
        if version >= 4:
            r.take("H")         # sizes of addresses and segments
        self.code, self.offset = r.uleb(), r.sleb()
        self.ra = r.uleb() if version >= 3 else r.take("B")
        if self.sized:
            r.at += r.uleb()
        self.program = (r.at, r.end)


class Machine:
    """Runs call frame instructions: rows are [(address, (base register, offset, where rbp is or None))]."""

    def __init__(self, data, cie, start):
        self.data, self.cie, self.pc = data, cie, start
        self.base, self.off, self.rbp = RSP, 8, None
        self.rows, self.stack = [], []
        self.run(*cie.program)
        self.first = self.now()

    def now(self):
        return self.base, self.off, self.rbp

    def advance(self, n):
        self.rows.append((self.pc, self.now()))
        self.pc += n * self.cie.code

    def saved(self, reg, offset):
        if reg == RBP:
            self.rbp = offset

    def run(self, at, end):
        r = Reader(self.data, at, end)
        while r.at < end:
            op = r.take("B")
            high, low = op & 0xC0, op & 0x3F
            if high == 0x40:
                self.advance(low)
            elif high == 0x80:
                self.saved(low, r.uleb() * self.cie.offset)
            elif high == 0xC0:
                self.saved(low, None)
            elif op in (2, 3, 4):
                self.advance(r.take({2: "B", 3: "H", 4: "I"}[op]))
            elif op == 5:
                reg = r.uleb()
                self.saved(reg, r.uleb() * self.cie.offset)
            elif op in (6, 7, 8):       # restore, undefined, same value
                self.saved(r.uleb(), None)
            elif op == 0x0A:
                self.stack.append(self.now())
            elif op == 0x0B:
                self.base, self.off, self.rbp = self.stack.pop()
            elif op == 0x0C:
                self.base, self.off = r.uleb(), r.uleb()
            elif op == 0x0D:
                self.base = r.uleb()
            elif op == 0x0E:
                self.off = r.uleb()
            elif op == 0x0F:            # an expression: nobody needs to know
                r.at += r.uleb()
                self.base = None
            elif op in (0x10, 0x16):
                reg, size = r.uleb(), r.uleb()
                r.at += size
                if reg == RBP:
                    self.base = None
            elif op == 0x2E:            # the size of pushed arguments
                r.uleb()
            elif op:
                sys.exit("mkunwind: call frame instruction %#x" % op)


def state(base, off, rbp):
    """The two numbers of a state."""
    if base not in (RSP, RBP) or off <= 0 or off & 7 or off > 0xFFF8 or (rbp is not None and not -0xFFF8 <= rbp < 0):
        return UNKNOWN
    return off | (base == RBP), 0 if rbp is None else -rbp


def functions(elf):
    """[(start, end, [(address, state)])] in the order of addresses."""
    data, found, cies = elf.section(".debug_frame"), [], {}
    at = 0
    while at < len(data):
        r = Reader(data, at, len(data))
        length = r.take("I")
        r.end = end = r.at + length
        cie = r.take("I")
        if cie == 0xFFFFFFFF:
            cies[at] = Cie(r)
        else:
            start, size = r.take("Q"), r.take("Q")
            if start and size:          # else its section was thrown away
                if cies[cie].sized:
                    r.at += r.uleb()
                m = Machine(data, cies[cie], start)
                m.run(r.at, end)
                m.advance(0)
                rows = []
                for pc, s in m.rows:
                    s = state(*s)
                    if rows and rows[-1][0] == pc:
                        rows.pop()
                    if not rows or rows[-1][1] != s:
                        rows.append((pc, s))
                found.append((start, start + size, rows))
        at = end
    return sorted(found)


def number(n, limit):
    """A number in one byte below the limit, or in two: what is above the limit, its high byte added to it."""
    if n < limit:
        return bytes((n,))
    high, low = divmod(n - limit, 256)
    if limit + high > 255:
        sys.exit("mkunwind: %d does not fit" % n)
    return bytes((limit + high, low))


def table(elf):
    base = elf.symbol("_text")
    every = [f for f in functions(elf) if f[0] >= base]
    count = Counter(s for f in every for _, s in f[2] if s != UNKNOWN)
    states = [UNKNOWN] + [s for s, _ in sorted(count.items(), key=lambda x: (-x[1], x[0]))]
    index = {s: i for i, s in enumerate(states)}
    found, last = [], None          # (start, rows)
    for start, end, of in every:
        if last is not None and start - last >= 16:     # more than padding: assembly
            found.append((last - base, b""))
        rows, at = bytearray(), start
        for n, (pc, s) in enumerate(of):
            delta = pc - at
            while n and delta > 0x7FFF:                # longer than two bytes say: the same state again
                rows += number(0x7FFF, 0x80) + number(index[of[n - 1][1]], 0xC0)
                delta -= 0x7FFF
            rows += (number(delta, 0x80) if n else b"") + number(index[s], 0xC0)
            at = pc
        found.append((start - base, rows))
        last = end
    found.append((last - base, b""))
    return states, *grouped(found)


def grouped(found):
    """The groups, with one at the end; and their bytes."""
    groups, data, inside, last = [], bytearray(), GROUP, 0
    for start, rows in found:
        if inside == GROUP or start - last > 0x7FFF:
            groups += [start, len(data)]
            inside = 0
        else:
            data += number(start - last, 0x80)
        inside, last = inside + 1, start
        data += number(len(rows), 0x80) + rows
    return [*groups, last, len(data)], data


def emit(kind, values):
    for i in range(0, len(values), 16):
        yield "\t%s %s" % (kind, ",".join(str(v) for v in values[i:i + 16]))


def main():
    elf = Elf(sys.argv[1])
    out = ['\t.section .unwind, "a"', "\t.balign 8"]
    if elf.section(".debug_frame"):
        states, groups, rows = table(elf)
        out += emit(".long", [len(groups) // 2 - 1, len(states), len(rows)])
        out += emit(".long", groups)
        out += emit(".short", [n for s in states for n in s])
        out += emit(".byte", list(rows))
    else:
        out += emit(".long", [0, 0, 0])
    out += ['\t.section .note.GNU-stack, "", @progbits', ""]
    with open(sys.argv[2], "w") as f:
        f.write("\n".join(out))


if __name__ == "__main__":
    main()
