// SPDX-License-Identifier: MIT
//! Commands of programs against a device that lies: about how much it wrote, left out, or had to say; that answers late, or only once its unit is
//! reset, or never.

use super::super::start::start;
use super::super::test::{answer as honestly, evil, prepare, Kind};
use super::super::{Arc, Bound};
use super::*;
use core::sync::atomic::AtomicBool;
use drivers::virtio::test::{no_growth, Random, Ring};
use kernel::show::Dir;
use kernel::work::Work;
use kernel::{kt_eq, Error, Result};

const REQUESTS: usize = 2;

/// When the device lets go of a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lets {
    AtOnce,
    Aborted,
    Reset,
    Never,
}

/// One command with a millisecond's time for a device that honestly has a disk: how it ended, and how the next one did.
fn once(lets: Lets, ms: u32) -> Result<(Ended, Result<u16>)> {
    let (evil, host) = prepare()?;
    let (memory, request) = (host.command.lock().share(), host.passing.request.lock().share());
    let (stop, holds) = (Arc::new(AtomicBool::new(false))?, Arc::new(AtomicBool::new(false))?);
    let (e, over, held_back) = (evil.clone(), stop.clone(), holds.clone());
    let device = Work::new(move || {
        let (mut seen, mut r, mut held) = (0, Random(1), None);
        loop {
            e.told.wait(|| {
                over.load(Ordering::Acquire) || e.notified.load(Ordering::Acquire) != seen
            });
            if over.load(Ordering::Acquire) {
                return;
            }
            seen = e.notified.load(Ordering::Acquire);
            while let Some(Some(a)) = e.ring(REQUESTS, Ring::take) {
                if held_back.load(Ordering::Acquire) && lets != Lets::AtOnce {
                    held = Some(a);
                } else {
                    e.ring(REQUESTS, |ring| honestly(ring, &memory, a, Kind::Honest, &mut r));
                }
            }
            while let Some(Some(a)) = e.ring(usize::from(CONTROL), Ring::take) {
                let reset = request.read32(4) == Some(RESET_UNIT);
                request.write8(REQUEST, if lets == Lets::Aborted { DONE } else { 5 });
                e.ring(usize::from(CONTROL), |ring| ring.give(a.id.into(), 1, a.descs));
                if (lets == Lets::Aborted || lets == Lets::Reset && reset)
                    && let Some(a) = held.take()
                {
                    held_back.store(false, Ordering::Release);
                    e.ring(REQUESTS, |ring| ring.give(a.id.into(), a.room, a.descs));
                }
            }
            e.interrupt();
        }
    })?;
    device.queue();
    let interrupts = start(&host)?;
    let bound = Bound { host: host.clone(), interrupts };
    holds.store(true, Ordering::Release);
    let (dma, mut before, mut after) = (Dir::debug(c"dma")?, [0; 64], [0; 64]);
    dma.read(c"quarantine", &mut before)?;
    let data = [Some(Dma::alloc(&evil.engine, 512)?)];
    let at = Address { target: 0, lun: 0 };
    let c = Command { at, bytes: &[0; 6], write: false, data: &data, len: 512, ms };
    let first = host.pass(&c)?;
    let second = host.pass(&Command { ms: 10_000, data: &[], len: 0, ..c }).map(|e| e.host);
    if first.released {
        data.into_iter().flatten().for_each(Dma::done);
        // All memory of both commands went back, while the host goes on.
        dma.read(c"quarantine", &mut after)?;
        kt_eq!(after, before);
    }
    bound.pull(false)?;
    stop.store(true, Ordering::Release);
    evil.told.wake_all();
    drop(device);
    Ok((first, second))
}

/// The memory of a command goes back, however late its answer is, and the host goes on.
fn late(run: &mut kernel::ktest::Run<'_>) -> Result {
    if evil(0, 0).is_err() {
        return run.skip(c"no message interrupts");
    }
    let timed_out = |released| Ended::unanswered(host::TIME_OUT, 512, released);
    // The device does not see the command's memory, so its answer is none: an error of the host, 7.
    let (first, second) = once(Lets::AtOnce, 10_000)?;
    kt_eq!((first.host, first.left, first.released, second), (host::ERROR, 0, true, Ok(7)));
    kt_eq!(once(Lets::Aborted, 1)?, (timed_out(true), Ok(7)));
    kt_eq!(once(Lets::Reset, 1)?, (timed_out(true), Ok(7)));
    kt_eq!(once(Lets::Never, 1)?, (timed_out(false), Err(Error::ENODEV)));
    no_growth(|| once(Lets::Aborted, 1).map(|_| ()))
}

/// A command for which the ring has no room in time: its memory goes back, for the device does not know it. A token is another command's once the
/// first has ended.
fn untold(run: &mut kernel::ktest::Run<'_>) -> Result {
    if evil(0, 0).is_err() {
        return run.skip(c"no message interrupts");
    }
    let (evil, host) = prepare()?;
    let lane = host.lane(0).ok_or(Error::ENODEV)?;
    let passed = || {
        let (written, answered) = (AtomicU32::new(0), AtomicBool::new(false));
        let pieces = KSlice::from_fn(1, KERNEL, |_| Piece::NONE)?;
        Arc::new(Passed { done: Completion::new()?, written, answered, pieces, bell: None })
    };
    {
        let (first, next) = (passed()?, passed()?);
        let mut hw = lane.hw.lock();
        let token = hw.begin_passed(first.clone());
        hw.pump();
        kt_eq!(token.map(|t| hw.ended(t, 0).is_ok()), Some(true));
        kt_eq!(hw.begin_passed(next.clone()), token);
        kt_eq!(token.map(|t| hw.drop_passed(t, &first)), Some(false));
        kt_eq!(token.map(|t| hw.drop_passed(t, &next)), Some(true));
        hw.pump();
        while hw.ring.push(&[Piece::NONE], 0).is_ok() {} // full
    }
    let (dma, mut before, mut after) = (Dir::debug(c"dma")?, [0; 64], [0; 64]);
    dma.read(c"quarantine", &mut before)?;
    let data = [Some(Dma::alloc(&evil.engine, 512)?)];
    let at = Address { target: 0, lun: 0 };
    let c = Command { at, bytes: &[0; 6], write: false, data: &data, len: 512, ms: 1 };
    kt_eq!(host.pass(&c)?, Ended::unanswered(host::TIME_OUT, 512, true));
    data.into_iter().flatten().for_each(Dma::done);
    dma.read(c"quarantine", &mut after)?;
    kt_eq!(after, before);
    Ok(())
}

/// What a device claims is cut to what there is room for, and to what it can have written.
fn claims(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let engine = Engine::pretended()?;
    let slot = Dma::alloc(&engine, SLOT)?;
    let sizes = Sizes { cdb: 32, sense: 96 };
    // Length of sense, bytes left, status and response, bytes written; and what comes of it: host, status, left, first and last of the sense.
    let all = 108 + 512;
    for (sense, left, end, written, want) in [
        (18, 0, 0x0002_0000, all, (0, 2, 0, 1, 18, 0)),
        (u32::MAX, 0, 0x0002_0000, all, (0, 2, 0, 1, 96, 96)),
        (96, 0, 0x0002_0000, 12 + 20, (0, 2, 512, 1, 20, 0)),
        (18, u32::MAX, 0, all, (0, 0, 512, 1, 18, 0)),
        (18, 100, 0, all, (0, 0, 100, 1, 18, 0)),
        (0, 0, 0, 108 + 100, (0, 0, 412, 0, 0, 0)),
        (0, 0, 0, 108, (0, 0, 512, 0, 0, 0)),
        (0, 0, 0, u32::MAX, (0, 0, 0, 0, 0, 0)),
        (18, 0, 0, 11, (7, 0, 512, 0, 0, 0)),
        (0, 0, 0x0100_0000, all, (7, 0, 0, 0, 0, 0)),
        (0, 0, 0x0300_0000, all, (4, 0, 0, 0, 0, 0)),
        (0, 0, 0x0900_0000, all, (0, 0x18, 0, 0, 0, 0)),
        (0, 0, 0xff08_0000, all, (7, 8, 0, 0, 0, 0)),
    ] {
        let mut bytes = [0; 96];
        bytes.iter_mut().zip(1..).for_each(|(to, i)| *to = i);
        slot.write32(ANSWER, sense);
        slot.write32(ANSWER + 4, left);
        slot.write32(ANSWER + 8, end);
        slot.copy_in(ANSWER + SENSE, &bytes);
        let e = answer(&slot, sizes, 512, written, true);
        let told = e.sense.iter().filter(|b| **b != 0).count();
        let (first, last) = (e.sense.first().copied(), e.sense.last().copied());
        kt_eq!((e.host, e.status, e.left, first.unwrap_or(0), told, last.unwrap_or(0)), want);
    }
    // To the device: all may have gone that it does not say is left.
    slot.write32(ANSWER + 8, 0);
    slot.write32(ANSWER + 4, 7);
    kt_eq!(answer(&slot, sizes, 512, 108, false).left, 7);
    Ok(())
}

kernel::ktest!(virtio_scsi_late_answers, late);
kernel::ktest!(virtio_scsi_untold, untold);
kernel::ktest!(virtio_scsi_claims, claims);
