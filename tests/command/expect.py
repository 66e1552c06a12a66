# SPDX-License-Identifier: MIT
"""A person at a terminal, for tests: types, waits for words, changes the window's size."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time


class Terminal:
    def __init__(self, argv, rows=30, cols=100, **env):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(env)
            for s in (signal.SIGINT, signal.SIGQUIT):
                signal.signal(s, signal.SIG_DFL)    # ignored, if a shell started us in the background, and so would all below be
            try:
                os.execvp(argv[0], argv)
            finally:
                os._exit(127)
        self.resize(rows, cols)

    def resize(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, timeout=300):
        """Waits until the pattern was shown since the last call; what was shown up to it."""
        end = time.monotonic() + timeout
        while True:
            m = re.search(pattern, self.text)
            if m:
                before, self.text = self.text[:m.end()], self.text[m.end():]
                return before
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError("waited for %r, saw:\n%s" % (pattern, self.text[-2000:]))
            if select.select([self.fd], [], [], min(left, 1))[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""
                if not data:
                    raise AssertionError("it ended before %r, saw:\n%s" % (pattern, self.text[-2000:]))
                # Less what busybox asks a terminal: where is the cursor?
                self.text = (self.text + data.decode("utf-8", "replace")).replace("\x1b[6n", "")

    def line(self, text, timeout=300):
        """Types a line at a prompt; what was shown before the next one."""
        self.type(text + "\n")
        self.expect(r"\n")
        return self.expect(r"[#$] $", timeout)

    def wait(self, timeout=300):
        """The exit status after the end."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("it did not end, saw:\n" + self.text[-2000:])


def same_settings(fd, fn):
    before = termios.tcgetattr(fd)
    fn()
    return before == termios.tcgetattr(fd)


def appended(*words):
    """Words for ./ochre run: WORDS for the kernel's command line, and APPEND of the environment, such as folio_orders=random."""
    words += tuple(os.environ.get("APPEND", "").split())
    return ["--append", " ".join(words)] if words else []


def check(ok, what):
    if not ok:
        sys.stderr.write("FAILED: %s\n" % what)
        sys.exit(1)


REPORT = re.compile(r"WARN|BUG|Oops|panic|LOCKDEP|lockdep|blocked for more than|cut short")


def no_report(console):
    """A detector said nothing. Otherwise shows its first report: what comes after it are consequences."""
    m = REPORT.search(console)
    check(not m, console[max(0, m.start() - 300):][:6000] if m else "")
