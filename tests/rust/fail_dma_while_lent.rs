// SPDX-License-Identifier: MIT
//! A buffer that a device has is not looked at.
use kernel::alloc::KSlice;
use kernel::mem::{Direction, Streaming};

pub fn run(data: KSlice<u8>) -> Option<u8> {
    let lent = Streaming::map(data, Direction::FromDevice);
    let early = data.first().copied(); // error: E0382
    drop(lent);
    early
}
