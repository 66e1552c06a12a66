// SPDX-License-Identifier: MIT
//! What a lock protects is not kept beyond the guard.
use kernel::sync::SpinLockIrq;
static STATE: SpinLockIrq<[u8; 4]> = SpinLockIrq::new([0; 4]);

pub fn run() -> Option<u8> {
    let first = STATE.lock().first_mut(); // error: E0716
    first.map(|b| *b)
}
