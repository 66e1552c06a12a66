// SPDX-License-Identifier: MIT
//! virtio over memory-mapped registers, version 2 (4.2). The devices are those that the machine's tables name.

use super::queue::Queue;
use super::bus::{Attached, Carrier};
use super::Transport;
use crate::platform::{drive, Known};
use kernel::device::{Bound, Device as OnPlatform, Driver};
use kernel::dma::Engine;
use kernel::irq::{Line, Source};
use kernel::mem::Mmio;
use kernel::platform::VirtioMmio;
use kernel::alloc::{KBox, KERNEL};
use kernel::show::Dir;
use kernel::sync::SpinLockIrq;
use kernel::{pr_info, pr_warn, Error, Result};

const MAGIC: usize = 0x000;
const VERSION: usize = 0x004;
const DEVICE_ID: usize = 0x008;
const VENDOR_ID: usize = 0x00c;
const DEVICE_FEATURES: usize = 0x010;
const DEVICE_FEATURES_SEL: usize = 0x014;
const DRIVER_FEATURES: usize = 0x020;
const DRIVER_FEATURES_SEL: usize = 0x024;
const QUEUE_SEL: usize = 0x030;
const QUEUE_NUM_MAX: usize = 0x034;
const QUEUE_NUM: usize = 0x038;
const QUEUE_READY: usize = 0x044;
const QUEUE_NOTIFY: usize = 0x050;
const INTERRUPT_STATUS: usize = 0x060;
const INTERRUPT_ACK: usize = 0x064;
const STATUS: usize = 0x070;
const QUEUE_DESC: usize = 0x080;
const QUEUE_DRIVER: usize = 0x090;
const QUEUE_DEVICE: usize = 0x0a0;
const GENERATION: usize = 0x0fc;
const CONFIG: usize = 0x100;

struct Device {
    regs: Mmio,
    engine: Engine,
    line: Result<Line>,
    dir: Dir,
    select: SpinLockIrq<()>, // selecting a queue and using it is one step
}

impl Transport for Device {
    fn device_type(&self) -> u32 {
        self.regs.read32(DEVICE_ID)
    }

    fn status(&self) -> u8 {
        self.regs.read32(STATUS) as u8
    }

    fn set_status(&self, s: u8) {
        self.regs.write32(STATUS, u32::from(s));
    }

    fn features(&self) -> u64 {
        self.regs.write32(DEVICE_FEATURES_SEL, 0);
        let low = self.regs.read32(DEVICE_FEATURES);
        self.regs.write32(DEVICE_FEATURES_SEL, 1);
        u64::from(low) | u64::from(self.regs.read32(DEVICE_FEATURES)) << 32
    }

    fn set_features(&self, f: u64) {
        self.regs.write32(DRIVER_FEATURES_SEL, 0);
        self.regs.write32(DRIVER_FEATURES, f as u32);
        self.regs.write32(DRIVER_FEATURES_SEL, 1);
        self.regs.write32(DRIVER_FEATURES, (f >> 32) as u32);
    }

    fn config8(&self, off: usize) -> u8 {
        self.regs.read8(CONFIG + off)
    }

    fn generation(&self) -> u32 {
        self.regs.read32(GENERATION)
    }

    fn queue_max(&self, i: u16) -> u16 {
        let _guard = self.select.lock();
        self.regs.write32(QUEUE_SEL, u32::from(i));
        self.regs.read32(QUEUE_NUM_MAX).min(0x8000) as u16
    }

    fn queue_setup(&self, i: u16, q: &Queue, _vector: u16) -> Result {
        let _guard = self.select.lock();
        let (desc, driver, device) = q.addrs()?;
        self.regs.write32(QUEUE_SEL, u32::from(i));
        if self.regs.read32(QUEUE_READY) != 0 {
            return Err(Error::EBUSY);
        }
        self.regs.write32(QUEUE_NUM, u32::from(q.size));
        self.regs.write_addr(QUEUE_DESC, desc);
        self.regs.write_addr(QUEUE_DRIVER, driver);
        self.regs.write_addr(QUEUE_DEVICE, device);
        self.regs.write32(QUEUE_READY, 1);
        Ok(())
    }

    fn notify(&self, i: u16) {
        self.regs.write32(QUEUE_NOTIFY, u32::from(i));
    }

    fn interrupt(&self) -> Result<(Source, u16, bool)> {
        Ok((self.line.map_err(|_| Error::ENXIO)?.into(), 0, true))
    }

    fn acknowledge(&self) -> u32 {
        let s = self.regs.read32(INTERRUPT_STATUS);
        self.regs.write32(INTERRUPT_ACK, s);
        s & 3
    }

    fn dir(&self) -> Option<Dir> {
        Some(self.dir.clone())
    }

    fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// Takes the registers that the tables name: they carry a device of the virtio bus. `ENODEV`: nothing is behind them.
fn probe(d: &OnPlatform<Known>) -> Result<KBox<dyn Bound>> {
    let known = d.facts();
    let v = VirtioMmio::of(known.table()?)?;
    let regs = v.map()?;
    if regs.read32(MAGIC) != 0x7472_6976 || regs.read32(DEVICE_ID) == 0 {
        return Err(Error::ENODEV);
    }
    if regs.read32(VERSION) != 2 {
        pr_warn!("virtio-mmio: {known}: legacy device, version {}\n", regs.read32(VERSION));
        return Err(Error::ENODEV);
    }
    let irq = v.line().map_or(-1, |l| l.number());
    pr_info!("virtio-mmio: {known}: device type {}, irq {}\n", regs.read32(DEVICE_ID), irq);
    let (kind, vendor) = (regs.read32(DEVICE_ID), regs.read32(VENDOR_ID));
    Ok(KBox::new(Attached::new(d, kind, vendor, KBox::new(Slot(v), KERNEL)?)?, KERNEL)?)
}

struct Slot(VirtioMmio);

impl Carrier for Slot {
    fn open(&self, dir: Dir) -> Result<KBox<dyn Transport>> {
        let v = &self.0;
        let d = Device { regs: v.map()?, engine: v.engine()?, line: v.line(), dir, select: SpinLockIrq::new(()) };
        Ok(KBox::new(d, KERNEL)?)
    }
}

static DRIVER: Driver<Known> = Driver { name: c"virtio-mmio", matches: |k| k.is("virtio,mmio"), probe, fixed: false };

fn init() -> Result {
    drive(&DRIVER)
}

kernel::device_init!(virtio_mmio, init);
