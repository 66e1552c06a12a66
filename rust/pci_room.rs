// SPDX-License-Identifier: MIT
//! Addresses for PCI functions that appear while the machine runs: their BARs are zero, as reset
//! leaves them.
//!
//! They get places in what the bridge to their bus lets through, between those of others, which
//! stay where they are. On the first bus of a host bridge that firmware left bare they get what its
//! windows have left; elsewhere nobody says which addresses are free there. A function that
//! somebody has is left alone. Bridges that appear get no bus numbers: nothing is found behind
//! them. What finds no room stays without an address, with a message, and its driver refuses it.

use crate::alloc::{KSlice, KERNEL};
use crate::pci::{for_each, Function, Host, BAR0, COMMAND, COMMAND_MASTER, COMMAND_MEMORY};
use crate::pci_assign::{
    behind_ranges, each_bar, largest, Need, Pool, Range, Ranges, What, NOBODY,
};
use crate::{pr_warn, Result};

const ROM: u8 = 6;

/// The first place in `room` for so many bytes that meets none of what is used.
fn fit(room: Range, used: &[Range], size: u64, align: u64) -> Option<u64> {
    let mut at = room.at.checked_next_multiple_of(align)?;
    loop {
        let end = at.checked_add(size).filter(|e| *e <= room.end)?;
        match used.iter().find(|u| u.at < end && at < u.end) {
            Some(u) => at = u.end.checked_next_multiple_of(align)?,
            None => return Some(at),
        }
    }
}

/// Whether BAR `i` is one of memory that has no address, or is none.
fn is_zero(f: &Function, i: u8) -> bool {
    let off = BAR0 + 4 * u16::from(i);
    let low = f.read32(off);
    low & 1 == 0 && low & !0xf == 0 && (low & 6 != 4 || f.read32(off + 4) == 0)
}

/// Whether `each_bar` may size BAR `i`: the upper half of one with an address is no BAR.
fn is_new(f: &Function, i: u8) -> bool {
    let upper = (0..i).fold(false, |upper, n| !upper && f.read32(BAR0 + 4 * u16::from(n)) & 7 == 4);
    !upper && is_zero(f, i)
}

/// Calls `found` for each range of addresses that something on `bus` has.
fn each_used(host: &'static Host, bus: u8, found: &mut dyn FnMut(Range)) {
    host.on_bus(bus, &mut |f| {
        let mut upper = false;
        for i in 0..f.nr_bars() {
            if core::mem::take(&mut upper) {
                continue;
            }
            let low = f.read32(BAR0 + 4 * u16::from(i));
            upper = low & 7 == 4;
            if low & 1 != 0 || is_zero(&f, i) {
                continue;
            }
            if let Ok((base, size)) = f.bar(i) {
                found(Range { at: base, end: base + size });
            }
        }
        if let Some(r) = f.has_rom().then(|| f.region(ROM)).flatten() {
            found(Range { at: r.base, end: r.base + r.size });
        }
        if f.is_bridge() {
            let behind = behind_ranges(&f);
            found(behind.low);
            if let Some(high) = behind.high {
                found(high);
            }
        }
    });
}

/// What wants an address on `bus`, the largest first.
fn wants(host: &'static Host, bus: u8, high: bool) -> Result<KSlice<Need>> {
    let each = |put: &mut dyn FnMut(Need)| {
        host.on_bus(bus, &mut |f| {
            if !f.is_claimed() {
                each_bar(f, high, is_new, put);
            }
        });
    };
    let mut count = 0;
    each(&mut |_| count += 1);
    let mut all = KSlice::from_fn(count, KERNEL, |_| NOBODY)?;
    let mut places = all.iter_mut();
    each(&mut |n| {
        if let Some(p) = places.next() {
            *p = n;
        }
    });
    all.sort_unstable_by_key(|n| core::cmp::Reverse(n.align));
    Ok(all)
}

/// Gives what has no address on `bus` one within `room`.
fn give(host: &'static Host, bus: u8, room: Ranges) -> Result {
    let all = wants(host, bus, room.high.is_some())?;
    if all.is_empty() {
        return Ok(());
    }
    let mut count = 0;
    each_used(host, bus, &mut |_| count += 1);
    // A place for each that is used, and for each that will be.
    let mut used = KSlice::from_fn(count + all.len(), KERNEL, |_| Range { at: 0, end: 0 })?;
    let mut places = used.iter_mut();
    each_used(host, bus, &mut |r| {
        if let Some(p) = places.next() {
            *p = r;
        }
    });
    for (n, need) in all.iter().enumerate() {
        let (Some(f), What::Bar { i, wide }) = (need.of, need.what) else { continue };
        let high = room.high.filter(|_| need.pool == Pool::High);
        let high = high.and_then(|r| fit(r, &used, need.size, need.align));
        let Some(at) = high.or_else(|| fit(room.low, &used, need.size, need.align)) else {
            let (dev, fun) = (f.devfn >> 3, f.devfn & 7);
            pr_warn!("pci: {:02x}:{dev:02x}.{fun}: no room for {:#x} bytes\n", f.bus, need.size);
            continue;
        };
        f.set_bar(i, wide, at);
        f.forget_bars();
        if let Some(p) = used.get_mut(count + n) {
            *p = Range { at, end: at + need.size };
        }
    }
    Ok(())
}

impl Function {
    /// Gives functions behind this bridge addresses, which have none and no owner, where it has
    /// room for them. Sleeps.
    pub fn give_room(&self) -> Result {
        let Some(bus) = self.secondary() else { return Ok(()) };
        {
            let _guard = self.host.lock.lock();
            let c = self.read32(COMMAND) & 0xffff | u32::from(COMMAND_MEMORY | COMMAND_MASTER);
            self.write32(COMMAND, c);
        }
        give(self.host, bus, behind_ranges(self))
    }

    /// Whether its ROM has an address.
    fn has_rom(&self) -> bool {
        let off = match self.nr_bars() {
            6 => 0x30,
            2 => 0x38,
            _ => return false,
        };
        self.read32(off) & 0xffff_f800 != 0
    }
}

/// The same on all buses. Sleeps.
pub fn give_room() -> Result {
    let mut result = Ok(());
    let mut host = None;
    for_each(|f| {
        if f.bus == f.root_bus() && host != Some(f.domain()) {
            host = Some(f.domain());
            if f.host.table.is_some_and(|t| t.is_bare()) {
                let low = largest(f.host, false).unwrap_or(Range { at: 0, end: 0 });
                let room = Ranges { low, high: largest(f.host, true) };
                result = result.and(give(f.host, f.bus, room));
            }
        }
        if f.is_bridge() {
            result = result.and(f.give_room());
        }
    })?;
    result
}

fn fits(_run: &mut crate::ktest::Run<'_>) -> Result {
    let r = |at, end| Range { at, end };
    let used = [r(0x3000, 0x4000), r(0x1000, 0x2000), r(0, 0)];
    crate::kt_eq!(fit(r(0x1000, 0x9000), &used, 0x1000, 0x1000), Some(0x2000));
    crate::kt_eq!(fit(r(0x1000, 0x9000), &used, 0x2000, 0x2000), Some(0x4000));
    crate::kt_eq!(fit(r(0x1000, 0x9000), &used, 0x4000, 0x4000), Some(0x4000));
    crate::kt_eq!(fit(r(0x1000, 0x7000), &used, 0x4000, 0x4000), None);
    crate::kt_eq!(fit(r(0x1000, 0x4000), &used, 0x2000, 0x1000), None);
    // A window that is closed, and one that ends where numbers do.
    crate::kt_eq!(fit(r(0xfff0_0000, 0xfff0_0000), &[], 0x1000, 0x1000), None);
    crate::kt_eq!(fit(r(u64::MAX - 0xfff, u64::MAX), &[], 0x1000, 0x1000), None);
    crate::kt_eq!(fit(r(0x1000, 0x2000), &[r(0, u64::MAX)], 0x1000, 0x1000), None);
    Ok(())
}

crate::ktest!(rust_pci_room_fits, fits);

fn all_have_room(_run: &mut crate::ktest::Run<'_>) -> Result {
    let sum = || {
        let mut sum = 0u64;
        for_each(|f| {
            for i in 0..u16::from(f.nr_bars()) {
                sum = sum.wrapping_mul(31).wrapping_add(f.read32(BAR0 + 4 * i).into());
            }
        })
        .map(|()| sum)
    };
    give_room()?; // of what firmware gave none
    let before = sum()?;
    give_room()?;
    crate::kt_eq!(sum()?, before);
    Ok(())
}

crate::ktest!(rust_pci_room_stays, all_have_room);
