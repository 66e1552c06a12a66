// SPDX-License-Identifier: MIT
//! What the others do wrongly, done rightly: this compiles, so that they fail for their own reasons alone.
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::alloc::KERNEL;
use kernel::block::{InFlight, Offer, Request};
use kernel::dma::{Dma, Engine};
use kernel::list::{Entry, List};
use kernel::rcu::{self, Fresh, Rcu};
use kernel::sync::{RwSemaphore, SpinLock};
use kernel::{irq, thread, Result};

struct Handler(AtomicU32);

impl irq::Handler for Handler {
    fn handle(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

static HANDLER: Handler = Handler(AtomicU32::new(0));
static COUNT: SpinLock<u32> = SpinLock::new(0);
static ROUTE: Rcu<u32> = Rcu::empty();

pub fn finish(r: Request) -> u32 {
    let n = r.len();
    r.complete(Ok(()));
    n
}

pub fn lend(under_way: &mut InFlight, r: Offer<'_>, ring: &Dma) -> Option<u32> {
    let (lent, _) = under_way.lend(r).ok()?;
    let tag = lent.tag();
    let piece = lent.pieces().next()?;
    ring.write_addr(0, piece.addr());
    under_way.done(tag)?.complete(Ok(()));
    Some(piece.len())
}

pub fn run(line: irq::Line) -> Result<u32> {
    irq::request(line, &HANDLER, c"example", false)?.keep();
    thread::spawn(c"adder", || *COUNT.lock() += 1)?.join();
    let mut l = List::new();
    l.push_back(Entry::new(1, KERNEL)?);
    ROUTE.publish(Fresh::new(2)?);
    let data = Dma::alloc(&Engine::pretended()?, 8)?;
    let table = RwSemaphore::new(c"table", 3)?;
    *table.write() = data.len() as u32;
    let section = rcu::read();
    let seen = ROUTE.get(&section).copied().unwrap_or(0);
    drop(section);
    Ok(seen + *table.read())
}
