#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Leases from QEMU's network: udhcpc with its script, and the kernel's own client (ip=dhcp). Nothing leaves the machine."""
import os
import subprocess

from expect import check

OCHRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../ochre")
SHOW = "ifconfig eth0; cat /proc/net/route /etc/resolv.conf"
UDHCPC = "ifconfig eth0 0.0.0.0; while route del default; do :; done 2> /dev/null; rm -f /etc/resolv.conf; touch /etc/resolv.conf; udhcpc -i eth0 -n -q -t 10 2>&1; echo udhcpc: $?; " + SHOW
ROUTE = "eth0\t00000000\t0202000A\t0003"


def run(net, script, *args):
    p = subprocess.run([OCHRE, "run", "--timeout", "300", "--net", net, *args, "--", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
    check(p.returncode == 0, "status %d:\n%s" % (p.returncode, p.stdout))
    return p.stdout


def says(said, *words):
    for w in words:
        check(w in said, "the guest does not say '%s':\n%s" % (w, said))


LEASE = "lease of 10.0.2.15 obtained", "udhcpc: 0", "addr:10.0.2.15", "Mask:255.255.255.0"
said = run("restricted", UDHCPC)        # this server names no router
says(said, *LEASE)
check(ROUTE not in said, said)
says(run("user", UDHCPC), *LEASE, ROUTE, "nameserver 10.0.2.3")

said = run("restricted", "dmesg; cat /proc/net/pnp; " + SHOW, "--append", "ip=dhcp")
says(said, "eth0 has 10.0.2.15/24 by DHCP", "#PROTO: DHCP", "bootserver 10.0.2.2", "addr:10.0.2.15")
check(ROUTE not in said, said)
said = run("user", "dmesg; hostname; cat /proc/net/pnp; " + SHOW, "--append", "ip=:::::eth0:dhcp")
says(said, "eth0 has 10.0.2.15/24 by DHCP", "#PROTO: DHCP", ROUTE, "nameserver 10.0.2.3")
said = run("restricted", "dmesg; " + SHOW, "--append", "ip=10.0.2.77::::other:eth0:dhcp")     # an address that is given stays
says(said, "eth0 has 10.0.2.77/8", "addr:10.0.2.77")
print("ok")
