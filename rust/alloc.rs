// SPDX-License-Identifier: MIT
//! Memory from the slab allocator. Every allocation can fail and says so.

use crate::bindings;
use crate::error::{Error, Result};
pub use crate::refs::Arc;
use core::marker::{PhantomData, Unsize};
use core::ops::{CoerceUnsized, Deref, DerefMut};
use core::ptr::NonNull;

/// How an allocation may behave.
#[derive(Clone, Copy)]
pub struct Flags(u32);

/// May sleep and reclaim.
pub const KERNEL: Flags = Flags(bindings::GFP_KERNEL_CONST);
/// The same, charged to the running program's control group.
pub const ACCOUNT: Flags = Flags(bindings::GFP_ACCOUNT_CONST);
/// May not sleep.
pub const ATOMIC: Flags = Flags(bindings::GFP_ATOMIC_CONST);

/// How many pages nobody has: for tests of what comes back.
///
/// ```
/// assert!(kernel::alloc::free_pages() > 0);
/// ```
pub fn free_pages() -> usize {
    // SAFETY: a question without effects.
    unsafe { bindings::nr_free_pages() as usize }
}

/// How many objects of the heap live: none that was freed counts. For tests of what comes back. May sleep.
///
/// ```
/// assert!(kernel::alloc::live_objects() > 0);
/// ```
pub fn live_objects() -> usize {
    // SAFETY: a question without effects; caches are destroyed by the allocator's own tests alone.
    unsafe { bindings::slab_total_live() as usize }
}

/// A value of its own in the heap.
///
/// ```
/// use kernel::alloc::{KBox, ATOMIC, KERNEL};
/// let mut b = KBox::new([1u64, 2], KERNEL)?;
/// b[1] += 40;
/// assert_eq!(b.into_inner(), [1, 42]);
/// let small = KBox::new(7u8, ATOMIC)?; // does not sleep
/// assert_eq!(*small, 7);
/// let any: KBox<dyn core::fmt::Debug + Send> = small;
/// drop(any);
/// ```
///
/// # Invariants
/// `ptr` came from `kmalloc` for a `T` (or dangles for a type of no size) and holds an initialised `T` that nobody else owns.
pub struct KBox<T: ?Sized> {
    ptr: NonNull<T>,
    owns: PhantomData<T>,
}

// SAFETY: a KBox owns its value, so it may go where the value may.
unsafe impl<T: ?Sized + Send> Send for KBox<T> {}
// SAFETY: shared access to a KBox gives shared access to the value only.
unsafe impl<T: ?Sized + Sync> Sync for KBox<T> {}

/// A box of a type is one of each trait of it.
impl<T: ?Sized + Unsize<U>, U: ?Sized> CoerceUnsized<KBox<U>> for KBox<T> {}

impl<T> KBox<T> {
    /// Moves `value` into memory of its own.
    pub fn new(value: T, flags: Flags) -> Result<Self> {
        const { assert!(align_of::<T>() <= 4096) };
        let ptr = if size_of::<T>() == 0 {
            NonNull::dangling()
        } else {
            let size = size_of::<T>().next_multiple_of(align_of::<T>());
            // SAFETY: any size is allowed; the result is checked.
            let raw = unsafe { bindings::rust_kmalloc(size, flags.0) };
            NonNull::new(raw.cast::<T>()).ok_or(Error::ENOMEM)?
        };
        // SAFETY: fresh memory of the right size; kmalloc aligns a size to its largest power-of-two divisor.
        unsafe { ptr.write(value) };
        Ok(Self { ptr, owns: PhantomData })
    }

    /// The value, without its box.
    pub fn into_inner(self) -> T {
        let ptr = self.ptr;
        core::mem::forget(self);
        // SAFETY: by the type's invariant we own the value; it is moved out and the memory freed once.
        unsafe {
            let value = ptr.read();
            if size_of::<T>() != 0 {
                bindings::kfree(ptr.as_ptr().cast());
            }
            value
        }
    }

    /// Lends it to C; `from_raw` takes it back.
    pub(crate) fn into_raw(b: Self) -> *mut T {
        let ptr = b.ptr;
        core::mem::forget(b);
        ptr.as_ptr()
    }

    /// # Safety
    /// `raw` came from `into_raw`, once.
    pub(crate) unsafe fn from_raw(raw: *mut T) -> Self {
        // SAFETY: into_raw's pointer is not null.
        Self { ptr: unsafe { NonNull::new_unchecked(raw) }, owns: PhantomData }
    }
}

impl<T: ?Sized> KBox<T> {
    /// Gives the value up: it lives for ever.
    pub fn leak(self) -> &'static T
    where
        T: 'static,
    {
        let ptr = self.ptr;
        core::mem::forget(self);
        // SAFETY: by the type's invariant; nobody frees it any more.
        unsafe { &*ptr.as_ptr() }
    }
}

impl<T: ?Sized> Drop for KBox<T> {
    fn drop(&mut self) {
        let size = size_of_val(&**self);
        // SAFETY: by the type's invariant we own the value and the memory.
        unsafe {
            core::ptr::drop_in_place(self.ptr.as_ptr());
            if size != 0 {
                bindings::kfree(self.ptr.as_ptr().cast());
            }
        }
    }
}

impl<T: ?Sized> Deref for KBox<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant.
        unsafe { self.ptr.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: by the type's invariant, and we are borrowed mutably.
        unsafe { self.ptr.as_mut() }
    }
}

/// A slice of its own in the heap, of a length fixed when it is made.
///
/// ```
/// use kernel::alloc::{KSlice, KERNEL};
/// let mut squares = KSlice::from_fn(5, KERNEL, |i| i * i)?;
/// assert_eq!(squares.iter().sum::<usize>(), 30);
/// squares[0] = 1;
/// assert_eq!(squares.first(), Some(&1));
/// assert_eq!(KSlice::from_fn(usize::MAX, KERNEL, |_| 0u64).err(), Some(kernel::Error::ENOMEM));
/// ```
///
/// # Invariants
/// `ptr` came from `kmalloc` for `len` values of `T` (or dangles when they have no bytes), all initialised, owned by nobody else.
pub struct KSlice<T> {
    ptr: NonNull<T>,
    len: usize,
    owns: PhantomData<T>,
}

// SAFETY: a KSlice owns its values.
unsafe impl<T: Send> Send for KSlice<T> {}
// SAFETY: shared access to it gives shared access to the values only.
unsafe impl<T: Sync> Sync for KSlice<T> {}

impl<T> KSlice<T> {
    /// `len` values, each made in its place by `f(index)`: nothing large passes over the stack.
    pub fn from_fn(len: usize, flags: Flags, mut f: impl FnMut(usize) -> T) -> Result<Self> {
        let bytes = size_of::<T>().checked_mul(len).ok_or(Error::ENOMEM)?;
        let ptr = if bytes == 0 {
            NonNull::dangling()
        } else {
            // SAFETY: any size is allowed; the result is checked.
            let raw = unsafe { bindings::rust_kmalloc(bytes, flags.0) };
            NonNull::new(raw.cast::<T>()).ok_or(Error::ENOMEM)?
        };
        for i in 0..len {
            // SAFETY: i is within the fresh memory. (f cannot unwind: a panic ends the task.)
            unsafe { ptr.as_ptr().add(i).write(f(i)) };
        }
        Ok(Self { ptr, len, owns: PhantomData })
    }
}

impl<T> Drop for KSlice<T> {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant we own the values and the memory.
        unsafe {
            core::ptr::drop_in_place(core::ptr::slice_from_raw_parts_mut(
                self.ptr.as_ptr(),
                self.len,
            ));
            if size_of::<T>() * self.len != 0 {
                bindings::kfree(self.ptr.as_ptr().cast());
            }
        }
    }
}

impl<T> Deref for KSlice<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: by the type's invariant.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for KSlice<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: by the type's invariant, and we are borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}
