# SPDX-License-Identifier: MIT
"""Sleeps in atomic context, found in the call graph of C and Rust of x86_64's release kernel, as LLVM's code (`make ir`).

In that code preemption and interrupts that go off and on are calls of __atomic_begin() and __atomic_end(), might_sleep() is one of __atomic_breach()
(kernel/preempt.h). A walk over each function says how deep in sections each call is, a function's own effect at its returns counts for its callers (a
guard that is taken or dropped). Where ways meet that differ the smaller depth counts: a section that not each way has is not one.

A function may sleep that calls one that may outside a section of its own: the roots are marked in the code and listed in the table. Whoever takes
a gfp_t sleeps where the constant that it is given may reclaim. A call through a pointer is one of all functions that are put into that member of
that type (the types are those of strict aliasing), into the parameter, or of Rust's tables of methods, of that place and number of arguments. Into a member
of what Rust fills in, [[rust]], comes what Rust puts anywhere, if it takes as many arguments. A call through a pointer that nothing is put into is a finding, but for those that [[unfollowed]] names.

tools/analyze/atomic.toml: [[goes]] what a function puts an argument into where the code does not say (TYPE+OFFSET), [[root]] functions that are called in atomic context (a regular expression), [[sleeps]] more that sleep, [[ignore]] what is not
looked into, [[accept]] calls that cannot sleep there, [[unfollowed]] pointers that nothing
is known of (TYPE+OFFSET, FUNCTION(ARGUMENT), or rust+OFFSET(ARGUMENTS) of a table of methods; a regular expression). Each with a reason; a row that stands for nothing any more is a finding."""
import collections
import glob
import os
import re
import tomllib

TABLE = "tools/analyze/atomic.toml"
ROW = {"rust": {"struct", "why"}, "goes": {"function", "argument", "member", "why"}, "root": {"function", "why"}, "sleeps": {"function", "why"}, "ignore": {"function", "why"}, "accept": {"from", "to", "why"}, "unfollowed": {"pointer", "why"}}
MARKS = {"__atomic_begin": 1, "__atomic_end": -1}
BREACH = "__atomic_breach"
RECLAIM = 0x100         # __GFP_DIRECT_RECLAIM
DEEPEST = 8
ANY = ("anywhere",)     # Rust's code has no types

NAME = r'(?:"[^"]*"|[\w.$-]+)'
DEFINE = re.compile(r"^define .*?@(%s)\((.*)" % NAME)
LABEL = re.compile(r"^(%s):" % NAME)
CALL = re.compile(r"(?:call|invoke) (?:[^@%%]*?(?:\(.*?\) )?)(@%s|%%%s)\((.*)" % (NAME, NAME))
RESULT = re.compile(r"^  (%%%s) = " % NAME)
LOAD = re.compile(r"load (?:volatile |atomic )?ptr, ptr (%%%s)" % NAME)
STORE = re.compile(r"store (?:volatile |atomic )?ptr ([@%%]%s), ptr " % NAME)
TBAA = re.compile(r"!tbaa !(\d+)")
BLOCK = re.compile(r"label %%(%s)" % NAME)
META = re.compile(r"^!(\d+) = (?:distinct )?!\{(.*)\}$")
TYPE = re.compile(r"^(%%%s) = type (.*)$" % NAME)
GLOBAL = re.compile(r"^@(%s) = .*?(?:global|constant) (.*)$" % NAME)
DECLARED = re.compile(r"\bstruct (\w+) (\w+)\s*(?:\[[^\]]*\]\s*)*=")
STEP = re.compile(r"getelementptr inbounds (?:nuw )?i8, ptr (%%%s), i64 (\d+)" % NAME)

Problem = collections.namedtuple("Problem", "check function message")
Call = collections.namedtuple("Call", "targets args returns")       # targets: a name, or a key of what flows there


def bare(name):
    return name.strip('@%').strip('"')


def split(text):
    """The parts of a list up to its closing bracket."""
    parts, depth, start, quoted = [], 0, 0, False
    for i, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif c in "([{<":
            depth += 1
        elif c in ")]}>":
            depth -= 1
            if depth < 0:
                parts.append(text[start:i])
                return [p.strip() for p in parts if p.strip()]
        elif c == "," and not depth:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return [p.strip() for p in parts if p.strip()]


# The files of Rust code: two crates, and the drivers that are crates of their own.
RUST = {"rust/kernel", "rust/drivers"} | {"rust/" + os.path.basename(os.path.dirname(p)) for p in glob.glob(os.path.join(os.path.dirname(__file__), "../../drivers/*/lib.rs"))}


class Function:
    def __init__(self, name, module, params):
        self.name, self.module, self.params = name, module, params
        self.blocks, self.next = {}, {}     # label: calls; label: labels
        self.entry = None


class Program:
    def __init__(self):
        self.functions, self.flows, self.into = {}, collections.defaultdict(set), collections.defaultdict(set)
        self.gfp = {}

    def read(self, path, module, source=""):
        Module(self, module, source).read(path)

    def settle(self):
        """What functions each key stands for, through parameters that are passed on."""
        work = list(self.flows)
        while work:
            key = work.pop()
            for other in self.into.get(key, ()):
                if not self.flows[key] <= self.flows[other]:
                    self.flows[other] |= self.flows[key]
                    work.append(other)


class Module:
    """One file of LLVM's code. Functions of one file alone are known by its name too."""

    def __init__(self, program, module, source):
        self.p, self.module, self.rust = program, module, module in RUST
        self.types, self.meta, self.locals = {}, {}, set()
        # A constant whose padding is written out has a type without a name.
        self.declared = {name: struct for struct, name in DECLARED.findall(source)}

    def read(self, path):
        with open(path, errors="replace") as f:
            lines = f.read().splitlines()
        for line in lines:
            if line.startswith("!"):
                m = META.match(line)
                if m:
                    self.meta[m[1]] = m[2]
            elif line.startswith("define internal") or line.startswith("define private"):
                self.locals.add(bare(DEFINE.match(line)[1]))
            elif line.startswith("%"):
                m = TYPE.match(line)
                if m:
                    self.types[m[1]] = m[2]
        f = label = None
        values = {}
        for line in lines:
            if line.startswith("define "):
                m = DEFINE.match(line)
                params = [re.search(r"(%%%s)$" % NAME, a) for a in split(m[2])]
                f = Function(self.full(bare(m[1])), self.module, {a[1]: i for i, a in enumerate(params) if a})
                self.p.functions[f.name] = f
                label, values = "", {}
                f.entry, f.blocks[label], f.next[label] = label, [], set()
            elif line == "}":
                f = None
            elif f:
                m = LABEL.match(line)
                if m:
                    if label == "" and not f.blocks[""] and not f.next[""]:
                        f.entry = bare(m[1])        # Rust names the first one: nothing came before
                    label = bare(m[1])
                    f.blocks.setdefault(label, [])
                    f.next.setdefault(label, set())
                elif not line.startswith(";"):
                    self.instruction(f, label, line, values)
            elif line.startswith("@"):
                m = GLOBAL.match(line)
                if m and "@" in m[2]:
                    self.constant(m[1], m[2])
        for f in self.p.functions.values():
            if f.module == self.module:
                mark_ends(f)

    def full(self, name):
        return self.module + ":" + name if name in self.locals else name

    def field(self, tag):
        """('field', type, offset) of an access: the innermost type that has the member."""
        m = re.match(r"!(\d+), !(\d+), i64 (\d+)", self.meta.get(tag, ""))
        if not m:
            return None
        node, offset = m[1], int(m[3])
        while True:
            parts = split(self.meta.get(node, ""))
            members = [(int(parts[i + 1].split()[-1]), parts[i][1:]) for i in range(1, len(parts) - 1, 2) if parts[i + 1].startswith("i64")]
            inside = [(at, sub) for at, sub in members if at <= offset]
            if len(members) < 1 or not inside:
                return None
            at, sub = max(inside)
            below = split(self.meta.get(sub, ""))
            # A scalar's node has one parent, at offset 0, and a name of its own kind.
            if len(below) > 3 or (len(below) == 3 and is_struct(below[0]) and self.has_members(sub)):
                node, offset = sub, offset - at
                continue
            return ("field", parts[0].strip('!"'), offset)

    def has_members(self, node):
        parts = split(self.meta.get(node, ""))
        return len(parts) == 3 and "any pointer" not in parts[0] and "char" not in parts[0] and not parts[0].startswith('!"p')\
            and parts[0].strip('!"') not in ("int", "long", "short", "long long", "bool")

    def instruction(self, f, label, line, values):
        result = RESULT.match(line)
        body = line[result.end():] if result else line.strip()
        if body.startswith(("br ", "switch ", "indirectbr ")) or line.startswith("    "):
            f.next[label].update(bare(b) for b in BLOCK.findall(line))
            return
        if " = load" in line:
            m, tag = LOAD.search(line), TBAA.search(line)
            if m and result:
                key = self.field(tag[1]) if tag else None
                if key is None and values.get(m[1], ("", 0))[0] == "step":
                    key = ("table", values[m[1]][1])
                if key:
                    values[result[1]] = key
            return
        m = STEP.search(body)
        if m and result:
            values[result[1]] = ("step", int(m[2]))
            return
        if body.startswith("store "):
            m, tag = STORE.match(body), TBAA.search(body)
            if m:
                key = self.field(tag[1]) if tag else ANY
                if key:
                    self.pass_on(f, m[1], key)
            return
        if "call " in body or "invoke " in body:
            self.call(f, label, body, values)
        if body.startswith("invoke "):
            f.next[label].update(bare(b) for b in BLOCK.findall(line))
        elif body.startswith("ret ") or body == "ret":
            f.next[label].add(None)

    def pass_on(self, f, value, key):
        if value.startswith("@"):
            self.p.flows[key].add(self.full(bare(value)))
        elif value in f.params:
            self.p.into[("param", f.name, f.params[value])].add(key)

    def call(self, f, label, body, values):
        m = CALL.search(body)
        if not m or " asm " in body or bare(m[1]).startswith("llvm."):
            return
        args = split(m[2])
        if m[1].startswith("@"):
            target = self.full(bare(m[1]))
            for i, a in enumerate(args):
                v = re.search(r"([@%%]%s)$" % NAME, a)
                if v and a.startswith("ptr"):
                    self.pass_on(f, v[1], ("param", target, i))
        else:
            target = values.get(m[1]) or (("param", f.name, f.params[m[1]]) if m[1] in f.params else None)
            if target and target[0] == "table":
                target += (len(args),)
            if not target or target[0] == "step":
                return
        f.blocks[label].append(Call(target, args, True))

    # --- what constants hold ---

    def size(self, t):
        """(size, alignment) of a type."""
        t = t.strip()
        if t == "ptr":
            return 8, 8
        m = re.match(r"i(\d+)$", t)
        if m:
            n = max(1, int(m[1]) // 8)
            return n, min(n, 8)
        m = re.match(r"\[(\d+) x (.*)\]$", t)
        if m:
            n, a = self.size(m[2])
            return n * int(m[1]), a
        if t.startswith("%"):
            return self.size(self.types.get(t, "{ }"))
        packed = t.startswith("<{")
        at = most = 0
        for part in split(t.strip("<>")[1:]):
            n, a = self.size(part)
            a = 1 if packed else a
            at, most = (at + a - 1) // a * a + n, max(most, a)
        return (at + max(most, 1) - 1) // max(most, 1) * max(most, 1), max(most, 1)

    def head(self, text):
        """(type, value) of a typed constant."""
        m = re.match(r"(ptr|i\d+|%%%s)\s+" % NAME, text)
        if m:
            return m[1], text[m.end():]
        depth = 0
        for i, c in enumerate(text):
            depth += c in "([{<"
            depth -= c in ")]}>"
            if not depth:
                return text[:i + 1], text[i + 1:].strip()
        return text, ""

    def constant(self, name, text):
        table = name.strip('"').startswith("vtable")
        t, value = self.head(text)
        self.walk(t, value, self.declared.get(name.split(".")[-1]), 0, table)

    def walk(self, t, value, owner, base, table):
        if t.startswith("%"):
            owner, base = t.lstrip("%").strip('"').split(".", 1)[-1].split(".")[0], 0
        shape = self.types.get(t, t) if t.startswith("%") else t
        value = value.strip()
        if t == "ptr":
            m = re.match(r"@(%s)" % NAME, value)
            if m:
                whole = self.types.get('%%struct.%s' % owner)
                if whole:       # an array with gaps is one structure of nameless ones
                    base %= self.size(whole)[0]
                key = ("table", base) if table else ("field", owner, base) if owner else ANY if self.rust else None
                self.p.flows[key].add(self.full(bare(m[1])))
            return
        if value[:1] not in "[{<" or "@" not in value:
            return
        at, packed = 0, shape.startswith("<{")
        for part in split(value.lstrip("<")[1:]):
            pt, pv = self.head(part)
            n, a = self.size(pt)
            at = at if packed else (at + a - 1) // a * a
            self.walk(pt, pv, owner, 0 if shape.startswith("[") and not table else base + at, table)
            at += n


def is_struct(name):
    return name.startswith('!"') and not name.startswith(('!"p', '!"any', '!"omnip', '!"Simple'))


def mark_ends(f):
    """Calls after which nothing comes are of functions that do not return: the task ends there."""
    for label, calls in f.blocks.items():
        if calls and not f.next[label]:
            calls[-1] = calls[-1]._replace(returns=False)


def functions_with_gfp(root, listed):
    """{function: which parameter is a gfp_t}, of what headers and files declare."""
    found = {}
    for path in listed:
        if path.endswith((".c", ".h")) and "/test/" not in path:
            with open(os.path.join(root, path), errors="replace") as f:
                for m in re.finditer(r"\b(\w+)\(([^()]*\bgfp_t\s+\w+[^()]*)\)", f.read()):
                    found.setdefault(m[1], [i for i, a in enumerate(m[2].split(",")) if re.search(r"\bgfp_t\b", a)][0])
    return found


class Check:
    def __init__(self, program, table):
        self.p, self.table, self.used = program, table, set()
        self.of_rust = {row["struct"]: n for n, row in enumerate(table.get("rust", []))}
        self.used |= {("rust", n) for s, n in self.of_rust.items() if any(isinstance(c.targets, tuple) and c.targets[1] == s for f in program.functions.values()
                                                                         for b in f.blocks.values() for c in b)}
        for n, row in enumerate(table.get("goes", [])):
            struct, offset = row["member"].split("+")
            if row["function"] in program.functions:
                self.used.add(("goes", n))
                program.into["param", row["function"], row["argument"]].add(("field", struct, int(offset)))
        program.settle()
        self.known = set(program.functions) | {BREACH} | {c.targets for f in program.functions.values() for b in f.blocks.values() for c in b
                                                          if isinstance(c.targets, str)}
        self.ignored = self.matching("ignore")
        self.delta = {name: {d} for name, d in MARKS.items()}
        self.depths, self.guessed = {}, {}

    def matching(self, kind):
        """Functions that rows of that kind name."""
        hit = {}
        for n, row in enumerate(self.table.get(kind, [])):
            pattern = re.compile(row["function"])
            for name in self.known:
                if pattern.fullmatch(name.split(":")[-1]):
                    hit[name] = row
                    self.used.add((kind, n))
        return hit

    def targets(self, call):
        if isinstance(call.targets, str):
            return {call.targets}
        key = call.targets
        if key[0] == "table":       # of those that take as many; what Rust keeps in a structure of its own looks the same
            return self.as_many(key[:2], key[2]) or (self.as_many(ANY, key[2]) if key[2] else set())
        known = self.p.flows.get(key)
        if known or key[0] != "field" or key[1] not in self.of_rust:
            return known or set()
        return self.as_many(ANY, len(call.args))

    def as_many(self, key, many):
        """Those of KEY that take as many arguments."""
        if (key, many) not in self.guessed:
            self.guessed[key, many] = {t for t in self.p.flows.get(key, ()) if t in self.p.functions and len(self.p.functions[t].params) == many}
        return self.guessed[key, many]

    def after(self, depths, call):
        effect = set()
        for t in self.targets(call):
            effect |= self.delta.get(t, {0})
        effect = effect or {0}
        return {d + e for d in depths for e in effect if -DEEPEST <= d + e <= DEEPEST} or depths

    def flow(self, f):
        """The depths before each call, by (block, number), and those at the returns."""
        state, seen, ends = {f.entry: {0}}, {}, set()
        work = [f.entry]
        while work:
            label = work.pop()
            now = state[label]
            for n, call in enumerate(f.blocks[label]):
                seen[label, n] = now
                now = self.after(now, call)
            for to in f.next[label]:
                if to is None:
                    ends |= now
                elif to in f.blocks and not now <= state.get(to, set()):
                    state[to] = state.get(to, set()) | now
                    work.append(to)
        return seen, ends

    def effects(self):
        """Until no function's effect changes: a few rounds, for guards are thin."""
        callers = collections.defaultdict(dict)
        for f in self.p.functions.values():
            for calls in f.blocks.values():
                for c in calls:
                    for t in self.targets(c):
                        callers[t][f.name] = True
        # In the order of the code, so that where the rounds end does not differ from run to run.
        work, rounds = dict.fromkeys(self.p.functions), collections.Counter()
        while work:
            name = next(iter(work))
            del work[name]
            if name in self.ignored:
                continue
            rounds[name] += 1
            self.depths[name], ends = self.flow(self.p.functions[name])
            if len(ends) > 3 or (0 in ends and min(ends) < 0):
                ends = {0}      # it gives back what it took, under a condition that the walk does not know
            if (ends or {0}) != self.delta.get(name, {0}) and rounds[name] < 6:
                self.delta[name] = ends or {0}
                work.update((c, None) for c in callers[name] if c in self.p.functions)

    def calls(self, name):
        f = self.p.functions[name]
        for (label, n), depths in self.depths.get(name, {}).items():
            call = f.blocks[label][n]
            if call.returns:
                yield call, depths

    def reclaims(self, name, call):
        """Whether a constant says that the one called may wait for memory; None: it takes no such word."""
        at = self.p.gfp.get(name.split(":")[-1])
        if at is None:
            return None
        m = re.search(r" (\d+)$", call.args[at]) if at < len(call.args) else None
        return bool(m and int(m[1]) & RECLAIM)

    def sleepers(self):
        """{function: what it calls that sleeps}."""
        why = {name: None for name in self.matching("sleeps")}
        why[BREACH] = None
        callers = collections.defaultdict(list)
        for name in self.p.functions:
            if name in self.ignored or name in why:
                continue
            for call, depths in self.calls(name):
                if not (min(depths) <= 0 <= max(depths)):
                    continue
                for t in self.targets(call):
                    if self.reclaims(t, call) is None and not self.accepted(name, t):
                        callers[t].append(name)
                    elif self.reclaims(t, call) and not self.accepted(name, t):
                        why.setdefault(name, t)
        work = list(why)
        while work:
            t = work.pop()
            for name in callers[t]:
                if name not in why:
                    why[name] = t
                    work.append(name)
        return why

    def accepted(self, name, to):
        for n, row in enumerate(self.table.get("accept", [])):
            if re.fullmatch(row["from"], name.split(":")[-1]) and re.fullmatch(row["to"], to.split(":")[-1]):
                self.used.add(("accept", n))
                return True
        return False

    def unfollowed(self):
        """{(function, pointer that it calls through)}: those that nothing is known of, and that no row names."""
        found = set()
        for name, f in self.p.functions.items():
            for call in (c for b in f.blocks.values() for c in b):
                if isinstance(call.targets, str) or self.targets(call) or "/test/" in f.module:
                    continue
                pointer = pointer_name(call.targets)
                rows = [n for n, row in enumerate(self.table.get("unfollowed", [])) if re.fullmatch(row["pointer"], pointer)]
                self.used |= {("unfollowed", n) for n in rows}
                if not rows:
                    found.add((name, pointer))
        return found

    def run(self):
        self.effects()
        why = self.sleepers()
        atomic, problems = {name: None for name in self.matching("root")}, {}
        self.interrupts = set(atomic)       # what roots reach: it may leave a section of its caller's, but not the interrupt
        work = list(atomic)
        for name in self.p.functions:
            if name not in self.ignored:
                self.look(name, why, problems, atomic, work, False)
        while work:
            name = work.pop()
            if name not in self.ignored and name in self.p.functions:
                self.look(name, why, problems, atomic, work, True)
        found = [Problem("sleep", n, text) for (n, _), text in sorted(problems.items())]
        found += [Problem("unfollowed", name, "calls through %s, of which nothing is known" % pointer) for name, pointer in sorted(self.unfollowed())]
        for kind, rows in self.table.items():
            found += [Problem("stale", row.get("function") or row.get("from") or row.get("struct") or row.get("pointer"), "the row of '%s' stands for nothing" % kind)
                      for n, row in enumerate(rows) if (kind, n) not in self.used]
        return found

    def look(self, name, why, problems, atomic, work, inside):
        interrupt = name in self.interrupts
        for call, depths in self.calls(name):
            if not (min(depths) > 0 or interrupt or (inside and min(depths) >= 0)):
                continue
            for t in self.targets(call):
                if t in self.ignored or t in MARKS:
                    continue
                gfp = self.reclaims(t, call)
                if (gfp if gfp is not None else t in why) and not self.accepted(name, t):
                    if min(depths) > 0 or name in atomic and atomic[name] is None:
                        problems[name, t] = "calls %s in atomic context: %s" % (short(t), " > ".join(short(x) for x in self.way(t, why, gfp)))
                    else:
                        problems.setdefault((name, t), "is called in atomic context (%s), and calls %s: %s" % (
                        " < ".join(short(x) for x in self.callers(name, atomic)), short(t), " > ".join(short(x) for x in self.way(t, why, gfp))))
                elif gfp is None and t in self.p.functions and not (t in self.interrupts if interrupt else t in atomic) and not self.accepted(name, t):
                    atomic.setdefault(t, name)
                    if interrupt:
                        self.interrupts.add(t)
                    work.append(t)

    def way(self, t, why, gfp):
        r = [t] + (["memory"] if gfp else [])
        while not gfp and why.get(r[-1]) and len(r) < 12:
            r.append(why[r[-1]])
        return r

    def callers(self, name, atomic):
        r = []
        while atomic.get(name) and len(r) < 6:
            name = atomic[name]
            r.append(name)
        return r


def pointer_name(key):
    if key[0] == "field":
        return "%s+%d" % (key[1].split(":")[-1], key[2])
    if key[0] == "param":
        return "%s(%d)" % (key[1].split(":")[-1], key[2])
    return "rust+%d(%d)" % (key[1], key[2]) if key[0] == "table" else str(key)


def short(name):
    return "might_sleep" if name == BREACH else name.split(":")[-1]


def load(path):
    with open(path, "rb") as f:
        table = tomllib.load(f)
    for kind, rows in table.items():
        for row in rows:
            if kind not in ROW or set(row) != ROW[kind] or not all(str(v).strip() for v in row.values()):
                raise ValueError("%s: a row of '%s' is not whole: %s" % (path, kind, row))
    return table


def read_tree(root, under, listed):
    """The program whose code lies under a folder."""
    p = Program()
    for at, dirs, files in os.walk(under):
        dirs.sort()
        for f in sorted(files):
            if f.endswith(".ll"):
                path = os.path.join(at, f)
                module = os.path.relpath(path, under)[:-3]
                source = ""
                if os.path.exists(os.path.join(root, module + ".c")):
                    with open(os.path.join(root, module + ".c"), errors="replace") as c:
                        source = c.read()
                p.read(path, module, source)
    p.gfp = functions_with_gfp(root, listed)
    return p


def verify(program, table):
    return Check(program, table).run()
