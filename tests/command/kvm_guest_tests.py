#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The guest tests of this kernel in this kernel in this kernel: Debian's QEMU with -accel kvm boots it again, and there testrun runs 100 of them.
usage: kvm_guest_tests.py [--debug] [--cpus N] [--all] [--limit SECONDS] [NAME ...]"""
import argparse
import glob
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

from expect import appended, check, no_report

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
from ochre import build, disk, modules, rootfs, setup, test  # noqa: E402
from ochre.util import Fail  # noqa: E402

PACKAGES = "qemu-system-x86"
# Quick ones: of signals, registers, futexes, memory, timers, processes, files and sockets.
NAMES = """
acl aio at bdev_hold binder binder_objects buses capabilities cgroup_ns class_net copying corners cpu_x86 cpus cred devnodes devpts dirs dnotify
eventfds exec fileattr filecaps files fpu fscalls futex futex2 handles hardening icmp icmp_wire inet6_mapped inet6_tcp inet6_udp inet_tcp inet_udp
inotify ioprio ip_headers kcmp listns locks many_threads memfd memory mm mm_limits mmap mqueue net_errors netconf netdev netlink_groups netlink_many
netns nodes one_call packet perm pidfd pipe poll posix_timers prctl ptrace ptrace_user rseq seccomp self shadow_stack signals sock_diag stat sysctl
system sysvipc tcp_bulk tcp_cookies tcp_counts tcp_listeners tcp_mss tcp_pace tcp_settings tcp_strays tcp_switch tcp_timewait threads timers tso tun
udp_cork uevent unixmsg unixsock unixurgent uring uring_cancel uring_files uring_filter
""".split()
# QEMU may lose what a guest on its first CPU has in its registers (docs/kvm.md).
QEMU = ("taskset -c 1,2 qemu-system-x86_64 -accel kvm,kernel-irqchip=on -cpu host -M q35 -smp %d -m 512 -nodefaults -display none -serial stdio -no-reboot -kernel bzImage -initrd initrd "
        "-append 'console=ttyS0 panic=-1 loglevel=1'")
# The first shell's. The kernel's messages would come in between lines: its reports are shown behind them. testrun has no terminal, as under ./ochre test. What a test printed is shown if it failed: each byte is an exit.
PROFILE = r"""sh -c 'setsid /tests/testrun -1 /tests/run $(cat /tests/names) </dev/null 2>&1 | awk -f /tests/show; true'
dmesg | grep -E -A30 'WARN|BUG|Oops|Call Trace'
exit
"""
SHOW = r"""/^test [^ ]+ start$/ { print; fflush(); n = 0; next }
/^test [^ ]+ (ok|skipped|FAILED)( |$)/ { if ($3 != "ok") for (i = 0; i < n; i++) print line[i]; print; fflush(); next }
{ line[n++] = $0 }
"""


def every():
    """Names of all that can pass there."""
    return sorted(os.path.basename(p)[:-2] for p in glob.glob(ROOT + "/tests/guest/*.c")) + sorted(os.path.basename(p) for p in glob.glob(ROOT + "/tests/sh/*.sh"))


def inner_root(tools, names, debug):
    gen = test.guest_headers("x86_64")
    files = {"root/.profile": (PROFILE.encode(), 0o644), "tests/show": (SHOW.encode(), 0o644), "tests/names": ("\n".join(names).encode(), 0o644),
             "tests/testrun": (rootfs.read(rootfs.build_user(tools, "testrun")), 0o755)}
    for name in names:
        if name.endswith(".sh"):
            for end in (".sh", ".out"):
                files["tests/run/" + name[:-3] + end] = (rootfs.read(ROOT + "/tests/sh/" + name[:-3] + end), 0o644)
        else:
            path, error = test.guest_program(tools, name, "x86_64", gen)
            check(path, error)
            files["tests/run/" + name] = (rootfs.read(path), 0o755)
    modules.install("x86_64", debug)
    return rootfs.busybox_root(tools, extra={**files, **rootfs.below("lib/modules", modules.plain("x86_64", debug))})


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--debug", action="store_true")
    p.add_argument("--all", action="store_true")
    p.add_argument("--cpus", type=int, default=2)
    p.add_argument("--limit", type=int, default=500)
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    tools = setup.load() or setup.ensure()
    try:
        disk.base(PACKAGES, "x86_64", tools)
    except Fail as e:
        print("there is no Debian to put on a disk: %s" % str(e).splitlines()[0])
        return 77
    build.build(tools, "x86_64", args.debug, quiet=True)
    names = args.names or (every() if args.all else NAMES)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as d:
        with tarfile.open(d + "/files", "w") as t:
            t.add(build.outdir("x86_64", args.debug) + "/bzImage", "bzImage")
            t.add(inner_root(tools, names, args.debug), "initrd")
        script = "cd /root; tar xf /dev/vda; %s </dev/null 2>&1; echo \"-- $? $(cut -d' ' -f1 /proc/uptime)\"; dmesg | grep -E 'WARN|BUG|Oops|Out of memory'; echo ends" % (QEMU % args.cpus)
        with tempfile.TemporaryFile("w+", errors="replace") as err, subprocess.Popen(
                [os.path.join(ROOT, "ochre"), "run", *(["--debug"] if args.debug else []), "--accel", "tcg", "--cpus", "3", "--memory", "2G", "--net", "none",
                 "--timeout", str(args.limit), *appended(), "--rootfs", "debian", "--packages", PACKAGES, "--snapshot", "--disk", d + "/files", "--", "bash", "-c", script],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, text=True, errors="replace") as r:
            out = ""
            for line in r.stdout:
                out += line.replace("\r", "")
                if args.names or args.all:
                    print(line.rstrip("\r\n"), flush=True)
                if line.startswith("Code=") and "KVM internal error" in out:
                    r.send_signal(signal.SIGINT)        # the inner QEMU has said what it knows, and waits for ever
            r.wait()
            err.seek(0)
            errors = err.read()
    results = re.findall(r"^test (\S+) (ok|skipped|FAILED)(?: .*)?$", out, re.M)
    passed = [n for n, word in results if word == "ok"]
    # A test may need what is not there; the 100 need two CPUs.
    check(r.returncode == 0 and [n for n, _ in results] == names and (args.names or args.all or args.cpus < 2 or passed == names) and not [n for n, w in results if w == "FAILED"] and out.endswith("ends\n"),
          "status %d, %d of %d passed\n%s%s" % (r.returncode, len(passed), len(names), out[-8000:], errors[-3000:]))
    no_report(out)
    booted = re.search(r"^-- 0 ([\d.]+)$", out, re.M)
    check(booted, out[-3000:])
    print("ok, %d of %d passed, %d CPUs: %s s from the outer boot on, %.0f s in all" % (len(passed), len(names), args.cpus, booted[1], time.monotonic() - begin))
    return 0


sys.exit(main())
