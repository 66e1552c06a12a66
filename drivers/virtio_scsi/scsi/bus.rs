// SPDX-License-Identifier: MIT
//! /sys/bus/scsi with its driver's directory, and the classes of hosts, units and disks: they are there from the module's init to its exit, whether there are
//! hosts or not, as those of Linux's scsi_mod are. Hosts and units put their links in them (`shown.rs`), and have gone before them.

use kernel::show::Dir;
use kernel::Result;

/// Directories that come and go with the module: where, and by what name.
const PLACES: [(&core::ffi::CStr, &str); 5] = [
    (c"bus", "scsi"),
    (c"class", "scsi_host"),
    (c"class", "scsi_device"),
    (c"class", "scsi_disk"),
    (c"class", "scsi_generic"),
];
const INSIDE: [&core::ffi::CStr; 3] =
    [c"bus/scsi/devices", c"bus/scsi/drivers/sd", c"bus/scsi/drivers/sr"];

/// The directories. Dropped, they go with all that is in them.
pub struct Bus([Option<Dir>; PLACES.len()]);

impl Bus {
    /// Before the first host. Sleeps.
    pub fn new() -> Result<Self> {
        let mut bus = Self([const { None }; PLACES.len()]);
        for ((above, name), place) in PLACES.iter().zip(&mut bus.0) {
            *place = Some(Dir::sys(above)?.dir(format_args!("{name}"))?);
        }
        for path in INSIDE {
            Dir::sys(path)?;
        }
        Ok(bus)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        for dir in self.0.iter_mut().filter_map(Option::take) {
            dir.remove();
        }
    }
}
