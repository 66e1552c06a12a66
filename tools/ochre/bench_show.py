# SPDX-License-Identifier: MIT
"""Draws what ./ochre bench measured: a table on the terminal, a chart as SVG."""
import html
import math

# Beside the instructions: heading, counter.
BESIDE = [("atomics", "atomics"), ("exchanges", "exchanges"), ("TLB", "invalidations"), ("CR3", "table loads"),
          ("IPIs", "IPIs"), ("devices", "device accesses")]


def mean(ratios):
    return math.exp(sum(math.log(r) for r in ratios) / len(ratios)) if ratios else float("nan")


def short(x):
    """A count for one operation: no digits that mean nothing."""
    x = 0.0 if abs(x) < 0.05 else x
    return "%.0f" % x if x >= 100 or abs(x - round(x)) < 0.05 else "%.1f" % x


def beside(mine, other):
    """Ochre's counts, and the peer's after a stroke."""
    cells = []
    for _, key in BESIDE:
        if key in mine:
            cells.append(short(mine[key]) + ("/" + short(other[key]) if other and key in other else ""))
    return cells


def table(mine, theirs, name):
    """(lines, {operation: ratio})"""
    heads = [h for h, key in BESIDE if any(key in op for op in mine.values())]
    width = 12 if theirs else 10
    lines = ["%-36s %12s%s" % ("instructions for one", "Ochre", " %12s %8s" % (name[-12:], "ratio") if name else "")
             + "".join("%*s" % (width, h) for h in heads)]
    ratios = {}
    for op, counts in mine.items():
        other, n = theirs.get(op), counts["instructions"]
        if other and n > 0 and other["instructions"] > 0:
            ratios[op] = n / other["instructions"]
        line = "%-36s %12.0f" % (op, n)
        if name:
            line += " %12s %8s" % ("%.0f" % other["instructions"] if other else "-", "%.2f" % ratios[op] if op in ratios else "-")
        lines.append(line + "".join("%*s" % (width, c) for c in beside(counts, other)))
    if ratios:
        worst = max(ratios, key=ratios.get)
        lines.append("%d operations, geometric mean %.3f, worst %.2f (%s), above 1: %d" % (
            len(ratios), mean(ratios.values()), ratios[worst], worst, sum(r > 1 for r in ratios.values())))
    return lines, ratios


def chart(ratios, name):
    """A bar an operation, sorted; 1 is the peer."""
    rows = sorted(ratios.items(), key=lambda r: r[1])
    unit, top, left, high = 300, 50, 260, 16
    wide = left + int(unit * max(1.2, min(3, max(ratios.values())))) + 80
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">' % (wide, top + high * len(rows) + 20),
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="20" font-size="14">Instructions of Ochre / %s, geometric mean %.2f</text>' % (html.escape(name), mean(ratios.values()))]
    for i, (op, r) in enumerate(rows):
        y = top + i * high
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (left - 6, y + 11, html.escape(op)))
        out.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (left, y + 1, unit * min(r, 3), high - 3, "#b8860b" if r <= 1 else "#a02020"))
        out.append('<text x="%.1f" y="%d">%.2f</text>' % (left + unit * min(r, 3) + 4, y + 11, r))
    out.append('<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="black"/>' % (left + unit, top - 8, left + unit, top + high * len(rows)))
    return "\n".join(out + ["</svg>"]) + "\n"
