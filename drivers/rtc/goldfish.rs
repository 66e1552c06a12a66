// SPDX-License-Identifier: MIT
//! The Goldfish clock (QEMU's riscv virt): nanoseconds since 1970 in two words. Its alarm is not used.

use super::calendar::Time;
use super::Clock;
use kernel::alloc::{KBox, KERNEL};
use kernel::mem::Mmio;
use kernel::sync::SpinLockIrq;
use kernel::{platform, time, Error, Result};

const TIME_LOW: usize = 0x00; // reading it keeps the other half for the next read
const TIME_HIGH: usize = 0x04;
const ALARM_IRQ_ENABLED: usize = 0x10;

struct Goldfish {
    regs: Mmio,
    pair: SpinLockIrq<()>, // both halves are one step
}

impl Clock for Goldfish {
    fn name(&self) -> &'static str {
        "goldfish_rtc"
    }

    fn read(&self) -> Result<Time> {
        let ns = {
            let _guard = self.pair.lock();
            let low = u64::from(self.regs.read32(TIME_LOW));
            u64::from(self.regs.read32(TIME_HIGH)) << 32 | low
        };
        i64::try_from(ns / time::SECOND).map(Time::from_secs).map_err(|_| Error::EINVAL)
    }

    fn set(&self, t: &Time) -> Result {
        let ns = u64::try_from(t.to_secs()).ok().and_then(|s| s.checked_mul(time::SECOND)).ok_or(Error::ERANGE)?;
        let _guard = self.pair.lock();
        self.regs.write32(TIME_HIGH, (ns >> 32) as u32);
        self.regs.write32(TIME_LOW, ns as u32);
        Ok(())
    }
}

static FOUND: SpinLockIrq<Option<&'static Goldfish>> = SpinLockIrq::new(None);

fn find() -> Result {
    let Some(d) = platform::fdt_devices(c"google,goldfish-rtc").next() else { return Ok(()) };
    let regs = d.map()?;
    regs.write32(ALARM_IRQ_ENABLED, 0);
    let clock: &Goldfish = KBox::new(Goldfish { regs, pair: SpinLockIrq::new(()) }, KERNEL)?.leak();
    *FOUND.lock() = Some(clock);
    super::set_system_clock(clock);
    Ok(())
}

fn start() -> Result {
    let Some(clock) = *FOUND.lock() else { return Ok(()) };
    super::register(clock).map(|_| ())
}

kernel::sched_init!(goldfish_find, find);
kernel::device_init!(goldfish_start, start);
