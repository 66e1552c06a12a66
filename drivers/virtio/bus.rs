// SPDX-License-Identifier: MIT
//! The virtio bus: a device below that of another bus which carries it, and the drivers by device type, by the names and in the forms of
//! Linux (/sys/bus/virtio). Each time a driver gets a device it gets a new transport to it, which goes with the driver; so a device that
//! has none is not told of any memory.

use super::{blk, console, net, rng, Transport};
use core::fmt::{self, Write};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::device::{self, Above, Added, Bound, Bus, Device, Facts};
use kernel::show::Dir;
use kernel::sync::{Once, SpinLock};
use kernel::{pr_err, Error, Result};

/// What carries a device.
pub trait Carrier: Send + Sync {
    /// A way to the device, whose directory is DIR, for a driver of it: one at a time. Sleeps.
    fn open(&self, dir: Dir) -> Result<KBox<dyn Transport>>;
    /// The device is not there any more.
    fn is_gone(&self) -> bool {
        false
    }
}

/// What the bus knows of a device.
pub struct Id {
    number: usize,
    kind: u32,
    vendor: u32,
    carrier: KBox<dyn Carrier>,
}

impl Facts for Id {
    const OVERRIDES: bool = false;
    const OF_DRIVER: bool = true;

    fn lines(&self, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "MODALIAS=virtio:d{:08X}v{:08X}", self.kind, self.vendor)
    }
}

impl Id {
    /// Its device type (5).
    pub fn kind(&self) -> u32 {
        self.kind
    }
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

/// What a driver keeps for a device.
pub trait Leave: Send + Sync {
    /// Takes the driver away, whoever uses the device; `gone`: the device is no longer there. Afterwards it does nothing. Sleeps.
    /// `EIO`: the device does not obey, and what it has of our memory is lost.
    fn leave(self, gone: bool) -> Result;
}

impl Leave for net::Bound {
    fn leave(self, gone: bool) -> Result {
        self.pull(gone)
    }
}

impl Leave for blk::Bound {
    fn leave(self, gone: bool) -> Result {
        self.pull(gone)
    }
}

impl Leave for rng::Bound {
    fn leave(self, _gone: bool) -> Result {
        self.remove()
    }
}

impl Leave for console::Bound {
    fn leave(self, _gone: bool) -> Result {
        self.remove()
    }
}

struct Held<B> {
    driver: Option<B>,
    device: Device<Id>,
}

impl<B: Leave + 'static> Bound for Held<B> {
    fn remove(&mut self, gone: bool) {
        let id = self.device.facts();
        let left = self.driver.take().map_or(Ok(()), |d| d.leave(gone || id.carrier.is_gone()));
        if left.is_err() {
            pr_err!("virtio{}: it does not obey: what it has of our memory is lost\n", id.number);
        }
    }
}

type Bind<B> = fn(KBox<dyn Transport>) -> Result<B>;

/// A driver of the bus.
pub type Driver = device::Driver<Id>;

/// Opens the device for its driver, which `bind` makes: a driver's probe. Sleeps.
pub fn start<B: Leave + 'static>(d: &Device<Id>, bind: Bind<B>) -> Result<KBox<dyn Bound>> {
    let mut held = KBox::new(Held { driver: None, device: d.clone() }, KERNEL)?;
    held.driver = Some(bind(d.facts().carrier.open(d.dir())?)?);
    Ok(held)
}

/// A driver of that name in /sys.
pub const fn driver(
    name: &'static core::ffi::CStr,
    matches: fn(&Id) -> bool,
    probe: Probe,
) -> Driver {
    Driver { name, matches, probe, fixed: false }
}

type Probe = fn(&Device<Id>) -> Result<KBox<dyn Bound>>;

/// The drivers that are part of the image, by their names in Linux.
static DRIVERS: [Driver; 4] = [
    driver(c"virtio_net", |d| d.kind == 1, |d| start(d, net::bind)),
    driver(c"virtio_blk", |d| d.kind == 2, |d| start(d, blk::bind)),
    // A console whose device went is lost with it, so that it is not to be bound again.
    Driver {
        fixed: true,
        ..driver(c"virtio_console", |d| d.kind == 3, |d| start(d, console::bind))
    },
    driver(c"virtio_rng", |d| d.kind == 4, |d| start(d, rng::bind)),
];

static BUS: Once<Bus<Id>> = Once::new();

/// A driver that may go, a module's. Dropped, it is taken from all its devices and off the bus, and waits for that.
pub struct Driven {
    _registered: device::Driving<Id>,
}

impl Driven {
    /// The driver gets the devices that it is for and that have none; programs may use what it makes of them from then on, before the module's init
    /// has returned, which answers what this does. Sleeps.
    pub fn new(driver: &'static Driver) -> Result<Driven> {
        Ok(Driven { _registered: BUS.get().ok_or(Error::ENODEV)?.drive_for_now(driver)? })
    }
}

/// A device on the bus. Dropped, it is removed.
pub struct Attached {
    added: Added<Id>,
    // Free when the device is removed.
    _number: Number,
}

impl Attached {
    /// A device of that type and vendor, below `above`: that of what carries it, if that is on a bus.
    pub fn new<'a>(
        above: impl Into<Above<'a>>,
        kind: u32,
        vendor: u32,
        carrier: KBox<dyn Carrier>,
    ) -> Result<Attached> {
        let number = Number::new()?;
        let id = Id { number: number.0, kind, vendor, carrier };
        let bus = BUS.get().ok_or(Error::ENODEV)?;
        let added = bus.make(above, format_args!("virtio{}", number.0), id)?;
        fill(&added)?;
        added.add()?;
        Ok(Attached { added, _number: number })
    }

    /// Takes its driver away, and removes it; `gone`: it is not there any more. Sleeps.
    pub fn remove(&self, gone: bool) {
        self.added.remove(gone);
    }
}

fn fill(d: &Device<Id>) -> Result {
    let (dir, id) = (d.dir(), Arc::new(d.clone())?);
    dir.attr(c"device", id.clone(), |d, out| writeln!(out, "0x{:04x}", d.facts().kind), None)?;
    dir.attr(c"vendor", id.clone(), |d, out| writeln!(out, "0x{:04x}", d.facts().vendor), None)?;
    dir.attr(
        c"modalias",
        id,
        |d, out| writeln!(out, "virtio:d{:08X}v{:08X}", d.facts().kind, d.facts().vendor),
        None,
    )
}

/// Before what carries devices looks for them.
fn init() -> Result {
    BUS.set(KBox::new(Bus::new(c"virtio", c"virtio device")?, KERNEL)?.leak())?;
    let bus = BUS.get().ok_or(Error::ENODEV)?;
    DRIVERS.iter().try_for_each(|d| bus.drive(d).map(drop))
}

kernel::sched_init!(virtio_bus, init);
