#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A session at the shell's prompt: job control, history, a resized terminal, power-off; and the terminal afterwards.
usage: interactive.py [./ochre run options]   (the kernel is the one that the options name)"""
import os
import re
import signal
import subprocess
import sys
import termios
import time

from expect import Terminal, check

OCHRE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../ochre")
MARK = "OCHRE_TEST_SESSION"
# Says so whenever it comes to the terminal's foreground.
JOB = """was=
while read s < /proc/$$/stat; do
    set -- $s
    case $5.$was in
    $8.) was=1; echo in" "front;;
    $8.1) ;;
    *) was=;;
    esac
done
"""


def qemus():
    """Machines that this test started, whoever their parent is now: none may be left behind."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % pid) as c, open("/proc/%s/environ" % pid, "rb") as e:
                if c.read().startswith("qemu-system") and b"%s=%d" % (MARK.encode(), os.getpid()) in e.read().split(b"\0"):
                    found.append(pid)
        except OSError:     # gone, or not ours to look at
            pass
    return found


def session(options):
    t = Terminal([OCHRE, "run", "--timeout", "900"] + options, 30, 100, TERM="xterm")
    t.expect(r"root@ochre:.*# $")
    check("30 100" in t.line("stty size"), "the window's size at the start")
    t.resize(41, 111)
    t.line("until [ \"$(stty size)\" = '41 111' ]; do :; done")       # the size follows, or this ends in time
    check("xterm" in t.line("echo $TERM"), "TERM")
    t.type("cat > /tmp/job <<'END'\n%sEND\n" % JOB)
    t.expect(r"END\r\n[^\n]*# $")
    t.type("sh /tmp/job\n")
    t.expect(r"in front")
    t.type("\x03")
    t.expect(r"# $")
    t.type("sh /tmp/job\n")
    t.expect(r"in front")
    t.type("\x1a")
    t.expect(r"Stopped.*sh /tmp/job")
    t.expect(r"# $")
    check("Stopped" in t.line("jobs"), "jobs shows the stopped one")
    t.line("bg")
    check("Running" in t.line("jobs"), "bg lets it run")
    t.type("fg\n")
    t.expect(r"in front")
    t.type("\x03")
    t.expect(r"# $")
    check("job" not in t.line("echo; jobs").replace("jobs", "", 1), "fg and Ctrl-C end it")
    check("4\r\n" in t.line("printf 'a\\nb\\nc\\nd\\n' | wc -l"), "a pipe")
    t.type("cat <<END\nhere $((6*7))\nEND\n")
    t.expect(r"here 42")
    t.expect(r"# $")
    check("caught" in t.line("sh -c 'trap \"echo caught\" INT; kill -INT $$'"), "a trap")
    t.line("echo remembered")
    t.type("\x1b[A\n")      # arrow up
    t.expect(r"remembered\r\n[^\r]*remembered|remembered")
    t.expect(r"# $")
    t.type("vi /tmp/file\n")
    # Its last line says the mode.
    for mode, keys in (("-", "i"), ("I", "hello from vi\x1b"), ("-", ":wq\n")):
        t.expect(mode + r" /tmp/file")
        t.type(keys)
    t.expect(r"# $")
    check("hello from vi" in t.line("cat /tmp/file"), "vi writes a file")
    # Nobody reads what the machine says for a while: what waits in the UART goes on afterwards, also where every write is a short one.
    t.type("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done\n")
    t.expect(r"line 9\r\n")
    os.kill(t.pid, signal.SIGSTOP)
    time.sleep(1)
    os.kill(t.pid, signal.SIGCONT)
    t.expect(r"line 2999\r\n[^\n]*# $")
    for word, what in (("ps", "init"), ("free", "Mem:"), ("mount", "proc"), ("stty -a", "41 rows|rows 41"), ("top -b -n 1", "PID")):
        text = t.line(word)
        check(any(w in text for w in what.split("|")), "%s shows %s" % (word, what))
    t.type("exit 5\n")
    check(t.wait() == 5, "the status of the shell")


def expect_or_tell(t, pattern, timeout):
    """What it waits for must come; if it does not, the processes of the terminal and where ours stands (Ctrl-\\) are told."""
    try:
        t.expect(pattern, timeout)
    except AssertionError as e:
        told = [str(e), subprocess.run(["ps", "-s", str(os.getsid(t.pid)), "-o", "pid,ppid,pgid,tpgid,stat,wchan:20,args"],
                                       capture_output=True, text=True).stdout]
        for pid in re.findall(r"^ *(\d+)", told[1], re.M):
            with open("/proc/%s/status" % pid) as f:
                told.append(pid + " " + " ".join(l.strip() for l in f if l.startswith(("Sig", "Shd", "Threads"))))
        t.text = ""
        t.type("\x1c")
        try:
            t.expect(r"host\$ $", 5)
        except AssertionError:
            pass
        raise AssertionError("\n".join(told + [t.text]))


def sane_after_kill(options):
    """Ended half-way by a signal, it leaves the terminal as it was, and no machine behind."""
    t = Terminal(["/bin/sh"], 30, 100, PS1="host$ ", **{MARK: str(os.getpid())})
    t.expect(r"host\$ $")
    settings = termios.tcgetattr(t.fd)
    t.type("%s run %s\n" % (OCHRE, " ".join(options)))
    t.expect(r"root@ochre:.*# $")
    check(termios.tcgetattr(t.fd) != settings, "the terminal is raw meanwhile")
    check(qemus(), "a machine runs")
    t.type("\x1dq")
    t.expect(r"host\$ $")
    check(termios.tcgetattr(t.fd) == settings, "the terminal is as before after Ctrl-] q")
    t.type("%s run %s\n" % (OCHRE, " ".join(options)))
    t.expect(r"root@ochre:.*# $")
    for pid in subprocess.run(["ps", "--ppid", str(t.pid), "-o", "pid="], capture_output=True, text=True).stdout.split():
        os.kill(int(pid), signal.SIGTERM)
    t.expect(r"host\$ $")
    check(termios.tcgetattr(t.fd) == settings, "the terminal is as before after SIGTERM")
    t.type("%s run %s -- sh -c 'echo now it runs; exec sleep 100'\n" % (OCHRE, " ".join(options)))
    t.expect(r"\nnow it runs")
    t.type("\x03")
    expect_or_tell(t, r"host\$ $", 300)
    t.type("exit\n")
    t.wait()
    end = time.monotonic() + 120
    while qemus() and time.monotonic() < end:
        time.sleep(0.05)
    check(not qemus(), "no QEMU is left behind: %s" % qemus())


if __name__ == "__main__":
    session(sys.argv[1:])
    sane_after_kill(sys.argv[1:])
    print("ok")
