// SPDX-License-Identifier: MIT
//! Reference counts: `Arc` for values of ours, `ARef` for objects of C that count for themselves.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::Result;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

struct Counted<T> {
    refs: UnsafeCell<bindings::refcount_t>,
    value: T,
}

/// A value with several owners; it goes with the last. The count saturates rather than wrap.
///
/// ```
/// use kernel::alloc::Arc;
/// let a = Arc::new([1, 2, 3])?;
/// let b = a.clone();
/// assert!(Arc::ptr_eq(&a, &b));
/// drop(a);
/// assert_eq!(b[2], 3);
/// assert_eq!(Arc::into_unique(b).map(|v| v[0]), Some(1));
/// ```
pub struct Arc<T> {
    ptr: NonNull<Counted<T>>,
    owns: PhantomData<Counted<T>>,
}

// SAFETY: the count is atomic; the value is shared between the owners, and dropped by any of them.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

impl<T> Arc<T> {
    /// Moves `value` into memory of its own. May sleep.
    pub fn new(value: T) -> Result<Self> {
        // SAFETY: zero is a valid value of the count; it is set below.
        let b = KBox::new(Counted { refs: UnsafeCell::new(unsafe { core::mem::zeroed() }), value }, KERNEL)?;
        // SAFETY: nobody else knows it.
        unsafe { bindings::refcount_set(b.refs.get(), 1) };
        let raw = KBox::into_raw(b);
        // SAFETY: a box is not null.
        Ok(Self { ptr: unsafe { NonNull::new_unchecked(raw) }, owns: PhantomData })
    }

    /// Lends a reference to C; `from_raw` takes it back.
    pub(crate) fn into_raw(a: Self) -> *const T {
        let at = core::ptr::from_ref(&*a);
        core::mem::forget(a);
        at
    }

    /// # Safety
    /// `raw` came from `into_raw`, once.
    pub(crate) unsafe fn from_raw(raw: *const T) -> Self {
        // SAFETY: the caller's word: the value lies in a Counted, which a reference of ours keeps.
        let ptr = unsafe { NonNull::new_unchecked(raw.byte_sub(core::mem::offset_of!(Counted<T>, value)).cast_mut().cast()) };
        Self { ptr, owns: PhantomData }
    }

    /// For the test of what overflows.
    #[cfg(lockdep)]
    pub(crate) fn set_count(&self, n: i32) {
        // SAFETY: we own a reference; more owners than there are keep the value for ever.
        unsafe { bindings::refcount_set(self.ptr.as_ref().refs.get(), n) }
    }

    /// Whether both are owners of the same value.
    pub fn ptr_eq(a: &Self, b: &Self) -> bool {
        a.ptr == b.ptr
    }

    /// The value, from its last owner; `None`, and one owner less, when there are others.
    pub fn into_unique(a: Self) -> Option<T> {
        let ptr = a.ptr;
        core::mem::forget(a);
        // SAFETY: we own a reference, which we put; the last one owns the box.
        unsafe { bindings::refcount_dec_and_test(ptr.as_ref().refs.get()).then(|| KBox::from_raw(ptr.as_ptr()).into_inner().value) }
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        // SAFETY: we own a reference.
        unsafe { bindings::refcount_inc(self.ptr.as_ref().refs.get()) };
        Self { ptr: self.ptr, owns: PhantomData }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: we own a reference.
        unsafe { &self.ptr.as_ref().value }
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        // SAFETY: we own a reference, which we put; the last one owns the box.
        unsafe {
            if bindings::refcount_dec_and_test(self.ptr.as_ref().refs.get()) {
                last(self.ptr);
            }
        }
    }
}

/// The value's end; apart, because owners are many.
///
/// # Safety
/// There are no owners any more.
#[cold]
unsafe fn last<T>(ptr: NonNull<Counted<T>>) {
    // SAFETY: the caller's word; the box came from KBox::into_raw.
    drop(unsafe { KBox::from_raw(ptr.as_ptr()) });
}

/// An object of C that counts its references.
///
/// # Safety
/// While a reference is held the object is valid, and its shared use is what `Self`'s functions allow.
pub unsafe trait RefCounted {
    /// One more.
    fn get(&self);
    /// One less; the object may go.
    ///
    /// # Safety
    /// The caller owns a reference and does not use it any more.
    unsafe fn put(obj: NonNull<Self>);
}

/// A reference to such an object.
pub struct ARef<T: RefCounted> {
    ptr: NonNull<T>,
    owns: PhantomData<T>,
}

// SAFETY: counts are atomic, and the object is shared.
unsafe impl<T: RefCounted + Send + Sync> Send for ARef<T> {}
// SAFETY: as above.
unsafe impl<T: RefCounted + Send + Sync> Sync for ARef<T> {}

impl<T: RefCounted> From<&T> for ARef<T> {
    fn from(obj: &T) -> Self {
        obj.get();
        Self { ptr: NonNull::from(obj), owns: PhantomData }
    }
}

impl<T: RefCounted> Clone for ARef<T> {
    fn clone(&self) -> Self {
        Self::from(&**self)
    }
}

impl<T: RefCounted> Deref for ARef<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: we own a reference.
        unsafe { self.ptr.as_ref() }
    }
}

impl<T: RefCounted> Drop for ARef<T> {
    fn drop(&mut self) {
        // SAFETY: we own a reference and give it up.
        unsafe { T::put(self.ptr) }
    }
}
