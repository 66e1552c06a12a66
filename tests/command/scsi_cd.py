#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A CD drive behind a virtio SCSI host: /dev/sr0, what it is like in /sys, its data through the page cache and directly, the ioctls of CD drives, the tray, media that the host
takes out and changes. It also runs on Debian's Linux, which must say the same. usage: scsi_cd.py [release | debug | aarch64 | linux]..."""
import os
import subprocess
import sys
import tempfile

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
for folder in ("tools", "tests/xfs", "tests/pci"):
    sys.path.insert(0, os.path.join(ROOT, folder))
from ochre import disk, lockorder, rootfs, setup  # noqa: E402
import linux  # noqa: E402
from qmp import Monitor  # noqa: E402

MIB = 1 << 20
KINDS = {"release": 1, "debug": 4, "aarch64": 1, "linux": 2}    # and how many CPUs
GUEST = r"""
B=/sys/bus/scsi/devices
there() { while ! [ -e $1 ]; do usleep 10000; done; }
gone() { while [ -e $1 ]; do usleep 10000; done; }
# The host does it, then plugs a disk: so the guest knows.
host() { echo "ask: $*"; echo "ask: plug"; there $B/0:0:7:0; echo "ask: unplug"; gone $B/target0:0:7; }
size() { dd if=/dev/$1 of=/dev/null bs=2048 count=1 2>/dev/null; cat /sys/block/$1/size; }
echo "== nodes"; stat -c '%n %t %T' /dev/sr0 /dev/sr1; ls /dev | grep '^sr'; grep -E '^ *11 ' /proc/devices
echo "== sys"; for d in sr0 sr1; do (cd /sys/block/$d; for f in size ro removable hidden queue/logical_block_size queue/physical_block_size device/type device/modalias; do [ -e $f ] && echo "$f: $(cat $f)"; done; for l in device/driver device/subsystem subsystem; do basename $(readlink $l); done; grep -E 'DEVNAME|DEVTYPE' uevent; grep -E DRIVER device/uevent); done
ls /sys/bus/scsi/drivers/sr | grep :; ls /sys/class/scsi_disk 2>/dev/null
echo "== a medium"; cdrom /dev/sr0 changed open ask data user set
echo "== no medium"; cdrom /dev/sr1 changed open ask user set
echo "== held"; cdrom /dev/sr0 hold
echo "== eject"; cdrom /dev/sr0 eject changed ask; size sr0; cdrom /dev/sr0 data eject close
echo "== taken out"; head -c 8 /dev/sr0; echo; host out; cdrom /dev/sr0 changed open; size sr0
echo "== another"; host in two; cdrom /dev/sr0 changed; size sr0; cdrom /dev/sr0 data
echo "== changed while open"; exec 3</dev/sr0; head -c 16 <&3; echo; host swap one; cat /sys/block/sr0/size; dd bs=2048 skip=20 count=1 <&3 2>/dev/null | head -c 16; exec 3<&-; cdrom /dev/sr0 data changed; cat /sys/block/sr0/size
echo "== deleted"; exec 3</dev/sr0; D=$(readlink -f /sys/block/sr0/device); echo 1 >$D/delete; ls /dev/sr0 2>&1 | sed 's/.*: //'; dd bs=2048 count=1 <&3 2>&1 | grep -c 'copied'; exec 3<&-; echo "0 3 0" >/sys/class/scsi_host/host0/scan; there /dev/sr0; cdrom /dev/sr0 data
# The host has heard of the last disk's end before it plugs another.
echo "ask: plug"; there $B/0:0:7:0
echo "== the end"
"""
OURS = r"""
echo "== quarantine"; mount -t debugfs d /sys/kernel/debug; cat /sys/kernel/debug/dma/quarantine
K=/sys/kernel/debug/kmemleak; echo "== leaks"
if [ -e $K ]; then echo scan=off >$K; echo min_age=0 >$K; echo scan >$K; echo scan >$K; cat $K; fi
echo "== locks"; cat /sys/kernel/debug/lockdep/graph 2>/dev/null
echo "== all"
"""


class Host:
    """What the guest asks for."""

    def __init__(self, d):
        self.d, self.m = d, None

    def do(self, what, *names):
        self.m = self.m or Monitor(os.path.join(self.d, "qmp"))
        if what == "out":
            self.m.ask("eject", id="cd0", force=True)
        elif what in ("in", "swap"):
            self.m.ask("blockdev-change-medium", **{"id": "cd0", "filename": os.path.join(self.d, names[0]), "format": "raw", "force": True, "read-only-mode": "read-only"})
        elif what == "plug":
            self.m.ask("blockdev-add", **{"driver": "null-co", "node-name": "mark", "size": MIB, "read-zeroes": True})
            self.m.ask("device_add", driver="scsi-hd", bus="h.0", id="mark", drive="mark", **{"scsi-id": 7})
        elif what == "unplug":
            self.m.ask("device_del", id="mark")
            self.m.deleted("mark")
            self.m.ask("blockdev-del", **{"node-name": "mark"})


def images(d):
    """Two media, told apart by what each block begins with."""
    for name, blocks in (("one", 600), ("two", 401)):
        with open(os.path.join(d, name), "wb") as f:
            for i in range(blocks):
                f.write(b"%-16s" % b"%s %d" % (name.encode(), i) + bytes(2032))
    return ("-accel tcg,thread=single -qmp unix:%s/qmp,server=on,wait=off -device virtio-scsi-pci,id=h -drive if=none,id=x0,format=raw,file=%s/one,readonly=on "
            "-device scsi-cd,bus=h.0,drive=x0,scsi-id=3,id=cd0 -device scsi-cd,bus=h.0,scsi-id=4,id=cd1" % (d, d))


def said(kind, tools, d):
    arch = "aarch64" if kind == "aarch64" else "x86_64"
    script = GUEST + OURS * (kind != "linux")
    program = rootfs.build_user(tools, "cdrom", arch, out=d + "/cdrom", sources=[ROOT + "/tests/scsi/cd.c"])
    files = {"bin/cdrom": (rootfs.read(program), 0o755)}
    argv = [ROOT + "/ochre", "run", "--arch", arch, "--cpus", str(KINDS[kind]), "--timeout", "300", "--net", "none", "--accel", "tcg", "--qemu", images(d)]
    if kind == "linux":
        argv += ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"]
        files, script = {**disk.modules(arch, (*disk.OF_DISKS, "sr_mod", "sg")), **files}, linux.LOAD + script
    else:
        argv += ["-v", *["--debug"] * (kind == "debug"), *appended()]
    out, host = [], Host(d)
    with open(os.path.join(d, "err"), "w+", encoding="utf-8", errors="replace") as err:
        with subprocess.Popen(argv + ["--rootfs", rootfs.busybox_root(tools, files, arch), "--", "sh", "-c", "exec 2>&1\n" + script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=err, text=True, errors="replace") as p:
            try:
                for line in p.stdout:
                    out.append(line.rstrip("\r\n"))
                    if os.environ.get("SHOW"):
                        print(out[-1], flush=True)
                    if out[-1].startswith("ask: "):
                        host.do(*out[-1].split()[1:])
            except BaseException:
                p.terminate()
                p.wait()
                err.seek(0)
                print("\n".join(out[-30:]) + "\n" + err.read()[-3000:])
                raise
        err.seek(0)
        return out, err.read()


def main():
    tools = setup.load() or setup.ensure()
    with open(os.path.join(ROOT, "tests/scsi/cd.expected")) as f:
        expected = f.read().splitlines()
    for kind in sys.argv[1:] or ("release", "debug"):
        with tempfile.TemporaryDirectory() as d:
            lines, console = said(kind, tools, d)
            lines = [line for line in lines if line and not line.startswith(("[", "ask: "))]
            for i, want in enumerate(expected):
                check(lines[i:i + 1] == [want], "%s, line %d: not %s, but\n%s\n%s" % (kind, i + 1, want, "\n".join(lines[i:i + 5]), console[-3000:]))
            if kind == "linux":
                check(len(lines) == len(expected), lines[len(expected):])
                continue
            no_report(console)
            rest = "\n".join(lines[len(expected):])
            quarantine, _, rest = rest.partition("== quarantine\n")[2].partition("\n== leaks\n")
            leaks, _, locks = rest.partition("== locks\n")
            check(quarantine == "0 ranges, 0 pages" and not leaks, quarantine + leaks)
            bad = [b for b in lockorder.check(locks.splitlines())[0] if "scsi" in b or "reports" in b]
            check(not bad and locks.endswith("== all"), bad)
    print("ok")


main()
