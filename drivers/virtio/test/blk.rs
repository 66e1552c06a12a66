// SPDX-License-Identifier: MIT
//! The disk against a device that answers wrongly: requests end, with EIO, and the device is given up once.

use super::super::test::{no_growth, Avail, Evil, Handle, Ring};
use super::{bind, block, start, Bound, Ready, DEPTH, F_BLK_SIZE, F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED, SLOT};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::dma::Dma;
use kernel::{kt_assert, kt_eq, thread, Error, Result};

/// What the device does with a request, once it was honest for some.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trick {
    Honest,
    BadId,
    Twice,
    Jump,
    Short,
    Status,
    NoStatus,
    Long,
    Reset,
    NeedsReset,
    Gone,
}

/// Writes the status byte where the request wants it.
fn set_status(slots: &Dma, a: &Avail, s: u8) {
    if let Some(off) = slots.offset_of(a.last) {
        slots.write8(off, s);
    }
}

fn answer(r: &mut Ring, slots: &Dma, trick: Trick, a: Avail) -> Option<u8> {
    let id = u32::from(a.id);
    match trick {
        Trick::Honest | Trick::Long => {
            set_status(slots, &a, 0);
            r.give(id, if trick == Trick::Long { u32::MAX } else { a.room }, a.descs);
        }
        Trick::BadId => r.give(id + 1000, a.room, a.descs),
        Trick::Twice => {
            set_status(slots, &a, 3); // not counted as an answer
            r.give(id, a.room, a.descs);
            r.give(id, a.room, a.descs);
        }
        Trick::Jump => {
            r.give(0xffff, 0, a.descs);
            r.set_index(0x4000);
        }
        Trick::Short => {
            set_status(slots, &a, 0);
            r.give(id, 1, a.descs);
        }
        Trick::Status => {
            set_status(slots, &a, 0xee);
            r.give(id, a.room, a.descs);
        }
        Trick::NoStatus => r.give(id, a.room, a.descs),
        Trick::Reset => return Some(0),
        Trick::NeedsReset => return Some(4 | 64),
        Trick::Gone => return Some(0xff),
    }
    None
}

struct Setup {
    evil: Arc<Evil>,
    bound: Bound,
    trick_from: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    device: thread::JoinHandle,
}

/// A disk whose device is a thread: honest for `trick_from` requests, then not.
fn setup(rings: u64, trick: Trick) -> Result<Setup> {
    let mut config = [0u8; 60];
    if let Some(sectors) = config.first_mut() {
        *sectors = 64;
    }
    let evil = Arc::new(Evil::new(2, rings, 128, &config)?)?;
    let Ready { disk, limits, interrupts } = start(KBox::new(Handle(evil.clone()), KERNEL)?)?;
    let slots = disk.lane(0).ok_or(Error::ENODEV)?.slots.share();
    let (trick_from, stop) = (Arc::new(AtomicU32::new(u32::MAX))?, Arc::new(AtomicBool::new(false))?);
    let (e, from, over) = (evil.clone(), trick_from.clone(), stop.clone());
    let device = thread::spawn(c"evil disk", move || {
        let (mut seen, mut served) = (0, 0);
        loop {
            e.told.wait(|| over.load(Ordering::Acquire) || e.notified.load(Ordering::Acquire) != seen);
            if over.load(Ordering::Acquire) {
                return;
            }
            seen = e.notified.load(Ordering::Acquire);
            while let Some(Some(a)) = e.ring(0, Ring::take) {
                let now = if served >= from.load(Ordering::Acquire) { trick } else { Trick::Honest };
                served += 1;
                if let Some(Some(status)) = e.ring(0, |r| answer(r, &slots, now, a)) {
                    e.status.store(status, Ordering::Release);
                }
            }
            e.interrupt();
        }
    })?;
    let added = block::add(c"evil", &limits, disk.clone())?;
    Ok(Setup { evil, bound: Bound { disk, added, _interrupts: interrupts }, trick_from, stop, device })
}

fn try_trick(rings: u64, trick: Trick) -> Result {
    let s = setup(rings, trick)?;
    let mut sector = [0; 512];
    kt_eq!(s.bound.added.read(5, &mut sector), Ok(()));
    s.trick_from.store(0, Ordering::Release);
    let is_reset = matches!(trick, Trick::Reset | Trick::NeedsReset | Trick::Gone);
    if is_reset {
        // The watch comes by itself after a while; here it comes when the device is no more what it was.
        let (disk, evil) = (s.bound.disk.clone(), s.evil.clone());
        let t = thread::spawn(c"watch", move || {
            while evil.status.load(Ordering::Acquire) == 4 | 8 | 2 | 1 {
                kernel::time::sleep_ms(1);
            }
            disk.check();
        })?;
        kt_eq!(s.bound.added.read(6, &mut sector), Err(Error::EIO));
        t.join();
    } else {
        let want = if matches!(trick, Trick::Honest | Trick::Long) { Ok(()) } else { Err(Error::EIO) };
        kt_eq!((trick, s.bound.added.read(6, &mut sector)), (trick, want));
    }
    // One more interrupt, and one more: what is given up is given up once.
    s.evil.interrupt();
    s.evil.interrupt();
    let given_up = is_reset || matches!(trick, Trick::BadId | Trick::Twice | Trick::Jump);
    kt_eq!((trick, s.bound.disk.is_dead(), s.evil.failures()), (trick, given_up, u32::from(given_up)));
    kt_assert!(!s.bound.disk.is_busy());
    if given_up {
        kt_eq!(s.bound.added.read(7, &mut sector), Err(Error::EIO));
    }
    s.stop.store(true, Ordering::Release);
    s.evil.told.wake_all();
    s.device.join();
    s.bound.remove().map_err(|(e, _)| e)
}

fn tricks(run: &mut kernel::ktest::Run<'_>) -> Result {
    for rings in [0, F_RING_PACKED, F_RING_INDIRECT | F_RING_EVENT, F_RING_PACKED | F_RING_INDIRECT | F_RING_EVENT] {
        for t in [Trick::Honest, Trick::BadId, Trick::Twice, Trick::Jump, Trick::Short, Trick::Status, Trick::NoStatus, Trick::Long] {
            match try_trick(rings, t) {
                Err(Error::ENODEV) => return run.skip(c"no message interrupts"),
                r => r?,
            }
        }
    }
    Ok(())
}

fn resets(run: &mut kernel::ktest::Run<'_>) -> Result {
    for t in [Trick::Reset, Trick::NeedsReset, Trick::Gone] {
        match try_trick(if t == Trick::Gone { F_RING_PACKED } else { 0 }, t) {
            Err(Error::ENODEV) => return run.skip(c"no message interrupts"),
            r => r?,
        }
    }
    Ok(())
}

/// Configurations that no disk has.
fn configurations(run: &mut kernel::ktest::Run<'_>) -> Result {
    let attach = |config: &[u8], max: u16, change: fn(&mut Evil)| -> Result {
        let mut e = Evil::new(2, F_BLK_SIZE, max, config)?;
        change(&mut e);
        let e = Arc::new(e)?;
        let r = bind(KBox::new(Handle(e.clone()), KERNEL)?).map(|_| ());
        kt_assert!(r.is_err() && e.failures() == 1);
        r
    };
    let config = |sectors: u64, block: u32| {
        let mut c = [0; 60];
        for (to, from) in c.iter_mut().zip(sectors.to_le_bytes()) {
            *to = from;
        }
        for (to, from) in c.iter_mut().skip(20).zip(block.to_le_bytes()) {
            *to = from;
        }
        c
    };
    if attach(&[], 128, |_| ()) == Err(Error::ENODEV) {
        return run.skip(c"no message interrupts");
    }
    for block in [0, 1, 511, 513, 1 << 20, 1 << 31, u32::MAX] {
        kt_eq!(attach(&config(64, block), 128, |_| ()), Err(Error::EINVAL));
    }
    kt_eq!(attach(&config(u64::MAX, 512), 128, |_| ()), Err(Error::EINVAL));
    kt_eq!(attach(&config(u64::MAX >> 9, 512), 128, |_| ()), Err(Error::EINVAL));
    kt_eq!(attach(&config(64, 512), 128, |e| e.restless = true), Err(Error::EIO));
    // Queues without room, without length, of no power of two.
    for max in [0, 1, 16, 100] {
        kt_eq!(attach(&config(64, 512), max, |_| ()), Err(Error::EINVAL));
    }
    kt_assert!(DEPTH * SLOT <= 4096); // not a page: what is lent for headers
    Ok(())
}

/// A size that the device reports is set; one above the maximum is refused.
fn sizes(run: &mut kernel::ktest::Run<'_>) -> Result {
    let with = |sectors: u64| -> Result<bool> {
        let mut config = [0; 60];
        for (to, from) in config.iter_mut().zip(sectors.to_le_bytes()) {
            *to = from;
        }
        let evil = Arc::new(Evil::new(2, 0, 128, &config)?)?;
        let Ready { disk, mut limits, interrupts } = start(KBox::new(Handle(evil.clone()), KERNEL)?)?;
        limits.sectors = 0; // without a partition table to read
        let added = block::add(c"evil", &limits, disk.clone())?;
        let size = added.size();
        let said = disk.look_at_size(&size);
        let is = size.get();
        drop(size);
        Bound { disk, added, _interrupts: interrupts }.remove().map_err(|(e, _)| e)?;
        said.map(|()| is == sectors)
    };
    match with(5000) {
        Err(Error::ENODEV) => return run.skip(c"no message interrupts"),
        r => kt_eq!(r, Ok(true)),
    }
    for sectors in [0, 1, i64::MAX as u64 >> 9] {
        kt_eq!(with(sectors), Ok(true));
    }
    for sectors in [(i64::MAX as u64 >> 9) + 1, u64::MAX] {
        kt_eq!(with(sectors), Err(Error::EINVAL));
    }
    Ok(())
}

/// Drivers that come and go.
fn rebound(run: &mut kernel::ktest::Run<'_>) -> Result {
    if Evil::new(2, 0, 128, &[]).is_err() {
        return run.skip(c"no message interrupts");
    }
    let mut packed = false;
    no_growth(|| {
        packed = !packed;
        let evil = Arc::new(Evil::new(2, if packed { F_RING_PACKED } else { 0 }, 128, &[0; 60])?)?;
        let bound = bind(KBox::new(Handle(evil.clone()), KERNEL)?)?;
        kt_eq!(evil.failures(), 0);
        bound.remove().map_err(|(e, _)| e)
    })
}

/// Disks that go whoever has them, in order and without a word.
fn pulled(run: &mut kernel::ktest::Run<'_>) -> Result {
    if Evil::new(2, 0, 128, &[]).is_err() {
        return run.skip(c"no message interrupts");
    }
    let mut gone = false;
    no_growth(|| {
        gone = !gone;
        let evil = Arc::new(Evil::new(2, 0, 128, &[0; 60])?)?;
        let bound = bind(KBox::new(Handle(evil.clone()), KERNEL)?)?;
        kt_eq!(bound.pull(gone), Ok(()));
        kt_assert!(evil.engine.is_halted());
        kt_eq!(evil.failures(), 0);
        Ok(())
    })
}

/// What is under way when the driver goes fails, after the device was made to leave its memory alone.
fn removed_under_way(run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut config = [0u8; 60];
    let Ok(evil) = Evil::new(2, 0, 128, &config) else { return run.skip(c"no message interrupts") };
    drop(evil);
    if let Some(sectors) = config.first_mut() {
        *sectors = 64;
    }
    let evil = Arc::new(Evil::new(2, 0, 128, &config)?)?;
    let theirs = evil.clone();
    let binding = thread::spawn(c"reader", move || {
        // The device answers nothing: binding waits for the partition table until the device is found to be gone.
        let Ok(t) = KBox::new(Handle(theirs.clone()), KERNEL) else { return };
        let Ok(Ready { disk, limits, interrupts }) = start(t) else { return };
        let halts = theirs.clone();
        let lane = disk.clone();
        let ends = thread::spawn(c"halter", move || {
            halts.told.wait(|| halts.notified.load(Ordering::Acquire) > 0);
            halts.status.store(0, Ordering::Release);
            lane.check();
        });
        let added = block::add(c"evil", &limits, disk.clone());
        let _ = ends.map(|t| t.join());
        if let Ok(added) = added {
            let r = Bound { disk, added, _interrupts: interrupts }.remove();
            theirs.done.store(r.is_ok(), Ordering::Release);
        }
    })?;
    binding.join();
    kt_assert!(evil.done.load(Ordering::Acquire) && evil.engine.is_halted());
    Ok(())
}

kernel::ktest!(virtio_disk_rebound, rebound);
kernel::ktest!(virtio_disk_pulled, pulled);
kernel::ktest!(virtio_disk_sizes, sizes);
kernel::ktest!(virtio_disk_removed_under_way, removed_under_way);
kernel::ktest!(virtio_disk_tricks, tricks);
kernel::ktest!(virtio_disk_resets, resets);
kernel::ktest!(virtio_disk_configurations, configurations);
