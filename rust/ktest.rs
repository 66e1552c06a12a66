// SPDX-License-Identifier: MIT
//! In-kernel tests: `ktest!(NAME, function)` has a `fn(&mut Run) -> Result` called where C's `KTEST(NAME)` would be. What it checks with
//! `kt_assert!` and `kt_eq!` ends it with an error. Every documentation example of these crates is one too (tools/rustdoc.py).

use crate::bindings;
use crate::error::Result;
use core::ffi::{c_char, CStr};
use core::fmt;
use core::marker::PhantomData;

/// A test that runs.
///
/// # Invariants
/// Points to what the list's runner gave, valid for `'a`.
pub struct Run<'a>(*mut bindings::ktest_run, PhantomData<&'a mut ()>);

impl Run<'_> {
    /// The test cannot run here.
    pub fn skip(&mut self, why: &'static CStr) -> Result {
        // SAFETY: by the type's invariant; the text lives for ever.
        unsafe { bindings::rust_ktest_skip(self.0, why.as_ptr()) };
        Ok(())
    }
}

/// An entry of the image's list of tests, as C's `struct ktest`.
#[repr(C, align(8))]
pub struct Entry {
    /// Its name, ended by NUL.
    pub name: *const c_char,
    /// What is called.
    pub func: extern "C" fn(*mut bindings::ktest_run),
}

// SAFETY: it is never changed.
unsafe impl Sync for Entry {}

/// What an entry's function does.
///
/// # Safety
/// `run` is what the list's runner gave.
#[doc(hidden)]
pub unsafe fn run(run: *mut bindings::ktest_run, name: &str, f: fn(&mut Run<'_>) -> Result) {
    if let Err(e) = f(&mut Run(run, PhantomData)) {
        // SAFETY: the caller's word.
        unsafe { bindings::rust_ktest_fail(run) };
        crate::pr_err!("ktest: {} ended with error {}\n", name, e.code());
    }
}

/// Says what was not as expected.
#[doc(hidden)]
pub fn failed(file: &str, line: u32, what: fmt::Arguments<'_>) {
    crate::pr_err!("ktest: {}:{}: {}\n", file, line, what);
}

/// Registers a test.
#[macro_export]
#[allow_internal_unsafe]
macro_rules! ktest {
    ($name:ident, $f:path) => {
        #[cfg(module)]
        const _: fn(&mut $crate::ktest::Run<'_>) -> $crate::Result = $f; // compiled, and in no table: a module's tests are run where it is part of the image
        #[cfg(not(module))]
        const _: () = {
            extern "C" fn call(run: *mut $crate::bindings::ktest_run) {
                // SAFETY: called by the runner of the list alone.
                unsafe { $crate::ktest::run(run, stringify!($name), $f) }
            }
            #[used]
            #[unsafe(link_section = ".ktest")]
            static ENTRY: $crate::ktest::Entry = $crate::ktest::Entry {
                name: concat!(stringify!($name), "\0").as_ptr().cast(),
                func: call,
            };
        };
    };
}

/// Ends the test with an error unless the condition holds.
#[macro_export]
macro_rules! kt_assert {
    ($c:expr) => {
        if !$c {
            $crate::ktest::failed(file!(), line!(), format_args!("not true: {}", stringify!($c)));
            return Err($crate::Error::EINVAL);
        }
    };
}

/// Ends the test with an error unless both are equal.
#[macro_export]
macro_rules! kt_eq {
    ($a:expr, $b:expr) => {
        match (&$a, &$b) {
            (a, b) => {
                if *a != *b {
                    $crate::ktest::failed(
                        file!(),
                        line!(),
                        format_args!("{} is {:?}, not {:?}", stringify!($a), a, b),
                    );
                    return Err($crate::Error::EINVAL);
                }
            }
        }
    };
}
