// SPDX-License-Identifier: MIT
//! What is published once lives for ever and may be used by anybody.
use core::cell::Cell;
use kernel::sync::Once;

static PLACE: Once<u32> = Once::new();

pub fn run() -> kernel::Result {
    let n = 4;
    PLACE.set(&n) // error: E0597
}

pub fn not_sync(n: &'static Cell<u32>) -> kernel::Result {
    Once::new().set(n) // error: E0277
}
