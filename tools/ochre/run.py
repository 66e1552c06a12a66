# SPDX-License-Identifier: MIT
"""Boots a machine and stands between it and the user.

The guest has two serial ports. The first is the kernel's console: the terminal of an interactive shell, or, with a COMMAND,
kernel messages alone. On the second, user/init.c talks to this program in frames (user/proto.h): the command to run, its
input, its output and its status, or the size of the user's terminal. Both are sockets held here, so that QEMU never touches
the terminal, and that it ends with this program, however this program ends."""
import ctypes
import fcntl
import os
import re
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import tty

from . import accel, arches, build, disk, modules, net, oops, qemu, rootfs, setup, starved
from .util import BUILD, Fail, rel

FRAME_MAX = 4096
FIRST_FRAME = b"R\1\0"     # with one byte
STDIN_WINDOW = 2048
DIED, TIMED_OUT = 125, 124
SILENT = 60.0       # seconds: a machine of the tests says something more often
# Where a CPU is, as QEMU says it of any: "RIP=", " PC=", " pc ", "PC  ", "pc: ".
PC = re.compile(r"^\W*(?:.*\b)?(?:RIP|PC|pc)\b[=: ]\s*([0-9a-f]{16})\b", re.M)
ESCAPE = 0x1d       # Ctrl-], then q: end the machine


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG
    os.setpgid(0, 0)                                # the terminal's Ctrl-C is for us


class Terminal:
    """The user's terminal, raw while inside."""

    def __init__(self, fd):
        self.fd, self.old = fd, None

    def __enter__(self):
        self.old = termios.tcgetattr(self.fd)
        tty.setraw(self.fd)
        return self

    def __exit__(self, *exc):
        termios.tcsetattr(self.fd, termios.TCSAFLUSH, self.old)

    def size(self):
        try:
            rows, cols = struct.unpack("HHHH", fcntl.ioctl(self.fd, termios.TIOCGWINSZ, b"\0" * 8))[:2]
        except OSError:
            rows = cols = 0
        return struct.pack("<HH", rows or 24, cols or 80)


class Machine:
    """A running QEMU, its console and its control line."""

    def __init__(self, vm, log=None):
        self.console, c0 = socket.socketpair()
        self.control, c1 = socket.socketpair()
        self.monitor, c2 = socket.socketpair()
        theirs = [s.fileno() for s in (c0, c1, c2)]
        self.log = log
        self.proc = subprocess.Popen(vm.argv(theirs[:2], theirs[2]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     close_fds=True, pass_fds=theirs, preexec_fn=die_with_parent)
        self.host = starved.Watch(self.proc.pid)
        for s in (c0, c1, c2):
            s.close()
        for s in (self.console, self.control):
            s.setblocking(False)
        self.inbuf = b""
        self.noise = True               # until our init speaks: UEFI firmware takes each serial line for a console
        self.out = {self.console: bytearray(), self.control: bytearray()}
        self.open = {self.console, self.control}
        self.text = bytearray()         # of the console, its first and its last part
        self.heard = time.monotonic()   # when it last said something
        self.explain = False            # what it was about, where this program is told to end while it is silent
        self.words = b""                # of QEMU itself
        self.greeted = False            # by the monitor

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0] is SystemExit and self.explain:
            self.last_words()
        self.proc.kill()
        self.words += self.proc.stdout.read() or b""
        self.proc.wait()
        self.proc.stdout.close()
        for s in (self.console, self.control, self.monitor):
            s.close()

    def ask(self, command, seconds=5.0):
        """What QEMU's monitor answers, '' where it does not."""
        text, end = b"", time.monotonic() + seconds
        prompts, self.greeted = 1 if self.greeted else 2, True      # the first comes with its greeting
        try:
            self.monitor.sendall(command.encode() + b"\n")
            while text.count(b"(qemu) ") < prompts and time.monotonic() < end:
                if select.select([self.monitor], [], [], 0.2)[0]:
                    data = self.monitor.recv(65536)
                    if not data:
                        break
                    text += data
        except OSError:
            pass        # it is gone
        return text.decode(errors="replace")

    def autopsy(self, tasks=True):
        """Where its CPUs are, and where its TASKS, if its init still answers. For a machine that is given up."""
        with open("/proc/%d/stat" % self.proc.pid) as f:
            before = f.read().rsplit(")", 1)[1].split()
        began, told, answered = time.monotonic(), b"", False
        if tasks:
            self.frame(b"T")
        while time.monotonic() - began < (10 if tasks else 2) and not self.ended() and not answered:
            frames = self.wait([], 0.2)[1]
            told += b"".join(data for kind, data in frames if kind == b"E")
            answered = any(kind == b"T" for kind, _ in frames)
        with open("/proc/%d/stat" % self.proc.pid) as f:
            after = f.read().rsplit(")", 1)[1].split()
        used = sum(int(after[i]) - int(before[i]) for i in (11, 12)) / os.sysconf("SC_CLK_TCK")
        places = PC.findall(self.ask("info registers -a"))
        self.core()
        return "QEMU used %.1f s of the last %.1f%s\n%s%s" % (
            used, time.monotonic() - began, "; init answers" if answered else "; init does not answer" if tasks else "",
            "".join("CPU %d: PC: %016x\n" % (i, int(p, 16)) for i, p in enumerate(places)) or "QEMU's monitor does not answer\n", told.decode(errors="replace"))

    def last_words(self):
        """Where a machine stands that is ended from outside, on stderr, if it has been silent for long."""
        silent = time.monotonic() - self.heard
        if silent > SILENT and not self.ended():
            console = bytes(self.text[-4096:]).decode("utf-8", "replace").replace("\r", "")
            sys.stderr.write("ochre: ended a machine that had said nothing for %.0f s:\n%s\n%s" % (silent, console, self.autopsy(tasks=False)))
            sys.stderr.flush()

    def core(self):
        """Leaves the machine's memory where OCHRE_CORE says, as a core for gdb and vmlinux."""
        folder = os.environ.get("OCHRE_CORE")
        if folder and not self.ended():
            os.makedirs(folder, exist_ok=True)
            self.ask("dump-guest-memory -p %s/core.%d" % (os.path.realpath(folder), self.proc.pid), 60)

    def frame(self, kind, data=b""):
        self.out[self.control] += kind + struct.pack("<H", len(data)) + data

    def type(self, data):
        self.out[self.console] += data

    def wait(self, fds, timeout):
        """Moves bytes. Returns (bytes of the console, frames, those of fds that can be read)."""
        self.host.look()
        writers = [s for s, b in self.out.items() if b and s in self.open]
        r, w, _ = select.select(list(self.open) + list(fds), writers, [], timeout)
        for s in w:
            try:
                del self.out[s][:s.send(bytes(self.out[s][:4096]))]
            except BlockingIOError:
                pass
            except OSError:
                self.open.discard(s)
        shown = b""
        for s in list(self.open):
            if s in r:
                try:
                    data = s.recv(65536)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if data:
                    self.heard = time.monotonic()
                if not data:
                    self.open.discard(s)
                elif s is self.console:
                    shown = data
                    self.text += data
                    if len(self.text) > 1 << 20:
                        del self.text[1 << 16:1 << 19]
                    if self.log:
                        self.log.write(data)
                        self.log.flush()
                else:
                    self.inbuf += data
        return shown, self.frames(), [f for f in fds if f in r]

    def frames(self):
        found = []
        if self.noise:
            at = self.inbuf.find(FIRST_FRAME)
            self.inbuf = self.inbuf[at if at >= 0 else -(len(FIRST_FRAME) - 1):]
            self.noise = at < 0
            if self.noise:
                return found
        while len(self.inbuf) >= 3:
            n = self.inbuf[1] | self.inbuf[2] << 8
            if n > FRAME_MAX:
                self.inbuf = b""
                break
            if len(self.inbuf) < 3 + n:
                break
            found.append((self.inbuf[:1], self.inbuf[3:3 + n]))
            self.inbuf = self.inbuf[3 + n:]
        return found

    def ended(self):
        """Not by Popen.poll(): interrupted in the wrong place (Ctrl-C) it keeps its lock, and wait() would never come back."""
        if not self.open:
            return True
        return os.waitid(os.P_PID, self.proc.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None and not self.pending()

    def pending(self):
        return bool(select.select(list(self.open), [], [], 0)[0]) if self.open else False


def status_of(data):
    return 128 + data[1] if data[0] else data[1]


def write_fd(fd, data):
    while data:
        data = data[os.write(fd, data):]


def reason(words):
    """The line of what QEMU said that says why it ended: a dump of registers may follow it."""
    lines = words.splitlines() or ["no word"]
    return next((l for l in lines if re.search("fatal:|Assertion|ERROR:", l)), lines[-1])


class Session:
    """One boot, seen from the user: interactive where argv is None."""

    def __init__(self, vm, argv, verbose=False, timeout=None, vmlinux=None, stdin=0, stdout=1, stderr=2, log=None):
        self.vm, self.argv, self.verbose, self.vmlinux = vm, argv, verbose, vmlinux
        self.now = starved.Clock()
        self.deadline = timeout or None
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.log, self.status, self.ready = log, None, False
        self.panicked = None
        self.stall = self.heard = None  # give up after so many seconds without a word from the command, and say where everybody is
        self.why = self.host = self.text = ""   # what the machine was given up for, and what the host kept from it

    def tick(self, most=None):
        """How long select may sleep."""
        now = self.now()
        ends = [t - now for t in (self.deadline, self.panicked) if t]
        return max(0, min(ends + [1.0 if most is None else most]))

    def over(self, m):
        """Ends a machine that has nothing more to say, or that ran out of time."""
        now = self.now()
        if self.deadline and now > self.deadline:
            self.status = TIMED_OUT if self.status is None else self.status
            return True
        if self.panicked and now > self.panicked:
            return True
        if self.stall and self.heard and now - self.heard > self.stall and self.status is None:
            self.status = TIMED_OUT
            return True
        if self.panicked is None and self.status is None and oops.PANIC.search(self.tail(m)):
            self.panicked = now + 20    # it should reboot, and so end, by itself
        return m.ended()

    def tail(self, m):
        return bytes(m.text[-8192:]).decode("utf-8", "replace")

    def boot(self):
        m = Machine(self.vm, self.log)
        self.now.host = m.host
        return m

    # --- a command ---

    def command(self):
        blob = b"".join(os.fsencode(a) + b"\0" for a in self.argv)
        sent, acked, reading = 0, 0, self.stdin is not None
        with self.boot() as m:
            m.explain = bool(self.stall)
            while not self.over(m):
                fds = [self.stdin] if self.ready and reading and sent - acked < STDIN_WINDOW and self.status is None else []
                shown, frames, able = m.wait(fds, self.tick())
                if self.verbose and shown:
                    write_fd(self.stderr, shown.replace(b"\r\n", b"\n"))
                if frames or not self.heard:
                    self.heard = self.now()
                for kind, data in frames:
                    if kind == b"R":
                        part, blob = blob[:FRAME_MAX], blob[FRAME_MAX:]
                        m.frame(b"P" if blob else b"C", part)
                        self.ready = not blob
                        if self.ready and self.stdin is None:
                            m.frame(b"Z")
                    elif kind == b"O":
                        write_fd(self.stdout, data)
                    elif kind == b"E":
                        write_fd(self.stderr, data)
                    elif kind == b"A":
                        acked = struct.unpack("<I", data)[0] if len(data) == 4 else acked
                    elif kind == b"X" and len(data) == 2:
                        self.status = status_of(data)
                        self.deadline = self.now() + 5
                if able:
                    data = os.read(self.stdin, min(1024, STDIN_WINDOW - (sent - acked)))
                    if data:
                        m.frame(b"D", data)
                        sent += len(data)
                    else:
                        m.frame(b"Z")
                        reading = False
            if self.status == TIMED_OUT and self.stall:
                self.why = m.autopsy()
        return self.finish(m)

    # --- a shell ---

    def shell(self):
        wake_r, wake_w = os.pipe()
        os.set_blocking(wake_w, False)
        old = signal.signal(signal.SIGWINCH, lambda *_: None)
        old_fd = signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        escaped = False
        try:
            with Terminal(self.stdin) as term, self.boot() as m:
                while not self.over(m):
                    shown, frames, able = m.wait([self.stdin, wake_r], self.tick())
                    if shown:
                        write_fd(self.stdout, shown)
                    for kind, data in frames:
                        if kind == b"R":
                            self.ready = True
                            m.frame(b"S", term.size() + os.fsencode(os.environ.get("TERM", "linux"))[:64])
                        elif kind == b"X" and len(data) == 2:
                            self.status = status_of(data)
                            self.deadline = self.now() + 5
                    if wake_r in able and os.read(wake_r, 64) and self.ready:
                        m.frame(b"W", term.size())
                    if self.stdin in able:
                        data = os.read(self.stdin, 1024)
                        if not data or (escaped and data[:1] == b"q") or bytes([ESCAPE]) + b"q" in data:
                            self.status = 130
                            break
                        escaped = data[-1] == ESCAPE
                        m.type(data)
        finally:
            signal.set_wakeup_fd(old_fd)
            signal.signal(signal.SIGWINCH, old)
            os.close(wake_r)
            os.close(wake_w)
            if self.status is None or self.status in (130, TIMED_OUT):
                write_fd(self.stdout, b"\x1b[?1049l\x1b[?25h\x1b[0m\r\n")   # whatever a full-screen program left
        return self.finish(m)

    def finish(self, m):
        """The exit status; what went wrong is said on stderr."""
        self.text = bytes(m.text).decode("utf-8", "replace").replace("\r", "")
        self.host = m.host.line(self.text)
        said = oops.death(self.text)
        if self.host:
            write_fd(self.stderr, self.host.encode())
        if said and (self.argv is not None or self.status is None):
            said = oops.symbolize(said, self.vmlinux, self.vm.tools)
            write_fd(self.stderr, said.encode("utf-8", "replace"))
        if self.status == TIMED_OUT:
            write_fd(self.stderr, b"ochre: gave up: the time was over\n" + oops.symbolize(self.why, self.vmlinux, self.vm.tools).encode("utf-8", "replace"))
            return TIMED_OUT
        if self.status is not None:
            return self.status
        words = m.words.decode("utf-8", "replace").strip()
        if m.proc.returncode not in (0, -signal.SIGKILL, None) or (words and not self.text):
            raise Fail("QEMU ended with status %s: %s" % (m.proc.returncode, reason(words)))
        if not said:
            last = "\n".join(self.text.splitlines()[-25:])
            write_fd(self.stderr, (last + "\n" if last and not self.verbose else "").encode("utf-8", "replace"))
        write_fd(self.stderr, b"ochre: the kernel died\n" if said or self.ready else b"ochre: the machine ended before its init spoke\n")
        if self.vm.accel == "kvm" and not self.ready:
            write_fd(self.stderr, b"ochre: it ran under the host's KVM; --accel tcg emulates the machine instead\n")
        return DIED

    def run(self):
        return self.shell() if self.argv is None else self.command()


def command_line(vm, verbose, append, host):
    parts = ["console=" + vm.console(), "panic=-1"]
    parts += [] if verbose else ["quiet"]
    if host:
        parts.append("OCHRE=host:" + vm.row.control)
    return " ".join(parts + [append]).strip()     # last: it may hold --, and what follows is for init


def pick_kernel(args, tools):
    """(file to boot, ELF with symbols or None); builds ours where it is wanted."""
    if args.kernel == "linux":
        return setup.reference_linux(args.arch), None
    if args.kernel:
        near = os.path.join(os.path.dirname(args.kernel), "vmlinux")
        return args.kernel, near if os.path.exists(near) else None
    if args.firmware and not arches.ALL[args.arch].efi:
        raise Fail("--firmware uefi: our kernel has no image for it of %s yet" % args.arch)
    if not args.dry_run:
        build.build(tools, args.arch, args.debug, quiet=True)
        modules.install(args.arch, args.debug)
    out = build.image(args.arch, args.debug, args.bzimage, args.firmware)
    if not args.dry_run and not os.path.exists(out):
        raise Fail("the build made no %s" % rel(out), 1)
    return out, os.path.join(build.outdir(args.arch, args.debug), "vmlinux")


def trial(args, vm):
    """The command line of a machine like VM, under KVM, with nothing but its kernel."""
    t = qemu.Vm(vm.tools, args.arch, args.machine, args.cpus, args.memory or "512M", kernel=vm.kernel, append="console=%s panic=-1" % vm.console())
    t.accel, t.ours = "kvm", vm.ours
    return t.argv()


def memory_for(initrd, ours):
    """Memory that a root of that size works in: a memory filesystem takes half of what is free, and other kernels copy the archive."""
    size = (2 if ours else 3) * os.path.getsize(initrd)
    return 512 << 20 if size < 192 << 20 else (size + (512 << 20) + (256 << 20) - 1) & ~((256 << 20) - 1)


def first_program(vm, vmlinux, timeout):
    """A CPU that has no other programs yet: its first one speaks on the console. 0 where it says that all went well."""
    start, shown = time.monotonic(), 0
    with Machine(vm) as m:
        while not m.ended() and not (timeout and time.monotonic() - start > timeout):
            m.wait([], 0.5)
            write_fd(1, bytes(m.text[shown:]).replace(b"\r\n", b"\n"))
            shown = len(m.text)
            if oops.PANIC.search(bytes(m.text[-4096:]).decode("utf-8", "replace")):
                timeout = min(timeout or 1e9, time.monotonic() - start + 3)
        ended = m.ended()
    said = oops.death(bytes(m.text).decode("utf-8", "replace").replace("\r", ""))
    if said:
        write_fd(2, oops.symbolize(said, vmlinux, vm.tools).encode("utf-8", "replace"))
        return DIED
    return 0 if b"first: passed" in m.text else DIED if ended else TIMED_OUT


def give_root(args, vm, tools):
    """The machine's root: an archive, or a disk behind those that the user names. What the command line needs for it."""
    vm.snapshot = args.snapshot
    more, own = "", {} if args.kernel else modules.files(args.arch, args.debug)
    plain = {} if args.kernel else modules.plain(args.arch, args.debug)
    if disk.wanted(args):
        root = disk.prepare(args, tools)
        more = "OCHRE_ROOT=" + disk.name_of(len(vm.disks), args.disk_bus)
        vm.disks = [*vm.disks, root]
        vm.initrd = disk.starter(tools, args.arch, args.kernel == "linux", own, disk.boot_modules(plain, args.disk_bus))
    else:
        vm.initrd, more = rootfs.make(args.rootfs, tools, args.arch, args.packages, own, plain, disk.boot_modules(plain, "scsi"))
        if args.memory is None:
            vm.memory = qemu.fitting(args.arch, memory_for(vm.initrd, not args.kernel), vm.initrd)
    for d in vm.disks if not args.dry_run else []:
        disk.lock(d, args.snapshot)
    return more


def check_root(args):
    """What give_root() would refuse, before anything is installed for it."""
    rootfs.check(args.rootfs, args.arch, args.packages)
    on_disk = disk.wanted(args)
    if args.memory_root and args.rootfs != "debian":
        raise Fail("--memory-root goes with --rootfs debian")
    if args.save and not on_disk:
        raise Fail("--save goes with a root on a disk: --rootfs debian, or an XFS image")
    if args.snapshot and not on_disk and not args.disk:
        raise Fail("--snapshot goes with a disk: --rootfs debian, an XFS image, or --disk")


def cmd_run(args):
    if args.share:
        raise Fail("--share comes with a later version")
    if args.gdb and not args.dry_run and args.argv is None and not sys.stdin.isatty():
        raise Fail("--gdb needs a terminal or a COMMAND")
    if args.argv is not None and not args.argv:
        raise Fail("no command after --")
    if args.argv is not None and rootfs.is_bare(args.arch):
        raise Fail("%s has no programs to run a COMMAND with: without one its first program runs (user/%s/first.c)" % (args.arch, args.arch))
    # What is refused is refused before anything is installed for it.
    if args.kernel == "linux":
        setup.check_linux(args.arch)
    elif args.kernel and not os.path.isfile(args.kernel):
        raise Fail("--kernel %s: no such file" % args.kernel)
    check_root(args)
    vm = qemu.Vm(None, args.arch, args.machine, args.cpus, args.memory or "512M", disks=args.disk, gdb=args.gdb, firmware=args.firmware,
                 extra=shlex.split(args.qemu), disk_bus=args.disk_bus)
    more_qemu, ip = net.plan(args.net, args.forward, vm.row, vm.machine, not args.dry_run)
    vm.extra = more_qemu + vm.extra
    vm.tools = tools = setup.ensure([args.arch])
    vm.accel, why = accel.choose(args.accel, args.arch, tools["qemu"][args.arch], "-icount" in vm.extra)
    kernel, vmlinux = pick_kernel(args, tools)
    vm.kernel, vm.ours = kernel, not args.kernel
    if vm.accel == "kvm" and args.accel == "auto" and not args.dry_run:
        works, why = accel.boots(trial(args, vm), kernel, os.path.join(BUILD, "host", "kvm.json"))
        vm.accel = "kvm" if works else "tcg"
    if args.verbose:
        sys.stderr.write("ochre: %s: %s\n" % ("KVM" if vm.accel == "kvm" else "software emulation", why))
    more = give_root(args, vm, tools)
    append = " ".join(x for x in ("nokaslr" if args.gdb else "", more, ip, args.append) if x)
    if args.dry_run:
        vm.append = command_line(vm, args.verbose, append, False)
        print(vm.shown())
        return 0
    if rootfs.is_bare(args.arch):
        vm.append = command_line(vm, args.verbose, append, False)
        return first_program(vm, vmlinux, args.timeout)
    vm.append = command_line(vm, args.verbose, append, True)
    argv = args.argv
    if argv is None and not arches.ALL[args.arch].debian and args.rootfs == "busybox":
        argv = ["/bin/first"]   # no Debian, no shell: all that its root has
    if argv is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        argv = ["/bin/sh"]      # a script on stdin
    if args.gdb:
        helper = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "gdb", "ochre.py")
        sys.stderr.write("The machine waits for gdb. In another terminal:\n  %s %s%s -ex 'target remote 127.0.0.1:1234'\n" % (
            "gdb" if args.arch == "x86_64" else "gdb-multiarch", "-x %s " % rel(helper) if os.path.exists(helper) else "", rel(vmlinux or kernel)))
    for sig in (signal.SIGHUP,):
        signal.signal(sig, lambda *_: sys.exit(129))
    return Session(vm, argv, args.verbose, args.timeout, vmlinux).run()
