// SPDX-License-Identifier: MIT
//! The console against a device that answers wrongly: writers never wait for a device that is given up.

use super::super::test::{Evil, Handle, Ring};
use super::{start, BUFS, SIZE};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::tty::Line;
use kernel::{kt_assert, kt_eq, Error, Result};

fn answers(run: &mut kernel::ktest::Run<'_>) -> Result {
    let Ok(evil) = Evil::new(3, 0, 64, &[]) else { return run.skip(c"no message interrupts") };
    let evil = Arc::new(evil)?;
    let (port, registered) = start(KBox::new(Handle(evil.clone()), KERNEL)?.leak())?;
    registered.keep();
    port.open()?;
    // Each buffer filled, with lengths that are none; they come back.
    for round in 0..3 {
        for _ in 0..BUFS {
            let a = evil.ring(0, Ring::take).flatten().ok_or(Error::ENOENT)?;
            kt_eq!(a.room as usize, SIZE);
            evil.ring(0, |r| r.give(a.id.into(), if round == 0 { 0 } else { u32::MAX }, 1));
        }
        evil.interrupt();
    }
    // What is written is sent, and answered.
    kt_eq!(port.write(&[b'x'; 3 * SIZE]), 3 * SIZE);
    kt_eq!((port.pending(), port.write_room()), (3 * SIZE, (BUFS - 3) * SIZE));
    let a = evil.ring(1, Ring::take).flatten().ok_or(Error::ENOENT)?;
    evil.ring(1, |r| r.give(a.id.into(), u32::MAX, 1));
    evil.interrupt();
    kt_eq!(port.pending(), 2 * SIZE);
    // The same answer once more is one too many.
    evil.ring(1, |r| r.give(a.id.into(), 0, 1));
    for _ in 0..3 {
        evil.interrupt();
    }
    kt_eq!(evil.failures(), 1);
    kt_eq!((port.pending(), port.write_room()), (0, BUFS * SIZE));
    for _ in 0..2 * BUFS {
        kt_assert!(port.write(&[b'y'; SIZE]) == SIZE); // lost, and nobody waits
    }
    port.close();
    Ok(())
}

kernel::ktest!(virtio_console_answers, answers);
