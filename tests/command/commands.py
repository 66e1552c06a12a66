#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One command in the guest: its output alone, its input, its status, its signal, the kernel's death.
usage: commands.py [./ochre run options]"""
import os
import subprocess
import sys
import tempfile

from expect import check

OCHRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../ochre")
OPTIONS = sys.argv[1:]


def run(*argv, options=(), stdin=b""):
    return subprocess.run([OCHRE, "run", "--timeout", "300"] + OPTIONS + list(options) + ["--"] + list(argv), input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


r = run("sh", "-c", "echo out; echo err >&2; exit 7")
check((r.returncode, r.stdout) == (7, b"out\n"), "output and status: %s" % r)
check(b"err\n" in r.stderr, "stderr")
data = os.urandom(200000)
r = run("cat", stdin=data)
check(r.returncode == 0 and r.stdout == data, "200,000 random bytes through cat: %d came back" % len(r.stdout))
r = run("sh", "-c", "kill -TERM $$")
check(r.returncode == 143, "128 + the signal")
r = run("nosuchprogram")
check(r.returncode == 127 and b"nosuchprogram" in r.stderr, "a command that is not there")
r = run("printf", "%s|", "a b", "", "c'd\"e", "*", "$x")
check(r.stdout == b"a b||c'd\"e|*|$x|", "arguments as they are: %r" % r.stdout)
many = ["%d" % i for i in range(3000)]
r = run("sh", "-c", "echo $# ${3000}; : %s" % ("x" * 60000), "sh", *many)
check(r.stdout == b"3000 2999\n", "3000 arguments and a script of 60,000 characters: %r" % r.stdout[:80])
r = run("sh", "-c", "echo $(nproc)", options=["--cpus", "4", "--machine", "pc"])
check(r.stdout == b"4\n", "--cpus 4 --machine pc: %r" % r.stdout)
r = run("sh", "-c", "echo hi", options=["-v"])
check(r.stdout == b"hi\n" and len(r.stderr) > 100, "-v shows the kernel's messages on stderr")
r = subprocess.run([OCHRE, "run", "--timeout", "300"] + OPTIONS, input=b"cd /tmp\necho script in $PWD\nexit 9\n", stdout=subprocess.PIPE)
check((r.returncode, r.stdout) == (9, b"script in /tmp\n"), "a script on stdin")
r = run("sleep", "100", options=["--timeout", "8"])
check(r.returncode == 124, "--timeout: %s" % r.returncode)
with tempfile.TemporaryDirectory() as d:
    os.mkdir(d + "/bin")
    with open("/bin/busybox", "rb") as f, open(d + "/bin/busybox", "wb") as g:
        g.write(f.read())
    os.chmod(d + "/bin/busybox", 0o755)
    os.symlink("busybox", d + "/bin/sh")
    with open(d + "/file", "w") as f:
        f.write("from the host\n")
    r = run("/bin/sh", "-c", "/bin/busybox cat /file", options=["--rootfs", d])
    check(r.stdout == b"from the host\n", "--rootfs DIR: %s" % r)
    cpio = subprocess.run("find . | /bin/busybox cpio -o -H newc", shell=True, cwd=d, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    with open(d + "/root.cpio", "wb") as f:
        f.write(cpio)
    r = run("/bin/busybox", "cat", "/file", options=["--rootfs", d + "/root.cpio"])
    check(r.stdout == b"from the host\n", "--rootfs CPIO: %s" % r)
    elf = b"\x7fELF\2\1\1" + bytes(9) + b"\2\0" + (183).to_bytes(2, "little") + bytes(44)
    os.makedirs(d + "/other/usr/bin")
    os.symlink("usr/bin", d + "/other/bin")
    os.symlink("/bin/dash", d + "/other/usr/bin/sh")
    with open(d + "/other/usr/bin/dash", "wb") as f:
        f.write(elf)
    cpio = subprocess.run("find . | /bin/busybox cpio -o -H newc | tee ../other.cpio | gzip", shell=True, cwd=d + "/other", stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    with open(d + "/other.gz", "wb") as f:
        f.write(cpio)
    for root in ("/other", "/other.cpio", "/other.gz"):
        r = run("true", options=["--rootfs", d + root])
        check(r.returncode == 2 and b"/bin/sh is a program for aarch64, not for x86_64" in r.stderr and r.stderr.count(b"ochre: ") == 1 and not r.stdout,
              "a root of another CPU, %s: %s" % (root, r))
# The kernel's death: process 1 gone is one.
r = subprocess.run([OCHRE, "run", "--timeout", "300"] + OPTIONS + ["--append", "rdinit=/bin/false", "--", "true"], stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)
check(r.returncode == 125 and b"panic" in r.stderr, "125 where the kernel dies, and what it said: %s" % r)
print("ok")
