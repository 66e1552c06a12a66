#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the fuzzer's descriptions of system calls: abi/syscalls.tbl says what calls take, fuzz/values.txt what is worth trying.

    tools/mkfuzzdesc.py ARCH OUT.c        writes OUT.c, which fuzz/desc.h declares
"""
import importlib.util
import os
import re
import sys
import types

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What a length counts elements of; of everything else it counts bytes.
COUNTED = {"iovec", "pollfd", "epoll_event", "sembuf", "mmsghdr", "futex_waitv", "u32", "u64", "int", "ptr", "timespec", "timeval", "io_event"}
PSEUDO = 0xffff     # as a number: CALL_URING_RUN in fuzz/desc.h


class Bad(Exception):
    pass


def abi_gen():
    spec = importlib.util.spec_from_file_location("abi_gen", os.path.join(ROOT, "tools", "abi-gen.py"))
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    return m


class Values:
    """fuzz/values.txt, read."""

    def __init__(self, path):
        self.includes, self.sets, self.strings, self.structs, self.sizes, self.never = [], {}, {}, {}, {}, set()
        self.resources, self.calls, self.pseudo = {}, {}, {}
        with open(path) as f:
            for no, line in enumerate(f, 1):
                line = line.strip()
                if line and not line.startswith("#"):
                    try:
                        self.line(line)
                    except Bad as e:
                        raise Bad("%s:%d: %s" % (os.path.relpath(path, ROOT), no, e))

    def line(self, line):
        word, _, rest = line.partition(" ")
        head, colon, tail = rest.partition(":")
        head, tail = head.strip(), tail.strip()
        if word == "include":
            self.includes.append(rest.strip())
        elif word == "pseudo":
            name, *args = rest.split()
            self.pseudo[name] = args
        elif word == "never":
            self.never |= set(rest.split())
        elif not colon:
            raise Bad("no ':'")
        elif word == "set":
            self.sets.setdefault(head, []).extend(re.findall(r"\([^)]*\)|\S+", tail))
        elif word == "strings":
            self.strings.setdefault(head, []).extend(re.findall(r'"(?:[^"\\]|\\.)*"', tail))
        elif word == "size":
            self.sizes[head] = int(tail)
        elif word == "resource":
            name, _, parent = head.partition("<")
            self.resources[name.strip()] = (parent.strip() or None, tail.split())
        elif word == "struct":
            self.structs[head] = [(f.split("=", 1) if "=" in f else ["", f]) for f in tail.split()]
        elif word == "call":
            self.call(head, tail)
        else:
            raise Bad("'%s'?" % word)

    def call(self, head, tail):
        words = head.split()
        c = {"gives": None, "out": [], "weight": None, "args": dict(a.split("=", 1) for a in tail.split())}
        name, words = words[0], words[1:]
        while words:
            w = words.pop(0)
            if w == "gives":
                c["gives"] = words.pop(0)
            elif w == "weight":
                c["weight"] = int(words.pop(0))
            elif w == "out":
                r, _, off = words.pop(0).partition("@")
                c["out"].append((r, int(off)))
            else:
                raise Bad("'%s'?" % w)
        self.calls[name] = c


def pseudo(name, args, cpu):
    """A call that the executor makes of others, as the table would have it: all of its arguments are described in values.txt."""
    one = [types.SimpleNamespace(name=a, kind="", what="", length=None, pointer=False) for a in args]
    return types.SimpleNamespace(name=name, args=one, nr={cpu: PSEUDO})


class Gen:
    def __init__(self, table, values):
        self.t, self.v = table, values
        self.types, self.order, self.used_sets, self.known = {}, [], [], set()
        self.res = [None] + list(values.resources)

    def set_of(self, name):
        if name not in self.v.sets and name not in self.v.strings:
            raise Bad("no set '%s'" % name)
        if name not in self.used_sets:
            self.used_sets.append(name)
        return "&set_%s" % name

    def type(self, key, **f):
        """The C name of a type; KEY is what it is called in messages and makes it unique."""
        if key not in self.types:
            self.types[key] = "t%d" % len(self.types)
            self.order.append((self.types[key], key, f))
        return self.types[key]

    def res_id(self, name):
        if name not in self.v.resources:
            raise Bad("no resource '%s'" % name)
        return self.res.index(name)

    def parse(self, text, fields=(), units=()):
        """A type as values.txt writes it. FIELDS: the names around it, for #FIELD; UNITS: what a length of each counts in."""
        m = re.fullmatch(r"i([1248])(?:([=|#])(\w+))?", text)
        if m:
            size, op, arg = int(m[1]), m[2], m[3]
            if op == "#":
                if arg not in fields:
                    raise Bad("'#%s' is no field beside it" % arg)
                i = list(fields).index(arg)
                unit = units[i] if i < len(units) else 1
                return self.type("%s@%d/%d" % (text, i, unit), kind="LEN", size=size, of=i, max=unit)
            if op:
                return self.type(text, kind="FLAGS" if op == "|" else "INT", size=size, set=self.set_of(arg))
            return self.type(text, kind="INT", size=size)
        m = re.fullmatch(r"(data|out|pad):(\d+)", text)
        if m:
            return self.type(text, kind=m[1].upper(), max=int(m[2]))
        m = re.fullmatch(r"str=(\w+)", text)
        if m:
            return self.type(text, kind="STR", set=self.set_of(m[1]))
        if text == "path":
            return self.parse("{str=local/str=local/str=local/str=path}")
        if text in ("area", "handler"):
            return self.type(text, kind=text.upper(), size=8)
        if text.startswith(">"):
            return self.type(text, kind="PTR", size=8, elem=self.parse(text[1:]))
        m = re.fullmatch(r"\[(\d+)\](.+)", text)
        if m:
            return self.type(text, kind="ARRAY", max=int(m[1]), elem=self.parse(m[2]))
        if text.startswith("{"):
            return self.type(text, kind="UNION", fields=[self.parse(x) for x in text[1:-1].split("/")])
        name, _, size = text.partition(":")
        if name in self.v.resources:
            return self.type(text, kind="RES", size=int(size or 4), res=self.res_id(name))
        if text in self.v.structs:
            if text in self.known:
                raise Bad("struct '%s' holds itself" % text)
            self.known.add(text)
            names = [n for n, _ in self.v.structs[text]]
            units = [self.unit(t) for _, t in self.v.structs[text]]
            fields = [self.parse(t, names, units) for _, t in self.v.structs[text]]
            self.known.discard(text)
            return self.type(text, kind="STRUCT", fields=fields)
        raise Bad("no type '%s'" % text)

    def size(self, text):
        """Of a structure's fixed parts; for counting elements."""
        m = re.fullmatch(r"i([1248]).*", text) or re.fullmatch(r"(?:data|out|pad):(\d+)", text)
        if m:
            return int(m[1])
        if text[0] == ">" or text in ("area", "handler"):
            return 8
        name, _, size = text.partition(":")
        if name in self.v.resources:
            return int(size or 4)
        m = re.fullmatch(r"\[(\d+)\](.+)", text)
        if m:
            return int(m[1]) * self.size(m[2])
        if text in self.v.structs:
            return sum(self.size(t) for _, t in self.v.structs[text])
        return 1

    def unit(self, text):
        m = re.fullmatch(r">\[\d+\](.+)", text)
        return max(self.size(m[1]), 1) if m else 1

    def memory(self, call, arg):
        """The type behind a pointer that the table describes as DIRECTION.WHAT[LENGTH]."""
        what, length = arg.what, arg.length
        n = int(length) if length and length.isdigit() else None
        counted = what in COUNTED and length and not n
        if what == "path":
            return self.parse(">path")
        if what == "str":
            return self.parse(">str=str")
        if what == "argv":
            return self.parse(">argv")
        if what == "data":
            return self.parse(">%s:%d" % ("out" if arg.kind == "out" else "data", n or 4096))
        if arg.kind != "out" and what in self.v.structs:
            one = what
        elif what in self.v.sizes:
            one = "%s:%d" % ("out" if arg.kind == "out" else "data", self.v.sizes[what])
        else:
            one = "%s:256" % ("out" if arg.kind == "out" else "data")
        if counted or n:
            return self.parse(">[%d]%s" % (n or 8, one))
        return self.parse(">" + one)

    def argument(self, call, i):
        a = call.args[i]
        if a.pointer and a.kind != "hex":
            return self.memory(call, a)
        for b in call.args:         # the length of something
            if b.length == a.name:
                unit = self.element(b) if b.what in COUNTED else 1
                return self.type("len %d/%d" % (call.args.index(b), unit), kind="LEN", size=8, of=call.args.index(b), max=unit)
        kind, name = a.kind, a.what
        if kind == "fd":
            return self.parse("fd:8")
        if kind == "at":
            return self.parse("dir:8")
        if kind == "sig":
            return self.parse("i8=sig")
        if kind == "mode":
            return self.parse("i8|mode")
        if kind in ("flags", "cmd") and name in self.v.sets:
            return self.parse("i8%s%s" % ("|" if kind == "flags" else "=", name))
        return self.parse("i8=len")

    def element(self, a):
        if a.what in self.v.structs and a.kind != "out":
            return max(self.size(a.what), 1)
        return self.v.sizes.get(a.what, 8)

    def calls(self, cpu):
        by_name = {c.name: c for c in self.t.calls.values() if cpu in c.nr and not c.gone}
        known = {**self.t.calls, **{n: pseudo(n, args, cpu) for n, args in self.v.pseudo.items()}}
        by_name.update((n, known[n]) for n in self.v.pseudo)
        for name, extra in self.v.calls.items():
            base = name.partition("$")[0]
            if base not in known:
                raise Bad("'%s' is not in the table of system calls" % base)
            if base in by_name:
                by_name.setdefault(name, by_name[base])
            for a in extra["args"]:
                if a not in [x.name for x in known[base].args]:
                    raise Bad("%s has no argument '%s'" % (base, a))
        out = []
        for name in sorted(by_name):
            c, extra = by_name[name], self.v.calls.get(name, {"gives": None, "out": [], "weight": None, "args": {}})
            names = [a.name for a in c.args]
            units = [self.unit(extra["args"].get(n, "")) for n in names]
            kinds = []
            for i, a in enumerate(c.args):
                text = extra["args"].get(a.name)
                kinds.append(self.parse(text, names, units) if text else self.argument(c, i))
            weight = 0 if c.name in self.v.never else extra["weight"] if extra["weight"] is not None else 1
            out.append((name, c.nr[cpu], weight, self.res_id(extra["gives"]) if extra["gives"] else 0,
                        [(self.res_id(r), off) for r, off in extra["out"]], kinds))
        return out

    def source(self, cpu):
        calls = self.calls(cpu)
        special = [self.v.resources[r][1] if r else [] for r in self.res]
        o = ["/* Generated from abi/syscalls.tbl and fuzz/values.txt by tools/mkfuzzdesc.py. */"]
        o += ["#include <%s>" % i for i in self.v.includes]
        o += ['#include "fuzz/desc.h"', ""]
        for s in self.used_sets:
            if s in self.v.strings:
                texts = self.v.strings[s]
                o.append("static const uint64_t values_%s[] = { %s };" % (s, ", ".join("(uint64_t)%s" % t for t in texts)))
            else:
                o.append("static const uint64_t values_%s[] = { %s };" % (s, ", ".join("(uint64_t)(%s)" % v for v in self.v.sets[s])))
            o.append('static const struct set set_%s = { "%s", values_%s, sizeof(values_%s) / 8 };' % (s, s, s, s))
        for i, vals in enumerate(special):
            if vals:
                o.append("static const uint64_t special_%d[] = { %s };" % (i, ", ".join("(uint64_t)(%s)" % v for v in vals)))
                o.append('static const struct set sset_%d = { "%s", special_%d, %d };' % (i, self.res[i], i, len(vals)))
        o.append("const struct set *const res_special[] = { %s };" % ", ".join("&sset_%d" % i if v else "0" for i, v in enumerate(special)))
        o.append("const char *const res_names[] = { %s };" % ", ".join('"%s"' % (r or "none") for r in self.res))
        o.append("const uint8_t res_parent[] = { %s };" % ", ".join(
            str(self.res_id(self.v.resources[r][0])) if r and self.v.resources[r][0] else "0" for r in self.res))
        o.append("const uint32_t nres = %d;" % len(self.res))
        for name, key, f in self.order:
            if f.get("fields"):
                o.append("static const struct type *const %s_fields[] = { %s };" % (name, ", ".join("&" + x for x in f["fields"])))
            parts = ['.name = "%s"' % key.replace('"', ""), ".kind = TYPE_%s" % f["kind"]]
            parts += [".%s = %s" % (k, f[k]) for k in ("size", "of", "res", "max", "set") if f.get(k)]
            if f.get("elem"):
                parts.append(".elem = &%s" % f["elem"])
            if f.get("fields"):
                parts.append(".field = %s_fields, .nfields = %d" % (name, len(f["fields"])))
            o.append("static const struct type %s = { %s };" % (name, ", ".join(parts)))
        o.append("const struct call_desc call_descs[] = {")
        for name, nr, weight, gives, outs, kinds in calls:
            o.append('\t{ .name = "%s", .nr = %d, .nargs = %d, .weight = %d, .gives = %d, .nout = %d, .out = { %s }, .arg = { %s } },' % (
                name, nr, len(kinds), weight, gives, len(outs), ", ".join("{ %d, %d }" % x for x in outs) or "{ 0 }",
                ", ".join("&" + t for t in kinds) or "0"))
        o += ["};", "const uint32_t ncall_descs = %d;" % len(calls), ""]
        return "\n".join(o)


def main(argv):
    if len(argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        table = abi_gen().Table(os.path.join(ROOT, "abi", "syscalls.tbl"))
        text = Gen(table, Values(os.path.join(ROOT, "fuzz", "values.txt"))).source(argv[1])
    except Bad as e:
        print("mkfuzzdesc: %s" % e, file=sys.stderr)
        return 1
    os.makedirs(os.path.dirname(argv[2]) or ".", exist_ok=True)
    with open(argv[2] + ".new", "w") as f:
        f.write(text)
    os.replace(argv[2] + ".new", argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
