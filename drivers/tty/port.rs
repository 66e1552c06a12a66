// SPDX-License-Identifier: MIT
//! What serial ports of all makes share: the bytes that wait to be sent, the batches that are received, what a termios asks for.

use kernel::alloc::{KSlice, KERNEL};
use kernel::tty::{Flag, Settings, Tty};
use kernel::Result;

/// Bytes that a port holds back until its FIFO has room.
pub const RING: usize = 4096; // not a page

// c_cflag bits of termios(3).
const CSIZE: u32 = 0o60;
const CSTOPB: u32 = 0o100;
const CREAD: u32 = 0o200;
const PARENB: u32 = 0o400;
const PARODD: u32 = 0o1000;
/// Modem lines of ioctl_tty(2).
pub const TIOCM_DTR: u32 = 0x002;
/// Request to send.
pub const TIOCM_RTS: u32 = 0x004;
/// Clear to send.
pub const TIOCM_CTS: u32 = 0x020;
/// Carrier.
pub const TIOCM_CD: u32 = 0x040;
/// Ring.
pub const TIOCM_RI: u32 = 0x080;
/// Data set ready.
pub const TIOCM_DSR: u32 = 0x100;

/// Of `pairs` (bit of `status`, line), the lines whose bits are set.
pub fn lines(status: u32, pairs: &[(u32, u32)]) -> u32 {
    pairs.iter().filter(|(bit, _)| status & bit != 0).fold(0, |all, (_, line)| all | line)
}

/// What a line is set to, as registers want it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Bits of a character less 5.
    pub bits: u32,
    /// Two stop bits.
    pub two_stop: bool,
    /// Parity: odd, even, none.
    pub odd: Option<bool>,
    /// What arrives is wanted.
    pub receives: bool,
}

impl Frame {
    /// What those settings ask for.
    pub fn of(s: Settings) -> Frame {
        let c = s.cflag;
        let odd = (c & PARENB != 0).then_some(c & PARODD != 0);
        Frame { bits: (c & CSIZE) >> 4, two_stop: c & CSTOPB != 0, odd, receives: c & CREAD != 0 }
    }
}

/// A port's part that is not registers. Its driver's lock guards it.
pub struct Port {
    bytes: KSlice<u8>,
    head: usize,
    tail: usize,
    /// Somebody has it open and wants what arrives.
    pub receiving: bool,
    /// Its terminal, once that is registered.
    pub tty: Option<Tty>,
}

impl Port {
    /// A closed port with nothing to send.
    pub fn new() -> Result<Port> {
        Ok(Port { bytes: KSlice::from_fn(RING, KERNEL, |_| 0)?, head: 0, tail: 0, receiving: false, tty: None })
    }

    /// Bytes that wait.
    pub fn used(&self) -> usize {
        self.head.wrapping_sub(self.tail)
    }

    /// Bytes that fit.
    pub fn room(&self) -> usize {
        RING - self.used()
    }

    /// Takes what fits of `bytes`; how many.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        for b in bytes.iter().take(n) {
            if let Some(slot) = self.bytes.get_mut(self.head % RING) {
                *slot = *b;
            }
            self.head = self.head.wrapping_add(1);
        }
        n
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        self.tail = self.head;
    }

    /// The next byte to send.
    pub fn take(&mut self) -> Option<u8> {
        if self.used() == 0 {
            return None;
        }
        let b = self.bytes.get(self.tail % RING).copied();
        self.tail = self.tail.wrapping_add(1);
        b
    }

    /// Whether so many have gone since there were `before` that writers are worth waking.
    pub fn has_drained(&self, before: usize) -> bool {
        before > self.used() && self.used() < RING / 2
    }

    /// Gives the terminal what `next` reads, 64 bytes at most; true when there may be more.
    pub fn receive(&self, mut next: impl FnMut() -> Option<(u8, Flag)>) -> bool {
        let mut bytes = [0u8; 64];
        let mut flags = [Flag::Normal; 64];
        let mut n = 0;
        for (byte, flag) in bytes.iter_mut().zip(flags.iter_mut()) {
            let Some((b, f)) = next() else { break };
            (*byte, *flag) = (b, f);
            n += 1;
        }
        if let (Some(tty), true, Some(b), Some(f)) = (self.tty, self.receiving, bytes.get(..n), flags.get(..n)) {
            tty.receive(b, f);
        }
        n == bytes.len()
    }

    /// There is room again.
    pub fn wake_writers(&self) {
        if let Some(tty) = self.tty {
            tty.wakeup();
        }
    }
}

fn rings(_run: &mut kernel::ktest::Run<'_>) -> Result {
    use kernel::{kt_assert, kt_eq};
    let mut p = Port::new()?;
    // Round and round, in pieces that do not divide the ring.
    let (mut put, mut taken) = (0u32, 0u32);
    for _ in 0..200 {
        let mut piece = [0u8; 100];
        for b in &mut piece {
            *b = put as u8;
            put += 1;
        }
        kt_eq!(p.put(&piece), 100);
        while p.used() > 37 {
            kt_eq!(p.take(), Some(taken as u8));
            taken += 1;
        }
    }
    p.clear();
    kt_eq!((p.used(), p.room(), p.take()), (0, RING, None));
    kt_eq!(p.put(&[7; RING + 5]), RING);
    kt_eq!((p.put(&[8]), p.room()), (0, 0));
    kt_assert!(!p.has_drained(RING));
    for _ in 0..=RING / 2 {
        kt_eq!(p.take(), Some(7));
    }
    kt_assert!(p.has_drained(RING) && !p.has_drained(p.used()));
    // 64 at most, then the rest; nobody listens.
    let mut left = 70;
    let mut next = || {
        left -= 1;
        (left >= 0).then_some((left as u8, Flag::Normal))
    };
    kt_assert!(p.receive(&mut next) && !p.receive(&mut next));
    let f = Frame::of(Settings { cflag: CSIZE | CREAD | PARENB | PARODD, baud: 9600 });
    kt_eq!(f, Frame { bits: 3, two_stop: false, odd: Some(true), receives: true });
    kt_eq!(lines(0b101, &[(1, TIOCM_CTS), (2, TIOCM_RI), (4, TIOCM_CD)]), TIOCM_CTS | TIOCM_CD);
    Ok(())
}

kernel::ktest!(tty_port, rings);
