# SPDX-License-Identifier: MIT
"""What a run leaves out: of things that are too many for each run a share is taken, another for each commit.

The things of a kind are dealt into slices, always the same way; which slice a run takes follows from its seed, the commit's hash, or what --seed says. So
a run is repeated by its seed, neighbouring commits differ, and with N slices each thing comes up once in N commits in the mean."""
import re

from .util import Fail, ROOT, digest, output


def seed_of(text):
    """TEXT of --seed, or the commit; in a tree without git always the same."""
    if text:
        if not re.fullmatch(r"[\w.-]{1,64}", text):
            raise Fail("--seed takes letters and digits, not '%s'" % text)
        return text
    return output(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"]).strip() or "0"


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
