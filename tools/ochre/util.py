# SPDX-License-Identifier: MIT
"""What all parts share: where things lie, how a failure is said, how progress is shown."""
import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import time

from . import arches

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(ROOT, "build")
HOST = os.path.join(BUILD, "host")
# The CPUs that this tree can be built for.
ARCHES = [a for a in arches.ALL if os.path.exists(os.path.join(ROOT, "config", a + ".mk"))]


class Fail(Exception):
    """Something the user can do something about: one clear line, exit status 2."""

    def __init__(self, message, status=2):
        super().__init__(message)
        self.status = status


class Awake:
    """A clock for limits. What this process could not look at counts little: a pause of the whole host is nobody's hang. For who asks once a second or oftener."""

    STEP = 3.0

    def __init__(self):
        self.seen, self.sum, self.lost = time.monotonic(), 0.0, 0.0

    def __call__(self):
        now = time.monotonic()
        passed, self.seen = now - self.seen, now
        self.sum += min(passed, self.STEP)
        self.lost += max(passed - self.STEP, 0)
        return self.sum


awake = Awake()


def rel(path):
    """The path as the user would type it."""
    r = os.path.relpath(path)
    return r if not r.startswith("../..") else path


def tail(path, lines=25):
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError:
        return ""


def output(argv, **kw):
    """A program's standard output, '' where it fails or is not there."""
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                              text=True, errors="replace", **kw).stdout
    except OSError:
        return ""


class Progress:
    """Says what is being done while it takes long: a line that keeps changing on a terminal, else one now and then.

    Nothing is shown for what is over in half a second."""

    def __init__(self, what, log=None):
        self.what, self.log, self.done = what, log, threading.Event()
        self.thread = threading.Thread(target=self._show, daemon=True)
        self.tty = sys.stderr.isatty()
        self.shown = False

    def __enter__(self):
        self.start = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.done.set()
        self.thread.join()
        took = time.monotonic() - self.start
        if self.tty and self.shown:
            sys.stderr.write("\r\x1b[K")
        if self.shown and exc[0] is None:
            sys.stderr.write("%s: %.0f s\n" % (self.what, took))
        sys.stderr.flush()

    def note(self, text):
        self.what = text

    def _last(self):
        last = tail(self.log, 1).strip() if self.log else ""
        return last[:60]

    def _show(self):
        next_line = 0.5
        while not self.done.wait(0.2 if self.tty else 0.5):
            took = time.monotonic() - self.start
            if self.tty and took > 0.5:
                self.shown = True
                sys.stderr.write("\r\x1b[K%s... %.0f s  %s" % (self.what, took, self._last()))
                sys.stderr.flush()
            elif not self.tty and took >= next_line:
                if not self.shown:
                    sys.stderr.write("%s...\n" % self.what)
                else:
                    sys.stderr.write("%s... %.0f s  %s\n" % (self.what, took, self._last()))
                sys.stderr.flush()
                self.shown = True
                next_line = took + 20


def logged(what, argv, log, **kw):
    """Runs argv with its output in the log and progress shown; fails with the log's end."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "a") as f, Progress(what, log):
        f.write("+ %s\n" % " ".join(argv))
        f.flush()
        try:
            rc = subprocess.run(argv, stdout=f, stderr=f, stdin=subprocess.DEVNULL, **kw).returncode
        except OSError as e:
            raise Fail("cannot run %s: %s" % (argv[0], e.strerror))
    if rc:
        sys.stderr.write(tail(log))
        raise Fail("%s failed (status %d); the whole output is in %s" % (what, rc, rel(log)))


def write_if_changed(path, data):
    mode = "b" if isinstance(data, bytes) else ""
    try:
        with open(path, "r" + mode) as f:
            if f.read() == data:
                return False
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    tmp = "%s.new.%d" % (path, os.getpid())
    with open(tmp, "w" + mode) as f:
        f.write(data)
    os.rename(tmp, path)
    return True


def digest(*parts):
    h = hashlib.sha256()
    for p in parts:
        p = p if isinstance(p, bytes) else str(p).encode()
        h.update(b"%d:" % len(p) + p)
    return h.hexdigest()[:16]


@contextlib.contextmanager
def locked(name, wait_text):
    """Holds build/NAME.lock; says so where it has to wait for another."""
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, name + ".lock"), "w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if wait_text is None:
                raise Fail("another one is running (it holds build/%s.lock)" % name)
            sys.stderr.write(wait_text + "\n")
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


def size_arg(text):
    """'512M' -> bytes."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    t = text.upper().rstrip("IB")
    unit = units.get(t[-1:], None)
    try:
        n = int(t[:-1]) * unit if unit else int(t) << 20
    except ValueError:
        n = 0
    if n <= 0:
        raise Fail("'%s' is no amount of memory (like 512M or 2G)" % text)
    return n
