// SPDX-License-Identifier: MIT
//! SCSI: what commands and answers are (`scsi/`), disks, and the host that carries them, virtio's (`host.rs`). Linux has a module of each (scsi_mod,
//! sd_mod, virtio_scsi); here it is one, which answers to all three names.
//!
//! The module is a driver of the virtio bus. Its end takes the driver from all hosts: disks go, requests in flight end, interrupts and work are taken back
//! before the driver is off the bus. What may be left then is a disk's last reference, or a file of /sys that is being read: holds of the module
//! (kernel/owner.h). A disk that is open or mounted is a use of it; a host is none.
#![no_std]
#![forbid(unsafe_code)]
#![feature(arbitrary_self_types)] // methods of our Arc

mod host;
mod lane;
pub mod scsi;

use drivers::virtio::bus::{driver, start, Driven, Driver};
use kernel::module::Module;
use kernel::node::Major;
use kernel::{module, Result};
use scsi::bus::Bus;

module! {
    type: Loaded,
    license: "MIT",
    author: "Ochre",
    description: "SCSI disks and CD drives behind virtio SCSI hosts",
    aliases: ["virtio:d00000008v*", "scsi:t-0x00*", "scsi:t-0x05*", "block-major-11-*", "char-major-21-*", "scsi_mod", "sd_mod", "sr_mod", "cdrom", "sg"],
    params: {}
}

static DRIVER: Driver = driver(c"virtio_scsi", |d| d.kind() == 8, |d| start(d, host::bind));

/// The module: hosts have their driver as long as it is loaded.
struct Loaded {
    // It goes first: hosts and units stand in the bus's directories.
    _driver: Driven,
    _bus: Bus,
    // Goes last. None: another has these numbers, and each device takes its own.
    _generic: Option<Major>,
}

impl Module for Loaded {
    fn init() -> Result<Self> {
        let generic = Major::new(c"sg", host::SG_MAJOR, host::SG_MOST).ok();
        let bus = Bus::new()?;
        Ok(Self { _driver: Driven::new(&DRIVER)?, _bus: bus, _generic: generic })
    }
}
