// SPDX-License-Identifier: MIT
//! Initialisation: `device_init!(NAME, function)` has a `fn() -> Result` called at the device level,
//! `sched_init!` one at the scheduler's.

use core::ffi::{c_char, c_int};

/// An entry of the image's initcall table, as C's `struct initcall`.
#[repr(C, align(8))]
pub struct InitCall {
    /// What is called.
    pub func: extern "C" fn() -> c_int,
    /// Its name, ended by NUL.
    pub name: *const c_char,
}

// SAFETY: it is never changed.
unsafe impl Sync for InitCall {}

/// Registers a function for the device level.
#[macro_export]
macro_rules! device_init {
    ($name:ident, $f:path) => {
        $crate::initcall!(device, $name, $f);
    };
}

/// Registers a function for the scheduler's level, before there are files: for what must be there before drivers are.
#[macro_export]
macro_rules! sched_init {
    ($name:ident, $f:path) => {
        $crate::initcall!(sched, $name, $f);
    };
}

/// Registers a function for a level: there are these two, and no other section can be named.
#[macro_export]
#[doc(hidden)]
#[allow_internal_unsafe]
macro_rules! initcall {
    (device, $name:ident, $f:path) => {
        const _: () = {
            #[used]
            #[unsafe(link_section = ".initcall.5")]
            static ENTRY: $crate::init::InitCall = $crate::init_entry!($name, $f);
        };
    };
    (sched, $name:ident, $f:path) => {
        const _: () = {
            #[used]
            #[unsafe(link_section = ".initcall.2")]
            static ENTRY: $crate::init::InitCall = $crate::init_entry!($name, $f);
        };
    };
}

/// The entry of a function.
#[macro_export]
#[doc(hidden)]
macro_rules! init_entry {
    ($name:ident, $f:path) => {{
        extern "C" fn call() -> core::ffi::c_int {
            $crate::error::to_ret($f())
        }
        $crate::init::InitCall { func: call, name: concat!(stringify!($name), "\0").as_ptr().cast() }
    }};
}
