// SPDX-License-Identifier: MIT
//! The virtio disk (5.2): /dev/vda and its like. One hardware queue of ours for each of the device's.

use super::queue::{Piece, Queue};
use super::{config32, config64, Transport, F_RING_PACKED};
use kernel::alloc::{KBox, KSlice, KERNEL};
use kernel::block::{self, Offer, Op, Request, Taken};
use kernel::mem::Dma;
use kernel::sync::{Once, SpinLockIrq};
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
const MAX_LANES: usize = 8;
const WATCH_MS: u32 = 2000;
// Most requests that one interrupt completes.
const BUDGET: usize = 2 * DEPTH;

struct Hw {
    ring: Queue,
    under_way: KSlice<Option<Request>>,
}

struct Lane {
    index: u16,
    hw: SpinLockIrq<Hw>,
    slots: Dma,
    disk: &'static Disk,
    // Goes on where an interrupt left off.
    rest: Once<&'static dyn Rest>,
}

/// What lanes share. A device that breaks the rules, or stops being one, is given up: all that is under way and to come fails.
struct Disk {
    t: &'static dyn Transport,
    dead: AtomicBool,
    lanes: [Once<Lane>; MAX_LANES],
    // Looks after the device every now and then, while requests are under way.
    watch: Once<&'static dyn Watch>,
    watched: AtomicBool,
}

trait Rest: Sync {
    fn go_on(&self);
}

impl<F: Fn() + Send + Sync> Rest for Work<F> {
    fn go_on(&self) {
        self.queue();
    }
}

trait Watch: Sync {
    fn later(&self);
}

impl<F: Fn() + Send + Sync> Watch for DelayedWork<F> {
    fn later(&self) {
        self.queue_after(WATCH_MS);
    }
}

impl Disk {
    fn lane(&self, i: u32) -> Option<&'static Lane> {
        self.lanes.get(i as usize)?.get()
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    fn give_up(&self, why: &str) {
        if self.dead.swap(true, Ordering::AcqRel) {
            return;
        }
        super::fail(self.t, "virtio-blk", why);
        for i in 0..MAX_LANES as u32 {
            if let Some(l) = self.lane(i) {
                l.fail_all();
            }
        }
    }

    fn is_busy(&self) -> bool {
        (0..MAX_LANES as u32).any(|i| self.lane(i).is_some_and(|l| l.hw.lock().under_way.iter().any(Option::is_some)))
    }

    /// A request is on its way: look after it.
    fn arm(&self) {
        // Looked at before it is written: all queues share it.
        if let Some(w) = self.watch.get()
            && !self.watched.load(Ordering::Acquire)
            && !self.watched.swap(true, Ordering::AcqRel)
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
        if super::is_alive(self.t) {
            self.arm();
        } else {
            self.give_up("the device was reset with requests under way");
        }
    }
}

impl Lane {
    /// Writes the header of `r` into its slot and the pieces into `out`; how many.
    fn describe(&self, r: &Request, out: &mut [Piece; MAX_PIECES]) -> Result<usize> {
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

    /// Nobody will answer these any more.
    fn fail_all(&self) {
        for i in 0..DEPTH {
            let lost = self.hw.lock().under_way.get_mut(i).and_then(Option::take);
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

impl irq::Handler for Lane {
    fn handle(&self) -> bool {
        // Where lanes share a line, whoever came first has acknowledged for all of them: the ring is looked at either way.
        let ours = self.disk.t.acknowledge() != 0;
        self.drain() || ours
    }
}

impl Lane {
    /// Completes what the device is done with: whether there was anything. Each may queue the next one, so a device that is done at once
    /// could keep us here for ever: after a while a thread goes on.
    fn drain(&self) -> bool {
        let mut ours = false;
        for _ in 0..BUDGET {
            let mut hw = self.hw.lock();
            let popped = hw.ring.pop();
            let broken = hw.ring.is_broken();
            let r = popped.and_then(|(tag, len)| Some((hw.under_way.get_mut(usize::from(tag))?.take()?, tag, len)));
            drop(hw); // completing may queue the next one
            ours |= popped.is_some();
            match r {
                Some((r, tag, len)) => {
                    let status = self.status(&r, tag, len);
                    r.complete(status);
                }
                None if popped.is_some() => {} // failed meanwhile
                None => {
                    if broken {
                        self.disk.give_up(super::BROKE_RULES);
                    }
                    return ours;
                }
            }
        }
        if let Some(rest) = self.rest.get() {
            rest.go_on();
        }
        ours
    }
}

impl block::Driver for Disk {
    fn queue<'a>(&self, queue: u32, r: Offer<'a>) -> core::result::Result<Taken<'a>, (Error, Offer<'a>)> {
        let Some(lane) = self.lane(queue) else { return Err((Error::EIO, r)) };
        let mut pieces = [Piece { addr: 0, len: 0, writable: false }; MAX_PIECES];
        let tag = r.request().tag();
        if usize::from(tag) >= DEPTH {
            return Err((Error::EINVAL, r));
        }
        let n = match lane.describe(r.request(), &mut pieces) {
            Ok(n) => n,
            Err(e) => return Err((e, r)),
        };
        let (notify, taken);
        {
            let mut hw = lane.hw.lock();
            if self.is_dead() {
                return Err((Error::EIO, r));
            }
            if let Err(e) = hw.ring.push(pieces.get(..n).unwrap_or(&[]), tag) {
                return Err((e, r));
            }
            let request;
            (request, taken) = r.take();
            if let Some(slot) = hw.under_way.get_mut(usize::from(tag)) {
                *slot = Some(request);
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

fn make_lane(disk: &'static Disk, i: u16, packed: bool) -> Result<(&'static Lane, irq::Registration)> {
    let t = disk.t;
    let ring = Queue::new(t.queue_max(i), packed)?;
    if usize::from(ring.size) < MAX_PIECES {
        return Err(Error::EINVAL);
    }
    let hw = Hw { ring, under_way: KSlice::from_fn(DEPTH, KERNEL, |_| None)? };
    let lane = KBox::new(Lane { index: i, hw: SpinLockIrq::new(hw), slots: Dma::alloc(DEPTH * SLOT)?, disk, rest: Once::new() }, KERNEL)?;
    let lane: &'static Lane = lane.leak();
    let rest = Work::new(|| {
        lane.drain();
    })?;
    let rest: &'static dyn Rest = KBox::new(rest, KERNEL)?.leak();
    lane.rest.set(KBox::new(rest, KERNEL)?.leak())?;
    let (source, vector, shared) = t.interrupt()?;
    let registered = irq::request(source, lane, c"virtio-blk", shared)?;
    t.queue_setup(i, &lane.hw.lock().ring, vector)?;
    Ok((lane, registered))
}

/// The disk's lanes and limits; the device may work.
fn start(t: &'static dyn Transport) -> Result<(&'static Disk, block::Limits)> {
    let f = super::negotiate(t, F_RO | F_BLK_SIZE | F_FLUSH | F_MQ | F_DISCARD | F_WRITE_ZEROES | F_RING_PACKED)?;
    let offered = if f & F_MQ != 0 { u32::from(t.config8(34)) | u32::from(t.config8(35)) << 8 } else { 1 };
    let disk = Disk { t, dead: AtomicBool::new(false), lanes: [const { Once::new() }; MAX_LANES], watch: Once::new(), watched: AtomicBool::new(false) };
    let disk: &'static Disk = KBox::new(disk, KERNEL)?.leak();
    let watch: &'static dyn Watch = KBox::new(DelayedWork::new(|| disk.check())?, KERNEL)?.leak();
    disk.watch.set(KBox::new(watch, KERNEL)?.leak())?;
    let mut queues = 0u32;
    let mut interrupts = [const { None }; MAX_LANES];
    for i in 0..offered.clamp(1, MAX_LANES as u32) {
        match make_lane(disk, i as u16, f & F_RING_PACKED != 0) {
            Ok((l, registered)) => {
                if let Some(r) = interrupts.get_mut(i as usize) {
                    *r = Some(registered); // goes back if nothing comes of the disk
                }
                if let Some(slot) = disk.lanes.get(i as usize) {
                    slot.set(l)?;
                }
            }
            Err(e) if queues == 0 => return Err(e),
            Err(_) => break, // fewer interrupts than queues: those that we have will do
        }
        queues += 1;
    }
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
    interrupts.into_iter().flatten().for_each(irq::Registration::keep);
    super::go(t);
    Ok((disk, limits))
}

/// Starts the disk behind `t`.
pub fn attach<T: Transport + 'static>(t: T) -> Result {
    let t: &'static T = KBox::new(t, KERNEL)?.leak();
    let added = start(t).and_then(|(disk, limits)| block::add(c"vd", &limits, disk));
    if let Err(e) = &added {
        if *e != Error::ENODEV && *e != Error::EOPNOTSUPP {
            super::fail(t, "virtio-blk", "the device makes no sense");
        }
        return Err(*e);
    }
    Ok(())
}

#[path = "test/blk.rs"]
mod test;
