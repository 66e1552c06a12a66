# SPDX-License-Identifier: MIT
"""Gets the tools. What the machine's own Debian release has is installed by apt-get; what must be newer is unpacked under
build/host/ from a private apt state, so that the machine's own sources and packages stay as they are.

The result is build/host/tools.json (for this command) and build/host/tools.mk (for make). As long as every file named
there exists and the wishes below have not changed, set-up is one look at that file: instant and offline."""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys

from . import accel, apt as debs, arches
from .util import Fail, HOST, ROOT, digest, logged, output, rel, write_if_changed

CLIPPY_OWN = os.path.join(HOST, "own/usr/bin/clippy-driver")
LOG = os.path.join(HOST, "setup.log")
ARCHIVE = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
QEMU_MIN = (10, 0, 2)
UAPI_MIN = (7, 2)
RUST_MIN = (1, 85)
BINDGEN_MIN = (0, 71)
# The oldest rustc with each LLVM; the C compiler is of the same one, so that LTO across the languages stays possible.
RUST_LLVM = [((1, 94), 22), ((1, 91), 21), ((1, 87), 20), ((1, 82), 19)]
# rustc, its source, its linter: the newest the release offers.
RUSTS = [("rustc-web", "rust-web-src", "rust-web-clippy"), ("rustc", "rust-src", "rust-clippy")]
SUITES = {"bookworm": ["bookworm-backports", "trixie", "trixie-backports"], "trixie": ["trixie-backports"]}
REVISION = 6    # raise when what set-up does changes


def version(text):
    """'1:10.0.2+ds-2' -> (10, 0, 2)"""
    m = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", text or "")
    return tuple(int(x) for x in m[1].split(".")) if m else ()


def codename():
    text = ""
    try:
        with open("/etc/os-release") as f:
            text = f.read()
    except OSError:
        pass
    m = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.M)
    return m[1] if m else "unknown"


# --- the machine's own packages ---

def installed(names):
    """{name: version} of those installed."""
    out = output(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n"] + list(names))
    return {w[0]: w[2] for w in (l.split() for l in out.splitlines()) if len(w) == 3 and w[1] == "installed"}


def candidates(names, apt=()):
    """{name: version} of what apt would install."""
    r, name = {}, None
    for line in output(["apt-cache"] + list(apt) + ["policy"] + list(names), env=dict(os.environ, LC_ALL="C")).splitlines():
        if not line.startswith(" "):
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and "(none)" not in line:
            r[name] = line.split()[1]
    return r


def choose(code):
    """The machine's own packages that are wanted: a list. Which Rust, and so which LLVM, depends on what apt offers."""
    have = installed([p for r in RUSTS for p in r])
    offer = candidates([p for r in RUSTS for p in r] + ["clang-%d" % l for _, l in RUST_LLVM])
    rust = next((r for r in RUSTS if version(have.get(r[0])) >= RUST_MIN), None) \
        or next((r for r in RUSTS if version(offer.get(r[0])) >= RUST_MIN), None)
    if not rust:
        if offer:
            raise Fail("apt offers no rustc >= %d.%d; is the security suite of %s among its sources?" % (RUST_MIN + (code,)))
        rust = RUSTS[0] if code == "bookworm" else RUSTS[1]
    rv = version(have.get(rust[0]) or offer.get(rust[0])) or ((1, 96) if code == "bookworm" else (1, 85))
    llvm = next((l for v, l in RUST_LLVM if rv >= v), 19)
    if offer and "clang-%d" % llvm not in offer:
        llvm = next((l for _, l in RUST_LLVM if "clang-%d" % l in offer), llvm)
    pkgs = ["make", "gcc", "libc6-dev", "musl-tools", "busybox-static", "debian-archive-keyring", "zstd", "openssl", "kmod",
            "clang-%d" % llvm, "lld-%d" % llvm, "llvm-%d" % llvm, "libclang-rt-%d-dev" % llvm, "libclang1-%d" % llvm,
            "qemu-system-x86"] + list(rust)
    return pkgs, rust, llvm


def unpack_own(name, env):
    """A package of the machine's release that cannot be installed beside what is there."""
    d = os.path.join(HOST, "own")
    os.makedirs(d, exist_ok=True)
    opts = ["-o", "APT::Sandbox::User=root"]
    debs.run("Fetching " + name, ["apt-get"] + opts + ["-q", "download", name], LOG, cwd=d, env=env)
    for deb in glob.glob("%s/%s_*.deb" % (d, name)):
        logged("Unpacking " + name, ["dpkg-deb", "-x", deb, d], LOG)
        os.unlink(deb)


def unpack_beside(name, dest):
    """A package of the machine's release without what it depends on, unpacked and not installed."""
    os.makedirs(dest, exist_ok=True)
    log = os.path.join(HOST, "setup.log")
    env = dict(os.environ, **APT_ENV)
    if not candidates([name]).get(name):
        if os.geteuid():
            raise lacking([name])
        update_lists(log)
    debs.run("Fetching " + name, ["apt-get", "-o", "APT::Sandbox::User=root", "-q", "download", name], log, cwd=dest, env=env)
    for deb in glob.glob("%s/%s_*.deb" % (dest, name)):
        logged("Unpacking " + name, ["dpkg-deb", "-x", deb, dest], log)
        os.unlink(deb)


APT_ENV = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
APT_INSTALL = ["apt-get", "-q", "-y", "--no-install-recommends", "--no-remove", "install"]


def update_lists(log):
    debs.run("Reading Debian's package lists", ["apt-get", "-q", "update"], log, env=dict(os.environ, **APT_ENV))


def install(names, log):
    debs.run("Installing %s" % (names[0] if len(names) == 1 else "%d packages" % len(names)), APT_INSTALL + names, log,
             again=lambda: update_lists(log), env=dict(os.environ, **APT_ENV))


def lacking(names):
    """What somebody who is not root is told."""
    return Fail("packages are missing; install them with:\n  sudo sh -c 'apt-get update && apt-get install -y "
                "--no-install-recommends %s'" % " ".join(names))


def need(names, log):
    """Installs those of the machine's own packages that are missing."""
    have = installed(names)
    missing = [n for n in names if n not in have]
    if missing and os.geteuid():
        raise lacking(missing)
    if missing:
        update_lists(log)
        install(missing, log)


def install_own(code, extra):
    """Installs what is missing of the machine's own release. Returns (rust packages, LLVM major)."""
    pkgs, rust, llvm = choose(code)
    pkgs += extra
    missing = [p for p in pkgs if p not in installed(pkgs) and not (p == rust[2] and os.path.exists(CLIPPY_OWN))]
    if missing and os.geteuid() == 0:
        env = dict(os.environ, **APT_ENV)
        update_lists(LOG)
        pkgs, rust, llvm = choose(code)     # now with fresh lists
        pkgs += extra
        missing = [p for p in pkgs if p not in installed(pkgs)]
        if rust[2] in missing and subprocess.run(APT_INSTALL + ["-s"] + missing, stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL, env=env).returncode:
            missing.remove(rust[2])     # another linter is in its place: ours is unpacked beside the build
            unpack_own(rust[2], env)
        if missing:
            install(missing, LOG)
    elif missing:
        raise lacking(missing)
    return rust, llvm


# --- packages of other suites ---

def mirrors(code, etc="/etc/apt"):
    """The addresses of the Debian archive in the machine's own sources (one-line and deb822); other archives are ignored."""
    found = []
    for path in [etc + "/sources.list"] + sorted(glob.glob(etc + "/sources.list.d/*")):
        try:
            with open(path, errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        if path.endswith(".sources"):
            for stanza in re.split(r"\n\s*\n", re.sub(r"^#.*\n?", "", text, flags=re.M)):
                fields, key = {}, None
                for line in stanza.splitlines():
                    if line[:1].isspace() and key:
                        fields[key] += " " + line.strip()
                    elif ":" in line:
                        key, value = line.split(":", 1)
                        key = key.strip().lower()
                        fields[key] = value.strip()
                if fields.get("enabled", "yes").lower() in ("no", "false", "0") or "deb" not in fields.get("types", "").split():
                    continue
                if code in fields.get("suites", "").split() and "main" in fields.get("components", "").split():
                    found += fields.get("uris", "").split()
        elif path.endswith(".list"):
            for line in text.splitlines():
                m = re.match(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)", line.strip())
                if m and m[2].rstrip("/") == code and "main" in m[3].split():
                    found.append(m[1])
    return [u.rstrip("/") for u in found if not u.startswith("cdrom:")]


class PrivateApt:
    """An apt of our own under build/host: it knows other suites, or another CPU's packages (CPU: Debian's name), and installs nothing."""

    def __init__(self, code, suites=None, folder="apt", cpu=None):
        self.code, self.suites = code, suites or SUITES[code]
        d = os.path.join(HOST, folder)
        for sub in ("empty", "lists/partial", "cache/archives/partial", "debs"):
            os.makedirs(os.path.join(d, sub), exist_ok=True)
        self.debs = os.path.join(d, "debs")
        mirror = (mirrors(code) or [ARCHIVE])[0]
        lines = ["deb [signed-by=%s] %s %s main" % (KEYRING, mirror, s) for s in self.suites]
        write_if_changed(d + "/sources.list", "\n".join(lines) + "\n")
        write_if_changed(d + "/status", "")
        self.opts = []
        for key, value in (("Dir::Etc::sourcelist", d + "/sources.list"), ("Dir::Etc::sourceparts", d + "/empty"),
                           ("Dir::Etc::preferences", d + "/none"), ("Dir::Etc::preferencesparts", d + "/empty"),
                           ("Dir::State::lists", d + "/lists"), ("Dir::State::status", d + "/status"),
                           ("Dir::Cache", d + "/cache"), ("APT::Sandbox::User", "root"), ("Acquire::Retries", "2"),
                           ("Acquire::Languages", "none"), ("APT::Install-Recommends", "no"),
                           *((("APT::Architecture", cpu), ("APT::Architectures", cpu)) if cpu else ())):
            self.opts += ["-o", "%s=%s" % (key, value)]
        self.fresh = False

    def update(self):
        if not self.fresh:
            debs.run("Reading the package lists of %s" % ", ".join(self.suites), ["apt-get"] + self.opts + ["-q", "update"], LOG)
            self.fresh = True

    def newest(self, name, suite):
        """The newest version of a package in a suite, or None."""
        self.update()
        best = None
        for line in output(["apt-cache"] + self.opts + ["madison", name]).splitlines():
            f = [x.strip() for x in line.split("|")]
            if len(f) == 3 and (" %s/" % suite) in " " + f[2] and (
                    best is None or subprocess.run(["dpkg", "--compare-versions", f[1], "gt", best]).returncode == 0):
                best = f[1]
        return best

    def names(self, prefix):
        self.update()
        return output(["apt-cache"] + self.opts + ["pkgnames", prefix]).split()

    def closure(self, name):
        """A package and all that it needs, the C library included."""
        self.update()
        return re.findall(r"^Inst (\S+)", output(["apt-get"] + self.opts + ["-q", "-s", "install", name]), re.M)

    def wanted(self, names, suite, minimum):
        """["NAME=VERSION"] of the newest of each."""
        found = []
        for n in names:
            v = self.newest(n, suite)
            if not v or (minimum and n == names[0] and version(v) < minimum):
                raise Fail("%s has %s %s, at least %s is needed" % (
                    suite, n, v or "nowhere", ".".join(map(str, minimum or ()))))
            found.append("%s=%s" % (n, v))
        return found

    def unpack(self, names, suite, dest, minimum=None):
        """Downloads the newest of each and unpacks them together under dest (anew)."""
        with debs.one_at_a_time():
            wanted = self.wanted(names, suite, minimum)
            stamp = os.path.join(dest, ".packages")
            try:
                with open(stamp) as f:
                    if f.read().split() == wanted:
                        return
            except OSError:
                pass

            def again():
                self.fresh = False
                wanted[:] = self.wanted(names, suite, minimum)
                return argv + wanted
            argv = ["apt-get"] + self.opts + ["-q", "download"]
            debs.run("Fetching %s of %s" % (", ".join(names[:2]) + (" ..." if len(names) > 2 else ""), suite), argv + wanted, LOG, again=again, cwd=self.debs)
            shutil.rmtree(dest, ignore_errors=True)
            os.makedirs(dest)
            for n in names:
                files = sorted(glob.glob("%s/%s_*.deb" % (self.debs, n)), key=os.path.getmtime)
                logged("Unpacking " + n, ["dpkg-deb", "-x", files[-1], dest], LOG)
                for d in files:
                    os.unlink(d)
            with open(stamp, "w") as f:
                f.write("\n".join(wanted) + "\n")


# --- tools ---

def find_qemu(arch, apt):
    """[program, options...] of a QEMU that is new enough."""
    row = arches.ALL[arch]
    name = row.qemu
    own = shutil.which(name)
    if own:
        m = re.search(r"version ([\d.]+)", output([own, "--version"]))
        if m and version(m[1]) >= QEMU_MIN:
            return [own]
    dest = os.path.join(HOST, "qemu-" + arch)
    suite = next(s for s in SUITES[apt.code] if s.endswith("-backports"))
    apt.unpack(list(row.packages), suite, dest, QEMU_MIN)
    argv = [dest + "/usr/bin/" + name]
    for folder in ("qemu", "seabios", "opensbi"):
        if os.path.isdir(dest + "/usr/share/" + folder):
            argv += ["-L", dest + "/usr/share/" + folder]
    lost = [l.split()[0] for l in output(["ldd", argv[0]]).splitlines() if "not found" in l]
    if lost:
        raise Fail("%s needs the libraries %s; they come with the package %s" % (name, " ".join(lost), row.packages[0]))
    return argv


def find_qemu_img():
    """The program that makes disk images: any version, fetched when first asked for. The machine's own libraries serve the unpacked one, as QEMU's."""
    own, dest = shutil.which("qemu-img"), os.path.join(HOST, "qemu-utils")
    path = dest + "/usr/bin/qemu-img"
    if not own and not os.path.exists(path):
        with debs.one_at_a_time():
            unpack_beside("qemu-utils", dest)
    return own or path


def find_gcc(arch):
    """The directory of a cross compiler of the machine's own release, with its C library: unpacked, and called through bin/."""
    row = arches.ALL[arch]
    dest = os.path.join(HOST, "gcc-" + arch)
    prefix, name = dest + "/usr/bin/", row.linux
    if not glob.glob(prefix + name + "-gcc-*"):
        found = {n: v for n, v in candidates(names_of("gcc-", name)).items() if version(v)}
        gcc = max(found, key=lambda n: int(n.split("-")[1]), default=None)
        if not gcc and os.geteuid():
            raise lacking(["gcc-12-" + name])
        if not gcc:
            update_lists(LOG)
            found = {n: v for n, v in candidates(names_of("gcc-", name)).items() if version(v)}
            gcc = max(found, key=lambda n: int(n.split("-")[1]), default=None)
        if not gcc:
            raise Fail("Debian's packages have no gcc for %s" % name)
        number, cpu = gcc.split("-")[1], name.split("-")[0]
        for package in (gcc, "cpp" + gcc[3:], "binutils-" + name, "libgcc-%s-dev-%s-cross" % (number, cpu)) + row.gcc:
            unpack_beside(package, dest)
    gcc = max((n for n in os.listdir(prefix) if re.fullmatch(name + r"-gcc-\d+", n)), key=lambda n: int(n.split("-")[-1]))
    os.makedirs(dest + "/bin", exist_ok=True)
    for tool, file in (("gcc", gcc), *((t, "%s-%s" % (name, t)) for t in ("ld", "objdump"))):
        path = "%s/bin/%s-%s" % (dest, name, tool)
        write_if_changed(path, '#!/bin/sh\n# Its shared libraries lie beside it.\nd=$(dirname "$(dirname "$(realpath "$0")")")\n'
                         'LD_LIBRARY_PATH=$d/usr/lib/x86_64-linux-gnu exec "$d/usr/bin/%s" "$@"\n' % file)
        os.chmod(path, 0o755)
    return dest


def names_of(prefix, suffix):
    """Numbered packages that apt knows: gcc-12-sparc64-linux-gnu."""
    return [n for n in output(["apt-cache", "pkgnames", prefix]).split() if re.fullmatch(re.escape(prefix) + r"\d+-" + re.escape(suffix), n)]


def find_cross(arch, code):
    """The directory with another CPU's C library (musl's, static), compiler's library and busybox."""
    row = arches.ALL[arch]
    if row.gcc:
        return find_gcc(arch)
    dest = os.path.join(HOST, "cross-" + arch)
    apt, suite = readable_suite(code, arch, row.suite, "apt-")
    gcc = max((n for n in apt.names("libgcc-") if re.fullmatch(r"libgcc-\d+-dev", n) and apt.newest(n, suite)), key=lambda n: int(n.split("-")[1]),
              default="libgcc-dev")
    apt.unpack(["musl-dev", gcc, "busybox-static"], suite, dest)
    for wanted in ("usr/lib/%s/libc.a" % musl(arch), "usr/lib/gcc/%s/*/libgcc.a" % row.linux):
        if not glob.glob(os.path.join(dest, wanted)):
            raise Fail("%s's packages for %s have no %s" % (suite, row.debian, os.path.basename(wanted)))
    return dest


def readable_suite(code, arch, first, folder):
    """(apt, suite) that another CPU's packages come from: the suite FIRST, or the next where the mirror, in the middle of its own update, has lists that
    do not fit together. Any will do: it is for what runs in the guest. FOLDER: the beginning of apt's folder's name."""
    row = arches.ALL[arch]
    for suite in dict.fromkeys((first, "forky")):
        apt = PrivateApt(code, [suite], folder + arch, row.debian)
        try:
            apt.update()
            return apt, suite
        except Fail as e:
            failure = e
            sys.stderr.write("%s's lists of %s cannot be had now\n" % (row.debian, suite))
    raise failure


def with_own_library(path, dest, argv, env="", folder="usr/bin"):
    """A script at PATH that runs what was unpacked under DEST together with its C library: argv[0] of its /usr/bin (or another FOLDER)."""
    folders = [d for top in ("/usr/lib", "/lib") for d in glob.glob("%s%s/*-linux-gnu" % (dest, top))]      # Debian 12's packages have both
    loader = next((l for d in folders for l in glob.glob(d + "/ld-linux*.so.*")), None)
    if not loader:
        raise Fail("the libc6 under %s has no loader where it is looked for" % rel(dest))
    write_if_changed(path, '#!/bin/sh\n%s exec %s --library-path %s %s/%s/%s "$@"\n' % (env, loader, ":".join(folders), dest, folder, " ".join(argv)))
    os.chmod(path, 0o755)


XFSPROGS = ("mkfs.xfs", "xfs_db", "xfs_repair", "xfs_io", "xfs_mdrestore")


def find_xfsprogs(suite="trixie"):
    """The folder with SUITE's programs that make, look into and check XFS images; fetched when first asked for. The programs of the release need not be
    the newest, whose formats the kernel reads too."""
    dest = os.path.join(HOST, "xfsprogs-" + suite)
    if not all(os.path.exists(os.path.join(dest, n)) for n in XFSPROGS):
        apt = PrivateApt(codename(), [suite], "apt-" + suite)
        apt.unpack(apt.closure("xfsprogs") or ["xfsprogs"], suite, dest)
        for n in XFSPROGS:
            folder = next(f for f in ("usr/sbin", "usr/bin", "sbin") if os.path.exists("%s/%s/%s" % (dest, f, n)))
            with_own_library(os.path.join(dest, n), dest, [n], folder=folder)
    return dest


def find_zydis():
    """The folder with libzydis and its headers: a disassembler that judges the decoder of KVM's instructions; fetched when first asked for."""
    dest = os.path.join(HOST, "zydis")
    if not os.path.exists(dest + "/usr/include/Zydis/Zydis.h"):
        apt = PrivateApt(codename(), ["trixie"], "apt-trixie")
        apt.unpack(["libzydis-dev", "libzydis4.1", "libzycore-dev", "libzycore1.5"], "trixie", dest)
    return dest


def find_gdb(arch):
    """A gdb that knows the CPU. None: x86_64's is not there, which set-up does not install. Another CPU's is unpacked when first asked for, with its
    own C library and Python: that of Debian 12 knows no loongarch64."""
    if arch == "x86_64":
        return shutil.which("gdb")
    dest = os.path.join(HOST, "gdb")
    program = dest + "/gdb-multiarch"
    if not os.path.exists(program):
        apt = PrivateApt(codename(), ["trixie"], "apt-trixie")
        apt.unpack(apt.closure("gdb-multiarch") or ["gdb-multiarch"], "trixie", dest)
        with_own_library(program, dest, ["gdb-multiarch", "--data-directory=%s/usr/share/gdb" % dest], "PYTHONHOME=%s/usr" % dest)
    return program


def musl(arch):
    """The multiarch name of musl's files."""
    return arches.ALL[arch].linux.replace("-gnu", "-musl")


def find_uapi(apt):
    """The directory of Linux >= 7.2's user API headers, all CPUs."""
    dest = os.path.join(HOST, "uapi")
    apt.unpack(["linux-libc-dev"], "trixie-backports", dest, UAPI_MIN)
    return dest + "/usr/include"


def find_bindgen(apt, llvm):
    """(program, libclang directory). A newer bindgen than the release's runs through its own loader."""
    libclang = "/usr/lib/llvm-%d/lib" % llvm
    own = shutil.which("bindgen")
    if own and version((output([own, "--version"]).split() or [""])[-1]) >= BINDGEN_MIN:
        return own, libclang
    dest = os.path.join(HOST, "bindgen")
    if "trixie" in SUITES[apt.code]:
        apt.unpack(["bindgen", "libc6", "libgcc-s1"], "trixie", dest, BINDGEN_MIN)
        lib = dest + "/usr/lib/x86_64-linux-gnu"
        if not os.path.exists(lib + "/ld-linux-x86-64.so.2"):
            lib = dest + "/lib/x86_64-linux-gnu"
        write_if_changed(dest + "/bindgen", "#!/bin/sh\n# bindgen with its own C library; libclang and what it needs are the machine's.\n"
                         'exec %s/ld-linux-x86-64.so.2 --library-path %s:%s:/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu '
                         '%s/usr/bin/bindgen "$@"\n' % (lib, lib, libclang, dest))
        os.chmod(dest + "/bindgen", 0o755)
        return dest + "/bindgen", libclang
    raise Fail("bindgen >= %d.%d is missing; install it with: sudo apt-get install -y bindgen" % BINDGEN_MIN)


def find_rust_src(pkg):
    for line in output(["dpkg", "-L", pkg]).splitlines():
        if re.fullmatch(r"/usr/(src/rustc-[\d.]+|lib/rustlib/src/rust)/library/core/src/lib\.rs", line):
            return line[:-len("/core/src/lib.rs")]
    hits = glob.glob("/usr/src/rustc-*/library/core/src/lib.rs")
    if hits:
        return hits[-1][:-len("/core/src/lib.rs")]
    raise Fail("%s has no library/core: the package seems broken" % pkg)


def gather(wanted):
    code = codename()
    if code not in SUITES:
        raise Fail("set-up knows Debian 12 (bookworm) and 13 (trixie), this machine is '%s'; see docs/dependencies.md for what "
                   "is needed" % code)
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Fail("%s is missing on this machine" % tool)
    rust, llvm = install_own(code, ["bindgen"] if code == "trixie" else [])
    apt = PrivateApt(code)
    bindgen, libclang = find_bindgen(apt, llvm)
    t = {
        "codename": code, "llvm": llvm,
        "clang": "/usr/bin/clang-%d" % llvm, "lld": "/usr/bin/ld.lld-%d" % llvm,
        "rustc": "/usr/bin/rustc", "rust_src": find_rust_src(rust[1]), "rustc_package": rust[0],
        "clippy": CLIPPY_OWN if os.path.exists(CLIPPY_OWN) else "/usr/bin/clippy-driver",
        "bindgen": bindgen, "libclang": libclang, "uapi": find_uapi(apt),
        "musl_gcc": "/usr/bin/musl-gcc", "busybox": "/bin/busybox", "make": "/usr/bin/make", "gcc": "/usr/bin/gcc",
        "qemu": {a: find_qemu(a, apt) for a in wanted},
        "cross": {a: find_cross(a, code) for a in wanted if a != "x86_64"},
    }
    for n in ("objcopy", "nm", "symbolizer", "readelf", "ar", "addr2line"):
        t[n] = "/usr/lib/llvm-%d/bin/llvm-%s" % (llvm, n)
    return t


def wish(wanted):
    return digest(REVISION, codename(), SUITES, QEMU_MIN, UAPI_MIN, RUST_MIN, BINDGEN_MIN, os.path.realpath(HOST))


def paths(tools):
    """The files that must exist for the recorded tools to be good."""
    return [v for v in tools.values() if isinstance(v, str) and v.startswith("/")] + [q[0] for q in tools["qemu"].values()] + list(tools.get("cross", {}).values())


def load():
    try:
        with open(os.path.join(HOST, "tools.json")) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def make_vars(t):
    """The same for make."""
    rows = [("HOST_CLANG", t["clang"]), ("HOST_LLD", t["lld"]), ("HOST_OBJCOPY", t["objcopy"]), ("HOST_NM", t["nm"]),
            ("HOST_AR", t["ar"]), ("RUSTC", t["rustc"]), ("RUST_SRC", t["rust_src"]), ("CLIPPY", t["clippy"]),
            ("BINDGEN", t["bindgen"]), ("LIBCLANG_PATH", t["libclang"]),
            ("UAPI", os.path.relpath(t["uapi"], ROOT)), ("MUSL_GCC", t["musl_gcc"])]
    return "# Written by ./ochre setup.\n" + "".join("%s := %s\n" % r for r in rows)


def ensure(wanted=("x86_64",)):
    """The tools, installed and unpacked where they were not. Instant when they are."""
    if t := ready(wanted):
        return t
    with debs.one_at_a_time():
        return ready(wanted) or make_ready(wanted)


def needed(wanted, t):
    """The CPUs that tools are for: those of WANTED and those there were before."""
    return sorted(set(wanted) | {"x86_64"} | set(t["qemu"] if t else ()))


def ready(wanted):
    """The recorded tools, None where they are not all that is needed."""
    t = load()
    need = needed(wanted, t)
    good = t and t.get("wish") == wish(need) and set(need) <= set(t["qemu"]) and all(os.path.exists(p) for p in paths(t))
    return t if good else None


def make_ready(wanted):
    need = needed(wanted, load())
    t = gather(need)
    t["wish"] = wish(need)
    lost = [p for p in paths(t) if not os.path.exists(p)]
    if lost:
        raise Fail("set-up ran, and yet these are missing: %s; see build/host/setup.log" % " ".join(lost))
    write_if_changed(os.path.join(HOST, "tools.mk"), make_vars(t))
    write_if_changed(os.path.join(HOST, "tools.json"), json.dumps(t, indent=1) + "\n")
    return t


# Debian's Linux of each CPU: the suite, and the packages of which the newest is taken.
LINUX = {"x86_64": ("trixie-backports", r"linux-binary-([\d.]+)\+deb13-cloud-amd64"), "aarch64": ("trixie-backports", r"linux-binary-([\d.]+)\+deb13-cloud-arm64"),
         "riscv64": ("trixie", r"linux-(?:image-([\d.]+)\+deb13|binary-([\d.]+)\+deb14)-riscv64"), "loongarch64": ("forky", r"linux-binary-([\d.]+)\+deb14-loong64")}


def check_linux(arch):
    if arch not in LINUX:
        raise Fail("Debian packages no Linux of %s" % arch)


def reference_linux(arch="x86_64"):
    """The newest Linux that Debian has for a CPU, unpacked: the path of what QEMU boots."""
    check_linux(arch)
    dest, (suite, wanted) = HOST + "/linux" + ("" if arch == "x86_64" else "-" + arch), LINUX[arch]
    found = sorted(glob.glob(dest + "/usr/lib/modules/*/vmlinuz") + glob.glob(dest + "/boot/vmlinu[xz]-*"))
    if found:
        return without_loader(found[-1])
    code = codename()
    if code not in SUITES:
        raise Fail("set-up knows Debian 12 and 13 only")
    apt, suite = (PrivateApt(code), suite) if arch == "x86_64" else readable_suite(code, arch, suite, "apt-linux-")
    names = [n for n in apt.names("linux-") if re.fullmatch(wanted, n) and apt.newest(n, suite)]
    if not names:
        raise Fail("%s has no %s" % (suite, wanted))
    name = max(names, key=lambda n: version(next(g for g in re.fullmatch(wanted, n).groups() if g)))
    apt.unpack([name], suite, dest)
    if not glob.glob(dest + "/usr/lib/modules/*/vmlinuz") + glob.glob(dest + "/boot/vmlinu[xz]-*"):
        raise Fail("%s of %s has no kernel where it is looked for" % (name, suite))
    return reference_linux(arch)


def release_of(kernel):
    """The release in the path of a Linux that Debian packages, also of one that without_loader() unpacked."""
    return re.search(r"(?:modules/|vmlinu[xz]-)([^/]+?)(?:/vmlinuz)?(?:\.image)?$", kernel)[1]


def linux_modules(arch="x86_64"):
    """The folder with the modules of reference_linux(), fetched when first asked for."""
    kernel = reference_linux(arch)
    release = release_of(kernel)
    dest, near = HOST + "/linux-modules-" + release, HOST + "/linux" + ("" if arch == "x86_64" else "-" + arch)
    for d in (near, dest):
        for folder in ("/usr/lib/modules/", "/lib/modules/"):
            if os.path.isdir(d + folder + release + "/kernel"):
                return d + folder + release + "/kernel"
    code, suite = codename(), LINUX[arch][0]
    apt, suite = (PrivateApt(code), suite) if arch == "x86_64" else readable_suite(code, arch, suite, "apt-linux-")
    apt.unpack(["linux-modules-" + release], suite, dest)
    found = next((d for d in (dest + "/usr/lib/modules/", dest + "/lib/modules/") if os.path.isdir(d + release + "/kernel")), None)
    if not found:
        raise Fail("linux-modules-%s of %s has no modules where they are looked for" % (release, suite))
    return found + release + "/kernel"


def without_loader(path):
    """What an EFI program that only unpacks a kernel (CONFIG_EFI_ZBOOT) holds, as a file beside it; any other kernel as it is. QEMU's loader knows
    fewer ways of packing than Linux has."""
    with open(path, "rb") as f:
        head = f.read(64)
        if head[4:8] != b"zimg":
            return path
        offset, size = struct.unpack_from("<II", head, 8)
        f.seek(offset)
        packed = f.read(size)
    tool = {b"gzip": "gzip", b"zstd": "zstd"}.get(head[24:28])
    if not tool or not shutil.which(tool):
        raise Fail("%s is packed by %s" % (rel(path), head[24:32].rstrip(b"\0").decode("ascii", "replace")))
    if not os.path.exists(path + ".image"):
        # What follows the packed part says its size, and is no part of it: the tools complain when they have unpacked all.
        data = subprocess.run([tool, "-dc"], input=packed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        if not data:
            raise Fail("%s does not unpack" % rel(path))
        with open(path + ".image.new", "wb") as f:
            f.write(data)
        os.rename(path + ".image.new", path + ".image")
    return path + ".image"


# --- the commands ---

def cmd_setup(args):
    t = ensure(args.arch or ["x86_64"])
    print("ready: clang %d, %s, QEMU %s" % (t["llvm"], output([t["rustc"], "--version"]).strip() or "rustc",
          (re.search(r"version ([\d.]+)", output(t["qemu"]["x86_64"] + ["--version"])) or ["", "?"])[1]))
    return 0


def cmd_doctor(args):
    """What is there, what is missing, in which version. Installs nothing."""
    code = codename()
    t = load() or {}
    llvm = t.get("llvm", 22)
    rows, bad = [], 0

    def row(name, path, ver, need, ok, hint=""):
        nonlocal bad
        bad += not ok
        rows.append((("ok" if ok else "MISSING" if not ver else "too old"), name, ver or "-", need, path or hint or ""))

    def tool(name, path, argv, need=None, pattern=r"(\d+\.\d+[\d.]*)"):
        p = path if path and os.path.exists(path) else None
        m = re.search(pattern, output([p] + argv)) if p else None
        v = m[1] if m else ("there" if p else "")
        ok = bool(p) and (not need or version(v) >= need)
        row(name, p, v, ">= " + ".".join(map(str, need)) if need else "any", ok, "./ochre setup installs it")

    row("Debian", "/etc/os-release", code, "12 or 13", code in SUITES)
    tool("python3", sys.executable, ["--version"], (3, 11))
    tool("git", shutil.which("git"), ["--version"])
    tool("make", shutil.which("make"), ["--version"], (4, 3))
    tool("clang", t.get("clang", "/usr/bin/clang-%d" % llvm), ["--version"], (19,), r"version (\d+[\d.]*)")
    tool("lld", t.get("lld", "/usr/bin/ld.lld-%d" % llvm), ["--version"], (19,), r"LLD (\d+[\d.]*)")
    tool("rustc", t.get("rustc", "/usr/bin/rustc"), ["--version"], RUST_MIN)
    src = t.get("rust_src") or next(iter(glob.glob("/usr/src/rustc-*/library")), None)
    row("rust source", src, "there" if src and os.path.exists(src) else "", "of rustc", bool(src and os.path.exists(src)), "./ochre setup installs it")
    tool("clippy", t.get("clippy", "/usr/bin/clippy-driver"), ["--version"])
    tool("bindgen", t.get("bindgen"), ["--version"], BINDGEN_MIN)
    uapi = t.get("uapi", "")
    v = ""
    try:
        with open(uapi + "/linux/version.h") as f:
            n = int(re.search(r"LINUX_VERSION_CODE (\d+)", f.read())[1])
            v = "%d.%d.%d" % (n >> 16, n >> 8 & 255, n & 255)
    except (OSError, TypeError):
        pass
    row("linux-libc-dev", uapi, v, ">= 7.2", version(v) >= UAPI_MIN, "./ochre setup unpacks it")
    tool("musl-gcc", "/usr/bin/musl-gcc", ["--version"])
    tool("gcc", shutil.which("gcc"), ["--version"], (12,))
    tool("busybox", "/bin/busybox", ["--help"], None, r"BusyBox v([\d.]+)")
    for a, argv in sorted(t.get("qemu", {"x86_64": [shutil.which("qemu-system-x86_64") or ""]}).items()):
        tool("qemu " + a, argv[0], ["--version"], QEMU_MIN, r"version (\d+[\d.]*)")
    kvm, why = accel.probe(tuple(t.get("qemu", {}).get("x86_64") or ["qemu-system-x86_64"]))
    rows.append(("ok" if kvm else "note", "KVM", "works" if kvm else "-", "optional", why if kvm else "software emulation is used: " + why))
    free = shutil.disk_usage(os.path.dirname(HOST) if os.path.exists(os.path.dirname(HOST)) else ".").free >> 20
    row("disk", "", "%d MiB free" % free, "2000 MiB", free > 2000)
    w = [max(len(r[i]) for r in rows) for i in range(4)]
    for r in rows:
        print("  ".join(x.ljust(n) for x, n in zip(r, w + [0])).rstrip())
    print("%s" % ("all there" if not bad else "%d missing: run ./ochre setup" % bad))
    return 1 if bad else 0
