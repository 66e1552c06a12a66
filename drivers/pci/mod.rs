// SPDX-License-Identifier: MIT
//! Brings PCI functions to their drivers, in bus order.

use kernel::pci::{self, Function};
use kernel::{pr_info, pr_warn, Result};

struct Driver {
    name: &'static str,
    matches: fn(&Function) -> bool,
    attach: fn(Function) -> Result,
}

/// What answers for which function.
static DRIVERS: [Driver; 1] = [Driver { name: "virtio-pci", matches: super::virtio::pci::matches, attach: super::virtio::pci::attach }];

fn init() -> Result {
    pci::for_each(|f| {
        for Driver { name, matches, attach } in &DRIVERS {
            if !matches(&f) {
                continue;
            }
            pr_info!("pci: {:02x}:{:02x}.{} {:04x}:{:04x}: {}\n", f.bus, f.devfn >> 3, f.devfn & 7, f.vendor, f.device, name);
            if let Err(e) = attach(f) {
                pr_warn!("pci: {:02x}:{:02x}.{}: {} failed: {}\n", f.bus, f.devfn >> 3, f.devfn & 7, name, e.code());
            }
        }
    })
}

kernel::device_init!(pci, init);
