// SPDX-License-Identifier: MIT
//! A section belongs to its task.
pub fn run() {
    let section = kernel::rcu::read();
    let _ = kernel::thread::spawn(c"thief", move || drop(section)); // error: E0277
}
