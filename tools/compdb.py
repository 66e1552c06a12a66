#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads make's commands on stdin and writes compile_commands.json and rust-project.json into the source tree.
usage: make -n -B V=1 | compdb.py SRCTREE [RUST_SRC [TARGET]]"""
import glob
import json
import os
import shlex
import sys


def main():
    top = sys.argv[1]
    rows = []
    for line in sys.stdin:
        if " -c " not in line:
            continue
        argv = shlex.split(line)
        src = argv[argv.index("-c") + 1]
        if src.endswith((".c", ".S")):
            rows.append({"directory": top, "file": src, "arguments": argv})
    with open(os.path.join(top, "compile_commands.json"), "w") as f:
        json.dump(rows, f, indent=1)
        f.write("\n")
    if len(sys.argv) > 2 and os.path.exists(os.path.join(top, "rust/lib.rs")):
        src = sys.argv[2]
        crates = [{"display_name": "core", "root_module": src + "/core/src/lib.rs", "edition": "2024", "deps": [],
                   "is_workspace_member": False, "cfg": ["no_fp_fmt_parse"]},
                  {"display_name": "kernel", "root_module": "rust/lib.rs", "edition": "2024",
                   "deps": [{"crate": 0, "name": "core"}], "env": {"OCHRE_BINDINGS": top + "/build/x86_64/rust/bindings.rs"}}]
        if os.path.exists(os.path.join(top, "drivers/lib.rs")):
            crates.append({"display_name": "drivers", "root_module": "drivers/lib.rs", "edition": "2024",
                           "deps": [{"crate": 0, "name": "core"}, {"crate": 1, "name": "kernel"}]})
        for root in sorted(glob.glob(os.path.join(top, "drivers/*/lib.rs"))):
            crates.append({"display_name": os.path.basename(os.path.dirname(root)), "root_module": os.path.relpath(root, top), "edition": "2024",
                           "deps": [{"crate": 0, "name": "core"}, {"crate": 1, "name": "kernel"}, {"crate": 2, "name": "drivers"}], "cfg": ["module"]})
        if len(sys.argv) > 3:
            for c in crates:
                c["target"] = sys.argv[3]
        with open(os.path.join(top, "rust-project.json"), "w") as f:
            json.dump({"sysroot_src": src, "crates": crates}, f, indent=1)
            f.write("\n")


main()
