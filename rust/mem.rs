// SPDX-License-Identifier: MIT
//! Device registers in memory, and memory that devices read and write.

use crate::bindings;
use crate::error::{Error, Result};
use core::ptr::NonNull;

/// A mapped range of device registers. Reads outside give all ones, writes outside do nothing.
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
    /// Maps `len` bytes at the physical address, which the machine's tables or a device's BAR gave.
    pub fn map(phys: u64, len: usize) -> Result<Mmio> {
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

/// Zeroed memory that a device may change at any time: each access is one volatile load or store within bounds.
///
/// # Invariants
/// `base` points to `len` bytes of contiguous memory at `phys`, ours until drop.
pub struct Dma {
    base: NonNull<u8>,
    phys: u64,
    len: usize,
    order: u32,
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
    /// `len` bytes, page-aligned and contiguous.
    pub fn alloc(len: usize) -> Result<Dma> {
        let mut phys = 0;
        let mut order = 0;
        // SAFETY: both places are valid; the result is checked.
        let base = unsafe { bindings::rust_dma_alloc(len, &mut phys, &mut order) };
        NonNull::new(base.cast()).map(|base| Dma { base, phys, len, order }).ok_or(Error::ENOMEM)
    }

    /// The address that the device uses.
    pub fn addr(&self) -> u64 {
        self.phys
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

impl Drop for Dma {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; the device was reset before its memory goes.
        unsafe { bindings::rust_dma_free(self.base.as_ptr().cast(), self.order) }
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
