// SPDX-License-Identifier: MIT
//! Kernel messages: `pr_info!("found {} ports\n", n)` and its like.

use crate::bindings;
use core::fmt::{self, Write};

/// One message, formatted on the stack; what does not fit is cut.
///
/// ```
/// use core::fmt::Write;
/// use kernel::print::Line;
/// let mut l = Line::new();
/// assert!(write!(l, "{} ports", 4).is_ok());
/// assert_eq!(l.as_str(), "4 ports");
/// for _ in 0..100 { assert!(l.write_str("\u{e9}\u{e9}\u{e9}").is_ok()); }
/// assert!(l.as_str().len() <= 240 && l.as_str().ends_with('\u{e9}'));
/// kernel::pr_info!("example: {}\n", 4);
/// ```
pub struct Line {
    len: usize,
    text: [u8; 240],
}

impl Line {
    /// An empty one.
    pub const fn new() -> Self {
        Self { len: 0, text: [0; 240] }
    }

    /// What was written so far.
    pub fn as_str(&self) -> &str {
        let bytes = self.text.get(..self.len).unwrap_or(&[]);
        core::str::from_utf8(bytes).unwrap_or("(not UTF-8)")
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Line {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let mut room = (self.text.len() - self.len).min(s.len());
        while !s.is_char_boundary(room) {
            room -= 1;
        }
        let end = self.len + room;
        if let (Some(to), Some(from)) = (self.text.get_mut(self.len..end), s.as_bytes().get(..room)) {
            to.copy_from_slice(from);
            self.len = end;
        }
        Ok(())
    }
}

/// Prints one message. Use the `pr_*` macros.
pub fn print(level: i32, args: fmt::Arguments<'_>) {
    let mut line = Line::new();
    let _ = line.write_fmt(args);
    let text = line.as_str();
    // SAFETY: the text is valid for its length, and the callee does not keep it.
    unsafe { bindings::rust_print(level, text.as_ptr().cast(), text.len()) }
}

/// Prints an error.
#[macro_export]
macro_rules! pr_err {
    ($($arg:tt)*) => { $crate::print::print(3, core::format_args!($($arg)*)) };
}

/// Prints a warning.
#[macro_export]
macro_rules! pr_warn {
    ($($arg:tt)*) => { $crate::print::print(4, core::format_args!($($arg)*)) };
}

/// Prints information.
#[macro_export]
macro_rules! pr_info {
    ($($arg:tt)*) => { $crate::print::print(6, core::format_args!($($arg)*)) };
}
