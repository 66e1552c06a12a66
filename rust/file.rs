// SPDX-License-Identifier: MIT
//! Open files that go from one program to another: out of the table of one, into that of another.

use crate::bindings;
use crate::error::{to_result, Error, Result};
use crate::sync::NotSend;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// An open file.
///
/// ```
/// // Threads of the kernel open nothing.
/// use kernel::{file::File, Error};
/// assert!(File::of_descriptor(0).is_err_and(|e| e == Error::EBADF));
/// ```
///
/// # Invariants
/// Holds a reference to it.
pub struct File(NonNull<bindings::file>);

// SAFETY: files are counted, and belong to no thread.
unsafe impl Send for File {}
// SAFETY: nothing can be done with a shared one.
unsafe impl Sync for File {}

impl File {
    /// That of a descriptor of the running program. `EBADF`: it has no such, or it is one of `O_PATH`.
    pub fn of_descriptor(fd: u32) -> Result<Self> {
        // SAFETY: any number will do.
        let raw = unsafe { bindings::rust_file_of(fd) };
        NonNull::new(raw).map(Self).ok_or(Error::EBADF)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; the reference is given up.
        unsafe { bindings::rust_file_put(self.0.as_ptr()) }
    }
}

/// A number in the running program's table that stands for no file yet; it is free again when this goes.
///
/// ```
/// use kernel::file::{close, Descriptor};
/// let d = Descriptor::reserve()?;
/// let n = d.number();
/// assert!(close(n).is_err()); // it stands for nothing
/// drop(d);
/// assert_eq!(Descriptor::reserve()?.number(), n);
/// ```
///
/// # Invariants
/// Reserved in the table of the running thread, which is the only one that has it.
pub struct Descriptor(u32, NotSend);

impl Descriptor {
    /// The lowest that is free, to be closed by exec. `EMFILE`; `ENOMEM`; `EBADF`: the running thread has no table.
    pub fn reserve() -> Result<Self> {
        // SAFETY: no conditions.
        let fd = unsafe { bindings::rust_reserve_fd() };
        to_result(fd)?;
        Ok(Self(fd as u32, PhantomData))
    }

    /// The number.
    pub fn number(&self) -> u32 {
        self.0
    }

    /// From now on it stands for `file`.
    pub fn install(self, file: File) {
        // SAFETY: by the type's invariant nothing stands there; the file's reference is given away, and the number with it.
        unsafe { bindings::fd_install(self.0, file.0.as_ptr()) };
        core::mem::forget((self, file));
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant it is reserved still.
        unsafe { bindings::put_unused_fd(self.0) }
    }
}

/// Closes a descriptor of the running program, as close(2) does. `EBADF`.
///
/// ```
/// assert_eq!(kernel::file::close(0), Err(kernel::Error::EBADF)); // a thread of the kernel
/// ```
pub fn close(fd: u32) -> Result {
    // SAFETY: any number will do.
    to_result(unsafe { bindings::rust_close_fd(fd) })
}
