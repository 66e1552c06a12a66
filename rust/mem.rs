// SPDX-License-Identifier: MIT
//! Device registers in memory, and memory that devices read and write.

use crate::alloc::{Arc, KSlice};
use crate::bindings;
use crate::error::{Error, Result};
use core::ptr::NonNull;

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
        if !off.is_multiple_of(size) || off.checked_add(size)? > self.len {
            return None;
        }
        // SAFETY: off lies within the mapping.
        Some(unsafe { self.base.as_ptr().add(off) })
    }

    access!(read8, write8, u8, rust_readb, rust_writeb);
    access!(read16, write16, u16, rust_readw, rust_writew);
    access!(read32, write32, u32, rust_readl, rust_writel);

    /// Writes 64 bits as two halves, low first (virtio 1.2, 2.2: a 64-bit field may be written so).
    pub fn write64(&self, off: usize, v: u64) {
        self.write32(off, v as u32);
        self.write32(off + 4, (v >> 32) as u32);
    }
}

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
}

// SAFETY: access is by volatile operations on memory that is ours.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it came from rust_dma_alloc; the device was reset before its memory goes.
        unsafe { bindings::rust_dma_free(self.base.as_ptr().cast(), self.order) }
    }
}

/// Coherent memory: zeroed at first, and a device may change it at any time, so that each access is one volatile load or store.
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
        Ok(Dma { mem: Arc::new(Memory { base, phys, order })?, len })
    }

    /// The same memory once more.
    pub fn share(&self) -> Dma {
        Dma { mem: self.mem.clone(), len: self.len }
    }

    /// The address that the device uses.
    pub fn addr(&self) -> u64 {
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
        let mut n = 0;
        for b in to.iter_mut() {
            match self.read8(off + n) {
                Some(v) => *b = v,
                None => break,
            }
            n += 1;
        }
        n
    }

    /// Copies in at byte `off`; how many bytes fit.
    pub fn copy_in(&self, off: usize, from: &[u8]) -> usize {
        let n = from.len().min(self.len.saturating_sub(off));
        for (i, b) in from.iter().take(n).enumerate() {
            self.write8(off + i, *b);
        }
        n
    }
}

/// Which way a transfer goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Memory to device.
    ToDevice,
    /// Device to memory.
    FromDevice,
}

/// A buffer lent to a device for one transfer. Meanwhile nobody here can look at it or free it.
///
/// ```
/// use kernel::alloc::{KSlice, KERNEL};
/// use kernel::mem::{Direction, Streaming};
/// let data = KSlice::from_fn(512, KERNEL, |i| i as u8)?;
/// let lent = Streaming::map(data, Direction::ToDevice);
/// assert!(lent.addr() != 0 && lent.len() == 512);
/// let data = lent.unmap(); // the device is done
/// assert_eq!(data[7], 7);
/// ```
pub struct Streaming {
    data: KSlice<u8>,
    direction: Direction,
}

impl Streaming {
    /// Lends it. The machines that we know keep caches coherent: what is left to do is order.
    pub fn map(data: KSlice<u8>, direction: Direction) -> Streaming {
        write_barrier();
        Streaming { data, direction }
    }

    /// The address that the device uses.
    pub fn addr(&self) -> u64 {
        // SAFETY: memory of the heap is mapped linearly.
        unsafe { bindings::rust_virt_to_phys(self.data.as_ptr().cast()) }
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Takes it back, once the device is done with it.
    pub fn unmap(self) -> KSlice<u8> {
        if self.direction == Direction::FromDevice {
            read_barrier();
        }
        self.data
    }
}

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
