// SPDX-License-Identifier: MIT
//! Hosts and units in /sys: hostN below the device that carries it, with targets and units below, by the names and in the forms of Linux. Each has
//! its link in /sys/bus/scsi/devices, and classes have directories of their own in it: scsi_host of a host, scsi_device of a unit, scsi_disk
//! of a disk; lsscsi(8) and lsblk -S read these.

use super::bus::{driver, Driver, Listed};
use super::core::{raw_page, Address, Found, Host};
use super::inquiry::{has_page, Inquiry};
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::show::{Dir, Event};
use kernel::{Error, Result};

// The major of generic devices.
const GENERIC: u32 = 21;
static NEXT: AtomicU32 = AtomicU32::new(0);

/// What programs may have done to units of a host. Each sleeps.
pub trait Control: Send + Sync {
    /// Takes one away.
    fn remove(&self, at: Address);
    /// Asks one again for what may change.
    fn look_again(&self, at: Address);
    /// Looks for units, of a target or of all, one of each or all. `EINVAL`: there can be none; `ENODEV`, `EIO`: the host goes, or is dead.
    fn scan(&self, target: Option<u64>, lun: Option<u64>) -> Result;
    /// A unit gets its driver, which drives units of type `kind`; `None`: it gets the one of its type, if it has none and there is one. `ENODEV`: there is
    /// no such unit, or it is of another type; `EBUSY`: it has a driver; others: the driver's.
    fn bind(&self, at: Address, kind: Option<u8>) -> Result;
    /// Takes a unit's driver away, whoever uses it. `ENODEV`: there is no such unit, or it has not the driver of that type.
    fn unbind(&self, at: Address, kind: u8) -> Result;
}

/// A unit with what may be done to it.
struct Handle(KBox<dyn Control>, Address);

/// A host with the same.
struct Hosts(KBox<dyn Control>);

/// What a host says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Its driver.
    pub driver: &'static str,
    /// Queues of requests.
    pub queues: u32,
    /// Requests of a unit at a time.
    pub depth: u32,
    /// Pieces of memory of a request.
    pub pieces: u32,
}

/// A host's directory. Dropped, it goes with all below it.
pub struct Shown {
    number: u32,
    facts: Facts,
    dir: Dir,
    // First in the list, then without files.
    listed: Option<Listed>,
}

/// A unit's directory. Dropped, it goes with all below it.
pub struct Unit {
    name: (u32, Address),
    dir: Dir,
    facts: Arc<Named>,
    // Those of units, and of disks.
    classes: [Option<Dir>; 2],
    // Its generic device: the number, and the directory.
    generic: Option<(u32, Dir)>,
}

/// What a unit is, and whether it has a driver.
struct Named {
    inquiry: Inquiry,
    bound: AtomicBool,
}

impl Named {
    fn driver(&self) -> Option<&'static Driver> {
        driver(self.inquiry.kind).filter(|_| self.bound.load(Ordering::Relaxed))
    }
}

/// A page of vital product data, with its header.
struct Page(KSlice<u8>);

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("")
}

fn fill(from: &[u8], to: &mut [u8]) -> usize {
    to.iter_mut().zip(from).map(|(to, b)| *to = *b).count()
}

/// `dir`/CLASS/NAME, of that class, for the device at `dir`.
fn class(
    dir: &Dir,
    class: &'static str,
    place: &'static core::ffi::CStr,
    name: fmt::Arguments<'_>,
) -> Result<Dir> {
    let of = dir.dir(format_args!("{class}"))?.dir(name)?;
    let all = Dir::sys(place)?;
    of.uevent(&(), |(), _| Ok(()))?;
    of.link_to(format_args!("device"), dir)?;
    of.link_to(format_args!("subsystem"), &all)?;
    all.link_back(&of)?;
    Ok(of)
}

/// A device of the bus that has no driver.
fn device(dir: &Dir, kind: &'static &'static str) -> Result {
    dir.uevent(kind, |kind, out| writeln!(out, "DEVTYPE={kind}"))?;
    dir.link_to(format_args!("subsystem"), &Dir::sys(c"bus/scsi")?)?;
    Dir::sys(c"bus/scsi/devices")?.link_back(dir)
}

fn unlink(place: &'static core::ffi::CStr, name: fmt::Arguments<'_>) {
    _ = Dir::sys(place).map(|d| d.unlink(name));
}

/// A number as C writes it, or `-`, which is any.
fn number(text: &str) -> Result<Option<u64>> {
    let parsed = match text {
        "-" => return Ok(None),
        _ => match (text.strip_prefix("0x").or(text.strip_prefix("0X")), text.strip_prefix('0')) {
            (Some(hex), _) => u64::from_str_radix(hex, 16),
            (_, Some(octal)) if !octal.is_empty() => u64::from_str_radix(octal, 8),
            _ => text.parse(),
        },
    };
    if text.starts_with('+') {
        Err(Error::EINVAL)
    } else {
        parsed.map(Some).map_err(|_| Error::EINVAL)
    }
}

/// Which units "CHANNEL TARGET UNIT" means: target and unit. There is one channel, 0. `EINVAL`: it means none.
pub fn which(text: &str) -> Result<(Option<u64>, Option<u64>)> {
    let mut parts = text.split_ascii_whitespace();
    let mut next = || parts.next().ok_or(Error::EINVAL).and_then(number);
    let (channel, target, lun) = (next()?, next()?, next()?);
    if parts.next().is_some() || channel.is_some_and(|c| c != 0) {
        return Err(Error::EINVAL);
    }
    Ok((target, lun))
}

impl Shown {
    /// The next host, below `carrier`.
    pub fn new(carrier: &Dir, facts: Facts) -> Result<Shown> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = carrier.dir(format_args!("host{number}"))?;
        let shown = Shown { number, facts, dir, listed: None };
        shown.fill()?;
        Ok(shown)
    }

    fn fill(&self) -> Result {
        device(&self.dir, &"scsi_host")?;
        let facts = Arc::new(self.facts)?;
        let of =
            class(&self.dir, "scsi_host", c"class/scsi_host", format_args!("host{}", self.number))?;
        of.attr(c"proc_name", facts.clone(), |f, out| writeln!(out, "{}", f.driver), None)?;
        of.attr(c"nr_hw_queues", facts.clone(), |f, out| writeln!(out, "{}", f.queues), None)?;
        of.attr(c"cmd_per_lun", facts.clone(), |f, out| writeln!(out, "{}", f.depth), None)?;
        of.attr(c"sg_tablesize", facts, |f, out| writeln!(out, "{}", f.pieces), None)?;
        of.attr(c"state", &(), |(), out| writeln!(out, "running"), None)?;
        for name in [c"active_mode", c"supported_mode"] {
            of.attr(name, &(), |(), out| writeln!(out, "Initiator"), None)?;
        }
        for name in [c"unique_id", c"prot_capabilities", c"prot_guard_type", c"sg_prot_tablesize"] {
            of.attr(name, &(), |(), out| writeln!(out, "0"), None)?;
        }
        self.dir.tell(Event::Add);
        of.tell(Event::Add);
        Ok(())
    }

    /// Programs may bind and unbind its units' drivers.
    pub fn list(&mut self, c: KBox<dyn Control>) -> Result {
        self.listed = Some(Listed::new(self.number, c)?);
        Ok(())
    }

    /// The files by which programs have something done.
    pub fn commands(&self, c: KBox<dyn Control>) -> Result {
        let name = format_args!("host{}", self.number);
        let of = self.dir.dir(format_args!("scsi_host"))?.dir(name)?;
        of.command(c"scan", 0o200, Arc::new(Hosts(c))?, |c, text| {
            let (target, lun) = which(text)?;
            c.0.scan(target, lun)
        })
    }

    /// A target goes, which has no units any more.
    pub fn forget_target(&self, target: u8) {
        let name = format_args!("target{}:0:{target}", self.number);
        if self.dir.holds(name)
            && let Ok(dir) = self.dir.dir(name)
        {
            dir.tell(Event::Remove);
            unlink(c"bus/scsi/devices", name);
            dir.remove();
        }
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// A unit of it, which is asked for more. Sleeps.
    pub fn unit(&self, host: &dyn Host, f: &Found, c: KBox<dyn Control>) -> Result<Unit> {
        let (n, at) = (self.number, f.at);
        let name = format_args!("target{n}:0:{}", at.target);
        let is_first = !self.dir.holds(name);
        let target = self.dir.dir(name)?;
        if is_first {
            device(&target, &"scsi_target")?;
            target.tell(Event::Add);
        }
        let dir = target.dir(format_args!("{n}:0:{}:{}", at.target, at.lun))?;
        let facts = Arc::new(Named { inquiry: f.inquiry, bound: AtomicBool::new(false) })?;
        let mut unit = Unit { name: (n, at), dir, facts, classes: [None, None], generic: None };
        unit.fill(f.inquiry)?;
        unit.more(self.facts, f)?;
        unit.pages(host, at)?;
        unit.commands(c)?;
        unit.dir.tell(Event::Add);
        let device = unit.class("scsi_device", c"class/scsi_device")?;
        unit.classes = [Some(device), None];
        Ok(unit)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let n = self.number;
        drop(self.listed.take());
        for target in 0..=u8::MAX {
            self.forget_target(target);
        }
        self.dir.tell(Event::Remove);
        unlink(c"class/scsi_host", format_args!("host{n}"));
        unlink(c"bus/scsi/devices", format_args!("host{n}"));
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
        dir.uevent(self.facts.clone(), |n, out| {
            writeln!(out, "DEVTYPE=scsi_device")?;
            if let Some(d) = n.driver() {
                writeln!(out, "DRIVER={}", d.name)?;
            }
            writeln!(out, "MODALIAS=scsi:t-0x{:02x}", n.inquiry.kind)
        })?;
        dir.link_to(format_args!("subsystem"), &Dir::sys(c"bus/scsi")?)?;
        Dir::sys(c"bus/scsi/devices")?.link_back(dir)
    }

    fn more(&self, facts: Facts, f: &Found) -> Result {
        let dir = &self.dir;
        dir.attr(c"state", &(), |(), out| writeln!(out, "running"), None)?;
        dir.attr(c"queue_type", &(), |(), out| writeln!(out, "simple"), None)?;
        dir.attr(c"queue_depth", Arc::new(facts.depth)?, |n, out| writeln!(out, "{n}"), None)?;
        dir.bytes(c"inquiry", Arc::new(f.raw)?, |r, to| fill(r.bytes(), to))
    }

    fn commands(&self, c: KBox<dyn Control>) -> Result {
        let handle = Arc::new(Handle(c, self.name.1))?;
        self.dir.command(c"delete", 0o200, handle.clone(), |h, _| {
            h.0.remove(h.1);
            Ok(())
        })?;
        self.dir.command(c"rescan", 0o200, handle, |h, _| {
            h.0.look_again(h.1);
            Ok(())
        })
    }

    /// Those pages of vital product data that it says it has. Sleeps.
    fn pages(&self, host: &dyn Host, at: Address) -> Result {
        let mut room = [0; 255];
        let Some(n) = raw_page(host, at, 0, &mut room) else { return Ok(()) };
        let supported = Page(KSlice::from_fn(n, KERNEL, |i| room.get(i).copied().unwrap_or(0))?);
        for (page, name) in [
            (0x80, c"vpd_pg80"),
            (0x83, c"vpd_pg83"),
            (0xb0, c"vpd_pgb0"),
            (0xb1, c"vpd_pgb1"),
            (0xb2, c"vpd_pgb2"),
        ] {
            if !has_page(supported.0.get(4..).unwrap_or(&[]), page) {
                continue;
            }
            if let Some(n) = raw_page(host, at, page, &mut room) {
                let p = KSlice::from_fn(n, KERNEL, |i| room.get(i).copied().unwrap_or(0))?;
                self.dir.bytes(name, Arc::new(Page(p))?, |p, to| fill(&p.0, to))?;
            }
        }
        self.dir.bytes(c"vpd_pg0", Arc::new(supported)?, |p, to| fill(&p.0, to))
    }

    fn class(&self, name: &'static str, place: &'static core::ffi::CStr) -> Result<Dir> {
        let (n, at) = self.name;
        let class = class(&self.dir, name, place, format_args!("{n}:0:{}:{}", at.target, at.lun))?;
        class.tell(Event::Add);
        Ok(class)
    }

    /// It has the generic device of that number.
    pub fn generic(&mut self, n: u32) -> Result {
        let dir = &self.dir;
        let of = dir.dir(format_args!("scsi_generic"))?.dir(format_args!("sg{n}"))?;
        self.generic = Some((n, of.clone()));
        let number = Arc::new(n)?;
        of.attr(c"dev", number.clone(), |n, out| writeln!(out, "{GENERIC}:{n}"), None)?;
        of.uevent(number, |n, out| writeln!(out, "MAJOR={GENERIC}\nMINOR={n}\nDEVNAME=sg{n}"))?;
        of.link_to(format_args!("device"), dir)?;
        let class = Dir::sys(c"class/scsi_generic")?;
        of.link_to(format_args!("subsystem"), &class)?;
        class.link_back(&of)?;
        Dir::sys(c"dev/char")?.link_to(format_args!("{GENERIC}:{n}"), &of)?;
        of.tell(Event::Add);
        dir.link_to(format_args!("generic"), &of)
    }

    /// It gets the driver of its type: that one's disk comes next.
    pub fn binds(&mut self) -> Result {
        let Some(d) = driver(self.facts.inquiry.kind) else { return Ok(()) };
        self.facts.bound.store(true, Ordering::Relaxed);
        let place = Dir::sys(d.place)?;
        self.dir.link_to(format_args!("driver"), &place)?;
        place.link_back(&self.dir)?;
        if d.disks {
            let of = self.class("scsi_disk", c"class/scsi_disk")?;
            let [_, disk] = &mut self.classes;
            *disk = Some(of);
        }
        Ok(())
    }

    /// Its disk is there.
    pub fn bound(&self) {
        self.dir.tell(Event::Bind);
    }

    /// Its disk is about to go.
    pub fn unbinds(&mut self) {
        let [_, disk] = &mut self.classes;
        if let Some(of) = disk.take() {
            let (n, at) = self.name;
            of.tell(Event::Remove);
            unlink(c"class/scsi_disk", format_args!("{n}:0:{}:{}", at.target, at.lun));
            drop(of);
            _ = self.dir.dir(format_args!("scsi_disk")).map(Dir::remove);
        }
    }

    /// It has no driver any more, whether it had a disk (`told`) or did not get one.
    pub fn unbound(&mut self, told: bool) {
        self.unbinds();
        let Some(d) = self.facts.driver() else { return };
        let (n, at) = self.name;
        self.facts.bound.store(false, Ordering::Relaxed);
        _ = self.dir.unlink(format_args!("driver"));
        unlink(d.place, format_args!("{n}:0:{}:{}", at.target, at.lun));
        if told {
            self.dir.tell(Event::Unbind);
        }
    }

    /// It is about to go, and before it its disk.
    pub fn leaves(&mut self) {
        if let Some((n, of)) = self.generic.take() {
            of.tell(Event::Remove);
            unlink(c"class/scsi_generic", format_args!("sg{n}"));
            unlink(c"dev/char", format_args!("{GENERIC}:{n}"));
            of.remove();
        }
        for class in self.classes.iter_mut().filter_map(Option::take) {
            class.tell(Event::Remove);
        }
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let (n, at) = self.name;
        let name = format_args!("{n}:0:{}:{}", at.target, at.lun);
        self.leaves();
        if let Some(d) = self.facts.driver() {
            self.dir.tell(Event::Unbind);
            unlink(d.place, name);
        }
        self.dir.tell(Event::Remove);
        for place in [c"bus/scsi/devices", c"class/scsi_device", c"class/scsi_disk"] {
            unlink(place, name);
        }
        self.dir.clone().remove();
    }
}
