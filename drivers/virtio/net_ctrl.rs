// SPDX-License-Identifier: MIT
//! The control queue of a network device (5.1.6.5): which frames it is to receive, its address, and that its moves were heard.
//!
//! One command is in flight at a time, and its sender sleeps until the device has answered. A device that has not answered within LIMIT_MS gets no more commands:
//! the memory of its command stays lent until it is reset.

use super::queue::{Piece, Queue};
use super::Transport;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::dma::Dma;
use kernel::sync::Mutex;
use kernel::wait::WaitQueue;
use kernel::{pr_err, Error, Result};

/// Multicast addresses in the device's table at most; with more of them it receives all multicast.
pub const GROUPS: usize = 64;

const LIMIT_MS: u32 = 1000;
const RING: u16 = 16;
const DATA_AT: usize = 2;
// Two counts and our own address before the groups.
const DATA_MOST: usize = 4 + 6 + 4 + 6 * GROUPS;
const ACK_AT: usize = 408;
const BYTES: usize = 416;
const _: () = assert!(DATA_AT + DATA_MOST <= ACK_AT);
const OK: u8 = 0;

/// A command's class and number.
#[derive(Clone, Copy)]
pub enum Command {
    Promiscuous,
    AllGroups,
    Table,
    Address,
    Announced,
    Pairs,
}

impl Command {
    fn bytes(self) -> [u8; 2] {
        match self {
            Command::Promiscuous => [0, 0],
            Command::AllGroups => [0, 1],
            Command::Table => [1, 0],
            Command::Address => [1, 1],
            Command::Announced => [3, 0],
            Command::Pairs => [4, 0],
        }
    }
}

/// What is to be received.
#[derive(Clone, Copy)]
pub struct Wish {
    pub promiscuous: bool,
    /// All groups, or more than have room here.
    pub all_groups: bool,
    pub own: [u8; 6],
    pub groups: [[u8; 6]; GROUPS],
    pub nr: usize,
}

impl Wish {
    pub const fn new(own: [u8; 6]) -> Wish {
        Wish { promiscuous: false, all_groups: false, own, groups: [[0; 6]; GROUPS], nr: 0 }
    }

    /// The data of `Table`: counts, each with its addresses. How many bytes.
    fn table(&self, to: &mut [u8; DATA_MOST]) -> usize {
        let mut n = 0;
        let mut put = |bytes: &[u8]| {
            if let Some(place) = to.get_mut(n..n + bytes.len()) {
                place.copy_from_slice(bytes);
                n += bytes.len();
            }
        };
        put(&1u32.to_le_bytes());
        put(&self.own);
        let nr = if self.all_groups { 0 } else { self.nr.min(GROUPS) };
        put(&(nr as u32).to_le_bytes());
        self.groups.iter().take(nr).for_each(|g| put(g));
        n
    }
}

struct State {
    ring: Queue,
    buf: Dma,
    stuck: bool,
}

/// The queue, with its commands.
pub struct Control {
    index: u16,
    state: Mutex<State>,
    told: WaitQueue,
    waits: AtomicBool,
    // The device is gone: it gets no commands, and nobody waits for it.
    gone: AtomicBool,
}

impl Control {
    /// Queue `index` of the device. `EINVAL`: it is too short for a command.
    pub fn new(t: &dyn Transport, index: u16, agreed: u64) -> Result<Control> {
        let ring = Queue::new(t.engine(), t.queue_max(index).min(RING), agreed)?;
        if ring.size < 3 {
            return Err(Error::EINVAL);
        }
        let state = State { ring, buf: Dma::alloc(t.engine(), BYTES)?, stuck: false };
        Ok(Control {
            index,
            state: Mutex::new(c"virtio_net_ctrl", state)?,
            told: WaitQueue::new()?,
            waits: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        })
    }

    /// Gives the device the queue.
    pub fn setup(&self, t: &dyn Transport, vector: u16) -> Result {
        t.queue_setup(self.index, &self.state.lock().ring, vector)
    }

    /// The device may have answered. Any context.
    pub fn answered(&self) {
        if self.waits.load(Ordering::Acquire) {
            self.told.wake_all();
        }
    }

    /// The device is gone: it is asked no more, and who waits for its answer goes on.
    pub fn give_up(&self) {
        self.gone.store(true, Ordering::Release);
        self.told.wake_all();
    }

    /// Asks the device. `EINVAL`: it does not do it; `EIO`: it does not answer, or broke the rules. Sleeps.
    pub fn command(&self, t: &dyn Transport, c: Command, data: &[u8]) -> Result {
        let mut s = self.state.lock();
        if s.stuck || self.gone.load(Ordering::Acquire) || data.len() > DATA_MOST {
            return Err(Error::EIO);
        }
        s.buf.copy_in(0, &c.bytes());
        s.buf.copy_in(DATA_AT, data);
        s.buf.write8(ACK_AT, !OK);
        let piece = |off, len, writable| s.buf.segment(off, len).map(|mem| Piece { mem, writable });
        let all =
            [piece(0, 2, false)?, piece(DATA_AT, data.len(), false)?, piece(ACK_AT, 1, true)?];
        let without = [all[0], all[2]];
        self.waits.store(true, Ordering::Release);
        s.ring.arm();
        let pushed = s.ring.push(if data.is_empty() { &without } else { &all }, 0);
        if pushed.is_ok() && s.ring.wants_notify() {
            t.notify(self.index);
        }
        let mut done = false;
        if pushed.is_ok() {
            self.told.wait_timeout(LIMIT_MS, || {
                done = s.ring.pop().is_some();
                done || s.ring.is_broken() || self.gone.load(Ordering::Acquire)
            });
        }
        self.waits.store(false, Ordering::Release);
        if !done {
            s.stuck = true;
            pr_err!("virtio-net: the device does not answer a command; it is asked no more\n");
            return Err(Error::EIO);
        }
        if s.buf.read8(ACK_AT) == Some(OK) {
            Ok(())
        } else {
            Err(Error::EINVAL)
        }
    }

    /// What is to be received is as `w` says.
    pub fn receive(&self, t: &dyn Transport, w: &Wish) -> Result {
        let mut table = [0; DATA_MOST];
        let n = w.table(&mut table);
        self.command(t, Command::Promiscuous, &[w.promiscuous.into()])?;
        self.command(t, Command::AllGroups, &[w.all_groups.into()])?;
        self.command(t, Command::Table, table.get(..n).unwrap_or(&[]))
    }

    /// The memory of commands and where the answer goes, for tests that are the device.
    pub fn device_side(&self) -> (Dma, usize) {
        (self.state.lock().buf.share(), ACK_AT)
    }
}
