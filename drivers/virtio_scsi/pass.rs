// SPDX-License-Identifier: MIT
//! Commands of programs through a virtio SCSI host (`crate::scsi::pass`), and the control queue, by which one is aborted (5.6.6.2).
//!
//! A command that is not answered in time is aborted; where that does not help its unit is reset; where the device does not do that either, it is
//! given up. In each case the command's end is heard: from the device, which so lets go of its memory, or from the one who gave it up.

use super::{Bell, Host, Lane, CONTROL};
use crate::lane::{address, write_request, Passed, Sizes, ANSWER, SENSE, SLOT};
use crate::scsi::core::Address;
use crate::scsi::pass::{host, Carrier, Command, Ended, MOST_SENSE};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use drivers::virtio::queue::{Piece, Queue};
use drivers::virtio::{self, Transport};
use kernel::alloc::{Arc, KSlice, KERNEL};
use kernel::dma::{Dma, Engine, Halted, Segment};
use kernel::sync::{Mutex, SpinLockIrq};
use kernel::wait::{Completion, WaitQueue};
use kernel::{Error, Result};

// Memory for all data that are under way by one host; for those that programs have yet to take, once more.
const MOST_BYTES: usize = 32 << 20;
// An abort or a reset that is not answered by then never is.
const CONTROL_MS: u32 = 10_000;
// The command itself comes back so soon after it was aborted.
const ABORTED_MS: u32 = 1_000;
// Task management: the type, what is to be done, and that it was.
const TASK: u32 = 0;
const ABORT: u32 = 0;
const RESET_UNIT: u32 = 5;
const REQUEST: usize = 24;
const DONE: u8 = 0;
const NONE_SUCH: u8 = 10; // the command that is to be aborted has ended
const OVERFLOW: u8 = 0xff;

/// The control queue.
struct Control {
    ring: Queue,
    waited: Option<Arc<Completion>>,
}

/// What a host has besides its disks.
pub struct Passing {
    control: SpinLockIrq<Control>,
    // The request that the control queue has. Held while one waits for its answer.
    request: Mutex<Dma>,
    // Who waits for one of the places of a queue, or for memory.
    room: WaitQueue,
    bytes: AtomicUsize,
    // What programs have yet to take: in an account of its own, since nobody knows when they do.
    kept: Arc<AtomicUsize>,
    lanes: AtomicU32, // that have an interrupt
    next: AtomicU64,
    most: (u32, usize),
}

impl Passing {
    /// With that control queue; `most`: bytes and pieces of a command's data.
    pub fn new(t: &dyn Transport, ring: Queue, most: (u32, usize)) -> Result<Passing> {
        Ok(Passing {
            control: SpinLockIrq::new(Control { ring, waited: None }),
            request: Mutex::new(c"virtio_scsi_control", Dma::alloc(t.engine(), REQUEST + 8)?)?,
            room: WaitQueue::new()?,
            bytes: AtomicUsize::new(0),
            kept: Arc::new(AtomicUsize::new(0))?,
            lanes: AtomicU32::new(1),
            next: AtomicU64::new(0),
            most,
        })
    }

    /// The device gets the control queue.
    pub fn set_up(&self, t: &dyn Transport, vector: u16) -> Result {
        t.queue_setup(CONTROL, &self.control.lock().ring, vector)
    }

    /// So many queues have interrupts.
    pub fn set_lanes(&self, n: u32) {
        self.lanes.store(n.max(1), Ordering::Release);
    }

    /// Some who wait for room may go on.
    pub fn wake(&self) {
        self.room.wake_all();
    }

    /// Takes the answer, if there is one: whether there was.
    pub fn drain(&self) -> bool {
        let mut waited = None;
        {
            let mut c = self.control.lock();
            loop {
                if c.ring.pop().is_some() {
                    waited = c.waited.take();
                } else if !c.ring.arm() {
                    break;
                }
            }
        }
        waited.as_ref().inspect(|w| w.complete_all()).is_some()
    }

    /// Nobody will answer any more.
    fn free_waiter(&self) {
        let waited = self.control.lock().waited.take();
        if let Some(w) = waited {
            w.complete_all();
        }
    }
}

fn of_response(response: u8) -> u16 {
    match response {
        0 => host::OK,
        2 => host::ABORT,
        3 | 8 => host::BAD_TARGET,
        4 => host::RESET,
        5 => host::BUS_BUSY,
        6 => host::TRANSPORT_DISRUPTED,
        _ => host::ERROR,
    }
}

const NEXUS_FAILURE: u8 = 9;
const RESERVATION_CONFLICT: u8 = 0x18;

/// What the device answered in `slot`, having written `written` bytes. Nothing is believed beyond what there is room for.
fn answer(slot: &Dma, sizes: Sizes, len: u32, written: u32, reads: bool) -> Ended {
    let mut e = Ended::unanswered(host::ERROR, len, true);
    if (written as usize) < SENSE {
        return e;
    }
    let word = |at| slot.read32(ANSWER + at).unwrap_or(u32::MAX);
    let [_, _, status, response] = word(8).to_le_bytes();
    e.host = of_response(response);
    e.status = status;
    if response == NEXUS_FAILURE {
        (e.host, e.status) = (host::OK, RESERVATION_CONFLICT);
    }
    // What it cannot have written it has not transferred.
    let wrote = written.saturating_sub(sizes.answer());
    e.left = word(4).min(len).max(if reads { len.saturating_sub(wrote) } else { 0 });
    let n = (word(0) as usize).min(sizes.sense).min(written as usize - SENSE).min(MOST_SENSE);
    slot.copy_out(ANSWER + SENSE, e.sense.get_mut(..n).unwrap_or(&mut []));
    e
}

impl Host {
    /// Does what task management has; `id`: of the command, where it is about one. Whether the device did it. An error: it does not answer,
    /// and the host is given up. Sleeps.
    fn manage(&self, what: u32, at: Address, id: u64) -> Result<bool> {
        let memory = self.passing.request.lock();
        memory.write32(0, TASK);
        memory.write32(4, what);
        memory.write32(8, address(at));
        memory.write32(12, 0);
        memory.write64(16, id);
        memory.write8(REQUEST, OVERFLOW);
        let pieces = [
            Piece { mem: memory.segment(0, REQUEST)?, writable: false },
            Piece { mem: memory.segment(REQUEST, 1)?, writable: true },
        ];
        let done = Arc::new(Completion::new()?)?;
        let pushed = {
            let mut c = self.passing.control.lock();
            if self.is_dead() {
                return Err(Error::ENODEV);
            }
            let pushed = c.ring.push(&pieces, 0);
            if pushed.is_ok() {
                c.waited = Some(done.clone());
            }
            pushed.map(|()| c.ring.wants_notify())
        };
        match pushed {
            Ok(true) => self.t.notify(CONTROL),
            Ok(false) => {}
            Err(e) => {
                self.give_up(virtio::BROKE_RULES);
                return Err(e);
            }
        }
        if !done.wait_timeout(CONTROL_MS) {
            self.give_up("the device does not answer an abort");
        }
        if self.is_dead() {
            return Err(Error::ENODEV);
        }
        Ok(matches!(memory.read8(REQUEST), Some(DONE | NONE_SUCH)))
    }

    /// The command was not answered in time: has the device let go of it. It ends in every case: true where the device was not told of it. Sleeps.
    fn abort(&self, lane: &Lane, token: u16, at: Address, id: u64, command: &Arc<Passed>) -> bool {
        if lane.hw.lock().drop_passed(token, command) {
            return true;
        }
        for what in [ABORT, RESET_UNIT] {
            match self.manage(what, at, id) {
                Ok(_) if command.done.wait_timeout(ABORTED_MS) => return false,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if !command.done.is_done() {
            self.give_up("the device does not let go of a command");
        }
        // Whoever gave the host up has ended it, or is about to.
        command.done.wait();
        false
    }

    /// All commands of programs end, and nobody waits for room; the host is dead. `_proof`: their memory is nobody's any more.
    pub(super) fn give_up_passed(&self, _proof: Option<&Halted>) {
        for lane in self.lanes() {
            loop {
                let command = lane.hw.lock().give_up_passed();
                let Some(c) = command else { break };
                c.end();
            }
        }
        self.passing.free_waiter();
        self.passing.wake();
    }

    fn start(&self, lane: &Lane, command: &Arc<Passed>) -> Result<u16> {
        let mut got = None;
        self.passing.room.wait_interruptible(|| {
            let mut hw = lane.hw.lock();
            if self.is_dead() {
                return true;
            }
            got = hw.begin_passed(command.clone());
            if got.is_some() {
                hw.pump();
            }
            got.is_some()
        })?;
        got.ok_or(Error::ENODEV)
    }
}

// Ids of requests of disks have this bit clear.
const OURS: u64 = 1 << 63;

/// A command that the device has, or is to have.
pub struct Launched {
    slot: Dma,
    command: Arc<Passed>,
    lane: u32,
    token: u16,
    at: Address,
    id: u64,
    len: u32,
    write: bool,
}

impl Launched {
    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.command.done.is_done()
    }
}

impl Host {
    /// Takes room for so many bytes of data that stay until a program takes them. `ENOMEM`: there is none.
    pub fn keep(&self, n: usize) -> Result<Kept> {
        let more = |b: usize| b.checked_add(n).filter(|b| *b <= MOST_BYTES);
        let kept = &self.passing.kept;
        kept.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).map_err(|_| Error::ENOMEM)?;
        Ok(Kept(kept.clone(), n))
    }

    /// The same for data that are there already: they are not refused.
    pub fn keep_more(&self, n: usize) -> Kept {
        self.passing.kept.fetch_add(n, Ordering::AcqRel);
        Kept(self.passing.kept.clone(), n)
    }

    /// Gives the command to the device, once there is room; `bell` is rung when it has ended. `ENODEV`, `ENOMEM`, `ERESTARTSYS`: as of `pass`. Sleeps.
    pub fn launch(&self, c: &Command<'_>, bell: Option<Arc<Bell>>) -> Result<Launched> {
        let turn = self.passing.next.fetch_add(1, Ordering::Relaxed);
        let index = (turn % u64::from(self.passing.lanes.load(Ordering::Acquire))) as u32;
        let lane = self.lane(index).ok_or(Error::ENODEV)?;
        let slot = Dma::alloc(self.t.engine(), SLOT)?;
        let id = OURS | turn;
        let (request, answer_piece) = write_request(&slot, 0, self.sizes, c.at, id, c.bytes)?;
        let n = c.data.iter().flatten().count();
        // What the device reads comes before what it writes.
        let mut data = c.data.iter().flatten().map(|d| Piece {
            mem: d.segment(0, d.len()).unwrap_or(Segment::NONE),
            writable: !c.write,
        });
        let pieces = KSlice::from_fn(2 + n, KERNEL, |i| match i {
            0 => request,
            1 if !c.write => answer_piece,
            _ => data.next().unwrap_or(answer_piece),
        })?;
        let command = Arc::new(Passed {
            done: Completion::new()?,
            written: AtomicU32::new(0),
            answered: AtomicBool::new(false),
            pieces,
            bell,
        })?;
        let token = match self.start(lane, &command) {
            Ok(t) => t,
            Err(e) => {
                slot.done(); // the device was not told of it
                return Err(e);
            }
        };
        self.notify(lane);
        self.arm();
        let (at, len, write) = (c.at, c.len, c.write);
        Ok(Launched { slot, command, lane: index, token, at, id, len, write })
    }

    /// How it ended, `in_time` or not: then it is aborted. Sleeps.
    pub fn land(&self, l: Launched, in_time: bool) -> Ended {
        let Launched { slot, command, token, at, id, len, write, .. } = l;
        let lane = self.lane(l.lane);
        let untold = !in_time && lane.is_some_and(|lane| self.abort(lane, token, at, id, &command));
        let answered = command.answered.load(Ordering::Acquire);
        let e = if answered && in_time {
            answer(&slot, self.sizes, len, command.written.load(Ordering::Acquire), !write)
        } else {
            let why = if in_time { host::NO_CONNECT } else { host::TIME_OUT };
            Ended::unanswered(why, len, answered || untold)
        };
        if e.released {
            slot.done();
        }
        e
    }
}

/// Room for data that stay until a program takes them.
pub struct Kept(Arc<AtomicUsize>, usize);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::AcqRel);
    }
}

impl Carrier for Host {
    fn pass(&self, c: &Command<'_>) -> Result<Ended> {
        let l = self.launch(c, None)?;
        let in_time = l.command.done.wait_timeout(c.ms);
        Ok(self.land(l, in_time))
    }

    fn reset(&self, at: Address) -> Result<bool> {
        self.manage(RESET_UNIT, at, 0)
    }

    fn engine(&self) -> &Engine {
        self.t.engine()
    }

    fn most(&self) -> (u32, usize) {
        self.passing.most
    }

    fn most_command(&self) -> usize {
        self.sizes.cdb
    }

    fn reserve(&self, n: usize) -> Result {
        let more = |b: usize| b.checked_add(n).filter(|b| *b <= MOST_BYTES);
        let mut there = true;
        self.passing.room.wait_interruptible(|| {
            there = !self.is_dead();
            let b = &self.passing.bytes;
            !there || b.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
        })?;
        if there {
            Ok(())
        } else {
            Err(Error::ENODEV)
        }
    }

    fn give_back(&self, n: usize) {
        self.passing.bytes.fetch_sub(n, Ordering::AcqRel);
        self.passing.room.wake_all();
    }
}

#[cfg(not(module))]
#[path = "test/pass.rs"]
mod test;
