// SPDX-License-Identifier: MIT
//! Locks that hold what they protect.

use crate::bindings;
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

/// A spinlock held with interrupts off: for data that an interrupt handler shares.
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
    pub const fn new(data: T) -> Self {
        // SAFETY: all zero bytes are an unlocked spinlock_t.
        let lock = unsafe { core::mem::zeroed() };
        Self { lock: UnsafeCell::new(lock), data: UnsafeCell::new(data) }
    }

    /// Takes it; interrupts come back as they were when the guard goes.
    pub fn lock(&self) -> IrqGuard<'_, T> {
        // SAFETY: the lock is initialised and lives as long as self.
        let flags = unsafe { bindings::rust_spin_lock_irqsave(self.lock.get()) };
        IrqGuard { owner: self, flags }
    }
}

/// The data, while the lock is held.
pub struct IrqGuard<'a, T> {
    owner: &'a SpinLockIrq<T>,
    flags: core::ffi::c_ulong,
}

impl<T> Deref for IrqGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: we hold the lock.
        unsafe { &*self.owner.data.get() }
    }
}

impl<T> DerefMut for IrqGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the lock and are borrowed mutably.
        unsafe { &mut *self.owner.data.get() }
    }
}

impl<T> Drop for IrqGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: we hold it, with these flags.
        unsafe { bindings::rust_spin_unlock_irqrestore(self.owner.lock.get(), self.flags) }
    }
}
