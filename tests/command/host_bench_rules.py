#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bench reads what the guest and the plugin say, and its gate fails what costs over 2 % more, and nothing else."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import bench, bench_apps, bench_boot, bench_gate, bench_peer, bench_profile, bench_show  # noqa: E402
from ochre.util import Fail  # noqa: E402

TEXT = "boot\r\nidle 1000\t1\r\nop stat\t10\t5000\t5000\t2\r\nop switch, by pipes\t5\t1000\t900\t3\r\nend\r\n"
ROWS = [[9] * 8, [100, 1000, 5, 5, 0, 0, 0, 10], [1100, 2000, 25, 15, 0, 10, 0, 10], [600, 1500, 5, 5, 5, 5, 0, 20]]


def check(ok, what):
    if not ok:
        print("wrong: " + what)
        sys.exit(1)


def reading():
    found = bench.read(TEXT, ROWS)
    check(list(found) == ["stat", "switch, by pipes"], "operations")
    check(found["stat"]["instructions"] == 500 and found["switch, by pipes"]["least"] == 180, "instructions of one")
    check(found["stat"]["kernel"] == 100 and found["stat"]["atomics"] == 2 and found["stat"]["table loads"] == 1, "the plugin's counts, less the idle ones")
    check(found["switch, by pipes"]["device accesses"] == 2, "the window that the guest names")
    rows, shared, ran = bench.read_rows("entry 77\n1 2\nline 9 ffff80 ff01\nshared 12 3\n3 4\nblock ff10 5 2\n5 6\n")
    check(rows == [[1, 2], [3, 4], [5, 6]] and shared[:2] == [(0, 0, []), (12, 3, [(9, 0xffff80, 0xff01)])] and ran[2] == [(0xff10, 5, 2)],
          "the plugin's file")
    check("kernel" not in bench.read(TEXT, [])["stat"], "no counts without a plugin")


def hand_off():
    def elf(note):
        head = struct.pack("<16xHHIQQQIHHHHHH", 2, 62, 1, 0xffff80200000, 64, 0, 0, 64, 56, 2, 0, 0, 0)
        return b"\x7fELF" + head[4:] + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 0, 0, 0) + struct.pack("<IIQQQQQQ", 4, 4, 176, 0, 0, len(note), 0, 4) + note

    def image(at56, offset):
        return struct.pack("<8xQ40x", offset) + at56 + bytes(1024)

    gnu, xen = struct.pack("<III4s5s3x", 4, 5, 3, b"GNU", b"12345"), struct.pack("<III4sI", 4, 4, 18, b"Xen", 0x100040)
    for data, want, what in ((elf(b""), 0xffff80200000, "an ELF file's entry"), (elf(gnu + xen), 0x100040, "its PVH note, behind another"),
                             (elf(gnu), 0xffff80200000, "none"), (image(b"ARM\x64", 0), 0x40200000, "arm64's Image"),
                             (image(b"RSC\x05", 0x200000), 0x80200000, "riscv's"), (image(b"\xcd\x23\x82\x81", 0x241000), 0x241000, "loongarch's"),
                             (bytes(0x202) + b"HdrS" + bytes(64), 0x10200, "a bzImage"), (bytes(2048), None, "no kernel")):
        check(bench_boot.first_instruction(data) == want, "the first instruction of " + what)


def profile():
    found = bench_profile.read("idle 10\t0\nop stat\t2\t1000\t900\t1\n", "block f00 1 10\n10 0 0 0 0 0 0 0\nblock f00 1 10\nblock f11 4 3\nblock f1e 2 5\n"
                               "32 0 0 0 0 0 0 0\n", ([0xf00, 0xf10], ["idler", "walker"]))
    check(found == {"stat": {"idler": 0, "walker": 11}}, "instructions of each function for one operation, less the idle ones")
    check(bench_profile.rows({"a": 0.25, "b": 7}) == [(7, "b"), (0.25, "the rest"), (7.25, "kernel, all")], "the rest and the sum")


def apps():
    check(bench_apps.read("app nothing 100 0\napp tar 2500000 0\n") == {"nothing": 0.0001, "tar": 2.5}, "programs and their seconds")
    try:
        bench_apps.read("app nothing 100 0\napp tar 2500000 2\ntar: no room\n")
        check(False, "a program that failed is said")
    except Fail as e:
        check("tar failed with status 2" in str(e) and "tar: no room" in str(e), "with its words")
    times = {"ochre": [{"nothing": 0, "tar": t, "python": 2.0} for t in (1.0, 4.0, 3.0)],
             "peer": [{"nothing": 0, "tar": t, "python": 2.0} for t in (2.0, 4.0, 30.0)]}
    seen = {k: {"tar": {"kernel": n, "user": 7e6}, "python": {"kernel": 1e6, "user": 1e6}} for k, n in (("ochre", 6e6), ("peer", 8e6))}
    lines, ratios = bench_apps.table(times, seen, "Linux")
    check(ratios == {"tar": 0.5, "python": 1.0}, "the median of the pairs' ratios")
    check(any(l.startswith("tar ") and "6.0 / 8.0 = 0.75" in l and "7.0 / 7.0 = 1.00" in l for l in lines), "instructions beside it: %s" % lines)
    check("the kernel's work: geometric mean 0.500, worst 0.50" in lines and "the programs' own: geometric mean 1.000, worst 1.00" in lines, "by kind")


def gate():
    row = {"version": "v1", "operations": {"stat": 500.0, "open": 100.0, "gone": 7.0}}

    def judged(stat, least, why=()):
        found = {"stat": {"instructions": stat, "least": least}, "open": {"instructions": 90.0, "least": 90.0},
                 "new": {"instructions": 1.0, "least": 1.0}}
        return bench_gate.judge(row, found, dict(why))
    excused = [("gone", "nobody calls it")]
    check(judged(509.0, 509.0, excused)[1], "1.8 % more passes")
    lines, passed = judged(511.0, 511.0, excused)
    check(not passed and any(l.startswith("FAILED   stat: 511.0") for l in lines), "2.2 % more fails, by name")
    check(judged(520.0, 505.0, excused)[1], "the lowest of several readings counts")
    lines, passed = judged(600.0, 600.0, excused + [("stat", "permissions are checked")])
    check(passed and any("permissions are checked" in l for l in lines), "a reason excuses, and is shown")
    check(not judged(500.0, 500.0)[1], "an operation that is not measured any more fails")


def drawing():
    mine = {"stat": {"instructions": 500.0, "least": 500.0, "atomics": 2.04}, "alone": {"instructions": 5.0, "least": 5.0}}
    lines, ratios = bench_show.table(mine, {"stat": {"instructions": 1000.0, "atomics": 6.5}}, "Linux")
    check(ratios == {"stat": 0.5} and "2/6.5" in lines[1] and " - " in lines[2], "the table")
    check(bench_show.chart(ratios, "a & b").count("<rect") == 2 and "a &amp; b" in bench_show.chart(ratios, "a & b"), "the chart")
    check(bench_peer.lost("CONFIG_A=y\n# CONFIG_B is not set\n", "# x\nCONFIG_A=y\nCONFIG_B=n\nCONFIG_C=y\n") == ["CONFIG_C=y"], "lost options")


reading()
hand_off()
profile()
apps()
gate()
drawing()
