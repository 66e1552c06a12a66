#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the command says to a wrong command line: one clear line, status 2, and nothing on stdout."""
import os
import shutil
import subprocess
import sys
import tempfile

OCHRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../ochre")


def run(*argv, **kw):
    return subprocess.run([OCHRE] + list(argv), capture_output=True, text=True, stdin=subprocess.DEVNULL, **kw)


for argv, words in [
    (["frob"], "frob"), (["run", "--frob"], "--frob"), (["run", "--cpus", "0"], "--cpus"), (["run", "--cpus", "999"], "1 to 288"), (["run", "--cpus", "256", "--machine", "pc"], "1 to 255"),
    (["run", "--memory", "lots"], "memory"), (["run", "--machine", "vax"], "vax"), (["run", "--disk", "/nonexistent"], "/nonexistent"),
    (["run", "--rootfs", "/nonexistent"], "/nonexistent"), (["run", "--rootfs", "/etc/passwd"], "cpio"),
    (["run", "--kernel", "/nonexistent"], "/nonexistent"), (["run", "--packages", "git"], "--rootfs debian"), (["run", "--rootfs", "debian", "--packages", "A;b"], "no name of a package"), (["run", "--share", "/tmp"], "later"), (["run", "--save", "x"], "root on a disk"), (["run", "--snapshot"], "goes with a disk"),
    (["run", "--memory-root"], "--rootfs debian"), (["run", "--rootfs", "/bin", "--save", "x"], "root on a disk"),
    (["run", "--net", "lan"], "--net takes"), (["run", "--net", "tap"], "--net takes"), (["run", "--forward", "80"], "--forward takes"), (["run", "--forward", "0:80"], "--forward takes"), (["run", "--net", "none", "--forward", "8080:80"], "--forward goes with"), (["run", "--arch", "alpha", "--net", "user"], "no network"), (["run", "ls"], "--"), (["run", "--"], "no command"), (["bench", "--against", "/nonexistent"], "no such file"), (["image"], "required"), (["image", "ls", "/nonexistent"], "no such image"), (["image", "cat", "README.md"], "path of a file"), (["image", "burn", "x"], "burn"), (["fuzz", "--time", "5y"], "--time"), (["fuzz", "--target", "nothing"], "--target"), (["fuzz", "--runs", "0"], "--runs"), (["fuzz", "--target", "parties", "--minimise"], "--target parties"), (["fuzz", "--target", "parties", "--replay"], "--replay"),
    (["fuzz", "--merge", "/nonexistent"], "/nonexistent"), (["fuzz", "--replay", "/nonexistent"], "/nonexistent"), (["triage"], "nothing to triage"), (["triage", "/nonexistent"], "/nonexistent"), (["triage", "--check", "/nonexistent"], "/nonexistent"),
    (["analyze", "--tool", "lint"], "there is no 'lint'"), (["analyze", "--changed", "nonsense-ref"], "nonsense-ref"), (["analyze", "-j", "0"], "-j"),
    (["analyze", "-j", "x"], "-j"), (["analyze", "--", "x"], "--"), (["analyze", "--tool", "sparse", "no/such/file"], "no/such/file"),
    (["test", "--arch", "alpha", "--kernel", "linux"], "no Linux of alpha"), (["run", "--arch", "sparc64", "--kernel", "linux"], "no Linux of sparc64"),
    (["test", "--arch", "alpha", "--kernel", "README.md"], "no programs"), (["test", "--kernel", "/nonexistent"], "/nonexistent"),
    (["test", "--", "x"], "--"), (["run", "--arch", "vax"], "vax"), (["test", "--frob"], "--frob"),
]:
    r = run(*(argv if argv[0] != "run" or "--dry-run" in argv or "--" in argv else argv + ["--dry-run"]))
    lines = r.stderr.strip().splitlines()
    assert r.returncode == 2, (argv, r.returncode, r.stderr)
    assert len(lines) == 1 and words in lines[0], (argv, r.stderr)
    assert not r.stdout, (argv, r.stdout)

# They come before any set-up: on a fresh clone nothing is fetched first.
with tempfile.TemporaryDirectory() as d:
    clone = d + "/clone"
    shutil.copytree(os.path.dirname(OCHRE), clone, ignore=shutil.ignore_patterns("build", ".git"), symlinks=True)
    for argv in (["run", "--arch", "sparc64", "--kernel", "linux"], ["run", "--kernel", "/nonexistent"], ["run", "--rootfs", "/nonexistent"], ["run", "--cpus", "0"],
                 ["run", "--disk", "/nonexistent"], ["run", "--arch", "riscv64", "--firmware", "uefi"], ["test", "--arch", "alpha", "--kernel", "linux"]):
        r = subprocess.run([clone + "/ochre"] + argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert r.returncode == 2 and len(r.stderr.strip().splitlines()) == 1, (argv, r.stderr)
        assert not os.path.exists(clone + "/build/host/tools.json") and not os.path.exists(clone + "/build/host/apt"), argv

for name in ("run", "test", "build", "setup", "doctor", "clean", "coverage", "analyze"):
    r = run(name, "--help")
    assert r.returncode == 0 and "usage" in r.stdout, name
r = run()
assert r.returncode == 2 and "./ochre run" in r.stdout

with tempfile.TemporaryDirectory() as d:      # a machine without a tool
    os.symlink(sys.executable, d + "/python3")
    r = run("run", "--dry-run", "--machine", "pc", "--cpus", "3", "--append", "a=b c", "--memory", "64M")
    assert r.returncode == 0 and "-smp 3" in r.stdout and "a=b c" in r.stdout and "-M pc" in r.stdout and "65536k" in r.stdout, r
print("ok")
