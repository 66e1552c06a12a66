// SPDX-License-Identifier: MIT
//! Device registers behind a checked range.

use crate::bindings;

/// A range of I/O ports that the machine's tables give to a device.
///
/// # Invariants
/// Reading and writing `base .. base + len` touches that device only.
#[derive(Clone, Copy)]
pub struct Ports {
    base: u16,
    len: u16,
}

impl Ports {
    /// The ports of the machine's `i`-th legacy serial line and its interrupt; `None` when there is no such line.
    pub fn legacy_uart(i: u32) -> Option<(Ports, i32)> {
        let (mut port, mut irq) = (0u16, 0i32);
        // SAFETY: both places are valid for writing.
        let there = unsafe { bindings::rust_legacy_uart(i, &mut port, &mut irq) };
        there.then_some((Ports { base: port, len: 8 }, irq))
    }

    /// The first port's number.
    pub fn base(&self) -> u16 {
        self.base
    }

    /// Reads the port at `off`; all ones outside the range.
    pub fn read8(&self, off: u16) -> u8 {
        if off >= self.len {
            return 0xff;
        }
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_inb(self.base + off) }
    }

    /// Writes the port at `off`; nothing outside the range.
    pub fn write8(&self, off: u16, v: u8) {
        if off < self.len {
            // SAFETY: by the type's invariant.
            unsafe { bindings::rust_outb(v, self.base + off) }
        }
    }
}
