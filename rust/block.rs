// SPDX-License-Identifier: MIT
//! Disks under the block layer.

use crate::alloc::{Arc, KSlice, KERNEL};
use crate::bindings;
use crate::dma::{Dma, Engine, Halted, Segment};
use crate::error::{to_result, Error, Result};
use crate::show::Dir;
use core::ffi::{c_int, c_long, c_uint, c_ulong, CStr};
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Device to memory.
    Read,
    /// Memory to device.
    Write,
    /// Makes what was completed durable.
    Flush,
    /// The sectors' content may be forgotten.
    Discard,
    /// The sectors read as zeroes from now on.
    WriteZeroes,
}

/// Most bytes in a request of any disk.
pub const MOST_BYTES: usize = bindings::REQUEST_MAX_BYTES as usize;

/// A request that the driver has taken and must complete once.
///
/// # Invariants
/// Points to a bio that the block layer gave us and that we have not completed.
#[repr(transparent)]
pub struct Request(NonNull<bindings::bio>);

// SAFETY: a bio may be completed from any context.
unsafe impl Send for Request {}

impl Request {
    /// What is to be done now.
    pub fn op(&self) -> Op {
        // SAFETY: by the type's invariant.
        match unsafe { bindings::bio_op(self.0.as_ptr()) } {
            0 => Op::Read,
            1 => Op::Write,
            2 => Op::Flush,
            3 => Op::Discard,
            _ => Op::WriteZeroes,
        }
    }

    /// First sector of 512 bytes on the disk, not in the partition.
    pub fn disk_sector(&self) -> u64 {
        // SAFETY: by the type's invariant.
        unsafe { (*self.0.as_ptr()).disk_sector }
    }

    /// Bytes of all its bios, also where there is no memory to it (discard).
    #[allow(clippy::misnamed_getters)] // a bio's own `len` is a part of it
    pub fn len(&self) -> u32 {
        // SAFETY: by the type's invariant.
        unsafe { (*self.0.as_ptr()).req_bytes }
    }

    /// Whether it moves nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A write that is to be durable when it is done: of disks with `Limits::fua` alone.
    pub fn fua(&self) -> bool {
        // SAFETY: by the type's invariant.
        unsafe { bindings::bio_fua(self.0.as_ptr()) }
    }

    /// Its number among those under way in its queue.
    pub fn tag(&self) -> u16 {
        // SAFETY: by the type's invariant.
        unsafe { (*self.0.as_ptr()).tag as u16 }
    }

    /// How many pieces its memory has at most: for reads and writes. What they are is for the device that it is lent to.
    pub fn segments(&self) -> usize {
        // SAFETY: by the type's invariant.
        unsafe { usize::from((*self.0.as_ptr()).req_segs) }
    }

    /// It is done.
    pub fn complete(self, r: Result) {
        let raw = self.0.as_ptr();
        core::mem::forget(self);
        // SAFETY: by the type's invariant, and self is gone.
        unsafe { bindings::bio_done(raw, crate::error::to_ret(r)) }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // A request that a driver loses has failed: nobody may wait for ever.
        // SAFETY: by the type's invariant.
        unsafe { bindings::bio_done(self.0.as_ptr(), Error::EIO.code()) }
    }
}

/// A request whose memory its device may use.
pub struct Lent {
    request: Request,
    // The copy that the device uses instead; empty: none.
    copy: Segment,
}

impl core::ops::Deref for Lent {
    type Target = Request;
    fn deref(&self) -> &Request {
        &self.request
    }
}

impl Lent {
    /// The pieces of its memory, in order: pages that touch are one.
    pub fn pieces(&self) -> Pieces<'_> {
        let at = self.request.0.as_ptr();
        if self.copy.is_empty() {
            return Pieces { at, i: 0, copy: Segment::NONE, most: 0, of: PhantomData };
        }
        // SAFETY: by the request's invariant.
        let most = unsafe { bindings::rust_bio_max_segment(at) };
        Pieces {
            at: core::ptr::null_mut(),
            i: 0,
            copy: self.copy,
            most: if most == 0 { u32::MAX } else { most },
            of: PhantomData,
        }
    }
}

/// What is left of a request's memory.
///
/// # Invariants
/// `at` is a bio of the request, or null; `i` is the C side's place in it.
pub struct Pieces<'a> {
    at: *mut bindings::bio,
    i: c_uint,
    copy: Segment, // what is left of it
    most: u32,
    of: PhantomData<&'a Lent>,
}

impl Iterator for Pieces<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        if self.at.is_null() {
            let n = self.copy.len().min(self.most);
            let piece = self.copy.part(0, n).ok().filter(|p| !p.is_empty())?;
            self.copy = self.copy.part(n, self.copy.len() - n).unwrap_or(Segment::NONE);
            return Some(piece);
        }
        let (mut addr, mut len) = (0, 0);
        // SAFETY: by the type's invariant; the request is not completed while it is borrowed.
        unsafe { bindings::bio_next_segment(&mut self.at, &mut self.i, &mut addr, &mut len) }
            .then(|| Segment::new(addr, len))
    }
}

static COPIED: AtomicUsize = AtomicUsize::new(0);

/// How many requests were copied since boot, for devices that do not reach all memory.
pub fn copied() -> usize {
    COPIED.load(Ordering::Relaxed)
}

/// The requests of a queue that its device works on, by tag. Where their memory is can be asked of these alone, and each comes back, to be
/// completed, when the device says that it is done with it (the driver's ring vouches for that), or with the proof that it
/// uses no memory any more. Dropped without either, requests stay under way for ever.
///
/// Of a device that does not reach all memory, a request with memory beyond is copied into memory that the table has for each tag from the
/// beginning, so that none waits for memory: before the device has it (also one that reads, so that what the device leaves out is as it was)
/// and, of one that reads, when it is done.
///
/// ```
/// use kernel::{block::InFlight, dma::Engine};
/// let engine = Engine::pretended()?;
/// let mut under_way = InFlight::new(&engine, 4, 65536)?;
/// assert!(under_way.is_empty() && under_way.done(0).is_none() && under_way.done(4).is_none());
/// assert!(under_way.get(0).is_none() && under_way.get(4).is_none());
/// assert!(under_way.reset(0, &engine.halt()?).is_none());
/// ```
pub struct InFlight {
    engine: Engine,
    slots: KSlice<Option<Lent>>,
    copies: KSlice<Option<Dma>>, // by tag; of a device that reaches all memory: none
}

impl InFlight {
    /// Room for tags below `depth`, each a request of at most `bytes`. Sleeps.
    pub fn new(engine: &Engine, depth: usize, bytes: usize) -> Result<InFlight> {
        let n = if engine.is_short() { depth } else { 0 };
        let copies = KSlice::from_fn(n, KERNEL, |_| Dma::alloc(engine, bytes).ok())?;
        if copies.iter().any(Option::is_none) {
            return Err(Error::ENOMEM);
        }
        Ok(InFlight {
            engine: engine.share(),
            slots: KSlice::from_fn(depth, KERNEL, |_| None)?,
            copies,
        })
    }

    /// A copy of the request's memory where the device reaches it, if it has to be one. `EINVAL`: it is longer than was said.
    fn copy(&self, r: &Request) -> Result<Segment> {
        let Some(Some(copy)) = self.copies.get(usize::from(r.tag())) else {
            return Ok(Segment::NONE);
        };
        // SAFETY: by the request's invariant.
        if !unsafe { bindings::rust_bio_beyond(r.0.as_ptr(), self.engine.reach()) } {
            return Ok(Segment::NONE);
        }
        let all = copy.segment(0, r.len() as usize)?;
        // SAFETY: as above; the memory has so many bytes, and no device uses it: the tag is free.
        unsafe { bindings::rust_bio_copy(r.0.as_ptr(), copy.place(), all.len(), false) };
        COPIED.fetch_add(1, Ordering::Relaxed);
        Ok(all)
    }

    /// Takes the request and lends it to the device. `EINVAL`, `EBUSY`: its tag is none, or taken; `EIO`: the device was halted.
    pub fn lend<'a>(
        &mut self,
        r: Offer<'a>,
    ) -> core::result::Result<(&Lent, Taken<'a>), (Error, Offer<'a>)> {
        let tag = usize::from(r.request().tag());
        if self.slots.get(tag).is_some_and(Option::is_some) {
            return Err((Error::EBUSY, r));
        }
        if self.engine.is_halted() {
            return Err((Error::EIO, r));
        }
        let copy = match self.copy(r.request()) {
            Ok(c) => c,
            Err(e) => return Err((e, r)),
        };
        let Some(slot) = self.slots.get_mut(tag) else { return Err((Error::EINVAL, r)) };
        let (request, taken) = r.take();
        Ok((slot.insert(Lent { request, copy }), taken))
    }

    /// One that is under way, to be told to the device later, or once more. `None`: none is under that tag, or the device was halted.
    pub fn get(&self, tag: u16) -> Option<&Lent> {
        self.slots.get(usize::from(tag))?.as_ref().filter(|_| !self.engine.is_halted())
    }

    /// The request that the device is done with.
    pub fn done(&mut self, tag: u16) -> Option<Request> {
        let Lent { request, copy } = self.slots.get_mut(usize::from(tag))?.take()?;
        if let Some(Some(from)) = self
            .copies
            .get(usize::from(tag))
            .filter(|_| !copy.is_empty() && request.op() == Op::Read)
        {
            // SAFETY: by the request's invariant; the memory has so many bytes, and the device is done with it.
            unsafe { bindings::rust_bio_copy(request.0.as_ptr(), from.place(), copy.len(), true) };
        }
        Some(request)
    }

    /// One that it will never be done with. Proofs of other devices prove nothing.
    pub fn reset(&mut self, tag: u16, proof: &Halted) -> Option<Request> {
        if proof.is_of(&self.engine) {
            self.done(tag)
        } else {
            None
        }
    }

    /// The device is done with all of it, as the driver's ring says: the memory of the copies goes back now, and not when the device halts.
    pub fn end(mut self) {
        if self.is_empty() {
            self.copies.iter_mut().filter_map(Option::take).for_each(Dma::done);
        }
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.is_empty() || self.engine.halt().is_ok() {
            return; // what is left fails
        }
        for slot in self.slots.iter_mut() {
            core::mem::forget(slot.take());
        }
    }
}

/// A disk's driver.
///
/// ```
/// use kernel::alloc::{Arc, ATOMIC};
/// use kernel::block::{self, Driver, Limits, Offer, Request, Taken};
/// use kernel::list::{Entry, List};
/// use kernel::{sync::SpinLockIrq, work::Work, Error};
///
/// /// Reads give what the memory held, writes are forgotten; a work item completes them.
/// struct Null<F: Fn() + Send + Sync + 'static> {
///     waiting: Arc<SpinLockIrq<List<Option<Request>>>>,
///     work: Work<F>,
/// }
/// impl<F: Fn() + Send + Sync> Driver for Null<F> {
///     fn queue<'a>(&self, _queue: u32, r: Offer<'a>) -> Result<Taken<'a>, (Error, Offer<'a>)> {
///         let mut e = match Entry::new(None::<Request>, ATOMIC) {
///             Ok(e) => e,
///             Err(e) => return Err((e, r)),
///         };
///         let (r, taken) = r.take();
///         if r.disk_sector() == 5 {
///             r.complete(Err(Error::EIO)); // at once
///             return Ok(taken);
///         }
///         *e = Some(r);
///         self.waiting.lock().push_back(e);
///         self.work.queue();
///         Ok(taken)
///     }
/// }
/// let waiting = Arc::new(SpinLockIrq::new(List::<Option<Request>>::new()))?;
/// let theirs = waiting.clone();
/// let work = Work::new(move || loop {
///     let Some(mut e) = theirs.lock().pop_front() else { break };
///     if let Some(r) = e.take() { r.complete(Ok(())); }
/// })?;
/// let limits = Limits { sectors: 64, block_size: 512, read_only: false, removable: false, no_partitions: false, write_cache: false, max_discard: 0, max_zeroes: 0, physical_block: 0, fua: false, max_bytes: 0, max_segments: 0, max_segment: 0, queues: 1, depth: 4, parent: None };
/// let bad = Limits { sectors: u64::MAX, ..limits.clone() };
/// let driver = Arc::new(Null { waiting, work })?;
/// assert_eq!(block::add(c"example", &bad, driver.clone()).err(), Some(Error::EINVAL));
/// let disk = block::add(c"example", &limits, driver)?; // its partition table has been looked for
/// assert_eq!(disk.read(63, &mut [0; 512]), Ok(()));
/// assert_eq!(disk.read(64, &mut [0; 512]), Err(Error::EIO)); // there is no such sector
/// for _ in 0..9 {
///     assert_eq!(disk.read(5, &mut [0; 512]), Err(Error::EIO)); // more often than there are tags
/// }
/// disk.kill();
/// assert_eq!(disk.read(0, &mut [0; 512]), Err(Error::EIO));
/// disk.remove().map_err(|(e, _)| e)?; // nobody has it open
/// ```
pub trait Driver: Send + Sync + 'static {
    /// Starts the request in hardware queue `queue`; gives it back with the reason if it cannot: `EBUSY` means later.
    /// Does not sleep; interrupts may be off.
    fn queue<'a>(
        &self,
        queue: u32,
        r: Offer<'a>,
    ) -> core::result::Result<Taken<'a>, (Error, Offer<'a>)>;

    /// Whether `ioctl` is asked.
    const CONTROLS: bool = false;

    /// ioctl(2) on the disk, or on a partition by who may give a device any command; `write`: the file was opened for writing. `arg` is a number, or
    /// an address of the program's. Who sleeps here is awake before the disk is taken away, which waits for it. Sleeps.
    fn ioctl(&self, _write: bool, _cmd: u32, _arg: usize) -> Result<u32> {
        Err(Error::ENOTTY)
    }

    /// Whether its media change: then `open` and `close` are called.
    const MEDIA: bool = false;

    /// A file of it is about to be opened. What medium is there now, if it is another one than before, or is to be looked at anew. Errors: the opener's. Sleeps.
    fn open(&self, _how: Opening) -> Result<Option<Medium>> {
        Ok(None)
    }

    /// A file that `open` allowed is closed. Neither is called once the disk was taken away. Sleeps.
    fn close(&self) {}

    /// Tells the device of what `queue` has started in `queue` since the last call. As `queue`.
    fn commit(&self, _queue: u32) {}
}

/// How a disk is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opening {
    /// For writing.
    pub write: bool,
    /// With `O_NONBLOCK`: whatever medium there is, or none.
    pub nonblock: bool,
}

/// A medium.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Medium {
    /// In sectors of 512 bytes.
    pub sectors: u64,
    /// Logical block in bytes.
    pub block_size: u32,
}

unsafe extern "C" fn opening<D: Driver>(d: *mut bindings::disk, how: c_uint) -> c_int {
    // SAFETY: driver_data is the reference that add() stored, which stays as long as C is in here.
    let driver = unsafe { &*bindings::rust_disk_data(d).cast::<D>() };
    let how = Opening {
        write: how & bindings::disk_how_DISK_OPEN_WRITE != 0,
        nonblock: how & bindings::disk_how_DISK_OPEN_NONBLOCK != 0,
    };
    match driver.open(how) {
        Ok(None) => 0,
        Ok(Some(m)) if m.sectors > MOST_SECTORS || !is_block(m.block_size) => Error::EINVAL.code(),
        Ok(Some(m)) => {
            // SAFETY: the disk is open, and so there.
            unsafe { bindings::disk_set_medium(d, m.sectors, m.block_size) };
            0
        }
        Err(e) => e.code(),
    }
}

unsafe extern "C" fn closing<D: Driver>(d: *mut bindings::disk) {
    // SAFETY: as above.
    unsafe { &*bindings::rust_disk_data(d).cast::<D>() }.close();
}

unsafe extern "C" fn queue<D: Driver>(
    d: *mut bindings::disk,
    q: c_uint,
    b: *mut bindings::bio,
) -> c_int {
    // SAFETY: driver_data is the reference that add() stored.
    let driver = unsafe { &*bindings::rust_disk_data(d).cast::<D>() };
    let Some(b) = NonNull::new(b) else { return Error::EINVAL.code() };
    // Refused, the request stays the block layer's: an offer is nothing that must be completed.
    driver.queue(q, Offer { raw: b, call: PhantomData }).map_or_else(|(e, _)| e.code(), |_| 0)
}

unsafe extern "C" fn commit<D: Driver>(d: *mut bindings::disk, q: c_uint) {
    // SAFETY: driver_data is the reference that add() stored.
    unsafe { &*bindings::rust_disk_data(d).cast::<D>() }.commit(q);
}

unsafe extern "C" fn ioctl<D: Driver>(
    d: *mut bindings::disk,
    f: *mut bindings::file,
    cmd: c_uint,
    arg: c_ulong,
) -> c_long {
    // SAFETY: driver_data is the reference that add() stored, which stays as long as C is in here; the file is open.
    let (driver, mode) =
        unsafe { (&*bindings::rust_disk_data(d).cast::<D>(), bindings::rust_file_mode(f)) };
    match driver.ioctl(mode & bindings::FMODE_WRITE != 0, cmd, arg as usize) {
        Ok(v) => c_long::from(v),
        Err(e) => c_long::from(e.code()),
    }
}

unsafe extern "C" fn release<D: Driver>(d: *mut bindings::disk) {
    // SAFETY: driver_data is the reference that add() stored, and this is its end.
    drop(unsafe { Arc::from_raw(bindings::rust_disk_data(d).cast::<D>().cast_const()) });
}

struct Ops<D>(PhantomData<D>);

impl<D: Driver> Ops<D> {
    const OPS: bindings::disk_ops = bindings::disk_ops {
        queue: Some(queue::<D>),
        commit: Some(commit::<D>),
        release: Some(release::<D>),
        open: None,
        closed: None,
        opening: if D::MEDIA { Some(opening::<D>) } else { None },
        closing: if D::MEDIA { Some(closing::<D>) } else { None },
        ioctl: if D::CONTROLS { Some(ioctl::<D>) } else { None },
        raw_partitions: D::CONTROLS,
    };
}

/// The life of one call of `queue`, and of no other: neither longer nor shorter will do.
type Call<'a> = PhantomData<fn(&'a ()) -> &'a ()>;

/// A request that is offered. A driver takes it, or gives this very one back.
///
/// # Invariants
/// `raw` is a bio that the block layer offers in the call that `'a` names.
pub struct Offer<'a> {
    raw: NonNull<bindings::bio>,
    call: Call<'a>,
}

/// That the offer of this call was taken.
pub struct Taken<'a> {
    call: Call<'a>,
}

impl<'a> Offer<'a> {
    /// Takes it: the driver must complete the request, once, from now on. (Completed at once, it ends after `queue` has returned.)
    pub fn take(self) -> (Request, Taken<'a>) {
        (Request(self.raw), Taken { call: self.call })
    }

    /// Looks at it.
    pub fn request(&self) -> &Request {
        // SAFETY: a Request is a NonNull<bio> and nothing else; borrowed, it is neither completed nor dropped.
        unsafe { &*core::ptr::from_ref(&self.raw).cast::<Request>() }
    }
}

/// What a disk is like.
#[derive(Clone, Debug)]
pub struct Limits {
    /// In sectors of 512 bytes.
    pub sectors: u64,
    /// Logical block in bytes.
    pub block_size: u32,
    /// Cannot be written.
    pub read_only: bool,
    /// The medium can be taken out.
    pub removable: bool,
    /// It has no partitions.
    pub no_partitions: bool,
    /// Has a cache that forgets without a flush.
    pub write_cache: bool,
    /// Most sectors in one discard; 0: none.
    pub max_discard: u32,
    /// Most sectors in one write of zeroes; 0: none.
    pub max_zeroes: u32,
    /// Physical block in bytes; 0: as the logical one.
    pub physical_block: u32,
    /// Knows writes that are durable when they are done.
    pub fua: bool,
    /// Most bytes in one request; 0: `MOST_BYTES`.
    pub max_bytes: u32,
    /// Most pieces of memory in one request of many bios; 0: each bio is a request.
    pub max_segments: u32,
    /// Most bytes in a piece that several pages make; 0: any number.
    pub max_segment: u32,
    /// Hardware queues.
    pub queues: u32,
    /// Requests in each.
    pub depth: u32,
    /// The device in /sys/devices that it is a part of.
    pub parent: Option<Dir>,
}

/// A disk that was added.
///
/// # Invariants
/// Points to a disk that we hold a reference of, until it is removed.
pub struct Disk(NonNull<bindings::disk>);

// SAFETY: the C side locks.
unsafe impl Send for Disk {}
// SAFETY: as above.
unsafe impl Sync for Disk {}

impl Disk {
    /// Reads from a sector of 512 bytes on, past all caches: at most a page. Sleeps.
    pub fn read(&self, sector: u64, to: &mut [u8]) -> Result {
        // SAFETY: by the type's invariant; `to` is valid for its length.
        to_result(unsafe {
            bindings::rust_disk_rw(self.0.as_ptr(), false, sector, to.as_mut_ptr().cast(), to.len())
        })
    }

    /// Writes in the same way.
    pub fn write(&self, sector: u64, from: &[u8]) -> Result {
        // SAFETY: by the type's invariant; the C side only reads `from`, which is valid for its length.
        to_result(unsafe {
            bindings::rust_disk_rw(
                self.0.as_ptr(),
                true,
                sector,
                from.as_ptr().cast_mut().cast(),
                from.len(),
            )
        })
    }

    /// The device is gone: everything that waits and comes fails. What the driver has under way it completes. Sleeps.
    pub fn kill(&self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::disk_kill(self.0.as_ptr()) }
    }

    /// First step of removal, also of a disk that is open or mounted: writes dirty pages (unless `surprise`: the device is already gone), shuts down
    /// file systems, fails new opens and requests. The driver then completes its requests in flight and calls `take_away`. Sleeps.
    pub fn detach(&self, surprise: bool) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::disk_detach(self.0.as_ptr(), surprise) }
    }

    /// Second step, after `detach`: removes the disk from /dev and /sys. Its driver is dropped at once, or when the last request in flight ends;
    /// the disk is freed at the last close. Sleeps.
    pub fn take_away(self) {
        // SAFETY: by the type's invariant, and self is gone.
        unsafe {
            bindings::disk_remove(self.0.as_ptr());
            bindings::disk_put(self.0.as_ptr());
        }
    }

    /// For a device whose size changes. It keeps the disk, and so the driver, until it is dropped.
    pub fn size(&self) -> Size {
        // SAFETY: by the type's invariant.
        unsafe { bindings::disk_get(self.0.as_ptr()) };
        Size(self.0)
    }

    /// Kills it and takes it out of /dev and /sys; the driver goes when the last request has. `EBUSY`: it is open. Sleeps.
    pub fn remove(self) -> core::result::Result<(), (Error, Disk)> {
        // SAFETY: by the type's invariant.
        match to_result(unsafe { bindings::disk_remove_unless_open(self.0.as_ptr()) }) {
            // SAFETY: by the type's invariant, and self is gone.
            Ok(()) => unsafe { bindings::disk_put(self.0.as_ptr()) },
            Err(e) => return Err((e, self)),
        }
        Ok(())
    }
}

/// How large a disk is.
///
/// # Invariants
/// Points to a disk that we hold a reference of.
pub struct Size(NonNull<bindings::disk>);

// SAFETY: the C side locks.
unsafe impl Send for Size {}
// SAFETY: as above.
unsafe impl Sync for Size {}

impl Size {
    /// In sectors of 512 bytes.
    pub fn get(&self) -> u64 {
        // SAFETY: by the type's invariant.
        unsafe { bindings::disk_sectors(self.0.as_ptr()) }
    }

    /// Sets the size to `sectors` of 512 bytes and drops cached pages beyond it. Partitions stay as they are.
    /// `EINVAL`: no file is so large. Sleeps.
    pub fn set(&self, sectors: u64) -> Result {
        if sectors > MOST_SECTORS {
            return Err(Error::EINVAL);
        }
        // SAFETY: by the type's invariant.
        unsafe { bindings::disk_resize(self.0.as_ptr(), sectors) };
        Ok(())
    }
}

impl Drop for Size {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; the reference goes with us.
        unsafe { bindings::disk_put(self.0.as_ptr()) };
    }
}

// What is counted in bytes stays a positive number of 64 bits.
const MOST_SECTORS: u64 = i64::MAX as u64 >> 9;

fn is_block(bytes: u32) -> bool {
    bytes.is_power_of_two() && (512..=1 << 16).contains(&bytes)
}

/// Adds a disk named PREFIX + letters. Its partition table is read before this returns. It stays, with its driver, until it is removed.
/// `EINVAL`: the limits are nonsense.
pub fn add<D: Driver>(prefix: &CStr, limits: &Limits, driver: Arc<D>) -> Result<Disk> {
    if limits.sectors > MOST_SECTORS
        || !is_block(limits.block_size)
        || limits.queues == 0
        || limits.depth == 0
    {
        return Err(Error::EINVAL);
    }
    // SAFETY: the prefix is a C string; the result is checked.
    let raw = unsafe { bindings::disk_alloc(prefix.as_ptr(), limits.queues, limits.depth) };
    let disk = NonNull::new(raw).ok_or(Error::ENOMEM)?;
    let l = bindings::rust_disk_limits {
        sectors: limits.sectors,
        block_size: limits.block_size,
        max_discard: limits.max_discard,
        max_zeroes: limits.max_zeroes,
        max_segments: limits.max_segments,
        max_segment: limits.max_segment,
        physical_block: limits.physical_block,
        max_bytes: limits.max_bytes,
        fua: limits.fua,
        read_only: limits.read_only,
        write_cache: limits.write_cache,
        removable: limits.removable,
        no_partitions: limits.no_partitions,
        parent: limits.parent.as_ref().map_or(core::ptr::null_mut(), Dir::as_ptr),
    };
    let data = Arc::into_raw(driver).cast_mut().cast();
    // SAFETY: nobody else knows the disk yet; the operations live for ever, the driver until they release it.
    unsafe { bindings::rust_disk_setup(disk.as_ptr(), &l, &Ops::<D>::OPS, data) };
    // SAFETY: all constant members are filled in.
    match to_result(unsafe { bindings::disk_add(disk.as_ptr()) }) {
        Ok(()) => Ok(Disk(disk)),
        Err(e) => {
            // SAFETY: it is on no list: the reference is the only one.
            unsafe { bindings::disk_put(disk.as_ptr()) };
            Err(e)
        }
    }
}
