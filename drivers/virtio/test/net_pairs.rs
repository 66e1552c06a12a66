// SPDX-License-Identifier: MIT
//! The network's driver with a device of four pairs of queues: QEMU's user network has one.

use super::super::test::{Evil, Handle, Ring};
use super::{make, set_up, start, Bound, Nic, ETH_HEADER, F_CTRL_VQ, F_MQ, HEADER};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::net::Driver;
use kernel::sync::SpinLock;
use kernel::thread::{self, JoinHandle};
use kernel::{irq, kt_assert, kt_eq, Error, Result};

const PAIRS: u16 = 4;
const CONTROL: usize = 8;
const PATIENCE_MS: u32 = 10_000;
const LEN: u32 = 100;

type Seen = Arc<SpinLock<[u8; 4]>>;

fn device(pairs: u16) -> Result<Arc<Evil>> {
    let [low, high] = pairs.to_le_bytes();
    let config = [2, 0, 0, 0, 0, 1, 1, 0, low, high];
    Arc::new(Evil::new(1, F_MQ | F_CTRL_VQ, 64, &config)?)
}

/// The device answers the next commands with `acks`; the last one's bytes are seen.
fn answer(evil: &Arc<Evil>, nic: &Nic, acks: &'static [u8], seen: &Seen) -> Result<JoinHandle> {
    let (evil, seen) = (evil.clone(), seen.clone());
    let (mem, ack_at) = nic.control.as_ref().ok_or(Error::ENODEV)?.device_side();
    thread::spawn(c"virtio-net", move || {
        for ack in acks {
            let mut a = None;
            evil.told.wait_timeout(PATIENCE_MS, || {
                a = evil.ring(CONTROL, Ring::take).flatten();
                a.is_some()
            });
            let Some(a) = a else { return };
            mem.copy_out(0, &mut *seen.lock());
            mem.write8(ack_at, *ack);
            evil.ring(CONTROL, |r| r.give(a.id.into(), 1, a.descs));
            evil.interrupt();
        }
    })
}

fn takes(evil: &Evil, ring: usize) -> bool {
    evil.ring(ring, Ring::take).flatten().is_some()
}

/// Has the driver use that many, of which the device says what it thinks.
fn set(
    evil: &Arc<Evil>,
    nic: &Arc<Nic>,
    n: u16,
    acks: &'static [u8],
    seen: &Seen,
) -> Result<Result> {
    let t = answer(evil, nic, acks, seen)?;
    let r = nic.set_channels(n);
    t.join();
    Ok(r)
}

/// A device with its driver, which is no network device yet: its answers are heard all the same.
fn begin() -> Result<(Arc<Evil>, Arc<Nic>, irq::Registration)> {
    let evil = device(PAIRS)?;
    let nic = make(KBox::new(Handle(evil.clone()), KERNEL)?)?;
    let heard = Arc::new(super::Answer { nic: nic.clone(), pair: None })?;
    let (source, ..) = nic.t.interrupt()?;
    let registered = irq::request_owned(source, &heard, c"virtio-net", true)?;
    for i in 0..PAIRS {
        set_up(&nic, i, 0)?;
    }
    super::super::go(&*nic.t);
    Ok((evil, nic, registered))
}

fn pairs(run: &mut kernel::ktest::Run<'_>) -> Result {
    let Ok((evil, nic, _registered)) = begin() else { return run.skip(c"no message interrupts") };
    let seen = Arc::new(SpinLock::new([0; 4]))?;
    kt_eq!((nic.pairs.len(), nic.agreed & F_MQ), (PAIRS.into(), F_MQ));
    // One is in use at first, and has all the buffers.
    nic.open()?;
    kt_assert!(takes(&evil, 0) && !takes(&evil, 2));
    kt_eq!(set(&evil, &nic, 3, &[0], &seen)?, Ok(()));
    kt_eq!(*seen.lock(), [4, 0, 3, 0]);
    kt_assert!(takes(&evil, 4) && !takes(&evil, 6));
    // What comes by one pair goes out by another, and by no other.
    let pair = nic.pair(1).ok_or(Error::ENODEV)?;
    pair.rx.lock().buffers.pretend(&[0; HEADER as usize]);
    let a = evil.ring(2, Ring::take).flatten().ok_or(Error::ENOENT)?;
    evil.ring(2, |r| r.give(a.id.into(), HEADER + ETH_HEADER + LEN, a.descs));
    let p = pair.rx.lock().packet().ok_or(Error::ENOENT)??;
    kt_assert!(nic.pair(0).is_some_and(|p| p.rx.lock().packet().is_none()));
    kt_assert!(nic.xmit(2, p, false).is_ok());
    kt_assert!(takes(&evil, 5) && !takes(&evil, 1) && !takes(&evil, 3) && !takes(&evil, 7));
    // As many as there are, and one at least.
    kt_eq!(
        (nic.set_channels(0), nic.set_channels(PAIRS + 1)),
        (Err(Error::EINVAL), Err(Error::EINVAL))
    );
    kt_assert!(!takes(&evil, CONTROL));
    // A device that refuses leaves it as it was.
    kt_eq!(set(&evil, &nic, 1, &[1], &seen)?, Err(Error::EINVAL));
    kt_assert!(nic.is_active(2) && !nic.is_active(3));
    kt_eq!(set(&evil, &nic, 1, &[0], &seen)?, Ok(()));
    kt_assert!(nic.is_active(0) && !nic.is_active(1));
    // One that breaks the rules in one of its queues is given up with all of them.
    evil.ring(2, |r| r.give(1000, 0, 1));
    kt_assert!(pair.rx.lock().packet().is_none() && pair.rx.lock().ring.is_broken());
    nic.give_up("it lied");
    kt_assert!(nic.pairs.iter().flatten().all(|p| p.rx.lock().buffers.lent() == 0));
    kt_eq!((nic.set_channels(2), evil.failures()), (Err(Error::EINVAL), 1));
    Ok(())
}

/// Numbers of pairs that make no sense, or that we cannot name: it has one.
fn numbers(run: &mut kernel::ktest::Run<'_>) -> Result {
    for n in [0, 1, 32, 0x8000, u16::MAX] {
        let Ok(evil) = device(n) else { return run.skip(c"no message interrupts") };
        let nic = make(KBox::new(Handle(evil), KERNEL)?)?;
        kt_eq!((n, nic.pairs.len(), nic.agreed & F_MQ), (n, 1, 0));
    }
    // Queues that the device does not have, though it says so.
    let evil = device(8)?;
    kt_eq!(make(KBox::new(Handle(evil.clone()), KERNEL)?).err(), Some(Error::EINVAL));
    kt_eq!(evil.failures(), 1);
    Ok(())
}

/// A device is added with as many pairs as there are CPUs in use, and goes with all of them.
fn rebound(run: &mut kernel::ktest::Run<'_>) -> Result {
    for round in 0..10 {
        let Ok(evil) = device(PAIRS) else { return run.skip(c"no message interrupts") };
        let nic = make(KBox::new(Handle(evil.clone()), KERNEL)?)?;
        let seen = Arc::new(SpinLock::new([0; 4]))?;
        let want = PAIRS.min(irq::cpus());
        let t = answer(&evil, &nic, if want > 1 { &[0] } else { &[] }, &seen)?;
        let (added, interrupts) = start(&nic)?;
        t.join();
        kt_assert!(nic.is_active(want - 1) && !nic.is_active(want));
        nic.open()?;
        evil.interrupt();
        kt_eq!((round, evil.failures()), (round, 0));
        let theirs = nic.clone();
        Bound { interrupts, added, nic }.remove()?;
        kt_assert!(theirs.pairs.iter().flatten().all(|p| p.rx.lock().buffers.lent() == 0));
        kt_assert!(evil.engine.is_halted());
    }
    Ok(())
}

kernel::ktest!(virtio_net_pairs, pairs);
kernel::ktest!(virtio_net_pairs_numbers, numbers);
kernel::ktest!(virtio_net_pairs_rebound, rebound);
