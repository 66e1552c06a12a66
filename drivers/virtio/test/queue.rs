// SPDX-License-Identifier: MIT
//! The rings against a device that writes what it likes into them.

use super::super::test::{Random, Ring};
use super::{Piece, Queue, F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED, MAX};
use kernel::dma::{Engine, Segment};
use kernel::{kt_assert, kt_eq, Error, Result};

fn piece(len: u32, writable: bool) -> Piece {
    Piece { mem: Segment::pretended(len), writable }
}

fn agreed(packed: bool) -> u64 {
    if packed { F_RING_PACKED } else { 0 }
}

fn make(packed: bool) -> Result<(Queue, Ring)> {
    let q = Queue::new(&Engine::pretended()?, 8, agreed(packed))?;
    let ring = Ring::new(&q);
    Ok((q, ring))
}

/// Each of `break_it` makes a queue broken: nothing comes out, nothing goes in, nothing is lost of what was counted.
fn must_break(break_it: fn(&mut Queue, &mut Ring) -> Result) -> Result {
    for packed in [false, true] {
        let (mut q, mut ring) = make(packed)?;
        break_it(&mut q, &mut ring)?;
        let mut n = 0;
        while q.pop().is_some() {
            n += 1;
            kt_assert!(n <= 8);
        }
        kt_assert!(q.is_broken());
        kt_eq!(q.pop(), None);
        kt_eq!(q.push(&[piece(1, false)], 1), Err(Error::EIO));
        kt_assert!(!q.has_room(1));
    }
    Ok(())
}

fn ids(_run: &mut kernel::ktest::Run<'_>) -> Result {
    // Never issued, beyond the queue, far beyond.
    must_break(|_, r| {
        r.give(0, 0, 1);
        Ok(())
    })?;
    for id in [8u32, 0xffff, 0x8000_0000, u32::MAX] {
        for packed in [false, true] {
            if packed && id > 0xffff {
                continue; // it has 16 bits there
            }
            let (mut q, mut r) = make(packed)?;
            q.push(&[piece(1, true)], 3)?;
            r.give(id, 0, 1);
            kt_eq!(q.pop(), None);
            kt_assert!(q.is_broken() && q.is_busy());
        }
    }
    // Twice the same.
    must_break(|q, r| {
        q.push(&[piece(1, true)], 3)?;
        let a = r.take().ok_or(Error::ENOENT)?;
        r.give(a.id.into(), 1, a.descs);
        kt_eq!(q.pop(), Some((3, 1)));
        r.give(a.id.into(), 1, a.descs);
        Ok(())
    })?;
    // The middle of a chain is not its head.
    must_break(|q, r| {
        q.push(&[piece(1, false), piece(1, true), piece(1, true)], 5)?;
        let a = r.take().ok_or(Error::ENOENT)?;
        kt_eq!((a.descs, a.room), (3, 2));
        r.give(u32::from(a.id) + 1, 0, 1);
        Ok(())
    })
}

fn indices(_run: &mut kernel::ktest::Run<'_>) -> Result {
    // A used index that jumps, by a little, by more than the queue holds, backwards. A packed ring has none: a descriptor further on
    // that is marked as used is not looked at before its turn.
    for jump in [2u16, 9, 100, 0x8000, 0xffff] {
        let (mut q, mut r) = make(false)?;
        q.push(&[piece(1, true)], 7)?;
        let a = r.take().ok_or(Error::ENOENT)?;
        r.give(a.id.into(), 1, 1);
        r.set_index(jump);
        let mut n = 0u32;
        while q.pop().is_some() {
            n += 1;
        }
        kt_assert!(n == u32::from(jump <= 8) && q.is_broken());
    }
    let (mut q, mut r) = make(true)?;
    q.push(&[piece(1, true)], 7)?;
    for i in 1..8 {
        r.set_index(i);
    }
    kt_eq!(q.pop(), None);
    kt_assert!(!q.is_broken());
    let a = r.take().ok_or(Error::ENOENT)?;
    r.give(a.id.into(), 1, 1);
    kt_eq!(q.pop(), Some((7, 1)));
    kt_eq!(q.pop(), None); // the next one was marked too, with an id that is not under way
    kt_assert!(q.is_broken());
    Ok(())
}

fn lengths(_run: &mut kernel::ktest::Run<'_>) -> Result {
    for packed in [false, true] {
        let (mut q, mut r) = make(packed)?;
        for (said, counts) in [(0, 0), (4, 4), (10, 10), (11, 10), (u32::MAX, 10)] {
            q.push(&[piece(100, false), piece(7, true), piece(3, true)], 1)?;
            let a = r.take().ok_or(Error::ENOENT)?;
            r.give(a.id.into(), said, a.descs);
            kt_eq!(q.pop(), Some((1, counts)));
        }
        // Lengths that do not fit into 32 bits together.
        q.push(&[piece(u32::MAX, true), piece(u32::MAX, true)], 1)?;
        let id = if packed { r.mem.read16(16 * usize::from(r.given) + 12).unwrap_or(0) } else { r.take().ok_or(Error::ENOENT)?.id };
        r.give(id.into(), u32::MAX, 2);
        kt_eq!(q.pop(), Some((1, u32::MAX)));
        kt_assert!(!q.is_broken() && !q.is_busy());
    }
    Ok(())
}

fn sizes(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kt_eq!(Queue::new(&Engine::pretended()?, 0, 0).err(), Some(Error::EINVAL));
    kt_eq!(Queue::new(&Engine::pretended()?, 0, F_RING_PACKED).err(), Some(Error::EINVAL));
    kt_eq!(Queue::new(&Engine::pretended()?, 6, 0).err(), Some(Error::EINVAL));
    kt_eq!(Queue::new(&Engine::pretended()?, 6, F_RING_PACKED)?.size, 6);
    for size in [0x8000, u16::MAX] {
        kt_eq!(usize::from(Queue::new(&Engine::pretended()?, size, F_RING_PACKED)?.size), MAX);
    }
    kt_eq!(usize::from(Queue::new(&Engine::pretended()?, 0x8000, 0)?.size), MAX);
    for (size, packed) in [(1, false), (1, true), (5, true)] {
        let mut q = Queue::new(&Engine::pretended()?, size, agreed(packed))?;
        kt_eq!(q.push(&[], 0), Err(Error::EINVAL));
        kt_eq!(q.push(&[piece(1, true); 6], 0), Err(Error::EINVAL));
        // Many times round, so that the wrap counters turn.
        let mut r = Ring::new(&q);
        for n in 0..40u16 {
            q.push(&[piece(8, true)], n)?;
            kt_assert!(size > 1 || q.push(&[piece(8, true)], n) == Err(Error::EBUSY));
            let a = r.take().ok_or(Error::ENOENT)?;
            r.give(a.id.into(), 8, 1);
            kt_eq!(q.pop(), Some((n, 8)));
        }
    }
    Ok(())
}

/// The device may write into the descriptors as it likes: what we know of them is ours.
fn scribbles(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let (mut q, mut r) = make(false)?;
    for round in 0..20u16 {
        q.push(&[piece(1, false), piece(2, true), piece(3, true)], round)?;
        q.push(&[piece(1, true)], round + 100)?;
        let (a, b) = (r.take().ok_or(Error::ENOENT)?, r.take().ok_or(Error::ENOENT)?);
        for i in 0..16 {
            r.mem.write64(8 * i, u64::MAX);
        }
        r.give(b.id.into(), 1, b.descs);
        r.give(a.id.into(), 5, a.descs);
        kt_eq!(q.pop(), Some((round + 100, 1)));
        kt_eq!(q.pop(), Some((round, 5)));
        kt_assert!(!q.is_busy() && q.has_room(8));
    }
    Ok(())
}

/// Long chains go into tables while there are any, then into the ring; a table comes back with its chain, whatever the device wrote into it.
fn indirect(_run: &mut kernel::ktest::Run<'_>) -> Result {
    for features in [0, F_RING_PACKED] {
        let mut q = Queue::with_tables(&Engine::pretended()?, 8, features | F_RING_INDIRECT, 2, 100)?;
        let mut r = Ring::new(&q);
        let long = [piece(3, true); 8];
        kt_eq!(q.push(&[piece(3, true); 9], 0), Err(Error::EINVAL)); // longer than the queue
        for _ in 0..20 {
            for token in 0..2 {
                kt_eq!(q.push(&long, token), Ok(()));
            }
            kt_assert!(!q.has_room(8) && q.has_room(6));
            kt_eq!(q.push(&long, 7), Err(Error::EBUSY));
            kt_eq!(q.push(&[piece(3, true); 6], 2), Ok(())); // no table is free
            kt_assert!(!q.has_room(1));
            for (token, pieces, descs) in [(0, 8, 1), (1, 8, 1), (2, 6, 6)] {
                let a = r.take().ok_or(Error::ENOENT)?;
                kt_eq!((a.pieces, a.descs, a.room), (pieces, descs, 3 * u32::from(pieces)));
                let tables = r.tables.as_ref().ok_or(Error::ENOENT)?;
                for i in 0..tables.len() / 8 {
                    if token == 1 {
                        tables.write64(8 * i, u64::MAX);
                    }
                }
                r.give(a.id.into(), u32::MAX, a.descs);
                kt_eq!(q.pop(), Some((token, a.room)));
            }
            kt_assert!(!q.is_busy() && !q.is_broken());
        }
        // Where the ring is full of short chains a table takes what has no room.
        for token in 0..7 {
            kt_eq!(q.push(&[piece(1, true)], token), Ok(()));
        }
        kt_eq!(q.push(&[piece(1, true); 3], 7), Ok(()));
        kt_assert!(!q.has_room(1));
    }
    Ok(())
}

/// Each side is told once for what it asked for, at the turn of the indices too.
fn events(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut q = Queue::new(&Engine::pretended()?, 8, F_RING_EVENT)?;
    let mut r = Ring::new(&q);
    let mut told = 0;
    for round in 0..33_000u32 {
        r.want_notice(2);
        kt_eq!(q.push(&[piece(1, true)], 1), Ok(()));
        kt_assert!(!q.wants_notify());
        kt_eq!(q.push(&[piece(1, true)], 2), Ok(()));
        kt_assert!(q.wants_notify() && !q.wants_notify());
        // Quiet, then for the next one, then for none until it is armed again.
        q.set_quiet(round % 2 == 0);
        let a = r.take().ok_or(Error::ENOENT)?;
        r.give(a.id.into(), 1, 1);
        told += u32::from(r.must_interrupt(1));
        kt_eq!(q.pop(), Some((1, 1)));
        kt_assert!(!q.arm());
        let b = r.take().ok_or(Error::ENOENT)?;
        r.give(b.id.into(), 1, 1);
        kt_assert!(r.must_interrupt(1) && q.arm());
        kt_eq!(q.pop(), Some((2, 1)));
        kt_assert!(!q.arm());
    }
    kt_eq!(told, 16_500);
    Ok(())
}

fn packed_events(_run: &mut kernel::ktest::Run<'_>) -> Result {
    for size in [5u16, 8] {
        let mut q = Queue::new(&Engine::pretended()?, size, F_RING_EVENT | F_RING_PACKED)?;
        let mut r = Ring::new(&q);
        let step = |(at, wrap): (u16, bool)| if at + 1 < size { (at + 1, wrap) } else { (0, !wrap) };
        let mut first = (0, true);
        for n in 0..100u16 {
            let second = step(first);
            r.want_notice_at(second.0, second.1);
            kt_eq!(q.push(&[piece(1, true)], n), Ok(()));
            kt_assert!(!q.wants_notify());
            kt_eq!(q.push(&[piece(1, true)], n), Ok(()));
            kt_assert!(q.wants_notify() && !q.wants_notify());
            for _ in 0..2 {
                q.set_quiet(true);
                kt_assert!(!r.must_interrupt(1));
                kt_assert!(!q.arm() && r.must_interrupt(1));
                let a = r.take().ok_or(Error::ENOENT)?;
                r.give(a.id.into(), 1, 1);
                kt_assert!(q.arm());
                kt_eq!(q.pop(), Some((n, 1)));
            }
            first = step(second);
        }
    }
    Ok(())
}

/// A device that writes anything anywhere in the ring: whatever comes out was under way, once.
fn random(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut dice = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..800u32 {
        let features = agreed(round % 2 == 1) | if round % 4 > 1 { F_RING_INDIRECT | F_RING_EVENT } else { 0 };
        let mut q = Queue::with_tables(&Engine::pretended()?, 8, features, 2, 8)?;
        let mut r = Ring::new(&q);
        let mut under_way = [false; 16];
        let bytes = r.mem.len() as u32;
        for _ in 0..60 {
            match dice.below(7) {
                0 | 1 => {
                    let token = dice.below(16) as usize;
                    let n = 1 + dice.below(6) as usize;
                    let pieces = [piece(dice.below(1000), true); 6];
                    if let (Some(t), Some(p)) = (under_way.get_mut(token), pieces.get(..n))
                        && !*t
                        && q.push(p, token as u16).is_ok()
                    {
                        *t = true;
                    }
                }
                2 => {
                    if let Some(a) = r.take() {
                        r.give(a.id.into(), dice.below(4000), a.descs.min(r.size));
                    }
                }
                3 => r.mem.write16((dice.below(bytes) & !1) as usize, dice.below(1 << 16) as u16),
                4 => _ = (q.wants_notify(), q.arm()),
                5 => r.mem.write8(dice.below(bytes) as usize, dice.below(16) as u8),
                _ => {
                    if let Some((token, len)) = q.pop() {
                        let t = under_way.get_mut(usize::from(token)).ok_or(Error::ERANGE)?;
                        kt_assert!(*t && len <= 6000);
                        *t = false;
                    }
                }
            }
            kt_assert!(q.is_broken() || q.is_busy() == under_way.contains(&true));
        }
    }
    Ok(())
}

kernel::ktest!(virtio_ring_ids, ids);
kernel::ktest!(virtio_ring_indices, indices);
kernel::ktest!(virtio_ring_lengths, lengths);
kernel::ktest!(virtio_ring_sizes, sizes);
kernel::ktest!(virtio_ring_scribbles, scribbles);
kernel::ktest!(virtio_ring_indirect, indirect);
kernel::ktest!(virtio_ring_events, events);
kernel::ktest!(virtio_ring_packed_events, packed_events);
kernel::ktest!(virtio_ring_random, random);
