// SPDX-License-Identifier: MIT
//! Calls and replies, from the command to the queue of whom they are for.
//!
//! A call that waits for a reply lies on two stacks: that of the thread that made it (`parent`: what lay below), and that of the thread that serves it
//! (`below`). So a call back to a process that waits finds the thread that waits there, along the parents.

use super::buffer::Buffer;
use super::node::Node;
use super::objects;
use super::process::{item, new_id, Process};
use super::thread::{Extended, Queue, Thread, Work};
use super::wire::{
    Reader, Transaction, BR_DEAD_REPLY, BR_FAILED_REPLY, BR_TRANSACTION_COMPLETE, FLAG_ACCEPTS_FDS,
    FLAG_SECURITY_CTX, TF_ACCEPT_FDS, TF_ONE_WAY,
};
use kernel::alloc::Arc;
use kernel::refs::ARef;
use kernel::sync::SpinLock;
use kernel::thread::{Pid, Uid};
use kernel::tree::Entry;
use kernel::{Error, Result};

pub struct Call {
    parent: Option<Arc<Call>>,
    pub code: u32,
    pub flags: u32,
    pub euid: Uid,
    pub pid: Option<ARef<Pid>>, // of whom waits for a reply
    pub reply: bool,
    state: SpinLock<State>,
}

struct State {
    from: Option<Arc<Thread>>, // waits for the reply; none: nobody does, or not any more
    to: Option<Arc<Thread>>,   // serves it
    below: Option<Arc<Call>>,
    buffer: Option<Entry<usize, Buffer>>, // until the program has it
}

/// The chain of parents goes one by one, not each within the last: it is as long as programs like.
impl Drop for Call {
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut c) = next.and_then(Arc::into_unique) {
            next = c.parent.take();
        }
    }
}

impl Call {
    fn new(
        t: &Arc<Thread>,
        tr: &Transaction,
        reply: bool,
        parent: Option<Arc<Call>>,
        buffer: Entry<usize, Buffer>,
    ) -> Result<Arc<Self>> {
        let waits = !reply && tr.flags & TF_ONE_WAY == 0;
        Arc::new(Self {
            parent,
            code: tr.code,
            flags: tr.flags,
            euid: Uid::of_process(),
            pid: waits.then(|| t.process.pid.clone()),
            reply,
            state: SpinLock::new(State {
                from: waits.then(|| t.clone()),
                to: None,
                below: None,
                buffer: Some(buffer),
            }),
        })
    }

    /// Its buffer, for the program.
    pub fn take_buffer(&self) -> Option<Entry<usize, Buffer>> {
        self.state.lock().buffer.take()
    }

    /// It is the one-way call that is with the process.
    pub fn make_active(&self) {
        if let Some(b) = self.state.lock().buffer.as_mut() {
            b.active = true;
        }
    }

    /// T serves it from now on.
    pub fn begin(self: &Arc<Self>, t: &Arc<Thread>) {
        let mut s = t.state.lock();
        let below = s.stack.replace(self.clone());
        let mut c = self.state.lock();
        c.to = Some(t.clone());
        c.below = below;
    }

    fn is_served_by(&self, t: &Arc<Thread>) -> bool {
        self.state.lock().to.as_ref().is_some_and(|x| Arc::ptr_eq(x, t))
    }
}

/// What a failed command is answered, and why.
struct Failure(u32, Error);

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Failure(if e == Error::ESRCH { BR_DEAD_REPLY } else { BR_FAILED_REPLY }, e)
    }
}

type Outcome = core::result::Result<(), Failure>;

fn explain(t: &Thread, f: &Failure) {
    t.state.lock().extended = Extended { id: new_id() as u32, command: f.0, param: f.1.code() };
}

/// BC_TRANSACTION. What goes wrong the thread is told.
pub fn make(p: &Arc<Process>, t: &Arc<Thread>, tr: &Transaction) {
    if let Err(f) = try_make(p, t, tr) {
        explain(t, &f);
        t.state.lock().fail(f.0);
    }
}

/// The failure of a call to a dead object, or to handle 0 without a manager.
const DEAD: Failure = Failure(BR_DEAD_REPLY, Error::EINVAL);

fn held(node: &Arc<Node>) -> core::result::Result<Arc<Node>, Failure> {
    if node.state.lock().dead {
        return Err(DEAD);
    }
    node.hold(true, true, None)?;
    Ok(node.clone())
}

/// The node that a call is for, held for it.
fn target(p: &Arc<Process>, handle: u32) -> core::result::Result<Arc<Node>, Failure> {
    if handle == 0 {
        let n = p.context.manager().ok_or(DEAD)?;
        if *n.owner.pid == *p.pid {
            return Err(Error::EINVAL.into());
        }
        return held(&n);
    }
    // The lock until the call holds the node: else a thread that lets go of the handle meanwhile has the owner told that nobody does, before the call.
    let st = p.lock.lock();
    held(st.refs.node(handle, true).ok_or(Error::EINVAL)?)
}

/// The thread of `to` that waits for the end of what T serves.
fn waiter(
    t: &Arc<Thread>,
    top: &Option<Arc<Call>>,
    to: &Arc<Process>,
) -> core::result::Result<Option<Arc<Thread>>, Failure> {
    let Some(top) = top else { return Ok(None) };
    if !top.is_served_by(t) {
        return Err(Error::EPROTO.into()); // it waits for a reply itself
    }
    let mut at = Some(top.clone());
    while let Some(c) = at {
        let from = c.state.lock().from.clone();
        if let Some(x) = from.filter(|x| Arc::ptr_eq(&x.process, to)) {
            return Ok(Some(x));
        }
        at = c.parent.clone();
    }
    Ok(None)
}

fn try_make(p: &Arc<Process>, t: &Arc<Thread>, tr: &Transaction) -> Outcome {
    let one_way = tr.flags & TF_ONE_WAY != 0;
    let node = target(p, tr.handle)?;
    let to = node.owner.clone();
    let (mut top, mut thread) = (None, None);
    let sizes = sizes(tr);
    let fit = if sizes.is_err() || Arc::ptr_eq(&to, p) || node.flags & FLAG_SECURITY_CTX != 0 {
        Err(Error::EINVAL.into())
    } else if one_way {
        Ok(())
    } else {
        top = t.state.lock().stack.clone();
        waiter(t, &top, &to).map(|x| thread = x)
    };
    if let Err(f) = fit {
        node.let_go(true, true, false);
        return Err(f);
    }
    let mut b =
        Buffer::new(&to, sizes?, if one_way { p.id } else { 0 }, tr.flags, Some(node.clone()))?;
    objects::fill(p, t, &to, tr, node.flags & FLAG_ACCEPTS_FDS != 0, &mut b)?;
    let complete = item(Some(b.complete()))?;
    let call = Call::new(t, tr, false, top, b)?;
    let work = item(Some(Work::Call(call.clone())))?;

    let mut left = None; // dropped behind the lock
    let mut st = to.lock.lock();
    let gone = st.dead || st.unmapped || thread.as_ref().is_some_and(|x| x.state.lock().dead);
    if gone {
        left = Some((work, complete));
    } else if one_way {
        t.state.lock().succeed(complete, true);
        let mut n = node.state.lock();
        if n.busy {
            n.later.push_back(work);
        } else {
            n.busy = true;
            call.make_active();
            drop(n);
            st.give(&to, work);
        }
    } else {
        let mut s = t.state.lock();
        s.succeed(complete, false); // told with the reply
        s.stack = Some(call.clone());
        drop(s);
        match &thread {
            Some(x) => {
                x.state.lock().push(work);
                x.wait.wake_all();
                to.wake_pollers();
            }
            None => st.give(&to, work),
        }
    }
    drop(st);
    if left.is_some() {
        Err(Error::ESRCH.into())
    } else {
        Ok(())
    }
}

/// Bytes of the data, of the offsets, and of the buffers beside them. `EINVAL`: the last are no multiple of 8.
fn sizes(tr: &Transaction) -> Result<(u64, u64, u64)> {
    if !tr.buffers_size.is_multiple_of(8) {
        return Err(Error::EINVAL);
    }
    Ok((tr.data_size, tr.offsets_size, tr.buffers_size))
}

/// BC_REPLY. What goes wrong the thread and its caller are told.
pub fn reply(p: &Arc<Process>, t: &Arc<Thread>, tr: &Transaction) {
    let top = t.state.lock().stack.clone().filter(|c| c.is_served_by(t));
    let Some(call) = top else {
        let f = Failure::from(Error::EPROTO);
        explain(t, &f);
        t.state.lock().fail(f.0);
        return;
    };
    let from = {
        let mut s = t.state.lock();
        let mut c = call.state.lock();
        s.stack = c.below.take();
        c.to = None;
        c.from.clone()
    };
    if let Err(f) = try_reply(p, t, tr, &call, from) {
        explain(t, &f);
        t.state.lock().fail(BR_TRANSACTION_COMPLETE);
        fail(&call, f.0);
    }
}

fn try_reply(
    p: &Arc<Process>,
    t: &Arc<Thread>,
    tr: &Transaction,
    call: &Arc<Call>,
    from: Option<Arc<Thread>>,
) -> Outcome {
    let from = from.ok_or(Error::ESRCH)?;
    let to = from.process.clone();
    let mut b = Buffer::new(&to, sizes(tr)?, 0, tr.flags, None)?;
    objects::fill(p, t, &to, tr, call.flags & TF_ACCEPT_FDS != 0, &mut b)?;
    let work = item(Some(Work::Call(Call::new(t, tr, true, None, b)?)))?;
    let complete = item(Some(Work::Code(BR_TRANSACTION_COMPLETE)))?;
    let mut s = from.state.lock();
    let waits = !s.dead && !s.unmapped && s.stack.as_ref().is_some_and(|c| Arc::ptr_eq(c, call));
    if !waits {
        drop(s);
        drop((work, complete));
        return Err(Error::ESRCH.into());
    }
    let done = core::mem::replace(&mut s.stack, call.parent.clone());
    s.push(work);
    drop(s);
    drop(done);
    call.state.lock().from = None;
    t.state.lock().succeed(complete, true);
    from.wait.wake_all();
    to.wake_pollers();
    Ok(())
}

/// A call will have no reply: who waits for it is told `code`; where nobody does, who waits for that one's end.
pub fn fail(call: &Arc<Call>, code: u32) {
    let mut at = call.clone();
    loop {
        let from = at.state.lock().from.take();
        if let Some(t) = from {
            let mut s = t.state.lock();
            if s.stack.as_ref().is_some_and(|c| Arc::ptr_eq(c, &at)) {
                s.stack = at.parent.clone(); // `at` is still ours: nothing goes under the lock
            }
            s.fail_call(code);
            drop(s);
            t.wait.wake_all();
            t.process.wake_pollers();
            return;
        }
        let Some(next) = at.parent.clone() else { return };
        at = next;
    }
}

/// T is no more: the calls that it made or serves know so. The innermost, if T serves it, has no reply.
pub fn leave(t: &Arc<Thread>, stack: Option<Arc<Call>>) {
    let served = stack.clone().filter(|c| c.is_served_by(t));
    let mut at = stack;
    while let Some(c) = at {
        let mut s = c.state.lock();
        let (thread, next) = if s.to.as_ref().is_some_and(|x| Arc::ptr_eq(x, t)) {
            (s.to.take(), s.below.take())
        } else {
            (s.from.take(), c.parent.clone())
        };
        drop(s);
        drop(thread);
        at = next;
    }
    if let Some(c) = served {
        fail(&c, BR_DEAD_REPLY);
    }
}

/// Nobody will read a queue: its calls have no reply.
pub fn release_queue(q: &mut Queue) {
    while let Some(mut i) = q.pop_front() {
        match i.take() {
            Some(Work::Call(c)) => undelivered(&c, BR_DEAD_REPLY),
            Some(Work::Node(n)) => n.put_back(i),
            _ => {}
        }
    }
}

/// Nobody can read the calls of a queue: they have no reply. The rest of it, with replies, which say so as they are read.
pub fn emptied(q: &mut Queue) -> Queue {
    let mut rest = Queue::new();
    while let Some(i) = q.pop_front() {
        let call = match &*i {
            Some(Work::Call(c)) => Some(c.clone()),
            _ => None,
        };
        let is_kept = call.as_ref().is_none_or(|c| c.reply);
        if let Some(c) = call {
            undelivered(&c, BR_DEAD_REPLY);
        }
        if is_kept {
            rest.push_back(i);
        }
    }
    rest
}

/// A call did not reach its program.
pub fn undelivered(c: &Arc<Call>, code: u32) {
    if !c.reply && c.flags & TF_ONE_WAY == 0 {
        fail(c, code);
    }
    drop(c.take_buffer());
}

/// BC_FREE_BUFFER: what the program has not is ignored, as Linux has it.
pub fn free_buffer(p: &Process, at: u64) {
    let mut st = p.lock.lock();
    let off = st
        .area
        .as_ref()
        .and_then(|a| at.checked_sub(a.base()))
        .and_then(|o| usize::try_from(o).ok());
    let b = off.and_then(|o| st.buffers.remove(&o));
    drop(st);
    if let Some(mut b) = b
        && *p.pid == *Pid::current()
    {
        b.close_arrays();
    }
}

/// A number of a command's, from its bytes.
pub fn pair(b: &[u8]) -> (u64, u64) {
    let mut r = Reader(b);
    (r.u64(), r.u64())
}
