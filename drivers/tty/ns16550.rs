// SPDX-License-Identifier: MIT
//! The 16550 UART (National Semiconductor PC16550D data sheet) on the PC's legacy ports, or in memory where a device tree names it:
//! ttyS0 to ttyS3.
//!
//! Sending: bytes wait in a ring; while it holds any the transmitter-empty interrupt is on and moves 16 at a time. Receiving: the
//! interrupt empties the FIFO into the terminal layer. One lock for both, taken with interrupts off.

use super::port::{self, Frame, Port, TIOCM_CD, TIOCM_CTS, TIOCM_DSR, TIOCM_DTR, TIOCM_RI, TIOCM_RTS};
use crate::platform::{drive, Known, Stays};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::alloc::{KBox, KERNEL};
use kernel::device::{Bound, Device, Driver};
use kernel::io::Ports;
use kernel::mem::Mmio;
use kernel::sync::SpinLockIrq;
use kernel::tty::{self, Flag, Settings};
use kernel::{irq, platform, pr_info, pr_warn, Error, Result};

const RBR_THR: u16 = 0;
const IER: u16 = 1;
const IIR_FCR: u16 = 2;
const LCR: u16 = 3;
const MCR: u16 = 4;
const LSR: u16 = 5;
const MSR: u16 = 6;
const SCR: u16 = 7;

const IER_RX: u8 = 0x01;
const IER_TX: u8 = 0x02;
const IER_LINE: u8 = 0x04;
const LSR_DATA: u8 = 0x01;
const LSR_PARITY: u8 = 0x04;
const LSR_FRAME: u8 = 0x08;
const LSR_BREAK: u8 = 0x10;
const LSR_THR_EMPTY: u8 = 0x20;
const LSR_ALL_SENT: u8 = 0x40;
const LCR_DLAB: u8 = 0x80;
const LCR_BREAK: u8 = 0x40;
const MCR_DTR: u8 = 0x01;
const MCR_RTS: u8 = 0x02;
const MCR_OUT2: u8 = 0x08;
const FIFO: usize = 16;
/// FIFOs that one interrupt fills: a port that sends at once (QEMU's) would have the whole ring with interrupts off.
const FIFOS_AT_ONCE: usize = 16;
const PC_CLOCK: u32 = 115_200;

struct State {
    port: Port,
    ier: u8,
    lcr: u8,
    mcr: u8,
}

/// How its eight registers are reached.
trait Registers: Sync + 'static {
    fn read8(&self, reg: u16) -> u8;
    fn write8(&self, reg: u16, v: u8);
}

impl Registers for Ports {
    fn read8(&self, reg: u16) -> u8 {
        Ports::read8(self, reg)
    }

    fn write8(&self, reg: u16, v: u8) {
        Ports::write8(self, reg, v);
    }
}

/// In memory, 1 << `shift` bytes apart; `wide`: only whole words can be read and written.
struct Memory {
    regs: Mmio,
    shift: u32,
    wide: bool,
}

impl Registers for Memory {
    fn read8(&self, reg: u16) -> u8 {
        let off = usize::from(reg) << self.shift;
        if self.wide { self.regs.read32(off) as u8 } else { self.regs.read8(off) }
    }

    fn write8(&self, reg: u16, v: u8) {
        let off = usize::from(reg) << self.shift;
        if self.wide { self.regs.write32(off, u32::from(v)) } else { self.regs.write8(off, v) }
    }
}

struct Uart<R> {
    ports: R,
    clock: u32, // sixteenth of the rate that it is driven with
    state: SpinLockIrq<State>,
}

/// Is a UART there? Its scratch register keeps what is written, and its interrupt enable has four bits.
fn probe(ports: &Ports) -> bool {
    let ier = ports.read8(IER);
    ports.write8(IER, 0);
    if ports.read8(IER) & 0x0f != 0 {
        return false;
    }
    ports.write8(IER, 0x0f);
    let seen = ports.read8(IER) & 0x0f;
    ports.write8(IER, ier);
    ports.write8(SCR, 0x5a);
    seen == 0x0f && ports.read8(SCR) == 0x5a
}

impl<R: Registers> Uart<R> {
    /// Moves what fits into the FIFO. True when the ring has drained to where writers are worth waking.
    /// While bytes are left the transmitter-empty interrupt is on, also where the FIFO is still busy with what was there before.
    fn feed(&self, s: &mut State) -> bool {
        let before = s.port.used();
        if self.ports.read8(LSR) & LSR_THR_EMPTY != 0 {
            for _ in 0..FIFO {
                match s.port.take() {
                    Some(b) => self.ports.write8(RBR_THR, b),
                    None => break,
                }
            }
        }
        self.ask_to_send(s, s.port.used() > 0);
        s.port.has_drained(before)
    }

    /// Switches the transmitter-empty interrupt. Switching it on with the FIFO empty raises it, whatever was read before.
    fn ask_to_send(&self, s: &mut State, on: bool) {
        let want = if on { s.ier | IER_TX } else { s.ier & !IER_TX };
        if want != s.ier {
            s.ier = want;
            self.ports.write8(IER, want);
        }
    }

    fn drain_receiver(&self, s: &State) {
        s.port.receive(|| {
            let lsr = self.ports.read8(LSR);
            if lsr & LSR_DATA == 0 {
                return None;
            }
            let flag = match lsr {
                l if l & LSR_BREAK != 0 => Flag::Break,
                l if l & LSR_PARITY != 0 => Flag::Parity,
                l if l & LSR_FRAME != 0 => Flag::Frame,
                _ => Flag::Normal,
            };
            Some((self.ports.read8(RBR_THR), flag))
        });
    }
}

impl<R: Registers> irq::Handler for Uart<R> {
    fn handle(&self) -> bool {
        let mut s = self.state.lock();
        let (mut ours, mut fed) = (false, 0);
        // Each pass serves one cause; a broken device that never stops asking is left after a while.
        for _ in 0..256 {
            let iir = self.ports.read8(IIR_FCR);
            if iir & 1 != 0 {
                break;
            }
            ours = true;
            match iir & 0x0e {
                0x04 | 0x0c => self.drain_receiver(&s),
                0x02 => {
                    if self.feed(&mut s) {
                        s.port.wake_writers();
                    }
                    fed += 1;
                    if fed == FIFOS_AT_ONCE {
                        self.ask_to_send(&mut s, false);
                    }
                }
                0x06 => {
                    self.ports.read8(LSR);
                    self.drain_receiver(&s);
                }
                _ => {
                    self.ports.read8(MSR);
                }
            }
        }
        // With no cause left the line is low, so what is raised now is an edge: an interrupt of its own for the rest.
        if fed >= FIFOS_AT_ONCE {
            let left = s.port.used() > 0;
            self.ask_to_send(&mut s, left);
        }
        ours
    }
}

impl<R: Registers> tty::Line for Uart<R> {
    fn open(&self) -> Result {
        let mut s = self.state.lock();
        self.ports.write8(IIR_FCR, 0x03); // FIFOs on, what was received before dropped, interrupt at one byte; the console may be sending
        s.port.receiving = true;
        s.mcr = MCR_DTR | MCR_RTS | MCR_OUT2;
        self.ports.write8(MCR, s.mcr);
        s.ier = s.ier & IER_TX | IER_RX | IER_LINE; // the console may wait for room
        self.ports.write8(IER, s.ier);
        Ok(())
    }

    fn close(&self) {
        let mut s = self.state.lock();
        s.port.receiving = false;
        s.ier &= IER_TX;
        self.ports.write8(IER, s.ier);
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
        let sending = self.ports.read8(LSR) & LSR_ALL_SENT == 0;
        s.port.used() + usize::from(sending)
    }

    fn flush(&self) {
        self.state.lock().port.clear();
    }

    fn configure(&self, c: Settings) {
        let mut s = self.state.lock();
        let f = Frame::of(c);
        let parity = f.odd.map_or(0, |odd| if odd { 0x08 } else { 0x18 });
        let lcr = f.bits as u8 | if f.two_stop { 0x04 } else { 0 } | parity;
        s.lcr = lcr;
        s.port.receiving = f.receives;
        if c.baud == 0 {
            s.mcr &= !(MCR_DTR | MCR_RTS); // B0 hangs up
            self.ports.write8(MCR, s.mcr);
            return;
        }
        let divisor = (self.clock / c.baud).clamp(1, 0xffff);
        self.ports.write8(LCR, lcr | LCR_DLAB);
        self.ports.write8(RBR_THR, (divisor & 0xff) as u8);
        self.ports.write8(IER, (divisor >> 8) as u8);
        self.ports.write8(LCR, lcr);
        self.ports.write8(IER, s.ier);
    }

    fn set_break(&self, on: bool) {
        let mut s = self.state.lock();
        s.lcr = if on { s.lcr | LCR_BREAK } else { s.lcr & !LCR_BREAK };
        self.ports.write8(LCR, s.lcr);
    }

    fn modem(&self) -> u32 {
        let s = self.state.lock();
        let msr = u32::from(self.ports.read8(MSR));
        let mut m = port::lines(msr, &[(0x10, TIOCM_CTS), (0x20, TIOCM_DSR), (0x40, TIOCM_RI), (0x80, TIOCM_CD)]);
        if s.mcr & MCR_DTR != 0 {
            m |= TIOCM_DTR;
        }
        if s.mcr & MCR_RTS != 0 {
            m |= TIOCM_RTS;
        }
        m
    }

    fn set_modem(&self, set: u32, clear: u32) {
        let mut s = self.state.lock();
        for (line, bit) in [(TIOCM_DTR, MCR_DTR), (TIOCM_RTS, MCR_RTS)] {
            if clear & line != 0 {
                s.mcr &= !bit;
            }
            if set & line != 0 {
                s.mcr |= bit;
            }
        }
        self.ports.write8(MCR, s.mcr);
    }
}

static NAMES: [&core::ffi::CStr; 4] = [c"ttyS0", c"ttyS1", c"ttyS2", c"ttyS3"];

fn add<R: Registers>(i: u32, ports: R, clock: u32, line: Option<irq::Line>, name: &'static core::ffi::CStr) -> Result {
    let state = State { port: Port::new()?, ier: 0, lcr: 0x03, mcr: 0 };
    let uart = KBox::new(Uart { ports, clock, state: SpinLockIrq::new(state) }, KERNEL)?.leak();
    let registered = irq::request(line.ok_or(Error::ENXIO)?, uart, name, true)?;
    tty::register(name, 4, 64 + i, uart, i == 0, |t| uart.state.lock().port.tty = Some(t))?;
    registered.keep();
    Ok(())
}

fn add_from_tree(i: u32, d: platform::FdtDevice, name: &'static core::ffi::CStr) -> Result {
    let shift = d.number(c"reg-shift").unwrap_or(0).min(4) as u32;
    let regs = Memory { regs: d.map()?, shift, wide: d.number(c"reg-io-width") == Some(4) };
    let clock = d.number(c"clock-frequency").and_then(|hz| u32::try_from(hz / 16).ok()).filter(|c| *c > 0);
    regs.write8(IER, 0);
    add(i, regs, clock.unwrap_or(PC_CLOCK), d.line().ok(), name)?;
    pr_info!("serial: ttyS{} at {:#x}, irq {}\n", i, d.base(), d.line()?.number());
    Ok(())
}

/// The number that the next port of a device tree gets.
static NEXT: AtomicU32 = AtomicU32::new(0);

fn probe_pc(_d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let stays = KBox::new(Stays, KERNEL)?;
    for (i, name) in (0u32..).zip(NAMES) {
        let Some((ports, line)) = Ports::legacy_uart(i) else { break };
        if probe(&ports) {
            if let Err(e) = add(i, ports, PC_CLOCK, line, name) {
                pr_warn!("serial: ttyS{i}: error {}\n", e.code());
                continue;
            }
            pr_info!("serial: ttyS{} at port {:#x}, irq {}\n", i, ports.base(), line.map_or(-1, |l| l.number()));
        }
    }
    Ok(stays)
}

fn probe_in_tree(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let stays = KBox::new(Stays, KERNEL)?;
    let i = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = NAMES.get(i as usize).ok_or(Error::ENOSPC)?;
    add_from_tree(i, *d.facts().table()?, name)?;
    Ok(stays)
}

// A terminal stays, and so do its port and its interrupt: programs do not unbind these.
static PC: Driver<Known> = Driver { name: c"serial8250", matches: |k| k.is_named("serial8250"), probe: probe_pc, fixed: true };
static IN_TREE: Driver<Known> = Driver { name: c"of_serial", matches: |k| k.is("ns16550a"), probe: probe_in_tree, fixed: true };

fn init() -> Result {
    drive(&PC)?;
    drive(&IN_TREE)
}

kernel::device_init!(ns16550, init);
