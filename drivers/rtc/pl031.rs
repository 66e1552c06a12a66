// SPDX-License-Identifier: MIT
//! The Arm PL031 (DDI 0224): a count of seconds since 1970, and an alarm when it reaches a value.

use super::calendar::Time;
use super::{Clock, Interrupts, Rtc};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{KBox, KERNEL};
use kernel::mem::Mmio;
use kernel::sync::SpinLockIrq;
use kernel::{irq, platform, Error, Result};

const DATA: usize = 0x00;
const MATCH: usize = 0x04;
const LOAD: usize = 0x08;
const CONTROL: usize = 0x0c;
const MASK: usize = 0x10;
const MASKED_STATUS: usize = 0x18;
const CLEAR: usize = 0x1c;

struct Pl031 {
    regs: Mmio,
    line: Option<irq::Line>,
    served: AtomicBool, // the interrupt is ours
    class: SpinLockIrq<Option<&'static Rtc>>,
}

impl Clock for Pl031 {
    fn name(&self) -> &'static str {
        "rtc-pl031"
    }

    fn read(&self) -> Result<Time> {
        Ok(Time::from_secs(self.regs.read32(DATA).into()))
    }

    fn set(&self, t: &Time) -> Result {
        let secs = u32::try_from(t.to_secs()).map_err(|_| Error::ERANGE)?;
        self.regs.write32(LOAD, secs);
        Ok(())
    }

    fn interrupts(&self) -> Interrupts {
        if self.served.load(Ordering::Relaxed) { Interrupts::Alarm } else { Interrupts::None }
    }

    fn reaches(&self, at: i64, _now: i64) -> bool {
        u32::try_from(at).is_ok()
    }

    fn set_alarm(&self, at: Option<&Time>) {
        self.regs.write32(MASK, 0);
        self.regs.write32(CLEAR, 1);
        if let Some(secs) = at.and_then(|t| u32::try_from(t.to_secs()).ok()) {
            self.regs.write32(MATCH, secs);
            self.regs.write32(MASK, 1);
        }
    }
}

impl irq::Handler for Pl031 {
    fn handle(&self) -> bool {
        if self.regs.read32(MASKED_STATUS) & 1 == 0 {
            return false;
        }
        self.regs.write32(CLEAR, 1);
        let class = *self.class.lock();
        if let Some(class) = class {
            class.alarm_came();
        }
        true
    }
}

static FOUND: SpinLockIrq<Option<&'static Pl031>> = SpinLockIrq::new(None);

fn find() -> Result {
    let Some(d) = platform::fdt_devices(c"arm,pl031").next() else { return Ok(()) };
    let regs = d.map()?;
    regs.write32(MASK, 0);
    regs.write32(CONTROL, 1);
    let clock: &Pl031 = KBox::new(Pl031 { regs, line: d.line().ok(), served: AtomicBool::new(false), class: SpinLockIrq::new(None) }, KERNEL)?.leak();
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

kernel::sched_init!(pl031_find, find);
kernel::device_init!(pl031_start, start);
