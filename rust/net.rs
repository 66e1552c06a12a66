// SPDX-License-Identifier: MIT
//! Network devices and their packets.
//!
//! A driver has one queue each way, or more such pairs. Packets to send come to `Driver::xmit`, which keeps them in an `Outgoing` while the device reads
//! them; memory for packets that come is lent buffer by buffer by `Incoming`. Both give back what the device's ring says is done, or, with the proof that
//! the device uses no memory any more (`Halted`), all of it. An interrupt calls `Queue::schedule`, and `Driver::poll` runs in a thread, in
//! a task that is about to wait, or on an idle CPU: one at a time for each pair, never in the interrupt.

use crate::alloc::{Arc, KSlice, KERNEL};
use crate::bindings;
use crate::dma::{Engine, Halted, Segment};
use crate::error::{to_result, Error, Result};
use crate::show::Dir;
use core::ffi::{c_int, CStr};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// Bytes of a receive buffer.
pub const RX_BUFFER: u32 = bindings::RUST_RX_BUFFER;
/// Most pieces of a packet's memory, its head among them.
pub const MAX_SEGMENTS: usize = bindings::PACKET_PIECES as usize + 1;

/// Bytes of virtio's header that say something of one packet.
pub const VNET_HEADER: usize = 10;

/// A packet that the driver owns. Dropped, it is counted as lost.
///
/// # Invariants
/// Points to a packet that nobody else owns.
#[repr(transparent)]
pub struct Packet(NonNull<bindings::packet>);

// SAFETY: a packet has one owner at a time, on whichever CPU.
unsafe impl Send for Packet {}
// SAFETY: what a shared reference reads changes by its owner's hand alone.
unsafe impl Sync for Packet {}

impl Packet {
    fn raw(&self) -> &bindings::packet {
        // SAFETY: by the type's invariant.
        unsafe { self.0.as_ref() }
    }

    /// Bytes.
    pub fn len(&self) -> u32 {
        self.raw().len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many pieces its memory has.
    pub fn segments(&self) -> usize {
        1 + usize::from(self.raw().nr_pieces)
    }

    /// What virtio's header says of it: the sum and the segments that the device is to make.
    pub fn header(&self) -> [u8; VNET_HEADER] {
        let mut h = [0; VNET_HEADER];
        // SAFETY: by the type's invariant; the header has as many bytes.
        unsafe { bindings::rust_packet_vnet(self.0.as_ptr(), h.as_mut_ptr().cast()) };
        h
    }

    /// Heeds the header that its device gave with it. `EINVAL`: it is not true.
    pub fn heed(&mut self, h: &[u8; VNET_HEADER]) -> Result {
        // SAFETY: by the type's invariant; the header has as many bytes.
        if unsafe { bindings::rust_rx_heed(self.0.as_ptr(), h.as_ptr().cast()) } {
            Ok(())
        } else {
            Err(Error::EINVAL)
        }
    }

    /// It is with its receiver, or on the wire.
    pub fn sent(self) {
        let raw = self.0.as_ptr();
        core::mem::forget(self);
        // SAFETY: by the type's invariant, and self is gone.
        unsafe { bindings::packet_consume(raw) }
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::packet_free(self.0.as_ptr(), bindings::drop_reason_DROP_TX) }
    }
}

/// A packet whose memory its device may read.
#[repr(transparent)]
pub struct Lent(Packet);

impl core::ops::Deref for Lent {
    type Target = Packet;
    fn deref(&self) -> &Packet {
        &self.0
    }
}

impl Lent {
    /// Piece `i` of its memory.
    pub fn segment(&self, i: usize) -> Option<Segment> {
        let (mut addr, mut len) = (0, 0);
        // SAFETY: by Packet's invariant; the C side checks i.
        unsafe { bindings::rust_packet_segment(self.0 .0.as_ptr(), i as u32, &mut addr, &mut len) }
            .then(|| Segment::new(addr, len))
    }
}

/// Places with numbers, of which those that are free are known at once.
struct Places {
    free: KSlice<u16>,
    left: usize,
}

impl Places {
    fn new(n: usize) -> Result<Places> {
        Ok(Places { free: KSlice::from_fn(n, KERNEL, |i| i as u16)?, left: n })
    }

    fn next(&self) -> Option<u16> {
        self.free.get(self.left.checked_sub(1)?).copied()
    }

    fn take(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    fn put(&mut self, i: u16) {
        if let Some(place) = self.free.get_mut(self.left) {
            *place = i;
            self.left += 1;
        }
    }
}

/// The packets that a device is sending.
pub struct Outgoing {
    engine: Engine,
    slots: KSlice<Option<Packet>>,
    places: Places,
}

impl Outgoing {
    /// Room for `n` at a time. `EOPNOTSUPP`: the device does not reach all memory, and nothing is copied here.
    pub fn new(engine: &Engine, n: usize) -> Result<Outgoing> {
        engine.needs_all()?;
        Ok(Outgoing {
            engine: engine.share(),
            slots: KSlice::from_fn(n, KERNEL, |_| None)?,
            places: Places::new(n)?,
        })
    }

    /// Lends the packet, which is charged to no socket any more, under a number. `EBUSY`: there is no room; `EIO`: the device was halted.
    pub fn lend(&mut self, p: Packet) -> core::result::Result<(u16, &Lent), (Error, Packet)> {
        if self.engine.is_halted() {
            return Err((Error::EIO, p));
        }
        let Some(i) = self.places.next() else { return Err((Error::EBUSY, p)) };
        let Some(slot) = self.slots.get_mut(usize::from(i)) else { return Err((Error::EBUSY, p)) };
        self.places.take();
        // SAFETY: by Packet's invariant.
        unsafe { bindings::packet_orphan(p.0.as_ptr()) };
        let p: &Packet = slot.insert(p);
        // SAFETY: a Lent is a Packet and nothing else.
        Ok((i, unsafe { &*core::ptr::from_ref(p).cast::<Lent>() }))
    }

    /// The packet that the device is done with.
    pub fn done(&mut self, i: u16) -> Option<Packet> {
        let p = self.slots.get_mut(usize::from(i))?.take()?;
        self.places.put(i);
        Some(p)
    }

    /// All of them, with the proof that the device uses no memory any more. Proofs of other devices prove nothing.
    pub fn reset(&mut self, proof: &Halted) {
        for i in 0..self.slots.len() {
            if proof.is_of(&self.engine) {
                drop(self.done(i as u16));
            }
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if self.slots.iter().any(Option::is_some) && self.engine.halt().is_err() {
            self.slots.iter_mut().for_each(|s| core::mem::forget(s.take())); // the device may read them for ever
        }
    }
}

/// A buffer of ours.
///
/// # Invariants
/// `RX_BUFFER` bytes at `off` of `page`, of which we hold a reference.
struct Buffer {
    page: NonNull<bindings::page>,
    off: u32,
}

// SAFETY: a reference to a page may be given up anywhere.
unsafe impl Send for Buffer {}
// SAFETY: as above; reading is a copy.
unsafe impl Sync for Buffer {}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::rust_rx_free(self.page.as_ptr()) }
    }
}

/// A buffer that the device has filled. Its bytes may change by the device's hand all the same: what matters is copied once.
pub struct Filled(Buffer);

impl Filled {
    /// Copies its first bytes, `RX_BUFFER` at most.
    pub fn copy_out(&self, to: &mut [u8]) {
        let n = (to.len() as u32).min(RX_BUFFER);
        // SAFETY: by Buffer's invariant; n bytes are in both.
        unsafe {
            bindings::rust_rx_read(self.0.page.as_ptr(), self.0.off, to.as_mut_ptr().cast(), n)
        }
    }

    /// The packet in its bytes from `from` to `to`. `EINVAL`: there are none; `ENOMEM`.
    pub fn into_packet(self, from: u32, to: u32) -> Result<Packet> {
        if from >= to || to > RX_BUFFER {
            return Err(Error::EINVAL);
        }
        let (page, off) = (self.0.page.as_ptr(), self.0.off + from);
        core::mem::forget(self);
        // SAFETY: by Buffer's invariant; the reference goes with the call.
        let p = unsafe { bindings::rust_rx_packet(page, off, to - from) };
        NonNull::new(p).map(Packet).ok_or(Error::ENOMEM)
    }

    /// Its first `len` bytes go behind what `p` has. `EINVAL`: it has not as many, or `p` has too many pieces.
    pub fn append_to(self, p: &mut Packet, len: u32) -> Result {
        if len == 0 || len > RX_BUFFER {
            return Err(Error::EINVAL);
        }
        let (page, off) = (self.0.page.as_ptr(), self.0.off);
        core::mem::forget(self);
        // SAFETY: by the invariants of both; the reference goes with the call.
        if unsafe { bindings::rust_rx_add(p.0.as_ptr(), page, off, len) } {
            Ok(())
        } else {
            Err(Error::EINVAL)
        }
    }
}

/// The buffers that a device may write.
///
/// ```
/// use kernel::{dma::Engine, net::{Incoming, Outgoing, RX_BUFFER}, Error};
/// let engine = Engine::pretended()?;
/// let mut rx = Incoming::new(&engine, 2)?;
/// let ((a, at), (b, _)) = (rx.lend()?, rx.lend()?);
/// assert!(a != b && at.len() == RX_BUFFER && rx.lent() == 2 && rx.lend().err() == Some(Error::EBUSY));
/// let mut header = [0; 4];
/// let (first, second) = (rx.done(a).ok_or(Error::EIO)?, rx.done(b).ok_or(Error::EIO)?);
/// assert!(rx.done(a).is_none() && rx.done(9).is_none() && rx.lent() == 0);
/// first.copy_out(&mut header);
/// let mut p = first.into_packet(4, 1504)?; // the headers are copied, the rest is a piece
/// assert!(p.len() == 1500 && p.segments() == 2 && !p.is_empty() && p.header() == [0; 10]);
/// second.append_to(&mut p, 100)?;
/// assert!(p.len() == 1600 && p.heed(&[1, 0, 0, 0, 0, 0, 54, 6, 20, 0]).is_err());
/// p.heed(&[1, 0, 0, 0, 0, 0, 34, 0, 16, 0])?;
/// assert_eq!(p.header(), [1, 0, 0, 0, 0, 0, 34, 0, 16, 0]);
/// let mut tx = Outgoing::new(&engine, 1)?;
/// let (i, lent) = tx.lend(p).map_err(|(e, _)| e)?;
/// let bytes: u32 = (0..).map_while(|k| lent.segment(k)).map(|s| s.len()).sum();
/// assert!(bytes == 1600 && lent.segment(99).is_none());
/// rx.lend()?;
/// let other = rx.done(0).or_else(|| rx.done(1)).ok_or(Error::EIO)?.into_packet(0, 60)?;
/// assert!(tx.lend(other).err().map(|(e, _)| e) == Some(Error::EBUSY)); // and the packet is lost
/// tx.done(i).ok_or(Error::EIO)?.sent();
/// assert!(tx.done(i).is_none());
/// let (c, _) = rx.lend()?;
/// assert!(rx.done(c).ok_or(Error::EIO)?.into_packet(5, RX_BUFFER + 1).err() == Some(Error::EINVAL));
/// rx.lend()?;
/// let proof = engine.halt()?;
/// rx.reset(&proof);
/// tx.reset(&proof);
/// assert!(rx.lent() == 0 && rx.lend().err() == Some(Error::EIO));
/// ```
pub struct Incoming {
    engine: Engine,
    slots: KSlice<Option<Buffer>>,
    places: Places,
}

impl Incoming {
    /// Room for `n` at a time. `EOPNOTSUPP`: the device does not reach all memory, and nothing is copied here.
    pub fn new(engine: &Engine, n: usize) -> Result<Incoming> {
        engine.needs_all()?;
        Ok(Incoming {
            engine: engine.share(),
            slots: KSlice::from_fn(n, KERNEL, |_| None)?,
            places: Places::new(n)?,
        })
    }

    /// Lends a fresh buffer of `RX_BUFFER` bytes: its number and memory. `ENOMEM`; `EBUSY`: there is no room; `EIO`: the device was halted.
    pub fn lend(&mut self) -> Result<(u16, Segment)> {
        if self.engine.is_halted() {
            return Err(Error::EIO);
        }
        let i = self.places.next().ok_or(Error::EBUSY)?;
        let slot = self.slots.get_mut(usize::from(i)).ok_or(Error::EBUSY)?;
        let (mut off, mut phys) = (0, 0);
        // SAFETY: both places are valid; the result is checked.
        let page = NonNull::new(unsafe { bindings::rust_rx_alloc(&mut off, &mut phys) })
            .ok_or(Error::ENOMEM)?;
        *slot = Some(Buffer { page, off });
        self.places.take();
        Ok((i, Segment::new(self.engine.address(phys), RX_BUFFER)))
    }

    /// The buffer that the device is done with.
    pub fn done(&mut self, i: u16) -> Option<Filled> {
        let b = self.slots.get_mut(usize::from(i))?.take()?;
        self.places.put(i);
        Some(Filled(b))
    }

    /// All of them go, with the proof that the device uses no memory any more. Proofs of other devices prove nothing.
    pub fn reset(&mut self, proof: &Halted) {
        for i in 0..self.slots.len() {
            if proof.is_of(&self.engine) {
                drop(self.done(i as u16));
            }
        }
    }

    /// For tests: what a device would write into each that is lent.
    pub fn pretend(&mut self, from: &[u8]) {
        let n = (from.len() as u32).min(RX_BUFFER);
        for b in self.slots.iter().flatten() {
            // SAFETY: by Buffer's invariant; n bytes are in both.
            unsafe { bindings::rust_rx_pretend(b.page.as_ptr(), b.off, from.as_ptr().cast(), n) }
        }
    }

    /// How many are lent.
    pub fn lent(&self) -> usize {
        self.slots.len() - self.places.left
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.lent() != 0 && self.engine.halt().is_err() {
            self.slots.iter_mut().for_each(|s| core::mem::forget(s.take())); // the device may write them for ever
        }
    }
}

/// A device's queue, for interrupt handlers that schedule it. Calls after the device is gone do nothing.
///
/// # Invariants
/// Points to a device that rust_netdev_alloc() made, of which we hold a reference.
pub struct Queue(NonNull<bindings::netdev>);

// SAFETY: the C side locks.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// `Driver::poll` is called soon for pair `i`, if there is one. Any context, interrupt handlers too.
    pub fn schedule(&self, i: u16) {
        // SAFETY: by the type's invariant: a queue that is off is left alone; the C side checks i.
        unsafe { bindings::rust_netdev_schedule(self.0.as_ptr(), i) }
    }

    /// There is room for packets to send in queue `i` again. Not from interrupt handlers.
    pub fn wake(&self, i: u16) {
        // SAFETY: by the type's invariant; the C side checks i.
        unsafe { bindings::rust_netdev_wake(self.0.as_ptr(), i) }
    }

    /// No packets to send in queue `i` until `wake`.
    pub fn stop(&self, i: u16) {
        // SAFETY: by the type's invariant; the C side checks i.
        unsafe { bindings::rust_netdev_stop(self.0.as_ptr(), i) }
    }

    /// Neighbours are told where the device's addresses are. Sleeps.
    pub fn announce(&self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::netdev_notify_peers(self.0.as_ptr()) }
    }

    /// The link is up, or not. Any context but interrupt handlers.
    pub fn set_link(&self, up: bool) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::netdev_carrier(self.0.as_ptr(), up) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::netdev_put(self.0.as_ptr()) }
    }
}

/// Where `Driver::poll` hands in what came.
pub struct Receiver<'a> {
    poll: NonNull<bindings::net_poll>,
    call: PhantomData<&'a mut ()>,
}

impl Receiver<'_> {
    /// The packet came in, with its link header.
    pub fn deliver(&mut self, p: Packet) {
        let raw = p.0.as_ptr();
        core::mem::forget(p);
        // SAFETY: the queue is valid in this call, which is within its poll(); the packet is given away.
        unsafe { bindings::rust_rx_deliver(self.poll.as_ptr(), raw) }
    }
}

/// Which frames a device is to receive, beside those for its own address and for all.
pub struct Mode<'a> {
    /// Each that comes by.
    pub promiscuous: bool,
    /// Those of every group.
    pub all_groups: bool,
    dev: NonNull<bindings::netdev>,
    call: PhantomData<&'a ()>,
}

impl Mode<'_> {
    /// The addresses of its groups, as many as have room: how many there are.
    pub fn groups(&self, to: &mut [[u8; 6]]) -> usize {
        // SAFETY: the device is valid in this call, which is under rtnl; there is room for as many.
        unsafe {
            bindings::rust_netdev_groups(
                self.dev.as_ptr(),
                to.as_mut_ptr().cast(),
                to.len().min(u32::MAX as usize) as u32,
            ) as usize
        }
    }
}

/// A network device's driver.
pub trait Driver: Send + Sync + 'static {
    /// Packets may be sent, and those that come are wanted. Sleeps.
    fn open(&self) -> Result;
    /// The opposite. Neither xmit nor poll runs, or will. Sleeps.
    fn stop(&self);
    /// Sends it by queue `i`; MORE: another comes at once. Gives it back where there is no room, after `Queue::stop`. Does not sleep.
    fn xmit(&self, i: u16, p: Packet, more: bool) -> core::result::Result<(), Packet>;
    /// What is to be received changed, or the device was opened. Does not sleep.
    fn set_rx_mode(&self, m: &Mode<'_>);
    /// Its address is to be that one, which is a station's. Sleeps.
    fn set_mac(&self, mac: &[u8; 6]) -> Result;
    /// `n` pairs of queues are in use from now on, of the `Kind::queues` that there are. No packet to send comes for the others. Sleeps.
    fn set_channels(&self, n: u16) -> Result;
    /// Hands in packets of pair `i`, `budget` at most: how many. Does not sleep.
    fn poll(&self, i: u16, to: &mut Receiver<'_>, budget: usize) -> usize;
    /// Interrupts are wanted again. Whether there was something to do before that had an effect (then they are not).
    fn arm(&self, i: u16) -> bool;
}

/// What a device is like.
#[derive(Clone, Debug)]
pub struct Kind {
    /// The driver's name, for ethtool(8).
    pub driver: &'static CStr,
    /// Its address; `None`: one by chance.
    pub mac: Option<[u8; 6]>,
    /// Bytes behind the link header that it takes at most, and at first.
    pub max_mtu: u32,
    /// What it is set to.
    pub mtu: u32,
    /// It makes sums.
    pub sums: bool,
    /// It vouches for sums.
    pub vouches: bool,
    /// It makes segments of TCP over IPv4, over IPv6, and of such with CWR.
    pub segments: [bool; 3],
    /// Pairs of queues.
    pub queues: u16,
    /// Of those, how many are in use at first.
    pub active: u16,
    /// The device in /sys/devices that it is a part of.
    pub parent: Option<Dir>,
}

fn driver_of<'a, D: Driver>(d: *mut bindings::netdev) -> &'a D {
    // SAFETY: add() stored the reference, which lasts until free().
    unsafe { &*bindings::rust_netdev_driver(d).cast::<D>() }
}

unsafe extern "C" fn open<D: Driver>(d: *mut bindings::netdev) -> c_int {
    let r = driver_of::<D>(d).open();
    if r.is_ok() {
        // SAFETY: C calls with a registered device.
        unsafe { bindings::rust_netdev_poll_on(d) };
    }
    crate::error::to_ret(r)
}

unsafe extern "C" fn stop<D: Driver>(d: *mut bindings::netdev) {
    // SAFETY: as in open().
    unsafe { bindings::rust_netdev_poll_off(d) };
    driver_of::<D>(d).stop();
}

unsafe extern "C" fn xmit<D: Driver>(
    d: *mut bindings::netdev,
    p: *mut bindings::packet,
    queue: u16,
    more: bool,
) -> bindings::netdev_xmit {
    let Some(raw) = NonNull::new(p) else { return bindings::netdev_xmit_NETDEV_XMIT_OK };
    if given::is_taken(raw, driver_of::<D>(d).xmit(queue, Packet(raw), more)) {
        bindings::netdev_xmit_NETDEV_XMIT_OK
    } else {
        bindings::netdev_xmit_NETDEV_XMIT_BUSY
    }
}

unsafe extern "C" fn set_rx_mode<D: Driver>(d: *mut bindings::netdev) {
    let Some(dev) = NonNull::new(d) else { return };
    let (mut promiscuous, mut all_groups) = (false, false);
    // SAFETY: C calls with a registered device, under rtnl.
    unsafe { bindings::rust_netdev_mode(d, &mut promiscuous, &mut all_groups) };
    let m = Mode { promiscuous, all_groups, dev, call: PhantomData };
    driver_of::<D>(d).set_rx_mode(&m);
}

unsafe extern "C" fn set_mac<D: Driver>(d: *mut bindings::netdev, mac: *const u8) -> c_int {
    // SAFETY: C calls with an address of the device's 6 bytes.
    crate::error::to_ret(driver_of::<D>(d).set_mac(unsafe { &*mac.cast::<[u8; 6]>() }))
}

unsafe extern "C" fn set_channels<D: Driver>(d: *mut bindings::netdev, n: u16) -> c_int {
    crate::error::to_ret(driver_of::<D>(d).set_channels(n))
}

unsafe extern "C" fn free<D: Driver>(d: *mut bindings::netdev) {
    // SAFETY: add() stored the reference, and this is its end.
    drop(unsafe { Arc::from_raw(bindings::rust_netdev_driver(d).cast::<D>().cast_const()) });
}

unsafe extern "C" fn poll<D: Driver>(q: *mut bindings::net_poll, budget: c_int) -> c_int {
    let Some(poll) = NonNull::new(q) else { return 0 };
    // SAFETY: C calls with the queue of a registered device.
    let (dev, i) = unsafe { (bindings::rust_poll_dev(q), bindings::rust_poll_index(q)) };
    let mut to = Receiver { poll, call: PhantomData };
    let budget = budget.max(0);
    driver_of::<D>(dev).poll(i, &mut to, budget as usize).min(budget as usize) as c_int
}

unsafe extern "C" fn arm<D: Driver>(q: *mut bindings::net_poll) -> bool {
    // SAFETY: as in poll().
    let (dev, i) = unsafe { (bindings::rust_poll_dev(q), bindings::rust_poll_index(q)) };
    driver_of::<D>(dev).arm(i)
}

struct Ops<D>(PhantomData<D>);

impl<D: Driver> Ops<D> {
    const DEVICE: bindings::netdev_ops = bindings::netdev_ops {
        open: Some(open::<D>),
        stop: Some(stop::<D>),
        xmit: Some(xmit::<D>),
        set_rx_mode: Some(set_rx_mode::<D>),
        set_mac: Some(set_mac::<D>),
        set_carrier: None,
        set_mtu: None,
        get_stats: None,
        link: None,
        free: Some(free::<D>),
        ioctl: None,
        set_channels: Some(set_channels::<D>),
    };
    const POLL: bindings::net_poll_ops =
        bindings::net_poll_ops { poll: Some(poll::<D>), arm: Some(arm::<D>) };
}

/// A device that was added. Dropped, it is taken away; sleeps.
///
/// # Invariants
/// Points to a registered device, of which we hold a reference.
pub struct Device(NonNull<bindings::netdev>);

// SAFETY: the C side locks.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Device {
    /// The address that it was given.
    pub fn mac(&self) -> [u8; 6] {
        let mut mac = [0; 6];
        // SAFETY: by the type's invariant; there is room for as many bytes.
        unsafe { bindings::rust_netdev_address(self.0.as_ptr(), mac.as_mut_ptr()) };
        mac
    }

    /// Its queue.
    pub fn queue(&self) -> Queue {
        // SAFETY: by the type's invariant.
        unsafe { bindings::netdev_get(self.0.as_ptr()) };
        Queue(self.0)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant.
        unsafe {
            bindings::rust_netdev_unregister(self.0.as_ptr());
            bindings::netdev_put(self.0.as_ptr());
        }
    }
}

/// Adds a device named by `pattern` ("eth%d") to the initial namespace. It is down, and has no link until `Queue::set_link` says so.
/// `EINVAL`: what it is like makes no sense.
pub fn add<D: Driver>(pattern: &CStr, kind: &Kind, driver: Arc<D>) -> Result<Device> {
    let multicast = kind.mac.is_some_and(|m| m.first().is_some_and(|b| b & 1 != 0) || m == [0; 6]);
    if kind.active == 0 || kind.active > kind.queues || kind.queues > 256 {
        return Err(Error::EINVAL);
    }
    if multicast || kind.mtu < 68 || kind.mtu > kind.max_mtu || kind.max_mtu > 65535 {
        return Err(Error::EINVAL);
    }
    let data = Arc::into_raw(driver).cast_mut().cast();
    // SAFETY: the pattern is a C string, the operations live for ever, the driver until they free it; the result is checked.
    let raw = unsafe {
        bindings::rust_netdev_alloc(
            pattern.as_ptr(),
            &Ops::<D>::DEVICE,
            data,
            kind.queues,
            kind.active,
        )
    };
    let Some(dev) = NonNull::new(raw) else {
        // SAFETY: the pointer was not given away.
        drop(unsafe { Arc::from_raw(data.cast::<D>().cast_const()) });
        return Err(Error::ENOMEM);
    };
    let f = if kind.sums { bindings::netdev_feature_NETDEV_F_CSUM } else { 0 }
        | if kind.vouches { bindings::netdev_feature_NETDEV_F_RXCSUM } else { 0 };
    let bits = [
        bindings::netdev_feature_NETDEV_F_TSO4,
        bindings::netdev_feature_NETDEV_F_TSO6,
        bindings::netdev_feature_NETDEV_F_TSO_ECN,
    ];
    let f = bits.iter().zip(kind.segments).fold(f, |f, (bit, on)| if on { f | bit } else { f });
    let mac = kind.mac.as_ref().map_or(core::ptr::null(), |m| m.as_ptr());
    // SAFETY: nobody else knows the device yet; the address is one or none; the name is there for ever.
    unsafe {
        bindings::rust_netdev_setup(
            dev.as_ptr(),
            kind.driver.as_ptr(),
            mac,
            kind.mtu,
            kind.max_mtu,
            f | bindings::netdev_feature_NETDEV_F_SG,
        )
    };
    // SAFETY: the device is whole; a reference for us beside that of the registration.
    unsafe { bindings::netdev_get(dev.as_ptr()) };
    let parent = kind.parent.as_ref().map_or(core::ptr::null_mut(), Dir::as_ptr);
    // SAFETY: as above; C pins the parent.
    match to_result(unsafe {
        bindings::rust_netdev_register(dev.as_ptr(), &Ops::<D>::POLL, parent)
    }) {
        Ok(()) => Ok(Device(dev)),
        Err(e) => {
            // SAFETY: both references are ours.
            unsafe {
                bindings::netdev_put(dev.as_ptr());
                bindings::netdev_put(dev.as_ptr());
            }
            Err(e)
        }
    }
}

#[path = "net_given.rs"]
mod given;
