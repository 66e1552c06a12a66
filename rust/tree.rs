// SPDX-License-Identifier: MIT
//! Ordered maps: red-black trees whose links lie beside the values. Putting an entry into one needs no memory and cannot fail.

use crate::alloc::{Flags, KBox};
use crate::bindings;
use crate::error::Result;
use core::cmp::Ordering;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

#[repr(C)]
struct Node<K, V> {
    rb: bindings::rb_node, // first: C's pointer is the node's
    key: K,
    value: V,
}

/// A key and a value that can be put into a map. In no map, whoever has it owns it.
pub struct Entry<K, V>(KBox<Node<K, V>>);

// SAFETY: it owns its key and value; its links are not looked at while it is one.
unsafe impl<K: Send, V: Send> Send for Entry<K, V> {}
// SAFETY: a shared one gives a shared key and value.
unsafe impl<K: Sync, V: Sync> Sync for Entry<K, V> {}

impl<K, V> Entry<K, V> {
    /// Makes one.
    pub fn new(key: K, value: V, flags: Flags) -> Result<Self> {
        // SAFETY: zero is a valid value of the links, which are set as it is put into a map.
        KBox::new(Node { rb: unsafe { core::mem::zeroed() }, key, value }, flags).map(Self)
    }

    /// Its key.
    pub fn key(&self) -> &K {
        &self.0.key
    }

    /// Another key: it is in no map.
    pub fn set_key(&mut self, key: K) {
        self.0.key = key;
    }

    /// The value, without its place.
    pub fn into_value(self) -> V {
        self.0.into_inner().value
    }
}

impl<K, V> Deref for Entry<K, V> {
    type Target = V;
    fn deref(&self) -> &V {
        &self.0.value
    }
}

impl<K, V> DerefMut for Entry<K, V> {
    fn deref_mut(&mut self) -> &mut V {
        &mut self.0.value
    }
}

/// A map from keys to values, which it owns. Each step takes the logarithm of how many there are.
///
/// ```
/// use kernel::{alloc::KERNEL, tree::{Entry, Map}};
/// let mut squares = Map::new();
/// for n in [3u32, 1, 4, 5, 9, 2, 6] {
///     assert!(squares.insert(Entry::new(n, n * n, KERNEL)?).is_none());
/// }
/// // A key that is there stays what it is: the entry comes back.
/// assert_eq!(squares.insert(Entry::new(4, 0, KERNEL)?).map(|e| *e), Some(0));
/// assert_eq!((squares.get(&4), squares.get(&7)), (Some(&16), None));
/// assert_eq!((squares.from(&7), squares.below(&3)), (Some((&9, &81)), Some((&2, &4))));
/// if let Some(v) = squares.get_mut(&9) { *v = 0; }
/// let mut four = squares.remove(&4).ok_or(kernel::Error::ENOENT)?;
/// four.set_key(8);
/// assert!(squares.insert(four).is_none());
/// assert_eq!((squares.first(), squares.last()), (Some((&1, &1)), Some((&9, &0))));
/// assert_eq!(squares.pop_last().map(|e| (*e.key(), *e)), Some((9, 0)));
/// let mut sum = 0;
/// while let Some(e) = squares.pop_first() { sum += e.into_value(); }
/// assert_eq!((sum, squares.is_empty()), (9 + 1 + 16 + 25 + 4 + 36, true));
/// ```
pub struct Map<K, V> {
    // Invariant: the nodes are leaked boxes of ours, ordered by their keys, no two of which are equal.
    root: bindings::rb_root,
    owns: PhantomData<Node<K, V>>,
}

// SAFETY: a map owns its keys and values.
unsafe impl<K: Send, V: Send> Send for Map<K, V> {}
// SAFETY: a shared map gives shared keys and values.
unsafe impl<K: Sync, V: Sync> Sync for Map<K, V> {}

impl<K: Ord, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Map<K, V> {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.root.node.is_null()
    }

    /// # Safety
    /// `n` is a node of this map.
    unsafe fn unlink(&mut self, n: *mut Node<K, V>) -> Entry<K, V> {
        // SAFETY: the caller's word: a leaked box, in this tree.
        unsafe {
            bindings::rb_erase(&raw mut (*n).rb, &mut self.root);
            Entry(KBox::from_raw(n))
        }
    }

    /// Takes the one with the least key.
    pub fn pop_first(&mut self) -> Option<Entry<K, V>> {
        // SAFETY: a question about a valid tree; the node is ours.
        unsafe {
            let n = bindings::rb_first(&self.root).cast::<Node<K, V>>();
            (!n.is_null()).then(|| self.unlink(n))
        }
    }

    /// Takes the one with the greatest key.
    pub fn pop_last(&mut self) -> Option<Entry<K, V>> {
        // SAFETY: as above.
        unsafe {
            let n = bindings::rb_last(&self.root).cast::<Node<K, V>>();
            (!n.is_null()).then(|| self.unlink(n))
        }
    }

    /// # Safety
    /// `n` is null, or a node of this map.
    unsafe fn pair(&self, n: *const bindings::rb_node) -> Option<(&K, &V)> {
        // SAFETY: the caller's word; borrowed as long as the map is.
        unsafe { n.cast::<Node<K, V>>().as_ref() }.map(|n| (&n.key, &n.value))
    }

    /// What has the least key.
    pub fn first(&self) -> Option<(&K, &V)> {
        // SAFETY: a question about a valid tree.
        unsafe { self.pair(bindings::rb_first(&self.root)) }
    }

    /// What has the greatest key.
    pub fn last(&self) -> Option<(&K, &V)> {
        // SAFETY: as above.
        unsafe { self.pair(bindings::rb_last(&self.root)) }
    }
}

impl<K: Ord, V> Map<K, V> {
    /// An empty one.
    pub const fn new() -> Self {
        Self { root: bindings::rb_root { node: core::ptr::null_mut() }, owns: PhantomData }
    }

    fn find(&self, key: &K) -> *mut Node<K, V> {
        let mut at = self.root.node.cast::<Node<K, V>>();
        // SAFETY: all nodes are ours.
        while let Some(n) = unsafe { at.as_ref() } {
            at = match key.cmp(&n.key) {
                Ordering::Less => n.rb.left.cast(),
                Ordering::Greater => n.rb.right.cast(),
                Ordering::Equal => return at,
            };
        }
        core::ptr::null_mut()
    }

    /// Puts it there; gives it back when its key is.
    pub fn insert(&mut self, e: Entry<K, V>) -> Option<Entry<K, V>> {
        let mut parent: *mut bindings::rb_node = core::ptr::null_mut();
        let mut link = &raw mut self.root.node;
        // SAFETY: links and nodes of this tree, which is borrowed mutably; a box is a node that is in no tree.
        unsafe {
            while !(*link).is_null() {
                parent = *link;
                link = match e.0.key.cmp(&(*parent.cast::<Node<K, V>>()).key) {
                    Ordering::Less => &raw mut (*parent).left,
                    Ordering::Greater => &raw mut (*parent).right,
                    Ordering::Equal => return Some(e),
                };
            }
            let n = &raw mut (*KBox::into_raw(e.0)).rb;
            bindings::rb_link_node(n, parent, link);
            bindings::rb_insert_color(n, &mut self.root);
        }
        None
    }

    /// What has that key.
    pub fn get(&self, key: &K) -> Option<&V> {
        // SAFETY: null or a node of ours, borrowed as long as the map is.
        unsafe { self.find(key).as_ref() }.map(|n| &n.value)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        // SAFETY: as above, mutably.
        unsafe { self.find(key).as_mut() }.map(|n| &mut n.value)
    }

    /// Takes what has that key.
    pub fn remove(&mut self, key: &K) -> Option<Entry<K, V>> {
        let n = self.find(key);
        // SAFETY: a node of ours.
        (!n.is_null()).then(|| unsafe { self.unlink(n) })
    }

    /// What has the least key that is not less than `key`.
    pub fn from(&self, key: &K) -> Option<(&K, &V)> {
        let (mut at, mut best) = (self.root.node, core::ptr::null_mut());
        // SAFETY: all nodes are ours.
        while let Some(n) = unsafe { at.cast::<Node<K, V>>().as_ref() } {
            at = if n.key < *key {
                n.rb.right
            } else {
                best = at;
                n.rb.left
            };
        }
        // SAFETY: null, or a node of this map.
        unsafe { self.pair(best) }
    }

    /// What has the greatest key that is less than `key`.
    pub fn below(&self, key: &K) -> Option<(&K, &V)> {
        let (mut at, mut best) = (self.root.node, core::ptr::null_mut());
        // SAFETY: all nodes are ours.
        while let Some(n) = unsafe { at.cast::<Node<K, V>>().as_ref() } {
            at = if n.key < *key {
                best = at;
                n.rb.right
            } else {
                n.rb.left
            };
        }
        // SAFETY: null, or a node of this map.
        unsafe { self.pair(best) }
    }
}

impl<K, V> Drop for Map<K, V> {
    fn drop(&mut self) {
        while self.pop_first().is_some() {}
    }
}
