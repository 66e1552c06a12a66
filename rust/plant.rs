// SPDX-License-Identifier: MIT
//! Bugs of safe Rust, planted by hand in the debug build: what is written to `/sys/kernel/debug/rust/plant` happens to the writer. Read, the file
//! says how many wait on the queue here, and how many values of the overflowed count were dropped.

use crate::alloc::{Arc, KBox, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use crate::show::Dir;
use crate::sync::Once;
use crate::wait::WaitQueue;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU32, Ordering};

struct Planted {
    queue: WaitQueue,
    dropped: AtomicU32,
}

static PLANTED: Once<Planted> = Once::new();

struct Counts;

impl Drop for Counts {
    fn drop(&mut self) {
        if let Some(p) = PLANTED.get() {
            p.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The condition panics when it is asked again, after a sleep.
#[allow(clippy::panic)]
fn wait_panic(p: &Planted) {
    let mut asked = 0;
    p.queue.wait_timeout(1, || {
        asked += 1;
        if asked > 1 {
            panic!("asked again");
        }
        false
    });
}

/// As many owners as there can be, and one more: the count stays where it is, and the value is never dropped.
fn arc_overflow() -> Result {
    let a = Arc::new(Counts)?;
    a.set_count(i32::MAX);
    let more = a.clone();
    for _ in 0..3 {
        drop(more.clone());
    }
    drop(more);
    drop(a);
    Ok(())
}

fn show(p: &Planted, out: &mut dyn Write) -> fmt::Result {
    // SAFETY: initialised; a look only.
    writeln!(out, "{} {}", u32::from(unsafe { bindings::rust_has_waiters(p.queue.raw()) }), p.dropped.load(Ordering::Relaxed))
}

fn plant(p: &Planted, what: &str) -> Result {
    match what {
        "wait_panic" => wait_panic(p),
        "wait_wake" => p.queue.wake_all(),
        "arc_overflow" => arc_overflow()?,
        _ => return Err(Error::EINVAL),
    }
    Ok(())
}

fn init() -> Result {
    let p: &'static Planted = KBox::new(Planted { queue: WaitQueue::new()?, dropped: AtomicU32::new(0) }, KERNEL)?.leak();
    PLANTED.set(p)?;
    Dir::debug(c"rust")?.attr(c"plant", p, show, Some(plant))
}

crate::device_init!(rust_plant, init);
