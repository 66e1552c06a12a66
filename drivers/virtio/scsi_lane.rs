// SPDX-License-Identifier: MIT
//! A request queue of the virtio SCSI host: the requests of all its disks, those that wait for room in the ring or for another try, and what
//! the device says of them. What it says is read once and checked: a response that is too short, more sense data than there is room for, more
//! bytes that it left out than there were.

use super::queue::{Piece, Queue};
use crate::scsi::cdb::Cdb;
use crate::scsi::core::{Address, Answer};
use crate::scsi::disk::{Extra, Unit};
use crate::scsi::sense;
use crate::scsi::verdict::{judge, status, Carried, Verdict, RETRIES};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::alloc::{Arc, KSlice, KERNEL};
use kernel::block::{self, InFlight, Lent, Op, Request};
use kernel::dma::{Dma, Engine};
use kernel::wait::Completion;
use kernel::{time, Error, Result};

/// Requests of a disk in a queue.
pub const DEPTH: usize = 64;
/// The token of the command that somebody waits for.
pub const WAITED: u16 = u16::MAX;
/// Most disks: each has DEPTH tokens.
pub const MOST_DISKS: usize = WAITED as usize / DEPTH;

// Beside each request: what goes to the device, what comes back, a list of parameters.
pub const SLOT: usize = 256;
const CDB: usize = 19;
pub const MOST_CDB: usize = 32;
pub const ANSWER: usize = 64;
const SENSE: usize = 12; // within the answer
pub const MOST_SENSE: usize = 128;
const LIST: usize = 208;
// A request is tried again, later, for so long.
const MOST_NS: u64 = 180_000_000_000;

/// Sizes that the device and we agree on.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub cdb: usize,
    pub sense: usize,
}

impl Sizes {
    fn request(self) -> u32 {
        (CDB + self.cdb) as u32
    }

    pub fn answer(self) -> u32 {
        (SENSE + self.sense) as u32
    }
}

/// Writes the request at `at`: the two pieces that carry it and its answer. The answer is none yet.
pub fn write_request(
    slots: &Dma,
    at: usize,
    sizes: Sizes,
    unit: Address,
    token: u16,
    cdb: &Cdb,
) -> Result<(Piece, Piece)> {
    let [high, low] = unit.lun.to_be_bytes();
    slots.write32(at, u32::from_le_bytes([1, unit.target, 0x40 | high & 0x3f, low]));
    slots.write32(at + 4, 0);
    slots.write64(at + 8, u64::from(token) + 1);
    let mut tail = [0; CDB + MOST_CDB - 16]; // of no priority, in any order
    tail.iter_mut().skip(CDB - 16).zip(cdb.bytes()).for_each(|(to, b)| *to = *b);
    slots.copy_in(at + 16, &tail);
    slots.write32(at + ANSWER, 0);
    slots.write32(at + ANSWER + 4, 0);
    slots.write32(at + ANSWER + 8, u32::MAX); // no status, no response
    let piece = |off, len: u32, writable| {
        slots.segment(off, len as usize).map(|mem| Piece { mem, writable })
    };
    Ok((piece(at, sizes.request(), false)?, piece(at + ANSWER, sizes.answer(), true)?))
}

/// What the device answered at `at` to a command about `total` bytes, having written `written`. For one that reads, fewer bytes than it claims
/// to have given are none.
pub fn read_answer(
    slots: &Dma,
    at: usize,
    sizes: Sizes,
    total: u32,
    reads: bool,
    written: u32,
) -> Answer {
    let word = |off| slots.read32(at + ANSWER + off).unwrap_or(u32::MAX);
    let (sense_len, left, end) = (word(0) as usize, word(4).min(total), word(8));
    let [_, _, status, response] = end.to_le_bytes();
    let failed = Answer { carried: Carried::Failed, status: 0, sense: None, got: 0 };
    let got = total - left;
    if written < SENSE as u32
        || (response == 0
            && status == status::GOOD
            && reads
            && u64::from(written) < u64::from(sizes.answer()) + u64::from(got))
    {
        return failed;
    }
    let carried = match response {
        0 => Carried::Ok,
        3 | 7 => Carried::Nowhere,
        5 => Carried::Busy,
        1 | 4 | 6 | 9 => Carried::Reset, // an overrun, a reset, a failure on the way: once more
        _ => return failed,
    };
    let mut bytes = [0; MOST_SENSE];
    let room = sense_len.min(sizes.sense).min((written as usize).saturating_sub(SENSE));
    let n = slots.copy_out(at + ANSWER + SENSE, bytes.get_mut(..room).unwrap_or(&mut []));
    let sense = if status == status::CHECK_CONDITION {
        bytes.get(..n).and_then(sense::decode)
    } else {
        None
    };
    Answer { carried, status, sense, got: got as usize }
}

/// Tokens in order.
struct Fifo {
    tokens: KSlice<u16>,
    first: usize,
    len: usize,
}

impl Fifo {
    fn new(room: usize) -> Result<Fifo> {
        Ok(Fifo { tokens: KSlice::from_fn(room, KERNEL, |_| 0)?, first: 0, len: 0 })
    }

    fn push(&mut self, token: u16) {
        let at_most = self.tokens.len();
        let at = (self.first + self.len) % at_most.max(1);
        if let Some(place) = self.tokens.get_mut(at).filter(|_| self.len < at_most) {
            *place = token;
            self.len += 1;
        }
    }

    fn first(&self) -> Option<u16> {
        if self.len == 0 {
            None
        } else {
            self.tokens.get(self.first).copied()
        }
    }

    fn pop(&mut self) -> Option<u16> {
        let token = self.first()?;
        self.first = (self.first + 1) % self.tokens.len().max(1);
        self.len -= 1;
        Some(token)
    }
}

#[derive(Clone, Copy)]
struct Tried {
    times: u8,
    since: u64,
}

/// A disk's requests in a queue.
pub struct Requests {
    unit: Arc<Unit>,
    pub under_way: InFlight,
    slots: Dma,
    tried: KSlice<Tried>,
}

impl Requests {
    pub fn new(engine: &Engine, unit: &Arc<Unit>) -> Result<Requests> {
        let tried = KSlice::from_fn(DEPTH, KERNEL, |_| Tried { times: 0, since: 0 })?;
        Ok(Requests {
            unit: unit.clone(),
            under_way: InFlight::new(engine, DEPTH, block::MOST_BYTES)?,
            slots: Dma::alloc(engine, DEPTH * SLOT)?,
            tried,
        })
    }

    /// A new request.
    pub fn begin(&mut self, tag: u16) {
        if let Some(t) = self.tried.get_mut(usize::from(tag)) {
            *t = Tried { times: 0, since: time::now_ns() };
        }
    }

    /// What the answer to the request with that tag makes of it.
    fn judged(&mut self, tag: u16, sizes: Sizes, written: u32) -> Option<Judged> {
        let r = self.under_way.get(tag)?;
        let (op, total) =
            (r.op(), if matches!(r.op(), Op::Read | Op::Write) { r.len() } else { 0 });
        let a = read_answer(
            &self.slots,
            usize::from(tag) * SLOT,
            sizes,
            total,
            op == Op::Read,
            written,
        );
        let t = self.tried.get_mut(usize::from(tag))?;
        let whole = a.got == total as usize;
        match judge(a.carried, a.status, a.sense) {
            Verdict::Done if whole => Some(Judged::Ended(Ok(()))),
            Verdict::Done | Verdict::Again if t.times < RETRIES => {
                t.times += 1;
                Some(Judged::Again)
            }
            Verdict::Later if time::now_ns().saturating_sub(t.since) < MOST_NS => {
                Some(Judged::Later)
            }
            Verdict::Failed(e) => Some(Judged::Ended(Err(self.unit.refused(op, e)))),
            _ => Some(Judged::Ended(Err(Error::EIO))),
        }
    }
}

enum Judged {
    Ended(Result),
    Again,
    Later,
}

/// A command that somebody waits for.
pub struct Waited {
    pub done: Completion,
    pub written: AtomicU32,
}

/// What ended.
pub enum Ended {
    Request(Request, Result),
    Waited(Arc<Waited>),
}

/// A queue with its requests.
pub struct Hw {
    pub ring: Queue,
    pub disks: KSlice<Option<Requests>>,
    pub pieces: KSlice<Piece>, // of the request that is described
    pub untold: bool,          // the device was not told of something
    pub waited: Option<Arc<Waited>>,
    waiting: Fifo,
    later: Fifo,
    zeroes: Dma,
    sizes: Sizes,
}

impl Hw {
    pub fn new(ring: Queue, pieces: KSlice<Piece>, zeroes: Dma, sizes: Sizes) -> Result<Hw> {
        let disks = KSlice::from_fn(0, KERNEL, |_| None)?;
        Ok(Hw {
            ring,
            disks,
            pieces,
            untold: false,
            waited: None,
            waiting: Fifo::new(0)?,
            later: Fifo::new(0)?,
            zeroes,
            sizes,
        })
    }

    /// Room for the requests of those disks. Nothing is under way.
    pub fn room_for(&mut self, room: Room) -> Room {
        Room {
            disks: core::mem::replace(&mut self.disks, room.disks),
            waiting: core::mem::replace(&mut self.waiting, room.waiting),
            later: core::mem::replace(&mut self.later, room.later),
        }
    }

    /// A request was lent to the device.
    pub fn begin(&mut self, disk: u16, tag: u16) {
        if let Some(Some(d)) = self.disks.get_mut(usize::from(disk)) {
            d.begin(tag);
            self.waiting.push(disk * DEPTH as u16 + tag);
        }
    }

    /// Puts what waits into the ring, in order, as far as there is room.
    pub fn pump(&mut self) {
        let Hw { ring, disks, pieces, untold, waiting, zeroes, sizes, .. } = self;
        while let Some(token) = waiting.first() {
            let (disk, tag) = (usize::from(token) / DEPTH, token % DEPTH as u16);
            let lent = disks
                .get(disk)
                .and_then(Option::as_ref)
                .and_then(|d| Some((d, d.under_way.get(tag)?)));
            let Some((d, r)) = lent else {
                waiting.pop(); // it failed meanwhile
                continue;
            };
            if !ring.has_room(pieces_of(r)) {
                return;
            }
            let described = describe(d, r, token, *sizes, zeroes, pieces);
            if described.and_then(|n| ring.push(pieces.get(..n).unwrap_or(&[]), token)).is_err() {
                return; // the queue is broken: all fails
            }
            *untold = true;
            waiting.pop();
        }
    }

    /// What was to be tried later is tried now: whether there was anything.
    pub fn try_later(&mut self) -> bool {
        let some = self.later.len > 0;
        while let Some(token) = self.later.pop() {
            self.waiting.push(token);
        }
        some
    }

    /// The device is done with `token`. `Err`: it is tried again, later where true.
    pub fn ended(&mut self, token: u16, written: u32) -> core::result::Result<Option<Ended>, bool> {
        if token == WAITED {
            let waited = self.waited.take();
            if let Some(w) = &waited {
                w.written.store(written, Ordering::Release);
            }
            return Ok(waited.map(Ended::Waited));
        }
        let tag = token % DEPTH as u16;
        let sizes = self.sizes;
        let Some(Some(d)) = self.disks.get_mut(usize::from(token) / DEPTH) else { return Ok(None) };
        match d.judged(tag, sizes, written) {
            Some(Judged::Ended(result)) => {
                Ok(d.under_way.done(tag).map(|r| Ended::Request(r, result)))
            }
            Some(Judged::Again) => {
                self.waiting.push(token);
                Err(false)
            }
            Some(Judged::Later) => {
                self.later.push(token);
                Err(true)
            }
            None => Ok(None), // failed meanwhile
        }
    }
}

/// What a queue needs for its disks.
pub struct Room {
    disks: KSlice<Option<Requests>>,
    waiting: Fifo,
    later: Fifo,
}

impl Room {
    pub fn new(disks: KSlice<Option<Requests>>) -> Result<Room> {
        let n = disks.len() * DEPTH;
        Ok(Room { disks, waiting: Fifo::new(n)?, later: Fifo::new(n)? })
    }
}

/// How many pieces `describe` makes of it, at most.
pub fn pieces_of(r: &Request) -> usize {
    match r.op() {
        Op::Read | Op::Write => 2 + r.segments(),
        _ => 3,
    }
}

/// Writes the request into its slot and the pieces into `out`; how many.
fn describe(
    d: &Requests,
    r: &Lent,
    token: u16,
    sizes: Sizes,
    zeroes: &Dma,
    out: &mut [Piece],
) -> Result<usize> {
    let at = usize::from(r.tag()) * SLOT;
    let (cdb, extra) = d.unit.command(r);
    let (request, answer) = write_request(&d.slots, at, sizes, d.unit.at, token, &cdb)?;
    let mut n = 0;
    let mut add = |p: Piece| -> Result {
        *out.get_mut(n).ok_or(Error::EINVAL)? = p;
        n += 1;
        Ok(())
    };
    add(request)?;
    if extra == Extra::Memory(true) {
        add(answer)?;
    }
    match extra {
        Extra::Memory(writable) => {
            for mem in r.pieces() {
                add(Piece { mem, writable })?;
            }
        }
        Extra::List(list) => {
            d.slots.copy_in(at + LIST, &list);
            add(Piece { mem: d.slots.segment(at + LIST, list.len())?, writable: false })?;
        }
        Extra::Zeroes(len) => {
            let mem = zeroes.segment(0, zeroes.len().min(len as usize))?;
            add(Piece { mem, writable: false })?
        }
        Extra::None => {}
    }
    if extra != Extra::Memory(true) {
        add(answer)?;
    }
    Ok(n)
}
