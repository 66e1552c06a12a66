#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A Debian root of another CPU: the lists that its own machine reads name what is installed, and nothing else."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import debian  # noqa: E402

LIST = b"Package: apt\nVersion: 3\nDescription: words\n Package: of no package\n\nPackage: zzz\nDepends: apt\n\nPackage: less\nVersion: 1\n\n"
LEFT = b"Package: apt\nVersion: 3\nDescription: words\n Package: of no package\n\nPackage: less\nVersion: 1\n\n"


def main():
    with tempfile.TemporaryDirectory() as d:
        lists = d + "/var/lib/apt/lists/"
        for name, text in (("debootstrap/required", b"apt bash\n"), ("debootstrap/base", b"less\n"),
                           ("var/lib/apt/lists/a_main_Packages", LIST), ("var/lib/apt/lists/b_main_Packages", b""),
                           ("var/lib/apt/lists/a_Release", LIST)):
            os.makedirs(os.path.dirname(os.path.join(d, name)), exist_ok=True)
            with open(os.path.join(d, name), "wb") as f:
                f.write(text)
        debian.shorten_lists(d)
        for name, want in (("a_main_Packages", LEFT), ("b_main_Packages", b""), ("a_Release", LIST)):
            with open(lists + name, "rb") as f:
                got = f.read()
            assert got == want, (name, got)


main()
