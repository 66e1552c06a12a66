// SPDX-License-Identifier: MIT
//! Bus numbers and addresses behind a host bridge that firmware left bare (PCI-to-PCI Bridge Architecture 1.2, 3.2.5).
//!
//! Buses are numbered depth first. Then each bus gets a range of each pool, and gives pieces of it to its BARs and, as windows, to
//! its bridges: the largest alignment first, so that nothing is lost between them. There are two pools: low, below 4 GiB, and
//! high, for what is 64 bits wide and prefetchable, where the host bridge has such a window. Ports are not given out: no driver
//! here uses them. A port whose cards come and go keeps room for some that are not there yet. What finds no room stays without an address, with a message, and its driver refuses it.
//!
//! Bridges may be as deep as there are numbers: sizes are summed up from the last bus to the first, and places given from the first to the
//! last, without recursion.

use crate::alloc::{KSlice, KERNEL};
use crate::pci::{Function, Host, COMMAND, COMMAND_MASTER, COMMAND_MEMORY, SECONDARY};
use crate::{pr_warn, Result};

const MEMORY: u16 = 0x20;
const PREFETCH: u16 = 0x24;
const PREFETCH_BASE_HIGH: u16 = 0x28;
const PREFETCH_LIMIT_HIGH: u16 = 0x2c;
const WINDOW: u64 = 1 << 20;
/// What is kept of each pool for the cards that may come to a slot.
const SLOT: u64 = 2 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    Low,
    High,
}

/// Free addresses from `at` to `end`.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) at: u64,
    pub(crate) end: u64,
}

impl Range {
    fn take(&mut self, size: u64, align: u64) -> Option<u64> {
        let at = self.at.checked_next_multiple_of(align)?;
        let end = at.checked_add(size).filter(|e| *e <= self.end)?;
        self.at = end;
        Some(at)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Ranges {
    pub(crate) low: Range,
    pub(crate) high: Option<Range>,
}

/// What wants an address on a bus.
#[derive(Clone, Copy)]
pub(crate) enum What {
    Nothing,
    Bar { i: u8, wide: bool },
    Window,
}

#[derive(Clone, Copy)]
pub(crate) struct Need {
    pub(crate) what: What,
    pub(crate) pool: Pool,
    pub(crate) size: u64,
    pub(crate) align: u64,
    pub(crate) of: Option<Function>,
}

pub(crate) const NOBODY: Need = Need { what: What::Nothing, pool: Pool::Low, size: 0, align: 1, of: None };

/// Can this bridge let addresses above 4 GiB through?
pub(crate) fn passes_high(bridge: &Function) -> bool {
    bridge.read32(PREFETCH) & 0xf == 1
}

/// Calls `want` for each BAR of a function that `wanted` says yes to; `high`: there is such a pool on its bus.
pub(crate) fn each_bar(f: Function, high: bool, wanted: fn(&Function, u8) -> bool, want: &mut dyn FnMut(Need)) {
    let mut i = 0;
    while i < if f.is_bridge() { 2 } else { 6 } {
        let Some(b) = wanted(&f, i).then(|| f.size_bar(i).ok()).flatten() else {
            i += 1;
            continue;
        };
        let pool = if high && b.wide && b.prefetch { Pool::High } else { Pool::Low };
        want(Need { what: What::Bar { i, wide: b.wide }, pool, size: b.size, align: b.size.max(4096), of: Some(f) }); // not a page
        i += if b.wide { 2 } else { 1 };
    }
}

/// A bus.
#[derive(Clone, Copy)]
struct Bus {
    /// The bridge that leads to it; the first bus has none.
    bridge: Option<Function>,
    /// Do addresses above 4 GiB get there?
    high: bool,
    /// Size and alignment of what it takes of the pools, with all behind it.
    low_need: (u64, u64),
    high_need: (u64, u64),
}

const NO_BUS: Bus = Bus { bridge: None, high: false, low_need: (0, 1), high_need: (0, 1) };

/// The windows that a bridge needs.
fn each_window(buses: &[Bus], f: Function, want: &mut dyn FnMut(Need)) {
    let Some(behind) = f.secondary().and_then(|b| buses.get(usize::from(b))) else { return };
    for (pool, (size, align)) in [(Pool::Low, behind.low_need), (Pool::High, behind.high_need)] {
        if size > 0 {
            let size = size.checked_next_multiple_of(WINDOW).unwrap_or(u64::MAX);
            want(Need { what: What::Window, pool, size, align: align.max(WINDOW), of: Some(f) });
        }
    }
}

/// All needs of a bus, the largest alignment first. Those of the buses behind it are known.
fn needs(host: &'static Host, bus: u8, buses: &[Bus]) -> Result<KSlice<Need>> {
    let high = buses.get(usize::from(bus)).is_some_and(|b| b.high);
    let mut count = 0;
    host.on_bus(bus, &mut |f| {
        each_bar(f, high, |_, _| true, &mut |_| count += 1);
        count += if f.is_bridge() { 2 } else { 0 };
    });
    let mut all = KSlice::from_fn(count, KERNEL, |_| NOBODY)?;
    let mut places = all.iter_mut();
    let mut put = |n: Need| {
        if let Some(p) = places.next() {
            *p = n;
        }
    };
    host.on_bus(bus, &mut |f| {
        each_bar(f, high, |_, _| true, &mut put);
        each_window(buses, f, &mut put);
    });
    all.sort_unstable_by_key(|n| core::cmp::Reverse(n.align));
    Ok(all)
}

/// How much of a pool they take, and how it is to be aligned. What cannot be: more than there is.
fn extent(all: &[Need], pool: Pool) -> (u64, u64) {
    let mut r = Range { at: 0, end: u64::MAX };
    let mut align = 1;
    for n in all.iter().filter(|n| n.pool == pool) {
        align = align.max(n.align);
        if r.take(n.size, n.align).is_none() {
            return (u64::MAX, align);
        }
    }
    (r.at, align)
}

fn set_window(bridge: &Function, pool: Pool, base: u64, limit: u64) {
    let word = (base >> 16 & 0xfff0) as u32 | (limit & 0xfff0_0000) as u32;
    match pool {
        Pool::Low => bridge.write32(MEMORY, word),
        Pool::High => {
            bridge.write32(PREFETCH, word);
            bridge.write32(PREFETCH_BASE_HIGH, (base >> 32) as u32);
            bridge.write32(PREFETCH_LIMIT_HIGH, (limit >> 32) as u32);
        }
    }
}

/// Gives all on `bus` places in `r`, and its bridges windows.
fn place(host: &'static Host, bus: u8, buses: &[Bus], r: &mut Ranges) -> Result {
    let all = needs(host, bus, buses)?;
    host.on_bus(bus, &mut |f| {
        if f.is_bridge() {
            // A base above its limit: closed.
            set_window(&f, Pool::Low, u64::from(u32::MAX), 0);
            set_window(&f, Pool::High, u64::MAX, 0);
        }
    });
    for n in all.iter() {
        let Some(f) = n.of else { continue };
        let from = match (n.pool, &mut r.high) {
            (Pool::High, Some(h)) => h,
            _ => &mut r.low,
        };
        let Some(at) = from.take(n.size, n.align) else {
            pr_warn!("pci: {:02x}:{:02x}.{}: no room for {:#x} bytes\n", f.bus, f.devfn >> 3, f.devfn & 7, n.size);
            continue;
        };
        match n.what {
            What::Bar { i, wide } => f.set_bar(i, wide, at),
            What::Window => set_window(&f, n.pool, at, at + n.size - 1),
            What::Nothing => {}
        }
    }
    Ok(())
}

/// The windows of a bridge, read back.
pub(crate) fn behind_ranges(bridge: &Function) -> Ranges {
    let open = |word: u32, base: u32, limit: u32| {
        let (base, limit) = (u64::from(base) << 32 | u64::from(word & 0xfff0) << 16, u64::from(limit) << 32 | u64::from(word & 0xfff0_0000) | 0xf_ffff);
        Range { at: base, end: if base < limit { limit + 1 } else { base } }
    };
    let high = passes_high(bridge).then(|| open(bridge.read32(PREFETCH), bridge.read32(PREFETCH_BASE_HIGH), bridge.read32(PREFETCH_LIMIT_HIGH)));
    Ranges { low: open(bridge.read32(MEMORY), 0, 0), high }
}

/// Numbers the buses behind `first`, noting which bridge leads to each. The last number given.
fn number(host: &'static Host, first: u8, buses: &mut [Bus]) -> u8 {
    let (mut bus, mut from, mut last) = (first, 0, first);
    let write = |f: &Function, own: u8, to: u8| {
        let latency = f.read32(SECONDARY) & 0xff00_0000;
        f.write32(SECONDARY, latency | u32::from(to) << 16 | u32::from(own) << 8 | u32::from(f.bus));
    };
    loop {
        if let Some(f) = host.next_on_bus(bus, from) {
            from = u16::from(f.devfn) + 1;
            if !f.is_bridge() {
                continue;
            }
            let own = last.checked_add(1).filter(|own| *own <= host.last_bus);
            let Some((own, b)) = own.and_then(|own| Some((own, buses.get_mut(usize::from(own))?))) else {
                pr_warn!("pci: {:02x}:{:02x}.{}: no number left for the bus behind it\n", f.bus, f.devfn >> 3, f.devfn & 7);
                f.write32(SECONDARY, f.read32(SECONDARY) & 0xff00_0000);
                continue;
            };
            // Down, with all numbers that are left.
            b.bridge = Some(f);
            write(&f, own, host.last_bus);
            (bus, from, last) = (own, 0, own);
        } else {
            // Up again, to what follows the bridge.
            let Some(f) = buses.get(usize::from(bus)).and_then(|b| b.bridge) else { return last };
            write(&f, bus, last);
            (bus, from) = (f.bus, u16::from(f.devfn) + 1);
        }
    }
}

/// The largest memory window that starts below 4 GiB, or above.
pub(crate) fn largest(host: &Host, high: bool) -> Option<Range> {
    let w = host.windows.iter().filter(|w| w.memory && (w.pci >> 32 != 0) == high).max_by_key(|w| w.size)?;
    let end = w.pci + w.size;
    // Address 0 means that a BAR has none.
    Some(Range { at: w.pci.max(WINDOW), end: if high { end } else { end.min(1 << 32) } })
}

/// Numbers buses from `first` on and gives out addresses. A bridge's number is below those of what is behind it.
pub(crate) fn assign(host: &'static Host, first: u8) -> Result {
    let mut buses = KSlice::from_fn(256, KERNEL, |_| NO_BUS)?;
    let last = number(host, first, &mut buses);
    let all = Ranges { low: largest(host, false).unwrap_or(Range { at: 0, end: 0 }), high: largest(host, true) };
    for bus in first..=last {
        let bridge = buses.get(usize::from(bus)).and_then(|b| b.bridge);
        let high = bridge.map_or(all.high.is_some(), |f| passes_high(&f) && buses.get(usize::from(f.bus)).is_some_and(|b| b.high));
        if let Some(b) = buses.get_mut(usize::from(bus)) {
            b.high = high;
        }
    }
    for bus in (first..=last).rev() {
        let all = needs(host, bus, &buses)?;
        if let Some(b) = buses.get_mut(usize::from(bus)) {
            (b.low_need, b.high_need) = (extent(&all, Pool::Low), extent(&all, Pool::High));
            if b.bridge.is_some_and(|f| f.has_slot()) {
                b.low_need.0 = b.low_need.0.max(SLOT);
                b.high_need.0 = b.high_need.0.max(if b.high { SLOT } else { 0 });
            }
        }
    }
    for bus in first..=last {
        let bridge = buses.get(usize::from(bus)).and_then(|b| b.bridge);
        place(host, bus, &buses, &mut bridge.map_or(all, |f| behind_ranges(&f)))?;
    }
    for f in buses.iter().filter_map(|b| b.bridge) {
        f.write32(COMMAND, f.read32(COMMAND) & 0xffff | u32::from(COMMAND_MEMORY | COMMAND_MASTER));
    }
    Ok(())
}
