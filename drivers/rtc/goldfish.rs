// SPDX-License-Identifier: MIT
//! The Goldfish clock (QEMU's riscv virt): nanoseconds since 1970 in two words, and an alarm likewise.

use super::calendar::Time;
use super::{Cause, Clock, Interrupts};
use crate::platform::{drive, Known};
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Device, Driver};
use kernel::mem::Mmio;
use kernel::platform::{fdt_devices, FdtDevice};
use kernel::sync::SpinLockIrq;
use kernel::{time, Error, Result};

const NAME: &str = "goldfish_rtc";

const TIME_LOW: usize = 0x00; // reading it keeps the other half for the next read
const TIME_HIGH: usize = 0x04;
const ALARM_LOW: usize = 0x08; // writing it sets the alarm
const ALARM_HIGH: usize = 0x0c;
const ALARM_IRQ_ENABLED: usize = 0x10;
const CLEAR_ALARM: usize = 0x14;
const CLEAR_INTERRUPT: usize = 0x1c;

struct Goldfish {
    regs: Mmio,
    pair: SpinLockIrq<()>, // both halves are one step
}

fn nanoseconds(t: &Time) -> Option<u64> {
    u64::try_from(t.to_secs()).ok()?.checked_mul(time::SECOND)
}

impl Clock for Goldfish {
    fn read(&self) -> Result<Time> {
        let ns = {
            let _guard = self.pair.lock();
            let low = u64::from(self.regs.read32(TIME_LOW));
            u64::from(self.regs.read32(TIME_HIGH)) << 32 | low
        };
        i64::try_from(ns / time::SECOND).map(Time::from_secs).map_err(|_| Error::EINVAL)
    }

    fn set(&self, t: &Time) -> Result {
        let ns = nanoseconds(t).ok_or(Error::ERANGE)?;
        let _guard = self.pair.lock();
        self.regs.write32(TIME_HIGH, (ns >> 32) as u32);
        self.regs.write32(TIME_LOW, ns as u32);
        Ok(())
    }

    fn interrupts(&self) -> Interrupts {
        Interrupts::Alarm
    }

    fn cause(&self) -> Cause {
        self.regs.write32(CLEAR_INTERRUPT, 1);
        Cause::Alarm
    }

    fn reaches(&self, at: i64, _now: i64) -> bool {
        nanoseconds(&Time::from_secs(at)).is_some()
    }

    fn set_alarm(&self, at: Option<&Time>) {
        let _guard = self.pair.lock();
        self.regs.write32(CLEAR_ALARM, 1);
        self.regs.write32(ALARM_IRQ_ENABLED, u32::from(at.is_some()));
        if let Some(ns) = at.and_then(nanoseconds) {
            self.regs.write32(ALARM_HIGH, (ns >> 32) as u32);
            self.regs.write32(ALARM_LOW, ns as u32);
        }
    }
}

impl Goldfish {
    fn new(d: &FdtDevice) -> Result<Goldfish> {
        let regs = d.map()?;
        regs.write32(ALARM_IRQ_ENABLED, 0);
        Ok(Goldfish { regs, pair: SpinLockIrq::new(()) })
    }
}

fn probe(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let t = d.facts().table()?;
    super::bind(NAME, d, KBox::new(Goldfish::new(t)?, KERNEL)?, t.line().ok())
}

static DRIVER: Driver<Known> =
    Driver { name: c"goldfish_rtc", matches: |k| k.is("google,goldfish-rtc"), probe, fixed: false };

/// Before the first file there is a date.
fn early() -> Result {
    let Some(d) = fdt_devices(c"google,goldfish-rtc").next() else { return Ok(()) };
    super::set_system_clock(NAME, &Goldfish::new(&d)?);
    Ok(())
}

fn start() -> Result {
    drive(&DRIVER)
}

kernel::sched_init!(goldfish_early, early);
kernel::device_init!(goldfish_start, start);
