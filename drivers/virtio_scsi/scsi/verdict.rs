// SPDX-License-Identifier: MIT
//! What becomes of a command, by what was answered: it is done, it is tried again, or it failed and why. The rules are Linux's.

use super::sense::{key, Sense};
use kernel::Error;

/// What a transport says besides the unit's status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    /// The unit has answered.
    Ok,
    /// There is no such target or unit.
    Nowhere,
    /// It is busy; later.
    Busy,
    /// The command was ended by a reset; it can be tried again.
    Reset,
    /// It went wrong on its way.
    Failed,
}

/// Status codes (SAM 5.3).
pub mod status {
    #![allow(missing_docs)]
    pub const GOOD: u8 = 0x00;
    pub const CHECK_CONDITION: u8 = 0x02;
    pub const CONDITION_MET: u8 = 0x04;
    pub const BUSY: u8 = 0x08;
    pub const RESERVATION_CONFLICT: u8 = 0x18;
    pub const TASK_SET_FULL: u8 = 0x28;
    pub const ACA_ACTIVE: u8 = 0x30;
    pub const TASK_ABORTED: u8 = 0x40;
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is done.
    Done,
    /// It is tried again at once; each time counts.
    Again,
    /// After a while; not counted, but bounded in time.
    Later,
    /// It failed. The block layer's errnos: `ENODATA` the medium, `EREMOTEIO` the target refused, `EBADE` reserved by another, `ENOSPC` no
    /// blocks are left to a thin disk, `EIO` all else.
    Failed(Error),
}

/// Tries of a command besides the first.
pub const RETRIES: u8 = 5;

/// The verdict of one answer.
pub fn judge(carried: Carried, status: u8, sense: Option<Sense>) -> Verdict {
    match carried {
        Carried::Ok => {}
        Carried::Busy => return Verdict::Later,
        Carried::Reset => return Verdict::Again,
        Carried::Nowhere | Carried::Failed => return Verdict::Failed(Error::EIO),
    }
    match status {
        status::GOOD | status::CONDITION_MET => Verdict::Done,
        status::CHECK_CONDITION => sense.map_or(Verdict::Again, judge_sense),
        status::BUSY | status::TASK_SET_FULL | status::ACA_ACTIVE => Verdict::Later,
        status::TASK_ABORTED => Verdict::Again,
        status::RESERVATION_CONFLICT => Verdict::Failed(Error::EBADE),
        _ => Verdict::Failed(Error::EIO),
    }
}

fn judge_sense(s: Sense) -> Verdict {
    if s.deferred {
        return Verdict::Again; // of an earlier command: this one was not done
    }
    match (s.key, s.code) {
        (key::NO_SENSE | key::RECOVERED, _) => Verdict::Done,
        (key::NOT_READY, (0x04, 0x01 | 0x04..=0x0a | 0x14 | 0x1a..=0x1d | 0x24)) => Verdict::Later,
        (key::NOT_READY, _) => Verdict::Failed(Error::EIO),
        // Nothing to be read there, however often.
        (key::MEDIUM_ERROR, (0x11 | 0x13 | 0x14, _)) => Verdict::Failed(Error::ENODATA),
        (key::MEDIUM_ERROR | key::ABORTED_COMMAND | key::UNIT_ATTENTION, _) => Verdict::Again,
        (key::HARDWARE_ERROR, _) => Verdict::Failed(Error::EREMOTEIO),
        (key::ILLEGAL_REQUEST, (0x20 | 0x21 | 0x24 | 0x26, _)) => Verdict::Failed(Error::EREMOTEIO),
        (key::DATA_PROTECT, (0x27, 0x07)) => Verdict::Failed(Error::ENOSPC),
        (
            key::DATA_PROTECT
            | key::BLANK_CHECK
            | key::COPY_ABORTED
            | key::VOLUME_OVERFLOW
            | key::MISCOMPARE,
            _,
        ) => Verdict::Failed(Error::EREMOTEIO),
        _ => Verdict::Failed(Error::EIO),
    }
}
