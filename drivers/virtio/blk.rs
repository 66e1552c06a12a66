// SPDX-License-Identifier: MIT
//! The virtio disk (5.2): /dev/vda and its like. One hardware queue of ours for each of the device's.

use super::queue::{Piece, Queue};
use super::{config32, config64, Transport, F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::block::{self, InFlight, Lent, Offer, Op, Request, Taken};
use kernel::dma::{Dma, Halted};
use kernel::sync::SpinLockIrq;
use kernel::work::{DelayedWork, Work};
use kernel::{irq, Error, Result};

const F_SIZE_MAX: u64 = 1 << 1;
const F_SEG_MAX: u64 = 1 << 2;
const F_RO: u64 = 1 << 5;
const F_BLK_SIZE: u64 = 1 << 6;
const F_FLUSH: u64 = 1 << 9;
const F_MQ: u64 = 1 << 12;
const F_DISCARD: u64 = 1 << 13;
const F_WRITE_ZEROES: u64 = 1 << 14;
const RINGS: u64 = F_RING_PACKED | F_RING_INDIRECT | F_RING_EVENT;
const T_IN: u32 = 0;
const T_OUT: u32 = 1;
const T_FLUSH: u32 = 4;
const T_DISCARD: u32 = 11;
const T_WRITE_ZEROES: u32 = 13;
const DEPTH: usize = 64;
// Beside each request: header (16 bytes), a range for discard (16), the status byte.
const SLOT: usize = 48;
// Of one bio, and of a request that many bios make: a ring holds two of those, or its tables TABLES.
const MIN_PIECES: usize = 35;
const MAX_PIECES: usize = 128;
const MAX_INDIRECT: usize = 256;
const TABLES: usize = 16;
const MAX_LANES: usize = 8;
const WATCH_MS: u32 = 2000;
// Most requests that one interrupt completes.
const BUDGET: usize = 2 * DEPTH;

struct Hw {
    ring: Queue,
    under_way: InFlight,
    pieces: KSlice<Piece>, // of the request that is described
    untold: bool,          // the device was not told of something
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
    // Looks at the size again.
    resized: SpinLockIrq<Option<KBox<dyn Rest>>>,
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

    fn config_changed(&self) {
        if let Some(w) = &*self.resized.lock() {
            w.go_on();
        }
    }

    /// The device may have another size. One that no disk has is not believed. Sleeps.
    fn look_at_size(&self, size: &block::Size) -> Result {
        size.set(config64(&*self.t, 0)?)
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
        let ours = self.slots.segment(slot, SLOT)?;
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
        add(Piece { mem: ours.part(0, 16)?, writable: false })?;
        match r.op() {
            Op::Read | Op::Write => {
                for mem in r.pieces() {
                    add(Piece { mem, writable: r.op() == Op::Read })?;
                }
            }
            Op::Discard | Op::WriteZeroes => {
                self.slots.write64(slot + 16, r.disk_sector());
                self.slots.write32(slot + 24, r.len() >> 9);
                self.slots.write32(slot + 28, 0);
                add(Piece { mem: ours.part(16, 16)?, writable: false })?;
            }
            Op::Flush => {}
        }
        add(Piece { mem: ours.part(32, 1)?, writable: true })?;
        Ok(n)
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
        let why = self.disk.t.acknowledge();
        if why & super::WHY_CONFIG != 0 {
            self.disk.config_changed();
        }
        let ours = why != 0;
        self.disk.lane(self.lane).is_some_and(|l| self.disk.drain(l)) || ours
    }
}

/// The interrupt handler of the vector for configuration changes.
struct AnswerConfig(Arc<Disk>);

impl irq::Handler for AnswerConfig {
    fn handle(&self) -> bool {
        self.0.config_changed();
        true
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
            let more = popped.is_none() && hw.ring.arm();
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
                None if broken => {
                    self.give_up(super::BROKE_RULES);
                    return ours;
                }
                None if more => {}
                None => return ours,
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
    fn queue<'a>(
        &self,
        queue: u32,
        r: Offer<'a>,
    ) -> core::result::Result<Taken<'a>, (Error, Offer<'a>)> {
        let Some(lane) = self.lane(queue) else { return Err((Error::EIO, r)) };
        let mut hw = lane.hw.lock();
        let hw = &mut *hw;
        if self.is_dead() || hw.ring.is_broken() {
            return Err((Error::EIO, r));
        }
        let n = pieces_of(r.request());
        if n > hw.pieces.len() {
            return Err((Error::EINVAL, r));
        }
        if !hw.ring.has_room(n) {
            return Err((Error::EBUSY, r));
        }
        let (lent, taken) = hw.under_way.lend(r)?;
        let tag = lent.tag();
        let pushed = lane
            .describe(lent, &mut hw.pieces)
            .and_then(|n| hw.ring.push(hw.pieces.get(..n).unwrap_or(&[]), tag));
        hw.untold |= pushed.is_ok();
        if let (Err(e), Some(r)) =
            (pushed, if pushed.is_err() { hw.under_way.done(tag) } else { None })
        {
            r.complete(Err(e)); // the ring does not have it
        }
        Ok(taken)
    }

    fn commit(&self, queue: u32) {
        let Some(lane) = self.lane(queue) else { return };
        let notify = {
            let mut hw = lane.hw.lock();
            core::mem::take(&mut hw.untold) && hw.ring.wants_notify()
        };
        if notify {
            self.t.notify(lane.index);
        }
        self.arm();
    }
}

/// A disk with its driver.
pub struct Bound {
    disk: Arc<Disk>,
    added: block::Disk,
    _interrupts: Interrupts,
}

/// The lanes' interrupts; with MSI-X, also the interrupt for configuration changes.
type Interrupts = (KSlice<Option<irq::Registration>>, Option<irq::Registration>);

/// The disk before it works.
struct Ready {
    disk: Arc<Disk>,
    limits: block::Limits,
    interrupts: Interrupts,
}

fn make_lane(t: &dyn Transport, i: u16, agreed: u64) -> Result<Lane> {
    let ring = Queue::with_tables(t.engine(), t.queue_max(i), agreed, TABLES, MAX_INDIRECT)?;
    let size = usize::from(ring.size);
    if size < MIN_PIECES {
        return Err(Error::EINVAL);
    }
    let most = if agreed & F_RING_INDIRECT != 0 { MAX_INDIRECT } else { MAX_PIECES };
    let pieces = KSlice::from_fn(size.min(most), KERNEL, |_| Piece::NONE)?;
    let hw = Hw {
        ring,
        under_way: InFlight::new(t.engine(), DEPTH, block::MOST_BYTES)?,
        pieces,
        untold: false,
    };
    Ok(Lane {
        index: i,
        hw: SpinLockIrq::new(hw),
        slots: Dma::alloc(t.engine(), DEPTH * SLOT)?,
        rest: SpinLockIrq::new(None),
    })
}

/// The lane's interrupt, and what it uses besides.
fn open_lane(disk: &Arc<Disk>, i: u32) -> Result<irq::Registration> {
    let lane = disk.lane(i).ok_or(Error::ENODEV)?;
    let theirs = disk.clone();
    let rest: KBox<dyn Rest> =
        KBox::new(Work::new(move || _ = theirs.lane(i).map(|l| theirs.drain(l)))?, KERNEL)?;
    *lane.rest.lock() = Some(rest);
    let (source, vector, shared) = disk.t.interrupt_at(lane.index)?;
    let registered = irq::request_owned(
        source,
        &Arc::new(Answer { disk: disk.clone(), lane: i })?,
        c"virtio-blk",
        shared,
    )?;
    disk.t.queue_setup(lane.index, &lane.hw.lock().ring, vector)?;
    Ok(registered)
}

/// The interrupt for changes of the configuration; none where it comes with a lane's, or where the device has no vector left: then a new
/// size is not heard of.
fn open_config(disk: &Arc<Disk>) -> Option<irq::Registration> {
    let Ok((source, vector, false)) = disk.t.interrupt() else { return None };
    let answer = Arc::new(AnswerConfig(disk.clone())).ok()?;
    let registered = irq::request_owned(source, &answer, c"virtio-blk-config", false).ok()?;
    disk.t.on_config(vector).ok().map(|()| registered)
}

/// The disk's limits, and the lanes that there are interrupts for.
fn open(disk: &Arc<Disk>, f: u64) -> Result<(block::Limits, Interrupts)> {
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
    // All rings take a request of so many pieces, and the device does; without a word from it, what one bio has.
    let room =
        disk.lanes().map(|l| l.hw.lock().pieces.len()).min().unwrap_or(MIN_PIECES) as u32 - 2;
    let limits = block::Limits {
        max_segments: room.min(if f & F_SEG_MAX != 0 {
            config32(t, 12)
        } else {
            MIN_PIECES as u32 - 3
        }),
        max_segment: if f & F_SIZE_MAX != 0 { config32(t, 8) } else { 0 },
        sectors: config64(t, 0)?,
        block_size: if f & F_BLK_SIZE != 0 { config32(t, 20) } else { 512 },
        read_only: f & F_RO != 0,
        removable: false,
        no_partitions: false,
        write_cache: f & F_FLUSH != 0,
        max_discard: if f & F_DISCARD != 0 { config32(t, 36) } else { 0 },
        max_zeroes: if f & F_WRITE_ZEROES != 0 { config32(t, 48) } else { 0 },
        physical_block: 0,
        fua: false,
        max_bytes: 0,
        queues,
        depth: DEPTH as u32,
        parent: t.dir(),
    };
    Ok((limits, (interrupts, open_config(disk))))
}

/// Memory of the disk and its lanes.
fn make(t: KBox<dyn Transport>) -> Result<(Arc<Disk>, u64)> {
    let made = super::negotiate(
        &*t,
        F_SIZE_MAX
            | F_SEG_MAX
            | F_RO
            | F_BLK_SIZE
            | F_FLUSH
            | F_MQ
            | F_DISCARD
            | F_WRITE_ZEROES
            | RINGS,
    )
    .and_then(|f| {
        let offered = if f & F_MQ != 0 {
            usize::from(t.config8(34)) | usize::from(t.config8(35)) << 8
        } else {
            1
        };
        let mut lanes = KSlice::from_fn(offered.clamp(1, MAX_LANES), KERNEL, |_| None)?;
        for (i, place) in lanes.iter_mut().enumerate() {
            match make_lane(&*t, i as u16, f) {
                Err(e) if i == 0 => return Err(e),
                lane => *place = lane.ok(),
            }
        }
        Ok((lanes, f))
    });
    let (lanes, f) = made.map_err(|e| super::refuse(&*t, "virtio-blk", e))?;
    let (dead, watched) = (AtomicBool::new(false), AtomicBool::new(false));
    let resized = SpinLockIrq::new(None);
    Ok((Arc::new(Disk { t, dead, lanes, watch: SpinLockIrq::new(None), watched, resized })?, f))
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
        Ok(added) => {
            hear_sizes(&disk, &added);
            Ok(Bound { disk, added, _interrupts: interrupts })
        }
        Err(e) => {
            disk.rest();
            Err(super::refuse(&*disk.t, "virtio-blk", e))
        }
    }
}

/// From here on the disk has the size that the device says. Without memory for that it keeps its first one.
fn hear_sizes(disk: &Arc<Disk>, added: &block::Disk) {
    let (theirs, size) = (disk.clone(), added.size());
    let look = move || _ = theirs.look_at_size(&size);
    let made = Work::new(look).and_then(|w| KBox::new(w, KERNEL));
    *disk.resized.lock() = made.ok().map(|w| -> KBox<dyn Rest> { w });
    disk.config_changed(); // it may have changed since it was read
}

impl Disk {
    /// What runs later runs no more. Sleeps.
    fn rest(&self) {
        let resized = self.resized.lock().take();
        drop(resized);
        let watch = self.watch.lock().take();
        drop(watch);
        for l in self.lanes() {
            let rest = l.rest.lock().take();
            drop(rest);
        }
    }
}

impl Bound {
    /// Takes the driver away, whoever has the disk open; `gone`: the device is not there any more. Requests under way and to come fail.
    /// `EIO`: the device does not obey, and what it has under way it has for ever. Sleeps.
    pub fn pull(self, gone: bool) -> Result {
        let Bound { disk, added, _interrupts } = self;
        added.detach(gone);
        disk.dead.store(true, Ordering::Release);
        let halted = super::leave(&*disk.t);
        if let Ok(proof) = &halted {
            disk.lanes().for_each(|l| l.fail_all(proof));
        }
        drop(_interrupts);
        disk.rest();
        added.take_away();
        halted.map(|_| ())
    }

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
