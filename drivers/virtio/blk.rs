// SPDX-License-Identifier: MIT
//! The virtio disk (5.2): /dev/vda and its like. One hardware queue of ours for each of the device's.

use super::queue::{Piece, Queue};
use super::{config32, config64, Transport, F_RING_PACKED};
use kernel::alloc::{KBox, KSlice, KERNEL};
use kernel::block::{self, Op, Request};
use kernel::mem::Dma;
use kernel::sync::SpinLockIrq;
use kernel::{irq, pr_err, Error, Result};

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

struct Hw {
    ring: Queue,
    under_way: KSlice<Option<Request>>,
}

struct Lane {
    index: u16,
    hw: SpinLockIrq<Hw>,
    slots: Dma,
    disk: &'static dyn Transport,
}

struct Disk {
    lanes: [Option<&'static Lane>; 8],
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

    /// What the device said of the request with that tag.
    fn status(&self, tag: u16) -> Result {
        match self.slots.read8(usize::from(tag) * SLOT + 32) {
            Some(0) => Ok(()),
            Some(2) => Err(Error::EOPNOTSUPP),
            _ => Err(Error::EIO),
        }
    }
}

impl irq::Handler for Lane {
    fn handle(&self) -> bool {
        if self.disk.acknowledge() == 0 {
            return false;
        }
        loop {
            let mut hw = self.hw.lock();
            let Some((tag, _)) = hw.ring.pop() else {
                if hw.ring.is_broken() {
                    pr_err!("virtio-blk: the device broke the rules of its queue; it is given up\n");
                    super::fail(self.disk);
                    for i in 0..DEPTH {
                        let lost = hw.under_way.get_mut(i).and_then(Option::take);
                        drop(hw);
                        if let Some(r) = lost {
                            r.complete(Err(Error::EIO));
                        }
                        hw = self.hw.lock();
                    }
                }
                return true;
            };
            let r = hw.under_way.get_mut(usize::from(tag)).and_then(Option::take);
            drop(hw); // completing may queue the next one
            if let Some(r) = r {
                r.complete(self.status(tag));
            }
        }
    }
}

impl block::Driver for Disk {
    fn queue(&self, queue: u32, r: Request) -> core::result::Result<(), (Error, Request)> {
        let Some(lane) = self.lanes.get(queue as usize).copied().flatten() else { return Err((Error::EIO, r)) };
        let mut pieces = [Piece { addr: 0, len: 0, writable: false }; MAX_PIECES];
        let n = match lane.describe(&r, &mut pieces) {
            Ok(n) => n,
            Err(e) => return Err((e, r)),
        };
        let tag = r.tag();
        let notify;
        {
            let mut hw = lane.hw.lock();
            if let Err(e) = hw.ring.push(pieces.get(..n).unwrap_or(&[]), tag) {
                return Err((e, r));
            }
            match hw.under_way.get_mut(usize::from(tag)) {
                Some(slot) => *slot = Some(r),
                None => return Err((Error::EINVAL, r)),
            }
            notify = hw.ring.wants_notify();
        }
        if notify {
            lane.disk.notify(lane.index);
        }
        Ok(())
    }
}

fn make_lane(t: &'static dyn Transport, i: u16, packed: bool) -> Result<&'static Lane> {
    let max = t.queue_max(i);
    let ring = Queue::new(max, packed)?;
    if usize::from(ring.size) < MAX_PIECES {
        return Err(Error::EINVAL);
    }
    let hw = Hw { ring, under_way: KSlice::from_fn(DEPTH, KERNEL, |_| None)? };
    let lane = KBox::new(Lane { index: i, hw: SpinLockIrq::new(hw), slots: Dma::alloc(DEPTH * SLOT)?, disk: t }, KERNEL)?.leak();
    let (line, vector, shared) = t.interrupt()?;
    irq::request(line, lane, c"virtio-blk", shared)?;
    t.queue_setup(i, &lane.hw.lock().ring, vector)?;
    Ok(lane)
}

/// Starts the disk behind `t`.
pub fn attach<T: Transport + 'static>(t: T) -> Result {
    let t: &'static T = KBox::new(t, KERNEL)?.leak();
    let f = super::negotiate(t, F_RO | F_BLK_SIZE | F_FLUSH | F_MQ | F_DISCARD | F_WRITE_ZEROES | F_RING_PACKED)?;
    let offered = if f & F_MQ != 0 { u32::from(t.config8(34)) | u32::from(t.config8(35)) << 8 } else { 1 };
    let mut disk = Disk { lanes: [None; 8] };
    let mut queues = 0u32;
    for (i, slot) in (0u16..).zip(disk.lanes.iter_mut()) {
        if u32::from(i) >= offered.clamp(1, 8) {
            break;
        }
        match make_lane(t, i, f & F_RING_PACKED != 0) {
            Ok(l) => *slot = Some(l),
            Err(e) if queues == 0 => return Err(e),
            Err(_) => break, // fewer interrupts than queues: those that we have will do
        }
        queues += 1;
    }
    let limits = block::Limits {
        sectors: config64(t, 0),
        block_size: if f & F_BLK_SIZE != 0 { config32(t, 20) } else { 512 },
        read_only: f & F_RO != 0,
        write_cache: f & F_FLUSH != 0,
        max_discard: if f & F_DISCARD != 0 { config32(t, 36) } else { 0 },
        max_zeroes: if f & F_WRITE_ZEROES != 0 { config32(t, 48) } else { 0 },
        queues,
        depth: DEPTH as u32,
    };
    super::go(t);
    block::add(c"vd", &limits, KBox::new(disk, KERNEL)?.leak()).map(|_| ())
}
