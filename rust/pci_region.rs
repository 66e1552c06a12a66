// SPDX-License-Identifier: MIT
//! How a PCI function's header is laid out, and which addresses it answers (PCI Local Bus 3.0, 6.1 and 6.2.5): for what shows it to programs.

use crate::pci::{Access, Bar, Function, BAR0, CAP_EXPRESS, COMMAND, COMMAND_MEMORY};

const COMMAND_PORTS: u16 = 0x0001;
const LAYOUT: u16 = 0x0e;

/// What a BAR leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Memory, of 64 bits' addresses, and that reading does not change.
    Memory {
        /// It takes two BARs.
        wide: bool,
        /// Reading changes nothing.
        prefetch: bool,
    },
    /// Ports.
    Ports,
    /// The expansion ROM.
    Rom,
}

/// Addresses that a function answers.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// First one, as PCI has it.
    pub base: u64,
    /// How many.
    pub size: u64,
    /// What they are.
    pub kind: Kind,
}

impl Function {
    /// Bytes of its configuration space.
    pub fn config_len(&self) -> u16 {
        let extended = matches!(self.host.access, Access::Window { .. })
            && self.capabilities().any(|c| c.1 == CAP_EXPRESS);
        if extended {
            4096
        } else {
            256
        }
    }

    /// How its header is laid out.
    fn layout(&self) -> u8 {
        self.read8(LAYOUT) & 0x7f
    }

    /// How many BARs it may have.
    pub fn nr_bars(&self) -> u8 {
        match self.layout() {
            0 => 6,
            1 => 2,
            _ => 0,
        }
    }

    /// What BAR `i` is, the expansion ROM's for 6, found out the first time: it must have no driver then, as it answers nothing while it
    /// is sized. `None`: none, or not assigned.
    pub fn region(&self, i: u8) -> Option<Region> {
        self.known_region(i, || self.size_region(i))
    }

    fn size_region(&self, i: u8) -> Option<Region> {
        let off = match (i, self.layout()) {
            (6, 0) => 0x30,
            (6, 1) => 0x38,
            _ if i < self.nr_bars() => BAR0 + 4 * u16::from(i),
            _ => return None,
        };
        let low = self.read32(off);
        let kind = match (i, low & 1) {
            (6, _) => Kind::Rom,
            (_, 1) => Kind::Ports,
            _ => {
                let (base, size) = self.bar(i).ok()?;
                return Some(Region {
                    base,
                    size,
                    kind: Kind::Memory { wide: low & 6 == 4, prefetch: low & 8 != 0 },
                });
            }
        };
        // What is address in the register: 6.2.5.1, 6.2.5.2.
        let address = if i == 6 { 0xffff_f800 } else { 0xffff_fffc };
        let _guard = self.host.lock.lock();
        let command = self.read32(COMMAND) & 0xffff;
        self.write32(COMMAND, command & !u32::from(COMMAND_MEMORY | COMMAND_PORTS));
        self.write32(off, address);
        let sized = self.read32(off) & address;
        self.write32(off, low);
        self.write32(COMMAND, command);
        // Ports may have 16 bits.
        let ones = if i != 6 && sized >> 16 == 0 { 0xffff_0000 } else { 0 };
        let b = Bar {
            base: u64::from(low & address),
            size: u64::from((!(sized | ones)).wrapping_add(1)),
            wide: false,
            prefetch: false,
        };
        (sized != 0 && b.check().is_ok()).then_some(Region { base: b.base, size: b.size, kind })
    }
}

fn regions(_run: &mut crate::ktest::Run<'_>) -> crate::Result {
    let (mut bad, mut bridges) = (0, 0);
    crate::pci::for_each(|f| {
        let buses = f.read32(0x18);
        for i in 0..7 {
            // One that may be in use: memory alone, whose sizes are kept.
            let Some(r) = f.bar(i).ok() else { continue };
            bad += u32::from(!r.1.is_power_of_two());
        }
        // A bridge has two BARs; what follows are its buses, which stay as they were.
        bridges += u32::from(f.is_bridge());
        bad += u32::from(
            f.is_bridge()
                && (f.nr_bars() != 2
                    || f.bar(2).err() != Some(crate::Error::EINVAL)
                    || f.read32(0x18) != buses),
        );
    })?;
    crate::kt_eq!((bad, bridges), (0, bridges));
    Ok(())
}

crate::ktest!(rust_pci_regions, regions);
