// SPDX-License-Identifier: MIT
//! A guard stays with the task that took the lock.
use kernel::sync::SpinLock;
static COUNT: SpinLock<u32> = SpinLock::new(0);

pub fn run() {
    let held = COUNT.lock();
    let _ = kernel::thread::spawn(c"thief", move || drop(held)); // error: E0277
}
