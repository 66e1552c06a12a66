// SPDX-License-Identifier: MIT
//! A guard does not outlive its lock.
use kernel::sync::{Mutex, MutexGuard};

pub fn run<'a>(m: Mutex<u32>) -> MutexGuard<'a, u32> {
    m.lock() // error: E0515
}
