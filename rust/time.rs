// SPDX-License-Identifier: MIT
//! Clocks and delays. Everything is nanoseconds in 64 bits.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::{to_result, Result};
use core::cell::UnsafeCell;

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

/// Sets the wall clock. Sleeps. `EINVAL`: a time that sums of nanoseconds could overflow with, or
/// one before the start of the machine.
///
/// ```
/// use kernel::time;
/// let (real, mono) = (time::real_ns(), time::now_ns());
/// time::set_real_ns(4_000_000_000 * time::SECOND).unwrap();
/// let since = time::now_ns() - mono;
/// assert!(time::real_ns() >= 4_000_000_000 * time::SECOND);
/// assert!(time::now_ns() >= mono); // the other clock knows nothing of it
/// // A machine without a clock starts in 1970: what it read is before its start by now.
/// time::set_real_ns((real + since).max(time::now_ns() + time::SECOND)).unwrap();
/// assert!(time::set_real_ns(9_000_000_000 * time::SECOND).is_err());
/// ```
pub fn set_real_ns(ns: u64) -> Result<()> {
    // SAFETY: any value may be tried.
    to_result(unsafe { bindings::ktime_set_real_ns(ns) })
}

/// Burns `us` microseconds: only for hardware that asks for it.
pub fn delay_us(us: u32) {
    // SAFETY: any value will do.
    unsafe { bindings::udelay(us.into()) }
}

/// Sleeps for `ms` milliseconds at least.
///
/// ```
/// use kernel::time;
/// let before = time::now_ns();
/// time::sleep_ms(2);
/// assert!(time::now_ns() - before >= 2_000_000);
/// ```
pub fn sleep_ms(ms: u32) {
    // SAFETY: plain functions of the scheduler.
    unsafe { bindings::rust_sleep(ms) }
}

/// What a timer's function wants next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing.
    Stop,
    /// To be called again that many nanoseconds after it was due.
    Again(u64),
}

#[repr(C)]
struct Item<F> {
    raw: UnsafeCell<bindings::hrtimer>, // first: C's pointer is the item's
    f: F,
}

/// A function that an interrupt calls at a moment. It does little and does not sleep. Dropping the timer stops it.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use kernel::{alloc::Arc, time::{self, HrTimer, Next}, wait::Completion};
/// let state = Arc::new((AtomicU32::new(0), Completion::new()?))?;
/// let theirs = state.clone();
/// let t = HrTimer::new(move || match theirs.0.fetch_add(1, Ordering::Relaxed) {
///     0..=1 => Next::Again(1_000_000),
///     _ => { theirs.1.complete(); Next::Stop }
/// })?;
/// let before = time::now_ns();
/// t.start_after(1_000_000);
/// state.1.wait();
/// assert_eq!(state.0.load(Ordering::Relaxed), 3);
/// assert!(time::now_ns() - before >= 3_000_000);
/// t.start_after(time::SECOND * 3600);
/// assert!(t.cancel());
/// assert!(!t.cancel());
/// ```
pub struct HrTimer<F: Fn() -> Next + Send + Sync + 'static>(KBox<Item<F>>);

// SAFETY: the C side locks; the function may be called and dropped anywhere.
unsafe impl<F: Fn() -> Next + Send + Sync> Send for HrTimer<F> {}
// SAFETY: as above.
unsafe impl<F: Fn() -> Next + Send + Sync> Sync for HrTimer<F> {}

unsafe extern "C" fn fire<F: Fn() -> Next>(t: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
    // SAFETY: C calls it with what new() registered, which outlives the call.
    match (unsafe { &*t.cast::<Item<F>>() }.f)() {
        Next::Stop => bindings::hrtimer_restart_HRTIMER_NORESTART,
        Next::Again(ns) => {
            // SAFETY: within the timer's function; the interval is not 0.
            unsafe { bindings::hrtimer_forward(t, bindings::hrtimer_cb_get_time(t), ns.clamp(1, i64::MAX as u64) as i64) };
            bindings::hrtimer_restart_HRTIMER_RESTART
        }
    }
}

impl<F: Fn() -> Next + Send + Sync + 'static> HrTimer<F> {
    /// A timer at rest. May sleep.
    pub fn new(f: F) -> Result<Self> {
        // SAFETY: zero is a valid value of all members; it is initialised in its final place below.
        let b = KBox::new(Item { raw: UnsafeCell::new(unsafe { core::mem::zeroed() }), f }, KERNEL)?;
        // SAFETY: nobody else knows it.
        unsafe { bindings::hrtimer_init(b.raw.get(), bindings::RUST_CLOCK_MONOTONIC as i32, Some(fire::<F>)) };
        Ok(Self(b))
    }

    /// Due in `ns` nanoseconds, whatever it was before. Any context.
    pub fn start_after(&self, ns: u64) {
        // SAFETY: initialised.
        unsafe { bindings::hrtimer_start(self.0.raw.get(), ns.min(i64::MAX as u64) as i64, bindings::hrtimer_mode_HRTIMER_MODE_REL) }
    }

    /// Stops it and waits for a call under way: whether it was still to come. Not for its own function.
    pub fn cancel(&self) -> bool {
        // SAFETY: initialised.
        unsafe { bindings::hrtimer_cancel(self.0.raw.get()) == 1 }
    }
}

impl<F: Fn() -> Next + Send + Sync + 'static> Drop for HrTimer<F> {
    fn drop(&mut self) {
        self.cancel();
    }
}
