// SPDX-License-Identifier: MIT
//! What runs later does not borrow what goes now.
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::time::{HrTimer, Next};

pub fn run() -> kernel::Result {
    let n = AtomicU32::new(0);
    let t = HrTimer::new(|| { // error: E0373
        n.fetch_add(1, Ordering::Relaxed);
        Next::Stop
    })?;
    t.start_after(1);
    Ok(())
}
