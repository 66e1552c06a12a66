// SPDX-License-Identifier: MIT
//! CD drives behind the host: /dev/sr0 and its like. Requests go the way of disks (`Disk`); what is a drive's own is in `crate::scsi::cd`.

use super::Disk;
use crate::scsi::cd::Drive;
use kernel::block::{self, Medium, Offer, Opening, Taken};
use kernel::{Error, Result};

/// A drive with its requests.
pub struct Cd {
    /// As a disk.
    pub disk: Disk,
    /// As a drive.
    pub drive: Drive,
}

impl block::Driver for Cd {
    const CONTROLS: bool = true;
    const MEDIA: bool = true;

    fn ioctl(&self, write: bool, cmd: u32, arg: usize) -> Result<u32> {
        if self.disk.host.is_dead() {
            return Err(Error::ENODEV);
        }
        match self.drive.ioctl(&*self.disk.host, cmd, arg)? {
            Some(v) => Ok(v),
            None => self.disk.ioctl(write, cmd, arg),
        }
    }

    fn open(&self, how: Opening) -> Result<Option<Medium>> {
        self.drive.open(&*self.disk.host, how)
    }

    fn close(&self) {
        self.drive.close(&*self.disk.host);
    }

    fn queue<'a>(
        &self,
        queue: u32,
        r: Offer<'a>,
    ) -> core::result::Result<Taken<'a>, (Error, Offer<'a>)> {
        self.disk.queue(queue, r)
    }

    fn commit(&self, queue: u32) {
        self.disk.commit(queue);
    }
}
