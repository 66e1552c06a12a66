// SPDX-License-Identifier: MIT
//! A panic in Rust is an oops of the running task, nothing less and nothing more.

use crate::bindings;
use crate::print::Line;
use core::fmt::Write;
use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut text = Line::new();
    // Writing into a line never fails: what does not fit is cut.
    let _ = write!(text, "{}", info.message());
    let (file, line) = info.location().map_or(("?", 0), |l| (l.file(), l.line()));
    // SAFETY: both texts are valid for the lengths given, and the callee does not keep them.
    unsafe {
        bindings::rust_panic_oops(
            file.as_ptr().cast(),
            file.len(),
            line,
            text.as_str().as_ptr().cast(),
            text.as_str().len(),
        )
    }
}
