#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./ochre module: modules from outside of the tree, in C and in Rust. The examples of docs/examples, whose text README.md has, are built from a folder with a
space in its name, loaded, used and unloaded; so are two in C, one of two sources, of which one uses what the other exports. One that was made for other types,
or for another kernel crate, is refused. What is wrong on the command line or in the sources has its line, and leaves nothing behind.
usage: outside.py [--debug] [--arch CPU [--short]]"""
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from expect import check, no_report

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import signmodule  # noqa: E402
from ochre import build, rootfs, setup  # noqa: E402

DEBUG = [x for x in sys.argv[1:] if x == "--debug"]
SHORT = "--short" in sys.argv         # what depends on the CPU
ARCH = sys.argv[sys.argv.index("--arch") + 1] if "--arch" in sys.argv else "x86_64"
EXAMPLES = {"hello_c": "hello.c", "hello_r": "lib.rs"}
PAIR = {"base/a.c": """#include <kernel/export.h>
#include <kernel/module.h>
#include "count.h"
struct count count = { .n = 40 };
EXPORT(count);
static int base_init(void) { return add(&count, 1); }
static int begin(void) { return base_init() == 41 ? 0 : -5; }
static void end(void) { }
MODULE_LICENSE("MIT");
module_init(begin);
module_exit(end);
""", "base/b.c": """#include <kernel/export.h>
#include "count.h"
int add(struct count *c, int n) { return c->n += n; }
EXPORT(add);
""", "base/count.h": """struct count { int n; };
extern struct count count;
int add(struct count *c, int n);
""", "base/module.toml": 'name = "counter"\n', "user/user.c": """#include <kernel/module.h>
#include <kernel/printk.h>
#include "../base/count.h"
static int begin(void) { pr_info("user: %d\\n", add(&count, 1)); return 0; }
static void end(void) { }
MODULE_LICENSE("MIT");
module_init(begin);
module_exit(end);
""", "user/module.toml": 'name = "user"\nsources = ["user.c"]\nuses = ["../base/counter.symvers"]\n'}
SCRIPT = """insmod /hello_c.ko who=me; cat /sys/module/hello_c/taint; cut -d' ' -f1,3-5,7- /proc/modules; rmmod hello_c
insmod /hello_r.ko; exec 3</dev/hello_r; head -c 6 <&3; rmmod hello_r 2>&1; exec 3<&-; rmmod hello_r
insmod /user.ko 2>&1; insmod /counter.ko; insmod /user.ko; rmmod counter 2>&1; rmmod user; rmmod counter
insmod /types.ko 2>&1; insmod /crate.ko 2>&1
cat /proc/modules; cat /proc/sys/kernel/tainted; dmesg | grep -o '[a-z_]*: .*' | grep -E '^(hello_[cr]|user|counter): ' | uniq"""
BUSY = "Resource temporarily unavailable"
EXIT = "static void end(void) { }\nMODULE_LICENSE(\"MIT\");\nmodule_exit(end);\n"
GOOD = "#include <kernel/module.h>\nstatic int begin(void) { return 0; }\nmodule_init(begin);\n"
UNSAFE = "impl Device for Greeter {", "fn peek(p: *const u8) -> u8 { unsafe { *p } }\nimpl Device for Greeter {"


def ochre(*argv, **kw):
    return subprocess.run([os.path.join(ROOT, "ochre"), "module", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, **kw)


def left():
    """What builds of modules have left behind."""
    where = build.outdir(ARCH, bool(DEBUG))
    return [n for n in os.listdir(where) if n.startswith("outside-")]


def write(d, files):
    for name, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(d, name)), exist_ok=True)
        with open(os.path.join(d, name), "w") as f:
            f.write(text)


def make(path, name):
    """Builds it: {NAME.ko: (data, mode)}."""
    r = ochre(path, *DEBUG, "--arch", ARCH)
    at = os.path.join(path, name)
    check(r.returncode == 0 and r.stdout.count(name + ".ko") == 2 and "for " + ARCH in r.stdout, "%s: %s %s" % (path, r.stdout, r.stderr))
    check("warning" not in r.stderr and "error" not in r.stderr, r.stderr)
    plain = rootfs.read(at + ".ko")
    check(subprocess.run(["zstd", "-qdc", at + ".ko.zst"], stdout=subprocess.PIPE).stdout == plain, "the compressed one is another")
    return {name + ".ko": (plain, 0o644)}


def again(data, change):
    """What was signed before, changed and signed again."""
    magic = data.rindex(signmodule.MAGIC)
    plain = data[:magic - 12 - struct.unpack(">I", data[magic - 4:magic])[0]]
    return signmodule.sign(os.path.join(ROOT, "build/host/module-key"), change(plain)), 0o644


def other_type(plain):
    with open(os.path.join(build.outdir(ARCH, bool(DEBUG)), "gen/Module.symvers")) as f:
        have = next(int(row.split("\t")[0], 16) for row in f if row.split("\t")[1] == "printk")
    out = bytearray(plain)
    out[out.index(struct.pack("<Q7s", have, b"printk\0"))] ^= 1
    return bytes(out)


def other_crate(plain):
    out = bytearray(plain)
    at = out.index(b"rust_kernel=") + 12
    out[at] = ord("1" if out[at] == ord("0") else "0")
    return bytes(out)


def loads(d):
    with open(os.path.join(ROOT, "README.md")) as f:
        readme = f.read()
    extra = {}
    for name, file in EXAMPLES.items():
        text = rootfs.read(os.path.join(ROOT, "docs/examples", name, file)).decode()
        shown = "".join("    " + x.expandtabs(8) + "\n" if x else "\n" for x in text.split("\n", 1)[1].rstrip("\n").split("\n"))
        check(shown in readme, "README.md has another text than docs/examples/%s/%s:\n%s" % (name, file, shown))
        shutil.copytree(os.path.join(ROOT, "docs/examples", name), os.path.join(d, "my modules", name))
        extra.update(make(os.path.join(d, "my modules", name), name))
    write(d, PAIR)
    extra.update(make(d + "/base", "counter"))
    extra.update(make(d + "/user", "user"))
    check(os.path.exists(d + "/base/counter.symvers") and not os.path.exists(d + "/user/user.symvers"), "tables of exports")
    extra["types.ko"] = again(extra["hello_c.ko"][0], other_type)
    extra["crate.ko"] = again(extra["hello_r.ko"][0], other_crate)
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", *DEBUG, "--arch", ARCH, "--accel", "tcg", "--timeout", "500", "--rootfs",
                        rootfs.busybox_root(setup.load(), extra=extra, arch=ARCH), "--", "sh", "-c", SCRIPT],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    no_report(r.stderr)
    said = re.sub(r"(it has|the kernel) [0-9a-fx]+", r"\1 N", r.stdout).splitlines()
    want = ["O", "hello_c 0 - Live (O)", "hello", "rmmod: can't unload module 'hello_r': " + BUSY, "insmod: can't insert '/user.ko': unknown symbol in module, or unknown parameter",
            "rmmod: can't unload module 'counter': " + BUSY, "insmod: can't insert '/types.ko': Invalid argument", "insmod: can't insert '/crate.ko': Invalid argument", "4096",
            "hello_c: loading out-of-tree module taints kernel.", "hello_c: hello, me", "hello_c: goodbye, me", "hello_r: goodbye", "user: unknown symbol count",
            "user: 42", "hello_c: disagrees about version of symbol printk: it has N, the kernel N", "hello_r: made with another kernel crate: it has N, the kernel N"]
    check(said == want, "\n".join(said) + r.stderr[-3000:])


def wrong(d):
    """Each answers with one line that has these words, status 2, and writes nothing."""
    write(d, {"none/README": "", "two/a.c": GOOD, "two/b.c": GOOD, "both/a.c": GOOD, "both/lib.rs": "", "crates/a.rs": "module! {", "crates/b.rs": "module! {",
              "odd name/a.c": GOOD, "never/a.c": "int x;\n", "toml/a.c": GOOD, "toml/module.toml": "name = \n", "key/a.c": GOOD, "key/module.toml": 'title = "x"\n',
              "type/a.c": GOOD, "type/module.toml": 'sources = "a.c"\n', "gone/a.c": GOOD, "gone/module.toml": 'sources = ["z.c"]\n', "up/a.c": GOOD,
              "up/module.toml": 'sources = ["../two/a.c"]\n', "uses/a.c": GOOD, "uses/module.toml": 'uses = ["x.symvers"]\n', "right/a.c": GOOD + EXIT, "text.txt": ""})
    before = sorted(os.path.join(p, n) for p, _, names in os.walk(d) for n in names)
    for path, *more, words in [("nowhere", "nowhere: no such directory"), ("none", "no sources"), ("two", "two modules in one directory: a.c and b.c"),
                               ("both", "two modules in one directory: one in C and one in Rust"), ("crates", "two modules in one directory: a.rs, b.rs"),
                               ("odd name", "'odd name' is no name of a module"), ("never", "no module_init()"), ("toml", "module.toml: "),
                               ("key", "'title' is not known"), ("type", "sources is a list"), ("gone", "z.c: no such file"), ("up", "'../two/a.c' is no name of a source"),
                               ("uses", "x.symvers: no such table"), ("text.txt", "'text.txt' is no name of a source"), ("right", "--out", d + "/no", "/no: no such directory"),
                               ("right", "--arch", "vax", "vax")]:
        r = ochre(os.path.join(d, path), *more)
        check(r.returncode == 2 and words in r.stderr and len(r.stderr.splitlines()) == 1 and not r.stdout, "%s: %s" % (path, r))
    r = ochre()
    check(r.returncode == 2 and "PATH" in r.stderr, r)
    r = ochre("--help")
    check(r.returncode == 0 and all(w in r.stdout for w in ("--arch", "--debug", "--out", "module.toml", "docs/examples")), r)
    check(before == sorted(os.path.join(p, n) for p, _, names in os.walk(d) for n in names), "something was written")


def broken(d):
    """Status 1, with the compiler's words, whose places are the user's."""
    with open(os.path.join(ROOT, "docs/examples/hello_r/lib.rs")) as f:
        rust = f.read()
    write(d, {"syntax/a.c": GOOD + "int f(void) { return nothing; }\n", "missing/a.c": GOOD + "void far_away(void);\nvoid f(void);\nvoid f(void) { far_away(); }\n",
              "rust/lib.rs": rust.replace("hello\\n", "hello\\n\" + \"", 1), "unsafe/lib.rs": rust.replace(*UNSAFE), "unused/a.c": GOOD + "static int x;\n" + EXIT})
    for path, words in [("syntax", ["syntax/a.c:4:", "'nothing'"]), ("missing", ["does not export: far_away"]), ("rust", ["rust/lib.rs:"]), ("unsafe", ["unsafe/lib.rs:", "unsafe"])]:
        r = ochre(os.path.join(d, path), *DEBUG, "--arch", ARCH)
        check(r.returncode == 1 and not r.stdout and all(w in r.stderr for w in words) and "outside-" not in r.stderr and r.stderr.endswith("does not build for %s\n" % ARCH), r)
        check(len(os.listdir(os.path.join(d, path))) == 1, "it left something in its folder")
    r = ochre(os.path.join(d, "unused"), *DEBUG, "--arch", ARCH)
    check(r.returncode == 0 and "unused/a.c:4:" in r.stderr and "warning" in r.stderr, r)
    check(not left(), left())


def interrupted(d):
    """Ctrl-C in the midst of compiling, which takes long: by nested macros."""
    long = GOOD + EXIT + "#define A(x) x x x x x x x x x x x x x x x x\n" + "int f(void);\nint f(void) { int n = 0; A(A(A(A(n++;)))) return n; }\n"
    write(d, {"long/a.c": long})
    p = subprocess.Popen([os.path.join(ROOT, "ochre"), "module", d + "/long", *DEBUG, "--arch", ARCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         stdin=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    while p.poll() is None and not left():
        time.sleep(0.05)
    p.send_signal(signal.SIGINT)
    said = p.communicate()
    check(p.returncode == 130 and not said[0] and os.listdir(d + "/long") == ["a.c"] and not left(), "%s %s %s" % (p.returncode, said, left()))


def main():
    tools = setup.load() or setup.ensure((ARCH,))
    build.build(tools, ARCH, bool(DEBUG), quiet=True)
    with tempfile.TemporaryDirectory() as d:
        loads(os.path.realpath(d))
    if SHORT:
        return
    for part in wrong, broken, interrupted:
        with tempfile.TemporaryDirectory() as d:
            part(os.path.realpath(d))


main()
print("ok")
