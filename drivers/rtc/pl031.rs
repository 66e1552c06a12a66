// SPDX-License-Identifier: MIT
//! The Arm PL031 (DDI 0224): a count of seconds since 1970, and an alarm when it reaches a value.

use super::calendar::Time;
use super::{Cause, Clock, Interrupts};
use crate::platform::{drive_cells, Known};
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Device, Driver};
use kernel::mem::Mmio;
use kernel::platform::{fdt_devices, FdtDevice};
use kernel::{Error, Result};

const NAME: &str = "rtc-pl031";

const DATA: usize = 0x00;
const MATCH: usize = 0x04;
const LOAD: usize = 0x08;
const CONTROL: usize = 0x0c;
const MASK: usize = 0x10;
const MASKED_STATUS: usize = 0x18;
const CLEAR: usize = 0x1c;

struct Pl031 {
    regs: Mmio,
}

impl Clock for Pl031 {
    fn read(&self) -> Result<Time> {
        Ok(Time::from_secs(self.regs.read32(DATA).into()))
    }

    fn set(&self, t: &Time) -> Result {
        let secs = u32::try_from(t.to_secs()).map_err(|_| Error::ERANGE)?;
        self.regs.write32(LOAD, secs);
        Ok(())
    }

    fn interrupts(&self) -> Interrupts {
        Interrupts::Alarm
    }

    fn cause(&self) -> Cause {
        if self.regs.read32(MASKED_STATUS) & 1 == 0 {
            return Cause::Nothing;
        }
        self.regs.write32(CLEAR, 1);
        Cause::Alarm
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

impl Pl031 {
    fn new(d: &FdtDevice) -> Result<Pl031> {
        let regs = d.map()?;
        regs.write32(MASK, 0);
        regs.write32(CONTROL, 1);
        Ok(Pl031 { regs })
    }
}

fn probe(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let t = d.facts().table()?;
    super::bind(NAME, d, KBox::new(Pl031::new(t)?, KERNEL)?, t.line().ok())
}

static DRIVER: Driver<Known> =
    Driver { name: c"rtc-pl031", matches: |k| k.is_cell(0x41031), probe, fixed: false };

/// Before the first file there is a date.
fn early() -> Result {
    let Some(d) = fdt_devices(c"arm,pl031").next() else { return Ok(()) };
    super::set_system_clock(NAME, &Pl031::new(&d)?);
    Ok(())
}

fn start() -> Result {
    drive_cells(&DRIVER)
}

kernel::sched_init!(pl031_early, early);
kernel::device_init!(pl031_start, start);
