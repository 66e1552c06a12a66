// SPDX-License-Identifier: MIT
//! Where a device finds memory is no number of a driver's: it comes with the memory, and is not changed or read.
use kernel::dma::{Dma, DmaAddr, Segment};
use kernel::mem::Mmio;

pub fn made_up() -> DmaAddr {
    DmaAddr(0x1000) // error: E0423
}

pub fn of_a_number() -> Segment {
    Segment::new(0x1000, 64) // error: E0624
}

pub fn read(s: Segment) -> u64 {
    s.addr().raw() // error: E0624
}

pub fn moved(s: Segment) -> u64 {
    s.addr() + 4096 // error: E0369
}

pub fn told(ring: &Dma, registers: &Mmio) {
    ring.write_addr(0, 0x1000u64); // error: E0308
    registers.write_addr(0, 0x1000u64); // error: E0308
}

pub fn longer(mut s: Segment) -> Segment {
    s.len = 8192; // error: E0616
    s
}

pub fn of_memory(d: &Dma) -> u64 {
    d.addr() // error: E0624
}
