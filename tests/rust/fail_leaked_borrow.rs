// SPDX-License-Identifier: MIT
//! What is leaked lives for ever: it borrows nothing that does not.
use kernel::alloc::{KBox, KERNEL};

pub fn run() -> kernel::Result<&'static &'static u32> {
    let n = 5;
    Ok(KBox::new(&n, KERNEL)?.leak()) // error: E0597
}
