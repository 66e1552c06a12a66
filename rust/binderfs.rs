// SPDX-License-Identifier: MIT
//! The driver behind the devices of binderfs.

use crate::alloc::{Arc, KBox, KERNEL};
use crate::area::NewMapping;
use crate::bindings;
use crate::error::{to_result, Result};
use crate::wait::WaitQueue;
use core::ffi::{c_int, c_long, c_uint, c_ulong, c_void};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// What the devices do. Its functions may run for many files, on many CPUs, at once, and may sleep.
pub trait Driver: 'static {
    /// What is kept for each device, as long as it has a name or an open file.
    type Device: Send + Sync + 'static;
    /// What is kept for each open file.
    type File: Send + Sync + 'static;
    /// BINDER_CTL_ADD.
    fn make() -> Result<Self::Device>;
    /// open(2). Whoever polls the file waits on `polled`.
    fn open(device: &Arc<Self::Device>, polled: Arc<WaitQueue>) -> Result<Self::File>;
    /// The last close(2).
    fn release(file: Self::File);
    /// Each close(2) of a descriptor.
    fn flush(file: &Self::File);
    /// ioctl(2); `nonblock`: `O_NONBLOCK`.
    fn ioctl(file: &Self::File, cmd: u32, arg: usize, nonblock: bool) -> Result;
    /// mmap(2).
    fn mmap(file: &Self::File, vma: NewMapping<'_>) -> Result;
    /// poll(2): POLL*. The poller waits already.
    fn poll(file: &Self::File) -> u32;
}

struct Open<D: Driver> {
    file: D::File,
    polled: Arc<WaitQueue>, // outlives every poller: those hold the file
}

/// # Safety
/// `f` is a file that open::<D> opened and release::<D> has not seen.
unsafe fn opened<'a, D: Driver>(f: *mut bindings::file) -> &'a Open<D> {
    // SAFETY: open() stored a leaked box.
    unsafe { &*bindings::rust_file_private(f).cast::<Open<D>>() }
}

unsafe extern "C" fn make<D: Driver>() -> *mut c_void {
    match D::make().and_then(Arc::new) {
        Ok(d) => Arc::into_raw(d).cast_mut().cast(),
        Err(_) => core::ptr::null_mut(),
    }
}

unsafe extern "C" fn drop_device<D: Driver>(d: *mut c_void) {
    // SAFETY: C gives back what make() gave, once.
    drop(unsafe { Arc::<D::Device>::from_raw(d.cast()) });
}

unsafe extern "C" fn open<D: Driver>(i: *mut bindings::inode, f: *mut bindings::file) -> c_int {
    // SAFETY: the inode is a device's, and stays during the call; so its reference is not ours to give up.
    let device = core::mem::ManuallyDrop::new(unsafe {
        Arc::<D::Device>::from_raw(bindings::binderfs_device(i).cast())
    });
    match make_open::<D>(&device) {
        Ok(o) => {
            // SAFETY: f is being opened: only we know it.
            unsafe { bindings::rust_file_opened(f, KBox::into_raw(o).cast()) };
            0
        }
        Err(e) => e.code(),
    }
}

/// The memory first: what the driver was told to open is released, so nothing may fail behind it.
fn make_open<D: Driver>(device: &Arc<D::Device>) -> Result<KBox<MaybeUninit<Open<D>>>> {
    let mut o = KBox::new(MaybeUninit::uninit(), KERNEL)?;
    let polled = Arc::new(WaitQueue::new()?)?;
    o.write(Open { file: D::open(device, polled.clone())?, polled });
    Ok(o)
}

unsafe extern "C" fn release<D: Driver>(_i: *mut bindings::inode, f: *mut bindings::file) -> c_int {
    // SAFETY: open() stored a box, and nobody uses the file any more.
    let o =
        unsafe { KBox::<Open<D>>::from_raw(bindings::rust_file_private(f).cast()) }.into_inner();
    D::release(o.file);
    0
}

unsafe extern "C" fn flush<D: Driver>(f: *mut bindings::file, _id: bindings::fl_owner_t) -> c_int {
    // SAFETY: the file was opened by open::<D>.
    D::flush(&unsafe { opened::<D>(f) }.file);
    0
}

unsafe extern "C" fn ioctl<D: Driver>(f: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
    // SAFETY: the file was opened by open::<D>.
    let (o, nonblock) = unsafe { (opened::<D>(f), bindings::rust_file_nonblock(f)) };
    c_long::from(crate::error::to_ret(D::ioctl(&o.file, cmd, arg as usize, nonblock)))
}

unsafe extern "C" fn mmap<D: Driver>(f: *mut bindings::file, vma: *mut bindings::vma) -> c_int {
    // SAFETY: the file was opened by open::<D>; the VMA is valid during the call.
    unsafe { crate::error::to_ret(D::mmap(&opened::<D>(f).file, NewMapping::new(vma))) }
}

unsafe extern "C" fn poll<D: Driver>(
    f: *mut bindings::file,
    t: *mut bindings::poll_table_struct,
) -> bindings::__poll_t {
    // SAFETY: both are valid during the call; the queue lives as long as the file.
    let o = unsafe {
        let o = opened::<D>(f);
        bindings::poll_wait(f, o.polled.raw(), t);
        o
    };
    D::poll(&o.file)
}

struct Ops<D>(PhantomData<D>);

impl<D: Driver> Ops<D> {
    const FILE: bindings::file_operations = bindings::file_operations {
        open: Some(open::<D>),
        release: Some(release::<D>),
        flush: Some(flush::<D>),
        poll: Some(poll::<D>),
        ioctl: Some(ioctl::<D>),
        mmap: Some(mmap::<D>),
        llseek: Some(bindings::no_llseek),
        // SAFETY: null is a valid value of the other members.
        ..unsafe { core::mem::zeroed() }
    };
    const DRIVER: bindings::binderfs_driver = bindings::binderfs_driver {
        fops: &Self::FILE,
        make: Some(make::<D>),
        drop: Some(drop_device::<D>),
    };
}

/// The filesystem is known as long as this lives. It goes with the driver's module, when there is no mount any more.
///
/// # Invariants
/// binderfs_register() succeeded, and binderfs_unregister() was not called since.
pub struct Registration(());

/// Makes the filesystem known. `EBUSY`: there is a driver already. Sleeps.
pub fn register<D: Driver>() -> Result<Registration> {
    // SAFETY: the operations live as long as the module, which C holds, and do what the header says.
    to_result(unsafe { bindings::binderfs_register(&Ops::<D>::DRIVER) })?;
    Ok(Registration(()))
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant. With mounts left C's instances keep the driver, which their uses of it keep loaded.
        unsafe { bindings::binderfs_unregister() }
    }
}
