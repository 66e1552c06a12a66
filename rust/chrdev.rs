// SPDX-License-Identifier: MIT
//! Character devices: a node of `/dev` and what happens to files that programs open of it.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use crate::user::{Sink, Source};
use crate::wait::WaitQueue;
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_long, c_uint, c_ulong, CStr};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// There is something to read.
pub const POLLIN: u32 = bindings::RUST_POLLIN;
/// There is room to write.
pub const POLLOUT: u32 = bindings::RUST_POLLOUT;
/// It is of no use.
pub const POLLERR: u32 = bindings::RUST_POLLERR;
/// The device went.
pub const POLLHUP: u32 = bindings::RUST_POLLHUP;

/// A device. Its functions may run for many files, on many CPUs, at once.
///
/// ```
/// use kernel::chrdev::{Access, Device, Registration};
/// use kernel::user::{Sink, Source};
/// use kernel::{Error, Result};
///
/// struct Seven;
/// impl Device for Seven {
///     type File = u8;
///     fn open(&'static self, how: Access) -> Result<u8> {
///         if how.write() { Err(Error::EACCES) } else { Ok(7) }
///     }
///     fn read(&'static self, n: &u8, to: &mut Sink<'_>, _how: Access) -> Result<usize> {
///         to.write(&[*n])
///     }
/// }
/// static SEVEN: Seven = Seven;
/// let node = Registration::new(c"seven", 0o600, &SEVEN)?;
/// assert!(node.major() > 0);
/// drop(node); // the node goes
/// ```
pub trait Device: Sync + Sized + 'static {
    /// What is kept for each open file.
    type File: Send + Sync;
    /// Do files of it take `O_ASYNC`? Then `listeners` has some.
    const LISTENS: bool = false;
    /// open(2).
    fn open(&'static self, how: Access) -> Result<Self::File>;
    /// The last close(2).
    fn release(&'static self, file: Self::File) {
        drop(file);
    }
    /// read(2): how many bytes went.
    fn read(&'static self, _file: &Self::File, _to: &mut Sink<'_>, _how: Access) -> Result<usize> {
        Err(Error::EINVAL)
    }
    /// write(2): how many bytes were taken.
    fn write(&'static self, _file: &Self::File, _from: &mut Source<'_>, _how: Access) -> Result<usize> {
        Err(Error::EINVAL)
    }
    /// poll(2): POLL*, after telling `table` which queues to watch.
    fn poll(&'static self, _file: &Self::File, _table: &PollTable<'_>) -> u32 {
        POLLIN | POLLOUT
    }
    /// ioctl(2). `arg` is a number, or an address of the program's.
    fn ioctl(&'static self, _file: &Self::File, _cmd: u32, _arg: usize) -> Result<u32> {
        Err(Error::ENOTTY)
    }
    /// Whose owners get `SIGIO`.
    fn listeners(&'static self) -> Option<&'static Listeners> {
        None
    }
}

/// Files with `O_ASYNC`, whose owners get `SIGIO` (fcntl(2), `F_SETOWN`).
///
/// # Invariants
/// Only the kernel's own functions look at the list.
pub struct Listeners(UnsafeCell<*mut bindings::fasync_struct>);

// SAFETY: the C side locks.
unsafe impl Send for Listeners {}
// SAFETY: as above.
unsafe impl Sync for Listeners {}

impl Listeners {
    /// Nobody yet.
    pub const fn new() -> Self {
        Listeners(UnsafeCell::new(core::ptr::null_mut()))
    }

    pub(crate) fn raw(&self) -> *mut *mut bindings::fasync_struct {
        self.0.get()
    }

    /// There is something to read. Any context.
    pub fn tell(&self) {
        // SAFETY: the list is valid as long as self is.
        unsafe { bindings::rust_tell_listeners(self.0.get()) }
    }
}

impl Default for Listeners {
    fn default() -> Self {
        Self::new()
    }
}

/// How a file was opened, or is read and written.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    mode: u32,
    nonblock: bool,
    exclusive: bool,
    openers: bool,
}

impl Access {
    /// # Safety
    /// `f` is a valid file.
    pub(crate) unsafe fn of(f: *mut bindings::file) -> Access {
        // SAFETY: the caller's word.
        unsafe {
            Access {
                mode: bindings::rust_file_mode(f),
                nonblock: bindings::rust_file_nonblock(f),
                exclusive: bindings::rust_file_exclusive(f),
                openers: bindings::rust_file_is_openers(f),
            }
        }
    }

    /// For reading.
    pub fn read(self) -> bool {
        self.mode & bindings::FMODE_READ != 0
    }

    /// For writing.
    pub fn write(self) -> bool {
        self.mode & bindings::FMODE_WRITE != 0
    }

    /// By nobody else meanwhile (`O_EXCL`).
    pub fn exclusive(self) -> bool {
        self.exclusive
    }

    /// Without waiting: `EAGAIN` instead.
    pub fn nonblock(self) -> bool {
        self.nonblock
    }

    /// By the very credentials that opened it: not those of another task, of a child, or of a program that was executed since.
    pub fn openers(self) -> bool {
        self.openers
    }

    /// The same call where it may not wait.
    pub(crate) fn at_once(mut self, nowait: bool) -> Access {
        self.nonblock |= nowait;
        self
    }
}

/// Who polls.
///
/// # Invariants
/// Both are what the caller of poll gave, valid for `'a`.
pub struct PollTable<'a> {
    file: *mut bindings::file,
    table: *mut bindings::poll_table,
    life: PhantomData<&'a ()>,
}

impl PollTable<'_> {
    /// A wake-up of `q` may change the answer. The queue outlives every file, so it must live for ever.
    pub fn watch(&self, q: &'static WaitQueue) {
        // SAFETY: by the type's invariant; the queue lives for ever.
        unsafe { bindings::poll_wait(self.file, q.raw(), self.table) }
    }
}

struct Open<D: Device> {
    dev: &'static D,
    file: D::File,
}

/// # Safety
/// `f` is a file that open::<D> opened and release::<D> has not seen.
unsafe fn opened<'a, D: Device>(f: *mut bindings::file) -> &'a Open<D> {
    // SAFETY: open() stored a leaked box.
    unsafe { &*bindings::rust_file_private(f).cast::<Open<D>>() }
}

/// # Safety
/// `f` is a valid file.
unsafe fn access(f: *mut bindings::file) -> Access {
    // SAFETY: the caller's word.
    unsafe { Access::of(f) }
}

unsafe extern "C" fn open<D: Device>(_i: *mut bindings::inode, f: *mut bindings::file) -> c_int {
    // SAFETY: f is being opened; its private member is the `&'static D` of the registration.
    let (dev, how) = unsafe { (&*bindings::rust_file_private(f).cast::<D>(), access(f)) };
    match make_open(dev, how) {
        Ok(o) => {
            // SAFETY: f is being opened: only we know it.
            unsafe { bindings::rust_file_opened(f, KBox::into_raw(o).cast()) };
            0
        }
        Err(e) => e.code(),
    }
}

/// The memory first: what the device was told to open is released, so nothing may fail behind it.
fn make_open<D: Device>(dev: &'static D, how: Access) -> Result<KBox<MaybeUninit<Open<D>>>> {
    let mut o = KBox::new(MaybeUninit::uninit(), KERNEL)?;
    o.write(Open { dev, file: dev.open(how)? });
    Ok(o)
}

unsafe extern "C" fn release<D: Device>(_i: *mut bindings::inode, f: *mut bindings::file) -> c_int {
    // SAFETY: open() stored a box, and nobody uses the file any more.
    let o = unsafe { KBox::<Open<D>>::from_raw(bindings::rust_file_private(f).cast()) }.into_inner();
    o.dev.release(o.file);
    0
}

/// What a call that moved `most` bytes is told: a driver may not say more, since the kernel would take what lies behind for what came.
pub(crate) fn size(r: Result<usize>, most: usize) -> isize {
    match r {
        Ok(n) => n.min(most) as isize,
        Err(e) => e.code() as isize,
    }
}

unsafe extern "C" fn read<D: Device>(k: *mut bindings::kiocb, i: *mut bindings::iter) -> isize {
    // SAFETY: both are valid during the call; the file was opened by open::<D>.
    unsafe {
        let f = (*k).ki_filp;
        let mut how = access(f);
        how.nonblock |= (*k).ki_flags & bindings::IOCB_NOWAIT != 0;
        let o = opened::<D>(f);
        let mut to = Sink::new(i);
        let room = to.room();
        let r = o.dev.read(&o.file, &mut to, how);
        size(r, room.saturating_sub(to.room()))
    }
}

unsafe extern "C" fn write<D: Device>(k: *mut bindings::kiocb, i: *mut bindings::iter) -> isize {
    // SAFETY: as in read.
    unsafe {
        let f = (*k).ki_filp;
        let mut how = access(f);
        how.nonblock |= (*k).ki_flags & bindings::IOCB_NOWAIT != 0;
        let o = opened::<D>(f);
        let mut from = Source::new(i);
        let len = from.len();
        size(o.dev.write(&o.file, &mut from, how), len)
    }
}

unsafe extern "C" fn poll<D: Device>(f: *mut bindings::file, t: *mut bindings::poll_table_struct) -> bindings::__poll_t {
    // SAFETY: both are valid during the call; the file was opened by open::<D>.
    let o = unsafe { opened::<D>(f) };
    o.dev.poll(&o.file, &PollTable { file: f, table: t, life: PhantomData })
}

unsafe extern "C" fn ioctl<D: Device>(f: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
    // SAFETY: the file was opened by open::<D>.
    let o = unsafe { opened::<D>(f) };
    match o.dev.ioctl(&o.file, cmd, arg as usize) {
        Ok(v) => c_long::from(v),
        Err(e) => c_long::from(e.code()),
    }
}

unsafe extern "C" fn fasync<D: Device>(fd: c_int, f: *mut bindings::file, on: c_int) -> c_int {
    // SAFETY: the file was opened by open::<D>.
    match unsafe { opened::<D>(f) }.dev.listeners() {
        // SAFETY: the file is open; the device, and so its list, lives for ever.
        Some(l) => unsafe { bindings::fasync_helper(fd, f, on, l.0.get()) },
        None => Error::ENOTTY.code(),
    }
}

struct Ops<D>(PhantomData<D>);

impl<D: Device> Ops<D> {
    const OPS: bindings::file_operations = bindings::file_operations {
        open: Some(open::<D>),
        release: Some(release::<D>),
        read_iter: Some(read::<D>),
        write_iter: Some(write::<D>),
        poll: Some(poll::<D>),
        ioctl: Some(ioctl::<D>),
        fasync: if D::LISTENS { Some(fasync::<D>) } else { None },
        llseek: Some(bindings::no_llseek),
        // SAFETY: null is a valid value of the other members.
        ..unsafe { core::mem::zeroed() }
    };
}

/// A node of /dev, as long as this lives. Files that are open when it goes stay what they are.
///
/// # Invariants
/// Points to a cdev that chrdev_create() made and that nobody has destroyed.
pub struct Registration {
    cdev: NonNull<bindings::cdev>,
    number: u32,
    dynamic: bool,
}

// SAFETY: the C side locks.
unsafe impl Send for Registration {}
// SAFETY: there is nothing to do with a shared one.
unsafe impl Sync for Registration {}

impl Registration {
    /// `/dev/NAME` with a number of its own. Sleeps.
    pub fn new<D: Device>(name: &'static CStr, mode: u16, dev: &'static D) -> Result<Self> {
        let mut number = 0;
        // SAFETY: the place is valid, the name lives for ever.
        crate::error::to_result(unsafe { bindings::alloc_chrdev_region(&mut number, 0, 1, name.as_ptr()) })?;
        Self::add(name, mode, number, true, dev)
    }

    fn add<D: Device>(name: &'static CStr, mode: u16, number: u32, dynamic: bool, dev: &'static D) -> Result<Self> {
        let data = core::ptr::from_ref(dev).cast_mut().cast();
        // SAFETY: the operations and the device live for ever.
        let raw = unsafe { bindings::rust_chrdev_create(name.as_ptr(), number, mode, &Ops::<D>::OPS, data) };
        match NonNull::new(raw) {
            Some(cdev) => Ok(Self { cdev, number, dynamic }),
            None => {
                if dynamic {
                    // SAFETY: it was allocated with one number.
                    unsafe { bindings::unregister_chrdev_region(number, 1) };
                }
                Err(Error::ENOMEM)
            }
        }
    }

    /// The device's number: which driver.
    pub fn major(&self) -> u32 {
        self.number >> 20
    }

    /// The device's number: which of the driver's.
    pub fn minor(&self) -> u32 {
        self.number & 0xf_ffff
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe {
            bindings::chrdev_destroy(self.cdev.as_ptr());
            if self.dynamic {
                bindings::unregister_chrdev_region(self.number, 1);
            }
        }
    }
}

fn boasts(_run: &mut crate::ktest::Run<'_>) -> Result {
    crate::kt_eq!((size(Ok(5), 5), size(Ok(6), 5), size(Ok(usize::MAX), 5)), (5, 5, 5));
    crate::kt_eq!((size(Ok(0), 5), size(Err(Error::EIO), 5)), (0, Error::EIO.code() as isize));
    Ok(())
}

crate::ktest!(rust_chrdev_boasts, boasts);
