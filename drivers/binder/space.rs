// SPDX-License-Identifier: MIT
//! Which parts of a process's buffer area are in use: chunks, one behind the other, and the free ones by size.
//!
//! Best fit; a free chunk has no free neighbour. Each chunk has an entry for the tree of free ones, in that tree or beside itself, so that giving
//! back cannot fail. One-way calls have half of the area at most.

use kernel::alloc::ACCOUNT;
use kernel::tree::{Entry, Map};
use kernel::{Error, Result};

type Free = Entry<(usize, usize), ()>;

struct Chunk {
    len: usize,
    spare: Option<Free>, // of a chunk in use
}

pub struct Space {
    chunks: Map<usize, Chunk>,     // by offset
    free: Map<(usize, usize), ()>, // (length, offset)
    one_way: usize,                // bytes left for one-way calls
}

/// Memory for one more chunk, from before a lock is taken.
pub struct Room(Entry<usize, Chunk>);

impl Room {
    pub fn new() -> Result<Self> {
        let spare = Some(Entry::new((0, 0), (), ACCOUNT)?);
        Ok(Self(Entry::new(0, Chunk { len: 0, spare }, ACCOUNT)?))
    }
}

impl Space {
    /// Nothing: no part can be had.
    pub const fn none() -> Self {
        Self { chunks: Map::new(), free: Map::new(), one_way: 0 }
    }

    /// `size` bytes, all free.
    pub fn new(size: usize) -> Result<Self> {
        let mut s = Self::none();
        s.one_way = size / 2;
        s.free.insert(Entry::new((size, 0), (), ACCOUNT)?);
        s.chunks.insert(Entry::new(0, Chunk { len: size, spare: None }, ACCOUNT)?);
        Ok(s)
    }

    /// A part of `len` bytes (a multiple of 8, not 0): its offset. `ENOSPC`.
    pub fn take(&mut self, len: usize, one_way: bool, room: Room) -> Result<usize> {
        if one_way && self.one_way < len {
            return Err(Error::ENOSPC);
        }
        let &(has, off) = self.free.from(&(len, 0)).ok_or(Error::ENOSPC)?.0;
        let entry = self.free.remove(&(has, off));
        if let Some(c) = self.chunks.get_mut(&off) {
            c.len = len;
            c.spare = entry;
        }
        if has > len {
            let Room(mut rest) = room;
            rest.set_key(off + len);
            rest.len = has - len;
            let spare = rest.spare.take();
            self.chunks.insert(rest);
            self.insert_free(spare, has - len, off + len);
        }
        if one_way {
            self.one_way -= len;
        }
        Ok(off)
    }

    fn insert_free(&mut self, entry: Option<Free>, len: usize, off: usize) {
        if let Some(mut e) = entry {
            e.set_key((len, off));
            self.free.insert(e);
        }
    }

    /// Gives a part back.
    pub fn give(&mut self, off: usize, one_way: bool) {
        let Some(chunk) = self.chunks.get_mut(&off) else { return };
        let (mut at, mut len, mut spare) = (off, chunk.len, chunk.spare.take());
        if one_way {
            self.one_way += len;
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
    let (a, b) = (s.take(8, false, Room::new()?)?, s.take(1000, true, Room::new()?)?);
    let c = s.take(3088, false, Room::new()?)?;
    kernel::kt_assert!((a, b, c) == (0, 8, 1008));
    kernel::kt_assert!(s.left() == (0, 0));
    kernel::kt_assert!(s.take(8, false, Room::new()?) == Err(Error::ENOSPC));
    s.give(b, true);
    kernel::kt_assert!(s.left() == (1000, 1));
    // Half is for one-way calls, whatever else is free.
    s.give(c, false);
    kernel::kt_assert!(s.left() == (4088, 1));
    kernel::kt_assert!(s.take(2056, true, Room::new()?) == Err(Error::ENOSPC));
    let d = s.take(2048, true, Room::new()?)?;
    kernel::kt_assert!(d == 8);
    s.give(a, false);
    kernel::kt_assert!(s.left() == (2048, 2));
    s.give(d, true);
    kernel::kt_assert!(s.left() == (4096, 1));
    Ok(())
}

kernel::ktest!(binder_parts_come_back, parts_come_back);
