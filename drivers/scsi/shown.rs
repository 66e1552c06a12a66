// SPDX-License-Identifier: MIT
//! Hosts and units in /sys: hostN below the device that carries it, with targets and units below, by the names and in the forms of Linux.

use super::core::{Address, Found};
use super::inquiry::{Inquiry, DISK};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::alloc::Arc;
use kernel::show::{Dir, Event};
use kernel::Result;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A host's directory. Dropped, it goes with all below it.
pub struct Shown {
    number: u32,
    dir: Dir,
}

/// A unit's directory. Dropped, it goes with all below it.
pub struct Unit {
    name: (u32, Address),
    dir: Dir,
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("")
}

impl Shown {
    /// The next host, below `carrier`.
    pub fn new(carrier: &Dir) -> Result<Shown> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Shown { number, dir: carrier.dir(format_args!("host{number}"))? })
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// A unit of it.
    pub fn unit(&self, f: &Found) -> Result<Unit> {
        let (n, at) = (self.number, f.at);
        let target = self.dir.dir(format_args!("target{n}:0:{}", at.target))?;
        let dir = target.dir(format_args!("{n}:0:{}:{}", at.target, at.lun))?;
        let unit = Unit { name: (n, at), dir };
        unit.fill(f.inquiry)?;
        unit.dir.tell(Event::Add);
        Ok(unit)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.dir.clone().remove();
    }
}

impl Unit {
    fn fill(&self, i: Inquiry) -> Result {
        let (dir, i) = (&self.dir, Arc::new(i)?);
        dir.attr(c"vendor", i.clone(), |i, out| writeln!(out, "{}", text(&i.vendor)), None)?;
        dir.attr(c"model", i.clone(), |i, out| writeln!(out, "{}", text(&i.product)), None)?;
        dir.attr(c"rev", i.clone(), |i, out| writeln!(out, "{}", text(&i.revision)), None)?;
        dir.attr(c"type", i.clone(), |i, out| writeln!(out, "{}", i.kind), None)?;
        // Versions from 2 on are counted from 3 on.
        dir.attr(
            c"scsi_level",
            i.clone(),
            |i, out| writeln!(out, "{}", i.version + u8::from(i.version >= 2)),
            None,
        )?;
        dir.attr(c"modalias", i.clone(), |i, out| writeln!(out, "scsi:t-0x{:02x}", i.kind), None)?;
        dir.uevent(i.clone(), |i, out| {
            writeln!(out, "DEVTYPE=scsi_device")?;
            if i.kind == DISK {
                writeln!(out, "DRIVER=sd")?;
            }
            writeln!(out, "MODALIAS=scsi:t-0x{:02x}", i.kind)
        })?;
        dir.link_to(format_args!("subsystem"), &Dir::sys(c"bus/scsi")?)?;
        Dir::sys(c"bus/scsi/devices")?.link_back(dir)?;
        if i.kind == DISK {
            let sd = Dir::sys(c"bus/scsi/drivers/sd")?;
            dir.link_to(format_args!("driver"), &sd)?;
            sd.link_back(dir)?;
        }
        Ok(())
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let (n, at) = self.name;
        self.dir.tell(Event::Remove);
        for place in [c"bus/scsi/devices", c"bus/scsi/drivers/sd"] {
            _ = Dir::sys(place).map(|d| d.unlink(format_args!("{n}:0:{}:{}", at.target, at.lun)));
        }
        self.dir.clone().remove();
    }
}
