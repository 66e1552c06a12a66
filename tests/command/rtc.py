#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The battery clock: the wall clock comes from it at boot, before the first file is made, and Debian's unmodified hwclock reads it, sets it
and sets the system by it. usage: rtc.py [./ochre run options]"""
import os
import re
import subprocess
import sys

from expect import check

OCHRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../ochre")
SCRIPT = r"""
date +'date %F %H'
stat -c 'root %y' /
hwclock -r
cat /sys/class/rtc/rtc0/date /sys/class/rtc/rtc0/hctosys
grep -c '^rtc_time' /proc/driver/rtc
date -s '2040-02-29 23:10:00' > /dev/null
hwclock -w && hwclock -r
date -s '1999-01-01 00:00:00' > /dev/null
hwclock -s && date +'date %F %H'
"""


def session(title, base, options):
    # The clock runs with the guest: what the host does meanwhile does not count.
    r = subprocess.run([OCHRE, "run", "--timeout", "300"] + sys.argv[1:] + options + ["--qemu", "-rtc base=%sT07:08:09,clock=vm" % base, "--", "sh", "-c", SCRIPT],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    out = r.stdout.splitlines()
    said = "%s: status %d\n%s%s" % (title, r.returncode, r.stdout, r.stderr[-2000:])
    check(r.returncode == 0 and len(out) == 8, said)
    check(out[0] == "date %s 07" % base and out[1].startswith("root " + base), said)
    check(out[2].split()[-3] == base[:4] and ":0" in out[2] and out[3] == base and out[4] == "1" and out[5] == "1", said)
    check(re.match(r"Wed Feb 29 23:1\d:\d\d 2040 ", out[6]) is not None, said)
    check(out[7] == "date 2040-02-29 23", said)


session("q35", "2031-05-06", [])
session("pc, 4 CPUs, a leap day", "2024-02-29", ["--machine", "pc", "--cpus", "4"])
session("microvm, the last century", "1999-12-31", ["--machine", "microvm"])
session("the century's register", "2104-03-01", [])
print("ok")
