// SPDX-License-Identifier: MIT
//! Clocks and delays. Everything is nanoseconds in 64 bits.

use crate::bindings;

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// Since boot; never goes back. Any context.
///
/// ```
/// use kernel::time;
/// let before = time::now_ns();
/// time::delay_us(50);
/// assert!(time::now_ns() - before >= 50_000);
/// ```
pub fn now_ns() -> u64 {
    // SAFETY: may be called from anywhere.
    unsafe { bindings::ktime_get_ns() }
}

/// Since 1970, as the wall clock says.
pub fn real_ns() -> u64 {
    // SAFETY: may be called from anywhere.
    unsafe { bindings::ktime_get_real_ns() }
}

/// Sets the wall clock. Sleeps.
pub fn set_real_ns(ns: u64) {
    // SAFETY: any value is a time.
    unsafe { bindings::ktime_set_real_ns(ns) }
}

/// Burns `us` microseconds: only for hardware that asks for it.
pub fn delay_us(us: u32) {
    // SAFETY: any value will do.
    unsafe { bindings::udelay(us.into()) }
}

/// Sleeps for `ms` milliseconds at least.
pub fn sleep_ms(ms: u32) {
    // SAFETY: plain functions of the scheduler.
    unsafe { bindings::rust_sleep(ms) }
}
