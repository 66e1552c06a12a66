// SPDX-License-Identifier: MIT
//! The virtio SCSI host (5.6) and its disks: /dev/sda and its like. One hardware queue of each disk for each request queue of the device; all
//! disks share them.

use crate::lane::{id, pieces_of, read_answer, write_request, Ended, Hw, Sizes, Waited};
use crate::lane::{DEPTH, SLOT, WAITED};
use crate::scsi::cdb::Cdb;
use crate::scsi::core::{Address, Answer};
use crate::scsi::disk::Unit;
use crate::scsi::pass::Known;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use drivers::virtio::queue::{Piece, Queue};
use drivers::virtio::{self, Transport, F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED};
use kernel::alloc::{Arc, KBox, KSlice};
use kernel::block::{self, Offer, Request, Taken};
use kernel::dma::{Dma, Halted};
use kernel::sync::{Mutex, SpinLockIrq};
use kernel::wait::Completion;
use kernel::work::{DelayedWork, Work};
use kernel::{irq, time, Error, Result};

const NAME: &str = "virtio-scsi";
const F_HOTPLUG: u64 = 1 << 1;
const F_CHANGE: u64 = 1 << 2;
const RINGS: u64 = F_RING_PACKED | F_RING_INDIRECT | F_RING_EVENT;
// The first queues; requests have the others.
const CONTROL: u16 = 0;
const EVENTS: u16 = 1;
const FIRST: u16 = 2;
const WATCH_MS: u32 = 2000;
const RETRY_MS: u32 = 10;
// A command of ours that is not answered by then never is.
const COMMAND_MS: u32 = 10_000;
// What a command of ours may give.
const ROOM: usize = 16 << 10;
// Most answers that one interrupt takes.
const BUDGET: usize = 2 * DEPTH;
const EVENT: usize = 16;
const EVENT_BUFFERS: usize = 8;

struct Lane {
    index: u16,
    hw: SpinLockIrq<Hw>,
    // Goes on where an interrupt left off.
    rest: SpinLockIrq<Option<KBox<dyn Later>>>,
}

struct Events {
    ring: Queue,
    buffers: Dma,
    changes: units::Changes,
}

/// A device that breaks the rules, or stops being one, is given up: all that is under way and to come fails.
struct Host {
    t: KBox<dyn Transport>,
    dead: AtomicBool,
    sizes: Sizes,
    lanes: KSlice<Option<Lane>>,
    events: SpinLockIrq<Events>,
    passing: pass::Passing,
    // Memory of the one command that somebody waits for.
    command: Mutex<Dma>,
    watch: SpinLockIrq<Option<KBox<dyn Later>>>,
    watched: AtomicBool,
    retry: SpinLockIrq<Option<KBox<dyn Later>>>,
    units: Mutex<units::Units>,
    left: units::Left,
    // Goes through what happened to units.
    changes: SpinLockIrq<Option<KBox<dyn Later>>>,
}

/// Something that a thread does later.
pub trait Later: Send + Sync {
    /// In `ms` milliseconds; a `Work` at once.
    fn later(&self, ms: u32);
}

/// Rung when a command of a program has ended; its work goes before the last that knows it.
pub struct Bell(SpinLockIrq<Option<KBox<dyn Later>>>);

impl Bell {
    /// Any context.
    pub fn ring(&self) {
        tell(&self.0, 0);
    }
}

impl<F: Fn() + Send + Sync> Later for Work<F> {
    fn later(&self, _ms: u32) {
        self.queue();
    }
}

impl<F: Fn() + Send + Sync> Later for DelayedWork<F> {
    fn later(&self, ms: u32) {
        self.queue_after(ms);
    }
}

// Of its own: the analysis of sleepers knows it by its name.
#[inline(never)]
fn tell(place: &SpinLockIrq<Option<KBox<dyn Later>>>, ms: u32) {
    if let Some(w) = &*place.lock() {
        w.later(ms);
    }
}

impl Host {
    fn lane(&self, i: u32) -> Option<&Lane> {
        self.lanes.get(i as usize)?.as_ref()
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().flatten()
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    fn give_up(&self, why: &str) {
        if self.dead.swap(true, Ordering::AcqRel) {
            return;
        }
        match virtio::fail(&*self.t, NAME, why) {
            Ok(halted) => self.fail_all(Some(&halted)),
            Err(_) => self.fail_all(None),
        }
    }

    /// All that is under way ends. Requests of disks do where the device is proven to leave their memory alone.
    fn fail_all(&self, proof: Option<&Halted>) {
        match proof {
            Some(halted) => self.lanes().for_each(|l| l.fail_all(halted)),
            None => self.lanes().for_each(Lane::free_waiter),
        }
        self.give_up_passed(proof);
    }

    fn is_busy(&self) -> bool {
        self.lanes().any(|l| {
            let hw = l.hw.lock();
            hw.has_passed() || hw.disks.iter().flatten().any(|d| !d.under_way.is_empty())
        })
    }

    /// Requests are on their way: look after them.
    fn arm(&self) {
        // Looked at before it is written: all queues share it.
        if !self.watched.load(Ordering::Acquire) && !self.watched.swap(true, Ordering::AcqRel) {
            tell(&self.watch, WATCH_MS);
        }
    }

    /// Whether the device is still the one that we gave the requests to.
    fn check(&self) {
        self.watched.store(false, Ordering::Release);
        if self.is_dead() || !self.is_busy() {
            return;
        }
        if virtio::is_alive(&*self.t) {
            self.arm();
        } else {
            self.give_up("the device was reset with requests under way");
        }
    }

    /// Tells the device of what it was not told of.
    fn notify(&self, lane: &Lane) {
        let (notify, freed) = {
            let mut hw = lane.hw.lock();
            (core::mem::take(&mut hw.untold) && hw.ring.wants_notify(), hw.has_freed())
        };
        if freed {
            self.passing.wake();
        }
        if notify {
            self.t.notify(lane.index);
        }
    }

    fn retry(&self) {
        for lane in self.lanes() {
            {
                let mut hw = lane.hw.lock();
                if hw.try_later() {
                    hw.pump();
                }
            }
            self.notify(lane);
        }
    }

    /// Takes what the device is done with: whether there was anything. After a while a thread goes on.
    fn drain(&self, lane: &Lane) -> bool {
        let ours = self.drain_some(lane);
        if ours {
            self.notify(lane);
        }
        ours
    }

    fn drain_some(&self, lane: &Lane) -> bool {
        let mut ours = false;
        for _ in 0..BUDGET {
            let mut hw = lane.hw.lock();
            let popped = hw.ring.pop();
            let more = popped.is_none() && hw.ring.arm();
            let broken = hw.ring.is_broken();
            let ended = popped.map(|(token, len)| hw.ended(token, len));
            if popped.is_some() {
                hw.pump();
            }
            drop(hw); // completing may queue the next one
            ours |= popped.is_some();
            match ended {
                Some(Ok(Some(Ended::Request(r, result)))) => r.complete(result),
                Some(Ok(Some(Ended::Waited(w)))) => w.done.complete(),
                Some(Ok(Some(Ended::Passed(p)))) => p.end(),
                Some(Err(true)) => tell(&self.retry, RETRY_MS),
                Some(_) => {} // it is tried again, or failed meanwhile
                None if broken => {
                    self.give_up(virtio::BROKE_RULES);
                    return ours;
                }
                None if more => {}
                None => return ours,
            }
        }
        tell(&lane.rest, 0);
        ours
    }

    /// Takes the device's events; their buffers go back to it. Whether there were any.
    fn drain_events(&self) -> bool {
        let (mut some, mut changed) = (false, false);
        let mut e = self.events.lock();
        for _ in 0..2 * EVENT_BUFFERS {
            let Some((i, written)) = e.ring.pop() else {
                if e.ring.arm() {
                    continue;
                }
                break;
            };
            some = true;
            changed |= written as usize >= EVENT && e.note(i);
            if e.offer(i).is_err() {
                break; // a queue that is broken has no events any more
            }
        }
        let notify = some && e.ring.wants_notify();
        drop(e);
        if notify {
            self.t.notify(EVENTS);
        }
        if changed {
            tell(&self.changes, 0);
        }
        some
    }
}

impl Events {
    /// Whether event `i` says anything of units.
    fn note(&mut self, i: u16) -> bool {
        let at = usize::from(i) * EVENT;
        let word = |off| self.buffers.read32(at + off).unwrap_or(0);
        let (kind, lun, reason) = (word(0), word(4).to_le_bytes(), word(12));
        self.changes.note(kind, lun, reason)
    }

    fn offer(&mut self, i: u16) -> Result {
        let at = usize::from(i) * EVENT;
        let piece = Piece { mem: self.buffers.segment(at, EVENT)?, writable: true };
        self.buffers.write32(at, 0);
        self.ring.push(&[piece], i)
    }
}

impl Lane {
    /// Who waits for a command waits no more.
    fn free_waiter(&self) {
        let waited = self.hw.lock().waited.take();
        if let Some(w) = waited {
            w.done.complete();
        }
    }

    fn lost(&self, disk: usize, tag: u16, proof: &Halted) -> Option<Request> {
        self.hw.lock().disks.get_mut(disk)?.as_mut()?.under_way.reset(tag, proof)
    }

    /// Nobody will answer these any more.
    fn fail_all(&self, proof: &Halted) {
        self.free_waiter();
        let disks = self.hw.lock().disks.len();
        for disk in 0..disks {
            for tag in 0..DEPTH as u16 {
                if let Some(r) = self.lost(disk, tag, proof) {
                    r.complete(Err(Error::EIO));
                }
            }
        }
    }
}

impl crate::scsi::core::Host for Host {
    fn command(&self, at: Address, cdb: &Cdb, to: &mut [u8]) -> Result<Answer> {
        let lane = self.lane(0).ok_or(Error::ENODEV)?;
        let memory = self.command.lock();
        let total = to.len().min(ROOM);
        let (request, answer) =
            write_request(&memory, 0, self.sizes, at, id(lane.index, WAITED), cdb.bytes())?;
        let data = Piece { mem: memory.segment(SLOT, total)?, writable: true };
        let pieces = [request, answer, data];
        let pieces = if total == 0 { pieces.get(..2) } else { pieces.get(..) }.unwrap_or(&[]);
        let waited = Arc::new(Waited { done: Completion::new()?, written: AtomicU32::new(0) })?;
        let mut waits = 0;
        loop {
            let mut hw = lane.hw.lock();
            if self.is_dead() {
                return Err(Error::EIO);
            }
            match hw.ring.push(pieces, WAITED) {
                Ok(()) => {
                    hw.waited = Some(waited.clone());
                    hw.untold = true;
                    break;
                }
                Err(Error::EBUSY) if waits < COMMAND_MS / RETRY_MS => waits += 1,
                Err(_) => return Err(Error::EIO),
            }
            drop(hw);
            time::sleep_ms(RETRY_MS);
        }
        self.notify(lane);
        // One that was taken away meanwhile answers no more.
        let mut steps = 1..COMMAND_MS / WATCH_MS;
        while !waited.done.wait_timeout(WATCH_MS) && !self.is_dead() {
            if steps.next().is_none() || !virtio::is_alive(&*self.t) {
                self.give_up("the device does not answer");
            }
        }
        if self.is_dead() {
            return Err(Error::EIO);
        }
        let written = waited.written.load(Ordering::Acquire);
        let a = read_answer(&memory, 0, self.sizes, total as u32, true, written);
        memory.copy_out(SLOT, to.get_mut(..a.got).unwrap_or(&mut []));
        Ok(a)
    }
}

/// Who answers a lane's interrupt; the first lane's is the events' too.
struct Interrupt {
    host: Arc<Host>,
    lane: u32,
}

impl irq::Handler for Interrupt {
    fn handle(&self) -> bool {
        // Where lanes share a line, whoever came first has acknowledged for all of them: the ring is looked at either way.
        let ours = self.host.t.acknowledge() != 0;
        let events = self.lane == 0 && (self.host.drain_events() | self.host.passing.drain());
        self.host.lane(self.lane).is_some_and(|l| self.host.drain(l)) || events || ours
    }
}

/// A disk of the host.
struct Disk {
    host: Arc<Host>,
    unit: Arc<Unit>,
    known: Arc<Known>,
    index: u16,
}

impl block::Driver for Disk {
    const CONTROLS: bool = true;

    fn ioctl(&self, write: bool, cmd: u32, arg: usize) -> Result<u32> {
        if self.host.is_dead() {
            return Err(Error::ENODEV);
        }
        self.known.ioctl(&*self.host, write, cmd, arg)
    }

    fn queue<'a>(
        &self,
        queue: u32,
        r: Offer<'a>,
    ) -> core::result::Result<Taken<'a>, (Error, Offer<'a>)> {
        let Some(lane) = self.host.lane(queue) else { return Err((Error::EIO, r)) };
        let mut hw = lane.hw.lock();
        let hw = &mut *hw;
        if self.host.is_dead() || hw.ring.is_broken() {
            return Err((Error::EIO, r));
        }
        if !self.unit.allows(r.request().op()) {
            return Err((Error::EOPNOTSUPP, r));
        }
        if pieces_of(r.request()) > hw.pieces.len() {
            return Err((Error::EINVAL, r));
        }
        // Where the ring is full, for which other disks may be the cause, it waits here.
        let Some(Some(requests)) = hw.disks.get_mut(usize::from(self.index)) else {
            return Err((Error::EIO, r));
        };
        let (lent, taken) = requests.under_way.lend(r)?;
        let tag = lent.tag();
        hw.begin(self.index, tag);
        hw.pump();
        Ok(taken)
    }

    fn commit(&self, queue: u32) {
        if let Some(lane) = self.host.lane(queue) {
            self.host.notify(lane);
            self.host.arm();
        }
    }
}

type Interrupts = KSlice<Option<irq::Registration>>;

/// A host with its driver.
pub struct Bound {
    host: Arc<Host>,
    interrupts: Interrupts,
}

impl Host {
    /// What runs later runs no more. Sleeps.
    fn rest(&self) {
        for place in [&self.changes, &self.retry, &self.watch]
            .into_iter()
            .chain(self.lanes().map(|l| &l.rest))
        {
            let work = place.lock().take();
            drop(work);
        }
    }
}

impl virtio::bus::Leave for Bound {
    fn leave(self, gone: bool) -> Result {
        self.pull(gone)
    }
}

impl Bound {
    /// Takes the driver away, whoever has disks open; `gone`: the device is not there any more. Requests under way and to come fail.
    /// `EIO`: the device does not obey, and what it has under way it has for ever. Sleeps.
    pub fn pull(self, gone: bool) -> Result {
        let host = &self.host;
        if gone {
            // A search that waits for an answer would do so in vain.
            host.dead.store(true, Ordering::Release);
            host.lanes().for_each(Lane::free_waiter);
        }
        let units = host.units.lock().end();
        units.detach(gone);
        host.dead.store(true, Ordering::Release);
        let halted = virtio::leave(&*host.t);
        match &halted {
            Ok(proof) => host.fail_all(Some(proof)),
            Err(_) => host.fail_all(None),
        }
        drop(self.interrupts);
        host.rest();
        units.take_away();
        halted.map(|_| ())
    }
}

#[path = "cd.rs"]
mod cd;

#[path = "pass.rs"]
mod pass;

#[path = "sg.rs"]
mod sg;
pub use sg::{MAJOR as SG_MAJOR, MOST as SG_MOST};

#[path = "sg_calls.rs"]
mod sg_calls;

#[path = "sg_queue.rs"]
mod sg_queue;

#[path = "start.rs"]
mod start;
pub use start::bind;

#[path = "units.rs"]
mod units;

#[cfg(not(module))]
#[path = "test/host.rs"]
mod test;
