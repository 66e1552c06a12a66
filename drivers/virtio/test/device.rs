// SPDX-License-Identifier: MIT
//! A virtio device in memory that breaks the rules on purpose, for the tests of the rings and of each driver.

use super::queue::Queue;
use super::Transport;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU8, Ordering};
use kernel::alloc::{Arc, KSlice, KERNEL};
use kernel::dma::{Dma, Engine};
use kernel::mem::full_barrier;
use kernel::sync::SpinLockIrq;
use kernel::wait::WaitQueue;
use kernel::{irq, kt_assert, kt_eq, Error, Result};

const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;
const AVAIL: u16 = 1 << 7;
const USED: u16 = 1 << 15;

/// Four pairs of a network's device, and its control queue.
const QUEUES: usize = 9;

/// A queue as the device sees it.
pub struct Ring {
    pub mem: Dma,
    pub tables: Option<Dma>,
    event: bool,
    pub size: u16,
    packed: bool,
    avail: usize,
    used: usize,
    taken: u16,
    pub given: u16,
    wrap: bool,
    used_wrap: bool,
}

/// A chain that the driver made available.
#[derive(Clone, Copy, Debug)]
pub struct Avail {
    pub id: u16,
    pub descs: u16,
    /// Pieces, those of its tables among them.
    pub pieces: u16,
    /// Address of the last piece.
    pub last: u64,
    /// Bytes that the device may write.
    pub room: u32,
}

impl Ring {
    pub fn new(q: &Queue) -> Ring {
        let (mem, packed, avail, used) = q.device_side();
        let (tables, event) = q.device_tables();
        Ring {
            mem,
            tables,
            event,
            size: q.size,
            packed,
            avail,
            used,
            taken: 0,
            given: 0,
            wrap: true,
            used_wrap: true,
        }
    }

    fn read16(&self, off: usize) -> u16 {
        self.mem.read16(off).unwrap_or(0)
    }

    /// Flags, address and length of descriptor `i`.
    fn desc(&self, i: u16) -> (u16, u64, u32) {
        self.desc_in(&self.mem, 16 * usize::from(i % self.size))
    }

    fn desc_in(&self, mem: &Dma, at: usize) -> (u16, u64, u32) {
        let flags = mem.read16(at + if self.packed { 14 } else { 12 }).unwrap_or(0);
        (flags, mem.read64(at).unwrap_or(0), mem.read32(at + 8).unwrap_or(0))
    }

    /// Takes in a table of `len` bytes at `addr`; false: it is none.
    fn take_table(&self, addr: u64, len: u32, a: &mut Avail) -> bool {
        let Some(mem) = &self.tables else { return false };
        let Some(off) = mem.offset_of(addr) else { return false };
        let n = len as usize / 16;
        if n == 0 || n > usize::from(self.size) || off + 16 * n > mem.len() {
            return false;
        }
        for i in 0..n {
            let at = off + 16 * i;
            let (flags, addr, len) = self.desc_in(mem, at);
            let (next, last) = (mem.read16(at + 14).unwrap_or(0), i + 1 == n);
            if !self.packed && (flags & NEXT != 0) == last
                || !self.packed && !last && usize::from(next) != i + 1
                || flags & INDIRECT != 0
            {
                return false;
            }
            a.pieces += 1;
            a.last = addr;
            a.room += if flags & WRITE != 0 { len } else { 0 };
        }
        true
    }

    /// Asks to be told when the driver has pushed `more` entries (split) from now on.
    pub fn want_notice(&self, more: u16) {
        self.mem.write16(
            self.used + 4 + 8 * usize::from(self.size),
            self.taken.wrapping_add(more).wrapping_sub(1),
        );
    }

    /// The same of a packed ring: at that descriptor of that turn.
    pub fn want_notice_at(&self, at: u16, wrap: bool) {
        self.mem.write16(self.used, at | u16::from(wrap) << 15);
        self.mem.write16(self.used + 2, 2);
    }

    /// Whether the driver wants an interrupt for the last of the `n` that were given (split), or for the next one (packed).
    pub fn must_interrupt(&self, n: u16) -> bool {
        if self.packed {
            return match self.read16(self.avail + 2) {
                2 => {
                    self.event
                        && self.read16(self.avail) == self.given | u16::from(self.used_wrap) << 15
                }
                flags => flags == 0,
            };
        }
        if !self.event {
            return self.read16(self.avail) & 1 == 0;
        }
        let at = self.read16(self.avail + 4 + 2 * usize::from(self.size));
        self.given.wrapping_sub(at).wrapping_sub(1) < n
    }

    /// The next head; where there is none the device asks to be told of it, and looks once more.
    fn available(&mut self) -> Option<u16> {
        self.look().or_else(|| {
            match (self.event, self.packed) {
                (false, _) => return None,
                (_, true) => self.want_notice_at(self.taken, self.wrap),
                (_, false) => self.want_notice(1),
            }
            full_barrier();
            self.look()
        })
    }

    fn look(&mut self) -> Option<u16> {
        if self.packed {
            let (flags, _, _) = self.desc(self.taken);
            let here = (flags & AVAIL != 0) == self.wrap && (flags & USED != 0) != self.wrap;
            return here.then_some(self.taken);
        }
        if self.read16(self.avail + 2) == self.taken {
            return None;
        }
        let head = self.read16(self.avail + 4 + 2 * usize::from(self.taken % self.size));
        self.taken = self.taken.wrapping_add(1);
        Some(head)
    }

    /// The next chain that the driver made available.
    pub fn take(&mut self) -> Option<Avail> {
        let mut at = self.available()?;
        let mut a = Avail { id: at, descs: 0, pieces: 0, last: 0, room: 0 };
        loop {
            let (flags, addr, len) = self.desc(at);
            a.descs += 1;
            if flags & INDIRECT == 0 {
                a.pieces += 1;
                a.last = addr;
                a.room += if flags & WRITE != 0 { len } else { 0 };
            } else if flags & (NEXT | WRITE) != 0 || !self.take_table(addr, len, &mut a) {
                return None;
            }
            let place = 16 * usize::from(at);
            if self.packed {
                a.id = self.read16(place + 12);
                self.taken += 1;
                if self.taken == self.size {
                    self.taken = 0;
                    self.wrap = !self.wrap;
                }
                at = self.taken;
            } else {
                at = self.read16(place + 14);
            }
            if flags & NEXT == 0 || a.descs > self.size {
                return Some(a);
            }
        }
    }

    /// Says that a chain is done with; anything will do.
    pub fn give(&mut self, id: u32, len: u32, descs: u16) {
        if self.packed {
            let at = 16 * usize::from(self.given);
            self.mem.write16(at + 12, id as u16);
            self.mem.write32(at + 8, len);
            self.mem.write16(at + 14, if self.used_wrap { AVAIL | USED } else { 0 });
            self.given += descs;
            if self.given >= self.size {
                self.given -= self.size;
                self.used_wrap = !self.used_wrap;
            }
            return;
        }
        let at = self.used + 4 + 8 * usize::from(self.given % self.size);
        self.mem.write32(at, id);
        self.mem.write32(at + 4, len);
        self.given = self.given.wrapping_add(1);
        self.set_index(self.given);
    }

    /// Moves the used index alone (split), or marks a descriptor far ahead as used (packed).
    pub fn set_index(&mut self, i: u16) {
        if self.packed {
            self.mem.write16(16 * usize::from(i % self.size) + 14, AVAIL | USED);
        } else {
            self.mem.write16(self.used + 2, i);
        }
    }
}

/// What of the device may be wrong.
pub struct Evil {
    pub kind: u32,
    pub offered: u64,
    pub max: u16,
    /// The feature set that we agreed on is refused.
    pub refuses: bool,
    /// The configuration changes each time that one looks.
    pub restless: bool,
    /// Bytes of configuration; behind them are ones.
    pub config: KSlice<u8>,
    pub irq: i32,
    source: SpinLockIrq<Option<irq::Msi>>,
    pub status: AtomicU8,
    /// How often we were told that it is over.
    pub failures: AtomicU32,
    pub looks: AtomicU32,
    pub rings: SpinLockIrq<[Option<Ring>; QUEUES]>,
    pub notified: AtomicU32,
    pub told: WaitQueue,
    pub engine: Engine,
    /// What a test's thread says at its end.
    pub done: AtomicBool,
}

/// An owner of the device that is a transport.
pub struct Handle(pub Arc<Evil>);

impl Evil {
    /// One with that configuration; `ENODEV`: this machine has no message interrupts to pretend with.
    pub fn new(kind: u32, offered: u64, max: u16, config: &[u8]) -> Result<Evil> {
        let msi = irq::alloc_msi(None, 1).map_err(|_| Error::ENODEV)?;
        let config =
            KSlice::from_fn(config.len(), KERNEL, |i| config.get(i).copied().unwrap_or(0))?;
        Ok(Evil {
            kind,
            offered: offered | super::F_VERSION_1,
            max,
            refuses: false,
            restless: false,
            config,
            irq: msi.number(),
            source: SpinLockIrq::new(Some(msi)),
            status: AtomicU8::new(0),
            failures: AtomicU32::new(0),
            looks: AtomicU32::new(0),
            rings: SpinLockIrq::new([const { None }; QUEUES]),
            notified: AtomicU32::new(0),
            told: WaitQueue::new()?,
            engine: Engine::pretended()?,
            done: AtomicBool::new(false),
        })
    }

    /// Works on queue `i`; `None`: the driver has not given it.
    pub fn ring<R>(&self, i: usize, f: impl FnOnce(&mut Ring) -> R) -> Option<R> {
        self.rings.lock().get_mut(i)?.as_mut().map(f)
    }

    /// The interrupt comes.
    pub fn interrupt(&self) {
        irq::simulate(self.irq);
    }

    pub fn failures(&self) -> u32 {
        self.failures.load(Ordering::Acquire)
    }
}

impl Transport for Handle {
    fn device_type(&self) -> u32 {
        self.0.kind
    }

    fn status(&self) -> u8 {
        let s = self.0.status.load(Ordering::Acquire);
        if self.0.refuses {
            s & !super::FEATURES_OK
        } else {
            s
        }
    }

    fn set_status(&self, s: u8) {
        if s & super::FAILED != 0 {
            self.0.failures.fetch_add(1, Ordering::AcqRel);
        }
        self.0.status.store(s, Ordering::Release);
    }

    fn features(&self) -> u64 {
        self.0.offered
    }

    fn set_features(&self, _f: u64) {}

    fn config8(&self, off: usize) -> u8 {
        self.0.config.get(off).copied().unwrap_or(u8::MAX)
    }

    fn generation(&self) -> u32 {
        self.0.looks.fetch_add(u32::from(self.0.restless), Ordering::Relaxed)
    }

    fn queue_max(&self, i: u16) -> u16 {
        if usize::from(i) < QUEUES {
            self.0.max
        } else {
            0
        }
    }

    fn queue_setup(&self, i: u16, q: &Queue, _vector: u16) -> Result {
        *self.0.rings.lock().get_mut(usize::from(i)).ok_or(Error::EINVAL)? = Some(Ring::new(q));
        Ok(())
    }

    fn notify(&self, _i: u16) {
        self.0.notified.fetch_add(1, Ordering::AcqRel);
        self.0.told.wake_all();
    }

    fn interrupt(&self) -> Result<(irq::Source, u16, bool)> {
        let msi = self.0.source.lock().take();
        Ok((msi.ok_or(Error::ENOSPC)?.into(), 0, true))
    }

    fn acknowledge(&self) -> u32 {
        1
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }
}

/// Does `once` hundreds of times: memory does not become less, and nothing is kept for a device.
pub fn no_growth(mut once: impl FnMut() -> Result) -> Result {
    let dma = kernel::show::Dir::debug(c"dma")?;
    let (mut before, mut after) = ([0; 64], [0; 64]);
    for _ in 0..50 {
        once()?; // caches fill
    }
    kernel::rcu::barrier();
    dma.read(c"quarantine", &mut before)?;
    // The count of objects first: it takes out of the sanitizer's quarantine what was freed, which would hold pages.
    let (live, free) = (kernel::alloc::live_objects(), kernel::alloc::free_pages());
    for _ in 0..400 {
        once()?;
    }
    kernel::rcu::barrier();
    dma.read(c"quarantine", &mut after)?;
    kt_eq!(after, before);
    // Other tasks allocate too, and caches keep empty pages: a leak of one object or page a round would make four hundred.
    let more = kernel::alloc::live_objects().saturating_sub(live);
    kt_eq!((more, more < 200), (more, true));
    let lost = free.saturating_sub(kernel::alloc::free_pages());
    kt_eq!((lost, lost < 200), (lost, true));
    Ok(())
}

/// Numbers that look random and are the same each time (xorshift).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % n.max(1)
    }
}

fn negotiate(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let make = |f: fn(&mut Evil)| -> Result<Handle> {
        let mut e = match Evil::new(4, 0, 8, &[]) {
            Ok(e) => e,
            Err(_) => return Err(Error::ENODEV),
        };
        f(&mut e);
        Ok(Handle(Arc::new(e)?))
    };
    let Ok(good) = make(|_| ()) else { return Ok(()) };
    kt_eq!(super::negotiate(&good, super::F_RING_PACKED), Ok(super::F_VERSION_1));
    kt_assert!(!super::is_alive(&good)); // not yet
    super::go(&good);
    kt_assert!(super::is_alive(&good));
    for s in [0, 1, 0xff, 4 | 64, 4 | 128] {
        good.set_status(s);
        kt_assert!(!super::is_alive(&good));
    }
    let old = make(|e| e.offered = 0)?;
    kt_eq!(super::negotiate(&old, 0), Err(Error::ENODEV));
    let refuses = make(|e| e.refuses = true)?;
    kt_eq!(super::negotiate(&refuses, 0), Err(Error::EOPNOTSUPP));
    kt_eq!((old.0.failures(), refuses.0.failures()), (1, 1));
    let restless = make(|e| e.restless = true)?;
    kt_eq!(super::config64(&restless, 0), Err(Error::EIO));
    kt_eq!(super::config64(&good, 0), Ok(u64::MAX)); // shorter than what is asked for
    Ok(())
}

kernel::ktest!(virtio_negotiate, negotiate);
