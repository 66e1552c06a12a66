# SPDX-License-Identifier: MIT
"""A machine that fuzzes: it boots fuzz/main.c as its first program, and says on a virtio console what it finds."""
import base64
import itertools
import mmap
import os
import selectors
import socket
import struct
import subprocess
import time

from . import cpio, qemu, run
from .util import BUILD, Fail

MAGIC_A, MAGIC_B = 0x45524843305a5546, 0x0123456789abcdef       # as in fuzz/main.c
PAGE = 4096
DISK = 16 << 20
HUNG = 180          # seconds without a word of a job
MEMORY, LITTLE = "512M", "128M"
FREE = 8 << 10      # KiB that machines of little memory keep free (fuzz/balloon.c)


def initrd(path, binary, args, corpus=(), files=(), memory=MEMORY):
    """The root of such a machine: the fuzzer, what it shall do, a corpus as (name, bytes), other files as (path, bytes)."""
    if memory == LITTLE:
        args = ["free=%d" % FREE, *args]
    with open(path + ".new", "wb") as f:
        w = cpio.Writer(f)
        for d in ("dev", "proc", "sys", "tmp", "w", "corpus"):
            w.dir(d)
        w.node("dev/console", 0o020000, 5, 1, 0o600)
        with open(binary, "rb") as b:
            w.file("init", b.read(), 0o755)
        for name in ("bridge.ko", "binder.ko"):
            module = os.path.join(os.path.dirname(binary), "../modules", name)
            if os.path.exists(module):
                with open(module, "rb") as b:
                    w.file(name, b.read())
        w.file("fuzz.args", "\n".join(args).encode())
        for name, data in corpus:
            w.file("corpus/" + name, data, 0o666)
        for name, data in files:
            w.file(name, data, 0o755)
        w.end()
    os.rename(path + ".new", path)


class Machine:
    """One QEMU. step() gives what came: ('S', [numbers]), ('P', [addresses]), ('A', [number, microseconds, addresses...]), ('C', bytes),
    ('T', text), ('D', text), ('E', text)."""

    def __init__(self, tools, number, kernel, initrd_path, cpus=2, memory=MEMORY, icount=False, append=""):
        self.memory = memory
        self.dir = os.path.join(BUILD, "fuzz", "vm%d" % number)
        os.makedirs(self.dir, exist_ok=True)
        # The machine's memory, which is read after it died. Not a file: each page that the machine writes would be written to the disk.
        self.ram = os.memfd_create("ram")
        os.truncate(self.ram, qemu.size_arg(memory))
        disk = os.path.join(self.dir, "disk")
        if not icount:      # whose clock does not wait for this machine's answers: the disk is in the memory there
            with open(disk, "wb") as f:         # empty each time
                f.truncate(DISK)
        # The first report ends the machine: what ran stands in its memory then, not what ran some time afterwards.
        # No fast copies of bytes: QEMU makes a loop of them, whose every turn is one byte.
        vm = qemu.Vm(tools, cpus=cpus, memory=memory, cpu="max,-erms,-fsrm", kernel=kernel, initrd=initrd_path, disks=[] if icount else [disk],
                     append=("console=ttyS0 panic=-1 oops=panic panic_on_warn nokaslr kmemleak=off " + append).strip(), extra=["-object", "memory-backend-file,id=ram,size=%d,mem-path=/proc/self/fd/%d,share=on"
                                                                    % (qemu.size_arg(memory), self.ram), "-machine", "memory-backend=ram"])
        self.console_sock, theirs = socket.socketpair()
        argv = vm.argv([theirs.fileno()])
        # A file: QEMU drops what a console says while the other end of a socket or pipe is full.
        self.wire_file, self.wire_read = os.memfd_create("wire"), 0
        # Not a second serial line: each byte of that costs the machine as much as a hundred instructions do.
        # Where instructions are counted, what the device does is done before the machine goes on: else it depends on the time here.
        argv += ["-device", "virtio-serial-pci" + (",ioeventfd=off" if icount else ""), "-chardev", "file,id=wire,path=/proc/self/fd/%d" % self.wire_file, "-device", "virtconsole,chardev=wire"]
        if icount:
            i = argv.index("-accel")
            argv[i:i + 2] = ["-icount", "shift=0,sleep=off"]
            argv += ["-rtc", "base=2020-01-01T00:00:00,clock=vm", "-seed", "1"]
        try:
            self.qemu = subprocess.Popen(argv, pass_fds=[theirs.fileno(), self.wire_file, self.ram], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE, preexec_fn=run.die_with_parent)
        except OSError as e:
            raise Fail("cannot run QEMU: %s" % e.strerror)
        theirs.close()
        self.console, self.wire = bytearray(), bytearray()
        self.poll = selectors.DefaultSelector()
        self.console_sock.setblocking(False)
        self.poll.register(self.console_sock, selectors.EVENT_READ)
        self.started = time.monotonic()
        self.ended = None

    def step(self, timeout=0.2):
        out = []
        for key, _ in self.poll.select(timeout):
            try:
                data = key.fileobj.recv(1 << 16)
            except BlockingIOError:
                continue
            if not data:
                self.poll.unregister(key.fileobj)
                continue
            self.console += data
            if len(self.console) > 32 << 20:
                del self.console[:16 << 20]
        while data := os.pread(self.wire_file, 1 << 20, self.wire_read):
            self.wire_read += len(data)
            self.wire += data
        *lines, self.wire = self.wire.split(b"\n")
        for line in lines:
            word = self.word(line)
            if word:
                out.append(word)
        return out

    def word(self, line):
        kind, _, rest = line.decode(errors="replace").strip().partition(" ")
        try:
            if kind == "S":
                return kind, [int(w) for w in rest.split()]
            if kind == "P":
                return kind, [int(w, 16) for w in rest.split()]
            if kind == "A":
                number, took, *distances = rest.split()
                return kind, [int(number), int(took), *itertools.accumulate(int(w, 16) for w in distances)]
            if kind in "TD":
                return kind, rest
            if kind == "C":
                return kind, base64.b64decode(rest, validate=True)
            if kind == "E":
                self.ended = rest
                return kind, rest
        except ValueError:
            pass        # a line that was cut
        return None

    def dead(self):
        return self.qemu.poll() is not None

    def last_programs(self):
        """What each job ran last, from the machine's memory: [(number of the program, text)]."""
        jobs = {}
        try:
            with mmap.mmap(self.ram, 0, prot=mmap.PROT_READ) as m:
                head = struct.pack("<QQ", MAGIC_A ^ MAGIC_B, MAGIC_A)
                at = m.find(head)
                while at >= 0:
                    if at % PAGE == 0:
                        number, job, index, total, n = struct.unpack("<QIIII", m[at + 16:at + 40])
                        if n <= PAGE - 40:
                            jobs.setdefault(job, {})[index] = (number, total, m[at + 40:at + 40 + n])
                    at = m.find(head, at + 8)
        except (OSError, ValueError):
            return []
        out = []
        for job in sorted(jobs):
            pages = jobs[job]
            if 0 in pages:      # of pages that others of its number follow, the newest are meant
                number, total, data = pages[0]
                i = 1
                while len(data) < total and i in pages and pages[i][0] == number:
                    data += pages[i][2]
                    i += 1
                out.append((number, data[:total].decode(errors="replace")))
        return out

    def stop(self):
        self.qemu.kill()
        self.qemu.wait()
        self.console_sock.close()
        self.poll.close()
        self.qemu.stderr.close()
        os.close(self.ram)
        os.close(self.wire_file)

