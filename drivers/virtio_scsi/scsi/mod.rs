// SPDX-License-Identifier: MIT
//! SCSI: commands, what devices answer, disks. A transport (`crate::virtio::scsi`) implements `core::Host`.
//!
//! Numbers in brackets are sections of SPC-5, SBC-4 and SAM-5.

pub mod bus;
pub mod cd;
pub mod cdb;
pub mod core;
pub mod disk;
pub mod filter;
pub mod header;
pub mod inquiry;
pub mod optical;
pub mod pass;
pub mod sense;
pub mod shown;
#[cfg(not(module))]
#[path = "test/decode.rs"]
mod test;
pub mod verdict;
