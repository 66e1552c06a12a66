// SPDX-License-Identifier: MIT
//! Slots of PCI Express ports whose cards come and go (PCI Express Base 3.0, 6.7; registers: 7.8.2,
//! 7.8.6 to 7.8.11).
//!
//! A `Slot` has the port: one owner at a time. It writes the slot's own bits of control, its power,
//! its indicators and which events interrupt, and clears events. Everything else of the port stays
//! as it was. A write of slot control is a command. The port says when it has done it, where it
//! says that at all; it is waited for so long and no longer. Status words are 16 bits beside
//! control: they are cleared by writes of 16 bits, as a write of both would be a command.
//!
//! `Status` reads, and takes events. Interrupt handlers may do that, and whoever shows the slot to
//! programs.

use crate::pci::{Function, CAP_EXPRESS, COMMAND, COMMAND_MASTER, COMMAND_MEMORY};
use crate::{irq, time, Error, Result};

const LINK_CAPS: u16 = 0x0c;
const LINK_REPORTS: u32 = 1 << 20;
const LINK_STATUS: u16 = 0x12;
const LINK_ACTIVE: u16 = 1 << 13;
const SLOT_CAPS: u16 = 0x14;
const SLOT_CONTROL: u16 = 0x18;
const SLOT_STATUS: u16 = 0x1a;

// Slot capabilities.
const HAS_BUTTON: u32 = 1;
const HAS_POWER: u32 = 1 << 1;
const HAS_LATCH: u32 = 1 << 2;
const HAS_ATTENTION: u32 = 1 << 3;
const HAS_POWER_LIGHT: u32 = 1 << 4;
const HOT_PLUG: u32 = 1 << 6;
const NO_COMPLETION: u32 = 1 << 18;

// Slot control. The first bits enable the events of the same places in the status.
const INTERRUPTS: u16 = 1 << 5;
const ATTENTION: u16 = 3 << 6;
const POWER_LIGHT: u16 = 3 << 8;
const POWER_OFF: u16 = 1 << 10;
const INTERLOCK: u16 = 1 << 11;
const LINK_EVENTS: u16 = 1 << 12;

// Slot status.
const BUTTON: u16 = 1;
const FAULT: u16 = 1 << 1;
const PRESENCE: u16 = 1 << 3;
const COMPLETED: u16 = 1 << 4;
const LATCH_OPEN: u16 = 1 << 5;
const CARD: u16 = 1 << 6;
const LINK: u16 = 1 << 8;
const EVENTS: u16 = BUTTON | FAULT | PRESENCE | LINK;

const COMMAND_MS: u32 = 1000;
const STEP_MS: u32 = 10;

/// What an indicator does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Light {
    /// Dark.
    Off,
    /// Lit.
    On,
    /// On and off.
    Blinks,
}

impl Light {
    fn code(self) -> u16 {
        match self {
            Light::On => 1,
            Light::Blinks => 2,
            Light::Off => 3,
        }
    }

    fn of(code: u16) -> Light {
        match code & 3 {
            1 => Light::On,
            2 => Light::Blinks,
            _ => Light::Off,
        }
    }
}

/// What happened to a slot since that was asked last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Events(u16);

impl Events {
    /// Those of that number.
    pub fn of(bits: u32) -> Events {
        Events(bits as u16 & EVENTS)
    }

    /// As a number, to be kept; 0: nothing happened.
    pub fn bits(self) -> u32 {
        self.0.into()
    }

    /// Its button was pressed.
    pub fn button(self) -> bool {
        self.0 & BUTTON != 0
    }

    /// Its power failed.
    pub fn fault(self) -> bool {
        self.0 & FAULT != 0
    }

    /// A card came or went.
    pub fn presence(self) -> bool {
        self.0 & PRESENCE != 0
    }

    /// A card came or went, or its link did.
    pub fn changed(self) -> bool {
        self.0 & (PRESENCE | LINK) != 0
    }
}

/// Reads a slot's state, in any context.
#[derive(Clone, Copy)]
pub struct Status {
    f: Function,
    cap: u16,
    caps: u32,
}

impl Status {
    fn word(&self, off: u16) -> u16 {
        self.f.read16(self.cap + off)
    }

    /// The events since the last call, which are cleared. None of a port that left the bus.
    pub fn take(&self) -> Events {
        let mut all = 0;
        // One that has another at once is looked at again later: the next interrupt says so.
        for _ in 0..8 {
            let status = self.word(SLOT_STATUS);
            if status == u16::MAX || status & EVENTS == 0 {
                break;
            }
            all |= status & EVENTS;
            self.f.write16(self.cap + SLOT_STATUS, status & EVENTS);
        }
        Events(all)
    }

    /// The number that is written on the slot.
    pub fn number(&self) -> u16 {
        (self.caps >> 19) as u16
    }

    /// Whether a card is in it.
    pub fn has_card(&self) -> bool {
        let status = self.word(SLOT_STATUS);
        status != u16::MAX && status & CARD != 0
    }

    /// Whether the port says if the link is active.
    pub fn reports_link(&self) -> bool {
        self.f.read32(self.cap + LINK_CAPS) & LINK_REPORTS != 0
    }

    /// Whether the link is active, where the port says so.
    pub fn has_link(&self) -> bool {
        let status = self.word(LINK_STATUS);
        self.reports_link() && status != u16::MAX && status & LINK_ACTIVE != 0
    }

    /// Whether it has a latch.
    pub fn has_latch(&self) -> bool {
        self.caps & HAS_LATCH != 0
    }

    /// Whether the latch is open; never where there is none.
    pub fn is_open(&self) -> bool {
        self.has_latch() && self.word(SLOT_STATUS) & LATCH_OPEN != 0
    }

    /// Whether its power can be switched.
    pub fn switches_power(&self) -> bool {
        self.caps & HAS_POWER != 0
    }

    /// Whether it has power: always, where that cannot be switched.
    pub fn is_powered(&self) -> bool {
        !self.switches_power() || self.word(SLOT_CONTROL) & POWER_OFF == 0
    }

    /// Its attention indicator, where it has one.
    pub fn attention(&self) -> Option<Light> {
        let has = self.caps & HAS_ATTENTION != 0;
        has.then(|| Light::of(self.word(SLOT_CONTROL) >> 6))
    }
}

/// A slot, with its port. Dropped, it interrupts no more.
pub struct Slot {
    s: Status,
}

impl Slot {
    /// What reads its state.
    pub fn status(&self) -> Status {
        self.s
    }

    /// Gives those bits of control that value, and waits until that is done. `ETIMEDOUT`: the port
    /// does not say so.
    fn command(&mut self, mask: u16, bits: u16) -> Result {
        let s = &self.s;
        let old = s.word(SLOT_CONTROL);
        // A one there would switch the interlock.
        let new = (old & !mask | bits & mask) & !INTERLOCK;
        if new == old {
            return Ok(());
        }
        s.f.write16(s.cap + SLOT_STATUS, COMPLETED);
        s.f.write16(s.cap + SLOT_CONTROL, new);
        if s.caps & NO_COMPLETION != 0 {
            return Ok(());
        }
        for _ in 0..COMMAND_MS / STEP_MS {
            if s.word(SLOT_STATUS) & COMPLETED != 0 {
                s.f.write16(s.cap + SLOT_STATUS, COMPLETED);
                return Ok(());
            }
            time::sleep_ms(STEP_MS);
        }
        Err(Error::ETIMEDOUT)
    }

    /// Switches its power, where it can be switched, and sets its power indicator, where there is
    /// one, as one command. Sleeps. `ETIMEDOUT`: the port does not say that it has done it, within
    /// a second.
    pub fn set_power(&mut self, on: bool, light: Light) -> Result {
        let (mut mask, mut bits) = (0, 0);
        if self.s.switches_power() {
            mask |= POWER_OFF;
            bits |= if on { 0 } else { POWER_OFF };
        }
        if self.s.caps & HAS_POWER_LIGHT != 0 {
            mask |= POWER_LIGHT;
            bits |= light.code() << 8;
        }
        self.command(mask, bits)
    }

    /// Sets its attention indicator, where there is one; errors: as there. Sleeps.
    pub fn set_attention(&mut self, light: Light) -> Result {
        let mask = if self.s.caps & HAS_ATTENTION != 0 { ATTENTION } else { 0 };
        self.command(mask, light.code() << 6)
    }

    /// Whether events interrupt: where there is a button it speaks for the card, too. Errors: as
    /// there. Sleeps.
    pub fn listen(&mut self, on: bool) -> Result {
        let button = if self.s.caps & HAS_BUTTON != 0 { BUTTON } else { 0 };
        let fault = if self.s.switches_power() { FAULT } else { 0 };
        let link = if self.s.reports_link() { LINK_EVENTS } else { 0 };
        let all = INTERRUPTS | BUTTON | FAULT | PRESENCE | COMPLETED | LINK_EVENTS;
        let wanted = INTERRUPTS | PRESENCE | button | fault | link;
        self.command(all, if on { wanted } else { 0 })
    }

    /// Where the port's events interrupt, and whether that is shared with others. `ENXIO`: nowhere;
    /// `ENOMEM`.
    pub fn interrupt(&self) -> Result<(irq::Source, bool)> {
        let s = &self.s;
        // Which message: 7.8.2.
        let nth = s.f.read16(s.cap + 2) >> 9 & 0x1f;
        let no_msix = match s.f.msix() {
            Ok(m) => return Ok((m.set(nth, None)?.into(), false)),
            Err(e) => e,
        };
        let no_msi = match s.f.msi() {
            Ok(m) => return Ok((m.into(), false)),
            Err(e) => e,
        };
        // Where it has no line either, a lack of memory is the reason.
        let why = [no_msix, no_msi].into_iter().find(|e| *e == Error::ENOMEM);
        let line = s.f.line().map_err(|e| why.unwrap_or(e))?;
        Ok((line.into(), true))
    }

    /// Forgets what is known of the functions behind it that have no owner. Those that do not
    /// answer, or have no power, know nothing of us any more either, if they ever come back.
    pub fn forget(&mut self) {
        let f = &self.s.f;
        let (Some(first), Some(last)) = (f.secondary(), f.last_behind()) else { return };
        let dark = !self.s.is_powered();
        for bus in first..=last {
            for devfn in 0..=u8::MAX {
                f.forget_behind(bus, devfn, dark);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        _ = self.listen(false);
        self.s.f.unclaim();
    }
}

impl Function {
    pub(crate) fn read16(&self, off: u16) -> u16 {
        (self.read32(off & !3) >> (8 * (off & 2))) as u16
    }

    /// The capability of a port that has a slot whose cards come and go.
    fn plug(&self) -> Option<u16> {
        let (cap, _) = self.capabilities().find(|c| c.1 == CAP_EXPRESS)?;
        let flags = self.read16(cap + 2);
        let is_port = matches!(flags >> 4 & 0xf, 4 | 6) && flags & 1 << 8 != 0;
        (is_port && self.is_bridge() && self.read32(cap + SLOT_CAPS) & HOT_PLUG != 0).then_some(cap)
    }

    /// Whether it is a port that has a slot whose cards come and go.
    pub fn has_slot(&self) -> bool {
        self.plug().is_some()
    }

    /// That slot, which is the caller's alone. `ENODEV`: there is none. `EBUSY`: somebody has it.
    pub fn slot(&self) -> Result<Slot> {
        let cap = self.plug().ok_or(Error::ENODEV)?;
        if !self.claim() {
            return Err(Error::EBUSY);
        }
        {
            let _guard = self.host.lock.lock();
            // Its messages are writes of its own.
            let c = self.read32(COMMAND) & 0xffff | u32::from(COMMAND_MEMORY | COMMAND_MASTER);
            self.write32(COMMAND, c);
        }
        Ok(Slot { s: Status { f: *self, cap, caps: self.read32(cap + SLOT_CAPS) } })
    }
}

fn lights(_run: &mut crate::ktest::Run<'_>) -> Result {
    for l in [Light::Off, Light::On, Light::Blinks] {
        crate::kt_eq!(Light::of(l.code()), l);
    }
    crate::kt_eq!((Light::of(0), Light::of(4 | 1)), (Light::Off, Light::On)); // 0 is reserved
    Ok(())
}

crate::ktest!(rust_pci_slot_lights, lights);

fn events(_run: &mut crate::ktest::Run<'_>) -> Result {
    let all = |e: Events| (e.button(), e.fault(), e.changed());
    crate::kt_eq!(all(Events::of(BUTTON.into())), (true, false, false));
    crate::kt_eq!(all(Events::of(FAULT.into())), (false, true, false));
    crate::kt_eq!(all(Events::of(PRESENCE.into())), (false, false, true));
    crate::kt_eq!(all(Events::of(LINK.into())), (false, false, true));
    let presence = |bits: u16| Events::of(bits.into()).presence();
    crate::kt_eq!((presence(PRESENCE), presence(LINK)), (true, false));
    // A command that is done, a card and a latch are no events.
    crate::kt_eq!(Events::of((COMPLETED | CARD | LATCH_OPEN).into()).bits(), 0);
    crate::kt_eq!(Events::of(u32::MAX).bits(), u32::from(EVENTS));
    Ok(())
}

crate::ktest!(rust_pci_slot_events, events);

fn one_owner(_run: &mut crate::ktest::Run<'_>) -> Result {
    let (mut ports, mut bad) = (0, 0);
    crate::pci::for_each(|f| {
        ports += u32::from(f.has_slot());
        // Those of ports have a driver.
        bad += u32::from(
            f.slot().err() != Some(if f.has_slot() { Error::EBUSY } else { Error::ENODEV }),
        );
    })?;
    crate::kt_eq!((ports, bad), (ports, 0));
    Ok(())
}

crate::ktest!(rust_pci_slot_one_owner, one_owner);
