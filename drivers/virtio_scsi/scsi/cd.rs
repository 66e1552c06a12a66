// SPDX-License-Identifier: MIT
//! CD drives: opens, the tray and its lock, media that come and go, and the ioctls of CD drives (Linux's linux/cdrom.h). Errnos and the order of
//! checks are those of Linux's cdrom and sr.
//!
//! Nothing is polled: each open, and the ioctls that ask for it, look whether the medium changed. An open for data
//! locks the tray, closes it first where it is open, and fails with ENOMEDIUM where there is no medium then; one with O_NONBLOCK opens the drive,
//! whatever is in it. The last close unlocks the tray.

use super::cdb::Cdb;
use super::core::{Address, Host};
use super::disk::Unit;
use super::optical::{self, can, Event, Msf};
use super::sense::{key, Sense};
use super::verdict::{judge, status, Carried, Verdict};
use kernel::alloc::Arc;
use kernel::block::{Medium, Opening};
use kernel::sync::Mutex;
use kernel::user::{capable, Capability, UserPtr};
use kernel::{time, Error, Result};

/// Numbers of ioctls.
mod nr {
    pub const READ_TOC_HEADER: u32 = 0x5305;
    pub const READ_TOC_ENTRY: u32 = 0x5306;
    pub const EJECT: u32 = 0x5309;
    pub const EJECT_SW: u32 = 0x530f;
    pub const MULTI_SESSION: u32 = 0x5310;
    pub const RESET: u32 = 0x5312;
    pub const CLOSE_TRAY: u32 = 0x5319;
    pub const SET_OPTIONS: u32 = 0x5320;
    pub const CLEAR_OPTIONS: u32 = 0x5321;
    pub const SELECT_SPEED: u32 = 0x5322;
    pub const MEDIA_CHANGED: u32 = 0x5325;
    pub const DRIVE_STATUS: u32 = 0x5326;
    pub const DISC_STATUS: u32 = 0x5327;
    pub const NUMBER_OF_SLOTS: u32 = 0x5328;
    pub const LOCK_DOOR: u32 = 0x5329;
    pub const DEBUG: u32 = 0x5330;
    pub const GET_CAPABILITY: u32 = 0x5331;
    pub const LAST_WRITTEN: u32 = 0x5395;
}

/// What CDROM_DRIVE_STATUS and CDROM_DISC_STATUS give.
mod drive {
    pub const NO_INFO: u32 = 0;
    pub const NO_DISC: u32 = 1;
    pub const TRAY_OPEN: u32 = 2;
    pub const NOT_READY: u32 = 3;
    pub const DISC_OK: u32 = 4;
    pub const AUDIO: u32 = 100;
    pub const DATA_1: u32 = 101;
    pub const MIXED: u32 = 105;
}

/// Options of CDROM_SET_OPTIONS.
mod option {
    pub const AUTO_CLOSE: u32 = 1;
    pub const AUTO_EJECT: u32 = 2;
    pub const USE_FLAGS: u32 = 4;
    pub const LOCK: u32 = 8;
    pub const CHECK_TYPE: u32 = 16;
}

const LEAD_OUT: u8 = 0xaa;
const LBA: u8 = 1;
const MSF: u8 = 2;
const DATA: u8 = 4; // of a track's control
                    // A medium that is being loaded is waited for so often, so long.
const TRIES: u32 = 10;
const WAIT_MS: u32 = 2000;
/// What a drive without a medium has.
pub const NO_MEDIUM: Medium = Medium { sectors: 0x1f_ffff, block_size: 512 };

struct State {
    opens: u32,
    options: u32,
    keep_locked: bool,
    // Debugging messages are asked for: it has no effect but that it is told.
    debug: bool,
    // The medium changed since CDROM_MEDIA_CHANGED was asked last.
    told: bool,
    present: bool,
    medium: Medium,
}

/// A drive.
pub struct Drive {
    unit: Arc<Unit>,
    can: u32,
    // Held while the drive is opened, closed or asked: commands of one file at a time.
    state: Mutex<State>,
}

/// What tracks there are.
enum Tracks {
    None(u32),
    Some { data: bool, audio: bool },
}

/// Does `cdb`, whatever it says, tried again where it went wrong on its way: the unit's status, sense data, bytes that came. Sleeps.
fn tell(
    host: &dyn Host,
    at: Address,
    cdb: &Cdb,
    to: &mut [u8],
) -> Result<(u8, Option<Sense>, usize)> {
    for _ in 0..TRIES {
        let a = host.command(at, cdb, to)?;
        match (a.carried, judge(a.carried, a.status, a.sense)) {
            (Carried::Ok, _) if a.status == status::GOOD || a.sense.is_some() => {
                return Ok((a.status, a.sense, a.got.min(to.len())));
            }
            (_, Verdict::Again) => {}
            (_, Verdict::Later) => time::sleep_ms(10),
            (_, Verdict::Failed(e)) => return Err(e),
            (_, Verdict::Done) => return Err(Error::EIO),
        }
    }
    Err(Error::EIO)
}

/// The drive, with the host that has it.
struct At<'a>(&'a dyn Host, &'a Unit);

impl At<'_> {
    /// Does `cdb`: how many bytes came. `ENOMEDIUM`, `EOPNOTSUPP`: the drive knows no such command; `EIO`. Sleeps.
    fn ask(&self, cdb: &Cdb, to: &mut [u8]) -> Result<usize> {
        let mut tries = 0;
        loop {
            let (_, sense, got) = tell(self.0, self.1.at, cdb, to)?;
            let Some(s) = sense else { return Ok(got) };
            match (s.key, s.code) {
                (key::NO_SENSE | key::RECOVERED, _) => return Ok(got),
                (key::UNIT_ATTENTION, _) if tries < TRIES => _ = self.1.attention(sense),
                (key::NOT_READY, (4, 1)) if tries < TRIES => time::sleep_ms(WAIT_MS),
                (key::UNIT_ATTENTION | key::NOT_READY, _) => return Err(Error::ENOMEDIUM),
                (key::ILLEGAL_REQUEST, (0x20, 0)) => return Err(Error::EOPNOTSUPP),
                _ => return Err(Error::EIO),
            }
            tries += 1;
        }
    }

    /// Does one that moves things: the unit's status. That the medium changed is no failure. Sleeps.
    fn act(&self, cdb: &Cdb) -> Result<u32> {
        let (status, sense, _) = tell(self.0, self.1.at, cdb, &mut [])?;
        Ok(if self.1.attention(sense) { 0 } else { status.into() })
    }

    /// Why it is not ready. `None`: it is. Sleeps.
    fn ready(&self) -> Result<Option<Sense>> {
        let mut last = None;
        for _ in 0..4 {
            let (_, sense, _) = tell(self.0, self.1.at, &Cdb::test_unit_ready(), &mut [])?;
            last = sense.filter(|s| !matches!(s.key, key::NO_SENSE | key::RECOVERED));
            if !self.1.attention(sense) {
                break;
            }
        }
        Ok(last)
    }

    fn event(&self) -> Option<Event> {
        let mut b = [0; 8];
        let (_, sense, n) = tell(self.0, self.1.at, &Cdb::media_event(), &mut b).ok()?;
        if sense.is_some() {
            return None;
        }
        optical::event(b.get(..n)?)
    }

    fn status(&self) -> Result<u32> {
        match self.ready()? {
            None => return Ok(drive::DISC_OK),
            Some(s) if s.key == key::NOT_READY && s.code == (4, 1) => {
                return Ok(drive::NOT_READY);
            }
            Some(s) if s.code.0 != 0x3a && s.key != key::NOT_READY => return Ok(drive::DISC_OK),
            Some(_) => {}
        }
        Ok(match self.event() {
            Some(Event { present: true, .. }) => drive::DISC_OK,
            Some(Event { open: true, .. }) => drive::TRAY_OPEN,
            _ => drive::NO_DISC,
        })
    }

    fn track(&self, track: u8) -> Result<optical::Track> {
        let mut b = [0; 12];
        let n = self.ask(&Cdb::toc(track, true, false, 12), &mut b)?;
        b.get(..n).and_then(optical::track).ok_or(Error::EIO)
    }

    fn tracks_header(&self) -> Result<(u8, u8)> {
        let mut b = [0; 12];
        let n = self.ask(&Cdb::toc(0, false, false, 12), &mut b)?;
        b.get(..n).and_then(optical::tracks).ok_or(Error::EIO)
    }

    fn tracks(&self) -> Tracks {
        let (first, last) = match self.tracks_header() {
            Ok(t) => t,
            Err(Error::ENOMEDIUM) => return Tracks::None(drive::NO_DISC),
            Err(_) => return Tracks::None(drive::NO_INFO),
        };
        let (mut data, mut audio) = (false, false);
        for n in first..=last.min(99) {
            match self.track(n) {
                Ok(t) if t.control & DATA != 0 => data = true,
                Ok(_) => audio = true,
                Err(_) => return Tracks::None(drive::NO_INFO),
            }
        }
        Tracks::Some { data, audio }
    }

    fn end(&self) -> Result<u32> {
        self.track(LEAD_OUT).map(|t| optical::block(t.at).max(0) as u32)
    }

    /// What medium there is. Sleeps.
    fn medium(&self) -> Result<Medium> {
        let end = self.end().unwrap_or(0);
        let mut b = [0; 8];
        let n = self.ask(&Cdb::read_capacity_10(), &mut b)?;
        let (sectors, block_size) =
            b.get(..n).and_then(|b| optical::size(b, end)).ok_or(Error::EIO)?;
        Ok(Medium { sectors, block_size })
    }
}

impl State {
    /// Looks at the drive: the medium, where it may be another one. Sleeps.
    fn look(&mut self, at: &At<'_>) -> Result<Option<Medium>> {
        let event = at.event().is_some_and(|e| e.changed);
        let present = at.ready()?.is_none_or(|s| s.code.0 != 0x3a);
        let changed = at.1.has_changed() | event | (present != self.present);
        self.present = present;
        if !changed {
            return Ok(None);
        }
        self.told = true;
        // Without a medium the drive stays as large as it was.
        if let Ok(m) = at.medium() {
            at.1.set_block(m.block_size);
            self.medium = m;
        }
        Ok(Some(self.medium))
    }
}

fn give(arg: usize, bytes: &[u8]) -> Result<u32> {
    UserPtr::new(arg).write(bytes).map(|()| 0)
}

fn take<const N: usize>(arg: usize) -> Result<[u8; N]> {
    let mut b = [0; N];
    UserPtr::new(arg).read(&mut b).map(|()| b)
}

/// A place as a program has it: in blocks or in minutes, seconds and frames.
fn place(format: u8, at: Msf) -> [u8; 4] {
    if format == LBA {
        optical::block(at).to_ne_bytes()
    } else {
        [at.0, at.1, at.2, 0]
    }
}

fn is_format(format: u8) -> Result {
    if matches!(format, LBA | MSF) {
        Ok(())
    } else {
        Err(Error::EINVAL)
    }
}

impl Drive {
    /// The drive at `unit`, and the medium that is in it. Sleeps.
    pub fn new(host: &dyn Host, unit: &Arc<Unit>) -> Result<(Drive, Medium)> {
        let at = At(host, unit);
        let mut b = [0; 128];
        let n = at.ask(&Cdb::mode_sense(0x2a, 128), &mut b).unwrap_or(0);
        let can = optical::capabilities(b.get(..n).unwrap_or(&[]));
        let present = at.ready()?.is_none();
        let medium = if present { at.medium().unwrap_or(NO_MEDIUM) } else { NO_MEDIUM };
        unit.set_block(medium.block_size);
        let close = if can & can::CLOSE_TRAY != 0 { option::AUTO_CLOSE } else { 0 };
        let options = option::USE_FLAGS | option::LOCK | close;
        let state = State {
            opens: 0,
            options,
            keep_locked: false,
            debug: false,
            told: true,
            present,
            medium,
        };
        let state = Mutex::new(c"virtio_scsi_cd", state)?;
        Ok((Drive { unit: unit.clone(), can, state }, medium))
    }

    fn can(&self, what: u32) -> bool {
        self.can & what != 0
    }

    /// As `block::Driver::open`.
    pub fn open(&self, host: &dyn Host, how: Opening) -> Result<Option<Medium>> {
        let at = At(host, &self.unit);
        let mut s = self.state.lock();
        let mut medium = s.look(&at)?;
        if !how.nonblock {
            medium = self.open_for_data(&at, &mut s, how.write)?.or(medium);
        }
        s.opens += 1;
        Ok(medium)
    }

    fn open_for_data(&self, at: &At<'_>, s: &mut State, write: bool) -> Result<Option<Medium>> {
        let mut now = at.status()?;
        let mut medium = None;
        if now == drive::TRAY_OPEN
            && self.can(can::CLOSE_TRAY)
            && s.options & option::AUTO_CLOSE != 0
        {
            if at.act(&Cdb::tray(true))? != 0 {
                return Err(Error::ENOMEDIUM);
            }
            now = at.status()?;
            medium = s.look(at)?;
        }
        if now != drive::DISC_OK {
            return Err(Error::ENOMEDIUM);
        }
        if write {
            return Err(Error::EROFS);
        }
        match at.tracks() {
            Tracks::None(drive::NO_DISC) => return Err(Error::ENOMEDIUM),
            Tracks::Some { data: true, .. } => {}
            _ if s.options & option::CHECK_TYPE != 0 => return Err(Error::EMEDIUMTYPE),
            _ => {}
        }
        if self.can(can::LOCK) && s.options & option::LOCK != 0 {
            _ = at.act(&Cdb::lock(true)); // one that does not lock is open all the same
        }
        Ok(medium)
    }

    /// As `block::Driver::close`.
    pub fn close(&self, host: &dyn Host) {
        let at = At(host, &self.unit);
        let mut s = self.state.lock();
        s.opens = s.opens.saturating_sub(1);
        if s.opens != 0 {
            return;
        }
        if self.can(can::LOCK) && !s.keep_locked {
            _ = at.act(&Cdb::lock(false));
        }
    }

    /// An ioctl of CD drives. `None`: it is none, or the drive cannot do it. Sleeps.
    pub fn ioctl(&self, host: &dyn Host, cmd: u32, arg: usize) -> Result<Option<u32>> {
        let at = At(host, &self.unit);
        let mut s = self.state.lock();
        let done = match cmd {
            nr::EJECT => at.act(&Cdb::tray(false)),
            nr::CLOSE_TRAY => at.act(&Cdb::tray(true)),
            nr::EJECT_SW | nr::SET_OPTIONS | nr::CLEAR_OPTIONS => {
                return Ok(self.set_options(&mut s, cmd, arg as u32));
            }
            nr::MEDIA_CHANGED => {
                // What the next open has to know stays noted.
                if s.look(&at)?.is_some() {
                    self.unit.set_changed();
                }
                Ok(core::mem::take(&mut s.told).into())
            }
            nr::SELECT_SPEED if self.can(can::SELECT_SPEED) => {
                let speed = match arg {
                    0 => 0xffff,
                    n => n.saturating_mul(177).min(0xffff) as u16,
                };
                at.ask(&Cdb::speed(speed), &mut []).map(|_| 0).map_err(|_| Error::EIO)
            }
            nr::RESET if !capable(Capability::SysAdmin) => Err(Error::EACCES),
            nr::RESET => {
                self.unit.set_changed(); // what is cached goes at the next open
                Ok(0)
            }
            nr::LOCK_DOOR => self.lock_door(&at, &mut s, arg != 0),
            nr::DEBUG if !capable(Capability::SysAdmin) => Err(Error::EACCES),
            nr::DEBUG => {
                s.debug = !s.debug;
                Ok(s.debug.into())
            }
            nr::GET_CAPABILITY => Ok(self.can),
            nr::NUMBER_OF_SLOTS => Ok(1),
            nr::DRIVE_STATUS => at.status(),
            nr::DISC_STATUS => Ok(match at.tracks() {
                Tracks::None(why) => why,
                Tracks::Some { data: true, audio: true } => drive::MIXED,
                Tracks::Some { data: true, .. } => drive::DATA_1,
                Tracks::Some { audio: true, .. } => drive::AUDIO,
                Tracks::Some { .. } => drive::NO_INFO,
            }),
            nr::MULTI_SESSION => Self::sessions(&at, arg),
            nr::LAST_WRITTEN => at.end().and_then(|n| give(arg, &u64::from(n).to_ne_bytes())),
            nr::READ_TOC_HEADER => Self::header(&at, arg),
            nr::READ_TOC_ENTRY => Self::entry(&at, arg),
            _ => return Ok(None),
        };
        done.map(Some)
    }

    fn set_options(&self, s: &mut State, cmd: u32, arg: u32) -> Option<u32> {
        match (cmd, arg) {
            (nr::EJECT_SW, _) if !self.can(can::OPEN_TRAY) => return None,
            (nr::EJECT_SW, _) => {
                let both = option::AUTO_CLOSE | option::AUTO_EJECT;
                s.options = if arg != 0 { s.options | both } else { s.options & !both };
                return Some(0);
            }
            (nr::CLEAR_OPTIONS, _) => s.options &= !arg,
            (_, 0 | option::USE_FLAGS | option::CHECK_TYPE) => s.options |= arg,
            (_, option::LOCK) if !self.can(can::LOCK) => return None,
            (_, option::LOCK) => s.options |= arg,
            _ if !self.can(arg) => return None,
            _ => s.options |= arg,
        }
        Some(s.options)
    }

    fn lock_door(&self, at: &At<'_>, s: &mut State, lock: bool) -> Result<u32> {
        if !self.can(can::LOCK) {
            return Err(Error::EOPNOTSUPP);
        }
        s.keep_locked = lock;
        if s.opens != 1 && !lock && !capable(Capability::SysAdmin) {
            return Err(Error::EBUSY);
        }
        at.act(&Cdb::lock(lock))
    }

    fn sessions(at: &At<'_>, arg: usize) -> Result<u32> {
        let [.., format, _, _] = take::<8>(arg)?;
        is_format(format)?;
        let mut b = [0; 12];
        let n = at.ask(&Cdb::toc(0, false, true, 12), &mut b).unwrap_or(0);
        let block = optical::last_session(b.get(..n).unwrap_or(&[]));
        let [p, q, r, t] = place(format, optical::msf(block));
        give(arg, &[p, q, r, t, (block > 0).into(), format, 0, 0])
    }

    fn header(at: &At<'_>, arg: usize) -> Result<u32> {
        take::<2>(arg)?;
        let (first, last) = at.tracks_header()?;
        give(arg, &[first, last])
    }

    fn entry(at: &At<'_>, arg: usize) -> Result<u32> {
        let [track, _, format, ..] = take::<12>(arg)?;
        is_format(format)?;
        let t = at.track(track)?;
        let [p, q, r, u] = place(format, t.at);
        let kind = t.adr | t.control << 4;
        let mode = (t.control & DATA != 0).into();
        give(arg, &[track, kind, format, 0, p, q, r, u, mode])
    }
}
