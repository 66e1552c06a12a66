// SPDX-License-Identifier: MIT
//! Drivers have no unsafe code, and do not allow it to themselves.
pub fn run(p: *const u8) -> u8 {
    unsafe { *p } // error: unsafe_code
}

struct Mine(*mut u8);
unsafe impl Send for Mine {} // error: unsafe_code
