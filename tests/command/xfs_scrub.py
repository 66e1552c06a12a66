#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XFS_IOC_SCRUB_METADATA and SCRUBV_METADATA (tests/xfs/scrub.c, scrub_ino.c, scrub_names.c): a sound XFS, one damage a structure, errnos, vectors; what it says while tasks write (scrub_load.c). With the word "linux" the same runs on Debian's Linux; further words name the programs to run."""
import os
import sys
import tempfile

from expect import check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, os.path.join(ROOT, "tests/xfs"))
from ochre import rootfs, setup  # noqa: E402
import images  # noqa: E402
import linux  # noqa: E402
import memtx  # noqa: E402

PROGRAMS = ["scrub", "scrub_ino", "scrub_names", "scrub_links", "scrub_load"]

# Linux itself warns of some damaged pointers.
WARNED = "dmesg | grep -iE 'warning|bug:|lockdep:' && exit 1"


def main():
    tools = setup.load() or setup.ensure()
    words = sys.argv[1:]
    on_linux = words[:1] == ["linux"]
    words = words[on_linux:]
    run = ["--kernel", "linux", "--memory", "1G", "--append", "no_timer_check"] if on_linux else ["--debug"]
    with tempfile.TemporaryDirectory() as d:
        root = linux.root(tools, d, PROGRAMS) if on_linux else rootfs.busybox_root(tools, extra=linux.programs(tools, d, PROGRAMS))
        for program in words or PROGRAMS:
            image = os.path.join(d, "image")
            images.make(image, images.Tree(), d, size="64m", options=("-b", "size=1024", "-d", "agcount=2"), suite="sid")
            script = "mkdir -p /m; %s /dev/vda /m || { dmesg | tail -20; exit 1; }; %s; sync" % (program, "true" if on_linux else WARNED)
            status, said = memtx.ochre("run", *run, "--timeout", "200", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", linux.LOAD * on_linux + script)
            check(status == 0 and program + ": ok" in said, "status %d\n%s" % (status, said[-6000:]))
            memtx.judge(image)
            if on_linux:
                print(said)
            os.unlink(image)
    print("ok")


main()
