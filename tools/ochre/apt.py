# SPDX-License-Identifier: MIT
"""Runs apt-get on machines where others do too, and from mirrors that change meanwhile.

A lock of apt's or dpkg's that somebody holds is waited for, and said: apt-get itself waits for dpkg's alone (DPkg::Lock::Timeout), not for that of the
lists or of the archive. A mirror in the middle of its own update has lists that do not fit together, or packages that are gone: it is waited for, twice.
Whatever else fails is a failure at once. One set-up at a time works on build/host."""
import contextlib
import fcntl
import os
import re
import struct
import subprocess
import sys
import time

from .util import Fail, HOST, Progress, rel, tail

LOCKED = re.compile(r"(?:Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock directory|Unable to lock the administration directory)[ (]*([/\w.+-]*[\w-])?")
# What apt says of a mirror whose files are not all of the same moment.
CHANGING = re.compile(r"Hash Sum mismatch|File has unexpected size|Mirror sync in progress|Clearsigned file isn't valid|^E: .* 404 +Not Found|Failed to fetch .* 404 +Not Found", re.M)
LOCK_LIMIT = 1800               # seconds that a lock may be held
DPKG_LIMIT = 600                # seconds that apt-get waits for dpkg's by itself
WAITS = (60, 120)               # seconds that a mirror is waited for, one after the other
STEP = 1.0


def holder(path):
    """The process that holds the lock of a file, 0 for none."""
    try:
        with open(path, "rb") as f:
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(f, fcntl.F_GETLK, asked))
    except OSError:
        return 0
    return 0 if kind == fcntl.F_UNLCK else pid


def say(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def wait_for_lock(path, end):
    """Until nobody holds the lock of PATH, or END has come."""
    pid = holder(path)
    say("another apt or dpkg%s holds %s: waiting for it..." % (" (process %d)" % pid if pid else "", path or "a lock"))
    time.sleep(STEP)
    while holder(path) and time.monotonic() < end:
        time.sleep(STEP)


def attempt(what, argv, log, kw):
    """(status, what it printed) of one call."""
    with open(log, "a+", errors="replace") as f, Progress(what, log):
        f.write("+ %s\n" % " ".join(argv))
        f.flush()
        start = f.tell()
        try:
            rc = subprocess.run(argv, stdout=f, stderr=f, stdin=subprocess.DEVNULL, **kw).returncode
        except OSError as e:
            raise Fail("cannot run %s: %s" % (argv[0], e.strerror))
        f.seek(start)
        return rc, f.read()


def run(what, argv, log, again=None, **kw):
    """Runs an apt-get whose output goes to LOG, as util.logged() does. AGAIN: called before a second try where the mirror was changing; what it
    returns, if anything, is called instead of ARGV then."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    kw["env"] = dict(kw.get("env") or os.environ, LC_ALL="C")
    end, waits = time.monotonic() + LOCK_LIMIT, list(WAITS)
    while True:
        rc, text = attempt(what, argv[:1] + ["-o", "DPkg::Lock::Timeout=%d" % DPKG_LIMIT] + argv[1:], log, kw)
        if not rc:
            return
        locked = LOCKED.search(text)
        if locked and time.monotonic() < end:
            wait_for_lock(locked[1] or "", end)
            continue
        changing = CHANGING.search(text)
        if not changing or not waits:
            break
        say("the mirror is in the middle of an update (%s): waiting %d s..." % (changing[0].strip()[:80], waits[0]))
        time.sleep(waits.pop(0))
        if again:
            argv = again() or argv
    sys.stderr.write(tail(log))
    raise Fail("%s failed (status %d); the whole output is in %s" % (what, rc, rel(log)))


_depth = 0


@contextlib.contextmanager
def one_at_a_time():
    """Holds build/host/setup.lock: what unpacks there would tear down what another unpacks. This process may hold it more than once."""
    global _depth
    os.makedirs(HOST, exist_ok=True)
    with open(os.path.join(HOST, "setup.lock"), "w") as f:
        if not _depth:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("waiting for another set-up...")
                fcntl.flock(f, fcntl.LOCK_EX)
        _depth += 1
        try:
            yield
        finally:
            _depth -= 1
