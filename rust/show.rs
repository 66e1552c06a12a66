// SPDX-License-Identifier: MIT
//! Named values: files of /sys and /proc that are text.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use core::ffi::{c_int, c_void, CStr};
use core::fmt;
use core::ptr::NonNull;

/// Makes the text of a value.
pub type Show<D> = fn(&D, &mut dyn fmt::Write) -> fmt::Result;
/// Takes a new value, without its last newline.
pub type Store<D> = fn(&D, &str) -> Result;

/// A directory of /sys or debugfs. It stays.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use kernel::{show::Dir, Error};
/// static LEVEL: AtomicU32 = AtomicU32::new(3);
/// let dir = Dir::sys(c"kernel/example")?;
/// dir.attr(c"level", &LEVEL, |l, out| writeln!(out, "{}", l.load(Ordering::Relaxed)), Some(|l, text| {
///     l.store(text.parse().map_err(|_| Error::EINVAL)?, Ordering::Relaxed);
///     Ok(())
/// }))?;
/// dir.link(c"same", c"level")?;
/// let mut text = [0; 8];
/// assert_eq!(dir.read(c"level", &mut text), Ok(2));
/// assert_eq!(&text[..2], b"3\n");
/// assert_eq!(dir.write(c"level", "17\n"), Ok(()));
/// assert_eq!(dir.write(c"level", "loud"), Err(Error::EINVAL));
/// assert_eq!(LEVEL.load(Ordering::Relaxed), 17);
/// assert_eq!(dir.read(c"nothing", &mut text), Err(Error::ENOENT));
/// assert_eq!(dir.read(c"level", &mut text[..1]), Err(Error::EIO)); // it does not fit
/// ```
///
/// # Invariants
/// Points to a node that is never removed.
#[derive(Clone, Copy)]
pub struct Dir(NonNull<bindings::show_node>);

struct Attr<D: 'static> {
    dev: &'static D,
    show: Show<D>,
    store: Option<Store<D>>,
}

/// Text that ends where its buffer does.
struct Text<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let to = self.buf.get_mut(self.len..self.len + s.len()).ok_or(fmt::Error)?;
        to.copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}

unsafe extern "C" fn show<D: 'static>(n: *mut bindings::show_node, buf: *mut core::ffi::c_char, size: usize) -> isize {
    // SAFETY: data is the box that attr() leaked; the buffer is the caller's, of that size.
    let (a, buf) = unsafe { (&*bindings::rust_show_data(n).cast::<Attr<D>>(), core::slice::from_raw_parts_mut(buf.cast::<u8>(), size)) };
    let mut t = Text { buf, len: 0 };
    match (a.show)(a.dev, &mut t) {
        Ok(()) => t.len as isize,
        Err(fmt::Error) => Error::EIO.code() as isize,
    }
}

unsafe extern "C" fn store<D: 'static>(n: *mut bindings::show_node, text: *const core::ffi::c_char, len: usize) -> isize {
    // SAFETY: data is the box that attr() leaked; the text is the caller's, of that length.
    let (a, text) = unsafe { (&*bindings::rust_show_data(n).cast::<Attr<D>>(), core::slice::from_raw_parts(text.cast::<u8>(), len)) };
    let r = match (core::str::from_utf8(text), a.store) {
        (Ok(t), Some(f)) => f(a.dev, t.strip_suffix('\n').unwrap_or(t)),
        _ => Err(Error::EINVAL),
    };
    r.map_or_else(|e| e.code() as isize, |()| len as isize)
}

impl Dir {
    /// The directory `path` of /sys, made as needed. Sleeps.
    pub fn sys(path: &'static CStr) -> Result<Dir> {
        Self::of(bindings::show_root_SHOW_SYS, path)
    }

    /// The directory `path` of debugfs, made as needed. Sleeps.
    pub fn debug(path: &'static CStr) -> Result<Dir> {
        Self::of(bindings::show_root_SHOW_DEBUG, path)
    }

    fn of(root: bindings::show_root, path: &'static CStr) -> Result<Dir> {
        // SAFETY: the path lives for ever.
        let n = unsafe { bindings::show_path(root, path.as_ptr()) };
        NonNull::new(n).map(Dir).ok_or(Error::ENOMEM)
    }

    /// What reading a file in it gives; how many bytes. `ENOENT`: there is none.
    pub fn read(self, name: &CStr, to: &mut [u8]) -> Result<usize> {
        // SAFETY: by the type's invariant; name and buffer are valid.
        let n = unsafe { bindings::rust_show_read(self.0.as_ptr(), name.as_ptr(), to.as_mut_ptr().cast(), to.len()) };
        Error::from_ret(n as i32).map_or(Ok(n as usize), Err)
    }

    /// Writes to a file in it. `ENOENT`: there is none; `EACCES`: it is not written.
    pub fn write(self, name: &CStr, text: &str) -> Result {
        // SAFETY: by the type's invariant; name and text are valid.
        let n = unsafe { bindings::rust_show_write(self.0.as_ptr(), name.as_ptr(), text.as_ptr().cast(), text.len()) };
        Error::from_ret(n as i32).map_or(Ok(()), Err)
    }

    /// A symbolic link in it.
    pub fn link(self, name: &'static CStr, target: &'static CStr) -> Result {
        // SAFETY: both texts live for ever.
        let n = unsafe { bindings::show_link(self.0.as_ptr(), name.as_ptr(), target.as_ptr()) };
        if n.is_null() { Err(Error::ENOMEM) } else { Ok(()) }
    }

    /// A file in it: of mode 0444, or 0644 with `write`.
    pub fn attr<D: Sync>(self, name: &'static CStr, dev: &'static D, read: Show<D>, write: Option<Store<D>>) -> Result {
        let data: *const Attr<D> = KBox::new(Attr { dev, show: read, store: write }, KERNEL)?.leak();
        let mode = if write.is_some() { 0o100_644 } else { 0o100_444 };
        // SAFETY: the name and the data live for ever; the functions know the data's type.
        let n = unsafe {
            bindings::show_attr(self.0.as_ptr(), name.as_ptr(), mode, Some(show::<D>), write.is_some().then_some(store::<D> as _), data.cast_mut().cast())
        };
        if n.is_null() { Err(Error::ENOMEM) } else { Ok(()) }
    }
}

struct Seq(*mut bindings::seq_file);

impl fmt::Write for Seq {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        // SAFETY: the seq_file is valid during show; the text is valid. (One that overflows is shown again.)
        unsafe { bindings::seq_write(self.0, s.as_ptr().cast(), s.len()) };
        Ok(())
    }
}

unsafe extern "C" fn proc_show<D: 'static>(m: *mut bindings::seq_file, _v: *mut c_void) -> c_int {
    // SAFETY: the private member is the box that proc_file() leaked.
    let a = unsafe { &*bindings::rust_seq_private(m).cast::<Attr<D>>() };
    match (a.show)(a.dev, &mut Seq(m)) {
        Ok(()) => 0,
        Err(fmt::Error) => Error::EIO.code(),
    }
}

/// The file `/proc/driver/NAME`, mode 0444.
pub fn proc_driver<D: Sync>(name: &'static CStr, dev: &'static D, read: Show<D>) -> Result {
    let data: *const Attr<D> = KBox::new(Attr { dev, show: read, store: None }, KERNEL)?.leak();
    // SAFETY: the name and the data live for ever; the function knows the data's type.
    let ok = unsafe { bindings::rust_proc_driver(name.as_ptr(), Some(proc_show::<D>), data.cast_mut().cast()) };
    if ok { Ok(()) } else { Err(Error::ENOMEM) }
}
