# SPDX-License-Identifier: MIT
"""Corpora and the ledger. A corpus is a folder of programs, a file each, named by what is in it; the committed one is a single file."""
import csv
import hashlib
import os
import shutil
import subprocess
import sys

from .util import BUILD, ROOT, Fail, output, rel

DIR = os.path.join(BUILD, "fuzz", "syscalls")
COMMITTED = os.path.join(ROOT, "fuzz", "corpus", "syscalls.txt")
BY_HAND = os.path.join(ROOT, "fuzz", "corpus", "by-hand.txt")
URING = os.path.join(ROOT, "fuzz", "corpus", "uring.txt")
GUESTS = os.path.join(ROOT, "fuzz", "corpus", "guests.txt")
BINDER = os.path.join(ROOT, "fuzz", "corpus", "binder.txt")
LITTLE_MEMORY = os.path.join(ROOT, "fuzz", "corpus", "little-memory.txt")
REPLAYS = {"corpus": [COMMITTED, BY_HAND, URING, GUESTS, BINDER], "little-memory": [LITTLE_MEMORY], "reproducers": []}      # --replay
PLACES = os.path.join(DIR, "places.txt")
LEDGER = os.path.join(ROOT, "fuzz", "ledger.csv")
LEDGER_HEAD = ["commit", "target", "seed", "programs", "reports"]


def use(folder):
    """Everything lies in another folder: a corpus, crashes, places."""
    global DIR, PLACES
    DIR, PLACES = os.path.abspath(folder), os.path.join(os.path.abspath(folder), "places.txt")


def name_of(data):
    return hashlib.sha1(data).hexdigest()[:20]


def split(text):
    """The programs of a text in which one stands behind another: each begins with a line '@user' or '@root'."""
    out = []
    for line in text.splitlines(True):
        if line.startswith("@") or not out:
            out.append("")
        out[-1] += line
    return [p for p in out if p.startswith("@") and p.count("\n") > 1]


def checked(tool, path):
    """The whole programs of a file, as they would be printed, and a line for each that is damaged."""
    r = subprocess.run([tool, "split", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    bad = [line.replace(path, rel(path)) for line in r.stderr.decode(errors="replace").splitlines()]
    return split(r.stdout.decode(errors="replace")), bad or (["%s: status %d" % (rel(path), r.returncode)] if r.returncode else [])


class Corpus:
    def __init__(self, top=None):
        self.dir = os.path.join(top or DIR, "corpus")
        os.makedirs(self.dir, exist_ok=True)
        self.look()

    def look(self):
        """What is there. Whoever was stopped in the middle of add() left a file that does not count, or one that is not counted."""
        for n in os.listdir(self.dir):
            if n == ".new-%d" % os.getpid():
                os.unlink(os.path.join(self.dir, n))
        self.names = set(n for n in os.listdir(self.dir) if not n.startswith("."))

    def add(self, data):
        """True where it is new. A file is there whole or not at all."""
        name = name_of(data)
        if name in self.names:
            return False
        tmp = os.path.join(self.dir, ".new-%d" % os.getpid())
        with open(tmp, "wb") as f:
            f.write(data)
        os.rename(tmp, os.path.join(self.dir, name))
        self.names.add(name)
        return True

    def some(self, most, rng, first=()):
        """At most MOST of them, (name, bytes): those named FIRST, and others as RNG chooses."""
        out, names = [], self.names
        if len(names) > most:
            first = sorted(names.intersection(first))[:most]
            names = first + rng.sample(sorted(names.difference(first)), most - len(first))
        for n in sorted(names):
            with open(os.path.join(self.dir, n), "rb") as f:
                out.append((n, f.read()))
        return out

    def check(self, tool):
        """Leaves damaged files out, with a line for each."""
        names = sorted(self.names)
        for at in range(0, len(names), 500):
            paths = [os.path.join(self.dir, n) for n in names[at:at + 500]]
            r = subprocess.run([tool, "check", *paths], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for line in r.stderr.decode(errors="replace").splitlines():
                name = os.path.basename(line.split(": ")[0])
                if name in self.names:
                    self.names.discard(name)
                    sys.stderr.write("left out: %s\n" % line.replace(self.dir, rel(self.dir)))

    def all(self):
        return self.some(len(self.names), None)

    def put_aside(self):
        """Begins anew; the old one stays beside it until the next time."""
        if self.names:
            old = self.dir + ".before"
            shutil.rmtree(old, ignore_errors=True)
            os.rename(self.dir, old)
            os.makedirs(self.dir)
        self.names = set()


def committed(tool, *paths):
    """What a hunt begins with, or what is in PATHS."""
    out = []
    for path in filter(os.path.exists, paths or (COMMITTED, BY_HAND, URING, GUESTS, BINDER)):
        programs, bad = checked(tool, path)
        for line in bad:
            sys.stderr.write("left out: %s\n" % line)
        out += [p.encode() for p in programs]
    return out


def merge(tool, folders, corpus):
    """Takes over what other folders (of ./ochre fuzz, or corpora) and files hold; says what is damaged. (new, known, damaged)"""
    new = known = damaged = 0
    for folder in folders:
        if not os.path.exists(folder):
            raise Fail("--merge %s: there is no such folder" % folder)
        files = [folder]
        if os.path.isdir(folder):
            for sub in ("syscalls/corpus", "corpus", ""):
                top = os.path.join(folder, sub) if sub else folder
                if os.path.isdir(top):
                    files = [os.path.join(top, n) for n in sorted(os.listdir(top)) if not n.startswith(".")]
                    break
        for path in files:
            if not os.path.isfile(path):
                continue
            programs, bad = checked(tool, path)
            if bad:
                damaged += 1
                sys.stderr.write("left out: %s\n" % bad[0])
            for p in programs:
                if corpus.add(p.encode()):
                    new += 1
                else:
                    known += 1
    return new, known, damaged


def commit_of_tree():
    """The commit, with a + where the tree has changes other than of the ledger."""
    head = output(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"]).strip() or "unknown"
    return head + ("+" if output(["git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no", ".", ":!fuzz/ledger.csv"]).strip() else "")


def read_ledger(path=LEDGER):
    if not os.path.exists(path):
        return []
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def record(rows, path):
    """Adds runs to a ledger."""
    there = os.path.exists(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        if not there:
            w.writerow(LEDGER_HEAD)
        w.writerows(rows)


def programs_in(path=LEDGER, target="syscalls"):
    return sum(int(r["programs"]) for r in read_ledger(path) if r["target"] == target)
