#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hashes of the types of what the image exports, from DWARF, so that a module made for other types is refused.

`mktypes.py source ROOT ROOM,... FILE...` prints a C file that includes these rooms' public headers and has a pointer to what each `EXPORT(name)` in those
files exports, and in the debug build each `EXPORT_DEBUG(name)`: the debug information of that file holds their types. `mktypes.py hash OBJECT DWARFDUMP` prints a line for each, as Linux's
Module.symvers has them. A hash covers the type and every structure, union and enumeration that it reaches through pointers, members and parameters: names,
sizes, offsets. Names of typedefs and parameters do not count.
"""
import glob
import hashlib
import os
import re
import subprocess
import sys

PREFIX = "__exported_"
DIE = re.compile(r"^0x([0-9a-f]+):( +)(DW_TAG_\w+|NULL)")
ATTRIBUTE = re.compile(r"^ +DW_AT_(\w+)\t\((.*)\)$")
KEPT = ("const", "volatile", "restrict", "atomic")
NAMED = {"structure": "struct", "union": "union", "enumeration": "enum"}


def exports(files, macro):
    names = []
    for path in files:
        with open(path, errors="replace") as f:
            names += re.findall(r"^\s*%s\((\w+)\)" % macro, f.read(), re.M)
    return sorted(set(names))


def pointers(names):
    return "".join("extern __typeof__(%s) *%s%s;\n__typeof__(%s) *%s%s;\n" % (n, PREFIX, n, n, PREFIX, n) for n in names)


def source(root, rooms, files):
    """All public headers, so that a structure is seen whole wherever it is defined."""
    headers = ["/".join(p.split("/")[-2:]) for r in rooms for p in sorted(glob.glob("%s/%s/include/*/*.h" % (root, r)))]
    return "".join("#include <%s>\n" % h for h in headers) + pointers(exports(files, "EXPORT")) + "#ifdef CONFIG_DEBUG\n%s#endif\n" % pointers(exports(files, "EXPORT_DEBUG"))


class Dwarf:
    """The entries: {offset: [tag, {attribute: text}, [child's offset]]}."""

    def __init__(self, text):
        self.dies, stack, now = {}, [], None
        for line in text.splitlines():
            m = DIE.match(line)
            if m:
                depth = len(m[2])
                while stack and stack[-1][0] >= depth:
                    stack.pop()
                if m[3] == "NULL":
                    now = None
                    continue
                at = int(m[1], 16)
                now = self.dies[at] = (m[3][7:], {}, [])
                if stack:
                    self.dies[stack[-1][1]][2].append(at)
                stack.append((depth, at))
            elif now:
                m = ATTRIBUTE.match(line)
                if m:
                    now[1][m[1]] = m[2]
        self.complete = {}
        for at, (tag, attributes, _) in self.dies.items():
            if tag.endswith("_type") and tag[:-5] in NAMED and "name" in attributes and "declaration" not in attributes:
                self.complete.setdefault((tag, attributes["name"]), at)

    def target(self, at):
        """The entry of the type of entry AT; None: void."""
        t = self.dies[at][1].get("type")
        return int(t.split()[0], 16) if t else None

    def members(self, at, reached):
        tag, attributes, children = self.dies[at]
        out = [attributes.get("byte_size", "")]
        for c in children:
            kind, a, _ = self.dies[c]
            if kind == "enumerator":
                out.append("%s=%s" % (a["name"], a["const_value"]))
            elif kind == "member":
                out.append("%s@%s.%s.%s %s" % (a.get("name", ""), a.get("data_member_location", "0x00"), a.get("data_bit_offset", ""), a.get("bit_size", ""),
                                               self.spell(self.target(c), reached)))
        return "{%s}" % ";".join(out)

    def spell(self, at, reached):
        """The type's text; what is named and reached is appended to REACHED."""
        if at is None:
            return "void"
        tag, a, children = self.dies[at]
        tag = tag[:-5] if tag.endswith("_type") else tag
        if tag == "typedef":
            return self.spell(self.target(at), reached)
        if tag == "base" or tag == "unspecified":
            return "%s:%s:%s" % (a.get("name"), a.get("byte_size"), a.get("encoding"))
        if tag in KEPT:
            return tag + " " + self.spell(self.target(at), reached)
        if tag == "pointer":
            return "*(%s)" % self.spell(self.target(at), reached)
        if tag == "array":
            return "[%s](%s)" % (",".join(self.dies[c][1].get("count") or self.dies[c][1].get("upper_bound", "") for c in children), self.spell(self.target(at), reached))
        if tag == "subroutine":
            parts = ["..." if self.dies[c][0] == "unspecified_parameters" else self.spell(self.target(c), reached) for c in children]
            return "(%s)->%s" % (",".join(parts), self.spell(self.target(at), reached))
        if tag in NAMED:
            if "name" not in a:
                return NAMED[tag] + self.members(at, reached)
            key = (self.dies[at][0], a["name"])
            if key not in reached:
                reached[key] = None
            return "%s %s" % (NAMED[tag], a["name"])
        sys.exit("mktypes: type of a kind that is not supported: " + tag)

    def hash(self, at):
        """The hash of the type that the pointer of entry AT points to."""
        reached, done = {}, 0
        text = [self.spell(self.target(at), reached)]
        while done < len(reached):
            key = list(reached)[done]
            done += 1
            if key in self.complete:
                text.append("%s %s %s" % (*key, self.members(self.complete[key], reached)))
        return int.from_bytes(hashlib.sha256("\n".join(text).encode()).digest()[:8], "big")


def hashes(obj, dwarfdump):
    """{name: hash} of what an object's pointers say."""
    d = Dwarf(subprocess.run([dwarfdump, "--debug-info", obj], stdout=subprocess.PIPE, text=True, check=True).stdout)
    out = {}
    for at, (tag, a, _) in d.dies.items():
        name = a.get("name", "").strip('"')
        if tag == "variable" and name.startswith(PREFIX) and "external" in a and "type" in a:
            out[name[len(PREFIX):]] = d.hash(at)
    return out


def main(what, *args):
    if what == "source":
        sys.stdout.write(source(args[0], args[1].split(","), args[2:]))
    else:
        for name, h in sorted(hashes(*args).items()):
            print("0x%016x\t%s\tvmlinux\tEXPORT_SYMBOL\t" % (h, name))


if __name__ == "__main__":
    main(*sys.argv[1:])
