// SPDX-License-Identifier: MIT
//! A value is published in one place.
use kernel::rcu::{Fresh, Rcu};

pub fn run(a: &Rcu<u32>, b: &Rcu<u32>, v: Fresh<u32>) {
    a.publish(v);
    b.publish(v); // error: E0382
}
