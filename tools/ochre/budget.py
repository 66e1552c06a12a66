# SPDX-License-Identifier: MIT
"""The minutes that a whole run may take, by part: a table in CONTRIBUTING.md, compared with what the run took.

A minute here is one of the whole run on two idle cores: what keeps one core busy for a minute, beside others, counts half. A part that takes over
half more than its minutes is named at the end of a run; it fails nothing, as hosts differ."""
import re

from .util import Fail, ROOT

TABLE = "CONTRIBUTING.md"
CORES = 2               # of the machine that the minutes are for
LIMIT, QUICK = 30, 5    # minutes of all parts together, and of a quick run
OVER = 1.5
LEAST = 0.5             # minutes: what exceeds by less is noise
# A row of the table: which parts of a run are in it, by their titles.
ROWS = {
    "builds for x86_64": r"builds, x86_64",
    "guest tests, release": r"guest tests, release, 4 CPUs",
    "guest tests, debug": r"guest tests, debug, (1 CPU, lazy|4 CPUs, full)",
    "kernel tests": r"kernel tests, (release|debug)",
    "Debian's programs": r"Debian's programs, release",
    "boots": r"boots$",
    "the command": r"the command: ",
    "this machine": r"rules|on this machine|memory order$|drivers that must not compile|instructions of operations",
    "analyses": r"analyses",
    "other builds": r"other builds|memory order, x86_64",
    "another CPU": r"(builds|programs that compile|modules|kernel tests|code|first program|disk root|boots|memory order), (aarch64|riscv64|loongarch64|alpha|sparc64)",
    "the wheel": r"planted bugs|guest tests|Debian's programs|programs of the fuzzer|machines",
}


def row_of(title):
    """The row of a part, None for one without: the first that fits."""
    title = title.removeprefix("once more, alone: ")
    return next((row for row, r in ROWS.items() if re.match(r, title)), None)


def table():
    """{row: (minutes, in a quick run too)} of CONTRIBUTING.md, with the minutes set aside for later parts."""
    found, begun = {}, False
    with open(ROOT + "/" + TABLE) as f:
        for line in f:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if cells[0] == "part" and cells[-1] == "minutes":
                begun = True
            elif begun and not line.startswith("|"):
                break
            elif begun and re.fullmatch(r"\d+(\.\d+)?", cells[-1]):
                found[cells[0]] = float(cells[-1]), cells[1] == "yes"
    if not found:
        raise Fail("%s has no table of minutes" % TABLE)
    return found


def spent(parts):
    """{row: minutes} of PARTS, (title, seconds, share of the machine)."""
    sums = {}
    for title, seconds, share in parts:
        row = row_of(title)
        if row:
            sums[row] = sums.get(row, 0.0) + seconds * share / 60
    return sums


def lines(parts, everything=False):
    """What the end of a run says: the rows over their minutes, with EVERYTHING all of them."""
    allowed, out = table(), []
    for row, minutes in spent(parts).items():
        most = allowed[row][0]
        over = minutes > OVER * most and minutes - most > LEAST
        if over or everything:
            out.append("%-22s %5.1f minutes of %g%s" % (row, minutes, most, ": over its budget by more than half (%s)" % TABLE if over else ""))
    return out
