// SPDX-License-Identifier: MIT
//! Death notifications: a process asks to hear when the process of a node that it has a handle of ends.
//!
//! A notification is told once (BR_DEAD_BINDER), then lies among those that the program must confirm. Taken back, it says so
//! (BR_CLEAR_DEATH_NOTIFICATION_DONE), after the confirmation if it was told.

use super::process::{entry, item, new_id, Process};
use super::thread::{Item, Thread, Work};
use super::wire::{Writer, BR_CLEAR_DEATH_NOTIFICATION_DONE, BR_DEAD_BINDER};
use kernel::alloc::Arc;
use kernel::sync::SpinLock;
use kernel::tree::Entry;
use kernel::Result;

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Waits,
    Dead,         // being told, or told
    DeadAndClear, // the same, and taken back
    Clear,        // taken back: being told so
    Over,         // its handle is gone, or all was told
}

pub struct Death {
    pub id: u64,
    pub cookie: u64,
    process: Arc<Process>, // that asked
    state: SpinLock<State>,
}

/// A place among the deaths that a program must confirm.
type Place = Entry<(u64, u64), Option<Arc<Death>>>;

struct State {
    what: What,
    item: Option<Item>,   // none: on a queue
    place: Option<Place>, // none: among those to confirm
}

impl Death {
    pub fn new(p: &Arc<Process>, cookie: u64) -> Result<Arc<Self>> {
        let id = new_id();
        let state = State {
            what: What::Waits,
            item: Some(item(None)?),
            place: Some(entry((cookie, id), None)?),
        };
        Arc::new(Self { id, cookie, process: p.clone(), state: SpinLock::new(state) })
    }

    fn work(self: &Arc<Self>, what: What) -> Option<Item> {
        let mut s = self.state.lock();
        s.what = what;
        let mut i = s.item.take()?;
        *i = Some(Work::Death(self.clone()));
        Some(i)
    }

    /// The node's process ended. Its own is not locked.
    pub fn node_died(self: &Arc<Self>) {
        let mut st = self.process.lock.lock();
        if st.dead || self.state.lock().what != What::Waits {
            return;
        }
        if let Some(i) = self.work(What::Dead) {
            st.push(&self.process, i);
        }
    }

    /// To the thread that asks, if it serves; else to any.
    fn tell_clear(self: &Arc<Self>, t: &Thread) {
        let mut st = self.process.lock.lock();
        let Some(i) = self.work(What::Clear) else { return };
        let mut s = t.state.lock();
        if s.is_looper() {
            s.push(i);
        } else {
            drop(s);
            st.push(&self.process, i);
        }
    }

    /// BC_CLEAR_DEATH_NOTIFICATION by T.
    pub fn clear(self: &Arc<Self>, t: &Thread) {
        let mut s = self.state.lock();
        if s.what == What::Dead {
            s.what = What::DeadAndClear;
            return;
        }
        drop(s);
        self.tell_clear(t);
    }

    /// Its handle is gone: nothing more is told.
    pub fn cancel(&self) {
        self.state.lock().what = What::Over;
    }

    /// It comes off a queue: what the program is told, and whether that is a death.
    pub fn tell(self: &Arc<Self>, i: Item) -> (Writer<12>, bool) {
        let mut st = self.process.lock.lock();
        let mut s = self.state.lock();
        s.item = Some(i);
        match s.what {
            What::Clear => {
                s.what = What::Over;
                (Writer::new().u32(BR_CLEAR_DEATH_NOTIFICATION_DONE).u64(self.cookie), false)
            }
            What::Dead | What::DeadAndClear => {
                if let Some(mut place) = s.place.take() {
                    *place = Some(self.clone());
                    st.told.insert(place);
                }
                (Writer::new().u32(BR_DEAD_BINDER).u64(self.cookie), true)
            }
            What::Waits | What::Over => (Writer::new(), false),
        }
    }

    /// BC_DEAD_BINDER_DONE by T: the program has dealt with one of that cookie. One that was not told is ignored.
    pub fn confirmed(p: &Arc<Process>, cookie: u64, t: &Thread) {
        let mut st = p.lock.lock();
        let Some(&key) = st.told.from(&(cookie, 0)).map(|(k, _)| k).filter(|k| k.0 == cookie)
        else {
            return;
        };
        let Some(mut place) = st.told.remove(&key) else { return };
        drop(st);
        let Some(d) = place.take() else { return };
        let mut s = d.state.lock();
        s.place = Some(place);
        let clear = s.what == What::DeadAndClear;
        if s.what == What::Dead {
            s.what = What::Over; // taken back later, it says so at once
        }
        drop(s);
        if clear {
            d.tell_clear(t);
        }
    }
}
