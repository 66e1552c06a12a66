// SPDX-License-Identifier: MIT
//! The start of a virtio SCSI host: queues, interrupts, the search for disks, and what they are like.

use super::pass::Passing;
use super::units::{self, Changes, Left, Most, Units};
use super::{Bound, Events, Host, Interrupt, Interrupts, Lane, Later};
use super::{CONTROL, EVENT, EVENTS, EVENT_BUFFERS, FIRST, F_CHANGE, F_HOTPLUG, NAME, RINGS, ROOM};
use crate::lane::{Hw, Sizes, DEPTH, MOST_CDB, MOST_SENSE, SLOT};
use crate::scsi::shown;
use core::sync::atomic::{AtomicBool, Ordering};
use drivers::virtio::queue::{Piece, Queue};
use drivers::virtio::{config32, go, negotiate, refuse, Transport, F_RING_INDIRECT};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::dma::Dma;
use kernel::sync::{Mutex, SpinLockIrq};
use kernel::work::{DelayedWork, Work};
use kernel::{block, irq, Error, Result};

const MIN_PIECES: usize = 35; // of one bio
const MAX_PIECES: usize = 128;
const MAX_INDIRECT: usize = 256;
const TABLES: usize = 16;
const MAX_LANES: usize = 8;

fn make_lane(t: &dyn Transport, i: usize, agreed: u64, sizes: Sizes) -> Result<Lane> {
    let index = FIRST + i as u16;
    let ring = Queue::with_tables(t.engine(), t.queue_max(index), agreed, TABLES, MAX_INDIRECT)?;
    let size = usize::from(ring.size);
    if size < MIN_PIECES {
        return Err(Error::EINVAL);
    }
    let most = if agreed & F_RING_INDIRECT != 0 { MAX_INDIRECT } else { MAX_PIECES };
    let pieces = KSlice::from_fn(size.min(most), KERNEL, |_| Piece::NONE)?;
    let hw = Hw::new(index, ring, pieces, Dma::alloc(t.engine(), 4096)?, sizes)?;
    Ok(Lane { index, hw: SpinLockIrq::new(hw), rest: SpinLockIrq::new(None) })
}

/// Sizes, request queues, events, the control queue, memory of the command that somebody waits for.
type Parts = (Sizes, KSlice<Option<Lane>>, Events, Queue, Dma);

/// Queues and memory of the host.
fn build(t: &dyn Transport, f: u64) -> Result<Parts> {
    let sizes = Sizes { sense: config32(t, 20) as usize, cdb: config32(t, 24) as usize };
    if !(16..=MOST_CDB).contains(&sizes.cdb) || !(18..=MOST_SENSE).contains(&sizes.sense) {
        return Err(Error::EINVAL);
    }
    let offered = config32(t, 0) as usize;
    let mut lanes = KSlice::from_fn(offered.clamp(1, MAX_LANES), KERNEL, |_| None)?;
    for (i, place) in lanes.iter_mut().enumerate() {
        match make_lane(t, i, f, sizes) {
            Err(e) if i == 0 => return Err(e),
            lane => *place = lane.ok(),
        }
    }
    let control = Queue::new(t.engine(), t.queue_max(CONTROL), f)?;
    let events = Events {
        ring: Queue::new(t.engine(), t.queue_max(EVENTS), f)?,
        buffers: Dma::alloc(t.engine(), EVENT_BUFFERS * EVENT)?,
        changes: Changes::new(),
    };
    Ok((sizes, lanes, events, control, Dma::alloc(t.engine(), SLOT + ROOM)?))
}

pub(super) fn make(t: KBox<dyn Transport>) -> Result<Arc<Host>> {
    let built = negotiate(&*t, F_CHANGE | F_HOTPLUG | RINGS).and_then(|f| build(&*t, f));
    let (sizes, lanes, events, control, memory) = built.map_err(|e| refuse(&*t, NAME, e))?;
    let pieces = room_for_data(&*t, lanes.iter().flatten());
    let most = (config32(&*t, 8).clamp(8, 1 << 22) * 512, pieces as usize);
    let passing = Passing::new(&*t, control, most).map_err(|e| refuse(&*t, NAME, e))?;
    let (target, lun) = (config32(&*t, 28) >> 16, config32(&*t, 32));
    let found = Most { target: target.min(255) as u8, lun: lun.min(16383) as u16 };
    Arc::new(Host {
        t,
        dead: AtomicBool::new(false),
        sizes,
        lanes,
        events: SpinLockIrq::new(events),
        passing,
        command: Mutex::new(c"virtio_scsi_command", memory)?,
        watch: SpinLockIrq::new(None),
        watched: AtomicBool::new(false),
        retry: SpinLockIrq::new(None),
        units: Mutex::new(c"virtio_scsi_units", Units::new(found))?,
        left: Left::new(),
        changes: SpinLockIrq::new(None),
    })
}

/// The lane's interrupt and its vector, and what it uses besides.
fn open_lane(host: &Arc<Host>, i: u32) -> Result<(irq::Registration, u16)> {
    let lane = host.lane(i).ok_or(Error::ENODEV)?;
    let theirs = host.clone();
    let go_on = move || {
        _ = i == 0 && (theirs.drain_events() | theirs.passing.drain());
        _ = theirs.lane(i).map(|l| theirs.drain(l));
    };
    let rest: KBox<dyn Later> = KBox::new(Work::new(go_on)?, KERNEL)?;
    *lane.rest.lock() = Some(rest);
    let (source, vector, shared) = host.t.interrupt_at(i as u16)?;
    let registered = irq::request_owned(
        source,
        &Arc::new(Interrupt { host: host.clone(), lane: i })?,
        c"virtio-scsi",
        shared,
    )?;
    host.t.queue_setup(lane.index, &lane.hw.lock().ring, vector)?;
    Ok((registered, vector))
}

/// The device gets its queues: the interrupts, and how many request queues there are.
fn open(host: &Arc<Host>) -> Result<(Interrupts, u32)> {
    let theirs = host.clone();
    let watch: KBox<dyn Later> = KBox::new(DelayedWork::new(move || theirs.check())?, KERNEL)?;
    *host.watch.lock() = Some(watch);
    let theirs = host.clone();
    let retry: KBox<dyn Later> = KBox::new(DelayedWork::new(move || theirs.retry())?, KERNEL)?;
    *host.retry.lock() = Some(retry);
    *host.changes.lock() = Some(units::later(host)?);
    let mut interrupts = KSlice::from_fn(host.lanes.len(), KERNEL, |_| None)?;
    let mut queues = 0;
    for (i, place) in interrupts.iter_mut().enumerate() {
        match open_lane(host, i as u32) {
            Ok((registered, vector)) => {
                *place = Some(registered);
                if i == 0 {
                    host.passing.set_up(&*host.t, vector)?;
                    host.t.queue_setup(EVENTS, &host.events.lock().ring, vector)?;
                }
            }
            Err(e) if queues == 0 => return Err(e),
            Err(_) => break, // fewer interrupts than queues: those that we have will do
        }
        queues += 1;
    }
    host.passing.set_lanes(queues);
    Ok((interrupts, queues))
}

/// The events' buffers go to the device.
fn offer_events(host: &Host) {
    {
        let mut e = host.events.lock();
        for i in 0..EVENT_BUFFERS as u16 {
            if e.offer(i).is_err() {
                break; // a short queue
            }
        }
    }
    host.t.notify(EVENTS);
}

/// How many pieces of memory a request has at most.
fn room_for_data<'a>(t: &dyn Transport, lanes: impl Iterator<Item = &'a Lane>) -> u32 {
    let room = lanes.map(|l| l.hw.lock().pieces.len()).min().unwrap_or(MIN_PIECES) as u32 - 2;
    room.min(config32(t, 4)).max(1)
}

/// What all disks of the host have in common.
fn limits(host: &Host, queues: u32) -> block::Limits {
    let t = &*host.t;
    let segments = room_for_data(t, host.lanes());
    // A bio has as many pieces as it has pages, and one more where it begins within one.
    let few =
        if segments < MIN_PIECES as u32 - 2 { (segments - 1).max(1) * 4096 } else { u32::MAX };
    let most = config32(t, 8).max(8).saturating_mul(512).min(few);
    block::Limits {
        sectors: 0,
        block_size: 512,
        read_only: false,
        removable: false,
        no_partitions: false,
        write_cache: false,
        max_discard: 0,
        max_zeroes: 0,
        physical_block: 0,
        fua: false,
        max_bytes: if most == u32::MAX { 0 } else { most },
        max_segments: segments,
        max_segment: 0,
        queues,
        depth: config32(t, 12).clamp(1, DEPTH as u32),
        parent: None,
    }
}

/// What has begun ends: the host is dead, and its device halted or given up.
pub(super) fn undo(host: &Host) {
    let units = host.units.lock().end();
    units.detach(true);
    host.rest();
    units.take_away();
}

pub(super) fn start(host: &Arc<Host>) -> Result<Interrupts> {
    let (interrupts, queues) = open(host)?;
    go(&*host.t);
    offer_events(host);
    let common = limits(host, queues);
    let facts = shown::Facts {
        driver: "virtio_scsi",
        queues,
        depth: common.depth,
        pieces: common.max_segments,
    };
    let shown = host.t.dir().and_then(|d| shown::Shown::new(&d, facts).ok());
    host.units.lock().begin(host, common, shown)?;
    Ok(interrupts)
}

/// Starts the host behind `t`, looks for disks and adds them.
pub fn bind(t: KBox<dyn Transport>) -> Result<Bound> {
    let host = make(t)?;
    match start(&host) {
        Ok(interrupts) => Ok(Bound { host, interrupts }),
        Err(e) => {
            let was_dead = host.dead.swap(true, Ordering::AcqRel);
            let e = if was_dead { e } else { refuse(&*host.t, NAME, e) };
            undo(&host);
            Err(e)
        }
    }
}
