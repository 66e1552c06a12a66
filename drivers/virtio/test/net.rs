// SPDX-License-Identifier: MIT
//! The network's driver with a device that hands it frames for many segments, true ones and lies: QEMU's user network has none.

use super::super::net_rings::{Rx, Tx};
use super::super::test::{Evil, Handle, Ring};
use super::{make, ETH_HEADER, F_CSUM, F_GUEST_CSUM, F_MRG_RXBUF, GUEST, HEADER, HOST, RX_BUFFER};
use super::{Nic, RECEIVE, TRANSMIT};
use super::{F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::sync::SpinLock;
use kernel::{kt_assert, kt_eq, Error, Result};

const SIZE: u16 = 1448;
const BUFFERS: u32 = 33; // 64 KiB and headers
const TCP4: u8 = 1;

/// Headers of virtio, Ethernet, IPv4 and TCP, for a frame in that many buffers.
fn frame(buffers: u16, gso_type: u8) -> [u8; 66] {
    let mut b = [0; 66];
    let mut set = |at: usize, bytes: &[u8]| {
        if let Some(to) = b.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
    };
    set(0, &[1, gso_type]);
    set(4, &SIZE.to_le_bytes());
    set(6, &34u16.to_le_bytes()); // csum_start
    set(8, &16u16.to_le_bytes());
    set(10, &buffers.to_le_bytes());
    set(12 + 12, &[8, 0, 0x45]);
    set(12 + 23, &[6]);
    set(12 + 46, &[0x50, 0x10]);
    b
}

fn rx(nic: &Nic) -> Result<&SpinLock<Rx>> {
    nic.pair(0).map(|p| &p.rx).ok_or(Error::ENODEV)
}

fn tx(nic: &Nic) -> Result<&SpinLock<Tx>> {
    nic.pair(0).map(|p| &p.tx).ok_or(Error::ENODEV)
}

/// The device gives the next chains, of which the last is `last` bytes long.
fn give(evil: &Evil, n: u32, last: u32) -> Result {
    for i in 0..n {
        let a = evil.ring(RECEIVE.into(), Ring::take).flatten().ok_or(Error::ENOENT)?;
        let len = if i + 1 == n { last } else { RX_BUFFER };
        evil.ring(RECEIVE.into(), |r| r.give(a.id.into(), len, a.descs));
    }
    Ok(())
}

fn begin(offered: u64) -> Result<(Arc<Evil>, Arc<Nic>)> {
    let evil = Arc::new(Evil::new(1, offered, 64, &[])?)?;
    let nic = make(KBox::new(Handle(evil.clone()), KERNEL)?)?;
    nic.t.queue_setup(RECEIVE, &rx(&nic)?.lock().ring, 0)?;
    nic.t.queue_setup(TRANSMIT, &tx(&nic)?.lock().ring, 0)?;
    super::super::go(&*nic.t);
    rx(&nic)?.lock().fill();
    Ok((evil, nic))
}

fn supers(run: &mut kernel::ktest::Run<'_>) -> Result {
    for rings in [0, F_RING_INDIRECT | F_RING_EVENT, F_RING_INDIRECT | F_RING_EVENT | F_RING_PACKED]
    {
        match supers_by(rings) {
            Err(Error::ENODEV) => return run.skip(c"no message interrupts"),
            r => r?,
        }
    }
    Ok(())
}

fn supers_by(rings: u64) -> Result {
    let all = F_CSUM | F_GUEST_CSUM | F_MRG_RXBUF | HOST | GUEST | rings;
    let (evil, nic) = begin(all)?;
    kt_eq!(nic.agreed & all, all);
    // It comes whole, whatever pages its buffers are of, and goes out with the same header.
    for drop_one in [false, true, false] {
        if drop_one {
            rx(&nic)?.lock().buffers.pretend(&frame(1, 0));
            give(&evil, 1, 66)?;
            kt_assert!(rx(&nic)?.lock().packet().is_some_and(|p| p.is_ok()));
            rx(&nic)?.lock().fill();
        }
        rx(&nic)?.lock().buffers.pretend(&frame(BUFFERS as u16, TCP4));
        let last = 65535 + HEADER + ETH_HEADER - (BUFFERS - 1) * RX_BUFFER;
        give(&evil, BUFFERS, last)?;
        let p = rx(&nic)?.lock().packet().ok_or(Error::ENOENT)??;
        rx(&nic)?.lock().fill();
        kt_eq!(p.len(), 65535 + ETH_HEADER);
        let [flags, kind, h0, h1, g0, g1, s0, s1, o0, o1] = p.header();
        kt_eq!((flags, kind, u16::from_le_bytes([g0, g1])), (1, TCP4, SIZE));
        kt_eq!([h0, h1, s0, s1, o0, o1], [54, 0, 34, 0, 16, 0]);
        kt_assert!(tx(&nic)?.lock().push(p).is_ok());
        let a = evil.ring(TRANSMIT.into(), Ring::take).flatten().ok_or(Error::ENOENT)?;
        kt_assert!(a.pieces > 4 && (a.descs == 1) == (rings & F_RING_INDIRECT != 0));
        evil.ring(TRANSMIT.into(), |r| r.give(a.id.into(), 0, a.descs));
        kt_assert!(tx(&nic)?.lock().reclaim());
    }
    Ok(())
}

/// What is not true of its frame is lost, and nothing else is.
fn lies(run: &mut kernel::ktest::Run<'_>) -> Result {
    let Ok((evil, nic)) = begin(F_CSUM | F_GUEST_CSUM | F_MRG_RXBUF | GUEST) else {
        return run.skip(c"no message interrupts");
    };
    kt_eq!(nic.agreed & HOST, 0);
    let tell = |at: usize, v: u8| {
        let mut b = frame(2, TCP4);
        if let Some(place) = b.get_mut(at) {
            *place = v;
        }
        b
    };
    // No size; IPv6; UDP's kind; a sum that is elsewhere; UDP; a header of TCP that is too short.
    let told =
        [tell(5, 0), tell(1, 4), tell(1, 3), tell(6, 20), tell(12 + 23, 17), tell(12 + 46, 0x40)];
    for (i, b) in told.iter().enumerate() {
        let mut b = *b;
        if i == 0 {
            b = tell(4, 0);
            if let Some(place) = b.get_mut(5) {
                *place = 0;
            }
        }
        rx(&nic)?.lock().buffers.pretend(&b);
        give(&evil, 2, 500)?;
        kt_assert!(rx(&nic)?.lock().packet().is_some_and(|p| p.is_err()));
        rx(&nic)?.lock().fill();
    }
    rx(&nic)?.lock().buffers.pretend(&frame(2, TCP4));
    give(&evil, 2, 500)?;
    kt_assert!(rx(&nic)?.lock().packet().is_some_and(|p| p.is_ok()));
    // Without sums there are no segments.
    let (_, nic) = begin(F_MRG_RXBUF | HOST | GUEST)?;
    kt_eq!(nic.agreed & (HOST | GUEST), 0);
    Ok(())
}

kernel::ktest!(virtio_net_supers, supers);
kernel::ktest!(virtio_net_lies, lies);
