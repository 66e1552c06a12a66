// SPDX-License-Identifier: MIT
//! An interrupt handler runs on any CPU.
use core::cell::Cell;

struct Counter(Cell<u32>);

impl kernel::irq::Handler for Counter { // error: E0277
    fn handle(&self) -> bool {
        self.0.set(self.0.get() + 1);
        true
    }
}
