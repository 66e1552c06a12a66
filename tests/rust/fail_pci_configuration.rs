// SPDX-License-Identifier: MIT
//! A BAR that a driver moved would lead into anything.
use kernel::pci::Function;

pub fn run(f: &Function) {
    f.write32(0x10, 0x10_0000); // error: E0624
}

pub fn by_ports() -> bool {
    kernel::platform::pci_port_config().is_some() // error: E0603
}
