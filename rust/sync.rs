// SPDX-License-Identifier: MIT
//! Locks that hold what they protect. A guard is the proof of holding; it stays with the task (or CPU) that took the lock.
//!
//! `SpinLock` and `SpinLockIrq` are values. `Mutex` and `RwSemaphore` keep C's part, which others link to by address, in a box.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::{to_result, Error, Result};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicPtr, Ordering};

/// Marks what must not leave its task.
pub(crate) type NotSend = PhantomData<*mut ()>;

macro_rules! guard {
    ($guard:ident, $lock:ident, $unlock:expr, mutable) => {
        guard!($guard, $lock, $unlock);
        impl<T> DerefMut for $guard<'_, T> {
            fn deref_mut(&mut self) -> &mut T {
                // SAFETY: we hold the lock for writing and are borrowed mutably.
                unsafe { &mut *self.owner.data.get() }
            }
        }
    };
    ($guard:ident, $lock:ident, $unlock:expr) => {
        impl<T> Deref for $guard<'_, T> {
            type Target = T;
            fn deref(&self) -> &T {
                // SAFETY: we hold the lock.
                unsafe { &*self.owner.data.get() }
            }
        }
        impl<T> Drop for $guard<'_, T> {
            fn drop(&mut self) {
                let unlock: fn(&mut Self) = $unlock;
                unlock(self);
            }
        }
    };
}

/// An unlocked spinlock. For the lock checker the place that makes a lock is its class, and the file its name.
#[track_caller]
const fn unlocked() -> bindings::spinlock_t {
    // SAFETY: all zero bytes are an unlocked spinlock_t.
    #[cfg_attr(not(lockdep), allow(unused_mut))]
    let mut lock: bindings::spinlock_t = unsafe { core::mem::zeroed() };
    #[cfg(lockdep)]
    {
        let place = core::panic::Location::caller();
        lock.map.name = place.file_as_c_str().as_ptr();
        lock.map.key = core::ptr::from_ref(place).cast();
        lock.map.line = place.line();
    }
    lock
}

/// A spinlock, for data that no interrupt handler takes. Holding it, one does not sleep.
///
/// ```
/// use kernel::sync::SpinLock;
/// let count = SpinLock::new(1);
/// *count.lock() += 1;
/// assert_eq!(*count.lock(), 2);
/// let held = count.lock();
/// assert!(count.try_lock().is_none());
/// drop(held);
/// assert!(count.try_lock().is_some());
/// ```
pub struct SpinLock<T> {
    lock: UnsafeCell<bindings::spinlock_t>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives the data to one holder at a time, on whichever CPU.
unsafe impl<T: Send> Send for SpinLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// An unlocked one.
    #[track_caller]
    pub const fn new(data: T) -> Self {
        Self { lock: UnsafeCell::new(unlocked()), data: UnsafeCell::new(data) }
    }

    /// Takes it.
    pub fn lock(&self) -> SpinGuard<'_, T> {
        // SAFETY: the lock is initialised and lives as long as self.
        unsafe { bindings::rust_spin_lock(self.lock.get()) };
        SpinGuard { owner: self, stays: PhantomData }
    }

    /// Takes it if nobody holds it.
    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        // SAFETY: as above.
        unsafe { bindings::rust_spin_trylock(self.lock.get()) }
            .then(|| SpinGuard { owner: self, stays: PhantomData })
    }
}

/// The data, while the lock is held.
pub struct SpinGuard<'a, T> {
    owner: &'a SpinLock<T>,
    stays: NotSend,
}

guard!(
    SpinGuard,
    SpinLock,
    |g| {
        // SAFETY: we hold it.
        unsafe { bindings::rust_spin_unlock(g.owner.lock.get()) }
    },
    mutable
);

/// A spinlock held with interrupts off: for data that an interrupt handler shares.
///
/// ```
/// use kernel::sync::SpinLockIrq;
/// static EVENTS: SpinLockIrq<u32> = SpinLockIrq::new(0);
/// *EVENTS.lock() |= 4;
/// let seen = core::mem::take(&mut *EVENTS.lock());
/// assert_eq!(seen, 4);
/// ```
pub struct SpinLockIrq<T> {
    lock: UnsafeCell<bindings::spinlock_t>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives the data to one holder at a time, on whichever CPU.
unsafe impl<T: Send> Send for SpinLockIrq<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SpinLockIrq<T> {}

impl<T> SpinLockIrq<T> {
    /// An unlocked one.
    #[track_caller]
    pub const fn new(data: T) -> Self {
        Self { lock: UnsafeCell::new(unlocked()), data: UnsafeCell::new(data) }
    }

    /// Takes it; interrupts come back as they were when the last such guard goes.
    pub fn lock(&self) -> IrqGuard<'_, T> {
        // SAFETY: the lock is initialised and lives as long as self.
        unsafe { bindings::rust_spin_lock_irq(self.lock.get()) };
        IrqGuard { owner: self, stays: PhantomData }
    }
}

/// The data, while the lock is held.
pub struct IrqGuard<'a, T> {
    owner: &'a SpinLockIrq<T>,
    stays: NotSend,
}

guard!(
    IrqGuard,
    SpinLockIrq,
    |g| {
        // SAFETY: we hold it.
        unsafe { bindings::rust_spin_unlock_irq(g.owner.lock.get()) }
    },
    mutable
);

/// A place for a reference that is set once and read without a lock. Any context.
///
/// ```
/// use kernel::sync::Once;
/// static TABLE: [u32; 2] = [3, 4];
/// let place: Once<[u32; 2]> = Once::new();
/// assert!(place.get().is_none());
/// place.set(&TABLE)?;
/// assert_eq!(place.set(&TABLE), Err(kernel::Error::EBUSY));
/// assert_eq!(place.get(), Some(&[3, 4]));
/// ```
pub struct Once<T: Sync + 'static> {
    // Invariant: null, or made of a `&'static T`.
    at: AtomicPtr<T>,
}

impl<T: Sync + 'static> Once<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Self { at: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// Puts it there. `EBUSY`: something is there.
    pub fn set(&self, value: &'static T) -> Result {
        let new = core::ptr::from_ref(value).cast_mut();
        let old = self.at.compare_exchange(
            core::ptr::null_mut(),
            new,
            Ordering::Release,
            Ordering::Relaxed,
        );
        old.map(|_| ()).map_err(|_| Error::EBUSY)
    }

    /// What is there.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: by the type's invariant; it was published with release.
        unsafe { self.at.load(Ordering::Acquire).as_ref() }
    }
}

impl<T: Sync + 'static> Default for Once<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn guards_in_any_order(_run: &mut crate::ktest::Run<'_>) -> Result {
    let (first, second) = (SpinLockIrq::new(1), SpinLock::new(2));
    let inner = SpinLockIrq::new(3);
    // SAFETY: a question without effects.
    let off = || unsafe { bindings::rust_irqs_off() };
    crate::kt_assert!(!off());
    let a = first.lock();
    let s = second.lock();
    let b = inner.lock();
    drop(a);
    crate::kt_assert!(off()); // B is held, and an interrupt handler may want it
    drop(s);
    crate::kt_assert!(off());
    drop(b);
    crate::kt_assert!(!off());
    Ok(())
}

crate::ktest!(rust_irq_guards_in_any_order, guards_in_any_order);

/// A lock that one may sleep under. Its name is its class for the lock checker.
///
/// ```
/// use kernel::sync::Mutex;
/// let names = Mutex::new(c"names", [0u8; 4])?;
/// names.lock()[1] = 7;
/// assert_eq!(*names.lock(), [0, 7, 0, 0]);
/// let held = names.lock();
/// assert!(names.try_lock().is_none());
/// ```
pub struct Mutex<T> {
    raw: KBox<UnsafeCell<bindings::mutex>>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock gives the data to one holder at a time.
unsafe impl<T: Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// An unlocked one. May sleep.
    pub fn new(name: &'static CStr, data: T) -> Result<Self> {
        // SAFETY: zero is a valid value of all members; it is initialised in its final place below.
        let raw = KBox::new(UnsafeCell::new(unsafe { core::mem::zeroed() }), KERNEL)?;
        // SAFETY: nobody else knows it; the name lives for ever.
        unsafe { bindings::rust_mutex_init(raw.get(), name.as_ptr()) };
        Ok(Self { raw, data: UnsafeCell::new(data) })
    }

    /// Takes it. Sleeps.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        // SAFETY: initialised, and it lives as long as self.
        unsafe { bindings::mutex_lock(self.raw.get()) };
        MutexGuard { owner: self, stays: PhantomData }
    }

    /// Takes it, unless a signal comes first: `EINTR`.
    pub fn lock_interruptible(&self) -> Result<MutexGuard<'_, T>> {
        // SAFETY: as above.
        to_result(unsafe { bindings::mutex_lock_interruptible(self.raw.get()) })?;
        Ok(MutexGuard { owner: self, stays: PhantomData })
    }

    /// Takes it if nobody holds it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        // SAFETY: as above.
        unsafe { bindings::mutex_trylock(self.raw.get()) }
            .then(|| MutexGuard { owner: self, stays: PhantomData })
    }
}

/// The data, while the mutex is held.
pub struct MutexGuard<'a, T> {
    owner: &'a Mutex<T>,
    stays: NotSend,
}

guard!(
    MutexGuard,
    Mutex,
    |g| {
        // SAFETY: this task holds it.
        unsafe { bindings::mutex_unlock(g.owner.raw.get()) }
    },
    mutable
);

/// Many readers or one writer; both may sleep.
///
/// ```
/// use kernel::sync::RwSemaphore;
/// let table = RwSemaphore::new(c"table", 1u32)?;
/// {
///     let (a, b) = (table.read(), table.try_read());
///     assert_eq!(*a + *b.ok_or(kernel::Error::EBUSY)?, 2);
///     assert!(table.try_write().is_none());
/// }
/// let mut w = table.write();
/// *w = 5;
/// assert!(table.try_read().is_none());
/// let r = w.downgrade();
/// assert_eq!((*r, table.try_read().is_some()), (5, true));
/// ```
pub struct RwSemaphore<T> {
    raw: KBox<UnsafeCell<bindings::rw_semaphore>>,
    data: UnsafeCell<T>,
}

// SAFETY: the data goes with it.
unsafe impl<T: Send> Send for RwSemaphore<T> {}
// SAFETY: readers share the data, a writer has it alone.
unsafe impl<T: Send + Sync> Sync for RwSemaphore<T> {}

impl<T> RwSemaphore<T> {
    /// An unlocked one. May sleep.
    pub fn new(name: &'static CStr, data: T) -> Result<Self> {
        // SAFETY: zero is a valid value of all members; it is initialised in its final place below.
        let raw = KBox::new(UnsafeCell::new(unsafe { core::mem::zeroed() }), KERNEL)?;
        // SAFETY: nobody else knows it; the name lives for ever.
        unsafe { bindings::rust_rwsem_init(raw.get(), name.as_ptr()) };
        Ok(Self { raw, data: UnsafeCell::new(data) })
    }

    /// Takes it with other readers. Sleeps.
    pub fn read(&self) -> ReadGuard<'_, T> {
        // SAFETY: initialised, and it lives as long as self.
        unsafe { bindings::down_read(self.raw.get()) };
        ReadGuard { owner: self, stays: PhantomData }
    }

    /// Takes it alone. Sleeps.
    pub fn write(&self) -> WriteGuard<'_, T> {
        // SAFETY: as above.
        unsafe { bindings::down_write(self.raw.get()) };
        WriteGuard { owner: self, stays: PhantomData }
    }

    /// Reads, if that needs no waiting.
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        // SAFETY: as above.
        unsafe { bindings::down_read_trylock(self.raw.get()) }
            .then(|| ReadGuard { owner: self, stays: PhantomData })
    }

    /// Writes, if that needs no waiting.
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        // SAFETY: as above.
        unsafe { bindings::down_write_trylock(self.raw.get()) }
            .then(|| WriteGuard { owner: self, stays: PhantomData })
    }
}

/// The data, to look at.
pub struct ReadGuard<'a, T> {
    owner: &'a RwSemaphore<T>,
    stays: NotSend,
}

guard!(ReadGuard, RwSemaphore, |g| {
    // SAFETY: this task holds it for reading.
    unsafe { bindings::up_read(g.owner.raw.get()) }
});

/// The data, to change.
pub struct WriteGuard<'a, T> {
    owner: &'a RwSemaphore<T>,
    stays: NotSend,
}

impl<'a, T> WriteGuard<'a, T> {
    /// Goes on as a reader, with no writer in between.
    pub fn downgrade(self) -> ReadGuard<'a, T> {
        let owner = self.owner;
        core::mem::forget(self);
        // SAFETY: this task holds it for writing.
        unsafe { bindings::downgrade_write(owner.raw.get()) };
        ReadGuard { owner, stays: PhantomData }
    }
}

guard!(
    WriteGuard,
    RwSemaphore,
    |g| {
        // SAFETY: this task holds it for writing.
        unsafe { bindings::up_write(g.owner.raw.get()) }
    },
    mutable
);
