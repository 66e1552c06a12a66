// SPDX-License-Identifier: MIT
//! virtio (OASIS Virtual I/O Device 1.2): what the transports share, and the drivers by device type.

pub mod blk;
pub mod bus;
pub mod console;
pub mod mmio;
pub mod net;
mod net_ctrl;
mod net_rings;
pub mod pci;
pub mod queue;
pub mod rng;
#[path = "test/device.rs"]
#[doc(hidden)]
pub mod test;

use kernel::dma::{Engine, Halted};
use kernel::irq::Source;
use kernel::show::Dir;
use kernel::{pr_err, Error, Result};
use queue::Queue;

/// Status bits (2.1).
pub const ACKNOWLEDGE: u8 = 1;
const DRIVER: u8 = 2;
const DRIVER_OK: u8 = 4;
const FEATURES_OK: u8 = 8;
const NEEDS_RESET: u8 = 64;
const FAILED: u8 = 128;

/// Why a device with a status register interrupts (4.1.4.5); a message is one for a queue.
pub const WHY_QUEUE: u32 = 1;
/// Its configuration changed.
pub const WHY_CONFIG: u32 = 2;

/// Feature bits that belong to no device type (6).
pub const F_RING_INDIRECT: u64 = 1 << 28;
/// Event indices.
pub const F_RING_EVENT: u64 = 1 << 29;
/// 1.0 and later.
pub const F_VERSION_1: u64 = 1 << 32;
/// Packed rings (2.8).
pub const F_RING_PACKED: u64 = 1 << 34;

/// Reaches one device's registers. Queue numbers are those of the device type.
pub trait Transport: Send + Sync {
    /// Device type (5).
    fn device_type(&self) -> u32;
    /// The device status field.
    fn status(&self) -> u8;
    /// Sets it; 0 resets, and returns when the device has.
    fn set_status(&self, s: u8);
    /// What the device offers.
    fn features(&self) -> u64;
    /// What we take.
    fn set_features(&self, f: u64);
    /// A byte of the device's own configuration; all ones where it has none.
    fn config8(&self, off: usize) -> u8;
    /// A number that changes when the configuration does (2.5.1).
    fn generation(&self) -> u32;
    /// How long queue `i` may be; 0: there is none.
    fn queue_max(&self, i: u16) -> u16;
    /// Gives the device queue `i`; `vector` is what `interrupt` gave.
    fn queue_setup(&self, i: u16, q: &Queue, vector: u16) -> Result;
    /// Tells the device that queue `i` has something new.
    fn notify(&self, i: u16);
    /// An interrupt for queues, and the vector to name in `queue_setup`. `shared`: the line may be others' too.
    fn interrupt(&self) -> Result<(Source, u16, bool)>;
    /// The same, of the `nth` CPU where interrupts are messages.
    fn interrupt_at(&self, _nth: u16) -> Result<(Source, u16, bool)> {
        self.interrupt()
    }
    /// For transports with a status register: reads and acknowledges why it fired. Nonzero: for us.
    fn acknowledge(&self) -> u32;
    /// VECTOR, which `interrupt` gave, is for changes of the configuration. Where interrupts are no messages they come with the others.
    fn on_config(&self, _vector: u16) -> Result {
        Ok(())
    }
    /// Where it stands in /sys/devices.
    fn dir(&self) -> Option<Dir> {
        None
    }
    /// Called after a reset that the device confirmed: it no longer accesses memory.
    fn was_reset(&self) {}
    /// The device's way to memory.
    fn engine(&self) -> &Engine;
}

/// A 32-bit little-endian field of the configuration.
pub fn config32(t: &dyn Transport, off: usize) -> u32 {
    u32::from_le_bytes([t.config8(off), t.config8(off + 1), t.config8(off + 2), t.config8(off + 3)])
}

/// A 64-bit one, read whole; `EIO` from a device that never stops changing it.
pub fn config64(t: &dyn Transport, off: usize) -> Result<u64> {
    for _ in 0..100 {
        let before = t.generation();
        let v = u64::from(config32(t, off)) | u64::from(config32(t, off + 4)) << 32;
        if t.generation() == before {
            return Ok(v);
        }
    }
    Err(Error::EIO)
}

/// Steps 1 to 6 of initialisation (3.1.1): reset, acknowledge, agree on features. What was agreed.
pub fn negotiate(t: &dyn Transport, wanted: u64) -> Result<u64> {
    t.set_status(0);
    t.set_status(ACKNOWLEDGE);
    t.set_status(ACKNOWLEDGE | DRIVER);
    let offered = t.features();
    if offered & F_VERSION_1 == 0 {
        t.set_status(FAILED);
        return Err(Error::ENODEV); // a legacy device
    }
    let agreed = offered & (wanted | F_VERSION_1);
    t.set_features(agreed);
    t.set_status(ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if t.status() & FEATURES_OK == 0 {
        t.set_status(FAILED);
        return Err(Error::EOPNOTSUPP);
    }
    Ok(agreed)
}

/// The last step: the device may work.
pub fn go(t: &dyn Transport) {
    t.set_status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

/// Gives up on the device: it is reset and marked, and leaves our memory alone: the proof of that, where it obeys.
pub fn fail(t: &dyn Transport, name: &str, why: &str) -> Result<Halted> {
    pr_err!("{}: {}; it is given up\n", name, why);
    let halted = leave(t);
    t.set_status(FAILED);
    if halted.is_err() {
        pr_err!("{}: it does not obey: what it has of our memory is lost\n", name);
    }
    halted
}

/// Why a driver did not come to be; `EOPNOTSUPP` and `ENODEV`: was said to the device already.
pub fn refuse(t: &dyn Transport, name: &str, e: Error) -> Error {
    if !matches!(e, Error::ENODEV | Error::EOPNOTSUPP) {
        let _ = fail(t, name, "the device makes no sense");
    }
    e
}

/// Resets the device, which is to have no driver any more: the proof that it leaves our memory alone.
pub fn leave(t: &dyn Transport) -> Result<Halted> {
    t.set_status(0);
    let halted = t.engine().halt()?;
    if t.status() == 0 {
        t.was_reset();
    }
    Ok(halted)
}

/// What is said of a device whose ring makes no sense.
pub const BROKE_RULES: &str = "the device broke the rules of its queue";

/// Whether the device still says that it works: not reset behind our back, asking for a reset, or gone.
pub fn is_alive(t: &dyn Transport) -> bool {
    t.status() & (DRIVER_OK | NEEDS_RESET | FAILED) == DRIVER_OK
}
