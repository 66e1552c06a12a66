#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPUs that no package suite has programs for: `./ochre run --arch CPU` runs our own first one, and ends as it does."""
import os
import subprocess

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")

for arch, last in ("alpha", "first: all is well"), ("sparc64", "first: passed"):
    r = subprocess.run([ROOT + "/ochre", "run", "--arch", arch, "--timeout", "120"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(r.returncode == 0 and last in r.stdout, "%s's first program (status %d):\n%s" % (arch, r.returncode, r.stdout))
print("ok")
