#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unmodified `xfs_scrub -n` of sid on a mounted XFS: it is silent on a sound file system, also while two tasks write, and on read-only mounts; it names damage as on Linux (with the word "linux" the same runs there); SIGKILL ends it and its checks at once. Without -n it repairs the AGI."""
import os
import re
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
names() { while :; do mkdir /m/b/d; echo > /m/b/d/f; ln /m/b/d/f /m/sub/g; mv /m/b/d /m/sub/a; mv /m/sub/a/d/f /m/b/h; rmdir /m/sub/a/d; rm /m/b/h /m/sub/g; done; }
data() { while :; do dd if=/dev/zero of=/m/big bs=64k count=20; done; } 2> /dev/null
mkdir -p /m /tmp; mount -t xfs /dev/vda /m && mkdir /m/sub /m/sub/a /m/b
for i in $(seq 80); do echo > /m/sub/a/$i; done; xfs_io -c 'label -s some' /m > /tmp/out
for i in $(seq 200); do echo "pwrite -q $((i * 8192)) 4k"; done > /tmp/cmds; xfs_io -f /m/sub/file < /tmp/cmds > /tmp/out; sync
echo "== sound"; xfs_scrub -n /m; echo "rc $?"
echo "== busy"; names & a=$!; data & b=$!; xfs_scrub -n /m; echo "rc $?"
xfs_scrub -n /m > /tmp/out & pid=$!; usleep 300000; kill -9 $pid; wait $pid; echo "killed $?"; kill $a $b; wait
until umount /m 2> /dev/null; do :; done; mount -o ro -t xfs /dev/vda /m
echo "== read-only"; xfs_scrub -n /m; echo "rc $?"; umount /m; mount -t xfs /dev/vda /m
echo "== damaged"; hurt /dev/vda /m/sub/file; xfs_scrub -n /m; echo "rc $?"; hurt /dev/vda /m/sub/file
echo "== repaired"; sync; dd if=/dev/zero of=/dev/vda bs=4 seek=334 count=1 conv=notrunc 2> /dev/null; sync; for i in 1 2 3 4; do echo 3 > /proc/sys/vm/drop_caches; done
xfs_scrub /m > /tmp/out; echo "rc $?"; grep -e Repaired -e made /tmp/out; xfs_scrub -n /m; echo "rc $?"; umount /m
dmesg | grep -iE 'warning|bug:|lockdep:'; echo "== end"; sync
"""
WANT = """== sound
rc 0
== busy
rc 0
killed 137
== read-only
rc 0
== damaged
Info: /m/sub/file inode record: Cross-referencing failed.
Corruption: /m/sub/file data block map: Repairs are required.
Info: /m: Filesystem has errors, skipping connectivity checks.
/m: corruptions found: 1
/m: Re-run xfs_scrub without -n.
rc 1
== repaired
rc 0
Repaired: AG 0 inode header: Repairs successful.
/m: repairs made: 1.
rc 0
== end
"""


def main():
    tools = setup.load() or setup.ensure()
    on_linux = sys.argv[1:] == ["linux"]
    run = ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"] if on_linux else ["--debug"]
    with tempfile.TemporaryDirectory() as d:
        more = linux.files(tools, d, ["hurt"]) if on_linux else linux.programs(tools, d, ["hurt"])
        root = admin.root(tools, more, admin.PROGRAMS + ("xfs_scrub",))
        image = os.path.join(d, "image")
        images.make(image, images.Tree(), d, size="64m", options=("-n", "parent=1"), suite="sid")
        status, said = memtx.ochre("run", *run, "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", linux.LOAD * on_linux + SCRIPT)
        # The shell's own lines.
        said = re.sub(r"(?m)^(Killed|Terminated|sh: .*|Cannot read termcap.*|using dumb terminal.*)\n", "", said.replace("\r", ""))
        check(status == 0 and WANT in said, "status %d\n%s" % (status, said[-6000:]))
        memtx.judge(image)
    print("ok")


main()
