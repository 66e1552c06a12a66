// SPDX-License-Identifier: MIT
//! The PC's battery clock: MC146818 and what came after it (Motorola MC146818A data sheet).
//!
//! Read once at the scheduler's level, so that the first file already has the right time; it gets its number when drivers start. Registers are reached through an index and a data port: one lock, taken with interrupts off.

use super::calendar::{self, Time};
use super::{Cause, Clock, Interrupts};
use crate::platform::{drive, Known};
use core::fmt;
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Device, Driver};
use kernel::io::{CmosRtc, Ports};
use kernel::sync::SpinLockIrq;
use kernel::uapi::rtc as abi;
use kernel::{time, Error, Result};

const NAME: &str = "rtc_cmos";

const SEC: u8 = 0x00;
const SEC_ALARM: u8 = 0x01;
const MIN: u8 = 0x02;
const MIN_ALARM: u8 = 0x03;
const HOUR: u8 = 0x04;
const HOUR_ALARM: u8 = 0x05;
const DAY_OF_WEEK: u8 = 0x06;
const DAY: u8 = 0x07;
const MONTH: u8 = 0x08;
const YEAR: u8 = 0x09;
const A: u8 = 0x0a;
const B: u8 = 0x0b;
const C: u8 = 0x0c;
const D: u8 = 0x0d;

const A_UPDATING: u8 = 0x80;
const A_RESET: u8 = 0x70; // the divider stands still; half a second after it is let go the first update comes
const B_SET: u8 = 0x80;
const B_PERIODIC: u8 = 0x40;
const B_ALARM: u8 = 0x20;
const B_UPDATE: u8 = 0x10;
const B_BINARY: u8 = 0x04;
const B_24H: u8 = 0x02;
const D_VALID: u8 = 0x80;
const HOUR_PM: u8 = 0x80;

/// The registers; only with the lock.
struct Regs {
    ports: Ports,
    century: u8,
    missed: u8, // interrupts that were seen, and so acknowledged, outside of the handler
}

/// How numbers stand in the registers.
#[derive(Clone, Copy)]
struct Format {
    binary: bool,
    h24: bool,
}

impl Format {
    fn decode(self, v: u8) -> i32 {
        i32::from(if self.binary { v } else { (v >> 4) * 10 + (v & 15) })
    }

    /// A number below 100.
    fn encode(self, v: i32) -> u8 {
        let v = v as u8;
        if self.binary {
            v
        } else {
            ((v / 10) << 4) | (v % 10)
        }
    }

    fn decode_hour(self, v: u8) -> i32 {
        if self.h24 {
            return self.decode(v);
        }
        self.decode(v & !HOUR_PM) % 12 + if v & HOUR_PM != 0 { 12 } else { 0 }
    }

    fn encode_hour(self, h: i32) -> u8 {
        if self.h24 {
            return self.encode(h);
        }
        let twelve = if h % 12 == 0 { 12 } else { h % 12 };
        self.encode(twelve) | if h >= 12 { HOUR_PM } else { 0 }
    }
}

impl Regs {
    fn read(&mut self, reg: u8) -> u8 {
        self.ports.write8(0, reg);
        self.ports.read8(1)
    }

    fn write(&mut self, reg: u8, v: u8) {
        self.ports.write8(0, reg);
        self.ports.write8(1, v);
    }

    fn format(&mut self) -> Format {
        let b = self.read(B);
        Format { binary: b & B_BINARY != 0, h24: b & B_24H != 0 }
    }

    /// The date, unless it changes under our hands.
    fn date(&mut self) -> Option<Time> {
        if self.read(A) & A_UPDATING != 0 {
            return None;
        }
        let f = self.format();
        let sec = self.read(SEC);
        let mut t = Time {
            sec: f.decode(sec),
            min: f.decode(self.read(MIN)),
            hour: f.decode_hour(self.read(HOUR)),
            day: f.decode(self.read(DAY)),
            month: f.decode(self.read(MONTH)),
            year: f.decode(self.read(YEAR)),
        };
        t.year += match self.century {
            0 if t.year < 70 => 2000,
            0 => 1900,
            reg => f.decode(self.read(reg)) * 100,
        };
        (self.read(A) & A_UPDATING == 0 && self.read(SEC) == sec).then_some(t)
    }

    /// Turns interrupts (bits of B) on or off; what these had pending before is forgotten. Reading C acknowledges the others too: the
    /// handler, whose line was raised already, is told by `missed`.
    fn set_interrupts(&mut self, bits: u8, on: bool) {
        let b = self.read(B);
        self.write(B, b & !bits);
        self.missed = (self.missed | self.read(C) & b & (B_PERIODIC | B_ALARM | B_UPDATE)) & !bits;
        if on {
            self.write(B, b | bits);
        }
    }
}

struct Cmos {
    regs: SpinLockIrq<Regs>,
}

impl Clock for Cmos {
    fn read(&self) -> Result<Time> {
        // An update takes 2.2 ms at most; a clock that updates for a tenth of a second is broken.
        for _ in 0..1000 {
            let date = self.regs.lock().date();
            match date {
                Some(t) => return if t.is_valid() { Ok(t) } else { Err(Error::EINVAL) },
                None => time::delay_us(100),
            }
        }
        Err(Error::EIO)
    }

    fn set(&self, t: &Time) -> Result {
        let mut r = self.regs.lock();
        if r.century == 0 && !(1970..2070).contains(&t.year) {
            return Err(Error::ERANGE);
        }
        let f = r.format();
        let (a, b) = (r.read(A), r.read(B));
        r.write(B, b | B_SET);
        r.write(A, a | A_RESET);
        r.write(SEC, f.encode(t.sec));
        r.write(MIN, f.encode(t.min));
        r.write(HOUR, f.encode_hour(t.hour));
        r.write(DAY_OF_WEEK, f.encode(t.weekday() + 1));
        r.write(DAY, f.encode(t.day));
        r.write(MONTH, f.encode(t.month));
        r.write(YEAR, f.encode(t.year % 100));
        if r.century != 0 {
            let at = r.century;
            r.write(at, f.encode(t.year / 100));
        }
        r.write(B, b & !B_SET);
        r.write(A, a & !A_UPDATING);
        Ok(())
    }

    fn interrupts(&self) -> Interrupts {
        Interrupts::Each
    }

    fn cause(&self) -> Cause {
        let mut r = self.regs.lock();
        let seen = core::mem::take(&mut r.missed)
            | r.read(C) & (r.read(B) & (B_PERIODIC | B_ALARM | B_UPDATE));
        if seen & B_ALARM != 0 {
            let b = r.read(B); // it would come again tomorrow
            r.write(B, b & !B_ALARM);
        }
        match u32::from(seen) {
            0 => Cause::Nothing,
            kinds => Cause::Kinds(kinds & (abi::PF | abi::AF | abi::UF)),
        }
    }

    /// It compares the time of day alone.
    fn reaches(&self, at: i64, now: i64) -> bool {
        at - now < calendar::DAY
    }

    fn set_alarm(&self, at: Option<&Time>) {
        let mut r = self.regs.lock();
        r.set_interrupts(B_ALARM, false);
        if let Some(t) = at {
            let f = r.format();
            r.write(SEC_ALARM, f.encode(t.sec));
            r.write(MIN_ALARM, f.encode(t.min));
            r.write(HOUR_ALARM, f.encode_hour(t.hour));
            r.set_interrupts(B_ALARM, true);
        }
    }

    fn set_update(&self, on: bool) {
        self.regs.lock().set_interrupts(B_UPDATE, on);
    }

    fn set_periodic(&self, hz: u32) {
        let mut r = self.regs.lock();
        r.set_interrupts(B_PERIODIC, false);
        if hz != 0 {
            // 3 is 8192 a second, 15 is 2.
            let rate = 16 - hz.trailing_zeros().clamp(1, 13) as u8;
            let a = r.read(A);
            r.write(A, a & 0x70 | rate);
            r.set_interrupts(B_PERIODIC, true);
        }
    }

    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (a, b, d) = {
            let mut r = self.regs.lock();
            (r.read(A), r.read(B), r.read(D))
        };
        let yes = |bit: u8| if b & bit != 0 { "yes" } else { "no" };
        let hz = if a & 15 == 0 { 0 } else { 65_536u32 >> (a & 15) };
        writeln!(
            out,
            "periodic_IRQ\t: {}\nupdate_IRQ\t: {}\nHPET_emulated\t: no",
            yes(B_PERIODIC),
            yes(B_UPDATE)
        )?;
        writeln!(
            out,
            "BCD\t\t: {}\nDST_enable\t: {}\nperiodic_freq\t: {}",
            if b & B_BINARY == 0 { "yes" } else { "no" },
            yes(1),
            hz
        )?;
        writeln!(out, "batt_status\t: {}", if d & D_VALID != 0 { "okay" } else { "dead" })
    }
}

impl Cmos {
    /// `ENODEV`: nothing answers.
    fn new(found: &CmosRtc) -> Result<Cmos> {
        let mut regs = Regs { ports: found.ports, century: found.century, missed: 0 };
        if regs.read(D) == 0xff {
            return Err(Error::ENODEV);
        }
        regs.set_interrupts(B_PERIODIC | B_ALARM | B_UPDATE, false);
        Ok(Cmos { regs: SpinLockIrq::new(regs) })
    }
}

fn probe(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let found = Ports::cmos_rtc().ok_or(Error::ENODEV)?;
    super::bind(NAME, d, KBox::new(Cmos::new(&found)?, KERNEL)?, found.line)
}

static DRIVER: Driver<Known> =
    Driver { name: c"rtc_cmos", matches: |k| k.is_named("rtc_cmos"), probe, fixed: false };

fn early() -> Result {
    let Some(found) = Ports::cmos_rtc() else { return Ok(()) };
    if let Ok(cmos) = Cmos::new(&found) {
        super::set_system_clock(NAME, &cmos);
    }
    Ok(())
}

fn start() -> Result {
    drive(&DRIVER)
}

kernel::sched_init!(cmos_early, early);
kernel::device_init!(cmos_start, start);
