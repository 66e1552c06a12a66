// SPDX-License-Identifier: MIT
//! Generic devices: /dev/sgN for each unit of a host, whatever its type (the SCSI generic HOWTO, sg(4)). Commands go the way of SG_IO of disks
//! (`crate::scsi::pass`); what a file has of its own is here.
//!
//! A device with open files outlives its unit, and keeps its number. Calls that reach the host pass a gate: when the unit goes the gate is closed,
//! later calls say ENODEV, and the unit's end waits for those that run, and takes the host away from the
//! files. The host ends them first, where it goes itself.

use super::Host;
use crate::scsi::inquiry::SCANNER;
use crate::scsi::pass::{nr, By, Carrier, Known};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use kernel::alloc::Arc;
use kernel::chrdev::Access;
use kernel::node::{Device, Registration};
use kernel::sync::SpinLockIrq;
use kernel::user::UserPtr;
use kernel::wait::WaitQueue;
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

/// Calls that reach the host.
struct Gate {
    closed: AtomicBool,
    inside: AtomicU32,
    left: WaitQueue,
}

/// One of them.
struct Inside<'a>(&'a Gate);

impl Gate {
    /// `ENODEV`: it is closed.
    fn enter(&self) -> Result<Inside<'_>> {
        // With close(): it sees the call, or the call sees that the gate is closed.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(self);
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::ENODEV); // and leaves
        }
        Ok(inside)
    }

    /// No call enters any more, and none is inside. Sleeps.
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.left.wait(|| self.inside.load(Ordering::SeqCst) == 0);
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
struct Node {
    number: Number,
    // None: the unit went. Used within the gate alone.
    host: SpinLockIrq<Option<Arc<Host>>>,
    known: Known,
    // Commands at a time; bytes and pieces of one.
    depth: u32,
    most: (u32, usize),
    gate: Gate,
    opens: SpinLockIrq<Opens>,
    closed: WaitQueue,
    debug: AtomicI32,
}

/// Most commands of a file at a time.
const MOST_COMMANDS: u32 = 16;
const VERSION: u32 = 30536;
const USUAL_TICKS: u32 = 6000; // 100 a second
const USUAL_RESERVED: u32 = 32 << 10;
// Of a command that says none.
const USUAL_MS: u32 = 30_000;
const MOST_COMMAND: i32 = 252;

/// An open file.
struct File {
    node: Arc<Node>,
    exclusive: bool,
    how: Access,
    ticks: AtomicU32,
    reserved: AtomicU32,
    next_command: AtomicI32,
    queues: AtomicBool,
    keeps_orphans: AtomicBool,
    pack_ids: AtomicBool,
    commands: AtomicU32,
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
}

impl Device for Node {
    type File = File;

    fn open(node: &Arc<Node>, how: Access) -> Result<File> {
        let exclusive = how.exclusive();
        if exclusive && !how.write() {
            return Err(Error::EPERM);
        }
        if node.gate.closed.load(Ordering::SeqCst) {
            return Err(Error::ENXIO);
        }
        if !node.count(exclusive) {
            if how.nonblock() {
                return Err(Error::EBUSY);
            }
            let mut counted = false;
            node.closed.wait_interruptible(|| {
                counted = node.count(exclusive);
                counted || node.gate.closed.load(Ordering::SeqCst)
            })?;
            if !counted {
                return Err(Error::ENXIO);
            }
        }
        Ok(File {
            node: node.clone(),
            exclusive,
            how,
            ticks: AtomicU32::new(USUAL_TICKS),
            reserved: AtomicU32::new(USUAL_RESERVED),
            next_command: AtomicI32::new(0),
            queues: AtomicBool::new(false),
            keeps_orphans: AtomicBool::new(false),
            pack_ids: AtomicBool::new(false),
            commands: AtomicU32::new(0),
        })
    }

    fn ioctl(file: &File, cmd: u32, arg: usize) -> Result<u32> {
        file.ioctl(cmd, arg)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        {
            let mut o = self.node.opens.lock();
            o.files -= 1;
            if self.exclusive {
                o.exclusive = false;
            }
        }
        self.node.closed.wake_all();
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

/// One of a file's commands.
struct Turn<'a>(&'a AtomicU32);

impl<'a> Turn<'a> {
    fn take(n: &'a AtomicU32) -> Result<Turn<'a>> {
        let more = |n: u32| (n < MOST_COMMANDS).then_some(n + 1);
        n.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).map_err(|_| Error::EDOM)?;
        Ok(Turn(n))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
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
    pub const NEXT_CMD_LEN: u32 = 0x2283;
    pub const SET_KEEP_ORPHAN: u32 = 0x2287;
    pub const GET_KEEP_ORPHAN: u32 = 0x2288;
    pub const GET_ACCESS_COUNT: u32 = 0x2289;
    pub const SECTORS: u32 = 0x1267; // BLKSECTGET
}

impl File {
    fn free(&self) -> bool {
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
            own::SET_COMMAND_Q => set(&self.queues, arg),
            own::GET_COMMAND_Q => give(arg, self.queues.load(Ordering::Relaxed).into()),
            own::SET_KEEP_ORPHAN => set(&self.keeps_orphans, arg),
            own::GET_KEEP_ORPHAN => give(arg, self.keeps_orphans.load(Ordering::Relaxed).into()),
            own::SET_FORCE_PACK_ID => set(&self.pack_ids, arg),
            // No command waits to be read: those of SG_IO never do.
            own::GET_PACK_ID => give(arg, u32::MAX),
            own::GET_NUM_WAITING => give(arg, 0),
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
        let _inside = node.gate.enter()?;
        let host = node.host.lock().clone().ok_or(Error::ENODEV)?;
        if host.is_dead() {
            return Err(Error::ENODEV);
        }
        if cmd == own::GET_SCSI_ID {
            return self.id(arg);
        }
        if cmd == nr::EMULATED_HOST {
            return give(arg, 0);
        }
        let _turn = if cmd == nr::IO { Some(Turn::take(&self.commands)?) } else { None };
        let by = By::Generic(self.how.write(), self.free(), USUAL_MS);
        node.known.ioctl(&*host, by, cmd, arg)
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
            opens: SpinLockIrq::new(Opens { files: 0, exclusive: false }),
            closed: WaitQueue::new()?,
            debug: AtomicI32::new(0),
        })?;
        let n = node.number.0;
        let registration =
            Registration::new(format_args!("sg{n}"), (MAJOR, n), 0o660, node.clone())?;
        Ok(Generic { node, registration: Some(registration) })
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.node.number.0
    }
}

impl Drop for Generic {
    /// The unit goes: no file is opened any more, no call reaches the host. Waits for those that run. Sleeps.
    fn drop(&mut self) {
        drop(self.registration.take());
        self.node.gate.close();
        let host = self.node.host.lock().take();
        drop(host);
        self.node.closed.wake_all();
    }
}
