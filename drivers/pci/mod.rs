// SPDX-License-Identifier: MIT
//! Brings PCI functions to their drivers, in bus order, and takes them away again: what was attached stands in a table by host bridge, bus
//! and function (`table.rs`), under a mutex that a whole change holds (`BUS`). A change begins with the boot, with a write to
//! /sys/bus/pci/rescan, to `remove` and `rescan` of a function, to `bind` and `unbind` of a driver, or with a card that comes to a slot or
//! leaves it (`slot.rs`, `plug.rs`).

mod plug;
mod shown;
mod slot;
mod table;
mod test;

use kernel::alloc::{KBox, KERNEL};
use kernel::pci::{self, Function};
use kernel::pci_room::give_room;
use kernel::show::{Dir, Event};
use kernel::sync::{Mutex, Once};
use kernel::{pr_err, pr_info, pr_warn, Error, Result};
use shown::Shown;
use table::Table;

/// A function with its driver.
pub trait Bound: Send + Sync {
    /// Takes the driver away, whoever uses it; `gone`: the function is not there any more. Afterwards it does nothing. Sleeps.
    /// `EIO`: it does not obey, and what it has of our memory is lost.
    fn remove(&mut self, gone: bool) -> Result;
    /// The slot that it drives.
    fn port(&mut self) -> Option<&mut slot::Port> {
        None
    }
}

struct Driver {
    name: &'static str,
    matches: fn(&Function) -> bool,
    attach: fn(Function, &Dir) -> Result<KBox<dyn Bound>>,
}

/// What answers for which function.
static DRIVERS: [Driver; 2] = [
    Driver {
        name: "virtio-pci",
        matches: super::virtio::pci::matches,
        attach: super::virtio::pci::attach,
    },
    Driver { name: "pcieport", matches: slot::matches, attach: slot::attach },
];

/// A function that /sys shows.
struct Attached {
    f: Function,
    // The buses behind it, if it is a bridge.
    behind: Option<(u8, u8)>,
    driver: Option<KBox<dyn Bound>>,
    shown: Shown,
}

/// All functions. Locked for the whole of each change.
static BUS: Once<Mutex<Table<Attached>>> = Once::new();

impl Attached {
    fn bind(&mut self, driver: &Driver) -> Result {
        let f = &self.f;
        let (dev, fun) = (f.devfn >> 3, f.devfn & 7);
        pr_info!(
            "pci: {:02x}:{dev:02x}.{fun} {:04x}:{:04x}: {}\n",
            f.bus,
            f.vendor,
            f.device,
            driver.name
        );
        self.driver = Some((driver.attach)(*f, self.shown.dir())?);
        self.shown.driven(driver.name)
    }

    fn port(&mut self) -> Option<&mut slot::Port> {
        self.driver.as_mut()?.port()
    }

    fn unbind(&mut self, gone: bool) {
        let Some(mut driver) = self.driver.take() else { return };
        if driver.remove(gone).is_err() {
            pr_err!(
                "pci: {}: it does not obey: what it has of our memory is lost\n",
                shown::Name(self.f)
            );
        }
        drop(driver);
        self.shown.left();
    }
}

/// Shows the function, which was not there before, and gives it its driver.
fn bring(table: &mut Table<Attached>, f: Function) -> Result {
    let driver = DRIVERS.iter().find(|d| (d.matches)(&f));
    let behind = f.secondary().zip(f.last_behind());
    let shown = Shown::new(f, driver.map(|d| d.name))?;
    let a = KBox::new(Attached { f, behind, driver: None, shown }, KERNEL)?;
    let a = table.put(f.domain(), f.bus, f.devfn, a)?;
    a.shown.dir().tell(Event::Add);
    driver.map_or(Ok(()), |d| a.bind(d))
}

/// Brings the functions that `wanted` says yes to and that are not there yet.
fn bring_new(table: &mut Table<Attached>, wanted: impl Fn(&Function) -> bool) -> Result {
    pci::for_each(|f| {
        if !wanted(&f) || table.get(f.domain(), f.bus, f.devfn).is_some() {
            return;
        }
        if let Err(e) = bring(table, f) {
            pr_warn!("pci: {}: error {}\n", shown::Name(f), e.code());
        }
    })
}

/// Removes the function and, before it, every function behind it.
fn take(table: &mut Table<Attached>, domain: u16, bus: u8, devfn: u8, gone: bool) -> Result {
    let a = table.get(domain, bus, devfn).ok_or(Error::ENODEV)?;
    if let Some(buses) = a.behind {
        drop_behind(table, domain, buses, gone);
    }
    drop_one(table, domain, bus, devfn, gone);
    Ok(())
}

/// Removes every function on those buses. Buses further down have higher numbers: from the bottom up.
fn drop_behind(table: &mut Table<Attached>, domain: u16, (first, last): (u8, u8), gone: bool) {
    for bus in (first..=last).rev() {
        for devfn in 0..=u8::MAX {
            drop_one(table, domain, bus, devfn, gone);
        }
    }
}

fn drop_one(table: &mut Table<Attached>, domain: u16, bus: u8, devfn: u8, gone: bool) {
    let Some(mut a) = table.take(domain, bus, devfn) else { return };
    let f = a.f;
    a.unbind(gone || !f.is_present());
    drop(a);
    f.forget();
    pr_info!("pci: {}: removed\n", shown::Name(f));
}

/// The function of that name, as `Name` writes it.
fn named<'a>(table: &'a mut Table<Attached>, name: &str) -> Result<&'a mut Attached> {
    let (domain, rest) = name.split_once(':').ok_or(Error::ENODEV)?;
    let (bus, rest) = rest.split_once(':').ok_or(Error::ENODEV)?;
    let (dev, fun) = rest.split_once('.').ok_or(Error::ENODEV)?;
    let number = |s, len| shown::hex(s, len).ok_or(Error::ENODEV);
    let (dev, fun) = (number(dev, 2)?, number(fun, 1)?);
    if dev > 31 || fun > 7 {
        return Err(Error::ENODEV);
    }
    table
        .get(number(domain, 4)?, number(bus, 2)? as u8, (dev << 3 | fun) as u8)
        .ok_or(Error::ENODEV)
}

/// A write to `remove` of a function.
fn remove(f: &Function, text: &str) -> Result {
    if shown::number(text)? != 0 {
        let mut table = BUS.get().ok_or(Error::ENODEV)?.lock();
        take(&mut table, f.domain(), f.bus, f.devfn, false)?;
    }
    Ok(())
}

/// A write to a file `rescan`.
fn rescan(text: &str) -> Result {
    if shown::number(text)? != 0 {
        let mut table = BUS.get().ok_or(Error::ENODEV)?.lock();
        give_room()?;
        bring_new(&mut table, |_| true)?;
    }
    Ok(())
}

fn unbind(driver: &Driver, text: &str) -> Result {
    let mut table = BUS.get().ok_or(Error::ENODEV)?.lock();
    let a = named(&mut table, text)?;
    if a.driver.is_none() || a.shown.driver() != Some(driver.name) {
        return Err(Error::ENODEV);
    }
    a.unbind(false);
    Ok(())
}

fn bind(driver: &Driver, text: &str) -> Result {
    let mut table = BUS.get().ok_or(Error::ENODEV)?.lock();
    let a = named(&mut table, text)?;
    match a.shown.driver() {
        Some(name) if name == driver.name => {}
        _ => return Err(Error::ENODEV),
    }
    if a.driver.is_some() {
        return Err(Error::EBUSY);
    }
    a.bind(driver)
}

fn init() -> Result {
    BUS.set(KBox::new(Mutex::new(c"pci bus", Table::new())?, KERNEL)?.leak())?;
    slot::init()?;
    Dir::sys(c"bus/pci")?.command(c"rescan", 0o200, &(), |(), text| rescan(text))?;
    for d in &DRIVERS {
        let dir = Dir::sys(c"bus/pci/drivers")?.dir(format_args!("{}", d.name))?;
        dir.command(c"bind", 0o200, d, bind)?;
        dir.command(c"unbind", 0o200, d, unbind)?;
    }
    bring_new(&mut BUS.get().ok_or(Error::ENODEV)?.lock(), |_| true)
}

kernel::device_init!(pci, init);
