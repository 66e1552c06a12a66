// SPDX-License-Identifier: MIT
//! The Arm PL031 (DDI 0224): a count of seconds since 1970. Its alarm is not used.

use super::calendar::Time;
use super::Clock;
use kernel::alloc::{KBox, KERNEL};
use kernel::mem::Mmio;
use kernel::sync::SpinLockIrq;
use kernel::{platform, Error, Result};

const DATA: usize = 0x00;
const LOAD: usize = 0x08;
const CONTROL: usize = 0x0c;
const MASK: usize = 0x10;

struct Pl031 {
    regs: Mmio,
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
}

static FOUND: SpinLockIrq<Option<&'static Pl031>> = SpinLockIrq::new(None);

fn find() -> Result {
    let Some(d) = platform::fdt_devices(c"arm,pl031").next() else { return Ok(()) };
    let regs = d.map()?;
    regs.write32(MASK, 0);
    regs.write32(CONTROL, 1);
    let clock: &Pl031 = KBox::new(Pl031 { regs }, KERNEL)?.leak();
    *FOUND.lock() = Some(clock);
    super::set_system_clock(clock);
    Ok(())
}

fn start() -> Result {
    let Some(clock) = *FOUND.lock() else { return Ok(()) };
    super::register(clock).map(|_| ())
}

kernel::sched_init!(pl031_find, find);
kernel::device_init!(pl031_start, start);
