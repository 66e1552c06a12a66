// SPDX-License-Identifier: MIT
//! Work items: a function that runs later in a thread, where it may sleep. Dropping one takes it back, or waits until it has run; so
//! it must not be dropped by its own function.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::Result;
use core::cell::UnsafeCell;

#[repr(C)]
struct Item<W, F> {
    raw: UnsafeCell<W>, // first: C's pointer is the item's
    f: F,
}

/// A function to run soon.
///
/// ```
/// use kernel::{alloc::Arc, wait::Completion, work::Work};
/// let done = Arc::new(Completion::new()?)?;
/// let theirs = done.clone();
/// let w = Work::new(move || theirs.complete())?;
/// assert!(w.queue());
/// done.wait();
/// w.flush();
/// assert!(w.queue()); // as often as one likes
/// drop(w); // runs, or is taken back; either way it is over
/// ```
pub struct Work<F: Fn() + Send + Sync + 'static>(KBox<Item<bindings::work_bytes, F>>);

// SAFETY: the C side locks; the function may be called and dropped anywhere.
unsafe impl<F: Fn() + Send + Sync> Send for Work<F> {}
// SAFETY: as above.
unsafe impl<F: Fn() + Send + Sync> Sync for Work<F> {}

unsafe extern "C" fn run<F: Fn()>(w: *mut bindings::work_struct) {
    // SAFETY: C calls it with what new() registered, which outlives the call.
    (unsafe { &*w.cast::<Item<bindings::work_bytes, F>>() }.f)()
}

impl<F: Fn() + Send + Sync + 'static> Work<F> {
    /// An item at rest. May sleep.
    pub fn new(f: F) -> Result<Self> {
        // SAFETY: zero is a valid value of all members; it is initialised in its final place below.
        let b = KBox::new(Item { raw: UnsafeCell::new(unsafe { core::mem::zeroed::<bindings::work_bytes>() }), f }, KERNEL)?;
        // SAFETY: nobody else knows it.
        unsafe { bindings::rust_init_work(b.raw.get().cast(), Some(run::<F>)) };
        Ok(Self(b))
    }

    /// Has it run; false when it was to run already. Any context.
    pub fn queue(&self) -> bool {
        // SAFETY: initialised.
        unsafe { bindings::rust_schedule_work(self.0.raw.get().cast()) }
    }

    /// Sleeps until it rests.
    pub fn flush(&self) {
        // SAFETY: initialised.
        unsafe { bindings::flush_work(self.0.raw.get().cast()) };
    }
}

impl<F: Fn() + Send + Sync + 'static> Drop for Work<F> {
    fn drop(&mut self) {
        // SAFETY: initialised; afterwards C does not know it any more.
        unsafe { bindings::cancel_work_sync(self.0.raw.get().cast()) };
    }
}

/// A function to run after a while.
///
/// ```
/// use kernel::{alloc::Arc, wait::Completion, work::DelayedWork};
/// let done = Arc::new(Completion::new()?)?;
/// let theirs = done.clone();
/// let w = DelayedWork::new(move || theirs.complete())?;
/// assert!(w.queue_after(1));
/// done.wait();
/// assert!(w.queue_after(1_000_000));
/// assert!(!w.queue_after(1));
/// assert!(w.cancel());
/// assert!(!done.is_done());
/// ```
pub struct DelayedWork<F: Fn() + Send + Sync + 'static>(KBox<Item<bindings::delayed_work_bytes, F>>);

// SAFETY: as for Work.
unsafe impl<F: Fn() + Send + Sync> Send for DelayedWork<F> {}
// SAFETY: as above.
unsafe impl<F: Fn() + Send + Sync> Sync for DelayedWork<F> {}

unsafe extern "C" fn run_delayed<F: Fn()>(w: *mut bindings::work_struct) {
    // SAFETY: C calls it with the first member of what new() registered, which outlives the call.
    (unsafe { &*w.cast::<Item<bindings::delayed_work_bytes, F>>() }.f)()
}

impl<F: Fn() + Send + Sync + 'static> DelayedWork<F> {
    /// An item at rest. May sleep.
    pub fn new(f: F) -> Result<Self> {
        // SAFETY: zero is a valid value of all members; it is initialised in its final place below.
        let b = KBox::new(Item { raw: UnsafeCell::new(unsafe { core::mem::zeroed::<bindings::delayed_work_bytes>() }), f }, KERNEL)?;
        // SAFETY: nobody else knows it.
        unsafe { bindings::init_delayed_work(b.raw.get().cast(), Some(run_delayed::<F>)) };
        Ok(Self(b))
    }

    /// Has it run in `ms` milliseconds; false when it was to run already. Any context.
    pub fn queue_after(&self, ms: u32) -> bool {
        // SAFETY: initialised; a calculation.
        unsafe { bindings::rust_schedule_delayed_work(self.0.raw.get().cast(), bindings::msecs_to_jiffies(ms)) }
    }

    /// Takes it back, or waits until it has run: whether it was to run. Sleeps. Not for its own function.
    pub fn cancel(&self) -> bool {
        // SAFETY: initialised.
        unsafe { bindings::cancel_delayed_work_sync(self.0.raw.get().cast()) }
    }
}

impl<F: Fn() + Send + Sync + 'static> Drop for DelayedWork<F> {
    fn drop(&mut self) {
        self.cancel();
    }
}
