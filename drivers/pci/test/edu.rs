// SPDX-License-Identifier: MIT
//! QEMU's "edu" (1234:11e8): a function with 28 address lines, whose engine copies between memory and 4 KiB of its own, of which the test makes
//! a disk. It cuts addresses that it cannot use, so that a request that was not copied goes wrong. Skipped where there is none.

use kernel::alloc::{Arc, KSlice, ATOMIC, KERNEL};
use kernel::block::{self, InFlight, Limits, Offer, Op, Taken};
use kernel::dma::{Dma, Engine, Segment};
use kernel::list::{Entry, List};
use kernel::mem::Mmio;
use kernel::pci::{self, Function};
use kernel::sync::SpinLockIrq;
use kernel::wait::WaitQueue;
use kernel::{kt_assert, kt_eq, thread, time, Error, Result};

const VENDOR: u16 = 0x1234;
const DEVICE: u16 = 0x11e8;
const BITS: u32 = 28;
const FROM: usize = 0x80;
const TO: usize = 0x88;
const COUNT: usize = 0x90;
const COMMAND: usize = 0x98;
const START: u32 = 1;
const TO_MEMORY: u32 = 2;
/// Its memory, as the engine has it.
const OWN: u32 = 0x40000;
const SIZE: usize = 4096;
const SECTOR: usize = 512;
const DEPTH: u32 = 2;
/// A piece of a request: smaller than a page.
const PIECE: u32 = 1024;
const LIMIT_MS: u32 = 20_000;

/// A piece to be moved.
#[derive(Clone, Copy)]
struct Move {
    at: u32,
    mem: Segment,
    to_memory: bool,
}

struct Work {
    tag: u16,
    moves: [Option<Move>; SIZE / PIECE as usize],
}

struct Disk {
    regs: Mmio,
    under_way: SpinLockIrq<InFlight>,
    waiting: SpinLockIrq<List<Work>>,
    told: WaitQueue,
    stop: SpinLockIrq<bool>,
}

/// Moves one piece, and waits for the end. `EIO`: it does not come.
fn transfer(regs: &Mmio, m: Move) -> Result {
    if m.to_memory {
        regs.write32(FROM, OWN + m.at);
        regs.write_addr(TO, m.mem.addr());
    } else {
        regs.write_addr(FROM, m.mem.addr());
        regs.write32(TO, OWN + m.at);
    }
    regs.write32(COUNT, m.mem.len());
    regs.write32(COMMAND, START | if m.to_memory { TO_MEMORY } else { 0 });
    for _ in 0..LIMIT_MS {
        if regs.read32(COMMAND) & START == 0 {
            return Ok(());
        }
        time::sleep_ms(1);
    }
    Err(Error::EIO)
}

impl block::Driver for Disk {
    fn queue<'a>(
        &self,
        _queue: u32,
        r: Offer<'a>,
    ) -> core::result::Result<Taken<'a>, (Error, Offer<'a>)> {
        let work = Work { tag: r.request().tag(), moves: [None; SIZE / PIECE as usize] };
        let mut work = match Entry::new(work, ATOMIC) {
            Ok(w) => w,
            Err(e) => return Err((e, r)),
        };
        let mut under_way = self.under_way.lock();
        let (lent, taken) = under_way.lend(r)?;
        let mut at = lent.disk_sector() as u32 * SECTOR as u32;
        let mut places = work.moves.iter_mut();
        for mem in lent.pieces() {
            let Some(place) = places.next() else { break };
            *place = Some(Move { at, mem, to_memory: lent.op() == Op::Read });
            at += mem.len();
        }
        drop(under_way);
        self.waiting.lock().push_back(work);
        self.told.wake_all();
        Ok(taken)
    }
}

impl Disk {
    fn next(&self) -> Option<Entry<Work>> {
        self.waiting.lock().pop_front()
    }

    /// Does the work until it is told to stop.
    fn serve(&self) {
        loop {
            let mut next = None;
            self.told.wait(|| {
                next = self.next();
                next.is_some() || *self.stop.lock()
            });
            let Some(work) = next else { return };
            let mut end = Ok(());
            for m in work.moves.iter().flatten() {
                end = end.and(transfer(&self.regs, *m));
            }
            let done = self.under_way.lock().done(work.tag);
            if let Some(r) = done {
                r.complete(end);
            }
        }
    }
}

fn find() -> Result<Option<Function>> {
    let mut found = None;
    pci::for_each(|f| {
        if (f.vendor, f.device) == (VENDOR, DEVICE) {
            found = Some(f);
        }
    })?;
    Ok(found)
}

fn fill(d: &Dma, first: u32) {
    for i in 0..SIZE / 4 {
        d.write32(4 * i, first.wrapping_add(i as u32).wrapping_mul(0x9e37_79b9));
    }
}

/// Memory of its own lies where it reaches it.
fn coherent(engine: &Engine, regs: &Mmio) -> Result {
    let (from, to) = (Dma::alloc(engine, SIZE)?, Dma::alloc(engine, SIZE)?);
    fill(&from, 7);
    transfer(regs, Move { at: 0, mem: from.segment(0, SIZE)?, to_memory: false })?;
    transfer(regs, Move { at: 0, mem: to.segment(0, SIZE)?, to_memory: true })?;
    for i in 0..SIZE / 4 {
        kt_eq!((i, to.read32(4 * i)), (i, from.read32(4 * i)));
    }
    Ok(())
}

/// Requests lie anywhere: what the disk gives and takes is the same, byte for byte.
fn requests(engine: &Engine, added: &block::Disk, regs: &Mmio) -> Result {
    let seen = Dma::alloc(engine, SIZE)?;
    let (mut text, mut back) = ([0; 2 * SECTOR], [0; 2 * SECTOR]);
    for sector in [0u64, 3, 6] {
        let off = sector as usize * SECTOR;
        fill(&seen, sector as u32);
        transfer(regs, Move { at: 0, mem: seen.segment(0, SIZE)?, to_memory: false })?;
        kt_eq!(added.read(sector, &mut text), Ok(()));
        kt_eq!(seen.copy_out(off, &mut back), 2 * SECTOR);
        kt_assert!(text == back);
        text.iter_mut().for_each(|b| *b = b.wrapping_mul(5) ^ sector as u8);
        kt_eq!(added.write(sector, &text), Ok(()));
        transfer(regs, Move { at: 0, mem: seen.segment(0, SIZE)?, to_memory: true })?;
        kt_eq!(seen.copy_out(off, &mut back), 2 * SECTOR);
        kt_assert!(text == back);
    }
    // All of it at once: a page, in pieces as long as the device takes them.
    let mut page = KSlice::from_fn(SIZE, KERNEL, |_| 0u8)?;
    kt_eq!(added.read(0, &mut page), Ok(()));
    kt_assert!(page.get(6 * SECTOR..8 * SECTOR) == Some(&text[..]));
    Ok(())
}

/// A request whose page the device does not reach is copied. Where the next page lies nobody knows: those that it reaches (65,536 of 4 KiB) are
/// taken away, some at a time, until one is not among them.
fn beyond(added: &block::Disk) -> Result {
    let anywhere = Engine::pretended()?;
    let mut held = List::new();
    let (copied, mut page) = (block::copied(), KSlice::from_fn(SIZE, KERNEL, |_| 0u8)?);
    const STEP: usize = 64;
    for _ in 0..=(1 << BITS) / SIZE / STEP {
        kt_eq!(added.read(0, &mut page), Ok(()));
        if block::copied() > copied {
            return Ok(());
        }
        for _ in 0..STEP {
            held.push_back(Entry::new(Dma::alloc(&anywhere, SIZE)?, KERNEL)?);
        }
    }
    kt_assert!(block::copied() > copied);
    Ok(())
}

fn edu(run: &mut kernel::ktest::Run<'_>) -> Result {
    let Some(f) = find()? else {
        return run.skip(c"there is no such function");
    };
    let engine = f.enable()?;
    engine.limit(BITS)?;
    let regs = f.map_bar(0, 0, 0x100)?;
    coherent(&engine, &regs)?;
    if !engine.is_short() {
        return run.skip(c"all memory lies below 256 MiB");
    }
    let disk = Arc::new(Disk {
        regs: f.map_bar(0, 0, 0x100)?,
        under_way: SpinLockIrq::new(InFlight::new(&engine, DEPTH as usize, SIZE)?),
        waiting: SpinLockIrq::new(List::new()),
        told: WaitQueue::new()?,
        stop: SpinLockIrq::new(false),
    })?;
    let theirs = disk.clone();
    let server = thread::spawn(c"edu", move || theirs.serve())?;
    let limits = Limits {
        sectors: (SIZE / SECTOR) as u64,
        block_size: SECTOR as u32,
        read_only: false,
        removable: false,
        no_partitions: false,
        write_cache: false,
        max_discard: 0,
        max_zeroes: 0,
        physical_block: 0,
        fua: false,
        max_bytes: SIZE as u32,
        max_segments: 1,
        max_segment: PIECE,
        queues: 1,
        depth: DEPTH,
        parent: None,
    };
    let added = block::add(c"edu", &limits, disk.clone())?;
    let result = requests(&engine, &added, &regs).and_then(|()| beyond(&added));
    let removed = added.remove();
    *disk.stop.lock() = true;
    disk.told.wake_all();
    server.join();
    kt_assert!(removed.is_ok());
    result
}

kernel::ktest!(rust_dma_edu, edu);
