#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files of a mounted XFS exchange ranges of blocks by the calls of Linux (tests/xfs/exchange.c), which answer as Linux does, and by sid's xfs_io; ./ochre image check and xfs_repair -n
find nothing afterwards. With the word "linux" the same runs on Debian's Linux. An exchange that a shutdown ends is finished by recovery, ours and Linux's."""
import os
import re
import shutil
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

CASES = (("sid", ("-i", "exchange=1"), ""), ("sid", ("-b", "size=1024", "-m", "rmapbt=1", "-i", "exchange=1,nrext64=0"), ""),
         ("sid", ("-m", "reflink=0,rmapbt=0", "-i", "exchange=1"), ""), ("sid", ("-i", "exchange=0"), "plain"))
DISKS = ["vd" + c for c in "abcd"]
SCRIPT = "mkdir -p /m /tmp; " + "; ".join(
    "mount -t xfs /dev/%s /m && mkdir /m/d && exchange /m/d %s && umount /m || { dmesg | tail -40; exit 1; }" % (disk, case[2]) for disk, case in zip(DISKS, CASES)) + \
    "; TOOL\ndmesg | grep -iE 'warning|bug:|lockdep:' && exit 1; sync; echo the end"
# A letter for each 4 KiB of a file. FILE1 of the call is the donor, which is the argument.
TOOL = r"""
export PATH=$PATH:/usr/sbin; mount -t xfs /dev/vda /m; cd /m
show() { for f in a b; do tr '\0' . < $f | fold -b -w 4096 | cut -b 1 | tr -d '\n'; echo " $f $(stat -c %s $f)"; done; }
do_io() { echo "== $1"; xfs_io -c "$1" a 2>&1; show; }
xfs_io -f -c 'pwrite -q -S 0x61 0 16k' a; xfs_io -f -c 'pwrite -q -S 0x62 0 32k' -c 'truncate 30000' b
do_io 'exchangerange b'; do_io 'exchangerange -n b'; do_io 'exchangerange -s 4k -d 8k -l 8k b'; do_io 'exchangerange -c -f -s 0 -d 0 -l 4k b'
xfs_io -c 'fpunch 0 4k' b; do_io 'exchangerange -w -s 0 -d 8k -l 8k b'; do_io 'exchangerange -s 1 -l 4k b'; do_io 'exchangerange a'
echo '== update'; xfs_io -c startupdate -c 'pwrite -q -S 0x63 0 8k' -c commitupdate /m/a 2>&1; show
echo '== stale'; xfs_io -c startupdate -c 'pwrite -q -S 0x64 0 8k' -c 'open /m/a' -c 'pwrite -q -S 0x65 20k 1k' -c 'file 0' -c commitupdate /m/a 2>&1; show
cd /; umount /m; mount -t xfs /dev/vdd /m; cd /m; for f in a b; do xfs_io -f -c 'pwrite -q -S 0x65 0 4k' $f; done; do_io 'exchangerange b'; echo '== done'; cd /; umount /m
"""
SAYS = """== exchangerange b|bbbbbbbb a 30000|aaaa b 16384
== exchangerange -n b|bbbbbbbb a 30000|aaaa b 16384
== exchangerange -s 4k -d 8k -l 8k b|bbaabbbb a 30000|abba b 16384
== exchangerange -c -f -s 0 -d 0 -l 4k b|abaabbbb a 30000|bbba b 16384
== exchangerange -w -s 0 -d 8k -l 8k b|ababbbbb a 30000|.aba b 16384
== exchangerange -s 1 -l 4k b|exchangerange: Invalid argument|ababbbbb a 30000|.aba b 16384
== exchangerange a|exchangerange: Invalid argument|ababbbbb a 30000|.aba b 16384
== update|Committed updates to '/m/a'.|ccabbbbb a 30000|.aba b 16384
== stale|committing update: Device or resource busy|ccabbebb a 30000|.aba b 16384
== exchangerange b|exchangerange: Operation not supported|e a 4096|e b 4096
== done"""


CUT = "mkdir -p /m; mount -t xfs /dev/vda /m && exchange /m cut && umount /m; echo the end"
CHECK = "mkdir -p /m; mount -t xfs /dev/vda /m && exchange /m check && umount /m && echo the end"


def interrupted(root, d):
    """Wherever the shutdown comes, before, in or behind the exchange. Cuts in the middle of one are command/xfs_share's too."""
    for i, options in enumerate(((), ("-b", "size=1024", "-m", "rmapbt=1"), ())):
        image = os.path.join(d, "cut%d" % i)
        images.make(image, images.Tree(i), d, size="128m", options=options + ("-i", "exchange=1"), suite="sid")
        said = memtx.ochre("run", "--debug", "--timeout", "120", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", CUT)[1]
        check("exchange: ok" in said and "the end" in said, said[-6000:])
        copy = shutil.copy(image, image + ".copy")
        said = memtx.ochre("run", "--debug", "-v", "--timeout", "120", "--cpus", "2", "--rootfs", root, "--disk", image, "--", "sh", "-c", CHECK)[1]
        check("files are " in said and "the end" in said, said[-6000:])
        memtx.judge(image, ("sid",))
        ours = "files are exchanged" in said
        said = linux.run(root, [copy], CHECK, cpus=2)
        check(("files are exchanged" if ours else "files are as they were") in said and "the end" in said, said[-6000:])
        memtx.judge(copy, ("sid",))
        os.unlink(image)
        os.unlink(copy)


def main():
    tools = setup.load() or setup.ensure()
    with tempfile.TemporaryDirectory() as d:
        disks = []
        for i, (suite, options, _) in enumerate(CASES):
            disks.append(os.path.join(d, "image%d" % i))
            images.make(disks[-1], images.Tree(i), d, size="64m", options=options, suite=suite)
        root = admin.root(tools, linux.files(tools, d, ["exchange"]))
        if "linux" in sys.argv[1:]:
            said = linux.run(root, disks, SCRIPT.replace("TOOL", TOOL), cpus=2)
        else:
            argv = [a for disk in disks for a in ("--disk", disk)]
            said = memtx.ochre("run", "--debug", "--timeout", "250", "--cpus", "2", "--rootfs", root, *argv, "--", "sh", "-c", SCRIPT.replace("TOOL", TOOL))[1]
        told = re.findall(r"^(?:== .*|exchangerange: .*|committing .*|Committed .*|\S+ [ab] \d+)$", said.replace("\r", ""), flags=re.M)
        check("|".join(told) == SAYS.replace("\n", "|"), said[-6000:])
        check("the end" in said and said.count("exchange: ok") == len(CASES), said[-6000:])
        for disk in disks:
            memtx.judge(disk, ("sid",))
        if "linux" not in sys.argv[1:]:
            interrupted(root, d)
    print("ok")


main()
