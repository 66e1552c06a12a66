// SPDX-License-Identifier: MIT
//! How programs give generic devices commands, and get them back: write(2) and read(2) of a header of version 3 (struct sg_io_hdr) or 2 (struct
//! sg_header), SG_IO, poll(2). As the SCSI generic HOWTO has them.

use super::sg::File;
use super::sg_queue::{Ask, Found, Outcome, Request, Room, Way};
use crate::scsi::header::{way, Header, SIZE};
use crate::scsi::pass::{command_of_generic, conclude, host, Carrier, Data};
use core::sync::atomic::Ordering;
use kernel::alloc::Arc;
use kernel::chrdev::{Access, POLLHUP, POLLIN, POLLOUT};
use kernel::user::{Sink, Source, UserPtr};
use kernel::{Error, Result};

// Of a command that says none.
const USUAL_MS: u32 = 30_000;
const MS_OF_A_TICK: u32 = 10;
// The header of version 2: four words, bits, sense data.
const OLD: usize = 36;
const LEAST_COMMAND: usize = 6;
const MOST_GENERIC: i64 = 256 << 20;
const MOST_COMMAND: usize = 32;
// Opcodes from here on are vendors'.
const VENDORS: u8 = 0xc0;
const CHECK_CONDITION: u8 = 2;
const DRIVER_SENSE: u32 = 8;
// Errors that a result of version 2 has.
const EIO: u32 = 5;
const EBUSY: u32 = 16;

fn word(b: &[u8], at: usize) -> i32 {
    b.get(at..).and_then(|b| b.first_chunk()).copied().map_or(0, i32::from_ne_bytes)
}

fn usual_length(opcode: u8) -> usize {
    match opcode >> 5 {
        0 => 6,
        3 | 5 => 12,
        4 => 16,
        _ => 10,
    }
}

impl File {
    /// poll(2).
    pub fn poll(&self) -> u32 {
        let readable = if self.queue.waiting().0 != 0 { POLLIN } else { 0 };
        if self.node.gate.is_shut() {
            readable | POLLHUP
        } else if self.queue.has_place() {
            readable | POLLOUT
        } else {
            readable
        }
    }

    /// write(2).
    pub fn write(&self, from: &mut Source<'_>, how: Access) -> Result<usize> {
        if !how.openers() {
            return Err(Error::EPERM);
        }
        if self.node.gate.is_shut() {
            return Err(Error::ENODEV);
        }
        let (at, len) = (from.place(), from.len());
        if len < OLD {
            return Err(Error::EIO);
        }
        let mut raw = [0; SIZE];
        let n = len.min(SIZE);
        if from.read(raw.get_mut(..n).unwrap_or(&mut []))? != n {
            return Err(Error::EFAULT);
        }
        let reply = word(&raw, 4);
        if reply >= 0 {
            return self.write_old(&raw, at, len).map(|()| len);
        }
        if len < SIZE {
            return Err(Error::EINVAL);
        }
        self.give(raw, false).map(|_| len)
    }

    /// Has a command of version 3 fly; `owned`: for SG_IO.
    fn give(&self, raw: [u8; SIZE], owned: bool) -> Result<Arc<Request>> {
        self.queue.queues.store(true, Ordering::Relaxed);
        let place = self.queue.place()?;
        let mut header = Header::decode(&raw);
        let (write, free) = (self.how.write(), !owned || self.free());
        let (bytes, n) = command_of_generic(&mut header, write, free)?;
        let ms = if header.timeout == 0 { USUAL_MS } else { header.timeout };
        let id = word(&raw, 48);
        let user =
            raw.get(56..).and_then(|b| b.first_chunk()).map_or(0, |b| u64::from_ne_bytes(*b));
        let ask = Ask { raw, header, old: None, id, user, owned, ms };
        self.launch(place, ask, bytes.get(..n).unwrap_or(&[]))
    }

    fn launch(
        &self,
        place: super::sg_queue::Place<'_>,
        ask: Ask,
        bytes: &[u8],
    ) -> Result<Arc<Request>> {
        let node = &self.node;
        let inside = node.gate.enter()?;
        let host = node.host()?;
        if bytes.len() > host.most_command() {
            return Err(Error::EINVAL);
        }
        let room = |n| {
            if ask.owned {
                Room::shared(&host, n)
            } else {
                host.keep(n).map(Room::Kept)
            }
        };
        let data = Data::new(&*host, &ask.header, true, room)?;
        let way = Way { host: &host, at: node.known.at };
        let r = node.flights.launch(&way, place, ask, bytes, data)?;
        inside.stay();
        Ok(r)
    }

    /// A command of version 2, whose header is in `raw`, at `at` in the program's memory, `len` bytes with what follows it.
    fn write_old(&self, raw: &[u8; SIZE], at: UserPtr, len: usize) -> Result {
        if len < OLD + LEAST_COMMAND {
            return Err(Error::EIO);
        }
        let (reply, id) = (word(raw, 4), word(raw, 8));
        let place = self.queue.place()?;
        let opcode = raw.get(OLD).copied().unwrap_or(0);
        let twelve = word(raw, 16) & 1 != 0;
        let n = match self.next_command.swap(0, Ordering::AcqRel) {
            0 if opcode >= VENDORS && twelve => 12,
            0 => usual_length(opcode),
            n => n as usize,
        };
        let Some(input) = len.checked_sub(n + OLD) else { return Err(Error::EIO) };
        let bytes = (len as i64 - n as i64).max(reply.into()) - OLD as i64;
        let way = match (input > 0, reply as usize > OLD, bytes > 0) {
            (true, true, _) => way::TO_FROM_DEVICE,
            (true, false, _) => way::TO_DEVICE,
            (false, _, true) => way::FROM_DEVICE,
            (false, _, false) => way::NONE,
        };
        let mut command = [0; MOST_COMMAND];
        if bytes >= MOST_GENERIC || n > MOST_COMMAND {
            return Err(Error::EINVAL);
        }
        at.plus(OLD).read(command.get_mut(..n).unwrap_or(&mut []))?;
        let data = if input > 0 { at.plus(OLD + n).addr() as u64 } else { 0 };
        let header = Header {
            interface: 0,
            way,
            command_len: n as u8,
            sense_room: 0,
            pieces: 0,
            len: bytes.max(0) as u32,
            data,
            command: 0,
            sense: 0,
            timeout: 0,
            flags: 0,
        };
        let old = Some((n as u8, opcode >= VENDORS, reply as u32));
        let ms = match self.ticks.load(Ordering::Relaxed) {
            0 => USUAL_MS,
            ticks => ticks.saturating_mul(MS_OF_A_TICK),
        };
        let ask = Ask { raw: *raw, header, old, id, user: 0, owned: false, ms };
        self.launch(place, ask, command.get(..n).unwrap_or(&[])).map(|_| ())
    }

    /// Which command a read asks for, by what lies where its bytes go; -1: any.
    fn wanted(&self, to: &Sink<'_>) -> Result<i32> {
        if !self.pack_ids.load(Ordering::Relaxed) || to.room() < OLD {
            return Ok(-1);
        }
        let at = |off| {
            let mut b = [0; 4];
            to.place().plus(off).read(&mut b).map(|()| i32::from_ne_bytes(b))
        };
        match at(4)? {
            0.. => at(8),
            _ if to.room() >= SIZE => at(48),
            _ => Ok(-1),
        }
    }

    /// read(2).
    pub fn read(&self, to: &mut Sink<'_>, how: Access) -> Result<usize> {
        if !how.openers() {
            return Err(Error::EPERM);
        }
        let id = self.wanted(to)?;
        let mut found = self.queue.find(id);
        if !matches!(found, Found::Some(_)) {
            if how.nonblock() {
                return Err(Error::EAGAIN);
            }
            self.queue.changed.wait_interruptible(|| {
                found = self.queue.find(id);
                match found {
                    Found::Some(_) => true,
                    Found::Flying => false,
                    Found::None => self.node.gate.is_shut(),
                }
            })?;
        }
        let Found::Some(r) = found else { return Err(Error::ENODEV) };
        let outcome = self.queue.take(&r).ok_or(Error::EIO)?;
        let n = match r.ask.old {
            Some(old) => read_old(&r, old, &outcome, to),
            None => read_new(&r, &outcome, to),
        };
        outcome.done();
        n
    }

    /// SG_IO.
    pub fn io(&self, arg: UserPtr) -> Result {
        // To the end: its data lie in room of the host, which so is there.
        let _inside = self.node.gate.enter()?;
        let mut raw = [0; SIZE];
        arg.read(&mut raw)?;
        let r = self.give(raw, true)?;
        self.queue.wait(&r)?;
        let outcome = self.queue.take(&r).ok_or(Error::EIO)?;
        let end = conclude(&r.ask.header, &outcome.data, &outcome.end, outcome.duration);
        outcome.done();
        end?.encode(&mut raw);
        arg.write(&raw)
    }
}

fn read_new(r: &Request, o: &Outcome, to: &mut Sink<'_>) -> Result<usize> {
    if to.room() < SIZE {
        return Err(Error::EINVAL);
    }
    let end = conclude(&r.ask.header, &o.data, &o.end, o.duration)?;
    let mut raw = r.ask.raw;
    end.encode(&mut raw);
    if to.write(&raw)? != SIZE {
        return Err(Error::EFAULT);
    }
    Ok(SIZE)
}

/// The result that version 2 has of a command.
fn result(o: &Outcome) -> u32 {
    match o.end.host {
        host::OK => 0,
        host::NO_CONNECT | host::BUS_BUSY | host::TIME_OUT => EBUSY,
        host::ERROR if o.end.status == 0 && o.end.sense.first() == Some(&0) => 0,
        _ => EIO,
    }
}

fn read_old(r: &Request, old: (u8, bool, u32), o: &Outcome, to: &mut Sink<'_>) -> Result<usize> {
    let (n, vendors, reply) = old;
    let e = &o.end;
    let room = to.room();
    if room < OLD {
        return if result(o) == 0 { Ok(0) } else { Err(Error::EIO) };
    }
    let sensed = e.status == CHECK_CONDITION || e.sense.first().is_some_and(|b| b & 0x70 == 0x70);
    let driver = if sensed { DRIVER_SENSE } else { 0 };
    let bits = u32::from(vendors && n == 12)
        | u32::from(e.status >> 1 & 0x1f) << 1
        | u32::from(e.host & 0xff) << 6
        | driver << 14;
    let words = [reply, reply, r.ask.id as u32, result(o), bits];
    let mut head = [0; OLD];
    let sense = e.sense.iter().take(if sensed { 16 } else { 0 }).copied();
    let all = words.map(u32::to_ne_bytes);
    let all = all.as_flattened().iter().copied().chain(sense);
    head.iter_mut().zip(all).for_each(|(to, b)| *to = b);
    if to.write(&head)? != OLD {
        return Err(Error::EFAULT);
    }
    let count = room.min(reply as usize);
    o.data.sink(to, count.saturating_sub(OLD))?;
    Ok(count)
}
