// SPDX-License-Identifier: MIT
//! Slots of PCI Express ports: cards that come and go while the machine runs, by the port's
//! interrupt or by /sys/bus/pci/slots.
//!
//! The interrupt handler takes the events of its port and queues one work item for all ports. The
//! work, the timer of blinking indicators and writes to /sys hold CHANGES for the whole of a change,
//! as every change of the bus does, and then the lock of the port's device: what the driver keeps for
//! it, a `Port`, is under that, so that the driver does not leave meanwhile. The functions behind the
//! port stand below it, and so do their locks. A run of the work looks at each port once, and at most
//! one run is queued, however often a port interrupts. Every wait for hardware sleeps, and is
//! bounded. The pending events of a port that is removed are dropped.
//!
//! At boot the state of the hardware is taken as it is: a card that answers is on. For a card that
//! came before the driver an event is pending.

use super::plug::{Do, Phase};
use super::{bring_new, bus, changes, drop_behind, shown, Known};
use core::fmt::{self, Write};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::device::{Bound, Device};
use kernel::irq::{self, Handler, Registration};
use kernel::pci::Function;
use kernel::pci_slot::{Events, Light, Slot, Status};
use kernel::show::Dir;
use kernel::sync::{Once, SpinLockIrq};
use kernel::work::{DelayedWork, Work};
use kernel::{pr_info, pr_warn, time, Error, Result};

const LINK_MS: u32 = 1000;
const READY_MS: u32 = 1000;
// From an active link to the first request (6.6.1), and from power off to what may follow
// (6.7.1.8).
const SETTLE_MS: u32 = 100;
const DARK_MS: u32 = 1000;
const STEP_MS: u32 = 20;
// At most one line in that time about a port's button.
const SAY_NS: u64 = time::SECOND;

/// Has `serve` run soon.
trait Soon: Send + Sync {
    fn soon(&self);
}

impl<F: Fn() + Send + Sync> Soon for Work<F> {
    fn soon(&self) {
        self.queue();
    }
}

/// Has it run later.
trait Later: Send + Sync {
    fn after(&self, ms: u32);
}

impl<F: Fn() + Send + Sync> Later for DelayedWork<F> {
    fn after(&self, ms: u32) {
        self.queue_after(ms);
    }
}

static WORK: Once<KBox<dyn Soon>> = Once::new();
static TIMER: Once<KBox<dyn Later>> = Once::new();

/// What the handler, and whoever reads /sys, has of a port.
struct Shared {
    f: Function,
    device: Device<Known>,
    status: Status,
    // Events that were taken and not served. They are taken from the port under its lock: two that
    // did it at once would make one press of the button two, and the second takes the first back.
    pending: SpinLockIrq<u32>,
}

/// A port's driver.
pub struct Port {
    slot: Slot,
    phase: Phase,
    shared: Arc<Shared>,
    // Taken away first.
    irq: Option<Registration>,
    dir: Option<Dir>,
    said_ns: u64,
    obeys: bool,
    failed: bool,
}

impl Handler for Shared {
    fn handle(&self) -> bool {
        let mut pending = self.pending.lock();
        let events = self.status.take().bits();
        *pending |= events;
        drop(pending);
        if events == 0 {
            return false;
        }
        serve_soon();
        true
    }
}

impl Shared {
    fn take(&self) -> Events {
        let mut pending = self.pending.lock();
        Events::of(core::mem::take(&mut *pending) | self.status.take().bits())
    }

    fn has_card(&self) -> bool {
        self.status.has_card() || self.status.has_link()
    }

    /// Whether the first function behind the port answers.
    fn answers(&self) -> bool {
        self.f.first_behind().is_some()
    }
}

fn serve_soon() {
    if let Some(work) = WORK.get() {
        work.soon();
    }
}

/// What `wanted` says within so long.
fn within(ms: u32, mut wanted: impl FnMut() -> bool) -> bool {
    for _ in 0..ms / STEP_MS {
        if wanted() {
            return true;
        }
        time::sleep_ms(STEP_MS);
    }
    wanted()
}

impl Port {
    fn name(&self) -> shown::Name {
        shown::Name(self.shared.f)
    }

    /// A command's result: what a port does not say it has done is said once.
    fn done(&mut self, r: Result) {
        if r.is_err() && core::mem::take(&mut self.obeys) {
            pr_warn!("pci: {}: its slot does not say when it has obeyed\n", self.name());
        }
    }

    fn set_power(&mut self, on: bool, light: Light) {
        let r = self.slot.set_power(on, light);
        self.done(r);
    }

    fn say(&mut self, what: &str) {
        let now = time::now_ns();
        if self.said_ns == 0 || now - self.said_ns >= SAY_NS {
            pr_info!("pci: slot {}: {}\n", self.shared.status.number(), what);
            self.said_ns = now;
        }
    }

    fn bring_behind(&self) -> Result {
        let f = &self.shared.f;
        f.give_room()?;
        let Some((first, last)) = f.secondary().zip(f.last_behind()) else { return Ok(()) };
        bring_new(|new| new.domain() == f.domain() && (first..=last).contains(&new.bus))
    }

    /// The card gets power, and its functions their drivers. `ENODEV`: there is no card, or it does
    /// not answer.
    fn on(&mut self) -> Result {
        let status = self.shared.status;
        if status.is_open() {
            self.set_power(false, Light::Off);
            self.say("its latch is open");
            return Err(Error::ENODEV);
        }
        self.failed = false;
        self.set_power(true, Light::Blinks);
        if status.reports_link() {
            within(LINK_MS, || status.has_link());
        } else {
            time::sleep_ms(LINK_MS);
        }
        time::sleep_ms(SETTLE_MS);
        let answers = within(READY_MS, || self.shared.answers());
        // Of our own doing. A card that goes from now on has events of its own.
        let events = self.shared.take();
        self.fault(events);
        if !answers || !self.shared.answers() {
            pr_warn!("pci: slot {}: its card does not answer\n", status.number());
            self.off_power();
            let r = self.slot.set_attention(Light::On);
            self.done(r);
            return Err(Error::ENODEV);
        }
        let r = self.slot.set_attention(Light::Off);
        self.done(r);
        pr_info!("pci: slot {}: on\n", status.number());
        if let Err(e) = self.bring_behind() {
            pr_warn!("pci: slot {}: error {}\n", status.number(), e.code());
        }
        self.set_power(true, Light::On);
        Ok(())
    }

    fn off_power(&mut self) {
        // The indicator goes out when the card may be taken, and not before.
        self.set_power(false, Light::Blinks);
        if self.shared.status.switches_power() {
            time::sleep_ms(DARK_MS);
        }
        self.set_power(false, Light::Off);
    }

    fn off(&mut self, gone: bool) {
        drop_behind(&self.shared.device, gone);
        self.off_power();
        // Of our own doing: the link's end, and the card's, where the host takes it now. One that
        // is there already is another one.
        let events = self.shared.take();
        self.fault(events);
        self.slot.forget();
        if events.presence() && self.shared.status.has_card() {
            *self.shared.pending.lock() |= events.bits();
            serve_soon();
        }
        let how = if gone { "its card is gone" } else { "off" };
        pr_info!("pci: slot {}: {}\n", self.shared.status.number(), how);
    }

    /// A failure of its power is said once for each time that it is switched on.
    fn fault(&mut self, events: Events) {
        if events.fault() && !core::mem::replace(&mut self.failed, true) {
            pr_warn!("pci: slot {}: its power failed\n", self.shared.status.number());
        }
    }

    /// A card that a scan found, in a slot whose power is not switched, is on.
    fn found(&mut self) {
        if self.phase == Phase::Off && self.shared.device.has_below() {
            self.phase = Phase::On;
        }
    }

    /// Does what its events, its timer and its card ask for.
    fn serve(&mut self) {
        let events = self.shared.take();
        self.fault(events);
        self.found();
        let (phase, todo) = self.phase.next(events, self.shared.has_card(), time::now_ns());
        self.phase = phase;
        match todo {
            Do::Nothing => {}
            Do::Blink => {
                self.set_power(phase.is_on(), Light::Blinks);
                self.say("button: in 5 seconds it is switched");
            }
            Do::Steady => {
                let on = phase.is_on();
                self.set_power(on, if on { Light::On } else { Light::Off });
                self.say("button: it stays as it is");
            }
            Do::On => self.turn_on(),
            Do::Off => self.off(false),
            Do::Gone => self.off(true),
            Do::Swap => {
                self.off(true);
                self.turn_on();
            }
        }
    }

    fn turn_on(&mut self) {
        self.phase = if self.on().is_ok() { Phase::On } else { Phase::Off };
    }

    /// A write to `power`. `ENODEV`: it is so already, or there is no card.
    fn switch(&mut self, on: bool) -> Result {
        self.found();
        if self.phase.is_on() == on || (on && !self.shared.has_card()) {
            return Err(Error::ENODEV);
        }
        self.phase = if on { Phase::On } else { Phase::Off };
        if !on {
            self.off(false);
            return Ok(());
        }
        self.turn_on();
        if self.phase == Phase::On {
            Ok(())
        } else {
            Err(Error::ENODEV)
        }
    }

    /// What the hardware says when the driver comes.
    fn look(&mut self) {
        let (status, events) = (self.shared.status, self.shared.take());
        let answers = self.shared.answers();
        self.phase = if answers { Phase::On } else { Phase::Off };
        if !answers && self.shared.has_card() {
            // It came after reset: QEMU, and a person with a button, may be that fast.
            *self.shared.pending.lock() |= events.bits();
        } else if !answers && status.is_powered() {
            self.set_power(false, Light::Off);
        }
    }

    fn show(&mut self) -> Result {
        let (slots, n) = (Dir::sys(c"bus/pci/slots")?, self.shared.status.number());
        let mut dir = None;
        if !slots.holds(format_args!("{n}")) {
            dir = Some(slots.dir(format_args!("{n}"))?);
        }
        for again in 1..=u8::MAX {
            if dir.is_none() && !slots.holds(format_args!("{n}-{again}")) {
                dir = Some(slots.dir(format_args!("{n}-{again}"))?);
            }
        }
        let dir = self.dir.insert(dir.ok_or(Error::EEXIST)?);
        let s = &self.shared;
        dir.attr(c"address", s.clone(), address, None)?;
        dir.attr(
            c"adapter",
            s.clone(),
            |s, out| writeln!(out, "{}", u8::from(s.has_card())),
            None,
        )?;
        dir.attr(c"power", s.clone(), power, Some(store_power))?;
        if s.status.attention().is_some() {
            dir.attr(c"attention", s.clone(), attention, Some(store_attention))?;
        }
        if s.status.has_latch() {
            let latch: fn(&Shared, &mut dyn Write) -> fmt::Result =
                |s, out| writeln!(out, "{}", u8::from(!s.status.is_open()));
            dir.attr(c"latch", s.clone(), latch, None)?;
        }
        Ok(())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.irq = None;
        if let Some(dir) = self.dir.take() {
            dir.remove();
        }
    }
}

impl Bound for Port {
    fn remove(&mut self, _gone: bool) {
        let r = self.slot.listen(false);
        self.done(r);
        self.irq = None;
        if let Some(dir) = self.dir.take() {
            dir.remove();
        }
    }
}

fn address(s: &Shared, out: &mut dyn Write) -> fmt::Result {
    let bus = s.f.secondary().unwrap_or(0);
    writeln!(out, "{:04x}:{bus:02x}:00", s.f.domain())
}

fn power(s: &Shared, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{}", u8::from(s.status.is_powered()))
}

fn attention(s: &Shared, out: &mut dyn Write) -> fmt::Result {
    let n = match s.status.attention() {
        Some(Light::On) => 1,
        Some(Light::Blinks) => 2,
        _ => 0,
    };
    writeln!(out, "{n}")
}

fn store_power(s: &Shared, text: &str) -> Result {
    let on = match shown::number(text)? {
        0 => false,
        1 => true,
        _ => return Err(Error::EINVAL),
    };
    let _changes = changes()?.lock();
    s.device.with_bound(|port: &mut Port| port.switch(on)).ok_or(Error::ENODEV)?
}

fn store_attention(s: &Shared, text: &str) -> Result {
    // Two bits of the register, as Linux takes them.
    let light = match shown::number(text)? & 3 {
        1 => Light::On,
        2 => Light::Blinks,
        _ => Light::Off,
    };
    s.device.with_bound(|port: &mut Port| port.slot.set_attention(light)).ok_or(Error::ENODEV)?
}

/// Serves all ports, each once. What they do takes the time that it takes.
fn serve() {
    let (Ok(bus), Ok(changes)) = (bus(), changes()) else { return };
    let changes = changes.lock();
    let (mut at, mut due) = (0, None::<u64>);
    while let Some(d) = bus.next(&mut at) {
        // The lock of one that is no port may be held for long.
        let next = d.facts().is_port.then(|| {
            d.with_bound(|port: &mut Port| {
                port.serve();
                port.phase.due()
            })
        });
        if let Some(next) = next.flatten().flatten() {
            due = Some(due.map_or(next, |d| d.min(next)));
        }
    }
    drop(changes);
    if let Some((due, timer)) = due.zip(TIMER.get()) {
        let left_ms = due.saturating_sub(time::now_ns()) / 1_000_000 + 1;
        timer.after(left_ms as u32);
    }
}

/// Takes a port that has a slot whose cards come and go. `ENODEV`: it is none.
pub fn probe(d: &Device<Known>) -> Result<KBox<dyn Bound>> {
    let f = d.facts().f;
    if !d.facts().is_port {
        return Err(Error::ENODEV);
    }
    super::taken(&f, "pcieport");
    let (slot, device) = (f.slot()?, d.clone());
    let shared =
        Arc::new(Shared { f, device, status: slot.status(), pending: SpinLockIrq::new(0) })?;
    let phase = Phase::Off;
    let (irq, dir, said_ns, obeys, failed) = (None, None, 0, true, false);
    let mut port = Port { slot, phase, shared, irq, dir, said_ns, obeys, failed };
    let (source, is_shared) = port.slot.interrupt()?;
    port.irq = Some(irq::request_owned(source, &port.shared, c"pciehp", is_shared)?);
    port.look();
    port.show()?;
    let r = port.slot.listen(true);
    port.done(r);
    if *port.shared.pending.lock() != 0 {
        serve_soon();
    }
    Ok(KBox::new(port, KERNEL)?)
}

/// Makes what serves ports, before the first is brought.
pub fn init() -> Result {
    let work: KBox<dyn Soon> = KBox::new(Work::new(serve)?, KERNEL)?;
    let timer: KBox<dyn Later> = KBox::new(DelayedWork::new(serve)?, KERNEL)?;
    WORK.set(KBox::new(work, KERNEL)?.leak())?;
    TIMER.set(KBox::new(timer, KERNEL)?.leak())
}
