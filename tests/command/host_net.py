# SPDX-License-Identifier: MIT
"""What --net and --forward ask of QEMU: the words, ports that are taken, who listens at a cable."""
import os
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from ochre import arches, net  # noqa: E402
from ochre.util import Fail  # noqa: E402

X86, ARM, ALPHA = (arches.ALL[a] for a in ("x86_64", "aarch64", "alpha"))
bad = []


def eq(got, want):
    if got != want:
        bad.append("%r, not %r" % (got, want))


def refused(word, *args):
    try:
        net.plan(*args)
    except Fail as e:
        if word not in str(e):
            bad.append("%s: says %s" % (args[:2], e))
        return
    bad.append("%s: taken" % (args[:2],))


eq(net.plan("none", [], X86, "q35"), ([], ""))
eq(net.plan(None, [], ALPHA, "clipper"), ([], ""))
qemu, words = net.plan(None, [], X86, "q35")
eq(qemu, ["-netdev", "user,id=net0", "-device", "virtio-net-pci,romfile=,netdev=net0,mac=52:54:00:12:34:56"])
eq(words, "net.ifnames=0 ip=10.0.2.15::10.0.2.2:255.255.255.0:ochre:eth0:off:10.0.2.3")
eq(net.plan("restricted", [], X86, "microvm")[0][1:4:2], ["user,id=net0,restrict=on", "virtio-net-device,netdev=net0,mac=52:54:00:12:34:56"])
eq(net.plan("user", [], ARM, "virt")[0][3][:18], "virtio-net-device,")
eq(net.plan("tap=t0", [], X86, "pc"), (["-netdev", "tap,id=net0,ifname=t0,script=no,downscript=no", "-device",
                                        "virtio-net-pci,romfile=,netdev=net0,mac=52:54:00:12:34:56"], "net.ifnames=0"))
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    s.listen()
    port = s.getsockname()[1]
    refused("in use", "user", ["%d:22" % port], X86, "q35")
    eq(net.plan("user", ["%d:22" % port], X86, "q35", False)[0][1], "user,id=net0,hostfwd=tcp:127.0.0.1:%d-:22" % port)
for rule in ("22", "a:b", "1:2:3", "70000:1", "0:1", "1.2.3:4:5:6"):
    refused("--forward", "user", [rule], X86, "q35")
eq(net.forwards(["0.0.0.0:8080:80"]), [("0.0.0.0", 8080, 80)])
with tempfile.TemporaryDirectory() as d, socket.socket(socket.AF_UNIX) as s:
    path = d + "/cable,1"
    first = net.plan("socket=" + path, [], X86, "q35")
    eq(first[0][1], "stream,id=net0,server=on,addr.type=unix,addr.path=%s/cable,,1" % d)
    eq(first[1], "net.ifnames=0 ip=10.0.3.1:::255.255.255.0:ochre:eth0:off")
    s.bind(path)
    s.listen()
    second = net.plan("socket=" + path, [], X86, "q35")
    eq(second[0][1][:27], "stream,id=net0,server=off,a")
    eq((second[0][3][-2:], second[1][14:25]), ("57", "ip=10.0.3.2"))
for kind in ("", "x", "tap", "tap=", "none=1"):
    refused("--net takes", kind or "?", [], X86, "q35")
print("\n".join(bad) or "ok")
sys.exit(bool(bad))
