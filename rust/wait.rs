// SPDX-License-Identifier: MIT
//! Waiting for something to happen.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use core::cell::UnsafeCell;
use core::ffi::c_long;
use core::sync::atomic::{AtomicU64, Ordering};

/// Tasks that wait until a condition holds. Who makes it true calls `wake_all` afterwards.
///
/// ```
/// use core::sync::atomic::{AtomicBool, Ordering};
/// use kernel::{alloc::Arc, thread, wait::WaitQueue};
/// let state = Arc::new((WaitQueue::new()?, AtomicBool::new(false)))?;
/// let theirs = state.clone();
/// let t = thread::spawn(c"waker", move || {
///     theirs.1.store(true, Ordering::Release);
///     theirs.0.wake_all();
/// })?;
/// state.0.wait(|| state.1.load(Ordering::Acquire));
/// t.join();
/// assert_eq!(state.0.wait_timeout(1, || false), false);
/// assert!(state.0.wait_timeout(1, || { kernel::time::sleep_ms(2); true })); // a condition may sleep
/// ```
pub struct WaitQueue {
    q: KBox<Queue>,
}

struct Queue {
    raw: UnsafeCell<bindings::wait_queue_head_t>,
    // How often all were woken. C waits for the next time; the condition is asked by a task that is on no queue, so that it may end
    // the task (a panic), or sleep.
    turn: AtomicU64,
}

// SAFETY: the C side locks.
unsafe impl Send for WaitQueue {}
// SAFETY: as above.
unsafe impl Sync for WaitQueue {}

impl WaitQueue {
    /// One with nobody on it. May sleep.
    pub fn new() -> Result<Self> {
        // SAFETY: zero is a valid value of all members; it is initialised in its final place below.
        let q = KBox::new(Queue { raw: UnsafeCell::new(unsafe { core::mem::zeroed() }), turn: AtomicU64::new(0) }, KERNEL)?;
        // SAFETY: nobody else knows it.
        unsafe { bindings::rust_init_wait(q.raw.get()) };
        Ok(Self { q })
    }

    /// Positive once `f` is true, else 0 after `ticks`, or a negative error. `f` is not asked again after a yes: it may have taken something.
    fn wait_for<F: FnMut() -> bool>(&self, mut f: F, interruptible: bool, ticks: c_long) -> c_long {
        let mut left = ticks;
        loop {
            let seen = self.q.turn.load(Ordering::Acquire); // before the question: a change behind it brings another turn
            if f() {
                return left.max(1);
            }
            if left <= 0 {
                return left;
            }
            // SAFETY: initialised; both live as long as self.
            left = unsafe { bindings::rust_wait(self.q.raw.get(), self.q.turn.as_ptr(), seen, interruptible, left) };
        }
    }

    /// Sleeps until `f` is true.
    pub fn wait<F: FnMut() -> bool>(&self, f: F) {
        self.wait_for(f, false, c_long::MAX);
    }

    /// Sleeps until `f` is true; `ERESTARTSYS` when a signal comes first.
    pub fn wait_interruptible<F: FnMut() -> bool>(&self, f: F) -> Result {
        Error::from_ret(self.wait_for(f, true, c_long::MAX).min(0) as i32).map_or(Ok(()), Err)
    }

    /// Sleeps until `f` is true, `ms` milliseconds at most: whether it is.
    pub fn wait_timeout<F: FnMut() -> bool>(&self, ms: u32, f: F) -> bool {
        // SAFETY: a calculation.
        let ticks = unsafe { bindings::msecs_to_jiffies(ms) };
        self.wait_for(f, false, ticks as c_long) > 0
    }

    /// Has all look at their condition again. Any context.
    pub fn wake_all(&self) {
        self.q.turn.fetch_add(1, Ordering::AcqRel);
        // SAFETY: initialised.
        unsafe { bindings::rust_wake_all(self.q.raw.get()) }
    }

    pub(crate) fn raw(&self) -> *mut bindings::wait_queue_head_t {
        self.q.raw.get()
    }
}

/// Something that happens once.
///
/// ```
/// use kernel::{alloc::Arc, thread, wait::Completion};
/// let done = Arc::new(Completion::new()?)?;
/// assert!(!done.wait_timeout(1));
/// let theirs = done.clone();
/// let t = thread::spawn(c"completer", move || theirs.complete_all())?;
/// done.wait();
/// assert!(done.is_done());
/// t.join();
/// ```
pub struct Completion {
    raw: KBox<UnsafeCell<bindings::completion_bytes>>,
}

// SAFETY: the C side locks.
unsafe impl Send for Completion {}
// SAFETY: as above.
unsafe impl Sync for Completion {}

impl Completion {
    /// One that has not happened. May sleep.
    pub fn new() -> Result<Self> {
        // SAFETY: zero is a valid value of all members; it is initialised in its final place below.
        let raw = KBox::new(UnsafeCell::new(unsafe { core::mem::zeroed::<bindings::completion_bytes>() }), KERNEL)?;
        // SAFETY: nobody else knows it.
        unsafe { bindings::rust_init_completion(raw.get().cast()) };
        Ok(Self { raw })
    }

    /// Lets one waiter go, now or later. Any context.
    pub fn complete(&self) {
        // SAFETY: initialised.
        unsafe { bindings::complete(self.raw.get().cast()) }
    }

    /// Lets everybody go, now and later.
    pub fn complete_all(&self) {
        // SAFETY: initialised.
        unsafe { bindings::complete_all(self.raw.get().cast()) }
    }

    /// Sleeps until it happened.
    pub fn wait(&self) {
        // SAFETY: initialised.
        unsafe { bindings::wait_for_completion(self.raw.get().cast()) }
    }

    /// Sleeps `ms` milliseconds at most: whether it happened.
    pub fn wait_timeout(&self, ms: u32) -> bool {
        // SAFETY: initialised; a calculation.
        unsafe { bindings::wait_for_completion_timeout(self.raw.get().cast(), bindings::msecs_to_jiffies(ms)) != 0 }
    }

    /// Whether a wait would return at once.
    pub fn is_done(&self) -> bool {
        // SAFETY: initialised.
        unsafe { bindings::completion_done(self.raw.get().cast()) }
    }
}

/// A condition is asked by a task that no queue knows: were it to panic there, nothing would point into the stack of a task that ended.
fn asked_off_the_queue(_run: &mut crate::ktest::Run<'_>) -> Result {
    let q = WaitQueue::new()?;
    let mut asked = 0;
    let mut linked = false;
    let yes = q.wait_timeout(1000, || {
        // SAFETY: initialised; a look only.
        linked |= unsafe { bindings::rust_has_waiters(q.raw()) };
        asked += 1;
        if asked == 1 {
            q.wake_all(); // between the question and the sleep: it is not lost
        }
        asked == 2
    });
    crate::kt_eq!((yes, asked, linked), (true, 2, false));
    Ok(())
}

crate::ktest!(rust_wait_asked_off_the_queue, asked_off_the_queue);
