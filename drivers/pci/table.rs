// SPDX-License-Identifier: MIT
//! A value for each PCI function, indexed by host bridge, bus and device/function number. A bus's
//! part of the table is allocated with its first function, and stays.

use kernel::alloc::{KBox, KSlice, KERNEL};
use kernel::list::{Entry, List};
use kernel::{Error, Result};

/// Host bridge, bus, device and function.
pub type Key = (u16, u8, u8);

type Bus<T> = KSlice<Option<KBox<T>>>;

struct Host<T> {
    domain: u16,
    buses: KSlice<Option<Bus<T>>>,
}

/// The table. Machines have few host bridges: these are a list.
pub struct Table<T> {
    hosts: List<Host<T>>,
}

// All numbers that a bus, and a function on a bus, may have.
const NUMBERS: usize = 256;

impl<T> Table<T> {
    /// One with nothing in it.
    pub fn new() -> Table<T> {
        Table { hosts: List::new() }
    }

    fn place(&mut self, domain: u16, bus: u8, devfn: u8) -> Option<&mut Option<KBox<T>>> {
        let host = self.hosts.iter_mut().find(|h| h.domain == domain)?;
        host.buses.get_mut(usize::from(bus))?.as_mut()?.get_mut(usize::from(devfn))
    }

    /// The value of that function.
    pub fn get(&mut self, domain: u16, bus: u8, devfn: u8) -> Option<&mut T> {
        self.place(domain, bus, devfn)?.as_deref_mut()
    }

    /// The first function behind `after`, by number, whose value `is` says yes to; of all, where
    /// there is no `after`.
    pub fn next(&mut self, after: Option<Key>, mut is: impl FnMut(&mut T) -> bool) -> Option<Key> {
        let mut first: Option<Key> = None;
        for host in self.hosts.iter_mut() {
            let domain = host.domain;
            for (bus, on_bus) in host.buses.iter_mut().enumerate() {
                for (devfn, v) in on_bus.iter_mut().flat_map(|b| b.iter_mut()).enumerate() {
                    let key = (domain, bus as u8, devfn as u8);
                    let sooner = after.is_none_or(|a| key > a) && first.is_none_or(|f| key < f);
                    if sooner && v.as_deref_mut().is_some_and(&mut is) {
                        first = Some(key);
                    }
                }
            }
        }
        first
    }

    /// Removes it from the table.
    pub fn take(&mut self, domain: u16, bus: u8, devfn: u8) -> Option<KBox<T>> {
        self.place(domain, bus, devfn)?.take()
    }

    /// Puts it in, where nothing is. Sleeps.
    pub fn put(&mut self, domain: u16, bus: u8, devfn: u8, value: KBox<T>) -> Result<&mut T> {
        if !self.hosts.iter().any(|h| h.domain == domain) {
            let buses = KSlice::from_fn(NUMBERS, KERNEL, |_| None)?;
            self.hosts.push_back(Entry::new(Host { domain, buses }, KERNEL)?);
        }
        let host = self.hosts.iter_mut().find(|h| h.domain == domain).ok_or(Error::EINVAL)?;
        let on_bus = host.buses.get_mut(usize::from(bus)).ok_or(Error::EINVAL)?;
        if on_bus.is_none() {
            *on_bus = Some(KSlice::from_fn(NUMBERS, KERNEL, |_| None)?);
        }
        let place = on_bus.as_mut().and_then(|b| b.get_mut(usize::from(devfn)));
        Ok(place.ok_or(Error::EINVAL)?.insert(value))
    }
}

fn puts_and_takes(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut t = Table::new();
    kernel::kt_assert!(t.get(0, 0, 0).is_none() && t.take(3, 255, 255).is_none());
    for (domain, bus, devfn, v) in [(0, 0, 0, 1), (0, 255, 255, 2), (3, 0, 0, 3), (0, 0, 8, 4)] {
        *t.put(domain, bus, devfn, KBox::new(0, KERNEL)?)? = v;
    }
    kernel::kt_eq!(t.get(0, 0, 0).copied(), Some(1));
    let (mut at, mut sum) = (None, 0);
    while let Some(key) = t.next(at, |v| *v != 4) {
        (at, sum) = (Some(key), sum * 10 + t.get(key.0, key.1, key.2).map_or(9, |v| *v));
    }
    kernel::kt_eq!((sum, t.next(None, |v| *v > 4)), (123, None));
    kernel::kt_eq!(t.get(0, 255, 255).copied(), Some(2));
    kernel::kt_eq!(t.get(3, 0, 0).copied(), Some(3));
    kernel::kt_eq!(t.take(0, 0, 8).map(|b| *b), Some(4));
    kernel::kt_assert!(t.get(0, 0, 8).is_none() && t.get(1, 0, 0).is_none());
    Ok(())
}

kernel::ktest!(pci_table, puts_and_takes);
