// SPDX-License-Identifier: MIT
//! Nodes: objects of a process that others may call, and who holds them.
//!
//! A node is known to its program by two numbers. Others hold it through references (strong, each counted once for a process), calls in flight and
//! buffers that name it hold it for its own process (local). As that changes from nothing to something or back, the node becomes work: the program is
//! told to hold its object or to let go. It is forgotten when nobody holds it and the program knows so.

use super::call;
use super::death::Death;
use super::process::{entry, item, new_id, Context, Process};
use super::refs;
use super::thread::{Item, Queue, Thread, Work};
use super::wire::{Object, Writer, BR_ACQUIRE, BR_DECREFS, BR_INCREFS, BR_RELEASE};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::Arc;
use kernel::sync::SpinLock;
use kernel::tree::Map;
use kernel::wait::WaitQueue;
use kernel::{Error, Result};

pub struct Node {
    pub id: u64,
    pub owner: Arc<Process>,
    pub ptr: u64,
    pub cookie: u64,
    pub flags: u32, // of the object that made it
    manager: AtomicBool,
    pub state: SpinLock<State>,
}

pub struct State {
    strong: u32,       // processes with a strong reference
    local_strong: u32, // calls, buffers, and the program itself
    local_weak: u32,
    pub refs: u32,        // processes with a reference
    pub has_strong: bool, // the program was told, or is being
    pub has_weak: bool,
    pending_strong: bool, // it has not confirmed
    pending_weak: bool,
    item: Option<Item>, // none: it is on a queue
    pub dead: bool,
    forgotten: bool, // its process's table has it no more: nobody holds it any more
    pub busy: bool,  // a one-way call is with the process; the others wait here
    pub later: Queue,
    pub deaths: Map<u64, Arc<Death>>, // who wants to hear of its end
}

impl State {
    fn is_strong(&self) -> bool {
        self.strong > 0 || self.local_strong > 0
    }

    fn is_held(&self) -> bool {
        self.refs > 0 || self.local_weak > 0 || self.is_strong()
    }

    /// How many hold it, and how many weakly for its own process.
    pub fn holders(&self) -> (u32, u32) {
        (self.local_strong.saturating_add(self.strong), self.local_weak)
    }

    fn work(&mut self, node: &Arc<Node>) -> Option<Item> {
        let mut i = self.item.take()?;
        *i = Some(Work::Node(node.clone()));
        Some(i)
    }
}

impl Node {
    /// That of P's object at PTR, which may be new. `EINVAL`: its other number is another; `ESRCH`: the process ended.
    pub fn get(p: &Arc<Process>, o: &Object) -> Result<Arc<Self>> {
        let known = p.lock.lock().nodes.get(&o.binder).cloned();
        let node = match known {
            Some(n) => n,
            None => Self::make(p, o)?,
        };
        if node.cookie == o.cookie {
            Ok(node)
        } else {
            Err(Error::EINVAL)
        }
    }

    fn make(p: &Arc<Process>, o: &Object) -> Result<Arc<Self>> {
        let state = State {
            strong: 0,
            local_strong: 0,
            local_weak: 0,
            refs: 0,
            has_strong: false,
            has_weak: false,
            pending_strong: false,
            pending_weak: false,
            item: Some(item(None)?),
            dead: false,
            forgotten: false,
            busy: false,
            later: Queue::new(),
            deaths: Map::new(),
        };
        let new = Arc::new(Self {
            id: new_id(),
            owner: p.clone(),
            ptr: o.binder,
            cookie: o.cookie,
            flags: o.flags,
            manager: AtomicBool::new(false),
            state: SpinLock::new(state),
        })?;
        let e = entry(o.binder, new.clone())?;
        let mut st = p.lock.lock();
        if st.dead {
            return Err(Error::ESRCH);
        }
        let other = st.nodes.insert(e);
        let first = other.as_ref().and_then(|_| st.nodes.get(&o.binder).cloned());
        drop(st);
        Ok(first.unwrap_or(new)) // another thread was first
    }

    /// The manager's node is held, and its program need not be told. False: it was forgotten meanwhile.
    pub fn set_manager(&self) -> bool {
        let mut n = self.state.lock();
        if n.forgotten {
            return false;
        }
        self.manager.store(true, Ordering::Relaxed);
        n.local_weak += 1;
        n.local_strong += 1;
        n.has_strong = true;
        n.has_weak = true;
        true
    }

    pub fn is_manager(&self) -> bool {
        self.manager.load(Ordering::Relaxed)
    }

    /// One more holder. `to`: a thread of the node's process that will be told, should the program not know; nobody tells it in time where there is
    /// none: `EINVAL`. `EAGAIN`: it was forgotten since it was found. The process may be locked, but not its threads.
    pub fn hold(self: &Arc<Self>, strong: bool, local: bool, to: Option<&Thread>) -> Result {
        let mut n = self.state.lock();
        if n.forgotten {
            return Err(if to.is_some() { Error::EAGAIN } else { Error::EINVAL });
        }
        if strong {
            if local {
                n.local_strong += 1;
            } else {
                if to.is_none() && n.strong == 0 && !(self.is_manager() && n.has_strong) {
                    return Err(Error::EINVAL);
                }
                n.strong += 1;
            }
        } else {
            if !n.has_weak && n.item.is_some() && to.is_none() {
                return Err(Error::EINVAL);
            }
            if local {
                n.local_weak += 1;
            }
        }
        let known = if strong { n.has_strong } else { n.has_weak };
        if let Some(t) = to.filter(|_| !known)
            && let Some(i) = n.work(self)
        {
            t.state.lock().todo.push_back(i);
        }
        Ok(())
    }

    /// One holder less; `gone`: one process with a reference less. No lock is held.
    pub fn let_go(self: &Arc<Self>, strong: bool, local: bool, gone: bool) {
        let mut st = self.owner.lock.lock();
        let mut n = self.state.lock();
        if strong {
            let count = if local { &mut n.local_strong } else { &mut n.strong };
            *count = count.saturating_sub(1);
            if n.is_strong() {
                return;
            }
        } else {
            if local {
                n.local_weak = n.local_weak.saturating_sub(1);
            }
            if gone {
                n.refs = n.refs.saturating_sub(1);
            }
            if n.local_weak > 0 || n.refs > 0 {
                return;
            }
        }
        if n.dead || st.dead || n.forgotten {
            return;
        }
        let mut forgotten = None;
        if n.has_strong || n.has_weak {
            if let Some(i) = n.work(self) {
                drop(n);
                st.push(&self.owner, i);
            }
        } else if !n.is_held() && n.item.is_some() {
            n.forgotten = true;
            drop(n);
            forgotten = st.nodes.remove(&self.ptr);
        }
        drop(st);
        drop(forgotten);
    }

    /// It comes off a queue with `i`: what the program is told.
    pub fn tell(self: &Arc<Self>, i: Item) -> Writer<80> {
        let mut w = Writer::new();
        let mut st = self.owner.lock.lock();
        let mut n = self.state.lock();
        n.item = Some(i);
        let (strong, weak) = (n.is_strong(), n.is_held());
        let (had_strong, had_weak) = (n.has_strong, n.has_weak);
        if weak && !had_weak {
            n.has_weak = true;
            n.pending_weak = true;
            n.local_weak += 1;
            w = w.u32(BR_INCREFS).u64(self.ptr).u64(self.cookie);
        }
        if strong && !had_strong {
            n.has_strong = true;
            n.pending_strong = true;
            n.local_strong += 1;
            w = w.u32(BR_ACQUIRE).u64(self.ptr).u64(self.cookie);
        }
        if !strong && had_strong {
            n.has_strong = false;
            w = w.u32(BR_RELEASE).u64(self.ptr).u64(self.cookie);
        }
        if !weak && had_weak {
            n.has_weak = false;
            w = w.u32(BR_DECREFS).u64(self.ptr).u64(self.cookie);
        }
        let forget = !(weak || strong || n.dead || n.forgotten);
        n.forgotten |= forget;
        drop(n);
        let forgotten = if forget { st.nodes.remove(&self.ptr) } else { None };
        drop(st);
        drop(forgotten);
        w
    }

    /// It came off a queue that nobody reads any more.
    pub fn put_back(&self, i: Item) {
        self.state.lock().item = Some(i);
    }

    /// BC_INCREFS_DONE, BC_ACQUIRE_DONE; what was not asked for is ignored.
    pub fn confirmed(self: &Arc<Self>, strong: bool) {
        let mut n = self.state.lock();
        let pending = if strong { &mut n.pending_strong } else { &mut n.pending_weak };
        if core::mem::take(pending) {
            drop(n);
            self.let_go(strong, true, false);
        }
    }

    /// Its process ended: those who asked hear of it, calls that waited here are over.
    pub fn die(self: &Arc<Self>) {
        let (mut later, mut deaths) = (Queue::new(), Map::new());
        {
            let mut n = self.state.lock();
            n.dead = true;
            core::mem::swap(&mut n.later, &mut later);
            core::mem::swap(&mut n.deaths, &mut deaths);
        }
        call::release_queue(&mut later);
        while let Some(d) = deaths.pop_first() {
            d.into_value().node_died();
        }
    }
}

/// An object whose node was forgotten between the look for it and the hold gets another one, which the first does not take away.
fn forgotten_is_not_held(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let (context, polled) = (Arc::new(Context::new()?)?, Arc::new(WaitQueue::new()?)?);
    let p = Process::new(context.clone(), polled.clone())?;
    let q = Process::new(context, polled)?;
    let t = Thread::current(&p)?;
    let o = Object { kind: 0, flags: 0, binder: 16, cookie: 17 };
    let n = Node::get(&p, &o)?;
    let h = refs::hold(&q, &n, true, Some(&t))?;
    refs::let_go(&q, h, true);
    let told = t.state.lock().todo.pop_front();
    if let Some(mut i) = told {
        drop(i.take());
        kernel::kt_assert!(n.tell(i).bytes().is_empty());
    }
    kernel::kt_assert!(p.lock.lock().nodes.is_empty());
    kernel::kt_assert!(refs::hold(&q, &n, true, Some(&t)) == Err(Error::EAGAIN));
    let again = Node::get(&p, &o)?;
    kernel::kt_assert!(!Arc::ptr_eq(&n, &again));
    n.let_go(false, false, false);
    kernel::kt_assert!(!p.lock.lock().nodes.is_empty());
    kernel::kt_assert!(refs::hold(&q, &again, true, Some(&t)).is_ok());
    Process::release(&q);
    Process::release(&p);
    Ok(())
}

kernel::ktest!(binder_forgotten_is_not_held, forgotten_is_not_held);
