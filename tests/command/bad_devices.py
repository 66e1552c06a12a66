#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Virtio devices that break the rules, while programs use them (tools/ochre/vhost.py says what they do): the debug kernel reports nothing,
gives up those that wrote nonsense into their rings, goes on with the others, and frees who waits for one that never answers when that is
reset. Which device does what depends on the seed and the requests that come; when they come does not."""
import os
import sys

from expect import check

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import fuzz_virtio, setup  # noqa: E402

KERNEL = os.path.join(ROOT, "build/x86_64-debug/vmlinux")
CHARACTERS = ["honest", "breaker", "silent", "liar", "breaker", "gone", "restless", "breaker", "ring", "early"]

m, wrong = fuzz_virtio.one(setup.load(), KERNEL, 1, 300, characters=CHARACTERS, requests=3000)
said = m.console.decode(errors="replace")
what = "%s\n%s\n%s" % (fuzz_virtio.shown(m), "\n".join(str((d.character, d.packed, d.counts)) for d in m.devices), said[-3000:])
check(wrong is None, "%s\n%s" % (wrong, what))
broke = sum(1 for d in m.devices if d.character == "breaker" and (d.counts.get("twice") or d.counts.get("nothing")))
check(broke and said.count("the device broke the rules of its queue; it is given up") >= broke, "%d devices broke the rules\n%s" % (broke, what))
check("the device was reset with requests under way; it is given up" in said, "a reset is noticed\n" + what)
check(m.devices[0].counts["requests"] > 50 and m.figures[0] > m.figures[1], "others work\n" + what)
print("all is well: " + fuzz_virtio.shown(m))
