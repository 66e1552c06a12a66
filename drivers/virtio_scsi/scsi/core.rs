// SPDX-License-Identifier: MIT
//! Commands that are waited for, and the search for what answers them. A scan ends: each command has an end, and all of them together.

use super::cdb::Cdb;
use super::inquiry::{self, Inquiry};
use super::sense::Sense;
use super::verdict::{judge, Carried, Verdict, RETRIES};
use core::ops::RangeInclusive;
use kernel::alloc::{KSlice, KERNEL};
use kernel::list::{Entry, List};
use kernel::{pr_warn, time, Error, Result};

/// Where a logical unit is, behind its host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Address {
    /// Target.
    pub target: u8,
    /// Logical unit, below 16,384.
    pub lun: u16,
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What the transport says.
    pub carried: Carried,
    /// The unit's status.
    pub status: u8,
    /// Why, where it said.
    pub sense: Option<Sense>,
    /// Bytes of data that came.
    pub got: usize,
}

/// What carries commands to units.
pub trait Host {
    /// Does `cdb` and waits for its end; `to` gets what it gives. `EIO`: the device answers nothing that makes sense, or not in time, and is
    /// given up. Sleeps.
    fn command(&self, at: Address, cdb: &Cdb, to: &mut [u8]) -> Result<Answer>;
}

// A unit that is not ready is asked again after so long, so often.
const WAIT_MS: u32 = 10;
const WAITS: u32 = 200;
/// A whole scan takes no longer, but for the command that it is at.
const SCAN_NS: u64 = 10_000_000_000;
const LIST: usize = 16 << 10;

/// Does `cdb`, tried again as its answers ask for: how many bytes came. Errors: of the verdict, of the host. Sleeps.
pub fn ask(host: &dyn Host, at: Address, cdb: &Cdb, to: &mut [u8]) -> Result<usize> {
    let (mut tries, mut waits) = (0, 0);
    loop {
        let a = host.command(at, cdb, to)?;
        match judge(a.carried, a.status, a.sense) {
            Verdict::Done => return Ok(a.got.min(to.len())),
            Verdict::Again if tries < RETRIES => tries += 1,
            Verdict::Later if waits < WAITS => {
                waits += 1;
                time::sleep_ms(WAIT_MS);
            }
            Verdict::Failed(e) => return Err(e),
            _ => return Err(Error::EIO),
        }
    }
}

/// The page of vital product data, without its header, in `room`. Sleeps.
pub fn page<'a>(host: &dyn Host, at: Address, page: u8, room: &'a mut [u8]) -> Option<&'a [u8]> {
    let n = ask(host, at, &Cdb::vpd(page, room.len().min(0xffff) as u16), room).ok()?;
    inquiry::vpd(room.get(..n)?, page)
}

/// Fetches the page with its header into `room`: how many bytes it has, of those that came. `None`: it is another page, or there is none.
/// Sleeps.
pub fn raw_page(host: &dyn Host, at: Address, page: u8, room: &mut [u8]) -> Option<usize> {
    let n = ask(host, at, &Cdb::vpd(page, room.len().min(0xffff) as u16), room).ok()?;
    inquiry::vpd(room.get(..n)?, page).map(|content| 4 + content.len())
}

/// A unit that is there.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Where.
    pub at: Address,
    /// What it said of itself.
    pub inquiry: Inquiry,
    /// The same as bytes.
    pub raw: Raw,
}

/// INQUIRY's answer as it came.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    bytes: [u8; 36],
    len: usize,
}

impl Raw {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// What the unit is. `ENXIO`: there is nothing; or the host's error. Sleeps.
pub fn identify(host: &dyn Host, at: Address) -> Result<Found> {
    let mut room = [0; 36];
    let mut tries = 0;
    loop {
        let a = host.command(at, &Cdb::inquiry(room.len() as u16), &mut room)?;
        match judge(a.carried, a.status, a.sense) {
            Verdict::Done => {
                let inquiry = room.get(..a.got).and_then(inquiry::inquiry).ok_or(Error::ENXIO)?;
                return Ok(Found { at, inquiry, raw: Raw { bytes: room, len: a.got } });
            }
            Verdict::Again if tries < RETRIES => tries += 1,
            _ => return Err(Error::ENXIO),
        }
    }
}

/// Whether the search can go on: the host still works.
fn goes_on<T>(r: Result<T>) -> Result<Option<T>> {
    match r {
        Ok(v) => Ok(Some(v)),
        Err(Error::ENXIO) => Ok(None),
        Err(e) => Err(e),
    }
}

fn scan_target(
    host: &dyn Host,
    target: u8,
    lun: Option<u16>,
    max_lun: u16,
    list: &mut [u8],
    found: &mut List<Found>,
) -> Result {
    if let Some(lun) = lun {
        let one = goes_on(identify(host, Address { target, lun }))?;
        if let Some(f) = one.filter(|f| f.inquiry.qualifier == 0) {
            found.push_back(Entry::new(f, KERNEL)?);
        }
        return Ok(());
    }
    let Some(first) = goes_on(identify(host, Address { target, lun: 0 }))? else { return Ok(()) };
    let at = Address { target, lun: 0 };
    let Ok(n) = ask(host, at, &Cdb::report_luns(list.len() as u32), list) else {
        // It knows no lists: the first unit alone.
        if first.inquiry.qualifier == 0 {
            found.push_back(Entry::new(first, KERNEL)?);
        }
        return Ok(());
    };
    for lun in inquiry::luns(list.get(..n).unwrap_or(&[])).filter(|l| *l <= max_lun) {
        let at = Address { target, lun };
        if found.iter().any(|f| f.at == at) {
            continue; // named twice
        }
        if let Some(f) = goes_on(identify(host, at))?.filter(|f| f.inquiry.qualifier == 0) {
            found.push_back(Entry::new(f, KERNEL)?);
        }
    }
    Ok(())
}

/// Looks for units at `targets`: for that of number `lun`, or for all up to `max_lun`. Errors: the host's. Sleeps.
pub fn scan(
    host: &dyn Host,
    targets: RangeInclusive<u8>,
    lun: Option<u16>,
    max_lun: u16,
) -> Result<List<Found>> {
    let mut found = List::new();
    let mut list = KSlice::from_fn(LIST, KERNEL, |_| 0u8)?;
    let end = time::now_ns() + SCAN_NS;
    for target in targets {
        if time::now_ns() > end {
            pr_warn!("scsi: the search for disks takes too long; it ends at target {}\n", target);
            break;
        }
        scan_target(host, target, lun, max_lun, &mut list, &mut found)?;
    }
    Ok(found)
}
