// SPDX-License-Identifier: MIT
//! Read-copy update: readers see a value without waiting; what replaces it leaves the old one alone until they are gone.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::Result;
use crate::sync::NotSend;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::{AtomicPtr, Ordering};

/// A section in which what `Rcu` gives stays. It does not sleep.
pub struct Guard {
    stays: NotSend,
}

/// Begins a section; it ends when the guard goes.
pub fn read() -> Guard {
    // SAFETY: the guard's drop ends it, on the same task.
    unsafe { bindings::rcu_read_lock() };
    Guard { stays: PhantomData }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.stays;
        // SAFETY: read() began it.
        unsafe { bindings::rcu_read_unlock() }
    }
}

#[repr(C)]
struct Node<T> {
    head: UnsafeCell<bindings::rcu_head>, // first: C's pointer is the node's
    value: T,
}

/// A value made, to be published: publishing cannot fail.
pub struct Fresh<T: Send + Sync + 'static>(KBox<Node<T>>);

impl<T: Send + Sync> Fresh<T> {
    /// Moves `value` into memory of its own.
    pub fn new(value: T) -> Result<Self> {
        // SAFETY: zero is a valid value of the head, which is C's to use later.
        KBox::new(Node { head: UnsafeCell::new(unsafe { core::mem::zeroed() }), value }, KERNEL).map(Self)
    }
}

impl<T: Send + Sync> Deref for Fresh<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

/// A place with a value that readers may see at any time, or with none.
///
/// ```
/// use kernel::rcu::{self, Fresh, Rcu};
/// let route: Rcu<u32> = Rcu::empty();
/// assert!(route.get(&rcu::read()).is_none());
/// route.publish(Fresh::new(1)?);
/// {
///     let section = rcu::read();
///     let old = route.get(&section);
///     route.publish(Fresh::new(2)?); // the old value goes after the section
///     assert_eq!((old, route.get(&section)), (Some(&1), Some(&2)));
/// }
/// route.clear();
/// assert!(route.get(&rcu::read()).is_none());
/// rcu::barrier();
/// ```
pub struct Rcu<T: Send + Sync + 'static> {
    // Invariant: null, or a leaked Node that goes by call_rcu after it was taken out.
    ptr: AtomicPtr<Node<T>>,
}

unsafe extern "C" fn free<T>(head: *mut bindings::rcu_head) {
    // SAFETY: retire() took the node out and gave it to call_rcu, whose grace period has passed.
    drop(unsafe { KBox::<Node<T>>::from_raw(head.cast()) });
}

fn retire<T>(old: *mut Node<T>) {
    if !old.is_null() {
        // SAFETY: it was taken out by us alone, and is not used by us again.
        unsafe { bindings::call_rcu((*old).head.get(), Some(free::<T>)) }
    }
}

impl<T: Send + Sync + 'static> Rcu<T> {
    /// A place with none.
    pub const fn empty() -> Self {
        Self { ptr: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// The value, for as long as the section lasts.
    pub fn get<'g>(&self, _section: &'g Guard) -> Option<&'g T> {
        let p = self.ptr.load(Ordering::Acquire);
        // SAFETY: published nodes stay until a grace period after they were taken out; the section holds that up.
        unsafe { p.as_ref() }.map(|n| &n.value)
    }

    /// Puts a value there. The old one goes when its readers have gone. Any context.
    pub fn publish(&self, new: Fresh<T>) {
        retire(self.ptr.swap(KBox::into_raw(new.0), Ordering::AcqRel));
    }

    /// Takes the value away.
    pub fn clear(&self) {
        retire(self.ptr.swap(core::ptr::null_mut(), Ordering::AcqRel));
    }
}

impl<T: Send + Sync + 'static> Drop for Rcu<T> {
    fn drop(&mut self) {
        self.clear(); // a section may still see the value
    }
}

/// Sleeps until the readers of now are gone.
pub fn synchronize() {
    // SAFETY: sleeps, which the caller may.
    unsafe { bindings::synchronize_rcu() }
}

/// Sleeps until all values that were replaced so far are gone.
pub fn barrier() {
    // SAFETY: sleeps, which the caller may.
    unsafe { bindings::rcu_barrier() }
}
