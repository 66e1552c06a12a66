#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the images of tests/xfs/dirty/: XFS whose log Linux left dirty, each with the tree that Linux finds after its own recovery. By hand; the tests use what is
committed. usage: dirty.py [NAME...]"""
import lzma
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.join(HERE, "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.path.insert(0, HERE)
from ochre import setup  # noqa: E402
import linux  # noqa: E402
import recovery  # noqa: E402

os.environ.update(TEST_DIR="x", TEST_DEV="x", QA_CHECK_FS="x")      # mkfs.xfs wants to be told that a small image is a test's

BEGIN = "mount -t xfs -o OPTIONS /dev/vda /m || exit 1; cd /m\n"
CRASH = "\necho 1 > /proc/sys/kernel/sysrq 2>/dev/null; echo crashing; echo b > /proc/sysrq-trigger; sleep 100\n"
WORK = {
    # names, renames, links, truncation, removal; directories that grow and shrink through all their forms
    "names": r"""
mkdir a b c; i=0; while [ $i -lt 400 ]; do echo $i > a/file$i; i=$((i+1)); done
i=0; while [ $i -lt 400 ]; do [ $((i % 3)) = 0 ] && rm a/file$i; i=$((i+1)); done
i=1; while [ $i -lt 60 ]; do mv a/file$((i*3+1)) b/renamed_to_something_longer_$i; i=$((i+1)); done
ln b/renamed_to_something_longer_7 c/hard; ln -s /some/where/else c/soft
ln -s $(printf 'x/%.0s' $(seq 1 400)) c/long
mknod c/null c 1 3; mknod c/pipe p; mkdir -p d/e/f/g; rmdir d/e/f/g; chmod 4711 c/hard; chown 1000:100 c/hard
sync; dd if=/dev/zero of=big bs=64k count=20 conv=fsync 2>/dev/null
tr '\0' 'y' < /dev/zero | head -c 300000 > grown; dd if=/dev/null of=grown bs=1 seek=100001 conv=fsync 2>/dev/null
mv big c/moved; sync; rm -r d; echo last > last; dd if=/dev/zero of=synced bs=4k count=1 conv=fsync 2>/dev/null
""",
    # sparse files with many extents (a btree), attributes of all sizes, files that are removed while open
    "extents": r"""
i=0; while [ $i -lt 120 ]; do yes $i | dd of=sparse bs=4k count=1 iflag=fullblock seek=$((i*2)) conv=notrunc 2>/dev/null; [ $((i % 40)) = 0 ] && sync; i=$((i+1)); done
sync
i=0; while [ $i -lt 20 ]; do setfattr -n user.a$i -v value_of_attribute_$i sparse; i=$((i+1)); done
i=0; while [ $i -lt 120 ]; do setfattr -n user.long_name_number_$i -v $(printf 'v%.0s' $(seq 1 90)) . ; i=$((i+1)); done
echo open > unlinked; exec 5<unlinked; rm unlinked; echo tmp > kept; exec 6<kept
mkdir many; i=0; while [ $i -lt 900 ]; do : > many/$i; i=$((i+1)); done; sync
i=0; while [ $i -lt 500 ]; do rm many/$i; i=$((i+1)); done
dd if=/dev/zero of=sparse bs=4k count=0 seek=100 2>/dev/null; fallocate -l 200000 pre 2>/dev/null; dd if=/dev/zero of=end bs=4k count=3 conv=fsync 2>/dev/null
""",
    # the log has gone round: what is replayed begins near its end
    "wrapped": r"""
mkdir w; r=0; while [ $r -lt ROUNDS ]; do
i=0; while [ $i -lt 250 ]; do : > w/a_name_that_is_long_enough_for_many_blocks_$i; i=$((i+1)); done; sync; rm w/*; sync
r=$((r+1)); done
i=0; while [ $i -lt 30 ]; do echo kept.$i > w/k$i; i=$((i+1)); done; dd if=/dev/zero of=end bs=4k count=1 conv=fsync 2>/dev/null
""",
    # quotas of all kinds, files that share blocks, and one of those that is written to
    "quota": r"""
mkdir q; i=0; while [ $i -lt 40 ]; do echo $i > q/f$i; chown $((i % 7)):$((i % 3)) q/f$i; i=$((i+1)); done; sync
yes shared | head -c 400000 > one; sync; cp --reflink=always one two; cp --reflink=always one three; sync
yes other | dd of=two bs=4k count=20 seek=5 iflag=fullblock conv=notrunc,fsync 2>/dev/null; rm three; chown 5:5 one; sync
rm q/f1*; dd if=/dev/zero of=end bs=4k count=1 conv=fsync 2>/dev/null
""",
    # names and their parent pointers are being changed by many tasks while the log is shut down: some changes have begun and not ended
    "inflight": r"""
cd /; inflight make /m || exit 1; umount /m; mount -t xfs /dev/vda /m; inflight work /m CHANGES
""",
    # the log has one transaction that was never committed whole: nothing after the last fsync need be there
    "little": r"""
echo one > one; dd if=/dev/zero of=two bs=4k count=1 conv=fsync 2>/dev/null; echo three > three
""",
}
LEAST_BEGUN = 3
CASES = {
    "names": ("names", "sid", []),
    "names-1k": ("names", "trixie", ["-b", "size=1024"]),
    "names-old": ("names", "bookworm", ["-m", "rmapbt=1", "-s", "size=4096"]),
    "extents": ("extents", "sid", ["-m", "rmapbt=1"]),
    "little": ("little", "sid", []),
    "wrapped": ("wrapped", "sid", []),
    "quota": ("quota", "sid", ["-m", "rmapbt=1"]),
    "inflight": ("inflight", "sid", ["-n", "parent=1"]),
    "inflight-1k": ("inflight", "sid", ["-n", "parent=1", "-b", "size=1024", "-m", "rmapbt=1"]),
    "sunit": ("names", "sid", ["-l", "su=32k"]),
}


def begun(image):
    """Pieces of work that the log begins and does not end."""
    r = subprocess.run([ROOT + "/ochre", "image", "replay", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    found = re.search(r"work that was begun and must be finished \(0x([0-9a-f]+)\)", r.stdout)
    return int(found[1], 16) if found else 0


def make(root, name, folder):
    work, suite, options = CASES[name]
    begin = BEGIN.replace("OPTIONS", "uquota,gquota,pquota" if work == "quota" else "rw")
    image = os.path.join(folder, "image")
    tools = setup.find_xfsprogs(suite)
    if os.path.exists(image):
        os.unlink(image)
    subprocess.run([tools + "/mkfs.xfs", "-q", "-f", *options, "-d", "file=1,name=%s,size=40m,agcount=2" % image], check=True)
    said = linux.run(root, [image], begin + WORK[work].replace("ROUNDS", os.environ.get("ROUNDS", "46")).replace("CHANGES", os.environ.get("CHANGES", "20")) + CRASH, slow=work == "inflight")
    if "crashing" not in said and "sysrq: Resetting" not in said:
        raise SystemExit("%s: %s" % (name, said[-2000:]))
    if work == "inflight" and begun(image) < LEAST_BEGUN:
        return make(root, name, folder)        # chance decides
    with open(image, "rb") as f:
        data = f.read()
    said = linux.run(root, [image], begin + recovery.LIST + "cd /; umount /m; echo the end\n")
    if "the end" not in said:
        raise SystemExit("%s: %s" % (name, said[-2000:]))
    listing = [l for l in said.splitlines() if l and not l.startswith("[") and l != "the end"]
    with lzma.open(os.path.join(HERE, "dirty", name + ".img.xz"), "wb", preset=9) as f:
        f.write(data)
    with lzma.open(os.path.join(HERE, "dirty", name + ".txt.xz"), "wb") as f:
        f.write(("\n".join(listing) + "\n").encode())
    print(name, len(listing), os.path.getsize(os.path.join(HERE, "dirty", name + ".img.xz")), flush=True)


def main():
    names = sys.argv[1:] or sorted(CASES)
    tools = setup.load() or setup.ensure()
    os.makedirs(os.path.join(HERE, "dirty"), exist_ok=True)
    with tempfile.TemporaryDirectory() as d:
        root = linux.root(tools, d, ["inflight"])
        for name in names:
            make(root, name, d)


main()
