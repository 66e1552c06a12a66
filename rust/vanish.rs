// SPDX-License-Identifier: MIT
//! Devices that are taken away without a word, in the debug build: from the n-th access on, reads of a device's registers, and of its
//! configuration space, give all ones, and writes go nowhere. `/sys/kernel/debug/rust/vanish` says of which device, and when:
//!
//! `pci 0000:00:03.0 17`, `mmio 0xfebf0000 17` (a mapping of that physical address), `port 0x70 17`: the 17th access is the first that fails;
//! 0: accesses are counted. An empty line: the device is there again. Read, the file says how many accesses there were, and `gone` or `there`.
//!
//! A function that has vanished reaches memory no more: the one that plays it is cut off the bus before the first access fails. One that comes
//! back is as that left it: who looks for it again (rescan) finds it, and its driver resets it.

use crate::pci::{self, Function, Host};
use crate::show::Dir;
use crate::{Error, Result};
use core::fmt::{self, Write};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

/// A device, as accesses name it: the kind in the upper two bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u64);

const PCI: u64 = 1 << 62;
const MMIO: u64 = 2 << 62;
const PORT: u64 = 3 << 62;

impl Tag {
    /// A function of the host bridge with that number.
    pub(crate) const fn pci(domain: u16, bus: u8, devfn: u8) -> Tag {
        Tag(PCI | (domain as u64) << 16 | (bus as u64) << 8 | devfn as u64)
    }

    /// What is mapped from that physical address on.
    pub(crate) const fn mmio(phys: u64) -> Tag {
        Tag(MMIO | phys & !PORT)
    }

    /// The range of ports that begins there.
    pub(crate) const fn port(base: u16) -> Tag {
        Tag(PORT | base as u64)
    }
}

// Which device: 0 none. Written with the others by one writer at a time, last; see WRITING.
static DEVICE: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);
static FIRST: AtomicU64 = AtomicU64::new(0);
static GONE: AtomicBool = AtomicBool::new(false);
static WRITING: AtomicBool = AtomicBool::new(false);
// The function's host bridge, which lives for ever.
static HOST: AtomicPtr<Host> = AtomicPtr::new(null_mut());

/// Counts an access to the device: whether it meets nothing. Any context.
pub(crate) fn is_gone(of: Tag) -> bool {
    if DEVICE.load(Ordering::Acquire) != of.0 {
        return false;
    }
    let n = SEEN.fetch_add(1, Ordering::AcqRel) + 1;
    if n == FIRST.load(Ordering::Acquire) {
        cut_off(of);
        GONE.store(true, Ordering::Release);
    }
    GONE.load(Ordering::Acquire)
}

/// The function reaches memory no more.
fn cut_off(of: Tag) {
    // SAFETY: null, or a host bridge, which lives for ever.
    if let Some(h) = unsafe { HOST.load(Ordering::Acquire).as_ref() } {
        h.cut_off((of.0 >> 8) as u8, of.0 as u8);
    }
}

fn number(text: &str) -> Result<u64> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |d| (d, 16));
    u64::from_str_radix(digits, radix).map_err(|_| Error::EINVAL)
}

/// A function by its name in /sys.
fn function(name: &str) -> Result<Function> {
    let mut found = None;
    pci::for_each(|f| {
        let (domain, bus, dev) = (f.domain(), f.bus, f.devfn >> 3);
        let same = crate::show::named(
            format_args!("{domain:04x}:{bus:02x}:{dev:02x}.{}", f.devfn & 7),
            |n| n == name,
        );
        if same == Ok(true) {
            found = Some(f);
        }
    })?;
    found.ok_or(Error::ENODEV)
}

/// The device vanishes at that access; 0: it does not.
fn arm(device: Tag, host: *mut Host, first: u64) -> Result {
    if WRITING.swap(true, Ordering::AcqRel) {
        return Err(Error::EBUSY);
    }
    DEVICE.store(0, Ordering::Release);
    GONE.store(false, Ordering::Release);
    SEEN.store(0, Ordering::Release);
    FIRST.store(first, Ordering::Release);
    HOST.store(host, Ordering::Release);
    DEVICE.store(device.0, Ordering::Release);
    WRITING.store(false, Ordering::Release);
    Ok(())
}

fn store(text: &str) -> Result {
    let mut words = text.split_ascii_whitespace();
    let (Some(kind), Some(which), Some(first), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return if text.trim_ascii().is_empty() {
            arm(Tag(0), null_mut(), 0)
        } else {
            Err(Error::EINVAL)
        };
    };
    let first = number(first)?;
    match kind {
        "pci" => {
            let f = function(which)?;
            arm(f.tag(), core::ptr::from_ref(f.host).cast_mut(), first)
        }
        "mmio" => arm(Tag::mmio(number(which)?), null_mut(), first),
        "port" => {
            arm(Tag::port(number(which)?.try_into().map_err(|_| Error::EINVAL)?), null_mut(), first)
        }
        _ => Err(Error::EINVAL),
    }
}

fn show(_: &(), out: &mut dyn Write) -> fmt::Result {
    writeln!(
        out,
        "{} {}",
        SEEN.load(Ordering::Acquire),
        if GONE.load(Ordering::Acquire) { "gone" } else { "there" }
    )
}

fn init() -> Result {
    Dir::debug(c"rust")?.attr(c"vanish", &(), show, Some(|(), text| store(text)))
}

crate::device_init!(rust_vanish, init);

fn counts(_run: &mut crate::ktest::Run<'_>) -> Result {
    // No machine has a device there.
    let (it, other) = (Tag::mmio(0x3fff_ffff_ffff_f000), Tag::mmio(0x3fff_ffff_ffff_e000));
    let dir = Dir::debug(c"rust")?;
    let said = |want: &str| {
        let mut text = [0; 32];
        dir.read(c"vanish", &mut text).is_ok_and(|n| text.get(..n) == Some(want.as_bytes()))
    };
    dir.write(c"vanish", "mmio 0x3ffffffffffff000 3\n")?;
    crate::kt_eq!((is_gone(it), is_gone(other), is_gone(it)), (false, false, false));
    crate::kt_assert!(said("2 there\n"));
    crate::kt_eq!((is_gone(it), is_gone(it), is_gone(other)), (true, true, false));
    crate::kt_assert!(said("4 gone\n"));
    dir.write(c"vanish", "mmio 0x3ffffffffffff000 0")?;
    crate::kt_eq!((is_gone(it), is_gone(it)), (false, false));
    for bad in ["x", "pci 0000:ff:1f.7 1 1", "mmio x 1", "port 0x10000 1", "mmio 1", "mmio 1 -1"] {
        crate::kt_eq!((bad, dir.write(c"vanish", bad)), (bad, Err(Error::EINVAL)));
    }
    crate::kt_eq!(dir.write(c"vanish", "pci 0000:ff:1f.8 1"), Err(Error::ENODEV));
    dir.write(c"vanish", "\n")?;
    crate::kt_eq!((is_gone(it), is_gone(it)), (false, false));
    Ok(())
}

crate::ktest!(rust_vanish_counts, counts);
