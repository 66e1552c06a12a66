// SPDX-License-Identifier: MIT
//! Nor are ports made of numbers.
use kernel::io::Ports;

pub fn ports() -> Ports {
    Ports { base: 0x70, len: 2 } // error: E0451
}
