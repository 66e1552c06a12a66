// SPDX-License-Identifier: MIT
//! A work item runs in another thread.
use kernel::sync::SpinLock;
use kernel::work::Work;

pub fn run(l: &'static SpinLock<u32>) -> kernel::Result {
    let held = l.lock();
    Work::new(move || { // error: E0277
        let _ = &held;
    })
    .map(drop)
}
