// SPDX-License-Identifier: MIT
//! Registers are mapped by what tables or a BAR gave, not by a number.
use kernel::mem::Mmio;

pub fn memory() -> kernel::Result<Mmio> {
    Mmio::map(0xfee0_0000, 64) // error: E0624
}
