// SPDX-License-Identifier: MIT
//! What a slot is to do next (PCI Express Base 3.0, 6.7.1): a pure function of its phase and of
//! what happened.
//!
//! A press of the button switches the slot on or off after five seconds, in which the power
//! indicator blinks and a second press cancels that. A card that comes or goes is handled at once,
//! as is a card that replaced another between two looks.

use kernel::pci_slot::Events;
use kernel::time::SECOND;
use kernel::Result;

/// How long one may take a wish back.
pub const REGRET_NS: u64 = 5 * SECOND;

/// What a slot is, or becomes at a time of `time::now_ns`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Off,
    On,
    OnAt(u64),
    OffAt(u64),
}

/// What is to be done, in this order: it is the phase's end, or its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Do {
    Nothing,
    /// A wish begins, or is taken back.
    Blink,
    Steady,
    /// The card gets power and drivers.
    On,
    /// It loses both; `Gone`: it is not there any more.
    Off,
    Gone,
    /// Another card may be there: the old one has gone.
    Swap,
}

impl Phase {
    /// Whether the card has its drivers.
    pub fn is_on(self) -> bool {
        matches!(self, Phase::On | Phase::OffAt(_))
    }

    /// When the phase ends by itself.
    pub fn due(self) -> Option<u64> {
        match self {
            Phase::OnAt(due) | Phase::OffAt(due) => Some(due),
            _ => None,
        }
    }

    /// What follows, at time `now`; `card`: one is there. Of `On` the phase is what it is if that
    /// succeeds.
    pub fn next(self, events: Events, card: bool, now: u64) -> (Phase, Do) {
        if events.changed() {
            match (self, card) {
                (Phase::On | Phase::OffAt(_), true) => return (Phase::On, Do::Swap),
                (Phase::On | Phase::OffAt(_), false) => return (Phase::Off, Do::Gone),
                (_, true) => return (Phase::On, Do::On),
                (Phase::OnAt(_), false) => return (Phase::Off, Do::Steady),
                (Phase::Off, false) => {}
            }
        }
        let due = self.due().is_some_and(|due| now >= due);
        match self {
            Phase::OnAt(_) if due => (Phase::On, Do::On),
            Phase::OffAt(_) if due => (Phase::Off, Do::Off),
            _ if !events.button() => (self, Do::Nothing),
            Phase::OnAt(_) => (Phase::Off, Do::Steady),
            Phase::OffAt(_) => (Phase::On, Do::Steady),
            Phase::On => (Phase::OffAt(now + REGRET_NS), Do::Blink),
            Phase::Off if card => (Phase::OnAt(now + REGRET_NS), Do::Blink),
            Phase::Off => (self, Do::Nothing),
        }
    }
}

fn buttons(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let (none, button) = (Events::of(0), Events::of(1));
    let at = |t| REGRET_NS + t;
    kernel::kt_eq!(Phase::Off.next(button, true, 7), (Phase::OnAt(at(7)), Do::Blink));
    kernel::kt_eq!(Phase::Off.next(button, false, 7), (Phase::Off, Do::Nothing));
    kernel::kt_eq!(Phase::On.next(button, true, 7), (Phase::OffAt(at(7)), Do::Blink));
    kernel::kt_eq!(Phase::OnAt(9).next(button, true, 8), (Phase::Off, Do::Steady));
    kernel::kt_eq!(Phase::OffAt(9).next(button, true, 8), (Phase::On, Do::Steady));
    // Too late to take it back.
    kernel::kt_eq!(Phase::OffAt(9).next(button, true, 9), (Phase::Off, Do::Off));
    kernel::kt_eq!(Phase::OnAt(9).next(none, true, 8), (Phase::OnAt(9), Do::Nothing));
    kernel::kt_eq!(Phase::OnAt(9).next(none, true, 9), (Phase::On, Do::On));
    for p in [Phase::Off, Phase::On] {
        kernel::kt_eq!(p.next(none, true, u64::MAX), (p, Do::Nothing));
    }
    Ok(())
}

kernel::ktest!(pci_plug_buttons, buttons);

fn cards(_run: &mut kernel::ktest::Run<'_>) -> Result {
    // The presence of a card, and its link; with the button, which a change outdoes.
    for changed in [8, 0x100, 9] {
        let e = Events::of(changed);
        for p in [Phase::On, Phase::OffAt(9)] {
            kernel::kt_eq!(p.next(e, false, 0), (Phase::Off, Do::Gone));
            kernel::kt_eq!(p.next(e, true, 0), (Phase::On, Do::Swap));
        }
        kernel::kt_eq!(Phase::Off.next(e, true, 0), (Phase::On, Do::On));
        kernel::kt_eq!(Phase::OnAt(9).next(e, true, 0), (Phase::On, Do::On));
        kernel::kt_eq!(Phase::OnAt(9).next(e, false, 0), (Phase::Off, Do::Steady));
        kernel::kt_eq!(Phase::Off.next(e, false, 0), (Phase::Off, Do::Nothing));
    }
    // A fault of its power changes nothing by itself.
    kernel::kt_eq!(Phase::On.next(Events::of(2), true, 0), (Phase::On, Do::Nothing));
    Ok(())
}

kernel::ktest!(pci_plug_cards, cards);
