// SPDX-License-Identifier: MIT
//! A queue that poll(2) waits on must stay.
use kernel::chrdev::PollTable;
use kernel::wait::WaitQueue;

pub fn run(t: &PollTable<'_>) -> kernel::Result {
    let q = WaitQueue::new()?;
    t.watch(&q); // error: E0597
    Ok(())
}
