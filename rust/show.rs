// SPDX-License-Identifier: MIT
//! Named values: files of /sys and /proc that are text.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use core::ffi::{c_int, c_void, CStr};
use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;

/// Makes the text of a value.
pub type Show<D> = fn(&D, &mut dyn fmt::Write) -> fmt::Result;
/// Takes a new value, without its last newline.
pub type Store<D> = fn(&D, &str) -> Result;

/// A directory of /sys or debugfs. After its removal nothing in it can be read, and additions to it fail.
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
/// Points to a node that it has a pin of.
#[derive(Debug)]
pub struct Dir(NonNull<bindings::show_node>);

impl Clone for Dir {
    fn clone(&self) -> Self {
        // SAFETY: by the type's invariant.
        unsafe { bindings::show_get(self.0.as_ptr()) };
        Dir(self.0)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; the pin goes with us.
        unsafe { bindings::show_put(self.0.as_ptr()) }
    }
}

/// What becomes of a device, for programs that listen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is there.
    Add,
    /// It is there no more.
    Remove,
    /// It has a driver.
    Bind,
    /// It has none any more.
    Unbind,
}

// SAFETY: the C side locks.
unsafe impl Send for Dir {}
// SAFETY: as above.
unsafe impl Sync for Dir {}

/// `P` is a reference to what lives for ever, or owns it: an `Arc`.
struct Attr<P: Deref + 'static> {
    dev: P,
    show: Show<P::Target>,
    store: Option<Store<P::Target>>,
}

/// Text that ends where its buffer does.
pub(crate) struct Text<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl<'a> Text<'a> {
    pub(crate) fn new(buf: &'a mut [u8]) -> Self {
        Text { buf, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let to = self.buf.get_mut(self.len..self.len + s.len()).ok_or(fmt::Error)?;
        to.copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}

unsafe extern "C" fn show<P: Deref + 'static>(n: *mut bindings::show_node, buf: *mut core::ffi::c_char, size: usize) -> isize {
    // SAFETY: data is the box of attr(), which the node owns and the caller pins; the buffer is the caller's, of that size.
    let (a, buf) = unsafe { (&*bindings::rust_show_data(n).cast::<Attr<P>>(), core::slice::from_raw_parts_mut(buf.cast::<u8>(), size)) };
    let mut t = Text { buf, len: 0 };
    match (a.show)(&a.dev, &mut t) {
        Ok(()) => t.len as isize,
        Err(fmt::Error) => Error::EIO.code() as isize,
    }
}

unsafe extern "C" fn store<P: Deref + 'static>(n: *mut bindings::show_node, text: *const core::ffi::c_char, len: usize) -> isize {
    // SAFETY: data is the box of attr(), which the node owns and the caller pins; the text is the caller's, of that length.
    let (a, text) = unsafe { (&*bindings::rust_show_data(n).cast::<Attr<P>>(), core::slice::from_raw_parts(text.cast::<u8>(), len)) };
    let r = match (core::str::from_utf8(text), a.store) {
        (Ok(t), Some(f)) => f(&a.dev, t.strip_suffix('\n').unwrap_or(t)),
        _ => Err(Error::EINVAL),
    };
    r.map_or_else(|e| e.code() as isize, |()| len as isize)
}

/// A name, made of `args`, as C has it; `EINVAL`: longer than any is.
pub(crate) fn with_name<R>(args: fmt::Arguments<'_>, f: impl FnOnce(&CStr) -> R) -> Result<R> {
    let mut buf = [0u8; 64];
    let mut t = Text { buf: buf.get_mut(..63).unwrap_or_default(), len: 0 };
    fmt::Write::write_fmt(&mut t, args).map_err(|_| Error::EINVAL)?;
    CStr::from_bytes_until_nul(&buf).map(f).map_err(|_| Error::EINVAL)
}

/// Calls `f` with a name that is made; `EINVAL`: it is longer than any is.
///
/// ```
/// use kernel::{show, Error};
/// assert_eq!(show::named(format_args!("{}-{:02x}", 1, 10), |n| n == "1-0a"), Ok(true));
/// assert_eq!(show::named(format_args!("{:64}", 1), |_| ()), Err(Error::EINVAL));
/// ```
pub fn named<R>(args: fmt::Arguments<'_>, f: impl FnOnce(&str) -> R) -> Result<R> {
    with_name(args, |name| name.to_str().map(f).map_err(|_| Error::EINVAL))?
}

/// Fills the buffer from its beginning with what there is, as far as there is room; how many bytes that is.
pub type Fill<D> = fn(&D, &mut [u8]) -> usize;

struct Binary<P: Deref + 'static> {
    dev: P,
    fill: Fill<P::Target>,
}

/// Called when the node that owns the box is freed.
unsafe extern "C" fn unpin<B>(data: *mut c_void) {
    // SAFETY: the node owned the box, which came from into_raw().
    drop(unsafe { KBox::<B>::from_raw(data.cast()) });
}

unsafe extern "C" fn fill<P: Deref + 'static>(n: *mut bindings::show_node, buf: *mut core::ffi::c_char, size: usize) -> isize {
    // SAFETY: data is the box of bytes(), which the node owns and the caller pins; the buffer is the caller's, of that size.
    let (a, buf) = unsafe { (&*bindings::rust_show_data(n).cast::<Binary<P>>(), core::slice::from_raw_parts_mut(buf.cast::<u8>(), size)) };
    (a.fill)(&a.dev, buf).min(size) as isize
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
        // SAFETY: C copies the names, and gives us a pin.
        NonNull::new(unsafe { bindings::show_path_pinned(root, path.as_ptr()) }).map(Dir).ok_or(Error::ENOMEM)
    }

    /// A pin of it.
    ///
    /// # Safety
    ///
    /// `n` is a directory that the caller has a pin of.
    pub(crate) unsafe fn pinned(n: *mut bindings::show_node) -> Dir {
        // SAFETY: by the caller.
        unsafe {
            bindings::show_get(n);
            Dir(NonNull::new_unchecked(n))
        }
    }

    /// The directory of that name in it, made where it is not there.
    ///
    /// ```
    /// use kernel::{show::Dir, Error};
    /// let dir = Dir::sys(c"kernel/example")?;
    /// let one = dir.dir(format_args!("device{}", 1))?;
    /// one.attr(c"number", &1, |n, out| writeln!(out, "{n}"), None)?;
    /// dir.link_to(format_args!("first"), &one)?;
    /// one.bytes(c"bytes", &[1u8, 255], |b, to| {
    ///     to.iter_mut().zip(b).for_each(|(to, b)| *to = *b);
    ///     to.len().min(2)
    /// })?;
    /// let mut text = [0; 8];
    /// assert_eq!(one.read(c"number", &mut text), Ok(2));
    /// assert_eq!(one.read(c"bytes", &mut text), Ok(2));
    /// assert_eq!(&text[..2], [1, 255]);
    /// assert!(dir.has(c"first") && !dir.has(c"second"));
    /// assert!(dir.holds(format_args!("device{}", 1)) && !dir.holds(format_args!("device{}", 2)));
    /// let by_name = Dir::sys(c"kernel/example/by_name")?;
    /// by_name.link_back(&one)?;
    /// assert!(by_name.has(c"device1"));
    /// assert_eq!(dir.dir(format_args!("{:64}", 1)).err(), Some(Error::EINVAL));
    /// by_name.unlink(format_args!("device{}", 1))?;
    /// assert!(!by_name.has(c"device1"));
    /// one.clone().remove();
    /// assert!(!dir.has(c"device1"));
    /// assert_eq!(one.dir(format_args!("more")).err(), Some(Error::ENOMEM));
    /// dir.unlink(format_args!("first"))?;
    /// ```
    pub fn dir(&self, name: fmt::Arguments<'_>) -> Result<Dir> {
        // SAFETY: by the type's invariant; C copies the name, and gives us a pin.
        let n = with_name(name, |c| unsafe { bindings::show_dir_pinned(self.0.as_ptr(), c.as_ptr()) })?;
        NonNull::new(n).map(Dir).ok_or(Error::ENOMEM)
    }

    /// Takes it and all below it away; one that `dir` did not make stays. Sleeps.
    pub fn remove(self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_show_remove(self.0.as_ptr()) }
    }

    /// Takes away the link that is in it under that name, if there is one. Sleeps.
    pub fn unlink(&self, name: fmt::Arguments<'_>) -> Result {
        // SAFETY: by the type's invariant.
        with_name(name, |c| unsafe { bindings::rust_show_unlink(self.0.as_ptr(), c.as_ptr()) })
    }

    /// Programs hear that of the device whose directory it is, once it has its file "uevent". Sleeps.
    pub fn tell(&self, e: Event) {
        let action = match e {
            Event::Add => bindings::uevent_action_UEVENT_ADD,
            Event::Remove => bindings::uevent_action_UEVENT_REMOVE,
            Event::Bind => bindings::uevent_action_UEVENT_BIND,
            Event::Unbind => bindings::uevent_action_UEVENT_UNBIND,
        };
        // SAFETY: by the type's invariant.
        unsafe { bindings::uevent_send(self.0.as_ptr(), action, core::ptr::null()) }
    }

    /// A symbolic link in it to `target`, a directory of the same tree.
    pub fn link_to(&self, name: fmt::Arguments<'_>, target: &Dir) -> Result {
        // SAFETY: by the type's invariant, of both; C copies the name.
        let n = with_name(name, |c| unsafe { bindings::show_link_to(self.0.as_ptr(), c.as_ptr(), target.0.as_ptr()) })?;
        if n.is_null() { Err(Error::ENOMEM) } else { Ok(()) }
    }

    /// A link in it, by its own name, to `target`.
    pub fn link_back(&self, target: &Dir) -> Result {
        // SAFETY: by the type's invariant, of both.
        let n = unsafe { bindings::show_link_to(self.0.as_ptr(), core::ptr::null(), target.0.as_ptr()) };
        if n.is_null() { Err(Error::ENOMEM) } else { Ok(()) }
    }

    /// A binary file in it, of mode 0444. `capable` in `from` checks the opener's rights.
    pub fn bytes<P: Deref + Send + Sync + 'static>(&self, name: &'static CStr, dev: P, from: Fill<P::Target>) -> Result
    where
        P::Target: Sized,
    {
        let data = KBox::into_raw(KBox::new(Binary { dev, fill: from }, KERNEL)?);
        // SAFETY: C copies the name, and has the data from here on; the functions know the data's type.
        let n = unsafe {
            bindings::show_bytes_pinned(self.0.as_ptr(), name.as_ptr(), Some(fill::<P>), data.cast(), Some(unpin::<Binary<P>>))
        };
        if n.is_null() { Err(Error::ENOMEM) } else { Ok(()) }
    }

    /// Whether something of that name is in it.
    pub fn has(&self, name: &CStr) -> bool {
        // SAFETY: by the type's invariant; the node that is found is pinned until it is put.
        unsafe {
            let n = bindings::show_lookup(self.0.as_ptr(), name.as_ptr(), name.count_bytes());
            bindings::show_put(n);
            !n.is_null()
        }
    }

    /// The same of a name that is made.
    pub fn holds(&self, name: fmt::Arguments<'_>) -> bool {
        with_name(name, |c| self.has(c)).unwrap_or(false)
    }

    /// For C, which pins it where it keeps it.
    pub(crate) fn as_ptr(&self) -> *mut bindings::show_node {
        self.0.as_ptr()
    }

    /// What reading a file in it gives; how many bytes. `ENOENT`: there is none.
    pub fn read(&self, name: &CStr, to: &mut [u8]) -> Result<usize> {
        // SAFETY: by the type's invariant; name and buffer are valid.
        let n = unsafe { bindings::rust_show_read(self.0.as_ptr(), name.as_ptr(), to.as_mut_ptr().cast(), to.len()) };
        Error::from_ret(n as i32).map_or(Ok(n as usize), Err)
    }

    /// Writes to a file in it. `ENOENT`: there is none; `EACCES`: it is not written.
    pub fn write(&self, name: &CStr, text: &str) -> Result {
        // SAFETY: by the type's invariant; name and text are valid.
        let n = unsafe { bindings::rust_show_write(self.0.as_ptr(), name.as_ptr(), text.as_ptr().cast(), text.len()) };
        Error::from_ret(n as i32).map_or(Ok(()), Err)
    }

    /// A symbolic link in it.
    pub fn link(&self, name: &'static CStr, target: &'static CStr) -> Result {
        // SAFETY: both texts live for ever.
        let n = unsafe { bindings::show_link(self.0.as_ptr(), name.as_ptr(), target.as_ptr()) };
        if n.is_null() { Err(Error::ENOMEM) } else { Ok(()) }
    }

    /// The file "uevent" of a device's directory: `read` makes its lines; writing an action sends an event of the device.
    ///
    /// ```
    /// use kernel::{show::Dir, Error};
    /// let dir = Dir::sys(c"kernel/example/event")?;
    /// dir.uevent(&(), |(), out| writeln!(out, "EXAMPLE=1"))?;
    /// let mut text = [0; 16];
    /// assert_eq!(dir.read(c"uevent", &mut text), Ok(10));
    /// assert_eq!(dir.write(c"uevent", "change\n"), Ok(()));
    /// assert_eq!(dir.write(c"uevent", "chang\n"), Err(Error::EINVAL));
    /// ```
    pub fn uevent<P: Deref + Send + Sync + 'static>(&self, dev: P, read: Show<P::Target>) -> Result
    where
        P::Target: Sized,
    {
        // uevent_store() uses only the node's directory.
        self.file(c"uevent", 0o100_644, Attr { dev, show: read, store: None }, true, Some(bindings::uevent_store))
    }

    fn file<P: Deref + Send + Sync + 'static>(&self, name: &'static CStr, mode: u16, a: Attr<P>, shown: bool, put: bindings::store_fn) -> Result {
        let data = KBox::into_raw(KBox::new(a, KERNEL)?);
        // SAFETY: C copies the name, and has the data from here on; the functions know the data's type.
        let n = unsafe {
            bindings::show_attr_pinned(
                self.0.as_ptr(),
                name.as_ptr(),
                mode,
                shown.then_some(show::<P> as _),
                put,
                data.cast(),
                Some(unpin::<Attr<P>>),
            )
        };
        if n.is_null() { Err(Error::ENOMEM) } else { Ok(()) }
    }

    /// A file in it: of mode 0444, or 0644 with `write`.
    pub fn attr<P: Deref + Send + Sync + 'static>(&self, name: &'static CStr, dev: P, read: Show<P::Target>, write: Option<Store<P::Target>>) -> Result
    where
        P::Target: Sized,
    {
        let mode = if write.is_some() { 0o100_644 } else { 0o100_444 };
        self.file(name, mode, Attr { dev, show: read, store: write }, true, write.is_some().then_some(store::<P> as _))
    }

    /// A file in it that is only written, of that mode.
    ///
    /// ```
    /// use kernel::{show::Dir, Error};
    /// let dir = Dir::sys(c"kernel/example/commands")?;
    /// dir.command(c"go", 0o200, &(), |(), text| if text == "now" { Ok(()) } else { Err(Error::EINVAL) })?;
    /// assert_eq!((dir.write(c"go", "now\n"), dir.write(c"go", "later")), (Ok(()), Err(Error::EINVAL)));
    /// assert_eq!(dir.read(c"go", &mut [0; 8]), Err(Error::EACCES));
    /// ```
    pub fn command<P: Deref + Send + Sync + 'static>(&self, name: &'static CStr, mode: u16, dev: P, write: Store<P::Target>) -> Result
    where
        P::Target: Sized,
    {
        let a = Attr { dev, show: |_, _| Ok(()), store: Some(write) };
        self.file(name, 0o100_000 | mode & 0o777, a, false, Some(store::<P>))
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
    // SAFETY: the private member is the ProcText that proc_driver() was given for ever.
    let a = unsafe { &*bindings::rust_seq_private(m).cast::<ProcText<D>>() };
    match (a.show)(a.dev, &mut Seq(m)) {
        Ok(()) => 0,
        Err(fmt::Error) => Error::EIO.code(),
    }
}

/// What a file of /proc says, which open files of it may use when the file has gone.
#[derive(Debug)]
pub struct ProcText<D: 'static> {
    dev: &'static D,
    show: Show<D>,
}

impl<D: Sync> ProcText<D> {
    /// Text made by `read`.
    pub const fn new(dev: &'static D, read: Show<D>) -> Self {
        ProcText { dev, show: read }
    }
}

/// A file of /proc/driver. Dropped, it goes.
///
/// # Invariants
/// Points to an entry that nobody else removes.
#[derive(Debug)]
pub struct ProcFile(NonNull<bindings::proc_dir_entry>);

// SAFETY: the C side locks.
unsafe impl Send for ProcFile {}
// SAFETY: as above.
unsafe impl Sync for ProcFile {}

impl Drop for ProcFile {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_proc_remove(self.0.as_ptr()) }
    }
}

/// The file `/proc/driver/NAME`, mode 0444. Sleeps.
///
/// ```
/// use kernel::show::{proc_driver, ProcText};
/// static SEVEN: ProcText<u32> = ProcText::new(&7, |n, out| writeln!(out, "{n}"));
/// let file = proc_driver(c"example", &SEVEN)?;
/// drop(file);
/// drop(proc_driver(c"example", &SEVEN)?);
/// ```
pub fn proc_driver<D: Sync>(name: &'static CStr, text: &'static ProcText<D>) -> Result<ProcFile> {
    let data: *const ProcText<D> = text;
    // SAFETY: the name and the data live for ever; the function knows the data's type.
    let de = unsafe { bindings::rust_proc_driver(name.as_ptr(), Some(proc_show::<D>), data.cast_mut().cast()) };
    NonNull::new(de).map(ProcFile).ok_or(Error::ENOMEM)
}
