// SPDX-License-Identifier: MIT
//! Generic devices: /dev/sgN for each unit of a host, whatever its type (the SCSI generic HOWTO, sg(4)). Commands go the way of SG_IO of disks
//! (`crate::scsi::pass`); what a file has of its own is here.
//!
//! A device with open files outlives its unit, and keeps its number. Calls that reach the host pass a gate, and commands in flight (`sg_queue.rs`) are within it: when the unit goes the gate is closed,
//! later calls say ENODEV, and the unit's end waits for those that run, and takes the host away from the
//! files. The host ends them first, where it goes itself.

use super::sg_queue::{Flights, Queue};
use super::{Host, Later};
use crate::scsi::inquiry::SCANNER;
use crate::scsi::pass::{nr, Carrier, Known};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::chrdev::{Access, Listeners};
use kernel::node::{Device, Registration};
use kernel::sync::SpinLockIrq;
use kernel::tree::{Entry, Map};
use kernel::user::{Sink, Source, UserPtr};
use kernel::wait::WaitQueue;
use kernel::work::{DelayedWork, Work};
use kernel::{Error, Result};

/// The major of all of them.
pub const MAJOR: u32 = 21;
/// How many there can be.
pub const MOST: u32 = 32768;
const WORDS: usize = MOST as usize / 64;
// A bit for each number that is taken.
static TAKEN: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

/// Which one it is; the number is free again when this goes.
struct Number(u32);

impl Number {
    /// The lowest that is free.
    fn take() -> Result<Number> {
        for (i, word) in TAKEN.iter().enumerate() {
            let mut bits = word.load(Ordering::Relaxed);
            while bits != u64::MAX {
                let bit = bits.trailing_ones();
                let was = word.fetch_or(1 << bit, Ordering::AcqRel);
                if was & 1 << bit == 0 {
                    return Ok(Number(64 * i as u32 + bit));
                }
                bits = was;
            }
        }
        Err(Error::ENOSPC)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        if let Some(word) = TAKEN.get(self.0 as usize / 64) {
            word.fetch_and(!(1 << (self.0 % 64)), Ordering::AcqRel);
        }
    }
}

/// Calls that reach the host, and commands in flight.
pub struct Gate {
    closed: AtomicBool,
    inside: AtomicU32,
    left: WaitQueue,
}

/// One of them.
pub struct Inside<'a>(&'a Gate);

impl Gate {
    /// `ENODEV`: it is closed.
    pub fn enter(&self) -> Result<Inside<'_>> {
        // With close(): it sees the call, or the call sees that the gate is closed.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(self);
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::ENODEV); // and leaves
        }
        Ok(inside)
    }

    /// No call enters any more.
    fn shut(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether that was said.
    pub fn is_shut(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// None is inside. Sleeps.
    fn clear(&self) {
        self.left.wait(|| self.inside.load(Ordering::SeqCst) == 0);
    }
}

impl Inside<'_> {
    /// A command stays inside until `leave`.
    pub fn stay(self) {
        core::mem::forget(self);
    }
}

impl Gate {
    /// A command that stayed goes.
    fn leave(&self) {
        drop(Inside(self));
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if self.0.inside.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.closed.load(Ordering::SeqCst)
        {
            self.0.left.wake_all();
        }
    }
}

/// Who has a device open.
#[derive(Clone, Copy)]
struct Opens {
    files: u32,
    // By one with O_EXCL, and by nobody else.
    exclusive: bool,
}

/// A device.
pub struct Node {
    number: Number,
    // None: the unit went. Used within the gate alone.
    host: SpinLockIrq<Option<Arc<Host>>>,
    /// The unit.
    pub known: Known,
    // Commands at a time; bytes and pieces of one.
    depth: u32,
    most: (u32, usize),
    /// Who reaches the host.
    pub gate: Gate,
    /// What is in flight.
    pub flights: Flights,
    // Of open files: they hear of the unit's end.
    queues: SpinLockIrq<Map<u64, Arc<Queue>>>,
    last: AtomicU64,
    opens: SpinLockIrq<Opens>,
    closed: WaitQueue,
    debug: AtomicI32,
}

const VERSION: u32 = 30536;
const USUAL_TICKS: u32 = 6000; // 100 a second
const USUAL_RESERVED: u32 = 32 << 10;
const MOST_COMMAND: i32 = 252;

/// An open file.
pub struct File {
    /// Its device.
    pub node: Arc<Node>,
    exclusive: bool,
    /// How it was opened.
    pub how: Access,
    /// SG_SET_TIMEOUT.
    pub ticks: AtomicU32,
    reserved: AtomicU32,
    /// SG_NEXT_CMD_LEN; 0: nothing was said.
    pub next_command: AtomicI32,
    /// SG_SET_FORCE_PACK_ID.
    pub pack_ids: AtomicBool,
    /// Its commands.
    pub queue: Arc<Queue>,
    serial: u64,
}

impl Node {
    /// Whether another file may be opened now; if so it is counted.
    fn count(&self, exclusive: bool) -> bool {
        let mut o = self.opens.lock();
        if o.exclusive || (exclusive && o.files != 0) {
            return false;
        }
        o.files += 1;
        o.exclusive = exclusive;
        true
    }

    /// The host. `ENODEV`: it is gone. Within the gate.
    pub fn host(&self) -> Result<Arc<Host>> {
        let host = self.host.lock().clone().ok_or(Error::ENODEV)?;
        if host.is_dead() {
            return Err(Error::ENODEV);
        }
        Ok(host)
    }

    /// Takes what has ended, or should have.
    fn land(&self) {
        self.flights.land(|| self.host.lock().clone(), || self.gate.leave());
    }

    /// All open files look again.
    fn tell_all(&self) {
        let mut at = 0;
        loop {
            let next = self.queues.lock().from(&at).map(|(k, q)| (*k, q.clone()));
            let Some((serial, queue)) = next else { return };
            queue.tell();
            at = serial + 1;
        }
    }

    /// A queue for a file, which hears of the unit's end.
    fn add_queue(&self) -> Result<(u64, Arc<Queue>)> {
        let queue = Queue::new()?;
        let serial = self.last.fetch_add(1, Ordering::Relaxed);
        let entry = Entry::new(serial, queue.clone(), KERNEL)?;
        let other = self.queues.lock().insert(entry); // none: its number is its own
        drop(other);
        Ok((serial, queue))
    }

    fn remove_queue(&self, serial: u64) {
        let entry = self.queues.lock().remove(&serial);
        drop(entry);
    }

    /// One with O_EXCL, or another, is open no more.
    fn uncount(&self, exclusive: bool) {
        {
            let mut o = self.opens.lock();
            o.files -= 1;
            if exclusive {
                o.exclusive = false;
            }
        }
        self.closed.wake_all();
    }
}

impl Device for Node {
    type File = File;

    fn open(node: &Arc<Node>, how: Access) -> Result<File> {
        let exclusive = how.exclusive();
        if exclusive && !how.write() {
            return Err(Error::EPERM);
        }
        if node.gate.is_shut() {
            return Err(Error::ENXIO);
        }
        if !node.count(exclusive) {
            if how.nonblock() {
                return Err(Error::EBUSY);
            }
            let mut counted = false;
            node.closed.wait_interruptible(|| {
                counted = node.count(exclusive);
                counted || node.gate.is_shut()
            })?;
            if !counted {
                return Err(Error::ENXIO);
            }
        }
        let (serial, queue) = node.add_queue().inspect_err(|_| node.uncount(exclusive))?;
        Ok(File {
            node: node.clone(),
            exclusive,
            how,
            ticks: AtomicU32::new(USUAL_TICKS),
            reserved: AtomicU32::new(USUAL_RESERVED),
            next_command: AtomicI32::new(0),
            pack_ids: AtomicBool::new(false),
            queue,
            serial,
        })
    }

    fn ioctl(file: &File, cmd: u32, arg: usize) -> Result<u32> {
        file.ioctl(cmd, arg)
    }

    fn read(file: &File, to: &mut Sink<'_>, how: Access) -> Result<usize> {
        file.read(to, how)
    }

    fn write(file: &File, from: &mut Source<'_>, how: Access) -> Result<usize> {
        file.write(from, how)
    }

    fn polled(file: &File) -> Option<&WaitQueue> {
        Some(&file.queue.changed)
    }

    fn poll(file: &File) -> u32 {
        file.poll()
    }

    fn listeners(file: &File) -> Option<&Listeners> {
        Some(&file.queue.listeners)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.node.remove_queue(self.serial);
        self.queue.close();
        self.node.uncount(self.exclusive);
    }
}

fn give(arg: usize, v: u32) -> Result<u32> {
    UserPtr::new(arg).write(&v.to_ne_bytes()).map(|()| 0)
}

fn take(arg: usize) -> Result<i32> {
    let mut b = [0; 4];
    UserPtr::new(arg).read(&mut b).map(|()| i32::from_ne_bytes(b))
}

fn set(place: &AtomicBool, arg: usize) -> Result<u32> {
    place.store(take(arg)? != 0, Ordering::Relaxed);
    Ok(0)
}

/// Ioctls that only generic devices have.
mod own {
    #![allow(missing_docs)]
    pub const SET_FORCE_LOW_DMA: u32 = 0x2279;
    pub const GET_LOW_DMA: u32 = 0x227a;
    pub const GET_COMMAND_Q: u32 = 0x2270;
    pub const SET_COMMAND_Q: u32 = 0x2271;
    pub const GET_SCSI_ID: u32 = 0x2276;
    pub const SET_FORCE_PACK_ID: u32 = 0x227b;
    pub const GET_PACK_ID: u32 = 0x227c;
    pub const GET_NUM_WAITING: u32 = 0x227d;
    pub const SET_DEBUG: u32 = 0x227e;
    pub const GET_SG_TABLESIZE: u32 = 0x227f;
    pub const GET_REQUEST_TABLE: u32 = 0x2286;
    pub const NEXT_CMD_LEN: u32 = 0x2283;
    pub const SET_KEEP_ORPHAN: u32 = 0x2287;
    pub const GET_KEEP_ORPHAN: u32 = 0x2288;
    pub const GET_ACCESS_COUNT: u32 = 0x2289;
    pub const SECTORS: u32 = 0x1267; // BLKSECTGET
}

impl File {
    /// Any command may be given by it.
    pub fn free(&self) -> bool {
        (self.how.read() && self.how.write()) || self.node.known.inquiry.kind == SCANNER
    }

    fn ioctl(&self, cmd: u32, arg: usize) -> Result<u32> {
        let most = self.node.most.0;
        match cmd {
            nr::IO
            | nr::EMULATED_HOST
            | nr::GET_IDLUN
            | nr::PROBE_HOST
            | nr::GET_BUS_NUMBER
            | nr::RESET
            | own::GET_SCSI_ID => self.of_unit(cmd, arg),
            nr::GET_VERSION_NUM => give(arg, VERSION),
            nr::SET_TIMEOUT => {
                let ticks = u32::try_from(take(arg)?).map_err(|_| Error::EIO)?;
                self.ticks.store(ticks, Ordering::Relaxed);
                Ok(0)
            }
            nr::GET_TIMEOUT => Ok(self.ticks.load(Ordering::Relaxed)),
            nr::GET_RESERVED_SIZE => give(arg, self.reserved.load(Ordering::Relaxed).min(most)),
            nr::SET_RESERVED_SIZE => {
                let size = u32::try_from(take(arg)?).map_err(|_| Error::EINVAL)?;
                self.reserved.store(size.min(most), Ordering::Relaxed);
                Ok(0)
            }
            own::SET_FORCE_LOW_DMA => Ok(0),
            own::GET_LOW_DMA => give(arg, 0),
            own::SET_COMMAND_Q => set(&self.queue.queues, arg),
            own::GET_COMMAND_Q => give(arg, self.queue.queues.load(Ordering::Relaxed).into()),
            own::SET_KEEP_ORPHAN => set(&self.queue.keeps_orphans, arg),
            own::GET_KEEP_ORPHAN => {
                give(arg, self.queue.keeps_orphans.load(Ordering::Relaxed).into())
            }
            own::SET_FORCE_PACK_ID => set(&self.pack_ids, arg),
            own::GET_PACK_ID => give(arg, self.queue.waiting().1 as u32),
            own::GET_NUM_WAITING => give(arg, self.queue.waiting().0),
            own::GET_REQUEST_TABLE => {
                UserPtr::new(arg).write(self.queue.table().as_flattened()).map(|()| 0)
            }
            own::GET_SG_TABLESIZE => give(arg, self.node.most.1 as u32),
            own::NEXT_CMD_LEN => {
                let n = take(arg)?;
                if n > MOST_COMMAND {
                    return Err(Error::ENOMEM);
                }
                self.next_command.store(n.max(0), Ordering::Relaxed);
                Ok(0)
            }
            own::GET_ACCESS_COUNT => give(arg, 1),
            own::SET_DEBUG => {
                self.node.debug.store(take(arg)?, Ordering::Relaxed);
                Ok(0)
            }
            own::SECTORS => give(arg, most),
            _ if !(self.how.read() && self.how.write()) => Err(Error::EPERM),
            _ => Err(Error::EINVAL),
        }
    }

    /// One that reaches the unit. `ENODEV`: it went.
    fn of_unit(&self, cmd: u32, arg: usize) -> Result<u32> {
        let node = &self.node;
        if cmd == nr::IO {
            return self.io(UserPtr::new(arg)).map(|()| 0);
        }
        let _inside = node.gate.enter()?;
        let host = node.host()?;
        if cmd == own::GET_SCSI_ID {
            return self.id(arg);
        }
        if cmd == nr::EMULATED_HOST {
            return give(arg, 0);
        }
        node.known.ioctl(&*host, self.how.write(), cmd, arg)
    }

    /// Host, channel, target, unit, type, and how many commands: in 32 bytes.
    fn id(&self, arg: usize) -> Result<u32> {
        let (k, depth) = (&self.node.known, self.node.depth);
        let words = [
            k.host,
            0,
            k.at.target.into(),
            k.at.lun.into(),
            k.inquiry.kind.into(),
            depth & 0xffff | depth << 16,
            0,
            0,
        ];
        UserPtr::new(arg).write(words.map(u32::to_ne_bytes).as_flattened()).map(|()| 0)
    }
}

/// The device of a unit that is there. Dropped, it goes, and what is open says ENODEV.
pub struct Generic {
    node: Arc<Node>,
    registration: Option<Registration>,
}

impl Generic {
    /// Adds one. Sleeps.
    pub fn new(host: &Arc<Host>, known: Known, depth: u32) -> Result<Generic> {
        let node = Arc::new(Node {
            number: Number::take()?,
            host: SpinLockIrq::new(Some(host.clone())),
            known,
            depth,
            most: host.most(),
            gate: Gate {
                closed: AtomicBool::new(false),
                inside: AtomicU32::new(0),
                left: WaitQueue::new()?,
            },
            flights: Flights::new()?,
            queues: SpinLockIrq::new(Map::new()),
            last: AtomicU64::new(1),
            opens: SpinLockIrq::new(Opens { files: 0, exclusive: false }),
            closed: WaitQueue::new()?,
            debug: AtomicI32::new(0),
        })?;
        let (now, late) = (node.clone(), node.clone());
        let now: KBox<dyn Later> = KBox::new(Work::new(move || now.land())?, KERNEL)?;
        let late: KBox<dyn Later> = KBox::new(DelayedWork::new(move || late.land())?, KERNEL)?;
        node.flights.start(now, late);
        let n = node.number.0;
        // Where that fails, its drop ends the work, which has the node.
        let mut generic = Generic { node, registration: None };
        let registration =
            Registration::new(format_args!("sg{n}"), (MAJOR, n), 0o660, generic.node.clone())?;
        generic.registration = Some(registration);
        Ok(generic)
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.node.number.0
    }
}

impl Drop for Generic {
    /// The unit goes: no file is opened any more, no call reaches the host. Waits for those that run, and for what is in flight. Sleeps.
    fn drop(&mut self) {
        drop(self.registration.take());
        self.node.gate.shut();
        self.node.tell_all();
        self.node.gate.clear();
        self.node.flights.end();
        let host = self.node.host.lock().take();
        drop(host);
        self.node.closed.wake_all();
    }
}
