// SPDX-License-Identifier: MIT
//! The virtio console (5.3), its first port: /dev/hvc0 and so on.

use super::queue::{Piece, Queue};
use super::{Transport, F_RING_PACKED};
use kernel::alloc::{KBox, KERNEL};
use kernel::dma::Dma;
use kernel::sync::SpinLockIrq;
use kernel::tty::{self, Flag, Settings, Tty};
use kernel::{irq, Error, Result};
use core::sync::atomic::{AtomicUsize, Ordering};

const BUFS: usize = 16;
const SIZE: usize = 256;

struct Rings {
    rx: Queue,
    tx: Queue,
    tx_free: u16, // one bit a buffer
    receiving: bool,
    dead: bool,
    tty: Option<Tty>,
}

struct Port {
    t: &'static dyn Transport,
    rings: SpinLockIrq<Rings>,
    rx_buf: Dma,
    tx_buf: Dma,
}

impl Port {
    fn refill(&self, r: &mut Rings, i: u16) {
        if let Ok(mem) = self.rx_buf.segment(usize::from(i) * SIZE, SIZE) {
            let _ = r.rx.push(&[Piece { mem, writable: true }], i);
        }
    }
}

impl irq::Handler for Port {
    fn handle(&self) -> bool {
        if self.t.acknowledge() == 0 {
            return false;
        }
        let mut r = self.rings.lock();
        // What is there now is taken first and given back afterwards: a device that fills as fast as we empty does not keep us here.
        let mut filled = [0u16; BUFS];
        let mut n = 0;
        for slot in &mut filled {
            let Some((i, len)) = r.rx.pop() else { break };
            let mut bytes = [0u8; SIZE];
            let len = (len as usize).min(SIZE);
            let len = self.rx_buf.copy_out(usize::from(i) * SIZE, bytes.get_mut(..len).unwrap_or(&mut []));
            if let (Some(tty), true, Some(b)) = (r.tty, r.receiving, bytes.get(..len)) {
                tty.receive(b, &[Flag::Normal; SIZE]);
            }
            *slot = i;
            n += 1;
        }
        for i in filled.iter().take(n) {
            self.refill(&mut r, *i);
        }
        let mut sent = false;
        while let Some((i, _)) = r.tx.pop() {
            r.tx_free |= 1u16.checked_shl(u32::from(i)).unwrap_or(0);
            sent = true;
        }
        let broke = !r.dead && (r.rx.is_broken() || r.tx.is_broken());
        if broke {
            r.dead = true; // writers find room, and what they write is lost
        }
        let tty = r.tty;
        drop(r);
        if broke {
            let _ = super::fail(self.t, "virtio-console", super::BROKE_RULES);
        } else if n > 0 {
            self.t.notify(0);
        }
        if let (true, Some(tty)) = (sent || broke, tty) {
            tty.wakeup();
        }
        true
    }
}

impl tty::Line for Port {
    fn open(&self) -> Result {
        self.rings.lock().receiving = true;
        Ok(())
    }

    fn close(&self) {
        self.rings.lock().receiving = false;
    }

    fn write(&self, bytes: &[u8]) -> usize {
        let mut done = 0;
        let mut r = self.rings.lock();
        if r.dead {
            return bytes.len();
        }
        for part in bytes.chunks(SIZE) {
            let i = r.tx_free.trailing_zeros();
            if i >= BUFS as u32 {
                break;
            }
            let off = i as usize * SIZE;
            let n = self.tx_buf.copy_in(off, part);
            let Ok(mem) = self.tx_buf.segment(off, n) else { break };
            if r.tx.push(&[Piece { mem, writable: false }], i as u16).is_err() {
                break;
            }
            r.tx_free &= !(1 << i);
            done += n;
        }
        let notify = done > 0 && r.tx.wants_notify();
        drop(r);
        if notify {
            self.t.notify(1);
        }
        done
    }

    fn write_room(&self) -> usize {
        BUFS * SIZE - self.pending()
    }

    fn pending(&self) -> usize {
        let r = self.rings.lock();
        if r.dead { 0 } else { (BUFS - r.tx_free.count_ones() as usize) * SIZE }
    }

    fn flush(&self) {}
    fn configure(&self, _s: Settings) {}
    fn set_break(&self, _on: bool) {}

    fn modem(&self) -> u32 {
        0x002 | 0x004 | 0x020 | 0x040 | 0x100 // DTR, RTS, CTS, CD, DSR: a line that is always there
    }

    fn set_modem(&self, _set: u32, _clear: u32) {}
}

static NAMES: [&core::ffi::CStr; 8] = [c"hvc0", c"hvc1", c"hvc2", c"hvc3", c"hvc4", c"hvc5", c"hvc6", c"hvc7"];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A console with its driver.
pub struct Bound {
    port: &'static Port,
    registered: irq::Registration,
}

/// Starts the console behind `t`.
pub fn bind(t: KBox<dyn Transport>) -> Result<Bound> {
    start(t.leak()).map(|(port, registered)| Bound { port, registered })
}

impl Bound {
    /// Takes the device away. The terminal stays, and what is written to it is lost; so the device gets no driver again. Sleeps.
    pub fn remove(self) -> Result {
        let left = super::leave(self.port.t);
        drop(self.registered);
        let tty = {
            let mut r = self.port.rings.lock();
            r.dead = true;
            r.tty
        };
        if let Some(tty) = tty {
            tty.wakeup();
        }
        left.map(|_| ())
    }
}

fn start(t: &'static dyn Transport) -> Result<(&'static Port, irq::Registration)> {
    let f = super::negotiate(t, F_RING_PACKED)?;
    let index = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = *NAMES.get(index).ok_or(Error::ENOSPC)?;
    let rings = Rings {
        rx: Queue::new(t.engine(), t.queue_max(0), f)?,
        tx: Queue::new(t.engine(), t.queue_max(1), f)?,
        tx_free: u16::MAX,
        receiving: false,
        dead: false,
        tty: None,
    };
    let port = Port { t, rings: SpinLockIrq::new(rings), rx_buf: Dma::alloc(t.engine(), BUFS * SIZE)?, tx_buf: Dma::alloc(t.engine(), BUFS * SIZE)? };
    let port = KBox::new(port, KERNEL)?.leak();
    let (source, vector, shared) = t.interrupt()?;
    let registered = irq::request(source, port, c"virtio-console", shared)?;
    {
        let mut r = port.rings.lock();
        t.queue_setup(0, &r.rx, vector)?;
        t.queue_setup(1, &r.tx, vector)?;
        for i in 0..BUFS as u16 {
            port.refill(&mut r, i);
        }
    }
    let tty = tty::register(name, 229, index as u32, port, false, |tty| port.rings.lock().tty = Some(tty))?;
    super::go(t);
    t.notify(0);
    tty::print_messages(tty, name, port)?;
    Ok((port, registered))
}

#[path = "test/console.rs"]
mod test;
