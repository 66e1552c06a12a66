// SPDX-License-Identifier: MIT
//! Device registers in memory, and the barriers between what the device sees.

use crate::bindings;
use crate::dma::DmaAddr;
use crate::error::{Error, Result};
#[cfg(lockdep)]
use crate::vanish::Tag;
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
    // Whose registers they are (`vanish.rs`).
    #[cfg(lockdep)]
    of: Tag,
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
        let made = |base| Mmio {
            base,
            len,
            #[cfg(lockdep)]
            of: Tag::mmio(phys),
        };
        NonNull::new(base.cast()).map(made).ok_or(Error::ENOMEM)
    }

    /// They are that device's.
    #[cfg(lockdep)]
    pub(crate) fn belongs_to(mut self, of: Tag) -> Mmio {
        self.of = of;
        self
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
        #[cfg(lockdep)]
        if crate::vanish::is_gone(self.of) {
            return None;
        }
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

    /// Writes where memory is, in the same way.
    pub fn write_addr(&self, off: usize, a: DmaAddr) {
        self.write64(off, a.raw());
    }
}

fn misaligned(_run: &mut crate::ktest::Run<'_>) -> Result {
    let words = [0u32; 4];
    // SAFETY: one byte into the array, which the three words behind it lie in; it is not dropped, so nothing is unmapped.
    let base = unsafe { NonNull::from(&words).cast::<u8>().add(1) };
    let odd = core::mem::ManuallyDrop::new(Mmio {
        base,
        len: 12,
        #[cfg(lockdep)]
        of: Tag::mmio(0),
    });
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
