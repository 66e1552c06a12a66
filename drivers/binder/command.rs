// SPDX-License-Identifier: MIT
//! What a program writes: commands, one after the other.

use super::call;
use super::death::Death;
use super::process::Process;
use super::refs;
use super::thread::Thread;
use super::wire::{self, Reader, Transaction, BR_OK};
use kernel::alloc::Arc;
use kernel::user::UserPtr;
use kernel::{Error, Result};

/// Runs commands from `written` to `size`, until one fails that its thread must hear of. `EINVAL`: no command; `EFAULT`.
pub fn run(p: &Arc<Process>, t: &Arc<Thread>, at: u64, size: u64, written: &mut u64) -> Result {
    while *written < size && t.state.lock().error == BR_OK {
        let here = UserPtr::new(at.wrapping_add(*written) as usize);
        let cmd = wire::read_u32(here)?;
        one(p, t, cmd, here.plus(4))?;
        *written += 4 + u64::from(cmd >> 16 & 0x3fff);
    }
    Ok(())
}

/// The bytes behind a command.
fn argument<const N: usize>(at: UserPtr) -> Result<[u8; N]> {
    let mut b = [0; N];
    at.read(&mut b)?;
    Ok(b)
}

fn plain(at: UserPtr) -> Result<Transaction> {
    Ok(Transaction::decode(&argument::<{ wire::TRANSACTION as usize }>(at)?))
}

fn with_buffers(at: UserPtr) -> Result<Transaction> {
    Ok(Transaction::decode(&argument::<{ wire::TRANSACTION_SG as usize }>(at)?))
}

fn one(p: &Arc<Process>, t: &Arc<Thread>, cmd: u32, at: UserPtr) -> Result {
    match cmd {
        wire::BC_TRANSACTION => call::make(p, t, &plain(at)?),
        wire::BC_REPLY => call::reply(p, t, &plain(at)?),
        wire::BC_TRANSACTION_SG => call::make(p, t, &with_buffers(at)?),
        wire::BC_REPLY_SG => call::reply(p, t, &with_buffers(at)?),
        wire::BC_FREE_BUFFER => call::free_buffer(p, u64::from_ne_bytes(argument(at)?)),
        wire::BC_INCREFS | wire::BC_ACQUIRE => {
            hold(p, wire::read_u32(at)?, cmd == wire::BC_ACQUIRE)?
        }
        wire::BC_RELEASE | wire::BC_DECREFS => {
            refs::let_go(p, wire::read_u32(at)?, cmd == wire::BC_RELEASE)
        }
        wire::BC_INCREFS_DONE | wire::BC_ACQUIRE_DONE => {
            confirm(p, &argument(at)?, cmd == wire::BC_ACQUIRE_DONE)
        }
        wire::BC_REGISTER_LOOPER => register(p, t),
        wire::BC_ENTER_LOOPER => t.state.lock().entered = true,
        wire::BC_EXIT_LOOPER => {}
        wire::BC_REQUEST_DEATH_NOTIFICATION | wire::BC_CLEAR_DEATH_NOTIFICATION => {
            let b: [u8; 12] = argument(at)?;
            let mut r = Reader(&b);
            let (handle, cookie) = (r.u32(), r.u64());
            if cmd == wire::BC_CLEAR_DEATH_NOTIFICATION {
                refs::ask_no_more(p, handle, cookie, t);
            } else {
                refs::ask(p, handle, cookie)?;
            }
        }
        wire::BC_DEAD_BINDER_DONE => Death::confirmed(p, u64::from_ne_bytes(argument(at)?), t),
        _ => return Err(Error::EINVAL),
    }
    Ok(())
}

/// BC_INCREFS, BC_ACQUIRE: handle 0 need not be there before. What cannot be held is ignored, as Linux has it. `EINVAL`: the manager by itself.
fn hold(p: &Arc<Process>, handle: u32, strong: bool) -> Result {
    let manager = if handle == 0 { p.context.manager() } else { None };
    let done = match manager {
        Some(n) if Arc::ptr_eq(&n.owner, p) => return Err(Error::EINVAL),
        Some(n) => refs::hold(p, &n, strong, None).map(|_| ()),
        None => Err(Error::EINVAL),
    };
    if done.is_err() {
        let _ = refs::hold_handle(p, handle, strong);
    }
    Ok(())
}

fn confirm(p: &Process, b: &[u8; 16], strong: bool) {
    let (ptr, cookie) = call::pair(b);
    let node = p.lock.lock().nodes.get(&ptr).cloned();
    if let Some(n) = node.filter(|n| n.cookie == cookie) {
        n.confirmed(strong);
    }
}

/// BC_REGISTER_LOOPER: the thread that BR_SPAWN_LOOPER asked for.
fn register(p: &Process, t: &Thread) {
    let mut st = p.lock.lock();
    let mut s = t.state.lock();
    if !s.entered && st.requested > 0 {
        st.requested -= 1;
        st.started += 1;
    }
    s.registered = true;
}
