# SPDX-License-Identifier: MIT
"""Machines whose virtio devices break the rules (vhost.py), while fuzz/devices.c uses them. The kernel must live, report nothing, and
free whoever waits for a device once that is reset."""
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time

from . import cpio, oops, qemu, run, vhost
from .util import BUILD, Fail

TOP = os.path.join(BUILD, "fuzz", "virtio")
DEVICES = 10
END = 150           # seconds for the machine to come to its end
ECAM = 0xb0000000   # of q35
STATUS = 20         # in virtio's common configuration


class Rest(Exception):
    """What ended a machine: a report, a hang."""


def guest_program(tools):
    out = os.path.join(TOP, "devices")
    os.makedirs(TOP, exist_ok=True)
    r = subprocess.run([tools["musl_gcc"], "-static", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result", "-o", out, "fuzz/devices.c"],
                       cwd=os.path.dirname(BUILD), capture_output=True, text=True)
    if r.returncode:
        raise Fail("fuzz/devices.c does not compile:\n" + r.stderr, 1)
    return out


def initrd(tools, path, workers):
    with open(guest_program(tools), "rb") as f:
        program = f.read()
    with open(path, "wb") as f:
        w = cpio.Writer(f)
        for d in ("dev", "tmp", "mnt"):
            w.dir(d)
        w.node("dev/console", 0o020000, 5, 1, 0o600)
        w.file("init", program, 0o755)
        w.end()
    return str(workers)


class Qtest:
    """Reads and writes physical addresses of the machine as a CPU would: what a hypervisor can do to a device's registers."""

    def __init__(self, path):
        self.path, self.sock, self.text = path, None, b""
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(path)
        self.server.listen(1)

    def ask(self, line):
        if self.sock is None:
            self.server.settimeout(20)
            self.sock, _ = self.server.accept()
            self.sock.settimeout(20)
        self.sock.sendall(line.encode() + b"\n")
        while b"\n" not in self.text:
            more = self.sock.recv(4096)
            if not more:
                raise OSError("qtest is gone")
            self.text += more
        answer, _, self.text = self.text.partition(b"\n")
        return answer.decode().split()

    def read(self, kind, addr):
        return int(self.ask("read%s %#x" % (kind, addr))[1], 0)

    def write(self, kind, addr, value):
        self.ask("write%s %#x %#x" % (kind, addr, value))

    def common(self, slot):
        """Where the common configuration of the device in that slot is; None: not mapped."""
        base = ECAM + (slot << 15)
        at = self.read("b", base + 0x34)
        for _ in range(48):
            if at < 0x40:
                return None
            if self.read("b", base + at) == 9 and self.read("b", base + at + 3) == 1:
                bar, off = self.read("b", base + at + 4), self.read("l", base + at + 8)
                low = self.read("l", base + 0x10 + 4 * bar)
                high = self.read("l", base + 0x14 + 4 * bar) if low & 6 == 4 else 0
                addr = (low & ~0xf | high << 32) + off
                return addr if low & ~0xf or high else None
            at = self.read("b", base + at + 1)
        return None


class Machine:
    def __init__(self, tools, kernel, seed, cpus=2, characters=None):
        r = random.Random(seed)
        self.dir = os.path.join(TOP, "vm%d" % (seed % 1000))
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.seed, self.r, self.cpus = seed, r, cpus
        self.loop = vhost.Loop()
        names = sorted(vhost.CHARACTERS)
        r.shuffle(names)
        sizes = [64, 64, 64, 128, 256, 256, 1024, 1024, 32]
        if characters:      # none that is refused from the start
            names, sizes = characters, sizes[:-1]
        patience = [20] if characters else [0, 3, 50, 300, 1500]
        kinds = [vhost.BLK] * 9 + [vhost.RNG]
        self.devices = []
        extra = ["-object", "memory-backend-memfd,id=ram,size=512M,share=on", "-machine", "memory-backend=ram", "-qtest", "unix:%s/qtest" % self.dir,
                 "-qtest-log", "/dev/null"]
        for i in range(DEVICES):
            packed = bool(r.randrange(3) == 0)
            d = vhost.Device(self.loop, "%s/v%d" % (self.dir, i), kinds[i % len(kinds)], names[i % len(names)], r.getrandbits(48), packed, r.choice(patience))
            self.devices.append(d)
            extra += ["-chardev", "socket,id=v%d,path=%s" % (i, d.path)]
            if d.kind == vhost.RNG:
                extra += ["-device", "vhost-user-rng-pci,id=d%d,chardev=v%d,addr=%x" % (i, i, i + 3)]
            else:
                queues = r.choice([1, 1, 2, 4])
                extra += ["-device", "vhost-user-blk-pci,id=d%d,chardev=v%d,addr=%x,num-queues=%d,queue-size=%d,vectors=%d%s" % (
                    i, i, i + 3, queues, r.choice(sizes), r.choice([queues + 1, queues + 1, 1, 2]), ",packed=on" if packed else "")]
            d.slot = i + 3
        self.qtest = Qtest(self.dir + "/qtest")
        initrd(tools, self.dir + "/initrd", 2 * DEVICES)
        vm = qemu.Vm(tools, cpus=cpus, memory="512M", kernel=kernel, initrd=self.dir + "/initrd",
                     append="console=ttyS0 panic=-1 nokaslr loglevel=4 -- %d" % (2 * DEVICES), extra=extra)
        pairs = [socket.socketpair() for _ in range(2)]
        argv = vm.argv([theirs.fileno() for _, theirs in pairs])
        self.argv = argv
        self.errors = open(self.dir + "/qemu.log", "wb")
        self.qemu = subprocess.Popen(argv, pass_fds=[t.fileno() for _, t in pairs], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors,
                                     preexec_fn=run.die_with_parent)
        for _, t in pairs:
            t.close()
        self.console_sock, self.wire_sock = pairs[0][0], pairs[1][0]
        self.console, self.wire = bytearray(), bytearray()
        for s, to in ((self.console_sock, self.console), (self.wire_sock, self.wire)):
            s.setblocking(False)
            self.loop.add(s, lambda s=s, to=to: self.take(s, to))
        self.figures, self.ended, self.heard, self.started = [0, 0], None, time.monotonic(), False

    def take(self, s, to):
        try:
            data = s.recv(1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.loop.remove(s)
        to += data
        while s is self.wire_sock and b"\n" in to:
            line, _, rest = bytes(to).partition(b"\n")
            to[:] = rest
            word = line.decode(errors="replace").split()
            self.heard, self.started = time.monotonic(), True
            if word[:1] == ["S"] and len(word) == 3 and word[1].isdigit() and word[2].isdigit():
                self.figures = [int(word[1]), int(word[2])]
            elif word[:1] == ["E"] and len(word) == 2:
                self.ended = word[1]

    def last_programs(self):
        what = ["# seed %d, %d CPUs" % (self.seed, self.cpus)] + ["# %s %s packed=%d %s" % (
            "disk" if d.kind == vhost.BLK else "entropy", d.character, d.packed, d.counts) for d in self.devices]
        return [(0, "\n".join(what + ["# " + " ".join(self.argv)]) + "\n")]

    def watch(self, seconds, until_end=False):
        """Lets it run. True: it has come to its end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.loop.step(0.2)
            if oops.REPORT.search(self.console.decode(errors="replace")):
                more = time.monotonic() + 2
                while time.monotonic() < more:
                    self.loop.step(0.2)
                raise Rest("a report")
            if self.qemu.poll() is not None:
                raise Rest("the machine is gone: status %d" % self.qemu.returncode)
            if self.ended is not None:
                return True
        return False

    def reset(self, device, value=0):
        """The device's status becomes VALUE behind the driver's back. QEMU waits for our devices meanwhile, so a thread tells it."""
        failed = []

        def work():
            at = self.qtest.common(device.slot)
            if at:
                self.qtest.write("b", at + STATUS, value)

        def body():
            try:
                work()
            except OSError as e:
                failed.append(e)
        t = threading.Thread(target=body, daemon=True)
        t.start()
        end = time.monotonic() + 30
        while t.is_alive() and time.monotonic() < end:
            self.loop.step(0.02)
        return not t.is_alive() and not failed

    def stop(self):
        self.qemu.kill()
        self.qemu.wait()
        self.errors.close()
        for d in self.devices:
            d.gone()
            d.server.close()
        for s in (self.console_sock, self.wire_sock, self.qtest.server):
            s.close()
        if self.qtest.sock:
            self.qtest.sock.close()
        self.loop.poll.close()


def one(tools, vmlinux, seed, seconds, cpus=2, characters=None, requests=0):
    """One machine, whose devices have those characters, for so long, or until they got so many requests. (machine, None or what went wrong)"""
    m = Machine(tools, vmlinux, seed, cpus, characters)
    try:
        stuck = 0
        while not m.started:        # a device that never answers may hold up the boot: what frees it is its reset
            if m.watch(20) or m.started:
                break
            stuck += 1
            if stuck > 6:
                raise Rest("hang: it does not come up")
            for d in m.devices:
                m.reset(d)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (requests and sum(d.counts.get("requests", 0) for d in m.devices) > requests):
            m.watch(min(m.r.randrange(1, 4), max(end - time.monotonic(), 0.1)))
            for d in m.devices:     # somebody resets what does not answer, and now and then what does
                if d.counts.get("never") or d.counts.get("close") or m.r.randrange(60) == 0:
                    m.reset(d, m.r.choice([0, 0, 0x40, 0x80, 0xff, 1]))
                    d.counts.pop("never", 0), d.counts.pop("close", 0)
                    d.count("reset")
        for d in m.devices:
            m.reset(d)
        m.wire_sock.send(b"x")
        if not m.watch(END):
            raise Rest("hang: processes that used the devices do not end")
        if m.ended != "0":
            raise Rest("the machine is not what it was")
        return m, None
    except Rest as e:
        return m, str(e)
    finally:
        m.stop()


def shown(m):
    done = {}
    for d in m.devices:
        for k, v in d.counts.items():
            done[k] = done.get(k, 0) + v
    return "seed %d: %d calls, %d failed, %s" % (m.seed, m.figures[0], m.figures[1], ", ".join("%s %d" % (k, done[k]) for k in sorted(done)))


def fuzz(tools, vmlinux, seed, seconds, runs, keep):
    """Machines one after the other until the time is over or RUNS of them were; KEEP(machine, what) where one went wrong. [(machine, what)]"""
    began, out = time.monotonic(), []
    while (not runs or len(out) < runs) and (not seconds or time.monotonic() - began < seconds):
        try:
            m, wrong = one(tools, vmlinux, seed + len(out), 20)
        except KeyboardInterrupt:
            sys.stderr.write("\nstopped\n")
            break
        print(shown(m) + (": " + wrong if wrong else ""), flush=True)
        if wrong:
            keep(m, wrong)
        out.append((m, wrong))
    return out
