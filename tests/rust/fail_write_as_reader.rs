// SPDX-License-Identifier: MIT
//! A reader does not write.
use kernel::sync::RwSemaphore;

pub fn run(table: &RwSemaphore<u32>) {
    *table.read() = 5; // error: E0594
}
