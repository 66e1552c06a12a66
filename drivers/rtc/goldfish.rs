// SPDX-License-Identifier: MIT
//! The Goldfish clock (QEMU's riscv virt): nanoseconds since 1970 in two words, and an alarm likewise.

use super::calendar::Time;
use super::{Clock, Interrupts, Rtc};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{KBox, KERNEL};
use kernel::mem::Mmio;
use kernel::sync::SpinLockIrq;
use kernel::{irq, platform, time, Error, Result};

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
    line: Option<irq::Line>,
    served: AtomicBool, // the interrupt is ours
    class: SpinLockIrq<Option<&'static Rtc>>,
}

fn nanoseconds(t: &Time) -> Option<u64> {
    u64::try_from(t.to_secs()).ok()?.checked_mul(time::SECOND)
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
        let ns = nanoseconds(t).ok_or(Error::ERANGE)?;
        let _guard = self.pair.lock();
        self.regs.write32(TIME_HIGH, (ns >> 32) as u32);
        self.regs.write32(TIME_LOW, ns as u32);
        Ok(())
    }

    fn interrupts(&self) -> Interrupts {
        if self.served.load(Ordering::Relaxed) { Interrupts::Alarm } else { Interrupts::None }
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

impl irq::Handler for Goldfish {
    fn handle(&self) -> bool {
        self.regs.write32(CLEAR_INTERRUPT, 1);
        let class = *self.class.lock();
        if let Some(class) = class {
            class.alarm_came();
        }
        true
    }
}

static FOUND: SpinLockIrq<Option<&'static Goldfish>> = SpinLockIrq::new(None);

fn find() -> Result {
    let Some(d) = platform::fdt_devices(c"google,goldfish-rtc").next() else { return Ok(()) };
    let regs = d.map()?;
    regs.write32(ALARM_IRQ_ENABLED, 0);
    let clock: &Goldfish = KBox::new(Goldfish { regs, pair: SpinLockIrq::new(()), line: d.line().ok(), served: AtomicBool::new(false), class: SpinLockIrq::new(None) }, KERNEL)?.leak();
    *FOUND.lock() = Some(clock);
    super::set_system_clock(clock);
    Ok(())
}

fn start() -> Result {
    let Some(clock) = *FOUND.lock() else { return Ok(()) };
    clock.served.store(super::serve(clock.line, clock), Ordering::Relaxed);
    *clock.class.lock() = Some(super::register(clock)?);
    Ok(())
}

kernel::sched_init!(goldfish_find, find);
kernel::device_init!(goldfish_start, start);
