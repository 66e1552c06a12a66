// SPDX-License-Identifier: MIT
//! The rings of a network device: a packet is described to it behind its header, and buffers to receive into are lent to it.
//!
//! The header of a packet that came is copied once and its offsets are compared with the packet; a length beyond its buffer was cut by
//! the ring; a packet in more buffers than came is dropped.

use super::queue::{Piece, Queue};
use super::Transport;
use kernel::dma::Dma;
use kernel::net::{Filled, Incoming, Outgoing, Packet, MAX_SEGMENTS};
use kernel::sync::SpinLock;
use kernel::{Error, Result};

// Most buffers to receive into that are lent at a time.
const RX_DEPTH: u16 = 64;
/// Numbers of the first pair's queues.
pub const RECEIVE: u16 = 0;
/// The other one's.
pub const TRANSMIT: u16 = 1;
/// Bytes of the header before each packet (5.1.6).
pub const HEADER: u32 = 12;
// Tables of packets of many pieces.
const TABLES: usize = 64;
// Places of headers to send, each aligned to its size.
const SLOT: usize = 16;
/// Bytes of a frame's header.
pub const ETH_HEADER: u32 = 14;

/// The queue to send.
pub struct Tx {
    pub ring: Queue,
    pub out: Outgoing,
    pub headers: Dma,
    // The network waits for room.
    pub full: bool,
}

/// The queue to receive.
pub struct Rx {
    pub ring: Queue,
    pub buffers: Incoming,
}

/// A pair of queues.
pub struct Pair {
    pub tx: SpinLock<Tx>,
    pub rx: SpinLock<Rx>,
}

impl Tx {
    /// Frees packets that the device has sent. True: there was at least one.
    pub fn reclaim(&mut self) -> bool {
        let mut any = false;
        while let Some((i, _)) = self.ring.pop() {
            if let Some(p) = self.out.done(i) {
                p.sent();
            }
            any = true;
        }
        any
    }

    /// Room for the packet, after the device was asked to say when there is if there is none.
    pub fn make_room(&mut self, pieces: usize) -> bool {
        if self.ring.has_room(pieces) {
            return true;
        }
        while self.ring.arm() {
            self.reclaim(); // no more can come than is in flight: the loop ends
            if self.ring.has_room(pieces) {
                self.ring.set_quiet(true);
                return true;
            }
        }
        false
    }

    /// Describes the packet to the device. `Err` with the packet: it cannot be lent.
    pub fn push(&mut self, p: Packet) -> core::result::Result<(), Packet> {
        let (i, lent) = self.out.lend(p).map_err(|(_, p)| p)?;
        let slot = usize::from(i) * SLOT;
        let [a, b, c, d, e, f, g, h, i0, i1] = lent.header();
        self.headers.write64(slot, u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        self.headers.write32(slot + 8, u32::from_le_bytes([i0, i1, 0, 0]));
        let mut pieces = [Piece::NONE; 1 + MAX_SEGMENTS];
        let mut n = 0;
        let mut add = |mem| {
            if let Some(place) = pieces.get_mut(n) {
                *place = Piece { mem, writable: false };
                n += 1;
            }
        };
        if let Ok(header) = self.headers.segment(slot, HEADER as usize) {
            add(header);
        }
        let mut k = 0;
        while let Some(mem) = lent.segment(k) {
            if !mem.is_empty() {
                add(mem);
            }
            k += 1;
        }
        if self.ring.push(pieces.get(..n).unwrap_or(&[]), i).is_err() {
            drop(self.out.done(i)); // the ring does not have it: it is lost
        }
        Ok(())
    }
}

impl Rx {
    /// Lends as many buffers as the ring takes. True: the device has to be notified.
    pub fn fill(&mut self) -> bool {
        let mut any = false;
        while self.ring.has_room(1) {
            let Ok((i, mem)) = self.buffers.lend() else { break };
            if self.ring.push(&[Piece { mem, writable: true }], i).is_err() {
                drop(self.buffers.done(i));
                break;
            }
            any = true;
        }
        any && self.ring.wants_notify()
    }

    /// The next buffer and the bytes that the device wrote.
    pub fn next(&mut self) -> Option<(Filled, u32)> {
        let (i, len) = self.ring.pop()?;
        Some((self.buffers.done(i)?, len))
    }

    /// The next packet, or why there is none of these bytes.
    pub fn packet(&mut self) -> Option<Result<Packet>> {
        let (first, len) = self.next()?;
        let mut h = [0; HEADER as usize];
        first.copy_out(&mut h);
        let [told @ .., n0, n1] = h;
        let more = u16::from_le_bytes([n0, n1]).saturating_sub(1);
        let made = if len > HEADER + ETH_HEADER {
            first.into_packet(HEADER, len)
        } else {
            Err(Error::EINVAL)
        };
        let made = self.join(made, more);
        Some(made.and_then(|mut p| {
            p.heed(&told)?;
            Ok(p)
        }))
    }

    /// The packet goes on in that many buffers, which are taken off the ring even where it is lost already.
    pub fn join(&mut self, mut p: Result<Packet>, more: u16) -> Result<Packet> {
        for _ in 0..more {
            let Some((b, len)) = self.next() else { return Err(Error::EINVAL) };
            p = p.and_then(|mut p| b.append_to(&mut p, len).map(|()| p));
        }
        p
    }
}

/// Memory of pair `i`.
pub fn make_pair(t: &dyn Transport, i: u16, agreed: u64) -> Result<Pair> {
    let most = t.queue_max(2 * i + TRANSMIT);
    let mut tx = Queue::with_tables(t.engine(), most, agreed, TABLES, 1 + MAX_SEGMENTS)?;
    let rx = Queue::new(t.engine(), t.queue_max(2 * i + RECEIVE).min(RX_DEPTH), agreed)?;
    let n = usize::from(tx.size);
    if n < 1 + MAX_SEGMENTS {
        return Err(Error::EINVAL);
    }
    tx.set_quiet(true);
    let tx = Tx {
        out: Outgoing::new(t.engine(), n)?,
        headers: Dma::alloc(t.engine(), n * SLOT)?,
        ring: tx,
        full: false,
    };
    let rx = Rx { buffers: Incoming::new(t.engine(), usize::from(rx.size))?, ring: rx };
    Ok(Pair { tx: SpinLock::new(tx), rx: SpinLock::new(rx) })
}
