#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Direct reads and writes of an XFS by Linux AIO, many at a time, while blocks of the file come, go and are shared (tests/xfs/aio.c). Then ./ochre image check and xfs_repair -n
find nothing, and nothing is left in memory. usage: xfs_aio.py [linux] [SEED...]"""
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
import shared_file  # noqa: E402

shared_file.main("aio", 1500, [os.environ.get("COUNT", "400")], [("ipc/aio", "aio|req")])
