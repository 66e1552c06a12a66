// SPDX-License-Identifier: MIT
//! /sys/bus/scsi with its drivers' directories, and the classes of hosts, units and disks: they are there from the module's init to its exit, whether there are
//! hosts or not, as those of Linux's scsi_mod are. Hosts and units put their links in them (`shown.rs`), and have gone before them.
//!
//! Programs give units a driver and take it away by the files of the bus: `bind` and `unbind` of a driver, `drivers_probe`, `drivers_autoprobe`. A unit
//! is named as its directory is, HOST:0:TARGET:UNIT; hosts are listed by their numbers.

use super::core::Address;
use super::inquiry::{CD, DISK};
use super::shown::Control;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::show::Dir;
use kernel::sync::SpinLock;
use kernel::tree::{Entry, Map};
use kernel::{Error, Result};

/// Directories that come and go with the module: where, and by what name.
const PLACES: [(&core::ffi::CStr, &str); 5] = [
    (c"bus", "scsi"),
    (c"class", "scsi_host"),
    (c"class", "scsi_device"),
    (c"class", "scsi_disk"),
    (c"class", "scsi_generic"),
];

/// Has something done to units of a host.
type Owner = Arc<KBox<dyn Control>>;

static HOSTS: SpinLock<Map<u32, Owner>> = SpinLock::new(Map::new());
// New units get a driver by themselves.
static AUTOPROBE: AtomicBool = AtomicBool::new(true);

/// Whether new units get a driver by themselves.
pub fn autoprobe() -> bool {
    AUTOPROBE.load(Ordering::Relaxed)
}

/// A driver of the bus.
pub struct Driver {
    /// Its name.
    pub name: &'static str,
    /// Its directory.
    pub place: &'static core::ffi::CStr,
    /// The type of the units that it drives.
    pub kind: u8,
    /// Its units are in the class scsi_disk.
    pub disks: bool,
}

static DRIVERS: [Driver; 2] = [
    Driver { name: "sd", place: c"bus/scsi/drivers/sd", kind: DISK, disks: true },
    Driver { name: "sr", place: c"bus/scsi/drivers/sr", kind: CD, disks: false },
];

/// The driver of units of that type.
pub fn driver(kind: u8) -> Option<&'static Driver> {
    DRIVERS.iter().find(|d| d.kind == kind)
}

/// A host in the list; dropped, it is there no more.
pub struct Listed(u32);

impl Listed {
    /// Host `number`, which is in it once.
    pub fn new(number: u32, c: KBox<dyn Control>) -> Result<Listed> {
        let e = Entry::new(number, Arc::new(c)?, KERNEL)?;
        let there = HOSTS.lock().insert(e);
        if there.is_some() {
            return Err(Error::EEXIST);
        }
        Ok(Listed(number))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let gone = HOSTS.lock().remove(&self.0);
        drop(gone); // no lock is held
    }
}

/// Host and place that a unit's name means.
pub fn named(name: &str) -> Option<(u32, Address)> {
    let mut parts = name.split(':').map(|p| {
        // As it is written in the directory's name, and no other way.
        let whole = p == "0" || !p.starts_with(['0', '+']);
        p.parse::<u32>().ok().filter(|_| whole)
    });
    let mut next = || parts.next().flatten();
    let (host, channel, target, lun) = (next()?, next()?, next()?, next()?);
    if parts.next().is_some() || channel != 0 {
        return None;
    }
    Some((host, Address { target: target.try_into().ok()?, lun: lun.try_into().ok()? }))
}

/// The unit that `name` means, with what may be done to it. `ENODEV`: there is no such host.
fn unit(name: &str) -> Result<(Owner, Address)> {
    let (host, at) = named(name).ok_or(Error::ENODEV)?;
    let owner = HOSTS.lock().get(&host).cloned().ok_or(Error::ENODEV)?;
    Ok((owner, at))
}

fn files() -> Result {
    for d in &DRIVERS {
        let dir = Dir::sys(d.place)?;
        dir.command(c"bind", 0o200, d, |d, text| {
            let (owner, at) = unit(text)?;
            owner.bind(at, Some(d.kind))
        })?;
        dir.command(c"unbind", 0o200, d, |d, text| {
            let (owner, at) = unit(text)?;
            owner.unbind(at, d.kind)
        })?;
    }
    let bus = Dir::sys(c"bus/scsi")?;
    bus.command(c"drivers_probe", 0o200, &(), |(), text| {
        let (owner, at) = unit(text)?;
        owner.bind(at, None)
    })?;
    bus.attr(
        c"drivers_autoprobe",
        &AUTOPROBE,
        |on, out| writeln!(out, "{}", u8::from(on.load(Ordering::Relaxed))),
        Some(|on, text| {
            on.store(!text.starts_with('0'), Ordering::Relaxed);
            Ok(())
        }),
    )
}

/// The directories. Dropped, they go with all that is in them.
pub struct Bus([Option<Dir>; PLACES.len()]);

impl Bus {
    /// Before the first host. Sleeps.
    pub fn new() -> Result<Self> {
        let mut bus = Self([const { None }; PLACES.len()]);
        for ((above, name), place) in PLACES.iter().zip(&mut bus.0) {
            *place = Some(Dir::sys(above)?.dir(format_args!("{name}"))?);
        }
        Dir::sys(c"bus/scsi/devices")?;
        AUTOPROBE.store(true, Ordering::Relaxed);
        files()?;
        Ok(bus)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        for dir in self.0.iter_mut().filter_map(Option::take) {
            dir.remove();
        }
    }
}
