// SPDX-License-Identifier: MIT
//! Memory that devices read and write by themselves.
//!
//! An `Engine` stands for one device's way to memory; it comes from what lets the device have that way. Memory whose address was asked
//! for may be the device's at any time, so that dropping it frees nothing: it is kept with its engine until the device was made to leave
//! memory alone (`Engine::halt`, or the drop of all that belongs to the engine) and that was seen to have worked. Only then it goes back. What is
//! kept stands in `/sys/kernel/debug/dma/quarantine`.
//!
//! Requests of disks are lent in the same way (`block::InFlight`): they come back one by one as the device's ring says that they are
//! done, or all of them with a `Halted`.

use crate::alloc::{Arc, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use crate::list::{Entry, List};
use crate::pci::Function;
use crate::platform::ResetByStatus;
use crate::sync::SpinLockIrq;
use core::ffi::c_void;
use core::fmt::{self, Write};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Where no memory is, for devices that there are not.
const NOWHERE: u64 = 1 << 63;

/// Where a device finds memory. No driver makes one, or sees its number: it comes with a piece of memory (`Segment`), and goes into a
/// descriptor (`Dma::write_addr`) or a register (`Mmio::write_addr`).
#[derive(Clone, Copy)]
pub struct DmaAddr(u64);

impl DmaAddr {
    pub(crate) fn raw(self) -> u64 {
        self.0
    }
}

/// A piece of memory as its device addresses it.
///
/// ```
/// use kernel::dma::{Dma, Engine, Segment};
/// let mem = Dma::alloc(&Engine::pretended()?, 96)?;
/// let s = mem.segment(16, 64)?;
/// assert!(s.len() == 64 && !s.is_empty() && Segment::NONE.is_empty());
/// assert_eq!((s.part(60, 4)?.len(), s.part(60, 5).is_err(), s.part(65, 0).is_err()), (4, true, true));
/// assert!(s.part(1, u32::MAX).is_err() && mem.segment(16, 81).is_err() && mem.segment(usize::MAX, 2).is_err());
/// mem.write_addr(0, s.part(4, 8)?.addr());
/// assert_eq!(mem.read64(0).and_then(|seen| mem.offset_of(seen)), Some(20));
/// mem.write_addr(92, s.addr()); // not all of it is there
/// assert!(mem.read32(92) == Some(0) && mem.offset_of(0).is_none());
/// ```
#[derive(Clone, Copy)]
pub struct Segment {
    addr: u64,
    len: u32,
}

impl Segment {
    /// No memory.
    pub const NONE: Segment = Segment::pretended(0);

    /// `len` bytes where no memory is, for tests.
    pub const fn pretended(len: u32) -> Segment {
        Segment { addr: NOWHERE, len }
    }

    pub(crate) fn new(addr: u64, len: u32) -> Segment {
        Segment { addr, len }
    }

    /// Where it begins.
    pub fn addr(self) -> DmaAddr {
        DmaAddr(self.addr)
    }

    /// Bytes.
    pub fn len(self) -> u32 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// `len` bytes of it from byte `off`. `EINVAL`: it has not so many.
    pub fn part(self, off: u32, len: u32) -> Result<Segment> {
        match self.len.checked_sub(off) {
            Some(left) if len <= left => Ok(Segment { addr: self.addr + u64::from(off), len }),
            _ => Err(Error::EINVAL),
        }
    }
}

struct Pages {
    base: NonNull<u8>,
    phys: u64,
    order: u32,
}

// SAFETY: access is by volatile operations on memory that is ours.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: it came from rust_dma_alloc, and no device uses it.
        unsafe { bindings::rust_dma_free(self.base.as_ptr().cast(), self.order) }
    }
}

impl Pages {
    fn alloc(len: usize, reach: u64) -> Result<Entry<Pages>> {
        let (mut phys, mut order) = (0, 0);
        // SAFETY: both places are valid; the result is checked.
        let base = unsafe { bindings::rust_dma_alloc(len, reach, &mut phys, &mut order) };
        let base = NonNull::new(base.cast()).ok_or(Error::ENOMEM)?;
        Entry::new(Pages { base, phys, order }, KERNEL)
    }
}

/// How a device is made to leave memory alone, and seen to.
enum Way {
    Pci(Function),
    Status(ResetByStatus),
    Pretended,
    // For the tests here: it never does.
    Disobeys,
}

struct State {
    way: Way,
    // The last address that the device can use.
    reach: AtomicU64,
    // Proven; never unset. Set under the lock of `kept`.
    halted: AtomicBool,
    kept: SpinLockIrq<List<Pages>>,
}

/// Kept ranges, and their pages.
static KEPT: (AtomicUsize, AtomicUsize) = (AtomicUsize::new(0), AtomicUsize::new(0));

/// What devices that did not obey were told of.
static LOST: SpinLockIrq<List<Pages>> = SpinLockIrq::new(List::new());

impl State {
    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    /// Frees the pages, or keeps them.
    fn release(&self, p: Entry<Pages>) {
        let pages = 1 << p.order;
        let mut kept = self.kept.lock();
        if self.is_halted() {
            drop(kept);
            drop(p);
            return;
        }
        kept.push_back(p);
        drop(kept);
        KEPT.0.fetch_add(1, Ordering::Relaxed);
        KEPT.1.fetch_add(pages, Ordering::Relaxed);
    }

    fn halt(&self) -> bool {
        if !self.is_halted() {
            let proven = match &self.way {
                Way::Pci(f) => f.halt(),
                Way::Status(s) => s.reset(),
                Way::Pretended => true,
                Way::Disobeys => false,
            };
            if !proven {
                return false;
            }
            let _kept = self.kept.lock();
            self.halted.store(true, Ordering::Release);
        }
        loop {
            let Some(p) = self.kept.lock().pop_front() else { return true };
            KEPT.0.fetch_sub(1, Ordering::Relaxed);
            KEPT.1.fetch_sub(1 << p.order, Ordering::Relaxed);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if !self.halt() {
            // The device does not obey: the memory is its own for ever, and the function nobody's.
            while let Some(p) = self.kept.lock().pop_front() {
                LOST.lock().push_back(p);
            }
        } else if let Way::Pci(f) = &self.way {
            f.unclaim();
        }
    }
}

/// A device's way to memory. When all that belongs to it is gone the device is made to leave memory alone.
///
/// ```
/// use kernel::dma::{Dma, Engine};
/// let engine = Engine::pretended()?;
/// let (a, b) = (Dma::alloc(&engine, 64)?, Dma::alloc(&engine, 64)?);
/// assert!(a.segment(0, 64)?.len() == 64 && b.segment(0, 65).is_err());
/// let halted = engine.halt()?;
/// assert!(halted.is_of(&engine) && !halted.is_of(&Engine::pretended()?));
/// b.write_addr(0, a.segment(0, 64)?.addr());
/// assert_eq!(b.read64(0).and_then(|seen| a.offset_of(seen)), None); // nowhere: what is halted is told of no memory
/// ```
pub struct Engine(Arc<State>);

/// The proof that a device leaves memory alone, and will.
pub struct Halted(Arc<State>);

impl Halted {
    /// Whether that is the engine.
    pub fn is_of(&self, e: &Engine) -> bool {
        Arc::ptr_eq(&self.0, &e.0)
    }
}

impl Engine {
    fn new(way: Way) -> Result<Engine> {
        let state = State { way, reach: AtomicU64::new(u64::MAX), halted: AtomicBool::new(false), kept: SpinLockIrq::new(List::new()) };
        Ok(Engine(Arc::new(state)?))
    }

    /// Of a function that was claimed, before it may master the bus.
    pub(crate) fn of_function(f: Function) -> Result<Engine> {
        Self::new(Way::Pci(f))
    }

    /// Of a device that a register resets.
    pub(crate) fn of_status(s: ResetByStatus) -> Result<Engine> {
        Self::new(Way::Status(s))
    }

    /// Of no device: for tests. Its addresses lead to no memory, whoever is told.
    pub fn pretended() -> Result<Engine> {
        Self::new(Way::Pretended)
    }

    /// The same once more.
    pub fn share(&self) -> Engine {
        Engine(self.0.clone())
    }

    /// What the device is told of memory at `phys`: of no device, where no memory is.
    pub(crate) fn address(&self, phys: u64) -> u64 {
        if matches!(self.0.way, Way::Pretended) { phys | NOWHERE } else { phys }
    }

    /// The device has so many address lines: what it is told of from now on lies below. Of a device that does not reach all memory requests are
    /// copied (`block::InFlight`). `EINVAL`: fewer than 24 (no memory lies so low everywhere), or more than 64.
    ///
    /// ```
    /// use kernel::dma::{Dma, Engine};
    /// let engine = Engine::pretended()?;
    /// assert!(engine.limit(23).is_err() && engine.limit(65).is_err() && !engine.is_short());
    /// engine.limit(24)?;
    /// assert!(engine.is_short()); // some machine has no memory there
    /// engine.limit(64)?;
    /// assert!(!engine.is_short() && Dma::alloc(&engine, 4096)?.len() == 4096);
    /// ```
    pub fn limit(&self, bits: u32) -> Result {
        if !(24..=64).contains(&bits) {
            return Err(Error::EINVAL);
        }
        self.0.reach.store(u64::MAX >> (64 - bits), Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn reach(&self) -> u64 {
        self.0.reach.load(Ordering::Relaxed)
    }

    /// Whether there is memory that the device does not reach.
    pub fn is_short(&self) -> bool {
        // SAFETY: a number that does not change.
        self.reach() < unsafe { bindings::rust_dma_top() }
    }

    /// `EOPNOTSUPP`: the device does not reach all memory.
    pub(crate) fn needs_all(&self) -> Result {
        if self.is_short() { Err(Error::EOPNOTSUPP) } else { Ok(()) }
    }

    /// Makes the device leave memory alone, for ever as far as this engine goes. Any context. `EIO`: it does not obey.
    pub fn halt(&self) -> Result<Halted> {
        if self.0.halt() { Ok(Halted(self.0.clone())) } else { Err(Error::EIO) }
    }

    /// Whether it was halted.
    pub fn is_halted(&self) -> bool {
        self.0.is_halted()
    }
}

struct Memory {
    pages: Option<Entry<Pages>>,
    engine: Arc<State>,
    // Somebody has asked for the address, so the device may know it.
    shown: AtomicBool,
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(p) = self.pages.take()
            && *self.shown.get_mut()
        {
            self.engine.release(p);
        }
    }
}

/// Coherent memory: zeroed at first, and the device may change it at any time, so that each access is one volatile load or store. Dropped,
/// it goes back once the engine has halted.
///
/// ```
/// use kernel::dma::{Dma, Engine};
/// let engine = Engine::pretended()?;
/// let ring = Dma::alloc(&engine, 64)?;
/// assert!(ring.len() == 64 && ring.read64(0) == Some(0));
/// ring.write32(4, 0x0102_0304);
/// assert_eq!((ring.read8(4), ring.read16(6)), (Some(4), Some(0x0102)));
/// assert_eq!((ring.read32(62), ring.read32(61), ring.read8(64)), (None, None, None));
/// let theirs = ring.share(); // what the device sees
/// theirs.write8(0, 9);
/// assert_eq!(ring.read8(0), Some(9));
/// let text = *b"copied in words, odd ends by bytes";
/// let mut back = [0; 34];
/// assert_eq!((ring.copy_in(3, &text), ring.copy_out(3, &mut back)), (34, 34));
/// assert!(back == text && ring.read8(2) == Some(0) && ring.read8(37) == Some(0));
/// assert_eq!((ring.copy_in(60, &text), ring.copy_out(60, &mut back), ring.copy_out(99, &mut back)), (4, 4, 0));
/// assert_eq!((ring.read8(63), ring.copy_out(usize::MAX, &mut back)), (Some(b'i'), 0));
/// ```
///
/// # Invariants
/// `base` points to at least `len` bytes at `phys`, which `mem` owns.
pub struct Dma {
    mem: Arc<Memory>,
    base: NonNull<u8>,
    phys: u64,
    len: usize,
}

// SAFETY: access is by volatile operations on memory that is ours.
unsafe impl Send for Dma {}
// SAFETY: as above.
unsafe impl Sync for Dma {}

macro_rules! dma_access {
    ($read:ident, $write:ident, $t:ty) => {
        /// Reads at byte `off`; `None` outside or misaligned.
        pub fn $read(&self, off: usize) -> Option<$t> {
            // SAFETY: the address was checked.
            self.at(off, size_of::<$t>()).map(|p| <$t>::from_le(unsafe { p.cast::<$t>().read_volatile() }))
        }
        /// Writes at byte `off`; nothing outside or misaligned.
        pub fn $write(&self, off: usize, v: $t) {
            if let Some(p) = self.at(off, size_of::<$t>()) {
                // SAFETY: the address was checked.
                unsafe { p.cast::<$t>().write_volatile(v.to_le()) }
            }
        }
    };
}

impl Dma {
    /// `len` bytes for that device, page-aligned and contiguous. Sleeps.
    #[inline(never)]
    pub fn alloc(engine: &Engine, len: usize) -> Result<Dma> {
        let pages = Pages::alloc(len, engine.reach())?;
        let (base, phys) = (pages.base, pages.phys);
        let phys = if matches!(engine.0.way, Way::Pretended) { phys | NOWHERE } else { phys };
        let mem = Memory { pages: Some(pages), engine: engine.0.clone(), shown: AtomicBool::new(false) };
        Ok(Dma { mem: Arc::new(mem)?, base, phys, len })
    }

    /// The same memory once more.
    pub fn share(&self) -> Dma {
        Dma { mem: self.mem.clone(), ..*self }
    }

    /// The address that the device uses. Of a device that was halted: one where no memory is.
    fn addr(&self) -> u64 {
        if self.mem.engine.is_halted() {
            return NOWHERE;
        }
        self.mem.shown.store(true, Ordering::Relaxed);
        self.phys
    }

    /// `len` bytes of it from byte `off`, for the device. Of a device that was halted: where no memory is. `EINVAL`: it has not so many.
    pub fn segment(&self, off: usize, len: usize) -> Result<Segment> {
        if off > self.len || len > self.len - off {
            return Err(Error::EINVAL);
        }
        Ok(Segment { addr: self.addr() + off as u64, len: len as u32 })
    }

    /// Writes where a piece of memory is at byte `off`, as 64 bits, the low half first; nothing outside or misaligned.
    pub fn write_addr(&self, off: usize, a: DmaAddr) {
        self.write64(off, a.raw());
    }

    /// The memory, for the kernel's own copies while no device uses it.
    pub(crate) fn place(&self) -> *mut c_void {
        self.base.as_ptr().cast()
    }

    /// The byte that a device means by address `seen`. For tests that are the device.
    pub fn offset_of(&self, seen: u64) -> Option<usize> {
        seen.checked_sub(self.phys).filter(|off| *off < self.len as u64).map(|off| off as usize)
    }

    /// The device is done with it, as the driver's ring says (which vouches for it, as for `block::InFlight::done`): it goes back now, or with the
    /// last share of it.
    ///
    /// ```
    /// use kernel::{dma::{Dma, Engine}, show::Dir};
    /// let count = || {
    ///     let mut text = [0; 64];
    ///     Dir::debug(c"dma").and_then(|d| d.read(c"quarantine", &mut text)).map(|_| text)
    /// };
    /// let engine = Engine::pretended()?;
    /// let (a, before) = (Dma::alloc(&engine, 64)?, count()?);
    /// assert!(a.segment(0, 64)?.len() == 64);
    /// a.done();
    /// assert_eq!(count()?, before);
    /// ```
    pub fn done(self) {
        self.mem.shown.store(false, Ordering::Relaxed);
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn at(&self, off: usize, size: usize) -> Option<*mut u8> {
        if !off.is_multiple_of(size) || off.checked_add(size)? > self.len {
            return None;
        }
        // SAFETY: off lies within the memory.
        Some(unsafe { self.base.as_ptr().add(off) })
    }

    dma_access!(read8, write8, u8);
    dma_access!(read16, write16, u16);
    dma_access!(read32, write32, u32);
    dma_access!(read64, write64, u64);

    /// Copies out from byte `off`; how many bytes there were.
    pub fn copy_out(&self, off: usize, to: &mut [u8]) -> usize {
        let n = to.len().min(self.len.saturating_sub(off));
        let to = to.get_mut(..n).unwrap_or(&mut []);
        let (head, rest) = to.split_at_mut((off.wrapping_neg() % 8).min(n));
        let (words, tail) = rest.as_chunks_mut::<8>();
        let mut at = off;
        for b in head {
            *b = self.read8(at).unwrap_or(0);
            at += 1;
        }
        for w in words {
            *w = self.read64(at).unwrap_or(0).to_le_bytes();
            at += 8;
        }
        for b in tail {
            *b = self.read8(at).unwrap_or(0);
            at += 1;
        }
        n
    }

    /// Copies in at byte `off`; how many bytes fit.
    pub fn copy_in(&self, off: usize, from: &[u8]) -> usize {
        let n = from.len().min(self.len.saturating_sub(off));
        let from = from.get(..n).unwrap_or(&[]);
        let (head, rest) = from.split_at((off.wrapping_neg() % 8).min(n));
        let (words, tail) = rest.as_chunks::<8>();
        let mut at = off;
        for b in head {
            self.write8(at, *b);
            at += 1;
        }
        for w in words {
            self.write64(at, u64::from_le_bytes(*w));
            at += 8;
        }
        for b in tail {
            self.write8(at, *b);
            at += 1;
        }
        n
    }
}

/// What stands in debugfs: ranges that a device may still use though nobody else does, and their pages.
fn quarantine(kept: &(AtomicUsize, AtomicUsize), out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{} ranges, {} pages", kept.0.load(Ordering::Relaxed), kept.1.load(Ordering::Relaxed))
}

fn publish() -> Result {
    crate::show::Dir::debug(c"dma")?.attr(c"quarantine", &KEPT, quarantine, None)
}

crate::device_init!(dma_quarantine, publish);

fn kept() -> (usize, usize) {
    (KEPT.0.load(Ordering::Relaxed), KEPT.1.load(Ordering::Relaxed))
}

fn stays_until_proof(_run: &mut crate::ktest::Run<'_>) -> Result {
    let before = kept();
    let engine = Engine::pretended()?;
    drop(Dma::alloc(&engine, 64)?);
    crate::kt_assert!(kept() == before); // the device was never told
    let a = Dma::alloc(&engine, 3 << bindings::PAGE_SHIFT)?;
    let (b, place) = (a.share(), a.addr());
    drop(a);
    crate::kt_assert!(b.addr() == place && kept() == before);
    drop(b);
    crate::kt_assert!(kept() == (before.0 + 1, before.1 + 4));
    crate::kt_assert!(Dma::alloc(&engine, 3 << bindings::PAGE_SHIFT)?.addr() != place);
    let mut text = [0; 64];
    crate::kt_assert!(crate::show::Dir::debug(c"dma")?.read(c"quarantine", &mut text)? >= 18);
    let late = Dma::alloc(&engine, 64)?;
    crate::kt_assert!(late.addr() != NOWHERE && !engine.is_halted());
    let proof = engine.halt()?;
    crate::kt_assert!(kept() == before);
    crate::kt_assert!(late.addr() == NOWHERE);
    drop((late, proof, engine));
    crate::kt_assert!(kept() == before);
    // Without a word, the last that belongs to the engine halts it.
    let engine = Engine::pretended()?;
    let last = Dma::alloc(&engine, 64)?;
    crate::kt_assert!(last.addr() != 0);
    drop(engine);
    drop(last);
    crate::kt_assert!(kept() == before);
    Ok(())
}

crate::ktest!(rust_dma_stays_until_proof, stays_until_proof);

fn disobedient(_run: &mut crate::ktest::Run<'_>) -> Result {
    let before = kept();
    let engine = Engine::new(Way::Disobeys)?;
    let mem = Dma::alloc(&engine, 64)?;
    crate::kt_assert!(mem.addr() != NOWHERE);
    crate::kt_assert!(engine.halt().err() == Some(Error::EIO));
    crate::kt_assert!(!engine.is_halted() && mem.addr() != NOWHERE);
    drop(mem);
    drop(engine); // what it knows is lost
    crate::kt_assert!(kept() == (before.0 + 1, before.1 + 1));
    Ok(())
}

crate::ktest!(rust_dma_of_a_device_that_does_not_obey, disobedient);
