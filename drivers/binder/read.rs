// SPDX-License-Identifier: MIT
//! What a program reads: answers, as long as there is work and room.

use super::call::{self, Call};
use super::process::Process;
use super::thread::{Item, Thread, Work};
use super::wire::{
    Writer, BR_FAILED_REPLY, BR_NOOP, BR_ONEWAY_SPAM_SUSPECT, BR_REPLY, BR_SPAWN_LOOPER,
    BR_TRANSACTION, BR_TRANSACTION_COMPLETE, LARGEST,
};
use kernel::alloc::Arc;
use kernel::user::UserPtr;
use kernel::{Error, Result};

/// Where the next answer goes.
struct Room<'a> {
    at: u64,
    given: &'a mut u64,
}

impl Room<'_> {
    fn put(&mut self, b: &[u8]) -> Result {
        UserPtr::new(self.at.wrapping_add(*self.given) as usize).write(b)?;
        *self.given += b.len() as u64;
        Ok(())
    }
}

/// Fills from `given` to `size`; waits where there is nothing. `EAGAIN`, `EINTR`, `EFAULT`: `given` stays as it was, as Linux has it.
pub fn run(
    p: &Arc<Process>,
    t: &Arc<Thread>,
    at: u64,
    size: u64,
    given: &mut u64,
    nonblock: bool,
) -> Result {
    let mut now = *given;
    let mut room = Room { at, given: &mut now };
    if *room.given == 0 {
        room.put(&BR_NOOP.to_ne_bytes())?;
    }
    loop {
        let all = t.serves_all();
        if nonblock {
            if !t.has_work(all) {
                return Err(Error::EAGAIN);
            }
        } else {
            t.wait_for_work(all)?;
        }
        if fill(p, t, &mut room, size, all)? {
            break;
        }
    }
    *given = now;
    ask_for_thread(p, t, at)
}

/// Whether the program goes back: there was something, or it must.
fn fill(
    p: &Arc<Process>,
    t: &Arc<Thread>,
    room: &mut Room<'_>,
    size: u64,
    all: bool,
) -> Result<bool> {
    loop {
        // No more is taken than has room.
        let fits = size.saturating_sub(*room.given) >= LARGEST as u64;
        let Some(i) = next(p, t, all, fits) else {
            return Ok(!fits || *room.given != 4 || t.state.lock().need_return);
        };
        if tell(p, t, room, i)? {
            return Ok(true);
        }
    }
}

/// The thread's first work, or the process's.
fn next(p: &Process, t: &Thread, all: bool, fits: bool) -> Option<Item> {
    if !fits {
        return None;
    }
    let mut st = p.lock.lock();
    let mut s = t.state.lock();
    match s.todo.pop_front() {
        Some(i) => {
            if s.todo.is_empty() {
                s.now = false;
            }
            Some(i)
        }
        None if all => st.todo.pop_front(),
        None => None,
    }
}

/// One piece of work; whether it is to be the last for now.
fn tell(p: &Arc<Process>, t: &Arc<Thread>, room: &mut Room<'_>, mut i: Item) -> Result<bool> {
    match i.take() {
        Some(Work::Call(c)) => return tell_call(p, t, room, &c),
        Some(Work::Code(n)) => room.put(&n.to_ne_bytes())?,
        Some(Work::Suspect) => {
            let wants = p.lock.lock().wants_suspects;
            let n = if wants { BR_ONEWAY_SPAM_SUSPECT } else { BR_TRANSACTION_COMPLETE };
            room.put(&n.to_ne_bytes())?;
        }
        Some(Work::Error) => {
            let n = t.state.lock().take_error(i, false);
            room.put(&n.to_ne_bytes())?;
        }
        Some(Work::ReplyError) => {
            let n = t.state.lock().take_error(i, true);
            room.put(&n.to_ne_bytes())?;
        }
        Some(Work::Node(n)) => room.put(n.tell(i).bytes())?,
        Some(Work::Death(d)) => {
            let (w, dead) = d.tell(i);
            room.put(w.bytes())?;
            return Ok(dead);
        }
        None => {}
    }
    Ok(false)
}

fn tell_call(
    p: &Arc<Process>,
    t: &Arc<Thread>,
    room: &mut Room<'_>,
    c: &Arc<Call>,
) -> Result<bool> {
    let numbered = c.take_buffer().map(|b| b.number_files().map(|n| (b, n)));
    let Some(Ok((mut b, numbers))) = numbered else {
        // The area was unmapped, or the table of descriptors is full: the caller is told, of its own call or of the reply.
        call::undelivered(c, BR_FAILED_REPLY);
        if c.reply {
            room.put(&BR_FAILED_REPLY.to_ne_bytes())?;
        }
        return Ok(c.reply);
    };
    let (ptr, cookie) = b.node.as_ref().map_or((0, 0), |n| (n.ptr, n.cookie));
    let base = b.area.base();
    let w = Writer::<68>::new()
        .u32(if c.reply { BR_REPLY } else { BR_TRANSACTION })
        .u64(ptr)
        .u64(cookie)
        .u32(c.code)
        .u32(c.flags)
        .u32(c.pid.as_ref().map_or(0, |p| p.here() as u32))
        .u32(c.euid.here())
        .u64(b.data_size as u64)
        .u64(b.offsets_size as u64)
        .u64(base + b.off as u64)
        .u64(base + b.offsets_at() as u64);
    if let Err(e) = room.put(w.bytes()) {
        drop(b);
        call::undelivered(c, BR_FAILED_REPLY);
        return Err(e);
    }
    b.install(numbers);
    let other = p.lock.lock().buffers.insert(b);
    drop(other); // none: no two are at one place
    if c.pid.is_some() {
        c.begin(t);
    }
    Ok(true)
}

/// BR_SPAWN_LOOPER, in the place of the first BR_NOOP: nobody waits any more, and there may be another thread.
fn ask_for_thread(p: &Process, t: &Thread, at: u64) -> Result {
    {
        let mut st = p.lock.lock();
        if st.requested > 0
            || !st.waiting.is_empty()
            || st.started >= st.max_threads
            || !t.state.lock().is_looper()
        {
            return Ok(());
        }
        st.requested += 1;
    }
    UserPtr::new(at as usize).write(&BR_SPAWN_LOOPER.to_ne_bytes())
}
