// SPDX-License-Identifier: MIT
//! The start of a virtio SCSI host: queues, interrupts, the search for disks, and what they are like.

use super::super::queue::{Piece, Queue};
use super::super::scsi_lane::{
    Hw, Requests, Room, Sizes, DEPTH, MOST_CDB, MOST_DISKS, MOST_SENSE, SLOT,
};
use super::super::{config32, go, negotiate, refuse, Transport, F_RING_INDIRECT};
use super::pass::Passing;
use super::{Bound, Disk, Events, Host, Interrupt, Interrupts, Lane, Later, Seen};
use super::{CONTROL, EVENT, EVENTS, EVENT_BUFFERS, FIRST, F_CHANGE, NAME, RINGS, ROOM};
use crate::scsi::core::scan;
use crate::scsi::disk::{examine, sectors};
use crate::scsi::inquiry::DISK;
use crate::scsi::pass::Known;
use crate::scsi::shown;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::dma::Dma;
use kernel::sync::{Mutex, SpinLockIrq};
use kernel::work::{DelayedWork, Work};
use kernel::{block, irq, pr_info, pr_warn, Error, Result};

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
    };
    Ok((sizes, lanes, events, control, Dma::alloc(t.engine(), SLOT + ROOM)?))
}

pub(super) fn make(t: KBox<dyn Transport>) -> Result<Arc<Host>> {
    let built = negotiate(&*t, F_CHANGE | RINGS).and_then(|f| build(&*t, f));
    let (sizes, lanes, events, control, memory) = built.map_err(|e| refuse(&*t, NAME, e))?;
    let pieces = room_for_data(&*t, lanes.iter().flatten());
    let most = (config32(&*t, 8).clamp(8, 1 << 22) * 512, pieces as usize);
    let passing = Passing::new(&*t, control, most).map_err(|e| refuse(&*t, NAME, e))?;
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
        resized: SpinLockIrq::new(None),
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

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("").trim_end()
}

/// What answers, in the order of addresses, and what each disk is like.
fn look(
    host: &Arc<Host>,
    common: &block::Limits,
    shown: Option<&shown::Shown>,
) -> Result<KSlice<Option<Seen>>> {
    let (max_target, max_lun) = (config32(&*host.t, 28) >> 16, config32(&*host.t, 32));
    let mut found = scan(&**host, max_target.min(255) as u8, max_lun.min(16383) as u16)?;
    let n = found.iter().count();
    let mut seen = KSlice::from_fn(n, KERNEL, |_| {
        found.pop_front().map(|f| Seen {
            found: *f,
            known: None,
            unit: None,
            disk: None,
            shown: None,
        })
    })?;
    for s in seen.iter_mut().flatten() {
        let (f, i) = (s.found, s.found.inquiry);
        let number = shown.map_or(0, |s| s.number());
        pr_info!(
            "scsi {}:0:{}:{}: {} {}, type {}\n",
            number,
            f.at.target,
            f.at.lun,
            text(&i.vendor),
            text(&i.product),
            i.kind
        );
        s.known = Some(Arc::new(Known::new(number, f.at, i))?);
        s.shown = shown.and_then(|h| h.unit(&**host, &f).ok());
        if i.kind != DISK {
            continue; // nothing drives it
        }
        match examine(&**host, &f, common) {
            Ok((unit, mut limits)) => {
                limits.parent = s.shown.as_ref().map(|u| u.dir().clone());
                s.unit = Some((Arc::new(unit)?, limits));
            }
            Err(e) => pr_warn!(
                "scsi {}:0:{}:{}: no disk: error {}\n",
                number,
                f.at.target,
                f.at.lun,
                e.code()
            ),
        }
        if host.is_dead() {
            return Err(Error::EIO);
        }
    }
    Ok(seen)
}

/// Each queue gets room for the requests of each disk.
fn make_room(host: &Host, seen: &[Option<Seen>]) -> Result {
    for lane in host.lanes() {
        let disks = || seen.iter().flatten().filter_map(|s| s.unit.as_ref()).take(MOST_DISKS);
        let mut requests = KSlice::from_fn(disks().count(), KERNEL, |_| None)?;
        for (place, (unit, _)) in requests.iter_mut().zip(disks()) {
            *place = Some(Requests::new(host.t.engine(), unit)?);
        }
        let room = Room::new(requests)?;
        let old = lane.hw.lock().room_for(room);
        drop(old);
    }
    Ok(())
}

/// From here on disks have the sizes that the device says. Without memory for that they keep their first ones.
fn hear_sizes(host: &Arc<Host>, seen: &[Option<Seen>]) -> Result {
    let disks = || seen.iter().flatten().filter_map(|s| Some((s.unit.as_ref()?, s.disk.as_ref()?)));
    let mut sizes = KSlice::from_fn(disks().count(), KERNEL, |_| None)?;
    for (place, (unit, disk)) in sizes.iter_mut().zip(disks()) {
        *place = Some((unit.0.clone(), disk.size()));
    }
    let theirs = host.clone();
    let look = move || {
        for (unit, size) in sizes.iter().flatten() {
            _ = sectors(&*theirs, unit).and_then(|n| size.set(n));
        }
    };
    let work: KBox<dyn Later> = KBox::new(Work::new(look)?, KERNEL)?;
    *host.resized.lock() = Some(work);
    Ok(())
}

/// The disks are there.
fn add(host: &Arc<Host>, seen: &mut [Option<Seen>]) {
    let disks = seen.iter_mut().flatten().filter(|s| s.unit.is_some()).take(MOST_DISKS);
    for (index, s) in disks.enumerate() {
        let (Some((unit, limits)), Some(known)) = (&s.unit, &s.known) else { continue };
        let disk = Arc::new(Disk {
            host: host.clone(),
            unit: unit.clone(),
            known: known.clone(),
            index: index as u16,
        });
        match disk.and_then(|d| block::add(c"sd", limits, d)) {
            Ok(added) => s.disk = Some(added),
            Err(e) => pr_warn!(
                "scsi: target {}, unit {}: no disk: error {}\n",
                unit.at.target,
                unit.at.lun,
                e.code()
            ),
        }
    }
}

pub(super) fn start(
    host: &Arc<Host>,
) -> Result<(KSlice<Option<Seen>>, Option<shown::Shown>, Interrupts)> {
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
    let mut seen = look(host, &common, shown.as_ref())?;
    make_room(host, &seen)?;
    add(host, &mut seen);
    _ = hear_sizes(host, &seen);
    Ok((seen, shown, interrupts))
}

/// Starts the host behind `t`, looks for disks and adds them.
pub fn bind(t: KBox<dyn Transport>) -> Result<Bound> {
    let host = make(t)?;
    match start(&host) {
        Ok((seen, shown, interrupts)) => Ok(Bound { host, seen, shown, interrupts }),
        Err(e) => {
            let was_dead = host.dead.swap(true, Ordering::AcqRel);
            host.rest();
            Err(if was_dead { e } else { refuse(&*host.t, NAME, e) })
        }
    }
}
