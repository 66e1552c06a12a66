// SPDX-License-Identifier: MIT
//! The data of a call on their way to the buffer: each byte is read once, and each object becomes what it stands for in the process that receives it.
//!
//! Objects lie at ascending offsets, apart from each other. A pointer object names bytes beside the data, which are copied too; it may have a parent,
//! an earlier pointer object whose bytes hold its address, and arrays of descriptors lie in such bytes. Places in those bytes are written in
//! ascending order within one parent, and once a parent is left for one further out, it is not written again: `last` is the place from which on it
//! may be. So no two writes overlap, and each step out is made once.

use super::buffer::{Buffer, Held};
use super::node::Node;
use super::process::{entry, Process};
use super::refs;
use super::thread::Thread;
use super::wire::{self, Descriptors, Object, Pointer, Reader, Transaction};
use kernel::alloc::Arc;
use kernel::file::File;
use kernel::tree::Map;
use kernel::user::UserPtr;
use kernel::{Error, Result};

/// A pointer object that was copied.
struct Copied {
    object: Pointer, // as the program had it
    first: bool,     // at offset 0
    at: usize,       // of its bytes in the area
}

struct Filling<'a> {
    process: &'a Arc<Process>,
    thread: &'a Arc<Thread>,
    to: &'a Arc<Process>,
    takes_files: bool,
    buffer: &'a mut Buffer,
    next: usize,                // where the next pointer object's bytes go in the area
    end: usize,                 // of those
    pointers: Map<u64, Copied>, // by index
    last: Option<(u64, u64)>, // the object whose bytes were written last, and the offset that comes next
}

/// Copies the data and what its objects stand for into B. `takes_files`: `to` wants descriptors. `EINVAL`: no objects, or not P's; `EPERM`: descriptors
/// where none are wanted; `EBADF`; `EFAULT`; `ENOMEM`.
pub fn fill(
    p: &Arc<Process>,
    t: &Arc<Thread>,
    to: &Arc<Process>,
    tr: &Transaction,
    takes_files: bool,
    b: &mut Buffer,
) -> Result {
    if !tr.offsets_size.is_multiple_of(8) {
        return Err(Error::EINVAL);
    }
    let (data, offsets) = (UserPtr::new(tr.buffer as usize), UserPtr::new(tr.offsets as usize));
    let (size, count) = (b.data_size, b.offsets_size / 8);
    let next = b.buffers_at();
    let mut f = Filling {
        process: p,
        thread: t,
        to,
        takes_files,
        next,
        end: next + tr.buffers_size as usize, // the buffer has so many
        buffer: b,
        pointers: Map::new(),
        last: None,
    };
    let mut at = 0; // what comes before is there
    for i in 0..count {
        let mut o = [0; 8];
        offsets.plus(i * 8).read(&mut o)?;
        f.buffer.area.write(f.buffer.offsets_at() + i * 8, &o)?;
        // One that overlaps the last or begins behind the end is EFAULT, one that is cut or not at a multiple of 4 EINVAL, as Linux has it.
        let off = usize::try_from(u64::from_ne_bytes(o)).map_err(|_| Error::EFAULT)?;
        let gap = off.checked_sub(at).ok_or(Error::EFAULT)?;
        let left = size.checked_sub(off).ok_or(Error::EFAULT)?;
        if left < 4 || off % 4 != 0 {
            return Err(Error::EINVAL);
        }
        f.buffer.area.copy_from(f.buffer.off + at, data.plus(at), gap)?;
        at = off + f.object(i as u64, off, left, data.plus(off))?;
    }
    b.area.copy_from(b.off + at, data.plus(at), size - at)
}

impl Filling<'_> {
    /// The object of INDEX, at OFF of the data, of which there are `left` bytes from there on: its bytes.
    fn object(&mut self, index: u64, off: usize, left: usize, from: UserPtr) -> Result<usize> {
        let mut bytes = [0; wire::OBJECT_OF_POINTER];
        let raw = bytes.get_mut(..left.min(wire::OBJECT_OF_POINTER)).ok_or(Error::EINVAL)?;
        from.read(raw)?;
        let kind = Reader(raw).u32();
        let size = match kind {
            wire::BINDER | wire::WEAK_BINDER | wire::HANDLE | wire::WEAK_HANDLE => wire::OBJECT,
            wire::DESCRIPTOR => wire::OBJECT,
            wire::DESCRIPTORS => wire::OBJECT_OF_DESCRIPTORS,
            wire::POINTER => wire::OBJECT_OF_POINTER,
            _ => return Err(Error::EINVAL),
        };
        let raw = raw.get(..size).ok_or(Error::EINVAL)?;
        let to = self.buffer.off + off;
        match kind {
            wire::DESCRIPTOR => {
                let o = Object::decode(raw);
                self.send(to + 8, o.handle(), false)?;
                self.buffer.area.write(to, Object { binder: 0, ..o }.encode().bytes())?;
            }
            wire::DESCRIPTORS => {
                self.descriptors(&Descriptors::decode(raw))?;
                self.buffer.area.write(to, raw)?;
            }
            wire::POINTER => {
                let o = self.pointer(index, off, Pointer::decode(raw))?;
                self.buffer.area.write(to, o.encode().bytes())?;
            }
            _ => {
                let o = self.flat(Object::decode(raw))?;
                self.buffer.area.write(to, o.encode().bytes())?;
            }
        }
        Ok(size)
    }

    /// What a flat object of the process is for the other; it is held for it. `EINVAL`: the process has no such.
    fn flat(&mut self, o: Object) -> Result<Object> {
        let strong = matches!(o.kind, wire::BINDER | wire::HANDLE);
        let room = Buffer::room()?;
        let node = if matches!(o.kind, wire::BINDER | wire::WEAK_BINDER) {
            let h = self.give(&o, strong)?;
            self.buffer.add(room, Held::Handle(h, strong));
            return Ok(o.as_handle(strong, h));
        } else {
            let st = self.process.lock.lock();
            let n = st.refs.node(o.handle(), strong).ok_or(Error::EINVAL)?;
            if Arc::ptr_eq(&n.owner, self.to) {
                n.hold(strong, true, None)?; // under the lock, as for a call's node
            }
            n.clone()
        };
        if Arc::ptr_eq(&node.owner, self.to) {
            let kind = if strong { wire::BINDER } else { wire::WEAK_BINDER };
            let home = Object { kind, binder: node.ptr, cookie: node.cookie, ..o };
            self.buffer.add(room, Held::Node(node, strong));
            return Ok(home);
        }
        let h = refs::hold(self.to, &node, strong, None)?;
        self.buffer.add(room, Held::Handle(h, strong));
        Ok(o.as_handle(strong, h))
    }

    /// A reference of the other process to an object of ours: its handle.
    fn give(&self, o: &Object, strong: bool) -> Result<u32> {
        loop {
            let n = Node::get(self.process, o)?;
            match refs::hold(self.to, &n, strong, Some(self.thread)) {
                Err(Error::EAGAIN) => {} // its last holder left meanwhile: there will be another node
                Err(e) => {
                    n.let_go(false, false, false); // it may be new, and nobody's
                    return Err(e);
                }
                h => return h,
            }
        }
    }

    /// The file of FD goes along; its number in the other process goes to AT of the area.
    fn send(&mut self, at: usize, fd: u32, array: bool) -> Result {
        if !self.takes_files {
            return Err(Error::EPERM);
        }
        self.buffer.send(at, File::of_descriptor(fd)?, array)
    }

    /// A pointer object with its bytes: as the other process sees it.
    fn pointer(&mut self, index: u64, off: usize, o: Pointer) -> Result<Pointer> {
        let at = self.next;
        let length = usize::try_from(o.length).ok().filter(|n| *n <= self.end - at);
        let length = length.ok_or(Error::EINVAL)?;
        // Bytes that cannot be read are EINVAL here, as Linux has it.
        let from = UserPtr::new(o.buffer as usize);
        self.buffer.area.copy_from(at, from, length).map_err(|_| Error::EINVAL)?;
        self.next += length.next_multiple_of(8); // the end is such a multiple, too
        let address = self.buffer.area.base() + at as u64;
        if o.has_parent() {
            let place = self.place(o.parent, o.parent_offset, 8)?;
            self.buffer.area.write(place, &address.to_ne_bytes())?;
        }
        let seen = Pointer { buffer: address, ..o };
        self.pointers.insert(entry(index, Copied { object: o, first: off == 0, at })?);
        self.last = Some((index, 0));
        Ok(seen)
    }

    /// An array of descriptors in the bytes of an earlier object.
    fn descriptors(&mut self, o: &Descriptors) -> Result {
        let size = o.count.checked_mul(4).ok_or(Error::EINVAL)?;
        let place = self.place(o.parent, o.parent_offset, size)?;
        let parent = self.pointers.get(&o.parent).ok_or(Error::EINVAL)?;
        let theirs = parent.object.buffer.wrapping_add(o.parent_offset);
        if o.count > 0 && (!(place as u64).is_multiple_of(4) || !theirs.is_multiple_of(4)) {
            return Err(Error::EINVAL);
        }
        for i in 0..o.count as usize {
            let fd = wire::read_u32(UserPtr::new(theirs as usize).plus(i * 4))?;
            self.send(place + i * 4, fd, true)?;
        }
        self.last = Some((o.parent, o.parent_offset + size));
        Ok(())
    }

    /// Where the SIZE bytes at OFF of an earlier pointer object's lie in the area. `EINVAL`: there is no such object, they are not all its, or may
    /// not be written any more.
    fn place(&self, parent: u64, off: u64, size: u64) -> Result<usize> {
        let p = self.pointers.get(&parent).ok_or(Error::EINVAL)?;
        let (mut at, mut from) = self.last.ok_or(Error::EINVAL)?;
        if self.pointers.get(&at).is_none_or(|c| c.first) {
            return Err(Error::EINVAL); // nothing lies in an object at offset 0, as Linux has it
        }
        while at != parent {
            let o = &self.pointers.get(&at).ok_or(Error::EINVAL)?.object;
            if !o.has_parent() {
                return Err(Error::EINVAL);
            }
            (at, from) = (o.parent, o.parent_offset + 8);
        }
        let end = off.checked_add(size).ok_or(Error::EINVAL)?;
        if off < from || (size > 0 && end > p.object.length) {
            return Err(Error::EINVAL);
        }
        Ok(p.at.wrapping_add(off as usize))
    }
}
