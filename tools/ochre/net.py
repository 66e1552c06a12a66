# SPDX-License-Identifier: MIT
"""The guest's network: what --net and --forward ask of QEMU, and the words for the kernel's command line that go with it.

  none         no device
  user         QEMU's own network (the default): the guest is 10.0.2.15, the host is 10.0.2.2 and forwards what the guest asks for
  restricted   the same, but nothing leaves: only what --forward lets in
  tap=NAME     a tap device of the host, which must be there; addresses are up to its owner
  socket=PATH  a cable between two guests: the first that is started listens at PATH, and is 10.0.3.1, the other is 10.0.3.2"""
import re
import socket

from .util import Fail

KINDS = "none, user, restricted, tap=NAME or socket=PATH"
GUEST, GATEWAY, NAMES = "10.0.2.15", "10.0.2.2", "10.0.2.3"
MAC = "52:54:00:12:34:%02x"


def split(kind):
    """(kind, what follows its '=')."""
    word, equals, value = (kind or "user").partition("=")
    if word not in ("none", "user", "restricted", "tap", "socket") or bool(equals) != (word in ("tap", "socket")) or equals and not value:
        raise Fail("--net takes %s, not '%s'" % (KINDS, kind))
    return word, value


def forwards(rules):
    """[(address, host's port, guest's port)] of '[ADDRESS:]HOST:GUEST'."""
    found = []
    for r in rules:
        m = re.fullmatch(r"(?:(\d+(?:\.\d+){3}):)?(\d+):(\d+)", r)
        ports = [int(p) for p in m.groups()[1:]] if m else []
        if not m or not all(0 < p < 65536 for p in ports):
            raise Fail("--forward takes [ADDRESS:]HOST:GUEST, two ports, not '%s'" % r)
        found.append((m[1] or "127.0.0.1", *ports))
    return found


def check_free(address, port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((address, port))
        except OSError as e:
            raise Fail("--forward: port %d of %s: %s" % (port, address, e.strerror.lower())) from None


def somebody_listens(path):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False


def quoted(text):
    return text.replace(",", ",,")


def static(address, gateway="", names=""):
    """ip= as Linux has it: client, server, gateway, netmask, host name, device, how, name server."""
    return "ip=%s::%s:255.255.255.0:ochre:eth0:off%s" % (address, gateway, ":" + names if names else "")


def plan(kind, rules, row, machine, start=True):
    """(QEMU's arguments, words for the kernel). ROW: of arches.py. START: the machine is about to run, not only shown."""
    word, value = split(kind)
    if kind is None and not row.debian:
        word = "none"           # its kernel has no drivers in Rust, or no programs
    ports = forwards(rules)
    if ports and word not in ("user", "restricted"):
        raise Fail("--forward goes with --net user or restricted")
    if word == "none":
        return [], ""
    if not row.debian:
        raise Fail("--net %s: there is no network on this CPU yet" % kind)
    mac, words = MAC % 0x56, ""
    if word == "tap":
        back = "tap,id=net0,ifname=%s,script=no,downscript=no" % quoted(value)
    elif word == "socket":
        second = start and somebody_listens(value)
        back = "stream,id=net0,server=%s,addr.type=unix,addr.path=%s" % ("off" if second else "on", quoted(value))
        mac, words = MAC % (0x57 if second else 0x56), static("10.0.3.%d" % (2 if second else 1))
    else:
        back = "user,id=net0" + (",restrict=on" if word == "restricted" else "")
        for address, host, guest in ports:
            if start:
                check_free(address, host)
            back += ",hostfwd=tcp:%s:%d-:%d" % (address, host, guest)
        words = static(GUEST, GATEWAY, NAMES)
    by_pci = machine != "microvm" and row.blk.endswith("-pci")
    device = "virtio-net-pci,romfile=," if by_pci else "virtio-net-device,"
    return ["-netdev", back, "-device", device + "netdev=net0,mac=" + mac], ("net.ifnames=0 " + words).strip()
