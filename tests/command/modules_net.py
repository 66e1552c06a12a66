#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The network's modules, and how the kernel asks for them: `ip link add type dummy` loads dummy, whose parameter makes devices; rmmod takes its devices away, those of other
namespaces too, while packets are sent; kernel.modprobe: the program's arguments, environment, rights, descriptors, its path empty or of nothing; at most 50 of them at
once, however many ask and are killed; kernel.modules_disabled; a blacklist, by kmod. Many loads and unloads on the debug kernel with 4 CPUs.
usage: modules_net.py [--arch CPU [--short]] [--rounds N]"""
import os
import subprocess
import sys
import tempfile

from expect import check, no_report
from modules_kmod import kmod_root

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import setup  # noqa: E402

ARCH = sys.argv[sys.argv.index("--arch") + 1] if "--arch" in sys.argv else "x86_64"
SHORT = "--short" in sys.argv
COUNT = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 10
NAMES = "ip -o link | grep -o '[a-z]*[0-9]*: <' | grep -v 'lo: \\|eth0: ' | tr -d '\\n'; echo"
DUMMY = NAMES.join(["", """; grep -c dummy /proc/modules
ip link add type dummy; """, """; cut -d' ' -f1,3,5 /proc/modules
ip link set dummy0 up; ip addr add 10.9.9.1/24 dev dummy0; ip link add kept type dummy
mkfifo /tmp/made /tmp/go; unshare -n sh -c 'ip link add far type dummy; echo > /tmp/made; read x < /tmp/go; ip -o link | grep -c far' & read x < /tmp/made
(while ip link show dummy0 >/dev/null 2>&1; do ping -c 1 -W 1 10.9.9.7; done) >/dev/null 2>&1 &
rmmod dummy && """, """; grep -c dummy /proc/modules; echo > /tmp/go; wait
modprobe dummy numdummies=3; """, """; rmmod dummy; modprobe dummy numdummies=0; """, """
ip link add x type dummy && """, """; ip link add y type nothing; grep -c . /proc/modules; rmmod dummy
echo > /proc/sys/kernel/modprobe; ip link add type dummy; grep -c . /proc/modules
echo /sbin/modprobe > /proc/sys/kernel/modprobe; echo 1 > /proc/sys/kernel/modules_disabled; ip link add type dummy; grep -c . /proc/modules"""])
NO = "ip: RTNETLINK answers: Operation not supported"
HAS_DUMMY = ["", "0", "dummy0: <dummy1: <", "dummy 0 Live", "", "0", "0", "dummy0: <dummy1: <dummy2: <", "", "x: <", "1", "0", "0"]
PROGRAM = """cat > /tmp/m <<'X'
#!/bin/sh
exec > /tmp/out 2>&1
echo "$0 $*"; env | sort | grep -v SHLVL; ls /proc/self/fd | tr '\\n' ' '; echo; id -u; pwd; grep -E 'CapEff|CapBnd|Umask|SigIgn|SigBlk' /proc/self/status | tr '\\t\\n' '  '; echo
grep -E '^(PPid|Threads)' /proc/$$/status | tr '\\t\\n' '  '; echo; readlink /proc/$$/ns/net
exit 3
X
chmod 755 /tmp/m; cat /proc/sys/kernel/modprobe; echo /tmp/m > /proc/sys/kernel/modprobe; cat /proc/sys/kernel/modprobe
exec 9</etc/passwd; cd /tmp; umask 077; A=b unshare -n ip link add type nothing 2>/dev/null; cat /tmp/out | grep -v net:; grep -cF $(readlink /proc/1/ns/net) /tmp/out
rm /tmp/out; unshare -Ur ip link add type nothing 2>/dev/null; ls /tmp/out 2>/dev/null; unshare -Urn ip link add type nothing 2>/dev/null; ls /tmp/out
echo > /proc/sys/kernel/modprobe; rm /tmp/out; ip link add type nothing 2>/dev/null; ls /tmp/out 2>/dev/null; echo "[$(cat /proc/sys/kernel/modprobe)]"
echo /nothing > /proc/sys/kernel/modprobe; ip link add type nothing; grep -l '^State:.Z' /proc/[0-9]*/status | grep -c ."""
RAN = ["/sbin/modprobe", "/tmp/m", "/tmp/m -q -- rtnl-link-nothing", "HOME=/", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", "PWD=/", "TERM=linux", "0 1 2 ", "0", "/",
       "Umask: 0022 SigBlk: 0000000000000000 SigIgn: 0000000000000000 CapEff: 000001ffffffffff CapBnd: 000001ffffffffff ", "PPid: 2 Threads: 1 ", "1",
       "/tmp/out", "[]", "0"]
MOST = """cat > /tmp/m <<'X'
#!/bin/sh
echo $3 >> /tmp/began
read x < /tmp/gate
X
printf '#!/bin/sh\\necho last >> /tmp/began\\n' > /tmp/quick; chmod 755 /tmp/m /tmp/quick; mkfifo /tmp/gate; : > /tmp/began; echo /tmp/m > /proc/sys/kernel/modprobe
i=0; while [ $i -lt 60 ]; do ip link add type k$i 2>/dev/null & eval p$i=$!; i=$((i+1)); done
gone=0; while [ $gone -lt 10 ]; do gone=0; i=0; while [ $i -lt 60 ]; do eval kill -0 \\$p$i 2>/dev/null || gone=$((gone+1)); i=$((i+1)); done; done
grep -c . /tmp/began; dmesg | grep -c 'is not asked for: 50 requests wait'
i=0; while [ $i -lt 60 ]; do eval kill -9 \\$p$i 2>/dev/null; i=$((i+1)); done; wait
ip link add type another 2>/dev/null; grep -c . /tmp/began
echo /tmp/quick > /proc/sys/kernel/modprobe; i=0; while ! grep -q last /tmp/began; do (: > /tmp/gate) & ip link add type last 2>/dev/null; done; grep -c k /tmp/began"""
BLACKLIST = """mkdir -p /etc/modprobe.d; echo 'blacklist dummy' > /etc/modprobe.d/a.conf; ip link add type dummy; grep -c . /proc/modules
rm /etc/modprobe.d/a.conf; echo 'options dummy numdummies=2' > /etc/modprobe.d/b.conf; ip link add type dummy && ip -o link | grep -c dummy; /sbin/lsmod | tail -1"""
ROUNDS = """ip link add other type veth; i=0; done=0
(while [ ! -e /tmp/end ]; do ip -o link >/dev/null; cat /proc/net/dev >/dev/null; cat /sys/class/net/*/mtu /sys/class/net/*/uevent >/dev/null; done) 2>/dev/null &
(while [ ! -e /tmp/end ]; do ip link add type dummy; done) >/dev/null 2>&1 &
while [ $done -lt %d ]; do
  { ip link add a$i type dummy && ip link set a$i up && ip addr add 10.1.1.1/24 dev a$i; } 2>/dev/null
  ping -c 1 -W 1 10.1.1.2 >/dev/null 2>&1 & rmmod dummy 2>/dev/null && done=$((done+1)); i=$((i+1)); done
: > /tmp/end; wait; rmmod dummy 2>/dev/null; ip -o link | grep -c dummy; grep -c . /proc/modules; dmesg | grep -c 'still holds'"""


def run(root, script, *words):
    r = subprocess.run([os.path.join(ROOT, "ochre"), "run", "--arch", ARCH, "--accel", "tcg", "--timeout", "900", "--rootfs", root, *words, "--", "/bin/sh", "-c", script],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    no_report(r.stderr)
    return r.stdout, r.stdout + r.stderr[-3000:]


def main():
    tools = setup.load() or setup.ensure((ARCH,))
    said, all_said = run("busybox", DUMMY)
    check(said.splitlines() == HAS_DUMMY and all_said.count(NO) == 3, all_said)
    if SHORT:
        print("ok")
        return
    said, all_said = run("busybox", PROGRAM)
    check(said.splitlines() == RAN and all_said.count(NO) == 1, all_said)
    said, all_said = run("busybox", MOST)
    check(said.split() == ["50", "10", "50", "50"], all_said)
    if ARCH == "x86_64":
        with tempfile.TemporaryDirectory() as d:
            said, all_said = run(kmod_root(tools, d + "/root", "ip", "rm", "tail", "echo"), BLACKLIST)
        check(said.splitlines() == ["0", "3", "dummy                  12288  0"] and NO in all_said, all_said)
    said, all_said = run("busybox", ROUNDS % COUNT, "--debug", "--cpus", "4")
    check(said.split() == ["0", "0", "0"], all_said)
    print("ok")


if __name__ == "__main__":
    main()
