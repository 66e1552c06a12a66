// SPDX-License-Identifier: MIT
//! PCI functions in /sys: /sys/devices/pciDDDD:BB, with functions below the bridges that lead to them, and /sys/bus/pci, by the names and in
//! the forms of Linux (sysfs-bus-pci; pciutils and udev read them).

use core::fmt::{self, Write};
use kernel::alloc::Arc;
use kernel::pci::Function;
use kernel::pci_region::{Kind, Region};
use kernel::show::{Dir, Event};
use kernel::user::{capable, Capability};
use kernel::{Error, Result};

const REVISION: u16 = 0x08;
const SUBSYSTEM: u16 = 0x2c;
const LINE: u16 = 0x3c;
const PIN: u16 = 0x3d;
// Bytes of the configuration that any user may read: reading further registers has side effects on some devices.
const HEADER_LEN: usize = 64;

/// A function and its addresses, which are asked for before it has a driver.
struct Values {
    f: Function,
    regions: [Option<Region>; 7],
    driver: Option<&'static str>,
    dir: Dir,
}

/// A function's name.
pub struct Name(pub Function);

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &self.0;
        write!(out, "{:04x}:{:02x}:{:02x}.{}", f.domain(), f.bus, f.devfn >> 3, f.devfn & 7)
    }
}

/// The flags that programs know from Linux's `linux/ioport.h`.
fn flags(k: Kind) -> u32 {
    const SIZE_IS_ALIGNMENT: u32 = 0x40000;
    SIZE_IS_ALIGNMENT
        | match k {
            Kind::Ports => 0x101,
            Kind::Rom => 0x6200,
            Kind::Memory { wide, prefetch } => {
                0x200 | if prefetch { 0x2008 } else { 0 } | if wide { 0x10_0004 } else { 0 }
            }
        }
}

/// Vendor and device of the board; zeros of a bridge, which has none there.
fn subsystem(f: &Function) -> (u32, u32) {
    let both = if f.nr_bars() == 6 { f.read32(SUBSYSTEM) } else { 0 };
    (both & 0xffff, both >> 16)
}

fn alias(f: &Function, out: &mut dyn Write) -> fmt::Result {
    let ((sv, sd), c) = (subsystem(f), f.class);
    write!(out, "pci:v{:08X}d{:08X}sv{sv:08X}sd{sd:08X}", f.vendor, f.device)?;
    writeln!(out, "bc{:02X}sc{:02X}i{:02X}", c >> 16, c >> 8 & 0xff, c & 0xff)
}

fn resource(s: &Values, out: &mut dyn Write) -> fmt::Result {
    for r in &s.regions {
        let (first, last, flags) =
            r.map_or((0, 0, 0), |r| (r.base, r.base + (r.size - 1), flags(r.kind)));
        writeln!(out, "0x{first:016x} 0x{last:016x} 0x{flags:016x}")?;
    }
    Ok(())
}

fn uevent(s: &Values, out: &mut dyn Write) -> fmt::Result {
    let (f, (sv, sd)) = (&s.f, subsystem(&s.f));
    if let Some(driver) = s.driver.filter(|_| s.dir.has(c"driver")) {
        writeln!(out, "DRIVER={driver}")?;
    }
    writeln!(out, "PCI_CLASS={:04X}\nPCI_ID={:04X}:{:04X}", f.class, f.vendor, f.device)?;
    write!(out, "PCI_SUBSYS_ID={sv:04X}:{sd:04X}\nPCI_SLOT_NAME={}\nMODALIAS=", Name(*f))?;
    alias(f, out)
}

/// Configuration space: all of it with CAP_SYS_ADMIN, else the header.
fn config(s: &Values, to: &mut [u8]) -> usize {
    let all = if capable(Capability::SysAdmin) { s.f.config_len().into() } else { HEADER_LEN };
    for (i, word) in to.chunks_mut(4).take(all / 4).enumerate() {
        word.iter_mut().zip(s.f.read32(4 * i as u16).to_le_bytes()).for_each(|(to, b)| *to = b);
    }
    all.min(to.len())
}

/// Where the function's directory is to be.
fn place(f: &Function) -> Result<Dir> {
    let Some(bridge) = f.above() else {
        return Dir::sys(c"devices")?.dir(format_args!(
            "pci{:04x}:{:02x}",
            f.domain(),
            f.root_bus()
        ));
    };
    place(&bridge)?.dir(format_args!("{}", Name(bridge)))
}

/// A number as programs write it for the kernel: decimal, octal after a 0, hexadecimal after 0x. `EINVAL`: it is none, or too large.
pub fn number(text: &str) -> Result<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(rest) => (rest, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    let mut value = Some(0u64);
    for c in digits.chars() {
        let digit = c.to_digit(radix).ok_or(Error::EINVAL)?;
        value = value
            .and_then(|v| v.checked_mul(radix.into()))
            .and_then(|v| v.checked_add(digit.into()));
    }
    if digits.is_empty() {
        return Err(Error::EINVAL);
    }
    value.ok_or(Error::EINVAL)
}

/// The number of LEN hexadecimal digits.
pub fn hex(text: &str, len: usize) -> Option<u16> {
    let digits = text.len() == len && text.bytes().all(|b| b.is_ascii_hexdigit());
    u16::from_str_radix(text, 16).ok().filter(|_| digits)
}

/// A function's directory, with the links to it. Dropped, all of that goes.
pub struct Shown {
    f: Function,
    driver: Option<&'static str>,
    dir: Dir,
}

impl Shown {
    /// Called before `driver` is attached, as sizing the regions disables them for a moment.
    pub fn new(f: Function, driver: Option<&'static str>) -> Result<Shown> {
        let shown = Shown { f, driver, dir: place(&f)?.dir(format_args!("{}", Name(f)))? };
        shown.fill()?;
        Ok(shown)
    }

    fn values(&self) -> Result<Arc<Values>> {
        let mut wide = false;
        let regions = core::array::from_fn(|i| {
            let r = if core::mem::take(&mut wide) { None } else { self.f.region(i as u8) };
            wide = matches!(r, Some(Region { kind: Kind::Memory { wide: true, .. }, .. }));
            r
        });
        Arc::new(Values { f: self.f, regions, driver: self.driver, dir: self.dir.clone() })
    }

    fn fill(&self) -> Result {
        let (s, dir) = (self.values()?, &self.dir);
        let attr = |name, show| dir.attr(name, s.clone(), show, None);
        attr(c"vendor", |s, out| writeln!(out, "0x{:04x}", s.f.vendor))?;
        attr(c"device", |s, out| writeln!(out, "0x{:04x}", s.f.device))?;
        attr(c"class", |s, out| writeln!(out, "0x{:06x}", s.f.class))?;
        attr(c"revision", |s, out| writeln!(out, "0x{:02x}", s.f.read8(REVISION)))?;
        attr(c"subsystem_vendor", |s, out| writeln!(out, "0x{:04x}", subsystem(&s.f).0))?;
        attr(c"subsystem_device", |s, out| writeln!(out, "0x{:04x}", subsystem(&s.f).1))?;
        attr(c"irq", |s, out| {
            writeln!(out, "{}", if s.f.read8(PIN) == 0 { 0 } else { s.f.read8(LINE) })
        })?;
        attr(c"modalias", |s, out| alias(&s.f, out))?;
        attr(c"resource", resource)?;
        dir.uevent(s.clone(), uevent)?;
        dir.command(c"remove", 0o220, s.clone(), |s, text| super::remove(&s.f, text))?;
        dir.command(c"rescan", 0o200, s.clone(), |_, text| super::rescan(text))?;
        dir.bytes(c"config", s.clone(), config)?;
        dir.link_to(format_args!("subsystem"), &Dir::sys(c"bus/pci")?)?;
        Dir::sys(c"bus/pci/devices")?.link_back(dir)
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The name of the driver that is for it.
    pub fn driver(&self) -> Option<&'static str> {
        self.driver
    }

    /// The function's driver, NAME, has it.
    pub fn driven(&self, name: &str) -> Result {
        let driver = Dir::sys(c"bus/pci/drivers")?.dir(format_args!("{name}"))?;
        self.dir.link_to(format_args!("driver"), &driver)?;
        driver.link_back(&self.dir)?;
        self.dir.tell(Event::Bind);
        Ok(())
    }

    /// It has none any more.
    pub fn left(&self) {
        if let Some(name) = self.driver.filter(|_| self.dir.has(c"driver")) {
            _ = self.dir.unlink(format_args!("driver"));
            _ = Dir::sys(c"bus/pci/drivers")
                .and_then(|d| d.dir(format_args!("{name}")))
                .map(|d| d.unlink(format_args!("{}", Name(self.f))));
            self.dir.tell(Event::Unbind);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.left();
        self.dir.tell(Event::Remove);
        _ = Dir::sys(c"bus/pci/devices").map(|d| d.unlink(format_args!("{}", Name(self.f))));
        self.dir.clone().remove();
    }
}

fn numbers(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kernel::kt_eq!((number("0"), number("1"), number("+1")), (Ok(0), Ok(1), Ok(1)));
    kernel::kt_eq!((number("0x1F"), number("017"), number("00")), (Ok(31), Ok(15), Ok(0)));
    for bad in ["", "x", "1x", "-1", "0x", "08", "1 ", " 1", "++1"] {
        kernel::kt_eq!((bad, number(bad)), (bad, Err(Error::EINVAL)));
    }
    kernel::kt_eq!(number("18446744073709551615"), Ok(u64::MAX));
    kernel::kt_eq!(number("18446744073709551616"), Err(Error::EINVAL));
    kernel::kt_eq!((hex("0a", 2), hex("a", 2), hex("+a", 2)), (Some(10), None, None));
    Ok(())
}

kernel::ktest!(pci_numbers, numbers);
