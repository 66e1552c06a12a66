// SPDX-License-Identifier: MIT
//! Disks: what one is like, and the command that a request of the block layer becomes.

use super::cdb::{unmap_list, Cdb};
use super::core::{ask, page, Address, Found, Host};
use super::inquiry::{self, Capacity, Modes};
use super::sense::{key, Sense};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use kernel::block::{Limits, Op, Request};
use kernel::{Error, Result};

/// How sectors are forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Discard {
    Unmap,
    Same,
}

/// A disk behind a host.
pub struct Unit {
    /// Where.
    pub at: Address,
    // A block has 512 bytes shifted left by this.
    shift: AtomicU32,
    long: bool,
    // Its medium can be taken out; it may be another one since somebody asked.
    removable: bool,
    changed: AtomicBool,
    discard: Discard,
    // It refused the command: it is asked no more.
    no_discard: AtomicBool,
    no_zeroes: AtomicBool,
}

/// What a command carries besides itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extra {
    /// Nothing.
    None,
    /// The request's memory; the device writes it (true) or reads it.
    Memory(bool),
    /// A parameter list.
    List([u8; 24]),
    /// A block of zeroes of so many bytes.
    Zeroes(u32),
}

// Of one discard, in sectors: what fits into a bio, of whole blocks of any size.
const MOST: u64 = 0x007f_fff8;

impl Unit {
    /// A drive whose medium is looked at later.
    pub fn optical(at: Address, removable: bool) -> Unit {
        Unit {
            at,
            shift: AtomicU32::new(0),
            long: false,
            removable,
            changed: AtomicBool::new(false),
            discard: Discard::Unmap,
            no_discard: AtomicBool::new(false),
            no_zeroes: AtomicBool::new(false),
        }
    }

    fn shift(&self) -> u32 {
        self.shift.load(Ordering::Relaxed)
    }

    /// Its blocks have so many bytes from now on: a power of two, 512 at least.
    pub fn set_block(&self, bytes: u32) {
        self.shift.store(bytes.trailing_zeros().saturating_sub(9), Ordering::Relaxed);
    }

    /// Notes what sense data say of its medium: whether a command is not to be tried again, as it may be another medium's.
    pub fn attention(&self, sense: Option<Sense>) -> bool {
        let changed =
            self.removable && sense.is_some_and(|s| s.key == key::UNIT_ATTENTION && !s.deferred);
        if changed {
            self.changed.store(true, Ordering::Release);
        }
        changed
    }

    /// The medium may be another one.
    pub fn set_changed(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// Whether the medium may have changed since this was asked last.
    pub fn has_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }

    fn blocks(&self, bytes: u32) -> u32 {
        bytes >> (9 + self.shift())
    }

    /// Whether the disk has not refused requests like that.
    pub fn allows(&self, op: Op) -> bool {
        match op {
            Op::Discard => !self.no_discard.load(Ordering::Relaxed),
            Op::WriteZeroes => !self.no_zeroes.load(Ordering::Relaxed),
            _ => true,
        }
    }

    /// The command for `r`.
    pub fn command(&self, r: &Request) -> (Cdb, Extra) {
        let (lba, blocks) = (r.disk_sector() >> self.shift(), self.blocks(r.len()));
        match r.op() {
            Op::Read => (Cdb::transfer(false, lba, blocks, false, self.long), Extra::Memory(true)),
            Op::Write => {
                (Cdb::transfer(true, lba, blocks, r.fua(), self.long), Extra::Memory(false))
            }
            Op::Flush => (Cdb::synchronize(self.long), Extra::None),
            Op::Discard if self.discard == Discard::Unmap => {
                let list = unmap_list(lba, blocks);
                (Cdb::unmap(list.len() as u16), Extra::List(list))
            }
            Op::Discard => (Cdb::write_same(lba, blocks, true), Extra::Zeroes(512 << self.shift())),
            Op::WriteZeroes => {
                (Cdb::write_same(lba, blocks, false), Extra::Zeroes(512 << self.shift()))
            }
        }
    }

    /// The error of a request that failed with `e`. What is refused is asked for no more.
    pub fn refused(&self, op: Op, e: Error) -> Error {
        match op {
            Op::Discard if e == Error::EREMOTEIO => self.no_discard.store(true, Ordering::Relaxed),
            Op::WriteZeroes if e == Error::EREMOTEIO => {
                self.no_zeroes.store(true, Ordering::Relaxed)
            }
            _ => return e,
        }
        Error::EOPNOTSUPP
    }
}

/// What the disk says of its size. Sleeps.
fn capacity(host: &dyn Host, at: Address) -> Result<Capacity> {
    let mut room = [0; 32];
    let n = ask(host, at, &Cdb::read_capacity_16(), &mut room);
    if let Some(c) = n.ok().and_then(|n| room.get(..n)).and_then(inquiry::capacity_16) {
        return Ok(c);
    }
    let n = ask(host, at, &Cdb::read_capacity_10(), &mut room)?;
    room.get(..n.min(8)).and_then(inquiry::capacity_10).ok_or(Error::EIO)
}

/// Its size now, in sectors of 512 bytes. Errors: as of `ask`; `EINVAL`: its blocks have another size. Sleeps.
pub fn sectors(host: &dyn Host, unit: &Unit) -> Result<u64> {
    let c = capacity(host, unit.at)?;
    if c.block != 512 << unit.shift() {
        Err(Error::EINVAL)
    } else {
        in_sectors(c.blocks, unit.shift())
    }
}

fn in_sectors(blocks: u64, shift: u32) -> Result<u64> {
    if blocks > u64::MAX >> shift {
        Err(Error::EINVAL)
    } else {
        Ok(blocks << shift)
    }
}

fn modes(host: &dyn Host, at: Address) -> Modes {
    let mut room = [0; 252];
    for code in [0x3f, 8] {
        let n = ask(host, at, &Cdb::mode_sense(code, room.len() as u8), &mut room);
        if let Some(m) = n.ok().and_then(|n| room.get(..n)).and_then(inquiry::modes)
            && (m.write_cache.is_some() || code == 8)
        {
            return m;
        }
    }
    Modes::default()
}

/// What the disk that was found is like; `host_limits` are the host's, of which the disk's own make less. `EINVAL`: blocks of a size
/// that there is none of. Sleeps.
pub fn examine(host: &dyn Host, f: &Found, host_limits: &Limits) -> Result<(Unit, Limits)> {
    ask(host, f.at, &Cdb::test_unit_ready(), &mut [])?;
    let c = capacity(host, f.at)?;
    if !(512..=4096).contains(&c.block) || !c.block.is_power_of_two() {
        return Err(Error::EINVAL);
    }
    let shift = c.block.trailing_zeros() - 9;
    let modes = modes(host, f.at);
    let mut room = [0; 252];
    let pages: u8 = page(host, f.at, 0, &mut room).map_or(0, |p| {
        u8::from(inquiry::has_page(p, 0xb0)) | u8::from(inquiry::has_page(p, 0xb2)) << 1
    });
    let told =
        if pages & 1 != 0 { page(host, f.at, 0xb0, &mut room).map(inquiry::limits) } else { None }
            .unwrap_or_default();
    let thin = if pages & 2 != 0 {
        page(host, f.at, 0xb2, &mut room).map(inquiry::provisioning)
    } else {
        None
    }
    .unwrap_or_default();
    let most = |blocks: u64| (blocks.min(MOST >> shift) << shift) as u32;
    let (discard, max_discard) = match () {
        () if !c.thin.0 => (Discard::Unmap, 0),
        () if thin.unmap && told.unmap_ranges != 0 => (Discard::Unmap, most(told.unmap.into())),
        () if thin.same_16 => (Discard::Same, most(told.same)),
        () => (Discard::Unmap, 0),
    };
    let unit = Unit {
        at: f.at,
        shift: AtomicU32::new(shift),
        removable: f.inquiry.removable,
        changed: AtomicBool::new(false),
        long: c.blocks > u64::from(u32::MAX),
        discard,
        no_discard: AtomicBool::new(false),
        no_zeroes: AtomicBool::new(false),
    };
    let limits = Limits {
        sectors: in_sectors(c.blocks, shift)?,
        block_size: c.block,
        physical_block: c.physical,
        read_only: modes.protected,
        removable: f.inquiry.removable,
        write_cache: modes.write_cache == Some(true),
        fua: modes.fua && modes.write_cache == Some(true),
        max_discard,
        max_zeroes: most(told.same),
        max_bytes: bytes(told.transfer, c.block, host_limits.max_bytes),
        ..host_limits.clone()
    };
    Ok((unit, limits))
}

/// Bytes of one request: what the disk and the host take, of whole blocks and of a page at least, which is what a reader asks for; 0: any number.
fn bytes(blocks: u32, block: u32, host: u32) -> u32 {
    let disk = blocks.checked_mul(block).filter(|b| *b != 0).unwrap_or(u32::MAX);
    let least = disk.min(if host == 0 { u32::MAX } else { host });
    if least == u32::MAX {
        0
    } else {
        (least & !4095).max(4096)
    }
}
