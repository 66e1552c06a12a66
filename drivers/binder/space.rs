// SPDX-License-Identifier: MIT
//! Which parts of a process's buffer area are in use: chunks, one behind the other, and the free ones by size.
//!
//! Best fit; a free chunk has no free neighbour. Each chunk has an entry for the tree of free ones, in that tree or beside itself, so that giving
//! back cannot fail. One-way calls have half of the area at most; how much of it each sender has is counted, so that one that fills it can be told.

use kernel::alloc::ACCOUNT;
use kernel::tree::{Entry, Map};
use kernel::{Error, Result};

type Free = Entry<(usize, usize), ()>;

struct Chunk {
    len: usize,
    spare: Option<Free>, // of a chunk in use
    sender: u64,         // of a one-way call in it; else 0
}

/// What a sender has in one-way calls.
struct Sent {
    calls: u32,
    bytes: usize,
}

pub struct Space {
    chunks: Map<usize, Chunk>,     // by offset
    free: Map<(usize, usize), ()>, // (length, offset)
    size: usize,
    one_way: usize,          // bytes left for one-way calls
    senders: Map<u64, Sent>, // that have any
    told: bool,              // of a sender, since there was enough
}

/// Memory for one more chunk, from before a lock is taken.
pub struct Room(Entry<usize, Chunk>, Option<Entry<u64, Sent>>);

impl Room {
    /// `sender`: of a one-way call; else 0.
    pub fn new(sender: u64) -> Result<Self> {
        let spare = Some(Entry::new((0, 0), (), ACCOUNT)?);
        let sent = if sender == 0 {
            None
        } else {
            Some(Entry::new(sender, Sent { calls: 0, bytes: 0 }, ACCOUNT)?)
        };
        Ok(Self(Entry::new(0, Chunk { len: 0, spare, sender: 0 }, ACCOUNT)?, sent))
    }
}

impl Space {
    /// Nothing: no part can be had.
    pub const fn none() -> Self {
        Self {
            chunks: Map::new(),
            free: Map::new(),
            size: 0,
            one_way: 0,
            senders: Map::new(),
            told: false,
        }
    }

    /// `size` bytes, all free.
    pub fn new(size: usize) -> Result<Self> {
        let mut s = Self::none();
        s.size = size;
        s.one_way = size / 2;
        s.free.insert(Entry::new((size, 0), (), ACCOUNT)?);
        s.chunks.insert(Entry::new(0, Chunk { len: size, spare: None, sender: 0 }, ACCOUNT)?);
        Ok(s)
    }

    /// A part of `len` bytes (a multiple of 8, not 0): its offset, and whether the sender that `room` is for is to be told that it takes too much.
    /// `ENOSPC`.
    pub fn take(&mut self, len: usize, room: Room) -> Result<(usize, bool)> {
        let Room(mut rest, sent) = room;
        if sent.is_some() && self.one_way < len {
            return Err(Error::ENOSPC);
        }
        let &(has, off) = self.free.from(&(len, 0)).ok_or(Error::ENOSPC)?.0;
        let entry = self.free.remove(&(has, off));
        if let Some(c) = self.chunks.get_mut(&off) {
            c.len = len;
            c.spare = entry;
            c.sender = sent.as_ref().map_or(0, |e| *e.key());
        }
        if has > len {
            rest.set_key(off + len);
            rest.len = has - len;
            let spare = rest.spare.take();
            self.chunks.insert(rest);
            self.insert_free(spare, has - len, off + len);
        }
        let suspect = sent.is_some_and(|e| self.count(e, len));
        Ok((off, suspect))
    }

    /// One more one-way call. True, once until there is enough again: less than a tenth of the area is left for such calls, and its sender has more
    /// than 50 of them or more than half of what they may have.
    fn count(&mut self, e: Entry<u64, Sent>, len: usize) -> bool {
        let sender = *e.key();
        if self.senders.get(&sender).is_none() {
            self.senders.insert(e);
        }
        self.one_way -= len;
        let Some(sent) = self.senders.get_mut(&sender) else { return false };
        sent.calls += 1;
        sent.bytes += len;
        if self.one_way >= self.size / 10 {
            self.told = false;
            return false;
        }
        let much = sent.calls > 50 || sent.bytes > self.size / 4;
        let was = self.told;
        self.told |= much;
        much && !was
    }

    fn uncount(&mut self, sender: u64, len: usize) {
        self.one_way += len;
        let Some(sent) = self.senders.get_mut(&sender) else { return };
        sent.calls -= 1;
        sent.bytes -= len;
        if sent.calls == 0 {
            self.senders.remove(&sender);
        }
    }

    fn insert_free(&mut self, entry: Option<Free>, len: usize, off: usize) {
        if let Some(mut e) = entry {
            e.set_key((len, off));
            self.free.insert(e);
        }
    }

    /// Gives a part back.
    pub fn give(&mut self, off: usize) {
        let Some(chunk) = self.chunks.get_mut(&off) else { return };
        let (mut at, mut len, mut spare) = (off, chunk.len, chunk.spare.take());
        let sender = core::mem::take(&mut chunk.sender);
        if sender != 0 {
            self.uncount(sender, len);
        }
        // A free neighbour goes into ours, with the entry that it has in the other tree.
        if let Some((&next, n)) = self.chunks.from(&(off + 1)).filter(|c| c.1.spare.is_none()) {
            let more = n.len;
            self.free.remove(&(more, next));
            self.chunks.remove(&next);
            len += more;
        }
        if let Some((&prev, p)) = self.chunks.below(&off).filter(|c| c.1.spare.is_none()) {
            let before = p.len;
            spare = self.free.remove(&(before, prev));
            self.chunks.remove(&off);
            at = prev;
            len += before;
        }
        if let Some(c) = self.chunks.get_mut(&at) {
            c.len = len;
        }
        self.insert_free(spare, len, at);
    }

    /// How many bytes are free, in how many parts: for tests.
    pub fn left(&self) -> (usize, usize) {
        let (mut bytes, mut parts, mut at) = (0, 0, (0, 0));
        while let Some((k, ())) = self.free.from(&at) {
            bytes += k.0;
            parts += 1;
            at = (k.0, k.1 + 1);
        }
        (bytes, parts)
    }
}

fn parts_come_back(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut s = Space::new(4096)?;
    let (a, b) = (s.take(8, Room::new(0)?)?.0, s.take(1000, Room::new(5)?)?.0);
    let c = s.take(3088, Room::new(0)?)?.0;
    kernel::kt_assert!((a, b, c) == (0, 8, 1008));
    kernel::kt_assert!(s.left() == (0, 0));
    kernel::kt_assert!(s.take(8, Room::new(0)?) == Err(Error::ENOSPC));
    s.give(b);
    kernel::kt_assert!(s.left() == (1000, 1));
    // Half is for one-way calls, whatever else is free.
    s.give(c);
    kernel::kt_assert!(s.left() == (4088, 1));
    kernel::kt_assert!(s.take(2056, Room::new(5)?) == Err(Error::ENOSPC));
    let (d, much) = s.take(2048, Room::new(5)?)?;
    kernel::kt_assert!(d == 8 && much);
    s.give(a);
    kernel::kt_assert!(s.left() == (2048, 2));
    s.give(d);
    kernel::kt_assert!(s.left() == (4096, 1) && s.senders.is_empty());
    Ok(())
}

kernel::ktest!(binder_parts_come_back, parts_come_back);
