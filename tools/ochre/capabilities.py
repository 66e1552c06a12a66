# SPDX-License-Identifier: MIT
"""Every check of a capability and the user namespace that it asks: tools/analyze/capabilities.toml says whose object is at stake, and
docs/capabilities.md is made from both. A check that the table does not have, or that asks another namespace than the object's owner's, is a
finding; so is a row that stands for no check any more.

What a call asks is read from its text: 'init' (capable() and its like), 'inode' (the caller's namespace, where it knows the inode's ids),
'caller' (the namespace of the caller's own credentials, also by way of a local variable), or the expression."""
import collections
import os
import re
import tomllib

TABLE, DOCUMENT = "tools/analyze/capabilities.toml", "docs/capabilities.md"
TO_INIT = {"capable", "mm_capable"}
TO_INODE = {"capable_wrt_inode_uidgid": 2, "inode_owner_or_capable": None}      # which argument is the capability; None: CAP_FOWNER
BY_NAMESPACE = {"ns_capable": 0, "cred_capable": 1, "checkpoint_restore_ns_capable": 0, "sock_capable": 0}
# The rules themselves: what they call is no check of its own.
RULES = {"proc/cred.c": {"ns_capable", "capable", "mm_capable", "checkpoint_restore_ns_capable"},
         "vfs/perm.c": {"capable_wrt_inode_uidgid", "inode_owner_or_capable"}, "rust/user.rs": {"capable"}, "net/core/sock.c": {"sock_capable"}}
# These compute capabilities, or hand them out as numbers.
READERS = {"proc/cred.c", "proc/access.c", "exec/exec.c", "syscall/cred.c", "syscall/prctl.c"}
# Of what a caller's own namespace may be asked: it is his own, or becomes so by this call.
OWN = {"own credentials", "own seccomp filters", "own filters of rings", "own root directory", "own new namespace", "own limits of namespaces", "own way to files"}
# What can own an object besides: the check must name that namespace by way of the object.
OWNERS = {"task", "credentials of the opener", "pid namespace", "IPC namespace", "UTS namespace", "network namespace", "mount namespace", "superblock", "user namespace"}
FIELDS = {"file", "functions", "capability", "asks", "object", "owner", "man", "test"}
CALL = re.compile(r"\b(%s)\s*\(" % "|".join(sorted(TO_INIT | set(TO_INODE) | set(BY_NAMESPACE))))

Check = collections.namedtuple("Check", "file line function capability asks")
Problem = collections.namedtuple("Problem", "check file line function message")


def blank(text):
    """The text without comments and strings, every line where it was."""
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def functions(text, rust):
    """(first, last line, name) of each; a body's braces are in the first column, in Rust as deep as its fn."""
    found, lines, n = [], text.split("\n"), 0
    while n < len(lines):
        m = re.match(r"(\s*)(?:pub(?:\([^)]*\))? )?(?:unsafe )?fn (\w+)", lines[n]) if rust else None
        if m:
            end = next((k for k in range(n, len(lines)) if lines[k].startswith(m[1] + "}")), n)
            found.append((n, end, m[2]))
        elif not rust and lines[n][:1] == "{":
            k = n - 1
            while k > 0 and not re.match(r"[A-Za-z_].*\(", lines[k]):
                k -= 1
            head = " ".join(lines[k:n])
            m = re.match(r"(?:TEST|INITCALL)?.*?(\w+)\s*\(", head)
            end = next((e for e in range(n, len(lines)) if lines[e][:1] == "}"), n)
            found.append((k, end, m[1] if m else ""))
            n = end
        n += 1
    return found


def arguments(text, at):
    """Those of the call whose opening parenthesis is before AT."""
    depth, parts, begin, k = 0, [], at, at
    while k < len(text):
        c = text[k]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            if not depth:
                break
            depth -= 1
        elif c == "," and not depth:
            parts.append(text[begin:k])
            begin = k + 1
        k += 1
    return [re.sub(r"\s+", " ", p).strip() for p in parts + [text[begin:k]]]


def namespace_of(expression, body):
    """What an expression in a function's BODY stands for."""
    if expression == "&init_user_ns":
        return "init"
    if expression == "current_user_ns()":
        return "caller"
    m = re.match(r"(\w+)(?:->user_ns)?$", expression) or re.match(r"(current_cred\(\))->user_ns$", expression)
    if m:
        source = r"(?:get_current_cred|current_cred|prepare_creds)\(\)" if expression.endswith("->user_ns") else r"current_user_ns\(\)"
        if m[1] == "current_cred()" or re.search(r"\b%s\s*=\s*%s" % (m[1], source), body):
            return "caller"
    return expression


def scan_text(path, text):
    rust = path.endswith(".rs")
    code = blank(text)
    lines = code.split("\n")
    spans = functions(code, rust)
    checks, problems = [], []
    for m in CALL.finditer(code):
        line = code.count("\n", 0, m.start())
        inside = [s for s in spans if s[0] <= line <= s[1]]
        name = inside[-1][2] if inside else ""
        if not inside or inside[-1][0] == line and lines[line].lstrip().startswith(("pub fn", "fn", "bool")):
            continue        # a declaration
        if name in RULES.get(path, ()):
            continue
        args = arguments(code, m.end())
        if m[1] in TO_INIT:
            capability, asks = args[0], "init"
        elif m[1] in TO_INODE:
            capability, asks = args[2] if TO_INODE[m[1]] else "CAP_FOWNER", "inode"
        else:
            capability = "CAP_CHECKPOINT_RESTORE" if m[1].startswith("checkpoint") else args[-1]
            asks = namespace_of(args[BY_NAMESPACE[m[1]]], "\n".join(lines[inside[-1][0]:inside[-1][1] + 1]))
        checks.append(Check(path, line + 1, name, capability, asks))
    if path not in READERS:
        for m in re.finditer(r"\bcap_raised\s*\([^;]*?cap_(?:effective|permitted)", code):
            line = code.count("\n", 0, m.start())
            problems.append(Problem("bare", path, line + 1, None, "a capability is looked at without a user namespace"))
    return checks, problems


def scan(base, listed):
    checks, problems = [], []
    for path in sorted(listed):
        top = path.split("/")[0]
        if not path.endswith((".c", ".h", ".rs")) or top in ("tests", "tools", "user", "fuzz", "bench", "build", "docs") or "/test/" in path:
            continue
        try:
            with open(os.path.join(base, path), errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        if "capable" in text or "cap_raised" in text:
            c, p = scan_text(path, text)
            checks += c
            problems += p
    return checks, problems


def load(base):
    with open(os.path.join(base, TABLE), "rb") as f:
        return tomllib.load(f).get("check", [])


def key(check):
    return check.file, check.function, check.capability, check.asks


def row_problems(base, row):
    """What is wrong with a row in itself."""
    lost = FIELDS - set(row)
    if lost or set(row) - FIELDS:
        yield "a row has no %s, or too much" % ", ".join(sorted(lost))
        return
    owner, asks = row["owner"], row["asks"]
    right = {"init": asks == "init", "inode": asks == "inode", "caller": asks == "caller" and row["object"] in OWN}
    if owner not in right and owner not in OWNERS:
        yield "there is no owner '%s'" % owner
    elif not right.get(owner, asks not in ("init", "inode", "caller")):
        yield "asks %s about %s, which is of: %s" % (asks, row["object"], owner)
    kind, _, name = row["test"].partition("/")
    name, _, case = name.partition(" ")
    if kind == "guest":
        try:
            with open(os.path.join(base, "tests/guest", name + ".c")) as f:
                text = f.read()
        except OSError:
            text = ""
        if not text or case and "TEST(%s)" % case not in text:
            yield "there is no test '%s'" % row["test"]
    elif not row["test"].startswith("none: "):
        yield "there is no test '%s'" % row["test"]


def verify(base, listed):
    """All that is wrong, as Problems."""
    checks, problems = scan(base, listed)
    rows = {}
    for row in load(base):
        problems += [Problem("row", TABLE, 0, "", "%s: %s" % (row.get("file", "?"), w)) for w in row_problems(base, row)]
        for fn in row.get("functions", ()):
            rows[row.get("file"), fn, row.get("capability"), row.get("asks")] = row
    seen = set()
    for c in checks:
        seen.add(key(c))
        if key(c) not in rows:
            hint = "the caller's own namespace" if c.asks == "caller" else c.asks
            problems.append(Problem("unlisted", c.file, c.line, c.function, "%s of %s is not in %s" % (c.capability, hint, TABLE)))
    for k in sorted(set(rows) - seen):
        problems.append(Problem("stale", TABLE, 0, "", "no such check any more: %s %s: %s of %s" % k))
    if not problems:
        try:
            with open(os.path.join(base, DOCUMENT)) as f:
                was = f.read()
        except OSError:
            was = ""
        if was != document(base, listed):
            problems.append(Problem("document", DOCUMENT, 0, "", "is not what the table makes: tools/check-capabilities --write"))
    return problems


HEAD = """# Capability checks

Made by `tools/check-capabilities --write` from the sources and `tools/analyze/capabilities.toml`; `./ochre analyze --tool capabilities` fails
where a check is missing here, where a row has no check any more, where this file is not up to date, and where a check asks the caller's own
namespace about an object of somebody else's.

A capability counts in the user namespace that owns the object (user_namespaces(7)). *init*: the object is the machine's, and only the initial
namespace counts. *inode*: the caller's namespace counts if it knows both the inode's owner and its group. *caller*: the object is the caller's
own. All other owners: the namespace is found by way of the object, by the expression given.

The test is the one of the feature; where a case of it is named, that case shows the refusal: of guest/capabilities
to user 1000, as he is and as root of his own namespace; of guest/hardening to user 1000 or to uid 0 without the capability.

%d checks.

"""


def document(base, listed):
    checks, _ = scan(base, listed)
    count = collections.Counter(key(c) for c in checks)
    out = [HEAD % len(checks), "| where | capability | object | owning namespace | asked by | man page | test |\n|---|---|---|---|---|---|---|\n"]
    for row in sorted(load(base), key=lambda r: (r["file"], r["functions"], r["capability"])):
        where = ", ".join("`%s`%s" % (f, " (%d)" % n if n > 1 else "") for f in row["functions"]
                          for n in [count[row["file"], f, row["capability"], row["asks"]]])
        asked = row["asks"] if row["asks"] in ("init", "inode", "caller") else "`%s`" % row["asks"]
        out.append("| %s: %s | %s | %s | %s | %s | %s | %s |\n" % (row["file"], where, row["capability"], row["object"], row["owner"], asked,
                                                                row["man"], row["test"]))
    return "".join(out)
