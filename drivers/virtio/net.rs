// SPDX-License-Identifier: MIT
//! The virtio network device (5.1): eth0 and its like. One queue each way.
//!
//! What was sent is taken back when the next packet is sent, or when packets come; the device interrupts for it only while there is no room. The
//! receive queue is filled up again after each poll.
//!
//! Nothing that the device writes is believed: the header of a packet is copied once and its offsets are compared with the packet, a length that is
//! longer than its buffer is cut by the ring, a packet in more buffers than came is dropped. A device that breaks the rules of a queue is given up.

use super::queue::{Piece, Queue};
use super::{Transport, F_RING_PACKED};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::dma::Dma;
use kernel::net::{self, Filled, Incoming, Outgoing, Packet, Receiver, MAX_SEGMENTS, RX_BUFFER};
use kernel::sync::{SpinLock, SpinLockIrq};
use kernel::work::{DelayedWork, Work};
use kernel::{irq, Error, Result};

const F_CSUM: u64 = 1 << 0;
const F_GUEST_CSUM: u64 = 1 << 1;
const F_MTU: u64 = 1 << 3;
const F_MAC: u64 = 1 << 5;
const F_MRG_RXBUF: u64 = 1 << 15;
const F_STATUS: u64 = 1 << 16;
const WANTED: u64 = F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_MRG_RXBUF | F_STATUS | F_RING_PACKED;

// Most buffers to receive into that are lent at a time.
const RX_DEPTH: u16 = 64;
const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;
// The header before each packet (5.1.6).
const HEADER: u32 = 12;
const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const LINK_UP: u8 = 1;
// Places of headers to send, each aligned to its size.
const SLOT: usize = 16;
const ETH_HEADER: u32 = 14;
const VLAN: u32 = 4;
const MTU: u32 = 1500;
const MOST_MTU: u32 = 65535;
// How long memory may take to come back before the ring is filled again.
const REFILL_MS: u32 = 20;

struct Tx {
    ring: Queue,
    out: Outgoing,
    headers: Dma,
    // The network waits for room.
    full: bool,
}

struct Rx {
    ring: Queue,
    buffers: Incoming,
}

struct Nic {
    t: KBox<dyn Transport>,
    agreed: u64,
    tx: SpinLock<Tx>,
    rx: SpinLock<Rx>,
    open: AtomicBool,
    dead: AtomicBool,
    // Packets in more buffers than came, or with offsets outside.
    bad: AtomicU64,
    // Known once the device was added; interrupts are asked for afterwards.
    queue: SpinLockIrq<Option<Arc<net::Queue>>>,
    changed: SpinLockIrq<Option<KBox<dyn Changed>>>,
    // Polls again where the device has no buffer at all: no packet can come, and no interrupt.
    refill: SpinLockIrq<Option<KBox<dyn Later>>>,
}

trait Later: Send + Sync {
    fn later(&self);
}

impl<F: Fn() + Send + Sync> Later for DelayedWork<F> {
    fn later(&self) {
        self.queue_after(REFILL_MS);
    }
}

/// The configuration changed: looked at by a thread.
trait Changed: Send + Sync {
    fn look(&self);
}

impl<F: Fn() + Send + Sync> Changed for Work<F> {
    fn look(&self) {
        self.queue();
    }
}

impl Tx {
    /// Gives back what the device has sent; whether there was anything.
    fn reclaim(&mut self) -> bool {
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
    fn make_room(&mut self, pieces: usize) -> bool {
        if self.ring.has_room(pieces) {
            return true;
        }
        self.ring.arm();
        self.reclaim();
        if !self.ring.has_room(pieces) {
            return false;
        }
        self.ring.set_quiet(true);
        true
    }

    /// Describes the packet to the device. `Err` with the packet: it cannot be lent.
    fn push(&mut self, p: Packet) -> core::result::Result<(), Packet> {
        let (i, lent) = self.out.lend(p).map_err(|(_, p)| p)?;
        let slot = usize::from(i) * SLOT;
        let sum = lent.wants_sum();
        let (start, off) = sum.unwrap_or((0, 0));
        self.headers.write64(
            slot,
            if sum.is_some() { u64::from(NEEDS_CSUM) | u64::from(start) << 48 } else { 0 },
        );
        self.headers.write32(slot + 8, u32::from(off));
        let mut pieces = [Piece { addr: 0, len: 0, writable: false }; 1 + MAX_SEGMENTS];
        let mut n = 0;
        let mut add = |addr, len| {
            if let Some(place) = pieces.get_mut(n) {
                *place = Piece { addr, len, writable: false };
                n += 1;
            }
        };
        add(self.headers.addr() + slot as u64, HEADER);
        let mut k = 0;
        while let Some((addr, len)) = lent.segment(k) {
            if len != 0 {
                add(addr, len);
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
    /// As many buffers as the ring takes; whether the device is to be told.
    fn fill(&mut self) -> bool {
        let mut any = false;
        while self.ring.has_room(1) {
            let Ok((i, addr)) = self.buffers.lend() else { break };
            if self.ring.push(&[Piece { addr, len: RX_BUFFER, writable: true }], i).is_err() {
                drop(self.buffers.done(i));
                break;
            }
            any = true;
        }
        any && self.ring.wants_notify()
    }

    /// The next buffer and the bytes that the device wrote.
    fn next(&mut self) -> Option<(Filled, u32)> {
        let (i, len) = self.ring.pop()?;
        Some((self.buffers.done(i)?, len))
    }

    /// The next packet, or why there is none of these bytes.
    fn packet(&mut self) -> Option<Result<Packet>> {
        let (first, len) = self.next()?;
        let mut h = [0; HEADER as usize];
        first.copy_out(&mut h);
        let [flags, _, _, _, _, _, s0, s1, o0, o1, n0, n1] = h;
        let more = u16::from_le_bytes([n0, n1]).saturating_sub(1);
        let made = if len > HEADER + ETH_HEADER {
            first.into_packet(HEADER, len)
        } else {
            Err(Error::EINVAL)
        };
        let made = self.join(made, more);
        Some(made.and_then(|mut p| {
            if flags & NEEDS_CSUM != 0 {
                p.set_unsummed(u16::from_le_bytes([s0, s1]), u16::from_le_bytes([o0, o1]))?;
            } else if flags & DATA_VALID != 0 {
                p.set_verified();
            }
            Ok(p)
        }))
    }

    /// The packet goes on in that many buffers, which are taken off the ring even where it is lost already.
    fn join(&mut self, mut p: Result<Packet>, more: u16) -> Result<Packet> {
        for _ in 0..more {
            let Some((b, len)) = self.next() else { return Err(Error::EINVAL) };
            p = p.and_then(|mut p| b.append_to(&mut p, len).map(|()| p));
        }
        p
    }
}

impl Nic {
    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    fn queue(&self) -> Option<Arc<net::Queue>> {
        self.queue.lock().clone()
    }

    /// No lock is held.
    fn give_up(&self, why: &str) {
        if self.dead.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Ok(proof) = super::fail(&*self.t, "virtio-net", why) {
            self.tx.lock().out.reset(&proof);
            self.rx.lock().buffers.reset(&proof);
        }
        if let Some(q) = self.queue() {
            q.set_link(false);
        }
    }

    /// The link is as the device says, where it says.
    fn look_at_link(&self) {
        let up =
            !self.is_dead() && (self.agreed & F_STATUS == 0 || self.t.config8(6) & LINK_UP != 0);
        if let Some(q) = self.queue() {
            q.set_link(up);
        }
    }

    /// Takes back what was sent, and lets the network go on if it waits.
    fn sent(&self) {
        let Some(mut tx) = self.tx.try_lock() else { return }; // arm() waits for the holder
        tx.reclaim();
        let wake = tx.full && tx.ring.has_room(1 + MAX_SEGMENTS);
        if wake {
            tx.full = false;
            tx.ring.set_quiet(true);
        }
        drop(tx);
        if wake && let Some(q) = self.queue() {
            q.wake();
        }
    }
}

impl net::Driver for Nic {
    fn open(&self) -> Result {
        if self.is_dead() {
            return Err(Error::EIO);
        }
        let mut rx = self.rx.lock();
        while rx.next().is_some() {} // came while it was closed
        let notify = rx.fill();
        if rx.buffers.lent() == 0 {
            return Err(Error::ENOMEM);
        }
        drop(rx);
        self.open.store(true, Ordering::Release);
        if notify {
            self.t.notify(RECEIVE);
        }
        Ok(())
    }

    fn stop(&self) {
        // Buffers stay lent: the device may write them until it is reset.
        self.open.store(false, Ordering::Release);
        self.tx.lock().reclaim();
    }

    fn xmit(&self, p: Packet, more: bool) -> core::result::Result<(), Packet> {
        if self.is_dead() {
            return Ok(()); // lost
        }
        let mut tx = self.tx.lock();
        tx.reclaim();
        let room = tx.make_room(1 + p.segments());
        let broken = tx.ring.is_broken(); // looking for room may find that out
        if !broken && !room {
            tx.full = true;
            if let Some(q) = self.queue() {
                q.stop();
            }
            return Err(p);
        }
        if !broken {
            tx.push(p)?;
        }
        let notify =
            !broken && (!more || !tx.ring.has_room(1 + MAX_SEGMENTS)) && tx.ring.wants_notify();
        drop(tx);
        if broken {
            self.give_up(super::BROKE_RULES);
        } else if notify {
            self.t.notify(TRANSMIT);
        }
        Ok(())
    }

    fn poll(&self, to: &mut Receiver<'_>, budget: usize) -> usize {
        self.rx.lock().ring.set_quiet(true);
        self.sent();
        let (mut done, mut notify, mut broken) = (0, false, false);
        while done < budget && !self.is_dead() {
            let mut rx = self.rx.lock();
            let next = rx.packet();
            broken = rx.ring.is_broken();
            drop(rx); // delivering may answer
            match next {
                Some(Ok(p)) => to.deliver(p),
                Some(Err(_)) => _ = self.bad.fetch_add(1, Ordering::Relaxed),
                None => break,
            }
            done += 1;
        }
        if !broken {
            notify = self.rx.lock().fill();
        }
        if broken || self.tx.try_lock().is_some_and(|tx| tx.ring.is_broken()) {
            self.give_up(super::BROKE_RULES);
        } else if notify {
            self.t.notify(RECEIVE);
        }
        done
    }

    fn arm(&self) -> bool {
        if self.is_dead() {
            return false;
        }
        let mut rx = self.rx.lock();
        let more = rx.ring.arm();
        if more {
            rx.ring.set_quiet(true);
        }
        let starved = rx.buffers.lent() == 0 && !rx.ring.is_broken();
        drop(rx);
        if starved && let Some(r) = &*self.refill.lock() {
            r.later();
        }
        // The lock is waited for: its holder may be about to say that it waits, after sent() looked.
        let mut tx = self.tx.lock();
        let sent = tx.full && tx.ring.arm();
        drop(tx);
        more || sent
    }
}

/// The interrupt handler of the queues, and of configuration changes where all share a line.
struct Answer(Arc<Nic>);

impl irq::Handler for Answer {
    fn handle(&self) -> bool {
        let why = self.0.t.acknowledge();
        if why & super::WHY_CONFIG != 0 {
            self.0.config_changed();
        }
        if why & super::WHY_QUEUE != 0
            && let Some(q) = self.0.queue()
        {
            q.schedule(); // poll() asks for quiet
        }
        why != 0
    }
}

/// The interrupt handler of the vector for configuration changes.
struct AnswerConfig(Arc<Nic>);

impl irq::Handler for AnswerConfig {
    fn handle(&self) -> bool {
        self.0.config_changed();
        true
    }
}

/// A device with its driver. Dropped, the interrupts go first, then the network's device.
pub struct Bound {
    interrupts: (irq::Registration, Option<irq::Registration>),
    added: net::Device,
    nic: Arc<Nic>,
}

fn mac_of(t: &dyn Transport, agreed: u64) -> Option<[u8; 6]> {
    (agreed & F_MAC != 0).then(|| core::array::from_fn(|i| t.config8(i)))
}

fn mtu_of(t: &dyn Transport, agreed: u64) -> u32 {
    if agreed & F_MTU == 0 {
        return MTU;
    }
    u32::from(t.config8(10)) | u32::from(t.config8(11)) << 8
}

/// The largest MTU: what one buffer, or many joined, hold, and no more than the device asks for.
fn most_mtu(agreed: u64, asked: u32) -> u32 {
    let holds =
        if agreed & F_MRG_RXBUF != 0 { MOST_MTU } else { RX_BUFFER - HEADER - ETH_HEADER - VLAN };
    if agreed & F_MTU != 0 {
        asked.min(holds)
    } else {
        holds
    }
}

/// Memory of the device.
fn make(t: KBox<dyn Transport>) -> Result<Arc<Nic>> {
    let made = super::negotiate(&*t, WANTED).and_then(|agreed| {
        let packed = agreed & F_RING_PACKED != 0;
        let tx = Queue::new(t.engine(), t.queue_max(TRANSMIT), packed)?;
        let rx = Queue::new(t.engine(), t.queue_max(RECEIVE).min(RX_DEPTH), packed)?;
        if usize::from(tx.size) < 1 + MAX_SEGMENTS {
            return Err(Error::EINVAL);
        }
        let n = usize::from(tx.size);
        let tx = Tx {
            out: Outgoing::new(t.engine(), n)?,
            headers: Dma::alloc(t.engine(), n * SLOT)?,
            ring: tx,
            full: false,
        };
        let rx = Rx { buffers: Incoming::new(t.engine(), usize::from(rx.size))?, ring: rx };
        Ok((agreed, tx, rx))
    });
    let (agreed, mut tx, rx) = made.map_err(|e| super::refuse(&*t, "virtio-net", e))?;
    tx.ring.set_quiet(true);
    let (open, dead) = (AtomicBool::new(false), AtomicBool::new(false));
    let (queue, changed) = (SpinLockIrq::new(None), SpinLockIrq::new(None));
    let refill = SpinLockIrq::new(None);
    Arc::new(Nic {
        t,
        agreed,
        tx: SpinLock::new(tx),
        rx: SpinLock::new(rx),
        open,
        dead,
        bad: AtomicU64::new(0),
        queue,
        changed,
        refill,
    })
}

/// The interrupts: one for the queues, and one more for the configuration where they are messages.
fn open_interrupts(nic: &Arc<Nic>) -> Result<(irq::Registration, Option<irq::Registration>)> {
    let t = &*nic.t;
    let (source, vector, shared) = t.interrupt()?;
    let queues =
        irq::request_owned(source, &Arc::new(Answer(nic.clone()))?, c"virtio-net", shared)?;
    t.queue_setup(RECEIVE, &nic.rx.lock().ring, vector)?;
    t.queue_setup(TRANSMIT, &nic.tx.lock().ring, vector)?;
    if shared || nic.agreed & F_STATUS == 0 {
        return Ok((queues, None));
    }
    let Ok((source, vector, _)) = t.interrupt() else { return Ok((queues, None)) }; // changes of the link are not heard
    let config = irq::request_owned(
        source,
        &Arc::new(AnswerConfig(nic.clone()))?,
        c"virtio-net-config",
        false,
    )?;
    t.on_config(vector)?;
    Ok((queues, Some(config)))
}

/// Starts the device behind `t`.
pub fn bind(t: KBox<dyn Transport>) -> Result<Bound> {
    let nic = make(t)?;
    let started = start(&nic);
    if started.is_err() {
        nic.forget();
    }
    let (added, interrupts) = started.map_err(|e| super::refuse(&*nic.t, "virtio-net", e))?;
    nic.look_at_link();
    Ok(Bound { interrupts, added, nic })
}

fn start(nic: &Arc<Nic>) -> Result<(net::Device, (irq::Registration, Option<irq::Registration>))> {
    let (t, agreed) = (&*nic.t, nic.agreed);
    let asked = mtu_of(t, agreed);
    let kind = net::Kind {
        driver: c"virtio_net",
        mac: mac_of(t, agreed),
        max_mtu: most_mtu(agreed, asked),
        mtu: asked.min(most_mtu(agreed, asked)),
        sums: agreed & F_CSUM != 0,
        vouches: agreed & F_GUEST_CSUM != 0,
    };
    let theirs = nic.clone();
    let changed: KBox<dyn Changed> = KBox::new(Work::new(move || theirs.look_at_link())?, KERNEL)?;
    *nic.changed.lock() = Some(changed);
    let theirs = nic.clone();
    let again = move || {
        if let Some(q) = theirs.queue() {
            q.schedule();
        }
    };
    let refill: KBox<dyn Later> = KBox::new(DelayedWork::new(again)?, KERNEL)?;
    *nic.refill.lock() = Some(refill);
    let interrupts = open_interrupts(nic)?;
    super::go(t);
    // Last: from here on a program may bring it up.
    let added = net::add(c"eth%d", &kind, nic.clone())?;
    *nic.queue.lock() = Some(Arc::new(added.queue())?);
    Ok((added, interrupts))
}

impl Nic {
    fn config_changed(&self) {
        if let Some(c) = &*self.changed.lock() {
            c.look();
        }
    }

    /// What refers to the device besides is gone. Sleeps.
    fn forget(&self) {
        let changed = self.changed.lock().take();
        drop(changed);
        let refill = self.refill.lock().take();
        drop(refill);
        let queue = self.queue.lock().take();
        drop(queue);
    }
}

impl Bound {
    /// Takes the driver away: nothing of it stays. `EIO`: the device does not obey. Sleeps.
    pub fn remove(self) -> Result {
        let Bound { interrupts, added, nic } = self;
        drop(interrupts);
        nic.dead.store(true, Ordering::Release);
        drop(added);
        nic.forget();
        let proof = super::leave(&*nic.t)?;
        nic.tx.lock().out.reset(&proof);
        nic.rx.lock().buffers.reset(&proof);
        Ok(())
    }
}
