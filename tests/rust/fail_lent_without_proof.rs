// SPDX-License-Identifier: MIT
//! Where a request's memory is, is shown of one that is lent, and what is lent comes back with a proof alone.
use kernel::block::{InFlight, Offer, Request};
use kernel::dma::{Dma, Engine, Halted};

pub fn shown(r: Request) -> u32 {
    r.pieces().next().map_or(0, |s| s.len()) // error: E0599
}

pub fn offered(r: &Offer<'_>) -> u32 {
    r.request().pieces().next().map_or(0, |s| s.len()) // error: E0599
}

pub fn completed(under_way: &mut InFlight, r: Offer<'_>) {
    if let Ok((lent, _)) = under_way.lend(r) {
        lent.complete(Ok(())); // error: E0507
    }
}

pub fn kept(under_way: &mut InFlight, r: Offer<'_>) -> u32 {
    let Ok((lent, _)) = under_way.lend(r) else { return 0 };
    let _ = under_way.done(0); // error: E0499
    lent.pieces().next().map_or(0, |s| s.len())
}

pub fn without(under_way: &mut InFlight, e: &Engine) -> Option<Request> {
    under_way.reset(0, e) // error: E0308
}

pub fn made_up(e: Engine) -> Halted {
    Halted(e) // error: E0423
}

pub fn of_no_device() -> kernel::Result<Dma> {
    Dma::alloc(8) // error: E0061
}
