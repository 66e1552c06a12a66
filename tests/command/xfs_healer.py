#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernel's own thread, which heals too here, leaves to a health monitor's reader what that is told of, and repairs what it does not. Unmodified xfs_healer, `xfs_io -c healthmon` and `xfs_spaceman -c health` of sid on a mounted XFS: they name the file whose damage cat(1) met (which goes on where the repair comes before its second try), the shutdown and the unmount, and end with it. An AGI, and the tree of a file's extents, that are damaged on the disk are made anew; each report of
damage is answered before the shutdown, but one that cat(1) caused late may come to its repair behind that, which then fails."""
import os
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import setup  # noqa: E402
import admin  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import memtx  # noqa: E402

SCRIPT = r"""
exec 2>&1; export PATH=$PATH:/usr/sbin TERM=dumb; dmesg -n 1
has_it() { until ls -l /proc/$pid/fd 2> /dev/null | grep -q xfs_healthmon; do :; done; }
mkdir -p /m /tmp; mount -t xfs /dev/vda /m && mkdir /m/sub
for i in $(seq 200); do echo "pwrite -q $((i * 8192)) 4k"; done > /tmp/cmds; xfs_io -f /m/sub/file < /tmp/cmds > /tmp/out; umount /m; mount -t xfs /dev/vda /m
echo "== supported"; xfs_healer --supported /m; echo "rc $?"
echo "== repair"; xfs_healer --repair --foreground --everything /m > /tmp/log 2>&1 & pid=$!
has_it; sync; dd if=/dev/zero of=/dev/vda bs=4 seek=334 count=1 conv=notrunc 2> /dev/null; sync; for i in 1 2 3 4; do echo 3 > /proc/sys/vm/drop_caches; done
touch /m/new; until touch /m/new 2> /dev/null; do :; done; until umount /m 2> /dev/null; do :; done; wait $pid; echo "rc $?"; grep -v -e corrupt -e 'No modification' /tmp/log | LC_ALL=C sort -u; mount -t xfs /dev/vda /m
echo "== heard"; xfs_healer --everything --foreground /m > /tmp/log 2>&1 & pid=$!
has_it; hurt /dev/vda /m/sub/file; until cat /m/sub/file > /dev/null 2>&1; do :; done; cat /m/sub/file | wc -c
until test $(grep -c 'datafork: sick' /tmp/log) = $(grep -c -e 'datafork: Repairs successful' -e 'datafork: No modification' /tmp/log); do :; done
xfs_spaceman -c 'health -c' /m 2>&1 | grep -c "$(stat -c %i /m/sub/file).*unhealthy"; xfs_io -x -c shutdown /m; until umount /m 2> /dev/null; do :; done; wait $pid; echo "rc $?"; grep -v -e corrupt -e 'No modification' -e 'datafork: Repair unsuccessful' /tmp/log | LC_ALL=C sort -u
mount -t xfs /dev/vda /m; xfs_io -c 'healthmon -c' /m > /tmp/log 2>&1 & pid=$!
echo "== monitor"; has_it; until umount /m 2> /dev/null; do :; done; wait $pid; echo "rc $?"; cat /tmp/log
echo "== by the kernel"; dmesg | grep -c 'XFS (vda): '; mount -t xfs -o heal /dev/vda /m; xfs_io -c 'healthmon -c' /m > /tmp/log 2>&1 & pid=$!
has_it; hurt /dev/vda /m/sub/file; begin=$(cut -d. -f1 /proc/uptime); cat /m/sub/file > /dev/null; until dmesg | grep -q 'XFS (vda): repaired: '; do :; done
test $(($(cut -d. -f1 /proc/uptime) - begin)) -ge 4 && echo late; dmesg | grep 'XFS (vda): ' | sed 's/^[^]]*] //; s/inode [0-9]*/inode N/; s/([0-9]* ms)/(N ms)/'; cat /m/sub/file | wc -c; until umount /m 2> /dev/null; do :; done; wait $pid
dmesg | grep -iE 'warning|bug:|lockdep:'; echo "== end"; sync
"""
WANT = """== supported
/m: Automatically repairing per autofsck directive.
rc 0
== repair
touch: /m/new: Structure needs cleaning
rc 0
/m agno 0x0 agi: Repairs successful.
/m agno 0x0 agi: healthy
/m agno 0x0 agi: sick
/m: filesystem unmounted
/m: monitoring started
== heard
1642496
0
rc 0
/m/sub/file datafork: Repairs successful.
/m/sub/file datafork: healthy
/m/sub/file datafork: sick
/m: Automatically repairing per autofsck directive.
/m: filesystem shut down due to log I/O error, forced unmount
/m: filesystem unmounted
/m: monitoring started
== monitor
rc 0
/m: monitoring started
/m: filesystem unmounted
== by the kernel
0
cat: read error: Structure needs cleaning
late
XFS (vda): found: inode N bmapbtd (/sub/file)
XFS (vda): repaired: inode N bmapbtd (/sub/file) (N ms)
1642496
== end
"""


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        root = admin.root(tools, linux.programs(tools, d, ["hurt"]), admin.PROGRAMS + ("../libexec/xfsprogs/xfs_healer",))
        image = os.path.join(d, "image")
        images.make(image, images.Tree(), d, size="64m", options=("-n", "parent=1", "-m", "autofsck=repair"), suite="sid")
        status, said = memtx.ochre("run", "--debug", "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", SCRIPT)
        said = said.replace("\r", "")
        check(status == 0 and WANT in said, "status %d\n%s" % (status, said[-6000:]))
        memtx.judge(image)
    print("ok")


main()
