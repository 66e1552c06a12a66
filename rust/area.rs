// SPDX-License-Identifier: MIT
//! Memory that a program maps of a driver's file and may only read. Its pages come as the kernel first writes them.

use crate::bindings;
use crate::error::{to_result, Error, Result};
use crate::refs::Arc;
use crate::user::UserPtr;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// Whoever an area is for.
pub trait Mapped: Send + Sync + Sized + 'static {
    /// Some part of it was unmapped: its program may not see it any more. Once, in a thread of the kernel's, which may sleep.
    fn unmapped(owner: Arc<Self>);
}

/// # Safety
/// `owner` is what `of_area::<T>` made of an Arc, given back once.
unsafe extern "C" fn gone<T: Mapped>(owner: *mut c_void) {
    // SAFETY: as above.
    T::unmapped(unsafe { Arc::from_raw(owner.cast()) });
}

/// A mapping that mmap(2) is about to make.
///
/// # Invariants
/// Points to a VMA of the running program whose file's mmap() runs, for `'a`.
pub struct NewMapping<'a>(*mut bindings::vma, PhantomData<&'a mut ()>);

impl NewMapping<'_> {
    /// # Safety
    /// `vma` is what mmap() was called with; the value does not outlive that call.
    pub(crate) unsafe fn new(vma: *mut bindings::vma) -> Self {
        Self(vma, PhantomData)
    }

    /// Its bytes.
    pub fn size(&self) -> usize {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_vma_size(self.0) }
    }

    /// Whether it is to be written.
    pub fn is_writable(&self) -> bool {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_vma_writable(self.0) }
    }

    /// Makes it one of an area: `most` bytes, or as many as it has. `owner` is kept until it heard that some of it was unmapped. `EPERM`: it is
    /// to be written; `ENOMEM`.
    pub fn of_area<T: Mapped>(self, most: usize, owner: Arc<T>) -> Result<Area> {
        let mut raw = core::ptr::null_mut();
        let most = most.min(u32::MAX as usize);
        let owner = Arc::into_raw(owner).cast_mut().cast();
        // SAFETY: by the type's invariant, and the value goes, so this is done once. C gives the owner to gone::<T>() once if it makes the mapping
        // an area's, and otherwise forgets it.
        unsafe {
            let r =
                to_result(bindings::rust_area_map(self.0, most, Some(gone::<T>), owner, &mut raw));
            if let Err(e) = r {
                drop(Arc::<T>::from_raw(owner.cast()));
                return Err(e);
            }
            Ok(Area {
                raw: NonNull::new(raw).ok_or(Error::ENOMEM)?,
                size: bindings::rust_area_size(raw),
            })
        }
    }
}

/// The memory.
///
/// # Invariants
/// Holds a reference to an area of `size` bytes.
pub struct Area {
    raw: NonNull<bindings::rust_area>,
    size: usize,
}

// SAFETY: the C side counts; pages are set by cmpxchg, and their bytes are written by copies, as those of any memory that programs share.
unsafe impl Send for Area {}
// SAFETY: as above.
unsafe impl Sync for Area {}

impl Area {
    /// Its bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The address of its first byte in its program.
    pub fn base(&self) -> u64 {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_area_base(self.raw.as_ptr()) as u64 }
    }

    /// Whether no part of it was unmapped.
    pub fn is_mapped(&self) -> bool {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_area_mapped(self.raw.as_ptr()) }
    }

    fn check(&self, off: usize, n: usize) -> Result {
        let end = off.checked_add(n).ok_or(Error::EINVAL)?;
        if end <= self.size {
            Ok(())
        } else {
            Err(Error::EINVAL)
        }
    }

    /// Writes there. Sleeps. `EINVAL`: not within; `ENOMEM`.
    pub fn write(&self, off: usize, from: &[u8]) -> Result {
        self.check(off, from.len())?;
        // SAFETY: within, as checked; the slice is valid.
        to_result(unsafe {
            bindings::rust_area_write(self.raw.as_ptr(), off, from.as_ptr().cast(), from.len())
        })
    }

    /// Writes zeroes. Sleeps. Errors as `write`'s.
    pub fn zero(&self, off: usize, n: usize) -> Result {
        self.check(off, n)?;
        // SAFETY: within, as checked.
        to_result(unsafe { bindings::rust_area_zero(self.raw.as_ptr(), off, n) })
    }

    /// Copies from the running program. Sleeps. Errors as `write`'s; `EFAULT`.
    pub fn copy_from(&self, off: usize, from: UserPtr, n: usize) -> Result {
        self.check(off, n)?;
        // SAFETY: within, as checked; the C side checks the user's side.
        to_result(unsafe { bindings::rust_area_from_user(self.raw.as_ptr(), off, from.raw(), n) })
    }
}

impl Clone for Area {
    fn clone(&self) -> Self {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_area_get(self.raw.as_ptr()) };
        Self { raw: self.raw, size: self.size }
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; it is given up.
        unsafe { bindings::rust_area_put(self.raw.as_ptr()) }
    }
}
