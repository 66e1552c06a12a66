#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes C of abi/syscalls.tbl, and answers questions about it.

  abi-gen.py --arch CPU --out DIR [--debug] [--table FILE]   writes DIR/abi/{syscalls.h,dispatch.c,coverage.json,fuzz.h}
  abi-gen.py --check DIR                           compares the numbers with unpacked kernel headers (DIR/CPU-linux-gnu/asm)

A file whose content would not change is left alone, so that nothing is built again for it.
"""
import argparse
import glob
import json
import os
import re
import sys

CPUS = ["x86_64", "aarch64", "riscv64", "loongarch64", "sparc64", "alpha"]
RESTART = {"none": "NONE", "sys": "SYS", "nohand": "NOHAND", "rblock": "BLOCK", "eintr": "EINTR"}
TYPES = {"int": "INT", "unsigned int": "UINT", "long": "LONG", "unsigned long": "ULONG", "size_t": "ULONG",
         "loff_t": "LONG", "pid_t": "INT", "uid_t": "INT", "gid_t": "INT", "umode_t": "MODE", "u32": "UINT", "u64": "ULONG"}
KINDS = {"fd": "FD", "at": "AT", "mode": "MODE", "sig": "SIG", "hex": "HEX", "flags": "FLAGS", "cmd": "CMD"}
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class TableError(Exception):
    pass


class Arg:
    """One argument: its C type, name, meaning and what bounds it."""

    def __init__(self, text):
        m = re.fullmatch(r"(.*\S)\s+(\w+)(?::([\w.]+)(?:\[(\w+)\])?)?", text.strip())
        if not m:
            raise TableError("argument '%s'" % text)
        self.ctype, self.name, meaning, self.length = m.groups()
        self.kind, _, self.what = (meaning or "").partition(".")
        self.pointer = self.ctype == "uptr"
        if not self.pointer and self.ctype not in TYPES:
            raise TableError("type '%s'" % self.ctype)
        if self.pointer:
            if self.kind == "hex":
                self.kind_c = "HEX"
            elif self.kind in ("in", "out", "inout") and self.what:
                self.kind_c = "PTR_" + self.kind.upper()
            else:
                raise TableError("user pointer '%s' needs in., out. or inout." % self.name)
        elif not self.kind:
            self.kind_c = TYPES[self.ctype]
        elif self.kind in KINDS:
            self.kind_c = KINDS[self.kind]
        else:
            raise TableError("meaning '%s'" % meaning)

    def c(self):
        return ("struct uptr " if self.pointer else self.ctype + " ") + self.name


class Call:
    def __init__(self, line):
        m = re.fullmatch(r"\s*((?:(?:\d+|-)\s+){6})(\w+)\s+(\S+)\s+(\w+)\((.*?)\)\s*(;.*)?", line)
        if not m:
            raise TableError("not a line of the table")
        nums, self.restart, flags, self.name, args, tail = m.groups()
        self.nr = {c: int(n) for c, n in zip(CPUS, nums.split()) if n != "-"}
        if self.restart not in RESTART:
            raise TableError("restart class '%s'" % self.restart)
        self.block = self.regs = self.pair = False
        self.uring = self.order = None
        self.ret2 = []
        for f in [] if flags == "-" else flags.split("+"):
            key, _, value = f.partition("=")
            if f == "block":
                self.block = True
            elif f == "regs":
                self.regs = True
            elif key == "uring" and value:
                self.uring = value
            elif key == "order" and value:
                self.order = value
            elif key == "ret2" and all(c in CPUS for c in value.split(",")):
                self.ret2 = value.split(",")
            else:
                raise TableError("flag '%s'" % f)
        self.args = [Arg(a) for a in args.split(",")] if args.strip() else []
        if len(self.args) > 6:
            raise TableError("more than 6 arguments")
        names = [a.name for a in self.args]
        for a in self.args:
            if a.length and not a.length.isdigit() and a.length not in names:
                raise TableError("'%s' is bounded by '%s', which is no argument" % (a.name, a.length))
        self.gone, self.partial = False, None
        for clause in (tail or "").split(";"):
            clause = clause.strip()
            if clause == "gone":
                self.gone = True
            elif clause.startswith("partial:"):
                self.partial = clause[8:].strip()
            elif clause:
                raise TableError("clause '%s'" % clause)
        self.defined, self.tests = None, []

    def status(self):
        if self.defined:
            return "partial" if self.partial else "done"
        return "gone" if self.gone else "absent"

    def index(self, name):
        return [a.name for a in self.args].index(name)


class Table:
    def __init__(self, path):
        self.path, self.calls, self.orders, self.aliases = path, {}, {}, []
        with open(path) as f:
            for no, line in enumerate(f, 1):
                try:
                    self.line(line.rstrip("\n"))
                except TableError as e:
                    raise TableError("%s:%d: %s" % (path, no, e))
        used = {}
        for c in self.calls.values():
            if c.order and c.order not in self.orders:
                raise TableError("%s: %s: no %%order %s" % (path, c.name, c.order))
            for cpu, n in c.nr.items():
                if (cpu, n) in used:
                    raise TableError("%s: %s has two calls numbered %d: %s, %s" % (path, cpu, n, used[cpu, n], c.name))
                used[cpu, n] = c.name

    def line(self, line):
        words = line.split()
        if not words or words[0].startswith("#"):
            return
        if words[0] == "%order":
            for cpu in words[2].split(","):
                self.orders.setdefault(words[1], {})[cpu] = [int(w) for w in words[3:]]
        elif words[0] == "%alias":
            self.aliases.append((words[1], int(words[2]), words[3]))
        else:
            c = Call(line)
            if c.name in self.calls:
                raise TableError("'%s' stands twice" % c.name)
            self.calls[c.name] = c

    def slots(self, call, cpu):
        order = self.orders.get(call.order, {}).get(cpu)
        return order if order else list(range(len(call.args)))

    def numbers(self, cpu):
        """{number: call} of one CPU, aliases included."""
        r = {c.nr[cpu]: c for c in self.calls.values() if cpu in c.nr}
        for acpu, n, name in self.aliases:
            if acpu == cpu:
                r[n] = self.calls[name]
        return r

    def scan(self, root, cpu, debug=False):
        """Finds which calls are defined in the release or the debug build, what their sources say is missing, and which tests prove them."""
        with open(root + "/config/%s.mk" % cpu) as f:
            config = f.read()
        for path in sorted(glob.glob(root + "/syscall/*.c") + glob.glob(root + "/syscall/*/*.c")
                           + glob.glob(root + "/arch/%s/*.c" % cpu)):
            rel = os.path.relpath(path, root)
            with open(path, errors="replace") as f:
                text = f.read()
            where = re.search(r"^/\* where: (\w+)", text, re.M)       # the Makefile leaves it out elsewhere
            has = where and re.search(r"^%s := (.*)$" % where[1], config, re.M)
            if where and (has[1] if has else "") not in ("1", *([] if debug else ["$(if $(DEBUG),,1)"])):
                continue
            for m in re.finditer(r"^long\s+sys_(\w+)\s*\(([^;{]*)\)\s*\{", text, re.M):
                name = m[1]
                if name not in self.calls:
                    raise TableError("%s defines sys_%s, which is not in the table" % (rel, name))
                call = self.calls[name]
                if call.gone:
                    raise TableError("%s defines sys_%s, which the table calls gone" % (rel, name))
                if call.defined and call.defined != rel:
                    raise TableError("sys_%s is defined in %s and in %s" % (name, call.defined, rel))
                call.defined = rel
            # What has no argument and two results on this CPU, where others have a pointer to both.
            for m in re.finditer(r"^long\s+ret2_(\w+)\(struct pt_regs \*regs\)\n\{", text, re.M):
                self.calls[m[1]].pair = True
            for m in re.finditer(r"\bpartial: (\w+): ([^\n*]+)", text):
                if m[1] in self.calls and not self.calls[m[1]].partial:
                    self.calls[m[1]].partial = m[2].strip()
        for path in sorted(sum((glob.glob(root + p, recursive=True) for p in
                                ("/tests/**/*.c", "/tests/**/*.sh", "/*/test/*.c", "/*/*/test/*.c", "/arch/test/*.c")), [])):
            with open(path, errors="replace") as f:
                for m in re.finditer(r"\bproves: ([\w ]+)((?:\n (?:\* )?(?! *proves:)[\w ]+)*)", f.read()):
                    names = m[1].split()
                    for line in m[2].split("\n"):      # the list may go on, as long as a line is nothing but calls
                        more = line.replace("*", " ").split()
                        if not all(n in self.calls for n in more):
                            break
                        names += more
                    for name in names:
                        if name not in self.calls:
                            raise TableError("%s proves %s, which is not in the table" % (os.path.relpath(path, root), name))
                        self.calls[name].tests.append(os.path.relpath(path, root))
        for c in self.calls.values():
            if c.partial and not c.defined:
                raise TableError("%s is called partial, and is not defined" % c.name)


def header(table, cpu):
    out = ["/* Generated from abi/syscalls.tbl by tools/abi-gen.py. */", "#pragma once", "",
           "#include <abi/syscall_desc.h>", "", "#define SYSCALL_COUNT %d" % (max(table.numbers(cpu)) + 1), ""]
    for c in table.calls.values():
        if not c.gone:
            out.append("long sys_%s(%s);" % (c.name, ", ".join(a.c() for a in c.args) or "void"))
    out.append("""
/* Runs call nr with the arguments in regs. */
static __always_inline long syscall_call(unsigned long nr, const struct pt_regs *regs)
{
	if (likely(nr < SYSCALL_COUNT)) {
		syscall_fn fn;

		/* A mispredicted bound must not load from beyond the table. */
		__asm__("" : "+r"(nr));
		nr &= -(unsigned long)(nr < SYSCALL_COUNT);
		fn = syscall_fns[nr];
		if (likely(fn))
			return fn(regs);
	}
	return syscall_absent(nr);
}""")
    return "\n".join(out) + "\n"


def cstr(s):
    return '"%s"' % s if s else "NULL"


def arg_desc(call, a):
    fixed = a.length if a.length and a.length.isdigit() else "0"
    index = call.index(a.length) if a.length and not a.length.isdigit() else -1
    return "{ \"%s\", %s, ARG_%s, %d, %s }" % (a.name, cstr(a.what), a.kind_c, index, fixed)


def dispatch(table, cpu):
    numbers = table.numbers(cpu)
    calls = sorted({c.name: c for c in numbers.values()}.values(), key=lambda c: c.name)
    index = {c.name: i for i, c in enumerate(calls)}
    out = ["/* Generated from abi/syscalls.tbl by tools/abi-gen.py. */",
           "#include <lib/types.h>", "#include <abi/errno.h>", "#include <abi/syscalls.h>", "#include <arch/syscall.h>", "",
           "#define NR SYSCALL_COUNT", ""]
    for c in calls:
        if not c.defined:
            continue
        vals = []
        for a, slot in zip(c.args, table.slots(c, cpu)):
            v = "arch_syscall_arg(regs, %d)" % slot
            vals.append("UPTR(%s)" % v if a.pointer else "(%s)%s" % (a.ctype, v))
        if c.pair:
            out += ["long ret2_%s(struct pt_regs *regs);" % c.name, "static long call_%s(const struct pt_regs *regs)" % c.name, "{",
                    "\treturn ret2_%s((struct pt_regs *)regs);" % c.name, "}", ""]
            continue
        out += ["static long call_%s(const struct pt_regs *regs)" % c.name, "{",
                "\treturn sys_%s(%s);" % (c.name, ", ".join(vals)), "}", ""]
    out.append("const syscall_fn syscall_fns[NR] = {")
    out += ["\t[%d] = call_%s," % (n, c.name) for n, c in sorted(numbers.items()) if c.defined]
    out += ["};", "", "static const struct syscall_desc descs[] = {"]
    for c in calls:
        flags = [f for f, on in (("BLOCK", c.block), ("RET2", cpu in c.ret2), ("REGS", c.regs), ("URING", c.uring)) if on]
        args = ", ".join(arg_desc(c, a) for a in c.args)
        out.append("\t{ \"%s\", \"%s\", %d, SYSCALL_RESTART_%s, %s, { %s } }," % (
            c.name, ", ".join(a.ctype for a in c.args), len(c.args), RESTART[c.restart],
            " | ".join("SYSCALL_F_" + f for f in flags) or "0", args or "{ NULL, NULL, 0, -1, 0 }"))
    out += ["};", "", "/* 1 + index into descs; 0: Linux has no such call. */", "static const u16 desc_of[NR] = {"]
    out += ["\t[%d] = %d," % (n, index[c.name] + 1) for n, c in sorted(numbers.items())]
    out += ["};", "", "/* Calls whose arguments come from other registers than 0, 1, 2...: slots, 4 bits each. */",
            "static const u32 slots_of[NR] = {"]
    for n, c in sorted(numbers.items()):
        s = table.slots(c, cpu)
        if s != list(range(len(s))):
            out.append("\t[%d] = 0x%x," % (n, sum(x << 4 * i for i, x in enumerate(s))))
    out += ["};", "", "static unsigned int absent[NR];", """
long syscall_absent(unsigned long nr)
{
	if (nr < NR)
		__atomic_fetch_add(&absent[nr], 1, __ATOMIC_RELAXED);
	return -ENOSYS;
}

const struct syscall_desc *syscall_describe(unsigned long nr)
{
	return nr < NR && desc_of[nr] ? &descs[desc_of[nr] - 1] : NULL;
}

unsigned long syscall_arg_value(unsigned long nr, const struct pt_regs *regs, unsigned int n)
{
	if (nr < NR && slots_of[nr])
		n = slots_of[nr] >> 4 * n & 15;
	return arch_syscall_arg(regs, n);
}

unsigned int syscall_absent_count(unsigned long nr)
{
	return nr < NR ? __atomic_load_n(&absent[nr], __ATOMIC_RELAXED) : 0;
}
"""]
    return "\n".join(out)


def coverage(table, cpu):
    rows = [{"name": c.name, "nr": n, "status": c.status(), "missing": c.partial or "", "tests": sorted(set(c.tests)),
             "where": c.defined or ""} for n, c in sorted(table.numbers(cpu).items())]
    return json.dumps({"cpu": cpu, "calls": rows}, indent=1) + "\n"


def fuzz(table, cpu):
    """What programs that throw wrong arguments at every call need to know of them: calls[], and each argument in detail in typed[]."""
    calls, typed = [], []
    for n, c in sorted(table.numbers(cpu).items()):
        if c.gone:
            continue
        kinds = "".join("p" if a.pointer else "s" if a.ctype == "size_t" else "f" if a.kind in ("fd", "at") else "i" for a in c.args)
        calls.append('\t{ %d, "%s", %d, "%s" },' % (n, c.name, len(c.args), kinds))
        args = []
        for a in c.args:
            fixed = int(a.length) if a.length and a.length.isdigit() else 1
            by = c.index(a.length) if a.length and not a.length.isdigit() else -1
            args.append('{ "%s", "%s", "%s", "%s", %d, %d }' % (a.ctype, a.name, a.kind, a.what or "", by, fixed))
        typed.append('\t{ %d, "%s", %d, { %s } },' % (n, c.name, len(c.args), ", ".join(args) or "{ 0 }"))
    return "\n".join(["/* Generated from abi/syscalls.tbl by tools/abi-gen.py. */", "#ifdef FUZZ_TYPED",
                      "/* kind: in, out, inout, hex, fd, at, mode, sig, flags, cmd or none; bounded_by: the argument that is its length, or -1 */",
                      "struct typed_arg { const char *type, *name, *kind, *what; int bounded_by, count; };",
                      "static const struct typed_call { int nr; const char *name; int nargs; struct typed_arg arg[6]; } typed[] = {"] + typed +
                     ["};", "#else", "static const struct { int nr; const char *name; int nargs; char kind[7]; } calls[] = {"] + calls + ["};", "#endif"]) + "\n"


def write(path, text):
    try:
        with open(path) as f:
            if f.read() == text:
                return
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


def check(table, headers):
    """The numbers in the table against the kernel's own headers: a list of differences."""
    bad = []
    for cpu in CPUS:
        d = "%s/%s-linux-gnu/asm/" % (headers, cpu)
        path = next((d + f for f in ("unistd_64.h", "unistd_32.h") if os.path.exists(d + f)), None)
        if not path:
            bad.append("%s: no unistd header in %s" % (cpu, d))
            continue
        with open(path) as f:
            theirs = {m[1]: int(m[2]) for m in re.finditer(r"^#define\s+__NR_(\w+)\s+(\d+)\s*$", f.read(), re.M)}
        ours = {c.name: c.nr[cpu] for c in table.calls.values() if cpu in c.nr}
        aliases = {n for acpu, n, _ in table.aliases if acpu == cpu}
        last = max(ours.values())
        for name in sorted(set(theirs) | set(ours)):
            if name not in ours and theirs[name] > last:
                continue        # of a later Linux: headers are at least 7.2, and move on
            if theirs.get(name) != ours.get(name) and theirs.get(name) not in aliases:
                bad.append("%s %s: %s in the headers, %s in the table" % (cpu, name, theirs.get(name), ours.get(name)))
    return bad


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--arch", choices=CPUS)
    p.add_argument("--out")
    p.add_argument("--debug", action="store_true")
    p.add_argument("--table", default=ROOT + "/abi/syscalls.tbl")
    p.add_argument("--check", metavar="DIR")
    p.add_argument("ignored", nargs="*")
    a = p.parse_args()
    try:
        table = Table(a.table)
        if a.check:
            bad = check(table, a.check)
            print("\n".join(bad) or "%d calls: all numbers agree" % len(table.calls))
            return 1 if bad else 0
        if not a.arch or not a.out:
            p.error("--arch and --out are needed")
        table.scan(ROOT, a.arch, a.debug)
        write(a.out + "/abi/syscalls.h", header(table, a.arch))
        write(a.out + "/abi/dispatch.c", dispatch(table, a.arch))
        write(a.out + "/abi/coverage.json", coverage(table, a.arch))
        write(a.out + "/abi/fuzz.h", fuzz(table, a.arch))
    except TableError as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
