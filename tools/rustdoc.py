#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes in-kernel tests of the examples in documentation comments (``` ... ```) of rust/*.rs and drivers/: one function each, named
rustdoc_MODULE_ITEM, registered with the in-kernel tests. In an example `?` works, and assert! and assert_eq! fail the test alone.
A block that says ```text is none. usage: rustdoc.py OUT.rs | rustdoc.py --list"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = """// SPDX-License-Identifier: MIT
// Made by tools/rustdoc.py: the documentation's examples as in-kernel tests.
#![no_std]
#![forbid(unsafe_code)]
#![allow(unused, dead_code)]

macro_rules! assert {
    ($c:expr $(, $($t:tt)+)?) => {
        if !$c {
            kernel::ktest::failed(DOC_FILE, line!().wrapping_sub(DOC_BASE), format_args!("not true: {}", stringify!($c)));
            return Err(kernel::Error::EINVAL);
        }
    };
}
macro_rules! assert_eq {
    ($a:expr, $b:expr $(,)?) => {
        match (&$a, &$b) {
            (a, b) => if !(*a == *b) {
                kernel::ktest::failed(DOC_FILE, line!().wrapping_sub(DOC_BASE), format_args!("{} is {:?}, not {:?}", stringify!($a), a, b));
                return Err(kernel::Error::EINVAL);
            }
        }
    };
}
"""
ITEM = re.compile(r"\s*(?:pub(?:\([a-z]+\))?\s+)?(?:unsafe\s+|const\s+|extern\s+\"C\"\s+)*(?:fn|struct|enum|trait|union|type|static|mod|const)\s+(\w+)"
                  r"|\s*macro_rules!\s+(\w+)")


def examples():
    """(name, file, line of the first line of code, [lines]) of each example, in order."""
    seen = {}
    for path in sorted(glob.glob(ROOT + "/rust/**/*.rs", recursive=True) + glob.glob(ROOT + "/drivers/**/*.rs", recursive=True)):
        rel = os.path.relpath(path, ROOT)
        module = re.sub(r"_(mod|lib)$|\.rs$", "", "_".join(rel[:-3].split("/")[1:])) or "kernel"
        with open(path) as f:
            lines = f.read().split("\n")
        blocks, block = [], None
        for n, line in enumerate(lines):
            m = re.match(r"\s*//[/!] ?(.*)$", line)
            if not m:
                item = ITEM.match(line)
                if item or not re.match(r"\s*(#|$)", line):
                    for at, code in blocks:
                        name = "rustdoc_%s" % module + ("_" + (item[1] or item[2]) if item else "")
                        seen[name] = seen.get(name, 0) + 1
                        yield name + ("_%d" % seen[name] if seen[name] > 1 else ""), rel, at, code
                    blocks = []
                if block is not None:
                    sys.exit("%s:%d: an example without an end" % (rel, n + 1))
                continue
            fence = re.match(r"\s*```(.*)$", m[1])
            if fence and block is None:
                block = None if fence[1].strip() not in ("", "rust") else (n + 2, [])
                if fence[1].strip() not in ("", "rust"):
                    block = (0, None)
            elif fence:
                if block[1] is not None:
                    blocks.append(block)
                block = None
            elif block is not None and block[1] is not None:
                block[1].append(m[1])


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(sorted(name for name, _, _, _ in examples())))
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = HEAD
    for name, path, at, code in examples():
        out += "\n#[allow(non_snake_case)]\nfn %s(_run: &mut kernel::ktest::Run<'_>) -> kernel::Result {\n" % name
        out += "    const DOC_FILE: &str = \"%s\";\n" % path
        first = out.count("\n") + 2     # the line of the file that the first line of code will be
        out += "    const DOC_BASE: u32 = %du32.wrapping_sub(%d);\n" % (first, at)
        out += "".join(("    " + line).rstrip() + "\n" for line in code)
        out += "    Ok(())\n}\nkernel::ktest!(%s, %s);\n" % (name, name)
    with open(sys.argv[1], "w") as f:
        f.write(out)


if __name__ == "__main__":
    main()
