// SPDX-License-Identifier: MIT
//! The kernel crate: safe wrappers around the kernel's C. The only place in the tree where `unsafe` may stand.
#![no_std]

pub mod bindings;
mod panic;
pub mod print;
