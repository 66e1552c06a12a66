// SPDX-License-Identifier: MIT
//! Bus numbers and addresses behind a host bridge that firmware left bare (PCI-to-PCI Bridge Architecture 1.2, 3.2.5).
//!
//! Buses are numbered depth first. Then each bus gets a range of each pool, and gives pieces of it to its BARs and, as windows, to
//! its bridges: the largest alignment first, so that nothing is lost between them. There are two pools: low, below 4 GiB, and
//! high, for what is 64 bits wide and prefetchable, where the host bridge has such a window. Ports are not given out: no driver
//! here uses them. What finds no room stays without an address, with a message, and its driver refuses it.

use crate::alloc::{KSlice, KERNEL};
use crate::pci::{Function, Host, COMMAND, COMMAND_MASTER, COMMAND_MEMORY, SECONDARY};
use crate::{pr_warn, Result};

const MEMORY: u16 = 0x20;
const PREFETCH: u16 = 0x24;
const PREFETCH_BASE_HIGH: u16 = 0x28;
const PREFETCH_LIMIT_HIGH: u16 = 0x2c;
const WINDOW: u64 = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pool {
    Low,
    High,
}

/// Free addresses from `at` to `end`.
#[derive(Clone, Copy)]
struct Range {
    at: u64,
    end: u64,
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
struct Ranges {
    low: Range,
    high: Option<Range>,
}

/// What wants an address on a bus.
#[derive(Clone, Copy)]
enum What {
    Nothing,
    Bar { i: u8, wide: bool },
    Window,
}

#[derive(Clone, Copy)]
struct Need {
    what: What,
    pool: Pool,
    size: u64,
    align: u64,
    of: Option<Function>,
}

const NOBODY: Need = Need { what: What::Nothing, pool: Pool::Low, size: 0, align: 1, of: None };

/// Can this bridge let addresses above 4 GiB through?
fn passes_high(bridge: &Function) -> bool {
    bridge.read32(PREFETCH) & 0xf == 1
}

/// Calls `want` for each BAR of a function; `high`: there is such a pool on its bus.
fn each_bar(f: Function, high: bool, want: &mut dyn FnMut(Need)) {
    let mut i = 0;
    while i < if f.is_bridge() { 2 } else { 6 } {
        let Ok(b) = f.size_bar(i) else {
            i += 1;
            continue;
        };
        let pool = if high && b.wide && b.prefetch { Pool::High } else { Pool::Low };
        want(Need { what: What::Bar { i, wide: b.wide }, pool, size: b.size, align: b.size.max(4096), of: Some(f) }); // not a page
        i += if b.wide { 2 } else { 1 };
    }
}

/// The windows that a bridge needs. Looks at all behind it, once.
fn each_window(host: &'static Host, f: Function, high: bool, want: &mut dyn FnMut(Need)) -> Result {
    let Some(behind) = f.secondary() else { return Ok(()) };
    let all = needs(host, behind, high && passes_high(&f))?;
    for pool in [Pool::Low, Pool::High] {
        let (size, align) = extent(&all, pool);
        if size > 0 {
            let size = size.checked_next_multiple_of(WINDOW).unwrap_or(u64::MAX);
            want(Need { what: What::Window, pool, size, align: align.max(WINDOW), of: Some(f) });
        }
    }
    Ok(())
}

/// All needs of a bus, the largest alignment first.
fn needs(host: &'static Host, bus: u8, high: bool) -> Result<KSlice<Need>> {
    let mut count = 0;
    host.on_bus(bus, &mut |f| {
        each_bar(f, high, &mut |_| count += 1);
        count += if f.is_bridge() { 2 } else { 0 };
    });
    let mut all = KSlice::from_fn(count, KERNEL, |_| NOBODY)?;
    let mut places = all.iter_mut();
    let mut put = |n: Need| {
        if let Some(p) = places.next() {
            *p = n;
        }
    };
    let mut err = Ok(());
    host.on_bus(bus, &mut |f| {
        each_bar(f, high, &mut put);
        err = err.and(each_window(host, f, high, &mut put));
    });
    err?;
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

/// Gives all on `bus` and behind it places in `r`.
fn place(host: &'static Host, bus: u8, r: &mut Ranges) -> Result {
    let all = needs(host, bus, r.high.is_some())?;
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
    let mut err = Ok(());
    host.on_bus(bus, &mut |f| {
        if let Some(behind) = f.secondary() {
            err = err.and(place(host, behind, &mut behind_ranges(&f)));
            f.write32(COMMAND, f.read32(COMMAND) & 0xffff | u32::from(COMMAND_MEMORY | COMMAND_MASTER));
        }
    });
    err
}

/// The windows of a bridge, read back.
fn behind_ranges(bridge: &Function) -> Ranges {
    let open = |word: u32, base: u32, limit: u32| {
        let (base, limit) = (u64::from(base) << 32 | u64::from(word & 0xfff0) << 16, u64::from(limit) << 32 | u64::from(word & 0xfff0_0000) | 0xf_ffff);
        Range { at: base, end: if base < limit { limit + 1 } else { base } }
    };
    let high = passes_high(bridge).then(|| open(bridge.read32(PREFETCH), bridge.read32(PREFETCH_BASE_HIGH), bridge.read32(PREFETCH_LIMIT_HIGH)));
    Ranges { low: open(bridge.read32(MEMORY), 0, 0), high }
}

/// Numbers the buses behind `bus`; `last` is the last number given. `depth`: as deep as `Host::walk` goes.
fn number(host: &'static Host, bus: u8, depth: u32, last: &mut u8) {
    host.on_bus(bus, &mut |f| {
        if !f.is_bridge() {
            return;
        }
        let latency = f.read32(SECONDARY) & 0xff00_0000;
        if *last >= host.last_bus || depth >= 8 {
            pr_warn!("pci: {:02x}:{:02x}.{}: no number left for the bus behind it\n", f.bus, f.devfn >> 3, f.devfn & 7);
            f.write32(SECONDARY, latency);
            return;
        }
        *last += 1;
        let own = *last;
        let numbers = |to: u8| latency | u32::from(to) << 16 | u32::from(own) << 8 | u32::from(bus);
        f.write32(SECONDARY, numbers(host.last_bus));
        number(host, own, depth + 1, last);
        f.write32(SECONDARY, numbers(*last));
    });
}

/// The largest memory window that starts below 4 GiB, or above.
fn largest(host: &Host, high: bool) -> Option<Range> {
    let w = host.windows.iter().filter(|w| w.memory && (w.pci >> 32 != 0) == high).max_by_key(|w| w.size)?;
    let end = w.pci + w.size;
    // Address 0 means that a BAR has none.
    Some(Range { at: w.pci.max(WINDOW), end: if high { end } else { end.min(1 << 32) } })
}

/// Numbers buses from `first` on and gives out addresses.
pub(crate) fn assign(host: &'static Host, first: u8) -> Result {
    let mut last = first;
    number(host, first, 0, &mut last);
    let low = largest(host, false).unwrap_or(Range { at: 0, end: 0 });
    place(host, first, &mut Ranges { low, high: largest(host, true) })
}
