// SPDX-License-Identifier: MIT
//! Threads of a process, and the work that waits for them.

use super::call::{self, Call};
use super::death::Death;
use super::node::Node;
use super::process::{entry, item, Process};
use super::wire::BR_OK;
use kernel::alloc::Arc;
use kernel::list::{Entry, List};
use kernel::sync::SpinLock;
use kernel::thread::Task;
use kernel::tree;
use kernel::wait::WaitQueue;
use kernel::{Error, Result};

/// Something that a program is to be told.
pub enum Work {
    /// A call or a reply.
    Call(Arc<Call>),
    /// A number without more.
    Code(u32),
    /// That its one-way call is made; and, where it wants to know, that it takes too much room for such.
    Suspect,
    /// That its last command failed, in `State::error`.
    Error,
    /// That its call failed, in `State::reply_error`.
    ReplyError,
    Node(Arc<Node>),
    Death(Arc<Death>),
}

/// Work that is on a queue or can be; who is told of again has one for ever, empty while at rest.
pub type Item = Entry<Option<Work>>;
pub type Queue = List<Option<Work>>;

/// Why the last command failed.
pub struct Extended {
    pub id: u32,
    pub command: u32,
    pub param: i32,
}

impl Extended {
    pub const fn none() -> Self {
        Self { id: 0, command: BR_OK, param: 0 }
    }
}

pub struct Thread {
    pub number: i32,
    pub wait: WaitQueue,
    pub process: Arc<Process>,
    pub state: SpinLock<State>,
}

pub struct State {
    pub todo: Queue,
    pub now: bool, // there is work in it that is worth coming back for
    pub registered: bool,
    pub entered: bool,
    pub stack: Option<Arc<Call>>, // the innermost that it made and waits for, or serves
    pub need_return: bool,
    pub dead: bool,
    pub unmapped: bool, // its process's area is: no reply comes
    pub error: u32,
    pub reply_error: u32,
    error_item: Option<Item>,
    reply_item: Option<Item>,
    pub place: Option<tree::Entry<u64, Option<Arc<Thread>>>>, // none: it waits
    pub waits: Option<u64>,                                   // its key there
    pub extended: Extended,
}

impl State {
    /// Work that is worth coming back for.
    pub fn push(&mut self, i: Item) {
        self.todo.push_back(i);
        self.now = true;
    }

    /// Queues the answer to a call or reply that succeeded, and forgets the last failure. `now`: the answer ends a read; else it waits for the reply.
    pub fn succeed(&mut self, complete: Item, now: bool) {
        self.extended = Extended::none();
        self.todo.push_back(complete);
        self.now |= now;
    }

    pub fn is_looper(&self) -> bool {
        self.registered || self.entered
    }

    /// Its last command failed. Nothing else has yet.
    pub fn fail(&mut self, code: u32) {
        self.error = code;
        if let Some(mut i) = self.error_item.take() {
            *i = Some(Work::Error);
            self.push(i);
        }
    }

    /// Its call failed, for the first reason that there is.
    pub fn fail_call(&mut self, code: u32) {
        if self.reply_error != BR_OK {
            return;
        }
        self.reply_error = code;
        if let Some(mut i) = self.reply_item.take() {
            *i = Some(Work::ReplyError);
            self.push(i);
        }
    }

    /// An error came off its queue: which.
    pub fn take_error(&mut self, i: Item, of_call: bool) -> u32 {
        let (at, code) = if of_call {
            (&mut self.reply_item, &mut self.reply_error)
        } else {
            (&mut self.error_item, &mut self.error)
        };
        *at = Some(i);
        core::mem::replace(code, BR_OK)
    }

    pub fn has_work(&self) -> bool {
        self.now || self.need_return
    }
}

impl Thread {
    fn new(process: &Arc<Process>, number: i32) -> Result<Arc<Self>> {
        let state = State {
            todo: Queue::new(),
            now: false,
            registered: false,
            entered: false,
            stack: None,
            need_return: true,
            dead: false,
            unmapped: false,
            error: BR_OK,
            reply_error: BR_OK,
            error_item: Some(item(None)?),
            reply_item: Some(item(None)?),
            place: Some(entry(0, None)?),
            waits: None,
            extended: Extended::none(),
        };
        Arc::new(Self {
            number,
            wait: WaitQueue::new()?,
            process: process.clone(),
            state: SpinLock::new(state),
        })
    }

    /// The running one.
    pub fn current(p: &Arc<Process>) -> Result<Arc<Self>> {
        let number = Task::current().pid();
        let known = p.lock.lock().threads.get(&number).cloned();
        if let Some(t) = known {
            return Ok(t);
        }
        let t = Self::new(p, number)?;
        let e = entry(number, t.clone())?;
        let other = p.lock.lock().threads.insert(e);
        drop(other); // none: nobody else makes ours
        Ok(t)
    }

    /// Whether it may take the process's work: it has no call and no work of its own. As on Linux, BC_ENTER_LOOPER is not needed.
    pub fn serves_all(&self) -> bool {
        let s = self.state.lock();
        s.stack.is_none() && s.todo.is_empty()
    }

    /// Whether it would not wait; `all`: for the process's work too.
    pub fn has_work(&self, all: bool) -> bool {
        let st = self.process.lock.lock();
        self.state.lock().has_work() || (all && !st.todo.is_empty())
    }

    /// Its process's area is gone.
    pub fn empty(&self) {
        let mut todo = Queue::new();
        let now = {
            let mut s = self.state.lock();
            s.unmapped = true;
            core::mem::swap(&mut s.todo, &mut todo);
            core::mem::replace(&mut s.now, false)
        };
        let mut kept = call::emptied(&mut todo);
        let mut s = self.state.lock();
        s.now |= now && !kept.is_empty() && !s.dead;
        while let Some(i) = if s.dead { None } else { kept.pop_back() } {
            s.todo.push_front(i);
        }
        drop(s);
        call::release_queue(&mut kept);
        self.wait.wake_all();
    }

    /// Waits for work; `all`: for the process's too. `EINTR`.
    pub fn wait_for_work(self: &Arc<Self>, all: bool) -> Result {
        let r = self.wait.wait_interruptible(|| {
            let mut st = self.process.lock.lock();
            let mut s = self.state.lock();
            if s.has_work() || (all && !st.todo.is_empty()) {
                return true;
            }
            if all && let Some(mut e) = s.place.take() {
                st.turn += 1;
                s.waits = Some(st.turn);
                e.set_key(st.turn);
                *e = Some(self.clone());
                drop(s);
                st.waiting.insert(e);
            }
            false
        });
        let mut st = self.process.lock.lock();
        let waits = self.state.lock().waits.take();
        let me = waits.and_then(|k| st.waiting.remove(&k)).map(|mut e| {
            let me = e.take();
            self.state.lock().place = Some(e);
            me
        });
        drop(st);
        drop(me);
        r.map_err(|_| Error::EINTR)
    }
}

/// T is no thread of P's any more: whom it serves hears that it died, what waits for it is over.
pub fn release(p: &Arc<Process>, t: &Arc<Thread>) {
    let mut todo = Queue::new();
    let (stack, known) = {
        let mut st = p.lock.lock();
        let known = st.threads.remove(&t.number);
        let mut s = t.state.lock();
        s.dead = true;
        s.now = false;
        core::mem::swap(&mut s.todo, &mut todo);
        (s.stack.take(), known)
    };
    drop(known);
    call::leave(t, stack);
    call::release_queue(&mut todo);
}
