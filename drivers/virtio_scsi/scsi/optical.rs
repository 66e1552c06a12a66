// SPDX-License-Identifier: MIT
//! What CD drives answer (MMC-6): capabilities, media events, tables of contents. Pure: each answer is decoded from a copy, and what it does not
//! hold is absent.

use super::cdb::number;

/// What a drive can do, as CDROM_GET_CAPABILITY says it.
pub mod can {
    #![allow(missing_docs)]
    pub const CLOSE_TRAY: u32 = 0x1;
    pub const OPEN_TRAY: u32 = 0x2;
    pub const LOCK: u32 = 0x4;
    pub const SELECT_SPEED: u32 = 0x8;
    pub const MULTI_SESSION: u32 = 0x20;
    pub const MCN: u32 = 0x40;
    pub const MEDIA_CHANGED: u32 = 0x80;
    pub const PLAY_AUDIO: u32 = 0x100;
    pub const RESET: u32 = 0x200;
    pub const DRIVE_STATUS: u32 = 0x800;
    pub const GENERIC_PACKET: u32 = 0x1000;
    pub const CD_R: u32 = 0x2000;
    pub const CD_RW: u32 = 0x4000;
    pub const DVD: u32 = 0x8000;
    pub const DVD_R: u32 = 0x1_0000;
    pub const DVD_RAM: u32 = 0x2_0000;
}

const ALWAYS: u32 = can::LOCK
    | can::MULTI_SESSION
    | can::MCN
    | can::MEDIA_CHANGED
    | can::PLAY_AUDIO
    | can::RESET
    | can::DRIVE_STATUS;
const PAGE: u8 = 0x2a;

/// What the drive can do, by the answer to MODE SENSE (6) about page 0x2a. Without one, nothing that only newer drives can.
pub fn capabilities(modes: &[u8]) -> u32 {
    let page = modes.get(3).and_then(|n| modes.get(4 + usize::from(*n)..));
    let Some(page) = page.filter(|p| p.first().is_some_and(|c| c & 0x3f == PAGE)) else {
        return ALWAYS | can::CLOSE_TRAY | can::OPEN_TRAY;
    };
    let at = |i: usize| page.get(i).copied().unwrap_or(0);
    let mut all = ALWAYS | can::SELECT_SPEED | can::GENERIC_PACKET;
    for (has, what) in [
        (at(6) >> 5 != 0, can::CLOSE_TRAY),
        (at(6) & 8 != 0, can::OPEN_TRAY),
        (at(2) & 8 != 0, can::DVD),
        (at(3) & 1 != 0, can::CD_R),
        (at(3) & 2 != 0, can::CD_RW),
        (at(3) & 0x10 != 0, can::DVD_R),
        (at(3) & 0x20 != 0, can::DVD_RAM),
    ] {
        if has {
            all |= what;
        }
    }
    all
}

/// What GET EVENT STATUS NOTIFICATION says of the medium.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// It came, or went.
    pub changed: bool,
    /// The tray is open.
    pub open: bool,
    /// There is one.
    pub present: bool,
}

const NO_EVENT: u8 = 0x80;
const MEDIA: u8 = 4;

/// Decodes it. `None`: no event of the medium is told.
pub fn event(b: &[u8]) -> Option<Event> {
    let (len, class, code, status) = (number(b, 0, 2)?, *b.get(2)?, *b.get(4)?, *b.get(5)?);
    if len < 4 || class & NO_EVENT != 0 || class & 7 != MEDIA {
        return None;
    }
    Some(Event {
        changed: matches!(code & 15, 2 | 3),
        open: status & 1 != 0,
        present: status & 2 != 0,
    })
}

/// Sectors of 512 bytes, and bytes in a block, of a medium by READ CAPACITY (10); `end`: the block behind the last that is written, by the table of
/// contents. A block of a size that cannot be read is none.
pub fn size(b: &[u8], end: u32) -> Option<(u64, u32)> {
    let (last, block) = (number(b, 0, 4)?, number(b, 4, 4)?);
    let blocks = (last + 1).max(end.into());
    match block {
        0 | 2048 | 2340 | 2352 => Some((blocks * 4, 2048)),
        512 => Some((blocks, 512)),
        _ => Some((0, 2048)),
    }
}

/// The first and the last track of a table of contents.
pub fn tracks(b: &[u8]) -> Option<(u8, u8)> {
    Some((*b.get(2)?, *b.get(3)?))
}

/// A place on a medium: minute, second and frame.
pub type Msf = (u8, u8, u8);

/// A track of a table of contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Track {
    /// How its address is coded.
    pub adr: u8,
    /// What kind it is; 4: data.
    pub control: u8,
    /// Where it begins.
    pub at: Msf,
}

/// The first track that an answer names, with its place in minutes, seconds and frames.
pub fn track(b: &[u8]) -> Option<Track> {
    let kind = *b.get(5)?;
    let at = (*b.get(9)?, *b.get(10)?, *b.get(11)?);
    Some(Track { adr: kind >> 4, control: kind & 15, at })
}

/// The block at a place. Before two seconds there is none: it is negative.
pub fn block((minute, second, frame): Msf) -> i32 {
    (i32::from(minute) * 60 + i32::from(second)) * 75 + i32::from(frame) - 150
}

/// The place of a block.
pub fn msf(block: i32) -> Msf {
    let frames = (block.saturating_add(150)).max(0);
    ((frames / 75 / 60) as u8, (frames / 75 % 60) as u8, (frames % 75) as u8)
}

/// Where the last session begins; 0: there is but one.
pub fn last_session(b: &[u8]) -> i32 {
    let told = number(b, 0, 2).unwrap_or(0);
    if told < 10 || b.get(6).is_none_or(|track| *track <= 1) {
        return 0;
    }
    number(b, 8, 4).map_or(0, |n| n as u32 as i32)
}

#[cfg(not(module))]
#[path = "test/optical.rs"]
mod test;
