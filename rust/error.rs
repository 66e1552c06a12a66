// SPDX-License-Identifier: MIT
//! Errors: a negative errno that C understands.

use crate::bindings;

/// An errno. Always negative inside.
///
/// ```
/// use kernel::error::{to_result, to_ret, Error};
/// assert_eq!(to_result(-5), Err(Error::EIO));
/// assert_eq!(to_result(3), Ok(())); // what is not negative is no error
/// assert_eq!((to_ret(Err(Error::EBUSY)), to_ret(Ok(()))), (-16, 0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error(i32);

/// What can fail gives this.
pub type Result<T = ()> = core::result::Result<T, Error>;

macro_rules! codes {
    ($($name:ident)*) => { impl Error { $(
        #[doc = stringify!($name)]
        pub const $name: Error = Error(-(bindings::$name as i32));
    )* } };
}

codes!(EPERM ENOENT EINTR EIO ENXIO EBADF EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST ENODEV EINVAL ENOTTY ENOSPC EROFS ERANGE ENOSYS EOPNOTSUPP ETIMEDOUT EPROTO ENODATA EREMOTEIO EBADE ESRCH ERESTARTSYS EMSGSIZE ENOMEDIUM EMEDIUMTYPE EDOM);

impl Error {
    /// From what a C function returned; `None` for success.
    pub fn from_ret(ret: i32) -> Option<Error> {
        (ret < 0).then_some(Error(ret))
    }

    /// From a pointer that a C function returned, which is an address or an error.
    pub(crate) fn from_ptr<T>(ptr: *mut T) -> Result<core::ptr::NonNull<T>> {
        let n = ptr.addr() as isize;
        if (-4095..0).contains(&n) {
            return Err(Error(n as i32));
        }
        core::ptr::NonNull::new(ptr).ok_or(Error::EINVAL)
    }

    /// The number, negative.
    pub fn code(self) -> i32 {
        self.0
    }
}

/// A C function's int as a result.
pub fn to_result(ret: i32) -> Result {
    Error::from_ret(ret).map_or(Ok(()), Err)
}

/// The way back to C.
pub fn to_ret(r: Result) -> i32 {
    match r {
        Ok(()) => 0,
        Err(e) => e.code(),
    }
}
