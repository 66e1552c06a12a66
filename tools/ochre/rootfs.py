# SPDX-License-Identifier: MIT
"""Makes the initramfs that a run boots: Debian's busybox, a whole Debian, a host directory or a given archive, each with our init.

Archives are kept under build/rootfs by the hash of what went into them."""
import glob
import gzip
import os
import stat
import subprocess
import zlib

from . import arches, cpio, debian, setup
from .util import BUILD, Fail, Progress, ROOT, digest, output

CACHE = os.path.join(BUILD, "rootfs")
INIT_AT = ".ochre/init"     # where our init is put in a root that is not ours
VERSION = 4                 # raise when what is made changes

PROFILE = r"""# Read by the shell on the console.
export PS1='\u@\h:\w\$ '
export HISTFILE=/root/.ash_history
alias ll='ls -l'
"""
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/hostname": "ochre\n",
    "etc/hosts": "127.0.0.1 localhost ochre\n",
    "etc/fstab": "proc /proc proc defaults 0 0\n",
    "etc/profile": PROFILE,
    "etc/shells": "/bin/sh\n/bin/ash\n",
}
UDHCPC = os.path.join(ROOT, "user/udhcpc.script")


def user_cc(tools, arch):
    """(compiler, what to link last) of static programs with musl's C library, or glibc's of a cross compiler."""
    if arch == "x86_64":
        return [tools["musl_gcc"]], ["-lpthread"]
    if arches.ALL[arch].gcc:
        # alpha's linker makes 0 of __ehdr_start where it relaxes.
        return ["%s/bin/%s-gcc" % (tools["cross"][arch], arches.ALL[arch].linux), "-Wl,--no-relax"], ["-lpthread"]
    cross, triple = tools["cross"][arch], setup.musl(arch)
    lib = "%s/usr/lib/%s" % (cross, triple)
    gcc = sorted(glob.glob("%s/usr/lib/gcc/%s/*" % (cross, arches.ALL[arch].linux)))[-1]
    return ([tools["clang"], "--target=" + triple, "-nostdlibinc", "-isystem", "%s/usr/include/%s" % (cross, triple), "--ld-path=" + tools["lld"],
             "-nostdlib", "-Wl,--image-base=0x400000", "-Wno-unused-command-line-argument", "-Wno-unknown-warning-option", lib + "/crt1.o", lib + "/crti.o"],
            ["-L" + lib, "-L" + gcc, "-Wl,--start-group", "-lc", "-lgcc", "-lgcc_eh", "-Wl,--end-group", lib + "/crtn.o"])


def busybox(tools, arch):
    """(its path, the names that it answers to). Without Debian's there is our own first program, under its own name."""
    if not arches.ALL[arch].debian:
        return build_user(tools, "first", arch, sources=[ROOT + "/user/first.c"] + glob.glob("%s/arch/%s/test/first_*.c" % (ROOT, arch))), []
    path = tools["busybox"] if arch == "x86_64" else next((p for p in (tools["cross"][arch] + d for d in ("/usr/bin/busybox", "/bin/busybox")) if os.path.exists(p)), "")
    names = output([tools["busybox"], "--list-full"]).split()
    if arch != "x86_64":
        # Which it has stands in the program, one after the other; where each goes is told by the machine's own.
        data, at = read(path), {os.path.basename(n): n for n in names}
        start = data.find(b"[\0[[\0")
        names = [at.get(n, "usr/bin/" + n) for n in data[start:data.find(b"\0\0", start)].decode("ascii", "replace").split("\0")] if start >= 0 else []
    if len(names) < 50:
        raise Fail("%s does not list its applets" % path)
    return path, names


def build_user(tools, name, arch="x86_64", out=None, sources=None, flags=()):
    """One of our own user programs, static: its path."""
    src = sources or [os.path.join(ROOT, "user", name + ".c")]
    out = out or os.path.join(BUILD, arch, "user", name)
    cc, libs = user_cc(tools, arch)
    # clang warns of musl's macros, and of what GNU C allows
    own = ["-Wno-sign-compare", "-Wno-gnu-variable-sized-type-not-at-end"] if cc[0] == tools["clang"] else []
    argv = cc + ["-static", "-Os", "-g0", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result",
                 "-Wno-unused-parameter", "-Wl,--build-id=none", "-ffile-prefix-map=%s/=" % ROOT, *own] + list(flags)
    argv += ["-idirafter", tools["uapi"], "-idirafter", tools["uapi"] + "/" + arches.ALL[arch].linux]
    made_by = " ".join(argv + src + libs)
    if is_made(out, made_by):
        return out
    os.makedirs(os.path.dirname(out), exist_ok=True)
    r = subprocess.run(argv + ["-o", out] + src + libs, capture_output=True, text=True, cwd=ROOT)
    if r.returncode:
        raise Fail("%s does not compile:\n%s" % (name, r.stderr), 1)
    r = subprocess.run(argv + ["-MM"] + src, capture_output=True, text=True, cwd=ROOT, check=True)
    files = [f for rule in r.stdout.replace("\\\n", " ").splitlines() for f in rule.partition(":")[2].split()]
    with open(out + ".made", "w", encoding="utf-8") as f:
        f.write("\n".join([made_by] + [os.path.join(ROOT, f) for f in files]))
    return out


def is_made(out, made_by):
    """Was OUT made by this command line, and after all files that it was made of, headers too?"""
    try:
        with open(out + ".made", encoding="utf-8") as f:
            how, *files = f.read().split("\n")
        return how == made_by and os.path.getmtime(out) > max(map(os.path.getmtime, files))
    except OSError:
        return False


def read(path):
    with open(path, "rb") as f:
        return f.read()


def busybox_tree(w, tools, init, arch):
    """The directories, links and files of the default root."""
    w.dir(".")
    for d in ("bin", "sbin", "usr", "usr/bin", "usr/sbin", "etc", "dev", "proc", "sys", "root", "var", "var/tmp", "mnt", "run",
              "lib", "lib64", "home", "opt"):
        w.dir(d)
    w.dir("tmp", 0o1777)
    w.node("dev/console", stat.S_IFCHR, 5, 1, 0o600)
    w.node("dev/null", stat.S_IFCHR, 1, 3, 0o666)
    for name, text in FILES.items():
        w.file(name, text)
    w.dir("etc/udhcpc")
    w.file("etc/udhcpc/default.script", read(UDHCPC), 0o755)
    path, names = busybox(tools, arch)
    w.file("bin/busybox" if names else "bin/first", read(path), 0o755)
    w.file("init", init, 0o755)
    for n in names:
        if n not in ("bin/busybox", "init", "sbin/init", "linuxrc"):
            w.link(n, "/bin/busybox")
    w.link("sbin/init", "/init")


def store(key, fill):
    """build/rootfs/KEY.cpio, made by fill(writer) where it is not there yet."""
    path = os.path.join(CACHE, key + ".cpio")
    if not os.path.exists(path):
        os.makedirs(CACHE, exist_ok=True)
        tmp = "%s.%d" % (path, os.getpid())
        with Progress("Packing the root filesystem"), open(tmp, "wb") as f:
            w = cpio.Writer(f)
            fill(w)
            w.end()
        os.rename(tmp, path)
    return path


def overlay(w, init):
    w.dir(".ochre")
    w.file(INIT_AT, init, 0o755)
    w.dir("dev")
    w.node("dev/console", stat.S_IFCHR, 5, 1, 0o600)


def add_files(w, extra):
    """extra, {name: (data, mode)}, with the directories above."""
    made = set()
    for n in sorted(extra):
        d = os.path.dirname(n)
        if d and d not in made:
            for i in range(1, d.count("/") + 2):
                w.dir("/".join(d.split("/")[:i]))
            made.add(d)
        w.file(n, extra[n][0], extra[n][1])


def is_bare(arch):
    """Is the root of this CPU one program of ours, which speaks on the console? Then nothing there takes a COMMAND."""
    return os.path.exists(os.path.join(ROOT, "user", arch, "first.c"))


def first_root(tools, arch):
    """The root of a CPU that no package suite has programs for: our own first one is init."""
    src, out = os.path.join(ROOT, "user", arch, "first.c"), os.path.join(BUILD, arch, "user", "first")
    row = arches.ALL[arch]
    os.makedirs(os.path.dirname(out), exist_ok=True)
    r = subprocess.run(["%s/bin/%s-gcc" % (tools["cross"][arch], row.linux), "-O2", "-ffreestanding", "-nostdinc", "-nostdlib", "-static", "-no-pie",
                        "-fno-stack-protector", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none", "-isystem", tools["uapi"] + "/" + row.linux,
                        "-isystem", tools["uapi"], "-o", out, src], capture_output=True, text=True, cwd=ROOT)
    if r.returncode:
        raise Fail("%s does not compile:\n%s" % (src, r.stderr), 1)
    init = read(out)

    def fill(w):
        w.dir(".")
        w.dir("dev")
        w.node("dev/console", stat.S_IFCHR, 5, 1, 0o600)
        w.file("init", init, 0o755)
    return store("first-" + digest(VERSION, arch, init), fill)


def busybox_root(tools, extra=None, arch="x86_64"):
    """The default root. extra: {name: (data, mode)} put in too."""
    if is_bare(arch):
        return first_root(tools, arch)
    init = read(build_user(tools, "init", arch))
    path, _ = busybox(tools, arch)
    st = os.stat(path)
    extra = extra or {}
    key = digest(VERSION, init, path, st.st_size, st.st_mtime_ns, str(FILES), read(UDHCPC),
                 *[x for n in sorted(extra) for x in (n, extra[n][0], extra[n][1])])

    def fill(w):
        busybox_tree(w, tools, init, arch)
        add_files(w, extra)
    return store("busybox-" + key, fill)


def tree_key(top):
    rows = []
    for d, dirs, files in os.walk(top):
        dirs.sort()
        for n in sorted(files) + dirs:
            st = os.lstat(os.path.join(d, n))
            rows.append("%s/%s %d %d %d %o %d %d %d" % (d, n, st.st_size, st.st_mtime_ns, st.st_ctime_ns, st.st_mode, st.st_uid,
                                                       st.st_gid, st.st_ino))
    return digest(VERSION, os.geteuid() == 0, *rows)


def check(what, arch, packages):
    """What make() would refuse: before anything is installed for it."""
    if packages and what != "debian":
        raise Fail("--packages goes with --rootfs debian")
    if what != "busybox" and is_bare(arch):
        raise Fail("--rootfs %s: no package suite has programs for %s, only its own first program runs" % (what, arch))
    if what not in ("busybox", "debian") and not os.path.exists(what):
        raise Fail("--rootfs %s: no such file or directory (or busybox, debian)" % what)


def below(folder, files):
    """FILES by their names in a root where they lie below FOLDER."""
    return {"%s/%s" % (folder, n): f for n, f in (files or {}).items()}


def make(what, tools, arch="x86_64", packages=None, modules=None, plain=None, boot=None):
    """(archive, more for the kernel's command line) for a --rootfs argument. modules: {name below /lib/modules: (data, mode)} put in too, plain: instead, where
    modprobe is not kmod's, which alone reads compressed ones (busybox's hands them to the kernel as they are); boot: files that init takes away
    (disk.boot_modules()), for a root whose modprobe may not be there, or not know compressed modules."""
    check(what, arch, packages)
    if what == "busybox":
        return busybox_root(tools, below("lib/modules", plain), arch), ""
    init = read(build_user(tools, "init", arch))
    if what == "debian":
        what, extra = debian.archive(packages or "", arch, tools), below("usr/lib/modules", modules)
    elif os.path.exists(what) and os.path.realpath(what) != "/":
        at, kmod = check_cpu(what, arch)
        extra = below(at, modules if kmod else plain)
    if os.path.exists(what) and os.path.realpath(what) != "/":
        extra = {**extra, **(boot or {})}
    if os.path.isdir(what):
        if os.path.realpath(what) == "/":
            raise Fail("the whole of this machine does not fit into memory: give a smaller directory")

        def fill(w):
            w.tree(what, keep_owner=os.geteuid() == 0)
            overlay(w, init)
            add_files(w, extra)
        with Progress("Looking at " + what):
            key = digest(tree_key(what), init, str(sorted(extra.items())))
        return store("dir-" + key, fill), "rdinit=/" + INIT_AT
    head = read_head(what)
    if head[:6] not in (b"070701", b"070702") and head[:2] != b"\x1f\x8b" and head[:4] != b"\x28\xb5\x2f\xfd":
        raise Fail("--rootfs %s is neither an XFS image nor a cpio archive (newc, plain or in gzip or zstd)" % what)
    return with_init(what, init, extra), "rdinit=/" + INIT_AT


class TreeFiles:
    """A directory of the host as a root: what lies at a path of it."""

    def __init__(self, top):
        self.top = top

    def link(self, path):
        p = os.path.join(self.top, path)
        return os.readlink(p) if os.path.islink(p) else None

    def head(self, path):
        p = os.path.join(self.top, path)
        if not os.path.isfile(p):
            return None
        try:
            with open(p, "rb") as f:
                return f.read(20)
        except OSError:
            return None


class ArchiveFiles:
    """The same of an archive."""

    def __init__(self, path):
        data = read(path)
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        elif data[:4] == b"\x28\xb5\x2f\xfd":
            data = subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        self.found = {}
        try:
            for name, mode, at, size in cpio.members(data):
                if stat.S_ISLNK(mode) or stat.S_ISREG(mode) and size:
                    self.found[os.path.normpath(name).lstrip("/")] = (stat.S_ISLNK(mode), data[at:at + (size if stat.S_ISLNK(mode) else 20)])
        except ValueError:
            pass        # several archives, or one that is wrong: the kernel says what it makes of them

    def link(self, path):
        is_link, data = self.found.get(path, (False, b""))
        return data.decode("utf-8", "surrogateescape") if is_link else None

    def head(self, path):
        is_link, data = self.found.get(path, (True, None))
        return None if is_link else data


def resolve(files, path):
    """PATH of a root with all symbolic links followed, inside it; None where they do not end."""
    left, at = path.strip("/").split("/"), []
    for _ in range(100):
        while left and left[0] in ("", ".", ".."):
            at = at[:-1] if left.pop(0) == ".." else at
        if not left:
            return "/".join(at)
        to = files.link("/".join(at + left[:1]))
        if to is None:
            at.append(left.pop(0))
        else:
            left = to.split("/") + left[1:]
            at = [] if to.startswith("/") else at
    return None


def check_cpu(what, arch):
    """A root of another CPU is refused by what its shell, or else its init, is. Where /lib/modules is in it, which may lie behind links, and whether its modprobe is kmod's."""
    try:
        files = TreeFiles(what) if os.path.isdir(what) else ArchiveFiles(what)
    except (OSError, EOFError, zlib.error):
        return "lib/modules", False    # the kernel says what is wrong with it
    for path in ("/bin/sh", "/sbin/init", "/init"):
        real = resolve(files, path)
        head = files.head(real) if real else None
        if not head or len(head) < 20 or head[:4] != b"\x7fELF":
            continue
        machine = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
        if machine == arches.ALL[arch].elf:
            break
        name = next((a for a, row in arches.ALL.items() if row.elf == machine), "another CPU (ELF's number %d)" % machine)
        raise Fail("--rootfs %s: %s is a program for %s, not for %s%s" % (what, path, name, arch, " (--arch %s)" % name if name in arches.ALL else ""))
    modprobe = resolve(files, "/sbin/modprobe") or ""
    return resolve(files, "/lib/modules") or "lib/modules", os.path.basename(modprobe) == "kmod"


def with_init(archive, init, extra=None):
    """A copy of a given archive with one more at its end: our init and extra, {name: (data, mode)}."""
    extra = extra or {}
    st = os.stat(archive)
    of = "cpio-%s-" % digest(VERSION, os.path.realpath(archive))

    def fill(w):
        for old in sorted(glob.glob(os.path.join(CACHE, of + "*.cpio")), key=os.path.getmtime)[:-1]:
            os.unlink(old)      # they are large
        with open(archive, "rb") as f:
            w.archive(f)
        overlay(w, init)
        add_files(w, extra)
    return store(of + digest(st.st_size, st.st_mtime_ns, init, str(sorted(extra.items()))), fill)


def read_head(path):
    with open(path, "rb") as f:
        return f.read(16)
