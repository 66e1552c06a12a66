// SPDX-License-Identifier: MIT
//! Sense data: why a command ended as it did (SPC 4.4), in fixed and descriptor format.

use super::cdb::number;

/// Keys.
pub mod key {
    #![allow(missing_docs)]
    pub const NO_SENSE: u8 = 0;
    pub const RECOVERED: u8 = 1;
    pub const NOT_READY: u8 = 2;
    pub const MEDIUM_ERROR: u8 = 3;
    pub const HARDWARE_ERROR: u8 = 4;
    pub const ILLEGAL_REQUEST: u8 = 5;
    pub const UNIT_ATTENTION: u8 = 6;
    pub const DATA_PROTECT: u8 = 7;
    pub const BLANK_CHECK: u8 = 8;
    pub const COPY_ABORTED: u8 = 10;
    pub const ABORTED_COMMAND: u8 = 11;
    pub const VOLUME_OVERFLOW: u8 = 13;
    pub const MISCOMPARE: u8 = 14;
}

/// What sense data say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sense {
    /// Of an earlier command.
    pub deferred: bool,
    /// Which kind.
    pub key: u8,
    /// Additional sense code and its qualifier.
    pub code: (u8, u8),
    /// The first block that it is about.
    pub block: Option<u64>,
}

const INFORMATION: u8 = 0; // a descriptor
                           // Descriptors that are looked at, at most: sense data have no more than 252 bytes.
const MOST: usize = 252;

/// Decodes it; `None`: it is none, or ends before its key. What a shorter one lacks is 0.
pub fn decode(bytes: &[u8]) -> Option<Sense> {
    let bytes = bytes.get(..bytes.len().min(MOST))?;
    let at = |i: usize| bytes.get(i).copied();
    let (kind, or_none) = (at(0)? & 0x7f, |i| at(i).unwrap_or(0));
    match kind {
        0x70 | 0x71 => {
            // Bytes 8 and later count only as far as byte 7 says.
            let told = |i: usize| if i < 8 + usize::from(or_none(7)) { or_none(i) } else { 0 };
            let valid = or_none(0) & 0x80 != 0;
            let block = if valid { number(bytes, 3, 4) } else { None };
            Some(Sense {
                deferred: kind == 0x71,
                key: at(2)? & 15,
                code: (told(12), told(13)),
                block,
            })
        }
        0x72 | 0x73 => {
            let block = information(bytes);
            Some(Sense {
                deferred: kind == 0x73,
                key: at(1)? & 15,
                code: (or_none(2), or_none(3)),
                block,
            })
        }
        _ => None,
    }
}

/// The block that the first information descriptor names.
fn information(bytes: &[u8]) -> Option<u64> {
    let end = bytes.len().min(8 + usize::from(*bytes.get(7)?));
    let mut rest = bytes.get(8..end)?;
    loop {
        let (kind, len) = (*rest.first()?, usize::from(*rest.get(1)?));
        if kind == INFORMATION && len >= 10 {
            return if rest.get(2)? & 0x80 != 0 { number(rest, 4, 8) } else { None };
        }
        rest = rest.get(2 + len..)?;
    }
}
