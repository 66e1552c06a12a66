// SPDX-License-Identifier: MIT
//! Battery clocks: /dev/rtcN (rtc(4)), /sys/class/rtc/rtcN, /proc/driver/rtc, and the wall clock at boot.
//!
//! A clock's driver reads and sets the date and, where it has an interrupt, says what that is for: alarms, updates, ticks. Files
//! read what came: a word whose low byte says which kinds, the rest how many.
//!
//! Clocks of the PC's kind have an interrupt for each of the three. The others have one alarm, by date: it serves as the next alarm and
//! as the next full second, whichever comes first, and ticks come from a timer.
//!
//! A number with all that files use (`Rtc`) stays for ever; a clock is with it from `bind` until it leaves (`Clocked`). Then what is asked
//! of the file answers `ENODEV`, and the number is free for another clock when the file is closed. The lowest that is free is given.
//!
//! Locks: `NUMBERS`, `setup` (sleep; the latter of who uses the clock, so that none does when it has left) > `state`, `running` (interrupts
//! off; also the handler's; neither with the other).

mod bound;
pub mod calendar;
pub mod cmos;
mod file;
pub mod goldfish;
pub mod ls7a;
pub mod pl031;

pub use bound::bind;

use crate::platform::Known;
use calendar::{Time, DAY};
use core::ffi::CStr;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::chrdev::Listeners;
use kernel::device::Device;
use kernel::print::Line;
use kernel::show::ProcText;
use kernel::sync::{Mutex, MutexGuard, Once, SpinLockIrq};
use kernel::time::{HrTimer, Next};
use kernel::uapi::rtc as abi;
use kernel::user::{capable, Capability};
use kernel::wait::WaitQueue;
use kernel::{irq, pr_warn, time, Error, Result};

const MAX_USER_HZ: u32 = 64;

/// A clock's driver. Nothing sleeps.
pub trait Clock: Send + Sync + 'static {
    /// The date; `EINVAL`: it is nonsense (an empty battery).
    fn read(&self) -> Result<Time>;
    /// Sets a valid date; `ERANGE`: the clock cannot hold it.
    fn set(&self, t: &Time) -> Result;
    /// Which interrupts there are, and so which of what follows works.
    fn interrupts(&self) -> Interrupts {
        Interrupts::None
    }
    /// Whether the alarm can be set to `at` when it is `now`, both in seconds since 1970.
    fn reaches(&self, _at: i64, _now: i64) -> bool {
        true
    }
    /// What its interrupt is for, which is acknowledged. With interrupts off.
    fn cause(&self) -> Cause {
        Cause::Nothing
    }
    /// An interrupt when it is next that time of day (`Each`), at that date (`Alarm`); `None`: no more.
    fn set_alarm(&self, _at: Option<&Time>) {}
    /// An interrupt each second (`Each`).
    fn set_update(&self, _on: bool) {}
    /// An interrupt `hz` times a second, a power of two; 0: no more (`Each`).
    fn set_periodic(&self, _hz: u32) {}
    /// Further lines for /proc/driver/rtc.
    fn describe(&self, _out: &mut dyn fmt::Write) -> fmt::Result {
        Ok(())
    }
}

/// What interrupts a clock has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Interrupts {
    /// None: there are no alarms.
    None,
    /// One for an alarm at a date.
    Alarm,
    /// One each for an alarm at a time of day, for updates and for ticks.
    Each,
}

/// What an interrupt is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is another device's.
    Nothing,
    /// The alarm's (`Alarm`).
    Alarm,
    /// Of these kinds: PF, AF, UF (`Each`).
    Kinds(u32),
}

struct Setup {
    alarm: Time,
    hz: u32,
}

struct State {
    live: bool, // a clock has the number
    open: bool,
    events: usize, // kinds in the low byte, how many above
    alarm_on: bool,
    update_on: bool,
    periodic_on: bool,
    alarm_at: i64,  // seconds since 1970
    update_at: i64, // the next full second (`Alarm`)
    tick_ns: u64,   // between ticks (`Alarm`)
}

const OFF: State = State {
    live: false,
    open: false,
    events: 0,
    alarm_on: false,
    update_on: false,
    periodic_on: false,
    alarm_at: 0,
    update_at: 0,
    tick_ns: 0,
};
const SETUP: Setup = Setup { alarm: Time::EPOCH, hz: 1024 };

/// A clock that has a number.
struct Running {
    clock: KBox<dyn Clock>,
    driver: &'static str,
    device: Device<Known>,
    served: AtomicBool, // the interrupt is ours
}

impl Running {
    fn interrupts(&self) -> Interrupts {
        if self.served.load(Ordering::Relaxed) {
            self.clock.interrupts()
        } else {
            Interrupts::None
        }
    }

    fn has_alarm(&self) -> bool {
        self.interrupts() != Interrupts::None
    }
}

/// The clock of who has `setup`.
struct Use<'a> {
    run: Arc<Running>, // goes first: it is not the last while `setup` is held
    setup: MutexGuard<'a, Setup>,
}

/// A timer whose function is not named.
trait Ticks: Send + Sync {
    fn start(&self, ns: u64);
    fn stop(&self);
}

impl<F: Fn() -> Next + Send + Sync> Ticks for HrTimer<F> {
    fn start(&self, ns: u64) {
        self.start_after(ns);
    }

    fn stop(&self) {
        self.cancel();
    }
}

/// A number, and what files of its clock use.
pub struct Rtc {
    number: u32,
    name: [u8; 16],             // ends with NUL
    next: Option<&'static Rtc>, // one number lower
    running: SpinLockIrq<Option<Arc<Running>>>,
    setup: Mutex<Setup>,
    state: SpinLockIrq<State>,
    queue: WaitQueue,
    listeners: Listeners,
    ticks: KBox<dyn Ticks>,
}

static SYSTEM_CLOCK_SET: AtomicBool = AtomicBool::new(false);
/// All numbers, the highest first.
static NUMBERS: Once<Mutex<Option<&'static Rtc>>> = Once::new();
static PROC: Once<ProcText<Rtc>> = Once::new();

/// Sets the wall clock from a battery clock, the first time that one is there to ask.
pub fn set_system_clock(name: &str, c: &dyn Clock) {
    match c.read() {
        Ok(t) => {
            if !SYSTEM_CLOCK_SET.swap(true, Ordering::Relaxed) {
                // Somewhere within that second: half of it is the best guess.
                let ns = (t.to_secs() as u64)
                    .saturating_mul(time::SECOND)
                    .saturating_add(time::SECOND / 2);
                if time::set_real_ns(ns).is_err() {
                    pr_warn!("rtc: {} tells a time that the clock is not set to\n", name);
                }
            }
        }
        Err(e) => pr_warn!("rtc: {} does not tell the time: {}\n", name, e.code()),
    }
}

impl Rtc {
    /// The lowest number that no clock and no file has.
    fn take() -> Result<&'static Rtc> {
        let mut numbers = NUMBERS.get().ok_or(Error::ENODEV)?.lock();
        let (mut lowest, mut at) = (None, *numbers);
        while let Some(rtc) = at {
            let s = rtc.state.lock();
            if !s.live && !s.open {
                lowest = Some(rtc);
            }
            at = rtc.next;
        }
        let rtc = match lowest {
            Some(rtc) => rtc,
            None => {
                let rtc = Rtc::new(*numbers)?;
                *numbers = Some(rtc);
                rtc
            }
        };
        rtc.state.lock().live = true;
        Ok(rtc)
    }

    fn new(next: Option<&'static Rtc>) -> Result<&'static Rtc> {
        let number = next.map_or(0, |n| n.number + 1);
        let mut name = [0; 16];
        let mut text = Line::new();
        let _ = write!(text, "rtc{number}");
        name.iter_mut().zip(text.as_str().bytes()).for_each(|(to, b)| *to = b);
        let place = Arc::new(Once::<Rtc>::new())?;
        let theirs = place.clone();
        let ticks: KBox<dyn Ticks> =
            KBox::new(HrTimer::new(move || theirs.get().map_or(Next::Stop, Rtc::tick))?, KERNEL)?;
        let rtc = Rtc {
            number,
            name,
            next,
            running: SpinLockIrq::new(None),
            setup: Mutex::new(c"rtc setup", SETUP)?,
            state: SpinLockIrq::new(OFF),
            queue: WaitQueue::new()?,
            listeners: Listeners::new(),
            ticks,
        };
        let rtc: &'static Rtc = KBox::new(rtc, KERNEL)?.leak();
        place.set(rtc)?;
        Ok(rtc)
    }

    fn cname(&'static self) -> &'static CStr {
        CStr::from_bytes_until_nul(&self.name).unwrap_or(c"rtc")
    }

    fn set_the_system(&self) -> bool {
        self.is_first() && SYSTEM_CLOCK_SET.load(Ordering::Relaxed)
    }

    fn is_first(&self) -> bool {
        self.number == 0
    }

    fn proc_text(&'static self) -> Result<&'static ProcText<Rtc>> {
        if PROC.get().is_none() {
            PROC.set(KBox::new(ProcText::new(self, Rtc::show_proc), KERNEL)?.leak())?;
        }
        PROC.get().ok_or(Error::ENODEV)
    }

    /// The clock, which does not leave meanwhile. `ENODEV`: it has left. Sleeps.
    fn clock(&self) -> Result<Use<'_>> {
        let setup = self.setup.lock();
        let run = self.running.lock().clone().ok_or(Error::ENODEV)?;
        Ok(Use { run, setup })
    }

    fn now(&self) -> Result<Time> {
        self.clock()?.run.clock.read()
    }

    /// Nothing comes any more.
    fn quieten(&self) {
        {
            let mut s = self.state.lock();
            (s.alarm_on, s.update_on, s.periodic_on, s.tick_ns) = (false, false, false, 0);
        }
        self.ticks.stop();
        let Ok(u) = self.clock() else { return };
        match u.run.interrupts() {
            Interrupts::None => {}
            Interrupts::Alarm => {
                let _s = self.state.lock(); // the handler sets it too
                u.run.clock.set_alarm(None);
            }
            Interrupts::Each => {
                u.run.clock.set_update(false);
                u.run.clock.set_periodic(0);
                u.run.clock.set_alarm(None);
            }
        }
    }

    fn show_name(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let u = self.clock().map_err(|_| fmt::Error)?;
        writeln!(out, "{} {}", u.run.driver, u.run.device.facts())
    }

    /// (`Alarm`) Sets the clock's alarm to what comes next. What has come already: its kinds.
    fn set_next(clock: &dyn Clock, s: &mut State) -> u32 {
        let mut kinds = 0;
        for _ in 0..4 {
            // A clock that cannot be read now is asked again when its alarm is set anew.
            let Ok(now) = clock.read() else { return kinds };
            let now = now.to_secs();
            if s.alarm_on && s.alarm_at <= now {
                s.alarm_on = false;
                kinds |= abi::AF;
            }
            if s.update_on && s.update_at <= now {
                s.update_at = now + 1;
                kinds |= abi::UF;
            }
            let next = match (s.alarm_on, s.update_on) {
                (true, true) => s.alarm_at.min(s.update_at),
                (true, false) => s.alarm_at,
                (false, true) => s.update_at,
                (false, false) => {
                    clock.set_alarm(None);
                    return kinds;
                }
            };
            clock.set_alarm(Some(&Time::from_secs(next)));
            // It may have passed while we set it: a comparison that was missed never comes.
            if clock.read().is_ok_and(|t| t.to_secs() < next) {
                return kinds;
            }
        }
        kinds // a clock that jumps whenever it is read
    }

    /// (`Alarm`) The clock's alarm came, or something changed that it depends on. Any context.
    fn alarm_came(&self, clock: &dyn Clock) {
        let kinds = {
            let mut s = self.state.lock();
            let kinds = Self::set_next(clock, &mut s);
            if kinds != 0 {
                s.events = s.events.wrapping_add(0x100) | (kinds | abi::IRQF) as usize;
            }
            kinds
        };
        if kinds != 0 {
            self.tell();
        }
    }

    fn tell(&self) {
        self.queue.wake_all();
        self.listeners.tell();
    }

    /// Something happened: PF, AF, UF. Any context.
    fn event(&self, kinds: u32) {
        {
            let mut s = self.state.lock();
            s.events = s.events.wrapping_add(0x100) | (kinds | abi::IRQF) as usize;
            if kinds & abi::AF != 0 {
                s.alarm_on = false;
            }
        }
        self.tell();
    }

    /// Sets the alarm, or takes it back. One that is past comes at once.
    fn set_alarm(&self, u: &mut Use<'_>, at: Time, on: bool) -> Result {
        if !u.run.has_alarm() || !at.is_valid() {
            return Err(Error::EINVAL);
        }
        let clock = &*u.run.clock;
        let now = clock.read()?.to_secs();
        if on && !clock.reaches(at.to_secs(), now) {
            return Err(Error::EINVAL);
        }
        u.setup.alarm = at;
        if u.run.interrupts() == Interrupts::Alarm {
            {
                let mut s = self.state.lock();
                s.alarm_at = at.to_secs();
                s.alarm_on = on;
            }
            self.alarm_came(clock);
            return Ok(());
        }
        clock.set_alarm(None);
        self.state.lock().alarm_on = on;
        if on && at.to_secs() <= now {
            self.event(abi::AF);
        } else if on {
            clock.set_alarm(Some(&at));
            // It may have passed while we set it: a comparison that was missed comes tomorrow.
            if clock.read()?.to_secs() > at.to_secs() && self.state.lock().alarm_on {
                clock.set_alarm(None);
                self.event(abi::AF);
            }
        }
        Ok(())
    }

    /// The alarm, and whether it is on. `EINVAL`: the clock has none.
    fn alarm(&self) -> Result<(Time, bool)> {
        let u = self.clock()?;
        if !u.run.has_alarm() {
            return Err(Error::EINVAL);
        }
        let on = self.state.lock().alarm_on;
        Ok((u.setup.alarm, on))
    }

    fn switch_alarm(&self, on: bool) -> Result {
        let mut u = self.clock()?;
        if self.state.lock().alarm_on == on && u.run.has_alarm() {
            return Ok(());
        }
        let at = u.setup.alarm;
        self.set_alarm(&mut u, at, on)
    }

    fn set_update(&self, on: bool) -> Result {
        let u = self.clock()?;
        let how = u.run.interrupts();
        if how == Interrupts::None {
            return Err(Error::EINVAL);
        }
        if how == Interrupts::Each {
            self.state.lock().update_on = on;
            u.run.clock.set_update(on);
            return Ok(());
        }
        let next = if on { u.run.clock.read()?.to_secs() + 1 } else { 0 };
        {
            let mut s = self.state.lock();
            s.update_on = on;
            s.update_at = next;
        }
        self.alarm_came(&*u.run.clock);
        Ok(())
    }

    /// Ticks `hz` times a second from now on; 0: no more.
    fn start_ticks(&self, u: &Use<'_>, hz: u32) {
        if u.run.interrupts() == Interrupts::Each {
            return u.run.clock.set_periodic(hz);
        }
        let ns = time::SECOND.checked_div(hz.into()).unwrap_or(0);
        self.state.lock().tick_ns = ns;
        if ns == 0 {
            self.ticks.stop();
        } else {
            self.ticks.start(ns);
        }
    }

    fn set_periodic(&self, on: bool) -> Result {
        let u = self.clock()?;
        if !u.run.has_alarm() {
            return Err(Error::EINVAL);
        }
        if on && u.setup.hz > MAX_USER_HZ && !capable(Capability::SysResource) {
            return Err(Error::EACCES);
        }
        self.state.lock().periodic_on = on;
        self.start_ticks(&u, if on { u.setup.hz } else { 0 });
        Ok(())
    }

    fn set_rate(&self, hz: usize) -> Result {
        if hz > MAX_USER_HZ as usize && !capable(Capability::SysResource) {
            return Err(Error::EACCES);
        }
        if !(2..=8192).contains(&hz) || !hz.is_power_of_two() {
            return Err(Error::EINVAL);
        }
        let mut u = self.clock()?;
        u.setup.hz = hz as u32;
        if self.state.lock().periodic_on {
            self.start_ticks(&u, hz as u32);
        }
        Ok(())
    }

    fn set_time(&self, t: &Time) -> Result {
        if !capable(Capability::SysTime) {
            return Err(Error::EACCES);
        }
        if !t.is_valid() {
            return Err(Error::EINVAL);
        }
        let u = self.clock()?;
        u.run.clock.set(t)?;
        if u.run.interrupts() == Interrupts::Alarm {
            self.state.lock().update_at = t.to_secs() + 1;
            self.alarm_came(&*u.run.clock);
        }
        Ok(())
    }

    /// RTC_ALM_SET: a time of day, the next one that comes; its interrupt stays off until RTC_AIE_ON.
    fn set_time_of_day(&self, t: &Time) -> Result {
        let mut u = self.clock()?;
        let now = u.run.clock.read()?;
        let at = Time { hour: t.hour, min: t.min, sec: t.sec, ..now };
        if !at.is_valid() {
            return Err(Error::EINVAL);
        }
        let tomorrow = if at.to_secs() <= now.to_secs() { DAY } else { 0 };
        self.set_alarm(&mut u, Time::from_secs(at.to_secs() + tomorrow), false)
    }

    fn now_or(
        &self,
        out: &mut dyn fmt::Write,
        f: fn(Time, &mut dyn fmt::Write) -> fmt::Result,
    ) -> fmt::Result {
        match self.now() {
            Ok(t) => f(t, out),
            Err(_) => Err(fmt::Error),
        }
    }

    fn show_wakealarm(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let setup = self.setup.lock();
        if self.state.lock().alarm_on {
            writeln!(out, "{}", setup.alarm.to_secs())
        } else {
            Ok(())
        }
    }

    /// Seconds since 1970, or +SECONDS from now, or +=SECONDS from the alarm that is set; what is past takes the alarm back.
    fn store_wakealarm(&self, text: &str) -> Result {
        let mut u = self.clock()?;
        let set = self.state.lock().alarm_on;
        let alarm = u.setup.alarm.to_secs();
        let now = u.run.clock.read()?.to_secs();
        let (base, digits) = match (text.strip_prefix("+="), text.strip_prefix('+')) {
            (Some(d), _) if set => (alarm, d),
            (Some(_), _) => return Err(Error::EINVAL),
            (None, Some(d)) => (now, d),
            _ => (0, text),
        };
        let push = text.starts_with("+=");
        let at =
            digits.parse::<i64>().ok().and_then(|n| base.checked_add(n)).ok_or(Error::EINVAL)?;
        if at <= now {
            return self.set_alarm(&mut u, Time::EPOCH, false);
        }
        if set && !push {
            return Err(Error::EBUSY);
        }
        self.set_alarm(&mut u, Time::from_secs(at), true)
    }

    fn show_proc(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let yes = |b: bool| if b { "yes" } else { "no" };
        let Ok(u) = self.clock() else { return Ok(()) };
        if let Ok(t) = u.run.clock.read() {
            writeln!(
                out,
                "rtc_time\t: {:02}:{:02}:{:02}\nrtc_date\t: {:04}-{:02}-{:02}",
                t.hour, t.min, t.sec, t.year, t.month, t.day
            )?;
        }
        let (t, hz) = (u.setup.alarm, u.setup.hz);
        let (alarm, update, periodic) = {
            let s = self.state.lock();
            (s.alarm_on, s.update_on, s.periodic_on)
        };
        writeln!(
            out,
            "alrm_time\t: {:02}:{:02}:{:02}\nalrm_date\t: {:04}-{:02}-{:02}",
            t.hour, t.min, t.sec, t.year, t.month, t.day
        )?;
        writeln!(
            out,
            "alarm_IRQ\t: {}\nalrm_pending\t: no\nupdate IRQ enabled\t: {}",
            yes(alarm),
            yes(update)
        )?;
        writeln!(out, "periodic IRQ enabled\t: {}\nperiodic IRQ frequency\t: {hz}", yes(periodic))?;
        writeln!(out, "max user IRQ frequency\t: {MAX_USER_HZ}\n24hr\t\t: yes")?;
        u.run.clock.describe(out)
    }

    /// (`Alarm`) A tick of the timer.
    fn tick(&self) -> Next {
        let ns = self.state.lock().tick_ns;
        if ns == 0 {
            return Next::Stop;
        }
        self.event(abi::PF);
        Next::Again(ns)
    }
}

impl irq::Handler for Rtc {
    fn handle(&self) -> bool {
        // Not the last: who lets it go takes the interrupt back before.
        let Some(run) = self.running.lock().clone() else { return false };
        match run.clock.cause() {
            Cause::Nothing => return false,
            Cause::Alarm => self.alarm_came(&*run.clock),
            Cause::Kinds(0) => {}
            Cause::Kinds(kinds) => self.event(kinds),
        }
        true
    }
}

fn init() -> Result {
    NUMBERS.set(KBox::new(Mutex::new(c"rtc numbers", None)?, KERNEL)?.leak())
}

kernel::sched_init!(rtc_class, init);
