// SPDX-License-Identifier: MIT
//! The kernel crate: safe wrappers around the kernel's C. The only place in the tree where `unsafe` may stand.
#![no_std]
#![feature(allow_internal_unsafe, coerce_unsized, unsize)]
#![allow(internal_features)]

pub mod alloc;
pub mod area;
pub mod bindings;
pub mod binderfs;
pub mod block;
pub mod chrdev;
pub mod device;
pub mod dma;
pub mod error;
pub mod file;
pub mod init;
pub mod io;
pub mod irq;
#[cfg(kcov)]
mod kcov;
pub mod ktest;
pub mod list;
pub mod mem;
pub mod module;
pub mod net;
pub mod node;
mod panic;
pub mod pci;
mod pci_assign;
mod pci_msi;
pub mod pci_region;
pub mod pci_room;
pub mod pci_slot;
#[cfg(lockdep)]
mod plant;
pub mod platform;
pub mod print;
pub mod rcu;
pub mod refs;
pub mod show;
pub mod sync;
pub mod thread;
pub mod time;
pub mod tree;
pub mod tty;
pub mod uapi;
pub mod user;
#[cfg(lockdep)]
mod vanish;
pub mod wait;
pub mod work;

pub use error::{Error, Result};
