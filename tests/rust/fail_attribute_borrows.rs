// SPDX-License-Identifier: MIT
//! A file of /sys or /proc shows what lives for ever and may be read by anybody.
use core::cell::Cell;
use kernel::show::{self, Dir};

pub fn run(dir: Dir) -> kernel::Result {
    let level = 3u32;
    dir.attr(c"level", &level, |l, out| writeln!(out, "{l}"), None)?; // error: E0597
    let text = show::ProcText::new(&3u32, |l, out| writeln!(out, "{l}"));
    show::proc_driver(c"level", &text).map(drop) // error: E0597
}

pub fn not_sync(dir: Dir, level: &'static Cell<u32>) -> kernel::Result {
    dir.attr(c"level", level, |l, out| writeln!(out, "{}", l.get()), None) // error: E0277
}
