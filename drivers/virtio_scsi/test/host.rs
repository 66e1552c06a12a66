// SPDX-License-Identifier: MIT
//! The SCSI host against a device that answers what it likes: the search for disks ends, whatever was found goes again, and nothing is left.

use super::start::{make, start, undo};
use super::units::{go_through, Change, Changes};
use super::{Address, Arc, Bound, Host, KBox, F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED};
use crate::lane::{ANSWER, SLOT};
use crate::scsi::cdb::put;
use core::sync::atomic::{AtomicBool, Ordering};
use drivers::virtio::test::{no_growth, Avail, Evil, Handle, Random, Ring};
use kernel::alloc::KERNEL;
use kernel::dma::Dma;
use kernel::work::Work;
use kernel::{kt_eq, Error, Result};

const REQUESTS: usize = 2;

/// How much the device lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One disk of 64 blocks at target 0, which answers all commands.
    Honest,
    /// Lengths, statuses, sense and data at random.
    Liar,
    /// The same, and now and then an id that is none.
    Breaker,
}

/// The honest answer's data.
fn data(code: u8, page: u8, vital: bool) -> ([u8; 64], u32) {
    let mut d = [0; 64];
    let len = match code {
        0x12 if vital => {
            put(&mut d, 1, 1, page.into());
            put(&mut d, 3, 1, if page == 0 { 2 } else { 60 });
            put(&mut d, 5, 1, if page == 0 { 0xb0 } else { 0 });
            if page == 0 {
                6
            } else {
                64
            }
        }
        0x12 => {
            put(&mut d, 0, 8, 0x0000_0502_1f00_0000);
            36
        }
        0xa0 => {
            put(&mut d, 0, 4, 8);
            16
        }
        0x9e => {
            put(&mut d, 0, 8, 63);
            put(&mut d, 8, 4, 512);
            32
        }
        0x1a => {
            put(&mut d, 0, 1, 3);
            4
        }
        _ => 0,
    };
    (d, len)
}

/// Answers the command that somebody waits for, or a disk's request: of that the device cannot see the memory, and leaves it alone.
pub(super) fn answer(ring: &mut Ring, memory: &Dma, a: Avail, kind: Kind, r: &mut Random) {
    let ours = memory.offset_of(a.last).is_some();
    let (code, flags, page) = (
        memory.read8(19).unwrap_or(0),
        memory.read8(20).unwrap_or(0),
        memory.read8(21).unwrap_or(0),
    );
    let (mut d, len) = data(code, page, flags & 1 != 0);
    let room = a.room.saturating_sub(108);
    let mut left = room.saturating_sub(len);
    let (mut sense, mut end, mut written) = (0, 0, a.room);
    if kind != Kind::Honest {
        let lie = |r: &mut Random| r.below(4) == 0;
        d.iter_mut().for_each(|b| *b = if r.below(5) == 0 { r.below(256) as u8 } else { *b });
        left = if lie(r) { r.below(u32::MAX) } else { left };
        sense = if lie(r) { r.below(u32::MAX) } else { 18 };
        written = if lie(r) { r.below(u32::MAX) } else { written };
        // Statuses and responses that ask for patience are left out: they would take their time.
        let (status, response) = (
            [0, 2, 2, 0x18, 0x40, 0xee].get(r.below(6) as usize).copied().unwrap_or(0),
            r.below(12),
        );
        end = if lie(r) {
            u32::from_be_bytes([if response == 5 { 0 } else { response as u8 }, status, 0, 0])
        } else {
            0
        };
    }
    if ours {
        memory.copy_in(SLOT, d.get(..room.min(64) as usize).unwrap_or(&[]));
        memory.write32(ANSWER, sense);
        memory.write32(ANSWER + 4, left);
        memory.write32(ANSWER + 8, end);
        let mut text = [0; 18];
        text.iter_mut().for_each(|b| *b = r.below(256) as u8);
        put(&mut text, 0, 4, 0x7000_0300 | u64::from(r.below(2)) << 8);
        memory.copy_in(ANSWER + 12, &text);
    }
    let wrong = if kind == Kind::Breaker && r.below(12) == 0 { 1000 } else { 0 };
    ring.give(u32::from(a.id) + wrong, written, a.descs);
}

pub(super) fn evil(rings: u64, most: u32) -> Result<Arc<Evil>> {
    let mut config = [0; 36];
    // Queues, segments, sectors, commands; events, sense and commands in bytes; channel and targets; units.
    for (i, v) in [1u32, 126, 0xffff, 128, 16, 96, 32, most << 16, 16383].into_iter().enumerate() {
        config.iter_mut().skip(4 * i).zip(v.to_le_bytes()).for_each(|(to, b)| *to = b);
    }
    Arc::new(Evil::new(8, rings, 128, &config)?)
}

/// A host that is not started, with its device, which has one target.
pub(super) fn prepare() -> Result<(Arc<Evil>, Arc<super::Host>)> {
    let evil = evil(0, 0)?;
    let host = make(KBox::new(Handle(evil.clone()), KERNEL)?)?;
    Ok((evil, host))
}

/// Binds and takes away again, the device being a work item that has targets up to MOST: how many disks there were.
fn once(rings: u64, most: u32, kind: Kind, seed: u64) -> Result<usize> {
    driven(rings, most, kind, seed, |_| Ok(()))
}

/// The same, with something done meanwhile.
fn driven(
    rings: u64,
    most: u32,
    kind: Kind,
    seed: u64,
    during: impl FnOnce(&Arc<Host>) -> Result,
) -> Result<usize> {
    let evil = evil(rings, most)?;
    let host = make(KBox::new(Handle(evil.clone()), KERNEL)?)?;
    let memory = host.command.lock().share();
    let stop = Arc::new(AtomicBool::new(false))?;
    let (e, over) = (evil.clone(), stop.clone());
    let device = Work::new(move || {
        let (mut seen, mut r) = (0, Random(seed));
        loop {
            e.told.wait(|| {
                over.load(Ordering::Acquire) || e.notified.load(Ordering::Acquire) != seen
            });
            if over.load(Ordering::Acquire) {
                return;
            }
            seen = e.notified.load(Ordering::Acquire);
            while let Some(Some(a)) = e.ring(REQUESTS, Ring::take) {
                e.ring(REQUESTS, |ring| answer(ring, &memory, a, kind, &mut r));
            }
            e.interrupt();
        }
    })?;
    device.queue(); // no thread of its own: its stack would count for a while after it ended
    let bound = match start(&host) {
        Ok(interrupts) => Ok(Bound { host, interrupts }),
        Err(e) => {
            undo(&host);
            Err(e)
        }
    };
    let result = bound.and_then(|b| {
        let done = during(&b.host);
        let disks = b.host.units.lock().disks();
        b.pull(false).and(done).map(|()| disks)
    });
    stop.store(true, Ordering::Release);
    evil.told.wake_all();
    drop(device);
    result
}

fn honest(run: &mut kernel::ktest::Run<'_>) -> Result {
    for rings in [
        0,
        F_RING_PACKED,
        F_RING_INDIRECT | F_RING_EVENT,
        F_RING_PACKED | F_RING_INDIRECT | F_RING_EVENT,
    ] {
        match once(rings, 2, Kind::Honest, 1) {
            Err(Error::ENODEV) => return run.skip(c"no message interrupts"),
            r => kt_eq!(r, Ok(3)), // of three targets
        }
    }
    Ok(())
}

fn lies(run: &mut kernel::ktest::Run<'_>) -> Result {
    if evil(0, 0).is_err() {
        return run.skip(c"no message interrupts");
    }
    let (mut whole, mut disks, mut given_up) = (0, 0, 0);
    for seed in 1..300 {
        let rings = if seed % 2 == 0 { F_RING_PACKED } else { F_RING_INDIRECT | F_RING_EVENT };
        match once(rings, 2, if seed % 3 == 0 { Kind::Breaker } else { Kind::Liar }, seed << 20) {
            Ok(n) => (whole, disks) = (whole + 1, disks + n),
            Err(_) => given_up += 1,
        }
    }
    kt_eq!(
        (whole, disks, given_up, whole > 50 && disks > 20 && given_up > 5),
        (whole, disks, given_up, true)
    );
    Ok(())
}

/// Hosts that come and go.
fn rebound(run: &mut kernel::ktest::Run<'_>) -> Result {
    if evil(0, 0).is_err() {
        return run.skip(c"no message interrupts");
    }
    no_growth(|| once(F_RING_INDIRECT, 0, Kind::Honest, 1).map(|_| ()))
}

/// What events say, and what is noted of them.
fn events(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let at = Address { target: 7, lun: 0x123 };
    let mut c = Changes::new();
    for (kind, lun, reason, change) in [
        (1, [1, 7, 0x41, 0x23], 1, Some(Change::New(at))),
        (1, [1, 7, 0x01, 0x23], 2, Some(Change::Gone(at))),
        (3, [1, 7, 0x41, 0x23], 0x92a, Some(Change::Other(at))),
        (1, [1, 7, 0x41, 0x23], 0, None), // a reset
        (2, [1, 7, 0x41, 0x23], 1, None),
        (0, [1, 7, 0x41, 0x23], 1, None),
        (1, [2, 7, 0x41, 0x23], 1, None), // another bus
    ] {
        kt_eq!((kind, c.note(kind, lun, reason)), (kind, change.is_some()));
        let (noted, missed) = c.take();
        kt_eq!((noted.first().copied().flatten(), missed), (change, false));
    }
    // The device had no room for one; neither have we for the 17th.
    kt_eq!((c.note(1 << 31, [0; 4], 0), c.take().1, c.take().1), (true, true, false));
    for i in 0..17 {
        kt_eq!((i, c.note(1, [1, i, 0x40, 0], 1)), (i, true));
    }
    let (noted, missed) = c.take();
    let last = Some(Change::New(Address { target: 15, lun: 0 }));
    kt_eq!(
        (noted.iter().flatten().count(), noted.last().copied().flatten(), missed),
        (16, last, true)
    );
    Ok(())
}

/// Disks go and come while their host is driven: their places are used again.
fn units(run: &mut kernel::ktest::Run<'_>) -> Result {
    if evil(0, 0).is_err() {
        return run.skip(c"no message interrupts");
    }
    let test = |host: &Arc<Host>| -> Result {
        let event = |kind, target, reason| {
            host.events.lock().changes.note(kind, [1, target, 0x40, 0], reason);
            go_through(host);
            host.units.lock().disks()
        };
        let (there, gone, other) = (1, 2, 3);
        for _ in 0..3 {
            kt_eq!((event(1, 1, gone), event(1, 1, gone)), (2, 2));
            kt_eq!((event(other, 1, 0), event(1, 3, there)), (2, 2)); // targets end at 2
            kt_eq!((event(1, 1, there), event(1, 1, there)), (3, 3));
        }
        kt_eq!((event(1, 0, gone), event(1, 2, gone)), (2, 1));
        kt_eq!(event(1 << 31, 0, 0), 3); // what was missed is found
        host.lanes().try_for_each(|l| {
            let room = l.hw.lock().disks.len();
            kt_eq!(room, 4); // as for the three at first
            Ok(())
        })
    };
    for rings in [0, F_RING_PACKED] {
        kt_eq!(driven(rings, 2, Kind::Honest, 1, test), Ok(3));
    }
    Ok(())
}

/// A device that lies, and says all the time that units come and go.
fn storm(run: &mut kernel::ktest::Run<'_>) -> Result {
    if evil(0, 0).is_err() {
        return run.skip(c"no message interrupts");
    }
    let mut left = 0;
    for seed in 1..30u64 {
        let kind = if seed % 3 == 0 { Kind::Breaker } else { Kind::Liar };
        let mut r = Random(seed << 20);
        let disks = driven(0, 2, kind, seed << 21, |host| {
            for _ in 0..12 {
                let (kind, at) = (r.below(5) | (r.below(8) / 7) << 31, r.below(3) as u8);
                let lun = [1, at, 0x40, (r.below(4) / 3) as u8];
                host.events.lock().changes.note(kind, lun, r.below(4));
                go_through(host);
            }
            Ok(())
        });
        left += usize::from(disks.is_ok());
    }
    kt_eq!((left, left > 5), (left, true));
    Ok(())
}

/// Sizes that no host has.
fn configurations(run: &mut kernel::ktest::Run<'_>) -> Result {
    if evil(0, 0).is_err() {
        return run.skip(c"no message interrupts");
    }
    for (at, v) in [(20, 0u32), (20, 129), (20, u32::MAX), (24, 15), (24, 33), (24, u32::MAX)] {
        let mut config = [0; 36];
        for (at, v) in [(20, 96u32), (24, 32), (at, v)] {
            config.iter_mut().skip(at).zip(v.to_le_bytes()).for_each(|(to, b)| *to = b);
        }
        let e = Arc::new(Evil::new(8, 0, 128, &config)?)?;
        let r = super::bind(KBox::new(Handle(e.clone()), KERNEL)?).map(|_| ());
        kt_eq!((r, e.failures()), (Err(Error::EINVAL), 1));
    }
    Ok(())
}

kernel::ktest!(virtio_scsi_disks, honest);
kernel::ktest!(virtio_scsi_lies, lies);
kernel::ktest!(virtio_scsi_rebound, rebound);
kernel::ktest!(virtio_scsi_events, events);
kernel::ktest!(virtio_scsi_units, units);
kernel::ktest!(virtio_scsi_storm, storm);
kernel::ktest!(virtio_scsi_configurations, configurations);
