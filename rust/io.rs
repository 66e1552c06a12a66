// SPDX-License-Identifier: MIT
//! Device registers behind a checked range.

use crate::bindings;
use crate::irq::Line;

/// A range of I/O ports that the machine's tables give to a device.
///
/// ```
/// use kernel::io::Ports;
/// if let Some((uart, _irq)) = Ports::legacy_uart(0) {
///     assert_eq!(uart.read8(8), 0xff); // not ours
/// }
/// assert!(Ports::legacy_uart(99).is_none());
/// ```
///
/// # Invariants
/// Reading and writing `base .. base + len` touches that device only.
#[derive(Clone, Copy)]
pub struct Ports {
    base: u16,
    len: u16,
}

/// What the tables say of the PC's battery clock.
pub struct CmosRtc {
    /// Index and data.
    pub ports: Ports,
    /// Its interrupt, where it has one.
    pub line: Option<Line>,
    /// Which of its registers is the century; 0: none.
    pub century: u8,
}

impl Ports {
    /// The ports of the machine's `i`-th legacy serial line and its interrupt; `None` when there is no such line.
    pub fn legacy_uart(i: u32) -> Option<(Ports, Option<Line>)> {
        let (mut port, mut irq) = (0u16, 0i32);
        // SAFETY: both places are valid for writing.
        let there = unsafe { bindings::rust_legacy_uart(i, &mut port, &mut irq) };
        there.then_some((Ports { base: port, len: 8 }, Line::of(irq).ok()))
    }

    /// The ports of the PC's battery clock.
    pub fn cmos_rtc() -> Option<CmosRtc> {
        let (mut port, mut irq, mut century) = (0u16, 0i32, 0u8);
        // SAFETY: all places are valid for writing.
        let there = unsafe { bindings::rust_cmos_rtc(&mut port, &mut irq, &mut century) };
        there.then_some(CmosRtc { ports: Ports { base: port, len: 2 }, line: Line::of(irq).ok(), century })
    }

    /// The first port's number.
    pub fn base(&self) -> u16 {
        self.base
    }

    /// The debug build has taken the device away (`vanish.rs`).
    #[cfg(lockdep)]
    fn is_gone(&self) -> bool {
        crate::vanish::is_gone(crate::vanish::Tag::port(self.base))
    }

    #[cfg(not(lockdep))]
    fn is_gone(&self) -> bool {
        false
    }

    /// Reads the port at `off`; all ones outside the range.
    pub fn read8(&self, off: u16) -> u8 {
        if off >= self.len || self.is_gone() {
            return 0xff;
        }
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_inb(self.base + off) }
    }

    /// Writes the port at `off`; nothing outside the range.
    pub fn write8(&self, off: u16, v: u8) {
        if off < self.len && !self.is_gone() {
            // SAFETY: by the type's invariant.
            unsafe { bindings::rust_outb(v, self.base + off) }
        }
    }
}
