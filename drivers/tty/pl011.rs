// SPDX-License-Identifier: MIT
//! The Arm PL011 UART (DDI 0183) that the device tree names: ttyAMA0 to ttyAMA3.
//!
//! Sending: bytes wait in a ring and are moved while the FIFO has room; if some are left the transmit interrupt, which comes when
//! the FIFO has drained, moves the next ones. Receiving: the interrupt empties the FIFO into the terminal layer. One lock for both,
//! taken with interrupts off. The firmware's line settings are kept but for the word length: the rate of its clock is not known here.

use super::port::{self, Frame, Port, TIOCM_CD, TIOCM_CTS, TIOCM_DSR, TIOCM_DTR, TIOCM_RI, TIOCM_RTS};
use crate::platform::{drive, drive_cells, Known, Stays};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Device, Driver};
use kernel::mem::Mmio;
use kernel::sync::SpinLockIrq;
use kernel::tty::{self, Flag, Settings};
use kernel::{irq, platform, pr_info, Error, Result};

const DR: usize = 0x00;
const FR: usize = 0x18;
const LCRH: usize = 0x2c;
const CR: usize = 0x30;
const IFLS: usize = 0x34;
const IMSC: usize = 0x38;
const MIS: usize = 0x40;
const ICR: usize = 0x44;

const FR_BUSY: u32 = 1 << 3;
const FR_RXFE: u32 = 1 << 4;
const FR_TXFF: u32 = 1 << 5;
const INT_RX: u32 = 1 << 4;
const INT_TX: u32 = 1 << 5;
const INT_RX_TIMEOUT: u32 = 1 << 6;
const DR_FRAME: u32 = 1 << 8;
const DR_PARITY: u32 = 1 << 9;
const DR_BREAK: u32 = 1 << 10;
const LCRH_BREAK: u32 = 1;
const LCRH_FIFO: u32 = 1 << 4;
const CR_ON: u32 = 1 | 1 << 8 | 1 << 9;
/// Bytes sent with interrupts off, more than any FIFO holds: a port that sends at once (QEMU's) is never full, and interrupts again.
const AT_ONCE: usize = 256;
const CR_DTR: u32 = 1 << 10;
const CR_RTS: u32 = 1 << 11;

struct State {
    port: Port,
    mask: u32,
    lcrh: u32,
    cr: u32,
}

struct Uart {
    regs: Mmio,
    state: SpinLockIrq<State>,
}

impl Uart {
    fn set_mask(&self, s: &mut State, mask: u32) {
        if mask != s.mask {
            s.mask = mask;
            self.regs.write32(IMSC, mask);
        }
    }

    /// Moves what fits into the FIFO. True when the ring has drained to where writers are worth waking.
    fn feed(&self, s: &mut State) -> bool {
        let before = s.port.used();
        for _ in 0..AT_ONCE {
            if s.port.used() == 0 || self.regs.read32(FR) & FR_TXFF != 0 {
                break;
            }
            if let Some(b) = s.port.take() {
                self.regs.write32(DR, u32::from(b));
            }
        }
        let mask = if s.port.used() > 0 { s.mask | INT_TX } else { s.mask & !INT_TX };
        self.set_mask(s, mask);
        s.port.has_drained(before)
    }

    /// Up to 64 bytes; false when the FIFO is empty.
    fn drain_receiver(&self, s: &State) -> bool {
        s.port.receive(|| {
            if self.regs.read32(FR) & FR_RXFE != 0 {
                return None;
            }
            let v = self.regs.read32(DR);
            let flag = match v {
                v if v & DR_BREAK != 0 => Flag::Break,
                v if v & DR_PARITY != 0 => Flag::Parity,
                v if v & DR_FRAME != 0 => Flag::Frame,
                _ => Flag::Normal,
            };
            Some(((v & 0xff) as u8, flag))
        })
    }
}

impl irq::Handler for Uart {
    fn handle(&self) -> bool {
        let mut s = self.state.lock();
        let cause = self.regs.read32(MIS);
        if cause == 0 {
            return false;
        }
        // Those of the receiver end as its FIFO is read (3.4.2): what is left in it interrupts again.
        self.regs.write32(ICR, cause & !(INT_RX | INT_RX_TIMEOUT));
        // A device whose FIFO never empties is left after a while, with interrupts on in between.
        for _ in 0..16 {
            if !self.drain_receiver(&s) {
                break;
            }
        }
        if self.feed(&mut s) {
            s.port.wake_writers();
        }
        true
    }
}

impl tty::Line for Uart {
    fn open(&self) -> Result {
        let mut s = self.state.lock();
        s.port.receiving = true;
        s.cr = CR_ON | CR_DTR | CR_RTS;
        self.regs.write32(CR, s.cr);
        self.regs.write32(IFLS, 0x10); // receive at half, transmit at an eighth
        self.regs.write32(ICR, 0x7ff);
        let mask = s.mask | INT_RX | INT_RX_TIMEOUT;
        self.set_mask(&mut s, mask);
        Ok(())
    }

    fn close(&self) {
        let mut s = self.state.lock();
        s.port.receiving = false;
        let mask = s.mask & INT_TX;
        self.set_mask(&mut s, mask);
    }

    fn write(&self, bytes: &[u8]) -> usize {
        let mut s = self.state.lock();
        let n = s.port.put(bytes);
        self.feed(&mut s);
        n
    }

    fn write_room(&self) -> usize {
        self.state.lock().port.room()
    }

    fn pending(&self) -> usize {
        let s = self.state.lock();
        let sending = self.regs.read32(FR) & FR_BUSY != 0;
        s.port.used() + usize::from(sending)
    }

    fn flush(&self) {
        self.state.lock().port.clear();
    }

    fn configure(&self, c: Settings) {
        let mut s = self.state.lock();
        let f = Frame::of(c);
        let parity = f.odd.map_or(0, |odd| if odd { 1 << 1 } else { 3 << 1 });
        let lcrh = LCRH_FIFO | f.bits << 5 | if f.two_stop { 1 << 3 } else { 0 } | parity;
        s.port.receiving = f.receives;
        if lcrh != s.lcrh {
            s.lcrh = lcrh;
            self.regs.write32(LCRH, lcrh);
        }
        if c.baud == 0 {
            s.cr &= !(CR_DTR | CR_RTS); // B0 hangs up
            self.regs.write32(CR, s.cr);
        }
    }

    fn set_break(&self, on: bool) {
        let mut s = self.state.lock();
        s.lcrh = if on { s.lcrh | LCRH_BREAK } else { s.lcrh & !LCRH_BREAK };
        self.regs.write32(LCRH, s.lcrh);
    }

    fn modem(&self) -> u32 {
        let s = self.state.lock();
        let fr = self.regs.read32(FR);
        let mut m = port::lines(fr, &[(1 << 0, TIOCM_CTS), (1 << 1, TIOCM_DSR), (1 << 2, TIOCM_CD), (1 << 8, TIOCM_RI)]);
        if s.cr & CR_DTR != 0 {
            m |= TIOCM_DTR;
        }
        if s.cr & CR_RTS != 0 {
            m |= TIOCM_RTS;
        }
        m
    }

    fn set_modem(&self, set: u32, clear: u32) {
        let mut s = self.state.lock();
        for (line, bit) in [(TIOCM_DTR, CR_DTR), (TIOCM_RTS, CR_RTS)] {
            if clear & line != 0 {
                s.cr &= !bit;
            }
            if set & line != 0 {
                s.cr |= bit;
            }
        }
        self.regs.write32(CR, s.cr);
    }
}

static NAMES: [&core::ffi::CStr; 4] = [c"ttyAMA0", c"ttyAMA1", c"ttyAMA2", c"ttyAMA3"];

fn add(i: u32, d: platform::FdtDevice, name: &'static core::ffi::CStr) -> Result {
    let line = d.line().map_err(|_| Error::ENXIO)?;
    let regs = d.map()?;
    regs.write32(IMSC, 0);
    let state = State { port: Port::new()?, mask: 0, lcrh: 0, cr: 0 };
    let uart = KBox::new(Uart { regs, state: SpinLockIrq::new(state) }, KERNEL)?.leak();
    let registered = irq::request(line, uart, name, false)?;
    tty::register(name, 204, 64 + i, uart, i == 0, |t| uart.state.lock().port.tty = Some(t))?;
    registered.keep();
    pr_info!("serial: ttyAMA{} at {:#x}, irq {}\n", i, d.base(), line.number());
    Ok(())
}

/// The number that the next port gets.
static NEXT: AtomicU32 = AtomicU32::new(0);

fn probe(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let stays = KBox::new(Stays, KERNEL)?;
    let i = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = NAMES.get(i as usize).ok_or(Error::ENOSPC)?;
    add(i, *d.facts().table()?, name)?;
    Ok(stays)
}

// A terminal stays, and so do its port and its interrupt: programs do not unbind these.
static CELL: Driver<Known> = Driver { name: c"uart-pl011", matches: |k| k.is_cell(0x41011), probe, fixed: true };
static OF_ACPI: Driver<Known> = Driver { name: c"sbsa-uart", matches: |k| k.is("arm,pl011"), probe, fixed: true };

fn init() -> Result {
    drive_cells(&CELL)?;
    drive(&OF_ACPI)
}

kernel::device_init!(pl011, init);
