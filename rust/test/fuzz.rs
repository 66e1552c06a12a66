// SPDX-License-Identifier: MIT
//! A decoder in Rust as a fuzz target on the build machine: what a C target calls (`lib/test/fuzz.h`), built by
//! `tools/ochre/fuzz_host.py`. The crate around it has no more than `core`, and the decoders' own files.
//!
//! What a decoder may never do is panic: an index, a slice or a sum that is out of range ends the process, which
//! is what a fuzzer looks for.

unsafe extern "C" {
    /// Of the C library.
    safe fn abort() -> !;
    /// Of the C target: says `len` bytes at `text`.
    fn rust_says(text: *const u8, len: usize);
}

/// Says what is wrong, and where.
struct Said;

impl core::fmt::Write for Said {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        // SAFETY: so many bytes are there, and are only read.
        unsafe { rust_says(s.as_ptr(), s.len()) };
        Ok(())
    }
}

#[panic_handler]
fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    use core::fmt::Write;
    let _ = writeln!(Said, "{info}");
    abort()
}

/// Decodes `len` bytes at `bytes`.
///
/// # Safety
/// They are there, and do not change meanwhile.
#[unsafe(no_mangle)]
unsafe extern "C" fn rust_fuzz_one(bytes: *const u8, len: usize) {
    // SAFETY: as the caller says; a target without bytes still has an address.
    crate::one(unsafe { core::slice::from_raw_parts(bytes, len) });
}

/// `core` as it is packaged names it; nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
