// SPDX-License-Identifier: MIT
//! The entropy source against a device that answers wrongly.

use super::super::test::{no_growth, Evil, Handle, Ring};
use super::{bind, F_RING_PACKED};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::{kt_assert, kt_eq, Error, Result};

fn answers(run: &mut kernel::ktest::Run<'_>) -> Result {
    for packed in [false, true] {
        let Ok(evil) = Evil::new(4, if packed { F_RING_PACKED } else { 0 }, 8, &[]) else { return run.skip(c"no message interrupts") };
        let evil = Arc::new(evil)?;
        let bound = bind(KBox::new(Handle(evil.clone()), KERNEL)?)?;
        evil.interrupt(); // for nothing
        // More bytes than were asked for count as what was asked for.
        let a = evil.ring(0, Ring::take).flatten().ok_or(Error::ENOENT)?;
        kt_eq!(a.room, 64);
        evil.ring(0, |r| r.give(a.id.into(), u32::MAX, a.descs));
        evil.interrupt();
        // It asked again, and gets an id that it never used.
        kt_assert!(evil.ring(0, Ring::take).flatten().is_some());
        evil.ring(0, |r| r.give(77, 64, 1));
        for _ in 0..3 {
            evil.interrupt();
        }
        kt_eq!(evil.failures(), 1);
        bound.remove()?;
    }
    // Nothing at all is an answer; it is not asked again.
    let evil = Arc::new(Evil::new(4, 0, 8, &[])?)?;
    let bound = bind(KBox::new(Handle(evil.clone()), KERNEL)?)?;
    let a = evil.ring(0, Ring::take).flatten().ok_or(Error::ENOENT)?;
    evil.ring(0, |r| r.give(a.id.into(), 0, a.descs));
    evil.interrupt();
    kt_assert!(evil.ring(0, Ring::take).flatten().is_none());
    kt_eq!(evil.failures(), 0);
    bound.remove()
}

fn rebound(run: &mut kernel::ktest::Run<'_>) -> Result {
    if Evil::new(4, 0, 8, &[]).is_err() {
        return run.skip(c"no message interrupts");
    }
    no_growth(|| {
        let evil = Arc::new(Evil::new(4, 0, 8, &[])?)?;
        let bound = bind(KBox::new(Handle(evil.clone()), KERNEL)?)?;
        kt_assert!(evil.ring(0, Ring::take).flatten().is_some()); // it asked, and is not answered
        bound.remove()
    })
}

kernel::ktest!(virtio_rng_rebound, rebound);
kernel::ktest!(virtio_rng_answers, answers);
