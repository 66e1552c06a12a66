// SPDX-License-Identifier: MIT
//! What a queue gives back, or says it took, is the request of this call.
use kernel::block::{Driver, Offer, Taken};
use kernel::sync::SpinLock;
use kernel::Error;

pub struct Keeps(pub SpinLock<Option<Offer<'static>>>);

impl Driver for Keeps { // error: E0277
    fn queue<'a>(&self, _queue: u32, r: Offer<'a>) -> Result<Taken<'a>, (Error, Offer<'a>)> {
        *self.0.lock() = Some(r); // error: E0521
        Ok(r.take().1) // error: E0382
    }
}

pub fn swapped<'a>(r: Offer<'a>, other: Offer<'_>) -> Result<Taken<'a>, (Error, Offer<'a>)> {
    drop(r);
    Err((Error::EIO, other)) // error: E0621
}

pub fn claimed<'a, 'b>(r: Offer<'a>, taken: Taken<'b>) -> Result<Taken<'a>, (Error, Offer<'a>)> {
    r.take().0.complete(Ok(()));
    Ok(taken) // error: uncoded
}

pub fn both<'a>(r: Offer<'a>) -> Result<Taken<'a>, (Error, Offer<'a>)> {
    let (request, _taken) = r.take();
    request.complete(Ok(()));
    Err((Error::EIO, r)) // error: E0382
}
