// SPDX-License-Identifier: MIT
//! PCI functions as devices of a bus (`kernel::device`), /sys/bus/pci: each below the bridge that
//! leads to it, with the driver that is for it (`ids.rs`).
//!
//! Which functions there are, and where, changes under one mutex (`CHANGES`): at boot, by writes to
//! /sys/bus/pci/rescan and to `remove` and `rescan` of a function, and as cards come to slots and
//! leave them (`slot.rs`, `plug.rs`). It stands above the lock of each function, which is that of
//! its driver's life; who binds and unbinds drivers takes the latter alone.

mod ids;
mod plug;
mod shown;
mod slot;
mod test;

use core::ffi::CStr;
use core::fmt;
use ids::{Id, Ids, Numbers};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::device::{Bus, Device, Driver, Facts};
use kernel::pci::{self, Function};
use kernel::pci_region::Region;
use kernel::pci_room::give_room;
use kernel::show::Dir;
use kernel::sync::{Mutex, Once};
use kernel::{pr_info, pr_warn, Error, Result};

/// What the bus knows of a function.
pub struct Known {
    /// It.
    pub f: Function,
    // Vendor and device of the board.
    board: (u16, u16),
    // Its addresses, which are asked for before it has a driver, since that disables them for a moment.
    regions: [Option<Region>; 7],
    is_port: bool,
}

impl Known {
    fn numbers(&self) -> Numbers {
        let Function { vendor, device, class, .. } = self.f;
        Numbers { vendor, device, board: self.board, class }
    }
}

impl Facts for Known {
    const OVERRIDES: bool = true;

    fn lines(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        shown::lines(self, out)
    }
}

static VIRTIO: Ids = Ids::new(&[Id { vendor: 0x1af4, ..Id::ALL }]);
static PORTS: Ids = Ids::new(&[Id { class: 0x060400, mask: 0xff_ffff, ..Id::ALL }]);

const fn driver(
    name: &'static CStr,
    matches: fn(&Known) -> bool,
    probe: fn(&Device<Known>) -> Result<KBox<dyn kernel::device::Bound>>,
) -> Driver<Known> {
    Driver { name, matches, probe, fixed: false }
}

/// The drivers, by their names in Linux, and what they are for.
static DRIVERS: [(Driver<Known>, &Ids); 2] = [
    (driver(c"virtio-pci", |k| VIRTIO.has(&k.numbers()), super::virtio::pci::probe), &VIRTIO),
    (driver(c"pcieport", |k| PORTS.has(&k.numbers()), slot::probe), &PORTS),
];

static BUS: Once<Bus<Known>> = Once::new();

/// Held for the whole of a change of what functions there are.
static CHANGES: Once<Mutex<()>> = Once::new();

fn bus() -> Result<&'static Bus<Known>> {
    BUS.get().ok_or(Error::ENODEV)
}

fn changes() -> Result<&'static Mutex<()>> {
    CHANGES.get().ok_or(Error::ENODEV)
}

/// A driver of that name takes the function.
pub fn taken(f: &Function, name: &str) {
    let (dev, fun) = (f.devfn >> 3, f.devfn & 7);
    pr_info!("pci: {:02x}:{dev:02x}.{fun} {:04x}:{:04x}: {name}\n", f.bus, f.vendor, f.device);
}

/// The function's device.
fn find(f: &Function) -> Option<Device<Known>> {
    kernel::show::named(format_args!("{}", shown::Name(*f)), |name| BUS.get()?.find(name)).ok()?
}

/// Puts a function that was not there on the bus, where it gets its driver.
fn bring(f: Function) -> Result {
    let known = shown::know(f);
    let name = format_args!("{}", shown::Name(f));
    let added = match f.above() {
        Some(bridge) => bus()?.make(&find(&bridge).ok_or(Error::ENODEV)?, name, known)?,
        None => bus()?.make(&shown::root(&f)?, name, known)?,
    };
    shown::fill(&added)?;
    added.stay()
}

/// Brings the functions that `wanted` says yes to and that are not there yet. With CHANGES.
fn bring_new(wanted: impl Fn(&Function) -> bool) -> Result {
    pci::for_each(|f| {
        if !wanted(&f) || find(&f).is_some() {
            return;
        }
        if let Err(e) = bring(f) {
            pr_warn!("pci: {}: error {}\n", shown::Name(f), e.code());
        }
    })
}

/// Removes every function behind the bridge, from the bottom up. With CHANGES.
fn drop_behind(bridge: &Device<Known>, gone: bool) {
    while let Some(d) = bridge.last_below() {
        drop_one(&d, gone);
    }
}

fn drop_one(d: &Device<Known>, gone: bool) {
    let f = d.facts().f;
    d.remove(gone || !f.is_present());
    f.forget();
    pr_info!("pci: {}: removed\n", shown::Name(f));
}

/// A write to `remove` of a function. `ENODEV`: it was removed meanwhile.
fn remove(d: &Device<Known>, text: &str) -> Result {
    if shown::number(text)? != 0 {
        let _changes = changes()?.lock();
        if !find(&d.facts().f).is_some_and(|now| now.is(d)) {
            return Err(Error::ENODEV);
        }
        drop_behind(d, false);
        drop_one(d, false);
    }
    Ok(())
}

/// A write to a file `rescan`.
fn rescan(text: &str) -> Result {
    if shown::number(text)? != 0 {
        let _changes = changes()?.lock();
        give_room()?;
        bring_new(|_| true)?;
    }
    Ok(())
}

fn drive(bus: &Bus<Known>, driver: &'static Driver<Known>, ids: &'static Ids) -> Result {
    ids.open()?;
    let registered = Arc::new(bus.drive(driver)?)?;
    let dir = registered.dir();
    let new_id = move |text: &str| {
        ids.add(text)?;
        registered.attach();
        Ok(())
    };
    dir.command(c"new_id", 0o200, Arc::new(KBox::new(new_id, KERNEL)?)?, |f, text| f(text))?;
    dir.command(c"remove_id", 0o200, ids, |ids, text| ids.remove(text))
}

fn init() -> Result {
    CHANGES.set(KBox::new(Mutex::new(c"pci bus", ())?, KERNEL)?.leak())?;
    BUS.set(KBox::new(Bus::new(c"pci", c"pci device")?, KERNEL)?.leak())?;
    slot::init()?;
    Dir::sys(c"bus/pci")?.command(c"rescan", 0o200, &(), |(), text| rescan(text))?;
    DRIVERS.iter().try_for_each(|(d, ids)| drive(bus()?, d, ids))?;
    let _changes = changes()?.lock();
    bring_new(|_| true)
}

kernel::device_init!(pci, init);
