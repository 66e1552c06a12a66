#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Set-up finds the Debian mirror in both formats of apt's sources, and takes nobody else's; a suite whose lists are not whole has a substitute."""
import io
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
from ochre import arches, setup  # noqa: E402
from ochre.util import Fail  # noqa: E402


def mirrors(files, code="bookworm"):
    with tempfile.TemporaryDirectory() as d:
        os.mkdir(d + "/sources.list.d")
        for name, text in files.items():
            with open(os.path.join(d, name), "w") as f:
                f.write(text)
        return setup.mirrors(code, d)


DEB822 = """Types: deb
# a comment
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
"""
OTHERS = """Types: deb
URIs: https://other.example/node
Suites: nodistro
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main
"""
assert mirrors({"sources.list.d/debian.sources": DEB822, "sources.list.d/x.sources": OTHERS}) == ["http://deb.debian.org/debian"]
assert mirrors({"sources.list": "# deb http://no bookworm main\ndeb http://m.example/debian/ bookworm main contrib\n"}) == ["http://m.example/debian"]
assert mirrors({"sources.list": "deb [arch=amd64 signed-by=/k] https://m.example/d bookworm main # why\n"
                                "deb https://x.example/apt cloud-sdk-bookworm main\ndeb cdrom:[x]/ bookworm main\n"}) == ["https://m.example/d"]
assert mirrors({"sources.list": "deb http://m.example/debian bookworm main\n"}, "trixie") == []
assert mirrors({}) == []
assert setup.version("1:10.0.2+ds-2+deb13u1~bpo12+1") == (10, 0, 2)
assert setup.version("7.2.12-1~bpo13+1") >= (7, 2) and setup.version("6.12.9") < (7, 2) and setup.version(None) == ()


class Apt:
    """A mirror whose lists of some suites are not whole."""
    broken = ()

    def __init__(self, code, suites, folder, cpu):
        self.suites = suites

    def update(self):
        if self.suites[0] in self.broken:
            raise Fail(self.suites[0])


def suite_of(arch, *broken):
    Apt.broken, real, setup.PrivateApt, out, sys.stderr = broken, setup.PrivateApt, Apt, sys.stderr, io.StringIO()
    try:
        apt, suite = setup.readable_suite("bookworm", arch, arches.ALL[arch].suite, "apt-")
        assert apt.suites == [suite]
        return suite, len(sys.stderr.getvalue().splitlines())
    except Fail as e:
        return str(e), len(sys.stderr.getvalue().splitlines())
    finally:
        setup.PrivateApt, sys.stderr = real, out


assert suite_of("riscv64") == ("trixie", 0) and suite_of("loongarch64") == ("forky", 0)
assert suite_of("riscv64", "trixie") == ("forky", 1)
assert suite_of("riscv64", "trixie", "forky") == ("forky", 2) and suite_of("loongarch64", "forky") == ("forky", 1)

for path in ("/x/usr/lib/modules/7.2.12+deb14-loong64/vmlinuz", "/x/usr/lib/modules/7.2.12+deb14-loong64/vmlinuz.image", "/x/boot/vmlinux-7.2.12+deb14-loong64", "/x/boot/vmlinuz-7.2.12+deb14-loong64.image"):
    assert setup.release_of(path) == "7.2.12+deb14-loong64", path
print("ok")
