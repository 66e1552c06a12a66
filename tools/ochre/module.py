# SPDX-License-Identifier: MIT
"""./ochre module: a module whose source lies outside of this tree, built for a kernel of this tree and signed by its key, as it is and compressed.

The sources are a folder's. What belongs together is said by its module.toml, where that is there; else they are all its .c files, or the root of a crate in
Rust: lib.rs, or the only .rs file. make does the work (config/modules.mk), in a folder of its own under build/, where a link stands for the sources; so their
path may have any characters. That folder goes when this ends, however it ends; the result gets its name when it is whole."""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import tomllib

from . import build, setup
from .util import Fail, Progress, ROOT, rel

DESCRIPTION = "module.toml"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,54}")       # the loader has 55 bytes for it; the compilers want a word
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(c|rs)")
# What rustc says of a feature of aarch64 each time, and how much it has said.
NOISE = re.compile(r"^warning: unstable feature specified for `-Ctarget-feature`.*?\n\n|^warning: \d+ warnings? emitted\n*", re.M | re.S)
KEYS = {"name": str, "sources": list, "uses": list}
# What begins a module, in each language.
BEGINS = {".c": re.compile(r"^\s*module_init\s*\(", re.M), ".rs": re.compile(r"^\s*(?:kernel::)?module!\s*[{(\[]", re.M)}


class Source:
    """What to build: a name, sources in a folder, tables of what other modules export."""

    def __init__(self, path):
        if not os.path.exists(path):
            raise Fail("%s: no such directory" % path)
        if os.path.isdir(path):
            self.folder, facts = path, description(path)
            self.sources = facts.get("sources") or found(path)
        else:
            self.folder, facts, self.sources = os.path.dirname(path) or ".", {}, [os.path.basename(path)]
        self.rust = self.sources[0].endswith(".rs")
        self.uses = [os.path.join(self.folder, u) for u in facts.get("uses", [])]
        self.check_files(path)
        at = os.path.realpath(self.folder)
        named = os.path.basename(at) if os.path.isdir(path) else os.path.splitext(self.sources[0])[0]
        self.name = facts.get("name", named.replace("-", "_"))
        if not NAME.fullmatch(self.name) or (self.rust and self.name in ("core", "kernel", "std")):
            raise Fail("'%s' is no name of a module (letters, digits and _, 55 at most); %s says another one: name = \"...\"" % (self.name, os.path.join(self.folder, DESCRIPTION)))

    def check_files(self, path):
        for f in self.sources:
            if not FILE.fullmatch(f):
                raise Fail("%s: '%s' is no name of a source (.c or .rs; letters, digits, _, - and .)" % (path, f))
            if not os.path.isfile(os.path.join(self.folder, f)):
                raise Fail("%s: no such file" % os.path.join(self.folder, f))
        if len({os.path.splitext(f)[1] for f in self.sources}) > 1:
            raise Fail("%s: two modules in one directory: one in C and one in Rust (%s); name one file, or give each a directory" % (path, ", ".join(self.sources)))
        if self.rust and len(self.sources) > 1:
            raise Fail("%s: sources in Rust are one, the root of the crate" % os.path.join(path, DESCRIPTION))
        if len(set(self.sources)) < len(self.sources):
            raise Fail("%s: a source stands there twice" % os.path.join(path, DESCRIPTION))
        for u in self.uses:
            if not u.endswith(".symvers") or not os.path.isfile(u):
                raise Fail("%s: no such table of exports; building that module writes it" % u)
        begins = [f for f in self.sources if BEGINS[os.path.splitext(f)[1]].search(text(os.path.join(self.folder, f)))]
        if len(begins) > 1:
            raise Fail("%s: two modules in one directory: %s each begin one; %s says what is whose: sources = [...]" % (path, " and ".join(begins), DESCRIPTION))
        if not begins and not self.rust:
            raise Fail("%s: no module_init() in %s: it would not load" % (path, ", ".join(self.sources)))


def text(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError as e:
        raise Fail("%s: %s" % (path, e.strerror))


def description(folder):
    """The facts of module.toml; none where it is not there."""
    path = os.path.join(folder, DESCRIPTION)
    if not os.path.exists(path):
        return {}
    try:
        facts = tomllib.loads(text(path))
    except tomllib.TOMLDecodeError as e:
        raise Fail("%s: %s" % (path, e))
    for key, value in facts.items():
        if key not in KEYS:
            raise Fail("%s: '%s' is not known (name, sources, uses)" % (path, key))
        if not isinstance(value, KEYS[key]) or not all(isinstance(v, str) for v in value):
            raise Fail("%s: %s is %s" % (path, key, "a text" if KEYS[key] is str else "a list of texts"))
    return facts


def found(folder):
    """The sources of a folder that says nothing of them."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as e:
        raise Fail("%s: %s" % (folder, e.strerror))
    c, rust = ([n for n in names if n.endswith(e) and not n.startswith(".")] for e in (".c", ".rs"))
    if len(rust) > 1:
        roots = ["lib.rs"] if "lib.rs" in rust else [n for n in rust if BEGINS[".rs"].search(text(os.path.join(folder, n)))]
        if len(roots) > 1:
            raise Fail("%s: two modules in one directory: %s; name one file, or call the crate's root lib.rs" % (folder, ", ".join(roots)))
        rust = roots or rust[:1]
    if not c + rust:
        raise Fail("%s: no sources (.c or .rs) in it" % folder)
    return c + rust


def run(argv, progress):
    """(status, output) of a program that ends with this one: it and what it started are a group of their own, which a Ctrl-C does not reach before us."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "CC", "LD")}
    with Progress(progress), subprocess.Popen(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                              errors="replace", start_new_session=True) as p:
        try:
            said = p.communicate()[0]
        except BaseException:
            os.killpg(p.pid, signal.SIGKILL)
            raise
    return p.returncode, said


def put(data, out):
    """Writes OUT whole or not at all."""
    fd, tmp = tempfile.mkstemp(prefix="." + os.path.basename(out) + ".", dir=os.path.dirname(out) or ".")
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
        os.chmod(tmp, 0o644)
        os.rename(tmp, out)
    except BaseException:
        os.unlink(tmp)
        raise


def make(tools, source, at, arch, debug):
    """Builds SOURCE in the folder AT: the module's path there. Warnings go to standard error, errors too."""
    os.symlink(os.path.realpath(source.folder), at + "/src")
    uses = []
    for i, u in enumerate(source.uses):
        uses.append("%s/%d.symvers" % (at, i))
        os.symlink(os.path.realpath(u), uses[-1])
    inner = os.path.relpath(at, ROOT)
    argv = build.make_argv(tools, arch, debug, False, False, ["module"])
    argv += ["MODULE_OUTSIDE=" + source.name, "MODULE_AT=" + inner, "MODULE_SOURCES=" + " ".join(source.sources),
             "MODULE_USES=" + " ".join(os.path.relpath(u, ROOT) for u in uses)]
    rc, said = run(argv, "Building " + source.name)
    lines = [x for x in NOISE.sub("", said).splitlines() if not re.match(r"make\b|  KO  ", x)]
    folder = os.path.join(source.folder, "")
    shown = re.sub(r"^( *(?:-->|:::) )\./", lambda m: m[1] + folder, "\n".join(lines).replace(inner + "/src/", folder).replace(inner + "/", ""), flags=re.M)
    if shown:
        sys.stderr.write(shown + "\n")
    if rc:
        raise Fail("%s does not build for %s" % (source.name, arch), 1)
    made = "%s/%s.ko" % (at, source.name)
    with open(made, "rb") as f:
        if b"vermagic=" not in f.read():
            raise Fail("%s: no module_init(): it would not load" % source.name, 1)
    return made


def cmd_module(args):
    source = Source(args.path)
    to = args.out or source.folder
    if not os.path.isdir(to) or not os.access(to, os.W_OK | os.X_OK):
        raise Fail("%s: %s; --out says where the module goes" % (to, "it cannot be written to" if os.path.isdir(to) else "no such directory"))
    tools = setup.ensure([args.arch])
    build.build(tools, args.arch, args.debug, quiet=True)
    where = build.outdir(args.arch, args.debug)
    if not glob.glob(where + "/modules/*.ko"):
        raise Fail("%s has no modules yet" % args.arch)
    if source.rust and not os.path.exists(where + "/gen/rust_exports"):
        raise Fail("%s has no modules in Rust yet" % args.arch)
    with tempfile.TemporaryDirectory(prefix="outside-", dir=where) as at:
        made = make(tools, source, at, args.arch, args.debug)
        with open(made, "rb") as f:
            plain = f.read()
        packed = subprocess.run(["zstd", "-q", "-19", "-c", made], stdout=subprocess.PIPE, check=True).stdout
        exports = text(made[:-len(".ko")] + ".symvers") if not source.rust else ""
        out = os.path.join(to, source.name)
        if exports:
            put(exports.encode(), out + ".symvers")
        put(plain, out + ".ko")
        put(packed, out + ".ko.zst")
    print("%s.ko, %s.ko.zst: for %s%s, %d and %d bytes" % (rel(out), rel(out), args.arch, ", debug" if args.debug else "", len(plain), len(packed)))
    return 0
