#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: a Debian is installed on a disk and booted six times
"""A Debian on a disk: apt installs packages, a second boot sees them, a boot with --snapshot leaves nothing, a second run of a disk in use is refused, a power cut loses nothing that was
synced; xfs_repair finds nothing behind any of it, and Linux, which boots from the same disk, reads the same bytes, and writes what this kernel reads."""
import os
import struct
import subprocess
import sys
import tempfile

from expect import appended, check

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import disk, rootfs, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402

OCHRE = os.path.join(ROOT, "ochre")
# As tests/debian/packages.sh: packages are built and put into a repository of files.
INSTALL = r"""
set -e; export DEBIAN_FRONTEND=noninteractive LC_ALL=C SOURCE_DATE_EPOCH=1000000000; mkdir -p /var/tmp/repo; cd /var/tmp
pkg() { mkdir -p b/DEBIAN b/usr/bin b/usr/share/$1 b/etc; printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: A <a@b>\nDepends: %s\nDescription: test\n' $1 $2 "$3" > b/DEBIAN/control
  printf '#!/bin/sh\necho %s %s\n' $1 $2 > b/usr/bin/$1; chmod 755 b/usr/bin/$1; echo conf > b/etc/$1.conf; echo /etc/$1.conf > b/DEBIAN/conffiles
  i=0; while [ $i -lt 200 ]; do echo $1 $i > b/usr/share/$1/file$i; i=$((i+1)); done; ln b/usr/share/$1/file0 b/usr/share/$1/hard; ln -s file1 b/usr/share/$1/soft
  dpkg-deb --root-owner-group -b b repo/$1_$2_all.deb > /dev/null; rm -r b; }
pkg lower 1.0 dpkg; pkg upper 1.0 'lower (>= 1.0)'; (cd repo; dpkg-scanpackages -m . > Packages 2>/dev/null)
mkdir /root/was; mv /etc/apt/sources.list* /root/was/; echo 'deb [trusted=yes] file:/var/tmp/repo ./' > /etc/apt/sources.list; o='-qq -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0'
apt-get $o update; apt-get $o -y install upper 2>&1 | grep Setting; upper; lower
cp -a /usr/share/perl /root/perl; sync /root/perl
"""
SEEN = r"""
export LC_ALL=C; mount | sed -n 's/ (r\(.\),.*/ \1/;1p'; upper; lower; dpkg -s upper | grep Status; dpkg --verify lower upper; dpkg --audit; stat -c %h /usr/share/upper/hard
diff -r /usr/share/perl /root/perl && echo same
cd /; find etc usr/bin usr/share/upper usr/share/lower root/perl var/lib/dpkg -xdev -type f | sort | xargs md5sum | md5sum
find etc usr/bin usr/share/upper root/perl -xdev -printf '%p %m %U %G %n %l %T@\n' | sort | md5sum
"""


BUSY = r"""
set -- /usr/share/perl/*/unicore; mkdir /root/busy; cd /root/busy; for i in $(seq 1000); do cp -a $1 $i; rm -rf $((i-1)); echo $i > last; sync last; echo synced $i; done
"""


def run(disk_file, script, *options, status=0):
    r = subprocess.run([OCHRE, "run", "--timeout", "300", *appended(), "--rootfs", BASE, "--save", disk_file, *options, "--", "bash", "-c", script], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL)
    check(r.returncode == status, "status %d\n%s%s" % (r.returncode, r.stdout[-3000:], r.stderr[-3000:]))
    return r.stdout.splitlines() + ([r.stderr] if status else [])


def flatten(overlay, image):
    """Puts what a qcow2 overlay has of its own into a copy of what is below it."""
    with open(overlay, "rb") as f, open(image, "r+b") as out:
        head = f.read(104)
        bits, tables, at = struct.unpack_from(">I", head, 20)[0], *struct.unpack_from(">IQ", head, 36)
        size, entry = 1 << bits, (1 << 56) - 512
        f.seek(at)
        for i, l1 in enumerate(struct.unpack(">%dQ" % tables, f.read(8 * tables))):
            if not l1 & entry:
                continue
            f.seek(l1 & entry)
            for j, l2 in enumerate(struct.unpack(">%dQ" % (size // 8), f.read(size))):
                check(not l2 >> 62 & 1, "a compressed cluster")
                if l2 & entry or l2 & 1:
                    f.seek(l2 & entry)
                    out.seek((i * (size // 8) + j) << bits)
                    out.write(bytes(size) if l2 & 1 else f.read(size))


def repaired(overlay, folder):
    image = os.path.join(folder, "flat")
    subprocess.run(["cp", "--sparse=always", BASE, image], check=True)
    os.chmod(image, 0o644)
    flatten(overlay, image)
    r = subprocess.run([OCHRE, "image", "info", image], stdout=subprocess.PIPE, text=True)
    check(r.stdout.rstrip().endswith(", clean"), r.stdout)
    r = subprocess.run([setup.find_xfsprogs("sid") + "/xfs_repair", "-n", "-f", image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    check(r.returncode == 0, r.stdout[-3000:])
    os.unlink(image)


def cut(overlay):
    """Another run of a disk in use is refused; then the power goes while files are made and removed. The last number that was synced."""
    with subprocess.Popen([OCHRE, "run", "--timeout", "100", *appended(), "--rootfs", BASE, "--save", overlay, "--", "bash", "-c", BUSY], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True) as p:
        check(p.stdout.readline() == "synced 1\n", "it does not boot")
        for more in ([], ["--snapshot"]):
            check("in use by another run" in run(overlay, "true", *more, status=2)[-1], "a second run")
        for line in p.stdout:
            last = int(line.split()[1])
            if last > 9:
                break
        p.kill()
    return last


def main():
    global BASE
    tools = setup.load() or setup.ensure()
    try:
        BASE = disk.base(",".join(rootfs.read(ROOT + "/tests/debian/packages").decode().split()), "x86_64", tools)
    except Fail as e:
        print("there is no Debian to put on a disk: %s" % str(e).splitlines()[0])
        return 77
    before = os.stat(BASE)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(BASE)) as d:
        overlay = d + "/overlay"
        out = run(overlay, INSTALL)
        check(out == ["Setting up lower (1.0) ...", "Setting up upper (1.0) ...", "upper 1.0", "lower 1.0"], out)
        repaired(overlay, d)
        seen = run(overlay, SEEN)
        check(seen[:6] == ["/dev/vda on / type xfs w", "upper 1.0", "lower 1.0", "Status: install ok installed", "2", "same"] and len(seen) == 8, seen)
        out = run(overlay, "rm -r /usr/share/upper /root/perl; dpkg -r upper 2>&1 | tail -1; sync; echo gone", "--snapshot")
        check(out[-1] == "gone", out)
        last = cut(overlay)
        out = run(overlay, SEEN + "cat /root/busy/last; rm -r /root/busy; dmesg | grep -c 'log was dirty'")
        check(out[:-2] == seen, "before and after --snapshot and a power cut: %s, not %s" % (out, seen))
        check(int(out[-2]) >= last and out[-1] == "1", "%s, not %d" % (out, last))
        out = run(overlay, SEEN + "echo from Linux > /root/linux; rm -r /root/perl/*/unicore; cp -a /usr/share/upper /root/copy", "--kernel", "linux")
        check(out == seen, "Linux: %s, not %s" % (out, seen))
        out = run(overlay, "cat /root/linux; diff -r /usr/share/upper /root/copy && echo same; ls /root/perl/*/unicore 2>&1 | grep -c 'No such'")
        check(out == ["from Linux", "same", "1"], out)
        repaired(overlay, d)
    after = os.stat(BASE)
    check((before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino), "the base image was written to")
    print("ok")
    return 0


sys.exit(main())
