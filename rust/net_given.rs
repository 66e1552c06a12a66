// SPDX-License-Identifier: MIT
//! Packets that drivers of network devices were given to send.

use super::{Incoming, Packet};
use crate::bindings;
use crate::dma::Engine;
use crate::error::{Error, Result};
use core::ptr::NonNull;

/// Whether a driver that was given the packet at RAW has it. One that gives another one back has: that one is lost.
pub(super) fn is_taken(
    raw: NonNull<bindings::packet>,
    r: core::result::Result<(), Packet>,
) -> bool {
    match r {
        Err(back) if back.0 == raw => {
            core::mem::forget(back); // the caller's, as it was
            false
        }
        _ => true,
    }
}

/// A driver that gives back another packet than it was given has taken that one: nobody else frees it.
fn another_given_back(_run: &mut crate::ktest::Run<'_>) -> Result {
    let mut rx = Incoming::new(&Engine::pretended()?, 2)?;
    let mut packet = || -> Result<Packet> {
        let (i, _) = rx.lend()?;
        rx.done(i).ok_or(Error::EIO)?.into_packet(0, 60)
    };
    let (given, other) = (packet()?, packet()?);
    let raw = given.0;
    crate::kt_assert!(is_taken(raw, Err(other)));
    crate::kt_assert!(is_taken(raw, Ok(())));
    crate::kt_assert!(!is_taken(raw, Err(given)));
    drop(Packet(raw)); // ours again, who called
    Ok(())
}

crate::ktest!(rust_net_another_given_back, another_given_back);
