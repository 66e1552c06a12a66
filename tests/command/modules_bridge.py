#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The network device bridge as a module: `ip link add type bridge` and brctl's ioctl load it, and say what is wrong where there is none (EOPNOTSUPP, ENOPKG); rmmod with bridges, whose
ports go on as devices of their own while packets are sent, in several namespaces, some of which end meanwhile. Many loads and unloads on the debug kernel with 4 CPUs.
usage: modules_bridge.py [--arch CPU [--short]] [--rounds N]"""
import os
import sys

from expect import check
from modules_net import NAMES, run

ARCH = sys.argv[sys.argv.index("--arch") + 1] if "--arch" in sys.argv else "x86_64"
SHORT = "--short" in sys.argv
COUNT = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 50
LOADED = "cut -d' ' -f1,3,5 /proc/modules"
ASKED = NAMES.join(["grep -c bridge /proc/modules; ip link add br0 type bridge; ", "; " + LOADED + """; rmmod bridge && """, """; grep -c . /proc/modules
brctl addbr b1; """, "; " + LOADED + """; brctl delbr b1; """, """; rmmod bridge; grep -c . /proc/modules
unshare -Ur brctl addbr b2 2>&1; grep -c . /proc/modules
unshare -Urn sh -c 'brctl addbr b3 && ip -o link | grep -c b3'; """ + LOADED + """; rmmod bridge
brctl addif b4 eth0 2>&1; """ + LOADED + """; rmmod bridge
echo > /proc/sys/kernel/modprobe; ip link add type bridge 2>&1; brctl addbr b5 2>&1; brctl addif b5 eth0 2>&1; grep -c . /proc/modules"""])
HAS_ASKED = ["0", "br0: <", "bridge 0 Live", "", "0", "b1: <", "bridge 0 Live", "", "0", "brctl: bridge b2: Operation not permitted", "0", "1", "bridge 0 Live",
             "brctl: bridge b4: No such device", "bridge 0 Live", "ip: RTNETLINK answers: Operation not supported", "brctl: bridge b5: Package not installed",
             "brctl: bridge b5: Package not installed", "0"]
# Two namespaces with an end of a veth each, whose other ends are ports: q0 pings q1 through the bridge until that has gone. Then the ports are devices again.
FAR = """far() { mkfifo /tmp/made$1 /tmp/go$1; unshare -n sh -c "ip link set lo up; echo > /tmp/made$1; read x < /tmp/go$1; ip link set q$1 up; ip addr add 10.8.0.$((1+$1))/24 dev q$1
$2
echo > /tmp/made$1; read x < /tmp/go$1; ip -o link | grep -c 'q$1@\\|q$1:'; ip -o link | grep -c in$1:" & eval f$1=$!; read x < /tmp/made$1
ip link add p$1 type veth; ip link set veth0 name q$1; eval ip link set q$1 netns \\$f$1; ip link set p$1 up; }
"""
PORTS = FAR + """far 0 'ip link add in0 type bridge; (while [ ! -e /tmp/end ]; do ping -c 1 -W 1 10.8.0.2; done) >/dev/null 2>&1 &'
far 1 'ip link add in1 type bridge'
ip link add br0 type bridge; ip link set br0 up; brctl addif br0 p0; brctl addif br0 p1; cat /sys/class/net/p0/flags; ls /sys/class/net/p0 | grep -c master
echo > /tmp/go1; read x < /tmp/made1; echo > /tmp/go0; read x < /tmp/made0
while [ $(cat /sys/class/net/p1/statistics/tx_packets) -lt 20 ]; do :; done
""" + LOADED + """; modprobe -r bridge && grep -c . /proc/modules; cat /sys/class/net/p0/flags; ls /sys/class/net/p0 | grep -c master; ip -o link | grep -c br0:
ip addr add 10.8.0.9/24 dev p0; ping -c 1 -W 5 10.8.0.1 | grep -c '1 packets received'; brctl addbr br0; brctl addif br0 p1; ip link set br0 up; ip addr add 10.8.0.8/24 dev br0
ip addr del 10.8.0.9/24 dev p0; ping -c 1 -W 5 10.8.0.2 | grep -c '1 packets received'; : > /tmp/end; echo > /tmp/go0; echo > /tmp/go1; wait; rmmod bridge; grep -c . /proc/modules"""
HAS_PORTS = ["0x1103", "1", "bridge 0 Live", "0", "0x1003", "0", "0", "1", "1"]
# Each round has a bridge with two ports under flooding (nobody answers), one in a namespace that ends at about the same time; others look at and change its table.
ROUNDS = """i=0; done=0; joined=0; sent() { cat /sys/class/net/p1/statistics/tx_packets; }
for n in 0 1; do ip link add p$n type veth; ip link set veth0 name q$n; ip link set p$n up; ip link set q$n up; done; ip addr add 10.8.0.1/24 dev q0
(while [ ! -e /tmp/end ]; do ip -o link >/dev/null; cat /sys/class/net/*/mtu /sys/class/net/*/uevent >/dev/null; ip neigh show >/dev/null; done) >/dev/null 2>&1 &
ping -i 0.01 10.8.0.255 >/dev/null 2>&1 & pinger=$!
(while [ ! -e /tmp/end ]; do brctl addbr other; brctl delbr other; done) >/dev/null 2>&1 &
while [ $done -lt %d ]; do
  { ip link add a$i type bridge && ip link set a$i up && brctl addif a$i p0 && brctl addif a$i p1; } >/dev/null 2>&1 && { joined=$((joined+1)); t=$(sent); while [ $(sent) -lt $((t+3)) ]; do :; done; }
  unshare -n sh -c 'brctl addbr x; ip link add v type veth; brctl addif x v; ip link set v up; ip link set x up' >/dev/null 2>&1 &
  rmmod bridge 2>/dev/null && done=$((done+1)); i=$((i+1)); done
kill $pinger; : > /tmp/end; wait; rmmod bridge 2>/dev/null; ip -o link | grep -c ': a[0-9]*:\\|: other:'; grep -c . /proc/modules; dmesg | grep -c 'still holds'; echo $((joined * 2 > %d)); cat /sys/class/net/p0/flags; ls /sys/class/net/p0 | grep -c master"""


def main():
    said, all_said = run("busybox", ASKED)
    check(said.splitlines() == HAS_ASKED, all_said)
    said, all_said = run("busybox", PORTS)
    check(said.splitlines()[:9] == HAS_PORTS and sorted(said.splitlines()[9:]) == ["0", "0", "0", "1", "1"], all_said)
    if SHORT:
        print("ok")
        return
    said, all_said = run("busybox", ROUNDS % (COUNT, COUNT), "--debug", "--cpus", "4")
    check(said.split() == ["0", "0", "0", "1", "0x1003", "0"], all_said)
    print("ok")


if __name__ == "__main__":
    main()
