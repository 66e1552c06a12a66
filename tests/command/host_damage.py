#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/damage: what it says it changed is what changed, and no other byte; the same seed on the same image does the same; an undo record puts it back; checksums are
right where it says so; whatever images have become, it ends; wrong arguments are refused. ./ochre heal-demo refuses its own."""
import os
import re
import struct
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, TOP + "/tools")
sys.path.insert(0, TOP + "/tests/xfs")
from ochre import damage as tool  # noqa: E402
import damage  # noqa: E402
import images  # noqa: E402

LINE = re.compile(r"(\w+)(?: AG (\d+)|(?: inode)? (\d+))? daddr (\d+): ([\w\[\] ]+) 0x([0-9a-f]+) -> 0x([0-9a-f]+), checksum (right|wrong), (not met by its readers|met by its readers \(([\w ]*)\))\n")
TYPES = ["sb", "agf", "agfl", "agi", "bnobt", "cntbt", "inobt", "finobt", "rmapbt", "refcountbt", "inode", "bmapbtd", "bmapbta", "fscounters"]
LIST = "sb AG 1: 1\nagf AG 0: 1\nagf AG 1: 1\nagfl AG 0: 1\nagfl AG 1: 1\nagi AG 0: 1\nagi AG 1: 1\nbnobt AG 0: 6\nbnobt AG 1: 1\ncntbt AG 0: 6\ncntbt AG 1: 1\ninobt AG 0: 1\n" \
    "inobt AG 1: 1\nfinobt AG 0: 1\nfinobt AG 1: 1\nrmapbt AG 0: 21\nrmapbt AG 1: 1\nrefcountbt AG 0: 1\nrefcountbt AG 1: 1\ninode AG 0: 44\nbmapbtd AG 0: 11\nbmapbta AG 0: 1\nfscounters AG 0: 1\n"
# Where the checksum of each lies, in how many bytes.
SUMS = {"sb": (224, 512), "fscounters": (224, 512), "agf": (216, 512), "agfl": (32, 512), "agi": (312, 512), "inode": (100, 512), "bmapbtd": (64, 1024), "bmapbta": (64, 1024)}


def make(path, folder):
    t = images.Tree(5)
    for i in range(40):
        t.file("f%d" % i, b"x" * (i * 50))
    t.file("sparse", [(i * 8192, t.bytes(1024)) for i in range(600)])
    for i in range(200):
        t.attr("sparse", "user", "name%d" % i, t.bytes(600))
    options = ("-b", "size=1024", "-m", "rmapbt=1,uuid=01234567-89ab-cdef-0123-456789abcdef", "-n", "parent=1")
    images.make(path, t, folder, size="64m", options=options + ("-d", "agcount=2"), suite="sid")


def run(*argv, status=0):
    r = subprocess.run([PROGRAM, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert r.returncode == status, (argv, r.returncode, r.stdout, r.stderr[-3000:])
    return r.stdout if not status else r.stderr


def content(path):
    with open(path, "rb") as f:
        return f.read()


def whole_sum(data, kind, at):
    crc, size = SUMS.get(kind, (52, 1024))
    block = bytearray(data[at:at + size])
    stored, = struct.unpack_from("<I", block, crc)
    block[crc:crc + 4] = bytes(4)
    return stored == damage.crc32c(block), crc, size


def one(image, seed, was, *more):
    """Damages, compares, and undoes it: the line's parts."""
    undo = image + ".undo"
    dry = run("--seed", str(seed), "--dry-run", *more, image)
    assert content(image) == was, "--dry-run wrote"
    line = run("--seed", str(seed), "--undo", undo, *more, image)
    assert line == dry, (line, dry)
    m = LINE.fullmatch(line)
    assert m, line
    kind, old, new, now, at = m[1], bytes.fromhex(m[6]), bytes.fromhex(m[7]), content(image), int(m[4]) << 9
    right, crc, size = whole_sum(now, kind, at)
    changed = [i for i in range(at, at + size) if now[i] != was[i] and not (m[8] == "right" and at + crc <= i < at + crc + 4)]
    assert now[:at] == was[:at] and now[at + size:] == was[at + size:], line
    assert changed and old != new and len(old) == len(new), line
    places = [i for i in range(max(at, changed[-1] - len(new) + 1), changed[0] + 1) if was[i:i + len(old)] == old and now[i:i + len(new)] == new]
    assert places, line
    assert right == (m[8] == "right"), line
    assert m[8] == "right" or m[9].startswith("met"), line      # a wrong checksum is always met
    run("--revert", undo, image)
    assert content(image) == was, "it is not undone"
    return m


def exact(image, was):
    """Of what mkfs.xfs writes always, and splitmix64 draws always."""
    for argv, line in EXACT:
        assert run("--dry-run", *argv.split(), image) == line, (argv, run("--dry-run", *argv.split(), image))
    assert run("--list", image) == LIST, run("--list", image)
    assert run("--list", "--type", "inobt,agi", "--ag", "1", image) == "agi AG 1: 1\ninobt AG 1: 1\n"
    ino = int(one(image, 1, was, "--type", "bmapbtd")[3])
    assert run("--list", "--inode", str(ino), image) == "inode AG 0: 1\nbmapbtd AG 0: 11\nbmapbta AG 0: 1\n"
    for kind in TYPES:
        m = one(image, 3, was, "--type", kind)
        assert m[1] == kind, m[0]
    for side in ("right", "wrong"):
        assert {one(image, s, was, "--checksum", side)[8] for s in range(4)} == {side}


def spread(image):
    """Half and half; everything is aimed at; what --met says its readers meet xfs_repair finds."""
    seen = [LINE.fullmatch(run("--dry-run", "--seed", str(s), image)) for s in range(240)]
    assert {m[1] for m in seen} == set(TYPES), {m[1] for m in seen}
    right = sum(m[8] == "right" for m in seen)
    assert 85 < right < 155, right
    seen = [LINE.fullmatch(run("--dry-run", "--met", "--curable", "--seed", str(s), image)) for s in range(100)]
    assert all(m[9].startswith("met") for m in seen)
    assert not any(m[5] in ("lsn", "size", "mode", "nlink") or m[5].startswith("unlinked") for m in seen)


def wrong(image):
    for argv, words in ((["--type", "moon"], "--type"), (["--seed", "x"], "--seed"), (["--seed", "-1"], "--seed"), (["--ag", "9999999999"], "--ag"), (["--checksum", "maybe"], "--checksum"),
                        (["--frob"], "usage"), ([image], "usage")):
        assert words in run(*argv, image, status=2), argv
    assert "usage" in run(status=2)
    assert "nothing of that" in run("--ag", "7", image, status=1)
    assert "nothing of that" in run("--inode", "3", image, status=1)
    assert "No such file" in run("/nonexistent", status=1)
    with open(image + ".junk", "w") as f:
        f.write("5 99999999\n")
    assert "no undo record" in run("--revert", image + ".junk", image, status=1)
    for argv, words in ((["--seed", "x"], "--seed"), (["--count", "0"], "--count"), (["--count", "ten"], "--count"), (["--type", "moon"], "--type"), (["--type", "agfl"], "--type"),
                        (["--kernel", "vax"], "vax"), (["--kernel", "linux", "--healer", "kernel"], "no such thread"), (["--healer", "me"], "me"), (["more"], "more"), (["--", "x"], "--")):
        r = subprocess.run([TOP + "/ochre", "heal-demo", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = r.stderr.strip().splitlines()
        assert r.returncode == 2 and len(lines) == 1 and words in lines[0] and not r.stdout, (argv, r)


def ends(image, was):
    """Damage upon damage, in an image that has less and less sense."""
    for seed in range(240):
        if seed % 40 == 0:
            with open(image, "r+b") as f:
                f.write(was)
        r = subprocess.run([PROGRAM, "--seed", str(seed), image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        assert r.returncode in (0, 1) and "Sanitizer" not in r.stdout, (seed, r.returncode, r.stdout[-3000:])


EXACT = [
    ("--type agf --seed 1", "agf AG 1 daddr 65537: refc_level 0x00000001 -> 0x00000000, checksum wrong, met by its readers (crc)\n"),
    ("--type agf --seed 3 --checksum right", "agf AG 1 daddr 65537: seqno 0x00000001 -> 0x00000081, checksum right, met by its readers (seqno)\n"),
    ("--type agi --ag 1 --seed 9", "agi AG 1 daddr 65538: level 0x00000001 -> 0x808e6bfe, checksum wrong, met by its readers (crc)\n"),
    ("--type agfl --seed 4", "agfl AG 0 daddr 3: magic 0x5841464c -> 0x5841464d, checksum right, met by its readers (magic)\n"),
    ("--type bnobt --ag 1 --seed 5 --met", "bnobt AG 1 daddr 65540: magic 0x41423342 -> 0x64a335f4, checksum right, met by its readers (magic)\n"),
    ("--type inobt --ag 0 --seed 6", "inobt AG 0 daddr 8: uuid 0x0123456789abcdef -> 0x0123456789abcdee, checksum wrong, met by its readers (crc)\n"),
    ("--type sb --seed 7", "sb AG 1 daddr 65536: uuid 0x0123456789abcdef -> 0xffffffffffffffff, checksum wrong, met by its readers (crc)\n"),
    ("--type inode --inode 70 --seed 8 --curable --met", "inode 70 daddr 70: ino 0x0000000000000046 -> 0x0000004000000046, checksum right, met by its readers (ino)\n"),
    ("--type bmapbtd --seed 2", "bmapbtd inode 107 daddr 270: record 8 lo 0x0000000101800004 -> 0x0000000000000000, checksum right, met by its readers (rec)\n"),
]

def main():
    global PROGRAM
    with tempfile.TemporaryDirectory() as d:
        PROGRAM = tool.program(("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"), os.path.join(d, "damage"))
        image = os.path.join(d, "image")
        make(image, d)
        was = content(image)
        exact(image, was)
        for seed in range(12):
            one(image, seed, was)
        spread(image)
        wrong(image)
        ends(image, was)
    print("ok")


main()
