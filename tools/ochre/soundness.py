# SPDX-License-Identifier: MIT
"""docs/rust-soundness.md against the kernel crate: each public safe function, and each exported macro, has one row in its file's part; each row is of one
that there is, says why it holds, and names tests that there are."""
import collections
import glob
import os
import re

DOCUMENT = "docs/rust-soundness.md"
Problem = collections.namedtuple("Problem", "check file line message")
ROW = re.compile(r"^\| (.*?) \| (.*?) \| (.*?) \|$")
PART = re.compile(r"^\| \*\*(?:`(\w+\.rs)`|macros)\*\* \|")
BLOCK = re.compile(r"^(?:unsafe )?impl\b([^{;]*)\{|^\}|^[ \t]*pub (?:const )?(unsafe )?(?:extern \"C\" )?fn (\$?\w+)|^macro_rules! (\w+)|^(    )?(\w+)!\((.*)", re.M)
# Not for drivers: what C calls, what is there while a bug is planted, how tables are typed.
PRIVATE = ("bindings.rs", "panic.rs", "kcov.rs", "plant.rs", "lib.rs", "uapi.rs")


def owner_of(header):
    """The type that a block is of."""
    h, depth = header.strip(), 0
    if h.startswith("<"):
        for i, c in enumerate(h):
            depth += (c == "<") - (c == ">" and h[i - 1] != "-")
            if not depth:
                h = h[i + 1:]
                break
    trait, sep, of = h.split(" where ")[0].partition(" for ")
    m = re.match(r"\s*&?(?:\w+::)*(\w+)", of if sep else trait)
    return m[1] if m else "", bool(sep)


def functions(path):
    """{name: line} of the file's public safe functions; those that macros make, too."""
    with open(path) as f:
        text = f.read()
    code = re.sub(r"//[^\n]*", "", text)
    found, owner, of_trait, macro, makes = {}, "", False, None, collections.defaultdict(list)
    for m in BLOCK.finditer(code):
        line = code.count("\n", 0, m.start()) + 1
        if m[0].startswith("}"):
            owner, macro = "", None
        elif m[1] is not None:
            owner, of_trait = owner_of(m[1])
        elif m[4]:
            macro = m[4]
            if "#[macro_export]" in code[:m.start()].rsplit("}", 1)[-1]:
                found[macro + "!"] = line
        elif m[3]:
            if m[3].startswith("$"):
                makes[macro].append(m[3])
            elif not m[2] and not (of_trait and m[0].startswith(" ")):
                found[(owner + "::" if owner and m[0].startswith(" ") else "") + m[3]] = line
        elif m[6] in makes and owner:
            names = [a.strip() for a in m[7].split(",")]
            order = re.findall(r"\$(\w+):", code[code.index("macro_rules! " + m[6]):].split("=>")[0])
            for n in makes[m[6]]:
                found["%s::%s" % (owner, names[order.index(n[1:])])] = line
    return found, text


def is_drop(text, row):
    m = re.match(r"(\w+) \(drop\)$", row)
    return m and re.search(r"impl\b[^{;]*\bDrop for %s\b" % m[1], text)


def tests(root):
    """A function that says whether a test is."""
    registered = set()
    for path in glob.glob(root + "/rust/**/*.rs", recursive=True) + glob.glob(root + "/drivers/**/*.rs", recursive=True):
        with open(path) as f:
            text = f.read()
        registered |= set(re.findall(r"\bktest!\((\w+),", text))
        module, documented = os.path.basename(path)[:-3], False
        for line in text.splitlines():
            documented = documented or line.strip() == "/// ```"
            item = re.match(r"\s*pub (?:unsafe )?(?:const )?(?:struct|trait|fn|enum) (\w+)", line)
            if item and documented:
                registered.add("rustdoc_%s_%s" % (module, item[1]))
            if line.strip() and not line.strip().startswith(("///", "#[")):
                documented = False
    for path in glob.glob(root + "/*/test/k_*.c"):
        with open(path, errors="replace") as f:
            registered |= set(re.findall(r"\bKTEST\((\w+)\)", f.read()))

    def there(name):
        kind, _, rest = name.partition("/")
        return {"kernel": rest in registered, "build": os.path.exists("%s/tests/rust/%s.rs" % (root, rest[len("rust_"):])),
                "command": os.path.exists("%s/tests/command/%s.py" % (root, rest)), "boot": os.path.exists("%s/tests/boot/%s.txt" % (root, rest)),
                "guest": os.path.exists("%s/tests/guest/%s.c" % (root, rest)),
                "analyze": os.path.exists("%s/tools/check-%s" % (root, rest))}.get(kind, False)
    return there


def verify(root):
    problems, wanted, texts = [], {}, {}
    for path in sorted(glob.glob(root + "/rust/*.rs")):
        name = os.path.basename(path)
        if name not in PRIVATE:
            there, texts[name] = functions(path)
            for f, line in there.items():
                wanted["" if f.endswith("!") else name, f] = (os.path.relpath(path, root), line)
    known, part, seen = tests(root), "", set()
    with open(os.path.join(root, DOCUMENT)) as f:
        lines = f.read().splitlines()
    for n, line in enumerate(lines, 1):
        def say(message):
            problems.append(Problem("row", DOCUMENT, n, message))
        m = PART.match(line)
        if m:
            part = m[1] or ""
            continue
        m = ROW.match(line)
        if not m or m[1] in ("function", "---") or set(m[1]) == {"-"}:
            continue
        if (part, m[1]) in seen:
            say("%s has two rows" % m[1])
        seen.add((part, m[1]))
        if (part, m[1]) not in wanted and not is_drop(texts.get(part, ""), m[1]) and not (m[1] == "Arc::clone" and part == "refs.rs"):
            say("%s: %s is no public safe function" % (part, m[1]))
        if not m[2].strip():
            say("%s: no reason" % m[1])
        for t in [t.strip() for t in m[3].split(",")]:
            if not known(t):
                say("%s: there is no test %s" % (m[1], t or "at all"))
    problems += [Problem("unreviewed", *wanted[k], "%s has no row in %s" % (k[1], DOCUMENT)) for k in wanted if k not in seen]
    return problems
