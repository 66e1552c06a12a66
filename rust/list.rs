// SPDX-License-Identifier: MIT
//! Lists whose links lie beside the values: putting something on a list, or on another one, needs no memory and cannot fail.

use crate::alloc::{Flags, KBox};
use crate::error::Result;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

struct Node<T> {
    next: Option<NonNull<Node<T>>>,
    prev: Option<NonNull<Node<T>>>,
    value: T,
}

/// A value that can be put on a list. On no list, whoever has it owns it.
pub struct Entry<T>(KBox<Node<T>>);

// SAFETY: it owns its value; its links are none while it is one.
unsafe impl<T: Send> Send for Entry<T> {}
// SAFETY: a shared one gives a shared value.
unsafe impl<T: Sync> Sync for Entry<T> {}

impl<T> Entry<T> {
    /// Makes one.
    pub fn new(value: T, flags: Flags) -> Result<Self> {
        KBox::new(Node { next: None, prev: None, value }, flags).map(Self)
    }
}

impl<T> Deref for Entry<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> DerefMut for Entry<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0.value
    }
}

/// A list of entries, which it owns.
///
/// ```
/// use kernel::{alloc::KERNEL, list::{Entry, List}};
/// let (mut waiting, mut done) = (List::new(), List::new());
/// for n in [3, 1, 4, 1, 5] {
///     waiting.push_back(Entry::new(n, KERNEL)?);
/// }
/// waiting.push_front(Entry::new(9, KERNEL)?);
/// // Removal from the middle, and a move that needs no memory.
/// let four = waiting.remove(|n| *n == 4).ok_or(kernel::Error::ENOENT)?;
/// done.push_back(four);
/// assert!(waiting.iter().eq([9, 3, 1, 1, 5].iter()));
/// if let Some(n) = waiting.iter_mut().last() { *n = 6; }
/// assert_eq!(waiting.pop_back().as_deref(), Some(&6));
/// assert_eq!(waiting.pop_front().as_deref(), Some(&9));
/// assert_eq!((waiting.iter().count(), done.iter().sum::<i32>()), (3, 4));
/// ```
pub struct List<T> {
    // Invariant: the nodes from head to tail are linked both ways, all ours, each a leaked box.
    head: Option<NonNull<Node<T>>>,
    tail: Option<NonNull<Node<T>>>,
    owns: PhantomData<Node<T>>,
}

// SAFETY: a list owns its values.
unsafe impl<T: Send> Send for List<T> {}
// SAFETY: a shared list gives shared values.
unsafe impl<T: Sync> Sync for List<T> {}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> List<T> {
    /// One without entries.
    pub const fn new() -> Self {
        Self { head: None, tail: None, owns: PhantomData }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    fn link(
        &mut self,
        e: Entry<T>,
        prev: Option<NonNull<Node<T>>>,
        next: Option<NonNull<Node<T>>>,
    ) {
        let raw = KBox::into_raw(e.0);
        // SAFETY: a box is not null; the neighbours are nodes of ours, next to each other.
        unsafe {
            (*raw).prev = prev;
            (*raw).next = next;
            let node = Some(NonNull::new_unchecked(raw));
            match prev {
                Some(p) => (*p.as_ptr()).next = node,
                None => self.head = node,
            }
            match next {
                Some(n) => (*n.as_ptr()).prev = node,
                None => self.tail = node,
            }
        }
    }

    /// # Safety
    /// `n` is a node of this list.
    unsafe fn unlink(&mut self, n: NonNull<Node<T>>) -> Entry<T> {
        // SAFETY: by the list's invariant its neighbours are nodes of ours.
        unsafe {
            let (prev, next) = ((*n.as_ptr()).prev.take(), (*n.as_ptr()).next.take());
            match prev {
                Some(p) => (*p.as_ptr()).next = next,
                None => self.head = next,
            }
            match next {
                Some(x) => (*x.as_ptr()).prev = prev,
                None => self.tail = prev,
            }
            Entry(KBox::from_raw(n.as_ptr()))
        }
    }

    /// Puts an entry at the end.
    pub fn push_back(&mut self, e: Entry<T>) {
        self.link(e, self.tail, None);
    }

    /// Puts an entry at the start.
    pub fn push_front(&mut self, e: Entry<T>) {
        self.link(e, None, self.head);
    }

    /// Takes the first.
    pub fn pop_front(&mut self) -> Option<Entry<T>> {
        // SAFETY: the head is a node of ours.
        self.head.map(|n| unsafe { self.unlink(n) })
    }

    /// Takes the last.
    pub fn pop_back(&mut self) -> Option<Entry<T>> {
        // SAFETY: the tail is a node of ours.
        self.tail.map(|n| unsafe { self.unlink(n) })
    }

    /// Takes the first of which `f` is true.
    pub fn remove(&mut self, mut f: impl FnMut(&T) -> bool) -> Option<Entry<T>> {
        let mut at = self.head;
        while let Some(n) = at {
            // SAFETY: n is a node of ours.
            unsafe {
                if f(&(*n.as_ptr()).value) {
                    return Some(self.unlink(n));
                }
                at = (*n.as_ptr()).next;
            }
        }
        None
    }

    /// The values, from first to last.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let mut at = self.head;
        core::iter::from_fn(move || {
            // SAFETY: nodes of ours, borrowed as long as the list is.
            let n = unsafe { at?.as_ref() };
            at = n.next;
            Some(&n.value)
        })
    }

    /// The values, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let mut at = self.head;
        core::iter::from_fn(move || {
            // SAFETY: nodes of ours, each given out once, borrowed as long as the list is.
            let n = unsafe { &mut *at?.as_ptr() };
            at = n.next;
            Some(&mut n.value)
        })
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        while self.pop_front().is_some() {}
    }
}
