// SPDX-License-Identifier: MIT
//! virtio devices in /sys: /sys/bus/virtio and a directory below that of the device of another bus which carries each, by the names and in the
//! forms of Linux.

use kernel::alloc::{Arc, KSlice, KERNEL};
use kernel::show::{Dir, Event};
use kernel::sync::SpinLock;
use kernel::{Error, Result};

struct Id {
    kind: u32,
    vendor: u32,
    dir: Dir,
}

/// Numbers that devices have, a bit each: a new one gets the lowest that is free.
static NUMBERS: SpinLock<Option<KSlice<u64>>> = SpinLock::new(None);

/// A device's number. Dropped, it is free.
struct Number(usize);

impl Number {
    fn take(words: &mut [u64]) -> Option<Number> {
        let at = words.iter().position(|w| *w != u64::MAX)?;
        let word = words.get_mut(at)?;
        let bit = word.trailing_ones() as usize;
        *word |= 1 << bit;
        Some(Number(64 * at + bit))
    }

    fn new() -> Result<Number> {
        loop {
            let mut numbers = NUMBERS.lock();
            let len = numbers.as_ref().map_or(0, |n| n.len());
            if let Some(n) = numbers.as_mut().and_then(|n| Number::take(n)) {
                return Ok(n);
            }
            drop(numbers);
            let mut more = KSlice::from_fn(2 * len + 1, KERNEL, |_| 0u64)?;
            let mut numbers = NUMBERS.lock();
            let old = numbers.take();
            let fits = old.as_ref().is_none_or(|o| o.len() < more.len());
            if let Some(o) = old.as_ref().filter(|_| fits) {
                more.iter_mut().zip(o.iter()).for_each(|(to, w)| *to = *w);
            }
            // The array that is not needed is freed without the lock.
            let spare = if fits {
                *numbers = Some(more);
                old
            } else {
                *numbers = old;
                Some(more)
            };
            drop(numbers);
            drop(spare);
        }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let mut numbers = NUMBERS.lock();
        if let Some(word) = numbers.as_mut().and_then(|n| n.get_mut(self.0 / 64)) {
            *word &= !(1 << (self.0 % 64));
        }
    }
}

/// The names of our drivers, which are Linux's.
fn driver(kind: u32) -> Option<&'static str> {
    match kind {
        1 => Some("virtio_net"),
        2 => Some("virtio_blk"),
        3 => Some("virtio_console"),
        4 => Some("virtio_rng"),
        8 => Some("virtio_scsi"),
        _ => None,
    }
}

/// A device's directory, with the links to it. Dropped, all of that goes.
pub struct Shown {
    number: Number,
    kind: u32,
    dir: Dir,
}

impl Shown {
    /// Of a device of that type and vendor, carried by `carrier`.
    pub fn new(carrier: &Dir, kind: u32, vendor: u32) -> Result<Shown> {
        let number = Number::new()?;
        let dir = carrier.dir(format_args!("virtio{}", number.0))?;
        let shown = Shown { number, kind, dir };
        shown.fill(vendor)?;
        shown.dir.tell(Event::Add);
        Ok(shown)
    }

    fn fill(&self, vendor: u32) -> Result {
        let (kind, dir) = (self.kind, &self.dir);
        let id = Arc::new(Id { kind, vendor, dir: dir.clone() })?;
        dir.attr(c"device", id.clone(), |id, out| writeln!(out, "0x{:04x}", id.kind), None)?;
        dir.attr(c"vendor", id.clone(), |id, out| writeln!(out, "0x{:04x}", id.vendor), None)?;
        dir.attr(
            c"modalias",
            id.clone(),
            |id, out| writeln!(out, "virtio:d{:08X}v{:08X}", id.kind, id.vendor),
            None,
        )?;
        dir.uevent(id, |id, out| {
            if let Some(driver) = driver(id.kind).filter(|_| id.dir.has(c"driver")) {
                writeln!(out, "DRIVER={driver}")?;
            }
            writeln!(out, "MODALIAS=virtio:d{:08X}v{:08X}", id.kind, id.vendor)
        })?;
        dir.link_to(format_args!("subsystem"), &Dir::sys(c"bus/virtio")?)?;
        Dir::sys(c"bus/virtio/devices")?.link_back(dir)
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    fn of_driver(&self) -> Result<Dir> {
        let name = driver(self.kind).ok_or(Error::ENODEV)?;
        Dir::sys(c"bus/virtio/drivers")?.dir(format_args!("{name}"))
    }

    /// The device has its driver.
    pub fn driven(&self) -> Result {
        let driver = self.of_driver()?;
        self.dir.link_to(format_args!("driver"), &driver)?;
        driver.link_back(&self.dir)?;
        self.dir.tell(Event::Bind);
        Ok(())
    }

    /// It has none any more.
    pub fn left(&self) {
        if self.dir.has(c"driver") {
            _ = self.dir.unlink(format_args!("driver"));
            _ = self.of_driver().map(|d| d.unlink(format_args!("virtio{}", self.number.0)));
            self.dir.tell(Event::Unbind);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.left();
        self.dir.tell(Event::Remove);
        _ = Dir::sys(c"bus/virtio/devices")
            .map(|d| d.unlink(format_args!("virtio{}", self.number.0)));
        self.dir.clone().remove();
    }
}
