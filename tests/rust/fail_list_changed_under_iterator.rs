// SPDX-License-Identifier: MIT
//! A list does not change while somebody goes through it.
use kernel::alloc::KERNEL;
use kernel::list::{Entry, List};

pub fn shared(l: &mut List<u32>) -> kernel::Result {
    for n in l.iter() {
        if *n == 1 {
            l.push_back(Entry::new(2, KERNEL)?); // error: E0502
        }
    }
    Ok(())
}

pub fn unique(l: &mut List<u32>) {
    for n in l.iter_mut() {
        *n = 1;
        drop(l.pop_front()); // error: E0499
    }
}
