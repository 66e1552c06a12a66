// SPDX-License-Identifier: MIT
//! Virtqueues, split (2.7) and packed (2.8).
//!
//! What the device writes is not believed: a used index is read once and compared with what is outstanding, ids are looked up
//! among the chains that are under way, lengths are cut to what was given. A device that breaks the rules makes the queue
//! broken, and every chain fails.

use kernel::alloc::{KSlice, KERNEL};
use kernel::dma::{Dma, Engine};
use kernel::mem::{full_barrier, read_barrier, write_barrier};
use kernel::{Error, Result};

/// Most descriptors of a queue of ours.
pub const MAX: usize = 256;
const NEXT: u16 = 1;
const WRITE: u16 = 2;
const AVAIL: u16 = 1 << 7;
const USED: u16 = 1 << 15;
const NO_INTERRUPT: u16 = 1;

/// One piece of a chain.
#[derive(Clone, Copy)]
pub struct Piece {
    /// Address for the device.
    pub addr: u64,
    /// Bytes.
    pub len: u32,
    /// The device writes it.
    pub writable: bool,
}

#[derive(Clone, Copy)]
struct Chain {
    used: bool,
    token: u16,
    descs: u16,
    room: u32, // bytes that the device may write
    first: u16,
}

const FREE: Chain = Chain { used: false, token: 0, descs: 0, room: 0, first: 0 };

/// One queue.
pub struct Queue {
    /// Descriptors.
    pub size: u16,
    packed: bool,
    ring: Dma,
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
}

fn align(n: usize, a: usize) -> usize {
    n.next_multiple_of(a)
}

impl Queue {
    /// A queue of `size` descriptors: a power of two for a split one, any number for a packed one; at most MAX.
    pub fn new(engine: &Engine, size: u16, packed: bool) -> Result<Queue> {
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
            ring: Dma::alloc(engine, len)?,
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
        })
    }

    /// Addresses of the descriptor area, the driver's area, the device's area.
    pub fn addrs(&self) -> (u64, u64, u64) {
        (self.ring.addr(), self.ring.addr() + self.avail_off as u64, self.ring.addr() + self.used_off as u64)
    }

    /// What the device sees: the memory, whether it is packed, and where the driver's and the device's areas begin. For tests that are
    /// the device.
    pub fn device_side(&self) -> (Dma, bool, usize, usize) {
        (self.ring.share(), self.packed, self.avail_off, self.used_off)
    }

    /// Room for a chain of `n` pieces?
    pub fn has_room(&self, n: usize) -> bool {
        !self.broken && usize::from(self.free) >= n
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
        let at = 16 * usize::from(i);
        self.ring.write64(at, p.addr);
        self.ring.write32(at + 8, p.len);
        if self.packed {
            self.ring.write16(at + 12, id);
            self.ring.write16(at + 14, flags);
        } else {
            self.ring.write16(at + 12, flags);
            self.ring.write16(at + 14, id);
        }
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
        let room = pieces.iter().filter(|p| p.writable).fold(0u32, |n, p| n.saturating_add(p.len));
        if self.packed { self.push_packed(pieces, token, room) } else { self.push_split(pieces, token, room) }
    }

    fn set_chain(&mut self, i: u16, c: Chain) {
        if let Some(slot) = self.chains.get_mut(usize::from(i)) {
            *slot = c;
        }
    }

    fn push_split(&mut self, pieces: &[Piece], token: u16, room: u32) -> Result {
        let first = self.free_head;
        let mut at = first;
        let last = pieces.len() - 1;
        for (n, p) in pieces.iter().enumerate() {
            let next = self.free_next.get(usize::from(at)).copied().unwrap_or(0);
            let flags = if p.writable { WRITE } else { 0 } | if n < last { NEXT } else { 0 };
            self.put_desc(at, p, if n < last { next } else { 0 }, flags);
            at = next;
        }
        self.free_head = at;
        self.free -= pieces.len() as u16;
        self.set_chain(first, Chain { used: true, token, descs: pieces.len() as u16, room, first });
        let slot = usize::from(self.avail_idx % self.size);
        self.ring.write16(self.avail_off + 4 + 2 * slot, first);
        write_barrier(); // the entry before the index that shows it
        self.avail_idx = self.avail_idx.wrapping_add(1);
        self.ring.write16(self.avail_off + 2, self.avail_idx);
        Ok(())
    }

    fn push_packed(&mut self, pieces: &[Piece], token: u16, room: u32) -> Result {
        let id = (0..self.size).find(|i| self.chains.get(usize::from(*i)).is_some_and(|c| !c.used)).ok_or(Error::EBUSY)?;
        let first = self.avail_idx;
        let first_wrap = self.avail_wrap;
        let last = pieces.len() - 1;
        let mut first_flags = 0;
        for (n, p) in pieces.iter().enumerate() {
            let phase = if self.avail_wrap { AVAIL } else { USED };
            let flags = if p.writable { WRITE } else { 0 } | if n < last { NEXT } else { 0 } | phase;
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
        self.free -= pieces.len() as u16;
        self.set_chain(id, Chain { used: true, token, descs: pieces.len() as u16, room, first });
        write_barrier(); // the whole chain before its head becomes valid
        self.ring.write16(16 * usize::from(first) + 14, first_flags);
        Ok(())
    }

    /// Whether the device wants to be told of what was pushed.
    pub fn wants_notify(&self) -> bool {
        full_barrier(); // our index before its flag; pairs with the device's store of the flag, then load of the index
        if self.packed {
            // The device's event area: offset and wrap, then flags; 1 is "do not".
            self.ring.read16(self.used_off + 2) != Some(1)
        } else {
            self.ring.read16(self.used_off).unwrap_or(0) & 1 == 0
        }
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

    /// Asks for interrupts again. True: something came before that took effect, for which none may come.
    pub fn arm(&mut self) -> bool {
        self.set_quiet(false); // and a full barrier: pairs with the device's store of the index, then load of our flag
        !self.broken && self.has_more()
    }

    /// Asks for no interrupts (polling), or for them again.
    pub fn set_quiet(&mut self, quiet: bool) {
        if self.sleeping == quiet {
            return;
        }
        self.sleeping = quiet;
        if self.packed {
            self.ring.write16(self.avail_off + 2, u16::from(quiet));
        } else {
            self.ring.write16(self.avail_off, if quiet { NO_INTERRUPT } else { 0 });
        }
        full_barrier();
    }
}

#[path = "test/queue.rs"]
mod test;
