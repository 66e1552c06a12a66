// SPDX-License-Identifier: MIT
//! virtio over PCI, modern devices (4.1).

use super::queue::Queue;
use super::bus::{Attached, Carrier};
use super::Transport;
use kernel::dma::Engine;
use kernel::mem::Mmio;
use kernel::pci::{Function, Msix};
use crate::pci::{taken, Known};
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Device};
use kernel::show::Dir;
use kernel::sync::SpinLockIrq;
use kernel::{irq, Error, Result};
use core::sync::atomic::{AtomicU32, Ordering};

const CAP_VENDOR: u8 = 0x09;
const SUBSYSTEM: u16 = 0x2c; // vendor, then device
// Structures (4.1.4).
const COMMON: u8 = 1;
const NOTIFY: u8 = 2;
const ISR: u8 = 3;
const DEVICE: u8 = 4;
// The common configuration (4.1.4.3).
const DEVICE_FEATURE_SELECT: usize = 0;
const DEVICE_FEATURE: usize = 4;
const DRIVER_FEATURE_SELECT: usize = 8;
const DRIVER_FEATURE: usize = 12;
const CONFIG_MSIX: usize = 16;
const STATUS: usize = 20;
const GENERATION: usize = 21;
const QUEUE_SELECT: usize = 22;
const QUEUE_SIZE: usize = 24;
const QUEUE_MSIX: usize = 26;
const QUEUE_ENABLE: usize = 28;
const QUEUE_NOTIFY_OFF: usize = 30;
const QUEUE_DESC: usize = 32;
const QUEUE_DRIVER: usize = 40;
const QUEUE_DEVICE: usize = 48;
const NO_VECTOR: u16 = 0xffff;
const MAX_QUEUES: usize = 64;

struct Pci {
    f: Function,
    kind: u32,
    dir: Dir,
    engine: Engine,
    common: Mmio,
    notify: Mmio,
    notify_step: usize,
    isr: Mmio,
    device: Option<Mmio>,
    // None: it is not made yet.
    irqs: Option<Irqs>,
    // Where each queue is notified: of its own, so that queues share no lock.
    notify_at: [AtomicU32; MAX_QUEUES],
    // Selecting a queue and using it is one step; the vector to give out next.
    state: SpinLockIrq<State>,
}

/// How the device calls.
enum Irqs {
    Messages(Msix),
    // Where nobody takes messages: a line, which others may share.
    Line(irq::Line),
}

struct State {
    next_vector: u16,
}

/// Maps the structure that the capability at `cap` describes.
fn map(f: &Function, cap: u16) -> Result<Mmio> {
    f.map_bar(f.read8(cap + 4), f.read32(cap + 8).into(), f.read32(cap + 12).into())
}

/// Whether it is a modern virtio function, or a transitional one that has the modern structures. Its
/// vendor is asked for by who gives it to us, where a program may have said another one.
fn is_virtio(f: &Function) -> bool {
    if !(0x1000..=0x107f).contains(&f.device) {
        return false;
    }
    let mut seen = 0u32;
    for (cap, id) in f.capabilities() {
        if id == CAP_VENDOR {
            seen |= 1u32.checked_shl(f.read8(cap + 3).into()).unwrap_or(0);
        }
    }
    [COMMON, NOTIFY, ISR].iter().all(|kind| seen & 1 << kind != 0)
}

/// The type and vendor of the device.
fn id(f: &Function) -> (u32, u32) {
    let subsystem = f.read32(SUBSYSTEM);
    let kind = if f.device >= 0x1040 { u32::from(f.device) - 0x1040 } else { subsystem >> 16 };
    (kind, subsystem & 0xffff)
}

struct OfFunction(Function);

impl Carrier for OfFunction {
    fn open(&self, dir: Dir) -> Result<KBox<dyn Transport>> {
        Ok(KBox::new(Pci::new(self.0, dir)?, KERNEL)?)
    }

    fn is_gone(&self) -> bool {
        !self.0.is_present()
    }
}

/// Takes a function: it carries a device of the virtio bus. `ENODEV`: it is none of virtio.
pub fn probe(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let f = d.facts().f;
    if !is_virtio(&f) {
        return Err(Error::ENODEV);
    }
    taken(&f, "virtio-pci");
    let ((kind, vendor), carrier) = (id(&f), KBox::new(OfFunction(f), KERNEL)?);
    Ok(KBox::new(Attached::new(d, kind, vendor, carrier)?, KERNEL)?)
}

impl Bound for Attached {
    fn remove(&mut self, gone: bool) {
        Attached::remove(self, gone);
    }
}

impl Pci {
    fn new(f: Function, dir: Dir) -> Result<Pci> {
        let (mut common, mut notify, mut isr, mut device, mut step) = (None, None, None, None, 0);
        for (cap, id) in f.capabilities() {
            if id != CAP_VENDOR {
                continue;
            }
            match f.read8(cap + 3) {
                COMMON if common.is_none() => common = Some(map(&f, cap)?),
                NOTIFY if notify.is_none() => {
                    step = f.read32(cap + 16) as usize;
                    notify = Some(map(&f, cap)?);
                }
                ISR if isr.is_none() => isr = Some(map(&f, cap)?),
                DEVICE if device.is_none() => device = Some(map(&f, cap)?),
                _ => {}
            }
        }
        // What may fail with the engine is done when there is something to drop.
        let mut made = Pci {
            f,
            kind: id(&f).0,
            dir,
            common: common.ok_or(Error::ENODEV)?,
            notify: notify.ok_or(Error::ENODEV)?,
            notify_step: step,
            isr: isr.ok_or(Error::ENODEV)?,
            device,
            irqs: None,
            notify_at: [const { AtomicU32::new(0) }; MAX_QUEUES],
            state: SpinLockIrq::new(State { next_vector: 0 }),
            engine: f.enable()?,
        };
        made.irqs = Some(match f.msix() {
            Ok(m) => Irqs::Messages(m),
            Err(e) => Irqs::Line(f.line().map_err(|_| e)?),
        });
        Ok(made)
    }

    fn take_interrupt(&self, nth: Option<u16>) -> Result<(irq::Source, u16, bool)> {
        let msix = match &self.irqs {
            Some(Irqs::Messages(m)) => m,
            Some(Irqs::Line(line)) => return Ok(((*line).into(), NO_VECTOR, true)),
            None => return Err(Error::ENODEV),
        };
        let mut s = self.state.lock();
        let v = s.next_vector;
        if v >= msix.count {
            return Err(Error::ENOSPC);
        }
        s.next_vector += 1;
        drop(s);
        Ok((msix.set(v, nth)?.into(), v, false))
    }
}

/// Of a driver that did not come to be: the device is reset, so that the next driver gets it, also where there is no other way to reset it. One that
/// left has done that, and the device may be another driver's by now.
impl Drop for Pci {
    fn drop(&mut self) {
        if !self.engine.is_halted() {
            let _ = super::leave(self); // the engine does what else there is to do
        }
    }
}

impl Transport for Pci {
    fn device_type(&self) -> u32 {
        self.kind
    }

    fn status(&self) -> u8 {
        self.common.read8(STATUS)
    }

    fn set_status(&self, s: u8) {
        self.common.write8(STATUS, s);
        if s == 0 {
            // A device may take its time (4.1.4.3.2); one that never answers is used as it is, and fails.
            for _ in 0..100_000 {
                match self.common.read8(STATUS) {
                    0 => break,
                    u8::MAX if !self.f.is_present() => return, // it has left the bus
                    _ => {}
                }
            }
            self.common.write16(CONFIG_MSIX, NO_VECTOR);
        }
    }

    fn features(&self) -> u64 {
        self.common.write32(DEVICE_FEATURE_SELECT, 0);
        let low = self.common.read32(DEVICE_FEATURE);
        self.common.write32(DEVICE_FEATURE_SELECT, 1);
        u64::from(low) | u64::from(self.common.read32(DEVICE_FEATURE)) << 32
    }

    fn set_features(&self, f: u64) {
        self.common.write32(DRIVER_FEATURE_SELECT, 0);
        self.common.write32(DRIVER_FEATURE, f as u32);
        self.common.write32(DRIVER_FEATURE_SELECT, 1);
        self.common.write32(DRIVER_FEATURE, (f >> 32) as u32);
    }

    fn config8(&self, off: usize) -> u8 {
        self.device.as_ref().map_or(u8::MAX, |d| d.read8(off))
    }

    fn generation(&self) -> u32 {
        self.common.read8(GENERATION).into()
    }

    fn queue_max(&self, i: u16) -> u16 {
        let _guard = self.state.lock();
        self.common.write16(QUEUE_SELECT, i);
        self.common.read16(QUEUE_SIZE)
    }

    fn queue_setup(&self, i: u16, q: &Queue, vector: u16) -> Result {
        let _guard = self.state.lock();
        let (desc, driver, device) = q.addrs()?;
        self.common.write16(QUEUE_SELECT, i);
        self.common.write16(QUEUE_SIZE, q.size);
        self.common.write16(QUEUE_MSIX, vector);
        if self.common.read16(QUEUE_MSIX) != vector {
            return Err(Error::EIO); // it has no room for the vector
        }
        self.common.write_addr(QUEUE_DESC, desc);
        self.common.write_addr(QUEUE_DRIVER, driver);
        self.common.write_addr(QUEUE_DEVICE, device);
        let at = usize::from(self.common.read16(QUEUE_NOTIFY_OFF)).saturating_mul(self.notify_step);
        if at + 2 > self.notify.len() {
            return Err(Error::EINVAL);
        }
        self.notify_at.get(usize::from(i)).ok_or(Error::EINVAL)?.store(at as u32, Ordering::Release);
        self.common.write16(QUEUE_ENABLE, 1);
        Ok(())
    }

    fn notify(&self, i: u16) {
        if let Some(at) = self.notify_at.get(usize::from(i)) {
            self.notify.write16(at.load(Ordering::Acquire) as usize, i);
        }
    }

    fn interrupt(&self) -> Result<(irq::Source, u16, bool)> {
        self.take_interrupt(None)
    }

    fn interrupt_at(&self, nth: u16) -> Result<(irq::Source, u16, bool)> {
        self.take_interrupt(Some(nth))
    }

    fn acknowledge(&self) -> u32 {
        match self.irqs {
            Some(Irqs::Line(_)) => self.isr.read8(0).into(), // and the line falls
            _ => 1, // the message itself says that it is for us
        }
    }

    fn on_config(&self, vector: u16) -> Result {
        if let Some(Irqs::Messages(_)) = self.irqs {
            self.common.write16(CONFIG_MSIX, vector);
            if self.common.read16(CONFIG_MSIX) != vector {
                return Err(Error::EIO); // it has no room for the vector
            }
        }
        Ok(())
    }

    fn dir(&self) -> Option<Dir> {
        Some(self.dir.clone())
    }

    fn was_reset(&self) {
        self.f.seen_reset();
    }

    fn engine(&self) -> &Engine {
        &self.engine
    }
}
