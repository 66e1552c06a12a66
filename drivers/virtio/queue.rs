// SPDX-License-Identifier: MIT
//! Virtqueues, split (2.7) and packed (2.8), with indirect descriptors (2.7.5.3, 2.8.7) and event indices (2.7.7, 2.7.10, 2.8.10).
//!
//! A chain of more than DIRECT pieces goes into a table of its own where one is free, so that it takes one descriptor of the ring. A
//! queue has few tables, and chains that find none go into the ring.
//!
//! With event indices each side names the entry at which it wants a notification. `arm` names the next one, and `set_quiet` one that
//! has passed: after an interrupt the driver must arm again to get another one. Without event indices each side has a flag, which
//! stays as it was set.
//!
//! What the device writes is not believed: a used index is read once and compared with what is outstanding, ids are looked up
//! among the chains that are under way, lengths are cut to what was given. A device that breaks the rules makes the queue
//! broken, and every chain fails.

use super::{F_RING_EVENT, F_RING_INDIRECT, F_RING_PACKED};
use kernel::alloc::{KSlice, KERNEL};
use kernel::dma::{Dma, DmaAddr, Engine, Segment};
use kernel::mem::{full_barrier, read_barrier, write_barrier};
use kernel::{Error, Result};

/// Most descriptors of a queue of ours.
pub const MAX: usize = 256;
const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;
const AVAIL: u16 = 1 << 7;
const USED: u16 = 1 << 15;
const NO_INTERRUPT: u16 = 1;
// What a packed ring's event areas say besides 0, "always".
const NEVER: u16 = 1;
const AT_EVENT: u16 = 2;
// Longer chains go into tables.
const DIRECT: usize = 4;

/// One piece of a chain.
#[derive(Clone, Copy)]
pub struct Piece {
    /// Its memory.
    pub mem: Segment,
    /// The device writes it.
    pub writable: bool,
}

impl Piece {
    /// No memory: what a place for pieces holds at first.
    pub const NONE: Piece = Piece { mem: Segment::NONE, writable: false };
}

#[derive(Clone, Copy)]
struct Chain {
    used: bool,
    token: u16,
    descs: u16,
    room: u32, // bytes that the device may write
    first: u16,
    table: Option<u16>,
}

const FREE: Chain = Chain { used: false, token: 0, descs: 0, room: 0, first: 0, table: None };

/// Tables of descriptors outside the ring, of `each` pieces.
struct Tables {
    mem: Dma,
    each: usize,
    free: KSlice<u16>,
    left: usize,
}

impl Tables {
    fn new(engine: &Engine, n: usize, each: usize) -> Result<Tables> {
        let mem = Dma::alloc(engine, n * each * 16)?;
        Ok(Tables { mem, each, free: KSlice::from_fn(n, KERNEL, |i| i as u16)?, left: n })
    }

    fn has(&self, pieces: usize) -> bool {
        self.left > 0 && pieces <= self.each
    }

    fn take(&mut self) -> Option<u16> {
        let i = self.free.get(self.left.checked_sub(1)?).copied()?;
        self.left -= 1;
        Some(i)
    }

    fn put(&mut self, i: u16) {
        if let Some(place) = self.free.get_mut(self.left) {
            *place = i;
            self.left += 1;
        }
    }

    /// Writes the pieces into table `i`: the piece that stands for all of them.
    fn fill(&self, i: u16, pieces: &[Piece], packed: bool) -> Result<Piece> {
        let at = usize::from(i) * self.each * 16;
        let mem = self.mem.segment(at, 16 * pieces.len())?;
        for (n, p) in pieces.iter().enumerate() {
            let more = !packed && n + 1 < pieces.len();
            let flags = if p.writable { WRITE } else { 0 } | if more { NEXT } else { 0 };
            put_desc(&self.mem, at + 16 * n, p, if more { n as u16 + 1 } else { 0 }, flags, packed);
        }
        Ok(Piece { mem, writable: false })
    }
}

/// Writes a descriptor at byte `at`; ID is its buffer's (packed) or its successor (split).
fn put_desc(mem: &Dma, at: usize, p: &Piece, id: u16, flags: u16, packed: bool) {
    mem.write_addr(at, p.mem.addr());
    mem.write32(at + 8, p.mem.len());
    let (id_at, flags_at) = if packed { (12, 14) } else { (14, 12) };
    mem.write16(at + id_at, id);
    mem.write16(at + flags_at, flags);
}

/// One queue.
pub struct Queue {
    /// Descriptors.
    pub size: u16,
    packed: bool,
    event: bool,
    ring: Dma,
    tables: Option<Tables>,
    avail_off: usize,
    used_off: usize,
    chains: KSlice<Chain>,
    free_next: KSlice<u16>,
    free_head: u16,
    free: u16,
    avail_idx: u16,
    used_idx: u16,
    avail_wrap: bool,
    used_wrap: bool,
    broken: bool,
    sleeping: bool,
    // Entries (split) or descriptors (packed) that were pushed since the last call of wants_notify().
    added: u16,
}

/// Whether event index `at` is among the `added` that end before `now`.
fn is_passed(at: u16, now: u16, added: u16) -> bool {
    now.wrapping_sub(at).wrapping_sub(1) < added
}

fn align(n: usize, a: usize) -> usize {
    n.next_multiple_of(a)
}

impl Queue {
    /// A queue of `size` descriptors: a power of two for a split one, any number for a packed one; at most MAX. `agreed`: features.
    pub fn new(engine: &Engine, size: u16, agreed: u64) -> Result<Queue> {
        let (packed, event) = (agreed & F_RING_PACKED != 0, agreed & F_RING_EVENT != 0);
        let size = size.min(MAX as u16);
        if size == 0 || (!packed && !size.is_power_of_two()) {
            return Err(Error::EINVAL);
        }
        let n = usize::from(size);
        let avail_off = 16 * n;
        let (used_off, len) = if packed {
            (avail_off + 4, avail_off + 8)
        } else {
            let used = align(avail_off + 6 + 2 * n, 4);
            (used, used + 6 + 8 * n)
        };
        Ok(Queue {
            size,
            packed,
            event,
            ring: Dma::alloc(engine, len)?,
            tables: None,
            avail_off,
            used_off,
            chains: KSlice::from_fn(n, KERNEL, |_| FREE)?,
            free_next: KSlice::from_fn(n, KERNEL, |i| i as u16 + 1)?,
            free_head: 0,
            free: size,
            avail_idx: 0,
            used_idx: 0,
            avail_wrap: true,
            used_wrap: true,
            broken: false,
            sleeping: false,
            added: 0,
        })
    }

    /// The same with `n` tables for chains of at most `pieces`, where indirect descriptors were agreed on.
    pub fn with_tables(engine: &Engine, size: u16, agreed: u64, n: usize, pieces: usize) -> Result<Queue> {
        let mut q = Self::new(engine, size, agreed)?;
        if agreed & F_RING_INDIRECT != 0 {
            // A chain is never longer than the queue, indirect or not (2.7.5.3.1).
            q.tables = Some(Tables::new(engine, n, pieces.min(usize::from(q.size)))?);
        }
        Ok(q)
    }

    /// Addresses of the descriptor area, the driver's area, the device's area.
    pub fn addrs(&self) -> Result<(DmaAddr, DmaAddr, DmaAddr)> {
        let at = |off| self.ring.segment(off, 0).map(Segment::addr);
        Ok((at(0)?, at(self.avail_off)?, at(self.used_off)?))
    }

    /// What the device sees: the memory, whether it is packed, and where the driver's and the device's areas begin. For tests that are
    /// the device.
    pub fn device_side(&self) -> (Dma, bool, usize, usize) {
        (self.ring.share(), self.packed, self.avail_off, self.used_off)
    }

    /// The memory of its tables, and whether it has event indices. For the same.
    pub fn device_tables(&self) -> (Option<Dma>, bool) {
        (self.tables.as_ref().map(|t| t.mem.share()), self.event)
    }

    /// Room for a chain of `n` pieces?
    pub fn has_room(&self, n: usize) -> bool {
        !self.broken && (usize::from(self.free) >= n || (self.free > 0 && self.tables.as_ref().is_some_and(|t| t.has(n))))
    }

    /// The device broke the rules.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether anything is under way.
    pub fn is_busy(&self) -> bool {
        self.free < self.size
    }

    fn put_desc(&self, i: u16, p: &Piece, id: u16, flags: u16) {
        put_desc(&self.ring, 16 * usize::from(i), p, id, flags, self.packed);
    }

    /// Adds a chain that `pop` will give back under `token`. `EBUSY`: no room now.
    pub fn push(&mut self, pieces: &[Piece], token: u16) -> Result {
        if pieces.is_empty() || pieces.len() > usize::from(self.size) {
            return Err(Error::EINVAL);
        }
        if self.broken {
            return Err(Error::EIO);
        }
        if !self.has_room(pieces.len()) {
            return Err(Error::EBUSY);
        }
        let room = pieces.iter().filter(|p| p.writable).fold(0u32, |n, p| n.saturating_add(p.mem.len()));
        let long = pieces.len() > DIRECT || usize::from(self.free) < pieces.len();
        let table = self.tables.as_mut().filter(|t| long && t.has(pieces.len())).and_then(Tables::take);
        let mut c = Chain { used: true, token, descs: pieces.len() as u16, room, first: 0, table };
        match (table, self.tables.as_ref()) {
            (Some(i), Some(t)) => {
                c.descs = 1;
                let all = t.fill(i, pieces, self.packed)?;
                self.put_chain(&[all], c, INDIRECT);
            }
            _ => self.put_chain(pieces, c, 0),
        }
        Ok(())
    }

    /// There is room. FLAGS: of each descriptor.
    fn put_chain(&mut self, pieces: &[Piece], c: Chain, flags: u16) {
        if self.packed { self.push_packed(pieces, c, flags) } else { self.push_split(pieces, c, flags) }
        self.free -= c.descs;
        self.added = self.added.saturating_add(if self.packed { c.descs } else { 1 });
    }

    fn set_chain(&mut self, i: u16, c: Chain) {
        if let Some(slot) = self.chains.get_mut(usize::from(i)) {
            *slot = c;
        }
    }

    fn push_split(&mut self, pieces: &[Piece], c: Chain, all: u16) {
        let first = self.free_head;
        let mut at = first;
        let last = pieces.len() - 1;
        for (n, p) in pieces.iter().enumerate() {
            let next = self.free_next.get(usize::from(at)).copied().unwrap_or(0);
            let flags = if p.writable { WRITE } else { 0 } | if n < last { NEXT } else { 0 } | all;
            self.put_desc(at, p, if n < last { next } else { 0 }, flags);
            at = next;
        }
        self.free_head = at;
        self.set_chain(first, Chain { first, ..c });
        let slot = usize::from(self.avail_idx % self.size);
        self.ring.write16(self.avail_off + 4 + 2 * slot, first);
        write_barrier(); // the entry before the index that shows it
        self.avail_idx = self.avail_idx.wrapping_add(1);
        self.ring.write16(self.avail_off + 2, self.avail_idx);
    }

    fn push_packed(&mut self, pieces: &[Piece], c: Chain, all: u16) {
        let id = self.free_head; // there are as many ids as descriptors
        self.free_head = self.free_next.get(usize::from(id)).copied().unwrap_or(0);
        let first = self.avail_idx;
        let first_wrap = self.avail_wrap;
        let last = pieces.len() - 1;
        let mut first_flags = 0;
        for (n, p) in pieces.iter().enumerate() {
            let phase = if self.avail_wrap { AVAIL } else { USED };
            let flags = if p.writable { WRITE } else { 0 } | if n < last { NEXT } else { 0 } | phase | all;
            if n == 0 {
                first_flags = flags;
                // Not valid yet: the head's flags are written last.
                let hidden = flags & !(AVAIL | USED) | if first_wrap { USED } else { AVAIL };
                self.put_desc(self.avail_idx, p, id, hidden);
            } else {
                self.put_desc(self.avail_idx, p, id, flags);
            }
            self.avail_idx += 1;
            if self.avail_idx == self.size {
                self.avail_idx = 0;
                self.avail_wrap = !self.avail_wrap;
            }
        }
        self.set_chain(id, Chain { first, ..c });
        write_barrier(); // the whole chain before its head becomes valid
        self.ring.write16(16 * usize::from(first) + 14, first_flags);
    }

    /// The device wants a notification of chains pushed since the last call. True: the caller has to notify it.
    pub fn wants_notify(&mut self) -> bool {
        full_barrier(); // our index before its flag; pairs with the device's store of the flag, then load of the index
        let added = core::mem::take(&mut self.added);
        let word = |off| self.ring.read16(off).unwrap_or(0);
        if !self.packed && self.event {
            return is_passed(word(self.used_off + 4 + 8 * usize::from(self.size)), self.avail_idx, added);
        }
        if !self.packed {
            return word(self.used_off) & 1 == 0;
        }
        // The device's event area: offset and wrap, then flags.
        let (place, flags) = (word(self.used_off), word(self.used_off + 2));
        if !self.event || flags != AT_EVENT {
            return flags != NEVER;
        }
        let (at, wrap) = (place & !(1 << 15), place >> 15 != 0);
        is_passed(if wrap == self.avail_wrap { at } else { at.wrapping_sub(self.size) }, self.avail_idx, added)
    }

    /// The next chain that the device is done with: its token and how many bytes it wrote.
    pub fn pop(&mut self) -> Option<(u16, u32)> {
        if self.broken {
            return None;
        }
        if self.packed { self.pop_packed() } else { self.pop_split() }
    }

    fn take(&mut self, id: u32) -> Option<Chain> {
        let slot = usize::try_from(id).ok().and_then(|i| self.chains.get_mut(i)).filter(|c| c.used);
        match slot {
            Some(c) => {
                let was = *c;
                *c = FREE;
                if let (Some(i), Some(t)) = (was.table, self.tables.as_mut()) {
                    t.put(i);
                }
                Some(was)
            }
            None => {
                self.broken = true; // an id that is not under way
                None
            }
        }
    }

    fn pop_split(&mut self) -> Option<(u16, u32)> {
        let idx = self.ring.read16(self.used_off + 2)?;
        let new = idx.wrapping_sub(self.used_idx);
        if new == 0 {
            return None;
        }
        if new > self.size {
            self.broken = true;
            return None;
        }
        read_barrier(); // the index before the entry that it shows
        let slot = self.used_off + 4 + 8 * usize::from(self.used_idx % self.size);
        let id = self.ring.read32(slot)?;
        let len = self.ring.read32(slot + 4)?;
        let c = self.take(id)?;
        self.used_idx = self.used_idx.wrapping_add(1);
        // Give the chain's descriptors back, in the order in which they were linked.
        let mut tail = c.first;
        for _ in 1..c.descs {
            tail = self.free_next.get(usize::from(tail)).copied().unwrap_or(0);
        }
        if let Some(n) = self.free_next.get_mut(usize::from(tail)) {
            *n = self.free_head;
        }
        self.free_head = c.first;
        self.free += c.descs;
        Some((c.token, len.min(c.room)))
    }

    fn pop_packed(&mut self) -> Option<(u16, u32)> {
        let at = 16 * usize::from(self.used_idx);
        let flags = self.ring.read16(at + 14)?;
        let (a, u) = (flags & AVAIL != 0, flags & USED != 0);
        if a != u || u != self.used_wrap {
            return None;
        }
        read_barrier(); // the flags before the rest
        let id = self.ring.read16(at + 12)?;
        let len = self.ring.read32(at + 8)?;
        let c = self.take(u32::from(id))?;
        if let Some(n) = self.free_next.get_mut(usize::from(id)) {
            *n = self.free_head;
        }
        self.free_head = id;
        self.used_idx += c.descs;
        if self.used_idx >= self.size {
            self.used_idx -= self.size;
            self.used_wrap = !self.used_wrap;
        }
        self.free += c.descs;
        Some((c.token, len.min(c.room)))
    }

    /// Whether the device is done with something that was not popped yet.
    fn has_more(&self) -> bool {
        if self.packed {
            let flags = self.ring.read16(16 * usize::from(self.used_idx) + 14).unwrap_or(0);
            let (a, u) = (flags & AVAIL != 0, flags & USED != 0);
            return a == u && u == self.used_wrap;
        }
        self.ring.read16(self.used_off + 2) != Some(self.used_idx)
    }

    /// Asks for interrupts again: for the next one, where there are event indices. True: something came before that took effect, for
    /// which none may come; with event indices the caller arms again when it has popped that.
    pub fn arm(&mut self) -> bool {
        if self.event {
            self.sleeping = false;
            if self.packed {
                self.ring.write16(self.avail_off, self.used_idx | u16::from(self.used_wrap) << 15);
                write_barrier(); // the place before the flag that lets it count
                self.ring.write16(self.avail_off + 2, AT_EVENT);
            } else {
                self.set_used_event(self.used_idx);
            }
            full_barrier();
        } else {
            self.set_quiet(false);
        }
        // The full barrier pairs with the device's store of the index, then load of our flag or event.
        !self.broken && self.has_more()
    }

    fn set_used_event(&self, at: u16) {
        self.ring.write16(self.avail_off + 4 + 2 * usize::from(self.size), at);
    }

    /// Asks for no interrupts (polling), or for them again.
    pub fn set_quiet(&mut self, quiet: bool) {
        if self.sleeping == quiet {
            return;
        }
        if self.event && !quiet {
            self.arm();
            return;
        }
        self.sleeping = quiet;
        if self.packed {
            self.ring.write16(self.avail_off + 2, if quiet { NEVER } else { 0 });
        } else if self.event {
            self.set_used_event(self.used_idx.wrapping_sub(1)); // the last that is over: 65,535 later there is one for nothing
        } else {
            self.ring.write16(self.avail_off, if quiet { NO_INTERRUPT } else { 0 });
        }
        full_barrier();
    }
}

#[path = "test/queue.rs"]
mod test;
