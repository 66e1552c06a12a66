// SPDX-License-Identifier: MIT
//! The virtio network device (5.1): eth0 and its like. Pairs of queues, one each way, and a queue for commands (net_ctrl.rs).
//!
//! A pair has a poller, and a message interrupt of its own on the poller's CPU as far as the device has some: it has no more pairs
//! than that. Where its interrupt is a line, one handler polls all pairs. A command sets how many pairs are in use.
//!
//! What was sent is taken back when the next packet is sent, or when packets come; the device interrupts for it only while there is no room. The
//! receive queue is filled up again after each poll.
//!
//! Nothing that the device writes is believed: the header of a packet is copied once and its offsets are compared with the packet, a length that is
//! longer than its buffer is cut by the ring, a packet in more buffers than came is dropped. A device that breaks the rules of a queue is given up.

use super::net_ctrl::{Command, Control, Wish, GROUPS};
use super::net_rings::{make_pair, Pair, ETH_HEADER, HEADER, RECEIVE, TRANSMIT};
use super::{Transport, F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED};
use core::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::dma::Halted;
use kernel::net::{self, Packet, Receiver, MAX_SEGMENTS, RX_BUFFER};
use kernel::sync::SpinLockIrq;
use kernel::work::{DelayedWork, Work};
use kernel::{irq, Error, Result};

const F_CSUM: u64 = 1 << 0;
const F_GUEST_CSUM: u64 = 1 << 1;
const F_MTU: u64 = 1 << 3;
const F_MAC: u64 = 1 << 5;
const F_GUEST_TSO4: u64 = 1 << 7;
const F_GUEST_TSO6: u64 = 1 << 8;
const F_GUEST_ECN: u64 = 1 << 9;
const F_HOST_TSO4: u64 = 1 << 11;
const F_HOST_TSO6: u64 = 1 << 12;
const F_HOST_ECN: u64 = 1 << 13;
const F_MRG_RXBUF: u64 = 1 << 15;
const F_STATUS: u64 = 1 << 16;
const F_CTRL_VQ: u64 = 1 << 17;
const F_CTRL_RX: u64 = 1 << 18;
const F_GUEST_ANNOUNCE: u64 = 1 << 21;
const F_MQ: u64 = 1 << 22;
const F_CTRL_MAC_ADDR: u64 = 1 << 23;
// What needs the control queue.
const BY_COMMAND: u64 = F_CTRL_VQ | F_CTRL_RX | F_GUEST_ANNOUNCE | F_CTRL_MAC_ADDR | F_MQ;
// What needs F_CSUM, and F_GUEST_CSUM with buffers that are joined.
const HOST: u64 = F_HOST_TSO4 | F_HOST_TSO6 | F_HOST_ECN;
const GUEST: u64 = F_GUEST_TSO4 | F_GUEST_TSO6 | F_GUEST_ECN;
const WANTED: u64 = F_CSUM
    | F_GUEST_CSUM
    | F_MTU
    | F_MAC
    | F_MRG_RXBUF
    | F_STATUS
    | F_RING_PACKED
    | F_RING_INDIRECT
    | F_RING_EVENT
    | HOST
    | GUEST
    | BY_COMMAND;

// Most pairs of a device, behind which its control queue is; and of ours.
const MOST_PAIRS: u16 = 31;
const OUR_PAIRS: u16 = 16;
const LINK_UP: u8 = 1;
// The device has moved, and its neighbours are to hear where to.
const ANNOUNCE: u8 = 2;
const VLAN: u32 = 4;
const MTU: u32 = 1500;
const MOST_MTU: u32 = 65535;
// How long memory may take to come back before the ring is filled again.
const REFILL_MS: u32 = 20;

struct Nic {
    t: KBox<dyn Transport>,
    agreed: u64,
    pairs: KSlice<Option<Pair>>, // all are there
    // Pairs that have interrupts; of those, the ones that are in use.
    usable: AtomicU16,
    active: AtomicU16,
    control: Option<Control>,
    wish: SpinLockIrq<Wish>,
    open: AtomicBool,
    dead: AtomicBool,
    // Packets in more buffers than came, or with offsets outside.
    bad: AtomicU64,
    // Wishes that the device did not obey.
    unheard: AtomicU64,
    // Known once the device was added; interrupts are asked for afterwards.
    queue: SpinLockIrq<Option<Arc<net::Queue>>>,
    changed: SpinLockIrq<Option<KBox<dyn Changed>>>,
    // Tells the device what is to be received.
    filter: SpinLockIrq<Option<KBox<dyn Changed>>>,
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

/// The configuration changed, or what is wanted: looked at by a thread.
trait Changed: Send + Sync {
    fn look(&self);
}

impl<F: Fn() + Send + Sync> Changed for Work<F> {
    fn look(&self) {
        self.queue();
    }
}

impl Nic {
    fn pair(&self, i: u16) -> Option<&Pair> {
        self.pairs.get(usize::from(i))?.as_ref()
    }

    fn is_active(&self, i: u16) -> bool {
        i < self.active.load(Ordering::Acquire)
    }

    /// The device uses no memory any more.
    fn reset(&self, proof: &Halted) {
        for p in self.pairs.iter().flatten() {
            p.tx.lock().out.reset(proof);
            p.rx.lock().buffers.reset(proof);
        }
    }

    /// All pairs are polled soon. Any context.
    fn schedule_all(&self) {
        if let Some(q) = self.queue() {
            (0..self.usable.load(Ordering::Acquire)).for_each(|i| q.schedule(i));
        }
    }

    /// Fills the receive rings of pairs `from` to `to`, and tells the device. `ENOMEM`: not one buffer for one of them.
    fn fill(&self, from: u16, to: u16) -> Result {
        for i in from..to {
            let Some(p) = self.pair(i) else { return Err(Error::EINVAL) };
            let mut rx = p.rx.lock();
            let notify = rx.fill();
            let none = rx.buffers.lent() == 0;
            drop(rx);
            if notify {
                self.t.notify(2 * i + RECEIVE);
            }
            if none {
                return Err(Error::ENOMEM);
            }
        }
        Ok(())
    }

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
            self.reset(&proof);
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

    /// As often as the device asks for it, its addresses are announced, and it hears of that. Sleeps.
    fn look_at_moves(&self) {
        let asked = F_GUEST_ANNOUNCE | F_STATUS;
        if self.is_dead() || self.agreed & asked != asked || self.t.config8(6) & ANNOUNCE == 0 {
            return;
        }
        if let Some(q) = self.queue() {
            q.announce();
        }
        if let Some(c) = &self.control {
            _ = c.command(&*self.t, Command::Announced, &[]); // it asks again
        }
    }

    /// The device receives what is wished now. Sleeps.
    fn filter(&self) {
        let Some(c) = &self.control else { return };
        if self.is_dead() || self.agreed & F_CTRL_RX == 0 {
            return;
        }
        let wish = *self.wish.lock();
        if c.receive(&*self.t, &wish).is_err() {
            self.unheard.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn filter_soon(&self) {
        if let Some(f) = &*self.filter.lock() {
            f.look();
        }
    }

    /// Takes back what was sent, and lets the network go on if it waits.
    fn sent(&self, i: u16, pair: &Pair) {
        let Some(mut tx) = pair.tx.try_lock() else { return }; // arm() waits for the holder
        tx.reclaim();
        let wake = tx.full && tx.ring.has_room(1 + MAX_SEGMENTS);
        if wake {
            tx.full = false;
            tx.ring.set_quiet(true);
        }
        drop(tx);
        if wake && let Some(q) = self.queue() {
            q.wake(i);
        }
    }
}

impl net::Driver for Nic {
    fn open(&self) -> Result {
        if self.is_dead() {
            return Err(Error::EIO);
        }
        for p in self.pairs.iter().flatten() {
            let mut rx = p.rx.lock();
            while rx.next().is_some() {} // came while it was closed
        }
        self.fill(0, self.active.load(Ordering::Acquire))?;
        self.open.store(true, Ordering::Release);
        Ok(())
    }

    fn stop(&self) {
        // Buffers stay lent: the device may write them until it is reset.
        self.open.store(false, Ordering::Release);
        for p in self.pairs.iter().flatten() {
            p.tx.lock().reclaim();
        }
    }

    fn set_channels(&self, n: u16) -> Result {
        let old = self.active.load(Ordering::Acquire);
        if self.is_dead() || n == 0 || n > self.usable.load(Ordering::Acquire) {
            return Err(Error::EINVAL);
        }
        if n == old {
            return Ok(());
        }
        if self.open.load(Ordering::Acquire) {
            self.fill(old, n)?;
        }
        let c = self.control.as_ref().ok_or(Error::EINVAL)?;
        c.command(&*self.t, Command::Pairs, &n.to_le_bytes()).map_err(|_| Error::EINVAL)?;
        self.active.store(n, Ordering::Release);
        if self.open.load(Ordering::Acquire) {
            self.schedule_all(); // one that had no buffer when it was armed
        }
        Ok(())
    }

    fn xmit(&self, i: u16, p: Packet, more: bool) -> core::result::Result<(), Packet> {
        if self.is_dead() {
            return Ok(()); // lost
        }
        let Some(pair) = self.pair(i) else { return Ok(()) };
        let mut tx = pair.tx.lock();
        tx.reclaim();
        let room = tx.make_room(1 + p.segments());
        let broken = tx.ring.is_broken(); // looking for room may find that out
        if !broken && !room {
            tx.full = true;
            if let Some(q) = self.queue() {
                q.stop(i);
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
            self.t.notify(2 * i + TRANSMIT);
        }
        Ok(())
    }

    fn poll(&self, i: u16, to: &mut Receiver<'_>, budget: usize) -> usize {
        let Some(pair) = self.pair(i) else { return 0 };
        pair.rx.lock().ring.set_quiet(true);
        self.sent(i, pair);
        let (mut done, mut notify, mut broken) = (0, false, false);
        while done < budget && !self.is_dead() {
            let mut rx = pair.rx.lock();
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
        if !broken && self.is_active(i) {
            notify = pair.rx.lock().fill();
        }
        if broken || pair.tx.try_lock().is_some_and(|tx| tx.ring.is_broken()) {
            self.give_up(super::BROKE_RULES);
        } else if notify {
            self.t.notify(2 * i + RECEIVE);
        }
        done
    }

    fn set_rx_mode(&self, m: &net::Mode<'_>) {
        let mut groups = [[0; 6]; GROUPS];
        let nr = m.groups(&mut groups); // programs make that list long: no spinlock is held
        let mut wish = self.wish.lock();
        wish.promiscuous = m.promiscuous;
        (wish.groups, wish.nr) = (groups, nr.min(GROUPS));
        wish.all_groups = m.all_groups || nr > GROUPS;
        drop(wish);
        self.filter_soon();
    }

    fn set_mac(&self, mac: &[u8; 6]) -> Result {
        if self.agreed & F_CTRL_MAC_ADDR != 0
            && let Some(c) = &self.control
        {
            c.command(&*self.t, Command::Address, mac)?;
        }
        self.wish.lock().own = *mac;
        if self.open.load(Ordering::Acquire) {
            self.filter_soon();
        }
        Ok(())
    }

    fn arm(&self, i: u16) -> bool {
        let Some(pair) = self.pair(i).filter(|_| !self.is_dead()) else { return false };
        let mut rx = pair.rx.lock();
        let more = rx.ring.arm();
        if more {
            rx.ring.set_quiet(true);
        }
        let starved = self.is_active(i) && rx.buffers.lent() == 0 && !rx.ring.is_broken();
        drop(rx);
        if starved && let Some(r) = &*self.refill.lock() {
            r.later();
        }
        // The lock is waited for: its holder may be about to say that it waits, after sent() looked.
        let mut tx = pair.tx.lock();
        let sent = tx.full && tx.ring.arm();
        drop(tx);
        more || sent
    }
}

/// The interrupt handler of a pair (the first one's is the control queue's too), or of all, and of configuration changes, where they share a line.
struct Answer {
    nic: Arc<Nic>,
    pair: Option<u16>,
}

impl irq::Handler for Answer {
    fn handle(&self) -> bool {
        let why = self.nic.t.acknowledge();
        if why & super::WHY_CONFIG != 0 {
            self.nic.config_changed();
        }
        if why & super::WHY_QUEUE != 0 {
            if let Some(c) = &self.nic.control {
                c.answered();
            }
            // poll() asks for quiet
            match (self.pair, self.nic.queue()) {
                (Some(i), Some(q)) => q.schedule(i),
                _ => self.nic.schedule_all(),
            }
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

/// Those of the pairs, and of the configuration where they are messages.
type Interrupts = (KSlice<Option<irq::Registration>>, Option<irq::Registration>);

/// A device with its driver. Dropped, the interrupts go first, then the network's device.
pub struct Bound {
    interrupts: Interrupts,
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

/// How many pairs the device says that it has; 0: it makes no sense, or there are more than we can name.
fn pairs_of(t: &dyn Transport) -> u16 {
    let n = u16::from(t.config8(8)) | u16::from(t.config8(9)) << 8;
    if n <= MOST_PAIRS {
        n
    } else {
        0
    }
}

/// Of what is wanted, what goes together as the device offers it (5.1.3.1).
fn wanted(t: &dyn Transport) -> u64 {
    let offered = t.features();
    let host = if offered & F_CSUM != 0 { HOST } else { 0 };
    let guest = F_GUEST_CSUM | F_MRG_RXBUF;
    let guest = if offered & guest == guest { GUEST } else { 0 };
    let command = if offered & F_CTRL_VQ != 0 { BY_COMMAND } else { 0 };
    let many = if offered & F_MQ != 0 && pairs_of(t) > 1 { F_MQ } else { 0 };
    WANTED & !(HOST | GUEST | BY_COMMAND) | host | guest | command & !F_MQ | command & many
}

/// Memory of the device.
fn make(t: KBox<dyn Transport>) -> Result<Arc<Nic>> {
    let made = super::negotiate(&*t, wanted(&*t)).and_then(|agreed| {
        let theirs = if agreed & F_MQ != 0 { pairs_of(&*t).max(1) } else { 1 };
        let mut pairs = KSlice::from_fn(theirs.min(OUR_PAIRS).into(), KERNEL, |_| None)?;
        for (i, place) in (0..).zip(pairs.iter_mut()) {
            *place = Some(make_pair(&*t, i, agreed)?);
        }
        let control = if agreed & F_CTRL_VQ != 0 {
            Some(Control::new(&*t, 2 * theirs, agreed)?)
        } else {
            None
        };
        Ok((agreed, pairs, control))
    });
    let (agreed, pairs, control) = made.map_err(|e| super::refuse(&*t, "virtio-net", e))?;
    let (open, dead) = (AtomicBool::new(false), AtomicBool::new(false));
    let (queue, changed) = (SpinLockIrq::new(None), SpinLockIrq::new(None));
    let (refill, filter) = (SpinLockIrq::new(None), SpinLockIrq::new(None));
    Arc::new(Nic {
        t,
        agreed,
        usable: AtomicU16::new(pairs.len() as u16),
        active: AtomicU16::new(1),
        pairs,
        control,
        wish: SpinLockIrq::new(Wish::new([0; 6])),
        open,
        dead,
        bad: AtomicU64::new(0),
        unheard: AtomicU64::new(0),
        queue,
        changed,
        filter,
        refill,
    })
}

/// Gives the device pair `i`, with that vector.
fn set_up(nic: &Nic, i: u16, vector: u16) -> Result {
    let pair = nic.pair(i).ok_or(Error::EINVAL)?;
    nic.t.queue_setup(2 * i + RECEIVE, &pair.rx.lock().ring, vector)?;
    nic.t.queue_setup(2 * i + TRANSMIT, &pair.tx.lock().ring, vector)?;
    if let Some(c) = nic.control.as_ref().filter(|_| i == 0) {
        c.setup(&*nic.t, vector)?;
    }
    Ok(())
}

/// The interrupts: one for each pair as far as there are some, and one more for the configuration, where they are messages; or one for all.
fn open_interrupts(nic: &Arc<Nic>) -> Result<Interrupts> {
    let t = &*nic.t;
    let all = nic.usable.load(Ordering::Acquire);
    let mut pairs = KSlice::from_fn(all.into(), KERNEL, |_| None)?;
    let (mut nr, mut is_line) = (0, false);
    for (i, place) in (0..all).zip(pairs.iter_mut()) {
        let (source, vector, shared) = match t.interrupt_at(i) {
            Ok(one) => one,
            Err(e) if i == 0 => return Err(e),
            Err(_) => break,
        };
        let answer = Answer { nic: nic.clone(), pair: (!shared).then_some(i) };
        *place = Some(irq::request_owned(source, &Arc::new(answer)?, c"virtio-net", shared)?);
        is_line = shared;
        for k in i..if shared { all } else { i + 1 } {
            set_up(nic, k, vector)?;
            nr = k + 1;
        }
        if shared {
            break;
        }
    }
    nic.usable.store(nr, Ordering::Release);
    if is_line || nic.agreed & F_STATUS == 0 {
        return Ok((pairs, None));
    }
    let Ok((source, vector, _)) = t.interrupt() else { return Ok((pairs, None)) }; // changes of the link are not heard
    let config = irq::request_owned(
        source,
        &Arc::new(AnswerConfig(nic.clone()))?,
        c"virtio-net-config",
        false,
    )?;
    t.on_config(vector)?;
    Ok((pairs, Some(config)))
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
    nic.config_changed(); // it may have asked already
    Ok(Bound { interrupts, added, nic })
}

fn start(nic: &Arc<Nic>) -> Result<(net::Device, Interrupts)> {
    let (t, agreed) = (&*nic.t, nic.agreed);
    let asked = mtu_of(t, agreed);
    let theirs = nic.clone();
    let look = move || {
        theirs.look_at_link();
        theirs.look_at_moves();
    };
    let changed: KBox<dyn Changed> = KBox::new(Work::new(look)?, KERNEL)?;
    *nic.changed.lock() = Some(changed);
    let theirs = nic.clone();
    let filter: KBox<dyn Changed> = KBox::new(Work::new(move || theirs.filter())?, KERNEL)?;
    *nic.filter.lock() = Some(filter);
    let theirs = nic.clone();
    let refill: KBox<dyn Later> =
        KBox::new(DelayedWork::new(move || theirs.schedule_all())?, KERNEL)?;
    *nic.refill.lock() = Some(refill);
    let interrupts = open_interrupts(nic)?;
    super::go(t);
    let many = nic.usable.load(Ordering::Acquire).min(irq::cpus());
    if many > 1 {
        _ = net::Driver::set_channels(&**nic, many); // else one is in use
    }
    let kind = net::Kind {
        driver: c"virtio_net",
        mac: mac_of(t, agreed),
        max_mtu: most_mtu(agreed, asked),
        mtu: asked.min(most_mtu(agreed, asked)),
        sums: agreed & F_CSUM != 0,
        vouches: agreed & F_GUEST_CSUM != 0,
        segments: [F_HOST_TSO4, F_HOST_TSO6, F_HOST_ECN].map(|f| agreed & f != 0),
        queues: nic.usable.load(Ordering::Acquire),
        active: nic.active.load(Ordering::Acquire),
        parent: nic.t.dir(),
    };
    // Last: from here on a program may bring it up.
    let added = net::add(c"eth%d", &kind, nic.clone())?;
    nic.wish.lock().own = added.mac();
    *nic.queue.lock() = Some(Arc::new(added.queue())?);
    if nic.open.load(Ordering::Acquire) {
        nic.filter_soon(); // opened before its address was known
    }
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
        let filter = self.filter.lock().take();
        drop(filter);
        let refill = self.refill.lock().take();
        drop(refill);
        let queue = self.queue.lock().take();
        drop(queue);
    }
}

impl Bound {
    /// Takes the driver away; `gone`: the device is not there any more, and is asked nothing. Otherwise as `remove`.
    pub fn pull(self, gone: bool) -> Result {
        if gone {
            self.nic.dead.store(true, Ordering::Release);
            if let Some(c) = &self.nic.control {
                c.give_up();
            }
        }
        self.remove()
    }

    /// Takes the driver away: nothing of it stays. `EIO`: the device does not obey. Sleeps.
    pub fn remove(self) -> Result {
        let Bound { interrupts, added, nic } = self;
        drop(interrupts);
        nic.dead.store(true, Ordering::Release);
        drop(added);
        nic.forget();
        let proof = super::leave(&*nic.t)?;
        nic.reset(&proof);
        Ok(())
    }
}

#[path = "test/net.rs"]
mod test;
#[path = "test/net_ctrl.rs"]
mod test_ctrl;
#[path = "test/net_pairs.rs"]
mod test_pairs;
