// SPDX-License-Identifier: MIT
//! Devices that no bus finds by itself, /sys/bus/platform, and Arm's cells that say who they are, /sys/bus/amba: those that the machine's
//! tables name, and the PC's, which nothing names. Names, aliases and events are Linux's (drivers/of/platform.c, device.c; drivers/acpi).
//!
//! Of a device tree each enabled node is a device that says what it is compatible with and stands below the root or a "simple-bus", but for
//! interrupt controllers and fixed clocks, which have no driver. Of ACPI those are devices whose names are known (`kernel::platform`).
//! All of them are there before the first driver, and stay.

mod shown;
mod test;

use core::fmt;
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Bus, Device, Driver, Facts};
use kernel::io::Ports;
use kernel::platform::{acpi_devices, children, FdtDevice};
use kernel::show::Dir;
use kernel::sync::Once;
use kernel::{pr_warn, Error, Result};

/// Where a device is known from.
#[derive(Clone, Copy)]
enum What {
    /// The tables.
    Table(FdtDevice),
    /// It is what a PC has.
    Named(&'static str),
}

/// What the bus knows of a device.
pub struct Known {
    what: What,
    // What the cell says that it is; of amba alone.
    cell: Option<u32>,
}

impl Known {
    /// Whether the tables say that it is compatible with `what`, and it is none that says who it is.
    pub fn is(&self, what: &str) -> bool {
        self.cell.is_none() && matches!(&self.what, What::Table(d) if d.is(what))
    }

    /// Whether it is the PC's device of that name.
    pub fn is_named(&self, name: &str) -> bool {
        matches!(self.what, What::Named(n) if n == name)
    }

    /// Whether it says that it is that part of Arm's, whatever its revision.
    pub fn is_cell(&self, part: u32) -> bool {
        const PART: u32 = 0xf_ffff;
        self.cell.is_some_and(|id| id & PART == part)
    }

    /// What the tables say of it. `ENODEV`: nothing.
    pub fn table(&self) -> Result<&FdtDevice> {
        match &self.what {
            What::Table(d) => Ok(d),
            What::Named(_) => Err(Error::ENODEV),
        }
    }

    fn is_bus(&self) -> bool {
        const KINDS: [&str; 4] = ["simple-bus", "simple-mfd", "isa", "arm,amba-bus"];
        KINDS.iter().any(|k| self.is(k))
    }
}

/// Its name.
impl fmt::Display for Known {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown::name(&self.what, out)
    }
}

impl Facts for Known {
    const OVERRIDES: bool = true;

    fn lines(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        shown::lines(self, out)
    }
}

/// A driver that stays with its device.
pub struct Stays;

impl Bound for Stays {
    fn remove(&mut self, _gone: bool) {}
}

static PLATFORM: Once<Bus<Known>> = Once::new();
static AMBA: Once<Bus<Known>> = Once::new();

/// What a cell's last registers say (Arm's component identification, PrimeCell); `None`: it is none.
fn cell_of(d: &FdtDevice) -> Option<u32> {
    const IDENTITY: usize = 0x20; // from the end: four bytes who it is, four of what kind, each in a word
    const PRIMECELL: u32 = 0xb105_f00d;
    if let Some(id) = d.number(c"arm,primecell-periphid") {
        return u32::try_from(id).ok();
    }
    let regs = d.map().ok()?;
    let at = regs.len().checked_sub(IDENTITY)?;
    let word =
        |from: usize| (0..4).fold(0, |w, i| w | (regs.read32(at + from + 4 * i) & 0xff) << (8 * i));
    (word(16) == PRIMECELL).then(|| word(0))
}

fn put(bus: &Bus<Known>, above: Option<&Device<Known>>, known: Known) -> Result {
    let mut text = kernel::print::Line::new();
    let _ = fmt::Write::write_fmt(&mut text, format_args!("{known}"));
    let name = format_args!("{}", text.as_str());
    let added = match above {
        Some(above) => bus.make(above, name, known)?,
        None => bus.make(&Dir::sys(c"devices/platform")?, name, known)?,
    };
    shown::fill(&added)?;
    added.stay()
}

/// Makes a device of what the tables name.
fn bring(bus: &Bus<Known>, above: Option<&Device<Known>>, d: FdtDevice) -> Result {
    let what = What::Table(d);
    if d.is("arm,primecell") {
        let cell = Some(cell_of(&d).ok_or(Error::ENODEV)?);
        return put(AMBA.get().ok_or(Error::ENODEV)?, above, Known { what, cell });
    }
    if d.property(c"interrupt-controller").is_some() || d.is("fixed-clock") {
        return Ok(());
    }
    put(bus, above, Known { what, cell: None })
}

fn bring_all(
    bus: &Bus<Known>,
    above: Option<&Device<Known>>,
    all: impl Iterator<Item = FdtDevice>,
) {
    for d in all {
        if let Err(e) = bring(bus, above, d) {
            pr_warn!("platform: {}: error {}\n", d.name(), e.code());
        }
    }
}

fn populate(bus: &Bus<Known>) -> Result {
    for (name, there) in
        [("serial8250", Ports::legacy_uart(0).is_some()), ("rtc_cmos", Ports::cmos_rtc().is_some())]
    {
        if there {
            put(bus, None, Known { what: What::Named(name), cell: None })?;
        }
    }
    bring_all(bus, None, acpi_devices());
    bring_all(bus, None, children(None));
    // What stands below a bus comes behind it, so that the walk comes to it too.
    let mut at = 0;
    while let Some(d) = bus.next(&mut at) {
        if let (What::Table(t), true) = (&d.facts().what, d.facts().is_bus()) {
            bring_all(bus, Some(&d), children(Some(t)));
        }
    }
    Ok(())
}

/// The platform's bus with all its devices, which the first driver that asks brings.
fn bus() -> Result<&'static Bus<Known>> {
    if let Some(bus) = PLATFORM.get() {
        return Ok(bus);
    }
    let amba = KBox::new(Bus::new(c"amba", c"amba device")?, KERNEL)?.leak();
    let bus: &'static Bus<Known> =
        KBox::new(Bus::new(c"platform", c"platform device")?, KERNEL)?.leak();
    AMBA.set(amba)?;
    PLATFORM.set(bus)?;
    populate(bus)?;
    Ok(bus)
}

/// Registers a driver of devices that the tables or nobody names. At boot.
pub fn drive(driver: &'static Driver<Known>) -> Result {
    bus()?.drive(driver).map(drop)
}

/// Registers a driver of cells that say who they are. At boot.
pub fn drive_cells(driver: &'static Driver<Known>) -> Result {
    bus()?;
    AMBA.get().ok_or(Error::ENODEV)?.drive(driver).map(drop)
}
