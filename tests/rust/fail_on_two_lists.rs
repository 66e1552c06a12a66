// SPDX-License-Identifier: MIT
//! An entry is on one list.
use kernel::list::{Entry, List};

pub fn run(a: &mut List<u32>, b: &mut List<u32>, e: Entry<u32>) {
    a.push_back(e);
    b.push_back(e); // error: E0382
}
