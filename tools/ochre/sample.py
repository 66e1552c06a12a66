# SPDX-License-Identifier: MIT
"""What a run leaves out: of things that are too many for each run a share is taken, in turn.

The things of a kind are dealt into slices by their names alone, so that a new one moves no other. Which slice a run takes follows from the number of its
turn, that of the word in tests/seed, "t12", or of what --seed says: each turn takes the next slice of everything. So all commits with one word run the
same tests, on every machine, and TURNS turns in a row leave nothing out. Any other word is a turn far away."""
import os
import re

from .util import Fail, ROOT, digest, write_if_changed

FILE = os.path.join(ROOT, "tests/seed")
OF_RUN = "OCHRE_SEED"       # the seed of a run, in the environment of its tests
ALL = "*"                   # there: of a run that leaves nothing out
TURNS = 20


def seed_of(text):
    """TEXT of --seed, or that of the run that this program is a test of, or the tree's own."""
    text = text or os.environ.get(OF_RUN, "").strip(ALL)
    if not text and os.path.exists(FILE):
        with open(FILE) as f:
            text = f.read().strip()
        if not text:
            raise Fail("tests/seed is empty: it names the sample that a whole run takes")
    if text and not re.fullmatch(r"[\w.-]{1,64}", text):
        raise Fail("a seed has letters and digits, not '%s'" % text)
    return text or "t0"


def after(seed):
    """The word of the next turn."""
    m = re.fullmatch(r"t(\d{1,9})", seed)
    if not m:
        raise Fail("--turn: tests/seed has no turn like t12, but '%s'" % seed)
    return "t%d" % (int(m[1]) + 1)


def keep(seed):
    """Makes SEED the tree's own."""
    write_if_changed(FILE, seed + "\n")


def of_run():
    """The sample of the run that this program is a test of, else the tree's own."""
    return Sample(None if os.environ.get(OF_RUN) == ALL else seed_of(None))


class Sample:
    """SEED None: everything."""

    def __init__(self, seed):
        self.seed = seed
        m = re.fullmatch(r"t(\d{1,9})", seed or "")
        self.turn = int(m[1]) if m else int(digest(seed or ""), 16)

    def number(self, kind, below, each=1):
        """Of the numbers BELOW that of this turn. EACH: what asks is itself part of one turn in so many; it sees all numbers in EACH times BELOW."""
        return (self.turn // each + int(digest(kind), 16)) % below

    def share(self, kind, items, of, each=1):
        """Of ITEMS of a KIND one slice of so many, in their order."""
        items = list(items)
        if self.seed is None or of <= 1:
            return items
        taken = self.number(kind, of, each)
        return [i for i in items if int(digest(kind, i), 16) % of == taken]

    def dealt(self, kind, items, of, each=1):
        """The same where ITEMS are few: slices of equal size, which a new one may change."""
        return list(items) if self.seed is None else list(items)[self.number(kind, of, each)::of]

    def one(self, kind, items, each=1):
        """[one of them], or all."""
        items = list(items)
        return items if self.seed is None else [items[self.number(kind, len(items), each)]]
