// SPDX-License-Identifier: MIT
//! Device registers in memory, and memory that devices read and write.

use crate::alloc::Arc;
use crate::bindings;
use crate::error::{Error, Result};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A mapped range of device registers. Reads outside, or misaligned, give all ones; writes do nothing.
///
/// ```
/// use kernel::platform;
/// if let Some(d) = platform::fdt_devices(c"arm,pl031").next() {
///     let clock = d.map()?;
///     assert!(clock.read32(0) > 0); // seconds since 1970
///     assert_eq!((clock.read32(clock.len()), clock.read32(2)), (u32::MAX, u32::MAX));
/// }
/// ```
///
/// # Invariants
/// `base .. base + len` is mapped uncached for as long as the value lives.
pub struct Mmio {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: registers may be used from any CPU; drivers serialise what must be.
unsafe impl Send for Mmio {}
// SAFETY: as above.
unsafe impl Sync for Mmio {}

macro_rules! access {
    ($read:ident, $write:ident, $t:ty, $cread:ident, $cwrite:ident) => {
        /// Reads the register at `off`, which must be aligned.
        pub fn $read(&self, off: usize) -> $t {
            match self.at(off, size_of::<$t>()) {
                // SAFETY: the address lies in the mapping and is aligned.
                Some(p) => unsafe { bindings::$cread(p.cast()) },
                None => <$t>::MAX,
            }
        }
        /// Writes the register at `off`, which must be aligned.
        pub fn $write(&self, off: usize, v: $t) {
            if let Some(p) = self.at(off, size_of::<$t>()) {
                // SAFETY: the address lies in the mapping and is aligned.
                unsafe { bindings::$cwrite(v, p.cast()) }
            }
        }
    };
}

impl Mmio {
    /// Maps `len` bytes at the physical address, which the machine's tables or a device's BAR gave. Drivers map what those give them.
    pub(crate) fn map(phys: u64, len: usize) -> Result<Mmio> {
        if len == 0 || phys.checked_add(len as u64).is_none() {
            return Err(Error::EINVAL);
        }
        // SAFETY: the range is not empty and does not wrap; the result is checked.
        let base = unsafe { bindings::ioremap(phys, len) };
        NonNull::new(base.cast()).map(|base| Mmio { base, len }).ok_or(Error::ENOMEM)
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never: an empty range cannot be mapped.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn at(&self, off: usize, size: usize) -> Option<*mut u8> {
        if off.checked_add(size)? > self.len {
            return None;
        }
        // SAFETY: off lies within the mapping.
        let p = unsafe { self.base.as_ptr().add(off) };
        // The address, not the offset: a table or a capability may name a place in the middle of a word.
        p.addr().is_multiple_of(size).then_some(p)
    }

    access!(read8, write8, u8, rust_readb, rust_writeb);
    access!(read16, write16, u16, rust_readw, rust_writew);
    access!(read32, write32, u32, rust_readl, rust_writel);

    /// Writes 64 bits as two halves, low first (virtio 1.2, 2.2: a 64-bit field may be written so).
    pub fn write64(&self, off: usize, v: u64) {
        if let Some(high) = off.checked_add(4) {
            self.write32(off, v as u32);
            self.write32(high, (v >> 32) as u32);
        }
    }
}

fn misaligned(_run: &mut crate::ktest::Run<'_>) -> Result {
    let words = [0u32; 4];
    // SAFETY: one byte into the array, which the three words behind it lie in; it is not dropped, so nothing is unmapped.
    let base = unsafe { NonNull::from(&words).cast::<u8>().add(1) };
    let odd = core::mem::ManuallyDrop::new(Mmio { base, len: 12 });
    crate::kt_eq!((odd.read32(0), odd.read16(0), odd.read32(4)), (u32::MAX, u16::MAX, u32::MAX));
    crate::kt_eq!((odd.read8(0), odd.read16(1), odd.read32(3)), (0, 0, 0));
    crate::kt_eq!((odd.read32(11), odd.read32(usize::MAX)), (u32::MAX, u32::MAX));
    odd.write64(usize::MAX - 2, 1);
    odd.write32(0, 1);
    crate::kt_eq!(words, [0; 4]);
    Ok(())
}

crate::ktest!(rust_mmio_misaligned, misaligned);

impl Drop for Mmio {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; nobody uses it any more.
        unsafe { bindings::iounmap(self.base.as_ptr().cast()) }
    }
}

struct Memory {
    base: NonNull<u8>,
    phys: u64,
    order: u32,
    // Somebody has asked for the address, so a device may know it.
    shown: AtomicBool,
}

/// How many stayed because a device may know where they are.
static KEPT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: access is by volatile operations on memory that is ours.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Drop for Memory {
    fn drop(&mut self) {
        if *self.shown.get_mut() {
            // Nothing proves here that the device has forgotten the address: the memory is nobody else's from now on.
            KEPT.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // SAFETY: it came from rust_dma_alloc, and no device knows it.
        unsafe { bindings::rust_dma_free(self.base.as_ptr().cast(), self.order) }
    }
}

/// Coherent memory: zeroed at first, and a device may change it at any time, so that each access is one volatile load or store. Once its
/// address was asked for it never goes back, for a device may write to it for ever: drivers make what they need once.
///
/// ```
/// use kernel::mem::Dma;
/// let ring = Dma::alloc(64)?;
/// assert!(ring.addr() % 64 == 0 && ring.read64(0) == Some(0));
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
/// `mem` holds at least `len` bytes.
pub struct Dma {
    mem: Arc<Memory>,
    len: usize,
}

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
    /// `len` bytes, page-aligned and contiguous.
    pub fn alloc(len: usize) -> Result<Dma> {
        let mut phys = 0;
        let mut order = 0;
        // SAFETY: both places are valid; the result is checked.
        let base = unsafe { bindings::rust_dma_alloc(len, &mut phys, &mut order) };
        let base = NonNull::new(base.cast()).ok_or(Error::ENOMEM)?;
        let mem = Memory { base, phys, order, shown: AtomicBool::new(false) };
        Ok(Dma { mem: Arc::new(mem)?, len })
    }

    /// The same memory once more.
    pub fn share(&self) -> Dma {
        Dma { mem: self.mem.clone(), len: self.len }
    }

    /// The address that the device uses.
    pub fn addr(&self) -> u64 {
        self.mem.shown.store(true, Ordering::Relaxed);
        self.mem.phys
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
        Some(unsafe { self.mem.base.as_ptr().add(off) })
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

fn shown_memory_stays(_run: &mut crate::ktest::Run<'_>) -> Result {
    let before = KEPT.load(Ordering::Relaxed);
    drop(Dma::alloc(64)?);
    crate::kt_eq!(KEPT.load(Ordering::Relaxed), before);
    let a = Dma::alloc(64)?;
    let (b, place) = (a.share(), a.addr());
    drop(a);
    crate::kt_eq!((b.addr(), KEPT.load(Ordering::Relaxed)), (place, before));
    drop(b);
    crate::kt_assert!(KEPT.load(Ordering::Relaxed) > before);
    for _ in 0..64 {
        crate::kt_assert!(Dma::alloc(64)?.mem.phys != place);
    }
    Ok(())
}

crate::ktest!(rust_dma_shown_stays, shown_memory_stays);

/// Everything written before is seen by the device before what is written after.
pub fn write_barrier() {
    core::sync::atomic::fence(core::sync::atomic::Ordering::Release);
}

/// Everything read after was written after what was read before.
pub fn read_barrier() {
    core::sync::atomic::fence(core::sync::atomic::Ordering::Acquire);
}

/// Both ways, for a flag that both sides write and read.
pub fn full_barrier() {
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}
