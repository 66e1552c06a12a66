// SPDX-License-Identifier: MIT
//! Processes: what one open file of a device stands for, and the device with its manager.

use super::buffer::Buffer;
use super::call;
use super::death::Death;
use super::node::Node;
use super::refs::Refs;
use super::space::Space;
use super::thread::{self, Item, Queue, Thread, Work};
use super::wire::{Object, Reader, Writer};
use core::sync::atomic::{AtomicU64, Ordering};
use kernel::alloc::{Arc, ACCOUNT};
use kernel::area::{Area, Mapped, NewMapping};
use kernel::refs::ARef;
use kernel::sync::Mutex;
use kernel::thread::{Pid, Uid};
use kernel::tree::{Entry, Map};
use kernel::wait::WaitQueue;
use kernel::{Error, Result};

/// Bytes of the largest buffer area.
const MOST: usize = 4 << 20;

/// A number that was never used.
pub fn new_id() -> u64 {
    static IDS: AtomicU64 = AtomicU64::new(1);
    IDS.fetch_add(1, Ordering::Relaxed)
}

/// A device.
pub struct Context {
    manager: Mutex<Manager>,
}

struct Manager {
    node: Option<Arc<Node>>,
    uid: Option<Uid>, // who was the first may be it again, nobody else
}

impl Context {
    pub fn new() -> Result<Self> {
        Ok(Self { manager: Mutex::new(c"binder manager", Manager { node: None, uid: None })? })
    }

    /// What handle 0 is.
    pub fn manager(&self) -> Option<Arc<Node>> {
        self.manager.lock().node.clone()
    }
}

/// A process.
pub struct Process {
    pub id: u64,
    pub context: Arc<Context>,
    pub pid: ARef<Pid>,
    polled: Arc<WaitQueue>,
    pub lock: Mutex<State>,
}

/// What its lock guards.
pub struct State {
    pub dead: bool,                 // set once: nothing comes to it any more
    pub unmapped: bool,             // set once: no call comes to it any more
    pub nodes: Map<u64, Arc<Node>>, // by the program's address of the object
    pub refs: Refs,
    pub threads: Map<i32, Arc<Thread>>,
    pub waiting: Map<u64, Option<Arc<Thread>>>, // for any work of the process; by the turn in which they began
    pub turn: u64,
    pub todo: Queue,
    pub told: Map<(u64, u64), Option<Arc<Death>>>, // deaths that the program has not confirmed, by cookie
    pub wants_suspects: bool,                      // BINDER_ENABLE_ONEWAY_SPAM_DETECTION
    pub max_threads: u32,
    pub requested: u32,
    pub started: u32,
    pub area: Option<Area>,
    pub space: Space,
    pub buffers: Map<usize, Buffer>, // that the program has, by offset
}

impl State {
    fn new() -> Self {
        Self {
            dead: false,
            unmapped: false,
            nodes: Map::new(),
            refs: Refs::new(),
            threads: Map::new(),
            waiting: Map::new(),
            turn: 0,
            todo: Queue::new(),
            told: Map::new(),
            wants_suspects: false,
            max_threads: 0,
            requested: 0,
            started: 0,
            area: None,
            space: Space::none(),
            buffers: Map::new(),
        }
    }

    /// The thread that began to wait last does so no longer.
    fn take_waiter(&mut self) -> Option<Arc<Thread>> {
        let mut e = self.waiting.pop_last()?;
        let t = e.take()?;
        let mut s = t.state.lock();
        s.waits = None;
        s.place = Some(e);
        drop(s);
        Some(t)
    }

    /// Has a thread look at the process's work.
    pub fn wake_one(&mut self, p: &Process) {
        match self.take_waiter() {
            Some(t) => t.wait.wake_all(),
            None => p.polled.wake_all(),
        }
    }

    /// Work for any thread.
    pub fn push(&mut self, p: &Process, item: Item) {
        self.todo.push_back(item);
        self.wake_one(p);
    }

    /// Work for a waiting thread, so that it is that one's; for any where none waits.
    pub fn give(&mut self, p: &Process, item: Item) {
        match self.take_waiter() {
            Some(t) => {
                t.state.lock().push(item);
                t.wait.wake_all();
            }
            None => self.push(p, item),
        }
    }
}

impl Process {
    pub fn new(context: Arc<Context>, polled: Arc<WaitQueue>) -> Result<Arc<Self>> {
        Arc::new(Self {
            id: new_id(),
            context,
            pid: Pid::current(),
            polled,
            lock: Mutex::new(c"binder process", State::new())?,
        })
    }

    /// Pollers look again.
    pub fn wake_pollers(&self) {
        self.polled.wake_all();
    }

    /// The buffer area. `EINVAL`: another process's; `EPERM`: to be written; `EBUSY`: there is one.
    pub fn map(self: &Arc<Self>, vma: NewMapping<'_>) -> Result {
        if *self.pid != *Pid::current() {
            return Err(Error::EINVAL);
        }
        if vma.is_writable() {
            return Err(Error::EPERM);
        }
        let space = Space::new(vma.size().min(MOST))?;
        let mut st = self.lock.lock();
        if st.area.is_some() {
            return Err(Error::EBUSY);
        }
        st.area = Some(vma.of_area(MOST, self.clone())?); // the last that can fail: a mapping that is not made is not closed
        st.space = space;
        Ok(())
    }

    /// Becomes the manager. `EBUSY`: there is one; `EPERM`: another user was it.
    pub fn manage(self: &Arc<Self>, o: Object) -> Result {
        let mut m = self.context.manager.lock();
        if m.node.is_some() {
            return Err(Error::EBUSY);
        }
        let me = Uid::current();
        if *m.uid.get_or_insert(me) != me {
            return Err(Error::EPERM);
        }
        loop {
            let node = Node::get(self, &o)?;
            if node.set_manager() {
                m.node = Some(node);
                return Ok(());
            }
        }
    }

    /// BINDER_GET_NODE_DEBUG_INFO: what is known of the object behind that at PTR; nothing but zeroes behind the last.
    pub fn node_behind(&self, ptr: u64) -> Writer<24> {
        let st = self.lock.lock();
        let node = ptr.checked_add(1).and_then(|at| st.nodes.from(&at)).map(|(_, n)| n);
        let (ptr, cookie, strong, weak) = node.map_or((0, 0, false, false), |n| {
            let s = n.state.lock();
            (n.ptr, n.cookie, s.has_strong, s.has_weak)
        });
        Writer::new().u64(ptr).u64(cookie).u32(strong.into()).u32(weak.into())
    }

    /// BINDER_GET_NODE_INFO_FOR_REF: how an object that the manager has a handle of is held. `EPERM`: it is not the manager; `EINVAL`: more than the
    /// handle was said, or it holds none strongly.
    pub fn holders(self: &Arc<Self>, ask: &[u8; 24]) -> Result<Writer<24>> {
        let mut r = Reader(ask);
        let handle = r.u32();
        if r.u32() != 0 || r.u64() != 0 || r.u64() != 0 {
            return Err(Error::EINVAL);
        }
        if !self.context.manager().is_some_and(|n| Arc::ptr_eq(&n.owner, self)) {
            return Err(Error::EPERM);
        }
        let node = self.lock.lock().refs.node(handle, true).cloned().ok_or(Error::EINVAL)?;
        let (strong, weak) = node.state.lock().holders();
        Ok(Writer::new().u32(handle).u32(strong).u32(weak).u32(0).u32(0).u32(0))
    }

    /// Threads in the driver come back to their program: a descriptor was closed.
    pub fn send_back(&self) {
        let st = self.lock.lock();
        let mut at = i32::MIN;
        while let Some((&n, t)) = st.threads.from(&at) {
            t.state.lock().need_return = true;
            t.wait.wake_all();
            let Some(next) = n.checked_add(1) else { break };
            at = next;
        }
    }

    /// A thread that came for the process's work leaves; is there more?
    pub fn wake_for_rest(&self) {
        let mut st = self.lock.lock();
        if !st.todo.is_empty() {
            st.wake_one(self);
        }
    }

    /// The file is closed: undoes all that others see of the process.
    pub fn release(p: &Arc<Self>) {
        {
            let mut m = p.context.manager.lock();
            if m.node.as_ref().is_some_and(|n| Arc::ptr_eq(&n.owner, p)) {
                let gone = m.node.take();
                drop(m);
                drop(gone);
            }
        }
        let mut old = State::new();
        {
            let mut st = p.lock.lock();
            st.dead = true;
            core::mem::swap(&mut st.nodes, &mut old.nodes);
            core::mem::swap(&mut st.told, &mut old.told);
            core::mem::swap(&mut st.todo, &mut old.todo);
        }
        loop {
            let next = p.lock.lock().threads.first().map(|(_, t)| t.clone());
            let Some(t) = next else { break };
            thread::release(p, &t);
        }
        while let Some(n) = old.nodes.pop_first() {
            n.into_value().die();
        }
        call::release_queue(&mut old.todo);
        loop {
            let next = p.lock.lock().buffers.pop_first();
            if next.is_none() {
                break;
            }
        }
        loop {
            let next = p.lock.lock().refs.pop();
            let Some(r) = next else { break };
            r.release();
        }
        let area = p.lock.lock().area.take();
        drop(area);
    }
}

/// Its area is gone: it cannot read what comes. Files in its calls could be what keeps it, through sockets, rings or its own device, so none stays;
/// as long as there is an area, a program's memory keeps it.
impl Mapped for Process {
    fn unmapped(p: Arc<Self>) {
        let mut todo = Queue::new();
        {
            let mut st = p.lock.lock();
            st.unmapped = true;
            core::mem::swap(&mut st.todo, &mut todo);
        }
        let mut kept = call::emptied(&mut todo);
        {
            let mut st = p.lock.lock();
            while let Some(i) = if st.dead { None } else { kept.pop_back() } {
                st.todo.push_front(i);
            }
        }
        call::release_queue(&mut kept);
        let (mut thread, mut node) = (i32::MIN, 0);
        loop {
            let next = p.lock.lock().threads.from(&thread).map(|(_, t)| t.clone());
            let Some(t) = next else { break };
            t.empty();
            let Some(after) = t.number.checked_add(1) else { break };
            thread = after;
        }
        loop {
            let next = p.lock.lock().nodes.from(&node).map(|(_, n)| n.clone());
            let Some(n) = next else { break };
            let mut later = core::mem::replace(&mut n.state.lock().later, Queue::new());
            call::release_queue(&mut later);
            let Some(after) = n.ptr.checked_add(1) else { break };
            node = after;
        }
    }
}

/// Memory for work: made before a lock is taken.
pub fn item(w: Option<Work>) -> Result<Item> {
    Item::new(w, ACCOUNT)
}

/// The same for a map.
pub fn entry<K, V>(key: K, value: V) -> Result<Entry<K, V>> {
    Entry::new(key, value, ACCOUNT)
}
