# SPDX-License-Identifier: MIT
"""From places that kcov told of to lines of source: which of the instrumented kernel were reached, by room and by function.

The compiler calls the tracer in as few blocks as tell where a task went: which other blocks ran follows from the way between those that
told. So the kernel's code is read back as blocks and jumps. A block with such a call ran if its place was told. One without ran if a block
that ran leads to it, and it leads to one that ran or out of its function, through others without a call. A line is reached if any of its
instructions is in a block that ran; it can be reached if it has any in an instrumented function that does not belong to booting alone."""
import bisect
import gzip
import json
import os
import re
import struct
import subprocess
import sys
import tomllib

from .util import BUILD, Fail, Progress, ROOT, digest, rel

OUT = os.path.join(BUILD, "fuzz")
REASONS = os.path.join(ROOT, "fuzz", "missed.toml")
# What system calls are judged by: docs/fuzzing.md.
CORE = ("syscall/", "proc/", "mm/", "vfs/", "ipc/", "fs/tmpfs/")
APART = ("fs/tmpfs", "fs/proc")
REVISION = 1            # raise when the model changes
TRACER = "<__sanitizer_cov_trace_pc>"
ENDS = ("ret", "ud2", "iret", "sysret", "hlt")


def told(tools, tool, *args):
    """The lines that one of LLVM's tools prints."""
    argv = [os.path.join(os.path.dirname(tools["readelf"]), tool), *args]
    try:
        p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace")
    except OSError as e:
        raise Fail("cannot run %s: %s" % (argv[0], e.strerror))
    yield from p.stdout
    if p.wait():
        raise Fail("%s failed" % argv[0])


# --- reading the kernel ---

class Image:
    """Its sections, for the tables of jumps."""

    def __init__(self, path, tools):
        self.parts, self.text = [], (0, 0)
        with open(path, "rb") as f:
            self.data = f.read()
        for line in told(tools, "llvm-readelf", "-SW", path):
            m = re.match(r" *\[ *\d+\] (\S+) +PROGBITS +(\w{16}) (\w+) (\w+)", line)
            if m and int(m[2], 16):
                self.parts.append((int(m[2], 16), int(m[4], 16), int(m[3], 16)))
                if m[1] == ".text":
                    self.text = int(m[2], 16), int(m[2], 16) + int(m[4], 16)

    def word(self, at):
        for start, size, off in self.parts:
            if start <= at and at + 8 <= start + size:
                return struct.unpack_from("<Q", self.data, off + at - start)[0]
        return 0


def functions(path, tools):
    """(name, start, [(kind, address, target, next address)]) of each; kinds: cov, jmp, jcc, table, end."""
    name, start, found, pending = None, 0, [], None
    for line in told(tools, "llvm-objdump", "-d", "--no-show-raw-insn", "--no-leading-headers", "--demangle", "--section=.text", path):
        tab = line.find("\t")
        if tab < 0:
            if line.endswith(">:\n"):
                at, _, rest = line.partition(" ")
                if name is not None:
                    yield name, start, int(at, 16), found
                name, start, found, pending = rest[1:-3], int(at, 16), [], None
            continue
        try:
            at = int(line[:tab].rstrip(" :"), 16)
        except ValueError:      # the file's name
            continue
        if pending:
            found.append((*pending, at))
            pending = None
        word = line[tab + 1:].split(None, 2)
        op = word[0]
        if op[0] == "j":
            if word[1][0] == "*":
                m = re.match(r"\*(-?0x[0-9a-f]+)\(,%\w+,8\)", word[1])
                pending = "table", at, int(m[1], 16) & (1 << 64) - 1 if m else 0
            else:
                pending = "jmp" if op.startswith("jmp") else "jcc", at, int(word[1], 16)
        elif op.startswith("call"):
            if TRACER in line:
                pending = "cov", at, 0
        elif op.startswith(ENDS):
            pending = "end", at, 0
    if name is not None:
        if pending:
            found.append((*pending, 1 << 64))
        yield name, start, 1 << 64, found


def blocks(image, start, end, events):
    """[(start, end, [places], [successors' numbers], leads out)] of an instrumented function."""
    leaders, tables = {start}, {}
    for kind, at, target, after in events:
        if kind == "cov":
            continue
        leaders.add(after)
        if kind == "table" and target:
            tables[at] = []
            while True:
                to = image.word(target + 8 * len(tables[at]))
                if not start <= to < end or len(tables[at]) > 4096:
                    break
                tables[at].append(to)
            leaders.update(tables[at])
        elif target and start <= target < end:
            leaders.add(target)
    starts = sorted(a for a in leaders if start <= a < end)
    number = {a: i for i, a in enumerate(starts)}
    out = [[a, b, [], [], False] for a, b in zip(starts, starts[1:] + [end])]
    closed = set()
    for kind, at, target, after in events:
        i = bisect.bisect_right(starts, at) - 1
        block = out[i]
        if kind == "cov":
            block[2].append(after)
            continue
        closed.add(i)
        if kind in ("jmp", "jcc"):
            if target in number:
                block[3].append(number[target])
            else:
                block[4] = True
        if kind == "jcc" and after in number:
            block[3].append(number[after])
        if kind == "table":
            block[3] += [number[t] for t in tables.get(at, ())]
            block[4] = not tables.get(at)
        if kind == "end":
            block[4] = True
    for i, block in enumerate(out):
        if i not in closed:
            if i + 1 < len(out):
                block[3].append(i + 1)
            else:
                block[4] = True
    return out


def rows(path, tools):
    """[(address, file, line)], by address; no line where a sequence ends. Of rows at one address the last one counts."""
    dirs, files, out, number, name = {}, {}, [], 0, ""
    for line in told(tools, "llvm-dwarfdump", "--debug-line", path):
        if line.startswith("0x"):
            word = line.split(None, 4)
            out.append((int(word[0], 16), 0 if "end_sequence" in word[4] else 1, files.get(word[3], ""), int(word[1])))
        elif line.startswith("debug_line["):
            dirs, files = {}, {}
        elif line.startswith("include_directories["):
            m = re.match(r'include_directories\[ *(\d+)\] = "(.*)"', line)
            dirs[m[1]] = m[2]
        elif line.startswith("file_names["):
            number = line[11:line.index("]")].strip()
        elif line.startswith("           name: "):
            name = line.split('"')[1]
        elif line.startswith("      dir_index: "):
            folder = dirs.get(line.split()[1], "")
            files[number] = os.path.normpath(os.path.join(folder, name)) if folder else name
    out.sort(key=lambda r: r[:2])
    last = {}
    for at, more, name, line in out:
        last[at] = (name, line) if more else ("", 0)
    return [(at, *last[at]) for at in sorted(last)]


def named(path, tools):
    """[[start, end, depth, name]] of functions and what was inlined into them."""
    out, names = [], {}
    at = depth = low = 0
    tag = False
    for line in told(tools, "llvm-dwarfdump", "--debug-info", path):
        if line.startswith("0x"):
            head, _, rest = line.partition(":")
            word = rest.strip()
            tag = word in ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine")
            if word != "NULL":
                at, low, depth = int(head, 16), 0, len(rest) - len(rest.lstrip())
            continue
        m = re.match(r" +(?:DW_AT_(\w+)\t)? *(.*)", line) if tag else None
        if not m:
            continue
        if m[1] == "low_pc":
            low = int(m[2][1:-1], 16)
        elif m[1] == "high_pc":
            out.append([low, int(m[2][1:-1], 16), depth, at])
        elif m[1] == "name":
            names[at] = m[2].split('"')[1]
        elif m[1] in ("abstract_origin", "specification"):
            names.setdefault(at, int(re.match(r"\(0x[0-9a-f]+", m[2])[0][1:], 16))
        elif m[1] is None and m[2].startswith("[0x"):
            first, last = re.findall(r"0x[0-9a-f]+", m[2])[:2]
            out.append([int(first, 16), int(last, 16), depth, at])

    def name(at):
        for _ in range(4):
            at = names.get(at)
            if not isinstance(at, int):
                break
        return at if isinstance(at, str) else "?"
    return sorted([a, b, d, name(n)] for a, b, d, n in out if b > a > 1)


def short(name):
    """A function's own name: without its path, what it is generic over, the number of the compiler's copy."""
    if "::" in name or "<" in name:
        flat = re.sub(r"->", "", name)
        while re.search(r"<[^<>]*>", flat):
            flat = re.sub(r"(?:::)?<[^<>]*>", "", flat)
        return flat.split("::")[-1] or name
    return name.split(".")[0]


class Names:
    """The innermost function at each address, for addresses that only grow; '' in one into which nothing was inlined: it is not noted."""

    def __init__(self, spans):
        self.spans, self.next, self.active = spans, 0, []

    def at(self, address):
        while self.next < len(self.spans) and self.spans[self.next][0] <= address:
            self.active.append(self.spans[self.next])
            self.next += 1
        self.active = [s for s in self.active if s[1] > address]
        return short(max(self.active, key=lambda s: s[2])[3]) if self.active else ""


def make_model(vmlinux, tools):
    """{'lines': [[file, line, function]], 'blocks': [[places, lines, successors, out, entry]]}; numbers are indices."""
    image = Image(vmlinux, tools)
    table, names = rows(vmlinux, tools), Names(named(vmlinux, tools))
    starts = [r[0] for r in table]
    who = [names.at(r[0]) if r[2] else "" for r in table]
    number, lines, out = {}, [], []
    for name, start, end, events in functions(vmlinux, tools):
        if not any(e[0] == "cov" for e in events):
            continue
        base = len(out)
        for i, (a, b, places, to, leads_out) in enumerate(blocks(image, start, min(end, image.text[1]), events)):
            here = []
            for k in range(max(bisect.bisect_right(starts, a) - 1, 0), bisect.bisect_left(starts, b)):
                _, path, line = table[k]
                if not line or path.startswith("/") or not path:
                    continue
                key = path, line, who[k] or short(name)
                if key not in number:
                    number[key] = len(lines)
                    lines.append(key)
                here.append(number[key])
            out.append([places, sorted(set(here)), sorted(set(base + t for t in to)), leads_out, i == 0])
    return {"lines": lines, "blocks": out}


def model(vmlinux, tools):
    """The model of a kernel, read once."""
    mark = "%s %d" % (mark_of(vmlinux), REVISION)
    path = os.path.join(OUT, "lines.json.gz")
    try:
        with gzip.open(path, "rt") as f:
            m = json.load(f)
        if m.get("mark") == mark:
            return m
    except (OSError, ValueError, EOFError):
        pass
    with Progress("Reading the kernel's lines"):
        m = {"mark": mark, **make_model(vmlinux, tools)}
        os.makedirs(OUT, exist_ok=True)
        with gzip.open(path + ".new", "wt", compresslevel=1) as f:
            json.dump(m, f, separators=(",", ":"))
        os.rename(path + ".new", path)
    return m


# --- places, as kcov tells them ---

def mark_of(vmlinux):
    """What places are of: the same kernel built elsewhere has the same ones."""
    with open(vmlinux, "rb") as f:
        return digest(f.read())


def read_places(path, mark):
    """The set in a file, empty where it is of another kernel, cut or damaged."""
    try:
        with open(path, errors="replace") as f:
            if f.readline().strip() != mark:
                return set()
            return set(int(w, 16) for w in f.read().split() if re.fullmatch("ffffffff[0-9a-f]{8}", w))
    except OSError:
        return set()


def write_places(path, mark, places):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as f:
        f.write(mark + "\n" + "".join("%x\n" % p for p in sorted(places)))
    os.rename(path + ".new", path)


# --- what ran ---

def ran(blocks_, places):
    """A flag for each block."""
    n = len(blocks_)
    pointed = [any(p in places for p in b[0]) for b in blocks_]
    before = [[] for _ in range(n)]
    for i, b in enumerate(blocks_):
        for t in b[2]:
            before[t].append(i)
    forward, back = list(pointed), list(pointed)

    def spread(flags, first, edges):
        todo = [i for i in range(n) if flags[i]] + first
        while todo:
            i = todo.pop()
            for t in edges(i):
                if not flags[t] and not blocks_[t][0]:
                    flags[t] = True
                    todo.append(t)
    entries = [i for i, b in enumerate(blocks_) if b[4] and not b[0]]
    for i in entries:
        forward[i] = True
    outs = [i for i, b in enumerate(blocks_) if not b[0] and (b[3] or not b[2])]
    for i in outs:
        back[i] = True
    spread(forward, entries, lambda i: blocks_[i][2])
    spread(back, outs, lambda i: before[i])
    return [f and b for f, b in zip(forward, back)]


class Coverage:
    """Of one model and one set of places."""

    def __init__(self, m, places):
        self.lines = {}             # (file, line) -> reached
        self.functions = {}         # (file, function) -> {line: reached}
        reached = [False] * len(m["lines"])
        known = set()
        for flag, b in zip(ran(m["blocks"], places), m["blocks"]):
            known.update(b[0])
            if flag:
                for i in b[1]:
                    reached[i] = True
        self.places, self.all_places, self.unknown = len(places & known), len(known), len(places - known)
        for flag, (path, line, function) in zip(reached, m["lines"]):
            if not in_tree(path):
                continue
            self.lines[path, line] = flag or self.lines.get((path, line), False)
            of = self.functions.setdefault((path, function), {})
            of[line] = flag or of.get(line, False)

    def sum(self, fits):
        """(lines that can be reached, that were; functions, never reached, reached in part)"""
        part = [f for (p, _), f in self.lines.items() if fits(p)]
        of = [list(v.values()) for (p, _), v in self.functions.items() if fits(p)]
        return {"lines": len(part), "reached": sum(part), "functions": len(of), "never": sum(not any(f) for f in of),
                "partly": sum(any(f) and not all(f) for f in of)}

    def rooms(self):
        names = sorted(set(p.split("/")[0] for p, _ in self.lines))
        out = []
        for n in names:
            out.append((n + "/", self.sum(lambda p: p.startswith(n + "/"))))
            out += [(a + "/", self.sum(lambda p: p.startswith(a + "/"))) for a in APART if a.startswith(n + "/")]
        return [(n, s) for n, s in out if s["lines"]]

    def core(self):
        return self.sum(lambda p: p.startswith(CORE))

    def missed(self, fits=lambda p: True):
        """[(file, function, lines, [missed])] of those with any, never reached ones first in their file."""
        out = []
        for (path, name), lines in self.functions.items():
            gone = sorted(n for n, f in lines.items() if not f)
            if gone and fits(path):
                out.append((path, name, len(lines), gone))
        return sorted(out, key=lambda r: (r[0], len(r[3]) < r[2], r[3][0]))


def in_tree(path):
    """Kernel code that system calls could run: no tests, nothing generated for them, nothing of the compiler's libraries."""
    return "/" in path and "/test/" not in path and not path.startswith(("rust-src/", "build/", "/", "..", "tests/"))


def ranges(numbers):
    """'3-5, 9'"""
    out = []
    for n in numbers:
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ", ".join("%d" % a if a == b else "%d-%d" % (a, b) for a, b in out)


# --- reasons ---

def read_reasons(path=REASONS):
    """{(file, function): reason}; what is written in the file must be whole."""
    if not os.path.exists(path):
        return {}
    try:
        with open(path, "rb") as f:
            table = tomllib.load(f).get("missed", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Fail("%s: %s" % (os.path.relpath(path, ROOT), e))
    out = {}
    for i, row in enumerate(table if isinstance(table, list) else [None]):
        if not isinstance(row, dict) or not all(isinstance(row.get(k), str) and row[k].strip() for k in ("file", "reason")) or \
                set(row) - {"file", "function", "functions", "reason"} or not ("function" in row or "functions" in row):
            raise Fail("%s: row %d needs file, function (or functions, a list) and reason, and nothing else" % (os.path.relpath(path, ROOT), i + 1))
        for name in row.get("functions", [row.get("function")]):
            out[row["file"], name] = row["reason"]
    return out


# --- showing ---

def percent(s):
    return "%5.1f" % (100.0 * s["reached"] / s["lines"]) if s["lines"] else "    -"


def table(c):
    out = ["%-14s %7s %8s %6s   %9s %6s %7s" % ("room", "lines", "reached", "%", "functions", "never", "partly")]
    for name, s in c.rooms() + [("the core", c.core())]:
        out.append("%-14s %7d %8d %6s   %9d %6d %7d" % (("  " if name[:-1] in APART else "") + name, s["lines"], s["reached"], percent(s), s["functions"], s["never"], s["partly"]))
    out.append("the core: %s" % " ".join(CORE))
    out.append("%d of %d places%s" % (c.places, c.all_places, "; %d told that this kernel does not have" % c.unknown if c.unknown else ""))
    return "\n".join(out)


def listing(c, reasons, where):
    """The functions below a folder (or in a file) that were not reached, whole or in part."""
    out = []
    for path, name, n, gone in c.missed(lambda p: p == where or p.startswith(where.rstrip("/") + "/") or not where):
        why = reasons.get((path, name))
        out.append("%s: %s: %s%s" % (path, name, "never reached" if len(gone) == n else "%d of %d lines: %s" % (len(gone), n, ranges(gone)), ": " + why if why else ""))
    return "\n".join(out)


def page(c, reasons, commit):
    """The core's functions that were not reached, whole or in part, as Markdown."""
    s = c.core()
    rows = c.missed(lambda p: p.startswith(CORE))
    bare = [(p, f) for p, f, n, gone in rows if len(gone) == n and (p, f) not in reasons]
    out = ["# What the fuzzer does not reach", "",
           "Of commit %s: %d of %d lines of %s are reached (%s %%). Of functions that never are, fuzz/missed.toml says why; %d are without a reason."
           % (commit, s["reached"], s["lines"], ", ".join(CORE), percent(s).strip(), len(bare)), ""]
    for title, whole in (("Never reached", True), ("Reached in part", False)):
        out += ["## " + title, "", "| File | Function | Lines | Missed | Why |", "|---|---|---|---|---|"]
        out += ["| %s | `%s` | %d | %s | %s |" % (path, name, n, ranges(gone), reasons.get((path, name), "**no reason**" if whole else ""))
                for path, name, n, gone in rows if (len(gone) == n) == whole]
        out.append("")
    return "\n".join(out)


def write_all(c, reasons, commit, top):
    """coverage.json and missed.md in TOP."""
    missed = [{"file": p, "function": f, "lines": n, "missed": gone, "reason": reasons.get((p, f))} for p, f, n, gone in c.missed()]
    data = {"commit": commit, "places": c.places, "of_places": c.all_places, "core": c.core(), "rooms": dict(c.rooms()), "missed": missed}
    for name, text in (("coverage.json", json.dumps(data, indent=1) + "\n"), ("missed.md", page(c, reasons, commit))):
        with open(os.path.join(top, name + ".new"), "w") as f:
            f.write(text)
        os.rename(os.path.join(top, name + ".new"), os.path.join(top, name))


def show(vmlinux, tools, places, missed, commit, top):
    """What ./ochre fuzz --coverage prints."""
    reasons = read_reasons()
    c = Coverage(model(vmlinux, tools), places)
    for path, name in sorted(set(reasons) - set(c.functions)):
        sys.stderr.write("fuzz/missed.toml: there is no %s in %s\n" % (name, path))
    for path, name in sorted(set(reasons) & set(c.functions)):
        if any(c.functions[path, name].values()):
            sys.stderr.write("fuzz/missed.toml: %s in %s is reached\n" % (name, path))
    write_all(c, reasons, commit, top)
    if missed is not None:
        print(listing(c, reasons, missed))
    print(table(c))
    print("written: %s, %s" % (rel(os.path.join(top, "coverage.json")), rel(os.path.join(top, "missed.md"))))
