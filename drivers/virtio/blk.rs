// SPDX-License-Identifier: MIT
//! The virtio disk (5.2): /dev/vda and its like. One hardware queue of ours for each of the device's.

use super::queue::{Piece, Queue};
use super::{config32, config64, Transport, F_RING_PACKED};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::block::{self, InFlight, Lent, Offer, Op, Request, Taken};
use kernel::dma::{Dma, Halted};
use kernel::sync::SpinLockIrq;
use kernel::work::{DelayedWork, Work};
use kernel::{irq, Error, Result};
use core::sync::atomic::{AtomicBool, Ordering};

const F_RO: u64 = 1 << 5;
const F_BLK_SIZE: u64 = 1 << 6;
const F_FLUSH: u64 = 1 << 9;
const F_MQ: u64 = 1 << 12;
const F_DISCARD: u64 = 1 << 13;
const F_WRITE_ZEROES: u64 = 1 << 14;
const T_IN: u32 = 0;
const T_OUT: u32 = 1;
const T_FLUSH: u32 = 4;
const T_DISCARD: u32 = 11;
const T_WRITE_ZEROES: u32 = 13;
const DEPTH: usize = 64;
// Beside each request: header (16 bytes), a range for discard (16), the status byte.
const SLOT: usize = 48;
const MAX_PIECES: usize = 35;
// Most requests have no more: less to clear.
const FEW: usize = 6;
const MAX_LANES: usize = 8;
const WATCH_MS: u32 = 2000;
// Most requests that one interrupt completes.
const BUDGET: usize = 2 * DEPTH;

struct Hw {
    ring: Queue,
    under_way: InFlight,
}

struct Lane {
    index: u16,
    hw: SpinLockIrq<Hw>,
    slots: Dma,
    // Goes on where an interrupt left off.
    rest: SpinLockIrq<Option<KBox<dyn Rest>>>,
}

/// What lanes share. A device that breaks the rules, or stops being one, is given up: all that is under way and to come fails.
struct Disk {
    t: KBox<dyn Transport>,
    dead: AtomicBool,
    lanes: KSlice<Option<Lane>>,
    // Looks after the device every now and then, while requests are under way.
    watch: SpinLockIrq<Option<KBox<dyn Watch>>>,
    watched: AtomicBool,
}

trait Rest: Send + Sync {
    fn go_on(&self);
}

impl<F: Fn() + Send + Sync> Rest for Work<F> {
    fn go_on(&self) {
        self.queue();
    }
}

trait Watch: Send + Sync {
    fn later(&self);
}

impl<F: Fn() + Send + Sync> Watch for DelayedWork<F> {
    fn later(&self) {
        self.queue_after(WATCH_MS);
    }
}

impl Disk {
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
        if let Ok(halted) = super::fail(&*self.t, "virtio-blk", why) {
            self.lanes().for_each(|l| l.fail_all(&halted));
        }
    }

    fn is_busy(&self) -> bool {
        self.lanes().any(|l| !l.hw.lock().under_way.is_empty())
    }

    /// A request is on its way: look after it.
    fn arm(&self) {
        // Looked at before it is written: all queues share it.
        if !self.watched.load(Ordering::Acquire)
            && !self.watched.swap(true, Ordering::AcqRel)
            && let Some(w) = &*self.watch.lock()
        {
            w.later();
        }
    }

    /// Whether the device is still the one that we gave the requests to.
    fn check(&self) {
        self.watched.store(false, Ordering::Release);
        if self.is_dead() || !self.is_busy() {
            return;
        }
        if super::is_alive(&*self.t) {
            self.arm();
        } else {
            self.give_up("the device was reset with requests under way");
        }
    }
}

impl Lane {
    /// Writes the header of `r` into its slot and the pieces into `out`; how many.
    fn describe(&self, r: &Lent, out: &mut [Piece]) -> Result<usize> {
        let slot = usize::from(r.tag()) * SLOT;
        let base = self.slots.addr() + slot as u64;
        let (kind, sector) = match r.op() {
            Op::Read => (T_IN, r.disk_sector()),
            Op::Write => (T_OUT, r.disk_sector()),
            Op::Flush => (T_FLUSH, 0),
            Op::Discard => (T_DISCARD, 0),
            Op::WriteZeroes => (T_WRITE_ZEROES, 0),
        };
        self.slots.write32(slot, kind);
        self.slots.write32(slot + 4, 0);
        self.slots.write64(slot + 8, sector);
        self.slots.write8(slot + 32, 0xff); // no status yet
        let mut n = 0;
        let mut add = |p: Piece| -> Result {
            *out.get_mut(n).ok_or(Error::EINVAL)? = p;
            n += 1;
            Ok(())
        };
        add(Piece { addr: base, len: 16, writable: false })?;
        match r.op() {
            Op::Read | Op::Write => {
                let mut i = 0;
                while let Some(s) = r.segment(i) {
                    add(Piece { addr: s.addr, len: s.len, writable: r.op() == Op::Read })?;
                    i += 1;
                }
            }
            Op::Discard | Op::WriteZeroes => {
                self.slots.write64(slot + 16, r.disk_sector());
                self.slots.write32(slot + 24, r.len() >> 9);
                self.slots.write32(slot + 28, 0);
                add(Piece { addr: base + 16, len: 16, writable: false })?;
            }
            Op::Flush => {}
        }
        add(Piece { addr: base + 32, len: 1, writable: true })?;
        Ok(n)
    }

    /// Describes `r`, of at most `N` pieces, to the device.
    #[inline(never)]
    fn push<const N: usize>(&self, ring: &mut Queue, r: &Lent) -> Result {
        let mut pieces = [Piece { addr: 0, len: 0, writable: false }; N];
        let n = self.describe(r, &mut pieces)?;
        ring.push(pieces.get(..n).unwrap_or(&[]), r.tag())
    }

    /// Nobody will answer these any more.
    fn fail_all(&self, proof: &Halted) {
        for tag in 0..DEPTH as u16 {
            let lost = self.hw.lock().under_way.reset(tag, proof);
            if let Some(r) = lost {
                r.complete(Err(Error::EIO));
            }
        }
    }

    /// What the device said of the request with that tag, for which it wrote so many bytes.
    fn status(&self, r: &Request, tag: u16, written: u32) -> Result {
        if r.op() == Op::Read && written < r.len() {
            return Err(Error::EIO); // the rest is whatever was in that memory before
        }
        match self.slots.read8(usize::from(tag) * SLOT + 32) {
            Some(0) => Ok(()),
            Some(2) => Err(Error::EOPNOTSUPP),
            _ => Err(Error::EIO),
        }
    }
}

/// Who answers a lane's interrupt.
struct Answer {
    disk: Arc<Disk>,
    lane: u32,
}

impl irq::Handler for Answer {
    fn handle(&self) -> bool {
        // Where lanes share a line, whoever came first has acknowledged for all of them: the ring is looked at either way.
        let ours = self.disk.t.acknowledge() != 0;
        self.disk.lane(self.lane).is_some_and(|l| self.disk.drain(l)) || ours
    }
}

impl Disk {
    /// Completes what the device is done with: whether there was anything. Each may queue the next one, so a device that is done at once
    /// could keep us here for ever: after a while a thread goes on.
    fn drain(&self, lane: &Lane) -> bool {
        let mut ours = false;
        for _ in 0..BUDGET {
            let mut hw = lane.hw.lock();
            let popped = hw.ring.pop();
            let broken = hw.ring.is_broken();
            let r = popped.and_then(|(tag, len)| Some((hw.under_way.done(tag)?, tag, len)));
            drop(hw); // completing may queue the next one
            ours |= popped.is_some();
            match r {
                Some((r, tag, len)) => {
                    let status = lane.status(&r, tag, len);
                    r.complete(status);
                }
                None if popped.is_some() => {} // failed meanwhile
                None => {
                    if broken {
                        self.give_up(super::BROKE_RULES);
                    }
                    return ours;
                }
            }
        }
        if let Some(rest) = &*lane.rest.lock() {
            rest.go_on();
        }
        ours
    }
}

/// How many pieces `describe` makes of it.
fn pieces_of(r: &Request) -> usize {
    match r.op() {
        Op::Read | Op::Write => 2 + r.segments(),
        Op::Discard | Op::WriteZeroes => 3,
        Op::Flush => 2,
    }
}

impl block::Driver for Disk {
    fn queue<'a>(&self, queue: u32, r: Offer<'a>) -> core::result::Result<Taken<'a>, (Error, Offer<'a>)> {
        let Some(lane) = self.lane(queue) else { return Err((Error::EIO, r)) };
        let (notify, taken);
        {
            let mut hw = lane.hw.lock();
            let hw = &mut *hw;
            if self.is_dead() || hw.ring.is_broken() {
                return Err((Error::EIO, r));
            }
            let n = pieces_of(r.request());
            if n > MAX_PIECES {
                return Err((Error::EINVAL, r));
            }
            if !hw.ring.has_room(n) {
                return Err((Error::EBUSY, r));
            }
            let lent;
            (lent, taken) = hw.under_way.lend(r)?;
            let tag = lent.tag();
            let pushed = if n <= FEW { lane.push::<FEW>(&mut hw.ring, lent) } else { lane.push::<MAX_PIECES>(&mut hw.ring, lent) };
            if let (Err(e), Some(r)) = (pushed, if pushed.is_err() { hw.under_way.done(tag) } else { None }) {
                r.complete(Err(e)); // the ring does not have it
                return Ok(taken);
            }
            notify = hw.ring.wants_notify();
        }
        if notify {
            self.t.notify(lane.index);
        }
        self.arm();
        Ok(taken)
    }
}

/// A disk with its driver.
pub struct Bound {
    disk: Arc<Disk>,
    added: block::Disk,
    _interrupts: KSlice<Option<irq::Registration>>,
}

/// The disk before it works.
struct Ready {
    disk: Arc<Disk>,
    limits: block::Limits,
    interrupts: KSlice<Option<irq::Registration>>,
}

fn make_lane(t: &dyn Transport, i: u16, packed: bool) -> Result<Lane> {
    let ring = Queue::new(t.engine(), t.queue_max(i), packed)?;
    if usize::from(ring.size) < MAX_PIECES {
        return Err(Error::EINVAL);
    }
    let hw = Hw { ring, under_way: InFlight::new(t.engine(), DEPTH)? };
    Ok(Lane { index: i, hw: SpinLockIrq::new(hw), slots: Dma::alloc(t.engine(), DEPTH * SLOT)?, rest: SpinLockIrq::new(None) })
}

/// The lane's interrupt, and what it uses besides.
fn open_lane(disk: &Arc<Disk>, i: u32) -> Result<irq::Registration> {
    let lane = disk.lane(i).ok_or(Error::ENODEV)?;
    let theirs = disk.clone();
    let rest: KBox<dyn Rest> = KBox::new(Work::new(move || _ = theirs.lane(i).map(|l| theirs.drain(l)))?, KERNEL)?;
    *lane.rest.lock() = Some(rest);
    let (source, vector, shared) = disk.t.interrupt()?;
    let registered = irq::request_owned(source, &Arc::new(Answer { disk: disk.clone(), lane: i })?, c"virtio-blk", shared)?;
    disk.t.queue_setup(lane.index, &lane.hw.lock().ring, vector)?;
    Ok(registered)
}

/// The disk's limits, and the lanes that there are interrupts for.
fn open(disk: &Arc<Disk>, f: u64) -> Result<(block::Limits, KSlice<Option<irq::Registration>>)> {
    let theirs = disk.clone();
    let watch: KBox<dyn Watch> = KBox::new(DelayedWork::new(move || theirs.check())?, KERNEL)?;
    *disk.watch.lock() = Some(watch);
    let mut interrupts = KSlice::from_fn(disk.lanes.len(), KERNEL, |_| None)?;
    let mut queues = 0;
    for (i, place) in interrupts.iter_mut().enumerate() {
        match open_lane(disk, i as u32) {
            Ok(registered) => *place = Some(registered),
            Err(e) if queues == 0 => return Err(e),
            Err(_) => break, // fewer interrupts than queues: those that we have will do
        }
        queues += 1;
    }
    let t = &*disk.t;
    let limits = block::Limits {
        sectors: config64(t, 0)?,
        block_size: if f & F_BLK_SIZE != 0 { config32(t, 20) } else { 512 },
        read_only: f & F_RO != 0,
        write_cache: f & F_FLUSH != 0,
        max_discard: if f & F_DISCARD != 0 { config32(t, 36) } else { 0 },
        max_zeroes: if f & F_WRITE_ZEROES != 0 { config32(t, 48) } else { 0 },
        queues,
        depth: DEPTH as u32,
    };
    Ok((limits, interrupts))
}

/// Memory of the disk and its lanes.
fn make(t: KBox<dyn Transport>) -> Result<(Arc<Disk>, u64)> {
    let made = super::negotiate(&*t, F_RO | F_BLK_SIZE | F_FLUSH | F_MQ | F_DISCARD | F_WRITE_ZEROES | F_RING_PACKED).and_then(|f| {
        let offered = if f & F_MQ != 0 { usize::from(t.config8(34)) | usize::from(t.config8(35)) << 8 } else { 1 };
        let mut lanes = KSlice::from_fn(offered.clamp(1, MAX_LANES), KERNEL, |_| None)?;
        for (i, place) in lanes.iter_mut().enumerate() {
            match make_lane(&*t, i as u16, f & F_RING_PACKED != 0) {
                Err(e) if i == 0 => return Err(e),
                lane => *place = lane.ok(),
            }
        }
        Ok((lanes, f))
    });
    let (lanes, f) = made.map_err(|e| super::refuse(&*t, "virtio-blk", e))?;
    let (dead, watched) = (AtomicBool::new(false), AtomicBool::new(false));
    Ok((Arc::new(Disk { t, dead, lanes, watch: SpinLockIrq::new(None), watched })?, f))
}

/// The disk's lanes and limits; the device may work.
fn start(t: KBox<dyn Transport>) -> Result<Ready> {
    let (disk, f) = make(t)?;
    match open(&disk, f) {
        Ok((limits, interrupts)) => {
            super::go(&*disk.t);
            Ok(Ready { disk, limits, interrupts })
        }
        Err(e) => {
            disk.rest();
            Err(super::refuse(&*disk.t, "virtio-blk", e))
        }
    }
}

/// Starts the disk behind `t`.
pub fn bind(t: KBox<dyn Transport>) -> Result<Bound> {
    let Ready { disk, limits, interrupts } = start(t)?;
    match block::add(c"vd", &limits, disk.clone()) {
        Ok(added) => Ok(Bound { disk, added, _interrupts: interrupts }),
        Err(e) => {
            disk.rest();
            Err(super::refuse(&*disk.t, "virtio-blk", e))
        }
    }
}

impl Disk {
    /// What runs later runs no more. Sleeps.
    fn rest(&self) {
        let watch = self.watch.lock().take();
        drop(watch);
        for l in self.lanes() {
            let rest = l.rest.lock().take();
            drop(rest);
        }
    }
}

impl Bound {
    /// Takes the driver away: nothing of it stays. `EBUSY`: the disk is open; `EIO`: the device does not obey. Sleeps.
    pub fn remove(self) -> core::result::Result<(), (Error, Option<Bound>)> {
        let Bound { disk, added, _interrupts } = self;
        if let Err((e, added)) = added.remove() {
            return Err((e, Some(Bound { disk, added, _interrupts })));
        }
        disk.dead.store(true, Ordering::Release);
        let halted = super::leave(&*disk.t);
        if let Ok(proof) = &halted {
            disk.lanes().for_each(|l| l.fail_all(proof));
        }
        disk.rest();
        halted.map(|_| ()).map_err(|e| (e, None)) // EIO: what the device has of our memory is lost
    }
}

#[path = "test/blk.rs"]
mod test;
