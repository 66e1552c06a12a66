// SPDX-License-Identifier: MIT
//! Interrupts of PCI functions that are messages (PCI 3.0, 6.8). What takes messages gives them
//! addresses and values: a driver points an entry of MSI-X, or the one message of a port, at a
//! fresh interrupt, and never says where a message goes.

use crate::mem::Mmio;
use crate::pci::Function;
use crate::{bindings, irq, Error, Result};

const CAP_MSIX: u8 = 0x11;
const CAP_MSI: u8 = 0x05;
// Message control of MSI.
const ON: u16 = 1;
const MANY: u16 = 7 << 4;
const WIDE: u16 = 1 << 7;

impl Function {
    /// What the message controller calls it. `ENODEV`: nobody takes its messages.
    fn message_id(&self) -> Result<u32> {
        // SAFETY: it only reads what was found at boot.
        if !unsafe { bindings::rust_takes_messages() } {
            return Err(Error::ENODEV);
        }
        let requester = u32::from(self.bus) << 8 | u32::from(self.devfn);
        self.host
            .table
            .as_ref()
            .map_or(Some(requester), |t| t.message_id(requester))
            .ok_or(Error::ENODEV)
    }

    /// The MSI-X table, with every entry masked and the function's mask off. `ENODEV`: it has none,
    /// or nobody takes its messages.
    pub fn msix(&self) -> Result<Msix> {
        let device = self.message_id()?;
        let (cap, _) = self.capabilities().find(|c| c.1 == CAP_MSIX).ok_or(Error::ENODEV)?;
        let count = (self.read32(cap) >> 16 & 0x7ff) as u16 + 1;
        let place = self.read32(cap + 4);
        let table =
            self.map_bar((place & 7) as u8, u64::from(place & !7), u64::from(count) * 16)?;
        for i in 0..usize::from(count) {
            table.write32(16 * i + 12, 1);
        }
        let control = self.read32(cap);
        self.write32(cap, (control & !0x4000_0000) | 0x8000_0000);
        Ok(Msix { table, device, count })
    }

    /// Points its only message at a fresh interrupt (PCI 3.0, 6.8.1). `ENODEV`: it has none, or
    /// nobody takes it.
    pub(crate) fn msi(&self) -> Result<irq::Msi> {
        let device = self.message_id()?;
        let (cap, _) = self.capabilities().find(|c| c.1 == CAP_MSI).ok_or(Error::ENODEV)?;
        let m = irq::alloc_msi_at(Some(device), 1, None)?;
        let control = self.read16(cap + 2) & !MANY;
        let wide = control & WIDE != 0;
        if !wide && m.addr >> 32 != 0 {
            return Err(Error::ENODEV);
        }
        self.write32(cap + 4, m.addr as u32);
        if wide {
            self.write32(cap + 8, (m.addr >> 32) as u32);
        }
        self.write16(cap + if wide { 0xc } else { 8 }, m.data as u16);
        self.write16(cap + 2, control | ON);
        Ok(m)
    }
}

/// A function's message-signalled interrupts.
pub struct Msix {
    table: Mmio,
    device: u32,
    /// How many.
    pub count: u16,
}

impl Msix {
    /// Points entry `i` at a fresh interrupt, of the `nth` CPU where that is said, and lets it
    /// through.
    pub fn set(&self, i: u16, nth: Option<u16>) -> Result<irq::Msi> {
        if i >= self.count {
            return Err(Error::EINVAL);
        }
        let m = irq::alloc_msi_at(Some(self.device), self.count, nth)?;
        let at = 16 * usize::from(i);
        self.table.write32(at, m.addr as u32);
        self.table.write32(at + 4, (m.addr >> 32) as u32);
        self.table.write32(at + 8, m.data);
        self.table.write32(at + 12, 0);
        Ok(m)
    }
}
