// SPDX-License-Identifier: MIT
//! A request is the driver's until it is completed, and completed once.
use kernel::block::Request;

pub fn run(r: Request) -> u64 {
    r.complete(Ok(()));
    r.disk_sector() // error: E0382
}

pub fn twice(r: Request) {
    r.complete(Ok(()));
    r.complete(Err(kernel::Error::EIO)); // error: E0382
}
