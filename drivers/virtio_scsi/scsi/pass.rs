// SPDX-License-Identifier: MIT
//! Commands of programs: SG_IO (scsi(4), the SCSI generic HOWTO). A command goes to its unit as it is, once, and its end is told as it was: status,
//! sense data, what was not transferred. Nothing is tried again.
//!
//! A device never sees memory of a program: data go by memory of the kernel, zeroed at first, which stays the device's until it has
//! answered. So a program that is gone, or that unmaps its buffer, takes nothing away from a device; and one whose device does not answer
//! in time has its command aborted, and comes back when the device has let go of it, or was halted.

use super::core::Address;
use super::filter::{needs, Needs};
use super::header::{way, End, Header, SIZE};
use super::inquiry::Inquiry;
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::alloc::{KSlice, KERNEL};
use kernel::dma::{Dma, Engine};
use kernel::user::{capable, Capability, Sink, UserPtr};
use kernel::{time, Error, Result};

/// Most bytes of a command.
pub const MOST_COMMAND: usize = 32;
/// Most bytes of sense data.
pub const MOST_SENSE: usize = 96;
/// Data lie in pieces of so many bytes.
pub const PIECE: usize = 64 << 10;

/// What a host says of a command, besides its unit.
pub mod host {
    #![allow(missing_docs)]
    pub const OK: u16 = 0;
    pub const NO_CONNECT: u16 = 1;
    pub const BUS_BUSY: u16 = 2;
    pub const TIME_OUT: u16 = 3;
    pub const BAD_TARGET: u16 = 4;
    pub const ABORT: u16 = 5;
    pub const ERROR: u16 = 7;
    pub const RESET: u16 = 8;
    pub const TRANSPORT_DISRUPTED: u16 = 14;
}

/// A command that is to be done.
pub struct Command<'a> {
    /// By which unit.
    pub at: Address,
    /// Itself.
    pub bytes: &'a [u8],
    /// Data go to the device; otherwise they come from it.
    pub write: bool,
    /// Where data are.
    pub data: &'a [Option<Dma>],
    /// How many bytes.
    pub len: u32,
    /// After so many milliseconds it is aborted.
    pub ms: u32,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// One of `host`.
    pub host: u16,
    /// The unit's status.
    pub status: u8,
    /// Sense data; zeroes where there are none.
    pub sense: [u8; MOST_SENSE],
    /// Bytes that were not transferred, `len` at most.
    pub left: u32,
    /// The device has let go of the memory.
    pub released: bool,
}

impl Ended {
    /// One that the unit has not answered.
    pub fn unanswered(host: u16, len: u32, released: bool) -> Ended {
        Ended { host, status: 0, sense: [0; MOST_SENSE], left: len, released }
    }

    /// How many bytes of sense data there are: as many as they say themselves. 0: they are none.
    pub fn sense_len(&self) -> usize {
        let [kind, ..] = self.sense;
        let told = self.sense.get(7).copied().unwrap_or(0);
        if (self.status == 0 && self.host == 0) || !matches!(kind & 0x7f, 0x70..=0x73) {
            return 0;
        }
        (8 + usize::from(told)).min(MOST_SENSE)
    }
}

/// What takes commands of programs to units.
pub trait Carrier: Send + Sync {
    /// Does it, and waits for its end. After an error the device was not told of it: `ENODEV`: the host is gone; `ENOMEM`; `ERESTARTSYS`: a signal came while it waited for room. Sleeps.
    fn pass(&self, c: &Command<'_>) -> Result<Ended>;
    /// The device's way to memory.
    fn engine(&self) -> &Engine;
    /// Most bytes and most pieces of one command.
    fn most(&self) -> (u32, usize);
    /// Takes room for so many bytes of data, of what all commands share. `ENODEV`, `ERESTARTSYS`: as of `pass`. Sleeps.
    fn reserve(&self, n: usize) -> Result;
    /// Gives it back.
    fn give_back(&self, n: usize);
    /// Resets the unit: whether it was. `ENODEV`: the host is gone. Sleeps.
    fn reset(&self, at: Address) -> Result<bool>;
    /// Most bytes of a command itself.
    fn most_command(&self) -> usize;
}

/// A unit that programs give commands to.
pub struct Known {
    /// The number of its host.
    pub host: u32,
    /// Where it is.
    pub at: Address,
    /// What it is.
    pub inquiry: Inquiry,
    // SG_SET_TIMEOUT, in ticks of programs (100 a second); 0: the usual time.
    timeout: AtomicU32,
    reserved: AtomicU32,
}

const USUAL_MS: u32 = 60_000;
const LEAST_MS: u32 = 7_000;
const MOST_PIECES: u16 = 1024;
const MOST_GENERIC: u32 = 256 << 20;
const VERSION: u32 = 30527;
const HOST_NAME: &[u8] = b"Virtio SCSI HBA\0";

// Of SG_SCSI_RESET.
const RESET_NOTHING: i32 = 0;
const RESET_UNIT: i32 = 1;
const NO_ESCALATION: i32 = 0x100;

/// Numbers of ioctls.
pub mod nr {
    #![allow(missing_docs)]
    pub const SET_TIMEOUT: u32 = 0x2201;
    pub const GET_TIMEOUT: u32 = 0x2202;
    pub const EMULATED_HOST: u32 = 0x2203;
    pub const GET_RESERVED_SIZE: u32 = 0x2272;
    pub const SET_RESERVED_SIZE: u32 = 0x2275;
    pub const GET_VERSION_NUM: u32 = 0x2282;
    pub const RESET: u32 = 0x2284;
    pub const IO: u32 = 0x2285;
    pub const GET_IDLUN: u32 = 0x5382;
    pub const PROBE_HOST: u32 = 0x5385;
    pub const GET_BUS_NUMBER: u32 = 0x5386;
}

/// A range of a program's memory.
#[derive(Clone, Copy)]
struct Span {
    at: usize,
    len: usize,
}

/// Where the data of a command are in the program's memory: as many bytes as there are.
fn spans(h: &Header) -> Result<(KSlice<Span>, usize)> {
    let len = h.len as usize;
    if h.pieces == 0 {
        let s = Span { at: h.data as usize, len };
        if !UserPtr::new(s.at).is_range(len) {
            return Err(Error::EFAULT);
        }
        return Ok((KSlice::from_fn(1, KERNEL, |_| s)?, len));
    }
    if h.pieces > MOST_PIECES {
        return Err(Error::EINVAL);
    }
    let mut list = KSlice::from_fn(h.pieces.into(), KERNEL, |_| Span { at: 0, len: 0 })?;
    let mut total = 0;
    for (i, s) in list.iter_mut().enumerate() {
        let mut raw = [[0; 8]; 2];
        UserPtr::new(h.data as usize).plus(16 * i).read(raw.as_flattened_mut())?;
        let [at, bytes] = raw.map(u64::from_ne_bytes);
        if bytes > i64::MAX as u64 {
            return Err(Error::EINVAL);
        }
        if !UserPtr::new(at as usize).is_range(bytes as usize) {
            return Err(Error::EFAULT);
        }
        // The shorter of list and length counts.
        *s = Span { at: at as usize, len: (bytes as usize).min(len - total) };
        total += s.len;
    }
    if total == 0 {
        return Err(Error::EINVAL);
    }
    Ok((list, total))
}

/// Room for a command's data, of what all commands share.
struct Room<'a>(&'a dyn Carrier, usize);

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.give_back(self.1);
    }
}

/// Memory of the kernel for a command's data, in room of type `R` that is given back with it.
pub struct Data<R> {
    room: Option<R>,
    pieces: KSlice<Option<Dma>>,
    list: KSlice<Span>,
    len: usize,
}

const STEP: usize = 4096;

impl<R> Data<R> {
    /// For what `h` says; `nowhere`: data may come from nowhere (zeroes), and go there. `reserve`: takes room for so many bytes. Sleeps.
    pub fn new(
        carrier: &dyn Carrier,
        h: &Header,
        nowhere: bool,
        reserve: impl FnOnce(usize) -> Result<R>,
    ) -> Result<Data<R>> {
        let comes = h.way != way::TO_DEVICE;
        let none = nowhere && h.pieces == 0 && h.data == 0;
        let (list, len) = if h.len == 0 || none {
            (KSlice::from_fn(0, KERNEL, |_| Span { at: 0, len: 0 })?, h.len as usize)
        } else {
            spans(h)?
        };
        // A buffer that cannot take what comes is refused before the command is done.
        if comes && list.iter().any(|s| !UserPtr::new(s.at).is_writable(s.len)) {
            return Err(Error::EFAULT);
        }
        let n = len.div_ceil(PIECE);
        if n > carrier.most().1 {
            return Err(Error::EINVAL);
        }
        let room = if n == 0 { None } else { Some(reserve(n * PIECE)?) };
        let mut pieces = KSlice::from_fn(n, KERNEL, |_| None)?;
        for (i, place) in pieces.iter_mut().enumerate() {
            *place = Some(Dma::alloc(carrier.engine(), PIECE.min(len - i * PIECE))?);
        }
        let data = Data { room, pieces, list, len };
        // Also where data come: what the device does not write, though it says that it did, stays as it was.
        match data.copy(len, false) {
            Ok(()) => Ok(data),
            Err(e) => {
                data.done(); // the device was not told of it
                Err(e)
            }
        }
    }

    /// The memory, and how many bytes of it are data.
    pub fn parts(&self) -> (&[Option<Dma>], u32) {
        (&self.pieces, self.len as u32)
    }

    /// It lies in other room from now on.
    pub fn move_to(&mut self, other: impl FnOnce(usize) -> R) {
        if self.room.is_some() {
            self.room = Some(other(self.pieces.len() * PIECE));
        }
    }

    /// Copies the first `bytes` to where a read puts them.
    pub fn sink(&self, to: &mut Sink<'_>, bytes: usize) -> Result {
        let mut room = KSlice::from_fn(STEP.min(bytes.max(1)), KERNEL, |_| 0u8)?;
        let bytes = bytes.min(self.len);
        let mut at = 0;
        while at < bytes {
            let n = STEP.min(PIECE - at % PIECE).min(bytes - at);
            let Some(Some(ours)) = self.pieces.get(at / PIECE) else { return Err(Error::EIO) };
            let some = room.get_mut(..n).unwrap_or(&mut []);
            ours.copy_out(at % PIECE, some);
            if to.write(some)? != n {
                return Err(Error::EFAULT);
            }
            at += n;
        }
        Ok(())
    }

    /// Copies the first `bytes` between the program's memory and ours; `to`: to the program's.
    fn copy(&self, bytes: usize, to: bool) -> Result {
        let mut room = KSlice::from_fn(STEP.min(bytes.max(1)), KERNEL, |_| 0u8)?;
        let mut at = 0;
        for s in self.list.iter() {
            let mut done = 0;
            while done < s.len && at < bytes {
                let n = STEP.min(s.len - done).min(PIECE - at % PIECE).min(bytes - at);
                let theirs = UserPtr::new(s.at).plus(done);
                let Some(Some(ours)) = self.pieces.get(at / PIECE) else { return Err(Error::EIO) };
                let some = room.get_mut(..n).unwrap_or(&mut []);
                if to {
                    ours.copy_out(at % PIECE, some);
                    theirs.write(some)?;
                } else {
                    theirs.read(some)?;
                    ours.copy_in(at % PIECE, some);
                }
                done += n;
                at += n;
            }
        }
        Ok(())
    }

    /// The device has let go of it.
    pub fn done(mut self) {
        for d in self.pieces.iter_mut().filter_map(Option::take) {
            d.done();
        }
    }
}

/// Whether the caller may give that command.
fn allowed(code: u8, write: bool) -> bool {
    match needs(code) {
        Needs::Open => true,
        Needs::Write if write => true,
        _ => capable(Capability::SysRawio),
    }
}

/// Looks at what is asked for, and fetches the command, in Linux's order for block devices: its bytes, how many.
fn command_of_block(h: &Header, most: u32, write: bool) -> Result<([u8; MOST_COMMAND], usize)> {
    if h.interface != i32::from(b'S') {
        return Err(Error::EINVAL);
    }
    if h.len > most {
        return Err(Error::EIO);
    }
    if h.len != 0 && !matches!(h.way, way::TO_DEVICE | way::FROM_DEVICE | way::TO_FROM_DEVICE) {
        return Err(Error::EINVAL);
    }
    let n = usize::from(h.command_len);
    if n > MOST_COMMAND {
        return Err(Error::EINVAL);
    }
    if n < 6 {
        return Err(Error::EMSGSIZE);
    }
    let mut c = [0; MOST_COMMAND];
    UserPtr::new(h.command as usize).read(c.get_mut(..n).unwrap_or(&mut []))?;
    let [code, ..] = c;
    if allowed(code, write) {
        Ok((c, n))
    } else {
        Err(Error::EPERM)
    }
}

const MMAP_IO: u32 = 4;

/// The same for generic devices; `free`: whatever the command, no right is asked for. Without a way of its data it has none.
pub fn command_of_generic(
    h: &mut Header,
    write: bool,
    free: bool,
) -> Result<([u8; MOST_COMMAND], usize)> {
    if h.interface != i32::from(b'S') || h.flags & MMAP_IO != 0 {
        return Err(Error::ENOSYS);
    }
    let n = usize::from(h.command_len);
    if h.command == 0 || !(6..=252).contains(&n) {
        return Err(Error::EMSGSIZE);
    }
    let mut c = [0; 252];
    UserPtr::new(h.command as usize).read(c.get_mut(..n).unwrap_or(&mut []))?;
    let [code, ..] = c;
    if !free && !allowed(code, write) {
        return Err(Error::EPERM);
    }
    if h.len >= MOST_GENERIC || n > MOST_COMMAND {
        return Err(Error::EINVAL);
    }
    if h.way == way::NONE {
        h.len = 0;
    }
    c.first_chunk().map(|c| (*c, n)).ok_or(Error::EINVAL)
}

fn timeout(unit: &Known, asked: u32) -> u32 {
    match asked {
        0 => match unit.timeout.load(Ordering::Relaxed) {
            0 => USUAL_MS,
            ticks => ticks.saturating_mul(10).max(LEAST_MS),
        },
        ms => ms.max(LEAST_MS),
    }
}

/// SG_IO of a block device, open for writing or not, with the structure at `arg`. Sleeps.
pub fn io(carrier: &dyn Carrier, unit: &Known, write: bool, arg: UserPtr) -> Result {
    let mut raw = [0; SIZE];
    arg.read(&mut raw)?;
    let h = Header::decode(&raw);
    let (command, n) = command_of_block(&h, carrier.most().0, write)?;
    let end = carried(carrier, unit, &h, command.get(..n).unwrap_or(&[]))?;
    end.encode(&mut raw);
    arg.write(&raw)
}

fn carried(carrier: &dyn Carrier, unit: &Known, h: &Header, bytes: &[u8]) -> Result<End> {
    let data = Data::new(carrier, h, false, |n| {
        carrier.reserve(n)?;
        Ok(Room(carrier, n))
    })?;
    let (pieces, len) = data.parts();
    let begin = time::now_ns();
    let e = if bytes.len() > carrier.most_command() {
        Ended::unanswered(host::ABORT, len, true)
    } else {
        let (write, ms) = (h.way == way::TO_DEVICE, timeout(unit, h.timeout));
        let c = Command { at: unit.at, bytes, write, data: pieces, len, ms };
        match carrier.pass(&c) {
            Ok(e) => e,
            Err(e) => {
                data.done(); // the device was not told of it
                return Err(e);
            }
        }
    };
    let end = conclude(h, &data, &e, milliseconds(begin));
    if e.released {
        data.done();
    }
    end
}

/// How long it is since `begin`.
pub fn milliseconds(begin: u64) -> u32 {
    ((time::now_ns() - begin) / 1_000_000).min(u64::from(u32::MAX)) as u32
}

/// Gives the program what came of its command: data, sense data. Sleeps.
pub fn conclude<R>(h: &Header, data: &Data<R>, e: &Ended, duration: u32) -> Result<End> {
    let sense_len = if h.sense == 0 { 0 } else { e.sense_len().min(h.sense_room.into()) };
    let sense = e.sense.get(..sense_len).unwrap_or(&[]);
    let mut copied = UserPtr::new(h.sense as usize).write(sense);
    if h.way != way::TO_DEVICE {
        let len = data.len as u32;
        let got = len - e.left.min(len);
        copied = copied.and(data.copy(got as usize, true));
    }
    copied.map(|()| End {
        status: e.status,
        sense_len: sense_len as u8,
        host: e.host,
        left: e.left,
        duration,
    })
}

fn give(arg: usize, v: u32) -> Result<u32> {
    UserPtr::new(arg).write(&v.to_ne_bytes()).map(|()| 0)
}

fn take(arg: usize) -> Result<i32> {
    let mut b = [0; 4];
    UserPtr::new(arg).read(&mut b).map(|()| i32::from_ne_bytes(b))
}

impl Known {
    /// A unit behind host `host`.
    pub fn new(host: u32, at: Address, inquiry: Inquiry) -> Known {
        let (timeout, reserved) = (AtomicU32::new(0), AtomicU32::new(u32::MAX));
        Known { host, at, inquiry, timeout, reserved }
    }

    /// SG_SCSI_RESET: nothing, or the unit. More than that the host cannot reset.
    fn reset(&self, carrier: &dyn Carrier, arg: usize) -> Result<u32> {
        if !capable(Capability::SysAdmin) || !capable(Capability::SysRawio) {
            return Err(Error::EACCES);
        }
        match take(arg)? & !NO_ESCALATION {
            RESET_NOTHING => Ok(0),
            RESET_UNIT if carrier.reset(self.at)? => Ok(0),
            _ => Err(Error::EIO),
        }
    }

    /// What SCSI_IOCTL_PROBE_HOST writes: as much of the host's name as there is room for.
    fn probe(arg: usize) -> Result<u32> {
        if arg != 0 {
            let room = take(arg)? as u32 as usize;
            UserPtr::new(arg).write(HOST_NAME.get(..room).unwrap_or(HOST_NAME))?;
        }
        Ok(1)
    }

    /// An ioctl of a block device, open for writing or not, or one that generic devices have in common with them. `EINVAL`: another, as Linux
    /// says it of SCSI disks. Sleeps.
    pub fn ioctl(&self, carrier: &dyn Carrier, write: bool, cmd: u32, arg: usize) -> Result<u32> {
        let most = carrier.most().0;
        match cmd {
            nr::IO => io(carrier, self, write, UserPtr::new(arg)).map(|()| 0),
            nr::GET_VERSION_NUM => give(arg, VERSION),
            nr::EMULATED_HOST => give(arg, 1),
            nr::SET_TIMEOUT => {
                self.timeout.store(take(arg)? as u32, Ordering::Relaxed);
                Ok(0)
            }
            nr::GET_TIMEOUT => Ok(self.timeout.load(Ordering::Relaxed)),
            nr::GET_RESERVED_SIZE => give(arg, self.reserved.load(Ordering::Relaxed).min(most)),
            nr::SET_RESERVED_SIZE => {
                let size = u32::try_from(take(arg)?).map_err(|_| Error::EINVAL)?;
                self.reserved.store(size.min(most), Ordering::Relaxed);
                Ok(0)
            }
            nr::GET_IDLUN => {
                let lun = u32::from(self.at.lun & 0xff);
                let id = u32::from(self.at.target) | lun << 8 | (self.host & 0xff) << 24;
                let mut both = [0; 8];
                both.iter_mut().zip(id.to_ne_bytes()).for_each(|(to, b)| *to = b);
                UserPtr::new(arg).write(&both).map(|()| 0)
            }
            nr::GET_BUS_NUMBER => give(arg, self.host),
            nr::RESET => self.reset(carrier, arg),
            nr::PROBE_HOST => Self::probe(arg),
            _ => Err(Error::EINVAL),
        }
    }
}
