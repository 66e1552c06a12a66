// SPDX-License-Identifier: MIT
//! Memory of programs. An address of theirs is never a pointer of ours.

use crate::bindings;
use crate::error::{Error, Result};
use core::ffi::c_ulong;
use core::marker::PhantomData;

/// A place in the running program's memory, as it told us.
///
/// ```
/// use kernel::{user::UserPtr, Error};
/// let nowhere = UserPtr::new(usize::MAX & !7);
/// assert_eq!(nowhere.write(&[1, 2]), Err(Error::EFAULT));
/// assert_eq!(nowhere.read(&mut [0; 4]), Err(Error::EFAULT));
/// ```
#[derive(Clone, Copy)]
pub struct UserPtr(usize);

impl UserPtr {
    /// The place with that address. It need not be valid.
    pub fn new(addr: usize) -> Self {
        Self(addr)
    }

    /// The place so many bytes further; at the end of all addresses it begins again, and nothing is there.
    pub fn plus(self, bytes: usize) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    /// Its address.
    pub fn addr(self) -> usize {
        self.0
    }

    /// As C has it.
    pub(crate) fn raw(self) -> bindings::uptr {
        bindings::uptr { addr: self.0 as c_ulong }
    }

    /// Fills `to` from there. Sleeps. `EFAULT`: not all of it is the program's to read.
    pub fn read(self, to: &mut [u8]) -> Result {
        let from = bindings::uptr { addr: self.0 as c_ulong };
        // SAFETY: `to` is valid for its length; the C side checks the user's side.
        let left = unsafe { bindings::copy_from_user(to.as_mut_ptr().cast(), from, to.len()) };
        if left == 0 { Ok(()) } else { Err(Error::EFAULT) }
    }

    /// Copies `from` there. Sleeps. `EFAULT`: not all of it is the program's to write.
    pub fn write(self, from: &[u8]) -> Result {
        let to = bindings::uptr { addr: self.0 as c_ulong };
        // SAFETY: `from` is valid for its length; the C side checks the user's side.
        let left = unsafe { bindings::copy_to_user(to, from.as_ptr().cast(), from.len()) };
        if left == 0 { Ok(()) } else { Err(Error::EFAULT) }
    }
}

impl UserPtr {
    /// Whether `len` bytes from there on are addresses of programs, whatever lies there.
    ///
    /// ```
    /// use kernel::user::UserPtr;
    /// assert!(UserPtr::new(4096).is_range(1 << 20) && UserPtr::new(4096).is_range(0));
    /// assert!(!UserPtr::new(usize::MAX & !7).is_range(64) && !UserPtr::new(4096).is_range(usize::MAX));
    /// ```
    pub fn is_range(self, len: usize) -> bool {
        // SAFETY: a calculation.
        unsafe { bindings::access_ok(self.raw(), len) }
    }

    /// Whether all of the `len` bytes from there on can be written now; pages come in. They may go again. Sleeps.
    ///
    /// ```
    /// use kernel::user::UserPtr;
    /// assert!(!UserPtr::new(usize::MAX & !7).is_writable(4));
    /// ```
    pub fn is_writable(self, len: usize) -> bool {
        // SAFETY: the C side checks the user's side; nothing is changed.
        unsafe { bindings::fault_in_writeable(self.raw(), len) == 0 }
    }
}

/// Where a read puts its bytes.
///
/// # Invariants
/// Points to a `struct iter` that takes data and lives for `'a`.
pub struct Sink<'a>(*mut bindings::iter, PhantomData<&'a mut ()>);

impl Sink<'_> {
    /// # Safety
    /// `i` points to a valid iter to copy to, used by nobody else during the value's life.
    pub(crate) unsafe fn new(i: *mut bindings::iter) -> Self {
        Self(i, PhantomData)
    }

    /// Where the next byte goes in the running program's memory; address 0 where it goes elsewhere.
    pub fn place(&self) -> UserPtr {
        // SAFETY: by the type's invariant.
        UserPtr(unsafe { bindings::rust_iter_place(self.0) }.addr as usize)
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        // SAFETY: by the type's invariant.
        unsafe { bindings::iter_count(self.0) }
    }

    /// Puts bytes there; how many went. `EFAULT`: none could.
    pub fn write(&mut self, from: &[u8]) -> Result<usize> {
        let n = from.len().min(self.room());
        // SAFETY: by the type's invariant, and `from` is valid.
        let done = unsafe { bindings::copy_to_iter(from.as_ptr().cast(), n, self.0) };
        if done == 0 && n > 0 { Err(Error::EFAULT) } else { Ok(done) }
    }
}

/// Where a write takes its bytes from.
///
/// # Invariants
/// Points to a `struct iter` that gives data and lives for `'a`.
pub struct Source<'a>(*mut bindings::iter, PhantomData<&'a mut ()>);

impl Source<'_> {
    /// # Safety
    /// `i` points to a valid iter to copy from, used by nobody else during the value's life.
    pub(crate) unsafe fn new(i: *mut bindings::iter) -> Self {
        Self(i, PhantomData)
    }

    /// Where the next byte comes from in the running program's memory; address 0 where it comes from elsewhere.
    pub fn place(&self) -> UserPtr {
        // SAFETY: by the type's invariant.
        UserPtr(unsafe { bindings::rust_iter_place(self.0) }.addr as usize)
    }

    /// Bytes left.
    pub fn len(&self) -> usize {
        // SAFETY: by the type's invariant.
        unsafe { bindings::iter_count(self.0) }
    }

    /// Whether none are left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes bytes; how many came. `EFAULT`: none could.
    pub fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let n = to.len().min(self.len());
        // SAFETY: by the type's invariant, and `to` is valid.
        let done = unsafe { bindings::copy_from_iter(to.as_mut_ptr().cast(), n, self.0) };
        if done == 0 && n > 0 { Err(Error::EFAULT) } else { Ok(done) }
    }
}

/// A right that programs may have; capabilities(7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capability {
    /// CAP_SYS_ADMIN: to look into devices.
    SysAdmin,
    /// CAP_SYS_RAWIO: to give a device any command.
    SysRawio,
    /// CAP_SYS_RESOURCE: over limits.
    SysResource,
    /// CAP_SYS_TIME: to set clocks.
    SysTime,
}

/// Whether the running program has it.
///
/// ```
/// use kernel::user::{capable, Capability};
/// assert!(capable(Capability::SysTime)); // a kernel thread may do everything
/// ```
pub fn capable(c: Capability) -> bool {
    let n = match c {
        Capability::SysAdmin => bindings::RUST_CAP_SYS_ADMIN,
        Capability::SysRawio => bindings::RUST_CAP_SYS_RAWIO,
        Capability::SysResource => bindings::RUST_CAP_SYS_RESOURCE,
        Capability::SysTime => bindings::RUST_CAP_SYS_TIME,
    };
    // SAFETY: a question about the running task.
    unsafe { bindings::capable(n as i32) }
}
