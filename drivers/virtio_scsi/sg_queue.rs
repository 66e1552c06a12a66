// SPDX-License-Identifier: MIT
//! Commands of an open file of a generic device: each is asked for (by write(2), or SG_IO), is in flight, has ended, and is taken (by read(2), or SG_IO
//! again). At most 16 are anywhere between.
//!
//! A command in flight is known to its file and to its device (`Flights`). When the host is done with it a work of the device lands it: has its
//! answer, and tells its file. The same work aborts what is not answered in time. A file that is closed leaves those in flight to the
//! device: they land, and go. So does an SG_IO that a signal ended (an orphan), unless the file keeps orphans for its reads.

use super::pass::{Kept, Launched};
use super::{tell, Bell, Host, Later};
use crate::scsi::header::{Header, SIZE};
use crate::scsi::pass::{milliseconds, Carrier, Command, Data, Ended};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::chrdev::Listeners;
use kernel::list::{Entry, List};
use kernel::sync::SpinLockIrq;
use kernel::wait::WaitQueue;
use kernel::{time, Error, Result};

/// Most commands of a file at a time.
const MOST: usize = 16;
// How often commands in flight are looked after.
const LOOK_MS: u32 = 1000;

/// What a command's data lie in.
pub enum Room {
    /// Of the host, shared with all that somebody waits for.
    Shared(Arc<Host>, usize),
    /// Of those that a program takes some time.
    Kept(#[allow(dead_code)] Kept),
}

impl Room {
    /// Of SG_IO. Sleeps.
    pub fn shared(host: &Arc<Host>, n: usize) -> Result<Room> {
        host.reserve(n)?;
        Ok(Room::Shared(host.clone(), n))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Room::Shared(host, n) = self {
            host.give_back(*n);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Flies,
    Ended,
    Taken, // somebody is about to give it to the program
}

/// What a command was asked for with.
pub struct Ask {
    /// As its program gave it.
    pub raw: [u8; SIZE],
    /// The same.
    pub header: Header,
    /// Of version 2: how long the command itself is, whether its group is a vendor's, and how long the answer.
    pub old: Option<(u8, bool, u32)>,
    /// Which, for the program.
    pub id: i32,
    /// The program's own.
    pub user: u64,
    /// SG_IO waits for it.
    pub owned: bool,
    /// Its time.
    pub ms: u32,
}

/// How it ended, with its data.
pub struct Outcome {
    /// Where data are.
    pub data: Data<Room>,
    /// Status and sense data.
    pub end: Ended,
    /// In milliseconds.
    pub duration: u32,
}

impl Outcome {
    /// Nobody looks at it any more.
    pub fn done(self) {
        if self.end.released {
            self.data.done();
        }
    }
}

struct Progress {
    state: State,
    owned: bool,
    orphan: bool,
    problem: bool,
    duration: u32,
}

/// A command.
pub struct Request {
    queue: Arc<Queue>,
    /// What was asked for.
    pub ask: Ask,
    // When it was given to the device.
    begun: AtomicU64,
    flight: SpinLockIrq<Option<(Launched, Data<Room>)>>,
    outcome: SpinLockIrq<Option<Outcome>>,
    // Changes under the queue's lock alone.
    progress: SpinLockIrq<Progress>,
}

impl Request {
    fn is_due(&self, now: u64) -> bool {
        let late = now.saturating_sub(self.begun()) >= u64::from(self.ask.ms) * 1_000_000;
        late || self.flight.lock().as_ref().is_some_and(|(l, _)| l.is_over())
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    fn state(&self) -> State {
        self.progress.lock().state
    }
}

struct Asked {
    list: List<Arc<Request>>,
    // With those that are about to be on it.
    count: usize,
    closed: bool,
}

/// The commands of a file. It outlives the file while some of them are in flight.
pub struct Queue {
    asked: SpinLockIrq<Asked>,
    /// Something of it changed.
    pub changed: WaitQueue,
    /// Owners that get `SIGIO`.
    pub listeners: Listeners,
    /// SG_SET_COMMAND_Q: more than one command at a time.
    pub queues: AtomicBool,
    /// SG_SET_KEEP_ORPHAN.
    pub keeps_orphans: AtomicBool,
}

/// One of a queue's places.
pub struct Place<'a>(&'a Arc<Queue>);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.asked.lock().count -= 1;
    }
}

/// What a reader finds.
pub enum Found {
    /// That one; it is the reader's.
    Some(Arc<Request>),
    /// Nothing, but some are in flight.
    Flying,
    /// Nothing.
    None,
}

impl Queue {
    /// One without commands.
    pub fn new() -> Result<Arc<Queue>> {
        Arc::new(Queue {
            asked: SpinLockIrq::new(Asked { list: List::new(), count: 0, closed: false }),
            changed: WaitQueue::new()?,
            listeners: Listeners::new(),
            queues: AtomicBool::new(false),
            keeps_orphans: AtomicBool::new(false),
        })
    }

    /// `EDOM`: there are as many as there may be.
    pub fn place(self: &Arc<Self>) -> Result<Place<'_>> {
        let mut q = self.asked.lock();
        let most = if self.queues.load(Ordering::Relaxed) { MOST } else { 1 };
        if q.count >= most {
            return Err(Error::EDOM);
        }
        q.count += 1;
        drop(q);
        Ok(Place(self))
    }

    /// Whether there may be another.
    pub fn has_place(&self) -> bool {
        let most = if self.queues.load(Ordering::Relaxed) { MOST } else { 1 };
        self.asked.lock().count < most
    }

    /// Takes the first that has ended, and that no SG_IO waits for; `id`: of those with that id, -1: of all.
    pub fn find(&self, id: i32) -> Found {
        let q = self.asked.lock();
        let mut flies = false;
        for r in q.list.iter().filter(|r| id == -1 || r.ask.id == id) {
            let mut p = r.progress.lock();
            match p.state {
                _ if p.owned => {}
                State::Ended => {
                    p.state = State::Taken;
                    return Found::Some(Arc::clone(r));
                }
                State::Flies => flies = true,
                State::Taken => {}
            }
        }
        if flies {
            Found::Flying
        } else {
            Found::None
        }
    }

    /// How many `find` would find, and the id of the first.
    pub fn waiting(&self) -> (u32, i32) {
        let q = self.asked.lock();
        let mut some = q.list.iter().filter(|r| {
            let p = r.progress.lock();
            p.state == State::Ended && !p.owned
        });
        let first = some.next().map(|r| r.ask.id);
        (some.count() as u32 + u32::from(first.is_some()), first.unwrap_or(-1))
    }

    /// SG_GET_REQUEST_TABLE.
    pub fn table(&self) -> [[u8; 24]; MOST] {
        let q = self.asked.lock();
        let mut all = [[0; 24]; MOST];
        for (to, r) in all.iter_mut().zip(q.list.iter()) {
            let p = r.progress.lock();
            let state = match p.state {
                State::Flies => 1,
                State::Ended => 2,
                State::Taken => 3,
            };
            let ms = if p.state == State::Flies { milliseconds(r.begun()) } else { p.duration };
            let flags = [state, p.orphan.into(), p.owned.into(), p.problem.into()];
            let words = flags.into_iter().chain(r.ask.id.to_ne_bytes());
            let words = words.chain(r.ask.user.to_ne_bytes()).chain(ms.to_ne_bytes());
            to.iter_mut().zip(words).for_each(|(to, b)| *to = b);
        }
        all
    }

    /// It was taken, or never flew: its place is free.
    fn forget(&self, r: &Arc<Request>) {
        let entry = {
            let mut q = self.asked.lock();
            let entry = q.list.remove(|x| Arc::ptr_eq(x, r));
            if entry.is_some() {
                q.count -= 1;
            }
            entry
        };
        drop(entry);
    }

    /// What came of one that the caller has taken; it is forgotten.
    pub fn take(&self, r: &Arc<Request>) -> Option<Outcome> {
        let outcome = r.outcome.lock().take();
        self.forget(r);
        outcome
    }

    /// SG_IO's wait for its command. `ERESTARTSYS`: a signal came, and it is an orphan. Sleeps.
    pub fn wait(&self, r: &Arc<Request>) -> Result {
        let woken = self.changed.wait_interruptible(|| r.state() == State::Ended);
        let _q = self.asked.lock();
        let mut p = r.progress.lock();
        if p.state == State::Ended {
            p.state = State::Taken;
            return Ok(());
        }
        p.orphan = true;
        woken
    }

    /// The file was closed.
    pub fn close(&self) {
        self.asked.lock().closed = true;
        loop {
            let entry = {
                let mut q = self.asked.lock();
                let entry = q.list.pop_front();
                q.count -= usize::from(entry.is_some());
                entry
            };
            let Some(r) = entry else { return };
            let outcome = r.outcome.lock().take();
            if let Some(o) = outcome {
                o.done();
            }
        }
    }

    /// Has all look again.
    pub fn tell(&self) {
        self.changed.wake_all();
        self.listeners.tell();
    }
}

/// The commands of all files of a device that are in flight.
pub struct Flights {
    list: SpinLockIrq<List<Arc<Request>>>,
    bell: Arc<Bell>,
    late: SpinLockIrq<Option<KBox<dyn Later>>>,
}

/// Where a command goes.
pub struct Way<'a> {
    /// By that host.
    pub host: &'a Host,
    /// To that unit.
    pub at: crate::scsi::core::Address,
}

impl Flights {
    /// Without commands; nobody lands them yet.
    pub fn new() -> Result<Flights> {
        Ok(Flights {
            list: SpinLockIrq::new(List::new()),
            bell: Arc::new(Bell(SpinLockIrq::new(None)))?,
            late: SpinLockIrq::new(None),
        })
    }

    /// `now` calls `land`, and `late` does after a while.
    pub fn start(&self, now: KBox<dyn Later>, late: KBox<dyn Later>) {
        *self.bell.0.lock() = Some(now);
        *self.late.lock() = Some(late);
    }

    /// All have landed, and no other will fly. Sleeps.
    pub fn end(&self) {
        let now = self.bell.0.lock().take();
        drop(now);
        let late = self.late.lock().take();
        drop(late);
    }

    /// Has the command fly. An error: the device was not told of it. Sleeps.
    pub fn launch(
        &self,
        way: &Way<'_>,
        place: Place<'_>,
        ask: Ask,
        bytes: &[u8],
        data: Data<Room>,
    ) -> Result<Arc<Request>> {
        match self.launch_from(way, place.0, ask, bytes, &data) {
            Ok((r, ours, theirs, launched)) => {
                core::mem::forget(place); // it is the request's
                put(&r.flight, (launched, data));
                r.queue.asked.lock().list.push_back(theirs);
                self.list.lock().push_back(ours);
                tell(&self.late, r.ask.ms.min(LOOK_MS));
                self.bell.ring(); // it may have ended before it was on the list
                Ok(r)
            }
            Err(e) => {
                data.done();
                Err(e)
            }
        }
    }

    #[allow(clippy::type_complexity)]
    fn launch_from(
        &self,
        way: &Way<'_>,
        queue: &Arc<Queue>,
        ask: Ask,
        bytes: &[u8],
        data: &Data<Room>,
    ) -> Result<(Arc<Request>, Entry<Arc<Request>>, Entry<Arc<Request>>, Launched)> {
        let (pieces, len) = data.parts();
        let write = ask.header.way == crate::scsi::header::way::TO_DEVICE;
        let c = Command { at: way.at, bytes, write, data: pieces, len, ms: ask.ms };
        let progress = Progress {
            state: State::Flies,
            owned: ask.owned,
            orphan: false,
            problem: false,
            duration: 0,
        };
        let r = Arc::new(Request {
            queue: queue.clone(),
            ask,
            begun: AtomicU64::new(0),
            flight: SpinLockIrq::new(None),
            outcome: SpinLockIrq::new(None),
            progress: SpinLockIrq::new(progress),
        })?;
        let (ours, theirs) = (Entry::new(r.clone(), KERNEL)?, Entry::new(r.clone(), KERNEL)?);
        let launched = way.host.launch(&c, Some(self.bell.clone()))?;
        r.begun.store(time::now_ns(), Ordering::Relaxed);
        Ok((r, ours, theirs, launched))
    }

    /// Lands those that have ended, and aborts those that have not in time; `left` is called after each. Sleeps.
    pub fn land(&self, host: impl Fn() -> Option<Arc<Host>>, left: impl Fn()) {
        loop {
            let now = time::now_ns();
            let due = self.list.lock().remove(|r| r.is_due(now));
            let Some(r) = due else { break };
            let flight = r.flight.lock().take();
            if let (Some((launched, data)), Some(host)) = (flight, host()) {
                let in_time = launched.is_over();
                let end = host.land(launched, in_time);
                let duration = milliseconds(r.begun());
                landed(&host, &r, Outcome { data, end, duration });
            }
            left();
        }
        if !self.list.lock().is_empty() {
            tell(&self.late, LOOK_MS);
        }
    }
}

/// The command is back: for its file, where that wants it.
fn landed(host: &Host, r: &Arc<Request>, outcome: Outcome) {
    let queue = &r.queue;
    let keeps = queue.keeps_orphans.load(Ordering::Relaxed);
    let mut back = Some(outcome);
    while let Some(mut outcome) = back.take() {
        let orphan = r.progress.lock().orphan;
        if orphan && keeps {
            outcome.data.move_to(|n| Room::Kept(host.keep_more(n)));
        }
        let q = queue.asked.lock();
        let mut p = r.progress.lock();
        if q.closed || (p.orphan && !keeps) {
            drop(p);
            drop(q);
            outcome.done();
            queue.forget(r);
        } else if p.orphan != orphan {
            // A signal came just now: its data lie elsewhere, too. Nothing was in there.
            core::mem::forget(back.replace(outcome));
        } else {
            p.owned &= !p.orphan;
            p.state = State::Ended;
            p.duration = outcome.duration;
            p.problem = outcome.end.status != 0 || outcome.end.host != 0;
            put(&r.outcome, outcome);
        }
    }
    queue.tell();
}

/// What nothing was in has `v`: nothing is dropped under the lock.
fn put<T>(place: &SpinLockIrq<Option<T>>, v: T) {
    core::mem::forget(place.lock().replace(v));
}
