// SPDX-License-Identifier: MIT
//! Buffers: the data of one call in the area of the process that receives it, and what it holds there. Dropping one undoes all of that.

use super::node::Node;
use super::process::{entry, Process};
use super::refs;
use super::space::Room;
use super::thread::Work;
use super::wire::{BR_TRANSACTION_COMPLETE, TF_CLEAR_BUF};
use kernel::alloc::{Arc, ACCOUNT};
use kernel::area::Area;
use kernel::file::{self, Descriptor, File};
use kernel::list::{Entry, List};
use kernel::tree::{self, Map};
use kernel::{Error, Result};

/// What an object in a buffer holds.
pub enum Held {
    Node(Arc<Node>, bool), // strongly?
    Handle(u32, bool),
}

/// A file on its way to the program.
struct Sent {
    file: Option<File>, // none: the program has it
    number: u32,        // there
    array: bool,        // the program gives it back with the buffer
}

pub struct Buffer {
    process: Arc<Process>,
    pub area: Area,
    pub off: usize,
    len: usize, // of all of it
    pub data_size: usize,
    pub offsets_size: usize,
    suspect: bool, // its sender takes too much for one-way calls
    clear: bool,
    pub active: bool, // the one one-way call of its node that is with the process
    pub node: Option<Arc<Node>>, // that is called: held
    held: List<Held>,
    files: Map<usize, Sent>, // by where their numbers go
}

/// Rounded up to 8 bytes. `EINVAL`: no number.
fn up(n: u64) -> Result<usize> {
    let n = n.checked_next_multiple_of(8).ok_or(Error::EINVAL)?;
    usize::try_from(n).map_err(|_| Error::EINVAL)
}

impl Buffer {
    /// Room in P's area for data, offsets and the buffers beside them. `sender`: of a one-way call; else 0. `node` is held already, and let go of with the buffer. `ESRCH`: P has no area; `ENOSPC`; `EINVAL`: sizes that make no sense.
    pub fn new(
        p: &Arc<Process>,
        sizes: (u64, u64, u64),
        sender: u64,
        flags: u32,
        node: Option<Arc<Node>>,
    ) -> Result<tree::Entry<usize, Self>> {
        let held = Guard(node);
        let (data, offsets, more) = (up(sizes.0)?, up(sizes.1)?, up(sizes.2)?);
        let len = data.checked_add(offsets).and_then(|n| n.checked_add(more));
        let len = len.ok_or(Error::EINVAL)?.max(8);
        let room = Room::new(sender)?;
        let mut st = p.lock.lock();
        if st.dead {
            return Err(Error::ESRCH);
        }
        let area = st.area.clone().filter(Area::is_mapped).ok_or(Error::ESRCH)?;
        let (off, suspect) = st.space.take(len, room)?;
        drop(st);
        let b = Self {
            process: p.clone(),
            area,
            off,
            len,
            data_size: sizes.0 as usize,
            offsets_size: sizes.1 as usize,
            suspect,
            clear: flags & TF_CLEAR_BUF != 0,
            active: false,
            node: held.keep(),
            held: List::new(),
            files: Map::new(),
        };
        entry(off, b) // without memory it undoes itself
    }

    /// What its sender is told as the call is made.
    pub fn complete(&self) -> Work {
        if self.suspect {
            Work::Suspect
        } else {
            Work::Code(BR_TRANSACTION_COMPLETE)
        }
    }

    /// Where the offsets are.
    pub fn offsets_at(&self) -> usize {
        self.off + self.data_size.next_multiple_of(8)
    }

    /// An object that will hold something: the memory for it, before it does.
    pub fn room() -> Result<Entry<Held>> {
        Entry::new(Held::Handle(0, false), ACCOUNT)
    }

    /// It does.
    pub fn add(&mut self, mut room: Entry<Held>, held: Held) {
        *room = held;
        self.held.push_back(room);
    }

    /// Where the buffers beside the data are.
    pub fn buffers_at(&self) -> usize {
        self.offsets_at() + self.offsets_size.next_multiple_of(8)
    }

    /// The program gets a file, whose number goes to AT of the area; `array`: until it frees the buffer. `ENOMEM`.
    pub fn send(&mut self, at: usize, file: File, array: bool) -> Result {
        let sent = Sent { file: Some(file), number: 0, array };
        self.files.insert(entry(at, sent)?); // no two are at one place
        Ok(())
    }

    /// Numbers for the files in the running program's table, written to where they belong. `EMFILE`; `ENOMEM`.
    pub fn number_files(&self) -> Result<Map<usize, Descriptor>> {
        let mut numbers = Map::new();
        let mut from = 0;
        while let Some((&at, _)) = self.files.from(&from) {
            let d = Descriptor::reserve()?;
            self.area.write(at, &d.number().to_ne_bytes())?;
            numbers.insert(entry(at, d)?);
            from = at + 1;
        }
        Ok(numbers)
    }

    /// From now on the numbers stand for the files.
    pub fn install(&mut self, mut numbers: Map<usize, Descriptor>) {
        while let Some(e) = numbers.pop_first() {
            let (at, d) = (*e.key(), e.into_value());
            let Some(s) = self.files.get_mut(&at) else { continue };
            s.number = d.number();
            if let Some(f) = s.file.take() {
                d.install(f);
            }
            if !s.array {
                drop(self.files.remove(&at));
            }
        }
    }

    /// The program frees the buffer: descriptors in arrays go with it.
    pub fn close_arrays(&mut self) {
        while let Some(s) = self.files.pop_first() {
            let _ = file::close(s.number); // which it may have done before
        }
    }

    /// The next one-way call of the node is the process's.
    fn next_one_way(&self, node: &Arc<Node>) {
        let mut st = self.process.lock.lock();
        let mut n = node.state.lock();
        let next = n.later.pop_front();
        match next {
            Some(i) if !n.dead && !st.dead && !st.unmapped => {
                if let Some(Work::Call(c)) = i.as_ref() {
                    c.make_active();
                }
                drop(n);
                st.push(&self.process, i);
            }
            other => {
                n.busy = false;
                drop(n);
                drop(st);
                drop(other);
            }
        }
    }
}

/// A held node that nobody took.
struct Guard(Option<Arc<Node>>);

impl Guard {
    fn keep(mut self) -> Option<Arc<Node>> {
        self.0.take()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(n) = &self.0 {
            n.let_go(true, true, false);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.clear {
            // Also the offsets, and the buffers beside the data. Of what was written the pages are there; where one is missing, and cannot be had,
            // there is nothing to clear.
            let _ = self.area.zero(self.off, self.len);
        }
        while let Some(h) = self.held.pop_front() {
            match &*h {
                Held::Node(n, strong) => n.let_go(*strong, true, false),
                Held::Handle(h, strong) => refs::let_go(&self.process, *h, *strong),
            }
        }
        if let Some(n) = self.node.take() {
            if self.active {
                self.next_one_way(&n);
            }
            n.let_go(true, true, false);
        }
        self.process.lock.lock().space.give(self.off);
    }
}
