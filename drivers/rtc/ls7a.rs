// SPDX-License-Identifier: MIT
//! The clock of Loongson's LS7A bridge (LS7A1000 manual, chapter 19; QEMU's loongarch virt): a calendar in two words. Its alarm is not
//! used: in QEMU the line comes up when the clock is switched on, and nothing that is written to the device takes it down again.

use super::calendar::Time;
use super::Clock;
use crate::platform::{drive, Known};
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Device, Driver};
use kernel::mem::Mmio;
use kernel::platform::{fdt_devices, FdtDevice};
use kernel::sync::SpinLockIrq;
use kernel::{Error, Result};

const NAME: &str = "loongson-rtc";

const TRIM: usize = 0x20;
const WRITE0: usize = 0x24;
const WRITE1: usize = 0x28;
const READ0: usize = 0x2c; // month 31..26, day 25..21, hour 20..16, minute 15..10, second 9..4, tenths
const READ1: usize = 0x30; // years since 1900
const CONTROL: usize = 0x40;
const CONTROL_CALENDAR: u32 = 1 << 11;
const CONTROL_OSCILLATOR: u32 = 1 << 8;

struct Ls7a {
    regs: Mmio,
    pair: SpinLockIrq<()>, // both words are one step
}

impl Ls7a {
    fn new(d: &FdtDevice) -> Result<Ls7a> {
        let regs = d.map()?;
        regs.write32(TRIM, 0);
        regs.write32(CONTROL, regs.read32(CONTROL) | CONTROL_CALENDAR | CONTROL_OSCILLATOR);
        Ok(Ls7a { regs, pair: SpinLockIrq::new(()) })
    }

    /// Both words, of one moment: the years do not change between two equal readings.
    fn words(&self) -> (u32, u32) {
        let mut year = self.regs.read32(READ1);
        loop {
            let rest = self.regs.read32(READ0);
            let again = self.regs.read32(READ1);
            if again == year {
                return (rest, year);
            }
            year = again;
        }
    }
}

impl Clock for Ls7a {
    fn read(&self) -> Result<Time> {
        let (w, year) = self.words();
        let part = |shift: u32, bits: u32| (w >> shift & ((1 << bits) - 1)) as u8;
        let t = Time {
            year: u16::try_from(year)
                .ok()
                .and_then(|y| y.checked_add(1900))
                .ok_or(Error::EINVAL)?
                .into(),
            month: part(26, 6).into(),
            day: part(21, 5).into(),
            hour: part(16, 5).into(),
            min: part(10, 6).into(),
            sec: part(4, 6).into(),
        };
        if t.is_valid() {
            Ok(t)
        } else {
            Err(Error::EINVAL)
        }
    }

    fn set(&self, t: &Time) -> Result {
        let year = u32::try_from(t.year - 1900).map_err(|_| Error::ERANGE)?;
        let w = (t.month as u32) << 26
            | (t.day as u32) << 21
            | (t.hour as u32) << 16
            | (t.min as u32) << 10
            | (t.sec as u32) << 4;
        let _guard = self.pair.lock();
        // The year first: a day that the old one lacks would be taken for the next.
        self.regs.write32(WRITE1, year);
        self.regs.write32(WRITE0, w);
        Ok(())
    }
}

fn probe(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    super::bind(NAME, d, KBox::new(Ls7a::new(d.facts().table()?)?, KERNEL)?, None)
}

static DRIVER: Driver<Known> =
    Driver { name: c"loongson-rtc", matches: |k| k.is("loongson,ls7a-rtc"), probe, fixed: false };

/// Before the first file there is a date.
fn early() -> Result {
    let Some(d) = fdt_devices(c"loongson,ls7a-rtc").next() else { return Ok(()) };
    super::set_system_clock(NAME, &Ls7a::new(&d)?);
    Ok(())
}

fn start() -> Result {
    drive(&DRIVER)
}

kernel::sched_init!(ls7a_early, early);
kernel::device_init!(ls7a_start, start);
