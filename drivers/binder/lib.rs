// SPDX-License-Identifier: MIT
//! Binder: calls between processes, protocol 8.
//!
//! Each device of binderfs is a `Context`: a world of its own, with one process that manages it and has handle 0. An open file is a `Process`; its
//! objects that others know are `Node`s, those of others that it knows are handles (`refs.rs`). A `Thread` is known by its number from its first
//! ioctl on. A call is a `Call` (`call.rs`) with a `Buffer` in the area of the process that receives it (`buffer.rs`, `space.rs`); `objects.rs` fills
//! it.
//!
//! Locks, first to last: the context's, a process's (one at a time; sleeps), a node's, then a thread's, a call's or a death's. User memory is
//! copied with none held. What is dropped may take locks, so it is dropped with none held: `Buffer`'s drop is what undoes a call's data, `call::fail`
//! answers a call that will have no reply, `thread::release` and `Process::release` undo the rest.
//!
//! Loaded as a module when somebody mounts binderfs. Whatever runs here runs for an open file or a mount, which are uses of the module, or for a mapping
//! that has gone, a hold of it (kernel/owner.h); nothing is pending after them.
//!
//! Source: `<linux/android/binder.h>`, and what Linux answers.
#![no_std]
#![forbid(unsafe_code)]
#![feature(arbitrary_self_types)] // methods of our Arc

mod buffer;
mod call;
mod command;
mod death;
mod node;
mod objects;
mod process;
mod read;
mod refs;
mod space;
mod thread;
mod wire;

use kernel::alloc::Arc;
use kernel::area::NewMapping;
use kernel::binderfs::{register, Driver, Registration};
use kernel::module::Module;
use kernel::user::UserPtr;
use kernel::wait::WaitQueue;
use kernel::{module, Error, Result};
use process::{Context, Process};
use thread::Thread;
use wire::{Object, Reader, Writer};

module! {
    type: Loaded,
    license: "MIT",
    author: "Ochre",
    description: "calls between processes: Android's Binder",
    aliases: ["fs-binder"],
    params: {}
}

struct Binder;

impl Driver for Binder {
    type Device = Context;
    type File = Arc<Process>;

    fn make() -> Result<Context> {
        Context::new()
    }

    fn open(device: &Arc<Context>, polled: Arc<WaitQueue>) -> Result<Arc<Process>> {
        Process::new(device.clone(), polled)
    }

    fn release(p: Arc<Process>) {
        Process::release(&p);
    }

    fn flush(p: &Arc<Process>) {
        p.send_back();
    }

    fn ioctl(p: &Arc<Process>, cmd: u32, arg: usize, nonblock: bool) -> Result {
        let t = Thread::current(p)?;
        let r = answer(p, &t, cmd, UserPtr::new(arg), nonblock);
        t.state.lock().need_return = false;
        r
    }

    fn mmap(p: &Arc<Process>, vma: NewMapping<'_>) -> Result {
        p.map(vma)
    }

    fn poll(p: &Arc<Process>) -> u32 {
        Thread::current(p).map_or(kernel::chrdev::POLLERR, |t| {
            if t.has_work(t.serves_all()) {
                kernel::chrdev::POLLIN
            } else {
                0
            }
        })
    }
}

fn answer(p: &Arc<Process>, t: &Arc<Thread>, cmd: u32, arg: UserPtr, nonblock: bool) -> Result {
    match cmd {
        wire::WRITE_READ => write_read(p, t, arg, nonblock),
        // An address that cannot be used is EINVAL here, as Linux has it.
        wire::VERSION => arg.write(&8i32.to_ne_bytes()).map_err(|_| Error::EINVAL),
        wire::SET_MAX_THREADS => {
            p.lock.lock().max_threads = wire::read_u32(arg).map_err(|_| Error::EINVAL)?;
            Ok(())
        }
        wire::SET_CONTEXT_MGR => p.manage(Object { kind: 0, flags: 0, binder: 0, cookie: 0 }),
        wire::SET_CONTEXT_MGR_EXT => {
            let mut b = [0; wire::OBJECT];
            arg.read(&mut b).map_err(|_| Error::EINVAL)?;
            p.manage(Object::decode(&b))
        }
        wire::THREAD_EXIT => {
            thread::release(p, t);
            Ok(())
        }
        wire::ONEWAY_SPAM_DETECTION => {
            let n = wire::read_u32(arg)?;
            p.lock.lock().wants_suspects = n != 0;
            Ok(())
        }
        wire::GET_NODE_DEBUG_INFO => {
            let mut b = [0; 24];
            arg.read(&mut b)?;
            arg.write(p.node_behind(Reader(&b).u64()).bytes())
        }
        wire::GET_NODE_INFO_FOR_REF => {
            let mut b = [0; 24];
            arg.read(&mut b)?;
            arg.write(p.holders(&b)?.bytes())
        }
        wire::GET_EXTENDED_ERROR => {
            let e = core::mem::replace(&mut t.state.lock().extended, thread::Extended::none());
            arg.write(Writer::<12>::new().u32(e.id).u32(e.command).u32(e.param as u32).bytes())
        }
        _ => Err(Error::EINVAL),
    }
}

/// BINDER_WRITE_READ: first commands, then answers; how much of both is written back whatever happens.
fn write_read(p: &Arc<Process>, t: &Arc<Thread>, arg: UserPtr, nonblock: bool) -> Result {
    let mut b = [0; 48];
    arg.read(&mut b)?;
    let mut r = Reader(&b);
    let (write_size, mut written, write_at) = (r.u64(), r.u64(), r.u64());
    let (read_size, mut given, read_at) = (r.u64(), r.u64(), r.u64());
    let mut result = Ok(());
    if write_size > 0 {
        result = command::run(p, t, write_at, write_size, &mut written);
        if result.is_err() {
            given = 0;
        }
    }
    if result.is_ok() && read_size > 0 {
        result = read::run(p, t, read_at, read_size, &mut given, nonblock);
        p.wake_for_rest();
    }
    let w = Writer::<48>::new()
        .u64(write_size)
        .u64(written)
        .u64(write_at)
        .u64(read_size)
        .u64(given)
        .u64(read_at);
    arg.write(w.bytes())?;
    result
}

/// The module: its filesystem is known as long as it is loaded.
struct Loaded {
    _filesystem: Registration,
}

impl Module for Loaded {
    fn init() -> Result<Self> {
        Ok(Self { _filesystem: register::<Binder>()? })
    }
}
