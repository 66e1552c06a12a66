// SPDX-License-Identifier: MIT
//! PCI: configuration space, functions, capabilities (PCI Local Bus 3.0, PCI Express Base 3.0).
//!
//! Configuration is reached through the memory windows that ACPI's MCFG or the device tree name, else through the ports 0xcf8 and
//! 0xcfc (first 256 bytes). Buses are walked from the first, following bridges by their secondary numbers. Those and the BARs are taken
//! as firmware assigned them; behind a host bridge of the device tree they are assigned here (`pci_assign.rs`). A device
//! with a BAR that is not assigned is left alone.

use crate::alloc::{KBox, KSlice, KERNEL};
use crate::dma::Engine;
use crate::list::{Entry, List};
use crate::mem::Mmio;
pub use crate::pci_msi::Msix;
use crate::pci_region::Region;
use crate::platform::{self, PciHost, PciPorts, PciWindow};
use crate::sync::SpinLockIrq;
use crate::{bindings, irq, Error, Result};
use core::sync::atomic::{AtomicU64, Ordering};

pub(crate) const COMMAND: u16 = 0x04;
pub(crate) const COMMAND_MEMORY: u16 = 0x0002;
pub(crate) const COMMAND_MASTER: u16 = 0x0004;
const COMMAND_INTX_OFF: u16 = 0x0400;
const STATUS_CAPS: u32 = 0x0010 << 16;
const HEADER: u16 = 0x0c;
pub(crate) const BAR0: u16 = 0x10;
pub(crate) const SECONDARY: u16 = 0x18;
const CAPS: u16 = 0x34;
const INTERRUPT_LINE: u16 = 0x3c;
const PIN: u16 = 0x3d;
pub(crate) const CAP_EXPRESS: u8 = 0x10;
const EXPRESS_FLR: u32 = 1 << 28;
const EXPRESS_START_FLR: u32 = 1 << 15;

/// How configuration space is reached.
pub(crate) enum Access {
    Window { map: Mmio, first_bus: u8 },
    Ports(PciPorts),
}

/// A host bridge.
pub struct Host {
    pub(crate) access: Access,
    domain: u16,
    first_bus: u8,
    pub(crate) last_bus: u8,
    pub(crate) table: Option<PciHost>,
    pub(crate) windows: KSlice<PciWindow>,
    next: Option<&'static Host>,
    // Read-modify-write of configuration words.
    pub(crate) lock: SpinLockIrq<()>,
    // Functions whose way to memory somebody has, or had.
    claimed: Functions,
    used: Functions,
    // BARs that were sized, by devfn.
    bars: SpinLockIrq<KSlice<List<Bars>>>,
}

/// What BARs of a function on that bus are.
struct Bars {
    bus: u8,
    is: [Option<Result<(u64, u64)>>; 6],
    // Of those that are no memory, and of the expansion ROM.
    regions: [Option<Option<Region>>; 7],
}

/// A set of a host bridge's functions.
struct Functions(KSlice<AtomicU64>);

impl Functions {
    fn new(first_bus: u8, last_bus: u8) -> Result<Functions> {
        let buses = usize::from(last_bus.saturating_sub(first_bus)) + 1;
        KSlice::from_fn(buses * 256 / 64, KERNEL, |_| AtomicU64::new(0)).map(Functions)
    }

    fn at(&self, f: &Function) -> Option<(&AtomicU64, u64)> {
        let n = usize::from(f.bus.checked_sub(f.host.first_bus)?) * 256 + usize::from(f.devfn);
        self.0.get(n / 64).map(|word| (word, 1 << (n % 64)))
    }

    /// Puts it in: whether it was not.
    fn set(&self, f: &Function) -> bool {
        self.at(f).is_some_and(|(word, bit)| word.fetch_or(bit, Ordering::AcqRel) & bit == 0)
    }

    fn clear(&self, f: &Function) {
        if let Some((word, bit)) = self.at(f) {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
    }
}

/// A function that is there.
#[derive(Clone, Copy)]
pub struct Function {
    pub(crate) host: &'static Host,
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
    /// The debug build has taken the function away (`vanish.rs`).
    #[cfg(lockdep)]
    fn is_gone(&self, bus: u8, devfn: u8) -> bool {
        crate::vanish::is_gone(crate::vanish::Tag::pci(self.domain, bus, devfn))
    }

    #[cfg(not(lockdep))]
    fn is_gone(&self, _bus: u8, _devfn: u8) -> bool {
        false
    }

    /// The function masters the bus no more, also if it is gone.
    #[cfg(lockdep)]
    pub(crate) fn cut_off(&self, bus: u8, devfn: u8) {
        let c = self.fetch32(bus, devfn, COMMAND) & 0xffff & !u32::from(COMMAND_MASTER);
        self.put32(bus, devfn, COMMAND, c);
        self.fetch32(bus, devfn, COMMAND);
    }

    fn read32(&self, bus: u8, devfn: u8, off: u16) -> u32 {
        if self.is_gone(bus, devfn) {
            return u32::MAX;
        }
        self.fetch32(bus, devfn, off)
    }

    fn fetch32(&self, bus: u8, devfn: u8, off: u16) -> u32 {
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
        if !self.is_gone(bus, devfn) {
            self.put32(bus, devfn, off, v);
        }
    }

    fn put32(&self, bus: u8, devfn: u8, off: u16, v: u32) {
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

    fn write16(&self, bus: u8, devfn: u8, off: u16, v: u16) {
        if self.is_gone(bus, devfn) {
            return;
        }
        match &self.access {
            Access::Window { map, first_bus } => {
                if let Some(b) = bus.checked_sub(*first_bus) {
                    map.write16(usize::from(b) << 20 | usize::from(devfn) << 12 | usize::from(off & 0xffe), v);
                }
            }
            Access::Ports(p) if off < 256 => p.write16(bus, devfn, (off & 0xfe) as u8, v),
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

    /// The first function on `bus` whose device and function number is `from` or more.
    pub(crate) fn next_on_bus(&'static self, bus: u8, from: u16) -> Option<Function> {
        for dev in (from >> 3)..32 {
            let dev = (dev << 3) as u8;
            let Some(first) = self.function(bus, dev) else { continue };
            let multi = first.read32(HEADER) & 0x0080_0000 != 0;
            for devfn in dev..=dev | if multi { 7 } else { 0 } {
                if u16::from(devfn) < from {
                    continue;
                }
                if let Some(f) = self.function(bus, devfn) {
                    return Some(f);
                }
            }
        }
        None
    }

    /// Calls `found` for each function on `bus`.
    pub(crate) fn on_bus(&'static self, bus: u8, found: &mut dyn FnMut(Function)) {
        for dev in 0..32u8 {
            let Some(first) = self.function(bus, dev << 3) else { continue };
            let multi = first.read32(HEADER) & 0x0080_0000 != 0;
            for fun in 0..if multi { 8 } else { 1 } {
                if let Some(f) = self.function(bus, dev << 3 | fun) {
                    found(f);
                }
            }
        }
    }

    /// Calls `found` for each function: bus by bus, of those that bridges lead to, whose numbers grow on the way down.
    fn walk(&'static self, found: &mut dyn FnMut(Function)) {
        let mut behind = [false; 256];
        for bus in self.first_bus..=u8::MAX {
            if bus == self.first_bus || behind.get(usize::from(bus)) == Some(&true) {
                self.on_bus(bus, &mut |f| {
                    if let Some(led_to) = f.secondary().and_then(|bus| behind.get_mut(usize::from(bus))) {
                        *led_to = true;
                    }
                    found(f);
                });
            }
        }
    }

    /// The bridge that leads to `bus` from the one above it.
    fn bridge_to(&'static self, bus: u8) -> Option<Function> {
        let mut at = self.first_bus;
        loop {
            let mut way = None;
            self.on_bus(at, &mut |f| {
                if f.secondary().is_some_and(|s| s <= bus && bus <= (f.read32(SECONDARY) >> 16) as u8) {
                    way = Some(f);
                }
            });
            at = way?.secondary()?;
            if at == bus {
                return way;
            }
        }
    }

    /// The physical address of a PCI one. `None`: no window leads there.
    fn physical(&self, pci: u64, size: u64) -> Option<u64> {
        if self.windows.is_empty() {
            return Some(pci);
        }
        let inside = |w: &&PciWindow| w.memory && pci >= w.pci && pci - w.pci < w.size && size <= w.size - (pci - w.pci);
        self.windows.iter().find(inside).map(|w| w.cpu + (pci - w.pci))
    }
}

/// A memory BAR.
pub(crate) struct Bar {
    pub(crate) base: u64,
    pub(crate) size: u64,
    /// It takes two words.
    pub(crate) wide: bool,
    pub(crate) prefetch: bool,
}

impl Bar {
    /// A size is a power of two, and the place a multiple of it (PCI 3.0, 6.2.5.1): other bits cannot be set in a device that works.
    pub(crate) fn check(&self) -> Result {
        if self.base == 0 {
            return Err(Error::ENXIO);
        }
        let fits = self.size.is_power_of_two() && self.base & (self.size - 1) == 0 && self.base.checked_add(self.size).is_some();
        if fits { Ok(()) } else { Err(Error::EINVAL) }
    }
}

fn bars(_run: &mut crate::ktest::Run<'_>) -> Result {
    let check = |base, size| Bar { base, size, wide: true, prefetch: false }.check();
    crate::kt_eq!((check(0xfebd_4000, 0x1000), check(1 << 40, 1 << 32)), (Ok(()), Ok(())));
    crate::kt_eq!(check(0, 0x1000), Err(Error::ENXIO));
    for (base, size) in [(0x1000, 0), (0x1000, 0x3000), (0x1000, 0x2000), (!0xfff, 0x1000), (1 << 63, 1 << 63)] {
        crate::kt_eq!((base, check(base, size)), (base, Err(Error::EINVAL)));
    }
    Ok(())
}

crate::ktest!(rust_pci_bars, bars);

/// BARs that were sized.
static SIZED: AtomicU64 = AtomicU64::new(0);

fn bars_are_kept(_run: &mut crate::ktest::Run<'_>) -> Result {
    let all = || {
        let mut sum = 0u64;
        for_each(|f| {
            for i in 0..6 {
                sum = sum.wrapping_mul(31).wrapping_add(f.bar(i).map_or(1, |(base, size)| base ^ size));
            }
        })
        .map(|()| sum)
    };
    let first = all()?;
    let sized = SIZED.load(Ordering::Relaxed);
    crate::kt_eq!((all(), SIZED.load(Ordering::Relaxed)), (Ok(first), sized));
    Ok(())
}

crate::ktest!(rust_pci_bars_are_kept, bars_are_kept);

fn one_owner(_run: &mut crate::ktest::Run<'_>) -> Result {
    let mut again = 0;
    for_each(|f| {
        if f.is_claimed() {
            again += u32::from(f.enable().err() != Some(Error::EBUSY));
        }
    })?;
    crate::kt_eq!(again, 0);
    Ok(())
}

crate::ktest!(rust_pci_one_owner, one_owner);

impl Function {
    /// What its accesses are counted by.
    #[cfg(lockdep)]
    pub(crate) fn tag(&self) -> crate::vanish::Tag {
        crate::vanish::Tag::pci(self.host.domain, self.bus, self.devfn)
    }

    /// Reads an aligned word of configuration space.
    pub fn read32(&self, off: u16) -> u32 {
        self.host.read32(self.bus, self.devfn, off)
    }

    /// Writes one. For this crate alone: a BAR, a bridge's window or a message's address written by a driver would lead into anything.
    pub(crate) fn write32(&self, off: u16, v: u32) {
        self.host.write32(self.bus, self.devfn, off, v);
    }

    /// Writes an aligned half of one, and not the other.
    pub(crate) fn write16(&self, off: u16, v: u16) {
        self.host.write16(self.bus, self.devfn, off, v);
    }

    /// Reads one byte.
    pub fn read8(&self, off: u16) -> u8 {
        (self.read32(off & !3) >> (8 * (off & 3))) as u8
    }

    /// Lets the device answer memory accesses and master the bus: its way to memory is the caller's alone. `EBUSY`: somebody has it.
    /// Sleeps, and resets a function that had one before: it knows addresses of memory that went back. `ENOTTY`: it cannot be reset.
    pub fn enable(&self) -> Result<Engine> {
        if !self.claim() {
            return Err(Error::EBUSY);
        }
        // From here on the engine gives the claim back.
        let engine = match Engine::of_function(*self) {
            Ok(e) => e,
            Err(e) => {
                self.unclaim();
                return Err(e);
            }
        };
        if !self.host.used.set(self) {
            self.reset()?;
        }
        let _guard = self.host.lock.lock();
        let c = self.read32(COMMAND) as u16;
        // The upper half is status, whose bits are cleared by ones.
        self.write32(COMMAND, u32::from(c | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF));
        Ok(engine)
    }

    /// It masters the bus no more: whether that is so. What it wrote before has arrived when configuration space answers (PCI Express
    /// Base 3.0, 2.4.1: completions do not pass posted writes). One that has left the bus reads as ones.
    pub(crate) fn halt(&self) -> bool {
        let _guard = self.host.lock.lock();
        let c = self.read32(COMMAND) & 0xffff & !u32::from(COMMAND_MASTER);
        self.write32(COMMAND, c);
        let now = self.read32(COMMAND);
        now & u32::from(COMMAND_MASTER) == 0 || (now == u32::MAX && self.read32(0) == u32::MAX)
    }

    /// Whether it is still the one that was found: one that left the bus reads as ones.
    pub fn is_present(&self) -> bool {
        self.read32(0) == u32::from(self.device) << 16 | u32::from(self.vendor)
    }

    /// Region `i`, as `size` finds it the first time.
    pub(crate) fn known_region(&self, i: u8, size: impl FnOnce() -> Option<Region>) -> Option<Region> {
        let known = |bars: &mut KSlice<List<Bars>>| -> Option<Option<Region>> {
            let mut here = bars.get_mut(usize::from(self.devfn))?.iter_mut();
            *here.find(|b| b.bus == self.bus)?.regions.get(usize::from(i))?
        };
        if let Some(r) = known(&mut self.host.bars.lock()) {
            return r;
        }
        let r = size();
        let _ = self.bar(0); // makes room for it
        let mut bars = self.host.bars.lock();
        let here = bars.get_mut(usize::from(self.devfn)).and_then(|l| l.iter_mut().find(|b| b.bus == self.bus));
        if let Some(place) = here.and_then(|b| b.regions.get_mut(usize::from(i))) {
            *place = Some(r);
        }
        r
    }

    /// Called when its driver is gone and nobody has its DMA engine: if the function has left the bus, drops what is remembered of it, as
    /// another one may take its place.
    pub fn forget(&self) {
        if self.is_present() {
            return;
        }
        self.host.used.clear(self);
        self.forget_bars();
    }

    /// What its BARs are is asked again. Nobody has it.
    pub(crate) fn forget_bars(&self) {
        let mut bars = self.host.bars.lock();
        let known = bars.get_mut(usize::from(self.devfn)).and_then(|l| l.remove(|b| b.bus == self.bus));
        drop(bars);
        drop(known);
    }

    /// Of a function that is behind this bridge, or was, where nobody has it: drops what is remembered of it. `dark`: it has no power.
    pub(crate) fn forget_behind(&self, bus: u8, devfn: u8, dark: bool) {
        let f = Function { bus, devfn, ..*self };
        if f.is_claimed() {
            return;
        }
        if dark || f.read32(0) == u32::MAX {
            self.host.used.clear(&f);
        }
        f.forget_bars();
    }

    /// Takes its way to memory: whether nobody had it.
    pub(crate) fn claim(&self) -> bool {
        self.host.claimed.set(self)
    }

    /// Whether somebody has it.
    pub(crate) fn is_claimed(&self) -> bool {
        self.host.claimed.at(self).is_some_and(|(word, bit)| word.load(Ordering::Acquire) & bit != 0)
    }

    /// The number of the last bus behind it, where it is a bridge that was numbered.
    pub fn last_behind(&self) -> Option<u8> {
        self.secondary().map(|s| s.max((self.read32(SECONDARY) >> 16) as u8))
    }

    pub(crate) fn unclaim(&self) {
        self.host.claimed.clear(self);
    }

    /// Its driver has reset it by a register of its own, and has seen that it obeyed: it knows no address of memory any more. So it may have
    /// a driver again also where there is no other way to reset it.
    pub fn seen_reset(&self) {
        if self.flr().is_err() {
            self.host.used.clear(self);
        }
    }

    /// The capability by which the function alone is reset. `ENOTTY`: there is none.
    fn flr(&self) -> Result<u16> {
        let (cap, _) = self.capabilities().find(|c| c.1 == CAP_EXPRESS).ok_or(Error::ENOTTY)?;
        if self.read32(cap + 4) & EXPRESS_FLR == 0 { Err(Error::ENOTTY) } else { Ok(cap) }
    }

    /// A function-level reset (PCI Express Base 3.0, 6.6.2): the function forgets what it was told. Its header is written again. Sleeps.
    fn reset(&self) -> Result {
        let cap = self.flr()?;
        let header: [u32; 16] = core::array::from_fn(|i| self.read32(4 * i as u16));
        let control = self.read32(cap + 8) & 0xffff;
        self.write32(cap + 8, control | EXPRESS_START_FLR);
        crate::time::sleep_ms(100);
        self.write32(cap + 8, control);
        for (i, word) in header.iter().enumerate().skip(3) {
            self.write32(4 * i as u16, *word);
        }
        Ok(())
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

    /// The bridge that leads to its bus; `None`: it is on the host bridge's.
    pub fn above(&self) -> Option<Function> {
        if self.bus == self.root_bus() { None } else { self.host.bridge_to(self.bus) }
    }

    /// The number of its host bridge.
    pub fn domain(&self) -> u16 {
        self.host.domain
    }

    /// The first bus of its host bridge.
    pub fn root_bus(&self) -> u8 {
        self.host.first_bus
    }

    /// The bus behind this bridge, where it is one that was numbered.
    pub fn secondary(&self) -> Option<u8> {
        let s = (self.read32(SECONDARY) >> 8) as u8;
        (self.is_bridge() && s > self.bus && s <= self.host.last_bus).then_some(s)
    }

    /// The first function on the bus behind this bridge.
    pub fn first_behind(&self) -> Option<Function> {
        self.host.next_on_bus(self.secondary()?, 0)
    }

    pub(crate) fn is_bridge(&self) -> bool {
        self.class >> 8 == 0x0604
    }

    /// Memory BAR `i`, assigned or not. Decoding is off while it is sized. `ENXIO`: there is none, or it is of ports.
    pub(crate) fn size_bar(&self, i: u8) -> Result<Bar> {
        if i >= self.nr_bars() {
            return Err(Error::EINVAL);
        }
        let off = BAR0 + 4 * u16::from(i);
        let _guard = self.host.lock.lock();
        let low = self.read32(off);
        if low & 1 != 0 {
            return Err(Error::ENXIO);
        }
        let wide = low & 6 == 4;
        if wide && i + 1 == self.nr_bars() {
            return Err(Error::EINVAL);
        }
        SIZED.fetch_add(1, Ordering::Relaxed);
        let command = self.read32(COMMAND) & 0xffff;
        self.write32(COMMAND, command & !u32::from(COMMAND_MEMORY));
        let high = if wide { self.read32(off + 4) } else { 0 };
        self.write32(off, u32::MAX);
        let sized = self.read32(off);
        let mut mask = u64::from(sized & !0xf);
        self.write32(off, low);
        if wide {
            self.write32(off + 4, u32::MAX);
            mask |= u64::from(self.read32(off + 4)) << 32;
            self.write32(off + 4, high);
        } else {
            mask |= 0xffff_ffff_0000_0000;
        }
        self.write32(COMMAND, command);
        if sized & !0xf == 0 && (!wide || mask == 0) {
            return Err(Error::ENXIO);
        }
        let base = u64::from(low & !0xf) | u64::from(high) << 32;
        Ok(Bar { base, size: (!mask).wrapping_add(1), wide, prefetch: low & 8 != 0 })
    }

    /// Gives BAR `i` a place.
    pub(crate) fn set_bar(&self, i: u8, wide: bool, base: u64) {
        let off = BAR0 + 4 * u16::from(i);
        self.write32(off, base as u32);
        if wide {
            self.write32(off + 4, (base >> 32) as u32);
        }
    }

    /// Address and size of memory BAR `i`, read the first time and kept: a device that works is not disturbed, and one that changes its
    /// mind not heard. `ENXIO`: not assigned. `EINVAL`: it makes no sense. May sleep.
    pub fn bar(&self, i: u8) -> Result<(u64, u64)> {
        let fresh = Entry::new(Bars { bus: self.bus, is: [None; 6], regions: [None; 7] }, KERNEL)?;
        let mut bars = self.host.bars.lock();
        let here = bars.get_mut(usize::from(self.devfn)).ok_or(Error::EINVAL)?;
        if !here.iter().any(|b| b.bus == self.bus) {
            here.push_back(fresh);
        }
        let known = here.iter_mut().find(|b| b.bus == self.bus).and_then(|b| b.is.get_mut(usize::from(i))).ok_or(Error::EINVAL)?;
        *known.get_or_insert_with(|| {
            let b = self.size_bar(i)?;
            b.check().map(|()| (b.base, b.size))
        })
    }

    /// The interrupt line of its pin, which it may use from now on. Bridges on the way exchange pins.
    pub fn line(&self) -> Result<irq::Line> {
        let (mut pin, mut at) = (self.read8(PIN), *self);
        if !(1..=4).contains(&pin) {
            return Err(Error::ENXIO);
        }
        if let Ok(line) = self.pic_line() {
            return Ok(line);
        }
        let table = self.host.table.as_ref().ok_or(Error::ENXIO)?;
        while at.bus != self.host.first_bus {
            pin = (pin - 1 + (at.devfn >> 3)) % 4 + 1;
            at = self.host.bridge_to(at.bus).ok_or(Error::ENXIO)?;
        }
        let line = table.line(at.bus, at.devfn, pin)?;
        self.let_pin();
        Ok(line)
    }

    /// The one that firmware has wired it to, on a PC of 8259As.
    fn pic_line(&self) -> Result<irq::Line> {
        // SAFETY: any number may be asked for.
        let line = irq::Line::of(unsafe { bindings::rust_pci_pic_irq(self.read8(INTERRUPT_LINE)) })?;
        self.let_pin();
        Ok(line)
    }

    fn let_pin(&self) {
        let _guard = self.host.lock.lock();
        self.write32(COMMAND, self.read32(COMMAND) & 0xffff & !u32::from(COMMAND_INTX_OFF));
    }

    /// Maps `len` bytes at `off` of memory BAR `i`; they must lie in it.
    pub fn map_bar(&self, i: u8, off: u64, len: u64) -> Result<Mmio> {
        let (base, size) = self.bar(i)?;
        if len == 0 || off.checked_add(len).is_none_or(|end| end > size) || base.checked_add(size).is_none() {
            return Err(Error::EINVAL);
        }
        let map = Mmio::map(self.host.physical(base, size).ok_or(Error::ENXIO)? + off, len.min(1 << 20) as usize)?;
        #[cfg(lockdep)]
        let map = map.belongs_to(self.tag());
        Ok(map)
    }
}

impl Host {
    fn open(table: PciHost, next: Option<&'static Host>) -> Result<&'static Host> {
        let e = table.ecam;
        let map = Mmio::map(e.base, (usize::from(e.last_bus.saturating_sub(e.first_bus)) + 1) << 20)?;
        let mut windows = table.windows();
        let windows = KSlice::from_fn(table.windows().count(), KERNEL, |_| windows.next().unwrap_or_default())?;
        let access = Access::Window { map, first_bus: e.first_bus };
        let lock = SpinLockIrq::new(());
        let (claimed, used) = (Functions::new(e.first_bus, e.last_bus)?, Functions::new(e.first_bus, e.last_bus)?);
        let bars = SpinLockIrq::new(KSlice::from_fn(256, KERNEL, |_| List::new())?);
        let (domain, first_bus, last_bus) = (next.map_or(0, |h| h.domain + 1), e.first_bus, e.last_bus);
        let host = Host { access, domain, first_bus, last_bus, table: Some(table), windows, next, lock, claimed, used, bars };
        let host: &Host = KBox::new(host, KERNEL)?.leak();
        if table.is_bare() {
            crate::pci_assign::assign(host, e.first_bus)?;
        }
        Ok(host)
    }

    fn by_ports(p: PciPorts) -> Result<&'static Host> {
        let (windows, lock) = (KSlice::from_fn(0, KERNEL, |_| PciWindow::default())?, SpinLockIrq::new(()));
        let (claimed, used) = (Functions::new(0, 255)?, Functions::new(0, 255)?);
        let bars = SpinLockIrq::new(KSlice::from_fn(256, KERNEL, |_| List::new())?);
        let access = Access::Ports(p);
        let host = Host { access, domain: 0, first_bus: 0, last_bus: 255, table: None, windows, next: None, lock, claimed, used, bars };
        Ok(KBox::new(host, KERNEL)?.leak())
    }
}

/// Opens what there is, each bridge linked to the next.
fn open_hosts() -> Result<Option<&'static Host>> {
    let mut first = None;
    for table in platform::pci_hosts() {
        match Host::open(table, first) {
            Ok(h) => first = Some(h),
            Err(e) => crate::pr_warn!("pci: host bridge at {:#x}: error {}\n", table.ecam.base, e.code()),
        }
    }
    match (first, platform::pci_port_config()) {
        (None, Some(p)) => Host::by_ports(p).map(Some),
        _ => Ok(first),
    }
}

/// The machine's host bridges, once they were asked for.
static HOSTS: SpinLockIrq<Option<&'static Host>> = SpinLockIrq::new(None);

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
    let known = *HOSTS.lock();
    let mut host = match known {
        Some(h) => Some(h),
        None => {
            let opened = open_hosts()?;
            let mut hosts = HOSTS.lock();
            *hosts = hosts.or(opened); // who was first: a function has one owner
            *hosts
        }
    };
    while let Some(h) = host {
        h.walk(&mut found);
        host = h.next;
    }
    Ok(())
}
