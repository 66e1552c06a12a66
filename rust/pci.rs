// SPDX-License-Identifier: MIT
//! PCI: configuration space, functions, capabilities (PCI Local Bus 3.0, PCI Express Base 3.0).
//!
//! Configuration is reached through the memory window that ACPI's MCFG names, else through the ports 0xcf8 and 0xcfc (first 256
//! bytes). Buses are walked from 0, following bridges by the secondary numbers that firmware gave. BARs are taken as firmware
//! assigned them; a device with one that is not assigned is left alone.

use crate::mem::Mmio;
use crate::platform::{self, PciPorts};
use crate::sync::SpinLockIrq;
use crate::{irq, Error, Result};

const COMMAND: u16 = 0x04;
const COMMAND_MEMORY: u16 = 0x0002;
const COMMAND_MASTER: u16 = 0x0004;
const COMMAND_INTX_OFF: u16 = 0x0400;
const STATUS_CAPS: u32 = 0x0010 << 16;
const HEADER: u16 = 0x0c;
const BAR0: u16 = 0x10;
const SECONDARY: u16 = 0x18;
const CAPS: u16 = 0x34;
const CAP_MSIX: u8 = 0x11;

/// How configuration space is reached. One for the machine.
enum Access {
    Window { map: Mmio, first_bus: u8 },
    Ports(PciPorts),
}

/// The host bridge.
pub struct Host {
    access: Access,
    last_bus: u8,
    // Read-modify-write of configuration words.
    lock: SpinLockIrq<()>,
}

/// A function that is there.
#[derive(Clone, Copy)]
pub struct Function {
    host: &'static Host,
    /// Bus number.
    pub bus: u8,
    /// Device << 3 | function.
    pub devfn: u8,
    /// Vendor id.
    pub vendor: u16,
    /// Device id.
    pub device: u16,
    /// Class, subclass, interface.
    pub class: u32,
}

impl Host {
    fn read32(&self, bus: u8, devfn: u8, off: u16) -> u32 {
        match &self.access {
            Access::Window { map, first_bus } => {
                let Some(b) = bus.checked_sub(*first_bus) else { return u32::MAX };
                map.read32(usize::from(b) << 20 | usize::from(devfn) << 12 | usize::from(off & 0xffc))
            }
            Access::Ports(p) if off < 256 => p.read32(bus, devfn, (off & 0xfc) as u8),
            Access::Ports(_) => u32::MAX,
        }
    }

    fn write32(&self, bus: u8, devfn: u8, off: u16, v: u32) {
        match &self.access {
            Access::Window { map, first_bus } => {
                if let Some(b) = bus.checked_sub(*first_bus) {
                    map.write32(usize::from(b) << 20 | usize::from(devfn) << 12 | usize::from(off & 0xffc), v);
                }
            }
            Access::Ports(p) if off < 256 => p.write32(bus, devfn, (off & 0xfc) as u8, v),
            Access::Ports(_) => {}
        }
    }

    fn function(&'static self, bus: u8, devfn: u8) -> Option<Function> {
        let id = self.read32(bus, devfn, 0);
        if id == u32::MAX || id & 0xffff == 0 {
            return None;
        }
        let class = self.read32(bus, devfn, 0x08) >> 8;
        Some(Function { host: self, bus, devfn, vendor: id as u16, device: (id >> 16) as u16, class })
    }

    /// Calls `found` for each function on `bus` and the buses behind its bridges. `depth` ends a loop of broken bridges.
    fn walk(&'static self, bus: u8, depth: u32, found: &mut dyn FnMut(Function)) {
        for dev in 0..32u8 {
            let Some(first) = self.function(bus, dev << 3) else { continue };
            let multi = first.read32(HEADER) & 0x0080_0000 != 0;
            for fun in 0..if multi { 8 } else { 1 } {
                let Some(f) = self.function(bus, dev << 3 | fun) else { continue };
                if f.class >> 8 == 0x0604 && depth < 8 {
                    let secondary = (f.read32(SECONDARY) >> 8) as u8;
                    if secondary > bus && secondary <= self.last_bus {
                        self.walk(secondary, depth + 1, found);
                    }
                }
                found(f);
            }
        }
    }
}

impl Function {
    /// Reads an aligned word of configuration space.
    pub fn read32(&self, off: u16) -> u32 {
        self.host.read32(self.bus, self.devfn, off)
    }

    /// Writes one.
    pub fn write32(&self, off: u16, v: u32) {
        self.host.write32(self.bus, self.devfn, off, v);
    }

    /// Reads one byte.
    pub fn read8(&self, off: u16) -> u8 {
        (self.read32(off & !3) >> (8 * (off & 3))) as u8
    }

    /// Lets the device answer memory accesses and read memory itself.
    pub fn enable(&self) {
        let _guard = self.host.lock.lock();
        let c = self.read32(COMMAND) as u16;
        // The upper half is status, whose bits are cleared by ones.
        self.write32(COMMAND, u32::from(c | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF));
    }

    /// The capabilities: offset and id. A chain that loops ends.
    pub fn capabilities(&self) -> impl Iterator<Item = (u16, u8)> + '_ {
        let mut at = if self.read32(COMMAND) & STATUS_CAPS != 0 { u16::from(self.read8(CAPS) & 0xfc) } else { 0 };
        let mut left = 48;
        core::iter::from_fn(move || {
            if at < 0x40 || left == 0 {
                return None;
            }
            left -= 1;
            let here = at;
            at = u16::from(self.read8(here + 1) & 0xfc);
            Some((here, self.read8(here)))
        })
    }

    /// Address and size of memory BAR `i`. Decoding is off while it is sized.
    pub fn bar(&self, i: u8) -> Result<(u64, u64)> {
        if i > 5 {
            return Err(Error::EINVAL);
        }
        let off = BAR0 + 4 * u16::from(i);
        let _guard = self.host.lock.lock();
        let low = self.read32(off);
        if low & 1 != 0 {
            return Err(Error::ENXIO);
        }
        let wide = low & 6 == 4;
        if wide && i == 5 {
            return Err(Error::EINVAL);
        }
        let command = self.read32(COMMAND) & 0xffff;
        self.write32(COMMAND, command & !u32::from(COMMAND_MEMORY));
        let high = if wide { self.read32(off + 4) } else { 0 };
        self.write32(off, u32::MAX);
        let mut mask = u64::from(self.read32(off) & !0xf);
        self.write32(off, low);
        if wide {
            self.write32(off + 4, u32::MAX);
            mask |= u64::from(self.read32(off + 4)) << 32;
            self.write32(off + 4, high);
        } else {
            mask |= 0xffff_ffff_0000_0000;
        }
        self.write32(COMMAND, command);
        let base = u64::from(low & !0xf) | u64::from(high) << 32;
        if base == 0 || mask == 0 {
            return Err(Error::ENXIO);
        }
        Ok((base, (!mask).wrapping_add(1)))
    }

    /// Maps `len` bytes at `off` of memory BAR `i`; they must lie in it.
    pub fn map_bar(&self, i: u8, off: u64, len: u64) -> Result<Mmio> {
        let (base, size) = self.bar(i)?;
        if len == 0 || off.checked_add(len).is_none_or(|end| end > size) || base.checked_add(size).is_none() {
            return Err(Error::EINVAL);
        }
        Mmio::map(base + off, len.min(1 << 20) as usize)
    }

    /// The MSI-X table, with every entry masked and the function's mask off. `ENODEV`: it has none.
    pub fn msix(&self) -> Result<Msix> {
        let (cap, _) = self.capabilities().find(|c| c.1 == CAP_MSIX).ok_or(Error::ENODEV)?;
        let count = (self.read32(cap) >> 16 & 0x7ff) as u16 + 1;
        let place = self.read32(cap + 4);
        let table = self.map_bar((place & 7) as u8, u64::from(place & !7), u64::from(count) * 16)?;
        for i in 0..usize::from(count) {
            table.write32(16 * i + 12, 1);
        }
        let control = self.read32(cap);
        self.write32(cap, (control & !0x4000_0000) | 0x8000_0000);
        Ok(Msix { table, count })
    }
}

/// A function's message-signalled interrupts.
pub struct Msix {
    table: Mmio,
    /// How many.
    pub count: u16,
}

impl Msix {
    /// Points entry `i` at a fresh interrupt and lets it through. The kernel's number of it.
    pub fn set(&self, i: u16) -> Result<i32> {
        if i >= self.count {
            return Err(Error::EINVAL);
        }
        let m = irq::alloc_msi()?;
        let at = 16 * usize::from(i);
        self.table.write32(at, m.addr as u32);
        self.table.write32(at + 4, (m.addr >> 32) as u32);
        self.table.write32(at + 8, m.data);
        self.table.write32(at + 12, 0);
        Ok(m.irq)
    }
}

fn open_host() -> Result<Option<&'static Host>> {
    let (access, last_bus) = match platform::ecam(0) {
        Some(e) => {
            let buses = usize::from(e.last_bus.saturating_sub(e.first_bus)) + 1;
            (Access::Window { map: Mmio::map(e.base, buses << 20)?, first_bus: e.first_bus }, e.last_bus)
        }
        None => match platform::pci_port_config() {
            Some(p) => (Access::Ports(p), 255),
            None => return Ok(None),
        },
    };
    let host = crate::alloc::KBox::new(Host { access, last_bus, lock: SpinLockIrq::new(()) }, crate::alloc::KERNEL)?.leak();
    Ok(Some(host))
}

/// The machine's only host bridge, once it was asked for.
static HOST: SpinLockIrq<Option<&'static Host>> = SpinLockIrq::new(None);

/// Calls `found` for each function there is, bus by bus. Sleeps.
///
/// ```
/// use kernel::pci;
/// let (mut functions, mut capabilities) = (0, 0);
/// pci::for_each(|f| {
///     functions += 1;
///     capabilities = capabilities.max(f.capabilities().count());
/// })?;
/// assert!(capabilities <= 48);
/// let mut again = 0;
/// pci::for_each(|_| again += 1)?;
/// assert_eq!(again, functions);
/// ```
pub fn for_each(mut found: impl FnMut(Function)) -> Result {
    let known = *HOST.lock();
    let host = match known {
        Some(h) => h,
        None => match open_host()? {
            Some(h) => h,
            None => return Ok(()),
        },
    };
    *HOST.lock() = Some(host);
    host.walk(0, 0, &mut found);
    Ok(())
}
