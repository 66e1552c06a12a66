#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A CPU that no package suite has programs for: `./ochre run --arch CPU` runs our own first one, and ends as it does.

    first.py --arch CPU"""
import os
import subprocess
import sys

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")

LAST = {"alpha": "first: all is well", "sparc64": "first: passed"}
arch = sys.argv[2]
r = subprocess.run([ROOT + "/ochre", "run", "--arch", arch, "--timeout", "300"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
check(r.returncode == 0 and LAST[arch] in r.stdout, "%s's first program (status %d):\n%s" % (arch, r.returncode, r.stdout))
print("ok")
