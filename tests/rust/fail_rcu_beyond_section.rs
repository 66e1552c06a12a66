// SPDX-License-Identifier: MIT
//! What RCU shows stays for the section only.
use kernel::rcu::{self, Rcu};

pub fn run(route: &'static Rcu<u32>) -> u32 {
    let seen = {
        let section = rcu::read();
        route.get(&section) // error: E0597
    };
    seen.copied().unwrap_or(0)
}

pub fn dropped(route: &'static Rcu<u32>) -> u32 {
    let section = rcu::read();
    let seen = route.get(&section);
    drop(section); // error: E0505
    seen.copied().unwrap_or(0)
}
