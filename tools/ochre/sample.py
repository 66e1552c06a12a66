# SPDX-License-Identifier: MIT
"""What a run leaves out: of things that are too many for each run a share is taken, another for each commit.

The things of a kind are dealt into slices, always the same way; which slice a run takes follows from its seed, the word in tests/seed, or what --seed says.
So all commits with one word run the same tests, on every machine: what a commit breaks is seen, and what another sample would show is not held against it."""
import os
import re

from .util import Fail, ROOT, digest

FILE = os.path.join(ROOT, "tests/seed")
OF_RUN = "OCHRE_SEED"       # the seed of a run, in the environment of its tests


def seed_of(text):
    """TEXT of --seed, or that of the run that this program is a test of, or the tree's own."""
    text = text or os.environ.get(OF_RUN)
    if not text and os.path.exists(FILE):
        with open(FILE) as f:
            text = f.read().strip()
        if not text:
            raise Fail("tests/seed is empty: it names the sample that a whole run takes")
    if text and not re.fullmatch(r"[\w.-]{1,64}", text):
        raise Fail("a seed has letters and digits, not '%s'" % text)
    return text or "0"


class Sample:
    """SEED None: everything."""

    def __init__(self, seed):
        self.seed = seed

    def number(self, kind, below):
        return int(digest(self.seed, kind), 16) % below

    def share(self, kind, items, of):
        """Of ITEMS of a KIND one slice of so many, in their order."""
        items = list(items)
        if self.seed is None or of <= 1:
            return items
        dealt = sorted(items, key=lambda i: digest(kind, i))
        taken = set(dealt[self.number(kind, of)::of])
        return [i for i in items if i in taken]

    def one(self, kind, items):
        """[one of them], or all."""
        items = list(items)
        return items if self.seed is None else [items[self.number(kind, len(items))]]

    def chance(self, kind, of):
        """True in one of so many samples."""
        return self.seed is None or not self.number(kind, of)
