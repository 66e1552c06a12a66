#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bench reads what the guest and the plugin say, and its gate fails what costs over 2 % more, and nothing else."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import bench, bench_gate, bench_peer, bench_show  # noqa: E402

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
    rows, shared = bench.read_rows("1 2\nline 9 ffff80 ff01\nshared 12 3\n3 4\n")
    check(rows == [[1, 2], [3, 4]] and shared == [(0, 0, []), (12, 3, [(9, 0xffff80, 0xff01)])], "the plugin's file")
    check("kernel" not in bench.read(TEXT, [])["stat"], "no counts without a plugin")


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
gate()
drawing()
