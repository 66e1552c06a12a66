#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/check-soundness: what is not reviewed, and rows that stand for nothing, are found."""
import os
import shutil
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.dont_write_bytecode = True
from ochre import soundness  # noqa: E402

# A file, what stands there, what stands there then, and what is said of it.
CHANGES = [
    ("rust/work.rs", "    pub fn flush(&self) {", "    pub fn flush_now(&self) {}\n    pub fn flush(&self) {", "Work::flush_now has no row"),
    ("rust/time.rs", "pub fn now_ns()", "pub fn then_ns() -> u64 {\n    0\n}\n\npub fn now_ns()", "then_ns has no row"),
    ("rust/dma.rs", "dma_access!(read8, write8, u8);", "dma_access!(read8, write8, u8);\n    dma_access!(read128, write128, u128);", "Dma::read128 has no row"),
    ("rust/print.rs", "#[macro_export]\nmacro_rules! pr_err", "#[macro_export]\nmacro_rules! pr_new {\n    () => {};\n}\n#[macro_export]\nmacro_rules! pr_err", "pr_new! has no row"),
    ("rust/irq.rs", "pub fn simulate(", "pub unsafe fn simulate(", "simulate is no public safe function"),
    ("rust/time.rs", "impl<F: Fn() -> Next + Send + Sync + 'static> Drop for HrTimer<F>", "impl<F: Fn() -> Next + Send + Sync + 'static> Gone for HrTimer<F>",
     "HrTimer (drop) is no public safe function"),
    (soundness.DOCUMENT, "kernel/rustdoc_work_Work |", "kernel/rustdoc_work_Play |", "there is no test kernel/rustdoc_work_Play"),
    (soundness.DOCUMENT, "build/rust_fail_timer_borrows", "none", "there is no test none"),
    (soundness.DOCUMENT, "| KBox::leak |", "| KBox::new |", "KBox::new has two rows"),
    (soundness.DOCUMENT, "| real_ns | plain values go in and come out |", "| real_ns |  |", "real_ns: no reason"),
]
assert soundness.verify(ROOT) == []
with tempfile.TemporaryDirectory() as d:
    for name in os.listdir(ROOT):
        if name in ("rust", "docs"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(d, name))
        elif name not in (".git", "build"):
            os.symlink(os.path.join(ROOT, name), os.path.join(d, name))
    assert soundness.verify(d) == []
    for path, now, then, said in CHANGES:
        with open(os.path.join(d, path)) as f:
            text = f.read()
        assert now in text, (path, now)
        with open(os.path.join(d, path), "w") as f:
            f.write(text.replace(now, then, 1))
        found = soundness.verify(d)
        assert any(said in p.message for p in found), (said, found)
        with open(os.path.join(d, path), "w") as f:
            f.write(text)
print("ok")
