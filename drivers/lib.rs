// SPDX-License-Identifier: MIT
//! The drivers. Not one line of `unsafe`: what a driver would need it for is a wrapper that the kernel crate lacks.
#![no_std]
#![forbid(unsafe_code)]
#![feature(arbitrary_self_types)] // methods of our Arc

pub mod pci;
pub mod platform;
pub mod rtc;
pub mod tty;
pub mod virtio;

/// Binder is a crate of its own, a module as a rule; tests live in the image, and so does this part of it, for its test alone.
#[allow(dead_code)]
#[path = "binder/space.rs"]
mod binder_space;
