// SPDX-License-Identifier: MIT
//! Character devices that come and go with hardware: many of one major, each counted. A device lives as long as its node or a file of it is there.

use crate::alloc::{Arc, KBox, KERNEL};
use crate::bindings;
use crate::chrdev::{size, Access, Listeners, POLLIN, POLLOUT};
use crate::error::{to_result, Error, Result};
use crate::show::named;
use crate::user::{Sink, Source};
use crate::wait::WaitQueue;
use core::ffi::{c_int, c_long, c_uint, c_ulong, c_void, CStr};
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// A device. Its functions may run for many files, on many CPUs, at once, and may sleep.
///
/// ```
/// use kernel::alloc::Arc;
/// use kernel::chrdev::Access;
/// use kernel::node::{Device, Major, Registration};
/// use kernel::{Error, Result};
///
/// struct Counter(u32);
/// impl Device for Counter {
///     type File = u32;
///     fn open(device: &Arc<Self>, how: Access) -> Result<u32> {
///         if how.write() { Err(Error::EROFS) } else { Ok(device.0) }
///     }
///     fn ioctl(_file: &u32, _cmd: u32, _arg: usize) -> Result<u32> {
///         Err(Error::ENOTTY)
///     }
/// }
/// let major = Major::new(c"example", 120, 1 << 20)?;
/// assert_eq!(Major::new(c"other", 120, 1).err(), Some(Error::EBUSY));
/// let node = Registration::new(format_args!("example{}", 7), (120, 7), 0o600, Arc::new(Counter(7))?)?;
/// assert!(Registration::new(format_args!("again"), (120, 7), 0o600, Arc::new(Counter(8))?).is_err());
/// drop(node); // the node goes, and with it the device
/// drop(major);
/// ```
pub trait Device: Send + Sync + Sized + 'static {
    /// What is kept for each open file.
    type File: Send + Sync + 'static;
    /// open(2).
    fn open(device: &Arc<Self>, how: Access) -> Result<Self::File>;
    /// ioctl(2). `arg` is a number, or an address of the program's.
    fn ioctl(file: &Self::File, cmd: u32, arg: usize) -> Result<u32>;
    /// read(2): how many bytes went.
    fn read(_file: &Self::File, _to: &mut Sink<'_>, _how: Access) -> Result<usize> {
        Err(Error::EINVAL)
    }
    /// write(2): how many bytes were taken.
    fn write(_file: &Self::File, _from: &mut Source<'_>, _how: Access) -> Result<usize> {
        Err(Error::EINVAL)
    }
    /// A wake-up of it may change the answer of `poll`. It lives in the file, and so as long as whoever polls.
    fn polled(_file: &Self::File) -> Option<&WaitQueue> {
        None
    }
    /// poll(2): POLL*. The poller waits already.
    fn poll(_file: &Self::File) -> u32 {
        POLLIN | POLLOUT
    }
    /// Whose owners get `SIGIO`; `None`: the file takes no `O_ASYNC`.
    fn listeners(_file: &Self::File) -> Option<&Listeners> {
        None
    }
}

unsafe extern "C" fn open<D: Device>(_i: *mut bindings::inode, f: *mut bindings::file) -> c_int {
    // SAFETY: f is being opened, and C keeps the node's reference meanwhile, which is not ours to give up.
    let (device, how) = unsafe {
        (
            core::mem::ManuallyDrop::new(Arc::from_raw(
                bindings::rust_file_private(f).cast::<D>().cast_const(),
            )),
            Access::of(f),
        )
    };
    match make_open(&device, how) {
        Ok(file) => {
            // SAFETY: f is being opened: only we know it.
            unsafe { bindings::rust_file_opened(f, KBox::into_raw(file).cast()) };
            0
        }
        Err(e) => e.code(),
    }
}

/// The memory first: nothing may fail behind the device's `open`.
fn make_open<D: Device>(device: &Arc<D>, how: Access) -> Result<KBox<MaybeUninit<D::File>>> {
    let mut file = KBox::new(MaybeUninit::uninit(), KERNEL)?;
    file.write(D::open(device, how)?);
    Ok(file)
}

unsafe extern "C" fn release<D: Device>(_i: *mut bindings::inode, f: *mut bindings::file) -> c_int {
    // SAFETY: open() stored a box, and nobody uses the file any more.
    drop(unsafe { KBox::<D::File>::from_raw(bindings::rust_file_private(f).cast()) });
    0
}

unsafe extern "C" fn ioctl<D: Device>(f: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
    // SAFETY: the file was opened by open::<D>, which stored a box, and stays during the call.
    let file = unsafe { &*bindings::rust_file_private(f).cast::<D::File>() };
    match D::ioctl(file, cmd, arg as usize) {
        Ok(v) => c_long::from(v),
        Err(e) => c_long::from(e.code()),
    }
}

unsafe extern "C" fn read<D: Device>(k: *mut bindings::kiocb, i: *mut bindings::iter) -> isize {
    // SAFETY: both are valid during the call; the file was opened by open::<D>.
    unsafe {
        let f = (*k).ki_filp;
        let how = Access::of(f).at_once((*k).ki_flags & bindings::IOCB_NOWAIT != 0);
        let file = &*bindings::rust_file_private(f).cast::<D::File>();
        let mut to = Sink::new(i);
        let room = to.room();
        let r = D::read(file, &mut to, how);
        size(r, room.saturating_sub(to.room()))
    }
}

unsafe extern "C" fn write<D: Device>(k: *mut bindings::kiocb, i: *mut bindings::iter) -> isize {
    // SAFETY: as in read.
    unsafe {
        let f = (*k).ki_filp;
        let how = Access::of(f).at_once((*k).ki_flags & bindings::IOCB_NOWAIT != 0);
        let file = &*bindings::rust_file_private(f).cast::<D::File>();
        let mut from = Source::new(i);
        let len = from.len();
        size(D::write(file, &mut from, how), len)
    }
}

unsafe extern "C" fn poll<D: Device>(
    f: *mut bindings::file,
    t: *mut bindings::poll_table_struct,
) -> bindings::__poll_t {
    // SAFETY: both are valid during the call, and the file was opened by open::<D>. The queue is borrowed from what release() drops, for any
    // time until then; pollers hold the file.
    unsafe {
        let file = &*bindings::rust_file_private(f).cast::<D::File>();
        if let Some(q) = D::polled(file) {
            bindings::poll_wait(f, q.raw(), t);
        }
        D::poll(file)
    }
}

unsafe extern "C" fn fasync<D: Device>(fd: c_int, f: *mut bindings::file, on: c_int) -> c_int {
    // SAFETY: the file was opened by open::<D>, and stays during the call.
    match D::listeners(unsafe { &*bindings::rust_file_private(f).cast::<D::File>() }) {
        // SAFETY: the list lives in the file, which C takes off it before release().
        Some(l) => unsafe { bindings::fasync_helper(fd, f, on, l.raw()) },
        None => Error::ENOTTY.code(),
    }
}

unsafe extern "C" fn drop_device<D: Device>(d: *mut c_void) {
    // SAFETY: C gives back the reference that it was given, once.
    drop(unsafe { Arc::<D>::from_raw(d.cast::<D>().cast_const()) });
}

struct Ops<D>(PhantomData<D>);

impl<D: Device> Ops<D> {
    const OPS: bindings::file_operations = bindings::file_operations {
        open: Some(open::<D>),
        release: Some(release::<D>),
        ioctl: Some(ioctl::<D>),
        read_iter: Some(read::<D>),
        write_iter: Some(write::<D>),
        poll: Some(poll::<D>),
        fasync: Some(fasync::<D>),
        llseek: Some(bindings::no_llseek),
        // SAFETY: null is a valid value of the other members.
        ..unsafe { core::mem::zeroed() }
    };
}

/// Numbers of a major, as /proc/devices shows them; free again when this goes.
///
/// # Invariants
/// The region is registered, under a name that lives as long as this.
pub struct Major(u32, u32);

impl Major {
    /// The first `count` of `major`, by that name. `EBUSY`: some are taken. Sleeps.
    pub fn new(name: &'static CStr, major: u32, count: u32) -> Result<Self> {
        let first = number(major, 0)?;
        // SAFETY: the name lives as long as the module, and so until it is unregistered.
        to_result(unsafe { bindings::register_chrdev_region(first, count, name.as_ptr()) })?;
        Ok(Self(first, count))
    }
}

impl Drop for Major {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::unregister_chrdev_region(self.0, self.1) }
    }
}

fn number(major: u32, minor: u32) -> Result<u32> {
    if major < 1 << 12 && minor < 1 << 20 {
        Ok(major << 20 | minor)
    } else {
        Err(Error::EINVAL)
    }
}

/// A node of /dev, as long as this lives. Files that are open when it goes keep the device.
///
/// # Invariants
/// Points to a cdev that rust_node_create() made and that nobody has destroyed.
pub struct Registration(NonNull<bindings::cdev>);

// SAFETY: the C side locks.
unsafe impl Send for Registration {}
// SAFETY: there is nothing to do with a shared one.
unsafe impl Sync for Registration {}

impl Registration {
    /// `/dev/NAME` with the number (major, minor). `EINVAL`: there is no such; `ENOMEM`: or it is taken. Sleeps.
    pub fn new<D: Device>(
        name: fmt::Arguments<'_>,
        (major, minor): (u32, u32),
        mode: u16,
        device: Arc<D>,
    ) -> Result<Self> {
        let number = number(major, minor)?;
        named(name, |name| {
            let mut z = [0u8; 48];
            z.iter_mut().take(47).zip(name.as_bytes()).for_each(|(to, b)| *to = *b);
            let data = Arc::into_raw(device).cast_mut().cast();
            // SAFETY: the name is a C string, which is copied; the operations live as long as the module, which C holds; it has the reference, and gives it
            // back in each case.
            let raw = unsafe {
                bindings::rust_node_create(
                    z.as_ptr().cast(),
                    number,
                    mode,
                    &Ops::<D>::OPS,
                    data,
                    Some(drop_device::<D>),
                )
            };
            NonNull::new(raw).map(Self).ok_or(Error::ENOMEM)
        })?
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::chrdev_destroy(self.0.as_ptr()) }
    }
}
