#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The guest's network: a page that the guest serves on a forwarded port, what --net restricted keeps it from, and two guests on one cable. Nothing leaves the machine."""
import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
OCHRE = ROOT + "/ochre"
MEGABYTE = "yes ochre | head -c 1048576"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(*args, **kw):
    return subprocess.Popen([OCHRE, "run", "--timeout", "300", *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def until(p, word):
    """What it says up to a line with WORD."""
    said = ""
    for line in p.stdout:
        said += line
        if word in line:
            return said
    raise SystemExit("ended before it said '%s':\n%s" % (word, said))


SERVE = """
mkdir /www; (yes page | head -c 300000; echo end) > /www/index.html
httpd -p 80 -h /www
cat /etc/resolv.conf
ping -c1 -W5 10.0.2.2 > /dev/null && echo gateway answers
ping -c1 127.0.0.2 > /dev/null && echo lo answers
echo ready
read line
"""


def forwarded():
    port = free_port()
    p = start("--net", "restricted", "--forward", "%d:80" % port, "--", "sh", "-c", SERVE)
    said = until(p, "ready")
    for word in ("nameserver 10.0.2.3", "gateway answers", "lo answers"):
        check(word in said, "the guest does not say '%s':\n%s" % (word, said))
    page = urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=120).read()
    check(len(page) == 300004 and page.endswith(b"end\n"), "the page has %d bytes" % len(page))
    rest, _ = p.communicate("\n")
    check(p.returncode == 0, "status %d:\n%s" % (p.returncode, rest))


def cable():
    with tempfile.TemporaryDirectory() as d:
        path = d + "/cable"
        a = start("--net", "socket=" + path, "--", "sh", "-c", "mkdir /www; %s > /www/f; httpd -p 80 -h /www; echo ready; read line" % MEGABYTE)
        until(a, "ready")
        b = start("--net", "socket=" + path, "--", "sh", "-c", "ping -c1 -W20 10.0.3.1 > /dev/null && echo reached; wget -qO- http://10.0.3.1/f | md5sum; %s | md5sum" % MEGABYTE)
        said, _ = b.communicate()
        a.communicate("\n")
        sums = re.findall(r"^([0-9a-f]{32}) ", said, re.M)
        check("reached" in said and len(sums) == 2 and sums[0] == sums[1] and not a.returncode and not b.returncode, "the second guest:\n" + said)


# The user network advertises fec0::/64: an address, a router, a neighbour that answers.
SIX = """
httpd -p 80 -h /etc
for i in $(seq 60); do grep -q ^fec0 /proc/net/if_inet6 && ! grep -q ^fec0.*" 40 .. [4-7c-f]. " /proc/net/if_inet6 && break; sleep 1; done
cat /proc/net/if_inet6 /proc/net/ipv6_route
ping6 -c1 -W5 ::1 > /dev/null && echo lo answers
ping6 -c1 -W5 fec0::2 > /dev/null && echo host answers
ping6 -c1 -W5 fe80::2%eth0 > /dev/null && echo link answers
wget -qO- http://[::1]/hostname && echo page there
echo six | nc -w 5 ::1 80 > /dev/null && echo nc there
"""


def six():
    p = start("--net", "restricted", "--", "sh", "-c", SIX)
    said, _ = p.communicate()
    for word in ("fec0000000000000", "lo answers", "host answers", "link answers", "page there", "nc there"):
        check(word in said, "the guest does not say '%s':\n%s" % (word, said))
    check(re.search(r"^0{32} 00 0{32} 00 fe80\w{28} 00000400 .*eth0$", said, re.M), "no default route:\n" + said)


forwarded()
cable()
six()
print("ok")
