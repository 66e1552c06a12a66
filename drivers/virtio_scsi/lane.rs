// SPDX-License-Identifier: MIT
//! A request queue of the virtio SCSI host: the requests of all its disks, those that wait for room in the ring or for another try, and what
//! the device says of them. What it says is read once and checked: a response that is too short, more sense data than there is room for, more
//! bytes that it left out than there were. Commands of programs (`Passed`) wait in the same order as requests, and are told to the device as they are.

use crate::host::Bell;
use crate::scsi::core::{Address, Answer};
use crate::scsi::disk::{Extra, Unit};
use crate::scsi::sense;
use crate::scsi::verdict::{judge, status, Carried, Verdict, RETRIES};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use drivers::virtio::queue::{Piece, Queue};
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
pub const MOST_DISKS: usize = WAITED as usize / DEPTH - 1;
/// Commands of programs in a queue: their tokens lie behind those of the disks.
pub const MOST_PASSED: usize = 32;
const PASSED: u16 = (MOST_DISKS * DEPTH) as u16;

// Beside each request: what goes to the device, what comes back, a list of parameters.
pub const SLOT: usize = 256;
const CDB: usize = 19;
pub const MOST_CDB: usize = 32;
pub const ANSWER: usize = 64;
pub const SENSE: usize = 12; // within the answer
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

/// The first half of a unit's address; the second is 0.
pub fn address(unit: Address) -> u32 {
    let [high, low] = unit.lun.to_be_bytes();
    u32::from_le_bytes([1, unit.target, 0x40 | high & 0x3f, low])
}

/// The id that the device knows a request of a queue by, whatever the queue.
pub fn id(lane: u16, token: u16) -> u64 {
    (u64::from(lane) << 16 | u64::from(token)) + 1
}

/// Writes the request at `at`: the two pieces that carry it and its answer. The answer is none yet.
pub fn write_request(
    slots: &Dma,
    at: usize,
    sizes: Sizes,
    unit: Address,
    id: u64,
    cdb: &[u8],
) -> Result<(Piece, Piece)> {
    slots.write32(at, address(unit));
    slots.write32(at + 4, 0);
    slots.write64(at + 8, id);
    let mut tail = [0; CDB + MOST_CDB - 16]; // of no priority, in any order
    tail.iter_mut().skip(CDB - 16).zip(cdb).for_each(|(to, b)| *to = *b);
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

    /// The disk is gone, and each of its requests came back from the ring.
    pub fn end(self) {
        self.slots.done();
        self.under_way.end();
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
        if self.unit.attention(a.sense) {
            return Some(Judged::Ended(Err(Error::EIO)));
        }
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

/// A command of a program.
pub struct Passed {
    /// The device, or who gave it up, is done with it.
    pub done: Completion,
    /// How many bytes the device wrote, where it was the device.
    pub written: AtomicU32,
    /// It was the device.
    pub answered: AtomicBool,
    /// Its memory, as the device is told.
    pub pieces: KSlice<Piece>,
    /// Nobody may be waiting for `done`: this is rung.
    pub bell: Option<Arc<Bell>>,
}

impl Passed {
    /// Nobody but its owner has anything to do with it any more. Any context.
    pub fn end(&self) {
        self.done.complete_all();
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }
}

struct Place {
    command: Arc<Passed>,
    // The device knows it.
    told: bool,
    // Nobody waits for it any more.
    dropped: bool,
}

/// Commands of programs in a queue.
struct Passing {
    places: KSlice<Option<Place>>,
    // A bit for each place that is free.
    free: u32,
    // Some became free since somebody asked.
    freed: bool,
}

enum Pushed {
    Yes,
    No,
    Dropped,
}

impl Passing {
    fn new() -> Result<Passing> {
        const { assert!(MOST_PASSED == 32) };
        let places = KSlice::from_fn(MOST_PASSED, KERNEL, |_| None)?;
        Ok(Passing { places, free: u32::MAX, freed: false })
    }

    fn add(&mut self, command: Arc<Passed>) -> Option<u16> {
        let i = self.free.trailing_zeros();
        *self.places.get_mut(i as usize)? = Some(Place { command, told: false, dropped: false });
        self.free &= !(1 << i);
        Some(i as u16)
    }

    fn take(&mut self, i: usize) -> Option<Place> {
        let place = self.places.get_mut(i)?.take()?;
        self.free |= 1 << i;
        self.freed = true;
        Some(place)
    }

    fn push(&mut self, i: usize, ring: &mut Queue, token: u16) -> Pushed {
        match self.places.get_mut(i) {
            Some(Some(p)) if !p.dropped => {
                if !ring.has_room(p.command.pieces.len())
                    || ring.push(&p.command.pieces, token).is_err()
                {
                    return Pushed::No;
                }
                p.told = true;
                Pushed::Yes
            }
            _ => {
                self.take(i);
                Pushed::Dropped
            }
        }
    }
}

/// What ended.
pub enum Ended {
    Passed(Arc<Passed>),
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
    passed: Passing,
    lane: u16,
}

impl Hw {
    pub fn new(
        lane: u16,
        ring: Queue,
        pieces: KSlice<Piece>,
        zeroes: Dma,
        sizes: Sizes,
    ) -> Result<Hw> {
        let disks = KSlice::from_fn(0, KERNEL, |_| None)?;
        Ok(Hw {
            ring,
            disks,
            pieces,
            untold: false,
            waited: None,
            waiting: Fifo::new(MOST_PASSED)?,
            later: Fifo::new(0)?,
            zeroes,
            sizes,
            passed: Passing::new()?,
            lane,
        })
    }

    /// More room, to which the disks move with all that waits; what is left is empty.
    pub fn room_for(&mut self, mut room: Room) -> Room {
        room.disks.iter_mut().zip(self.disks.iter_mut()).for_each(|(to, d)| *to = d.take());
        while let Some(token) = self.waiting.pop() {
            room.waiting.push(token);
        }
        while let Some(token) = self.later.pop() {
            room.later.push(token);
        }
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

    /// A command of a program is to be done: its token. `None`: there are too many.
    pub fn begin_passed(&mut self, command: Arc<Passed>) -> Option<u16> {
        let token = PASSED + self.passed.add(command)?;
        self.waiting.push(token);
        Some(token)
    }

    /// Nobody waits for the command any more. True: the device was not told of it, and never will be. It may have ended meanwhile, and its token be
    /// another one's.
    pub fn drop_passed(&mut self, token: u16, command: &Arc<Passed>) -> bool {
        match self.passed.places.get_mut(usize::from(token.wrapping_sub(PASSED))) {
            Some(Some(p)) if !p.told && Arc::ptr_eq(&p.command, command) => {
                p.dropped = true;
                true
            }
            _ => false,
        }
    }

    /// Each command of a program that the device has, or is to have: they are given up.
    pub fn give_up_passed(&mut self) -> Option<Arc<Passed>> {
        let i = (!self.passed.free).trailing_zeros();
        self.passed.take(i as usize).map(|p| p.command)
    }

    /// Whether any of them are under way.
    pub fn has_passed(&self) -> bool {
        self.passed.free != u32::MAX
    }

    /// Whether there is room for more of them than when this was asked last.
    pub fn has_freed(&mut self) -> bool {
        core::mem::take(&mut self.passed.freed)
    }

    /// Puts what waits into the ring, in order, as far as there is room.
    pub fn pump(&mut self) {
        let Hw { ring, disks, pieces, untold, waiting, zeroes, sizes, passed, lane, .. } = self;
        while let Some(token) = waiting.first() {
            if token >= PASSED {
                match passed.push(usize::from(token - PASSED), ring, token) {
                    Pushed::No => return,
                    Pushed::Yes => *untold = true,
                    Pushed::Dropped => {}
                }
                waiting.pop();
                continue;
            }
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
            let described = describe(d, r, id(*lane, token), *sizes, zeroes, pieces);
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
        if token >= PASSED {
            let Some(p) = self.passed.take((token - PASSED).into()) else { return Ok(None) };
            p.command.written.store(written, Ordering::Release);
            p.command.answered.store(true, Ordering::Release);
            return Ok(Some(Ended::Passed(p.command)));
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
        Ok(Room { disks, waiting: Fifo::new(n + MOST_PASSED)?, later: Fifo::new(n)? })
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
    id: u64,
    sizes: Sizes,
    zeroes: &Dma,
    out: &mut [Piece],
) -> Result<usize> {
    let at = usize::from(r.tag()) * SLOT;
    let (cdb, extra) = d.unit.command(r);
    let (request, answer) = write_request(&d.slots, at, sizes, d.unit.at, id, cdb.bytes())?;
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
