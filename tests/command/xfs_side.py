#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads write directly over one file of an XFS, side by side, while other blocks of it come, go and are shared (tests/xfs/side.c). Then ./ochre image check and xfs_repair -n
find nothing, and nothing is left in memory. usage: xfs_side.py [linux] [SEED...]"""
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
import shared_file  # noqa: E402

shared_file.main("side", 800)
