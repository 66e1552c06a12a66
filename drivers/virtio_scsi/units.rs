// SPDX-License-Identifier: MIT
//! Units of a virtio SCSI host, which come and go: by the search when the driver starts, by one that a program asks for in /sys, by a program
//! that takes one away, by the device's events.
//!
//! `Host::units` is the lock of all that; it is held while commands are waited for, and while a disk that goes is written back. Events come in
//! interrupts: they are noted, and one work item goes through them. Where there are more than are noted, or the device itself had no room for
//! one, all units are asked whether they are still there, and new ones are looked for.
//!
//! A disk has an index, under which each request queue has room for its requests. It is free again once the disk's driver is dropped, which is
//! when its last request has ended: `Disk`'s drop says so, and the work item takes the room away.

use super::cd::Cd;
use super::sg::Generic;
use super::{Disk, Host, Later};
use crate::lane::{Requests, Room, MOST_DISKS};
use crate::scsi::bus;
use crate::scsi::cd::Drive;
use crate::scsi::core::{identify, scan, Address, Found};
use crate::scsi::disk::{examine, sectors, Unit};
use crate::scsi::inquiry::{CD, DISK};
use crate::scsi::pass::Known;
use crate::scsi::shown::{self, Control};
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU64, Ordering};
use kernel::alloc::{Arc, KBox, KSlice, KERNEL};
use kernel::tree::{Entry, Map};
use kernel::work::Work;
use kernel::{block, pr_info, pr_warn, Error, Result};

const WORDS: usize = MOST_DISKS.div_ceil(64);
const NOTED: usize = 16;

/// A unit that was found. It has a driver as long as it has a disk.
struct Seen {
    found: Found,
    unit: Option<Arc<Unit>>,
    disk: Option<block::Disk>,
    shown: Option<shown::Unit>,
    generic: Option<Generic>,
}

/// What can be found.
#[derive(Clone, Copy)]
pub struct Most {
    /// The last target.
    pub target: u8,
    /// The last unit of one.
    pub lun: u16,
}

/// What a host has, and what it shows of itself.
pub struct Units {
    seen: Map<Address, Seen>,
    used: [u64; WORDS],
    // Of all disks; `None`: there are none yet, or none any more.
    common: Option<block::Limits>,
    shown: Option<shown::Shown>,
    most: Most,
}

/// A bit for each index whose disk's driver was dropped.
pub struct Left([AtomicU64; WORDS]);

impl Left {
    pub const fn new() -> Left {
        Left([const { AtomicU64::new(0) }; WORDS])
    }

    fn say(&self, index: u16) {
        if let Some(w) = self.0.get(usize::from(index) / 64) {
            w.fetch_or(1 << (index % 64), Ordering::Release);
        }
    }

    /// The next of them, which is told once.
    fn next(&self) -> Option<u16> {
        for (i, w) in self.0.iter().enumerate() {
            let bit = w.load(Ordering::Relaxed).trailing_zeros();
            if bit < 64 {
                w.fetch_and(!(1 << bit), Ordering::Acquire);
                return Some((64 * i) as u16 + bit as u16);
            }
        }
        None
    }
}

/// What an event of the device says of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It is there now.
    New(Address),
    /// It is there no more.
    Gone(Address),
    /// It is not as it was.
    Other(Address),
}

/// Events that nobody has gone through yet.
pub struct Changes {
    noted: [Option<Change>; NOTED],
    missed: bool,
}

const MISSED: u32 = 1 << 31;
const TRANSPORT_RESET: u32 = 1;
const PARAMETERS: u32 = 3;
const RESCAN: u32 = 1;
const REMOVED: u32 = 2;

impl Changes {
    pub const fn new() -> Changes {
        Changes { noted: [None; NOTED], missed: false }
    }

    /// Notes an event of that kind about the unit at `lun`, an address as in a request. Whether it says anything.
    pub fn note(&mut self, kind: u32, lun: [u8; 4], reason: u32) -> bool {
        self.missed |= kind & MISSED != 0;
        let [bus, target, high, low] = lun;
        let at = Address { target, lun: u16::from(high & 0x3f) << 8 | u16::from(low) };
        let change = match (kind & !MISSED, reason) {
            _ if bus != 1 => None,
            (TRANSPORT_RESET, RESCAN) => Some(Change::New(at)),
            (TRANSPORT_RESET, REMOVED) => Some(Change::Gone(at)),
            (PARAMETERS, _) => Some(Change::Other(at)),
            _ => None,
        };
        if change.is_some() {
            match self.noted.iter_mut().find(|p| p.is_none()) {
                Some(place) => *place = change,
                None => self.missed = true,
            }
        }
        change.is_some() || self.missed
    }

    /// What was noted, in order, and whether more was not.
    pub fn take(&mut self) -> ([Option<Change>; NOTED], bool) {
        (core::mem::replace(&mut self.noted, [None; NOTED]), core::mem::take(&mut self.missed))
    }
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("").trim_end()
}

/// The address behind `at`; `None`: it is the last.
fn behind(at: Address) -> Option<Address> {
    match at.lun.checked_add(1) {
        Some(lun) => Some(Address { lun, ..at }),
        None => Some(Address { target: at.target.checked_add(1)?, lun: 0 }),
    }
}

impl Units {
    /// None yet.
    pub fn new(most: Most) -> Units {
        Units { seen: Map::default(), used: [0; WORDS], common: None, shown: None, most }
    }

    /// How many disks there are.
    #[cfg(not(module))] // tests ask
    pub fn disks(&self) -> usize {
        self.addresses().filter(|at| self.seen.get(at).is_some_and(|s| s.disk.is_some())).count()
    }

    #[cfg(not(module))]
    fn addresses(&self) -> impl Iterator<Item = Address> + '_ {
        let mut next = Some(Address { target: 0, lun: 0 });
        core::iter::from_fn(move || {
            let (at, _) = self.seen.from(&next?)?;
            next = behind(*at);
            Some(*at)
        })
    }

    fn take_index(&mut self) -> Option<u16> {
        for (i, w) in self.used.iter_mut().enumerate() {
            let bit = w.trailing_ones();
            if bit < 64 && 64 * i + (bit as usize) < MOST_DISKS {
                *w |= 1 << bit;
                return Some((64 * i) as u16 + bit as u16);
            }
        }
        None
    }

    /// Where disks went, others may come.
    fn tidy(&mut self, host: &Host) {
        while let Some(index) = host.left.next() {
            for lane in host.lanes() {
                let room = lane.hw.lock().disks.get_mut(usize::from(index)).and_then(Option::take);
                if let Some(r) = room {
                    r.end();
                }
            }
            if let Some(w) = self.used.get_mut(usize::from(index) / 64) {
                *w &= !(1 << (index % 64));
            }
        }
    }

    fn add_disk(
        &mut self,
        host: &Arc<Host>,
        f: &Found,
        known: Known,
        shown: Option<&shown::Unit>,
    ) -> Result<(Arc<Unit>, block::Disk)> {
        let (unit, mut limits) = examine(&**host, f, self.common.as_ref().ok_or(Error::ENODEV)?)?;
        limits.parent = shown.map(|u| u.dir().clone());
        let unit = Arc::new(unit)?;
        let known = Arc::new(known)?;
        let index = self.take_index().ok_or(Error::ENOSPC)?;
        // From here on the disk's drop gives the index back.
        let disk = Disk { host: host.clone(), unit: unit.clone(), known, index };
        make_room(host, index, &unit)?;
        Ok((unit, block::add(c"sd", &limits, Arc::new(disk)?)?))
    }

    fn add_cd(
        &mut self,
        host: &Arc<Host>,
        f: &Found,
        known: Known,
        shown: Option<&shown::Unit>,
    ) -> Result<block::Disk> {
        let common = self.common.as_ref().ok_or(Error::ENODEV)?.clone();
        let unit = Arc::new(Unit::optical(f.at, f.inquiry.removable))?;
        let (drive, medium) = Drive::new(&**host, &unit)?;
        let limits = block::Limits {
            sectors: medium.sectors,
            block_size: medium.block_size,
            read_only: true,
            removable: f.inquiry.removable,
            no_partitions: true,
            parent: shown.map(|u| u.dir().clone()),
            ..common
        };
        let known = Arc::new(known)?;
        let index = self.take_index().ok_or(Error::ENOSPC)?;
        let disk = Disk { host: host.clone(), unit: unit.clone(), known, index };
        make_room(host, index, &unit)?;
        block::add(c"sr", &limits, Arc::new(Cd { disk, drive })?)
    }

    /// The unit gets the driver of its type, if it has none. `ENODEV`: there is none for that type; others: the driver's. Sleeps.
    fn drive(&mut self, host: &Arc<Host>, seen: &mut Seen) -> Result {
        let (number, f) = (self.shown.as_ref().map_or(0, |s| s.number()), seen.found);
        let known = Known::new(number, f.at, f.inquiry);
        _ = seen.shown.as_mut().map(shown::Unit::binds);
        let dir = seen.shown.as_ref();
        let added = match f.inquiry.kind {
            DISK => self.add_disk(host, &f, known, dir).map(|(u, d)| (Some(u), d)),
            CD => self.add_cd(host, &f, known, dir).map(|d| (None, d)),
            _ => Err(Error::ENODEV),
        };
        match added {
            Ok((unit, disk)) => {
                (seen.unit, seen.disk) = (unit, Some(disk));
                _ = seen.shown.as_ref().map(shown::Unit::bound);
                Ok(())
            }
            Err(e) => {
                pr_warn!(
                    "scsi {}:0:{}:{}: no disk: error {}\n",
                    number,
                    f.at.target,
                    f.at.lun,
                    e.code()
                );
                _ = seen.shown.as_mut().map(|s| s.unbound(false));
                Err(e)
            }
        }
    }

    /// What was found is there. An error: the host is dead, or there is no memory.
    fn add(&mut self, host: &Arc<Host>, f: &Found) -> Result {
        let (number, at, i) = (self.shown.as_ref().map_or(0, |s| s.number()), f.at, f.inquiry);
        pr_info!(
            "scsi {}:0:{}:{}: {} {}, type {}\n",
            number,
            at.target,
            at.lun,
            text(&i.vendor),
            text(&i.product),
            i.kind
        );
        let seen = Seen { found: *f, unit: None, disk: None, shown: None, generic: None };
        let mut seen = Entry::new(at, seen, KERNEL)?;
        seen.shown = self.shown.as_ref().and_then(|h| h.unit(&**host, f, control(host).ok()?).ok());
        if let Some(shown) = &mut seen.shown {
            let depth = self.common.as_ref().map_or(1, |c| c.depth);
            match Generic::new(host, Known::new(number, at, i), depth) {
                Ok(g) => {
                    _ = shown.generic(g.number());
                    seen.generic = Some(g);
                }
                Err(e) => {
                    pr_warn!("scsi {}:0:{}:{}: no sg: {}\n", number, at.target, at.lun, e.code())
                }
            }
        }
        if bus::autoprobe() && bus::driver(i.kind).is_some() {
            _ = self.drive(host, &mut seen);
        }
        self.seen.insert(seen);
        if host.is_dead() {
            Err(Error::EIO)
        } else {
            Ok(())
        }
    }

    /// Looks for units at those targets, all or one of each, and adds those that are new. `ENODEV`: the host has no driver any more. Sleeps.
    fn find(&mut self, host: &Arc<Host>, targets: RangeInclusive<u8>, lun: Option<u16>) -> Result {
        if self.common.is_none() {
            return Err(Error::ENODEV);
        }
        let mut found = scan(&**host, targets, lun, self.most.lun)?;
        while let Some(f) = found.pop_front() {
            if self.seen.get(&f.at).is_none() {
                self.add(host, &f)?;
            }
        }
        Ok(())
    }

    /// Takes a unit away, if it is there; `gone`: the device has it no more. Sleeps.
    fn remove(&mut self, at: Address, gone: bool) {
        let Some(seen) = self.seen.remove(&at) else { return };
        seen.into_value().go(gone);
        let first = Address { lun: 0, ..at };
        if self.seen.from(&first).is_none_or(|(next, _)| next.target != at.target)
            && let Some(shown) = &self.shown
        {
            shown.forget_target(at.target);
        }
    }

    /// A unit is not as it was: its disk gets the size that it says. Sleeps.
    fn look_again(&self, host: &Host, at: Address) {
        if let Some(Seen { unit: Some(unit), disk: Some(disk), .. }) = self.seen.get(&at) {
            _ = sectors(host, unit).and_then(|n| disk.size().set(n));
        }
    }

    /// Events were missed: what is there? Sleeps.
    fn look_at_all(&mut self, host: &Arc<Host>) -> Result {
        let mut next = Some(Address { target: 0, lun: 0 });
        while let Some(at) = next.and_then(|n| self.seen.from(&n)).map(|(at, _)| *at) {
            match identify(&**host, at) {
                Err(Error::ENXIO) => self.remove(at, true),
                r => r.map(|_| self.look_again(host, at))?,
            }
            next = behind(at);
        }
        self.find(host, 0..=self.most.target, None)
    }

    fn changed(&mut self, host: &Arc<Host>, c: Change) -> Result {
        match c {
            Change::Gone(at) => self.remove(at, true),
            Change::New(at) if at.target > self.most.target || at.lun > self.most.lun => {}
            Change::New(at) if self.seen.get(&at).is_none() => {
                // The first unit may stand for all of its target.
                let lun = if at.lun == 0 { None } else { Some(at.lun) };
                self.find(host, at.target..=at.target, lun)?
            }
            Change::New(at) | Change::Other(at) => self.look_again(host, at),
        }
        Ok(())
    }

    /// The host is driven from here on: the first search. Errors: the host's. Sleeps.
    pub fn begin(
        &mut self,
        host: &Arc<Host>,
        common: block::Limits,
        mut shown: Option<shown::Shown>,
    ) -> Result {
        if let Some(shown) = &mut shown {
            _ = control(host).and_then(|c| shown.commands(c));
            _ = control(host).and_then(|c| shown.list(c));
        }
        (self.common, self.shown) = (Some(common), shown);
        self.find(host, 0..=self.most.target, None)
    }

    /// The host's driver goes: nothing is found any more.
    pub fn end(&mut self) -> Rest {
        self.common = None;
        Rest { seen: core::mem::take(&mut self.seen), shown: self.shown.take() }
    }
}

impl Seen {
    fn go(mut self, gone: bool) {
        _ = self.shown.as_mut().map(shown::Unit::leaves);
        drop(self.generic.take());
        if let Some(disk) = self.disk.take() {
            disk.detach(gone);
            disk.take_away();
        }
    }
}

/// What a host had when its driver went.
pub struct Rest {
    seen: Map<Address, Seen>,
    shown: Option<shown::Shown>,
}

impl Rest {
    /// Disks are used no more: what is dirty is written, unless the device is `gone`. Sleeps.
    pub fn detach(&self, gone: bool) {
        let mut next = Some(Address { target: 0, lun: 0 });
        while let Some((at, seen)) = next.and_then(|n| self.seen.from(&n)) {
            if let Some(disk) = &seen.disk {
                disk.detach(gone);
            }
            next = behind(*at);
        }
    }

    /// Nothing is under way: all goes. Sleeps.
    pub fn take_away(mut self) {
        while let Some(seen) = self.seen.pop_first() {
            let mut seen = seen.into_value();
            drop(seen.generic.take());
            if let Some(disk) = seen.disk.take() {
                disk.take_away();
            }
        }
        drop(self.shown.take());
    }
}

/// Each queue gets room for the requests of the disk with that index.
fn make_room(host: &Host, index: u16, unit: &Arc<Unit>) -> Result {
    let index = usize::from(index);
    for lane in host.lanes() {
        let requests = Requests::new(host.t.engine(), unit)?;
        let have = lane.hw.lock().disks.len();
        if have <= index {
            let n = (2 * have).max(index + 1).min(MOST_DISKS);
            let room = Room::new(KSlice::from_fn(n, KERNEL, |_| None)?)?;
            let old = lane.hw.lock().room_for(room);
            drop(old);
        }
        let mut hw = lane.hw.lock();
        if let Some(place) = hw.disks.get_mut(index) {
            *place = Some(requests);
        }
    }
    Ok(())
}

/// Goes through what happened to the host's units.
pub fn go_through(host: &Arc<Host>) {
    let mut units = host.units.lock();
    units.tidy(host);
    let (noted, missed) = host.events.lock().changes.take();
    if host.is_dead() || units.common.is_none() {
        return;
    }
    for c in noted.into_iter().flatten() {
        if units.changed(host, c).is_err() {
            return; // the host is dead, or there is no memory for it
        }
    }
    if missed {
        _ = units.look_at_all(host);
    }
}

/// The work item that goes through changes.
pub fn later(host: &Arc<Host>) -> Result<KBox<dyn Later>> {
    let theirs = host.clone();
    let work: KBox<dyn Later> = KBox::new(Work::new(move || go_through(&theirs))?, KERNEL)?;
    Ok(work)
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.host.left.say(self.index);
        super::tell(&self.host.changes, 0);
    }
}

/// What programs may do to the host's units.
struct Owner(Arc<Host>);

fn control(host: &Arc<Host>) -> Result<KBox<dyn Control>> {
    let c: KBox<dyn Control> = KBox::new(Owner(host.clone()), KERNEL)?;
    Ok(c)
}

impl Control for Owner {
    fn remove(&self, at: Address) {
        self.0.units.lock().remove(at, false);
    }

    fn look_again(&self, at: Address) {
        self.0.units.lock().look_again(&self.0, at);
    }

    fn scan(&self, target: Option<u64>, lun: Option<u64>) -> Result {
        let mut units = self.0.units.lock();
        let most = units.most;
        // Units of other kinds of address lie behind: there are none that we know.
        let last_lun = u64::from(most.lun) + 0x4000;
        if target.is_some_and(|t| t > most.target.into()) || lun.is_some_and(|l| l > last_lun) {
            return Err(Error::EINVAL);
        }
        let targets = target.map_or(0..=most.target, |t| t as u8..=t as u8);
        match lun {
            Some(l) if l > most.lun.into() => Ok(()),
            _ => units.find(&self.0, targets, lun.map(|l| l as u16)),
        }
    }

    fn bind(&self, at: Address, kind: Option<u8>) -> Result {
        let mut units = self.0.units.lock();
        if units.common.is_none() {
            return Err(Error::ENODEV);
        }
        units.tidy(&self.0);
        let mut seen = units.seen.remove(&at).ok_or(Error::ENODEV)?;
        let is = seen.found.inquiry.kind;
        let result = match kind {
            None if seen.disk.is_some() || bus::driver(is).is_none() => Ok(()),
            Some(_) if seen.disk.is_some() => Err(Error::EBUSY),
            Some(k) if k != is => Err(Error::ENODEV),
            _ => units.drive(&self.0, &mut seen),
        };
        units.seen.insert(seen);
        result
    }

    fn unbind(&self, at: Address, kind: u8) -> Result {
        let mut units = self.0.units.lock();
        let seen = units.seen.get_mut(&at).filter(|s| s.found.inquiry.kind == kind);
        let (seen, disk) = seen.and_then(|s| s.disk.take().map(|d| (s, d))).ok_or(Error::ENODEV)?;
        _ = seen.shown.as_mut().map(shown::Unit::unbinds);
        seen.unit = None;
        disk.detach(self.0.is_dead());
        disk.take_away();
        _ = seen.shown.as_mut().map(|s| s.unbound(true));
        Ok(())
    }
}
