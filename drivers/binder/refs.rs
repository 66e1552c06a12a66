// SPDX-License-Identifier: MIT
//! Handles: a process's references to nodes of others, each with a strong and a weak count of its own. The lowest free number is given, 0 to the
//! manager's node alone.

use super::death::Death;
use super::node::Node;
use super::process::{entry, Process};
use super::thread::Thread;
use kernel::alloc::Arc;
use kernel::tree::{Entry, Map};
use kernel::{Error, Result};

pub struct Ref {
    pub node: Arc<Node>,
    strong: u32,
    weak: u32,
    death: Option<Arc<Death>>,
    spare: Option<Entry<u32, ()>>, // for the number, as it becomes free
}

pub struct Refs {
    by_handle: Map<u32, Ref>,
    by_node: Map<u64, u32>,
    free: Map<u32, ()>, // numbers below `next`
    next: u32,
}

struct Room {
    handle: Entry<u32, Ref>,
    node: Entry<u64, u32>,
}

impl Refs {
    pub const fn new() -> Self {
        Self { by_handle: Map::new(), by_node: Map::new(), free: Map::new(), next: 1 }
    }

    /// The node of a handle; `strong`: only where the process holds it so.
    pub fn node(&self, handle: u32, strong: bool) -> Option<&Arc<Node>> {
        self.by_handle.get(&handle).filter(|r| !strong || r.strong > 0).map(|r| &r.node)
    }

    fn add(&mut self, room: Room, manager: bool) {
        let Room { mut handle, mut node } = room;
        // 0 is still that of the last manager's node where the process has not let go of it.
        let n = if manager && self.by_handle.get(&0).is_none() {
            0
        } else if let Some(e) = self.free.pop_first() {
            let n = *e.key();
            handle.spare = Some(e);
            n
        } else {
            self.next += 1;
            self.next - 1
        };
        handle.set_key(n);
        *node = n;
        self.by_node.insert(node);
        self.by_handle.insert(handle);
    }

    fn remove(&mut self, handle: u32) -> Option<Ref> {
        let mut r = self.by_handle.remove(&handle)?.into_value();
        self.by_node.remove(&r.node.id);
        self.give_back(handle, r.spare.take());
        Some(r)
    }

    fn give_back(&mut self, handle: u32, spare: Option<Entry<u32, ()>>) {
        if handle == 0 {
            return;
        }
        if let Some(mut e) = spare {
            e.set_key(handle);
            self.free.insert(e);
        }
        while self.free.last().is_some_and(|(&n, ())| n + 1 == self.next) {
            self.free.pop_last();
            self.next -= 1;
        }
    }

    /// Any of them, as the process ends.
    pub fn pop(&mut self) -> Option<Ref> {
        let &handle = self.by_handle.first()?.0;
        self.remove(handle)
    }
}

impl Ref {
    /// What is left of one that no table has. No lock is held.
    pub fn release(self) {
        if let Some(d) = self.death {
            d.cancel();
            let kept = self.node.state.lock().deaths.remove(&d.id);
            drop(kept);
        }
        if self.strong > 0 {
            self.node.let_go(true, false, false);
        }
        self.node.let_go(false, false, true);
    }
}

/// One more reference of P to NODE: its handle. `to` as in `Node::hold`. `ESRCH`: P ended.
pub fn hold(p: &Process, node: &Arc<Node>, strong: bool, to: Option<&Thread>) -> Result<u32> {
    let mut room = None;
    loop {
        let mut st = p.lock.lock();
        if st.dead {
            return Err(Error::ESRCH);
        }
        let handle = match st.refs.by_node.get(&node.id) {
            Some(&h) => h,
            None => {
                if let Some(r) = room.take() {
                    node.state.lock().refs += 1;
                    st.refs.add(r, node.is_manager());
                    continue;
                }
                drop(st);
                let new = Ref {
                    node: node.clone(),
                    strong: 0,
                    weak: 0,
                    death: None,
                    spare: Some(entry(0, ())?),
                };
                room = Some(Room { handle: entry(0, new)?, node: entry(node.id, 0)? });
                continue;
            }
        };
        let r = st.refs.by_handle.get_mut(&handle).ok_or(Error::EINVAL)?;
        let first = if strong { r.strong == 0 } else { r.weak == 0 };
        let held = if first { node.hold(strong, false, to) } else { Ok(()) };
        if let Err(e) = held {
            let unused = r.strong == 0 && r.weak == 0;
            let gone = if unused { st.refs.remove(handle) } else { None };
            drop(st);
            if let Some(r) = gone {
                r.release();
            }
            return Err(e);
        }
        let count = if strong { &mut r.strong } else { &mut r.weak };
        *count = count.checked_add(1).ok_or(Error::EINVAL)?;
        return Ok(handle);
    }
}

/// One more of a handle that P has. `EINVAL`: it has not.
pub fn hold_handle(p: &Process, handle: u32, strong: bool) -> Result {
    let node = p.lock.lock().refs.node(handle, false).cloned().ok_or(Error::EINVAL)?;
    hold(p, &node, strong, None).map(|_| ())
}

/// One less. What P has not is ignored. No lock is held.
pub fn let_go(p: &Process, handle: u32, strong: bool) {
    let mut st = p.lock.lock();
    let Some(r) = st.refs.by_handle.get_mut(&handle) else { return };
    let count = if strong { &mut r.strong } else { &mut r.weak };
    if *count == 0 {
        return;
    }
    *count -= 1;
    let last = strong && *count == 0;
    let node = r.node.clone();
    let unused = r.strong == 0 && r.weak == 0;
    let gone = if unused { st.refs.remove(handle) } else { None };
    drop(st);
    if last {
        node.let_go(true, false, false);
    }
    if let Some(r) = gone {
        r.release();
    }
}

/// BC_REQUEST_DEATH_NOTIFICATION. A handle that P has not, or has asked for, is ignored, as Linux has it. `ENOMEM`.
pub fn ask(p: &Arc<Process>, handle: u32, cookie: u64) -> Result {
    let d = Death::new(p, cookie)?;
    let mut e = Some(entry(d.id, d.clone())?);
    let dead = {
        let mut st = p.lock.lock();
        let Some(r) = st.refs.by_handle.get_mut(&handle) else { return Ok(()) };
        if r.death.is_some() {
            return Ok(());
        }
        r.death = Some(d.clone());
        let mut n = r.node.state.lock();
        if !n.dead
            && let Some(e) = e.take()
        {
            n.deaths.insert(e);
        }
        n.dead
    };
    if dead {
        d.node_died();
    }
    Ok(())
}

/// BC_CLEAR_DEATH_NOTIFICATION by T. What was not asked for, or with another cookie, is ignored.
pub fn ask_no_more(p: &Process, handle: u32, cookie: u64, t: &Thread) {
    let mut st = p.lock.lock();
    let Some(r) = st.refs.by_handle.get_mut(&handle) else { return };
    if r.death.as_ref().is_none_or(|d| d.cookie != cookie) {
        return;
    }
    let Some(d) = r.death.take() else { return };
    let kept = r.node.state.lock().deaths.remove(&d.id);
    drop(st);
    drop(kept);
    d.clear(t);
}
