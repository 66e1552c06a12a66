// SPDX-License-Identifier: MIT
//! PCI functions in /sys: /sys/devices/pciDDDD:BB, with functions below the bridges that lead to them, and /sys/bus/pci, by the names and in
//! the forms of Linux (sysfs-bus-pci; pciutils and udev read them).

use super::Known;
use core::fmt::{self, Write};
use kernel::alloc::Arc;
use kernel::device::Device;
use kernel::pci::Function;
use kernel::pci_region::{Kind, Region};
use kernel::show::Dir;
use kernel::user::{capable, Capability};
use kernel::{Error, Result};

const REVISION: u16 = 0x08;
const SUBSYSTEM: u16 = 0x2c;
const LINE: u16 = 0x3c;
const PIN: u16 = 0x3d;
// Bytes of the configuration that any user may read: reading further registers has side effects on some devices.
const HEADER_LEN: usize = 64;

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
fn board(f: &Function) -> (u16, u16) {
    let both = if f.nr_bars() == 6 { f.read32(SUBSYSTEM) } else { 0 };
    (both as u16, (both >> 16) as u16)
}

/// What is known of a function that has no driver.
pub fn know(f: Function) -> Known {
    let mut wide = false;
    let regions = core::array::from_fn(|i| {
        let r = if core::mem::take(&mut wide) { None } else { f.region(i as u8) };
        wide = matches!(r, Some(Region { kind: Kind::Memory { wide: true, .. }, .. }));
        r
    });
    Known { f, board: board(&f), regions, is_port: f.has_slot() }
}

fn alias(k: &Known, out: &mut dyn Write) -> fmt::Result {
    let (f, (bv, bd), c) = (&k.f, k.board, k.f.class);
    write!(out, "pci:v{:08X}d{:08X}sv{bv:08X}sd{bd:08X}", f.vendor, f.device)?;
    writeln!(out, "bc{:02X}sc{:02X}i{:02X}", c >> 16, c >> 8 & 0xff, c & 0xff)
}

fn resource(d: &Device<Known>, out: &mut dyn Write) -> fmt::Result {
    for r in &d.facts().regions {
        let (first, last, flags) =
            r.map_or((0, 0, 0), |r| (r.base, r.base + (r.size - 1), flags(r.kind)));
        writeln!(out, "0x{first:016x} 0x{last:016x} 0x{flags:016x}")?;
    }
    Ok(())
}

/// The lines of a function's events.
pub fn lines(k: &Known, out: &mut dyn Write) -> fmt::Result {
    let (f, (bv, bd)) = (&k.f, k.board);
    writeln!(out, "PCI_CLASS={:04X}\nPCI_ID={:04X}:{:04X}", f.class, f.vendor, f.device)?;
    write!(out, "PCI_SUBSYS_ID={bv:04X}:{bd:04X}\nPCI_SLOT_NAME={}\nMODALIAS=", Name(*f))?;
    alias(k, out)
}

/// Configuration space: all of it if the file's opener had CAP_SYS_ADMIN, else the header.
fn config(d: &Device<Known>, to: &mut [u8]) -> usize {
    let f = &d.facts().f;
    let all = if capable(Capability::SysAdmin) { f.config_len().into() } else { HEADER_LEN };
    for (i, word) in to.chunks_mut(4).take(all / 4).enumerate() {
        word.iter_mut().zip(f.read32(4 * i as u16).to_le_bytes()).for_each(|(to, b)| *to = b);
    }
    all.min(to.len())
}

/// The directory of the function's host bridge.
pub fn root(f: &Function) -> Result<Dir> {
    Dir::sys(c"devices")?.dir(format_args!("pci{:04x}:{:02x}", f.domain(), f.root_bus()))
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

/// The files of a function that is not on its bus yet.
pub fn fill(d: &Device<Known>) -> Result {
    let (dir, d) = (d.dir(), Arc::new(d.clone())?);
    let attr = |name, show| dir.attr(name, d.clone(), show, None);
    attr(c"vendor", |d, out| writeln!(out, "0x{:04x}", d.facts().f.vendor))?;
    attr(c"device", |d, out| writeln!(out, "0x{:04x}", d.facts().f.device))?;
    attr(c"class", |d, out| writeln!(out, "0x{:06x}", d.facts().f.class))?;
    attr(c"revision", |d, out| writeln!(out, "0x{:02x}", d.facts().f.read8(REVISION)))?;
    attr(c"subsystem_vendor", |d, out| writeln!(out, "0x{:04x}", d.facts().board.0))?;
    attr(c"subsystem_device", |d, out| writeln!(out, "0x{:04x}", d.facts().board.1))?;
    attr(c"irq", |d, out| {
        let f = &d.facts().f;
        writeln!(out, "{}", if f.read8(PIN) == 0 { 0 } else { f.read8(LINE) })
    })?;
    attr(c"modalias", |d, out| alias(d.facts(), out))?;
    attr(c"resource", resource)?;
    dir.command(c"remove", 0o220, d.clone(), super::remove)?;
    dir.command(c"rescan", 0o200, d.clone(), |_, text| super::rescan(text))?;
    dir.bytes(c"config", d, config)
}

fn numbers(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kernel::kt_eq!((number("0"), number("1"), number("+1")), (Ok(0), Ok(1), Ok(1)));
    kernel::kt_eq!((number("0x1F"), number("017"), number("00")), (Ok(31), Ok(15), Ok(0)));
    for bad in ["", "x", "1x", "-1", "0x", "08", "1 ", " 1", "++1"] {
        kernel::kt_eq!((bad, number(bad)), (bad, Err(Error::EINVAL)));
    }
    kernel::kt_eq!(number("18446744073709551615"), Ok(u64::MAX));
    kernel::kt_eq!(number("18446744073709551616"), Err(Error::EINVAL));
    Ok(())
}

kernel::ktest!(pci_numbers, numbers);
