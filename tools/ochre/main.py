# SPDX-License-Identifier: MIT
"""Reads the command line and calls the part that does it."""
import argparse
import faulthandler
import importlib
import os
import signal
import sys

from . import accel, arches
from .util import ARCHES, Fail

ABOUT = """Ochre: a kernel that runs Linux programs. The two commands to know:
  ./ochre run     builds it and boots it to a shell
  ./ochre test    builds it and tests it"""

LATER = {}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Fail("%s (see %s --help)" % (message, self.prog))


def parser():
    p = Parser(prog="./ochre", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    sub = p.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    def command(name, where, fn, help_text, **kw):
        s = sub.add_parser(name, help=help_text, description=help_text, allow_abbrev=False,
                           formatter_class=argparse.RawDescriptionHelpFormatter, **kw)
        s.set_defaults(where=where, fn=fn)
        return s

    s = command("run", "run", "cmd_run", "boot to a shell, or run one command",
                epilog="With COMMAND: its output alone on stdout, its input from stdin, its exit status returned; 128 + N\n"
                       "where signal N killed it, 125 where the kernel died, 2 where ./ochre itself could not do it.\n"
                       "Without: an interactive shell; leaving it powers the machine off.")
    s.add_argument("--arch", choices=ARCHES, default="x86_64")
    s.add_argument("--cpus", metavar="N", default="1", help="processors (1)")
    s.add_argument("--memory", metavar="SIZE", help="memory, like 256M or 2G (512M; more for a large root)")
    s.add_argument("--machine", choices=["q35", "pc", "microvm", "virt"], help="QEMU's machine (q35)")
    s.add_argument("--accel", choices=accel.CHOICES, default="auto", help="kvm, or tcg (software emulation); auto: KVM where it runs a guest")
    s.add_argument("--firmware", choices=["uefi"], help="boot through the packaged UEFI firmware (x86_64, aarch64; loongarch64 with --kernel linux, which finds no PCI without it)")
    s.add_argument("--rootfs", metavar="WHAT", default="busybox", help="busybox (default), debian (a disk; made once, by root, from the mirror), a directory,\n"
                   "a cpio archive, or a disk image with an XFS (raw or qcow2)")
    s.add_argument("--memory-root", action="store_true", help="--rootfs debian in memory: forgotten when the machine ends, and in need of much of it")
    s.add_argument("--save", metavar="FILE", help="keep in FILE (qcow2, made where it is not there) what is written to the root disk (of debian: one under\nbuild/disks; of an image: itself)")
    s.add_argument("--snapshot", action="store_true", help="forget what is written to disks when the machine ends")
    s.add_argument("--packages", metavar="A,B,...", help="Debian packages to have in --rootfs debian")
    s.add_argument("--kernel", metavar="FILE", help="boot another kernel in the same machine; 'linux': Debian's Linux, fetched once")
    s.add_argument("--bzimage", action="store_true", help="boot our kernel as a bzImage instead of as a PVH ELF")
    s.add_argument("--append", metavar="STR", default="", help="more for the kernel's command line")
    s.add_argument("--disk", metavar="IMG", action="append", default=[], help="a disk image, seen as a virtio block device")
    s.add_argument("--disk-bus", choices=["virtio", "scsi"], default="virtio", help="what disks are attached to, the root disk too: virtio (vda ...), or scsi (sda ...; a virtio SCSI host)")
    s.add_argument("--qemu", metavar="ARGS", default="", help="more arguments for QEMU, as a shell would split them")
    s.add_argument("--share", metavar="DIR", help=argparse.SUPPRESS)
    s.add_argument("--net", metavar="KIND", help="none, user (default: the guest reaches what the host reaches), restricted (only what is forwarded),\n"
                   "tap=NAME, or socket=PATH (a cable between two guests)")
    s.add_argument("--forward", metavar="[ADDRESS:]HOST:GUEST", action="append", default=[], help="a TCP port of the host (of loopback) that is the guest's")
    s.add_argument("--debug", action="store_true", help="the debug build")
    s.add_argument("--gdb", action="store_true", help="wait for gdb before the first instruction")
    s.add_argument("--dry-run", action="store_true", help="print QEMU's command line")
    s.add_argument("--timeout", metavar="SECONDS", type=float, help="give up (status 124) after so long")
    s.add_argument("-v", "--verbose", action="store_true", help="the kernel's messages on stderr")
    s.add_argument("argv", nargs="*", metavar="COMMAND ARG", help="after --: what to run instead of a shell")

    s = command("test", "test", "cmd_test", "build and test, in half an hour; ends with 'N passed, N failed, N skipped'")
    s.add_argument("--arch", choices=ARCHES, help="only this CPU")
    s.add_argument("--quick", action="store_true", help="what comes before a commit: five minutes")
    s.add_argument("--full", action="store_true", help="everything: what a run without it samples, too")
    s.add_argument("--seed", metavar="SEED", help="sample as a run did that says 'sample SEED' (default: the word in tests/seed)")
    s.add_argument("--turn", action="store_true", help="a whole run with the next sample; if it is green, its word goes into tests/seed")
    s.add_argument("--debug", action="store_true", help="only the debug build")
    s.add_argument("--kernel", metavar="FILE", help="run the guest tests under another kernel ('linux': Debian's), and nothing else")
    s.add_argument("--release", action="store_true", help="only the release build")
    s.add_argument("--fail-nth", action="store_true", help="the guest tests of the debug build, each system call failing wherever it can")
    s.add_argument("--order", metavar="WORD", help="the programs of a guest in another order: reverse, or shuffled by the word")
    s.add_argument("--list", action="store_true", help="name the tests, run none")
    s.add_argument("-j", "--jobs", metavar="N", type=int, help="keep about N cores busy (as many as there are; 1: one thing after the other)")
    s.add_argument("--strict", action="store_true", help="a test that failed and passed when it was run again, alone, counts as failed")
    s.add_argument("-v", "--verbose", action="store_true", help="show what tests print, also where they pass")
    s.add_argument("filter", nargs="*", metavar="FILTER", help="only tests whose name contains one of these")

    s = command("bench", "bench", "cmd_bench", "count the instructions that operations take, beside Linux",
                epilog="Runs bench/ops.c as the first program of each kernel in a machine that counts instructions; results in build/bench.")
    s.add_argument("--arch", choices=ARCHES, default="x86_64", help="another CPU than x86_64: the table, --against linux, --cpus, --boot")
    s.add_argument("--against", metavar="PEER", help="linux: Debian's, fetched once; linux-micro: the same cut down, built once; or a kernel's file")
    s.add_argument("--mitigations", action="store_true", help="measure a second time with mitigations on, on both sides")
    s.add_argument("--cpus", metavar="N", type=int, choices=range(1, 9), default=1, help="processors, 1 to 8 (1); with more there are IPIs")
    s.add_argument("--profile", action="store_true", help="show in which functions an operation's instructions are")
    s.add_argument("--company", action="store_true", help="run each operation on all CPUs (2 without --cpus) at the same time, with files of their\n"
                   "own: which lines of kernel memory they share, and what touches them")
    s.add_argument("--disk", action="store_true", help="measure operations on a disk with XFS instead: instructions, requests, flushes and bytes")
    s.add_argument("--disk-bus", choices=["virtio", "scsi"], default="virtio", help="what the disk of --disk is attached to")
    s.add_argument("--boot", action="store_true", help="measure booting instead: instructions up to the first program, memory, the image's size")
    s.add_argument("--record", action="store_true", help="append a row to bench/history.json")
    s.add_argument("--gate", action="store_true", help="compare with its last row: status 1 where an operation costs over 2 %% more and no\n"
                   "commit since says why (77: no row of these compilers)")
    s.add_argument("--apps", action="store_true", help="time whole programs in a Debian root instead, in pairs with the peer")
    s.add_argument("--pairs", metavar="N", type=int, default=3, help="how many pairs of boots --apps takes the median of (3)")
    s.add_argument("filter", nargs="*", metavar="FILTER", help="only operations whose name contains one of these")

    s = command("build", "build", "cmd_build", "build the kernel (make underneath)")
    s.add_argument("--arch", choices=ARCHES, default="x86_64")
    s.add_argument("--debug", action="store_true", help="with sanitizers and the lock checker, into build/ARCH-debug")
    s.add_argument("--gcc", action="store_true", help="with gcc instead of clang, into build/ARCH-gcc")
    s.add_argument("-v", "--verbose", action="store_true", help="show each command (V=1)")
    s.add_argument("target", nargs="*", metavar="TARGET", help="make's targets (all)")

    s = command("module", "module", "cmd_module", "build a loadable module whose source lies elsewhere",
                epilog="PATH: a directory with the .c files of one module, or with a crate in Rust (lib.rs, or one .rs file); or one such file. A file\n"
                       "module.toml in it may say more: name = \"...\" (else the directory's), sources = [\"a.c\", ...], uses = [\"../other/other.symvers\"].\n"
                       "Writes NAME.ko and NAME.ko.zst, signed by the key of the build: busybox's insmod takes the first, kmod's both. A module that exports\n"
                       "something gets NAME.symvers, for those that use it. It fits kernels with the same types: after a change of this tree, build it\n"
                       "again. Examples: docs/examples.")
    s.add_argument("--arch", choices=ARCHES, default="x86_64")
    s.add_argument("--debug", action="store_true", help="for the debug build")
    s.add_argument("--out", metavar="DIR", help="write into this directory instead of beside the sources")
    s.add_argument("path", metavar="PATH")

    s = command("setup", "setup", "cmd_setup", "install and unpack the tools")
    s.add_argument("--arch", choices=ARCHES, action="append", help="also for this CPU")

    command("doctor", "setup", "cmd_doctor", "say what is there, what is missing, in which version")

    s = command("coverage", "coverage", "cmd_coverage", "the system calls: implemented, partial, absent; those without a test")
    s.add_argument("--arch", choices=list(dict.fromkeys([*arches.ALL, "sparc64", "alpha"])), default="x86_64")
    s.add_argument("--untested", action="store_true", help="only what has no test")
    s.add_argument("--absent", action="store_true", help="only what is absent or partial")

    s = command("analyze", "analyze", "cmd_analyze", "static analysis: fails on a finding that is not accepted",
                epilog="Accepted findings, each with its reason, are in tools/analyze/accepted.toml; docs/static-analysis.md says\nwhat the tools are.")
    s.add_argument("--tool", metavar="NAME", action="append", default=[], help="only this one (more than once: only these)")
    s.add_argument("--gate", action="store_true", help="only the tools that gate")
    s.add_argument("--changed", metavar="REF", nargs="?", const="HEAD", help="only what has changed since REF (HEAD), itself or by a header")
    s.add_argument("-j", dest="jobs", metavar="N", type=int, help="so many files at a time (one a processor)")
    s.add_argument("--rows", action="store_true", help="print each new finding as a row for accepted.toml too")
    s.add_argument("-v", "--verbose", action="store_true", help="show the way to each new finding")
    s.add_argument("filter", nargs="*", metavar="FILTER", help="only files whose path contains one of these")

    s = command("fuzz", "fuzz", "cmd_fuzz", "hunt for bugs: programs of system calls on the debug kernel, or decoders on this machine",
                epilog="Ends with status 1 where it found something new; all it found and learnt is in build/fuzz. docs/fuzzing.md has more.")
    s.add_argument("--target", metavar="NAME", default="syscalls", help="syscalls (default), virtio (devices that break the rules), parties (an attacker's programs against\nwhat root has), a decoder (elf, cpio, ...),\nall decoders, or all of them")
    s.add_argument("--time", metavar="TIME", help="how long, for each target: seconds, or like 30m, 8h (30m; decoders with --runs: no limit)")
    s.add_argument("--runs", metavar="N", help="end after N programs, executions of a decoder, machines of virtio")
    s.add_argument("--jobs", metavar="N", help="processors that machines hunt on (all): one each, two in one turn of four, with little memory in another; of a decoder, processes (1)")
    s.add_argument("--engine", metavar="NAME", choices=["libfuzzer", "afl"], default="libfuzzer", help="for decoders: libfuzzer (default) or afl (AFL++)")
    s.add_argument("--coverage", action="store_true", help="say how many lines of each room were reached up to now, or which branches of a\n"
                   "decoder its corpus never takes, less those with a reason in fuzz/missed-branches.toml (with --record, make its committed corpus anew)")
    s.add_argument("--seed", metavar="N", help="choose by this number; with one machine, of one CPU then, the same programs run again")
    s.add_argument("--resume", action="store_true", help="go on with the corpus of the last time")
    s.add_argument("--first", action="store_true", help="end with the first crash")
    s.add_argument("--out", metavar="DIR", help="keep the corpus, crashes and places there (build/fuzz/syscalls)")
    s.add_argument("--calls", metavar="WORD", default="", help="only programs that have a call with WORD in its name, and every other new call is one (uring)")
    s.add_argument("--append", metavar="STR", default="", help="more for the kernel's command line")
    s.add_argument("--merge", metavar="DIR", nargs="+", help="take over the corpora of other machines, and end")
    s.add_argument("--try", dest="attempt", metavar="FILE", help="run the programs of a file, show what each call returned, and end")
    s.add_argument("--minimise", action="store_true", help="write the fewest programs that reach what the whole corpus does, and end")
    s.add_argument("--record", action="store_true", help="count what ran in fuzz/ledger.csv; with --minimise: the programs become fuzz/corpus")
    s.add_argument("--replay", metavar="FILE", nargs="*", help="run what is committed (or one of corpus, little-memory, reproducers; or files) with one\n"
                   "CPU and with four, and end")
    s.add_argument("--missed", metavar="FOLDER", nargs="?", const="", help="name the functions too (below FOLDER) that were not, with their lines")

    s = command("triage", "triage", "cmd_triage", "make a complete report of what a kernel said when it broke",
                epilog="Writes report.txt, report.json and the reproducer, as a C program too, below build/triage.")
    s.add_argument("input", nargs="*", metavar="INPUT", help="a console's log, a crash folder of ./ochre fuzz, a report (text or JSON), a program,\nor - for stdin")
    s.add_argument("--no-run", action="store_true", help="only read: boot nothing")
    s.add_argument("--times", metavar="N", type=int, default=3, help="in how many boots to try it, to say how often it comes (3)")
    s.add_argument("--minutes", metavar="N", type=float, default=3, help="how long to make a reproducer smaller (3)")
    s.add_argument("--bisect", metavar="GOOD", help="look for the first bad commit since this one")
    s.add_argument("--out", metavar="DIR", help="where to write (build/triage)")
    s.add_argument("--append", metavar="STR", default="", help="more for the kernel's command line")
    s.add_argument("--check", metavar="REPORT", help="say what a report lacks of what docs/security-bugs.md asks for")

    s = command("image", "image", "cmd_image", "look into an XFS disk image",
                epilog="ls lists a directory, cat writes a file's bytes, info shows the file system or one file, check compares all that is in it (status 1\n"
                       "where something is wrong), replay brings what a dirty log has to its place, as mounting does. But for replay, images are only read; raw ones only.")
    s.add_argument("what", choices=["ls", "cat", "info", "check", "replay"])
    s.add_argument("image", metavar="IMAGE")
    s.add_argument("path", metavar="PATH", nargs="?", help="in the image")

    s = command("heal-demo", "heal_demo", "cmd_heal_demo", "damage the live disk of a Debian by seed, and watch it being repaired",
                epilog="Boots a Debian from its disk (a copy that is thrown away), keeps it at work, and damages one structure of its XFS after the other behind\n"
                       "its back. Status 0: each was repaired while it was used, no file changed, and xfs_repair finds nothing.")
    s.add_argument("--seed", metavar="N", default="1", help="choose by this number (1)")
    s.add_argument("--count", metavar="N", default="12", help="how many damages (12)")
    s.add_argument("--type", metavar="A,B", help="only of these: agf, agi, bnobt, cntbt, inobt, finobt, refcountbt, inode, bmapbtd, bmapbta")
    s.add_argument("--kernel", metavar="linux", choices=["linux"], help="the same on Debian's Linux, by xfs_healer")
    s.add_argument("--healer", choices=["kernel", "xfs_healer"], help="what repairs: the kernel's own thread (default), or xfs_healer of xfsprogs, unmodified")
    s.add_argument("--debug", action="store_true", help="the debug build")

    s = command("symbolize", "oops", "cmd_symbolize", "read kernel messages on stdin, add file and line to each address")
    s.add_argument("--arch", choices=ARCHES, default="x86_64")
    s.add_argument("--debug", action="store_true", help="of the debug build")

    s = command("clean", "build", "cmd_clean", "remove what was built")
    s.add_argument("--all", action="store_true", help="the unpacked tools in build/host too")
    for name, why in sorted(LATER.items()):
        sub.add_parser(name).set_defaults(later=why)
    return p


def split_command(argv):
    """What follows the first -- belongs to the guest, untouched."""
    if "--" in argv:
        i = argv.index("--")
        return argv[:i], argv[i + 1:]
    return argv, None


def main(argv):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sys.stderr:
        faulthandler.register(signal.SIGQUIT, chain=True)   # Ctrl-\ says where it is, and ends it
    try:
        argv, guest = split_command(argv)
        p = parser()
        args = p.parse_args(argv)
        if not args.command:
            p.print_help()
            return 2
        if hasattr(args, "later"):
            raise Fail("'%s' is not there yet: %s" % (args.command, args.later))
        if args.command == "run":
            if args.argv:
                raise Fail("unexpected '%s'; a command for the guest comes after --" % args.argv[0])
            args.argv = guest
        elif guest is not None:
            raise Fail("'%s' takes no -- COMMAND" % args.command)
        return getattr(importlib.import_module("ochre." + args.where), args.fn)(args)
    except Fail as e:
        sys.stderr.write("ochre: %s\n" % e)
        return e.status
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
