#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cards that the host puts into slots of PCI Express and takes out again (device_add, device_del):
disks, one of them with a mounted XFS, a network device, and /sys/bus/pci/slots. What was synced is
on the host's disk. The disks' parts also run on Debian's Linux, which must say the same.
usage: pci_plug.py [release | debug | aarch64 | linux]..."""
import os
import re
import subprocess
import sys
import tempfile

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
sys.path.insert(0, os.path.join(ROOT, "tests/pci"))
from ochre import lockorder, rootfs, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
from qmp import Monitor  # noqa: E402

MIB = 1 << 20
KINDS = {"release": 1, "debug": 4, "aarch64": 1, "linux": 2}    # and how many CPUs
# The host does what an "ask" names; the guest goes on when it sees that.
GUEST = r"""
S=/sys/bus/pci/slots; mkdir -p /m
there() { while ! [ -e $1 ]; do usleep 10000; done; }
gone() { while [ -e $1 ]; do usleep 10000; done; }
is() { while [ "$(cat $1)" != $2 ]; do usleep 10000; done; }
sys() { for f in adapter power attention; do printf "%s " $(cat $S/$1/$f); done; echo; }
node() { readlink -f /sys/class/$1/device/.. | sed 's,.*/,,'; }
echo "== slots"; for s in $S/*; do echo "$(basename $s) $(cat $s/address)"; done
stat -c '%a %n' $S/1/power $S/1/attention $S/1/adapter $S/1/address | sed "s,$S/,,"
ls $S/1 | grep -c latch; for s in 1 2 3 4; do sys $s; done
ls -d /sys/bus/pci/drivers/pcieport/0000:* | wc -l
echo "== wrong"; for w in x 2 '' -1; do echo "$w" >$S/1/power && echo taken; done 2>&1 | wc -l
echo 1 >$S/1/power; echo 0 >$S/1/power; echo 3 >$S/1/attention
for n in 1 2 0; do echo $n >$S/1/attention; sys 1; done
echo "== disk"; echo "ask: disk"; there /dev/vdb; is $S/1/power 1; sys 1; node block/vdb
head -c 1048576 /dev/zero | tr '\0' w >/dev/vdb; sync
head -c 1048576 /dev/vdb | tr -d w | wc -c
echo "ask: no disk"; gone /dev/vdb; is $S/1/adapter 0; sys 1; ls /sys/bus/pci/devices | grep -c :01:
echo "== net"; echo "ask: net"; there /sys/class/net/eth0; node net/eth0
ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ping -c 1 -W 20 10.0.2.2 | grep -c 'bytes from'
echo "ask: no net"; gone /sys/class/net/eth0; is $S/2/adapter 0; sys 2
echo "== mounted"; echo "ask: xfs"; there /dev/vdb; mount -t xfs /dev/vdb /m; echo kept >/m/kept; sync /m/kept
(while :; do head -c 100000 /dev/zero >/m/f && sync /m/f || break; done 2>/dev/null; echo ended) &
while ! [ -s /m/f ]; do usleep 10000; done
echo "ask: no disk"; wait; cat /m/kept 2>&1 | sed 's/.*: //'; gone /dev/vdb; umount /m && echo unmounted
is $S/1/adapter 0
echo "== again"; echo "ask: xfs"; there /dev/vdb; mount -t xfs /dev/vdb /m; cat /m/kept; umount /m
echo "== power"; echo 0 >$S/1/power; ls /dev/vdb 2>&1 | sed 's/.*: //'; echo "ask: taken"
is $S/1/adapter 0; sys 1
echo "== kept"; ls /dev/vd* | wc -l; echo 0 >$S/3/power; ls /dev/vd* 2>/dev/null | wc -l
echo 0 >$S/3/power; echo 1 >$S/3/power; there /dev/vda; head -c 9 /dev/vda; echo 1 >$S/3/power
echo "== two at once"; echo "ask: both"; there /sys/class/net/eth0; there /dev/vdb; sys 1; sys 2
echo "ask: neither"; gone /sys/class/net/eth0; gone /dev/vdb; is $S/1/adapter 0; is $S/2/adapter 0
echo "== port"
P=$(ls -d /sys/bus/pci/drivers/pcieport/0000:* | sed -n 2p); P=/sys/bus/pci/devices/$(basename $P)
echo "ask: net"; there /sys/class/net/eth0; echo 1 >$P/remove; ls $S; ls /sys/class/net
echo 1 >/sys/bus/pci/rescan; there /sys/class/net/eth0; ls $S; sys 2
echo "== the end"
"""
OURS = r"""
mount -t debugfs d /sys/kernel/debug; echo "== locks"; cat /sys/kernel/debug/lockdep/graph 2>/dev/null
echo "== quarantine"; cat /sys/kernel/debug/dma/quarantine
K=/sys/kernel/debug/kmemleak; echo "== leaks"
if [ -e $K ]; then echo min_age=0 >$K; echo scan >$K; echo scan >$K; cat $K; fi
echo "== all"
"""
SAID = {
    "slots": """1 0000:01:00
2 0000:02:00
3 0000:03:00
4 0000:04:00
644 1/power
644 1/attention
444 1/adapter
444 1/address
0
0 0 0
0 0 0
1 1 0
0 0 0
4""",
    "wrong": """4
write error: No such device
write error: No such device
0 0 1
0 0 2
0 0 0""",
    "disk": "1 1 0\n0000:01:00.0\n0\n0 0 0\n0",
    "net": "0000:02:00.0\n1\n0 0 0",
    "mounted": "ended\nInput/output error\nunmounted",
    "again": "kept",
    "power": "No such file or directory\n0 0 0",
    "kept": """1
0
write error: No such device
the disk
write error: No such device""",
    "two at once": "1 1 0\n1 1 0",
    "port": "1\n3\n4\nlo\n1\n2\n3\n4\n1 1 0",
}


class Host:
    """What the guest asks for."""

    def __init__(self, d):
        self.d, self.m = d, None

    def disk(self, name, bus="rp1"):
        path = {"driver": "file", "filename": os.path.join(self.d, name)}
        self.m.ask("blockdev-add", **{"driver": "raw", "node-name": "b", "file": path})
        self.m.ask("device_add", driver="virtio-blk-pci", bus=bus, id="card", drive="b")

    def no_disk(self):
        self.m.deleted("card")
        self.m.ask("blockdev-del", **{"node-name": "b"})

    def net(self):
        self.m.ask("device_add", driver="virtio-net-pci", bus="rp2", id="nic", netdev="n9")

    def do(self, what):
        self.m = self.m or Monitor(os.path.join(self.d, "qmp"))
        if what in ("disk", "both"):
            self.disk("disk")
        if what == "xfs":
            self.disk("xfs")
        if what in ("net", "both"):
            self.net()
        if what in ("no disk", "neither"):
            self.m.ask("device_del", id="card")
        if what in ("no net", "neither"):
            self.m.ask("device_del", id="nic")
        if what in ("no disk", "neither", "taken"):
            self.no_disk()
        if what in ("no net", "neither"):
            self.m.deleted("nic")
        if what == "no disk":
            with open(os.path.join(self.d, "disk"), "rb") as f:
                check(f.read(MIB) == b"w" * MIB, "what was synced is not on the disk")


def qemu(kind, d):
    """
    Four ports. The third has no power controller, and a card from the beginning. One thread emulates
    all CPUs: QEMU 10.0 ends with an assertion (iotlb_to_section) where a CPU uses a device's memory
    while another, in its own thread, changes the map of addresses.
    """
    args = ["-accel tcg,thread=single", "-qmp unix:%s/qmp,server=on,wait=off" % d]
    args.append("-netdev user,id=n9,restrict=on")
    if kind != "aarch64":
        args.append("-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
    for n in range(1, 5):
        more = ",power_controller_present=off" if n == 3 else ""
        args.append("-device pcie-root-port,id=rp%d,chassis=%d,slot=%d%s" % (n, n, n, more))
    args.append("-drive if=none,id=kept,format=raw,file=%s/kept" % d)
    args.append("-device virtio-blk-pci,drive=kept,bus=rp3")
    return " ".join(args)


def without_net(script):
    """The script's parts that need no driver for a network device: Linux's is not at hand."""
    parts = re.split(r"^(?=echo \"== )", script, flags=re.M)
    nets = ("== net", "== two", "== port")
    return "".join(p for p in parts if not p[6:].startswith(nets))


def run(kind, tools, d):
    arch = "aarch64" if kind == "aarch64" else "x86_64"
    script = GUEST + OURS * (kind != "linux")
    argv = [ROOT + "/ochre", "run", "--arch", arch, "--cpus", str(KINDS[kind]), "--timeout", "300",
            "--net", "none", "--accel", "tcg", "--qemu", qemu(kind, d)]
    if kind == "linux":
        root = rootfs.busybox_root(tools, linux.files(tools, d))
        argv += ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"]
        script = linux.LOAD + without_net(script)
    else:
        root = rootfs.busybox_root(tools, {}, arch)
        argv += ["-v", *["--debug"] * (kind == "debug"), *appended()]
    said, host = [], Host(d)
    with open(os.path.join(d, "err"), "w+", encoding="utf-8", errors="replace") as err:
        with subprocess.Popen(argv + ["--rootfs", root, "--", "sh", "-c", "exec 2>&1\n" + script],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err,
                              text=True, errors="replace") as p:
            try:
                for line in p.stdout:
                    said.append(line.rstrip("\r\n"))
                    if os.environ.get("SHOW"):
                        print(said[-1], flush=True)
                    if said[-1].startswith("ask: "):
                        host.do(said[-1][5:])
            except BaseException:
                p.terminate()
                print("\n".join(said[-30:]))
                raise
        err.seek(0)
        console = err.read()
    return "\n".join(said) + "\n", console


def section(said, name, console):
    m = re.search(r"^== %s\n(.*?)(?=^== )" % re.escape(name), said, re.M | re.S)
    check(m, "no part %s: %s\n%s" % (name, said[-1000:], console[-4000:]))
    lines = re.sub(r"sh: |cat: ", "", m[1]).splitlines()
    kernel = re.compile(r"\[ *\d+\.\d+\]")
    return "\n".join(s.strip() for s in lines if not s.startswith("ask: ") and not kernel.match(s))


def main():
    tools = setup.load() or setup.ensure()
    for kind in sys.argv[1:] or ("release", "debug"):
        with tempfile.TemporaryDirectory() as d:
            images.make(d + "/xfs", images.Tree(), d)
            for name, text in (("disk", b""), ("kept", b"the disk\n")):
                with open(os.path.join(d, name), "wb") as f:
                    f.write(text)
                    f.truncate(16 * MIB)
            said, console = run(kind, tools, d)
            for name, expected in SAID.items():
                if kind == "linux" and "== %s\n" % name not in said:
                    continue
                got = section(said, name, console)
                check(got == expected, "%s: %s:\n%s\n%s" % (kind, name, got, console[-4000:]))
            check("== the end" in said, "%s: %s" % (kind, console[-4000:]))
            if kind == "linux":
                continue
            no_report(console)
            quarantine, leaks, locks = (section(said, n, console) for n in ("quarantine", "leaks", "locks"))
            check(quarantine == "0 ranges, 0 pages", quarantine)
            check(leaks == "", leaks)
            bad = lockorder.check(locks.splitlines())[0]
            bad = [b for b in bad if "pci " in b or "reports" in b]
            check(not bad, bad)
            check(re.search(r"pci: slot 1: on\n", console), console[-4000:])
    print("ok")


main()
